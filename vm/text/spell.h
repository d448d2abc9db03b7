/* Numbers as text: the shortest decimal that reads back as the same double, as Python's repr() writes it. */
#ifndef AO_SPELL_H
#define AO_SPELL_H

#include <stddef.h>
#include <stdint.h>

enum { AO_SPELLED_BYTES = 32 };

/* Writes an integer to text. Returns its bytes, at most 20. */
size_t ao_spell_int(int negative, uint64_t magnitude, char *text);

/* Writes a double. Returns its bytes, less than AO_SPELLED_BYTES. */
size_t ao_spell_double(double x, char *text);

#endif
