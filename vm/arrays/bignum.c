/* Ints of up to 512 bits and doubles, one element at a time: see bignum.h. */
#include "bignum.h"
#include "wide.h"

#include <math.h>

enum { LIMBS = AO_BIG_LIMBS, MOST_FACTORS = 512 };

/* ---- ints ---- */

static void trim(ao_big *a)
{
    a->limbs = (uint8_t)ao_limbs_trim(a->limb, a->limbs);
    a->negative = a->negative && a->limbs;
}

static void set_int(ao_big *to, uint64_t magnitude, int negative)
{
    to->is_real = 0;
    to->limb[0] = magnitude;
    to->limbs = magnitude != 0;
    to->negative = (uint8_t)(negative && magnitude);
}

static int set_real(ao_big *to, double value)
{
    to->is_real = 1;
    to->real = value;
    return 1;
}

/* Puts a limb, if it is not 0, on top of the magnitude. */
static int carry_over(ao_big *a, uint64_t limb)
{
    if (limb && a->limbs == LIMBS)
        return 0;
    if (limb)
        a->limb[a->limbs++] = limb;
    return 1;
}

/* a + b, or a - b if `minus`. */
static int add(ao_big *sum, const ao_big *a, const ao_big *b, int minus)
{
    const int b_negative = minus ? !b->negative : b->negative, alike = a->negative == b_negative;
    const unsigned n = a->limbs, m = b->limbs;
    sum->is_real = 0;
    sum->limbs = (uint8_t)(n > m ? n : m);
    if (alike || !n || !m) {
        sum->negative = (uint8_t)(n ? a->negative : b_negative);
        const int fits = carry_over(sum, ao_limbs_add(sum->limb, a->limb, n, b->limb, m));
        trim(sum);
        return fits;
    }
    const int swap = ao_limbs_compare(a->limb, n, b->limb, m) < 0;
    sum->negative = (uint8_t)(swap ? b_negative : a->negative);
    if (swap)
        ao_limbs_subtract(sum->limb, b->limb, m, a->limb, n);
    else
        ao_limbs_subtract(sum->limb, a->limb, n, b->limb, m);
    trim(sum);
    return 1;
}

static int multiply(ao_big *to, const ao_big *a, const ao_big *b)
{
    uint64_t product[2 * LIMBS];
    ao_limbs_multiply(product, a->limb, a->limbs, b->limb, b->limbs);
    const unsigned n = ao_limbs_trim(product, (unsigned)a->limbs + b->limbs);
    if (n > LIMBS)
        return 0;
    to->is_real = 0;
    to->negative = (uint8_t)(n && a->negative != b->negative);
    to->limbs = (uint8_t)n;
    memcpy(to->limb, product, n * sizeof *product);
    return 1;
}

static int multiply_by(ao_big *a, uint64_t factor)
{
    if (!carry_over(a, ao_limbs_multiply_by(a->limb, a->limbs, factor)))
        return 0;
    trim(a);
    return 1;
}

/* Divides the magnitude; what is left over. */
static uint64_t divide_by(ao_big *a, uint64_t divisor)
{
    const uint64_t left = ao_limbs_divide_by(a->limb, a->limbs, divisor);
    trim(a);
    return left;
}

static int shift_up(ao_big *to, const ao_big *a, uint64_t bits)
{
    if (!a->limbs) {
        set_int(to, 0, 0);
        return 1;
    }
    const uint64_t words = bits / AO_LIMB;
    if (words + a->limbs > LIMBS)
        return 0;
    const uint64_t over = ao_limbs_shift_up(to->limb + words, a->limb, a->limbs, (unsigned)(bits % AO_LIMB));
    memset(to->limb, 0, (size_t)words * sizeof *to->limb);
    to->is_real = 0;
    to->negative = a->negative;
    to->limbs = (uint8_t)(words + a->limbs);
    return carry_over(to, over);
}

static double to_double(const ao_big *a)
{
    if (a->is_real)
        return a->real;
    const double magnitude = ao_limbs_to_double(a->limb, a->limbs, 0);
    return a->negative ? -magnitude : magnitude;
}

/* ---- operations; 0 if the value is not known ---- */

/* Python's quotient, rounded down, and the remainder that goes with it, which has the divisor's sign. */
static int divide(ao_big *to, const ao_big *a, const ao_big *b, int remainder)
{
    if (b->limbs != 1)
        return 0;
    ao_big quotient = *a, one;
    uint64_t left = divide_by(&quotient, b->limb[0]);
    const int unlike = a->negative != b->negative;
    if (remainder) {
        set_int(to, unlike && left ? b->limb[0] - left : left, b->negative);
        return 1;
    }
    set_int(&one, left != 0, 0);
    quotient.negative = 0;
    if (unlike && !add(&quotient, &quotient, &one, 0))
        return 0;
    *to = quotient;
    to->negative = (uint8_t)(unlike && to->limbs);
    return 1;
}

/* Of ints that are doubles: then one rounding is that of the quotient. */
static int true_divide(ao_big *to, const ao_big *a, const ao_big *b)
{
    const uint64_t exact = UINT64_C(1) << 53;
    if (b->limbs != 1 || a->limbs > 1 || b->limb[0] > exact || (a->limbs && a->limb[0] > exact))
        return 0;
    return set_real(to, to_double(a) / to_double(b));
}

static int power(ao_big *to, const ao_big *a, const ao_big *b)
{
    if (b->negative || b->limbs > 1)
        return 0;
    uint64_t n = b->limbs ? b->limb[0] : 0;
    ao_big square = *a;
    set_int(to, 1, 0);
    while (n) {
        if (n & 1 && !multiply(to, to, &square))
            return 0;
        n >>= 1;
        if (n && !multiply(&square, &square, &square))
            return 0;
    }
    return 1;
}

static int least_common_multiple(ao_big *to, const ao_big *a, const ao_big *b)
{
    if (a->limbs > 1 || b->limbs > 1)
        return 0;
    if (!a->limbs || !b->limbs) {
        set_int(to, 0, 0);
        return 1;
    }
    uint64_t x = a->limb[0], y = b->limb[0];
    while (y) {
        const uint64_t rest = x % y;
        x = y;
        y = rest;
    }
    set_int(to, a->limb[0] / x, 0);
    return multiply_by(to, b->limb[0]);
}

/* n (n-1) ... of k factors, divided by k! if `combinations`: what has been multiplied so far is always a multiple. */
static int arrangements(ao_big *to, const ao_big *of, const ao_big *taken, int combinations)
{
    if (of->negative || taken->negative || of->limbs > 1 || taken->limbs > 1)
        return 0;
    const uint64_t n = of->limbs ? of->limb[0] : 0;
    uint64_t k = taken->limbs ? taken->limb[0] : 0;
    set_int(to, k <= n, 0);
    if (k > n)
        return 1;
    if (combinations && k > n - k)
        k = n - k;
    if (k > MOST_FACTORS)
        return 0;
    uint64_t factors = 1; /* of the permutations, as many as one limb holds */
    for (uint64_t i = 0; i < k; i++) {
        if (!combinations && ao_multiply_128(factors, n - i).high == 0) {
            factors *= n - i;
            continue;
        }
        if (!multiply_by(to, combinations ? n - i : factors))
            return 0;
        factors = n - i;
        if (combinations && i)
            divide_by(to, i + 1);
    }
    return combinations || multiply_by(to, factors);
}

static int run_reals(ao_big *to, enum ao_big_op op, double a, double b)
{
    switch (op) {
    case AO_BIG_ADD: return set_real(to, a + b);
    case AO_BIG_SUB: return set_real(to, a - b);
    case AO_BIG_MUL: return set_real(to, a * b);
    case AO_BIG_DIV: return b != 0 && set_real(to, a / b);
    case AO_BIG_NEG: return set_real(to, -a);
    case AO_BIG_ABS: return set_real(to, fabs(a));
    case AO_BIG_FLOAT: return set_real(to, a);
    case AO_BIG_SQRT: return a >= 0 && set_real(to, sqrt(a));
    default: return 0;
    }
}

static int run_ints(ao_big *to, enum ao_big_op op, const ao_big *a, const ao_big *b)
{
    switch (op) {
    case AO_BIG_ADD: return add(to, a, b, 0);
    case AO_BIG_SUB: return add(to, a, b, 1);
    case AO_BIG_MUL: return multiply(to, a, b);
    case AO_BIG_DIV: return true_divide(to, a, b);
    case AO_BIG_FLOORDIV: return divide(to, a, b, 0);
    case AO_BIG_MOD: return divide(to, a, b, 1);
    case AO_BIG_SHL: return !b->negative && b->limbs <= 1 && shift_up(to, a, b->limbs ? b->limb[0] : 0);
    case AO_BIG_POW: return power(to, a, b);
    case AO_BIG_LCM: return least_common_multiple(to, a, b);
    case AO_BIG_COMB: return arrangements(to, a, b, 1);
    case AO_BIG_PERM: return arrangements(to, a, b, 0);
    case AO_BIG_FACTORIAL: return arrangements(to, a, a, 0);
    case AO_BIG_NEG:
    case AO_BIG_ABS:
        *to = *a;
        to->negative = (uint8_t)(op == AO_BIG_NEG && a->limbs && !a->negative);
        return 1;
    default: return 0;
    }
}

/* Which operations have a second operand; b of the others is 0 and means nothing. */
#define SECOND(name, two) [AO_BIG_##name] = two,
static const uint8_t second[] = {AO_BIG_OPS(SECOND)};
#undef SECOND

static int run_step(const ao_big_step *step, const ao_big *params, const ao_big *values, ao_big *to)
{
    const enum ao_big_op op = (enum ao_big_op)step->op;
    switch (op) {
    case AO_BIG_PARAM:
        *to = params[step->a];
        return 1;
    case AO_BIG_INT:
        set_int(to, step->a < 0 ? 0 - (uint64_t)step->a : (uint64_t)step->a, step->a < 0);
        return 1;
    case AO_BIG_REAL:
        to->is_real = 1;
        memcpy(&to->real, &step->a, sizeof to->real);
        return 1;
    default: break;
    }
    const ao_big *a = &values[step->a], *b = &values[step->b];
    if (a->is_real || (second[op] && b->is_real) || op == AO_BIG_FLOAT || op == AO_BIG_SQRT)
        return run_reals(to, op, to_double(a), to_double(b));
    return run_ints(to, op, a, b);
}

int ao_big_check(const ao_big_step *steps, size_t count, size_t params)
{
    if (count == 0 || count > AO_BIG_STEPS || params > AO_BIG_PARAMS)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const ao_big_step *s = &steps[i];
        if (s->op < 0 || s->op >= AO_BIG_OPERATIONS || s->b < 0 || (size_t)s->b > i || (second[s->op] && (size_t)s->b == i))
            return 0;
        if (s->op == AO_BIG_INT || s->op == AO_BIG_REAL)
            continue;
        if (s->a < 0 || (size_t)s->a >= (s->op == AO_BIG_PARAM ? params : i))
            return 0;
    }
    return 1;
}

int ao_big_run(const ao_big_step *steps, size_t count, const ao_big *params, ao_big *values)
{
    for (size_t i = 0; i < count; i++)
        if (!run_step(&steps[i], params, values, &values[i]))
            return 0;
    return 1;
}

/* ---- elements ---- */

#define SIGNED(T) case AO_TYPE_##T: { ao_##T x; memcpy(&x, element, sizeof x); const int64_t v = x; \
    set_int(to, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0); break; }
#define UNSIGNED(T) case AO_TYPE_##T: { ao_##T x; memcpy(&x, element, sizeof x); set_int(to, x, 0); break; }
#define REAL(T) case AO_TYPE_##T: { ao_##T x; memcpy(&x, element, sizeof x); set_real(to, (double)x); break; }

void ao_big_load(ao_big *to, enum ao_type type, const void *element)
{
    switch (type) {
    SIGNED(i8) SIGNED(i16) SIGNED(i32) SIGNED(i64)
    UNSIGNED(b1) UNSIGNED(u8) UNSIGNED(u16) UNSIGNED(u32) UNSIGNED(u64)
    REAL(f32) REAL(f64)
    default: set_int(to, 0, 0); break;
    }
}

#define STORE(T, least, most)                                                                          \
    case AO_TYPE_##T: {                                                                                \
        if (from->is_real || from->limbs > 1 || magnitude > (from->negative ? (least) : (most)))       \
            return 0;                                                                                  \
        const ao_##T x = (ao_##T)(from->negative ? 0 - magnitude : magnitude);                         \
        memcpy(element, &x, sizeof x);                                                                 \
        return 1;                                                                                      \
    }
#define STORE_SIGNED(T, bits) STORE(T, UINT64_C(1) << (bits - 1), (UINT64_C(1) << (bits - 1)) - 1)
#define STORE_UNSIGNED(T) STORE(T, UINT64_C(0), (uint64_t)(ao_##T)~UINT64_C(0))

int ao_big_store(const ao_big *from, enum ao_type type, void *element)
{
    const uint64_t magnitude = !from->is_real && from->limbs ? from->limb[0] : 0;
    switch (type) {
    STORE_SIGNED(i8, 8) STORE_SIGNED(i16, 16) STORE_SIGNED(i32, 32) STORE_SIGNED(i64, 64)
    STORE_UNSIGNED(u8) STORE_UNSIGNED(u16) STORE_UNSIGNED(u32) STORE_UNSIGNED(u64)
    case AO_TYPE_f64: {
        const double x = to_double(from);
        memcpy(element, &x, sizeof x);
        return 1;
    }
    case AO_TYPE_f32: {
        const float x = (float)to_double(from);
        memcpy(element, &x, sizeof x);
        return x - x == 0; /* an overflow is Python's to judge */
    }
    default: return 0;
    }
}
