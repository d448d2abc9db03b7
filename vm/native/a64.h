/* The inside of the AArch64 encoder: shared by a64_segment.c, which makes the loop and moves values between memory and
 * registers, and a64_neon.c, which has the instructions of each operation.
 *
 * A vector has 16 bytes. A truth value is a whole element of the widest type, all ones or all zeros. Narrower elements are in
 * the low part of a register, whose rest may be anything: what is said of them, a truth or that they are to be marked, is
 * widened first.
 */
#ifndef AO_NATIVE_A64_H
#define AO_NATIVE_A64_H

#include "a64_encoder.h"
#include "registers.h"

enum { A64_VECTOR = 16, A64_LOOP_ALIGNMENT = 32 };

/* Numbers that instructions read, at the beginning of the code: each fills a vector. The widths are those of elements of 2, 4
 * and 8 bytes. */
enum a64_literal { SIGN_BIT, INFINITE, ONE, TWO_62, TWO_63, MINUS_TWO_63, WIDTH_16, WIDTH_32, WIDTH_64, LITERALS };

/* Vector registers. Scratch ones belong to the recipe of one operation; FAULTS gathers what is to be marked. Functions have to
 * preserve v8 to v15, so nothing uses them. */
enum { T0, T1, T2, FAULTS };
#define A64_VALUES UINT32_C(0xFFFF00F0)

/* General registers, of which functions need not preserve any of these. */
enum { X_COUNT, X_REGISTERS, X_TO, X_GROUP, X_END, X_UNIFORMS, X_TAKEN, X_BASES, A64_BASES = 9, X_ADDRESS = 16, X_INDEX };
enum { A64_STOPS = 4 + 1 }; /* of the most copies, and of the loop for single groups */

typedef struct {
    const ao_plan *plan;
    a64_code code;
    unsigned lanes;                     /* elements of a group: of the widest type, as many as a vector has */
    unsigned copy;                      /* of the loop's body, from 0 */
    int faults;                         /* an instruction may mark */
    uint16_t bases[A64_BASES];          /* machine registers whose address has a general register */
    unsigned base_count;
    size_t stops[A64_STOPS];           /* jumps of copies of the body that do not store, in a segment that stops */
    unsigned stop_copies[A64_STOPS], stop_count;
    ao_registers registers;
} a64_generator;

/* An operation with its operands in registers. d is none of the others. */
typedef struct {
    const ao_op_info *info;
    const plan_step *plan;
    unsigned d, a, b, c;
    uint8_t x, y; /* of the recipe */
} a64_step;

typedef struct {
    void (*emit)(a64_generator *g, const a64_step *s);
    uint8_t x, y;
} a64_recipe;

/* By opcode; of what has none emit is NULL. */
extern const a64_recipe a64_recipes[AO_NOPS];

/* All elements of a group, at base + X_INDEX or X_GROUP groups; and a uniform, at base, to each. */
void a64_load_elements(a64_generator *g, unsigned type, unsigned reg, unsigned base, unsigned index);
void a64_load_uniform(a64_generator *g, unsigned type, unsigned reg, unsigned base);
void a64_store_elements(a64_generator *g, unsigned type, unsigned reg, unsigned base, unsigned index);
/* Counts in X_TAKEN the elements for which a truth value is true. */
void a64_count(a64_generator *g, unsigned truth);

static inline int a64_is_signed(unsigned type)
{
    return type == AO_TYPE_i8 || type == AO_TYPE_i16 || type == AO_TYPE_i32 || type == AO_TYPE_i64;
}

#endif
