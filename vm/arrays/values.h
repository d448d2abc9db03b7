/* Elements of any type as 64-bit numbers of their kind, so that there need be one loop only. */
#ifndef AO_VALUES_H
#define AO_VALUES_H

#include "../vm.h"

/* Which field of ao_value a type's elements have. */
enum ao_values { AO_SIGNED_VALUES, AO_UNSIGNED_VALUES, AO_FLOAT_VALUES };
enum ao_values ao_values_of(enum ao_type type);

/* Elements first .. first+n-1 of a span that may be shared: each is read once. Any type but b1. */
void ao_load_values(const ao_span *span, size_t first, ao_value *to, size_t n);

#endif
