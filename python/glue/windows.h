/* What is in each window that moves over a buffer. */
#ifndef AO_GLUE_WINDOWS_H
#define AO_GLUE_WINDOWS_H

#include "state.h"

extern PyMethodDef windows_methods[];

#endif
