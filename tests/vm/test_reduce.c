/* ao_sum_int, ao_sum_float and ao_extreme at every level that this machine runs.
 *
 * Float sums are checked against known answers and against Shewchuk's growing expansion, which is how CPython
 * computes math.fsum and has nothing in common with folding; integer sums against one addition at a time; extremes
 * against the loop that Python's min and max are. test_reduce [seed [rounds]] */
#include <fenv.h>
#include <math.h>
#include <stdatomic.h>

#if defined __SSE2__
#include <xmmintrin.h>
#endif

#include "arrays/reduce.h"
#include "check.h"
#include "arrays/moments.h"
#include "thread.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define FOR_EACH_LEVEL(isa)                                                                                            \
    for (size_t level_ = 0; ao_isa_names[level_]; level_++)                                                            \
        for (const ao_isa *isa = ao_isa_find(ao_isa_names[level_]); isa; isa = NULL)

/* Around a word, a vector, a step of 64, a block of 1024; and long enough for several flushes. */
static const size_t lengths[] = {1,   2,   3,    7,    8,    9,    31,   63,   64,   65,  100,
                                 127, 129, 1000, 1023, 1024, 1025, 1090, 2048, 5000, 70000};

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

/* ---- float sums ---- */

/* As CPython's fsum: partials that do not overlap, in increasing size; the last step looks at the sign of the next
 * partial to round half to even. */
static double reference_sum(size_t n, const double *x)
{
    double partial[2100], high = 0, low = 0; /* one for each bit, at worst */
    int used = 0;
    for (size_t i = 0; i < n; i++) {
        double value = x[i];
        int kept = 0;
        for (int j = 0; j < used; j++) {
            double larger = fabs(value) < fabs(partial[j]) ? partial[j] : value;
            double smaller = fabs(value) < fabs(partial[j]) ? value : partial[j];
            high = larger + smaller;
            low = smaller - (high - larger);
            if (low != 0)
                partial[kept++] = low;
            value = high;
        }
        used = kept;
        if (value != 0)
            partial[used++] = value;
    }
    if (used == 0)
        return 0;
    high = partial[--used];
    low = 0;
    while (used > 0 && low == 0) {
        double larger = high, smaller = partial[--used];
        high = larger + smaller;
        low = smaller - (high - larger);
    }
    if (used > 0 && ((low < 0 && partial[used - 1] < 0) || (low > 0 && partial[used - 1] > 0))) {
        double twice = low * 2, next = high + twice;
        if (twice == next - high)
            high = next;
    }
    return high;
}

#define TINY 0x1p-1074
#define LARGEST 0x1.fffffffffffffp959

static const struct {
    double x[6], sum;
} known_sums[] = {
    {{0}, 0},
    {{-0.0, -0.0, -0.0, -0.0, -0.0, -0.0}, 0},
    {{1, -1}, 0},
    {{0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, 0x1.3333333333334p-1}, /* a tie, as it happens */
    {{1e100, 1, -1e100}, 1},
    {{1, 1e-300, -1}, 1e-300},
    {{1, 0x1p-53}, 1},                                /* tie, to even */
    {{1, 0x1p-53, TINY}, 1 + 0x1p-52},                /* just above it */
    {{1, 0x1p-53, -TINY}, 1},                         /* and below */
    {{1 + 0x1p-52, 0x1p-53}, 1 + 0x1p-51},            /* tie, to even upwards */
    {{1 + 0x1p-52, 0x1p-53, -TINY}, 1 + 0x1p-52},
    {{-1, -0x1p-53, -TINY}, -1 - 0x1p-52},
    {{2 - 0x1p-52, 0x1p-53}, 2},                      /* rounding carries into the exponent */
    {{TINY, TINY, TINY}, 3 * TINY},
    {{-TINY}, -TINY},
    {{0x1p-1022, -TINY}, 0x1p-1022 - TINY},           /* largest subnormal */
    {{0x1p-1022, TINY, -0x1p-1022}, TINY},
    {{0x0.fffffffffffffp-1022, TINY}, 0x1p-1022},
    {{0x1p-1021, TINY}, 0x1p-1021},
    {{LARGEST, LARGEST}, 2 * LARGEST},
    {{LARGEST, -LARGEST, TINY}, TINY},
    {{LARGEST, TINY, -LARGEST, -TINY}, 0},
    {{-LARGEST, -0x1p906}, -0x1p960},
};

/* As a span: every third element, in the other byte order. */
static int sum_of_spread(const ao_isa *isa, enum ao_type type, const void *x, size_t n, double *sum)
{
    const size_t size = ao_type_sizes[type];
    const ao_spacing spread = {3 * (ptrdiff_t)size, 1, AO_AS_IS};
    char *wide = malloc(3 * n * size + 1);
    ao_scatter(wide, spread, x, size, n);
    const ao_span span = {wide, spread, type, n};
    const int given = ao_span_sum_float(isa, &span, sum, UNWATCHED);
    free(wide);
    return given;
}

static void check_sum(const double *x, size_t n, double want, const char *what)
{
    FOR_EACH_LEVEL(isa) {
        double got = from_bits(0x123456789ABCDEF0);
        int given = ao_sum_float(isa, AO_TYPE_f64, x, n, &got);
        CHECK(given && bits_of(got) == bits_of(want), "%s, %s, %zu numbers: %a, not %a", isa->name, what, n, got, want);
        given = sum_of_spread(isa, AO_TYPE_f64, x, n, &got);
        CHECK(given && bits_of(got) == bits_of(want), "%s, %s, %zu spread: %a, not %a", isa->name, what, n, got, want);
    }
}

/* Each row alone, and spread out among zeros so that it goes through whole blocks. */
static void check_known_sums(void)
{
    double *wide = malloc(6000 * sizeof *wide);
    check_sum(NULL, 0, 0, "nothing");
    for (size_t k = 0; k < COUNT(known_sums); k++) {
        check_sum(known_sums[k].x, 6, known_sums[k].sum, "known");
        for (size_t i = 0; i < 6000; i++)
            wide[i] = i % 1000 == 77 ? known_sums[k].x[i / 1000] : 0;
        check_sum(wide, 6000, known_sums[k].sum, "known, in blocks");
    }
    free(wide);
}

static double random_unit(uint64_t *state)
{
    return (double)(int64_t)random_u64(state) * 0x1p-63;
}

static int random_between(uint64_t *state, int low, int high)
{
    return low + (int)(random_u64(state) % (uint64_t)(high - low + 1));
}

typedef double make_number(uint64_t *state, size_t i, size_t n);

static double make_unit(uint64_t *state, size_t i, size_t n)
{
    (void)i, (void)n;
    return random_unit(state);
}

static double make_integer(uint64_t *state, size_t i, size_t n)
{
    (void)i, (void)n;
    return random_between(state, -1000000, 1000000);
}

static double make_price(uint64_t *state, size_t i, size_t n)
{
    (void)i, (void)n;
    return random_between(state, 0, 100000) / 100.0;
}

static double make_wide(uint64_t *state, size_t i, size_t n)
{
    (void)i, (void)n;
    return ldexp(random_unit(state), random_between(state, -66, 66));
}

static double make_wider(uint64_t *state, size_t i, size_t n)
{
    (void)i, (void)n;
    return ldexp(random_unit(state), random_between(state, -300, 300));
}

static double make_any(uint64_t *state, size_t i, size_t n)
{
    (void)i, (void)n;
    double x = from_bits(random_u64(state));
    return fabs(x) < 0x1p960 ? x : 1;
}

static double make_subnormal(uint64_t *state, size_t i, size_t n)
{
    (void)i, (void)n;
    return from_bits(random_u64(state) & 0x801FFFFFFFFFFFFF);
}

static double make_huge(uint64_t *state, size_t i, size_t n)
{
    (void)i, (void)n;
    return random_u64(state) % 2 ? LARGEST : -LARGEST;
}

static double make_ramp(uint64_t *state, size_t i, size_t n)
{
    return ldexp(random_unit(state), (int)((double)i / (double)n * 1900) - 980);
}

static double make_falling(uint64_t *state, size_t i, size_t n)
{
    return make_ramp(state, n - 1 - i, n);
}

/* Now and then one that does not fit the scale of the others. */
static double make_rare(uint64_t *state, size_t i, size_t n)
{
    (void)i, (void)n;
    double x = random_unit(state);
    return random_u64(state) % 700 ? x : ldexp(x, random_between(state, -90, 90));
}

/* Runs of blocks that fold and of blocks that do not. */
static double make_mixed(uint64_t *state, size_t i, size_t n)
{
    return i / 3000 % 2 ? make_any(state, i, n) : make_unit(state, i, n);
}

static double make_tie(uint64_t *state, size_t i, size_t n)
{
    (void)n;
    return i == 0 ? 1 : random_u64(state) % 64 ? 0 : 0x1p-54;
}

/* All of one sign and just within the scale that the first ones set, which fills the counters as fast as can be; and
 * just beyond it. */
static double make_level(uint64_t *state, size_t i, size_t n)
{
    (void)state, (void)n;
    return i < 64 ? 0.25 - 0x1p-55 : 1 - 0x1p-53;
}

static double make_step(uint64_t *state, size_t i, size_t n)
{
    return 4 * make_level(state, i, n);
}

static double make_leap(uint64_t *state, size_t i, size_t n)
{
    return i < 64 ? 0.25 - 0x1p-55 : 4 * make_level(state, i, n);
}

static const struct {
    const char *name;
    make_number *make;
} kinds[] = {
    {"unit", make_unit}, {"integer", make_integer}, {"price", make_price}, {"wide", make_wide}, {"wider", make_wider},
    {"any", make_any}, {"subnormal", make_subnormal}, {"huge", make_huge}, {"ramp", make_ramp},
    {"falling", make_falling}, {"rare", make_rare}, {"mixed", make_mixed}, {"tie", make_tie},
    {"level", make_level}, {"step", make_step}, {"leap", make_leap},
};

static void shuffle(double *x, size_t n, uint64_t *state)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = random_u64(state) % i;
        double swap = x[i - 1];
        x[i - 1] = x[j];
        x[j] = swap;
    }
}

/* The numbers; then the numbers and their negatives and one more, which is all that remains. */
static void check_random_sums(uint64_t *state)
{
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (size_t l = 0; l < COUNT(lengths); l++) {
            size_t n = lengths[l];
            double *x = malloc(n * sizeof *x), *both = malloc((2 * n + 1) * sizeof *both);
            for (size_t i = 0; i < n; i++) {
                x[i] = kinds[k].make(state, i, n);
                both[i] = x[i];
                both[n + i] = -x[i];
            }
            check_sum(x, n, reference_sum(n, x), kinds[k].name);
            both[2 * n] = from_bits(random_u64(state) & 0x800FFFFFFFFFFFFF) + 0x1p-1070;
            double last = both[2 * n];
            shuffle(both, 2 * n + 1, state);
            check_sum(both, 2 * n + 1, last, kinds[k].name);
            free(x);
            free(both);
        }
}

/* Numbers over so many binades, of 27 bits each; and now and then one that no sum by halves can take. */
static void fill_for_split(double *x, size_t n, int round, uint64_t *state)
{
    static const double strange[] = {INFINITY, NAN, 0x1p960, -0x1p1000, TINY};
    const int scale = (int)(random_u64(state) % 1800) - 900, binades = 1 + (int)(random_u64(state) % 40);
    for (size_t i = 0; i < n; i++) {
        const uint64_t bits = random_u64(state);
        const double x_i = ldexp(1 + (double)(bits >> 38) * 0x1p-26, scale - (int)(bits % (uint64_t)binades));
        x[i] = bits >> 37 & 1 ? -x_i : x_i;
    }
    if (round % 5 == 0)
        x[random_u64(state) % n] = strange[round / 5 % COUNT(strange)];
}

/* Whether the sums by halves are those of the numbers. */
static int is_split_sum(const struct ao_reductions *without, const ao_split_sums *sums, const double *x, size_t n)
{
    ao_float_sum halves, whole;
    uint8_t a[AO_FLOAT_SUM_BYTES], b[AO_FLOAT_SUM_BYTES];
    ao_float_sum_start(&halves, without, 0);
    ao_float_sum_start(&whole, without, 0);
    for (int lane = 0; lane < AO_SPLIT_LANES; lane++) {
        ao_float_sum_add_one(&halves, ldexp(sums->high[lane], -AO_SPLIT_SCALE));
        ao_float_sum_add_one(&halves, ldexp(sums->low[lane], -AO_SPLIT_SCALE));
    }
    if (ao_float_sum_add(&whole, x, n) != n)
        return 0;
    ao_float_sum_bytes(&halves, a);
    ao_float_sum_bytes(&whole, b);
    return memcmp(a, b, sizeof a) == 0;
}

/* Sums by halves that are said to be exact are, others are as they were, and the thread's flags too. */
static void check_split(uint64_t *state)
{
    static double x[AO_EXTRACT_BLOCK];
    FOR_EACH_LEVEL(isa) {
        struct ao_reductions without = *isa->reductions;
        without.add_split = NULL;
        int exact = 0, refused = 0;
        for (int round = 0; isa->reductions->add_split && round < 2000; round++) {
            const size_t n = AO_EXTRACT_STEP * (1 + random_u64(state) % (AO_EXTRACT_BLOCK / AO_EXTRACT_STEP));
            fill_for_split(x, n, round, state);
            ao_split_sums sums = {{0}, {0}}, before = sums;
            feclearexcept(FE_ALL_EXCEPT);
            const int done = isa->reductions->add_split(x, n, &sums);
            CHECK(!fetestexcept(FE_INEXACT | FE_OVERFLOW | FE_UNDERFLOW | FE_INVALID), "%s: a flag is left", isa->name);
            CHECK(done ? is_split_sum(&without, &sums, x, n) : memcmp(&sums, &before, sizeof sums) == 0,
                  "%s: %zu numbers by halves, %s", isa->name, n, done ? "exact" : "refused");
            exact += done;
            refused += !done;
        }
        CHECK(!isa->reductions->add_split || (exact > 200 && refused > 200), "%s: %d exact, %d refused", isa->name, exact,
              refused);
    }
}

/* Enough blocks to overflow counters that are never emptied. */
static void check_long_sum(void)
{
    enum { N = 1 << 20 };
    double *x = malloc(N * sizeof *x);
    for (size_t i = 0; i < N; i++)
        x[i] = make_level(NULL, i, N);
    check_sum(x, N, reference_sum(N, x), "long");
    free(x);
}

static void check_float32_sums(uint64_t *state)
{
    for (size_t l = 0; l < COUNT(lengths); l++)
        for (int any = 0; any < 2; any++) {
            size_t n = lengths[l];
            float *x = malloc(n * sizeof *x);
            double *same = malloc(n * sizeof *same);
            for (size_t i = 0; i < n; i++) {
                uint32_t bits = (uint32_t)random_u64(state);
                memcpy(x + i, &bits, 4);
                if (!any || !isfinite(x[i]))
                    x[i] = (float)random_unit(state);
                same[i] = (double)x[i];
            }
            double want = reference_sum(n, same);
            FOR_EACH_LEVEL(isa) {
                double got = -1;
                int given = ao_sum_float(isa, AO_TYPE_f32, x, n, &got);
                CHECK(given && bits_of(got) == bits_of(want), "%s, f32, %zu: %a, not %a", isa->name, n, got, want);
                given = sum_of_spread(isa, AO_TYPE_f32, x, n, &got);
                CHECK(given && bits_of(got) == bits_of(want), "%s, f32, %zu spread: %a, not %a", isa->name, n, got, want);
            }
            free(x);
            free(same);
        }
}

/* One number that has no answer here, anywhere, among ordinary ones or among ones that do not fold. */
static void check_refusals(uint64_t *state)
{
    static const double refused[] = {INFINITY, -INFINITY, NAN, -NAN, 0x1p960, -0x1p960, 0x1.fffffffffffffp1023};
    for (size_t r = 0; r < COUNT(refused); r++)
        for (size_t l = 0; l < COUNT(lengths); l++)
            for (int any = 0; any < 2; any++) {
                size_t n = lengths[l], at = random_u64(state) % n;
                double *x = malloc(n * sizeof *x);
                for (size_t i = 0; i < n; i++)
                    x[i] = any ? make_any(state, i, n) : random_unit(state);
                x[at] = refused[r];
                FOR_EACH_LEVEL(isa) {
                    double sum = 42;
                    int given = ao_sum_float(isa, AO_TYPE_f64, x, n, &sum);
                    CHECK(!given && sum == 42, "%s: %a at %zu of %zu gave %a", isa->name, refused[r], at, n, sum);
                }
                free(x);
            }
    float last[3] = {1, 2, -INFINITY};
    FOR_EACH_LEVEL(isa) {
        double sum = 42;
        CHECK(!ao_sum_float(isa, AO_TYPE_f32, last, 3, &sum) && sum == 42, "%s: %a", isa->name, sum);
    }
}

/* A caller's thread may round differently, or (a library built with -ffast-math does that) drop subnormals. */
static void check_strange_arithmetic(uint64_t *state)
{
    static const int modes[] = {
        FE_TONEAREST,
#if defined FE_UPWARD && defined FE_DOWNWARD && defined FE_TOWARDZERO
        FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO,
#endif
    };
    enum { N = 3000 };
    double *x = malloc(N * sizeof *x);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t i = 0; i < N; i++)
            x[i] = kinds[k].make(state, i, N);
        double want = reference_sum(N, x);
        for (size_t m = 0; m < COUNT(modes); m++) {
            fesetround(modes[m]);
            check_sum(x, N, want, kinds[k].name);
        }
        fesetround(FE_TONEAREST);
#if defined __SSE2__
        unsigned saved = _mm_getcsr();
        for (unsigned flush = 0x40; flush <= 0x8000; flush *= 0x8000 / 0x40) { /* DAZ, FTZ */
            _mm_setcsr(saved | flush);
            check_sum(x, N, want, kinds[k].name);
        }
        _mm_setcsr(saved);
#endif
    }
    free(x);
}

/* ---- integer sums ---- */

static void add_wide(int64_t *high, uint64_t *low, int64_t value, int negative)
{
    *low += (uint64_t)value;
    *high += (*low < (uint64_t)value) - negative;
}

static void check_int_span(const ao_isa *isa, enum ao_type type, const void *x, size_t n, int64_t high, uint64_t low)
{
    const size_t size = ao_type_sizes[type];
    const ao_spacing spread = {3 * (ptrdiff_t)size, 1, AO_AS_IS};
    char *wide = malloc(3 * n * size + 1);
    ao_scatter(wide, spread, x, size, n);
    const ao_span spans[] = {{x, {0, 0, AO_AS_IS}, type, n}, {wide, spread, type, n}};
    for (int s = 0; s < 2; s++) {
        int64_t span_high;
        uint64_t span_low;
        ao_span_sum_int(isa, &spans[s], &span_high, &span_low, UNWATCHED);
        CHECK(span_high == high && span_low == low, "%s, sum of a span of %zu", isa->name, n);
    }
    free(wide);
}

#define DEFINE_CHECK_INT(T, op)                                                                                        \
    static void check_int_##T(uint64_t *state, size_t n, int filled, int64_t fill)                                     \
    {                                                                                                                  \
        ao_##T *x = malloc(n * sizeof *x + 1);                                                                         \
        int64_t want_high = 0;                                                                                         \
        uint64_t want_low = 0;                                                                                         \
        for (size_t i = 0; i < n; i++) {                                                                               \
            uint64_t value = random_u64(state);                                                                        \
            x[i] = filled ? (ao_##T)fill : (ao_##T)(AO_TYPE_##T == AO_TYPE_b1 ? value & 1 : value);                    \
            add_wide(&want_high, &want_low, (int64_t)x[i], (ao_##T)-1 < 1 && (int64_t)x[i] < 0);                       \
        }                                                                                                              \
        FOR_EACH_LEVEL(isa) {                                                                                          \
            int64_t high = -7;                                                                                         \
            uint64_t low = 7;                                                                                          \
            ao_sum_int(isa, AO_TYPE_##T, x, n, &high, &low);                                                           \
            check_int_span(isa, AO_TYPE_##T, x, n, high, low);                                                         \
            CHECK(high == want_high && low == want_low, "%s, " #T ", %zu: %lld %llu, not %lld %llu", isa->name, n,     \
                  (long long)high, (unsigned long long)low, (long long)want_high, (unsigned long long)want_low);       \
        }                                                                                                              \
        free(x);                                                                                                       \
    }
AO_LIST_INTS_BOOL(DEFINE_CHECK_INT, none)

/* Random; all 0, 1 and -1 (the largest of an unsigned type); then all the smallest and the largest of the signed
 * types. */
#define CHECK_INT(T, op)                                                                                               \
    check_int_##T(state, n, 0, 0);                                                                                     \
    check_int_##T(state, n, 1, 0);                                                                                     \
    check_int_##T(state, n, 1, 1);                                                                                     \
    if (AO_TYPE_##T != AO_TYPE_b1) {                                                                                   \
        check_int_##T(state, n, 1, -1);                                                                                \
        check_int_##T(state, n, 1, (int64_t)(UINT64_C(1) << (8 * sizeof(ao_##T) - 1)));                                \
        check_int_##T(state, n, 1, (int64_t)((UINT64_C(1) << (8 * sizeof(ao_##T) - 1)) - 1));                          \
    }

static void check_ints(uint64_t *state)
{
    size_t n = 0;
    AO_LIST_INTS_BOOL(CHECK_INT, none)
    for (size_t l = 0; l < COUNT(lengths); l++) {
        n = lengths[l];
        AO_LIST_INTS_BOOL(CHECK_INT, none)
    }
    n = ((size_t)1 << 20) + 3; /* more words than a kernel takes at once, or than the fields of u8 and u16 hold */
    check_int_u8(state, n, 1, -1);
    check_int_u16(state, n, 1, -1);
    check_int_u64(state, n, 1, -1);
    check_int_i64(state, n, 1, INT64_MIN);
}

/* ---- extremes ---- */

/* As a span, side by side and spread out. */
static void check_span(const ao_isa *isa, enum ao_type type, const void *x, size_t n, int largest, size_t want)
{
    const size_t size = ao_type_sizes[type];
    const ao_spacing spread = {3 * (ptrdiff_t)size, 1, AO_AS_IS};
    char element[8] = "", *wide = malloc(3 * n * size);
    ao_scatter(wide, spread, x, size, n);
    const ao_span spans[] = {{x, {0, 0, AO_AS_IS}, type, n}, {wide, spread, type, n}};
    for (int s = 0; s < 2; s++) {
        const size_t got = ao_span_extreme(isa, &spans[s], largest, element, UNWATCHED);
        CHECK(got == want && memcmp(element, (const char *)x + want * size, size) == 0, "%s, %s of a span of %zu: %zu, not %zu",
              isa->name, largest ? "max" : "min", n, got, want);
    }
    const size_t cut = n / 3; /* the same in two parts, of which the second comes behind the first */
    if (cut) {
        const ao_span front = {x, {0, 0, AO_AS_IS}, type, cut};
        const ao_span back = {wide + cut * (size_t)spread.stride, spread, type, n - cut};
        char other[8] = "";
        size_t at = ao_span_extreme(isa, &front, largest, element, UNWATCHED), place = 0;
        if (ao_span_extreme_behind(isa, &back, largest, other, &place, UNWATCHED)
            && ao_goes_before(type, other, element, largest))
            at = cut + place;
        CHECK(at == want, "%s, %s of two parts of %zu: %zu, not %zu", isa->name, largest ? "max" : "min", n, at, want);
    }
    free(wide);
}

/* Of moments in two parts, which are handed on and used again, as of one. */
static void check_passed_on(const ao_isa *isa, enum ao_type type, const void *x, size_t n)
{
    const size_t size = ao_type_sizes[type], cuts[] = {0, n / 4, n / 2, n - n / 4, n};
    ao_moments whole, parts[2];
    ao_moments_start(&whole, isa, type, AO_EXTREMES, 0);
    ao_moments_add(&whole, x, n);
    for (int part = 0; part < 2; part++)
        ao_moments_start(&parts[part], isa, type, AO_EXTREMES, 0);
    for (int c = 0; c < 4; c++) {
        ao_moments_add(&parts[c % 2], (const char *)x + cuts[c] * size, cuts[c + 1] - cuts[c]);
        ao_moments_pass_extremes(&parts[0], &parts[c % 2]);
    }
    const ao_moments *m = &parts[0];
    CHECK(m->found == whole.found && m->first_nan == whole.first_nan
              && (!m->found || (m->low.u == whole.low.u && m->high.u == whole.high.u)),
          "%s: extremes of four parts of %zu", isa->name, n);
}

#define DEFINE_CHECK_EXTREME(T, op)                                                                                    \
    static void check_extreme_##T(const ao_##T *x, size_t n)                                                           \
    {                                                                                                                  \
        size_t want[2] = {0, 0};                                                                                       \
        for (size_t i = 1; i < n; i++) {                                                                               \
            want[0] = x[i] < x[want[0]] ? i : want[0];                                                                 \
            want[1] = x[i] > x[want[1]] ? i : want[1];                                                                 \
        }                                                                                                              \
        FOR_EACH_LEVEL(isa) {                                                                                          \
            check_passed_on(isa, AO_TYPE_##T, x, n);                                                                   \
            for (int largest = 0; largest < 2; largest++) {                                                            \
                size_t got = ao_extreme(isa, AO_TYPE_##T, x, n, largest);                                              \
                check_span(isa, AO_TYPE_##T, x, n, largest, got);                                                      \
                CHECK(got == want[largest], "%s, " #T ", %s of %zu: %zu, not %zu", isa->name, largest ? "max" : "min", \
                      n, got, want[largest]);                                                                          \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void check_extremes_##T(uint64_t *state, size_t n)                                                          \
    {                                                                                                                  \
        ao_##T *x = malloc(n * sizeof *x);                                                                             \
        for (int few = 0; few < 2; few++) {                                                                            \
            for (size_t i = 0; i < n; i++)                                                                             \
                x[i] = op(state, few);                                                                                 \
            check_extreme_##T(x, n);                                                                                   \
        }                                                                                                              \
        for (size_t i = 0; i < n; i++) /* rising: the last is the largest; and falling */                              \
            x[i] = (ao_##T)(i * 100 / n);                                                                              \
        check_extreme_##T(x, n);                                                                                       \
        for (size_t i = 0; i < n; i++)                                                                                 \
            x[i] = (ao_##T)(100 - i * 100 / n);                                                                        \
        check_extreme_##T(x, n);                                                                                       \
        free(x);                                                                                                       \
    }

/* All bit patterns, or a few values with many ties. */
#define RANDOM_INT(state, few) (few ? random_u64(state) % 3 : random_u64(state))

static double random_double(uint64_t *state, int few)
{
    static const double special[] = {0.0, -0.0, NAN, NAN, 0.0, -0.0, 0.0, -0.0};
    return few ? special[random_u64(state) % 8] : from_bits(random_u64(state));
}

static float random_float(uint64_t *state, int few)
{
    uint32_t bits = (uint32_t)random_u64(state);
    float x;
    memcpy(&x, &bits, 4);
    return few ? (float)random_double(state, 1) : x;
}

#define DEFINE_CHECK_EXTREME_INT(T, op) DEFINE_CHECK_EXTREME(T, (ao_##T)RANDOM_INT)
AO_LIST_INTS(DEFINE_CHECK_EXTREME_INT, none)
DEFINE_CHECK_EXTREME(f32, random_float)
DEFINE_CHECK_EXTREME(f64, random_double)

#define CHECK_EXTREMES(T, op) check_extremes_##T(state, n);

static void check_extremes(uint64_t *state)
{
    for (size_t l = 0; l < COUNT(lengths); l++) {
        size_t n = lengths[l];
        AO_LIST_INTS(CHECK_EXTREMES, none)
        CHECK_EXTREMES(f32, none)
        CHECK_EXTREMES(f64, none)
    }
    const double nan_first[] = {NAN, 1, 2}, nan_later[] = {1, NAN, 0, NAN, 2}, infinite[] = {INFINITY, NAN, -INFINITY};
    check_extreme_f64(nan_first, 3);
    check_extreme_f64(nan_later, 5);
    check_extreme_f64(infinite, 3);
}

/* ---- the watch ---- */

/* Long spans are looked at often, and are left when they are told to. */
static void check_watch(void)
{
    enum { N = 1 << 26 };
    int8_t *x = calloc(N, 1);
    double sum;
    int64_t high;
    uint64_t low;
    char element[8];
    const ao_span spans[] = {{x, {0, 0, AO_AS_IS}, AO_TYPE_i8, N}, {x, {0, 0, AO_AS_IS}, AO_TYPE_f32, N / 4},
                             {x, {16, 1, AO_AS_IS}, AO_TYPE_f64, N / 16}};
    FOR_EACH_LEVEL(isa)
        for (int s = 0; s < 3; s++)
            for (size_t stop = 0; stop < 2; stop++)
                for (int what = 0; what < 3; what++) {
                    const int is_float = spans[s].type != AO_TYPE_i8;
                    looks l = {0, stop};
                    ao_watch w = {.call = count_look, .context = &l};
                    if (what == 0 && is_float)
                        ao_span_sum_float(isa, &spans[s], &sum, &w);
                    else if (what == 0)
                        ao_span_sum_int(isa, &spans[s], &high, &low, &w);
                    else if (what == 1)
                        ao_span_extreme(isa, &spans[s], 0, element, &w);
                    else if (is_float)
                        ao_span_has_nan(&spans[s], &w);
                    else
                        continue;
                    const size_t least = spans[s].count / (4 * (size_t)AO_WATCH_EVERY);
                    CHECK(stop ? l.calls == (least > 0) : l.calls >= least, "%s: %zu looks", isa->name, l.calls);
                    CHECK(w.largest <= AO_WATCH_EVERY / 2, "%s: %zu units at once", isa->name, w.largest);
                }
    free(x);
}

/* ---- a writer beside the call ---- */

enum { SHARED = 1 << 14 };
typedef struct {
    uint64_t *words;
    atomic_int stop;
} writer;

UNTOLD static void *write_beside(void *context)
{
    writer *w = context;
    uint64_t state = 7;
    while (!atomic_load(&w->stop))
        for (size_t i = 0; i < SHARED; i++)
            ((volatile uint64_t *)w->words)[i] = random_u64(&state);
    return NULL;
}

/* What is found may be any element, but it is one of them: an index at or past the end would have been read. */
static void check_races(void)
{
    uint64_t *shared = calloc(SHARED, sizeof *shared); /* to the byte, for the address sanitizer */
    writer w = {.words = shared};
    ao_thread thread;
    const int beside = ao_thread_start(&thread, write_beside, &w);
    FOR_EACH_LEVEL(isa)
        for (int round = 0; round < 200; round++)
            for (int type = 0; type < AO_NTYPES; type++) {
                if (type == AO_TYPE_b1)
                    continue;
                const size_t n = SHARED * 8 / ao_type_sizes[type];
                const size_t at = ao_extreme(isa, (enum ao_type)type, shared, n, round & 1);
                CHECK(at < n, "%s: element %zu of %zu", isa->name, at, n);
                ao_moments m;
                ao_moments_start(&m, isa, (enum ao_type)type, AO_SUMS | AO_SQUARES | AO_EXTREMES, 0);
                ao_moments_add(&m, shared, n);
                CHECK(m.count == n, "%s: %zu elements counted", isa->name, m.count);
            }
    atomic_store(&w.stop, 1);
    if (beside)
        ao_thread_join(&thread);
    free(shared);
}

int main(int count, char **arguments)
{
    uint64_t state = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    long rounds = count > 2 ? strtol(arguments[2], NULL, 10) : 1;
    check_known_sums();
    check_long_sum();
    check_watch();
    check_races();
    for (long round = 0; round < rounds && !check_failures; round++) {
        uint64_t seed = state;
        check_random_sums(&state);
        check_split(&state);
        check_float32_sums(&state);
        check_refusals(&state);
        check_strange_arithmetic(&state);
        check_ints(&state);
        check_extremes(&state);
        CHECK(!check_failures, "rerun with: test_reduce %llu", (unsigned long long)seed);
    }
    return check_result("reduce");
}
