/* Names for code that is compiled once per instruction-set level.
 *
 * Meson compiles kernels.c, compact.c and reduce_kernels.c once for each level with AO_ISA set to base, avx2 or avx512;
 * AO_LOCAL(name) gives each copy its own symbol. Nothing outside this folder needs this header.
 */
#ifndef AO_LEVEL_H
#define AO_LEVEL_H

#include <string.h>

#include "../portable.h"
#include "../vm.h"

#define INLINE AO_INLINE

/* The double of these bits. */
static INLINE double of_bits(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static INLINE uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

#define AO_PASTE2(a, b) a##_##b
#define AO_PASTE(a, b) AO_PASTE2(a, b)
#define AO_LOCAL(name) AO_PASTE(name, AO_ISA)

#endif
