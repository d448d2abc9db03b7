/* Sum, smallest and largest element of a buffer. */
#include "reductions.h"
#include "buffers.h"
#include "numbers.h"
#include "slices.h"
#include "watch.h"
#include "../../vm/arrays/reduce.h"
#include "../../vm/parallel.h"

#include <string.h>

static PyObject *sum_taken(const module_state *state, const ao_array *a)
{
    const ao_isa *isa = state->isa;
    int known = 1;
    int64_t high = 0;
    uint64_t low = 0;
    double sum = 0;
    watched w;
    const ao_span span = array_span(a);
    ao_watch *watch = watch_begin(&w, a->count);
    if (is_float(a->type)) {
        known = ao_span_sum_float(isa, &span, &sum, watch);
    } else {
        ao_span_sum_int(isa, &span, &high, &low, watch);
    }
    if (watch_end(&w) < 0) {
        return NULL;
    }
    if (!known) {
        return Py_NewRef(Py_None);
    }
    return is_float(a->type) ? PyFloat_FromDouble(sum) : int_of_halves(high, low);
}

PyObject *sum_of(const module_state *state, PyObject *object)
{
    ao_array a;
    if (array_take(state, object, &a) < 0) {
        return NULL;
    }
    PyObject *sum = sum_taken(state, &a);
    array_release(&a);
    return sum;
}

/* Whether each int is a double: short ones are, and few long ones are looked at. */
static int are_doubles(const module_state *state, const ao_array *a)
{
    enum { FEW = 4096 };
    const int64_t most = INT64_C(1) << 53;
    ao_watch nobody = {0};
    if (ao_type_sizes[a->type] < sizeof(double)) {
        return 1;
    }
    const ao_span span = array_span(a);
    for (int largest = 0; largest < 2 && a->count <= FEW; largest++) {
        int64_t element;
        ao_span_extreme(state->isa, &span, largest, &element, &nobody);
        if (element > most || (a->type == AO_TYPE_u64 ? element < 0 : element < -most)) { /* from 2^63 on they are below 0 here */
            return 0;
        }
    }
    return a->count <= FEW;
}

/* The sum is divided as a float, as statistics.fmean() does: two roundings. It rounds each int before, which those that are
 * doubles do not show. */
PyObject *mean_of(const module_state *state, PyObject *object)
{
    ao_array a;
    if (array_take(state, object, &a) < 0) {
        return NULL;
    }
    const size_t count = a.count;
    const int known = count && (is_float(a.type) || are_doubles(state, &a));
    PyObject *sum = known ? sum_taken(state, &a) : Py_NewRef(Py_None);
    array_release(&a);
    if (!sum || sum == Py_None) {
        return sum;
    }
    const double total = PyFloat_CheckExact(sum) ? PyFloat_AS_DOUBLE(sum) : PyLong_AsDouble(sum);
    Py_DECREF(sum);
    return total == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(total / (double)count);
}

/* A search that threads share: what each has found in its part. */
typedef struct {
    const ao_isa *isa;
    const ao_span *span;
    int largest;
    struct {
        int found;
        size_t place;
        char element[8];
    } parts[AO_MAX_THREADS];
} extreme_search;

static void search_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    extreme_search *s = context;
    const ao_span span = span_part(s->span, first, end);
    char *const element = s->parts[part].element;
    if (part) {
        s->parts[part].found = ao_span_extreme_behind(s->isa, &span, s->largest, element, &s->parts[part].place, watch);
        s->parts[part].place += first;
    } else {
        s->parts[0].place = ao_span_extreme(s->isa, &span, s->largest, element, watch);
    }
}

/* As ao_span_extreme, by several threads: of equal ones the first part's. */
static size_t extreme_shared(const ao_isa *isa, const ao_span *span, int largest, char element[8], unsigned threads,
                             ao_watch *watch)
{
    extreme_search s = {.isa = isa, .span = span, .largest = largest};
    unsigned best = 0;
    run_parts(search_range, &s, span->count, threads, watch);
    for (unsigned part = 1; part < threads; part++) {
        if (s.parts[part].found && ao_goes_before(span->type, s.parts[part].element, s.parts[best].element, largest)) {
            best = part;
        }
    }
    memcpy(element, s.parts[best].element, sizeof s.parts[best].element);
    return s.parts[best].place;
}

/* Of the element that min() or max() of a buffer returns its value, or with `index` its index; None if it is empty. */
static PyObject *find_extreme(const module_state *state, PyObject *object, int largest, int index)
{
    ao_array a;
    if (array_take(state, object, &a) < 0) {
        return NULL;
    }
    if (!a.count) {
        array_release(&a);
        return Py_NewRef(Py_None);
    }
    char element[8];
    watched w;
    const ao_span span = array_span(&a);
    ao_watch *watch = watch_begin(&w, a.count);
    const unsigned threads = ao_is_worth_threads(AO_READING_WORK, a.count) ? state->threads : 1;
    const size_t at = threads > 1 ? extreme_shared(state->isa, &span, largest, element, threads, watch)
                                  : ao_span_extreme(state->isa, &span, largest, element, watch);
    PyObject *result = NULL;
    if (watch_end(&w) == 0) {
        result = index ? PyLong_FromSize_t(at) : element_get(a.type, element);
    }
    array_release(&a);
    return result;
}

PyObject *extreme_of(const module_state *state, PyObject *object, int largest)
{
    return find_extreme(state, object, largest, 0);
}

/* Of few elements, which are in cache when they are read again. */
PyObject *extremes_of(const module_state *state, PyObject *object)
{
    enum { FEW = 4096 };
    if (PyObject_Size(object) > FEW) {
        return Py_NewRef(Py_None);
    }
    PyObject *low = PyErr_Occurred() ? NULL : extreme_of(state, object, 0);
    PyObject *high = low && low != Py_None ? extreme_of(state, object, 1) : Py_XNewRef(low);
    PyObject *both = high && high != Py_None ? PyTuple_Pack(2, low, high) : Py_XNewRef(high);
    Py_XDECREF(low);
    Py_XDECREF(high);
    return both;
}

/* arg_extreme(buffer, largest) -> index, or None */
static PyObject *py_arg_extreme(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 2, "arg_extreme(buffer, largest)")) {
        return NULL;
    }
    return find_extreme(state_of(module), args[0], PyObject_IsTrue(args[1]), 1);
}

PyMethodDef reductions_methods[] = {
    FAST_FUNCTION("arg_extreme", py_arg_extreme),
    END_OF_FUNCTIONS,
};
