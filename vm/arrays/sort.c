/* Radix sort, and selection by radix, by keys that are computed on the fly.
 *
 * What always holds: elements are moved and compared as unsigned words of their size. Two elements have the same key
 * exactly if neither goes before the other, and every step keeps elements of the same key in their order, so the result
 * is that of a stable sort whatever way was taken. Floats are never computed with or compared as floats, so the
 * caller's rounding mode and treatment of subnormals do not matter. The stack is enough: 32 KiB at most.
 *
 * The way of a sort: a part of the array that does not fit the cache is split by the topmost digit that varies, and its
 * parts are sorted by themselves. One that fits is sorted from its lowest digit up, but only by as many of the topmost
 * bits as probably tell most of its elements apart. The rest is for an insertion sort, which gives up after as many
 * moves as there are elements; then the part is sorted by all bits that vary. A guess costs time, never the order.
 *
 * A pass counts digits, then reads them again and trusts the counts. So it must have memory that nobody else writes: an
 * array that others may write to is copied first, and written back when it is sorted. Every loop reports to the watch
 * part by part. After a stop a function returns soon, with whatever the memory holds then.
 */
#include "sort.h"
#include "../portable.h"

#include <string.h>

enum {
    FEW = 32,         /* elements that an insertion sort does best */
    NEARLY = 16,      /* an array that takes less than one move for so many elements is sorted by insertion */
    CACHE = 1 << 19,  /* bytes that are sorted without splitting */
    SPLIT_BITS = 8,   /* of the digit that splits: one more costs as much as it saves */
    DIGIT_BITS = AO_DIGIT_BITS, /* of any other digit, at most */
    LEAST_BITS = 6,   /* bit_length(FEW): digits have as many bits as the number of elements, or DIGIT_BITS */
    MOST_DIGITS = (64 + LEAST_BITS - 1) / LEAST_BITS,
    SAMPLE = 16,
    READS = 4         /* elements that are only read for one unit of work: watch.h */
};
_Static_assert((int)FEW >> (int)LEAST_BITS == 0 && (int)FEW >> ((int)LEAST_BITS - 1) == 1, "LEAST_BITS is of FEW");
_Static_assert((int)SAMPLE <= (int)FEW, "what is not sorted by insertion has a sample");

/* Elements as words of their size. */
typedef ao_u8 AO_MAY_ALIAS word_u8;
typedef ao_u16 AO_MAY_ALIAS word_u16;
typedef ao_u32 AO_MAY_ALIAS word_u32, word_f32;
typedef ao_u64 AO_MAY_ALIAS word_u64, word_f64;
/* Elements with their keys beside them: of an argsort the place of each, of the largest ones their bits. */
typedef struct {
    ao_u32 key, item;
} word_pair32;
typedef struct {
    ao_u64 key, item;
} word_pair64;

/* Keys: of words the same, of pairs a part of them. */
typedef ao_u8 bits_u8;
typedef ao_u16 bits_u16;
typedef ao_u32 bits_u32, bits_f32, bits_pair32;
typedef ao_u64 bits_u64, bits_f64, bits_pair64;

#define SIGN(T) ((bits_##T)((bits_##T)1 << (8 * sizeof(bits_##T) - 1)))
#define NAN_KEY(T) ((bits_##T)-1)

/* What the code is stamped for: X(type, stamp, flip). Signed integers share the code of unsigned ones: their sign bit
 * is flipped. */
#define LIST_NARROW_TYPES(X)                                                                                           \
    X(u8, u8, 0) X(u16, u16, 0) X(u32, u32, 0)                                                                         \
    X(i8, u8, SIGN(u8)) X(i16, u16, SIGN(u16)) X(i32, u32, SIGN(u32)) X(f32, f32, SIGN(f32))
#define LIST_WIDE_TYPES(X) X(u64, u64, 0) X(i64, u64, SIGN(u64)) X(f64, f64, SIGN(f64))
#define LIST_TYPES(X) LIST_NARROW_TYPES(X) LIST_WIDE_TYPES(X)
#define LIST_RADIX(X) X(u16) X(u32) X(u64)
#define LIST_INTS(X) X(u8) LIST_RADIX(X)
#define LIST_FLOATS(X) X(f32) X(f64)
#define LIST_STAMPS(X) LIST_INTS(X) LIST_FLOATS(X)
#define LIST_PAIRS(X) X(pair32) X(pair64)

/* ---- keys: unsigned numbers in the order of the elements ---- */

#define DEFINE_INT_KEY(T)                                                                                              \
    static inline bits_##T key_##T(word_##T bits, bits_##T flip)                                                       \
    {                                                                                                                  \
        return (bits_##T)(bits ^ flip);                                                                                \
    }
LIST_INTS(DEFINE_INT_KEY)

/* Without its sign, a float's bits are an integer that grows with it. Negated where there was a sign, which leaves only
 * one zero, that is a signed integer. All nans have the same key, above all others. */
#define DEFINE_FLOAT_KEY(T, I)                                                                                         \
    static inline bits_##T key_##T(word_##T bits, bits_##T flip)                                                       \
    {                                                                                                                  \
        bits_##T magnitude = bits & ~flip, negative = (bits_##T)((ao_##I)bits >> (8 * sizeof bits - 1));               \
        bits_##T key = (magnitude ^ negative) - negative + flip;                                                       \
        return magnitude > INFINITY_##T ? NAN_KEY(T) : key;                                                            \
    }
#define INFINITY_f32 UINT32_C(0x7F800000)
#define INFINITY_f64 UINT64_C(0x7FF0000000000000)
DEFINE_FLOAT_KEY(f32, i32)
DEFINE_FLOAT_KEY(f64, i64)

#define DEFINE_PAIR_KEY(T)                                                                                             \
    static inline bits_##T key_##T(word_##T pair, bits_##T flip)                                                       \
    {                                                                                                                  \
        return pair.key ^ flip;                                                                                        \
    }
LIST_PAIRS(DEFINE_PAIR_KEY)

/* ---- digits ---- */

/* Where digits are in a key, from the topmost down. */
typedef struct {
    unsigned count, bits; /* of digits; of each of them */
    unsigned shift[MOST_DIGITS];
    int all;              /* they hold all bits that vary */
} plan;

/* The number of bits up to the topmost one that is set. */
static unsigned bit_length(uint64_t bits)
{
    unsigned length = 0;
    for (unsigned half = 32; half > 0; half /= 2)
        if (bits >> half) {
            bits >>= half;
            length += half;
        }
    return length + (unsigned)bits;
}

/* Digits with at least the `wanted` topmost bits, to sort n elements by. Bits between two digits do not vary. */
static plan plan_digits(uint64_t varying, unsigned wanted, size_t n)
{
    plan p = {0};
    unsigned length = bit_length(varying), width = bit_length(n) < DIGIT_BITS ? bit_length(n) : DIGIT_BITS;
    if (wanted > length)
        wanted = length;
    unsigned digits = (wanted + width - 1) / width;
    p.bits = (wanted + digits - 1) / digits;
    while (varying && p.count < digits) {
        unsigned top = bit_length(varying), shift = top > p.bits ? top - p.bits : 0;
        p.shift[p.count++] = shift;
        varying &= (UINT64_C(1) << shift) - 1;
    }
    p.all = varying == 0;
    return p;
}

#define DEFINE_DIGITS(T)                                                                                               \
    static inline size_t digit_##T(word_##T element, bits_##T flip, unsigned shift, size_t mask)                       \
    {                                                                                                                  \
        return (size_t)(key_##T(element, flip) >> shift) & mask;                                                       \
    }                                                                                                                  \
                                                                                                                       \
    /* The bits in which keys differ. n is at least 1. */                                                              \
    static bits_##T varying_##T(const word_##T *x, size_t n, bits_##T flip, ao_watch *w)                               \
    {                                                                                                                  \
        bits_##T first = key_##T(x[0], flip), varying = 0;                                                             \
        for (size_t start = 0, end; start < n && !w->stopped; start = end) {                                           \
            end = ao_watch_part(start, n);                                                                             \
            for (size_t i = start; i < end; i++)                                                                       \
                varying |= (bits_##T)(key_##T(x[i], flip) ^ first);                                                    \
            ao_watch_done(w, (end - start) / READS);                                                                   \
        }                                                                                                              \
        return varying;                                                                                                \
    }                                                                                                                  \
                                                                                                                       \
    static void count_##T(const word_##T *x, size_t n, bits_##T flip, unsigned shift, unsigned bits, size_t *count,    \
                          ao_watch *w)                                                                                 \
    {                                                                                                                  \
        const size_t mask = ((size_t)1 << bits) - 1;                                                                   \
        memset(count, 0, (mask + 1) * sizeof *count);                                                                  \
        for (size_t start = 0, end; start < n && !w->stopped; start = end) {                                           \
            end = ao_watch_part(start, n);                                                                             \
            for (size_t i = start; i < end; i++)                                                                       \
                count[digit_##T(x[i], flip, shift, mask)]++;                                                           \
            ao_watch_done(w, (end - start) / READS);                                                                   \
        }                                                                                                              \
    }
LIST_STAMPS(DEFINE_DIGITS)
LIST_PAIRS(DEFINE_DIGITS)

/* ---- sorting integers ---- */

/* By insertion. Gives up after so many moves and returns 0, with the elements in another order, but still those of one
 * key in theirs. */
#define DEFINE_INSERT(T)                                                                                               \
    static int insert_##T(word_##T *x, size_t n, bits_##T flip, size_t moves, ao_watch *w)                             \
    {                                                                                                                  \
        bits_##T largest = 0; /* key so far */                                                                         \
        for (size_t start = 0, end; start < n; start = end) {                                                          \
            end = ao_watch_part(start, n);                                                                             \
            for (size_t i = start; i < end; i++) {                                                                     \
                word_##T element = x[i];                                                                               \
                bits_##T key = key_##T(element, flip);                                                                 \
                if (key >= largest) {                                                                                  \
                    largest = key;                                                                                     \
                    continue;                                                                                          \
                }                                                                                                      \
                size_t to = i, stop = moves < i ? i - moves : 0;                                                       \
                for (; to > stop && key_##T(x[to - 1], flip) > key; to--)                                              \
                    x[to] = x[to - 1];                                                                                 \
                x[to] = element;                                                                                       \
                moves -= i - to;                                                                                       \
                if (moves == 0)                                                                                        \
                    return 0;                                                                                          \
            }                                                                                                          \
            if (ao_watch_done(w, end - start))                                                                         \
                return 0;                                                                                              \
        }                                                                                                              \
        return 1;                                                                                                      \
    }
LIST_STAMPS(DEFINE_INSERT)
LIST_PAIRS(DEFINE_INSERT)

/* From the number of elements with each digit to the place of the first one. */
static void add_up(size_t *count, unsigned bits)
{
    size_t before = 0;
    for (size_t d = 0; d >> bits == 0; d++) {
        size_t here = count[d];
        count[d] = before;
        before += here;
    }
}

#define DEFINE_PASSES(T)                                                                                               \
    /* Copies x to y in the order of one digit; the elements with digit d then end at end[d]. */                       \
    static void pass_##T(const word_##T *restrict x, word_##T *restrict y, size_t n, bits_##T flip, unsigned shift,    \
                         unsigned bits, size_t *restrict end, ao_watch *w)                                             \
    {                                                                                                                  \
        const size_t mask = ((size_t)1 << bits) - 1;                                                                   \
        count_##T(x, n, flip, shift, bits, end, w);                                                                    \
        add_up(end, bits);                                                                                             \
        for (size_t start = 0, stop; start < n && !w->stopped; start = stop) {                                         \
            stop = ao_watch_part(start, n);                                                                            \
            for (size_t i = start; i < stop; i++)                                                                      \
                y[end[digit_##T(x[i], flip, shift, mask)]++] = x[i];                                                   \
            ao_watch_done(w, stop - start);                                                                            \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    /* Sorts x by the digits of a plan, to and fro; returns x or y, where the elements are in the end. */              \
    static word_##T *passes_##T(word_##T *x, word_##T *y, size_t n, bits_##T flip, const plan *p, ao_watch *w)         \
    {                                                                                                                  \
        size_t end[1 << DIGIT_BITS];                                                                                   \
        for (unsigned d = p->count; d-- > 0 && !w->stopped;) {                                                         \
            pass_##T(x, y, n, flip, p->shift[d], p->bits, end, w);                                                     \
            word_##T *sorted = y;                                                                                      \
            y = x;                                                                                                     \
            x = sorted;                                                                                                \
        }                                                                                                              \
        return x;                                                                                                      \
    }
LIST_RADIX(DEFINE_PASSES)
LIST_PAIRS(DEFINE_PASSES)

/* As memcpy. */
static void copy(void *to, const void *from, size_t bytes, ao_watch *w)
{
    const size_t most = (size_t)8 * AO_WATCH_PART;
    for (size_t i = 0, now; i < bytes && !w->stopped; i += now) {
        now = bytes - i < most ? bytes - i : most;
        memcpy((char *)to + i, (const char *)from + i, now);
        ao_watch_done(w, now / 8);
    }
}

#define DEFINE_SORT(T)                                                                                                 \
    /* How many of the topmost bits probably tell most elements apart: those that do so in a sample, and one for each  \
     * time that the sample would have to double. */                                                                   \
    static unsigned bits_apart_##T(const word_##T *x, size_t n, bits_##T flip, bits_##T varying, ao_watch *w)          \
    {                                                                                                                  \
        word_##T sample[SAMPLE];                                                                                       \
        bits_##T least = varying;                                                                                      \
        for (size_t i = 0; i < SAMPLE; i++)                                                                            \
            sample[i] = x[n / SAMPLE * i];                                                                             \
        insert_##T(sample, SAMPLE, flip, SAMPLE * SAMPLE, w);                                                          \
        for (size_t i = 1; i < SAMPLE; i++) {                                                                          \
            bits_##T differing = key_##T(sample[i], flip) ^ key_##T(sample[i - 1], flip);                              \
            if (differing > 0 && differing < least)                                                                    \
                least = differing;                                                                                     \
        }                                                                                                              \
        return bit_length(varying) - bit_length(least) + bit_length(n / SAMPLE);                                       \
    }                                                                                                                  \
                                                                                                                       \
    /* Returns x or y, where the result is. */                                                                         \
    static word_##T *sort_cached_##T(word_##T *x, word_##T *y, size_t n, bits_##T flip, bits_##T varying, ao_watch *w) \
    {                                                                                                                  \
        plan p = plan_digits(varying, bits_apart_##T(x, n, flip, varying, w), n);                                      \
        word_##T *sorted = passes_##T(x, y, n, flip, &p, w);                                                           \
        if (p.all || insert_##T(sorted, n, flip, n, w))                                                                \
            return sorted;                                                                                             \
        p = plan_digits(varying, bit_length(varying), n);                                                              \
        return passes_##T(sorted, sorted == x ? y : x, n, flip, &p, w);                                                \
    }                                                                                                                  \
                                                                                                                       \
    static void sort_##T(word_##T *x, word_##T *y, size_t n, bits_##T flip, int into_y, ao_watch *w);                  \
                                                                                                                       \
    /* Splits x into y, and sorts the parts from there. Returns x or y, where the result is. */                        \
    static word_##T *sort_split_##T(word_##T *x, word_##T *y, size_t n, bits_##T flip, bits_##T varying, int into_y,   \
                                     ao_watch *w)                                                                      \
    {                                                                                                                  \
        size_t end[1 << SPLIT_BITS], start = 0;                                                                        \
        unsigned top = bit_length(varying), shift = top > SPLIT_BITS ? top - SPLIT_BITS : 0;                           \
        pass_##T(x, y, n, flip, shift, SPLIT_BITS, end, w);                                                            \
        if ((varying & ((UINT64_C(1) << shift) - 1)) == 0)                                                             \
            return y;                                                                                                  \
        for (size_t d = 0; d >> SPLIT_BITS == 0 && !w->stopped; d++) {                                                 \
            sort_##T(y + start, x + start, end[d] - start, flip, !into_y, w);                                          \
            start = end[d];                                                                                            \
        }                                                                                                              \
        return into_y ? y : x;                                                                                         \
    }                                                                                                                  \
                                                                                                                       \
    /* Sorts x into y, or into itself; the other is scratch. */                                                        \
    static void sort_##T(word_##T *x, word_##T *y, size_t n, bits_##T flip, int into_y, ao_watch *w)                   \
    {                                                                                                                  \
        word_##T *sorted = x, *wanted = into_y ? y : x;                                                                \
        bits_##T varying = 0;                                                                                          \
        if (n < FEW)                                                                                                   \
            insert_##T(x, n, flip, FEW * FEW, w);                                                                      \
        else                                                                                                           \
            varying = varying_##T(x, n, flip, w);                                                                      \
        if (w->stopped)                                                                                                \
            return;                                                                                                    \
        if (varying && n <= CACHE / sizeof *x)                                                                         \
            sorted = sort_cached_##T(x, y, n, flip, varying, w);                                                       \
        else if (varying)                                                                                              \
            sorted = sort_split_##T(x, y, n, flip, varying, into_y, w);                                                \
        if (sorted != wanted)                                                                                          \
            copy(wanted, sorted, n * sizeof *x, w);                                                                    \
    }                                                                                                                  \
                                                                                                                       \
    static void sort_all_##T(void *a, void *scratch, size_t n, bits_##T flip, ao_watch *w)                             \
    {                                                                                                                  \
        if (!insert_##T(a, n, flip, n / NEARLY + 1, w))                                                                \
            sort_##T(a, scratch, n, flip, 0, w);                                                                       \
    }
LIST_RADIX(DEFINE_SORT)
LIST_PAIRS(DEFINE_SORT)

/* Equal integers cannot be told apart, so it is enough to count them. In lanes, because an increment waits for the last
 * one of the same count. */
static void sort_all_u8(void *a, void *scratch, size_t n, word_u8 flip, ao_watch *w)
{
    enum { LANES = 4 };
    size_t count[LANES][256] = {{0}};
    word_u8 *x = a;
    (void)scratch;
    for (size_t i = 0; i < n % LANES; i++)
        count[0][x[i]]++;
    for (size_t start = n % LANES, end; start < n; start = end) {
        end = ao_watch_part(start, n); /* what is left is whole lanes, and so is a part */
        for (size_t i = start; i < end; i += LANES)
            for (size_t lane = 0; lane < LANES; lane++)
                count[lane][x[i + lane]]++;
        if (ao_watch_done(w, (end - start) / READS))
            return;
    }
    for (unsigned key = 0; key < 256; key++) {
        unsigned value = key ^ flip;
        size_t equal = count[0][value] + count[1][value] + count[2][value] + count[3][value];
        memset(x, (int)value, equal);
        x += equal;
    }
}

/* ---- sorting floats ---- */

/* They are made integers of the same order and sorted as those, so that the costlier keys of floats need not be
 * computed again and again. Such integers do not keep 0.0 and -0.0, nor nans, in their order: these are put aside. */
enum { NANS = 1, NEGATIVE_ZEROS = 2 };

#define DEFINE_FLOAT_SORT(T, U)                                                                                        \
    static unsigned specials_##T(const word_##T *x, size_t n, ao_watch *w)                                             \
    {                                                                                                                  \
        word_##T nans = 0, zeros = 0; /* the sign bit is set by a sum above infinity, or a difference below zero */    \
        for (size_t start = 0, end; start < n && !w->stopped; start = end) {                                           \
            end = ao_watch_part(start, n);                                                                             \
            for (size_t i = start; i < end; i++) {                                                                     \
                word_##T magnitude = x[i] & ~SIGN(T);                                                                  \
                nans |= magnitude + (SIGN(T) - 1 - INFINITY_##T);                                                      \
                zeros |= (magnitude - 1) & x[i];                                                                       \
            }                                                                                                          \
            ao_watch_done(w, (end - start) / READS);                                                                   \
        }                                                                                                              \
        return (nans & SIGN(T) ? NANS : 0u) | (zeros & SIGN(T) ? NEGATIVE_ZEROS : 0u);                                 \
    }                                                                                                                  \
                                                                                                                       \
    /* Moves the elements with a key to the end; returns the number of others. */                                      \
    static size_t put_aside_##T(word_##T *x, word_##T *scratch, size_t n, word_##T key, ao_watch *w)                   \
    {                                                                                                                  \
        size_t others = 0;                                                                                             \
        for (size_t start = 0, end; start < n && !w->stopped; start = end) {                                           \
            end = ao_watch_part(start, n);                                                                             \
            for (size_t i = start; i < end; i++) {                                                                     \
                word_##T element = x[i];                                                                               \
                scratch[i - others] = x[others] = element;                                                             \
                others += key_##T(element, SIGN(T)) != key;                                                            \
            }                                                                                                          \
            ao_watch_done(w, end - start);                                                                             \
        }                                                                                                              \
        copy(x + others, scratch, (n - others) * sizeof *x, w);                                                        \
        return others;                                                                                                 \
    }                                                                                                                  \
                                                                                                                       \
    /* Moves the zeros, which are all elements from `others` on, to where they belong. */                              \
    static void put_back_##T(word_##T *x, word_##T *scratch, size_t n, size_t others, ao_watch *w)                     \
    {                                                                                                                  \
        size_t at = others, zeros = n - others;                                                                        \
        while (at > 0 && (x[at - 1] & SIGN(T)) == 0)                                                                   \
            at--;                                                                                                      \
        copy(scratch, x + others, zeros * sizeof *x, w);                                                               \
        memmove(x + at + zeros, x + at, (others - at) * sizeof *x);                                                    \
        copy(x + at, scratch, zeros * sizeof *x, w);                                                                   \
    }                                                                                                                  \
                                                                                                                       \
    /* Bits of floats become integers of the same order, or those floats again. */                                     \
    static void turn_##T(word_##T *x, size_t n, word_##T positive, word_##T negative, ao_watch *w)                     \
    {                                                                                                                  \
        for (size_t start = 0, end; start < n && !w->stopped; start = end) {                                           \
            end = ao_watch_part(start, n);                                                                             \
            for (size_t i = start; i < end; i++)                                                                       \
                x[i] ^= x[i] & SIGN(T) ? negative : positive;                                                          \
            ao_watch_done(w, (end - start) / READS);                                                                   \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    static void sort_numbers_##T(word_##T *x, word_##T *scratch, size_t n, ao_watch *w)                                \
    {                                                                                                                  \
        turn_##T(x, n, SIGN(T), (word_##T)-1, w);                                                                      \
        sort_##U(x, scratch, n, 0, 0, w);                                                                              \
        turn_##T(x, n, (word_##T)-1, SIGN(T), w);                                                                      \
    }                                                                                                                  \
                                                                                                                       \
    static void sort_all_##T(void *a, void *scratch, size_t n, bits_##T flip, ao_watch *w)                             \
    {                                                                                                                  \
        if (insert_##T(a, n, flip, n < FEW ? FEW * FEW : n / NEARLY, w) || w->stopped)                                 \
            return;                                                                                                    \
        unsigned specials = specials_##T(a, n, w);                                                                     \
        size_t numbers = specials & NANS ? put_aside_##T(a, scratch, n, NAN_KEY(T), w) : n;                            \
        size_t others = specials & NEGATIVE_ZEROS ? put_aside_##T(a, scratch, numbers, SIGN(T), w) : numbers;          \
        sort_numbers_##T(a, scratch, others, w);                                                                       \
        if (others < numbers && !w->stopped)                                                                           \
            put_back_##T(a, scratch, numbers, others, w);                                                              \
    }
DEFINE_FLOAT_SORT(f32, u32)
DEFINE_FLOAT_SORT(f64, u64)

size_t ao_sorted_size(unsigned kind)
{
    return kind == AO_PAIRS64 ? sizeof(word_pair64) : kind == AO_PAIRS32 ? sizeof(word_pair32) : ao_type_sizes[kind];
}

void ao_sort(unsigned kind, void *a, void *scratch, size_t n, ao_watch *w)
{
    if (n < 2)
        return;
#define SORT_CASE(T, stamp, flip)                                                                                      \
    case AO_TYPE_##T:                                                                                                  \
        sort_all_##stamp(a, scratch, n, flip, w);                                                                      \
        break;
    switch (kind) {
        LIST_TYPES(SORT_CASE)
    case AO_PAIRS32:
        sort_all_pair32(a, scratch, n, 0, w);
        break;
    case AO_PAIRS64:
        sort_all_pair64(a, scratch, n, 0, w);
        break;
    default:
        break;
    }
}

int ao_sort_shared(enum ao_type type, void *a, ao_spacing spacing, void *room, size_t n, ao_watch *w)
{
    const size_t size = ao_type_sizes[type];
    if (ao_copy_in(room, a, spacing, size, n, w))
        return 1;
    ao_sort(type, room, (char *)room + n * size, n, w);
    if (!w->stopped)
        ao_copy_out(a, spacing, room, size, n, w);
    return w->stopped;
}

/* ---- merging ---- */

/* How many of the first `place` elements are of a: found by halves. */
#define DEFINE_MERGE(T)                                                                                                \
    static size_t merge_path_##T(const word_##T *a, size_t n_a, const word_##T *b, size_t n_b, bits_##T flip,          \
                                 size_t place)                                                                         \
    {                                                                                                                  \
        size_t low = place > n_b ? place - n_b : 0, high = place < n_a ? place : n_a;                                  \
        while (low < high) {                                                                                           \
            const size_t i = low + (high - low) / 2;                                                                   \
            if (key_##T(b[place - i - 1], flip) < key_##T(a[i], flip))                                                 \
                high = i;                                                                                              \
            else                                                                                                       \
                low = i + 1;                                                                                           \
        }                                                                                                              \
        return low;                                                                                                    \
    }                                                                                                                  \
    static void merge_##T(const word_##T *a, size_t n_a, const word_##T *b, size_t n_b, bits_##T flip, word_##T *out,  \
                          size_t first, size_t last, ao_watch *w)                                                      \
    {                                                                                                                  \
        size_t i = merge_path_##T(a, n_a, b, n_b, flip, first), j = first - i;                                         \
        for (size_t start = first, end; start < last && !w->stopped; start = end) {                                    \
            size_t at = start;                                                                                         \
            end = ao_watch_part(start, last);                                                                          \
            while (at < end && i < n_a && j < n_b) {                                                                   \
                const word_##T x = a[i], y = b[j];                                                                     \
                const int second = key_##T(y, flip) < key_##T(x, flip);                                                \
                out[at++] = second ? y : x;                                                                            \
                i += !second;                                                                                          \
                j += (size_t)second;                                                                                   \
            }                                                                                                          \
            while (at < end)                                                                                           \
                out[at++] = i < n_a ? a[i++] : b[j++];                                                                 \
            ao_watch_done(w, end - start);                                                                             \
        }                                                                                                              \
    }
LIST_INTS(DEFINE_MERGE)
LIST_FLOATS(DEFINE_MERGE)
LIST_PAIRS(DEFINE_MERGE)

void ao_merge(unsigned kind, const void *a, size_t n_a, const void *b, size_t n_b, void *out, size_t first, size_t end,
              ao_watch *w)
{
#define MERGE_CASE(T, stamp, flip)                                                                                     \
    case AO_TYPE_##T:                                                                                                  \
        merge_##stamp(a, n_a, b, n_b, flip, out, first, end, w);                                                       \
        break;
    switch (kind) {
        LIST_TYPES(MERGE_CASE)
    case AO_PAIRS32:
        merge_pair32(a, n_a, b, n_b, 0, out, first, end, w);
        break;
    case AO_PAIRS64:
        merge_pair64(a, n_a, b, n_b, 0, out, first, end, w);
        break;
    default:
        break;
    }
}

/* ---- unique ---- */

#define DEFINE_UNIQUE(T, IS_NAN)                                                                                       \
    static size_t unique_##T(word_##T *x, size_t n, bits_##T flip, ao_watch *w)                                        \
    {                                                                                                                  \
        size_t kept = 0;                                                                                               \
        word_##T last = 0;                                                                                             \
        for (size_t start = 0, end; start < n && !w->stopped; start = end) {                                           \
            end = ao_watch_part(start, n);                                                                             \
            for (size_t i = start; i < end; i++) {                                                                     \
                word_##T element = x[i], key = key_##T(element, flip);                                                 \
                x[kept] = element;                                                                                     \
                kept += i == 0 || key != last || IS_NAN(T, key);                                                       \
                last = key;                                                                                            \
            }                                                                                                          \
            ao_watch_done(w, end - start);                                                                             \
        }                                                                                                              \
        return kept;                                                                                                   \
    }
#define NEVER_NAN(T, key) 0
#define KEY_IS_NAN(T, key) ((key) == NAN_KEY(T))
#define DEFINE_INT_UNIQUE(T) DEFINE_UNIQUE(T, NEVER_NAN)
#define DEFINE_FLOAT_UNIQUE(T) DEFINE_UNIQUE(T, KEY_IS_NAN)
LIST_INTS(DEFINE_INT_UNIQUE)
LIST_FLOATS(DEFINE_FLOAT_UNIQUE)

size_t ao_unique(enum ao_type type, void *a, size_t n, ao_watch *w)
{
#define UNIQUE_CASE(T, stamp, flip)                                                                                    \
    case AO_TYPE_##T:                                                                                                  \
        return unique_##stamp(a, n, flip, w);
    switch (type) {
        LIST_TYPES(UNIQUE_CASE)
    default:
        return n;
    }
}

/* ---- selection ---- */

#define DEFINE_SELECT(T)                                                                                               \
    /* Copies the elements whose key starts with `start`, down to bit `shift`; returns their number. y may be x. */    \
    static size_t collect_##T(const word_##T *x, word_##T *y, size_t n, bits_##T flip, unsigned shift, word_##T start, \
                              ao_watch *w)                                                                             \
    {                                                                                                                  \
        size_t found = 0;                                                                                              \
        for (size_t from = 0, end; from < n && !w->stopped; from = end) {                                              \
            end = ao_watch_part(from, n);                                                                              \
            for (size_t i = from; i < end; i++) {                                                                      \
                word_##T element = x[i];                                                                               \
                y[found] = element;                                                                                    \
                found += (word_##T)(key_##T(element, flip) >> shift) == start;                                         \
            }                                                                                                          \
            ao_watch_done(w, end - from);                                                                              \
        }                                                                                                              \
        return found;                                                                                                  \
    }                                                                                                                  \
                                                                                                                       \
    /* The first of the smallest elements whose keys start with more than that; 0 if there is none. */                 \
    static int smallest_above_##T(const word_##T *x, size_t n, bits_##T flip, unsigned shift, word_##T start,          \
                                  word_##T *smallest, ao_watch *w)                                                     \
    {                                                                                                                  \
        int found = 0;                                                                                                 \
        word_##T least = 0;                                                                                            \
        for (size_t from = 0, end; from < n && !w->stopped; from = end) {                                              \
            end = ao_watch_part(from, n);                                                                              \
            for (size_t i = from; i < end; i++) {                                                                      \
                word_##T element = x[i], key = key_##T(element, flip);                                                 \
                if ((word_##T)(key >> shift) > start && (!found || key < least)) {                                     \
                    found = 1;                                                                                         \
                    *smallest = element;                                                                               \
                    least = key;                                                                                       \
                }                                                                                                      \
            }                                                                                                          \
            ao_watch_done(w, end - from);                                                                              \
        }                                                                                                              \
        return found;                                                                                                  \
    }                                                                                                                  \
                                                                                                                       \
    /* One digit: of n elements at x those with the digit of the k-th go to scratch. Returns 0 if x was written to     \
     * meanwhile: then they are not as many as were counted. */                                                        \
    static int narrow_##T(const word_##T *x, word_##T *scratch, size_t *n, size_t *k, bits_##T flip, word_##T varying, \
                          void **next, ao_watch *w)                                                                    \
    {                                                                                                                  \
        size_t count[1 << DIGIT_BITS], before = 0, d = 0;                                                              \
        unsigned shift = ao_select_shift(varying);                                                                     \
        count_##T(x, *n, flip, shift, DIGIT_BITS, count, w);                                                           \
        if (w->stopped)                                                                                                \
            return 1;                                                                                                  \
        while (before + count[d] <= *k) /* all counts together are n, which is above k */                              \
            before += count[d++];                                                                                      \
        word_##T start = (word_##T)ao_select_start(key_##T(x[0], flip), shift, d);                                     \
        int good = 1;                                                                                                  \
        if (*next && *k + 1 < *n && *k + 1 == before + count[d]) {                                                     \
            word_##T element = 0;                                                                                      \
            good = smallest_above_##T(x, *n, flip, shift, start, &element, w);                                         \
            memcpy(*next, &element, sizeof element);                                                                   \
            *next = NULL;                                                                                              \
        }                                                                                                              \
        good &= collect_##T(x, scratch, *n, flip, shift, start, w) == count[d];                                        \
        *n = count[d];                                                                                                 \
        *k -= before;                                                                                                  \
        return good || w->stopped;                                                                                     \
    }                                                                                                                  \
                                                                                                                       \
    static void select_##T(const word_##T *x, word_##T *scratch, size_t n, size_t k, bits_##T flip, void *kth,         \
                           void *next, ao_watch *w)                                                                    \
    {                                                                                                                  \
        const word_##T *from = x;                                                                                      \
        size_t left = n, at = k;                                                                                       \
        void *wanted = next;                                                                                           \
        word_##T varying = 0;                                                                                          \
        while (left >= FEW && (varying = varying_##T(from, left, flip, w)) != 0 && !w->stopped) {                      \
            if (!narrow_##T(from, scratch, &left, &at, flip, varying, &wanted, w)) { /* again, with a copy */          \
                copy(scratch, x, n * sizeof *x, w);                                                                    \
                left = n;                                                                                              \
                at = k;                                                                                                \
                wanted = next;                                                                                         \
            }                                                                                                          \
            from = scratch;                                                                                            \
        }                                                                                                              \
        if (w->stopped)                                                                                                \
            return;                                                                                                    \
        if (left < FEW) {                                                                                              \
            memmove(scratch, from, left * sizeof *x);                                                                  \
            insert_##T(scratch, left, flip, FEW * FEW, w);                                                             \
            from = scratch;                                                                                            \
        }                                                                                                              \
        memcpy(kth, from + at, sizeof *x);                                                                             \
        if (wanted && at + 1 < left)                                                                                   \
            memcpy(wanted, from + at + 1, sizeof *x);                                                                  \
    }
LIST_STAMPS(DEFINE_SELECT)

void ao_select(enum ao_type type, const void *a, void *scratch, size_t n, size_t k, void *kth, void *next, ao_watch *w)
{
#define SELECT_CASE(T, stamp, flip)                                                                                    \
    case AO_TYPE_##T:                                                                                                  \
        select_##stamp(a, scratch, n, k, flip, kth, next, w);                                                          \
        break;
    switch (type) {
        LIST_TYPES(SELECT_CASE)
    default:
        break;
    }
}

/* The steps of narrow_##T, for ranges of an array. */
#define DEFINE_SELECT_STEPS(T)                                                                                         \
    static ao_keys keys_##T(const word_##T *x, size_t n, bits_##T flip, ao_watch *w)                                   \
    {                                                                                                                  \
        return (ao_keys){key_##T(x[0], flip), varying_##T(x, n, flip, w)};                                             \
    }
LIST_STAMPS(DEFINE_SELECT_STEPS)

ao_keys ao_select_keys(enum ao_type type, const void *a, size_t n, ao_watch *w)
{
#define KEYS_CASE(T, stamp, flip)                                                                                      \
    case AO_TYPE_##T:                                                                                                  \
        return keys_##stamp(a, n, flip, w);
    switch (type) {
        LIST_TYPES(KEYS_CASE)
    default:
        return (ao_keys){0, 0};
    }
}

unsigned ao_select_shift(uint64_t varying)
{
    const unsigned top = bit_length(varying);
    return top > DIGIT_BITS ? top - DIGIT_BITS : 0;
}

void ao_select_count(enum ao_type type, const void *a, size_t n, unsigned shift, size_t *counts, ao_watch *w)
{
#define COUNT_CASE(T, stamp, flip)                                                                                     \
    case AO_TYPE_##T:                                                                                                  \
        count_##stamp(a, n, flip, shift, DIGIT_BITS, counts, w);                                                       \
        break;
    switch (type) {
        LIST_TYPES(COUNT_CASE)
    default:
        break;
    }
}

uint64_t ao_select_start(uint64_t key, unsigned shift, size_t digit)
{
    return key >> shift >> DIGIT_BITS << DIGIT_BITS | digit;
}

size_t ao_select_collect(enum ao_type type, const void *a, size_t n, unsigned shift, uint64_t start, void *out, ao_watch *w)
{
#define COLLECT_CASE(T, stamp, flip)                                                                                   \
    case AO_TYPE_##T:                                                                                                  \
        return collect_##stamp(a, out, n, flip, shift, (word_##stamp)start, w);
    switch (type) {
        LIST_TYPES(COLLECT_CASE)
    default:
        return 0;
    }
}

int ao_select_above(enum ao_type type, const void *a, size_t n, unsigned shift, uint64_t start, void *least, ao_watch *w)
{
#define ABOVE_CASE(T, stamp, flip)                                                                                     \
    case AO_TYPE_##T:                                                                                                  \
        return smallest_above_##stamp(a, n, flip, shift, (word_##stamp)start, least, w);
    switch (type) {
        LIST_TYPES(ABOVE_CASE)
    default:
        return 0;
    }
}

/* ---- sorting with something beside: places, the largest ---- */

enum { GATHERED = 1024 }; /* elements copied at once where they are not side by side */

/* Elements from `first` on, side by side: in place, or at `local` (GATHERED of them). *n: how many. */
static const void *part_of(const ao_span *span, size_t first, uint64_t *local, size_t *n)
{
    const size_t size = ao_type_sizes[span->type], most = span->spacing.stride ? GATHERED : AO_WATCH_PART;
    *n = span->count - first < most ? span->count - first : most;
    if (!span->spacing.stride)
        return (const char *)span->data + first * size;
    ao_gather(local, (const char *)span->data + (ptrdiff_t)first * span->spacing.stride, span->spacing, size, *n);
    return local;
}

/* Keys in the wanted order; nans are last in both. */
#define DEFINE_ORDERED(T, IS_NAN)                                                                                      \
    static inline bits_##T ordered_##T(word_##T element, bits_##T flip, int reverse)                                   \
    {                                                                                                                  \
        const bits_##T key = key_##T(element, flip);                                                                   \
        return reverse && !IS_NAN(T, key) ? (bits_##T)~key : key;                                                      \
    }
#define DEFINE_INT_ORDERED(T) DEFINE_ORDERED(T, NEVER_NAN)
#define DEFINE_FLOAT_ORDERED(T) DEFINE_ORDERED(T, KEY_IS_NAN)
LIST_INTS(DEFINE_INT_ORDERED)
LIST_FLOATS(DEFINE_FLOAT_ORDERED)

/* Pairs of the keys of elements and their places, from `first` on. Of narrow elements there are hardly ever so many that a
 * place has more than 32 bits. */
#define DEFINE_PLACES(P, T, RARE)                                                                                      \
    static RARE void places_##P##_##T(const word_##T *x, word_##P *to, size_t n, bits_##T flip, int reverse, size_t first)  \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++)                                                                                 \
            to[i] = (word_##P){ordered_##T(x[i], flip, reverse), (bits_##P)(first + i)};                               \
    }
#define DEFINE_NARROW_PLACES(T) DEFINE_PLACES(pair32, T, ) DEFINE_PLACES(pair64, T, AO_RARE)
DEFINE_NARROW_PLACES(u8)
DEFINE_NARROW_PLACES(u16)
DEFINE_NARROW_PLACES(u32)
DEFINE_NARROW_PLACES(f32)
DEFINE_PLACES(pair64, u64, )
DEFINE_PLACES(pair64, f64, )

unsigned ao_argsort_kind(enum ao_type type, size_t n)
{
    return ao_type_sizes[type] < 8 && n <= UINT32_MAX ? AO_PAIRS32 : AO_PAIRS64;
}

static size_t room_of_pairs(unsigned kind, size_t n)
{
    const size_t pairs = 2 * ao_sorted_size(kind);
    return n > PTRDIFF_MAX / pairs ? SIZE_MAX : n * pairs;
}

size_t ao_argsort_room(enum ao_type type, size_t n)
{
    return room_of_pairs(ao_argsort_kind(type, n), n);
}

#define DEFINE_ARGSORT(P, TYPES)                                                                                       \
    static void pairs_##P(const ao_span *span, int reverse, word_##P *x, size_t first, size_t end, ao_watch *w)        \
    {                                                                                                                  \
        uint64_t local[GATHERED];                                                                                      \
        for (size_t i = first, n; i < end && !w->stopped; i += n) {                                                    \
            const void *part = part_of(span, i, local, &n);                                                            \
            n = n < end - i ? n : end - i;                                                                             \
            switch (span->type) {                                                                                      \
                TYPES(PLACES_CASE_##P)                                                                                 \
            default:                                                                                                   \
                break;                                                                                                 \
            }                                                                                                          \
            ao_watch_done(w, n);                                                                                       \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    static void places_of_##P(const word_##P *x, const int64_t *kept, int64_t *order, size_t first, size_t last,       \
                              ao_watch *w)                                                                             \
    {                                                                                                                  \
        for (size_t i = first, end; i < last && !w->stopped; i = end) {                                                \
            end = ao_watch_part(i, last);                                                                              \
            for (size_t j = i; j < end; j++)                                                                           \
                order[j] = kept ? kept[x[j].item] : (int64_t)x[j].item;                                                \
            ao_watch_done(w, end - i);                                                                                 \
        }                                                                                                              \
    }
#define PLACES_CASE_pair32(T, stamp, flip)                                                                             \
    case AO_TYPE_##T:                                                                                                  \
        places_pair32_##stamp(part, x + i, n, flip, reverse, i);                                                       \
        break;
#define PLACES_CASE_pair64(T, stamp, flip)                                                                             \
    case AO_TYPE_##T:                                                                                                  \
        places_pair64_##stamp(part, x + i, n, flip, reverse, i);                                                       \
        break;
DEFINE_ARGSORT(pair32, LIST_NARROW_TYPES)
DEFINE_ARGSORT(pair64, LIST_TYPES)

void ao_argsort_pairs(const ao_span *span, int reverse, void *pairs, size_t first, size_t end, ao_watch *w)
{
    if (ao_argsort_kind(span->type, span->count) == AO_PAIRS32)
        pairs_pair32(span, reverse, pairs, first, end, w);
    else
        pairs_pair64(span, reverse, pairs, first, end, w);
}

void ao_argsort_places(unsigned kind, const void *sorted, const int64_t *kept, int64_t *order, size_t first, size_t end,
                       ao_watch *w)
{
    if (kind == AO_PAIRS32)
        places_of_pair32(sorted, kept, order, first, end, w);
    else
        places_of_pair64(sorted, kept, order, first, end, w);
}

void ao_argsort(const ao_span *span, int reverse, void *room, const int64_t *kept, int64_t *order, ao_watch *w)
{
    const unsigned kind = ao_argsort_kind(span->type, span->count);
    ao_argsort_pairs(span, reverse, room, 0, span->count, w);
    if (!w->stopped)
        ao_sort(kind, room, (char *)room + span->count * ao_sorted_size(kind), span->count, w);
    ao_argsort_places(kind, room, kept, order, 0, span->count, w);
}

/* The k largest so far are the first ones of x, in order, once `full`; what may be among them is put behind, until there
 * is no room. An element that equals the last of them is not: it came later. */
#define DEFINE_LARGEST(P, T)                                                                                           \
    static size_t gather_##T(const word_##T *part, size_t n, bits_##T flip, size_t k, word_##P *x, size_t capacity,    \
                             size_t number, int *full, ao_watch *w)                                                    \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const word_##T element = part[i];                                                                          \
            const bits_##P key = ordered_##T(element, flip, 1);                                                        \
            if (*full && key >= x[k - 1].key)                                                                          \
                continue;                                                                                              \
            x[number++] = (word_##P){key, element};                                                                    \
            if (number == capacity) {                                                                                  \
                sort_all_##P(x, x + capacity, number, 0, w);                                                           \
                number = k;                                                                                            \
                *full = 1;                                                                                             \
                if (w->stopped)                                                                                        \
                    break;                                                                                             \
            }                                                                                                          \
        }                                                                                                              \
        return number;                                                                                                 \
    }                                                                                                                  \
                                                                                                                       \
    static void largest_##T(const ao_span *span, bits_##T flip, size_t k, word_##P *x, size_t capacity, word_##T *out, \
                            ao_watch *w)                                                                               \
    {                                                                                                                  \
        uint64_t local[GATHERED];                                                                                      \
        size_t number = 0;                                                                                             \
        int full = 0;                                                                                                  \
        for (size_t i = 0, n; i < span->count && !w->stopped; i += n) {                                                \
            const void *part = part_of(span, i, local, &n);                                                            \
            number = gather_##T(part, n, flip, k, x, capacity, number, &full, w);                                      \
            ao_watch_done(w, n);                                                                                       \
        }                                                                                                              \
        if (!w->stopped)                                                                                               \
            sort_all_##P(x, x + capacity, number, 0, w);                                                               \
        for (size_t i = 0; i < k && !w->stopped; i++)                                                                  \
            out[i] = (word_##T)x[i].item;                                                                              \
    }
DEFINE_LARGEST(pair32, u8)
DEFINE_LARGEST(pair32, u16)
DEFINE_LARGEST(pair32, u32)
DEFINE_LARGEST(pair32, f32)
DEFINE_LARGEST(pair64, u64)
DEFINE_LARGEST(pair64, f64)

/* Pairs that wait for being sorted: half of them new each time, or all there are. */
static size_t largest_capacity(size_t n, size_t k)
{
    const size_t least = 1024, twice = k > n / 2 ? n : 2 * k, wanted = twice < least ? least : twice;
    return wanted < n ? wanted : n;
}

size_t ao_largest_room(enum ao_type type, size_t n, size_t k)
{
    return room_of_pairs(ao_type_sizes[type] < 8 ? AO_PAIRS32 : AO_PAIRS64, largest_capacity(n, k));
}

void ao_largest(const ao_span *span, size_t k, void *room, void *out, ao_watch *w)
{
    const size_t capacity = largest_capacity(span->count, k);
#define LARGEST_CASE(T, stamp, flip)                                                                                   \
    case AO_TYPE_##T:                                                                                                  \
        largest_##stamp(span, flip, k, room, capacity, out, w);                                                        \
        break;
    switch (span->type) {
        LIST_TYPES(LARGEST_CASE)
    default:
        break;
    }
}
