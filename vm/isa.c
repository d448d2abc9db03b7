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
extern const ao_isa ao_isa_avx2, ao_isa_avx512;

static int runs_avx2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi")
           && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

static int runs_avx512(void)
{
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
           && __builtin_cpu_supports("avx512vl");
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
