/* sin, cos and tan.
 *
 * x = k pi/2 + r, |r| <= pi/4, with pi/2 in three parts of which the first two multiply k < 2^20 exactly (after W. J.
 * Cody and W. Waite): r + rlo is right to some 2^-100, so also next to multiples of pi/2. Then polynomials of r,
 * corrected for rlo by the derivative; k mod 4 chooses between them. tan is that of twice an angle, from T = 2 tan(r/2) =
 * r + r^3 P(r^2): T / (1 - T^2/4), or minus the reciprocal; each part is kept as hi + lo.
 * Larger arguments are odd, and far unless they are inf or nan: of them x 2/pi is computed in integers, from those bits
 * of 2/pi that matter for x (M. H. Payne and R. N. Hanek, Radian reduction for trigonometric functions, SIGNUM
 * Newsletter 18, 1983).
 */
#include "coefficients.h"
#include "double_double.h"

typedef struct {
    dd r;
    uint64_t k; /* its two low bits count */
} quarter_turns;

static INLINE quarter_turns reduce_angle(double x)
{
    const double t = fused(x, TWO_OVER_PI, TO_WHOLE), k = t - TO_WHOLE, a = fused(-k, PIO2_1, x);
    const dd w = two_product(k, PIO2_2);
    const double r = a - w.hi;
    return (quarter_turns){{r, ((a - r) - w.hi) - fused(k, PIO2_3, w.lo)}, bits_of(t)};
}

/* The upper half of m v, m below 2^53. */
static INLINE uint64_t upper_product(uint64_t m, uint64_t v)
{
    const uint64_t m0 = m & UINT32_MAX, m1 = m >> 32, v0 = v & UINT32_MAX, v1 = v >> 32;
    const uint64_t mid = (m0 * v0 >> 32) + (m0 * v1 & UINT32_MAX) + (m1 * v0 & UINT32_MAX);
    return m1 * v1 + (m0 * v1 >> 32) + (m1 * v0 >> 32) + (mid >> 32);
}

/* The same for 2^20 <= |x| < inf. x = +-m 2^e; of 2/pi the bits from 2^(1-e) down are taken, 192 of them: the others
 * give whole turns, or less than 2^-137. turns is x 2/pi mod 4 in units of 2^-62, below that 64 bits more. */
static INLINE quarter_turns reduce_far_angle(double x)
{
    const uint64_t bits = bits_of(x), exponent = bits >> 52 & 0x7FF;
    const uint64_t m = (bits & UINT64_C(0xfffffffffffff)) | UINT64_C(1) << 52;
    const uint64_t at = exponent > 1043 ? exponent - 1043 : 0, left = at & 63, right = 63 - left;
    const uint64_t *const word = TWO_OVER_PI_BITS + (at >> 6);
    const uint64_t a = word[0] << left | word[1] >> 1 >> right, b = word[1] << left | word[2] >> 1 >> right;
    const uint64_t c = word[2] << left | word[3] >> 1 >> right;
    const uint64_t low = m * b, below = low + upper_product(m, c), turns = m * a + upper_product(m, b) + (below < low);
    const uint64_t k = (turns + (UINT64_C(1) << 61)) >> 62, rest = turns - (k << 62), ones = rest & 0x7FF;
    const dd whole = two_sum(f64_of_i64((int64_t)(rest - ones)), f64_of_u32(ones));
    const dd part = fast_two_sum(whole.hi, whole.lo + f64_of_u64(below) * 0x1p-64);
    const dd r = product((dd){part.hi * 0x1p-62, part.lo * 0x1p-62}, (dd){0.5 * PI_1, 0.5 * PI_2});
    const dd s = fast_two_sum(r.hi, r.lo);
    const int negative = (int)(bits >> 63);
    return (quarter_turns){{negative ? -s.hi : s.hi, negative ? -s.lo : s.lo}, negative ? 0 - k : k};
}

static INLINE quarter_turns reduce_any_angle(double x)
{
    const quarter_turns near = reduce_angle(x), far = reduce_far_angle(x);
    const int is_far = fabs(x) >= 0x1p20;
    return (quarter_turns){{is_far ? far.r.hi : near.r.hi, is_far ? far.r.lo : near.r.lo}, is_far ? far.k : near.k};
}

static INLINE double sine_of(dd r)
{
    const double z = r.hi * r.hi;
    return r.hi + fused(r.hi * z, poly_sin(z), fused(-0.5 * z, r.lo, r.lo));
}

static INLINE double cosine_of(dd r)
{
    const double z = r.hi * r.hi, half = 0.5 * z, w = 1.0 - half;
    return w + fused(z * z, poly_cos(z), fused(-r.hi, r.lo, (1.0 - w) - half));
}

/* The value, negated where bit 1 of k is set. */
static INLINE double turned(double value, uint64_t k)
{
    return of_bits(bits_of(value) ^ (k & 2) << 62);
}

/* a where the low bit of k is set, else b. */
static INLINE double either(uint64_t k, double a, double b)
{
#if FUSED_IS_FAST
    return k & 1 ? a : b;
#else
    return of_bits(bits_of(b) ^ ((bits_of(a) ^ bits_of(b)) & (0 - (k & 1)))); /* SSE2 compares no numbers of 64 bits */
#endif
}

static INLINE uint64_t odd_angle(double x)
{
    return (bits_of(0x1p20) - 1 - bits_of(fabs(x))) & UINT64_C(1) << 63;
}
static INLINE uint64_t far_angle(double x)
{
    return between(x, 0x1p20, INFINITY);
}
static INLINE uint64_t raises_angle(double r, double x)
{
    (void)r;
    return (uint64_t)(fabs(x) == INFINITY);
}

/* r, or what it is where x is not a number of finite size. */
static INLINE double or_endless(double x, double r)
{
    const double edge = x == x ? (double)NAN : x + x;
    return fabs(x) < INFINITY ? r : edge;
}

static INLINE double sin_of(double x, quarter_turns q)
{
    const double s = sine_of(q.r), c = cosine_of(q.r);
    return x == 0 ? x : turned(either(q.k, c, s), q.k);
}
static INLINE double core_sin(double x)
{
    return sin_of(x, reduce_angle(x));
}
static INLINE uint64_t odd_sin(double x)
{
    return odd_angle(x);
}
static INLINE double whole_sin(double x)
{
    return or_endless(x, core_sin(x));
}
static INLINE double beyond_sin(double x)
{
    return or_endless(x, sin_of(x, reduce_any_angle(x)));
}

static INLINE double cos_of(double x, quarter_turns q)
{
    (void)x;
    const double s = sine_of(q.r), c = cosine_of(q.r);
    return turned(either(q.k, s, c), q.k + (q.k & 1));
}
static INLINE double core_cos(double x)
{
    return cos_of(x, reduce_angle(x));
}
static INLINE uint64_t odd_cos(double x)
{
    return odd_angle(x);
}
static INLINE double whole_cos(double x)
{
    return or_endless(x, core_cos(x));
}
static INLINE double beyond_cos(double x)
{
    return or_endless(x, cos_of(x, reduce_any_angle(x)));
}

/* a where the sign bit of k is set, else b. */
static INLINE double by_sign(uint64_t k, double a, double b)
{
#if FUSED_IS_FAST
    return (int64_t)k < 0 ? a : b;
#else
    return either(k >> 63, a, b);
#endif
}

/* h.u - h.v is T, the sign of h.w the low bit of k. This and what follows is written so that -0 stays that. */
static INLINE halfway twice_half_tan(quarter_turns q)
{
    const double z = q.r.hi * q.r.hi, lo = fused(0.25 * z, q.r.lo, q.r.lo);
    return (halfway){q.r.hi, fused(-(q.r.hi * z), poly_tan(z), -lo), of_bits(q.k << 63)};
}
static INLINE halfway first_tan(double x)
{
    return twice_half_tan(reduce_angle(x));
}
static INLINE halfway first_beyond_tan(double x)
{
    return twice_half_tan(reduce_any_angle(x));
}
/* What is taken off: t - tlo is T, c - clo is 1 - T^2/4. By software -0 is lost all the same. */
static INLINE double second_tan(double x, halfway h)
{
    const double t = h.u - h.v, tlo = h.v + (t - h.u);
    const double w = -0.25 * t, c = fused(w, t, 1.0), clo = fused(w + w, tlo, fused(-w, t, c - 1.0));
    const uint64_t k = bits_of(h.w);
    const double n = by_sign(k, c, t), nlo = by_sign(k, clo, tlo), d = by_sign(k, t, c), dlo = by_sign(k, tlo, clo);
    const double inverse = 1.0 / d, q = n * inverse;
    const double r = fused(-(fused(q, d, -n) + fused(-q, dlo, nlo)), inverse, q);
    const double turned_r = of_bits(bits_of(r) ^ k);
    return !FUSED_IS_FAST && x == 0 ? x : turned_r;
}
static INLINE uint64_t odd_tan(double x)
{
    return odd_angle(x);
}
static INLINE double second_whole_tan(double x, halfway h)
{
    return or_endless(x, second_tan(x, h));
}

MARKS1(raises_angle)
BEYOND1(sin, ITSELF, raises_angle, far_angle)
BEYOND1(cos, THE_SAME, raises_angle, far_angle)
BEYOND1_HALVES(tan, ITSELF, raises_angle, far_angle)
