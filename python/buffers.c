/* Taking, checking and releasing the buffers of a call.
 *
 * A buffer is held from before the first element is read until the call is over, so an exporter cannot resize or free it
 * meanwhile: array.array and bytearray raise BufferError instead. Types come from the format's letter and the item size
 * together, never from the letter alone. Nothing here looks at elements.
 */
#include "glue.h"

/* The formats that are numbers: letter, whether signed (1), unsigned (0) or a float (2). */
static const struct {
    char letter;
    int kind;
} formats[] = {
    {'b', 1}, {'B', 0}, {'h', 1}, {'H', 0}, {'i', 1}, {'I', 0},
    {'l', 1}, {'L', 0}, {'q', 1}, {'Q', 0}, {'f', 2}, {'d', 2},
};

static int kind_of(char letter)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (formats[i].letter == letter) {
            return formats[i].kind;
        }
    }
    return -1;
}

static int type_of(int kind, Py_ssize_t size)
{
    static const int8_t by_kind[3][9] = {
        {-1, AO_TYPE_u8, AO_TYPE_u16, -1, AO_TYPE_u32, -1, -1, -1, AO_TYPE_u64},
        {-1, AO_TYPE_i8, AO_TYPE_i16, -1, AO_TYPE_i32, -1, -1, -1, AO_TYPE_i64},
        {-1, -1, -1, -1, AO_TYPE_f32, -1, -1, -1, AO_TYPE_f64},
    };
    return kind < 0 || size < 0 || size > 8 ? -1 : by_kind[kind][size];
}

static Py_ssize_t native_size(char letter)
{
    switch (letter) {
    case 'b': case 'B': return sizeof(char);
    case 'h': case 'H': return sizeof(short);
    case 'i': case 'I': return sizeof(int);
    case 'l': case 'L': return sizeof(long);
    case 'q': case 'Q': return sizeof(long long);
    case 'f': return sizeof(float);
    default: return sizeof(double);
    }
}

/* array.array's letter for a machine type: the buffer's own where it has that size here, else one that has. */
char typecode_of(enum ao_type type, char letter)
{
    static const char letters[AO_NTYPES] = {
        [AO_TYPE_b1] = 'B', [AO_TYPE_i8] = 'b', [AO_TYPE_u8] = 'B', [AO_TYPE_i16] = 'h', [AO_TYPE_u16] = 'H',
        [AO_TYPE_i32] = 'i', [AO_TYPE_u32] = 'I', [AO_TYPE_i64] = 'q', [AO_TYPE_u64] = 'Q',
        [AO_TYPE_f32] = 'f', [AO_TYPE_f64] = 'd',
    };
    if (letter && kind_of(letter) >= 0 && native_size(letter) == ao_type_sizes[type]) {
        return letter;
    }
    return letters[type];
}

/* Byte-order prefixes under which the bytes are this machine's own. */
static int is_native_prefix(char c)
{
    return c == '@' || c == '=' || c == (PY_LITTLE_ENDIAN ? '<' : '>');
}

static int parse_format(const Py_buffer *view, ao_array *array)
{
    const char *format = view->format ? view->format : "B";
    const char *letter = format;
    if (is_native_prefix(*letter)) {
        letter++;
    }
    int type = *letter && !letter[1] ? type_of(kind_of(*letter), view->itemsize) : -1;
    if (type < 0) {
        PyErr_Format(PyExc_TypeError,
                     "buffer format '%s' (%zd bytes) is not supported; formats are b B h H i I l L q Q f d in this "
                     "machine's byte order", format, view->itemsize);
        return -1;
    }
    array->type = (enum ao_type)type;
    array->typecode = typecode_of(array->type, *letter);
    return 0;
}

static int check_shape(const Py_buffer *view)
{
    if (view->ndim != 1) {
        PyErr_Format(PyExc_BufferError, "a buffer of 1 dimension is needed, this one has %d", view->ndim);
        return -1;
    }
    if (view->suboffsets && view->suboffsets[0] >= 0) {
        PyErr_SetString(PyExc_BufferError, "the buffer is not contiguous: it has suboffsets");
        return -1;
    }
    if (view->strides && view->shape[0] > 1 && view->strides[0] != view->itemsize) {
        PyErr_Format(PyExc_BufferError,
                     "the buffer is not contiguous: its items are %zd bytes wide and %zd bytes apart", view->itemsize,
                     view->strides[0]);
        return -1;
    }
    return 0;
}

int array_take(PyObject *object, ao_array *array)
{
    memset(array, 0, sizeof *array);
    if (!PyObject_CheckBuffer(object)) {
        PyErr_Format(PyExc_TypeError, "a buffer of numbers is needed (array.array, bytes, memoryview, ...), not %.200s",
                     Py_TYPE(object)->tp_name);
        return -1;
    }
    if (PyObject_GetBuffer(object, &array->view, PyBUF_FULL_RO) < 0) {
        return -1;
    }
    array->held = 1;
    if (check_shape(&array->view) < 0 || parse_format(&array->view, array) < 0) {
        array_release(array);
        return -1;
    }
    array->count = (size_t)array->view.shape[0];
    array->data = array->view.buf;
    return 0;
}

int array_take_out(PyObject *object, ao_array *array)
{
    if (array_take(object, array) < 0) {
        return -1;
    }
    if (array->view.readonly) {
        array_release(array);
        PyErr_Format(PyExc_TypeError, "cannot write the result: this %.200s is read-only", Py_TYPE(object)->tp_name);
        return -1;
    }
    return 0;
}

void array_release(ao_array *array)
{
    if (array->copy) {
        PyMem_RawFree(array->copy);
        array->copy = NULL;
    }
    if (array->held) {
        array->held = 0;
        PyBuffer_Release(&array->view);
    }
}

int array_is_aligned(const ao_array *array)
{
    return (uintptr_t)array->data % ao_type_sizes[array->type] == 0;
}

int array_make_private(ao_array *array)
{
    size_t bytes = array->count * ao_type_sizes[array->type];
    array->copy = PyMem_RawMalloc(bytes ? bytes : 1);
    if (!array->copy) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(array->copy, array->data, bytes);
    array->data = array->copy;
    return 0;
}

int array_check_lengths(const ao_array *first, const ao_array *other)
{
    if (first->count == other->count) {
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "all arrays must have the same length: one has %zu elements, another %zu",
                 first->count, other->count);
    return -1;
}

static int overlaps(const ao_array *a, const ao_array *b)
{
    const char *p = a->data, *q = b->data;
    return p < q + b->count * ao_type_sizes[b->type] && q < p + a->count * ao_type_sizes[a->type];
}

int array_separate(ao_array *inputs, size_t number, const ao_array *out, int *same)
{
    for (size_t i = 0; i < number; i++) {
        ao_array *in = &inputs[i];
        if (!in->held || !overlaps(in, out)) {
            continue;
        }
        if (in->data == out->data && ao_type_sizes[in->type] == ao_type_sizes[out->type]) {
            *same = 1;
        } else if (array_make_private(in) < 0) {
            return -1;
        }
    }
    return 0;
}

int arrays_prepare(module_state *state)
{
    PyObject *module = PyImport_ImportModule("array");
    state->array_type = module ? PyObject_GetAttrString(module, "array") : NULL;
    Py_XDECREF(module);
    for (size_t i = 0; state->array_type && i < AO_TYPECODES; i++) {
        char letter[2] = {AO_TYPECODE_LETTERS[i], 0};
        state->ones[i] = PyObject_CallFunction(state->array_type, "s[i]", letter, 0);
        if (!state->ones[i]) {
            return -1;
        }
    }
    return state->array_type ? 0 : -1;
}

/* array.array(typecode, [0]) * count: the fastest way in that the array type offers. */
PyObject *array_new(module_state *state, char typecode, size_t count)
{
    const char *letter = strchr(AO_TYPECODE_LETTERS, typecode);
    if (!letter || !typecode) {
        PyErr_SetString(PyExc_ValueError, "bad typecode (must be b, B, h, H, i, I, l, L, q, Q, f or d)");
        return NULL;
    }
    return PySequence_Repeat(state->ones[letter - AO_TYPECODE_LETTERS], (Py_ssize_t)count);
}

/* An array.array of a copy of these bytes. */
PyObject *array_of_bytes(module_state *state, char typecode, const char *bytes, size_t size)
{
    PyObject *result = array_new(state, typecode, 0);
    PyObject *view = result ? PyMemoryView_FromMemory((char *)bytes, (Py_ssize_t)size, PyBUF_READ) : NULL;
    PyObject *none = view ? PyObject_CallMethodOneArg(result, state->frombytes, view) : NULL;
    Py_XDECREF(view);
    if (!none) {
        Py_CLEAR(result);
    }
    Py_XDECREF(none);
    return result;
}

/* buffer_info(object) -> (typecode, machine type, length) */
PyObject *py_buffer_info(PyObject *module, PyObject *object)
{
    (void)module;
    ao_array array;
    if (array_take(object, &array) < 0) {
        return NULL;
    }
    PyObject *result = Py_BuildValue("C s n", array.typecode, ao_type_names[array.type], (Py_ssize_t)array.count);
    array_release(&array);
    return result;
}

/* new_array(typecode, length) -> array.array of zeros */
PyObject *py_new_array(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2 || !PyUnicode_Check(args[0]) || PyUnicode_GetLength(args[0]) != 1) {
        PyErr_SetString(PyExc_TypeError, "new_array(typecode, length)");
        return NULL;
    }
    Py_ssize_t count = PyLong_AsSsize_t(args[1]);
    if (count < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "new_array(): the length is negative");
        }
        return NULL;
    }
    return array_new(state_of(module), (char)PyUnicode_READ_CHAR(args[0], 0), (size_t)count);
}
