/* Columns of Arrow libraries, in and out. */
#ifndef AO_GLUE_ARROW_H
#define AO_GLUE_ARROW_H

#include "state.h"

extern PyMethodDef arrow_methods[];

#endif
