/* Stream compaction at every level that this machine runs, against a loop, with a guard behind the last element kept.
 * test_compact [seed] */
#include "check.h"

enum { LONGEST = 1100, GUARD = 64, GUARD_BYTE = 0xA5 };

/* Kept elements in 64: none, all, and between. */
static const unsigned densities[] = {0, 1, 5, 32, 60, 64};
static const size_t lengths[] = {0,  1,  3,  4,  7,   8,   9,   15,  16,  17,   31,     33,
                                 63, 64, 65, 127, 128, 129, 255, 256, 257, 1024, LONGEST};

static size_t expected(size_t n, size_t size, const uint8_t *mask, const uint8_t *src, uint8_t *dst)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (mask[i])
            memcpy(dst + size * kept++, src + size * i, size);
    return kept;
}

/* The blocks are as long as the data, so that a sanitizer sees a read or write past the end. */
static void check_one(const ao_isa *isa, unsigned log_size, size_t n, const uint8_t *mask, uint64_t *state)
{
    const size_t bytes = n << log_size;
    uint8_t *src = malloc(bytes + 1), *dst = malloc(bytes + GUARD), *want = malloc(bytes + GUARD);
    for (size_t i = 0; i < bytes; i++)
        src[i] = (uint8_t)random_u64(state);
    memset(dst, GUARD_BYTE, bytes + GUARD);
    memset(want, GUARD_BYTE, bytes + GUARD);
    size_t kept = expected(n, (size_t)1 << log_size, mask, src, want);
    size_t got = isa->compact[log_size](n, mask, src, dst);
    CHECK(got == kept, "%s, size %d: %zu of %zu kept, not %zu", isa->name, 1 << log_size, got, n, kept);
    CHECK(memcmp(dst, want, bytes + GUARD) == 0, "%s, size %d: wrong element, or a write past %zu of %zu", isa->name,
          1 << log_size, kept, n);
    free(src);
    free(dst);
    free(want);
}

static void check_exact_room(const ao_isa *isa, unsigned log_size, size_t n, const uint8_t *mask)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        kept += mask[i];
    uint8_t *src = calloc(n + 1, (size_t)1 << log_size), *dst = malloc((kept << log_size) + (kept == 0));
    CHECK(isa->compact[log_size](n, mask, src, dst) == kept, "%s, size %d", isa->name, 1 << log_size);
    free(src);
    free(dst);
}

static void check_level(const ao_isa *isa, uint64_t *state)
{
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
        for (size_t d = 0; d < sizeof densities / sizeof *densities; d++)
            for (unsigned log_size = 0; log_size < 4; log_size++) {
                size_t n = lengths[l];
                uint8_t *mask = malloc(n + (n == 0));
                for (size_t i = 0; i < n; i++)
                    mask[i] = random_u64(state) % 64 < densities[d];
                check_one(isa, log_size, n, mask, state);
                check_exact_room(isa, log_size, n, mask);
                free(mask);
            }
}

/* Every mask of eight, which is every entry of a permutation table, at every place in a step of sixteen. */
static void check_all_masks(const ao_isa *isa, uint64_t *state)
{
    for (unsigned bits = 0; bits < 256; bits++)
        for (size_t place = 0; place <= 16; place += 4)
            for (unsigned log_size = 0; log_size < 4; log_size++) {
                uint8_t mask[64];
                memset(mask, 1, sizeof mask);
                for (unsigned i = 0; i < 8; i++)
                    mask[place + i] = bits >> i & 1;
                check_one(isa, log_size, sizeof mask, mask, state);
            }
}

int main(int count, char **arguments)
{
    uint64_t state = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    for (size_t i = 0; ao_isa_names[i]; i++) {
        const ao_isa *isa = ao_isa_find(ao_isa_names[i]);
        if (!isa)
            continue;
        check_level(isa, &state);
        check_all_masks(isa, &state);
    }
    return check_result("compact");
}
