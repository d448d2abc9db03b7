/* Counting and searching, block by block: elements become 64-bit numbers of their kind at first, so that there is one loop
 * for all types. See counting.h for what holds whoever writes to the arrays meanwhile.
 */
#include "counting.h"
#include "values.h"
#include "../kernels/reduce_kernels.h"

#include <math.h>

enum {
    BLOCK = 1024,      /* elements at once */
    SEARCH_UNITS = 32, /* of work (watch.h) for one search: some 20 steps, of which a few are not in cache */
    PLACED_UNITS = 2   /* for one element that goes somewhere */
};

static size_t block_at(size_t i, size_t n)
{
    return n - i < BLOCK ? n - i : BLOCK;
}

/* Elements from i on as doubles, n at most: doubles side by side in place, others at `local`. */
static const double *doubles_at(const ao_span *span, size_t i, size_t n, ao_value *local)
{
    if (span->type == AO_TYPE_f64 && !span->spacing.stride)
        return (const double *)span->data + i;
    ao_load_values(span, i, local, n);
    return (const double *)local;
}

int ao_bounds(const ao_isa *isa, const ao_span *span, double *low, double *high, ao_watch *w)
{
    ao_value local[BLOCK];
    int found = 0;
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0, n; i < span->count && !found && !w->stopped; i += n) {
        double least, most;
        n = block_at(i, span->count);
        found = isa->reductions->bounds(n, doubles_at(span, i, n, local), &least, &most);
        *low = least < *low ? least : *low;
        *high = most > *high ? most : *high;
        ao_watch_done(w, n / 4);
    }
    return found;
}

/* ---- comparing ints with doubles ---- */

/* The sign of i - d, exactly; d is an int itself. */
static int compare_signed(int64_t i, double d)
{
    if (d >= 0x1p63 || d < -0x1p63)
        return d < 0 ? 1 : -1;
    return (i > (int64_t)d) - (i < (int64_t)d);
}

static int compare_unsigned(uint64_t u, double d)
{
    if (d >= 0x1p64 || d < 0)
        return d < 0 ? 1 : -1;
    return (u > (uint64_t)d) - (u < (uint64_t)d);
}

/* The nearest double of an int, and the sign of the int minus that. */
static double nearest(enum ao_values kind, ao_value v, int *above)
{
    const double d = kind == AO_SIGNED_VALUES ? (double)v.i : (double)v.u;
    *above = kind == AO_SIGNED_VALUES ? compare_signed(v.i, d) : compare_unsigned(v.u, d);
    return d;
}

/* ---- searching ---- */

/* Where a number is looked for: among the elements, or it goes before or behind all of them. */
enum place { BEFORE, AMONG, BEHIND };

/* A float as an int of the same place among ints from `low` up to, and without, `end`. A nan is where bisect puts it:
 * nothing is smaller, and nothing larger. */
static enum place int_of_float(double x, int right, double low, double end, double *whole)
{
    *whole = right ? floor(x) : ceil(x);
    if (isnan(x))
        return right ? BEHIND : BEFORE;
    return *whole < low ? BEFORE : *whole >= end ? BEHIND : AMONG;
}

/* A number as one of the elements' kind that is smaller (with `right` not larger) than the same elements. */
static enum place key_signed(enum ao_values kind, ao_value *v, int right)
{
    double whole;
    if (kind == AO_UNSIGNED_VALUES)
        return v->u > INT64_MAX ? BEHIND : AMONG;
    if (kind == AO_SIGNED_VALUES)
        return AMONG;
    const enum place place = int_of_float(v->f, right, -0x1p63, 0x1p63, &whole);
    v->i = place == AMONG ? (int64_t)whole : 0;
    return place;
}

static enum place key_unsigned(enum ao_values kind, ao_value *v, int right)
{
    double whole;
    if (kind == AO_SIGNED_VALUES)
        return v->i < 0 ? BEFORE : AMONG;
    if (kind == AO_UNSIGNED_VALUES)
        return AMONG;
    const enum place place = int_of_float(v->f, right, 0, 0x1p64, &whole);
    v->u = place == AMONG ? (uint64_t)whole : 0;
    return place;
}

static enum place key_float(enum ao_values kind, ao_value *v, int right)
{
    if (kind != AO_FLOAT_VALUES) {
        int above;
        const double d = nearest(kind, *v, &above);
        v->f = right && above < 0 ? nextafter(d, -INFINITY) : !right && above > 0 ? nextafter(d, INFINITY) : d;
    }
    return AMONG;
}

/* The steps are bisect's, so that arrays that are not sorted give what they give there. */
#define DEFINE_SEARCH(T, FIELD, WIDE, KEY)                                                         \
    static size_t search_##T(const ao_##T *a, size_t n, enum ao_values kind, ao_value v, int right)     \
    {                                                                                              \
        const enum place place = KEY(kind, &v, right);                                             \
        size_t low = place == BEHIND ? n : 0, high = place == BEFORE ? 0 : n;                      \
        const WIDE key = v.FIELD;                                                                  \
        while (low < high) {                                                                       \
            const size_t middle = low + (high - low) / 2;                                          \
            const WIDE x = (WIDE)a[middle];                                                        \
            const int above = right ? !(key < x) : x < key;                                        \
            low = above ? middle + 1 : low;                                                        \
            high = above ? high : middle;                                                          \
        }                                                                                          \
        return low;                                                                                \
    }                                                                                              \
                                                                                                   \
    static void search_all_##T(const void *a, size_t n, enum ao_values kind, const ao_value *v, int right, int64_t *places, \
                               size_t count)                                                       \
    {                                                                                              \
        for (size_t i = 0; i < count; i++)                                                         \
            places[i] = (int64_t)search_##T(a, n, kind, v[i], right);                              \
    }
#define LIST_SEARCHED(X)                                                                           \
    X(i8, i, int64_t, key_signed) X(i16, i, int64_t, key_signed) X(i32, i, int64_t, key_signed)    \
    X(i64, i, int64_t, key_signed) X(u8, u, uint64_t, key_unsigned) X(u16, u, uint64_t, key_unsigned) \
    X(u32, u, uint64_t, key_unsigned) X(u64, u, uint64_t, key_unsigned) X(f32, f, double, key_float) \
    X(f64, f, double, key_float)
LIST_SEARCHED(DEFINE_SEARCH)

void ao_search(const ao_span *sorted, const ao_span *values, int right, int64_t *places, ao_watch *w)
{
    const enum ao_values kind = ao_values_of(values->type);
    ao_value v[BLOCK];
    for (size_t i = 0, n; i < values->count && !w->stopped; i += n) {
        n = block_at(i, values->count);
        ao_load_values(values, i, v, n);
#define SEARCH_CASE(T, FIELD, WIDE, KEY)                                                           \
    case AO_TYPE_##T:                                                                              \
        search_all_##T(sorted->data, sorted->count, kind, v, right, places + i, n);                \
        break;
        switch (sorted->type) {
            LIST_SEARCHED(SEARCH_CASE)
        default:
            break;
        }
        ao_watch_done(w, n * SEARCH_UNITS);
    }
}

/* ---- histogram ---- */

/* Elements as doubles that are in the same bins. An int of 64 bits that is none is cut to the one below; above the last edge,
 * which may be that, it is in no bin. */
static void to_doubles(enum ao_type type, ao_value *v, double last, size_t n)
{
    const enum ao_values kind = ao_values_of(type);
    if (ao_type_sizes[type] < 8) {
        for (size_t i = 0; i < n; i++)
            v[i].f = (double)v[i].i;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        int above;
        double d = nearest(kind, v[i], &above);
        if (above < 0)
            d = nextafter(d, -INFINITY);
        v[i].f = above && d >= last ? INFINITY : d;
    }
}

/* The bin of a number, by the edges alone; `bins` if it is in none. */
static size_t bin_of(double x, const double *edges, size_t bins)
{
    if (!(x >= edges[0] && x <= edges[bins]))
        return bins;
    if (x == edges[bins])
        return bins - 1;
    size_t low = 0, high = bins; /* edges[low] <= x < edges[high] */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        *(x < edges[middle] ? &high : &low) = middle;
    }
    return low;
}

static int is_in(double x, const double *edges, size_t bin)
{
    return x >= edges[bin] && x < edges[bin + 1];
}

/* A guess is right, or one off because of rounding, or of no use. */
static size_t corrected(double x, const double *edges, size_t bins, size_t guess)
{
    if (guess > 0 && is_in(x, edges, guess - 1))
        return guess - 1;
    if (guess + 1 < bins && is_in(x, edges, guess + 1))
        return guess + 1;
    return bin_of(x, edges, bins);
}

/* An increment waits for the last one of the same count: lanes have counts of their own. */
static void count_sure(const int32_t *guesses, size_t n, int64_t *counts, size_t lane)
{
    size_t i = 0;
    for (; i + AO_COUNT_LANES <= n; i += AO_COUNT_LANES)
        for (size_t k = 0; k < AO_COUNT_LANES; k++)
            counts[k * lane + (size_t)guesses[i + k]]++;
    for (; i < n; i++)
        counts[guesses[i]]++;
}

static void count_guessed(const double *x, size_t n, const double *edges, size_t bins, const int32_t *guesses,
                          int64_t *counts, size_t lane)
{
    for (size_t i = 0; i < n; i++) {
        size_t bin = (size_t)guesses[i];
        const double number = x[i];
        if (!is_in(number, edges, bin))
            bin = corrected(number, edges, bins, bin);
        if (bin < bins)
            counts[i % AO_COUNT_LANES * lane + bin]++;
    }
}

/* How far from a whole number a guess must be to be right: rounding of the edges and of the guess itself together is some
 * units in the last place of the number of bins, and of the largest edge in widths of bins. Infinite: none is right. */
static double tolerance_for(const double *edges, size_t bins, double scale)
{
    const double low = fabs(edges[0]), high = fabs(edges[bins]), largest = low > high ? low : high;
    return scale < 0x1p960 && largest < 0x1p1000 ? ((double)bins + largest * scale) * 0x1p-48 : INFINITY;
}

static void count_found(const double *x, size_t n, const double *edges, size_t bins, int64_t *counts)
{
    for (size_t i = 0; i < n; i++) {
        const size_t bin = bin_of(x[i], edges, bins);
        if (bin < bins)
            counts[bin]++;
    }
}

void ao_histogram(const ao_isa *isa, const ao_span *span, const double *edges, size_t bins, double scale, int64_t *counts,
                  ao_watch *w)
{
    const size_t lane = ao_count_lanes(bins) > 1 ? bins : 0;
    const double limit = nextafter(bins < INT32_MAX ? (double)bins : INT32_MAX, 0);
    const double near = tolerance_for(edges, bins, scale);
    ao_value v[BLOCK];
    int32_t guesses[BLOCK];
    for (size_t i = 0, n; i < span->count && !w->stopped; i += n) {
        n = block_at(i, span->count);
        const double *x = doubles_at(span, i, n, v);
        if (ao_values_of(span->type) != AO_FLOAT_VALUES)
            to_doubles(span->type, v, edges[bins], n);
        if (!(scale > 0))
            count_found(x, n, edges, bins, counts);
        else if (isa->reductions->guess(n, x, edges[0], scale, limit, near, guesses))
            count_guessed(x, n, edges, bins, guesses, counts, lane);
        else
            count_sure(guesses, n, counts, lane);
        ao_watch_done(w, scale > 0 ? n : n * SEARCH_UNITS);
    }
    for (size_t k = 1; lane && k < AO_COUNT_LANES; k++)
        for (size_t bin = 0; bin < bins; bin++)
            counts[bin] += counts[k * lane + bin];
}

/* ---- by key ---- */

/* Keys and what stands beside them, block by block; weights are NULL if there are none. */
typedef struct {
    const ao_span *keys, *weights;
    size_t at, n; /* the elements at .. at + n - 1 are in key and weight */
    ao_value key[BLOCK], weight[BLOCK];
} pairs;

static void start_pairs(pairs *p, const ao_span *keys, const ao_span *weights)
{
    p->keys = keys, p->weights = weights;
    p->at = p->n = 0;
}

/* The next block; 0 at the end, and where the watch says stop. */
static int next_pairs(pairs *p, ao_watch *w)
{
    ao_watch_done(w, p->n * PLACED_UNITS);
    p->at += p->n;
    if (p->at >= p->keys->count || w->stopped)
        return 0;
    p->n = block_at(p->at, p->keys->count);
    ao_load_values(p->keys, p->at, p->key, p->n);
    if (p->weights)
        ao_load_values(p->weights, p->at, p->weight, p->n);
    return 1;
}

/* A negative key is a large one here. */
void ao_count_keys(const ao_span *keys, size_t bins, int64_t *counts, ao_watch *w)
{
    pairs p;
    start_pairs(&p, keys, NULL);
    while (next_pairs(&p, w))
        for (size_t i = 0; i < p.n; i++)
            if (p.key[i].u < bins)
                counts[p.key[i].u]++;
}

void ao_sum_ints_by_key(const ao_span *keys, const ao_span *weights, size_t bins, ao_sum128 *sums, ao_watch *w)
{
    const int has_sign = ao_values_of(weights->type) == AO_SIGNED_VALUES;
    pairs p;
    start_pairs(&p, keys, weights);
    while (next_pairs(&p, w)) {
        for (size_t i = 0; i < p.n; i++) {
            if (p.key[i].u >= bins)
                continue;
            ao_sum128 *sum = &sums[p.key[i].u];
            sum->low += p.weight[i].u;
            sum->high += (has_sign && p.weight[i].i < 0 ? UINT64_MAX : 0) + (sum->low < p.weight[i].u);
        }
    }
}

void ao_group_by_key(const ao_span *keys, const ao_span *weights, size_t bins, const size_t *start, size_t *end,
                     double *grouped, ao_watch *w)
{
    pairs p;
    start_pairs(&p, keys, weights);
    while (next_pairs(&p, w)) {
        for (size_t i = 0; i < p.n; i++) {
            const uint64_t k = p.key[i].u;
            if (k < bins && end[k] < start[k + 1]) /* there is no room if keys have changed since they were counted */
                grouped[end[k]++] = p.weight[i].f;
        }
    }
}
