/* Programs that give one truth value for each element. Their results are not stored: as each block is finished, the elements
 * that it keeps are copied to the result, or its true ones counted. */
#include "filter.h"
#include "shares.h"
#include "watch.h"
#include "../../vm/parallel.h"

#include <stdalign.h>
#include <string.h>

enum { FIRST_SLICE = 1024 }; /* elements that any() and all() look at first */

/* -- filter ------------------------------------------------------------------------------------------------------ */

typedef struct {
    share_context context; /* with the frame, of which the input is, and what is kept */
    const ao_isa *isa;
    unsigned source; /* the input that is filtered */
    ao_spacing spacing; /* of what is kept: a form, or none */
    size_t log2_size;
} compaction;

static void take_kept(void *context, const void *block, size_t first, size_t n)
{
    share_context *to = &((compaction *)context)->context;
    (void)block, (void)first;
    to->number += n;
    to->to += n * to->size;
}

/* The same where the result is of another form than the machine has. */
static void take_kept_form(void *context, const void *mask, size_t first, size_t n)
{
    alignas(8) char aside[AO_MAX_BLOCK];
    compaction *c = context;
    share_context *to = &c->context;
    const char *elements = ao_frame_input(to->frame, c->source);
    const size_t most = sizeof aside / to->size;
    (void)first;
    for (size_t i = 0, now; i < n; i += now) {
        now = n - i < most ? n - i : most;
        const size_t kept = c->isa->compact[c->log2_size](now, (const uint8_t *)mask + i, elements + i * to->size, aside);
        ao_scatter(to->kept + (ptrdiff_t)to->number * c->spacing.stride, c->spacing, aside, to->size, kept);
        to->number += kept;
    }
}

static int answer_truth(run *r, size_t j, void *context)
{
    (void)context;
    return run_ask_truth(r, j) < 0 ? -1 : 0;
}

static int filter_rest(run *r, share_context *context)
{
    return run_through(r, r->count, answer_truth, context);
}

static void take_mask(void *context, const void *mask, size_t first, size_t n)
{
    memcpy((char *)context + first, mask, n);
}

static PyObject *run_mask(run *r)
{
    alignas(64) char stack[FRAME_ON_STACK];
    ao_array held;
    PyObject *result = array_new_out(r->state, 'B', r->count, &held);
    if (result) {
        ao_job job = {.sink = {.take = take_mask, .context = held.data}};
        const int failed = run_start(r, &job, stack) < 0 || run_through(r, r->count, answer_truth, NULL) < 0;
        array_release(&held);
        if (failed) {
            Py_CLEAR(result);
        }
    }
    return result;
}

static int filter_shared(run *r, compaction *c, unsigned threads)
{
    const share_kind kind = {.size = sizeof *c, .copied = sizeof *c, .whole = &c->context, .take = take_kept,
                             .what = AO_TAKE_TRUE, .source = c->source, .rest = filter_rest, .begin = share_keep_apart,
                             .done = share_move_together};
    return shares_through(r, threads, &kind, 0);
}

PyObject *run_filter(run *r, Py_ssize_t lead)
{
    if (lead < 0) {
        return run_mask(r);
    }
    alignas(64) char stack[FRAME_ON_STACK];
    const ao_array *source = run_lead(r, lead);
    ao_array held;
    PyObject *result = source ? array_new_out(r->state, source->typecode, r->count, &held) : NULL;
    if (!result) {
        return NULL;
    }
    compaction c = {.context = {&r->frame, held.data, ao_type_sizes[source->type], 0, held.data}, .isa = r->state->isa,
                    .source = (unsigned)(source - r->arrays), .spacing = held.spacing, .log2_size = log2_size(source->type)};
    ao_job job = {.sink = {held.spacing.form ? take_kept_form : take_kept, &c, held.spacing.form ? AO_TAKE_ALL : AO_TAKE_TRUE,
                           c.source, &c.context.to, NULL}};
    const unsigned threads = held.spacing.form ? 1 : shares_wanted(r);
    const int failed = threads > 1 ? filter_shared(r, &c, threads) < 0
                                   : run_start(r, &job, stack) < 0 || run_through(r, r->count, answer_truth, NULL) < 0;
    array_release(&held);
    if (failed || array_cut(r->state, result, c.context.number) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* run_filter(program, args, oracle, visible, lead) -> array of the elements of args[lead] for which the program is true; -1
 * for lead: of its truth for each, 1 or 0 */
static PyObject *py_run_filter(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 5, "run_filter(program, args, oracle, visible, lead)")) {
        return NULL;
    }
    run r;
    PyObject *result = run_open(&r, module, args, -1) < 0 ? NULL : run_filter(&r, PyLong_AsSsize_t(args[4]));
    run_close(&r);
    return result;
}

/* -- count, any, all, the first ----------------------------------------------------------------------------------- */

typedef struct {
    share_context context;
    int what;
    int wanted;     /* the truth that decides; of a count there is none */
    size_t number;  /* of the elements that are finished, so many are true */
    size_t decided; /* of the current block, so many have been looked at and do not decide */
    Py_ssize_t first; /* the element that decided, or -1: of RUN_FIRST and RUN_FIRST_FALSE */
} counting;

static void take_count(void *context, const void *block, size_t first, size_t n)
{
    counting *c = context;
    (void)block, (void)first;
    c->number += n;
    c->decided = 0;
}

static void take_first(void *context, const void *mask, size_t first, size_t n)
{
    counting *c = context;
    const uint8_t *found = memchr(mask, c->wanted, n);
    take_count(context, NULL, first, found ? ao_count_true(mask, n) : c->wanted ? 0 : n); /* which takes ten times as long */
    if (c->first < 0 && found) {
        c->first = (Py_ssize_t)first + (found - (const uint8_t *)mask);
    }
}

/* Only to find the first one takes the truth values themselves. */
static ao_sink counting_sink(counting *c)
{
    return c->what >= RUN_FIRST ? (ao_sink){.take = take_first, .context = c}
                                : (ao_sink){.take = take_count, .context = c, .what = AO_TAKE_COUNT};
}

/* Whether what is known of the elements before `position` decides. */
static int is_decided(const counting *c, size_t position)
{
    return c->what != RUN_COUNT && (c->wanted ? c->number > 0 : c->number < position);
}

/* Python is not asked for an element if one before it decides. */
static int answer_count(run *r, size_t j, void *context)
{
    counting *c = context;
    uint8_t *mask = r->frame.block_out;
    if (is_decided(c, r->frame.position)
        || (c->what != RUN_COUNT && memchr(mask + c->decided, c->wanted, j - c->decided))) {
        mask[j] = 0;
        return 1;
    }
    const int truth = run_ask_truth(r, j);
    c->decided = j + 1;
    return truth < 0 ? -1 : c->what != RUN_COUNT && truth == c->wanted;
}

/* Goes on to `end`, or until it is decided: by slices, of which the first are short. */
static int count_loop(run *r, counting *c, size_t end)
{
    size_t slice = c->what == RUN_COUNT ? end : FIRST_SLICE;
    while (r->frame.position < end && !is_decided(c, r->frame.position)) {
        size_t left = end - r->frame.position;
        int status = run_through(r, r->frame.position + (left < slice ? left : slice), answer_count, c);
        if (status) {
            return status < 0 ? -1 : 0;
        }
        slice = slice < SLICE_WORK ? 2 * slice : slice;
        if (watch_breathe() < 0) {
            return -1;
        }
    }
    return 0;
}

static int count_rest(run *r, share_context *context)
{
    return count_loop(r, (counting *)(void *)context, r->count);
}

static void count_begin(share_context *context, size_t first, const share_context *whole)
{
    counting *c = (counting *)(void *)context;
    (void)first, (void)whole;
    c->number = c->decided = 0;
    c->first = -1;
}

static int count_decided(const share_context *context)
{
    return is_decided((const counting *)(const void *)context, context->frame->position);
}

/* What the elements of a range say, those before them having decided nothing. */
static int count_done(share_context *context, size_t first, share_context *context_of_all)
{
    const counting *c = (const counting *)(const void *)context;
    counting *whole = (counting *)(void *)context_of_all;
    whole->number += c->number;
    whole->first = c->first < 0 ? -1 : (Py_ssize_t)first + c->first;
    return count_decided(context);
}

/* What decides may stand near the front: threads begin when an eighth of what is worth them has been looked at. */
static size_t looked_at_alone(const run *r)
{
    size_t count = FIRST_SLICE;
    while (count < r->count && !ao_is_long(r->program->program, 8 * count)) {
        count *= 2;
    }
    return count < r->count ? count : r->count;
}

static int count_shared(run *r, counting *c, unsigned threads, void *stack)
{
    const ao_sink sink = counting_sink(c);
    const share_kind kind = {.size = sizeof *c, .copied = sizeof *c, .whole = &c->context, .take = sink.take, .what = sink.what,
                             .rest = count_rest, .begin = count_begin, .done = count_done, .decided = count_decided};
    size_t alone = 0;
    if (c->what != RUN_COUNT) {
        ao_job job = {.sink = sink};
        alone = looked_at_alone(r);
        if (run_start(r, &job, stack) < 0 || count_loop(r, c, alone) < 0) {
            return -1;
        }
    }
    return is_decided(c, alone) ? 0 : shares_through(r, threads, &kind, alone);
}

/* Of so many elements, of which so many are true, and this is the first that was asked for. */
static PyObject *answer_of(int what, size_t count, size_t number, Py_ssize_t first)
{
    switch (what) {
    case RUN_COUNT: return PyLong_FromSize_t(number);
    case RUN_ANY: return PyBool_FromLong(number > 0);
    case RUN_ALL: return PyBool_FromLong(number == count);
    default: return PyLong_FromSsize_t(first);
    }
}

PyObject *run_count(run *r, int what)
{
    alignas(64) char stack[FRAME_ON_STACK];
    counting c = {.what = what, .first = -1};
    c.wanted = what == RUN_ANY || what == RUN_FIRST;
    ao_job job = {.sink = counting_sink(&c)};
    const unsigned threads = shares_wanted(r);
    if (threads > 1 ? count_shared(r, &c, threads, stack) < 0
                    : run_start(r, &job, stack) < 0 || count_loop(r, &c, r->count) < 0) {
        return NULL;
    }
    return answer_of(what, r->count, c.number, c.first);
}

PyObject *count_few(int what, const uint8_t *mask, size_t count)
{
    const uint8_t *found = what < RUN_FIRST ? NULL : memchr(mask, what == RUN_FIRST, count);
    return answer_of(what, count, what < RUN_FIRST ? ao_count_true(mask, count) : 0, found ? found - mask : -1);
}

/* run_count(program, args, oracle, visible, what): how many elements the program is true for; or whether any, or all are; or the
 * index of the first one for which it is true, or false, -1 if there is none */
static PyObject *py_run_count(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    if (!has_args(nargs, 5, "run_count(program, args, oracle, visible, what)")) {
        return NULL;
    }
    run r;
    PyObject *result = run_open(&r, module, args, -1) < 0 ? NULL : run_count(&r, (int)PyLong_AsLong(args[4]));
    run_close(&r);
    return result;
}

PyMethodDef filter_methods[] = {
    FAST_FUNCTION("run_filter", py_run_filter),
    FAST_FUNCTION("run_count", py_run_count),
    END_OF_FUNCTIONS,
};
