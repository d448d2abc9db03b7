/* Running programs over buffers.
 *
 * A run takes the buffers of its arguments, opens a frame on this thread's stack (or on the heap if it is large) and
 * lets the machine work in slices, without the GIL when there is much to do. Between slices signals are checked, so
 * Ctrl-C is answered. A block with marked elements comes back here: the oracle, a Python callable of one value per
 * argument, gives their values or the exception of the call.
 */
#include "runs.h"
#include "../vm/arrays/reduce.h"
#include "../vm/parallel.h"

#include <stdalign.h>
#include <string.h>

/* -- opening and closing ------------------------------------------------------------------------------------- */

static int run_tables(run *r)
{
    size_t n = (size_t)r->nargs;
    if (n <= RUN_ARGS_INLINE) {
        r->arrays = r->inline_arrays;
        r->inputs = r->inline_inputs;
        r->spacings = r->inline_spacings;
        r->params = r->inline_params;
        r->is_array = r->inline_is_array;
        r->values = r->inline_values;
        return 0;
    }
    size_t each = sizeof *r->arrays + sizeof *r->inputs + sizeof *r->spacings + sizeof *r->params + sizeof *r->values
                  + sizeof *r->is_array;
    char *p = r->tables = PyMem_RawCalloc(n + 1, each);
    if (!p) {
        PyErr_NoMemory();
        return -1;
    }
    r->arrays = (ao_array *)(void *)p;
    r->params = (ao_value *)(void *)(r->arrays + n);
    r->spacings = (ao_spacing *)(void *)(r->params + n);
    r->inputs = (const void **)(void *)(r->spacings + n);
    r->values = (PyObject **)(void *)(r->inputs + n);
    r->is_array = (int8_t *)(r->values + n + 1);
    return 0;
}

static int take_array(run *r, PyObject *object)
{
    ao_array *array = &r->arrays[r->ninputs];
    if (array_take(r->state, object, array) < 0) {
        return -1;
    }
    if (r->ninputs++ && array_check_lengths(&r->arrays[0], array) < 0) {
        return -1;
    }
    r->count = array->count;
    return 0;
}

int run_take(run *r, module_state *state, PyObject *oracle, PyObject *const *args, Py_ssize_t nargs, Py_ssize_t visible)
{
    run_none(r);
    r->state = state;
    r->oracle = oracle;
    r->args = args;
    r->nargs = nargs;
    r->visible = visible;
    r->acc_index = -1;
    if (visible < 0 || visible > nargs) {
        PyErr_SetString(PyExc_ValueError, "the oracle must take the leading arguments");
        return -1;
    }
    if (run_tables(r) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        r->is_array[i] = (int8_t)!(PyLong_Check(args[i]) || PyFloat_Check(args[i]));
        if (r->is_array[i] && take_array(r, args[i]) < 0) {
            return -1;
        }
    }
    if (!r->ninputs) {
        PyErr_SetString(PyExc_TypeError, "at least one argument must be a buffer");
        return -1;
    }
    return 0;
}

static int bind_arrays(run *r)
{
    const ao_program *program = r->program->program;
    if (r->ninputs != ao_program_inputs(program)) {
        return 1;
    }
    for (unsigned i = 0; i < r->ninputs; i++) {
        if (r->arrays[i].type != ao_program_type(program, i)) {
            return 1;
        }
    }
    return 0;
}

static int bind_numbers(run *r)
{
    unsigned nparams = 0, known = ao_program_params(r->program->program);
    for (Py_ssize_t i = 0; i < r->nargs; i++) {
        if (r->is_array[i] || (i != r->acc_index && number_is_big(r->args[i]))) {
            continue; /* a big number is a constant of the program */
        }
        if (nparams >= known) {
            return 1;
        }
        unsigned type = ao_program_type(r->program->program, r->ninputs + nparams);
        ao_value *value = &r->params[nparams++];
        if (i != r->acc_index && number_to_value((enum ao_type)type, r->args[i], value) != 0) {
            return 1;
        }
    }
    return nparams != known;
}

int run_bind(run *r, PyObject *program, Py_ssize_t acc_index)
{
    if (!Py_IS_TYPE(program, r->state->program_type)) {
        PyErr_SetString(PyExc_TypeError, "a Program is needed");
        return -1;
    }
    r->program = (ProgramObject *)Py_NewRef(program);
    r->acc_index = acc_index;
    int status = bind_arrays(r);
    status = status ? status : bind_numbers(r);
    if (status > 0 && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_ValueError, "the program was compiled for other arguments");
    }
    return status ? -1 : 0;
}

static _Thread_local size_t last_asked;

size_t run_last_asked(void)
{
    return last_asked;
}

/* last_asked() -> how many elements the oracle was asked for in the run that this thread ended last */
PyObject *py_last_asked(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyLong_FromSize_t(last_asked);
}

void run_close(run *r)
{
    Py_XDECREF(r->program);
    for (Py_ssize_t i = 0; r->asked && i < r->visible; i++) {
        Py_XDECREF(r->values[i + 1]);
    }
    for (unsigned i = 0; i < r->ninputs; i++) {
        array_release(&r->arrays[i]);
    }
    PyMem_RawFree(r->frame_memory);
    PyMem_RawFree(r->tables);
    last_asked = r->asked; /* last: objects that go may run programs of their own */
}

int run_open(run *r, PyObject *module, PyObject *const *args, PyObject *oracle, PyObject *visible,
                        Py_ssize_t acc_index)
{
    run_none(r);
    if (!PyTuple_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "a tuple of arguments is needed");
        return -1;
    }
    PyObject *const *items = ((PyTupleObject *)args[1])->ob_item;
    if (run_take(r, state_of(module), oracle, items, PyTuple_GET_SIZE(args[1]), PyLong_AsSsize_t(visible)) < 0) {
        return -1;
    }
    return run_bind(r, args[0], acc_index);
}

/* Memory of the frame: `stack`, or allocated if that is too small. NULL with MemoryError set. */
static void *frame_place(run *r, const ao_job *job, void *stack)
{
    size_t size = ao_frame_size(r->program->program, job->spacings ? r->nspaced : 0);
    if (size <= FRAME_ON_STACK) {
        return stack;
    }
    r->frame_memory = PyMem_RawMalloc(size + 64);
    if (!r->frame_memory) {
        PyErr_NoMemory();
        return NULL;
    }
    return (void *)(((uintptr_t)r->frame_memory + 63) & ~(uintptr_t)63);
}

void run_find_spacings(run *r)
{
    r->nspaced = 0;
    for (unsigned i = 0; i < r->ninputs; i++) {
        r->inputs[i] = r->arrays[i].data;
        r->nspaced += r->arrays[i].spacing.stride != 0;
    }
    for (unsigned i = 0; r->nspaced && i < r->ninputs; i++) {
        r->spacings[i] = r->arrays[i].spacing;
    }
}

int run_start(run *r, ao_job *job, void *stack)
{
    run_find_spacings(r);
    job->inputs = r->inputs;
    job->spacings = r->nspaced ? r->spacings : NULL;
    void *memory = frame_place(r, job, stack);
    if (!memory) {
        return -1;
    }
    job->isa = r->state->isa;
    job->params = r->params;
    job->count = r->count;
    ao_frame_open(&r->frame, r->program->program, job, memory);
    return 0;
}

/* -- running --------------------------------------------------------------------------------------------------- */

int run_advance(run *r, size_t end)
{
    size_t slice = SLICE_WORK / (r->program->instructions + 1);
    slice = slice < AO_MAX_BLOCK ? AO_MAX_BLOCK : slice;
    for (;;) {
        size_t left = end - r->frame.position;
        size_t stop = r->frame.position + (left < slice ? left : slice);
        ao_status status;
        if (left >= RELEASE_GIL_FROM) {
            Py_BEGIN_ALLOW_THREADS
            status = ao_run(&r->frame, stop);
            Py_END_ALLOW_THREADS
        } else {
            status = ao_run(&r->frame, stop);
        }
        if (left >= RELEASE_GIL_FROM && PyErr_CheckSignals() < 0) {
            return -1;
        }
        if (status != AO_OK || stop == end) {
            return (int)status;
        }
    }
}

/* The element as an object, in the place of the one before it; 0 on error. A float that nobody else has is used again. */
static int box(enum ao_type type, const char *element, PyObject **object)
{
#ifndef Py_GIL_DISABLED
    if (type == AO_TYPE_f64 && *object && Py_REFCNT(*object) == 1) {
        memcpy(&((PyFloatObject *)*object)->ob_fval, element, sizeof(double));
        return 1;
    }
#endif
    PyObject *next = element_get(type, element);
    if (next) {
        Py_XSETREF(*object, next);
    }
    return next != NULL;
}

/* The boxed elements stay until the next call, or until run_close. */
PyObject *run_ask(run *r, size_t index, PyObject *acc)
{
    PyObject **values = r->values + 1;
    unsigned input = 0;
    if (r->asked++ == 0) {
        memset(values, 0, (size_t)r->visible * sizeof *values);
    }
    for (Py_ssize_t i = 0; i < r->visible; i++) {
        if (i == r->acc_index) {
            Py_XSETREF(values[i], Py_NewRef(acc));
        } else if (r->is_array[i]) {
            const ao_array *array = &r->arrays[input++];
            char local[8];
            if (!box(array->type, array_element(array, r->first + index, local), &values[i])) {
                return NULL;
            }
        } else if (!values[i]) {
            values[i] = Py_NewRef(r->args[i]);
        }
    }
    size_t flagged = (size_t)r->visible | PY_VECTORCALL_ARGUMENTS_OFFSET;
    vectorcallfunc direct = PyVectorcall_Function(r->oracle);
    PyObject *result = direct ? direct(r->oracle, values, flagged, NULL)
                              : PyObject_Vectorcall(r->oracle, values, flagged, NULL);
    if (r->acc_index >= 0 && r->acc_index < r->visible) {
        Py_CLEAR(values[r->acc_index]);
    }
    return result;
}

/* -- map --------------------------------------------------------------------------------------------------------- */

typedef struct {
    enum ao_type type;
    PyObject *scratch;        /* array.array of one element of the output */
    int defer;                /* go on after a failed store */
    deferred_error deferred;
} store_policy;

/* Supplies the marked elements of the current block. -1 with an exception; then *done elements are finished. */
static int patch_block(run *r, store_policy *policy, size_t *done)
{
    size_t size = ao_type_sizes[policy->type];
    for (size_t j = 0; j < r->frame.block_count; j++) {
        unsigned mark = r->frame.marks[j];
        if (!mark || (mark == AO_MARK_STORE && policy->deferred.error)) {
            continue;
        }
        *done = j;
        PyObject *value = run_ask(r, r->frame.position + j, NULL);
        if (!value) {
            return -1;
        }
        int status = element_set(policy->type, (char *)r->frame.block_out + j * size, value, policy->scratch);
        Py_DECREF(value);
        if (status < 0) {
            if (!policy->defer) {
                return -1;
            }
            deferred_save(&policy->deferred);
        }
    }
    *done = r->frame.block_count;
    return 0;
}

/* Elements up to `end`, on this thread. */
static int map_to(run *r, store_policy *policy, size_t end)
{
    for (;;) {
        int status = run_advance(r, end);
        if (status <= AO_OK) {
            return status;
        }
        size_t done = 0;
        int failed = patch_block(r, policy, &done);
        ao_finish(&r->frame, done);
        if (failed < 0 || PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

typedef struct {
    PyThreadState *thread; /* that gave the GIL away */
} signal_check;

static int check_signals(void *context)
{
    signal_check *check = context;
    PyEval_RestoreThread(check->thread);
    int failed = PyErr_CheckSignals();
    check->thread = PyEval_SaveThread();
    return failed;
}

/* All elements, on several threads; then, in order and on this thread, the chunks that need Python. */
static int map_parallel(run *r, const ao_job *job, store_policy *policy, unsigned threads)
{
    size_t chunks = ao_chunks(r->count), slice = SLICE_WORK / (r->program->instructions + 1);
    uint8_t *left = PyMem_RawMalloc(chunks);
    if (!left) {
        return map_to(r, policy, r->count);
    }
    signal_check check;
    ao_poll poll = {check_signals, &check, slice / AO_CHUNK + 1};
    check.thread = PyEval_SaveThread();
    ao_run_parallel(r->program->program, job, threads, &poll, left);
    PyEval_RestoreThread(check.thread);
    int status = PyErr_Occurred() ? -1 : 0;
    for (size_t c = 0; c < chunks && status == 0; c++) {
        size_t end = c + 1 < chunks ? (c + 1) * AO_CHUNK : r->count;
        if (left[c]) {
            status = map_to(r, policy, end);
        } else {
            ao_skip(&r->frame, end - r->frame.position);
        }
    }
    PyMem_RawFree(left);
    return status;
}

static int map_all(run *r, const ao_job *job, store_policy *policy, unsigned threads)
{
    if (threads == 0) {
        threads = r->state->threads > 1 && ao_is_long(r->program->program, r->count) ? r->state->threads : 1;
    }
    threads = job->out_spacing.stride ? 1 : threads; /* chunks write side by side */
    return threads > 1 && r->count > AO_CHUNK ? map_parallel(r, job, policy, threads) : map_to(r, policy, r->count);
}

int run_map(run *r, ao_array *out, int defer, unsigned threads)
{
    store_policy policy = {.type = out->type, .defer = defer};
    alignas(64) char stack[FRAME_ON_STACK];
    int same = 0, failed = -1;
    if (out->type != ao_program_out_type(r->program->program)) {
        PyErr_SetString(PyExc_ValueError, "the program was compiled for another output type");
        return -1;
    }
    if (array_check_lengths(&r->arrays[0], out) < 0 || array_separate(r->arrays, r->ninputs, out, &same) < 0) {
        return -1;
    }
    if (ao_program_faults(r->program->program)) {
        policy.scratch = array_new(r->state, out->typecode, 1);
        if (!policy.scratch) {
            return -1;
        }
    }
    ao_job job = {.out = out->data, .out_spacing = out->spacing, .flags = same || !defer ? AO_KEEP : 0};
    if (run_start(r, &job, stack) == 0) {
        failed = map_all(r, &job, &policy, threads);
        failed = failed ? failed : deferred_raise(&policy.deferred);
    }
    deferred_drop(&policy.deferred);
    Py_XDECREF(policy.scratch);
    return failed;
}

/* run_map(program, args, out, oracle, visible, defer, threads): fills out. In this and the others, the oracle is called with
 * the first `visible` arguments. */
PyObject *py_run_map(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 7) {
        PyErr_SetString(PyExc_TypeError, "run_map(program, args, out, oracle, visible, defer, threads)");
        return NULL;
    }
    unsigned long threads = PyLong_AsUnsignedLong(args[6]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    run r;
    ao_array out = {0};
    int failed = run_open(&r, module, args, args[3], args[4], -1) < 0 || array_take_out(r.state, args[2], &out) < 0
                 || run_map(&r, &out, PyObject_IsTrue(args[5]), (unsigned)threads) < 0;
    array_release(&out);
    run_close(&r);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* set_threads(number) -> the number before: threads that a long run may use. */
PyObject *py_set_threads(PyObject *module, PyObject *object)
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

/* -- filter ------------------------------------------------------------------------------------------------------ */

typedef struct {
    const ao_isa *isa;
    const ao_frame *frame;
    unsigned source; /* the input that is filtered */
    char *kept;
    size_t size, log2_size, number;
} compaction;

static void take_kept(void *context, const void *mask, size_t first, size_t n)
{
    compaction *c = context;
    (void)first;
    c->number += c->isa->compact[c->log2_size](n, mask, ao_frame_input(c->frame, c->source), c->kept + c->number * c->size);
}

int run_ask_truth(run *r, size_t j)
{
    PyObject *value = run_ask(r, r->frame.position + j, NULL);
    int truth = value ? PyObject_IsTrue(value) : -1;
    Py_XDECREF(value);
    ((uint8_t *)r->frame.block_out)[j] = truth > 0;
    return truth;
}

int run_to_sink(run *r, int (*patch)(run *r, size_t j, void *context), void *context)
{
    for (;;) {
        int status = run_advance(r, r->count);
        if (status <= AO_OK) {
            return status;
        }
        for (size_t j = 0; j < r->frame.block_count; j++) {
            if (r->frame.marks[j] && patch(r, j, context) < 0) {
                return -1;
            }
        }
        ao_finish(&r->frame, r->frame.block_count);
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

static int patch_truth(run *r, size_t j, void *context)
{
    (void)context;
    return run_ask_truth(r, j);
}

const ao_array *run_lead(const run *r, Py_ssize_t lead)
{
    if (lead < 0 || lead >= r->nargs || !r->is_array[lead]) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be a buffer");
        return NULL;
    }
    unsigned input = 0;
    for (Py_ssize_t i = 0; i < lead; i++) {
        input += (unsigned)r->is_array[i];
    }
    return &r->arrays[input];
}

PyObject *run_filter(run *r, Py_ssize_t lead)
{
    alignas(64) char stack[FRAME_ON_STACK];
    ao_array held = {0};
    const ao_array *source = run_lead(r, lead);
    PyObject *result = source ? array_new(r->state, source->typecode, r->count) : NULL;
    if (!result || array_take_out(r->state, result, &held) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    size_t size = ao_type_sizes[source->type];
    compaction c = {.isa = r->state->isa, .frame = &r->frame, .source = (unsigned)(source - r->arrays),
                    .kept = held.data, .size = size, .log2_size = log2_size(source->type)};
    ao_job job = {.sink = {take_kept, &c}};
    int failed = run_start(r, &job, stack) < 0 || run_to_sink(r, patch_truth, NULL) < 0;
    array_release(&held);
    if (failed || array_cut(r->state, result, c.number) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* run_filter(program, args, lead, oracle, visible) -> array of the elements of args[lead] for which the program is true */
PyObject *py_run_filter(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 5) {
        PyErr_SetString(PyExc_TypeError, "run_filter(program, args, lead, oracle, visible)");
        return NULL;
    }
    run r;
    PyObject *result = NULL;
    if (run_open(&r, module, args, args[3], args[4], -1) == 0) {
        result = run_filter(&r, PyLong_AsSsize_t(args[2]));
    }
    run_close(&r);
    return result;
}

/* -- folds ------------------------------------------------------------------------------------------------------- */

typedef struct {
    run r;
    enum ao_type acc_type;
    PyObject *acc;        /* its current value, where Python has it */
    ao_array *out;        /* for accumulate: the value after each element */
    size_t from;          /* first element of the fold */
    store_policy policy;
} fold_run;

/* The fold's value after `end` elements, without output: for the store error of an element in mid-block. */
static PyObject *fold_value(fold_run *f, size_t end);

/* Stores of the first n elements of the current block that did not fit: raises or defers the first one's exception. */
static int failed_stores(fold_run *f, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        if (!(f->r.frame.marks[j] & AO_MARK_STORE) || f->policy.deferred.error) {
            continue;
        }
        size_t index = f->r.frame.position + j;
        PyObject *value = fold_value(f, index + 1);
        if (!value) {
            return -1;
        }
        char *element = (char *)f->r.frame.block_out + j * ao_type_sizes[f->out->type];
        if (element_set(f->out->type, element, value, f->policy.scratch) < 0) {
            deferred_save(&f->policy.deferred);
        }
        Py_DECREF(value);
    }
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
    if (element && element_set(f->out->type, element, next, f->policy.scratch) < 0) {
        deferred_save(&f->policy.deferred);
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
        if (python_step(f, index, element) < 0 || PyErr_CheckSignals() < 0) {
            return -1;
        }
        ao_skip(frame, 1);
    }
    ao_frame_set_acc(frame, value);
    return 0;
}

/* A marked block: its last element is Python's if its value mark is set, and so are the following ones until the
 * accumulator is again one that the machine holds. */
static int finish_marked(fold_run *f)
{
    ao_frame *frame = &f->r.frame;
    size_t n = frame->block_count;
    size_t size = f->out ? ao_type_sizes[f->out->type] : 0;
    int scan_stopped = frame->scan_stopped;
    if (failed_stores(f, scan_stopped ? n - 1 : n) < 0) {
        return -1;
    }
    if (!scan_stopped) {
        ao_finish(frame, n);
        return 0;
    }
    Py_XSETREF(f->acc, value_to_number(f->acc_type, ao_frame_acc(frame)));
    if (!f->acc || python_step(f, frame->position + n - 1, size ? (char *)frame->block_out + (n - 1) * size : NULL) < 0) {
        return -1;
    }
    ao_finish(frame, n);
    return python_steps(f);
}

static int fold_loop(fold_run *f)
{
    for (;;) {
        int status = f->r.frame.position < f->r.count ? run_advance(&f->r, f->r.count) : AO_OK;
        if (status == AO_OK && f->acc && number_to_value(f->acc_type, f->acc, &(ao_value){0}) != 0) {
            return 0; /* the last accumulator is one that only Python holds */
        }
        if (status == AO_OK) {
            Py_XSETREF(f->acc, value_to_number(f->acc_type, ao_frame_acc(&f->r.frame)));
            return f->acc ? 0 : -1;
        }
        if (status < 0 || finish_marked(f) < 0) {
            return -1;
        }
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

static int fold_start(fold_run *f, void *stack)
{
    ao_job job = {.out = f->out ? f->out->data : NULL};
    if (run_start(&f->r, &job, stack) < 0) {
        return -1;
    }
    ao_skip(&f->r.frame, f->from);
    Py_XSETREF(f->acc, Py_NewRef(f->r.args[f->r.acc_index]));
    return python_steps(f);
}

static PyObject *fold_value(fold_run *f, size_t end)
{
    alignas(64) char stack[FRAME_ON_STACK];
    fold_run *g = PyMem_RawMalloc(sizeof *g);
    if (!g) {
        return PyErr_NoMemory();
    }
    PyObject *result = NULL;
    memset(g, 0, sizeof *g);
    g->acc_type = f->acc_type;
    g->from = f->from;
    ao_array nowhere = {.type = f->out->type};
    nowhere.data = PyMem_RawMalloc(f->r.count * ao_type_sizes[f->out->type] + 1);
    g->out = &nowhere;
    g->policy.scratch = f->policy.scratch;
    g->policy.deferred.error = Py_NewRef(Py_None); /* failed stores are of no interest here */
    if (!nowhere.data) {
        PyErr_NoMemory();
    } else if (run_take(&g->r, f->r.state, f->r.oracle, f->r.args, f->r.nargs, f->r.visible) == 0
               && run_bind(&g->r, (PyObject *)f->r.program, f->r.acc_index) == 0) {
        g->r.count = end;
        if (fold_start(g, stack) == 0 && fold_loop(g) == 0) {
            result = Py_NewRef(g->acc);
        }
    }
    Py_XDECREF(g->acc);
    deferred_drop(&g->policy.deferred);
    run_close(&g->r);
    PyMem_RawFree(nowhere.data);
    PyMem_RawFree(g);
    return result;
}

/* run_fold(program, args, acc_index, from, oracle, visible, out) -> the last accumulator.
 *
 * args[acc_index] is its first value; the fold starts at element `from`. out is None, or a buffer of as many elements as
 * the arrays, of which those before `from` stay as they are. */
PyObject *py_run_fold(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 7) {
        PyErr_SetString(PyExc_TypeError, "run_fold(program, args, acc_index, from, oracle, visible, out)");
        return NULL;
    }
    fold_run f;
    ao_array out = {0};
    PyObject *result = NULL;
    alignas(64) char stack[FRAME_ON_STACK];
    memset(&f, 0, sizeof f);
    Py_ssize_t acc_index = PyLong_AsSsize_t(args[2]);
    f.from = PyLong_AsSize_t(args[3]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (run_open(&f.r, module, args, args[4], args[5], acc_index) < 0) {
        goto done;
    }
    f.acc_type = (enum ao_type)ao_program_acc_type(f.r.program->program);
    if (acc_index < 0 || acc_index >= f.r.nargs || f.r.is_array[acc_index] || f.from > f.r.count) {
        PyErr_SetString(PyExc_ValueError, "run_fold(): bad accumulator or start");
        goto done;
    }
    if (args[6] != Py_None) {
        if (array_take_out(f.r.state, args[6], &out) < 0 || array_check_lengths(&f.r.arrays[0], &out) < 0) {
            goto done;
        }
        f.out = &out;
        f.policy.scratch = array_new(f.r.state, out.typecode, 1);
        if (!f.policy.scratch) {
            goto done;
        }
    }
    if ((f.out ? (unsigned)out.type : AO_TYPE_NONE) != ao_program_out_type(f.r.program->program)) {
        PyErr_SetString(PyExc_ValueError, "the program was compiled for another output type");
        goto done;
    }
    if (fold_start(&f, stack) == 0 && fold_loop(&f) == 0 && deferred_raise(&f.policy.deferred) == 0) {
        result = Py_NewRef(f.acc);
    }
done:
    Py_XDECREF(f.acc);
    Py_XDECREF(f.policy.scratch);
    deferred_drop(&f.policy.deferred);
    array_release(&out);
    run_close(&f.r);
    return result;
}

/* -- plain reductions ---------------------------------------------------------------------------------------------- */

static PyObject *int_from_halves(int64_t high, uint64_t low)
{
    if (high == 0) {
        return PyLong_FromUnsignedLongLong(low);
    }
    if (high == -1 && low >> 63) {
        return PyLong_FromLongLong((long long)low);
    }
    PyObject *result = NULL, *bits = PyLong_FromLong(64);
    PyObject *h = PyLong_FromLongLong(high), *l = PyLong_FromUnsignedLongLong(low);
    PyObject *shifted = bits && h && l ? PyNumber_Lshift(h, bits) : NULL;
    if (shifted) {
        result = PyNumber_Add(shifted, l);
    }
    Py_XDECREF(bits);
    Py_XDECREF(h);
    Py_XDECREF(l);
    Py_XDECREF(shifted);
    return result;
}

/* The exact sum of a buffer, or None where math.fsum itself must answer. */
PyObject *run_sum(PyObject *module, PyObject *object)
{
    const ao_isa *isa = state_of(module)->isa;
    ao_array a;
    if (array_take(state_of(module), object, &a) < 0) {
        return NULL;
    }
    if (a.spacing.stride && array_make_private(&a) < 0) {
        array_release(&a);
        return NULL;
    }
    int is_float = a.type == AO_TYPE_f32 || a.type == AO_TYPE_f64, known = 1;
    int64_t high = 0;
    uint64_t low = 0;
    double sum = 0;
    PyThreadState *thread = a.count >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
    if (is_float) {
        known = ao_sum_float(isa, a.type, a.data, a.count, &sum);
    } else {
        ao_sum_int(isa, a.type, a.data, a.count, &high, &low);
    }
    if (thread) {
        PyEval_RestoreThread(thread);
    }
    array_release(&a);
    if (!known) {
        return Py_NewRef(Py_None);
    }
    return is_float ? PyFloat_FromDouble(sum) : int_from_halves(high, low);
}

/* Of the element that min() or max() of a buffer returns its value, or with `index` its index; None if it is empty. */
static PyObject *find_extreme(PyObject *module, PyObject *object, int largest, int index)
{
    ao_array a;
    PyObject *result = NULL;
    if (array_take(state_of(module), object, &a) < 0) {
        return NULL;
    }
    if (a.spacing.stride && array_make_private(&a) < 0) {
        goto done;
    }
    if (!a.count) {
        result = Py_NewRef(Py_None);
        goto done;
    }
    PyThreadState *thread = a.count >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
    size_t at = ao_extreme(state_of(module)->isa, a.type, a.data, a.count, largest);
    if (thread) {
        PyEval_RestoreThread(thread);
    }
    result = index ? PyLong_FromSize_t(at)
                   : element_get(a.type, (const char *)a.data + at * ao_type_sizes[a.type]);
done:
    array_release(&a);
    return result;
}

PyObject *run_extreme(PyObject *module, PyObject *object, int largest)
{
    return find_extreme(module, object, largest, 0);
}

/* arg_extreme(buffer, largest) -> index, or None */
PyObject *py_arg_extreme(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2) {
        PyErr_SetString(PyExc_TypeError, "arg_extreme(buffer, largest)");
        return NULL;
    }
    return find_extreme(module, args[0], PyObject_IsTrue(args[1]), 1);
}
