/* sin, cos and tan.
 *
 * x = k pi/2 + r, |r| <= pi/4, with pi/2 in three parts of which the first two multiply k < 2^20 exactly (after W. J. Cody
 * and W. Waite): r + rlo is right to some 2^-100, so also next to multiples of pi/2. Then polynomials of r, corrected for
 * rlo by the derivative; k mod 4 chooses between them. tan is the quotient, each part kept as hi + lo. Larger arguments
 * are odd.
 */
#include "coefficients.h"
#include "double_double.h"

typedef struct {
    dd r;
    uint64_t k; /* its two low bits count */
} quarter_turns;

static INLINE quarter_turns reduce_angle(double x)
{
    const double t = x * TWO_OVER_PI + TO_WHOLE, k = t - TO_WHOLE;
    const double a = x - k * PIO2_1, w = k * PIO2_2, r = a - w;
    return (quarter_turns){fast_two_sum(r, ((a - r) - w) - k * PIO2_3), bits_of(t)};
}

static INLINE double sine_of(dd r)
{
    const double z = r.hi * r.hi;
    return r.hi + (r.hi * z * poly_sin(z) + (r.lo - 0.5 * z * r.lo));
}

static INLINE double cosine_of(dd r)
{
    const double z = r.hi * r.hi, half = 0.5 * z, w = 1.0 - half;
    return w + (((1.0 - w) - half) + (z * z * poly_cos(z) - r.hi * r.lo));
}

/* The value, negated where bit 1 of k is set. */
static INLINE double turned(double value, uint64_t k)
{
    return of_bits(bits_of(value) ^ (k & 2) << 62);
}

static INLINE uint64_t far_angle(double x)
{
    return (uint64_t)!(fabs(x) < 0x1p20);
}

static INLINE double core_sin(double x)
{
    const quarter_turns q = reduce_angle(x);
    const double s = sine_of(q.r), c = cosine_of(q.r);
    return x == 0 ? x : turned(q.k & 1 ? c : s, q.k);
}
static INLINE uint64_t odd_sin(double x)
{
    return far_angle(x);
}

static INLINE double core_cos(double x)
{
    const quarter_turns q = reduce_angle(x);
    const double s = sine_of(q.r), c = cosine_of(q.r);
    return turned(q.k & 1 ? s : c, q.k + (q.k & 1));
}
static INLINE uint64_t odd_cos(double x)
{
    return far_angle(x);
}

static INLINE double core_tan(double x)
{
    const quarter_turns q = reduce_angle(x);
    const dd r = q.r, square = two_product(r.hi, r.hi);
    const double z = square.hi, half = 0.5 * z;
    const dd s = fast_two_sum(r.hi, r.hi * z * poly_sin(z) + (r.lo - half * r.lo)), w = fast_two_sum(1.0, -half);
    const dd c = fast_two_sum(w.hi, w.lo + (z * z * poly_cos(z) - (r.hi * r.lo + 0.5 * square.lo)));
    const int odd = (int)(q.k & 1);
    const dd t = quotient(odd ? -c.hi : s.hi, odd ? -c.lo : s.lo, odd ? s.hi : c.hi, odd ? s.lo : c.lo);
    return x == 0 ? x : t.hi + t.lo;
}
static INLINE uint64_t odd_tan(double x)
{
    return far_angle(x);
}

MATH1(sin, sinl)
MATH1(cos, cosl)
MATH1(tan, tanl)
