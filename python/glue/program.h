/* Program: a verified program of the machine as a Python object. */
#ifndef AO_GLUE_PROGRAM_H
#define AO_GLUE_PROGRAM_H

#include "state.h"

typedef struct {
    PyObject_HEAD
    ao_program *program;
    size_t instructions;
} ProgramObject;

int program_prepare(PyObject *module); /* makes the type */

#endif
