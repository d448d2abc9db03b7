/* cbrt and hypot. */
#include "coefficients.h"
#include "double_double.h"

/* |x| = 2^(3 q + i + 1) m, m in [1, 2), i in -1..1. A polynomial guesses y = v^(-1/3) of v = 2^(i + 1) m; with e = 1 - v y^3,
 * t = v y^2 is the root but for a factor (1 - e)^(-2/3), and the residual d = v - t^3 gives the root as
 * t + d y^2 (1 + 4/3 e + 38/27 e^2 ...) / 3: no division, and rounded once, as d is all but exact. */
static INLINE double core_cbrt(double x)
{
    const uint64_t bits = bits_of(x) & UINT64_C(0x7fffffffffffffff), exponent = bits >> 52;
    const double less = of_bits(exponent | UINT64_C(0x4330000000000000)) - (0x1p52 + 1.0); /* 0..2045, 1023 = 3 * 341 too high */
    const double whole = fused(less, 1.0 / 3.0, TO_WHOLE), i = fused(-3.0, whole - TO_WHOLE, less);
    const double m = of_bits((bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x3ff0000000000000));
    const double v = m * fused(fused(0.5, i, 1.5), i, 2.0); /* 1, 2 or 4 times m */
    const double y = poly_cbrt(m) * fused(fused(CBRT_2, i, CBRT_1), i, CBRT_0);
    const double y2 = y * y, e = fused(-v, y2 * y, 1.0), t = v * y2;
    const dd square = two_product(t, t);
    const double d = fused(-square.lo, t, fused(-square.hi, t, v));
    const double factor = fused(fused(e, 38.0 / 81.0, 4.0 / 9.0), e, 1.0 / 3.0);
    const double r = fused(d, y2 * factor, t) * of_bits((bits_of(whole) + (1023 - 341)) << 52);
    return x == 0 ? x : copysign(r, x);
}
static INLINE uint64_t odd_cbrt(double x)
{
    const double a = fabs(x);
    return (uint64_t)!((a >= 0x1p-1022) & (a <= 0x1.fffffffffffffp1023)) & (uint64_t)(x != 0);
}

static INLINE double whole_cbrt(double x)
{
    const double a = fabs(x);
    const int subnormal = a < 0x1p-1022;
    const double r = core_cbrt(subnormal ? units_of(a) : a) * (subnormal ? 0x1p-358 : 1.0);
    return (a > 0) & (a < INFINITY) ? copysign(r, x) : x + x;
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

TOTAL1(cbrt, SPECIAL)
FAR2(hypot)
