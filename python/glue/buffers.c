/* Taking, checking and releasing the buffers of a call.
 *
 * A buffer is held from before the first element is read until the call is over, so an exporter cannot resize or free it
 * meanwhile: array.array and bytearray raise BufferError instead. Types come from the format's letter and the item size
 * together, never from the letter alone. Nothing here looks at elements.
 */
#include "buffers.h"
#include "watch.h"

#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

/* The machine type of such an element of so many bytes, or -1. */
static int type_of_size(const ao_typecode *row, Py_ssize_t size)
{
    if (!row || !row->taken || size < 1 || size > 8) {
        return -1;
    }
    return row->form ? size == row->size ? ao_form_types[row->form] : -1 : ao_types_by_size[row->kind][size];
}

/* What to do about elements that are no numbers of ours, by their format as struct and NumPy spell it. Strings of NumPy have
 * their length before the letter, the characters of array.array, ctypes and memoryview have none. */
static const char *format_remedy(const char *format, Py_ssize_t size)
{
    static const char strings[] = ": convert the strings with .astype('float64')";
    static const struct {
        char letter;
        const char *text;
    } rows[] = {
        {'O', ": convert the objects with .astype('float64')"}, {'T', ": take one of the fields"},
        {'Z', ": take .real and .imag"},                        {'g', ": convert it with .astype('float64')"},
        {'w', strings},                                         {'s', strings},
    };
    const char *first = format + strspn(format, "<>=!@|^"), *letter = first + strspn(first, "0123456789");
    if (letter == first && *letter && strchr("uwc", *letter)) {
        return size == 4   ? ": ao.view(array, 'I') gives the characters' code points"
               : size == 2 ? ": ao.view(array, 'H') gives the characters' code units"
                           : ": ao.view(array, 'B') gives the characters' bytes";
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].letter == *letter) {
            return rows[i].text;
        }
    }
    return "";
}

/* struct's n and N, sizes and indices: ints of this machine's size, of which no array is made by these letters. */
static const ao_typecode *row_of_sizes(const char *format)
{
    const int wide = sizeof(Py_ssize_t) == 8;
    format += *format == '@';
    return strcmp(format, "n") == 0   ? typecode_row(wide ? 'q' : 'i')
           : strcmp(format, "N") == 0 ? typecode_row(wide ? 'Q' : 'I')
                                      : NULL;
}

int format_parse(const char *format, Py_ssize_t size, ao_array *array)
{
    ao_format read;
    if (!format_read(format, &read)) {
        read.row = row_of_sizes(format);
    }
    const Py_ssize_t bytes = size || !read.row ? size : read.standard ? read.row->standard_size : read.row->size;
    const int type = type_of_size(read.row, bytes);
    if (type < 0) {
        char sized[32] = "";
        if (size) {
            PyOS_snprintf(sized, sizeof sized, " (%zd bytes)", size);
        }
        PyErr_Format(PyExc_TypeError, "format '%s'%s is not supported; formats are" AO_TYPECODES_TEXT
                     ", with < or > before it for a byte order%s", format, sized, format_remedy(format, size));
        return -1;
    }
    array->type = (enum ao_type)type;
    array->typecode = typecode_of(array->type, read.row->letter);
    array->spacing = (ao_spacing){0, read.swapped && bytes > 1, read.row->form};
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
        PyErr_Format(PyExc_BufferError, "a buffer of 1 dimension is needed, this one has %d%s", view->ndim,
                     view->ndim ? ": take a row or a column, or .ravel() for all of a NumPy array" : "");
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
    const int raw = !step && array->spacing.form; /* the copy stays in that form, by which its type is known */
    const size_t size = raw ? array_size(array) : ao_type_sizes[array->type], count = array->count;
    const ao_spacing spacing = array->spacing;
    char *copy = array->copy = count > PY_SSIZE_T_MAX / size ? NULL : PyMem_RawMalloc(count ? count * size : 1);
    if (!copy) {
        PyErr_NoMemory();
        return -1;
    }
    watched w;
    ao_watch *watch = watch_begin(&w, count);
    for (size_t i = 0, end; i < count && !watch->stopped; i = end) {
        end = ao_watch_part(i, count);
        ao_gather(copy + i * size, ao_along(array->data, i, step),
                  (ao_spacing){step, raw ? 0 : spacing.swapped, raw ? AO_AS_IS : spacing.form}, size, end - i);
        ao_watch_done(watch, end - i);
    }
    if (watch_end(&w) < 0) {
        return -1;
    }
    array->data = copy;
    array->spacing = raw ? (ao_spacing){(ptrdiff_t)size, spacing.swapped, spacing.form} : (ao_spacing){0, 0, AO_AS_IS};
    return 0;
}

/* Whether kernels can use the buffer in place; if not, how it is to be gathered. */
static int find_spacing(ao_array *array)
{
    const Py_buffer *view = &array->view;
    const ptrdiff_t stride = view->strides && array->count > 1 ? view->strides[0] : view->itemsize;
    /* sizes are powers of two, but of forms; the address of nothing may be any */
    const uintptr_t odd = array->count ? (uintptr_t)view->buf & (uintptr_t)(view->itemsize - 1) : 0;
    if (stride == 0) { /* the same element again and again: a copy, as a stride of 0 means another thing to the machine */
        return copy_from(array, 0);
    }
    array->spacing.stride = stride != view->itemsize || odd || array->spacing.swapped || array->spacing.form ? stride : 0;
    return 0;
}

static int take_array(const module_state *state, PyObject *object, ao_array *array)
{
    array_look look;
    if (!array_look_at(state, object, &look)) {
        return 0;
    }
    ((array_object *)object)->exports++;
    array->array = Py_NewRef(object);
    array->type = look.type;
    array->typecode = look.typecode;
    array->count = look.count;
    array->data = look.data;
    array->spacing = (ao_spacing){0, 0, AO_AS_IS};
    array->copy = NULL;
    array->held = 1;
    return 1;
}

/* Exporters count the buffers that they have given out. Not all of them do so safely without the GIL (in CPython 3.13
 * neither array.array nor bytearray nor memoryview does), so that calls of ours at least wait for each other. Our own views
 * and NumPy's arrays lock themselves, and are not guarded: a lock that is taken twice costs CPython 3.13 40 turns of the
 * scheduler, 18 us where nothing else runs. */
#ifdef Py_GIL_DISABLED
static int locks_itself(const module_state *state, PyObject *object)
{
    for (const PyTypeObject *type = Py_TYPE(object); type; type = type->tp_base) {
        if (type == state->view_type || strcmp(type->tp_name, "numpy.ndarray") == 0) {
            return 1;
        }
    }
    return 0;
}
#else
static int locks_itself(const module_state *state, PyObject *object)
{
    (void)state, (void)object;
    return 1; /* by the GIL */
}
#endif

static int get_buffer(PyObject *object, ao_array *array)
{
    int status;
    if (!array->guarded) {
        return PyObject_GetBuffer(object, &array->view, PyBUF_FULL_RO);
    }
    Py_BEGIN_CRITICAL_SECTION(object);
    status = PyObject_GetBuffer(object, &array->view, PyBUF_FULL_RO);
    Py_END_CRITICAL_SECTION();
    return status;
}

static void release_buffer(ao_array *array)
{
    Py_buffer *view = &array->view;
    if (!array->guarded) {
        PyBuffer_Release(view);
        return;
    }
    PyObject *object = Py_XNewRef(view->obj); /* the critical section ends after the view's own reference is gone */
    if (object) {
        Py_BEGIN_CRITICAL_SECTION(object);
        PyBuffer_Release(view);
        Py_END_CRITICAL_SECTION();
        Py_DECREF(object);
    }
}

/* An instance of numpy.ma.MaskedArray, whose buffer has no mask. Types written in C, such as ndarray, are none. */
int is_masked_array(const module_state *state, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) || type == (PyTypeObject *)state->array_type || type == state->view_type) {
        return 0;
    }
    PyObject *name = PyUnicode_FromString("numpy.ma"), *module = name ? PyImport_GetModule(name) : NULL;
    PyObject *masked = module ? PyObject_GetAttrString(module, "MaskedArray") : NULL;
    const int found = masked && PyType_Check(masked) && PyType_IsSubtype(type, (PyTypeObject *)masked);
    if (!masked) {
        PyErr_Clear(); /* nobody has imported it */
    }
    Py_XDECREF(masked);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return found;
}

int has_attribute(PyObject *object, const char *name)
{
    PyObject *interned = PyUnicode_InternFromString(name);
    const int found = interned && PyObject_HasAttr(object, interned);
    Py_XDECREF(interned);
    PyErr_Clear();
    return found;
}

int refuse_masked_array(const module_state *state, PyObject *object)
{
    if (!is_masked_array(state, object)) {
        return 0;
    }
    PyErr_SetString(PyExc_TypeError, "the mask of a masked array cannot be seen here: give its .data, or fill it with "
                                     ".filled(number)");
    return -1;
}

/* NumPy's moments and lengths of time give the bytes that they are of, which nobody means. */
static int is_a_time(PyObject *object)
{
    const char *name = Py_TYPE(object)->tp_name;
    return strcmp(name, "numpy.datetime64") == 0 || strcmp(name, "numpy.timedelta64") == 0;
}

/* An array of times gives no buffer, which NumPy calls a ValueError: says what to do instead. */
static void say_times(PyObject *object)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *dtype = PyObject_GetAttrString(object, "dtype");
    PyObject *text = dtype ? PyObject_Str(dtype) : NULL;
    const char *name = text ? PyUnicode_AsUTF8(text) : NULL;
    name = name && strchr("<>", *name) ? name + 1 : name; /* of another byte order: '>M8[s]' */
    if (name && (strncmp(name, "datetime64", 10) == 0 || strncmp(name, "timedelta64", 11) == 0 || strncmp(name, "M8", 2) == 0
                 || strncmp(name, "m8", 2) == 0)) {
        PyErr_Format(PyExc_TypeError, "this array is one of %s: ao.view(array, '%s') gives its ints", name, name);
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
    } else {
        PyErr_Clear();
        PyErr_Restore(type, value, traceback);
    }
    Py_XDECREF(text);
    Py_XDECREF(dtype);
}

/* Where addresses are shorter than elements, those of a range go to memory of their own. */
static int copy_range(uint64_t first, uint64_t step, ao_array *array)
{
    int64_t *copy = array->count > PY_SSIZE_T_MAX / sizeof *copy ? NULL : PyMem_RawMalloc(array->count * sizeof *copy);
    if (!copy) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < array->count; i++) {
        copy[i] = (int64_t)(first + i * step);
    }
    array->data = array->copy = copy;
    array->spacing = (ao_spacing){0, 0, AO_AS_IS};
    return 0;
}

/* Element i of a range. 0, or -1 with an exception. */
static int range_element(PyObject *range, Py_ssize_t i, uint64_t *element)
{
    PyObject *number = PySequence_GetItem(range, i);
    *element = number ? (uint64_t)PyLong_AsLongLong(number) : 0;
    Py_XDECREF(number);
    return PyErr_Occurred() ? -1 : 0;
}

/* A range is read like elements that are so far apart, but that nothing is in memory: vm.h. */
static int take_range(PyObject *range, ao_array *array)
{
    const Py_ssize_t count = PyObject_Size(range);
    uint64_t first = 0, second = 1, last;
    if (count < 0 || (count > 0 && (range_element(range, 0, &first) < 0 || range_element(range, count - 1, &last) < 0))
        || (count > 1 && range_element(range, 1, &second) < 0)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Format(PyExc_OverflowError, "the elements of a range, and their number, must fit 64 bits: not so those of %R",
                         range);
        }
        return -1;
    }
    memset(array, 0, sizeof *array);
    array->view.readonly = 1;
    array->type = AO_TYPE_i64;
    array->typecode = 'q';
    array->count = (size_t)count;
    array->data = (void *)(uintptr_t)first;
    array->spacing = (ao_spacing){count > 1 ? (ptrdiff_t)(second - first) : 1, 0, AO_RANGE};
    return sizeof(void *) < sizeof first && count ? copy_range(first, second - first, array) : 0;
}

int array_take(const module_state *state, PyObject *object, ao_array *array)
{
    if (PyRange_Check(object)) {
        return take_range(object, array);
    }
    if (state->knows_arrays && take_array(state, object, array)) {
        return 0;
    }
    memset(array, 0, sizeof *array);
    if (!PyObject_CheckBuffer(object) || is_a_time(object)) {
        const int has_values = PyList_Check(object) || PyTuple_Check(object) || PyAnySet_Check(object) || PyIter_Check(object);
        const int has_array = !has_values && has_attribute((PyObject *)Py_TYPE(object), "__array__");
        const char *remedy = has_values ? ": array('d', values) makes one of numbers"
                             : has_array ? ": numpy.asarray() makes one of it" : "";
        PyErr_Format(PyExc_TypeError, "a buffer of numbers is needed (array.array, bytes, memoryview, ...), not %.200s%s",
                     Py_TYPE(object)->tp_name, remedy);
        return -1;
    }
    if (refuse_masked_array(state, object) < 0) {
        return -1;
    }
    array->guarded = !locks_itself(state, object);
    if (get_buffer(object, array) < 0) {
        if (PyErr_ExceptionMatches(PyExc_ValueError)) {
            say_times(object);
        }
        return -1;
    }
    array->held = 1;
    const char *format = array->view.format ? array->view.format : "B";
    if (check_shape(&array->view) < 0 || format_parse(format, array->view.itemsize, array) < 0) {
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
    const ptrdiff_t stride = array->spacing.stride;
    if (!stride || array->copy) {
        return array->copy != NULL;
    }
    const ptrdiff_t size = (ptrdiff_t)array_size(array);
    return stride > -size && stride < size;
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

void array_let_go(ao_array *array)
{
    if (array->copy) {
        PyMem_RawFree(array->copy);
        array->copy = NULL;
    }
    if (array->held && array->array) {
        ((array_object *)array->array)->exports--;
        Py_CLEAR(array->array);
    } else if (array->held) {
        release_buffer(array);
    }
    array->held = 0;
}

int array_make_private(ao_array *array)
{
    return copy_from(array, array_step(array));
}

const void *array_spaced_element(const ao_array *array, size_t i, void *local)
{
    ao_gather(local, ao_along(array->data, i, array->spacing.stride), array->spacing, ao_type_sizes[array->type], 1);
    return local;
}

void array_store(const ao_array *array, size_t i, const void *local)
{
    const size_t size = ao_type_sizes[array->type];
    const ptrdiff_t step = array_step(array);
    const ao_spacing spacing = {step, array->spacing.swapped, array->spacing.form};
    ao_scatter((char *)array->data + (ptrdiff_t)i * step, spacing, local, size, 1);
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
    *high = (first < last ? last : first) + array_size(array);
}

/* Two fields of the same records. */
static int are_fields(const ao_array *a, const ao_array *b)
{
    const ptrdiff_t step = array_step(a), record = step < 0 ? -step : step;
    const ptrdiff_t apart = (((char *)b->data - (char *)a->data) % record + record) % record;
    return step == array_step(b) && apart >= (ptrdiff_t)array_size(a) && apart + (ptrdiff_t)array_size(b) <= record;
}

int array_overlaps(const ao_array *a, const ao_array *b)
{
    const char *low, *high, *other_low, *other_high;
    if (!a->count || !b->count) {
        return 0;
    }
    if (!(a->spacing.stride | b->spacing.stride)) {
        low = a->data, other_low = b->data;
        return low < other_low + b->count * ao_type_sizes[b->type] && other_low < low + a->count * ao_type_sizes[a->type];
    }
    extent(a, &low, &high);
    extent(b, &other_low, &other_high);
    return low < other_high && other_low < high && !are_fields(a, b);
}

int array_separate(ao_array *inputs, size_t number, const ao_array *out, int *same)
{
    for (size_t i = 0; i < number; i++) {
        ao_array *in = &inputs[i];
        if (!in->held || !array_overlaps(in, out)) {
            continue;
        }
        if (in->data == out->data && array_step(in) == array_step(out) && array_size(in) == array_size(out)) {
            *same = 1;
        } else if (array_make_private(in) < 0) {
            return -1;
        }
    }
    return 0;
}

/* -- array.array --------------------------------------------------------------------------------------------------- */

#ifdef Py_GIL_DISABLED
static int know_arrays(const module_state *state)
{
    (void)state;
    return 0; /* the fields are guarded by locks there */
}
#else
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
    for (size_t i = 0; i < AO_TYPECODES; i++) {
        if (!state->ones[i]) {
            continue;
        }
        PyObject *two = PySequence_Repeat(state->ones[i], 2);
        int good = two && has_fields(two, ao_typecodes[i].letter);
        Py_XDECREF(two);
        if (!good) {
            PyErr_Clear();
            return 0;
        }
    }
    return 1;
}
#endif

int buffers_prepare(module_state *state)
{
    PyObject *module = PyImport_ImportModule("array");
    state->array_type = module ? PyObject_GetAttrString(module, "array") : NULL;
    Py_XDECREF(module);
    for (size_t i = 0; state->array_type && i < AO_TYPECODES; i++) {
        const ao_typecode *row = &ao_typecodes[i];
        if (row->given != AO_AS_ARRAY) {
            continue;
        }
        state->ones[i] = PyObject_CallFunction(state->array_type, "s[i]", row->text, 0);
        if (!state->ones[i]) {
            return -1;
        }
        state->array_types[(int)row->letter] = (int8_t)(typecode_type(row) + 1);
    }
    if (!state->array_type) {
        return -1;
    }
    state->knows_arrays = know_arrays(state);
    return 0;
}

/* Bytes from which large pages are asked for: 1e7 new doubles took 4 ns each, then 1.5. */
enum { LARGE = 1 << 22, SMALL_PAGE = 4096 };

void *with_large_pages(void *memory, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    if (memory && bytes >= LARGE) {
        const uintptr_t first = ((uintptr_t)memory + SMALL_PAGE - 1) / SMALL_PAGE * SMALL_PAGE;
        const size_t whole = ((uintptr_t)memory + bytes - first) / SMALL_PAGE * SMALL_PAGE;
        madvise((void *)first, whole, MADV_HUGEPAGE); /* only advice */
    }
#else
    (void)bytes;
#endif
    return memory;
}

static PyObject *unfilled(const module_state *state, const array_object *like, size_t count)
{
    size_t size = (size_t)like->row->itemsize;
    if (count > PY_SSIZE_T_MAX / size) {
        return PyErr_NoMemory();
    }
    PyTypeObject *type = (PyTypeObject *)state->array_type;
    char *items = count ? with_large_pages(PyMem_Malloc(count * size), count * size) : NULL;
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

const ao_typecode *typecode_from(PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "a typecode is a text such as 'd', not %.200s", Py_TYPE(name)->tp_name);
        return NULL;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    ao_format read;
    if (!text || strlen(text) != (size_t)length || !format_read(text, &read) || read.row->given == AO_NOT_GIVEN) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "bad typecode %R: must be one of" AO_TYPECODES_TEXT
                     ", or a name such as 'int32' or 'float64'", name);
        return NULL;
    }
    if (read.swapped && read.row->size > 1) {
        PyErr_Format(PyExc_ValueError, "bad typecode %R: results are in this machine's byte order; for the other one pass "
                     "out=ao.view(bytearray(size), format)", name);
        return NULL;
    }
    if (!read.standard || read.row->form) {
        return read.row;
    }
    const enum ao_type type = (enum ao_type)ao_types_by_size[read.row->kind][read.row->standard_size];
    return typecode_row(typecode_of(type, read.row->letter));
}

PyObject *array_new(const module_state *state, char typecode, size_t count)
{
    const unsigned place = ao_typecode_places[typecode & 127];
    if (!place || ao_typecodes[place - 1].given == AO_NOT_GIVEN) {
        return PyErr_Format(PyExc_SystemError, "a new array of no typecode");
    }
    PyObject *one = state->ones[place - 1];
    if (!one) {
        return state->view_new((void *)(uintptr_t)state, typecode, count);
    }
    return state->knows_arrays ? unfilled(state, (const array_object *)one, count) : PySequence_Repeat(one, (Py_ssize_t)count);
}

PyObject *array_scratch(const module_state *state, char typecode)
{
    const ao_typecode *row = typecode_row(typecode);
    if (row && row->given == AO_AS_VIEW) {
        const enum ao_type type = typecode_type(row);
        typecode = typecode_of(type == AO_TYPE_b1 ? AO_TYPE_u8 : type, 0);
    }
    return array_new(state, typecode, 1);
}

PyObject *array_new_out(const module_state *state, char typecode, size_t count, ao_array *array)
{
    array_none(array);
    PyObject *result = array_new(state, typecode, count);
    if (result && Py_IS_TYPE(result, (PyTypeObject *)state->array_type) && state->knows_arrays) {
        (void)take_array(state, result, array); /* it can be written, and its elements lie side by side */
    } else if (result && array_take_out(state, result, array) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

int array_cut(const module_state *state, PyObject *array, size_t count)
{
    if (Py_IS_TYPE(array, state->view_type)) {
        return state->view_cut(array, count);
    }
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
static PyObject *py_know_arrays(PyObject *module, PyObject *flag)
{
    module_state *state = state_of(module);
    int before = state->knows_arrays;
    state->knows_arrays = PyObject_IsTrue(flag) && know_arrays(state);
    return PyBool_FromLong(before);
}

/* buffer_info(object) -> (typecode, type that programs are compiled for, length, whether the elements are side by side as the
 * machine has them) */
static PyObject *py_buffer_info(PyObject *module, PyObject *object)
{
    ao_array array;
    if (array_take(state_of(module), object, &array) < 0) {
        return NULL;
    }
    const char *text = typecode_row(array.typecode)->text;
    PyObject *result = Py_BuildValue("s s n O", text, ao_stored_names[array_stored(&array)], (Py_ssize_t)array.count,
                                     array.spacing.stride || array.copy ? Py_False : Py_True);
    array_release(&array);
    return result;
}

/* Copies the elements to one that array_new made of the same machine type. */
static int copy_elements(const ao_array *from, const ao_array *to)
{
    enum { AT_ONCE = 1024 };
    double local[AT_ONCE]; /* the widest type */
    watched w;
    ao_watch *watch = watch_begin(&w, from->count);
    const ptrdiff_t step = array_step(to);
    const size_t size = ao_type_sizes[from->type];
    for (size_t i = 0, n; to->spacing.form && i < from->count && !watch->stopped; i += n) {
        n = from->count - i < AT_ONCE ? from->count - i : AT_ONCE;
        ao_copy_in(local, ao_along(from->data, i, array_step(from)), from->spacing, size, n, watch);
        ao_scatter((char *)to->data + (ptrdiff_t)i * step, to->spacing, local, size, n);
    }
    if (!to->spacing.form) {
        ao_copy_in(to->data, from->data, from->spacing, size, from->count, watch);
    }
    return watch_end(&w);
}

static PyObject *copied(module_state *state, PyObject *object, int plain)
{
    ao_array from, to;
    if (array_take(state, object, &from) < 0) {
        return NULL;
    }
    const int viewed = typecode_row(from.typecode)->given == AO_AS_VIEW;
    const char letter = plain && viewed ? typecode_of(array_number_type(&from), 0) : from.typecode;
    PyObject *result = array_new_out(state, letter, from.count, &to);
    if (result && copy_elements(&from, &to) < 0) {
        Py_CLEAR(result);
    }
    array_release(&to);
    array_release(&from);
    return result;
}

/* copy_array(buffer) -> array.array of its elements, or a View where array has no such type */
static PyObject *py_copy_array(PyObject *module, PyObject *object)
{
    return copied(state_of(module), object, 0);
}

/* plain_array(buffer) -> array.array of its elements as the machine has them: 0 and 1 for truth values */
static PyObject *py_plain_array(PyObject *module, PyObject *object)
{
    return copied(state_of(module), object, 1);
}

/* new_array(typecode, length) -> array.array or View, to be filled */
static PyObject *py_new_array(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 2, "new_array(typecode, length)")) {
        return NULL;
    }
    const ao_typecode *row = typecode_from(args[0]);
    const Py_ssize_t count = row ? PyLong_AsSsize_t(args[1]) : -1;
    if (count < 0) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "new_array(): the length is negative");
    }
    return array_new(state_of(module), row->letter, (size_t)count);
}

/* typecode(name) -> the name that TYPECODES has for it; ValueError if no results can be given out in it */
static PyObject *py_typecode(PyObject *module, PyObject *object)
{
    (void)module;
    const ao_typecode *row = typecode_from(object);
    return row ? PyUnicode_FromString(row->text) : NULL;
}

/* format(name) -> (typecode, whether in the other byte order); TypeError if such buffers are not taken in */
static PyObject *py_format(PyObject *module, PyObject *object)
{
    (void)module;
    ao_array element;
    const char *text = PyUnicode_Check(object) ? PyUnicode_AsUTF8(object) : NULL;
    if (!text || format_parse(text, 0, &element) < 0) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "a format is a text such as '>h'");
    }
    return Py_BuildValue("s O", typecode_row(element.typecode)->text, element.spacing.swapped ? Py_True : Py_False);
}

PyMethodDef buffers_methods[] = {
    ONE_ARGUMENT("buffer_info", py_buffer_info),
    ONE_ARGUMENT("copy_array", py_copy_array),
    ONE_ARGUMENT("plain_array", py_plain_array),
    FAST_FUNCTION("new_array", py_new_array),
    ONE_ARGUMENT("typecode", py_typecode),
    ONE_ARGUMENT("format", py_format),
    ONE_ARGUMENT("know_arrays", py_know_arrays),
    END_OF_FUNCTIONS,
};
