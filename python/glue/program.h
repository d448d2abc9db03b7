/* Program: a verified program of the machine as a Python object. */
#ifndef AO_GLUE_PROGRAM_H
#define AO_GLUE_PROGRAM_H

#include "state.h"

typedef struct {
    PyObject_HEAD
    ao_program *program;
    size_t instructions;
    _Atomic unsigned mapped; /* a bit for each of its native codes that is in the map that perf reads */
} ProgramObject;

/* Writes where the program's native code is, if there is some by now, to the map that perf reads. */
void program_write_map(ProgramObject *program);

int program_prepare(PyObject *module); /* makes the type */

#endif
