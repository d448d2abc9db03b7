/* What Python reads of the machine and of this folder: operations, types, limits, constants. */
#ifndef AO_GLUE_TABLES_H
#define AO_GLUE_TABLES_H

#include "state.h"

int tables_prepare(PyObject *module);

#endif
