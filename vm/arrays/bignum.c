/* Ints of up to 512 bits and doubles, one element at a time: see bignum.h. */
#include "bignum.h"
#include "../portable.h"

#include <math.h>
#include <string.h>

enum { LIMBS = AO_BIG_LIMBS, LIMB = 64, MOST_FACTORS = 512 };

/* ---- magnitudes ---- */

static void trim(ao_big *a)
{
    while (a->limbs && a->limb[a->limbs - 1] == 0)
        a->limbs--;
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

static int is_below(const ao_big *a, const ao_big *b)
{
    if (a->limbs != b->limbs)
        return a->limbs < b->limbs;
    for (int i = a->limbs - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i];
    return 0;
}

static int add_magnitudes(ao_big *sum, const ao_big *a, const ao_big *b)
{
    uint64_t carry = 0;
    const unsigned n = a->limbs > b->limbs ? a->limbs : b->limbs;
    for (unsigned i = 0; i < n; i++) {
        const uint64_t x = i < a->limbs ? a->limb[i] : 0, y = i < b->limbs ? b->limb[i] : 0, low = x + carry;
        sum->limb[i] = low + y;
        carry = (low < x) | (sum->limb[i] < y);
    }
    sum->limbs = (uint8_t)n;
    if (!carry)
        return 1;
    if (n == LIMBS)
        return 0;
    sum->limb[n] = carry;
    sum->limbs++;
    return 1;
}

/* a - b, of which b is not the larger one. */
static void subtract_magnitudes(ao_big *rest, const ao_big *a, const ao_big *b)
{
    uint64_t borrow = 0;
    for (unsigned i = 0; i < a->limbs; i++) {
        const uint64_t x = a->limb[i], y = i < b->limbs ? b->limb[i] : 0, low = x - y;
        rest->limb[i] = low - borrow;
        borrow = (x < y) | (low < borrow);
    }
    rest->limbs = a->limbs;
}

/* a + b, or a - b if `minus`. */
static int add(ao_big *sum, const ao_big *a, const ao_big *b, int minus)
{
    const int b_negative = minus ? !b->negative : b->negative, alike = a->negative == b_negative;
    sum->is_real = 0;
    if (alike || !a->limbs || !b->limbs) {
        const int negative = a->limbs ? a->negative : b_negative, fits = add_magnitudes(sum, a, b);
        sum->negative = (uint8_t)negative;
        trim(sum);
        return fits;
    }
    const int swap = is_below(a, b);
    subtract_magnitudes(sum, swap ? b : a, swap ? a : b);
    sum->negative = (uint8_t)(swap ? b_negative : a->negative);
    trim(sum);
    return 1;
}

static int multiply(ao_big *to, const ao_big *a, const ao_big *b)
{
    uint64_t product[2 * LIMBS];
    unsigned n = a->limbs + b->limbs;
    memset(product, 0, n * sizeof *product);
    for (unsigned i = 0; i < a->limbs; i++) {
        uint64_t carry = 0;
        for (unsigned j = 0; j < b->limbs; j++) {
            ao_128 sum = ao_add_128(ao_multiply_128(a->limb[i], b->limb[j]), (ao_128){product[i + j], 0});
            sum = ao_add_128(sum, (ao_128){carry, 0});
            product[i + j] = sum.low;
            carry = sum.high;
        }
        product[i + b->limbs] = carry;
    }
    while (n && product[n - 1] == 0)
        n--;
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
    uint64_t carry = 0;
    for (unsigned i = 0; i < a->limbs; i++) {
        const ao_128 product = ao_add_128(ao_multiply_128(a->limb[i], factor), (ao_128){carry, 0});
        a->limb[i] = product.low;
        carry = product.high;
    }
    if (carry && a->limbs == LIMBS)
        return 0;
    if (carry)
        a->limb[a->limbs++] = carry;
    trim(a);
    return 1;
}

/* Divides the magnitude; what is left over. */
static uint64_t divide_by(ao_big *a, uint64_t divisor)
{
    uint64_t left = 0;
    for (int i = a->limbs - 1; i >= 0; i--)
        a->limb[i] = ao_divide_128(left, a->limb[i], divisor, &left);
    trim(a);
    return left;
}

static int shift_up(ao_big *to, const ao_big *a, uint64_t bits)
{
    if (!a->limbs) {
        set_int(to, 0, 0);
        return 1;
    }
    const uint64_t words = bits / LIMB;
    const unsigned up = (unsigned)(bits % LIMB);
    const uint64_t over = up ? a->limb[a->limbs - 1] >> (LIMB - up) : 0;
    if (words + a->limbs + (over != 0) > LIMBS)
        return 0;
    to->is_real = 0;
    to->negative = a->negative;
    to->limbs = (uint8_t)(words + a->limbs);
    memset(to->limb, 0, (size_t)words * sizeof *to->limb);
    for (unsigned i = 0; i < a->limbs; i++)
        to->limb[words + i] = a->limb[i] << up | (up && i ? a->limb[i - 1] >> (LIMB - up) : 0);
    if (over)
        to->limb[to->limbs++] = over;
    return 1;
}

/* The nearest double, ties to even: of the 64 bits from the highest on the last one says whether anything is behind them. */
static double to_double(const ao_big *a)
{
    if (a->is_real)
        return a->real;
    if (!a->limbs)
        return 0;
    const unsigned top = a->limbs - 1u, up = ao_leading_zeros(a->limb[top]);
    uint64_t bits = a->limb[top] << up, rest = 0;
    if (top && up) {
        bits |= a->limb[top - 1] >> (LIMB - up);
        rest = a->limb[top - 1] << up;
    } else if (top) {
        rest = a->limb[top - 1];
    }
    for (unsigned i = 0; i + 1 < top; i++)
        rest |= a->limb[i];
    const uint64_t kept = bits >> 11, tail = bits & 2047, half = 1024;
    const double rounded = (double)(kept + (tail > half || (tail == half && (rest || kept & 1))));
    const uint64_t power = (uint64_t)(1023 + 11 + (int)(top * LIMB) - (int)up) << 52;
    double scale;
    memcpy(&scale, &power, sizeof scale);
    return a->negative ? -rounded * scale : rounded * scale;
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
