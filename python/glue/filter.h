/* Programs that give one truth value for each element: the elements for which it is true, how many, whether any or all. */
#ifndef AO_GLUE_FILTER_H
#define AO_GLUE_FILTER_H

#include "run.h"

/* What run_count() is asked. */
enum { RUN_COUNT, RUN_ANY, RUN_ALL, RUN_FIRST, RUN_FIRST_FALSE };

/* The elements of argument `lead` for which the program is true; if that is -1, its truth for each, a byte that is 1 or 0. */
PyObject *run_filter(run *r, Py_ssize_t lead);
/* For how many elements the program is true; whether any, or all are; the index of the first one for which it is true, or
 * false, -1 if there is none. */
PyObject *run_count(run *r, int what);
/* The same of a mask, of bytes that are 1 or 0. */
PyObject *count_few(int what, const uint8_t *mask, size_t count);

extern PyMethodDef filter_methods[];

#endif
