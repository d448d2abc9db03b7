/* The level avx2: operations as instructions in VEX encoding (AVX2 and FMA: isa.c).
 *
 * A truth value is a whole element of the widest type, all ones or all zeros. Narrower elements are in the low part of a
 * register, whose rest may be anything: what is said of them, a truth or that they are to be marked, is widened first.
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

/* With one of the literals that fill a register. */
static void with_literal(x86_generator *g, enum x86_form form, unsigned size, unsigned d, unsigned a, enum x86_literal literal)
{
    x86_emit(&g->code, (x86_vector){.form = form, .length = x86_length(g, size), .reg = d, .vvvv = a, .rm = x86_literal(literal),
                                    .imm = X86_NO_IMM});
}

static void invert(x86_generator *g, unsigned d)
{
    const unsigned size = truth_size(g);
    three(g, X86_vpcmpeqd, size, T2, T2, T2);
    three(g, X86_vpxor, size, d, d, T2);
}

/* By the width of an int: 1, 2, 4, 8 bytes. */
enum group { SUB, MIN_UNSIGNED, EQUAL_TO, ABOVE, BROADCAST, GROUPS };
static const uint8_t groups[GROUPS][4] = {
    [SUB] = {X86_vpsubb, X86_vpsubw, X86_vpsubd, X86_vpsubq},
    [MIN_UNSIGNED] = {X86_vpminub, X86_vpminuw, X86_vpminud},
    [EQUAL_TO] = {X86_vpcmpeqb, X86_vpcmpeqw, X86_vpcmpeqd, X86_vpcmpeqq},
    [ABOVE] = {X86_vpcmpgtb, X86_vpcmpgtw, X86_vpcmpgtd, X86_vpcmpgtq},
    [BROADCAST] = {X86_vpbroadcastb, X86_vpbroadcastw, X86_vpbroadcastd, X86_vpbroadcastq},
};

static enum x86_form form_of(enum group group, unsigned size)
{
    return (enum x86_form)groups[group][ao_trailing_zeros(size)];
}

static void widen(x86_generator *g, int is_signed, unsigned from, unsigned to, unsigned d, unsigned a)
{
    two(g, x86_widening(is_signed, from, to), to, d, a);
}

/* Of elements of a size, as a comparison of them leaves it. */
static void widen_truth(x86_generator *g, unsigned size, unsigned d, unsigned a)
{
    if (size < truth_size(g))
        widen(g, 1, size, truth_size(g), d, a);
    else if (d != a)
        two(g, X86_vmovdqu, size, d, a);
}

/* Notes that an element is to be marked where a truth value is true. */
static void mark(x86_generator *g, unsigned truth)
{
    three(g, X86_vpor, truth_size(g), AVX2_FAULTS, AVX2_FAULTS, truth);
}

static void mark_negative(x86_generator *g, unsigned size, unsigned a)
{
    zero(g, T2);
    three(g, form_of(ABOVE, size), size, T2, T2, a);
    widen_truth(g, size, T2, T2);
    mark(g, T2);
}

/* The low halves of elements, of truth values either half; by way of T2. */
static void halve(x86_generator *g, unsigned size, int truth, unsigned d, unsigned a)
{
    enum { EVEN_WORDS = 0x88 };
    const int both = g->lanes * size == 32;
    if (size < 8 && !truth) {
        with_literal(g, X86_vpand, size, d, a, size == 4 ? LOW_WORDS : LOW_BYTES);
        a = d;
    }
    if (both)
        x86_emit(&g->code, (x86_vector){.form = X86_vextracti128, .length = 1, .reg = a, .rm = x86_reg(T2), .imm = 1});
    const enum x86_form pack = truth ? (size == 4 ? X86_vpackssdw : X86_vpacksswb) : size == 4 ? X86_vpackusdw : X86_vpackuswb;
    x86_emit(&g->code, (x86_vector){.form = size == 8 ? X86_vshufps : pack, .reg = d, .vvvv = a, .rm = x86_reg(both ? T2 : a),
                                    .imm = size == 8 ? EVEN_WORDS : X86_NO_IMM});
}

static void shrink(x86_generator *g, unsigned from, unsigned to, int truth, unsigned d, unsigned a)
{
    for (; from > to; from /= 2, a = d)
        halve(g, from, truth, d, a);
}

/* A truth value for elements of a size: the register, or T1. */
static unsigned truth_for(x86_generator *g, unsigned truth, unsigned size)
{
    if (size == truth_size(g))
        return truth;
    shrink(g, truth_size(g), size, 1, T1, truth);
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
    widen_truth(g, 1, T0, T0);
    three(g, X86_vpxor, truth_size(g), reg, reg, reg);
    three(g, form_of(SUB, truth_size(g)), truth_size(g), reg, reg, T0);
}

/* Loads and stores of all elements, by their bytes: 4, 8, 16 or 32. */
static enum x86_form loading(const x86_generator *g, unsigned size)
{
    const unsigned bytes = g->lanes * size;
    return bytes == 4 ? X86_vmovd : bytes == 8 ? X86_vmovq : X86_vmovdqu;
}

static enum x86_form storing(const x86_generator *g, unsigned size)
{
    const unsigned bytes = g->lanes * size;
    return bytes == 4 ? X86_store_d : bytes == 8 ? X86_store_q : X86_store_dqu;
}

static void load(x86_generator *g, unsigned type, unsigned reg, x86_rm rm)
{
    load_vector(g, loading(g, size_of(type)), size_of(type), type == AO_TYPE_b1 ? T0 : reg, rm);
    if (type == AO_TYPE_b1)
        truth_of_bytes(g, reg);
}

static void load_uniform(x86_generator *g, unsigned type, unsigned reg, x86_rm rm)
{
    load_vector(g, form_of(BROADCAST, size_of(type)), size_of(type), type == AO_TYPE_b1 ? T0 : reg, rm);
    if (type == AO_TYPE_b1)
        truth_of_bytes(g, reg);
}

static void store(x86_generator *g, unsigned type, unsigned reg, x86_rm rm)
{
    if (type == AO_TYPE_b1) {
        two(g, X86_vpabsb, 1, T0, truth_for(g, reg, 1));
        reg = T0;
    }
    load_vector(g, storing(g, size_of(type)), size_of(type), reg, rm);
}

/* To RAX: bit i of element i. */
static void bits_of_truth(x86_generator *g, unsigned truth)
{
    const unsigned size = truth_size(g);
    const unsigned bits = size < 4 ? truth_for(g, truth, 1) : truth;
    x86_emit(&g->code, (x86_vector){.form = size == 8 ? X86_vmovmskpd : size == 4 ? X86_vmovmskps : X86_vpmovmskb,
                                    .length = size < 4 ? x86_length(g, 1) : 1, .reg = RAX, .rm = x86_reg(bits), .imm = X86_NO_IMM});
}

static void count(x86_generator *g, unsigned truth)
{
    bits_of_truth(g, truth);
    x86_registers(&g->code, X86_POPCNT, 1, RAX, RAX);
    x86_registers(&g->code, X86_ADD, 1, TAKEN, RAX);
}

/* The true elements to the front, by the table; what is stored behind them is written over by the next ones. */
static void compact(x86_generator *g, unsigned truth, unsigned type, unsigned reg)
{
    const unsigned size = size_of(type);
    bits_of_truth(g, truth);
    x86_emit(&g->code, (x86_vector){.form = X86_vpmovzxbd, .length = 1, .reg = T0, .rm = x86_at(PLACES, RAX, 3, 0), .imm = X86_NO_IMM});
    x86_emit(&g->code, (x86_vector){.form = X86_vpermd, .length = 1, .reg = T0, .vvvv = T0, .rm = x86_reg(reg), .imm = X86_NO_IMM});
    load_vector(g, X86_store_dqu, size, T0, x86_at(TAKEN, NO_INDEX, 0, 0));
    x86_registers(&g->code, X86_POPCNT, 1, RAX, RAX);
    x86_general(&g->code, X86_LEA, 1, TAKEN, x86_at(TAKEN, RAX, size == 8 ? 3 : 2, 0));
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
        three(g, form_of(EQUAL_TO, size), size, to, a, b);
    } else if (condition == INT_LESS_EQUAL && size < 8 && !x86_is_signed(s->info->type)) { /* then a is the least */
        three(g, form_of(MIN_UNSIGNED, size), size, T0, s->a, s->b);
        three(g, form_of(EQUAL_TO, size), size, to, T0, s->a);
        widen_truth(g, size, s->d, to);
        return;
    } else {
        if (!x86_is_signed(s->info->type)) { /* moved by half their range, they are in the order of signed ones */
            take_literal(g, T2, size == 8 ? SIGN_BIT : size == 4 ? SIGN_BITS_32 : size == 2 ? SIGN_BITS_16 : SIGN_BITS_8);
            three(g, X86_vpxor, size, T0, a, T2);
            three(g, X86_vpxor, size, T1, b, T2);
            a = T0, b = T1;
        }
        three(g, form_of(ABOVE, size), size, to, b, a);
    }
    widen_truth(g, size, s->d, to);
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

/* As words: the low byte of a word's product is that of the low bytes, and of a word that has but its high byte the high one is that
 * of the high bytes. */
static void bytes_multiplied(x86_generator *g, const x86_step *s)
{
    if (x86_doubled_bytes(g, s))
        return;
    const unsigned a = x86_is_uniform(g, s->plan->a) ? s->b : s->a, b = a == s->a ? s->b : s->a;
    unsigned high = b;
    with_literal(g, X86_vpand, 1, T0, a, HIGH_BYTES);
    if (!x86_is_uniform(g, s->plan->a) && !x86_is_uniform(g, s->plan->b))
        x86_shifted_words(g, X86_vpsrlw_by, 1, high = T1, b, 8);
    three(g, X86_vpmullw, 1, T0, T0, high);
    three(g, X86_vpmullw, 1, s->d, a, b);
    with_literal(g, X86_vpand, 1, s->d, s->d, LOW_BYTES);
    three(g, X86_vpor, 1, s->d, s->d, T0);
}

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

/* A constant of 32 bits but 0, 1, -1. */
static int is_short_factor(const x86_generator *g, int is_signed, unsigned value)
{
    const ao_value *known = ao_constant_of(g->plan, &g->plan->value[value]);
    if (!known)
        return 0;
    return is_signed ? known->i == (int32_t)known->i && (known->i < -1 || known->i > 1) : known->u <= UINT32_MAX;
}

/* By a constant b of 32 bits: a = 2^32 high + low, so a b = 2^32 (high b) + low b, where both products are exact, and it fits if
 * what is in front of its lowest 32 bits has 32. Of numbers with a sign low has one, too, and high wraps near the largest a,
 * whose products fit by 0, 1 and -1 alone. Products of two arrays are the kernels'. */
static void long_product_checked(x86_generator *g, const x86_step *s)
{
    const int is_signed = s->info->type == AO_TYPE_i64, by_second = is_short_factor(g, is_signed, s->plan->b);
    const enum x86_form multiply = is_signed ? X86_vpmuldq : X86_vpmuludq;
    const unsigned a = by_second ? s->a : s->b, b = by_second ? s->b : s->a;
    if (!by_second && !is_short_factor(g, is_signed, s->plan->a)) {
        g->registers.failed = 1;
        return;
    }
    take_literal(g, T2, THIRTY_TWO);
    if (is_signed) {
        take_literal(g, T0, TWO_31);
        three(g, X86_vpaddq, 8, T0, T0, a);
    }
    three(g, X86_vpsrlvq, 8, T0, is_signed ? T0 : a, T2);
    three(g, multiply, 8, T0, T0, b);
    three(g, multiply, 8, s->d, a, b);
    if (is_signed) { /* the front of the lower product, plus 2^31 */
        take_literal(g, T1, SIGN_BIT);
        three(g, X86_vpxor, 8, T1, T1, s->d);
    }
    three(g, X86_vpsrlvq, 8, T1, is_signed ? T1 : s->d, T2);
    three(g, X86_vpaddq, 8, T1, T1, T0);
    three(g, X86_vpsrlvq, 8, T1, T1, T2);
    mark(g, T1);
    three(g, X86_vpsllvq, 8, T0, T0, T2);
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

/* As in kernels.c: far from the product of floats. */
static void product_checked(x86_generator *g, const x86_step *s)
{
    x86_product_32(g, s, T2);
    take_literal(g, T1, TWO_62_FLOATS);
    x86_3(g, X86_vcmpps, 4, T0, T0, T1, GREATER);
    widen_truth(g, 4, T0, T0);
    mark(g, T0);
}

static void shifted_right_signed(x86_generator *g, const x86_step *s)
{
    if (x86_known_count(g, s, 32) < 32) {
        three(g, X86_vpsravd, 4, s->d, s->a, s->b);
        return;
    }
    three(g, X86_vpxor, 4, T0, T0, T0);
    three(g, X86_vpmaxsd, 4, T0, T0, s->b);
    three(g, X86_vpsravd, 4, s->d, s->a, T0);
}

/* Of words, each by one number: a count of one vector, or y with a count of its own. */
static void words_shifted(x86_generator *g, const x86_step *s)
{
    const int to_right = s->x == X86_vpsraw;
    const unsigned count = x86_known_count(g, s, 16);
    if (count < 16) {
        x86_shifted_words(g, s->y, 2, s->d, s->a, count);
        return;
    }
    if (g->plan->value[s->plan->b].kind != PLAN_UNIFORM) {
        g->registers.failed = 1;
        return;
    }
    if (to_right) {
        zero(g, T0);
        three(g, X86_vpmaxsw, 2, T0, T0, s->b);
    }
    x86_emit(&g->code, (x86_vector){.form = X86_vpmovzxwq, .reg = T0, .rm = x86_reg(to_right ? T0 : s->b), .imm = X86_NO_IMM});
    three(g, s->x, 2, s->d, s->a, T0);
}

/* Of an int to another width, the low bits or all of it. */
static void resize(x86_generator *g, unsigned from, unsigned to, unsigned d, unsigned a)
{
    const unsigned size = size_of(to);
    if (size_of(from) < size)
        widen(g, x86_is_signed(from), size_of(from), size, d, a);
    else if (size_of(from) > size)
        shrink(g, size_of(from), size, 0, d, a);
    else
        two(g, X86_vmovdqu, size, d, a);
}

static void converted(x86_generator *g, const x86_step *s)
{
    const unsigned size = size_of(s->info->dst);
    if (s->info->type != AO_TYPE_b1) {
        resize(g, s->info->type, s->info->dst, s->d, s->a);
        return;
    }
    const unsigned truth = truth_for(g, s->a, size);
    zero(g, T0);
    three(g, form_of(SUB, size), size, s->d, T0, truth);
}

/* As at avx512: what fits comes back the same from a round trip. */
static void fitted(x86_generator *g, const x86_step *s)
{
    const unsigned from = s->info->type, to = s->info->dst, size = size_of(from);
    resize(g, from, to, s->d, s->a);
    if (size_of(to) < size) {
        widen(g, x86_is_signed(from) && x86_is_signed(to), size_of(to), size, T0, s->d);
        three(g, form_of(EQUAL_TO, size), size, T0, T0, s->a);
        widen_truth(g, size, T0, T0);
        invert(g, T0);
        mark(g, T0);
        if (!x86_is_signed(from) && x86_is_signed(to))
            mark_negative(g, size_of(to), s->d);
    } else if (x86_is_signed(from) != x86_is_signed(to) && (x86_is_signed(from) || size_of(to) == size)) {
        mark_negative(g, size, s->a);
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
    case AO_TYPE_f32:
        two(g, X86_vcvtps2pd, 8, s->d, s->a);
        break;
    default: {
        const unsigned size = size_of(s->info->type);
        if (size < 4)
            widen(g, x86_is_signed(s->info->type), size, 4, T0, s->a);
        two(g, X86_vcvtdq2pd, 8, s->d, size < 4 ? T0 : s->a);
    }
    }
}

static void to_single(x86_generator *g, const x86_step *s)
{
    two(g, X86_vcvtpd2ps, 8, s->d, s->a);
}

/* ---- the table ---- */

#define R(T, op, how, first, second) [AO_OP_##op##_##T] = {.emit = how, .x = first, .y = second},
#define TO(T, op) R(T, op, converted, 0, 0)
#define FIT(T, op) R(T, op, fitted, 0, 0)
#define BYTES(X, ...) X(i8, __VA_ARGS__) X(u8, __VA_ARGS__)
#define WORDS(X, ...) X(i16, __VA_ARGS__) X(u16, __VA_ARGS__)
#define INTS_OF_32(X, ...) X(i32, __VA_ARGS__) X(u32, __VA_ARGS__)
#define INTS_OF_64(X, ...) X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
static const x86_recipe recipes[AO_NOPS] = {
    AO_LIST_ALL(R, COPY, copy, 0, 0)
    AO_LIST_INTS_BOOL(TO, TO_i8) AO_LIST_INTS_BOOL(TO, TO_u8) AO_LIST_INTS_BOOL(TO, TO_i16) AO_LIST_INTS_BOOL(TO, TO_u16)
    AO_LIST_INTS_BOOL(TO, TO_i32) AO_LIST_INTS_BOOL(TO, TO_u32) AO_LIST_INTS_BOOL(TO, TO_i64) AO_LIST_INTS_BOOL(TO, TO_u64)
    AO_LIST_PAST_i8(FIT, FIT_i8) AO_LIST_PAST_u8(FIT, FIT_u8) AO_LIST_PAST_i16(FIT, FIT_i16) AO_LIST_PAST_u16(FIT, FIT_u16)
    AO_LIST_PAST_i32(FIT, FIT_i32) AO_LIST_PAST_u32(FIT, FIT_u32) AO_LIST_PAST_i64(FIT, FIT_i64) AO_LIST_PAST_u64(FIT, FIT_u64)
    R(b1, TO_f64, to_double, 0, 0) R(i8, TO_f64, to_double, 0, 0) R(u8, TO_f64, to_double, 0, 0) WORDS(R, TO_f64, to_double, 0, 0)
    INTS_OF_32(R, TO_f64, to_double, 0, 0) R(f32, TO_f64, to_double, 0, 0)
    R(f64, TO_f32, to_single, 0, 0)
    R(f64, WHOLE, whole, 0, 0)

    R(f64, ADD, vectors, X86_vaddpd, 0)
    R(f64, SUB, vectors, X86_vsubpd, 0)
    R(f64, MUL, vectors, X86_vmulpd, 0)
    BYTES(R, ADD, vectors, X86_vpaddb, 0) BYTES(R, SUB, vectors, X86_vpsubb, 0) BYTES(R, MUL, bytes_multiplied, 0, 0)
    WORDS(R, ADD, vectors, X86_vpaddw, 0) WORDS(R, SUB, vectors, X86_vpsubw, 0) WORDS(R, MUL, vectors, X86_vpmullw, 0)
    INTS_OF_32(R, ADD, vectors, X86_vpaddd, 0) INTS_OF_64(R, ADD, vectors, X86_vpaddq, 0)
    INTS_OF_32(R, SUB, vectors, X86_vpsubd, 0) INTS_OF_64(R, SUB, vectors, X86_vpsubq, 0)
    INTS_OF_32(R, MUL, vectors, X86_vpmulld, 0) INTS_OF_64(R, MUL, multiplied_64, 0, 0)
    X86_ALIKE(R)
    R(i32, ADD_CHECKED, sum_checked, X86_vpaddd, 0) R(i64, ADD_CHECKED, sum_checked, X86_vpaddq, 0)
    R(i32, SUB_CHECKED, difference_checked, X86_vpsubd, 0) R(i64, SUB_CHECKED, difference_checked, X86_vpsubq, 0)
    R(i64, MUL_CHECKED, long_product_checked, 0, 0) R(u64, MUL_CHECKED, long_product_checked, 0, 0)
    R(i32, MUL_CHECKED, product_checked, 0, 0)
    R(f64, NEG, literal, X86_vpxor, SIGN_BIT)
    R(f64, FABS, literal, X86_vpand, ALL_BUT_SIGN)
    R(i16, ABS, one, X86_vpabsw, 0) R(i32, ABS, one, X86_vpabsd, 0)

    R(b1, AND, truths, X86_vpand, 0) AO_LIST_INTS(R, AND, vectors, X86_vpand, 0)
    R(b1, OR, truths, X86_vpor, 0) AO_LIST_INTS(R, OR, vectors, X86_vpor, 0)
    R(b1, XOR, truths, X86_vpxor, 0) AO_LIST_INTS(R, XOR, vectors, X86_vpxor, 0)
    R(b1, NOT, negated, 0, 0)
    WORDS(R, SHL, words_shifted, X86_vpsllw, X86_vpsllw_by)
    R(i16, SHR, words_shifted, X86_vpsraw, X86_vpsraw_by) R(u16, SHR, words_shifted, X86_vpsrlw, X86_vpsrlw_by)
    INTS_OF_32(R, SHL, vectors, X86_vpsllvd, 0) INTS_OF_64(R, SHL, vectors, X86_vpsllvq, 0)
    R(i32, SHR, shifted_right_signed, 0, 0)
    R(u32, SHR, vectors, X86_vpsrlvd, 0)
    R(u64, SHR, vectors, X86_vpsrlvq, 0)

    R(f64, EQ, compared, EQUAL, 0) AO_LIST_INTS(R, EQ, ints_compared, INT_EQUAL, 0)
    R(f64, NE, compared, NOT_EQUAL, 0) AO_LIST_INTS(R, NE, ints_compared, INT_NOT_EQUAL, 0)
    R(f64, LT, compared, LESS, 0) AO_LIST_INTS(R, LT, ints_compared, INT_LESS, 0)
    R(f64, LE, compared, LESS_EQUAL, 0) AO_LIST_INTS(R, LE, ints_compared, INT_LESS_EQUAL, 0)
    R(f64, ISNAN, is_nan, 0, 0)
    R(f64, ISINF, against_infinity, EQUAL, 0)
    R(f64, ISFIN, against_infinity, LESS, 0)
    AO_LIST_CHOICE(R, SEL, chosen, 0, 0)
};

const x86_level x86_level_avx2 = {
    .target = {.isa = "avx2", .vector = 32, .tails = 0, .knows = x86_knows, .begin = x86_begin_code, .compile = x86_compile,
               .compile_scan = x86_compile_scan, .compacts = 4},
    .evex = 0, .first_vector = 4, .vectors = 12, .hoisted = 5, .least = 1, .pairs = 1,
    .recipes = recipes, .load = load, .load_uniform = load_uniform, .store = store, .count = count, .compact = compact,
};

#endif
