/* Figures of many small groups of numbers, each exact and rounded once.
 *
 * What always holds: a group's figures do not depend on the order of its numbers, nor on other groups. Nothing is allocated.
 * Numbers may change meanwhile: then the figures are those of some numbers, and no memory is touched that is not the call's.
 */
#ifndef AO_GROUPS_H
#define AO_GROUPS_H

#include "../vm.h"

/* What became of a group: AO_GROUP_OTHER has a nan, an infinity, or a sum that no element of its type holds. */
enum { AO_GROUP_EMPTY, AO_GROUP_DONE, AO_GROUP_OTHER };

/* Where the figures go, one for each group: sums and extremes in the type of the numbers. A zero has no sign. */
typedef struct {
    void *sums, *lows, *highs;
    double *means, *variances, *deviations; /* of the population */
    uint8_t *states;
} ao_group_figures;

/* values: `count` numbers of i64 or f64; those of group g are from begins[g] to begins[g + 1]. Begins that lead outside count for
 * none. */
void ao_figures_of_groups(enum ao_type type, const void *values, size_t count, const int64_t *begins, size_t groups,
                          const ao_group_figures *to, ao_watch *w);

#endif
