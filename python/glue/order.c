/* Order: sorting a buffer in place, its distinct elements, the elements at a place of the sorted order, the places of all,
 * the largest ones, and where others belong among sorted ones. */
#include "order.h"
#include "slices.h"
#include "watch.h"
#include "buffers.h"
#include "numbers.h"
#include "../../vm/arrays/counting.h"
#include "../../vm/arrays/reduce.h"
#include "../../vm/arrays/sort.h"
#include "../../vm/parallel.h"

#include <string.h>

/* Memory of so many bytes; NULL with MemoryError. */
static void *room_of(size_t bytes)
{
    void *room = bytes > PY_SSIZE_T_MAX - 1 ? NULL : with_large_pages(PyMem_RawMalloc(bytes + 1), bytes);
    if (!room) {
        PyErr_NoMemory();
    }
    return room;
}

/* Memory for `times` as many elements as the array has; NULL with MemoryError. */
static void *scratch_for(const ao_array *a, size_t times)
{
    const size_t size = ao_type_sizes[a->type];
    return room_of(a->count > PY_SSIZE_T_MAX / size / times ? SIZE_MAX : times * a->count * size);
}

/* -- sorting by several threads ------------------------------------------------------------------------------------ */

/* Runs of `width` elements that are sorted, to be merged in pairs. */
typedef struct {
    unsigned kind; /* as for ao_sort */
    size_t size, count, width;
    char *from, *to;
} sorting;

static void sort_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const sorting *s = context;
    (void)part;
    ao_sort(s->kind, s->from + first * s->size, s->to + first * s->size, end - first, watch);
}

/* The elements of a range, of however many pairs they are. */
static void merge_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const sorting *s = context;
    (void)part;
    while (first < end && !watch->stopped) {
        const size_t begin = first / s->width / 2 * s->width * 2, rest = s->count - begin;
        const size_t n_a = rest < s->width ? rest : s->width;
        const size_t n_b = rest - n_a < s->width ? rest - n_a : s->width;
        const size_t last = end < begin + n_a + n_b ? end : begin + n_a + n_b;
        const char *a = s->from + begin * s->size;
        ao_merge(s->kind, a, n_a, a + n_a * s->size, n_b, s->to + begin * s->size, first - begin, last - begin, watch);
        first = last;
    }
}

static unsigned sort_threads(const module_state *state, size_t count)
{
    return ao_is_worth_threads(AO_SORT_WORK, count) ? state->threads : 1;
}

/* ao_sort by several threads: the memory, of the two, that has the result. */
static char *sort_private(unsigned kind, void *elements, void *scratch, size_t count, unsigned threads, ao_watch *watch)
{
    sorting s = {kind, ao_sorted_size(kind), count, ao_part_size(count, threads), elements, scratch};
    run_parts(sort_range, &s, count, threads, watch);
    for (; s.width < count && !watch->stopped; s.width *= 2) {
        run_parts(merge_range, &s, count, threads, watch);
        char *const merged = s.to;
        s.to = s.from;
        s.from = merged;
    }
    return s.from;
}

static void sort_shared(const ao_array *a, void *room, unsigned threads, ao_watch *watch)
{
    const enum ao_type type = array_number_type(a);
    const size_t size = ao_type_sizes[type];
    if (threads == 1) {
        ao_sort_shared(type, a->data, a->spacing, room, a->count, watch);
    } else if (ao_copy_in(room, a->data, a->spacing, size, a->count, watch) == 0) {
        const char *sorted = sort_private(type, room, (char *)room + a->count * size, a->count, threads, watch);
        if (!watch->stopped) {
            ao_copy_out(a->data, a->spacing, sorted, size, a->count, watch);
        }
    }
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
        sort_shared(&a, room, sort_threads(state_of(module), a.count), watch_begin(&w, a.count));
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
    ao_reverse(a.data, array_step(&a), array_size(&a), a.count, watch_begin(&w, a.count));
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
    if (a.spacing.stride) {
        array_release(&a);
        return PyErr_Format(PyExc_ValueError, "unique(): an array.array is needed");
    }
    size_t count = 0;
    void *scratch = scratch_for(&a, 1);
    int failed = !scratch;
    if (!failed) {
        watched w;
        ao_watch *watch = watch_begin(&w, a.count);
        const char *sorted = sort_private(a.type, a.data, scratch, a.count, sort_threads(state, a.count), watch);
        if (sorted != a.data) {
            memcpy(a.data, sorted, a.count * ao_type_sizes[a.type]);
        }
        count = ao_unique(a.type, a.data, a.count, watch);
        failed = watch_end(&w);
    }
    PyMem_RawFree(scratch);
    array_release(&a);
    return failed || array_cut(state, object, count) < 0 ? NULL : Py_NewRef(object);
}

/* -- selection ------------------------------------------------------------------------------------------------------- */

enum { DIGITS = 1 << AO_DIGIT_BITS };

/* What one thread finds in its part. */
typedef struct {
    int has_nan, has_above;
    size_t first, number; /* elements collected, at `first` of the scratch */
    ao_keys keys;
    char above[8];
    size_t counts[DIGITS];
} selected_part;

typedef struct {
    enum ao_type type;
    size_t size;
    const char *elements;
    char *scratch;
    unsigned shift;
    uint64_t start;
    int wants_above;
    selected_part *parts;
} selection;

static void survey_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const selection *s = context;
    const ao_span span = {s->elements + first * s->size, {0, 0, AO_AS_IS}, s->type, end - first};
    s->parts[part].keys = ao_select_keys(s->type, span.data, span.count, watch);
    s->parts[part].has_nan = ao_span_has_nan(&span, watch);
}

static void digit_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const selection *s = context;
    ao_select_count(s->type, s->elements + first * s->size, end - first, s->shift, s->parts[part].counts, watch);
}

static void collect_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const selection *s = context;
    selected_part *p = &s->parts[part];
    const char *from = s->elements + first * s->size;
    p->first = first;
    p->number = ao_select_collect(s->type, from, end - first, s->shift, s->start, s->scratch + first * s->size, watch);
    p->has_above = s->wants_above && ao_select_above(s->type, from, end - first, s->shift, s->start, p->above, watch);
}

/* Which digit the k-th element has. *k: its place among those, of which there are *number. */
static size_t digit_of(const selection *s, unsigned threads, size_t *k, size_t *number)
{
    for (size_t digit = 0;; digit++) { /* all counts together are the number of elements, which is above k */
        *number = 0;
        for (unsigned part = 0; part < threads; part++) {
            *number += s->parts[part].counts[digit];
        }
        if (*k < *number || digit + 1 == DIGITS) {
            return digit;
        }
        *k -= *number;
    }
}

/* What threads have collected, side by side; 0 if it is not what was counted, as somebody has written to the array. */
static int put_together(const selection *s, unsigned threads, size_t number)
{
    size_t at = 0;
    for (unsigned part = 0; part < threads; part++) {
        const selected_part *p = &s->parts[part];
        memmove(s->scratch + at * s->size, s->scratch + p->first * s->size, p->number * s->size);
        at += p->number;
    }
    return at == number;
}

static int least_above(const selection *s, unsigned threads, char *next)
{
    int found = 0;
    for (unsigned part = 0; part < threads; part++) {
        const selected_part *p = &s->parts[part];
        if (p->has_above && (!found || ao_goes_before(s->type, p->above, next, 0))) {
            memcpy(next, p->above, sizeof p->above);
            found = 1;
        }
    }
    return found;
}

/* As ao_select, by several threads. 1: it is done, or stopped; 0: it must be done otherwise; -1: there is a nan. */
static int select_shared(selection *s, size_t count, size_t k, char *kth, char *next, unsigned threads, ao_watch *watch)
{
    uint64_t varying = 0;
    size_t number = 0;
    run_parts(survey_range, s, count, threads, watch);
    for (unsigned part = 0; part < threads; part++) {
        const ao_keys keys = s->parts[part].keys;
        if (s->parts[part].has_nan) {
            return -1;
        }
        varying |= part * ao_part_size(count, threads) < count ? keys.varying | (keys.key ^ s->parts[0].keys.key) : 0;
    }
    if (watch->stopped || !varying) {
        return watch->stopped;
    }
    s->shift = ao_select_shift(varying);
    run_parts(digit_range, s, count, threads, watch);
    if (watch->stopped) {
        return 1;
    }
    const size_t digit = digit_of(s, threads, &k, &number);
    s->start = ao_select_start(s->parts[0].keys.key, s->shift, digit);
    s->wants_above = next && k + 1 == number;
    run_parts(collect_range, s, count, threads, watch);
    if (watch->stopped) {
        return 1;
    }
    if (k >= number || !put_together(s, threads, number) || (s->wants_above && !least_above(s, threads, next))) {
        return 0;
    }
    ao_select(s->type, s->scratch, s->scratch, number, k, kth, s->wants_above ? NULL : next, watch);
    return 1;
}

/* The element at place k, and if `next` is not NULL the one behind it. 1 if there is a nan. Without memory for
 * threads it is done by one. */
static int select_from(const module_state *state, const ao_array *a, void *scratch, size_t k, char *kth, char *next,
                       ao_watch *watch)
{
    const unsigned threads = ao_is_worth_threads(AO_SELECT_WORK, a->count) ? state->threads : 1;
    selection s = {.type = array_number_type(a), .size = array_size(a), .elements = a->data, .scratch = scratch};
    int said = 0;
    if (threads > 1 && (s.parts = PyMem_RawCalloc(threads, sizeof *s.parts))) {
        said = select_shared(&s, a->count, k, kth, next, threads, watch);
        PyMem_RawFree(s.parts);
    }
    if (said) {
        return said < 0;
    }
    const ao_span span = array_span(a);
    if (ao_span_has_nan(&span, watch)) {
        return 1;
    }
    if (!watch->stopped) {
        ao_select(s.type, a->data, scratch, a->count, k, kth, next, watch);
    }
    return 0;
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
        odd = select_from(state_of(module), &a, scratch, k, kth, two ? next : NULL, watch);
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

/* The places of an array.array('q') of ours, as many as the array has elements; -1 with an exception. */
static int take_places(const module_state *state, PyObject *object, const ao_array *a, ao_array *places)
{
    if (array_take(state, object, places) < 0) {
        return -1;
    }
    if (places->type != AO_TYPE_i64 || places->spacing.stride || places->count != a->count) {
        array_release(places);
        PyErr_SetString(PyExc_ValueError, "argsort(): a place for each element is needed");
        return -1;
    }
    return 0;
}

typedef struct {
    const ao_span *span;
    int reverse;
    unsigned kind;
    char *pairs; /* when they are sorted, those */
    const int64_t *kept;
    int64_t *order;
} argsorting;

static void pair_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const argsorting *s = context;
    (void)part;
    ao_argsort_pairs(s->span, s->reverse, s->pairs, first, end, watch);
}

static void place_range(void *context, unsigned part, size_t first, size_t end, ao_watch *watch)
{
    const argsorting *s = context;
    (void)part;
    ao_argsort_places(s->kind, s->pairs, s->kept, s->order, first, end, watch);
}

static void find_order(argsorting *s, unsigned threads, ao_watch *watch)
{
    const size_t count = s->span->count;
    run_parts(pair_range, s, count, threads, watch);
    if (!watch->stopped) {
        s->pairs = sort_private(s->kind, s->pairs, s->pairs + count * ao_sorted_size(s->kind), count, threads, watch);
    }
    if (!watch->stopped) {
        run_parts(place_range, s, count, threads, watch);
    }
}

/* argsort(buffer, reverse, kept) -> array('q') of the places of the elements in their order; kept: None, or an array('q') that
 * nobody else has of the place for each element */
static PyObject *py_argsort(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a, kept, order;
    if (!has_args(nargs, 3, "argsort(buffer, reverse, kept)")) {
        return NULL;
    }
    const int reverse = PyObject_IsTrue(args[1]);
    array_none(&kept);
    if (reverse < 0 || array_take(state, args[0], &a) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    const ao_span span = array_span(&a);
    if (args[2] == Py_None || take_places(state, args[2], &a, &kept) == 0) {
        result = array_new_out(state, 'q', a.count, &order);
    }
    if (result) {
        void *room = room_of(ao_argsort_room(span.type, a.count));
        int failed = !room;
        if (room) {
            watched w;
            argsorting s = {&span, reverse, ao_argsort_kind(span.type, a.count), room, kept.held ? kept.data : NULL,
                            order.data};
            find_order(&s, sort_threads(state, a.count), watch_begin(&w, a.count));
            failed = watch_end(&w) < 0;
        }
        PyMem_RawFree(room);
        array_release(&order);
        if (failed) {
            Py_CLEAR(result);
        }
    }
    array_release(&kept);
    array_release(&a);
    return result;
}

/* largest(buffer, k) -> array.array of the k largest elements, at most all of them, the largest first; nans come last. Truth
 * values are 0 and 1, what array has no type for is as the machine has it. */
static PyObject *py_largest(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a, out;
    if (!has_args(nargs, 2, "largest(buffer, k)")) {
        return NULL;
    }
    size_t k = PyLong_AsSize_t(args[1]);
    if (PyErr_Occurred() || array_take(state, args[0], &a) < 0) {
        return NULL;
    }
    k = k < a.count ? k : a.count;
    const ao_span span = array_span(&a);
    const int viewed = typecode_row(a.typecode)->given == AO_AS_VIEW;
    PyObject *result = array_new_out(state, viewed ? typecode_of(span.type, 0) : a.typecode, k, &out);
    if (result && k) {
        void *room = room_of(ao_largest_room(span.type, a.count, k));
        int failed = !room;
        if (room) {
            watched w;
            ao_largest(&span, k, room, out.data, watch_begin(&w, a.count));
            failed = watch_end(&w) < 0;
        }
        PyMem_RawFree(room);
        if (failed) {
            Py_CLEAR(result);
        }
    }
    array_release(&out);
    array_release(&a);
    return result;
}

/* search(sorted, values, right) -> array('q') of the place for each value */
static PyObject *py_search(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array sorted, values, places;
    if (!has_args(nargs, 3, "search(sorted, values, right)")) {
        return NULL;
    }
    array_none(&values);
    const int right = PyObject_IsTrue(args[2]);
    if (right < 0 || array_take(state, args[0], &sorted) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if ((!sorted.spacing.stride || array_make_private(&sorted) == 0) && array_take(state, args[1], &values) == 0) {
        result = array_new_out(state, 'q', values.count, &places);
    }
    if (result) {
        watched w;
        const ao_span in = array_span(&sorted), of = array_span(&values);
        ao_search(&in, &of, right, places.data, watch_begin(&w, values.count));
        const int failed = watch_end(&w) < 0;
        array_release(&places);
        if (failed) {
            Py_CLEAR(result);
        }
    }
    array_release(&values);
    array_release(&sorted);
    return result;
}

PyMethodDef order_methods[] = {
    ONE_ARGUMENT("sort", py_sort),
    ONE_ARGUMENT("reverse", py_reverse),
    ONE_ARGUMENT("unique", py_unique),
    FAST_FUNCTION("select", py_select),
    FAST_FUNCTION("argsort", py_argsort),
    FAST_FUNCTION("largest", py_largest),
    FAST_FUNCTION("search", py_search),
    END_OF_FUNCTIONS,
};
