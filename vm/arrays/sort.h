/* Sorting plain arrays, and what is made of sorted ones. Any type but b1.
 *
 * What always holds: the order is that of ao_sort, everywhere. Nothing here can fail: the only memory beside the
 * arrays is a few KiB of stack. Neither a nor scratch needs more than the alignment of its elements, and the two do
 * not overlap. What scratch holds afterwards means nothing.
 */
#ifndef AO_SORT_H
#define AO_SORT_H

#include "../vm.h"

/* Sorts n elements in place as Python's sorted() does: ascending, stable (0.0 and -0.0 are equal and keep their order),
 * but nans (which sorted() leaves anywhere) come last in their order of appearance. `scratch` holds n elements of the
 * type. */
void ao_sort(enum ao_type type, void *a, void *scratch, size_t n);
/* Of sorted elements keeps the first of each run of equal ones (nans are all kept, as none equals another); returns
 * their number. */
size_t ao_unique(enum ao_type type, void *a, size_t n);
/* The element that would be at index k (0-based) if the n elements, none of them nan, were sorted; and, if next is not
 * NULL and k + 1 < n, the one at k + 1. a is not changed. `scratch` holds n elements. */
void ao_select(enum ao_type type, const void *a, void *scratch, size_t n, size_t k, void *kth, void *next);

#endif
