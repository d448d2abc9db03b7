/* What C11 leaves to compilers: the one place of vm/ that asks which of them it is.
 *
 * gcc and clang, clang-cl and zig's included, have extensions that make vector code of a loop or one instruction of many.
 * Any other C11 compiler gets plain C that computes the same bits. -DAO_PLAIN_C makes them all compile the plain C, so that
 * it can be tested where there is no other compiler.
 */
#ifndef AO_PORTABLE_H
#define AO_PORTABLE_H

#include <stddef.h>
#include <stdint.h>

#if (defined __GNUC__ || defined __clang__) && !defined AO_PLAIN_C
#define AO_EXTENSIONS 1
#else
#define AO_EXTENSIONS 0
#endif

/* A function that is not inlined keeps the loop around it from becoming vector code. */
#if AO_EXTENSIONS
#define AO_INLINE inline __attribute__((always_inline))
#else
#define AO_INLINE inline
#endif

/* Of a static function: that nobody uses it at some level of the instruction set is no fault. */
#if defined __GNUC__ || defined __clang__
#define AO_NOT_EVERYWHERE __attribute__((unused))
#else
#define AO_NOT_EVERYWHERE
#endif

/* Of a function that is hardly ever called: it is to be small. */
#if defined __GNUC__ || defined __clang__
#define AO_RARE __attribute__((cold))
#else
#define AO_RARE
#endif

/* Of a type: its pointers may point to what was stored as another type. Not only speed hangs on it, therefore gcc and clang
 * get it in plain C, too. */
#if defined __GNUC__ || defined __clang__
#define AO_MAY_ALIAS __attribute__((may_alias))
#else
#define AO_MAY_ALIAS
#endif

/* In front of a loop: no store of it is in the way of a later load. */
#if !AO_EXTENSIONS
#define AO_INDEPENDENT
#elif defined __clang__
#define AO_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define AO_INDEPENDENT _Pragma("GCC ivdep")
#endif

#if AO_EXTENSIONS
#define AO_PREFETCH(address) __builtin_prefetch(address)
#else
#define AO_PREFETCH(address) ((void)(address))
#endif

/* A compiler may read an operand again from memory instead of keeping it; this makes what was read, of the type T of 64
 * bits, a value of its own. */
#if AO_EXTENSIONS && UINTPTR_MAX > UINT32_MAX
#define AO_READ_ONCE(T, value) __asm__("" : "+r"(value))
#else
#define AO_READ_ONCE(T, value) ((value) = *(volatile T *)&(value))
#endif

/* Zeros above the highest bit that is set; bits is not 0. */
static inline unsigned ao_leading_zeros(uint64_t bits)
{
#if AO_EXTENSIONS
    return (unsigned)__builtin_clzll(bits);
#else
    unsigned zeros = 0;
    for (unsigned step = 32; step; step /= 2)
        if (bits >> (64 - step) == 0) {
            bits <<= step;
            zeros += step;
        }
    return zeros;
#endif
}

/* Zeros below the lowest bit that is set; bits is not 0. */
static inline unsigned ao_trailing_zeros(uint64_t bits)
{
#if AO_EXTENSIONS
    return (unsigned)__builtin_ctzll(bits);
#else
    return 63 - ao_leading_zeros(bits & (0 - bits));
#endif
}

static inline unsigned ao_count_ones(uint64_t bits)
{
#if AO_EXTENSIONS
    return (unsigned)__builtin_popcountll(bits);
#else
    unsigned ones = 0;
    for (; bits; bits &= bits - 1)
        ones++;
    return ones;
#endif
}

typedef struct {
    uint64_t low, high;
} ao_128;

/* The product, all of it. */
static inline ao_128 ao_multiply_128(uint64_t x, uint64_t y)
{
#if AO_EXTENSIONS && defined __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 uint128;
    const uint128 product = (uint128)x * y;
    return (ao_128){(uint64_t)product, (uint64_t)(product >> 64)};
#else
    const uint64_t x0 = (uint32_t)x, x1 = x >> 32, y0 = (uint32_t)y, y1 = y >> 32;
    const uint64_t lowest = x0 * y0, left = x1 * y0 + (lowest >> 32), right = x0 * y1 + (uint32_t)left;
    return (ao_128){right << 32 | (uint32_t)lowest, x1 * y1 + (left >> 32) + (right >> 32)};
#endif
}

/* high * 2^64 + low by a divisor above `high`, and what is left over. */
static inline uint64_t ao_divide_128(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *left)
{
#if AO_EXTENSIONS && defined __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 uint128;
    const uint128 number = (uint128)high << 64 | low;
    *left = (uint64_t)(number % divisor);
    return (uint64_t)(number / divisor);
#else
    uint64_t quotient = 0;
    for (int bit = 63; bit >= 0; bit--) {
        const uint64_t over = high >> 63;
        high = high << 1 | (low >> bit & 1);
        quotient <<= 1;
        if (over || high >= divisor) {
            high -= divisor;
            quotient |= 1;
        }
    }
    *left = high;
    return quotient;
#endif
}

static inline ao_128 ao_add_128(ao_128 a, ao_128 b)
{
    const uint64_t low = a.low + b.low;
    return (ao_128){low, a.high + b.high + (low < a.low)};
}

static inline ao_128 ao_negate_128(ao_128 a)
{
    return (ao_128){0 - a.low, ~a.high + (a.low == 0)};
}

#endif
