/* Made by coefficients.py, which see. Not to be edited. */
#ifndef AO_COEFFICIENTS_H
#define AO_COEFFICIENTS_H

#include "fused.h"

/* log(2) = the sum of the parts, of 32, 53 bits */
#define LN2_1 0x1.62e42fee00000p-1
#define LN2_2 0x1.a39ef35793c76p-33

/* the same = the sum of the parts, of 53, 53 bits */
#define LN2_HIGH 0x1.62e42fefa39efp-1
#define LN2_LOW 0x1.abc9e3b39803fp-56

/* pi/2 = the sum of the parts, of 53, 53, 53 bits */
#define PIO2_1 0x1.921fb54442d18p+0
#define PIO2_2 0x1.1a62633145c07p-54
#define PIO2_3 -0x1.f1976b7ed8fbcp-110

/* pi = the sum of the parts, of 53, 53 bits */
#define PI_1 0x1.921fb54442d18p+1
#define PI_2 0x1.1a62633145c07p-53

/* 1/log(2) = the sum of the parts, of 53, 53 bits */
#define INV_LN2_1 0x1.71547652b82fep+0
#define INV_LN2_2 0x1.777d0ffda0d24p-56

/* 1/log(10) = the sum of the parts, of 53, 53 bits */
#define INV_LN10_1 0x1.bcb7b1526e50ep-2
#define INV_LN10_2 0x1.95355baaafad3p-57

/* log10(2) = the sum of the parts, of 40, 53 bits */
#define LOG10_2_1 0x1.34413509f6000p-2
#define LOG10_2_2 0x1.9fef311f12b36p-42

#define TWO_OVER_PI 0x1.45f306dc9c883p-1

/* The bits of 2/pi, after 34 zeros */
static const uint64_t TWO_OVER_PI_BITS[20] = {
    UINT64_C(0x0000000028be60db), UINT64_C(0x9391054a7f09d5f4), UINT64_C(0x7d4d377036d8a566),
    UINT64_C(0x4f10e4107f9458ea), UINT64_C(0xf7aef1586dc91b8e), UINT64_C(0x909374b801924bba),
    UINT64_C(0x827464873f877ac7), UINT64_C(0x2c4a69cfba208d7d), UINT64_C(0x4baed1213a671c09),
    UINT64_C(0xad17df904e64758e), UINT64_C(0x60d4ce7d272117e2), UINT64_C(0xef7e4a0ec7fe25ff),
    UINT64_C(0xf7816603fbcbc462), UINT64_C(0xd6829b47db4d9fb3), UINT64_C(0xc9f2c26dd3d18fd9),
    UINT64_C(0xa797fa8b5d49eeb1), UINT64_C(0xfaf97c5ecf41ce7d), UINT64_C(0xe294a4ba9afed7ec),
    UINT64_C(0x47e357421580cc11), UINT64_C(0xbf1edaeafc33ef08),
};

/* 2^(k/8), its bits less k 2^49 */
static const double POWERS[8] = {
    0x1.0000000000000p+0, 0x1.f72b83c7d517bp-1, 0x1.f06fe0a31b715p-1, 0x1.ebfdad5362a27p-1,
    0x1.ea09e667f3bcdp-1, 0x1.eace5422aa0dbp-1, 0x1.ee89f995ad3adp-1, 0x1.f5818dcfba487p-1,
};

/* what it lacks, as a part of it, 20 bits */
static const double POWERS_REST[8] = {
    0x0.0p+0, -0x1.01b1600000000p-55, 0x1.34d7400000000p-55, 0x1.690ce00000000p-56,
    -0x1.3b3f000000000p-54, 0x1.db72e00000000p-55, 0x1.c1a7600000000p-55, 0x1.4a38400000000p-56,
};

/* (exp(z) - 1 - z) / z^2, -0.04335 <= z <= 0.04335: degree 5, error 2^-58.3 */
static INLINE double poly_exp(double z1)
{
    const double z2 = z1 * z1;
    return fused(fused(fused(0x1.a020746900677p-13, z1, 0x1.6c1cc2fccd387p-10), z2, fused(0x1.11111107dcbb4p-7, z1, 0x1.55555547f120bp-5)), z2, fused(0x1.555555555565ep-3, z1, 0x1.000000000010fp-1));
}

/* the same, relative to z, -0.04335 <= z <= 0.04335: degree 6, error 2^-61.5 */
static INLINE double poly_expm1(double z1)
{
    const double z2 = z1 * z1;
    return fused(fused(fused(fused(0x1.a01f6af2af315p-16, z1, 0x1.a01f58cc78583p-13), z2, fused(0x1.6c16c16399d00p-10, z1, 0x1.1111110b1c180p-7)), z2, fused(0x1.55555555555f2p-5, z1, 0x1.55555555555cep-3)), z1, 0x1.0000000000000p-1);
}

/* 2 (exp(z) - 1 - z - z^2/2) / z^3, relative to z, -0.34662 <= z <= 0.34662: degree 9, error 2^-59.8 */
static INLINE double poly_exp3(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    const double z8 = z4 * z4;
    return fused(fused(0x1.1f66e19b630d7p-28, z1, 0x1.af38ad617009fp-25), z8, fused(fused(fused(0x1.27e4e1f3a2503p-21, z1, 0x1.71de0dacd6939p-18), z2, fused(0x1.a01a01a47b3fbp-15, z1, 0x1.a01a01a7c4839p-12)), z4, fused(fused(0x1.6c16c16c167e1p-9, z1, 0x1.11111111109b3p-6), z2, fused(0x1.5555555555555p-4, z1, 0x1.5555555555556p-2))));
}

/* (2^z - 1 - z log(2)) / z^2, -0.0625 <= z <= 0.0625: degree 5, error 2^-58.3 */
static INLINE double poly_exp2(double z1)
{
    const double z2 = z1 * z1;
    return fused(fused(fused(0x1.ffd3e820976cep-17, z1, 0x1.430e6562731a9p-13), z2, fused(0x1.5d87fe6ce629bp-10, z1, 0x1.3b2ab6ef4fc28p-7)), z2, fused(0x1.c6b08d704a21ep-5, z1, 0x1.ebfbdff82c796p-3));
}

/* c, one for each eighth of the fraction of m */
static const double RECIPROCALS[8] = {
    0x1.6000000000000p+0, 0x1.4000000000000p+0, 0x1.3000000000000p+0, 0x1.1000000000000p+0,
    0x1.0000000000000p+0, 0x1.d000000000000p-1, 0x1.a000000000000p-1, 0x1.8000000000000p-1,
};

/* -log(c), 20 bits */
static const double LOG_HIGH[8] = {
    -0x1.4618c00000000p-2, -0x1.c8ff800000000p-3, -0x1.5ff3200000000p-3, -0x1.f0a3200000000p-5,
    0x0.0p+0, 0x1.9335e00000000p-4, 0x1.a93ec00000000p-3, 0x1.2696200000000p-2,
};
/* the rest of it */
static const double LOG_LOW[8] = {
    0x1.ef1d09ec17a42p-25, 0x1.c32b2ef29ed14p-26, 0x1.8f586c2c378c2p-23, 0x1.3fee9d599e833p-25,
    0x0.0p+0, 0x1.75652622b8758p-26, 0x1.3c8ad9e36f2bfp-23, 0x1.134db92783bebp-26,
};

/* -log2(c), 20 bits */
static const double LOG2_HIGH[8] = {
    -0x1.d675400000000p-2, -0x1.49a7a00000000p-2, -0x1.fbc1800000000p-3, -0x1.663f800000000p-4,
    0x0.0p+0, 0x1.22dac00000000p-3, 0x1.32bfe00000000p-2, 0x1.a8ff800000000p-2,
};
/* the rest of it */
static const double LOG2_LOW[8] = {
    0x1.fcd15f101c142p-26, 0x1.b432e47501b6dp-22, 0x1.46fd97f5dc572p-23, 0x1.0536ece98333bp-24,
    0x0.0p+0, 0x1.c2ab3496d2d24p-23, 0x1.c6e1dcd0cb449p-23, 0x1.71810a5e18180p-22,
};

/* -log10(c), 20 bits */
static const double LOG10_HIGH[8] = {
    -0x1.1b3e800000000p-3, -0x1.8cf1a00000000p-4, -0x1.31b3200000000p-4, -0x1.af5fa00000000p-6,
    0x0.0p+0, 0x1.5e39600000000p-5, 0x1.715d000000000p-4, 0x1.ffbfc00000000p-4,
};
/* the rest of it */
static const double LOG10_LOW[8] = {
    0x1.c26d610a8889ap-24, 0x1.c779b7f364d75p-24, 0x1.aa3b8ee7fe4bep-24, 0x1.a9fe33e0b243fp-27,
    0x0.0p+0, 0x1.adfa4a546ee73p-27, 0x1.9c6cf5f75b3e0p-25, 0x1.5de3c01bac1bep-27,
};

/* (log(1 + z) - z) / z^2, relative to the logarithm, -0.0583496 <= z <= 0.0622559: degree 9, error 2^-58.3 */
static INLINE double poly_log(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(fused(0x1.7506f00b95755p-4, z4, fused(fused(-0x1.9cf3cb7ab5b96p-4, z1, 0x1.c71de64e79bedp-4), z2, fused(-0x1.fffcf76424bf4p-4, z1, 0x1.249248728a67dp-3))), z4, fused(fused(-0x1.555555ed35584p-3, z1, 0x1.99999999cd261p-3), z2, fused(-0x1.ffffffffe82ddp-3, z1, 0x1.5555555555531p-2))), z1, -0x1.0000000000004p-1);
}

/* the same over log(2), -0.0583496 <= z <= 0.0622559: degree 9, error 2^-58.2 */
static INLINE double poly_log2(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(fused(0x1.0d6b388431d73p-3, z4, fused(fused(-0x1.29e7e0ef446f8p-3, z1, 0x1.484b5cfd1d03dp-3), z2, fused(-0x1.715238d317f64p-3, z1, 0x1.a6176243b985bp-3))), z4, fused(fused(-0x1.ec709ea8d148dp-3, z1, 0x1.2776c50f0534cp-2), z2, fused(-0x1.71547652a57e5p-2, z1, 0x1.ec709dc3a03f5p-2))), z1, -0x1.71547652b8305p-1);
}

/* the same over log(10), -0.0583496 <= z <= 0.0622559: degree 9, error 2^-58.3 */
static INLINE double poly_log10(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(fused(0x1.441ba48f8a79bp-5, z4, fused(fused(-0x1.66b3a9af7d589p-5, z1, 0x1.8b4efefe23396p-5), z2, fused(-0x1.bcb5059d1018bp-5, z1, 0x1.fc3fa50a67236p-5))), z4, fused(fused(-0x1.287a76be69f63p-4, z1, 0x1.63c627754b17bp-4), z2, fused(-0x1.bcb7b15258896p-4, z1, 0x1.287a7636f4345p-3))), z1, -0x1.bcb7b1526e516p-3);
}

/* (log(1 + z) - z) / z^2, relative to z, -0.0624 <= z <= 0.0624: degree 10, error 2^-61.6 */
static INLINE double poly_log_sum(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(fused(fused(-0x1.587c23415f181p-4, z1, 0x1.77c1e85e95de1p-4), z4, fused(fused(-0x1.999673d4fd1e3p-4, z1, 0x1.c7190e17c4a20p-4), z2, fused(-0x1.000000afda703p-3, z1, 0x1.249249e1efa12p-3))), z4, fused(fused(-0x1.5555555536048p-3, z1, 0x1.9999999977e0ep-3), z2, fused(-0x1.000000000000cp-2, z1, 0x1.5555555555563p-2))), z1, -0x1.0000000000000p-1);
}

#define THIRD 0x1.5555555555555p-2

/* (log(1 + z) - z + z^2/2 - THIRD z^3) / z^3, -0.0624 <= z <= 0.0624: degree 11, error 2^-70.8 */
static INLINE double poly_log_rest(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(fused(fused(-0x1.2794d3185dff3p-4, z2, fused(0x1.3e498fa49b702p-4, z1, -0x1.5551f36ebbe4ap-4)), z4, fused(fused(0x1.74597bb4241d3p-4, z1, -0x1.99999b5997263p-4), z2, fused(0x1.c71c73a4ef12ap-4, z1, -0x1.ffffffff9748cp-4))), z4, fused(fused(0x1.249249245a710p-3, z1, -0x1.555555555559dp-3), z2, fused(0x1.99999999999e6p-3, z1, -0x1.0000000000000p-2))), z1, 0x1.5338092cd5d1bp-56);
}

/* (sin(x) - x) / x^3, z = x^2, 0.0 <= z <= 0.616974: degree 6, error 2^-66.2 */
static INLINE double poly_sin(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(-0x1.ab17a79237a19p-41, z2, fused(0x1.61217ec01749dp-33, z1, -0x1.ae64541266378p-26)), z4, fused(fused(0x1.71de3a54605eep-19, z1, -0x1.a01a01a019936p-13), z2, fused(0x1.1111111111110p-7, z1, -0x1.5555555555555p-3)));
}

/* (cos(x) - 1 + x^2/2) / x^4, z = x^2, 0.0 <= z <= 0.616974: degree 5, error 2^-60.3 */
static INLINE double poly_cos(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(-0x1.907d7aebd5e3dp-37, z1, 0x1.1eeb68b109173p-29), z4, fused(fused(-0x1.27e4fa17a41b4p-22, z1, 0x1.a01a019f4e867p-16), z2, fused(-0x1.6c16c16c16966p-10, z1, 0x1.5555555555555p-5)));
}

/* (2 tan(x/2) - x) / x^3, z = x^2, 0.0 <= z <= 0.616974: degree 8, error 2^-56.2 */
static INLINE double poly_tan(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(fused(fused(0x1.4e7ace86fc917p-30, z1, 0x1.2891411674340p-27), z2, fused(0x1.7ea935569c5bbp-24, z1, 0x1.d6c7bc72968d2p-21)), z4, fused(fused(0x1.226e5f09e8024p-17, z1, 0x1.664f47e1d0286p-14), z2, fused(0x1.ba1ba1bb5249fp-11, z1, 0x1.11111111109ddp-7))), z1, 0x1.5555555555556p-4);
}

/* (atan(x) - x) / x^3, z = x^2, 0.0 <= z <= 0.171916: degree 11, error 2^-59.5 */
static INLINE double poly_atan(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    const double z8 = z4 * z4;
    return fused(fused(fused(0x1.0a5f8c60d732dp-6, z1, -0x1.1aff6533dd0e5p-5), z2, fused(0x1.74c9760b1bea4p-5, z1, -0x1.ac761b5db4f38p-5)), z8, fused(fused(fused(0x1.e19978381e052p-5, z1, -0x1.110e81459346ep-4), z2, fused(0x1.3b139279535a8p-4, z1, -0x1.745d165a9c002p-4)), z4, fused(fused(0x1.c71c71c2f37e8p-4, z1, -0x1.249249248d684p-3), z2, fused(0x1.9999999999952p-3, z1, -0x1.5555555555555p-2))));
}

/* (atan(x) - x) / x^3, z = x^2, 0.0 <= z <= 0.2501: degree 12, error 2^-57.9 */
static INLINE double poly_atan_half(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(fused(fused(fused(-0x1.2dd40041c2c27p-7, z1, 0x1.99984c3613cd5p-6), z2, fused(-0x1.37ce51c509047p-5, z1, 0x1.7b1d7856d14a5p-5)), z4, fused(fused(-0x1.ad441c37157fap-5, z1, 0x1.e1a795c3fb24fp-5), z2, fused(-0x1.110ea393fffe2p-4, z1, 0x1.3b138e4b5b747p-4))), z4, fused(fused(-0x1.745d16016ea5fp-4, z1, 0x1.c71c71c014e0dp-4), z2, fused(-0x1.24924924881f5p-3, z1, 0x1.99999999998e0p-3))), z1, -0x1.5555555555555p-2);
}

/* (asin(x) - x) / x^3, z = x^2, 0.0 <= z <= 0.25: degree 12, error 2^-59.7 */
static INLINE double poly_asin(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(fused(fused(fused(0x1.0b44dfa9bd06bp-5, z1, -0x1.57f7762250fa4p-6), z2, fused(0x1.6398261c15ab1p-6, z1, 0x1.e603cd58390d0p-9)), z4, fused(fused(0x1.613b9847e9485p-7, z1, 0x1.7585b596ae93ep-7), z2, fused(0x1.ca1f880b1773fp-7, z1, 0x1.1c49f09648b1ep-6))), z4, fused(fused(0x1.6e8bdedd1ca3bp-6, z1, 0x1.f1c71a950e125p-6), z2, fused(0x1.6db6db7212279p-5, z1, 0x1.333333332e135p-4))), z1, 0x1.5555555555577p-3);
}

/* 2^(k/8) or so, bits less k 2^49 */
static const double HALF_POWERS[8] = {
    0x1.0000000000000p+0, 0x1.f72b83c7d5648p-1, 0x1.f06fe0a31b52ap-1, 0x1.ebfdad5363090p-1,
    0x1.ea09e667f3bcdp-1, 0x1.eace5422aa4c6p-1, 0x1.ee89f995ad486p-1, 0x1.f5818dcfb9c74p-1,
};

/* a quarter of 1 over that, bits more by k 2^49 */
static const double HALF_INVERSES[8] = {
    0x1.0000000000000p-2, 0x1.f5818dcfb9c74p-3, 0x1.ee89f995ad664p-3, 0x1.eace5422a993cp-3,
    0x1.ea09e667f3bccp-3, 0x1.ebfdad53626dcp-3, 0x1.f06fe0a31b67cp-3, 0x1.f72b83c7d5648p-3,
};

/* the logarithm of what the powers lack, 20 bits */
static const double HALF_RESTS[8] = {
    0x0.0p+0, -0x1.19c7e00000000p-42, 0x1.9d07c00000000p-44, -0x1.3c53200000000p-42,
    -0x1.5a71000000000p-54, -0x1.4511000000000p-43, -0x1.019e400000000p-45, 0x1.19c7c00000000p-42,
};

/* (sinh(x) - x) / x^3, z = x^2, 0.0 <= z <= 0.00187922: degree 2, error 2^-61.5 */
static INLINE double poly_sinh(double z1)
{
    return fused(fused(0x1.a01f58d5179efp-13, z1, 0x1.1111110b1bf45p-7), z1, 0x1.55555555555cep-3);
}

/* (cosh(x) - 1) / x^2, z = x^2, 0.0 <= z <= 0.00187922: degree 2, error 2^-58.3 */
static INLINE double poly_cosh(double z1)
{
    return fused(fused(0x1.6c1cc389cc51cp-10, z1, 0x1.55555547edce4p-5), z1, 0x1.0000000000110p-1);
}

/* log(2)/2 = the sum of the parts, of 53, 53 bits */
#define HALF_LN2_HIGH 0x1.62e42fefa39efp-2
#define HALF_LN2_LOW 0x1.abc9e3b39803fp-57

/* (tanh(x) - x) / x^3, z = x^2, 0.0 <= z <= 0.0300364: degree 6, error 2^-59.2 */
static INLINE double poly_tanh(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    return fused(fused(-0x1.6dca49572f6fdp-10, z2, fused(0x1.d680bd934167cp-9, z1, -0x1.226dc8ec4048ep-7)), z4, fused(fused(0x1.664f47f126c4bp-6, z1, -0x1.ba1ba1b9be738p-5), z2, fused(0x1.111111111105ep-3, z1, -0x1.5555555555555p-2)));
}

/* erf(x) / x - 1, z = x^2, 0.0 <= z <= 0.4901: degree 10, error 2^-62.2 */
static INLINE double poly_erf(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    const double z8 = z4 * z4;
    return fused(fused(0x1.97474ef2ce3dbp-27, z2, fused(-0x1.585af57dde91dp-23, z1, 0x1.b954427e961cap-20)), z8, fused(fused(fused(-0x1.f4caf6f3cbba1p-17, z1, 0x1.f9a2e95761377p-14), z2, fused(-0x1.c02db2b59dd72p-11, z1, 0x1.565bcd0a16f17p-8)), z4, fused(fused(-0x1.b82ce31277c95p-6, z1, 0x1.ce2f21a0429c2p-4), z2, fused(-0x1.812746b0379e5p-2, z1, 0x1.06eba8214db69p-3))));
}

#define ERFC_MIDDLE 0x1.0000000000000p+2

/* e^(a^2) erfc(a) (1 + 2a) at a = ERFC_MIDDLE = the sum of the parts, of 53, 53 bits */
#define ERFC_1 0x1.3ba5916e9fd7fp+0
#define ERFC_2 -0x1.aa9c415679e6fp-55

/* the same less that, over t, where a = (1 + t) / (1 - t) ERFC_MIDDLE, -0.7022 <= z <= 0.734: degree 21, error 2^-61.2 */
static INLINE double poly_erfc(double z1)
{
    const double z2 = z1 * z1;
    const double z4 = z2 * z2;
    const double z8 = z4 * z4;
    const double z16 = z8 * z8;
    return fused(fused(fused(0x1.afd38a20f3888p-29, z1, -0x1.67d0a7191470bp-27), z4, fused(fused(-0x1.744449606cf4fp-26, z1, 0x1.c4f08403f3865p-24), z2, fused(0x1.54c019c99d7b3p-24, z1, -0x1.b954f26b2f330p-21))), z16, fused(fused(fused(fused(0x1.37de47415006ap-22, z1, 0x1.7f10f17d4fc4dp-18), z2, fused(-0x1.787fa3d902b16p-17, z1, -0x1.9957a3c463208p-16)), z4, fused(fused(0x1.3be02a7dcbd2cp-13, z1, -0x1.a1df2e912af23p-13), z2, fused(-0x1.8d4a9937ff34fp-11, z1, 0x1.49c6728e254dcp-8))), z8, fused(fused(fused(-0x1.096238858e1ccp-6, z1, 0x1.3079edf6727aep-5), z2, fused(-0x1.0fb06dfe47c56p-4, z1, 0x1.7fee004e12979p-4)), z4, fused(fused(-0x1.9ddb23c3e9161p-4, z1, 0x1.16ecefcfa5388p-4), z2, fused(0x1.f7f5df66fd7c3p-7, z1, -0x1.1df1ad154a28ep-3)))));
}

/* ((1 - e)^(-1/3) - 1) / e, -0.10234 <= z <= 0.10234: degree 2, error 2^-17.8 */
static INLINE double poly_cbrt(double z1)
{
    return fused(fused(0x1.63ff08da332f6p-3, z1, 0x1.c9713bd92d185p-3), z1, 0x1.5555555555555p-2);
}

#endif
