/* Cells of delimited text as fields of other texts: CSV as RFC 4180 has it, and JSON.
 *
 * Memory is the caller's. A cell is bytes in which, if `doubled` is not 0, two of that character stand for one.
 */
#ifndef AO_QUOTING_H
#define AO_QUOTING_H

#include <stddef.h>

/* Room that n bytes may take, in either. */
#define AO_QUOTED_BYTES(n) (6 * (n) + 2)

/* A field between commas, in quotes if it must be. Returns its length. */
size_t ao_quoted_csv(const char *text, size_t n, char doubled, char *out);
/* A string of JSON. Bytes that are not ASCII stay as they are. Returns its length. */
size_t ao_quoted_json(const char *text, size_t n, char doubled, char *out);
/* Whether this is what JSON takes for a number. */
int ao_is_json_number(const char *text, size_t n);

#endif
