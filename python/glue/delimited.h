/* Delimited text for Python: the type Delimited. */
#ifndef AO_GLUE_DELIMITED_H
#define AO_GLUE_DELIMITED_H

#include "state.h"
#include "../../vm/text/delimited.h"

#include <stdatomic.h>

typedef struct {
    PyObject_HEAD
    module_state *state;
    ao_delimited d;
    PyObject *tokens;      /* a tuple of bytes, which d points into */
    char *text;            /* `room` bytes and the padding; from `begin` to `end` they are still to be read */
    size_t room, begin, end;
    int final;
    ao_column *columns;
    void *cells;           /* of all columns, and what is missing */
    ao_range *rows;
    int64_t *lines;
    size_t most_rows;
    size_t count;          /* rows in the columns, whose text begins at `chunk` */
    size_t chunk;
    PyThreadState *thread; /* that gave the GIL away, or NULL */
    atomic_flag busy;
} DelimitedObject;

/* One thread at a time: -1 with an exception if another is in the object. leave() returns the result. */
int delimited_enter(DelimitedObject *self);
PyObject *delimited_leave(DelimitedObject *self, PyObject *result);
/* Copies the bytes of a cell, where two quotes are one. Returns how many there are. */
size_t delimited_copy_cell(const DelimitedObject *self, ao_range cell, char *to);

PyObject *delimited_codes(PyObject *object, PyObject *args);   /* delimited_keys.c */
PyObject *delimited_text(PyObject *object, PyObject *args);    /* delimited_rows.c */
PyObject *delimited_raw(PyObject *object, PyObject *unused);
int delimited_prepare(PyObject *module);

#endif
