/* Elementary functions of doubles: the frame that every family of them fills in.
 *
 * A function f is given by
 *
 *   core_f(x)   its value, within one ULP, for every x that is not odd. Straight-line code of + - * / sqrt, comparisons,
 *               conditional expressions and integer operations on the bits, so that the loop around it becomes vector
 *               code at every level. No multiplication is fused with an addition, no table is looked up: the bits are
 *               the same at every level. For odd x any value will do, but nothing may trap or be undefined.
 *   odd_f(x)    nonzero where core_f does not hold: huge arguments, subnormals where they need care, inf, nan, the edges
 *               of the domain. Finished one by one by the C library, most in long double, because some of its functions
 *               of doubles are two ULPs off and more.
 *
 * MATH1(f, library), or MATH2 for two arguments, makes of that what the kernels of the rows MATH(NAME, f, ...) of ops.def
 * share. Those that mark do so where Python's math.f raises: at a nan that did not come from a nan (ValueError), an
 * infinity that did not come from one (ValueError or OverflowError). With two arguments a core may also give inf or nan
 * to say that it does not know.
 *
 * Included by ../kernels.c, once for each level.
 */
#ifndef AO_ELEMENTARY_H
#define AO_ELEMENTARY_H

typedef uint64_t sweep1(size_t n, double *aside, const double *a);
typedef uint64_t sweep2(size_t n, double *aside, const double *a, const double *b, unsigned uniform);

/* All bits of the exponent set: inf or nan. */
static INLINE uint64_t not_finite(double x)
{
    return (uint64_t)!(fabs(x) <= 0x1.fffffffffffffp1023);
}

static inline uint64_t raises1(double r, double x)
{
    return (isnan(r) && !isnan(x)) || (isinf(r) && isfinite(x));
}

static inline uint64_t raises2(double r, double x, double y)
{
    return (isnan(r) && !isnan(x) && !isnan(y)) || (isinf(r) && isfinite(x) && isfinite(y));
}

/* One chunk: the swept values, and for the odd ones those of the C library. */
static unsigned finish1(size_t n, p_f64 *d, const double *aside, const p_f64 *a, uint64_t (*odd)(double),
                        double (*library)(double), int python, uint8_t *mark)
{
    uint64_t faults = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = a[i];
        double r = aside[i];
        uint64_t bad = 0;
        if (odd(x)) {
            r = library(x);
            bad = python ? raises1(r, x) : 0;
        }
        if (mark)
            mark[i] = (uint8_t)bad;
        faults |= bad;
        d[i] = r;
    }
    return faults != 0;
}

static unsigned finish2(size_t n, p_f64 *d, const double *aside, const p_f64 *a, const p_f64 *b, unsigned uniform,
                        uint64_t (*odd)(double, double), double (*library)(double, double), int python, uint8_t *mark)
{
    uint64_t faults = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = a[uniform & 1 ? 0 : i], y = b[uniform & 2 ? 0 : i];
        double r = aside[i];
        uint64_t bad = 0;
        if (odd(x, y) | not_finite(r)) {
            r = library(x, y);
            bad = python ? raises2(r, x, y) : 0;
        }
        if (mark)
            mark[i] = (uint8_t)bad;
        faults |= bad;
        d[i] = r;
    }
    return faults != 0;
}

/* A chunk without odd ones: d gets what was swept aside, if it was, and nothing is marked. */
static void hand_over(size_t n, p_f64 *d, const double *to, uint8_t *mark)
{
    if (to != (const double *)d)
        memcpy(d, to, n * sizeof *d);
    if (mark)
        memset(mark, 0, n);
}

/* One chunk at a time: the core computes all its elements, then the C library does the odd ones, for which the arguments
 * must still be there. So if d is an operand, the core writes to `aside`. */
static unsigned elementary1(size_t n, p_f64 *d, const p_f64 *a, sweep1 *sweep, uint64_t (*odd)(double),
                            double (*library)(double), int python, uint8_t *mark)
{
    unsigned faults = 0;
    double aside[CHUNK];
    for (size_t at = 0; at < n; at += CHUNK) {
        const size_t m = n - at < CHUNK ? n - at : CHUNK;
        double *to = d == a ? aside : (double *)d + at;
        if (sweep(m, to, (const double *)a + at))
            faults |= finish1(m, d + at, to, a + at, odd, library, python, mark ? mark + at : NULL);
        else
            hand_over(m, d + at, to, mark ? mark + at : NULL);
    }
    return faults;
}

static unsigned elementary2(size_t n, p_f64 *d, const p_f64 *a, const p_f64 *b, unsigned uniform, sweep2 *sweep,
                            uint64_t (*odd)(double, double), double (*library)(double, double), int python,
                            uint8_t *mark)
{
    unsigned faults = 0;
    double aside[CHUNK];
    for (size_t at = 0; at < n; at += CHUNK) {
        const size_t m = n - at < CHUNK ? n - at : CHUNK;
        const p_f64 *x = uniform & 1 ? a : a + at, *y = uniform & 2 ? b : b + at;
        double *to = d == a || d == b ? aside : (double *)d + at;
        if (sweep(m, to, (const double *)x, (const double *)y, uniform))
            faults |= finish2(m, d + at, to, x, y, uniform, odd, library, python, mark ? mark + at : NULL);
        else
            hand_over(m, d + at, to, mark ? mark + at : NULL);
    }
    return faults;
}

/* What the kernels of f share, by number of arguments. */
#define MATH1(f, library)                                                                                             \
    static double of_library_##f(double x)                                                                            \
    {                                                                                                                 \
        return (double)library(x);                                                                                    \
    }                                                                                                                 \
    static uint64_t sweep_##f(size_t n, double *aside, const double *a)                                               \
    {                                                                                                                 \
        uint64_t odd = 0;                                                                                             \
        EACH1(f64, const double r = core_##f(x); odd |= odd_##f(x); aside[i] = r;)                                    \
        return odd;                                                                                                   \
    }
#define MATH2(f, library)                                                                                             \
    static double of_library_##f(double x, double y)                                                                  \
    {                                                                                                                 \
        return (double)library(x, y);                                                                                 \
    }                                                                                                                 \
    static uint64_t sweep_##f(size_t n, double *aside, const double *a, const double *b, unsigned uniform)            \
    {                                                                                                                 \
        uint64_t odd = 0;                                                                                             \
        EACH2(f64, f64, const double r = core_##f(x, y); odd |= odd_##f(x, y) | not_finite(r); aside[i] = r;)         \
        return odd;                                                                                                   \
    }

/* The kernel itself, by the columns a, b, c of its row. */
#define DO_MATH_T__(f, marks)                                                                                         \
    CALL, elementary1(n, d, a, sweep_##f, odd_##f, of_library_##f, marks, marks ? mark : NULL)
#define DO_MATH_TT_(f, marks)                                                                                         \
    CALL, elementary2(n, d, a, b, uniform, sweep_##f, odd_##f, of_library_##f, marks, marks ? mark : NULL)

#endif
