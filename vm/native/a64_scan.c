/* The scan of a fold as a loop of AArch64: an element after the other, accumulators in registers, which are scan_registers.c's
 * matter.
 *
 *   size_t scan(size_t n, char *const *registers)            AAPCS64: n in x0, registers in x1
 *
 *   x2   the element                                         x3 x16 x17, v0 v1   scratch, of one operation
 *   x4 x5 x6   the first arrays                              x4 to x15, v2 to v7, v16 to v31   values
 *
 * Of an int of 8 or 16 bits the bits above those may be anything, of one of 32 they are 0; a truth value is 0 or 1. What
 * faults jumps behind the loop, so that accumulators still have the values from before the element.
 */
#include "a64_scan.h"

#include <string.h>

#if AO_NATIVE_AARCH64

/* ---- memory ---- */

static unsigned address_of(a64_scan *g, unsigned reg)
{
    for (unsigned k = 0; k < g->base_count; k++)
        if (g->bases[k] == reg)
            return X_SCAN_BASES + k;
    a64_load(&g->code, S0, X_REGISTERS, reg * sizeof(char *));
    return S0;
}

void a64_scan_load_indexed(a64_scan *g, unsigned type, unsigned reg, unsigned base, unsigned index)
{
    const unsigned size = ao_type_sizes[type];
    if (ao_scan_class(type) == CLASS_FLOAT)
        a64_load_vector(&g->code, size, reg, base, index);
    else
        a64_load_indexed(&g->code, size, reg, base, index);
}

/* An accumulator of the program is a uniform, whatever else it is here. */
static void load_value(void *scan, const plan_value *v, unsigned reg)
{
    a64_scan *g = scan;
    const int is_float = ao_scan_class(v->type) == CLASS_FLOAT;
    const unsigned size = ao_type_sizes[v->type];
    const ao_value *constant = is_float ? NULL : ao_constant_of(g->plan, v);
    if (constant)
        a64_move_number(&g->code, reg, (uint64_t)ao_int_of(v->type, *constant) & (size == 4 ? UINT32_MAX : UINT64_MAX));
    else if (v->kind == PLAN_UNIFORM)
        a64_load_at(&g->code, size, is_float, reg, address_of(g, v->reg));
    else
        a64_scan_load_indexed(g, v->type, reg, address_of(g, v->reg), X_ELEMENT);
}

static void store_value(void *scan, const plan_value *v, unsigned reg)
{
    a64_scan *g = scan;
    const int is_float = ao_scan_class(v->type) == CLASS_FLOAT;
    const unsigned size = ao_type_sizes[v->type], base = address_of(g, v->reg);
    if (v->kind == PLAN_UNIFORM)
        a64_store_at(&g->code, size, is_float, reg, base);
    else if (is_float)
        a64_store_vector(&g->code, size, reg, base, X_ELEMENT);
    else
        a64_store_indexed(&g->code, size, reg, base, X_ELEMENT);
}

/* ---- a step ---- */

static int is_power(uint64_t x)
{
    return x && !(x & (x - 1));
}

/* Whether b can be a number in the instructions. */
static int is_number(const a64_scan *g, const plan_step *plan, int64_t *number)
{
    const plan_value *v = &g->plan->value[plan->b];
    const enum a64_numbers numbers = a64_scan_recipes[plan->op].numbers;
    const ao_value *constant = numbers != NO_NUMBER && v->type < AO_TYPE_f32 ? ao_constant_of(g->plan, v) : NULL;
    if (!constant)
        return 0;
    *number = ao_int_of(v->type, *constant);
    const uint64_t n = (uint64_t)*number;
    return numbers == ANY_NUMBER || (numbers == SHORT_NUMBER && n + 4095 < 8191)
           || (numbers == SHIFTING_NUMBER && *number > 1 && *number <= INT32_MAX
               && (is_power(n) || is_power(n - 1) || is_power(n + 1)));
}

static a64_scan_step start_step(a64_scan *g, const plan_step *plan)
{
    const ao_op_info *info = &ao_ops[plan->op];
    const a64_scan_recipe *recipe = &a64_scan_recipes[plan->op];
    a64_scan_step s = {.info = info, .plan = plan, .x = recipe->x, .y = recipe->y};
    s.wide = ao_type_sizes[info->type] == 8;
    s.a = ao_scan_read(&g->registers, plan->a);
    if (info->run || ao_takes_table(info))
        return s;
    s.has_number = plan->b != PLAN_NONE && is_number(g, plan, &s.number);
    s.b = s.has_number ? 0 : ao_scan_read(&g->registers, plan->b);
    s.c = ao_scan_read(&g->registers, plan->c);
    return s;
}

static void end_step(a64_scan *g, const plan_step *plan)
{
    const ao_op_info *info = &ao_ops[plan->op];
    ao_scan_unpin(&g->registers, plan->a);
    if (info->run || ao_takes_table(info))
        return;
    ao_scan_unpin(&g->registers, plan->b);
    ao_scan_unpin(&g->registers, plan->c);
}

static void emit_step(a64_scan *g, const plan_step *plan)
{
    ao_scan_registers *r = &g->registers;
    if (r->choice[r->step] != PLAN_NONE)
        return;
    const plan_step *condition = ao_scan_condition(r, plan);
    a64_scan_step c = {0}, s;
    if (condition) {
        c = start_step(g, condition);
        const plan_step arms = {.op = plan->op, .d = plan->d, .a = PLAN_NONE, .b = plan->b, .c = plan->c, .guard = PLAN_NONE};
        s = start_step(g, &arms);
        s.plan = plan;
    } else {
        s = start_step(g, plan);
    }
    s.guard = ao_scan_read(r, plan->guard);
    s.d = ao_scan_place(r, plan, condition, ANY);
    if (r->failed)
        return;
    if (condition)
        a64_chosen_by(g, &s, &c);
    else
        a64_scan_recipes[plan->op].emit(g, &s);
    const plan_value *d = &g->plan->value[plan->d];
    if (d->stored) {
        store_value(g, d, s.d);
        r->in_slot[plan->d] = 1;
    }
    end_step(g, plan);
    if (condition)
        end_step(g, condition);
    ao_scan_unpin(r, plan->guard);
    ao_scan_unpin(r, plan->d);
}

/* ---- the loop ---- */

static void find_bases(a64_scan *g)
{
    g->base_count = ao_find_arrays(g->plan, g->bases, SCAN_BASES);
    for (unsigned k = 0; k < g->base_count; k++) {
        a64_load(&g->code, X_SCAN_BASES + k, X_REGISTERS, g->bases[k] * sizeof(char *));
        g->registers.free[CLASS_INT] &= ~(UINT32_C(1) << (X_SCAN_BASES + k));
    }
}

/* Accumulators, then other numbers that take more than one instruction, as many as leave registers for the rest. */
static void keep_uniforms(a64_scan *g)
{
    const ao_plan *plan = g->plan;
    for (unsigned k = 0; k < plan->accs; k++)
        ao_scan_keep(&g->registers, plan->acc[k]);
    for (unsigned v = plan->accs; v < plan->values; v++) {
        const plan_value *value = &plan->value[v];
        const ao_value *constant = ao_scan_class(value->type) == CLASS_INT ? ao_constant_of(plan, value) : NULL;
        if (value->kind == PLAN_UNIFORM && !(constant && (uint64_t)ao_int_of(value->type, *constant) <= UINT16_MAX))
            ao_scan_keep(&g->registers, v);
    }
}

/* One that has no register stays in memory. */
static void move_accs(a64_scan *g)
{
    const ao_plan *plan = g->plan;
    ao_scan_registers *r = &g->registers;
    for (unsigned k = 0; k < plan->accs; k++) {
        const plan_value *acc = &plan->value[plan->acc[k]];
        const unsigned next = ao_scan_read(r, plan->next[k]), place = r->place[plan->acc[k]];
        if (!ao_scan_is_kept(r, plan->acc[k]))
            store_value(g, acc, next);
        else if (place != next && ao_scan_class(acc->type) == CLASS_FLOAT)
            a64_general(&g->code, A64_FMOV, 0, place, next, 0);
        else if (place != next)
            a64_move(&g->code, place, next);
    }
}

static void store_accs(a64_scan *g)
{
    const ao_plan *plan = g->plan;
    for (unsigned k = 0; k < plan->accs; k++)
        if (ao_scan_is_kept(&g->registers, plan->acc[k]))
            store_value(g, &plan->value[plan->acc[k]], g->registers.place[plan->acc[k]]);
}

static void emit_scan(a64_scan *g)
{
    const ao_plan *plan = g->plan;
    ao_scan_registers *r = &g->registers;
    find_bases(g);
    keep_uniforms(g);
    a64_clear(&g->code, X_ELEMENT);
    a64_compare(&g->code, 1, X_ELEMENT, X_COUNT);
    const size_t none = a64_jump(&g->code, A64_ABOVE_EQUAL);
    a64_align(&g->code, A64_LOOP_ALIGNMENT);
    const size_t loop = g->code.at;
    for (r->step = 0; r->step < plan->count && !r->failed; r->step++)
        emit_step(g, &plan->steps[r->step]);
    move_accs(g);
    a64_number(&g->code, A64_ADD_NUMBER, 1, X_ELEMENT, X_ELEMENT, 1);
    a64_compare(&g->code, 1, X_ELEMENT, X_COUNT);
    a64_bind(&g->code, a64_jump(&g->code, A64_BELOW), loop);
    a64_bind(&g->code, none, g->code.at);
    for (unsigned k = 0; k < g->stop_count; k++)
        a64_bind(&g->code, g->stops[k], g->code.at);
    store_accs(g);
    a64_move(&g->code, X_COUNT, X_ELEMENT);
    a64_return(&g->code);
}

size_t a64_compile_scan(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, size_t *entry)
{
    a64_scan g;
    (void)target;
    memset(&g, 0, offsetof(a64_scan, registers));
    g.plan = plan;
    g.code = (a64_code){.bytes = bytes, .at = at, .size = size};
    ao_scan_start(&g.registers, plan, A64_SCAN_INTS, A64_SCAN_FLOATS, a64_is_choice, a64_is_comparison);
    g.registers.load = load_value;
    g.registers.store = store_value;
    g.registers.scan = &g;
    a64_align(&g.code, A64_LOOP_ALIGNMENT);
    *entry = g.code.at;
    emit_scan(&g);
    return g.registers.failed || g.code.full ? 0 : g.code.at;
}

#endif
