/* What one pass over memory gathers: count, exact sum, exact sum of squares, extremes; and exact dot products.
 *
 * Sums are exact numbers of as many bits as it takes, to be rounded by whoever asks. So they do not depend on how the
 * elements were cut into blocks, and may be added to each other in any order. Everything lives in the structs.
 */
#ifndef AO_MOMENTS_H
#define AO_MOMENTS_H

#include "float_sum.h"

/* An exact sum of products of doubles, or of integers. */
enum { AO_WIDE_DIGITS = 137, AO_INT_PRODUCTS_BYTES = 24, AO_WIDE_BYTES = 4 * (AO_WIDE_DIGITS - 1) + 8 };
typedef struct {
    /* products of doubles of moderate size: extracted ones in `high` as a whole, others rounded, and their errors in `low` */
    ao_float_sum high, low;
    ao_pause pause;                /* blocks not to extract */
    int64_t wide[AO_WIDE_DIGITS];  /* the others: digit i is worth 2^(32i - 2148) */
    int wide_used;                 /* additions since the last carry */
    double special;                /* the sum of products that are inf or nan */
    uint64_t int_low[2], int_high[2]; /* 128-bit sums of the low (unsigned) and high halves of products of integers */
} ao_products;

void ao_products_start(ao_products *sum, const ao_isa *isa);
/* Adds a[i] * b[i] of arrays of either floats (f64) or any integers but b1. */
void ao_products_add(ao_products *sum, enum ao_type type_a, const void *a, enum ao_type type_b, const void *b, size_t n);
/* The sum of products of doubles, rounded once to *total: 1, unless some were not of moderate size. */
int ao_products_rounded(ao_products *sum, double *total);
/* The products of doubles in units of 2^-1074 (high and low parts) and 2^-2148 (wide), and those of integers. */
void ao_products_bytes(ao_products *sum, uint8_t high[AO_FLOAT_SUM_BYTES], uint8_t low[AO_FLOAT_SUM_BYTES],
                       uint8_t wide[AO_WIDE_BYTES], uint8_t ints[AO_INT_PRODUCTS_BYTES]);

/* Those of integers alone. */
void ao_products_int_bytes(const ao_products *sum, uint8_t ints[AO_INT_PRODUCTS_BYTES]);

enum { AO_SUMS = 1, AO_SQUARES = 2, AO_EXTREMES = 4 }; /* none: the count alone */
typedef struct {
    const ao_isa *isa;
    enum ao_type type;             /* of the elements; sums of f32 are those of f64 */
    unsigned wanted;               /* AO_SUMS, ... */
    size_t count, nans, positive, negative; /* elements; of them nans and infinities, if any sum is wanted */
    ao_float_sum sum;
    int64_t int_high;
    uint64_t int_low;
    ao_products squares;
    ao_value low, high;            /* extremes, the first of equals; nans aside */
    int found;                     /* there are extremes */
    int seen, first_nan;           /* if extremes are wanted: there is an element, and the first one is a nan */
} ao_moments;

/* ahead: as for ao_float_sum_start. */
void ao_moments_start(ao_moments *m, const ao_isa *isa, enum ao_type type, unsigned wanted, size_t ahead);
/* Adds n elements, side by side. Any type but b1. */
void ao_moments_add(ao_moments *m, const void *a, size_t n);
/* The extremes of elements that come behind those of `whole` become part of its own; `part` begins anew with them. The same
 * if it is the same. */
void ao_moments_pass_extremes(ao_moments *whole, ao_moments *part);

#endif
