/* A long input by several threads, slice by slice. */
#include "slices.h"
#include "watch.h"
#include "../../vm/parallel.h"

typedef struct {
    const slice_work *work;
    size_t start; /* of the slice */
} one_slice;

static void run_part(void *context, unsigned part, size_t first, size_t end)
{
    const one_slice *s = context;
    s->work->work(s->work->context, part, s->start + first, s->start + end);
}

int run_slices(const slice_work *work, size_t count, size_t slice, unsigned parts)
{
    one_slice s = {work, 0};
    for (size_t n; s.start < count; s.start += n) {
        n = count - s.start < slice ? count - s.start : slice;
        PyThreadState *thread = n >= RELEASE_GIL_FROM ? PyEval_SaveThread() : NULL;
        ao_in_parts(n, parts, run_part, &s);
        if (thread) {
            PyEval_RestoreThread(thread);
        }
        if ((work->after && work->after(work->context) < 0) || (thread && watch_look() < 0)) {
            return -1;
        }
    }
    return 0;
}
