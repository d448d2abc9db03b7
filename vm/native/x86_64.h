/* The inside of the x86-64 encoder: shared by x86_64.c, which makes the loop, gives values registers and moves them between
 * memory and registers, and x86_avx512.c and x86_avx2.c, which have the instructions of each operation.
 */
#ifndef AO_NATIVE_X86_64_H
#define AO_NATIVE_X86_64_H

#include "encoder.h"
#include "registers.h"

/* Numbers that instructions read, at the beginning of the code; some of them four times, which fills a register at avx2. */
enum x86_literal { SIGN_BIT, ALL_BUT_SIGN, ZERO, ONE, TWO_52, TWO_62, TWO_62_FLOATS, TWO_63, MINUS_TWO_63, INFINITE, SPLIT_SCALE,
                   SPLIT_HIGH, SIGN_BITS_32, SIGN_BITS_16, SIGN_BITS_8, LOW_WORDS, LOW_BYTES = LOW_WORDS + 4,
                   HIGH_BYTES = LOW_BYTES + 4, THIRTY_TWO = HIGH_BYTES + 4, TWO_31, SIXTY_THREE, SIXTY_FOUR, LITERALS };

/* Registers. Scratch ones belong to the recipe of one operation; FAULTS gathers what is to be marked. */
enum { T0, T1, T2, T3, AVX2_FAULTS = T3 };
enum { K0, K_FAULTS = 6, K_LANES = 7 }; /* K_LANES: the elements that there are, of those of one iteration */

typedef struct x86_generator x86_generator;

/* An operation with its operands in registers. d is none of the others. */
typedef struct {
    const ao_op_info *info;
    const plan_step *plan;
    unsigned d, a, b, c;
    uint8_t x, y; /* of the recipe */
} x86_step;

typedef struct {
    void (*emit)(x86_generator *g, const x86_step *s);
    uint8_t x, y;
} x86_recipe;

typedef struct {
    ao_target target;
    int evex;
    unsigned first_vector, vectors, first_mask, masks; /* registers to be given away; no masks: truth values are vectors */
    unsigned hoisted;                                  /* uniforms that get a register for the whole loop */
    unsigned least;                                    /* the least size of the widest element */
    const x86_recipe *recipes;                         /* by opcode */
    /* From rm to a register and back; and the truth values that a register of bytes, 0 or 1, has. */
    void (*load)(x86_generator *g, unsigned type, unsigned reg, x86_rm rm);
    void (*load_uniform)(x86_generator *g, unsigned type, unsigned reg, x86_rm rm);
    void (*store)(x86_generator *g, unsigned type, unsigned reg, x86_rm rm);
    /* Counts in TAKEN the elements for which a truth value is true, or appends a register's elements there. PLACES has the
     * address of a table: entry m has in its bytes the numbers of the bits that are set in m; of pairs 2 and 3 for bit 1. */
    void (*count)(x86_generator *g, unsigned truth);
    void (*compact)(x86_generator *g, unsigned truth, unsigned type, unsigned reg);
    /* Adds doubles to the sums, of all lanes or of those where a truth value is true, which it counts as well. finish_sums
     * leaves the sums where they came from. */
    void (*add)(x86_generator *g, int masked, unsigned truth, unsigned reg);
    void (*finish_sums)(x86_generator *g);
    unsigned adding;                 /* of its vectors, the last so many are kept for that */
    int pairs;                       /* its permutation of elements of 8 bytes is one of pairs */
    void (*start)(x86_generator *g); /* what its recipes want in scratch registers throughout */
} x86_level;

enum { BASES = 9, COPIES = 8 };
enum { TAKEN = R15, PLACES = R14 }; /* of a segment that takes the results: how many, or where the next one goes; the table, or the sums */

struct x86_generator {
    const x86_level *level;
    const ao_plan *plan;
    x86_code code;
    unsigned lanes;                    /* elements of a vector */
    unsigned copy;                     /* of the loop's body, from 0 */
    unsigned together;                 /* vectors for which a step is done before the next step, most often 1 */
    size_t places;                     /* where the code has the table, if it has one */
    int tail;                          /* the body for the last elements, of which some may not be there */
    int faults;                        /* an instruction may mark */
    uint16_t bases[BASES];             /* machine registers whose address has a general register */
    unsigned base_count;
    size_t stops[COPIES];              /* jumps of copies of the body that do not store, in a segment that stops */
    unsigned stop_copies[COPIES], stop_count;
    ao_registers registers;
};

/* Conditions of vcmppd; those that begin with NOT hold for nan. */
enum { EQUAL = 0x00, UNORDERED = 0x03, NOT_EQUAL = 0x04, LESS = 0x11, LESS_EQUAL = 0x12, NOT_LESS = 0x15,
       NOT_GREATER_EQUAL = 0x19, GREATER = 0x1E };
/* How vroundpd and vrndscalepd round. */
enum { AS_IS = 0x4, DOWN = 0x9, UP = 0xA, CUT = 0xB };

/* The recipes that read the same at each level, though what they name is each level's own. */
#define X86_ALIKE(R)                                                                                                  \
    R(i32, ADD_WIDE, widened, X86_vpaddq, 0)                                                                          \
    R(i32, SUB_WIDE, widened, X86_vpsubq, 0)                                                                          \
    R(i32, MUL_WIDE, widened, X86_vpmuldq, 0)                                                                         \
    R(f64, MADD, twice, X86_vmulpd, X86_vaddpd)                                                                       \
    R(f64, MSUB, twice, X86_vmulpd, X86_vsubpd)                                                                       \
    R(f64, NMADD, taken_from, 0, 0)                                                                                   \
    R(f64, ADDM, twice, X86_vaddpd, X86_vmulpd)                                                                       \
    R(f64, SUBM, twice, X86_vsubpd, X86_vmulpd)                                                                       \
    R(f64, HORNER, x86_horner, 0, 0)                                                                                  \
    R(f64, DIV, vectors, X86_vdivpd, 0)                                                                               \
    R(f64, DIV_CHECKED, divided_checked, 0, 0)                                                                        \
    R(f64, SQRT, one, X86_vsqrtpd, 0)                                                                                 \
    R(f64, SQRT_CHECKED, root_checked, 0, 0)                                                                          \
    R(f64, SQUARE_CHECKED, squared_checked, 0, 0)                                                                     \
    R(f64, COPYSIGN, sign_copied, 0, 0)                                                                               \
    R(f64, FLOOR, rounded, DOWN, 0)                                                                                   \
    R(f64, CEIL, rounded, UP, 0)                                                                                      \
    R(f64, TRUNC, rounded, CUT, 0)                                                                                    \
    R(f64, RINT, rounded, AS_IS, 0)

/* What both levels have for ao_target. */
int x86_knows(const ao_target *target, unsigned op, int in_scan);
size_t x86_begin_code(const ao_target *target, uint8_t *bytes, size_t size);
size_t x86_compile(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, unsigned *done,
                   size_t *entry, unsigned *granule);
size_t x86_compile_scan(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, size_t *entry);

extern const x86_level x86_level_avx512, x86_level_avx2;

/* To wider ints, from a type to elements of a size. */
enum x86_form x86_widening(int is_signed, unsigned from, unsigned to);

/* Whether x86_scan.c has the operation. */
int x86_scans(unsigned op);

/* A product of bytes by a small power of two, which takes so many additions; 0 if it is not one. */
int x86_doubled_bytes(x86_generator *g, const x86_step *s);

/* How operands of a product are told apart: which of them is the same for all elements, if one is. */
static inline int x86_is_uniform(const x86_generator *g, unsigned value)
{
    return g->plan->value[value].kind == PLAN_UNIFORM;
}

/* The recipe of a polynomial, for g->together steps at once. */
void x86_horner(x86_generator *g, const x86_step *s);

/* The product of 32-bit ints; in T0 the square, as a float, of how far that of floats is from it. By way of T1 and `scratch`. */
void x86_product_32(x86_generator *g, const x86_step *s, unsigned scratch);

/* Where a uniform is. */
x86_rm x86_uniform(const x86_generator *g, unsigned reg);

static inline unsigned x86_value(x86_generator *g, unsigned value)
{
    return ao_registers_read(&g->registers, value);
}

static inline void x86_unpin(x86_generator *g, unsigned value)
{
    ao_registers_unpin(&g->registers, value);
}

/* 0 1 2 for xmm, ymm, zmm: of all elements of this size. */
static inline unsigned x86_length(const x86_generator *g, unsigned size)
{
    const unsigned bytes = g->lanes * size;
    return bytes >= 64 ? 2 : bytes >= 32 ? 1 : 0;
}

static inline int x86_is_signed(unsigned type)
{
    return type == AO_TYPE_i8 || type == AO_TYPE_i16 || type == AO_TYPE_i32 || type == AO_TYPE_i64;
}

/* Instructions on all elements of a size: with two operands, with three, with an immediate. */
static inline void x86_2(x86_generator *g, enum x86_form form, unsigned size, unsigned d, unsigned a, int imm)
{
    x86_emit(&g->code, (x86_vector){.form = form, .length = x86_length(g, size), .reg = d, .rm = x86_reg(a), .imm = imm});
}

static inline void x86_3(x86_generator *g, enum x86_form form, unsigned size, unsigned d, unsigned a, unsigned b, int imm)
{
    x86_emit(&g->code, (x86_vector){.form = form, .length = x86_length(g, size), .reg = d, .vvvv = a, .rm = x86_reg(b),
                                    .imm = imm});
}

/* Words shifted by a number that the instruction has: size is that of the elements they are part of. */
static inline void x86_shifted_words(x86_generator *g, enum x86_form form, unsigned size, unsigned d, unsigned a, unsigned count)
{
    x86_emit(&g->code, (x86_vector){.form = form, .length = x86_length(g, size), .vvvv = d, .rm = x86_reg(a), .imm = (int)count});
}

/* The count b of a shift of elements of so many bits, if it is known and in range; else their width. */
static inline unsigned x86_known_count(const x86_generator *g, const x86_step *s, unsigned width)
{
    const ao_value *count = ao_constant_of(g->plan, &g->plan->value[s->plan->b]);
    return count && count->u < width ? (unsigned)count->u : width;
}

/* Of whole mask registers. */
static inline void x86_masks(x86_generator *g, enum x86_form form, unsigned d, unsigned a, unsigned b)
{
    x86_emit(&g->code, (x86_vector){.form = form, .length = 1, .reg = d, .vvvv = a, .rm = x86_reg(b), .imm = X86_NO_IMM});
}

static inline x86_rm x86_literal(enum x86_literal literal)
{
    return x86_at(RIP, NO_INDEX, 0, 8 * (int32_t)literal);
}

#endif
