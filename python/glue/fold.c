/* Programs with an accumulator: reduce and accumulate.
 *
 * The machine stops at the first element whose step only Python can do. Python then has the accumulator until it is again
 * one that the machine holds: an int grown out of the machine's width stays with Python to the end.
 */
#include "fold.h"
#include "watch.h"
#include "numbers.h"

#include <stdalign.h>
#include <string.h>

typedef struct {
    run r;
    enum ao_type acc_type;
    PyObject *acc;        /* its current value, where Python has it */
    ao_array *out;        /* for accumulate: the value after each element */
    size_t from;          /* first element of the fold */
    store_policy policy;  /* of out; a failed store never stops a fold */
} fold_run;

/* The fold's value after `end` elements, without output: for the store error of an element in mid-block. */
static PyObject *fold_value(const fold_run *f, size_t end);

/* If the store of element j of the current block did not fit, its exception is kept for later. */
static int fail_store(fold_run *f, size_t j)
{
    if (!(f->r.frame.marks[j] & AO_MARK_STORE) || f->policy.deferred.error) {
        return 0;
    }
    PyObject *value = fold_value(f, f->r.frame.position + j + 1);
    if (!value) {
        return -1;
    }
    store_result(&f->policy, (char *)f->r.frame.block_out + j * ao_type_sizes[f->out->type], value, f->r.frame.position + j);
    Py_DECREF(value);
    return 0;
}

/* One element by Python: f->acc becomes the next accumulator, and is stored. */
static int python_step(fold_run *f, size_t index, void *element)
{
    PyObject *next = run_ask(&f->r, index, f->acc);
    if (!next) {
        return -1;
    }
    Py_SETREF(f->acc, next);
    if (element) {
        store_result(&f->policy, element, next, index);
    }
    return 0;
}

/* Elements by Python until the accumulator, f->acc, is one that the machine holds. */
static int python_steps(fold_run *f)
{
    ao_frame *frame = &f->r.frame;
    ao_value value = {0};
    while (number_to_value(f->acc_type, f->acc, &value) != 0 && frame->position < f->r.count) {
        size_t index = frame->position;
        char *element = f->out ? (char *)f->out->data + index * ao_type_sizes[f->out->type] : NULL;
        if (python_step(f, index, element) < 0 || watch_look() < 0) {
            return -1;
        }
        ao_skip(frame, 1);
    }
    ao_frame_set_acc(frame, value);
    return 0;
}

/* The accumulator of the machine becomes f->acc. */
static int fetch_acc(fold_run *f)
{
    Py_XSETREF(f->acc, value_to_number(f->acc_type, ao_frame_acc(&f->r.frame)));
    return f->acc ? 0 : -1;
}

/* In a marked block stores may have failed, and if the scan stopped, the last element is Python's. */
static int answer_fold(run *r, size_t j, void *context)
{
    fold_run *f = context;
    if (!r->frame.scan_stopped || j + 1 < r->frame.block_count) {
        return fail_store(f, j);
    }
    char *element = f->out ? (char *)r->frame.block_out + j * ao_type_sizes[f->out->type] : NULL;
    return fetch_acc(f) < 0 || python_step(f, r->frame.position + j, element) < 0 ? -1 : 1;
}

/* All elements from the frame's position on, which leaves f->acc set. */
static int fold_loop(fold_run *f)
{
    int status = python_steps(f);
    while (status == 0 && f->r.frame.position < f->r.count) {
        status = run_through(&f->r, f->r.count, answer_fold, f);
        if (status == 0) {
            return fetch_acc(f);
        }
        status = status < 0 ? -1 : python_steps(f);
    }
    return status;
}

/* The whole fold, with its frame at `stack`; then f->acc is its value. */
static int fold_run_all(fold_run *f, void *stack)
{
    ao_job job = {.out = f->out ? f->out->data : NULL};
    if (run_start(&f->r, &job, stack) < 0) {
        return -1;
    }
    ao_skip(&f->r.frame, f->from);
    Py_XSETREF(f->acc, Py_NewRef(f->r.args[f->r.acc_index]));
    return fold_loop(f);
}

/* The stores of such a fold are of no interest, so those that fail are not looked at: an exception is there already. */
static PyObject *fold_value(const fold_run *f, size_t end)
{
    alignas(64) char stack[FRAME_ON_STACK];
    const run *r = &f->r;
    ao_array nowhere = {.type = f->out->type, .data = PyMem_RawMalloc(r->count * ao_type_sizes[f->out->type] + 1)};
    fold_run *g = PyMem_RawCalloc(1, sizeof *g);
    PyObject *result = NULL;
    if (!nowhere.data || !g) {
        PyMem_RawFree(nowhere.data);
        PyMem_RawFree(g);
        return PyErr_NoMemory();
    }
    g->acc_type = f->acc_type;
    g->from = f->from;
    g->out = &nowhere;
    g->policy = (store_policy){nowhere.type, AO_AS_IS, f->policy.scratch, 1, {Py_NewRef(Py_None)}, NULL};
    if (run_take(&g->r, r->state, r->args, r->nargs, r->oracle, r->visible) == 0
        && run_bind(&g->r, (PyObject *)r->program, r->acc_index) == 0) {
        g->r.count = end < g->r.count ? end : g->r.count; /* an exporter may give less the second time */
        result = fold_run_all(g, stack) < 0 ? NULL : Py_NewRef(g->acc);
    }
    Py_XDECREF(g->acc);
    deferred_drop(&g->policy.deferred);
    run_close(&g->r);
    PyMem_RawFree(nowhere.data);
    PyMem_RawFree(g);
    return result;
}

/* Checks the arguments of a fold, and takes its output into `out` unless that is None. */
static int fold_open(fold_run *f, PyObject *target, ao_array *out)
{
    run *r = &f->r;
    f->acc_type = (enum ao_type)ao_program_acc_type(r->program->program);
    if (r->acc_index < 0 || r->acc_index >= r->nargs || r->is_array[r->acc_index] || f->from > r->count) {
        PyErr_SetString(PyExc_ValueError, "run_fold(): bad accumulator or start");
        return -1;
    }
    if (target != Py_None) {
        if (array_take_out(r->state, target, out) < 0 || array_check_lengths(&r->arrays[0], out) < 0) {
            return -1;
        }
        if (out->spacing.stride) {
            PyErr_SetString(PyExc_ValueError, "run_fold(): the output's elements are not as the machine has them");
            return -1;
        }
        f->out = out;
        f->policy = (store_policy){out->type, AO_AS_IS, array_scratch(r->state, out->typecode), 1, {NULL}, NULL};
        if (!f->policy.scratch) {
            return -1;
        }
    }
    return run_gives(r, f->out ? (unsigned)out->type : AO_TYPE_NONE) ? 0 : -1;
}

/* run_fold(program, args, oracle, visible, acc_index, start, out) -> the last accumulator.
 *
 * args[acc_index] is its first value; the fold starts at element `start`. out is None, or a buffer of as many elements as
 * the arrays, of which those before `start` stay as they are. */
static PyObject *py_run_fold(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 7, "run_fold(program, args, oracle, visible, acc_index, start, out)")) {
        return NULL;
    }
    fold_run f;
    ao_array out;
    PyObject *result = NULL;
    alignas(64) char stack[FRAME_ON_STACK];
    memset(&f, 0, sizeof f);
    array_none(&out);
    const Py_ssize_t acc_index = PyLong_AsSsize_t(args[4]);
    f.from = PyLong_AsSize_t(args[5]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (run_open(&f.r, module, args, acc_index) == 0 && fold_open(&f, args[6], &out) == 0 && fold_run_all(&f, stack) == 0
        && deferred_raise(&f.policy.deferred) == 0) {
        result = Py_NewRef(f.acc);
    }
    Py_XDECREF(f.acc);
    Py_XDECREF(f.policy.scratch);
    deferred_drop(&f.policy.deferred);
    array_release(&out);
    run_close(&f.r);
    return result;
}

PyMethodDef fold_methods[] = {
    FAST_FUNCTION("run_fold", py_run_fold),
    END_OF_FUNCTIONS,
};
