/* Counting by bins and by keys. */
#ifndef AO_GLUE_COUNTING_H
#define AO_GLUE_COUNTING_H

#include "state.h"

extern PyMethodDef counting_methods[];

#endif
