/* a*b + c rounded once: the one operation of the elementary functions that not every processor has.
 *
 * x86-64 since 2013 and every aarch64 have it. Elsewhere it is computed in doubles: the product with its error, the sum
 * of three numbers rounded to odd, and rounded once more (S. Boldo and G. Melquiond, Emulation of a FMA and correctly
 * rounded sums: proved algorithms using rounding to odd, IEEE Trans. Comp. 57, 2008). So all levels have the same bits,
 * and those without it take some 30 operations for one. Operands of the product must be below 2^996; a product below
 * 2^-960 must be exact or must not matter.
 */
#ifndef AO_FUSED_H
#define AO_FUSED_H

#include "../level.h"

typedef struct {
    double hi, lo;
} dd;

static INLINE dd two_sum(double a, double b)
{
    const double s = a + b, t = s - a;
    return (dd){s, (a - (s - t)) + (b - t)};
}

#if defined __FMA__ || defined __ARM_FEATURE_FMA || defined FP_FAST_FMA
#define FUSED_IS_FAST 1

static INLINE double fused(double a, double b, double c)
{
    return fma(a, b, c);
}
static INLINE dd two_product(double a, double b)
{
    const double p = a * b;
    return (dd){p, fma(a, b, -p)};
}

#else
#define FUSED_IS_FAST 0

/* T. J. Dekker, A floating-point technique for extending the available precision, Numer. Math. 18 (1971). */
static INLINE dd two_product(double a, double b)
{
    const double p = a * b, as = a * 0x1.0000002p27, bs = b * 0x1.0000002p27;
    const double ah = as - (as - a), bh = bs - (bs - b), al = a - ah, bl = b - bh;
    return (dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

/* s.hi + s.lo: if that is no double, the one of the two beside it whose last bit is 1. All by integers, of which every
 * processor's vector code has these operations. */
static INLINE double rounded_to_odd(dd s)
{
    const uint64_t bits = bits_of(s.hi), low = bits_of(s.lo), largest = UINT64_C(0x7fffffffffffffff);
    const uint64_t step = ((low & largest) + largest) >> 63 & ~bits, towards_zero = (bits ^ low) >> 63;
    return of_bits(bits + step - 2 * (step & towards_zero));
}

static INLINE double fused_by_software(double a, double b, double c)
{
    const dd p = two_product(a, b), low = two_sum(c, p.lo), high = two_sum(p.hi, low.hi);
    return high.hi + rounded_to_odd(two_sum(low.lo, high.lo));
}

#if AO_EXTENSIONS && defined __x86_64__ && defined __ELF__ && !defined __clang__
/* Written out in each of 600 places, that was 7 % of a wheel. gcc calls it from vector code as well: it is told that
 * there are forms for several elements (simd), and calls the one for two by the name that is usual for them on x86-64. */
typedef double pair __attribute__((vector_size(16)));
__attribute__((simd("notinbranch"), const, visibility("hidden"))) double ao_fused(double a, double b, double c);
__attribute__((used)) static double fused_alone(double a, double b, double c) __asm__("ao_fused");
__attribute__((used)) static pair fused_pair(pair a, pair b, pair c) __asm__("_ZGVbN2vvv_ao_fused");

static double fused_alone(double a, double b, double c)
{
    return fused_by_software(a, b, c);
}

static pair fused_pair(pair a, pair b, pair c)
{
    pair r;
    for (int i = 0; i < 2; i++)
        r[i] = fused_by_software(a[i], b[i], c[i]);
    return r;
}
#else
#define ao_fused fused_by_software
#endif

static INLINE double fused(double a, double b, double c)
{
    return ao_fused(a, b, c);
}

#endif
#endif
