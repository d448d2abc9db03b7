/* One run over buffers: its arguments, taken and released together, and the one way to go through them.
 *
 * run_take holds the buffers; run_bind adds a program, without which only the oracle can be asked. run_close is called
 * once, on every path after run_none or run_take, also if that failed.
 */
#ifndef AO_GLUE_RUN_H
#define AO_GLUE_RUN_H

#include "buffers.h"
#include "numbers.h"
#include "program.h"

enum {
    RUN_ARGS_INLINE = 8,        /* runs of more arguments allocate their tables */
    FRAME_ON_STACK = 64 * 1024, /* bytes: larger frames are allocated */
    RUN_AHEAD = 256,            /* marked elements that go to Python together: all of their results are in memory at once */
    SLICE_WORK = 1 << 22        /* instructions times elements between two looks at signals: under 100 ms of the slowest */
};

typedef struct run run;
/* Answers marked elements of the block without Python, stores them and takes their marks away. */
typedef void run_compute(run *r);

struct run {
    module_state *state;
    ProgramObject *program;  /* held; NULL until run_bind */
    PyObject *oracle;        /* the meaning for one element */
    PyObject *const *args;   /* a buffer or a number per parameter */
    Py_ssize_t nargs;
    Py_ssize_t visible;      /* the oracle takes the first so many; the others are what a function captures */
    size_t first;            /* the element that the frame's first one is: for the oracle */
    Py_ssize_t acc_index;    /* the argument that a fold's accumulator starts from, a number or a tuple of numbers; or -1 */
    size_t count;            /* elements */
    unsigned ninputs;
    ao_array *arrays;        /* the buffers among the arguments */
    const void **inputs;
    ao_spacing *spacings;
    unsigned nspaced;        /* inputs that are not side by side */
    ao_value *params;
    unsigned ntables;        /* arguments that are tables: a tuple of one buffer. The last of `arrays` are theirs, backwards */
    ao_table *looked_up;     /* what programs have for them */
    int8_t *is_array;        /* per argument */
    int unnoted;             /* what it goes through is a part of something else: its indices mean nothing to the caller */
    size_t asked;            /* elements that the oracle was asked for; if any, values are set */
    PyObject **values;       /* what the oracle is called with; one free slot in front, for vectorcall */
    PyObject *columns;       /* the oracle of many elements at once, None if there is none, NULL if it is not known yet */
    run_compute *compute;    /* or NULL */
    PyObject *big;           /* its steps for ints of more than 64 bits, None if there are none, NULL if that is not known yet */
    PyObject *answers;       /* what it said of the marked elements that come next, or NULL: they are asked for one by one */
    Py_ssize_t ahead, next;  /* so many marked elements have been looked at, and so many of them have been answered */
    uint16_t places[RUN_AHEAD]; /* in the block, of those that have been looked at */
    size_t together;         /* elements that were answered so */
    deferred_error unheard;  /* what was raised when those of this block were asked for together */
    const uint8_t *valid;    /* bits of elements that are not null, or NULL: for the others nobody is asked */
    ao_frame frame;
    void *frame_memory;      /* if allocated */
    void *tables;            /* if allocated */
    ao_array inline_arrays[RUN_ARGS_INLINE];
    const void *inline_inputs[RUN_ARGS_INLINE];
    ao_spacing inline_spacings[RUN_ARGS_INLINE];
    ao_value inline_params[RUN_ARGS_INLINE];
    ao_table inline_tables[RUN_ARGS_INLINE];
    int8_t inline_is_array[RUN_ARGS_INLINE];
    PyObject *inline_values[RUN_ARGS_INLINE + 1];
};

/* A run that has taken nothing, which run_close leaves alone. Field by field: clearing the whole struct takes longer than
 * all the rest of a short run. */
static inline void run_none(run *r)
{
    r->program = NULL;
    r->asked = r->together = 0;
    r->count = 0;
    r->ninputs = r->ntables = 0;
    r->unnoted = 0;
    r->first = 0;
    r->frame_memory = r->tables = NULL;
    r->columns = r->answers = r->big = NULL;
    r->compute = NULL;
    r->valid = NULL;
}

/* Takes the buffers among the arguments: at least one, all of one length. The arguments outlive the run. acc_index is -1 but
 * for folds. */
int run_take(run *r, module_state *state, PyObject *const *args, Py_ssize_t nargs, PyObject *oracle, Py_ssize_t visible,
             Py_ssize_t acc_index);
/* Items of the accumulator that is a tuple; 0 if it is a number, or there is none. */
size_t run_items(const run *r);
/* Whether the output shares memory with a table. */
int run_fills_table(const run *r, const ao_array *out);
/* Binds a program to the arguments; ValueError if it was compiled for others. */
int run_bind(run *r, PyObject *program);
size_t run_close(run *r); /* how many elements the oracle was asked for */
/* run_take and run_bind for a function of the module: all of them that run programs begin with the parameters program,
 * args (a tuple), oracle, visible. */
int run_open(run *r, PyObject *module, PyObject *const *args, Py_ssize_t acc_index);
/* run_take for one that only calls. */
int run_open_calls(run *r, PyObject *module, PyObject *function, PyObject *args);
/* Whether the program's results have this type; else ValueError. */
static inline int run_gives(const run *r, unsigned type)
{
    if (type != ao_program_out_type(r->program->program)) {
        PyErr_SetString(PyExc_ValueError, "the program was compiled for another output type");
        return 0;
    }
    return 1;
}
/* Sets inputs, spacings and nspaced: run_start does. */
void run_find_spacings(run *r);
/* Opens the frame, at `stack` (FRAME_ON_STACK bytes) if it fits there. */
int run_start(run *r, ao_job *job, void *stack);
/* Elements between two looks at signals. */
static inline size_t run_slice(const run *r)
{
    return SLICE_WORK / (r->program->instructions + 1);
}

/* Whether so many elements of a program of that weight are work enough to let other threads of Python run meanwhile: to give the GIL away and take it back
 * takes as long as some thousand simple operations, and up to this no other thread waits for 50 us. */
static inline int run_is_long(size_t weight, size_t elements)
{
    enum { LONG_WORK = 1 << 16 };
    return elements > LONG_WORK || elements * weight > LONG_WORK;
}

/* Supplies element j of the current block, which is marked. 0: go on; 1: the run is to stop after this element; -1: an
 * exception. */
typedef int run_answer(run *r, size_t j, void *context);
/* Runs to `end`; the elements that the machine marks are supplied by `answer`. What comes before an element that stops the
 * run has been finished, also if it is an exception. 0: all done; 1: stopped, after that element; -1: exception. */
int run_through(run *r, size_t end, run_answer *answer, void *context);

/* Whether element j of the block is one that Python is asked for. */
int run_is_asked(const run *r, size_t j);
/* What the oracle has said of the marked element that is being answered, borrowed; NULL if it was not asked yet. */
static inline PyObject *run_answered(const run *r)
{
    return r->answers ? PyList_GET_ITEM(r->answers, r->next) : NULL;
}
/* What the oracle says of one element; `acc` is a fold's accumulator, else NULL. */
PyObject *run_ask(run *r, size_t index, PyObject *acc);
/* Element j of the current block is marked: its truth by Python, also stored as its result. -1: exception. */
int run_ask_truth(run *r, size_t j);
/* The buffer that is argument `lead`; NULL with TypeError if it is none. */
const ao_array *run_lead(const run *r, Py_ssize_t lead);

/* Of the bytes of an element: the index of ao_isa.compact. */
static inline size_t log2_size(enum ao_type type)
{
    const size_t size = ao_type_sizes[type];
    return size == 8 ? 3 : size == 4 ? 2 : size - 1;
}

extern PyMethodDef run_methods[];

#endif
