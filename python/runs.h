/* One run over buffers: its arguments, taken and released together, and the ways to go through them (runs.c, callback.c).
 *
 * run_take holds the buffers; run_bind adds a program, without which only the oracle can be asked. run_close is called
 * once, on every path after run_none or run_take, also if that failed.
 */
#ifndef AO_RUNS_H
#define AO_RUNS_H

#include "glue.h"

enum {
    RUN_ARGS_INLINE = 8,        /* runs of more arguments allocate their tables */
    FRAME_ON_STACK = 64 * 1024, /* bytes: larger frames are allocated */
    SLICE_WORK = 1 << 22        /* instructions times elements between two looks at signals: under 100 ms of the slowest */
};

typedef struct {
    module_state *state;
    ProgramObject *program;  /* held; NULL until run_bind */
    PyObject *oracle;        /* the meaning for one element */
    PyObject *const *args;   /* a buffer or a number per parameter */
    Py_ssize_t nargs;
    Py_ssize_t visible;      /* the oracle takes the first so many; the others are what a function captures */
    size_t first;            /* the element that the frame's first one is: for the oracle */
    Py_ssize_t acc_index;    /* the argument that a fold's accumulator starts from, or -1 */
    size_t count;            /* elements */
    unsigned ninputs;
    ao_array *arrays;        /* the buffers among the arguments */
    const void **inputs;
    ao_spacing *spacings;
    unsigned nspaced;        /* inputs that are not side by side */
    ao_value *params;
    int8_t *is_array;        /* per argument */
    size_t asked;            /* elements that the oracle was asked for; if any, values are set */
    PyObject **values;       /* what the oracle is called with; one free slot in front, for vectorcall */
    ao_frame frame;
    void *frame_memory;      /* if allocated */
    void *tables;            /* if allocated */
    ao_array inline_arrays[RUN_ARGS_INLINE];
    const void *inline_inputs[RUN_ARGS_INLINE];
    ao_spacing inline_spacings[RUN_ARGS_INLINE];
    ao_value inline_params[RUN_ARGS_INLINE];
    int8_t inline_is_array[RUN_ARGS_INLINE];
    PyObject *inline_values[RUN_ARGS_INLINE + 1];
} run;

/* A run that has taken nothing, which run_close leaves alone. Field by field: clearing the whole struct takes longer than
 * all the rest of a short run. */
static inline void run_none(run *r)
{
    r->program = NULL;
    r->asked = 0;
    r->count = 0;
    r->ninputs = 0;
    r->first = 0;
    r->frame_memory = r->tables = NULL;
}
/* Takes the buffers among the arguments: at least one, all of one length. The arguments outlive the run. */
int run_take(run *r, module_state *state, PyObject *oracle, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t visible);
/* Binds a program to the arguments; ValueError if it was compiled for others. */
int run_bind(run *r, PyObject *program, Py_ssize_t acc_index);
void run_close(run *r);
/* The arguments of a function of the module that begins with (program, args: a tuple), then `oracle` and `visible`. */
int run_open(run *r, PyObject *module, PyObject *const *args, PyObject *oracle, PyObject *visible, Py_ssize_t acc_index);
/* Sets inputs, spacings and nspaced: run_start does. */
void run_find_spacings(run *r);
/* Opens the frame, at `stack` (FRAME_ON_STACK bytes) if it fits there. */
int run_start(run *r, ao_job *job, void *stack);
/* Runs to `end` or to a marked block: AO_OK, AO_MARKED, or -1 with an exception (of a signal handler) set. */
int run_advance(run *r, size_t end);
/* Element j of the current block is marked: its truth by Python, also stored as its result. -1: exception. */
int run_ask_truth(run *r, size_t j);
/* Runs all elements into the job's sink; patch supplies element j of a block that is marked, or returns -1. */
int run_to_sink(run *r, int (*patch)(run *r, size_t j, void *context), void *context);
/* Of the bytes of an element: the index of ao_isa.compact. */
static inline size_t log2_size(enum ao_type type)
{
    const size_t size = ao_type_sizes[type];
    return size == 8 ? 3 : size == 4 ? 2 : size - 1;
}
/* How many elements the oracle was asked for in the run that this thread closed last. */
size_t run_last_asked(void);

/* What the oracle says of one element; `acc` is a fold's accumulator, else NULL. */
PyObject *run_ask(run *r, size_t index, PyObject *acc);
/* The buffer that is argument `lead`; NULL with TypeError if it is none. */
const ao_array *run_lead(const run *r, Py_ssize_t lead);

/* Fill `out`, which the caller holds and releases. With defer, a store that fails does not stop the evaluation. On so many
 * threads; 0: on as many as the module may use if the run is long, else on this one. */
int run_map(run *r, ao_array *out, int defer, unsigned threads);
int call_map(run *r, ao_array *out, int defer);
/* The elements of argument `lead` for which the program, or the oracle, is true. */
PyObject *run_filter(run *r, Py_ssize_t lead);
PyObject *call_filter(run *r, Py_ssize_t lead);
PyObject *run_sum(PyObject *module, PyObject *object);
PyObject *run_extreme(PyObject *module, PyObject *object, int largest);

#endif
