/* exp, exp2, expm1, sinh, cosh and tanh.
 *
 * x = n log(2)/8 + r with |r| <= log(2)/16, or for exp2 x = n/8 + r; 2^(n mod 8 / 8) is looked up, as a double and
 * what it lacks (P. T. P. Tang, Table-driven implementation of the exponential function in IEEE floating-point
 * arithmetic, ACM Trans. Math. Software 15, 1989), and e^r - 1 = r + r^2 P(r), P of degree 5: r is so small that what
 * is rounded of it is a thirtieth of an ULP of the result. Vectors of 512 bits take a cycle or two for each
 * multiplication, so there are as few as can be: of 18 in each exp, when r went to log(2)/2, 11 are left, and of its
 * time .63.
 *
 * x - n (log(2)/8 as a double) is exact, both being multiples of 2^-57; the rest of log(2) is taken along. Results
 * that are subnormal or overflow are odd: they are scaled in two steps. What expm1 adds up, 2^(n/8) - 1 and more, is
 * a sum hi + lo: near zero the terms are larger than it.
 */
#include "coefficients.h"
#include "double_double.h"

/* The least numbers whose results are too large. */
#define EXP_END 0x1.62e42fefa39fp9
#define COSH_END 0x1.633ce8fb9f87ep9

/* Adding this leaves the nearest multiple of 1/8, n/8, and n in the low bits. */
#define TO_EIGHTHS (0.125 * TO_WHOLE)

/* e^r - 1 and 2^r - 1, and `rest`, |r| being at most log(2)/16 or 1/16. */
static INLINE double short_exp(double r, double rest)
{
    return fused(r * r, poly_exp(r), r + rest);
}
static INLINE double short_exp2(double r, double rest)
{
    return fused(r * r, poly_exp2(r), fused(r, LN2_HIGH, rest));
}

/* That, given t = x + TO_EIGHTHS, rounded, or x / log(2) + TO_EIGHTHS. */
static INLINE double q_exp(double x, double t, double rest)
{
    const double k = t - TO_EIGHTHS, a = fused(-k, LN2_HIGH, x);
    return short_exp(fused(-k, LN2_LOW, a), rest);
}
static INLINE double q_exp2(double x, double t, double rest)
{
    return short_exp2(x - (t - TO_EIGHTHS), rest);
}
static INLINE double place_exp(double x)
{
    return fused(x, INV_LN2_1, TO_EIGHTHS);
}
static INLINE double place_exp2(double x)
{
    return x + TO_EIGHTHS;
}

/* e^x or 2^x, r if |x| < least: beyond it is 0 or inf, and a nan itself. */
static INLINE double or_out_of_range(double x, double least, double r)
{
    const double edge = kept(!(x < 0), x + INFINITY);
    return fabs(x) < least ? r : edge;
}
/* 2^(n mod 8 / 8) (1 + q), and 2^(n/8) (1 + q). Where fused is not emulated, which needs numbers near 1, the second
 * has less to add up. */
static INLINE double near_power(double t, double power, double q)
{
    const double p = of_bits(bits_of(power) + ((bits_of(t) & 7) << 49));
    return fused(p, q, p);
}
static INLINE double power_of(double t, double power, double q)
{
#if FUSED_IS_FAST
    const double p = of_bits(bits_of(power) + (bits_of(t) << 49));
    return fused(p, q, p);
#else
    return of_bits(bits_of(near_power(t, power, q)) + (bits_of(t) >> 3 << 52));
#endif
}
/* Also where the result may overflow or be subnormal. */
static INLINE double beyond_power(double x, double t, double power, double q, double least)
{
    return or_out_of_range(x, least, scaled_by(near_power(t, power, q), (bits_of(t) >> 3) + 1023, x));
}

/* The statements for each element x of the function f, with t and what is looked up. */
#define EACH_WITH_POWER(f, ...)                                                                                       \
    BY_STRIPS(double powers[STRIP]; double rests[STRIP]; uint64_t places[STRIP];                                      \
              EACH_OF_STRIP(places[lane] = bits_of(place_##f(a[i]));)                                                 \
              look_up(powers, places, POWERS);                                                                        \
              look_up_short(rests, places, POWERS_REST);                                                              \
              EACH_OF_STRIP(const double x = a[i]; const double t = of_bits(places[lane]);                            \
                            const double power = powers[lane]; __VA_ARGS__))
#define SWEEP_POWERS(name, f, VALUE, UNKNOWN)                                                                         \
    static uint64_t name(size_t n, double *to, const double *a, double *elsewhere)                                    \
    {                                                                                                                 \
        FEW_ELEMENTS(name, 0)                                                                                         \
        uint64_t unknown[STRIP] = {0};                                                                                \
        EACH_WITH_POWER(f, const double q = q_##f(x, t, rests[lane]); unknown[lane] |= UNKNOWN; to[i] = VALUE;)       \
        return any_sign(unknown);                                                                                     \
    }
#if FUSED_IS_FAST
#define FAST_POWERS(f, least)                                                                                         \
    SWEEP_POWERS(fast_##f, f, power_of(t, power, q), bits_of(least) - 1 - bits_of(fabs(x)))
#else
#define FAST_POWERS(f, least)
#endif
/* |x| < least is not odd; up to `end` the result may overflow or be subnormal. */
#define POWERS1(f, least, end)                                                                                        \
    FAST_POWERS(f, least)                                                                                             \
    SWEEP_POWERS(whole_sweep_##f, f, or_out_of_range(x, least, power_of(t, power, q)), between(x, least, end))        \
    SWEEP_POWERS(beyond_sweep_##f, f, beyond_power(x, t, power, q, end), 0)                                           \
    static const function1 ways_##f[] = {                                                                             \
        {THE_SAME, FAST(f), whole_sweep_##f, beyond_sweep_##f, NULL, NULL, 0},                                        \
        {THE_SAME, FAST(f), whole_sweep_##f, beyond_sweep_##f, marks_raises_overflow, NULL, 0}};
POWERS1(exp, 708.0, 746.0)
POWERS1(exp2, 1022.0, 1076.0)

/* 2^(n/8) e^(h + c) - 1 = (2^(n/8) - 1) + 2^(n/8) (h + (c + r^2 P(r))), all times unit, as which `power` is 2^(n/8).
 * The first term is larger than the second, or 0; h is exact. */
static INLINE double joined_expm1(double x, double h, double c, double power, double unit)
{
    const double r = h + c, q = fused(r * r, poly_expm1(r), c);
    const dd s = two_sum(power, -unit);
    const double u = fused(power, h, s.hi), ulo = fused(power, h, s.hi - u);
    return copysign(u + fused(power, q, ulo + s.lo), x);
}

/* 512 in the exponent if |x| is large: wholes divide by 2^512 as they begin and multiply as they end, so that nothing
 * overflows in between. By bits, so that it is vector code at every level; 2^1024 is inf until it is divided. */
static INLINE uint64_t step_of_large(double x)
{
    return (bits_of(300.0) - bits_of(fabs(x))) >> 63 << 61;
}
static INLINE double nearer_by(double x, uint64_t step)
{
    return of_bits(bits_of(x) - step);
}
static INLINE double farther_by(double x, uint64_t step)
{
    return x * of_bits(bits_of(1.0) + step);
}

static INLINE double whole_expm1(double x, double h, double c, double power)
{
    const uint64_t step = step_of_large(x);
    const double v = farther_by(joined_expm1(x, h, c, nearer_by(power, step), nearer_by(1.0, step)), step);
    const double upper = x < EXP_END ? v : x + INFINITY, r = x < -300.0 ? -1.0 : upper;
    return fabs(x) < 0x1p-54 ? x : r;
}

#define SWEEP_EXPM1(name, VALUE, UNKNOWN)                                                                             \
    static uint64_t name(size_t n, double *to, const double *a, double *elsewhere)                                    \
    {                                                                                                                 \
        FEW_ELEMENTS(name, 1)                                                                                         \
        double h[MOST], c[MOST], p[MOST];                                                                             \
        uint64_t unknown[STRIP] = {0};                                                                                \
        EACH_WITH_POWER(exp, const double k = t - TO_EIGHTHS; h[i] = fused(-k, LN2_HIGH, x);                          \
                        c[i] = fused(-k, LN2_LOW, rests[lane]);                                                       \
                        p[i] = of_bits(bits_of(power) + (bits_of(t) << 49)); unknown[lane] |= UNKNOWN;)               \
        UNLESS_ODD(any_sign(unknown))                                                                                 \
        EACH_BY_STRIPS(const double x = a[i]; to[i] = VALUE;)                                                         \
        return odd;                                                                                                   \
    }
#if FUSED_IS_FAST
SWEEP_EXPM1(fast_expm1, joined_expm1(x, h[i], c[i], p[i], 1.0), bits_of(708.0) - 1 - bits_of(fabs(x)))
#endif
SWEEP_EXPM1(whole_sweep_expm1, whole_expm1(x, h[i], c[i], p[i]), 0)
WAYS1(expm1, ITSELF, marks_raises_overflow, 1)

/* sinh and cosh of |x| are m C + p S and p C + m S, where C and S are those of r, and p and m are half the sum and
 * half the difference of 2^(n/8) and 2^-(n/8). For these, numbers are looked up whose product is 1, so that what they
 * lack is one number, and is added to r as its logarithm: r = h + c, of which h is exact. Their sums and differences
 * are exact for small n (S. Gal and B. Bachelis, An accurate elementary mathematical library for the IEEE floating
 * point standard, ACM Trans. Math. Software 17, 1991); what is rounded of them for larger n is taken along. p is the
 * largest term of cosh. Of sinh it is m, or p h where m is 0, and what is rounded of their sum is taken along, too. */
#define TO_HALF_EIGHTHS (TO_EIGHTHS - 1.0) /* leaves n - 8: powers are halved so */

static INLINE double joined_sinh(double h, double c, double power, double inverse)
{
    const double r = h + c, z = r * r, s = fused(r * z, poly_sinh(z), c), more = z * poly_cosh(z);
    const double p = power + inverse, m = power - inverse, mlo = (power - m) - inverse;
    const double u = fused(p, h, m), ulo = fused(p, h, m - u);
    return u + fused(p, s, fused(m, more, ulo + mlo));
}
static INLINE double joined_cosh(double h, double c, double power, double inverse)
{
    const double r = h + c, z = r * r, s = fused(r * z, poly_sinh(z), r), more = z * poly_cosh(z);
    const double p = power + inverse, m = power - inverse, plo = inverse - (p - power);
    return p + fused(m, s, fused(p, more, plo));
}
static INLINE double core_sinh(double x, double h, double c, double power, double inverse)
{
    return copysign(joined_sinh(h, c, power, inverse), x);
}
static INLINE double core_cosh(double x, double h, double c, double power, double inverse)
{
    (void)x;
    return joined_cosh(h, c, power, inverse);
}
/* Of large x the inverse is made some number that is negligible and not negative. */
#define WHOLE_HYPERBOLIC(f, EDGE)                                                                                     \
    static INLINE double whole_##f(double x, double h, double c, double power, double inverse)                        \
    {                                                                                                                 \
        const uint64_t step = step_of_large(x);                                                                       \
        const double least = of_bits(bits_of(inverse) & (step - 1));                                                  \
        const double v = farther_by(core_##f(x, h, c, nearer_by(power, step), least), step), edge = EDGE;                   \
        return fabs(x) < COSH_END ? v : edge;                                                                         \
    }
WHOLE_HYPERBOLIC(sinh, copysign(fabs(x) + INFINITY, x))
WHOLE_HYPERBOLIC(cosh, x == x ? INFINITY : x + x)

/* In one loop: cut in two it would be a tenth slower by vectors of eight doubles, and a tenth quicker by those of
 * four. */
#define SWEEP_HYPERBOLIC(name, VALUE, UNKNOWN)                                                                        \
    static uint64_t name(size_t n, double *to, const double *a, double *elsewhere)                                    \
    {                                                                                                                 \
        FEW_ELEMENTS(name, 0)                                                                                         \
        uint64_t unknown[STRIP] = {0};                                                                                \
        BY_STRIPS(double powers[STRIP]; double inverses[STRIP]; double rests[STRIP]; uint64_t places[STRIP];          \
                  EACH_OF_STRIP(places[lane] = bits_of(fused(fabs(a[i]), INV_LN2_1, TO_HALF_EIGHTHS));)               \
                  look_up(powers, places, HALF_POWERS);                                                               \
                  look_up(inverses, places, HALF_INVERSES);                                                           \
                  look_up_short(rests, places, HALF_RESTS);                                                           \
                  EACH_OF_STRIP(const double k = of_bits(places[lane]) - TO_HALF_EIGHTHS;                             \
                                const double h = fused(-k, LN2_HIGH, fabs(a[i]));                                     \
                                const double c = fused(-k, LN2_LOW, rests[lane]);                                     \
                                const uint64_t more = places[lane] << 49;                                             \
                                const double power = of_bits(bits_of(powers[lane]) + more);                           \
                                const double inverse = of_bits(bits_of(inverses[lane]) - more);                       \
                                unknown[lane] |= UNKNOWN; to[i] = VALUE(a[i], h, c, power, inverse);))                \
        return any_sign(unknown);                                                                                     \
    }
#if FUSED_IS_FAST
SWEEP_HYPERBOLIC(fast_sinh, core_sinh, bits_of(707.0) - 1 - bits_of(fabs(a[i])))
SWEEP_HYPERBOLIC(fast_cosh, core_cosh, bits_of(707.0) - 1 - bits_of(fabs(a[i])))
#endif
SWEEP_HYPERBOLIC(whole_sweep_sinh, whole_sinh, 0)
SWEEP_HYPERBOLIC(whole_sweep_cosh, whole_cosh, 0)
WAYS1(sinh, ITSELF, marks_raises_overflow, 0)
WAYS1(cosh, THE_SAME, marks_raises_overflow, 0)

/* |x| = k log(2)/2 + r, |r| <= log(2)/4; t = tanh(r) = h + l, s = 2^-k. tanh(|x|) is then
 * ((1 - s) + (1 + s) t) / ((1 + s) + (1 - s) t). From 53 on 1 - s would be rounded: there the quotient is the one of 18.54,
 * which is the double below 1, as it should be for 18.37 to 19.06. */
static INLINE halfway first_tanh(double x)
{
    const double a = fabs(x), v = a < 18.54 ? a : 18.54;
    const double t = fused(v, 2.0 * INV_LN2_1, TO_EXPONENT), k = t - TO_EXPONENT;
    const double b = fused(-k, HALF_LN2_HIGH, v), r = fused(-k, HALF_LN2_LOW, b), rlo = fused(-k, HALF_LN2_LOW, b - r);
    const double z = r * r;
    return (halfway){r, fused(r * z, poly_tanh(z), rlo), of_bits((UINT64_C(2046) << 52) - (bits_of(t) << 52))};
}

/* h.u + h.v is t, h.w is s. The sums n and d are rounded and nlo and dlo what that took away, with the rest of t. */
static INLINE double second_tanh(double x, halfway h)
{
    const double s = h.w, less = 1.0 - s, more = 1.0 + s;
    const dd t = fast_two_sum(h.u, h.v), m = fast_two_sum(less, t.hi);
    const double n = fused(s, t.hi, m.hi), nlo = fused(more, t.lo, fused(s, t.hi, m.hi - n) + m.lo);
    const double d = fused(less, t.hi, more), dlo = fused(less, t.hi, (1.0 - d) + s);
    const double inverse = 1.0 / d, q = n * inverse;
    const double r = fused(fused(-q, d, n) + fused(-q, dlo, nlo), inverse, q);
    const double a = fabs(x), end = 1.0 < a ? 1.0 : a + a;
    return copysign(a < 0x1.30fc1931f09cap+4 ? r : end, x);
}
EASY1_HALVES(tanh, ITSELF)
