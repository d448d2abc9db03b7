/* Exact reductions of plain arrays: integer sums in 128 bits, correctly rounded float sums, and the first extreme.
 *
 * What always holds: every total is exact until the single rounding at its end, so an answer depends on the elements
 * alone, not on their order, the block size or the instruction set. Everything lives on the stack. When ao_sum_float
 * cannot promise math.fsum's answer (inf, nan, numbers near overflow) it says so and must not guess.
 */
#include "reduce.h"
#include "float_sum.h"

#include <math.h>
#include <string.h>

/* ---- integers ---- */

static void add_128(int64_t *high, uint64_t *low, uint64_t add_high, uint64_t add_low)
{
    *low += add_low;
    *high = (int64_t)((uint64_t)*high + add_high + (*low < add_low));
}

static void subtract_128(int64_t *high, uint64_t *low, uint64_t sub_high, uint64_t sub_low)
{
    *high = (int64_t)((uint64_t)*high - sub_high - (*low < sub_low));
    *low -= sub_low;
}

static unsigned log2_size(enum ao_type type)
{
    unsigned size = ao_type_sizes[type], log = 0;
    while (size >> log != 1)
        log++;
    return log;
}

static void add_words(const ao_isa *isa, unsigned log_size, const void *a, size_t words, uint64_t flip, int64_t *high,
                      uint64_t *low)
{
    uint64_t even, odd;
    isa->reductions->fields[log_size](words, a, flip, &even, &odd);
    add_128(high, low, 0, even);
    if (log_size == 3)
        add_128(high, low, odd >> 32, odd << 32);
    else
        add_128(high, low, 0, odd);
}

/* Signed elements are summed with their top bit flipped, which adds 2^top to each, and n * 2^top is taken off at the
 * end. */
void ao_sum_int(const ao_isa *isa, enum ao_type type, const void *a, size_t n, int64_t *high, uint64_t *low)
{
    const unsigned log_size = log2_size(type);
    const unsigned top = (8u << log_size) - 1;
    uint64_t flip = ao_is_signed(type) ? UINT64_C(1) << top : 0;
    for (unsigned bits = top + 1; bits < 64; bits *= 2)
        flip |= flip << bits;

    const unsigned char *bytes = a;
    size_t words = n >> (3 - log_size);
    *high = 0;
    *low = 0;
    while (words > 0) {
        size_t now = words < AO_SUM_WORDS ? words : AO_SUM_WORDS;
        add_words(isa, log_size, bytes, now, flip, high, low);
        bytes += 8 * now;
        words -= now;
    }
    size_t left = (n << log_size) & 7;
    if (left) {
        uint64_t word = flip; /* flips to zeros where there is no element */
        memcpy(&word, bytes, left);
        add_words(isa, log_size, &word, 1, flip, high, low);
    }
    if (flip)
        subtract_128(high, low, (uint64_t)n >> (64 - top), (uint64_t)n << top);
}

/* ---- spans ---- */

enum {
    GATHERED = 1024,              /* elements copied at once where they are not side by side */
    LONG_PART = AO_WATCH_EVERY,   /* elements at once where they are */
    READS = 4                     /* elements for one unit of work: these are only read */
};
_Static_assert((int)GATHERED % (int)AO_EXTRACT_BLOCK == 0 && (int)LONG_PART % (int)AO_EXTRACT_BLOCK == 0, "whole blocks");

/* Elements from `first` on, side by side: in place, or at `local` (GATHERED of them). *n: how many. */
static const void *part_of(const ao_span *span, size_t first, uint64_t *local, size_t *n)
{
    const size_t size = ao_type_sizes[span->type], left = span->count - first;
    if (!span->spacing.stride) {
        *n = left < LONG_PART ? left : LONG_PART;
        return (const char *)span->data + first * size;
    }
    *n = left < GATHERED ? left : GATHERED;
    ao_gather(local, ao_along(span->data, first, span->spacing.stride), span->spacing, size, *n);
    return local;
}

/* Not worth a look, and side by side. */
static int is_short(const ao_span *span)
{
    return !span->spacing.stride && span->count <= LONG_PART;
}

void ao_span_sum_int(const ao_isa *isa, const ao_span *span, int64_t *high, uint64_t *low, ao_watch *w)
{
    uint64_t local[GATHERED];
    if (is_short(span)) {
        ao_sum_int(isa, span->type, span->data, span->count, high, low);
        return;
    }
    *high = 0;
    *low = 0;
    for (size_t first = 0, n; first < span->count && !w->stopped; first += n) {
        const void *part = part_of(span, first, local, &n);
        int64_t part_high;
        uint64_t part_low;
        ao_sum_int(isa, span->type, part, n, &part_high, &part_low);
        add_128(high, low, (uint64_t)part_high, part_low);
        ao_watch_done(w, n / READS);
    }
}

/* ---- floats ---- */

static int sum_doubles(ao_float_sum *sum, const double *x, size_t n)
{
    return ao_float_sum_add(sum, x, n) == n;
}

static int sum_floats(ao_float_sum *sum, const float *x, size_t n)
{
    double wide[AO_EXTRACT_BLOCK];
    for (size_t now; n > 0; x += now, n -= now) {
        now = n < AO_EXTRACT_BLOCK ? n : AO_EXTRACT_BLOCK;
        sum->kernels->widen(now, x, wide);
        if (!sum_doubles(sum, wide, now))
            return 0;
    }
    return 1;
}

int ao_sum_float(const ao_isa *isa, enum ao_type type, const void *a, size_t n, double *sum)
{
    ao_float_sum state;
    ao_float_sum_start(&state, isa->reductions, AO_EXTRACT_AHEAD);
    if (!(type == AO_TYPE_f32 ? sum_floats(&state, a, n) : sum_doubles(&state, a, n)))
        return 0;
    *sum = ao_float_sum_rounded(&state);
    return 1;
}

int ao_span_sum_float(const ao_isa *isa, const ao_span *span, double *sum, ao_watch *w)
{
    if (is_short(span))
        return ao_sum_float(isa, span->type, span->data, span->count, sum);
    uint64_t local[GATHERED];
    ao_float_sum state;
    int known = 1;
    ao_float_sum_start(&state, isa->reductions, span->spacing.stride ? 0 : AO_EXTRACT_AHEAD);
    for (size_t first = 0, n; first < span->count && known && !w->stopped; first += n) {
        const void *part = part_of(span, first, local, &n);
        known = span->type == AO_TYPE_f32 ? sum_floats(&state, part, n) : sum_doubles(&state, part, n);
        ao_watch_done(w, n / READS);
    }
    if (known)
        *sum = ao_float_sum_rounded(&state);
    return known;
}

/* ---- extremes ---- */

size_t ao_extreme(const ao_isa *isa, enum ao_type type, const void *a, size_t n, int largest)
{
    return isa->reductions->extreme[largest != 0][type](n, a);
}

static size_t count_nans(enum ao_type type, const void *a, size_t n)
{
    size_t i = 0;
    if (type == AO_TYPE_f32)
        while (i < n && isnan(((const float *)a)[i]))
            i++;
    if (type == AO_TYPE_f64)
        while (i < n && isnan(((const double *)a)[i]))
            i++;
    return i;
}

int ao_goes_before(enum ao_type type, const void *a, const void *b, int largest)
{
#define BEFORE(T, op)                                   \
    case AO_TYPE_##T: {                                 \
        ao_##T x, y;                                    \
        memcpy(&x, a, sizeof x);                        \
        memcpy(&y, b, sizeof y);                        \
        return largest ? x > y : x < y;                 \
    }
    switch (type) {
        AO_LIST_INTS(BEFORE, none)
        BEFORE(f32, none)
        BEFORE(f64, none)
    default:
        return 0;
    }
}

#define DEFINE_HAS_NAN(T)                                               \
    static unsigned has_nan_##T(const ao_##T *x, size_t n)              \
    {                                                                   \
        unsigned found = 0;                                             \
        for (size_t i = 0; i < n; i++)                                  \
            found |= x[i] != x[i];                                      \
        return found;                                                   \
    }
DEFINE_HAS_NAN(f32)
DEFINE_HAS_NAN(f64)

int ao_span_has_nan(const ao_span *span, ao_watch *w)
{
    const int is_f32 = span->type == AO_TYPE_f32;
    uint64_t local[GATHERED];
    unsigned found = 0;
    if (!is_f32 && span->type != AO_TYPE_f64)
        return 0;
    for (size_t first = 0, n; first < span->count && !found && !w->stopped; first += n) {
        const void *part = part_of(span, first, local, &n);
        found = is_f32 ? has_nan_f32(part, n) : has_nan_f64(part, n);
        ao_watch_done(w, n / READS);
    }
    return found != 0;
}

/* A nan counts if it is the first element of all; those at the front of a later part are passed over here. */
static int find_extreme(const ao_isa *isa, const ao_span *span, int largest, int behind, void *element, size_t *place,
                        ao_watch *w)
{
    const size_t size = ao_type_sizes[span->type];
    uint64_t local[GATHERED];
    int found = 0;
    for (size_t first = 0, n; first < span->count && !w->stopped; first += n) {
        const char *part = part_of(span, first, local, &n);
        const size_t nans = count_nans(span->type, part, n), skipped = first || behind ? nans : 0;
        if (skipped < n) {
            const size_t at = skipped + ao_extreme(isa, span->type, part + skipped * size, n - skipped, largest);
            char candidate[8];
            memcpy(candidate, part + at * size, size);
            if (!found || ao_goes_before(span->type, candidate, element, largest)) {
                memcpy(element, candidate, size);
                *place = first + at;
                found = 1;
            }
        }
        if (nans && skipped < nans)
            break;
        ao_watch_done(w, n / READS);
    }
    return found;
}

size_t ao_span_extreme(const ao_isa *isa, const ao_span *span, int largest, void *element, ao_watch *w)
{
    size_t found = 0;
    if (is_short(span)) {
        const size_t size = ao_type_sizes[span->type];
        found = ao_extreme(isa, span->type, span->data, span->count, largest);
        memcpy(element, (const char *)span->data + found * size, size);
    } else {
        find_extreme(isa, span, largest, 0, element, &found, w);
    }
    return found;
}

int ao_span_extreme_behind(const ao_isa *isa, const ao_span *span, int largest, void *element, size_t *place, ao_watch *w)
{
    return find_extreme(isa, span, largest, 1, element, place, w);
}
