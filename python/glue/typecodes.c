/* The tables of typecodes: all made of the rows in typecodes.h. */
#include "typecodes.h"

#include <string.h>

#define ROW(name, text, letter, size, kind, form, standard, taken, given) \
    {text, letter, kind, form, size, standard, taken, given},
const ao_typecode ao_typecodes[AO_TYPECODES] = {AO_TYPECODE_ROWS(ROW)};
#undef ROW

#define PLACE(name, text, letter, ...) [letter] = AO_TYPECODE_##name + 1,
const uint8_t ao_typecode_places[128] = {AO_TYPECODE_ROWS(PLACE)};
#undef PLACE

const int8_t ao_types_by_size[3][16] = {
    [AO_UNSIGNED] = {-1, AO_TYPE_u8, AO_TYPE_u16, -1, AO_TYPE_u32, -1, -1, -1, AO_TYPE_u64},
    [AO_SIGNED] = {-1, AO_TYPE_i8, AO_TYPE_i16, -1, AO_TYPE_i32, -1, -1, -1, AO_TYPE_i64},
    [AO_FLOAT] = {-1, -1, -1, -1, AO_TYPE_f32, -1, -1, -1, AO_TYPE_f64},
};

#define NAME(T) #T,
const char *const ao_stored_names[AO_STORED_TYPES] = {AO_TYPES(NAME) "f16", "i24", "u24"};
#undef NAME

char typecode_of(enum ao_type type, char letter)
{
    static const char letters[AO_NTYPES] = {
        [AO_TYPE_b1] = '?', [AO_TYPE_i8] = 'b', [AO_TYPE_u8] = 'B', [AO_TYPE_i16] = 'h', [AO_TYPE_u16] = 'H',
        [AO_TYPE_i32] = 'i', [AO_TYPE_u32] = 'I', [AO_TYPE_i64] = 'q', [AO_TYPE_u64] = 'Q',
        [AO_TYPE_f32] = 'f', [AO_TYPE_f64] = 'd',
    };
    const ao_typecode *row = typecode_row(letter);
    return row && typecode_type(row) == type ? letter : letters[type];
}

/* -- names --------------------------------------------------------------------------------------------------------- */

/* NumPy's names; its sizes are in bytes, or in bits after a word. */
static const struct {
    const char *text;
    char letter;
} spellings[] = {
    {"i1", 'b'}, {"int8", 'b'},  {"u1", 'B'}, {"uint8", 'B'},  {"i2", 'h'}, {"int16", 'h'},   {"u2", 'H'}, {"uint16", 'H'},
    {"i3", 't'}, {"int24", 't'}, {"u3", 'T'}, {"uint24", 'T'}, {"i4", 'i'}, {"int32", 'i'},   {"u4", 'I'}, {"uint32", 'I'},
    {"i8", 'q'}, {"int64", 'q'}, {"u8", 'Q'}, {"uint64", 'Q'}, {"f2", 'e'}, {"float16", 'e'}, {"f4", 'f'}, {"float32", 'f'},
    {"f8", 'd'}, {"float64", 'd'}, {"b1", '?'}, {"bool", '?'},
};

static const ao_typecode *row_named(const char *text)
{
    for (const ao_typecode *row = ao_typecodes; row < ao_typecodes + AO_TYPECODES; row++) {
        if (strcmp(row->text, text) == 0) {
            return row;
        }
    }
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (strcmp(spellings[i].text, text) == 0) {
            return typecode_row(spellings[i].letter);
        }
    }
    return NULL;
}

static int is_big_endian(void)
{
    const uint16_t one = 1;
    return !*(const uint8_t *)&one;
}

int format_read(const char *text, ao_format *format)
{
    const int big = is_big_endian();
    *format = (ao_format){NULL, 0, 0};
    switch (*text) {
    case '|': /* NumPy: of one byte there is no order */
    case '@': text++; break;
    case '=': format->standard = 1; text++; break;
    case '<': format->standard = 1; format->swapped = big; text++; break;
    case '>':
    case '!': format->standard = 1; format->swapped = !big; text++; break;
    }
    format->row = row_named(text);
    return format->row != NULL;
}
