/* The inside of scans on AArch64: shared by a64_scan.c, which makes the loop, and a64_scalar.c, which has the instructions of
 * each operation.
 */
#ifndef AO_NATIVE_A64_SCAN_H
#define AO_NATIVE_A64_SCAN_H

#include "a64.h"
#include "scan_registers.h"

/* General registers: where the element's number and the first arrays are, and scratch ones of one operation; values are in x4
 * to x15, less the arrays. Of vectors v0 and v1 are scratch. */
enum { X_ELEMENT = 2, S2, X_SCAN_BASES, SCAN_BASES = 3, S0 = 16, S1 };
enum { F0, F1 };
#define A64_SCAN_INTS UINT32_C(0xFFF0)
#define A64_SCAN_FLOATS UINT32_C(0xFFFF00FC)
enum { SCAN_STOPS = 2 * AO_NATIVE_STEPS };

typedef struct {
    const ao_plan *plan;
    a64_code code;
    uint16_t bases[SCAN_BASES];
    unsigned base_count, stop_count;
    size_t stops[SCAN_STOPS];
    ao_scan_registers registers;
} a64_scan;

/* A step with its operands in registers, any of which may be that of its result; b may be a number instead. */
typedef struct {
    const ao_op_info *info;
    const plan_step *plan;
    unsigned d, a, b, c, guard;
    int wide; /* of 64 bits */
    int has_number;
    int64_t number; /* b */
    uint32_t x, y;
} a64_scan_step;

/* Which constants b may be: none, those of 12 bits and a sign, those by which a multiplication is a shift, all. */
enum a64_numbers { NO_NUMBER, SHORT_NUMBER, SHIFTING_NUMBER, ANY_NUMBER };

typedef struct {
    void (*emit)(a64_scan *g, const a64_scan_step *s);
    uint32_t x, y;
    uint8_t numbers;
} a64_scan_recipe;

/* By opcode; of what has none emit is NULL. */
extern const a64_scan_recipe a64_scan_recipes[AO_NOPS];

/* A choice with the comparison that it goes by, and whether operations are these. */
void a64_chosen_by(a64_scan *g, const a64_scan_step *s, const a64_scan_step *condition);
int a64_is_choice(unsigned op);
int a64_is_comparison(unsigned op);

/* An element at base + index, of any type. */
void a64_scan_load_indexed(a64_scan *g, unsigned type, unsigned reg, unsigned base, unsigned index);

size_t a64_compile_scan(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, size_t *entry);

#endif
