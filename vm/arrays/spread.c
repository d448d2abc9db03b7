/* Variance and standard deviation of few numbers that are not too far apart, without integers of any length.
 *
 * The variance is a fraction, (n * squares - sum^2) / (n * (n - ddof)), of exact sums. Its numerator has as many bits as the
 * elements are apart, twice: an array of words holds it, and the denominator is one word. The quotient is rounded once. Its
 * root in doubles is at most one too far, which squares of what lies half-way to its neighbours show.
 */
#include "spread.h"
#include "../portable.h"

#include <math.h>
#include <string.h>

enum {
    SUM_WORDS = 12,     /* of 32 bits: of the sum */
    SQUARES_WORDS = 24, /* of the squares, and of the square of the sum */
    PAD = 6,            /* below the numerator, for the bits of the quotient and for what is compared with it */
    WORDS = 2 * SQUARES_WORDS + PAD + 4,
    FEW = 1 << 16       /* elements whose denominator is one word */
};

/* A number from 0 up: word i is worth 2^(32i + exponent). */
typedef struct {
    uint32_t word[WORDS];
    int count; /* words from here on are 0 */
    int exponent;
} number;

/* From digits, each in 0 .. 2^32-1, the first worth 2^exponent. 0 if it takes more than `most` words. */
static int of_digits(number *x, const int64_t *digit, int digits, int exponent, int most)
{
    int low = 0, high = digits;
    while (high > 0 && !digit[high - 1])
        high--;
    while (low < high && !digit[low])
        low++;
    x->count = high - low;
    x->exponent = exponent + 32 * low;
    if (x->count > most)
        return 0;
    for (int i = 0; i < x->count; i++) {
        if (digit[low + i] >> 32) /* the last one, of a sum too large for this */
            return 0;
        x->word[i] = (uint32_t)digit[low + i];
    }
    return 1;
}

static void trim(number *x)
{
    while (x->count > 0 && !x->word[x->count - 1])
        x->count--;
}

static void multiply_word(number *x, uint32_t by)
{
    uint64_t over = 0;
    for (int i = 0; i < x->count; i++) {
        over += (uint64_t)x->word[i] * by;
        x->word[i] = (uint32_t)over;
        over >>= 32;
    }
    x->word[x->count++] = (uint32_t)over;
    trim(x);
}

static void multiply(number *product, const number *x, const number *y)
{
    memset(product->word, 0, sizeof(uint32_t) * (size_t)(x->count + y->count));
    for (int i = 0; i < x->count; i++) {
        uint64_t over = 0;
        for (int k = 0; k < y->count; k++) {
            over += (uint64_t)x->word[i] * y->word[k] + product->word[i + k];
            product->word[i + k] = (uint32_t)over;
            over >>= 32;
        }
        product->word[i + y->count] = (uint32_t)over;
    }
    product->count = x->count + y->count;
    product->exponent = x->exponent + y->exponent;
    trim(product);
}

/* Has the number end at a lower exponent. 0 if that takes too many words. */
static int lower(number *x, int exponent)
{
    const int bits = x->exponent - exponent, words = bits / 32, shift = bits % 32;
    if (bits < 0 || x->count + words + 1 > WORDS)
        return 0;
    x->word[x->count] = 0;
    for (int i = x->count; i >= 0; i--) {
        const uint64_t below = i ? x->word[i - 1] : 0;
        x->word[i + words] = (uint32_t)((((uint64_t)x->word[i] << 32 | below) << shift) >> 32);
    }
    memset(x->word, 0, sizeof(uint32_t) * (size_t)words);
    x->count += words + 1;
    x->exponent = exponent;
    trim(x);
    return 1;
}

/* -1, 0, 1. Both have the same exponent. */
static int compare(const number *x, const number *y)
{
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    for (int i = x->count - 1; i >= 0; i--)
        if (x->word[i] != y->word[i])
            return x->word[i] < y->word[i] ? -1 : 1;
    return 0;
}

/* x -= y, of one exponent; x is not below y. */
static void subtract(number *x, const number *y)
{
    int64_t over = 0;
    for (int i = 0; i < x->count; i++) {
        over += (int64_t)x->word[i] - (i < y->count ? y->word[i] : 0);
        x->word[i] = (uint32_t)over;
        over >>= 32;
    }
    trim(x);
}

/* To nearest, ties to even, of at least 2^64 units and `more` below them; 0 if it is no normal double. */
static double rounded(const number *x, int more)
{
    const uint64_t top = (uint64_t)x->word[x->count - 1] << 32 | x->word[x->count - 2];
    const unsigned zeros = ao_leading_zeros(top);
    const uint64_t bits = zeros ? top << zeros | x->word[x->count - 3] >> (32 - zeros) : top;
    int below = more || (zeros ? (uint32_t)(x->word[x->count - 3] << zeros) : x->word[x->count - 3]) != 0;
    for (int i = x->count - 4; i >= 0 && !below; i--)
        below = x->word[i] != 0;
    const unsigned tail = bits & 0x7FF;
    uint64_t mantissa = bits >> 11;
    mantissa += tail > 0x400 || (tail == 0x400 && (below || mantissa & 1));
    const int exponent = x->exponent + 32 * (x->count - 2) - (int)zeros + 11; /* of the mantissa's last bit */
    return exponent < -1022 || exponent > 1023 - 53 ? 0 : ldexp((double)mantissa, exponent);
}

static double quotient(const number *x, uint32_t divisor)
{
    number found = {.count = x->count, .exponent = x->exponent};
    uint64_t left = 0;
    for (int i = x->count - 1; i >= 0; i--) {
        left = left << 32 | x->word[i];
        found.word[i] = (uint32_t)(left / divisor);
        left %= divisor;
    }
    trim(&found);
    return rounded(&found, left != 0);
}

/* How x / divisor compares with the square of half * 2^exponent: -1, 0, 1; 2 if there is no room to say. */
static int compare_square(const number *x, uint32_t divisor, uint64_t half, int exponent)
{
    number y = {.word = {(uint32_t)half, (uint32_t)(half >> 32)}, .count = 2, .exponent = exponent}, square;
    multiply(&square, &y, &y);
    multiply_word(&square, divisor);
    return lower(&square, x->exponent) ? compare(x, &square) : 2;
}

/* The nearest double to the root of x / divisor, whose nearest one is given; 0 if it is not found. */
static double root(const number *x, uint32_t divisor, double nearest)
{
    int exponent;
    const double guess = sqrt(nearest);
    const uint64_t mantissa = (uint64_t)ldexp(frexp(guess, &exponent), 53);
    const int edge = mantissa == UINT64_C(1) << 52; /* the neighbour below it is half as far */
    const int above = compare_square(x, divisor, 2 * mantissa + 1, exponent - 54);
    const int below = compare_square(x, divisor, (2 * mantissa << edge) - 1, exponent - 54 - edge);
    const int odd = mantissa & 1;
    if (above == 2 || below == 2)
        return 0;
    if (above > 0 || (above == 0 && odd))
        return ldexp((double)(mantissa + 1), exponent - 53);
    if (below < 0 || (below == 0 && odd))
        return ldexp((double)((mantissa << edge) - 1), exponent - 53 - edge);
    return guess;
}

/* The sums of ints as digits, of which the first is worth 1. */
static void int_digits(ao_moments *m, int64_t sum[4], int64_t squares[6])
{
    uint64_t low = m->int_low, high = (uint64_t)m->int_high;
    if (m->int_high < 0) {
        high = ~high + !low;
        low = 0 - low;
    }
    const uint64_t halves[] = {low, high};
    uint8_t bytes[AO_INT_PRODUCTS_BYTES];
    ao_products_int_bytes(&m->squares, bytes);
    for (int i = 0; i < 4; i++)
        sum[i] = (int64_t)(halves[i / 2] >> 32 * (i % 2) & 0xFFFFFFFF);
    for (int i = 0; i < 6; i++)
        squares[i] = (int64_t)(bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 | (uint32_t)bytes[4 * i + 2] << 16
                               | (uint32_t)bytes[4 * i + 3] << 24);
}

/* Sum and squares; 0 if they are not for here. */
static int sums(ao_moments *m, ao_spread *spread, number *sum, number *squares)
{
    if (m->type != AO_TYPE_f64 && m->type != AO_TYPE_f32) {
        int64_t digits[4], square_digits[6];
        int_digits(m, digits, square_digits);
        return of_digits(sum, digits, 4, 0, SUM_WORDS) && of_digits(squares, square_digits, 6, 0, SQUARES_WORDS);
    }
    double total;
    int64_t digits[AO_DIGITS];
    if (m->squares.special != 0 || !ao_products_rounded(&m->squares, &total))
        return 0;
    spread->total = ao_float_sum_rounded(&m->sum);
    ao_float_sum_digits(&m->sum, digits);
    if (!of_digits(sum, digits, AO_DIGITS, -1074, SUM_WORDS))
        return 0;
    ao_float_sum_digits(&m->squares.high, digits); /* both parts, since they were rounded together */
    return of_digits(squares, digits, AO_DIGITS, -1074, SQUARES_WORDS);
}

int ao_moments_spread(ao_moments *m, size_t ddof, ao_spread *spread)
{
    number sum, numerator, square;
    const size_t n = m->count;
    if (n <= ddof || n >= FEW || !sums(m, spread, &sum, &numerator))
        return 0;
    const uint32_t divisor = (uint32_t)n * (uint32_t)(n - ddof);
    multiply_word(&numerator, (uint32_t)n);
    multiply(&square, &sum, &sum);
    int exponent = numerator.count && numerator.exponent < square.exponent ? numerator.exponent : square.exponent;
    exponent = square.count ? exponent : numerator.exponent;
    exponent -= 32 * PAD;
    if (!lower(&numerator, exponent) || (square.count && !lower(&square, exponent)))
        return 0;
    subtract(&numerator, &square);
    if (!numerator.count) {
        spread->variance = spread->deviation = 0;
        return 1;
    }
    spread->variance = quotient(&numerator, divisor);
    spread->deviation = spread->variance > 0 ? root(&numerator, divisor, spread->variance) : 0;
    return spread->deviation > 0;
}
