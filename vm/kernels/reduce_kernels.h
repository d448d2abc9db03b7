/* What the algorithms in arrays/ ask of each instruction-set level.
 *
 * The kernels do the work that is proportional to the array; everything that decides (which kernel, what scale, when
 * the answer cannot be given) is in arrays/ and exists once. No kernel's answer depends on its vector width: integer
 * totals and extracted totals are exact, and an extreme is an index.
 */
#ifndef AO_REDUCE_KERNELS_H
#define AO_REDUCE_KERNELS_H

#include "../vm.h"

/* Extraction (S. M. Rump, T. Ogita, S. Oishi, Accurate floating-point summation I, SIAM J. Sci. Comput. 31, 2008): exact
 * addition of doubles of similar size. A bias B = 1.5 * 2^e is so large that adding x to it rounds x
 * to a multiple of B's unit in the last place, 2^(e-52), and what was rounded off, x - ((B + x) - B), is exact. The
 * rounded parts add up in B without error while the sum stays between 2^e and 2^(e+1); the rest goes on to the next,
 * smaller bias. When nothing is left after the last bias, the sums of all biases together are the exact sum.
 *
 * One accumulator takes at most AO_EXTRACT_ROWS numbers, so they must be below 2^(e-1) / AO_EXTRACT_ROWS. The part left
 * over is at most 2^(e-53), so the exponents of successive biases may differ by 53 - AO_EXTRACT_MARGIN. */
enum {
    AO_EXTRACT_BLOCK = 1024, /* most numbers of one call */
    AO_EXTRACT_STEP = 64,    /* their number is a multiple of this */
    AO_EXTRACT_ROWS = 128,
    AO_EXTRACT_MARGIN = 8,   /* log2(AO_EXTRACT_ROWS) + 1 */
    AO_EXTRACT_DEEP = 4,     /* biases of the largest kernel */
    AO_EXTRACT_PRODUCTS = 512, /* most products of one call, whose second bias takes two numbers of each */
    AO_EXTRACT_PASSES = 4,   /* most passes with them */
    /* Bytes that an extraction of data in memory prefetches ahead: from .22 to .15 ns per double (AVX-512, Zen 5). Of data
     * in cache none: the lines behind it would only take the place of others. */
    AO_EXTRACT_AHEAD = 8192
};

/* Addition by halves, which is exact most often and then takes half the time: x = high + low, high having its upper 26 bits, and
 * each is added to a sum of its own. Where the numbers are of similar size no addition has anything to round, and if one had,
 * the processor's flag "inexact" says so (IEEE 754, 7.6): then nothing of it counts. The sums are in units of 2^-64, so that a
 * number of 2^960 or more sets the flag "overflow". */
enum {
    AO_SPLIT_LANES = 16,
    AO_SPLIT_LOW_BITS = 27,
    AO_SPLIT_SCALE = 64
};
typedef struct {
    double high[AO_SPLIT_LANES], low[AO_SPLIT_LANES];
} ao_split_sums;

/* Adds numbers to the sums: nonzero if that was exact, else they are as they were. */
typedef int (*ao_splitter)(void *context, ao_split_sums *sums);

typedef struct {
    double largest;              /* largest |x|, nans aside */
    double smallest;             /* smallest |x|; of products only */
    uint64_t rest;               /* nonzero: some x was not used up, or was an inf or nan */
    int64_t taken[AO_EXTRACT_DEEP]; /* sum of the parts taken by each bias, in units of its last place; at most 2^54 */
} ao_extraction;

static inline int ao_is_signed(enum ao_type type)
{
    return type == AO_TYPE_i8 || type == AO_TYPE_i16 || type == AO_TYPE_i32 || type == AO_TYPE_i64;
}

/* Folds of 64-bit ints that may take their elements in any order, so that vectors do it. */
enum ao_fold { AO_FOLD_NONE, AO_FOLD_ADD, AO_FOLD_AND, AO_FOLD_OR, AO_FOLD_XOR, AO_FOLD_MIN_i64, AO_FOLD_MAX_i64,
               AO_FOLD_MIN_u64, AO_FOLD_MAX_u64, AO_FOLDS };

struct ao_reductions {
    /* Extracts n doubles with as many biases as the name says. If some |x| is out of the range of the first bias, only
     * `largest` means anything. extract_4 also stores what is left of each x, for smaller biases; `left` may be x. */
    void (*extract_1)(const double *x, size_t n, const double *bias, size_t ahead, ao_extraction *result);
    void (*extract_2)(const double *x, size_t n, const double *bias, size_t ahead, ao_extraction *result);
    void (*extract_4)(const double *x, size_t n, const double *bias, size_t ahead, ao_extraction *result, double *left);
    /* Adds n doubles by halves, a multiple of AO_EXTRACT_STEP. 0 if that was not exact: then the sums are as they were. NULL
     * where no such flag is known. Nothing is fetched ahead: at this speed processors do it better by themselves (Zen 4: 1.3 times as fast
     * from memory). */
    int (*add_split)(const double *x, size_t n, ao_split_sums *sums);
    /* The same as extract_ of n products a * b and their errors, with three biases: exact if all products are of 2^-960 or more, or 0
     * because a factor is. */
    void (*extract_products)(const double *a, const double *b, size_t n, const double *bias, ao_extraction *result);
    int passes; /* of extract_4 over the same numbers that take less time than adding them one at a time */
    void (*widen)(size_t n, const float *x, double *wide);
    /* Bits, without the sign, of the largest |x|, nans included, and of the smallest that is not zero. */
    void (*survey)(size_t n, const double *x, uint64_t *largest, uint64_t *smallest);
    /* a * b = high + low exactly, if no bit of it is below 2^-1074 and |a|, |b| and the product are below 2^996. */
    void (*products)(size_t n, const double *a, const double *b, double *high, double *low);
    /* The smallest and the largest x; nonzero if there is a nan, and then they mean nothing. */
    int (*bounds)(size_t n, const double *x, double *low, double *high);
    /* Cuts each x in two: high = x rounded to the last place of the bias, and low = the rest, exactly. */
    void (*cut)(size_t n, const double *x, double bias, double *high, double *low);
    /* Sums of windows that move: with `above` and `below` the sums of what lies in a window in high[0] .. high[n-1] and in
     * low, out[k] is (the sum of high[k+1] .. high[k+n], plus that of low) / divisor. It is the nearest double of the sum of
     * all if sums of up to 2 n of either have no rounding errors. */
    void (*slide)(size_t n, size_t count, const double *high, const double *low, double above, double below,
                  double divisor, double *out);
    /* guesses[i] = (x[i] - first) * scale, cut to an integer, at least 0 and below `limit`. 0 if each is farther than
     * `tolerance` from a whole number, and none had to be cut off. */
    int (*guess)(size_t n, const double *x, double first, double scale, double limit, double tolerance, int32_t *guesses);
    /* By log2 of the size of an element: XORs each 8-byte word with `flip`, splits it into pairs of fields of 1, 2
     * or 4 bytes (for elements of 4 and of 8 bytes alike: 4), and adds up the low and the high fields of the pairs.
     * At most AO_SUM_WORDS words. */
    void (*fields[4])(size_t words, const void *a, uint64_t flip, uint64_t *low, uint64_t *high);
    /* [0] min, [1] max: see ao_extreme. */
    size_t (*extreme[2][AO_NTYPES])(size_t n, const void *a);
    /* acc and n ints of 64 bits, by an operation whose order does not matter. */
    uint64_t (*fold[AO_FOLDS])(size_t n, const void *x, uint64_t acc);
    /* Their sum, which wraps, and which bits any of them has when `above` is added: of numbers from -above to above - 1 none from
     * 2 above on. */
    uint64_t (*sum)(size_t n, const void *x, uint64_t above, uint64_t *bits);
};
enum { AO_SUM_WORDS = 1 << 20 }; /* keeps a sum of 4-byte fields below 2^52, and chunks of u8 and u16 inside 64 bits */

#endif
