/* Elements as Python numbers and back, and what becomes of results that their array cannot hold. */
#ifndef AO_GLUE_NUMBERS_H
#define AO_GLUE_NUMBERS_H

#include "state.h"

PyObject *element_get(enum ao_type type, const void *element);
/* Stores what is plainly a number of the type. 0 if it is not, for element_set() to say what becomes of it. */
int element_set_plain(enum ao_type type, void *element, PyObject *value);
/* Stores a Python object in an element exactly as array.array does, with its exceptions. `scratch` is an array.array of
 * one element of that typecode. */
int element_set(enum ao_type type, void *element, PyObject *value, PyObject *scratch);
/* The same for an element that will be scattered to a form (vm.h): what does not fit that is an OverflowError, with struct's
 * words; any object has a truth. `scratch` is of the machine's type. */
int element_set_form(enum ao_type type, unsigned form, void *element, PyObject *value, PyObject *scratch);
/* The number as a machine value; 0 if the type holds it exactly, 1 if not, -1 on error. */
int number_to_value(enum ao_type type, PyObject *number, ao_value *value);
/* Whether it is an int that no machine type holds. */
int number_is_big(PyObject *number);
PyObject *value_to_number(enum ao_type type, ao_value value);
/* An attribute. Its name is interned: the interpreter remembers names that were looked up, and another string at each call
 * would be another one. */
PyObject *attribute(PyObject *object, const char *name);
/* Two's complement numbers: of bytes, the lowest first, and of two halves. */
PyObject *int_of_bytes(const uint8_t *bytes, size_t size);
PyObject *int_of_halves(int64_t high, uint64_t low);

/* A store that failed while the evaluation must go on: array(tc, [f(x) for x in a]) evaluates every f(x) first, so an
 * exception of f at any element wins over the first failed store. */
typedef struct {
    PyObject *error; /* a normalised exception, or NULL */
} deferred_error;
void deferred_save(deferred_error *deferred);  /* keeps the current exception if it is the first, and clears it */
void deferred_drop(deferred_error *deferred);
int deferred_raise(deferred_error *deferred);  /* -1 with the exception set if there is one, else 0 */

/* How results of Python are stored. */
typedef struct {
    enum ao_type type;
    unsigned form;
    PyObject *scratch;        /* array.array of one element of the type, for whoever opens this to make and drop */
    int defer;                /* go on after a failed store, whose exception then says what typecode to ask for */
    deferred_error deferred;
    const uint8_t *valid;     /* bits, or NULL: an element whose bit is 0 is null, and nobody is asked for it */
} store_policy;
/* Adds what typecode to ask for to the words of the exception, which are array.array's: this value is not one of the type. */
void say_remedy(enum ao_type type, PyObject *value);
/* 0: stored; 1: it failed, and the exception is kept for later; -1: exception. Either says which element it is. */
int store_result(store_policy *policy, void *element, PyObject *value, size_t index);
/* Adds a note to the current exception: which element it is about. */
void note_element(size_t index);

#endif
