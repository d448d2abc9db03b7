/* Segments as loops of x86-64: which values are in which registers, what is loaded and stored when, and the loop around it.
 *
 *   size_t segment(size_t n, char *const *registers, char **to)        System V: n in rdi, registers in rsi, to in rdx
 *
 *   rcx   the element that the iteration begins with       rdx   the first uniform
 *   r8    where the loop ends                               rax   addresses that have no register
 *   r9 r10 r11 rbx rbp r12..r15   the first arrays; r14 r15 for what a sink is given, if that is done here
 *
 * An iteration does as many elements as a vector has of the widest type; those of narrower types are part of one. The body
 * is repeated so that the loop itself costs little; copies use the same registers, which the processor renames. Where there
 * is a polynomial, the steps of several vectors take turns instead (repeat). Then, at levels that have masks, a loop for the
 * last elements: the same body, in which loads and stores leave out elements that are not there.
 *
 * Registers. Values are loaded when they are first read and stay until the last reader. When registers run out, one that
 * can be loaded again gives way; if there is none, the segment ends before that instruction.
 */
#include "x86_64.h"

#include "../kernels/reduce_kernels.h"

#include <string.h>

#if AO_NATIVE_X86_64

enum { LOOP_ALIGNMENT = 32, FEW_STEPS = 4, MANY_STEPS = 24, TOGETHER = 4 };

static const uint8_t base_registers[BASES] = {R9, R10, R11, RBX, RBP, R12, R13, R14, R15};
enum { CALLER_SAVED = 3 }; /* of them */

static unsigned log2_of(unsigned size)
{
    return size == 8 ? 3 : size == 4 ? 2 : size == 2 ? 1 : 0;
}

/* ---- places in memory ---- */

static unsigned base_of(x86_generator *g, unsigned reg)
{
    for (unsigned k = 0; k < g->base_count; k++)
        if (g->bases[k] == reg)
            return base_registers[k];
    x86_load(&g->code, RAX, RSI, (int32_t)(reg * sizeof(char *)));
    return RAX;
}

static x86_rm element_of(x86_generator *g, const plan_value *v)
{
    const unsigned size = ao_type_sizes[v->type];
    const unsigned base = base_of(g, v->reg);
    return x86_at(base, RCX, log2_of(size), (int32_t)((g->copy + v->copy) * g->lanes * size));
}

x86_rm x86_uniform(const x86_generator *g, unsigned reg)
{
    return x86_at(RDX, NO_INDEX, 0, (int32_t)((reg - g->plan->program->inputs) * sizeof(ao_value)));
}

static void load_value(void *generator, const plan_value *v, unsigned reg)
{
    x86_generator *g = generator;
    if (v->kind == PLAN_UNIFORM)
        g->level->load_uniform(g, v->type, reg, x86_uniform(g, v->reg));
    else
        g->level->load(g, v->type, reg, element_of(g, v));
}

static uint32_t register_bits(unsigned first, unsigned count)
{
    return (uint32_t)(((UINT64_C(1) << count) - 1) << first);
}

/* ---- the body ---- */

/* To the flags: not zero if something is to be marked. */
static void test_faults(x86_generator *g)
{
    if (g->level->masks)
        x86_emit(&g->code, (x86_vector){.form = X86_kortestq, .reg = K_FAULTS, .rm = x86_reg(K_FAULTS), .imm = X86_NO_IMM});
    else
        x86_emit(&g->code, (x86_vector){.form = X86_vptest, .length = 1, .reg = AVX2_FAULTS, .rm = x86_reg(AVX2_FAULTS),
                                        .imm = X86_NO_IMM});
}

static void stop_before_store(x86_generator *g)
{
    test_faults(g);
    g->stop_copies[g->stop_count] = g->copy;
    g->stops[g->stop_count++] = x86_jump(&g->code, X86_NOT_ZERO);
}

static x86_step begin_step(x86_generator *g, const plan_step *plan)
{
    const ao_op_info *info = &ao_ops[plan->op];
    const x86_recipe *recipe = &g->level->recipes[plan->op];
    x86_step s = {.info = info, .plan = plan, .x = recipe->x, .y = recipe->y};
    s.a = x86_value(g, plan->a);
    if (!info->run) {
        s.b = x86_value(g, plan->b);
        s.c = x86_value(g, plan->c);
    }
    s.d = ao_registers_take(&g->registers, plan->d);
    return s;
}

static void end_step(x86_generator *g, const x86_step *s)
{
    const plan_step *plan = s->plan;
    const plan_value *d = &g->plan->value[plan->d];
    if (d->stored && g->plan->stops)
        stop_before_store(g);
    if (d->stored)
        g->level->store(g, d->type, s->d, element_of(g, d));
    x86_unpin(g, plan->a);
    if (!s->info->run) {
        x86_unpin(g, plan->b);
        x86_unpin(g, plan->c);
    }
    x86_unpin(g, plan->d);
}

/* A step, or the same of all vectors that are done together. Nonzero if registers sufficed. */
static int emit_steps(x86_generator *g, const plan_step *plan, unsigned count)
{
    x86_step s[TOGETHER];
    for (unsigned k = 0; k < count && !g->registers.failed; k++)
        s[k] = begin_step(g, &plan[k]);
    if (g->registers.failed)
        return 0;
    g->level->recipes[plan->op].emit(g, s);
    for (unsigned k = 0; k < count; k++)
        end_step(g, &s[k]);
    return !g->registers.failed;
}

/* What the last step left, to the sink. */
static void take_results(x86_generator *g)
{
    const ao_plan *plan = g->plan;
    const unsigned truth = x86_value(g, plan->taken_mask), values = x86_value(g, plan->taken);
    if (g->registers.failed)
        return;
    if (plan->take == AO_TAKE_SUM)
        g->level->add(g, plan->taken_mask != PLAN_NONE, truth, values);
    else if (plan->take == AO_TAKE_COUNT)
        g->level->count(g, truth);
    else
        g->level->compact(g, truth, plan->value[plan->taken].type, values);
}

static void emit_body(x86_generator *g)
{
    unsigned *const step = &g->registers.step;
    ao_registers_restart(&g->registers);
    for (*step = 0; *step < g->plan->count; ++*step) {
        const plan_step *plan = &g->plan->steps[*step];
        const unsigned more = ao_ops[plan->op].run ? g->together - 1 : 0;
        *step += more;
        if (!emit_steps(g, plan, 1 + more))
            return;
    }
    if (g->plan->take != AO_TAKE_ALL)
        take_results(g);
}

static void emit_loop(x86_generator *g, unsigned copies)
{
    x86_align(&g->code, LOOP_ALIGNMENT);
    const size_t loop = g->code.at;
    for (g->copy = 0; g->copy < copies && !g->registers.failed; g->copy += g->together)
        emit_body(g);
    g->copy = 0;
    x86_immediate(&g->code, X86_ADD_IMM, 1, RCX, (int32_t)(copies * g->lanes));
    x86_registers(&g->code, X86_CMP, 1, RCX, R8);
    x86_bind(&g->code, x86_jump(&g->code, X86_BELOW), loop);
}

/* As many whole groups as there are. */
static void emit_main(x86_generator *g, unsigned copies)
{
    x86_registers(&g->code, X86_MOV, 1, R8, RDI);
    x86_immediate(&g->code, X86_AND_IMM, 1, R8, -(int32_t)(copies * g->lanes));
    x86_registers(&g->code, X86_CMP, 1, RCX, R8);
    const size_t none = x86_jump(&g->code, X86_ABOVE_EQUAL);
    emit_loop(g, copies);
    x86_bind(&g->code, none, g->code.at);
}

static void set_lanes(x86_generator *g)
{
    x86_emit(&g->code, (x86_vector){.form = X86_kmovq_from, .reg = K_LANES, .rm = x86_reg(RAX), .imm = X86_NO_IMM});
}

static uint64_t all_lanes(const x86_generator *g)
{
    return UINT64_MAX >> (64 - g->lanes);
}

/* Group by group, until none is left. */
static void emit_tail(x86_generator *g)
{
    g->tail = 1;
    x86_registers(&g->code, X86_CMP, 1, RCX, RDI);
    const size_t none = x86_jump(&g->code, X86_ABOVE_EQUAL);
    const size_t loop = g->code.at;
    x86_registers(&g->code, X86_MOV, 1, R8, RDI);
    x86_registers(&g->code, X86_SUB, 1, R8, RCX);
    x86_mov_imm(&g->code, RAX, all_lanes(g));
    x86_bits(&g->code, X86_BZHI, 1, RAX, RAX, R8);
    set_lanes(g);
    emit_body(g);
    x86_immediate(&g->code, X86_ADD_IMM, 1, RCX, (int32_t)g->lanes);
    x86_registers(&g->code, X86_CMP, 1, RCX, RDI);
    x86_bind(&g->code, x86_jump(&g->code, X86_BELOW), loop);
    x86_bind(&g->code, none, g->code.at);
}

/* ---- vectors together ---- */

/* A polynomial is a chain of operations, each of which waits for the one before. Several vectors in turn keep the processor busy
 * meanwhile, which does not look far enough ahead to find another copy of the body by itself. So there is a second plan, with
 * each step as many times, and values for each; uniforms are shared. */

static uint16_t value_for(const ao_plan *plan, unsigned value, unsigned copy)
{
    const int own = copy && value != PLAN_NONE && plan->value[value].kind != PLAN_UNIFORM;
    return (uint16_t)(own ? value + copy * plan->values : value);
}

static plan_step step_for(const ao_plan *plan, const plan_step *s, unsigned copy)
{
    const ao_op_info *info = &ao_ops[s->op];
    plan_step step = *s;
    step.d = value_for(plan, s->d, copy);
    step.a = value_for(plan, s->a, copy);
    if (!info->run && !ao_takes_table(info)) {
        step.b = value_for(plan, s->b, copy);
        step.c = value_for(plan, s->c, copy);
    }
    return step;
}

static void repeat(ao_plan *wide, const ao_plan *plan, unsigned times)
{
    memcpy(wide, plan, sizeof *wide);
    wide->count = plan->count * times;
    wide->values = plan->values * times;
    for (unsigned k = 0; k < wide->count; k++)
        wide->steps[k] = step_for(plan, &plan->steps[k / times], k % times);
    for (unsigned v = 0; v < wide->values; v++) {
        plan_value *value = &wide->value[v];
        const unsigned copy = v / plan->values;
        *value = plan->value[v % plan->values];
        value->copy = (uint8_t)copy;
        if (value->last < plan->count)
            value->last = (uint16_t)(value->last * times + (value->kind == PLAN_UNIFORM ? times - 1 : copy));
    }
}

static int has_polynomial(const ao_plan *plan)
{
    for (const plan_step *s = plan->steps; s < plan->steps + plan->count; s++)
        if (ao_ops[s->op].run)
            return 1;
    return 0;
}

/* How many vectors may be done together. */
static unsigned may_be_together(const ao_plan *plan)
{
    return has_polynomial(plan) && plan->take == AO_TAKE_ALL && !plan->stops && plan->count * TOGETHER <= AO_NATIVE_STEPS
                   && plan->values * TOGETHER <= PLAN_VALUES
               ? TOGETHER : 1;
}

/* Which plan is worked on from here. */
static void take_plan(x86_generator *g, const ao_plan *plan, unsigned together)
{
    g->plan = g->registers.plan = plan;
    g->together = together;
}

/* ((k0 a + k1) a + ...) a + kn, by one operation of each polynomial after the other. */
void x86_horner(x86_generator *g, const x86_step *s)
{
    const uint16_t *value_of = g->plan->value_of;
    const unsigned first = s->plan->b, last = s->plan->c;
    for (unsigned k = first; k <= last; k++) {
        const unsigned constant = x86_value(g, value_of[k]);
        for (unsigned j = 0; j < g->together && k == first; j++)
            x86_3(g, X86_vmulpd, 8, s[j].d, constant, s[j].a, X86_NO_IMM);
        for (unsigned j = 0; j < g->together && k > first; j++)
            x86_3(g, X86_vaddpd, 8, s[j].d, s[j].d, constant, X86_NO_IMM);
        for (unsigned j = 0; j < g->together && k > first && k < last; j++)
            x86_3(g, X86_vmulpd, 8, s[j].d, s[j].d, s[j].a, X86_NO_IMM);
        x86_unpin(g, value_of[k]);
    }
}

void x86_product_32(x86_generator *g, const x86_step *s, unsigned scratch)
{
    x86_3(g, X86_vpmulld, 4, s->d, s->a, s->b, X86_NO_IMM);
    x86_2(g, X86_vcvtdq2ps, 4, T0, s->a, X86_NO_IMM);
    x86_2(g, X86_vcvtdq2ps, 4, T1, s->b, X86_NO_IMM);
    x86_2(g, X86_vcvtdq2ps, 4, scratch, s->d, X86_NO_IMM);
    x86_3(g, X86_vfmsub213ps, 4, T0, T1, scratch, X86_NO_IMM);
    x86_3(g, X86_vmulps, 4, T0, T0, T0, X86_NO_IMM);
}

int x86_doubled_bytes(x86_generator *g, const x86_step *s)
{
    enum { MOST_DOUBLINGS = 4 };
    const int by_first = x86_is_uniform(g, s->plan->a);
    const ao_value *factor = ao_constant_of(g->plan, &g->plan->value[by_first ? s->plan->a : s->plan->b]);
    const uint64_t number = factor ? factor->u & UINT8_MAX : 0;
    if (number < 2 || number > 1 << MOST_DOUBLINGS || number & (number - 1))
        return 0;
    for (unsigned k = 0, a = by_first ? s->b : s->a; k < ao_trailing_zeros(number); k++, a = s->d)
        x86_3(g, X86_vpaddb, 1, s->d, a, a, X86_NO_IMM);
    return 1;
}

/* ---- around it ---- */

static void load_bases(x86_generator *g)
{
    g->base_count = ao_find_arrays(g->plan, g->bases, g->plan->take == AO_TAKE_ALL ? BASES : BASES - 2); /* but PLACES and TAKEN */
    if (g->plan->take != AO_TAKE_ALL) {
        x86_push(&g->code, PLACES);
        x86_push(&g->code, TAKEN);
        x86_push(&g->code, RDX);
        x86_load(&g->code, TAKEN, RDX, 0);
        if (g->plan->take == AO_TAKE_SUM)
            x86_load(&g->code, PLACES, RDX, sizeof(char *));
        else
            x86_general(&g->code, X86_LEA, 1, PLACES, x86_at(RIP, NO_INDEX, 0, (int32_t)g->places));
    }
    for (unsigned k = CALLER_SAVED; k < g->base_count; k++)
        x86_push(&g->code, base_registers[k]);
    for (unsigned k = 0; k < g->base_count; k++)
        x86_load(&g->code, base_registers[k], RSI, (int32_t)(g->bases[k] * sizeof(char *)));
}

static void restore_bases(x86_generator *g)
{
    for (unsigned k = g->base_count; k-- > CALLER_SAVED;)
        x86_pop(&g->code, base_registers[k]);
    if (g->plan->take != AO_TAKE_ALL) {
        x86_pop(&g->code, RDX);
        x86_general(&g->code, X86_STORE, 1, TAKEN, x86_at(RDX, NO_INDEX, 0, 0));
        x86_pop(&g->code, TAKEN);
        x86_pop(&g->code, PLACES);
    }
}

static void hoist(x86_generator *g)
{
    if (ao_has_uniform(g->plan))
        x86_load(&g->code, RDX, RSI, (int32_t)(g->plan->program->inputs * sizeof(char *)));
    ao_registers_hoist(&g->registers, g->level->hoisted / (g->together > 1 ? 2 : 1));
}

static void clear_faults(x86_generator *g)
{
    if (g->faults && g->level->masks)
        x86_masks(g, X86_kxorq, K_FAULTS, K_FAULTS, K_FAULTS);
    else if (g->faults)
        x86_emit(&g->code, (x86_vector){.form = X86_vpxor, .length = 1, .reg = AVX2_FAULTS, .vvvv = AVX2_FAULTS,
                                        .rm = x86_reg(AVX2_FAULTS), .imm = X86_NO_IMM});
}

static void return_faults(x86_generator *g)
{
    x86_clear(&g->code, RAX);
    if (!g->faults)
        return;
    test_faults(g);
    x86_set(&g->code, X86_NOT_ZERO, RAX);
}

static void leave(x86_generator *g)
{
    if (g->plan->take == AO_TAKE_SUM)
        g->level->finish_sums(g);
    restore_bases(g);
    x86_return(&g->code);
}

/* How many elements are done: all, of whole groups all, or those before the copy that stopped, whose jump still holds. */
static void return_done(x86_generator *g)
{
    x86_registers(&g->code, X86_MOV, 1, RAX, g->level->target.tails ? RDI : RCX);
    const size_t end = g->code.at;
    leave(g);
    for (unsigned k = 0; k < g->stop_count; k++) {
        x86_bind(&g->code, g->stops[k], g->code.at);
        x86_general(&g->code, X86_LEA, 1, RAX, x86_at(RCX, NO_INDEX, 0, (int32_t)(g->stop_copies[k] * g->lanes)));
        x86_bind(&g->code, x86_jump(&g->code, X86_NOT_ZERO), end);
    }
}

static unsigned copies_of(const x86_generator *g)
{
    return g->together > 1 ? g->together : g->plan->count <= FEW_STEPS ? 4 : g->plan->count <= MANY_STEPS ? 2 : 1;
}

/* `plan` is for what the groups of g->plan, if it has vectors together, leave over. */
static void emit_function(x86_generator *g, const ao_plan *plan)
{
    const unsigned copies = copies_of(g);
    x86_begin(&g->code);
    load_bases(g);
    hoist(g);
    if (g->level->start)
        g->level->start(g);
    clear_faults(g);
    if (g->level->masks) {
        x86_mov_imm(&g->code, RAX, all_lanes(g));
        set_lanes(g);
    }
    x86_clear(&g->code, RCX);
    emit_main(g, copies);
    take_plan(g, plan, 1);
    if (g->level->target.tails)
        emit_tail(g);
    else if (copies > 1)
        emit_main(g, 1);
    if (g->plan->stops) {
        return_done(g);
    } else {
        return_faults(g);
        leave(g);
    }
}

static void start_code(x86_generator *g, const ao_target *target, const ao_plan *plan, unsigned together, uint8_t *bytes, size_t at,
                       size_t size)
{
    const x86_level *level = (const x86_level *)(const void *)target;
    memset(g, 0, offsetof(x86_generator, registers));
    g->level = level;
    g->plan = plan;
    g->together = together;
    const int sums = plan->take == AO_TAKE_SUM;
    g->code = (x86_code){.bytes = bytes, .at = at, .size = size, .evex = level->evex, .quiet = sums};
    ao_registers_start(&g->registers, plan, register_bits(level->first_vector, level->vectors - (sums ? level->adding : 0)),
                       register_bits(level->first_mask, level->masks));
    g->registers.load = load_value;
    g->registers.generator = g;
    for (const plan_step *s = plan->steps; s < plan->steps + plan->count; s++)
        g->faults |= ao_ops[s->op].faults;
    x86_align(&g->code, LOOP_ALIGNMENT);
}

/* Of all truths that eight lanes have, or four of pairs. */
static void write_places(x86_generator *g)
{
    const int pairs = g->level->pairs && ao_type_sizes[g->plan->value[g->plan->taken].type] == 8;
    const unsigned bits = pairs ? 4 : 8;
    g->places = g->code.at;
    for (unsigned m = 0; m < 1u << bits; m++) {
        uint64_t entry = 0;
        for (unsigned bit = bits; bit-- > 0;)
            if (m >> bit & 1)
                entry = pairs ? entry << 16 | (2 * bit + 1) << 8 | 2 * bit : entry << 8 | bit;
        x86_put_8(&g->code, entry);
    }
}

size_t x86_compile(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, unsigned *done,
                   size_t *entry, unsigned *granule)
{
    x86_generator g;
    ao_plan wide;
    for (unsigned together = may_be_together(plan);; together /= 2) {
        if (together > 1)
            repeat(&wide, plan, together);
        start_code(&g, target, together > 1 ? &wide : plan, together, bytes, at, size);
        g.lanes = target->vector / ao_widest(plan, g.level->least);
        if (plan->take == AO_TAKE_TRUE)
            write_places(&g);
        *entry = g.code.at;
        emit_function(&g, plan);
        if (together == 1 || !(g.registers.failed || g.code.full))
            break;
    }
    *granule = target->tails ? 1 : g.lanes;
    const unsigned step = g.registers.step;
    const unsigned last = step < plan->count ? step : plan->count - 1; /* taking the results may have failed */
    *done = g.registers.failed && !g.code.full ? last : 0;
    return g.registers.failed || g.code.full || g.code.loud ? 0 : g.code.at;
}

enum x86_form x86_widening(int is_signed, unsigned from, unsigned to)
{
    static const uint8_t forms[2][3][4] = {
        {{0, X86_vpmovzxbw, X86_vpmovzxbd, X86_vpmovzxbq}, {0, 0, X86_vpmovzxwd, X86_vpmovzxwq}, {0, 0, 0, X86_vpmovzxdq}},
        {{0, X86_vpmovsxbw, X86_vpmovsxbd, X86_vpmovsxbq}, {0, 0, X86_vpmovsxwd, X86_vpmovsxwq}, {0, 0, 0, X86_vpmovsxdq}}};
    return (enum x86_form)forms[is_signed][log2_of(from)][log2_of(to)];
}

#define FOUR_TIMES(at, x) [at] = UINT64_C(x), [at + 1] = UINT64_C(x), [at + 2] = UINT64_C(x), [at + 3] = UINT64_C(x),
static const uint64_t literals[LITERALS] = {
    [SIGN_BIT] = UINT64_C(1) << 63,
    [ALL_BUT_SIGN] = UINT64_MAX >> 1,
    [ZERO] = 0,
    [ONE] = UINT64_C(0x3FF0000000000000),
    [TWO_52] = UINT64_C(0x4330000000000000),
    [TWO_62] = UINT64_C(0x43D0000000000000),
    [TWO_62_FLOATS] = UINT64_C(0x5E8000005E800000),
    [TWO_63] = UINT64_C(0x43E0000000000000),
    [MINUS_TWO_63] = UINT64_C(0xC3E0000000000000),
    [INFINITE] = UINT64_C(0x7FF0000000000000),
    [SPLIT_SCALE] = (uint64_t)(1023 + AO_SPLIT_SCALE) << 52,
    [SPLIT_HIGH] = ~((UINT64_C(1) << AO_SPLIT_LOW_BITS) - 1),
    [SIGN_BITS_32] = UINT64_C(0x8000000080000000),
    [SIGN_BITS_16] = UINT64_C(0x8000800080008000),
    [SIGN_BITS_8] = UINT64_C(0x8080808080808080),
    FOUR_TIMES(LOW_WORDS, 0x0000FFFF0000FFFF)
    FOUR_TIMES(LOW_BYTES, 0x00FF00FF00FF00FF)
    FOUR_TIMES(HIGH_BYTES, 0xFF00FF00FF00FF00)
    [SIXTY_THREE] = 63,
    [SIXTY_FOUR] = 64,
    [THIRTY_TWO] = 32,
    [TWO_31] = UINT64_C(0x80000000),
};

size_t x86_begin_code(const ao_target *target, uint8_t *bytes, size_t size)
{
    (void)target;
    if (size < sizeof literals)
        return 0;
    memcpy(bytes, literals, sizeof literals);
    return sizeof literals;
}

int x86_knows(const ao_target *target, unsigned op, int in_scan)
{
    return in_scan ? x86_scans(op) : ((const x86_level *)(const void *)target)->recipes[op].emit != NULL;
}

const ao_target *const ao_targets[] = {&x86_level_avx2.target, &x86_level_avx512.target, NULL};

#endif
