/* The run of a program: binding a job, going block by block, marks, the scan, and handing blocks over.
 *
 * A frame is one piece of the caller's memory: this struct, a table with the current address of every register, the
 * uniforms, the marks, the temporaries. Inputs are read and the result is written in place where that is safe, so the
 * caller's arrays must be aligned for their type; after each block their addresses in the table move on. Nothing is
 * allocated, nothing is checked (program.c did) and nothing outlives the call but the frame.
 *
 * Passes. Without a scan a block first runs fast, with no marks; only if a kernel reports a fault does it run again
 * with marks. The second run starts from the inputs, which no instruction writes, so it is sound whatever the
 * temporaries share. It is sticky: after a block with raw faults the next starts in the marking pass at once, until
 * one has none; data in which guarded faults abound costs one pass, not two. A program with a scan has one pass
 * only, the marking one (AO_MARKING instructions included). It cannot be run twice, for two reasons: the accumulator
 * has moved on, and temporaries that the epilogue reads may have been reused. Nor would a fast pass pay: one step of
 * the scan costs more than marking a whole block.
 *
 * Native code. Where there is some (native/native.h), segments of it take the place of kernels in the fast pass, and only
 * there: the marking pass starts from the inputs and needs no slot that a segment left out. Of a fold the scan may be native.
 * Results that are only added up are, where there is native code that does it, in the registers that have them; a block of which
 * that was not exact is run again and handed over.
 *
 * Scan. It stops before the first element whose body mark has AO_MARK_VALUE, and at the first whose own step faults
 * (unless its guard is 0). That element becomes the last of the block and gets AO_MARK_VALUE; the accumulator keeps the
 * value from before it; the epilogue runs over the elements in front of it only. The elements behind it run through the
 * body again with the next block, so blocks restart small after a stop and double, lest that cost be quadratic.
 *
 * A scan of ints whose order does not matter (a sum, an extreme, bits) is done by vectors, block by block, where no element of
 * the body is marked and no sum on the way can overflow; other blocks are done element by element.
 */
#include "program.h"
#include "exact.h"
#include "folds.h"
#include "kernels/reduce_kernels.h"
#include "portable.h"
#include "subnormal.h"

#include <string.h>

enum {
    FAR_BYTES = 12 << 20,   /* arrays from memory: half the block, or they take 1.2 to 1.5 times as long */
    NEVER_FAR = 4096,       /* elements that are near, however many arrays there are */
    FIRST_AFTER_STOP = 16,
    WORTH_ALIGNING = 512, /* elements from which a first short block is made */
    NATIVE_PAYS = 32768,  /* elements after which the 20 us come back that making native code takes */
    NATIVE_FROM = AO_FEW + 1 /* elements of a run: for fewer the call of it costs what it saves */
};

static size_t near_or_far(const ao_program *p, const ao_job *job, size_t block)
{
    if (!(job->flags & AO_FAR) && job->count <= NEVER_FAR)
        return block;
    size_t bytes = p->out_type == AO_TYPE_NONE ? 0 : ao_type_sizes[p->out_type];
    for (unsigned i = 0; i < p->inputs; i++)
        bytes += ao_type_sizes[p->types[i]];
    const int far = job->flags & AO_FAR || job->count > FAR_BYTES / (bytes + 1);
    return far && block > AO_MIN_BLOCK ? block / 2 : block;
}

/* One instruction or one segment of native code, that cannot mark, has nothing to keep in L1: blocks would only cost calls,
 * 10% of x*x + 1 in cache. */
static int is_one_pass(const ao_program *p, const ao_native *native)
{
    if (p->faults || p->acc != AO_NO_REG || p->mask != AO_NO_REG)
        return 0;
    return native ? native->whole : !p->temps && p->first[AO_SECTIONS] - p->first[AO_BODY] == 1;
}

/* Whether results go to memory, and they and all inputs lie there as kernels have them. */
static int is_side_by_side(const struct ao_frame_private *f)
{
    return !f->job.sink.take && !f->spaced && !f->job.out_spacing.stride;
}

/* Whether native code writes finished elements only, straight to the result: what it stops at is computed aside. */
static int can_stop(const struct ao_frame_private *f)
{
    return f->native && f->native->stops && is_side_by_side(f);
}

/* Whether the kernels may write straight to the result, though an element may be refused and what is behind it is to be
 * kept: the result must be no input's memory, which is read again then. To copy each block took a tenth of a logarithm. */
static int is_straight(const struct ao_frame_private *f)
{
    const ao_program *p = f->program;
    const ao_job *job = &f->job;
    if (!(job->flags & AO_KEEP) || !p->leaves || !is_side_by_side(f))
        return 0;
    const uintptr_t out = (uintptr_t)job->out, size = job->count * ao_type_sizes[p->out_type];
    for (unsigned i = 0; i < p->inputs; i++) {
        const uintptr_t in = (uintptr_t)job->inputs[i];
        if (in < out + size && out < in + job->count * ao_type_sizes[p->types[i]])
            return 0;
    }
    return 1;
}

/* The native code of a run, NULL if it is to have none: it is made of a program that has run for many elements. */
static const ao_native *find_native(const ao_program *p, const ao_job *job)
{
    if (!(job->flags & AO_NATIVE_AT_ONCE) && (!(job->flags & AO_NATIVE) || job->count < NATIVE_FROM))
        return NULL;
    ao_native_slots *const slots = ao_native_slots_of(p);
    const ao_native_taking taking = {job->sink.take ? job->sink.what : AO_TAKE_ALL, job->sink.source};
    const ao_native *native = ao_native_made(slots, job->isa, taking);
    if (native)
        return native->pages ? native : NULL;
    const size_t ran = atomic_fetch_add_explicit(&slots->ran, job->count, memory_order_relaxed) + job->count;
    return job->flags & AO_NATIVE_AT_ONCE || ran >= NATIVE_PAYS ? ao_program_native(p, job->isa, taking) : NULL;
}

/* The native code that does all of a run and adds its results to a sum: NULL if there is none. */
static const ao_native *find_adding(const ao_program *p, const ao_job *job)
{
    static const ao_native_taking sums = {AO_TAKE_SUM, 0};
    if (!job->sink.sum)
        return NULL;
    const ao_native *native = ao_native_made(ao_native_slots_of(p), job->isa, sums);
    native = native ? native : ao_program_native(p, job->isa, sums);
    return native && native->pages && native->whole ? native : NULL;
}

static unsigned is_spaced(ao_spacing spacing)
{
    return spacing.stride != 0;
}

/* Binds the inputs that are not side by side to blocks at the end of the frame. */
static void bind_gathers(struct ao_frame_private *f, char *memory)
{
    const ao_program *p = f->program;
    f->gathers = (gathered *)(void *)memory;
    f->spaced = 0;
    if (!f->job.spacings)
        return;
    for (unsigned i = 0; i < p->inputs; i++)
        f->spaced += is_spaced(f->job.spacings[i]);
    char *block = memory + ao_round_up(f->spaced * sizeof(gathered));
    gathered *g = f->gathers;
    for (unsigned i = 0; i < p->inputs; i++) {
        if (!is_spaced(f->job.spacings[i]))
            continue;
        *g = (gathered){f->job.inputs[i], block, f->job.spacings[i], i, ao_type_sizes[p->types[i]]};
        f->regs[i] = block;
        block += p->frame.stride;
        g++;
    }
}

/* Whether the elements of a range can be put where the results will be, instead of a block: a range is not in memory, so
 * that nothing is lost that somebody reads later. */
static int is_put_in_place(const struct ao_frame_private *f)
{
    const ao_program *p = f->program;
    return f->spaced && p->inputs == 1 && f->job.spacings[0].form == AO_RANGE && !f->scratch && !p->faults && !p->rereads
           && p->acc == AO_NO_REG && p->out_type != AO_TYPE_NONE && ao_type_sizes[p->out_type] == ao_type_sizes[p->types[0]];
}

static void gather(const struct ao_frame_private *f, size_t n)
{
    if (f->in_place)
        f->regs[0] = f->gathers->block = f->regs[f->program->out];
    for (const gathered *g = f->gathers; g < f->gathers + f->spaced; g++)
        ao_gather(g->block, g->from, g->spacing, g->size, n);
}

/* An ao_value in the machine's own form of its type, and back. */
static void put_value(void *slot, unsigned type, ao_value value)
{
    switch (type) {
    case AO_TYPE_b1: { const uint8_t v = value.u != 0; memcpy(slot, &v, sizeof v); break; }
    case AO_TYPE_f32: { const float v = (float)value.f; memcpy(slot, &v, sizeof v); break; }
    case AO_TYPE_f64: memcpy(slot, &value.f, sizeof value.f); break;
    default: memcpy(slot, &value.table, sizeof value.table); break; /* AO_TABLE_OF and more */
#define PUT_INT(T, op) case AO_TYPE_##T: { const ao_##T v = (ao_##T)value.u; memcpy(slot, &v, sizeof v); break; }
    AO_LIST_INTS(PUT_INT, _)
    }
}

#define GET(T, field, as) case AO_TYPE_##T: { ao_##T v; memcpy(&v, slot, sizeof v); value.field = (as)v; break; }
static ao_value get_value(const void *slot, unsigned type)
{
    ao_value value = {0};
    switch (type) {
    GET(b1, u, uint64_t)
    GET(i8, i, int64_t)
    GET(u8, u, uint64_t)
    GET(i16, i, int64_t)
    GET(u16, u, uint64_t)
    GET(i32, i, int64_t)
    GET(u32, u, uint64_t)
    GET(i64, i, int64_t)
    GET(u64, u, uint64_t)
    GET(f32, f, double)
    GET(f64, f, double)
    }
    return value;
}

/* Whether elements that are not finished could be written (a mark or a stop), or an input that OUT may alias is read after
 * OUT was written. */
static int is_kept_apart(const ao_program *p)
{
    return p->faults || p->rereads;
}

static int needs_scratch(const ao_program *p, const ao_job *job)
{
    if (p->out_type == AO_TYPE_NONE)
        return 0;
    return job->sink.take || is_spaced(job->out_spacing) || (job->flags & AO_KEEP && is_kept_apart(p));
}

static void put_constants(struct ao_frame_private *f, char *slots)
{
    const ao_program *p = f->program;
    for (unsigned reg = p->inputs; reg < p->first_temp; reg++, slots += sizeof(ao_value)) {
        f->regs[reg] = slots;
        if (reg >= p->first_const && reg < p->first_computed)
            put_value(slots, p->types[reg], p->values[reg - p->first_const]);
    }
    f->regs[p->regs] = slots;
    memset(slots, 0, sizeof(ao_value));
}

void ao_frame_prepare(ao_frame *frame, const ao_program *program, void *memory)
{
    const ao_layout *at = &program->frame;
    struct ao_frame_private *f = frame->private_ = memory;
    char *base = memory;
    f->program = program;
    f->regs = (char **)(void *)(base + at->regs);
    f->marks = (uint8_t *)base + at->marks;
    f->raw = (uint8_t *)base + at->raw;
    put_constants(f, base + at->uniforms);
    for (unsigned i = 0; i < program->temps; i++)
        f->regs[program->first_temp + i] = base + at->temps + i * at->stride;
}

static void run_prologue(struct ao_frame_private *f)
{
    const ao_program *p = f->program;
    char *const *r = f->regs;
    for (const ao_step *s = p->steps; s < p->steps + p->first[AO_BODY]; s++)
        f->job.isa->ops[s->op](1, r[s->d], r[s->a], r[s->b], r[s->c], s->uniform, NULL);
}

static AO_INLINE void bind_arguments(struct ao_frame_private *f, const void *const *inputs, const ao_value *params)
{
    const ao_program *p = f->program;
    for (unsigned i = 0; i < p->inputs; i++)
        f->regs[i] = (char *)(uintptr_t)inputs[i]; /* never a target: see program.c */
    for (unsigned i = 0; i < p->params; i++)
        put_value(f->regs[p->inputs + i], p->types[p->inputs + i], params[i]);
}

void ao_frame_bind(ao_frame *frame, const ao_job *job)
{
    struct ao_frame_private *f = frame->private_;
    const ao_program *program = f->program;
    const ao_layout *at = &program->frame;
    char *base = (char *)f;
    f->job = *job;
    f->sticky = 0;
    f->scratch = needs_scratch(program, job) ? base + at->scratch : NULL;
    bind_arguments(f, job->inputs, job->params);
    bind_gathers(f, base + at->total);
    f->in_place = is_put_in_place(f);
    /* one instruction then has its operand in cache, and its kernel knows that a copy is made already */
    const int alone = f->in_place && program->first[AO_SECTIONS] == 1;
    f->native = alone ? NULL : find_native(program, job);
    f->adding = f->native ? find_adding(program, job) : NULL;
    f->has_taken = f->has_added = 0;
    f->added = 0;
    f->pause = (ao_pause){0, 0};
    const int stops = can_stop(f);
    f->straight = !stops && is_straight(f);
    f->aside = stops || f->straight ? base + at->scratch : NULL;
    if (f->aside) {
        f->scratch = NULL;
        f->aside_block = near_or_far(program, job, at->block);
    }
    const int whole = stops || (is_one_pass(program, f->native) && !f->scratch && !f->spaced);
    f->block = whole ? SIZE_MAX : near_or_far(program, job, at->block);
    f->limit = f->block;
    if (program->out_type != AO_TYPE_NONE)
        f->regs[program->out] = f->scratch ? f->scratch : job->out;
    f->lead = f->scratch || program->out_type == AO_TYPE_NONE ? 0 : program->out;
    f->lead_size = f->lead ? ao_type_sizes[program->out_type] : program->inputs ? ao_type_sizes[program->types[0]] : 0;
    ao_subnormal_forget();
    run_prologue(f);
    frame->position = frame->block_count = 0;
    frame->marks = f->marks;
    frame->block_out = NULL;
    frame->scan_stopped = 0;
}

void ao_frame_open(ao_frame *frame, const ao_program *program, const ao_job *job, void *memory)
{
    ao_frame_prepare(frame, program, memory);
    ao_frame_bind(frame, job);
}

/* One value for the whole block, of a step whose operands are all uniforms. */
static unsigned run_once(const struct ao_frame_private *f, const ao_step *s, size_t n, uint8_t *mark)
{
    const ao_kernel *const ops = f->job.isa->ops;
    char *const *r = f->regs;
    if (!n)
        return 0;
    uint8_t unused; /* a kernel that leaves what it does not mark would leave nothing to copy */
    const unsigned fault = ops[s->op](1, r[s->d], r[s->a], r[s->b], r[s->c], 0, &unused);
    ops[AO_OP_COPY_b1 + ao_ops[s->op].dst](n, r[s->d], r[s->d], NULL, NULL, 1, NULL);
    if (mark)
        memset(mark, fault != 0, n);
    return fault;
}

static inline unsigned run_step(const struct ao_frame_private *f, const ao_step *s, size_t n, uint8_t *mark)
{
    char *const *r = f->regs;
    if (s->flags & AO_ONCE)
        return run_once(f, s, n, mark);
    return f->job.isa->ops[s->op](n, r[s->d], r[s->a], r[s->b], r[s->c], s->uniform, mark);
}

/* The fast pass. Nonzero at the first kernel that reports a fault. */
static AO_INLINE unsigned run_fast(const struct ao_frame_private *f, unsigned from, unsigned to, size_t n)
{
    const ao_step *const end = f->program->steps + to;
    for (const ao_step *s = f->program->steps + from; s < end; s++)
        if (!(s->flags & AO_MARKING) && run_step(f, s, n, NULL))
            return 1;
    return 0;
}

/* The last elements, from `done` on, of a segment whose code does whole groups: by the kernels, in the same slots. */
static unsigned run_rest(const struct ao_frame_private *f, const ao_segment *segment, size_t done, size_t n)
{
    char *const *r = f->regs;
    const ao_step *const end = f->program->steps + segment->to;
    unsigned fault = 0;
    for (const ao_step *s = f->program->steps + segment->from; s < end && done < n; s++)
        if (!(s->flags & AO_MARKING))
            fault |= f->job.isa->ops[s->op](n - done, r[s->d] + done * s->step_d, r[s->a] + done * s->step_a,
                                            r[s->b] + done * s->step_b, r[s->c] + done * s->step_c, s->uniform, NULL);
    return fault;
}

static unsigned type_of_values(const struct ao_frame_private *f)
{
    const ao_program *p = f->program;
    return p->mask == AO_NO_REG ? p->types[f->job.sink.source] : p->out_type;
}

/* Calls a segment, the last one of those that may take the results. */
static unsigned call_segment(struct ao_frame_private *f, const ao_segment *g, size_t n)
{
    const int counts = f->job.sink.what == AO_TAKE_COUNT;
    char *const from = counts || !f->native->takes ? NULL : *f->job.sink.to, *to = from;
    const size_t found = g->function(n, f->regs, &to);
    if (f->native->stops)
        return found != n - n % g->granule;
    if (found)
        return 1;
    f->taken = counts ? (uintptr_t)to : f->native->takes ? (size_t)(to - from) / ao_type_sizes[type_of_values(f)] : 0;
    return 0;
}

/* The fast pass with segments of native code in it. */
static unsigned run_native(struct ao_frame_private *f, unsigned from, unsigned to, size_t n)
{
    const ao_segment *const end = f->native->segments + f->native->count;
    for (const ao_segment *g = f->native->segments; g < end; from = g->to, g++)
        if (run_fast(f, from, g->from, n) || call_segment(f, g, n) || run_rest(f, g, n - n % g->granule, n))
            return 1;
    f->has_taken = f->native->takes;
    return run_fast(f, from, to, n);
}

/* ---- results that are added up ---- */

typedef struct {
    struct ao_frame_private *frame;
    size_t n;
    int faulted; /* an element is to be marked: nothing was added */
} adding;

static int add_results(void *context, ao_split_sums *sums)
{
    adding *a = context;
    struct ao_frame_private *f = a->frame;
    ao_split_sums next = *sums;
    char *to[2] = {NULL, (char *)&next};
    const unsigned before = ao_exact_begin();
    a->faulted = f->adding->segments[0].function(a->n, f->regs, to) != 0;
    int exact = ao_exact_end(before);
    for (unsigned lane = 0; lane < AO_SPLIT_LANES; lane++)
        exact &= next.low[lane] == next.low[lane]; /* of a nan, which sets no flag */
    if (exact && !a->faulted)
        *sums = next;
    f->taken = f->program->mask == AO_NO_REG ? a->n : (uintptr_t)to[0];
    return exact || a->faulted;
}

/* Blocks that are added up grow while that is exact, as nothing of them is kept: to ask about flags takes as long as 200 elements. */
static size_t adding_block(const struct ao_frame_private *f, size_t n, size_t left)
{
    const size_t most = f->added < left ? f->added : left;
    return !f->spaced && most > n ? most : n;
}

/* A block by native code that adds its results up. Nonzero if it did. Where that is not exact a block takes half as long again, so
 * it is not tried again soon. */
static int run_adding(struct ao_frame_private *f, size_t *n, size_t left)
{
    enum { MOST = 8192 };
    if (!f->adding || ao_pause_pass(&f->pause))
        return 0;
    adding a = {.frame = f, .n = adding_block(f, *n, left)};
    f->has_added = ao_float_sum_split(f->job.sink.sum, add_results, &a) && !a.faulted;
    if (!f->has_added) {
        ao_pause_start(&f->pause);
        ao_pause_start(&f->pause); /* four times as long each time: begun again after a few, it took more than it gave */
        f->added = 0;
        return 0;
    }
    ao_pause_shorten(&f->pause);
    f->added = a.n < MOST ? 2 * a.n : a.n;
    *n = a.n;
    return 1;
}

/* Adds an instruction's raw marks to the block's, where its guard holds. */
static void merge_marks(const struct ao_frame_private *f, const ao_step *s, size_t n)
{
    const uint8_t bit = s->flags & AO_STORE ? AO_MARK_STORE : AO_MARK_VALUE;
    const uint8_t *guard = (const uint8_t *)f->regs[s->guard], *raw = f->raw;
    uint8_t *marks = f->marks;
    if (s->step_guard) {
        for (size_t i = 0; i < n; i++)
            marks[i] = (uint8_t)(marks[i] | (raw[i] && guard[i] ? bit : 0));
    } else if (s->guard == f->program->regs || *guard) {
        for (size_t i = 0; i < n; i++)
            marks[i] = (uint8_t)(marks[i] | (raw[i] ? bit : 0));
    }
}

/* The marking pass. Nonzero if a kernel reported a fault, guarded or not. */
static unsigned run_marking(const struct ao_frame_private *f, unsigned from, unsigned to, size_t n)
{
    const ao_step *const end = f->program->steps + to;
    unsigned faults = 0;
    for (const ao_step *s = f->program->steps + from; s < end; s++) {
        if (run_step(f, s, n, s->flags & AO_FAULTING ? f->raw : NULL)) {
            merge_marks(f, s, n);
            faults = 1;
        }
    }
    return faults;
}

static unsigned any_mark(const uint8_t *marks, size_t n)
{
    unsigned any = 0;
    for (size_t i = 0; i < n; i++)
        any |= marks[i];
    return any;
}

/* Instructions from the body on; nonzero if one would mark. */
static unsigned run_body(struct ao_frame_private *f, unsigned to, size_t n)
{
    const unsigned from = f->program->first[AO_BODY];
    return f->native ? run_native(f, from, to, n) : run_fast(f, from, to, n);
}

/* Nonzero if a block was written straight to the result; if not, it is to be marked, aside. */
static int run_straight(struct ao_frame_private *f, unsigned to, size_t n)
{
    if (!f->sticky && !run_body(f, to, n))
        return 1;
    f->regs[f->program->out] = f->scratch = f->aside;
    f->sticky = 1;
    return 0;
}

/* By native code that stops. Nonzero if it did some elements: then they are the block. If not, kernels do one, aside. */
static int run_to_stop(struct ao_frame_private *f, size_t *n)
{
    const size_t done = f->sticky ? 0 : f->native->segments[0].function(*n, f->regs, NULL);
    if (done) {
        *n = done;
        return 1;
    }
    f->regs[f->program->out] = f->scratch = f->aside;
    if (*n > f->aside_block)
        *n = f->aside_block;
    return 0;
}

/* Until it stops again. */
static void write_in_place(struct ao_frame_private *f, size_t position)
{
    f->scratch = NULL;
    f->regs[f->program->out] = (char *)f->job.out + position * ao_type_sizes[f->program->out_type];
}

/* One block of a program without a scan; may cut *n, and lengthen it up to `left`. Nonzero if it has marks. */
static unsigned run_block(struct ao_frame_private *f, size_t *n, size_t left)
{
    const ao_program *p = f->program;
    const unsigned from = p->first[AO_BODY], to = p->first[AO_SECTIONS];
    f->has_taken = f->has_added = 0;
    if (f->aside && (f->straight ? run_straight(f, to, *n) : run_to_stop(f, n)))
        return 0;
    if (!f->sticky && (run_adding(f, n, left)
                       || !(f->native && !f->aside ? run_native(f, from, to, *n) : run_fast(f, from, to, *n))))
        return 0;
    memset(f->marks, 0, *n);
    f->sticky = run_marking(f, from, to, *n);
    return f->sticky && any_mark(f->marks, *n);
}

/* All instructions of the scan for element i. Nonzero if it stops there. */
static unsigned scan_element(const struct ao_frame_private *f, size_t i)
{
    const ao_program *p = f->program;
    const ao_step *const end = p->steps + p->first[AO_EPILOGUE];
    char *const *r = f->regs;
    for (const ao_step *s = p->steps + p->first[AO_SCAN]; s < end; s++) {
        const ao_kernel kernel = f->job.isa->ops[s->op];
        char *const d = r[s->d] + i * s->step_d;
        const char *const x = r[s->a] + i * s->step_a, *const y = r[s->b] + i * s->step_b, *const z = r[s->c] + i * s->step_c;
        if (!kernel(1, d, x, y, z, s->uniform, NULL))
            continue;
        const int counts = s->guard == p->regs || r[s->guard][i * s->step_guard];
        if (counts && !(s->flags & AO_STORE))
            return 1;
        f->marks[i] |= counts ? AO_MARK_STORE : 0;
        uint8_t unused;
        if (ao_ops[s->op].leaves) /* then d has no value yet */
            kernel(1, d, x, y, z, s->uniform, &unused);
    }
    return 0;
}

/* An accumulator of the next element. Not one memcpy of `size`: that would be a call for each element. */
static void move_acc(char *acc, const char *next, size_t size)
{
    switch (size) {
    case 1: memcpy(acc, next, 1); break;
    case 2: memcpy(acc, next, 2); break;
    case 4: memcpy(acc, next, 4); break;
    default: memcpy(acc, next, 8); break;
    }
}

/* Whether the scan is one instruction, that computes the only accumulator and stops wherever it faults. */
static int is_one_step(const ao_program *p)
{
    const ao_step *s = p->steps + p->first[AO_SCAN];
    return p->first[AO_EPILOGUE] - p->first[AO_SCAN] == 1 && p->accs == 1 && s->d == p->next && s->step_d
           && s->guard == p->regs && !(s->flags & AO_STORE);
}

/* Such a scan. Each value is read where it was written: by way of the accumulator's own place an element takes 6 ns instead
 * of 3. */
static size_t scan_one_step(const struct ao_frame_private *f, size_t n)
{
    const ao_program *p = f->program;
    const ao_step *s = p->steps + p->first[AO_SCAN];
    const ao_kernel kernel = f->job.isa->ops[s->op];
    const unsigned uniform = s->uniform;
    const int in_a = s->a == p->acc, in_b = s->b == p->acc, in_c = s->c == p->acc;
    const char *a = f->regs[s->a], *b = f->regs[s->b], *c = f->regs[s->c];
    char *d = f->regs[s->d], *value = f->regs[p->acc];
    size_t i = 0;
    for (; i < n && !(f->marks[i] & AO_MARK_VALUE) && !kernel(1, d, a, b, c, uniform, NULL); i++) {
        value = d;
        d += s->step_d;
        a = in_a ? value : a + s->step_a;
        b = in_b ? value : b + s->step_b;
        c = in_c ? value : c + s->step_c;
    }
    if (i)
        move_acc(f->regs[p->acc], value, s->step_d);
    return i;
}

/* Runs the scan; returns the element at which it stopped, or n. */
static size_t scan_block(const struct ao_frame_private *f, size_t n)
{
    const ao_program *p = f->program;
    char *const *accs = f->regs + p->acc, *const *nexts = f->regs + p->next;
    const uint8_t *types = p->types + p->acc;
    const unsigned count = p->accs;
    if (is_one_step(p))
        return scan_one_step(f, n);
    const size_t first = ao_type_sizes[types[0]]; /* looked up for each element it made a fold of one 14% slower */
    for (size_t i = 0; i < n; i++) {
        if (f->marks[i] & AO_MARK_VALUE || scan_element(f, i))
            return i;
        move_acc(accs[0], nexts[0] + i * first, first);
        for (unsigned k = 1; k < count; k++) {
            const size_t size = ao_type_sizes[types[k]];
            move_acc(accs[k], nexts[k] + i * size, size);
        }
    }
    return n;
}

/* The same by native code, which knows nothing of the marks of the body: most blocks have none, and to look for them one by
 * one would take as long as a short scan. */
static size_t scan_native(const struct ao_frame_private *f, size_t n, unsigned faults)
{
    size_t unmarked = faults ? 0 : n;
    while (unmarked < n && !(f->marks[unmarked] & AO_MARK_VALUE))
        unmarked++;
    return f->native->scan(unmarked, f->regs);
}

/* The bits that an int has and its sign has not. */
static uint64_t bits_of_int(uint64_t value, int with_sign)
{
    return with_sign && value >> 63 ? ~value : value;
}

/* Adds a block to a sum, unless one of those on the way may leave the type. Nonzero if it did. */
static int add_checked(const struct ao_frame_private *f, const uint64_t *x, size_t n, uint64_t *acc)
{
    enum { ELEMENT_BITS = 48, ACC_BITS = 62 };
    _Static_assert((AO_MAX_BLOCK >> (ACC_BITS - ELEMENT_BITS)) == 0, "a block of elements adds up to what an accumulator may have");
    const int with_sign = f->program->types[f->program->acc] == AO_TYPE_i64;
    uint64_t bits;
    const uint64_t sum = f->job.isa->reductions->sum(n, x, with_sign ? UINT64_C(1) << (ELEMENT_BITS - 1) : 0, &bits);
    if (bits >> ELEMENT_BITS || bits_of_int(*acc, with_sign) >> ACC_BITS)
        return 0;
    *acc += sum;
    return 1;
}

/* Body and scan of a block whose elements may be taken in any order: if none of them is marked, and of a sum none of those
 * on the way can leave the type. Without a body, once blocks begin on a cache line, many of them are one, up to such a one.
 * Nonzero if it is done. */
static int fold_in_any_order(struct ao_frame_private *f, size_t *block, size_t left)
{
    enum { BLOCKS = 16 };
    const ao_program *p = f->program;
    if (p->fold == AO_FOLD_NONE || run_body(f, p->first[AO_SCAN], *block))
        return 0;
    const uint64_t *x = (const uint64_t *)(const void *)f->regs[p->folded];
    const int at_once = p->first[AO_BODY] == p->first[AO_SCAN] && !f->spaced && (uintptr_t)x % AO_ALIGNMENT == 0;
    const size_t most = !at_once ? *block : left / BLOCKS < *block ? left : BLOCKS * *block;
    uint64_t acc;
    memcpy(&acc, f->regs[p->acc], sizeof acc);
    size_t done = 0, now;
    if (!p->fold_checks) {
        acc = f->job.isa->reductions->fold[p->fold](most, x, acc);
        done = most;
    }
    for (; done < most; done += now) {
        now = most - done < *block ? most - done : *block;
        if (!add_checked(f, x + done, now, &acc))
            break;
    }
    if (!done)
        return 0;
    memcpy(f->regs[p->acc], &acc, sizeof acc);
    *block = done;
    return 1;
}

/* The same of narrow ints, without the last step of the body, which would only widen them. If there is no other, of as many as
 * are left side by side. */
static int fold_narrow(struct ao_frame_private *f, size_t *n, size_t left)
{
    enum { ACC_BITS = 61 };
    const ao_program *p = f->program;
    uint64_t acc;
    if (p->narrow == AO_NO_REG)
        return 0;
    const unsigned widening = p->first[AO_SCAN] - 1u;
    const size_t count = widening == p->first[AO_BODY] && !f->spaced ? left : *n;
    memcpy(&acc, f->regs[p->acc], sizeof acc);
    if (count >> AO_FOLD_WHOLE_BITS || (p->fold_checks && bits_of_int(acc, p->types[p->acc] == AO_TYPE_i64) >> ACC_BITS)
        || run_body(f, widening, count))
        return 0;
    acc = ao_fold_narrow(f->job.isa, (enum ao_fold)p->fold, (enum ao_type)p->narrow_type, count, f->regs[p->narrow], acc);
    memcpy(f->regs[p->acc], &acc, sizeof acc);
    *n = count;
    return 1;
}

/* After a stop they are short: see above. */
static void lengthen_blocks(struct ao_frame_private *f)
{
    f->limit = f->limit * 2 < f->block ? f->limit * 2 : f->block;
}

/* One block of a program with a scan; may cut *n, and lengthen it up to `left`. Nonzero if it has marks. */
static unsigned fold_block(struct ao_frame_private *f, size_t *n, size_t left, int *stopped)
{
    const unsigned *first = f->program->first;
    *stopped = 0;
    if (fold_narrow(f, n, left) || fold_in_any_order(f, n, left)) {
        lengthen_blocks(f);
        return 0;
    }
    memset(f->marks, 0, *n);
    const int native = f->native && f->native->scan, body = !native || !f->native->takes_body;
    unsigned faults = body ? run_marking(f, first[AO_BODY], first[AO_SCAN], *n) : 0;
    const size_t done = native ? scan_native(f, *n, faults) : scan_block(f, *n);
    faults |= run_marking(f, first[AO_EPILOGUE], first[AO_SECTIONS], done);
    *stopped = done < *n;
    if (*stopped) {
        f->marks[done] |= AO_MARK_VALUE;
        *n = done + 1;
        f->limit = FIRST_AFTER_STOP;
    } else {
        lengthen_blocks(f);
    }
    return *stopped || ((faults || !native) && any_mark(f->marks, *n));
}

static size_t out_size(const ao_program *p)
{
    return p->out_type == AO_TYPE_NONE ? 0 : ao_type_sizes[p->out_type];
}

void ao_skip(ao_frame *frame, size_t n)
{
    struct ao_frame_private *f = frame->private_;
    const ao_program *p = f->program;
    frame->position += n;
    frame->block_count = 0;
    frame->block_out = NULL;
    if (frame->position >= f->job.count) /* the usual end of a short call: nobody looks at an address any more */
        return;
    if (!f->scratch)
        f->regs[p->out] += n * out_size(p);
    for (unsigned i = 0; i < p->inputs; i++)
        f->regs[i] += n * ao_type_sizes[p->types[i]];
    for (gathered *g = f->gathers; g < f->gathers + f->spaced; g++) {
        g->from = ao_along(g->from, n, g->spacing.stride);
        f->regs[g->input] = g->block;
    }
}

size_t ao_count_true(const uint8_t *mask, size_t n)
{
    size_t number = 0, i = 0;
    for (; i + 8 <= n; i += 8) { /* the top byte of this product is the sum of all eight */
        uint64_t eight;
        memcpy(&eight, mask + i, sizeof eight);
        number += eight * UINT64_C(0x0101010101010101) >> 56;
    }
    for (; i < n; i++)
        number += mask[i];
    return number;
}

/* Counts the elements from .. n-1 that are true, or moves them there; returns how many they are. */
static size_t take_some(const struct ao_frame_private *f, size_t from, size_t n, char *to)
{
    const ao_program *p = f->program;
    const int masked = p->mask != AO_NO_REG;
    const uint8_t *mask = (const uint8_t *)f->regs[masked ? p->mask : p->out] + from;
    if (f->job.sink.what == AO_TAKE_COUNT)
        return ao_count_true(mask, n - from);
    const size_t size = ao_type_sizes[type_of_values(f)];
    const char *values = f->regs[masked ? p->out : f->job.sink.source] + from * size;
    return f->job.isa->compact[ao_trailing_zeros(size)](n - from, mask, values, to);
}

/* What native code has left of them. */
static size_t take_rest(const struct ao_frame_private *f, size_t n)
{
    const size_t done = n - n % f->native->segments[f->native->count - 1].granule;
    if (f->job.sink.what == AO_TAKE_COUNT)
        return f->taken + take_some(f, done, n, NULL);
    return f->taken + take_some(f, done, n, *f->job.sink.to + f->taken * ao_type_sizes[type_of_values(f)]);
}

/* The true ones of the first n elements. */
static inline size_t take_true(const struct ao_frame_private *f, size_t n)
{
    if (f->has_taken)
        return take_rest(f, n);
    return take_some(f, 0, n, f->job.sink.what == AO_TAKE_COUNT ? NULL : *f->job.sink.to);
}

/* Hands over the first n elements of the block and moves on. */
static void commit(ao_frame *frame, size_t n)
{
    struct ao_frame_private *f = frame->private_;
    const size_t size = out_size(f->program);
    if (f->has_added)
        f->job.sink.take(f->job.sink.context, f->job.sink.sum, frame->position, f->taken);
    else if (size && f->job.sink.take && f->job.sink.what != AO_TAKE_ALL)
        f->job.sink.take(f->job.sink.context, NULL, frame->position, take_true(f, n));
    else if (size && f->job.sink.take)
        f->job.sink.take(f->job.sink.context, f->scratch, frame->position, n);
    else if (is_spaced(f->job.out_spacing))
        ao_scatter((char *)f->job.out + (ptrdiff_t)frame->position * f->job.out_spacing.stride, f->job.out_spacing,
                   f->scratch, size, n);
    else if (f->scratch)
        memcpy((char *)f->job.out + frame->position * size, f->scratch, n * size);
    ao_skip(frame, n);
}

/* Elements of the next block: of a first one only so many that the others begin on a cache line. Loads and stores across
 * lines made a kernel of three operands take 1.5 times as long, and memory for large arrays begins 16 bytes into one. */
static size_t next_block(const struct ao_frame_private *f, size_t left)
{
    size_t n = left < f->limit ? left : f->limit;
    if (f->limit == SIZE_MAX && f->native && n > AO_MIN_BLOCK) /* slots end there: no kernel may do what is left over */
        n -= n % f->native->segments[0].granule;
    if (n < WORTH_ALIGNING || !f->lead_size)
        return n;
    const size_t into_line = (uintptr_t)f->regs[f->lead] % AO_ALIGNMENT;
    return into_line ? (AO_ALIGNMENT - into_line) / f->lead_size : n;
}

ao_status ao_run(ao_frame *frame, size_t end)
{
    struct ao_frame_private *f = frame->private_;
    const ao_program *p = f->program;
    if (end > f->job.count)
        end = f->job.count;
    while (frame->position < end) {
        if (f->aside)
            write_in_place(f, frame->position);
        size_t n = next_block(f, end - frame->position);
        gather(f, n);
        const size_t left = end - frame->position;
        const unsigned marked = p->acc == AO_NO_REG ? run_block(f, &n, left) : fold_block(f, &n, left, &frame->scan_stopped);
        if (marked) {
            frame->block_count = n;
            frame->block_out = p->out_type == AO_TYPE_NONE ? NULL : f->regs[p->out];
            return AO_MARKED;
        }
        commit(frame, n);
    }
    return AO_OK;
}

/* What a run of few elements begins with. */
static AO_INLINE void begin_few(struct ao_frame_private *f, const ao_isa *isa, const void *const *inputs, const ao_value *params)
{
    f->job.isa = isa;
    bind_arguments(f, inputs, params);
    ao_subnormal_forget();
    run_prologue(f);
}

unsigned ao_run_few(ao_frame *frame, const ao_isa *isa, const void *const *inputs, const ao_value *params, void *out,
                    size_t count, int keep)
{
    struct ao_frame_private *f = frame->private_;
    const ao_program *p = f->program;
    char *const scratch = keep && is_kept_apart(p) ? (char *)f + p->frame.scratch : NULL;
    if (!count) /* kernels are given one element at least */
        return 0;
    f->regs[p->out] = scratch ? scratch : out;
    begin_few(f, isa, inputs, params);
    if (run_fast(f, p->first[AO_BODY], p->first[AO_SECTIONS], count))
        return 1;
    if (scratch)
        memcpy(out, scratch, count * ao_type_sizes[p->out_type]);
    return 0;
}

unsigned ao_fold_few(ao_frame *frame, const ao_isa *isa, const void *const *inputs, const ao_value *params, void *out,
                     size_t count)
{
    struct ao_frame_private *f = frame->private_;
    int stopped;
    if (f->program->out_type != AO_TYPE_NONE)
        f->regs[f->program->out] = out;
    f->native = NULL;
    f->spaced = 0;
    f->block = f->limit = AO_FEW;
    begin_few(f, isa, inputs, params);
    return count && fold_block(f, &count, count, &stopped);
}

void ao_finish(ao_frame *frame, size_t done)
{
    commit(frame, done);
}

const void *ao_frame_input(const ao_frame *frame, unsigned input)
{
    return frame->private_->regs[input];
}

uint8_t *ao_frame_mask(const ao_frame *frame)
{
    const struct ao_frame_private *f = frame->private_;
    return f->program->mask == AO_NO_REG ? NULL : (uint8_t *)f->regs[f->program->mask];
}

ao_value ao_frame_acc(const ao_frame *frame, unsigned k)
{
    const struct ao_frame_private *f = frame->private_;
    const unsigned reg = f->program->acc + k;
    return get_value(f->regs[reg], f->program->types[reg]);
}

void ao_frame_set_acc(ao_frame *frame, unsigned k, ao_value value)
{
    struct ao_frame_private *f = frame->private_;
    const unsigned reg = f->program->acc + k;
    put_value(f->regs[reg], f->program->types[reg], value);
}
