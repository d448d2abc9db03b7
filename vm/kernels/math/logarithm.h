/* log, log2, log10, log1p, asinh, acosh and atanh.
 *
 * u = 2^k m with m in .707 .. 1.414; c is about 1 / m, one of eight numbers of few bits, so that r = m c - 1 is exact and
 * below 1/16. log(u) = k log(2) - log(c) + r + r^2 P(r), of which -log(c) is looked up as hi + lo (P. T. P. Tang,
 * Table-lookup algorithms for elementary functions and their error analysis, ARITH 10, 1991). Around 1 c is 1. The sum of
 * the larger terms is kept as hi + lo; r^2 P(r), at most a thirtieth of it, is not. P is the best polynomial of degree 9 for
 * what an error of it means in the logarithm (coefficients.py). The others are logarithms of sums
 * u + lo, known to twice the precision: log1p(x) of 1 + x, asinh(x) of x + sqrt(1 + x^2), acosh(x) of x + sqrt(x^2 - 1),
 * atanh(x), half, of (1 + x) / (1 - x).
 */
#include "coefficients.h"
#include "double_double.h"
#include "table.h"

#define LEAST_LOG_BITS UINT64_C(0x3fe6a00000000000)
#define EXPONENTS UINT64_C(0xfff0000000000000)

/* The place of u = 2^k m among the doubles, counted from LEAST_LOG: k is in its upper 12 bits, and which eighth of its
 * fraction m is from in the three below. */
static INLINE uint64_t place_of(double u)
{
    return bits_of(u) - LEAST_LOG_BITS;
}
static INLINE double exponent_of(uint64_t place)
{
#if defined __AVX512DQ__
    return (double)((int64_t)place >> 52);
#else
    return of_bits(place >> 52 ^ UINT64_C(0x4330000000000800)) - (0x1p52 + 2048.0);
#endif
}

typedef struct {
    double m, k;
    uint64_t place; /* k in the upper 12 bits */
} scaled;

/* u positive and normal. */
static INLINE scaled scale_down(double u)
{
    const uint64_t place = place_of(u);
    return (scaled){of_bits(bits_of(u) - (place & EXPONENTS)), exponent_of(place), place};
}

/* r, the logarithm of x, but what it is where x is no positive number. A comparison makes a vector of bits, but of
 * AVX-512 a mask five cycles later. So there it is done by bits, and what is to be chosen is chosen in one step. */
#if defined __AVX512DQ__
static INLINE uint64_t is_subnormal(double x)
{
    return 0 - ((bits_of(x) - (UINT64_C(1) << 52)) >> 63);
}
static INLINE double or_edge(double x, double r)
{
    const double refused = x == 0 ? -INFINITY : (double)NAN, edge = x < INFINITY ? refused : x + x;
    return bits_of(x) - 1 < bits_of(INFINITY) - 1 ? r : edge;
}
#else
static INLINE uint64_t is_subnormal(double x)
{
    return mask_of(x < 0x1p-1022);
}
static INLINE double or_edge(double x, double r)
{
    const double refused = x == 0 ? -INFINITY : (double)NAN, number = x > 0 ? r : refused;
    return x < INFINITY ? number : x + x;
}
#endif

/* A positive number, but a subnormal one is counted in units of 2^-1024, what it has below them being a fraction. */
static INLINE double normal_of(double x)
{
    const uint64_t u = bits_of(x), subnormal = bits_of(of_bits(u | bits_of(4.0)) - 4.0);
    return of_bits(u ^ ((u ^ subnormal) & is_subnormal(x)));
}
/* Any positive number. Of zero k is -2048, the least that has room. */
static INLINE scaled scale_any(double x)
{
    const double u = normal_of(x);
    const uint64_t place = place_of(u) - (is_subnormal(x) & UINT64_C(1024) << 52);
    return (scaled){scale_down(u).m, exponent_of(place), place};
}

/* The magnitudes of a strip as u 2^k, u normal; zero as about 2^-2048, inf and nan as 2^1024 or a little more. */
static INLINE void split_any(double *u, double *k, const double *x)
{
#if AO_EXTENSIONS && defined __AVX512F__
    /* The two instructions are quicker by a tenth of the logarithm. */
    const __m512d v = _mm512_loadu_pd(x), least = _mm512_set1_pd(-2048.0), most = _mm512_set1_pd(1024.0);
    _mm512_storeu_pd(u, _mm512_getmant_pd(v, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero));
    _mm512_storeu_pd(k, _mm512_min_pd(_mm512_max_pd(_mm512_getexp_pd(v), least), most));
#else
    AO_INDEPENDENT for (size_t i = 0; i < STRIP; i++)
    {
        u[i] = normal_of(fabs(x[i]));
        k[i] = of_bits(bits_of(-1024.0) & is_subnormal(fabs(x[i])));
    }
#endif
}
static INLINE scaled scale_split(double u, double k)
{
    const scaled v = scale_down(u);
    return (scaled){v.m, v.k + k, v.place};
}

/* What a logarithm is taken of: (u + lo) 2^more, u normal. */
typedef struct {
    double u, lo, more;
} log_argument;

/* What is looked up for it: c, and -log(c). */
typedef struct {
    double c, high, low;
} log_entry;

static INLINE log_entry entry_of(double c, double high, double low)
{
    return (log_entry){c, high, low};
}

/* log(u + lo) is that of 1 + r + rlo, and high + low. Unless high is 0 it is larger than r. */
typedef struct {
    double r, rlo, high, low;
} reduced;

/* a b + c where neither the product nor the sum is rounded: no need to fuse them where that takes long. */
static INLINE double exactly(double a, double b, double c)
{
    return FUSED_IS_FAST ? fused(a, b, c) : a * b + c;
}

/* To the bases e, 2 and 10. */
static INLINE reduced reduce_log(scaled v, log_entry e)
{
    return (reduced){fused(v.m, e.c, -1.0), 0.0, exactly(v.k, LN2_1, e.high), fused(v.k, LN2_2, e.low)};
}
static INLINE reduced reduce_log2(scaled v, log_entry e)
{
    const double r = fused(v.m, e.c, -1.0);
    return (reduced){r, 0.0, v.k + e.high, fused(r, INV_LN2_2, e.low)};
}
static INLINE reduced reduce_log10(scaled v, log_entry e)
{
    const double r = fused(v.m, e.c, -1.0), low = fused(v.k, LOG10_2_2, e.low);
    return (reduced){r, 0.0, exactly(v.k, LOG10_2_1, e.high), fused(r, INV_LN10_2, low)};
}

static INLINE double joined_log(reduced v)
{
    const dd s = fast_two_sum(v.high, v.r);
    return s.hi + (s.lo + fused(v.r * v.r, poly_log(v.r), v.low));
}
static INLINE double joined_log2(reduced v)
{
    const dd t = two_product(v.r, INV_LN2_1), s = fast_two_sum(v.high, t.hi);
    return s.hi + (s.lo + fused(v.r * v.r, poly_log2(v.r), t.lo + v.low));
}
static INLINE double joined_log10(reduced v)
{
    const dd t = two_product(v.r, INV_LN10_1), s = fast_two_sum(v.high, t.hi);
    return s.hi + (s.lo + fused(v.r * v.r, poly_log10(v.r), t.lo + v.low));
}

/* Of a sum u + lo, lo being about as small as a rounding error of u, which is below 2^1022. k is that of u, or more. */
static INLINE reduced reduce_sum(double u, double lo, double k, log_entry e)
{
    const double c = of_bits(bits_of(e.c) - (place_of(u) & EXPONENTS));
    return (reduced){fused(u, c, -1.0), lo * c, exactly(k, LN2_1, e.high), fused(k, LN2_2, e.low)};
}
static INLINE double joined_with(reduced v, double r, double p)
{
    const dd s = fast_two_sum(v.high, v.r);
    return s.hi + (s.lo + (fused(r * r, p, v.low) + v.rlo));
}
static INLINE double joined_log1p(reduced v)
{
    return joined_with(v, v.r + v.rlo, poly_log(v.r + v.rlo));
}
/* What u lacks of the others' arguments is more by itself, so that here there is less room for errors. */
static INLINE double joined_sum(reduced v)
{
    return joined_with(v, v.r + v.rlo, poly_log_sum(v.r + v.rlo));
}

/* ---- sweeps ---- */

/* The longer ones are cut in two or three loops, and what one leaves for the next is in memory: processors look some 200
 * instructions ahead, which in one loop would be three or four vectors that wait for their own beginnings. That alone
 * made asinh and acosh a third quicker. */

/* The beginning of every sweep by strips. */
#define FEW_ELEMENTS(sweep, leaves)                                                                                   \
    if (n < STRIP) {                                                                                                  \
        double few[STRIP], results[STRIP];                                                                            \
        fill_strip(n, few, a);                                                                                        \
        const uint64_t odd = sweep(STRIP, results, few, elsewhere);                                                   \
        if (!leaves || elsewhere || !odd)                                                                             \
            memcpy(to, results, n * sizeof *to);                                                                      \
        return odd;                                                                                                   \
    }

static INLINE uint64_t any_sign(const uint64_t *strip)
{
    uint64_t any = 0;
    for (size_t i = 0; i < STRIP; i++)
        any |= strip[i];
    return any >> 63;
}

/* Before the first loop that writes. */
#define UNLESS_ODD(unknown)                                                                                           \
    const uint64_t odd = unknown;                                                                                     \
    if (odd && !elsewhere)                                                                                            \
        return odd;

/* The statements for each element i, by strips. n is STRIP or more. */
#define BY_STRIPS(...)                                                                                                \
    for (size_t done = 0;;) {                                                                                         \
        const size_t at = strip_after(done, n);                                                                       \
        __VA_ARGS__                                                                                                   \
        done += STRIP;                                                                                                \
        if (done >= n)                                                                                                \
            break;                                                                                                    \
    }
#define EACH_OF_STRIP(...)                                                                                            \
    AO_INDEPENDENT for (size_t lane = 0; lane < STRIP; lane++)                                                        \
    {                                                                                                                 \
        const size_t i = at + lane;                                                                                   \
        (void)i;                                                                                                      \
        __VA_ARGS__                                                                                                   \
    }
#define EACH_BY_STRIPS(...) BY_STRIPS(EACH_OF_STRIP(__VA_ARGS__))
/* Of a strip, the entries of u, an expression of lane and i. */
#define LOOK_UP_ENTRIES(u, HIGH, LOW)                                                                                 \
    double cs[STRIP];                                                                                                 \
    double highs[STRIP];                                                                                              \
    double lows[STRIP];                                                                                               \
    uint64_t places[STRIP];                                                                                           \
    EACH_OF_STRIP(places[lane] = place_of(u) >> 49;)                                                                  \
    look_up_short(cs, places, RECIPROCALS);                                                                           \
    look_up_short(highs, places, HIGH);                                                                               \
    look_up(lows, places, LOW);
/* The statements with the entry of u. */
#define EACH_WITH_ENTRY(u, HIGH, LOW, ...)                                                                            \
    BY_STRIPS(LOOK_UP_ENTRIES(u, HIGH, LOW)                                                                           \
              EACH_OF_STRIP(const log_entry entry = entry_of(cs[lane], highs[lane], lows[lane]); __VA_ARGS__))
/* The same for the magnitudes of a strip xs, which may be any, scaled. */
#define EACH_OF_ANY(xs, HIGH, LOW, ...)                                                                               \
    BY_STRIPS(double us[STRIP]; double ks[STRIP]; split_any(us, ks, xs);                                              \
              LOOK_UP_ENTRIES(us[lane], HIGH, LOW)                                                                    \
              EACH_OF_STRIP(const log_entry entry = entry_of(cs[lane], highs[lane], lows[lane]);                      \
                            const scaled any = scale_split(us[lane], ks[lane]); __VA_ARGS__))

#define KEEP_REDUCED(value)                                                                                           \
    const reduced v = value;                                                                                          \
    r[i] = v.r;                                                                                                       \
    high[i] = v.high;                                                                                                 \
    low[i] = v.low;

/* Of numbers as they are. Sign bit set unless x is normal and positive, and at most 2^1023. */
static INLINE uint64_t not_positive_normal(double x)
{
    return (bits_of(x) - bits_of(0x1p-1022)) | (bits_of(0x1p1023) - bits_of(x));
}
static INLINE uint64_t raises_log(double r, double x)
{
    (void)r;
    return (uint64_t)(x <= 0);
}

/* In two loops, or in one that looks at each strip before it writes: with vectors of eight doubles that is the quicker way for
 * log2 and log10, whose second loops are long and wait for multipliers; with vectors of four it takes a tenth longer. */
#define FAST_LOG(base, HIGH, LOW)                                                                                     \
    static uint64_t fast_##base(size_t n, double *to, const double *a, double *elsewhere)                             \
    {                                                                                                                 \
        FEW_ELEMENTS(fast_##base, 1)                                                                                  \
        double r[MOST], high[MOST], low[MOST];                                                                        \
        uint64_t unknown[STRIP] = {0};                                                                                \
        EACH_WITH_ENTRY(a[i], HIGH, LOW, KEEP_REDUCED(reduce_##base(scale_down(a[i]), entry))                         \
                        unknown[lane] |= not_positive_normal(a[i]);)                                                  \
        UNLESS_ODD(any_sign(unknown))                                                                                 \
        EACH_BY_STRIPS(to[i] = joined_##base((reduced){r[i], 0.0, high[i], low[i]});)                                 \
        return odd;                                                                                                   \
    }
#if AO_EXTENSIONS && defined __AVX512F__
/* Whether any of a strip is not normal and positive, or more than 2^1023. */
static INLINE int any_not_positive_normal(const double *x)
{
    const __m512i bits = _mm512_loadu_si512(x), least = _mm512_set1_epi64((int64_t)bits_of(0x1p-1022));
    const __m512i most = _mm512_set1_epi64((int64_t)(bits_of(0x1p1023) - bits_of(0x1p-1022)));
    return _mm512_cmpgt_epu64_mask(_mm512_sub_epi64(bits, least), most) != 0;
}
#define FAST_LOG_AT_ONCE(base, HIGH, LOW)                                                                             \
    static uint64_t fast_##base(size_t n, double *to, const double *a, double *elsewhere)                             \
    {                                                                                                                 \
        FEW_ELEMENTS(fast_##base, 1)                                                                                  \
        BY_STRIPS(if (any_not_positive_normal(a + at) && !elsewhere) return 1;                                        \
                  LOOK_UP_ENTRIES(a[i], HIGH, LOW)                                                                    \
                  EACH_OF_STRIP(const log_entry entry = entry_of(cs[lane], highs[lane], lows[lane]);                  \
                                to[i] = joined_##base(reduce_##base(scale_down(a[i]), entry));))                      \
        return 0;                                                                                                     \
    }
#else
#define FAST_LOG_AT_ONCE FAST_LOG
#endif
#define WHOLE_LOG(base, HIGH, LOW)                                                                                    \
    static uint64_t whole_sweep_##base(size_t n, double *to, const double *a, double *elsewhere)                      \
    {                                                                                                                 \
        FEW_ELEMENTS(whole_sweep_##base, 0)                                                                           \
        double r[MOST], high[MOST], low[MOST];                                                                        \
        EACH_OF_ANY(a + at, HIGH, LOW, KEEP_REDUCED(reduce_##base(any, entry)))                                       \
        EACH_BY_STRIPS(to[i] = or_edge(a[i], joined_##base((reduced){r[i], 0.0, high[i], low[i]}));)                  \
        return 0;                                                                                                     \
    }

/* Of 1 + x. What is too large counts as 2^-54 of it. */
static INLINE log_argument argument_log1p(double x)
{
    const dd u = two_sum(1.0, x);
    return (log_argument){u.hi, u.lo, 0.0};
}
static INLINE log_argument any_argument_log1p(double x)
{
    const int large = x >= 0x1p900;
    const dd u = two_sum(1.0, x);
    return (log_argument){large ? x * 0x1p-54 : u.hi, u.lo, large ? 54.0 : 0.0};
}
static INLINE uint64_t odd_log1p(double x)
{
    const uint64_t u = bits_of(1.0 + x);
    return (u - bits_of(0x1p-60)) | (bits_of(0x1p900) - u);
}
static INLINE double core_log1p(double x, double r)
{
    return copysign(r, x);
}
static INLINE double whole_log1p(double x, double r)
{
    const double refused = x == -1.0 ? -INFINITY : (double)NAN, number = x > -1.0 ? copysign(r, x) : refused;
    return x < INFINITY ? number : x + x;
}
static INLINE uint64_t raises_log1p(double r, double x)
{
    (void)r;
    return (uint64_t)(x <= -1.0);
}

#define SUM_LOG1P(name, ARGUMENT, K, LAST, ...)                                                                       \
    static uint64_t name(size_t n, double *to, const double *a, double *elsewhere)                                    \
    {                                                                                                                 \
        FEW_ELEMENTS(name, FUSED_IS_FAST)                                                                             \
        double r[MOST], rlo[MOST], high[MOST], low[MOST];                                                             \
        uint64_t unknown[STRIP] = {0};                                                                                \
        EACH_WITH_ENTRY(ARGUMENT(a[i]).u, LOG_HIGH, LOG_LOW, const log_argument s = ARGUMENT(a[i]);                   \
                        KEEP_REDUCED(reduce_sum(s.u, s.lo, K, entry)) rlo[i] = v.rlo; __VA_ARGS__)                    \
        UNLESS_ODD(any_sign(unknown))                                                                                 \
        EACH_BY_STRIPS(to[i] = LAST(a[i], joined_log1p((reduced){r[i], rlo[i], high[i], low[i]}));)                   \
        return odd;                                                                                                   \
    }

/* sqrt(v + vlo), vlo being about as small as a rounding error of v. Its correction needs few bits of 1 / s, but more
 * where |x| + s is about 1: the guess is exact for 1, and elsewhere one step of Newton's method makes a sixtieth of the
 * eighth by which it may be wrong. */
static INLINE dd corrected_root(double v, double vlo)
{
    const double s = sqrt(v), guess = of_bits(2 * bits_of(1.0) - bits_of(s)), half = 0.5 * guess;
    return (dd){s, (fused(-s, s, v) + vlo) * (guess * fused(-s, half, 1.0))};
}

/* |x| + sqrt(1 + x^2). Large ones count as 2^-54 of them. */
static INLINE log_argument argument_asinh(double x)
{
    const double t = fabs(x);
    const dd v = two_product(t, t), w = two_sum(1.0, v.hi);
    const dd r = corrected_root(w.hi, w.lo + v.lo), u = fast_two_sum(r.hi, t);
    return (log_argument){u.hi, u.lo + r.lo, 0.0};
}
static INLINE log_argument any_argument_asinh(double x)
{
    const double t = fabs(x);
    const int large = t >= 0x1p500;
    const log_argument a = argument_asinh(x);
    return (log_argument){large ? t * 0x1p-54 : a.u, large ? 0.0 : a.lo, large ? 55.0 : 0.0};
}
static INLINE uint64_t odd_asinh(double x)
{
    return bits_of(0x1p500) - bits_of(fabs(x));
}
/* Small ones are themselves: what was rounded off from 1 + |x| would count. */
static INLINE double core_asinh(double x, double r)
{
    return fabs(x) < 0x1p-28 ? x : copysign(r, x);
}
static INLINE double whole_asinh(double x, double r)
{
    return fabs(x) < INFINITY ? core_asinh(x, r) : x + x;
}

/* x + sqrt(x^2 - 1), x at least 1 */
static INLINE log_argument argument_acosh(double x)
{
    const dd v = two_product(x, x), w = fast_two_sum(v.hi - 1.0, v.lo);
    const dd r = corrected_root(w.hi, w.lo), u = fast_two_sum(x, r.hi);
    return (log_argument){u.hi, u.lo + r.lo, 0.0};
}
static INLINE log_argument any_argument_acosh(double x)
{
    const int large = x >= 0x1p400;
    const log_argument a = argument_acosh(x);
    return (log_argument){large ? x * 0x1p-54 : a.u, large ? 0.0 : a.lo, large ? 55.0 : 0.0};
}
static INLINE uint64_t odd_acosh(double x)
{
    return (bits_of(x) - bits_of(1.0)) | (bits_of(0x1p400) - bits_of(x));
}
static INLINE double core_acosh(double x, double r)
{
    (void)x;
    return r;
}
static INLINE double whole_acosh(double x, double r)
{
    const double least = x == 1.0 ? 0.0 : (double)NAN, number = x > 1.0 ? r : least;
    return x < INFINITY ? number : x + x;
}
static INLINE uint64_t raises_acosh(double r, double x)
{
    (void)r;
    return (uint64_t)(x < 1.0);
}

/* (1 + |x|) / (1 - |x|) */
static INLINE log_argument argument_atanh(double x)
{
    const double t = fabs(x);
    const dd n = fast_two_sum(1.0, t), d = fast_two_sum(1.0, -t), u = quotient(n.hi, n.lo, d.hi, d.lo);
    return (log_argument){u.hi, u.lo, 0.0};
}
static INLINE log_argument any_argument_atanh(double x)
{
    return argument_atanh(x);
}
static INLINE uint64_t odd_atanh(double x)
{
    return bits_of(1.0) - 1 - bits_of(fabs(x));
}
static INLINE double core_atanh(double x, double r)
{
    return core_asinh(x, 0.5 * r);
}
static INLINE double whole_atanh(double x, double r)
{
    const double t = fabs(x), edge = t > 1.0 ? (double)NAN : x * INFINITY;
    return t < 1.0 ? core_atanh(x, r) : edge;
}
static INLINE uint64_t raises_atanh(double r, double x)
{
    (void)r;
    return (uint64_t)(fabs(x) >= 1.0);
}

/* The second loop of these. */
#define REDUCE_SUMS(name, K)                                                                                          \
    static void name(size_t n, double *r, double *rlo, double *high, double *low, const double *u, const double *lo,  \
                     const double *more)                                                                              \
    {                                                                                                                 \
        (void)more;                                                                                                   \
        EACH_WITH_ENTRY(u[i], LOG_HIGH, LOG_LOW, KEEP_REDUCED(reduce_sum(u[i], lo[i], K, entry)) rlo[i] = v.rlo;)     \
    }
#define FAST_SUM(f)                                                                                                   \
    static uint64_t fast_##f(size_t n, double *to, const double *a, double *elsewhere)                                \
    {                                                                                                                 \
        FEW_ELEMENTS(fast_##f, 1)                                                                                     \
        double u[MOST], lo[MOST], r[MOST], rlo[MOST], high[MOST], low[MOST];                                          \
        uint64_t unknown[STRIP] = {0};                                                                                \
        EACH_BY_STRIPS(const log_argument v = argument_##f(a[i]); u[i] = v.u; lo[i] = v.lo;                           \
                       unknown[lane] |= odd_##f(a[i]);)                                                               \
        UNLESS_ODD(any_sign(unknown))                                                                                 \
        reduce_sums(n, r, rlo, high, low, u, lo, NULL);                                                               \
        EACH_BY_STRIPS(to[i] = core_##f(a[i], joined_sum((reduced){r[i], rlo[i], high[i], low[i]}));)                 \
        return odd;                                                                                                   \
    }
#define WHOLE_SUM(f)                                                                                                  \
    static uint64_t whole_sweep_##f(size_t n, double *to, const double *a, double *elsewhere)                         \
    {                                                                                                                 \
        FEW_ELEMENTS(whole_sweep_##f, 0)                                                                              \
        double u[MOST], lo[MOST], more[MOST], r[MOST], rlo[MOST], high[MOST], low[MOST];                              \
        EACH_BY_STRIPS(const log_argument v = any_argument_##f(a[i]); u[i] = v.u; lo[i] = v.lo; more[i] = v.more;)    \
        reduce_any_sums(n, r, rlo, high, low, u, lo, more);                                                           \
        EACH_BY_STRIPS(to[i] = whole_##f(a[i], joined_sum((reduced){r[i], rlo[i], high[i], low[i]}));)                \
        return 0;                                                                                                     \
    }

#if FUSED_IS_FAST
REDUCE_SUMS(reduce_sums, exponent_of(place_of(u[i])))
FAST_LOG(log, LOG_HIGH, LOG_LOW)
FAST_LOG_AT_ONCE(log2, LOG2_HIGH, LOG2_LOW)
FAST_LOG_AT_ONCE(log10, LOG10_HIGH, LOG10_LOW)
SUM_LOG1P(fast_log1p, argument_log1p, exponent_of(place_of(s.u)), core_log1p, unknown[lane] |= odd_log1p(a[i]);)
FAST_SUM(asinh)
FAST_SUM(acosh)
FAST_SUM(atanh)
#endif
REDUCE_SUMS(reduce_any_sums, exponent_of(place_of(u[i])) + more[i])
WHOLE_LOG(log, LOG_HIGH, LOG_LOW)
WHOLE_LOG(log2, LOG2_HIGH, LOG2_LOW)
WHOLE_LOG(log10, LOG10_HIGH, LOG10_LOW)
SUM_LOG1P(whole_sweep_log1p, any_argument_log1p, exponent_of(place_of(s.u)) + s.more, whole_log1p,)
WHOLE_SUM(asinh)
WHOLE_SUM(acosh)
WHOLE_SUM(atanh)

MARKS1(raises_log)
MARKS1(raises_log1p)
MARKS1(raises_acosh)
MARKS1(raises_atanh)
WAYS1(log, SPECIAL, marks_raises_log, 1)
WAYS1(log2, SPECIAL, marks_raises_log, 1)
WAYS1(log10, SPECIAL, marks_raises_log, 1)
WAYS1(log1p, ITSELF, marks_raises_log1p, 1)
WAYS1(asinh, ITSELF, NULL, 1)
WAYS1(acosh, THE_SAME, marks_raises_acosh, 1)
WAYS1(atanh, ITSELF, marks_raises_atanh, 1)
