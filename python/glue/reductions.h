/* Sum, smallest and largest element of a buffer. */
#ifndef AO_GLUE_REDUCTIONS_H
#define AO_GLUE_REDUCTIONS_H

#include "state.h"

/* The exact sum of a buffer, or None where math.fsum itself must answer. */
PyObject *sum_of(PyObject *module, PyObject *object);
/* What min() of a buffer returns, or with `largest` max(); None if it is empty. */
PyObject *extreme_of(PyObject *module, PyObject *object, int largest);

extern PyMethodDef reductions_methods[];

#endif
