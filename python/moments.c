/* Statistics of buffers in one pass, and exact dot products: what python/moments.py rounds.
 *
 * Sums leave here as exact Python ints: of integers as they are, of floats in units of 2^-1074 (squares and products: of
 * 2^-2148).
 */
#include "moments.h"
#include "../vm/parallel.h"

#include <string.h>

enum {
    SLICE = 1 << 22,         /* elements between two looks at signals: 10 ms */
    GATHER = 1024,           /* elements copied at once where they are not side by side */
    LONG = 1 << 19           /* elements that are worth several threads: about a millisecond */
};

/* -- numbers out --------------------------------------------------------------------------------------------------- */

static PyObject *int_of_bytes(const uint8_t *bytes, size_t size)
{
    PyObject *method = PyObject_GetAttrString((PyObject *)&PyLong_Type, "from_bytes");
    PyObject *args = Py_BuildValue("(y#s)", (const char *)bytes, (Py_ssize_t)size, "little");
    PyObject *keywords = Py_BuildValue("{s O}", "signed", Py_True);
    PyObject *result = method && args && keywords ? PyObject_Call(method, args, keywords) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    return result;
}

/* a + (b << shift); takes the references. */
static PyObject *plus_shifted(PyObject *a, PyObject *b, long shift)
{
    PyObject *by = PyLong_FromLong(shift);
    PyObject *shifted = a && b && by ? PyNumber_Lshift(b, by) : NULL;
    PyObject *result = shifted ? PyNumber_Add(a, shifted) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(by);
    Py_XDECREF(shifted);
    return result;
}

static int is_float(enum ao_type type)
{
    return type == AO_TYPE_f32 || type == AO_TYPE_f64;
}

static PyObject *products_total(ao_products *sum, int of_floats)
{
    uint8_t high[AO_FLOAT_SUM_BYTES], low[AO_FLOAT_SUM_BYTES], wide[AO_WIDE_BYTES], ints[AO_INT_PRODUCTS_BYTES];
    ao_products_bytes(sum, high, low, wide, ints);
    if (!of_floats) {
        return int_of_bytes(ints, sizeof ints);
    }
    PyObject *moderate = plus_shifted(int_of_bytes(high, sizeof high), int_of_bytes(low, sizeof low), 0);
    return plus_shifted(int_of_bytes(wide, sizeof wide), moderate, 1074);
}

static PyObject *sum_total(ao_moments *m)
{
    uint8_t bytes[AO_FLOAT_SUM_BYTES];
    if (!is_float(m->type)) {
        for (int i = 0; i < 8; i++) {
            bytes[i] = (uint8_t)(m->int_low >> 8 * i);
            bytes[8 + i] = (uint8_t)((uint64_t)m->int_high >> 8 * i);
        }
        return int_of_bytes(bytes, 16);
    }
    ao_float_sum_bytes(&m->sum, bytes);
    return int_of_bytes(bytes, sizeof bytes);
}

/* (count, sum, squares, low, high, nans, infinities, negative infinities, whether the first is a nan). What was
 * not wanted is 0 or None; low and high are None if there are none. */
static PyObject *moments_result(ao_moments *m)
{
    const enum ao_type type = is_float(m->type) ? AO_TYPE_f64 : m->type;
    PyObject *sum = m->wanted & AO_SUMS ? sum_total(m) : PyLong_FromLong(0);
    PyObject *squares = m->wanted & AO_SQUARES ? products_total(&m->squares, is_float(m->type)) : PyLong_FromLong(0);
    PyObject *low = m->found ? value_to_number(type, m->low) : Py_NewRef(Py_None);
    PyObject *high = m->found ? value_to_number(type, m->high) : Py_NewRef(Py_None);
    PyObject *result = NULL;
    if (sum && squares && low && high) {
        result = Py_BuildValue("n O O O O n n n O", (Py_ssize_t)m->count, sum, squares, low, high, (Py_ssize_t)m->nans,
                               (Py_ssize_t)m->positive, (Py_ssize_t)m->negative, m->first_nan ? Py_True : Py_False);
    }
    Py_XDECREF(sum);
    Py_XDECREF(squares);
    Py_XDECREF(low);
    Py_XDECREF(high);
    return result;
}

PyObject *moments_list(ao_moments *m, unsigned number, size_t apart)
{
    PyObject *list = PyList_New(number);
    for (unsigned i = 0; list && i < number; i++) {
        PyObject *found = moments_result((ao_moments *)(void *)((char *)m + i * apart));
        if (!found) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, found);
    }
    return list;
}

/* -- buffers in ---------------------------------------------------------------------------------------------------- */

/* Elements first.. of the array, side by side: in place, or GATHER of them at most at `local`. */
static const void *dense_part(const ao_array *a, size_t first, void *local, size_t *n)
{
    if (!a->spacing.stride) {
        return (const char *)a->data + first * ao_type_sizes[a->type];
    }
    *n = *n < GATHER ? *n : GATHER;
    ao_gather(local, (const char *)a->data + (ptrdiff_t)first * a->spacing.stride, a->spacing, ao_type_sizes[a->type], *n);
    return local;
}

/* -- the passes ---------------------------------------------------------------------------------------------------- */

/* A pass over one or two arrays, by one or several threads, each with a state of its own. */
typedef struct pass {
    void (*add)(struct pass *pass, unsigned part, size_t first, size_t end);
    const ao_array *a, *b;
    size_t start; /* of the slice */
    ao_moments *moments;
    ao_products *products;
} pass;

static void add_range(void *context, unsigned part, size_t first, size_t end)
{
    pass *p = context;
    p->add(p, part, p->start + first, p->start + end);
}

/* Slice by slice, so that signals are looked at. */
static int run_pass(pass *p, unsigned parts)
{
    size_t end;
    for (; p->start < p->a->count; p->start = end) {
        end = p->a->count - p->start < SLICE ? p->a->count : p->start + SLICE;
        PyThreadState *thread = end - p->start >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
        ao_in_parts(end - p->start, parts, add_range, p);
        if (thread) {
            PyEval_RestoreThread(thread);
        }
        if (thread && PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
    return 0;
}

static unsigned parts_for(const module_state *state, const ao_array *a)
{
    return a->count < LONG ? 1 : state->threads;
}

static void add_moments(pass *p, unsigned part, size_t first, size_t end)
{
    double local[GATHER];
    for (size_t n; first < end; first += n) {
        n = end - first;
        const void *elements = dense_part(p->a, first, local, &n);
        ao_moments_add(&p->moments[part], elements, n);
    }
}

/* moments(buffer, wanted) -> list of what threads gathered, which together is what there is. With extremes and no squares
 * it is one, and its extremes are the first of equals. */
PyObject *py_moments(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a;
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "moments(buffer, wanted)");
        return NULL;
    }
    const unsigned long wanted = PyLong_AsUnsignedLong(args[1]);
    if (PyErr_Occurred() || array_take(state, args[0], &a) < 0) {
        return NULL;
    }
    const unsigned parts = wanted & AO_SQUARES ? parts_for(state, &a) : 1;
    pass p = {.add = add_moments, .a = &a, .moments = PyMem_RawMalloc(parts * sizeof *p.moments)};
    PyObject *result = NULL;
    if (!p.moments) {
        PyErr_NoMemory();
    } else {
        for (unsigned part = 0; part < parts; part++) {
            ao_moments_start(&p.moments[part], state->isa, a.type, (unsigned)wanted, AO_EXTRACT_AHEAD);
        }
        result = run_pass(&p, parts) < 0 ? NULL : moments_list(p.moments, parts, sizeof *p.moments);
    }
    PyMem_RawFree(p.moments);
    array_release(&a);
    return result;
}

/* Elements as f64 if they are f32. */
static const void *widened(const ao_products *sum, enum ao_type *type, const void *elements, double *wide, size_t n)
{
    if (*type != AO_TYPE_f32) {
        return elements;
    }
    sum->high.kernels->widen(n, elements, wide);
    *type = AO_TYPE_f64;
    return wide;
}

static void add_products(pass *p, unsigned part, size_t first, size_t end)
{
    double local_a[GATHER], local_b[GATHER], wide_a[GATHER], wide_b[GATHER];
    ao_products *sum = &p->products[part];
    for (size_t n; first < end; first += n) {
        n = end - first < GATHER ? end - first : GATHER;
        enum ao_type type_a = p->a->type, type_b = p->b->type;
        const void *x = widened(sum, &type_a, dense_part(p->a, first, local_a, &n), wide_a, n);
        const void *y = widened(sum, &type_b, dense_part(p->b, first, local_b, &n), wide_b, n);
        ao_products_add(sum, type_a, x, type_b, y, n);
    }
}

/* (total, special) of all parts */
static PyObject *dot_result(ao_products *products, unsigned parts, int of_floats)
{
    PyObject *total = PyLong_FromLong(0);
    double special = 0;
    for (unsigned part = 0; total && part < parts; part++) {
        total = plus_shifted(total, products_total(&products[part], of_floats), 0);
        special += products[part].special;
    }
    return total ? Py_BuildValue("N d", total, special) : NULL;
}

/* dot(a, b) -> (total, special): both of floats or both of integers. special: the sum of the products that are inf or nan,
 * 0.0 if there are none. */
PyObject *py_dot(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a, b;
    PyObject *result = NULL;
    array_none(&a);
    array_none(&b);
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "dot(a, b)");
        return NULL;
    }
    if (array_take(state, args[0], &a) < 0 || array_take(state, args[1], &b) < 0 || array_check_lengths(&a, &b) < 0) {
        goto done;
    }
    if (is_float(a.type) != is_float(b.type)) {
        PyErr_SetString(PyExc_TypeError, "dot(): integers and floats");
        goto done;
    }
    const unsigned parts = parts_for(state, &a);
    pass p = {.add = add_products, .a = &a, .b = &b, .products = PyMem_RawMalloc(parts * sizeof *p.products)};
    if (!p.products) {
        PyErr_NoMemory();
        goto done;
    }
    for (unsigned part = 0; part < parts; part++) {
        ao_products_start(&p.products[part], state->isa);
    }
    result = run_pass(&p, parts) < 0 ? NULL : dot_result(p.products, parts, is_float(a.type));
    PyMem_RawFree(p.products);
done:
    array_release(&a);
    array_release(&b);
    return result;
}
