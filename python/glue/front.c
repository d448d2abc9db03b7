/* The fast way in: map, map_inplace, filter, sum, min, max and calls of kernels that need nothing from Python.
 *
 * The package defines each of these in Python, in full; front() puts a C function of the same name and documentation before
 * it. That one serves the calls whose program is known already, with no keyword but out, and those of functions that are
 * just called, and leaves all others, errors included, to the Python function. So it decides nothing: it only finds again
 * what Python found for the same text or code object and the same types of arguments (known.c). KernelBase does the same
 * for Kernel.
 */
#include "front.h"
#include "callback.h"
#include "filter.h"
#include "known.h"
#include "map.h"
#include "reductions.h"

#include <stdatomic.h>
#include <structmember.h>
#include <string.h>

enum { MAP, MAP_INPLACE, FILTER, SUM, MIN, MAX };
static const char *const names[AO_FRONTS] = {"map", "map_inplace", "filter", "sum", "min", "max"};

/* -- KernelBase ------------------------------------------------------------------------------------------------------ */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    module_state *state;
    PyObject *front; /* (ready, oracle) of a text, a function, or None: all calls to Python */
    Py_ssize_t by_python; /* elements of the last run that the oracle was asked for */
} KernelObject;

static int of_kernel(module_state *state, PyObject *kernel, meaning *m)
{
    PyObject *front;
    Py_BEGIN_CRITICAL_SECTION(kernel);
    front = Py_XNewRef(((KernelObject *)kernel)->front);
    Py_END_CRITICAL_SECTION();
    int found = 0;
    if (front && PyTuple_CheckExact(front)) {
        found = known_pair(front, m);
    } else if (front && PyFunction_Check(front)) { /* it is decoded at its first call, by Python */
        found = known_function(state, front, m) && !m->cold;
    }
    Py_XDECREF(front);
    return found;
}

static PyObject *kernel_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *keywords);

static void kernel_dealloc(PyObject *self);

static PyObject *kernel_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    PyTypeObject *base = type;
    while (base->tp_base && base->tp_dealloc != kernel_dealloc) {
        base = base->tp_base;
    }
    KernelObject *self = (KernelObject *)type->tp_alloc(type, 0);
    if (self) {
        self->state = PyType_GetModuleState(base);
        self->vectorcall = kernel_call;
        self->front = Py_NewRef(Py_None);
    }
    return (PyObject *)self;
}

static int kernel_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((KernelObject *)self)->front);
    return 0;
}

static int kernel_clear(PyObject *self)
{
    Py_CLEAR(((KernelObject *)self)->front);
    return 0;
}

static void kernel_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    kernel_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Before 3.12 a Python class does not inherit that its instances are called by vectorcall; the slot itself it does. */
static PyObject *kernel_init_subclass(PyObject *type, PyObject *unused)
{
    (void)unused;
    if (((PyTypeObject *)type)->tp_call == PyVectorcall_Call) {
        ((PyTypeObject *)type)->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        PyType_Modified((PyTypeObject *)type);
    }
    return Py_NewRef(Py_None);
}

static PyMethodDef kernel_methods[] = {
    {"__init_subclass__", kernel_init_subclass, METH_NOARGS | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef kernel_members[] = {
    {"_front", T_OBJECT, offsetof(KernelObject, front), 0, NULL},
    {"_by_python", T_PYSSIZET, offsetof(KernelObject, by_python), 0, NULL},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(KernelObject, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot kernel_slots[] = {
    {Py_tp_doc, "What Kernel is made of: calls that need nothing from Python, and Kernel.map for the others."},
    {Py_tp_new, kernel_new},
    {Py_tp_dealloc, kernel_dealloc},
    {Py_tp_traverse, kernel_traverse},
    {Py_tp_clear, kernel_clear},
    {Py_tp_members, kernel_members},
    {Py_tp_methods, kernel_methods},
    {Py_tp_call, PyVectorcall_Call},
    {0, NULL},
};

static PyType_Spec kernel_spec = {
    .name = "arrayops._machine.KernelBase",
    .basicsize = sizeof(KernelObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = kernel_slots,
};

/* -- running --------------------------------------------------------------------------------------------------------- */

static PyObject *find_program(const run *r, const meaning *m, int filters, unsigned wanted)
{
    uint64_t signature = signature_begin(filters, filters ? AO_TYPE_b1 : wanted);
    unsigned input = 0;
    for (Py_ssize_t i = 0; i < m->nvalues; i++) {
        int code = r->is_array[i] ? (int)array_stored(&r->arrays[input++]) : number_code(m->values[i]);
        if (code < 0) {
            return NULL;
        }
        signature = signature_add(signature, (unsigned)code);
    }
    return known_program(r->state, m->ready, signature);
}

/* Whether a function that is not decoded may be called for so many elements more. */
static int has_credit(EntryObject *cold, size_t count)
{
    if (cold && atomic_load_explicit(&cold->credit, memory_order_relaxed) <= (Py_ssize_t)count) {
        return 0;
    }
    if (cold) { /* threads that count at once may take it below 0, which is as good as none left */
        atomic_fetch_sub_explicit(&cold->credit, (Py_ssize_t)count, memory_order_relaxed);
    }
    return 1;
}

/* Fills out, or a new array; returns it. */
static PyObject *map_result(run *r, module_state *state, PyObject *out, ao_array *held)
{
    PyObject *result = out ? Py_NewRef(out) : array_new_out(state, r->arrays[0].typecode, r->count, held);
    if (!result || (r->program ? run_map(r, held, !out, 0, NULL) : call_map(r, held, !out, NULL)) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    return result;
}

/* Whether the numbers among the arguments are plain ones. */
static int plain_numbers(const run *r, const meaning *m)
{
    for (Py_ssize_t i = 1; i < m->nargs; i++) {
        if (!r->is_array[i] && number_code(m->values[i]) < 0) {
            return 0;
        }
    }
    return 1;
}

/* Finds the program, if there is to be one. 0 if Python must do it. */
static int settle(run *r, const meaning *m, int filters, unsigned wanted)
{
    if (!m->ready) {
        return has_credit(m->cold, r->count);
    }
    PyObject *program = find_program(r, m, filters, wanted);
    const int bound = program && run_bind(r, program) == 0;
    Py_XDECREF(program);
    return bound;
}

/* Whether results for such a first array are array.array's. Those for NumPy's and Arrow's are of their kind, which is for
 * Python to see to (exchange.py), as it is for any type that is not known here. */
static int gives_array(const module_state *state, PyObject *first)
{
    const PyTypeObject *type = Py_TYPE(first);
    return type == (PyTypeObject *)state->array_type || type == &PyBytes_Type || type == &PyByteArray_Type
           || type == &PyMemoryView_Type || type == &PyRange_Type || type == state->view_type || strcmp(type->tp_name, "mmap.mmap") == 0;
}

/* The result, or NULL: with an exception, or without one if Python must do it. out is NULL, or what a map fills. */
static PyObject *run_meaning(module_state *state, meaning *m, int filters, PyObject *out)
{
    run r;
    ao_array held;
    array_none(&held);
    PyObject *result = NULL;
    run_none(&r);
    if ((!out && !gives_array(state, m->values[0]))
        || run_take(&r, state, m->values, m->nvalues, m->oracle, m->nargs, -1) < 0 || !r.is_array[0]
        || (out && array_take_out(state, out, &held) < 0) || !plain_numbers(&r, m)
        || !settle(&r, m, filters, array_stored(out ? &held : &r.arrays[0]))) {
        PyErr_Clear();
    } else if (filters) {
        result = m->ready ? run_filter(&r, 0) : call_filter(&r, 0);
    } else {
        result = map_result(&r, state, out, &held);
    }
    array_release(&held);
    run_close(&r);
    return result;
}

/* What `f` means for these arguments: a text, a function, or a kernel of one. */
static int find_meaning(module_state *state, PyObject *f, meaning *m)
{
    if (PyUnicode_CheckExact(f)) {
        return known_text(state, f, m);
    }
    if (PyFunction_Check(f)) {
        return known_function(state, f, m);
    }
    return PyObject_TypeCheck(f, state->kernel_type) && of_kernel(state, f, m);
}

typedef int find(module_state *state, PyObject *f, meaning *m);

static PyObject *fast(module_state *state, find *finder, PyObject *f, PyObject *first, PyObject *const *more,
                      Py_ssize_t nmore, int filters, PyObject *out)
{
    meaning m;
    m.ready = m.oracle = NULL;
    m.cold = NULL;
    m.nargs = m.nvalues = nmore + 1;
    m.values[0] = first;
    memcpy(m.values + 1, more, (size_t)nmore * sizeof *more);
    PyObject *result = finder(state, f, &m) ? run_meaning(state, &m, filters, out) : NULL;
    meaning_drop(&m);
    return result;
}

/* The one keyword that is served here. -1 if there is another. */
static int only_out(module_state *state, PyObject *const *values, PyObject *keywords, PyObject **out)
{
    *out = NULL;
    if (!keywords || PyTuple_GET_SIZE(keywords) == 0) {
        return 0;
    }
    if (PyTuple_GET_SIZE(keywords) != 1 || PyTuple_GET_ITEM(keywords, 0) != state->out_name) {
        return -1;
    }
    *out = values[0] == Py_None ? NULL : values[0];
    return 0;
}

/* The result of a function of the package. An ExpressionError leaves it without the frames of the package, so that the
 * caller's is the last one, and the caret stands under it. */
static PyObject *at_edge(PyObject *result)
{
    if (result || !PyErr_ExceptionMatches(PyExc_SyntaxError)) {
        return result;
    }
    PyObject *kind, *error, *traceback;
    PyErr_Fetch(&kind, &error, &traceback);
    PyErr_NormalizeException(&kind, &error, &traceback);
    if (strcmp(Py_TYPE(error)->tp_name, "ExpressionError") == 0) {
        PyException_SetTraceback(error, Py_None);
        Py_CLEAR(traceback);
    }
    PyErr_Restore(kind, error, traceback);
    return NULL;
}

/* A function that has no fast way in. */
static PyObject *edge(PyObject *function, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    return at_edge(PyObject_Vectorcall(function, args, (size_t)nargs, keywords));
}

static PyObject *call(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    module_state *state = state_of(module);
    PyObject *out;
    if (nargs >= 2 && nargs <= RUN_ARGS_INLINE && only_out(state, args + nargs, keywords, &out) == 0
        && (which == MAP || !out)) {
        PyObject *target = which == MAP_INPLACE ? args[0] : out;
        PyObject *result = fast(state, find_meaning, args[1], args[0], args + 2, nargs - 2, which == FILTER, target);
        if (result && which == MAP_INPLACE) {
            Py_DECREF(result);
            return Py_NewRef(Py_None);
        }
        if (result || PyErr_Occurred()) {
            return result;
        }
    }
    return at_edge(PyObject_Vectorcall(state->slow[which], args, (size_t)nargs, keywords));
}

#define FRONT(name, which)                                                                                     \
    static PyObject *name(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)       \
    {                                                                                                          \
        return call(module, which, args, nargs, keywords);                                                     \
    }
FRONT(front_map, MAP)
FRONT(front_map_inplace, MAP_INPLACE)
FRONT(front_filter, FILTER)

/* What `found` is, unless it is None: then Python must do it. */
static PyObject *or_slow(PyObject *found, PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs,
                         PyObject *keywords)
{
    if (found != Py_None) {
        return found;
    }
    Py_DECREF(found);
    return PyObject_Vectorcall(state_of(module)->slow[which], args, (size_t)nargs, keywords);
}

/* Arrow data and masked arrays are none: Python takes those in. */
static int is_one_buffer(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    return nargs == 1 && !keywords
           && (PyRange_Check(args[0]) || (PyObject_CheckBuffer(args[0]) && !is_masked_array(state_of(module), args[0])));
}

static PyObject *front_sum(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    PyObject *found = is_one_buffer(module, args, nargs, keywords) ? sum_of(module, args[0]) : Py_NewRef(Py_None);
    return or_slow(found, module, SUM, args, nargs, keywords);
}

static PyObject *front_extreme(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    PyObject *found = is_one_buffer(module, args, nargs, keywords) ? extreme_of(module, args[0], which == MAX) : Py_NewRef(Py_None);
    return or_slow(found, module, which, args, nargs, keywords);
}

static PyObject *front_min(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    return front_extreme(module, MIN, args, nargs, keywords);
}

static PyObject *front_max(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    return front_extreme(module, MAX, args, nargs, keywords);
}

typedef PyObject *(*front_function)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
static const front_function functions[AO_FRONTS] = {front_map, front_map_inplace, front_filter,
                                                    front_sum, front_min,         front_max};

static PyObject *kernel_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *keywords)
{
    module_state *state = ((KernelObject *)self)->state;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *out;
    if (state && nargs >= 1 && nargs < RUN_ARGS_INLINE && only_out(state, args + nargs, keywords, &out) == 0) {
        PyObject *result = fast(state, of_kernel, self, args[0], args + 1, nargs - 1, 0, out);
        if (result) {
            ((KernelObject *)self)->by_python = (Py_ssize_t)run_last_asked();
        }
        if (result || PyErr_Occurred()) {
            return result;
        }
    }
    PyErr_Clear();
    PyObject *slow = PyObject_GetAttr(self, state->map_name);
    PyObject *result = slow ? PyObject_Vectorcall(slow, args, nargsf & ~PY_VECTORCALL_ARGUMENTS_OFFSET, keywords) : NULL;
    Py_XDECREF(slow);
    return result;
}

/* For as long as the process lives: a function points to its definition, name and documentation. */
static PyObject *new_edge(PyObject *function, const char *name, const char *text, size_t size)
{
    const size_t length = name ? strlen(name) + 1 : 0;
    PyMethodDef *def = length ? PyMem_RawMalloc(sizeof *def + size + 1 + length) : NULL;
    if (!def) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    char *copy = (char *)(def + 1);
    memcpy(copy, text, size + 1);
    memcpy(copy + size + 1, name, length);
    *def = (PyMethodDef){copy + size + 1, (PyCFunction)(void (*)(void))edge, METH_FASTCALL | METH_KEYWORDS, copy};
    return PyCFunction_NewEx(def, function, ((PyFunctionObject *)function)->func_module);
}

/* front(function, documentation) -> the fast way to a Python function of one of the names, or the edge of any other.
 *
 * documentation begins with the signature as CPython's own builtins have it, "name(arguments)\n--\n\n". */
static PyObject *py_front(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    if (nargs != 2 || !PyFunction_Check(args[0]) || !PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "front(function, documentation)");
        return NULL;
    }
    PyObject *name = ((PyFunctionObject *)args[0])->func_name;
    size_t which = 0;
    while (which < AO_FRONTS && PyUnicode_CompareWithASCIIString(name, names[which]) != 0) {
        which++;
    }
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(args[1], &size);
    if (!text || (which < AO_FRONTS && state->slow[which])) {
        PyErr_Format(PyExc_ValueError, "front(): %R", name);
        return NULL;
    }
    if (which == AO_FRONTS) {
        return new_edge(args[0], PyUnicode_AsUTF8(name), text, (size_t)size);
    }
    char *copy = PyMem_RawMalloc((size_t)size + 1); /* for as long as the process lives: functions point to it */
    if (!copy) {
        return PyErr_NoMemory();
    }
    memcpy(copy, text, (size_t)size + 1);
    state->slow[which] = Py_NewRef(args[0]);
    state->fronts[which] = (PyMethodDef){names[which], (PyCFunction)(void (*)(void))functions[which],
                                         METH_FASTCALL | METH_KEYWORDS, copy};
    return PyCFunction_NewEx(&state->fronts[which], module, ((PyFunctionObject *)args[0])->func_module);
}

int front_prepare(PyObject *module)
{
    module_state *state = state_of(module);
    state->out_name = PyUnicode_InternFromString("out");
    state->map_name = PyUnicode_InternFromString("map");
    state->kernel_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &kernel_spec, NULL);
    return state->out_name && state->map_name && state->kernel_type ? PyModule_AddType(module, state->kernel_type) : -1;
}

PyMethodDef front_methods[] = {
    FAST_FUNCTION("front", py_front),
    END_OF_FUNCTIONS,
};
