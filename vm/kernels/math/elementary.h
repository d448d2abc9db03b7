/* Elementary functions of doubles: the frame that every family of them fills in.
 *
 * A function f is given by straight-line code of + - * / sqrt, comparisons, conditional expressions and integer
 * operations on the bits, so that the loops around it become vector code at every level. No multiplication is fused
 * with an addition: the bits are the same at every level. Nothing traps or is undefined.
 *
 *   core_f(x)    its value, within one ULP, for every x that is not odd; for odd x any value will do
 *   odd_f(x)     nonzero where core_f does not hold: huge arguments, results that overflow or are subnormal, inf, nan,
 *                the edges of the domain
 *   whole_f(x)   its value for every x that is not far; where x is not odd, the bits of core_f. A nan argument is the
 *                result, quieted and otherwise unchanged (of two nans, the first). Where the function has no value, the
 *                result is the positive quiet nan without payload: (double)NAN.
 *
 * Whole code costs a tenth to a fifth more than core code, so chunks of ordinary elements do without it: a chunk is
 * swept with the core, and again with the whole only if odd elements turned up; then the next chunks are swept with the
 * whole at once, because odd elements come in company. So the cost does not depend on how many there are: before, each
 * went to the C library, and 10% of nan made exp sixteen times slower.
 *
 * Functions whose whole costs no more than the core and the search for odd elements (tanh, atan, erf) have the whole
 * only.
 *
 * What Python's math.f refuses is marked by the kernels whose name ends in CHECKED, where raises_f(r, x) is nonzero, r
 * being the result. A few functions have arguments that are far, numbers for which the whole does not hold either. sin,
 * cos and tan have a third form beyond_f(x) for chunks with such, right for every x; of fmod and its kin the C library
 * does them one by one.
 *
 * Included by ../kernels.c, once for each level.
 */
#ifndef AO_ELEMENTARY_H
#define AO_ELEMENTARY_H

enum {
    FIRST = 32,   /* elements of a long call's first chunk: often enough to see whether odd ones are about */
    CAREFUL = 64, /* chunks that are swept with the whole after one with odd elements */
    RAISES = 1, IS_FAR = 2 /* what a sweep with the whole found */
};

typedef uint64_t fast1(size_t n, double *to, const double *a);
typedef unsigned whole1(size_t n, double *to, const double *a, uint8_t *mark);
typedef uint64_t fast2(size_t n, double *to, const double *a, const double *b, unsigned uniform);
typedef unsigned whole2(size_t n, double *to, const double *a, const double *b, unsigned uniform, uint8_t *mark);

typedef struct {
    fast1 *fast;
    whole1 *whole, *beyond; /* no beyond: nothing is far */
} function1;

typedef struct {
    fast2 *fast;
    whole2 *whole;
    uint64_t (*far)(double x, double y);
    double (*library)(double x, double y);
} function2;

/* All bits of the exponent set: inf or nan. */
static INLINE uint64_t not_finite(double x)
{
    return (uint64_t)!(fabs(x) <= 0x1.fffffffffffffp1023);
}

/* For functions without far arguments. */
static INLINE uint64_t never_far1(double x)
{
    (void)x;
    return 0;
}
static INLINE uint64_t never_far2(double x, double y)
{
    (void)x, (void)y;
    return 0;
}

/* OverflowError: an infinity that did not come from one. */
static INLINE uint64_t raises_overflow(double r, double x)
{
    return (uint64_t)((fabs(r) == INFINITY) & (fabs(x) < INFINITY));
}

/* Any error: also a nan that did not come from one. */
static INLINE uint64_t raises2(double r, double x, double y)
{
    const int numbers = (x == x) & (y == y), finite = (fabs(x) < INFINITY) & (fabs(y) < INFINITY);
    return (uint64_t)(((r != r) & numbers) | ((fabs(r) == INFINITY) & finite));
}

/* Of two operands of which one is a nan: the first that is, quieted. */
static INLINE double first_nan(double x, double y)
{
    const double v = x != x ? x : y;
    return v + v;
}

/* The elements of the next chunk. */
static INLINE size_t next_chunk(size_t at, size_t n)
{
    const size_t m = at == 0 && n >= 8 * FIRST ? FIRST : CHUNK;
    return n - at < m ? n - at : m;
}

/* A kernel. The chunks are written aside if d is an operand, because whoever comes second needs the operands again. */
static unsigned elementary1(size_t n, p_f64 *d, const p_f64 *a, const function1 *f, uint8_t *mark)
{
    unsigned found = 0, careful = 0;
    whole1 *sweep = f->whole;
    double aside[CHUNK];
    uint8_t unused[CHUNK];
    for (size_t at = 0, m; at < n; at += m) {
        m = next_chunk(at, n);
        const double *x = (const double *)a + at;
        double *to = d == a ? aside : (double *)d + at;
        uint8_t *marks = mark ? mark + at : unused;
        if (careful || f->fast(m, to, x)) {
            careful = careful ? careful - 1 : CAREFUL;
            unsigned now = sweep(m, to, x, marks);
            if (now & IS_FAR) {
                sweep = f->beyond;
                now = sweep(m, to, x, marks);
            }
            found |= now;
        } else if (mark) {
            memset(mark + at, 0, m);
        }
        if (to == aside)
            memcpy(d + at, to, m * sizeof *d);
    }
    return found & RAISES;
}

static unsigned elementary2(size_t n, p_f64 *d, const p_f64 *a, const p_f64 *b, unsigned uniform, const function2 *f,
                            uint8_t *mark)
{
    unsigned found = 0, careful = 0;
    double aside[CHUNK];
    uint8_t unused[CHUNK];
    for (size_t at = 0, m; at < n; at += m) {
        m = next_chunk(at, n);
        const size_t one_x = uniform & 1, one_y = uniform >> 1 & 1;
        const double *x = (const double *)a + (one_x ? 0 : at), *y = (const double *)b + (one_y ? 0 : at);
        double *to = d == a || d == b ? aside : (double *)d + at;
        if (careful || f->fast(m, to, x, y, uniform)) {
            careful = careful ? careful - 1 : CAREFUL;
            const unsigned now = f->whole(m, to, x, y, uniform, mark ? mark + at : unused);
            for (size_t i = 0; now & IS_FAR && i < m; i++)
                if (f->far(x[one_x ? 0 : i], y[one_y ? 0 : i]))
                    to[i] = f->library(x[one_x ? 0 : i], y[one_y ? 0 : i]);
            found |= now;
        } else if (mark) {
            memset(mark + at, 0, m);
        }
        if (to == aside)
            memcpy(d + at, to, m * sizeof *d);
    }
    return found & RAISES;
}

/* ---- the sweeps of f; ways_f[0] are those of its kernel, ways_f[1] those of its CHECKED kernel ---- */

#define FAST1(f, VALUE, ODD)                                                                                          \
    static uint64_t fast_##f(size_t n, double *to, const double *a)                                                   \
    {                                                                                                                 \
        uint64_t odd = 0;                                                                                             \
        EACH1(f64, const double r = VALUE(x); odd |= ODD(x); to[i] = r;)                                              \
        return odd;                                                                                                   \
    }
#define QUIET1(name, VALUE, FAR)                                                                                      \
    static unsigned name(size_t n, double *to, const double *a, uint8_t *mark)                                        \
    {                                                                                                                 \
        uint64_t far = 0;                                                                                             \
        (void)mark;                                                                                                   \
        EACH1(f64, const double r = VALUE(x); far |= FAR(x); to[i] = r;)                                              \
        return far ? IS_FAR : 0;                                                                                      \
    }
#define WATCHED1(name, VALUE, RAISE, FAR)                                                                             \
    static unsigned name(size_t n, double *to, const double *a, uint8_t *mark)                                        \
    {                                                                                                                 \
        uint64_t far = 0, bad = 0;                                                                                    \
        EACH1(f64, const double r = VALUE(x); const uint64_t raised = RAISE(r, x); far |= FAR(x); bad |= raised;      \
              to[i] = r; mark[i] = (uint8_t)raised;)                                                                  \
        return (bad ? RAISES : 0) | (far ? IS_FAR : 0);                                                               \
    }

/* A function that has the whole only; one that never raises; one that may raise; one that also has far arguments. */
#define WHOLE1(f)                                                                                                     \
    FAST1(f, whole_##f, never_far1)                                                                                   \
    static const function1 ways_##f[] = {{fast_##f, NULL, NULL}};
#define TOTAL1(f)                                                                                                     \
    FAST1(f, core_##f, odd_##f)                                                                                       \
    QUIET1(quiet_##f, whole_##f, never_far1)                                                                          \
    static const function1 ways_##f[] = {{fast_##f, quiet_##f, NULL}};
#define MATH1(f, RAISE)                                                                                               \
    FAST1(f, core_##f, odd_##f)                                                                                       \
    QUIET1(quiet_##f, whole_##f, never_far1)                                                                          \
    WATCHED1(watched_##f, whole_##f, RAISE, never_far1)                                                               \
    static const function1 ways_##f[] = {{fast_##f, quiet_##f, NULL}, {fast_##f, watched_##f, NULL}};
#define BEYOND1(f, RAISE, FAR)                                                                                        \
    FAST1(f, core_##f, odd_##f)                                                                                       \
    QUIET1(quiet_##f, whole_##f, FAR)                                                                                 \
    QUIET1(quiet_beyond_##f, beyond_##f, never_far1)                                                                  \
    WATCHED1(watched_##f, whole_##f, RAISE, FAR)                                                                      \
    WATCHED1(watched_beyond_##f, beyond_##f, RAISE, never_far1)                                                       \
    static const function1 ways_##f[] = {{fast_##f, quiet_##f, quiet_beyond_##f},                                     \
                                         {fast_##f, watched_##f, watched_beyond_##f}};

/* The same for two arguments. Here the core may also give inf or nan to say that it does not know. */
#define FAST2(f)                                                                                                      \
    static uint64_t fast_##f(size_t n, double *to, const double *a, const double *b, unsigned uniform)                \
    {                                                                                                                 \
        uint64_t odd = 0;                                                                                             \
        EACH2(f64, f64, const double r = core_##f(x, y); odd |= odd_##f(x, y) | not_finite(r); to[i] = r;)            \
        return odd;                                                                                                   \
    }
#define QUIET2(f, FAR)                                                                                                \
    static unsigned quiet_##f(size_t n, double *to, const double *a, const double *b, unsigned uniform,               \
                              uint8_t *mark)                                                                          \
    {                                                                                                                 \
        uint64_t far = 0;                                                                                             \
        (void)mark;                                                                                                   \
        EACH2(f64, f64, const double r = whole_##f(x, y); far |= FAR(x, y); to[i] = r;)                               \
        return far ? IS_FAR : 0;                                                                                      \
    }
#define WATCHED2(f, RAISE, FAR)                                                                                       \
    static unsigned watched_##f(size_t n, double *to, const double *a, const double *b, unsigned uniform,             \
                                uint8_t *mark)                                                                        \
    {                                                                                                                 \
        uint64_t far = 0, bad = 0;                                                                                    \
        EACH2(f64, f64, const double r = whole_##f(x, y); const uint64_t raised = RAISE(r, x, y); far |= FAR(x, y);   \
              bad |= raised; to[i] = r; mark[i] = (uint8_t)raised;)                                                   \
        return (bad ? RAISES : 0) | (far ? IS_FAR : 0);                                                               \
    }
#define TOTAL2(f)                                                                                                     \
    FAST2(f)                                                                                                          \
    QUIET2(f, never_far2)                                                                                             \
    static const function2 ways_##f[] = {{fast_##f, quiet_##f, never_far2, NULL}};
#define MATH2(f, RAISE, FAR, library)                                                                                 \
    FAST2(f)                                                                                                          \
    QUIET2(f, FAR)                                                                                                    \
    WATCHED2(f, RAISE, FAR)                                                                                           \
    static const function2 ways_##f[] = {{fast_##f, quiet_##f, FAR, library}, {fast_##f, watched_##f, FAR, library}};

/* The kernel itself, by the columns a, b, c of its row. */
#define DO_MATH_T__(f, marks) CALL, elementary1(n, d, a, &ways_##f[marks], mark)
#define DO_MATH_TT_(f, marks) CALL, elementary2(n, d, a, b, uniform, &ways_##f[marks], mark)

#endif
