/* Pipelines: programs with a mask. The values that it keeps go to an array, or are added up exactly, block by block, so
 * nothing is kept that grows with the input. Sums are exact, so several threads may share a long input: what each adds up
 * is added together in Python; extremes are handed on in the order of the ranges.
 */
#include "pipe.h"
#include "moments.h"
#include "numbers.h"
#include "shares.h"

#include <stdalign.h>
#include <string.h>

enum { STAGE_BYTES = 16384 }; /* two blocks; half of it is a step of the exact sum */
_Static_assert((int)STAGE_BYTES / 2 >= (int)AO_MAX_BLOCK, "a block fits beside what waits");

/* What takes a pipeline's values: an array, or moments. Those that the mask leaves out are not taken. */
typedef struct {
    share_context context; /* with the array, if it is one */
    enum ao_taking what;
    ao_moments *moments;   /* or NULL: the array */
    enum ao_type type;
    PyObject *large;       /* list of values that the machine's type does not hold */
    PyObject *scratch;
    size_t staged;         /* values that wait until there are enough to be added up quickly */
    double stage[STAGE_BYTES / sizeof(double)];
} pipe_sink;

/* Adds up what is staged if there is so much of it: whole steps of the exact sum, but for the last time. */
static void empty_stage(pipe_sink *s, size_t from)
{
    if (s->staged < from) {
        return;
    }
    const size_t whole = from ? s->staged / 1024 * 1024 : s->staged, rest = s->staged - whole;
    ao_moments_add(s->moments, s->stage, whole);
    memmove(s->stage, (char *)s->stage + whole * s->context.size, rest * s->context.size);
    s->staged = rest;
    s->context.to = (char *)s->stage + rest * s->context.size;
}

static void take_values(void *context, const void *block, size_t first, size_t n)
{
    pipe_sink *s = context;
    const size_t size = s->context.size;
    (void)first;
    if (s->what == AO_TAKE_COUNT || (block && block == s->context.sum)) {
        s->moments->count += n;
    } else if (!s->moments) {
        if (block) {
            memcpy(s->context.to, block, n * size);
        }
        s->context.to += n * size;
        s->context.number += n;
    } else if (block) {
        ao_moments_add(s->moments, block, n);
    } else {
        s->context.to += n * size;
        s->staged += n;
        empty_stage(s, STAGE_BYTES / 2 / size);
    }
}

/* A value that counts, from Python. 1: it is in the machine's memory; 0: in the list of large ones; -1: exception. */
static int keep_value(pipe_sink *s, char *element, PyObject *value)
{
    const int is_truth = s->type == AO_TYPE_u8 && PyBool_Check(value);
    if (!s->moments || is_truth || number_to_value(s->type, value, &(ao_value){0}) == 0) {
        if (element_set(s->type, element, value, s->scratch) == 0) {
            return 1;
        }
        say_remedy(s->type, value);
        return -1;
    }
    return PyList_Append(s->large, value);
}

/* The value of a marked element, from Python. MISSING: the pipeline leaves it out. */
static int put_value(run *r, pipe_sink *s, size_t j, PyObject *value)
{
    uint8_t *mask = ao_frame_mask(&r->frame);
    char *element = (char *)r->frame.block_out + j * s->context.size;
    const int kept = value != r->state->missing ? keep_value(s, element, value) : 0;
    if (kept <= 0) {
        memset(element, 0, s->context.size);
    }
    if (mask) {
        mask[j] = kept > 0;
    } else if (kept == 0) {
        /* Only a float pipeline without a filter has no mask (ints always get one, truth values always fit). So this value
         * is one that no float holds: a complex number, from a power of a negative one. */
        PyErr_Format(PyExc_TypeError, "a pipeline's values must be numbers to be added up, not %.200s",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    return kept < 0 ? -1 : 0;
}

static int answer_pipe(run *r, size_t j, void *context)
{
    PyObject *value = run_ask(r, r->frame.position + j, NULL);
    int failed = !value || put_value(r, context, j, value) < 0;
    Py_XDECREF(value);
    return failed ? -1 : 0;
}

static int open_sink(run *r, pipe_sink *s, enum ao_type type, char typecode, unsigned long wanted)
{
    const int masked = ao_program_has_mask(r->program->program);
    s->what = !masked ? AO_TAKE_ALL : wanted == MOMENTS_COUNT ? AO_TAKE_COUNT : AO_TAKE_TRUE;
    s->context.frame = &r->frame;
    s->context.size = ao_type_sizes[type];
    s->type = type;
    s->scratch = array_scratch(r->state, typecode);
    s->large = s->scratch ? PyList_New(0) : NULL;
    return s->large ? 0 : -1;
}

static void start_moments(pipe_sink *s, ao_moments *moments, const ao_isa *isa, unsigned wanted)
{
    s->moments = moments;
    s->context.to = (char *)s->stage;
    s->context.sum = wanted == AO_SUMS && s->type == AO_TYPE_f64 ? &moments->sum : NULL;
    ao_moments_start(moments, isa, s->type, wanted, 0);
}

/* (list of one moments, values that the machine does not hold) */
static PyObject *pipe_moments(run *r, pipe_sink *s, unsigned wanted, ao_job *job, void *stack)
{
    PyObject *result = NULL;
    ao_moments *moments = PyMem_RawMalloc(sizeof *moments);
    if (!moments) {
        return PyErr_NoMemory();
    }
    start_moments(s, moments, r->state->isa, wanted);
    job->sink.sum = s->context.sum;
    if (run_start(r, job, stack) == 0 && run_through(r, r->count, answer_pipe, s) == 0) {
        empty_stage(s, 0);
        PyObject *list = moments_list(s->moments, 1, 0);
        result = list ? PyTuple_Pack(2, list, s->large) : NULL;
        Py_XDECREF(list);
    }
    PyMem_RawFree(moments);
    return result;
}

/* -- on several threads -------------------------------------------------------------------------------------------- */

typedef struct {
    pipe_sink sink; /* first: it is the context */
    ao_moments moments;
} pipe_share;

static pipe_share *share_at(const shares *s, unsigned number)
{
    return (pipe_share *)(void *)shares_context(s, number);
}

static int pipe_rest(run *r, share_context *context)
{
    return run_through(r, r->count, answer_pipe, context);
}

/* The first of equal extremes is that of the first range, which has those of all before this one. */
static int pass_extremes(share_context *context, size_t first, share_context *whole)
{
    pipe_sink *s = (pipe_sink *)(void *)context;
    (void)first;
    empty_stage(s, 0);
    ao_moments_pass_extremes(((pipe_sink *)(void *)whole)->moments, s->moments);
    return 0;
}

static PyObject *shared_moments(const shares *s, PyObject *large)
{
    for (unsigned number = 0; number < s->number; number++) {
        empty_stage(&share_at(s, number)->sink, 0);
    }
    const size_t apart = s->number > 1 ? (size_t)((char *)share_at(s, 1) - (char *)share_at(s, 0)) : 0;
    PyObject *list = moments_list(&share_at(s, 0)->moments, s->number, apart);
    PyObject *result = list ? PyTuple_Pack(2, list, large) : NULL;
    Py_XDECREF(list);
    return result;
}

/* As pipe_moments, by several threads, with a moments of each. */
static PyObject *pipe_moments_shared(run *r, pipe_sink *sink, unsigned wanted, unsigned threads)
{
    const share_kind kind = {.size = sizeof(pipe_share), .copied = offsetof(pipe_sink, stage), .whole = &sink->context,
                             .take = take_values, .what = sink->what, .rest = pipe_rest,
                             .done = wanted & AO_EXTREMES ? pass_extremes : NULL};
    shares s;
    if (shares_open(&s, r, threads, &kind) < 0) {
        return NULL;
    }
    for (unsigned number = 0; number < threads; number++) {
        pipe_share *p = share_at(&s, number);
        start_moments(&p->sink, &p->moments, r->state->isa, wanted);
    }
    sink->moments = &share_at(&s, 0)->moments;
    PyObject *result = shares_run(&s, 0) < 0 ? NULL : shared_moments(&s, sink->large);
    shares_close(&s);
    return result;
}

/* The array of the values. */
static PyObject *pipe_collect(run *r, pipe_sink *s, char typecode, ao_job *job, void *stack)
{
    ao_array held;
    PyObject *result = array_new_out(r->state, typecode, r->count, &held);
    if (!result) {
        return NULL;
    }
    s->context.to = s->context.kept = held.data;
    const share_kind kind = {.size = sizeof *s, .copied = offsetof(pipe_sink, stage), .whole = &s->context,
                             .take = take_values, .what = s->what, .rest = pipe_rest, .begin = share_keep_apart,
                             .done = share_move_together};
    const unsigned threads = shares_wanted(r);
    const int failed = threads > 1 ? shares_through(r, threads, &kind, 0) < 0
                                   : run_start(r, job, stack) < 0 || run_through(r, r->count, answer_pipe, s) < 0;
    array_release(&held);
    if (failed || array_cut(r->state, result, s->context.number) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* A run whose sink is open; wanted as for run_pipe. */
static PyObject *pipe_result(run *r, pipe_sink *sink, char typecode, unsigned wanted)
{
    alignas(64) char stack[FRAME_ON_STACK];
    ao_job job = {.sink = {take_values, sink, sink->what, 0, &sink->context.to, NULL}};
    if (!run_gives(r, sink->type)) {
        return NULL;
    }
    if (!wanted) {
        return pipe_collect(r, sink, typecode, &job, stack);
    }
    const unsigned threads = shares_wanted(r);
    return threads > 1 ? pipe_moments_shared(r, sink, wanted, threads) : pipe_moments(r, sink, wanted, &job, stack);
}

/* run_pipe(program, args, oracle, visible, typecode, wanted): with wanted 0 the array of the values that the program's mask
 * keeps, else (what moments() gives for them, values that the machine does not hold). The oracle returns MISSING for an
 * element that is left out. */
static PyObject *py_run_pipe(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 6, "run_pipe(program, args, oracle, visible, typecode, wanted)")) {
        return NULL;
    }
    run r;
    pipe_sink sink;
    memset(&sink, 0, offsetof(pipe_sink, stage));
    const ao_typecode *row = typecode_from(args[4]);
    const unsigned long wanted = row ? PyLong_AsUnsignedLong(args[5]) : 0;
    if (!PyErr_Occurred() && row->given != AO_AS_ARRAY) {
        PyErr_SetString(PyExc_ValueError, "run_pipe(): the typecode must be one of array.array's");
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    PyObject *result = NULL;
    if (run_open(&r, module, args, -1) == 0 && (r.unnoted = 1) && open_sink(&r, &sink, typecode_type(row), row->letter, wanted) == 0) {
        result = pipe_result(&r, &sink, row->letter, (unsigned)wanted);
    }
    Py_XDECREF(sink.scratch);
    Py_XDECREF(sink.large);
    run_close(&r);
    return result;
}

PyMethodDef pipe_methods[] = {
    FAST_FUNCTION("run_pipe", py_run_pipe),
    END_OF_FUNCTIONS,
};
