/* What the CPython side of arrayops shares between its files.
 *
 * The machine (vm/) knows nothing of Python; everything that does is in this folder: buffers.c takes and releases the
 * buffers of a call, numbers.c turns elements into Python numbers and back, runs.c runs programs and gives marked
 * elements to the oracle, callback.c calls a Python callable per element, captures.c finds what a function captures,
 * front.c is the fast way in, view.c shows memory that others own, arrow.c exchanges it with Arrow libraries, machine.c is
 * the module.
 *
 * Conventions: functions return -1 or NULL with an exception set. Whoever fills an ao_array releases it with
 * array_release, once, on every path.
 */
#ifndef AO_GLUE_H
#define AO_GLUE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../vm/vm.h"

#define AO_TYPECODE_LETTERS "bBhHiIlLqQfd"
enum { AO_TYPECODES = 12, AO_FRONTS = 6 };

enum {
    AO_RECENT = 64,
    RELEASE_GIL_FROM = 2048 /* elements: about a microsecond of work, ten times the cost of releasing */
};

/* What was found last: front.c. */
typedef struct {
    PyObject *text, *meaning;
} recent_text;
typedef struct {
    PyObject *ready, *program;
    uint64_t signature;
} recent_program;

/* Per-module state. */
typedef struct {
    PyTypeObject *program_type;
    PyObject *array_type; /* array.array */
    PyObject *missing;    /* what find() gives where there is nothing */
    PyObject *ones[AO_TYPECODES]; /* an array of one zero for each typecode; never given away */
    int knows_arrays;     /* the fields of array.array are where buffers.c expects them */
    PyTypeObject *entry_type, *kernel_type, *view_type;
    PyObject *out_name, *map_name; /* "out" and "map" */
    PyObject *texts;      /* front.c: texts that can run without Python's help */
    PyObject *entries;    /* functions.py: what is known of code objects */
    recent_text recent_texts[AO_RECENT];
    recent_program recent_programs[AO_RECENT];
    PyObject *slow[AO_FRONTS]; /* the Python functions behind the fast ones */
    PyMethodDef fronts[AO_FRONTS];
    const ao_isa *isa;
    unsigned threads;     /* that a long run may use */
} module_state;

extern struct PyModuleDef ao_machine_module;
module_state *state_of(PyObject *module);

typedef struct {
    PyObject_HEAD
    ao_program *program;
    size_t instructions;
} ProgramObject;

/* One buffer of a call: 1-D, of a supported format, held until array_release. */
typedef struct {
    Py_buffer view;
    enum ao_type type;
    char typecode; /* array.array's letter for this type */
    size_t count;
    void *data;    /* its first element, or that of a private copy */
    ao_spacing spacing;
    void *copy;    /* or NULL */
    PyObject *array; /* an array.array that is held by itself, without the view; or NULL */
    int held;      /* the view or the array is to be released */
} ao_array;

/* buffers.c */
int array_take(const module_state *state, PyObject *object, ao_array *array);     /* for reading */
int array_take_out(const module_state *state, PyObject *object, ao_array *array); /* for writing */
void array_release(ao_array *array);
static inline void array_none(ao_array *array) /* one that array_release leaves alone */
{
    array->copy = NULL;
    array->held = 0;
}
/* Gives the machine its own copy of the data, side by side (an input that overlaps the output). */
int array_make_private(ao_array *array);
/* Bytes from one element to the next. */
static inline ptrdiff_t array_step(const ao_array *array)
{
    return array->spacing.stride ? array->spacing.stride : (ptrdiff_t)ao_type_sizes[array->type];
}
const void *array_spaced_element(const ao_array *array, size_t i, void *local);
/* Element i in this machine's byte order: its address, or that of `local` (8 bytes), where it was copied to. */
static inline const void *array_element(const ao_array *array, size_t i, void *local)
{
    return array->spacing.stride ? array_spaced_element(array, i, local)
                                 : (const char *)array->data + i * ao_type_sizes[array->type];
}
/* Stores what element_set() made of it at `local` as element i. */
void array_store(const ao_array *array, size_t i, const void *local);
/* Inputs that share memory with the output, other than element for element, get copies. *same is set to 1 if one is the
 * output itself. */
int array_separate(ao_array *inputs, size_t number, const ao_array *out, int *same);
/* A new array.array. What its elements are is not said: all of them are to be written before anybody sees it. */
PyObject *array_new(const module_state *state, char typecode, size_t count);
/* Keeps the first `count` elements of an array.array that nobody else has. */
int array_cut(const module_state *state, PyObject *array, size_t count);
int arrays_prepare(module_state *state); /* makes what array_new needs */
int array_check_lengths(const ao_array *first, const ao_array *other);
char typecode_of(enum ao_type type, char letter);
/* Sets type, typecode and byte order from a format. size: of an element in bytes, or 0: what struct says. TypeError. */
int format_parse(const char *format, Py_ssize_t size, ao_array *array);
PyObject *py_buffer_info(PyObject *module, PyObject *object);
PyObject *py_new_array(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_copy_array(PyObject *module, PyObject *object);
PyObject *py_know_arrays(PyObject *module, PyObject *flag);

/* order.c */
PyObject *py_sort(PyObject *module, PyObject *object);
PyObject *py_reverse(PyObject *module, PyObject *object);
PyObject *py_unique(PyObject *module, PyObject *object);
PyObject *py_select(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

/* view.c */
int view_prepare(PyObject *module);
/* A read-only View of elements side by side, in memory that `owner` holds. */
PyObject *view_of_memory(module_state *state, PyObject *owner, const void *data, enum ao_type type, size_t count);
PyObject *py_view(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

/* arrow.c */
PyObject *py_take_arrow(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_give_arrow(PyObject *module, PyObject *object);
PyObject *py_unpack_bits(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

/* numbers.c */
PyObject *element_get(enum ao_type type, const void *element);
/* Stores a Python object in an element exactly as array.array does, with its exceptions. `scratch` is an array.array of
 * one element of that typecode. */
int element_set(enum ao_type type, void *element, PyObject *value, PyObject *scratch);
/* The number as a machine value; 0 if the type holds it exactly, 1 if not, -1 on error. */
int number_to_value(enum ao_type type, PyObject *number, ao_value *value);
/* Whether it is an int that no machine type holds. */
int number_is_big(PyObject *number);
PyObject *value_to_number(enum ao_type type, ao_value value);

/* A store that failed while the evaluation must go on: array(tc, [f(x) for x in a]) evaluates every f(x) first, so an
 * exception of f at any element wins over the first failed store. */
typedef struct {
    PyObject *error; /* a normalised exception, or NULL */
} deferred_error;
void deferred_save(deferred_error *deferred);  /* keeps the current exception if it is the first, and clears it */
void deferred_drop(deferred_error *deferred);
int deferred_raise(deferred_error *deferred);  /* -1 with the exception set if there is one, else 0 */

/* runs.c */
PyObject *py_run_map(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_last_asked(PyObject *module, PyObject *unused);
PyObject *py_run_filter(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_run_fold(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_set_threads(PyObject *module, PyObject *object);
PyObject *py_run_pipe(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_run_count(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_arg_extreme(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

/* callback.c */
PyObject *py_call_map(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_call_filter(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

/* captures.c */
PyObject *make_slot_kinds(void);
int are_guards(PyObject *guards);
int are_slots(PyObject *slots);
/* Whether the guards hold and every slot has a number; then `numbers` gets new references. The arguments are what
 * are_guards and are_slots approve. No exception is set. */
int capture(module_state *state, PyObject *function, PyObject *guards, PyObject *slots, PyObject **numbers);
PyObject *py_find(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_capture(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

/* front.c */
int front_prepare(PyObject *module);
PyObject *py_signature(PyObject *module, PyObject *const *args, Py_ssize_t nargs);
PyObject *py_front(PyObject *module, PyObject *const *args, Py_ssize_t nargs);

#endif
