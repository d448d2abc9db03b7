/* Delimited: a text that is fed in pieces and read row by row (vm/text/delimited.h), with numbers that need Python's own
 * reading given to float() and int(). What becomes
 * of the rows is in delimited_keys.c and delimited_rows.c.
 *
 * What always holds: the text and the columns are memory of the object, which nobody else sees; what leaves is a copy. One
 * thread at a time is in an object: the others get RuntimeError. Without the GIL only memory of the object is touched.
 */
#include "delimited.h"
#include "buffers.h"
#include "watch.h"

#include <string.h>

enum {
    MOST_ROWS = 1 << 13,   /* that are read at once: what they take stays in the cache */
    MOST_CELLS = 1 << 18,
    LEAST_TEXT = 1 << 16,
    SHOWN_BYTES = 200      /* of a cell that is at fault */
};

int delimited_enter(DelimitedObject *self)
{
    if (atomic_flag_test_and_set(&self->busy)) {
        PyErr_SetString(PyExc_RuntimeError, "this reader is in use by another thread");
        return -1;
    }
    return 0;
}

PyObject *delimited_leave(DelimitedObject *self, PyObject *result)
{
    atomic_flag_clear(&self->busy);
    return result;
}

/* -- numbers by Python --------------------------------------------------------------------------------------------- */

/* What float() makes of a text. */
static int ask_float(PyObject *text, ao_number *number)
{
    PyObject *x = PyFloat_FromString(text);
    if (x) {
        number->kind = AO_REAL;
        number->real = PyFloat_AS_DOUBLE(x);
        Py_DECREF(x);
    }
    return x ? 0 : -1;
}

/* What int() makes of it: an AO_REAL that is whole, if that has more than 64 bits. */
static int ask_int(PyObject *text, ao_number *number)
{
    PyObject *x = PyLong_FromUnicodeObject(text, 10);
    if (!x) {
        return -1;
    }
    int overflow;
    const long long small = PyLong_AsLongLongAndOverflow(x, &overflow);
    number->kind = AO_WHOLE;
    number->negative = overflow ? overflow < 0 : small < 0;
    number->magnitude = small < 0 ? 0 - (uint64_t)small : (uint64_t)small;
    if (overflow > 0) {
        number->magnitude = PyLong_AsUnsignedLongLong(x);
    }
    Py_DECREF(x);
    if (overflow < 0 || PyErr_Occurred()) {
        PyErr_Clear();
        number->kind = AO_REAL;
        number->whole = 1;
    }
    return 0;
}

/* A cell as Python reads it: with a decimal point. */
static PyObject *text_of(const char *bytes, size_t n, char decimal)
{
    PyObject *text = PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)n, NULL);
    if (!text || decimal == '.') {
        return text;
    }
    PyObject *sign = PyUnicode_FromOrdinal(decimal), *point = PyUnicode_FromOrdinal('.');
    PyObject *plain = sign && point ? PyUnicode_Replace(text, sign, point, -1) : NULL;
    Py_DECREF(text);
    Py_XDECREF(sign);
    Py_XDECREF(point);
    return plain;
}

static int ask_with_gil(const char *bytes, size_t n, char decimal, enum ao_cells wanted, ao_number *number)
{
    PyObject *text = text_of(bytes, n, decimal);
    const int failed = !text || (wanted == AO_CELLS_DOUBLE ? ask_float(text, number) : ask_int(text, number)) < 0;
    Py_XDECREF(text);
    if (failed && PyErr_ExceptionMatches(PyExc_ValueError)) { /* no number; UnicodeDecodeError is one as well */
        PyErr_Clear();
        return 0;
    }
    return failed ? -1 : 0;
}

static int ask(void *context, const char *bytes, size_t n, enum ao_cells wanted, ao_number *number)
{
    DelimitedObject *self = context;
    const int released = self->thread != NULL;
    if (released) {
        PyEval_RestoreThread(self->thread);
    }
    const int failed = ask_with_gil(bytes, n, self->d.decimal, wanted, number);
    if (released) {
        self->thread = PyEval_SaveThread();
    }
    return failed;
}

/* -- the object ---------------------------------------------------------------------------------------------------- */

static void free_columns(DelimitedObject *self)
{
    PyMem_RawFree(self->columns);
    PyMem_RawFree(self->cells);
    PyMem_RawFree(self->rows);
    PyMem_RawFree(self->lines);
    self->columns = self->d.columns = NULL;
    self->cells = self->rows = NULL;
    self->lines = NULL;
    self->d.n_columns = self->count = self->most_rows = 0;
}

static void delimited_dealloc(PyObject *object)
{
    DelimitedObject *self = (DelimitedObject *)object;
    PyTypeObject *type = Py_TYPE(object);
    free_columns(self);
    PyMem_RawFree(self->text);
    Py_XDECREF(self->tokens);
    type->tp_free(object);
    Py_DECREF(type);
}

static int take_tokens(DelimitedObject *self, PyObject *tokens)
{
    const Py_ssize_t n = PyTuple_GET_SIZE(tokens);
    if (n > AO_MAX_TOKENS) {
        PyErr_Format(PyExc_ValueError, "%zd texts for missing numbers; up to %d are looked for", n, AO_MAX_TOKENS);
        return -1;
    }
    self->tokens = Py_NewRef(tokens);
    self->d.n_tokens = (size_t)n;
    for (Py_ssize_t i = 0; i < n; i++) {
        self->d.tokens[i] = PyBytes_AsString(PyTuple_GET_ITEM(tokens, i));
        if (!self->d.tokens[i]) {
            return -1;
        }
    }
    return 0;
}

static PyObject *delimited_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"delimiter", "quote", "comment", "decimal", "thousands", "aligned", "ragged", "missing", "tokens",
                            "skip", NULL};
    char delimiter, quote, comment, decimal, thousands;
    int aligned, ragged, missing;
    PyObject *tokens;
    Py_ssize_t skip;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "cccccpiiO!n:Delimited", names, &delimiter, &quote, &comment, &decimal,
                                     &thousands, &aligned, &ragged, &missing, &PyTuple_Type, &tokens, &skip)) {
        return NULL;
    }
    DelimitedObject *self = (DelimitedObject *)type->tp_alloc(type, 0);
    if (!self) {
        return NULL;
    }
    atomic_flag_clear(&self->busy);
    self->state = PyType_GetModuleState(type);
    self->d = (ao_delimited){.delimiter = delimiter, .quote = quote, .comment = comment, .decimal = decimal,
                             .thousands = thousands, .aligned = aligned, .ragged = (enum ao_ragged)ragged,
                             .missing = (enum ao_missing)missing, .skip = (size_t)skip, .ask = ask, .context = self};
    if (take_tokens(self, tokens) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    ao_delimited_start(&self->d);
    return (PyObject *)self;
}

/* Room for n more bytes behind those that are still to be read, which come to the front. */
static int make_room(DelimitedObject *self, size_t n)
{
    const size_t left = self->end - self->begin;
    if (n > PY_SSIZE_T_MAX / 4 || left + n > UINT32_MAX / 4) {
        PyErr_SetString(PyExc_ValueError, "a piece of text is too long; feed less at once");
        return -1;
    }
    if (left) {
        memmove(self->text, self->text + self->begin, left);
    }
    self->begin = 0;
    self->end = left;
    if (left + n > self->room || !self->text) {
        size_t room = self->room ? self->room : LEAST_TEXT;
        while (room < left + n) {
            room *= 2;
        }
        char *text = PyMem_RawRealloc(self->text, room + AO_TEXT_PADDING);
        if (!text) {
            PyErr_NoMemory();
            return -1;
        }
        self->text = text;
        self->room = room;
    }
    return 0;
}

static int feed(DelimitedObject *self, PyObject *data)
{
    Py_buffer view;
    if (data == Py_None) {
        self->final = 1;
        return self->text ? 0 : make_room(self, 0);
    }
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    const int failed = make_room(self, (size_t)view.len) < 0;
    if (!failed) {
        memcpy(self->text + self->end, view.buf, (size_t)view.len);
        self->end += (size_t)view.len;
        memset(self->text + self->end, 0, AO_TEXT_PADDING);
    }
    PyBuffer_Release(&view);
    return failed ? -1 : 0;
}

/* feed(data): more of the text, which is copied; None: there is no more. */
static PyObject *delimited_feed(PyObject *object, PyObject *data)
{
    DelimitedObject *self = (DelimitedObject *)object;
    if (delimited_enter(self) < 0) {
        return NULL;
    }
    self->count = 0;
    const int failed = feed(self, data) < 0;
    if (!failed && data == Py_None) {
        memset(self->text + self->end, 0, AO_TEXT_PADDING);
    }
    return delimited_leave(self, failed ? NULL : Py_NewRef(Py_None));
}

/* -- the columns that are wanted ----------------------------------------------------------------------------------- */

static int take_fill(PyObject *value, ao_number *fill)
{
    *fill = (ao_number){.kind = AO_REAL};
    if (!PyLong_Check(value)) {
        fill->real = PyFloat_AsDouble(value);
        return PyErr_Occurred() ? -1 : 0;
    }
    int overflow;
    const long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
    fill->kind = AO_WHOLE;
    fill->negative = overflow ? overflow < 0 : small < 0;
    fill->magnitude = overflow > 0 ? PyLong_AsUnsignedLongLong(value) : small < 0 ? 0 - (uint64_t)small : (uint64_t)small;
    if (overflow < 0) {
        PyErr_SetString(PyExc_OverflowError, "the number for missing cells has more than 64 bits");
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* (field, cells, turn, exact, fill) */
static int take_column(PyObject *row, ao_column *column, size_t least)
{
    Py_ssize_t field;
    int cells, turn, exact;
    PyObject *fill;
    if (!PyTuple_Check(row)) {
        PyErr_SetString(PyExc_TypeError, "select(): columns are tuples");
        return -1;
    }
    if (!PyArg_ParseTuple(row, "niipO", &field, &cells, &turn, &exact, &fill)) {
        return -1;
    }
    if (field < 0 || (size_t)field < least || cells < AO_CELLS_INT || cells > AO_CELLS_TEXT) {
        PyErr_SetString(PyExc_ValueError, "select(): columns come in rising order of their fields");
        return -1;
    }
    column->field = (size_t)field;
    column->cells = (enum ao_cells)cells;
    column->turn = (enum ao_turn)turn;
    column->exact = exact;
    return take_fill(fill, &column->fill);
}

static int make_columns(DelimitedObject *self, PyObject *wanted)
{
    const size_t n = (size_t)PyTuple_GET_SIZE(wanted), cells = n ? n : 1;
    const size_t rows = cells > MOST_CELLS ? 1 : MOST_CELLS / cells < MOST_ROWS ? MOST_CELLS / cells : MOST_ROWS;
    free_columns(self);
    self->columns = PyMem_RawCalloc(cells, sizeof *self->columns);
    self->cells = PyMem_RawMalloc(cells * rows * (sizeof(ao_cell) + 1));
    self->rows = PyMem_RawMalloc(rows * sizeof *self->rows);
    self->lines = PyMem_RawMalloc(rows * sizeof *self->lines);
    if (!self->columns || !self->cells || !self->rows || !self->lines) {
        PyErr_NoMemory();
        return -1;
    }
    uint8_t *const absent = (uint8_t *)((ao_cell *)self->cells + cells * rows);
    for (size_t i = 0, least = 0; i < n; i++) {
        if (take_column(PyTuple_GET_ITEM(wanted, (Py_ssize_t)i), &self->columns[i], least) < 0) {
            return -1;
        }
        least = self->columns[i].field + 1;
        self->columns[i].values = (ao_cell *)self->cells + i * rows;
        self->columns[i].absent = absent + i * rows;
    }
    self->d.columns = self->columns;
    self->d.n_columns = n;
    self->most_rows = rows;
    return 0;
}

/* Whether a fault is that of a cell in a column, which can be none when the column is read in another way. */
static int is_of_cell(enum ao_fault_kind kind)
{
    return kind >= AO_FAULT_NO_NUMBER && kind <= AO_FAULT_MISSING;
}

/* select(columns, fields): what of the next rows is wanted, and how many fields they have (0: as many as the first one). A row
 * at which the last selection stopped because of a cell is read again. */
static PyObject *delimited_select(PyObject *object, PyObject *args)
{
    DelimitedObject *self = (DelimitedObject *)object;
    PyObject *wanted;
    Py_ssize_t fields;
    if (!PyArg_ParseTuple(args, "O!n:select", &PyTuple_Type, &wanted, &fields) || delimited_enter(self) < 0) {
        return NULL;
    }
    const int failed = make_columns(self, wanted) < 0;
    if (failed) {
        free_columns(self);
    } else {
        self->d.fields = (size_t)fields;
        self->d.fault.kind = is_of_cell(self->d.fault.kind) ? AO_FAULT_NONE : self->d.fault.kind;
    }
    return delimited_leave(self, failed ? NULL : Py_NewRef(Py_None));
}

/* -- reading ------------------------------------------------------------------------------------------------------- */

/* Reads rows into the columns; -1 with the exception of float() or int(). */
static int read_rows(DelimitedObject *self, size_t room)
{
    size_t used;
    const size_t n = self->end - self->begin;
    self->thread = n >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
    self->count = ao_delimited_rows(&self->d, self->text + self->begin, n, self->final, room, self->rows, self->lines, &used);
    if (self->thread) {
        PyEval_RestoreThread(self->thread);
        self->thread = NULL;
    }
    self->chunk = self->begin;
    self->begin += used;
    if (PyErr_Occurred()) { /* ask() failed, perhaps in a row behind those that were read: then they are lost with it */
        self->d.fault.kind = AO_FAULT_ASKED;
        self->count = 0;
        return -1;
    }
    return 0;
}

/* rows(most) -> how many rows were read into the columns, where they are until the next call; 0 if more text is needed, at its
 * end or at a fault. */
static PyObject *delimited_rows(PyObject *object, PyObject *most)
{
    DelimitedObject *self = (DelimitedObject *)object;
    const size_t limit = PyLong_AsSize_t(most);
    if (PyErr_Occurred() || delimited_enter(self) < 0) {
        return NULL;
    }
    self->count = 0;
    if (!self->text || !self->most_rows) {
        return delimited_leave(self, PyLong_FromLong(0));
    }
    const int failed = read_rows(self, limit < self->most_rows ? limit : self->most_rows) < 0;
    return delimited_leave(self, failed ? NULL : PyLong_FromSize_t(self->count));
}

size_t delimited_copy_cell(const DelimitedObject *self, ao_range cell, char *to)
{
    const size_t n = cell.length & ~AO_DOUBLED;
    const char *from = self->text + self->chunk + cell.begin;
    if (!(cell.length & AO_DOUBLED)) {
        memcpy(to, from, n);
        return n;
    }
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        to[length++] = from[i];
        i += from[i] == self->d.quote; /* the second of two */
    }
    return length;
}

static PyObject *cell_bytes(const DelimitedObject *self, ao_range cell)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(cell.length & ~AO_DOUBLED));
    if (!bytes) {
        return NULL;
    }
    const size_t length = delimited_copy_cell(self, cell, PyBytes_AS_STRING(bytes));
    return _PyBytes_Resize(&bytes, (Py_ssize_t)length) < 0 ? NULL : bytes;
}

static PyObject *split_row(DelimitedObject *self, int peek)
{
    const ao_delimited before = self->d;
    const size_t room = self->end - self->begin < AO_MAX_FIELDS ? self->end - self->begin + 1 : AO_MAX_FIELDS;
    size_t used;
    ao_range *fields = PyMem_RawMalloc(room * sizeof *fields);
    if (!fields) {
        return PyErr_NoMemory();
    }
    const size_t n = ao_delimited_split(&self->d, self->text + self->begin, self->end - self->begin, self->final, fields, room,
                                        &used);
    self->chunk = self->begin;
    PyObject *list = n ? PyList_New((Py_ssize_t)n) : Py_NewRef(Py_None);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *cell = cell_bytes(self, fields[i]);
        if (!cell) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, cell);
    }
    if (peek && n) {
        self->d = before;
    } else {
        self->begin += used;
    }
    PyMem_RawFree(fields);
    return list;
}

/* row(peek) -> the next row as a list of bytes, None if there is none in the text. peek: it comes again. */
static PyObject *delimited_row(PyObject *object, PyObject *peek)
{
    DelimitedObject *self = (DelimitedObject *)object;
    if (delimited_enter(self) < 0) {
        return NULL;
    }
    self->count = 0;
    return delimited_leave(self, self->text ? split_row(self, peek == Py_True) : Py_NewRef(Py_None));
}

/* -- what was read ------------------------------------------------------------------------------------------------- */

static PyObject *numbers_of(DelimitedObject *self, const ao_column *column)
{
    static const char letters[] = {[AO_CELLS_INT] = 'q', [AO_CELLS_UINT] = 'Q', [AO_CELLS_DOUBLE] = 'd'};
    ao_array out;
    PyObject *result = array_new_out(self->state, letters[column->cells], self->count, &out);
    if (result && self->count) {
        memcpy(out.data, column->values, self->count * sizeof(ao_cell));
    }
    array_release(&out);
    return result;
}

/* Texts as str; those that are no UTF-8 stay bytes. */
static PyObject *texts_of(const DelimitedObject *self, const ao_column *column)
{
    PyObject *list = PyList_New((Py_ssize_t)self->count);
    for (size_t i = 0; list && i < self->count; i++) {
        const ao_range cell = column->values[i].text;
        PyObject *bytes = cell.length & AO_DOUBLED ? cell_bytes(self, cell) : NULL;
        const char *from = bytes ? PyBytes_AS_STRING(bytes) : self->text + self->chunk + cell.begin;
        const Py_ssize_t n = bytes ? PyBytes_GET_SIZE(bytes) : (Py_ssize_t)(cell.length & ~AO_DOUBLED);
        PyObject *text = PyErr_Occurred() ? NULL : PyUnicode_DecodeUTF8(from, n, NULL);
        if (!text && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
            PyErr_Clear();
            text = PyBytes_FromStringAndSize(from, n);
        }
        Py_XDECREF(bytes);
        if (!text) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, text);
    }
    return list;
}

static const ao_column *column_at(DelimitedObject *self, PyObject *index)
{
    const size_t i = PyLong_AsSize_t(index);
    if (!PyErr_Occurred() && i >= self->d.n_columns) {
        PyErr_SetString(PyExc_IndexError, "there is no such column");
    }
    return PyErr_Occurred() ? NULL : &self->columns[i];
}

/* column(i) -> an array('q'), array('Q') or array('d') of the rows that were read, or a list of texts. */
static PyObject *delimited_column(PyObject *object, PyObject *index)
{
    DelimitedObject *self = (DelimitedObject *)object;
    if (delimited_enter(self) < 0) {
        return NULL;
    }
    const ao_column *column = column_at(self, index);
    return delimited_leave(self, !column                                ? NULL
                       : column->cells == AO_CELLS_TEXT ? texts_of(self, column)
                                                        : numbers_of(self, column));
}

/* absent(i) -> (an array('B') with 1 for every row whose cell is missing, missing cells of the column so far) */
static PyObject *delimited_absent(PyObject *object, PyObject *index)
{
    DelimitedObject *self = (DelimitedObject *)object;
    ao_array out;
    if (delimited_enter(self) < 0) {
        return NULL;
    }
    const ao_column *column = column_at(self, index);
    PyObject *result = column ? array_new_out(self->state, 'B', self->count, &out) : NULL;
    if (result) {
        memcpy(out.data, column->absent, self->count);
        array_release(&out);
        result = Py_BuildValue("NK", result, (unsigned long long)column->missing);
    }
    return delimited_leave(self, result);
}

/* turn(how): what becomes from now on of columns of ints, of those that may become doubles. */
static PyObject *delimited_turn(PyObject *object, PyObject *how)
{
    DelimitedObject *self = (DelimitedObject *)object;
    const long turn = PyLong_AsLong(how);
    if (PyErr_Occurred() || delimited_enter(self) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < self->d.n_columns; i++) {
        if (self->columns[i].turn != AO_TURN_NEVER) {
            self->columns[i].turn = (enum ao_turn)turn;
        }
    }
    return delimited_leave(self, Py_NewRef(Py_None));
}

/* lines() -> array('q') of the lines in which the rows that were read begin */
static PyObject *delimited_lines(PyObject *object, PyObject *unused)
{
    DelimitedObject *self = (DelimitedObject *)object;
    ao_array out;
    (void)unused;
    if (delimited_enter(self) < 0) {
        return NULL;
    }
    PyObject *result = array_new_out(self->state, 'q', self->count, &out);
    if (result && self->count) {
        memcpy(out.data, self->lines, self->count * sizeof *self->lines);
    }
    array_release(&out);
    return delimited_leave(self, result);
}

static const char *const fault_names[] = {
    [AO_FAULT_NONE] = "",          [AO_FAULT_FIELDS] = "fields",          [AO_FAULT_NO_NUMBER] = "number",
    [AO_FAULT_NO_INT] = "int",     [AO_FAULT_NO_FIT] = "fit",             [AO_FAULT_INEXACT] = "inexact",
    [AO_FAULT_MISSING] = "missing", [AO_FAULT_OPEN_QUOTE] = "open quote", [AO_FAULT_AFTER_QUOTE] = "after quote",
    [AO_FAULT_LONG_ROW] = "long",  [AO_FAULT_MANY_FIELDS] = "many fields", [AO_FAULT_ASKED] = "asked",
};

static PyObject *get_fault(PyObject *object, void *unused)
{
    DelimitedObject *self = (DelimitedObject *)object;
    const ao_fault *f = &self->d.fault;
    (void)unused;
    if (!f->kind) {
        return Py_NewRef(Py_None);
    }
    const size_t length = f->cell.length & ~AO_DOUBLED, at = self->chunk + f->cell.begin;
    size_t shown = length < SHOWN_BYTES ? length : SHOWN_BYTES;
    shown = at + shown <= self->end ? shown : 0; /* the text was moved meanwhile */
    return Py_BuildValue("snnny#n", fault_names[f->kind], (Py_ssize_t)f->line, (Py_ssize_t)f->field, (Py_ssize_t)f->fields,
                         self->text + (shown ? at : 0), (Py_ssize_t)shown, (Py_ssize_t)length);
}

static PyObject *get_left_out(PyObject *object, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(((DelimitedObject *)object)->d.left_out);
}

static PyObject *get_line(PyObject *object, void *unused)
{
    (void)unused;
    return PyLong_FromSize_t(((DelimitedObject *)object)->d.line);
}

static PyMethodDef delimited_methods[] = {
    ONE_ARGUMENT("feed", delimited_feed),
    {"select", delimited_select, METH_VARARGS, NULL},
    ONE_ARGUMENT("rows", delimited_rows),
    ONE_ARGUMENT("row", delimited_row),
    ONE_ARGUMENT("column", delimited_column),
    ONE_ARGUMENT("absent", delimited_absent),
    ONE_ARGUMENT("turn", delimited_turn),
    {"codes", delimited_codes, METH_VARARGS, NULL},
    {"text", delimited_text, METH_VARARGS, NULL},
    {"raw", delimited_raw, METH_NOARGS, NULL},
    {"lines", delimited_lines, METH_NOARGS, NULL},
    END_OF_FUNCTIONS,
};

static PyGetSetDef delimited_getset[] = {
    {"fault", get_fault, NULL, "(kind, line, field, fields, cell, its length) of the next row, or None", NULL},
    {"left_out", get_left_out, NULL, "rows left out so far", NULL},
    {"line", get_line, NULL, "number of the next line", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot delimited_slots[] = {
    {Py_tp_doc, "Delimited(delimiter, quote, comment, decimal, thousands, aligned, ragged, missing, tokens, skip)\n--\n\n"
                "Delimited text that is fed in pieces."},
    {Py_tp_new, delimited_new},
    {Py_tp_dealloc, delimited_dealloc},
    {Py_tp_methods, delimited_methods},
    {Py_tp_getset, delimited_getset},
    {0, NULL},
};

static PyType_Spec delimited_spec = {
    .name = "arrayops._machine.Delimited",
    .basicsize = sizeof(DelimitedObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = delimited_slots,
};

int delimited_prepare(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &delimited_spec, NULL);
    const int failed = !type || PyModule_AddType(module, (PyTypeObject *)type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}
