/* Statistics of buffers in one pass, and exact dot products: what python/stats.py rounds.
 *
 * Sums leave here as exact Python ints: of integers as they are, of floats in units of 2^-1074 (squares and products: of
 * 2^-2148).
 */
#include "moments.h"

#include <string.h>

enum {
    RELEASE_GIL_FROM = 2048, /* elements, as in runs.c */
    SLICE = 1 << 22,         /* elements between two looks at signals: 10 ms */
    GATHER = 1024            /* elements copied at once where they are not side by side */
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
PyObject *moments_result(ao_moments *m)
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

static void add_part(ao_moments *m, const ao_array *a, size_t first, size_t end)
{
    double local[GATHER];
    for (size_t n; first < end; first += n) {
        n = end - first;
        const void *part = dense_part(a, first, local, &n);
        ao_moments_add(m, part, n);
    }
}

/* moments(buffer, wanted) */
PyObject *py_moments(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a;
    ao_moments m;
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "moments(buffer, wanted)");
        return NULL;
    }
    unsigned long wanted = PyLong_AsUnsignedLong(args[1]);
    if (PyErr_Occurred() || array_take(state, args[0], &a) < 0) {
        return NULL;
    }
    ao_moments_start(&m, state->isa, a.type, (unsigned)wanted, AO_FOLD_AHEAD);
    int failed = 0;
    for (size_t first = 0, end; first < a.count && !failed; first = end) {
        end = a.count - first < SLICE ? a.count : first + SLICE;
        PyThreadState *thread = end - first >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
        add_part(&m, &a, first, end);
        if (thread) {
            PyEval_RestoreThread(thread);
            failed = PyErr_CheckSignals() < 0;
        }
    }
    array_release(&a);
    return failed ? NULL : moments_result(&m);
}

static void multiply_part(ao_products *sum, const ao_array *a, const ao_array *b, size_t first, size_t end)
{
    double local_a[GATHER], local_b[GATHER], wide_a[GATHER], wide_b[GATHER];
    for (size_t n; first < end; first += n) {
        n = end - first < GATHER ? end - first : GATHER;
        const void *x = dense_part(a, first, local_a, &n), *y = dense_part(b, first, local_b, &n);
        enum ao_type type_a = a->type, type_b = b->type;
        if (type_a == AO_TYPE_f32) {
            sum->high.kernels->widen(n, x, wide_a);
            x = wide_a;
            type_a = AO_TYPE_f64;
        }
        if (type_b == AO_TYPE_f32) {
            sum->high.kernels->widen(n, y, wide_b);
            y = wide_b;
            type_b = AO_TYPE_f64;
        }
        ao_products_add(sum, type_a, x, type_b, y, n);
    }
}

/* dot(a, b) -> (total, special): both of floats or both of integers. special: the sum of the products that are inf or nan,
 * 0.0 if there are none. */
PyObject *py_dot(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a, b;
    ao_products *sum = PyMem_RawMalloc(sizeof *sum);
    PyObject *result = NULL;
    int failed = 0;
    array_none(&a);
    array_none(&b);
    if (!sum) {
        return PyErr_NoMemory();
    }
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "dot(a, b)");
        goto done;
    }
    if (array_take(state, args[0], &a) < 0 || array_take(state, args[1], &b) < 0 || array_check_lengths(&a, &b) < 0) {
        goto done;
    }
    if (is_float(a.type) != is_float(b.type)) {
        PyErr_SetString(PyExc_TypeError, "dot(): integers and floats");
        goto done;
    }
    ao_products_start(sum, state->isa);
    for (size_t first = 0, end; first < a.count && !failed; first = end) {
        end = a.count - first < SLICE ? a.count : first + SLICE;
        PyThreadState *thread = end - first >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
        multiply_part(sum, &a, &b, first, end);
        if (thread) {
            PyEval_RestoreThread(thread);
            failed = PyErr_CheckSignals() < 0;
        }
    }
    if (!failed) {
        PyObject *total = products_total(sum, is_float(a.type));
        result = total ? Py_BuildValue("N d", total, sum->special) : NULL;
    }
done:
    array_release(&a);
    array_release(&b);
    PyMem_RawFree(sum);
    return result;
}
