/* What Python reads of the machine and of this folder: operations, types, limits, constants. */
#ifndef AO_GLUE_TABLES_H
#define AO_GLUE_TABLES_H

#include "state.h"

int tables_prepare(PyObject *module);
/* A new list of the levels of this build that this processor can run, slowest first. */
PyObject *level_names(void);

#endif
