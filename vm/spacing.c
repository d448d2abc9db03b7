/* Elements that do not lie as kernels read them: fields of records, every other element, the other byte order, odd addresses,
 * and forms that the machine has no type for.
 *
 * One element at a time, by memcpy, so any address and any stride will do. Elements that are side by side and only swapped
 * get a loop of their own, which becomes vector code: 3 to 6 times as fast. A byte that somebody changes meanwhile is read
 * once: a truth value is 0 or 1 when it has been gathered, whatever memory says.
 */
#include "vm.h"

#include <string.h>

static uint8_t same_8(uint8_t x) { return x; }
static uint16_t same_16(uint16_t x) { return x; }
static uint32_t same_32(uint32_t x) { return x; }
static uint64_t same_64(uint64_t x) { return x; }
static uint16_t swap_16(uint16_t x) { return (uint16_t)(x << 8 | x >> 8); }
static uint32_t swap_32(uint32_t x) { return (uint32_t)swap_16((uint16_t)x) << 16 | swap_16((uint16_t)(x >> 16)); }
static uint64_t swap_64(uint64_t x) { return (uint64_t)swap_32((uint32_t)x) << 32 | swap_32((uint32_t)(x >> 32)); }

#define COPY(name, U, change)                                                                          \
    static void name(char *restrict to, ptrdiff_t to_stride, const char *restrict from, ptrdiff_t stride, size_t n) \
    {                                                                                                  \
        if (to_stride == (ptrdiff_t)sizeof(U) && stride == (ptrdiff_t)sizeof(U)) {                     \
            for (size_t i = 0; i < n; i++) {                                                           \
                U x;                                                                                   \
                memcpy(&x, from + i * sizeof x, sizeof x);                                             \
                x = change(x);                                                                         \
                memcpy(to + i * sizeof x, &x, sizeof x);                                               \
            }                                                                                          \
            return;                                                                                    \
        }                                                                                              \
        for (size_t i = 0; i < n; i++, from += stride, to += to_stride) {                              \
            U x;                                                                                       \
            memcpy(&x, from, sizeof x);                                                                \
            x = change(x);                                                                             \
            memcpy(to, &x, sizeof x);                                                                  \
        }                                                                                              \
    }
COPY(copy_8, uint8_t, same_8)
COPY(copy_16, uint16_t, same_16)
COPY(copy_32, uint32_t, same_32)
COPY(copy_64, uint64_t, same_64)
COPY(turn_16, uint16_t, swap_16)
COPY(turn_32, uint32_t, swap_32)
COPY(turn_64, uint64_t, swap_64)

typedef struct {
    uint8_t bytes[3];
} three;
static three same_24(three x) { return x; }
COPY(copy_24, three, same_24)

static void copy(char *to, ptrdiff_t to_stride, const char *from, ptrdiff_t stride, int swapped, size_t size, size_t n)
{
    switch (size) {
    case 1: copy_8(to, to_stride, from, stride, n); break;
    case 2: (swapped ? turn_16 : copy_16)(to, to_stride, from, stride, n); break;
    case 3: copy_24(to, to_stride, from, stride, n); break;
    case 4: (swapped ? turn_32 : copy_32)(to, to_stride, from, stride, n); break;
    default: (swapped ? turn_64 : copy_64)(to, to_stride, from, stride, n); break;
    }
}

/* ---- forms ---- */

const uint8_t ao_form_types[AO_FORMS] = {
    [AO_TRUTH] = AO_TYPE_b1, [AO_RANGE] = AO_TYPE_i64, [AO_HALF] = AO_TYPE_f64, [AO_INT24] = AO_TYPE_i32, [AO_UINT24] = AO_TYPE_u32,
};
const uint8_t ao_form_sizes[AO_FORMS] = {[AO_TRUTH] = 1, [AO_RANGE] = 8, [AO_HALF] = 2, [AO_INT24] = 3, [AO_UINT24] = 3};

static double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The bits of a half are those of a double 2^1008 times smaller, subnormals too; only infinities and nans are not. */
static double of_half(uint16_t half)
{
    const uint64_t size = half & 0x7FFFu, sign = (uint64_t)(half & 0x8000u) << 48;
    const uint64_t special = size >= 0x7C00u ? UINT64_C(0x7FF0000000000000) : 0;
    return of_bits(bits_of(of_bits(size << 42) * 0x1p1008) | special | sign);
}

/* The nearest half, of two the even one: rounded once, from all bits of the double, as struct.pack("e", x). */
static uint16_t to_half(double x)
{
    const uint64_t bits = bits_of(x), size = bits & ~(UINT64_C(1) << 63), inf = UINT64_C(0x7FF0000000000000);
    const uint64_t even = size + ((UINT64_C(1) << 41) - 1) + (size >> 42 & 1); /* carries into the bits that stay */
    const uint64_t normal = (even >> 42) - (UINT64_C(1008) << 10);
    /* Below 2^-14 halves are multiples of 2^-24: those are the last bits of doubles from 2^28 on. */
    const uint64_t small = bits_of(of_bits(size < inf ? size : 0) + 0x1p28) - bits_of(0x1p28);
    uint64_t half = size < bits_of(0x1p-14) ? small : normal;
    half = size >= bits_of(65520.0) ? 0x7C00 : half;
    half = size > inf ? 0x7E00 : half;
    return (uint16_t)(half | (bits >> 48 & 0x8000));
}

static int32_t of_int24(uint32_t x) { return (int32_t)(x ^ 0x800000) - 0x800000; }
static uint32_t of_uint24(uint32_t x) { return x; }
static uint8_t truth_of(uint8_t x) { return x != 0; }

/* Three bytes as a number, and back. */
static uint32_t read_24(const char *from, int big)
{
    uint8_t b[3];
    memcpy(b, from, sizeof b);
    return (uint32_t)b[big ? 2 : 0] | (uint32_t)b[1] << 8 | (uint32_t)b[big ? 0 : 2] << 16;
}

static void write_24(char *to, uint32_t x, int big)
{
    const uint8_t b[3] = {(uint8_t)(big ? x >> 16 : x), (uint8_t)(x >> 8), (uint8_t)(big ? x : x >> 16)};
    memcpy(to, b, sizeof b);
}

static int is_big_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return !first;
}

static uint16_t read_16(const char *from, int swapped)
{
    uint16_t x;
    memcpy(&x, from, sizeof x);
    return swapped ? swap_16(x) : x;
}

static void write_16(char *to, uint16_t x, int swapped)
{
    x = swapped ? swap_16(x) : x;
    memcpy(to, &x, sizeof x);
}

static uint8_t read_8(const char *from, int swapped)
{
    (void)swapped;
    return (uint8_t)*from;
}

static void write_8(char *to, uint8_t x, int swapped)
{
    (void)swapped;
    *to = (char)x;
}

/* n elements of T to and from a form; `order` is what read and write want to know of the byte order. */
#define FORM(name, T, read, of, write, make)                                                                 \
    static void gather_##name(char *restrict to, const char *restrict from, ptrdiff_t stride, int order, size_t n) \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++, from += stride, to += sizeof(T)) {                                    \
            const T x = of(read(from, order));                                                               \
            memcpy(to, &x, sizeof x);                                                                        \
        }                                                                                                    \
    }                                                                                                        \
    static void scatter_##name(char *restrict to, ptrdiff_t stride, const char *restrict from, int order, size_t n) \
    {                                                                                                        \
        for (size_t i = 0; i < n; i++, from += sizeof(T), to += stride) {                                    \
            T x;                                                                                             \
            memcpy(&x, from, sizeof x);                                                                      \
            write(to, make(x), order);                                                                       \
        }                                                                                                    \
    }
FORM(truth, uint8_t, read_8, truth_of, write_8, truth_of)
FORM(half, double, read_16, of_half, write_16, to_half)
FORM(int24, int32_t, read_24, of_int24, write_24, (uint32_t))
FORM(uint24, uint32_t, read_24, of_uint24, write_24, of_uint24)

/* The elements of a range: each is computed, none is read. */
static void gather_range(char *to, const char *from, ptrdiff_t step, size_t n)
{
    uint64_t x = (uint64_t)(uintptr_t)from;
    for (size_t i = 0; i < n; i++, x += (uint64_t)step)
        memcpy(to + i * sizeof x, &x, sizeof x);
}

static void gather_form(char *to, const char *from, ao_spacing spacing, size_t n)
{
    const int big = spacing.swapped != is_big_endian();
    switch (spacing.form) {
    case AO_TRUTH: gather_truth(to, from, spacing.stride, 0, n); break;
    case AO_RANGE: gather_range(to, from, spacing.stride, n); break;
    case AO_HALF: gather_half(to, from, spacing.stride, spacing.swapped, n); break;
    case AO_INT24: gather_int24(to, from, spacing.stride, big, n); break;
    default: gather_uint24(to, from, spacing.stride, big, n); break;
    }
}

static void scatter_form(char *to, ao_spacing spacing, const char *from, size_t n)
{
    const int big = spacing.swapped != is_big_endian();
    switch (spacing.form) {
    case AO_TRUTH: scatter_truth(to, spacing.stride, from, 0, n); break;
    case AO_HALF: scatter_half(to, spacing.stride, from, spacing.swapped, n); break;
    case AO_INT24: scatter_int24(to, spacing.stride, from, big, n); break;
    default: scatter_uint24(to, spacing.stride, from, big, n); break;
    }
}

/* ---- what others call ---- */

void ao_gather(void *to, const void *from, ao_spacing spacing, size_t size, size_t n)
{
    if (spacing.form) {
        gather_form(to, from, spacing, n);
        return;
    }
    copy(to, (ptrdiff_t)size, from, spacing.stride, spacing.swapped, size, n);
}

void ao_scatter(void *to, ao_spacing spacing, const void *from, size_t size, size_t n)
{
    if (spacing.form) {
        scatter_form(to, spacing, from, n);
        return;
    }
    copy(to, spacing.stride, from, (ptrdiff_t)size, spacing.swapped, size, n);
}

static ao_spacing with_stride(ao_spacing spacing, size_t size)
{
    return spacing.stride ? spacing : (ao_spacing){(ptrdiff_t)size, spacing.swapped, AO_AS_IS};
}

int ao_copy_in(void *to, const void *from, ao_spacing spacing, size_t size, size_t n, ao_watch *w)
{
    const ao_spacing at = with_stride(spacing, size);
    for (size_t i = 0, end; i < n && !w->stopped; i = end) {
        end = ao_watch_part(i, n);
        if (spacing.stride)
            ao_gather((char *)to + i * size, ao_along(from, i, at.stride), at, size, end - i);
        else
            memcpy((char *)to + i * size, (const char *)from + i * size, (end - i) * size);
        ao_watch_done(w, end - i);
    }
    return w->stopped;
}

int ao_copy_out(void *to, ao_spacing spacing, const void *from, size_t size, size_t n, ao_watch *w)
{
    const ao_spacing at = with_stride(spacing, size);
    for (size_t i = 0, end; i < n; i = end) {
        end = ao_watch_part(i, n);
        if (spacing.stride)
            ao_scatter((char *)to + (ptrdiff_t)i * at.stride, at, (const char *)from + i * size, size, end - i);
        else
            memcpy((char *)to + i * size, (const char *)from + i * size, (end - i) * size);
        ao_watch_done(w, end - i);
    }
    return w->stopped;
}

int ao_reverse(void *a, ptrdiff_t step, size_t size, size_t n, ao_watch *w)
{
    enum { BLOCK = 1024 };
    uint64_t front[BLOCK], back[BLOCK];
    char *first = a, *last = first + (ptrdiff_t)(n - (n > 0)) * step;
    for (size_t now; n > 1 && !w->stopped; n -= 2 * now) {
        now = n / 2 < BLOCK ? n / 2 : BLOCK;
        ao_gather(front, first, (ao_spacing){step, 0, AO_AS_IS}, size, now); /* the byte order may stay as it is */
        ao_gather(back, last, (ao_spacing){-step, 0, AO_AS_IS}, size, now);
        ao_scatter(first, (ao_spacing){step, 0, AO_AS_IS}, back, size, now);
        ao_scatter(last, (ao_spacing){-step, 0, AO_AS_IS}, front, size, now);
        first += (ptrdiff_t)now * step;
        last -= (ptrdiff_t)now * step;
        ao_watch_done(w, 2 * now);
    }
    return w->stopped;
}
