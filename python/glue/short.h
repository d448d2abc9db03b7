/* Maps, filters, counts and folds of arrays that are so short that a run would take longer than their elements. */
#ifndef AO_GLUE_SHORT_H
#define AO_GLUE_SHORT_H

#include "known.h"

/* A call as it was written: of a text, or of what a kernel has of one. The values of keywords follow the nargs others. */
typedef struct {
    int what; /* a function, by whatever number */
    PyObject *of;
    PyObject *const *args;
    Py_ssize_t nargs;
    PyObject *keywords; /* or NULL */
    int undecided;      /* the first elements of a long array were asked already, in vain */
} short_call;

/* What a map is to give. */
typedef struct {
    PyObject *out; /* what it fills; or NULL: a new array, of the typecode or of that of the first array */
    unsigned from; /* where in the call's arguments that is */
    char typecode; /* or 0 */
    int alike;     /* numbers that are floats go with arrays of floats only */
} short_request;

/* The result; or NULL: with an exception, or without one if it is to be done as other maps are, for which nothing has been
 * written. It is remembered for such a call, if that is given. */
PyObject *short_map(module_state *state, const meaning *m, const short_call *call, const short_request *q);
/* Likewise what run_count() answers, or the elements for which it is true. Of a long array only what the first few decide. */
enum { SHORT_FILTER = -1 };
PyObject *short_answer(module_state *state, const meaning *m, const short_call *call, int asks);
/* Likewise the result of a call that is remembered, of the same types: nothing but these is looked at. */
PyObject *short_again(module_state *state, short_call *call);

/* What a fold begins with and is to give. */
typedef struct {
    PyObject *initial; /* or NULL: the first element */
    int running;       /* an array of all its values, not the last of them */
    char typecode;     /* of that; or 0: that of the array */
} short_step;

/* Likewise a fold of m->values from the second on: the array, and what goes with it. */
PyObject *short_fold(module_state *state, const meaning *m, const short_step *q);

#endif
