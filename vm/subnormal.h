/* Whether this thread has met subnormal numbers since it was told to forget them.
 *
 * Processors by Intel multiply and divide vectors with a subnormal operand by microcode, some 150 cycles each time: exp
 * of them took 28 times as long. They set the flag DE (Intel, Software Developer's Manual 1, 10.2.3) as they meet one,
 * and it stays set; so a kernel can change to code that keeps subnormals away from multiplications, and data without
 * any pay nothing for it. Elsewhere the question is always answered with no: the results are the same either way.
 *
 * While a thread drops them, it takes subnormal operands for zeros and makes zeros of subnormal results, which no processor
 * is slow at (the bits DAZ and FTZ, 10.2.3.3 and 10.2.3.4 there).
 */
#ifndef AO_SUBNORMAL_H
#define AO_SUBNORMAL_H

#if defined __SSE2__ || defined _M_X64
#include <xmmintrin.h>

enum { AO_DENORMAL_OPERAND = 0x2, AO_DROP_SUBNORMALS = 0x8040 };

static inline int ao_subnormal_met(void)
{
    return (_mm_getcsr() & AO_DENORMAL_OPERAND) != 0;
}

static inline void ao_subnormal_forget(void)
{
    if (ao_subnormal_met())
        _mm_setcsr(_mm_getcsr() & ~(unsigned)AO_DENORMAL_OPERAND);
}

/* Begins to drop them. What it returns is for ao_subnormal_keep, which ends that. */
static inline unsigned ao_subnormal_drop(void)
{
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | AO_DROP_SUBNORMALS);
    return before & AO_DROP_SUBNORMALS;
}

static inline void ao_subnormal_keep(unsigned before)
{
    _mm_setcsr((_mm_getcsr() & ~(unsigned)AO_DROP_SUBNORMALS) | before);
}

#else

static inline int ao_subnormal_met(void)
{
    return 0;
}

static inline void ao_subnormal_forget(void)
{
}

static inline unsigned ao_subnormal_drop(void)
{
    return 0;
}

static inline void ao_subnormal_keep(unsigned before)
{
    (void)before;
}

#endif
#endif
