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
#include "callback.h"
#include "filter.h"
#include "fold.h"
#include "known.h"
#include "map.h"
#include "moments.h"
#include "reductions.h"
#include "../../vm/portable.h"

#include <stdatomic.h>
#include <structmember.h>
#include <string.h>

/* The functions: those that are given a text or function, those that have a text of their own, others; and a call of a kernel,
 * which is a map. */
enum { MAP, MAP_INPLACE, FILTER, ANY, ALL, COUNT, FIRST, EVALUATE, REDUCE, ACCUMULATE,
       ADD, SUBTRACT, MULTIPLY, DIVIDE, SCALE, CLIP,
       SUM, MIN, MAX, MINMAX, MEAN, VAR, STD, DOT, KERNEL };
_Static_assert((int)KERNEL == (int)AO_FRONTS, "all but the kernel are functions");
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
    [ADD - ADD] = {MAP, "x + y", 0, 0},
    [SUBTRACT - ADD] = {MAP, "x - y", 0, 0},
    [MULTIPLY - ADD] = {MAP, "x * y", 0, 0},
    [DIVIDE - ADD] = {MAP, "x / y", 0, 0},
    [SCALE - ADD] = {MAP_INPLACE, "x * factor", 1, 0},
    [CLIP - ADD] = {MAP_INPLACE, "lo if x < lo else hi if x > hi else x", 2, 1},
};
static const char *const fixed_names[] = {"factor", "lo", "hi"};
enum { FIXED = sizeof fixed / sizeof *fixed, FIXED_NAMES = sizeof fixed_names / sizeof *fixed_names };
_Static_assert((int)FIXED + (int)FIXED_NAMES == (int)AO_FIXED, "the texts, then the names");

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
    PyObject *initial; /* of a fold, or NULL */
    PyObject *missing; /* what first() gives if there is none, or NULL */
    PyObject *ddof;    /* or NULL */
    int alike;         /* numbers that are floats go with arrays of floats only */
    Py_ssize_t nnamed; /* values for the names of a text */
    PyObject *names[RUN_ARGS_INLINE], *named[RUN_ARGS_INLINE];
} request;

/* Field by field: clearing the tables takes a tenth of a short call. */
static inline void request_none(request *q, int what)
{
    q->what = what;
    q->typecode = 0;
    q->out = q->initial = q->missing = q->ddof = NULL;
    q->alike = 0;
    q->nnamed = 0;
}

#define BIT(which) (1u << (which))
#define MAPS (BIT(MAP) | BIT(EVALUATE) | BIT(KERNEL))
#define PREDICATES (BIT(FILTER) | BIT(ANY) | BIT(ALL) | BIT(COUNT) | BIT(FIRST))
#define FOLDS (BIT(REDUCE) | BIT(ACCUMULATE))
#define ARITHMETIC (BIT(ADD) | BIT(SUBTRACT) | BIT(MULTIPLY) | BIT(DIVIDE))
#define GIVEN (BIT(ADD) - 1) /* a text or function */
#define PLAIN (BIT(KERNEL) - BIT(SUM)) /* neither */

/* Keywords that are no names: of which functions, and what they are where nothing is asked for. Python serves other values,
 * but for those that have a place in the request. */
enum { OUT, TYPECODE, INITIAL, DEFAULT, DDOF };
static const struct {
    const char *name;
    unsigned of;
    enum { IS_NONE, IS_FALSE, IS_TRUE, IS_NOTHING } otherwise;
} options[AO_OPTIONS] = {
    {"out", MAPS | ARITHMETIC, IS_NONE},
    {"typecode", MAPS | ARITHMETIC | BIT(ACCUMULATE), IS_NONE},
    {"initial", FOLDS, IS_NONE},
    {"default", BIT(FIRST), IS_NOTHING},
    {"ddof", BIT(VAR) | BIT(STD), IS_NOTHING},
    {"threads", MAPS | BIT(MAP_INPLACE), IS_NONE},
    {"nulls", ~(BIT(SCALE) | BIT(CLIP)), IS_NONE},
    {"names", GIVEN | BIT(KERNEL), IS_NONE},
    {"ieee", GIVEN, IS_FALSE},
    {"compile", GIVEN & ~BIT(EVALUATE), IS_TRUE},
    {"strict", GIVEN & ~BIT(EVALUATE), IS_FALSE},
    {"nan", PLAIN & ~BIT(DOT), IS_NONE},
};

/* The machine type of array.array's typecode, or -1. */
static int array_type_of(const module_state *state, int letter)
{
    return letter >= 0 && letter < 128 ? state->array_types[letter] - 1 : -1;
}

static int take_option(const module_state *state, request *q, int option, PyObject *value)
{
    switch (options[option].otherwise) {
    case IS_NONE:
        if (value == Py_None) {
            return 0;
        }
        break;
    case IS_FALSE: return value == Py_False ? 0 : -1;
    case IS_TRUE: return value == Py_True ? 0 : -1;
    case IS_NOTHING: break;
    }
    switch (option) {
    case OUT: q->out = value; return 0;
    case INITIAL: q->initial = value; return 0;
    case DEFAULT: q->missing = value; return 0;
    case DDOF: q->ddof = value; return 0;
    case TYPECODE: break;
    default: return -1;
    }
    const int is_letter = PyUnicode_CheckExact(value) && PyUnicode_GET_LENGTH(value) == 1;
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

/* Whether an accumulator begins as an int from 0 up. */
static int is_unsigned(PyObject *acc)
{
    ao_value value;
    return PyLong_CheckExact(acc) && number_to_value(AO_TYPE_u64, acc, &value) == 0;
}

static AO_INLINE PyObject *find_program(const run *r, const meaning *m, int does, unsigned wanted)
{
    uint64_t signature = signature_begin(does, wanted);
    unsigned input = 0;
    if (does == SIGNATURE_FOLD) {
        signature = signature_add(signature, (unsigned)is_unsigned(m->values[0]));
    }
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
    const int does = filters ? SIGNATURE_FILTER : SIGNATURE_MAP;
    PyObject *program = find_program(r, m, does, filters ? (unsigned)AO_TYPE_b1 : wanted);
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
static PyObject *as_ndarray(const module_state *state, PyObject *array, char typecode)
{
    PyObject *numpy = PyImport_GetModule(state->numpy_name), *letter = numpy ? PyUnicode_FromOrdinal(typecode) : NULL;
    PyObject *const args[] = {numpy, array, letter};
    PyObject *result = letter ? PyObject_VectorcallMethod(state->frombuffer_name, args, 3, NULL) : NULL;
    if (!result && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_ImportError, "numpy is no longer among the modules"); /* somebody took it out of them */
    }
    Py_XDECREF(numpy);
    Py_XDECREF(letter);
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

/* Whether no number is a float, or the array is one of floats. */
static int are_alike(const run *r, const meaning *m, const ao_array *first)
{
    for (Py_ssize_t i = 0; i < m->nargs && !is_float(first->type); i++) {
        if (!r->is_array[i] && !PyLong_CheckExact(m->values[i])) {
            return 0;
        }
    }
    return 1;
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
    if (form == BY_PYTHON || (q->alike && !are_alike(r, m, first)) || !settle(r, m, filters, wanted)) {
        return NULL;
    }
    const char typecode = q->typecode ? q->typecode : wanted == SIGNATURE_NATURAL ? natural_typecode(r) : first->typecode;
    if (counts) {
        PyObject *answer = m->ready ? run_count(r, questions[q->what - ANY]) : NULL;
        if (answer && q->missing && PyLong_AsSsize_t(answer) < 0) {
            Py_SETREF(answer, Py_NewRef(q->missing));
        }
        return answer;
    }
    const int truths = wanted == SIGNATURE_NATURAL && typecode == 'B'; /* NumPy has them, and array.array has not */
    if (!typecode || (form == AN_NDARRAY && (truths || array_type_of(state, typecode) < 0))) {
        return NULL;
    }
    PyObject *result = !filters   ? map_result(r, state, q->out, typecode, held)
                       : m->ready ? run_filter(r, lead)
                                  : call_filter(r, lead);
    return result && form == AN_NDARRAY ? as_ndarray(state, result, typecode) : result;
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
    m->asked = run_close(&r);
    return result;
}

/* -- folds ----------------------------------------------------------------------------------------------------------- */

enum { FOLD_TRIES = 4 }; /* elements given to Python while the accumulator's type settles (int, then float): as folds.py has it */

static int is_plain_number(PyObject *object)
{
    return PyFloat_CheckExact(object) || PyLong_CheckExact(object) || PyBool_Check(object);
}

/* Stores a value of the accumulator; no out, nothing to do. */
static int store_acc(const run *r, const ao_array *out, size_t index, PyObject *acc)
{
    if (!out) {
        return 0;
    }
    PyObject *scratch = array_scratch(r->state, out->typecode);
    const size_t size = ao_type_sizes[out->type];
    const int status = scratch ? element_set(out->type, (char *)out->data + index * size, acc, scratch) : -1;
    Py_XDECREF(scratch);
    return status;
}

/* The fold of an accumulator from element `from` on, the first so many of them by Python until there is a program. out: as
 * run_fold() has it. */
static PyObject *fold_from(run *r, meaning *m, PyObject *first, size_t from, ao_array *out, unsigned wanted)
{
    PyObject *acc = Py_NewRef(first), *result = NULL;
    int tries = 0;
    for (; tries < FOLD_TRIES && from < r->count && is_plain_number(acc); tries++, from++) {
        m->values[0] = acc;
        PyObject *program = find_program(r, m, SIGNATURE_FOLD, wanted);
        if (program && program != Py_None) {
            result = run_bind(r, program) == 0 ? run_fold(r, from, out, 0) : NULL;
            Py_DECREF(program);
            break;
        }
        Py_XDECREF(program);
        PyObject *next = program ? run_ask(r, from, acc) : NULL;
        if (!next) {
            break;
        }
        Py_SETREF(acc, next);
        if (store_acc(r, out, from, acc) < 0) {
            break;
        }
    }
    if (out && tries && !result && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear(); /* running values that begin as another type are Python's, with no word of the element that raises */
    }
    m->values[0] = first;
    Py_DECREF(acc);
    return result;
}

/* The same of a buffer that has been taken: from its own first element if there is no other, to one number or to all. */
static PyObject *fold_taken(run *r, meaning *m, const request *q, ao_array *held)
{
    const ao_array *array = r->arrays;
    const int given = q->initial != NULL;
    char local[8];
    PyObject *first = given ? Py_NewRef(q->initial) : element_get(array->type, array_element(array, 0, local)), *result = NULL;
    if (first && q->what == REDUCE) {
        result = fold_from(r, m, first, !given, NULL, SIGNATURE_NATURAL);
    } else if (first) {
        const char typecode = q->typecode ? q->typecode : array->typecode;
        const int type = array_type_of(r->state, typecode);
        result = type < 0 ? NULL : array_new_out(r->state, typecode, r->count + (size_t)given, held);
        ao_array out = *held; /* the values behind the first one that was given */
        if (result && store_acc(r, &out, 0, first) < 0) {
            Py_CLEAR(result);
        }
        out.data = result && given ? (char *)out.data + ao_type_sizes[type] : out.data;
        out.count -= result && given;
        PyObject *last = result ? fold_from(r, m, first, !given, &out, (unsigned)type) : NULL;
        if (!last) {
            Py_CLEAR(result);
        }
        Py_XDECREF(last);
    }
    Py_XDECREF(first);
    return result;
}

/* Which exception of accumulate() comes first depends on all elements, and a step by Python is another one there: those are for
 * Python to raise. */
static void leave_to_python(int what, const run *r)
{
    const int of_store = PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_OverflowError);
    if ((what == ACCUMULATE && of_store) || (!r->program && PyErr_ExceptionMatches(PyExc_Exception))) {
        PyErr_Clear();
    }
}

/* m->values are the accumulator and the buffer, then what has a name. */
static PyObject *run_step(module_state *state, meaning *m, const request *q)
{
    const enum form form = q->what == REDUCE ? AN_ARRAY : form_of(state, m->values[1]);
    if (form == BY_PYTHON || !m->ready) {
        return NULL;
    }
    run r;
    ao_array held;
    array_none(&held);
    run_none(&r);
    PyObject *result = NULL;
    if (run_take(&r, state, m->values, m->nvalues, m->oracle, m->nargs, 0) < 0) {
        PyErr_Clear();
    } else if (r.is_array[1] && r.count) {
        result = fold_taken(&r, m, q, &held);
        if (!result && PyErr_Occurred()) {
            leave_to_python(q->what, &r);
        }
    }
    const char typecode = held.held ? held.typecode : 0;
    array_release(&held);
    run_close(&r);
    return result && form == AN_NDARRAY ? as_ndarray(state, result, typecode) : result;
}

static PyObject *run_found(module_state *state, meaning *m, const request *q)
{
    return BIT(q->what) & FOLDS ? run_step(state, m, q) : run_meaning(state, m, q);
}

/* -- the functions --------------------------------------------------------------------------------------------------- */

/* What a step of a fold means: a text or a function. */
static int find_step(module_state *state, PyObject *f, meaning *m)
{
    return PyUnicode_CheckExact(f) ? known_text(state, AO_STEP, f, m) : PyFunction_Check(f) && known_function(state, f, m);
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

/* first: NULL where all values are given by name. asked: NULL, or what gets the number of elements that the oracle was asked
 * for. */
static AO_INLINE PyObject *fast(module_state *state, find *finder, PyObject *f, PyObject *first, PyObject *const *more,
                                Py_ssize_t nmore, const request *q, Py_ssize_t *asked)
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
    int found = finder(state, f, &m) && (!q->nnamed || bind_names(&m, q));
    if (!found && m.params && q->nnamed == PyTuple_GET_SIZE(m.params) && BIT(q->what) & PREDICATES && PyUnicode_CheckExact(f)) {
        meaning_drop(&m);
        m.ready = m.oracle = m.params = NULL;
        found = known_text(state, AO_OF_NAMES, f, &m) && bind_names(&m, q);
    }
    found = found && (!(BIT(q->what) & FOLDS) || (m.values[0] == first && m.values[1] == more[0])); /* these have no names */
    PyObject *result = found ? run_found(state, &m, q) : NULL;
    if (asked && result) {
        *asked = (Py_ssize_t)m.asked;
    }
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
            result = fast(state, find_meaning, args[0], NULL, NULL, 0, &q, NULL);
        } else {
            PyObject *f = nargs > 1 ? args[1] : Py_None;
            q.out = which == MAP_INPLACE ? args[0] : q.out;
            result = fast(state, find_meaning, of_elements && f == Py_None ? state->element : f, args[0], args + 2,
                          nargs > 2 ? nargs - 2 : 0, &q, NULL);
        }
    }
    return or_slow(result, which == MAP_INPLACE, module, which, args, nargs, keywords);
}

/* Whether a keyword is that option. */
static int has_option(const module_state *state, int option, PyObject *keywords)
{
    for (Py_ssize_t i = 0; keywords && i < PyTuple_GET_SIZE(keywords); i++) {
        if (PyTuple_GET_ITEM(keywords, i) == state->options[option]) {
            return 1;
        }
    }
    return 0;
}

/* reduce(array, f, initial), accumulate(array, f) */
static AO_INLINE PyObject *call_fold(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    module_state *state = state_of(module);
    PyObject *result = NULL;
    request q;
    request_none(&q, which);
    const int fits = which == REDUCE ? nargs == 2 || (nargs == 3 && !has_option(state, INITIAL, keywords))
                                     : nargs == 1 || nargs == 2;
    if (fits && (!keywords || take_keywords(state, &q, args + nargs, keywords) == 0)) {
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
static AO_INLINE PyObject *call_fixed(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    module_state *state = state_of(module);
    PyObject *text = state->fixed[which - ADD], *result = NULL;
    request q;
    request_none(&q, which);
    const int in_place = fixed[which - ADD].is == MAP_INPLACE;
    const Py_ssize_t numbers = fixed[which - ADD].numbers;
    if (in_place && nargs == 1 + numbers && !keywords && are_bounds(args + 1, numbers)) {
        q.what = MAP_INPLACE;
        q.out = args[0];
        q.alike = 1;
        q.nnamed = numbers;
        for (Py_ssize_t i = 0; i < numbers; i++) {
            q.names[i] = state->fixed[FIXED + fixed[which - ADD].first_name + i];
            q.named[i] = args[1 + i];
        }
        result = fast(state, find_meaning, text, args[0], NULL, 0, &q, NULL);
    } else if (!in_place && nargs == 2 && (!keywords || take_keywords(state, &q, args + nargs, keywords) == 0) && !q.nnamed) {
        q.what = MAP;
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
static int take_plain_keywords(const module_state *state, int which, PyObject *const *values, PyObject *keywords,
                               Py_ssize_t *ddof)
{
    request q;
    request_none(&q, which);
    if (take_keywords(state, &q, values, keywords) < 0 || q.nnamed) {
        return -1;
    }
    *ddof = q.ddof ? (PyLong_CheckExact(q.ddof) ? PyLong_AsSsize_t(q.ddof) : -1) : 0;
    PyErr_Clear();
    return *ddof < 0 ? -1 : 0;
}

/* What looks at the elements themselves. The functions give None where Python must do it. */
static AO_INLINE PyObject *call_plain(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    const module_state *state = state_of(module);
    PyObject *found = NULL;
    const int count = which == DOT ? 2 : 1;
    Py_ssize_t ddof = 0;
    const int asked = nargs == count && (!keywords || take_plain_keywords(state, which, args + nargs, keywords, &ddof) == 0);
    if (asked && is_one_buffer(state, args[0]) && (count < 2 || is_one_buffer(state, args[1]))) {
        switch (which) {
        case SUM: found = sum_of(state, args[0]); break;
        case MIN: found = extreme_of(state, args[0], 0); break;
        case MAX: found = extreme_of(state, args[0], 1); break;
        case MINMAX: found = extremes_of(state, args[0]); break;
        case MEAN: found = mean_of(state, args[0]); break;
        case VAR: found = spread_of(state, args[0], SPREAD_VARIANCE, (size_t)ddof); break;
        case STD: found = spread_of(state, args[0], SPREAD_DEVIATION, (size_t)ddof); break;
        case DOT: found = dot_of(state, args[0], args[1]); break;
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
FRONT(front_map, call, MAP)
FRONT(front_map_inplace, call, MAP_INPLACE)
FRONT(front_filter, call, FILTER)
FRONT(front_any, call, ANY)
FRONT(front_all, call, ALL)
FRONT(front_count, call, COUNT)
FRONT(front_first, call, FIRST)
FRONT(front_evaluate, call, EVALUATE)
FRONT(front_reduce, call_fold, REDUCE)
FRONT(front_accumulate, call_fold, ACCUMULATE)
FRONT(front_add, call_fixed, ADD)
FRONT(front_subtract, call_fixed, SUBTRACT)
FRONT(front_multiply, call_fixed, MULTIPLY)
FRONT(front_divide, call_fixed, DIVIDE)
FRONT(front_scale, call_fixed, SCALE)
FRONT(front_clip, call_fixed, CLIP)
FRONT(front_sum, call_plain, SUM)
FRONT(front_min, call_plain, MIN)
FRONT(front_max, call_plain, MAX)
FRONT(front_minmax, call_plain, MINMAX)
FRONT(front_mean, call_plain, MEAN)
FRONT(front_var, call_plain, VAR)
FRONT(front_std, call_plain, STD)
FRONT(front_dot, call_plain, DOT)

typedef PyObject *(*front_function)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
static const front_function functions[AO_FRONTS] = {
    front_map, front_map_inplace, front_filter, front_any, front_all, front_count, front_first, front_evaluate,
    front_reduce, front_accumulate, front_add, front_subtract, front_multiply, front_divide, front_scale, front_clip,
    front_sum, front_min, front_max, front_minmax, front_mean, front_var, front_std, front_dot,
};

static PyObject *kernel_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *keywords)
{
    module_state *state = ((KernelObject *)self)->state;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    request q;
    request_none(&q, KERNEL);
    if (state && nargs >= 1 && nargs < RUN_ARGS_INLINE && (!keywords || take_keywords(state, &q, args + nargs, keywords) == 0)) {
        PyObject *result = fast(state, of_kernel, self, args[0], args + 1, nargs - 1, &q, &((KernelObject *)self)->by_python);
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
    for (size_t i = 0; i < AO_OPTIONS; i++) {
        state->options[i] = PyUnicode_InternFromString(options[i].name);
        if (!state->options[i]) {
            return -1;
        }
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
    END_OF_FUNCTIONS,
};
