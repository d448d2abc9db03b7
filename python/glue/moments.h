/* Statistics in one pass, of buffers and for results of programs. */
#ifndef AO_GLUE_MOMENTS_H
#define AO_GLUE_MOMENTS_H

#include "state.h"
#include "../../vm/arrays/moments.h"

/* Beside AO_SUMS, AO_SQUARES and AO_EXTREMES: the count, which is always gathered, alone. */
enum { MOMENTS_COUNT = 8 };
/* Sums of floats leave in units of 2^-MOMENTS_UNIT, their squares and products in units of 2^-(2 MOMENTS_UNIT). */
enum { MOMENTS_UNIT = 1074 };

/* What was gathered by each of so many, so many bytes apart: a list of tuples, see moments.c. */
PyObject *moments_list(ao_moments *m, unsigned number, size_t apart);

/* What spread_of() is asked for. */
enum { SPREAD_VARIANCE, SPREAD_DEVIATION, SPREAD_ALL };
/* The variance of a buffer with that ddof, or its root, or (count, sum, mean, min, max, var, std) as stats() has them; None where
 * Python must say. */
PyObject *spread_of(const module_state *state, PyObject *object, int what, size_t ddof);
/* The exact sum of products of two buffers of one length and kind, of floats rounded once; None where Python must say. */
PyObject *dot_of(const module_state *state, PyObject *a, PyObject *b);

extern PyMethodDef moments_methods[];

#endif
