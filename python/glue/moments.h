/* Statistics in one pass: moments.c, and runs.c for results of programs. */
#ifndef AO_PY_MOMENTS_H
#define AO_PY_MOMENTS_H

#include "state.h"
#include "../../vm/moments.h"

/* What was gathered by each of so many, so many bytes apart: a list of tuples, see moments.c. */
PyObject *moments_list(ao_moments *m, unsigned number, size_t apart);
PyObject *py_moments(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_dot(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

#endif
