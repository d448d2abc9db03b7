/* Names for code that is compiled once per instruction-set level.
 *
 * Meson compiles kernels.c, compact.c and reduce_kernels.c once for each level with AO_ISA set to base, avx2 or avx512;
 * AO_LOCAL(name) gives each copy its own symbol. Nothing outside this folder needs this header.
 *
 * Not every level has its own of everything: AO_LEVEL_<levels>(T), by that column of ops.def, is the level whose kernel of T
 * this level has. A level below runs wherever this one does.
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

/* For #if: whether this is the level that has what all levels share. */
#define AO_IS_FIRST AO_PASTE(AO_IS_FIRST, AO_ISA)
#define AO_IS_FIRST_base 1
#define AO_IS_FIRST_avx2 0
#define AO_IS_FIRST_avx512 0

#define AO_UP_TO_AVX2_base base
#define AO_UP_TO_AVX2_avx2 avx2
#define AO_UP_TO_AVX2_avx512 avx2
#define AO_LEVEL_each(T) AO_ISA
#define AO_LEVEL_avx2(T) AO_PASTE(AO_UP_TO_AVX2, AO_ISA)
#define AO_LEVEL_wide(T) AO_LEVEL_wide_##T
#define AO_LEVEL_wide_b1 AO_LEVEL_avx2(_)
#define AO_LEVEL_wide_i8 AO_LEVEL_avx2(_)
#define AO_LEVEL_wide_u8 AO_LEVEL_avx2(_)
#define AO_LEVEL_wide_i16 AO_LEVEL_avx2(_)
#define AO_LEVEL_wide_u16 AO_LEVEL_avx2(_)
#define AO_LEVEL_wide_i32 AO_LEVEL_avx2(_)
#define AO_LEVEL_wide_u32 AO_LEVEL_avx2(_)
#define AO_LEVEL_wide_i64 AO_ISA
#define AO_LEVEL_wide_u64 AO_ISA
#define AO_LEVEL_wide_f32 AO_LEVEL_avx2(_)
#define AO_LEVEL_wide_f64 AO_LEVEL_avx2(_)
#define AO_LEVEL_base(T) base

/* The first argument if the level is this one, else the second. */
#define AO_IF_OWN(level, own, other) AO_IF_OWN2(level, AO_ISA, own, other)
#define AO_IF_OWN2(level, isa, own, other) AO_IF_OWN3(level, isa, own, other)
#define AO_IF_OWN3(level, isa, own, other) AO_OWN_##level##_##isa(own, other)
#define AO_OWN_base_base(own, other) own
#define AO_OWN_base_avx2(own, other) other
#define AO_OWN_base_avx512(own, other) other
#define AO_OWN_avx2_avx2(own, other) own
#define AO_OWN_avx2_avx512(own, other) other
#define AO_OWN_avx512_avx512(own, other) own

#endif
