/* pow and pown.
 *
 * pow: e^(y log |x|), the logarithm to some 2^-69 of itself, so that 700 times it is right to a hundredth of an ULP.
 *
 * log(|x|) is reduced as in logarithm.h; of r - r^2/2 + r^3/3 - ... the first three terms are kept as hi + lo, with 1/3
 * as a double and what it lacks among the others. y log |x| = n log(2)/8 + r; 2^(n/8) e^r as in exponential.h. Powers of
 * negative numbers are those of their magnitude, with the sign of whole exponents; other exponents of them, zeros,
 * subnormals, and what overflows or underflows are odd. Exponents from 2^70 on count as 2^70: unless |x| is 1, the power
 * has left the range of doubles by then; tiny ones count as 2^-300: the power is 1.
 *
 * pown: where y is the same for all elements and a multiple of 1/2, at most MOST_POWN, by multiplications as in
 * Knuth, The Art of Computer Programming 2, 4.6.3, from the left, and a square root, of numbers kept as hi + lo. So it
 * is right to .51 ULP. x^-1 and x^(1/2) are a division and a root, rounded once. Any other y is pow's.
 */
#include "coefficients.h"
#include "double_double.h"
#include "table.h"

/* The logarithm as hi + lo. g + glo is 1/2 - r/3, and t is r^2 g. */
static INLINE dd long_log(reduced v)
{
    const double r = v.r, g = fused(-r, THIRD, 0.5), glo = fused(-r, THIRD, 0.5 - g);
    const dd z = two_product(r, r), t = two_product(z.hi, g);
    const dd a = fast_two_sum(v.high, r), b = fast_two_sum(a.hi, -t.hi);
    const double low = fused(-z.hi, glo, fused(-z.lo, g, v.low - t.lo));
    return fast_two_sum(b.hi, (a.lo + b.lo) + fused(z.hi * r, poly_log_rest(r), low));
}

/* p + plo = n log(2)/8 + r, n being t less TO_WHOLE */
typedef struct {
    double t, r;
} eighths;

static INLINE eighths reduce_power(double p, double plo)
{
    const double t = fused(p, 8.0 * INV_LN2_1, TO_WHOLE), n = t - TO_WHOLE;
    return (eighths){t, fused(-n, 0.125 * LN2_LOW, fused(-n, 0.125 * LN2_HIGH, p)) + plo};
}
/* e^r - 1, and `rest`. By a degree more than exp has, as there are other errors. */
static INLINE double short_power(double r, double rest)
{
    return fused(r * r, poly_expm1(r), r + rest);
}

/* 2^(n/8) (1 + q) as the power of x. Adding TO_WHOLE to y leaves whether that is odd in the lowest bit. */
static INLINE double core_pow(double x, double y, double t, double power, double q)
{
    const uint64_t sign = bits_of(y + TO_WHOLE) << 63 & bits_of(x);
    return of_bits(bits_of(power_of(t, power, q)) | sign);
}
/* Sign bit set where that may not be right: p = y log |x| is large, or x is negative and y not known to be whole. */
static INLINE uint64_t odd_pow(double x, double y, double p)
{
    const double fraction = (y + TO_WHOLE - TO_WHOLE) - y;
    const uint64_t not_whole = (0 - bits_of(fabs(fraction))) | (bits_of(0x1p50) - bits_of(fabs(y)));
    return (bits_of(708.0) - bits_of(fabs(p))) | (bits_of(x) & not_whole);
}

/* The whole does by bits what it can: of comparisons by AVX-512 others would wait for the masks. But SSE2 does not
 * compare integers of 64 bits. A nan counts as large. */

/* usual_exponent: y, but no magnitude that makes no difference, huge or subnormal. usual_product: p = y log(a), but 750,
 * which is out of range, where p is more or a is 0 or inf. */
#if defined __AVX512F__
static INLINE double usual_exponent(double y)
{
    const int64_t most = magnitude_of(0x1p70), least = magnitude_of(0x1p-300), v = magnitude_of(y);
    const int64_t w = v < most ? v : most;
    return copysign(of_bits((uint64_t)(w > least ? w : least)), y);
}
static INLINE double usual_product(double p, double a)
{
    const int64_t most = magnitude_of(750.0), v = magnitude_of(p), w = v < most ? v : most;
    return copysign(of_bits((uint64_t)(bits_of(a) - 1 < bits_of(INFINITY) - 1 ? w : most)), p);
}
#else
static INLINE double usual_exponent(double y)
{
    const double most = 0x1p70, least = 0x1p-300, v = fabs(y), w = v < most ? v : most;
    return copysign(w > least ? w : least, y);
}
static INLINE double usual_product(double p, double a)
{
    const double most = 750.0, v = fabs(p), w = v < most ? v : most;
    return copysign((a > 0) & (a < INFINITY) ? w : most, p);
}
#endif
/* As reduce_power, for p + plo = y log(a). */
static INLINE eighths reduce_any_power(double p, double plo, double a)
{
    const uint64_t in_range = 0 - ((bits_of(fabs(p)) - bits_of(750.0)) >> 63);
    return reduce_power(usual_product(p, a), of_bits(bits_of(plo) & in_range));
}
/* The power of x, given that of |x|, y being a usual exponent. Half of y and the next whole number are 1/2 apart if y is
 * odd and 0 if it is even. */
static INLINE double power_of_any(double x, double y, double power)
{
    const uint64_t one_half = bits_of(0.5), a = bits_of(fabs(x)), sign = UINT64_C(1) << 63;
    const double half = 0.5 * y;
    const uint64_t apart = bits_of(fabs(half - round_even(half))), odd = apart + (sign - one_half);
    const uint64_t refused = bits_of(x) & ~odd & (0 - apart) & (a - bits_of(INFINITY)) & (0 - a);
    const uint64_t turned = bits_of(power) ^ (bits_of(x) & odd & sign);
    return of_bits(turned ^ ((turned ^ bits_of((double)NAN)) & (0 - (refused >> 63))));
}

#if AO_EXTENSIONS && defined __AVX512F__
/* AVX-512 has instructions for numbers times powers of two that may be subnormal or overflow, and to replace special
 * values. Powers of special numbers took a tenth longer without each. */
static INLINE void scale_strip(double *to, const double *power, const double *t)
{
    const __m512d n = _mm512_sub_pd(_mm512_loadu_pd(t), _mm512_set1_pd(TO_WHOLE));
    _mm512_storeu_pd(to, _mm512_scalef_pd(_mm512_loadu_pd(power), _mm512_mul_pd(n, _mm512_set1_pd(0.125))));
}
/* Of y, of x, and of y again: a nan is the result, quieted; 1, as x, makes it 1; 0, as y, does. */
static INLINE void choose_strip(double *to, const double *power, const double *x, const double *y)
{
    const __m512i nan = _mm512_set1_epi64(0x22), nan_or_one = _mm512_set1_epi64(0xa022), zero = _mm512_set1_epi64(0xa00);
    const __m512d xs = _mm512_loadu_pd(x), ys = _mm512_loadu_pd(y);
    const __m512d by_y = _mm512_fixupimm_pd(_mm512_loadu_pd(power), ys, nan, 0);
    _mm512_storeu_pd(to, _mm512_fixupimm_pd(_mm512_fixupimm_pd(by_y, xs, nan_or_one, 0), ys, zero, 0));
}
#else
static INLINE void scale_strip(double *to, const double *power, const double *t)
{
    AO_INDEPENDENT for (size_t i = 0; i < STRIP; i++)
        to[i] = scaled_by(power[i], (bits_of(t[i]) >> 3) + 1023, t[i] - TO_WHOLE);
}
/* The power, but what it is where x or y is a nan, x 1 or y 0. */
static INLINE void choose_strip(double *to, const double *power, const double *x, const double *y)
{
    AO_INDEPENDENT for (size_t i = 0; i < STRIP; i++)
    {
        const double v = y[i] == y[i] ? power[i] : y[i] + y[i], w = x[i] == x[i] ? v : x[i] + x[i];
        to[i] = (x[i] == 1.0) | (y[i] == 0) ? 1.0 : w;
    }
}
#endif

/* ---- sweeps of pow, cut in loops as those of logarithms are ---- */

static void long_logs(size_t n, double *hi, double *lo, const double *r, const double *high, const double *low)
{
    EACH_BY_STRIPS(const dd v = long_log((reduced){r[i], 0.0, high[i], low[i]}); hi[i] = v.hi; lo[i] = v.lo;)
}

/* The statements for each strip, with powers and qs for t and r. */
#define STRIPS_OF_POWERS(...)                                                                                         \
    BY_STRIPS(double powers[STRIP]; double rests[STRIP]; double qs[STRIP]; uint64_t places[STRIP];                    \
              EACH_OF_STRIP(places[lane] = bits_of(t[i]);)                                                            \
              look_up(powers, places, POWERS);                                                                        \
              look_up_short(rests, places, POWERS_REST);                                                              \
              EACH_OF_STRIP(qs[lane] = short_power(r[i], rests[lane]);) __VA_ARGS__)

#define FEW_PAIRS(sweep)                                                                                              \
    if (n < STRIP) {                                                                                                  \
        double xs[STRIP], ys[STRIP], results[STRIP];                                                                  \
        fill_strip(n, xs, a);                                                                                         \
        fill_strip(n, ys, b);                                                                                         \
        const uint64_t odd = sweep(STRIP, results, xs, ys, 0);                                                        \
        memcpy(to, results, n * sizeof *to);                                                                          \
        return odd;                                                                                                   \
    }

#if FUSED_IS_FAST
static uint64_t fast_pow(size_t n, double *to, const double *a, const double *b, unsigned uniform)
{
    double same_x[MOST], same_y[MOST], s[MOST], high[MOST], low[MOST], hi[MOST], lo[MOST], t[MOST], r[MOST];
    uint64_t unknown[STRIP] = {0};
    if (uniform & 1) {
        spread(n, same_x, a);
        a = same_x;
    }
    if (uniform & 2) {
        spread(n, same_y, b);
        b = same_y;
    }
    FEW_PAIRS(fast_pow)
    EACH_WITH_ENTRY(fabs(a[i]), LOG_HIGH, LOG_LOW, const double x = fabs(a[i]); unknown[lane] |= not_positive_normal(x);
                    const reduced v = reduce_log(scale_down(x), entry); s[i] = v.r; high[i] = v.high; low[i] = v.low;)
    long_logs(n, hi, lo, s, high, low);
    EACH_BY_STRIPS(const dd p = two_product(b[i], hi[i]); unknown[lane] |= odd_pow(a[i], b[i], p.hi);
                   const eighths v = reduce_power(p.hi, fused(b[i], lo[i], p.lo)); t[i] = v.t; r[i] = v.r;)
    STRIPS_OF_POWERS(EACH_OF_STRIP(to[i] = core_pow(a[i], b[i], t[i], powers[lane], qs[lane]);))
    return any_sign(unknown);
}
#endif

static uint64_t whole_sweep_pow(size_t n, double *to, const double *a, const double *b, unsigned uniform)
{
    double s[MOST], high[MOST], low[MOST], hi[MOST], lo[MOST], t[MOST], r[MOST], usual[MOST];
    (void)uniform;
    FEW_PAIRS(whole_sweep_pow)
    EACH_OF_ANY(a + at, LOG_HIGH, LOG_LOW, const reduced v = reduce_log(any, entry); s[i] = v.r; high[i] = v.high;
                low[i] = v.low;)
    long_logs(n, hi, lo, s, high, low);
    EACH_BY_STRIPS(const double y = usual_exponent(b[i]); const dd p = two_product(y, hi[i]);
                   const eighths v = reduce_any_power(p.hi, fused(y, lo[i], p.lo), fabs(a[i]));
                   t[i] = v.t; r[i] = v.r; usual[i] = y;)
    STRIPS_OF_POWERS(EACH_OF_STRIP(powers[lane] = near_power(t[i], powers[lane], qs[lane]);)
                     scale_strip(powers, powers, t + at);
                     EACH_OF_STRIP(powers[lane] = power_of_any(a[i], usual[i], powers[lane]);)
                     choose_strip(to + at, powers, a + at, b + at);)
    return 0;
}

MARKS2(raises2)
WAYS2(pow, marks_raises2)

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

/* x^-1 and x^(1/2) are rounded once and need no pairs, wherever they are. */
static INLINE int is_rounded_once(double y)
{
    return y == -1.0 || y == 0.5;
}
static INLINE double whole_inverse(double x)
{
    return x != x ? nan_of(x, x) : 1.0 / x;
}
static INLINE double whole_root(double x)
{
    const double below = x == -INFINITY ? INFINITY : (double)NAN, r = x < 0 ? below : sqrt(x) + 0.0; /* -0 has 0 */
    return x != x ? nan_of(x, x) : r;
}
static void powers_rounded_once(size_t n, double *to, const double *a, double y)
{
    if (y == 0.5)
        LOOP to[i] = whole_root(a[i]);
    else
        LOOP to[i] = whole_inverse(a[i]);
}
/* What may raise, by the sign bit: a number whose inverse may be too large, one below zero. */
static uint64_t odd_rounded_once(size_t n, const double *a, double y)
{
    uint64_t odd = 0;
    if (y == 0.5)
        LOOP odd |= bits_of(a[i]) & (bits_of(fabs(a[i])) - bits_of(INFINITY) - 1);
    else
        LOOP odd |= bits_of(fabs(a[i])) - (UINT64_C(1) << 52);
    return odd >> 63;
}

#if FUSED_IS_FAST
#define OTHER_POWERS fast_pow
#else
#define OTHER_POWERS(...) 1 /* the whole does it all */
#endif
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
        return OTHER_POWERS(n, to, a, b, uniform);
    if (is_rounded_once(y)) {
        odd = odd_rounded_once(n, a, y); /* before the result, which may be in its place */
        powers_rounded_once(n, to, a, y);
        return odd;
    }
    const uint64_t zero = y > 0;
#define TO_SUM(value)                                                                                                 \
    LOOP {                                                                                                            \
        const double x = a[i];                                                                                        \
        const dd p = value;                                                                                           \
        const double r = fabs(p.lo) > 0 ? p.hi + p.lo : p.hi;                                                         \
        odd |= far_from_one(r) & ~at_edge(x, zero);                                                                   \
        to[i] = x != x ? nan_of(x, x) : r;                                                                            \
    }
    if (y == 3.0) { /* these two, the most frequent ones, in one loop each */
        TO_SUM(multiple(two_product(x, x), x))
    } else if (y == 4.0) {
        TO_SUM(times(two_product(x, x), two_product(x, x)))
    } else {
        multiplied(n, hi, lo, a, y);
        TO_SUM(((dd){hi[i], lo[i]}))
    }
#undef TO_SUM
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
    if (is_rounded_once(y)) {
        powers_rounded_once(n, to, a, y);
        return 0;
    }
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
