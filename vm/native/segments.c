/* From a verified program to segments of native code, for whatever processor there is an encoder.
 *
 * Two passes over the instructions. The first finds the last reader of each result. The second cuts: a segment ends before
 * an instruction that the encoder does not know, at AO_NATIVE_STEPS, where the encoder runs out of registers, and where a
 * slot would change its size (below). A result goes to its slot only if somebody behind the segment reads it.
 *
 * Slots. Kernels do an instruction for a whole block, a segment does all instructions for a few elements. So a segment may
 * not read a slot from before it as one size and write it as another: element i of the wide view would destroy elements
 * that are still to be read. Where kernels do the last elements, they write all slots in between as well: there a slot
 * keeps one size throughout.
 */
#include "plan.h"

#include <string.h>

enum { AT_THE_END = 0xFFFF, SHORT_BODY = 4 };

typedef struct {
    const ao_native_source *program;
    const ao_target *target;
    ao_native *native;
    ao_plan *plan;
    uint16_t *last_read; /* by step: the last one that reads its result, or AT_THE_END; 0: none does */
    uint8_t *slot_size;  /* by temporary, and OUT: its element size in the segment; 0 while it is free */
    uint8_t *code;
    size_t at, room;
    int takes; /* whether the last segment is to */
} work;

/* To a multiple of what any type is aligned to. */
static size_t padded(size_t n)
{
    return (n + 15) / 16 * 16;
}

static int is_vector(const ao_native_source *p, unsigned reg)
{
    return reg < p->inputs || reg >= p->first_temp;
}

#if !AO_NATIVE_X86_64 && !AO_NATIVE_AARCH64
const ao_target *const ao_targets[] = {NULL};
#endif

static const ao_target *find_target(const ao_isa *isa)
{
    for (const ao_target *const *t = ao_targets; *t; t++)
        if (strcmp((*t)->isa, isa->name) == 0)
            return *t;
    return NULL;
}

int ao_native_has(const ao_isa *isa)
{
    return find_target(isa) != NULL;
}

/* ---- what is read where ---- */

static void read_here(work *w, uint16_t *defined, unsigned reg, unsigned place)
{
    if (reg < w->program->regs && defined[reg] != AT_THE_END)
        w->last_read[defined[reg]] = (uint16_t)place;
}

/* `defined` has room for all registers. The parts of a fold run in the marking pass, where guards and marking instructions
 * read as well. */
static void find_last_reads(work *w, uint16_t *defined)
{
    const ao_native_source *p = w->program;
    memset(defined, 0xFF, p->regs * sizeof *defined);
    for (unsigned k = p->first; k < p->end; k++) {
        const ao_step *s = &p->steps[k];
        w->last_read[k] = 0;
        if (s->flags & AO_MARKING && !p->accs)
            continue;
        if (p->accs)
            read_here(w, defined, s->guard, k);
        read_here(w, defined, s->a, k);
        read_here(w, defined, s->b, k);
        read_here(w, defined, s->c, k);
        defined[s->d] = (uint16_t)k;
    }
    const unsigned end = w->takes ? p->end - 1 : AT_THE_END; /* not behind a segment that has all to the end */
    if (p->mask != AO_NO_REG)
        read_here(w, defined, p->mask, end);
    if (p->has_out)
        read_here(w, defined, p->out, end);
}

/* ---- a plan ---- */

static void start_plan(work *w)
{
    ao_plan *plan = w->plan;
    const ao_native_source *p = w->program;
    for (unsigned v = 0; v < plan->values; v++)
        plan->value_of[plan->value[v].reg] = PLAN_NONE;
    memset(w->slot_size, 0, p->temps + 1u);
    plan->count = plan->values = plan->accs = 0;
    plan->take = AO_TAKE_ALL;
    plan->stops = 0;
}

static unsigned add_value(ao_plan *plan, unsigned reg, unsigned type, enum plan_kind kind)
{
    plan->value[plan->values] = (plan_value){.reg = (uint16_t)reg, .last = PLAN_NONE, .type = (uint8_t)type,
                                             .kind = (uint8_t)kind};
    plan->value_of[reg] = (uint16_t)plan->values;
    return plan->values++;
}

static uint16_t read_value(work *w, unsigned reg, unsigned type)
{
    ao_plan *plan = w->plan;
    const ao_native_source *p = w->program;
    if (type == AO_TYPE_NONE)
        return PLAN_NONE;
    if (plan->value_of[reg] == PLAN_NONE) {
        add_value(plan, reg, type, is_vector(p, reg) ? PLAN_LOADED : PLAN_UNIFORM);
        if (reg >= p->first_temp)
            w->slot_size[reg - p->first_temp] = ao_type_sizes[type];
    }
    plan->value[plan->value_of[reg]].last = (uint16_t)plan->count;
    return plan->value_of[reg];
}

static void add_step(work *w, unsigned place)
{
    ao_plan *plan = w->plan;
    const ao_step *s = &w->program->steps[place];
    const ao_op_info *info = &ao_ops[s->op];
    plan_step step = {.op = s->op, .place = (uint16_t)place, .b = s->b, .c = s->c, .guard = PLAN_NONE};
    step.a = read_value(w, s->a, info->a);
    if (info->run) {
        for (unsigned reg = s->b; reg <= s->c; reg++)
            read_value(w, reg, info->b);
    } else if (!ao_takes_table(info)) {
        step.b = read_value(w, s->b, info->b);
        step.c = read_value(w, s->c, info->c);
    }
    if (w->program->accs && s->guard != w->program->regs)
        step.guard = read_value(w, s->guard, AO_TYPE_b1);
    step.d = (uint16_t)add_value(plan, s->d, info->dst, PLAN_RESULT);
    if (!w->target->tails)
        w->slot_size[s->d - w->program->first_temp] = ao_type_sizes[info->dst];
    plan->steps[plan->count++] = step;
}

/* Whether a segment may have this instruction after those that it has. */
static int can_add(const work *w, const ao_step *s)
{
    const ao_native_source *p = w->program;
    const ao_op_info *info = &ao_ops[s->op];
    const unsigned run = info->run ? s->c - s->b + 1u : 0, size = w->slot_size[s->d - p->first_temp];
    return w->plan->count < AO_NATIVE_STEPS && run <= PLAN_RUN && w->plan->values + run + 4 <= PLAN_VALUES
           && !(s->flags & AO_ONCE) && w->target->knows(w->target, s->op, p->accs != 0)
           && (!size || size == ao_type_sizes[info->dst] || p->accs);
}

/* Whether what is taken are the results; else they say which elements of an input are. */
static int takes_out(const ao_native_source *p)
{
    return p->mask != AO_NO_REG || p->taking.what == AO_TAKE_SUM;
}

static unsigned type_of_taken(const ao_native_source *p)
{
    return takes_out(p) ? p->out_type : p->types[p->taking.source];
}

/* Behind the last step. */
static void take_results(work *w)
{
    const ao_native_source *p = w->program;
    ao_plan *plan = w->plan;
    const unsigned mask = takes_out(p) ? p->mask : p->out;
    plan->take = p->taking.what;
    plan->taken_mask = plan->taken = PLAN_NONE;
    if (mask != AO_NO_REG)
        plan->taken_mask = read_value(w, mask, AO_TYPE_b1);
    if (plan->take != AO_TAKE_COUNT)
        plan->taken = read_value(w, takes_out(p) ? p->out : p->taking.source, type_of_taken(p));
}

/* Whether results can be held back until it is known that none of them is to be marked: there is one of each element, which the
 * last step has, and nothing else to be done. */
static int can_stop(const work *w, unsigned from)
{
    const ao_native_source *p = w->program;
    const ao_plan *plan = w->plan;
    unsigned stored = 0, faults = 0;
    if (from != p->first || plan->to != p->end || plan->take != AO_TAKE_ALL || p->taking.what != AO_TAKE_ALL
        || p->scan != p->scan_end || p->mask != AO_NO_REG || !plan->count)
        return 0;
    for (const plan_step *s = plan->steps; s < plan->steps + plan->count; s++) {
        stored += plan->value[s->d].stored;
        faults |= ao_ops[s->op].faults;
    }
    return faults && stored == 1 && plan->value[plan->steps[plan->count - 1].d].stored;
}

/* The longest run from step `from` on, of at most so many instructions. */
static void make_plan(work *w, unsigned from, unsigned most)
{
    const ao_native_source *p = w->program;
    ao_plan *plan = w->plan;
    unsigned k = from;
    start_plan(w);
    for (; k < p->end && plan->count < most; k++) {
        if (p->steps[k].flags & AO_MARKING)
            continue;
        if (!can_add(w, &p->steps[k]))
            break;
        add_step(w, k);
    }
    plan->to = k;
    if (w->takes && k == p->end && plan->count)
        take_results(w);
    for (const plan_step *s = plan->steps; s < plan->steps + plan->count; s++)
        plan->value[s->d].stored = w->last_read[s->place] >= k;
    plan->stops = can_stop(w, from);
}

/* ---- scans ---- */

static int converts_ints(const ao_op_info *info)
{
    return info->b == AO_TYPE_NONE && info->a < AO_TYPE_f32 && info->dst < AO_TYPE_f32 && info->a != info->dst;
}

/* A short body of cheap instructions is part of the scan: while that waits for its chain of results they cost nothing. A
 * scan of one instruction hardly waits, but ints can be converted where they are loaded. */
static int takes_body(const work *w)
{
    const ao_native_source *p = w->program;
    const int waits = p->scan_end - p->scan > 1;
    for (unsigned k = p->first; k < p->scan; k++) {
        const ao_step *s = &p->steps[k];
        const ao_op_info *info = &ao_ops[s->op];
        if (info->faults || info->run || s->flags & AO_MARKING || !w->target->knows(w->target, s->op, 1))
            return 0;
        if (!converts_ints(info) && (!waits || info->weight > 1))
            return 0;
    }
    return p->scan > p->first && p->scan - p->first <= SHORT_BODY;
}

/* All of the scan, with its accumulators, or nothing. Elements are done one by one, as kernels do them, so slots are no
 * concern. A mark that does not stop the scan is the kernels' to make. */
static int plan_scan(work *w)
{
    const ao_native_source *p = w->program;
    ao_plan *plan = w->plan;
    start_plan(w);
    for (unsigned k = 0; k < p->accs; k++) {
        const unsigned type = p->types[p->acc + k];
        if (k >= AO_NATIVE_ACCS || type == AO_TYPE_b1)
            return 0;
        plan->acc[k] = (uint16_t)add_value(plan, p->acc + k, type, PLAN_UNIFORM);
    }
    plan->accs = p->accs;
    w->native->takes_body = takes_body(w);
    for (unsigned k = w->native->takes_body ? p->first : p->scan; k < p->scan_end; k++) {
        if (p->steps[k].flags & AO_STORE || !can_add(w, &p->steps[k]))
            return 0;
        add_step(w, k);
    }
    plan->to = p->scan_end;
    for (const plan_step *s = plan->steps; s < plan->steps + plan->count; s++)
        plan->value[s->d].stored = w->last_read[s->place] >= plan->to;
    for (unsigned k = 0; k < p->accs; k++) {
        plan->next[k] = plan->value_of[p->next + k];
        plan->value[plan->next[k]].last = PLAN_HELD;
    }
    return 1;
}

static void add_scan(work *w)
{
    size_t entry = 0;
    const size_t end = w->target->compile_scan && plan_scan(w)
                       ? w->target->compile_scan(w->target, w->plan, w->code, w->at, w->room, &entry) : 0;
    w->native->takes_body = end && w->native->takes_body;
    if (!end)
        return;
    memcpy(&w->native->scan, &entry, sizeof entry);
    w->native->scan_bytes = (unsigned)(end - w->at);
    w->at = end;
}

/* ---- segments ---- */

/* Makes a segment of the plan, or says how many of its instructions would do. */
static unsigned add_segment(work *w, unsigned from)
{
    unsigned done = 0, granule = 1;
    size_t entry = 0;
    const size_t end = w->target->compile(w->target, w->plan, w->code, w->at, w->room, &done, &entry, &granule);
    if (!end)
        return done;
    ao_segment *segment = &w->native->segments[w->native->count++];
    *segment = (ao_segment){.from = from, .to = w->plan->to, .granule = granule, .bytes = (unsigned)(end - w->at)};
    memcpy(&segment->function, &entry, sizeof entry); /* an offset until the pages are there */
    w->at = end;
    w->native->takes = w->plan->take != AO_TAKE_ALL;
    w->native->stops = w->plan->stops;
    return w->plan->count;
}

/* One instruction is, if there is no other and no sink has its results: it has arrays as they come, and kernels are slower
 * where those are not aligned alike (polynomials, min, floats of 32 bits: twice as long). */
static int is_worth_it(const work *w, unsigned from, unsigned count)
{
    const ao_native_source *p = w->program;
    const int alone = from == p->first && w->plan->to == p->end && p->taking.what == AO_TAKE_ALL;
    return count >= AO_NATIVE_FEWEST || (count && (w->plan->take != AO_TAKE_ALL || alone));
}

static void add_segments(work *w)
{
    const ao_native_source *p = w->program;
    for (unsigned k = p->first; k < p->end;) {
        make_plan(w, k, AO_NATIVE_STEPS);
        unsigned done = is_worth_it(w, k, w->plan->count) ? add_segment(w, k) : 0;
        if (done >= AO_NATIVE_FEWEST && done < w->plan->count) {
            make_plan(w, k, done);
            done = add_segment(w, k) == done ? done : 0;
        }
        k = is_worth_it(w, k, done) ? w->plan->to : k + 1;
    }
}

/* Whether a segment could take what the sink is for. */
static int can_take(const ao_native_source *p, const ao_target *target)
{
    if (p->taking.what == AO_TAKE_ALL)
        return 0;
    if (p->taking.what == AO_TAKE_SUM)
        return target->sums && p->out_type == AO_TYPE_f64;
    if (!takes_out(p) && (p->out_type != AO_TYPE_b1 || p->taking.source >= p->inputs))
        return 0;
    return p->taking.what == AO_TAKE_COUNT || (target->compacts && ao_type_sizes[type_of_taken(p)] >= target->compacts);
}

/* Results that no segment can take, because kernels make them, are left in their slots, all of them. Of a sum nothing is: who
 * wants it has other native code, for what cannot be added up here. */
static void add_all_segments(work *w, uint16_t *defined)
{
    const size_t at = w->at;
    for (w->takes = can_take(w->program, w->target); w->takes || w->program->taking.what != AO_TAKE_SUM; w->takes = 0) {
        find_last_reads(w, defined);
        add_segments(w);
        if (w->native->takes == w->takes)
            return;
        w->native->count = 0;
        w->at = at;
    }
}

/* The body of a fold as a program of its own, whose result is what vectors fold. */
static void add_body(work *w, uint16_t *defined)
{
    const ao_native_source *fold = w->program;
    ao_native_source body = *fold;
    if (fold->folded == AO_NO_REG || fold->folded < fold->first_temp)
        return;
    body.end = fold->folded_by;
    body.accs = 0;
    body.mask = AO_NO_REG;
    body.out = fold->folded;
    body.has_out = 1;
    w->program = w->plan->program = &body;
    find_last_reads(w, defined);
    add_segments(w);
    w->program = w->plan->program = fold;
}

static int is_whole(const ao_native_source *p, const ao_native *native)
{
    if (native->count != 1)
        return 0;
    for (unsigned k = p->first; k < p->end; k++)
        if ((k < native->segments[0].from || k >= native->segments[0].to) && !(p->steps[k].flags & AO_MARKING))
            return 0;
    return 1;
}

/* An offset, which stands in the place of a pointer to a function, becomes that pointer. */
static void place_function(const ao_native *native, void *function)
{
    size_t entry;
    memcpy(&entry, function, sizeof entry);
    const char *address = (const char *)native->pages + entry;
    memcpy(function, &address, sizeof address);
}

/* Without pages nothing is native. */
static void place_segments(work *w)
{
    ao_native *native = w->native;
    native->bytes = w->at;
    native->pages = native->count || native->scan ? ao_pages_make(w->code, w->at, &native->page_bytes) : NULL;
    if (!native->pages) {
        native->count = 0;
        native->scan = NULL;
        return;
    }
    for (ao_segment *s = native->segments; s < native->segments + native->count; s++)
        place_function(native, &s->function);
    if (native->scan)
        place_function(native, &native->scan);
    native->whole = is_whole(w->program, native);
}

/* Bytes for code, more than it takes. Of a short program so few that allocators have them at hand. */
static size_t code_room(const ao_native_source *p)
{
    const size_t room = 8192 + (size_t)(p->end - p->first) * 4096;
    return room < AO_NATIVE_BYTES ? room : AO_NATIVE_BYTES;
}

/* One block of memory for all that is needed while it works: code, plan, tables. */
static void fill(ao_native *native, const ao_native_source *p, const ao_target *target)
{
    const size_t regs = padded((p->regs + 1u) * sizeof(uint16_t)), slots = padded(p->temps + 1u);
    const size_t reads = padded(p->end * sizeof(uint16_t)), plan = padded(sizeof(ao_plan));
    const size_t room = code_room(p), total = room + plan + 2 * regs + slots + reads;
    uint8_t *memory = p->allocator.call(p->allocator.context, NULL, 0, total);
    if (!memory)
        return;
    uint8_t *at = memory + room;
    work w = {.program = p, .target = target, .native = native, .code = memory, .room = room,
              .plan = (ao_plan *)(void *)at};
    w.plan->program = p;
    w.plan->values = 0;
    w.plan->value_of = (uint16_t *)(void *)(at + plan);
    w.last_read = (uint16_t *)(void *)(at + plan + 2 * regs);
    w.slot_size = at + plan + 2 * regs + reads;
    memset(w.plan->value_of, 0xFF, regs);
    uint16_t *defined = (uint16_t *)(void *)(at + plan + regs);
    w.at = target->begin(target, w.code, room);
    if (p->accs) {
        find_last_reads(&w, defined);
        add_scan(&w);
        add_body(&w, defined);
    } else {
        add_all_segments(&w, defined);
    }
    place_segments(&w);
    p->allocator.call(p->allocator.context, memory, total, 0);
}

static void free_native(const ao_allocator *allocator, ao_native *native)
{
    if (native->pages)
        ao_pages_free(native->pages, native->page_bytes);
    allocator->call(allocator->context, native, native->size, 0);
}

/* With no segments where nothing comes of it, so that nobody tries again. NULL without memory. */
static ao_native *make_native(const ao_native_source *p, const ao_isa *isa, const ao_target *target)
{
    const size_t size = sizeof(ao_native) + ((p->end - p->first) / AO_NATIVE_FEWEST + 1) * sizeof(ao_segment);
    ao_native *native = p->allocator.call(p->allocator.context, NULL, 0, size);
    if (!native)
        return NULL;
    memset(native, 0, sizeof *native);
    native->isa = isa;
    native->taking = p->taking;
    native->size = size;
    fill(native, p, target);
    return native;
}

static int is_for(const ao_native *native, const ao_isa *isa, ao_native_taking taking)
{
    return native->isa == isa && native->taking.what == taking.what && native->taking.source == taking.source;
}

const ao_native *ao_native_made(ao_native_slots *slots, const ao_isa *isa, ao_native_taking taking)
{
    for (unsigned k = 0; k < AO_NATIVE_SLOTS; k++) {
        const ao_native *native = atomic_load_explicit(&slots->made[k], memory_order_acquire);
        if (native && is_for(native, isa, taking))
            return native;
    }
    return NULL;
}

static const ao_native *has_code(const ao_native *native)
{
    return native->pages ? native : NULL;
}

/* Threads may make it at the same time: the first one's is kept. */
const ao_native *ao_native_of(ao_native_slots *slots, const ao_native_source *source, const ao_isa *isa)
{
    const ao_native *made = ao_native_made(slots, isa, source->taking);
    if (made)
        return has_code(made);
    const ao_target *target = find_target(isa);
    ao_native *native = target ? make_native(source, isa, target) : NULL;
    if (!native)
        return NULL;
    for (unsigned k = 0; k < AO_NATIVE_SLOTS; k++) {
        ao_native *there = NULL;
        if (atomic_compare_exchange_strong(&slots->made[k], &there, native))
            return has_code(native);
        if (is_for(there, isa, source->taking)) {
            free_native(&source->allocator, native);
            return has_code(there);
        }
    }
    free_native(&source->allocator, native);
    return NULL;
}

void ao_native_free(ao_native_slots *slots, const ao_allocator *allocator)
{
    for (unsigned k = 0; k < AO_NATIVE_SLOTS; k++) {
        ao_native *native = atomic_load(&slots->made[k]);
        if (native)
            free_native(allocator, native);
    }
}
