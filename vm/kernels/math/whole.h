/* Functions of whole numbers: gcd, lcm, isqrt, factorial, comb, perm, bit_count, bit_length.
 *
 * All are computed of magnitudes in 64 unsigned bits. What does not fit there sets *bad; what fits there, but not in the
 * kernel's type, is for the kernel to mark.
 */
#ifndef AO_WHOLE_H
#define AO_WHOLE_H

#define MAGNITUDE_i64(x) ((x) < 0 ? 0 - (uint64_t)(x) : (uint64_t)(x))
#define MAGNITUDE_u64(x) (x)
#define BELOW_ZERO_i64(x) ((x) < 0)
#define BELOW_ZERO_u64(x) 0

/* Set bits, counted in pairs, nibbles and bytes side by side. */
static INLINE uint64_t count_ones(uint64_t u)
{
    u -= u >> 1 & UINT64_C(0x5555555555555555);
    u = (u & UINT64_C(0x3333333333333333)) + (u >> 2 & UINT64_C(0x3333333333333333));
    u = (u + (u >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    u += u >> 8;
    u += u >> 16;
    return (u + (u >> 32)) & 127;
}

static INLINE uint64_t bit_length(uint64_t u)
{
    u |= u >> 1;
    u |= u >> 2;
    u |= u >> 4;
    u |= u >> 8;
    u |= u >> 16;
    return count_ones(u | u >> 32);
}

/* One division first: it leaves the binary steps little to do where one number is much smaller, as a constant often is. */
static inline uint64_t gcd(uint64_t x, uint64_t y)
{
    if (x && y > x)
        y %= x;
    else if (y)
        x %= y;
    if (!x || !y)
        return x | y;
    const unsigned twos = ao_trailing_zeros(x | y);
    x >>= ao_trailing_zeros(x);
    do {
        y >>= ao_trailing_zeros(y);
        const uint64_t low = x < y ? x : y;
        y = (x < y ? y : x) - low;
        x = low;
    } while (y);
    return x << twos;
}

static inline uint64_t lcm(uint64_t x, uint64_t y, uint64_t *bad)
{
    uint64_t r = 0;
    if (x && y)
        *bad |= (uint64_t)mul_u64(x / gcd(x, y), y, &r);
    return r;
}

/* The double's root may be one too large: then r*r is too (or wraps to 0). It is never too small, as whole numbers below
 * 2^32 lie much further apart than its error. */
static INLINE uint64_t isqrt(uint64_t u, double x)
{
    const uint64_t r = (uint64_t)sqrt(x);
    return r - (u && r * r - 1 >= u);
}

static const uint64_t factorials[21] = {
    1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, UINT64_C(6227020800),
    UINT64_C(87178291200), UINT64_C(1307674368000), UINT64_C(20922789888000), UINT64_C(355687428096000),
    UINT64_C(6402373705728000), UINT64_C(121645100408832000), UINT64_C(2432902008176640000)};

/* n (n-1) ... (n-k+1), divided as it goes by 1, 2, ... k if that is wanted: each quotient is whole. */
static inline uint64_t falling(uint64_t n, uint64_t k, int divide, uint64_t *bad)
{
    uint64_t r = 1;
    if (k > n)
        return 0;
    if (divide && k > n - k)
        k = n - k;
    for (uint64_t i = 0; i < k && !*bad; i++) {
        *bad |= (uint64_t)mul_u64(r, n - i, &r);
        r = divide ? r / (i + 1) : r;
    }
    return r;
}

#endif
