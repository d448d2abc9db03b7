/* A linear scan over the steps of a loop whose body is done for one element after the other. */
#include "scan_registers.h"

#include "../portable.h"

#include <string.h>

int64_t ao_int_of(unsigned type, ao_value value)
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

int ao_scan_is_kept(const ao_scan_registers *r, unsigned value)
{
    return r->place[value] != NOT_THERE && r->kept[ao_scan_class(r->plan->value[value].type)] >> r->place[value] & 1;
}

static void let_go(ao_scan_registers *r, unsigned value)
{
    const unsigned class = ao_scan_class(r->plan->value[value].type), reg = r->place[value];
    if (reg == NOT_THERE || ao_scan_is_kept(r, value))
        return;
    r->place[value] = NOT_THERE;
    r->free[class] |= UINT32_C(1) << reg;
    r->pinned[class] &= ~(UINT32_C(1) << reg);
}

/* The value that is needed longest gives way, to its slot if it is in no memory yet. */
static void make_room(ao_scan_registers *r, unsigned class)
{
    unsigned victim = PLAN_NONE;
    for (unsigned reg = 0; reg < 32; reg++) {
        const uint32_t bit = UINT32_C(1) << reg;
        const unsigned value = r->holds[class][reg];
        if (value == PLAN_NONE || (r->free[class] | r->pinned[class] | r->kept[class]) & bit || r->place[value] != reg)
            continue;
        if (victim == PLAN_NONE || r->last[value] > r->last[victim])
            victim = value;
    }
    if (victim == PLAN_NONE) {
        r->failed = 1;
        return;
    }
    const plan_value *v = &r->plan->value[victim];
    if (v->kind == PLAN_RESULT && !r->in_slot[victim]) {
        r->store(r->scan, v, r->place[victim]);
        r->in_slot[victim] = 1;
    }
    let_go(r, victim);
}

static void put_in(ao_scan_registers *r, unsigned value, unsigned reg)
{
    const unsigned class = ao_scan_class(r->plan->value[value].type);
    r->free[class] &= ~(UINT32_C(1) << reg);
    r->pinned[class] |= UINT32_C(1) << reg;
    r->holds[class][reg] = (uint16_t)value;
    r->place[value] = (uint8_t)reg;
}

static unsigned take_register(ao_scan_registers *r, unsigned value)
{
    const unsigned class = ao_scan_class(r->plan->value[value].type);
    if (!r->free[class])
        make_room(r, class);
    if (r->failed)
        return 0;
    const unsigned reg = ao_trailing_zeros(r->free[class]);
    put_in(r, value, reg);
    return reg;
}

unsigned ao_scan_read(ao_scan_registers *r, unsigned value)
{
    if (value == PLAN_NONE)
        return 0;
    const plan_value *v = &r->plan->value[value];
    if (r->place[value] == NOT_THERE) {
        const unsigned reg = take_register(r, value);
        if (!r->failed)
            r->load(r->scan, v, reg);
        return reg;
    }
    r->pinned[ao_scan_class(v->type)] |= UINT32_C(1) << r->place[value];
    return r->place[value];
}

static int is_last_read(const ao_scan_registers *r, unsigned value)
{
    return r->last[value] == PLAN_NONE || r->last[value] <= r->step;
}

void ao_scan_unpin(ao_scan_registers *r, unsigned value)
{
    if (value == PLAN_NONE || r->place[value] == NOT_THERE)
        return;
    r->pinned[ao_scan_class(r->plan->value[value].type)] &= ~(UINT32_C(1) << r->place[value]);
    if (is_last_read(r, value))
        let_go(r, value);
}

/* Of a dying operand that the result may take the place of, its register; else none. */
static unsigned register_of(const ao_scan_registers *r, unsigned value, unsigned class)
{
    const int dies = value != PLAN_NONE && r->place[value] != NOT_THERE && ao_scan_class(r->plan->value[value].type) == class
                     && !ao_scan_is_kept(r, value) && is_last_read(r, value);
    return dies ? r->place[value] : NOT_THERE;
}

static int reads_only_a(const plan_step *s)
{
    return ao_ops[s->op].run || ao_takes_table(&ao_ops[s->op]);
}

/* Whether an operand that result and recipe may share a register with is the only one that is there. */
static int may_be_in(const ao_scan_registers *r, const plan_step *s, const plan_step *condition, enum alias alias, unsigned reg,
                     unsigned class)
{
    const uint16_t operands[] = {s->a, s->b, s->c, condition ? condition->a : PLAN_NONE, condition ? condition->b : PLAN_NONE};
    if (reads_only_a(s))
        return alias == ANY;
    for (unsigned k = 0; k < 5; k++) {
        const unsigned value = operands[k];
        const int there = value != PLAN_NONE && ao_scan_class(r->plan->value[value].type) == class && r->place[value] == reg;
        if (there && alias != ANY && (alias == NONE_OF_THEM || k > (alias == EITHER ? 1u : 0u)))
            return 0;
    }
    return 1;
}

/* The register of the accumulator that this result becomes, if nothing needs that accumulator's value any more. */
static unsigned home_of(const ao_scan_registers *r, unsigned value)
{
    const ao_plan *plan = r->plan;
    for (unsigned k = 0; k < plan->accs; k++)
        if (plan->next[k] == value && ao_scan_is_kept(r, plan->acc[k]) && r->step >= r->faulting && is_last_read(r, plan->acc[k]))
            return r->place[plan->acc[k]];
    return NOT_THERE;
}

unsigned ao_scan_place(ao_scan_registers *r, const plan_step *step, const plan_step *condition, enum alias alias)
{
    const unsigned class = ao_scan_class(r->plan->value[step->d].type), home = home_of(r, step->d);
    if (home != NOT_THERE && may_be_in(r, step, condition, alias, home, class)) {
        put_in(r, step->d, home);
        return home;
    }
    const uint16_t operands[] = {step->a, step->b};
    for (unsigned k = 0; k < (reads_only_a(step) ? 1u : 2u); k++) {
        const unsigned reg = register_of(r, operands[k], class);
        if (reg == NOT_THERE || !may_be_in(r, step, condition, alias, reg, class))
            continue;
        r->place[operands[k]] = NOT_THERE;
        put_in(r, step->d, reg);
        return reg;
    }
    return take_register(r, step->d);
}

/* ---- comparisons with their choices ---- */

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
static void find_choices(ao_scan_registers *r, int (*is_choice)(unsigned op), int (*is_comparison)(unsigned op))
{
    const ao_plan *plan = r->plan;
    unsigned reads[PLAN_VALUES] = {0};
    memset(r->defined, 0xFF, plan->values * sizeof *r->defined);
    memset(r->choice, 0xFF, plan->count * sizeof *r->choice);
    for (unsigned k = 0; k < plan->count; k++) {
        const plan_step *s = &plan->steps[k];
        const ao_op_info *info = &ao_ops[s->op];
        r->defined[s->d] = (uint16_t)k;
        count_read(reads, s->a);
        count_read(reads, s->guard);
        if (info->run || ao_takes_table(info))
            continue;
        count_read(reads, s->b);
        count_read(reads, s->c);
    }
    for (unsigned k = 0; k < plan->count; k++) {
        const plan_step *s = &plan->steps[k];
        const unsigned by = s->a == PLAN_NONE ? PLAN_NONE : r->defined[s->a];
        if (!is_choice(s->op) || by == PLAN_NONE || !is_comparison(plan->steps[by].op)
            || reads[s->a] != 1 || plan->value[s->a].stored || plan->value[s->a].last == PLAN_HELD)
            continue;
        const uint16_t operands[] = {plan->steps[by].a, plan->steps[by].b};
        if (is_slot_taken(plan, operands[0], by, k) || is_slot_taken(plan, operands[1], by, k))
            continue;
        r->choice[by] = (uint16_t)k;
        for (unsigned o = 0; o < 2; o++)
            if (r->last[operands[o]] < k)
                r->last[operands[o]] = (uint16_t)k;
    }
}

const plan_step *ao_scan_condition(const ao_scan_registers *r, const plan_step *step)
{
    const unsigned by = step->a == PLAN_NONE ? PLAN_NONE : r->defined[step->a];
    return by != PLAN_NONE && r->choice[by] == r->step ? &r->plan->steps[by] : NULL;
}

/* ---- around the loop ---- */

void ao_scan_start(ao_scan_registers *r, const ao_plan *plan, uint32_t ints, uint32_t floats, int (*is_choice)(unsigned op),
                   int (*is_comparison)(unsigned op))
{
    memset(r, 0, sizeof *r);
    r->plan = plan;
    r->free[CLASS_INT] = ints;
    r->free[CLASS_FLOAT] = floats;
    memset(r->place, NOT_THERE, sizeof r->place);
    memset(r->holds, 0xFF, sizeof r->holds);
    for (unsigned v = 0; v < plan->values; v++)
        r->last[v] = plan->value[v].last;
    for (unsigned k = 0; k < plan->count; k++)
        if (ao_ops[plan->steps[k].op].faults)
            r->faulting = k + 1;
    find_choices(r, is_choice, is_comparison);
}

void ao_scan_keep(ao_scan_registers *r, unsigned value)
{
    const plan_value *v = &r->plan->value[value];
    const unsigned class = ao_scan_class(v->type);
    if (ao_count_ones(r->free[class]) <= KEPT_FREE)
        return;
    const unsigned reg = take_register(r, value);
    r->load(r->scan, v, reg);
    r->kept[class] |= UINT32_C(1) << reg;
}

