/* Every kernel of every level against a reference that computes one element at a time in 128-bit integers or in long
 * double, written from the meanings in ops.def and not from the kernels.
 *
 * Each operation gets all pairs of edge values of its operand types and some random ones: as vectors, with each operand
 * uniform, at lengths 0..67, one element off alignment, over its own operands, with and without marks. Where a mark is
 * due the value is free, but must be the same at every level.
 *
 *   test_kernels                  the test
 *   test_kernels digest [level]   a line for each operation, to be compared with another machine's or another compiler's
 */
#include "check.h"
#include "elementary_digests.h"
#include "subnormal.h"
#include "wide.h"

#include <float.h>
#include <math.h>

typedef struct {
    wide i;
    double f;
} num;

enum { MOST = 12000, SLACK = 128 };

static const wide int_edges[] = {
    0, 1, 2, 3, 5, 7, 8, 10, 15, 16, 17, 31, 32, 33, 53, 63, 64, 65, 100, 127, 128, 129, 200, 255, 256, 257, 32767,
    32768, 65535, 65536, 46341, 99999, 2147483647, 2147483648, 4294967295, 4294967296, 3037000499, 3037000500,
    ((wide)1 << 51) - 1, (wide)1 << 51, ((wide)1 << 51) + 1, ((wide)1 << 53) - 1, (wide)1 << 53, ((wide)1 << 53) + 1,
    ((wide)1 << 54) + 2, ((wide)1 << 62) - 1, (wide)1 << 62, ((wide)1 << 63) - 1024, ((wide)1 << 63) - 1, (wide)1 << 63,
    ((wide)1 << 64) - 2048, ((wide)1 << 64) - 1,
};
static const double float_edges[] = {
    0.0, 0.1, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 7.0, 10.0, 0x1p-1074, 3 * 0x1p-1074, 0x1p-1022, 1e-300, 1e-17,
    127.5, 255.0, 0x1p31, 0x1p32, 0x1p49, 0x1p51, 0x1.fffffffffffffp51, 0x1p52, 0x1.fffffffffffffp52, 0x1p53, 0x1p62,
    0x1.fffffffffffffp62, 0x1p63, 0x1p64, 1e17, 1e22, 1e300, 0x1.fffffffffffffp1023, INFINITY, NAN, 0.49999999999999994,
    0.9999999999999999, 4503599627370495.5,
};
enum { INTS = sizeof int_edges / sizeof int_edges[0], FLOATS = sizeof float_edges / sizeof float_edges[0] };

static int is_float(unsigned type)
{
    return type == AO_TYPE_f64 || type == AO_TYPE_f32;
}

static int is_signed(unsigned type)
{
    return type == AO_TYPE_i8 || type == AO_TYPE_i16 || type == AO_TYPE_i32 || type == AO_TYPE_i64;
}

static unsigned width(unsigned type)
{
    return 8u * ao_type_sizes[type];
}

static wide lowest(unsigned type)
{
    return is_signed(type) ? -((wide)1 << (width(type) - 1)) : 0;
}

static wide highest(unsigned type)
{
    return type == AO_TYPE_b1 ? 1 : is_signed(type) ? ((wide)1 << (width(type) - 1)) - 1 : ((wide)1 << width(type)) - 1;
}

static wide wrap(wide v, unsigned type)
{
    const unsigned_wide mask = ((unsigned_wide)1 << width(type)) - 1;
    const wide low = (wide)((unsigned_wide)v & mask);
    return is_signed(type) && low > highest(type) ? low - (wide)mask - 1 : low;
}

static int fits(wide v, unsigned type)
{
    return v >= lowest(type) && v <= highest(type);
}

/* ---- values in memory ---- */

static void put(void *array, size_t i, unsigned type, num v)
{
    char *at = (char *)array + i * ao_type_sizes[type];
    const float f32 = (float)v.f;
    if (type == AO_TYPE_f64)
        memcpy(at, &v.f, 8);
    else if (type == AO_TYPE_f32)
        memcpy(at, &f32, 4);
    else
        put_integer(at, type, (int64_t)(uint64_t)v.i);
}

static num get(const void *array, size_t i, unsigned type)
{
    const char *at = (const char *)array + i * ao_type_sizes[type];
    num v = {0, 0};
    float f32;
    if (type == AO_TYPE_f64) {
        memcpy(&v.f, at, 8);
    } else if (type == AO_TYPE_f32) {
        memcpy(&f32, at, 4);
        v.f = (double)f32;
    } else {
        v.i = wrap(get_integer(at, type), type);
    }
    return v;
}

/* Equal bits, any nan equal to any other. */
static int same(num a, num b, unsigned type)
{
    if (!is_float(type))
        return a.i == b.i;
    return (isnan(a.f) && isnan(b.f)) || (a.f == b.f && !signbit(a.f) == !signbit(b.f));
}

static num random_value(unsigned type, uint64_t *state)
{
    const uint64_t bits = random_u64(state), how = random_u64(state) % 8;
    num v = {0, 0};
    if (is_float(type)) {
        if (how < 3)
            memcpy(&v.f, &bits, 8);
        else
            v.f = ldexp((double)(int64_t)bits, (int)(bits % 9) * 10 - 80);
        if (type == AO_TYPE_f32)
            v.f = (double)(float)v.f;
    } else {
        v.i = type == AO_TYPE_b1 ? (wide)(bits & 1) : wrap((wide)(int64_t)bits >> bits % 64, type);
    }
    return v;
}

/* Fills `values` with the edges of a type; returns their number. */
static size_t edges_of(unsigned type, num *values)
{
    size_t n = 0;
    for (size_t k = 0; is_float(type) && k < FLOATS; k++) {
        values[n++].f = type == AO_TYPE_f32 ? (double)(float)float_edges[k] : float_edges[k];
        values[n].f = -values[n - 1].f;
        n++;
    }
    for (size_t k = 0; !is_float(type) && k < INTS; k++)
        for (wide v = int_edges[k], sign = 1; sign >= -1; sign -= 2)
            if (fits(v * sign, type) && (v || sign > 0))
                values[n++].i = v * sign;
    return n;
}

/* ---- the reference ---- */

static int is(const char *name, const char *other)
{
    return strcmp(name, other) == 0;
}

static double python_mod(double x, double y)
{
    double mod = fmod(x, y);
    if (mod == 0)
        return copysign(0.0, y);
    if ((y < 0) != (mod < 0))
        mod += y;
    return mod;
}

/* Objects/floatobject.c, _float_div_mod. */
static double python_div(double x, double y)
{
    double mod = fmod(x, y), div = (x - mod) / y, whole;
    if (mod != 0 && (y < 0) != (mod < 0))
        div -= 1.0;
    if (div == 0)
        return copysign(0.0, x / y);
    whole = floor(div);
    if (div - whole > 0.5)
        whole += 1.0;
    return whole;
}

static wide floor_div(wide x, wide y)
{
    const wide q = x / y;
    return q * y != x && (x < 0) != (y < 0) ? q - 1 : q;
}

static wide power(wide base, wide exponent, unsigned type, int *mark)
{
    wide r = 1;
    if (exponent < 0) {
        *mark = 1;
        return 0;
    }
    if (base >= -1 && base <= 1)
        return base == 1 || exponent == 0 ? 1 : base == 0 ? 0 : exponent % 2 ? -1 : 1;
    for (; exponent > 0; exponent--) {
        const int far = (base < 0 ? -base : base) > ((wide)1 << 64) / (r < 0 ? -r : r);
        r = far ? (wide)1 << 65 : r * base;
        if (!fits(r, type)) {
            *mark = 1;
            return 0;
        }
    }
    return r;
}

static double nearest(wide v, unsigned type)
{
    return is_signed(type) || type == AO_TYPE_b1 ? (double)(int64_t)v : (double)(uint64_t)v;
}

/* x / y rounded once: 63 bits and more of the quotient, brought down to 62, the last of which stands for all that follow. */
static double true_quotient(wide x, wide y)
{
    unsigned_wide u = (unsigned_wide)(x < 0 ? -x : x), v = (unsigned_wide)(y < 0 ? -y : y);
    int exponent = 0;
    for (; u && u >> 127 == 0; exponent--)
        u <<= 1;
    unsigned_wide q = u / v;
    uint64_t rest = u % v != 0;
    for (; q >> 62; exponent++, q >>= 1)
        rest |= (uint64_t)q & 1;
    const double r = ldexp((double)((uint64_t)q | rest), exponent);
    return (x < 0) != (y < 0) ? -r : r;
}

/* -1, 0 or 1, or nan, as x - b: by the whole part of b, unless it is far from any x. */
static double sign_of_difference(wide x, double b)
{
    if (isnan(b))
        return (double)NAN;
    if (b < -0x1p63 || b >= 0x1p64)
        return b < 0 ? 1 : -1;
    const wide whole = b < 0 ? (wide)(int64_t)floor(b) : (wide)(uint64_t)floor(b);
    return x > whole ? 1 : x < whole || b > floor(b) ? -1 : 0;
}

/* The long double functions of glibc are good references, where long double is more than double. Those of others are not:
 * sinl of mingw errs, and so does powl of musl. There an elementary function of one element by itself is the reference for
 * all other ways to compute it, and its bits must be those of the machines that have a reference: elementary_digests.h. */
#if defined __GLIBC__ && LDBL_MANT_DIG >= 64
enum { HAS_REFERENCE = 1 };
#else
enum { HAS_REFERENCE = 0 };
#endif

/* glibc 2.36's powl(-inf, -0x1p63) is inf. */
static long double long_pow(long double x, long double y)
{
    return isinf(x) ? (long double)pow((double)x, (double)y) : powl(x, y);
}

/* Elementary functions, in long double. */
static const struct {
    const char *name;
    long double (*of1)(long double);
    long double (*of2)(long double, long double);
} elementary[] = {
    {"EXP", expl, NULL}, {"EXP2", exp2l, NULL}, {"EXPM1", expm1l, NULL}, {"LOG", logl, NULL}, {"LOG2", log2l, NULL},
    {"LOG10", log10l, NULL}, {"LOG1P", log1pl, NULL}, {"CBRT", cbrtl, NULL}, {"SIN", sinl, NULL}, {"COS", cosl, NULL},
    {"TAN", tanl, NULL}, {"ASIN", asinl, NULL}, {"ACOS", acosl, NULL}, {"ATAN", atanl, NULL}, {"SINH", sinhl, NULL},
    {"COSH", coshl, NULL}, {"TANH", tanhl, NULL}, {"ASINH", asinhl, NULL}, {"ACOSH", acoshl, NULL},
    {"ATANH", atanhl, NULL}, {"ERF", erfl, NULL}, {"ERFC", erfcl, NULL}, {"POW", NULL, long_pow}, {"POWN", NULL, long_pow},
    {"HYPOT", NULL, hypotl}, {"ATAN2", NULL, atan2l}, {"FMOD", NULL, fmodl}, {"REMAINDER", NULL, remainderl},
};

/* Which of them an operation is, or -1; *checked: whether it is the one that marks. */
static int find_elementary(const char *op, int *checked)
{
    for (*checked = 0; *checked < 2; ++*checked)
        for (size_t i = 0; i < sizeof elementary / sizeof *elementary; i++)
            if (strncmp(op, elementary[i].name, strlen(elementary[i].name)) == 0
                && is(op + strlen(elementary[i].name), *checked ? "_CHECKED" : ""))
                return (int)i;
    return -1;
}

/* Of one element, at the base level. */
static double alone(const ao_op_info *info, double x, double y)
{
    double r = 0;
    ao_isa_find("base")->ops[info - ao_ops](1, &r, &x, &y, &y, 0, NULL);
    return r;
}

static num elementary_ref(const ao_op_info *info, int which, int checked, double x, double y, int *mark)
{
    const int two = elementary[which].of2 != NULL;
    num r = {0, 0};
    if (!HAS_REFERENCE)
        r.f = alone(info, x, y);
    else
        r.f = (double)(two ? elementary[which].of2(x, y) : elementary[which].of1(x));
    const int nans = isnan(x) || (two && isnan(y)), finite = isfinite(x) && (!two || isfinite(y));
    *mark = checked && ((isnan(r.f) && !nans) || (isinf(r.f) && finite));
    return r;
}

/* Whether a result is right: an elementary function may be the double next to the rounded true value. */
static int right(const ao_op_info *info, num got, num want)
{
    int checked;
    const int exact = find_elementary(ao_op_texts[info->row].name, &checked) < 0 || strstr("FMOD_CHECKED REMAINDER_CHECKED", ao_op_texts[info->row].name);
    if (is(ao_op_texts[info->row].name, "DIFF")) /* its sign counts */
        return isnan(want.f) ? isnan(got.f) : (got.f > 0) - (got.f < 0) == want.f;
    return same(got, want, info->dst) || (!exact && nextafter(got.f, want.f) == want.f);
}

/* x rounded to so many digits, by the C library's decimal digits. */
static double round_ref(double x, wide digits)
{
    static char text[1200];
    if (!isfinite(x) || x == 0)
        return x;
    snprintf(text, sizeof text, "%.1100e", x);
    const wide significant = atoi(strchr(text, 'e') + 1) + 1 + digits;
    if (significant < 0)
        return copysign(0.0, x);
    if (significant == 0) {
        snprintf(text, sizeof text, "1e%d", (int)-digits);
        return copysign(fabs(x) > 0.5 * strtod(text, NULL) ? strtod(text, NULL) : 0.0, x);
    }
    snprintf(text, sizeof text, "%.*e", (int)(significant - 1), x);
    return strtod(text, NULL);
}

static num digits_ref(const char *op, double x, double y, wide n, int *mark)
{
    num r = {0, x};
    if (is(op, "ROUND") || is(op, "ROUND_CHECKED")) {
        *mark = is(op, "ROUND_CHECKED") && (n < -22 || n > 22);
        r.f = n < -22 || n > 22 ? x : round_ref(x, n);
    } else if (is(op, "LDEXP")) {
        r.f = ldexp(x, (int)(n < -5000 ? -5000 : n > 5000 ? 5000 : n));
        *mark = isinf(r.f) && isfinite(x);
    } else if (is(op, "NEXTAFTER")) {
        r.f = nextafter(x, y);
    } else if (is(op, "ULP")) {
        const double up = nextafter(fabs(x), INFINITY) - fabs(x);
        r.f = !isfinite(x) ? fabs(x) : isinf(up) ? fabs(x) - nextafter(fabs(x), 0.0) : up;
    } else {
        CHECK(0, "no reference for %s", op);
    }
    return r;
}

static num float_ref(const ao_op_info *info, num a, num b, num c, int *mark)
{
    const char *const op = ao_op_texts[info->row].name;
    const double x = a.f, y = b.f, z = c.f;
    num r = {0, 0};
    int checked;
    const int which = find_elementary(op, &checked);
    if (which >= 0) {
        return elementary_ref(info, which, checked, x, y, mark);
    } else if (is(op, "FIX")) {
        *mark = !(x >= -0x1p63 && x < 0x1p63);
        r.i = *mark ? 0 : (int64_t)x;
    } else if (is(op, "WHOLE")) {
        r.f = x + 0.0, *mark = isnan(x) || isinf(x);
    } else if (is(op, "TO_f32") || is(op, "TO_f64") || is(op, "COPY")) {
        r.f = x;
    } else if (is(op, "ADD")) {
        r.f = x + y;
    } else if (is(op, "SUB")) {
        r.f = x - y;
    } else if (is(op, "MUL")) {
        r.f = x * y;
    } else if (is(op, "MADD") || is(op, "MSUB") || is(op, "NMADD")) {
        const volatile double product = x * y;
        r.f = is(op, "MADD") ? product + z : is(op, "MSUB") ? product - z : z - product;
    } else if (is(op, "ADDM") || is(op, "SUBM")) {
        r.f = (is(op, "ADDM") ? x + y : x - y) * z;
    } else if (is(op, "NEG")) {
        r.f = copysign(x, signbit(x) ? 1.0 : -1.0);
    } else if (is(op, "FABS")) {
        r.f = copysign(x, 1.0);
    } else if (is(op, "DIV") || is(op, "DIV_CHECKED")) {
        r.f = x / y, *mark = is(op, "DIV_CHECKED") && y == 0;
    } else if (is(op, "FLOORDIV") || is(op, "FLOORDIV_CHECKED")) {
        r.f = y == 0 ? x / y : python_div(x, y), *mark = is(op, "FLOORDIV_CHECKED") && y == 0;
    } else if (is(op, "MOD") || is(op, "MOD_CHECKED")) {
        r.f = y == 0 ? NAN : python_mod(x, y), *mark = is(op, "MOD_CHECKED") && y == 0;
    } else if (is(op, "SQUARE_CHECKED")) {
        r.f = x * x, *mark = isinf(r.f) && isfinite(x);
    } else if (is(op, "SQRT") || is(op, "SQRT_CHECKED")) {
        r.f = sqrt(x), *mark = is(op, "SQRT_CHECKED") && x < 0;
    } else if (is(op, "COPYSIGN")) {
        r.f = copysign(x, y);
    } else if (is(op, "FLOOR")) {
        r.f = floor(x);
    } else if (is(op, "CEIL")) {
        r.f = ceil(x);
    } else if (is(op, "TRUNC")) {
        r.f = trunc(x);
    } else if (is(op, "RINT")) {
        r.f = nearbyint(x);
    } else if (is(op, "EQ")) {
        r.i = x == y;
    } else if (is(op, "NE")) {
        r.i = x != y;
    } else if (is(op, "LT")) {
        r.i = x < y;
    } else if (is(op, "LE")) {
        r.i = x <= y;
    } else if (is(op, "ISNAN")) {
        r.i = isnan(x) != 0;
    } else if (is(op, "ISINF")) {
        r.i = isinf(x) != 0;
    } else if (is(op, "ISFIN")) {
        r.i = isfinite(x) != 0;
    } else {
        r = digits_ref(op, x, y, b.i, mark);
    }
    return r;
}

/* n (n-1) ... (n-k+1), divided by 1, 2, ... k; more than 64 bits on the way are a mark. */
static wide falling_ref(wide n, wide k, int divide, int *mark)
{
    wide r = 1;
    *mark = n < 0 || k < 0;
    if (*mark || k > n)
        return 0;
    k = divide && k > n - k ? n - k : k;
    for (wide i = 0; i < k; i++) {
        const unsigned_wide product = (unsigned_wide)r * (unsigned_wide)(n - i);
        if (product > UINT64_MAX) {
            *mark = 1;
            return 0;
        }
        r = (wide)product / (divide ? i + 1 : 1);
    }
    return r;
}

static wide whole_ref(const char *op, wide x, wide y, unsigned type, int *mark)
{
    const wide u = x < 0 ? -x : x, v = y < 0 ? -y : y;
    wide r = 0;
    if (is(op, "BIT_COUNT")) {
        for (wide left = u; left; left >>= 1)
            r += left & 1;
    } else if (is(op, "BIT_LENGTH")) {
        for (wide left = u; left; left >>= 1)
            r++;
    } else if (is(op, "GCD") || is(op, "LCM")) {
        wide g = u, other = v;
        while (other) {
            const wide rest = g % other;
            g = other, other = rest;
        }
        r = is(op, "GCD") ? g : g ? (wide)((unsigned_wide)(u / g) * (unsigned_wide)v) : 0; /* fits without sign */
    } else if (is(op, "ISQRT")) {
        *mark = x < 0;
        for (wide bit = (wide)1 << 32; bit && !*mark; bit >>= 1)
            r += (r + bit) * (r + bit) <= x ? bit : 0;
    } else if (is(op, "FACTORIAL")) {
        *mark = x < 0 || x > 20;
        r = 1;
        for (wide i = 2; i <= x && !*mark; i++)
            r *= i;
    } else if (is(op, "COMB") || is(op, "PERM")) {
        r = falling_ref(x, y, is(op, "COMB"), mark);
    } else {
        CHECK(0, "no reference for %s", op);
    }
    *mark |= !fits(r, type);
    return *mark ? 0 : r;
}

static wide shift_ref(const char *op, wide x, wide y, unsigned type, int *mark)
{
    const int inside = y >= 0 && y < (wide)width(type);
    if (is(op, "SHL"))
        return inside ? wrap((wide)((unsigned_wide)x << y), type) : 0;
    if (is(op, "SHL_CHECKED")) {
        *mark = !inside || !fits((wide)((unsigned_wide)x << y), type);
        return *mark ? 0 : (wide)((unsigned_wide)x << y);
    }
    *mark = is(op, "SHR_CHECKED") && y < 0;
    return y < 0 ? x : inside ? x >> y : x < 0 ? -1 : 0;
}

/* The conversions TO_x and FIT_x, whose name holds the target. */
static num convert_ref(const char *op, unsigned type, unsigned dst, num a, int *mark)
{
    num r = {0, 0};
    if (is_float(dst))
        r.f = is_float(type) ? a.f : nearest(a.i, type);
    else
        r.i = wrap(a.i, dst);
    *mark = strncmp(op, "FIT_", 4) == 0 && !fits(a.i, dst);
    return r;
}

static num int_ref(const char *op, unsigned type, num a, num b, int *mark)
{
    const wide x = a.i, y = b.i;
    num r = {0, 0};
    if (is(op, "COPY")) {
        r.i = x;
    } else if (is(op, "ADD") || is(op, "ADD_CHECKED")) {
        r.i = wrap(x + y, type), *mark = is(op, "ADD_CHECKED") && !fits(x + y, type);
    } else if (is(op, "SUB") || is(op, "SUB_CHECKED")) {
        r.i = wrap(x - y, type), *mark = is(op, "SUB_CHECKED") && !fits(x - y, type);
    } else if (is(op, "MUL") || is(op, "MUL_CHECKED")) {
        const wide p = (wide)((unsigned_wide)x * (unsigned_wide)y);
        const int over = !fits(p, type) || (x != 0 && p / x != y) || (x == -1 && p != -y);
        r.i = wrap(p, type), *mark = is(op, "MUL_CHECKED") && over;
    } else if (is(op, "ADD_WIDE")) {
        r.i = x + y;
    } else if (is(op, "SUB_WIDE")) {
        r.i = x - y;
    } else if (is(op, "MUL_WIDE")) {
        r.i = x * y;
    } else if (is(op, "ABS")) {
        r.i = wrap(x < 0 ? -x : x, type);
    } else if (is(op, "FLOORDIV_CHECKED")) {
        *mark = y == 0 || !fits(floor_div(x, y), type);
        r.i = *mark ? 0 : floor_div(x, y);
    } else if (is(op, "MOD_CHECKED")) {
        *mark = y == 0;
        r.i = *mark ? 0 : x - floor_div(x, y) * y;
    } else if (is(op, "TRUEDIV")) {
        *mark = y == 0;
        r.f = *mark ? 0.0 : true_quotient(x, y);
    } else if (is(op, "IPOW")) {
        r.i = power(x, y, type, mark);
    } else if (is(op, "AND")) {
        r.i = x & y;
    } else if (is(op, "OR")) {
        r.i = x | y;
    } else if (is(op, "XOR")) {
        r.i = x ^ y;
    } else if (is(op, "NOT")) {
        r.i = 1 - x;
    } else if (strncmp(op, "SH", 2) == 0) {
        r.i = shift_ref(op, x, y, type, mark);
    } else if (is(op, "EQ")) {
        r.i = x == y;
    } else if (is(op, "NE")) {
        r.i = x != y;
    } else if (is(op, "LT")) {
        r.i = x < y;
    } else if (is(op, "LE")) {
        r.i = x <= y;
    } else if (is(op, "DIFF")) {
        r.f = sign_of_difference(x, b.f);
    } else if (is(op, "FAIL")) {
        r.i = *mark = 1;
    } else {
        r.i = whole_ref(op, x, y, type, mark);
    }
    return r;
}

static num reference(const ao_op_info *info, num a, num b, num c, int *mark)
{
    *mark = 0;
    if (is(ao_op_texts[info->row].name, "SEL"))
        return a.i ? b : c;
    if (strncmp(ao_op_texts[info->row].name, "TO_", 3) == 0 || strncmp(ao_op_texts[info->row].name, "FIT_", 4) == 0)
        return convert_ref(ao_op_texts[info->row].name, info->type, info->dst, a, mark);
    if (is_float(info->type))
        return float_ref(info, a, b, c, mark);
    return int_ref(ao_op_texts[info->row].name, info->type, a, b, mark);
}

/* ---- one operation ---- */

typedef struct {
    const ao_op_info *info;
    unsigned op;
    size_t n;
    unsigned uniform; /* those operands are their first element throughout */
    _Alignas(64) char a[8 * (MOST + SLACK)], b[8 * (MOST + SLACK)], c[8 * (MOST + SLACK)];
    num want[MOST];
    uint8_t mark[MOST];
} cases;

static unsigned type_or(unsigned type)
{
    return type == AO_TYPE_NONE ? (unsigned)AO_TYPE_b1 : type;
}

static void compute_want(cases *k)
{
    const ao_op_info *info = k->info;
    for (size_t i = 0; i < k->n; i++) {
        int mark;
        const num a = get(k->a, k->uniform & 1 ? 0 : i, type_or(info->a));
        const num b = get(k->b, k->uniform & 2 ? 0 : i, type_or(info->b));
        const num c = get(k->c, k->uniform & 4 ? 0 : i, type_or(info->c));
        k->want[i] = reference(info, a, b, c, &mark);
        k->mark[i] = (uint8_t)mark;
        if (info->dst == AO_TYPE_f32)
            k->want[i].f = (double)(float)k->want[i].f;
    }
}

/* What the processor is told about floats: rounding, traps, whether subnormal numbers are dropped. Not what it has met. */
static uint64_t float_control(void)
{
#if defined __SSE2__
    return _mm_getcsr() & ~UINT32_C(0x3F);
#elif defined __aarch64__
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return control;
#else
    return 0;
#endif
}

/* Calls a kernel as a run does, which has met no subnormal number yet: after one, kernels choose other code. */
static unsigned call(const ao_isa *isa, unsigned op, size_t n, void *d, const void *a, const void *b, const void *c,
                     unsigned uniform, uint8_t *mark)
{
    ao_subnormal_forget();
    const uint64_t before = float_control();
    const unsigned flag = isa->ops[op](n, d, a, b, c, uniform, mark);
    CHECK(float_control() == before, "%s %s leaves the processor told something else about floats", isa->name,
          ao_op_texts[ao_ops[op].row].name);
    return flag;
}

/* Runs elements from..from+n-1 into `d` and compares. over: 0 into a fresh place, 1 2 3 in place of a b c. */
static void run_slice(const ao_isa *isa, const cases *k, size_t from, size_t n, int over, int with_mark)
{
    static _Alignas(64) char a[8 * (MOST + SLACK)], b[8 * (MOST + SLACK)], c[8 * (MOST + SLACK)];
    static _Alignas(64) char fresh[8 * (MOST + SLACK)];
    static uint8_t mark[MOST + SLACK];
    const ao_op_info *info = k->info;
    char *const copies[4] = {fresh, a, b, c};
    const unsigned sizes[4] = {ao_type_sizes[info->dst], ao_type_sizes[type_or(info->a)],
                               ao_type_sizes[type_or(info->b)], ao_type_sizes[type_or(info->c)]};
    const char *const sources[4] = {NULL, k->a, k->b, k->c};
    char *at[4];
    memset(fresh, 0xA5, 8 * (n + from + SLACK));
    memset(mark, 0xA5, n + SLACK);
    for (unsigned j = 0; j < 4; j++)
        at[j] = copies[j] + (j && k->uniform >> (j - 1) & 1 ? 0 : from * sizes[j]);
    for (unsigned j = 1; j < 4; j++)
        memcpy(copies[j], sources[j], sizes[j] * (from + n + SLACK / 2));
    char *const d = at[over];
    char tail[64], *const end = d + n * sizes[0];
    static char before[8 * (MOST + SLACK)];
    memcpy(before, d, n * sizes[0]);
    memcpy(tail, end, sizeof tail);
    const unsigned flag = call(isa, k->op, n, d, at[1], at[2], at[3], k->uniform, with_mark ? mark : NULL);
    const char *type = ao_type_names[info->type];
    unsigned any = 0, left = 0;
    for (size_t i = 0; i < n; i++)
        left |= info->leaves && k->mark[from + i];
    for (size_t i = 0; i < n; i++) {
        any |= k->mark[from + i];
        if (with_mark)
            CHECK(mark[i] == k->mark[from + i], "%s %s_%s element %zu of %zu+%zu uniform %u mark %d", isa->name,
                  ao_op_texts[info->row].name, type, i, from, n, k->uniform, mark[i]);
        const int kept = any && info->leaves && !with_mark; /* it may have written less before that, too */
        const int untouched = memcmp(d + i * sizes[0], before + i * sizes[0], sizes[0]) == 0;
        CHECK(!kept || untouched, "%s %s element %zu of %zu+%zu over %d is behind one to mark", isa->name, ao_op_texts[info->row].name, i, from, n,
              over);
        if (!kept && !k->mark[from + i] && !(untouched && left && !with_mark))
            CHECK(right(info, get(d, i, info->dst), k->want[from + i]),
                  "%s %s_%s element %zu of %zu+%zu uniform %u over %d", isa->name, ao_op_texts[info->row].name, type, i, from, n,
                  k->uniform, over);
    }
    CHECK((flag != 0) == (any != 0), "%s %s_%s flag %u of %zu+%zu", isa->name, ao_op_texts[info->row].name, type, flag, from, n);
    CHECK(memcmp(tail, end, sizeof tail) == 0, "%s %s wrote past its end", isa->name, ao_op_texts[info->row].name);
    CHECK(mark[with_mark ? n : 0] == 0xA5, "%s %s wrote past its marks", isa->name, ao_op_texts[info->row].name);
}

/* Marked elements too: the same bits as the base level. */
static void compare_levels(const cases *k)
{
    static uint8_t marks[MOST];
    uint8_t *const mark = k->info->leaves ? marks : NULL;
    static _Alignas(64) char base[8 * MOST], other[8 * MOST];
    const ao_isa *first = ao_isa_find("base");
    call(first, k->op, k->n, base, k->a, k->b, k->c, k->uniform, mark);
    for (const char *const *name = ao_isa_names + 1; *name; name++) {
        const ao_isa *isa = ao_isa_find(*name);
        if (!isa)
            continue;
        call(isa, k->op, k->n, other, k->a, k->b, k->c, k->uniform, mark);
        for (size_t i = 0; i < k->n; i++)
            CHECK(same(get(base, i, k->info->dst), get(other, i, k->info->dst), k->info->dst),
                  "%s %s_%s differs at %zu", *name, ao_op_texts[k->info->row].name, ao_type_names[k->info->type], i);
    }
}

/* Each element in a call of its own: some kernels treat many elements in one way as soon as one of them needs it. */
static void check_alone(const ao_isa *isa, const cases *k)
{
    const ao_op_info *info = k->info;
    const size_t sizes[3] = {ao_type_sizes[type_or(info->a)], ao_type_sizes[type_or(info->b)],
                             ao_type_sizes[type_or(info->c)]};
    for (size_t i = 0; i < k->n; i++) {
        uint64_t d = 0;
        const unsigned flag = call(isa, k->op, 1, &d, k->a + (k->uniform & 1 ? 0 : i * sizes[0]),
                                   k->b + (k->uniform & 2 ? 0 : i * sizes[1]),
                                   k->c + (k->uniform & 4 ? 0 : i * sizes[2]), k->uniform, NULL);
        CHECK((flag != 0) == (k->mark[i] != 0), "%s %s_%s element %zu alone: flag %u", isa->name, ao_op_texts[info->row].name,
              ao_type_names[info->type], i, flag);
        CHECK(k->mark[i] || right(info, get(&d, 0, info->dst), k->want[i]), "%s %s_%s element %zu alone, uniform %u",
              isa->name, ao_op_texts[info->row].name, ao_type_names[info->type], i, k->uniform);
    }
}

static void check_all_levels(const cases *k, int short_too)
{
    const unsigned dst = ao_type_sizes[k->info->dst];
    const unsigned operands[3] = {k->info->a, k->info->b, k->info->c};
    for (const char *const *name = ao_isa_names; *name; name++) {
        const ao_isa *isa = ao_isa_find(*name);
        if (!isa)
            continue;
        check_alone(isa, k);
        for (int with_mark = 0; with_mark <= k->info->faults; with_mark++) {
            run_slice(isa, k, 0, k->n, 0, with_mark);
            for (unsigned j = 0; j < 3; j++)
                if (operands[j] != AO_TYPE_NONE && ao_type_sizes[operands[j]] == dst && !(k->uniform >> j & 1))
                    run_slice(isa, k, 0, k->n, (int)j + 1, with_mark);
            for (size_t n = 0; short_too && n < 68; n++)
                for (size_t from = 0; from < 2; from++)
                    run_slice(isa, k, from + n * 31 % (k->n - 70), n, 0, with_mark);
        }
    }
    compare_levels(k);
}

/* Elements: all combinations of edges as far as there is room, then random ones. */
static void fill(cases *k, uint64_t *state)
{
    static num ea[3][256];
    size_t count[3] = {1, 1, 1};
    const unsigned types[3] = {type_or(k->info->a), type_or(k->info->b), type_or(k->info->c)};
    char *const arrays[3] = {k->a, k->b, k->c};
    for (int j = 0; j < 3; j++)
        count[j] = edges_of(types[j], ea[j]);
    if (k->info->b == AO_TYPE_NONE)
        count[1] = 1;
    const size_t pairs = count[0] * count[1], step = pairs > MOST - 500 ? 7 : 1;
    for (size_t i = 0; i < MOST + SLACK; i++)
        for (int j = 0; j < 3; j++) {
            const size_t p = i * step % pairs + i * step / pairs;
            const size_t e = j == 0 ? p % count[0] : j == 1 ? p / count[0] % count[1] : (p + i / 3) % count[2];
            put(arrays[j], i, types[j], i < pairs && i < MOST - 500 ? ea[j][e] : random_value(types[j], state));
        }
    k->n = k->info->b == AO_TYPE_NONE && pairs < 400 ? 700 : MOST;
}

/* What a uniform operand is: the edges, and for pown all that it multiplies out and a little more. */
static size_t uniform_values(const ao_op_info *info, unsigned operand, num *values)
{
    const unsigned types[3] = {info->a, info->b, info->c};
    size_t n = edges_of(types[operand], values);
    for (int halves = -66; operand == 1 && strncmp(ao_op_texts[info->row].name, "POWN", 4) == 0 && halves <= 66; halves++)
        values[n++].f = halves / 2.0;
    return n;
}

static void check_uniforms(cases *k)
{
    const unsigned types[3] = {k->info->a, k->info->b, k->info->c};
    char *const arrays[3] = {k->a, k->b, k->c};
    unsigned all = 0;
    for (unsigned j = 0; j < 3; j++)
        all |= types[j] != AO_TYPE_NONE ? 1u << j : 0;
    k->n = 200;
    for (k->uniform = 1; k->uniform <= all; k->uniform++) {
        if (k->uniform & ~all || (k->uniform == all && !k->info->spreads))
            continue;
        static num edges[300];
        for (unsigned j = 0; j < 3; j++) {
            if (!(k->uniform >> j & 1))
                continue;
            const size_t count = uniform_values(k->info, j, edges);
            for (size_t e = 0; e < count; e++) {
                put(arrays[j], 0, types[j], edges[e]);
                compute_want(k);
                check_all_levels(k, e == 0);
            }
        }
    }
}

/* HORNER's b and c are addresses of its first and last coefficient. */
static void check_horner(uint64_t *state)
{
    enum { N = 1000 };
    static double a[N + 8], d[N + 8], k[40];
    for (const char *const *name = ao_isa_names; *name; name++) {
        const ao_isa *isa = ao_isa_find(*name);
        for (unsigned degree = 1; isa && degree < 40; degree++)
            for (size_t n = 0; n < N; n = n < 70 ? n + 1 : n * 3) {
                for (size_t i = 0; i < n + 8; i++)
                    a[i] = random_value(AO_TYPE_f64, state).f, d[i] = -7.0;
                for (unsigned j = 0; j <= degree; j++)
                    k[j] = (double)(*state % 1000) / 8.0 - j, random_value(AO_TYPE_f64, state);
                const int in_place = (int)(degree & 1);
                double *const to = in_place ? a : d, last = to[n];
                static double want[N];
                for (size_t i = 0; i < n; i++) {
                    volatile double r = k[0];
                    for (unsigned j = 1; j <= degree; j++) {
                        r = r * a[i];
                        r = r + k[j];
                    }
                    want[i] = r;
                }
                CHECK(isa->ops[AO_OP_HORNER_f64](n, to, a, k, k + degree, 6, NULL) == 0, "HORNER faults");
                for (size_t i = 0; i < n; i++)
                    CHECK(same((num){0, to[i]}, (num){0, want[i]}, AO_TYPE_f64), "%s HORNER degree %u element %zu of %zu",
                          *name, degree, i, n);
                CHECK(memcmp(&last, &to[n], sizeof last) == 0, "HORNER wrote past its end");
            }
    }
}

static int is_look_up(unsigned op)
{
    return ao_ops[op].b >= AO_TABLE_OF && ao_ops[op].b != AO_TYPE_NONE;
}

/* TAKE's b is a slot with the address of a table: of every length and type, with indices inside, at both ends and past them. */
static void check_take(unsigned op, uint64_t *state)
{
    enum { N = 200, LONGEST = 40 };
    const ao_op_info *info = &ao_ops[op];
    static _Alignas(64) char elements[8 * LONGEST], d[8 * N + 8];
    static int64_t a[N];
    static uint8_t mark[N];
    for (size_t i = 0; i < LONGEST; i++)
        put(elements, i, info->dst, random_value(info->dst, state));
    for (int64_t count = 0; count <= LONGEST; count++)
        for (const char *const *name = ao_isa_names; *name; name++) {
            const ao_isa *isa = ao_isa_find(*name);
            const ao_table table = {elements, (size_t)count}, *slot = &table;
            unsigned any = 0;
            for (size_t i = 0; i < N; i++) {
                a[i] = (int64_t)(i % 100) - 50;
                a[i] = i % 31 ? a[i] : i % 2 ? INT64_MIN : INT64_MAX;
                any |= a[i] < -count || a[i] >= count;
            }
            if (!isa)
                continue;
            CHECK(isa->ops[op](N, d, a, &slot, NULL, 2, NULL) == any, "%s TAKE of %d: flag", *name, (int)count);
            CHECK(isa->ops[op](N, d, a, &slot, NULL, 2, mark) == any, "%s TAKE of %d: flag", *name, (int)count);
            for (size_t i = 0; i < N; i++) {
                const int bad = a[i] < -count || a[i] >= count;
                CHECK(mark[i] == bad, "%s TAKE %lld of %d: mark %d", *name, (long long)a[i], (int)count, mark[i]);
                if (!bad)
                    CHECK(same(get(d, i, info->dst), get(elements, (size_t)(a[i] + (a[i] < 0 ? count : 0)), info->dst),
                               info->dst), "%s TAKE %lld of %d", *name, (long long)a[i], (int)count);
            }
        }
}

/* ---- digests ---- */

static uint64_t mix(uint64_t digest, uint64_t bits)
{
    uint64_t state = digest ^ bits;
    return random_u64(&state);
}

/* Depends on the name alone, so that an operation's cases do not depend on which others there are. */
static uint64_t seed_of(const ao_op_info *info)
{
    uint64_t seed = info->type;
    for (const char *c = ao_op_texts[info->row].name; *c; c++)
        seed = mix(seed, (unsigned char)*c);
    return seed;
}

/* Of the marks and of the values without mark; all nans alike. */
static uint64_t digest_of(const cases *k, const ao_isa *isa)
{
    static _Alignas(64) char d[8 * MOST];
    static uint8_t mark[MOST];
    uint64_t digest = 0;
    memset(mark, 0, k->n);
    isa->ops[k->op](k->n, d, k->a, k->b, k->c, 0, k->info->faults ? mark : NULL);
    for (size_t i = 0; i < k->n; i++) {
        const num v = get(d, i, k->info->dst);
        const double f = isnan(v.f) ? (double)NAN : v.f;
        uint64_t bits = (uint64_t)v.i;
        if (is_float(k->info->dst))
            memcpy(&bits, &f, sizeof bits);
        digest = mix(digest, mark[i] ? UINT64_MAX : bits);
    }
    return digest;
}

/* Elementary functions have the bits that they have elsewhere. */
static void check_digest(const cases *k)
{
    const uint64_t digest = digest_of(k, ao_isa_find("base"));
    int checked;
    if (find_elementary(ao_op_texts[k->info->row].name, &checked) < 0)
        return;
    for (size_t i = 0; i < sizeof elementary_digests / sizeof *elementary_digests; i++)
        if (is(elementary_digests[i].op, ao_op_texts[k->info->row].name)) {
            CHECK(digest == elementary_digests[i].digest, "{\"%s\", UINT64_C(0x%016llx)},", ao_op_texts[k->info->row].name,
                  (unsigned long long)digest);
            return;
        }
    CHECK(0, "no {\"%s\", UINT64_C(0x%016llx)},", ao_op_texts[k->info->row].name, (unsigned long long)digest);
}

static void prepare(cases *k, unsigned op)
{
    uint64_t state = seed_of(&ao_ops[op]);
    k->op = op;
    k->info = &ao_ops[op];
    k->uniform = 0;
    fill(k, &state);
}

static int print_digests(cases *k, const char *level)
{
    const ao_isa *isa = ao_isa_find(level);
    for (unsigned op = 0; isa && op < AO_NOPS; op++) {
        if (ao_ops[op].run || is_look_up(op))
            continue;
        prepare(k, op);
        printf("%s_%s %016llx\n", ao_op_texts[k->info->row].name, ao_type_names[k->info->type], (unsigned long long)digest_of(k, isa));
    }
    return !isa;
}

int main(int count, char **arguments)
{
    static cases k;
    uint64_t state = 1;
    if (count > 1 && is(arguments[1], "digest"))
        return print_digests(&k, count > 2 ? arguments[2] : NULL) || check_failures;
    check_horner(&state);
    for (unsigned op = 0; op < AO_NOPS; op++) {
        if (is_look_up(op))
            check_take(op, &state);
        if (ao_ops[op].run || is_look_up(op))
            continue;
        prepare(&k, op);
        check_digest(&k);
        compute_want(&k);
        check_all_levels(&k, 1);
        check_uniforms(&k);
    }
    CHECK(ao_isa_find("base") && !ao_isa_find("nonsense") && ao_isa_find(NULL), "levels");
    return check_result("test_kernels");
}
