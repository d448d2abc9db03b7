/* Most doubles that people write have few digits: prices, measurements. Such a number is digits / 10^k with small k and digits
 * below 10^15. Every decimal of up to 15 digits is another double, so the first k for which digits / 10^k is x again
 * gives the shortest decimal, and no shorter one can be missed. Other doubles are left to the caller.
 */
#include "spell.h"

#include <math.h>
#include <string.h>

enum { MOST_DECIMALS = 9 };

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
static size_t put_decimal(int negative, uint64_t whole, unsigned decimals, char *text)
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
    if (negative) {
        *--begin = '-';
    }
    memcpy(text, begin, (size_t)(end - begin));
    return (size_t)(end - begin);
}

size_t ao_spell_double(double x, char *text)
{
    const double size = fabs(x);
    if (!(size < most_digits) || (size != 0 && size < 1e-4)) { /* nan, too; and repr() has exponents below that */
        return 0;
    }
    for (unsigned k = 0; k <= MOST_DECIMALS; k++) {
        const double scaled = size * powers_of_ten[k];
        if (scaled >= most_digits) {
            return 0;
        }
        const uint64_t digits = (uint64_t)(scaled + 0.5);
        if ((double)digits / powers_of_ten[k] == size && digits < (uint64_t)most_digits) {
            return put_decimal(signbit(x) != 0, digits, k, text);
        }
    }
    return 0;
}
