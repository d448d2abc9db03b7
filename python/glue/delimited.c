/* Delimited: a text that is fed in pieces and read row by row (vm/text/delimited.h), with numbers that need Python's own
 * reading given to float() and int().
 *
 * What always holds: the text and the columns are memory of the object, which nobody else sees; what leaves is a copy. One
 * thread at a time is in an object: the others get RuntimeError. Without the GIL only memory of the object is touched.
 */
#include "delimited.h"
#include "buffers.h"
#include "spell.h"
#include "watch.h"
#include "../../vm/text/delimited.h"
#include "../../vm/text/quoting.h"

#include <stdatomic.h>
#include <string.h>

enum {
    MOST_ROWS = 1 << 13,   /* that are read at once: what they take stays in the cache */
    MOST_CELLS = 1 << 18,
    LEAST_TEXT = 1 << 16,
    SHOWN_BYTES = 200      /* of a cell that is at fault */
};

typedef struct {
    PyObject_HEAD
    module_state *state;
    ao_delimited d;
    PyObject *tokens;      /* a tuple of bytes, which d points into */
    char *text;            /* `room` bytes and the padding; from `begin` to `end` they are still to be read */
    size_t room, begin, end;
    int final;
    ao_column *columns;
    void *cells;           /* of all columns, and what is missing */
    ao_range *rows;
    int64_t *lines;
    size_t most_rows;
    size_t count;          /* rows in the columns, whose text begins at `chunk` */
    size_t chunk;
    PyThreadState *thread; /* that gave the GIL away, or NULL */
    atomic_flag busy;
} DelimitedObject;

static int enter(DelimitedObject *self)
{
    if (atomic_flag_test_and_set(&self->busy)) {
        PyErr_SetString(PyExc_RuntimeError, "this reader is in use by another thread");
        return -1;
    }
    return 0;
}

static PyObject *leave(DelimitedObject *self, PyObject *result)
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
    if (enter(self) < 0) {
        return NULL;
    }
    self->count = 0;
    const int failed = feed(self, data) < 0;
    if (!failed && data == Py_None) {
        memset(self->text + self->end, 0, AO_TEXT_PADDING);
    }
    return leave(self, failed ? NULL : Py_NewRef(Py_None));
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
    if (!PyArg_ParseTuple(args, "O!n:select", &PyTuple_Type, &wanted, &fields) || enter(self) < 0) {
        return NULL;
    }
    const int failed = make_columns(self, wanted) < 0;
    if (failed) {
        free_columns(self);
    } else {
        self->d.fields = (size_t)fields;
        self->d.fault.kind = is_of_cell(self->d.fault.kind) ? AO_FAULT_NONE : self->d.fault.kind;
    }
    return leave(self, failed ? NULL : Py_NewRef(Py_None));
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
    if (PyErr_Occurred() || enter(self) < 0) {
        return NULL;
    }
    self->count = 0;
    if (!self->text || !self->most_rows) {
        return leave(self, PyLong_FromLong(0));
    }
    const int failed = read_rows(self, limit < self->most_rows ? limit : self->most_rows) < 0;
    return leave(self, failed ? NULL : PyLong_FromSize_t(self->count));
}

/* Copies the bytes of a cell, where two quotes are one. Returns how many there are. */
static size_t copy_cell(const DelimitedObject *self, ao_range cell, char *to)
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
    const size_t length = copy_cell(self, cell, PyBytes_AS_STRING(bytes));
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
    if (enter(self) < 0) {
        return NULL;
    }
    self->count = 0;
    return leave(self, self->text ? split_row(self, peek == Py_True) : Py_NewRef(Py_None));
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

/* -- texts as keys ------------------------------------------------------------------------------------------------- */

enum { KNOWN = 256, MOST_KEYS = 64 }; /* keys that are found without asking the dict; columns of a key */

typedef struct {
    PyObject *key; /* bytes that the dict holds, or NULL */
    uint32_t code;
} known_key;

/* FNV-1a, folded to a place among the known keys. */
static size_t key_place(const char *bytes, size_t n)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * UINT32_C(16777619);
    }
    return (hash ^ hash >> 16) % KNOWN;
}

/* The number of a key in the dict, to which it is added with the next number if it is new; -1 with an exception. */
static int find_code(PyObject *dict, PyObject *key, known_key *known)
{
    PyObject *number = PyDict_GetItemWithError(dict, key);
    if (number) {
        known->code = (uint32_t)PyLong_AsUnsignedLong(number);
    } else if (!PyErr_Occurred()) {
        known->code = (uint32_t)PyDict_GET_SIZE(dict);
        number = PyLong_FromUnsignedLong(known->code);
        const int added = number && PyDict_SetItem(dict, key, number) == 0;
        Py_XDECREF(number);
        if (!added) {
            return -1;
        }
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* The key of a row: the text of one column; of several columns each text behind its length in four bytes. */
static int key_of_row(const DelimitedObject *self, const ao_column *const *columns, size_t n, size_t row, spelled *key)
{
    key->length = 0;
    for (size_t i = 0; i < n; i++) {
        const ao_range cell = columns[i]->values[row].text;
        const size_t length = cell.length & ~AO_DOUBLED;
        char *to = spelled_room(key, length + 4);
        if (!to) {
            return -1;
        }
        char *const text = n == 1 ? to : to + 4;
        const size_t written = copy_cell(self, cell, text);
        for (int j = 0; j < 4 && n > 1; j++) {
            to[j] = (char)(written >> 8 * j & 0xFF);
        }
        key->length += written + (size_t)(text - to);
    }
    return 0;
}

/* Numbers for the keys of all rows. The known keys are held, or somebody else could take them out of the dict. */
static int code_rows(const DelimitedObject *self, const ao_column *const *columns, size_t n, PyObject *dict, known_key *known,
                     uint32_t *codes)
{
    spelled key = {0};
    int failed = 0;
    for (size_t i = 0; i < self->count && !failed; i++) {
        failed = key_of_row(self, columns, n, i, &key) < 0;
        if (failed) {
            break;
        }
        known_key *k = &known[key_place(key.bytes, key.length)];
        if (!k->key || (size_t)PyBytes_GET_SIZE(k->key) != key.length
            || memcmp(PyBytes_AS_STRING(k->key), key.bytes, key.length) != 0) {
            Py_XSETREF(k->key, PyBytes_FromStringAndSize(key.bytes, (Py_ssize_t)key.length));
            failed = !k->key || find_code(dict, k->key, k) < 0;
        }
        codes[i] = k->code;
    }
    spelled_drop(&key);
    return failed ? -1 : 0;
}

/* The columns of texts that the numbers in a tuple mean; their number, or 0 with an exception. */
static size_t take_key_columns(const DelimitedObject *self, PyObject *places, const ao_column **columns)
{
    const size_t n = (size_t)PyTuple_GET_SIZE(places);
    for (size_t i = 0; i < n && i < MOST_KEYS; i++) {
        const size_t place = PyLong_AsSize_t(PyTuple_GET_ITEM(places, (Py_ssize_t)i));
        if (PyErr_Occurred()) {
            return 0;
        }
        if (place >= self->d.n_columns || self->columns[place].cells != AO_CELLS_TEXT) {
            PyErr_SetString(PyExc_IndexError, "codes(): there is no such column of texts");
            return 0;
        }
        columns[i] = &self->columns[place];
    }
    if (!n || n > MOST_KEYS) {
        PyErr_Format(PyExc_ValueError, "codes(): 1 to %d columns", MOST_KEYS);
        return 0;
    }
    return n;
}

/* codes(columns, dict) -> array('I') with a number for every row: that which its key has in the dict, where new ones get the
 * next. The key is the text of one column, in bytes; of several each text behind its length in four bytes. */
static PyObject *delimited_codes(PyObject *object, PyObject *args)
{
    DelimitedObject *self = (DelimitedObject *)object;
    PyObject *dict, *places, *result = NULL;
    known_key known[KNOWN] = {{NULL, 0}};
    const ao_column *columns[MOST_KEYS];
    ao_array out;
    if (!PyArg_ParseTuple(args, "O!O!:codes", &PyTuple_Type, &places, &PyDict_Type, &dict) || enter(self) < 0) {
        return NULL;
    }
    const size_t n = take_key_columns(self, places, columns);
    if (!n) {
        return leave(self, NULL);
    }
    result = array_new_out(self->state, 'I', self->count, &out);
    if (result && code_rows(self, columns, n, dict, known, out.data) < 0) {
        Py_CLEAR(result);
    }
    array_release(&out);
    for (size_t i = 0; i < KNOWN; i++) {
        Py_XDECREF(known[i].key);
    }
    return leave(self, result);
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
    if (enter(self) < 0) {
        return NULL;
    }
    const ao_column *column = column_at(self, index);
    return leave(self, !column                                ? NULL
                       : column->cells == AO_CELLS_TEXT ? texts_of(self, column)
                                                        : numbers_of(self, column));
}

/* absent(i) -> (an array('B') with 1 for every row whose cell is missing, missing cells of the column so far) */
static PyObject *delimited_absent(PyObject *object, PyObject *index)
{
    DelimitedObject *self = (DelimitedObject *)object;
    ao_array out;
    if (enter(self) < 0) {
        return NULL;
    }
    const ao_column *column = column_at(self, index);
    PyObject *result = column ? array_new_out(self->state, 'B', self->count, &out) : NULL;
    if (result) {
        memcpy(out.data, column->absent, self->count);
        array_release(&out);
        result = Py_BuildValue("NK", result, (unsigned long long)column->missing);
    }
    return leave(self, result);
}

/* turn(how): what becomes from now on of columns of ints, of those that may become doubles. */
static PyObject *delimited_turn(PyObject *object, PyObject *how)
{
    DelimitedObject *self = (DelimitedObject *)object;
    const long turn = PyLong_AsLong(how);
    if (PyErr_Occurred() || enter(self) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < self->d.n_columns; i++) {
        if (self->columns[i].turn != AO_TURN_NEVER) {
            self->columns[i].turn = (enum ao_turn)turn;
        }
    }
    return leave(self, Py_NewRef(Py_None));
}

/* -- rows as text -------------------------------------------------------------------------------------------------- */

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

/* A field as CSV or JSON: what is in quotes is a text; of the others JSON tells numbers, null for what is missing, and texts. */
static int add_cell(const DelimitedObject *self, spelled *s, ao_range row, ao_range field, row_form form)
{
    const char *const text = self->text + self->chunk;
    const char doubled = field.length & AO_DOUBLED ? self->d.quote : 0;
    if (!is_quoted(self, row, field)) {
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

/* A number that is put behind the fields, with the decimal sign of the text where it becomes a part of that. */
static int add_number(const DelimitedObject *self, const row_writer *w, spelled *s, size_t j, size_t row)
{
    const size_t before = s->length;
    if (spelled_value(s, &w->extra[j], row, w->decimals, w->form) < 0) {
        return -1;
    }
    char *point = w->form == FORM_TEXT && self->d.decimal != '.' ? memchr(s->bytes + before, '.', s->length - before) : NULL;
    if (point) {
        *point = self->d.decimal;
    }
    return 0;
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
static PyObject *delimited_text(PyObject *object, PyObject *args)
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
    if (enter(self) < 0) {
        return NULL;
    }
    row_writer *w = PyMem_RawCalloc(1, sizeof *w);
    if (!w) {
        return leave(self, PyErr_NoMemory());
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
    return leave(self, result);
}

/* raw() -> the row that row() cut last as it stands in the text, without its end, and its end */
static PyObject *delimited_raw(PyObject *object, PyObject *unused)
{
    DelimitedObject *self = (DelimitedObject *)object;
    spelled end = {0};
    (void)unused;
    if (enter(self) < 0) {
        return NULL;
    }
    const ao_range row = self->d.row;
    if (self->chunk + row.begin + row.length > self->end) { /* the text was moved meanwhile */
        return leave(self, PyErr_Format(PyExc_RuntimeError, "raw() comes right after row()"));
    }
    PyObject *result = NULL;
    if (add_line_end(self, &end, row) == 0) {
        result = Py_BuildValue("y#y#", self->text ? self->text + self->chunk + row.begin : "", (Py_ssize_t)row.length, end.bytes,
                               (Py_ssize_t)end.length);
    }
    spelled_drop(&end);
    return leave(self, result);
}

/* lines() -> array('q') of the lines in which the rows that were read begin */
static PyObject *delimited_lines(PyObject *object, PyObject *unused)
{
    DelimitedObject *self = (DelimitedObject *)object;
    ao_array out;
    (void)unused;
    if (enter(self) < 0) {
        return NULL;
    }
    PyObject *result = array_new_out(self->state, 'q', self->count, &out);
    if (result && self->count) {
        memcpy(out.data, self->lines, self->count * sizeof *self->lines);
    }
    array_release(&out);
    return leave(self, result);
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
