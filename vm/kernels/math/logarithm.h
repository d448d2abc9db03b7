/* log, log2, log10, log1p, asinh, acosh and atanh.
 *
 * u = 2^k m with m in [sqrt(1/2), sqrt(2)); with s = (m - 1) / (m + 1), log(m) = 2 s + s^3 Q(s^2) (the series of
 * atanh). s is kept as hi + lo, which leaves an error of some 2^-58 before the last rounding. The others are
 * logarithms of arguments known to twice the precision: log1p(x) of 1 + x, asinh(x) = log1p(x + x^2 / (1 + sqrt(1 + x^2))),
 * acosh(x) = log1p(t + sqrt(t (t + 2))) with t = x - 1, atanh(x) = log1p(2 x / (1 - x)) / 2.
 */
#include "coefficients.h"
#include "double_double.h"

typedef struct {
    double m, k;
    uint64_t exponent; /* k, biased */
} scaled;

/* u positive and normal, below 2^1023. Adding to the bits carries into the exponent where m would be sqrt(2) or more. */
static INLINE scaled scale_down(double u)
{
    const uint64_t shifted = bits_of(u) + (UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd));
    const uint64_t exponent = shifted >> 52;
    const double k = of_bits(exponent | UINT64_C(0x4330000000000000)) - (0x1p52 + 1023.0);
    return (scaled){of_bits((shifted & UINT64_C(0x000fffffffffffff)) + UINT64_C(0x3fe6a09e667f3bcd)), k, exponent};
}

typedef struct {
    dd m; /* log(m) */
    double k;
} log_parts;

/* The logarithm of u + ulo. */
static INLINE log_parts reduce_log(double u, double ulo)
{
    const scaled v = scale_down(u);
    const double m = v.m, f = m - 1.0, mlo = ulo * of_bits((UINT64_C(2046) - v.exponent) << 52);
    const dd d = two_sum(m, 1.0), s = quotient(f, mlo, d.hi, d.lo + mlo);
    const double z = s.hi * s.hi, rest = s.lo + s.lo + s.hi * z * poly_log(z);
    return (log_parts){fast_two_sum(s.hi + s.hi, rest), v.k};
}

/* k log(2) + log(m) */
static INLINE double joined_log(log_parts p)
{
    const dd s = two_sum(p.k * LN2_1, p.m.hi);
    return s.hi + (s.lo + (p.m.lo + p.k * LN2_2));
}

static INLINE uint64_t not_positive_normal(double x)
{
    return (uint64_t)!((x >= 0x1p-1022) & (x <= 0x1p1023));
}

/* Alone, log needs s = f / (2 + f) once rounded only: 2 s = f - s f, and s f = f^2/2 - s f^2/2 (K. C. Ng's form). */
static INLINE double core_log(double x)
{
    const scaled u = scale_down(x);
    const double f = u.m - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
    return u.k * LN2_1 - ((half - (s * (half + z * poly_log(z)) + u.k * LN2_2)) - f);
}
static INLINE uint64_t odd_log(double x)
{
    return not_positive_normal(x);
}

/* Another base: log(m) times c + clo, and k times the logarithm of 2, itself k1 + k2 with k k1 exact. */
static INLINE double based_log(log_parts p, double c, double clo, double k1, double k2)
{
    const dd t = two_product(p.m.hi, c), s = two_sum(p.k * k1, t.hi);
    return s.hi + (s.lo + (t.lo + (p.m.hi * clo + p.m.lo * c) + p.k * k2));
}

static INLINE double core_log2(double x)
{
    return based_log(reduce_log(x, 0.0), INV_LN2_1, INV_LN2_2, 1.0, 0.0);
}
static INLINE uint64_t odd_log2(double x)
{
    return not_positive_normal(x);
}

static INLINE double core_log10(double x)
{
    return based_log(reduce_log(x, 0.0), INV_LN10_1, INV_LN10_2, LOG10_2_1, LOG10_2_2);
}
static INLINE uint64_t odd_log10(double x)
{
    return not_positive_normal(x);
}

/* log(1 + a + alo) with the sign of a. */
static INLINE double log_of_one_plus(double a, double alo)
{
    const dd u = two_sum(1.0, a);
    return copysign(joined_log(reduce_log(u.hi, u.lo + alo)), a);
}

static INLINE double core_log1p(double x)
{
    return log_of_one_plus(x, 0.0);
}
static INLINE uint64_t odd_log1p(double x)
{
    return (uint64_t)!((x > -0x1.fffffffffffffp-1) & (x < 0x1p1000)) | (uint64_t)(fabs(x) < 0x1p-1000);
}

static INLINE double core_asinh(double x)
{
    const double t = fabs(x), z = t * t;
    const dd a = two_sum(t, z / (1.0 + sqrt(1.0 + z)));
    return copysign(log_of_one_plus(a.hi, a.lo), x);
}
static INLINE uint64_t odd_asinh(double x)
{
    return (uint64_t)!((fabs(x) < 0x1p500) & (fabs(x) > 0x1p-500)) & (uint64_t)(x != 0);
}

static INLINE double core_acosh(double x)
{
    const dd t = two_sum(x, -1.0), v = two_product(t.hi, t.hi), w = two_sum(v.hi, t.hi + t.hi);
    const dd r = square_root(w.hi, w.lo + (v.lo + 2.0 * (t.lo + t.lo * t.hi))), a = two_sum(t.hi, r.hi);
    const double lo = a.lo + (t.lo + r.lo);
    return x == 1.0 ? 0.0 : log_of_one_plus(a.hi, lo);
}
static INLINE uint64_t odd_acosh(double x)
{
    return (uint64_t)!((x >= 1.0) & (x < 0x1p400));
}

static INLINE double core_atanh(double x)
{
    const double t = fabs(x);
    const dd d = two_sum(1.0, -t), q = quotient(t + t, 0.0, d.hi, d.lo);
    return copysign(0.5 * log_of_one_plus(q.hi, q.lo), x);
}
static INLINE uint64_t odd_atanh(double x)
{
    return (uint64_t)!((fabs(x) < 1.0) & (fabs(x) > 0x1p-500)) & (uint64_t)(x != 0);
}

MATH1(log, logl)
MATH1(log2, log2l)
MATH1(log10, log10l)
MATH1(log1p, log1pl)
MATH1(asinh, asinhl)
MATH1(acosh, acoshl)
MATH1(atanh, atanhl)
