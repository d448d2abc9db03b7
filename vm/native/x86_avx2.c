/* The level avx2: operations as instructions in VEX encoding (AVX2 and no more: isa.c).
 *
 * Of doubles, of ints of 32 and 64 bits and of truth values. Narrower ones stay with kernels: what one iteration does of
 * them would be less than half a register, and the rest of it could seem to overflow. A truth value is a whole element of
 * the widest type, all ones or all zeros.
 */
#include "x86_64.h"

#if AO_NATIVE_X86_64

static unsigned size_of(unsigned type)
{
    return ao_type_sizes[type];
}

static void two(x86_generator *g, enum x86_form form, unsigned size, unsigned d, unsigned a)
{
    x86_2(g, form, size, d, a, X86_NO_IMM);
}

static void three(x86_generator *g, enum x86_form form, unsigned size, unsigned d, unsigned a, unsigned b)
{
    x86_3(g, form, size, d, a, b, X86_NO_IMM);
}

/* Bytes of an element of a truth value. */
static unsigned truth_size(const x86_generator *g)
{
    return 32 / g->lanes;
}

static void zero(x86_generator *g, unsigned d)
{
    three(g, X86_vpxor, 8, d, d, d);
}

static void take_literal(x86_generator *g, unsigned d, enum x86_literal literal)
{
    x86_emit(&g->code, (x86_vector){.form = X86_vpbroadcastq, .length = 1, .reg = d, .rm = x86_literal(literal),
                                    .imm = X86_NO_IMM});
}

static void invert(x86_generator *g, unsigned d)
{
    const unsigned size = truth_size(g);
    three(g, X86_vpcmpeqd, size, T2, T2, T2);
    three(g, X86_vpxor, size, d, d, T2);
}

/* Notes that an element is to be marked where a truth value is true. */
static void mark(x86_generator *g, unsigned truth)
{
    three(g, X86_vpor, truth_size(g), AVX2_FAULTS, AVX2_FAULTS, truth);
}

static void mark_negative(x86_generator *g, unsigned size, unsigned a)
{
    zero(g, T2);
    three(g, size == 8 ? X86_vpcmpgtq : X86_vpcmpgtd, size, T2, T2, a);
    mark(g, T2);
}

/* The low halves of elements of 8 bytes; by way of T1 and T2, so that d may be neither. */
static void narrow(x86_generator *g, unsigned d, unsigned a)
{
    enum { EVEN_WORDS = 0x88 };
    x86_emit(&g->code, (x86_vector){.form = X86_vextracti128, .length = 1, .reg = a, .rm = x86_reg(T2), .imm = 1});
    x86_emit(&g->code, (x86_vector){.form = X86_vshufps, .reg = d, .vvvv = a, .rm = x86_reg(T2), .imm = EVEN_WORDS});
}

/* A truth value for elements of a size: the register, or T1. */
static unsigned truth_for(x86_generator *g, unsigned truth, unsigned size)
{
    if (size == truth_size(g))
        return truth;
    narrow(g, T1, truth);
    return T1;
}

/* ---- memory ---- */

static void load_vector(x86_generator *g, enum x86_form form, unsigned size, unsigned reg, x86_rm rm)
{
    x86_emit(&g->code, (x86_vector){.form = form, .length = x86_length(g, size), .reg = reg, .rm = rm, .imm = X86_NO_IMM});
}

/* From bytes, 0 or 1, in T0. */
static void truth_of_bytes(x86_generator *g, unsigned reg)
{
    const int wide = truth_size(g) == 8;
    two(g, wide ? X86_vpmovsxbq : X86_vpmovsxbd, truth_size(g), T0, T0);
    three(g, X86_vpxor, truth_size(g), reg, reg, reg);
    three(g, wide ? X86_vpsubq : X86_vpsubd, truth_size(g), reg, reg, T0);
}

static void load(x86_generator *g, unsigned type, unsigned reg, x86_rm rm)
{
    if (type != AO_TYPE_b1) {
        load_vector(g, X86_vmovdqu, size_of(type), reg, rm);
        return;
    }
    load_vector(g, g->lanes == 4 ? X86_vmovd : X86_vmovq, 1, T0, rm);
    truth_of_bytes(g, reg);
}

static void load_uniform(x86_generator *g, unsigned type, unsigned reg, x86_rm rm)
{
    if (type == AO_TYPE_b1) {
        load_vector(g, X86_vpbroadcastb, 1, T0, rm);
        truth_of_bytes(g, reg);
    } else {
        load_vector(g, size_of(type) == 8 ? X86_vpbroadcastq : X86_vpbroadcastd, size_of(type), reg, rm);
    }
}

static void bytes_of_truth(x86_generator *g, unsigned truth)
{
    if (truth_size(g) == 8) {
        narrow(g, T0, truth);
        three(g, X86_vpackssdw, 1, T0, T0, T0);
    } else {
        x86_emit(&g->code, (x86_vector){.form = X86_vextracti128, .length = 1, .reg = truth, .rm = x86_reg(T1), .imm = 1});
        three(g, X86_vpackssdw, 1, T0, truth, T1);
    }
    three(g, X86_vpacksswb, 1, T0, T0, T0);
    two(g, X86_vpabsb, 1, T0, T0);
}

static void store(x86_generator *g, unsigned type, unsigned reg, x86_rm rm)
{
    if (type != AO_TYPE_b1) {
        load_vector(g, X86_store_dqu, size_of(type), reg, rm);
        return;
    }
    bytes_of_truth(g, reg);
    load_vector(g, g->lanes == 4 ? X86_store_d : X86_store_q, 1, T0, rm);
}

static void count(x86_generator *g, unsigned truth)
{
    x86_emit(&g->code, (x86_vector){.form = truth_size(g) == 8 ? X86_vmovmskpd : X86_vmovmskps, .length = 1, .reg = RAX,
                                    .rm = x86_reg(truth), .imm = X86_NO_IMM});
    x86_registers(&g->code, X86_POPCNT, 1, RAX, RAX);
    x86_registers(&g->code, X86_ADD, 1, TAKEN, RAX);
}

/* ---- recipes: x is a form, y an immediate, a literal or another form ---- */

static void vectors(x86_generator *g, const x86_step *s)
{
    three(g, s->x, size_of(s->info->type), s->d, s->a, s->b);
}

static void one(x86_generator *g, const x86_step *s)
{
    two(g, s->x, size_of(s->info->type), s->d, s->a);
}

static void truths(x86_generator *g, const x86_step *s)
{
    three(g, s->x, truth_size(g), s->d, s->a, s->b);
}

static void copy(x86_generator *g, const x86_step *s)
{
    two(g, X86_vmovdqu, s->info->type == AO_TYPE_b1 ? truth_size(g) : size_of(s->info->type), s->d, s->a);
}

static void negated(x86_generator *g, const x86_step *s)
{
    copy(g, s);
    invert(g, s->d);
}

static void literal(x86_generator *g, const x86_step *s)
{
    take_literal(g, T0, s->y);
    three(g, s->x, 8, s->d, s->a, T0);
}

static void rounded(x86_generator *g, const x86_step *s)
{
    x86_2(g, X86_vroundpd, 8, s->d, s->a, s->x);
}

static void compared(x86_generator *g, const x86_step *s)
{
    x86_3(g, X86_vcmppd, 8, s->d, s->a, s->b, s->x);
}

/* Of ints: a == b or b > a, and the opposites. */
enum int_condition { INT_EQUAL, INT_LESS, INT_LESS_EQUAL, INT_NOT_EQUAL };
static void ints_compared(x86_generator *g, const x86_step *s)
{
    const unsigned size = size_of(s->info->type), to = size == truth_size(g) ? s->d : T0;
    const enum int_condition condition = s->x;
    unsigned a = condition == INT_LESS_EQUAL ? s->b : s->a, b = condition == INT_LESS_EQUAL ? s->a : s->b;
    if (condition == INT_EQUAL || condition == INT_NOT_EQUAL) {
        three(g, size == 8 ? X86_vpcmpeqq : X86_vpcmpeqd, size, to, a, b);
    } else {
        if (!x86_is_signed(s->info->type)) { /* moved by half their range, they are in the order of signed ones */
            take_literal(g, T2, size == 8 ? SIGN_BIT : SIGN_BITS_32);
            three(g, X86_vpxor, size, T0, a, T2);
            three(g, X86_vpxor, size, T1, b, T2);
            a = T0, b = T1;
        }
        three(g, size == 8 ? X86_vpcmpgtq : X86_vpcmpgtd, size, to, b, a);
    }
    if (to != s->d)
        two(g, X86_vpmovsxdq, 8, s->d, to);
    if (condition == INT_LESS_EQUAL || condition == INT_NOT_EQUAL)
        invert(g, s->d);
}

static void is_nan(x86_generator *g, const x86_step *s)
{
    x86_3(g, X86_vcmppd, 8, s->d, s->a, s->a, UNORDERED);
}

/* |a| and infinity; the condition is x. */
static void to_infinity(x86_generator *g, unsigned d, unsigned a, int condition)
{
    take_literal(g, T0, ALL_BUT_SIGN);
    three(g, X86_vpand, 8, T0, T0, a);
    take_literal(g, T1, INFINITE);
    x86_3(g, X86_vcmppd, 8, d, T0, T1, condition);
}

static void against_infinity(x86_generator *g, const x86_step *s)
{
    to_infinity(g, s->d, s->a, s->x);
}

static void chosen(x86_generator *g, const x86_step *s)
{
    const unsigned size = s->info->type == AO_TYPE_b1 ? truth_size(g) : size_of(s->info->type);
    const unsigned truth = truth_for(g, s->a, size);
    x86_3(g, X86_vpblendvb, size, s->d, s->c, s->b, (int)truth << 4);
}

static void twice(x86_generator *g, const x86_step *s)
{
    three(g, s->x, 8, s->d, s->a, s->b);
    three(g, s->y, 8, s->d, s->d, s->c);
}

static void taken_from(x86_generator *g, const x86_step *s)
{
    three(g, X86_vmulpd, 8, s->d, s->a, s->b);
    three(g, X86_vsubpd, 8, s->d, s->c, s->d);
}

static void horner(x86_generator *g, const x86_step *s)
{
    const uint16_t *value_of = g->plan->value_of;
    for (unsigned k = s->plan->b; k <= s->plan->c; k++) {
        const unsigned constant = x86_value(g, value_of[k]);
        if (k == s->plan->b) {
            two(g, X86_vmovdqu, 8, s->d, constant);
        } else {
            three(g, X86_vmulpd, 8, s->d, s->d, s->a);
            three(g, X86_vaddpd, 8, s->d, s->d, constant);
        }
        x86_unpin(g, value_of[k]);
    }
}

static void sign_copied(x86_generator *g, const x86_step *s)
{
    take_literal(g, T0, SIGN_BIT);
    three(g, X86_vpand, 8, T1, T0, s->b);
    three(g, X86_vpandn, 8, s->d, T0, s->a);
    three(g, X86_vpor, 8, s->d, s->d, T1);
}

static void whole(x86_generator *g, const x86_step *s)
{
    zero(g, T0);
    three(g, X86_vaddpd, 8, s->d, s->a, T0);
    to_infinity(g, T0, s->a, NOT_LESS);
    mark(g, T0);
}

static void divided_checked(x86_generator *g, const x86_step *s)
{
    three(g, X86_vdivpd, 8, s->d, s->a, s->b);
    zero(g, T0);
    x86_3(g, X86_vcmppd, 8, T0, s->b, T0, EQUAL);
    mark(g, T0);
}

static void root_checked(x86_generator *g, const x86_step *s)
{
    two(g, X86_vsqrtpd, 8, s->d, s->a);
    zero(g, T0);
    x86_3(g, X86_vcmppd, 8, T0, s->a, T0, LESS);
    mark(g, T0);
}

/* a - a is 0 if a is finite, else nan: so the sum is infinite only where the square overflowed. */
static void squared_checked(x86_generator *g, const x86_step *s)
{
    three(g, X86_vmulpd, 8, s->d, s->a, s->a);
    three(g, X86_vsubpd, 8, T2, s->a, s->a);
    three(g, X86_vaddpd, 8, T2, T2, s->d);
    to_infinity(g, T0, T2, EQUAL);
    mark(g, T0);
}

/* ---- ints and conversions ---- */

/* The middle products count, from the 32nd bit on, and the upper one does not. */
static void multiplied_64(x86_generator *g, const x86_step *s)
{
    take_literal(g, T2, THIRTY_TWO);
    three(g, X86_vpsrlvq, 8, T0, s->a, T2);
    three(g, X86_vpmuludq, 8, T0, T0, s->b);
    three(g, X86_vpsrlvq, 8, T1, s->b, T2);
    three(g, X86_vpmuludq, 8, T1, T1, s->a);
    three(g, X86_vpaddq, 8, T0, T0, T1);
    three(g, X86_vpsllvq, 8, T0, T0, T2);
    three(g, X86_vpmuludq, 8, s->d, s->a, s->b);
    three(g, X86_vpaddq, 8, s->d, s->d, T0);
}

static void widened(x86_generator *g, const x86_step *s)
{
    two(g, X86_vpmovsxdq, 8, T0, s->a);
    two(g, X86_vpmovsxdq, 8, T1, s->b);
    three(g, s->x, 8, s->d, T0, T1);
}

/* Overflow in the top bit, as in kernels.c. */
static void sum_checked(x86_generator *g, const x86_step *s)
{
    const unsigned size = size_of(s->info->type);
    three(g, s->x, size, s->d, s->a, s->b);
    three(g, X86_vpxor, size, T0, s->a, s->d);
    three(g, X86_vpxor, size, T1, s->b, s->d);
    three(g, X86_vpand, size, T0, T0, T1);
    mark_negative(g, size, T0);
}

static void difference_checked(x86_generator *g, const x86_step *s)
{
    const unsigned size = size_of(s->info->type);
    three(g, s->x, size, s->d, s->a, s->b);
    three(g, X86_vpxor, size, T0, s->a, s->b);
    three(g, X86_vpxor, size, T1, s->a, s->d);
    three(g, X86_vpand, size, T0, T0, T1);
    mark_negative(g, size, T0);
}

static void shifted_right_signed(x86_generator *g, const x86_step *s)
{
    three(g, X86_vpxor, 4, T0, T0, T0);
    three(g, X86_vpmaxsd, 4, T0, T0, s->b);
    three(g, X86_vpsravd, 4, s->d, s->a, T0);
}

static void converted(x86_generator *g, const x86_step *s)
{
    const unsigned from = s->info->type, size = size_of(s->info->dst);
    if (from == AO_TYPE_b1) {
        const unsigned truth = truth_for(g, s->a, size);
        three(g, X86_vpxor, size, T0, T0, T0);
        three(g, size == 8 ? X86_vpsubq : X86_vpsubd, size, s->d, T0, truth);
    } else if (size_of(from) < size) {
        two(g, x86_is_signed(from) ? X86_vpmovsxdq : X86_vpmovzxdq, 8, s->d, s->a);
    } else if (size_of(from) > size) {
        narrow(g, s->d, s->a);
    } else {
        two(g, X86_vmovdqu, size, s->d, s->a);
    }
}

static void to_double(x86_generator *g, const x86_step *s)
{
    switch (s->info->type) {
    case AO_TYPE_b1:
        take_literal(g, T0, ONE);
        three(g, X86_vpand, 8, s->d, s->a, T0);
        break;
    case AO_TYPE_u32: /* in the low bits of 2^52 */
        two(g, X86_vpmovzxdq, 8, s->d, s->a);
        take_literal(g, T0, TWO_52);
        three(g, X86_vpor, 8, s->d, s->d, T0);
        three(g, X86_vsubpd, 8, s->d, s->d, T0);
        break;
    default:
        two(g, s->info->type == AO_TYPE_f32 ? X86_vcvtps2pd : X86_vcvtdq2pd, 8, s->d, s->a);
    }
}

static void to_single(x86_generator *g, const x86_step *s)
{
    two(g, X86_vcvtpd2ps, 8, s->d, s->a);
}

/* ---- the table ---- */

#define R(T, op, how, first, second) [AO_OP_##op##_##T] = {.emit = how, .x = first, .y = second},
#define INTS_OF_32(X, ...) X(i32, __VA_ARGS__) X(u32, __VA_ARGS__)
#define INTS_OF_64(X, ...) X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
#define INTS_WIDE(X, ...) INTS_OF_32(X, __VA_ARGS__) INTS_OF_64(X, __VA_ARGS__)
#define INTS_AND_TRUTHS(X, ...) X(b1, __VA_ARGS__) INTS_WIDE(X, __VA_ARGS__)
static const x86_recipe recipes[AO_NOPS] = {
    INTS_AND_TRUTHS(R, COPY, copy, 0, 0) R(f64, COPY, copy, 0, 0) R(f32, COPY, copy, 0, 0)
    INTS_AND_TRUTHS(R, TO_i32, converted, 0, 0) INTS_AND_TRUTHS(R, TO_u32, converted, 0, 0)
    INTS_AND_TRUTHS(R, TO_i64, converted, 0, 0) INTS_AND_TRUTHS(R, TO_u64, converted, 0, 0)
    R(b1, TO_f64, to_double, 0, 0) INTS_OF_32(R, TO_f64, to_double, 0, 0) R(f32, TO_f64, to_double, 0, 0)
    R(f64, TO_f32, to_single, 0, 0)
    R(f64, WHOLE, whole, 0, 0)

    R(f64, ADD, vectors, X86_vaddpd, 0)
    R(f64, SUB, vectors, X86_vsubpd, 0)
    R(f64, MUL, vectors, X86_vmulpd, 0)
    INTS_OF_32(R, ADD, vectors, X86_vpaddd, 0) INTS_OF_64(R, ADD, vectors, X86_vpaddq, 0)
    INTS_OF_32(R, SUB, vectors, X86_vpsubd, 0) INTS_OF_64(R, SUB, vectors, X86_vpsubq, 0)
    INTS_OF_32(R, MUL, vectors, X86_vpmulld, 0) INTS_OF_64(R, MUL, multiplied_64, 0, 0)
    X86_ALIKE(R)
    R(i32, ADD_CHECKED, sum_checked, X86_vpaddd, 0) R(i64, ADD_CHECKED, sum_checked, X86_vpaddq, 0)
    R(i32, SUB_CHECKED, difference_checked, X86_vpsubd, 0) R(i64, SUB_CHECKED, difference_checked, X86_vpsubq, 0)
    R(f64, NEG, literal, X86_vpxor, SIGN_BIT)
    R(f64, FABS, literal, X86_vpand, ALL_BUT_SIGN)
    R(i32, ABS, one, X86_vpabsd, 0)

    R(b1, AND, truths, X86_vpand, 0) INTS_WIDE(R, AND, vectors, X86_vpand, 0)
    R(b1, OR, truths, X86_vpor, 0) INTS_WIDE(R, OR, vectors, X86_vpor, 0)
    R(b1, XOR, truths, X86_vpxor, 0) INTS_WIDE(R, XOR, vectors, X86_vpxor, 0)
    R(b1, NOT, negated, 0, 0)
    INTS_OF_32(R, SHL, vectors, X86_vpsllvd, 0) INTS_OF_64(R, SHL, vectors, X86_vpsllvq, 0)
    R(i32, SHR, shifted_right_signed, 0, 0)
    R(u32, SHR, vectors, X86_vpsrlvd, 0)
    R(u64, SHR, vectors, X86_vpsrlvq, 0)

    R(f64, EQ, compared, EQUAL, 0) INTS_WIDE(R, EQ, ints_compared, INT_EQUAL, 0)
    R(f64, NE, compared, NOT_EQUAL, 0) INTS_WIDE(R, NE, ints_compared, INT_NOT_EQUAL, 0)
    R(f64, LT, compared, LESS, 0) INTS_WIDE(R, LT, ints_compared, INT_LESS, 0)
    R(f64, LE, compared, LESS_EQUAL, 0) INTS_WIDE(R, LE, ints_compared, INT_LESS_EQUAL, 0)
    R(f64, ISNAN, is_nan, 0, 0)
    R(f64, ISINF, against_infinity, EQUAL, 0)
    R(f64, ISFIN, against_infinity, LESS, 0)
    INTS_AND_TRUTHS(R, SEL, chosen, 0, 0) R(f64, SEL, chosen, 0, 0)
};

const x86_level x86_level_avx2 = {
    .target = {.isa = "avx2", .vector = 32, .tails = 0, .knows = x86_knows, .begin = x86_begin_code, .compile = x86_compile,
               .compile_scan = x86_compile_scan},
    .evex = 0, .first_vector = 4, .vectors = 12, .hoisted = 5, .least = 4,
    .recipes = recipes, .load = load, .load_uniform = load_uniform, .store = store, .count = count,
};

#endif
