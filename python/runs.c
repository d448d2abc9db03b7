/* Running programs over buffers.
 *
 * A run takes the buffers of its arguments, opens a frame on this thread's stack (or on the heap if it is large) and
 * lets the machine work in slices, without the GIL when there is much to do. Between slices signals are checked, so
 * Ctrl-C is answered. A block with marked elements comes back here: the oracle, a Python callable of one value per
 * argument, gives their values or the exception of the call.
 */
#include "moments.h"
#include "runs.h"
#include "../vm/parallel.h"

#include <stdalign.h>
#include <string.h>

enum {
    FRAME_ON_STACK = 64 * 1024, /* bytes: larger frames are allocated */
    RELEASE_GIL_FROM = 2048,    /* elements: about a microsecond of work, ten times the cost of releasing */
    FIRST_SLICE = 1024,         /* elements that any() and all() look at first */
    SLICE_WORK = 1 << 22        /* instructions times elements between two looks at signals: under 100 ms of the slowest */
};

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
}

/* The arguments of a function of this file that begins with (program, args: a tuple), then `oracle` and `visible`. */
static int open_program(run *r, PyObject *module, PyObject *const *args, PyObject *oracle, PyObject *visible,
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

static int start(run *r, ao_job *job, void *stack)
{
    r->nspaced = 0;
    for (unsigned i = 0; i < r->ninputs; i++) {
        r->inputs[i] = r->arrays[i].data;
        r->spacings[i] = r->arrays[i].spacing;
        r->nspaced += r->spacings[i].stride != 0;
    }
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

/* Runs to `end` or to a marked block: AO_OK, AO_MARKED, or -1 with an exception (of a signal handler) set. */
static int advance(run *r, size_t end)
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
    if (!r->asked) {
        memset(values, 0, (size_t)r->visible * sizeof *values);
        r->asked = 1;
    }
    for (Py_ssize_t i = 0; i < r->visible; i++) {
        if (i == r->acc_index) {
            Py_XSETREF(values[i], Py_NewRef(acc));
        } else if (r->is_array[i]) {
            const ao_array *array = &r->arrays[input++];
            char local[8];
            if (!box(array->type, array_element(array, index, local), &values[i])) {
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
        int status = advance(r, end);
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
    if (start(r, &job, stack) == 0) {
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
    int failed = open_program(&r, module, args, args[3], args[4], -1) < 0 || array_take_out(r.state, args[2], &out) < 0
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

/* Element j of the current block is marked: its truth by Python. -1: exception. */
static int ask_truth(run *r, size_t j)
{
    PyObject *value = run_ask(r, r->frame.position + j, NULL);
    int truth = value ? PyObject_IsTrue(value) : -1;
    Py_XDECREF(value);
    ((uint8_t *)r->frame.block_out)[j] = truth > 0;
    return truth;
}

static int filter_loop(run *r)
{
    for (;;) {
        int status = advance(r, r->count);
        if (status <= AO_OK) {
            return status;
        }
        for (size_t j = 0; j < r->frame.block_count; j++) {
            if (r->frame.marks[j] && ask_truth(r, j) < 0) {
                return -1;
            }
        }
        ao_finish(&r->frame, r->frame.block_count);
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
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
                    .kept = held.data, .size = size, .log2_size = size == 8 ? 3 : size == 4 ? 2 : size - 1};
    ao_job job = {.sink = {take_kept, &c}};
    int failed = start(r, &job, stack) < 0 || filter_loop(r) < 0;
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
    if (open_program(&r, module, args, args[3], args[4], -1) == 0) {
        result = run_filter(&r, PyLong_AsSsize_t(args[2]));
    }
    run_close(&r);
    return result;
}

/* -- count, any, all ---------------------------------------------------------------------------------------------- */

enum { COUNT, ANY, ALL };

static void take_count(void *context, const void *mask, size_t first, size_t n)
{
    const uint8_t *truth = mask;
    size_t number = 0, i = 0;
    (void)first;
    for (; i + 8 <= n; i += 8) { /* the top byte of this product is the sum of all eight */
        uint64_t eight;
        memcpy(&eight, truth + i, sizeof eight);
        number += eight * UINT64_C(0x0101010101010101) >> 56;
    }
    for (; i < n; i++) {
        number += truth[i];
    }
    *(size_t *)context += number;
}

/* Whether what is known of the elements before `position` decides. */
static int is_decided(int what, size_t number, size_t position)
{
    return (what == ANY && number) || (what == ALL && number < position);
}

/* The marked elements of a block by Python, in order. -1: exception, 1: one of the block decides, 0: go on. */
static int count_marked(run *r, int what, size_t *number)
{
    uint8_t *mask = r->frame.block_out;
    for (size_t j = 0; j < r->frame.block_count; j++) {
        if (r->frame.marks[j] && ask_truth(r, j) < 0) {
            return -1;
        }
        if ((what == ANY && mask[j]) || (what == ALL && !mask[j])) {
            *number += mask[j];
            return 1;
        }
    }
    ao_finish(&r->frame, r->frame.block_count);
    return 0;
}

/* Goes on until it is decided: by slices, of which the first are short. */
static int count_loop(run *r, int what, size_t *number)
{
    size_t slice = what == COUNT ? r->count : FIRST_SLICE;
    while (r->frame.position < r->count && !is_decided(what, *number, r->frame.position)) {
        size_t left = r->count - r->frame.position;
        int status = advance(r, r->frame.position + (left < slice ? left : slice));
        if (status == AO_MARKED && is_decided(what, *number, r->frame.position)) {
            return 0; /* by the blocks before it */
        }
        status = status == AO_MARKED ? count_marked(r, what, number) : status;
        if (status) {
            return status < 0 ? -1 : 0;
        }
        slice = slice < SLICE_WORK ? 2 * slice : slice;
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
    return 0;
}

/* run_count(program, args, oracle, visible, what): how many elements the program is true for; what 1, 2: whether any, all */
PyObject *py_run_count(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 5) {
        PyErr_SetString(PyExc_TypeError, "run_count(program, args, oracle, visible, what)");
        return NULL;
    }
    run r;
    alignas(64) char stack[FRAME_ON_STACK];
    size_t number = 0;
    ao_job job = {.sink = {take_count, &number}};
    int what = (int)PyLong_AsLong(args[4]);
    int failed = open_program(&r, module, args, args[2], args[3], -1) < 0 || start(&r, &job, stack) < 0
                 || count_loop(&r, what, &number) < 0;
    size_t count = r.count;
    run_close(&r);
    if (failed) {
        return NULL;
    }
    return what == COUNT ? PyLong_FromSize_t(number) : PyBool_FromLong(what == ANY ? number > 0 : number == count);
}

/* -- pipelines ----------------------------------------------------------------------------------------------------- */

enum { STAGE_BYTES = 16384 }; /* two blocks; half of it is a step of the exact sum */
_Static_assert((int)STAGE_BYTES / 2 >= (int)AO_MAX_BLOCK, "a block fits beside what waits");

/* What takes a pipeline's values: an array, or moments. Those that the mask leaves out are not taken. */
typedef struct {
    const ao_isa *isa;
    const ao_frame *frame;
    ao_moments *moments;   /* or NULL: the array */
    char *kept;
    size_t size, log2_size, number;
    PyObject *large;       /* list of values that the machine's type does not hold */
    PyObject *scratch;
    size_t staged;         /* values that wait until there are enough to be added up quickly */
    double stage[STAGE_BYTES / sizeof(double)];
} pipe_sink;

static size_t count_truth(const uint8_t *mask, size_t n)
{
    size_t number = 0;
    take_count(&number, mask, 0, n);
    return number;
}

/* Adds up what is staged if there is so much of it: whole steps of the exact sum, but for the last time. */
static void empty_stage(pipe_sink *s, size_t from)
{
    if (s->staged < from) {
        return;
    }
    const size_t whole = from ? s->staged / 1024 * 1024 : s->staged, rest = s->staged - whole;
    ao_moments_add(s->moments, s->stage, whole);
    memmove(s->stage, (char *)s->stage + whole * s->size, rest * s->size);
    s->staged = rest;
}

static void take_values(void *context, const void *block, size_t first, size_t n)
{
    pipe_sink *s = context;
    const uint8_t *mask = ao_frame_mask(s->frame);
    (void)first;
    if (!s->moments) {
        char *to = s->kept + s->number * s->size;
        if (!mask) {
            memcpy(to, block, n * s->size);
        }
        s->number += mask ? s->isa->compact[s->log2_size](n, mask, block, to) : n;
    } else if (!mask) {
        ao_moments_add(s->moments, block, n);
    } else if (!s->moments->wanted) {
        s->moments->count += count_truth(mask, n);
    } else {
        char *to = (char *)s->stage + s->staged * s->size;
        s->staged += s->isa->compact[s->log2_size](n, mask, block, to);
        empty_stage(s, STAGE_BYTES / 2 / s->size);
    }
}

/* The value of a marked element, from Python. */
static int put_value(run *r, pipe_sink *s, enum ao_type type, size_t j, PyObject *value)
{
    uint8_t *mask = ao_frame_mask(&r->frame);
    char *element = (char *)r->frame.block_out + j * s->size;
    int kept = value != r->state->missing;
    if (kept && !s->moments) {
        kept = element_set(type, element, value, s->scratch) < 0 ? -1 : 1;
    } else if (kept && number_to_value(type, value, &(ao_value){0}) == 0) {
        kept = element_set(type, element, value, s->scratch) < 0 ? -1 : 1;
    } else if (kept) {
        kept = PyList_Append(s->large, value);
    }
    if (!mask && kept == 0) { /* nothing to leave it out by */
        PyErr_SetString(PyExc_SystemError, "a value that a pipeline without a filter does not hold");
        return -1;
    }
    if (kept <= 0) {
        memset(element, 0, s->size);
    }
    if (mask) {
        mask[j] = kept > 0;
    }
    return kept < 0 ? -1 : 0;
}

static int pipe_loop(run *r, pipe_sink *s, enum ao_type type)
{
    for (;;) {
        int status = advance(r, r->count);
        if (status <= AO_OK) {
            return status;
        }
        for (size_t j = 0; j < r->frame.block_count; j++) {
            if (!r->frame.marks[j]) {
                continue;
            }
            PyObject *value = run_ask(r, r->frame.position + j, NULL);
            int failed = !value || put_value(r, s, type, j, value) < 0;
            Py_XDECREF(value);
            if (failed) {
                return -1;
            }
        }
        ao_finish(&r->frame, r->frame.block_count);
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

static int open_sink(run *r, pipe_sink *s, enum ao_type type, char typecode)
{
    const size_t size = ao_type_sizes[type];
    s->isa = r->state->isa;
    s->frame = &r->frame;
    s->size = size;
    s->log2_size = size == 8 ? 3 : size == 4 ? 2 : size - 1;
    s->scratch = array_new(r->state, typecode, 1);
    s->large = PyList_New(0);
    return s->scratch && s->large ? 0 : -1;
}

/* The array of the values. */
static PyObject *pipe_collect(run *r, pipe_sink *s, enum ao_type type, char typecode, ao_job *job, void *stack)
{
    ao_array held;
    PyObject *result = array_new(r->state, typecode, r->count);
    if (!result || array_take_out(r->state, result, &held) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    s->kept = held.data;
    int failed = start(r, job, stack) < 0 || pipe_loop(r, s, type) < 0;
    array_release(&held);
    if (failed || array_cut(r->state, result, s->number) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* (moments, values that the machine does not hold) */
static PyObject *pipe_moments(run *r, pipe_sink *s, enum ao_type type, unsigned wanted, ao_job *job, void *stack)
{
    PyObject *result = NULL;
    s->moments = PyMem_RawMalloc(sizeof *s->moments);
    if (!s->moments) {
        return PyErr_NoMemory();
    }
    ao_moments_start(s->moments, r->state->isa, type, wanted, 0);
    if (start(r, job, stack) == 0 && pipe_loop(r, s, type) == 0) {
        empty_stage(s, 0);
        PyObject *found = moments_result(s->moments);
        result = found ? Py_BuildValue("N O", found, s->large) : NULL;
    }
    PyMem_RawFree(s->moments);
    return result;
}

/* run_pipe(program, args, oracle, visible, typecode, wanted): with wanted 0 the array of the values that the program's mask
 * keeps, else what moments() gives for them. The oracle returns MISSING for an element that is left out. */
PyObject *py_run_pipe(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 6 || !PyUnicode_Check(args[4]) || PyUnicode_GetLength(args[4]) != 1) {
        PyErr_SetString(PyExc_TypeError, "run_pipe(program, args, oracle, visible, typecode, wanted)");
        return NULL;
    }
    run r;
    pipe_sink sink;
    alignas(64) char stack[FRAME_ON_STACK];
    ao_job job = {.sink = {take_values, &sink}};
    PyObject *result = NULL;
    memset(&sink, 0, offsetof(pipe_sink, stage));
    const unsigned long wanted = PyLong_AsUnsignedLong(args[5]);
    ao_array form;
    char format[2] = {(char)PyUnicode_READ_CHAR(args[4], 0), 0};
    if (PyErr_Occurred() || format_parse(format, 0, &form) < 0) {
        return NULL;
    }
    if (open_program(&r, module, args, args[2], args[3], -1) == 0 && open_sink(&r, &sink, form.type, format[0]) == 0) {
        if (form.type != ao_program_out_type(r.program->program)) {
            PyErr_SetString(PyExc_ValueError, "the program was compiled for another output type");
        } else {
            result = wanted ? pipe_moments(&r, &sink, form.type, (unsigned)wanted, &job, stack)
                            : pipe_collect(&r, &sink, form.type, format[0], &job, stack);
        }
    }
    Py_XDECREF(sink.scratch);
    Py_XDECREF(sink.large);
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
        int status = f->r.frame.position < f->r.count ? advance(&f->r, f->r.count) : AO_OK;
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
    if (start(&f->r, &job, stack) < 0) {
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
    if (open_program(&f.r, module, args, args[4], args[5], acc_index) < 0) {
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
