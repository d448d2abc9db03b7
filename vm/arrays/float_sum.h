/* An exact sum of doubles in progress: see float_sum.c. */
#ifndef AO_FLOAT_SUM_H
#define AO_FLOAT_SUM_H

#include "../kernels/reduce_kernels.h"
#include "../pause.h"

enum { AO_DIGITS = 68, AO_BIASES = AO_EXTRACT_PASSES * AO_EXTRACT_DEEP };
/* A fixed-point number wide enough for every sum of doubles: digit i is worth 2^(32i - 1074). Between carries a
 * digit holds more than 32 bits, of either sign; additions are counted. */
typedef struct {
    int64_t digit[AO_DIGITS];
    int room; /* additions until the next carry */
} ao_accumulator;

typedef struct ao_float_sum {
    ao_accumulator total;
    const struct ao_reductions *kernels;
    size_t ahead;                /* bytes to prefetch ahead */
    int extracting;              /* 0: the processor's arithmetic is not as extraction needs it */
    int exponent;                /* of the first bias */
    int level;                   /* 0: extract_1, 1: extract_2, 2: extract_4 */
    double bias[AO_BIASES];
    double below;                /* |x| that may be extracted; 0 before the first block, which sets the scale */
    int64_t taken[AO_BIASES];       /* not yet in total */
    int blocks;                  /* in taken */
    int calm;
    ao_pause pause;              /* blocks to add without extraction */
    ao_pause split_pause;        /* blocks not to add by halves */
    int has_split;               /* blocks that are */
    ao_split_sums split;         /* if it has: not yet in total */
} ao_float_sum;

enum { AO_FLOAT_SUM_BYTES = 4 * (AO_DIGITS - 1) + 8 };

/* Whether this thread's additions of doubles round to nearest and keep subnormal numbers. */
int ao_arithmetic_is_standard(void);
/* ahead: AO_EXTRACT_AHEAD for numbers in memory, 0 for those in cache. */
void ao_float_sum_start(ao_float_sum *sum, const struct ao_reductions *kernels, size_t ahead);
/* Adds numbers from the front; returns how many. Fewer than n: among the next AO_EXTRACT_BLOCK is an inf, a nan, or one of
 * 2^960 or more, with which math.fsum may overflow. */
size_t ao_float_sum_add(ao_float_sum *sum, const double *x, size_t n);
/* Adds by halves what `add` does, which is called once more, for new sums, if those at hand may have grown too large for it.
 * Nonzero if it is added. */
int ao_float_sum_split(ao_float_sum *sum, ao_splitter add, void *context);
/* Extracts a[i] * b[i] with the first three biases, at the scale that they need; n is a multiple of AO_EXTRACT_STEP, at most
 * AO_EXTRACT_PRODUCTS. Nonzero if that left nothing over: then taken has them all. Nothing is added. */
int ao_float_sum_extract_products(ao_float_sum *sum, const double *a, const double *b, size_t n, ao_extraction *result);
/* Adds what so many biases took of a block. */
void ao_float_sum_add_taken(ao_float_sum *sum, const int64_t *taken, int biases);
/* Adds one finite number of any size. */
void ao_float_sum_add_one(ao_float_sum *sum, double x);
/* To nearest, ties to even. Only for sums without numbers of 2^960 or more. */
double ao_float_sum_rounded(ao_float_sum *sum);
/* The same of two sums together; the first is then both. */
double ao_float_sums_rounded(ao_float_sum *sum, ao_float_sum *other);
/* Leaves digits from `low` up to `end` in 0 .. 2^32-1, and what they had more in the one at the end. */
void ao_digits_carry(int64_t *digit, int low, int end);
/* The first digit that is not 0, or their number; end: what is behind the last one. */
int ao_digits_ends(const int64_t *digit, int digits, int *end);
/* The digits of the sum's size, after it was rounded: each in 0 .. 2^32-1. */
void ao_float_sum_digits(const ao_float_sum *sum, int64_t digit[AO_DIGITS]);
/* The sum in units of 2^-1074, as a little-endian two's complement number. */
void ao_float_sum_bytes(ao_float_sum *sum, uint8_t *bytes);

#endif
