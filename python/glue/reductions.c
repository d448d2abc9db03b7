/* Sum, smallest and largest element of a buffer. */
#include "reductions.h"
#include "buffers.h"
#include "numbers.h"
#include "slices.h"
#include "watch.h"
#include "../../vm/arrays/reduce.h"
#include "../../vm/parallel.h"

#include <string.h>

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
static PyObject *find_extreme(PyObject *module, PyObject *object, int largest, int index)
{
    const module_state *state = state_of(module);
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
