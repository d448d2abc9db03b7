/* A run that several threads share: see shares.h. */
#include "shares.h"
#include "slices.h"
#include "../../vm/parallel.h"

#include <string.h>

/* What one thread has: it runs its range of a slice until the first block with marks, which is left to Python. */
typedef struct {
    ao_job job;
    ao_frame frame;
    share_context *context;
    size_t first; /* of its range */
    ao_status status;
    const void **inputs;
    char *memory; /* of the frame */
} share;

static share *share_of(const shares *s, unsigned number)
{
    return (share *)(void *)(s->shares + number * s->each);
}

share_context *shares_context(const shares *s, unsigned number)
{
    return share_of(s, number)->context;
}

static size_t round_up64(size_t n)
{
    return (n + 63) / 64 * 64;
}

int shares_open(shares *s, run *r, unsigned number, const share_kind *kind)
{
    run_find_spacings(r);
    const size_t own = round_up64(sizeof(share)), context = round_up64(kind->size);
    const size_t inputs = round_up64(r->ninputs * sizeof(void *)), frame = ao_frame_size(r->program->program, r->nspaced);
    *s = (shares){.r = r, .kind = kind, .number = number, .decided_by = number,
                  .each = own + context + inputs + round_up64(frame)};
    s->memory = PyMem_RawCalloc(1, number * s->each + 64);
    if (!s->memory) {
        PyErr_NoMemory();
        return -1;
    }
    s->shares = aligned64(s->memory);
    for (unsigned i = 0; i < number; i++) {
        share *p = share_of(s, i);
        p->context = (share_context *)(void *)((char *)p + own);
        p->inputs = (const void **)(void *)((char *)p->context + context);
        p->memory = (char *)p->inputs + inputs;
        p->status = AO_OK;
        p->job = (ao_job){.isa = r->state->isa, .inputs = p->inputs, .params = r->params, .flags = AO_FAR | r->state->native,
                          .spacings = r->nspaced ? r->spacings : NULL, .sink = {kind->take, p->context, kind->what, kind->source, &p->context->to, NULL}};
        memcpy(p->context, kind->whole, kind->copied);
    }
    return 0;
}

static void note_decided(shares *s, unsigned number)
{
    unsigned known = atomic_load(&s->decided_by);
    while (number < known && !atomic_compare_exchange_weak(&s->decided_by, &known, number)) {
    }
}

/* Chunk by chunk, to the end or until it is decided, here or before. */
static ao_status run_until_decided(shares *s, share *p, unsigned number)
{
    ao_status status = AO_OK;
    while (status == AO_OK && p->frame.position < p->job.count && atomic_load(&s->decided_by) >= number) {
        const size_t left = p->job.count - p->frame.position;
        status = ao_run(&p->frame, p->frame.position + (left < AO_CHUNK ? left : AO_CHUNK));
        if (s->kind->decided(p->context)) {
            note_decided(s, number);
            break;
        }
    }
    return status;
}

static void run_range(void *context, unsigned number, size_t first, size_t end)
{
    shares *s = context;
    const run *r = s->r;
    share *p = share_of(s, number);
    p->first = first;
    for (unsigned i = 0; i < r->ninputs; i++) {
        const ao_array *a = &r->arrays[i];
        p->inputs[i] = ao_along(a->data, first, array_step(a));
    }
    p->job.count = end - first;
    p->job.sink.sum = p->context->sum;
    p->context->frame = &p->frame;
    if (s->kind->begin) {
        s->kind->begin(p->context, first, s->kind->whole);
    }
    ao_frame_open(&p->frame, r->program->program, &p->job, p->memory);
    p->status = s->kind->decided ? run_until_decided(s, p, number) : ao_run(&p->frame, p->job.count);
    if (number) {
        slices_not_shared(p->job.count - p->frame.position);
    }
}

/* What a thread left of its range. 1: what comes behind is not wanted; -1: exception. */
static int finish_range(const shares *s, share *p)
{
    run *r = s->r;
    if (p->status == AO_MARKED) {
        r->frame = p->frame;
        r->first = p->first;
        r->count = p->job.count;
        p->context->frame = &r->frame;
        if (s->kind->rest(r, p->context) < 0) {
            return -1;
        }
    }
    const int said = p->job.count && s->kind->done ? s->kind->done(p->context, p->first, s->kind->whole) : 0;
    p->status = AO_OK; /* it may have nothing to do in the next slice */
    p->job.count = 0;
    return said;
}

/* What threads left of a slice. */
static int finish_slice(void *context)
{
    const shares *s = context;
    run *r = s->r;
    const size_t count = r->count;
    int said = 0;
    for (unsigned number = 0; number < s->number && !said; number++) {
        said = finish_range(s, share_of(s, number));
    }
    r->first = 0;
    r->count = count;
    return said;
}

int shares_run(shares *s, size_t first)
{
    const slice_work work = {run_range, finish_slice, s};
    return run_slices(&work, first, s->r->count, 2 * (size_t)s->number * (run_slice(s->r) + AO_CHUNK), s->number);
}

void shares_close(shares *s)
{
    PyMem_RawFree(s->memory);
}

int shares_through(run *r, unsigned number, const share_kind *kind, size_t first)
{
    shares s;
    if (shares_open(&s, r, number, kind) < 0) {
        return -1;
    }
    const int failed = shares_run(&s, first);
    shares_close(&s);
    return failed;
}

void share_keep_apart(share_context *context, size_t first, const share_context *whole)
{
    context->to = context->kept = whole->kept + first * whole->size;
    context->number = 0;
}

int share_move_together(share_context *context, size_t first, share_context *whole)
{
    (void)first;
    memmove(whole->kept + whole->number * whole->size, context->kept, context->number * whole->size);
    whole->number += context->number;
    return 0;
}
