/* Elements as 64-bit numbers of their kind. */
#include "values.h"

#include <string.h>

enum { GATHERED = 1024 }; /* elements copied at once */

enum ao_values ao_values_of(enum ao_type type)
{
    if (type == AO_TYPE_f32 || type == AO_TYPE_f64)
        return AO_FLOAT_VALUES;
    const int has_sign = type == AO_TYPE_i8 || type == AO_TYPE_i16 || type == AO_TYPE_i32 || type == AO_TYPE_i64;
    return has_sign ? AO_SIGNED_VALUES : AO_UNSIGNED_VALUES;
}

#define LIST_FIELDS(X)                                                                    \
    X(i8, i, int64_t) X(i16, i, int64_t) X(i32, i, int64_t) X(i64, i, int64_t)            \
    X(u8, u, uint64_t) X(u16, u, uint64_t) X(u32, u, uint64_t) X(u64, u, uint64_t)        \
    X(f32, f, double) X(f64, f, double)

static void widen(enum ao_type type, const void *from, ao_value *to, size_t n)
{
#define WIDEN(T, field, wide)                         \
    case AO_TYPE_##T:                                 \
        for (size_t i = 0; i < n; i++)                \
            to[i].field = (wide)((const ao_##T *)from)[i]; \
        break;
    switch (type) {
        LIST_FIELDS(WIDEN)
    default:
        break;
    }
}

void ao_load_values(const ao_span *span, size_t first, ao_value *to, size_t n)
{
    uint64_t local[GATHERED];
    const size_t size = ao_type_sizes[span->type];
    const ptrdiff_t step = span->spacing.stride ? span->spacing.stride : (ptrdiff_t)size;
    for (size_t i = 0, now; i < n; i += now) {
        const char *from = (const char *)span->data + (ptrdiff_t)(first + i) * step;
        now = n - i < GATHERED ? n - i : GATHERED;
        if (span->spacing.stride)
            ao_gather(local, from, span->spacing, size, now);
        widen(span->type, span->spacing.stride ? (const void *)local : from, to + i, now);
    }
}
