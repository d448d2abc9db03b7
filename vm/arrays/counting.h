/* Counting elements: by bins, by keys; and where they belong in a sorted array. Any type but b1.
 *
 * What always holds: arrays of others may change at any time. What an element says is checked on the copy that becomes an
 * index; then the result is that of some elements, and no memory is touched that is not the call's. After a stop (watch.h)
 * there is no result.
 */
#ifndef AO_COUNTING_H
#define AO_COUNTING_H

#include "../vm.h"

/* For each value the place that bisect_left (or with `right` bisect_right) of Python finds for it in `sorted`, whose
 * elements are side by side: ints and floats are compared as Python does, exactly. */
void ao_search(const ao_span *sorted, const ao_span *values, int right, int64_t *places, ao_watch *w);

/* The smallest and the largest of at least one float; nonzero if there is a nan. */
int ao_bounds(const ao_isa *isa, const ao_span *span, double *low, double *high, ao_watch *w);

enum { AO_COUNT_LANES = 4, AO_LANES_TO = 1 << 12 }; /* counts are added up in so many copies, of so many bins at most */
static inline size_t ao_count_lanes(size_t bins)
{
    return bins <= AO_LANES_TO ? AO_COUNT_LANES : 1;
}
/* How many elements are in each bin: edges[i] <= x < edges[i + 1], in the last bin also its upper edge. The edges do not
 * decrease, and there is at least one bin. `scale` is bins / (last edge - first edge) if they are about evenly
 * spaced, else 0. `counts` has ao_count_lanes(bins) times as many elements, all 0; the first ones are the result. */
void ao_histogram(const ao_isa *isa, const ao_span *span, const double *edges, size_t bins, double scale, int64_t *counts,
                  ao_watch *w);

/* How many keys there are of each number from 0 to bins - 1; others are left out. counts are 0 at first. */
void ao_count_keys(const ao_span *keys, size_t bins, int64_t *counts, ao_watch *w);
/* Adds up integers by their keys, in 128 bits: sums are 0 at first. keys and weights are as many. */
typedef struct {
    uint64_t low, high;
} ao_sum128;
void ao_sum_ints_by_key(const ao_span *keys, const ao_span *weights, size_t bins, ao_sum128 *sums, ao_watch *w);
/* Sorts floats by their keys, as doubles: those of key k begin at grouped[start[k]], where there is room for those up to
 * start[k + 1]; end[k], which is start[k] at first, is then where they end. */
void ao_group_by_key(const ao_span *keys, const ao_span *weights, size_t bins, const size_t *start, size_t *end,
                     double *grouped, ao_watch *w);

#endif
