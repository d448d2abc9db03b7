/* The callback path: any callable, once per element.
 *
 * call_map has the meaning of array(tc, [f(x) for x in a]) and call_filter that of [x for x in a if f(x)]: the callable's
 * exceptions pass through untouched, its results are stored as array.array stores them. The buffers are held, so a
 * callable that resizes its array gets BufferError; one that writes to it is seen by the elements that follow, as in the
 * loop.
 */
#include "glue.h"

#include <string.h>

enum { CHECK_SIGNALS_EVERY = 4096 }; /* calls; a C callable may run for ever without the interpreter looking */

typedef struct {
    PyObject *function;
    PyObject *args;     /* tuple: a buffer or any other object per argument */
    Py_ssize_t nargs;
    ao_array *arrays;   /* one per argument; not held where the argument is no buffer */
    PyObject **values;  /* one free slot in front, for vectorcall */
    const ao_array *first;
} calls;

static int calls_open(calls *c, PyObject *function, PyObject *args)
{
    memset(c, 0, sizeof *c);
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "a tuple of arguments is needed");
        return -1;
    }
    c->function = function;
    c->args = args;
    c->nargs = PyTuple_GET_SIZE(args);
    c->arrays = PyMem_RawCalloc((size_t)c->nargs + 1, sizeof *c->arrays);
    c->values = PyMem_RawCalloc((size_t)c->nargs + 1, sizeof *c->values);
    if (!c->arrays || !c->values) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < c->nargs; i++) {
        PyObject *arg = PyTuple_GET_ITEM(args, i);
        if (PyLong_Check(arg) || PyFloat_Check(arg)) {
            continue; /* the same number at every call */
        }
        if (array_take(arg, &c->arrays[i]) < 0) {
            return -1;
        }
        if (c->first && array_check_lengths(c->first, &c->arrays[i]) < 0) {
            return -1;
        }
        c->first = c->first ? c->first : &c->arrays[i];
    }
    if (!c->first) {
        PyErr_SetString(PyExc_TypeError, "at least one argument must be a buffer");
        return -1;
    }
    return 0;
}

static void calls_close(calls *c)
{
    for (Py_ssize_t i = 0; c->arrays && i < c->nargs; i++) {
        array_release(&c->arrays[i]);
    }
    PyMem_RawFree(c->arrays);
    PyMem_RawFree(c->values);
}

static PyObject *call_at(calls *c, size_t index)
{
    PyObject **values = c->values + 1;
    PyObject *result = NULL;
    Py_ssize_t i = 0;
    for (; i < c->nargs; i++) {
        const ao_array *array = &c->arrays[i];
        if (array->held) {
            values[i] = element_get(array->type, (const char *)array->data + index * ao_type_sizes[array->type]);
        } else {
            values[i] = Py_NewRef(PyTuple_GET_ITEM(c->args, i));
        }
        if (!values[i]) {
            goto done;
        }
    }
    result = PyObject_Vectorcall(c->function, values, (size_t)c->nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
done:
    while (i-- > 0) {
        Py_DECREF(values[i]);
    }
    return result;
}

static int map_element(calls *c, size_t index, ao_array *out, PyObject *scratch, int defer, deferred_error *deferred)
{
    PyObject *value = call_at(c, index);
    if (!value) {
        return -1;
    }
    int status = 0;
    if (!deferred->error) {
        status = element_set(out->type, (char *)out->data + index * ao_type_sizes[out->type], value, scratch);
        if (status < 0 && defer) {
            deferred_save(deferred);
            status = 0;
        }
    }
    Py_DECREF(value);
    return status;
}

static int signals(size_t index)
{
    return index % CHECK_SIGNALS_EVERY == CHECK_SIGNALS_EVERY - 1 ? PyErr_CheckSignals() : 0;
}

/* call_map(function, args, out, defer): fills out. With defer, a store that fails does not stop the calls. */
PyObject *py_call_map(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 4) {
        PyErr_SetString(PyExc_TypeError, "call_map(function, args, out, defer)");
        return NULL;
    }
    calls c;
    ao_array out = {0};
    deferred_error deferred = {0};
    PyObject *scratch = NULL;
    int failed = -1, same = 0;
    if (calls_open(&c, args[0], args[1]) < 0 || array_take_out(args[2], &out) < 0
        || array_check_lengths(c.first, &out) < 0 || array_separate(c.arrays, (size_t)c.nargs, &out, &same) < 0) {
        goto done;
    }
    scratch = array_new(state_of(module), out.typecode, 1);
    if (!scratch) {
        goto done;
    }
    int defer = PyObject_IsTrue(args[3]);
    failed = 0;
    for (size_t i = 0; i < out.count && !failed; i++) {
        failed = map_element(&c, i, &out, scratch, defer, &deferred) < 0 || signals(i) < 0;
    }
    if (!failed) {
        failed = deferred_raise(&deferred);
    }
done:
    deferred_drop(&deferred);
    Py_XDECREF(scratch);
    array_release(&out);
    calls_close(&c);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* call_filter(function, args, lead) -> array of the elements of args[lead] for which the callable is true */
PyObject *py_call_filter(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t lead = nargs == 3 ? PyLong_AsSsize_t(args[2]) : -1;
    if (lead < 0) {
        PyErr_SetString(PyExc_TypeError, "call_filter(function, args, lead)");
        return NULL;
    }
    calls c;
    PyObject *result = NULL;
    char *kept = NULL;
    size_t number = 0;
    if (calls_open(&c, args[0], args[1]) < 0) {
        goto done;
    }
    if (lead >= c.nargs || !c.arrays[lead].held) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be a buffer");
        goto done;
    }
    const ao_array *lead_array = &c.arrays[lead];
    size_t size = ao_type_sizes[lead_array->type];
    kept = PyMem_RawMalloc(lead_array->count * size + 1);
    if (!kept) {
        PyErr_NoMemory();
        goto done;
    }
    for (size_t i = 0; i < lead_array->count; i++) {
        char element[8];
        memcpy(element, (const char *)lead_array->data + i * size, size); /* before the call, which may change it */
        PyObject *value = call_at(&c, i);
        int truth = value ? PyObject_IsTrue(value) : -1;
        Py_XDECREF(value);
        if (truth < 0 || signals(i) < 0) {
            goto done;
        }
        if (truth) {
            memcpy(kept + number++ * size, element, size);
        }
    }
    result = array_of_bytes(state_of(module), lead_array->typecode, kept, number * size);
done:
    PyMem_RawFree(kept);
    calls_close(&c);
    return result;
}
