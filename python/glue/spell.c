/* Numbers as text: the machine writes them (vm/text/spell.h), Python's own function those of a given number of digits. */
#include "spell.h"
#include "watch.h"
#include "../../vm/text/quoting.h"
#include "../../vm/text/spell.h"

#include <math.h>
#include <string.h>

enum { LEAST = 1 << 10, LOOK = 1 << 14 };

void *spelled_room(spelled *s, size_t n)
{
    if (!s->bytes || n > s->room - s->length) { /* of no bytes, too, there is a place: NULL is an error */
        size_t room = s->room ? s->room : LEAST;
        while (room - s->length < n) {
            room *= 2;
        }
        char *bytes = PyMem_RawRealloc(s->bytes, room);
        if (!bytes) {
            PyErr_NoMemory();
            return NULL;
        }
        s->bytes = bytes;
        s->room = room;
    }
    return s->bytes + s->length;
}

int spelled_add(spelled *s, const void *bytes, size_t n)
{
    void *to = spelled_room(s, n);
    if (!to) {
        return -1;
    }
    memcpy(to, bytes, n);
    s->length += n;
    return 0;
}

void spelled_drop(spelled *s)
{
    PyMem_RawFree(s->bytes);
    *s = (spelled){0};
}

PyObject *spelled_bytes(spelled *s)
{
    PyObject *bytes = PyBytes_FromStringAndSize(s->bytes, (Py_ssize_t)s->length);
    spelled_drop(s);
    return bytes;
}

static int add_double(spelled *s, double x, int decimals)
{
    if (decimals < 0) {
        char *to = spelled_room(s, AO_SPELLED_BYTES);
        s->length += to ? ao_spell_double(x, to) : 0;
        return to ? 0 : -1;
    }
    char *text = PyOS_double_to_string(x, 'f', decimals, 0, NULL);
    const int failed = !text || spelled_add(s, text, strlen(text)) < 0;
    PyMem_Free(text);
    return failed ? -1 : 0;
}

int spelled_element(spelled *s, const ao_array *array, size_t i, int decimals)
{
    char local[8];
    const void *element = array_element(array, i, local);
    char *to = spelled_room(s, AO_SPELLED_BYTES);
    if (!to) {
        return -1;
    }
#define SPELL_SIGNED(T, none)                                                                          \
    case AO_TYPE_##T: {                                                                                \
        ao_##T x;                                                                                      \
        memcpy(&x, element, sizeof x);                                                                 \
        s->length += ao_spell_int(x < 0, x < 0 ? 0 - (uint64_t)x : (uint64_t)x, to);                   \
        return 0;                                                                                      \
    }
#define SPELL_UNSIGNED(T, none)                                                                        \
    case AO_TYPE_##T: {                                                                                \
        ao_##T x;                                                                                      \
        memcpy(&x, element, sizeof x);                                                                 \
        s->length += ao_spell_int(0, (uint64_t)x, to);                                                 \
        return 0;                                                                                      \
    }
    switch (array->type) {
        SPELL_SIGNED(i8, ) SPELL_SIGNED(i16, ) SPELL_SIGNED(i32, ) SPELL_SIGNED(i64, )
        SPELL_UNSIGNED(u8, ) SPELL_UNSIGNED(u16, ) SPELL_UNSIGNED(u32, ) SPELL_UNSIGNED(u64, ) SPELL_UNSIGNED(b1, )
    case AO_TYPE_f32: {
        float x;
        memcpy(&x, element, sizeof x);
        return add_double(s, (double)x, decimals);
    }
    default: {
        double x;
        memcpy(&x, element, sizeof x);
        return add_double(s, x, decimals);
    }
    }
}

/* Whether an element is a number that JSON has. */
static int is_finite(const ao_array *array, size_t i)
{
    char local[8];
    const void *element = array_element(array, i, local);
    double x = 0;
    if (array->type == AO_TYPE_f64) {
        memcpy(&x, element, sizeof x);
    } else if (array->type == AO_TYPE_f32) {
        float single;
        memcpy(&single, element, sizeof single);
        x = (double)single;
    }
    return isfinite(x);
}

int spelled_value(spelled *s, const ao_array *array, size_t i, int decimals, row_form form)
{
    return form == FORM_JSON && !is_finite(array, i) ? spelled_add(s, "null", 4) : spelled_element(s, array, i, decimals);
}

static int is_utf8(const char *text, size_t n)
{
    size_t i = 0;
    while (i < n && (unsigned char)text[i] < 0x80) {
        i++;
    }
    if (i == n) {
        return 1;
    }
    PyObject *decoded = PyUnicode_DecodeUTF8(text, (Py_ssize_t)n, NULL);
    Py_XDECREF(decoded);
    return decoded != NULL;
}

int spelled_cell(spelled *s, const char *text, size_t n, char doubled, row_form form)
{
    if (form == FORM_JSON && !is_utf8(text, n)) {
        return -1;
    }
    char *to = spelled_room(s, AO_QUOTED_BYTES(n));
    if (!to) {
        return -1;
    }
    s->length += form == FORM_JSON ? ao_quoted_json(text, n, doubled, to) : ao_quoted_csv(text, n, doubled, to);
    return 0;
}

/* spell_lines(buffer, decimals) -> bytes: a line for every element */
static PyObject *py_spell_lines(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    ao_array a;
    spelled s = {0};
    if (!has_args(nargs, 2, "spell_lines(buffer, decimals)")) {
        return NULL;
    }
    const int decimals = (int)PyLong_AsLong(args[1]);
    if (PyErr_Occurred() || array_take(state_of(module), args[0], &a) < 0) {
        return NULL;
    }
    int failed = 0;
    for (size_t i = 0; i < a.count && !failed; i++) {
        failed = spelled_element(&s, &a, i, decimals) < 0 || spelled_add(&s, "\n", 1) < 0
                 || (i % LOOK == LOOK - 1 && watch_breathe() < 0);
    }
    array_release(&a);
    if (failed) {
        spelled_drop(&s);
        return NULL;
    }
    return spelled_bytes(&s);
}

int all_are_bytes(PyObject *tuple)
{
    int all = PyTuple_Check(tuple);
    for (Py_ssize_t i = 0; all && i < PyTuple_GET_SIZE(tuple); i++) {
        all = PyBytes_Check(PyTuple_GET_ITEM(tuple, i));
    }
    return all;
}

typedef struct {
    ao_array *columns;
    Py_ssize_t n;
    PyObject *names; /* a tuple of bytes: what stands before each value in JSON */
    ao_array keep;
    int decimals;
    row_form form;
} rows_of_arrays;

static int spell_row(spelled *s, const rows_of_arrays *r, size_t i)
{
    for (Py_ssize_t j = 0; j < r->n; j++) {
        if (r->form == FORM_JSON) {
            PyObject *name = PyTuple_GET_ITEM(r->names, j);
            if (spelled_add(s, PyBytes_AS_STRING(name), (size_t)PyBytes_GET_SIZE(name)) < 0) {
                return -1;
            }
        } else if (j && spelled_add(s, ",", 1) < 0) {
            return -1;
        }
        if (spelled_value(s, &r->columns[j], i, r->decimals, r->form) < 0) {
            return -1;
        }
    }
    return r->form == FORM_JSON ? spelled_add(s, "},\n", 3) : spelled_add(s, "\n", 1);
}

static PyObject *spell_all_rows(const rows_of_arrays *r)
{
    spelled s = {0};
    for (size_t i = 0; r->n && i < r->columns[0].count; i++) {
        char local[8];
        if (r->keep.held && !*(const char *)array_element(&r->keep, i, local)) {
            continue;
        }
        if (spell_row(&s, r, i) < 0 || (i % LOOK == LOOK - 1 && watch_breathe() < 0)) {
            spelled_drop(&s);
            return NULL;
        }
    }
    return spelled_bytes(&s);
}

/* Takes the arrays, which have as many elements as the first. */
static int take_columns(module_state *state, rows_of_arrays *r, PyObject *columns, PyObject *keep)
{
    for (; r->n < PyTuple_GET_SIZE(columns); r->n++) {
        if (array_take(state, PyTuple_GET_ITEM(columns, r->n), &r->columns[r->n]) < 0) {
            return -1;
        }
        if (r->columns[r->n].count != r->columns[0].count) {
            PyErr_SetString(PyExc_ValueError, "spell_rows(): columns of several lengths");
            r->n++;
            return -1;
        }
    }
    if (keep == Py_None) {
        return 0;
    }
    if (array_take(state, keep, &r->keep) < 0) {
        array_none(&r->keep);
        return -1;
    }
    if (r->n && (r->keep.count != r->columns[0].count || array_size(&r->keep) != 1)) {
        PyErr_SetString(PyExc_ValueError, "spell_rows(): keep is an array of as many bytes");
        return -1;
    }
    return 0;
}

/* spell_rows(columns, keep, decimals, form, names) -> bytes: a row for each element of the arrays of a tuple, or for those for
 * which `keep` is not 0. JSON has each name of the tuple before its value, and a comma behind each row. */
static PyObject *py_spell_rows(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 5, "spell_rows(columns, keep, decimals, form, names)")) {
        return NULL;
    }
    const long decimals = PyLong_AsLong(args[2]), form = PyLong_AsLong(args[3]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (!PyTuple_Check(args[0]) || !all_are_bytes(args[4]) || form < FORM_CSV || form > FORM_JSON
        || (form == FORM_JSON && PyTuple_GET_SIZE(args[4]) != PyTuple_GET_SIZE(args[0]))) {
        PyErr_SetString(PyExc_TypeError, "spell_rows(): a tuple of arrays, and for JSON of as many names in bytes");
        return NULL;
    }
    rows_of_arrays r = {.names = args[4], .decimals = (int)decimals, .form = (row_form)form};
    array_none(&r.keep);
    r.columns = PyMem_RawCalloc((size_t)PyTuple_GET_SIZE(args[0]) + 1, sizeof *r.columns);
    if (!r.columns) {
        return PyErr_NoMemory();
    }
    PyObject *result = take_columns(state_of(module), &r, args[0], args[1]) < 0 ? NULL : spell_all_rows(&r);
    for (Py_ssize_t j = 0; j < r.n; j++) {
        array_release(&r.columns[j]);
    }
    array_release(&r.keep);
    PyMem_RawFree(r.columns);
    return result;
}

PyMethodDef spell_methods[] = {
    FAST_FUNCTION("spell_lines", py_spell_lines),
    FAST_FUNCTION("spell_rows", py_spell_rows),
    END_OF_FUNCTIONS,
};
