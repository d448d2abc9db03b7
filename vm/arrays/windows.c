/* Windows, block by block. A block is some thousand windows, at least as many as each has elements, and what is in them: it is
 * copied, so that loops read private memory, and whatever takes up numbers begins anew, so that an odd element makes
 * its own block slower and no other.
 *
 * In a block x[0] is the element that leaves when the first window begins, x[1] its first one: window j is x[j+1] .. x[j+n].
 * What would be before the array's beginning is filled with what changes nothing.
 *
 * Sums of doubles: each is cut at a power of two, so that the upper parts of a window are added and taken off without
 * rounding, and if the lower ones are, too, the sum of both sums is the nearest double of the exact sum (float_sum.c has more
 * on that). Where the numbers of a block are too unlike for that, they are added up as wide integers.
 */
#include "windows.h"
#include "float_sum.h"
#include "sort.h"
#include "values.h"
#include "wide.h"

#include <math.h>
#include <string.h>

enum {
    LINE = 64,             /* bytes */
    BLOCK = 1024,          /* windows at once, at least, or four times as many as a window has elements, */
    WIDEST_FOURFOLD = 4096, /* if those are not more: so an element is copied once and seldom twice */
    MEDIAN_BLOCK = 1 << 16,
    WIDE_UNITS = 16,       /* of work (watch.h) for a window: steps of wide integers */
    RATIO_UNITS = 64,      /* with a division */
    STEP_UNITS = 8         /* of a median */
};

size_t ao_windows_count(const ao_windows *windows)
{
    const size_t count = windows->span.count, left_out = windows->partial ? 0 : windows->n - 1;
    return count > left_out ? count - left_out : 0;
}

/* ---- blocks ---- */

/* A block: its room, and what is in it. */
typedef struct {
    const ao_windows *windows;
    enum ao_values values;
    size_t most;      /* windows of a block */
    size_t last;      /* the last element of its first window */
    size_t count;     /* windows in it */
    size_t padding;   /* elements at the front that are none */
    ao_value *x;      /* n + most elements; then three of the same length */
    ao_value *spare[3];
    uint8_t *odd;     /* of each whether it is a nan or an infinity, if there are any: these have been made 0 in x */
    int oddities;     /* there are some */
} block;

static size_t block_length(const ao_windows *windows, size_t least)
{
    const size_t all = ao_windows_count(windows), n = windows->n, wide = n < WIDEST_FOURFOLD ? 4 * n : n;
    const size_t most = wide > least ? wide : least;
    return most < all ? most : all;
}

/* Whole cache lines. */
static size_t row_length(const ao_windows *windows)
{
    const size_t in_line = LINE / sizeof(ao_value);
    return (windows->n + block_length(windows, BLOCK) + in_line - 1) / in_line * in_line;
}

static void open_block(block *b, const ao_windows *windows, void *room)
{
    b->windows = windows;
    b->values = ao_values_of(windows->span.type);
    b->most = block_length(windows, BLOCK);
    const size_t length = row_length(windows);
    b->x = (ao_value *)(((uintptr_t)room + LINE - 1) / LINE * LINE);
    for (size_t i = 0; i < 3; i++)
        b->spare[i] = b->x + (i + 1) * length;
    b->odd = (uint8_t *)(b->x + 4 * length);
}

static size_t block_room(const ao_windows *windows)
{
    const size_t length = row_length(windows), each = 4 * sizeof(ao_value) + 1;
    return length > PTRDIFF_MAX / each - LINE ? SIZE_MAX : length * each + LINE;
}

/* Copies the elements of the windows from number `first` on. */
static void load_block(block *b, size_t first, ao_value padding, ao_watch *w)
{
    const ao_windows *windows = b->windows;
    const size_t n = windows->n, left = ao_windows_count(windows) - first;
    b->count = left < b->most ? left : b->most;
    b->last = first + (windows->partial ? 0 : n - 1);
    b->padding = b->last < n ? n - b->last : 0;
    const size_t length = n + b->count, before = b->last + b->padding - n;
    for (size_t i = 0; i < b->padding; i++)
        b->x[i] = padding;
    for (size_t i = b->padding, end; i < length && !w->stopped; i = end) {
        end = ao_watch_part(i, length);
        ao_load_values(&windows->span, before + i - b->padding, b->x + i, end - i);
        ao_watch_done(w, end - i);
    }
}

/* Elements of window j. */
static size_t size_of(const block *b, size_t j)
{
    const size_t all = b->last + j + 1;
    return all < b->windows->n ? all : b->windows->n;
}

enum { IS_NAN = 1, IS_POSITIVE = 2, IS_NEGATIVE = 4 };

/* Notes nans and infinities, and makes them 0. */
static void put_odd_aside(block *b, ao_watch *w)
{
    const size_t length = b->windows->n + b->count;
    b->oddities = 1;
    for (size_t i = 0, end; i < length && !w->stopped; i = end) {
        end = ao_watch_part(i, length);
        for (size_t k = i; k < end; k++) {
            const double x = b->x[k].f;
            b->odd[k] = isnan(x) ? IS_NAN : isinf(x) ? (x > 0 ? IS_POSITIVE : IS_NEGATIVE) : 0;
            b->x[k].f = b->odd[k] ? 0 : x;
        }
        ao_watch_done(w, end - i);
    }
}

/* Of windows with nans and infinities: what those add up to; with `spread` nan. */
static void add_odd(const block *b, int spread, double *out, ao_watch *w)
{
    const size_t n = b->windows->n;
    size_t number[IS_NEGATIVE + 1] = {0};
    for (size_t k = 0; k < n; k++)
        number[b->odd[k]]++;
    for (size_t j = 0, end; j < b->count && !w->stopped; j = end) {
        end = ao_watch_part(j, b->count);
        for (size_t k = j; k < end; k++) {
            number[b->odd[n + k]]++;
            number[b->odd[k]]--;
            const int up = number[IS_POSITIVE] > 0, down = number[IS_NEGATIVE] > 0;
            if (number[IS_NAN] || (up && down) || (spread && (up || down)))
                out[k] = NAN;
            else if (up || down)
                out[k] = up ? INFINITY : -INFINITY;
        }
        ao_watch_done(w, end - j);
    }
}

/* ---- the numbers of a block as integers ---- */

/* The exponents of a block: numbers are multiples of 2^lowest, and below 2^highest. */
typedef struct {
    int lowest, highest;
} range;

static ao_wide_part integer_of(enum ao_values values, ao_value v, int lowest)
{
    if (values == AO_UNSIGNED_VALUES)
        return (ao_wide_part){v.u, 0, 0};
    if (values == AO_SIGNED_VALUES)
        return (ao_wide_part){v.i < 0 ? 0 - v.u : v.u, 0, v.i < 0};
    return ao_part_of_double(v.u, lowest);
}

static void survey(const block *b, uint64_t *largest, uint64_t *smallest, ao_watch *w)
{
    const size_t length = b->windows->n + b->count;
    *largest = 0;
    *smallest = UINT64_MAX;
    for (size_t i = 0, end; i < length && !w->stopped; i = end) {
        uint64_t high, low;
        end = ao_watch_part(i, length);
        b->windows->isa->reductions->survey(end - i, (const double *)b->x + i, &high, &low);
        *largest = high > *largest ? high : *largest;
        *smallest = low < *smallest ? low : *smallest;
        ao_watch_done(w, (end - i) / 4);
    }
}

/* Of a block of which nans and infinities have been put aside. */
static range range_of(block *b, ao_watch *w)
{
    uint64_t largest, smallest;
    b->oddities = 0;
    if (b->values != AO_FLOAT_VALUES)
        return (range){0, 64};
    survey(b, &largest, &smallest, w);
    if (largest >> 52 >= 0x7FF) {
        put_odd_aside(b, w);
        survey(b, &largest, &smallest, w);
    }
    if (largest == 0)
        return (range){0, 1};
    const int least = (int)(smallest >> 52), most = (int)(largest >> 52);
    return (range){(least ? least : 1) - 1075, (most ? most : 1) - 1022};
}

/* The least k for which n <= 2^k. */
static int log2_above(size_t n)
{
    int k = 0;
    while ((n - 1) >> k)
        k++;
    return k;
}

/* ---- sums of doubles ---- */

/* The power of two at which they are cut, times 1.5; 0 if that is not exact. */
static double bias_for(const block *b, range r)
{
    const int growth = log2_above(b->windows->n + 1), room = growth > 1 ? growth : 1;
    const int exponent = r.highest + room < -1022 ? -1022 : r.highest + room;
    if (!ao_arithmetic_is_standard() || exponent > 1022 || exponent + growth > 105 + r.lowest)
        return 0;
    const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return 1.5 * power;
}

static void sum_exact(const block *b, double bias, double divisor, double *out, ao_watch *w)
{
    const struct ao_reductions *kernels = b->windows->isa->reductions;
    const size_t n = b->windows->n, length = n + b->count;
    double *high = (double *)b->spare[0], *low = (double *)b->spare[1], above = 0, below = 0;
    for (size_t i = 0, end; i < length && !w->stopped; i = end) {
        end = ao_watch_part(i, length);
        kernels->cut(end - i, (const double *)b->x + i, bias, high + i, low + i);
        ao_watch_done(w, end - i);
    }
    for (size_t i = 0, end; i < n && !w->stopped; i = end) {
        end = ao_watch_part(i, n);
        for (size_t k = i; k < end; k++) {
            above += high[k];
            below += low[k];
        }
        ao_watch_done(w, end - i);
    }
    for (size_t j = 0, end; j < b->count && !w->stopped; j = end) {
        end = ao_watch_part(j, b->count);
        kernels->slide(n, end - j, high + j, low + j, above, below, divisor, out + j);
        for (size_t k = j; end < b->count && k < end; k++) {
            above += high[n + k] - high[k];
            below += low[n + k] - low[k];
        }
        ao_watch_done(w, end - j);
    }
}

static void add_integer(ao_wide *sum, const block *b, size_t i, int lowest, int negative)
{
    const ao_wide_part x = integer_of(b->values, b->x[i], lowest);
    if (x.mantissa)
        ao_wide_add(sum, x.mantissa, x.shift, x.negative != negative);
}

static void sum_wide(const block *b, range r, double *out, ao_watch *w)
{
    const size_t n = b->windows->n;
    ao_wide sum;
    ao_wide_start(&sum, (unsigned)(r.highest - r.lowest + log2_above(n + 1)));
    for (size_t i = 0; i < n && !w->stopped; i++) {
        add_integer(&sum, b, i, r.lowest, 0);
        ao_watch_done(w, WIDE_UNITS / 4);
    }
    for (size_t j = 0; j < b->count && !w->stopped; j++) {
        add_integer(&sum, b, n + j, r.lowest, 0);
        add_integer(&sum, b, j, r.lowest, 1);
        out[j] = ao_wide_to_double(&sum, r.lowest);
        ao_watch_done(w, WIDE_UNITS);
    }
}

static void divide(const block *b, double *out)
{
    for (size_t j = 0; j < b->count; j++)
        out[j] /= (double)size_of(b, j);
}

static int run_sums(block *b, enum ao_window what, size_t ddof, void *results, size_t first, ao_watch *w)
{
    double *out = (double *)results + first;
    (void)ddof;
    load_block(b, first, (ao_value){.f = 0}, w);
    const range r = range_of(b, w);
    if (w->stopped)
        return 1;
    const double bias = bias_for(b, r);
    const int divided = what == AO_WINDOW_MEAN && bias > 0 && size_of(b, 0) == b->windows->n;
    if (bias > 0)
        sum_exact(b, bias, divided ? (double)b->windows->n : 1, out, w);
    else
        sum_wide(b, r, out, w);
    if (what == AO_WINDOW_MEAN && !divided && !w->stopped)
        divide(b, out);
    if (b->oddities)
        add_odd(b, 0, out, w);
    return 1;
}

/* ---- sums of integers ---- */

static ao_128 as_128(enum ao_values values, ao_value v)
{
    return (ao_128){v.u, values == AO_SIGNED_VALUES && v.i < 0 ? UINT64_MAX : 0};
}

static ao_128 int_at(const block *b, size_t i)
{
    return as_128(b->values, b->x[i]);
}

static int run_int_sums(block *b, enum ao_window what, size_t ddof, void *results, size_t first, ao_watch *w)
{
    const size_t n = b->windows->n;
    ao_128 sum = {0, 0};
    int fits = 1;
    (void)ddof;
    load_block(b, first, (ao_value){0}, w);
    const int is_signed = b->windows->span.type != AO_TYPE_u64;
    for (size_t i = 0; i < n && !w->stopped; i++) {
        sum = ao_add_128(sum, int_at(b, i));
        ao_watch_done(w, 1);
    }
    for (size_t j = 0, end; j < b->count && !w->stopped; j = end) {
        end = ao_watch_part(j, b->count);
        for (size_t k = j; k < end; k++) {
            sum = ao_add_128(ao_add_128(sum, int_at(b, n + k)), ao_negate_128(int_at(b, k)));
            if (what == AO_WINDOW_MEAN) {
                ((double *)results)[first + k] = ao_double_of_128(sum) / (double)size_of(b, k);
            } else {
                ((uint64_t *)results)[first + k] = sum.low;
                fits &= sum.high == (is_signed && sum.low >> 63 ? UINT64_MAX : 0);
            }
        }
        ao_watch_done(w, end - j);
    }
    return fits;
}

/* ---- extremes ---- */

/* What no element goes behind: of smallest ones the largest number there is. */
static ao_value last_of(enum ao_values values, int largest)
{
    if (values == AO_FLOAT_VALUES)
        return (ao_value){.f = largest ? -INFINITY : INFINITY};
    if (values == AO_SIGNED_VALUES)
        return (ao_value){.i = largest ? INT64_MIN : INT64_MAX};
    return (ao_value){.u = largest ? 0 : UINT64_MAX};
}

/* M. van Herk, A fast algorithm for local minimum and maximum filters on rectangular and octagonal kernels, Pattern Recognition
 * Letters 13, 1992: in parts of n elements, a window is the end of one part and the front of the next. x begins with the
 * first window's first element. Of equals the earlier stays. */
#define DEFINE_EXTREMES(NAME, FIELD, TYPE, BEFORE)                                                  \
    static void NAME(const ao_value *x, size_t n, size_t count, ao_value *ends, ao_value *out, ao_watch *w) \
    {                                                                                              \
        for (size_t part = 0; part < count && !w->stopped; part += n) {                            \
            const size_t windows = count - part < n ? count - part : n;                            \
            TYPE best = x[part + n - 1].FIELD;                                                     \
            ends[n - 1].FIELD = best;                                                              \
            for (size_t i = n - 1, stop; i > 0 && !w->stopped; i = stop) {                         \
                stop = i > AO_WATCH_PART ? i - AO_WATCH_PART : 0;                                  \
                for (size_t k = i; k-- > stop;) {                                                  \
                    best = best BEFORE x[part + k].FIELD ? best : x[part + k].FIELD;               \
                    ends[k].FIELD = best;                                                          \
                }                                                                                  \
                ao_watch_done(w, i - stop);                                                        \
            }                                                                                      \
            out[part].FIELD = ends[0].FIELD;                                                       \
            if (windows > 1)                                                                       \
                best = x[part + n].FIELD;                                                          \
            for (size_t i = 1, stop; i < windows && !w->stopped; i = stop) {                       \
                stop = ao_watch_part(i, windows);                                                  \
                for (size_t k = i; k < stop; k++) {                                                \
                    const TYPE next = x[part + n + k - 1].FIELD;                                   \
                    best = next BEFORE best ? next : best;                                         \
                    out[part + k].FIELD = best BEFORE ends[k].FIELD ? best : ends[k].FIELD;        \
                }                                                                                  \
                ao_watch_done(w, stop - i);                                                        \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_EXTREMES(smallest_signed, i, int64_t, <)
DEFINE_EXTREMES(largest_signed, i, int64_t, >)
DEFINE_EXTREMES(smallest_unsigned, u, uint64_t, <)
DEFINE_EXTREMES(largest_unsigned, u, uint64_t, >)
DEFINE_EXTREMES(smallest_float, f, double, <)
DEFINE_EXTREMES(largest_float, f, double, >)

typedef void find_extremes(const ao_value *x, size_t n, size_t count, ao_value *ends, ao_value *out, ao_watch *w);
static find_extremes *const extremes[][2] = {
    [AO_SIGNED_VALUES] = {smallest_signed, largest_signed},
    [AO_UNSIGNED_VALUES] = {smallest_unsigned, largest_unsigned},
    [AO_FLOAT_VALUES] = {smallest_float, largest_float},
};

/* Elements with `last` in the place of nans: these lose against all others. */
static const ao_value *without_nans(const block *b, ao_value last, ao_watch *w)
{
    const size_t length = b->windows->n + b->count;
    for (size_t i = 0, end; i < length && !w->stopped; i = end) {
        end = ao_watch_part(i, length);
        for (size_t k = i; k < end; k++)
            b->spare[0][k].f = isnan(b->x[k].f) ? last.f : b->x[k].f;
        ao_watch_done(w, end - i);
    }
    return b->spare[0];
}

/* A nan that is the first element of its window is what Python finds. */
static void put_nans_in_front(const block *b, size_t j, size_t end)
{
    for (; j < end; j++) {
        const ao_value front = b->x[j + 1 > b->padding ? j + 1 : b->padding];
        if (isnan(front.f))
            b->spare[2][j] = front;
    }
}

static void store_values(enum ao_type type, const ao_value *from, void *to, size_t n)
{
#define STORE(T, field)                                      \
    case AO_TYPE_##T:                                        \
        for (size_t i = 0; i < n; i++)                       \
            ((ao_##T *)to)[i] = (ao_##T)from[i].field;       \
        break;
    switch (type) {
        STORE(i8, i) STORE(i16, i) STORE(i32, i) STORE(i64, i)
        STORE(u8, u) STORE(u16, u) STORE(u32, u) STORE(u64, u)
        STORE(f32, f) STORE(f64, f)
    default:
        break;
    }
}

static int run_extremes(block *b, enum ao_window what, size_t ddof, void *results, size_t first, ao_watch *w)
{
    const int largest = what == AO_WINDOW_MAX;
    const size_t n = b->windows->n;
    const enum ao_type type = b->windows->span.type;
    const ao_value last = last_of(b->values, largest);
    (void)ddof;
    load_block(b, first, last, w);
    const ao_value *x = b->values == AO_FLOAT_VALUES ? without_nans(b, last, w) : b->x;
    if (w->stopped)
        return 1;
    extremes[b->values][largest](x + 1, n, b->count, b->spare[1], b->spare[2], w);
    for (size_t j = 0, end; j < b->count && !w->stopped; j = end) {
        end = ao_watch_part(j, b->count);
        if (b->values == AO_FLOAT_VALUES)
            put_nans_in_front(b, j, end);
        store_values(type, b->spare[2] + j, (char *)results + (first + j) * ao_type_sizes[type], end - j);
        ao_watch_done(w, end - j);
    }
    return 1;
}

/* ---- variances ---- */

/* The sum of the numbers of a window, and of their squares. */
typedef struct {
    ao_wide sum, squares;
} spread;

static void add_to_spread(spread *s, const block *b, size_t i, int lowest, int negative)
{
    const ao_wide_part x = integer_of(b->values, b->x[i], lowest);
    if (!x.mantissa)
        return;
    const ao_128 square = ao_multiply_128(x.mantissa, x.mantissa);
    ao_wide_add(&s->sum, x.mantissa, x.shift, x.negative != negative);
    ao_wide_add(&s->squares, square.low, 2 * x.shift, negative);
    ao_wide_add(&s->squares, square.high, 2 * x.shift + 64, negative);
}

/* (number * sum of squares - square of sum) / (number * (number - ddof)) */
static double variance_of(const spread *s, size_t number, size_t ddof, int lowest, int root)
{
    ao_wide excess;
    if (number <= ddof)
        return NAN;
    ao_wide_excess(&excess, &s->squares, number, &s->sum);
    return ao_wide_ratio(&excess, (uint64_t)number * (number - ddof), 2 * lowest, root);
}

static int run_variances(block *b, enum ao_window what, size_t ddof, void *results, size_t first, ao_watch *w)
{
    const size_t n = b->windows->n;
    double *out = (double *)results + first;
    spread s;
    load_block(b, first, (ao_value){0}, w);
    const range r = range_of(b, w);
    if (w->stopped)
        return 1;
    const int bits = r.highest - r.lowest, growth = log2_above(n + 1);
    ao_wide_start(&s.sum, (unsigned)(bits + growth));
    ao_wide_start(&s.squares, (unsigned)(2 * bits + 64 + growth)); /* a square's upper half may be behind it, and 0 */
    for (size_t i = 0; i < n && !w->stopped; i++) {
        add_to_spread(&s, b, i, r.lowest, 0);
        ao_watch_done(w, WIDE_UNITS);
    }
    for (size_t j = 0; j < b->count && !w->stopped; j++) {
        add_to_spread(&s, b, n + j, r.lowest, 0);
        add_to_spread(&s, b, j, r.lowest, 1);
        out[j] = variance_of(&s, size_of(b, j), ddof, r.lowest, what == AO_WINDOW_STD);
        ao_watch_done(w, RATIO_UNITS);
    }
    if (b->oddities)
        add_odd(b, 1, out, w);
    return 1;
}

/* ---- medians ---- */

/* A set of numbers below 2^32 by bits; a bit of each level above says whether there are any in a word of the level below. So
 * the next one in the set is a few steps away, wherever it is. */
enum { LEVELS = 6, WORD = 64 };
typedef struct {
    unsigned levels;
    uint64_t *level[LEVELS];
} set;

static size_t words_for(size_t size, unsigned level)
{
    for (unsigned i = 0; i <= level; i++)
        size = (size + WORD - 1) / WORD;
    return size;
}

static size_t set_words(size_t size)
{
    size_t words = 0;
    for (unsigned level = 0; level < LEVELS; level++)
        words += words_for(size, level);
    return words;
}

static void open_set(set *s, size_t size, uint64_t *memory)
{
    s->levels = 0;
    memset(memory, 0, set_words(size) * sizeof *memory);
    for (unsigned level = 0; level < LEVELS; level++) {
        s->level[level] = memory;
        memory += words_for(size, level);
        s->levels++;
        if (words_for(size, level) == 1)
            break;
    }
}

static void insert(set *s, size_t i)
{
    for (unsigned level = 0; level < s->levels; level++, i /= WORD)
        s->level[level][i / WORD] |= UINT64_C(1) << i % WORD;
}

static void erase(set *s, size_t i)
{
    for (unsigned level = 0; level < s->levels; level++, i /= WORD) {
        s->level[level][i / WORD] &= ~(UINT64_C(1) << i % WORD);
        if (s->level[level][i / WORD])
            return;
    }
}

/* The next one above i (up) or below it; SIZE_MAX if there is none. */
static size_t neighbour(const set *s, size_t i, int up)
{
    for (unsigned level = 0; level < s->levels; level++, i /= WORD) {
        const unsigned bit = i % WORD;
        const uint64_t others = up ? (UINT64_MAX << bit) << 1 : (UINT64_C(1) << bit) - 1;
        uint64_t found = s->level[level][i / WORD] & others;
        if (!found)
            continue;
        i = i / WORD * WORD;
        for (;; level--) {
            i += (size_t)(up ? ao_trailing_zeros(found) : WORD - 1 - ao_leading_zeros(found));
            if (level == 0)
                return i;
            found = s->level[level - 1][i];
            i *= WORD;
        }
    }
    return SIZE_MAX;
}

/* The elements of a block of windows, their places in order, and the window's among those. */
typedef struct {
    size_t count;      /* elements */
    ao_value *x;
    int64_t *order;    /* the place of each in order */
    uint32_t *rank;    /* where each is in order */
    set in;            /* ranks of the window's elements */
    size_t number;     /* of them */
    size_t at, below;  /* the lower one in the middle, and how many are below it */
    size_t nans;
} medians;

static void enter(medians *m, size_t i, int is_float)
{
    const size_t rank = m->rank[i];
    m->nans += is_float && isnan(m->x[i].f);
    insert(&m->in, rank);
    if (m->number++ == 0) {
        m->at = rank;
        m->below = 0;
    }
    m->below += rank < m->at;
}

static void leave(medians *m, size_t i, int is_float)
{
    const size_t rank = m->rank[i];
    m->nans -= is_float && isnan(m->x[i].f);
    m->below -= rank < m->at;
    if (rank == m->at) {
        const size_t next = neighbour(&m->in, rank, 1), before = next == SIZE_MAX ? neighbour(&m->in, rank, 0) : next;
        m->below -= next == SIZE_MAX && before != SIZE_MAX;
        m->at = before;
    }
    erase(&m->in, rank);
    m->number--;
}

static void settle(medians *m)
{
    for (; m->below < (m->number - 1) / 2; m->below++)
        m->at = neighbour(&m->in, m->at, 1);
    for (; m->below > (m->number - 1) / 2; m->below--)
        m->at = neighbour(&m->in, m->at, 0);
}

static double as_double(enum ao_values values, ao_value v)
{
    return values == AO_FLOAT_VALUES ? v.f : values == AO_SIGNED_VALUES ? (double)v.i : (double)v.u;
}

static double median_of(const medians *m, enum ao_values values)
{
    if (m->nans)
        return NAN;
    const ao_value low = m->x[m->order[m->at]];
    if (m->number % 2)
        return as_double(values, low);
    const ao_value high = m->x[m->order[neighbour(&m->in, m->at, 1)]];
    if (values == AO_FLOAT_VALUES)
        return (low.f + high.f) / 2;
    return ao_double_of_128(ao_add_128(as_128(values, low), as_128(values, high))) / 2;
}

static enum ao_type type_of_values(enum ao_values values)
{
    return values == AO_FLOAT_VALUES ? AO_TYPE_f64 : values == AO_SIGNED_VALUES ? AO_TYPE_i64 : AO_TYPE_u64;
}

static size_t medians_length(const ao_windows *windows)
{
    const size_t length = windows->n - 1 + block_length(windows, MEDIAN_BLOCK);
    return length < windows->span.count ? length : windows->span.count;
}

static size_t medians_room(const ao_windows *windows)
{
    const size_t n = medians_length(windows), sorting = ao_argsort_room(AO_TYPE_u64, n);
    const size_t each = sizeof(ao_value) + sizeof(int64_t) + sizeof(uint32_t) + 1;
    if (n > UINT32_MAX || sorting == SIZE_MAX || n > (PTRDIFF_MAX - sorting) / (2 * each))
        return SIZE_MAX;
    return sorting + n * each + (set_words(n) + 1) * sizeof(uint64_t);
}

/* Sorts the elements first .. end-1. */
static void open_medians(medians *m, const ao_windows *windows, size_t first, size_t end, void *room, ao_watch *w)
{
    const enum ao_type type = type_of_values(ao_values_of(windows->span.type));
    const size_t n = end - first;
    char *pairs = room;
    m->count = n;
    m->x = (ao_value *)(void *)(pairs + ao_argsort_room(AO_TYPE_u64, n));
    m->order = (int64_t *)(m->x + n);
    uint64_t *words = (uint64_t *)(m->order + n);
    m->rank = (uint32_t *)(words + set_words(n));
    m->number = m->nans = m->below = 0;
    m->at = SIZE_MAX;
    open_set(&m->in, n, words);
    for (size_t i = 0, stop; i < n && !w->stopped; i = stop) {
        stop = ao_watch_part(i, n);
        ao_load_values(&windows->span, first + i, m->x + i, stop - i);
        ao_watch_done(w, stop - i);
    }
    if (!w->stopped)
        ao_argsort(&(ao_span){m->x, {0, 0, AO_AS_IS}, type, n}, 0, pairs, NULL, m->order, w);
    for (size_t i = 0, stop; i < n && !w->stopped; i = stop) {
        stop = ao_watch_part(i, n);
        for (size_t k = i; k < stop; k++)
            m->rank[m->order[k]] = (uint32_t)k;
        ao_watch_done(w, STEP_UNITS * (stop - i));
    }
}

static void run_medians(const ao_windows *windows, void *room, double *out, ao_watch *w)
{
    const size_t all = ao_windows_count(windows), most = block_length(windows, MEDIAN_BLOCK), n = windows->n;
    const enum ao_values values = ao_values_of(windows->span.type);
    const int is_float = values == AO_FLOAT_VALUES;
    for (size_t first = 0; first < all && !w->stopped; first += most) {
        const size_t count = all - first < most ? all - first : most;
        const size_t last = first + (windows->partial ? 0 : n - 1), start = last + 1 > n ? last + 1 - n : 0;
        medians m;
        open_medians(&m, windows, start, last + count, room, w);
        for (size_t i = 0; i < last - start && !w->stopped; i++) {
            enter(&m, i, is_float);
            ao_watch_done(w, STEP_UNITS);
        }
        for (size_t j = 0; j < count && !w->stopped; j++) {
            const size_t i = last + j - start;
            enter(&m, i, is_float);
            if (i >= n)
                leave(&m, i - n, is_float);
            settle(&m);
            out[first + j] = median_of(&m, values);
            ao_watch_done(w, STEP_UNITS);
        }
    }
}

/* ---- all kinds ---- */

typedef int run_block(block *b, enum ao_window what, size_t ddof, void *out, size_t first, ao_watch *w);
static run_block *const runs[AO_WINDOW_KINDS][2] = { /* of ints, of floats */
    [AO_WINDOW_SUM] = {run_int_sums, run_sums},
    [AO_WINDOW_MEAN] = {run_int_sums, run_sums},
    [AO_WINDOW_MIN] = {run_extremes, run_extremes},
    [AO_WINDOW_MAX] = {run_extremes, run_extremes},
    [AO_WINDOW_VAR] = {run_variances, run_variances},
    [AO_WINDOW_STD] = {run_variances, run_variances},
};

size_t ao_windows_room(const ao_windows *windows, enum ao_window what)
{
    return what == AO_WINDOW_MEDIAN ? medians_room(windows) : block_room(windows);
}

int ao_windows_run(const ao_windows *windows, enum ao_window what, size_t ddof, void *room, void *out, ao_watch *w)
{
    const size_t all = ao_windows_count(windows);
    if (what == AO_WINDOW_MEDIAN) {
        run_medians(windows, room, out, w);
        return 1;
    }
    block b;
    int fits = 1;
    open_block(&b, windows, room);
    for (size_t first = 0; first < all && !w->stopped; first += b.most)
        fits &= runs[what][b.values == AO_FLOAT_VALUES](&b, what, ddof, out, first, w);
    return fits;
}
