/* cbrt and hypot. */
#include "coefficients.h"
#include "double_double.h"

/* A first guess y of a^(-1/3), a = |x|, has a third of a's upper bits, negated, as those of a double are nearly its
 * logarithm: e = 1 - a y^3 is up to 0.102. A polynomial of e betters it to 2^-17.8. */
static INLINE double inverse_cbrt(double a)
{
    const double upper = of_bits(bits_of(a) >> 32 | UINT64_C(0x4330000000000000)); /* and 2^52 */
    const double g = fused(upper, -1.0 / 3.0, 0x1p52 + (0x1p52 / 3.0 + 0x1.54fba2dp+30)), y = of_bits(bits_of(g) << 32);
    const double e = fused(-(a * y), y * y, 1.0);
    return fused(y * e, poly_cbrt(e), y);
}

/* Of y = a^(-1/3), nearly: with e = 1 - a y^3, t = a y^2 is the root but for a factor (1 - e)^(-2/3), and the residual
 * d = a - t^3 gives the root as t + d y^2 (1 + 4/3 e + 38/27 e^2 ...) / 3: no division, and rounded once, as d is all but
 * exact. */
static INLINE double cbrt_by(double a, double y)
{
    const double y2 = y * y, t = a * y2, e = fused(-t, y, 1.0);
    const dd square = two_product(t, t);
    const double d = fused(-square.lo, t, fused(-square.hi, t, a));
    return fused(d * y2, fused(fused(e, 38.0 / 81.0, 4.0 / 9.0), e, 1.0 / 3.0), t);
}

static INLINE halfway first_cbrt(double x)
{
    return (halfway){inverse_cbrt(fabs(x)), 0, 0};
}
static INLINE double second_cbrt(double x, halfway h)
{
    const double a = fabs(x), r = copysign(cbrt_by(a, h.u), x);
    return a < INFINITY ? r : x + x;
}
static INLINE uint64_t odd_cbrt(double x)
{
    return (uint64_t)((fabs(x) < 0x1p-900) & (x != 0));
}

/* Small numbers are made 2^600 times as large, as their residuals would be subnormal: in the exponent, which makes
 * 2^-423 + a 2^599 of a subnormal a. Large ones are made smaller where fused is software and their cubes must be finite. */
static INLINE int large_for_cbrt(double a)
{
    return !FUSED_IS_FAST && a >= 0x1p1000;
}
static INLINE double nearer_cbrt(double x)
{
    const double a = fabs(x), w = a < 0x1p-900 ? of_bits(bits_of(a) + (UINT64_C(600) << 52)) : a;
    const double v = a < 0x1p-1022 ? w - 0x1p-423 : w;
    return large_for_cbrt(a) ? v * 0x1p-600 : a < 0x1p-1022 ? v + v : v;
}
static INLINE double first_near_cbrt(double v)
{
    return inverse_cbrt(v);
}
static INLINE double second_near_cbrt(double x, double v, double y)
{
    const double a = fabs(x), back = a < 0x1p-900 ? 0x1p-200 : large_for_cbrt(a) ? 0x1p200 : 1.0;
    const double r = copysign(cbrt_by(v, y) * back, x);
    return a < INFINITY ? r : x + x;
}

static INLINE double core_hypot(double x, double y)
{
    const dd a = two_product(x, x), b = two_product(y, y), s = two_sum(a.hi, b.hi);
    const dd r = square_root(s.hi, s.lo + (a.lo + b.lo));
    return r.hi + r.lo;
}
static INLINE uint64_t odd_hypot(double x, double y)
{
    const double ax = fabs(x), ay = fabs(y);
    return (uint64_t)!((ax < 0x1p500) & (ay < 0x1p500) & ((ax > 0x1p-480) | ((x == 0) & (y != 0)))
                       & ((ay > 0x1p-480) | ((y == 0) & (x != 0))));
}

/* a, but 0 where its bits are below those. */
static INLINE double or_zero(double a, uint64_t least)
{
    return of_bits(bits_of(a) & ~(0 - ((bits_of(a) - least) >> 63)));
}

/* a times c, a subnormal a by its unit times c. */
static INLINE double scaled_side(double a, double c, double unit)
{
    const int subnormal = a < 0x1p-1022;
    return (subnormal ? units_of(a) : a) * (subnormal ? unit : c);
}

/* Scaled so that the longer side is from 2 to 4; one 2^60 times as short does not count. Where a side is inf or nan, or both
 * are 0, the root is nan. An infinite side is the answer whatever the other is. */
static INLINE double whole_hypot(double x, double y)
{
    const double ax = fabs(x), ay = fabs(y), longer = ax > ay ? ax : ay, v = x != x ? x : y, nan_or_0 = v + 0.0;
    const uint64_t exponent = bits_of(longer) & UINT64_C(0x7ff) << 52, least = bits_of(longer) - (UINT64_C(60) << 52);
    const double c = of_bits((UINT64_C(2047) << 52) - exponent), back = of_bits(exponent - (UINT64_C(1) << 52));
    const double r = core_hypot(or_zero(ax, least) * c, or_zero(ay, least) * c) * back;
    const double u = ax == INFINITY ? INFINITY : nan_or_0, edge = ay == INFINITY ? INFINITY : u;
    return r == r ? r : edge;
}
static INLINE uint64_t far_hypot(double r, double x, double y)
{
    const double ax = fabs(x), ay = fabs(y), longer = ax > ay ? ax : ay;
    (void)r;
    return (uint64_t)((longer > 0) & (longer < 0x1p-900));
}

/* Small sides are made 2^600 times as long, subnormal ones by way of their units. */
static INLINE double beyond_hypot(double x, double y)
{
    const double ax = fabs(x), ay = fabs(y);
    const int small = (ax < 0x1p-400) & (ay < 0x1p-400);
    const double c = small ? 0x1p600 : 1.0, unit = kept(small, 0x1p-474); /* a subnormal side is 0 else */
    const double r = whole_hypot(scaled_side(ax, c, unit), scaled_side(ay, c, unit)) * (small ? 0x1p-600 : 1.0);
    const double nan = first_nan(x, y), v = isunordered(x, y) ? nan : r;
    return (ax == INFINITY) | (ay == INFINITY) ? INFINITY : v;
}

TOTAL1_HALVES(cbrt, SPECIAL)
FAR2(hypot)
