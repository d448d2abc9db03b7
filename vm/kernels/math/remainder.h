/* fmod, remainder, and Python's // and % of floats, exactly as the C library and CPython have them.
 *
 * The whole quotient q is that of x / y in doubles, or one beyond it where x / y was rounded; x - q y shows which.
 * Where q has more bits than that holds for, the core gives nan, and it is far. The third form takes quotients below
 * 2^96 in two steps, by the reciprocal of y, and rounded to nearest, so that every rest is less than 0.6 y and exact.
 * What is left is for the C library's fmod.
 */
#include "double_double.h"

/* The wholes work with |y|, and x with its sign turned accordingly. Where they do not know, the result is nan: the nan
 * operand, or math.nan where there is no quotient or it is far; a product out of range makes the rest nan or -inf. What it is
 * then is computed first and chosen twice: of one choice by two conditions gcc makes several, each of a masked operation. */

/* What a quotient is multiplied by: for an infinite divisor, where it is 0, not nan. */
static INLINE double factor(double b)
{
#if defined __AVX512DQ__ /* whose comparisons take long */
    const uint64_t u = bits_of(b), most = bits_of(0x1.fffffffffffffp1023);
    return of_bits(u < most ? u : most);
#else
    return b < INFINITY ? b : 0.0;
#endif
}

/* a, but a zero of its sign where it is subnormal: less than any divisor that is not subnormal, too, and where that is, the rest
 * shows it. By bits, as a comparison would take as long as two additions. */
static INLINE double dividend(double a)
{
    const uint64_t least = UINT64_C(1) << 52, sign = UINT64_C(1) << 63;
    return of_bits(bits_of(a) & (~(0 - (((bits_of(a) & ~sign) - least) >> 63)) | sign));
}

static INLINE double with_sign(double r, uint64_t sign)
{
    return of_bits(bits_of(r) ^ sign);
}

static INLINE uint64_t sign_of(double x)
{
    return bits_of(x) & UINT64_C(1) << 63;
}

/* ---- the two steps beyond ---- */

typedef struct {
    double m; /* x - q y, |m| < 0.6 |y| */
    double q; /* less a multiple of 2^48 */
    int known;
} near_rest;

/* Divisors below 2^-800 are scaled, as their reciprocals might be infinite. */
static INLINE near_rest rest_of(double x, double y)
{
    const int small = fabs(y) < 0x1p-800;
    const double c = small ? 0x1p200 : 1.0, back = small ? 0x1p-200 : 1.0;
    const double v = y * c, inverse = 1.0 / v, u = x * c, t = u * inverse;
    const double high = round_even(t * 0x1p-48) * 0x1p48, m = rest(u, high, v), low = round_even(m * inverse);
    const double r = fabs(y) < INFINITY ? rest(m, low, v) * back : x;
    return (near_rest){r, low, (fabs(t) < 0x1p96) & (fabs(r) <= fabs(y))};
}

/* n.m with q cut. */
static INLINE double cut_rest(double x, double y, near_rest n)
{
    const int beyond = (n.m != 0) & ((n.m < 0) != (x < 0));
    return n.m + (beyond ? copysign(y, x) : 0.0);
}

static INLINE uint64_t raises_no_quotient(double r, double x, double y)
{
    (void)r;
    return (uint64_t)(((y == 0) | (fabs(x) == INFINITY)) & (x == x) & (y == y));
}

/* ---- fmod and remainder ---- */

static INLINE double core_fmod(double x, double y)
{
    const double t = x / y, m = rest(x, round_cut(t), y);
    const int beyond = (m != 0) & ((m < 0) != (x < 0));
    const double r = beyond ? m + copysign(y, x) : m;
    return fabs(t) < 0x1p52 ? copysign(r, x) : (double)NAN;
}
static INLINE uint64_t odd_fmod(double x, double y)
{
    (void)x, (void)y;
    return 0;
}
static INLINE double whole_fmod(double x, double y)
{
    const double a = fabs(x), b = fabs(y), t = dividend(a) / b, none = nan_of(x, y);
    const double m = rest(a, round_down(t), factor(b)), r = m < 0 ? m + b : m;
    const double v = t < 0x1p52 ? with_sign(r, sign_of(x)) : none;
    return fabs(m) < b ? v : none;
}
static INLINE double beyond_fmod(double x, double y)
{
    const near_rest n = rest_of(x, y);
    const double r = copysign(cut_rest(x, y, n), x);
    return n.known ? r : nan_of(x, y);
}

static INLINE double core_remainder(double x, double y)
{
    const double t = x / y, m = rest(x, round_even(t), y);
    const int certain = (fabs(t) < 0x1p52) & (fabs(m + m) < fabs(y));
    return certain ? (m == 0 ? copysign(0.0, x) : m) : (double)NAN;
}
static INLINE uint64_t odd_remainder(double x, double y)
{
    return odd_fmod(x, y);
}
/* Ties are right: the quotient was rounded to even. If it is past the half, x / y was rounded to it. */
static INLINE double whole_remainder(double x, double y)
{
    const double b = fabs(y), m = rest(x, round_even(dividend(x) / b), factor(b));
    const double r = m == 0 ? copysign(0.0, x) : m, none = nan_of(x, y);
    return fabs(m + m) <= b ? r : none;
}
/* Past the half, or at it with an odd quotient, it is the rest from the other side. */
static INLINE double beyond_remainder(double x, double y)
{
    const near_rest n = rest_of(x, y);
    const double half = 0.5 * n.q, a = fabs(n.m), other = fabs(y) - a;
    const int over = (a > other) | ((a == other) & (round_even(half) != half));
    const double r = n.m == 0 ? copysign(0.0, x) : over ? copysign(other, -n.m) : n.m;
    return n.known ? r : nan_of(x, y);
}

/* As CPython's m_remainder: the C library's own is wrong at some ties. */
static double float_remainder(double x, double y)
{
    const double a = fabs(x), b = fabs(y), m = fmod(a, b), other = b - m;
    const double r = m < other ? m : m > other ? -other : m - 2.0 * fmod(0.5 * (a - m), b);
    return copysign(1.0, x) * r;
}

/* ---- // and % ---- */

/* As CPython's float_rem and float_floor_div. */
static double float_mod(double x, double y)
{
    const double mod = fmod(x, y);
    if (mod == 0)
        return copysign(0.0, y);
    return (y < 0) != (mod < 0) ? mod + y : mod;
}

static double float_div(double x, double y)
{
    const double mod = fmod(x, y);
    double div = (x - mod) / y;
    if (mod != 0 && (y < 0) != (mod < 0))
        div -= 1.0;
    if (div == 0)
        return copysign(0.0, x / y);
    const double whole = floor(div);
    return div - whole > 0.5 ? whole + 1.0 : whole;
}

/* x - q*y in one rounding is the remainder (exact if q is one beyond, else the sum that CPython rounds). Below 2^49
 * CPython's (x - mod) / y is within 1/2 of the same whole number. */
static INLINE double core_floor_div(double x, double y)
{
    const double t = x / y, q = round_down(t), m = rest(x, q, y);
    const int above = (m != 0) & ((m < 0) != (y < 0));
    return (fabs(t) < 0x1p49) & (m == m) ? (above ? q - 1.0 : q) : (double)NAN;
}
static INLINE uint64_t odd_floor_div(double x, double y)
{
    return odd_fmod(x, y);
}
/* By 0 it is x / y, which is infinite. */
static INLINE double whole_floor_div(double x, double y)
{
    const uint64_t sign = sign_of(y);
    const double u = with_sign(x, sign), b = fabs(y), t = dividend(u) / b, nan = nan_of(x, y);
    const double q = round_down(t), m = rest(u, q, factor(b)), by_zero = fabs(u) > 0 ? copysign(INFINITY, u) : nan;
    const double r = m < 0 ? q - 1.0 : q, none = b == 0 ? by_zero : nan, v = fabs(t) < 0x1p49 ? r : none;
    return fabs(m) < b ? v : none;
}
/* CPython's own steps. From 2^55 on, x - mod rounds to x, and taking 1 from the quotient does not change it. */
static INLINE double beyond_floor_div(double x, double y)
{
    const near_rest n = rest_of(x, y);
    const double t = x / y, mod = cut_rest(x, y, n), near = (x - mod) / y;
    const int above = (mod != 0) & ((y < 0) != (mod < 0));
    const int large = (y == 0) | ((fabs(t) >= 0x1p55) & (fabs(x) < INFINITY));
    const double div = near - (above ? 1.0 : 0.0), below = round_down(div);
    const double r = div == 0 ? copysign(0.0, t) : below + (div - below > 0.5 ? 1.0 : 0.0);
    return (t == t) & (n.known | large) ? (large ? t : r) : nan_of(x, y);
}

static INLINE double core_floor_mod(double x, double y)
{
    const double t = x / y, m = rest(x, round_down(t), y);
    const int above = (m != 0) & ((m < 0) != (y < 0));
    const double r = m == 0 ? copysign(0.0, y) : above ? m + y : m;
    return fabs(t) < 0x1p49 ? r : (double)NAN;
}
static INLINE uint64_t odd_floor_mod(double x, double y)
{
    return odd_fmod(x, y);
}
static INLINE double whole_floor_mod(double x, double y)
{
    const uint64_t sign = sign_of(y);
    const double u = with_sign(x, sign), b = fabs(y), t = dividend(u) / b, none = nan_of(x, y);
    const double m = rest(u, round_down(t), factor(b)), r = m < 0 ? m + b : m;
    const double v = fabs(t) < 0x1p49 ? with_sign(r, sign) : none;
    return fabs(m) < b ? v : none;
}
static INLINE double beyond_floor_mod(double x, double y)
{
    const near_rest n = rest_of(x, y);
    const int above = (n.m != 0) & ((n.m < 0) != (y < 0));
    const double r = n.m == 0 ? copysign(0.0, y) : n.m + (above ? y : 0.0);
    return n.known ? r : nan_of(x, y);
}

static INLINE uint64_t raises_zero_divisor(double r, double x, double y)
{
    (void)r, (void)x;
    return (uint64_t)(y == 0);
}

MARKS2(raises_no_quotient)
MARKS2(raises_zero_divisor)
BEYOND2(fmod, raises_no_quotient, fmod)
BEYOND2(remainder, raises_no_quotient, float_remainder)
BEYOND2(floor_div, raises_zero_divisor, float_div)
BEYOND2(floor_mod, raises_zero_divisor, float_mod)

#define DO_FLOORDIV(T) CALL, ao_elementary2(n, d, a, b, uniform, &ways_floor_div[0], mark)
#define DO_MOD(T) CALL, ao_elementary2(n, d, a, b, uniform, &ways_floor_mod[0], mark)
#define FLOORDIV_f64 CALL, ao_elementary2(n, d, a, b, uniform, &ways_floor_div[1], mark)
#define MOD_f64 CALL, ao_elementary2(n, d, a, b, uniform, &ways_floor_mod[1], mark)
