/* The fast way in: functions and kernels in C before those in Python. */
#ifndef AO_GLUE_FRONT_H
#define AO_GLUE_FRONT_H

#include "state.h"

int front_prepare(PyObject *module);

extern PyMethodDef front_methods[];

#endif
