/* What the C tests share: a check that prints and counts, a deterministic random generator, a counting allocator.
 * A test program prints the failures it finds (the first 20) and exits with 1 if there were any. */
#ifndef AO_CHECK_H
#define AO_CHECK_H

#if defined _WIN32
#include <malloc.h>
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm.h"

static int check_failures;

#define CHECK(condition, ...)                                                   \
    do {                                                                        \
        if (!(condition) && check_failures++ < 20) {                            \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);     \
            fprintf(stderr, __VA_ARGS__);                                       \
            fputc('\n', stderr);                                                \
        }                                                                       \
    } while (0)

static inline int check_result(const char *name)
{
    printf("%s: %s (%d failures)\n", name, check_failures ? "FAILED" : "ok", check_failures);
    return check_failures != 0;
}

/* splitmix64: the same numbers on every machine. */
static inline uint64_t random_u64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* An allocator that fails at the call number `fail_at` (from 0; negative never) and knows what is outstanding. */
typedef struct {
    long calls, fail_at;
    size_t outstanding;
} counting;

static inline void *counting_call(void *context, void *old, size_t old_size, size_t new_size)
{
    counting *c = context;
    if (!new_size) {
        c->outstanding -= old_size;
        free(old);
        return NULL;
    }
    if (c->calls++ == c->fail_at)
        return NULL;
    c->outstanding += new_size;
    return malloc(new_size);
}

/* A watch that nobody looks at. */
#define UNWATCHED (&(ao_watch){0})

/* A watch that counts calls, and stops at the call number `stop_at` (from 1; 0: never). */
typedef struct {
    size_t calls, stop_at;
} looks;

static inline int count_look(void *context)
{
    looks *l = context;
    return ++l->calls == l->stop_at;
}

/* 64-aligned memory, as frames must be; free_aligned gives it back. */
static inline void *allocate_aligned(size_t size)
{
    const size_t whole = (size + 63) / 64 * 64;
#if defined _WIN32
    void *memory = _aligned_malloc(whole, 64);
#else
    void *memory = aligned_alloc(64, whole);
#endif
    if (!memory)
        abort();
    return memory;
}

static inline void free_aligned(void *memory)
{
#if defined _WIN32
    _aligned_free(memory);
#else
    free(memory);
#endif
}

static inline void *frame_memory(const ao_program *program)
{
    return allocate_aligned(ao_frame_size(program, 0));
}

/* An element of an integer type or b1: the low bits of v, whatever the byte order of the machine. */
static inline void put_integer(void *element, unsigned type, int64_t v)
{
#define PUT_INTEGER(T, none)                \
    case AO_TYPE_##T: {                     \
        const ao_##T x = (ao_##T)v;         \
        memcpy(element, &x, sizeof x);      \
        break;                              \
    }
    switch (type) {
    AO_LIST_INTS_BOOL(PUT_INTEGER, none)
    default: abort();
    }
}

/* Its value; one of u64 wraps. */
static inline int64_t get_integer(const void *element, unsigned type)
{
#define GET_INTEGER(T, none)                \
    case AO_TYPE_##T: {                     \
        ao_##T x;                           \
        memcpy(&x, element, sizeof x);      \
        return (int64_t)x;                  \
    }
    switch (type) {
    AO_LIST_INTS_BOOL(GET_INTEGER, none)
    default: abort();
    }
}

/* Function attribute: this one races on purpose. */
#if defined __has_feature
#if __has_feature(thread_sanitizer)
#define UNTOLD __attribute__((no_sanitize("thread")))
#endif
#endif
#if defined __SANITIZE_THREAD__
#define UNTOLD __attribute__((no_sanitize("thread")))
#endif
#ifndef UNTOLD
#define UNTOLD
#endif

#endif
