/* Programs that give one result for each element: on this thread, or in chunks on several. */
#include "map.h"
#include "bignum.h"
#include "watch.h"
#include "numbers.h"
#include "validity.h"
#include "../../vm/parallel.h"

#include <stdalign.h>
#include <string.h>

/* Exceptions come in the order of the elements, and a store that failed is none until all have been evaluated: then marks
 * of stores alone need no answer any more. */
static int answer_map(run *r, size_t j, void *context)
{
    store_policy *policy = context;
    if (r->frame.marks[j] == AO_MARK_STORE && policy->deferred.error) {
        return 0;
    }
    char *element = (char *)r->frame.block_out + j * ao_type_sizes[policy->type];
    if (policy->valid && !validity_bit(policy->valid, r->frame.position + j)) {
        memset(element, 0, ao_type_sizes[policy->type]);
        return 0;
    }
    PyObject *answered = run_answered(r);
    if (answered) {
        r->together++;
        if (policy->type == AO_TYPE_f64 && !policy->form && PyFloat_CheckExact(answered)) {
            const double x = PyFloat_AS_DOUBLE(answered);
            memcpy(element, &x, sizeof x);
            return 0;
        }
        return store_result(policy, element, answered, r->frame.position + j) < 0 ? -1 : 0;
    }
    PyObject *value = run_ask(r, r->frame.position + j, NULL);
    if (!value) {
        return -1;
    }
    const int stored = store_result(policy, element, value, r->frame.position + j);
    Py_DECREF(value);
    return stored < 0 ? -1 : 0;
}

typedef struct {
    PyThreadState *thread; /* that gave the GIL away */
} signal_check;

static int check_signals(void *context)
{
    signal_check *check = context;
    PyEval_RestoreThread(check->thread);
    int failed = watch_look();
    check->thread = PyEval_SaveThread();
    return failed;
}

/* The chunks that need Python, in order and on this thread; the others are done. */
static int map_left(run *r, store_policy *policy, const uint8_t *left, size_t chunks)
{
    int status = 0;
    for (size_t c = 0; c < chunks && status == 0; c++) {
        size_t end = c + 1 < chunks ? (c + 1) * AO_CHUNK : r->count;
        if (left[c]) {
            status = run_through(r, end, answer_map, policy);
        } else {
            ao_skip(&r->frame, end - r->frame.position);
        }
    }
    return status;
}

/* All elements, on several threads. */
static int map_parallel(run *r, const ao_job *job, store_policy *policy, unsigned threads)
{
    size_t chunks = ao_chunks(r->count);
    uint8_t *left = PyMem_RawMalloc(chunks);
    if (!left) {
        return run_through(r, r->count, answer_map, policy);
    }
    signal_check check;
    ao_poll poll = {check_signals, &check, run_slice(r) / AO_CHUNK + 1};
    check.thread = PyEval_SaveThread();
    ao_run_parallel(r->program->program, job, threads, &poll, left);
    PyEval_RestoreThread(check.thread);
    int status = PyErr_Occurred() ? -1 : map_left(r, policy, left, chunks);
    PyMem_RawFree(left);
    return status;
}

static int map_all(run *r, const ao_job *job, store_policy *policy, unsigned threads)
{
    if (threads == 0) {
        threads = r->state->threads > 1 && ao_is_long(r->program->program, r->count) ? r->state->threads : 1;
    }
    threads = job->out_spacing.stride ? 1 : threads; /* chunks write side by side */
    return threads > 1 && r->count > AO_CHUNK ? map_parallel(r, job, policy, threads)
                                              : run_through(r, r->count, answer_map, policy);
}

/* Truth values that are computed are 0 and 1, as they are to be stored. */
static ao_spacing out_spacing(const ao_array *out)
{
    const ao_spacing none = {0, 0, AO_AS_IS};
    return out->spacing.form == AO_TRUTH && out->spacing.stride == 1 ? none : out->spacing;
}

/* All of it, to `to`; `out` says how results are stored. */
static int fill(run *r, const ao_array *out, const ao_array *to, int defer, int keep, unsigned threads, const uint8_t *valid)
{
    store_policy policy = {.type = out->type, .form = out->spacing.form, .defer = defer, .valid = valid};
    alignas(64) char stack[FRAME_ON_STACK];
    int failed = -1;
    if (ao_program_faults(r->program->program)) {
        policy.scratch = array_scratch(r->state, out->typecode);
        if (!policy.scratch) {
            return -1;
        }
    }
    r->valid = valid;
    r->compute = policy.form ? NULL : bignum_answer;
    ao_job job = {.out = to->data, .out_spacing = out_spacing(to), .flags = keep ? AO_KEEP : 0};
    if (run_start(r, &job, stack) == 0) {
        failed = map_all(r, &job, &policy, threads);
        failed = failed ? failed : deferred_raise(&policy.deferred);
    }
    deferred_drop(&policy.deferred);
    Py_XDECREF(policy.scratch);
    return failed;
}

/* Into memory of our own, and from there, as far as it came: whoever asks Python about an element finds the tables as they were. */
static int fill_apart(run *r, ao_array *out, unsigned threads, const uint8_t *valid)
{
    ao_array apart = *out;
    if (array_make_private(&apart) < 0) {
        return -1;
    }
    const int failed = fill(r, out, &apart, 0, 1, threads, valid);
    const size_t size = ao_type_sizes[out->type];
    if (out->spacing.stride) {
        ao_scatter(out->data, out->spacing, apart.data, size, out->count);
    } else {
        memcpy(out->data, apart.data, out->count * size);
    }
    PyMem_RawFree(apart.copy);
    return failed;
}

int run_map(run *r, ao_array *out, int defer, unsigned threads, const uint8_t *valid)
{
    int same = 0;
    if (!run_gives(r, out->type) || array_check_lengths(&r->arrays[0], out) < 0
        || (!defer && array_separate(r->arrays, r->ninputs, out, &same) < 0)) { /* what was made just now shares memory with nothing */
        return -1;
    }
    return !defer && run_fills_table(r, out) ? fill_apart(r, out, threads, valid)
                                             : fill(r, out, out, defer, same || !defer, threads, valid);
}

/* run_map(program, args, oracle, visible, out, defer, threads, bits or None): fills out, but for what is null. In this and all others that run programs, the
 * oracle is called with the first `visible` arguments. */
static PyObject *py_run_map(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 8, "run_map(program, args, oracle, visible, out, defer, threads, bits)")) {
        return NULL;
    }
    unsigned long threads = PyLong_AsUnsignedLong(args[6]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    run r;
    ao_array out, bits;
    array_none(&out);
    array_none(&bits);
    int failed = run_open(&r, module, args, -1) < 0 || array_take_out(r.state, args[4], &out) < 0
                 || validity_take(r.state, args[7], r.count, &bits) < 0
                 || run_map(&r, &out, PyObject_IsTrue(args[5]), (unsigned)threads, bits.data) < 0;
    array_release(&bits);
    array_release(&out);
    run_close(&r);
    return failed ? NULL : Py_NewRef(Py_None);
}

PyMethodDef map_methods[] = {
    FAST_FUNCTION("run_map", py_run_map),
    END_OF_FUNCTIONS,
};
