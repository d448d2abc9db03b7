/* Which value of a scan is in which register, while its code is made: the same for every architecture. Ints and truth values are
 * in general registers, floats in the lowest lane of a vector.
 *
 * A chain of results through the accumulators is what a fold costs. So a value takes the register of an operand that is read
 * for the last time, the last value of an accumulator is computed in the accumulator's own register, and a comparison stays
 * with the choice that alone reads it. When registers run out, a value gives way to its slot, from which it is loaded again.
 */
#ifndef AO_NATIVE_SCAN_REGISTERS_H
#define AO_NATIVE_SCAN_REGISTERS_H

#include "plan.h"

enum { CLASS_INT, CLASS_FLOAT, SCAN_CLASSES };
enum { NOT_THERE = 0xFF };
enum { KEPT_FREE = 5 }; /* registers that one step may need: three operands, two of a comparison */

/* How a step may use the register of an operand for its result: of a, of b as well, of each. */
enum alias { NONE_OF_THEM, FIRST, EITHER, ANY };

typedef struct {
    const ao_plan *plan;
    void (*load)(void *scan, const plan_value *v, unsigned reg);
    void (*store)(void *scan, const plan_value *v, unsigned reg); /* a result to its slot */
    void *scan;
    uint32_t free[SCAN_CLASSES], pinned[SCAN_CLASSES], kept[SCAN_CLASSES]; /* kept: from one element to the next */
    unsigned step;
    unsigned faulting;                    /* steps before this one may stop the scan */
    int failed;
    uint8_t place[PLAN_VALUES];           /* a value's register, or NOT_THERE */
    uint8_t in_slot[PLAN_VALUES];         /* a result whose slot has it */
    uint16_t last[PLAN_VALUES];           /* the last step that reads it, comparisons counted where their choice is */
    uint16_t holds[SCAN_CLASSES][32];     /* a register's value */
    uint16_t defined[PLAN_VALUES];        /* by value: its step */
    uint16_t choice[AO_NATIVE_STEPS];     /* of a comparison: the step that chooses by it; of others none */
} ao_scan_registers;

static inline unsigned ao_scan_class(unsigned type)
{
    return type == AO_TYPE_f64 || type == AO_TYPE_f32 ? CLASS_FLOAT : CLASS_INT;
}

/* A constant of an int type, as the frame's registers have it. */
int64_t ao_int_of(unsigned type, ao_value value);

/* All values in memory; registers that may be given away, of both classes. Comparisons and choices are told by their
 * operations. */
void ao_scan_start(ao_scan_registers *r, const ao_plan *plan, uint32_t ints, uint32_t floats, int (*is_choice)(unsigned op),
                   int (*is_comparison)(unsigned op));

/* The register of a value, pinned; it is loaded if it is in none. Of no value (PLAN_NONE) 0. */
unsigned ao_scan_read(ao_scan_registers *r, unsigned value);
void ao_scan_unpin(ao_scan_registers *r, unsigned value);
/* A register for the result of a step that is made with a condition, or without (NULL); pinned. */
unsigned ao_scan_place(ao_scan_registers *r, const plan_step *step, const plan_step *condition, enum alias alias);
/* Loads a value and keeps it from one element to the next, if that leaves registers for the rest. */
void ao_scan_keep(ao_scan_registers *r, unsigned value);
int ao_scan_is_kept(const ao_scan_registers *r, unsigned value);
/* The comparison that the step at hand chooses by, if it is made here; NULL if the truth value is a value like others. */
const plan_step *ao_scan_condition(const ao_scan_registers *r, const plan_step *step);

#endif
