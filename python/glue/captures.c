/* Objects that a function captures: its globals, cells and defaults, and the attributes of modules that it reads.
 *
 * A slot says where an object is found: (kind, key, owner, type), the owner being the called function itself if it is
 * None. The type is None for Python's own numbers, else the exact type of the NumPy scalar that was found.
 * capture() runs at every call of a compiled function, so it looks at nothing but dictionaries and tuples of exact types
 * and never runs Python code; whatever looks different from what the decoder saw counts as missing.
 */
#include "captures.h"
#include "numbers.h"

/* The order is that of SLOT_KINDS, by which compiler/decode.py names them. */
enum { GLOBAL, CELL, DEFAULT, KEYWORD_DEFAULT, ATTRIBUTE, CODE, PARTIAL_ARGUMENT, PARTIAL_KEYWORD, PARTIAL_FUNCTION };
static const char *const kinds[] = {
    "global", "cell", "default", "kwdefault", "attribute", "code", "partial", "keyword", "function",
};

PyObject *make_slot_kinds(void)
{
    Py_ssize_t count = sizeof kinds / sizeof *kinds;
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyObject *name = PyUnicode_FromString(kinds[i]);
        if (!name) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, name);
    }
    return tuple;
}

/* -- finding: a new reference, or NULL without an exception where there is nothing ---------------------------------- */

static PyObject *in_dict(PyObject *dict, PyObject *key)
{
    if (!dict || !PyDict_CheckExact(dict) || !PyUnicode_CheckExact(key)) {
        return NULL;
    }
    PyObject *found;
    if (PyDict_GetItemRef(dict, key, &found) < 0) {
        PyErr_Clear();
    }
    return found;
}

/* The item at an index, which counts from the end if it is negative. */
static PyObject *in_tuple(PyObject *tuple, PyObject *key)
{
    if (!tuple || !PyTuple_CheckExact(tuple)) {
        return NULL;
    }
    Py_ssize_t size = PyTuple_GET_SIZE(tuple), index = PyLong_AsSsize_t(key);
    index += index < 0 ? size : 0;
    return index >= 0 && index < size ? Py_NewRef(PyTuple_GET_ITEM(tuple, index)) : NULL;
}

static PyObject *in_function(PyObject *function, long kind, PyObject *key)
{
    if (!PyFunction_Check(function)) {
        return NULL;
    }
    PyObject *found = NULL, *held;
    switch (kind) {
    case GLOBAL: {
        PyObject *globals = PyFunction_GET_GLOBALS(function);
        found = in_dict(globals, key);
        /* a subclass of dict may have a __missing__, which only Python's own look-up runs */
        return found || !PyDict_CheckExact(globals) ? found : in_dict(((PyFunctionObject *)function)->func_builtins, key);
    }
    case CELL:
        held = in_tuple(PyFunction_GET_CLOSURE(function), key);
        found = held && PyCell_Check(held) ? PyCell_Get(held) : NULL;
        Py_XDECREF(held);
        return found;
    /* Whoever sets a function's defaults frees the old ones, which without the GIL may be now: they are held while they are
     * looked at. CPython's own __defaults__ takes no lock, either. */
    case DEFAULT:
        held = Py_XNewRef(PyFunction_GET_DEFAULTS(function));
        found = in_tuple(held, key);
        Py_XDECREF(held);
        return found;
    case KEYWORD_DEFAULT:
        held = Py_XNewRef(PyFunction_GET_KW_DEFAULTS(function));
        found = in_dict(held, key);
        Py_XDECREF(held);
        return found;
    case CODE:
        return Py_NewRef(PyFunction_GET_CODE(function));
    default:
        return NULL;
    }
}

static PyObject *in_partial(PyObject *partial, long kind, PyObject *key)
{
    static const char *const members[] = {"args", "keywords", "func"};
    PyObject *member = PyObject_GetAttrString(partial, members[kind - PARTIAL_ARGUMENT]);
    if (!member) {
        PyErr_Clear();
        return NULL;
    }
    if (kind == PARTIAL_FUNCTION) {
        return member;
    }
    PyObject *found = kind == PARTIAL_ARGUMENT ? in_tuple(member, key) : in_dict(member, key);
    Py_DECREF(member);
    return found;
}

static PyObject *find(PyObject *function, PyObject *slot)
{
    long kind = PyLong_AsLong(PyTuple_GET_ITEM(slot, 0));
    PyObject *key = PyTuple_GET_ITEM(slot, 1), *owner = PyTuple_GET_ITEM(slot, 2);
    PyObject *of = owner == Py_None ? function : owner;
    if (kind == ATTRIBUTE) {
        return PyModule_CheckExact(of) ? in_dict(PyModule_GetDict(of), key) : NULL;
    }
    return kind >= PARTIAL_ARGUMENT ? in_partial(of, kind, key) : in_function(of, kind, key);
}

static int is_slot(PyObject *slot)
{
    return PyTuple_Check(slot) && PyTuple_GET_SIZE(slot) == 4 && PyLong_Check(PyTuple_GET_ITEM(slot, 0))
           && PyLong_AsLong(PyTuple_GET_ITEM(slot, 0)) >= 0 && PyLong_AsLong(PyTuple_GET_ITEM(slot, 0)) <= PARTIAL_FUNCTION;
}

/* find(function, slot) -> the object that is there now, or MISSING */
static PyObject *py_find(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2 || !is_slot(args[1])) {
        PyErr_SetString(PyExc_TypeError, "find(function, slot)");
        return NULL;
    }
    PyObject *found = find(args[0], args[1]);
    if (!found && PyErr_Occurred()) {
        return NULL;
    }
    return found ? found : Py_NewRef(state_of(module)->missing);
}

/* -- capturing ------------------------------------------------------------------------------------------------------ */

/* Whether each guard, a pair (slot, object), still finds its object. */
static int guards_hold(PyObject *missing, PyObject *function, PyObject *guards)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(guards); i++) {
        PyObject *guard = PyTuple_GET_ITEM(guards, i), *expected = PyTuple_GET_ITEM(guard, 1);
        PyObject *found = find(function, PyTuple_GET_ITEM(guard, 0));
        int same = (found ? found : missing) == expected;
        Py_XDECREF(found);
        if (!same) {
            return 0;
        }
    }
    return 1;
}

static int is_number(PyObject *found)
{
    return PyLong_CheckExact(found) || PyFloat_CheckExact(found) || PyBool_Check(found);
}

/* A NumPy scalar of the type that was found before, as the Python number that it holds. Ints from 2^53 are left out:
 * NumPy rounds them where it compares them with floats. */
static PyObject *unwrapped(PyObject *scalar, PyObject *type)
{
    if ((PyObject *)Py_TYPE(scalar) != type) {
        return NULL;
    }
    PyObject *item = attribute(scalar, "item"), *number = item ? PyObject_CallNoArgs(item) : NULL;
    Py_XDECREF(item);
    int overflow = 0;
    long long value = number && PyLong_CheckExact(number) ? PyLong_AsLongLongAndOverflow(number, &overflow) : 0;
    if (!number || !is_number(number) || overflow || value >= 1LL << 53 || value <= -(1LL << 53)) {
        PyErr_Clear();
        Py_CLEAR(number);
    }
    return number;
}

/* The number in a slot, or NULL without an exception. */
static PyObject *number_in(PyObject *function, PyObject *slot)
{
    PyObject *found = find(function, slot), *type = PyTuple_GET_ITEM(slot, 3);
    if (found && type != Py_None) {
        Py_SETREF(found, unwrapped(found, type));
    } else if (found && !is_number(found)) {
        Py_CLEAR(found);
    }
    return found;
}

int capture(module_state *state, PyObject *function, PyObject *guards, PyObject *slots, PyObject **numbers)
{
    if (!guards_hold(state->missing, function, guards)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(slots); i++) {
        numbers[i] = number_in(function, PyTuple_GET_ITEM(slots, i));
        if (!numbers[i]) {
            while (i-- > 0) {
                Py_DECREF(numbers[i]);
            }
            return 0;
        }
    }
    return 1;
}

int are_guards(PyObject *guards)
{
    int good = PyTuple_CheckExact(guards);
    for (Py_ssize_t i = 0; good && i < PyTuple_GET_SIZE(guards); i++) {
        PyObject *guard = PyTuple_GET_ITEM(guards, i);
        good = PyTuple_Check(guard) && PyTuple_GET_SIZE(guard) == 2 && is_slot(PyTuple_GET_ITEM(guard, 0));
    }
    return good;
}

int are_slots(PyObject *slots)
{
    int good = PyTuple_CheckExact(slots);
    for (Py_ssize_t i = 0; good && i < PyTuple_GET_SIZE(slots); i++) {
        good = is_slot(PyTuple_GET_ITEM(slots, i));
    }
    return good;
}

/* capture(function, guards, slots) -> tuple of the numbers in the slots; None if a guard does not hold or a slot has no
 * number */
static PyObject *py_capture(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 3 || !are_guards(args[1]) || !are_slots(args[2])) {
        PyErr_SetString(PyExc_TypeError, "capture(function, guards, slots)");
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(args[2]);
    PyObject **numbers = PyMem_New(PyObject *, (size_t)count + 1);
    if (!numbers) {
        return PyErr_NoMemory();
    }
    PyObject *result = NULL;
    if (!capture(state_of(module), args[0], args[1], args[2], numbers)) {
        result = Py_NewRef(Py_None);
    } else {
        result = PyTuple_New(count);
        for (Py_ssize_t i = 0; i < count; i++) {
            if (result) {
                PyTuple_SET_ITEM(result, i, numbers[i]);
            } else {
                Py_DECREF(numbers[i]);
            }
        }
    }
    PyMem_Free(numbers);
    return result;
}

PyMethodDef captures_methods[] = {
    FAST_FUNCTION("find", py_find),
    FAST_FUNCTION("capture", py_capture),
    END_OF_FUNCTIONS,
};
