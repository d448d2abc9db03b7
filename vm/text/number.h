/* Decimal numbers in text, as Python's int() and float() read them.
 *
 * What always holds: the double is the one nearest to the decimal number, ties to even, in every notation that is read here.
 * Where that cannot be decided cheaply the answer is AO_ASK, and the caller asks whoever can. Nothing is read behind the first
 * byte that cannot belong to a number.
 */
#ifndef AO_NUMBER_H
#define AO_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum ao_number_kind {
    AO_NO_NUMBER,
    AO_WHOLE,   /* an integer: magnitude and sign */
    AO_REAL,    /* a double; `whole` says that it was written as an integer, which is too long for 64 bits */
    AO_ASK      /* a number, but which double is for others to find out */
};

typedef struct {
    enum ao_number_kind kind;
    int negative;
    int whole;
    uint64_t magnitude;
    double real;
} ao_number;

/* [+-] digits [decimal digits] [e [+-] digits], with a digit somewhere before the e. Returns where it ends, `text` itself if
 * there is none. The text ends with a byte that is in no number, such as 0. */
const char *ao_number_read(const char *text, char decimal, ao_number *number);

/* nan, inf or infinity, in upper or lower case, with a sign or without: of all the n bytes. */
int ao_number_special(const char *text, size_t n, ao_number *number);

/* The double nearest to it, of AO_WHOLE and AO_REAL. */
double ao_number_double(const ao_number *number);

/* The 128 leading bits of 10^power, the higher half first: cut off, but rounded up from -27 to -1. The powers that there are are
 * in powers.h: -342 to 324. */
const uint64_t *ao_power_of_ten(int power);

/* Whether a double holds it exactly: of AO_WHOLE. */
int ao_number_exact(const ao_number *number);

#endif
