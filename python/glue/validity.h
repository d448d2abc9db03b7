/* Missing elements: bits and bytes that say which they are, and arrays without them. */
#ifndef AO_GLUE_VALIDITY_H
#define AO_GLUE_VALIDITY_H

#include "buffers.h"

/* How many of so many bits from `first` on are 0. */
size_t validity_nulls(const uint8_t *bits, size_t first, size_t count);
/* Takes bits of at least `count` elements, from the first bit on; None has none. ValueError. */
int validity_take(const module_state *state, PyObject *object, size_t count, ao_array *bits);

extern PyMethodDef validity_methods[];

#endif
