/* Delimited text for Python: the type Delimited. */
#ifndef AO_GLUE_DELIMITED_H
#define AO_GLUE_DELIMITED_H

#include "state.h"

int delimited_prepare(PyObject *module);

#endif
