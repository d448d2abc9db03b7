/* Most doubles that people write have few digits: prices, measurements. Such a number is digits / 10^k with small k and digits
 * below 10^15. Every decimal of up to 15 digits is another double, so the first k for which digits / 10^k is x again
 * gives the shortest decimal, and no shorter one can be missed.
 *
 * The others are made by Schubfach (R. Giulietti, The Schubfach way to render doubles, 2020): of the decimals of a size that
 * has one or two of them between x's neighbours' halves, in 64-bit products with a rounded power of ten, where what is cut off
 * is remembered in the last bit. As repr(), it takes the nearest to x of the shortest, and the even one of two.
 */
#include "spell.h"
#include "number.h"
#include "../portable.h"

#include <math.h>
#include <string.h>

enum { MOST_DECIMALS = 9, LEAST_FIXED = -4, MOST_FIXED = 16 }; /* repr() has exponents where the point is elsewhere */

static const double most_digits = 1e15;
static const double powers_of_ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/* Digits, the lowest last, at the end of `text`; at least so many. Returns where they begin. */
static char *put_digits(uint64_t number, unsigned least, char *end)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
        least -= least != 0;
    } while (number || least);
    return end;
}

size_t ao_spell_int(int negative, uint64_t magnitude, char *text)
{
    char digits[24], *const end = digits + sizeof digits, *begin = put_digits(magnitude, 1, end);
    if (negative) {
        *--begin = '-';
    }
    memcpy(text, begin, (size_t)(end - begin));
    return (size_t)(end - begin);
}

/* What stands for x = whole / 10^decimals, with a digit behind the point at least. */
static size_t put_decimal(uint64_t whole, unsigned decimals, char *text)
{
    char digits[AO_SPELLED_BYTES], *const end = digits + sizeof digits;
    char *begin = end;
    if (!decimals) {
        *--begin = '0';
    }
    for (unsigned i = 0; i < decimals; i++) {
        *--begin = (char)('0' + whole % 10);
        whole /= 10;
    }
    *--begin = '.';
    begin = put_digits(whole, 1, begin);
    memcpy(text, begin, (size_t)(end - begin));
    return (size_t)(end - begin);
}

/* -- any double ---------------------------------------------------------------------------------------------------- */

/* floor(e * log10(2)), of three quarters of 2^e, and floor(e * log2(10)): exact for all exponents of doubles. */
static int log10_of_power(int e, int three_quarters)
{
    return (int)(((int64_t)e * 1262611 - (three_quarters ? 524031 : 0)) >> 22);
}

static int log2_of_power(int e)
{
    return (int)(((int64_t)e * 1741647) >> 19);
}

/* The higher half of factor * n, whose last bit is set if anything is behind it. */
static uint64_t product_to_odd(ao_128 factor, uint64_t n)
{
    const ao_128 low = ao_multiply_128(factor.low, n), high = ao_multiply_128(factor.high, n);
    const ao_128 sum = ao_add_128(high, (ao_128){low.high, 0});
    return sum.high | (sum.low > 1);
}

/* 10^power, rounded up where it is not exact. */
static ao_128 power_above(int power)
{
    const uint64_t *const bits = ao_power_of_ten(power);
    const ao_128 cut = {bits[1], bits[0]};
    return power >= -27 && power <= 55 ? cut : ao_add_128(cut, (ao_128){1, 0});
}

/* The shortest decimal digits * 10^exponent that is nearest to x, which is finite and not 0. */
static uint64_t shortest(double x, int *exponent)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    const int biased = (int)(bits >> 52 & 0x7FF), q = (biased ? biased : 1) - 1075;
    const uint64_t c = biased ? fraction | UINT64_C(1) << 52 : fraction;
    const int closer = !fraction && biased > 1; /* the neighbour below is half as far away */
    const int k = log10_of_power(q, closer), h = q + log2_of_power(-k) + 1;
    const ao_128 factor = power_above(-k);
    const uint64_t odd = c & 1; /* bounds belong to the even ones */
    const uint64_t low = product_to_odd(factor, (4 * c - 2 + (uint64_t)closer) << h) + odd;
    const uint64_t middle = product_to_odd(factor, (4 * c) << h);
    const uint64_t high = product_to_odd(factor, (4 * c + 2) << h) - odd;
    const uint64_t s = middle / 4, tens = s / 10;
    *exponent = k;
    if (s >= 10 && (low <= 40 * tens) != (40 * tens + 40 <= high)) {
        *exponent = k + 1;
        return tens + (low > 40 * tens);
    }
    if ((low <= 4 * s) != (4 * s + 4 <= high)) {
        return s + (low > 4 * s);
    }
    return s + (middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1)));
}

/* Digits with the point behind so many of them, as repr() does it. */
static size_t put_scientific(const char *digits, size_t n, int point, char *text)
{
    char *p = text;
    *p++ = digits[0];
    if (n > 1) {
        *p++ = '.';
        memcpy(p, digits + 1, n - 1);
        p += n - 1;
    }
    const int exponent = point - 1;
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    char number[8], *const end = number + sizeof number;
    const char *begin = put_digits((uint64_t)(exponent < 0 ? -exponent : exponent), 2, end);
    memcpy(p, begin, (size_t)(end - begin));
    return (size_t)(p - text) + (size_t)(end - begin);
}

static size_t put_fixed(const char *digits, size_t n, int point, char *text)
{
    char *p = text;
    const size_t whole = point > 0 ? (size_t)point : 0, before = whole < n ? whole : n;
    memcpy(p, digits, before);
    p += before;
    memset(p, '0', whole - before);
    p += whole - before;
    if (!whole) {
        *p++ = '0';
    }
    *p++ = '.';
    for (int i = point; i < 0; i++) {
        *p++ = '0';
    }
    if (before == n) {
        *p++ = '0';
    }
    memcpy(p, digits + before, n - before);
    return (size_t)(p - text) + n - before;
}

static size_t put_any(double x, char *text)
{
    char digits[24], *const end = digits + sizeof digits;
    int exponent;
    uint64_t number = shortest(x, &exponent);
    while (number % 10 == 0) {
        number /= 10;
        exponent++;
    }
    const char *const begin = put_digits(number, 1, end);
    const size_t n = (size_t)(end - begin);
    const int point = (int)n + exponent;
    const int fixed = point > LEAST_FIXED && point <= MOST_FIXED;
    return fixed ? put_fixed(begin, n, point, text) : put_scientific(begin, n, point, text);
}

static size_t put_word(const char *word, char *text)
{
    memcpy(text, word, 3);
    return 3;
}

/* Few digits; 0 if it does not have few, or is not found to. */
static size_t put_few(double size, char *text)
{
    if (!(size < most_digits) || (size != 0 && size < 1e-4)) {
        return 0;
    }
    for (unsigned k = 0; k <= MOST_DECIMALS; k++) {
        const double scaled = size * powers_of_ten[k];
        if (scaled >= most_digits) {
            return 0;
        }
        const uint64_t digits = (uint64_t)(scaled + 0.5);
        if ((double)digits / powers_of_ten[k] == size && digits < (uint64_t)most_digits) {
            return put_decimal(digits, k, text);
        }
    }
    return 0;
}

size_t ao_spell_double(double x, char *text)
{
    const double size = fabs(x);
    if (isnan(x)) {
        return put_word("nan", text);
    }
    const size_t sign = signbit(x) != 0;
    text[0] = '-';
    text += sign;
    if (isinf(x)) {
        return sign + put_word("inf", text);
    }
    const size_t few = put_few(size, text);
    return sign + (few ? few : put_any(size, text));
}
