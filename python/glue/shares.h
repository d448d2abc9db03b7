/* A run whose results go to sinks, shared by several threads: each has a range of every slice, with a sink of its own.
 *
 * A thread runs to the first block with marks. When all have returned, what they left is done in the order of the elements,
 * with the GIL, as only then Python can be asked: so the first exception is the one that one thread would have raised. A share
 * that has found what decides a search stops, and so do those behind it.
 */
#ifndef AO_GLUE_SHARES_H
#define AO_GLUE_SHARES_H

#include "run.h"
#include "../../vm/parallel.h"

#include <stdatomic.h>

/* What a sink's context begins with: the frame that it looks at; and for a sink that keeps what it takes, where. */
typedef struct {
    const ao_frame *frame;
    char *kept;          /* one after the other */
    size_t size, number; /* bytes of one, and so many there are */
    char *to;            /* where values go that a sink is given without a block */
    struct ao_float_sum *sum; /* of the sink */
} share_context;

typedef struct {
    size_t size, copied; /* bytes of a context, and how many of them begin as those of `whole` */
    share_context *whole; /* what all shares are put together in */
    void (*take)(void *context, const void *block, size_t first, size_t n); /* of the sink, as what and source */
    enum ao_taking what;
    unsigned source;
    /* Goes on from the first marked block of a range to its end, with Python; r->count is that of the range. -1: exception. */
    int (*rest)(run *r, share_context *context);
    /* A range begins, in whichever thread; or NULL. */
    void (*begin)(share_context *context, size_t first, const share_context *whole);
    /* All of a range is done; in order. Nonzero: what comes behind is not wanted. Or NULL. */
    int (*done)(share_context *context, size_t first, share_context *whole);
    /* Whether what a range has taken so far is enough, so that no later range is wanted; or NULL: it never is. */
    int (*decided)(const share_context *context);
} share_kind;

typedef struct {
    run *r;
    const share_kind *kind;
    void *memory;
    char *shares;
    unsigned number;
    atomic_uint decided_by; /* the first share that is known to decide; number if there is none */
    size_t each; /* bytes of a share with what belongs to it */
} shares;

/* How many threads are to share a run. */
static inline unsigned shares_wanted(const run *r)
{
    return r->state->threads > 1 && ao_is_long(r->program->program, r->count) ? r->state->threads : 1;
}
/* Contexts, zeroed but for what begins as in the whole. -1 with MemoryError. */
int shares_open(shares *s, run *r, unsigned number, const share_kind *kind);
share_context *shares_context(const shares *s, unsigned number);
/* All elements from `first` on. -1 with an exception. */
int shares_run(shares *s, size_t first);
void shares_close(shares *s);
/* shares_open, shares_run and shares_close. */
int shares_through(run *r, unsigned number, const share_kind *kind, size_t first);

/* begin and done of sinks that keep what they take: each thread keeps it where the elements of its range would all be, and
 * then that is moved together. */
void share_keep_apart(share_context *context, size_t first, const share_context *whole);
int share_move_together(share_context *context, size_t first, share_context *whole);

#endif
