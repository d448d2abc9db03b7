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

/* u positive and normal. Adding to the bits carries into the exponent where m would be sqrt(2) or more. Bias: what k is in
 * the low bits of, 2^52 and what is to be taken from it. */
static INLINE scaled scale_by(double u, double bias)
{
    const uint64_t shifted = bits_of(u) + (UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd));
    const uint64_t exponent = shifted >> 52;
    const double k = of_bits(exponent | UINT64_C(0x4330000000000000)) - bias;
    return (scaled){of_bits((shifted & UINT64_C(0x000fffffffffffff)) + UINT64_C(0x3fe6a09e667f3bcd)), k, exponent};
}

static INLINE scaled scale_down(double u)
{
    return scale_by(u, 0x1p52 + 1023.0);
}

/* A comparison makes a vector of bits, but of AVX-512 a mask five cycles later. So there it is done by bits, and what is to be
 * chosen in the end is chosen in one step. */
#if defined __AVX512DQ__
static INLINE uint64_t is_subnormal(double x)
{
    return 0 - ((bits_of(x) - (UINT64_C(1) << 52)) >> 63);
}
/* r, the logarithm of a positive number x, but what it is where x is not one. */
static INLINE double or_edge(double x, double r)
{
    const double refused = x == 0 ? -INFINITY : (double)NAN, edge = x < INFINITY ? refused : x + x;
    return (x > 0) & (bits_of(x) < bits_of(INFINITY)) ? r : edge;
}
#else
static INLINE uint64_t is_subnormal(double x)
{
    return mask_of(x < 0x1p-1022);
}
static INLINE double or_edge(double x, double r)
{
    const double refused = x == 0 ? -INFINITY : (double)NAN, number = x > 0 ? r : refused;
    return x < INFINITY ? number : x + x;
}
#endif

/* The same of any positive number; a subnormal one is counted in units. */
static INLINE scaled scale_any(double x)
{
    const uint64_t u = bits_of(x), subnormal = is_subnormal(x);
    const double normal = of_bits(u ^ ((u ^ bits_of(units_of(x))) & subnormal));
    return scale_by(normal, of_bits(bits_of(0x1p52 + 1023.0) + (1074 & subnormal)));
}

typedef struct {
    dd m; /* log(m); lo is up to a hundredth of it */
    double k;
} log_parts;

/* The logarithm of v.m + mlo. */
static INLINE log_parts reduce_log(scaled v, double mlo)
{
    const dd d = fast_two_sum(1.0, v.m), s = quotient(v.m - 1.0, mlo, d.hi, d.lo + mlo);
    const double z = s.hi * s.hi;
    return (log_parts){{s.hi + s.hi, fused(s.hi * z, poly_log(z), s.lo + s.lo)}, v.k};
}

/* k log(2) + log(m). Unless k is 0 its part is the larger one. */
static INLINE double joined_log(log_parts p)
{
    const dd s = fast_two_sum(p.k * LN2_1, p.m.hi);
    return s.hi + (s.lo + fused(p.k, LN2_2, p.m.lo));
}

static INLINE uint64_t not_positive_normal(double x)
{
    return (uint64_t)!((x >= 0x1p-1022) & (x <= 0x1p1023));
}

static INLINE uint64_t raises_log(double r, double x)
{
    (void)r;
    return (uint64_t)(x <= 0);
}

/* Alone, log needs s = f / (2 + f) once rounded only: 2 s = f - s f, and s f = f^2/2 - s f^2/2 (K. C. Ng's form). */
static INLINE double log_of(scaled u)
{
    const double f = u.m - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f;
    const double rest = fused(u.k, LN2_2, s * fused(z, poly_log(z), half * f));
    return fused(u.k, LN2_1, f - fused(half, f, -rest));
}

static INLINE double core_log(double x)
{
    return log_of(scale_down(x));
}
static INLINE uint64_t odd_log(double x)
{
    return not_positive_normal(x);
}
static INLINE double whole_log(double x)
{
    return or_edge(x, log_of(scale_any(x)));
}

/* Another base: log(m) times c + clo. */
static INLINE dd based(dd m, double c, double clo)
{
    const dd t = two_product(m.hi, c);
    return (dd){t.hi, fused(m.lo, c, fused(m.hi, clo, t.lo))};
}

static INLINE double log2_of(scaled v)
{
    const log_parts p = reduce_log(v, 0.0);
    const dd m = based(p.m, INV_LN2_1, INV_LN2_2), s = fast_two_sum(p.k, m.hi);
    return s.hi + (s.lo + m.lo);
}

static INLINE double core_log2(double x)
{
    return log2_of(scale_down(x));
}
static INLINE uint64_t odd_log2(double x)
{
    return not_positive_normal(x);
}
static INLINE double whole_log2(double x)
{
    return or_edge(x, log2_of(scale_any(x)));
}

static INLINE double log10_of(scaled v)
{
    const log_parts p = reduce_log(v, 0.0);
    const dd m = based(p.m, INV_LN10_1, INV_LN10_2), s = fast_two_sum(p.k * LOG10_2_1, m.hi);
    return s.hi + (s.lo + fused(p.k, LOG10_2_2, m.lo));
}

static INLINE double core_log10(double x)
{
    return log10_of(scale_down(x));
}
static INLINE uint64_t odd_log10(double x)
{
    return not_positive_normal(x);
}
static INLINE double whole_log10(double x)
{
    return or_edge(x, log10_of(scale_any(x)));
}

/* log(1 + a + alo) + more log(2), with the sign of a. 1 + a must be below 2^1022. */
static INLINE double log_of_one_plus(double a, double alo, double more)
{
    const dd u = two_sum(1.0, a);
    scaled v = scale_down(u.hi);
    const double unit = of_bits((UINT64_C(2046) - v.exponent) << 52);
    v.k += more;
    return copysign(joined_log(reduce_log(v, (u.lo + alo) * unit)), a);
}

static INLINE double core_log1p(double x)
{
    return log_of_one_plus(x, 0.0, 0.0);
}
static INLINE uint64_t odd_log1p(double x)
{
    return (uint64_t)!((x > -0x1.fffffffffffffp-1) & (x < 0x1p1000)) | (uint64_t)(fabs(x) < 0x1p-1000);
}
/* As core_log1p, which multiplies what was rounded off from 1 + x by 2^-k. From 2^54 on that does not count, but it must not
 * become infinite: k = 1024 is the one that has no 2^-k. */
static INLINE double whole_log1p(double x)
{
    const dd u = two_sum(1.0, x);
    const scaled v = scale_down(u.hi);
    const uint64_t k = v.exponent < 2045 ? v.exponent : 2045;
    const double r = copysign(joined_log(reduce_log(v, u.lo * of_bits((UINT64_C(2046) - k) << 52))), x);
    const double refused = x == -1.0 ? -INFINITY : (double)NAN, number = x > -1.0 ? r : refused;
    return or_tiny(x, x < INFINITY ? number : x + x);
}
static INLINE uint64_t raises_log1p(double r, double x)
{
    (void)r;
    return (uint64_t)(x <= -1.0);
}

/* Large ones are log(2 t), of t 2^-54. */
static INLINE double core_asinh(double x)
{
    const double t = fabs(x), z = t * t;
    const dd a = fast_two_sum(t, z / (1.0 + sqrt(1.0 + z)));
    return copysign(log_of_one_plus(a.hi, a.lo, 0.0), x);
}
static INLINE uint64_t odd_asinh(double x)
{
    return (uint64_t)!((fabs(x) < 0x1p500) & (fabs(x) > 0x1p-500)) & (uint64_t)(x != 0);
}
static INLINE double whole_asinh(double x)
{
    const double t = fabs(x), z = t * t;
    const int large = t >= 0x1p500;
    const dd a = fast_two_sum(t, z / (1.0 + sqrt(1.0 + z)));
    const double r = log_of_one_plus(large ? t * 0x1p-54 : a.hi, large ? 0.0 : a.lo, large ? 55.0 : 0.0);
    return t < INFINITY ? or_tiny(x, copysign(r, x)) : x + x;
}

/* sqrt(x^2 - 1) + x - 1, x at least 1 */
static INLINE dd acosh_argument(double x)
{
    const dd t = fast_two_sum(x, -1.0), v = two_product(t.hi, t.hi), w = two_sum(v.hi, t.hi + t.hi);
    const dd r = square_root(w.hi, w.lo + fused(2.0 * t.lo, 1.0 + t.hi, v.lo)), a = fast_two_sum(r.hi, t.hi);
    return (dd){a.hi, a.lo + (t.lo + r.lo)};
}

static INLINE double core_acosh(double x)
{
    const dd a = acosh_argument(x);
    return x == 1.0 ? 0.0 : log_of_one_plus(a.hi, a.lo, 0.0);
}
static INLINE uint64_t odd_acosh(double x)
{
    return (uint64_t)!((x >= 1.0) & (x < 0x1p400));
}
static INLINE double whole_acosh(double x)
{
    const int large = x >= 0x1p400;
    const dd a = acosh_argument(x);
    const double r = log_of_one_plus(large ? x * 0x1p-54 : a.hi, large ? 0.0 : a.lo, large ? 55.0 : 0.0);
    const double least = x == 1.0 ? 0.0 : (double)NAN, number = x > 1.0 ? r : least;
    return x < INFINITY ? number : x + x;
}
static INLINE uint64_t raises_acosh(double r, double x)
{
    (void)r;
    return (uint64_t)(x < 1.0);
}

static INLINE double core_atanh(double x)
{
    const double t = fabs(x);
    const dd d = fast_two_sum(1.0, -t), q = quotient(t + t, 0.0, d.hi, d.lo);
    return copysign(0.5 * log_of_one_plus(q.hi, q.lo, 0.0), x);
}
static INLINE uint64_t odd_atanh(double x)
{
    return (uint64_t)!((fabs(x) < 1.0) & (fabs(x) > 0x1p-500)) & (uint64_t)(x != 0);
}
static INLINE double whole_atanh(double x)
{
    const double t = fabs(x), r = or_tiny(x, core_atanh(x));
    const double end = copysign(INFINITY, x), edge = t > 1.0 ? (double)NAN : x + 1.0;
    return t < 1.0 ? r : t == 1.0 ? end : edge;
}
static INLINE uint64_t raises_atanh(double r, double x)
{
    (void)r;
    return (uint64_t)(fabs(x) >= 1.0);
}

MARKS1(raises_log)
MARKS1(raises_log1p)
MARKS1(raises_acosh)
MARKS1(raises_atanh)
MATH1(log, SPECIAL, raises_log)
MATH1(log2, SPECIAL, raises_log)
MATH1(log10, SPECIAL, raises_log)
MATH1(log1p, ITSELF, raises_log1p)
TOTAL1(asinh, ITSELF)
MATH1(acosh, THE_SAME, raises_acosh)
MATH1(atanh, ITSELF, raises_atanh)
