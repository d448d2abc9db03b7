/* Programs with an accumulator. */
#ifndef AO_GLUE_FOLD_H
#define AO_GLUE_FOLD_H

#include "run.h"

extern PyMethodDef fold_methods[];

#endif
