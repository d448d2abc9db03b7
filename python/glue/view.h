/* View: numbers in memory that somebody else owns. */
#ifndef AO_GLUE_VIEW_H
#define AO_GLUE_VIEW_H

#include "state.h"

int view_prepare(PyObject *module); /* makes the type */
/* A read-only View of elements side by side, in memory that `owner` holds. */
PyObject *view_of_memory(module_state *state, PyObject *owner, const void *data, const ao_typecode *row, size_t count);

extern PyMethodDef view_methods[];

#endif
