/* Looking at signals during long work, and letting other threads run meanwhile. */
#ifndef AO_GLUE_WATCH_H
#define AO_GLUE_WATCH_H

#include "state.h"

/* Long work without the GIL. watch_end is called once after watch_begin, and says -1 with an exception if a signal handler
 * raised one. Nothing of Python is touched in between. */
typedef struct {
    ao_watch watch;
    PyThreadState *thread; /* that gave the GIL away, or NULL: the work is short */
} watched;
int watch_called(void *context); /* of the watch: takes the GIL to look */
static inline ao_watch *watch_begin(watched *w, size_t elements)
{
    w->watch = (ao_watch){0};
    w->thread = NULL;
    if (elements >= RELEASE_GIL_FROM) {
        w->watch.call = watch_called;
        w->watch.context = w;
        w->thread = PyEval_SaveThread();
    }
    return &w->watch;
}
static inline int watch_end(watched *w)
{
    if (w->thread) {
        PyEval_RestoreThread(w->thread);
    }
    return w->watch.stopped ? -1 : 0;
}
int watch_look(void);    /* with the GIL: -1 with the exception of a signal handler */
int watch_breathe(void); /* the same, and other threads may run */

extern PyMethodDef watch_methods[];

#endif
