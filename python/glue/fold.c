/* Programs with an accumulator: reduce and accumulate.
 *
 * The machine stops at the first element whose step only Python can do. Python then has the accumulator until it is again
 * one that the machine holds: an int grown out of the machine's width stays with Python to the end. An accumulator is a number
 * or, where it begins as one, a tuple of numbers, each of which is an accumulator of the program.
 */
#include "fold.h"
#include "watch.h"
#include "numbers.h"

#include <stdalign.h>
#include <string.h>

typedef struct {
    run *r;
    PyObject *acc;        /* its current value, where Python has it */
    Py_ssize_t items;     /* of a tuple; 0 for a number */
    Py_ssize_t stored;    /* which of them goes into out */
    ao_array *out;        /* for accumulate: the value after each element */
    size_t from;          /* first element of the fold */
    store_policy policy;  /* of out; a failed store never stops a fold */
} fold_run;

/* What is stored of the fold's value after `end` elements, without output: for the store error of an element in mid-block. */
static PyObject *fold_value(const fold_run *f, size_t end);

/* If the store of element j of the current block did not fit, its exception is kept for later. */
static int fail_store(fold_run *f, size_t j)
{
    if (!(f->r->frame.marks[j] & AO_MARK_STORE) || f->policy.deferred.error) {
        return 0;
    }
    PyObject *value = fold_value(f, f->r->frame.position + j + 1);
    if (!value) {
        return -1;
    }
    store_result(&f->policy, (char *)f->r->frame.block_out + j * ao_type_sizes[f->out->type], value, f->r->frame.position + j);
    Py_DECREF(value);
    return 0;
}

/* What of an accumulator goes into out, borrowed. NULL with TypeError: by Python it is no such tuple any more. */
static PyObject *stored_item(const fold_run *f, PyObject *acc)
{
    if (!f->items) {
        return acc;
    }
    if (!PyTuple_CheckExact(acc) || f->stored >= PyTuple_GET_SIZE(acc)) {
        PyErr_SetString(PyExc_TypeError, "the accumulator is no such tuple any more");
        return NULL;
    }
    return PyTuple_GET_ITEM(acc, f->stored);
}

/* One element by Python: f->acc becomes the next accumulator, and is stored. */
static int python_step(fold_run *f, size_t index, void *element)
{
    PyObject *next = run_ask(f->r, index, f->acc);
    if (!next) {
        return -1;
    }
    Py_SETREF(f->acc, next);
    PyObject *item = element ? stored_item(f, next) : NULL;
    if (item) {
        store_result(&f->policy, element, item, index);
    }
    return element && !item ? -1 : 0;
}

/* Gives the machine the accumulator, f->acc. 0 if it holds that. */
static int give_acc(fold_run *f)
{
    const ao_program *program = f->r->program->program;
    if (f->items && (!PyTuple_CheckExact(f->acc) || PyTuple_GET_SIZE(f->acc) != f->items)) {
        return 1;
    }
    for (unsigned k = 0; k < (f->items ? (size_t)f->items : 1); k++) {
        ao_value value = {0};
        PyObject *item = f->items ? PyTuple_GET_ITEM(f->acc, k) : f->acc;
        if (number_to_value((enum ao_type)ao_program_acc_type(program, k), item, &value) != 0) {
            return 1;
        }
        ao_frame_set_acc(&f->r->frame, k, value);
    }
    return 0;
}

/* Elements by Python until the accumulator, f->acc, is one that the machine holds. */
static int python_steps(fold_run *f)
{
    ao_frame *frame = &f->r->frame;
    while (give_acc(f) != 0 && frame->position < f->r->count) {
        size_t index = frame->position;
        char *element = f->out ? (char *)f->out->data + index * ao_type_sizes[f->out->type] : NULL;
        if (python_step(f, index, element) < 0 || watch_look() < 0) {
            return -1;
        }
        ao_skip(frame, 1);
    }
    return 0;
}

static PyObject *machine_acc(const fold_run *f, unsigned k)
{
    return value_to_number((enum ao_type)ao_program_acc_type(f->r->program->program, k), ao_frame_acc(&f->r->frame, k));
}

/* The accumulator of the machine becomes f->acc. */
static int fetch_acc(fold_run *f)
{
    PyObject *acc = f->items ? PyTuple_New(f->items) : machine_acc(f, 0);
    for (Py_ssize_t k = 0; acc && k < f->items; k++) {
        PyObject *item = machine_acc(f, (unsigned)k);
        if (!item) {
            Py_CLEAR(acc);
            break;
        }
        PyTuple_SET_ITEM(acc, k, item);
    }
    Py_XSETREF(f->acc, acc);
    return acc ? 0 : -1;
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
    while (status == 0 && f->r->frame.position < f->r->count) {
        status = run_through(f->r, f->r->count, answer_fold, f);
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
    if (run_start(f->r, &job, stack) < 0) {
        return -1;
    }
    ao_skip(&f->r->frame, f->from);
    Py_XSETREF(f->acc, Py_NewRef(f->r->args[f->r->acc_index]));
    return fold_loop(f);
}

/* The stores of such a fold are of no interest, so those that fail are not looked at: an exception is there already. */
static PyObject *fold_value(const fold_run *f, size_t end)
{
    alignas(64) char stack[FRAME_ON_STACK];
    const run *r = f->r;
    ao_array nowhere = {.type = f->out->type, .data = PyMem_RawMalloc(r->count * ao_type_sizes[f->out->type] + 1)};
    struct {
        fold_run fold;
        run run;
    } *apart = PyMem_RawCalloc(1, sizeof *apart);
    PyObject *result = NULL;
    if (!nowhere.data || !apart) {
        PyMem_RawFree(nowhere.data);
        PyMem_RawFree(apart);
        return PyErr_NoMemory();
    }
    fold_run *g = &apart->fold;
    g->r = &apart->run;
    g->items = f->items;
    g->stored = f->stored;
    g->from = f->from;
    g->out = &nowhere;
    g->policy = (store_policy){nowhere.type, AO_AS_IS, f->policy.scratch, 1, {Py_NewRef(Py_None)}, NULL};
    if (run_take(g->r, r->state, r->args, r->nargs, r->oracle, r->visible, r->acc_index) == 0
        && run_bind(g->r, (PyObject *)r->program) == 0) {
        g->r->count = end < g->r->count ? end : g->r->count; /* an exporter may give less the second time */
        result = fold_run_all(g, stack) < 0 ? NULL : Py_XNewRef(stored_item(g, g->acc));
    }
    Py_XDECREF(g->acc);
    deferred_drop(&g->policy.deferred);
    run_close(g->r);
    PyMem_RawFree(nowhere.data);
    PyMem_RawFree(apart);
    return result;
}

/* Checks what the fold is given. */
static int fold_open(fold_run *f)
{
    run *r = f->r;
    f->items = (Py_ssize_t)run_items(r);
    if (r->acc_index < 0 || r->acc_index >= r->nargs || f->from > r->count || f->stored < 0
        || f->stored >= (f->items ? f->items : 1)) {
        PyErr_SetString(PyExc_ValueError, "run_fold(): bad accumulator or start");
        return -1;
    }
    if (f->out) {
        if (array_check_lengths(&r->arrays[0], f->out) < 0) {
            return -1;
        }
        if (f->out->spacing.stride) {
            PyErr_SetString(PyExc_ValueError, "run_fold(): the output's elements are not as the machine has them");
            return -1;
        }
        f->policy = (store_policy){f->out->type, AO_AS_IS, array_scratch(r->state, f->out->typecode), 1, {NULL}, NULL};
        if (!f->policy.scratch) {
            return -1;
        }
    }
    return run_gives(r, f->out ? (unsigned)f->out->type : AO_TYPE_NONE) ? 0 : -1;
}

PyObject *run_fold(run *r, size_t from, ao_array *out, Py_ssize_t stored)
{
    alignas(64) char stack[FRAME_ON_STACK];
    PyObject *result = NULL;
    fold_run f = {.r = r, .stored = stored, .out = out, .from = from};
    if (fold_open(&f) == 0 && fold_run_all(&f, stack) == 0 && deferred_raise(&f.policy.deferred) == 0) {
        result = Py_NewRef(f.acc);
    }
    Py_XDECREF(f.acc);
    Py_XDECREF(f.policy.scratch);
    deferred_drop(&f.policy.deferred);
    return result;
}

/* run_fold(program, args, oracle, visible, acc_index, start, out, stored) -> the last accumulator.
 *
 * args[acc_index] is its first value, a number or a tuple of numbers; the fold starts at element `start`. out is None, or a
 * buffer of as many elements as the arrays, of which those before `start` stay as they are: of a tuple it gets item
 * `stored`, which the program gives. */
static PyObject *py_run_fold(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 8, "run_fold(program, args, oracle, visible, acc_index, start, out, stored)")) {
        return NULL;
    }
    run r;
    ao_array out;
    array_none(&out);
    const Py_ssize_t acc_index = PyLong_AsSsize_t(args[4]), stored = PyLong_AsSsize_t(args[7]);
    const size_t from = PyLong_AsSize_t(args[5]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    const int has_out = args[6] != Py_None;
    const int taken = run_open(&r, module, args, acc_index) == 0 && (!has_out || array_take_out(r.state, args[6], &out) == 0);
    PyObject *result = taken ? run_fold(&r, from, has_out ? &out : NULL, stored) : NULL;
    array_release(&out);
    run_close(&r);
    return result;
}

PyMethodDef fold_methods[] = {
    FAST_FUNCTION("run_fold", py_run_fold),
    END_OF_FUNCTIONS,
};
