/* Threads that are started for a call and joined before it returns: those of POSIX, of Windows, or none at all.
 *
 * Where there are none, ao_thread_start says so, as it does where no more are to be had: whoever starts threads must get
 * along without.
 */
#ifndef AO_THREAD_H
#define AO_THREAD_H

typedef void *ao_thread_work(void *context);

#if defined _WIN32

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <process.h>

typedef struct {
    HANDLE handle;
    ao_thread_work *work;
    void *context;
} ao_thread;

static inline unsigned __stdcall ao_thread_enter(void *started)
{
    ao_thread *const thread = started;
    thread->work(thread->context);
    return 0;
}

/* Nonzero if work(context) runs on a thread of its own. *thread must stay where it is until it is joined. */
static inline int ao_thread_start(ao_thread *thread, ao_thread_work *work, void *context)
{
    thread->work = work;
    thread->context = context;
    thread->handle = (HANDLE)_beginthreadex(NULL, 0, ao_thread_enter, thread, 0, NULL);
    return thread->handle != NULL;
}

static inline void ao_thread_join(ao_thread *thread)
{
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
}

static inline void ao_thread_yield(void)
{
    SwitchToThread();
}

#elif defined __wasm__

typedef struct {
    int none;
} ao_thread;

static inline int ao_thread_start(ao_thread *thread, ao_thread_work *work, void *context)
{
    (void)thread, (void)work, (void)context;
    return 0;
}

static inline void ao_thread_join(ao_thread *thread)
{
    (void)thread;
}

static inline void ao_thread_yield(void)
{
}

#else

#include <pthread.h>
#include <sched.h>

typedef pthread_t ao_thread;

static inline int ao_thread_start(ao_thread *thread, ao_thread_work *work, void *context)
{
    return pthread_create(thread, NULL, work, context) == 0;
}

static inline void ao_thread_join(ao_thread *thread)
{
    pthread_join(*thread, NULL);
}

static inline void ao_thread_yield(void)
{
    sched_yield();
}

#endif

#endif
