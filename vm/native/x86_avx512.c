/* The level avx512: operations as instructions in EVEX encoding (F, BW, CD, DQ and VL, and no others: isa.c).
 *
 * A truth value is a bit of a mask register. Bits of elements that are not there may be anything: stores leave them out, and
 * so does mark(). T2 has the high bytes of words.
 */
#include "x86_64.h"

#include "../kernels/reduce_kernels.h"

#if AO_NATIVE_X86_64

/* One form for each width of elements: 1, 2, 4, 8 bytes, and doubles. */
enum { BYTES, WORDS, DWORDS, QWORDS, DOUBLES, WIDTHS };
enum group { ADD, SUB, MUL, ABS, LEFT, RIGHT_SIGNED, RIGHT, MAX, COMPARE, COMPARE_UNSIGNED, BLEND, LOAD, STORE, BROADCAST,
             TO_MASK, FROM_MASK, GROUPS };
#define NO_FORM X86_FORMS
static const uint8_t groups[GROUPS][WIDTHS] = {
    [ADD] = {X86_vpaddb, X86_vpaddw, X86_vpaddd, X86_vpaddq, X86_vaddpd},
    [SUB] = {X86_vpsubb, X86_vpsubw, X86_vpsubd, X86_vpsubq, X86_vsubpd},
    [MUL] = {NO_FORM, X86_vpmullw, X86_vpmulld, X86_vpmullq, X86_vmulpd},
    [ABS] = {X86_vpabsb, X86_vpabsw, X86_vpabsd, X86_vpabsq, NO_FORM},
    [LEFT] = {NO_FORM, X86_vpsllvw, X86_vpsllvd, X86_vpsllvq, NO_FORM},
    [RIGHT_SIGNED] = {NO_FORM, X86_vpsravw, X86_vpsravd, X86_vpsravq, NO_FORM},
    [RIGHT] = {NO_FORM, X86_vpsrlvw, X86_vpsrlvd, X86_vpsrlvq, NO_FORM},
    [MAX] = {NO_FORM, X86_vpmaxsw, X86_vpmaxsd, X86_vpmaxsq, NO_FORM},
    [COMPARE] = {X86_vpcmpb, X86_vpcmpw, X86_vpcmpd, X86_vpcmpq, X86_vcmppd_mask},
    [COMPARE_UNSIGNED] = {X86_vpcmpub, X86_vpcmpuw, X86_vpcmpud, X86_vpcmpuq, NO_FORM},
    [BLEND] = {X86_vpblendmb, X86_vpblendmw, X86_vpblendmd, X86_vpblendmq, X86_vpblendmq},
    [LOAD] = {X86_vmovdqu8, X86_vmovdqu16, X86_vmovdqu32, X86_vmovdqu64, X86_vmovdqu64},
    [STORE] = {X86_store_dqu8, X86_store_dqu16, X86_store_dqu32, X86_store_dqu64, X86_store_dqu64},
    [BROADCAST] = {X86_vpbroadcastb, X86_vpbroadcastw, X86_vpbroadcastd, X86_vpbroadcastq, X86_vpbroadcastq},
    [TO_MASK] = {X86_vpmovb2m, X86_vpmovw2m, X86_vpmovd2m, X86_vpmovq2m, X86_vpmovq2m},
    [FROM_MASK] = {X86_vpmovm2b, X86_vpmovm2w, X86_vpmovm2d, X86_vpmovm2q, X86_vpmovm2q},
};

static unsigned size_of(unsigned type)
{
    return ao_type_sizes[type];
}

static unsigned width_of(unsigned type)
{
    const unsigned size = size_of(type);
    return type == AO_TYPE_f64 ? DOUBLES : size == 8 ? QWORDS : size == 4 ? DWORDS : size == 2 ? WORDS : BYTES;
}

static enum x86_form form_of(enum group group, unsigned type)
{
    return (enum x86_form)groups[group][width_of(type)];
}

static void two(x86_generator *g, enum x86_form form, unsigned size, unsigned d, unsigned a)
{
    x86_2(g, form, size, d, a, X86_NO_IMM);
}

static void three(x86_generator *g, enum x86_form form, unsigned size, unsigned d, unsigned a, unsigned b)
{
    x86_3(g, form, size, d, a, b, X86_NO_IMM);
}

/* With a literal of 8 bytes as the last operand of an instruction on bytes, which sets no flags. */
static void bytes_with_literal(x86_generator *g, enum x86_form form, unsigned d, unsigned a, enum x86_literal literal, int imm)
{
    x86_emit(&g->code, (x86_vector){.form = form, .length = x86_length(g, 1), .reg = d, .vvvv = a, .rm = x86_literal(literal),
                                    .broadcast = 1, .imm = imm});
}

/* As it fills elements of a size. */
static void take_literal(x86_generator *g, unsigned size, unsigned d, enum x86_literal literal)
{
    x86_emit(&g->code, (x86_vector){.form = X86_vpbroadcastq, .length = x86_length(g, size), .reg = d,
                                    .rm = x86_literal(literal), .imm = X86_NO_IMM});
}

/* With a literal of 8 bytes as the last operand: by way of T3 where one from memory could set flags. */
static void with_literal(x86_generator *g, enum x86_form form, unsigned d, unsigned a, enum x86_literal literal, int imm)
{
    if (g->code.quiet) {
        take_literal(g, 8, T3, literal);
        x86_3(g, form, 8, d, a, T3, imm);
        return;
    }
    x86_emit(&g->code, (x86_vector){.form = form, .length = x86_length(g, 8), .reg = d, .vvvv = a, .rm = x86_literal(literal),
                                    .broadcast = 1, .imm = imm});
}

static void move(x86_generator *g, unsigned size, unsigned d, unsigned a)
{
    two(g, X86_vmovdqu64, size, d, a);
}

/* Notes that the elements in K0 are to be marked, which has bits of elements only; of those some may not be there. */
static void mark(x86_generator *g)
{
    if (g->tail)
        x86_masks(g, X86_kandq, K0, K0, K_LANES);
    x86_masks(g, X86_korq, K_FAULTS, K_FAULTS, K0);
}

/* ---- memory ---- */

static void load(x86_generator *g, unsigned type, unsigned reg, x86_rm rm)
{
    const unsigned size = size_of(type), bytes = g->lanes * size, to = type == AO_TYPE_b1 ? T0 : reg;
    const int part = bytes < 16 && !g->tail;
    x86_emit(&g->code, (x86_vector){.form = part ? X86_vmovq : form_of(LOAD, type), .length = x86_length(g, size), .reg = to,
                                    .rm = rm, .mask = g->tail ? K_LANES : 0, .zeroing = g->tail != 0, .imm = X86_NO_IMM});
    if (type == AO_TYPE_b1)
        three(g, X86_vptestmb, 1, reg, T0, T0);
}

static void load_uniform(x86_generator *g, unsigned type, unsigned reg, x86_rm rm)
{
    const unsigned to = type == AO_TYPE_b1 ? T0 : reg;
    x86_emit(&g->code, (x86_vector){.form = form_of(BROADCAST, type), .length = x86_length(g, size_of(type)), .reg = to,
                                    .rm = rm, .imm = X86_NO_IMM});
    if (type == AO_TYPE_b1)
        three(g, X86_vptestmb, 1, reg, T0, T0);
}

static void ones_of_mask(x86_generator *g, unsigned type, unsigned d, unsigned mask)
{
    two(g, form_of(FROM_MASK, type), size_of(type), d, mask);
    two(g, form_of(ABS, type), size_of(type), d, d);
}

static void store(x86_generator *g, unsigned type, unsigned reg, x86_rm rm)
{
    const unsigned size = size_of(type), bytes = g->lanes * size;
    const int part = bytes < 16 && !g->tail;
    if (type == AO_TYPE_b1)
        ones_of_mask(g, AO_TYPE_u8, T0, reg);
    x86_emit(&g->code, (x86_vector){.form = part ? X86_store_q : form_of(STORE, type), .length = x86_length(g, size),
                                    .reg = type == AO_TYPE_b1 ? T0 : reg, .rm = rm, .mask = g->tail ? K_LANES : 0,
                                    .imm = X86_NO_IMM});
}

/* Takes bits of elements that are not there from the truth value, which nobody reads after this; the others go to RAX. */
static void take_lanes(x86_generator *g, unsigned truth)
{
    x86_masks(g, X86_kandq, truth, truth, K_LANES);
    x86_emit(&g->code, (x86_vector){.form = X86_kmovq_to, .reg = RAX, .rm = x86_reg(truth), .imm = X86_NO_IMM});
}

static void count(x86_generator *g, unsigned truth)
{
    take_lanes(g, truth);
    x86_registers(&g->code, X86_POPCNT, 1, RAX, RAX);
    x86_registers(&g->code, X86_ADD, 1, TAKEN, RAX);
}

/* The true elements to the front of T0: of eight by the table, with which a filter takes 5% less time than by compression. */
static void to_front(x86_generator *g, unsigned truth, unsigned size, unsigned reg)
{
    const unsigned length = x86_length(g, size);
    if (g->lanes == 8) {
        x86_emit(&g->code, (x86_vector){.form = size == 8 ? X86_vpmovzxbq : X86_vpmovzxbd, .length = length, .reg = T0,
                                        .rm = x86_at(PLACES, RAX, 3, 0), .imm = X86_NO_IMM});
        three(g, size == 8 ? X86_vpermq : X86_vpermd, size, T0, T0, reg);
    } else {
        x86_emit(&g->code, (x86_vector){.form = X86_vpcompressd, .length = length, .reg = reg, .rm = x86_reg(T0), .mask = truth,
                                        .zeroing = 1, .imm = X86_NO_IMM});
    }
}

/* Stored whole: what is behind the elements is written over by the next ones. In the tail there might be no room for it, and
 * it is left out. */
static void compact(x86_generator *g, unsigned truth, unsigned type, unsigned reg)
{
    const unsigned size = size_of(type), length = x86_length(g, size);
    take_lanes(g, truth);
    to_front(g, truth, size, reg);
    x86_registers(&g->code, X86_POPCNT, 1, RAX, RAX);
    if (g->tail) {
        x86_mov_imm(&g->code, R8, UINT64_MAX);
        x86_bits(&g->code, X86_BZHI, 1, R8, R8, RAX);
        x86_emit(&g->code, (x86_vector){.form = X86_kmovq_from, .reg = truth, .rm = x86_reg(R8), .imm = X86_NO_IMM});
    }
    x86_emit(&g->code, (x86_vector){.form = form_of(STORE, type), .length = length, .reg = T0, .imm = X86_NO_IMM,
                                    .rm = x86_at(TAKEN, NO_INDEX, 0, 0), .mask = g->tail ? truth : 0});
    x86_general(&g->code, X86_LEA, 1, TAKEN, x86_at(TAKEN, RAX, size == 8 ? 3 : 2, 0));
}

/* ---- sums by halves, as add_split in reduce_kernels.c ---- */

enum { SUMS = AO_SPLIT_LANES / 8, HIGH = 32 - 2 * SUMS, LOW = HIGH + SUMS, SCALE = HIGH - 1, HALF = HIGH - 2, ADDING = 32 - HALF };

static x86_rm sums_at(unsigned k)
{
    return x86_at(PLACES, NO_INDEX, 0, (int32_t)(k * 64));
}

static void start_sums(x86_generator *g)
{
    take_literal(g, 8, SCALE, SPLIT_SCALE);
    take_literal(g, 8, HALF, SPLIT_HIGH);
    for (unsigned k = 0; k < 2 * SUMS; k++)
        x86_emit(&g->code, (x86_vector){.form = X86_vmovdqu64, .length = 2, .reg = HIGH + k, .rm = sums_at(k), .imm = X86_NO_IMM});
}

static void finish_sums(x86_generator *g)
{
    for (unsigned k = 0; k < 2 * SUMS; k++)
        x86_emit(&g->code, (x86_vector){.form = X86_store_dqu64, .length = 2, .reg = HIGH + k, .rm = sums_at(k), .imm = X86_NO_IMM});
}

/* Copies of the body take turns with the sums. What a mask leaves out is 0, and sets no flag. */
static void add(x86_generator *g, int masked, unsigned truth, unsigned reg)
{
    const unsigned high = HIGH + g->copy % SUMS, low = LOW + g->copy % SUMS;
    const unsigned mask = masked ? truth : g->tail ? K_LANES : 0;
    if (masked)
        count(g, truth);
    g->code.quiet = 0;
    x86_emit(&g->code, (x86_vector){.form = X86_vmulpd, .length = 2, .reg = T0, .vvvv = reg, .rm = x86_reg(SCALE), .mask = mask,
                                    .zeroing = mask != 0, .imm = X86_NO_IMM});
    three(g, X86_vpandq, 8, T1, T0, HALF);
    three(g, X86_vaddpd, 8, high, high, T1);
    three(g, X86_vsubpd, 8, T0, T0, T1);
    three(g, X86_vaddpd, 8, low, low, T0);
    g->code.quiet = 1;
}

/* ---- recipes: x is a group or a form, y an immediate or another form ---- */

static void by_width(x86_generator *g, const x86_step *s)
{
    three(g, form_of(s->x, s->info->type), size_of(s->info->type), s->d, s->a, s->b);
}

static void one_by_width(x86_generator *g, const x86_step *s)
{
    two(g, form_of(s->x, s->info->type), size_of(s->info->type), s->d, s->a);
}

static void vectors(x86_generator *g, const x86_step *s)
{
    three(g, s->x, size_of(s->info->type), s->d, s->a, s->b);
}

static void masks(x86_generator *g, const x86_step *s)
{
    x86_masks(g, s->x, s->d, s->a, s->b);
}

static void one(x86_generator *g, const x86_step *s)
{
    two(g, s->x, 8, s->d, s->a);
}

static void negated(x86_generator *g, const x86_step *s)
{
    x86_emit(&g->code, (x86_vector){.form = X86_knotq, .reg = s->d, .rm = x86_reg(s->a), .imm = X86_NO_IMM});
}

static void copy(x86_generator *g, const x86_step *s)
{
    if (s->info->type == AO_TYPE_b1)
        x86_emit(&g->code, (x86_vector){.form = X86_kmovq, .reg = s->d, .rm = x86_reg(s->a), .imm = X86_NO_IMM});
    else
        move(g, size_of(s->info->type), s->d, s->a);
}

static void literal(x86_generator *g, const x86_step *s)
{
    with_literal(g, s->x, s->d, s->a, s->y, X86_NO_IMM);
}

static void rounded(x86_generator *g, const x86_step *s)
{
    x86_2(g, X86_vrndscalepd, 8, s->d, s->a, s->x);
}

static void compared(x86_generator *g, const x86_step *s)
{
    const unsigned type = s->info->type;
    const int unsigned_int = type != AO_TYPE_f64 && !x86_is_signed(type);
    x86_3(g, form_of(unsigned_int ? COMPARE_UNSIGNED : COMPARE, type), size_of(type), s->d, s->a, s->b,
          type == AO_TYPE_f64 ? s->y : s->x);
}

/* Classes of vfpclasspd. */
enum { QUIET_NAN = 0x01, ZEROS = 0x06, INFINITIES = 0x18, SIGNALLING_NAN = 0x80, NANS = QUIET_NAN | SIGNALLING_NAN };

static void classified(x86_generator *g, const x86_step *s)
{
    x86_2(g, X86_vfpclasspd, 8, s->d, s->a, s->x);
}

static void finite(x86_generator *g, const x86_step *s)
{
    classified(g, s);
    x86_emit(&g->code, (x86_vector){.form = X86_knotq, .reg = s->d, .rm = x86_reg(s->d), .imm = X86_NO_IMM});
}

static void chosen(x86_generator *g, const x86_step *s)
{
    const unsigned type = s->info->type;
    if (type != AO_TYPE_b1) {
        x86_emit(&g->code, (x86_vector){.form = form_of(BLEND, type), .length = x86_length(g, size_of(type)), .reg = s->d,
                                        .vvvv = s->c, .rm = x86_reg(s->b), .mask = s->a, .imm = X86_NO_IMM});
        return;
    }
    x86_masks(g, X86_kandq, K0, s->a, s->b);
    x86_masks(g, X86_kandnq, s->d, s->a, s->c);
    x86_masks(g, X86_korq, s->d, s->d, K0);
}

/* As at avx2. */
static void bytes_multiplied(x86_generator *g, const x86_step *s)
{
    enum { FIRST_UNDER_THIRD_OR_SECOND = 0xEC };
    if (x86_doubled_bytes(g, s))
        return;
    const unsigned a = x86_is_uniform(g, s->plan->a) ? s->b : s->a, b = a == s->a ? s->b : s->a;
    unsigned high = b;
    bytes_with_literal(g, X86_vpandq, T0, a, HIGH_BYTES, X86_NO_IMM);
    if (!x86_is_uniform(g, s->plan->a) && !x86_is_uniform(g, s->plan->b))
        x86_shifted_words(g, X86_vpsrlw_by, 1, high = T1, b, 8);
    three(g, X86_vpmullw, 1, T0, T0, high);
    three(g, X86_vpmullw, 1, s->d, a, b);
    bytes_with_literal(g, X86_vpternlogq, s->d, T0, LOW_BYTES, FIRST_UNDER_THIRD_OR_SECOND);
}

/* Two roundings, as the language has it. */
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
    enum { SIGN_OF_B_REST_OF_A = 0xD8 }; /* the third operand chooses, bit by bit */
    move(g, 8, s->d, s->a);
    with_literal(g, X86_vpternlogq, s->d, s->b, SIGN_BIT, SIGN_OF_B_REST_OF_A);
}

/* ---- conversions ---- */

/* Of an int to another width, the low bits or all of it. */
static void resize(x86_generator *g, unsigned from, unsigned to, unsigned d, unsigned a)
{
    static const uint8_t shorter[4][4] = {
        {0}, {X86_vpmovwb}, {X86_vpmovdb, X86_vpmovdw}, {X86_vpmovqb, X86_vpmovqw, X86_vpmovqd}};
    const unsigned low = width_of(from), high = width_of(to);
    if (low < high)
        two(g, x86_widening(x86_is_signed(from), size_of(from), size_of(to)), size_of(to), d, a);
    else if (low > high)
        x86_emit(&g->code, (x86_vector){.form = shorter[low][high], .length = x86_length(g, size_of(from)), .reg = a,
                                        .rm = x86_reg(d), .imm = X86_NO_IMM});
    else
        move(g, size_of(to), d, a);
}

static void converted(x86_generator *g, const x86_step *s)
{
    if (s->info->type == AO_TYPE_b1)
        ones_of_mask(g, s->info->dst, s->d, s->a);
    else
        resize(g, s->info->type, s->info->dst, s->d, s->a);
}

static void to_double(x86_generator *g, const x86_step *s)
{
    const unsigned type = s->info->type;
    unsigned a = s->a;
    if (type == AO_TYPE_b1)
        ones_of_mask(g, AO_TYPE_i32, a = T0, s->a);
    else if (size_of(type) < 4)
        resize(g, type, AO_TYPE_i32, a = T0, s->a);
    two(g, type == AO_TYPE_u32 ? X86_vcvtudq2pd : type == AO_TYPE_i64 ? X86_vcvtqq2pd : type == AO_TYPE_u64 ? X86_vcvtuqq2pd
           : type == AO_TYPE_f32 ? X86_vcvtps2pd : X86_vcvtdq2pd, 8, s->d, a);
}

static void mark_negative(x86_generator *g, unsigned type, unsigned a)
{
    two(g, form_of(TO_MASK, type), size_of(type), K0, a);
    mark(g);
}

/* What fits comes back the same from a round trip; by way of the unsigned type if it has no sign, and then a sign that it
 * got is wrong as well. */
static void fitted(x86_generator *g, const x86_step *s)
{
    const unsigned from = s->info->type, to = s->info->dst;
    resize(g, from, to, s->d, s->a);
    if (to == AO_TYPE_u8 && size_of(from) == 2) {
        three(g, X86_vptestmw, 2, K0, s->a, T2);
        mark(g);
    } else if (size_of(to) < size_of(from)) {
        const unsigned as_unsigned = size_of(to) == 1 ? AO_TYPE_u8 : size_of(to) == 2 ? AO_TYPE_u16 : AO_TYPE_u32;
        const unsigned back = x86_is_signed(from) ? to : as_unsigned;
        resize(g, back, from, T0, s->d);
        x86_3(g, form_of(COMPARE, from), size_of(from), K0, T0, s->a, 4);
        mark(g);
        if (!x86_is_signed(from) && x86_is_signed(to))
            mark_negative(g, to, s->d);
    } else if (x86_is_signed(from) != x86_is_signed(to) && (x86_is_signed(from) || size_of(to) == size_of(from))) {
        mark_negative(g, from, s->a);
    }
}

/* What the loop has in registers throughout. */
static void start(x86_generator *g)
{
    if (g->plan->take == AO_TAKE_SUM)
        start_sums(g);
    for (const plan_step *s = g->plan->steps; s < g->plan->steps + g->plan->count; s++)
        if (s->op == AO_OP_FIT_u8_i16 || s->op == AO_OP_FIT_u8_u16) {
            x86_emit(&g->code, (x86_vector){.form = X86_vpbroadcastw, .length = 2, .reg = T2, .rm = x86_literal(HIGH_BYTES),
                                            .imm = X86_NO_IMM});
            return;
        }
}

static void mark_compared(x86_generator *g, unsigned a, enum x86_literal literal, int condition)
{
    with_literal(g, X86_vcmppd_mask, K0, a, literal, condition);
    mark(g);
}

static void fixed(x86_generator *g, const x86_step *s)
{
    two(g, X86_vcvttpd2qq, 8, s->d, s->a);
    mark_compared(g, s->a, MINUS_TWO_63, NOT_GREATER_EQUAL);
    mark_compared(g, s->a, TWO_63, NOT_LESS);
}

static void mark_class(x86_generator *g, unsigned a, int classes)
{
    x86_2(g, X86_vfpclasspd, 8, K0, a, classes);
    mark(g);
}

static void whole(x86_generator *g, const x86_step *s)
{
    with_literal(g, X86_vaddpd, s->d, s->a, ZERO, X86_NO_IMM);
    mark_class(g, s->a, NANS | INFINITIES);
}

static void divided_checked(x86_generator *g, const x86_step *s)
{
    three(g, X86_vdivpd, 8, s->d, s->a, s->b);
    mark_class(g, s->b, ZEROS);
}

static void root_checked(x86_generator *g, const x86_step *s)
{
    two(g, X86_vsqrtpd, 8, s->d, s->a);
    mark_compared(g, s->a, ZERO, LESS);
}

/* a - a is 0 if a is finite, else nan: so the sum is infinite only where the square overflowed. */
static void squared_checked(x86_generator *g, const x86_step *s)
{
    three(g, X86_vmulpd, 8, s->d, s->a, s->a);
    three(g, X86_vsubpd, 8, T0, s->a, s->a);
    three(g, X86_vaddpd, 8, T0, T0, s->d);
    mark_class(g, T0, INFINITIES);
}

/* ---- checked ints ---- */

enum { INT_EQUAL, INT_LESS, INT_LESS_EQUAL, INT_NOT_EQUAL = 4, INT_GREATER = 6 };

/* Overflow in the top bit of a function of both operands and the result, bit by bit; kernels.c has the same. */
static void sum_checked(x86_generator *g, const x86_step *s)
{
    const unsigned type = s->info->type, size = size_of(type);
    three(g, form_of(s->x, type), size, s->d, s->a, s->b);
    move(g, size, T0, s->a);
    x86_emit(&g->code, (x86_vector){.form = X86_vpternlogq, .length = x86_length(g, size), .reg = T0, .vvvv = s->b,
                                    .rm = x86_reg(s->d), .imm = s->y});
    mark_negative(g, type, T0);
}
enum { UNLIKE_BOTH = 0x42, UNLIKE_AND_CHANGED = 0x18 }; /* (a ^ r) & (b ^ r); (a ^ b) & (a ^ r) */

static void sum_checked_unsigned(x86_generator *g, const x86_step *s)
{
    three(g, X86_vpaddq, 8, s->d, s->a, s->b);
    x86_3(g, X86_vpcmpuq, 8, K0, s->d, s->a, INT_LESS);
    mark(g);
}

static void difference_checked_unsigned(x86_generator *g, const x86_step *s)
{
    three(g, X86_vpsubq, 8, s->d, s->a, s->b);
    x86_3(g, X86_vpcmpuq, 8, K0, s->a, s->b, INT_LESS);
    mark(g);
}

/* As in kernels.c: far from the product of doubles. x converts to doubles. */
static void product_checked(x86_generator *g, const x86_step *s)
{
    three(g, X86_vpmullq, 8, s->d, s->a, s->b);
    two(g, s->x, 8, T0, s->a);
    two(g, s->x, 8, T1, s->b);
    two(g, s->x, 8, T3, s->d);
    three(g, X86_vfmsub213pd, 8, T0, T1, T3);
    with_literal(g, X86_vpandq, T0, T0, ALL_BUT_SIGN, X86_NO_IMM);
    mark_compared(g, T0, TWO_62, GREATER);
}

/* Likewise of floats, whose square says it without a sign. */
static void product_checked_32(x86_generator *g, const x86_step *s)
{
    x86_product_32(g, s, T3);
    take_literal(g, 4, T1, TWO_62_FLOATS);
    x86_3(g, X86_vcmpps_mask, 4, K0, T0, T1, GREATER);
    mark(g);
}

static void widened(x86_generator *g, const x86_step *s)
{
    two(g, X86_vpmovsxdq, 8, T0, s->a);
    two(g, X86_vpmovsxdq, 8, T1, s->b);
    three(g, s->x, 8, s->d, T0, T1);
}

/* ---- shifts: counts outside the width give what ops.def says, but for negative ones to the right ---- */

static void shifted_right(x86_generator *g, const x86_step *s)
{
    const unsigned type = s->info->type, size = size_of(type);
    const int in_range = x86_known_count(g, s, 8 * size) < 8 * size;
    if (!x86_is_signed(type) || in_range) {
        three(g, form_of(x86_is_signed(type) ? RIGHT_SIGNED : RIGHT, type), size, s->d, s->a, s->b);
        return;
    }
    three(g, X86_vpxorq, size, T0, T0, T0);
    three(g, form_of(MAX, type), size, T0, T0, s->b);
    three(g, form_of(RIGHT_SIGNED, type), size, s->d, s->a, T0);
}

static void shifted_right_checked(x86_generator *g, const x86_step *s)
{
    shifted_right(g, s);
    if (x86_is_signed(s->info->type))
        mark_negative(g, s->info->type, s->b);
}

static void shifted_left_checked(x86_generator *g, const x86_step *s)
{
    const unsigned type = s->info->type;
    three(g, X86_vpsllvq, 8, s->d, s->a, s->b);
    three(g, form_of(x86_is_signed(type) ? RIGHT_SIGNED : RIGHT, type), 8, T0, s->d, s->b);
    x86_3(g, X86_vpcmpq, 8, K0, T0, s->a, INT_NOT_EQUAL);
    mark(g);
    const ao_value *count = ao_constant_of(g->plan, &g->plan->value[s->plan->b]);
    if (count && count->u <= 63)
        return;
    with_literal(g, X86_vpcmpuq, K0, s->b, SIXTY_THREE, INT_GREATER);
    mark(g);
}

static void bit_length(x86_generator *g, const x86_step *s)
{
    if (x86_is_signed(s->info->type))
        two(g, X86_vpabsq, 8, T0, s->a);
    two(g, X86_vplzcntq, 8, T0, x86_is_signed(s->info->type) ? T0 : s->a);
    take_literal(g, 8, T1, SIXTY_FOUR);
    three(g, X86_vpsubq, 8, s->d, T1, T0);
}

/* ---- the table ---- */

#define R(T, op, how, first, second) [AO_OP_##op##_##T] = {.emit = how, .x = first, .y = second},
#define TO(T, op) R(T, op, converted, 0, 0)
#define FIT(T, op) R(T, op, fitted, 0, 0)
static const x86_recipe recipes[AO_NOPS] = {
    AO_LIST_ALL(R, COPY, copy, 0, 0)
    AO_LIST_INTS_BOOL(TO, TO_i8) AO_LIST_INTS_BOOL(TO, TO_u8) AO_LIST_INTS_BOOL(TO, TO_i16) AO_LIST_INTS_BOOL(TO, TO_u16)
    AO_LIST_INTS_BOOL(TO, TO_i32) AO_LIST_INTS_BOOL(TO, TO_u32) AO_LIST_INTS_BOOL(TO, TO_i64) AO_LIST_INTS_BOOL(TO, TO_u64)
    AO_LIST_PAST_i8(FIT, FIT_i8) AO_LIST_PAST_u8(FIT, FIT_u8) AO_LIST_PAST_i16(FIT, FIT_i16) AO_LIST_PAST_u16(FIT, FIT_u16)
    AO_LIST_PAST_i32(FIT, FIT_i32) AO_LIST_PAST_u32(FIT, FIT_u32) AO_LIST_PAST_i64(FIT, FIT_i64) AO_LIST_PAST_u64(FIT, FIT_u64)
    AO_LIST_NUMBERS(R, TO_f64, to_double, 0, 0)
    R(f64, TO_f32, one, X86_vcvtpd2ps, 0)
    R(f64, FIX, fixed, 0, 0)
    R(f64, WHOLE, whole, 0, 0)

    AO_LIST_ORDERED(R, ADD, by_width, ADD, 0)
    AO_LIST_ORDERED(R, SUB, by_width, SUB, 0)
    R(i8, MUL, bytes_multiplied, 0, 0) R(u8, MUL, bytes_multiplied, 0, 0)
    AO_LIST_LANES(R, MUL, by_width, MUL, 0) R(f64, MUL, by_width, MUL, 0)
    X86_ALIKE(R)
    R(i32, ADD_CHECKED, sum_checked, ADD, UNLIKE_BOTH) R(i64, ADD_CHECKED, sum_checked, ADD, UNLIKE_BOTH)
    R(i32, SUB_CHECKED, sum_checked, SUB, UNLIKE_AND_CHANGED) R(i64, SUB_CHECKED, sum_checked, SUB, UNLIKE_AND_CHANGED)
    R(u64, ADD_CHECKED, sum_checked_unsigned, 0, 0)
    R(u64, SUB_CHECKED, difference_checked_unsigned, 0, 0)
    R(i32, MUL_CHECKED, product_checked_32, 0, 0)
    R(i64, MUL_CHECKED, product_checked, X86_vcvtqq2pd, 0)
    R(u64, MUL_CHECKED, product_checked, X86_vcvtuqq2pd, 0)
    R(f64, NEG, literal, X86_vpxorq, SIGN_BIT)
    R(f64, FABS, literal, X86_vpandq, ALL_BUT_SIGN)
    AO_LIST_SIGNED(R, ABS, one_by_width, ABS, 0)

    R(b1, AND, masks, X86_kandq, 0) AO_LIST_INTS(R, AND, vectors, X86_vpandq, 0)
    R(b1, OR, masks, X86_korq, 0) AO_LIST_INTS(R, OR, vectors, X86_vporq, 0)
    R(b1, XOR, masks, X86_kxorq, 0) AO_LIST_INTS(R, XOR, vectors, X86_vpxorq, 0)
    R(b1, NOT, negated, 0, 0)
    AO_LIST_LANES(R, SHL, by_width, LEFT, 0)
    AO_LIST_WIDE(R, SHL_CHECKED, shifted_left_checked, 0, 0)
    AO_LIST_LANES(R, SHR, shifted_right, 0, 0)
    AO_LIST_LANES(R, SHR_CHECKED, shifted_right_checked, 0, 0)
    AO_LIST_WIDE(R, BIT_LENGTH, bit_length, 0, 0)

    AO_LIST_ORDERED(R, EQ, compared, INT_EQUAL, EQUAL)
    AO_LIST_ORDERED(R, NE, compared, INT_NOT_EQUAL, NOT_EQUAL)
    AO_LIST_ORDERED(R, LT, compared, INT_LESS, LESS)
    AO_LIST_ORDERED(R, LE, compared, INT_LESS_EQUAL, LESS_EQUAL)
    R(f64, ISNAN, classified, NANS, 0)
    R(f64, ISINF, classified, INFINITIES, 0)
    R(f64, ISFIN, finite, NANS | INFINITIES, 0)
    AO_LIST_CHOICE(R, SEL, chosen, 0, 0)
};

const x86_level x86_level_avx512 = {
    .target = {.isa = "avx512", .vector = 64, .tails = 1, .knows = x86_knows, .begin = x86_begin_code, .compile = x86_compile,
               .compile_scan = x86_compile_scan, .compacts = 4, .sums = 1},
    .evex = 1, .first_vector = 4, .vectors = 28, .first_mask = 1, .masks = 5, .hoisted = 14, .least = 1,
    .recipes = recipes, .load = load, .load_uniform = load_uniform, .store = store, .start = start,
    .count = count, .compact = compact, .add = add, .finish_sums = finish_sums, .adding = ADDING,
};

#endif
