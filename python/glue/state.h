/* What belongs to one copy of the extension module, and what every C file of this folder needs.
 *
 * The machine (vm/) knows nothing of Python; everything in C that does is in this folder. Each file has its header beside
 * it, ends with its own functions of the module, and includes only files that come before it in this list:
 *
 *   typecodes  state                   what there is to know of a typecode; the module's state
 *   watch                              looking at signals during long work
 *   program  buffers  numbers          the Program type; buffers taken and released; elements to Python and back
 *   captures  slices                   what functions capture; long inputs on several threads
 *   run                                one run: its arguments, its frame, blocks with marks answered by the oracle
 *   validity                           missing elements
 *   callback  order  view  arrow       a callable per element; sorting; memory of others
 *   counting  windows                  bins and keys; windows that move
 *   moments  reductions                statistics; sum, min, max
 *   map  filter  fold  pipe            programs, by what they give
 *   known  short  request  front       what Python found out before; calls by it, short ones first; the fast way in
 *   spell  delimited                   numbers as text; rows and cells of text
 *   tables  machine                    what Python reads of all this; the module
 *
 * Conventions: functions return -1 or NULL with an exception set. Whoever fills an ao_array releases it with
 * array_release, once, on every path.
 */
#ifndef AO_GLUE_STATE_H
#define AO_GLUE_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../../vm/pause.h"
#include "../../vm/vm.h"
#include "typecodes.h"

/* What CPython 3.13 brought for builds without the GIL, for the versions before it, which always have one. */
#if PY_VERSION_HEX < 0x030D0000
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
static inline int PyDict_GetItemRef(PyObject *dict, PyObject *key, PyObject **found)
{
    *found = Py_XNewRef(PyDict_GetItemWithError(dict, key));
    return *found ? 1 : PyErr_Occurred() ? -1 : 0;
}
#endif

enum {
    AO_FRONTS = 24, /* functions that have a fast way in: front.c */
    AO_FIXED = 9,   /* texts and names of those that mean one text */
    AO_OPTIONS = 12, /* their keywords that are no names of a text */
    AO_RECENT = 64,
    AO_CALL_VALUES = 10, /* arguments and captured numbers of a call at most */
    AO_OPEN_FRAMES = 8,
    RELEASE_GIL_FROM = 2048 /* elements: about a microsecond of work, ten times the cost of releasing */
};

/* What a text is: of the elements; a step of a fold, of the accumulator and the element, where that is a number and where it is
 * a tuple; or a predicate all of whose values
 * have names, so that it does not look at the elements that it is asked about. */
enum { AO_OF_ELEMENTS, AO_STEP, AO_STEP_OF_TUPLE, AO_OF_NAMES, AO_ROLES };

/* What was found last: known.c. */
typedef struct {
    PyObject *text, *meaning;
} recent_text;
typedef struct {
    PyObject *ready, *program;
    uint64_t signature;
} recent_program;

/* What short.c ran last, and a frame that is open for it. */
typedef struct {
    PyObject *ready, *program;
    uint64_t signature;
    void *memory;
    ao_frame frame;
} open_frame;

/* A call that short.c served: what was called and how, and what its arguments were. */
typedef struct {
    PyObject *of, *keywords; /* a text, or what a kernel has of one; a tuple of names, or NULL */
    PyObject *program;
    open_frame *place;
    int what, asks; /* the function; what short_answer() is asked for, or that it is a map */
    Py_ssize_t nargs;
    int out;        /* where in the arguments that is which the results are for, or -1: a new array of the typecode */
    unsigned lead;  /* and the array that is looked at first */
    char typecode;
    ao_pause pause; /* of looking at the first elements of a long array alone */
    unsigned nvalues;
    struct {
        const void *row; /* of an array; NULL: a number */
        unsigned from;   /* where in the arguments it is */
    } values[AO_CALL_VALUES];
} recent_call;

typedef struct {
    PyTypeObject *program_type;
    PyObject *array_type; /* array.array */
    PyObject *missing;    /* what find() gives where there is nothing */
    PyObject *ones[AO_TYPECODES]; /* an array of one zero for each typecode that array has; never given away */
    int8_t array_types[128]; /* one more than the machine type of an array.array, by its letter; 0: it is not taken in */
    int knows_arrays;     /* the fields of array.array are where buffers.c expects them */
    PyTypeObject *entry_type, *kernel_type, *view_type;
    PyObject *(*view_new)(void *, char, size_t); /* view.c: a View of new memory, for buffers.c, which comes before it */
    int (*view_cut)(PyObject *, size_t);
    PyObject *options[AO_OPTIONS]; /* their names */
    PyObject *map_name, *element, *running; /* "map", and the texts "x" and "acc + x" */
    PyObject *fixed[AO_FIXED], *numpy_name, *frombuffer_name;
    PyObject *texts[AO_ROLES]; /* known.c: texts that can run without Python's help */
    PyObject *entries;    /* functions.py: what is known of code objects */
    recent_text recent_texts[AO_ROLES][AO_RECENT];
    recent_program recent_programs[AO_RECENT];
    recent_call recent_calls[AO_RECENT];
    open_frame open_frames[AO_OPEN_FRAMES];
    PyObject *slow[AO_FRONTS]; /* the Python functions behind the fast ones */
    PyObject *after_calls;    /* a function for after so many calls of the fast ones */
    _Atomic unsigned calls_left;
    PyMethodDef fronts[AO_FRONTS];
    const ao_isa *isa;
    _Atomic unsigned threads; /* that a long run may use */
    _Atomic unsigned native;  /* flags of every job: whether it may have native code, and when; 0 if nothing encodes it */
    _Atomic unsigned wanted;  /* the same, whatever this level has */
    int perf_map;             /* native code is written to the map that perf reads */
} module_state;

static inline module_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* Rows of the module's functions. */
#define FAST_FUNCTION(name, function) {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL, NULL}
#define ONE_ARGUMENT(name, function) {name, function, METH_O, NULL}
#define END_OF_FUNCTIONS {NULL, NULL, 0, NULL}

/* Whether a function of the module got as many arguments as it takes; else TypeError, with how it is called. */
static inline int has_args(Py_ssize_t nargs, Py_ssize_t wanted, const char *call)
{
    if (nargs != wanted) {
        PyErr_SetString(PyExc_TypeError, call);
    }
    return nargs == wanted;
}

/* The first address from here on that is a multiple of 64, as frames need it. */
static inline void *aligned64(void *memory)
{
    return (void *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
}

#endif
