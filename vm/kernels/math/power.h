/* pow: e^(y log |x|), the logarithm to some 2^-65 of itself, so that 700 times it is right to a fifth of an ULP.
 *
 * log(m) = 2 s + 2/3 s^3 + s^5 Q(s^2), s = (m - 1) / (m + 1), of which the first two terms are kept as hi + lo. Powers
 * of negative numbers are those of their magnitude, with the sign of whole exponents; other exponents of them, zeros,
 * subnormals, and what overflows or underflows are odd. Exponents from 2^70 on count as 2^70: unless |x| is 1, the
 * power has left the range of doubles by then; tiny ones count as TINY: the power is 1.
 */
#include "coefficients.h"
#include "double_double.h"

static INLINE dd long_log(scaled v)
{
    const dd d = fast_two_sum(1.0, v.m), s = quotient(v.m - 1.0, 0.0, d.hi, d.lo), two_thirds = {TWO_THIRDS_1, TWO_THIRDS_2};
    const dd cube = product(product(product(s, s), s), two_thirds);
    const double z = s.hi * s.hi, rest = fused(s.hi * z * z, poly_log5(z), s.lo + s.lo);
    const dd a = fast_two_sum(v.k * LN2_1, s.hi + s.hi), b = fast_two_sum(a.hi, cube.hi);
    return fast_two_sum(b.hi, b.lo + (a.lo + fused(v.k, LN2_2, cube.lo + rest)));
}

static INLINE double core_pow(double x, double y)
{
    const double turns = y + TO_WHOLE;
    const dd l = long_log(scale_down(fabs(x))), p = two_product(y, l.hi);
    const exp_parts e = reduce_exp(p.hi, fused(y, l.lo, p.lo));
    const dd s = one_plus(e.m);
    const double r = (s.hi + s.lo) * power_of_two(e.k);
    const double sign = of_bits(bits_of(r) ^ ((bits_of(turns) & bits_of(x) >> 63) << 63));
    return (fabs(p.hi) < 708.0) & ((x > 0) | (turns - TO_WHOLE == y)) ? sign : (double)NAN;
}
static INLINE uint64_t odd_pow(double x, double y)
{
    return not_positive_normal(fabs(x)) | (uint64_t)!(fabs(y) < 0x1p50);
}

/* The magnitude, for numbers: by the way of core_pow as far as it goes. */
static INLINE double whole_magnitude(double a, double y)
{
    const double u = copysign(clamped(fabs(y), TINY, 0x1p70), y);
    const dd l = long_log(scale_any(a)), p = two_product(u, l.hi);
    const int in_range = fabs(p.hi) < 746.0;
    const exp_parts e = reduce_exp(kept(in_range, p.hi), kept(in_range, fused(u, l.lo, p.lo)));
    const dd s = one_plus(e.m);
    const double r = scaled_by(s.hi + s.lo, e.k, p.hi), beyond = kept(p.hi > 0, INFINITY);
    const double edge = (a > 0) == (y > 0) ? INFINITY : 0.0, power = in_range ? r : beyond;
    return (a > 0) & (a < INFINITY) ? power : edge;
}

static INLINE double whole_pow(double x, double y)
{
    const double a = fabs(x), r = whole_magnitude(a, y), half = 0.5 * y;
    const int whole = round_even(y) == y, odd = whole & (round_even(half) != half);
    const double turned = of_bits(bits_of(r) ^ (mask_of(odd) & bits_of(x) & UINT64_C(1) << 63));
    const int refused = !whole & (x < 0) & (a < INFINITY), known = !isunordered(x, y) & !refused;
    const double v = known ? turned : nan_of(x, y);
    return (x == 1.0) | (y == 0) ? 1.0 : v;
}

MARKS2(raises2)
MATH2(pow, raises2)
