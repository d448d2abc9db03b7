/* The extension module arrayops._machine: the opcode table, the Program type and the functions of runs.c and callback.c.
 *
 * The public API is in Python (api.py, kernel.py); this module has no opinion on names, defaults or result types.
 */
#include "glue.h"
#include "moments.h"
#include "../vm/parallel.h"

#include <string.h>

module_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* -- Program ------------------------------------------------------------------------------------------------------- */

static PyObject *program_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_buffer code;
    static char *names[] = {"code", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*:Program", names, &code)) {
        return NULL;
    }
    const char *why = NULL;
    long where = -1;
    ao_program *program = NULL;
    ao_status status = ao_program_load(code.buf, (size_t)code.len, &ao_default_allocator, &program, &why, &where);
    size_t instructions = (size_t)code.len / sizeof(ao_instr); /* an upper bound is all that slices need */
    PyBuffer_Release(&code);
    if (status == AO_NO_MEMORY) {
        return PyErr_NoMemory();
    }
    if (status != AO_OK) {
        return PyErr_Format(PyExc_ValueError, "bad program at instruction %ld: %s", where, why ? why : "unknown reason");
    }
    ProgramObject *self = (ProgramObject *)type->tp_alloc(type, 0);
    if (!self) {
        ao_program_free(program);
        return NULL;
    }
    self->program = program;
    self->instructions = instructions;
    return (PyObject *)self;
}

static void program_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    ao_program_free(((ProgramObject *)self)->program);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot program_slots[] = {
    {Py_tp_doc, "Program(code)\n--\n\nA verified program of the machine, from the bytes that compiler.lower makes."},
    {Py_tp_new, program_new},
    {Py_tp_dealloc, program_dealloc},
    {0, NULL},
};

static PyType_Spec program_spec = {
    .name = "arrayops._machine.Program",
    .basicsize = sizeof(ProgramObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = program_slots,
};

/* -- tables -------------------------------------------------------------------------------------------------------- */

static const char *type_name(unsigned type)
{
    return type == AO_TYPE_NONE ? "" : ao_type_names[type];
}

static PyObject *make_ops(void)
{
    PyObject *list = PyList_New(AO_NOPS);
    for (Py_ssize_t i = 0; list && i < AO_NOPS; i++) {
        const ao_op_info *op = &ao_ops[i];
        PyObject *row = Py_BuildValue("{s s s s s s s s s s s s s s s O}", "name", op->name, "type", type_name(op->type),
                                      "dst", type_name(op->dst), "a", type_name(op->a), "b", type_name(op->b), "c",
                                      type_name(op->c), "meaning", op->meaning, "faults",
                                      op->faults ? Py_True : Py_False);
        if (!row) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, row);
    }
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

static PyObject *make_types(void)
{
    PyObject *list = PyList_New(AO_NTYPES);
    for (Py_ssize_t i = 0; list && i < AO_NTYPES; i++) {
        PyObject *name = PyUnicode_FromString(ao_type_names[i]);
        if (!name) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, name);
    }
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

static PyObject *make_type_sizes(void)
{
    PyObject *dict = PyDict_New();
    for (int i = 0; dict && i < AO_NTYPES; i++) {
        PyObject *size = PyLong_FromLong(ao_type_sizes[i]);
        if (!size || PyDict_SetItemString(dict, ao_type_names[i], size) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(size);
    }
    return dict;
}

static PyObject *make_limits(void)
{
    return Py_BuildValue("{s i s i s i s i s i s i s i s i}", "MAX_INPUTS", AO_MAX_INPUTS, "MAX_UNIFORMS", AO_MAX_UNIFORMS,
                         "MAX_TEMPS", AO_MAX_TEMPS, "MAX_INSTRS", AO_MAX_INSTRS, "NO_REG", AO_NO_REG, "MIN_BLOCK",
                         AO_MIN_BLOCK, "MAX_BLOCK", AO_MAX_BLOCK, "MAX_THREADS", AO_MAX_THREADS);
}

/* Levels of this build that this processor can run, slowest first. */
static PyObject *make_isa_names(void)
{
    PyObject *list = PyList_New(0);
    for (const char *const *name = ao_isa_names; list && *name; name++) {
        PyObject *text = ao_isa_find(*name) ? PyUnicode_FromString(*name) : NULL;
        if (text && PyList_Append(list, text) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(text);
    }
    return list;
}

/* -- the module ---------------------------------------------------------------------------------------------------- */

static int add(PyObject *module, const char *name, PyObject *value)
{
    int status = value ? PyModule_AddObjectRef(module, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

/* The level that ARRAYOPS_ISA names, or the best one. */
static const ao_isa *choose_isa(void)
{
    const char *wanted = getenv("ARRAYOPS_ISA");
    const ao_isa *isa = ao_isa_find(wanted && *wanted ? wanted : NULL);
    if (!isa) {
        PyErr_Format(PyExc_ImportError, "ARRAYOPS_ISA=%s: this build or this processor has no such level", wanted);
    }
    return isa;
}

static int module_exec(PyObject *module)
{
    module_state *state = state_of(module);
    state->threads = 1;
    state->isa = choose_isa();
    if (!state->isa) {
        return -1;
    }
    state->missing = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    if (arrays_prepare(state) < 0 || !state->missing || front_prepare(module) < 0 || view_prepare(module) < 0) {
        return -1;
    }
    state->program_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &program_spec, NULL);
    if (!state->program_type || PyModule_AddType(module, state->program_type) < 0) {
        return -1;
    }
    if (add(module, "OPS", make_ops()) < 0 || add(module, "TYPES", make_types()) < 0
        || add(module, "TYPE_SIZES", make_type_sizes()) < 0 || add(module, "LIMITS", make_limits()) < 0
        || add(module, "MAGIC", PyLong_FromUnsignedLong(AO_MAGIC)) < 0
        || add(module, "ISA", PyUnicode_FromString(state->isa->name)) < 0
        || add(module, "ISA_LEVELS", make_isa_names()) < 0 || add(module, "SLOT_KINDS", make_slot_kinds()) < 0
        || add(module, "MISSING", Py_NewRef(state->missing)) < 0) {
        return -1;
    }
    return 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    module_state *state = state_of(module);
    Py_VISIT(state->program_type);
    Py_VISIT(state->array_type);
    Py_VISIT(state->missing);
    Py_VISIT(state->entry_type);
    Py_VISIT(state->kernel_type);
    Py_VISIT(state->view_type);
    Py_VISIT(state->texts);
    Py_VISIT(state->entries);
    for (size_t i = 0; i < AO_RECENT; i++) {
        Py_VISIT(state->recent_texts[i].meaning);
        Py_VISIT(state->recent_programs[i].ready);
        Py_VISIT(state->recent_programs[i].program);
    }
    for (size_t i = 0; i < AO_FRONTS; i++) {
        Py_VISIT(state->slow[i]);
    }
    return 0;
}

static int module_clear(PyObject *module)
{
    module_state *state = state_of(module);
    Py_CLEAR(state->program_type);
    Py_CLEAR(state->array_type);
    Py_CLEAR(state->missing);
    Py_CLEAR(state->entry_type);
    Py_CLEAR(state->kernel_type);
    Py_CLEAR(state->view_type);
    Py_CLEAR(state->out_name);
    Py_CLEAR(state->map_name);
    Py_CLEAR(state->texts);
    Py_CLEAR(state->entries);
    for (size_t i = 0; i < AO_RECENT; i++) {
        Py_CLEAR(state->recent_texts[i].text);
        Py_CLEAR(state->recent_texts[i].meaning);
        Py_CLEAR(state->recent_programs[i].ready);
        Py_CLEAR(state->recent_programs[i].program);
    }
    for (size_t i = 0; i < AO_FRONTS; i++) {
        Py_CLEAR(state->slow[i]);
    }
    for (size_t i = 0; i < AO_TYPECODES; i++) {
        Py_CLEAR(state->ones[i]);
    }
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

#define FAST(name, function) {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL, NULL}
static PyMethodDef methods[] = {
    FAST("run_map", py_run_map),
    {"last_asked", py_last_asked, METH_NOARGS, NULL},
    FAST("run_filter", py_run_filter),
    FAST("run_fold", py_run_fold),
    FAST("call_map", py_call_map),
    FAST("call_filter", py_call_filter),
    FAST("new_array", py_new_array),
    FAST("view", py_view),
    FAST("run_count", py_run_count),
    FAST("run_pipe", py_run_pipe),
    {"sort", py_sort, METH_O, NULL},
    {"reverse", py_reverse, METH_O, NULL},
    {"unique", py_unique, METH_O, NULL},
    FAST("select", py_select),
    FAST("arg_extreme", py_arg_extreme),
    FAST("moments", py_moments),
    FAST("dot", py_dot),
    FAST("take_arrow", py_take_arrow),
    {"give_arrow", py_give_arrow, METH_O, NULL},
    FAST("unpack_bits", py_unpack_bits),
    {"copy_array", py_copy_array, METH_O, NULL},
    {"set_threads", py_set_threads, METH_O, NULL},
    {"know_arrays", py_know_arrays, METH_O, NULL},
    FAST("find", py_find),
    FAST("capture", py_capture),
    FAST("signature", py_signature),
    FAST("front", py_front),
    {"buffer_info", py_buffer_info, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

struct PyModuleDef ao_machine_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "arrayops._machine",
    .m_size = sizeof(module_state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__machine(void)
{
    return PyModuleDef_Init(&ao_machine_module);
}
