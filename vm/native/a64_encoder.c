/* The words of instructions: Arm's Architecture Reference Manual for A-profile, chapter C4. */
#include "a64_encoder.h"

#include "../portable.h"

#define CHARACTER_S 'S'
#define CHARACTER_L 'L'
#define CHARACTER_R 'R'
#define CHARACTER_F 'F'
#define FORM(name, bits, sizes, encoding, operands) {#name, operands, bits, sizes, CHARACTER_##encoding},
const a64_form_info a64_forms[A64_FORMS] = {
#include "a64.def"
};

static void put(a64_code *c, uint32_t word)
{
    if (c->size - c->at < 4) {
        c->full = 1;
        return;
    }
    for (unsigned k = 0; k < 4; k++)
        c->bytes[c->at++] = (uint8_t)(word >> 8 * k);
}

static uint32_t size_bits(const a64_form_info *f, unsigned size, unsigned count)
{
    switch (f->encoding) {
    case 'S': return ao_trailing_zeros(size) << 22;
    case 'L': return (8 * size + count) << 16;
    case 'R': return (16 * size - count) << 16;
    default: return 0;
    }
}

void a64_emit(a64_code *c, enum a64_form form, unsigned size, unsigned d, unsigned n, unsigned m)
{
    const a64_form_info *f = &a64_forms[form];
    const int shift = f->encoding == 'L' || f->encoding == 'R';
    put(c, f->bits | size_bits(f, size, m) | (shift ? 0 : m << 16) | n << 5 | d);
}

/* ---- vectors and memory ---- */

static void put_indexed(a64_code *c, uint32_t bits, unsigned bytes, unsigned reg, unsigned base, unsigned index)
{
    const uint32_t size = bytes == 16 ? 1u << 23 : ao_trailing_zeros(bytes) << 30;
    put(c, bits | size | index << 16 | base << 5 | reg);
}

void a64_load_vector(a64_code *c, unsigned bytes, unsigned reg, unsigned base, unsigned index)
{
    put_indexed(c, 0x3C607800, bytes, reg, base, index);
}

void a64_store_vector(a64_code *c, unsigned bytes, unsigned reg, unsigned base, unsigned index)
{
    put_indexed(c, 0x3C207800, bytes, reg, base, index);
}

void a64_load_all(a64_code *c, unsigned size, unsigned reg, unsigned base)
{
    put(c, 0x4D40C000 | ao_trailing_zeros(size) << 10 | base << 5 | reg);
}

/* The distance, in words, in bits 5 to 23. */
static uint32_t distance(size_t from, size_t to)
{
    return ((uint32_t)((to - from) / 4) & 0x7FFFF) << 5;
}

void a64_load_literal(a64_code *c, unsigned reg, size_t at)
{
    put(c, 0x9C000000 | distance(c->at, at) | reg);
}

void a64_move_lowest(a64_code *c, unsigned size, unsigned to, unsigned reg)
{
    put(c, (size == 8 ? 0x4E003C00 : 0x4E002C00) | size << 16 | reg << 5 | to);
}

void a64_clear_vector(a64_code *c, unsigned reg)
{
    put(c, 0x6F00E400 | reg);
}

/* ---- general registers ---- */

static uint32_t width_bit(int wide)
{
    return (uint32_t)(wide != 0) << 31;
}

void a64_general(a64_code *c, uint32_t operation, int wide, unsigned d, unsigned n, unsigned m)
{
    put(c, operation | width_bit(wide) | m << 16 | n << 5 | d);
}

void a64_number(a64_code *c, enum a64_numbered operation, int wide, unsigned d, unsigned n, unsigned number)
{
    put(c, (uint32_t)operation | width_bit(wide) | number << 10 | n << 5 | d);
}

void a64_choose(a64_code *c, enum a64_choice operation, int wide, enum a64_condition condition, unsigned d, unsigned n, unsigned m)
{
    put(c, (uint32_t)operation | width_bit(wide) | m << 16 | (uint32_t)condition << 12 | n << 5 | d);
}

/* A field of bits is moved: its lowest and its highest one are in the instruction. */
static void put_field(a64_code *c, int is_signed, int wide, unsigned d, unsigned n, unsigned low, unsigned high)
{
    const uint32_t bits = (is_signed ? 0x13000000u : 0x53000000u) | (wide ? 1u << 22 : 0);
    put(c, bits | width_bit(wide) | low << 16 | high << 10 | n << 5 | d);
}

void a64_shift(a64_code *c, enum a64_shift operation, int wide, unsigned d, unsigned n, unsigned count)
{
    const unsigned width = wide ? 64 : 32;
    if (operation == A64_LSL)
        put_field(c, 0, wide, d, n, (width - count) % width, width - 1 - count);
    else
        put_field(c, operation == A64_ASR, wide, d, n, count, width - 1);
}

void a64_extend(a64_code *c, int is_signed, unsigned size, int wide, unsigned d, unsigned n)
{
    put_field(c, is_signed, wide, d, n, 0, 8 * size - 1);
}

void a64_add_shifted(a64_code *c, int wide, unsigned d, unsigned n, unsigned m, unsigned count)
{
    a64_general(c, (uint32_t)A64_ADD | count << 10, wide, d, n, m);
}

void a64_flip_lowest(a64_code *c, unsigned d, unsigned n)
{
    put(c, 0x52000000 | n << 5 | d);
}

static uint32_t part_of(uint64_t number, unsigned k)
{
    return (uint32_t)(number >> 16 * k & 0xFFFF);
}

/* 16 bits at a time; those that most of it is, 0 or 1, come with the first of them. */
void a64_move_number(a64_code *c, unsigned d, uint64_t number)
{
    enum { MOVN = 0x12800000, MOVZ = 0x52800000, MOVK = 0x72800000 };
    unsigned zeros = 0, ones = 0, first = 0;
    for (unsigned k = 0; k < 4; k++) {
        zeros += part_of(number, k) == 0;
        ones += part_of(number, k) == 0xFFFF;
    }
    const uint32_t rest = ones > zeros ? 0xFFFF : 0;
    while (first < 3 && part_of(number, first) == rest)
        first++;
    first = part_of(number, first) == rest ? 0 : first;
    put(c, (rest ? MOVN : MOVZ) | width_bit(1) | first << 21 | (part_of(number, first) ^ rest) << 5 | d);
    for (unsigned k = first + 1; k < 4; k++)
        if (part_of(number, k) != rest)
            put(c, MOVK | width_bit(1) | k << 21 | part_of(number, k) << 5 | d);
}

void a64_add_number(a64_code *c, unsigned d, unsigned n, size_t number)
{
    if (number >> 12) {
        put(c, 0x91400000 | (uint32_t)(number >> 12) << 10 | n << 5 | d);
        n = d;
    }
    if (number & 0xFFF || !(number >> 12))
        a64_number(c, A64_ADD_NUMBER, 1, d, n, number & 0xFFF);
}

/* An offset that the instruction has no room for is added before. */
void a64_load(a64_code *c, unsigned to, unsigned base, size_t offset)
{
    if (offset / 8 >> 12) {
        a64_add_number(c, to, base, offset);
        base = to, offset = 0;
    }
    put(c, 0xF9400000 | (uint32_t)(offset / 8) << 10 | base << 5 | to);
}

void a64_store(a64_code *c, unsigned from, unsigned base)
{
    put(c, 0xF9000000 | base << 5 | from);
}

void a64_load_indexed(a64_code *c, unsigned size, unsigned to, unsigned base, unsigned index)
{
    put(c, 0x38607800 | ao_trailing_zeros(size) << 30 | index << 16 | base << 5 | to);
}

void a64_store_indexed(a64_code *c, unsigned size, unsigned from, unsigned base, unsigned index)
{
    put(c, 0x38207800 | ao_trailing_zeros(size) << 30 | index << 16 | base << 5 | from);
}

void a64_load_at(a64_code *c, unsigned size, int is_vector, unsigned to, unsigned base)
{
    put(c, (is_vector ? 0x3D400000 : 0x39400000) | ao_trailing_zeros(size) << 30 | base << 5 | to);
}

void a64_store_at(a64_code *c, unsigned size, int is_vector, unsigned from, unsigned base)
{
    put(c, (is_vector ? 0x3D000000 : 0x39000000) | ao_trailing_zeros(size) << 30 | base << 5 | from);
}

void a64_return(a64_code *c)
{
    put(c, 0xD65F03C0);
}

void a64_align(a64_code *c, size_t to)
{
    while (c->at % to && !c->full)
        put(c, 0xD503201F);
}

size_t a64_jump(a64_code *c, enum a64_condition condition)
{
    put(c, 0x54000000 | condition);
    return c->at;
}

size_t a64_jump_not_zero(a64_code *c, unsigned reg)
{
    put(c, 0xB5000000 | reg);
    return c->at;
}

/* Where a jump goes is in the same bits, whatever its condition. */
void a64_bind(a64_code *c, size_t jump, size_t target)
{
    const uint32_t bits = distance(jump - 4, target);
    for (unsigned k = 0; k < 4 && !c->full; k++)
        c->bytes[jump - 4 + k] |= (uint8_t)(bits >> 8 * k);
}
