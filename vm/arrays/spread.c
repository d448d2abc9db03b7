/* Variance and standard deviation, without integers of Python's.
 *
 * The variance is a fraction, (n * squares - sum^2) / (n * (n - ddof)), of exact sums, which were gathered as digits. Here they
 * become wide integers, as many limbs as lie between the first and the last digit; wide.h has the rest.
 */
#include "spread.h"
#include "wide.h"

#include <math.h>

enum { DIGIT = 32, INT_SUM_DIGITS = 4, INT_SQUARES_DIGITS = AO_INT_PRODUCTS_BYTES / 4, MOST_BITS = 31 };

/* A number from 0 up: digit i is worth 2^(32i + exponent), and those outside low .. high - 1 are 0. */
typedef struct {
    int64_t digit[AO_DIGITS];
    int low, high, exponent;
} number;

/* The sums of ints. */
static void find_ints(ao_moments *m, number *sum, number *squares)
{
    const ao_128 total = {m->int_low, (uint64_t)m->int_high}, size = m->int_high < 0 ? ao_negate_128(total) : total;
    const uint64_t halves[] = {size.low, size.high};
    uint8_t bytes[AO_INT_PRODUCTS_BYTES];
    ao_products_int_bytes(&m->squares, bytes);
    for (int i = 0; i < INT_SUM_DIGITS; i++)
        sum->digit[i] = (int64_t)(halves[i / 2] >> DIGIT * (i % 2) & 0xFFFFFFFF);
    for (int i = 0; i < INT_SQUARES_DIGITS; i++)
        squares->digit[i] = (int64_t)(bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 | (uint32_t)bytes[4 * i + 2] << 16
                                      | (uint32_t)bytes[4 * i + 3] << 24);
    sum->exponent = squares->exponent = 0;
    sum->low = ao_digits_ends(sum->digit, INT_SUM_DIGITS, &sum->high);
    squares->low = ao_digits_ends(squares->digit, INT_SQUARES_DIGITS, &squares->high);
}

/* Sum and squares; 0 if they are not for here. */
static int find_sums(ao_moments *m, ao_spread *spread, number *sum, number *squares)
{
    if (m->type != AO_TYPE_f64 && m->type != AO_TYPE_f32) {
        find_ints(m, sum, squares);
        return 1;
    }
    double total;
    if (m->squares.special != 0 || !ao_products_rounded(&m->squares, &total))
        return 0;
    spread->total = ao_float_sum_rounded(&m->sum);
    ao_float_sum_digits(&m->sum, sum->digit);
    ao_float_sum_digits(&m->squares.high, squares->digit); /* both parts, since they were rounded together */
    sum->exponent = squares->exponent = AO_LOWEST;
    sum->low = ao_digits_ends(sum->digit, AO_DIGITS, &sum->high);
    squares->low = ao_digits_ends(squares->digit, AO_DIGITS, &squares->high);
    return 1;
}

/* x in units of 2^unit, of which it is a multiple. */
static void widen(ao_wide *to, const number *x, int unit)
{
    const int shift = x->exponent - unit;
    ao_wide_start(to, x->high > x->low ? (unsigned)(DIGIT * (x->high + 1) + shift) : 0);
    for (int i = x->low; i < x->high; i++)
        ao_wide_add(to, (uint64_t)x->digit[i], (unsigned)(DIGIT * i + shift), 0);
}

int ao_moments_spread(ao_moments *m, size_t ddof, ao_spread *spread)
{
    number sum, squares;
    const uint64_t n = m->count;
    if (n <= ddof || n >> MOST_BITS || !find_sums(m, spread, &sum, &squares))
        return 0;
    const int of_sum = sum.exponent + DIGIT * sum.low, of_squares = squares.exponent + DIGIT * squares.low; /* both even */
    const int unit = sum.high > 0 && 2 * of_sum < of_squares ? 2 * of_sum : of_squares;
    ao_wide root, square, excess;
    widen(&root, &sum, unit / 2);
    widen(&square, &squares, unit);
    ao_wide_excess(&excess, &square, n, &root);
    const uint64_t divisor = n * (n - ddof);
    spread->variance = ao_wide_ratio(&excess, divisor, unit, 0);
    spread->deviation = ao_wide_ratio(&excess, divisor, unit, 1);
    return isfinite(spread->variance);
}
