/* Programs with an accumulator. */
#ifndef AO_GLUE_FOLD_H
#define AO_GLUE_FOLD_H

#include "run.h"

/* The accumulator after the elements from `from` on, of a run that is bound: its argument acc_index is the first value, a number
 * or a tuple of numbers. out: NULL, or what gets the value after each element, of a tuple item `stored`; those before
 * `from` stay as they are. */
PyObject *run_fold(run *r, size_t from, ao_array *out, Py_ssize_t stored);

extern PyMethodDef fold_methods[];

#endif
