/* Sum, smallest and largest element of a buffer. */
#include "reductions.h"
#include "buffers.h"
#include "numbers.h"
#include "watch.h"
#include "../../vm/arrays/reduce.h"

PyObject *sum_of(PyObject *module, PyObject *object)
{
    const ao_isa *isa = state_of(module)->isa;
    ao_array a;
    if (array_take(state_of(module), object, &a) < 0) {
        return NULL;
    }
    int known = 1;
    int64_t high = 0;
    uint64_t low = 0;
    double sum = 0;
    watched w;
    const ao_span span = array_span(&a);
    ao_watch *watch = watch_begin(&w, a.count);
    if (is_float(a.type)) {
        known = ao_span_sum_float(isa, &span, &sum, watch);
    } else {
        ao_span_sum_int(isa, &span, &high, &low, watch);
    }
    const int stopped = watch_end(&w) < 0;
    array_release(&a);
    if (stopped) {
        return NULL;
    }
    if (!known) {
        return Py_NewRef(Py_None);
    }
    return is_float(a.type) ? PyFloat_FromDouble(sum) : int_of_halves(high, low);
}

/* Of the element that min() or max() of a buffer returns its value, or with `index` its index; None if it is empty. */
static PyObject *find_extreme(PyObject *module, PyObject *object, int largest, int index)
{
    ao_array a;
    if (array_take(state_of(module), object, &a) < 0) {
        return NULL;
    }
    if (!a.count) {
        array_release(&a);
        return Py_NewRef(Py_None);
    }
    char element[8];
    watched w;
    const ao_span span = array_span(&a);
    const size_t at = ao_span_extreme(state_of(module)->isa, &span, largest, element, watch_begin(&w, a.count));
    PyObject *result = NULL;
    if (watch_end(&w) == 0) {
        result = index ? PyLong_FromSize_t(at) : element_get(a.type, element);
    }
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
