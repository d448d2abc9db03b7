/* Which value of a plan is in which register, while the code of a segment is made: the same for every architecture, which
 * says what registers there are and how a value is loaded into one.
 *
 * Values are loaded when they are first read and stay until the last reader. Some uniforms have a register for the whole
 * loop. When registers run out, a value that can be loaded again gives way; if there is none, `failed` is set, and the segment
 * has to end before the step. A pinned register is one that the step at hand uses.
 */
#ifndef AO_NATIVE_REGISTERS_H
#define AO_NATIVE_REGISTERS_H

#include "plan.h"

enum { CLASS_VECTOR, CLASS_MASK, CLASSES };
enum { NOWHERE = 0xFF };

typedef struct {
    const ao_plan *plan;
    uint32_t all[CLASSES];       /* registers to be given away; where there are no masks truth values are in vectors */
    void (*load)(void *generator, const plan_value *v, unsigned reg);
    void *generator;
    uint32_t free[CLASSES], pinned[CLASSES];
    uint32_t hoisted;            /* vectors that have uniforms for the whole loop */
    unsigned step;               /* of the plan */
    int failed;                  /* no register was left */
    uint16_t holds[CLASSES][32]; /* a register's value */
    uint8_t place[PLAN_VALUES];  /* a value's register, or NOWHERE */
} ao_registers;

/* What of a plan matters to the loop around it: the bytes of its widest elements, if they are not less than so many; whether
 * it reads a uniform; and the machine registers of the first arrays, `most` of them, of which it returns how many there are. */
unsigned ao_widest(const ao_plan *plan, unsigned least);
int ao_has_uniform(const ao_plan *plan);
unsigned ao_find_arrays(const ao_plan *plan, uint16_t *arrays, unsigned most);

/* All values in memory. */
void ao_registers_start(ao_registers *r, const ao_plan *plan, uint32_t vectors, uint32_t masks);
/* The same again, for another round of the loop: hoisted uniforms stay where they are. */
void ao_registers_restart(ao_registers *r);
/* Loads the first uniforms for the whole loop. Truth values are not among them: there are few registers for those. */
void ao_registers_hoist(ao_registers *r, unsigned most);

/* A register for a result, pinned until the step is done. */
unsigned ao_registers_take(ao_registers *r, unsigned value);
/* The register of a value, pinned; it is loaded if it is in none. Of no value (PLAN_NONE) 0. */
unsigned ao_registers_read(ao_registers *r, unsigned value);
void ao_registers_unpin(ao_registers *r, unsigned value);

#endif
