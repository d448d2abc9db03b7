/* Program: a verified program of the machine as a Python object. It never changes. */
#include "program.h"

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

int program_prepare(PyObject *module)
{
    module_state *state = state_of(module);
    state->program_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &program_spec, NULL);
    return state->program_type ? PyModule_AddType(module, state->program_type) : -1;
}
