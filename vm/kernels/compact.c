/* Stream compaction, compiled once per instruction-set level (level.h): the elements whose mask byte is 1, in order.
 *
 * What always holds: nothing is written at or past dst[number kept], and nothing is read past the n elements. Every
 * level counts the kept elements first, then takes STEP_<T> elements at a time for as long as that many are still to be
 * kept: a step may then write so many elements whatever its mask says, because later ones overwrite the surplus.
 */
#include <string.h>

#include "level.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define LIST_SIZES(X) X(u8) X(u16) X(u32) X(u64)

/* Counts in bytes, which the vectoriser sums without widening; of a few eight at once, as the top byte of a product. */
static size_t count_kept(size_t n, const uint8_t *mask)
{
    size_t count = 0;
    for (; n < 64 && n >= 8; mask += 8, n -= 8) {
        uint64_t eight;
        memcpy(&eight, mask, sizeof eight);
        count += eight * UINT64_C(0x0101010101010101) >> 56;
    }
    if (n < 8) {
        for (size_t i = 0; i < n; i++)
            count += mask[i];
        return count;
    }
    while (n > 0) {
        size_t now = n < 128 ? n : 128;
        uint8_t part = 0;
        for (size_t i = 0; i < now; i++)
            part = (uint8_t)(part + mask[i]);
        count += part;
        mask += now;
        n -= now;
    }
    return count;
}

/* ---- a step: STEP_<T> elements in, some out; returns how many are to stay ---- */

#if defined(__AVX2__)

/* Permutations from a table: entry m lists the numbers of the bits set in m, from the low byte up. With half of the
 * elements kept, .10 ns for each, against .36 for the loop without vectors (Zen 4). */
#define BIT(m, i) ((m) >> (i) & 1)
#define BITS_BELOW(m, i)                                                                                               \
    ((i > 0 ? BIT(m, 0) : 0) + (i > 1 ? BIT(m, 1) : 0) + (i > 2 ? BIT(m, 2) : 0) + (i > 3 ? BIT(m, 3) : 0) +           \
     (i > 4 ? BIT(m, 4) : 0) + (i > 5 ? BIT(m, 5) : 0) + (i > 6 ? BIT(m, 6) : 0))
#define PLACE(m, i) (BIT(m, i) ? UINT64_C(i) << 8 * BITS_BELOW(m, i) : 0)
#define ENTRY(m)                                                                                                       \
    (PLACE(m, 0) | PLACE(m, 1) | PLACE(m, 2) | PLACE(m, 3) | PLACE(m, 4) | PLACE(m, 5) | PLACE(m, 6) | PLACE(m, 7)),
#define ENTRIES_4(m) ENTRY(m) ENTRY(m + 1) ENTRY(m + 2) ENTRY(m + 3)
#define ENTRIES_16(m) ENTRIES_4(m) ENTRIES_4(m + 4) ENTRIES_4(m + 8) ENTRIES_4(m + 12)
#define ENTRIES_64(m) ENTRIES_16(m) ENTRIES_16(m + 16) ENTRIES_16(m + 32) ENTRIES_16(m + 48)
static const uint64_t positions[256] = {ENTRIES_64(0) ENTRIES_64(64) ENTRIES_64(128) ENTRIES_64(192)};

static inline __m128i positions_of(unsigned bits)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)&positions[bits]);
}

static inline size_t count_bits(unsigned bits)
{
    return (size_t)__builtin_popcount(bits);
}

/* The product moves bit 0 of byte i to bit 56 + i; no two partial products meet, so nothing carries. */
static inline unsigned mask_of_8(const uint8_t *mask)
{
    uint64_t bytes;
    memcpy(&bytes, mask, 8);
    return (unsigned)(bytes * UINT64_C(0x0102040810204080) >> 56);
}

static inline size_t step_u8(const uint8_t *mask, const uint8_t *src, uint8_t *dst)
{
    unsigned bits = mask_of_8(mask);
    __m128i all = _mm_loadl_epi64((const __m128i *)(const void *)src);
    _mm_storel_epi64((__m128i *)(void *)dst, _mm_shuffle_epi8(all, positions_of(bits)));
    return count_bits(bits);
}

static inline size_t step_u16(const uint8_t *mask, const uint16_t *src, uint16_t *dst)
{
    unsigned bits = mask_of_8(mask);
    __m128i low = _mm_slli_epi16(_mm_cvtepu8_epi16(positions_of(bits)), 1);
    __m128i bytes = _mm_or_si128(_mm_or_si128(low, _mm_slli_epi16(low, 8)), _mm_set1_epi16(0x0100));
    __m128i all = _mm_loadu_si128((const __m128i *)(const void *)src);
    _mm_storeu_si128((__m128i *)(void *)dst, _mm_shuffle_epi8(all, bytes));
    return count_bits(bits);
}

#endif

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)

/* Compressed in a register and stored whole: the store form of vpcompress is microcoded on Zen 4. Smaller elements
 * stay with the table: their compression (VBMI2) is not part of x86-64-v4, and by way of 32 bits it takes .18 ns. */
enum { STEP_u8 = 8, STEP_u16 = 8, STEP_u32 = 16, STEP_u64 = 8 };

static inline size_t step_u32(const uint8_t *mask, const uint32_t *src, uint32_t *dst)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)mask);
    __mmask16 keep = _mm_test_epi8_mask(bytes, bytes);
    _mm512_storeu_si512(dst, _mm512_maskz_compress_epi32(keep, _mm512_loadu_si512(src)));
    return count_bits(keep);
}

static inline size_t step_u64(const uint8_t *mask, const uint64_t *src, uint64_t *dst)
{
    __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)mask);
    __mmask8 keep = (__mmask8)_mm_test_epi8_mask(bytes, bytes);
    _mm512_storeu_si512(dst, _mm512_maskz_compress_epi64(keep, _mm512_loadu_si512(src)));
    return count_bits(keep);
}

#elif defined(__AVX2__)

enum { STEP_u8 = 8, STEP_u16 = 8, STEP_u32 = 8, STEP_u64 = 4 };

static inline size_t step_u32(const uint8_t *mask, const uint32_t *src, uint32_t *dst)
{
    unsigned bits = mask_of_8(mask);
    __m256i all = _mm256_loadu_si256((const __m256i *)(const void *)src);
    __m256i lanes = _mm256_cvtepu8_epi32(positions_of(bits));
    _mm256_storeu_si256((__m256i *)(void *)dst, _mm256_permutevar8x32_epi32(all, lanes));
    return count_bits(bits);
}

/* Only 32-bit lanes can be permuted by a register, so each element moves as two, and the product (see mask_of_8)
 * makes two bits of each mask byte. */
static inline size_t step_u64(const uint8_t *mask, const uint64_t *src, uint64_t *dst)
{
    uint32_t bytes;
    memcpy(&bytes, mask, 4);
    const uint64_t spread = UINT64_C(3) << 56 | UINT64_C(3) << 50 | UINT64_C(3) << 44 | UINT64_C(3) << 38;
    unsigned bits = (unsigned)(bytes * spread >> 56);
    __m256i all = _mm256_loadu_si256((const __m256i *)(const void *)src);
    __m256i lanes = _mm256_cvtepu8_epi32(positions_of(bits));
    _mm256_storeu_si256((__m256i *)(void *)dst, _mm256_permutevar8x32_epi32(all, lanes));
    return count_bits(bits) / 2;
}

#else

/* Without a branch on the mask, which would be mispredicted half of the time. */
enum { STEP_u8 = 8, STEP_u16 = 8, STEP_u32 = 8, STEP_u64 = 8 };

#define DEFINE_STEP(T)                                                                                                 \
    static inline size_t step_##T(const uint8_t *mask, const ao_##T *src, ao_##T *dst)                                 \
    {                                                                                                                  \
        size_t kept = 0;                                                                                               \
        for (size_t i = 0; i < STEP_##T; i++) {                                                                        \
            dst[kept] = src[i];                                                                                        \
            kept += mask[i];                                                                                           \
        }                                                                                                              \
        return kept;                                                                                                   \
    }
LIST_SIZES(DEFINE_STEP)

#endif

/* ---- the whole ---- */

static inline int none_of_8(const uint8_t *mask)
{
    uint64_t bytes;
    memcpy(&bytes, mask, 8);
    return bytes == 0;
}

#define DEFINE_COMPACT(T)                                                                                              \
    static size_t compact_##T(size_t n, const uint8_t *mask, const void *from, void *to)                               \
    {                                                                                                                  \
        const ao_##T *src = from;                                                                                      \
        ao_##T *dst = to;                                                                                              \
        const size_t total = count_kept(n, mask);                                                                      \
        size_t i = 0, kept = 0;                                                                                        \
        for (; total - kept >= STEP_##T; i += STEP_##T)                                                                \
            kept += step_##T(mask + i, src + i, dst + kept);                                                           \
        while (kept < total) {                                                                                         \
            if (n - i >= 8 && none_of_8(mask + i)) {                                                                   \
                i += 8;                                                                                                \
            } else {                                                                                                   \
                dst[kept] = src[i];                                                                                    \
                kept += mask[i++];                                                                                     \
            }                                                                                                          \
        }                                                                                                              \
        return total;                                                                                                  \
    }
LIST_SIZES(DEFINE_COMPACT)

extern size_t (*const AO_LOCAL(ao_compact)[4])(size_t n, const uint8_t *mask, const void *src, void *dst);
size_t (*const AO_LOCAL(ao_compact)[4])(size_t n, const uint8_t *mask, const void *src, void *dst) = {
    compact_u8, compact_u16, compact_u32, compact_u64};
