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

static const char formats[AO_NTYPES][2] = {
    [AO_TYPE_i8] = "c",  [AO_TYPE_u8] = "C",  [AO_TYPE_i16] = "s", [AO_TYPE_u16] = "S", [AO_TYPE_i32] = "i",
    [AO_TYPE_u32] = "I", [AO_TYPE_i64] = "l", [AO_TYPE_u64] = "L", [AO_TYPE_f32] = "f", [AO_TYPE_f64] = "g",
};

/* What an exception calls the formats that are not numbers of the machine, by how they begin. */
static const struct {
    const char *prefix, *name;
} others[] = {
    {"n", "null"},         {"b", "bool"},          {"e", "float16"},      {"u", "string"},    {"U", "large string"},
    {"vu", "string view"}, {"z", "binary"},        {"Z", "large binary"}, {"vz", "binary view"},
    {"w:", "fixed-size binary"}, {"d:", "decimal"}, {"td", "date"},       {"tt", "time"},     {"ts", "timestamp"},
    {"tD", "duration"},    {"ti", "interval"},     {"+s", "struct"},      {"+", "nested"},
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

/* The machine type of a column; -1 with TypeError for what is no plain column of numbers. What is dictionary-encoded is
 * the column of its indices. */
static int type_of_schema(const struct ArrowSchema *schema)
{
    const char *format = schema->format;
    if (!format) {
        PyErr_SetString(PyExc_ValueError, "malformed Arrow schema: it has no format");
        return -1;
    }
    for (int type = 0; *format && type < AO_NTYPES; type++) {
        if (strcmp(formats[type], format) == 0) {
            return type;
        }
    }
    PyErr_Format(PyExc_TypeError, "Arrow format '%.100s' (%s) is not supported; formats are c C s S i I l L f g, the integers "
                                  "of 8 to 64 bits, float32 and float64: %s", format, name_of(format),
                 *format != '+' ? "cast it to one of them" : format[1] == 's' ? "take one of its fields" : "flatten it");
    return -1;
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
static PyObject *view_or_none(module_state *state, PyObject *owner, const char *data, int type, int64_t count)
{
    return view_of_memory(state, owner, count ? data : "", (enum ao_type)type, (size_t)count);
}

/* (View, nulls, View of the bytes of the validity bitmap or None, bit of the first element in them) */
static PyObject *show(module_state *state, PyObject *owner, const struct ArrowArray *a, int type)
{
    int64_t nulls = count_nulls(a), first = a->offset & 7;
    const char *data = a->buffers[1], *bits = a->buffers[0];
    PyObject *view = view_or_none(state, owner, a->length ? data + a->offset * ao_type_sizes[type] : "", type, a->length);
    PyObject *valid = !view ? NULL
                      : nulls ? view_or_none(state, owner, bits + (a->offset >> 3), AO_TYPE_u8,
                                             (first + a->length + 7) >> 3)
                              : Py_NewRef(Py_None);
    PyObject *result = valid ? Py_BuildValue("OLOi", view, (long long)nulls, valid, (int)first) : NULL;
    Py_XDECREF(view); /* of "N" instead of "O" a reference is lost where there is no memory for the tuple */
    Py_XDECREF(valid);
    return result;
}

/* Moves the array into an owner and shows it. If that fails, it is still the caller's or has been released. */
static PyObject *take_array(module_state *state, struct ArrowArray *array, int type)
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
    PyObject *chunk = show(state, owner, PyCapsule_GetPointer(owner, OWNER), type);
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

static PyObject *take_pair(module_state *state, PyObject *schema_capsule, PyObject *array_capsule)
{
    const struct ArrowSchema *schema = inside(schema_capsule, SCHEMA);
    struct ArrowArray *array = schema ? inside(array_capsule, ARRAY) : NULL;
    if (!array) {
        return NULL;
    }
    if (!schema->release || !array->release) {
        return consumed("array");
    }
    int type = type_of_schema(schema);
    PyObject *list = type < 0 ? NULL : PyList_New(0);
    if (list && append(list, take_array(state, array, type)) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static void stream_failed(struct ArrowArrayStream *stream, int code)
{
    const char *why = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    PyErr_Format(PyExc_ValueError, "the Arrow stream failed: %.500s", why ? why : strerror(code));
}

/* The type of a stream's chunks, or -1. */
static int stream_type(struct ArrowArrayStream *stream)
{
    struct ArrowSchema schema = {0};
    int code, type = -1;
    Py_BEGIN_ALLOW_THREADS
    code = stream->get_schema(stream, &schema);
    Py_END_ALLOW_THREADS
    if (code) {
        stream_failed(stream, code);
        return -1;
    }
    if (!schema.release) {
        consumed("schema");
        return -1;
    }
    type = type_of_schema(&schema);
    RELEASE(&schema);
    return type;
}

/* Appends the next chunk. 0 at the end, -1 with an exception. The producer may need other threads, so the GIL is let go. */
static int next_chunk(module_state *state, struct ArrowArrayStream *stream, int type, PyObject *list)
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
    int status = append(list, take_array(state, &array, type));
    if (array.release) {
        RELEASE(&array);
    }
    return status < 0 || watch_look() < 0 ? -1 : 1;
}

/* A stream without chunks gives one that is empty: it says the type. */
static PyObject *take_chunks(module_state *state, struct ArrowArrayStream *stream)
{
    int type = stream_type(stream), more = 1;
    PyObject *list = type < 0 ? NULL : PyList_New(0);
    while (list && more > 0) {
        more = next_chunk(state, stream, type, list);
    }
    if (list && more == 0 && PyList_GET_SIZE(list) == 0) {
        PyObject *view = view_or_none(state, Py_None, "", type, 0);
        more = append(list, view ? Py_BuildValue("OiOi", view, 0, Py_None, 0) : NULL);
        Py_XDECREF(view);
    }
    if (more < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *take_stream(module_state *state, PyObject *capsule)
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
    PyObject *list = take_chunks(state, &stream);
    RELEASE(&stream);
    return list;
}

/* take_arrow(schema, array) or take_arrow(stream), all capsules -> list of chunks, at least one: see show(). */
static PyObject *py_take_arrow(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 1 && nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "take_arrow(schema, array) or take_arrow(stream)");
        return NULL;
    }
    return nargs == 1 ? take_stream(state_of(module), args[0]) : take_pair(state_of(module), args[0], args[1]);
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

/* unpack_bits(bytes, first, count) -> array of 0 and 1, of bits first.. of a buffer of bytes */
static PyObject *py_unpack_bits(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array bits, out;
    if (!has_args(nargs, 3, "unpack_bits(bytes, first, count)")) {
        return NULL;
    }
    const Py_ssize_t first = PyLong_AsSsize_t(args[1]), count = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred() || array_take(state, args[0], &bits) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    array_none(&out);
    if (first < 0 || count < 0 || bits.type != AO_TYPE_u8 || bits.spacing.stride || (size_t)first > bits.count * 8
        || (size_t)count > bits.count * 8 - (size_t)first) {
        PyErr_SetString(PyExc_ValueError, "unpack_bits(): there are not so many bits");
    } else {
        result = array_new_out(state, 'B', (size_t)count, &out);
    }
    if (result) {
        watched w;
        unpack(bits.data, (size_t)first, out.data, (size_t)count, watch_begin(&w, (size_t)count));
        if (watch_end(&w) < 0) {
            Py_CLEAR(result);
        }
    }
    array_release(&out);
    array_release(&bits);
    return result;
}

/* -- out ----------------------------------------------------------------------------------------------------------- */

/* What a consumer holds. */
typedef struct {
    ao_array array, bits;   /* of the second the data is NULL if there are no nulls */
    const void *buffers[2]; /* the bits, then the data */
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
    array_release(&h->bits);
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

static PyObject *schema_capsule(enum ao_type type)
{
    enum { NULLABLE = 2 };
    struct ArrowSchema *schema = PyMem_RawCalloc(1, sizeof *schema);
    if (!schema) {
        return PyErr_NoMemory();
    }
    *schema = (struct ArrowSchema){.format = formats[type], .name = "", .flags = NULLABLE, .release = schema_release};
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
    h->buffers[0] = h->bits.data;
    h->buffers[1] = h->array.data ? h->array.data : "";
    *array = (struct ArrowArray){.length = (int64_t)count, .n_buffers = 2, .buffers = h->buffers,
                                 .null_count = h->bits.data ? (int64_t)validity_nulls(h->bits.data, 0, count) : 0,
                                 .release = held_release, .private_data = h};
    PyObject *capsule = PyCapsule_New(array, ARRAY, array_capsule_free);
    if (!capsule) {
        PyMem_RawFree(array);
    }
    return capsule;
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
        && validity_take(state_of(module), args[1], h->array.count, &h->bits) == 0) {
        if (h->array.spacing.stride || h->array.copy) {
            PyErr_SetString(PyExc_BufferError, "the elements are not side by side as this machine has them");
        } else if ((schema = schema_capsule(h->array.type))) {
            array = array_capsule(h);
        }
    }
    PyObject *result = array ? PyTuple_Pack(2, schema, array) : NULL;
    Py_XDECREF(schema);
    Py_XDECREF(array); /* which has h, and frees it */
    if (!array) {
        array_release(&h->array);
        array_release(&h->bits);
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
