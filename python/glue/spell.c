/* Numbers as text: the machine writes what it can (vm/text/spell.h), Python's own function the other doubles. */
#include "spell.h"
#include "watch.h"
#include "../../vm/text/spell.h"

#include <string.h>

enum { LEAST = 1 << 10, LOOK = 1 << 14 };

void *spelled_room(spelled *s, size_t n)
{
    if (n > s->room - s->length) {
        size_t room = s->room ? s->room : LEAST;
        while (room - s->length < n) {
            room *= 2;
        }
        char *bytes = PyMem_RawRealloc(s->bytes, room);
        if (!bytes) {
            PyErr_NoMemory();
            return NULL;
        }
        s->bytes = bytes;
        s->room = room;
    }
    return s->bytes + s->length;
}

int spelled_add(spelled *s, const void *bytes, size_t n)
{
    void *to = spelled_room(s, n);
    if (!to) {
        return -1;
    }
    memcpy(to, bytes, n);
    s->length += n;
    return 0;
}

void spelled_drop(spelled *s)
{
    PyMem_RawFree(s->bytes);
    *s = (spelled){0};
}

PyObject *spelled_bytes(spelled *s)
{
    PyObject *bytes = PyBytes_FromStringAndSize(s->bytes, (Py_ssize_t)s->length);
    spelled_drop(s);
    return bytes;
}

static int add_double(spelled *s, double x, int decimals)
{
    char *to = spelled_room(s, AO_SPELLED_BYTES);
    const size_t n = to && decimals < 0 ? ao_spell_double(x, to) : 0;
    if (n || !to) {
        s->length += n;
        return to ? 0 : -1;
    }
    char *text = decimals < 0 ? PyOS_double_to_string(x, 'r', 0, Py_DTSF_ADD_DOT_0, NULL)
                              : PyOS_double_to_string(x, 'f', decimals, 0, NULL);
    const int failed = !text || spelled_add(s, text, strlen(text)) < 0;
    PyMem_Free(text);
    return failed ? -1 : 0;
}

int spelled_element(spelled *s, const ao_array *array, size_t i, int decimals)
{
    char local[8];
    const void *element = array_element(array, i, local);
    char *to = spelled_room(s, AO_SPELLED_BYTES);
    if (!to) {
        return -1;
    }
#define SPELL_SIGNED(T, none)                                                                          \
    case AO_TYPE_##T: {                                                                                \
        ao_##T x;                                                                                      \
        memcpy(&x, element, sizeof x);                                                                 \
        s->length += ao_spell_int(x < 0, x < 0 ? 0 - (uint64_t)x : (uint64_t)x, to);                   \
        return 0;                                                                                      \
    }
#define SPELL_UNSIGNED(T, none)                                                                        \
    case AO_TYPE_##T: {                                                                                \
        ao_##T x;                                                                                      \
        memcpy(&x, element, sizeof x);                                                                 \
        s->length += ao_spell_int(0, (uint64_t)x, to);                                                 \
        return 0;                                                                                      \
    }
    switch (array->type) {
        SPELL_SIGNED(i8, ) SPELL_SIGNED(i16, ) SPELL_SIGNED(i32, ) SPELL_SIGNED(i64, )
        SPELL_UNSIGNED(u8, ) SPELL_UNSIGNED(u16, ) SPELL_UNSIGNED(u32, ) SPELL_UNSIGNED(u64, ) SPELL_UNSIGNED(b1, )
    case AO_TYPE_f32: {
        float x;
        memcpy(&x, element, sizeof x);
        return add_double(s, (double)x, decimals);
    }
    default: {
        double x;
        memcpy(&x, element, sizeof x);
        return add_double(s, x, decimals);
    }
    }
}

/* spell_lines(buffer, decimals) -> bytes: a line for every element */
static PyObject *py_spell_lines(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    ao_array a;
    spelled s = {0};
    if (!has_args(nargs, 2, "spell_lines(buffer, decimals)")) {
        return NULL;
    }
    const int decimals = (int)PyLong_AsLong(args[1]);
    if (PyErr_Occurred() || array_take(state_of(module), args[0], &a) < 0) {
        return NULL;
    }
    int failed = 0;
    for (size_t i = 0; i < a.count && !failed; i++) {
        failed = spelled_element(&s, &a, i, decimals) < 0 || spelled_add(&s, "\n", 1) < 0
                 || (i % LOOK == LOOK - 1 && watch_breathe() < 0);
    }
    array_release(&a);
    if (failed) {
        spelled_drop(&s);
        return NULL;
    }
    return spelled_bytes(&s);
}

PyMethodDef spell_methods[] = {
    FAST_FUNCTION("spell_lines", py_spell_lines),
    END_OF_FUNCTIONS,
};
