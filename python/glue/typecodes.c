/* The tables of typecodes: all made of the rows in typecodes.h. */
#include "typecodes.h"

#define ROW(name, letter, ctype, kind, standard, taken, given) {#name, kind, sizeof(ctype), standard, taken, given},
const ao_typecode ao_typecodes[AO_TYPECODES] = {AO_TYPECODE_ROWS(ROW)};
#undef ROW

#define PLACE(name, letter, ctype, kind, standard, taken, given) [letter] = AO_TYPECODE_##name + 1,
const uint8_t ao_typecode_places[128] = {AO_TYPECODE_ROWS(PLACE)};
#undef PLACE

const int8_t ao_types_by_size[3][16] = {
    [AO_UNSIGNED] = {-1, AO_TYPE_u8, AO_TYPE_u16, -1, AO_TYPE_u32, -1, -1, -1, AO_TYPE_u64},
    [AO_SIGNED] = {-1, AO_TYPE_i8, AO_TYPE_i16, -1, AO_TYPE_i32, -1, -1, -1, AO_TYPE_i64},
    [AO_FLOAT] = {-1, -1, -1, -1, AO_TYPE_f32, -1, -1, -1, AO_TYPE_f64},
};

char typecode_of(enum ao_type type, char letter)
{
    static const char letters[AO_NTYPES] = {
        [AO_TYPE_b1] = 'B', [AO_TYPE_i8] = 'b', [AO_TYPE_u8] = 'B', [AO_TYPE_i16] = 'h', [AO_TYPE_u16] = 'H',
        [AO_TYPE_i32] = 'i', [AO_TYPE_u32] = 'I', [AO_TYPE_i64] = 'q', [AO_TYPE_u64] = 'Q',
        [AO_TYPE_f32] = 'f', [AO_TYPE_f64] = 'd',
    };
    const ao_typecode *row = typecode_row(letter);
    return row && row->given && row->size == ao_type_sizes[type] ? letter : letters[type];
}
