/* A long input by several threads, slice by slice. */
#include "slices.h"
#include "watch.h"
#include "../../vm/parallel.h"

#include <stdatomic.h>

static atomic_size_t shared; /* elements of all parts that were not the caller's own: for tests */

static void note_shared(unsigned part, size_t elements)
{
    if (part) {
        atomic_fetch_add_explicit(&shared, elements, memory_order_relaxed);
    }
}

void slices_not_shared(size_t elements)
{
    atomic_fetch_sub_explicit(&shared, elements, memory_order_relaxed);
}

typedef struct {
    const slice_work *work;
    size_t start; /* of the slice */
} one_slice;

static void run_part(void *context, unsigned part, size_t first, size_t end)
{
    const one_slice *s = context;
    note_shared(part, end - first);
    s->work->work(s->work->context, part, s->start + first, s->start + end);
}

int run_slices(const slice_work *work, size_t first, size_t count, size_t slice, unsigned parts)
{
    one_slice s = {work, first};
    for (size_t n; s.start < count; s.start += n) {
        n = count - s.start < slice ? count - s.start : slice;
        PyThreadState *thread = n >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
        ao_in_parts(n, parts, run_part, &s);
        if (thread) {
            PyEval_RestoreThread(thread);
        }
        const int said = work->after ? work->after(work->context) : 0;
        if (said || (thread && watch_look() < 0)) {
            return said > 0 ? 0 : -1;
        }
    }
    return 0;
}

typedef struct {
    part_work *work;
    void *context;
    ao_watch *watch;
    atomic_int stopped;
} watched_parts;

static int is_stopped(void *context)
{
    return atomic_load(&((watched_parts *)context)->stopped);
}

static void run_watched(void *context, unsigned part, size_t first, size_t end)
{
    watched_parts *p = context;
    ao_watch other = {.call = is_stopped, .context = p};
    note_shared(part, end - first);
    p->work(p->context, part, first, end, part ? &other : p->watch);
    if (!part && p->watch->stopped) {
        atomic_store(&p->stopped, 1);
    }
}

void run_parts(part_work *work, void *context, size_t count, unsigned parts, ao_watch *watch)
{
    watched_parts p = {.work = work, .context = context, .watch = watch};
    ao_in_parts(count, parts, run_watched, &p);
}

/* shared() -> how many elements were so far in parts for other threads than the caller's: for tests */
static PyObject *py_shared(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyLong_FromSize_t(atomic_load(&shared));
}

PyMethodDef slices_methods[] = {
    {"shared", py_shared, METH_NOARGS, NULL},
    END_OF_FUNCTIONS,
};
