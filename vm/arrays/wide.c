/* Wide integers: see wide.h. A number on its way to a double is 64 bits, of which the topmost is set, and whether there is
 * anything behind them. */
#include "wide.h"

#include <math.h>

enum { LIMB = AO_LIMB, PRECISION = 53 }; /* bits */

void ao_wide_start(ao_wide *a, unsigned bits)
{
    a->limbs = bits / LIMB + 2; /* of which the last is for the sign, and for what ao_wide_add puts behind a value */
    memset(a->limb, 0, a->limbs * sizeof *a->limb);
}

void ao_wide_add(ao_wide *a, uint64_t value, unsigned bit, int negative)
{
    const unsigned shift = bit % LIMB;
    unsigned i = bit / LIMB;
    uint64_t low = value << shift, high = shift ? value >> (LIMB - shift) : 0;
    if (negative) {
        high += a->limb[i] < low; /* it is below 2^63 */
        a->limb[i++] -= low;
        int borrow = a->limb[i] < high;
        a->limb[i++] -= high;
        for (; borrow && i < a->limbs; i++)
            borrow = a->limb[i]-- == 0;
        return;
    }
    a->limb[i] += low;
    high += a->limb[i++] < low;
    a->limb[i] += high;
    int carry = a->limb[i++] < high;
    for (; carry && i < a->limbs; i++)
        carry = ++a->limb[i] == 0;
}

/* The number without its sign, which is returned. */
static int magnitude(const ao_wide *a, ao_wide *to)
{
    const int negative = a->limb[a->limbs - 1] >> (LIMB - 1) != 0;
    int carry = negative;
    unsigned i = 0;
    to->limbs = a->limbs;
    do { /* there is always one */
        to->limb[i] = negative ? ~a->limb[i] + (uint64_t)carry : a->limb[i];
        carry = carry && to->limb[i] == 0;
    } while (++i < a->limbs);
    return negative;
}

void ao_wide_excess(ao_wide *result, const ao_wide *a, uint64_t factor, const ao_wide *b)
{
    ao_wide root;
    uint64_t square[AO_WIDE_LIMBS];
    magnitude(b, &root);
    const unsigned n = ao_limbs_trim(root.limb, root.limbs), least = a->limbs + 1;
    result->limbs = 2 * n > least ? 2 * n : least;
    memset(result->limb, 0, result->limbs * sizeof *result->limb);
    result->limb[a->limbs] = ao_limbs_multiply_add(result->limb, a->limb, a->limbs, factor);
    ao_limbs_multiply(square, root.limb, n, root.limb, n);
    ao_limbs_subtract(result->limb, result->limb, result->limbs, square, 2 * n);
}

/* ---- to doubles ---- */

/* The limb that bit `top` - 63 is in, which may be before the first, and how far from its end that is. */
static int limb_below(int top, unsigned *shift)
{
    const int bottom = top - (LIMB - 1), i = bottom >= 0 ? bottom / LIMB : -((LIMB - 1 - bottom) / LIMB);
    *shift = (unsigned)(bottom - i * LIMB);
    return i;
}

/* 64 bits of a number from bit `top` down, which may be behind its end. */
static uint64_t bits_below(const uint64_t *limb, unsigned n, int top)
{
    unsigned shift;
    const int i = limb_below(top, &shift);
    const uint64_t low = i >= 0 ? limb[i] : 0;
    const uint64_t high = i + 1 >= 0 && i + 1 < (int)n ? limb[i + 1] : 0;
    return shift ? high << (LIMB - shift) | low >> shift : low;
}

/* Whether there is anything behind them. */
static int has_rest(const uint64_t *limb, int top)
{
    unsigned shift;
    const int i = limb_below(top, &shift);
    if (i >= 0 && shift && limb[i] << (LIMB - shift))
        return 1;
    return i > 0 && ao_limbs_trim(limb, (unsigned)i) > 0;
}

/* bits * 2^exponent, and something behind them if `rest`, as the nearest double. */
static double rounded(uint64_t bits, int rest, int exponent)
{
    const int dropped = exponent + LIMB - PRECISION < AO_LOWEST ? AO_LOWEST - exponent : LIMB - PRECISION;
    if (dropped > LIMB)
        return 0;
    uint64_t kept = dropped < LIMB ? bits >> dropped : 0;
    const uint64_t half = UINT64_C(1) << (dropped - 1), tail = dropped < LIMB ? bits & (2 * half - 1) : bits;
    kept += tail > half || (tail == half && (rest || kept & 1));
    exponent += dropped;
    if (exponent < -1022 || exponent > 1023 - LIMB)
        return ldexp((double)kept, exponent); /* exact: it has 53 bits */
    const uint64_t power = (uint64_t)(exponent + 1023) << (PRECISION - 1);
    double scale;
    memcpy(&scale, &power, sizeof scale);
    return (double)kept * scale;
}

/* The highest bit that is set, of a number without zeros at the top. */
static int highest(const uint64_t *limb, unsigned n)
{
    return (int)(n * LIMB) - 1 - (int)ao_leading_zeros(limb[n - 1]);
}

double ao_limbs_to_double(const uint64_t *limb, unsigned n, int exponent)
{
    n = ao_limbs_trim(limb, n);
    if (n == 0)
        return 0;
    const int top = highest(limb, n);
    return rounded(bits_below(limb, n, top), has_rest(limb, top), top - (LIMB - 1) + exponent);
}

double ao_wide_to_double(const ao_wide *a, int exponent)
{
    ao_wide positive;
    const int negative = magnitude(a, &positive);
    const double value = ao_limbs_to_double(positive.limb, positive.limbs, exponent);
    return negative ? -value : value;
}

double ao_double_of_128(ao_128 a)
{
    if (a.high == 0)
        return (double)a.low;
    if (a.high == UINT64_MAX && a.low >> (LIMB - 1))
        return (double)(int64_t)a.low;
    ao_wide wide = {.limbs = 2, .limb = {a.low, a.high}};
    return ao_wide_to_double(&wide, 0);
}

static int is_above(ao_128 a, ao_128 b)
{
    return a.high > b.high || (a.high == b.high && a.low > b.low);
}

/* The integer root of a number of 127 or 128 bits: one step of Newton's from an estimate of 53 bits leaves it one off. */
static uint64_t integer_root(ao_128 x)
{
    const double guess = sqrt((double)x.high) * 0x1p32;
    const uint64_t estimate = guess >= 0x1p64 ? UINT64_MAX : (uint64_t)guess;
    uint64_t left;
    ao_128 sum = {ao_divide_128(x.high % estimate, x.low, estimate, &left), x.high / estimate};
    sum = ao_add_128(sum, (ao_128){estimate, 0});
    uint64_t root = sum.high > 1 ? UINT64_MAX : sum.high << (LIMB - 1) | sum.low >> 1;
    while (is_above(ao_multiply_128(root, root), x))
        root--;
    while (root < UINT64_MAX && !is_above(ao_multiply_128(root + 1, root + 1), x))
        root++;
    return root;
}

/* 192 bits of the number by the divisor are a quotient of at least 129 bits. */
double ao_wide_ratio(const ao_wide *a, uint64_t divisor, int exponent, int root)
{
    const unsigned n = ao_limbs_trim(a->limb, a->limbs);
    if (n == 0)
        return 0;
    const int top = highest(a->limb, n);
    uint64_t words[3];
    for (int i = 0; i < 3; i++)
        words[i] = bits_below(a->limb, n, top - i * LIMB);
    uint64_t left = words[0] % divisor;
    ao_128 bits = {ao_divide_128(left, words[1], divisor, &left), words[0] / divisor}; /* and 64 bits behind */
    const uint64_t behind = ao_divide_128(left, words[2], divisor, &left);
    int rest = left != 0 || has_rest(a->limb, top - 2 * LIMB);
    exponent += top - 3 * LIMB + 1;
    /* 128 bits of it, or 127 if the exponent would be odd */
    int drop = LIMB - (int)ao_leading_zeros(bits.high); /* of the 64 bits behind so many are not */
    drop += root && (exponent + drop) % 2 != 0;
    const uint64_t dropped = drop < LIMB ? behind & ((UINT64_C(1) << drop) - 1) : behind;
    if (drop < LIMB) {
        const int up = LIMB - drop;
        bits = (ao_128){bits.low << up | behind >> drop, bits.high << up | bits.low >> drop};
    } else if (drop > LIMB) {
        rest |= (int)(bits.low & 1);
        bits = (ao_128){bits.low >> 1 | bits.high << (LIMB - 1), bits.high >> 1};
    }
    rest |= dropped != 0;
    exponent += drop;
    if (root) {
        const uint64_t whole = integer_root(bits);
        return rounded(whole, rest || is_above(bits, ao_multiply_128(whole, whole)), exponent / 2);
    }
    return rounded(bits.high, rest || bits.low != 0, exponent + LIMB);
}
