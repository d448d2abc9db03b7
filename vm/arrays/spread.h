/* Variance and standard deviation of what was gathered, rounded once. */
#ifndef AO_SPREAD_H
#define AO_SPREAD_H

#include "moments.h"

typedef struct {
    double total, variance, deviation; /* total: of floats */
} ao_spread;

/* Of sums and squares that were gathered of more than `ddof` elements; `m` is not to be used afterwards. 0 where that takes more
 * elements, or numbers that are further apart, than are looked at here, or has no finite result. */
int ao_moments_spread(ao_moments *m, size_t ddof, ao_spread *spread);

#endif
