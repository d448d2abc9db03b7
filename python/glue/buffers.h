/* The buffers of a call: taken, checked, released; and new arrays for results. */
#ifndef AO_GLUE_BUFFERS_H
#define AO_GLUE_BUFFERS_H

#include "state.h"

/* One buffer of a call: 1-D, of a supported format, held until array_release. */
typedef struct {
    Py_buffer view;
    enum ao_type type;
    char typecode; /* the letter of what an element is: typecodes.h */
    size_t count;
    void *data;    /* its first element, or that of a private copy */
    ao_spacing spacing;
    void *copy;    /* or NULL */
    PyObject *array; /* an array.array that is held by itself, without the view; or NULL */
    int held;      /* the view or the array is to be released */
    int guarded;   /* the view is taken and released under a lock of ours */
} ao_array;

/* The fields of array.array (CPython's Modules/arraymodule.c, the same since Python 2.7), for which there is no C API. Used
 * only if know_arrays() found each in its place; else all goes by the buffer protocol, slower. With them an array is taken
 * in 2 instead of 25 ns, and a new one is not filled with zeros first. */
typedef struct {
    PyObject_VAR_HEAD
    char *items;
    Py_ssize_t allocated;
    const struct {
        char typecode;
        int itemsize;
    } *row;
    PyObject *weakrefs;
    Py_ssize_t exports; /* buffers taken: it cannot be resized until they are released */
} array_object;

/* An array.array as it is now, which holds until somebody else runs. */
typedef struct {
    enum ao_type type;
    char typecode;
    size_t count;
    void *data;
} array_look;
/* 0 if it is none, or of elements that are not taken in. Only where state->knows_arrays. */
static inline int array_look_at(const module_state *state, PyObject *object, array_look *look)
{
    if (!Py_IS_TYPE(object, (PyTypeObject *)state->array_type)) {
        return 0;
    }
    const array_object *a = (const array_object *)object;
    const char letter = a->row->typecode;
    const int type = state->array_types[letter & 127] - 1;
    *look = (array_look){(enum ao_type)type, letter, (size_t)Py_SIZE(a), a->items};
    return type >= 0;
}

/* For reading. NumPy's masked arrays are refused: their mask would be lost. */
int array_take(const module_state *state, PyObject *object, ao_array *array);
int array_take_out(const module_state *state, PyObject *object, ao_array *array); /* for writing */
int is_masked_array(const module_state *state, PyObject *object);
/* By the one string of that name: Python's cache of attributes keeps each string that it is asked for. */
int has_attribute(PyObject *object, const char *name);
int refuse_masked_array(const module_state *state, PyObject *object); /* -1 if it is one */
void array_let_go(ao_array *array);
static inline void array_release(ao_array *array)
{
    if (array->held || array->copy) {
        array_let_go(array);
    }
}
static inline void array_none(ao_array *array) /* one that array_release leaves alone */
{
    array->copy = NULL;
    array->held = 0;
}
/* Gives the machine its own copy of the data, side by side (an input that overlaps the output). */
int array_make_private(ao_array *array);
/* Bytes of an element in memory. */
static inline size_t array_size(const ao_array *array)
{
    return ao_size_in_memory(array->type, array->spacing.form);
}
/* Bytes from one element to the next. */
static inline ptrdiff_t array_step(const ao_array *array)
{
    return array->spacing.stride ? array->spacing.stride : (ptrdiff_t)ao_type_sizes[array->type];
}
/* The type that programs are compiled for. */
static inline unsigned array_stored(const ao_array *array)
{
    return stored_type(array->type, array->spacing.form);
}
/* Truth values are numbers to vm/arrays, which has no kernels for b1: gathered, they are 0 and 1. */
static inline enum ao_type array_number_type(const ao_array *array)
{
    return array->type == AO_TYPE_b1 ? AO_TYPE_u8 : array->type;
}
static inline ao_span array_span(const ao_array *array)
{
    return (ao_span){array->data, array->spacing, array_number_type(array), array->count};
}
/* The elements first .. end-1 of a span. */
static inline ao_span span_part(const ao_span *span, size_t first, size_t end)
{
    const ptrdiff_t step = span->spacing.stride ? span->spacing.stride : (ptrdiff_t)ao_type_sizes[span->type];
    return (ao_span){ao_along(span->data, first, step), span->spacing, span->type, end - first};
}
const void *array_spaced_element(const ao_array *array, size_t i, void *local);
/* Element i as the machine has it: its address, or that of `local` (8 bytes), where it was copied to. */
static inline const void *array_element(const ao_array *array, size_t i, void *local)
{
    return array->spacing.stride ? array_spaced_element(array, i, local)
                                 : (const char *)array->data + i * ao_type_sizes[array->type];
}
/* Stores what element_set() made of it at `local` as element i. */
void array_store(const ao_array *array, size_t i, const void *local);
/* Whether elements of both are in the same memory. */
int array_overlaps(const ao_array *a, const ao_array *b);
/* Inputs that share memory with the output, other than element for element, get copies. *same is set to 1 if one is the
 * output itself. */
int array_separate(ao_array *inputs, size_t number, const ao_array *out, int *same);
int array_check_lengths(const ao_array *first, const ao_array *other);
/* Sets type, typecode and byte order from a format. size: of an element in bytes, or 0: what struct says. TypeError. */
int format_parse(const char *format, Py_ssize_t size, ao_array *array);

/* The row of a typecode that an array of results can have, from its name; NULL with ValueError or TypeError. */
const ao_typecode *typecode_from(PyObject *name);
/* A new array.array of such a typecode, or a View. Its elements are uninitialised memory: write all of them before the array is
 * returned to Python. */
PyObject *array_new(const module_state *state, char typecode, size_t count);
/* An array.array of one element for element_set: of the typecode, or where array has none such of its machine type. */
PyObject *array_scratch(const module_state *state, char typecode);
/* The same, also taken for writing. */
PyObject *array_new_out(const module_state *state, char typecode, size_t count, ao_array *array);
/* New memory that nobody has written to, in large pages if there is much of it and the system has such. NULL stays so. */
void *with_large_pages(void *memory, size_t bytes);
/* Keeps the first `count` elements of what array_new made and nobody else has. */
int array_cut(const module_state *state, PyObject *array, size_t count);

int buffers_prepare(module_state *state); /* makes what array_new needs */
extern PyMethodDef buffers_methods[];

/* Of the bits of a validity bitmap: 0 for an element that is null. */
static inline int validity_bit(const uint8_t *bits, size_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

#endif
