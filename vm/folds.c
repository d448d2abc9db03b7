/* Folds of narrow ints straight from an array: sums and extremes are those of arrays/reduce.c; bits are folded as words, eight
 * bytes at once, for what & | ^ do to the highest bit of an element they do to each of those that it is extended by.
 */
#include "folds.h"
#include "arrays/reduce.h"
#include "arrays/values.h"

enum { WORD = sizeof(uint64_t) };

/* Of at most a word's elements. */
static uint64_t fold_few(const ao_isa *isa, enum ao_fold fold, enum ao_type type, size_t n, const void *x, uint64_t acc)
{
    ao_value values[WORD];
    const ao_span few = {.data = x, .type = type, .count = n};
    ao_load_values(&few, 0, values, n);
    return isa->reductions->fold[fold](n, values, acc);
}

static uint64_t fold_bits(const ao_isa *isa, enum ao_fold fold, enum ao_type type, size_t n, const char *x, uint64_t acc)
{
    const size_t size = ao_type_sizes[type], in_word = WORD / size, before = (0 - (uintptr_t)x) % WORD / size;
    const size_t head = before < n ? before : n, words = (n - head) / in_word, tail = (n - head) % in_word;
    const char *const aligned = x + head * size;
    const uint64_t word = isa->reductions->fold[fold](words, aligned, fold == AO_FOLD_AND ? UINT64_MAX : 0);
    acc = fold_few(isa, fold, type, head, x, acc);
    acc = fold_few(isa, fold, type, in_word, &word, acc);
    return fold_few(isa, fold, type, tail, aligned + words * WORD, acc);
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
        return fold_bits(isa, fold, type, n, x, acc);
    default: {
        const int largest = fold == AO_FOLD_MAX_i64 || fold == AO_FOLD_MAX_u64;
        return fold_few(isa, fold, type, 1, (const char *)x + ao_extreme(isa, type, x, n, largest) * ao_type_sizes[type], acc);
    }
    }
}
