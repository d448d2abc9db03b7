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
    char name[14], operands[13]; /* in place: pointers would have to be filled in whenever the module is loaded */
    uint8_t prefix, w, vex_w, opcode;
    char encodings;
} x86_form_info;
extern const x86_form_info x86_forms[X86_FORMS];

typedef struct {
    uint8_t *bytes;
    size_t at, size;
    int full; /* something did not fit */
    int evex; /* which encoding forms that have both get */
    int quiet; /* instructions are to set no flag of floats (Intel, Software Developer's Manual 2, 2.7.4); they round to nearest */
    int loud;  /* one of them would all the same */
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

/* Instructions of general registers, as the manual numbers them: the last byte of the opcode, and what comes before it. Of 64
 * bits if `wide`, else of 32. `reg` and `rm` are ModRM's; which of them is written is in the name or in its comment. */
enum { X86_0F = 0x100, X86_F3_0F = 0x300, X86_OF_BYTES = 0x400, X86_OF_WORDS = 0x800 };
enum x86_general {
    X86_ADD = 0x03, X86_OR = 0x0B, X86_AND = 0x23, X86_SUB = 0x2B, X86_XOR = 0x33, X86_CMP = 0x3B, /* reg, rm */
    X86_TEST = 0x85,
    X86_MOV = 0x8B, X86_LEA = 0x8D, X86_MOVSXD = 0x63, X86_IMUL = X86_0F | 0xAF,                   /* to reg, of rm */
    X86_MOVZX_8 = X86_0F | X86_OF_BYTES | 0xB6, X86_MOVZX_16 = X86_0F | 0xB7,
    X86_MOVSX_8 = X86_0F | X86_OF_BYTES | 0xBE, X86_MOVSX_16 = X86_0F | 0xBF,
    X86_POPCNT = X86_F3_0F | 0xB8, X86_LZCNT = X86_F3_0F | 0xBD,
    X86_STORE = 0x89, X86_STORE_8 = X86_OF_BYTES | 0x88, X86_STORE_16 = X86_OF_WORDS | 0x89,       /* to rm, of reg */
    X86_CMOV = X86_0F | 0x40,                                                                      /* with a condition */
};
enum x86_condition { X86_OVERFLOW, X86_NO_OVERFLOW, X86_BELOW, X86_ABOVE_EQUAL, X86_ZERO, X86_NOT_ZERO, X86_BELOW_EQUAL,
                     X86_ABOVE, X86_NEGATIVE, X86_NOT_NEGATIVE, X86_LESS = 12, X86_GREATER_EQUAL, X86_LESS_EQUAL,
                     X86_GREATER };
/* X86_CMOV under a condition. */
static inline unsigned x86_cmov(enum x86_condition condition)
{
    return (unsigned)X86_CMOV | (unsigned)condition;
}
/* Those whose operation is in ModRM.reg. */
enum x86_immediate { X86_ADD_IMM, X86_OR_IMM, X86_AND_IMM = 4, X86_SUB_IMM, X86_XOR_IMM, X86_CMP_IMM };
enum x86_shift { X86_SHL_IMM = 4, X86_SHR_IMM, X86_SAR_IMM = 7 };
enum x86_unary { X86_NOT = 2, X86_NEG, X86_MUL, X86_DIV = 6, X86_IDIV };
/* Of BMI2: dst of src and a count in a register. */
enum x86_bits { X86_BZHI = 0x0F5, X86_SHLX = 0x1F7, X86_SARX = 0x2F7, X86_SHRX = 0x3F7 };

void x86_general(x86_code *c, unsigned op, int wide, unsigned reg, x86_rm rm);
void x86_immediate(x86_code *c, enum x86_immediate op, int wide, unsigned dst, int32_t imm);
void x86_shift(x86_code *c, enum x86_shift op, int wide, unsigned dst, unsigned count);
void x86_unary(x86_code *c, enum x86_unary op, int wide, unsigned dst);      /* MUL and what follows: of rdx:rax */
void x86_bits(x86_code *c, enum x86_bits op, int wide, unsigned dst, unsigned src, unsigned count);
void x86_imul_imm(x86_code *c, int wide, unsigned dst, unsigned src, int32_t imm);
void x86_sign_to_rdx(x86_code *c, int wide);                                 /* of rax */
void x86_mov_imm(x86_code *c, unsigned dst, uint64_t imm);
void x86_load(x86_code *c, unsigned dst, unsigned base, int32_t disp);
void x86_clear(x86_code *c, unsigned dst);
void x86_push(x86_code *c, unsigned reg);
void x86_pop(x86_code *c, unsigned reg);
void x86_set(x86_code *c, enum x86_condition condition, unsigned dst);     /* its lowest byte */
void x86_begin(x86_code *c);                                               /* where calls by pointer may go */
void x86_return(x86_code *c);                                              /* with the upper halves of vectors clean */
void x86_align(x86_code *c, size_t to);
void x86_put_8(x86_code *c, uint64_t bytes);                               /* no instruction: a number in the code */

static inline void x86_registers(x86_code *c, unsigned op, int wide, unsigned reg, unsigned rm)
{
    x86_general(c, op, wide, reg, x86_reg(rm));
}

/* A jump; forward ones are bound later, by what x86_jump returned. */
size_t x86_jump(x86_code *c, enum x86_condition condition);
void x86_bind(x86_code *c, size_t jump, size_t target);

#endif
