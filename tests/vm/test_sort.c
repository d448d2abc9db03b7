/* ao_sort, ao_unique, ao_select, ao_argsort and ao_largest of every type, against a merge sort of indices that knows
 * nothing of radices.
 *
 * Results are compared byte by byte, so that the order of zeros and nans counts. test_sort [seed [rounds]] */
#include <math.h>
#include <stdatomic.h>

#if defined __SSE2__
#include <xmmintrin.h>
#endif

#include "check.h"
#include "arrays/reduce.h"
#include "arrays/sort.h"
#include "thread.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Besides 0 to 200. The longest is split into parts that are split again, if half of the elements are much alike. */
static const size_t long_lengths[] = {1000, 4097, 100000, 150001};
enum { ALL_LENGTHS_TO = 200, EVERY_K_TO = 40, LONGEST = 150001 };

/* ---- types ---- */

typedef struct {
    enum ao_type type;
    const char *name;
    size_t size;
    int floats;
    int (*before)(const void *a, const void *b);
    int (*equal)(const void *a, const void *b);
    void (*set_number)(void *to, int number);
    void (*set_bits)(void *to, uint64_t bits);
} type_info;

#define DEFINE_TYPE(T, BITS, IS_NAN)                                                                                   \
    static int before_##T(const void *a, const void *b)                                                                \
    {                                                                                                                  \
        const ao_##T *x = a, *y = b;                                                                                   \
        return !IS_NAN(*x) && (IS_NAN(*y) || *x < *y);                                                                 \
    }                                                                                                                  \
    static int equal_##T(const void *a, const void *b)                                                                 \
    {                                                                                                                  \
        const ao_##T *x = a, *y = b;                                                                                   \
        return *x == *y;                                                                                               \
    }                                                                                                                  \
    static void set_number_##T(void *to, int number)                                                                   \
    {                                                                                                                  \
        ao_##T x = (ao_##T)number;                                                                                     \
        memcpy(to, &x, sizeof x);                                                                                      \
    }                                                                                                                  \
    static void set_bits_##T(void *to, uint64_t bits)                                                                  \
    {                                                                                                                  \
        BITS x = (BITS)bits;                                                                                           \
        memcpy(to, &x, sizeof x);                                                                                      \
    }
#define NEVER_NAN(x) 0
#define DEFINE_INT_TYPE(T, op) DEFINE_TYPE(T, ao_##T, NEVER_NAN)
AO_LIST_INTS(DEFINE_INT_TYPE, none)
DEFINE_TYPE(f32, uint32_t, isnan)
DEFINE_TYPE(f64, uint64_t, isnan)

#define TYPE_INFO(T, floats)                                                                                           \
    {AO_TYPE_##T, #T, sizeof(ao_##T), floats, before_##T, equal_##T, set_number_##T, set_bits_##T},
static const type_info types[] = {AO_LIST_INTS(TYPE_INFO, 0) TYPE_INFO(f32, 1) TYPE_INFO(f64, 1)};

/* ---- the reference ---- */

static void merge(const type_info *t, const char *x, size_t *from, size_t *to, size_t n, size_t half)
{
    size_t left = 0, right = half, made = 0;
    while (left < half || right < n) {
        int take_right = left == half || (right < n && t->before(x + from[right] * t->size, x + from[left] * t->size));
        to[made++] = take_right ? from[right++] : from[left++];
    }
}

static void order_of(const type_info *t, const char *x, size_t *order, size_t *scratch, size_t n)
{
    if (n < 2)
        return;
    order_of(t, x, order, scratch, n / 2);
    order_of(t, x, order + n / 2, scratch, n - n / 2);
    memcpy(scratch, order, n * sizeof *order);
    merge(t, x, scratch, order, n, n / 2);
}

static size_t order[LONGEST], order_scratch[LONGEST];

static void reference_sort(const type_info *t, const char *x, char *sorted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    order_of(t, x, order, order_scratch, n);
    for (size_t i = 0; i < n; i++)
        memcpy(sorted + i * t->size, x + order[i] * t->size, t->size);
}

static size_t reference_unique(const type_info *t, char *x, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !t->equal(x + i * t->size, x + (kept - 1) * t->size))
            memcpy(x + kept++ * t->size, x + i * t->size, t->size);
    return kept;
}

/* ---- arrays ---- */

enum { NUMBERS = 100 }; /* numbers of these arrays, so that every type holds them */

static void make_bits(const type_info *t, uint64_t *state, char *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        t->set_bits(x + i * t->size, random_u64(state));
}

/* Some of few bits, some of many. */
static void make_skewed(const type_info *t, uint64_t *state, char *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = random_u64(state) >> (64 - 8 * t->size);
        t->set_bits(x + i * t->size, bits >> random_u64(state) % (8 * t->size));
    }
}

static void make_equal(const type_info *t, uint64_t *state, char *x, size_t n)
{
    uint64_t bits = random_u64(state);
    for (size_t i = 0; i < n; i++)
        t->set_bits(x + i * t->size, bits);
}

static void make_all_but_one(const type_info *t, uint64_t *state, char *x, size_t n)
{
    make_equal(t, state, x, n);
    if (n > 0)
        t->set_bits(x + random_u64(state) % n * t->size, random_u64(state));
}

static void make_few(const type_info *t, uint64_t *state, char *x, size_t n)
{
    uint64_t bits[5];
    for (size_t i = 0; i < COUNT(bits); i++)
        bits[i] = random_u64(state);
    for (size_t i = 0; i < n; i++)
        t->set_bits(x + i * t->size, bits[random_u64(state) % COUNT(bits)]);
}

/* The first and last of their kind: of integers, and of floats if the bits are made wider for f64. */
static void make_special(const type_info *t, uint64_t *state, char *x, size_t n)
{
    static const uint32_t floats[] = {
        0,          0x80000000,             /* zeros */
        1,          0x80000001,             /* subnormal */
        0x007FFFFF, 0x807FFFFF, 0x00800000, /* the largest subnormal, the smallest normal */
        0x7F7FFFFF, 0xFF7FFFFF,             /* finite */
        0x7F800000, 0xFF800000,             /* infinite */
        0x7F800001, 0xFF800001, 0x7FC00000, 0xFFC00000, 0x7FFFFFFF, 0xFFFFFFFF, /* nans */
    };
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = floats[random_u64(state) % COUNT(floats)];
        uint64_t sign = bits >> 31, exponent = bits >> 23 & 0xFF, fraction = bits & 0x7FFFFF;
        if (t->floats && t->size == 8)
            bits = sign << 63 | (exponent == 0xFF ? 0x7FF : exponent) << 52 | fraction << (fraction > 1 ? 29 : 0);
        else if (!t->floats)
            bits = (exponent ? UINT64_C(1) << (8 * t->size - 1) : 0) - (fraction & 1) + sign;
        t->set_bits(x + i * t->size, bits);
    }
}

static void make_zeros(const type_info *t, uint64_t *state, char *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        t->set_bits(x + i * t->size, random_u64(state) % 2 << (8 * t->size - 1));
}

static void make_zeros_among_others(const type_info *t, uint64_t *state, char *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = random_u64(state);
        t->set_bits(x + i * t->size, random_u64(state) % 3 ? bits : bits % 2 << (8 * t->size - 1));
    }
}

/* All exponent bits set: nans, of floats. */
static void make_nans(const type_info *t, uint64_t *state, char *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = random_u64(state);
        t->set_bits(x + i * t->size, random_u64(state) % 8 ? bits | UINT64_C(0x7FF) << 52 >> (64 - 8 * t->size) : bits);
    }
}

/* Two groups, far from each other but each of elements that only differ in the last bits: no guess finds those. */
static void make_clusters(const type_info *t, uint64_t *state, char *x, size_t n)
{
    uint64_t far_apart[2] = {random_u64(state), random_u64(state)};
    for (size_t i = 0; i < n; i++)
        t->set_bits(x + i * t->size, far_apart[random_u64(state) % 2] ^ random_u64(state) % 0x20000);
}

/* At most two bits away from each other. */
static void make_layers(const type_info *t, uint64_t *state, char *x, size_t n)
{
    uint64_t bits = random_u64(state);
    for (size_t i = 0; i < n; i++)
        t->set_bits(x + i * t->size, bits ^ UINT64_C(1) << random_u64(state) % (8 * t->size));
}

static void make_rising(const type_info *t, uint64_t *state, char *x, size_t n)
{
    (void)state;
    for (size_t i = 0; i < n; i++)
        t->set_number(x + i * t->size, (int)(i * NUMBERS / n));
}

static void make_falling(const type_info *t, uint64_t *state, char *x, size_t n)
{
    (void)state;
    for (size_t i = 0; i < n; i++)
        t->set_number(x + i * t->size, NUMBERS - (int)(i * NUMBERS / n));
}

static void make_almost(const type_info *t, uint64_t *state, char *x, size_t n)
{
    make_rising(t, state, x, n);
    for (int odd = 0; n > 0 && odd < 3; odd++)
        t->set_number(x + random_u64(state) % n * t->size, (int)(random_u64(state) % NUMBERS));
}

static void make_hill(const type_info *t, uint64_t *state, char *x, size_t n)
{
    make_rising(t, state, x, n);
    make_falling(t, state, x + n / 2 * t->size, n - n / 2);
}

static void make_saw(const type_info *t, uint64_t *state, char *x, size_t n)
{
    (void)state;
    for (size_t i = 0; i < n; i++)
        t->set_number(x + i * t->size, (int)(i % 64));
}

static void make_numbers(const type_info *t, uint64_t *state, char *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        t->set_number(x + i * t->size, (int)(random_u64(state) % NUMBERS));
}

/* Many different ones, increasing in their bits: sorted but for the sign. */
static void make_counted(const type_info *t, uint64_t *state, char *x, size_t n)
{
    uint64_t bits = random_u64(state), step = random_u64(state) % 3 ? 1 : 0 - UINT64_C(1);
    for (size_t i = 0; i < n; i++)
        t->set_bits(x + i * t->size, bits + i * step);
}

static const struct {
    const char *name;
    void (*make)(const type_info *t, uint64_t *state, char *x, size_t n);
} kinds[] = {
    {"bits", make_bits}, {"skewed", make_skewed}, {"equal", make_equal}, {"all but one", make_all_but_one},
    {"few", make_few}, {"special", make_special}, {"zeros", make_zeros}, {"others", make_zeros_among_others},
    {"nans", make_nans}, {"clusters", make_clusters}, {"layers", make_layers}, {"rising", make_rising},
    {"falling", make_falling}, {"almost", make_almost}, {"hill", make_hill}, {"saw", make_saw},
    {"numbers", make_numbers}, {"counted", make_counted},
};

/* ---- checks ---- */

/* Arrays of exactly n elements, for the sanitizers. */
typedef struct {
    const type_info *t;
    const char *kind;
    size_t n, bytes;
    char *x, *sorted, *work, *scratch;
} arrays;

static void allocate(arrays *a, const type_info *t, size_t n)
{
    a->t = t;
    a->n = n;
    a->bytes = n * t->size;
    char **each[] = {&a->x, &a->sorted, &a->work, &a->scratch};
    for (size_t i = 0; i < COUNT(each); i++)
        if (!(*each[i] = malloc(a->bytes ? a->bytes : 1)))
            abort();
}

static void release(arrays *a)
{
    free(a->x);
    free(a->sorted);
    free(a->work);
    free(a->scratch);
}

#define CHECK_OF(a, condition, what)                                                                                   \
    CHECK(condition, "%s of %zu %s, %s", what, (a)->n, (a)->t->name, (a)->kind)

static void check_sort(arrays *a, const char *what)
{
    memcpy(a->work, a->x, a->bytes);
    ao_sort(a->t->type, a->work, a->scratch, a->n, UNWATCHED);
    CHECK_OF(a, memcmp(a->work, a->sorted, a->bytes) == 0, what);
}

/* Two sorted parts, merged in three ranges: what sorting the whole gives. */
static void check_merge(arrays *a, uint64_t *state)
{
    const size_t size = a->t->size, n_a = random_u64(state) % (a->n + 1);
    size_t cuts[] = {0, random_u64(state) % (a->n + 1), random_u64(state) % (a->n + 1), a->n};
    if (cuts[1] > cuts[2]) {
        const size_t later = cuts[1];
        cuts[1] = cuts[2];
        cuts[2] = later;
    }
    memcpy(a->work, a->x, a->bytes);
    ao_sort(a->t->type, a->work, a->scratch, n_a, UNWATCHED);
    ao_sort(a->t->type, a->work + n_a * size, a->scratch, a->n - n_a, UNWATCHED);
    for (size_t i = 3; i-- > 0;)
        ao_merge(a->t->type, a->work, n_a, a->work + n_a * size, a->n - n_a, a->scratch, cuts[i], cuts[i + 1], UNWATCHED);
    CHECK_OF(a, memcmp(a->scratch, a->sorted, a->bytes) == 0, "merge");
}

/* What was sorted is left as it is; backwards it is sorted anew. */
static void check_sorted(arrays *a)
{
    memcpy(a->x, a->sorted, a->bytes);
    check_sort(a, "sort again");
    for (size_t i = 0; i < a->n; i++)
        memcpy(a->x + i * a->t->size, a->sorted + (a->n - 1 - i) * a->t->size, a->t->size);
    reference_sort(a->t, a->x, a->sorted, a->n);
    check_sort(a, "sort backwards");
}

static void check_unique(arrays *a)
{
    memcpy(a->work, a->sorted, a->bytes);
    memcpy(a->scratch, a->sorted, a->bytes);
    size_t want = reference_unique(a->t, a->scratch, a->n), got = ao_unique(a->t->type, a->work, a->n, UNWATCHED);
    CHECK_OF(a, got == want && memcmp(a->work, a->scratch, want * a->t->size) == 0, "unique");
}

/* ao_select by the steps of threads, each of which has a third of the array. 0 if the steps do not apply, or if the array
 * was written to. */
static int select_by_ranges(enum ao_type type, const char *x, char *scratch, size_t n, size_t k, char *kth, char *next)
{
    enum { RANGES = 3 };
    static size_t counts[RANGES][1 << AO_DIGIT_BITS];
    const size_t size = ao_type_sizes[type], each = n / RANGES;
    ao_keys keys[RANGES];
    uint64_t varying = 0;
    size_t digit = 0, number, together = 0;
    int above = 0;
    for (size_t r = 0; r < RANGES && each; r++) {
        keys[r] = ao_select_keys(type, x + r * each * size, r + 1 < RANGES ? each : n - r * each, UNWATCHED);
        varying |= keys[r].varying | (keys[r].key ^ keys[0].key);
    }
    if (!varying)
        return 0;
    const unsigned shift = ao_select_shift(varying);
    for (size_t r = 0; r < RANGES; r++)
        ao_select_count(type, x + r * each * size, r + 1 < RANGES ? each : n - r * each, shift, counts[r], UNWATCHED);
    while ((number = counts[0][digit] + counts[1][digit] + counts[2][digit]) <= k) {
        k -= number;
        digit++;
    }
    const uint64_t start = ao_select_start(keys[0].key, shift, digit);
    for (size_t r = 0; r < RANGES; r++) {
        const char *from = x + r * each * size;
        const size_t here = r + 1 < RANGES ? each : n - r * each;
        char least[8];
        char *const to = scratch + r * each * size;
        const size_t found = ao_select_collect(type, from, here, shift, start, to, UNWATCHED);
        memmove(scratch + together * size, to, found * size);
        together += found;
        if (k + 1 == number && ao_select_above(type, from, here, shift, start, least, UNWATCHED)
            && (!above++ || ao_goes_before(type, least, next, 0)))
            memcpy(next, least, size);
    }
    if (together == number)
        ao_select(type, scratch, scratch, number, k, kth, k + 1 < number ? next : NULL, UNWATCHED);
    return together == number;
}

static void check_select_at(arrays *a, size_t k)
{
    static const char unset[8] = "unset..";
    char kth[8] = "", next[8], same[8] = "";
    size_t size = a->t->size;
    memcpy(next, unset, sizeof next);
    ao_select(a->t->type, a->work, a->scratch, a->n, k, kth, next, UNWATCHED);
    CHECK_OF(a, memcmp(kth, a->sorted + k * size, size) == 0, "select");
    CHECK_OF(a, memcmp(next, k + 1 < a->n ? a->sorted + (k + 1) * size : unset, size) == 0, "select next");
    ao_select(a->t->type, a->work, a->scratch, a->n, k, same, NULL, UNWATCHED);
    CHECK_OF(a, memcmp(same, kth, sizeof kth) == 0, "select without next");
    memcpy(next, unset, sizeof next);
    if (select_by_ranges(a->t->type, a->work, a->scratch, a->n, k, same, next)) {
        CHECK_OF(a, memcmp(same, kth, size) == 0, "select by ranges");
        CHECK_OF(a, memcmp(next, k + 1 < a->n ? a->sorted + (k + 1) * size : unset, size) == 0, "select by ranges, next");
    }
    CHECK_OF(a, memcmp(a->work, a->x, a->bytes) == 0, "array after select");
}

/* Of all but the nans. */
static void check_select(arrays *a, uint64_t *state)
{
    arrays some = *a;
    size_t size = a->t->size;
    some.n = 0;
    for (size_t i = 0; i < a->n; i++)
        if (a->t->equal(a->x + i * size, a->x + i * size))
            memmove(a->x + some.n++ * size, a->x + i * size, size);
    some.bytes = some.n * size;
    if (some.n < a->n)
        reference_sort(a->t, a->x, a->sorted, some.n);
    memcpy(some.work, some.x, some.bytes);
    for (size_t k = 0; k < some.n && some.n <= EVERY_K_TO; k++)
        check_select_at(&some, k);
    for (size_t i = 0; i < 4 && some.n > EVERY_K_TO; i++) {
        const size_t ks[] = {0, some.n / 2, some.n - 1, random_u64(state) % some.n};
        check_select_at(&some, ks[i]);
    }
}

static int is_number(const type_info *t, const char *x)
{
    return t->equal(x, x);
}

/* Whether place p may come before q if the largest come first, and nans last. */
static int may_precede(const type_info *t, const char *x, size_t p, size_t q)
{
    const char *a = x + p * t->size, *b = x + q * t->size;
    if (!is_number(t, a) || !is_number(t, b))
        return is_number(t, a) || (!is_number(t, b) && p < q);
    return t->before(b, a) || (!t->before(a, b) && p < q);
}

/* After reference_sort, of which the order is still there. */
static void check_places(arrays *a, uint64_t *state)
{
    const ao_span span = {a->x, {0, 0, AO_AS_IS}, a->t->type, a->n};
    void *room = malloc(ao_argsort_room(a->t->type, a->n) + 1);
    int64_t *places = malloc((a->n + 1) * sizeof *places), *kept = malloc((a->n + 1) * sizeof *kept);
    size_t wrong = 0;
    if (!room || !places || !kept)
        abort();
    for (size_t i = 0; i < a->n; i++)
        kept[i] = 3 * (int64_t)i + 1;
    ao_argsort(&span, 0, room, NULL, places, UNWATCHED);
    for (size_t i = 0; i < a->n; i++)
        wrong += (size_t)places[i] != order[i];
    ao_argsort(&span, 0, room, kept, places, UNWATCHED);
    for (size_t i = 0; i < a->n; i++)
        wrong += (size_t)places[i] != 3 * order[i] + 1;
    CHECK_OF(a, wrong == 0, "argsort");
    ao_argsort(&span, 1, room, NULL, places, UNWATCHED);
    for (size_t i = 0; i + 1 < a->n; i++)
        wrong += !may_precede(a->t, a->x, (size_t)places[i], (size_t)places[i + 1]);
    CHECK_OF(a, wrong == 0, "argsort in reverse");
    free(room);
    for (int round = 0; a->n > 0 && round < 3; round++) {
        const size_t k = round == 2 ? a->n : 1 + random_u64(state) % (round ? a->n : 1 + a->n / 50);
        room = malloc(ao_largest_room(a->t->type, a->n, k));
        char *out = malloc(k * a->t->size);
        if (!room || !out)
            abort();
        ao_largest(&span, k, room, out, UNWATCHED);
        for (size_t i = 0; i < k; i++)
            wrong += memcmp(out + i * a->t->size, a->x + (size_t)places[i] * a->t->size, a->t->size) != 0;
        CHECK_OF(a, wrong == 0, "largest");
        free(room);
        free(out);
    }
    free(places);
    free(kept);
}

static void check_length(size_t n, uint64_t *state)
{
    for (size_t t = 0; t < COUNT(types); t++) {
        arrays a;
        if (n == LONGEST && types[t].size < 8)
            continue; /* would not be split again */
        allocate(&a, &types[t], n);
        for (size_t kind = 0; kind < COUNT(kinds); kind++) {
            a.kind = kinds[kind].name;
            kinds[kind].make(a.t, state, a.x, n);
            reference_sort(a.t, a.x, a.sorted, n);
            check_sort(&a, "sort");
            check_merge(&a, state);
            check_places(&a, state);
            check_unique(&a);
            check_select(&a, state);
            kinds[kind].make(a.t, state, a.x, n);
            reference_sort(a.t, a.x, a.sorted, n);
            check_sorted(&a);
        }
        release(&a);
    }
}

/* ---- shared arrays ---- */

/* Strides and byte orders: what ao_sort_shared writes back is what ao_sort makes of a copy. */
static void check_shared(uint64_t *state)
{
    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t n = 0; n <= 5000; n = 5 * n + 1) {
            const size_t size = types[t].size, stride = 3 * size;
            arrays a;
            allocate(&a, &types[t], n);
            a.kind = "shared";
            make_special(a.t, state, a.x, n);
            reference_sort(a.t, a.x, a.sorted, n);
            char *room = malloc(2 * n * size + 1), *spread = malloc(n * stride + 1);
            for (int swapped = 0; swapped < 2; swapped++) {
                ao_scatter(spread, (ao_spacing){(ptrdiff_t)stride, (uint8_t)swapped, AO_AS_IS}, a.x, size, n);
                ao_sort_shared(a.t->type, spread, (ao_spacing){(ptrdiff_t)stride, (uint8_t)swapped, AO_AS_IS}, room, n, UNWATCHED);
                ao_gather(a.work, spread, (ao_spacing){(ptrdiff_t)stride, (uint8_t)swapped, AO_AS_IS}, size, n);
                CHECK_OF(&a, memcmp(a.work, a.sorted, a.bytes) == 0, swapped ? "spread and swapped" : "spread");
            }
            memcpy(a.work, a.x, a.bytes);
            ao_sort_shared(a.t->type, a.work, (ao_spacing){0, 0, AO_AS_IS}, room, n, UNWATCHED);
            CHECK_OF(&a, memcmp(a.work, a.sorted, a.bytes) == 0, "side by side");
            free(room);
            free(spread);
            release(&a);
        }
}

/* ---- the watch ---- */

enum { WATCHED = 1 << 22 };

/* Whether a long sort and selection are looked at often, and end when they are told to. */
static void check_watch(uint64_t *state)
{
    for (size_t t = 0; t < COUNT(types); t++) {
        const type_info *type = &types[t];
        arrays a;
        char kth[8];
        allocate(&a, type, WATCHED);
        a.kind = "watched";
        char *room = malloc(2 * a.bytes);
        for (size_t i = 0; i < WATCHED; i++)
            type->set_bits(a.x + i * type->size, random_u64(state));
        size_t total = 2; /* the copy in is two looks, and so is the copy out */
        for (size_t stop = 0; stop <= total; stop += stop < 2 || stop + 4 > total ? 1 : total / 3) {
            looks l = {0, stop};
            ao_watch w = {.call = count_look, .context = &l};
            memcpy(a.work, a.x, a.bytes);
            const int stopped = ao_sort_shared(type->type, a.work, (ao_spacing){0, 0, AO_AS_IS}, room, WATCHED, &w);
            CHECK_OF(&a, w.largest <= AO_WATCH_EVERY / 2, "work between two looks");
            CHECK_OF(&a, stopped == (stop > 0) && (!stop || l.calls == stop), "looks after a stop");
            if (!stop) {
                total = l.calls;
                CHECK_OF(&a, total >= (type->size > 1 ? 6 : 4), "number of looks");
                memcpy(a.sorted, a.work, a.bytes);
            } else {
                const char *want = stop <= total - 2 ? a.x : a.sorted; /* it is all or nothing */
                CHECK_OF(&a, memcmp(a.work, want, a.bytes) == 0, "the array after a stop");
            }
        }
        for (size_t stop = 0; stop < 3; stop++) {
            looks l = {0, stop};
            ao_watch w = {.call = count_look, .context = &l};
            ao_select(type->type, a.x, room, WATCHED, WATCHED / 2, kth, NULL, &w);
            CHECK_OF(&a, l.calls >= (stop ? 1 : 2) && (!stop || l.calls <= stop), "looks at a selection");
        }
        free(room);
        release(&a);
    }
}

/* ---- a writer beside the call ---- */

typedef struct {
    uint64_t *words;
    size_t number;
    atomic_int stop;
} writer;

/* Random words, then all alike, again and again: whatever was counted is no longer so. Not atomic, as no writer in Python
 * is: the thread sanitizer is told so. */
UNTOLD static void *write_beside(void *context)
{
    writer *wr = context;
    uint64_t state = 7;
    while (!atomic_load(&wr->stop)) {
        const uint64_t alike = random_u64(&state);
        for (size_t i = 0; i < wr->number; i++)
            ((volatile uint64_t *)wr->words)[i] = alike & 1 ? random_u64(&state) : alike;
    }
    return NULL;
}

/* Nothing is checked but that no memory is touched that is not the call's: guards, and the address sanitizer. */
static void check_races(void)
{
    enum { N = 1 << 14, ROUNDS = 60 };
    static uint64_t shared[N], room[2 * N + 2];
    writer wr = {.words = shared, .number = N};
    ao_thread thread;
    const int beside = ao_thread_start(&thread, write_beside, &wr);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t t = 0; t < COUNT(types); t++) {
            const size_t size = types[t].size, n = N * 8 / size - round % 7;
            char kth[8], next[8];
            char *guard = (char *)room + 2 * n * size;
            memset(guard, 0x5A, 8);
            ao_sort_shared(types[t].type, shared, (ao_spacing){0, 0, AO_AS_IS}, room, n, UNWATCHED);
            CHECK(*guard == 0x5A, "a sort wrote behind its memory");
            guard = (char *)room + n * size;
            memset(guard, 0x5A, 8);
            ao_select(types[t].type, shared, room, n, round * n / ROUNDS, kth, next, UNWATCHED);
            CHECK(*guard == 0x5A, "a selection wrote behind its memory");
            select_by_ranges(types[t].type, (const char *)shared, (char *)room, n, round * n / ROUNDS, kth, next);
            CHECK(*guard == 0x5A, "a selection by ranges wrote behind its memory");
        }
    atomic_store(&wr.stop, 1);
    if (beside)
        ao_thread_join(&thread);
}

/* A library built with -ffast-math may have made zeros of subnormals in the caller's thread: not here. */
static void check_strange_arithmetic(uint64_t *state)
{
#if defined __SSE2__
    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t n = 10; n <= 1000; n *= 10) {
            arrays a;
            allocate(&a, &types[t], n);
            a.kind = "without subnormals";
            make_special(a.t, state, a.x, n);
            reference_sort(a.t, a.x, a.sorted, n);
            unsigned saved = _mm_getcsr();
            _mm_setcsr(saved | 0x8040); /* FTZ, DAZ */
            check_sort(&a, "sort");
            memcpy(a.work, a.sorted, a.bytes);
            size_t kept = ao_unique(a.t->type, a.work, n, UNWATCHED);
            _mm_setcsr(saved);
            memcpy(a.scratch, a.sorted, a.bytes);
            CHECK_OF(&a, kept == reference_unique(a.t, a.scratch, n), "unique");
            release(&a);
        }
#else
    (void)state;
#endif
}

int main(int count, char **arguments)
{
    uint64_t state = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    long rounds = count > 2 ? strtol(arguments[2], NULL, 10) : 1;
    for (long round = 0; round < rounds && !check_failures; round++) {
        uint64_t seed = state;
        for (size_t n = 0; n <= ALL_LENGTHS_TO; n++)
            check_length(n, &state);
        for (size_t l = 0; l < COUNT(long_lengths); l++)
            check_length(long_lengths[l], &state);
        check_strange_arithmetic(&state);
        check_shared(&state);
        check_watch(&state);
        check_races();
        CHECK(!check_failures, "rerun with: test_sort %llu", (unsigned long long)seed);
    }
    return check_result("sort");
}
