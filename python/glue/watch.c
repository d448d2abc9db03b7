/* Looking at signals during long work, and letting other threads run meanwhile: the only place that does.
 *
 * Work of the machine that takes a watch (vm/watch.h) is bracketed by watch_begin and watch_end; loops that hold the GIL
 * call watch_breathe now and then. Both come to look(), which runs signal handlers: the exception of one ends the call.
 */
#include "watch.h"

/* Looks so far, of all threads: written with the GIL. For tests. */
static size_t looks;

int watch_look(void)
{
    looks++;
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
    return PyLong_FromSize_t(looks);
}

PyMethodDef watch_methods[] = {
    {"looks", py_looks, METH_NOARGS, NULL},
    END_OF_FUNCTIONS,
};
