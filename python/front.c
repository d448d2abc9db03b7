/* The fast way in: map, map_inplace, filter, sum, min, max and calls of kernels that need nothing from Python.
 *
 * api.py defines each of these in full; front() puts a C function of the same name and documentation before it. That one
 * serves the calls whose program is known already, with no keyword but out, and those of functions that are just called,
 * and leaves all others, errors included, to the Python function. So it decides nothing: it only finds again what Python
 * found for the same text or code object and the same types of arguments. KernelBase does the same for Kernel.
 *
 * Programs are found by a signature, a number made of the types (py_signature). Python registers them (plans.py).
 */
#include "runs.h"

#include <structmember.h>
#include <string.h>

enum { MAP, MAP_INPLACE, FILTER, SUM, MIN, MAX };
static const char *const names[AO_FRONTS] = {"map", "map_inplace", "filter", "sum", "min", "max"};

/* Small tables of what was found last, in the module's state; without the GIL they would need locks. */
#ifdef Py_GIL_DISABLED
enum { RECENT = 0 };
#else
enum { RECENT = 1 };
#endif

enum { MOST_VALUES = 10 }; /* arguments and captured numbers: 5 bits each of a signature */

/* -- Entry: what is known of a code object --------------------------------------------------------------------------- */

/* Fields of a functions.Translation. */
enum { T_GUARDS, T_SLOTS, T_READY, T_FIELDS };

typedef struct {
    PyObject_HEAD
    PyObject *held;         /* keeps the object alive whose id is in the key */
    PyObject *translations; /* tuple */
    Py_ssize_t credit;      /* elements that are called before it is decoded (again) */
} EntryObject;

static PyObject *entry_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"held", "credit", NULL};
    PyObject *held;
    Py_ssize_t credit;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "On:Entry", keywords, &held, &credit)) {
        return NULL;
    }
    EntryObject *self = (EntryObject *)type->tp_alloc(type, 0);
    if (self) {
        self->held = Py_NewRef(held);
        self->translations = PyTuple_New(0);
        self->credit = credit;
        if (!self->translations) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

static int entry_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((EntryObject *)self)->held);
    Py_VISIT(((EntryObject *)self)->translations);
    return 0;
}

static int entry_clear(PyObject *self)
{
    Py_CLEAR(((EntryObject *)self)->held);
    Py_CLEAR(((EntryObject *)self)->translations);
    return 0;
}

static void entry_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    entry_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *entry_get_translations(PyObject *self, void *closure)
{
    (void)closure;
    return Py_NewRef(((EntryObject *)self)->translations);
}

static int is_translation(PyObject *t)
{
    return PyTuple_Check(t) && PyTuple_GET_SIZE(t) >= T_FIELDS && are_guards(PyTuple_GET_ITEM(t, T_GUARDS))
           && are_slots(PyTuple_GET_ITEM(t, T_SLOTS))
           && (PyTuple_GET_ITEM(t, T_READY) == Py_None || PyDict_CheckExact(PyTuple_GET_ITEM(t, T_READY)));
}

static int entry_set_translations(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    int good = value && PyTuple_CheckExact(value);
    for (Py_ssize_t i = 0; good && i < PyTuple_GET_SIZE(value); i++) {
        good = is_translation(PyTuple_GET_ITEM(value, i));
    }
    if (!good) {
        PyErr_SetString(PyExc_TypeError, "a tuple of translations is needed");
        return -1;
    }
    Py_XSETREF(((EntryObject *)self)->translations, Py_NewRef(value));
    return 0;
}

static PyMemberDef entry_members[] = {
    {"held", T_OBJECT_EX, offsetof(EntryObject, held), READONLY, NULL},
    {"credit", T_PYSSIZET, offsetof(EntryObject, credit), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef entry_getset[] = {
    {"translations", entry_get_translations, entry_set_translations, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot entry_slots[] = {
    {Py_tp_doc, "Entry(held, credit)\n--\n\nWhat is known of the object `held`, which is called for `credit` elements first."},
    {Py_tp_new, entry_new},
    {Py_tp_dealloc, entry_dealloc},
    {Py_tp_traverse, entry_traverse},
    {Py_tp_clear, entry_clear},
    {Py_tp_members, entry_members},
    {Py_tp_getset, entry_getset},
    {0, NULL},
};

static PyType_Spec entry_spec = {
    .name = "arrayops._machine.Entry",
    .basicsize = sizeof(EntryObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = entry_slots,
};

/* -- signatures ------------------------------------------------------------------------------------------------------ */

/* One value of a signature: the type of an array, or NUMBER plus the narrowest type that holds a number. */
enum { NUMBER = 16 };

static uint64_t add_code(uint64_t signature, unsigned code)
{
    return signature << 5 | code;
}

static uint64_t begin_signature(int filters, unsigned wanted)
{
    return add_code(2 | (unsigned)filters, wanted);
}

/* The code of an exact number, or -1: a subclass, or an int that no type holds. */
static int number_code(PyObject *number)
{
    static const enum ao_type lanes[] = {AO_TYPE_i16, AO_TYPE_i32, AO_TYPE_i64, AO_TYPE_u64};
    if (PyFloat_CheckExact(number)) {
        return NUMBER + AO_TYPE_f64;
    }
    if (PyBool_Check(number)) {
        return NUMBER + AO_TYPE_b1;
    }
    for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++) {
        ao_value value;
        if (number_to_value(lanes[i], number, &value) == 0) {
            return NUMBER + (int)lanes[i];
        }
    }
    return -1;
}

/* signature(filters, wanted, codes) -> int; None if there is none. codes: the index in TYPES of each array, 16 plus that
 * of each number. wanted: the index of the result's type. */
PyObject *py_signature(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module;
    if (nargs != 3 || !PyTuple_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "signature(filters, wanted, codes)");
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(args[2]);
    if (count > MOST_VALUES) {
        return Py_NewRef(Py_None);
    }
    uint64_t signature = begin_signature(PyObject_IsTrue(args[0]), (unsigned)PyLong_AsUnsignedLong(args[1]) & 31);
    for (Py_ssize_t i = 0; i < count; i++) {
        signature = add_code(signature, (unsigned)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(args[2], i)) & 31);
    }
    return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLongLong(signature);
}

/* -- what a call means ----------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject *ready;     /* dict of programs by signature; NULL: the oracle is called for each element */
    PyObject *oracle;
    EntryObject *cold;   /* of a function that may have to be decoded now */
    Py_ssize_t nargs;    /* values of the call itself; the captured numbers follow */
    Py_ssize_t nvalues;
    PyObject *values[MOST_VALUES];
} meaning;

static void drop(meaning *m)
{
    Py_XDECREF(m->ready);
    Py_XDECREF(m->oracle);
    Py_XDECREF(m->cold);
    for (Py_ssize_t i = m->nargs; i < m->nvalues; i++) {
        Py_DECREF(m->values[i]);
    }
}

/* (ready, oracle) */
static int of_pair(PyObject *known, meaning *m)
{
    if (!PyTuple_CheckExact(known) || PyTuple_GET_SIZE(known) != 2 || !PyDict_CheckExact(PyTuple_GET_ITEM(known, 0))) {
        return 0;
    }
    m->ready = Py_NewRef(PyTuple_GET_ITEM(known, 0));
    m->oracle = Py_NewRef(PyTuple_GET_ITEM(known, 1));
    return 1;
}

/* A text is most often the same object as at the last call. */
static int of_text(module_state *state, PyObject *text, meaning *m)
{
    recent_text *recent = &state->recent_texts[((uintptr_t)text >> 4) % AO_RECENT];
    if (RECENT && recent->text == text) {
        return of_pair(recent->meaning, m);
    }
    PyObject *known = PyDict_GetItemWithError(state->texts, text);
    if (!known || !of_pair(known, m)) {
        return 0;
    }
    if (RECENT) {
        recent_text before = *recent;
        *recent = (recent_text){Py_NewRef(text), Py_NewRef(known)};
        Py_XDECREF(before.text); /* only now: this may run any code */
        Py_XDECREF(before.meaning);
    }
    return 1;
}

static int of_translation(module_state *state, PyObject *function, PyObject *translation, meaning *m)
{
    PyObject *slots = PyTuple_GET_ITEM(translation, T_SLOTS), *ready = PyTuple_GET_ITEM(translation, T_READY);
    Py_ssize_t count = PyTuple_GET_SIZE(slots);
    if (m->nargs + count > MOST_VALUES
        || !capture(state, function, PyTuple_GET_ITEM(translation, T_GUARDS), slots, m->values + m->nargs)) {
        return 0;
    }
    m->nvalues = m->nargs + count;
    m->ready = ready == Py_None ? NULL : Py_NewRef(ready);
    return 1;
}

static int of_function(module_state *state, PyObject *function, meaning *m)
{
    uintptr_t id = (uintptr_t)PyFunction_GET_CODE(function);
    PyObject *key = PyLong_FromUnsignedLongLong((unsigned long long)id * 16 + (unsigned long long)m->nargs);
    PyObject *known = key ? PyDict_GetItemWithError(state->entries, key) : NULL;
    Py_XDECREF(key);
    if (!known || !Py_IS_TYPE(known, state->entry_type)) {
        return 0;
    }
    m->cold = (EntryObject *)Py_NewRef(known);
    m->oracle = Py_NewRef(function);
    PyObject *translations = Py_NewRef(m->cold->translations);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(translations); i++) {
        if (of_translation(state, function, PyTuple_GET_ITEM(translations, i), m)) {
            Py_CLEAR(m->cold);
            break;
        }
    }
    Py_DECREF(translations);
    return 1;
}

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
    PyObject *front = ((KernelObject *)kernel)->front;
    if (front && PyTuple_CheckExact(front)) {
        return of_pair(front, m);
    }
    /* a kernel's function is decoded at its first call, by Python */
    return front && PyFunction_Check(front) && of_function(state, front, m) && !m->cold;
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

/* A dict of programs never changes what a signature means. */
static PyObject *program_of(module_state *state, PyObject *ready, uint64_t signature)
{
    uint64_t mixed = (signature ^ (uintptr_t)ready >> 4) * UINT64_C(0x9E3779B97F4A7C15);
    recent_program *recent = &state->recent_programs[mixed >> 58];
    if (RECENT && recent->ready == ready && recent->signature == signature) {
        return recent->program;
    }
    PyObject *key = PyLong_FromUnsignedLongLong(signature);
    PyObject *program = key ? PyDict_GetItemWithError(ready, key) : NULL;
    Py_XDECREF(key);
    if (RECENT && program) {
        recent_program before = *recent;
        *recent = (recent_program){Py_NewRef(ready), Py_NewRef(program), signature};
        Py_XDECREF(before.ready);
        Py_XDECREF(before.program);
    }
    return program;
}

static PyObject *find_program(const run *r, const meaning *m, int filters, enum ao_type wanted)
{
    uint64_t signature = begin_signature(filters, filters ? AO_TYPE_b1 : (unsigned)wanted);
    unsigned input = 0;
    for (Py_ssize_t i = 0; i < m->nvalues; i++) {
        int code = r->is_array[i] ? (int)r->arrays[input++].type : number_code(m->values[i]);
        if (code < 0) {
            return NULL;
        }
        signature = add_code(signature, (unsigned)code);
    }
    return program_of(r->state, m->ready, signature);
}

/* Whether a function that is not decoded may be called for so many elements more. */
static int has_credit(EntryObject *cold, size_t count)
{
    if (cold && (size_t)cold->credit <= count) {
        return 0;
    }
    if (cold) {
        cold->credit -= (Py_ssize_t)count;
    }
    return 1;
}

/* Fills out, or a new array; returns it. */
static PyObject *map_result(run *r, module_state *state, PyObject *out, ao_array *held)
{
    PyObject *result = out ? Py_NewRef(out) : array_new(state, r->arrays[0].typecode, r->count);
    if (result && !out && array_take_out(state, result, held) < 0) {
        Py_CLEAR(result);
    }
    if (!result || (r->program ? run_map(r, held, !out, 0) : call_map(r, held, !out)) < 0) {
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
static int settle(run *r, const meaning *m, int filters, enum ao_type wanted)
{
    if (!m->ready) {
        return has_credit(m->cold, r->count);
    }
    PyObject *program = find_program(r, m, filters, wanted);
    return program && run_bind(r, program, -1) == 0;
}

/* Whether results for such a first array are array.array's. Those for NumPy's and Arrow's are of their kind, which is for
 * Python to see to (exchange.py), as it is for any type that is not known here. */
static int gives_array(const module_state *state, PyObject *first)
{
    const PyTypeObject *type = Py_TYPE(first);
    return type == (PyTypeObject *)state->array_type || type == &PyBytes_Type || type == &PyByteArray_Type
           || type == &PyMemoryView_Type || type == state->view_type || strcmp(type->tp_name, "mmap.mmap") == 0;
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
        || run_take(&r, state, m->oracle, m->values, m->nvalues, m->nargs) < 0 || !r.is_array[0]
        || (out && array_take_out(state, out, &held) < 0) || !plain_numbers(&r, m)
        || !settle(&r, m, filters, out ? held.type : r.arrays[0].type)) {
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
        return of_text(state, f, m);
    }
    if (PyFunction_Check(f)) {
        return of_function(state, f, m);
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
    drop(&m);
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
    return PyObject_Vectorcall(state->slow[which], args, (size_t)nargs, keywords);
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

/* Not so Arrow data, which Python takes in. */
static int is_one_buffer(PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    return nargs == 1 && !keywords && PyObject_CheckBuffer(args[0]);
}

static PyObject *front_sum(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    PyObject *found = is_one_buffer(args, nargs, keywords) ? run_sum(module, args[0]) : Py_NewRef(Py_None);
    return or_slow(found, module, SUM, args, nargs, keywords);
}

static PyObject *front_extreme(PyObject *module, int which, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    PyObject *found = is_one_buffer(args, nargs, keywords) ? run_extreme(module, args[0], which == MAX) : Py_NewRef(Py_None);
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

/* front(function, documentation) -> the fast way to a Python function of one of the names.
 *
 * documentation begins with the signature as CPython's own builtins have it, "name(arguments)\n--\n\n". */
PyObject *py_front(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
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
    if (which == AO_FRONTS || !text || state->slow[which]) {
        PyErr_Format(PyExc_ValueError, "front(): %R", name);
        return NULL;
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
    state->texts = PyDict_New();
    state->entries = PyDict_New();
    state->out_name = PyUnicode_InternFromString("out");
    state->map_name = PyUnicode_InternFromString("map");
    state->entry_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &entry_spec, NULL);
    state->kernel_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &kernel_spec, NULL);
    if (!state->texts || !state->entries || !state->out_name || !state->map_name || !state->entry_type
        || !state->kernel_type || PyModule_AddType(module, state->entry_type) < 0
        || PyModule_AddType(module, state->kernel_type) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "TEXTS", state->texts) < 0
                   || PyModule_AddObjectRef(module, "ENTRIES", state->entries) < 0
               ? -1
               : 0;
}
