/* Elements that do not lie as kernels read them: fields of records, every other element, the other byte order, odd addresses.
 *
 * One element at a time, by memcpy, so any address and any stride will do. Elements that are side by side and only swapped
 * get a loop of their own, which becomes vector code: 3 to 6 times as fast.
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

static void copy(char *to, ptrdiff_t to_stride, const char *from, ptrdiff_t stride, int swapped, size_t size, size_t n)
{
    switch (size) {
    case 1: copy_8(to, to_stride, from, stride, n); break;
    case 2: (swapped ? turn_16 : copy_16)(to, to_stride, from, stride, n); break;
    case 4: (swapped ? turn_32 : copy_32)(to, to_stride, from, stride, n); break;
    default: (swapped ? turn_64 : copy_64)(to, to_stride, from, stride, n); break;
    }
}

void ao_gather(void *to, const void *from, ao_spacing spacing, size_t size, size_t n)
{
    copy(to, (ptrdiff_t)size, from, spacing.stride, spacing.swapped, size, n);
}

void ao_scatter(void *to, ao_spacing spacing, const void *from, size_t size, size_t n)
{
    copy(to, spacing.stride, from, (ptrdiff_t)size, spacing.swapped, size, n);
}

static ao_spacing with_stride(ao_spacing spacing, size_t size)
{
    return spacing.stride ? spacing : (ao_spacing){(ptrdiff_t)size, spacing.swapped};
}

int ao_copy_in(void *to, const void *from, ao_spacing spacing, size_t size, size_t n, ao_watch *w)
{
    const ao_spacing at = with_stride(spacing, size);
    for (size_t i = 0, end; i < n && !w->stopped; i = end) {
        end = ao_watch_part(i, n);
        if (spacing.stride)
            ao_gather((char *)to + i * size, (const char *)from + (ptrdiff_t)i * at.stride, at, size, end - i);
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
        ao_gather(front, first, (ao_spacing){step, 0}, size, now); /* the byte order may stay as it is */
        ao_gather(back, last, (ao_spacing){-step, 0}, size, now);
        ao_scatter(first, (ao_spacing){step, 0}, back, size, now);
        ao_scatter(last, (ao_spacing){-step, 0}, front, size, now);
        first += (ptrdiff_t)now * step;
        last -= (ptrdiff_t)now * step;
        ao_watch_done(w, 2 * now);
    }
    return w->stopped;
}
