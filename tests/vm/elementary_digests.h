/* The bits of the elementary functions over the cases of test_kernels.c, the same on every machine, with every compiler, at
 * every level. Where test_kernels has a reference it has compared them with it; to be replaced only by the lines that it
 * prints there. */
#ifndef AO_ELEMENTARY_DIGESTS_H
#define AO_ELEMENTARY_DIGESTS_H

#include <stdint.h>

static const struct {
    const char *op;
    uint64_t digest;
} elementary_digests[] = {
    {"EXP", UINT64_C(0xd5b2c59e9883bee6)},
    {"EXP_CHECKED", UINT64_C(0xd0f35a5622936e19)},
    {"EXP2", UINT64_C(0x4f6937cd64051d66)},
    {"EXP2_CHECKED", UINT64_C(0x3ac111c2935ca659)},
    {"EXPM1", UINT64_C(0xa8af2542c74977fb)},
    {"EXPM1_CHECKED", UINT64_C(0xe7132ed1ac4322d7)},
    {"LOG", UINT64_C(0x9ecaec3bfa928ba9)},
    {"LOG_CHECKED", UINT64_C(0x02edf4ce8bd388bd)},
    {"LOG2", UINT64_C(0xd84fb77494e7543b)},
    {"LOG2_CHECKED", UINT64_C(0x001733fb95d4f52b)},
    {"LOG10", UINT64_C(0x7c0413567dc9a5bb)},
    {"LOG10_CHECKED", UINT64_C(0xe5b6e1b08bbfb394)},
    {"LOG1P", UINT64_C(0xfa51b4c4c436f0c7)},
    {"LOG1P_CHECKED", UINT64_C(0x955681beb3f371d7)},
    {"CBRT", UINT64_C(0x075116892a312e11)},
    {"SIN", UINT64_C(0x6146ccea760e09d7)},
    {"SIN_CHECKED", UINT64_C(0x1ce9aed35678fdbf)},
    {"COS", UINT64_C(0x5dbe22d6c4a72770)},
    {"COS_CHECKED", UINT64_C(0x0400b349aef6cd55)},
    {"TAN", UINT64_C(0x8d34ec0f75d2218e)},
    {"TAN_CHECKED", UINT64_C(0x71ef18603ef3d3b5)},
    {"ASIN", UINT64_C(0x3164f675689fe934)},
    {"ASIN_CHECKED", UINT64_C(0xec8c34123b9aa700)},
    {"ACOS", UINT64_C(0xe5f966b8baa2744f)},
    {"ACOS_CHECKED", UINT64_C(0xace33ac908f259ab)},
    {"ATAN", UINT64_C(0xd944b6c0ce3c8a47)},
    {"SINH", UINT64_C(0x70a8c107f2411aba)},
    {"SINH_CHECKED", UINT64_C(0x375f40ede4815b7d)},
    {"COSH", UINT64_C(0xfd2ee121a8679660)},
    {"COSH_CHECKED", UINT64_C(0x2d4f2a3f7821829d)},
    {"TANH", UINT64_C(0xebbf7770c6a96395)},
    {"ASINH", UINT64_C(0xbce962c5b5a6e724)},
    {"ACOSH", UINT64_C(0x4c3a0e6933e0642f)},
    {"ACOSH_CHECKED", UINT64_C(0xc7acd37e20df8833)},
    {"ATANH", UINT64_C(0x5d3e50511934f708)},
    {"ATANH_CHECKED", UINT64_C(0x0feec15e67b6e081)},
    {"ERF", UINT64_C(0xdd8903218979e78b)},
    {"ERFC", UINT64_C(0xed0e956e7f215ad7)},
    {"POW", UINT64_C(0xf610fecb614924b5)},
    {"POW_CHECKED", UINT64_C(0x985ab505e2300256)},
    {"POWN", UINT64_C(0xc882c0c165a6165f)},
    {"POWN_CHECKED", UINT64_C(0xa8f7547ad4695c7f)},
    {"HYPOT", UINT64_C(0x5653c3878181d6d1)},
    {"ATAN2", UINT64_C(0x070fc7319b7f1185)},
    {"FMOD", UINT64_C(0xf5b6ce4053563621)},
    {"FMOD_CHECKED", UINT64_C(0xe80bc6d7fd7d129e)},
    {"REMAINDER", UINT64_C(0x5579bba3611e9ee5)},
    {"REMAINDER_CHECKED", UINT64_C(0x7e6e0462aac65537)},
};

#endif
