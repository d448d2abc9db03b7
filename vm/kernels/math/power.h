/* pow: e^(y log |x|), the logarithm to some 2^-65 of itself, so that 700 times it is right to a fifth of an ULP.
 *
 * log(m) = 2 s + 2/3 s^3 + s^5 Q(s^2), s = (m - 1) / (m + 1), of which the first two terms are kept as hi + lo. Powers of
 * negative numbers are those of their magnitude, with the sign of whole exponents; other exponents of them, zeros,
 * subnormals, and what overflows or underflows are odd.
 */
#include "coefficients.h"
#include "double_double.h"

/* The logarithm of a positive normal number below 2^1023. */
static INLINE dd long_log(double x)
{
    const scaled v = scale_down(x);
    const dd d = two_sum(v.m, 1.0), s = quotient(v.m - 1.0, 0.0, d.hi, d.lo), two_thirds = {TWO_THIRDS_1, TWO_THIRDS_2};
    const dd cube = product(product(product(s, s), s), two_thirds);
    const double z = s.hi * s.hi, rest = s.hi * z * z * poly_log5(z);
    const dd a = two_sum(v.k * LN2_1, s.hi + s.hi), b = two_sum(a.hi, cube.hi);
    return fast_two_sum(b.hi, b.lo + (a.lo + (cube.lo + (s.lo + s.lo + rest) + v.k * LN2_2)));
}

static INLINE double core_pow(double x, double y)
{
    const double turns = y + TO_WHOLE;
    const dd l = long_log(fabs(x)), p = two_product(y, l.hi);
    const exp_parts e = reduce_exp(p.hi, p.lo + y * l.lo);
    const dd s = one_plus(e.m);
    const double r = (s.hi + s.lo) * power_of_two(e.k);
    const double sign = of_bits(bits_of(r) ^ ((bits_of(turns) & bits_of(x) >> 63) << 63));
    return (fabs(p.hi) < 708.0) & ((x > 0) | (turns - TO_WHOLE == y)) ? sign : (double)NAN;
}
static INLINE uint64_t odd_pow(double x, double y)
{
    return not_positive_normal(fabs(x)) | (uint64_t)!(fabs(y) < 0x1p50);
}

MATH2(pow, pow)
