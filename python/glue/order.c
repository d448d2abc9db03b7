/* Order: sorting a buffer in place, its distinct elements, the elements at a place of the sorted order. */
#include "order.h"
#include "watch.h"
#include "buffers.h"
#include "numbers.h"
#include "../../vm/arrays/reduce.h"
#include "../../vm/arrays/sort.h"

/* Memory for `times` as many elements as the array has; NULL with MemoryError. */
static void *scratch_for(const ao_array *a, size_t times)
{
    const size_t size = ao_type_sizes[a->type];
    void *scratch = a->count > PY_SSIZE_T_MAX / size / times ? NULL : PyMem_RawMalloc(times * a->count * size + 1);
    if (!scratch) {
        PyErr_NoMemory();
    }
    return scratch;
}

/* sort(buffer): in place; nans last. It is sorted aside, so an interruption leaves it as it was. */
static PyObject *py_sort(PyObject *module, PyObject *object)
{
    ao_array a;
    if (array_take_out(state_of(module), object, &a) < 0) {
        return NULL;
    }
    void *room = scratch_for(&a, 2);
    int failed = !room;
    if (!failed) {
        watched w;
        ao_sort_shared(a.type, a.data, a.spacing, room, a.count, watch_begin(&w, a.count));
        failed = watch_end(&w);
    }
    PyMem_RawFree(room);
    array_release(&a);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* reverse(buffer): in place */
static PyObject *py_reverse(PyObject *module, PyObject *object)
{
    ao_array a;
    watched w;
    if (array_take_out(state_of(module), object, &a) < 0) {
        return NULL;
    }
    ao_reverse(a.data, array_step(&a), ao_type_sizes[a.type], a.count, watch_begin(&w, a.count));
    const int failed = watch_end(&w);
    array_release(&a);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* unique(array.array that nobody else has) -> itself, sorted, with the first of each run of equal elements only */
static PyObject *py_unique(PyObject *module, PyObject *object)
{
    module_state *state = state_of(module);
    ao_array a;
    if (array_take_out(state, object, &a) < 0) {
        return NULL;
    }
    size_t count = 0;
    void *scratch = scratch_for(&a, 1);
    int failed = !scratch;
    if (!failed) {
        watched w;
        ao_watch *watch = watch_begin(&w, a.count);
        ao_sort(a.type, a.data, scratch, a.count, watch);
        count = ao_unique(a.type, a.data, a.count, watch);
        failed = watch_end(&w);
    }
    PyMem_RawFree(scratch);
    array_release(&a);
    return failed || array_cut(state, object, count) < 0 ? NULL : Py_NewRef(object);
}

/* select(buffer, k, two) -> list of the element at place k of the sorted buffer, and with `two` of the next; None if there
 * is a nan. */
static PyObject *py_select(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    ao_array a;
    char kth[8], next[8];
    if (!has_args(nargs, 3, "select(buffer, k, two)")) {
        return NULL;
    }
    const size_t k = PyLong_AsSize_t(args[1]);
    const int two = PyObject_IsTrue(args[2]);
    if (PyErr_Occurred() || array_take(state_of(module), args[0], &a) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    void *scratch = NULL;
    int odd = 0, failed = -1;
    if (k >= a.count || (two && k + 1 >= a.count)) {
        PyErr_SetString(PyExc_ValueError, "select(): no such place");
    } else if ((!a.spacing.stride || array_make_private(&a) == 0) && (scratch = scratch_for(&a, 1))) {
        watched w;
        ao_watch *watch = watch_begin(&w, a.count);
        const ao_span span = array_span(&a);
        odd = ao_span_has_nan(&span, watch);
        if (!odd && !watch->stopped) {
            ao_select(a.type, a.data, scratch, a.count, k, kth, two ? next : NULL, watch);
        }
        failed = watch_end(&w);
    }
    if (!failed) {
        PyObject *first = odd ? NULL : element_get(a.type, kth);
        PyObject *second = first && two ? element_get(a.type, next) : NULL;
        if (odd) {
            result = Py_NewRef(Py_None);
        } else if (first && !two) {
            result = Py_BuildValue("[O]", first);
        } else if (second) {
            result = Py_BuildValue("[O O]", first, second);
        }
        Py_XDECREF(first);
        Py_XDECREF(second);
    }
    PyMem_RawFree(scratch);
    array_release(&a);
    return result;
}

PyMethodDef order_methods[] = {
    ONE_ARGUMENT("sort", py_sort),
    ONE_ARGUMENT("reverse", py_reverse),
    ONE_ARGUMENT("unique", py_unique),
    FAST_FUNCTION("select", py_select),
    END_OF_FUNCTIONS,
};
