/* Taking, checking and releasing the buffers of a call.
 *
 * A buffer is held from before the first element is read until the call is over, so an exporter cannot resize or free it
 * meanwhile: array.array and bytearray raise BufferError instead. Types come from the format's letter and the item size
 * together, never from the letter alone. Nothing here looks at elements.
 */
#include "glue.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

/* The fields of array.array (CPython's Modules/arraymodule.c, the same since Python 2.7), for which there is no C API. Used
 * only if know_arrays() found each in its place; else all goes by the buffer protocol, slower. With them an array is taken
 * in 2 instead of 25 ns, and a new one is not filled with zeros first. */
typedef struct {
    PyObject_VAR_HEAD
    char *items;
    Py_ssize_t allocated;
    const struct {
        char typecode;
        int itemsize;
    } *row;
    PyObject *weakrefs;
    Py_ssize_t exports; /* buffers taken: it cannot be resized until they are released */
} array_object;

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

/* Bytes of an element whose format has a byte order: the struct module's standard sizes. */
static Py_ssize_t standard_size(char letter)
{
    return letter == 'l' || letter == 'L' ? 4 : native_size(letter);
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

/* What a byte-order prefix says: whether the bytes are in the other order than this machine's; -1 if it is none. */
static int swapped_by(char prefix)
{
    switch (prefix) {
    case '@': case '=': return 0;
    case '<': return !PY_LITTLE_ENDIAN;
    case '>': case '!': return PY_LITTLE_ENDIAN;
    default: return -1;
    }
}

int format_parse(const char *format, Py_ssize_t size, ao_array *array)
{
    const int swapped = swapped_by(*format);
    const char *letter = format + (swapped >= 0);
    const int kind = *letter && !letter[1] ? kind_of(*letter) : -1;
    if (!size && kind >= 0) {
        size = swapped >= 0 && *format != '@' ? standard_size(*letter) : native_size(*letter);
    }
    int type = type_of(kind, size);
    if (type < 0) {
        PyErr_Format(PyExc_TypeError,
                     "format '%s' (%zd bytes) is not supported; formats are b B h H i I l L q Q f d, with < or > before it "
                     "for a byte order", format, size);
        return -1;
    }
    array->type = (enum ao_type)type;
    array->typecode = typecode_of(array->type, *letter);
    array->spacing = (ao_spacing){0, swapped > 0 && size > 1};
    return 0;
}

/* Whether shape, strides and item size are those of so many bytes of memory. Exporters that others wrote can be wrong, or
 * lie; whether a pointer has as many bytes behind it as it says cannot be seen. */
static int is_consistent(const Py_buffer *view)
{
    if (!view->shape || view->itemsize < 1 || view->len < 0) {
        return 0;
    }
    const Py_ssize_t count = view->shape[0], size = view->itemsize, stride = view->strides ? view->strides[0] : size;
    if (count < 0 || count > view->len / size) {
        return 0;
    }
    const size_t apart = stride < 0 ? 0 - (size_t)stride : (size_t)stride;
    return count < 2 || apart <= ((size_t)PY_SSIZE_T_MAX - (size_t)size) / (size_t)(count - 1);
}

static int check_shape(const Py_buffer *view)
{
    if (view->ndim != 1) {
        PyErr_Format(PyExc_BufferError, "a buffer of 1 dimension is needed, this one has %d", view->ndim);
        return -1;
    }
    if (view->suboffsets && view->suboffsets[0] >= 0) {
        PyErr_SetString(PyExc_BufferError, "the buffer is not one block of memory: it has suboffsets");
        return -1;
    }
    if (!is_consistent(view)) {
        PyErr_Format(PyExc_BufferError,
                     "the exporter of the buffer contradicts itself: %zd elements of %zd bytes, %zd bytes apart, in %zd bytes",
                     view->shape ? view->shape[0] : 0, view->itemsize, view->strides ? view->strides[0] : view->itemsize,
                     view->len);
        return -1;
    }
    return 0;
}

/* Elements `step` bytes apart (0: one element again and again), side by side in memory of our own. */
static int copy_from(ao_array *array, ptrdiff_t step)
{
    const size_t size = ao_type_sizes[array->type], count = array->count;
    char *copy = array->copy = count > PY_SSIZE_T_MAX / size ? NULL : PyMem_RawMalloc(count ? count * size : 1);
    if (!copy) {
        PyErr_NoMemory();
        return -1;
    }
    watched w;
    ao_watch *watch = watch_begin(&w, count);
    for (size_t i = 0, end; i < count && !watch->stopped; i = end) {
        end = ao_watch_part(i, count);
        ao_gather(copy + i * size, (const char *)array->data + (ptrdiff_t)i * step,
                  (ao_spacing){step, array->spacing.swapped}, size, end - i);
        ao_watch_done(watch, end - i);
    }
    if (watch_end(&w) < 0) {
        return -1;
    }
    array->data = copy;
    array->spacing = (ao_spacing){0, 0};
    return 0;
}

/* Whether kernels can use the buffer in place; if not, how it is to be gathered. */
static int find_spacing(ao_array *array)
{
    const Py_buffer *view = &array->view;
    const ptrdiff_t stride = view->strides && array->count > 1 ? view->strides[0] : view->itemsize;
    const uintptr_t odd = (uintptr_t)view->buf & (uintptr_t)(view->itemsize - 1); /* sizes are powers of two */
    if (stride == 0) { /* the same element again and again: a copy, as a stride of 0 means another thing to the machine */
        return copy_from(array, 0);
    }
    array->spacing.stride = stride != view->itemsize || odd || array->spacing.swapped ? stride : 0;
    return 0;
}

/* Types of array.array's letters, or -1. */
static int type_of_row(const array_object *a)
{
    switch (a->row->typecode) {
    case 'b': return AO_TYPE_i8;
    case 'B': return AO_TYPE_u8;
    case 'f': return AO_TYPE_f32;
    case 'd': return AO_TYPE_f64;
    default: return type_of(kind_of(a->row->typecode), a->row->itemsize);
    }
}

static int take_array(PyObject *object, ao_array *array)
{
    array_object *a = (array_object *)object;
    int type = type_of_row(a);
    if (type < 0) {
        return 0;
    }
    a->exports++;
    array->array = Py_NewRef(object);
    array->type = (enum ao_type)type;
    array->typecode = a->row->typecode;
    array->count = (size_t)Py_SIZE(a);
    array->data = a->items;
    array->spacing = (ao_spacing){0, 0};
    array->copy = NULL;
    array->held = 1;
    return 1;
}

int array_take(const module_state *state, PyObject *object, ao_array *array)
{
    if (state->knows_arrays && Py_IS_TYPE(object, (PyTypeObject *)state->array_type) && take_array(object, array)) {
        return 0;
    }
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
    if (check_shape(&array->view) < 0 || format_parse(array->view.format ? array->view.format : "B", array->view.itemsize, array) < 0) {
        array_release(array);
        return -1;
    }
    array->count = (size_t)array->view.shape[0];
    array->data = array->view.buf;
    if (find_spacing(array) < 0) {
        array_release(array);
        return -1;
    }
    return 0;
}

/* Whether elements share memory with each other: they can be read so, but not written. */
static int overlaps_itself(const ao_array *array)
{
    const ptrdiff_t stride = array->spacing.stride, size = ao_type_sizes[array->type];
    return array->copy || (stride && stride > -size && stride < size);
}

int array_take_out(const module_state *state, PyObject *object, ao_array *array)
{
    if (array_take(state, object, array) < 0) {
        return -1;
    }
    if (!array->array && array->view.readonly) {
        array_release(array);
        PyErr_Format(PyExc_TypeError, "cannot write the result: this %.200s is read-only", Py_TYPE(object)->tp_name);
        return -1;
    }
    if (overlaps_itself(array)) {
        array_release(array);
        PyErr_SetString(PyExc_BufferError, "cannot write the result: elements of the buffer overlap each other");
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
    if (array->held && array->array) {
        ((array_object *)array->array)->exports--;
        Py_CLEAR(array->array);
    } else if (array->held) {
        PyBuffer_Release(&array->view);
    }
    array->held = 0;
}

int array_make_private(ao_array *array)
{
    return copy_from(array, array_step(array));
}

const void *array_spaced_element(const ao_array *array, size_t i, void *local)
{
    const char *element = (const char *)array->data + (ptrdiff_t)i * array->spacing.stride;
    ao_gather(local, element, array->spacing, ao_type_sizes[array->type], 1);
    return local;
}

void array_store(const ao_array *array, size_t i, const void *local)
{
    const size_t size = ao_type_sizes[array->type];
    ao_scatter((char *)array->data + (ptrdiff_t)i * array_step(array), (ao_spacing){array_step(array), array->spacing.swapped},
               local, size, 1);
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

/* Addresses from the lowest byte of the array to past the highest. */
static void extent(const ao_array *array, const char **low, const char **high)
{
    const char *first = array->data, *last = first + (ptrdiff_t)(array->count - 1) * array_step(array);
    *low = first < last ? first : last;
    *high = (first < last ? last : first) + ao_type_sizes[array->type];
}

/* Two fields of the same records. */
static int are_fields(const ao_array *a, const ao_array *b)
{
    const ptrdiff_t step = array_step(a), record = step < 0 ? -step : step;
    const ptrdiff_t apart = (((char *)b->data - (char *)a->data) % record + record) % record;
    return step == array_step(b) && apart >= ao_type_sizes[a->type] && apart + ao_type_sizes[b->type] <= record;
}

static int overlaps(const ao_array *a, const ao_array *b)
{
    const char *low, *high, *other_low, *other_high;
    if (!a->count || !b->count) {
        return 0;
    }
    extent(a, &low, &high);
    extent(b, &other_low, &other_high);
    return low < other_high && other_low < high && !are_fields(a, b);
}

int array_separate(ao_array *inputs, size_t number, const ao_array *out, int *same)
{
    for (size_t i = 0; i < number; i++) {
        ao_array *in = &inputs[i];
        if (!in->held || !overlaps(in, out)) {
            continue;
        }
        if (in->data == out->data && array_step(in) == array_step(out) && ao_type_sizes[in->type] == ao_type_sizes[out->type]) {
            *same = 1;
        } else if (array_make_private(in) < 0) {
            return -1;
        }
    }
    return 0;
}

/* -- array.array --------------------------------------------------------------------------------------------------- */

/* Whether the fields of this array of 2 elements are where they are expected. */
static int has_fields(PyObject *array, char typecode)
{
    const array_object *a = (const array_object *)array;
    Py_buffer view;
    if (Py_TYPE(array)->tp_basicsize != sizeof(array_object) || Py_TYPE(array)->tp_itemsize != 0
        || PyObject_GetBuffer(array, &view, PyBUF_SIMPLE) < 0) {
        return 0;
    }
    int good = a->items == view.buf && Py_SIZE(array) == 2 && a->allocated >= 2 && a->allocated < 64 && !a->weakrefs
               && a->exports == 1;
    good = good && a->row->typecode == typecode && a->row->itemsize == view.len / 2;
    PyBuffer_Release(&view);
    return good && a->exports == 0;
}

static int know_arrays(const module_state *state)
{
#ifdef Py_GIL_DISABLED
    (void)state;
    return 0; /* the fields are guarded by locks there */
#else
    for (size_t i = 0; i < AO_TYPECODES; i++) {
        PyObject *two = PySequence_Repeat(state->ones[i], 2);
        int good = two && has_fields(two, AO_TYPECODE_LETTERS[i]);
        Py_XDECREF(two);
        if (!good) {
            PyErr_Clear();
            return 0;
        }
    }
    return 1;
#endif
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
    if (!state->array_type) {
        return -1;
    }
    state->knows_arrays = know_arrays(state);
    return 0;
}

enum { HUGE = 1 << 22 }; /* bytes from which large pages are asked for: 1e7 new doubles took 4 ns each, then 1.5 */

static char *new_items(size_t bytes)
{
    char *items = PyMem_Malloc(bytes);
#ifdef MADV_HUGEPAGE
    if (items && bytes >= HUGE) {
        uintptr_t page = 4096, first = ((uintptr_t)items + page - 1) / page * page;
        madvise((void *)first, ((uintptr_t)items + bytes - first) / page * page, MADV_HUGEPAGE); /* only advice */
    }
#endif
    return items;
}

static PyObject *unfilled(const module_state *state, const array_object *like, size_t count)
{
    size_t size = (size_t)like->row->itemsize;
    if (count > PY_SSIZE_T_MAX / size) {
        return PyErr_NoMemory();
    }
    PyTypeObject *type = (PyTypeObject *)state->array_type;
    char *items = count ? new_items(count * size) : NULL;
    array_object *a = items || !count ? (array_object *)type->tp_alloc(type, 0) : NULL;
    if (!a) {
        PyMem_Free(items);
        return PyErr_NoMemory();
    }
    Py_SET_SIZE(a, (Py_ssize_t)count);
    a->items = items;
    a->allocated = (Py_ssize_t)count;
    a->row = like->row;
    return (PyObject *)a;
}

PyObject *array_new(const module_state *state, char typecode, size_t count)
{
    const char *letter = strchr(AO_TYPECODE_LETTERS, typecode);
    if (!letter || !typecode) {
        PyErr_SetString(PyExc_ValueError, "bad typecode (must be b, B, h, H, i, I, l, L, q, Q, f or d)");
        return NULL;
    }
    PyObject *one = state->ones[letter - AO_TYPECODE_LETTERS];
    return state->knows_arrays ? unfilled(state, (const array_object *)one, count) : PySequence_Repeat(one, (Py_ssize_t)count);
}

int array_cut(const module_state *state, PyObject *array, size_t count)
{
    array_object *a = (array_object *)array;
    if ((size_t)Py_SIZE(array) == count) {
        return 0;
    }
    if (!state->knows_arrays) {
        return PySequence_DelSlice(array, (Py_ssize_t)count, Py_SIZE(array));
    }
    char *items = NULL;
    if (!count) {
        PyMem_Free(a->items);
    } else {
        items = PyMem_Realloc(a->items, count * (size_t)a->row->itemsize);
        items = items ? items : a->items; /* it could not be made smaller */
    }
    a->items = items;
    a->allocated = (Py_ssize_t)count;
    Py_SET_SIZE(a, (Py_ssize_t)count);
    return 0;
}

/* know_arrays(flag) -> what was known before. False has everything go by the buffer protocol: for tests. */
PyObject *py_know_arrays(PyObject *module, PyObject *flag)
{
    module_state *state = state_of(module);
    int before = state->knows_arrays;
    state->knows_arrays = PyObject_IsTrue(flag) && know_arrays(state);
    return PyBool_FromLong(before);
}

/* buffer_info(object) -> (typecode, machine type, length, whether the elements are side by side as the machine has them) */
PyObject *py_buffer_info(PyObject *module, PyObject *object)
{
    ao_array array;
    if (array_take(state_of(module), object, &array) < 0) {
        return NULL;
    }
    PyObject *result = Py_BuildValue("C s n O", array.typecode, ao_type_names[array.type], (Py_ssize_t)array.count,
                                     array.spacing.stride || array.copy ? Py_False : Py_True);
    array_release(&array);
    return result;
}

/* copy_array(buffer) -> array.array of its elements */
PyObject *py_copy_array(PyObject *module, PyObject *object)
{
    module_state *state = state_of(module);
    ao_array from, to;
    array_none(&to);
    if (array_take(state, object, &from) < 0) {
        return NULL;
    }
    PyObject *result = array_new(state, from.typecode, from.count);
    int failed = !result || array_take_out(state, result, &to) < 0;
    if (!failed) {
        watched w;
        ao_copy_in(to.data, from.data, from.spacing, ao_type_sizes[from.type], from.count, watch_begin(&w, from.count));
        failed = watch_end(&w);
    }
    array_release(&to);
    array_release(&from);
    if (failed) {
        Py_CLEAR(result);
    }
    return result;
}

/* new_array(typecode, length) -> array.array, to be filled */
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
