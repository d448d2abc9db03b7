/* erf and erfc.
 *
 * Up to 0.7, erf(x) = x + x E(x^2). Beyond, erfc(a) = e^(-a^2) h / (1 + 2a), where h is nearly flat, a polynomial of
 * t = (a - c) / (a + c) (M. M. Shepherd and J. G. Laframboise, Math. Comp. 36, 1981), with a^2, the power, h and the divisor
 * as hi + lo; erf(a) = 1 - erfc(a). What may be subnormal is odd.
 *
 * For the power x = k log(2) + r with |r| <= log(2)/2 (W. J. Cody and W. Waite, Software Manual for the Elementary
 * Functions, 1980). x - k LN2_HIGH is exact, both being multiples of 2^-54; the rest of log(2) is taken along. e^r - 1 =
 * r + r^2/2 + r^3 P(r) is a sum hi + lo.
 */
#include "coefficients.h"
#include "double_double.h"

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

/* erfc(a) 2^more, 0.7 <= a <= 26 (or more, with more) */
static INLINE dd long_erfc(double a, uint64_t more)
{
    const double t = (a - ERFC_MIDDLE) / (a + ERFC_MIDDLE);
    const dd square = two_product(a, a), h = fast_two_sum(ERFC_1, fused(t, poly_erfc(t), ERFC_2));
    const exp_parts e = reduce_exp(-square.hi, -square.lo);
    const dd n = product(one_plus(e.m), h), d = two_sum(1.0, a + a), q = quotient(n.hi, n.lo, d.hi, d.lo);
    const double scale = power_of_two(e.k + more);
    return (dd){q.hi * scale, q.lo * scale};
}

/* From 0.7 on by |u|, which is |x| then. */
static INLINE double erf_of(double x, double u, double small)
{
    const double a = fabs(u);
    const dd q = long_erfc(a < 6.0 ? a : 6.0, 0), s = fast_two_sum(1.0, -q.hi);
    const double r = a < 0.7 ? small : copysign(s.hi + (s.lo - q.lo), x);
    return x == x ? r : x + x;
}

/* x + x e of a normal x, rounded once: where a fused multiplication is emulated, its product must not be tiny. */
static INLINE double small_erf(double x, double e)
{
#if FUSED_IS_FAST
    return fused(x, e, x);
#else
    const int tiny = fabs(x) < 0x1p-800;
    const double y = x * (tiny ? 0x1p200 : 1.0);
    return fused(y, e, y) * (tiny ? 0x1p-200 : 1.0);
#endif
}

static INLINE double core_erf(double x)
{
    return erf_of(x, x, small_erf(x, poly_erf(x * x)));
}

/* x + x E(0) of a subnormal x: so many units more. The product is rounded once, to a whole number: where its upper part
 * is a tie, the lower part decides. */
static INLINE double subnormal_erf(double x)
{
    const dd more = two_product(units_of(fabs(x)), poly_erf(0.0));
    const double units = (more.hi + 0x1p52) - 0x1p52, rest = more.hi - units;
    const double up = kept((rest == 0.5) & (more.lo > 0), 1.0), down = kept((rest == -0.5) & (more.lo < 0), 1.0);
    return of_bits(bits_of(x) + from_units(units + up - down));
}
/* Of tiny numbers that are not subnormal the core is right. */
static void tiny_erf(size_t n, double *to, const double *a)
{
    LOOP {
        const double x = a[i], r = to[i], s = subnormal_erf(x);
        to[i] = bits_of(fabs(x)) < UINT64_C(1) << 52 ? s : r;
    }
}
static INLINE double whole_erf(double x)
{
    const int subnormal = fabs(x) < 0x1p-1022;
    const double u = kept(!subnormal, x), z = without_tiny(x), r = erf_of(x, z, small_erf(u, poly_erf(z * z)));
    const double tiny = subnormal_erf(x);
    return subnormal ? tiny : r;
}

/* The same from q = erfc(|x|), which counts from 0.7 on. */
static INLINE double erfc_of(double x, dd q)
{
    const double a = fabs(x), rest = x * poly_erf(x * x);
    const dd left = fast_two_sum(2.0, -q.hi), near = fast_two_sum(1.0, -x);
    return a < 0.7 ? near.hi + (near.lo - rest) : x < 0 ? left.hi + (left.lo - q.lo) : q.hi + q.lo;
}

static INLINE double core_erfc(double x)
{
    const double a = fabs(x);
    return erfc_of(x, long_erfc(a < 26.0 ? a : 26.0, 0));
}
static INLINE uint64_t odd_erfc(double x)
{
    return (uint64_t)!(x < 26.0);
}
/* From 26 on 2^128 of it, brought back in the last step; from 28 on it is 0, up to -6 it is 2, of tiny ones 1. */
static INLINE double whole_erfc(double x)
{
    const double z = kept(bits_of(fabs(x)) >= bits_of(TINY), x), v = z > -6.0 ? z : -6.0;
    const int tail = z >= 26.0;
    const double edge = kept(!(z >= 28.0), z + z);
    const double r = erfc_of(z, long_erfc(fabs(v), tail ? 128 : 0)) * (tail ? 0x1p-128 : 1.0);
    return z < 28.0 ? r : edge;
}

EASY1(erf, tiny_erf)
TOTAL1(erfc, SPECIAL)
