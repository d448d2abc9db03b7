/* Any callable, once per element. */
#ifndef AO_GLUE_CALLBACK_H
#define AO_GLUE_CALLBACK_H

#include "run.h"

/* As run_map and run_filter, with the oracle alone. */
int call_map(run *r, ao_array *out, int defer, const uint8_t *valid);
PyObject *call_filter(run *r, Py_ssize_t lead);

extern PyMethodDef callback_methods[];

#endif
