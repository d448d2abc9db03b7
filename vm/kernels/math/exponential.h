/* exp, exp2, expm1, sinh, cosh and tanh.
 *
 * x = k log(2) + r with |r| <= log(2)/2 (W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980).
 * x - k LN2_HIGH is exact, both being multiples of 2^-54; the rest of log(2) is taken along. e^r - 1 = r + r^2/2 + r^3
 * P(r) as a sum hi + lo, so that what follows rounds once more and no further. Results that are subnormal or overflow
 * are odd: they are scaled in two steps.
 */
#include "coefficients.h"
#include "double_double.h"

/* The least numbers whose results are too large. */
#define EXP_END 0x1.62e42fefa39fp9
#define COSH_END 0x1.633ce8fb9f87ep9

typedef struct {
    dd m;       /* e^r - 1 */
    uint64_t k; /* the bits of k + TO_EXPONENT */
} exp_parts;

static INLINE exp_parts reduce_exp(double x, double xlo)
{
    const double t = fused(x, INV_LN2_1, TO_EXPONENT), k = t - TO_EXPONENT;
    const double a = fused(-k, LN2_HIGH, x), b = fused(k, LN2_LOW, -xlo), r = a - b, rlo = (a - r) - b, h = 0.5 * r * r;
    const dd m = fast_two_sum(r, fused(r * h, poly_exp3(r), h));
    return (exp_parts){{m.hi, m.lo + fused(rlo, r, rlo)}, bits_of(t)};
}

/* 1 + m */
static INLINE dd one_plus(dd m)
{
    const dd s = fast_two_sum(1.0, m.hi);
    return (dd){s.hi, s.lo + m.lo};
}

typedef struct {
    double m;   /* 1 to 2, or a little beyond */
    uint64_t k; /* the bits of k + TO_EXPONENT */
} short_exp;

/* Alone, exp does without the errors of what follows 1 + r. */
static INLINE short_exp reduced_exp(double x)
{
    const double t = fused(x, INV_LN2_1, TO_EXPONENT), k = t - TO_EXPONENT, a = fused(-k, LN2_HIGH, x);
    const double r = fused(-k, LN2_LOW, a), rlo = fused(-k, LN2_LOW, a - r);
    const dd s = fast_two_sum(1.0, r);
    return (short_exp){s.hi + (s.lo + fused(r * r, poly_exp(r), rlo)), bits_of(t)};
}

static INLINE double core_exp(double x)
{
    const short_exp e = reduced_exp(x);
    return e.m * power_of_two(e.k);
}
static INLINE uint64_t odd_exp(double x)
{
    return (uint64_t)!(fabs(x) < 708.0);
}
/* Where the result may overflow or be subnormal, and need not. */
static INLINE uint64_t far_exp(double x)
{
    return between(x, 708.0, 746.0);
}

/* e^x or 2^x, r if |x| < least: beyond it is 0 or inf, and a nan itself. */
static INLINE double or_out_of_range(double x, double least, double r)
{
    const double edge = kept(!(x < 0), x + INFINITY);
    return fabs(x) < least ? r : edge;
}
static INLINE double whole_exp(double x)
{
    return or_out_of_range(x, 708.0, core_exp(x));
}
static INLINE double beyond_exp(double x)
{
    const short_exp e = reduced_exp(x);
    return or_out_of_range(x, 746.0, scaled_by(e.m, e.k, x));
}

static INLINE short_exp reduced_exp2(double x)
{
    const double t = x + TO_EXPONENT, r = x - (t - TO_EXPONENT);
    const double hi = fused(r, LN2_HIGH, 1.0), lo = fused(r, LN2_HIGH, 1.0 - hi);
    return (short_exp){hi + fused(r, fused(r, poly_exp2(r), LN2_LOW), lo), bits_of(t)};
}

static INLINE double core_exp2(double x)
{
    const short_exp e = reduced_exp2(x);
    return e.m * power_of_two(e.k);
}
static INLINE uint64_t odd_exp2(double x)
{
    return (uint64_t)!(fabs(x) < 1022.0);
}
static INLINE uint64_t far_exp2(double x)
{
    return between(x, 1022.0, 1076.0);
}
static INLINE double whole_exp2(double x)
{
    return or_out_of_range(x, 1022.0, core_exp2(x));
}
static INLINE double beyond_exp2(double x)
{
    const short_exp e = reduced_exp2(x);
    return or_out_of_range(x, 1076.0, scaled_by(e.m, e.k, x));
}

/* 2^k (1 + m) - 1 = (2^k - 1) + 2^k m, all times 2^-less = unit. The first term is the larger one, or 0. Where 2^k is
 * negligible, or 1 is, k is cut: the answer is the same. */
static INLINE double expm1_in(double x, halfway e, uint64_t less, double unit)
{
    const double scale = power_of_two(bits_of(e.w) - less);
    const dd s = two_sum(scale, -unit), u = fast_two_sum(s.hi, scale * e.u);
    return copysign(u.hi + (u.lo + (scale * e.v + s.lo)), x);
}

/* m, and k + TO_EXPONENT */
static INLINE halfway first_expm1(double x)
{
    const exp_parts e = reduce_exp(x, 0.0);
    return (halfway){e.m.hi, e.m.lo, of_bits(e.k)};
}
static INLINE double second_expm1(double x, halfway e)
{
    return expm1_in(x, e, 0, 1.0);
}
static INLINE uint64_t odd_expm1(double x)
{
    return odd_exp(x);
}
/* Twice a positive number or a negative one, neither subnormal nor too large. Quicker than an addition. */
static INLINE double doubled(double half)
{
    return of_bits(bits_of(half) + (UINT64_C(1) << 52));
}
/* From half of it, which does not overflow before its end; but not of the smallest, of which that would lose bits. */
static INLINE double second_whole_expm1(double x, halfway e)
{
    const double r = doubled(expm1_in(x, e, 1, 0.5)), upper = x < EXP_END ? r : x + INFINITY;
    const double v = x < -708.0 ? -1.0 : upper;
    return fabs(x) < 0x1p-54 ? x : v;
}

/* sinh and cosh of |x| are 2^k times m C + p S and p C + m S, where C and S are those of r, and m and p are
 * 1/2 - half and 1/2 + half, half = 2^-2k / 2: no division, and small numbers need nothing else, as m is 0 then. What the
 * larger one's sum loses of half from k = 27 on is added apart. 2^k goes into the exponent as a number: that can overflow
 * only from COSH_END on. Halfway there are r, what is below r, and k + TO_WHOLE. */
typedef struct {
    double m, p, half, s, c; /* S = r + s, C = 1 + c */
    uint64_t exponent;       /* k */
} hyperbolic;

static INLINE halfway reduce_hyperbolic(double x)
{
    const double v = fabs(x), t = fused(v, INV_LN2_1, TO_WHOLE), k = t - TO_WHOLE;
    const double a = fused(-k, LN2_HIGH, v), r = fused(-k, LN2_LOW, a);
    return (halfway){r, fused(-k, LN2_LOW, a - r), t};
}

static INLINE hyperbolic hyperbolic_of(halfway h)
{
    const double z = h.u * h.u, s = fused(h.u * z, poly_sinh(z), h.v), c = fused(z * z, poly_cosh(z), 0.5 * z);
    const double least = h.w < TO_WHOLE + 30.0 ? h.w : TO_WHOLE + 30.0;
    const double half = of_bits((UINT64_C(1022) << 52) - (bits_of(least) << 53));
    return (hyperbolic){0.5 - half, 0.5 + half, half, s, c, bits_of(h.w) << 52};
}

/* v 2^k, or what it is beyond: inf or nan. */
static INLINE double or_too_large(double x, double v, uint64_t exponent, double edge)
{
    const double r = of_bits(bits_of(v) + exponent);
    return fabs(x) < COSH_END ? r : edge;
}

static INLINE halfway first_sinh(double x)
{
    return reduce_hyperbolic(x);
}
static INLINE double second_sinh(double x, halfway h)
{
    const hyperbolic f = hyperbolic_of(h);
    const double u = fused(f.p, h.u, f.m), rest = fused(f.p, f.s, fused(f.m, f.c, (0.5 - f.m) - f.half));
    const double edge = fabs(x) + INFINITY;
    return copysign(or_too_large(x, u + (fused(f.p, h.u, f.m - u) + rest), f.exponent, edge), x);
}
/* By bits, so that it is vector code at every level. */
static INLINE uint64_t odd_sinh(double x)
{
    return (bits_of(COSH_END) - 1 - bits_of(fabs(x))) & UINT64_C(1) << 63;
}

static INLINE halfway first_cosh(double x)
{
    return reduce_hyperbolic(x);
}
static INLINE double second_cosh(double x, halfway h)
{
    const hyperbolic f = hyperbolic_of(h);
    const double u = fused(f.m, h.u, f.p), rest = fused(f.m, h.u, (0.5 - u) + f.half);
    const double edge = x == x ? INFINITY : x + x;
    return or_too_large(x, u + fused(f.m, f.s, fused(f.p, f.c, rest)), f.exponent, edge);
}
static INLINE uint64_t odd_cosh(double x)
{
    return odd_sinh(x);
}

/* |x| = k log(2)/2 + r, |r| <= log(2)/4; t = tanh(r) = h + l, s = 2^-k. tanh(|x|) is then
 * ((1 - s) + (1 + s) t) / ((1 + s) + (1 - s) t). From 53 on 1 - s would be rounded: there the quotient is the one of 18.54,
 * which is the double below 1, as it should be for 18.37 to 19.06. */
static INLINE halfway first_tanh(double x)
{
    const double a = fabs(x), v = a < 18.54 ? a : 18.54;
    const double t = fused(v, 2.0 * INV_LN2_1, TO_EXPONENT), k = t - TO_EXPONENT;
    const double b = fused(-k, HALF_LN2_HIGH, v), r = fused(-k, HALF_LN2_LOW, b), rlo = fused(-k, HALF_LN2_LOW, b - r);
    const double z = r * r;
    return (halfway){r, fused(r * z, poly_tanh(z), rlo), of_bits((UINT64_C(2046) << 52) - (bits_of(t) << 52))};
}

/* h.u + h.v is t, h.w is s. The sums n and d are rounded and nlo and dlo what that took away, with the rest of t. */
static INLINE double second_tanh(double x, halfway h)
{
    const double s = h.w, less = 1.0 - s, more = 1.0 + s;
    const dd t = fast_two_sum(h.u, h.v), m = fast_two_sum(less, t.hi);
    const double n = fused(s, t.hi, m.hi), nlo = fused(more, t.lo, fused(s, t.hi, m.hi - n) + m.lo);
    const double d = fused(less, t.hi, more), dlo = fused(less, t.hi, (1.0 - d) + s);
    const double inverse = 1.0 / d, q = n * inverse;
    const double r = fused(fused(-q, d, n) + fused(-q, dlo, nlo), inverse, q);
    const double a = fabs(x), end = 1.0 < a ? 1.0 : a + a;
    return copysign(a < 0x1.30fc1931f09cap+4 ? r : end, x);
}
BEYOND1(exp, THE_SAME, raises_overflow, far_exp)
BEYOND1(exp2, THE_SAME, raises_overflow, far_exp2)
MATH1_HALVES(expm1, ITSELF, raises_overflow)
ONCE1_HALVES(sinh, ITSELF, raises_overflow)
ONCE1_HALVES(cosh, THE_SAME, raises_overflow)
EASY1_HALVES(tanh, ITSELF)
