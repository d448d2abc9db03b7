/* What the C tests share: a check that prints and counts, a deterministic random generator, a counting allocator.
 * A test program prints the failures it finds (the first 20) and exits with 1 if there were any. */
#ifndef AO_CHECK_H
#define AO_CHECK_H

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

/* 64-aligned memory, as ao_frame_open wants it. */
static inline void *frame_memory(const ao_program *program)
{
    void *memory = aligned_alloc(64, (ao_frame_size(program, 0) + 63) / 64 * 64);
    if (!memory)
        abort();
    return memory;
}

#endif
