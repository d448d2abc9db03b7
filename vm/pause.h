/* A quick way that is sometimes in vain. */
#ifndef AO_PAUSE_H
#define AO_PAUSE_H

/* How often a quick way is not to be tried, after it was in vain: more often each time. */
typedef struct {
    int left, length;
} ao_pause;

static inline void ao_pause_start(ao_pause *pause)
{
    enum { MOST = 64 };
    const int longer = pause->length ? 2 * pause->length : 1;
    pause->left = pause->length = longer < MOST ? longer : MOST;
}

static inline void ao_pause_shorten(ao_pause *pause)
{
    pause->length /= 2;
}

/* Counts a try. Whether it is to be left out. */
static inline int ao_pause_pass(ao_pause *pause)
{
    const int paused = pause->left > 0;
    pause->left -= paused;
    return paused;
}

#endif
