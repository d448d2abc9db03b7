/* Reading: digits into 64 bits and a power of ten; then one of three ways to the nearest double.
 *
 *   both are exact in a double      one operation, which rounds once (Clinger, How to Read Floating Point Numbers
 *                                   Accurately, 1990)
 *   else                            the product with the 128 leading bits of the power (Eisel and Lemire; D. Lemire, Number
 *                                   Parsing at a Gigabyte per Second, 2021; N. Mushtak and D. Lemire, Fast Number Parsing
 *                                   Without Fallback, 2023)
 *   more than 19 digits             the same for the first 19 of them and for the next number of 19 digits: if both
 *                                   round to one double it is the double of all between them; else AO_ASK
 */
#include "number.h"
#include "powers.h"
#include "../portable.h"

#include <math.h>
#include <string.h>

enum {
    MOST_DIGITS = 19,        /* 10^19 - 1 has 64 bits */
    EXACT_POWER = 22,        /* 10^22 is a double */
    EXPONENT_ENOUGH = 100000, /* beyond any exponent that matters, also with as many digits as a line can have */
    DOUBLE_BITS = 52,
    DOUBLE_BIAS = 1023,
    DOUBLE_INFINITE = 0x7FF
};

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static double double_of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* floor(log2(10^q)) = floor(q * log2(10)): exact for |q| <= 400, with log2(10) as 217706 / 2^16. */
static int binary_exponent(int q)
{
    return (217706 * q - (q < 0 ? 65535 : 0)) / 65536;
}

const uint64_t *ao_power_of_ten(int power)
{
    return ao_powers[power - AO_LEAST_POWER];
}

/* digits * 10^power as the nearest double; digits is not 0. */
static double nearest(uint64_t digits, int power)
{
    if (power < AO_LEAST_POWER) {
        return 0;
    }
    if (power > AO_MOST_POWER) {
        return INFINITY;
    }
    const unsigned zeros = ao_leading_zeros(digits);
    const uint64_t *const factor = ao_powers[power - AO_LEAST_POWER];
    ao_128 product = ao_multiply_128(digits << zeros, factor[0]);
    if ((product.high & 0x1FF) == 0x1FF) { /* what the lower half adds may carry into the bits that count */
        const uint64_t carried = ao_multiply_128(digits << zeros, factor[1]).high;
        product = ao_add_128(product, (ao_128){carried, 0});
    }
    /* 54 bits: those of the double and one to round by; the leading one is at bit 63 of the product or at bit 62. */
    const unsigned top = (unsigned)(product.high >> 63), cut = top + 64 - DOUBLE_BITS - 3;
    uint64_t bits = product.high >> cut;
    int exponent = binary_exponent(power) + 63 + (int)top - (int)zeros + DOUBLE_BIAS;
    if (exponent <= 0) { /* below the normal doubles: fewer bits */
        if (exponent <= -63) {
            return 0;
        }
        bits >>= 1 - exponent;
        bits = (bits + (bits & 1)) >> 1;
        return double_of_bits(bits); /* one that rounds up to the least normal double has its bits as well */
    }
    /* A tie, which goes to the even one, is only possible where 5^|power| fits; then nothing was cut off. */
    if (product.low <= 1 && power >= -4 && power <= 23 && (bits & 3) == 1 && bits << cut == product.high) {
        bits &= ~(uint64_t)1;
    }
    bits = (bits + (bits & 1)) >> 1;
    if (bits >> (DOUBLE_BITS + 1)) {
        bits >>= 1;
        exponent++;
    }
    if (exponent >= DOUBLE_INFINITE) {
        return INFINITY;
    }
    return double_of_bits((bits & (((uint64_t)1 << DOUBLE_BITS) - 1)) | (uint64_t)exponent << DOUBLE_BITS);
}

static double scaled(uint64_t digits, int power)
{
    if (!digits) {
        return 0;
    }
    if (digits >> (DOUBLE_BITS + 1) == 0 && power >= -EXACT_POWER && power <= EXACT_POWER) {
        return power < 0 ? (double)digits / powers_of_ten[-power] : (double)digits * powers_of_ten[power];
    }
    return nearest(digits, power);
}

static int is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* The digits of a number that has more than MOST_DIGITS: the first ones, and the power of ten that belongs to them. *rest:
 * whether there is more behind them. */
static uint64_t first_digits(const char *text, const char *end, char decimal, int *power, int *rest)
{
    uint64_t digits = 0;
    int taken = 0, fraction = 0;
    *rest = 0;
    for (; text < end; text++) {
        if (*text == decimal) {
            fraction = 1;
        } else if (taken < MOST_DIGITS) {
            digits = digits * 10 + (uint64_t)(*text - '0');
            taken += digits != 0;
            *power -= fraction;
        } else {
            *rest |= *text != '0';
            *power += !fraction;
        }
    }
    return digits;
}

/* [e [+-] digits]; text is where it would begin. Returns where it ends. */
static const char *read_exponent(const char *text, int *exponent)
{
    if ((*text | 0x20) != 'e') {
        return text;
    }
    const char *p = text + 1;
    const int negative = *p == '-';
    int value = 0;
    p += *p == '-' || *p == '+';
    if (!is_digit(*p)) {
        return text;
    }
    for (; is_digit(*p); p++) {
        value = value < EXPONENT_ENOUGH * 1000 ? value * 10 + (*p - '0') : value;
    }
    *exponent = negative ? -value : value;
    return p;
}

static const char *read_digits(const char *p, uint64_t *value)
{
    for (unsigned char digit; (digit = (unsigned char)(*p - '0')) < 10; p++) {
        *value = *value * 10 + digit;
    }
    return p;
}

static void many_digits(const char *first, const char *last, char decimal, int exponent, ao_number *number)
{
    int power = exponent, rest;
    const uint64_t digits = first_digits(first, last, decimal, &power, &rest);
    number->real = scaled(digits, power);
    if (rest && number->real != scaled(digits + 1, power)) {
        number->kind = AO_ASK;
    }
}

const char *ao_number_read(const char *text, char decimal, ao_number *number)
{
    const char *p = text;
    uint64_t digits = 0;
    number->negative = *p == '-';
    number->kind = AO_NO_NUMBER;
    number->whole = 0;
    p += *p == '-' || *p == '+';
    const char *const first = p;
    p = read_digits(p, &digits);
    ptrdiff_t count = p - first;
    if (*p != decimal && (*p | 0x20) != 'e') {
        if (count >= 1 && count <= MOST_DIGITS) {
            number->kind = AO_WHOLE;
            number->magnitude = digits;
            return p;
        }
    }
    const char *last = p;
    ptrdiff_t behind = 0;
    if (*p == decimal) {
        last = read_digits(p + 1, &digits);
        behind = last - p - 1;
        count += behind;
    }
    if (!count) {
        return text;
    }
    int exponent = 0;
    const char *const end = read_exponent(last, &exponent);
    number->kind = AO_REAL;
    number->whole = end == first + count;
    if (count <= MOST_DIGITS) {
        number->real = scaled(digits, exponent - (int)behind);
    } else {
        many_digits(first, last, decimal, exponent, number);
    }
    number->real = number->negative ? -number->real : number->real;
    return end;
}

static int is_word(const char *text, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        if ((text[i] | 0x20) != word[i]) {
            return 0;
        }
    }
    return !word[n];
}

int ao_number_special(const char *text, size_t n, ao_number *number)
{
    number->negative = n && *text == '-';
    const size_t sign = n && (*text == '-' || *text == '+');
    text += sign;
    n -= sign;
    const int is_nan = n == 3 && is_word(text, n, "nan");
    if (!is_nan && !(n == 3 && is_word(text, n, "inf")) && !(n == 8 && is_word(text, n, "infinity"))) {
        return 0;
    }
    number->kind = AO_REAL;
    number->whole = 0;
    number->real = is_nan ? (double)NAN : (double)INFINITY;
    number->real = number->negative ? -number->real : number->real;
    return 1;
}

double ao_number_double(const ao_number *number)
{
    if (number->kind == AO_REAL) {
        return number->real;
    }
    const double x = (double)number->magnitude;
    return number->negative ? -x : x;
}

int ao_number_exact(const ao_number *number)
{
    const uint64_t m = number->magnitude;
    return !m || 64 - ao_leading_zeros(m) - ao_trailing_zeros(m) <= DOUBLE_BITS + 1;
}
