/* Sums, squares, products and extremes of blocks that are in cache, so that memory is read once for all of them.
 *
 * Doubles are multiplied into a rounded product and its exact error, which are extracted as they come (a kernel). Where that
 * does not hold, and the sizes are moderate, both are added up exactly (float_sum.c). Products that would lose bits that way,
 * and integers, are multiplied as integers.
 */
#include "moments.h"
#include "../portable.h"
#include "reduce.h"

#include <math.h>
#include <string.h>

enum { BLOCK = AO_EXTRACT_BLOCK };

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    return bits;
}

/* ---- products of doubles ---- */

void ao_products_start(ao_products *sum, const ao_isa *isa)
{
    memset(sum, 0, sizeof *sum);
    ao_float_sum_start(&sum->high, isa->reductions, 0);
    ao_float_sum_start(&sum->low, isa->reductions, 0);
}

static void carry_wide(ao_products *sum)
{
    ao_digits_carry(sum->wide, 0, AO_WIDE_DIGITS - 1);
    sum->wide_used = 0;
}

/* Adds the product of two finite doubles as integers, in units of 2^-2148. */
static void multiply_wide(ao_products *sum, double x, double y)
{
    const uint64_t a = bits_of(x), b = bits_of(y);
    const unsigned ea = a >> 52 & 0x7FF, eb = b >> 52 & 0x7FF;
    const uint64_t ma = (a & 0xFFFFFFFFFFFFF) | (uint64_t)(ea != 0) << 52;
    const uint64_t mb = (b & 0xFFFFFFFFFFFFF) | (uint64_t)(eb != 0) << 52;
    const unsigned bit = ea - (ea != 0) + eb - (eb != 0), shift = bit % 32;
    const int64_t sign = (a ^ b) >> 63 ? -1 : 1;
    const ao_128 product = ao_multiply_128(ma, mb);
    const uint64_t words[] = {(uint32_t)product.low, product.low >> 32, (uint32_t)product.high, product.high >> 32};
    int64_t *digit = sum->wide + bit / 32;
    for (int i = 0; i < 4; i++) {
        const uint64_t word = words[i] << shift;
        digit[i] += sign * (int64_t)(uint32_t)word;
        digit[i + 1] += sign * (int64_t)(word >> 32);
    }
    if (++sum->wide_used == 1 << 29)
        carry_wide(sum);
}

/* Whether all numbers are zeros or of a size whose products keep all their bits in two doubles. */
static int is_moderate(const ao_products *sum, const double *x, size_t n)
{
    uint64_t largest, smallest;
    sum->high.kernels->survey(n, x, &largest, &smallest);
    return largest < (uint64_t)(470 + 1023) << 52 && smallest >= (uint64_t)(1023 - 485) << 52;
}

static int are_moderate(const ao_products *sum, const double *a, const double *b, size_t n)
{
    return is_moderate(sum, a, n) && (a == b || is_moderate(sum, b, n));
}

enum { STEP = AO_EXTRACT_STEP, FEW = STEP / 2 };

/* Adds n products by extraction, a whole number of steps. 0 if that does not hold for them; then the next blocks are not
 * even tried. A product of 0 may be one that was too small, unless all factors are moderate. */
static int extract(ao_products *sum, const double *a, const double *b, size_t n)
{
    ao_extraction result;
    if (ao_pause_pass(&sum->pause))
        return 0;
    if (ao_float_sum_extract_products(&sum->high, a, b, n, &result)
        && (result.smallest >= 0x1p-960 || are_moderate(sum, a, b, n))) {
        ao_float_sum_add_taken(&sum->high, result.taken, 3);
        ao_pause_shorten(&sum->pause);
        return 1;
    }
    ao_pause_start(&sum->pause);
    return 0;
}

static void add_otherwise(ao_products *sum, const double *a, const double *b, size_t n)
{
    double high[BLOCK], low[BLOCK];
    if (are_moderate(sum, a, b, n)) {
        sum->high.kernels->products(n, a, b, high, low);
        ao_float_sum_add(&sum->high, high, n);
        ao_float_sum_add(&sum->low, low, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (isfinite(a[i]) && isfinite(b[i]))
            multiply_wide(sum, a[i], b[i]);
        else
            sum->special += a[i] * b[i];
    }
}

/* What is left of a step is padded to a whole one, as zeros change nothing, unless it is few products. */
static void add_products(ao_products *sum, const double *a, const double *b, size_t n)
{
    size_t now;
    for (; n >= STEP; a += now, b += now, n -= now) {
        now = n < AO_EXTRACT_PRODUCTS ? n / STEP * STEP : AO_EXTRACT_PRODUCTS;
        if (!extract(sum, a, b, now))
            add_otherwise(sum, a, b, now);
    }
    if (n > FEW) {
        double padded_a[STEP] = {0}, padded_b[STEP] = {0};
        memcpy(padded_a, a, n * sizeof *a);
        memcpy(padded_b, b, n * sizeof *b);
        if (extract(sum, padded_a, a == b ? padded_a : padded_b, STEP))
            return;
    }
    if (n)
        add_otherwise(sum, a, b, n);
}

/* ---- products of integers ---- */

static void add_128(uint64_t total[2], uint64_t low, uint64_t high)
{
    total[0] += low;
    total[1] += high + (total[0] < low);
}

#define LOAD(T, op)                                                    \
    case AO_TYPE_##T:                                                  \
        for (size_t i = 0; i < n; i++)                                 \
            to[i] = (uint64_t)(int64_t)((const ao_##T *)a)[i];         \
        break;

/* Elements as 64-bit numbers; those of u64 wrap. */
static void load_ints(uint64_t *to, enum ao_type type, const void *a, size_t n)
{
    switch (type) {
    AO_LIST_INTS(LOAD, none)
    default: break;
    }
}

/* Products that fit 64 bits, signed or not: halves are added up apart, so nothing overflows. */
static void add_narrow(ao_products *sum, const uint64_t *a, const uint64_t *b, size_t n, int with_sign)
{
    uint64_t low = 0, high = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t product = a[i] * b[i];
        low += product & 0xFFFFFFFF;
        high += with_sign ? (uint64_t)((int64_t)product >> 32) : product >> 32;
    }
    add_128(sum->int_low, low, 0);
    const uint64_t sign = with_sign && high >> 63 ? UINT64_MAX : 0;
    add_128(sum->int_low, high << 32, high >> 32 | sign << 32);
}

static void add_wide(ao_products *sum, const uint64_t *a, int a_has_sign, const uint64_t *b, int b_has_sign, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int minus_a = a_has_sign && a[i] >> 63, minus_b = b_has_sign && b[i] >> 63;
        ao_128 product = ao_multiply_128(minus_a ? 0 - a[i] : a[i], minus_b ? 0 - b[i] : b[i]);
        const int minus = minus_a != minus_b && (product.low | product.high);
        if (minus)
            product = ao_negate_128(product);
        add_128(sum->int_low, product.low, 0);
        add_128(sum->int_high, product.high, minus ? UINT64_MAX : 0);
    }
}

static void add_int_products(ao_products *sum, enum ao_type type_a, const void *a, enum ao_type type_b, const void *b,
                             size_t n)
{
    uint64_t x[BLOCK], y[BLOCK];
    const int sign_a = ao_is_signed(type_a), sign_b = ao_is_signed(type_b);
    load_ints(x, type_a, a, n);
    load_ints(y, type_b, b, n);
    if (ao_type_sizes[type_a] <= 4 && ao_type_sizes[type_b] <= 4)
        add_narrow(sum, x, y, n, sign_a || sign_b);
    else
        add_wide(sum, x, sign_a, y, sign_b, n);
}

void ao_products_add(ao_products *sum, enum ao_type type_a, const void *a, enum ao_type type_b, const void *b, size_t n)
{
    const size_t size_a = ao_type_sizes[type_a], size_b = ao_type_sizes[type_b];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t now = n - i < BLOCK ? n - i : BLOCK;
        const char *p = (const char *)a + i * size_a, *q = (const char *)b + i * size_b;
        if (type_a == AO_TYPE_f64)
            add_products(sum, (const double *)(const void *)p, (const double *)(const void *)q, now);
        else
            add_int_products(sum, type_a, p, type_b, q, now);
    }
}

int ao_products_rounded(ao_products *sum, double *total)
{
    int end;
    if (ao_digits_ends(sum->wide, AO_WIDE_DIGITS, &end) < AO_WIDE_DIGITS)
        return 0;
    *total = ao_float_sums_rounded(&sum->high, &sum->low);
    return 1;
}

void ao_products_int_bytes(const ao_products *sum, uint8_t ints[AO_INT_PRODUCTS_BYTES])
{
    uint64_t total[3] = {sum->int_low[0], sum->int_low[1], 0};
    /* the low halves are a signed 128-bit number: its sign goes on into the third word */
    total[2] = total[1] >> 63 ? UINT64_MAX : 0;
    total[1] += sum->int_high[0];
    total[2] += sum->int_high[1] + (total[1] < sum->int_high[0]);
    for (int i = 0; i < AO_INT_PRODUCTS_BYTES; i++)
        ints[i] = (uint8_t)(total[i / 8] >> 8 * (i % 8));
}

void ao_products_bytes(ao_products *sum, uint8_t high[AO_FLOAT_SUM_BYTES], uint8_t low[AO_FLOAT_SUM_BYTES],
                       uint8_t wide[AO_WIDE_BYTES], uint8_t ints[AO_INT_PRODUCTS_BYTES])
{
    ao_float_sum_bytes(&sum->high, high);
    ao_float_sum_bytes(&sum->low, low);
    carry_wide(sum);
    for (int i = 0; i < AO_WIDE_BYTES; i++) {
        const int d = i / 4 < AO_WIDE_DIGITS - 1 ? i / 4 : AO_WIDE_DIGITS - 1;
        wide[i] = (uint8_t)((uint64_t)sum->wide[d] >> 8 * (i - 4 * d));
    }
    ao_products_int_bytes(sum, ints);
}

/* ---- moments ---- */

void ao_moments_start(ao_moments *m, const ao_isa *isa, enum ao_type type, unsigned wanted, size_t ahead)
{
    m->isa = isa;
    m->type = type;
    m->wanted = wanted;
    m->count = m->nans = m->positive = m->negative = 0;
    m->int_high = 0;
    m->int_low = 0;
    m->found = m->seen = m->first_nan = 0;
    ao_float_sum_start(&m->sum, isa->reductions, ahead);
    if (wanted & AO_SQUARES)
        ao_products_start(&m->squares, isa);
}

static void add_one(ao_moments *m, double x)
{
    if (isnan(x))
        m->nans++;
    else if (isinf(x))
        x > 0 ? m->positive++ : m->negative++;
    else
        ao_float_sum_add_one(&m->sum, x);
}

/* At most BLOCK numbers; those that the fast way does not take one by one. */
static void sum_doubles(ao_moments *m, const double *x, size_t n)
{
    for (size_t i = ao_float_sum_add(&m->sum, x, n); i < n; i++)
        add_one(m, x[i]);
}

static ao_value value_of(enum ao_type type, const void *element)
{
    ao_value value = {0};
#define VALUE(T, op)                                          \
    case AO_TYPE_##T: {                                       \
        ao_##T x;                                             \
        memcpy(&x, element, sizeof x);                        \
        value.i = (int64_t)x;                                 \
        break;                                                \
    }
    switch (type) {
    AO_LIST_INTS(VALUE, none)
    default: memcpy(&value.f, element, sizeof value.f); break;
    }
    return value;
}

static int is_less(enum ao_type type, ao_value a, ao_value b)
{
    return type == AO_TYPE_f64 ? a.f < b.f : type == AO_TYPE_u64 ? a.u < b.u : a.i < b.i;
}

/* Extremes of elements that come behind those so far. */
static void join_extremes(ao_moments *m, enum ao_type type, ao_value low, ao_value high)
{
    if (!m->found || is_less(type, low, m->low))
        m->low = low;
    if (!m->found || is_less(type, m->high, high))
        m->high = high;
    m->found = 1;
}

/* At least one element. */
static void find_extremes(ao_moments *m, enum ao_type type, const void *a, size_t n)
{
    const size_t size = ao_type_sizes[type];
    const char *at = a;
    if (!m->seen)
        m->first_nan = type == AO_TYPE_f64 && isnan(*(const double *)a);
    m->seen = 1;
    while (type == AO_TYPE_f64 && n && isnan(*(const double *)(const void *)at)) {
        at += size;
        n--;
    }
    if (!n)
        return;
    join_extremes(m, type, value_of(type, at + ao_extreme(m->isa, type, at, n, 0) * size),
                  value_of(type, at + ao_extreme(m->isa, type, at, n, 1) * size));
}

static void add_block(ao_moments *m, enum ao_type type, const void *a, size_t n)
{
    const int is_float = type == AO_TYPE_f64;
    if (m->wanted & AO_SUMS && is_float) {
        sum_doubles(m, a, n);
    } else if (m->wanted & AO_SUMS) {
        int64_t high;
        uint64_t low;
        ao_sum_int(m->isa, type, a, n, &high, &low);
        m->int_low += low;
        m->int_high = (int64_t)((uint64_t)m->int_high + (uint64_t)high + (m->int_low < low));
    }
    if (m->wanted & AO_SQUARES)
        ao_products_add(&m->squares, type, a, type, a, n);
    if (m->wanted & AO_EXTREMES)
        find_extremes(m, type, a, n);
}

void ao_moments_add(ao_moments *m, const void *a, size_t n)
{
    const size_t size = ao_type_sizes[m->type];
    double wide[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t now = n - i < BLOCK ? n - i : BLOCK;
        m->count += now;
        const void *block = (const char *)a + i * size;
        if (m->type == AO_TYPE_f32) {
            m->isa->reductions->widen(now, block, wide);
            block = wide;
        }
        add_block(m, m->type == AO_TYPE_f32 ? AO_TYPE_f64 : m->type, block, now);
    }
}

void ao_moments_pass_extremes(ao_moments *whole, ao_moments *part)
{
    if (whole == part)
        return;
    if (!whole->seen)
        whole->first_nan = part->first_nan;
    whole->seen |= part->seen;
    if (part->found)
        join_extremes(whole, part->type == AO_TYPE_f32 ? AO_TYPE_f64 : part->type, part->low, part->high);
    part->found = part->seen = part->first_nan = 0;
}
