/* The callback path: any callable, once per element.
 *
 * call_map has the meaning of array(tc, [f(x) for x in a]) and call_filter that of [x for x in a if f(x)]: the callable's
 * exceptions pass through untouched, its results are stored as array.array stores them. The buffers are held, so a
 * callable that resizes its array gets BufferError; one that writes to it is seen by the elements that follow, as in the
 * loop.
 */
#include "callback.h"
#include "watch.h"
#include "numbers.h"
#include "validity.h"

#include <string.h>

enum { CHECK_SIGNALS_EVERY = 4096 }; /* calls; a C callable may run for ever without the interpreter looking */

static int signals(size_t index)
{
    return index % CHECK_SIGNALS_EVERY == CHECK_SIGNALS_EVERY - 1 ? watch_breathe() : 0;
}

/* -- map --------------------------------------------------------------------------------------------------------- */

static void set_zero(ao_array *out, size_t index)
{
    const char zero[8] = {0};
    array_store(out, index, zero);
}

static int map_element(run *r, size_t index, ao_array *out, store_policy *policy)
{
    if (policy->valid && !validity_bit(policy->valid, index)) {
        set_zero(out, index);
        return 0;
    }
    PyObject *value = run_ask(r, index, NULL);
    if (!value) {
        return -1;
    }
    int status = 0;
    if (!policy->deferred.error) {
        char local[8], *element = out->spacing.stride ? local : (char *)out->data + index * ao_type_sizes[out->type];
        status = store_result(policy, element, value, index);
        if (status == 0 && out->spacing.stride) {
            array_store(out, index, local);
        }
    }
    Py_DECREF(value);
    return status < 0 ? -1 : 0;
}

int call_map(run *r, ao_array *out, int defer, const uint8_t *valid)
{
    store_policy policy = {.type = out->type, .form = out->spacing.form, .defer = defer, .valid = valid};
    int same = 0, failed = 0;
    if (array_check_lengths(&r->arrays[0], out) < 0 || array_separate(r->arrays, r->ninputs, out, &same) < 0) {
        return -1;
    }
    policy.scratch = array_scratch(r->state, out->typecode);
    if (!policy.scratch) {
        return -1;
    }
    for (size_t i = 0; i < out->count && !failed; i++) {
        failed = map_element(r, i, out, &policy) < 0 || signals(i) < 0;
    }
    if (!failed) {
        failed = deferred_raise(&policy.deferred);
    }
    deferred_drop(&policy.deferred);
    Py_DECREF(policy.scratch);
    return failed ? -1 : 0;
}

/* -- filter ------------------------------------------------------------------------------------------------------ */

/* Whether the callable is true for each element, one after the other. 0, or -1. */
static int call_truth(run *r, uint8_t *mask)
{
    for (size_t i = 0; i < r->count; i++) {
        PyObject *value = run_ask(r, i, NULL);
        const int truth = value ? PyObject_IsTrue(value) : -1;
        Py_XDECREF(value);
        if (truth < 0 || signals(i) < 0) {
            return -1;
        }
        mask[i] = (uint8_t)truth;
    }
    return 0;
}

static PyObject *call_mask(run *r)
{
    ao_array held;
    PyObject *result = array_new_out(r->state, 'B', r->count, &held);
    if (result) {
        const int failed = call_truth(r, held.data) < 0;
        array_release(&held);
        if (failed) {
            Py_CLEAR(result);
        }
    }
    return result;
}

/* Copies the elements for which the callable is true to `kept`; their number, or -1. */
static Py_ssize_t keep(run *r, const ao_array *source, const ao_array *kept)
{
    const size_t size = ao_type_sizes[source->type];
    size_t number = 0;
    for (size_t i = 0; i < source->count; i++) {
        char local[8], element[8];
        memcpy(element, array_element(source, i, local), size); /* before the call, which may change it */
        PyObject *value = run_ask(r, i, NULL);
        int truth = value ? PyObject_IsTrue(value) : -1;
        Py_XDECREF(value);
        if (truth < 0 || signals(i) < 0) {
            return -1;
        }
        if (truth) {
            array_store(kept, number++, element);
        }
    }
    return (Py_ssize_t)number;
}

PyObject *call_filter(run *r, Py_ssize_t lead)
{
    if (lead < 0) {
        return call_mask(r);
    }
    const ao_array *source = run_lead(r, lead);
    ao_array held;
    PyObject *result = source ? array_new_out(r->state, source->typecode, source->count, &held) : NULL;
    if (!result) {
        return NULL;
    }
    const Py_ssize_t number = keep(r, source, &held);
    array_release(&held);
    if (number < 0 || array_cut(r->state, result, (size_t)number) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* -- the functions of the module --------------------------------------------------------------------------------- */

/* call_map(function, args, out, defer, bits or None): fills out, but for what is null. With defer, a store that fails does not stop the calls. */
static PyObject *py_call_map(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 5, "call_map(function, args, out, defer, bits)")) {
        return NULL;
    }
    run r;
    ao_array out, bits;
    array_none(&out);
    array_none(&bits);
    int failed = run_open_calls(&r, module, args[0], args[1]) < 0 || array_take_out(r.state, args[2], &out) < 0
                 || validity_take(r.state, args[4], r.count, &bits) < 0
                 || call_map(&r, &out, PyObject_IsTrue(args[3]), bits.data) < 0;
    array_release(&bits);
    array_release(&out);
    run_close(&r);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* call_filter(function, args, lead) -> array of the elements of args[lead] for which the callable is true; -1 for lead: of
 * its truth for each, 1 or 0 */
static PyObject *py_call_filter(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 3, "call_filter(function, args, lead)")) {
        return NULL;
    }
    run r;
    PyObject *result = run_open_calls(&r, module, args[0], args[1]) < 0 ? NULL : call_filter(&r, PyLong_AsSsize_t(args[2]));
    run_close(&r);
    return result;
}

PyMethodDef callback_methods[] = {
    FAST_FUNCTION("call_map", py_call_map),
    FAST_FUNCTION("call_filter", py_call_filter),
    END_OF_FUNCTIONS,
};
