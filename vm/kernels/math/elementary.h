/* Elementary functions of doubles: the frame that every family of them fills in.
 *
 * A function f is given by straight-line code of + - * / sqrt, fused, comparisons, conditional expressions and integer
 * operations on the bits, so that the loops around it become vector code at every level. A multiplication is fused with
 * an addition where it says so (fused.h), and nowhere else: the bits are the same at every level. Nothing traps or is
 * undefined.
 *
 *   core_f(x)    its value, within one ULP, for every x that is not odd; for odd x any value will do
 *   odd_f(x)     nonzero where core_f does not hold: huge arguments, results that overflow or are subnormal, inf, nan,
 *                the edges of the domain
 *   whole_f(x)   its value for every x that is not far; where x is not odd, the bits of core_f. A nan argument is the
 *                result, quieted and otherwise unchanged (of two nans, the first). Where the function has no value, the
 *                result is the positive quiet nan without payload: (double)NAN.
 *
 * A whole is the core with the exceptions chosen at its end. What stands in front of a core costs most: its operations
 * wait for each other already, so every cycle more before the first is one more in all. Therefore no argument is made
 * harmless beforehand, the core computes nonsense of it; exceptions are computed beside it, by bits where a comparison
 * would be long, and chosen last.
 *
 * Whole code costs up to a fifth more than core code, so chunks of ordinary elements do without it: a chunk is
 * swept with the core, and again with the whole only if odd elements turned up; then the next chunks are swept with the
 * whole at once, because odd elements come in company. So the cost does not depend on how many there are: before, each
 * went to the C library, and 10% of nan made exp sixteen times slower.
 *
 * Where a processor cannot fuse, all of that is some 30 times as long, so there the whole serves for everything.
 *
 * atan, asin, acos, tanh and erf have one form, which holds for every x. What such a function finds odd may be refused.
 *
 * Long functions are swept in two halves, which are two loops. All of an element's operations wait for one another, and a
 * processor looks some 200 instructions ahead: of a loop of 70 it works at three turns at a time, for 120 cycles, with
 * its multipliers idle half of that. Of two halves the turns are half as long and it looks twice as many ahead.
 *
 *   first_f(x)     what is halfway to the value, up to three numbers
 *   second_f(x, h) the rest of the way
 *
 * Subnormal numbers are not odd where the core holds for them, but make it slow, also where they come up on the way
 * (../../subnormal.h). From the chunk on in which one was met, the sweeps of most functions drop subnormal numbers, which
 * changes nothing for any x that is not tiny: none of its bits depend on them. What f makes of tiny numbers is then put in
 * place by a sweep of its own. Where that takes more than a few operations, or results are subnormal, the whole keeps
 * subnormal numbers away from multiplications, and is used from then on.
 *
 * With out= nothing behind an element that is refused may change. So results were computed aside, by blocks, and copied, a tenth
 * of what a logarithm takes. Sweeps in two loops know after the first whether there is an odd element, and write in the second:
 * if there is one they leave their target as it was, and only chunks with such elements are done aside.
 *
 * What Python's math.f refuses is marked by the kernels whose name ends in CHECKED, where raises_f(r, x) is nonzero, r
 * being the result. That is a sweep of its own over the results: what is refused is the same for many functions, and
 * sweeps that wrote marks beside doubles were a third of all code. A few functions have arguments that are far, numbers
 * for which the whole does not hold either: exp, sin, cos, tan, hypot, atan2, fmod and its kin. They have a third form beyond_f
 * for chunks with such, up to twice as long. It holds for every number, but of fmod and its kin the C library does what
 * is left, one by one. atan2 has one more between them, further_f.
 *
 * Included by ../kernels.c, once for each level.
 */
#ifndef AO_ELEMENTARY_H
#define AO_ELEMENTARY_H

#include "../../subnormal.h"
#include "double_double.h"

enum {
    FIRST = 32,   /* elements of a long call's first chunk: often enough to see whether odd ones are about */
    MOST = 512,   /* of any chunk */
    CAREFUL = 64  /* chunks that are swept with the whole after one with odd elements */
};

/* A sweep says whether it met an element that it does not hold for. One that leaves (function1) has then written nothing that is
 * not right, and nothing from there on: its results are elsewhere, or nowhere if that is NULL. The sweep for marks: whether it
 * set any. */
typedef uint64_t sweep1(size_t n, double *to, const double *a, double *elsewhere);
typedef uint64_t sweep2(size_t n, double *to, const double *a, const double *b, unsigned uniform);
typedef unsigned marks1(size_t n, uint8_t *mark, const double *r, const double *a);
typedef unsigned marks2(size_t n, uint8_t *mark, const double *r, const double *a, const double *b);

/* Puts what f makes of some numbers in its place, such as those of a magnitude below TINY. */
typedef void tiny1(size_t n, double *to, const double *a);

typedef struct {
    tiny1 *tiny;            /* none: subnormal numbers must not be dropped */
    sweep1 *fast;           /* none: the whole does it all */
    sweep1 *whole, *beyond; /* no whole: the fast one holds for every number; no beyond: nothing is far */
    marks1 *marks;          /* none: nothing is refused */
    tiny1 *edges;           /* puts in its place what f makes of odd numbers; none: that is there already */
    int leaves;             /* fast sweeps leave `to` as it was from an odd element on: trait L of ops.def */
} function1;

typedef struct {
    sweep2 *fast;
    sweep2 *sweeps[4];                     /* the whole, and what holds for more and more; NULL behind the last */
    marks2 *marks;
    double (*library)(double x, double y); /* for what is far beyond all */
} function2;

/* What a function in two halves knows between them. */
typedef struct {
    double u, v, w;
} halfway;

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
static INLINE uint64_t never_far2(double r, double x, double y)
{
    (void)r, (void)x, (void)y;
    return 0;
}

/* Of fmod and its kin: a nan that says that they do not know, as x is finite and y neither 0 nor nan. */
static INLINE uint64_t unanswered(double r, double x, double y)
{
    return (uint64_t)((r != r) & (fabs(y) > x - x));
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

/* The same, or of two numbers the nan of math.nan. By bits: where a conditional expression is chosen by another, the
 * compiler often gives up on vector code. */
static INLINE double nan_of(double x, double y)
{
    const double v = x == x ? y : x;
    return of_bits((bits_of(v) & (0 - (uint64_t)(v != v))) | UINT64_C(0x7ff8000000000000));
}

/* Where f makes the same of all tiny numbers, and so of zeros. */
static void THE_SAME(size_t n, double *to, const double *a)
{
    (void)n, (void)to, (void)a;
}
/* Where it makes themselves of them. By bits: comparing subnormal numbers is slow, too. */
static void ITSELF(size_t n, double *to, const double *a)
{
    LOOP {
        const double x = a[i], r = to[i];
        to[i] = bits_of(fabs(x)) < bits_of(TINY) ? x : r;
    }
}
#define SPECIAL NULL

/* Of a uniform operand, as many as a chunk has. Only fast sweeps have loops for uniform operands: in the others these
 * would be two thirds of the code, and save little of what an element takes. */
static void spread(size_t n, double *to, const p_f64 *a)
{
    const double x = *a;
    n = n < MOST ? n : MOST;
    LOOP to[i] = x;
}

/* A kernel: elements by chunks, each swept as it needs. Of all levels there is one, as sweeps do the work. */
unsigned ao_elementary1(size_t n, p_f64 *d, const p_f64 *a, const function1 *f, uint8_t *mark);
unsigned ao_elementary2(size_t n, p_f64 *d, const p_f64 *a, const p_f64 *b, unsigned uniform, const function2 *f,
                        uint8_t *mark);

#if AO_IS_FIRST
/* The elements of the next chunk: as many as there were before it. So a block has few chunks, and little is swept twice
 * when odd ones turn up, if it has to be. */
static INLINE size_t next_chunk(size_t at, size_t n, int once)
{
    const size_t first = n >= 8 * FIRST ? FIRST : CHUNK, m = once || at >= MOST ? MOST : at == 0 ? first : at;
    return n - at < m ? n - at : m;
}

/* For what must not drop subnormal numbers, in company of some that it need not see. */
static void tiny_made_larger(size_t n, double *to, const double *a)
{
    LOOP {
        const double x = a[i];
        const uint64_t u = bits_of(fabs(x)), least = bits_of(TINY);
        to[i] = copysign(of_bits(u < least ? least : u), x);
    }
}

/* The chunks are written aside if d is an operand, because whoever comes second needs the operands again. The
 * results of beyond_f may be subnormal.
 *
 * One that leaves, and has no place for marks, writes nothing from the first chunk on in which something is refused: chunks with
 * odd elements are written aside, too. So blocks of results go straight to where they belong (run.c). */
unsigned ao_elementary1(size_t n, p_f64 *d, const p_f64 *a, const function1 *f, uint8_t *mark)
{
    unsigned found = 0, careful = 0, before = 0;
    int dropping = 0;
    sweep1 *sweep = f->whole;
    double aside[MOST], larger[MOST];
    uint8_t unused[MOST];
    const int stops = f->leaves && !mark;
    for (size_t at = 0, m; at < n && !(stops && found); at += m) {
        m = next_chunk(at, n, !f->whole);
        const double *x = (const double *)a + at, *from = x;
        double *to = d == a ? aside : (double *)d + at;
        uint8_t *marks = mark ? mark + at : unused;
        const int subnormal = ao_subnormal_met(), apart = subnormal && f->tiny;
        if (apart && f->beyond && sweep == f->beyond) {
            tiny_made_larger(m, larger, x);
            from = larger;
        } else if (apart && !dropping) {
            before = ao_subnormal_drop();
            dropping = 1;
        }
        const int known = f->fast && (!f->whole || !(careful || subnormal > apart));
        double *const odd_to = stops ? aside : to;
        const int odd = !known || f->fast(m, to, from, f->whole ? NULL : odd_to);
        to = odd ? odd_to : to;
        if (odd && f->whole) {
            careful = careful ? careful - 1 : CAREFUL;
            if (sweep(m, to, from, to) && f->beyond) {
                if (dropping)
                    ao_subnormal_keep(before);
                dropping = 0;
                sweep = f->beyond;
                sweep(m, to, from, to);
            }
        }
        if (apart)
            f->tiny(m, to, x);
        if (odd && f->edges)
            f->edges(m, to, x);
        if (odd && f->marks)
            found |= f->marks(m, marks, to, x);
        else if (mark)
            memset(mark + at, 0, m);
        if (to == aside && !(stops && found))
            memcpy(d + at, to, m * sizeof *d);
    }
    if (dropping)
        ao_subnormal_keep(before);
    return found;
}

static void by_library(size_t n, double *to, const double *a, const double *b, const function2 *f)
{
    for (size_t i = 0; i < n; i++)
        if (unanswered(to[i], a[i], b[i]))
            to[i] = f->library(a[i], b[i]);
}

unsigned ao_elementary2(size_t n, p_f64 *d, const p_f64 *a, const p_f64 *b, unsigned uniform, const function2 *f,
                         uint8_t *mark)
{
    unsigned found = 0, careful = 0, to_spread = uniform;
    sweep2 *const *sweep = f->sweeps;
    double aside[MOST], same_a[MOST], same_b[MOST];
    uint8_t unused[MOST];
    for (size_t at = 0, m; at < n; at += m) {
        m = next_chunk(at, n, 0);
        const double *x = (const double *)a + (uniform & 1 ? 0 : at), *y = (const double *)b + (uniform & 2 ? 0 : at);
        double *to = d == a || d == b ? aside : (double *)d + at;
        uint8_t *marks = mark ? mark + at : unused;
        if (careful || ao_subnormal_met() || !f->fast || f->fast(m, to, x, y, uniform)) {
            careful = careful ? careful - 1 : CAREFUL;
            if (to_spread & 1)
                spread(n, same_a, a);
            if (to_spread & 2)
                spread(n, same_b, b);
            to_spread = 0;
            x = uniform & 1 ? same_a : x;
            y = uniform & 2 ? same_b : y;
            uint64_t far = (*sweep)(m, to, x, y, uniform);
            while (far && sweep[1])
                far = (*++sweep)(m, to, x, y, uniform);
            if (far)
                by_library(m, to, x, y, f);
            if (f->marks)
                found |= f->marks(m, marks, to, x, y);
        } else if (mark) {
            memset(mark + at, 0, m);
        }
        if (to == aside)
            memcpy(d + at, to, m * sizeof *d);
    }
    return found;
}
#endif

/* ---- the sweeps of f; ways_f[0] are those of its kernel, ways_f[1] those of its CHECKED kernel ---- */

#if FUSED_IS_FAST
/* Short functions are swept in one loop, which writes before it is known whether an element is unknown: to look for them first
 * takes 4 to 8 % of such a sweep. */
#define SWEEP1(name, VALUE, UNKNOWN)                                                                                  \
    static uint64_t name(size_t n, double *to, const double *a, double *elsewhere)                                    \
    {                                                                                                                 \
        uint64_t unknown = 0;                                                                                         \
        (void)elsewhere;                                                                                              \
        EACH1(f64, const double r = VALUE(x); unknown |= UNKNOWN(x); to[i] = r;)                                      \
        return unknown;                                                                                               \
    }
/* `to` carries the first of the numbers between the halves. */
#define SWEEP1_HALVES(name, FIRST, SECOND, UNKNOWN)                                                                   \
    static uint64_t name(size_t n, double *to, const double *a, double *elsewhere)                                    \
    {                                                                                                                 \
        double v[MOST], w[MOST];                                                                                      \
        uint64_t unknown = 0;                                                                                         \
        (void)elsewhere;                                                                                              \
        EACH1(f64, const halfway h = FIRST(x); to[i] = h.u; v[i] = h.v; w[i] = h.w;)                                  \
        EACH1(f64, const halfway h = {to[i], v[i], w[i]}; const double r = SECOND(x, h); unknown |= UNKNOWN(x);       \
              to[i] = r;)                                                                                             \
        return unknown;                                                                                               \
    }
/* One that leaves. */
#define SWEEP1_LEAVING(name, FIRST, SECOND, UNKNOWN)                                                                  \
    static uint64_t name(size_t n, double *to, const double *a, double *elsewhere)                                    \
    {                                                                                                                 \
        double u[MOST], v[MOST], w[MOST];                                                                             \
        uint64_t unknown = 0;                                                                                         \
        EACH1(f64, const halfway h = FIRST(x); unknown |= UNKNOWN(x); u[i] = h.u; v[i] = h.v; w[i] = h.w;)            \
        if (unknown && !elsewhere)                                                                                    \
            return unknown;                                                                                           \
        to = unknown ? elsewhere : to;                                                                                \
        EACH1(f64, const halfway h = {u[i], v[i], w[i]}; const double r = SECOND(x, h); to[i] = r;)                   \
        return unknown;                                                                                               \
    }
/* As well, after a loop that brings numbers nearer to 1: where these three wait for each other, two are not enough. */
#define SWEEP1_NEARER(name, f)                                                                                        \
    static uint64_t name(size_t n, double *to, const double *a, double *elsewhere)                                    \
    {                                                                                                                 \
        double v[MOST];                                                                                               \
        (void)elsewhere;                                                                                              \
        EACH1(f64, v[i] = nearer_##f(x);)                                                                             \
        LOOP to[i] = first_near_##f(v[i]);                                                                            \
        EACH1(f64, const double r = second_near_##f(x, v[i], to[i]); to[i] = r;)                                      \
        return 0;                                                                                                     \
    }
#define SWEEP2(name, VALUE, FAR)                                                                                      \
    static uint64_t name(size_t n, double *to, const double *a, const double *b, unsigned uniform)                    \
    {                                                                                                                 \
        uint64_t far = 0;                                                                                             \
        (void)uniform;                                                                                                \
        EACH1(f64, const double y = b[i], r = VALUE(x, y); far |= FAR(r, x, y); to[i] = r;)                           \
        return far;                                                                                                   \
    }
#else
/* By software a function is so long that there is one loop of it: of two elements at a time, without a rest. The
 * operands are copied therefore, up to an even number. */
static size_t in_pairs(size_t n, double *to, const double *a)
{
    memcpy(to, a, n * sizeof *to);
    to[n] = a[n - 1];
    return n + (n & 1);
}
#define EACH_OF_PAIRS AO_INDEPENDENT for (size_t i = 0; i < (even & ~(size_t)1); i++)
#define SWEEP1(name, VALUE, UNKNOWN)                                                                                  \
    static uint64_t name(size_t n, double *to, const double *a, double *elsewhere)                                    \
    {                                                                                                                 \
        double xs[MOST + 1], rs[MOST + 1];                                                                            \
        const size_t even = in_pairs(n, xs, a);                                                                       \
        uint64_t unknown = 0;                                                                                         \
        EACH_OF_PAIRS {                                                                                               \
            const double x = xs[i], r = VALUE(x);                                                                     \
            unknown |= UNKNOWN(x);                                                                                    \
            rs[i] = r;                                                                                                \
        }                                                                                                             \
        (void)elsewhere;                                                                                              \
        memcpy(to, rs, n * sizeof *to);                                                                               \
        return unknown;                                                                                               \
    }
#define SWEEP1_HALVES(name, FIRST, SECOND, UNKNOWN)                                                                   \
    static INLINE double both_##name(double x)                                                                        \
    {                                                                                                                 \
        return SECOND(x, FIRST(x));                                                                                   \
    }                                                                                                                 \
    SWEEP1(name, both_##name, UNKNOWN)
#define SWEEP1_LEAVING SWEEP1_HALVES
#define SWEEP1_NEARER(name, f)                                                                                        \
    static INLINE double both_near_##f(double x)                                                                      \
    {                                                                                                                 \
        const double v = nearer_##f(x);                                                                               \
        return second_near_##f(x, v, first_near_##f(v));                                                              \
    }                                                                                                                 \
    SWEEP1(name, both_near_##f, never_far1)
#define SWEEP2(name, VALUE, FAR)                                                                                      \
    static uint64_t name(size_t n, double *to, const double *a, const double *b, unsigned uniform)                    \
    {                                                                                                                 \
        double xs[MOST + 1], ys[MOST + 1], rs[MOST + 1];                                                              \
        const size_t even = in_pairs(n, xs, a);                                                                       \
        uint64_t far = 0;                                                                                             \
        (void)uniform;                                                                                                \
        in_pairs(n, ys, b);                                                                                           \
        EACH_OF_PAIRS {                                                                                               \
            const double x = xs[i], y = ys[i], r = VALUE(x, y);                                                       \
            far |= FAR(r, x, y);                                                                                      \
            rs[i] = r;                                                                                                \
        }                                                                                                             \
        memcpy(to, rs, n * sizeof *to);                                                                               \
        return far;                                                                                                   \
    }
#endif
/* Once for each RAISE; of the name marks_RAISE. */
#define MARKS1(RAISE)                                                                                                 \
    static unsigned marks_##RAISE(size_t n, uint8_t *mark, const double *r, const double *a)                          \
    {                                                                                                                 \
        uint64_t bad = 0;                                                                                             \
        EACH1(f64, const uint64_t raised = RAISE(r[i], x); bad |= raised; mark[i] = (uint8_t)raised;)                 \
        return bad != 0;                                                                                              \
    }
MARKS1(raises_overflow)

/* Where a processor does not fuse, there is no sweep with the core. */
#if FUSED_IS_FAST
#define CORE1(f, ODD) SWEEP1(fast_##f, core_##f, ODD)
#define CORE1_HALVES(f, ODD, SWEEP) SWEEP(fast_##f, first_##f, second_##f, ODD)
#define CORE2(f) FAST2(f)
#define FAST(f) fast_##f
#define EASY(f) core_##f
#else
#define CORE1(f, ODD)
#define CORE1_HALVES(f, ODD, SWEEP)
#define CORE2(f)
#define FAST(f) NULL
#define EASY(f) whole_##f
#endif

/* The tables of functions whose sweeps are there. */
#define WAYS1(f, tiny, marks, leaves)                                                                                 \
    static const function1 ways_##f[] = {{tiny, FAST(f), whole_sweep_##f, NULL, NULL, NULL, 0},                       \
                                         {tiny, FAST(f), whole_sweep_##f, NULL, marks, NULL, leaves}};

#define WAYS2(f, marks)                                                                                               \
    static const function2 ways_##f[] = {{FAST(f), {whole_sweep_##f}, NULL, NULL},                                    \
                                         {FAST(f), {whole_sweep_##f}, marks, NULL}};

/* A function that never raises; one that may raise, and has far arguments. TINY: what it makes of tiny ones. */
#define TOTAL1(f, tiny)                                                                                               \
    CORE1(f, odd_##f)                                                                                                 \
    SWEEP1(whole_sweep_##f, whole_##f, never_far1)                                                                    \
    static const function1 ways_##f[] = {{tiny, FAST(f), whole_sweep_##f, NULL, NULL, NULL, 0}};
/* In halves; the whole is those of numbers brought nearer to 1. */
#define TOTAL1_HALVES(f, tiny)                                                                                        \
    CORE1_HALVES(f, odd_##f, SWEEP1_HALVES)                                                                           \
    SWEEP1_NEARER(whole_sweep_##f, f)                                                                                 \
    static const function1 ways_##f[] = {{tiny, FAST(f), whole_sweep_##f, NULL, NULL, NULL, 0}};
#define BEYOND1(f, tiny, RAISE, FAR)                                                                                  \
    CORE1(f, odd_##f)                                                                                                 \
    SWEEP1(whole_sweep_##f, whole_##f, FAR)                                                                           \
    SWEEP1(beyond_sweep_##f, beyond_##f, never_far1)                                                                  \
    static const function1 ways_##f[] = {{tiny, FAST(f), whole_sweep_##f, beyond_sweep_##f, NULL, NULL, 0},           \
                                         {tiny, FAST(f), whole_sweep_##f, beyond_sweep_##f, marks_##RAISE, NULL, 0}};
#define BEYOND1_HALVES(f, tiny, RAISE, FAR)                                                                           \
    CORE1_HALVES(f, odd_##f, SWEEP1_LEAVING)                                                                          \
    SWEEP1_HALVES(whole_sweep_##f, first_##f, second_whole_##f, FAR)                                                  \
    SWEEP1_HALVES(beyond_sweep_##f, first_beyond_##f, second_whole_##f, never_far1)                                   \
    static const function1 ways_##f[] = {{tiny, FAST(f), whole_sweep_##f, beyond_sweep_##f, NULL, NULL, 0},           \
                                         {tiny, FAST(f), whole_sweep_##f, beyond_sweep_##f, marks_##RAISE, NULL, 1}};
/* A function of one form has one sweep; EASY1 nothing odd. */
#define EASY1(f, tiny)                                                                                                \
    SWEEP1(sweep_##f, EASY(f), never_far1)                                                                            \
    static const function1 ways_##f[] = {{tiny, sweep_##f, NULL, NULL, NULL, NULL, 0}};
#define EASY1_HALVES(f, tiny)                                                                                         \
    SWEEP1_HALVES(sweep_##f, first_##f, second_##f, never_far1)                                                       \
    static const function1 ways_##f[] = {{tiny, sweep_##f, NULL, NULL, NULL, NULL, 0}};
/* Where a processor does not fuse, a sweep does not leave, and is taken for a whole. */
#if FUSED_IS_FAST
#define ONCE(sweep) sweep, NULL
#else
#define ONCE(sweep) NULL, sweep
#endif
#define ONCE1_EDGES(f, tiny, EDGES, RAISE)                                                                            \
    SWEEP1_LEAVING(sweep_##f, first_##f, second_##f, odd_##f)                                                         \
    static const function1 ways_##f[] = {{tiny, ONCE(sweep_##f), NULL, NULL, EDGES, 0},                               \
                                         {tiny, ONCE(sweep_##f), NULL, marks_##RAISE, EDGES, 1}};

/* The same for two arguments. Here the core may also give inf or nan to say that it does not know. FURTHER2 is for a
 * function that never raises and has far arguments of two kinds, of which further_f holds for the first. */
#define FAST2(f)                                                                                                      \
    static uint64_t fast_##f(size_t n, double *to, const double *a, const double *b, unsigned uniform)                \
    {                                                                                                                 \
        uint64_t odd = 0;                                                                                             \
        EACH2(f64, f64, const double r = core_##f(x, y); odd |= odd_##f(x, y) | not_finite(r); to[i] = r;)            \
        return odd;                                                                                                   \
    }
#define MARKS2(RAISE)                                                                                                 \
    static unsigned marks_##RAISE(size_t n, uint8_t *mark, const double *r, const double *a, const double *b)         \
    {                                                                                                                 \
        uint64_t bad = 0;                                                                                             \
        EACH1(f64, const uint64_t raised = RAISE(r[i], x, b[i]); bad |= raised; mark[i] = (uint8_t)raised;)           \
        return bad != 0;                                                                                              \
    }
#define FAR2(f)                                                                                                       \
    CORE2(f)                                                                                                          \
    SWEEP2(whole_sweep_##f, whole_##f, far_##f)                                                                       \
    SWEEP2(beyond_sweep_##f, beyond_##f, never_far2)                                                                  \
    static const function2 ways_##f[] = {{FAST(f), {whole_sweep_##f, beyond_sweep_##f}, NULL, NULL}};
#define FURTHER2(f)                                                                                                   \
    CORE2(f)                                                                                                          \
    SWEEP2(whole_sweep_##f, whole_##f, far_##f)                                                                       \
    SWEEP2(further_sweep_##f, further_##f, far_further_##f)                                                           \
    SWEEP2(beyond_sweep_##f, beyond_##f, never_far2)                                                                  \
    static const function2 ways_##f[] = {{FAST(f), {whole_sweep_##f, further_sweep_##f, beyond_sweep_##f}, NULL, NULL}};
/* fmod and its kin fuse nothing. */
#define BEYOND2(f, RAISE, library)                                                                                    \
    FAST2(f)                                                                                                          \
    SWEEP2(whole_sweep_##f, whole_##f, unanswered)                                                                    \
    SWEEP2(beyond_sweep_##f, beyond_##f, unanswered)                                                                  \
    static const function2 ways_##f[] = {{fast_##f, {whole_sweep_##f, beyond_sweep_##f}, NULL, library},              \
                                         {fast_##f, {whole_sweep_##f, beyond_sweep_##f}, marks_##RAISE, library}};

/* The kernel itself, by the columns a, b, c of its row. */
#define DO_MATH_T__(f, marks) CALL, ao_elementary1(n, d, a, &ways_##f[marks], mark)
#define DO_MATH_TT_(f, marks) CALL, ao_elementary2(n, d, a, b, uniform, &ways_##f[marks], mark)

#endif
