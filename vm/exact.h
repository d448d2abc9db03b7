/* Whether additions were exact, by the processor's flags (IEEE 754, 7.6): they stay set from an operation that had something to
 * round until somebody clears them. So many additions may be done as if none had, and asked about afterwards.
 */
#ifndef AO_EXACT_H
#define AO_EXACT_H

#include "portable.h"

#if defined __SSE2__ && AO_EXTENSIONS
#include <xmmintrin.h>

#define AO_HAS_FLAGS 1
enum { AO_NOT_EXACT = 0x39 }; /* invalid, overflow, underflow, inexact: Intel, Software Developer's Manual 1, 10.2.3 */

/* What it returns is for ao_exact_end, which says whether all in between was exact, and leaves the flags as they were. */
static inline unsigned ao_exact_begin(void)
{
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before & ~(unsigned)AO_NOT_EXACT);
    return before;
}

static inline int ao_exact_end(unsigned before)
{
    const unsigned now = _mm_getcsr();
    _mm_setcsr(before);
    return !(now & AO_NOT_EXACT);
}

#else
#define AO_HAS_FLAGS 0

static inline unsigned ao_exact_begin(void)
{
    return 0;
}

static inline int ao_exact_end(unsigned before)
{
    (void)before;
    return 0;
}
#endif

#endif
