/* Folds of narrow ints straight from an array: sums and extremes are those of arrays/reduce.c; bits are folded as words, eight
 * bytes at once, for what & | ^ do to the highest bit of an element they do to each of those that it is extended by.
 */
#include "folds.h"
#include "arrays/reduce.h"

#include <string.h>

static uint64_t element(enum ao_type type, const unsigned char *at)
{
    switch (type) {
#define EXTENDED(T, as) case AO_TYPE_##T: { ao_##T v; memcpy(&v, at, sizeof v); return (uint64_t)(as)v; }
    EXTENDED(i8, int64_t)
    EXTENDED(i16, int64_t)
    EXTENDED(i32, int64_t)
    EXTENDED(u8, uint64_t)
    EXTENDED(u16, uint64_t)
    EXTENDED(u32, uint64_t)
    default: return 0;
    }
}

static uint64_t bits(const ao_isa *isa, enum ao_fold fold, enum ao_type type, size_t n, const unsigned char *x, uint64_t acc)
{
    const size_t size = ao_type_sizes[type], in_word = sizeof acc / size;
    uint64_t one;
    unsigned char words[sizeof acc];
    for (; n && (uintptr_t)x % sizeof acc; n--, x += size) {
        one = element(type, x);
        acc = isa->reductions->fold[fold](1, &one, acc);
    }
    one = isa->reductions->fold[fold](n / in_word, x, fold == AO_FOLD_AND ? UINT64_MAX : 0);
    memcpy(words, &one, sizeof words);
    for (size_t k = 0; k < in_word; k++) {
        one = element(type, words + k * size);
        acc = isa->reductions->fold[fold](1, &one, acc);
    }
    for (size_t i = n - n % in_word; i < n; i++) {
        one = element(type, x + i * size);
        acc = isa->reductions->fold[fold](1, &one, acc);
    }
    return acc;
}

uint64_t ao_fold_narrow(const ao_isa *isa, enum ao_fold fold, enum ao_type type, size_t n, const void *x, uint64_t acc)
{
    uint64_t low = 0;
    int64_t high = 0;
    if (!n)
        return acc;
    switch (fold) {
    case AO_FOLD_ADD:
        ao_sum_int(isa, type, x, n, &high, &low);
        return acc + low;
    case AO_FOLD_AND: case AO_FOLD_OR: case AO_FOLD_XOR:
        return bits(isa, fold, type, n, x, acc);
    default: {
        const int largest = fold == AO_FOLD_MAX_i64 || fold == AO_FOLD_MAX_u64;
        const uint64_t best = element(type, (const unsigned char *)x + ao_extreme(isa, type, x, n, largest) * ao_type_sizes[type]);
        return isa->reductions->fold[fold](1, &best, acc);
    }
    }
}
