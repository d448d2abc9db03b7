/* Elements as Python numbers and back.
 *
 * element_set has the meaning of array.array's item assignment, to the letter of its exceptions: the common cases are
 * done here, everything else (and every error) by array.array itself through a scratch array of one element.
 */
#include "numbers.h"

#include <string.h>

PyObject *element_get(enum ao_type type, const void *element)
{
#define GET(T, make, as)                 \
    case AO_TYPE_##T: {                  \
        ao_##T x;                        \
        memcpy(&x, element, sizeof x);   \
        return make((as)x);              \
    }
    switch (type) {
        GET(b1, PyBool_FromLong, long)
        GET(i8, PyLong_FromLong, long)
        GET(u8, PyLong_FromLong, long)
        GET(i16, PyLong_FromLong, long)
        GET(u16, PyLong_FromLong, long)
        GET(i32, PyLong_FromLong, long)
        GET(u32, PyLong_FromUnsignedLong, unsigned long)
        GET(i64, PyLong_FromLongLong, long long)
        GET(u64, PyLong_FromUnsignedLongLong, unsigned long long)
        GET(f32, PyFloat_FromDouble, double)
        GET(f64, PyFloat_FromDouble, double)
    default:
        PyErr_SetString(PyExc_SystemError, "element of no type");
        return NULL;
    }
#undef GET
}

/* Whether a signed 64-bit number is a value of the type; u64 apart. */
static int in_range(enum ao_type type, long long x)
{
    switch (type) {
    case AO_TYPE_b1: return x == 0 || x == 1;
    case AO_TYPE_i8: return x >= INT8_MIN && x <= INT8_MAX;
    case AO_TYPE_u8: return x >= 0 && x <= UINT8_MAX;
    case AO_TYPE_i16: return x >= INT16_MIN && x <= INT16_MAX;
    case AO_TYPE_u16: return x >= 0 && x <= UINT16_MAX;
    case AO_TYPE_i32: return x >= INT32_MIN && x <= INT32_MAX;
    case AO_TYPE_u32: return x >= 0 && x <= UINT32_MAX;
    case AO_TYPE_i64: return 1;
    case AO_TYPE_u64: return x >= 0;
    default: return 0;
    }
}

static void write_int(enum ao_type type, void *element, long long x)
{
#define PUT(T)                          \
    case AO_TYPE_##T: {                 \
        ao_##T y = (ao_##T)x;           \
        memcpy(element, &y, sizeof y);  \
        return;                         \
    }
    switch (type) {
        PUT(b1) PUT(i8) PUT(u8) PUT(i16) PUT(u16) PUT(i32) PUT(u32) PUT(i64) PUT(u64)
    default:
        return;
    }
#undef PUT
}

int element_set_plain(enum ao_type type, void *element, PyObject *value)
{
    if (type == AO_TYPE_f64 && PyFloat_CheckExact(value)) {
        double x = PyFloat_AS_DOUBLE(value);
        memcpy(element, &x, sizeof x);
        return 1;
    }
    if (type == AO_TYPE_f32 && PyFloat_CheckExact(value)) {
        float x = (float)PyFloat_AS_DOUBLE(value);
        memcpy(element, &x, sizeof x);
        return 1;
    }
    const int whole = PyLong_CheckExact(value) || PyBool_Check(value);
    if (type == AO_TYPE_f64 && whole) {
        const double x = PyLong_AsDouble(value);
        if (x == -1.0 && PyErr_Occurred()) {
            PyErr_Clear(); /* array.array has its own words for it */
            return 0;
        }
        memcpy(element, &x, sizeof x);
        return 1;
    }
    if (!is_float(type) && whole) {
        int overflow = 0;
        long long x = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (!overflow && in_range(type, x)) {
            write_int(type, element, x);
            return 1;
        }
    }
    return 0;
}

int element_set(enum ao_type type, void *element, PyObject *value, PyObject *scratch)
{
    if (element_set_plain(type, element, value)) {
        return 0;
    }
    if (PySequence_SetItem(scratch, 0, value) < 0) {
        return -1;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(scratch, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    memcpy(element, view.buf, ao_type_sizes[type]);
    PyBuffer_Release(&view);
    return 0;
}

static int set_half(double *element, PyObject *value, PyObject *scratch)
{
    double x;
    if (element_set(AO_TYPE_f64, &x, value, scratch) < 0) {
        return -1;
    }
    if (x == x && x - x == 0 && (x >= 65520 || x <= -65520)) {
        PyErr_SetString(PyExc_OverflowError, "float too large to pack with e format");
        return -1;
    }
    memcpy(element, &x, sizeof x);
    return 0;
}

/* low..high: what 24 bits hold. */
static int set_24(enum ao_type type, void *element, PyObject *value, long long low, long long high)
{
    PyObject *number = PyNumber_Index(value);
    if (!number) {
        return -1;
    }
    int overflow = 0;
    const long long x = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (overflow || x < low || x > high) {
        PyErr_Format(PyExc_OverflowError, "%s 24-bit integer is %s", low ? "signed" : "unsigned",
                     overflow > 0 || (!overflow && x > high) ? "greater than maximum" : "less than minimum");
        return -1;
    }
    write_int(type, element, x);
    return 0;
}

int element_set_form(enum ao_type type, unsigned form, void *element, PyObject *value, PyObject *scratch)
{
    switch (form) {
    case AO_TRUTH: {
        const int truth = PyObject_IsTrue(value);
        *(uint8_t *)element = truth > 0;
        return truth < 0 ? -1 : 0;
    }
    case AO_HALF: return set_half(element, value, scratch);
    case AO_INT24: return set_24(type, element, value, -(1 << 23), (1 << 23) - 1);
    case AO_UINT24: return set_24(type, element, value, 0, (1 << 24) - 1);
    default: return element_set(type, element, value, scratch);
    }
}

int number_to_value(enum ao_type type, PyObject *number, ao_value *value)
{
    if (is_float(type)) {
        if (!PyFloat_CheckExact(number)) {
            return 1;
        }
        value->f = PyFloat_AS_DOUBLE(number);
        return 0;
    }
    if (type == AO_TYPE_b1 ? !PyBool_Check(number) : !PyLong_CheckExact(number)) {
        return 1;
    }
    int overflow = 0;
    long long x = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (!overflow) {
        value->i = x;
        return in_range(type, x) ? 0 : 1;
    }
    if (type != AO_TYPE_u64 || overflow < 0) {
        return 1;
    }
    value->u = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 1;
    }
    return 0;
}

int number_is_big(PyObject *number)
{
    ao_value value;
    return PyLong_CheckExact(number) && number_to_value(AO_TYPE_i64, number, &value) != 0
           && number_to_value(AO_TYPE_u64, number, &value) != 0;
}

PyObject *value_to_number(enum ao_type type, ao_value value)
{
    switch (type) {
    case AO_TYPE_f32:
    case AO_TYPE_f64:
        return PyFloat_FromDouble(value.f);
    case AO_TYPE_b1:
        return PyBool_FromLong(value.u != 0);
    case AO_TYPE_u64:
        return PyLong_FromUnsignedLongLong(value.u);
    default:
        return PyLong_FromLongLong(value.i);
    }
}

void deferred_save(deferred_error *deferred)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (deferred->error) {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
        return;
    }
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback) {
        PyException_SetTraceback(value, traceback);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    deferred->error = value;
}

void deferred_drop(deferred_error *deferred)
{
    Py_CLEAR(deferred->error);
}

int deferred_raise(deferred_error *deferred)
{
    PyObject *error = deferred->error;
    if (!error) {
        return 0;
    }
    deferred->error = NULL;
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
    return -1;
}

/* What to write instead, where a new array of integers or half floats cannot hold a result; NULL if there is nothing to say. */
static const char *remedy(enum ao_type type, PyObject *value)
{
    if (is_float(type)) {
        return PyFloat_Check(value) ? "pass typecode='d'" : NULL; /* it is a half float, which has no place for a large one */
    }
    if (PyFloat_Check(value)) {
        return "pass typecode='d', or round(...)";
    }
    PyObject *index = PyIndex_Check(value) ? PyNumber_Index(value) : NULL;
    const char *words = NULL;
    ao_value any;
    if (index) {
        words = number_to_value(AO_TYPE_i64, index, &any) == 0   ? "pass typecode='q'"
                : number_to_value(AO_TYPE_u64, index, &any) == 0 ? "pass typecode='Q'"
                                                                 : "pass typecode='d'";
        Py_DECREF(index);
    }
    PyErr_Clear();
    return words;
}

void say_remedy(enum ao_type type, PyObject *value)
{
    PyObject *kind, *error, *traceback;
    PyErr_Fetch(&kind, &error, &traceback);
    PyErr_NormalizeException(&kind, &error, &traceback);
    const char *words = kind == PyExc_TypeError || kind == PyExc_OverflowError ? remedy(type, value) : NULL;
    PyObject *text = words ? PyObject_Str(error) : NULL;
    if (!text) {
        PyErr_Clear();
        PyErr_Restore(kind, error, traceback);
        return;
    }
    PyErr_Format(kind, "%U; %s", text, words);
    Py_DECREF(text);
    Py_XDECREF(kind);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
}

/* What PyUnicode_FromFormat makes of it is a note to the current exception. */
static void add_note(const char *format, size_t index)
{
    PyObject *kind, *error, *traceback;
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return; /* Ctrl-C is about no element */
    }
    PyErr_Fetch(&kind, &error, &traceback);
    PyErr_NormalizeException(&kind, &error, &traceback);
    PyObject *adding = attribute(error, "add_note"), *note = PyUnicode_FromFormat(format, index);
    PyObject *added = adding && note ? PyObject_CallOneArg(adding, note) : NULL;
    Py_XDECREF(added);
    Py_XDECREF(note);
    Py_XDECREF(adding);
    PyErr_Clear(); /* without memory there is no note */
    PyErr_Restore(kind, error, traceback);
}

void note_element(size_t index)
{
    add_note("element %zu", index);
}

int store_result(store_policy *policy, void *element, PyObject *value, size_t index)
{
    if (element_set_form(policy->type, policy->form, element, value, policy->scratch) == 0) {
        return 0;
    }
    if (!policy->defer) {
        note_element(index);
        return -1;
    }
    say_remedy(policy->type, value);
    if (!policy->deferred.error) {
        note_element(index);
        if (value == Py_None) {
            add_note("the function gives None for it: nulls= is for missing values", 0);
        }
    }
    deferred_save(&policy->deferred);
    return 1;
}

PyObject *attribute(PyObject *object, const char *name)
{
    PyObject *interned = PyUnicode_InternFromString(name), *found = interned ? PyObject_GetAttr(object, interned) : NULL;
    Py_XDECREF(interned);
    return found;
}

PyObject *int_of_bytes(const uint8_t *bytes, size_t size)
{
    return _PyLong_FromByteArray(bytes, size, 1, 1); /* what int.from_bytes() calls, which took ten times as long */
}

PyObject *int_of_halves(int64_t high, uint64_t low)
{
    uint8_t bytes[16];
    if (high == 0) {
        return PyLong_FromUnsignedLongLong(low);
    }
    if (high == -1 && low >> 63) {
        return PyLong_FromLongLong((long long)low);
    }
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(low >> 8 * i);
        bytes[8 + i] = (uint8_t)((uint64_t)high >> 8 * i);
    }
    return int_of_bytes(bytes, sizeof bytes);
}
