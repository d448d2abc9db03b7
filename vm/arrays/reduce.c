/* Exact reductions of plain arrays: integer sums in 128 bits, correctly rounded float sums, and the first extreme.
 *
 * What always holds: every total is exact until the single rounding at its end, so an answer depends on the elements
 * alone, not on their order, the block size or the instruction set. Everything lives on the stack. When ao_sum_float
 * cannot promise math.fsum's answer (inf, nan, numbers near overflow) it says so and must not guess.
 */
#include "reduce.h"
#include "float_sum.h"

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

/* ---- extremes ---- */

size_t ao_extreme(const ao_isa *isa, enum ao_type type, const void *a, size_t n, int largest)
{
    return isa->reductions->extreme[largest != 0][type](n, a);
}
