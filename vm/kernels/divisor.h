/* 64-bit integers by one divisor, as a multiplication: rounded down, and what is left over, both as Python's.
 *
 * With 2^(l-1) < d <= 2^l and m = floor(2^64 (2^l - d) / d) + 1, u / d rounded down is (t + (u - t) / 2) / 2^(l-1) of the upper
 * half t of m u, for every u of 64 bits (T. Granlund and P. Montgomery, Division by invariant integers using multiplication, 1994,
 * figure 4.1). A negative x is ~u, and its quotient ~(u / d). Divisors below 2 are left to others.
 */
#ifndef AO_DIVISOR_H
#define AO_DIVISOR_H

#include "level.h"

#if AO_EXTENSIONS && defined __AVX512F__
#include <immintrin.h>
typedef uint64_t several __attribute__((vector_size(64)));
#define MULTIPLY_LOW_HALVES(a, b) ((several)_mm512_mul_epu32((__m512i)(a), (__m512i)(b)))
#elif AO_EXTENSIONS && defined __AVX2__
#include <immintrin.h>
typedef uint64_t several __attribute__((vector_size(32)));
#define MULTIPLY_LOW_HALVES(a, b) ((several)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))
#else
typedef uint64_t several; /* a processor's own multiplication of 64 bits is faster than two lanes */
#endif

typedef struct {
    uint64_t divisor, factor;
    unsigned shift;
} multiplier;

static INLINE multiplier multiplier_of(uint64_t d)
{
    const unsigned shift = 63 - ao_leading_zeros(d - 1); /* l - 1 */
    uint64_t left;
    return (multiplier){d, ao_divide_128((UINT64_C(2) << shift) - d, 0, d, &left) + 1, shift};
}

/* The upper halves of the products. */
static INLINE several multiply_high(several u, uint64_t factor)
{
#ifdef MULTIPLY_LOW_HALVES
    const several low = u * 0 + (uint32_t)factor, high = u * 0 + (factor >> 32), upper = u >> 32;
    const several a = MULTIPLY_LOW_HALVES(u, low) >> 32, b = MULTIPLY_LOW_HALVES(upper, low) + a;
    const several c = MULTIPLY_LOW_HALVES(u, high) + (b & 0xFFFFFFFF);
    return MULTIPLY_LOW_HALVES(upper, high) + (b >> 32) + (c >> 32);
#else
    return ao_multiply_128(u, factor).high;
#endif
}

/* The quotients of numbers with or without a sign, or what is left over. */
static INLINE several divide_by(several x, multiplier by, int with_sign, int remainder)
{
    const several sign = with_sign ? 0 - (x >> 63) : x * 0, u = x ^ sign, t = multiply_high(u, by.factor);
    const several quotient = ((t + ((u - t) >> 1)) >> by.shift) ^ sign;
    return remainder ? x - quotient * by.divisor : quotient;
}

static INLINE void divide_by_uniform(size_t n, void *to, const void *from, uint64_t d, int with_sign, int remainder)
{
    enum { LANES = sizeof(several) / sizeof(uint64_t) };
    const multiplier by = multiplier_of(d);
    size_t i = 0;
    several x;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&x, (const char *)from + i * sizeof d, sizeof x);
        x = divide_by(x, by, with_sign, remainder);
        memcpy((char *)to + i * sizeof d, &x, sizeof x);
    }
    if (i < n) {
        x = x * 0;
        memcpy(&x, (const char *)from + i * sizeof d, (n - i) * sizeof d);
        x = divide_by(x, by, with_sign, remainder);
        memcpy((char *)to + i * sizeof d, &x, (n - i) * sizeof d);
    }
}

/* Whether it did them: not with a divisor below 2, and not few, as a division comes before them. */
#define BY_UNIFORM(T, with_sign, what, remainder)                                                                         \
    static int what##_by_uniform_##T(size_t n, void *to, const void *from, const void *by, unsigned uniform)             \
    {                                                                                                                 \
        enum { FEW = 24 };                                                                                            \
        ao_##T d;                                                                                                     \
        memcpy(&d, by, sizeof d); /* once: somebody else may be changing it */                                        \
        if (n < FEW || (uniform & 3) != 2 || d < 2)                                                                   \
            return 0;                                                                                                 \
        divide_by_uniform(n, to, from, (uint64_t)d, with_sign, remainder);                                                \
        return 1;                                                                                                     \
    }
BY_UNIFORM(i64, 1, divided, 0)
BY_UNIFORM(i64, 1, left, 1)
BY_UNIFORM(u64, 0, divided, 0)
BY_UNIFORM(u64, 0, left, 1)

#undef BY_UNIFORM
#endif
