/* Windows that move over a buffer: one result for each. */
#include "windows.h"
#include "buffers.h"
#include "watch.h"
#include "../../vm/arrays/windows.h"

/* The names of what can be asked for, in the order of enum ao_window. */
static const char *const kinds[AO_WINDOW_KINDS] = {"sum", "mean", "min", "max", "var", "std", "median"};

static int kind_of(PyObject *name)
{
    for (int i = 0; i < AO_WINDOW_KINDS; i++) {
        if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, kinds[i]) == 0) {
            return i;
        }
    }
    PyErr_SetString(PyExc_ValueError, "rolling(): no such figure");
    return -1;
}

static char result_typecode(const ao_array *a, enum ao_window what)
{
    const enum ao_type type = array_number_type(a);
    if (what == AO_WINDOW_MIN || what == AO_WINDOW_MAX) {
        return typecode_row(a->typecode)->given == AO_AS_VIEW ? typecode_of(type, 0) : a->typecode;
    }
    return what != AO_WINDOW_SUM || is_float(type) ? 'd' : type == AO_TYPE_u64 ? 'Q' : 'q';
}

static int run_windows(const ao_windows *windows, enum ao_window what, size_t ddof, void *out)
{
    const size_t bytes = ao_windows_room(windows, what);
    void *room = bytes > PY_SSIZE_T_MAX ? NULL : PyMem_RawMalloc(bytes);
    if (!room) {
        PyErr_NoMemory();
        return -1;
    }
    watched w;
    const int fits = ao_windows_run(windows, what, ddof, room, out, watch_begin(&w, windows->span.count));
    const int failed = watch_end(&w) < 0;
    PyMem_RawFree(room);
    if (!failed && !fits) {
        PyErr_SetString(PyExc_OverflowError, "the sum of a window does not fit 64 bits");
    }
    return failed || !fits ? -1 : 0;
}

/* rolling(buffer, n, partial, what, ddof) -> array of what is asked for of each window of n elements, at least 1 and below
 * 2**31; with partial also of the first 1 to n - 1. Truth values are 0 and 1, extremes of what array has no type for are as
 * the machine has them. */
static PyObject *py_rolling(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a, out;
    if (!has_args(nargs, 5, "rolling(buffer, n, partial, what, ddof)")) {
        return NULL;
    }
    ao_windows windows = {.isa = state->isa, .n = PyLong_AsSize_t(args[1]), .partial = PyObject_IsTrue(args[2]) > 0};
    const int what = PyErr_Occurred() ? -1 : kind_of(args[3]);
    const size_t ddof = what < 0 ? 0 : PyLong_AsSize_t(args[4]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (windows.n < 1 || windows.n >= AO_LONGEST_WINDOW) {
        return PyErr_Format(PyExc_ValueError, "a window must have 1 to 2**31 - 1 elements");
    }
    if (array_take(state, args[0], &a) < 0) {
        return NULL;
    }
    windows.span = array_span(&a);
    if (windows.partial && windows.n > a.count) {
        windows.n = a.count ? a.count : 1; /* all of them are partial ones */
    }
    const size_t count = ao_windows_count(&windows);
    PyObject *result = array_new_out(state, result_typecode(&a, (enum ao_window)what), count, &out);
    if (result && count && run_windows(&windows, (enum ao_window)what, ddof, out.data) < 0) {
        Py_CLEAR(result);
    }
    array_release(&out);
    array_release(&a);
    return result;
}

PyMethodDef windows_methods[] = {
    FAST_FUNCTION("rolling", py_rolling),
    END_OF_FUNCTIONS,
};
