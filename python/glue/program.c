/* Program: a verified program of the machine as a Python object. It never changes. */
#include "program.h"
#include "../../vm/program.h"

#if !defined _WIN32
#include <unistd.h>
#endif

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

/* native() -> (first, end, bytes) of each segment of native code for this level: of the instructions of the body and epilogue. */
static PyObject *program_native(PyObject *self, PyObject *unused)
{
    (void)unused;
    const ao_program *program = ((ProgramObject *)self)->program;
    const module_state *state = PyType_GetModuleState(Py_TYPE(self));
    const ao_native *native = ao_program_native(program, state->isa);
    const unsigned count = native ? native->count : 0, body = program->first[AO_BODY];
    PyObject *segments = PyTuple_New(count);
    for (unsigned k = 0; segments && k < count; k++) {
        const ao_segment *s = &native->segments[k];
        PyObject *row = Py_BuildValue("(III)", s->from - body, s->to - body, s->bytes);
        if (!row) {
            Py_CLEAR(segments);
            break;
        }
        PyTuple_SET_ITEM(segments, k, row);
    }
    return segments;
}

void program_write_map(ProgramObject *program, const ao_isa *isa)
{
#if !defined _WIN32
    char name[64];
    const ao_native *native = ao_native_made(&program->program->native, isa);
    if (!native || !native->pages || program->mapped) {
        return;
    }
    program->mapped = 1;
    snprintf(name, sizeof name, "/tmp/perf-%ld.map", (long)getpid());
    FILE *map = fopen(name, "a");
    for (unsigned k = 0; map && k < native->count; k++) {
        const ao_segment *s = &native->segments[k];
        uintptr_t address;
        memcpy(&address, &s->function, sizeof address);
        fprintf(map, "%llx %x arrayops:%s:%u-%u\n", (unsigned long long)address, s->bytes, isa->name, s->from, s->to - 1);
    }
    if (map && native->scan) {
        uintptr_t address;
        memcpy(&address, &native->scan, sizeof address);
        fprintf(map, "%llx %x arrayops:%s:scan\n", (unsigned long long)address, native->scan_bytes, isa->name);
    }
    if (map) {
        fclose(map);
    }
#else
    (void)program, (void)isa;
#endif
}

static PyMethodDef program_methods[] = {
    {"native", program_native, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot program_slots[] = {
    {Py_tp_doc, "Program(code)\n--\n\nA verified program of the machine, from the bytes that compiler.lower makes."},
    {Py_tp_new, program_new},
    {Py_tp_dealloc, program_dealloc},
    {Py_tp_methods, program_methods},
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
