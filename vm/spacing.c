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
