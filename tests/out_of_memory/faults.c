/* Makes memory run out: malloc and its family, and the start of threads, fail when they are told to.
 *
 * One shared object, used twice: preloaded, so that its malloc is everybody's (with PYTHONMALLOC=malloc also CPython's),
 * and imported by sweep.py as the module `faults`. What a call allocates is counted in the thread that makes the call,
 * and only while it runs: nothing of the harness itself can fail. Needs glibc, whose own functions are under other names.
 */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *old);

/* While `armed`, the allocations with numbers first <= number < last fail. */
static __thread struct {
    int armed, ours;
    long number, first, last, failed;
} plan;
static atomic_long live, live_bytes; /* what is allocated and not freed, in all threads */

/* Who asked for the memory that the call is refused first. CPython itself loses references when it cannot set up a frame
 * (a dict of keyword arguments, a cell); what Python code allocates is therefore not ours to account for. */
static int is_ours(void)
{
    void *frames[40];
    const int depth = backtrace(frames, 40);
    if (getenv("FAULTS_TRACE")) { /* for whoever looks for the cause of a finding */
        backtrace_symbols_fd(frames, depth, STDERR_FILENO);
        (void)!write(STDERR_FILENO, "\n", 1);
    }
    for (int i = 0; i < depth; i++) {
        Dl_info info;
        if (!dladdr(frames[i], &info)) {
            continue;
        }
        if (info.dli_sname && strcmp(info.dli_sname, "_PyEval_EvalFrameDefault") == 0) {
            return 0;
        }
        if (info.dli_fname && strstr(info.dli_fname, "arrayops/_machine")) {
            return 1;
        }
    }
    return 0;
}

static int fails(void)
{
    if (!plan.armed) {
        return 0;
    }
    const long number = plan.number++;
    if (number < plan.first || number >= plan.last) {
        return 0;
    }
    if (!plan.failed++) {
        plan.armed = 0;
        plan.ours = is_ours();
        plan.armed = 1;
    }
    errno = ENOMEM;
    return 1;
}

static void *counted(void *memory)
{
    if (memory) {
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&live_bytes, (long)malloc_usable_size(memory), memory_order_relaxed);
    }
    return memory;
}

static void uncounted(void *memory)
{
    if (memory) {
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&live_bytes, (long)malloc_usable_size(memory), memory_order_relaxed);
    }
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t number, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(number, size));
}

void *realloc(void *old, size_t size)
{
    if (fails()) {
        return NULL;
    }
    uncounted(old);
    void *memory = __libc_realloc(old, size);
    counted(memory ? memory : size ? old : NULL);
    return memory;
}

void *memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

void free(void *memory)
{
    uncounted(memory);
    __libc_free(memory);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    static create *original;
    if (fails()) {
        return EAGAIN;
    }
    if (!original) {
        original = (create *)dlsym(RTLD_NEXT, "pthread_create");
    }
    return original(thread, attributes, start, argument);
}

/* attempt(callable, args, first, last) -> (allocations, failed, whether the extension module asked for the first that
 * failed, result or None, exception or None) */
static PyObject *attempt(PyObject *module, PyObject *args)
{
    PyObject *callable, *arguments, *type = NULL, *error = NULL, *traceback = NULL;
    (void)module;
    plan.number = plan.failed = plan.ours = 0;
    if (!PyArg_ParseTuple(args, "OO!ll", &callable, &PyTuple_Type, &arguments, &plan.first, &plan.last)) {
        return NULL;
    }
    plan.armed = 1;
    PyObject *result = PyObject_Call(callable, arguments, NULL);
    plan.armed = 0;
    if (!result) {
        PyErr_Fetch(&type, &error, &traceback);
        PyErr_NormalizeException(&type, &error, &traceback);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return Py_BuildValue("llNNN", plan.number, plan.failed, PyBool_FromLong(plan.ours), result ? result : Py_NewRef(Py_None),
                         error ? error : Py_NewRef(Py_None));
}

/* live() -> (blocks, bytes) that are allocated now */
static PyObject *live_now(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return Py_BuildValue("ll", atomic_load(&live), atomic_load(&live_bytes));
}

static PyMethodDef functions[] = {
    {"attempt", attempt, METH_VARARGS, NULL},
    {"live", live_now, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "faults", .m_size = 0, .m_methods = functions};

PyMODINIT_FUNC PyInit_faults(void)
{
    return PyModule_Create(&definition);
}
