/* Instructions of x86-64 as bytes: vector instructions from the table x86_64.def, in VEX or in EVEX encoding, and the few of
 * general registers that a loop needs.
 *
 * Bytes go to a buffer of fixed size. What does not fit is left out and `full` is set, so nobody checks anything before
 * the end. The encoder knows nothing of programs; that an instruction means what its caller wants is not its business.
 */
#ifndef AO_NATIVE_ENCODER_H
#define AO_NATIVE_ENCODER_H

#include <stddef.h>
#include <stdint.h>

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_INDEX, RIP };

enum x86_form {
#define FORM(name, ...) X86_##name,
#include "x86_64.def"
    X86_FORMS
};

typedef struct {
    const char *name, *operands;
    uint8_t prefix, w, vex_w, opcode;
    char encodings;
} x86_form_info;
extern const x86_form_info x86_forms[X86_FORMS];

typedef struct {
    uint8_t *bytes;
    size_t at, size;
    int full; /* something did not fit */
    int evex; /* which encoding forms that have both get */
} x86_code;

/* The operand in ModRM.rm: a register, or memory at base + (index << scale) + disp. Relative to RIP disp counts from the
 * beginning of the code. */
typedef struct {
    uint8_t in_memory, reg, base, index, scale;
    int32_t disp;
} x86_rm;

enum { X86_NO_IMM = -1 };

/* One vector instruction. Operands that the form has not are 0. */
typedef struct {
    enum x86_form form;
    unsigned length; /* 0, 1, 2: xmm, ymm, zmm */
    unsigned reg, vvvv;
    x86_rm rm;
    unsigned mask;   /* 0: none; of EVEX only */
    unsigned zeroing;
    unsigned broadcast; /* rm is one number in memory, for all lanes; of EVEX only */
    int imm;
} x86_vector;

static inline x86_rm x86_reg(unsigned reg)
{
    return (x86_rm){.reg = (uint8_t)reg};
}

static inline x86_rm x86_at(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (x86_rm){.in_memory = 1, .base = (uint8_t)base, .index = (uint8_t)index, .scale = (uint8_t)scale, .disp = disp};
}

void x86_emit(x86_code *c, x86_vector v);

/* Instructions of 64-bit general registers. */
enum x86_binary { X86_ADD = 0x01, X86_AND = 0x21, X86_SUB = 0x29, X86_CMP = 0x39, X86_TEST = 0x85, X86_MOV = 0x89 };
enum x86_condition { X86_BELOW = 2, X86_ABOVE_EQUAL = 3, X86_ZERO = 4, X86_NOT_ZERO = 5, X86_NOT_NEGATIVE = 9 };
void x86_binary(x86_code *c, enum x86_binary op, unsigned dst, unsigned src);
void x86_add_imm(x86_code *c, unsigned dst, int32_t imm);
void x86_and_imm(x86_code *c, unsigned dst, int32_t imm);
void x86_mov_imm(x86_code *c, unsigned dst, uint64_t imm);
void x86_load(x86_code *c, unsigned dst, unsigned base, int32_t disp);
void x86_clear(x86_code *c, unsigned dst);                                 /* of the registers below r8 */
void x86_bzhi(x86_code *c, unsigned dst, unsigned src, unsigned count);    /* src, of which the low `count` bits are kept */
void x86_push(x86_code *c, unsigned reg);
void x86_pop(x86_code *c, unsigned reg);
void x86_set(x86_code *c, enum x86_condition condition, unsigned dst);     /* a byte of rax, rcx, rdx, rbx */
void x86_begin(x86_code *c);                                               /* where calls by pointer may go */
void x86_return(x86_code *c);                                              /* with the upper halves of vectors clean */
void x86_align(x86_code *c, size_t to);

/* A jump; forward ones are bound later, by what x86_jump returned. */
size_t x86_jump(x86_code *c, enum x86_condition condition);
void x86_bind(x86_code *c, size_t jump, size_t target);

#endif
