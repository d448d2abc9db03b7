/* pow and pown.
 *
 * pow: e^(y log |x|), the logarithm to some 2^-65 of itself, so that 700 times it is right to a fifth of an ULP.
 *
 * log(m) = 2 s + 2/3 s^3 + s^5 Q(s^2), s = (m - 1) / (m + 1), of which the first two terms are kept as hi + lo. Powers
 * of negative numbers are those of their magnitude, with the sign of whole exponents; other exponents of them, zeros,
 * subnormals, and what overflows or underflows are odd. Exponents from 2^70 on count as 2^70: unless |x| is 1, the
 * power has left the range of doubles by then; tiny ones count as 2^-300: the power is 1.
 *
 * pown: where y is the same for all elements and a multiple of 1/2, at most MOST_POWN, by multiplications as in
 * Knuth, The Art of Computer Programming 2, 4.6.3, from the left, and a square root, of numbers kept as hi + lo. So it
 * is right to .51 ULP. Any other y is pow's.
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
    return not_positive_normal(fabs(x)) >> 63 | (uint64_t)!(fabs(y) < 0x1p50);
}

/* power, of a = |x|, but what it is where a is 0, inf or nan. */
static INLINE double or_edge_of_power(double a, double y, double power)
{
    const double edge = (a > 0) == (y > 0) ? INFINITY : 0.0;
    return (a > 0) & (a < INFINITY) ? power : edge;
}

/* r, the power of |x|, as that of x. */
static INLINE double signed_power(double x, double y, double r)
{
    const double half = 0.5 * y;
    const int whole = round_even(y) == y, odd = whole & (round_even(half) != half);
    const double turned = of_bits(bits_of(r) ^ (mask_of(odd) & bits_of(x) & UINT64_C(1) << 63));
    const int refused = !whole & (x < 0) & (fabs(x) < INFINITY), known = !isunordered(x, y) & !refused;
    const double v = known ? turned : nan_of(x, y);
    return (x == 1.0) | (y == 0) ? 1.0 : v;
}

/* The magnitude, for numbers: by the way of core_pow as far as it goes. */
static INLINE double whole_magnitude(double a, double y)
{
    const uint64_t most = bits_of(0x1p70), least = bits_of(0x1p-300), v = bits_of(fabs(y)), w = v < most ? v : most;
    const double u = copysign(of_bits(w > least ? w : least), y);
    const dd l = long_log(scale_any(a)), p = two_product(u, l.hi);
    const int in_range = fabs(p.hi) < 746.0;
    const exp_parts e = reduce_exp(p.hi, fused(u, l.lo, p.lo));
    const dd s = one_plus(e.m);
    const double r = scaled_by(s.hi + s.lo, e.k, p.hi), beyond = kept(p.hi > 0, INFINITY);
    return or_edge_of_power(a, y, in_range ? r : beyond);
}

static INLINE double whole_pow(double x, double y)
{
    return signed_power(x, y, whole_magnitude(fabs(x), y));
}

MARKS2(raises2)
MATH2(pow, raises2)

/* v.hi + v.lo times x */
static INLINE dd multiple(dd v, double x)
{
    const dd p = two_product(v.hi, x);
    return (dd){p.hi, p.lo + v.lo * x};
}

/* sqrt(x) and 1 / v, to twice the precision by one step of Newton's method. */
static INLINE dd exact_root(double x)
{
    const double s = sqrt(x);
    const dd square = two_product(s, s);
    return (dd){s, ((x - square.hi) - square.lo) * (0.5 / s)};
}
static INLINE dd inverse(dd v)
{
    const double r = 1.0 / v.hi;
    const dd one = two_product(r, v.hi);
    return (dd){r, r * (((1.0 - one.hi) - one.lo) - r * v.lo)};
}

#define MOST_POWN 32.0

static int by_multiplication(double y)
{
    return y != 0 && fabs(y) <= MOST_POWN && (double)(int)(y + y) == y + y;
}

/* hi + lo = m^y, for y as above. Each step is a loop, so that all become vector code. */
static void multiplied(size_t n, double *hi, double *lo, const double *m, double y)
{
    const unsigned halves = (unsigned)fabs(y + y), whole = halves >> 1;
    unsigned bit = 1;
    while (bit <= whole >> 1)
        bit <<= 1;
#define STEP(value)                                                                                                   \
    LOOP {                                                                                                            \
        const dd power = value;                                                                                       \
        hi[i] = power.hi;                                                                                             \
        lo[i] = power.lo;                                                                                             \
    }
#define SO_FAR ((dd){hi[i], lo[i]})
#define SQUARE times(SO_FAR, SO_FAR)
    if (y == 0.5) { /* rounded once already */
        STEP(((dd){sqrt(m[i]), 0.0}))
        return;
    }
    if (y == -1.0) {
        STEP(((dd){1.0 / m[i], 0.0}))
        return;
    }
    if (whole < 2)
        STEP(((dd){whole ? m[i] : 1.0, 0.0}))
    else if (whole & (bit >>= 1))
        STEP(multiple(two_product(m[i], m[i]), m[i]))
    else
        STEP(two_product(m[i], m[i]))
    while (bit >>= 1) {
        if (whole & bit)
            STEP(multiple(SQUARE, m[i]))
        else
            STEP(SQUARE)
    }
    if (halves & 1)
        STEP(times(SO_FAR, exact_root(m[i])))
    if (y < 0)
        STEP(inverse(SO_FAR))
#undef SQUARE
#undef SO_FAR
#undef STEP
}

/* Outside 2^-900 .. 2^900: a product or a square on the way to it, or from it, may have lost bits. */
static INLINE uint64_t far_from_one(double v)
{
    const uint64_t magnitude = bits_of(v) << 1, least = (uint64_t)(1023 - 900) << 53, most = (uint64_t)(1023 + 900) << 53;
    return (uint64_t)(magnitude - least > most - least);
}

/* inf and nan and, if zero is 1, zeros: their whole powers come out right by multiplication, and none of them raises. */
static INLINE uint64_t at_edge(double v, uint64_t zero)
{
    const uint64_t infinity = UINT64_C(0x7ff) << 53;
    return (uint64_t)((bits_of(v) << 1) - zero >= infinity - zero);
}

static uint64_t fast_pown(size_t n, double *to, const double *a, const double *b, unsigned uniform)
{
    double hi[MOST], lo[MOST];
    uint64_t odd = 0;
    if (uniform != 2) {
        for (size_t i = 0; i < n; i++)
            odd |= fast_pown(1, to + i, a + (uniform & 1 ? 0 : i), b + (uniform & 2 ? 0 : i), 2);
        return odd;
    }
    const double y = *b;
    if (!by_multiplication(y))
        return 1;
    const uint64_t zero = y > 0;
    multiplied(n, hi, lo, a, y);
    LOOP {
        const double x = a[i], r = fabs(lo[i]) > 0 ? hi[i] + lo[i] : hi[i];
        odd |= far_from_one(r) & ~at_edge(x, zero);
        to[i] = x != x ? nan_of(x, x) : r;
    }
    if (round_even(y) != y)
        LOOP odd |= (far_from_one(a[i]) & ~at_edge(a[i], zero)) | bits_of(a[i]) >> 63;
    return odd;
}

/* The same multiplications with the significands of |x|, of an even power of two where there is a square root. */
static uint64_t whole_sweep_pown(size_t n, double *to, const double *a, const double *b, unsigned uniform)
{
    double hi[MOST], lo[MOST], m[MOST], exponent[MOST];
    if (n == 0)
        return 0;
    if (uniform != 2) {
        for (size_t i = 0; i < n; i++)
            whole_sweep_pown(1, to + i, a + (uniform & 1 ? 0 : i), b + (uniform & 2 ? 0 : i), 2);
        return 0;
    }
    const double y = *b;
    if (!by_multiplication(y))
        return whole_sweep_pow(n, to, a, b, uniform);
    const uint64_t root = round_even(y) != y;
    m[0] = 1.0; /* gcc 16 does not see that there is an element, and would warn */
    LOOP {
        const scaled v = scale_any(fabs(a[i]));
        const uint64_t turned = root & v.place >> 52;
        m[i] = v.m * of_bits(((turned & 1) + 1023) << 52);
        exponent[i] = clamped((v.k - kept((int)(turned & 1), 1.0)) * y, -1150.0, 1150.0);
    }
    multiplied(n, hi, lo, m, y);
    LOOP {
        const double x = a[i], r = scaled_by(hi[i] + lo[i], bits_of(exponent[i] + TO_EXPONENT), exponent[i]);
        to[i] = signed_power(x, y, or_edge_of_power(fabs(x), y, r));
    }
    return 0;
}

static const function2 ways_pown[] = {{fast_pown, {whole_sweep_pown}, NULL, NULL},
                                      {fast_pown, {whole_sweep_pown}, marks_raises2, NULL}};
