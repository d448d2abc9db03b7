/* A decoded instruction, as program.c leaves it to those who run programs and to those who compile them. */
#ifndef AO_STEP_H
#define AO_STEP_H

#include <stdint.h>

/* Step flags: AO_MARKING and AO_STORE of the instruction, and these. AO_ONCE: it may mark, and all its operands are
 * uniforms, so that it runs on one element of each block, for all of them. */
enum { AO_FAULTING = 4, AO_ONCE = 8 };

/* One decoded instruction. An absent operand or guard is register `regs`, one past the last, which the frame binds to a
 * spare value: the run loop then needs no test. */
typedef struct {
    uint16_t op, d, a, b, c, guard;
    uint8_t uniform;                          /* as ao_kernel takes it */
    uint8_t flags;
    uint8_t step_d, step_a, step_b, step_c;   /* bytes from one element to the next; 0 for one value or none */
    uint8_t step_guard;
} ao_step;

#endif
