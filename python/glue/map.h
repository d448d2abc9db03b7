/* Programs that give one result for each element. */
#ifndef AO_GLUE_MAP_H
#define AO_GLUE_MAP_H

#include "run.h"

/* Fills `out`, which the caller holds and releases. defer: it was made for this, so nobody sees it before it is full, and a
 * store that fails does not stop the evaluation. On so many threads; 0: on as many as the module may use if the run is
 * long, else on this one. valid: a bit per element, 0 for one that is null and gets any value, or NULL. */
int run_map(run *r, ao_array *out, int defer, unsigned threads, const uint8_t *valid);

extern PyMethodDef map_methods[];

#endif
