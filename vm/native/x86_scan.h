/* The inside of scans: shared by x86_scan.c, which gives values registers and makes the loop, and x86_scalar.c, which has the
 * instructions of each operation.
 */
#ifndef AO_NATIVE_X86_SCAN_H
#define AO_NATIVE_X86_SCAN_H

#include "registers.h"
#include "scan_registers.h"
#include "x86_64.h"

enum { STOPS = 2 * AO_NATIVE_STEPS, LOOP_ALIGNMENT = 32 };
enum { ELEMENT = R8, SCAN_BASES = 2 };

typedef struct {
    const ao_plan *plan;
    x86_code code;
    uint16_t bases[SCAN_BASES];
    unsigned base_count, stop_count;
    size_t stops[STOPS];
    ao_scan_registers registers;
} x86_scan;

/* A step with its operands in registers; b may be a number instead. */
typedef struct {
    const ao_op_info *info;
    const plan_step *plan;
    unsigned d, a, b, c, guard;
    int wide;    /* of 64 bits */
    int has_imm;
    int32_t imm; /* b */
    unsigned x, y;
} x86_scan_step;

typedef struct {
    void (*emit)(x86_scan *g, const x86_scan_step *s);
    uint16_t x;
    uint8_t y;
    uint8_t alias;
    uint8_t imm; /* b may be a number */
} x86_scan_recipe;

/* By opcode; of what has none emit is NULL. */
extern const x86_scan_recipe x86_scan_recipes[AO_NOPS];

/* A choice with the comparison that it goes by, and whether operations are these. */
void x86_chosen_by(x86_scan *g, const x86_scan_step *s, const x86_scan_step *condition);
int x86_is_choice(unsigned op);
int x86_is_comparison(unsigned op);
/* Whether the operation takes this number, which is more than an instruction has room for, all the same. */
int x86_is_low_half(unsigned op, int64_t number);

void x86_scan_load(x86_scan *g, unsigned type, unsigned reg, x86_rm rm);

static inline unsigned x86_scan_value(x86_scan *g, unsigned value)
{
    return ao_scan_read(&g->registers, value);
}

static inline void x86_scan_unpin(x86_scan *g, unsigned value)
{
    ao_scan_unpin(&g->registers, value);
}

static inline unsigned size_of(unsigned type)
{
    return ao_type_sizes[type];
}

static inline unsigned log2_of(unsigned size)
{
    return size == 8 ? 3 : size == 4 ? 2 : size == 2 ? 1 : 0;
}

static inline void general(x86_scan *g, unsigned op, int wide, unsigned reg, unsigned rm)
{
    x86_registers(&g->code, op, wide, reg, rm);
}

static inline void two(x86_scan *g, enum x86_form form, unsigned d, unsigned a)
{
    x86_emit(&g->code, (x86_vector){.form = form, .reg = d, .rm = x86_reg(a), .imm = X86_NO_IMM});
}

static inline void move(x86_scan *g, int wide, unsigned d, unsigned a)
{
    if (d != a)
        general(g, X86_MOV, wide, d, a);
}

static inline void move_float(x86_scan *g, unsigned d, unsigned a)
{
    if (d != a)
        two(g, X86_vmovdqu, d, a);
}

#endif
