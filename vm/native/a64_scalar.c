/* The instructions of each operation in a scan on AArch64, of one element. What they do is what kernels.c says, of elements to
 * be marked too: a guard may let those pass. The result is written last, as its register may be that of any operand.
 */
#include "a64_scan.h"

#if AO_NATIVE_AARCH64

static unsigned size_of(unsigned type)
{
    return ao_type_sizes[type];
}

static void general(a64_scan *g, uint32_t operation, int wide, unsigned d, unsigned n, unsigned m)
{
    a64_general(&g->code, operation, wide, d, n, m);
}

static void move(a64_scan *g, int wide, unsigned d, unsigned a)
{
    if (d != a || !wide)
        general(g, A64_ORR, wide, d, A64_ZERO, a);
}

static void choose(a64_scan *g, int wide, enum a64_condition condition, unsigned d, unsigned a, unsigned b)
{
    a64_choose(&g->code, A64_CSEL, wide, condition, d, a, b);
}

static void compare_number(a64_scan *g, int wide, unsigned a, unsigned number)
{
    a64_number(&g->code, A64_SUBS_NUMBER, wide, A64_ZERO, a, number);
}

static void take_literal(a64_scan *g, unsigned d, enum a64_literal literal)
{
    a64_load_literal(&g->code, d, literal * (size_t)A64_VECTOR);
}

/* ---- what stops the scan ---- */

static enum a64_condition opposite(enum a64_condition condition)
{
    return (enum a64_condition)(condition ^ 1);
}

static void stop_by(a64_scan *g, size_t jump)
{
    if (g->stop_count < SCAN_STOPS)
        g->stops[g->stop_count++] = jump;
    else
        g->registers.failed = 1;
}

/* The element is to be marked if the condition holds: then the scan stops, if the guard says that it counts. */
static void mark_if(a64_scan *g, const a64_scan_step *s, enum a64_condition condition)
{
    if (s->plan->guard == PLAN_NONE) {
        stop_by(g, a64_jump(&g->code, condition));
        return;
    }
    const size_t unmarked = a64_jump(&g->code, opposite(condition));
    stop_by(g, a64_jump_not_zero(&g->code, s->guard));
    a64_bind(&g->code, unmarked, g->code.at);
}

static void mark_if_negative(a64_scan *g, const a64_scan_step *s, unsigned a)
{
    compare_number(g, 1, a, 0);
    mark_if(g, s, A64_NEGATIVE);
}

/* ---- ints ---- */

/* All 64 bits of an int, in a scratch register if need be. */
static unsigned extended(a64_scan *g, unsigned type, unsigned a, unsigned scratch)
{
    const int is_signed = a64_is_signed(type);
    if (size_of(type) == 8 || type == AO_TYPE_u32 || type == AO_TYPE_b1)
        return a;
    a64_extend(&g->code, is_signed, size_of(type), is_signed, scratch, a);
    return scratch;
}

/* The same operation with a number, of which a negative one is an instruction of the opposite operation. */
static void with_number(a64_scan *g, const a64_scan_step *s, uint32_t operation, unsigned d, unsigned a)
{
    static const struct {
        uint32_t operation;
        enum a64_numbered positive, negative;
    } forms[] = {{A64_ADD, A64_ADD_NUMBER, A64_SUB_NUMBER}, {A64_SUB, A64_SUB_NUMBER, A64_ADD_NUMBER},
                 {A64_ADDS, A64_ADDS_NUMBER, A64_SUBS_NUMBER}, {A64_SUBS, A64_SUBS_NUMBER, A64_ADDS_NUMBER}};
    unsigned k = 0;
    while (forms[k].operation != operation)
        k++;
    const int negative = s->number < 0;
    a64_number(&g->code, negative ? forms[k].negative : forms[k].positive, s->wide, d, a,
               (unsigned)(negative ? -s->number : s->number));
}

static void computed(a64_scan *g, const a64_scan_step *s)
{
    if (s->has_number)
        with_number(g, s, s->x, s->d, s->a);
    else
        general(g, s->x, s->wide, s->d, s->a, s->b);
}

/* y: the condition of an overflow. */
static void sum_checked(a64_scan *g, const a64_scan_step *s)
{
    computed(g, s);
    mark_if(g, s, (enum a64_condition)s->y);
}

/* By 2^k, 2^k + 1 or 2^k - 1, which takes a cycle or two less than a multiplication. */
static void multiplied(a64_scan *g, const a64_scan_step *s)
{
    const uint64_t n = (uint64_t)s->number;
    if (!s->has_number) {
        general(g, A64_MUL, s->wide, s->d, s->a, s->b);
    } else if (!(n & (n - 1))) {
        a64_shift(&g->code, A64_LSL, s->wide, s->d, s->a, ao_trailing_zeros(n));
    } else if (!((n - 1) & (n - 2))) {
        a64_add_shifted(&g->code, s->wide, s->d, s->a, s->a, ao_trailing_zeros(n - 1));
    } else {
        a64_shift(&g->code, A64_LSL, s->wide, S0, s->a, ao_trailing_zeros(n + 1));
        general(g, A64_SUB, s->wide, s->d, S0, s->a);
    }
}

/* The high half of a product that fits is the sign of the low one. */
static void product_checked(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_SMULH, 1, S0, s->a, s->b);
    general(g, A64_MUL, 1, s->d, s->a, s->b);
    a64_shift(&g->code, A64_ASR, 1, S1, s->d, 63);
    a64_compare(&g->code, 1, S0, S1);
    mark_if(g, s, A64_NOT_EQUAL);
}

/* Of i32: what fits comes back the same from its low half. */
static void product_checked_32(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_SMULL, 1, S0, s->a, s->b);
    a64_compare(&g->code, 1, S0, extended(g, AO_TYPE_i32, S0, S1));
    mark_if(g, s, A64_NOT_EQUAL);
    move(g, 0, s->d, S0);
}

static void product_checked_unsigned(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_UMULH, 1, S0, s->a, s->b);
    general(g, A64_MUL, 1, s->d, s->a, s->b);
    compare_number(g, 1, S0, 0);
    mark_if(g, s, A64_NOT_EQUAL);
}

/* Of i32 to i64. */
static void product(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_SMULL, 1, s->d, s->a, s->b);
}

static void widened(a64_scan *g, const a64_scan_step *s)
{
    const unsigned a = extended(g, AO_TYPE_i32, s->a, S0), b = extended(g, AO_TYPE_i32, s->b, S1);
    general(g, s->x, 1, s->d, a, b);
}

static void absolute(a64_scan *g, const a64_scan_step *s)
{
    const unsigned a = s->info->type == AO_TYPE_i16 ? extended(g, AO_TYPE_i16, s->a, S0) : s->a;
    compare_number(g, s->wide, a, 0);
    a64_choose(&g->code, A64_CSNEG, s->wide, A64_NOT_NEGATIVE, s->d, a, a);
}

static void inverted(a64_scan *g, const a64_scan_step *s)
{
    a64_flip_lowest(&g->code, s->d, s->a);
}

static unsigned magnitude(a64_scan *g, const a64_scan_step *s)
{
    if (!a64_is_signed(s->info->type))
        return s->a;
    compare_number(g, 1, s->a, 0);
    a64_choose(&g->code, A64_CSNEG, 1, A64_NOT_NEGATIVE, S0, s->a, s->a);
    return S0;
}

/* Bytes are counted, and summed across. */
static void bit_count(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_FMOV_FROM, 1, F0, magnitude(g, s), 0);
    a64_emit(&g->code, A64_cnt, 1, F0, F0, 0);
    a64_emit(&g->code, A64_addv, 1, F0, F0, 0);
    a64_move_lowest(&g->code, 1, s->d, F0);
}

static void bit_length(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_CLZ, 1, S0, magnitude(g, s), 0);
    a64_move_number(&g->code, S1, 64);
    general(g, A64_SUB, 1, s->d, S1, S0);
}

/* By a positive number that is known: rounded down, so that the remainder, x, is not negative. */
static void divided_int(a64_scan *g, const a64_scan_step *s)
{
    const int is_signed = a64_is_signed(s->info->type);
    if (!s->has_number || s->number <= 1) {
        g->registers.failed = 1;
        return;
    }
    const unsigned a = extended(g, s->info->type, s->a, S0);
    a64_move_number(&g->code, S2, (uint64_t)s->number);
    general(g, is_signed ? A64_SDIV : A64_UDIV, 1, S1, a, S2);
    general(g, A64_MUL, 1, S2, S1, S2);
    general(g, A64_SUB, 1, S2, a, S2);
    if (is_signed && s->x) {
        a64_move_number(&g->code, S0, (uint64_t)s->number);
        general(g, A64_ADD, 1, S0, S0, S2);
        compare_number(g, 1, S2, 0);
        choose(g, s->wide, A64_NEGATIVE, s->d, S0, S2);
    } else if (is_signed) {
        a64_shift(&g->code, A64_ASR, 1, S2, S2, 63);
        general(g, A64_ADD, s->wide, s->d, S1, S2);
    } else {
        move(g, s->wide, s->d, s->x ? S2 : S1);
    }
}

/* ---- shifts: counts outside the width give what ops.def says ---- */

static unsigned bits_of(const a64_scan_step *s)
{
    return 8 * size_of(s->info->type);
}

/* What is shifted to the right. */
static unsigned shifted_number(a64_scan *g, const a64_scan_step *s)
{
    return bits_of(s) == 16 ? extended(g, s->info->type, s->a, S0) : s->a;
}

/* A count that is known. */
static void shift_by(a64_scan *g, const a64_scan_step *s)
{
    const enum a64_shift shift = s->x;
    const unsigned width = bits_of(s);
    const int known = s->number >= 0 && s->number < (int64_t)width;
    const unsigned count = known ? (unsigned)s->number : s->number < 0 ? 0 : width - 1;
    if (!known && shift != A64_ASR)
        a64_clear(&g->code, s->d);
    else
        a64_shift(&g->code, shift, s->wide, s->d, shift == A64_LSL ? s->a : shifted_number(g, s), count);
}

/* To S0, by a count of no sign: 0 if it is past the width. */
static void shift_variably(a64_scan *g, const a64_scan_step *s, enum a64_operation operation)
{
    const unsigned count = bits_of(s) == 16 ? extended(g, AO_TYPE_u16, s->b, S1) : s->b;
    general(g, operation, s->wide, S0, operation == A64_LSLV ? s->a : shifted_number(g, s), count);
    compare_number(g, s->wide, count, bits_of(s));
    choose(g, s->wide, A64_BELOW, S0, S0, A64_ZERO);
}

/* By a count that is clamped. */
static void shift_clamped(a64_scan *g, const a64_scan_step *s)
{
    const unsigned count = bits_of(s) == 16 ? extended(g, AO_TYPE_i16, s->b, S1) : s->b;
    compare_number(g, s->wide, count, 0);
    choose(g, s->wide, A64_NEGATIVE, S1, A64_ZERO, count);
    a64_move_number(&g->code, S2, bits_of(s) - 1);
    a64_compare(&g->code, s->wide, S1, S2);
    choose(g, s->wide, A64_ABOVE, S1, S2, S1);
    general(g, A64_ASRV, s->wide, s->d, shifted_number(g, s), S1);
}

/* x: the way. */
static void shifted(a64_scan *g, const a64_scan_step *s)
{
    if (s->has_number) {
        shift_by(g, s);
    } else if (s->x == A64_ASR) {
        shift_clamped(g, s);
    } else {
        shift_variably(g, s, s->x == A64_LSL ? A64_LSLV : A64_LSRV);
        move(g, s->wide, s->d, S0);
    }
}

static void shifted_left_checked(a64_scan *g, const a64_scan_step *s)
{
    shift_variably(g, s, A64_LSLV);
    general(g, a64_is_signed(s->info->type) ? A64_ASRV : A64_LSRV, 1, S1, S0, s->b);
    a64_compare(&g->code, 1, S1, s->a);
    mark_if(g, s, A64_NOT_EQUAL);
    compare_number(g, 1, s->b, 63);
    mark_if(g, s, A64_ABOVE);
    move(g, 1, s->d, S0);
}

static void shifted_right_checked(a64_scan *g, const a64_scan_step *s)
{
    if (a64_is_signed(s->info->type))
        mark_if_negative(g, s, extended(g, s->info->type, s->b, S0));
    shifted(g, s);
}

/* ---- conversions ---- */

static void resize(a64_scan *g, unsigned from, unsigned to, unsigned d, unsigned a)
{
    const int is_signed = a64_is_signed(from), widens = size_of(to) > size_of(from);
    if (widens && from != AO_TYPE_b1 && from != AO_TYPE_u32)
        a64_extend(&g->code, is_signed, size_of(from), is_signed && size_of(to) == 8, d, a);
    else
        move(g, size_of(to) != 4, d, a);
}

static void converted(a64_scan *g, const a64_scan_step *s)
{
    resize(g, s->info->type, s->info->dst, s->d, s->a);
}

static void fitted(a64_scan *g, const a64_scan_step *s)
{
    const unsigned from = s->info->type, to = s->info->dst;
    const int was_signed = a64_is_signed(from), is_signed = a64_is_signed(to);
    const unsigned all = extended(g, from, s->a, S0);
    if (size_of(to) < size_of(from)) {
        const unsigned part = to == AO_TYPE_u32 ? S1 : extended(g, to, s->a, S1);
        if (to == AO_TYPE_u32)
            move(g, 0, S1, s->a);
        a64_compare(&g->code, 1, all, part);
        mark_if(g, s, A64_NOT_EQUAL);
        if (from == AO_TYPE_u64 && is_signed)
            mark_if_negative(g, s, all);
    } else if (was_signed != is_signed && (was_signed || size_of(to) == size_of(from))) {
        mark_if_negative(g, s, was_signed || size_of(from) == 8 ? all : extended(g, to, s->a, S1));
    }
    resize(g, from, to, s->d, s->a);
}

static void to_double(a64_scan *g, const a64_scan_step *s)
{
    const unsigned type = s->info->type;
    general(g, a64_is_signed(type) ? A64_SCVTF : A64_UCVTF, 1, s->d, extended(g, type, s->a, S0), 0);
}

/* What does not fit is 0. */
static void fixed(a64_scan *g, const a64_scan_step *s)
{
    take_literal(g, F0, MINUS_TWO_63);
    general(g, A64_FCMP, 0, 0, s->a, F0);
    a64_choose(&g->code, A64_CSINC, 1, A64_LESS, S0, A64_ZERO, A64_ZERO);
    take_literal(g, F0, TWO_63);
    general(g, A64_FCMP, 0, 0, s->a, F0);
    choose(g, 1, A64_NEGATIVE, S0, S0, A64_ZERO);
    general(g, A64_FCVTZS, 1, S1, s->a, 0);
    compare_number(g, 1, S0, 0);
    choose(g, 1, A64_NOT_EQUAL, s->d, S1, A64_ZERO);
    mark_if(g, s, A64_EQUAL);
}

/* ---- doubles ---- */

static void doubles(a64_scan *g, const a64_scan_step *s)
{
    general(g, s->x, 0, s->d, s->a, s->b);
}

static void twice(a64_scan *g, const a64_scan_step *s)
{
    general(g, s->x, 0, F0, s->a, s->b);
    general(g, s->y, 0, s->d, F0, s->c);
}

static void taken_from(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_FMUL, 0, F0, s->a, s->b);
    general(g, A64_FSUB, 0, s->d, s->c, F0);
}

static void horner(a64_scan *g, const a64_scan_step *s)
{
    const uint16_t *value_of = g->plan->value_of;
    for (unsigned k = s->plan->b; k <= s->plan->c; k++) {
        const unsigned constant = ao_scan_read(&g->registers, value_of[k]);
        if (k == s->plan->b) {
            general(g, A64_FMOV, 0, F0, constant, 0);
        } else {
            general(g, A64_FMUL, 0, F0, F0, s->a);
            general(g, A64_FADD, 0, F0, F0, constant);
        }
        ao_scan_unpin(&g->registers, value_of[k]);
    }
    general(g, A64_FMOV, 0, s->d, F0, 0);
}

static void sign_copied(a64_scan *g, const a64_scan_step *s)
{
    take_literal(g, F0, SIGN_BIT);
    general(g, A64_FMOV, 0, F1, s->a, 0);
    a64_emit(&g->code, A64_bit, 1, F1, s->b, F0);
    general(g, A64_FMOV, 0, s->d, F1, 0);
}

/* To the flags: |a| and infinity. */
static void compare_to_infinity(a64_scan *g, unsigned a)
{
    general(g, A64_FABS, 0, F0, a, 0);
    take_literal(g, F1, INFINITE);
    general(g, A64_FCMP, 0, 0, F0, F1);
}

static void whole(a64_scan *g, const a64_scan_step *s)
{
    compare_to_infinity(g, s->a);
    mark_if(g, s, A64_NOT_NEGATIVE);
    a64_clear_vector(&g->code, F0);
    general(g, A64_FADD, 0, s->d, s->a, F0);
}

static void divided_checked(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_FCMP_0, 0, 0, s->b, 0);
    mark_if(g, s, A64_EQUAL);
    doubles(g, s);
}

static void root_checked(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_FCMP_0, 0, 0, s->a, 0);
    mark_if(g, s, A64_NEGATIVE);
    doubles(g, s);
}

/* a - a is 0 if a is finite, else nan: so the sum is infinite only where the square overflowed. */
static void squared_checked(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_FMUL, 0, F0, s->a, s->a);
    general(g, A64_FSUB, 0, F1, s->a, s->a);
    general(g, A64_FADD, 0, F0, F0, F1);
    compare_to_infinity(g, F0);
    mark_if(g, s, A64_EQUAL);
    general(g, A64_FMUL, 0, s->d, s->a, s->a);
}

/* ---- comparisons and choice ---- */

enum { OP_EQ, OP_NE, OP_LT, OP_LE, COMPARISONS };

/* To the flags: the condition that holds then, of doubles not for nan but where != is asked for. */
static enum a64_condition compare(a64_scan *g, const a64_scan_step *s)
{
    static const uint8_t conditions[3][COMPARISONS] = {{A64_EQUAL, A64_NOT_EQUAL, A64_BELOW, A64_BELOW_EQUAL},
                                                       {A64_EQUAL, A64_NOT_EQUAL, A64_LESS, A64_LESS_EQUAL},
                                                       {A64_EQUAL, A64_NOT_EQUAL, A64_NEGATIVE, A64_BELOW_EQUAL}};
    const unsigned type = s->info->type, narrow = size_of(type) < 4;
    if (type == AO_TYPE_f64) {
        general(g, A64_FCMP, 0, 0, s->a, s->b);
        return (enum a64_condition)conditions[2][s->x];
    }
    const unsigned a = narrow ? extended(g, type, s->a, S0) : s->a;
    if (s->has_number)
        with_number(g, s, A64_SUBS, A64_ZERO, a);
    else
        a64_compare(&g->code, s->wide, a, narrow ? extended(g, type, s->b, S1) : s->b);
    return (enum a64_condition)conditions[a64_is_signed(type)][s->x];
}

static void set_if(a64_scan *g, enum a64_condition condition, unsigned d)
{
    a64_choose(&g->code, A64_CSINC, 0, opposite(condition), d, A64_ZERO, A64_ZERO);
}

static void compared(a64_scan *g, const a64_scan_step *s)
{
    set_if(g, compare(g, s), s->d);
}

static void is_nan(a64_scan *g, const a64_scan_step *s)
{
    general(g, A64_FCMP, 0, 0, s->a, s->a);
    set_if(g, A64_OVERFLOW, s->d); /* which says that they are not in order */
}

/* x: the condition. */
static void against_infinity(a64_scan *g, const a64_scan_step *s)
{
    compare_to_infinity(g, s->a);
    set_if(g, (enum a64_condition)s->x, s->d);
}

static void choose_by(a64_scan *g, const a64_scan_step *s, enum a64_condition condition)
{
    const int is_double = s->info->type == AO_TYPE_f64;
    a64_choose(&g->code, is_double ? A64_FCSEL : A64_CSEL, !is_double && s->wide, condition, s->d, s->b, s->c);
}

static void chosen(a64_scan *g, const a64_scan_step *s)
{
    compare_number(g, 0, s->a, 0);
    choose_by(g, s, A64_NOT_EQUAL);
}

void a64_chosen_by(a64_scan *g, const a64_scan_step *s, const a64_scan_step *condition)
{
    choose_by(g, s, compare(g, condition));
}

/* ---- copies and tables ---- */

static void copied(a64_scan *g, const a64_scan_step *s)
{
    if (ao_scan_class(s->info->type) == CLASS_FLOAT)
        general(g, A64_FMOV, 0, s->d, s->a, 0);
    else
        move(g, 1, s->d, s->a);
}

/* The index that is checked is the one that is used: it is in S0. Outside, element 0 stands for it. */
static void taken(a64_scan *g, const a64_scan_step *s)
{
    a64_load(&g->code, S2, X_REGISTERS, s->plan->b * sizeof(char *));
    a64_load(&g->code, S2, S2, 0);
    a64_load(&g->code, S1, S2, offsetof(ao_table, count));
    a64_load(&g->code, S2, S2, offsetof(ao_table, data));
    general(g, A64_ADD, 1, S0, s->a, S1);
    compare_number(g, 1, s->a, 0);
    choose(g, 1, A64_NEGATIVE, S0, S0, s->a);
    a64_compare(&g->code, 1, S0, S1);
    choose(g, 1, A64_BELOW, S0, S0, A64_ZERO);
    mark_if(g, s, A64_ABOVE_EQUAL);
    a64_scan_load_indexed(g, s->info->dst, s->d, S2, S0);
}

/* ---- the table ---- */

#define R(T, op, emit, x, y, numbers) [AO_OP_##op##_##T] = {emit, x, y, numbers},
#define TO(T, op) R(T, op, converted, 0, 0, NO_NUMBER)
#define FIT(T, op) R(T, op, fitted, 0, 0, NO_NUMBER)
#define SHIFTED(T, op, way) R(T, op, shifted, way, 0, ANY_NUMBER)
#define UNSIGNED_LANES(X, ...) X(u16, __VA_ARGS__) X(u32, __VA_ARGS__) X(u64, __VA_ARGS__)
const a64_scan_recipe a64_scan_recipes[AO_NOPS] = {
    AO_LIST_ALL(R, COPY, copied, 0, 0, NO_NUMBER)
    AO_LIST_INTS_BOOL(TO, TO_i8) AO_LIST_INTS_BOOL(TO, TO_u8) AO_LIST_INTS_BOOL(TO, TO_i16) AO_LIST_INTS_BOOL(TO, TO_u16)
    AO_LIST_INTS_BOOL(TO, TO_i32) AO_LIST_INTS_BOOL(TO, TO_u32) AO_LIST_INTS_BOOL(TO, TO_i64) AO_LIST_INTS_BOOL(TO, TO_u64)
    AO_LIST_PAST_i8(FIT, FIT_i8) AO_LIST_PAST_u8(FIT, FIT_u8) AO_LIST_PAST_i16(FIT, FIT_i16) AO_LIST_PAST_u16(FIT, FIT_u16)
    AO_LIST_PAST_i32(FIT, FIT_i32) AO_LIST_PAST_u32(FIT, FIT_u32) AO_LIST_PAST_i64(FIT, FIT_i64) AO_LIST_PAST_u64(FIT, FIT_u64)
    AO_LIST_INTS_BOOL(R, TO_f64, to_double, 0, 0, NO_NUMBER)
    R(f32, TO_f64, doubles, A64_FCVT_SD, 0, NO_NUMBER)
    R(f64, TO_f32, doubles, A64_FCVT_DS, 0, NO_NUMBER)
    R(f64, FIX, fixed, 0, 0, NO_NUMBER)
    R(f64, WHOLE, whole, 0, 0, NO_NUMBER)

    AO_LIST_INTS(R, ADD, computed, A64_ADD, 0, SHORT_NUMBER)
    AO_LIST_INTS(R, SUB, computed, A64_SUB, 0, SHORT_NUMBER)
    AO_LIST_INTS(R, MUL, multiplied, 0, 0, SHIFTING_NUMBER)
    R(i32, ADD_WIDE, widened, A64_ADD, 0, NO_NUMBER)
    R(i32, SUB_WIDE, widened, A64_SUB, 0, NO_NUMBER)
    R(i32, MUL_WIDE, product, 0, 0, NO_NUMBER)
    R(i32, ADD_CHECKED, sum_checked, A64_ADDS, A64_OVERFLOW, SHORT_NUMBER)
    R(i64, ADD_CHECKED, sum_checked, A64_ADDS, A64_OVERFLOW, SHORT_NUMBER)
    R(u64, ADD_CHECKED, sum_checked, A64_ADDS, A64_ABOVE_EQUAL, SHORT_NUMBER)
    R(i32, SUB_CHECKED, sum_checked, A64_SUBS, A64_OVERFLOW, SHORT_NUMBER)
    R(i64, SUB_CHECKED, sum_checked, A64_SUBS, A64_OVERFLOW, SHORT_NUMBER)
    R(u64, SUB_CHECKED, sum_checked, A64_SUBS, A64_BELOW, SHORT_NUMBER)
    R(i32, MUL_CHECKED, product_checked_32, 0, 0, NO_NUMBER) R(i64, MUL_CHECKED, product_checked, 0, 0, NO_NUMBER)
    R(u64, MUL_CHECKED, product_checked_unsigned, 0, 0, NO_NUMBER)
    R(i32, FLOORDIV_CHECKED, divided_int, 0, 0, ANY_NUMBER) R(u32, FLOORDIV_CHECKED, divided_int, 0, 0, ANY_NUMBER)
    AO_LIST_WIDE(R, FLOORDIV_CHECKED, divided_int, 0, 0, ANY_NUMBER)
    R(i32, MOD_CHECKED, divided_int, 1, 0, ANY_NUMBER) R(u32, MOD_CHECKED, divided_int, 1, 0, ANY_NUMBER)
    AO_LIST_WIDE(R, MOD_CHECKED, divided_int, 1, 0, ANY_NUMBER)
    AO_LIST_SIGNED(R, ABS, absolute, 0, 0, NO_NUMBER)

    R(f64, ADD, doubles, A64_FADD, 0, NO_NUMBER)
    R(f64, SUB, doubles, A64_FSUB, 0, NO_NUMBER)
    R(f64, MUL, doubles, A64_FMUL, 0, NO_NUMBER)
    R(f64, DIV, doubles, A64_FDIV, 0, NO_NUMBER)
    R(f64, MADD, twice, A64_FMUL, A64_FADD, NO_NUMBER)
    R(f64, MSUB, twice, A64_FMUL, A64_FSUB, NO_NUMBER)
    R(f64, NMADD, taken_from, 0, 0, NO_NUMBER)
    R(f64, ADDM, twice, A64_FADD, A64_FMUL, NO_NUMBER)
    R(f64, SUBM, twice, A64_FSUB, A64_FMUL, NO_NUMBER)
    R(f64, HORNER, horner, 0, 0, NO_NUMBER)
    R(f64, NEG, doubles, A64_FNEG, 0, NO_NUMBER)
    R(f64, FABS, doubles, A64_FABS, 0, NO_NUMBER)
    R(f64, DIV_CHECKED, divided_checked, A64_FDIV, 0, NO_NUMBER)
    R(f64, SQRT, doubles, A64_FSQRT, 0, NO_NUMBER)
    R(f64, SQRT_CHECKED, root_checked, A64_FSQRT, 0, NO_NUMBER)
    R(f64, SQUARE_CHECKED, squared_checked, 0, 0, NO_NUMBER)
    R(f64, COPYSIGN, sign_copied, 0, 0, NO_NUMBER)
    R(f64, FLOOR, doubles, A64_FRINTM, 0, NO_NUMBER)
    R(f64, CEIL, doubles, A64_FRINTP, 0, NO_NUMBER)
    R(f64, TRUNC, doubles, A64_FRINTZ, 0, NO_NUMBER)
    R(f64, RINT, doubles, A64_FRINTX, 0, NO_NUMBER)

    AO_LIST_BITS(R, AND, computed, A64_AND, 0, NO_NUMBER)
    AO_LIST_BITS(R, OR, computed, A64_ORR, 0, NO_NUMBER)
    AO_LIST_BITS(R, XOR, computed, A64_EOR, 0, NO_NUMBER)
    R(b1, NOT, inverted, 0, 0, NO_NUMBER)
    AO_LIST_LANES(SHIFTED, SHL, A64_LSL)
    AO_LIST_SIGNED(SHIFTED, SHR, A64_ASR) UNSIGNED_LANES(SHIFTED, SHR, A64_LSR)
    AO_LIST_WIDE(R, SHL_CHECKED, shifted_left_checked, 0, 0, NO_NUMBER)
    AO_LIST_SIGNED(R, SHR_CHECKED, shifted_right_checked, A64_ASR, 0, NO_NUMBER)
    UNSIGNED_LANES(R, SHR_CHECKED, shifted_right_checked, A64_LSR, 0, NO_NUMBER)
    AO_LIST_WIDE(R, BIT_COUNT, bit_count, 0, 0, NO_NUMBER)
    AO_LIST_WIDE(R, BIT_LENGTH, bit_length, 0, 0, NO_NUMBER)

    AO_LIST_ORDERED(R, EQ, compared, OP_EQ, 0, SHORT_NUMBER)
    AO_LIST_ORDERED(R, NE, compared, OP_NE, 0, SHORT_NUMBER)
    AO_LIST_ORDERED(R, LT, compared, OP_LT, 0, SHORT_NUMBER)
    AO_LIST_ORDERED(R, LE, compared, OP_LE, 0, SHORT_NUMBER)
    R(f64, ISNAN, is_nan, 0, 0, NO_NUMBER)
    R(f64, ISINF, against_infinity, A64_EQUAL, 0, NO_NUMBER)
    R(f64, ISFIN, against_infinity, A64_NEGATIVE, 0, NO_NUMBER)
    AO_LIST_CHOICE(R, SEL, chosen, 0, 0, NO_NUMBER)
    AO_LIST_ALL(R, TAKE, taken, 0, 0, NO_NUMBER)
};

int a64_is_choice(unsigned op)
{
    return a64_scan_recipes[op].emit == chosen;
}

int a64_is_comparison(unsigned op)
{
    return a64_scan_recipes[op].emit == compared;
}

#endif
