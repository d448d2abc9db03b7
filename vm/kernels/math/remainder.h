/* fmod and remainder, exactly.
 *
 * The whole quotient q is that of x / y in doubles, or one beyond it where x / y was rounded; x - q y shows which. Where
 * q has more than 52 bits, or the nearest q is not certain, the C library does it.
 */
#include "double_double.h"

static INLINE double core_fmod(double x, double y)
{
    const double t = x / y, m = rest(x, round_cut(t), y);
    const int beyond = (m != 0) & ((m < 0) != (x < 0));
    const double r = beyond ? m + copysign(y, x) : m;
    return fabs(t) < 0x1p52 ? copysign(r, x) : (double)NAN;
}
static INLINE uint64_t odd_fmod(double x, double y)
{
    (void)x, (void)y;
    return 0;
}

static INLINE double core_remainder(double x, double y)
{
    const double t = x / y, m = rest(x, round_even(t), y);
    const int certain = (fabs(t) < 0x1p52) & (fabs(m + m) < fabs(y));
    return certain ? (m == 0 ? copysign(0.0, x) : m) : (double)NAN;
}
static INLINE uint64_t odd_remainder(double x, double y)
{
    return odd_fmod(x, y);
}

MATH2(fmod, fmod)
MATH2(remainder, remainder)
