/* A group's sum and the sum of its squares are wide integers (wide.h) in units of its least place, as wide as its own numbers
 * need: prices of a few digits take a limb or two. */
#include "groups.h"
#include "wide.h"

#include <math.h>
#include <string.h>

enum { GROUP_UNITS = 64, ELEMENT_UNITS = 4 }; /* of work (watch.h) */

/* The numbers of a group, read once: others may write them meanwhile, so nothing that was found is relied on. */
typedef struct {
    const uint64_t *bits;
    size_t n;
    int floats;
    int lowest, highest; /* floats are multiples of 2^lowest and below 2^highest, while nobody writes them */
} group;

static int exponent_of(uint64_t bits)
{
    const int exponent = (int)(bits >> 52 & 0x7FF);
    return exponent ? exponent : 1;
}

/* Finds the exponents; 0 if a number is not finite. */
static int survey(group *g)
{
    int least = 0x7FF, most = 1;
    for (size_t i = 0; i < g->n; i++) {
        const int exponent = exponent_of(g->bits[i]);
        least = exponent < least && g->bits[i] << 1 ? exponent : least;
        most = exponent > most ? exponent : most;
    }
    g->lowest = (least == 0x7FF ? 1 : least) - 1075;
    g->highest = most - 1022;
    return most < 0x7FF;
}

/* Number i as an integer in units of 2^lowest; 0 for one that changed and is out of the range. */
static ao_wide_part part_of(const group *g, size_t i)
{
    const uint64_t bits = g->bits[i];
    if (!g->floats) {
        return (ao_wide_part){bits >> 63 ? 0 - bits : bits, 0, bits >> 63 != 0};
    }
    const ao_wide_part part = ao_part_of_double(bits, g->lowest);
    return exponent_of(bits) - 1022 > g->highest || exponent_of(bits) - 1075 < g->lowest ? (ao_wide_part){0, 0, 0} : part;
}

static unsigned log2_above(size_t n)
{
    unsigned k = 0;
    while (n >> k) {
        k++;
    }
    return k;
}

typedef struct {
    ao_wide sum, squares;
} sums;

static void add_up(const group *g, sums *s)
{
    const unsigned bits = (unsigned)(g->highest - g->lowest), growth = log2_above(g->n);
    ao_wide_start(&s->sum, bits + growth);
    ao_wide_start(&s->squares, 2 * bits + 64 + growth); /* a square's upper half may be behind it, and 0 */
    for (size_t i = 0; i < g->n; i++) {
        const ao_wide_part part = part_of(g, i);
        if (part.mantissa) {
            const ao_128 square = ao_multiply_128(part.mantissa, part.mantissa);
            ao_wide_add(&s->sum, part.mantissa, part.shift, part.negative);
            ao_wide_add(&s->squares, square.low, 2 * part.shift, 0);
            ao_wide_add(&s->squares, square.high, 2 * part.shift + 64, 0);
        }
    }
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void put_double(void *to, size_t i, double x)
{
    x += 0.0; /* a zero without sign */
    memcpy((char *)to + i * sizeof x, &x, sizeof x);
}

static void put_extremes(const group *g, const ao_group_figures *to, size_t k)
{
    uint64_t low = g->bits[0], high = low;
    for (size_t i = 1; i < g->n; i++) {
        const uint64_t x = g->bits[i];
        if (g->floats) {
            low = double_of(x) < double_of(low) ? x : low;
            high = double_of(x) > double_of(high) ? x : high;
        } else {
            low = (int64_t)x < (int64_t)low ? x : low;
            high = (int64_t)x > (int64_t)high ? x : high;
        }
    }
    if (g->floats) {
        put_double(to->lows, k, double_of(low));
        put_double(to->highs, k, double_of(high));
    } else {
        memcpy((char *)to->lows + k * sizeof low, &low, sizeof low);
        memcpy((char *)to->highs + k * sizeof high, &high, sizeof high);
    }
}

/* The sum, if its type holds it. */
static int put_sum(const group *g, const sums *s, const ao_group_figures *to, size_t k)
{
    double sum = ao_wide_to_double(&s->sum, g->lowest);
    if (!g->floats) {
        const uint64_t low = s->sum.limb[0], sign = 0 - (low >> 63);
        for (unsigned i = 1; i < s->sum.limbs; i++) {
            if (s->sum.limb[i] != sign) {
                return 0;
            }
        }
        memcpy((char *)to->sums + k * sizeof low, &low, sizeof low);
    } else if (isfinite(sum)) {
        put_double(to->sums, k, sum);
    } else {
        return 0;
    }
    to->means[k] = sum / (double)g->n + 0.0;
    return 1;
}

static void figures_of(group *g, const ao_group_figures *to, size_t k)
{
    sums s;
    ao_wide excess;
    to->states[k] = AO_GROUP_OTHER;
    if (g->floats && !survey(g)) {
        return;
    }
    add_up(g, &s);
    if (!put_sum(g, &s, to, k)) {
        return;
    }
    put_extremes(g, to, k);
    ao_wide_excess(&excess, &s.squares, g->n, &s.sum);
    to->variances[k] = ao_wide_ratio(&excess, (uint64_t)g->n * g->n, 2 * g->lowest, 0);
    to->deviations[k] = ao_wide_ratio(&excess, (uint64_t)g->n * g->n, 2 * g->lowest, 1);
    to->states[k] = AO_GROUP_DONE;
}

void ao_figures_of_groups(enum ao_type type, const void *values, size_t count, const int64_t *begins, size_t groups,
                          const ao_group_figures *to, ao_watch *w)
{
    for (size_t k = 0; k < groups && !w->stopped; k++) {
        const uint64_t begin = (uint64_t)begins[k], end = (uint64_t)begins[k + 1];
        group g = {NULL, 0, type == AO_TYPE_f64, 0, 64};
        if (begin < end && end <= count && end - begin < (uint64_t)1 << 31) { /* the square of which is a divisor */
            g.bits = (const uint64_t *)values + begin;
            g.n = (size_t)(end - begin);
            figures_of(&g, to, k);
        } else {
            to->states[k] = begin < end ? AO_GROUP_OTHER : AO_GROUP_EMPTY;
        }
        ao_watch_done(w, GROUP_UNITS + ELEMENT_UNITS * g.n);
    }
}
