/* Typecodes: what array.array, the struct module and NumPy call types of numbers. One row says all of each.
 *
 * A buffer's format is one of these names, with a byte order before it or not. Which machine type a plain number is, its kind
 * and its size together say: 'l' has 8 bytes on one system and 4 on another, and 4 everywhere if it has a byte order. Types
 * that the machine does not have are taken in another form (vm.h): those say all by themselves.
 */
#ifndef AO_GLUE_TYPECODES_H
#define AO_GLUE_TYPECODES_H

#include <stddef.h>

#include "../../vm/vm.h"

enum ao_kind { AO_UNSIGNED, AO_SIGNED, AO_FLOAT };
/* What results of a type are given out in: array.array, or a View of new memory where array has no such type. */
enum ao_given { AO_NOT_GIVEN, AO_AS_ARRAY, AO_AS_VIEW };

/* name, its text, a letter for it in this folder (that of the text, if it is one), bytes here, kind, form, bytes with a byte
 * order (struct's "standard size"), whether buffers of it are taken in, and what results of it are given out in. */
#define AO_TYPECODE_ROWS(ROW)                                                                           \
    ROW(b,   "b",  'b', sizeof(signed char),        AO_SIGNED,   AO_AS_IS,  1, 1, AO_AS_ARRAY) \
    ROW(B,   "B",  'B', sizeof(unsigned char),      AO_UNSIGNED, AO_AS_IS,  1, 1, AO_AS_ARRAY) \
    ROW(h,   "h",  'h', sizeof(short),              AO_SIGNED,   AO_AS_IS,  2, 1, AO_AS_ARRAY) \
    ROW(H,   "H",  'H', sizeof(unsigned short),     AO_UNSIGNED, AO_AS_IS,  2, 1, AO_AS_ARRAY) \
    ROW(i,   "i",  'i', sizeof(int),                AO_SIGNED,   AO_AS_IS,  4, 1, AO_AS_ARRAY) \
    ROW(I,   "I",  'I', sizeof(unsigned),           AO_UNSIGNED, AO_AS_IS,  4, 1, AO_AS_ARRAY) \
    ROW(l,   "l",  'l', sizeof(long),               AO_SIGNED,   AO_AS_IS,  4, 1, AO_AS_ARRAY) \
    ROW(L,   "L",  'L', sizeof(unsigned long),      AO_UNSIGNED, AO_AS_IS,  4, 1, AO_AS_ARRAY) \
    ROW(q,   "q",  'q', sizeof(long long),          AO_SIGNED,   AO_AS_IS,  8, 1, AO_AS_ARRAY) \
    ROW(Q,   "Q",  'Q', sizeof(unsigned long long), AO_UNSIGNED, AO_AS_IS,  8, 1, AO_AS_ARRAY) \
    ROW(f,   "f",  'f', sizeof(float),              AO_FLOAT,    AO_AS_IS,  4, 1, AO_AS_ARRAY) \
    ROW(d,   "d",  'd', sizeof(double),             AO_FLOAT,    AO_AS_IS,  8, 1, AO_AS_ARRAY) \
    ROW(b1,  "?",  '?', 1,                          AO_UNSIGNED, AO_TRUTH,  1, 1, AO_AS_VIEW)  \
    ROW(f16, "e",  'e', 2,                          AO_FLOAT,    AO_HALF,   2, 1, AO_AS_VIEW)  \
    ROW(i24, "i3", 't', 3,                          AO_SIGNED,   AO_INT24,  3, 1, AO_AS_VIEW)  \
    ROW(u24, "u3", 'T', 3,                          AO_UNSIGNED, AO_UINT24, 3, 1, AO_AS_VIEW)

#define AO_TYPECODE_PLACE(name, ...) AO_TYPECODE_##name,
enum { AO_TYPECODE_ROWS(AO_TYPECODE_PLACE) AO_TYPECODES };
#undef AO_TYPECODE_PLACE

/* Their texts in one: " b B h ...". */
#define AO_TYPECODE_TEXT(name, text, ...) " " text
#define AO_TYPECODES_TEXT AO_TYPECODE_ROWS(AO_TYPECODE_TEXT)

typedef struct {
    char text[3], letter;
    uint8_t kind, form, size, standard_size, taken, given;
} ao_typecode;

extern const ao_typecode ao_typecodes[AO_TYPECODES];
extern const uint8_t ao_typecode_places[128]; /* one more than the row of each letter, or 0 */
extern const int8_t ao_types_by_size[3][16];  /* by kind and bytes (8 at most): the machine type, or -1 */

/* The types that programs are compiled for: the machine's, and after them those that the machine has no type for. */
enum ao_stored { AO_STORED_f16 = AO_NTYPES, AO_STORED_i24, AO_STORED_u24, AO_STORED_TYPES };
extern const char *const ao_stored_names[AO_STORED_TYPES];
static inline unsigned stored_type(enum ao_type type, unsigned form)
{
    return form >= AO_HALF ? AO_STORED_f16 + form - AO_HALF : type;
}

/* The row of a letter, or NULL. */
static inline const ao_typecode *typecode_row(char letter)
{
    const unsigned place = ao_typecode_places[letter & 127];
    return place && letter > 0 ? &ao_typecodes[place - 1] : NULL;
}

/* The machine type of its elements. */
static inline enum ao_type typecode_type(const ao_typecode *row)
{
    return (enum ao_type)(row->form ? ao_form_types[row->form] : ao_types_by_size[row->kind][row->size]);
}

static inline int is_float(enum ao_type type)
{
    return type == AO_TYPE_f32 || type == AO_TYPE_f64;
}

/* The letter of what an element is, for array_new: `letter`, a buffer's own, where that has the type's size here, else one
 * that has. */
char typecode_of(enum ao_type type, char letter);

/* What a format says: the row of its name, whether the bytes are in the other order than this machine's, and whether it gives
 * an order and so the standard size. Names are array's and struct's letters ('h'), NumPy's ('i2', 'int16'), i3 and u3. 0 if it
 * is none. */
typedef struct {
    const ao_typecode *row;
    int swapped, standard;
} ao_format;
int format_read(const char *text, ao_format *format);

#endif
