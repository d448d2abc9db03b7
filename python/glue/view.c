/* View: a field of packed records, or any other evenly spaced elements, as a buffer of one dimension.
 *
 * A View shows memory that somebody else owns and holds it until the last view of it is gone. Its bounds are checked once,
 * when it is made. It exports the buffer protocol (format, shape, strides), which is how the rest of arrayops, memoryview
 * and NumPy read it, and it is a sequence of Python numbers, which memoryview is not for formats such as '>H'.
 *
 * Only release() changes a View that is in use. Without the GIL another thread may call it, so whatever looks at the memory
 * or counts a buffer does that in a critical section of the View.
 */
#include "view.h"
#include "watch.h"
#include "buffers.h"
#include "numbers.h"

#include <structmember.h>
#include <string.h>

typedef struct {
    PyObject_HEAD
    PyObject *owner;   /* holds the memory: a memoryview, or an Arrow capsule; NULL after release() */
    char *data;        /* the first element */
    enum ao_type type;
    char letter;       /* typecodes.h */
    char format[4];    /* as the buffer protocol has it; it has no name for 24 bits, so those are '<i3' */
    ao_spacing spacing; /* stride is never 0 here */
    Py_ssize_t count, exports;
    int readonly;
    PyObject *weakrefs;
} ViewObject;

static ViewObject *view_at(module_state *state, PyObject *owner, char *data, enum ao_type type, char letter,
                           ao_spacing spacing, Py_ssize_t count, int readonly)
{
    ViewObject *self = (ViewObject *)state->view_type->tp_alloc(state->view_type, 0);
    if (!self) {
        return NULL;
    }
    self->owner = Py_NewRef(owner);
    self->data = data;
    self->type = type;
    self->spacing = spacing;
    self->count = count;
    self->readonly = readonly;
    self->letter = letter;
    const char *order = !spacing.swapped ? "" : PY_LITTLE_ENDIAN ? ">" : "<";
    PyOS_snprintf(self->format, sizeof self->format, "%s%s", order, typecode_row(letter)->text);
    return self;
}

static Py_ssize_t size_of(const ViewObject *v)
{
    return (Py_ssize_t)ao_size_in_memory(v->type, v->spacing.form);
}

PyObject *view_of_memory(module_state *state, PyObject *owner, const void *data, const ao_typecode *row, size_t count)
{
    const ao_spacing spacing = {row->size, 0, row->form};
    return (PyObject *)view_at(state, owner, (char *)(uintptr_t)data, typecode_type(row), row->letter, spacing,
                               (Py_ssize_t)count, 1);
}

/* Memory of its own, a bytearray. */
static PyObject *new_view(void *state, char letter, size_t count)
{
    const ao_typecode *row = typecode_row(letter);
    if (count > PY_SSIZE_T_MAX / (size_t)row->size) {
        return PyErr_NoMemory();
    }
    /* In two steps: CPython 3.11 takes apart what it has not set up where it finds no memory for the bytes, and says so. */
    PyObject *memory = PyByteArray_FromStringAndSize(NULL, 0);
    const int has_room = memory && PyByteArray_Resize(memory, (Py_ssize_t)count * row->size) == 0;
    PyObject *owner = has_room ? PyMemoryView_FromObject(memory) : NULL;
    PyObject *view = NULL;
    if (owner) {
        const ao_spacing spacing = {row->size, 0, row->form};
        view = (PyObject *)view_at(state, owner, PyByteArray_AS_STRING(memory), typecode_type(row), letter, spacing,
                                   (Py_ssize_t)count, 0);
    }
    Py_XDECREF(owner);
    Py_XDECREF(memory);
    return view;
}

/* Of one that new_view made: what is much shorter gets memory of its own length. */
static int cut_view(PyObject *self, size_t count)
{
    ViewObject *v = (ViewObject *)self;
    if (count < (size_t)v->count / 2) {
        ViewObject *part = (ViewObject *)new_view(PyType_GetModuleState(Py_TYPE(self)), v->letter, count);
        if (!part) {
            return -1;
        }
        memcpy(part->data, v->data, count * (size_t)size_of(v));
        PyObject *owner = v->owner;
        v->owner = part->owner;
        part->owner = owner;
        v->data = part->data;
        Py_DECREF(part);
    }
    v->count = (Py_ssize_t)count;
    return 0;
}

/* -- making -------------------------------------------------------------------------------------------------------- */

/* How many elements there are room for, or the number asked for if there is. -1 with ValueError. */
static Py_ssize_t fitting(Py_ssize_t bytes, Py_ssize_t offset, Py_ssize_t stride, Py_ssize_t size, PyObject *wanted)
{
    if (offset < 0 || stride < 1) {
        PyErr_Format(PyExc_ValueError, "view() needs an offset from 0 and a stride from 1, not %zd and %zd", offset, stride);
        return -1;
    }
    const int of_no_record = stride > size && offset - bytes < stride; /* a field, where no record follows */
    if (offset > bytes && !of_no_record) {
        PyErr_Format(PyExc_ValueError, "view() from byte %zd of a buffer of %zd bytes", offset, bytes);
        return -1;
    }
    Py_ssize_t most = offset > bytes - size ? 0 : (bytes - offset - size) / stride + 1;
    if (wanted == Py_None) {
        return most;
    }
    Py_ssize_t count = PyNumber_AsSsize_t(wanted, PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (count < 0 || count > most) {
        PyErr_Format(PyExc_ValueError,
                     "view() of %zd elements of %zd bytes, %zd bytes apart, from byte %zd: the buffer has %zd bytes, room "
                     "for %zd elements", count, size, stride, offset, bytes, most);
        return -1;
    }
    return count;
}

/* The memory of what is to be viewed as numbers. */
static PyObject *take_memory(const module_state *state, PyObject *object)
{
    if (refuse_masked_array(state, object) < 0) {
        return NULL;
    }
    if (!PyObject_CheckBuffer(object)) {
        const char *remedy = has_attribute(object, "to_numpy") ? ": give its .to_numpy()" : "";
        return PyErr_Format(PyExc_TypeError, "view() needs a buffer (bytes, array.array, memoryview, ...), not %.200s%s",
                            Py_TYPE(object)->tp_name, remedy);
    }
    PyObject *memory = PyMemoryView_FromObject(object);
    const char *format = memory ? PyMemoryView_GET_BUFFER(memory)->format : NULL;
    if (format && format[strspn(format, "<>=!@|^0123456789")] == 'O') { /* who writes to them ends the process */
        PyErr_Format(PyExc_TypeError, "format '%s' is of Python objects, and their addresses are no numbers: convert the "
                     "objects with .astype('float64')", format);
        Py_CLEAR(memory);
    }
    return memory;
}

/* view(buffer, format, offset, stride, count): stride and count may be None. */
static PyObject *py_view(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    ao_array element;
    if (nargs != 5 || !PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "view() needs a buffer and a format such as '>H'");
        return NULL;
    }
    Py_ssize_t length;
    const char *format = PyUnicode_AsUTF8AndSize(args[1], &length);
    if (!format || format_parse(strlen(format) == (size_t)length ? format : "", 0, &element) < 0) {
        return NULL;
    }
    Py_ssize_t size = (Py_ssize_t)array_size(&element), offset = PyNumber_AsSsize_t(args[2], PyExc_OverflowError);
    Py_ssize_t stride = args[3] == Py_None ? size : PyNumber_AsSsize_t(args[3], PyExc_OverflowError);
    PyObject *memory = PyErr_Occurred() ? NULL : take_memory(state, args[0]);
    if (!memory) {
        return NULL;
    }
    const Py_buffer *base = PyMemoryView_GET_BUFFER(memory);
    PyObject *result = NULL;
    if (!PyBuffer_IsContiguous(base, 'C')) {
        PyErr_SetString(PyExc_BufferError, "view() needs a contiguous buffer: a copy of it, such as .copy(), is one");
    } else {
        Py_ssize_t count = fitting(base->len, offset, stride, size, args[4]);
        ao_spacing spacing = {stride, element.spacing.swapped, element.spacing.form};
        if (count >= 0) {
            result = (PyObject *)view_at(state, memory, (char *)base->buf + (count ? offset : 0), element.type,
                                         element.typecode, spacing, count, base->readonly);
        }
    }
    Py_DECREF(memory);
    return result;
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

static int view_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((ViewObject *)self)->owner);
    return 0;
}

static int view_clear(PyObject *self)
{
    ViewObject *v = (ViewObject *)self;
    v->count = 0;
    Py_CLEAR(v->owner);
    return 0;
}

static void view_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((ViewObject *)self)->weakrefs) {
        PyObject_ClearWeakRefs(self);
    }
    view_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *view_release(PyObject *self, PyObject *unused)
{
    ViewObject *v = (ViewObject *)self;
    (void)unused;
    Py_ssize_t exports;
    PyObject *owner = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    exports = v->exports;
    if (!exports) {
        owner = v->owner;
        v->owner = NULL;
        v->count = 0;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(owner);
    return exports ? PyErr_Format(PyExc_BufferError, "the view is in use: %zd buffers of it are held", exports)
                   : Py_NewRef(Py_None);
}

static PyObject *view_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

/* Does not raise over an exception that is on its way. */
static PyObject *view_exit(PyObject *self, PyObject *args)
{
    PyObject *result = view_release(self, NULL);
    if (!result && PyTuple_GET_SIZE(args) && PyTuple_GET_ITEM(args, 0) != Py_None) {
        PyErr_Clear();
        return Py_NewRef(Py_None);
    }
    return result;
}

static int is_live(const ViewObject *v)
{
    if (!v->owner) {
        PyErr_SetString(PyExc_ValueError, "operation forbidden on a released view");
    }
    return v->owner != NULL;
}

/* -- the buffer protocol ------------------------------------------------------------------------------------------- */

static int is_dense(const ViewObject *v)
{
    return v->count < 2 || v->spacing.stride == size_of(v);
}

static int fill_buffer(ViewObject *v, Py_buffer *view, int flags)
{
    view->obj = NULL;
    if (!is_live(v)) {
        return -1;
    }
    if (v->readonly && flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "the view is read-only");
        return -1;
    }
    const int wants_strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES;
    const int wants_dense = flags & (PyBUF_C_CONTIGUOUS | PyBUF_F_CONTIGUOUS | PyBUF_ANY_CONTIGUOUS) & ~PyBUF_STRIDES;
    if (!is_dense(v) && (!wants_strides || wants_dense)) {
        PyErr_SetString(PyExc_BufferError, "the elements of the view are not side by side");
        return -1;
    }
    if (!(flags & PyBUF_FORMAT) && v->spacing.swapped) {
        PyErr_SetString(PyExc_BufferError, "the view is in the other byte order: its format must be asked for");
        return -1;
    }
    const Py_ssize_t size = size_of(v);
    *view = (Py_buffer){.buf = v->data, .obj = Py_NewRef(v), .len = v->count * size, .itemsize = size,
                        .readonly = v->readonly, .ndim = 1};
    view->format = flags & PyBUF_FORMAT ? v->format : NULL;
    view->shape = flags & PyBUF_ND ? &v->count : NULL;
    view->strides = wants_strides ? &v->spacing.stride : NULL;
    v->exports++;
    return 0;
}

static int view_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    int status;
    Py_BEGIN_CRITICAL_SECTION(self);
    status = fill_buffer((ViewObject *)self, view, flags);
    Py_END_CRITICAL_SECTION();
    return status;
}

static void view_releasebuffer(PyObject *self, Py_buffer *view)
{
    (void)view;
    Py_BEGIN_CRITICAL_SECTION(self);
    ((ViewObject *)self)->exports--;
    Py_END_CRITICAL_SECTION();
}

/* -- the sequence -------------------------------------------------------------------------------------------------- */

static Py_ssize_t view_length(PyObject *self)
{
    return is_live((ViewObject *)self) ? ((ViewObject *)self)->count : -1;
}

/* Whether there is such an element; else IndexError. */
static int is_inside(const ViewObject *v, Py_ssize_t i)
{
    if (i < 0 || i >= v->count) {
        PyErr_SetString(PyExc_IndexError, "index out of bounds");
        return 0;
    }
    return 1;
}

/* Copies element i out, or in. -1 with an exception if there is none. */
static int copy_element(ViewObject *v, Py_ssize_t i, char *element, int in)
{
    if (!is_live(v) || !is_inside(v, i)) {
        return -1;
    }
    char *place = v->data + i * v->spacing.stride;
    if (in) {
        ao_scatter(place, v->spacing, element, ao_type_sizes[v->type], 1);
    } else {
        ao_gather(element, place, v->spacing, ao_type_sizes[v->type], 1);
    }
    return 0;
}

static PyObject *view_item(PyObject *self, Py_ssize_t i)
{
    ViewObject *v = (ViewObject *)self;
    char element[8];
    int status;
    Py_BEGIN_CRITICAL_SECTION(self);
    status = copy_element(v, i, element, 0);
    Py_END_CRITICAL_SECTION();
    return status < 0 ? NULL : element_get(v->type, element);
}

static PyObject *slice_at(ViewObject *v, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step)
{
    if (!is_live(v)) {
        return NULL;
    }
    Py_ssize_t count = PySlice_AdjustIndices(v->count, &start, &stop, step);
    ao_spacing spacing = {count > 1 ? v->spacing.stride * step : v->spacing.stride, v->spacing.swapped, v->spacing.form};
    module_state *state = PyType_GetModuleState(Py_TYPE(v));
    return (PyObject *)view_at(state, v->owner, v->data + (count ? start * v->spacing.stride : 0), v->type, v->letter, spacing,
                               count, v->readonly);
}

static PyObject *view_slice(PyObject *self, PyObject *slice)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return NULL;
    }
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = slice_at((ViewObject *)self, start, stop, step);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *view_subscript(PyObject *self, PyObject *key)
{
    ViewObject *v = (ViewObject *)self;
    if (!is_live(v)) {
        return NULL;
    }
    if (PySlice_Check(key)) {
        return view_slice(self, key);
    }
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return view_item(self, i < 0 ? i + v->count : i);
}

static int view_assign(PyObject *self, PyObject *key, PyObject *value)
{
    ViewObject *v = (ViewObject *)self;
    char element[8];
    if (!is_live(v)) {
        return -1;
    }
    if (v->readonly || !value || PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, v->readonly ? "cannot modify a read-only view"
                                                     : "only single elements of a view can be set");
        return -1;
    }
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) {
        return -1;
    }
    i = i < 0 ? i + v->count : i;
    if (!is_inside(v, i)) {
        return -1;
    }
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    PyObject *scratch = array_scratch(state, v->letter);
    int status = scratch ? element_set_form(v->type, v->spacing.form, element, value, scratch) : -1;
    Py_XDECREF(scratch);
    if (status == 0) { /* the value's __index__ may have released it */
        Py_BEGIN_CRITICAL_SECTION(self);
        status = copy_element(v, i, element, 1);
        Py_END_CRITICAL_SECTION();
    }
    return status;
}

enum { BREATHE_EVERY = 1 << 15 }; /* elements: a millisecond */

static PyObject *view_tolist(PyObject *self, PyObject *unused)
{
    ViewObject *v = (ViewObject *)self;
    (void)unused;
    Py_buffer held; /* so that neither a signal handler nor another thread can release it meanwhile */
    if (PyObject_GetBuffer(self, &held, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    PyObject *list = PyList_New(v->count);
    for (Py_ssize_t i = 0; list && i < v->count; i++) {
        PyObject *number = i % BREATHE_EVERY == BREATHE_EVERY - 1 && watch_breathe() < 0 ? NULL : view_item(self, i);
        if (number) {
            PyList_SET_ITEM(list, i, number);
        } else {
            Py_CLEAR(list);
        }
    }
    PyBuffer_Release(&held);
    return list;
}

enum { NOWHERE = -2 };

/* How many elements from start to stop equal the value; if only the first is wanted, its place or NOWHERE. -1: raised. */
static Py_ssize_t equal_elements(PyObject *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop, int first)
{
    Py_ssize_t found = first ? NOWHERE : 0;
    for (Py_ssize_t i = start; i < stop; i++) {
        PyObject *number = i % BREATHE_EVERY == BREATHE_EVERY - 1 && watch_breathe() < 0 ? NULL : view_item(self, i);
        int equal = number ? PyObject_RichCompareBool(number, value, Py_EQ) : -1;
        Py_XDECREF(number);
        if (equal < 0) {
            return -1;
        }
        if (equal && first) {
            return i;
        }
        found += equal;
    }
    return found;
}

static PyObject *view_index(PyObject *self, PyObject *args)
{
    PyObject *value;
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX, at, count;
    if (!PyArg_ParseTuple(args, "O|nn:index", &value, &start, &stop) || (count = view_length(self)) < 0) {
        return NULL;
    }
    PySlice_AdjustIndices(count, &start, &stop, 1);
    at = equal_elements(self, value, start, stop, 1);
    if (at == NOWHERE) {
        return PyErr_Format(PyExc_ValueError, "%R is not in this view", value);
    }
    return at < 0 ? NULL : PyLong_FromSsize_t(at);
}

static PyObject *view_count(PyObject *self, PyObject *value)
{
    Py_ssize_t length = view_length(self), number = length < 0 ? -1 : equal_elements(self, value, 0, length, 0);
    return number < 0 ? NULL : PyLong_FromSsize_t(number);
}

/* Notebooks ask for it: engine/notebook.py, which data.py has left in the module. */
static PyObject *view_html(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyObject *make = PyObject_GetAttrString(PyType_GetModule(Py_TYPE(self)), "view_html");
    PyObject *text = make ? PyObject_CallOneArg(make, self) : NULL;
    Py_XDECREF(make);
    return text;
}

static PyObject *view_repr(PyObject *self)
{
    ViewObject *v = (ViewObject *)self;
    if (!v->owner) {
        return PyUnicode_FromString("<released arrayops.View>");
    }
    return PyUnicode_FromFormat("<arrayops.View of %zd elements '%s', %zd bytes apart%s>", v->count, v->format,
                                v->spacing.stride, v->readonly ? ", read-only" : "");
}

static PyObject *get_format(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(((ViewObject *)self)->format);
}

static PyObject *get_itemsize(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSsize_t(size_of((ViewObject *)self));
}

static PyObject *get_stride(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSsize_t(((ViewObject *)self)->spacing.stride);
}

static PyObject *get_readonly(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((ViewObject *)self)->readonly);
}

static PyMethodDef type_methods[] = {
    {"tolist", view_tolist, METH_NOARGS, "tolist()\n--\n\nThe elements as a list of Python numbers."},
    {"index", view_index, METH_VARARGS,
     "index(value, start=0, stop=sys.maxsize, /)\n--\n\nThe place of the first element that equals the value; ValueError if none does."},
    {"count", view_count, METH_O, "count(value, /)\n--\n\nHow many elements equal the value."},
    {"_repr_html_", view_html, METH_NOARGS, NULL},
    {"release", view_release, METH_NOARGS,
     "release()\n--\n\nLets go of the memory; BufferError if a buffer of the view is held. To use the view then is a ValueError."},
    {"__enter__", view_enter, METH_NOARGS, NULL},
    {"__exit__", view_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef view_getset[] = {
    {"format", get_format, NULL, "Type of the elements, as in struct: a typecode with < or > before it if swapped; 'i3' and 'u3' have 24 bits.", NULL},
    {"itemsize", get_itemsize, NULL, "Bytes of an element.", NULL},
    {"stride", get_stride, NULL, "Bytes from one element to the next.", NULL},
    {"readonly", get_readonly, NULL, "Whether the memory must not be written.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef view_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ViewObject, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot view_slots[] = {
    {Py_tp_doc, "Evenly spaced numbers in somebody else's memory: made by arrayops.view and arrayops.open.\n\n"
                "It is a buffer of one dimension and a sequence of numbers; a slice of it is a View. It holds the memory\n"
                "until release(), the end of its with statement, or its own end.\n\n"
                ">>> import arrayops as ao\n"
                ">>> v = ao.view(bytes([0, 1, 9, 0, 2, 9]), '>H', stride=3)\n"
                ">>> v\n"
                "<arrayops.View of 2 elements '>H', 3 bytes apart, read-only>\n"
                ">>> v[1], v[::-1].tolist()\n"
                "(2, [2, 1])"},
    {Py_tp_dealloc, view_dealloc},
    {Py_tp_traverse, view_traverse},
    {Py_tp_clear, view_clear},
    {Py_tp_methods, type_methods},
    {Py_tp_getset, view_getset},
    {Py_tp_members, view_members},
    {Py_tp_repr, view_repr},
    {Py_sq_length, view_length},
    {Py_sq_item, view_item},
    {Py_mp_length, view_length},
    {Py_mp_subscript, view_subscript},
    {Py_mp_ass_subscript, view_assign},
    {Py_bf_getbuffer, view_getbuffer},
    {Py_bf_releasebuffer, view_releasebuffer},
    {0, NULL},
};

static PyType_Spec view_spec = {
    .name = "arrayops.View",
    .basicsize = sizeof(ViewObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION
             | Py_TPFLAGS_SEQUENCE,
    .slots = view_slots,
};

int view_prepare(PyObject *module)
{
    module_state *state = state_of(module);
    state->view_new = new_view;
    state->view_cut = cut_view;
    state->view_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &view_spec, NULL);
    return state->view_type ? PyModule_AddObjectRef(module, "View", (PyObject *)state->view_type) : -1;
}

PyMethodDef view_methods[] = {
    FAST_FUNCTION("view", py_view),
    END_OF_FUNCTIONS,
};
