/* Wide integers, and the doubles nearest to what is made of them.
 *
 * What always holds: nothing is rounded but in the functions that return a double, and there once, to nearest, ties to
 * even, whatever the processor's rounding mode is. All of it is integer arithmetic; nothing is allocated.
 */
#ifndef AO_WIDE_H
#define AO_WIDE_H

#include "limbs.h"

enum { AO_LOWEST = -1074 }; /* the exponent of the last place of the smallest double */

/* A two's complement number of so many limbs, the lowest first. The widest are sums of squares of doubles, in units of
 * 2^-2148, times the square of a count. */
enum { AO_WIDE_LIMBS = 72 };
typedef struct {
    unsigned limbs;
    uint64_t limb[AO_WIDE_LIMBS];
} ao_wide;

/* An integer of up to 64 bits somewhere in a wide one: mantissa * 2^shift. */
typedef struct {
    uint64_t mantissa;
    unsigned shift;
    int negative;
} ao_wide_part;

/* A double, by its bits, in units of 2^lowest, of which it is a multiple. */
static inline ao_wide_part ao_part_of_double(uint64_t bits, int lowest)
{
    const unsigned exponent = bits >> 52 & 0x7FF;
    const uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | (uint64_t)(exponent != 0) << 52;
    if (mantissa == 0)
        return (ao_wide_part){0, 0, 0};
    return (ao_wide_part){mantissa, (unsigned)((int)exponent + (exponent == 0) - 1075 - lowest), bits >> 63 != 0};
}

/* Zero, with room for numbers below 2^bits of either sign. */
void ao_wide_start(ao_wide *a, unsigned bits);
/* Adds value * 2^bit, or subtracts it; the highest bit of it is below the number's highest. */
void ao_wide_add(ao_wide *a, uint64_t value, unsigned bit, int negative);
/* a * factor - b * b, which is not negative, in as many limbs as it takes. */
void ao_wide_excess(ao_wide *result, const ao_wide *a, uint64_t factor, const ao_wide *b);

/* The nearest double of a number of 128 bits, in two's complement. */
double ao_double_of_128(ao_128 a);
/* The nearest double of a * 2^exponent; inf if it is too large. */
double ao_limbs_to_double(const uint64_t *a, unsigned limbs, int exponent);
double ao_wide_to_double(const ao_wide *a, int exponent);
/* The nearest double of a / divisor * 2^exponent, or of the square root of that, for an even exponent. a is not negative; the
 * divisor is 1 to 2^63. */
double ao_wide_ratio(const ao_wide *a, uint64_t divisor, int exponent, int root);

#endif
