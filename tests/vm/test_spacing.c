/* Elements that do not lie side by side: gathered and scattered as byte by byte, for every size, order, stride and
 * address; and runs whose inputs and output lie so, in one piece, in pieces and on several threads, give the bits of the
 * run over dense copies. */
#include "build_program.h"
#include "parallel.h"

#include <math.h>

#define IS_BIG_ENDIAN (!*(const uint8_t *)&(const uint16_t){1})

enum { MOST = 40, BYTES = 64 * MOST + 64, N = 2 * AO_CHUNK + 19 };

static unsigned char from[BYTES], to[BYTES], want[BYTES];

static void copy_bytes(unsigned char *d, ptrdiff_t d_step, const unsigned char *s, ptrdiff_t s_step, int swapped,
                       size_t size, size_t n)
{
    for (size_t i = 0; i < n; i++, d += d_step, s += s_step)
        for (size_t k = 0; k < size; k++)
            d[k] = s[swapped ? size - 1 - k : k];
}

static void check_copies(size_t size, ptrdiff_t stride, int swapped, size_t n, size_t at)
{
    const size_t start = stride < 0 ? (size_t)-stride * (n ? n - 1 : 0) + at : at;
    const ao_spacing spacing = {stride, (uint8_t)swapped, AO_AS_IS};
    memset(to, 7, sizeof to), memset(want, 7, sizeof want);
    copy_bytes(want, (ptrdiff_t)size, from + start, stride, swapped, size, n);
    ao_gather(to, from + start, spacing, size, n);
    CHECK(memcmp(to, want, sizeof to) == 0, "gather: size %zu stride %td swapped %d n %zu", size, stride, swapped, n);
    memset(to, 7, sizeof to), memset(want, 7, sizeof want);
    copy_bytes(want + start, stride, from, (ptrdiff_t)size, swapped, size, n);
    ao_scatter(to + start, spacing, from, size, n);
    CHECK(memcmp(to, want, sizeof to) == 0, "scatter: size %zu stride %td swapped %d n %zu", size, stride, swapped, n);
}

static void test_copies(void)
{
    static const ptrdiff_t strides[] = {1, 2, 3, 4, 7, 8, 9, 16, 61};
    uint64_t state = 3;
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (unsigned char)random_u64(&state);
    for (size_t size = 1; size <= 8; size += size < 4 ? 1 : 4)
        for (size_t s = 0; s < sizeof strides / sizeof *strides; s++)
            for (size_t n = 0; n <= MOST; n += 1 + n / 3)
                for (int k = 0; k < 4 && strides[s] >= (ptrdiff_t)size; k++)
                    check_copies(size, k & 1 ? -strides[s] : strides[s], size > 1 && size != 3 && k & 2, n, (size_t)(3 - k));
}

/* ---- forms ---- */

/* The value of a half, from its parts. */
static double half_value(unsigned bits)
{
    const unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, (int)exponent - 25) : ldexp(fraction, -24));
}

static void put_half(unsigned char *at, unsigned bits, int big)
{
    at[big] = (unsigned char)bits;
    at[!big] = (unsigned char)(bits >> 8);
}

/* Each half to a double and back; and halfway to the next one, where the even one is taken, and a little aside. */
static void test_halves(int swapped)
{
    static unsigned char halves[2 * 0x10000], back[2 * 0x10000], three[6];
    static double doubles[0x10000];
    const int big = swapped != IS_BIG_ENDIAN;
    const ao_spacing spacing = {2, (uint8_t)swapped, AO_HALF};
    for (unsigned bits = 0; bits < 0x10000; bits++)
        put_half(halves + 2 * bits, bits, big);
    ao_gather(doubles, halves, spacing, sizeof(double), 0x10000);
    ao_scatter(back, spacing, doubles, sizeof(double), 0x10000);
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        const double want = half_value(bits);
        CHECK(isnan(want) ? isnan(doubles[bits]) : doubles[bits] == want, "half %04x is %g", bits, doubles[bits]);
        CHECK(!signbit(want) == !signbit(doubles[bits]) || isnan(want), "half %04x: sign", bits);
        CHECK(isnan(want) || !memcmp(back + 2 * bits, halves + 2 * bits, 2), "half %04x is not what came back", bits);
        if ((bits & 0x7FFF) >= 0x7C00)
            continue;
        const double next = (bits & 0x7FFF) == 0x7BFF ? copysign(65536, want) : half_value(bits + 1);
        const double middle = (want + next) / 2, x[3] = {nextafter(middle, 0), middle, nextafter(middle, 2 * next)};
        ao_scatter(three, spacing, x, sizeof(double), 3);
        const unsigned given[3] = {bits, bits & 1 ? bits + 1 : bits, bits + 1};
        for (int k = 0; k < 3; k++) {
            unsigned char wanted[2];
            put_half(wanted, given[k], big);
            CHECK(!memcmp(three + 2 * k, wanted, 2), "%a is not half %04x", x[k], given[k]);
        }
    }
}

/* All integers of 24 bits, 8 bytes apart, and back. */
static void test_24_bits(int swapped, unsigned form)
{
    enum { AT_ONCE = 4096, APART = 8 };
    static unsigned char memory[AT_ONCE * APART], back[AT_ONCE * APART];
    static int32_t numbers[AT_ONCE];
    const int big = swapped != IS_BIG_ENDIAN;
    const ao_spacing spacing = {APART, (uint8_t)swapped, (uint8_t)form};
    for (int32_t first = 0; first < 1 << 24; first += AT_ONCE) {
        for (int32_t i = 0; i < AT_ONCE; i++)
            for (int k = 0; k < 3; k++)
                memory[i * APART + (big ? 2 - k : k)] = (unsigned char)((first + i) >> 8 * k);
        ao_gather(numbers, memory, spacing, 4, AT_ONCE);
        ao_scatter(back, spacing, numbers, 4, AT_ONCE);
        for (int32_t i = 0; i < AT_ONCE; i++) {
            const int32_t bits = first + i, want = form == AO_INT24 && bits >= 1 << 23 ? bits - (1 << 24) : bits;
            CHECK(numbers[i] == want, "%d of 24 bits is %d", want, numbers[i]);
        }
        CHECK(!memcmp(memory, back, sizeof memory), "24 bits from %d: not what came back", first);
    }
}

/* A range is computed: there is no memory behind its addresses. */
static void test_ranges(void)
{
    static const struct {
        int64_t first, step;
    } ranges[] = {{0, 1}, {5, -3}, {INT64_MIN, INT64_MAX}, {INT64_MAX, INT64_MIN}, {-1, 1}, {7, INT64_C(1) << 40}};
    for (size_t k = 0; sizeof(void *) == sizeof(int64_t) && k < sizeof ranges / sizeof *ranges; k++) {
        const ao_spacing spacing = {(ptrdiff_t)ranges[k].step, 0, AO_RANGE};
        const void *first = (const void *)(uintptr_t)ranges[k].first;
        int64_t found[9];
        ao_gather(found, ao_along(first, 2, spacing.stride), spacing, sizeof *found, 9);
        for (uint64_t i = 0; i < 9; i++)
            CHECK(found[i] == (int64_t)((uint64_t)ranges[k].first + (i + 2) * (uint64_t)ranges[k].step),
                  "element %d of range %d is %lld", (int)i, (int)k, (long long)found[i]);
    }
}

static void test_forms(void)
{
    uint8_t bytes[256], truths[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    ao_gather(truths, bytes, (ao_spacing){1, 0, AO_TRUTH}, 1, 256);
    for (int i = 0; i < 256; i++)
        CHECK(truths[i] == (i != 0), "the truth of %d is %d", i, truths[i]);
    for (int swapped = 0; swapped < 2; swapped++) {
        test_halves(swapped);
        test_24_bits(swapped, AO_INT24);
        test_24_bits(swapped, AO_UINT24);
    }
}

/* out = a + b, and a // b if it may mark: two inputs of one type. */
static ao_program *load(builder *b, unsigned type, unsigned op)
{
    const char *why = NULL;
    long where = -1;
    build_start(b, type);
    build_input(b, type);
    build_input(b, type);
    in_body(b, op, out_reg(b), 0, 1, AO_NO_REG);
    ao_program *program = build_load(b, &why, &where);
    CHECK(program, "%s", why ? why : "?");
    return program;
}

/* How a run is done. */
typedef struct {
    ptrdiff_t strides[3]; /* of a, b and the output; 0: dense */
    int swapped;
    size_t step;          /* elements of each ao_run */
    unsigned flags, threads;
} way;

static int32_t dense[3][N], given[N];
static unsigned char spaced[3][N * 12 + 16];

static void settle(ao_frame *frame)
{
    for (size_t i = 0; i < frame->block_count; i++)
        if (frame->marks[i])
            ((int32_t *)frame->block_out)[i] = -1;
    ao_finish(frame, frame->block_count);
}

static void run_serially(const ao_program *p, const ao_job *job, unsigned inputs, size_t step)
{
    const size_t size = ao_frame_size(p, inputs);
    void *memory = allocate_aligned(size);
    memset(memory, 0xA5, size);
    ao_frame frame;
    ao_frame_open(&frame, p, job, memory);
    for (size_t end = step; frame.position < job->count; end += step)
        while (ao_run(&frame, end < job->count ? end : job->count) == AO_MARKED)
            settle(&frame);
    free_aligned(memory);
}

/* Lays out what `dense` has, runs, and compares with what stands in `given`. */
static void check_run(const ao_program *p, const way *w, size_t n)
{
    const void *inputs[2];
    ao_spacing spacings[3];
    unsigned number = 0;
    for (int k = 0; k < 3; k++) {
        const ptrdiff_t stride = w->strides[k];
        unsigned char *first = spaced[k] + 1 + (stride < 0 ? (size_t)-stride * (n ? n - 1 : 0) : 0);
        spacings[k] = (ao_spacing){stride, stride && w->swapped, AO_AS_IS};
        memset(spaced[k], 0, sizeof spaced[k]);
        if (stride && k < 2)
            copy_bytes(first, stride, (unsigned char *)dense[k], 4, w->swapped, 4, n);
        if (k < 2)
            inputs[k] = stride ? (void *)first : (void *)dense[k], number += stride != 0;
    }
    unsigned char *out = spaced[2] + 1 + (w->strides[2] < 0 ? (size_t)-w->strides[2] * (n ? n - 1 : 0) : 0);
    int32_t got[3] = {0};
    memset(dense[2], 0, sizeof dense[2]);
    ao_job job = {.isa = ao_isa_find(NULL), .inputs = inputs, .spacings = number ? spacings : NULL, .count = n,
                  .out = w->strides[2] ? (void *)out : (void *)dense[2], .out_spacing = spacings[2], .flags = w->flags};
    if (w->threads) {
        static uint8_t left[N / AO_CHUNK + 1];
        static const ao_poll none = {NULL, NULL, 1};
        ao_run_parallel(p, &job, w->threads, &none, left);
        for (size_t c = 0; c < ao_chunks(n); c++)
            CHECK(!left[c], "chunk %zu is left", c);
    } else {
        run_serially(p, &job, number, w->step);
    }
    for (size_t i = 0; i < n; i++) {
        if (w->strides[2])
            copy_bytes((unsigned char *)got, 4, out + (ptrdiff_t)i * w->strides[2], w->strides[2], w->swapped, 4, 1);
        const int32_t value = w->strides[2] ? got[0] : dense[2][i];
        CHECK(value == given[i], "element %zu is %d, not %d: strides %td %td %td, threads %u", i, value, given[i],
              w->strides[0], w->strides[1], w->strides[2], w->threads);
    }
}

static void test_runs(void)
{
    static builder b;
    static const ptrdiff_t strides[][3] = {{4, 0, 0}, {12, 0, 0}, {0, -8, 0}, {12, 5, 0}, {0, 0, 8}, {-4, 12, -12}, {9, 9, 9}};
    static const size_t steps[] = {N, 1000, 77};
    uint64_t state = 9;
    for (size_t i = 0; i < N; i++)
        dense[0][i] = (int32_t)(random_u64(&state) >> 44), dense[1][i] = (int32_t)(random_u64(&state) >> 44) % 5;
    for (int marks = 0; marks < 2; marks++) {
        ao_program *p = load(&b, AO_TYPE_i32, marks ? AO_OP_FLOORDIV_CHECKED_i32 : AO_OP_ADD_i32);
        if (!p)
            return;
        for (size_t i = 0; i < N; i++)
            given[i] = !marks ? dense[0][i] + dense[1][i] : dense[1][i] ? dense[0][i] / dense[1][i] : -1;
        for (size_t s = 0; s < sizeof strides / sizeof *strides; s++)
            for (int k = 0; k < 12; k++) {
                way w = {.swapped = k & 1, .step = steps[k >> 1 & 1 ? k % 3 : 0], .flags = k & 4 ? AO_KEEP : 0,
                         .threads = marks || strides[s][2] ? 0 : (unsigned)(k / 4)};
                memcpy(w.strides, strides[s], sizeof w.strides);
                check_run(p, &w, k & 8 ? N : N / 3);
            }
        ao_program_free(p);
    }
}

int main(void)
{
    test_copies();
    test_forms();
    test_ranges();
    test_runs();
    return check_result("test_spacing");
}
