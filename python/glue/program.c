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
    const ao_native *native = ao_program_native(program, state->isa, (ao_native_taking){AO_TAKE_ALL, 0});
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

#if !defined _WIN32
static void write_function(FILE *map, const void *function, unsigned bytes, const ao_isa *isa, const char *name)
{
    uintptr_t address;
    memcpy(&address, function, sizeof address);
    fprintf(map, "%llx %x arrayops:%s:%s\n", (unsigned long long)address, bytes, isa->name, name);
}

static void write_native(FILE *map, const ao_native *native)
{
    static const char *const ways[] = {"", ":count", ":true", ":sum"};
    char name[48];
    for (unsigned k = 0; k < native->count; k++) {
        const ao_segment *s = &native->segments[k];
        const int takes = native->takes && k == native->count - 1;
        snprintf(name, sizeof name, "%u-%u%s", s->from, s->to - 1, ways[takes ? native->taking.what : AO_TAKE_ALL]);
        write_function(map, &s->function, s->bytes, native->isa, name);
    }
    if (native->scan) {
        write_function(map, &native->scan, native->scan_bytes, native->isa, "scan");
    }
}
#endif

void program_write_map(ProgramObject *program)
{
#if !defined _WIN32
    char name[64];
    snprintf(name, sizeof name, "/tmp/perf-%ld.map", (long)getpid());
    for (unsigned k = 0; k < AO_NATIVE_SLOTS; k++) {
        const ao_native *native = atomic_load(&program->program->native.made[k]);
        if (!native || !native->pages || program->mapped >> k & 1) {
            continue;
        }
        FILE *map = fopen(name, "a");
        if (map) {
            program->mapped |= 1u << k;
            write_native(map, native);
            fclose(map);
        }
    }
#else
    (void)program;
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
