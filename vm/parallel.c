/* A run on several threads.
 *
 * Threads take chunks in order from a shared counter, so a slow one delays nobody. A chunk is a run of its own, with its
 * own frame in the thread's memory. One with marked elements is left to the caller, which alone may ask the oracle.
 *
 * In order. Where the output must stay as it is behind the first element that fails (AO_KEEP), a chunk is computed aside
 * and waits until all chunks before it are known to be good. Nobody waits for a chunk that has not been taken, and chunks
 * are computed before they wait, so the first of them never waits: there is no deadlock.
 */
#include "parallel.h"
#include "program.h"
#include "thread.h"

#include <stdatomic.h>
#include <string.h>

enum {
    ALIGNMENT = 64,
    LONG_WORK = 1 << 23 /* simple operations: 1 to 2 ms */
};

typedef struct {
    const ao_program *program;
    const ao_job *job;
    const ao_poll *poll;
    uint8_t *left;
    size_t chunks, frame_size;
    int in_order;
    atomic_size_t next; /* chunk to be taken */
    atomic_size_t good; /* in order: chunks before this one are done */
    atomic_int stop;
} shared;

/* What one thread needs: its frame, addresses of inputs, and in order a chunk of results. */
typedef struct {
    shared *all;
    char *frame, *aside;
    const void **inputs;
    ao_thread thread;
    int calling; /* the thread of the caller: it polls */
    int started;
} worker;

size_t ao_chunks(size_t count)
{
    return count / AO_CHUNK + (count % AO_CHUNK != 0);
}

int ao_is_worth_threads(size_t work, size_t count)
{
    return count > AO_CHUNK && count >= LONG_WORK / (work + 1);
}

int ao_is_long(const ao_program *program, size_t count)
{
    return ao_is_worth_threads(ao_program_weight(program), count);
}

/* Nonzero if no element of chunk c is marked; then `to` has the results. */
static int run_chunk(const worker *w, size_t c, void *to)
{
    const ao_program *p = w->all->program;
    ao_job job = *w->all->job;
    const size_t first = c * AO_CHUNK, rest = job.count - first;
    ao_frame frame;
    for (unsigned i = 0; i < ao_program_inputs(p); i++) {
        const ptrdiff_t stride = job.spacings ? job.spacings[i].stride : 0, size = ao_type_sizes[ao_program_type(p, i)];
        w->inputs[i] = ao_along(job.inputs[i], first, stride ? stride : size);
    }
    job.inputs = w->inputs;
    job.out = to;
    job.count = rest < AO_CHUNK ? rest : AO_CHUNK;
    job.flags = (to == w->aside ? job.flags & ~(unsigned)AO_KEEP : job.flags) | AO_FAR;
    ao_frame_open(&frame, p, &job, w->frame);
    return ao_run(&frame, job.count) == AO_OK;
}

/* Waits until the chunks before c are good. Nonzero if they are. */
static int wait_for_turn(shared *all, size_t c)
{
    while (atomic_load(&all->good) != c) {
        if (atomic_load(&all->stop))
            return 0;
        ao_thread_yield();
    }
    return 1;
}

static void do_chunk(worker *w, size_t c)
{
    shared *all = w->all;
    const size_t size = ao_type_sizes[ao_program_out_type(all->program)], first = c * AO_CHUNK;
    char *out = (char *)all->job->out + first * size;
    const int good = run_chunk(w, c, all->in_order ? w->aside : out);
    if (all->in_order && !wait_for_turn(all, c))
        return;
    if (all->in_order && !good) {
        atomic_store(&all->stop, 1);
        return;
    }
    if (all->in_order) {
        const size_t rest = all->job->count - first;
        atomic_store(&all->good, c + 1);
        memcpy(out, w->aside, (rest < AO_CHUNK ? rest : AO_CHUNK) * size);
    }
    all->left[c] = !good;
}

static void *take_chunks(void *context)
{
    worker *w = context;
    shared *all = w->all;
    for (size_t done = 1;; done++) {
        const size_t c = atomic_fetch_add(&all->next, 1);
        if (c >= all->chunks || atomic_load(&all->stop))
            return NULL;
        do_chunk(w, c);
        if (w->calling && all->poll->call && done % all->poll->every == 0 && all->poll->call(all->poll->context))
            atomic_store(&all->stop, 1);
    }
}

static size_t aligned(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void ao_run_parallel(const ao_program *program, const ao_job *job, unsigned threads, const ao_poll *poll, uint8_t *left)
{
    shared all = {.program = program, .job = job, .poll = poll, .left = left, .chunks = ao_chunks(job->count)};
    unsigned spaced = 0;
    for (unsigned i = 0; job->spacings && i < ao_program_inputs(program); i++)
        spaced += job->spacings[i].stride != 0;
    const size_t frame = aligned(ao_frame_size(program, spaced)), inputs = aligned(ao_program_inputs(program) * sizeof(void *));
    memset(left, 1, all.chunks);
    all.in_order = job->flags & AO_KEEP && ao_program_faults(program);
    const size_t aside = all.in_order ? AO_CHUNK * (size_t)ao_type_sizes[ao_program_out_type(program)] : 0;
    const size_t each = aligned(sizeof(worker)) + frame + inputs + aside;
    threads = threads > AO_MAX_THREADS ? AO_MAX_THREADS : threads;
    threads = threads > all.chunks ? (unsigned)all.chunks : threads;
    const ao_allocator *const allocator = &program->allocator;
    const size_t total = threads * each + ALIGNMENT;
    char *const block = allocator->call(allocator->context, NULL, 0, total);
    if (!block)
        return;
    char *const memory = (char *)aligned((size_t)(uintptr_t)block);
    for (unsigned t = threads; t-- > 0;) { /* the caller's own last, when the others have begun */
        worker *w = (worker *)(void *)(memory + t * each);
        char *at = (char *)w + aligned(sizeof *w);
        *w = (worker){.all = &all, .frame = at, .inputs = (const void **)(void *)(at + frame),
                      .aside = aside ? at + frame + inputs : NULL, .calling = t == 0};
        if (t)
            w->started = ao_thread_start(&w->thread, take_chunks, w);
        else
            take_chunks(w);
    }
    for (unsigned t = 1; t < threads; t++) {
        worker *w = (worker *)(void *)(memory + t * each);
        if (w->started)
            ao_thread_join(&w->thread);
    }
    allocator->call(allocator->context, block, total, 0);
}

typedef struct {
    void (*work)(void *context, unsigned part, size_t first, size_t end);
    void *context;
    size_t first, end;
    unsigned part;
    ao_thread thread;
    int started;
} range;

static void *work_range(void *argument)
{
    const range *r = argument;
    r->work(r->context, r->part, r->first, r->end);
    return NULL;
}

size_t ao_part_size(size_t count, unsigned parts)
{
    return (count / parts / AO_CHUNK + 1) * AO_CHUNK;
}

void ao_in_parts(size_t count, unsigned parts, void (*work)(void *context, unsigned part, size_t first, size_t end),
                 void *context)
{
    range ranges[AO_MAX_THREADS];
    parts = parts > AO_MAX_THREADS ? AO_MAX_THREADS : parts;
    const size_t each = ao_part_size(count, parts);
    for (unsigned p = parts; p-- > 0;) {
        const size_t first = p * each < count ? p * each : count, end = first + each < count ? first + each : count;
        ranges[p] = (range){.work = work, .context = context, .first = first, .end = end, .part = p};
        if (p && first < end)
            ranges[p].started = ao_thread_start(&ranges[p].thread, work_range, &ranges[p]);
        if (!ranges[p].started && first < end)
            work_range(&ranges[p]);
    }
    for (unsigned p = 1; p < parts; p++)
        if (ranges[p].started)
            ao_thread_join(&ranges[p].thread);
}
