/* The fast way in: map, filter, evaluate and their kin, sum, min, max and calls of kernels that need nothing from Python.
 *
 * The package defines each of these in Python, in full; front() puts a C function of the same name and documentation before
 * it. That one serves the calls whose program is known already, on buffers and NumPy's arrays, with names, out= and typecode=,
 * and those of functions that are just called, and leaves all others, errors included, to the Python function. So it decides nothing: it only finds again
 * what Python found for the same text or code object and the same types of arguments (known.c). KernelBase does the same
 * for Kernel.
 */
#include "front.h"
#include "callback.h"
#include "filter.h"
#include "known.h"
#include "map.h"
#include "reductions.h"
#include "../../vm/portable.h"

#include <stdatomic.h>
#include <structmember.h>
#include <string.h>

/* The functions; and a call of a kernel, which is a map. */
enum { MAP, MAP_INPLACE, FILTER, ANY, ALL, COUNT, FIRST, EVALUATE, SUM, MIN, MAX, KERNEL };
_Static_assert((int)KERNEL == (int)AO_FRONTS, "all but the kernel are functions");
static const char *const names[AO_FRONTS] = {"map",   "map_inplace", "filter",   "any", "all", "count",
                                             "first", "evaluate",    "sum", "min", "max"};

/* What run_count() is asked for the functions from ANY to FIRST. */
static const int questions[] = {RUN_ANY, RUN_ALL, RUN_COUNT, RUN_FIRST};

/* -- KernelBase ------------------------------------------------------------------------------------------------------ */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    module_state *state;
    PyObject *front; /* (ready, oracle, params) of a text, a function, or None: all calls to Python */
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
        found = known_triple(front, m);
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

/* -- what is asked for ------------------------------------------------------------------------------------------------ */

typedef struct {
    int what;          /* a function, or KERNEL */
    char typecode;     /* typecode=, or 0 */
    PyObject *out;     /* what a map fills, or NULL */
    Py_ssize_t nnamed; /* values for the names of a text */
    PyObject *names[RUN_ARGS_INLINE], *named[RUN_ARGS_INLINE];
} request;

/* Field by field: clearing the tables takes a tenth of a short call. */
static inline void request_none(request *q, int what)
{
    q->what = what;
    q->typecode = 0;
    q->out = NULL;
    q->nnamed = 0;
}

#define BIT(which) (1u << (which))
#define MAPS (BIT(MAP) | BIT(EVALUATE) | BIT(KERNEL))
#define FUNCTIONS (~BIT(KERNEL))
#define COMPILED (FUNCTIONS & ~BIT(EVALUATE))

/* Keywords that are no names: of which functions, and what they are where nothing is asked for. Python serves other values,
 * but for those of out and typecode. */
enum { OUT, TYPECODE };
static const struct {
    const char *name;
    unsigned of;
    enum { IS_NONE, IS_FALSE, IS_TRUE } otherwise;
} options[AO_OPTIONS] = {
    {"out", MAPS, IS_NONE},
    {"typecode", MAPS, IS_NONE},
    {"threads", MAPS | BIT(MAP_INPLACE), IS_NONE},
    {"nulls", ~0u, IS_NONE},
    {"names", ~0u, IS_NONE},
    {"ieee", FUNCTIONS, IS_FALSE},
    {"compile", COMPILED, IS_TRUE},
    {"strict", COMPILED, IS_FALSE},
};

/* The machine type of array.array's typecode, or -1. */
static int array_type_of(const module_state *state, int letter)
{
    return letter >= 0 && letter < 128 ? state->array_types[letter] - 1 : -1;
}

static int take_option(const module_state *state, request *q, int option, PyObject *value)
{
    PyObject *const otherwise[] = {[IS_NONE] = Py_None, [IS_FALSE] = Py_False, [IS_TRUE] = Py_True};
    if (value == otherwise[options[option].otherwise]) {
        return 0;
    }
    if (option == OUT) {
        q->out = value;
        return 0;
    }
    const int is_letter = option == TYPECODE && PyUnicode_CheckExact(value) && PyUnicode_GET_LENGTH(value) == 1;
    const Py_UCS4 letter = is_letter ? PyUnicode_READ_CHAR(value, 0) : 0;
    q->typecode = letter < 128 ? (char)letter : 0;
    return array_type_of(state, q->typecode) < 0 ? -1 : 0;
}

/* -1 if Python must do it. */
static int take_keywords(const module_state *state, request *q, PyObject *const *values, PyObject *keywords)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keywords); i++) {
        PyObject *name = PyTuple_GET_ITEM(keywords, i);
        int option = 0;
        while (option < AO_OPTIONS && !(name == state->options[option] && options[option].of & BIT(q->what))) {
            option++;
        }
        if (option < AO_OPTIONS) {
            if (take_option(state, q, option, values[i]) < 0) {
                return -1;
            }
        } else if (q->nnamed == RUN_ARGS_INLINE || !PyUnicode_CHECK_INTERNED(name)) {
            return -1; /* a name that was made just now may be an option's all the same */
        } else {
            q->names[q->nnamed] = name;
            q->named[q->nnamed++] = values[i];
        }
    }
    return 0;
}

/* Puts the values, of which those by position come first, where the parameters are: those by name are bound first, as
 * Kernel._bind() does. 0 if Python must do it. */
static int bind_names(meaning *m, const request *q)
{
    if (!m->params || PyTuple_GET_SIZE(m->params) != m->nargs) {
        return 0;
    }
    const Py_ssize_t npositional = m->nargs - q->nnamed;
    Py_ssize_t next = 0, found = 0;
    PyObject *positional[RUN_ARGS_INLINE];
    for (Py_ssize_t i = 0; i < npositional; i++) {
        positional[i] = m->values[i];
    }
    m->lead = -1;
    for (Py_ssize_t i = 0; i < m->nargs; i++) {
        PyObject *param = PyTuple_GET_ITEM(m->params, i);
        Py_ssize_t k = 0;
        while (k < q->nnamed && q->names[k] != param && PyUnicode_Compare(q->names[k], param) != 0) {
            k++;
        }
        if (k < q->nnamed) {
            m->values[i] = q->named[k];
            found++;
        } else if (next == npositional) {
            return 0;
        } else {
            m->lead = m->lead < 0 ? i : m->lead;
            m->values[i] = positional[next++];
        }
    }
    return found == q->nnamed && next == npositional;
}

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
static PyObject *map_result(run *r, module_state *state, PyObject *out, char typecode, ao_array *held)
{
    PyObject *result = out ? Py_NewRef(out) : array_new_out(state, typecode, r->count, held);
    if (!result || (r->program ? run_map(r, held, !out, 0, NULL) : call_map(r, held, !out, NULL)) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    return result;
}

/* Whether the numbers among the arguments are plain ones. */
static int plain_numbers(const run *r, const meaning *m)
{
    for (Py_ssize_t i = 0; i < m->nargs; i++) {
        if (!r->is_array[i] && number_code(m->values[i]) < 0) {
            return 0;
        }
    }
    return 1;
}

/* Finds the program, if there is to be one: numbers that are not plain have none. 0 if Python must do it. */
static int settle(run *r, const meaning *m, int filters, unsigned wanted)
{
    if (!m->ready) {
        return plain_numbers(r, m) && has_credit(m->cold, r->count);
    }
    PyObject *program = find_program(r, m, filters, wanted);
    const int bound = program && run_bind(r, program) == 0;
    Py_XDECREF(program);
    return bound;
}

/* What results for such a first array are. Those for Arrow's and pandas' are of their kind, which is for Python to see to
 * (exchange.py), as it is for any type that is not known here. */
enum form { BY_PYTHON, AN_ARRAY, AN_NDARRAY };
static enum form form_of(const module_state *state, PyObject *first)
{
    const PyTypeObject *type = Py_TYPE(first);
    if (type == (PyTypeObject *)state->array_type || type == &PyBytes_Type || type == &PyByteArray_Type
        || type == &PyMemoryView_Type || type == &PyRange_Type || type == state->view_type) {
        return AN_ARRAY;
    }
    if (strcmp(type->tp_name, "mmap.mmap") == 0) {
        return AN_ARRAY;
    }
    const int in_c = !(type->tp_flags & Py_TPFLAGS_HEAPTYPE); /* no class of somebody else's with that name */
    return in_c && strcmp(type->tp_name, "numpy.ndarray") == 0 ? AN_NDARRAY : BY_PYTHON;
}

/* numpy.frombuffer(array, typecode), as labelled.py has it. */
static PyObject *as_ndarray(PyObject *array, char typecode)
{
    PyObject *name = PyUnicode_FromString("numpy"), *numpy = name ? PyImport_GetModule(name) : NULL;
    PyObject *result = numpy ? PyObject_CallMethod(numpy, "frombuffer", "OC", array, typecode) : NULL;
    if (!result && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_ImportError, "numpy is no longer among the modules"); /* somebody took it out of them */
    }
    Py_XDECREF(numpy);
    Py_XDECREF(name);
    Py_DECREF(array);
    return result;
}

/* The typecode of what evaluate() gives if no type is asked for. The program has the type; 0 if Python must do it. */
static char natural_typecode(const run *r)
{
    switch (ao_program_out_type(r->program->program)) {
    case AO_TYPE_f64: return 'd';
    case AO_TYPE_i64: return 'q';
    case AO_TYPE_u8: return 'B';
    default: return 0;
    }
}

/* The result, or NULL: with an exception, or without one if Python must do it. */
static PyObject *run_taken(run *r, module_state *state, meaning *m, const request *q, ao_array *held)
{
    Py_ssize_t lead = m->lead < 0 ? 0 : m->lead;
    while (m->lead < 0 && lead < m->nargs && !r->is_array[lead]) {
        lead++;
    }
    if (lead == m->nargs || !r->is_array[lead]) {
        return NULL;
    }
    const ao_array *first = r->arrays;
    for (Py_ssize_t i = 0; i < lead; i++) {
        first += r->is_array[i];
    }
    const int filters = q->what >= FILTER && q->what <= FIRST, counts = filters && q->what != FILTER;
    const enum form form = q->out || counts ? AN_ARRAY : form_of(state, m->values[lead]);
    const unsigned wanted = q->typecode ? (unsigned)array_type_of(state, q->typecode)
                            : q->what == EVALUATE && !q->out ? SIGNATURE_NATURAL
                                                             : array_stored(q->out ? held : first);
    if (form == BY_PYTHON || !settle(r, m, filters, wanted)) {
        return NULL;
    }
    const char typecode = q->typecode ? q->typecode : wanted == SIGNATURE_NATURAL ? natural_typecode(r) : first->typecode;
    if (counts) {
        return m->ready ? run_count(r, questions[q->what - ANY]) : NULL;
    }
    const int truths = wanted == SIGNATURE_NATURAL && typecode == 'B'; /* NumPy has them, and array.array has not */
    if (!typecode || (form == AN_NDARRAY && (truths || array_type_of(state, typecode) < 0))) {
        return NULL;
    }
    PyObject *result = !filters   ? map_result(r, state, q->out, typecode, held)
                       : m->ready ? run_filter(r, lead)
                                  : call_filter(r, lead);
    return result && form == AN_NDARRAY ? as_ndarray(result, typecode) : result;
}

static PyObject *run_meaning(module_state *state, meaning *m, const request *q)
{
    const int counts = q->what >= ANY && q->what <= FIRST;
    PyObject *lead = m->lead < 0 || q->out || counts ? NULL : m->values[m->lead];
    if (lead && !Py_IS_TYPE(lead, (PyTypeObject *)state->array_type) && form_of(state, lead) == BY_PYTHON) {
        return NULL; /* before its buffer is asked for, which takes pandas 10 us: Python would ask again */
    }
    run r;
    ao_array held;
    array_none(&held);
    PyObject *result = NULL;
    run_none(&r);
    const int done = run_take(&r, state, m->values, m->nvalues, m->oracle, m->nargs, -1) == 0
                     && (!q->out || array_take_out(state, q->out, &held) == 0);
    if (!done) {
        PyErr_Clear();
    } else {
        result = run_taken(&r, state, m, q, &held);
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

/* first: NULL where all values are given by name. */
static PyObject *fast(module_state *state, find *finder, PyObject *f, PyObject *first, PyObject *const *more,
                      Py_ssize_t nmore, const request *q)
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
    for (Py_ssize_t i = 0; i < nmore; i++) {
        m.values[i + 1] = more[i];
    }
    const int found = finder(state, f, &m) && (!q->nnamed || bind_names(&m, q));
    PyObject *result = found ? run_meaning(state, &m, q) : NULL;
    meaning_drop(&m);
    return result;
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

/* What is called as function(array, f, *more), or for EVALUATE as function(text); f may be missing where it may be None. */
static AO_INLINE PyObject *call(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    module_state *state = state_of(module);
    PyObject *result = NULL;
    request q;
    request_none(&q, which);
    const int of_elements = which == ANY || which == ALL || which == COUNT;
    const Py_ssize_t least = which == EVALUATE || of_elements ? 1 : 2;
    if (nargs >= least && nargs <= RUN_ARGS_INLINE && (which != EVALUATE || nargs == 1)
        && (!keywords || take_keywords(state, &q, args + nargs, keywords) == 0)) {
        if (which == EVALUATE) {
            result = fast(state, find_meaning, args[0], NULL, NULL, 0, &q);
        } else {
            PyObject *f = nargs > 1 ? args[1] : Py_None;
            q.out = which == MAP_INPLACE ? args[0] : q.out;
            result = fast(state, find_meaning, of_elements && f == Py_None ? state->element : f, args[0], args + 2,
                          nargs > 2 ? nargs - 2 : 0, &q);
        }
    }
    if (result && which == MAP_INPLACE) {
        Py_DECREF(result);
        return Py_NewRef(Py_None);
    }
    if (result || PyErr_Occurred()) {
        return result;
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
FRONT(front_any, ANY)
FRONT(front_all, ALL)
FRONT(front_count, COUNT)
FRONT(front_first, FIRST)
FRONT(front_evaluate, EVALUATE)

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
static const front_function functions[AO_FRONTS] = {
    front_map, front_map_inplace, front_filter, front_any, front_all, front_count, front_first, front_evaluate,
    front_sum, front_min,         front_max,
};

static PyObject *kernel_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *keywords)
{
    module_state *state = ((KernelObject *)self)->state;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    request q;
    request_none(&q, KERNEL);
    if (state && nargs >= 1 && nargs < RUN_ARGS_INLINE && (!keywords || take_keywords(state, &q, args + nargs, keywords) == 0)) {
        PyObject *result = fast(state, of_kernel, self, args[0], args + 1, nargs - 1, &q);
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
    for (size_t i = 0; i < AO_OPTIONS; i++) {
        state->options[i] = PyUnicode_InternFromString(options[i].name);
        if (!state->options[i]) {
            return -1;
        }
    }
    state->map_name = PyUnicode_InternFromString("map");
    state->element = PyUnicode_InternFromString("x");
    state->kernel_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &kernel_spec, NULL);
    return state->map_name && state->element && state->kernel_type ? PyModule_AddType(module, state->kernel_type) : -1;
}

PyMethodDef front_methods[] = {
    FAST_FUNCTION("front", py_front),
    END_OF_FUNCTIONS,
};
