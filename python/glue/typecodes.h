/* Typecodes: the letters that array.array and the struct module have for types of numbers. One row says all of each.
 *
 * A buffer's format is one of these letters, with a byte order before it or not. Which machine type it is, its kind and its
 * size together say: 'l' has 8 bytes on one system and 4 on another, and 4 everywhere if it has a byte order.
 */
#ifndef AO_GLUE_TYPECODES_H
#define AO_GLUE_TYPECODES_H

#include <stddef.h>

#include "../../vm/vm.h"

enum ao_kind { AO_UNSIGNED, AO_SIGNED, AO_FLOAT };

/* name, letter, its C type, kind, bytes with a byte order (struct's "standard size"), whether buffers of it are taken in, and
 * whether results can be given out in it, which takes an array.array of it. */
#define AO_TYPECODE_ROWS(ROW)                            \
    ROW(b, 'b', signed char,        AO_SIGNED,   1, 1, 1) \
    ROW(B, 'B', unsigned char,      AO_UNSIGNED, 1, 1, 1) \
    ROW(h, 'h', short,              AO_SIGNED,   2, 1, 1) \
    ROW(H, 'H', unsigned short,     AO_UNSIGNED, 2, 1, 1) \
    ROW(i, 'i', int,                AO_SIGNED,   4, 1, 1) \
    ROW(I, 'I', unsigned int,       AO_UNSIGNED, 4, 1, 1) \
    ROW(l, 'l', long,               AO_SIGNED,   4, 1, 1) \
    ROW(L, 'L', unsigned long,      AO_UNSIGNED, 4, 1, 1) \
    ROW(q, 'q', long long,          AO_SIGNED,   8, 1, 1) \
    ROW(Q, 'Q', unsigned long long, AO_UNSIGNED, 8, 1, 1) \
    ROW(f, 'f', float,              AO_FLOAT,    4, 1, 1) \
    ROW(d, 'd', double,             AO_FLOAT,    8, 1, 1)

#define AO_TYPECODE_PLACE(name, letter, ctype, kind, standard, taken, given) AO_TYPECODE_##name,
enum { AO_TYPECODE_ROWS(AO_TYPECODE_PLACE) AO_TYPECODES };
#undef AO_TYPECODE_PLACE

/* The letters in a text: " b B h ...". */
#define AO_TYPECODE_TEXT(name, letter, ctype, kind, standard, taken, given) " " #name
#define AO_TYPECODES_TEXT AO_TYPECODE_ROWS(AO_TYPECODE_TEXT)

typedef struct {
    char letter[2];
    uint8_t kind, size, standard_size, taken, given;
} ao_typecode;

extern const ao_typecode ao_typecodes[AO_TYPECODES];
extern const uint8_t ao_typecode_places[128]; /* one more than the row of each letter, or 0 */
extern const int8_t ao_types_by_size[3][16];  /* by kind and bytes (8 at most): the machine type, or -1 */

/* The row of a letter, or NULL. */
static inline const ao_typecode *typecode_row(char letter)
{
    const unsigned place = ao_typecode_places[letter & 127];
    return place && letter > 0 ? &ao_typecodes[place - 1] : NULL;
}

/* Its machine type in memory of this machine. */
static inline enum ao_type typecode_type(const ao_typecode *row)
{
    return (enum ao_type)ao_types_by_size[row->kind][row->size];
}

static inline int is_float(enum ao_type type)
{
    return type == AO_TYPE_f32 || type == AO_TYPE_f64;
}

/* array.array's letter for a machine type: `letter`, a buffer's own, where that has the type's size here, else one that
 * has. */
char typecode_of(enum ao_type type, char letter);

#endif
