/* Windows that move over an array, one element at a time, and what is in each: sums, extremes, variances, medians.
 *
 * What always holds: the span may be shared; each of its elements is read a bounded number of times, and what is taken off
 * is what was added, from a private copy. Results depend on the elements of their window alone: nothing is left of those
 * that went before. The work for a window does not grow with its length. Nothing is allocated; after a stop (watch.h) there
 * is no result.
 */
#ifndef AO_WINDOWS_H
#define AO_WINDOWS_H

#include "../vm.h"

/* Windows of n elements (1 to span.count, below AO_LONGEST_WINDOW); with `partial` also those of the first 1 to n - 1. Any
 * type but b1. */
typedef struct {
    const ao_isa *isa;
    ao_span span;
    size_t n;
    int partial;
} ao_windows;
#define AO_LONGEST_WINDOW ((size_t)1 << 31)
size_t ao_windows_count(const ao_windows *windows);

/* What is wanted of each window. Sums are integers of 64 bits or doubles, extremes are of the span's type, the others are
 * doubles. */
enum ao_window { AO_WINDOW_SUM, AO_WINDOW_MEAN, AO_WINDOW_MIN, AO_WINDOW_MAX, AO_WINDOW_VAR, AO_WINDOW_STD,
                 AO_WINDOW_MEDIAN, AO_WINDOW_KINDS };
/* Bytes of room that it takes; SIZE_MAX if there cannot be so many. */
size_t ao_windows_room(const ao_windows *windows, enum ao_window what);
/* Stores one result for each window. The sum of a window with infinities or nans is what those add up to, one too large for a
 * double is inf; var, std and median of one with a nan are nan, var and std also with an infinity. Extremes are the first
 * of equals, and a nan only if it is the first element. ddof: what the divisor of a variance is less than the number of
 * elements; if it is not positive, the result is nan. Returns 0 if a sum of integers does not fit. */
int ao_windows_run(const ao_windows *windows, enum ao_window what, size_t ddof, void *room, void *out, ao_watch *w);

#endif
