/* Instructions of AArch64 as words: vector instructions from the table a64.def, and the few of general registers and memory
 * that a loop needs.
 *
 * Words go to a buffer of fixed size, the lowest byte first. What does not fit is left out and `full` is set, so nobody checks
 * anything before the end. The encoder knows nothing of programs; that an instruction means what its caller wants is not its
 * business.
 */
#ifndef AO_NATIVE_A64_ENCODER_H
#define AO_NATIVE_A64_ENCODER_H

#include <stddef.h>
#include <stdint.h>

enum a64_form {
#define FORM(name, ...) A64_##name,
#include "a64.def"
    A64_FORMS
};

typedef struct {
    const char *name, *operands;
    uint32_t bits;
    uint8_t sizes;
    char encoding;
} a64_form_info;
extern const a64_form_info a64_forms[A64_FORMS];

typedef struct {
    uint8_t *bytes;
    size_t at, size;
    int full; /* something did not fit */
} a64_code;

/* A vector instruction on elements of a size in bytes; m is a register, or the count of a shift. Operands that the form has
 * not are 0. */
void a64_emit(a64_code *c, enum a64_form form, unsigned size, unsigned d, unsigned n, unsigned m);

/* All of so many bytes, 1 to 16, of a vector, at base + index * bytes; the rest of it becomes 0. */
void a64_load_vector(a64_code *c, unsigned bytes, unsigned reg, unsigned base, unsigned index);
void a64_store_vector(a64_code *c, unsigned bytes, unsigned reg, unsigned base, unsigned index);
/* One element at base, to all. */
void a64_load_all(a64_code *c, unsigned size, unsigned reg, unsigned base);
/* 16 bytes of the code itself, so many behind its beginning. */
void a64_load_literal(a64_code *c, unsigned reg, size_t at);
/* The lowest element to a general register of 64 bits, with its sign. */
void a64_move_lowest(a64_code *c, unsigned size, unsigned to, unsigned reg);
void a64_clear_vector(a64_code *c, unsigned reg);

/* Of general registers, 64 bits wide. Offsets are multiples of 8. */
void a64_load(a64_code *c, unsigned to, unsigned base, size_t offset);
void a64_store(a64_code *c, unsigned from, unsigned base);
void a64_move(a64_code *c, unsigned to, unsigned from);
void a64_clear(a64_code *c, unsigned to);
void a64_add(a64_code *c, unsigned to, unsigned a, unsigned b);
void a64_subtract(a64_code *c, unsigned to, unsigned a, unsigned b);
void a64_add_number(a64_code *c, unsigned to, unsigned a, size_t number); /* below 2^24 */
void a64_shift_left(a64_code *c, unsigned to, unsigned a, unsigned count);
void a64_shift_right(a64_code *c, unsigned to, unsigned a, unsigned count);
void a64_compare(a64_code *c, unsigned a, unsigned b);
void a64_return(a64_code *c);
void a64_align(a64_code *c, size_t to);

/* Jumps; forward ones are bound later, by what they returned. */
enum a64_condition { A64_ABOVE_EQUAL = 2, A64_BELOW };
size_t a64_jump(a64_code *c, enum a64_condition condition);
size_t a64_jump_not_zero(a64_code *c, unsigned reg);
void a64_bind(a64_code *c, size_t jump, size_t target);

#endif
