/* Programs of pipelines: the values that a mask keeps, as an array or as statistics. */
#ifndef AO_GLUE_PIPE_H
#define AO_GLUE_PIPE_H

#include "run.h"

extern PyMethodDef pipe_methods[];

#endif
