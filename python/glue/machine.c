/* The extension module arrayops._machine: its state, and what the files of this folder put into it.
 *
 * The public API is in Python; this module has no opinion on names, defaults or result types.
 */
#include "arrow.h"
#include "buffers.h"
#include "callback.h"
#include "captures.h"
#include "counting.h"
#include "delimited.h"
#include "filter.h"
#include "fold.h"
#include "front.h"
#include "request.h"
#include "known.h"
#include "map.h"
#include "moments.h"
#include "order.h"
#include "pipe.h"
#include "program.h"
#include "reductions.h"
#include "run.h"
#include "slices.h"
#include "spell.h"
#include "state.h"
#include "tables.h"
#include "validity.h"
#include "view.h"
#include "watch.h"
#include "windows.h"
#include "../../vm/native/native.h"
#include "../../vm/parallel.h"

#include <stdlib.h>
#include <string.h>

/* set_threads(number) -> the number before: threads that a long run may use. */
static PyObject *py_set_threads(PyObject *module, PyObject *object)
{
    module_state *state = state_of(module);
    long threads = PyLong_AsLong(object);
    if (threads == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (threads < 1 || threads > AO_MAX_THREADS) {
        return PyErr_Format(PyExc_ValueError, "the number of threads must be 1 to %d, not %ld", AO_MAX_THREADS, threads);
    }
    unsigned before = state->threads;
    state->threads = (unsigned)threads;
    return PyLong_FromUnsignedLong(before);
}

/* Ways to use native code, as ARRAYOPS_NATIVE and set_native name them. */
static const struct {
    const char *name;
    unsigned flags;
} native_ways[] = {{"0", 0}, {"1", AO_NATIVE}, {"always", AO_NATIVE_AT_ONCE}};

static PyObject *native_name(unsigned flags)
{
    size_t way = 0;
    while (native_ways[way].flags != flags) {
        way++;
    }
    return PyUnicode_FromString(native_ways[way].name);
}

/* 0, or -1 if there is no such way. */
static int use_native(module_state *state, const char *name)
{
    for (size_t way = 0; way < sizeof native_ways / sizeof *native_ways; way++) {
        if (strcmp(native_ways[way].name, name) == 0) {
            state->wanted = native_ways[way].flags;
            state->native = ao_native_has(state->isa) ? native_ways[way].flags : 0;
            return 0;
        }
    }
    return -1;
}

/* set_native(way) -> the way before: '0', '1' or 'always'. */
static PyObject *py_set_native(PyObject *module, PyObject *object)
{
    module_state *state = state_of(module);
    const char *name = PyUnicode_AsUTF8(object);
    if (!name) {
        return NULL;
    }
    const unsigned before = state->wanted;
    if (use_native(state, name) < 0) {
        return PyErr_Format(PyExc_ValueError, "native code is used '0', '1' or 'always', not %R", object);
    }
    return native_name(before);
}

/* native() -> the way now; '0' where the level has no encoder. */
static PyObject *py_native(PyObject *module, PyObject *unused)
{
    const module_state *state = state_of(module);
    (void)unused;
    return native_name(state->native);
}

static PyMethodDef machine_methods[] = {
    ONE_ARGUMENT("set_threads", py_set_threads),
    ONE_ARGUMENT("set_native", py_set_native),
    {"native", py_native, METH_NOARGS, NULL},
    END_OF_FUNCTIONS,
};

static PyMethodDef *const functions[] = {
    buffers_methods, captures_methods, watch_methods, slices_methods, run_methods, map_methods, filter_methods, fold_methods,
    pipe_methods, callback_methods, order_methods, view_methods, validity_methods, arrow_methods, counting_methods,
    windows_methods, moments_methods, reductions_methods, known_methods, front_methods, spell_methods, machine_methods,
};

/* The level that ARRAYOPS_ISA names, or the best one. */
static const ao_isa *choose_isa(void)
{
    const char *wanted = getenv("ARRAYOPS_ISA");
    const ao_isa *isa = ao_isa_find(wanted && *wanted ? wanted : NULL);
    if (!isa) {
        PyObject *const names = level_names(), *const space = names ? PyUnicode_FromString(" ") : NULL;
        PyObject *const listed = space ? PyUnicode_Join(space, names) : NULL;
        if (listed) {
            PyErr_Format(PyExc_ImportError, "ARRAYOPS_ISA=%s: it must be one of %U here", wanted, listed);
        }
        Py_XDECREF(listed);
        Py_XDECREF(space);
        Py_XDECREF(names);
    }
    return isa;
}

/* What ARRAYOPS_NATIVE and ARRAYOPS_PERF_MAP say. */
static int choose_native(module_state *state)
{
    const char *wanted = getenv("ARRAYOPS_NATIVE"), *map = getenv("ARRAYOPS_PERF_MAP");
    state->perf_map = map && *map && strcmp(map, "0") != 0;
    if (use_native(state, wanted && *wanted ? wanted : "1") < 0) {
        PyErr_Format(PyExc_ImportError, "ARRAYOPS_NATIVE=%s: it must be 0, 1 or always", wanted);
        return -1;
    }
    return 0;
}

static int module_exec(PyObject *module)
{
    static int (*const prepare[])(PyObject *) = {program_prepare, view_prepare, known_prepare, request_prepare, front_prepare,
                                               delimited_prepare, tables_prepare};
    module_state *state = state_of(module);
    state->threads = 1;
    state->isa = choose_isa();
    state->missing = state->isa ? PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type) : NULL;
    if (!state->missing || choose_native(state) < 0 || buffers_prepare(state) < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof prepare / sizeof *prepare; i++) {
        if (prepare[i](module) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (PyModule_AddFunctions(module, functions[i]) < 0) {
            return -1;
        }
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
    for (size_t role = 0; role < AO_ROLES; role++) {
        Py_VISIT(state->texts[role]);
        for (size_t i = 0; i < AO_RECENT; i++) {
            Py_VISIT(state->recent_texts[role][i].meaning);
        }
    }
    Py_VISIT(state->entries);
    for (size_t i = 0; i < AO_RECENT; i++) {
        Py_VISIT(state->recent_programs[i].ready);
        Py_VISIT(state->recent_programs[i].program);
        Py_VISIT(state->recent_calls[i].of);
        Py_VISIT(state->recent_calls[i].keywords);
        Py_VISIT(state->recent_calls[i].program);
    }
    for (size_t i = 0; i < AO_OPEN_FRAMES; i++) {
        Py_VISIT(state->open_frames[i].ready);
        Py_VISIT(state->open_frames[i].program);
    }
    for (size_t i = 0; i < AO_FRONTS; i++) {
        Py_VISIT(state->slow[i]);
    }
    Py_VISIT(state->after_calls);
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
    for (size_t i = 0; i < AO_OPTIONS; i++) {
        Py_CLEAR(state->options[i]);
    }
    Py_CLEAR(state->map_name);
    Py_CLEAR(state->element);
    Py_CLEAR(state->running);
    Py_CLEAR(state->numpy_name);
    Py_CLEAR(state->frombuffer_name);
    for (size_t i = 0; i < AO_FIXED; i++) {
        Py_CLEAR(state->fixed[i]);
    }
    for (size_t role = 0; role < AO_ROLES; role++) {
        Py_CLEAR(state->texts[role]);
        for (size_t i = 0; i < AO_RECENT; i++) {
            Py_CLEAR(state->recent_texts[role][i].text);
            Py_CLEAR(state->recent_texts[role][i].meaning);
        }
    }
    Py_CLEAR(state->entries);
    for (size_t i = 0; i < AO_RECENT; i++) {
        Py_CLEAR(state->recent_programs[i].ready);
        Py_CLEAR(state->recent_programs[i].program);
        Py_CLEAR(state->recent_calls[i].of);
        Py_CLEAR(state->recent_calls[i].keywords);
        Py_CLEAR(state->recent_calls[i].program);
    }
    for (size_t i = 0; i < AO_OPEN_FRAMES; i++) {
        Py_CLEAR(state->open_frames[i].ready);
        Py_CLEAR(state->open_frames[i].program);
    }
    for (size_t i = 0; i < AO_FRONTS; i++) {
        Py_CLEAR(state->slow[i]);
    }
    Py_CLEAR(state->after_calls);
    for (size_t i = 0; i < AO_TYPECODES; i++) {
        Py_CLEAR(state->ones[i]);
    }
    return 0;
}

static void module_free(void *module)
{
    module_state *state = state_of(module);
    module_clear(module);
    for (size_t i = 0; i < AO_OPEN_FRAMES; i++) {
        PyMem_RawFree(state->open_frames[i].memory);
    }
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED}, /* what threads share: captures.c, known.c and view.c say how it is guarded */
#endif
    {0, NULL},
};

static struct PyModuleDef machine_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "arrayops._machine",
    .m_size = sizeof(module_state),
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__machine(void)
{
    return PyModuleDef_Init(&machine_module);
}
