/* Sum, smallest and largest element of a buffer. */
#include "reductions.h"
#include "buffers.h"
#include "numbers.h"

PyObject *sum_of(PyObject *module, PyObject *object)
{
    const ao_isa *isa = state_of(module)->isa;
    ao_array a;
    if (array_take_dense(state_of(module), object, &a) < 0) {
        return NULL;
    }
    int known = 1;
    int64_t high = 0;
    uint64_t low = 0;
    double sum = 0;
    PyThreadState *thread = a.count >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
    if (is_float(a.type)) {
        known = ao_sum_float(isa, a.type, a.data, a.count, &sum);
    } else {
        ao_sum_int(isa, a.type, a.data, a.count, &high, &low);
    }
    if (thread) {
        PyEval_RestoreThread(thread);
    }
    array_release(&a);
    if (!known) {
        return Py_NewRef(Py_None);
    }
    return is_float(a.type) ? PyFloat_FromDouble(sum) : int_of_halves(high, low);
}

/* Of the element that min() or max() of a buffer returns its value, or with `index` its index; None if it is empty. */
static PyObject *find_extreme(PyObject *module, PyObject *object, int largest, int index)
{
    ao_array a;
    if (array_take_dense(state_of(module), object, &a) < 0) {
        return NULL;
    }
    if (!a.count) {
        array_release(&a);
        return Py_NewRef(Py_None);
    }
    PyThreadState *thread = a.count >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
    size_t at = ao_extreme(state_of(module)->isa, a.type, a.data, a.count, largest);
    if (thread) {
        PyEval_RestoreThread(thread);
    }
    PyObject *result = index ? PyLong_FromSize_t(at)
                             : element_get(a.type, (const char *)a.data + at * ao_type_sizes[a.type]);
    array_release(&a);
    return result;
}

PyObject *extreme_of(PyObject *module, PyObject *object, int largest)
{
    return find_extreme(module, object, largest, 0);
}

/* arg_extreme(buffer, largest) -> index, or None */
static PyObject *py_arg_extreme(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 2, "arg_extreme(buffer, largest)")) {
        return NULL;
    }
    return find_extreme(module, args[0], PyObject_IsTrue(args[1]), 1);
}

PyMethodDef reductions_methods[] = {
    FAST_FUNCTION("arg_extreme", py_arg_extreme),
    END_OF_FUNCTIONS,
};
