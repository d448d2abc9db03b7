/* A run whose results go to sinks, shared by several threads: each has a range of every slice, with a sink of its own.
 *
 * A thread runs to the first block with marks. When all have returned, what they left is done in the order of the elements,
 * with the GIL, as only then Python can be asked: so the first exception is the one that one thread would have raised.
 */
#ifndef AO_GLUE_SHARES_H
#define AO_GLUE_SHARES_H

#include "run.h"

/* A sink's context begins with the frame that it looks at, and with where values go that it is given without a block. */
typedef struct {
    const ao_frame *frame;
    char *to;
} share_context;

typedef struct {
    size_t size;         /* bytes of a context */
    void (*take)(void *context, const void *block, size_t first, size_t n); /* of the sink, as what and source */
    enum ao_taking what;
    unsigned source;
    run_answer *answer;
    void (*begin)(share_context *context, size_t first, void *common); /* a range, in whichever thread; or NULL */
    void (*done)(share_context *context, void *common); /* all of a range, in order; or NULL */
    void *common;
} share_kind;

typedef struct {
    run *r;
    const share_kind *kind;
    void *memory;
    char *shares;
    unsigned number;
    size_t each; /* bytes of a share with what belongs to it */
} shares;

/* How many threads are to share a run. */
unsigned shares_wanted(const run *r);
/* Zeroed contexts, to be filled with what they need. -1 with MemoryError. */
int shares_open(shares *s, run *r, unsigned number, const share_kind *kind);
share_context *shares_context(const shares *s, unsigned number);
/* All elements. -1 with an exception. */
int shares_run(shares *s);
void shares_close(shares *s);

#endif
