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

enum { NO_REGISTER = 31 }; /* reads as 0 */

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

void a64_move(a64_code *c, unsigned to, unsigned from)
{
    put(c, 0xAA0003E0 | from << 16 | to);
}

void a64_clear(a64_code *c, unsigned to)
{
    a64_move(c, to, NO_REGISTER);
}

void a64_add(a64_code *c, unsigned to, unsigned a, unsigned b)
{
    put(c, 0x8B000000 | b << 16 | a << 5 | to);
}

void a64_subtract(a64_code *c, unsigned to, unsigned a, unsigned b)
{
    put(c, 0xCB000000 | b << 16 | a << 5 | to);
}

void a64_add_number(a64_code *c, unsigned to, unsigned a, size_t number)
{
    if (number >> 12) {
        put(c, 0x91400000 | (uint32_t)(number >> 12) << 10 | a << 5 | to);
        a = to;
    }
    if (number & 0xFFF || !(number >> 12))
        put(c, 0x91000000 | (uint32_t)(number & 0xFFF) << 10 | a << 5 | to);
}

void a64_shift_left(a64_code *c, unsigned to, unsigned a, unsigned count)
{
    put(c, 0xD3400000 | (64 - count) % 64 << 16 | (63 - count) << 10 | a << 5 | to);
}

void a64_shift_right(a64_code *c, unsigned to, unsigned a, unsigned count)
{
    put(c, 0xD340FC00 | count << 16 | a << 5 | to);
}

void a64_compare(a64_code *c, unsigned a, unsigned b)
{
    put(c, 0xEB00001F | b << 16 | a << 5);
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
