/* Segments as loops of AArch64: what is loaded and stored when, and the loop around it. Registers are registers.c's matter.
 *
 *   size_t segment(size_t n, char *const *registers, char **to)            AAPCS64: n in x0, registers in x1, to in x2
 *
 *   x3   the group that the iteration begins with          x5    the first uniform
 *   x4   the group where the loop ends                      x6    what a sink has counted
 *   x7 to x15   the first arrays                            x16 x17   addresses that have no register, groups of copies
 *
 * An iteration does a group: as many elements as a vector has of the widest type; those of narrower types are part of one.
 * Groups of every type begin at their number times the bytes that one takes, which is how loads and stores address them. The
 * body is repeated so that the loop itself costs little; copies use the same registers, which the processor renames. What is
 * less than a group at the end is left to the kernels.
 */
#include "a64_scan.h"

#include <string.h>

#if AO_NATIVE_AARCH64

enum { FEW_STEPS = 4, MANY_STEPS = 24 };

static unsigned log2_of(unsigned size)
{
    return size == 16 ? 4 : size == 8 ? 3 : size == 4 ? 2 : size == 2 ? 1 : 0;
}

/* ---- places in memory ---- */

static unsigned base_of(a64_generator *g, unsigned reg)
{
    for (unsigned k = 0; k < g->base_count; k++)
        if (g->bases[k] == reg)
            return X_BASES + k;
    a64_load(&g->code, X_ADDRESS, X_REGISTERS, reg * sizeof(char *));
    return X_ADDRESS;
}

static unsigned group_of(const a64_generator *g)
{
    return g->copy ? X_INDEX : X_GROUP;
}

static unsigned uniform_address(a64_generator *g, unsigned reg)
{
    const size_t offset = (reg - g->plan->program->inputs) * sizeof(ao_value);
    if (!offset)
        return X_UNIFORMS;
    a64_add_number(&g->code, X_ADDRESS, X_UNIFORMS, offset);
    return X_ADDRESS;
}

static void load_value(void *generator, const plan_value *v, unsigned reg)
{
    a64_generator *g = generator;
    if (v->kind == PLAN_UNIFORM)
        a64_load_uniform(g, v->type, reg, uniform_address(g, v->reg));
    else
        a64_load_elements(g, v->type, reg, base_of(g, v->reg), group_of(g));
}

/* ---- the body ---- */

/* X_ADDRESS is not zero if something is to be marked. */
static void test_faults(a64_generator *g)
{
    a64_emit(&g->code, A64_umaxp, 4, T0, FAULTS, FAULTS);
    a64_move_lowest(&g->code, 8, X_ADDRESS, T0);
}

static void stop_before_store(a64_generator *g)
{
    test_faults(g);
    g->stop_copies[g->stop_count] = g->copy;
    g->stops[g->stop_count++] = a64_jump_not_zero(&g->code, X_ADDRESS);
}

/* Nonzero if registers sufficed. */
static int emit_step(a64_generator *g, const plan_step *plan)
{
    ao_registers *r = &g->registers;
    const ao_op_info *info = &ao_ops[plan->op];
    const a64_recipe *recipe = &a64_recipes[plan->op];
    a64_step s = {.info = info, .plan = plan, .x = recipe->x, .y = recipe->y};
    s.a = ao_registers_read(r, plan->a);
    if (!info->run) {
        s.b = ao_registers_read(r, plan->b);
        s.c = ao_registers_read(r, plan->c);
    }
    s.d = ao_registers_take(r, plan->d);
    if (r->failed)
        return 0;
    recipe->emit(g, &s);
    const plan_value *d = &g->plan->value[plan->d];
    if (d->stored && g->plan->stops)
        stop_before_store(g);
    if (d->stored)
        a64_store_elements(g, d->type, s.d, base_of(g, d->reg), group_of(g));
    ao_registers_unpin(r, plan->a);
    if (!info->run) {
        ao_registers_unpin(r, plan->b);
        ao_registers_unpin(r, plan->c);
    }
    ao_registers_unpin(r, plan->d);
    return !r->failed;
}

static void emit_body(a64_generator *g)
{
    ao_registers *r = &g->registers;
    ao_registers_restart(r);
    if (g->copy)
        a64_add_number(&g->code, X_INDEX, X_GROUP, g->copy);
    for (r->step = 0; r->step < g->plan->count; r->step++)
        if (!emit_step(g, &g->plan->steps[r->step]))
            return;
    if (g->plan->take == AO_TAKE_ALL)
        return;
    const unsigned truth = ao_registers_read(r, g->plan->taken_mask);
    if (!r->failed)
        a64_count(g, truth);
}

/* As many times `copies` groups as there are. */
static void emit_main(a64_generator *g, unsigned copies)
{
    const unsigned most = log2_of(copies);
    a64_shift(&g->code, A64_LSR, 1, X_END, X_COUNT, log2_of(g->lanes) + most);
    a64_shift(&g->code, A64_LSL, 1, X_END, X_END, most);
    a64_compare(&g->code, 1, X_GROUP, X_END);
    const size_t none = a64_jump(&g->code, A64_ABOVE_EQUAL);
    a64_align(&g->code, A64_LOOP_ALIGNMENT);
    const size_t loop = g->code.at;
    for (g->copy = 0; g->copy < copies && !g->registers.failed; g->copy++)
        emit_body(g);
    g->copy = 0;
    a64_add_number(&g->code, X_GROUP, X_GROUP, copies);
    a64_compare(&g->code, 1, X_GROUP, X_END);
    a64_bind(&g->code, a64_jump(&g->code, A64_BELOW), loop);
    a64_bind(&g->code, none, g->code.at);
}

/* ---- around it ---- */

static void load_bases(a64_generator *g)
{
    g->base_count = ao_find_arrays(g->plan, g->bases, A64_BASES);
    for (unsigned k = 0; k < g->base_count; k++)
        a64_load(&g->code, X_BASES + k, X_REGISTERS, g->bases[k] * sizeof(char *));
    if (g->plan->take != AO_TAKE_ALL)
        a64_load(&g->code, X_TAKEN, X_TO, 0);
}

static void hoist(a64_generator *g)
{
    enum { HOISTED = 10 }; /* half of the registers for values */
    if (ao_has_uniform(g->plan))
        a64_load(&g->code, X_UNIFORMS, X_REGISTERS, g->plan->program->inputs * sizeof(char *));
    ao_registers_hoist(&g->registers, HOISTED);
}

/* 0 or, if something is to be marked, what is not. */
static void return_faults(a64_generator *g)
{
    if (g->plan->take != AO_TAKE_ALL)
        a64_store(&g->code, X_TAKEN, X_TO);
    if (g->faults) {
        test_faults(g);
        a64_move(&g->code, X_COUNT, X_ADDRESS);
    } else {
        a64_clear(&g->code, X_COUNT);
    }
    a64_return(&g->code);
}

/* How many elements are done: of whole groups all, or those before the copy that stopped. */
static void return_done(a64_generator *g)
{
    const size_t end = g->code.at;
    a64_shift(&g->code, A64_LSL, 1, X_COUNT, X_GROUP, log2_of(g->lanes));
    a64_return(&g->code);
    for (unsigned k = 0; k < g->stop_count; k++) {
        a64_bind(&g->code, g->stops[k], g->code.at);
        a64_add_number(&g->code, X_GROUP, X_GROUP, g->stop_copies[k]);
        a64_bind(&g->code, a64_jump_not_zero(&g->code, X_ADDRESS), end);
    }
}

static void emit_function(a64_generator *g)
{
    const unsigned copies = g->plan->count <= FEW_STEPS ? 4 : g->plan->count <= MANY_STEPS ? 2 : 1;
    load_bases(g);
    hoist(g);
    if (g->faults)
        a64_clear_vector(&g->code, FAULTS);
    a64_clear(&g->code, X_GROUP);
    emit_main(g, copies);
    if (copies > 1)
        emit_main(g, 1);
    if (g->plan->stops)
        return_done(g);
    else
        return_faults(g);
}

static size_t compile(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, unsigned *done,
                      size_t *entry, unsigned *granule)
{
    a64_generator g;
    memset(&g, 0, offsetof(a64_generator, registers));
    g.plan = plan;
    g.code = (a64_code){.bytes = bytes, .at = at, .size = size};
    g.lanes = target->vector / ao_widest(plan, 1);
    ao_registers_start(&g.registers, plan, A64_VALUES, 0);
    g.registers.load = load_value;
    g.registers.generator = &g;
    for (const plan_step *s = plan->steps; s < plan->steps + plan->count; s++)
        g.faults |= ao_ops[s->op].faults;
    a64_align(&g.code, A64_LOOP_ALIGNMENT);
    *entry = g.code.at;
    *granule = g.lanes;
    emit_function(&g);
    const unsigned step = g.registers.step, last = step < plan->count ? step : plan->count - 1; /* counting may have failed */
    *done = g.registers.failed && !g.code.full ? last : 0;
    return g.registers.failed || g.code.full ? 0 : g.code.at;
}

static const uint64_t literals[LITERALS] = {
    [SIGN_BIT] = UINT64_C(1) << 63,
    [INFINITE] = UINT64_C(0x7FF0000000000000),
    [ONE] = UINT64_C(0x3FF0000000000000),
    [TWO_62] = UINT64_C(0x43D0000000000000),
    [TWO_63] = UINT64_C(0x43E0000000000000),
    [MINUS_TWO_63] = UINT64_C(0xC3E0000000000000),
    [WIDTH_16] = UINT64_C(0x0010001000100010),
    [WIDTH_32] = UINT64_C(0x0000002000000020),
    [WIDTH_64] = 64,
};

static size_t begin_code(const ao_target *target, uint8_t *bytes, size_t size)
{
    if (size < LITERALS * (size_t)target->vector)
        return 0;
    for (unsigned k = 0; k < 2 * LITERALS; k++)
        memcpy(bytes + 8 * k, &literals[k / 2], 8);
    return LITERALS * (size_t)target->vector;
}

static int knows(const ao_target *target, unsigned op, int in_scan)
{
    (void)target;
    return in_scan ? a64_scan_recipes[op].emit != NULL : a64_recipes[op].emit != NULL;
}

/* The one level of kernels that there is. */
static const ao_target target = {
    .isa = "base", .vector = A64_VECTOR, .tails = 0, .knows = knows, .begin = begin_code, .compile = compile,
    .compile_scan = a64_compile_scan,
};

const ao_target *const ao_targets[] = {&target, NULL};

#endif
