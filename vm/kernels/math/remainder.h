/* fmod, remainder, and Python's // and % of floats, exactly as the C library and CPython have them.
 *
 * The whole quotient q is that of x / y in doubles, or one beyond it where x / y was rounded; x - q y shows which. Where
 * q has more bits than that holds for, the core gives nan. The whole takes quotients below 2^96 in two steps, by the
 * reciprocal of y, and rounded to nearest, so that every rest is less than 0.6 y and exact. Beyond they are far: the C
 * library's fmod.
 */
#include "double_double.h"

/* ---- the whole's two steps ---- */

typedef struct {
    double m; /* x - q y, |m| < 0.6 |y| */
    double q; /* less a multiple of 2^48 */
} near_rest;

static INLINE double divisor_scale(double y)
{
    return fabs(y) < 0x1p-800 ? 0x1p200 : 1.0;
}

static INLINE near_rest rest_of(double x, double y)
{
    const double c = divisor_scale(y), v = y * c, inverse = 1.0 / v, u = x * c;
    const double high = round_even(u * inverse * 0x1p-48) * 0x1p48, m = rest(u, high, v), low = round_even(m * inverse);
    const double back = fabs(y) < 0x1p-800 ? 0x1p-200 : 1.0;
    return (near_rest){fabs(y) < INFINITY ? rest(m, low, v) * back : x, low};
}

/* Finite operands that it is not good for: the quotient too large, or the error of a product beyond the range. */
static INLINE uint64_t far_rest(double x, double y)
{
    const double c = divisor_scale(y), m = rest_of(x, y).m;
    const int finite = (fabs(x) < INFINITY) & (fabs(y) < INFINITY);
    return (uint64_t)(finite & (y != 0) & !((fabs(x * c * (1.0 / (y * c))) < 0x1p96) & (m == m)));
}

/* r, or what it is where there is no quotient. */
static INLINE double or_no_quotient(double x, double y, double r)
{
    const double v = (y == 0) | (fabs(x) == INFINITY) ? (double)NAN : r;
    return (x == x) & (y == y) ? v : first_nan(x, y);
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
    const double m = rest_of(x, y).m;
    const int beyond = (m != 0) & ((m < 0) != (x < 0));
    return or_no_quotient(x, y, copysign(beyond ? m + copysign(y, x) : m, x));
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
/* Past the half, or at it with an odd quotient, it is the rest from the other side. */
static INLINE double whole_remainder(double x, double y)
{
    const near_rest n = rest_of(x, y);
    const double half = 0.5 * n.q, a = fabs(n.m), other = fabs(y) - a;
    const int over = (a > other) | ((a == other) & (round_even(half) != half));
    const double r = n.m == 0 ? copysign(0.0, x) : over ? copysign(other, -n.m) : n.m;
    return or_no_quotient(x, y, r);
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
/* From 2^55 on, x - mod rounds to x, and taking 1 from the quotient does not change it: it is x / y. */
static INLINE double whole_floor_div(double x, double y)
{
    const double t = x / y, q = round_down(t), m = fabs(y) < INFINITY ? rest(x, q, y) : x;
    const int above = (m != 0) & ((m < 0) != (y < 0));
    const double r = fabs(t) < 0x1p49 ? (above ? q - 1.0 : q) : t, v = (x == 0) & (y == 0) ? (double)NAN : t;
    return (x == x) & (y == y) ? (y == 0 ? v : fabs(x) < INFINITY ? r : (double)NAN) : first_nan(x, y);
}
static INLINE uint64_t far_floor_div(double x, double y)
{
    const double t = x / y, a = fabs(t), m = rest(x, round_down(t), y);
    const int finite = (fabs(x) < INFINITY) & (fabs(y) < INFINITY);
    return (uint64_t)(finite & (y != 0) & !((a >= 0x1p55) | ((a < 0x1p49) & (m == m))));
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
    const double m = rest_of(x, y).m;
    return or_no_quotient(x, y, m == 0 ? copysign(0.0, y) : (m < 0) != (y < 0) ? m + y : m);
}

static INLINE uint64_t raises_zero_divisor(double r, double x, double y)
{
    (void)r, (void)x;
    return (uint64_t)(y == 0);
}

MATH2(fmod, raises_no_quotient, far_rest, fmod)
MATH2(remainder, raises_no_quotient, far_rest, remainder)
MATH2(floor_div, raises_zero_divisor, far_floor_div, float_div)
MATH2(floor_mod, raises_zero_divisor, far_rest, float_mod)

#define DO_FLOORDIV(T) CALL, elementary2(n, d, a, b, uniform, &ways_floor_div[0], mark)
#define DO_MOD(T) CALL, elementary2(n, d, a, b, uniform, &ways_floor_mod[0], mark)
#define FLOORDIV_f64 CALL, elementary2(n, d, a, b, uniform, &ways_floor_div[1], mark)
#define MOD_f64 CALL, elementary2(n, d, a, b, uniform, &ways_floor_mod[1], mark)
