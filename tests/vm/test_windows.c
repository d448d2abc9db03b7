/* Windows over an array: each result is that of a run over the window's elements alone, whatever the array is cut into, and
 * that is checked against a loop over them. Searching, histograms and sums by key likewise. test_windows [seed] */
#include <math.h>

#include "check.h"
#include "arrays/counting.h"
#include "arrays/reduce.h"
#include "arrays/windows.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const ao_isa *isa;

static void *memory(size_t bytes)
{
    void *found = malloc(bytes ? bytes : 1);
    if (!found)
        abort();
    return found;
}

/* ---- arrays ---- */

static double number(uint64_t *state, int kind)
{
    const uint64_t bits = random_u64(state);
    const double unit = (double)(bits >> 11) * 0x1p-53 - .5;
    switch (kind) {
    case 0: return unit;
    case 1: return ldexp(unit, (int)(bits % 2000) - 1000);
    case 2: return (double)(int64_t)(bits % 200) - 100;
    case 3: return bits % 500 ? unit : bits % 3 ? INFINITY : NAN;
    case 4: return bits % 2 ? 0.0 : -0.0;
    default: return bits % 900 ? unit : 1e16;
    }
}
enum { KINDS = 6 };

static ao_span span_of(const double *x, size_t n)
{
    return (ao_span){x, {0, 0, AO_AS_IS}, AO_TYPE_f64, n};
}

/* ---- windows ---- */

static int run(enum ao_window what, ao_span span, size_t n, int partial, void *out)
{
    const ao_windows windows = {isa, span, n, partial};
    void *room = memory(ao_windows_room(&windows, what));
    const int fits = ao_windows_run(&windows, what, 0, room, out, UNWATCHED);
    free(room);
    return fits;
}

static int same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* What a loop over the elements finds, where that is easily said; else what is given. */
static double by_loop(enum ao_window what, const double *x, size_t n, double otherwise)
{
    double found = x[0], sum;
    if (what == AO_WINDOW_SUM && ao_sum_float(isa, AO_TYPE_f64, x, n, &sum))
        return sum;
    if (what != AO_WINDOW_MIN && what != AO_WINDOW_MAX)
        return otherwise;
    for (size_t i = 1; i < n; i++)
        found = (what == AO_WINDOW_MIN ? x[i] < found : x[i] > found) ? x[i] : found;
    return found;
}

static void check_windows(uint64_t *state, size_t count, size_t n, int kind)
{
    double *x = memory(count * sizeof *x), *out = memory(count * sizeof *out), alone;
    for (size_t i = 0; i < count; i++)
        x[i] = number(state, kind);
    for (int partial = 0; partial < 2; partial++)
        for (int what = 0; what < AO_WINDOW_KINDS; what++) {
            const size_t first = partial ? 0 : n - 1, windows = count > first ? count - first : 0;
            run((enum ao_window)what, span_of(x, count), n, partial, out);
            for (size_t tries = 0; windows && tries < 60; tries++) {
                const size_t j = tries < 3 ? tries % windows : tries == 3 ? windows - 1 : random_u64(state) % windows;
                const size_t last = j + first, start = last + 1 > n ? last + 1 - n : 0, size = last + 1 - start;
                run((enum ao_window)what, span_of(x + start, size), size, 0, &alone);
                const double want = by_loop((enum ao_window)what, x + start, size, alone);
                CHECK(same(out[j], alone) && same(alone, want), "window %zu of %zu in %zu, figure %d, kind %d: %a, %a, %a", j,
                      n, count, what, kind, out[j], alone, want);
            }
        }
    free(x);
    free(out);
}

static void check_ints(uint64_t *state)
{
    enum { N = 9000, WIDTH = 70 };
    static int64_t x[N], sums[N], least[N];
    for (size_t i = 0; i < N; i++)
        x[i] = (int64_t)(random_u64(state) >> 8) - (INT64_C(1) << 55);
    const ao_span span = {x, {0, 0, AO_AS_IS}, AO_TYPE_i64, N};
    CHECK(run(AO_WINDOW_SUM, span, WIDTH, 0, sums) == 1, "sums fit");
    run(AO_WINDOW_MIN, span, WIDTH, 0, least);
    for (size_t j = 0; j + WIDTH <= N; j++) {
        int64_t sum = 0, smallest = INT64_MAX;
        for (size_t i = j; i < j + WIDTH; i++) {
            sum += x[i];
            smallest = x[i] < smallest ? x[i] : smallest;
        }
        CHECK(sums[j] == sum && least[j] == smallest, "ints, window %zu", j);
    }
    x[5] = x[6] = INT64_MAX;
    CHECK(run(AO_WINDOW_SUM, span, 2, 0, sums) == 0, "a sum that does not fit");
}

/* A variance of numbers whose squares underflow, and one that is too large, by hand. */
static void check_odd_variances(void)
{
    const double tiny[] = {0x1p-1074, 0x1p-1073, 0x1.8p-1073, 0x1p-500, 0x1.8p-500};
    double out[5];
    run(AO_WINDOW_STD, span_of(tiny, 2), 2, 0, out);
    CHECK(out[0] == 0, "half of the smallest number is rounded to even: %a", out[0]);
    run(AO_WINDOW_VAR, span_of(tiny + 3, 2), 2, 0, out);
    CHECK(out[0] == 0x1p-1004, "%a", out[0]);
    const double large[] = {0x1p1023, -0x1p1023};
    run(AO_WINDOW_VAR, span_of(large, 2), 2, 0, out);
    CHECK(isinf(out[0]), "%a", out[0]);
    run(AO_WINDOW_STD, span_of(large, 2), 2, 0, out);
    CHECK(out[0] == 0x1p1023, "%a", out[0]);
}

/* ---- the watch ---- */

static void check_watch(void)
{
    enum { N = 1 << 20 };
    double *x = memory(N * sizeof *x), *out = memory(N * sizeof *out);
    for (size_t i = 0; i < N; i++)
        x[i] = (double)(i % 1000);
    for (int what = 0; what < AO_WINDOW_KINDS; what++)
        for (size_t n = 100; n < N; n *= 2000) {
            const ao_windows windows = {isa, span_of(x, N), n, 1};
            void *room = memory(ao_windows_room(&windows, (enum ao_window)what));
            looks l = {0, 1};
            ao_watch w = {.call = count_look, .context = &l};
            ao_windows_run(&windows, (enum ao_window)what, 0, room, out, &w);
            CHECK(w.stopped && l.calls == 1, "figure %d: not stopped", what);
            CHECK(w.largest <= 16 * AO_WATCH_PART, "figure %d: %zu units at once", what, w.largest);
            free(room);
        }
    free(x);
    free(out);
}

/* ---- counting ---- */

static void check_counting(uint64_t *state)
{
    enum { N = 5000, BINS = 9 };
    static double x[N], edges[BINS + 1];
    static int32_t keys[N];
    static int64_t counts[BINS * AO_COUNT_LANES], places[N];
    size_t wrong = 0;
    for (size_t i = 0; i < N; i++) {
        x[i] = number(state, i % 2 ? 3 : 2);
        keys[i] = (int32_t)(random_u64(state) % 12) - 2;
    }
    for (size_t i = 0; i <= BINS; i++)
        edges[i] = -.5 + (double)i / BINS;
    const ao_span span = span_of(x, N), sorted = span_of(edges, BINS + 1);
    const double scales[] = {0, BINS, 1, INFINITY};
    for (size_t s = 0; s < COUNT(scales); s++) {
        memset(counts, 0, sizeof counts);
        ao_histogram(isa, &span, edges, BINS, scales[s], counts, UNWATCHED);
        for (size_t bin = 0; bin < BINS; bin++) {
            int64_t want = 0;
            for (size_t i = 0; i < N; i++)
                want += x[i] >= edges[bin] && (x[i] < edges[bin + 1] || (bin == BINS - 1 && x[i] == edges[BINS]));
            wrong += counts[bin] != want;
        }
        CHECK(wrong == 0, "histogram, scale %g", scales[s]);
    }
    for (int right = 0; right < 2; right++) {
        ao_search(&sorted, &span, right, places, UNWATCHED);
        for (size_t i = 0; i < N; i++) {
            int64_t want = 0;
            for (size_t k = 0; k <= BINS; k++)
                want += right ? !(x[i] < edges[k]) : edges[k] < x[i];
            wrong += places[i] != want;
        }
        CHECK(wrong == 0, "search, right %d", right);
    }
    memset(counts, 0, sizeof counts);
    ao_count_keys(&(ao_span){keys, {0, 0, AO_AS_IS}, AO_TYPE_i32, N}, BINS, counts, UNWATCHED);
    for (int32_t key = 0; key < BINS; key++) {
        int64_t want = 0;
        for (size_t i = 0; i < N; i++)
            want += keys[i] == key;
        CHECK(counts[key] == want, "key %d", (int)key);
    }
}

int main(int argc, char **argv)
{
    uint64_t state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    static const size_t widths[] = {1, 2, 3, 64, 100, 1000, 4096, 5000, 9000};
    for (const char *const *name = ao_isa_names; *name; name++) {
        if (!(isa = ao_isa_find(*name)))
            continue;
        for (int kind = 0; kind < KINDS; kind++)
            for (size_t i = 0; i < COUNT(widths); i++)
                check_windows(&state, widths[i] < 100 ? 300 : 9100, widths[i], kind);
        check_ints(&state);
    }
    isa = ao_isa_find(NULL);
    check_odd_variances();
    check_watch();
    check_counting(&state);
    return check_result("windows");
}
