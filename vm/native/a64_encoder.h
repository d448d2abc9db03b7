/* Instructions of AArch64 as words: vector instructions from the table a64.def, and the few of general registers and memory
 * that a loop needs.
 *
 * Words go to a buffer of fixed size, the lowest byte first. What does not fit is left out and `full` is set, so nobody checks
 * anything before the end. The encoder knows nothing of programs; that an instruction means what its caller wants is not its
 * business.
 */
#ifndef AO_NATIVE_A64_ENCODER_H
#define AO_NATIVE_A64_ENCODER_H

#include <stddef.h>
#include <stdint.h>

enum a64_form {
#define FORM(name, ...) A64_##name,
#include "a64.def"
    A64_FORMS
};

typedef struct {
    const char *name, *operands;
    uint32_t bits;
    uint8_t sizes;
    char encoding;
} a64_form_info;
extern const a64_form_info a64_forms[A64_FORMS];

typedef struct {
    uint8_t *bytes;
    size_t at, size;
    int full; /* something did not fit */
} a64_code;

/* A vector instruction on elements of a size in bytes; m is a register, or the count of a shift. Operands that the form has
 * not are 0. */
void a64_emit(a64_code *c, enum a64_form form, unsigned size, unsigned d, unsigned n, unsigned m);

/* All of so many bytes, 1 to 16, of a vector, at base + index * bytes; the rest of it becomes 0. */
void a64_load_vector(a64_code *c, unsigned bytes, unsigned reg, unsigned base, unsigned index);
void a64_store_vector(a64_code *c, unsigned bytes, unsigned reg, unsigned base, unsigned index);
/* One element at base, to all. */
void a64_load_all(a64_code *c, unsigned size, unsigned reg, unsigned base);
/* 16 bytes of the code itself, so many behind its beginning. */
void a64_load_literal(a64_code *c, unsigned reg, size_t at);
/* The lowest element to a general register of 64 bits, with its sign. */
void a64_move_lowest(a64_code *c, unsigned size, unsigned to, unsigned reg);
void a64_clear_vector(a64_code *c, unsigned reg);

/* Instructions of general registers and of single doubles, as the manual has their words: of 64 bits if `wide`, else of 32, where
 * it makes a difference. Register 31 reads as 0, and what is written there is lost. */
enum { A64_ZERO = 31 };
enum a64_operation {
    A64_ADD = 0x0B000000, A64_ADDS = 0x2B000000, A64_SUB = 0x4B000000, A64_SUBS = 0x6B000000,           /* d, n, m */
    A64_AND = 0x0A000000, A64_ORR = 0x2A000000, A64_EOR = 0x4A000000,
    A64_MUL = 0x1B007C00, A64_LSLV = 0x1AC02000, A64_LSRV = 0x1AC02400, A64_ASRV = 0x1AC02800,
    A64_SDIV = 0x1AC00C00, A64_UDIV = 0x1AC00800,
    A64_SMULH = 0x1B407C00, A64_UMULH = 0x1BC07C00,                                                      /* wide */
    A64_SMULL = 0x1B207C00,                                                                              /* wide, of halves */
    A64_CLZ = 0x5AC01000,                                                                                /* d, n */
    A64_FADD = 0x1E602800, A64_FSUB = 0x1E603800, A64_FMUL = 0x1E600800, A64_FDIV = 0x1E601800,          /* not wide */
    A64_FSQRT = 0x1E61C000, A64_FNEG = 0x1E614000, A64_FABS = 0x1E60C000, A64_FMOV = 0x1E604000,
    A64_FRINTM = 0x1E654000, A64_FRINTP = 0x1E64C000, A64_FRINTZ = 0x1E65C000, A64_FRINTX = 0x1E674000,
    A64_FCVT_SD = 0x1E22C000, A64_FCVT_DS = 0x1E624000,                                                  /* from s, to s */
    A64_FCMP = 0x1E602000, A64_FCMP_0 = 0x1E602008,                                                      /* 0, n, m */
    A64_SCVTF = 0x1E620000, A64_UCVTF = 0x1E630000, A64_FCVTZS = 0x1E780000,                             /* wide */
    A64_FMOV_TO = 0x1E660000, A64_FMOV_FROM = 0x1E670000,                                                /* wide */
};
/* With a number of 12 bits. */
enum a64_numbered { A64_ADD_NUMBER = 0x11000000, A64_ADDS_NUMBER = 0x31000000, A64_SUB_NUMBER = 0x51000000,
                    A64_SUBS_NUMBER = 0x71000000 };
/* d = condition ? n : m, or something made of m. */
enum a64_choice { A64_CSEL = 0x1A800000, A64_CSINC = 0x1A800400, A64_CSNEG = 0x5A800400, A64_FCSEL = 0x1E600C00 };
enum a64_condition { A64_EQUAL, A64_NOT_EQUAL, A64_ABOVE_EQUAL, A64_BELOW, A64_NEGATIVE, A64_NOT_NEGATIVE, A64_OVERFLOW,
                     A64_NO_OVERFLOW, A64_ABOVE, A64_BELOW_EQUAL, A64_GREATER_EQUAL, A64_LESS, A64_GREATER, A64_LESS_EQUAL };
enum a64_shift { A64_LSL, A64_LSR, A64_ASR };

void a64_general(a64_code *c, uint32_t operation, int wide, unsigned d, unsigned n, unsigned m);
void a64_number(a64_code *c, enum a64_numbered operation, int wide, unsigned d, unsigned n, unsigned number);
void a64_choose(a64_code *c, enum a64_choice operation, int wide, enum a64_condition condition, unsigned d, unsigned n, unsigned m);
void a64_shift(a64_code *c, enum a64_shift operation, int wide, unsigned d, unsigned n, unsigned count);
void a64_extend(a64_code *c, int is_signed, unsigned size, int wide, unsigned d, unsigned n);    /* from so many bytes */
void a64_add_shifted(a64_code *c, int wide, unsigned d, unsigned n, unsigned m, unsigned count); /* n + (m << count) */
void a64_flip_lowest(a64_code *c, unsigned d, unsigned n);                                       /* of 32 bits */
void a64_move_number(a64_code *c, unsigned d, uint64_t number);
void a64_add_number(a64_code *c, unsigned d, unsigned n, size_t number);                        /* below 2^24 */

/* A word at base + offset, a multiple of 8; one element at base + index * size, or at base. Narrow ones are zero-extended. */
void a64_load(a64_code *c, unsigned to, unsigned base, size_t offset);
void a64_store(a64_code *c, unsigned from, unsigned base);
void a64_load_indexed(a64_code *c, unsigned size, unsigned to, unsigned base, unsigned index);
void a64_store_indexed(a64_code *c, unsigned size, unsigned from, unsigned base, unsigned index);
void a64_load_at(a64_code *c, unsigned size, int is_vector, unsigned to, unsigned base);
void a64_store_at(a64_code *c, unsigned size, int is_vector, unsigned from, unsigned base);

static inline void a64_move(a64_code *c, unsigned d, unsigned n)
{
    a64_general(c, A64_ORR, 1, d, A64_ZERO, n);
}

static inline void a64_clear(a64_code *c, unsigned d)
{
    a64_move(c, d, A64_ZERO);
}

static inline void a64_compare(a64_code *c, int wide, unsigned n, unsigned m)
{
    a64_general(c, A64_SUBS, wide, A64_ZERO, n, m);
}

void a64_return(a64_code *c);
void a64_align(a64_code *c, size_t to);

/* Jumps; forward ones are bound later, by what they returned. */
size_t a64_jump(a64_code *c, enum a64_condition condition);
size_t a64_jump_not_zero(a64_code *c, unsigned reg);
void a64_bind(a64_code *c, size_t jump, size_t target);

#endif
