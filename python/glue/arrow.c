/* Arrow's C data interface: columns of other libraries come in as a View, arrays go out, and no number is copied.
 *
 * The three structs are those of the specification (https://arrow.apache.org/docs/format/CDataInterface.html), handed over
 * in capsules (CDataInterface/PyCapsuleInterface.html); no Arrow library is needed. What comes in is moved out of its
 * capsule into an owner, which releases it exactly once, when the last View of it is gone. What goes out holds the buffer
 * of our array until the consumer releases it, on whatever thread that happens.
 *
 * A producer can be wrong. All that can be seen is checked: types, lengths, numbers of buffers, null pointers. Whether a
 * pointer has as many elements behind it as it says cannot be.
 */
#include "arrow.h"
#include "watch.h"
#include "validity.h"
#include "view.h"

#include <string.h>

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

static const char SCHEMA[] = "arrow_schema", ARRAY[] = "arrow_array", STREAM[] = "arrow_array_stream";
static const char OWNER[] = "arrayops.arrow_owner";

/* -- types --------------------------------------------------------------------------------------------------------- */

/* Arrow's formats and the typecodes of their elements. The first of a typecode is what goes out; those with a unit of time are
 * taken in as the ints that they are, if that is asked for. Truth values are bits there. */
static const struct {
    const char *format;
    char letter;
    const char *unit; /* what data.py calls it, or NULL */
} formats[] = {
    {"c", 'b', NULL}, {"C", 'B', NULL}, {"s", 'h', NULL}, {"S", 'H', NULL}, {"i", 'i', NULL}, {"I", 'I', NULL},
    {"l", 'q', NULL}, {"L", 'Q', NULL}, {"f", 'f', NULL}, {"g", 'd', NULL}, {"e", 'e', NULL}, {"b", '?', NULL},
    {"tdD", 'i', "datetime64[D]"},   {"tdm", 'q', "datetime64[ms]"},  {"tts", 'i', "time[s]"},
    {"ttm", 'i', "time[ms]"},        {"ttu", 'q', "time[us]"},        {"ttn", 'q', "time[ns]"},
    {"tss:", 'q', "datetime64[s]"},  {"tsm:", 'q', "datetime64[ms]"}, {"tsu:", 'q', "datetime64[us]"},
    {"tsn:", 'q', "datetime64[ns]"}, {"tDs", 'q', "timedelta64[s]"},  {"tDm", 'q', "timedelta64[ms]"},
    {"tDu", 'q', "timedelta64[us]"}, {"tDn", 'q', "timedelta64[ns]"},
};
enum { FORMATS = sizeof formats / sizeof *formats };

/* What an exception calls the formats that are not numbers of the machine, by how they begin. */
static const struct {
    const char *prefix, *name;
} others[] = {
    {"n", "null"},         {"u", "string"},        {"U", "large string"}, {"vu", "string view"}, {"z", "binary"},
    {"Z", "large binary"}, {"vz", "binary view"},  {"w:", "fixed-size binary"}, {"d:", "decimal"}, {"td", "date"},
    {"tt", "time"},        {"ts", "timestamp"},    {"tD", "duration"},    {"ti", "interval"},    {"+s", "struct"},
    {"+", "nested"},
};

static const char *name_of(const char *format)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strncmp(format, others[i].prefix, strlen(others[i].prefix)) == 0) {
            return others[i].name;
        }
    }
    return "unknown";
}

/* Whether a column's format is this one; a timestamp's has the name of a time zone after it. */
static int is_format(const char *format, size_t i)
{
    const size_t length = strlen(formats[i].format);
    return formats[i].format[length - 1] == ':' ? strncmp(format, formats[i].format, length) == 0
                                                : strcmp(format, formats[i].format) == 0;
}

/* Whether times in this unit, NULL if they are none, are what was asked for: `unit`, or NULL for numbers. */
static int check_unit(const char *format, const char *has, const char *unit)
{
    if (!has == !unit && (!unit || strcmp(has, unit) == 0)) {
        return 0;
    }
    if (has) {
        PyErr_Format(PyExc_TypeError, "Arrow format '%.100s' (%s) is of times: ao.view(data, '%s') gives its ints", format,
                     name_of(format), has);
    } else {
        PyErr_Format(PyExc_TypeError, "Arrow format '%.100s' is not %s: it has no unit of time", format, unit);
    }
    return -1;
}

/* The row of a column's elements; NULL with TypeError for what is no plain column of numbers, or not of that unit. */
static const ao_typecode *type_of_schema(const struct ArrowSchema *schema, const char *unit)
{
    const char *format = schema->format;
    if (!format) {
        PyErr_SetString(PyExc_ValueError, "malformed Arrow schema: it has no format");
        return NULL;
    }
    for (size_t i = 0; i < FORMATS; i++) {
        if (is_format(format, i)) {
            return check_unit(format, formats[i].unit, unit) < 0 ? NULL : typecode_row(formats[i].letter);
        }
    }
    PyErr_Format(PyExc_TypeError, "Arrow format '%.100s' (%s) is not supported; formats are b c C s S i I l L e f g, bool, the "
                                  "integers of 8 to 64 bits, float16, float32 and float64: %s", format, name_of(format),
                 *format != '+' ? "cast it to one of them" : format[1] == 's' ? "take one of its fields" : "flatten it");
    return NULL;
}

/* -- owners -------------------------------------------------------------------------------------------------------- */

/* Calls a producer's release with no exception pending: it may be written in Python. */
#define RELEASE(thing)                                \
    do {                                              \
        PyObject *type_, *value_, *trace_;            \
        PyErr_Fetch(&type_, &value_, &trace_);        \
        (thing)->release(thing);                      \
        PyErr_Restore(type_, value_, trace_);         \
    } while (0)

static void owner_free(PyObject *capsule)
{
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, OWNER);
    if (array->release) {
        RELEASE(array);
    }
    PyMem_RawFree(array);
}

/* What holds the array from now on; NULL if it is still where it was. */
static PyObject *owner_of(struct ArrowArray *from, const struct ArrowArray *checked)
{
    struct ArrowArray *array = PyMem_RawCalloc(1, sizeof *array);
    PyObject *owner = array ? PyCapsule_New(array, OWNER, owner_free) : PyErr_NoMemory();
    if (!owner) {
        PyMem_RawFree(array);
        return NULL;
    }
    *array = *checked;
    from->release = NULL; /* which says that it was moved */
    return owner;
}

/* -- in ------------------------------------------------------------------------------------------------------------ */

/* Why this cannot be a column of numbers, or NULL. */
static const char *flaw(const struct ArrowArray *a)
{
    const int64_t most = PY_SSIZE_T_MAX / 8;
    if (a->length < 0 || a->offset < 0 || a->length > most || a->offset > most - a->length) {
        return "its length or offset is out of range";
    }
    if (a->n_buffers != 2 || !a->buffers) {
        return "a column of numbers has 2 buffers";
    }
    if (a->n_children) {
        return "a column of numbers has no children";
    }
    if (a->null_count < -1 || a->null_count > a->length) {
        return "its null count is out of range";
    }
    if (a->length && !a->buffers[1]) {
        return "it has elements but no data";
    }
    return a->null_count > 0 && !a->buffers[0] ? "it has nulls but no validity bitmap" : NULL;
}

static int64_t count_nulls(const struct ArrowArray *a)
{
    return a->null_count && a->buffers[0]
               ? (int64_t)validity_nulls(a->buffers[0], (size_t)a->offset, (size_t)a->length) : 0;
}

/* A View of `count` elements, or of none where there may be no memory. */
static PyObject *view_or_none(module_state *state, PyObject *owner, const char *data, const ao_typecode *row, int64_t count)
{
    return view_of_memory(state, owner, count ? data : "", row, (size_t)count);
}

static void unpack(const uint8_t *bits, size_t first, uint8_t *out, size_t count, ao_watch *w)
{
    for (size_t i = 0, end; i < count && !w->stopped; i = end) {
        end = ao_watch_part(i, count);
        for (size_t j = i; j < end; j++) {
            out[j] = (uint8_t)validity_bit(bits, first + j);
        }
        ao_watch_done(w, end - i);
    }
}

/* Truth values of so many bits from `first` on, as a new View of '?' or array of 'B'. */
static PyObject *unpacked(module_state *state, const uint8_t *bits, size_t first, size_t count, char letter)
{
    ao_array out;
    PyObject *result = array_new_out(state, letter, count, &out);
    if (result) {
        watched w;
        unpack(bits, first, out.data, count, watch_begin(&w, count));
        if (watch_end(&w) < 0) {
            Py_CLEAR(result);
        }
    }
    array_release(&out);
    return result;
}

/* The elements: where they are, or copied if they are bits. */
static PyObject *elements(module_state *state, PyObject *owner, const struct ArrowArray *a, const ao_typecode *row)
{
    const char *data = a->buffers[1];
    if (row->form == AO_TRUTH) {
        return unpacked(state, a->buffers[1], (size_t)a->offset, (size_t)a->length, row->letter);
    }
    return view_or_none(state, owner, a->length ? data + a->offset * row->size : "", row, a->length);
}

/* (View, nulls, View of the bytes of the validity bitmap or None, bit of the first element in them) */
static PyObject *show(module_state *state, PyObject *owner, const struct ArrowArray *a, const ao_typecode *row)
{
    int64_t nulls = count_nulls(a), first = a->offset & 7;
    const char *bits = a->buffers[0];
    PyObject *view = elements(state, owner, a, row);
    PyObject *valid = !view ? NULL
                      : nulls ? view_or_none(state, owner, bits + (a->offset >> 3), typecode_row('B'),
                                             (first + a->length + 7) >> 3)
                              : Py_NewRef(Py_None);
    PyObject *result = valid ? Py_BuildValue("OLOi", view, (long long)nulls, valid, (int)first) : NULL;
    Py_XDECREF(view); /* of "N" instead of "O" a reference is lost where there is no memory for the tuple */
    Py_XDECREF(valid);
    return result;
}

/* Moves the array into an owner and shows it. If that fails, it is still the caller's or has been released. */
static PyObject *take_array(module_state *state, struct ArrowArray *array, const ao_typecode *row)
{
    const struct ArrowArray checked = *array; /* read once: what is checked is what is used */
    const char *why = flaw(&checked);
    if (why) {
        return PyErr_Format(PyExc_ValueError, "malformed Arrow array: %s", why);
    }
    PyObject *owner = owner_of(array, &checked);
    if (!owner) {
        return NULL;
    }
    PyObject *chunk = show(state, owner, PyCapsule_GetPointer(owner, OWNER), row);
    Py_DECREF(owner);
    return chunk;
}

static int append(PyObject *list, PyObject *chunk)
{
    int status = chunk ? PyList_Append(list, chunk) : -1;
    Py_XDECREF(chunk);
    return status;
}

/* What is in a capsule of that name. TypeError. */
static void *inside(PyObject *capsule, const char *name)
{
    if (!PyCapsule_IsValid(capsule, name)) {
        PyErr_Format(PyExc_TypeError, "a PyCapsule named '%s' is needed, not %.200s", name, Py_TYPE(capsule)->tp_name);
        return NULL;
    }
    return PyCapsule_GetPointer(capsule, name);
}

static PyObject *consumed(const char *what)
{
    return PyErr_Format(PyExc_ValueError, "the Arrow %s was released or taken by somebody else before", what);
}

static PyObject *take_pair(module_state *state, PyObject *schema_capsule, PyObject *array_capsule, const char *unit)
{
    const struct ArrowSchema *schema = inside(schema_capsule, SCHEMA);
    struct ArrowArray *array = schema ? inside(array_capsule, ARRAY) : NULL;
    if (!array) {
        return NULL;
    }
    if (!schema->release || !array->release) {
        return consumed("array");
    }
    const ao_typecode *row = type_of_schema(schema, unit);
    PyObject *list = row ? PyList_New(0) : NULL;
    if (list && append(list, take_array(state, array, row)) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static void stream_failed(struct ArrowArrayStream *stream, int code)
{
    const char *why = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    PyErr_Format(PyExc_ValueError, "the Arrow stream failed: %.500s", why ? why : strerror(code));
}

/* The row of a stream's elements, or NULL. */
static const ao_typecode *stream_type(struct ArrowArrayStream *stream, const char *unit)
{
    struct ArrowSchema schema = {0};
    int code;
    Py_BEGIN_ALLOW_THREADS
    code = stream->get_schema(stream, &schema);
    Py_END_ALLOW_THREADS
    if (code) {
        stream_failed(stream, code);
        return NULL;
    }
    if (!schema.release) {
        consumed("schema");
        return NULL;
    }
    const ao_typecode *row = type_of_schema(&schema, unit);
    RELEASE(&schema);
    return row;
}

/* Appends the next chunk. 0 at the end, -1 with an exception. The producer may need other threads, so the GIL is let go. */
static int next_chunk(module_state *state, struct ArrowArrayStream *stream, const ao_typecode *row, PyObject *list)
{
    struct ArrowArray array = {0};
    int code;
    Py_BEGIN_ALLOW_THREADS
    code = stream->get_next(stream, &array);
    Py_END_ALLOW_THREADS
    if (code) {
        stream_failed(stream, code);
        return -1;
    }
    if (!array.release) {
        return 0;
    }
    int status = append(list, take_array(state, &array, row));
    if (array.release) {
        RELEASE(&array);
    }
    return status < 0 || watch_look() < 0 ? -1 : 1;
}

/* A stream without chunks gives one that is empty: it says the type. */
static PyObject *take_chunks(module_state *state, struct ArrowArrayStream *stream, const char *unit)
{
    const ao_typecode *row = stream_type(stream, unit);
    int more = 1;
    PyObject *list = row ? PyList_New(0) : NULL;
    while (list && more > 0) {
        more = next_chunk(state, stream, row, list);
    }
    if (list && more == 0 && PyList_GET_SIZE(list) == 0) {
        PyObject *view = view_or_none(state, Py_None, "", row, 0);
        more = append(list, view ? Py_BuildValue("OiOi", view, 0, Py_None, 0) : NULL);
        Py_XDECREF(view);
    }
    if (more < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *take_stream(module_state *state, PyObject *capsule, const char *unit)
{
    struct ArrowArrayStream *given = inside(capsule, STREAM);
    if (!given) {
        return NULL;
    }
    struct ArrowArrayStream stream = *given;
    if (!stream.release || !stream.get_schema || !stream.get_next) {
        return consumed("stream");
    }
    given->release = NULL;
    PyObject *list = take_chunks(state, &stream, unit);
    RELEASE(&stream);
    return list;
}

/* take_arrow(unit, schema, array) or take_arrow(unit, stream), all but the unit capsules -> list of chunks, at least one: see
 * show(). unit: None for numbers, or the unit of times such as 'datetime64[ns]'. */
static PyObject *py_take_arrow(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if ((nargs != 2 && nargs != 3) || (args[0] != Py_None && !PyUnicode_Check(args[0]))) {
        PyErr_SetString(PyExc_TypeError, "take_arrow(unit, schema, array) or take_arrow(unit, stream)");
        return NULL;
    }
    const char *unit = args[0] == Py_None ? NULL : PyUnicode_AsUTF8(args[0]);
    if (!unit && PyErr_Occurred()) {
        return NULL;
    }
    return nargs == 2 ? take_stream(state_of(module), args[1], unit) : take_pair(state_of(module), args[1], args[2], unit);
}

/* unpack_bits(bytes, first, count) -> array of 0 and 1, of bits first.. of a buffer of bytes */
static PyObject *py_unpack_bits(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array bits;
    if (!has_args(nargs, 3, "unpack_bits(bytes, first, count)")) {
        return NULL;
    }
    const Py_ssize_t first = PyLong_AsSsize_t(args[1]), count = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred() || array_take(state, args[0], &bits) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (first < 0 || count < 0 || bits.type != AO_TYPE_u8 || bits.spacing.stride || (size_t)first > bits.count * 8
        || (size_t)count > bits.count * 8 - (size_t)first) {
        PyErr_SetString(PyExc_ValueError, "unpack_bits(): there are not so many bits");
    } else {
        result = unpacked(state, bits.data, (size_t)first, (size_t)count, 'B');
    }
    array_release(&bits);
    return result;
}

/* -- out ----------------------------------------------------------------------------------------------------------- */

/* What a consumer holds. */
typedef struct {
    ao_array array, valid;  /* of the second the data is NULL if there are no nulls */
    const void *buffers[2]; /* the validity bitmap, then the data */
    uint8_t *truths;        /* truth values as bits, or NULL */
} held;

static void schema_release(struct ArrowSchema *schema)
{
    schema->release = NULL; /* all of it is static */
}

/* On any thread, with or without the GIL. When Python is no more, neither is the need to give memory back to it. */
static void held_release(struct ArrowArray *array)
{
    held *h = array->private_data;
    array->release = NULL;
    if (!Py_IsInitialized()) {
        return;
    }
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    array_release(&h->array);
    array_release(&h->valid);
    PyMem_RawFree(h->truths);
    PyMem_RawFree(h);
    PyErr_Restore(type, value, trace);
    PyGILState_Release(gil);
}

static void schema_capsule_free(PyObject *capsule)
{
    PyMem_RawFree(PyCapsule_GetPointer(capsule, SCHEMA));
}

static void array_capsule_free(PyObject *capsule)
{
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, ARRAY);
    if (array->release) { /* nobody took it */
        RELEASE(array);
    }
    PyMem_RawFree(array);
}

/* Arrow's format for these elements. */
static const char *format_of(const ao_array *array)
{
    for (size_t i = 0; i < FORMATS; i++) {
        const ao_typecode *row = typecode_row(formats[i].letter);
        if (typecode_type(row) == array->type && row->form == array->spacing.form) {
            return formats[i].format;
        }
    }
    return NULL;
}

static PyObject *schema_capsule(const char *format)
{
    enum { NULLABLE = 2 };
    struct ArrowSchema *schema = PyMem_RawCalloc(1, sizeof *schema);
    if (!schema) {
        return PyErr_NoMemory();
    }
    *schema = (struct ArrowSchema){.format = format, .name = "", .flags = NULLABLE, .release = schema_release};
    PyObject *capsule = PyCapsule_New(schema, SCHEMA, schema_capsule_free);
    if (!capsule) {
        PyMem_RawFree(schema);
    }
    return capsule;
}

/* Takes `h` over if it succeeds. */
static PyObject *array_capsule(held *h)
{
    struct ArrowArray *array = PyMem_RawCalloc(1, sizeof *array);
    if (!array) {
        return PyErr_NoMemory();
    }
    const size_t count = h->array.count;
    h->buffers[0] = h->valid.data;
    h->buffers[1] = h->truths ? h->truths : h->array.data ? h->array.data : "";
    *array = (struct ArrowArray){.length = (int64_t)count, .n_buffers = 2, .buffers = h->buffers,
                                 .null_count = h->valid.data ? (int64_t)validity_nulls(h->valid.data, 0, count) : 0,
                                 .release = held_release, .private_data = h};
    PyObject *capsule = PyCapsule_New(array, ARRAY, array_capsule_free);
    if (!capsule) {
        PyMem_RawFree(array);
    }
    return capsule;
}

/* Truth values as bits. */
static int pack_truths(held *h)
{
    const ao_array *a = &h->array;
    uint8_t *bits = h->truths = PyMem_RawCalloc(a->count / 8 + 1, 1);
    if (!bits) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < a->count; i++) {
        char local[8];
        bits[i >> 3] = (uint8_t)(bits[i >> 3] | (*(const uint8_t *)array_element(a, i, local) & 1) << (i & 7));
    }
    return 0;
}

/* Whether the memory is as Arrow has it. */
static int is_as_arrow(const ao_array *a)
{
    const int dense = !a->spacing.stride || (a->spacing.form && !a->spacing.swapped
                                             && a->spacing.stride == (ptrdiff_t)array_size(a));
    return dense && !a->copy && format_of(a);
}

/* give_arrow(buffer, bits or None) -> (schema capsule, array capsule). The elements are side by side, in this machine's byte
 * order; those whose bit is 0 are null. */
static PyObject *py_give_arrow(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 2, "give_arrow(buffer, bits or None)")) {
        return NULL;
    }
    held *h = PyMem_RawCalloc(1, sizeof *h);
    if (!h) {
        return PyErr_NoMemory();
    }
    PyObject *schema = NULL, *array = NULL;
    if (array_take(state_of(module), args[0], &h->array) == 0
        && validity_take(state_of(module), args[1], h->array.count, &h->valid) == 0) {
        if (!is_as_arrow(&h->array)) {
            PyErr_SetString(PyExc_BufferError, "the elements are not side by side as this machine has them");
        } else if ((h->array.spacing.form != AO_TRUTH || pack_truths(h) == 0)
                   && (schema = schema_capsule(format_of(&h->array)))) {
            array = array_capsule(h);
        }
    }
    PyObject *result = array ? PyTuple_Pack(2, schema, array) : NULL;
    Py_XDECREF(schema);
    Py_XDECREF(array); /* which has h, and frees it */
    if (!array) {
        array_release(&h->array);
        array_release(&h->valid);
        PyMem_RawFree(h->truths);
        PyMem_RawFree(h);
    }
    return result;
}

PyMethodDef arrow_methods[] = {
    FAST_FUNCTION("take_arrow", py_take_arrow),
    FAST_FUNCTION("give_arrow", py_give_arrow),
    FAST_FUNCTION("unpack_bits", py_unpack_bits),
    END_OF_FUNCTIONS,
};
