/* Delimited text: rows that were read, written as text, CSV or JSON. */
#include "delimited.h"
#include "buffers.h"
#include "spell.h"
#include "../../vm/text/quoting.h"

#include <string.h>

enum { MOST_EXTRA = 256 };

/* The end of the line behind a row. */
static int add_line_end(const DelimitedObject *self, spelled *s, ao_range row)
{
    const size_t at = self->chunk + row.begin + row.length;
    const size_t n = at >= self->end ? 0 : self->text[at] == '\r' && at + 1 < self->end && self->text[at + 1] == '\n' ? 2 : 1;
    return n ? spelled_add(s, self->text + at, n) : spelled_add(s, "\n", 1);
}

/* Whether a field of a row stands in quotes. */
static int is_quoted(const DelimitedObject *self, ao_range row, ao_range field)
{
    return field.begin > row.begin && self->d.quote && self->text[self->chunk + field.begin - 1] == self->d.quote;
}

/* A field as it stands in the row, with its quotes. */
static int add_field(const DelimitedObject *self, spelled *s, ao_range row, ao_range field)
{
    const size_t quote = (size_t)is_quoted(self, row, field);
    return spelled_add(s, self->text + self->chunk + field.begin - quote, (field.length & ~AO_DOUBLED) + 2 * quote);
}

/* Whether a field is in quotes only because the delimiter is part of numbers, too: "1,5" or "1,234.50". */
static int is_marked(const DelimitedObject *self, const char *text, ao_range field)
{
    const ao_delimited *d = &self->d;
    return (d->decimal == d->delimiter || d->thousands == d->delimiter) && !(field.length & AO_DOUBLED)
           && memchr(text + field.begin, d->delimiter, field.length);
}

/* A field as CSV or JSON: what is in quotes is a text; of the others JSON tells numbers, null for what is missing, and texts. */
static int add_cell(const DelimitedObject *self, spelled *s, ao_range row, ao_range field, row_form form)
{
    const char *const text = self->text + self->chunk;
    const char doubled = field.length & AO_DOUBLED ? self->d.quote : 0;
    if (!is_quoted(self, row, field) || is_marked(self, text, field)) {
        const ao_range cell = ao_delimited_trimmed(text, field);
        if (form == FORM_JSON && ao_delimited_missing(&self->d, text + cell.begin, cell.length)) {
            return spelled_add(s, "null", 4);
        }
        char *to = spelled_room(s, cell.length + 1);
        if (!to) {
            return -1;
        }
        const size_t n = ao_delimited_plain(&self->d, text + cell.begin, cell.length, to);
        if (n && ao_is_json_number(to, n)) {
            s->length += n;
            return 0;
        }
    }
    return spelled_cell(s, text + field.begin, field.length & ~AO_DOUBLED, doubled, form);
}

/* What is written of each row. */
typedef struct {
    ao_array keep;            /* of bytes, 0: not this row; count 0: all */
    size_t *fields;           /* that are written, or NULL: the whole row */
    size_t n_fields;
    ao_range *cut;            /* room for all fields of a row */
    ao_array extra[MOST_EXTRA]; /* numbers that are put behind them */
    size_t n_extra;
    int decimals;
    row_form form;
    PyObject *names;          /* of JSON: a tuple of bytes, what stands before each value */
} row_writer;

/* What stands before value j of a row. */
static int add_separator(const DelimitedObject *self, const row_writer *w, spelled *s, size_t j)
{
    if (w->form == FORM_JSON) {
        PyObject *name = PyTuple_GET_ITEM(w->names, (Py_ssize_t)j);
        return spelled_add(s, PyBytes_AS_STRING(name), (size_t)PyBytes_GET_SIZE(name));
    }
    return j ? spelled_add(s, w->form == FORM_CSV ? "," : &self->d.delimiter, 1) : 0;
}

/* A field of which nothing is to be seen otherwise: nothing between blanks, or alone in its line. */
static int add_quotes(const DelimitedObject *self, const row_writer *w, spelled *s)
{
    const char quote = w->form == FORM_CSV ? '"' : self->d.quote;
    return quote ? spelled_add(s, (char[]){quote, quote}, 2) : 0;
}

/* A field that the row has not. */
static int add_absent(const DelimitedObject *self, const row_writer *w, spelled *s)
{
    return w->form == FORM_JSON                       ? spelled_add(s, "null", 4)
           : w->form == FORM_TEXT && self->d.aligned ? add_quotes(self, w, s)
                                                      : 0;
}

/* The fields of a row that are wanted. */
static int add_fields(const DelimitedObject *self, const row_writer *w, spelled *s, ao_range row)
{
    const size_t n = ao_delimited_fields(&self->d, self->text + self->chunk, row, w->cut, self->d.fields);
    const size_t begin = s->length;
    for (size_t j = 0; j < w->n_fields; j++) {
        const size_t field = w->fields[j];
        if (add_separator(self, w, s, j) < 0) {
            return -1;
        }
        if (field >= n             ? add_absent(self, w, s) < 0
            : w->form == FORM_TEXT ? add_field(self, s, row, w->cut[field]) < 0
                                   : add_cell(self, s, row, w->cut[field], w->form) < 0) {
            return -1;
        }
    }
    const int is_blank_line = w->n_fields == 1 && !w->n_extra && s->length == begin; /* which is read as no row */
    return is_blank_line ? add_quotes(self, w, s) : 0;
}

/* A row as it stands; of one with too few fields the others, so that what is put behind them is in its own column. */
static int add_whole(const DelimitedObject *self, const row_writer *w, spelled *s, ao_range row)
{
    const char *const text = self->text + self->chunk;
    if (spelled_add(s, text + row.begin, row.length) < 0) {
        return -1;
    }
    if (!w->n_extra || self->d.ragged != AO_RAGGED_FILL) {
        return 0;
    }
    for (size_t n = ao_delimited_fields(&self->d, text, row, w->cut, self->d.fields); n < self->d.fields; n++) {
        if (add_separator(self, w, s, n) < 0 || add_absent(self, w, s) < 0) {
            return -1;
        }
    }
    return 0;
}

/* A number that is put behind the fields, with the decimal sign of the text where it becomes a part of that: in quotes if it
 * is the delimiter, too. */
static int add_number(const DelimitedObject *self, const row_writer *w, spelled *s, size_t j, size_t row)
{
    const int quoted = w->form == FORM_TEXT && self->d.decimal == self->d.delimiter;
    const size_t before = s->length;
    if ((quoted && spelled_add(s, &self->d.quote, 1) < 0) || spelled_value(s, &w->extra[j], row, w->decimals, w->form) < 0) {
        return -1;
    }
    char *point = w->form == FORM_TEXT && self->d.decimal != '.' ? memchr(s->bytes + before, '.', s->length - before) : NULL;
    if (point) {
        *point = self->d.decimal;
    }
    return quoted ? spelled_add(s, &self->d.quote, 1) : 0;
}

static int add_row(const DelimitedObject *self, const row_writer *w, spelled *s, size_t i)
{
    const ao_range row = self->rows[i];
    const size_t before = w->fields ? w->n_fields : 1;
    if ((w->fields ? add_fields(self, w, s, row) : add_whole(self, w, s, row)) < 0) {
        return -1;
    }
    for (size_t j = 0; j < w->n_extra; j++) {
        if (add_separator(self, w, s, before + j) < 0 || add_number(self, w, s, j, i) < 0) {
            return -1;
        }
    }
    return w->form == FORM_JSON ? spelled_add(s, "},\n", 3)
           : w->form == FORM_CSV ? spelled_add(s, "\n", 1)
                                 : add_line_end(self, s, row);
}

static int take_fields(DelimitedObject *self, row_writer *w, PyObject *fields)
{
    w->cut = PyMem_RawMalloc((self->d.fields + 1) * sizeof *w->cut);
    if (w->cut && fields == Py_None) {
        return 0;
    }
    w->n_fields = w->cut ? (size_t)PyTuple_Size(fields) : 0;
    if (PyErr_Occurred()) {
        return -1;
    }
    w->fields = PyMem_RawMalloc((w->n_fields + 1) * sizeof *w->fields);
    if (!w->fields || !w->cut) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t j = 0; j < w->n_fields; j++) {
        w->fields[j] = PyLong_AsSize_t(PyTuple_GET_ITEM(fields, (Py_ssize_t)j));
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* An array with an element for every row that was read. */
static int take_along(DelimitedObject *self, PyObject *object, ao_array *array)
{
    if (array_take(self->state, object, array) < 0) {
        return -1;
    }
    if (array->count != self->count) {
        PyErr_Format(PyExc_ValueError, "text(): %zu elements for %zu rows", array->count, self->count);
        return -1;
    }
    return 0;
}

static int take_writer(DelimitedObject *self, row_writer *w, PyObject *keep, PyObject *fields, PyObject *extra)
{
    array_none(&w->keep);
    if (w->form != FORM_TEXT
        && (!PyTuple_Check(fields) || !all_are_bytes(w->names)
            || (w->form == FORM_JSON && PyTuple_GET_SIZE(w->names) != PyTuple_GET_SIZE(fields) + PyTuple_GET_SIZE(extra)))) {
        PyErr_SetString(PyExc_TypeError, "text(): other forms take the fields, and JSON as many names in bytes as values");
        return -1;
    }
    if (PyTuple_GET_SIZE(extra) > MOST_EXTRA) {
        PyErr_Format(PyExc_ValueError, "%zd columns to add; there may be %d", PyTuple_GET_SIZE(extra), MOST_EXTRA);
        return -1;
    }
    if (keep != Py_None && (take_along(self, keep, &w->keep) < 0 || array_size(&w->keep) != 1)) {
        return PyErr_Occurred() ? -1 : (PyErr_SetString(PyExc_TypeError, "text(): keep is an array of bytes"), -1);
    }
    if (take_fields(self, w, fields) < 0) {
        return -1;
    }
    for (; w->n_extra < (size_t)PyTuple_GET_SIZE(extra); w->n_extra++) {
        array_none(&w->extra[w->n_extra]);
        if (take_along(self, PyTuple_GET_ITEM(extra, (Py_ssize_t)w->n_extra), &w->extra[w->n_extra]) < 0) {
            array_release(&w->extra[w->n_extra]);
            return -1;
        }
    }
    return 0;
}

static PyObject *rows_as_text(DelimitedObject *self, const row_writer *w)
{
    spelled s = {0};
    for (size_t i = 0; i < self->count; i++) {
        char local[8];
        if (w->keep.held && !*(const char *)array_element(&w->keep, i, local)) {
            continue;
        }
        if (add_row(self, w, &s, i) < 0) {
            spelled_drop(&s);
            return NULL;
        }
    }
    return spelled_bytes(&s);
}

/* text(keep, fields, extra, decimals, form, names) -> the rows that were read as bytes: those for which the array `keep` is not 0
 * (None: all); of each the fields of a tuple (None: all that it has), and behind them numbers of the arrays of a tuple. JSON
 * has each name of the tuple before its value, and a comma behind each row. */
PyObject *delimited_text(PyObject *object, PyObject *args)
{
    DelimitedObject *self = (DelimitedObject *)object;
    PyObject *keep, *fields, *extra, *names, *result = NULL;
    int decimals, form;
    if (!PyArg_ParseTuple(args, "OOO!iiO:text", &keep, &fields, &PyTuple_Type, &extra, &decimals, &form, &names)) {
        return NULL;
    }
    if (form < FORM_TEXT || form > FORM_JSON) {
        return PyErr_Format(PyExc_ValueError, "text(): there is no form %d", form);
    }
    if (delimited_enter(self) < 0) {
        return NULL;
    }
    row_writer *w = PyMem_RawCalloc(1, sizeof *w);
    if (!w) {
        return delimited_leave(self, PyErr_NoMemory());
    }
    w->decimals = decimals;
    w->form = (row_form)form;
    w->names = names;
    if (take_writer(self, w, keep, fields, extra) == 0) {
        result = rows_as_text(self, w);
    }
    for (size_t j = 0; j < w->n_extra; j++) {
        array_release(&w->extra[j]);
    }
    array_release(&w->keep);
    PyMem_RawFree(w->fields);
    PyMem_RawFree(w->cut);
    PyMem_RawFree(w);
    return delimited_leave(self, result);
}

/* raw() -> the row that row() cut last as it stands in the text, without its end, and its end */
PyObject *delimited_raw(PyObject *object, PyObject *unused)
{
    DelimitedObject *self = (DelimitedObject *)object;
    spelled end = {0};
    (void)unused;
    if (delimited_enter(self) < 0) {
        return NULL;
    }
    const ao_range row = self->d.row;
    if (self->chunk + row.begin + row.length > self->end) { /* the text was moved meanwhile */
        return delimited_leave(self, PyErr_Format(PyExc_RuntimeError, "raw() comes right after row()"));
    }
    PyObject *result = NULL;
    if (add_line_end(self, &end, row) == 0) {
        result = Py_BuildValue("y#y#", self->text ? self->text + self->chunk + row.begin : "", (Py_ssize_t)row.length, end.bytes,
                               (Py_ssize_t)end.length);
    }
    spelled_drop(&end);
    return delimited_leave(self, result);
}
