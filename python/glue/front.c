/* The fast way in: map, filter, evaluate, reduce and their kin, what is one of them by a text of its own (add, clip), sums and
 * extremes, and calls of kernels, where they need nothing from Python.
 *
 * The package defines each of these in Python, in full; front() puts a C function of the same name and documentation before
 * it. That one serves the calls whose program is known already, on buffers and NumPy's arrays, with names, out= and typecode=,
 * and those of functions that are just called, and leaves all others, errors included, to the Python function. So it decides
 * nothing: it only finds again what Python found for the same text or code object and the same types of arguments (known.c).
 * KernelBase does the same for Kernel.
 */
#include "front.h"
#include "moments.h"
#include "reductions.h"
#include "request.h"
#include "../../vm/portable.h"

#include <stdatomic.h>
#include <structmember.h>
#include <string.h>

static const char *const names[AO_FRONTS] = {
    "map", "map_inplace", "filter", "any", "all", "count", "first", "evaluate", "reduce", "accumulate",
    "add", "subtract", "multiply", "divide", "scale", "clip",
    "sum", "min", "max", "minmax", "mean", "var", "std", "dot",
};

/* What a function is that has a text of its own (arithmetic.py has the same ones): a map of two arrays, or one in place with
 * numbers, which go by these names. */
static const struct {
    int is;
    const char *text;
    Py_ssize_t numbers;
    int first_name;
} fixed[] = {
    [CALL_ADD - CALL_ADD] = {CALL_MAP, "x + y", 0, 0},
    [CALL_SUBTRACT - CALL_ADD] = {CALL_MAP, "x - y", 0, 0},
    [CALL_MULTIPLY - CALL_ADD] = {CALL_MAP, "x * y", 0, 0},
    [CALL_DIVIDE - CALL_ADD] = {CALL_MAP, "x / y", 0, 0},
    [CALL_SCALE - CALL_ADD] = {CALL_MAP_INPLACE, "x * factor", 1, 0},
    [CALL_CLIP - CALL_ADD] = {CALL_MAP_INPLACE, "lo if x < lo else hi if x > hi else x", 2, 1},
};
static const char *const fixed_names[] = {"factor", "lo", "hi"};
enum { FIXED = sizeof fixed / sizeof *fixed, FIXED_NAMES = sizeof fixed_names / sizeof *fixed_names };
_Static_assert((int)FIXED + (int)FIXED_NAMES == (int)AO_FIXED, "the texts, then the names");

/* -- KernelBase ------------------------------------------------------------------------------------------------------ */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    module_state *state;
    PyObject *front; /* (ready, oracle, params) of a text, a function, or None: all calls to Python */
    Py_ssize_t by_python; /* elements of the last run that the oracle was asked for */
} KernelObject;

static PyObject *front_of(PyObject *kernel)
{
    PyObject *front;
    Py_BEGIN_CRITICAL_SECTION(kernel);
    front = Py_NewRef(((KernelObject *)kernel)->front ? ((KernelObject *)kernel)->front : Py_None);
    Py_END_CRITICAL_SECTION();
    return front;
}

static int of_kernel(module_state *state, PyObject *kernel, meaning *m)
{
    PyObject *front = front_of(kernel);
    int found = 0;
    if (PyTuple_CheckExact(front)) {
        found = known_triple(front, m);
    } else if (PyFunction_Check(front)) { /* it is decoded at its first call, by Python */
        found = known_function(state, front, m) && !m->cold;
    }
    Py_DECREF(front);
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

/* -- the functions --------------------------------------------------------------------------------------------------- */

/* What a step of a fold means: a text or a function. */
static int find_step(module_state *state, PyObject *f, meaning *m)
{
    if (PyUnicode_CheckExact(f)) {
        return known_text(state, PyTuple_CheckExact(m->values[0]) ? AO_STEP_OF_TUPLE : AO_STEP, f, m);
    }
    return PyFunction_Check(f) && known_function(state, f, m);
}

/* What `f` means for these arguments: a text, a function, or a kernel of one. */
static int find_meaning(module_state *state, PyObject *f, meaning *m)
{
    if (PyUnicode_CheckExact(f)) {
        return known_text(state, AO_OF_ELEMENTS, f, m);
    }
    if (PyFunction_Check(f)) {
        return known_function(state, f, m);
    }
    return PyObject_TypeCheck(f, state->kernel_type) && of_kernel(state, f, m);
}

typedef int find(module_state *state, PyObject *f, meaning *m);

/* first: NULL where all values are given by name; else the first argument of the call, if that is known. asked: NULL, or what
 * gets the number of elements that the oracle was asked for. */
static PyObject *fast(module_state *state, find *finder, PyObject *f, PyObject *first, PyObject *const *more, Py_ssize_t nmore,
                      const request *q, Py_ssize_t *asked)
{
    meaning m;
    m.ready = m.oracle = m.params = NULL;
    m.cold = NULL;
    m.nargs = m.nvalues = (first != NULL) + nmore + q->nnamed;
    m.lead = 0;
    if (m.nargs == 0 || m.nargs > RUN_ARGS_INLINE) {
        return NULL;
    }
    m.values[0] = first;
    m.from[0] = 0;
    for (Py_ssize_t i = 0; i < nmore; i++) {
        m.values[i + 1] = more[i];
        m.from[i + 1] = q->call ? (unsigned)(more + i - q->call->args) : 0;
    }
    int found = finder(state, f, &m) && (!q->nnamed || request_bind_names(&m, q));
    if (!found && m.params && q->nnamed == PyTuple_GET_SIZE(m.params) && CALL_BIT(q->what) & CALL_PREDICATES
        && PyUnicode_CheckExact(f)) {
        meaning_drop(&m);
        m.ready = m.oracle = m.params = NULL;
        found = known_text(state, AO_OF_NAMES, f, &m) && request_bind_names(&m, q);
    }
    /* those of a fold have no names */
    found = found && (!(CALL_BIT(q->what) & CALL_FOLDS) || (m.values[0] == first && m.values[1] == more[0]));
    PyObject *result = found ? request_run(state, &m, q) : NULL;
    if (asked && result) {
        *asked = (Py_ssize_t)m.asked;
    }
    meaning_drop(&m);
    return result;
}

/* Again at the next call if it raises, as when somebody presses Ctrl-C meanwhile. */
static int tell_of_calls(module_state *state)
{
    PyObject *function = Py_NewRef(state->after_calls), *result = PyObject_CallNoArgs(function);
    Py_DECREF(function);
    Py_XDECREF(result);
    if (!result) {
        atomic_store_explicit(&state->calls_left, 1, memory_order_relaxed);
    }
    return result ? 0 : -1;
}

/* Counts a call, and after so many has Python know it. -1: that raised. */
static AO_INLINE int count_call(module_state *state)
{
    const unsigned left = atomic_load_explicit(&state->calls_left, memory_order_relaxed);
    if (left) { /* threads that count at once may count one call for two */
        atomic_store_explicit(&state->calls_left, left - 1, memory_order_relaxed);
    }
    return left == 1 ? tell_of_calls(state) : 0;
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

/* The result if there is one, of what works in place None; else that of the Python function. */
static AO_INLINE PyObject *or_slow(PyObject *result, int in_place, PyObject *module, int which, PyObject *const *args,
                                   Py_ssize_t nargs, PyObject *keywords)
{
    if (result && in_place) {
        Py_DECREF(result);
        return Py_NewRef(Py_None);
    }
    if (result || PyErr_Occurred()) {
        return result;
    }
    return at_edge(PyObject_Vectorcall(state_of(module)->slow[which], args, (size_t)nargs, keywords));
}

/* What is called as function(array, f, *more), or evaluate(text), if it was not served as the same call was before. */
static PyObject *call_anew(module_state *state, const short_call *call)
{
    const int which = call->what;
    request q;
    request_none(&q, which);
    if (call->keywords && request_take_keywords(state, &q, call->args, call->nargs, call->keywords) < 0) {
        return NULL;
    }
    q.call = PyUnicode_CheckExact(call->of) ? call : NULL;
    if (which == CALL_EVALUATE) {
        PyObject *result = fast(state, find_meaning, call->of, NULL, NULL, 0, &q, NULL);
        if (!result && !q.out && !q.typecode && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear(); /* ints that no 'q' holds may be those of a 'Q': Python tries it */
        }
        return result;
    }
    if (which == CALL_MAP_INPLACE) {
        q.out = call->args[0];
        q.out_from = 0;
    }
    return fast(state, find_meaning, call->of, call->args[0], call->args + 2, call->nargs > 2 ? call->nargs - 2 : 0, &q, NULL);
}

/* f may be missing where it may be None. */
static AO_INLINE PyObject *call(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    module_state *state = state_of(module);
    PyObject *result = NULL;
    if (count_call(state) < 0) {
        return NULL;
    }
    const int of_elements = which == CALL_ANY || which == CALL_ALL || which == CALL_COUNT;
    const Py_ssize_t least = which == CALL_EVALUATE || of_elements ? 1 : 2;
    if (nargs >= least && nargs <= (which == CALL_EVALUATE ? 1 : RUN_ARGS_INLINE)) {
        PyObject *f = which == CALL_EVALUATE ? args[0] : nargs > 1 ? args[1] : Py_None;
        short_call written = {which, of_elements && f == Py_None ? state->element : f, args, nargs, keywords, 0};
        result = PyUnicode_CheckExact(written.of) ? short_again(state, &written) : NULL;
        result = result ? result : call_anew(state, &written);
    }
    return or_slow(result, which == CALL_MAP_INPLACE, module, which, args, nargs, keywords);
}

/* reduce(array, f, initial), accumulate(array, f) */
static PyObject *call_fold(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    module_state *state = state_of(module);
    PyObject *result = NULL;
    request q;
    request_none(&q, which);
    if (count_call(state) < 0) {
        return NULL;
    }
    const int fits = which == CALL_REDUCE ? nargs == 2 || (nargs == 3 && !request_has_initial(state, keywords))
                                     : nargs == 1 || nargs == 2;
    if (fits && (!keywords || request_take_keywords(state, &q, args, nargs, keywords) == 0)) {
        q.initial = nargs == 3 && args[2] != Py_None ? args[2] : q.initial;
        PyObject *first = q.initial ? q.initial : Py_None;
        result = fast(state, find_step, nargs > 1 ? args[1] : state->running, first, args, 1, &q, NULL);
    }
    return or_slow(result, 0, module, which, args, nargs, keywords);
}

/* Whether it takes these as they are: exact numbers, as Python says what it makes of others; of clip() in order. */
static int are_bounds(PyObject *const *numbers, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!PyLong_CheckExact(numbers[i]) && !PyFloat_CheckExact(numbers[i])) {
            return 0;
        }
    }
    return count < 2 || PyObject_RichCompareBool(numbers[0], numbers[1], Py_LE) == 1;
}

/* What has a text of its own. */
static PyObject *call_fixed(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    module_state *state = state_of(module);
    PyObject *text = state->fixed[which - CALL_ADD], *result = NULL;
    request q;
    request_none(&q, which);
    const int in_place = fixed[which - CALL_ADD].is == CALL_MAP_INPLACE;
    const Py_ssize_t numbers = fixed[which - CALL_ADD].numbers;
    short_call written = {which, text, args, nargs, keywords, 0};
    q.call = &written;
    if (in_place && nargs == 1 + numbers && !keywords && are_bounds(args + 1, numbers)
        && !(result = short_again(state, &written))) {
        q.what = CALL_MAP_INPLACE;
        q.out = args[0];
        q.out_from = 0;
        q.alike = 1;
        q.nnamed = numbers;
        for (Py_ssize_t i = 0; i < numbers; i++) {
            q.names[i] = state->fixed[FIXED + fixed[which - CALL_ADD].first_name + i];
            q.named_from[i] = (unsigned)(1 + i);
            q.named[i] = args[1 + i];
        }
        result = fast(state, find_meaning, text, args[0], NULL, 0, &q, NULL);
    } else if (!in_place && nargs == 2 && !(result = short_again(state, &written))
               && (!keywords || request_take_keywords(state, &q, args, nargs, keywords) == 0) && !q.nnamed) {
        q.what = CALL_MAP;
        result = fast(state, find_meaning, text, args[0], args + 1, 1, &q, NULL);
    }
    return or_slow(result, in_place, module, which, args, nargs, keywords);
}

/* Arrow data and masked arrays are none: Python takes those in. */
static int is_one_buffer(const module_state *state, PyObject *object)
{
    return Py_IS_TYPE(object, (PyTypeObject *)state->array_type) || PyRange_Check(object)
           || (PyObject_CheckBuffer(object) && !is_masked_array(state, object));
}

/* Options that say nothing, and ddof=. -1 if Python must do it. */
static int take_plain_keywords(const module_state *state, int which, PyObject *const *args, Py_ssize_t nargs,
                               PyObject *keywords, Py_ssize_t *ddof)
{
    request q;
    request_none(&q, which);
    if (request_take_keywords(state, &q, args, nargs, keywords) < 0 || q.nnamed) {
        return -1;
    }
    *ddof = q.ddof ? (PyLong_CheckExact(q.ddof) ? PyLong_AsSsize_t(q.ddof) : -1) : 0;
    PyErr_Clear();
    return *ddof < 0 ? -1 : 0;
}

/* What looks at the elements themselves. The functions give None where Python must do it. */
static PyObject *call_plain(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    module_state *state = state_of(module);
    PyObject *found = NULL;
    const int count = which == CALL_DOT ? 2 : 1;
    Py_ssize_t ddof = 0;
    if (count_call(state) < 0) {
        return NULL;
    }
    const int asked = nargs == count && (!keywords || take_plain_keywords(state, which, args, nargs, keywords, &ddof) == 0);
    if (asked && is_one_buffer(state, args[0]) && (count < 2 || is_one_buffer(state, args[1]))) {
        switch (which) {
        case CALL_SUM: found = sum_of(state, args[0]); break;
        case CALL_MIN: found = extreme_of(state, args[0], 0); break;
        case CALL_MAX: found = extreme_of(state, args[0], 1); break;
        case CALL_MINMAX: found = extremes_of(state, args[0]); break;
        case CALL_MEAN: found = mean_of(state, args[0]); break;
        case CALL_VAR: found = spread_of(state, args[0], SPREAD_VARIANCE, (size_t)ddof); break;
        case CALL_STD: found = spread_of(state, args[0], SPREAD_DEVIATION, (size_t)ddof); break;
        case CALL_DOT: found = dot_of(state, args[0], args[1]); break;
        }
    }
    if (found == Py_None) {
        Py_CLEAR(found);
    }
    return or_slow(found, 0, module, which, args, nargs, keywords);
}

#define FRONT(name, how, which)                                                                                \
    static PyObject *name(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)       \
    {                                                                                                          \
        return how(module, which, args, nargs, keywords);                                                      \
    }
FRONT(front_map, call, CALL_MAP)
FRONT(front_map_inplace, call, CALL_MAP_INPLACE)
FRONT(front_filter, call, CALL_FILTER)
FRONT(front_any, call, CALL_ANY)
FRONT(front_all, call, CALL_ALL)
FRONT(front_count, call, CALL_COUNT)
FRONT(front_first, call, CALL_FIRST)
FRONT(front_evaluate, call, CALL_EVALUATE)
FRONT(front_reduce, call_fold, CALL_REDUCE)
FRONT(front_accumulate, call_fold, CALL_ACCUMULATE)
FRONT(front_add, call_fixed, CALL_ADD)
FRONT(front_subtract, call_fixed, CALL_SUBTRACT)
FRONT(front_multiply, call_fixed, CALL_MULTIPLY)
FRONT(front_divide, call_fixed, CALL_DIVIDE)
FRONT(front_scale, call_fixed, CALL_SCALE)
FRONT(front_clip, call_fixed, CALL_CLIP)
FRONT(front_sum, call_plain, CALL_SUM)
FRONT(front_min, call_plain, CALL_MIN)
FRONT(front_max, call_plain, CALL_MAX)
FRONT(front_minmax, call_plain, CALL_MINMAX)
FRONT(front_mean, call_plain, CALL_MEAN)
FRONT(front_var, call_plain, CALL_VAR)
FRONT(front_std, call_plain, CALL_STD)
FRONT(front_dot, call_plain, CALL_DOT)

typedef PyObject *(*front_function)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
static const front_function functions[AO_FRONTS] = {
    front_map, front_map_inplace, front_filter, front_any, front_all, front_count, front_first, front_evaluate,
    front_reduce, front_accumulate, front_add, front_subtract, front_multiply, front_divide, front_scale, front_clip,
    front_sum, front_min, front_max, front_minmax, front_mean, front_var, front_std, front_dot,
};

static PyObject *kernel_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *keywords)
{
    KernelObject *const kernel = (KernelObject *)self;
    module_state *state = kernel->state;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (state && nargs >= 1 && nargs < RUN_ARGS_INLINE) {
        short_call written = {CALL_KERNEL, front_of(self), args, nargs, keywords, 0};
        request q;
        request_none(&q, CALL_KERNEL);
        q.call = PyTuple_CheckExact(written.of) ? &written : NULL;
        PyObject *result = short_again(state, &written);
        kernel->by_python = result ? 0 : kernel->by_python;
        if (!result && (!keywords || request_take_keywords(state, &q, args, nargs, keywords) == 0)) {
            result = fast(state, of_kernel, self, args[0], args + 1, nargs - 1, &q, &kernel->by_python);
        }
        Py_DECREF(written.of);
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
    if (!text) {
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
    state->slow[which] = Py_NewRef(args[0]); /* one before it, of modules that were forgotten, stays: a thread may be in it */
    state->fronts[which] = (PyMethodDef){names[which], (PyCFunction)(void (*)(void))functions[which],
                                         METH_FASTCALL | METH_KEYWORDS, copy};
    return PyCFunction_NewEx(&state->fronts[which], module, ((PyFunctionObject *)args[0])->func_module);
}

/* after_calls(calls, function): has the function called before so many calls from now on of those that have a fast way in. */
static PyObject *py_after_calls(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    if (!has_args(nargs, 2, "after_calls(calls, function)")) {
        return NULL;
    }
    const unsigned long calls = PyLong_AsUnsignedLong(args[0]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_XSETREF(state->after_calls, Py_NewRef(args[1]));
    atomic_store_explicit(&state->calls_left, (unsigned)calls, memory_order_relaxed);
    return Py_NewRef(Py_None);
}

/* Names and texts of the state. */
static const struct {
    size_t place;
    const char *text;
} interned[] = {
    {offsetof(module_state, map_name), "map"},      {offsetof(module_state, element), "x"},
    {offsetof(module_state, running), "acc + x"},   {offsetof(module_state, numpy_name), "numpy"},
    {offsetof(module_state, frombuffer_name), "frombuffer"},
};

int front_prepare(PyObject *module)
{
    module_state *state = state_of(module);
    for (size_t i = 0; i < sizeof interned / sizeof *interned; i++) {
        PyObject *text = PyUnicode_InternFromString(interned[i].text);
        if (!text) {
            return -1;
        }
        memcpy((char *)state + interned[i].place, &text, sizeof text);
    }
    for (size_t i = 0; i < FIXED; i++) {
        state->fixed[i] = PyUnicode_InternFromString(fixed[i].text);
    }
    for (size_t i = 0; i < FIXED_NAMES; i++) {
        state->fixed[FIXED + i] = PyUnicode_InternFromString(fixed_names[i]);
    }
    for (size_t i = 0; i < AO_FIXED; i++) {
        if (!state->fixed[i]) {
            return -1;
        }
    }
    state->kernel_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &kernel_spec, NULL);
    return state->kernel_type ? PyModule_AddType(module, state->kernel_type) : -1;
}

PyMethodDef front_methods[] = {
    FAST_FUNCTION("front", py_front),
    FAST_FUNCTION("after_calls", py_after_calls),
    END_OF_FUNCTIONS,
};
