/* Arithmetic of natural numbers of many limbs, as in GMP's mpn functions.
 *
 * A number is an array of limbs of 64 bits, the lowest first, and how many they are. What is written has room for as many
 * limbs as the largest operand unless said otherwise, and what does not fit there is returned.
 */
#ifndef AO_LIMBS_H
#define AO_LIMBS_H

#include "../portable.h"

#include <stdint.h>
#include <string.h>

enum { AO_LIMB = 64 };

/* How many limbs are left without zeros at the top. */
static inline unsigned ao_limbs_trim(const uint64_t *x, unsigned n)
{
    while (n && !x[n - 1])
        n--;
    return n;
}

/* -1, 0 or 1, of numbers without zeros at the top. */
static inline int ao_limbs_compare(const uint64_t *x, unsigned n, const uint64_t *y, unsigned m)
{
    if (n != m)
        return n < m ? -1 : 1;
    while (n-- > 0)
        if (x[n] != y[n])
            return x[n] < y[n] ? -1 : 1;
    return 0;
}

/* sum, which may be x or y: the carry. */
static inline uint64_t ao_limbs_add(uint64_t *sum, const uint64_t *x, unsigned n, const uint64_t *y, unsigned m)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < n || i < m; i++) {
        const uint64_t a = i < n ? x[i] : 0, b = i < m ? y[i] : 0, low = a + carry;
        sum[i] = low + b;
        carry = (low < a) | (sum[i] < b);
    }
    return carry;
}

/* x - y, of which y is not the larger one; `rest` may be either. */
static inline void ao_limbs_subtract(uint64_t *rest, const uint64_t *x, unsigned n, const uint64_t *y, unsigned m)
{
    uint64_t borrow = 0;
    for (unsigned i = 0; i < n; i++) {
        const uint64_t a = x[i], b = i < m ? y[i] : 0, low = a - b;
        rest[i] = low - borrow;
        borrow = (a < b) | (low < borrow);
    }
}

/* to = x * factor + to of as many limbs: what belongs above them. */
static inline uint64_t ao_limbs_multiply_add(uint64_t *to, const uint64_t *x, unsigned n, uint64_t factor)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < n; i++) {
        const ao_128 sum = ao_add_128(ao_multiply_128(x[i], factor), (ao_128){to[i], 0}),
                     all = ao_add_128(sum, (ao_128){carry, 0});
        to[i] = all.low;
        carry = all.high;
    }
    return carry;
}

/* x *= factor: what belongs above it. */
static inline uint64_t ao_limbs_multiply_by(uint64_t *x, unsigned n, uint64_t factor)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < n; i++) {
        const ao_128 all = ao_add_128(ao_multiply_128(x[i], factor), (ao_128){carry, 0});
        x[i] = all.low;
        carry = all.high;
    }
    return carry;
}

/* product, of n + m limbs, which is neither x nor y. */
static inline void ao_limbs_multiply(uint64_t *product, const uint64_t *x, unsigned n, const uint64_t *y, unsigned m)
{
    memset(product, 0, (n + m) * sizeof *product);
    for (unsigned i = 0; i < m; i++)
        product[i + n] = ao_limbs_multiply_add(product + i, x, n, y[i]);
}

/* x / divisor, rounded down, in place: what is left over. */
static inline uint64_t ao_limbs_divide_by(uint64_t *x, unsigned n, uint64_t divisor)
{
    uint64_t left = 0;
    while (n-- > 0)
        x[n] = ao_divide_128(left, x[n], divisor, &left);
    return left;
}

/* to, which may be x or lie above it: x << bits, of less than a limb; what belongs above it. */
static inline uint64_t ao_limbs_shift_up(uint64_t *to, const uint64_t *x, unsigned n, unsigned bits)
{
    const uint64_t over = n && bits ? x[n - 1] >> (AO_LIMB - bits) : 0;
    while (n-- > 0)
        to[n] = x[n] << bits | (bits && n ? x[n - 1] >> (AO_LIMB - bits) : 0);
    return over;
}

#endif
