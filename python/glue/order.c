/* Order: sorting a buffer in place, its distinct elements, the elements at a place of the sorted order. */
#include "order.h"
#include "buffers.h"
#include "numbers.h"
#include "../../vm/arrays/sort.h"

/* Memory for n elements beside the array; NULL with MemoryError. */
static void *scratch_for(const ao_array *a)
{
    void *scratch = PyMem_RawMalloc(a->count * ao_type_sizes[a->type] + 1);
    if (!scratch) {
        PyErr_NoMemory();
    }
    return scratch;
}

/* sort(buffer): in place; nans last */
static PyObject *py_sort(PyObject *module, PyObject *object)
{
    ao_array a;
    if (array_take_out(state_of(module), object, &a) < 0) {
        return NULL;
    }
    void *to = a.data, *scratch = NULL;
    const ao_spacing spacing = a.spacing;
    const int failed = (spacing.stride && array_make_private(&a) < 0) || !(scratch = scratch_for(&a));
    if (!failed) {
        Py_BEGIN_ALLOW_THREADS
        ao_sort(a.type, a.data, scratch, a.count);
        if (spacing.stride) {
            ao_scatter(to, spacing, a.data, ao_type_sizes[a.type], a.count);
        }
        Py_END_ALLOW_THREADS
    }
    PyMem_RawFree(scratch);
    array_release(&a);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* reverse(buffer): in place */
static PyObject *py_reverse(PyObject *module, PyObject *object)
{
    ao_array a;
    if (array_take_out(state_of(module), object, &a) < 0) {
        return NULL;
    }
    char *scratch = scratch_for(&a);
    const int failed = !scratch;
    if (!failed && a.count) {
        const ptrdiff_t size = ao_type_sizes[a.type], step = array_step(&a);
        char *const last = (char *)a.data + (ptrdiff_t)(a.count - 1) * step;
        Py_BEGIN_ALLOW_THREADS
        ao_gather(scratch, a.data, (ao_spacing){step, 0}, (size_t)size, a.count); /* the byte order may stay as it is */
        ao_scatter(last, (ao_spacing){-step, 0}, scratch, (size_t)size, a.count);
        Py_END_ALLOW_THREADS
    }
    PyMem_RawFree(scratch);
    array_release(&a);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* unique(array.array that nobody else has) -> itself, sorted, with the first of each run of equal elements only */
static PyObject *py_unique(PyObject *module, PyObject *object)
{
    module_state *state = state_of(module);
    ao_array a;
    PyObject *sorted = py_sort(module, object);
    if (!sorted || array_take_out(state, object, &a) < 0) {
        Py_XDECREF(sorted);
        return NULL;
    }
    Py_DECREF(sorted);
    size_t count;
    Py_BEGIN_ALLOW_THREADS
    count = ao_unique(a.type, a.data, a.count);
    Py_END_ALLOW_THREADS
    array_release(&a);
    return array_cut(state, object, count) < 0 ? NULL : Py_NewRef(object);
}

static int has_nan(const ao_array *a)
{
    unsigned found = 0;
    if (a->type == AO_TYPE_f64) {
        for (size_t i = 0; i < a->count; i++) {
            const double x = ((const double *)a->data)[i];
            found |= x != x;
        }
    } else if (a->type == AO_TYPE_f32) {
        for (size_t i = 0; i < a->count; i++) {
            const float x = ((const float *)a->data)[i];
            found |= x != x;
        }
    }
    return found != 0;
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
    int odd = 0;
    if (k >= a.count || (two && k + 1 >= a.count)) {
        PyErr_SetString(PyExc_ValueError, "select(): no such place");
    } else if ((!a.spacing.stride || array_make_private(&a) == 0) && (scratch = scratch_for(&a))) {
        Py_BEGIN_ALLOW_THREADS
        odd = has_nan(&a);
        if (!odd) {
            ao_select(a.type, a.data, scratch, a.count, k, kth, two ? next : NULL);
        }
        Py_END_ALLOW_THREADS
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
