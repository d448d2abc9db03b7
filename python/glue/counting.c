/* Counting: elements by bins, keys by their numbers, weights added up by keys. */
#include "counting.h"
#include "buffers.h"
#include "numbers.h"
#include "slices.h"
#include "watch.h"
#include "../../vm/arrays/counting.h"
#include "../../vm/arrays/groups.h"
#include "../../vm/arrays/reduce.h"
#include "../../vm/parallel.h"

#include <string.h>

/* Zeroed memory for so many elements; NULL with MemoryError. */
static void *zeros(size_t count, size_t size)
{
    void *memory = PyMem_RawCalloc(count ? count : 1, size);
    if (!memory) {
        PyErr_NoMemory();
    }
    return memory;
}

/* An empty array has no memory, and memset() must have some. */
static void set_to_0(void *memory, size_t size)
{
    if (size) {
        memset(memory, 0, size);
    }
}

/* A new array('q') of so many of the counts. */
static PyObject *array_of_counts(module_state *state, const int64_t *counts, size_t number)
{
    ao_array out;
    PyObject *result = array_new_out(state, 'q', number, &out);
    if (result) {
        if (number) {
            memcpy(out.data, counts, number * sizeof *counts);
        }
        array_release(&out);
    }
    return result;
}

/* -- histogram ----------------------------------------------------------------------------------------------------- */

/* bounds(buffer) -> (smallest, largest) of at least one float; None if there is a nan */
static PyObject *py_bounds(PyObject *module, PyObject *object)
{
    ao_array a;
    double low, high;
    if (array_take(state_of(module), object, &a) < 0) {
        return NULL;
    }
    watched w;
    const ao_span span = array_span(&a);
    const int nans = ao_bounds(state_of(module)->isa, &span, &low, &high, watch_begin(&w, a.count));
    const int failed = watch_end(&w) < 0;
    array_release(&a);
    if (failed) {
        return NULL;
    }
    return nans ? Py_NewRef(Py_None) : Py_BuildValue("d d", low, high);
}

/* So many threads, if each may have counts of its own, `room` of them. */
static unsigned threads_for(const module_state *state, size_t count, size_t room)
{
    return ao_is_worth_threads(AO_COUNTING_WORK, count) && room < count / state->threads ? state->threads : 1;
}

static void add_counts_of_threads(int64_t *counts, const int64_t *others, size_t number, unsigned threads)
{
    for (size_t i = 0; i < (threads - 1) * number; i++) {
        counts[i % number] += others[i];
    }
}

typedef struct {
    const ao_isa *isa;
    ao_span span;
    const double *edges;
    size_t bins, room; /* counts of one thread */
    double scale;
    int64_t *counts;
} binning;

static void bin_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const binning *b = context;
    const ao_span span = span_part(&b->span, first, end);
    ao_histogram(b->isa, &span, b->edges, b->bins, b->scale, b->counts + part * b->room, watch);
}

/* histogram(buffer, edges, scale) -> array('q') of how many elements are in each bin. edges: an array('d') that nobody else
 * has, of at least 2, which do not decrease; scale as for ao_histogram. */
static PyObject *py_histogram(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a, edges;
    PyObject *result = NULL;
    int64_t *counts = NULL;
    if (!has_args(nargs, 3, "histogram(buffer, edges, scale)")) {
        return NULL;
    }
    array_none(&edges);
    const double scale = PyFloat_AsDouble(args[2]);
    if ((scale == -1 && PyErr_Occurred()) || array_take(state, args[0], &a) < 0) {
        return NULL;
    }
    if (array_take(state, args[1], &edges) < 0) {
        goto done;
    }
    if (edges.type != AO_TYPE_f64 || edges.spacing.stride || edges.count < 2) {
        PyErr_SetString(PyExc_ValueError, "histogram(): edges must be an array('d') of 2 or more");
        goto done;
    }
    const size_t bins = edges.count - 1, room = bins * ao_count_lanes(bins);
    const unsigned threads = threads_for(state, a.count, room);
    if ((counts = zeros(room * threads, sizeof *counts))) {
        watched w;
        binning b = {state->isa, array_span(&a), edges.data, bins, room, scale, counts};
        run_parts(bin_range, &b, a.count, threads, watch_begin(&w, a.count));
        add_counts_of_threads(counts, counts + room, room, threads);
        result = watch_end(&w) < 0 ? NULL : array_of_counts(state, counts, bins);
    }
done:
    PyMem_RawFree(counts);
    array_release(&edges);
    array_release(&a);
    return result;
}

/* -- by key -------------------------------------------------------------------------------------------------------- */

typedef struct {
    const ao_span *keys, *weights;
    size_t bins;
    int64_t *counts, *others; /* of the first thread, and of the others */
    ao_sum128 *sums;          /* of all threads, if there are weights */
} keying;

static void count_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const keying *k = context;
    const ao_span keys = span_part(k->keys, first, end);
    ao_count_keys(&keys, k->bins, part ? k->others + (part - 1) * k->bins : k->counts, watch);
}

static void sum_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const keying *k = context;
    const ao_span keys = span_part(k->keys, first, end), weights = span_part(k->weights, first, end);
    ao_sum_ints_by_key(&keys, &weights, k->bins, k->sums + part * k->bins, watch);
}

static PyObject *counts_by_key(module_state *state, const ao_span *keys, size_t bins)
{
    ao_array out;
    const unsigned threads = threads_for(state, keys->count, bins);
    int64_t *others = zeros((threads - 1) * bins, sizeof *others);
    PyObject *result = others ? array_new_out(state, 'q', bins, &out) : NULL;
    if (result) {
        watched w;
        ao_watch *watch = watch_begin(&w, keys->count > bins ? keys->count : bins);
        keying k = {.keys = keys, .bins = bins, .counts = out.data, .others = others};
        set_to_0(out.data, bins * sizeof(int64_t));
        run_parts(count_range, &k, keys->count, threads, watch);
        add_counts_of_threads(out.data, others, bins, threads);
        const int failed = watch_end(&w) < 0;
        array_release(&out);
        if (failed) {
            Py_CLEAR(result);
        }
    }
    PyMem_RawFree(others);
    return result;
}

static void add_sums_of_threads(ao_sum128 *sums, size_t bins, unsigned threads)
{
    for (size_t i = bins; i < threads * bins; i++) {
        ao_sum128 *sum = &sums[i % bins];
        sum->low += sums[i].low;
        sum->high += sums[i].high + (sum->low < sums[i].low);
    }
}

/* The sums of ints as an array('q'); OverflowError if one does not fit. */
static PyObject *array_of_sums(module_state *state, const ao_sum128 *sums, size_t bins)
{
    ao_array out;
    PyObject *result = array_new_out(state, 'q', bins, &out);
    for (size_t i = 0; result && i < bins; i++) {
        const int64_t low = (int64_t)sums[i].low;
        if (sums[i].high != (low < 0 ? UINT64_MAX : 0)) {
            PyErr_Format(PyExc_OverflowError, "the sum of the weights of key %zu does not fit 64 bits; give them as floats",
                         i);
            Py_CLEAR(result);
            break;
        }
        memcpy((int64_t *)out.data + i, &low, sizeof low);
    }
    array_release(&out);
    return result;
}

static PyObject *int_sums_by_key(module_state *state, const ao_span *keys, const ao_span *weights, size_t bins)
{
    const unsigned threads = threads_for(state, keys->count, 2 * bins);
    ao_sum128 *sums = zeros(threads * bins, sizeof *sums);
    PyObject *result = NULL;
    if (sums) {
        watched w;
        keying k = {.keys = keys, .weights = weights, .bins = bins, .sums = sums};
        run_parts(sum_range, &k, keys->count, threads, watch_begin(&w, keys->count));
        add_sums_of_threads(sums, bins, threads);
        result = watch_end(&w) < 0 ? NULL : array_of_sums(state, sums, bins);
    }
    PyMem_RawFree(sums);
    return result;
}

/* What math.fsum makes of doubles of which the sum cannot be had otherwise; -1 with its exception. */
static int sum_by_python(const double *x, size_t n, double *sum)
{
    PyObject *list = PyList_New((Py_ssize_t)n), *math = list ? PyImport_ImportModule("math") : NULL;
    for (size_t i = 0; math && i < n; i++) {
        PyObject *number = PyFloat_FromDouble(x[i]);
        if (!number) {
            Py_CLEAR(math);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, number);
    }
    PyObject *fsum = math ? attribute(math, "fsum") : NULL, *value = fsum ? PyObject_CallOneArg(fsum, list) : NULL;
    *sum = value ? PyFloat_AsDouble(value) : -1;
    Py_XDECREF(value);
    Py_XDECREF(fsum);
    Py_XDECREF(math);
    Py_XDECREF(list);
    return value && !(*sum == -1 && PyErr_Occurred()) ? 0 : -1;
}

/* The floats of each key, grouped, and their sums. */
typedef struct {
    const ao_isa *isa;
    const size_t *start, *end;
    const double *grouped;
    double *sums;
} groups;

/* Sums of the keys from `key` on, up to one that Python must do, whose number is returned; `bins` if there is none. */
static size_t add_groups(const groups *g, size_t key, size_t bins, ao_watch *w)
{
    enum { OVERHEAD = 32 }; /* units of work beside the elements of a key */
    for (; key < bins && !w->stopped; key++) {
        const size_t n = g->end[key] - g->start[key];
        if (!ao_sum_float(g->isa, AO_TYPE_f64, g->grouped + g->start[key], n, &g->sums[key])) {
            return key;
        }
        ao_watch_done(w, OVERHEAD + n / 4);
    }
    return bins;
}

static int sum_groups(const groups *g, size_t bins)
{
    for (size_t key = 0; key < bins; key++) {
        watched w;
        key = add_groups(g, key, bins, watch_begin(&w, bins));
        if (watch_end(&w) < 0
            || (key < bins
                && sum_by_python(g->grouped + g->start[key], g->end[key] - g->start[key], &g->sums[key]) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* Where the weights of each key begin, and behind the last one end. */
static void add_counts(const int64_t *counts, size_t bins, size_t *start, size_t *end)
{
    size_t before = 0;
    for (size_t key = 0; key < bins; key++) {
        start[key] = end[key] = before;
        before += (size_t)counts[key];
    }
    start[bins] = before;
}

static PyObject *float_sums_by_key(module_state *state, const ao_span *keys, const ao_span *weights, size_t bins)
{
    ao_array out;
    PyObject *result = NULL;
    int64_t *counts = zeros(bins, sizeof *counts);
    size_t *start = counts ? zeros(bins + 1, sizeof *start) : NULL, *end = start ? zeros(bins, sizeof *end) : NULL;
    double *grouped = end ? zeros(keys->count, sizeof *grouped) : NULL;
    array_none(&out);
    if (grouped && (result = array_new_out(state, 'd', bins, &out))) {
        watched w;
        ao_watch *watch = watch_begin(&w, keys->count);
        ao_count_keys(keys, bins, counts, watch);
        add_counts(counts, bins, start, end);
        if (!watch->stopped) {
            ao_group_by_key(keys, weights, bins, start, end, grouped, watch);
        }
        const groups g = {state->isa, start, end, grouped, out.data};
        if (watch_end(&w) < 0 || sum_groups(&g, bins) < 0) {
            Py_CLEAR(result);
        }
    }
    array_release(&out);
    PyMem_RawFree(grouped);
    PyMem_RawFree(end);
    PyMem_RawFree(start);
    PyMem_RawFree(counts);
    return result;
}

/* bincount(keys, weights, bins) -> for each number from 0 to bins - 1 how many keys it is of, as array('q'), or what their
 * weights add up to, exactly for ints, as math.fsum does for floats. weights: None or as many numbers. */
static PyObject *py_bincount(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array keys, weights;
    PyObject *result = NULL;
    if (!has_args(nargs, 3, "bincount(keys, weights, bins)")) {
        return NULL;
    }
    array_none(&weights);
    const size_t bins = PyLong_AsSize_t(args[2]);
    if (PyErr_Occurred() || array_take(state, args[0], &keys) < 0) {
        return NULL;
    }
    const ao_span of_keys = array_span(&keys);
    if (is_float(keys.type)) {
        PyErr_SetString(PyExc_TypeError, "keys must be ints, not floats");
    } else if (args[1] == Py_None) {
        result = counts_by_key(state, &of_keys, bins);
    } else if (array_take(state, args[1], &weights) == 0 && array_check_lengths(&keys, &weights) == 0) {
        const ao_span of_weights = array_span(&weights);
        result = (is_float(weights.type) ? float_sums_by_key : int_sums_by_key)(state, &of_keys, &of_weights, bins);
    }
    array_release(&weights);
    array_release(&keys);
    return result;
}

/* -- in groups ----------------------------------------------------------------------------------------------------- */

/* Elements of 8 bytes by their codes: places[c] is where those of code c begin, and then where they end. A code that changed
 * since it was counted may find no place; nothing is written outside. */
static void put_in_groups(const ao_array *values, const uint32_t *codes, int64_t *places, size_t n_groups, uint64_t *out)
{
    const uint64_t *from = values->data;
    for (size_t i = 0; i < values->count; i++) {
        const uint32_t code = codes[i];
        const size_t place = code < n_groups ? (size_t)places[code]++ : values->count;
        if (place < values->count) {
            out[place] = from[i];
        }
    }
}

/* Where each group begins, and behind the last one where it ends. */
static void begin_groups(const uint32_t *codes, size_t count, int64_t *begins, size_t n_groups)
{
    memset(begins, 0, (n_groups + 1) * sizeof *begins);
    for (size_t i = 0; i < count; i++) {
        const uint32_t code = codes[i];
        begins[code < n_groups ? code + 1 : 0] += code < n_groups;
    }
    for (size_t g = 0; g < n_groups; g++) {
        begins[g + 1] += begins[g];
    }
}

static PyObject *grouped(module_state *state, const ao_array *values, const uint32_t *codes, size_t n_groups)
{
    ao_array begins, out;
    int64_t *places = zeros(n_groups, sizeof *places);
    PyObject *first = places ? array_new_out(state, 'q', n_groups + 1, &begins) : NULL, *second = NULL, *result = NULL;
    if (first && (second = array_new_out(state, values->typecode, values->count, &out))) {
        begin_groups(codes, values->count, begins.data, n_groups);
        memcpy(places, begins.data, n_groups * sizeof *places);
        set_to_0(out.data, values->count * sizeof(uint64_t));
        put_in_groups(values, codes, places, n_groups, out.data);
        result = PyTuple_Pack(2, second, first);
        array_release(&out);
    }
    if (first) {
        array_release(&begins);
    }
    PyMem_RawFree(places);
    Py_XDECREF(first);
    Py_XDECREF(second);
    return result;
}

/* group(values, codes, groups) -> (the values, those of code 0 first and so on, each group in its order; array('q') of where
 * groups begin, and the end). values: of an array of 8 bytes each; codes: an array('I') of as many. */
static PyObject *py_group(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    ao_array values, codes;
    PyObject *result = NULL;
    if (!has_args(nargs, 3, "group(values, codes, groups)")) {
        return NULL;
    }
    const size_t n_groups = PyLong_AsSize_t(args[2]);
    array_none(&codes);
    if (PyErr_Occurred() || array_take(state_of(module), args[0], &values) < 0) {
        return NULL;
    }
    if (array_take(state_of(module), args[1], &codes) == 0 && array_check_lengths(&values, &codes) == 0) {
        if (codes.type != AO_TYPE_u32 || codes.spacing.stride || values.spacing.stride || ao_type_sizes[values.type] != 8) {
            PyErr_SetString(PyExc_TypeError, "group(): values of 8 bytes, and an array('I') of codes");
        } else if (n_groups > (size_t)PY_SSIZE_T_MAX / 16) {
            PyErr_NoMemory();
        } else {
            result = grouped(state_of(module), &values, codes.data, n_groups);
        }
    }
    array_release(&codes);
    array_release(&values);
    return result;
}

enum { SUMS, MEANS, LOWS, HIGHS, VARIANCES, DEVIATIONS, STATES, GROUP_FIGURES }; /* the arrays of figures */

static PyObject *figures(module_state *state, const ao_array *values, const ao_array *begins)
{
    const size_t n_groups = begins->count - 1;
    const char of_values = values->typecode, letters[] = {of_values, 'd', of_values, of_values, 'd', 'd', 'B'};
    ao_array out[GROUP_FIGURES];
    PyObject *tuple = PyTuple_New(GROUP_FIGURES);
    int made = 0;
    for (; tuple && made < GROUP_FIGURES; made++) {
        PyObject *array = array_new_out(state, letters[made], n_groups, &out[made]);
        if (!array) {
            break;
        }
        set_to_0(out[made].data, n_groups * array_size(&out[made]));
        PyTuple_SET_ITEM(tuple, made, array);
    }
    if (made == GROUP_FIGURES) {
        const ao_group_figures to = {out[SUMS].data, out[LOWS].data, out[HIGHS].data, out[MEANS].data,
                                     out[VARIANCES].data, out[DEVIATIONS].data, out[STATES].data};
        watched w;
        ao_figures_of_groups(values->type, values->data, values->count, begins->data, n_groups, &to,
                             watch_begin(&w, values->count + n_groups));
        if (watch_end(&w) < 0) {
            Py_CLEAR(tuple);
        }
    } else {
        Py_CLEAR(tuple);
    }
    while (made > 0) {
        array_release(&out[--made]);
    }
    return tuple;
}

/* figures(values, begins) -> (sums, means, lows, highs, variances, deviations, states) of groups, as group() gives them: arrays
 * with an element for each group. states: 0 without numbers, 1 done, 2 for Python to do. */
static PyObject *py_figures(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    ao_array values, begins;
    PyObject *result = NULL;
    if (!has_args(nargs, 2, "figures(values, begins)")) {
        return NULL;
    }
    array_none(&begins);
    if (array_take(state_of(module), args[0], &values) < 0) {
        return NULL;
    }
    if (array_take(state_of(module), args[1], &begins) == 0) {
        if (begins.type != AO_TYPE_i64 || !begins.count || begins.spacing.stride || values.spacing.stride
            || (values.type != AO_TYPE_i64 && values.type != AO_TYPE_f64)) {
            PyErr_SetString(PyExc_TypeError, "figures(): an array('q') or array('d'), and an array('q') of where groups begin");
        } else {
            result = figures(state_of(module), &values, &begins);
        }
    }
    array_release(&begins);
    array_release(&values);
    return result;
}

PyMethodDef counting_methods[] = {
    FAST_FUNCTION("figures", py_figures),
    FAST_FUNCTION("group", py_group),
    ONE_ARGUMENT("bounds", py_bounds),
    FAST_FUNCTION("histogram", py_histogram),
    FAST_FUNCTION("bincount", py_bincount),
    END_OF_FUNCTIONS,
};
