/* Sums and products with their rounding errors: a number as hi + lo, |lo| at most half an ULP of hi.
 *
 * T. J. Dekker, A floating-point technique for extending the available precision, Numer. Math. 18 (1971); D. E. Knuth,
 * The Art of Computer Programming 2, 4.2.2.
 */
#ifndef AO_DOUBLE_DOUBLE_H
#define AO_DOUBLE_DOUBLE_H

#include "fused.h"

/* |a| >= |b|, or a is 0. */
static INLINE dd fast_two_sum(double a, double b)
{
    const double s = a + b;
    return (dd){s, b - (s - a)};
}

static INLINE dd product(dd a, dd b)
{
    const dd p = two_product(a.hi, b.hi);
    return (dd){p.hi, fused(a.hi, b.lo, fused(a.lo, b.hi, p.lo))};
}

/* The same without fused, for code that is quick where that is computed in software. */
static INLINE dd times(dd a, dd b)
{
    const dd p = two_product(a.hi, b.hi);
    return (dd){p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi)};
}

/* (n + nlo) / (d + dlo), by one division; |lo| is up to 2 ULPs of hi. 1 / d must be normal. */
static INLINE dd quotient(double n, double nlo, double d, double dlo)
{
    const double inverse = 1.0 / d, q = n * inverse;
    return (dd){q, (fused(-q, d, n) + fused(-q, dlo, nlo)) * inverse};
}

/* x - q*y, rounded once. Holds if q is x / y rounded to a whole number, up or down: then x and q*y are so close that
 * x - p.hi is exact (Sterbenz), or q is so small that the product has no error. */
static INLINE double rest(double x, double q, double y)
{
    const dd p = two_product(q, y);
    return (x - p.hi) - p.lo;
}

/* 1 / v, v positive and normal, and its reciprocal too: to some 2^-12, by two steps of Newton's method from a guess that
 * negates the exponent and, about, the logarithm of what is behind it. Enough for a correction, and no division. */
static INLINE double rough_reciprocal(double v)
{
    const double guess = of_bits(UINT64_C(0x7fde6238502484ba) - bits_of(v));
    const double better = guess * fused(-v, guess, 2.0);
    return better * fused(-v, better, 2.0);
}

/* sqrt(v + vlo), v > 0 */
static INLINE dd square_root(double v, double vlo)
{
    const double s = sqrt(v);
    return (dd){s, (fused(-s, s, v) + vlo) * (0.5 * rough_reciprocal(s))};
}

/* Adding this to a double of magnitude below 2^51 leaves the nearest whole number in the low bits of the sum. */
#define TO_WHOLE 0x1.8p52

/* The same, and the number is biased as exponents are. */
#define TO_EXPONENT (TO_WHOLE + 1023.0)

/* 2^k of a whole number k in -1022..1023, given as the bits of k + TO_EXPONENT. */
static INLINE double power_of_two(uint64_t k)
{
    return of_bits(k << 52);
}

/* v 2^k for v about 1 and k in -1150..1150, where that may overflow or be subnormal: from nearer by, the last step being
 * 2^128 or, if the sign bit of `down` is set, 2^-128. k must have that sign, or be 0. Elsewhere exact, so the same bits
 * as v * power_of_two(k). */
static INLINE double scaled_by(double v, uint64_t k, double down)
{
    const uint64_t nearer = (bits_of(down) & UINT64_C(1) << 63) >> 3; /* 256 in the exponent */
    return v * of_bits(((k - 128) << 52) + nearer) * of_bits(((uint64_t)(1023 + 128) << 52) - nearer);
}

/* All ones where it holds. Wholes choose by masks where conditional expressions make the compiler compute both ways in
 * full, or give up on vector code. */
static INLINE uint64_t mask_of(int holds)
{
    return 0 - (uint64_t)holds;
}

/* x where it holds, else 0. For SSE2, which compares no numbers of 64 bits, gcc makes vector code of a conditional
 * expression only. */
static INLINE double kept(int holds, double x)
{
#if FUSED_IS_FAST
    return of_bits(bits_of(x) & mask_of(holds));
#else
    return holds ? x : 0.0;
#endif
}

/* Below it, a number is all that counts of its own series: f(x) is x + x^2 ..., or 1 + x ... Its powers up to the 16th, which
 * polynomials have, are not subnormal. */
#define TINY 0x1p-60

/* The bits of |x|, in the order of the magnitudes: comparing subnormal numbers themselves is slow. */
static INLINE int64_t magnitude_of(double x)
{
    return (int64_t)bits_of(fabs(x));
}

/* x, but 0 for a tiny one. */
static INLINE double without_tiny(double x)
{
    return kept(!(fabs(x) < TINY), x);
}

/* A subnormal number that is not negative, in units of 2^-1074. No multiplication: see ../../subnormal.h. */
static INLINE double units_of(double x)
{
    return of_bits(bits_of(x) | UINT64_C(0x4330000000000000)) - 0x1p52;
}

/* The nearest whole number of units, 0 <= v <= 2^52, as the bits of the number. */
static INLINE uint64_t from_units(double v)
{
    return bits_of(v + 0x1p52) - UINT64_C(0x4330000000000000);
}

/* Nonzero if low <= |x| < high, both positive. By bits, which takes no comparison. */
static INLINE uint64_t between(double x, double low, double high)
{
    const uint64_t a = bits_of(fabs(x)), sign = UINT64_C(1) << 63;
    return (a + (sign - bits_of(low))) & ~(a + (sign - bits_of(high))) & sign;
}

/* The factor that brings large numbers or small ones nearer to 1. */
static INLINE double nearer_one(int large, int small)
{
    const uint64_t step = UINT64_C(600) << 52;
    return of_bits((UINT64_C(1023) << 52) + (mask_of(small) & step) - (mask_of(large) & step));
}

/* x, but not beyond low..high; nan stays nan. */
static INLINE double clamped(double x, double low, double high)
{
    const double v = low > x ? low : x;
    return high < v ? high : v;
}

#endif
