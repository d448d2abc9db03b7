/* exp, exp2, expm1, sinh, cosh and tanh.
 *
 * x = k log(2) + r with |r| <= log(2)/2 and the rounding error of r kept (W. J. Cody and W. Waite, Software Manual for the
 * Elementary Functions, 1980); e^r - 1 = r + r^2/2 + r^3 P(r) as a sum hi + lo, so that what follows rounds once more and no
 * further. Results that are subnormal or overflow are odd.
 */
#include "coefficients.h"
#include "double_double.h"

typedef struct {
    dd m;       /* e^r - 1 */
    uint64_t k; /* the bits of k + TO_WHOLE */
} exp_parts;

static INLINE exp_parts reduce_exp(double x, double xlo)
{
    const double t = x * INV_LN2_1 + TO_WHOLE, k = t - TO_WHOLE;
    const double a = x - k * LN2_1, b = k * LN2_2 - xlo, r = a - b, rlo = (a - r) - b;
    const double h = 0.5 * r * r;
    const dd m = fast_two_sum(r, h + r * h * poly_exp3(r));
    return (exp_parts){{m.hi, m.lo + (rlo + rlo * r)}, bits_of(t)};
}

/* 1 + m */
static INLINE dd one_plus(dd m)
{
    const dd s = fast_two_sum(1.0, m.hi);
    return (dd){s.hi, s.lo + m.lo};
}

/* Alone, exp does without the error of 1 + r. */
static INLINE double core_exp(double x)
{
    const double t = x * INV_LN2_1 + TO_WHOLE, k = t - TO_WHOLE;
    const double a = x - k * LN2_1, b = k * LN2_2, r = a - b, rlo = (a - r) - b;
    return (1.0 + (r + (r * r * poly_exp(r) + rlo))) * power_of_two(bits_of(t));
}
static INLINE uint64_t odd_exp(double x)
{
    return (uint64_t)!(fabs(x) < 708.0);
}

static INLINE double core_exp2(double x)
{
    const double t = x + TO_WHOLE, r = x - (t - TO_WHOLE);
    const double a = r * LN2_1, b = r * LN2_2 + r * r * poly_exp2(r);
    const dd s = two_sum(1.0, a);
    return (s.hi + (s.lo + b)) * power_of_two(bits_of(t));
}
static INLINE uint64_t odd_exp2(double x)
{
    return (uint64_t)!(fabs(x) < 1022.0);
}

/* 2^k (1 + m) - 1 = (2^k - 1) + 2^k m. Where 2^k is negligible, or 1 is, k is cut: the answer is the same. */
static INLINE double core_expm1(double x)
{
    const exp_parts e = reduce_exp(x, 0.0);
    const double scale = power_of_two(e.k);
    const dd s = two_sum(scale, -1.0), u = two_sum(s.hi, scale * e.m.hi);
    return copysign(u.hi + (u.lo + (scale * e.m.lo + s.lo)), x);
}
static INLINE uint64_t odd_expm1(double x)
{
    return odd_exp(x);
}

/* e^|x| / 2 and its reciprocal. */
static INLINE dd half_exp(double x)
{
    const exp_parts e = reduce_exp(fabs(x), 0.0);
    const dd s = one_plus(e.m);
    const double scale = power_of_two(e.k - 1), hi = s.hi + s.lo;
    return (dd){hi * scale, ((s.hi - hi) + s.lo) * scale};
}

static INLINE double core_sinh(double x)
{
    const double z = x * x, small = x + x * z * poly_sinh(z);
    const dd h = half_exp(x), d = fast_two_sum(h.hi, -0.25 / h.hi);
    return fabs(x) < 1.0 ? small : copysign(d.hi + (d.lo + h.lo), x);
}
static INLINE uint64_t odd_sinh(double x)
{
    return odd_exp(x);
}

static INLINE double core_cosh(double x)
{
    const dd h = half_exp(x), d = fast_two_sum(h.hi, 0.25 / h.hi);
    return d.hi + (d.lo + h.lo);
}
static INLINE uint64_t odd_cosh(double x)
{
    return odd_exp(x);
}

/* (e^2|x| - 1) / (e^2|x| + 1), both as 2^k -+ 1 + 2^k m; from 20 on it is 1. */
static INLINE double core_tanh(double x)
{
    const double a = fabs(x);
    const exp_parts e = reduce_exp(2.0 * (a < 20.0 ? a : 20.0), 0.0);
    const double scale = power_of_two(e.k), hi = scale * e.m.hi, lo = scale * e.m.lo;
    const dd less = fast_two_sum(scale, -1.0), more = fast_two_sum(scale, 1.0);
    const dd n = fast_two_sum(less.hi, hi), d = fast_two_sum(more.hi, hi);
    const dd q = quotient(n.hi, n.lo + (less.lo + lo), d.hi, d.lo + (more.lo + lo));
    return copysign(q.hi + q.lo, x);
}
static INLINE uint64_t odd_tanh(double x)
{
    return (uint64_t)!(fabs(x) <= 0x1.fffffffffffffp1023);
}

MATH1(exp, expl)
MATH1(exp2, exp2l)
MATH1(expm1, expm1l)
MATH1(sinh, sinhl)
MATH1(cosh, coshl)
MATH1(tanh, tanhl)
