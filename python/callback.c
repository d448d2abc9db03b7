/* The callback path: any callable, once per element.
 *
 * call_map has the meaning of array(tc, [f(x) for x in a]) and call_filter that of [x for x in a if f(x)]: the callable's
 * exceptions pass through untouched, its results are stored as array.array stores them. The buffers are held, so a
 * callable that resizes its array gets BufferError; one that writes to it is seen by the elements that follow, as in the
 * loop.
 */
#include "runs.h"

#include <string.h>

enum { CHECK_SIGNALS_EVERY = 4096 }; /* calls; a C callable may run for ever without the interpreter looking */

static int signals(size_t index)
{
    return index % CHECK_SIGNALS_EVERY == CHECK_SIGNALS_EVERY - 1 ? watch_breathe() : 0;
}

/* -- map --------------------------------------------------------------------------------------------------------- */

static int map_element(run *r, size_t index, ao_array *out, PyObject *scratch, int defer, deferred_error *deferred)
{
    PyObject *value = run_ask(r, index, NULL);
    if (!value) {
        return -1;
    }
    int status = 0;
    if (!deferred->error) {
        char local[8], *element = out->spacing.stride ? local : (char *)out->data + index * ao_type_sizes[out->type];
        status = element_set(out->type, element, value, scratch);
        if (status == 0 && out->spacing.stride) {
            array_store(out, index, local);
        } else if (status < 0 && defer) {
            deferred_save(deferred);
            status = 0;
        }
    }
    Py_DECREF(value);
    return status;
}

int call_map(run *r, ao_array *out, int defer)
{
    deferred_error deferred = {0};
    int same = 0, failed = 0;
    if (array_check_lengths(&r->arrays[0], out) < 0 || array_separate(r->arrays, r->ninputs, out, &same) < 0) {
        return -1;
    }
    PyObject *scratch = array_new(r->state, out->typecode, 1);
    if (!scratch) {
        return -1;
    }
    for (size_t i = 0; i < out->count && !failed; i++) {
        failed = map_element(r, i, out, scratch, defer, &deferred) < 0 || signals(i) < 0;
    }
    if (!failed) {
        failed = deferred_raise(&deferred);
    }
    deferred_drop(&deferred);
    Py_DECREF(scratch);
    return failed ? -1 : 0;
}

/* -- filter ------------------------------------------------------------------------------------------------------ */

PyObject *call_filter(run *r, Py_ssize_t lead)
{
    const ao_array *source = run_lead(r, lead);
    if (!source) {
        return NULL;
    }
    size_t size = ao_type_sizes[source->type], number = 0;
    ao_array held = {0};
    PyObject *result = array_new(r->state, source->typecode, source->count);
    if (!result || array_take_out(r->state, result, &held) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    for (size_t i = 0; i < source->count; i++) {
        char local[8], element[8];
        memcpy(element, array_element(source, i, local), size); /* before the call, which may change it */
        PyObject *value = run_ask(r, i, NULL);
        int truth = value ? PyObject_IsTrue(value) : -1;
        Py_XDECREF(value);
        if (truth < 0 || signals(i) < 0) {
            array_release(&held);
            Py_DECREF(result);
            return NULL;
        }
        if (truth) {
            memcpy((char *)held.data + number++ * size, element, size);
        }
    }
    array_release(&held);
    if (array_cut(r->state, result, number) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* -- the functions of the module --------------------------------------------------------------------------------- */

static int open_calls(run *r, PyObject *module, PyObject *function, PyObject *args)
{
    run_none(r);
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "a tuple of arguments is needed");
        return -1;
    }
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    return run_take(r, state_of(module), function, ((PyTupleObject *)args)->ob_item, nargs, nargs);
}

/* call_map(function, args, out, defer): fills out. With defer, a store that fails does not stop the calls. */
PyObject *py_call_map(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 4) {
        PyErr_SetString(PyExc_TypeError, "call_map(function, args, out, defer)");
        return NULL;
    }
    run r;
    ao_array out = {0};
    int failed = open_calls(&r, module, args[0], args[1]) < 0 || array_take_out(r.state, args[2], &out) < 0
                 || call_map(&r, &out, PyObject_IsTrue(args[3])) < 0;
    array_release(&out);
    run_close(&r);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* call_filter(function, args, lead) -> array of the elements of args[lead] for which the callable is true */
PyObject *py_call_filter(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 3) {
        PyErr_SetString(PyExc_TypeError, "call_filter(function, args, lead)");
        return NULL;
    }
    run r;
    PyObject *result = NULL;
    if (open_calls(&r, module, args[0], args[1]) == 0) {
        result = call_filter(&r, PyLong_AsSsize_t(args[2]));
    }
    run_close(&r);
    return result;
}
