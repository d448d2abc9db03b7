/* Looking at signals during long work, and letting other threads run meanwhile: the only place that does.
 *
 * Work of the machine that takes a watch (vm/watch.h) is bracketed by watch_begin and watch_end; loops that hold the GIL
 * call watch_breathe now and then. Both come to watch_look, which runs signal handlers: the exception of one ends the call.
 */
#include "watch.h"

#include <stdatomic.h>

static atomic_size_t looks; /* so far, of all threads: for tests */

int watch_look(void)
{
    atomic_fetch_add_explicit(&looks, 1, memory_order_relaxed);
    return PyErr_CheckSignals();
}

int watch_breathe(void)
{
    Py_BEGIN_ALLOW_THREADS
    Py_END_ALLOW_THREADS
    return watch_look();
}

int watch_called(void *context)
{
    watched *w = context;
    PyEval_RestoreThread(w->thread);
    const int failed = watch_look();
    w->thread = PyEval_SaveThread();
    return failed;
}

/* looks() -> how often signals were looked at so far: for tests */
static PyObject *py_looks(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromSize_t(atomic_load(&looks));
}

PyMethodDef watch_methods[] = {
    {"looks", py_looks, METH_NOARGS, NULL},
    END_OF_FUNCTIONS,
};
