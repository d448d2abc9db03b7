/* Sorting, selecting, reversing. */
#ifndef AO_GLUE_ORDER_H
#define AO_GLUE_ORDER_H

#include "state.h"

extern PyMethodDef order_methods[];

#endif
