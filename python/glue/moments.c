/* Statistics of buffers in one pass, and exact dot products: what Python rounds.
 *
 * Sums leave here as exact Python ints: of integers as they are, of floats in units of 2^-1074 (squares and products: of
 * 2^-2148).
 */
#include "moments.h"
#include "buffers.h"
#include "numbers.h"
#include "slices.h"
#include "../../vm/arrays/spread.h"
#include "../../vm/parallel.h"

#include <string.h>

enum {
    SLICE = 1 << 22,         /* elements between two looks at signals: 10 ms */
    GATHER = 1024            /* elements copied at once where they are not side by side */
};

/* -- numbers out --------------------------------------------------------------------------------------------------- */

/* a + (b << shift); takes the references. One of them may be NULL, with an exception set: nothing is called then. */
static PyObject *plus_shifted(PyObject *a, PyObject *b, long shift)
{
    PyObject *by = a && b ? PyLong_FromLong(shift) : NULL;
    PyObject *shifted = by ? PyNumber_Lshift(b, by) : NULL;
    PyObject *result = shifted ? PyNumber_Add(a, shifted) : NULL;
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(by);
    Py_XDECREF(shifted);
    return result;
}

static PyObject *products_total(ao_products *sum, int of_floats)
{
    uint8_t high[AO_FLOAT_SUM_BYTES], low[AO_FLOAT_SUM_BYTES], wide[AO_WIDE_BYTES], ints[AO_INT_PRODUCTS_BYTES];
    ao_products_bytes(sum, high, low, wide, ints);
    if (!of_floats) {
        return int_of_bytes(ints, sizeof ints);
    }
    PyObject *moderate = int_of_bytes(high, sizeof high);
    moderate = moderate ? plus_shifted(moderate, int_of_bytes(low, sizeof low), 0) : NULL;
    return moderate ? plus_shifted(int_of_bytes(wide, sizeof wide), moderate, MOMENTS_UNIT) : NULL;
}

static PyObject *sum_total(ao_moments *m)
{
    if (!is_float(m->type)) {
        return int_of_halves(m->int_high, m->int_low);
    }
    uint8_t bytes[AO_FLOAT_SUM_BYTES];
    ao_float_sum_bytes(&m->sum, bytes);
    return int_of_bytes(bytes, sizeof bytes);
}

/* (count, sum, squares, low, high, nans, infinities, negative infinities, whether the first is a nan). What was
 * not wanted is 0 or None; low and high are None if there are none. */
static PyObject *moments_result(ao_moments *m)
{
    const enum ao_type type = is_float(m->type) ? AO_TYPE_f64 : m->type;
    PyObject *squares = NULL, *low = NULL, *high = NULL, *result = NULL;
    PyObject *sum = m->wanted & AO_SUMS ? sum_total(m) : PyLong_FromLong(0);
    if (sum) {
        squares = m->wanted & AO_SQUARES ? products_total(&m->squares, is_float(m->type)) : PyLong_FromLong(0);
    }
    if (squares) {
        low = m->found ? value_to_number(type, m->low) : Py_NewRef(Py_None);
    }
    if (low) {
        high = m->found ? value_to_number(type, m->high) : Py_NewRef(Py_None);
    }
    if (high) {
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
    ao_gather(local, ao_along(a->data, first, a->spacing.stride), a->spacing, ao_type_sizes[a->type], *n);
    return local;
}

/* -- the passes ---------------------------------------------------------------------------------------------------- */

/* A pass over one or two arrays, by one or several threads, each with a state of its own. */
typedef struct {
    const ao_array *a, *b;
    unsigned parts;
    ao_moments *moments;
    ao_products *products;
} pass;

static unsigned parts_for(const module_state *state, size_t work, const ao_array *a)
{
    return ao_is_worth_threads(work, a->count) ? state->threads : 1;
}

static void add_moments(void *context, unsigned part, size_t first, size_t end)
{
    const pass *p = context;
    double local[GATHER];
    for (size_t n; first < end; first += n) {
        n = end - first;
        const void *elements = dense_part(p->a, first, local, &n);
        ao_moments_add(&p->moments[part], elements, n);
    }
}

/* The first part has the extremes of all, each the first of equals. */
static int pass_extremes(void *context)
{
    const pass *p = context;
    for (unsigned part = 1; part < p->parts; part++) {
        ao_moments_pass_extremes(&p->moments[0], &p->moments[part]);
    }
    return 0;
}

/* moments(buffer, wanted) -> list of what threads gathered, which together is what there is. The extremes of all are in the
 * first of them. */
static PyObject *py_moments(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a;
    if (!has_args(nargs, 2, "moments(buffer, wanted)")) {
        return NULL;
    }
    const unsigned long wanted = PyLong_AsUnsignedLong(args[1]);
    if (PyErr_Occurred() || array_take(state, args[0], &a) < 0) {
        return NULL;
    }
    const unsigned parts = parts_for(state, wanted & AO_SQUARES ? AO_MOMENTS_WORK : AO_READING_WORK, &a);
    pass p = {.a = &a, .parts = parts, .moments = PyMem_RawMalloc(parts * sizeof *p.moments)};
    PyObject *result = NULL;
    if (!p.moments) {
        PyErr_NoMemory();
    } else {
        for (unsigned part = 0; part < parts; part++) {
            ao_moments_start(&p.moments[part], state->isa, array_number_type(&a), (unsigned)wanted, AO_EXTRACT_AHEAD);
        }
        const slice_work work = {add_moments, pass_extremes, &p};
        const int failed = run_slices(&work, 0, a.count, SLICE, parts) < 0;
        for (unsigned part = 0; part < parts; part++) {
            p.moments[part].type = a.type; /* extremes of truth values are such */
        }
        result = failed ? NULL : moments_list(p.moments, parts, sizeof *p.moments);
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

static void add_products(void *context, unsigned part, size_t first, size_t end)
{
    const pass *p = context;
    double local_a[GATHER], local_b[GATHER], wide_a[GATHER], wide_b[GATHER];
    ao_products *sum = &p->products[part];
    for (size_t n; first < end; first += n) {
        n = end - first < GATHER ? end - first : GATHER;
        enum ao_type type_a = array_number_type(p->a), type_b = array_number_type(p->b);
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
    PyObject *result = total ? Py_BuildValue("O d", total, special) : NULL; /* N is lost if there is no tuple */
    Py_XDECREF(total);
    return result;
}

/* Takes both, which must be of one length. */
static int take_both(const module_state *state, PyObject *const *args, ao_array *a, ao_array *b)
{
    return array_take(state, args[0], a) < 0 || array_take(state, args[1], b) < 0 || array_check_lengths(a, b) < 0 ? -1 : 0;
}

/* What `make` says of the products of all elements, which threads have added up. */
typedef PyObject *products_result(ao_products *products, unsigned parts, int of_floats);
static PyObject *multiplied(const module_state *state, const ao_array *a, const ao_array *b, products_result *make)
{
    const unsigned parts = parts_for(state, AO_MOMENTS_WORK, a);
    ao_products one; /* of a short call */
    pass p = {.a = a, .b = b, .products = parts == 1 ? &one : PyMem_RawMalloc(parts * sizeof *p.products)};
    if (!p.products) {
        return PyErr_NoMemory();
    }
    for (unsigned part = 0; part < parts; part++) {
        ao_products_start(&p.products[part], state->isa);
    }
    const slice_work work = {add_products, NULL, &p};
    PyObject *result = run_slices(&work, 0, a->count, SLICE, parts) < 0 ? NULL : make(p.products, parts, is_float(a->type));
    if (p.products != &one) {
        PyMem_RawFree(p.products);
    }
    return result;
}

/* dot(a, b) -> (total, special): both of floats or both of integers. special: the sum of the products that are inf or nan,
 * 0.0 if there are none. */
static PyObject *py_dot(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array a, b;
    PyObject *result = NULL;
    array_none(&a);
    array_none(&b);
    if (!has_args(nargs, 2, "dot(a, b)")) {
        return NULL;
    }
    const int taken = take_both(state, args, &a, &b) == 0;
    if (taken && is_float(a.type) != is_float(b.type)) {
        PyErr_SetString(PyExc_TypeError, "dot(): integers and floats");
    } else if (taken) {
        result = multiplied(state, &a, &b, dot_result);
    }
    array_release(&a);
    array_release(&b);
    return result;
}

/* What needs no wide integers. */
static PyObject *dot_rounded(ao_products *products, unsigned parts, int of_floats)
{
    double total;
    if (parts > 1) {
        return Py_NewRef(Py_None);
    }
    if (!of_floats) {
        return products_total(products, 0);
    }
    return products->special == 0 && ao_products_rounded(products, &total) ? PyFloat_FromDouble(total) : Py_NewRef(Py_None);
}

PyObject *dot_of(const module_state *state, PyObject *a, PyObject *b)
{
    enum { FEW = 1 << 14 }; /* a second pass over more would cost what the first has saved */
    ao_array x, y;
    PyObject *result = NULL;
    array_none(&x);
    array_none(&y);
    PyObject *const both[] = {a, b};
    if (take_both(state, both, &x, &y) < 0) {
        PyErr_Clear(); /* Python has another order of looking at them */
        result = Py_NewRef(Py_None);
    } else if (is_float(x.type) != is_float(y.type) || x.count > FEW) {
        result = Py_NewRef(Py_None);
    } else {
        result = multiplied(state, &x, &y, dot_rounded);
    }
    array_release(&x);
    array_release(&y);
    return result;
}

/* A zero of floats without its sign, as stats() has it. */
static PyObject *extreme_number(const ao_moments *m, ao_value value)
{
    return is_float(m->type) ? PyFloat_FromDouble(value.f + 0.0) : value_to_number(m->type, value);
}

static PyObject *all_figures(const ao_moments *m, const ao_spread *spread)
{
    PyObject *total = is_float(m->type) ? PyFloat_FromDouble(spread->total) : int_of_halves(m->int_high, m->int_low);
    /* without a float of its own, which might be one too many */
    const double sum = !total || is_float(m->type) ? spread->total : PyLong_AsDouble(total);
    PyObject *low = total ? extreme_number(m, m->low) : NULL, *high = low ? extreme_number(m, m->high) : NULL;
    PyObject *result = high ? Py_BuildValue("(n O d O O d d)", (Py_ssize_t)m->count, total, sum / (double)m->count, low, high,
                                            spread->variance, spread->deviation)
                            : NULL;
    Py_XDECREF(total);
    Py_XDECREF(low);
    Py_XDECREF(high);
    return result;
}

PyObject *spread_of(const module_state *state, PyObject *object, int what, size_t ddof)
{
    enum { FEW = 1 << 14, GATHERED = AO_SUMS | AO_SQUARES }; /* for more it matters little, and Python would read them again */
    ao_array a;
    if (array_take(state, object, &a) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    ao_moments m;
    ao_spread spread = {0, 0, 0};
    int known = a.count > ddof && a.count <= FEW;
    if (known) {
        const pass p = {.a = &a, .moments = &m};
        ao_moments_start(&m, state->isa, array_number_type(&a), GATHERED | (what == SPREAD_ALL ? AO_EXTREMES : 0), 0);
        add_moments((void *)(uintptr_t)&p, 0, 0, a.count);
        known = ao_moments_spread(&m, ddof, &spread);
        m.type = a.type; /* extremes of truth values are such */
    }
    array_release(&a);
    if (!known) {
        return Py_NewRef(Py_None);
    }
    switch (what) {
    case SPREAD_VARIANCE: result = PyFloat_FromDouble(spread.variance); break;
    case SPREAD_DEVIATION: result = PyFloat_FromDouble(spread.deviation); break;
    default: result = all_figures(&m, &spread);
    }
    return result;
}

/* summary(buffer) -> what stats() is made of, or None where it needs wider numbers */
static PyObject *py_summary(PyObject *module, PyObject *object)
{
    return spread_of(state_of(module), object, SPREAD_ALL, 0);
}

PyMethodDef moments_methods[] = {
    FAST_FUNCTION("moments", py_moments),
    FAST_FUNCTION("dot", py_dot),
    ONE_ARGUMENT("summary", py_summary),
    END_OF_FUNCTIONS,
};
