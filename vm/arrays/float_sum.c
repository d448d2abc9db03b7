/* Exact sums of doubles: whole blocks by extraction (reduce_kernels.h); what that does not hold goes to a superaccumulator.
 *
 * The total is exact until it is rounded, so it depends on the numbers alone, not on their order, the block size or the
 * instruction set. Nothing is allocated.
 */
#include "float_sum.h"
#include "../portable.h"

#include <float.h>
#include <string.h>

/* ---- the superaccumulator ---- */

enum { ROOM = 2000 }; /* additions of at most 2^52 to a digit between carries */
_Static_assert((int)ROOM >= (int)AO_EXTRACT_BLOCK, "add_singly makes room for a whole block at once");

int ao_digits_ends(const int64_t *digit, int digits, int *end)
{
    int low = 0, high = digits;
    for (; low + 4 <= digits && !(digit[low] | digit[low + 1] | digit[low + 2] | digit[low + 3]); low += 4)
        ;
    while (low < digits && !digit[low])
        low++;
    for (; high >= 4 && !(digit[high - 1] | digit[high - 2] | digit[high - 3] | digit[high - 4]); high -= 4)
        ;
    while (high > low && !digit[high - 1])
        high--;
    *end = high;
    return low;
}

void ao_digits_carry(int64_t *digit, int low, int end)
{
    int64_t over = 0;
    for (int i = low; i < end; i++) {
        const int64_t sum = digit[i] + over;
        over = sum >> 32;
        digit[i] = sum & 0xFFFFFFFF;
    }
    digit[end] += over;
}

/* Leaves all digits but the top one, which has the sign, in 0 .. 2^32-1. The first digit that is not 0, or AO_DIGITS. */
static int carry(ao_accumulator *a, int *top)
{
    const int low = ao_digits_ends(a->digit, AO_DIGITS, top);
    *top -= *top == AO_DIGITS;
    if (low < AO_DIGITS)
        ao_digits_carry(a->digit, low, *top);
    a->room = ROOM;
    return low;
}

static void make_room(ao_accumulator *a, int adds)
{
    int top;
    if (a->room < adds)
        carry(a, &top);
    a->room -= adds;
}

/* Adds value * 2^(bit - 1074). */
static void add_scaled(ao_accumulator *a, int64_t value, unsigned bit)
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

/* Rounds to nearest, ties to even, and leaves the sum's size. The bits of a double are consecutive integers as its value
 * grows, so the 53 top bits and their position make it by an addition, and a carry out of rounding is right by itself. Below
 * 2^53 (in units of 2^-1074) there is nothing to round. */
static double rounded(ao_accumulator *a)
{
    int top;
    const int low = carry(a, &top);
    uint64_t sign = 0;
    if (low == AO_DIGITS)
        return 0;
    if (a->digit[top] < 0) {
        sign = UINT64_C(1) << 63;
        for (int i = low; i <= top; i++)
            a->digit[i] = -a->digit[i];
        ao_digits_carry(a->digit, low, top);
    }
    while (top > 1 && a->digit[top] == 0)
        top--;
    top += top == 0;
    uint64_t bits = (uint64_t)a->digit[top] << 32 | (uint64_t)a->digit[top - 1];
    if (bits >> 53 || top > 1) {
        int zeros = (int)ao_leading_zeros(bits);
        uint64_t third = top > 1 ? (uint64_t)a->digit[top - 2] << 32 : 0;
        uint64_t below = third << zeros;
        if (zeros)
            bits = bits << zeros | third >> (64 - zeros);
        for (int i = top - 3; i >= low && !below; i--)
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
    SPACING = 53 - AO_EXTRACT_MARGIN,
    HEADROOM = 2,            /* a new scale leaves room for numbers four times as large */
    SLACK = 8,               /* a scale this much too large is worth replacing */
    BLOCKS_PER_FLUSH = 256,  /* of at most 2^54 units each */
    CALM_BLOCKS = 8,         /* blocks that needed fewer biases, before fewer are used */
    SPLIT_FROM = 896,        /* numbers worth the lanes that are to be added up at the end */
    GROWN_BLOCKS = 4,        /* blocks that make sums by halves much larger than one does */
    FEW = 64                 /* numbers not worth an extraction */
};

static double power_of_2(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double power;
    memcpy(&power, &bits, 8);
    return power;
}

static int bias_exponent(const ao_float_sum *sum, int bias)
{
    int exponent = sum->exponent - SPACING * bias;
    return exponent < SMALLEST ? SMALLEST : exponent;
}

static void flush(ao_float_sum *sum)
{
    for (int f = 0; sum->blocks && f < AO_BIASES; f++) {
        if (sum->taken[f])
            add_scaled(&sum->total, sum->taken[f], (unsigned)(bias_exponent(sum, f) - 52 + 1074));
        sum->taken[f] = 0;
    }
    sum->blocks = 0;
}

static void set_scale(ao_float_sum *sum, int exponent)
{
    flush(sum);
    sum->exponent = exponent;
    sum->below = power_of_2(exponent - AO_EXTRACT_MARGIN);
    for (int f = 0; f < AO_BIASES; f++)
        sum->bias[f] = 1.5 * power_of_2(bias_exponent(sum, f));
}

/* The exponent of the first bias for numbers up to `largest`. */
static int scale_for(double largest)
{
    uint64_t bits;
    memcpy(&bits, &largest, 8);
    int exponent = (int)(bits >> 52) - 1022; /* largest < 2^exponent */
    exponent += AO_EXTRACT_MARGIN + HEADROOM;
    return exponent < SMALLEST + AO_EXTRACT_MARGIN ? SMALLEST + AO_EXTRACT_MARGIN : exponent;
}

/* Extraction is exact if additions round to nearest and subnormal numbers are kept: a library that was built with
 * -ffast-math may have switched that off in this thread. Where floats are computed in more than their own precision
 * it never is. */
int ao_arithmetic_is_standard(void)
{
    volatile double tiny = 0x1p-1074, one = 1, more = 0x1.8p-53;
    return FLT_EVAL_METHOD == 0 && tiny + tiny > 0 && one + more > one && -one - more < -one;
}

void ao_float_sum_start(ao_float_sum *sum, const struct ao_reductions *kernels, size_t ahead)
{
    memset(sum, 0, offsetof(ao_float_sum, split));
    sum->total.room = ROOM;
    sum->kernels = kernels;
    sum->ahead = ahead;
    sum->extracting = ao_arithmetic_is_standard();
    sum->level = 1;
}

/* ---- by halves ---- */

static void settle(ao_float_sum *sum)
{
    for (int lane = 0; sum->has_split && lane < AO_SPLIT_LANES; lane++) {
        ao_float_sum_add_one(sum, sum->split.high[lane] * 0x1p-64);
        ao_float_sum_add_one(sum, sum->split.low[lane] * 0x1p-64);
    }
    sum->has_split = 0;
}

/* All that is not in the total yet. */
static void add_pending(ao_float_sum *sum)
{
    flush(sum);
    settle(sum);
}

static int try_split(ao_float_sum *sum, ao_splitter add, void *context)
{
    if (!sum->has_split)
        memset(&sum->split, 0, sizeof sum->split);
    return add(context, &sum->split);
}

/* Sums that may have grown too large for what is added to them begin anew: those of a few blocks have not. */
int ao_float_sum_split(ao_float_sum *sum, ao_splitter add, void *context)
{
    int done = sum->extracting && try_split(sum, add, context);
    if (!done && sum->has_split >= GROWN_BLOCKS) {
        settle(sum);
        done = try_split(sum, add, context);
    }
    sum->has_split += done && sum->has_split < GROWN_BLOCKS;
    return done;
}

typedef struct {
    const struct ao_reductions *kernels;
    const double *x;
    size_t n;
} in_memory;

static int split_memory(void *context, ao_split_sums *sums)
{
    const in_memory *m = context;
    return m->kernels->add_split(m->x, m->n, sums);
}

static int add_split(ao_float_sum *sum, const double *x, size_t n)
{
    in_memory m = {sum->kernels, x, n};
    if (!sum->kernels->add_split || (n < SPLIT_FROM && !sum->has_split) || ao_pause_pass(&sum->split_pause))
        return 0;
    const int done = ao_float_sum_split(sum, split_memory, &m);
    if (done)
        ao_pause_shorten(&sum->split_pause);
    else
        ao_pause_start(&sum->split_pause);
    return done;
}

/* ---- by extraction ---- */

/* Adds at most AO_EXTRACT_BLOCK numbers without extraction, by integer arithmetic alone. */
static int add_singly(ao_float_sum *sum, const double *x, size_t n)
{
    ao_accumulator *total = &sum->total;
    uint64_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, x + i, 8);
        largest = (bits << 1) > largest ? bits << 1 : largest;
    }
    if (largest >> 53 >= 960 + 1023)
        return 0;
    make_room(total, (int)n);
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, x + i, 8);
        unsigned exponent = bits >> 52 & 0x7FF;
        int64_t value = (int64_t)(bits & 0xFFFFFFFFFFFFF) | (int64_t)(exponent != 0) << 52;
        int64_t sign = -(int64_t)(bits >> 63); /* gcc would branch on it, and mispredict: 4 ns */
        value = (value ^ sign) - sign;
        unsigned bit = exponent - (exponent != 0);
        total->digit[bit / 32] += (int64_t)((uint64_t)value << bit % 32 & 0xFFFFFFFF);
        total->digit[bit / 32 + 1] += value >> (32 - bit % 32);
    }
    return 1;
}

/* Extracts a block again and again, with ever smaller biases, until nothing is left. */
static int extract_deep(ao_float_sum *sum, const double *x, size_t n, ao_extraction *result, int64_t *taken)
{
    double left[AO_EXTRACT_BLOCK];
    double largest = 0;
    int used = 0;
    while (used < sum->kernels->passes * AO_EXTRACT_DEEP) {
        sum->kernels->extract_4(used ? left : x, n, sum->bias + used, sum->ahead, result, left);
        memcpy(taken + used, result->taken, sizeof result->taken);
        largest = used ? largest : result->largest;
        used += AO_EXTRACT_DEEP;
        if (largest >= sum->below || !result->rest)
            break;
    }
    result->largest = largest;
    return used;
}

/* Returns the number of biases that were used, and for each what it took. */
static int extract_block(ao_float_sum *sum, const double *x, size_t n, ao_extraction *result, int64_t *taken)
{
    if (sum->level == 2)
        return extract_deep(sum, x, n, result, taken);
    (sum->level ? sum->kernels->extract_2 : sum->kernels->extract_1)(x, n, sum->bias, sum->ahead, result);
    taken[0] = result->taken[0];
    if (sum->level)
        taken[1] = result->taken[1];
    return 1 + sum->level;
}

/* Counts blocks that a smaller level would have extracted completely, and goes there after enough of them. */
static void relax(ao_float_sum *sum, const int64_t *taken, int used)
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

void ao_float_sum_add_taken(ao_float_sum *sum, const int64_t *taken, int biases)
{
    for (int f = 0; f < biases; f++)
        sum->taken[f] += taken[f];
    if (++sum->blocks == BLOCKS_PER_FLUSH)
        flush(sum);
}

static void commit(ao_float_sum *sum, const int64_t *taken, int used)
{
    ao_float_sum_add_taken(sum, taken, used);
    ao_pause_shorten(&sum->pause);
    relax(sum, taken, used);
}

/* From the first few numbers, which saves extracting most of a first block in vain. */
static void guess_scale(ao_float_sum *sum, const double *x)
{
    ao_extraction result;
    sum->kernels->extract_1(x, AO_EXTRACT_STEP, sum->bias, 0, &result);
    if (result.largest < TOO_LARGE)
        set_scale(sum, scale_for(result.largest));
}

/* n is a multiple of AO_EXTRACT_STEP. What is not added by halves is extracted. A block of which something was left over is extracted again, at another scale (once
 * at most) or with more biases; if all fail, this block and a growing number of later ones go to add_singly. */
static int add_block(ao_float_sum *sum, const double *x, size_t n)
{
    if (add_split(sum, x, n))
        return 1;
    if (sum->below == 0)
        guess_scale(sum, x);
    while (sum->extracting && !sum->pause.left) {
        ao_extraction result;
        int64_t taken[AO_BIASES];
        int used = extract_block(sum, x, n, &result, taken);
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
            ao_pause_start(&sum->pause);
        }
    }
    ao_pause_pass(&sum->pause);
    return add_singly(sum, x, n);
}

/* The last few numbers, padded to whole steps: zeros change nothing. */
static int add_rest(ao_float_sum *sum, const double *x, size_t n)
{
    double padded[AO_EXTRACT_BLOCK];
    size_t whole = (n + AO_EXTRACT_STEP - 1) / AO_EXTRACT_STEP * AO_EXTRACT_STEP;
    memcpy(padded, x, n * sizeof *x);
    memset(padded + n, 0, (whole - n) * sizeof *x);
    return add_block(sum, padded, whole);
}

size_t ao_float_sum_add(ao_float_sum *sum, const double *x, size_t n)
{
    if (n <= FEW)
        return add_singly(sum, x, n) ? n : 0;
    size_t done = 0;
    for (; n - done >= AO_EXTRACT_BLOCK; done += AO_EXTRACT_BLOCK)
        if (!add_block(sum, x + done, AO_EXTRACT_BLOCK))
            return done;
    size_t steps = (n - done) / AO_EXTRACT_STEP * AO_EXTRACT_STEP;
    steps = steps < 4 * AO_EXTRACT_STEP ? 0 : steps; /* fewer are padded with the rest: one extraction, not two */
    if (steps && !add_block(sum, x + done, steps))
        return done;
    done += steps;
    return done == n || add_rest(sum, x + done, n - done) ? n : done;
}

int ao_float_sum_extract_products(ao_float_sum *sum, const double *a, const double *b, size_t n, ao_extraction *result)
{
    while (sum->extracting) {
        sum->kernels->extract_products(a, b, n, sum->bias, result);
        if (!(result->largest < TOO_LARGE))
            return 0;
        const int scale = scale_for(result->largest);
        if (result->largest < sum->below && !(result->rest && scale < sum->exponent - SLACK))
            return !result->rest && sum->exponent - 2 * SPACING > SMALLEST;
        set_scale(sum, scale);
    }
    return 0;
}

void ao_float_sum_add_one(ao_float_sum *sum, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    const unsigned exponent = bits >> 52 & 0x7FF;
    const int64_t value = (int64_t)(bits & 0xFFFFFFFFFFFFF) | (int64_t)(exponent != 0) << 52;
    add_scaled(&sum->total, bits >> 63 ? -value : value, exponent - (exponent != 0));
}

double ao_float_sum_rounded(ao_float_sum *sum)
{
    add_pending(sum);
    return rounded(&sum->total);
}

double ao_float_sums_rounded(ao_float_sum *sum, ao_float_sum *other)
{
    add_pending(sum);
    add_pending(other);
    int top;
    carry(&sum->total, &top);
    for (int i = carry(&other->total, &top); i <= top; i++)
        sum->total.digit[i] += other->total.digit[i];
    return rounded(&sum->total);
}

void ao_float_sum_digits(const ao_float_sum *sum, int64_t digit[AO_DIGITS])
{
    memcpy(digit, sum->total.digit, sizeof sum->total.digit);
}

void ao_float_sum_bytes(ao_float_sum *sum, uint8_t *bytes)
{
    add_pending(sum);
    ao_digits_carry(sum->total.digit, 0, AO_DIGITS - 1);
    const int64_t *digit = sum->total.digit;
    for (int i = 0; i < AO_FLOAT_SUM_BYTES; i++) {
        const int d = i / 4 < AO_DIGITS - 1 ? i / 4 : AO_DIGITS - 1;
        bytes[i] = (uint8_t)((uint64_t)digit[d] >> 8 * (i - 4 * d));
    }
}
