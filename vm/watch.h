/* Long work that can be called off.
 *
 * Whoever works long goes in parts and says after each of them how much it has done, in units of a few nanoseconds: one
 * element that is moved, or a few that are only read. After AO_WATCH_EVERY units the watch's function is called; if it
 * says so the work ends there, and what it leaves behind is said where the work is declared. This is the one place that
 * says how often anybody looks: about every 10 ms.
 */
#ifndef AO_WATCH_H
#define AO_WATCH_H

#include <stddef.h>

enum {
    AO_WATCH_EVERY = 1 << 21, /* units between two calls: 5 to 10 ms */
    AO_WATCH_PART = 1 << 16   /* elements of one part, where each is a unit */
};

typedef struct {
    int (*call)(void *context); /* nonzero: stop; NULL: nobody looks */
    void *context;
    size_t units;   /* since the last call */
    size_t largest; /* units that were reported at once: for tests */
    int stopped;
} ao_watch;

/* So much was done. Nonzero: stop. */
static inline int ao_watch_done(ao_watch *w, size_t units)
{
    w->units += units;
    if (w->units >= AO_WATCH_EVERY) {
        w->largest = units > w->largest ? units : w->largest;
        w->units = 0;
        if (w->call && !w->stopped)
            w->stopped = w->call(w->context) != 0;
    }
    return w->stopped;
}

/* Where the part that begins at i ends, of n elements. */
static inline size_t ao_watch_part(size_t i, size_t n)
{
    return n - i < AO_WATCH_PART ? n : i + AO_WATCH_PART;
}

#endif
