/* The instructions of each operation in a scan, of one element. What they do is what kernels.c says, of elements to be marked
 * too: a guard may let those pass.
 */
#include "x86_scan.h"

#if AO_NATIVE_X86_64

static void three(x86_scan *g, enum x86_form form, unsigned d, unsigned a, unsigned b)
{
    x86_emit(&g->code, (x86_vector){.form = form, .reg = d, .vvvv = a, .rm = x86_reg(b), .imm = X86_NO_IMM});
}

static void three_imm(x86_scan *g, enum x86_form form, unsigned d, unsigned a, unsigned b, int imm)
{
    x86_emit(&g->code, (x86_vector){.form = form, .reg = d, .vvvv = a, .rm = x86_reg(b), .imm = imm});
}

static void with_literal(x86_scan *g, enum x86_form form, unsigned d, unsigned a, enum x86_literal literal, int imm)
{
    x86_emit(&g->code, (x86_vector){.form = form, .reg = d, .vvvv = a, .rm = x86_literal(literal), .imm = imm});
}

/* ---- what stops the scan ---- */

static enum x86_condition opposite(enum x86_condition condition)
{
    return (enum x86_condition)(condition ^ 1);
}

static void stop_if(x86_scan *g, enum x86_condition condition)
{
    if (g->stop_count < STOPS)
        g->stops[g->stop_count++] = x86_jump(&g->code, condition);
    else
        g->registers.failed = 1;
}

/* The element is to be marked if the condition holds: then the scan stops, if the guard says that it counts. */
static void mark_if(x86_scan *g, const x86_scan_step *s, enum x86_condition condition)
{
    if (s->plan->guard == PLAN_NONE) {
        stop_if(g, condition);
        return;
    }
    const size_t unmarked = x86_jump(&g->code, opposite(condition));
    general(g, X86_TEST, 0, s->guard, s->guard);
    stop_if(g, X86_NOT_ZERO);
    x86_bind(&g->code, unmarked, g->code.at);
}

/* If the truth value of a comparison of floats in xmm0 is true. */
static void mark_if_true(x86_scan *g, const x86_scan_step *s)
{
    x86_emit(&g->code, (x86_vector){.form = X86_vmovq_to, .reg = 0, .rm = x86_reg(RAX), .imm = X86_NO_IMM});
    general(g, X86_TEST, 1, RAX, RAX);
    mark_if(g, s, X86_NOT_ZERO);
}

/* ---- ints ---- */

/* All 64 bits of an int, in a scratch register if need be. */
static unsigned extended(x86_scan *g, unsigned type, unsigned a, unsigned scratch)
{
    switch (type) {
    case AO_TYPE_i8: general(g, X86_MOVSX_8, 1, scratch, a); return scratch;
    case AO_TYPE_u8: general(g, X86_MOVZX_8, 0, scratch, a); return scratch;
    case AO_TYPE_i16: general(g, X86_MOVSX_16, 1, scratch, a); return scratch;
    case AO_TYPE_u16: general(g, X86_MOVZX_16, 0, scratch, a); return scratch;
    case AO_TYPE_i32: general(g, X86_MOVSXD, 1, scratch, a); return scratch;
    default: return a;
    }
}

/* d = a OP b of which d may be a or, if it commutes, b. */
static void arithmetic(x86_scan *g, const x86_scan_step *s, unsigned op, enum x86_immediate immediate)
{
    unsigned a = s->a, b = s->b;
    if (s->d == b && !s->has_imm && b != a)
        b = s->a, a = s->b;
    move(g, s->wide, s->d, a);
    if (s->has_imm)
        x86_immediate(&g->code, immediate, s->wide, s->d, s->imm);
    else
        general(g, op, s->wide, s->d, b);
}

static void computed(x86_scan *g, const x86_scan_step *s)
{
    arithmetic(g, s, s->x, (enum x86_immediate)s->y);
}

/* The number -1 stands for the mask of 32 bits as well: that is a move. */
static void masked(x86_scan *g, const x86_scan_step *s)
{
    if (s->wide && s->has_imm && s->imm == -1 && ao_constant_of(g->plan, &g->plan->value[s->plan->b])->u == UINT32_MAX)
        general(g, X86_MOV, 0, s->d, s->a);
    else
        computed(g, s);
}

static void sum_checked(x86_scan *g, const x86_scan_step *s)
{
    computed(g, s);
    mark_if(g, s, x86_is_signed(s->info->type) ? X86_OVERFLOW : X86_BELOW);
}

static int is_power(uint64_t x)
{
    return x && !(x & (x - 1));
}

/* A multiplication takes 3 cycles, a shift with an addition 2, a sum with a multiple as an address 1. */
static void multiplied_by(x86_scan *g, const x86_scan_step *s, uint64_t number)
{
    const int above = is_power(number - 1);
    if (number == 3 || number == 5 || number == 9) {
        x86_general(&g->code, X86_LEA, s->wide, s->d, x86_at(s->a, s->a, ao_trailing_zeros(number - 1), 0));
    } else if (is_power(number)) {
        move(g, s->wide, s->d, s->a);
        x86_shift(&g->code, X86_SHL_IMM, s->wide, s->d, ao_trailing_zeros(number));
    } else if (above || is_power(number + 1)) {
        move(g, s->wide, RAX, s->a);
        x86_shift(&g->code, X86_SHL_IMM, s->wide, RAX, ao_trailing_zeros(above ? number - 1 : number + 1));
        general(g, above ? X86_ADD : X86_SUB, s->wide, RAX, s->a);
        move(g, s->wide, s->d, RAX);
    } else {
        x86_imul_imm(&g->code, s->wide, s->d, s->a, s->imm);
    }
}

static void multiplied(x86_scan *g, const x86_scan_step *s)
{
    if (!s->has_imm)
        arithmetic(g, s, X86_IMUL, X86_ADD_IMM);
    else if (s->imm > 1)
        multiplied_by(g, s, (uint64_t)s->imm);
    else
        x86_imul_imm(&g->code, s->wide, s->d, s->a, s->imm);
}

static void product_checked(x86_scan *g, const x86_scan_step *s)
{
    if (s->has_imm)
        x86_imul_imm(&g->code, s->wide, s->d, s->a, s->imm);
    else
        arithmetic(g, s, X86_IMUL, X86_ADD_IMM);
    mark_if(g, s, X86_OVERFLOW);
}

static void product_checked_unsigned(x86_scan *g, const x86_scan_step *s)
{
    move(g, 1, RAX, s->a);
    x86_unary(&g->code, X86_MUL, 1, s->b);
    mark_if(g, s, X86_OVERFLOW);
    move(g, 1, s->d, RAX);
}

/* Of i32 to i64. */
static void widened(x86_scan *g, const x86_scan_step *s)
{
    general(g, X86_MOVSXD, 1, RAX, s->a);
    general(g, X86_MOVSXD, 1, RCX, s->b);
    general(g, s->x, 1, RAX, RCX);
    move(g, 1, s->d, RAX);
}

static void absolute(x86_scan *g, const x86_scan_step *s)
{
    const unsigned a = s->info->type == AO_TYPE_i16 ? extended(g, AO_TYPE_i16, s->a, RAX) : s->a;
    move(g, s->wide, RCX, a);
    x86_unary(&g->code, X86_NEG, s->wide, RCX);
    general(g, x86_cmov(X86_NEGATIVE), s->wide, RCX, a);
    move(g, s->wide, s->d, RCX);
}

static void negated(x86_scan *g, const x86_scan_step *s)
{
    move(g, 0, s->d, s->a);
    x86_immediate(&g->code, X86_XOR_IMM, 0, s->d, 1);
}

/* To rax. */
static void magnitude(x86_scan *g, const x86_scan_step *s)
{
    move(g, 1, RAX, s->a);
    if (!x86_is_signed(s->info->type))
        return;
    x86_unary(&g->code, X86_NEG, 1, RAX);
    general(g, x86_cmov(X86_NEGATIVE), 1, RAX, s->a);
}

static void bit_count(x86_scan *g, const x86_scan_step *s)
{
    magnitude(g, s);
    general(g, X86_POPCNT, 1, s->d, RAX);
}

static void bit_length(x86_scan *g, const x86_scan_step *s)
{
    magnitude(g, s);
    general(g, X86_LZCNT, 1, RAX, RAX);
    x86_mov_imm(&g->code, s->d, 64);
    general(g, X86_SUB, 1, s->d, RAX);
}

/* ---- division by a positive number that is known: rounded down, so that the remainder is not negative ---- */

/* Of an a of 32 bits made positive by a multiple of the divisor: then the high half of its product with 2^64 / divisor,
 * rounded up, is the quotient, as the product is off by less than 2^33 * divisor <= 2^64. */
static void divide_short(x86_scan *g, const x86_scan_step *s)
{
    const uint64_t divisor = (uint64_t)s->imm;
    const uint64_t multiple = x86_is_signed(s->info->type) ? ((UINT64_C(1) << 31) + divisor - 1) / divisor : 0;
    unsigned a = s->a;
    if (multiple) {
        general(g, X86_MOVSXD, 1, RAX, a);
        x86_mov_imm(&g->code, RCX, multiple * divisor);
        general(g, X86_ADD, 1, RCX, RAX);
        a = RCX;
    }
    x86_mov_imm(&g->code, RAX, UINT64_MAX / divisor + 1);
    x86_unary(&g->code, X86_MUL, 1, a);
    if (s->x) {
        x86_imul_imm(&g->code, 1, RDX, RDX, s->imm);
        move(g, 1, RAX, a);
        general(g, X86_SUB, 1, RAX, RDX);
        move(g, 0, s->d, RAX);
    } else {
        if (multiple)
            x86_immediate(&g->code, X86_SUB_IMM, 0, RDX, (int32_t)(uint32_t)multiple);
        move(g, 0, s->d, RDX);
    }
}

static void divide_long(x86_scan *g, const x86_scan_step *s)
{
    const int is_signed = x86_is_signed(s->info->type);
    x86_mov_imm(&g->code, RCX, (uint64_t)s->imm);
    move(g, 1, RAX, s->a);
    if (is_signed)
        x86_sign_to_rdx(&g->code, 1);
    else
        x86_clear(&g->code, RDX);
    x86_unary(&g->code, is_signed ? X86_IDIV : X86_DIV, 1, RCX);
    if (is_signed) {
        move(g, 1, RCX, RDX);
        x86_shift(&g->code, X86_SAR_IMM, 1, RCX, 63);
        general(g, X86_ADD, 1, RAX, RCX);
        x86_immediate(&g->code, X86_AND_IMM, 1, RCX, s->imm);
        general(g, X86_ADD, 1, RDX, RCX);
    }
    move(g, 1, s->d, s->x ? RDX : RAX);
}

/* x: the remainder. */
static void divided_int(x86_scan *g, const x86_scan_step *s)
{
    if (!s->has_imm || s->imm <= 1)
        g->registers.failed = 1;
    else if (s->wide)
        divide_long(g, s);
    else
        divide_short(g, s);
}

/* ---- shifts: counts outside the width give what ops.def says ---- */

static unsigned bits_of(const x86_scan_step *s)
{
    return 8 * size_of(s->info->type);
}

/* What is shifted to the right. */
static unsigned shifted_number(x86_scan *g, const x86_scan_step *s)
{
    return bits_of(s) == 16 ? extended(g, s->info->type, s->a, RAX) : s->a;
}

/* A count that is known. */
static void shift_by(x86_scan *g, const x86_scan_step *s)
{
    const unsigned width = bits_of(s), known = s->imm >= 0 && s->imm < (int32_t)width;
    const int arithmetic_right = s->x == X86_SAR_IMM;
    const unsigned count = known ? (unsigned)s->imm : s->imm < 0 ? 0 : width - 1;
    if (!known && !arithmetic_right) {
        x86_clear(&g->code, s->d);
        return;
    }
    move(g, s->wide, s->d, s->x == X86_SHL_IMM ? s->a : shifted_number(g, s));
    if (count)
        x86_shift(&g->code, (enum x86_shift)s->x, s->wide, s->d, count);
}

/* To rax, by a count of no sign: 0 if it is past the width. */
static void shift_variably(x86_scan *g, const x86_scan_step *s, enum x86_bits op)
{
    const unsigned count = bits_of(s) == 16 ? extended(g, AO_TYPE_u16, s->b, RCX) : s->b;
    x86_bits(&g->code, op, s->wide, RAX, op == X86_SHLX ? s->a : shifted_number(g, s), count);
    x86_clear(&g->code, RDX);
    x86_immediate(&g->code, X86_CMP_IMM, s->wide, count, (int32_t)bits_of(s));
    general(g, x86_cmov(X86_ABOVE_EQUAL), s->wide, RAX, RDX);
}

/* To rax, by a count that is clamped. */
static void shift_clamped(x86_scan *g, const x86_scan_step *s)
{
    move(g, s->wide, RCX, bits_of(s) == 16 ? extended(g, AO_TYPE_i16, s->b, RCX) : s->b);
    x86_clear(&g->code, RDX);
    general(g, X86_TEST, s->wide, RCX, RCX);
    general(g, x86_cmov(X86_NEGATIVE), s->wide, RCX, RDX);
    x86_mov_imm(&g->code, RDX, bits_of(s) - 1);
    general(g, X86_CMP, s->wide, RCX, RDX);
    general(g, x86_cmov(X86_GREATER), s->wide, RCX, RDX);
    x86_bits(&g->code, X86_SARX, s->wide, RAX, shifted_number(g, s), RCX);
}

/* x: the instruction with a number. */
static void shifted(x86_scan *g, const x86_scan_step *s)
{
    if (s->has_imm) {
        shift_by(g, s);
        return;
    }
    if (s->x == X86_SAR_IMM)
        shift_clamped(g, s);
    else
        shift_variably(g, s, s->x == X86_SHL_IMM ? X86_SHLX : X86_SHRX);
    move(g, s->wide, s->d, RAX);
}

static void shifted_left_checked(x86_scan *g, const x86_scan_step *s)
{
    shift_variably(g, s, X86_SHLX);
    x86_bits(&g->code, x86_is_signed(s->info->type) ? X86_SARX : X86_SHRX, 1, RDX, RAX, s->b);
    general(g, X86_CMP, 1, RDX, s->a);
    mark_if(g, s, X86_NOT_ZERO);
    x86_immediate(&g->code, X86_CMP_IMM, 1, s->b, 63);
    mark_if(g, s, X86_ABOVE);
    move(g, 1, s->d, RAX);
}

static void shifted_right_checked(x86_scan *g, const x86_scan_step *s)
{
    shifted(g, s);
    if (!x86_is_signed(s->info->type))
        return;
    const unsigned count = extended(g, s->info->type, s->b, RCX);
    general(g, X86_TEST, 1, count, count);
    mark_if(g, s, X86_NEGATIVE);
}

/* ---- conversions ---- */

static void resize(x86_scan *g, unsigned from, unsigned to, unsigned d, unsigned a)
{
    if (size_of(to) <= size_of(from) || size_of(from) == 4 || from == AO_TYPE_b1) {
        if (from == AO_TYPE_i32 && size_of(to) == 8)
            general(g, X86_MOVSXD, 1, d, a);
        else if (size_of(to) == 4 && size_of(from) == 8)
            general(g, X86_MOV, 0, d, a);
        else
            move(g, 1, d, a);
        return;
    }
    const unsigned op = size_of(from) == 1 ? (x86_is_signed(from) ? X86_MOVSX_8 : X86_MOVZX_8)
                                           : (x86_is_signed(from) ? X86_MOVSX_16 : X86_MOVZX_16);
    general(g, op, size_of(to) == 8 && x86_is_signed(from), d, a);
}

static void converted(x86_scan *g, const x86_scan_step *s)
{
    resize(g, s->info->type, s->info->dst, s->d, s->a);
}

static void fitted(x86_scan *g, const x86_scan_step *s)
{
    const unsigned from = s->info->type, to = s->info->dst;
    resize(g, from, to, s->d, s->a);
    const unsigned all = extended(g, from, s->a, RAX);
    if (size_of(to) < size_of(from)) {
        general(g, X86_CMP, 1, all, extended(g, to, s->d, RCX));
        mark_if(g, s, X86_NOT_ZERO);
        if (from != AO_TYPE_u64 || !x86_is_signed(to))
            return;
    } else if (x86_is_signed(from) == x86_is_signed(to) || (!x86_is_signed(from) && size_of(to) > size_of(from))) {
        return;
    }
    const unsigned sign = x86_is_signed(from) || size_of(from) == 8 ? all : extended(g, to, s->d, RCX);
    general(g, X86_TEST, 1, sign, sign);
    mark_if(g, s, X86_NEGATIVE);
}

/* The lowest bit of xmm0 as a truth value. */
static void truth_of_float(x86_scan *g, unsigned d)
{
    x86_emit(&g->code, (x86_vector){.form = X86_vmovq_to, .reg = 0, .rm = x86_reg(d), .imm = X86_NO_IMM});
    x86_immediate(&g->code, X86_AND_IMM, 0, d, 1);
}

static void convert_to_double(x86_scan *g, unsigned d, unsigned a)
{
    three(g, X86_vpxor, 0, 0, 0);
    three(g, X86_vcvtsi2sd, d, 0, a);
}

/* An unsigned int beyond the signed ones: half of it, whose lowest bit is set if a bit is lost, twice. */
static void to_double(x86_scan *g, const x86_scan_step *s)
{
    const unsigned type = s->info->type;
    if (type != AO_TYPE_u64) {
        convert_to_double(g, s->d, extended(g, type, s->a, RAX));
        return;
    }
    general(g, X86_TEST, 1, s->a, s->a);
    const size_t large = x86_jump(&g->code, X86_NEGATIVE);
    convert_to_double(g, s->d, s->a);
    const size_t done = x86_jump(&g->code, X86_NOT_NEGATIVE);
    x86_bind(&g->code, large, g->code.at);
    move(g, 1, RAX, s->a);
    move(g, 1, RCX, s->a);
    x86_shift(&g->code, X86_SHR_IMM, 1, RAX, 1);
    x86_immediate(&g->code, X86_AND_IMM, 1, RCX, 1);
    general(g, X86_OR, 1, RAX, RCX);
    convert_to_double(g, s->d, RAX);
    three(g, X86_vaddsd, s->d, s->d, s->d);
    x86_bind(&g->code, done, g->code.at);
}

/* The instruction gives -2^63 for what does not fit, which may be right. */
static void fixed(x86_scan *g, const x86_scan_step *s)
{
    x86_emit(&g->code, (x86_vector){.form = X86_vcvttsd2si, .reg = s->d, .rm = x86_reg(s->a), .imm = X86_NO_IMM});
    x86_immediate(&g->code, X86_CMP_IMM, 1, s->d, 1);
    const size_t fits = x86_jump(&g->code, X86_NO_OVERFLOW);
    with_literal(g, X86_vcmpsd, 0, s->a, MINUS_TWO_63, EQUAL);
    truth_of_float(g, RAX);
    const size_t right = x86_jump(&g->code, X86_NOT_ZERO);
    x86_clear(&g->code, s->d);
    mark_if(g, s, X86_ZERO);
    x86_bind(&g->code, fits, g->code.at);
    x86_bind(&g->code, right, g->code.at);
}

/* ---- doubles: what takes several instructions goes by way of xmm0, so that d may be any operand ---- */

static void doubles(x86_scan *g, const x86_scan_step *s)
{
    three(g, s->x, s->d, s->a, s->b);
}

static void one_double(x86_scan *g, const x86_scan_step *s)
{
    three(g, s->x, s->d, s->a, s->a);
}

static void rounded(x86_scan *g, const x86_scan_step *s)
{
    three_imm(g, X86_vroundsd, s->d, s->a, s->a, (int)s->x);
}

static void literal(x86_scan *g, const x86_scan_step *s)
{
    with_literal(g, s->x, s->d, s->a, s->y, X86_NO_IMM);
}

static void twice(x86_scan *g, const x86_scan_step *s)
{
    three(g, s->x, 0, s->a, s->b);
    three(g, s->y, s->d, 0, s->c);
}

static void taken_from(x86_scan *g, const x86_scan_step *s)
{
    three(g, X86_vmulsd, 0, s->a, s->b);
    three(g, X86_vsubsd, s->d, s->c, 0);
}

static void horner(x86_scan *g, const x86_scan_step *s)
{
    const uint16_t *value_of = g->plan->value_of;
    for (unsigned k = s->plan->b; k <= s->plan->c; k++) {
        const unsigned constant = x86_scan_value(g, value_of[k]);
        if (k == s->plan->b) {
            move_float(g, 0, constant);
        } else {
            three(g, X86_vmulsd, 0, 0, s->a);
            three(g, X86_vaddsd, 0, 0, constant);
        }
        x86_scan_unpin(g, value_of[k]);
    }
    move_float(g, s->d, 0);
}

static void sign_copied(x86_scan *g, const x86_scan_step *s)
{
    with_literal(g, X86_vpand, 0, s->b, SIGN_BIT, X86_NO_IMM);
    with_literal(g, X86_vpand, 1, s->a, ALL_BUT_SIGN, X86_NO_IMM);
    three(g, X86_vpor, s->d, 0, 1);
}

/* To xmm0: |a| compared with infinity. */
static void to_infinity(x86_scan *g, unsigned a, int condition)
{
    with_literal(g, X86_vpand, 0, a, ALL_BUT_SIGN, X86_NO_IMM);
    with_literal(g, X86_vcmpsd, 0, 0, INFINITE, condition);
}

static void against_infinity(x86_scan *g, const x86_scan_step *s)
{
    to_infinity(g, s->a, (int)s->x);
    truth_of_float(g, s->d);
}

static void is_nan(x86_scan *g, const x86_scan_step *s)
{
    three_imm(g, X86_vcmpsd, 0, s->a, s->a, UNORDERED);
    truth_of_float(g, s->d);
}

static void whole(x86_scan *g, const x86_scan_step *s)
{
    with_literal(g, X86_vaddsd, s->d, s->a, ZERO, X86_NO_IMM);
    to_infinity(g, s->a, NOT_LESS);
    mark_if_true(g, s);
}

static void divided_checked(x86_scan *g, const x86_scan_step *s)
{
    three(g, X86_vdivsd, s->d, s->a, s->b);
    with_literal(g, X86_vcmpsd, 0, s->b, ZERO, EQUAL);
    mark_if_true(g, s);
}

static void root_checked(x86_scan *g, const x86_scan_step *s)
{
    three(g, X86_vsqrtsd, s->d, s->a, s->a);
    with_literal(g, X86_vcmpsd, 0, s->a, ZERO, LESS);
    mark_if_true(g, s);
}

/* a - a is 0 if a is finite, else nan: so the sum is infinite only where the square overflowed. */
static void squared_checked(x86_scan *g, const x86_scan_step *s)
{
    three(g, X86_vmulsd, s->d, s->a, s->a);
    three(g, X86_vsubsd, 1, s->a, s->a);
    three(g, X86_vaddsd, 1, 1, s->d);
    to_infinity(g, 1, EQUAL);
    mark_if_true(g, s);
}

/* ---- comparisons and choice ---- */

enum { OP_EQ, OP_NE, OP_LT, OP_LE };

static int compares_doubles(const x86_scan_step *s)
{
    return s->info->type == AO_TYPE_f64;
}

/* Of ints to the flags: the condition that holds then. */
static enum x86_condition compare_ints(x86_scan *g, const x86_scan_step *s)
{
    static const uint8_t conditions[2][4] = {{X86_ZERO, X86_NOT_ZERO, X86_BELOW, X86_BELOW_EQUAL},
                                             {X86_ZERO, X86_NOT_ZERO, X86_LESS, X86_LESS_EQUAL}};
    const unsigned type = s->info->type, narrow = size_of(type) < 4;
    const unsigned a = narrow ? extended(g, type, s->a, RAX) : s->a;
    if (s->has_imm)
        x86_immediate(&g->code, X86_CMP_IMM, s->wide, a, s->imm);
    else
        general(g, X86_CMP, s->wide, a, narrow ? extended(g, type, s->b, RCX) : s->b);
    return (enum x86_condition)conditions[x86_is_signed(type)][s->x];
}

/* Of doubles to xmm0. */
static void compare_doubles(x86_scan *g, const x86_scan_step *s)
{
    static const uint8_t conditions[4] = {EQUAL, NOT_EQUAL, LESS, LESS_EQUAL};
    three_imm(g, X86_vcmpsd, 0, s->a, s->b, conditions[s->x]);
}

static void set_if(x86_scan *g, enum x86_condition condition, unsigned d)
{
    x86_set(&g->code, condition, RAX);
    general(g, X86_MOVZX_8, 0, d, RAX);
}

static void compared(x86_scan *g, const x86_scan_step *s)
{
    if (compares_doubles(s)) {
        compare_doubles(g, s);
        truth_of_float(g, s->d);
    } else {
        set_if(g, compare_ints(g, s), s->d);
    }
}

/* The choice d = condition ? b : c of ints. */
static void choose_int(x86_scan *g, const x86_scan_step *s, enum x86_condition condition)
{
    if (s->d == s->b) {
        general(g, x86_cmov(opposite(condition)), s->wide, s->d, s->c);
        return;
    }
    move(g, 1, s->d, s->c);
    general(g, x86_cmov(condition), s->wide, s->d, s->b);
}

/* Of doubles, by all bits of xmm0. */
static void choose_double(x86_scan *g, const x86_scan_step *s)
{
    three_imm(g, X86_vpblendvb, s->d, s->c, s->b, 0);
}

/* The truth value in rax, in all bits of xmm0. */
static void spread_truth(x86_scan *g)
{
    x86_unary(&g->code, X86_NEG, 1, RAX);
    x86_emit(&g->code, (x86_vector){.form = X86_vmovq_from, .reg = 0, .rm = x86_reg(RAX), .imm = X86_NO_IMM});
}

static void chosen(x86_scan *g, const x86_scan_step *s)
{
    if (s->info->type == AO_TYPE_f64) {
        move(g, 0, RAX, s->a);
        spread_truth(g);
        choose_double(g, s);
    } else {
        general(g, X86_TEST, 0, s->a, s->a);
        choose_int(g, s, X86_NOT_ZERO);
    }
}

/* b < a ? a : b and its kin are one instruction, which gives its second operand for nans and zeros, as the choice does. */
static int choose_extreme(x86_scan *g, const x86_scan_step *s, const x86_scan_step *condition)
{
    if (condition->x != OP_LT || s->b == s->c)
        return 0;
    if (s->b == condition->b && s->c == condition->a)
        three(g, X86_vmaxsd, s->d, s->b, s->c);
    else if (s->b == condition->a && s->c == condition->b)
        three(g, X86_vminsd, s->d, s->b, s->c);
    else
        return 0;
    return 1;
}

/* A choice with the comparison that it goes by. */
void x86_chosen_by(x86_scan *g, const x86_scan_step *s, const x86_scan_step *condition)
{
    const int doubles_chosen = s->info->type == AO_TYPE_f64;
    if (!compares_doubles(condition)) {
        const enum x86_condition holds = compare_ints(g, condition);
        if (!doubles_chosen) {
            choose_int(g, s, holds);
            return;
        }
        set_if(g, holds, RAX);
        spread_truth(g);
        choose_double(g, s);
    } else if (!doubles_chosen) {
        compare_doubles(g, condition);
        truth_of_float(g, RAX);
        choose_int(g, s, X86_NOT_ZERO);
    } else if (!choose_extreme(g, s, condition)) {
        compare_doubles(g, condition);
        choose_double(g, s);
    }
}

/* ---- copies and tables ---- */

static void copied(x86_scan *g, const x86_scan_step *s)
{
    if (ao_scan_class(s->info->type) == CLASS_FLOAT)
        move_float(g, s->d, s->a);
    else
        move(g, 1, s->d, s->a);
}

/* The index that is checked is the one that is used: it is in rax, and not read again. Outside, element 0 stands for it. */
static void taken(x86_scan *g, const x86_scan_step *s)
{
    move(g, 1, RAX, s->a);
    x86_load(&g->code, RDX, RSI, (int32_t)(s->plan->b * sizeof(char *)));
    x86_load(&g->code, RDX, RDX, 0);
    x86_load(&g->code, RCX, RDX, offsetof(ao_table, count));
    x86_load(&g->code, RDX, RDX, offsetof(ao_table, data));
    general(g, X86_TEST, 1, RAX, RAX);
    const size_t from_start = x86_jump(&g->code, X86_NOT_NEGATIVE);
    general(g, X86_ADD, 1, RAX, RCX);
    x86_bind(&g->code, from_start, g->code.at);
    general(g, X86_CMP, 1, RAX, RCX);
    const size_t inside = x86_jump(&g->code, X86_BELOW);
    x86_clear(&g->code, RAX);
    mark_if(g, s, X86_ZERO);
    x86_bind(&g->code, inside, g->code.at);
    x86_scan_load(g, s->info->dst, s->d, x86_at(RDX, RAX, log2_of(size_of(s->info->dst)), 0));
}

/* ---- the table ---- */

#define R(T, op, emit, x, y, alias, imm) [AO_OP_##op##_##T] = {emit, x, y, alias, imm},
#define TO(T, op) R(T, op, converted, 0, 0, FIRST, 0)
#define TO_32(T, op) R(T, op, converted, 0, 0, NONE_OF_THEM, 0)
#define FIT(T, op) R(T, op, fitted, 0, 0, NONE_OF_THEM, 0)
const x86_scan_recipe x86_scan_recipes[AO_NOPS] = {
    AO_LIST_ALL(R, COPY, copied, 0, 0, ANY, 0)
    AO_LIST_INTS_BOOL(TO, TO_i8) AO_LIST_INTS_BOOL(TO, TO_u8) AO_LIST_INTS_BOOL(TO, TO_i16) AO_LIST_INTS_BOOL(TO, TO_u16)
    AO_LIST_INTS_BOOL(TO_32, TO_i32) AO_LIST_INTS_BOOL(TO_32, TO_u32)
    AO_LIST_INTS_BOOL(TO, TO_i64) AO_LIST_INTS_BOOL(TO, TO_u64)
    AO_LIST_PAST_i8(FIT, FIT_i8) AO_LIST_PAST_u8(FIT, FIT_u8) AO_LIST_PAST_i16(FIT, FIT_i16) AO_LIST_PAST_u16(FIT, FIT_u16)
    AO_LIST_PAST_i32(FIT, FIT_i32) AO_LIST_PAST_u32(FIT, FIT_u32) AO_LIST_PAST_i64(FIT, FIT_i64) AO_LIST_PAST_u64(FIT, FIT_u64)
    AO_LIST_INTS_BOOL(R, TO_f64, to_double, 0, 0, NONE_OF_THEM, 0)
    R(f32, TO_f64, one_double, X86_vcvtss2sd, 0, ANY, 0)
    R(f64, TO_f32, one_double, X86_vcvtsd2ss, 0, ANY, 0)
    R(f64, FIX, fixed, 0, 0, NONE_OF_THEM, 0)
    R(f64, WHOLE, whole, 0, 0, NONE_OF_THEM, 0)

    AO_LIST_INTS(R, ADD, computed, X86_ADD, X86_ADD_IMM, EITHER, 1)
    AO_LIST_INTS(R, SUB, computed, X86_SUB, X86_SUB_IMM, FIRST, 1)
    AO_LIST_INTS(R, MUL, multiplied, 0, 0, EITHER, 1)
    R(i32, ADD_WIDE, widened, X86_ADD, 0, ANY, 0)
    R(i32, SUB_WIDE, widened, X86_SUB, 0, ANY, 0)
    R(i32, MUL_WIDE, widened, X86_IMUL, 0, ANY, 0)
    AO_LIST_CHECKS(R, ADD_CHECKED, sum_checked, X86_ADD, X86_ADD_IMM, EITHER, 1)
    AO_LIST_CHECKS(R, SUB_CHECKED, sum_checked, X86_SUB, X86_SUB_IMM, FIRST, 1)
    R(i32, MUL_CHECKED, product_checked, 0, 0, EITHER, 1) R(i64, MUL_CHECKED, product_checked, 0, 0, EITHER, 1)
    R(u64, MUL_CHECKED, product_checked_unsigned, 0, 0, ANY, 0)
    R(i32, FLOORDIV_CHECKED, divided_int, 0, 0, ANY, 1) R(u32, FLOORDIV_CHECKED, divided_int, 0, 0, ANY, 1)
    AO_LIST_WIDE(R, FLOORDIV_CHECKED, divided_int, 0, 0, ANY, 1)
    R(i32, MOD_CHECKED, divided_int, 1, 0, ANY, 1) R(u32, MOD_CHECKED, divided_int, 1, 0, ANY, 1)
    AO_LIST_WIDE(R, MOD_CHECKED, divided_int, 1, 0, ANY, 1)
    AO_LIST_SIGNED(R, ABS, absolute, 0, 0, ANY, 0)

    R(f64, ADD, doubles, X86_vaddsd, 0, ANY, 0)
    R(f64, SUB, doubles, X86_vsubsd, 0, ANY, 0)
    R(f64, MUL, doubles, X86_vmulsd, 0, ANY, 0)
    R(f64, DIV, doubles, X86_vdivsd, 0, ANY, 0)
    R(f64, MADD, twice, X86_vmulsd, X86_vaddsd, ANY, 0)
    R(f64, MSUB, twice, X86_vmulsd, X86_vsubsd, ANY, 0)
    R(f64, NMADD, taken_from, 0, 0, ANY, 0)
    R(f64, ADDM, twice, X86_vaddsd, X86_vmulsd, ANY, 0)
    R(f64, SUBM, twice, X86_vsubsd, X86_vmulsd, ANY, 0)
    R(f64, HORNER, horner, 0, 0, ANY, 0)
    R(f64, NEG, literal, X86_vpxor, SIGN_BIT, ANY, 0)
    R(f64, FABS, literal, X86_vpand, ALL_BUT_SIGN, ANY, 0)
    R(f64, DIV_CHECKED, divided_checked, 0, 0, NONE_OF_THEM, 0)
    R(f64, SQRT, one_double, X86_vsqrtsd, 0, ANY, 0)
    R(f64, SQRT_CHECKED, root_checked, 0, 0, NONE_OF_THEM, 0)
    R(f64, SQUARE_CHECKED, squared_checked, 0, 0, NONE_OF_THEM, 0)
    R(f64, COPYSIGN, sign_copied, 0, 0, ANY, 0)
    R(f64, FLOOR, rounded, DOWN, 0, ANY, 0)
    R(f64, CEIL, rounded, UP, 0, ANY, 0)
    R(f64, TRUNC, rounded, CUT, 0, ANY, 0)
    R(f64, RINT, rounded, AS_IS, 0, ANY, 0)

    AO_LIST_BITS(R, AND, masked, X86_AND, X86_AND_IMM, EITHER, 1)
    AO_LIST_BITS(R, OR, computed, X86_OR, X86_OR_IMM, EITHER, 1)
    AO_LIST_BITS(R, XOR, computed, X86_XOR, X86_XOR_IMM, EITHER, 1)
    R(b1, NOT, negated, 0, 0, FIRST, 0)
    AO_LIST_LANES(R, SHL, shifted, X86_SHL_IMM, 0, FIRST, 1)
    R(i16, SHR, shifted, X86_SAR_IMM, 0, FIRST, 1) R(i32, SHR, shifted, X86_SAR_IMM, 0, FIRST, 1)
    R(i64, SHR, shifted, X86_SAR_IMM, 0, FIRST, 1)
    R(u16, SHR, shifted, X86_SHR_IMM, 0, FIRST, 1)
    R(u32, SHR, shifted, X86_SHR_IMM, 0, FIRST, 1) R(u64, SHR, shifted, X86_SHR_IMM, 0, FIRST, 1)
    AO_LIST_WIDE(R, SHL_CHECKED, shifted_left_checked, 0, 0, NONE_OF_THEM, 0)
    R(i16, SHR_CHECKED, shifted_right_checked, X86_SAR_IMM, 0, NONE_OF_THEM, 0)
    R(i32, SHR_CHECKED, shifted_right_checked, X86_SAR_IMM, 0, NONE_OF_THEM, 0)
    R(i64, SHR_CHECKED, shifted_right_checked, X86_SAR_IMM, 0, NONE_OF_THEM, 0)
    R(u16, SHR_CHECKED, shifted_right_checked, X86_SHR_IMM, 0, NONE_OF_THEM, 0)
    R(u32, SHR_CHECKED, shifted_right_checked, X86_SHR_IMM, 0, NONE_OF_THEM, 0)
    R(u64, SHR_CHECKED, shifted_right_checked, X86_SHR_IMM, 0, NONE_OF_THEM, 0)
    AO_LIST_WIDE(R, BIT_COUNT, bit_count, 0, 0, ANY, 0)
    AO_LIST_WIDE(R, BIT_LENGTH, bit_length, 0, 0, ANY, 0)

    AO_LIST_ORDERED(R, EQ, compared, OP_EQ, 0, ANY, 1)
    AO_LIST_ORDERED(R, NE, compared, OP_NE, 0, ANY, 1)
    AO_LIST_ORDERED(R, LT, compared, OP_LT, 0, ANY, 1)
    AO_LIST_ORDERED(R, LE, compared, OP_LE, 0, ANY, 1)
    R(f64, ISNAN, is_nan, 0, 0, ANY, 0)
    R(f64, ISINF, against_infinity, EQUAL, 0, ANY, 0)
    R(f64, ISFIN, against_infinity, LESS, 0, ANY, 0)
    AO_LIST_CHOICE(R, SEL, chosen, 0, 0, ANY, 0)
    AO_LIST_ALL(R, TAKE, taken, 0, 0, NONE_OF_THEM, 0)
};

int x86_scans(unsigned op)
{
    return x86_scan_recipes[op].emit != NULL;
}

int x86_is_choice(unsigned op)
{
    return x86_scan_recipes[op].emit == chosen;
}

int x86_is_comparison(unsigned op)
{
    return x86_scan_recipes[op].emit == compared;
}

int x86_is_low_half(unsigned op, int64_t number)
{
    return x86_scan_recipes[op].emit == masked && number == UINT32_MAX;
}

#endif
