/* Numbers as bytes of text, many at once. */
#ifndef AO_GLUE_SPELL_H
#define AO_GLUE_SPELL_H

#include "buffers.h"

/* Text that grows. */
typedef struct {
    char *bytes; /* or NULL */
    size_t length, room;
} spelled;

void *spelled_room(spelled *s, size_t n);                   /* for n more bytes; NULL with MemoryError */
int spelled_add(spelled *s, const void *bytes, size_t n);   /* -1 with MemoryError */
/* Element i as Python's repr writes it, truth values as 0 and 1; of floats, unless it is below 0, so many digits behind the
 * point. -1 with an exception. */
int spelled_element(spelled *s, const ao_array *array, size_t i, int decimals);
PyObject *spelled_bytes(spelled *s); /* as bytes; frees it */
void spelled_drop(spelled *s);

extern PyMethodDef spell_methods[];

#endif
