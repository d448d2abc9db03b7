/* Reduction kernels, compiled once per instruction-set level (level.h).
 *
 * The loops are plain C for the vectoriser, except the extractions: they need their accumulators held in registers, which
 * compilers do for vector variables but not for arrays of lanes, so they use the vector types that gcc and clang share.
 * -ffp-contract=off and round-to-nearest are assumed throughout; nothing here may reorder or contract an addition of
 * floats.
 */
#include "reduce_kernels.h"

#include <math.h>
#include <string.h>

#include "../exact.h"
#include "level.h"
#include "math/double_double.h"

#if !AO_EXTENSIONS
#define VECTOR_BYTES 8
#elif defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#if VECTOR_BYTES >= 16 && defined(__SSE2__)
#include <immintrin.h>
#endif

enum {
    LANES = VECTOR_BYTES / 8,
    /* Vectors extracted side by side, to hide the latency of an addition: as many as the registers hold. */
    WIDE = VECTOR_BYTES == 64 || VECTOR_BYTES == 8 ? 8 : 4,
    NARROW = VECTOR_BYTES == 8 ? 8 : 4
};
_Static_assert(AO_EXTRACT_STEP % (LANES * WIDE) == 0 && AO_EXTRACT_STEP % (LANES * NARROW) == 0, "a step is whole rows");
_Static_assert(AO_EXTRACT_BLOCK / (LANES * WIDE) <= AO_EXTRACT_ROWS
                   && AO_EXTRACT_BLOCK / (LANES * NARROW) <= AO_EXTRACT_ROWS,
               "an accumulator would take too many numbers");

/* Vectors of LANES doubles, and of as many words: + - & | ~ go lane by lane. Without the extension they are of one lane. */
#if VECTOR_BYTES == 8
typedef double doubles;
typedef uint64_t words;
#define LANE(v, lane) (v)
#define ALL_WHERE(comparison) (0 - (words)(comparison))
static INLINE words words_of(doubles v)
{
    return bits_of(v);
}
static INLINE doubles doubles_of(words w)
{
    return of_bits(w);
}
#else
typedef double doubles __attribute__((vector_size(VECTOR_BYTES)));
typedef uint64_t words __attribute__((vector_size(VECTOR_BYTES)));
#define LANE(v, lane) ((v)[lane])
#define ALL_WHERE(comparison) ((words)(comparison))
static INLINE words words_of(doubles v)
{
    return (words)v;
}
static INLINE doubles doubles_of(words w)
{
    return (doubles)w;
}
#endif

/* a > b ? a : b in each lane. As an instruction: compare and blend take .08 to .15 ns more per double. */
static INLINE doubles larger(doubles a, doubles b)
{
#if VECTOR_BYTES == 64
    return (doubles)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif VECTOR_BYTES == 32
    return (doubles)_mm256_max_pd((__m256d)a, (__m256d)b);
#elif VECTOR_BYTES == 16 && defined(__SSE2__)
    return (doubles)_mm_max_pd((__m128d)a, (__m128d)b);
#else
    const words above = ALL_WHERE(a > b);
    return doubles_of((above & words_of(a)) | (~above & words_of(b)));
#endif
}

static INLINE doubles smaller(doubles a, doubles b)
{
#if VECTOR_BYTES == 64
    return (doubles)_mm512_min_pd((__m512d)a, (__m512d)b);
#elif VECTOR_BYTES == 32
    return (doubles)_mm256_min_pd((__m256d)a, (__m256d)b);
#elif VECTOR_BYTES == 16 && defined(__SSE2__)
    return (doubles)_mm_min_pd((__m128d)a, (__m128d)b);
#else
    const words below = ALL_WHERE(a < b);
    return doubles_of((below & words_of(a)) | (~below & words_of(b)));
#endif
}

/* a - b. Fused with a multiplication by one, which changes nothing but the port: Zen 4 adds on two ports and
 * multiplies on two others, so that
 * half of an extraction runs beside the other half (extract_2: .19 ns per double, not .26). */
static INLINE doubles difference(doubles a, doubles b)
{
#if VECTOR_BYTES == 64
    return (doubles)_mm512_fmsub_pd((__m512d)a, _mm512_set1_pd(1), (__m512d)b);
#elif VECTOR_BYTES == 32 && defined(__FMA__)
    return (doubles)_mm256_fmsub_pd((__m256d)a, _mm256_set1_pd(1), (__m256d)b);
#else
    return a - b;
#endif
}

static INLINE doubles broadcast(double x)
{
    doubles v;
    for (int lane = 0; lane < LANES; lane++)
        LANE(v, lane) = x;
    return v;
}

/* All bits but the signs. */
static INLINE words magnitude_bits(void)
{
    return words_of(broadcast(0)) + INT64_MAX;
}

/* The larger of |v| and `largest`; which, where v is a nan, does not matter. */
static INLINE doubles larger_magnitude(doubles v, doubles largest)
{
#if VECTOR_BYTES == 64 && defined(__AVX512DQ__)
    return (doubles)_mm512_range_pd((__m512d)v, (__m512d)largest, 11);
#else
    return larger(doubles_of(words_of(v) & magnitude_bits()), largest);
#endif
}

/* The smaller of |v| and `smallest`, likewise. */
static INLINE doubles smaller_magnitude(doubles v, doubles smallest)
{
#if VECTOR_BYTES == 64 && defined(__AVX512DQ__)
    return (doubles)_mm512_range_pd((__m512d)v, (__m512d)smallest, 10);
#else
    return smaller(doubles_of(words_of(v) & magnitude_bits()), smallest);
#endif
}

static INLINE doubles load(const double *x)
{
    doubles v;
    memcpy(&v, x, sizeof v);
    return v;
}

/* Adds v to the sum of a bias. Returns the part of v that it holds. */
static INLINE doubles taken_from(doubles v, doubles *sum)
{
    const doubles next = *sum + v, part = difference(next, *sum);
    *sum = next;
    return part;
}

/* seen, and the bits by which a and b differ */
static INLINE words and_differences(words seen, doubles a, doubles b)
{
#if VECTOR_BYTES == 64
    return (words)_mm512_ternarylogic_epi64((__m512i)seen, (__m512i)a, (__m512i)b, 0xF0 | (0xCC ^ 0xAA));
#else
    return seen | (words_of(a) ^ words_of(b));
#endif
}

/* How much was added to one bias, in units of its last place. A double's bits, read as an integer, grow by one per unit
 * in the last place; as no sum has left the bias's binade, subtracting the bits subtracts the values. */
static INLINE int64_t taken_by(const doubles *sum, double bias, int vectors)
{
    const words start = words_of(broadcast(bias));
    words total = {0};
    for (int j = 0; j < vectors; j++)
        total += words_of(sum[j]) - start;
    uint64_t taken = 0;
    for (int lane = 0; lane < LANES; lane++)
        taken += LANE(total, lane);
    return (int64_t)taken;
}

/* What n numbers left, and how much each bias took. */
static INLINE void finish(ao_extraction *result, words rest, doubles largest, const doubles *sum, const double *bias,
                          int biases, int vectors)
{
    for (int k = 0; k < biases * vectors; k++)
        rest |= ALL_WHERE(sum[k] != sum[k]); /* the parts of a nan do not differ from it */
    rest &= magnitude_bits(); /* 0 and -0 */
    result->largest = 0;
    result->rest = 0;
    for (int lane = 0; lane < LANES; lane++) {
        result->rest |= LANE(rest, lane);
        result->largest = LANE(largest, lane) > result->largest ? LANE(largest, lane) : result->largest;
    }
    for (int f = 0; f < biases; f++)
        result->taken[f] = taken_by(sum + f * vectors, bias[f], vectors);
}

static INLINE void extract(const double *x, size_t n, const double *bias, size_t ahead, ao_extraction *result,
                           double *left, int biases, int vectors)
{
    doubles sum[AO_EXTRACT_DEEP * WIDE];
    doubles largest = {0};
    words rest = {0};
    for (int f = 0; f < biases; f++)
        for (int j = 0; j < vectors; j++)
            sum[f * vectors + j] = broadcast(bias[f]);
    for (size_t i = 0; i < n; i += (size_t)(vectors * LANES)) {
#pragma GCC unroll 8
        for (int j = 0; j < vectors; j++) {
            const double *at = x + i + (size_t)(j * LANES);
            AO_PREFETCH((const void *)((uintptr_t)at + ahead));
            doubles v = load(at);
            largest = larger_magnitude(v, largest);
#pragma GCC unroll 4
            for (int f = 0; f < biases - 1; f++)
                v -= taken_from(v, sum + f * vectors + j);
            const doubles part = taken_from(v, sum + (biases - 1) * vectors + j);
            rest = and_differences(rest, v, part);
            if (left) {
                v -= part;
                memcpy(left + (at - x), &v, sizeof v);
            }
        }
    }
    finish(result, rest, largest, sum, bias, biases, vectors);
}

static void extract_1(const double *x, size_t n, const double *bias, size_t ahead, ao_extraction *result)
{
    extract(x, n, bias, ahead, result, NULL, 1, WIDE);
}

static void extract_2(const double *x, size_t n, const double *bias, size_t ahead, ao_extraction *result)
{
    extract(x, n, bias, ahead, result, NULL, 2, WIDE);
}

static void extract_4(const double *x, size_t n, const double *bias, size_t ahead, ao_extraction *result, double *left)
{
    extract(x, n, bias, ahead, result, left, 4, NARROW);
}

#if AO_HAS_FLAGS
enum { SPLIT = AO_SPLIT_LANES / LANES < WIDE ? AO_SPLIT_LANES / LANES : WIDE }; /* vectors at a time */

/* Neither earlier nor later: compilers know nothing of what operations do to flags. */
#define HERE(v) __asm__ volatile("" : "+x"(v))

static int add_split(const double *x, size_t n, ao_split_sums *sums)
{
    const doubles scale = broadcast(0x1p64);
    const words upper = words_of(broadcast(0)) - ((uint64_t)1 << AO_SPLIT_LOW_BITS);
    doubles high[SPLIT], low[SPLIT];
    words nans = {0};
    _Static_assert(AO_SPLIT_SCALE == 64, "2^64");
    const unsigned before = ao_exact_begin();
#pragma GCC unroll 4
    for (int j = 0; j < SPLIT; j++) {
        high[j] = load(sums->high + j * LANES);
        low[j] = load(sums->low + j * LANES);
        HERE(high[j]);
        HERE(low[j]);
    }
    for (size_t i = 0; i < n; i += SPLIT * LANES) {
#pragma GCC unroll 4
        for (int j = 0; j < SPLIT; j++) {
            const doubles v = load(x + i + (size_t)(j * LANES)) * scale, part = doubles_of(words_of(v) & upper);
            high[j] += part;
            low[j] += difference(v, part);
        }
    }
#pragma GCC unroll 4
    for (int j = 0; j < SPLIT; j++) {
        HERE(high[j]);
        HERE(low[j]);
    }
    const int exact = ao_exact_end(before);
    for (int j = 0; j < SPLIT; j++)
        nans |= ALL_WHERE(low[j] != low[j]); /* which set no flag */
    uint64_t nan = 0;
    for (int lane = 0; lane < LANES; lane++)
        nan |= LANE(nans, lane);
    if (!exact || nan)
        return 0;
    memcpy(sums->high, high, sizeof high);
    memcpy(sums->low, low, sizeof low);
    return 1;
}
#endif

/* a b = product + error. Where vectors do not fuse, by the halves of both (T. J. Dekker, as in math/fused.h). */
static INLINE void multiply(doubles a, doubles b, doubles *product, doubles *error)
{
    const doubles p = a * b;
    *product = p;
#if VECTOR_BYTES == 64
    *error = (doubles)_mm512_fmsub_pd((__m512d)a, (__m512d)b, (__m512d)p);
#elif VECTOR_BYTES == 32 && defined(__FMA__)
    *error = (doubles)_mm256_fmsub_pd((__m256d)a, (__m256d)b, (__m256d)p);
#else
    const doubles as = a * 0x1.0000002p27, bs = b * 0x1.0000002p27;
    const doubles ah = as - (as - a), bh = bs - (bs - b), al = a - ah, bl = b - bh;
    *error = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
#endif
}

/* The products go to the first bias, what is left of them to the second. Their errors are so much smaller that the first
 * could hold nothing of them: they go to the second, and what is left to the third. */
static void extract_products(const double *a, const double *b, size_t n, const double *bias, ao_extraction *result)
{
    doubles sum[3 * NARROW];
    doubles largest = {0}, smallest = broadcast(INFINITY);
    words rest = {0};
    for (int f = 0; f < 3; f++)
        for (int j = 0; j < NARROW; j++)
            sum[f * NARROW + j] = broadcast(bias[f]);
    for (size_t i = 0; i < n; i += (size_t)(NARROW * LANES)) {
#pragma GCC unroll 8
        for (int j = 0; j < NARROW; j++) {
            const size_t at = i + (size_t)(j * LANES);
            doubles product, error;
            multiply(load(a + at), load(b + at), &product, &error);
            largest = larger_magnitude(product, largest);
            smallest = smaller_magnitude(product, smallest);
            product -= taken_from(product, sum + j);
            rest = and_differences(rest, product, taken_from(product, sum + NARROW + j));
            error -= taken_from(error, sum + NARROW + j);
            rest = and_differences(rest, error, taken_from(error, sum + 2 * NARROW + j));
        }
    }
    finish(result, rest, largest, sum, bias, 3, NARROW);
    result->smallest = INFINITY;
    for (int lane = 0; lane < LANES; lane++)
        result->smallest = LANE(smallest, lane) < result->smallest ? LANE(smallest, lane) : result->smallest;
}

static void widen(size_t n, const float *restrict x, double *restrict wide)
{
    for (size_t i = 0; i < n; i++)
        wide[i] = (double)x[i];
}

static void survey(size_t n, const double *x, uint64_t *largest, uint64_t *smallest)
{
    const words magnitude = magnitude_bits(), infinity = words_of(broadcast(INFINITY));
    doubles most = broadcast(0), least = broadcast(INFINITY);
    words nans = {0};
    double padded[LANES] = {0};
    for (size_t i = 0; i < n; i += LANES) {
        const double *at = x + i;
        if (n - i < LANES)
            at = memcpy(padded, at, (n - i) * sizeof *at); /* zeros change nothing */
        const doubles v = doubles_of(words_of(load(at)) & magnitude);
        const doubles nonzero = doubles_of(words_of(v) | (ALL_WHERE(v == broadcast(0)) & infinity));
        nans |= ALL_WHERE(v != v);
        most = larger(v, most);
        least = smaller(nonzero, least);
    }
    double high = 0, low = INFINITY;
    uint64_t odd = 0;
    for (int lane = 0; lane < LANES; lane++) {
        high = LANE(most, lane) > high ? LANE(most, lane) : high;
        low = LANE(least, lane) < low ? LANE(least, lane) : low;
        odd |= LANE(nans, lane);
    }
    memcpy(largest, &high, sizeof high);
    memcpy(smallest, &low, sizeof low);
    *largest |= odd;
}

static void products(size_t n, const double *restrict a, const double *restrict b, double *restrict high,
                     double *restrict low)
{
    for (size_t i = 0; i < n; i++) {
        const dd p = two_product(a[i], b[i]);
        high[i] = p.hi;
        low[i] = p.lo;
    }
}

/* Adds the fields of `bits` bits of a word. */
static int bounds(size_t n, const double *x, double *low, double *high)
{
    doubles most = broadcast(-INFINITY), least = broadcast(INFINITY);
    words nans = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const doubles v = load(x + i);
        nans |= ALL_WHERE(v != v);
        most = larger(v, most);
        least = smaller(v, least);
    }
    uint64_t odd = 0;
    *low = INFINITY;
    *high = -INFINITY;
    for (int lane = 0; lane < LANES; lane++) {
        *high = LANE(most, lane) > *high ? LANE(most, lane) : *high;
        *low = LANE(least, lane) < *low ? LANE(least, lane) : *low;
        odd |= LANE(nans, lane);
    }
    for (; i < n; i++) {
        *high = x[i] > *high ? x[i] : *high;
        *low = x[i] < *low ? x[i] : *low;
        odd |= x[i] != x[i];
    }
    return odd != 0;
}

static void cut(size_t n, const double *restrict x, double bias, double *restrict high, double *restrict low)
{
    for (size_t i = 0; i < n; i++) {
        high[i] = (bias + x[i]) - bias;
        low[i] = x[i] - high[i];
    }
}

/* Sums of the first 1, 2, ... lanes. */
#if VECTOR_BYTES == 8
static INLINE doubles running(doubles v)
{
    return v;
}
#define LAST(v) (v)
#else
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (words){__VA_ARGS__})
#endif
static INLINE doubles running(doubles v)
{
    const doubles zeros = {0};
#if VECTOR_BYTES == 64
    v += SHUFFLE(zeros, v, 0, 8, 9, 10, 11, 12, 13, 14);
    v += SHUFFLE(zeros, v, 0, 0, 8, 9, 10, 11, 12, 13);
    v += SHUFFLE(zeros, v, 0, 0, 0, 0, 8, 9, 10, 11);
#define LAST(v) SHUFFLE(v, v, 7, 7, 7, 7, 7, 7, 7, 7)
#elif VECTOR_BYTES == 32
    v += SHUFFLE(zeros, v, 0, 4, 5, 6);
    v += SHUFFLE(zeros, v, 0, 0, 4, 5);
#define LAST(v) SHUFFLE(v, v, 3, 3, 3, 3)
#else
    v += SHUFFLE(zeros, v, 0, 2);
#define LAST(v) SHUFFLE(v, v, 1, 1)
#endif
    return v;
}
#endif

static INLINE void slide_by(size_t n, size_t count, const double *high, const double *low, double above, double below,
                            double divisor, double *out, int divides)
{
    doubles h = broadcast(above), l = broadcast(below); /* before these lanes */
    size_t k = 0;
    for (; k + LANES <= count; k += LANES) {
        const doubles up = running(load(high + n + k) - load(high + k)), down = running(load(low + n + k) - load(low + k));
        const doubles sum = (h + up) + (l + down);
        const doubles result = divides ? sum / broadcast(divisor) : sum;
        memcpy(out + k, &result, sizeof result);
        h += LAST(up);
        l += LAST(down);
    }
    above = LANE(h, 0);
    below = LANE(l, 0);
    for (; k < count; k++) {
        above += high[n + k] - high[k];
        below += low[n + k] - low[k];
        out[k] = divides ? (above + below) / divisor : above + below;
    }
}

static void slide(size_t n, size_t count, const double *high, const double *low, double above, double below,
                  double divisor, double *out)
{
    if (divisor == 1)
        slide_by(n, count, high, low, above, below, divisor, out, 0);
    else
        slide_by(n, count, high, low, above, below, divisor, out, 1);
}

/* In two loops, each of which becomes vector code. */
static int guess(size_t n, const double *restrict x, double first, double scale, double limit, double tolerance,
                 int32_t *restrict guesses)
{
    for (size_t i = 0; i < n; i++) {
        double at = (x[i] - first) * scale;
        at = at < limit ? at : limit; /* nans, too */
        at = at > 0 ? at : 0;
        guesses[i] = (int32_t)at;
    }
    const double most = .5 - tolerance; /* from the middle of a bin */
    uint64_t unsure = 0;
    for (size_t i = 0; i < n; i++)
        unsure |= (uint64_t)!(fabs((x[i] - first) * scale - (double)guesses[i] - .5) < most);
    return unsure != 0;
}

static INLINE uint64_t sum_of_fields(uint64_t word, unsigned bits)
{
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 64; shift += bits)
        sum += word >> shift & (UINT64_MAX >> (64 - bits));
    return sum;
}

/* Sums fields of `bits` bits in place, in fields of twice that width; `most` words at a time cannot overflow them. */
static INLINE void sum_fields(size_t count, const void *a, uint64_t flip, uint64_t *low, uint64_t *high, unsigned bits,
                       uint64_t mask, size_t most)
{
    const unsigned char *bytes = a;
    *low = *high = 0;
    for (size_t start = 0; start < count; start += most) {
        size_t end = count - start < most ? count : start + most;
        uint64_t total = 0, odd = 0;
        for (size_t i = start; i < end; i++) {
            uint64_t word;
            memcpy(&word, bytes + 8 * i, 8);
            word ^= flip;
            total += word;
            odd += word >> bits & mask;
        }
        uint64_t even = total - (odd << bits); /* saves masking them one by one */
        *low += bits == 32 ? even : sum_of_fields(even, 2 * bits);
        *high += bits == 32 ? odd : sum_of_fields(odd, 2 * bits);
    }
}

static void fields_1(size_t count, const void *a, uint64_t flip, uint64_t *low, uint64_t *high)
{
    sum_fields(count, a, flip, low, high, 8, 0x00FF00FF00FF00FF, 256);
}

static void fields_2(size_t count, const void *a, uint64_t flip, uint64_t *low, uint64_t *high)
{
    sum_fields(count, a, flip, low, high, 16, 0x0000FFFF0000FFFF, 65536);
}

static void fields_4(size_t count, const void *a, uint64_t flip, uint64_t *low, uint64_t *high)
{
    sum_fields(count, a, flip, low, high, 32, 0x00000000FFFFFFFF, AO_SUM_WORDS);
}

enum {
    EXTREME_BYTES = 256,   /* lanes held at once: four to sixteen vectors */
    EXTREME_BLOCK = 8192,  /* elements between looks at the best so far: also all that is searched for its index */
    EXTREME_SEARCH = 64
};

/* AVX-512 has its own of 8 bytes, in two thirds of the time; of fewer those of avx2 take 5 to 10 % less. */
#define LEVEL_OF(T) LEVEL_OF_##T
#define LEVEL_OF_i8 AO_LEVEL_wide(i8)
#define LEVEL_OF_u8 AO_LEVEL_wide(u8)
#define LEVEL_OF_i16 AO_LEVEL_wide(i16)
#define LEVEL_OF_u16 AO_LEVEL_wide(u16)
#define LEVEL_OF_i32 AO_LEVEL_wide(i32)
#define LEVEL_OF_u32 AO_LEVEL_wide(u32)
#define LEVEL_OF_i64 AO_LEVEL_wide(i64)
#define LEVEL_OF_u64 AO_LEVEL_wide(u64)
#define LEVEL_OF_f32 AO_LEVEL_wide(f32)
#define LEVEL_OF_f64 AO_ISA
#define EXTREME_NAME(T, which, level) AO_PASTE(which##_##T, level)
#define EXTREME_OF(T, which, level) size_t EXTREME_NAME(T, which, level)(size_t n, const void *a)

/* BEFORE is < for min and > for max. A comparison with nan is false, so nans lose without being named. */
#define DEFINE_EXTREME(T, which, BEFORE, IS_NAN)                                                                       \
    static ao_##T which##_value_##T(size_t n, const ao_##T *x, ao_##T best)                                            \
    {                                                                                                                  \
        enum { WIDTH = EXTREME_BYTES / sizeof(ao_##T) };                                                               \
        ao_##T lane[WIDTH];                                                                                            \
        size_t i = 0;                                                                                                  \
        for (size_t j = 0; j < WIDTH; j++)                                                                             \
            lane[j] = best;                                                                                            \
        for (; i + WIDTH <= n; i += WIDTH)                                                                             \
            for (size_t j = 0; j < WIDTH; j++)                                                                         \
                lane[j] = x[i + j] BEFORE lane[j] ? x[i + j] : lane[j];                                                \
        for (size_t half = WIDTH / 2; half > 0; half /= 2)                                                             \
            for (size_t j = 0; j < half; j++)                                                                          \
                lane[j] = lane[j + half] BEFORE lane[j] ? lane[j + half] : lane[j];                                    \
        best = lane[0];                                                                                                \
        for (; i < n; i++)                                                                                             \
            best = x[i] BEFORE best ? x[i] : best;                                                                     \
        return best;                                                                                                   \
    }                                                                                                                  \
    EXTREME_OF(T, which, AO_ISA)                                                                                       \
    {                                                                                                                  \
        const ao_##T *x = a;                                                                                           \
        ao_##T best = x[0];                                                                                            \
        size_t found = 0;                                                                                              \
        if (IS_NAN(best))                                                                                              \
            return 0;                                                                                                  \
        for (size_t i = 0; i < n; i += EXTREME_BLOCK) {                                                                \
            ao_##T value = which##_value_##T(n - i < EXTREME_BLOCK ? n - i : EXTREME_BLOCK, x + i, best);              \
            if (value BEFORE best) {                                                                                   \
                best = value;                                                                                          \
                found = i;                                                                                             \
            }                                                                                                          \
        }                                                                                                              \
        return found + index_##T(x + found, n - found, best);                                                          \
    }

/* The first element equal to `value`. There was one when it was read; if somebody writes to the array meanwhile there may
 * be none any more, and then it is the last. */
#define DEFINE_INDEX(T)                                                                                                \
    static size_t index_##T(const ao_##T *x, size_t n, ao_##T value)                                                   \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + EXTREME_SEARCH <= n; i += EXTREME_SEARCH) {                                                         \
            unsigned equal = 0;                                                                                        \
            for (size_t j = 0; j < EXTREME_SEARCH; j++)                                                                \
                equal |= x[i + j] == value;                                                                            \
            if (equal)                                                                                                 \
                break;                                                                                                 \
        }                                                                                                              \
        while (i < n && x[i] != value)                                                                                 \
            i++;                                                                                                       \
        return i < n ? i : n - 1;                                                                                      \
    }

#define NEVER_NAN(x) 0
#define DEFINE_OWN_EXTREMES(T, IS_NAN)                                                                                 \
    DEFINE_INDEX(T)                                                                                                    \
    DEFINE_EXTREME(T, min, <, IS_NAN)                                                                                  \
    DEFINE_EXTREME(T, max, >, IS_NAN)
#define DECLARE_OTHER_EXTREMES(T, IS_NAN) extern EXTREME_OF(T, min, LEVEL_OF(T)); extern EXTREME_OF(T, max, LEVEL_OF(T));
#define DEFINE_EXTREMES(T, IS_NAN) AO_IF_OWN(LEVEL_OF(T), DEFINE_OWN_EXTREMES, DECLARE_OTHER_EXTREMES)(T, IS_NAN)
#define DEFINE_INT_EXTREMES(T, op) DEFINE_EXTREMES(T, NEVER_NAN)
AO_LIST_INTS(DEFINE_INT_EXTREMES, none)
DEFINE_EXTREMES(f32, isnan)
DEFINE_EXTREMES(f64, isnan)

/* ---- folds ---- */

#define DEFINE_FOLD(name, T, STEP)                                                                                     \
    static uint64_t fold_##name(size_t n, const void *a, uint64_t acc)                                                 \
    {                                                                                                                  \
        const T *x = a;                                                                                                \
        for (size_t i = 0; i < n; i++)                                                                                 \
            STEP;                                                                                                      \
        return acc;                                                                                                    \
    }
typedef uint64_t AO_MAY_ALIAS any_word; /* several narrow ints, perhaps */
DEFINE_FOLD(add, any_word, acc += x[i])
DEFINE_FOLD(and, any_word, acc &= x[i])
DEFINE_FOLD(or, any_word, acc |= x[i])
DEFINE_FOLD(xor, any_word, acc ^= x[i])

#define DEFINE_FOLD_EXTREME(which, T)                                                                                  \
    static uint64_t fold_##which##_##T(size_t n, const void *x, uint64_t acc)                                          \
    {                                                                                                                  \
        return (uint64_t)which##_value_##T(n, x, (ao_##T)acc);                                                         \
    }
DEFINE_FOLD_EXTREME(min, i64)
DEFINE_FOLD_EXTREME(max, i64)
DEFINE_FOLD_EXTREME(min, u64)
DEFINE_FOLD_EXTREME(max, u64)

static uint64_t sum_64(size_t n, const void *a, uint64_t above, uint64_t *bits)
{
    const uint64_t *x = a;
    uint64_t sum = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        all |= x[i] + above;
    }
    *bits = all;
    return sum;
}

#define EXTREME_ENTRY(T, which) [AO_TYPE_##T] = EXTREME_NAME(T, which, LEVEL_OF(T)),
#define EXTREME_ENTRIES(which) AO_LIST_INTS(EXTREME_ENTRY, which) EXTREME_ENTRY(f32, which) EXTREME_ENTRY(f64, which)

extern const struct ao_reductions AO_LOCAL(ao_reductions);
const struct ao_reductions AO_LOCAL(ao_reductions) = {
    .extract_1 = extract_1,
    .extract_2 = extract_2,
    .extract_4 = extract_4,
    .extract_products = extract_products,
#if AO_HAS_FLAGS
    .add_split = add_split,
#endif
    .passes = VECTOR_BYTES == 64 ? AO_EXTRACT_PASSES : VECTOR_BYTES == 32 ? 3 : 2,
    .widen = widen,
    .survey = survey,
    .products = products,
    .bounds = bounds,
    .cut = cut,
    .slide = slide,
    .guess = guess,
    .fields = {fields_1, fields_2, fields_4, fields_4},
    .extreme = {{EXTREME_ENTRIES(min)}, {EXTREME_ENTRIES(max)}},
    .fold = {[AO_FOLD_ADD] = fold_add, [AO_FOLD_AND] = fold_and, [AO_FOLD_OR] = fold_or, [AO_FOLD_XOR] = fold_xor,
             [AO_FOLD_MIN_i64] = fold_min_i64, [AO_FOLD_MAX_i64] = fold_max_i64, [AO_FOLD_MIN_u64] = fold_min_u64,
             [AO_FOLD_MAX_u64] = fold_max_u64},
    .sum = sum_64,
};
