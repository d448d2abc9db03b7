/* Tables of eight doubles, looked up for many elements at once.
 *
 * Of table[i] compilers make loads one by one, or a gather, which is no quicker. But one instruction permutes a vector
 * of eight doubles, or of eight halves of them. So a loop that looks up goes by strips of as many elements as a vector
 * has: it computes places, calls look_up, and computes with what that found, by short loops between arrays of a strip.
 * gcc makes a vector of each such array and one instruction of each step of these loops; nothing of them is in memory.
 */
#ifndef AO_TABLE_H
#define AO_TABLE_H

#include "fused.h"

#if AO_EXTENSIONS && defined __AVX2__
#include <immintrin.h>
#endif

/* The doubles of a vector. */
#if AO_EXTENSIONS && defined __AVX512F__
enum { STRIP = 8 };
#elif AO_EXTENSIONS && defined __AVX2__
enum { STRIP = 4 };
#else
enum { STRIP = 2 };
#endif

/* Where the strip after `done` of n elements begins: there, or so that it is the last. n must be STRIP or more. */
static INLINE size_t strip_after(size_t done, size_t n)
{
    return done < n - STRIP ? done : n - STRIP;
}

/* Of fewer elements, a strip in which the last one is repeated. Not by memcpy: a vector that is loaded right behind the
 * stores of its parts waits for them, which took a third of a fold's step. */
static INLINE void fill_strip(size_t n, double *strip, const double *a)
{
    const double last = a[n - 1];
    for (size_t i = 0; i < STRIP; i++)
        strip[i] = i < n ? a[i] : last;
}

/* to[i] = table[at[i] % 8] for the elements of a strip. Of a short table the lower half of each double is 0. */
#if AO_EXTENSIONS && defined __AVX512F__
static INLINE void look_up(double *to, const uint64_t *at, const double *table)
{
    _mm512_storeu_pd(to, _mm512_permutexvar_pd(_mm512_loadu_si512(at), _mm512_loadu_pd(table)));
}
static INLINE void look_up_short(double *to, const uint64_t *at, const double *table)
{
    look_up(to, at, table);
}
#elif AO_EXTENSIONS && defined __AVX2__
/* The lower halves of the table, or the upper ones. */
static INLINE __m256i lower_halves(const double *table)
{
    const __m256 first = _mm256_loadu_ps((const float *)table), last = _mm256_loadu_ps((const float *)(table + 4));
    return _mm256_permute4x64_epi64(_mm256_castps_si256(_mm256_shuffle_ps(first, last, 0x88)), 0xd8);
}
static INLINE __m256i upper_halves(const double *table)
{
    const __m256 first = _mm256_loadu_ps((const float *)table), last = _mm256_loadu_ps((const float *)(table + 4));
    return _mm256_permute4x64_epi64(_mm256_castps_si256(_mm256_shuffle_ps(first, last, 0xdd)), 0xd8);
}
static INLINE __m256i for_both_halves(const uint64_t *at)
{
    return _mm256_shuffle_epi32(_mm256_loadu_si256((const __m256i *)at), 0xa0);
}
static INLINE void look_up(double *to, const uint64_t *at, const double *table)
{
    const __m256i places = for_both_halves(at);
    const __m256i lower = _mm256_permutevar8x32_epi32(lower_halves(table), places);
    const __m256i upper = _mm256_permutevar8x32_epi32(upper_halves(table), places);
    _mm256_storeu_pd(to, _mm256_castsi256_pd(_mm256_blend_epi32(lower, upper, 0xaa)));
}
static INLINE void look_up_short(double *to, const uint64_t *at, const double *table)
{
    const __m256i upper = _mm256_permutevar8x32_epi32(upper_halves(table), for_both_halves(at));
    _mm256_storeu_pd(to, _mm256_castsi256_pd(_mm256_blend_epi32(_mm256_setzero_si256(), upper, 0xaa)));
}
#else
static INLINE void look_up(double *to, const uint64_t *at, const double *table)
{
    for (size_t i = 0; i < STRIP; i++)
        to[i] = table[at[i] & 7];
}
static INLINE void look_up_short(double *to, const uint64_t *at, const double *table)
{
    look_up(to, at, table);
}
#endif

#endif
