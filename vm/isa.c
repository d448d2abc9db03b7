/* Choosing an instruction-set level.
 *
 * Each level is a compiled copy of the kernels that it does better than the level below (kernels/level.h). A level may run
 * only where the processor and the operating system support every feature that its compiler flags allow; the flags in the
 * build file and the features tested here must stay the same list:
 *
 *   base     none
 *   avx2     -mavx2 -mfma -mbmi -mbmi2 -mlzcnt -mpopcnt   (lzcnt comes with bmi on every processor that has avx2)
 *   avx512   and -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mprefer-vector-width=512
 */
#include "portable.h"
#include "vm.h"

#include <string.h>

/* clang-cl has the builtins, but not the library that they ask. */
#if AO_EXTENSIONS && defined __x86_64__ && defined __GNUC__
#define HAS_LEVELS 1
#else
#define HAS_LEVELS 0
#endif

extern const ao_isa ao_isa_base;

#if HAS_LEVELS
#include <cpuid.h>

extern const ao_isa ao_isa_avx2, ao_isa_avx512;

/* __builtin_cpu_supports would say the same, but brings the names of all processors with it: 2 kB. */
enum {
    YMM_KEPT = 0x6, /* bits of XCR0: the registers that the operating system saves */
#ifdef __APPLE__
    ZMM_KEPT = YMM_KEPT /* macOS says so of the longer ones only when they have been used */
#else
    ZMM_KEPT = 0xe6
#endif
};

static int has_features(unsigned leaf1_ecx, unsigned leaf7_ebx, unsigned kept)
{
    unsigned eax, ebx, ecx, edx, xcr0;
    leaf1_ecx |= bit_OSXSAVE;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & leaf1_ecx) != leaf1_ecx)
        return 0;
    __asm__("xgetbv" : "=a"(xcr0), "=d"(edx) : "c"(0));
    return (xcr0 & kept) == kept && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & leaf7_ebx) == leaf7_ebx;
}

static int runs_avx2(void)
{
    return has_features(bit_AVX | bit_FMA | bit_POPCNT, bit_AVX2 | bit_BMI | bit_BMI2, YMM_KEPT);
}

static int runs_avx512(void)
{
    return runs_avx2()
           && has_features(0, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL, ZMM_KEPT);
}
#endif

static int runs_always(void)
{
    return 1;
}

static const struct {
    const ao_isa *isa;
    int (*runs)(void);
} levels[] = {
    {&ao_isa_base, runs_always},
#if HAS_LEVELS
    {&ao_isa_avx2, runs_avx2},
    {&ao_isa_avx512, runs_avx512},
#endif
};

const char *const ao_isa_names[] = {
    "base",
#if HAS_LEVELS
    "avx2", "avx512",
#endif
    NULL,
};

const ao_isa *ao_isa_find(const char *name)
{
    for (size_t k = sizeof levels / sizeof levels[0]; k-- > 0;)
        if ((!name || strcmp(name, ao_isa_names[k]) == 0) && levels[k].runs())
            return levels[k].isa;
    return NULL;
}
