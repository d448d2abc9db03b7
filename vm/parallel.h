/* A run of one program on several threads, which are started for it and joined before it returns. */
#ifndef AO_PARALLEL_H
#define AO_PARALLEL_H

#include "vm.h"

enum {
    AO_CHUNK = 16384,    /* elements that a thread takes at a time: several blocks, 10 us or more of work */
    AO_MAX_THREADS = 256
};

/* Called now and then by the thread that called ao_run_parallel; nonzero ends the run early. call may be NULL. */
typedef struct {
    int (*call)(void *context);
    void *context;
    size_t every; /* chunks of that thread between two calls */
} ao_poll;

/* Number of chunks of a run of so many elements: bytes that `left` needs. */
size_t ao_chunks(size_t count);
/* Whether so many elements are worth more than one thread: a millisecond or two, at `work` simple operations for each. */
int ao_is_worth_threads(size_t work, size_t count);
/* The same of a run, by what its instructions weigh. */
int ao_is_long(const ao_program *program, size_t count);
/* The work of what is no program. */
enum {
    AO_READING_WORK = 3,
    AO_MOMENTS_WORK = 15,
    AO_COUNTING_WORK = 15,
    AO_SELECT_WORK = 15,
    AO_SORT_WORK = 127,
    AO_WINDOWS_WORK = 31
};

/* Runs the chunks of a job that has an `out` and a program without a scan. left[c] becomes 0 where all elements of chunk c
 * are in `out`, and 1 where they are not: those are the caller's to run, in order. With AO_KEEP and a program that may mark
 * elements no chunk behind one that is left is touched. Without memory or threads it does less, down to nothing. */
void ao_run_parallel(const ao_program *program, const ao_job *job, unsigned threads, const ao_poll *poll, uint8_t *left);

/* Elements in each of so many ranges of 0..count, but the last ones. */
size_t ao_part_size(size_t count, unsigned parts);
/* Calls work(context, part, first, end) for each of `parts` (at most AO_MAX_THREADS) such ranges, on as many
 * threads, the first on the calling one; returns when all are done. Without a thread to be had it does that part itself. */
void ao_in_parts(size_t count, unsigned parts, void (*work)(void *context, unsigned part, size_t first, size_t end),
                 void *context);

#endif
