/* Exact reductions of plain arrays: integer sums in 128 bits, correctly rounded float sums, and the first extreme.
 *
 * What always holds: every total is exact until the single rounding at its end, so an answer depends on the elements
 * alone, not on their order, the block size or the instruction set. Everything lives on the stack. When ao_sum_float
 * cannot promise math.fsum's answer (inf, nan, numbers near overflow) it says so and must not guess.
 */
#include "reduce.h"

#include <float.h>
#include <string.h>

/* ---- integers ---- */

static void add_128(int64_t *high, uint64_t *low, uint64_t add_high, uint64_t add_low)
{
    *low += add_low;
    *high = (int64_t)((uint64_t)*high + add_high + (*low < add_low));
}

static void subtract_128(int64_t *high, uint64_t *low, uint64_t sub_high, uint64_t sub_low)
{
    *high = (int64_t)((uint64_t)*high - sub_high - (*low < sub_low));
    *low -= sub_low;
}

static int is_signed(enum ao_type type)
{
    return type == AO_TYPE_i8 || type == AO_TYPE_i16 || type == AO_TYPE_i32 || type == AO_TYPE_i64;
}

static unsigned log2_size(enum ao_type type)
{
    unsigned size = ao_type_sizes[type], log = 0;
    while (size >> log != 1)
        log++;
    return log;
}

static void add_words(const ao_isa *isa, unsigned log_size, const void *a, size_t words, uint64_t flip, int64_t *high,
                      uint64_t *low)
{
    uint64_t even, odd;
    isa->reductions->fields[log_size](words, a, flip, &even, &odd);
    add_128(high, low, 0, even);
    if (log_size == 3)
        add_128(high, low, odd >> 32, odd << 32);
    else
        add_128(high, low, 0, odd);
}

/* Signed elements are summed with their top bit flipped, which adds 2^top to each, and n * 2^top is taken off at the
 * end. */
void ao_sum_int(const ao_isa *isa, enum ao_type type, const void *a, size_t n, int64_t *high, uint64_t *low)
{
    const unsigned log_size = log2_size(type);
    const unsigned top = (8u << log_size) - 1;
    uint64_t flip = is_signed(type) ? UINT64_C(1) << top : 0;
    for (unsigned bits = top + 1; bits < 64; bits *= 2)
        flip |= flip << bits;

    const unsigned char *bytes = a;
    size_t words = n >> (3 - log_size);
    *high = 0;
    *low = 0;
    while (words > 0) {
        size_t now = words < AO_SUM_WORDS ? words : AO_SUM_WORDS;
        add_words(isa, log_size, bytes, now, flip, high, low);
        bytes += 8 * now;
        words -= now;
    }
    size_t left = (n << log_size) & 7;
    if (left) {
        uint64_t word = flip; /* flips to zeros where there is no element */
        memcpy(&word, bytes, left);
        add_words(isa, log_size, &word, 1, flip, high, low);
    }
    if (flip)
        subtract_128(high, low, (uint64_t)n >> (64 - top), (uint64_t)n << top);
}

/* ---- the superaccumulator ---- */

/* A fixed-point number wide enough for every sum of doubles: digit i is worth 2^(32i - 1074). Between carries a
 * digit holds more than 32 bits, of either sign; ROOM additions of at most 2^52 fit. */
enum { DIGITS = 68, ROOM = 2000 };
_Static_assert((int)ROOM >= (int)AO_FOLD_BLOCK, "add_singly makes room for a whole block at once");
typedef struct {
    int64_t digit[DIGITS];
    int room; /* additions until the next carry */
} accumulator;

/* Leaves all digits but the last, which has the sign, in 0 .. 2^32-1. */
static void carry(accumulator *a)
{
    int64_t over = 0;
    for (int i = 0; i < DIGITS - 1; i++) {
        int64_t sum = a->digit[i] + over;
        over = sum >> 32;
        a->digit[i] = sum & 0xFFFFFFFF;
    }
    a->digit[DIGITS - 1] += over;
    a->room = ROOM;
}

static void make_room(accumulator *a, int adds)
{
    if (a->room < adds)
        carry(a);
    a->room -= adds;
}

/* Adds value * 2^(bit - 1074). */
static void add_scaled(accumulator *a, int64_t value, unsigned bit)
{
    int64_t *digit = a->digit + bit / 32;
    unsigned shift = bit % 32;
    int64_t low = (int64_t)((uint64_t)(value & 0xFFFFFFFF) << shift);
    int64_t high = (value >> 32) * (INT64_C(1) << shift);
    make_room(a, 1);
    digit[0] += low & 0xFFFFFFFF;
    digit[1] += (low >> 32) + (high & 0xFFFFFFFF);
    digit[2] += high >> 32;
}

/* Rounds to nearest, ties to even. The bits of a double are consecutive integers as its value grows, so the 53 top
 * bits and their position make it by an addition, and a carry out of rounding is right by itself. Below 2^53 (in
 * units of 2^-1074) there is nothing to round. */
static double rounded(accumulator *a)
{
    carry(a);
    uint64_t sign = 0;
    if (a->digit[DIGITS - 1] < 0) {
        sign = UINT64_C(1) << 63;
        for (int i = 0; i < DIGITS; i++)
            a->digit[i] = -a->digit[i];
        carry(a);
    }
    int top = DIGITS - 1;
    while (top > 1 && a->digit[top] == 0)
        top--;
    uint64_t bits = (uint64_t)a->digit[top] << 32 | (uint64_t)a->digit[top - 1];
    if (bits >> 53 || top > 1) {
        int zeros = __builtin_clzll(bits);
        uint64_t third = top > 1 ? (uint64_t)a->digit[top - 2] << 32 : 0;
        uint64_t below = third << zeros;
        if (zeros)
            bits = bits << zeros | third >> (64 - zeros);
        for (int i = top - 3; i >= 0 && !below; i--)
            below = (uint64_t)a->digit[i];
        uint64_t tail = bits & 0x7FF;
        int exponent = 32 * (top - 1) - zeros + 11;
        bits >>= 11;
        bits += tail > 0x400 || (tail == 0x400 && (below || (bits & 1)));
        bits += (uint64_t)exponent << 52;
    }
    bits |= sign;
    double result;
    memcpy(&result, &bits, 8);
    return result;
}

/* ---- floats ---- */

/* Sums of fewer than 2^61 numbers below 2^960 stay away from overflow, in fsum as here. */
static const double TOO_LARGE = 0x1p960;
enum {
    SMALLEST = -1022,        /* exponent of the last bias: its last place is 2^-1074 */
    SPACING = 53 - AO_FOLD_MARGIN,
    HEADROOM = 2,            /* a new scale leaves room for numbers four times as large */
    SLACK = 8,               /* a scale this much too large is worth replacing */
    BIASES = AO_FOLD_PASSES * AO_FOLD_DEEP,
    BLOCKS_PER_FLUSH = 256,  /* of at most 2^54 units each */
    CALM_BLOCKS = 8,         /* blocks that needed fewer biases, before fewer are used */
    MOST_SKIPPED = 64,
    FEW = 64                 /* numbers not worth a fold */
};

typedef struct {
    accumulator total;
    const struct ao_reductions *kernels;
    int folding;                 /* 0: the processor's arithmetic is not as folds need it */
    int exponent;                /* of the first bias */
    int level;                   /* 0: fold_1, 1: fold_2, 2: fold_4 */
    double bias[BIASES];
    double below;                /* |x| that may be folded; 0 before the first block, which sets the scale */
    int64_t taken[BIASES];       /* not yet in total */
    int blocks;                  /* in taken */
    int calm;
    int skip, skipped;           /* blocks to add without folding, and how many were chosen last */
} float_sum;

static double power_of_2(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double power;
    memcpy(&power, &bits, 8);
    return power;
}

static int fold_exponent(const float_sum *sum, int fold)
{
    int exponent = sum->exponent - SPACING * fold;
    return exponent < SMALLEST ? SMALLEST : exponent;
}

static void flush(float_sum *sum)
{
    for (int f = 0; sum->blocks && f < BIASES; f++) {
        add_scaled(&sum->total, sum->taken[f], (unsigned)(fold_exponent(sum, f) - 52 + 1074));
        sum->taken[f] = 0;
    }
    sum->blocks = 0;
}

static void set_scale(float_sum *sum, int exponent)
{
    flush(sum);
    sum->exponent = exponent;
    sum->below = power_of_2(exponent - AO_FOLD_MARGIN);
    for (int f = 0; f < BIASES; f++)
        sum->bias[f] = 1.5 * power_of_2(fold_exponent(sum, f));
}

/* The exponent of the first bias for numbers up to `largest`. */
static int scale_for(double largest)
{
    uint64_t bits;
    memcpy(&bits, &largest, 8);
    int exponent = (int)(bits >> 52) - 1022; /* largest < 2^exponent */
    exponent += AO_FOLD_MARGIN + HEADROOM;
    return exponent < SMALLEST + AO_FOLD_MARGIN ? SMALLEST + AO_FOLD_MARGIN : exponent;
}

/* Folding is exact if additions round to nearest and subnormal numbers are kept: a library that was built with
 * -ffast-math may have switched that off in this thread. Where floats are computed in more than their own precision
 * it never is. */
static int arithmetic_is_standard(void)
{
    volatile double tiny = 0x1p-1074, one = 1, more = 0x1.8p-53;
    return FLT_EVAL_METHOD == 0 && tiny + tiny > 0 && one + more > one && -one - more < -one;
}

static void start(float_sum *sum, const struct ao_reductions *kernels)
{
    memset(sum, 0, sizeof *sum);
    sum->total.room = ROOM;
    sum->kernels = kernels;
    sum->folding = arithmetic_is_standard();
    sum->level = 1;
}

/* Adds at most AO_FOLD_BLOCK numbers without folding, by integer arithmetic alone. */
static int add_singly(float_sum *sum, const double *x, size_t n)
{
    accumulator *total = &sum->total;
    make_room(total, (int)n);
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, x + i, 8);
        unsigned exponent = bits >> 52 & 0x7FF;
        if (exponent >= 960 + 1023)
            return 0;
        int64_t value = (int64_t)(bits & 0xFFFFFFFFFFFFF) | (int64_t)(exponent != 0) << 52;
        int64_t sign = -(int64_t)(bits >> 63); /* gcc would branch on it, and mispredict: 4 ns */
        value = (value ^ sign) - sign;
        unsigned bit = exponent - (exponent != 0);
        total->digit[bit / 32] += (int64_t)((uint64_t)value << bit % 32 & 0xFFFFFFFF);
        total->digit[bit / 32 + 1] += value >> (32 - bit % 32);
    }
    return 1;
}

/* Folds a block again and again, with ever smaller biases, until nothing is left. */
static int fold_deep(float_sum *sum, const double *x, size_t n, ao_fold_result *result, int64_t *taken)
{
    double left[AO_FOLD_BLOCK];
    double largest = 0;
    int used = 0;
    while (used < sum->kernels->passes * AO_FOLD_DEEP) {
        sum->kernels->fold_4(used ? left : x, n, sum->bias + used, result, left);
        memcpy(taken + used, result->taken, sizeof result->taken);
        largest = used ? largest : result->largest;
        used += AO_FOLD_DEEP;
        if (largest >= sum->below || !result->rest)
            break;
    }
    result->largest = largest;
    return used;
}

/* Returns the number of biases that were used, and for each what it took. */
static int fold_block(float_sum *sum, const double *x, size_t n, ao_fold_result *result, int64_t *taken)
{
    if (sum->level == 2)
        return fold_deep(sum, x, n, result, taken);
    (sum->level ? sum->kernels->fold_2 : sum->kernels->fold_1)(x, n, sum->bias, result);
    taken[0] = result->taken[0];
    if (sum->level)
        taken[1] = result->taken[1];
    return 1 + sum->level;
}

/* Counts blocks that a smaller level would have folded completely, and goes there after enough of them. */
static void relax(float_sum *sum, const int64_t *taken, int used)
{
    int64_t needed = sum->level == 0;
    for (int f = sum->level; f < used; f++)
        needed |= taken[f];
    sum->calm = needed ? 0 : sum->calm + 1;
    if (sum->calm == CALM_BLOCKS) {
        sum->level--;
        sum->calm = 0;
    }
}

static void commit(float_sum *sum, const int64_t *taken, int used)
{
    for (int f = 0; f < used; f++)
        sum->taken[f] += taken[f];
    if (++sum->blocks == BLOCKS_PER_FLUSH)
        flush(sum);
    sum->skipped /= 2;
    relax(sum, taken, used);
}

/* From the first few numbers, which saves folding most of a first block in vain. */
static void guess_scale(float_sum *sum, const double *x)
{
    ao_fold_result result;
    sum->kernels->fold_1(x, AO_FOLD_STEP, sum->bias, &result);
    if (result.largest < TOO_LARGE)
        set_scale(sum, scale_for(result.largest));
}

/* n is a multiple of AO_FOLD_STEP. A block that did not fold completely is folded again, at another scale (once at
 * most) or with more biases; if all fail, this block and a growing number of later ones go to add_singly. */
static int add_block(float_sum *sum, const double *x, size_t n)
{
    if (sum->below == 0)
        guess_scale(sum, x);
    while (sum->folding && !sum->skip) {
        ao_fold_result result;
        int64_t taken[BIASES];
        int used = fold_block(sum, x, n, &result, taken);
        if (result.largest >= TOO_LARGE)
            return 0;
        int scale = scale_for(result.largest);
        if (result.largest >= sum->below || (result.rest && scale < sum->exponent - SLACK)) {
            set_scale(sum, scale);
        } else if (!result.rest) {
            commit(sum, taken, used);
            return 1;
        } else if (sum->level < 2) {
            sum->level++;
            sum->calm = 0;
        } else {
            sum->skipped = sum->skipped ? 2 * sum->skipped : 1;
            if (sum->skipped > MOST_SKIPPED)
                sum->skipped = MOST_SKIPPED;
            sum->skip = sum->skipped;
        }
    }
    sum->skip -= sum->skip > 0;
    return add_singly(sum, x, n);
}

/* The last few numbers, padded to whole steps: zeros change nothing. */
static int add_rest(float_sum *sum, const double *x, size_t n)
{
    double padded[AO_FOLD_BLOCK];
    size_t whole = (n + AO_FOLD_STEP - 1) / AO_FOLD_STEP * AO_FOLD_STEP;
    memcpy(padded, x, n * sizeof *x);
    memset(padded + n, 0, (whole - n) * sizeof *x);
    return add_block(sum, padded, whole);
}

static int add_doubles(float_sum *sum, const double *x, size_t n)
{
    if (n <= FEW)
        return add_singly(sum, x, n);
    for (; n >= AO_FOLD_BLOCK; x += AO_FOLD_BLOCK, n -= AO_FOLD_BLOCK)
        if (!add_block(sum, x, AO_FOLD_BLOCK))
            return 0;
    return n == 0 || add_rest(sum, x, n);
}

static int add_floats(float_sum *sum, const float *x, size_t n)
{
    double wide[AO_FOLD_BLOCK];
    while (n > 0) {
        size_t now = n < AO_FOLD_BLOCK ? n : AO_FOLD_BLOCK;
        sum->kernels->widen(now, x, wide);
        if (!add_doubles(sum, wide, now))
            return 0;
        x += now;
        n -= now;
    }
    return 1;
}

int ao_sum_float(const ao_isa *isa, enum ao_type type, const void *a, size_t n, double *sum)
{
    float_sum state;
    start(&state, isa->reductions);
    if (!(type == AO_TYPE_f32 ? add_floats(&state, a, n) : add_doubles(&state, a, n)))
        return 0;
    flush(&state);
    *sum = rounded(&state.total);
    return 1;
}

/* ---- extremes ---- */

size_t ao_extreme(const ao_isa *isa, enum ao_type type, const void *a, size_t n, int largest)
{
    return isa->reductions->extreme[largest != 0][type](n, a);
}
