/* Whether this thread has met subnormal numbers since it was told to forget them.
 *
 * Processors by Intel multiply and divide vectors with a subnormal operand by microcode, some 150 cycles each time: exp
 * of them took 28 times as long. They set the flag DE (Intel, Software Developer's Manual 1, 10.2.3) as they meet one,
 * and it stays set; so a kernel can change to code that keeps subnormals away from multiplications, and data without
 * any pay nothing for it. Elsewhere the question is always answered with no: the results are the same either way.
 */
#ifndef AO_SUBNORMAL_H
#define AO_SUBNORMAL_H

#if defined __SSE2__ || defined _M_X64
#include <xmmintrin.h>

enum { AO_DENORMAL_OPERAND = 0x2 };

static inline int ao_subnormal_met(void)
{
    return (_mm_getcsr() & AO_DENORMAL_OPERAND) != 0;
}

static inline void ao_subnormal_forget(void)
{
    if (ao_subnormal_met())
        _mm_setcsr(_mm_getcsr() & ~(unsigned)AO_DENORMAL_OPERAND);
}

#else

static inline int ao_subnormal_met(void)
{
    return 0;
}

static inline void ao_subnormal_forget(void)
{
}

#endif
#endif
