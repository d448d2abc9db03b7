/* Windows that move over a buffer: one result for each. */
#include "windows.h"
#include "buffers.h"
#include "slices.h"
#include "watch.h"
#include "../../vm/arrays/windows.h"
#include "../../vm/parallel.h"

#include <string.h>

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

/* Windows that several threads share. A window's result depends on its elements alone, so each thread begins anew with
 * its first one. */
typedef struct {
    const ao_windows *all;
    enum ao_window what;
    size_t ddof, out_size, room; /* bytes of a result, and of the room of a thread */
    char *rooms, *out;
    int fits[AO_MAX_THREADS];
} rolling;

/* The windows first .. end-1. Those that are partial are all in the range that begins with the first one. */
static ao_windows windows_of(const ao_windows *all, size_t first, size_t end)
{
    ao_windows part = *all;
    const size_t begin = all->partial && first ? first - (all->n - 1) : first;
    const ptrdiff_t size = ao_type_sizes[all->span.type], step = all->span.spacing.stride;
    part.span.data = ao_along(all->span.data, begin, step ? step : size);
    part.span.count = (all->partial ? end : end + all->n - 1) - begin;
    part.partial = all->partial && !first;
    return part;
}

static void roll_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    rolling *r = context;
    const ao_windows windows = windows_of(r->all, first, end);
    r->fits[part] = ao_windows_run(&windows, r->what, r->ddof, r->rooms + part * r->room, r->out + first * r->out_size, watch);
}

static unsigned threads_for(const module_state *state, const ao_windows *windows, size_t count)
{
    const int worth = ao_is_worth_threads(AO_WINDOWS_WORK, count) && windows->n < ao_part_size(count, state->threads) / 2;
    return worth ? state->threads : 1;
}

static int run_windows(const module_state *state, const ao_windows *windows, enum ao_window what, size_t ddof, void *out,
                       size_t out_size)
{
    const size_t count = ao_windows_count(windows);
    unsigned threads = threads_for(state, windows, count);
    const size_t each = threads > 1 ? ao_part_size(count, threads) : count;
    size_t bytes = 0;
    for (size_t first = 0; first < count; first += each) {
        const ao_windows part = windows_of(windows, first, count - first < each ? count : first + each);
        const size_t room = ao_windows_room(&part, what);
        bytes = room > bytes ? room : bytes;
    }
    const int possible = bytes < (size_t)PY_SSIZE_T_MAX / threads - 64;
    bytes = possible ? (bytes + 63) / 64 * 64 : 0;
    rolling r = {.all = windows, .what = what, .ddof = ddof, .out_size = out_size, .room = bytes, .out = out};
    r.rooms = possible ? PyMem_RawMalloc(bytes * threads + 1) : NULL;
    if (!r.rooms) {
        PyErr_NoMemory();
        return -1;
    }
    memset(r.fits, 1, sizeof r.fits);
    watched w;
    run_parts(roll_range, &r, count, threads, watch_begin(&w, windows->span.count));
    const int failed = watch_end(&w) < 0;
    PyMem_RawFree(r.rooms);
    while (threads && r.fits[threads - 1]) {
        threads--;
    }
    if (!failed && threads) {
        PyErr_SetString(PyExc_OverflowError, "the sum of a window does not fit 64 bits");
    }
    return failed || threads ? -1 : 0;
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
    if (result && count && run_windows(state, &windows, (enum ao_window)what, ddof, out.data, ao_type_sizes[out.type]) < 0) {
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
