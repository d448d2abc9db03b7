/* Delimited text: the texts of columns as keys, which get numbers. */
#include "delimited.h"
#include "buffers.h"
#include "spell.h"

#include <string.h>

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
        const size_t written = delimited_copy_cell(self, cell, text);
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
PyObject *delimited_codes(PyObject *object, PyObject *args)
{
    DelimitedObject *self = (DelimitedObject *)object;
    PyObject *dict, *places, *result = NULL;
    known_key known[KNOWN] = {{NULL, 0}};
    const ao_column *columns[MOST_KEYS];
    ao_array out;
    if (!PyArg_ParseTuple(args, "O!O!:codes", &PyTuple_Type, &places, &PyDict_Type, &dict) || delimited_enter(self) < 0) {
        return NULL;
    }
    const size_t n = take_key_columns(self, places, columns);
    if (!n) {
        return delimited_leave(self, NULL);
    }
    result = array_new_out(self->state, 'I', self->count, &out);
    if (result && code_rows(self, columns, n, dict, known, out.data) < 0) {
        Py_CLEAR(result);
    }
    array_release(&out);
    for (size_t i = 0; i < KNOWN; i++) {
        Py_XDECREF(known[i].key);
    }
    return delimited_leave(self, result);
}
