/* atan, atan2, asin and acos.
 *
 * The arc of n/d, 0 <= n <= d: beyond tan(pi/8) it is pi/4 + atan((n - d) / (n + d)), so that atan(t) = t + t^3 P(t^2) is
 * needed for |t| <= tan(pi/8) only. t is kept as hi + lo. Other octants follow by symmetry, with pi in two parts. asin
 * and acos have a polynomial up to 1/2; beyond, asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)).
 */
#include "coefficients.h"
#include "double_double.h"

/* atan(n / d) as hi + lo, for 0 <= n <= d, d positive. */
static INLINE dd arc(double n, double d)
{
    const int beyond = n > 0x1.a827999fcef32p-2 * d;
    const dd difference = two_sum(n, -d), sum = two_sum(n, d);
    const dd t = quotient(beyond ? difference.hi : n, beyond ? difference.lo : 0.0, beyond ? sum.hi : d,
                          beyond ? sum.lo : 0.0);
    const double z = t.hi * t.hi, rest = t.hi * z * poly_atan(z) + (t.lo - z * t.lo);
    const dd base = fast_two_sum(beyond ? 0.25 * PI_1 : t.hi, beyond ? t.hi : 0.0);
    return (dd){base.hi, base.lo + (rest + (beyond ? 0.25 * PI_2 : 0.0))};
}

/* a + alo minus the arc, or the arc */
static INLINE dd reflected(int reflect, double a, double alo, dd r)
{
    const dd s = fast_two_sum(a, -r.hi);
    return (dd){reflect ? s.hi : r.hi, reflect ? s.lo + (alo - r.lo) : r.lo};
}

static INLINE double core_atan(double x)
{
    const double a = fabs(x);
    const int over = a > 1.0;
    const dd r = reflected(over, 0.5 * PI_1, 0.5 * PI_2, arc(over ? 1.0 : a, over ? a : 1.0));
    return copysign(r.hi + r.lo, x);
}
static INLINE uint64_t odd_atan(double x)
{
    return (uint64_t)!(fabs(x) < 0x1p500);
}

static INLINE double core_atan2(double y, double x)
{
    const double ay = fabs(y), ax = fabs(x);
    const int over = ay > ax;
    const dd octant = arc(over ? ax : ay, over ? ay : ax), half = reflected(over, 0.5 * PI_1, 0.5 * PI_2, octant);
    const dd r = reflected(x < 0, PI_1, PI_2, half);
    return copysign(r.hi + r.lo, y);
}
static INLINE uint64_t odd_atan2(double y, double x)
{
    const double ay = fabs(y), ax = fabs(x);
    return (uint64_t)!((ax < 0x1p400) & (ax > 0x1p-400) & (ay < 0x1p400) & (ay > 0x1p-400));
}

typedef struct {
    int beyond;     /* |x| > 1/2 */
    double s, rest; /* asin of x, or beyond of sqrt((1 - |x|) / 2), is s + rest */
} small_asin;

static INLINE small_asin reduce_asin(double x)
{
    const double a = fabs(x);
    const int beyond = a > 0.5;
    const double z = beyond ? 0.5 * (1.0 - a) : a * a;
    const dd root = square_root(beyond ? z : 1.0, 0.0);
    const double s = beyond ? root.hi : x;
    return (small_asin){beyond, s, s * z * poly_asin(z) + (beyond ? root.lo : 0.0)};
}

static INLINE double core_asin(double x)
{
    const small_asin p = reduce_asin(fabs(x));
    const dd r = fast_two_sum(0.5 * PI_1, -2.0 * p.s);
    return copysign(p.beyond ? r.hi + (r.lo + (0.5 * PI_2 - 2.0 * p.rest)) : p.s + p.rest, x);
}
static INLINE uint64_t odd_asin(double x)
{
    return (uint64_t)!(fabs(x) < 1.0);
}

static INLINE double core_acos(double x)
{
    const small_asin p = reduce_asin(x);
    const double s = p.s, rest = p.rest;
    const dd right = fast_two_sum(0.5 * PI_1, -s), left = fast_two_sum(PI_1, -2.0 * s);
    const double near = right.hi + (right.lo + (0.5 * PI_2 - rest)), low = left.hi + (left.lo + (PI_2 - 2.0 * rest));
    return !p.beyond ? near : x < 0 ? low : 2.0 * s + 2.0 * rest;
}
static INLINE uint64_t odd_acos(double x)
{
    return (uint64_t)!(fabs(x) < 1.0);
}

MATH1(asin, asinl)
MATH1(acos, acosl)
MATH1(atan, atanl)
MATH2(atan2, atan2l)
