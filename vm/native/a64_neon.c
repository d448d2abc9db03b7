/* Operations as instructions of AArch64's vectors, NEON. */
#include "a64.h"

#if AO_NATIVE_AARCH64

static unsigned size_of(unsigned type)
{
    return ao_type_sizes[type];
}

static void three(a64_generator *g, enum a64_form form, unsigned size, unsigned d, unsigned a, unsigned b)
{
    a64_emit(&g->code, form, size, d, a, b);
}

static void two(a64_generator *g, enum a64_form form, unsigned size, unsigned d, unsigned a)
{
    a64_emit(&g->code, form, size, d, a, 0);
}

static void move(a64_generator *g, unsigned d, unsigned a)
{
    three(g, A64_orr, 1, d, a, a);
}

static void take_literal(a64_generator *g, unsigned d, enum a64_literal literal)
{
    a64_load_literal(&g->code, d, literal * (size_t)A64_VECTOR);
}

/* Bytes of an element of a truth value. */
static unsigned truth_size(const a64_generator *g)
{
    return A64_VECTOR / g->lanes;
}

static void widen(a64_generator *g, int is_signed, unsigned from, unsigned to, unsigned d, unsigned a)
{
    for (; from < to; from *= 2, a = d)
        three(g, is_signed ? A64_sshll : A64_ushll, from, d, a, 0);
    if (d != a)
        move(g, d, a);
}

/* The low halves of elements, of truth values either half. */
static void shrink(a64_generator *g, unsigned from, unsigned to, unsigned d, unsigned a)
{
    for (; from > to; from /= 2, a = d)
        two(g, A64_xtn, from / 2, d, a);
}

/* Of elements of a size, as a comparison of them leaves it. */
static void widen_truth(a64_generator *g, unsigned size, unsigned d, unsigned a)
{
    widen(g, 1, size, truth_size(g), d, a);
}

/* A truth value for elements of a size: the register, or T1. */
static unsigned truth_for(a64_generator *g, unsigned truth, unsigned size)
{
    if (size == truth_size(g))
        return truth;
    shrink(g, truth_size(g), size, T1, truth);
    return T1;
}

/* As wide as truth values are: the register itself, or T2. */
static unsigned widened_truth(a64_generator *g, unsigned size, unsigned truth)
{
    if (size == truth_size(g))
        return truth;
    widen_truth(g, size, T2, truth);
    return T2;
}

/* Notes that elements of a size are to be marked where this is true, or where it is not. */
static void mark(a64_generator *g, unsigned size, unsigned truth)
{
    three(g, A64_orr, 1, FAULTS, FAULTS, widened_truth(g, size, truth));
}

static void mark_unless(a64_generator *g, unsigned size, unsigned truth)
{
    three(g, A64_orn, 1, FAULTS, FAULTS, widened_truth(g, size, truth));
}

static void mark_negative(a64_generator *g, unsigned size, unsigned a)
{
    two(g, A64_cmlt_0, size, T2, a);
    mark(g, size, T2);
}

/* ---- memory ---- */

/* From bytes, 0 or 1, in T0. */
static void truth_of_bytes(a64_generator *g, unsigned reg)
{
    two(g, A64_neg, 1, T0, T0);
    widen_truth(g, 1, reg, T0);
}

void a64_load_elements(a64_generator *g, unsigned type, unsigned reg, unsigned base, unsigned index)
{
    a64_load_vector(&g->code, g->lanes * size_of(type), type == AO_TYPE_b1 ? T0 : reg, base, index);
    if (type == AO_TYPE_b1)
        truth_of_bytes(g, reg);
}

void a64_load_uniform(a64_generator *g, unsigned type, unsigned reg, unsigned base)
{
    a64_load_all(&g->code, size_of(type), type == AO_TYPE_b1 ? T0 : reg, base);
    if (type == AO_TYPE_b1)
        truth_of_bytes(g, reg);
}

void a64_store_elements(a64_generator *g, unsigned type, unsigned reg, unsigned base, unsigned index)
{
    if (type == AO_TYPE_b1) {
        two(g, A64_neg, 1, T0, truth_for(g, reg, 1));
        reg = T0;
    }
    a64_store_vector(&g->code, g->lanes * size_of(type), reg, base, index);
}

void a64_count(a64_generator *g, unsigned truth)
{
    const unsigned size = truth_size(g);
    two(g, size == 8 ? A64_addp_2d : A64_addv, size, T0, truth);
    a64_move_lowest(&g->code, size, X_ADDRESS, T0);
    a64_general(&g->code, A64_SUB, 1, X_TAKEN, X_TAKEN, X_ADDRESS);
}

/* ---- recipes: x is a form, y another form or more about it ---- */

static void vectors(a64_generator *g, const a64_step *s)
{
    three(g, s->x, size_of(s->info->type), s->d, s->a, s->b);
}

static void one(a64_generator *g, const a64_step *s)
{
    two(g, s->x, size_of(s->info->type), s->d, s->a);
}

static void copy(a64_generator *g, const a64_step *s)
{
    move(g, s->d, s->a);
}

/* The form compares a with b, or b with a, and says what is asked for, or its opposite. */
enum comparing { AS_IS, SWAPPED, OPPOSITE };
static void compared(a64_generator *g, const a64_step *s)
{
    const unsigned size = size_of(s->info->type), to = size == truth_size(g) ? s->d : T0;
    const int swapped = s->y == SWAPPED;
    three(g, s->x, size, to, swapped ? s->b : s->a, swapped ? s->a : s->b);
    widen_truth(g, size, s->d, to);
    if (s->y == OPPOSITE)
        two(g, A64_mvn, 1, s->d, s->d);
}

static void is_nan(a64_generator *g, const a64_step *s)
{
    three(g, A64_fcmeq, 8, s->d, s->a, s->a);
    two(g, A64_mvn, 1, s->d, s->d);
}

static void is_infinite(a64_generator *g, const a64_step *s)
{
    take_literal(g, T0, INFINITE);
    three(g, A64_facge, 8, s->d, s->a, T0);
}

static void is_finite(a64_generator *g, const a64_step *s)
{
    take_literal(g, T0, INFINITE);
    three(g, A64_facgt, 8, s->d, T0, s->a);
}

static void chosen(a64_generator *g, const a64_step *s)
{
    const unsigned type = s->info->type;
    move(g, s->d, truth_for(g, s->a, type == AO_TYPE_b1 ? truth_size(g) : size_of(type)));
    three(g, A64_bsl, 1, s->d, s->b, s->c);
}

static void twice(a64_generator *g, const a64_step *s)
{
    three(g, s->x, 8, s->d, s->a, s->b);
    three(g, s->y, 8, s->d, s->d, s->c);
}

static void taken_from(a64_generator *g, const a64_step *s)
{
    three(g, A64_fmul, 8, s->d, s->a, s->b);
    three(g, A64_fsub, 8, s->d, s->c, s->d);
}

static void horner(a64_generator *g, const a64_step *s)
{
    const uint16_t *value_of = g->plan->value_of;
    for (unsigned k = s->plan->b; k <= s->plan->c; k++) {
        const unsigned constant = ao_registers_read(&g->registers, value_of[k]);
        if (k == s->plan->b) {
            move(g, s->d, constant);
        } else {
            three(g, A64_fmul, 8, s->d, s->d, s->a);
            three(g, A64_fadd, 8, s->d, s->d, constant);
        }
        ao_registers_unpin(&g->registers, value_of[k]);
    }
}

static void sign_copied(a64_generator *g, const a64_step *s)
{
    take_literal(g, T0, SIGN_BIT);
    move(g, s->d, s->a);
    three(g, A64_bit, 1, s->d, s->b, T0);
}

static void whole(a64_generator *g, const a64_step *s)
{
    a64_clear_vector(&g->code, T0);
    three(g, A64_fadd, 8, s->d, s->a, T0);
    take_literal(g, T0, INFINITE);
    three(g, A64_facgt, 8, T0, T0, s->a);
    mark_unless(g, 8, T0);
}

static void fixed(a64_generator *g, const a64_step *s)
{
    two(g, A64_fcvtzs, 8, s->d, s->a);
    take_literal(g, T0, MINUS_TWO_63);
    three(g, A64_fcmge, 8, T0, s->a, T0);
    mark_unless(g, 8, T0);
    take_literal(g, T0, TWO_63);
    three(g, A64_fcmgt, 8, T0, T0, s->a);
    mark_unless(g, 8, T0);
}

static void divided_checked(a64_generator *g, const a64_step *s)
{
    three(g, A64_fdiv, 8, s->d, s->a, s->b);
    two(g, A64_fcmeq_0, 8, T0, s->b);
    mark(g, 8, T0);
}

static void root_checked(a64_generator *g, const a64_step *s)
{
    two(g, A64_fsqrt, 8, s->d, s->a);
    two(g, A64_fcmlt_0, 8, T0, s->a);
    mark(g, 8, T0);
}

static void squared_checked(a64_generator *g, const a64_step *s)
{
    three(g, A64_fmul, 8, s->d, s->a, s->a);
    take_literal(g, T0, INFINITE);
    three(g, A64_facge, 8, T1, s->d, T0);
    three(g, A64_facgt, 8, T0, T0, s->a);
    three(g, A64_and, 1, T0, T0, T1);
    mark(g, 8, T0);
}

/* ---- ints and conversions ---- */

/* The middle products count, from the 32nd bit on, and the upper one does not. */
static void multiplied_64(a64_generator *g, const a64_step *s)
{
    two(g, A64_rev64, 4, T0, s->b);
    three(g, A64_mul, 4, T0, T0, s->a);
    two(g, A64_uaddlp, 4, T0, T0);
    three(g, A64_shl, 8, s->d, T0, 32);
    two(g, A64_xtn, 4, T0, s->a);
    two(g, A64_xtn, 4, T1, s->b);
    three(g, A64_umlal, 4, s->d, T0, T1);
}

/* As in kernels.c: far from the product of doubles. x converts to doubles. */
static void product_checked(a64_generator *g, const a64_step *s)
{
    multiplied_64(g, s);
    two(g, s->x, 8, T0, s->a);
    two(g, s->x, 8, T1, s->b);
    two(g, s->x, 8, T2, s->d);
    three(g, A64_fmls, 8, T2, T0, T1);
    take_literal(g, T0, TWO_62);
    three(g, A64_facgt, 8, T0, T2, T0);
    mark(g, 8, T0);
}

/* The high half of a product that fits is the sign of the low one. */
static void product_checked_32(a64_generator *g, const a64_step *s)
{
    three(g, A64_smull, 4, T0, s->a, s->b);
    three(g, A64_smull2, 4, T1, s->a, s->b);
    three(g, A64_uzp1, 4, s->d, T0, T1);
    three(g, A64_uzp2, 4, T0, T0, T1);
    two(g, A64_cmlt_0, 4, T1, s->d);
    three(g, A64_cmeq, 4, T0, T0, T1);
    mark_unless(g, 4, T0);
}

/* The result that wraps and the one that saturates, y, are the same unless there is an overflow. */
static void sum_checked(a64_generator *g, const a64_step *s)
{
    const unsigned size = size_of(s->info->type);
    three(g, s->x, size, s->d, s->a, s->b);
    three(g, s->y, size, T0, s->a, s->b);
    three(g, A64_cmeq, size, T0, T0, s->d);
    mark_unless(g, size, T0);
}

/* A register is shifted by what the lowest byte of each count says, to the right if that is negative. So counts that are out of
 * range are looked for: T0 is true where one is in range. */
static void find_in_range(a64_generator *g, unsigned size, unsigned count)
{
    take_literal(g, T0, size == 8 ? WIDTH_64 : size == 4 ? WIDTH_32 : WIDTH_16);
    three(g, A64_cmhi, size, T0, T0, count);
}

/* The count as an unsigned number, if it is a constant; else more than any. */
static uint64_t constant_count(const a64_generator *g, const a64_step *s)
{
    const ao_value *constant = ao_constant_of(g->plan, &g->plan->value[s->plan->b]);
    return constant ? constant->u & UINT64_MAX >> (64 - 8 * size_of(s->info->type)) : UINT64_MAX;
}

/* By a number from 0 to the width. */
static void shift_by_number(a64_generator *g, const a64_step *s, enum a64_form form, unsigned count)
{
    const unsigned size = size_of(s->info->type);
    if (count == 0)
        move(g, s->d, s->a);
    else if (count == 8 * size && form == A64_shl)
        a64_clear_vector(&g->code, s->d);
    else
        three(g, form, size, s->d, s->a, count);
}

static void shifted_left(a64_generator *g, const a64_step *s)
{
    const unsigned size = size_of(s->info->type);
    const uint64_t count = constant_count(g, s);
    if (count <= 8 * size) {
        shift_by_number(g, s, A64_shl, (unsigned)count);
        return;
    }
    three(g, A64_ushl, size, s->d, s->a, s->b);
    find_in_range(g, size, s->b);
    three(g, A64_and, 1, s->d, s->d, T0);
}

/* What comes back the same from a shift to the right has lost nothing. */
static void shifted_left_checked(a64_generator *g, const a64_step *s)
{
    three(g, A64_ushl, 8, s->d, s->a, s->b);
    two(g, A64_neg, 8, T1, s->b);
    three(g, s->x, 8, T1, s->d, T1);
    three(g, A64_cmeq, 8, T1, T1, s->a);
    find_in_range(g, 8, s->b);
    three(g, A64_and, 1, T0, T0, T1);
    mark_unless(g, 8, T0);
}

static void shifted_right_unsigned(a64_generator *g, const a64_step *s)
{
    const unsigned size = size_of(s->info->type);
    const uint64_t count = constant_count(g, s);
    if (count <= 8 * size) {
        shift_by_number(g, s, A64_ushr, (unsigned)count);
        return;
    }
    two(g, A64_neg, size, T1, s->b);
    three(g, A64_ushl, size, s->d, s->a, T1);
    find_in_range(g, size, s->b);
    three(g, A64_and, 1, s->d, s->d, T0);
}

/* By 0 where the count is negative, by the width where it is more. y: marks negative ones. */
static void shifted_right_signed(a64_generator *g, const a64_step *s)
{
    const unsigned size = size_of(s->info->type);
    const uint64_t count = constant_count(g, s);
    if (count <= 8 * size) {
        shift_by_number(g, s, A64_sshr, (unsigned)count);
        return;
    }
    two(g, A64_cmgt_0, size, T1, s->b);
    three(g, A64_and, 1, T1, T1, s->b);
    take_literal(g, T0, size == 8 ? WIDTH_64 : size == 4 ? WIDTH_32 : WIDTH_16);
    three(g, A64_cmhi, size, T2, T1, T0);
    three(g, A64_bit, 1, T1, T0, T2);
    two(g, A64_neg, size, T1, T1);
    three(g, A64_sshl, size, s->d, s->a, T1);
    if (s->y)
        mark_negative(g, size, s->b);
}

/* |a|: the register itself, or T0. */
static unsigned magnitude(a64_generator *g, const a64_step *s)
{
    if (!a64_is_signed(s->info->type))
        return s->a;
    two(g, A64_abs, 8, T0, s->a);
    return T0;
}

static void ones_counted(a64_generator *g, const a64_step *s)
{
    two(g, A64_cnt, 1, T0, magnitude(g, s));
    two(g, A64_uaddlp, 1, T0, T0);
    two(g, A64_uaddlp, 2, T0, T0);
    two(g, A64_uaddlp, 4, s->d, T0);
}

/* The zeros above the highest bit are those of the upper half, and where that has nothing else those of the lower one. */
static void length_found(a64_generator *g, const a64_step *s)
{
    two(g, A64_clz, 4, T0, magnitude(g, s));
    three(g, A64_ushr, 8, T1, T0, 32);
    take_literal(g, T2, WIDTH_32);
    three(g, A64_cmeq, 4, T2, T2, T0);
    three(g, A64_ushr, 8, T2, T2, 32);
    three(g, A64_and, 1, T0, T0, T2);
    three(g, A64_add, 8, T1, T1, T0);
    take_literal(g, T0, WIDTH_64);
    three(g, A64_sub, 8, s->d, T0, T1);
}

/* Of an int to another width, the low bits or all of it. */
static void resize(a64_generator *g, unsigned from, unsigned to, unsigned d, unsigned a)
{
    if (size_of(from) > size_of(to))
        shrink(g, size_of(from), size_of(to), d, a);
    else
        widen(g, a64_is_signed(from), size_of(from), size_of(to), d, a);
}

static void converted(a64_generator *g, const a64_step *s)
{
    const unsigned size = size_of(s->info->dst);
    if (s->info->type == AO_TYPE_b1)
        two(g, A64_neg, size, s->d, truth_for(g, s->a, size));
    else
        resize(g, s->info->type, s->info->dst, s->d, s->a);
}

/* What fits comes back the same from a round trip. */
static void fitted(a64_generator *g, const a64_step *s)
{
    const unsigned from = s->info->type, to = s->info->dst, size = size_of(from);
    const int was_signed = a64_is_signed(from), is_signed = a64_is_signed(to);
    resize(g, from, to, s->d, s->a);
    if (size_of(to) < size) {
        widen(g, was_signed && is_signed, size_of(to), size, T0, s->d);
        three(g, A64_cmeq, size, T0, T0, s->a);
        mark_unless(g, size, T0);
        if (!was_signed && is_signed)
            mark_negative(g, size_of(to), s->d);
    } else if (was_signed != is_signed && (was_signed || size_of(to) == size)) {
        mark_negative(g, size, s->a);
    }
}

static void to_double(a64_generator *g, const a64_step *s)
{
    const unsigned type = s->info->type, size = size_of(type);
    if (type == AO_TYPE_b1) {
        take_literal(g, T0, ONE);
        three(g, A64_and, 1, s->d, s->a, T0);
        return;
    }
    if (size < 8)
        widen(g, a64_is_signed(type), size, 8, T0, s->a);
    two(g, a64_is_signed(type) ? A64_scvtf : A64_ucvtf, 8, s->d, size < 8 ? T0 : s->a);
}

/* Of or to a float; and of two ints to one that is twice as wide. */
static void of_halves(a64_generator *g, const a64_step *s)
{
    three(g, s->x, 4, s->d, s->a, s->b);
}

/* ---- the table ---- */

#define R(T, op, how, first, second) [AO_OP_##op##_##T] = {.emit = how, .x = first, .y = second},
#define TO(T, op) R(T, op, converted, 0, 0)
#define FIT(T, op) R(T, op, fitted, 0, 0)
#define SIGNED(X, ...) X(i8, __VA_ARGS__) X(i16, __VA_ARGS__) X(i32, __VA_ARGS__) X(i64, __VA_ARGS__)
#define UNSIGNED(X, ...) X(u8, __VA_ARGS__) X(u16, __VA_ARGS__) X(u32, __VA_ARGS__) X(u64, __VA_ARGS__)
#define SHORT(X, ...) X(i8, __VA_ARGS__) X(u8, __VA_ARGS__) X(i16, __VA_ARGS__) X(u16, __VA_ARGS__)                    \
    X(i32, __VA_ARGS__) X(u32, __VA_ARGS__)
const a64_recipe a64_recipes[AO_NOPS] = {
    AO_LIST_ALL(R, COPY, copy, 0, 0)
    AO_LIST_INTS_BOOL(TO, TO_i8) AO_LIST_INTS_BOOL(TO, TO_u8) AO_LIST_INTS_BOOL(TO, TO_i16) AO_LIST_INTS_BOOL(TO, TO_u16)
    AO_LIST_INTS_BOOL(TO, TO_i32) AO_LIST_INTS_BOOL(TO, TO_u32) AO_LIST_INTS_BOOL(TO, TO_i64) AO_LIST_INTS_BOOL(TO, TO_u64)
    AO_LIST_PAST_i8(FIT, FIT_i8) AO_LIST_PAST_u8(FIT, FIT_u8) AO_LIST_PAST_i16(FIT, FIT_i16) AO_LIST_PAST_u16(FIT, FIT_u16)
    AO_LIST_PAST_i32(FIT, FIT_i32) AO_LIST_PAST_u32(FIT, FIT_u32) AO_LIST_PAST_i64(FIT, FIT_i64) AO_LIST_PAST_u64(FIT, FIT_u64)
    AO_LIST_INTS_BOOL(R, TO_f64, to_double, 0, 0)
    R(f32, TO_f64, of_halves, A64_fcvtl, 0)
    R(f64, TO_f32, of_halves, A64_fcvtn, 0)
    R(f64, FIX, fixed, 0, 0)
    R(f64, WHOLE, whole, 0, 0)

    R(f64, ADD, vectors, A64_fadd, 0) AO_LIST_INTS(R, ADD, vectors, A64_add, 0)
    R(f64, SUB, vectors, A64_fsub, 0) AO_LIST_INTS(R, SUB, vectors, A64_sub, 0)
    R(f64, MUL, vectors, A64_fmul, 0) SHORT(R, MUL, vectors, A64_mul, 0) AO_LIST_WIDE(R, MUL, multiplied_64, 0, 0)
    R(i32, ADD_WIDE, of_halves, A64_saddl, 0)
    R(i32, SUB_WIDE, of_halves, A64_ssubl, 0)
    R(i32, MUL_WIDE, of_halves, A64_smull, 0)
    R(i32, ADD_CHECKED, sum_checked, A64_add, A64_sqadd) R(i64, ADD_CHECKED, sum_checked, A64_add, A64_sqadd)
    R(u64, ADD_CHECKED, sum_checked, A64_add, A64_uqadd)
    R(i32, SUB_CHECKED, sum_checked, A64_sub, A64_sqsub) R(i64, SUB_CHECKED, sum_checked, A64_sub, A64_sqsub)
    R(u64, SUB_CHECKED, sum_checked, A64_sub, A64_uqsub)
    R(i32, MUL_CHECKED, product_checked_32, 0, 0)
    R(i64, MUL_CHECKED, product_checked, A64_scvtf, 0) R(u64, MUL_CHECKED, product_checked, A64_ucvtf, 0)
    R(f64, MADD, twice, A64_fmul, A64_fadd)
    R(f64, MSUB, twice, A64_fmul, A64_fsub)
    R(f64, NMADD, taken_from, 0, 0)
    R(f64, ADDM, twice, A64_fadd, A64_fmul)
    R(f64, SUBM, twice, A64_fsub, A64_fmul)
    R(f64, HORNER, horner, 0, 0)
    R(f64, NEG, one, A64_fneg, 0)
    R(f64, FABS, one, A64_fabs, 0) AO_LIST_SIGNED(R, ABS, one, A64_abs, 0)
    R(f64, DIV, vectors, A64_fdiv, 0)
    R(f64, DIV_CHECKED, divided_checked, 0, 0)
    R(f64, SQRT, one, A64_fsqrt, 0)
    R(f64, SQRT_CHECKED, root_checked, 0, 0)
    R(f64, SQUARE_CHECKED, squared_checked, 0, 0)
    R(f64, COPYSIGN, sign_copied, 0, 0)
    R(f64, FLOOR, one, A64_frintm, 0)
    R(f64, CEIL, one, A64_frintp, 0)
    R(f64, TRUNC, one, A64_frintz, 0)
    R(f64, RINT, one, A64_frintx, 0)

    AO_LIST_BITS(R, AND, vectors, A64_and, 0)
    AO_LIST_BITS(R, OR, vectors, A64_orr, 0)
    AO_LIST_BITS(R, XOR, vectors, A64_eor, 0)
    R(b1, NOT, one, A64_mvn, 0)
    AO_LIST_LANES(R, SHL, shifted_left, 0, 0)
    R(i64, SHL_CHECKED, shifted_left_checked, A64_sshl, 0) R(u64, SHL_CHECKED, shifted_left_checked, A64_ushl, 0)
    AO_LIST_SIGNED(R, SHR, shifted_right_signed, 0, 0) AO_LIST_SIGNED(R, SHR_CHECKED, shifted_right_signed, 0, 1)
    R(u16, SHR, shifted_right_unsigned, 0, 0) R(u16, SHR_CHECKED, shifted_right_unsigned, 0, 0)
    R(u32, SHR, shifted_right_unsigned, 0, 0) R(u32, SHR_CHECKED, shifted_right_unsigned, 0, 0)
    R(u64, SHR, shifted_right_unsigned, 0, 0) R(u64, SHR_CHECKED, shifted_right_unsigned, 0, 0)
    AO_LIST_WIDE(R, BIT_COUNT, ones_counted, 0, 0)
    AO_LIST_WIDE(R, BIT_LENGTH, length_found, 0, 0)

    R(f64, EQ, compared, A64_fcmeq, AS_IS) AO_LIST_INTS(R, EQ, compared, A64_cmeq, AS_IS)
    R(f64, NE, compared, A64_fcmeq, OPPOSITE) AO_LIST_INTS(R, NE, compared, A64_cmeq, OPPOSITE)
    R(f64, LT, compared, A64_fcmgt, SWAPPED) SIGNED(R, LT, compared, A64_cmgt, SWAPPED)
    UNSIGNED(R, LT, compared, A64_cmhi, SWAPPED)
    R(f64, LE, compared, A64_fcmge, SWAPPED) SIGNED(R, LE, compared, A64_cmge, SWAPPED)
    UNSIGNED(R, LE, compared, A64_cmhs, SWAPPED)
    R(f64, ISNAN, is_nan, 0, 0)
    R(f64, ISINF, is_infinite, 0, 0)
    R(f64, ISFIN, is_finite, 0, 0)
    AO_LIST_CHOICE(R, SEL, chosen, 0, 0)
};

#endif
