/* Copies of long arrays and reversal, of every size of element and every way to lie, against loops over single elements. */
#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const size_t sizes[] = {1, 2, 4, 8};
/* Past one part, past a block of the reversal, and odd. */
static const size_t lengths[] = {0, 1, 2, 3, 1000, 2047, 2048, 2049, 4100, AO_WATCH_PART + 5};
enum { LONGEST = AO_WATCH_PART + 5, STRIDE = 3 };

static char wide[(size_t)LONGEST * 8 * STRIDE], again[(size_t)LONGEST * 8 * STRIDE], side[(size_t)LONGEST * 8], want[8];

static void fill(uint64_t *state, char *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)random_u64(state);
}

static void check_copies(uint64_t *state, size_t size, size_t n, ao_spacing spacing)
{
    const ptrdiff_t step = spacing.stride ? spacing.stride : (ptrdiff_t)size;
    char *first = step < 0 ? wide + (ptrdiff_t)(n - (n > 0)) * -step : wide;
    fill(state, wide, sizeof wide);
    memcpy(again, wide, sizeof wide);
    CHECK(!ao_copy_in(side, first, spacing, size, n, UNWATCHED), "stopped");
    for (size_t i = 0; i < n; i++) {
        for (size_t b = 0; b < size; b++)
            want[b] = first[(ptrdiff_t)i * step + (ptrdiff_t)(spacing.swapped ? size - 1 - b : b)];
        CHECK(memcmp(side + i * size, want, size) == 0, "element %zu of %zu in, %zu bytes, %td apart", i, n, size, step);
    }
    for (size_t i = 0; i < n; i++)
        memset(first + (ptrdiff_t)i * step, 0, size);
    ao_copy_out(first, spacing, side, size, n, UNWATCHED);
    CHECK(memcmp(wide, again, sizeof wide) == 0, "%zu elements out, %zu bytes, %td apart", n, size, step);
}

static void check_reverse(uint64_t *state, size_t size, size_t n, ptrdiff_t step)
{
    char *first = step < 0 ? wide + (ptrdiff_t)(n - (n > 0)) * -step : wide;
    fill(state, wide, sizeof wide);
    memcpy(again, wide, sizeof wide);
    CHECK(!ao_reverse(first, step, size, n, UNWATCHED), "stopped");
    for (size_t i = 0; i < n; i++)
        CHECK(memcmp(first + (ptrdiff_t)i * step, again + (first - wide) + (ptrdiff_t)(n - 1 - i) * step, size) == 0,
              "element %zu of %zu reversed, %zu bytes, %td apart", i, n, size, step);
    ao_reverse(first, step, size, n, UNWATCHED);
    CHECK(memcmp(wide, again, sizeof wide) == 0, "%zu elements reversed twice, %zu bytes, %td apart", n, size, step);
}

/* A copy in that is stopped has copied a front; a copy out is not stopped; what a reversal has exchanged is the outside. */
static void check_stops(void)
{
    enum { N = 1 << 23 };
    uint32_t *x = malloc(N * sizeof *x), *y = calloc(N, sizeof *y);
    for (size_t i = 0; i < N; i++)
        x[i] = (uint32_t)i + 1;
    looks l = {0, 1};
    ao_watch w = {.call = count_look, .context = &l};
    CHECK(ao_copy_in(y, x, (ao_spacing){0, 0, AO_AS_IS}, 4, N, &w) && l.calls == 1, "%zu looks", l.calls);
    CHECK(y[0] == 1 && y[AO_WATCH_EVERY - 1] == AO_WATCH_EVERY && y[N - 1] == 0, "a front is copied");
    l.calls = 0;
    w = (ao_watch){.call = count_look, .context = &l};
    CHECK(ao_copy_out(y, (ao_spacing){0, 0, AO_AS_IS}, x, 4, N, &w) && l.calls == 1 && y[N - 1] == N, "all is copied");
    l.calls = 0;
    w = (ao_watch){.call = count_look, .context = &l};
    CHECK(ao_reverse(x, 4, 4, N, &w) && l.calls == 1, "%zu looks", l.calls);
    size_t outer = 0, wrong = 0;
    while (outer < N / 2 && x[outer] == N - outer)
        outer++;
    for (size_t i = 0; i < N; i++)
        wrong += x[i] != (i < outer || i >= N - outer ? N - i : i + 1);
    CHECK(outer == AO_WATCH_EVERY / 2 && !wrong, "%zu exchanged, %zu wrong", outer, wrong);
    free(x);
    free(y);
}

int main(void)
{
    uint64_t state = 1;
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (size_t l = 0; l < COUNT(lengths); l++) {
            const ptrdiff_t size = (ptrdiff_t)sizes[s];
            for (int swapped = 0; swapped < 2; swapped++) {
                check_copies(&state, sizes[s], lengths[l], (ao_spacing){STRIDE * size, (uint8_t)swapped, AO_AS_IS});
                check_copies(&state, sizes[s], lengths[l], (ao_spacing){-size, (uint8_t)swapped, AO_AS_IS});
            }
            check_copies(&state, sizes[s], lengths[l], (ao_spacing){0, 0, AO_AS_IS});
            check_reverse(&state, sizes[s], lengths[l], size);
            check_reverse(&state, sizes[s], lengths[l], -2 * size);
        }
    check_stops();
    return check_result("test_copies");
}
