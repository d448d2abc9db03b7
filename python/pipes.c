/* Programs whose results are not an array of the inputs' length: how many are true, and pipelines.
 *
 * A pipeline's program has a mask: the values that it keeps go to an array, or are added up exactly, block by block, so
 * nothing is kept that grows with the input. Sums are exact, so several threads may share a long input: what each adds up
 * is added together in Python.
 */
#include "moments.h"
#include "runs.h"
#include "../vm/parallel.h"

#include <stdalign.h>
#include <string.h>

enum { FIRST_SLICE = 1024 }; /* elements that any() and all() look at first */

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
        if (r->frame.marks[j] && run_ask_truth(r, j) < 0) {
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
        int status = run_advance(r, r->frame.position + (left < slice ? left : slice));
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
    int failed = run_open(&r, module, args, args[2], args[3], -1) < 0 || run_start(&r, &job, stack) < 0
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
    enum ao_type type;
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
static int put_value(run *r, pipe_sink *s, size_t j, PyObject *value)
{
    const enum ao_type type = s->type;
    uint8_t *mask = ao_frame_mask(&r->frame);
    char *element = (char *)r->frame.block_out + j * s->size;
    int kept = value != r->state->missing;
    const int fits = (type == AO_TYPE_u8 && PyBool_Check(value)) || number_to_value(type, value, &(ao_value){0}) == 0;
    if (kept && (!s->moments || fits)) {
        kept = element_set(type, element, value, s->scratch) < 0 ? -1 : 1;
    } else if (kept) {
        kept = PyList_Append(s->large, value);
    }
    if (!mask && kept == 0) { /* nothing to leave it out by: a complex power, as ints have a mask and truth fits */
        PyErr_Format(PyExc_TypeError, "a pipeline's values must be numbers to be added up, not %.200s",
                     Py_TYPE(value)->tp_name);
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

static int patch_value(run *r, size_t j, void *context)
{
    PyObject *value = run_ask(r, r->frame.position + j, NULL);
    int failed = !value || put_value(r, context, j, value) < 0;
    Py_XDECREF(value);
    return failed ? -1 : 0;
}

static int open_sink(run *r, pipe_sink *s, enum ao_type type, char typecode)
{
    const size_t size = ao_type_sizes[type];
    s->isa = r->state->isa;
    s->frame = &r->frame;
    s->type = type;
    s->size = size;
    s->log2_size = log2_size(type);
    s->scratch = array_new(r->state, typecode, 1);
    s->large = PyList_New(0);
    return s->scratch && s->large ? 0 : -1;
}

/* The array of the values. */
static PyObject *pipe_collect(run *r, pipe_sink *s, char typecode, ao_job *job, void *stack)
{
    ao_array held;
    PyObject *result = array_new(r->state, typecode, r->count);
    if (!result || array_take_out(r->state, result, &held) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    s->kept = held.data;
    int failed = run_start(r, job, stack) < 0 || run_to_sink(r, patch_value, s) < 0;
    array_release(&held);
    if (failed || array_cut(r->state, result, s->number) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* (list of one moments, values that the machine does not hold) */
static PyObject *pipe_moments(run *r, pipe_sink *s, unsigned wanted, ao_job *job, void *stack)
{
    PyObject *result = NULL;
    s->moments = PyMem_RawMalloc(sizeof *s->moments);
    if (!s->moments) {
        return PyErr_NoMemory();
    }
    ao_moments_start(s->moments, r->state->isa, s->type, wanted, 0);
    if (run_start(r, job, stack) == 0 && run_to_sink(r, patch_value, s) == 0) {
        empty_stage(s, 0);
        PyObject *list = moments_list(s->moments, 1, 0);
        result = list ? Py_BuildValue("N O", list, s->large) : NULL;
    }
    PyMem_RawFree(s->moments);
    return result;
}

/* -- on several threads -------------------------------------------------------------------------------------------- */

/* What one thread has: it runs its range of a slice until the first block with marks, which is left to Python. */
typedef struct {
    ao_job job;
    ao_frame frame;
    pipe_sink sink;
    ao_moments moments;
    size_t first; /* of its range */
    ao_status status;
    const void **inputs;
    char *memory; /* of the frame */
} pipe_part;

typedef struct {
    const run *r;
    char *parts;
    size_t each;  /* bytes of a part with what belongs to it */
    size_t start; /* of the slice */
} pipe_slice;

static pipe_part *part_of(const pipe_slice *slice, unsigned number)
{
    return (pipe_part *)(void *)(slice->parts + number * slice->each);
}

static void run_range(void *context, unsigned number, size_t first, size_t end)
{
    const pipe_slice *slice = context;
    const run *r = slice->r;
    pipe_part *p = part_of(slice, number);
    p->first = slice->start + first;
    for (unsigned i = 0; i < r->ninputs; i++) {
        const ao_array *a = &r->arrays[i];
        p->inputs[i] = (const char *)a->data + (ptrdiff_t)p->first * array_step(a);
    }
    p->job.count = end - first;
    p->sink.frame = &p->frame;
    ao_frame_open(&p->frame, r->program->program, &p->job, p->memory);
    p->status = ao_run(&p->frame, p->job.count);
}

/* What threads left of a slice, in the order of the elements: so the first exception is Python's. */
static int finish_slice(run *r, const pipe_slice *slice, unsigned parts)
{
    const size_t count = r->count;
    int failed = 0;
    for (unsigned number = 0; number < parts && !failed; number++) {
        pipe_part *p = part_of(slice, number);
        if (p->status != AO_MARKED) {
            continue;
        }
        r->frame = p->frame;
        r->first = p->first;
        r->count = p->job.count;
        p->sink.frame = &r->frame;
        failed = run_to_sink(r, patch_value, &p->sink) < 0;
    }
    r->first = 0;
    r->count = count;
    return failed ? -1 : PyErr_CheckSignals();
}

static void open_part(pipe_slice *slice, unsigned number, const pipe_sink *sink, unsigned wanted)
{
    const run *r = slice->r;
    pipe_part *p = part_of(slice, number);
    char *after = (char *)(p + 1);
    p->inputs = (const void **)(void *)after;
    after += r->ninputs * sizeof *p->inputs;
    p->memory = (char *)(((uintptr_t)after + 63) & ~(uintptr_t)63);
    memcpy(&p->sink, sink, offsetof(pipe_sink, stage));
    p->sink.moments = &p->moments;
    ao_moments_start(&p->moments, r->state->isa, sink->type, wanted, 0);
    p->job = (ao_job){.isa = r->state->isa, .inputs = p->inputs, .params = r->params, .flags = AO_FAR,
                      .spacings = r->nspaced ? r->spacings : NULL, .sink = {take_values, &p->sink}};
}

static PyObject *parts_result(const pipe_slice *slice, unsigned parts, PyObject *large)
{
    for (unsigned number = 0; number < parts; number++) {
        empty_stage(&part_of(slice, number)->sink, 0);
    }
    PyObject *list = moments_list(&part_of(slice, 0)->moments, parts, slice->each);
    return list ? Py_BuildValue("N O", list, large) : NULL;
}

/* As pipe_moments, by several threads, with a moments of each. */
static PyObject *pipe_in_parts(run *r, const pipe_sink *sink, unsigned wanted, unsigned parts)
{
    run_find_spacings(r);
    pipe_slice slice = {.r = r};
    const size_t frame = ao_frame_size(r->program->program, r->nspaced);
    slice.each = (sizeof(pipe_part) + r->ninputs * sizeof(void *) + 64 + frame + 63) / 64 * 64;
    char *memory = PyMem_RawMalloc(parts * slice.each + 64);
    if (!memory) {
        return PyErr_NoMemory();
    }
    slice.parts = (char *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
    for (unsigned number = 0; number < parts; number++) {
        open_part(&slice, number, sink, wanted);
    }
    const size_t most = 2 * (size_t)parts * (SLICE_WORK / (r->program->instructions + 1) + AO_CHUNK);
    int failed = 0;
    for (size_t end; slice.start < r->count && !failed; slice.start = end) {
        end = r->count - slice.start < most ? r->count : slice.start + most;
        for (unsigned number = 0; number < parts; number++) {
            part_of(&slice, number)->status = AO_OK; /* also of one that has nothing to do */
        }
        Py_BEGIN_ALLOW_THREADS
        ao_in_parts(end - slice.start, parts, run_range, &slice);
        Py_END_ALLOW_THREADS
        failed = finish_slice(r, &slice, parts) < 0;
    }
    PyObject *result = failed ? NULL : parts_result(&slice, parts, sink->large);
    PyMem_RawFree(memory);
    return result;
}

/* How many threads are to share a pipeline: extremes alone want the first of equals, so they want the order. */
static unsigned pipe_threads(const run *r, unsigned wanted)
{
    const int in_order = wanted & AO_EXTREMES && !(wanted & AO_SQUARES);
    return !in_order && ao_is_long(r->program->program, r->count) ? r->state->threads : 1;
}

/* run_pipe(program, args, oracle, visible, typecode, wanted): with wanted 0 the array of the values that the program's mask
 * keeps, else (what moments() gives for them, values that the machine does not hold). The oracle returns MISSING for an
 * element that is left out. */
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
    if (run_open(&r, module, args, args[2], args[3], -1) == 0 && open_sink(&r, &sink, form.type, format[0]) == 0) {
        if (form.type != ao_program_out_type(r.program->program)) {
            PyErr_SetString(PyExc_ValueError, "the program was compiled for another output type");
        } else {
            const unsigned threads = wanted ? pipe_threads(&r, (unsigned)wanted) : 1;
            result = threads > 1 ? pipe_in_parts(&r, &sink, (unsigned)wanted, threads)
                     : wanted    ? pipe_moments(&r, &sink, (unsigned)wanted, &job, stack)
                                 : pipe_collect(&r, &sink, format[0], &job, stack);
        }
    }
    Py_XDECREF(sink.scratch);
    Py_XDECREF(sink.large);
    run_close(&r);
    return result;
}

