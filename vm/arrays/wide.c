/* Wide integers: see wide.h. A number on its way to a double is 64 bits, of which the topmost is set, and whether there is
 * anything behind them. */
#include "wide.h"

#include <math.h>
#include <string.h>

enum { LIMB = 64, PRECISION = 53, LOWEST = -1074 }; /* bits; the exponent of a double's last place, at least */

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
    to->limbs = a->limbs;
    for (unsigned i = 0; i < a->limbs; i++) {
        to->limb[i] = negative ? ~a->limb[i] + (uint64_t)carry : a->limb[i];
        carry = carry && to->limb[i] == 0;
    }
    return negative;
}

/* Limbs up to the highest that is not 0. */
static unsigned length(const ao_wide *a)
{
    unsigned n = a->limbs;
    while (n > 0 && a->limb[n - 1] == 0)
        n--;
    return n;
}

void ao_wide_excess(ao_wide *result, const ao_wide *a, uint64_t factor, const ao_wide *b)
{
    ao_wide root;
    magnitude(b, &root);
    const unsigned n = length(&root), products = 2 * n, least = a->limbs + 1;
    result->limbs = products > least ? products : least;
    memset(result->limb, 0, result->limbs * sizeof *result->limb);
    uint64_t over = 0;
    for (unsigned i = 0; i < a->limbs; i++) {
        const ao_u128 product = (ao_u128)a->limb[i] * factor + over;
        result->limb[i] = (uint64_t)product;
        over = (uint64_t)(product >> LIMB);
    }
    result->limb[a->limbs] = over;
    for (unsigned i = 0; i < n; i++) { /* row by row of the square, with what is to be borrowed from the next limb */
        uint64_t borrow = 0;
        for (unsigned j = 0; j < n || borrow; j++) {
            if (i + j >= result->limbs)
                break;
            const ao_u128 product = (ao_u128)root.limb[i] * (j < n ? root.limb[j] : 0) + borrow;
            const uint64_t low = (uint64_t)product;
            borrow = (uint64_t)(product >> LIMB) + (result->limb[i + j] < low);
            result->limb[i + j] -= low;
        }
    }
}

/* ---- to doubles ---- */

/* 64 bits of a number from bit `top` down, which may be behind its end; `rest`: whether there is anything below them. */
static uint64_t bits_below(const ao_wide *a, int top, int *rest)
{
    const int bottom = top - (LIMB - 1);
    const int i = bottom >= 0 ? bottom / LIMB : -((LIMB - 1 - bottom) / LIMB);
    const unsigned shift = (unsigned)(bottom - i * LIMB);
    const uint64_t low = i >= 0 ? a->limb[i] : 0;
    const uint64_t high = i + 1 >= 0 && i + 1 < (int)a->limbs ? a->limb[i + 1] : 0;
    *rest = shift && low << (LIMB - shift) != 0;
    for (int k = 0; k < i && !*rest; k++)
        *rest = a->limb[k] != 0;
    return shift ? high << (LIMB - shift) | low >> shift : low;
}

/* bits * 2^exponent, and something behind them if `rest`, as the nearest double. */
static double rounded(uint64_t bits, int rest, int exponent)
{
    const int dropped = exponent + LIMB - PRECISION < LOWEST ? LOWEST - exponent : LIMB - PRECISION;
    if (dropped > LIMB)
        return 0;
    uint64_t kept = dropped < LIMB ? bits >> dropped : 0;
    const uint64_t half = UINT64_C(1) << (dropped - 1), tail = dropped < LIMB ? bits & (2 * half - 1) : bits;
    kept += tail > half || (tail == half && (rest || kept & 1));
    return ldexp((double)kept, exponent + dropped); /* exact: it has 53 bits */
}

/* The highest bit that is set, of a number that is not 0. */
static int highest(const ao_wide *a)
{
    const unsigned n = length(a);
    return (int)(n * LIMB) - 1 - __builtin_clzll(a->limb[n - 1]);
}

double ao_wide_to_double(const ao_wide *a, int exponent)
{
    ao_wide positive;
    int rest;
    const int negative = magnitude(a, &positive);
    if (length(&positive) == 0)
        return 0;
    const int top = highest(&positive);
    const uint64_t bits = bits_below(&positive, top, &rest);
    const double value = rounded(bits, rest, top - (LIMB - 1) + exponent);
    return negative ? -value : value;
}

/* The integer root of a number of 127 or 128 bits: one step of Newton's from an estimate of 53 bits leaves it one off. */
static uint64_t integer_root(ao_u128 x)
{
    const double guess = sqrt((double)(uint64_t)(x >> LIMB)) * 0x1p32;
    const uint64_t estimate = guess >= 0x1p64 ? UINT64_MAX : (uint64_t)guess;
    const ao_u128 better = (estimate + x / estimate) >> 1;
    uint64_t root = better > UINT64_MAX ? UINT64_MAX : (uint64_t)better;
    while ((ao_u128)root * root > x)
        root--;
    while (root < UINT64_MAX && (ao_u128)(root + 1) * (root + 1) <= x)
        root++;
    return root;
}

/* 192 bits of the number by the divisor are a quotient of at least 129 bits. */
double ao_wide_ratio(const ao_wide *a, uint64_t divisor, int exponent, int root)
{
    if (length(a) == 0)
        return 0;
    const int top = highest(a);
    int rest;
    uint64_t words[3];
    for (int i = 0; i < 3; i++)
        words[i] = bits_below(a, top - i * LIMB, &rest);
    const ao_u128 upper = (ao_u128)words[0] << LIMB | words[1];
    const ao_u128 lower = (ao_u128)(uint64_t)(upper % divisor) << LIMB | words[2];
    ao_u128 quotient = upper / divisor; /* and 64 bits behind */
    const uint64_t behind = (uint64_t)(lower / divisor);
    rest |= lower % divisor != 0;
    exponent += top - 3 * LIMB + 1;
    /* 128 bits of it, or 127 if the exponent would be odd */
    int drop = LIMB - __builtin_clzll((uint64_t)(quotient >> LIMB)); /* of the 64 bits behind so many are not */
    drop += root && (exponent + drop) % 2 != 0;
    const uint64_t dropped = drop < LIMB ? behind & ((UINT64_C(1) << drop) - 1) : behind;
    ao_u128 bits = drop < LIMB ? quotient << (LIMB - drop) | behind >> drop : quotient;
    if (drop > LIMB) {
        rest |= (int)((uint64_t)quotient & 1);
        bits >>= 1;
    }
    rest |= dropped != 0;
    exponent += drop;
    if (root) {
        const uint64_t whole = integer_root(bits);
        return rounded(whole, rest || (ao_u128)whole * whole != bits, exponent / 2);
    }
    return rounded((uint64_t)(bits >> LIMB), rest || (uint64_t)bits != 0, exponent + LIMB);
}
