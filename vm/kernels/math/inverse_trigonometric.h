/* atan, atan2, asin and acos.
 *
 * atan2 takes the arc of n/d, 0 <= n <= d: beyond tan(pi/8) it is pi/4 + atan((n - d) / (n + d)), so that atan(t) =
 * t + t^3 P(t^2) is needed for |t| <= tan(pi/8) only. t is kept as hi + lo. Other octants follow by symmetry, with pi in
 * two parts. atan of one number has three intervals instead, with a longer polynomial and fewer choices.
 * asin and acos have a polynomial up to 1/2; beyond, asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)). nan and numbers beyond 1 get
 * their results afterwards.
 */
#include "coefficients.h"
#include "double_double.h"

typedef struct {
    dd arc;     /* atan(n / d), less pi/4 where that is beyond tan(pi/8) */
    int beyond;
} small_arc;

/* For 0 <= n <= d, d positive; n / d itself where that is flat. */
static INLINE small_arc arc_of(double n, double d, int flat)
{
    const int beyond = n > 0x1.a827999fcef32p-2 * d;
    const dd difference = fast_two_sum(-d, n), sum = fast_two_sum(d, n);
    const dd t = quotient(beyond ? difference.hi : n, beyond ? difference.lo : 0.0, beyond ? sum.hi : d,
                          beyond ? sum.lo : 0.0);
    const double u = kept(!flat, t.hi), z = u * u;
    return (small_arc){{t.hi, fused(t.hi * z, poly_atan(z), fused(-z, t.lo, t.lo))}, beyond};
}

/* The angle of which this is the arc in the first octant, where over: mirrored at pi/4, left: then at pi/2. It is a
 * whole number of eighths of a turn, plus or minus the arc. */
static INLINE double angle(int over, int left, small_arc a)
{
    const double lower = a.beyond ? 1.0 : 0.0, upper = over ? 2.0 - lower : lower, eighths = left ? 4.0 - upper : upper;
    const uint64_t minus = (uint64_t)(over != left) << 63;
    const dd base = two_product(eighths, 0.25 * PI_1), s = fast_two_sum(base.hi, of_bits(bits_of(a.arc.hi) ^ minus));
    return s.hi + (s.lo + fused(eighths, 0.25 * PI_2, base.lo + of_bits(bits_of(a.arc.lo) ^ minus)));
}

/* atan(a) is 0, pi/4 or pi/2 and the arc of a, (a - 1) / (a + 1) or -1 / a: below 1/2, below 2, and beyond, so the arc's
 * tangent is up to 1/2. a - 1 is exact there. From 2^60 on it is pi/2. Choices by masks: of conditional expressions gcc
 * makes three ways, each with its division. */
static INLINE halfway first_atan(double x)
{
    const double a = fabs(x);
    const int below = a < 0.5, middle = a < 2.0;
    const double one = kept(middle, 1.0), v = kept(!below, a < 0x1p60 ? a : 0x1p60);
    const double n = kept(middle, a) - kept(!below, 1.0), d = one + v, dlo = v - (d - one);
    const double inverse = 1.0 / d, q = n * inverse;
    return (halfway){q, fused(-q, dlo, fused(-q, d, n)) * inverse,
                     kept(!below, 0.25 * PI_1) + kept(!middle, 0.25 * PI_1)};
}

/* h.u + h.v is the tangent, h.w the multiple of pi/4. */
static INLINE double second_atan(double x, halfway h)
{
    const double z = h.u * h.u, rest = fused(h.u * z, poly_atan_half(z), h.v);
    const dd s = fast_two_sum(h.w, h.u);
    const double r = copysign(s.hi + (s.lo + fused(h.w, PI_2 / PI_1, rest)), x);
    return x == x ? r : x + x;
}

/* Whether an angle is beyond pi/2: -0 is, too. */
static INLINE int left_of(double x)
{
    return (int64_t)bits_of(x) < 0;
}

static INLINE double core_atan2(double y, double x)
{
    const double ay = fabs(y), ax = fabs(x);
    const int over = ay > ax;
    return copysign(angle(over, x < 0, arc_of(over ? ax : ay, over ? ay : ax, 0)), y);
}
static INLINE uint64_t odd_atan2(double y, double x)
{
    const double ay = fabs(y), ax = fabs(x);
    return (uint64_t)!((ax < 0x1p400) & (ax > 0x1p-400) & (ay < 0x1p400) & (ay > 0x1p-400));
}

/* The bits of v 2^-400, rounded once if that is subnormal. */
static INLINE uint64_t lowered(double v)
{
    const int subnormal = v < 0x1p-622;
    return from_units(kept(subnormal, v) * 0x1p674) | bits_of(kept(!subnormal, v) * 0x1p-400);
}

/* The arc of n/d, 0 <= n <= d, for all of them: scaled by c where d is large or small; a flat one is n/d, made 2^400
 * times as steep so that its error is no subnormal. 0/0 counts as 0, inf/inf as 1. Subnormals are counted in units; their
 * unit, 2^-1074, goes into the factor. */
static INLINE small_arc whole_arc(double n, double d)
{
    const int infinite = !(d < INFINITY), tiny = n < 0x1p-1022;
    const int large = d >= 0x1p400, flat = bits_of(n) + (UINT64_C(500) << 52) < bits_of(d);
    const uint64_t unit = UINT64_C(1074) << 52, steeper = mask_of(flat) & UINT64_C(400) << 52;
    const uint64_t c = bits_of(nearer_one(large, d <= 0x1p-400));
    const double up = (tiny ? units_of(n) : n) * kept(!(tiny & large), of_bits(c + steeper - (mask_of(tiny) & unit)));
    const double v = d < 0x1p-1022 ? units_of(d) * 0x1p-474 : d * of_bits(c), far = kept(n == INFINITY, 1.0);
    const small_arc a = arc_of(infinite ? far : up, infinite | (d == 0) ? 1.0 : v, flat);
    const uint64_t hi = lowered(kept(flat, a.arc.hi + a.arc.lo)) | bits_of(kept(!flat, a.arc.hi));
    return (small_arc){{of_bits(hi), kept(!flat, a.arc.lo)}, a.beyond};
}

static INLINE double beyond_atan2(double y, double x)
{
    const double ay = fabs(y), ax = fabs(x);
    const int over = ay > ax;
    const double r = copysign(angle(over, left_of(x), whole_arc(over ? ax : ay, over ? ay : ax)), y);
    const double nan = first_nan(y, x);
    return isunordered(x, y) ? nan : r;
}

/* Most special operands need less than that: 0, inf and nan beside ordinary ones, or subnormals beside these. Here nothing
 * is scaled. As above, 0/0 counts as 0 and inf/inf as 1, and n <= d. */
static INLINE double ordinary_or_one(double d)
{
    return (d >= 0x1p-400) & (d < INFINITY) ? d : 1.0;
}
static INLINE double over_infinity(int holds, double n, double m)
{
    return of_bits(bits_of(kept(holds, m)) | bits_of(kept(n == INFINITY, 1.0)));
}

static INLINE double whole_atan2(double y, double x)
{
    const double ay = fabs(y), ax = fabs(x);
    const int over = ay > ax;
    const double n = over ? ax : ay, d = over ? ay : ax;
    const small_arc octant = arc_of(over_infinity(d < INFINITY, n, n), ordinary_or_one(d), 0);
    const double r = copysign(angle(over, left_of(x), octant), y), nan = first_nan(y, x);
    return isunordered(x, y) ? nan : r;
}
static INLINE uint64_t far_atan2(double r, double y, double x)
{
    const double ay = fabs(y), ax = fabs(x), n = ay > ax ? ax : ay, d = ay > ax ? ay : ax;
    (void)r;
    return (uint64_t)(((n > 0) & (n < 0x1p-400)) | ((d > 0x1p400) & (d < INFINITY)));
}

/* Zeros and subnormals beside numbers from 2^-200 to 2^200: these are made 2^400 times as large, which does not show in an
 * angle of an eighth of a turn or more. Any other angle is an arc y/x below 2^-421, that of ordinary numbers is above it: it
 * is brought back, rounded once if it is subnormal. */
static INLINE double further_atan2(double y, double x)
{
    const int64_t ay = magnitude_of(y), ax = magnitude_of(x), n = ay > ax ? ax : ay, d = ay > ax ? ay : ax;
    const int tiny = n < magnitude_of(0x1p-1022);
    const double one = kept(tiny, 0x1p-622), steep = of_bits((uint64_t)n | bits_of(one)) - one; /* 2^-1022 and n, so large */
    const double w = angle(ay > ax, left_of(x), arc_of(steep, of_bits((uint64_t)d), tiny));
    const int flat = w < 0x1p-421, subnormal = w < 0x1p-622;
    const uint64_t back = (mask_of(flat) & UINT64_C(400) << 52) + (mask_of(subnormal) & UINT64_C(1) << 52);
    return copysign(of_bits(bits_of(w + kept(subnormal, 0x1p-622)) - back), y);
}
static INLINE uint64_t far_further_atan2(double r, double y, double x)
{
    const int64_t ay = magnitude_of(y), ax = magnitude_of(x), n = ay > ax ? ax : ay, d = ay > ax ? ay : ax;
    (void)r;
    const int64_t least = magnitude_of(0x1p-1022), low = magnitude_of(0x1p-200), high = magnitude_of(0x1p200);
    return (uint64_t)!((d >= low) & (d <= high) & ((n < least) | (n >= low)));
}

/* Halfway there are the root of (1 - |x|) / 2 and z P(z), asin(sqrt(z)) being sqrt(z) (1 + z P(z)). The root is computed beside
 * the polynomial, and its error afterwards. */
static INLINE halfway root_and_series(double x)
{
    const double a = fabs(x), square = a * a, other = fused(-0.5, a, 0.5), z = a < 0.5 ? square : other;
    return (halfway){sqrt(other), z * poly_asin(z), 0};
}

/* What -2 root lacks, root being that of (1 - a) / 2 or minus it, from a = 1/2 on: the residual by the root. Of that 1/20 may be
 * wrong, so the reciprocal is a guess that negates the exponent and, about, the logarithm of what is behind it. */
static INLINE double root_error(double a, double root)
{
    const double guess = of_bits(UINT64_C(0x7fde624000000000) - bits_of(root));
    return a < 0.5 ? 0.0 : fused(root, root, fused(0.5, a, -0.5)) * guess;
}

/* base + t (1 + series), and `error` more; base is a multiple of pi/2. */
static INLINE double inverse_sine(double base, double t, double series, double error)
{
    const dd s = fast_two_sum(base, t);
    return s.hi + (s.lo + fused(base, PI_2 / PI_1, fused(t, series, error)));
}

static INLINE halfway first_asin(double x)
{
    return root_and_series(x);
}
static INLINE double second_asin(double x, halfway h)
{
    const double a = fabs(x), t = a < 0.5 ? a : -2.0 * h.u, base = a < 0.5 ? 0.0 : 0.5 * PI_1;
    return copysign(inverse_sine(base, t, h.v, root_error(a, h.u)), x);
}
/* What is odd: nan stays nan, and beyond 1 there is no value. */
static void beyond_one(size_t n, double *to, const double *a)
{
    LOOP {
        const double x = a[i], edge = x == x ? (double)NAN : x + x;
        to[i] = fabs(x) <= 1.0 ? to[i] : edge;
    }
}
/* By bits, so that it is vector code at every level. */
static INLINE uint64_t odd_asin(double x)
{
    return (bits_of(1.0) - bits_of(fabs(x))) & UINT64_C(1) << 63;
}
static INLINE uint64_t raises_asin(double r, double x)
{
    (void)r;
    return (uint64_t)(fabs(x) > 1.0);
}

static INLINE halfway first_acos(double x)
{
    return root_and_series(x);
}
static INLINE double second_acos(double x, halfway h)
{
    const double a = fabs(x), root = copysign(h.u, -x), t = a < 0.5 ? -x : -2.0 * root;
    const double base = a < 0.5 ? 0.5 * PI_1 : 0.5 * PI_1 - copysign(0.5 * PI_1, x);
    return inverse_sine(base, t, h.v, root_error(a, root));
}
static INLINE uint64_t odd_acos(double x)
{
    return odd_asin(x);
}

MARKS1(raises_asin)
ONCE1_EDGES(asin, ITSELF, beyond_one, raises_asin)
ONCE1_EDGES(acos, THE_SAME, beyond_one, raises_asin)
EASY1_HALVES(atan, ITSELF)
FURTHER2(atan2)
