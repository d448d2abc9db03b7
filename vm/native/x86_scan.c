/* The scan of a fold as a loop of x86-64, at every level that has vectors of AVX: an element after the other, accumulators in
 * registers.
 *
 *   size_t scan(size_t n, char *const *registers)           System V: n in rdi, registers in rsi
 *
 *   r8    the element                                       rax rcx rdx, xmm0 xmm1   scratch, of one operation
 *   rbx rbp r9..r15, xmm2..xmm15                            values
 *
 * Ints and truth values are in general registers, whose multiplications, comparisons and choices take the fewest cycles;
 * floats in the lowest lane of a vector. Of an int of 8 or 16 bits the bits above those may be anything, of one of 32 they
 * are 0; a truth value is 0 or 1.
 *
 * A chain of results through the accumulators is what a fold costs. So a value takes the register of an operand that is read
 * for the last time, the last value of an accumulator is computed in the accumulator's own register, and a comparison stays
 * with the choice that alone reads it. When registers run out, a value gives way to its slot, from which it is loaded again.
 *
 * What faults jumps behind the loop, so that accumulators still have the values from before the element.
 */
#include "x86_scan.h"

#include <string.h>

#if AO_NATIVE_X86_64

/* ---- memory ---- */

static x86_rm uniform_at(x86_scan *g, unsigned reg)
{
    x86_load(&g->code, RCX, RSI, (int32_t)(reg * sizeof(char *)));
    return x86_at(RCX, NO_INDEX, 0, 0);
}

/* An accumulator of the program is a uniform, whatever else it is here. */
static x86_rm memory_of(x86_scan *g, const plan_value *v)
{
    if (v->kind == PLAN_UNIFORM)
        return uniform_at(g, v->reg);
    for (unsigned k = 0; k < g->base_count; k++)
        if (g->bases[k] == v->reg)
            return x86_at(g->base_registers[k], ELEMENT, log2_of(size_of(v->type)), 0);
    x86_load(&g->code, RCX, RSI, (int32_t)(v->reg * sizeof(char *)));
    return x86_at(RCX, ELEMENT, log2_of(size_of(v->type)), 0);
}

/* A constant of any program, as the frame's registers have it. */
static int64_t int_of(unsigned type, ao_value value)
{
    switch (type) {
    case AO_TYPE_b1: return value.u != 0;
    case AO_TYPE_i8: return (int8_t)value.u;
    case AO_TYPE_u8: return (uint8_t)value.u;
    case AO_TYPE_i16: return (int16_t)value.u;
    case AO_TYPE_u16: return (uint16_t)value.u;
    case AO_TYPE_i32: return (int32_t)value.u;
    case AO_TYPE_u32: return (uint32_t)value.u;
    default: return value.i;
    }
}

void x86_scan_load(x86_scan *g, unsigned type, unsigned reg, x86_rm rm)
{
    const unsigned size = size_of(type);
    if (class_of(type) == CLASS_FLOAT)
        x86_emit(&g->code, (x86_vector){.form = size == 8 ? X86_vmovq : X86_vmovd, .reg = reg, .rm = rm, .imm = X86_NO_IMM});
    else
        x86_general(&g->code, size == 1 ? X86_MOVZX_8 : size == 2 ? X86_MOVZX_16 : X86_MOV, size == 8, reg, rm);
}

static void load_value(x86_scan *g, const plan_value *v, unsigned reg)
{
    const ao_value *constant = ao_constant_of(g->plan, v);
    if (constant && class_of(v->type) == CLASS_INT)
        x86_mov_imm(&g->code, reg, (uint64_t)int_of(v->type, *constant) & (size_of(v->type) == 4 ? UINT32_MAX : UINT64_MAX));
    else
        x86_scan_load(g, v->type, reg, memory_of(g, v));
}

static void store_to(x86_scan *g, unsigned type, unsigned reg, x86_rm rm)
{
    const unsigned size = size_of(type);
    if (class_of(type) == CLASS_FLOAT)
        x86_emit(&g->code, (x86_vector){.form = size == 8 ? X86_store_q : X86_store_d, .reg = reg, .rm = rm,
                                        .imm = X86_NO_IMM});
    else
        x86_general(&g->code, size == 1 ? X86_STORE_8 : size == 2 ? X86_STORE_16 : X86_STORE, size == 8, reg, rm);
}

/* ---- registers ---- */

static int is_kept(const x86_scan *g, unsigned value)
{
    return g->place[value] != NOWHERE && g->kept[class_of(g->plan->value[value].type)] >> g->place[value] & 1;
}

static void let_go(x86_scan *g, unsigned value)
{
    const unsigned class = class_of(g->plan->value[value].type), reg = g->place[value];
    if (reg == NOWHERE || is_kept(g, value))
        return;
    g->place[value] = NOWHERE;
    g->free[class] |= UINT32_C(1) << reg;
    g->pinned[class] &= ~(UINT32_C(1) << reg);
}

/* The value that is needed longest gives way, to its slot if it is in no memory yet. */
static void make_room(x86_scan *g, unsigned class)
{
    unsigned victim = PLAN_NONE;
    for (unsigned reg = 0; reg < REGISTERS; reg++) {
        const uint32_t bit = UINT32_C(1) << reg;
        const unsigned value = g->holds[class][reg];
        if (value == PLAN_NONE || (g->free[class] | g->pinned[class] | g->kept[class]) & bit || g->place[value] != reg)
            continue;
        if (victim == PLAN_NONE || g->last[value] > g->last[victim])
            victim = value;
    }
    if (victim == PLAN_NONE) {
        g->failed = 1;
        return;
    }
    const plan_value *v = &g->plan->value[victim];
    if (v->kind == PLAN_RESULT && !g->in_slot[victim]) {
        store_to(g, v->type, g->place[victim], memory_of(g, v));
        g->in_slot[victim] = 1;
    }
    let_go(g, victim);
}

static void put_in(x86_scan *g, unsigned value, unsigned reg)
{
    const unsigned class = class_of(g->plan->value[value].type);
    g->free[class] &= ~(UINT32_C(1) << reg);
    g->pinned[class] |= UINT32_C(1) << reg;
    g->holds[class][reg] = (uint16_t)value;
    g->place[value] = (uint8_t)reg;
}

static unsigned take_register(x86_scan *g, unsigned value)
{
    const unsigned class = class_of(g->plan->value[value].type);
    if (!g->free[class])
        make_room(g, class);
    if (g->failed)
        return RBX;
    const unsigned reg = ao_trailing_zeros(g->free[class]);
    put_in(g, value, reg);
    return reg;
}

unsigned x86_scan_value(x86_scan *g, unsigned value)
{
    if (value == PLAN_NONE)
        return 0;
    const plan_value *v = &g->plan->value[value];
    if (g->place[value] == NOWHERE) {
        const unsigned reg = take_register(g, value);
        if (!g->failed)
            load_value(g, v, reg);
        return reg;
    }
    g->pinned[class_of(v->type)] |= UINT32_C(1) << g->place[value];
    return g->place[value];
}

static int is_last_read(const x86_scan *g, unsigned value)
{
    return g->last[value] == PLAN_NONE || g->last[value] <= g->step;
}

void x86_scan_unpin(x86_scan *g, unsigned value)
{
    if (value == PLAN_NONE || g->place[value] == NOWHERE)
        return;
    g->pinned[class_of(g->plan->value[value].type)] &= ~(UINT32_C(1) << g->place[value]);
    if (is_last_read(g, value))
        let_go(g, value);
}

/* ---- a step ---- */

/* Whether b can be a number in the instruction. Of 32 bits any number is. */
static int is_immediate(const x86_scan *g, const plan_step *plan, int32_t *imm)
{
    const plan_value *v = &g->plan->value[plan->b];
    const ao_value *constant = x86_scan_recipes[plan->op].imm && class_of(v->type) == CLASS_INT ? ao_constant_of(g->plan, v) : NULL;
    if (!constant)
        return 0;
    const int64_t number = int_of(v->type, *constant);
    *imm = (int32_t)number;
    return number == *imm || v->type == AO_TYPE_u32 || x86_is_low_half(plan->op, number);
}

static x86_scan_step start_step(x86_scan *g, const plan_step *plan)
{
    const ao_op_info *info = &ao_ops[plan->op];
    const x86_scan_recipe *recipe = &x86_scan_recipes[plan->op];
    x86_scan_step s = {.info = info, .plan = plan, .x = recipe->x, .y = recipe->y};
    s.wide = size_of(info->type) == 8;
    s.a = x86_scan_value(g, plan->a);
    if (info->run || ao_takes_table(info))
        return s;
    s.has_imm = plan->b != PLAN_NONE && is_immediate(g, plan, &s.imm);
    s.b = s.has_imm ? 0 : x86_scan_value(g, plan->b);
    s.c = x86_scan_value(g, plan->c);
    return s;
}

static void end_step(x86_scan *g, const plan_step *plan)
{
    const ao_op_info *info = &ao_ops[plan->op];
    x86_scan_unpin(g, plan->a);
    if (info->run || ao_takes_table(info))
        return;
    x86_scan_unpin(g, plan->b);
    x86_scan_unpin(g, plan->c);
}

/* Of a dying operand that the result may take the place of, its register; else none. */
static unsigned register_of(const x86_scan *g, unsigned value, unsigned class)
{
    const int dies = value != PLAN_NONE && g->place[value] != NOWHERE && class_of(g->plan->value[value].type) == class
                     && !is_kept(g, value) && is_last_read(g, value);
    return dies ? g->place[value] : NOWHERE;
}

/* Whether an operand that result and recipe may share a register with is the only one that is there. */
static int may_be_in(const x86_scan *g, const x86_scan_step *s, const plan_step *condition, unsigned reg, unsigned class)
{
    const enum alias alias = x86_scan_recipes[s->plan->op].alias;
    const uint16_t operands[] = {s->plan->a, s->plan->b, s->plan->c, condition ? condition->a : PLAN_NONE,
                                 condition ? condition->b : PLAN_NONE};
    if (s->info->run || ao_takes_table(s->info))
        return alias == ANY;
    for (unsigned k = 0; k < 5; k++) {
        const unsigned value = operands[k];
        const int there = value != PLAN_NONE && class_of(g->plan->value[value].type) == class && g->place[value] == reg;
        if (there && alias != ANY && (alias == NONE_OF_THEM || k > (alias == EITHER ? 1u : 0u)))
            return 0;
    }
    return 1;
}

/* The register of the accumulator that this result becomes, if nothing needs that accumulator's value any more. */
static unsigned home_of(const x86_scan *g, unsigned value)
{
    const ao_plan *plan = g->plan;
    for (unsigned k = 0; k < plan->accs; k++)
        if (plan->next[k] == value && is_kept(g, plan->acc[k]) && g->step >= g->faulting && is_last_read(g, plan->acc[k]))
            return g->place[plan->acc[k]];
    return NOWHERE;
}

static unsigned place_result(x86_scan *g, const x86_scan_step *s, const plan_step *condition)
{
    const plan_step *plan = s->plan;
    const unsigned class = class_of(g->plan->value[plan->d].type), home = home_of(g, plan->d);
    if (home != NOWHERE && may_be_in(g, s, condition, home, class)) {
        put_in(g, plan->d, home);
        return home;
    }
    const uint16_t operands[] = {plan->a, plan->b};
    for (unsigned k = 0; k < 2 && !(k && (s->info->run || ao_takes_table(s->info))); k++) {
        const unsigned reg = register_of(g, operands[k], class);
        if (reg == NOWHERE || !may_be_in(g, s, condition, reg, class))
            continue;
        g->place[operands[k]] = NOWHERE;
        put_in(g, plan->d, reg);
        return reg;
    }
    return take_register(g, plan->d);
}

static void emit_step(x86_scan *g, const plan_step *plan)
{
    if (g->choice[g->step] != PLAN_NONE)
        return;
    const unsigned by = plan->a == PLAN_NONE ? PLAN_NONE : g->defined[plan->a];
    const plan_step *condition = by != PLAN_NONE && g->choice[by] == g->step ? &g->plan->steps[by] : NULL;
    x86_scan_step c = {0}, s;
    if (condition) {
        c = start_step(g, condition);
        const plan_step arms = {.op = plan->op, .d = plan->d, .a = PLAN_NONE, .b = plan->b, .c = plan->c, .guard = PLAN_NONE};
        s = start_step(g, &arms);
        s.plan = plan;
    } else {
        s = start_step(g, plan);
    }
    s.guard = x86_scan_value(g, plan->guard);
    s.d = place_result(g, &s, condition);
    if (g->failed)
        return;
    if (condition)
        x86_chosen_by(g, &s, &c);
    else
        x86_scan_recipes[plan->op].emit(g, &s);
    const plan_value *d = &g->plan->value[plan->d];
    if (d->stored) {
        store_to(g, d->type, s.d, memory_of(g, d));
        g->in_slot[plan->d] = 1;
    }
    end_step(g, plan);
    if (condition)
        end_step(g, condition);
    x86_scan_unpin(g, plan->guard);
    x86_scan_unpin(g, plan->d);
}

/* ---- the loop ---- */

static void count_read(unsigned *reads, unsigned value)
{
    if (value != PLAN_NONE)
        reads[value]++;
}

/* Whether a step in between takes the slot of a value, to which that could then not give way any more. */
static int is_slot_taken(const ao_plan *plan, unsigned value, unsigned from, unsigned to)
{
    const unsigned reg = plan->value[value].reg;
    for (unsigned k = from + 1; k < to; k++)
        if (plan->value[plan->steps[k].d].reg == reg)
            return 1;
    return 0;
}

/* Comparisons whose only reader is a choice are made there. */
static void find_choices(x86_scan *g)
{
    const ao_plan *plan = g->plan;
    unsigned reads[PLAN_VALUES] = {0};
    memset(g->defined, 0xFF, plan->values * sizeof *g->defined);
    memset(g->choice, 0xFF, plan->count * sizeof *g->choice);
    for (unsigned k = 0; k < plan->count; k++) {
        const plan_step *s = &plan->steps[k];
        const ao_op_info *info = &ao_ops[s->op];
        g->defined[s->d] = (uint16_t)k;
        count_read(reads, s->a);
        count_read(reads, s->guard);
        if (info->run || ao_takes_table(info))
            continue;
        count_read(reads, s->b);
        count_read(reads, s->c);
    }
    for (unsigned k = 0; k < plan->count; k++) {
        const plan_step *s = &plan->steps[k];
        const unsigned by = s->a == PLAN_NONE ? PLAN_NONE : g->defined[s->a];
        if (!x86_is_choice(s->op) || by == PLAN_NONE || !x86_is_comparison(plan->steps[by].op)
            || reads[s->a] != 1 || plan->value[s->a].stored || plan->value[s->a].last == PLAN_HELD)
            continue;
        const uint16_t operands[] = {plan->steps[by].a, plan->steps[by].b};
        if (is_slot_taken(plan, operands[0], by, k) || is_slot_taken(plan, operands[1], by, k))
            continue;
        g->choice[by] = (uint16_t)k;
        for (unsigned o = 0; o < 2; o++)
            if (g->last[operands[o]] < k)
                g->last[operands[o]] = (uint16_t)k;
    }
}

static void find_bases(x86_scan *g)
{
    static const uint8_t registers[SCAN_BASES] = {RBX, RBP};
    const ao_plan *plan = g->plan;
    for (unsigned v = 0; v < plan->values && g->base_count < SCAN_BASES; v++) {
        const plan_value *value = &plan->value[v];
        unsigned k = 0;
        while (k < g->base_count && g->bases[k] != value->reg)
            k++;
        if (k < g->base_count || (value->kind != PLAN_LOADED && !value->stored))
            continue;
        g->base_registers[g->base_count] = registers[g->base_count];
        g->bases[g->base_count++] = value->reg;
        x86_load(&g->code, registers[k], RSI, (int32_t)(value->reg * sizeof(char *)));
        g->free[CLASS_INT] &= ~(UINT32_C(1) << registers[k]);
    }
}

static void keep(x86_scan *g, unsigned value)
{
    const plan_value *v = &g->plan->value[value];
    const unsigned class = class_of(v->type);
    if (ao_count_ones(g->free[class]) <= KEPT_FREE)
        return;
    const unsigned reg = take_register(g, value);
    load_value(g, v, reg);
    g->kept[class] |= UINT32_C(1) << reg;
}

/* Accumulators, then other numbers that instructions cannot have in themselves, as many as leave registers for the rest. */
static void keep_uniforms(x86_scan *g)
{
    const ao_plan *plan = g->plan;
    for (unsigned k = 0; k < plan->accs; k++)
        keep(g, plan->acc[k]);
    for (unsigned v = 0; v < plan->values; v++) {
        const plan_value *value = &plan->value[v];
        const ao_value *constant = ao_constant_of(g->plan, value);
        const int small = constant && class_of(value->type) == CLASS_INT
                          && (constant->i == (int32_t)constant->i || constant->i == UINT32_MAX);
        if (value->kind == PLAN_UNIFORM && g->place[v] == NOWHERE && !small && v >= plan->accs)
            keep(g, v);
    }
}

/* One that has no register stays in memory. */
static void move_accs(x86_scan *g)
{
    const ao_plan *plan = g->plan;
    for (unsigned k = 0; k < plan->accs; k++) {
        const plan_value *acc = &plan->value[plan->acc[k]];
        const unsigned next = x86_scan_value(g, plan->next[k]);
        if (!is_kept(g, plan->acc[k]))
            store_to(g, acc->type, next, uniform_at(g, acc->reg));
        else if (class_of(acc->type) == CLASS_FLOAT)
            move_float(g, g->place[plan->acc[k]], next);
        else
            move(g, 1, g->place[plan->acc[k]], next);
    }
}

static void store_accs(x86_scan *g)
{
    const ao_plan *plan = g->plan;
    for (unsigned k = 0; k < plan->accs; k++) {
        const plan_value *acc = &plan->value[plan->acc[k]];
        if (is_kept(g, plan->acc[k]))
            store_to(g, acc->type, g->place[plan->acc[k]], uniform_at(g, acc->reg));
    }
}

static void emit_scan(x86_scan *g)
{
    static const uint8_t saved[] = {RBX, RBP, R12, R13, R14, R15};
    const ao_plan *plan = g->plan;
    x86_begin(&g->code);
    for (unsigned k = 0; k < sizeof saved; k++)
        x86_push(&g->code, saved[k]);
    find_bases(g);
    keep_uniforms(g);
    x86_clear(&g->code, ELEMENT);
    general(g, X86_TEST, 1, RDI, RDI);
    const size_t none = x86_jump(&g->code, X86_ZERO);
    x86_align(&g->code, LOOP_ALIGNMENT);
    const size_t loop = g->code.at;
    for (g->step = 0; g->step < plan->count && !g->failed; g->step++)
        emit_step(g, &plan->steps[g->step]);
    move_accs(g);
    x86_immediate(&g->code, X86_ADD_IMM, 1, ELEMENT, 1);
    general(g, X86_CMP, 1, ELEMENT, RDI);
    x86_bind(&g->code, x86_jump(&g->code, X86_BELOW), loop);
    x86_bind(&g->code, none, g->code.at);
    for (unsigned k = 0; k < g->stop_count; k++)
        x86_bind(&g->code, g->stops[k], g->code.at);
    store_accs(g);
    move(g, 1, RAX, ELEMENT);
    for (unsigned k = sizeof saved; k-- > 0;)
        x86_pop(&g->code, saved[k]);
    x86_return(&g->code);
}

size_t x86_compile_scan(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, size_t *entry)
{
    x86_scan g = {.plan = plan, .code = {.bytes = bytes, .at = at, .size = size}};
    (void)target;
    memset(g.place, NOWHERE, sizeof g.place);
    memset(g.holds, 0xFF, sizeof g.holds);
    g.free[CLASS_INT] = 1u << RBX | 1u << RBP | 0xFE00; /* r9 to r15 */
    g.free[CLASS_FLOAT] = 0xFFFC;
    for (unsigned v = 0; v < plan->values; v++)
        g.last[v] = plan->value[v].last;
    for (unsigned k = 0; k < plan->count; k++)
        if (ao_ops[plan->steps[k].op].faults)
            g.faulting = k + 1;
    find_choices(&g);
    x86_align(&g.code, LOOP_ALIGNMENT);
    *entry = g.code.at;
    emit_scan(&g);
    return g.failed || g.code.full ? 0 : g.code.at;
}

#endif
