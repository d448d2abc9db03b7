/* Sum, smallest and largest element of a buffer. */
#ifndef AO_GLUE_REDUCTIONS_H
#define AO_GLUE_REDUCTIONS_H

#include "state.h"

/* The exact sum of a buffer, or None where math.fsum itself must answer. */
PyObject *sum_of(const module_state *state, PyObject *object);
/* What min() of a buffer returns, or with `largest` max(); None if it is empty. */
PyObject *extreme_of(const module_state *state, PyObject *object, int largest);

/* Both; None if it is empty, or so long that one pass is better. */
PyObject *extremes_of(const module_state *state, PyObject *object);
/* statistics.fmean() of a buffer, or None where Python must say. */
PyObject *mean_of(const module_state *state, PyObject *object);

extern PyMethodDef reductions_methods[];

#endif
