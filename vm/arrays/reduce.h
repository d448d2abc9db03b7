/* Reductions of plain arrays. Each is exact, or says that it cannot be. Those of a span may be stopped; then what they
 * return means nothing. */
#ifndef AO_REDUCE_H
#define AO_REDUCE_H

#include "../vm.h"

/* Sum of n integers of any type as a 128-bit two's complement number (high, low). */
void ao_sum_int(const ao_isa *isa, enum ao_type type, const void *a, size_t n, int64_t *high, uint64_t *low);
/* Correctly rounded sum of doubles (type f64) or floats (type f32), as math.fsum. Returns 0 and leaves *sum alone where
 * fsum's own answer depends on the order of the elements or is an exception: inf, nan, or partial sums that may overflow. */
int ao_sum_float(const ao_isa *isa, enum ao_type type, const void *a, size_t n, double *sum);
/* Index of the element that Python's min() (largest 0) or max() (largest 1) returns: the first of equals; element 0 if it
 * is nan; other nans are passed over. n is at least 1. Any type but b1. */
size_t ao_extreme(const ao_isa *isa, enum ao_type type, const void *a, size_t n, int largest);

void ao_span_sum_int(const ao_isa *isa, const ao_span *span, int64_t *high, uint64_t *low, ao_watch *w);
int ao_span_sum_float(const ao_isa *isa, const ao_span *span, double *sum, ao_watch *w);
/* Whether there is a nan. */
int ao_span_has_nan(const ao_span *span, ao_watch *w);
/* Also stores the element, in this machine's byte order. */
size_t ao_span_extreme(const ao_isa *isa, const ao_span *span, int largest, void *element, ao_watch *w);
/* The same of elements that come behind others, so that no nan counts. 0: there is none but nans, or no element. */
int ao_span_extreme_behind(const ao_isa *isa, const ao_span *span, int largest, void *element, size_t *place, ao_watch *w);
/* Whether element a is smaller (larger) than b. */
int ao_goes_before(enum ao_type type, const void *a, const void *b, int largest);

#endif
