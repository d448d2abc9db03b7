/* A long input by several threads, slice by slice, so that signals are answered between slices. */
#ifndef AO_GLUE_SLICES_H
#define AO_GLUE_SLICES_H

#include "state.h"
#include "../../vm/watch.h"

typedef struct {
    /* Elements first .. end-1 are those of this part. Called without the GIL if there are many. */
    void (*work)(void *context, unsigned part, size_t first, size_t end);
    /* After each slice, with the GIL, when all parts have returned; 1 ends it, and so does -1 with an exception. Or NULL. */
    int (*after)(void *context);
    void *context;
} slice_work;

/* The elements first .. count-1, so many at a time, in so many even parts. -1 with an exception. */
int run_slices(const slice_work *work, size_t first, size_t count, size_t slice, unsigned parts);
/* Of a part that is not the caller's so many elements were left alone: for tests, which count what is shared. */
void slices_not_shared(size_t elements);

/* All of it at once in even parts (ao_in_parts), each with a watch: this thread's is `watch`, and when it stops so do the
 * others. Called without the GIL if watch_begin gave it away. */
typedef void part_work(void *context, unsigned part, size_t first, size_t end, ao_watch *watch);
void run_parts(part_work *work, void *context, size_t count, unsigned parts, ao_watch *watch);

extern PyMethodDef slices_methods[];

#endif
