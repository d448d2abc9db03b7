/* Objects that a function captures. */
#ifndef AO_GLUE_CAPTURES_H
#define AO_GLUE_CAPTURES_H

#include "state.h"

/* The names of the kinds of slots, a tuple. */
PyObject *make_slot_kinds(void);
int are_guards(PyObject *guards);
int are_slots(PyObject *slots);
/* Whether the guards hold and every slot has a number; then `numbers` gets new references. The arguments are what
 * are_guards and are_slots approve. No exception is set. */
int capture(module_state *state, PyObject *function, PyObject *guards, PyObject *slots, PyObject **numbers);

extern PyMethodDef captures_methods[];

#endif
