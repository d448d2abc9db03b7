/* Registers for the values of a plan, by the last step that reads each: a linear scan. */
#include "registers.h"

#include "../portable.h"

#include <string.h>

static unsigned class_of(const ao_registers *r, unsigned type)
{
    return type == AO_TYPE_b1 && r->all[CLASS_MASK] ? CLASS_MASK : CLASS_VECTOR;
}

static int can_be_loaded_again(const plan_value *v)
{
    return v->kind != PLAN_RESULT || v->stored;
}

static int is_hoisted(const ao_registers *r, unsigned value)
{
    return class_of(r, r->plan->value[value].type) == CLASS_VECTOR && r->place[value] != NOWHERE
           && r->hoisted >> r->place[value] & 1;
}

static void let_go(ao_registers *r, unsigned value)
{
    const unsigned class = class_of(r, r->plan->value[value].type), reg = r->place[value];
    if (reg == NOWHERE || is_hoisted(r, value))
        return;
    r->place[value] = NOWHERE;
    r->free[class] |= UINT32_C(1) << reg;
    r->pinned[class] &= ~(UINT32_C(1) << reg);
}

/* Of the values that can be loaded again, the one that is needed longest: most likely others are read before it. */
static unsigned find_victim(const ao_registers *r, unsigned class)
{
    unsigned victim = PLAN_NONE;
    for (unsigned reg = 0; reg < 32; reg++) {
        const uint32_t bit = UINT32_C(1) << reg;
        const unsigned value = r->holds[class][reg];
        if (r->free[class] & bit || r->pinned[class] & bit || value == PLAN_NONE || is_hoisted(r, value)
            || !can_be_loaded_again(&r->plan->value[value]))
            continue;
        if (victim == PLAN_NONE || r->plan->value[value].last > r->plan->value[victim].last)
            victim = value;
    }
    return victim;
}

unsigned ao_registers_take(ao_registers *r, unsigned value)
{
    const unsigned class = class_of(r, r->plan->value[value].type);
    if (!r->free[class]) {
        const unsigned victim = find_victim(r, class);
        if (victim == PLAN_NONE) {
            r->failed = 1;
            return 0;
        }
        let_go(r, victim);
    }
    const unsigned reg = ao_trailing_zeros(r->free[class]);
    r->free[class] &= ~(UINT32_C(1) << reg);
    r->pinned[class] |= UINT32_C(1) << reg;
    r->holds[class][reg] = (uint16_t)value;
    r->place[value] = (uint8_t)reg;
    return reg;
}

unsigned ao_registers_read(ao_registers *r, unsigned value)
{
    if (value == PLAN_NONE)
        return 0;
    const plan_value *v = &r->plan->value[value];
    if (r->place[value] == NOWHERE) {
        const unsigned reg = ao_registers_take(r, value);
        if (!r->failed)
            r->load(r->generator, v, reg);
        return reg;
    }
    r->pinned[class_of(r, v->type)] |= UINT32_C(1) << r->place[value];
    return r->place[value];
}

void ao_registers_unpin(ao_registers *r, unsigned value)
{
    if (value == PLAN_NONE || r->place[value] == NOWHERE)
        return;
    const plan_value *v = &r->plan->value[value];
    r->pinned[class_of(r, v->type)] &= ~(UINT32_C(1) << r->place[value]);
    if (v->last == PLAN_NONE || v->last <= r->step)
        let_go(r, value);
}

void ao_registers_start(ao_registers *r, const ao_plan *plan, uint32_t vectors, uint32_t masks)
{
    memset(r, 0, offsetof(ao_registers, place));
    r->plan = plan;
    r->all[CLASS_VECTOR] = vectors;
    r->all[CLASS_MASK] = masks;
    memset(r->place, NOWHERE, plan->values);
    ao_registers_restart(r);
}

void ao_registers_restart(ao_registers *r)
{
    for (unsigned v = 0; v < r->plan->values; v++)
        if (!is_hoisted(r, v))
            r->place[v] = NOWHERE;
    r->free[CLASS_VECTOR] = r->all[CLASS_VECTOR] & ~r->hoisted;
    r->free[CLASS_MASK] = r->all[CLASS_MASK];
    r->pinned[CLASS_VECTOR] = r->pinned[CLASS_MASK] = 0;
    for (unsigned reg = 0; reg < 32; reg++) {
        r->holds[CLASS_MASK][reg] = PLAN_NONE;
        if (!(r->hoisted >> reg & 1))
            r->holds[CLASS_VECTOR][reg] = PLAN_NONE;
    }
}

void ao_registers_hoist(ao_registers *r, unsigned most)
{
    unsigned count = 0;
    for (unsigned v = 0; v < r->plan->values && count < most; v++) {
        const plan_value *value = &r->plan->value[v];
        if (value->kind != PLAN_UNIFORM || value->type == AO_TYPE_b1)
            continue;
        const unsigned reg = ao_registers_take(r, v);
        r->load(r->generator, value, reg);
        r->hoisted |= UINT32_C(1) << reg;
        count++;
    }
}

unsigned ao_widest(const ao_plan *plan, unsigned least)
{
    unsigned widest = least;
    for (const plan_value *v = plan->value; v < plan->value + plan->values; v++)
        if (v->type != AO_TYPE_b1 && ao_type_sizes[v->type] > widest)
            widest = ao_type_sizes[v->type];
    return widest;
}

int ao_has_uniform(const ao_plan *plan)
{
    for (const plan_value *v = plan->value; v < plan->value + plan->values; v++)
        if (v->kind == PLAN_UNIFORM)
            return 1;
    return 0;
}

unsigned ao_find_arrays(const ao_plan *plan, uint16_t *arrays, unsigned most)
{
    unsigned count = 0;
    for (const plan_value *v = plan->value; v < plan->value + plan->values && count < most; v++) {
        unsigned k = 0;
        while (k < count && arrays[k] != v->reg)
            k++;
        if (k == count && (v->kind == PLAN_LOADED || v->stored))
            arrays[count++] = v->reg;
    }
    return count;
}
