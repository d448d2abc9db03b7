/* The element kernels: one function k_<op>_<type>_<level> for every row and type of ops.def that this level has its own of, and the
 * table of all. Compiled once for each instruction-set level (level.h).
 *
 * Always holds: a kernel is total (no trap, no undefined behaviour for any bit pattern), reads all operands of an
 * element before it writes that element, so that d may be an operand, and gives the same bits at every level, for
 * marked elements too; one that cannot fault ignores `mark`. Integer arithmetic wraps in an unsigned type of at least
 * int's rank. Floats must be compiled without contraction.
 *
 * An operation is its row of ops.def, which says the types of its operands and whether it marks, and one DO_<name>(T)
 * here, which says how an element is computed, in one of the forms of forms.h. STAMP, at the end, makes the kernel of both.
 *
 * The loops are plain counted loops that the compiler vectorises by itself. Loads that may be in the way of a store are
 * declared harmless by AO_INDEPENDENT; may_alias pointers keep the type rules out of slots that change type.
 *
 * Reading order: forms.h first, then the operations in the order of ops.def; what needs more than an
 * expression (division, multiplication with a check) has its own section before its DO_.
 */
#include "divisor.h"
#include "forms.h"

#include <math.h>
#include <string.h>
#if AO_EXTENSIONS && defined __AVX2__
#include <immintrin.h>
#endif

/* ---- copies and conversions ---- */

#define COPY_ALL(T)                                                                                                   \
    static AO_NOT_EVERYWHERE unsigned copy_##T(size_t n, p_##T *d, const p_##T *a, unsigned uniform)                  \
    {                                                                                                                 \
        if (uniform & 1) {                                                                                            \
            const ao_##T x = *a;                                                                                      \
            LOOP d[i] = x;                                                                                            \
        } else if (d != a) {                                                                                          \
            memcpy(d, a, n * sizeof *d);                                                                              \
        }                                                                                                             \
        return 0;                                                                                                     \
    }
LIST_SIZES(COPY_ALL)
#define DO_COPY(T) BY_SIZE, CALL, copy_##T(n, d, a, uniform)

/* 64-bit integers as doubles. Only AVX-512DQ converts vectors of them. Elsewhere on x86-64: the halves are planted in
 * the significands of 2^84 and 2^52, whose difference is exact, so that the last addition rounds once. */
#if defined __SSE2__ && !defined __AVX512DQ__
static inline double f64_of_u64(uint64_t x)
{
    const double high = of_bits(x >> 32 | UINT64_C(0x4530000000000000)) - (0x1p84 + 0x1p52);
    return high + of_bits((x & UINT32_MAX) | UINT64_C(0x4330000000000000));
}
static inline double f64_of_i64(int64_t x)
{
    const uint64_t u = (uint64_t)x ^ UINT64_C(1) << 63;
    const double high = of_bits(u >> 32 | UINT64_C(0x4530000000000000)) - (0x1p84 + 0x1p63 + 0x1p52);
    return high + of_bits((u & UINT32_MAX) | UINT64_C(0x4330000000000000));
}
#else
#define f64_of_u64(x) ((double)(x))
#define f64_of_i64(x) ((double)(x))
#endif
#define f64_of_u32(x) (of_bits((uint64_t)(x) | UINT64_C(0x4330000000000000)) - 0x1p52)
#define f64_of_b1(x) ((double)(x))
#define f64_of_i8(x) ((double)(x))
#define f64_of_u8(x) ((double)(x))
#define f64_of_i16(x) ((double)(x))
#define f64_of_u16(x) ((double)(x))
#define f64_of_i32(x) ((double)(x))
#define f64_of_f32(x) ((double)(x))

#define DO_TO_i8(T) EITHER_SIGN, x
#define DO_TO_u8(T) SAME_AS, TO_i8, OF_BOTH_##T
#define DO_TO_i16(T) VALUE, x
#define DO_TO_u16(T) SAME_AS, TO_i16, T
#define DO_TO_i32(T) VALUE, x
#define DO_TO_u32(T) SAME_AS, TO_i32, T
#define DO_TO_i64(T) VALUE, x
#define DO_TO_u64(T) SAME_AS, TO_i64, T
#define DO_TO_f64(T) VALUE, f64_of_##T(x)
#define DO_TO_f32(T) VALUE, x

/* low..high: the values of T that fit D. They are variables so that the compiler does not warn of comparisons that are
 * always false, as of an unsigned number below 0; it removes them all the same. */
#define FIT(T, D)                                                                                                     \
    CHECKED, ANY_BIT,                                                                                                 \
    const ao_##T low = (int64_t)MIN_##D > (int64_t)MIN_##T ? (ao_##T)MIN_##D : (ao_##T)MIN_##T;                       \
    const ao_##T high = (uint64_t)MAX_##D < (uint64_t)MAX_##T ? (ao_##T)MAX_##D : (ao_##T)MAX_##T;                    \
    const ao_##D r = (ao_##D)x;                                                                                       \
    const s_##T bad = (s_##T)((x < low) | (x > high));
#define DO_FIT_i8(T) FIT(T, i8)
#define DO_FIT_u8(T) FIT(T, u8)
#define DO_FIT_i16(T) FIT(T, i16)
#define DO_FIT_u16(T) FIT(T, u16)
#define DO_FIT_i32(T) FIT(T, i32)
#define DO_FIT_u32(T) FIT(T, u32)
#define DO_FIT_i64(T) FIT(T, i64)
#define DO_FIT_u64(T) FIT(T, u64)

#define DO_FIX(T)                                                                                                     \
    CHECKED, ANY_BIT,                                                                                                 \
    const uint64_t bad = (uint64_t)!((x >= -0x1p63) & (x < 0x1p63)); const int64_t r = (int64_t)(bad ? 0.0 : x);
#define DO_WHOLE(T) CHECKED, ANY_BIT, const double r = x + 0.0; const uint64_t bad = (uint64_t)!(fabs(x) < INFINITY);

/* ---- addition, multiplication, signs ---- */

#define DO_ADD(T) EITHER_ORDER, (w_##T)x + (w_##T)y
#define DO_SUB(T) EITHER_SIGN, (w_##T)x - (w_##T)y
#define DO_MUL(T) EITHER_ORDER, (w_##T)x * (w_##T)y
/* One 32-by-32-bit multiplication instead of two conversions and a 64-bit one, which has no single instruction below
 * AVX-512 and takes three micro-operations there. */
#define DO_ADD_WIDE(T) VALUE, (int64_t)x + y
#define DO_SUB_WIDE(T) VALUE, (int64_t)x - y
#define DO_MUL_WIDE(T) VALUE, (int64_t)x * y

/* Overflow in the top bit: of signed numbers, where both operands have the other sign than the result; of unsigned
 * ones, the carry or borrow out of it. */
#define WRAPPED(T, OPERATOR, BAD)                                                                                     \
    CHECKED, TOP_BIT,                                                                                                 \
    const s_##T u = (s_##T)x, v = (s_##T)y, r = u OPERATOR v; const s_##T bad = BAD;
#define OVERFLOW_ADD_i32 (u ^ r) & (v ^ r)
#define OVERFLOW_SUB_i32 (u ^ v) & (u ^ r)
#define OVERFLOW_ADD_i64 (u ^ r) & (v ^ r)
#define OVERFLOW_SUB_i64 (u ^ v) & (u ^ r)
#define OVERFLOW_ADD_u64 (u & v) | ((u | v) & ~r)
#define OVERFLOW_SUB_u64 (~u & v) | ((~u | v) & r)
#define DO_ADD_CHECKED(T) WRAPPED(T, +, OVERFLOW_ADD_##T)
#define DO_SUB_CHECKED(T) WRAPPED(T, -, OVERFLOW_SUB_##T)

#define DO_MUL_CHECKED(T) PRODUCT_CHECKED_##T(T)

/* Of 32 bits by floats: the wrapped product r is wrong by 2^32 at least, while the float one is off by 2^10 where there was no
 * overflow, and by a tiny part of itself where there was. With AVX2 that takes a third of the time that the product of 64 bits
 * takes, which has no vectors of its own, and of two arrays no more than without a check. */
static AO_NOT_EVERYWHERE inline uint32_t bits_of_float(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
#define PRODUCT_CHECKED_i32(T)                                                                                        \
    CHECKED, TOP_BIT, const int32_t r = (int32_t)((uint32_t)x * (uint32_t)y);                                         \
    const uint32_t bad = bits_of_float(0x1p31f - fabsf((float)x * (float)y - (float)r));

/* Whether the wrapped product r of x and y is wrong. Then it is so by 2^64 at least, while the double product is off
 * by 2^12 where there was no overflow, and by a tiny part of itself where there was: 2^62 tells the cases apart,
 * exactly. */
#define PRODUCT_WRONG(T) (fabs(f64_of_##T(x) * f64_of_##T(y) - f64_of_##T(r)) > 0x1p62)

static AO_NOT_EVERYWHERE inline int mul_i64(int64_t x, int64_t y, int64_t *product)
{
#if AO_EXTENSIONS
    return __builtin_mul_overflow(x, y, product);
#else
    const int64_t r = *product = (int64_t)((uint64_t)x * (uint64_t)y);
    return PRODUCT_WRONG(i64);
#endif
}

static AO_NOT_EVERYWHERE inline int mul_u64(uint64_t x, uint64_t y, uint64_t *product)
{
#if AO_EXTENSIONS
    return __builtin_mul_overflow(x, y, product);
#else
    const uint64_t r = *product = x * y;
    return PRODUCT_WRONG(u64);
#endif
}

#if defined __AVX512DQ__
/* The same in one rounding less, 5 % of the time in cache. */
#define PRODUCT_CHECKED(T)                                                                                            \
    CHECKED, ANY_BIT, const ao_##T r = (ao_##T)((uint64_t)x * (uint64_t)y);                                           \
    const uint64_t bad = fabs(fma(f64_of_##T(x), f64_of_##T(y), -f64_of_##T(r))) > 0x1p62;
#else
/* By one number, what fits lies between two bounds. */
static inline void bounds_of_factor_i64(int64_t factor, int64_t *low, int64_t *high)
{
    const int64_t above = factor ? INT64_MAX / factor : 0, below = factor > 0 || factor < -1 ? INT64_MIN / factor : INT64_MAX;
    *low = !factor ? INT64_MIN : factor > 0 ? below : above;
    *high = !factor || factor == -1 ? INT64_MAX : factor > 0 ? above : below;
}

static inline void bounds_of_factor_u64(uint64_t factor, uint64_t *low, uint64_t *high)
{
    *low = 0;
    *high = factor ? UINT64_MAX / factor : UINT64_MAX;
}

/* Products from the front, as far as all operands have 32 bits; returns how many. */
#if defined __AVX2__ && AO_EXTENSIONS
#define SHORT_PRODUCTS(T, MULTIPLY, half)                                                                             \
    static size_t short_products_##T(size_t n, p_##T *d, const p_##T *a, const p_##T *b)                              \
    {                                                                                                                 \
        enum { VECTORS = 4, LANES = 4 };                                                                              \
        const __m256i up = _mm256_set1_epi64x(half), upper = _mm256_set1_epi64x((int64_t)0xFFFFFFFF00000000);         \
        size_t i = 0;                                                                                                 \
        for (; i + VECTORS * LANES <= n; i += VECTORS * LANES) {                                                      \
            __m256i x[VECTORS], y[VECTORS], any = _mm256_setzero_si256();                                             \
            _Pragma("GCC unroll 4")                                                                                   \
            for (int k = 0; k < VECTORS; k++) {                                                                       \
                x[k] = _mm256_loadu_si256((const __m256i *)(const void *)(a + i + k * LANES));                        \
                y[k] = _mm256_loadu_si256((const __m256i *)(const void *)(b + i + k * LANES));                        \
                any = _mm256_or_si256(any, _mm256_or_si256(_mm256_add_epi64(x[k], up), _mm256_add_epi64(y[k], up)));  \
            }                                                                                                         \
            if (!_mm256_testz_si256(any, upper))                                                                      \
                break;                                                                                                \
            _Pragma("GCC unroll 4")                                                                                   \
            for (int k = 0; k < VECTORS; k++)                                                                         \
                _mm256_storeu_si256((__m256i *)(void *)(d + i + k * LANES), MULTIPLY(x[k], y[k]));                    \
        }                                                                                                             \
        return i;                                                                                                     \
    }
SHORT_PRODUCTS(i64, _mm256_mul_epi32, INT64_C(1) << 31)
SHORT_PRODUCTS(u64, _mm256_mul_epu32, 0)
#else
#define short_products_i64(n, d, a, b) 0
#define short_products_u64(n, d, a, b) 0
#endif

/* Products of two arrays: short ones by vectors, and from the first that is not, one by one, as then the processor says at once
 * whether one overflowed, and to ask doubles takes longer. Where no marks are asked for, the first overflow is enough. */
#define MULTIPLY(T)                                                                                                   \
    static unsigned scale_##T(size_t n, p_##T *d, const p_##T *x, ao_##T factor, uint8_t *mark)                       \
    {                                                                                                                 \
        ao_##T low, high;                                                                                             \
        uint64_t bad = 0;                                                                                             \
        bounds_of_factor_##T(factor, &low, &high);                                                                    \
        for (size_t i = 0; mark && i < n; i++)                                                                        \
            mark[i] = (x[i] < low) | (x[i] > high);                                                                   \
        for (size_t i = 0; i < n; i++) {                                                                              \
            bad |= (uint64_t)((x[i] < low) | (x[i] > high));                                                          \
            d[i] = (p_##T)((uint64_t)x[i] * (uint64_t)factor);                                                        \
        }                                                                                                             \
        return bad != 0;                                                                                              \
    }                                                                                                                 \
    static unsigned multiply_##T(size_t n, p_##T *d, const p_##T *a, const p_##T *b, unsigned uniform, uint8_t *mark) \
    {                                                                                                                 \
        unsigned bad = 0;                                                                                             \
        ao_##T product;                                                                                               \
        if (uniform)                                                                                                  \
            return scale_##T(n, d, uniform & 1 ? b : a, uniform & 1 ? *a : *b, mark);                                 \
        for (size_t i = 0; mark && i < n; i++) {                                                                      \
            bad |= mark[i] = (uint8_t)mul_##T(a[i], b[i], &product);                                                  \
            d[i] = product;                                                                                           \
        }                                                                                                             \
        if (mark)                                                                                                     \
            return bad;                                                                                               \
        size_t i = short_products_##T(n, d, a, b);                                                                    \
        _Pragma("GCC unroll 8")                                                                                       \
        for (; i < n; i++) {                                                                                          \
            if (mul_##T(a[i], b[i], &product))                                                                        \
                break;                                                                                                \
            d[i] = product;                                                                                           \
        }                                                                                                             \
        bad = i < n;                                                                                                  \
        for (; i < n; i++)                                                                                            \
            d[i] = (p_##T)((uint64_t)a[i] * (uint64_t)b[i]);                                                          \
        return bad;                                                                                                   \
    }
MULTIPLY(i64)
MULTIPLY(u64)
#define PRODUCT_CHECKED(T) CALL, multiply_##T(n, d, a, b, uniform, mark)
#endif
#define PRODUCT_CHECKED_i64(T) PRODUCT_CHECKED(T)
#define PRODUCT_CHECKED_u64(T) PRODUCT_CHECKED(T)

/* Two operations at once: the results of the first need not go through memory, which for them takes longer. */
#define DO_MADD(T) VALUE, x * y + z
#define DO_MSUB(T) VALUE, x * y - z
#define DO_NMADD(T) VALUE, z - x * y
#define DO_ADDM(T) VALUE, (x + y) * z
#define DO_SUBM(T) VALUE, (x - y) * z

/* Polynomials, of degree 2 to 8 in a loop each; longer ones four coefficients at a time, over elements that stay in L1.
 * */
#define HORNER_1 (k[0] * x + k[1])
#define HORNER_2 (HORNER_1 * x + k[2])
#define HORNER_3 (HORNER_2 * x + k[3])
#define HORNER_4 (HORNER_3 * x + k[4])
#define HORNER_5 (HORNER_4 * x + k[5])
#define HORNER_6 (HORNER_5 * x + k[6])
#define HORNER_7 (HORNER_6 * x + k[7])
#define HORNER_8 (HORNER_7 * x + k[8])
static AO_NOT_EVERYWHERE void horner_long(size_t n, p_f64 *d, const p_f64 *a, const p_f64 *k, size_t degree)
{
    double x_[CHUNK], r[CHUNK];
    memcpy(x_, a, n * sizeof *x_);
    LOOP r[i] = k[0];
    size_t done = 0;
    for (; done + 4 <= degree; done += 4) {
        const double k1 = k[done + 1], k2 = k[done + 2], k3 = k[done + 3], k4 = k[done + 4];
        LOOP r[i] = (((r[i] * x_[i] + k1) * x_[i] + k2) * x_[i] + k3) * x_[i] + k4;
    }
    for (; done < degree; done++)
        LOOP r[i] = r[i] * x_[i] + k[done + 1];
    memcpy(d, r, n * sizeof *r);
}

static AO_NOT_EVERYWHERE unsigned horner(size_t n, p_f64 *d, const p_f64 *a, const p_f64 *first, const p_f64 *last)
{
    const size_t degree = (size_t)(last - first);
    double k[9] = {0};
    memcpy(k, first, sizeof *k * (degree < 8 ? degree + 1 : 9));
    switch (degree) {
    case 1: EACH1(f64, d[i] = HORNER_1;) break;
    case 2: EACH1(f64, d[i] = HORNER_2;) break;
    case 3: EACH1(f64, d[i] = HORNER_3;) break;
    case 4: EACH1(f64, d[i] = HORNER_4;) break;
    case 5: EACH1(f64, d[i] = HORNER_5;) break;
    case 6: EACH1(f64, d[i] = HORNER_6;) break;
    case 7: EACH1(f64, d[i] = HORNER_7;) break;
    case 8: EACH1(f64, d[i] = HORNER_8;) break;
    default:
        for (size_t at = 0; at < n; at += CHUNK)
            horner_long(n - at < CHUNK ? n - at : CHUNK, d + at, a + at, first, degree);
    }
    return 0;
}
#define DO_HORNER(T) CALL, horner(n, d, a, b, c)

#define DO_ABS(T) VALUE, x < 0 ? 0 - (w_##T)x : (w_##T)x
#define DO_NEG(T) VALUE, -x
#define DO_FABS(T) VALUE, fabs(x)
#define DO_COPYSIGN(T) VALUE, copysign(x, y)

/* ---- rounding ---- */

#if defined __SSE2__ && !defined __SSE4_1__
/* Plain x86-64 has no rounding instruction: adding and taking away 2^52 leaves a whole number. From 2^52 on every
 * double is one (and inf and nan pass through). */
static inline double round_even(double x)
{
    const double big = copysign(0x1p52, x), r = copysign((x + big) - big, x);
    return fabs(x) < 0x1p52 ? r : x + 0.0;
}
static inline double round_down(double x)
{
    const double r = round_even(x);
    return r > x ? r - 1.0 : r;
}
static inline double round_up(double x)
{
    const double r = round_even(x);
    return copysign(r < x ? r + 1.0 : r, x);
}
static inline double round_cut(double x)
{
    return copysign(round_down(fabs(x)), x);
}
#else
#define round_even(x) rint(x)
#define round_down(x) floor(x)
#define round_up(x) ceil(x)
#define round_cut(x) trunc(x)
#endif
#define DO_FLOOR(T) VALUE, round_down(x)
#define DO_CEIL(T) VALUE, round_up(x)
#define DO_TRUNC(T) VALUE, round_cut(x)
#define DO_RINT(T) VALUE, round_even(x)

/* ---- division ---- */

#include "math/double_double.h"

#define DO_DIV(T) VALUE, x / y
#define DO_DIV_CHECKED(T) CHECKED, ANY_BIT, const double r = x / y; const uint64_t bad = y == 0;

static inline uint64_t magnitude_u64(uint64_t x)
{
    return x;
}
static inline uint64_t magnitude_i64(int64_t x)
{
    return x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
}

/* Nonzero where x is not an exact double: bits left of the 53 lowest while bits right of them are in use too. x | -x
 * are the bits from the lowest set one up. */
static inline uint64_t inexact_u64(uint64_t x)
{
    return (x >> 53) & (x | (0 - x));
}
static inline uint64_t inexact_i64(int64_t x)
{
    return inexact_u64(magnitude_i64(x));
}
/* The bits of x that a double may not hold. */
static INLINE uint64_t low_part(uint64_t magnitude, uint64_t x)
{
    return magnitude >> 53 ? x & 0x7FF : 0;
}
#define OPPOSITE_i64(x, y) ((uint64_t)((x) ^ (y)) >> 63)
#define OPPOSITE_u64(x, y) UINT64_C(0)

/* The quotient of any two 64-bit numbers, v not 0, is q + e, right to 2^-90 of itself: so q is the quotient rounded
 * once, unless e is so close to half a unit in the last place that it is not sure. */
typedef struct {
    double q, e;
    uint64_t unsure;
} long_quotient;

/* Both in two parts, of 53 and 11 bits. By one division: what the reciprocal is off, the correction puts right, and of that it
 * does not count. */
static INLINE long_quotient divide_long(uint64_t u, uint64_t v)
{
    const uint64_t low_u = low_part(u, u), low_v = low_part(v, v);
    const double uh = f64_of_u64(u - low_u), vh = f64_of_u64(v - low_v), ul = f64_of_u32(low_u), vl = f64_of_u32(low_v);
    const double inverse = 1.0 / vh, first = uh * inverse;
    const dd p = two_product(first, vh);
    const dd s = two_sum(first, (((uh - p.hi) - p.lo) + (ul - first * vl)) * inverse);
    const double next = of_bits(bits_of(s.hi) + (s.lo < 0 ? UINT64_C(0) - 1 : 1)), half = 0.5 * fabs(next - s.hi);
    return (long_quotient){s.hi, s.lo, (uint64_t)(fabs(fabs(s.lo) - half) < s.hi * 0x1p-80)};
}

/* Which of the neighbours a and a' it is then: where u / v is as seen from the point m 2^-s halfway between them, from
 * the sign of u 2^s - m v. Next to that point the difference is below 2^40, though both terms have more than 64 bits.
 * */
static double nearest_quotient(long_quotient l, uint64_t u, uint64_t v)
{
    const uint64_t a = bits_of(l.q) - (l.e < 0), mantissa = (a & UINT64_C(0xfffffffffffff)) | UINT64_C(1) << 52;
    const int shift = 1076 - (int)(a >> 52);
    const uint64_t left = shift < 64 ? u << (shift > 0 ? shift : 0) : 0;
    const uint64_t right = (2 * mantissa + 1) * v << (shift < 0 ? -shift : 0);
    const int64_t difference = (int64_t)(left - right);
    return of_bits(a + (difference > 0 || (difference == 0 && a & 1)));
}

/* Numbers that doubles hold are divided as doubles; a chunk with others in it, and those behind it, the long way. A divisor of 0 is taken for 1
 * in both, as the value of a marked element must not depend on its neighbours. Written aside if d is an operand. The long way
 * a number that stands for all is one of many like the others: a third of the code. */
enum { CHUNKS_THE_LONG_WAY = 15 };
#define DIVISION_OF_INTS(T, _)                                                                                        \
    static uint64_t divide_as_doubles_##T(size_t n, double *to, const p_##T *a, const p_##T *b, unsigned uniform,     \
                                          uint64_t *zero)                                                             \
    {                                                                                                                 \
        uint64_t inexact = 0, bad = 0;                                                                                \
        EACH2(T, T, const ao_##T zero_y = y == 0; inexact |= inexact_##T(x) | inexact_##T(y); bad |= (uint64_t)zero_y; \
              to[i] = f64_of_##T(x) / f64_of_##T(y | zero_y);)                                                        \
        *zero |= bad;                                                                                                 \
        return inexact;                                                                                               \
    }                                                                                                                 \
    static void divide_all_##T(size_t n, double *to, const p_##T *numbers, const p_##T *b, unsigned uniform,          \
                               uint64_t *zero)                                                                        \
    {                                                                                                                 \
        uint32_t unsure[8 * CHUNK]; /* bytes beside wider numbers make the loop many times as long */                 \
        uint64_t any = 0, bad = 0, spread[8 * CHUNK];                                                                 \
        const p_##T *const a = (const void *)chunk_of((const void *)numbers, sizeof *b, 0, n, uniform & 1, spread);   \
        EACH_X(T, T, const uint64_t u = magnitude_##T(x), v = magnitude_##T(y); bad |= v == 0;                        \
              const long_quotient l = divide_long(u, v | (v == 0)); any |= l.unsure; unsure[i] = (uint32_t)l.unsure;  \
              to[i] = of_bits(bits_of(l.q) | OPPOSITE_##T(x, y) << 63);)                                              \
        *zero |= bad;                                                                                                 \
        for (size_t i = 0; any && i < n; i++) {                                                                       \
            if (!unsure[i])                                                                                           \
                continue;                                                                                             \
            const ao_##T x = a[i], y = b[uniform & 2 ? 0 : i];                                                        \
            const uint64_t u = magnitude_##T(x), v = magnitude_##T(y);                                                \
            const double q = nearest_quotient(divide_long(u, v | (v == 0)), u, v);                                    \
            to[i] = of_bits(bits_of(q) | OPPOSITE_##T(x, y) << 63);                                                   \
        }                                                                                                             \
    }                                                                                                                 \
    static unsigned divide_##T(size_t n, p_f64 *d, const p_##T *a, const p_##T *b, unsigned uniform, uint8_t *mark)   \
    {                                                                                                                 \
        uint64_t zero = 0;                                                                                            \
        double aside[CHUNK];                                                                                          \
        const int over = (const void *)d == (const void *)a || (const void *)d == (const void *)b;                    \
        const size_t most = over ? CHUNK : 8 * CHUNK;                                                                 \
        unsigned careful = 0;                                                                                         \
        for (size_t at = 0, m; at < n; at += m) {                                                                     \
            m = n - at < most ? n - at : most;                                                                        \
            const p_##T *x = a + (uniform & 1 ? 0 : at), *y = b + (uniform & 2 ? 0 : at);                             \
            double *to = over ? aside : (double *)d + at;                                                             \
            if (careful || divide_as_doubles_##T(m, to, x, y, uniform, &zero)) {                                      \
                careful = careful ? careful - 1 : CHUNKS_THE_LONG_WAY;                                                \
                divide_all_##T(m, to, x, y, uniform, &zero);                                                          \
            }                                                                                                         \
            if (mark && uniform & 2)                                                                                  \
                memset(mark + at, *y == 0, m);                                                                        \
            for (size_t i = 0; mark && !(uniform & 2) && i < m; i++)                                                  \
                mark[at + i] = y[i] == 0;                                                                             \
            if (over)                                                                                                 \
                memcpy(d + at, to, m * sizeof *d);                                                                    \
        }                                                                                                             \
        return zero != 0;                                                                                             \
    }
AO_LIST_WIDE(DIVISION_OF_INTS, _)
#define DO_TRUEDIV(T) CALL, divide_##T(n, d, a, b, uniform, mark)

/* Integers, rounded down as Python does. No processor here divides vectors of integers, and scalar division takes 1.7
 * ns. Instead the quotient of doubles is rounded to a whole number by adding 1.5 * 2^52. For |x|, |y| < 2^51 that is
 * Python's quotient or one more; the remainder's sign shows which. If y is the same for all elements, x * (1/y) is
 * used: it differs from x / y by less than 1/4 (by nothing for y = 1), so the same holds. Zero divisors are marked and
 * become 1. */
#define QUOTIENT(x, y, inverse) (ONE_Y ? (x) * (inverse) : (x) / (y))
#define WHOLE_BITS UINT64_C(0x4338000000000000) /* of 1.5 * 2^52, which holds a number of 52 bits in its low bits */
#define BIAS_i64 UINT64_C(0x8000000000000)      /* 2^51 makes the range from -2^51 one of unsigned numbers */
#define BIAS_u64 0
#define INT_REDO_i64(x, y) ((x) | (y)) >> 52
#define INT_REDO_u64(x, y) ((x) | (y)) >> 51
#define INT_FAST(T, RESULT)                                                                                           \
    const uint64_t bad = y == 0, u = (uint64_t)x, v = (uint64_t)y | bad, used_x = u + BIAS_##T, used_y = v + BIAS_##T; \
    const double divisor = of_bits(v + WHOLE_BITS) - 0x1.8p52, inverse = 1.0 / divisor;                               \
    const double t = QUOTIENT(of_bits(u + WHOLE_BITS) - 0x1.8p52, divisor, inverse);                                  \
    const uint64_t q = bits_of(t + 0x1.8p52) - WHOLE_BITS, m = u - q * v, above = (m != 0) & ((m ^ v) >> 63);         \
    const uint64_t r = RESULT;

/* A divisor that somebody else sets to zero after it was checked, and that is then read again, would end the process: so
 * each is read once. */
static inline int64_t div_exact_i64(int64_t x, int64_t y, uint64_t *bad)
{
    AO_READ_ONCE(int64_t, x);
    AO_READ_ONCE(int64_t, y);
    *bad |= (y == 0) | ((x == INT64_MIN) & (y == -1));
    if (y == 0 || y == -1)
        return (int64_t)(y ? 0 - (uint64_t)x : (uint64_t)x);
    const int64_t q = x / y;
    return q - (q * y != x && (x < 0) != (y < 0));
}

static inline int64_t mod_exact_i64(int64_t x, int64_t y, uint64_t *bad)
{
    AO_READ_ONCE(int64_t, y);
    *bad |= y == 0;
    const int64_t m = y == 0 || y == -1 ? 0 : x % y;
    return m != 0 && (m < 0) != (y < 0) ? m + y : m;
}

static inline uint64_t div_exact_u64(uint64_t x, uint64_t y, uint64_t *bad)
{
    AO_READ_ONCE(uint64_t, y);
    *bad |= y == 0;
    return y ? x / y : x;
}

static inline uint64_t mod_exact_u64(uint64_t x, uint64_t y, uint64_t *bad)
{
    AO_READ_ONCE(uint64_t, y);
    *bad |= y == 0;
    return y ? x % y : 0;
}
#define FLOORDIV_i64 CHUNKED, divided_by_uniform_i64, div_exact_i64, INT_REDO_i64, INT_FAST(i64, q - above)
#define FLOORDIV_u64 CHUNKED, divided_by_uniform_u64, div_exact_u64, INT_REDO_u64, INT_FAST(u64, q - above)
#define MOD_i64 CHUNKED, left_by_uniform_i64, mod_exact_i64, INT_REDO_i64, INT_FAST(i64, m + ((0 - above) & v))
#define MOD_u64 CHUNKED, left_by_uniform_u64, mod_exact_u64, INT_REDO_u64, INT_FAST(u64, m + ((0 - above) & v))

#define DIVIDE_i32                                                                                                    \
    const uint32_t zero = y == 0, over = (x == INT32_MIN) & (y == -1);                                                \
    const int32_t z = zero | over ? 1 : y;                                                                            \
    const double inverse = 1.0 / (double)z;                                                                           \
    const uint32_t t = (uint32_t)bits_of(QUOTIENT((double)x, (double)z, inverse) + 0x1.8p52);                         \
    const uint32_t m = (uint32_t)x - t * (uint32_t)z, above = (m != 0) & ((m ^ (uint32_t)z) >> 31);
#define FLOORDIV_i32 CHECKED, ANY_BIT, DIVIDE_i32 const uint32_t r = t - above; const uint32_t bad = zero | over;
#define MOD_i32                                                                                                       \
    CHECKED, ANY_BIT, DIVIDE_i32 const uint32_t r = m + ((0 - above) & (uint32_t)z); const uint32_t bad = zero;

#define DIVIDE_u32                                                                                                    \
    const uint32_t bad = y == 0;                                                                                      \
    const uint64_t z = y | bad;                                                                                       \
    const double inverse = 1.0 / f64_of_u32(z);                                                                       \
    const uint64_t q = bits_of(QUOTIENT(f64_of_u32(x), f64_of_u32(z), inverse) + 0x1p52) & UINT32_MAX;                \
    const uint64_t m = x - q * z, above = m >> 63;
#define FLOORDIV_u32 CHECKED, ANY_BIT, DIVIDE_u32 const uint64_t r = q - above;
#define MOD_u32 CHECKED, ANY_BIT, DIVIDE_u32 const uint64_t r = m + ((0 - above) & z);

#define DO_FLOORDIV_CHECKED(T) FLOORDIV_##T
#define DO_MOD_CHECKED(T) MOD_##T

/* ---- powers and roots ---- */

/* By squaring. A square that overflows is needed by a later bit of the exponent, so that it always counts. */
#define POWER(T, _)                                                                                                   \
    static AO_NOT_EVERYWHERE inline ao_##T power_##T(ao_##T base, ao_##T exponent, uint64_t *bad)                     \
    {                                                                                                                 \
        const ao_##T zero = 0;                                                                                        \
        ao_##T r = 1;                                                                                                 \
        uint64_t e = exponent < zero ? 0 : (uint64_t)exponent;                                                        \
        *bad = exponent < zero;                                                                                       \
        for (;;) {                                                                                                    \
            if (e & 1)                                                                                                \
                *bad |= (uint64_t)mul_##T(r, base, &r);                                                               \
            e >>= 1;                                                                                                  \
            if (!e)                                                                                                   \
                return r;                                                                                             \
            *bad |= (uint64_t)mul_##T(base, base, &base);                                                             \
        }                                                                                                             \
    }
AO_LIST_WIDE(POWER, _)
#define DO_IPOW(T) CHECKED, ANY_BIT, uint64_t bad; const ao_##T r = power_##T(x, y, &bad);

#define DO_SQRT(T) VALUE, sqrt(x)
#define DO_SQRT_CHECKED(T) CHECKED, ANY_BIT, const double r = sqrt(x); const uint64_t bad = x < 0;
#define DO_SQUARE_CHECKED(T)                                                                                          \
    CHECKED, ANY_BIT,                                                                                                 \
    const double r = x * x; const uint64_t bad = (uint64_t)((fabs(r) == INFINITY) & (fabs(x) < INFINITY));

/* ---- digits and neighbours ---- */

#include "math/rounding.h"

#define DO_ROUND(T) CALL, round_digits(n, d, a, b, uniform, NULL) & 0
#define DO_ROUND_CHECKED(T) CALL, round_digits(n, d, a, b, uniform, mark)

#define DO_LDEXP(T)                                                                                                   \
    CHECKED, ANY_BIT, const double r = times_power(x, y);                                                             \
    const uint64_t bad = (uint64_t)((fabs(r) == INFINITY) & (fabs(x) < INFINITY));
#define DO_NEXTAFTER(T) VALUE, next_after(x, y)
#define DO_ULP(T) VALUE, ulp(x)

/* ---- elementary functions ---- */

#include "math/elementary.h"
#include "math/logarithm.h"
#include "math/exponential.h"
#include "math/trigonometric.h"
#include "math/inverse_trigonometric.h"
#include "math/power.h"
#include "math/root.h"
#include "math/error_function.h"
#include "math/remainder.h"

/* ---- bits ---- */

#define DO_AND(T) EITHER_ORDER, x & y
#define DO_OR(T) EITHER_ORDER, x | y
#define DO_XOR(T) EITHER_ORDER, x ^ y
#define DO_NOT(T) VALUE, 1u - x

/* In range as an unsigned number of T's own width, a shift count is not negative either. */
#define IN_WIDTH(T) ((s_##T)y < WIDTH(T))
#define SHIFT_LEFT(T) (IN_WIDTH(T) ? (w_##T)x << (y & (ao_##T)(WIDTH(T) - 1)) : 0)
#define DO_SHL(T) EITHER_SIGN, SHIFT_LEFT(T)
#define DO_SHL_CHECKED(T)                                                                                             \
    CHECKED, ANY_BIT, const ao_##T r = (ao_##T)SHIFT_LEFT(T);                                                         \
    const uint64_t bad = (uint64_t)!IN_WIDTH(T) | (uint64_t)((r >> (y & (ao_##T)(WIDTH(T) - 1))) ^ x);

/* A signed count is clamped; an unsigned one past the width leaves nothing. */
#define CLAMPED(T) (y < 0 ? 0 : y > (ao_##T)(WIDTH(T) - 1) ? (ao_##T)(WIDTH(T) - 1) : y)
#if defined __AVX2__ && !defined __AVX512BW__
/* Without a sign, which is given back, as no vectors of 16 bits are shifted with one by many counts: an eighth of the time. */
#define UNSIGNED_i16 (uint16_t)(x ^ x >> 15)
#define SHR_i16 (int16_t)((y < 0 ? UNSIGNED_i16 : y < 16 ? UNSIGNED_i16 >> (y & 15) : 0) ^ x >> 15)
#else
#define SHR_i16 x >> CLAMPED(i16)
#endif
#define SHR_i32 x >> CLAMPED(i32)
#define SHR_i64 x >> CLAMPED(i64)
#define SHR_u16 y < 16 ? x >> (y & 15) : 0
#define SHR_u32 y < 32 ? x >> (y & 31) : 0
#define SHR_u64 y < 64 ? x >> (y & 63) : 0
#define DO_SHR(T) VALUE, SHR_##T

#define NEGATIVE_i16 (y < 0)
#define NEGATIVE_i32 (y < 0)
#define NEGATIVE_i64 (y < 0)
#define NEGATIVE_u16 0
#define NEGATIVE_u32 0
#define NEGATIVE_u64 0
#define DO_SHR_CHECKED(T) CHECKED, ANY_BIT, const ao_##T r = (ao_##T)(SHR_##T); const s_##T bad = NEGATIVE_##T;

/* ---- whole numbers ---- */

#include "math/whole.h"

#define DO_BIT_COUNT(T) VALUE, count_ones(MAGNITUDE_##T(x))
#define DO_BIT_LENGTH(T) VALUE, bit_length(MAGNITUDE_##T(x))

#define UNFIT(T) r > (uint64_t)MAX_##T
#define DO_GCD(T)                                                                                                     \
    CHECKED, ANY_BIT, const uint64_t r = gcd(MAGNITUDE_##T(x), MAGNITUDE_##T(y)); const uint64_t bad = UNFIT(T);
#define DO_LCM(T)                                                                                                     \
    CHECKED, ANY_BIT, uint64_t bad = 0; const uint64_t r = lcm(MAGNITUDE_##T(x), MAGNITUDE_##T(y), &bad);             \
    bad |= UNFIT(T);
#define DO_ISQRT(T)                                                                                                   \
    CHECKED, ANY_BIT, const uint64_t bad = BELOW_ZERO_##T(x);                                                         \
    const uint64_t r = isqrt(bad ? 0 : (uint64_t)x, bad ? 0.0 : f64_of_##T(x));
#define DO_FACTORIAL(T)                                                                                               \
    CHECKED, ANY_BIT, const uint64_t bad = (uint64_t)x > 20; const uint64_t r = factorials[bad ? 0 : (uint64_t)x];
#define FALLING(T, DIVIDE)                                                                                            \
    CHECKED, ANY_BIT, uint64_t bad = BELOW_ZERO_##T(x) | BELOW_ZERO_##T(y);                                           \
    const uint64_t r = bad ? 0 : falling((uint64_t)x, (uint64_t)y, DIVIDE, &bad);                                     \
    bad |= UNFIT(T);
#define DO_COMB(T) FALLING(T, 1)
#define DO_PERM(T) FALLING(T, 0)

/* ---- comparisons and choice ---- */

#define DO_EQ(T) EITHER_ORDER, x == y
#define DO_NE(T) EITHER_ORDER, x != y
#define DO_LT(T) VALUE, x < y
#define DO_LE(T) VALUE, x <= y
/* A number that is no exact double has its 11 low bits taken away first. What is left is a double, and where b is near
 * it the subtraction is exact (Sterbenz). */
#define DO_DIFF(T)                                                                                                    \
    VALUE, (f64_of_##T(x - (ao_##T)low_part(magnitude_##T(x), (uint64_t)x)) - y)                                      \
               + f64_of_u32(low_part(magnitude_##T(x), (uint64_t)x))
#define DO_ISNAN(T) VALUE, x != x
#define DO_ISINF(T) VALUE, fabs(x) == INFINITY
#define DO_ISFIN(T) VALUE, fabs(x) < INFINITY

#define CHOOSE(T, B, C)                                                                                               \
    LOOP {                                                                                                            \
        const ao_##T y = B, z = C;                                                                                    \
        d[i] = a[i] ? y : z;                                                                                          \
    }
#define SELECT(T)                                                                                                     \
    static AO_NOT_EVERYWHERE unsigned select_##T(size_t n, p_##T *d, const p_b1 *a, const p_##T *b,                   \
                                                 const p_##T *c, unsigned uniform)                                    \
    {                                                                                                                 \
        if (uniform & 1)                                                                                              \
            return copy_##T(n, d, *a ? b : c, (uniform >> (*a ? 1 : 2)) & 1);                                         \
        const ao_##T one_b = *b, one_c = *c;                                                                          \
        switch (uniform >> 1) {                                                                                       \
        case 0: CHOOSE(T, b[i], c[i]) break;                                                                          \
        case 1: CHOOSE(T, one_b, c[i]) break;                                                                         \
        case 2: CHOOSE(T, b[i], one_c) break;                                                                         \
        default: CHOOSE(T, one_b, one_c) break;                                                                       \
        }                                                                                                             \
        return 0;                                                                                                     \
    }
LIST_SIZES(SELECT)
#define DO_SEL(T) BY_SIZE, CALL, select_##T(n, d, a, b, c, uniform)

/* An index is read once: what is checked is what is used, whoever writes to it meanwhile. The fast pass finds places first,
 * in a loop that becomes vector code, and looks them up after. Where an index is outside, place 0 stands for it. */
static AO_NOT_EVERYWHERE uint64_t find_places(size_t n, uint64_t *at, const p_i64 *a, uint64_t count)
{
    uint64_t faults = 0;
    LOOP {
        const int64_t x = a[i];
        const uint64_t place = (uint64_t)x + (x < 0 ? count : 0), bad = place >= count;
        at[i] = bad ? 0 : place;
        faults |= bad;
    }
    return faults;
}
#define TAKE(T)                                                                                                       \
    static AO_NOT_EVERYWHERE unsigned take_marking_##T(size_t n, p_##T *d, const p_i64 *a, const ao_table *table,     \
                                                       uint8_t *mark)                                                 \
    {                                                                                                                 \
        const p_##T *const elements = table->data;                                                                    \
        const uint64_t count = table->count;                                                                          \
        uint64_t faults = 0;                                                                                          \
        for (size_t i = 0; i < n; i++) {                                                                              \
            const int64_t x = a[i];                                                                                   \
            const uint64_t at = (uint64_t)x + (x < 0 ? count : 0), bad = at >= count;                                 \
            d[i] = elements[bad ? 0 : at];                                                                            \
            faults |= bad;                                                                                            \
            if (mark)                                                                                                 \
                mark[i] = (uint8_t)bad;                                                                               \
        }                                                                                                             \
        return faults != 0;                                                                                           \
    }                                                                                                                 \
    static AO_NOT_EVERYWHERE unsigned take_##T(size_t n, p_##T *d, const p_i64 *a, const ao_table *table,             \
                                               uint8_t *mark)                                                         \
    {                                                                                                                 \
        const p_##T *const elements = table->data;                                                                    \
        uint64_t at[CHUNK], faults = 0;                                                                               \
        if (mark || n == 1)                                                                                           \
            return take_marking_##T(n, d, a, table, mark);                                                            \
        for (size_t first = 0; first < n; first += CHUNK) {                                                           \
            const size_t end = n - first < CHUNK ? n : first + CHUNK;                                                 \
            faults |= find_places(end - first, at, a + first, table->count);                                          \
            for (size_t i = first; i < end; i++)                                                                      \
                d[i] = elements[at[i - first]];                                                                       \
        }                                                                                                             \
        return faults != 0;                                                                                           \
    }
LIST_SIZES(TAKE)
#define DO_TAKE(T) BY_SIZE, CALL, take_##T(n, d, a, *b, mark)

static AO_NOT_EVERYWHERE unsigned fail(size_t n, p_b1 *d, uint8_t *mark)
{
    memset(d, 1, n);
    if (mark)
        memset(mark, 1, n);
    return n != 0;
}
#define DO_FAIL(T) CALL, fail(n, d, mark)

/* ---- the kernels, and the table of them ---- */

#define KERNEL(...) KERNEL2(__VA_ARGS__)
#define KERNEL2(T, name, D, A, B, C, EACH, MARKS, FORM, ...) FORM(T, name, D, A, B, C, EACH, MARKS, __VA_ARGS__)
#define STAMP_AS(T, name, dst, a, b, c, trait, ...)                                                                   \
    KERNEL(T, name, AO_COLUMN_##dst(T), AO_COLUMN_##a(T), AO_COLUMN_##b(T), AO_COLUMN_##c(T), EACH_##a##b##c,         \
           MARKS_##trait, __VA_ARGS__)
#define DECLARE(T, name, levels) DECLARE2(T, name, AO_LEVEL_##levels(T))
#define DECLARE2(T, name, level) extern unsigned KERNEL_OF(T, name, level)(KERNEL_ARGS);
#define STAMP_OWN(T, name, dst, a, b, c, trait, levels) STAMP_AS(T, name, dst, a, b, c, trait, DO_##name(T))
#define STAMP_OTHER(T, name, dst, a, b, c, trait, levels)
#define STAMP(T, name, dst, a, b, c, trait, levels, weight, meaning)                                                  \
    DECLARE(T, name, levels)                                                                                          \
    AO_IF_OWN(AO_LEVEL_##levels(T), STAMP_OWN, STAMP_OTHER)(T, name, dst, a, b, c, trait, levels)
#define STAMP_MATH(T, name, f, dst, a, b, c, trait, levels, weight, meaning)                                          \
    DECLARE(T, name, levels)                                                                                          \
    STAMP_AS(T, name, dst, a, b, c, trait, DO_MATH_##a##b##c(f, MARKS_##trait))
#define OP(name, types, ...) AO_LIST_##types(STAMP, name, __VA_ARGS__)
#define MATH(name, f, types, ...) AO_LIST_##types(STAMP_MATH, name, f, __VA_ARGS__)
#include "../ops.def"

extern size_t (*const AO_LOCAL(ao_compact)[4])(size_t, const uint8_t *, const void *, void *);
extern const struct ao_reductions AO_LOCAL(ao_reductions);

#define QUOTE2(name) #name
#define QUOTE(name) QUOTE2(name)
/* By the form of its DO_, which kernel stands for an operation of T. */
#define IN_TABLE(...) IN_TABLE2(__VA_ARGS__)
#define IN_TABLE2(T, name, level, FORM, ...) IN_TABLE_##FORM(T, name, level, __VA_ARGS__)
#define IN_TABLE_VALUE(T, name, level, ...) KERNEL_OF(T, name, level),
#define IN_TABLE_AS(T, name, level) KERNEL_OF(T, name, level),
#define IN_TABLE_CHECKED(T, name, level, ...) KERNEL_OF(T, name, level),
#define IN_TABLE_CHUNKED(T, name, level, ...) KERNEL_OF(T, name, level),
#define IN_TABLE_CALL(T, name, level, ...) KERNEL_OF(T, name, level),
#define IN_TABLE_BY_SIZE(T, name, level, ...) IN_TABLE_AS(OF_SIZE_##T, name, level)
#define IN_TABLE_SAME_AS(T, name, level, other, R) IN_TABLE_AS(R, other, level)
#define IN_TABLE_EITHER_ORDER(T, name, level, ...) IN_TABLE_AS(OF_BOTH_##T, name, level)
#define IN_TABLE_EITHER_SIGN(T, name, level, ...) IN_TABLE_AS(OF_BOTH_##T, name, level)
#define ENTRY(T, name, levels) IN_TABLE(T, name, AO_LEVEL_##levels(T), DO_##name(T))
#define ENTRY_MATH(T, name) KERNEL_OF(T, name, AO_ISA),
extern const ao_isa AO_LOCAL(ao_isa);
const ao_isa AO_LOCAL(ao_isa) = {
    QUOTE(AO_ISA),
    {
#define OP(name, types, dst, a, b, c, trait, levels, ...) AO_LIST_##types(ENTRY, name, levels)
#define MATH(name, f, types, ...) AO_LIST_##types(ENTRY_MATH, name)
#include "../ops.def"
    },
    AO_LOCAL(ao_compact),
    &AO_LOCAL(ao_reductions),
};
