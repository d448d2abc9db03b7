/* What a call asks for, and its run, once it is known what its text or function means. */
#ifndef AO_GLUE_REQUEST_H
#define AO_GLUE_REQUEST_H

#include "known.h"
#include "run.h"
#include "short.h"

/* The functions: those that are given a text or function, those that have a text of their own, others; and a call of a
 * kernel, which is a map. */
enum {
    CALL_MAP, CALL_MAP_INPLACE, CALL_FILTER, CALL_ANY, CALL_ALL, CALL_COUNT, CALL_FIRST, CALL_EVALUATE, CALL_REDUCE,
    CALL_ACCUMULATE,
    CALL_ADD, CALL_SUBTRACT, CALL_MULTIPLY, CALL_DIVIDE, CALL_SCALE, CALL_CLIP,
    CALL_SUM, CALL_MIN, CALL_MAX, CALL_MINMAX, CALL_MEAN, CALL_VAR, CALL_STD, CALL_DOT,
    CALL_KERNEL
};
_Static_assert((int)CALL_KERNEL == (int)AO_FRONTS, "all but the kernel are functions");

typedef struct {
    int what;          /* a function, or CALL_KERNEL */
    char typecode;     /* typecode=, or 0 */
    PyObject *out;     /* what a map fills, or NULL */
    PyObject *initial; /* of a fold, or NULL */
    PyObject *missing; /* what first() gives if there is none, or NULL */
    PyObject *ddof;    /* or NULL */
    int alike;         /* numbers that are floats go with arrays of floats only */
    Py_ssize_t nnamed; /* values for the names of a text */
    PyObject *names[RUN_ARGS_INLINE], *named[RUN_ARGS_INLINE];
    unsigned out_from, named_from[RUN_ARGS_INLINE]; /* where in the arguments they are */
    int has_options;   /* others than out= */
    const short_call *call; /* how it was written; or NULL */
} request;

/* Field by field: clearing the tables takes a tenth of a short call. */
static inline void request_none(request *q, int what)
{
    q->what = what;
    q->typecode = 0;
    q->out = q->initial = q->missing = q->ddof = NULL;
    q->alike = 0;
    q->nnamed = 0;
    q->has_options = 0;
    q->call = NULL;
}

#define CALL_BIT(which) (1u << (which))
#define CALL_MAPS (CALL_BIT(CALL_MAP) | CALL_BIT(CALL_EVALUATE) | CALL_BIT(CALL_KERNEL))
#define CALL_PREDICATES \
    (CALL_BIT(CALL_FILTER) | CALL_BIT(CALL_ANY) | CALL_BIT(CALL_ALL) | CALL_BIT(CALL_COUNT) | CALL_BIT(CALL_FIRST))
#define CALL_FOLDS (CALL_BIT(CALL_REDUCE) | CALL_BIT(CALL_ACCUMULATE))
#define CALL_ARITHMETIC (CALL_BIT(CALL_ADD) | CALL_BIT(CALL_SUBTRACT) | CALL_BIT(CALL_MULTIPLY) | CALL_BIT(CALL_DIVIDE))
#define CALL_GIVEN (CALL_BIT(CALL_ADD) - 1) /* a text or function */
#define CALL_PLAIN (CALL_BIT(CALL_KERNEL) - CALL_BIT(CALL_SUM)) /* neither */

/* Takes the keywords of a call, whose values follow the others. -1 if Python must do it. */
int request_take_keywords(const module_state *state, request *q, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords);
/* Whether a keyword is the option `initial`. */
int request_has_initial(const module_state *state, PyObject *keywords);
/* Puts the values, of which those by position come first, where the parameters are: those by name are bound first, as
 * Kernel._bind() does. 0 if Python must do it. */
int request_bind_names(meaning *m, const request *q);
/* The result, or NULL: with an exception, or without one if Python must do it. */
PyObject *request_run(module_state *state, meaning *m, const request *q);

int request_prepare(PyObject *module);

#endif
