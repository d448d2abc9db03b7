/* Folds of narrow ints straight from an array, where the order of the elements does not matter. */
#ifndef AO_FOLDS_H
#define AO_FOLDS_H

#include "kernels/reduce_kernels.h"

enum { AO_FOLD_WHOLE_BITS = 29 }; /* a sum of so many elements of 32 bits is below 2^61 */

/* acc and n elements, each as the 64 bits of its value. The type is an int of less than 64 bits. A sum wraps. */
uint64_t ao_fold_narrow(const ao_isa *isa, enum ao_fold fold, enum ao_type type, size_t n, const void *x, uint64_t acc);

#endif
