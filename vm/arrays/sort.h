/* Sorting plain arrays, and what is made of sorted ones. Any type but b1.
 *
 * What always holds: the order is that of ao_sort, everywhere. Nothing here can fail: the only memory beside the
 * arrays is 32 KiB of stack at most. Neither a nor scratch needs more than the alignment of its elements, and the two do
 * not overlap. What scratch holds afterwards means nothing. Nobody else writes to scratch, nor to an array that is
 * private; one that is shared may change at any time: then the result is some elements, but no memory is touched that
 * is not the call's. After a stop (watch.h) there is no result.
 */
#ifndef AO_SORT_H
#define AO_SORT_H

#include "../vm.h"

/* What is sorted: elements, by their enum ao_type, or pairs of a key and a place, by the keys. */
enum { AO_PAIRS32 = AO_NTYPES, AO_PAIRS64 };
size_t ao_sorted_size(unsigned kind); /* in bytes */
/* Sorts n private elements in place as Python's sorted() does: ascending, stable (0.0 and -0.0 are equal and keep their order),
 * but nans (which sorted() leaves anywhere) come last in their order of appearance. `scratch` holds n elements of the
 * type. */
void ao_sort(unsigned kind, void *a, void *scratch, size_t n, ao_watch *w);
/* The same for a shared array, wherever its elements lie. `room` holds 2 n elements. Nonzero if it was stopped: then the
 * array is as it was. It is written at the end, all of it: from then on a stop comes too late. */
int ao_sort_shared(enum ao_type type, void *a, ao_spacing spacing, void *room, size_t n, ao_watch *w);
/* Elements first .. end-1 of two sorted private arrays together, those of a before equal ones of b, to the same places of
 * `out`. */
void ao_merge(unsigned kind, const void *a, size_t n_a, const void *b, size_t n_b, void *out, size_t first, size_t end,
              ao_watch *w);
/* Of sorted private elements keeps the first of each run of equal ones (nans are all kept, as none equals another); returns
 * their number. */
size_t ao_unique(enum ao_type type, void *a, size_t n, ao_watch *w);
/* The element that would be at index k (0-based) if the n elements, none of them nan, were sorted; and, if next is not
 * NULL and k + 1 < n, the one at k + 1. a is shared, and not changed. `scratch` holds n elements. */
void ao_select(enum ao_type type, const void *a, void *scratch, size_t n, size_t k, void *kth, void *next, ao_watch *w);

/* Its first steps over ranges of the array, of at least one element, for threads that share it. The key of the first
 * element, and the bits in which others differ from it; where the topmost digit is, if these bits of all ranges vary; how many
 * elements have each digit; with what keys of a digit start, by the key of any element; the elements with such a key, in order,
 * of which there are as many as were counted unless the array was written to; and the first of the smallest elements above
 * them, 0 if there is none. What was collected is selected from by ao_select, for which it is its own scratch. */
enum { AO_DIGIT_BITS = 10 };
typedef struct {
    uint64_t key, varying;
} ao_keys;
ao_keys ao_select_keys(enum ao_type type, const void *a, size_t n, ao_watch *w);
unsigned ao_select_shift(uint64_t varying);
void ao_select_count(enum ao_type type, const void *a, size_t n, unsigned shift, size_t *counts, ao_watch *w);
uint64_t ao_select_start(uint64_t key, unsigned shift, size_t digit);
size_t ao_select_collect(enum ao_type type, const void *a, size_t n, unsigned shift, uint64_t start, void *out, ao_watch *w);
int ao_select_above(enum ao_type type, const void *a, size_t n, unsigned shift, uint64_t start, void *least, ao_watch *w);

/* Bytes of room for ao_argsort and ao_largest; SIZE_MAX if there cannot be so many. */
size_t ao_argsort_room(enum ao_type type, size_t n);
size_t ao_largest_room(enum ao_type type, size_t n, size_t k);
/* The pairs that an array of n elements is sorted by for an argsort. */
unsigned ao_argsort_kind(enum ao_type type, size_t n);
/* Where the elements of ao_sort's order are, the first of equal ones first: span->count places to `order`. reverse: largest
 * first, equal ones and nans as before. Of a part of an array `kept` has the place in it of each element, or it is NULL;
 * nobody else writes to that. The span may be shared: each element is read once. */
void ao_argsort(const ao_span *span, int reverse, void *room, const int64_t *kept, int64_t *order, ao_watch *w);
/* Its steps, of elements first .. end-1: pairs to the first half of the room; these sorted, for which there is the other half;
 * and places of sorted pairs. */
void ao_argsort_pairs(const ao_span *span, int reverse, void *pairs, size_t first, size_t end, ao_watch *w);
void ao_argsort_places(unsigned kind, const void *sorted, const int64_t *kept, int64_t *order, size_t first, size_t end,
                       ao_watch *w);
/* The first k (1 to span->count) elements of the reverse order, side by side. Each is read once. */
void ao_largest(const ao_span *span, size_t k, void *room, void *out, ao_watch *w);

#endif
