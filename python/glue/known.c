/* What Python found out before, for the fast way in: nothing here decides, it only finds again.
 *
 * Python registers texts and code objects (kernel.py, functions.py) and programs by signature (plans.py).
 */
#include "known.h"
#include "captures.h"
#include "numbers.h"

#include <structmember.h>

/* -- Entry: what is known of a code object --------------------------------------------------------------------------- */

/* Fields of a functions.Translation. */
enum { T_GUARDS, T_SLOTS, T_READY, T_FIELDS };

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

static PyObject *translations_of(PyObject *self)
{
    PyObject *translations;
    Py_BEGIN_CRITICAL_SECTION(self);
    translations = Py_NewRef(((EntryObject *)self)->translations);
    Py_END_CRITICAL_SECTION();
    return translations;
}

static PyObject *entry_get_translations(PyObject *self, void *closure)
{
    (void)closure;
    return translations_of(self);
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
    PyObject *before;
    Py_BEGIN_CRITICAL_SECTION(self);
    before = ((EntryObject *)self)->translations;
    ((EntryObject *)self)->translations = Py_NewRef(value);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(before);
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

const enum ao_type number_lanes[NUMBER_LANES] = {AO_TYPE_i16, AO_TYPE_i32, AO_TYPE_i64, AO_TYPE_u64};

int number_code(PyObject *number)
{
    if (PyFloat_CheckExact(number)) {
        return SIGNATURE_NUMBER + AO_TYPE_f64;
    }
    if (PyBool_Check(number)) {
        return SIGNATURE_NUMBER + AO_TYPE_b1;
    }
    for (size_t i = 0; i < NUMBER_LANES; i++) {
        ao_value value;
        if (number_to_value(number_lanes[i], number, &value) == 0) {
            return SIGNATURE_NUMBER + (int)number_lanes[i];
        }
    }
    return -1;
}

unsigned accumulator_code(PyObject *number)
{
    ao_value value;
    return PyLong_CheckExact(number) && number_to_value(AO_TYPE_u64, number, &value) == 0;
}

/* signature(does, wanted, codes) -> int; None if there is none. does: SIGNATURE_MAP and so on. wanted: the index of the
 * result's type. codes: the index in TYPES of each array, 16 plus that of each number; of a fold one before them. */
static PyObject *py_signature(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module;
    if (!has_args(nargs, 3, "signature(does, wanted, codes)") || !PyTuple_Check(args[2])) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "signature(): codes must be a tuple");
    }
    Py_ssize_t count = PyTuple_GET_SIZE(args[2]);
    const long does = PyLong_AsLong(args[0]);
    if (count > SIGNATURE_VALUES + (does == SIGNATURE_FOLD)) {
        return Py_NewRef(Py_None);
    }
    const unsigned all = (1 << SIGNATURE_BITS) - 1;
    uint64_t signature = signature_begin((int)does & 3, (unsigned)PyLong_AsUnsignedLong(args[1]) & all);
    for (Py_ssize_t i = 0; i < count; i++) {
        signature = signature_add(signature, (unsigned)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(args[2], i)) & all);
    }
    return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLongLong(signature);
}

/* -- what a call means ----------------------------------------------------------------------------------------------- */

/* A text is most often the same object as at the last call. */
int known_text(module_state *state, int role, PyObject *text, meaning *m)
{
    recent_text *recent = &state->recent_texts[role][((uintptr_t)text >> 4) % AO_RECENT];
    if (RECENT && recent->text == text) {
        return known_triple(recent->meaning, m);
    }
    PyObject *known;
    if (PyDict_GetItemRef(state->texts[role], text, &known) <= 0) {
        return 0;
    }
    const int good = known_triple(known, m);
    if (RECENT && good) {
        recent_text before = *recent;
        *recent = (recent_text){Py_NewRef(text), Py_NewRef(known)};
        Py_XDECREF(before.text); /* only now: this may run any code */
        Py_XDECREF(before.meaning);
    }
    Py_DECREF(known);
    return good;
}

/* know(text, meaning, role): what a text means from now on. Its kernel was forgotten, maybe, and made anew: what is remembered
 * here of the one before would not learn anything more. */
static PyObject *py_know(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    module_state *state = state_of(module);
    if (!has_args(nargs, 3, "know(text, meaning, role)") || !PyUnicode_Check(args[0])) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "know(): a text is needed");
    }
    const size_t role = PyLong_AsSize_t(args[2]);
    if (role >= AO_ROLES) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "know(): there is no such role");
    }
    if (PyDict_SetItem(state->texts[role], args[0], args[1]) < 0) {
        return NULL;
    }
    for (size_t i = 0; RECENT && i < AO_RECENT; i++) {
        recent_text before = state->recent_texts[role][i];
        if (before.text && PyUnicode_Compare(before.text, args[0]) == 0) {
            state->recent_texts[role][i] = (recent_text){NULL, NULL};
            Py_DECREF(before.text);
            Py_DECREF(before.meaning);
        }
    }
    return Py_NewRef(Py_None);
}

static int of_translation(module_state *state, PyObject *function, PyObject *translation, meaning *m)
{
    PyObject *slots = PyTuple_GET_ITEM(translation, T_SLOTS), *ready = PyTuple_GET_ITEM(translation, T_READY);
    Py_ssize_t count = PyTuple_GET_SIZE(slots);
    if (m->nargs + count > SIGNATURE_VALUES
        || !capture(state, function, PyTuple_GET_ITEM(translation, T_GUARDS), slots, m->values + m->nargs)) {
        return 0;
    }
    m->nvalues = m->nargs + count;
    m->ready = ready == Py_None ? NULL : Py_NewRef(ready);
    return 1;
}

int known_function(module_state *state, PyObject *function, meaning *m)
{
    uintptr_t id = (uintptr_t)PyFunction_GET_CODE(function);
    PyObject *key = PyLong_FromUnsignedLongLong((unsigned long long)id * ENTRY_ARITIES + (unsigned long long)m->nargs);
    PyObject *known = NULL;
    const int found = key ? PyDict_GetItemRef(state->entries, key, &known) : -1;
    Py_XDECREF(key);
    if (found <= 0 || !Py_IS_TYPE(known, state->entry_type)) {
        Py_XDECREF(known);
        return 0;
    }
    m->cold = (EntryObject *)known;
    m->oracle = Py_NewRef(function);
    PyObject *translations = translations_of(known);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(translations); i++) {
        if (of_translation(state, function, PyTuple_GET_ITEM(translations, i), m)) {
            Py_CLEAR(m->cold);
            break;
        }
    }
    Py_DECREF(translations);
    return 1;
}

PyObject *known_program_of(recent_program *recent, PyObject *ready, uint64_t signature)
{
    PyObject *key = PyLong_FromUnsignedLongLong(signature), *program = NULL;
    if (key) {
        (void)PyDict_GetItemRef(ready, key, &program); /* NULL also with an exception */
    }
    Py_XDECREF(key);
    if (RECENT && program) {
        recent_program before = *recent;
        *recent = (recent_program){Py_NewRef(ready), Py_NewRef(program), signature};
        Py_XDECREF(before.ready);
        Py_XDECREF(before.program);
    }
    return program;
}

int known_prepare(PyObject *module)
{
    module_state *state = state_of(module);
    PyObject *texts = PyTuple_New(AO_ROLES);
    for (Py_ssize_t role = 0; texts && role < AO_ROLES; role++) {
        state->texts[role] = PyDict_New();
        if (!state->texts[role]) {
            Py_CLEAR(texts);
            break;
        }
        PyTuple_SET_ITEM(texts, role, Py_NewRef(state->texts[role]));
    }
    const int added = texts ? PyModule_AddObjectRef(module, "TEXTS", texts) : -1;
    Py_XDECREF(texts);
    state->entries = PyDict_New();
    state->entry_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &entry_spec, NULL);
    if (added < 0 || !state->entries || !state->entry_type || PyModule_AddType(module, state->entry_type) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "ENTRIES", state->entries);
}

PyMethodDef known_methods[] = {
    FAST_FUNCTION("signature", py_signature),
    FAST_FUNCTION("know", py_know),
    END_OF_FUNCTIONS,
};
