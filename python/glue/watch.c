/* Looking at signals during long work, and letting other threads run meanwhile: the only place that does.
 *
 * Work of the machine that takes a watch (vm/watch.h) is bracketed by watch_begin and watch_end; loops that hold the GIL
 * call watch_breathe now and then. Both come to watch_look, which runs signal handlers: the exception of one ends the call.
 */
#include "watch.h"

#include <stdatomic.h>
#if defined _WIN32
#include <windows.h>
#else
#include <time.h>
#endif

/* Milliseconds between chances for others: who waits for the GIL asks for it after 5 (sys.getswitchinterval), but begins to count
 * anew whenever it is let go, and mostly comes too late to take it then. Only who was asked waits until another has had it. */
enum { BREATHE_AFTER = 10 };
static atomic_llong breathed; /* when any thread did */

static long long milliseconds(void)
{
#if defined _WIN32
    return (long long)GetTickCount64();
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
#endif
}

static atomic_size_t looks; /* so far, of all threads: for tests */

int watch_look(void)
{
    atomic_fetch_add_explicit(&looks, 1, memory_order_relaxed);
    return PyErr_CheckSignals();
}

int watch_breathe(void)
{
    const long long now = milliseconds();
    if (now - atomic_load_explicit(&breathed, memory_order_relaxed) >= BREATHE_AFTER) {
        atomic_store_explicit(&breathed, now, memory_order_relaxed);
        Py_BEGIN_ALLOW_THREADS
        Py_END_ALLOW_THREADS
    }
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
