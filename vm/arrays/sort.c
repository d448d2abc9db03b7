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
 */
#include "sort.h"

#include <string.h>

enum {
    FEW = 32,         /* elements that an insertion sort does best */
    NEARLY = 16,      /* an array that takes less than one move for so many elements is sorted by insertion */
    CACHE = 1 << 19,  /* bytes that are sorted without splitting */
    SPLIT_BITS = 8,   /* of the digit that splits: one more costs as much as it saves */
    DIGIT_BITS = 10,  /* of any other digit, at most */
    LEAST_BITS = 6,   /* bit_length(FEW): digits have as many bits as the number of elements, or DIGIT_BITS */
    MOST_DIGITS = (64 + LEAST_BITS - 1) / LEAST_BITS,
    SAMPLE = 16
};
_Static_assert((int)FEW >> (int)LEAST_BITS == 0 && (int)FEW >> ((int)LEAST_BITS - 1) == 1, "LEAST_BITS is of FEW");
_Static_assert((int)SAMPLE <= (int)FEW, "what is not sorted by insertion has a sample");

/* Elements as words of their size. */
#if defined __GNUC__
#define WORD __attribute__((may_alias))
#else
#define WORD
#endif
typedef ao_u8 WORD word_u8;
typedef ao_u16 WORD word_u16;
typedef ao_u32 WORD word_u32, word_f32;
typedef ao_u64 WORD word_u64, word_f64;

#define SIGN(T) ((word_##T)((word_##T)1 << (8 * sizeof(word_##T) - 1)))
#define NAN_KEY(T) ((word_##T)-1)

/* What the code is stamped for: X(type, stamp, flip). Signed integers share the code of unsigned ones: their sign bit
 * is flipped. */
#define LIST_TYPES(X)                                                                                                  \
    X(u8, u8, 0) X(u16, u16, 0) X(u32, u32, 0) X(u64, u64, 0)                                                          \
    X(i8, u8, SIGN(u8)) X(i16, u16, SIGN(u16)) X(i32, u32, SIGN(u32)) X(i64, u64, SIGN(u64))                           \
    X(f32, f32, SIGN(f32)) X(f64, f64, SIGN(f64))
#define LIST_RADIX(X) X(u16) X(u32) X(u64)
#define LIST_INTS(X) X(u8) LIST_RADIX(X)
#define LIST_FLOATS(X) X(f32) X(f64)
#define LIST_STAMPS(X) LIST_INTS(X) LIST_FLOATS(X)

/* ---- keys: unsigned numbers in the order of the elements ---- */

#define DEFINE_INT_KEY(T)                                                                                              \
    static inline word_##T key_##T(word_##T bits, word_##T flip)                                                       \
    {                                                                                                                  \
        return (word_##T)(bits ^ flip);                                                                                \
    }
LIST_INTS(DEFINE_INT_KEY)

/* Without its sign, a float's bits are an integer that grows with it. Negated where there was a sign, which leaves only
 * one zero, that is a signed integer. All nans have the same key, above all others. */
#define DEFINE_FLOAT_KEY(T, I)                                                                                         \
    static inline word_##T key_##T(word_##T bits, word_##T flip)                                                       \
    {                                                                                                                  \
        word_##T magnitude = bits & ~flip, negative = (word_##T)((ao_##I)bits >> (8 * sizeof bits - 1));               \
        word_##T key = (magnitude ^ negative) - negative + flip;                                                       \
        return magnitude > INFINITY_##T ? NAN_KEY(T) : key;                                                            \
    }
#define INFINITY_f32 UINT32_C(0x7F800000)
#define INFINITY_f64 UINT64_C(0x7FF0000000000000)
DEFINE_FLOAT_KEY(f32, i32)
DEFINE_FLOAT_KEY(f64, i64)

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
    static inline size_t digit_##T(word_##T element, word_##T flip, unsigned shift, size_t mask)                       \
    {                                                                                                                  \
        return (size_t)(key_##T(element, flip) >> shift) & mask;                                                       \
    }                                                                                                                  \
                                                                                                                       \
    /* The bits in which keys differ. n is at least 1. */                                                              \
    static word_##T varying_##T(const word_##T *x, size_t n, word_##T flip)                                            \
    {                                                                                                                  \
        word_##T first = key_##T(x[0], flip), varying = 0;                                                             \
        for (size_t i = 1; i < n; i++)                                                                                 \
            varying |= (word_##T)(key_##T(x[i], flip) ^ first);                                                        \
        return varying;                                                                                                \
    }                                                                                                                  \
                                                                                                                       \
    static void count_##T(const word_##T *x, size_t n, word_##T flip, unsigned shift, unsigned bits, size_t *count)    \
    {                                                                                                                  \
        const size_t mask = ((size_t)1 << bits) - 1;                                                                   \
        memset(count, 0, (mask + 1) * sizeof *count);                                                                  \
        for (size_t i = 0; i < n; i++)                                                                                 \
            count[digit_##T(x[i], flip, shift, mask)]++;                                                               \
    }
LIST_STAMPS(DEFINE_DIGITS)

/* ---- sorting integers ---- */

/* By insertion. Gives up after so many moves and returns 0, with the elements in another order, but still those of one
 * key in theirs. */
#define DEFINE_INSERT(T)                                                                                               \
    static int insert_##T(word_##T *x, size_t n, word_##T flip, size_t moves)                                          \
    {                                                                                                                  \
        word_##T largest = 0; /* key so far */                                                                         \
        for (size_t i = 0; i < n; i++) {                                                                               \
            word_##T element = x[i], key = key_##T(element, flip);                                                     \
            if (key >= largest) {                                                                                      \
                largest = key;                                                                                         \
                continue;                                                                                              \
            }                                                                                                          \
            size_t to = i, stop = moves < i ? i - moves : 0;                                                           \
            for (; to > stop && key_##T(x[to - 1], flip) > key; to--)                                                  \
                x[to] = x[to - 1];                                                                                     \
            x[to] = element;                                                                                           \
            moves -= i - to;                                                                                           \
            if (moves == 0)                                                                                            \
                return 0;                                                                                              \
        }                                                                                                              \
        return 1;                                                                                                      \
    }
LIST_STAMPS(DEFINE_INSERT)

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
    static void pass_##T(const word_##T *restrict x, word_##T *restrict y, size_t n, word_##T flip, unsigned shift,    \
                         unsigned bits, size_t *restrict end)                                                          \
    {                                                                                                                  \
        const size_t mask = ((size_t)1 << bits) - 1;                                                                   \
        count_##T(x, n, flip, shift, bits, end);                                                                       \
        add_up(end, bits);                                                                                             \
        for (size_t i = 0; i < n; i++)                                                                                 \
            y[end[digit_##T(x[i], flip, shift, mask)]++] = x[i];                                                       \
    }                                                                                                                  \
                                                                                                                       \
    /* Sorts x by the digits of a plan, to and fro; returns x or y, where the elements are in the end. */              \
    static word_##T *passes_##T(word_##T *x, word_##T *y, size_t n, word_##T flip, const plan *p)                      \
    {                                                                                                                  \
        size_t end[1 << DIGIT_BITS];                                                                                   \
        for (unsigned d = p->count; d-- > 0;) {                                                                        \
            pass_##T(x, y, n, flip, p->shift[d], p->bits, end);                                                        \
            word_##T *sorted = y;                                                                                      \
            y = x;                                                                                                     \
            x = sorted;                                                                                                \
        }                                                                                                              \
        return x;                                                                                                      \
    }
LIST_RADIX(DEFINE_PASSES)

#define DEFINE_SORT(T)                                                                                                 \
    /* How many of the topmost bits probably tell most elements apart: those that do so in a sample, and one for each  \
     * time that the sample would have to double. */                                                                   \
    static unsigned bits_apart_##T(const word_##T *x, size_t n, word_##T flip, word_##T varying)                       \
    {                                                                                                                  \
        word_##T sample[SAMPLE], least = varying;                                                                      \
        for (size_t i = 0; i < SAMPLE; i++)                                                                            \
            sample[i] = key_##T(x[n / SAMPLE * i], flip);                                                              \
        insert_##T(sample, SAMPLE, 0, SAMPLE * SAMPLE);                                                                \
        for (size_t i = 1; i < SAMPLE; i++) {                                                                          \
            word_##T differing = sample[i] ^ sample[i - 1];                                                            \
            if (differing > 0 && differing < least)                                                                    \
                least = differing;                                                                                     \
        }                                                                                                              \
        return bit_length(varying) - bit_length(least) + bit_length(n / SAMPLE);                                       \
    }                                                                                                                  \
                                                                                                                       \
    /* Returns x or y, where the result is. */                                                                         \
    static word_##T *sort_cached_##T(word_##T *x, word_##T *y, size_t n, word_##T flip, word_##T varying)              \
    {                                                                                                                  \
        plan p = plan_digits(varying, bits_apart_##T(x, n, flip, varying), n);                                         \
        word_##T *sorted = passes_##T(x, y, n, flip, &p);                                                              \
        if (p.all || insert_##T(sorted, n, flip, n))                                                                   \
            return sorted;                                                                                             \
        p = plan_digits(varying, bit_length(varying), n);                                                              \
        return passes_##T(sorted, sorted == x ? y : x, n, flip, &p);                                                   \
    }                                                                                                                  \
                                                                                                                       \
    static void sort_##T(word_##T *x, word_##T *y, size_t n, word_##T flip, int into_y);                               \
                                                                                                                       \
    /* Splits x into y, and sorts the parts from there. Returns x or y, where the result is. */                        \
    static word_##T *sort_split_##T(word_##T *x, word_##T *y, size_t n, word_##T flip, word_##T varying, int into_y)   \
    {                                                                                                                  \
        size_t end[1 << SPLIT_BITS], start = 0;                                                                        \
        unsigned top = bit_length(varying), shift = top > SPLIT_BITS ? top - SPLIT_BITS : 0;                           \
        pass_##T(x, y, n, flip, shift, SPLIT_BITS, end);                                                               \
        if ((varying & ((UINT64_C(1) << shift) - 1)) == 0)                                                             \
            return y;                                                                                                  \
        for (size_t d = 0; d >> SPLIT_BITS == 0; d++) {                                                                \
            sort_##T(y + start, x + start, end[d] - start, flip, !into_y);                                             \
            start = end[d];                                                                                            \
        }                                                                                                              \
        return into_y ? y : x;                                                                                         \
    }                                                                                                                  \
                                                                                                                       \
    /* Sorts x into y, or into itself; the other is scratch. */                                                        \
    static void sort_##T(word_##T *x, word_##T *y, size_t n, word_##T flip, int into_y)                                \
    {                                                                                                                  \
        word_##T *sorted = x, *wanted = into_y ? y : x, varying = 0;                                                   \
        if (n < FEW)                                                                                                   \
            insert_##T(x, n, flip, FEW * FEW);                                                                         \
        else                                                                                                           \
            varying = varying_##T(x, n, flip);                                                                         \
        if (varying && n <= CACHE / sizeof *x)                                                                         \
            sorted = sort_cached_##T(x, y, n, flip, varying);                                                          \
        else if (varying)                                                                                              \
            sorted = sort_split_##T(x, y, n, flip, varying, into_y);                                                   \
        if (sorted != wanted)                                                                                          \
            memcpy(wanted, sorted, n * sizeof *x);                                                                     \
    }                                                                                                                  \
                                                                                                                       \
    static void sort_all_##T(void *a, void *scratch, size_t n, word_##T flip)                                          \
    {                                                                                                                  \
        if (!insert_##T(a, n, flip, n / NEARLY + 1))                                                                   \
            sort_##T(a, scratch, n, flip, 0);                                                                          \
    }
LIST_RADIX(DEFINE_SORT)

/* Equal integers cannot be told apart, so it is enough to count them. In lanes, because an increment waits for the last
 * one of the same count. */
static void sort_all_u8(void *a, void *scratch, size_t n, word_u8 flip)
{
    enum { LANES = 4 };
    size_t count[LANES][256] = {{0}};
    word_u8 *x = a;
    (void)scratch;
    for (size_t i = 0; i < n % LANES; i++)
        count[0][x[i]]++;
    for (size_t i = n % LANES; i < n; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            count[lane][x[i + lane]]++;
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
    static unsigned specials_##T(const word_##T *x, size_t n)                                                          \
    {                                                                                                                  \
        word_##T nans = 0, zeros = 0; /* the sign bit is set by a sum above infinity, or a difference below zero */    \
        for (size_t i = 0; i < n; i++) {                                                                               \
            word_##T magnitude = x[i] & ~SIGN(T);                                                                      \
            nans |= magnitude + (SIGN(T) - 1 - INFINITY_##T);                                                          \
            zeros |= (magnitude - 1) & x[i];                                                                           \
        }                                                                                                              \
        return (nans & SIGN(T) ? NANS : 0u) | (zeros & SIGN(T) ? NEGATIVE_ZEROS : 0u);                                 \
    }                                                                                                                  \
                                                                                                                       \
    /* Moves the elements with a key to the end; returns the number of others. */                                      \
    static size_t put_aside_##T(word_##T *x, word_##T *scratch, size_t n, word_##T key)                                \
    {                                                                                                                  \
        size_t others = 0;                                                                                             \
        for (size_t i = 0; i < n; i++) {                                                                               \
            word_##T element = x[i];                                                                                   \
            scratch[i - others] = x[others] = element;                                                                 \
            others += key_##T(element, SIGN(T)) != key;                                                                \
        }                                                                                                              \
        memcpy(x + others, scratch, (n - others) * sizeof *x);                                                         \
        return others;                                                                                                 \
    }                                                                                                                  \
                                                                                                                       \
    /* Moves the zeros, which are all elements from `others` on, to where they belong. */                              \
    static void put_back_##T(word_##T *x, word_##T *scratch, size_t n, size_t others)                                  \
    {                                                                                                                  \
        size_t at = others, zeros = n - others;                                                                        \
        while (at > 0 && (x[at - 1] & SIGN(T)) == 0)                                                                   \
            at--;                                                                                                      \
        memcpy(scratch, x + others, zeros * sizeof *x);                                                                \
        memmove(x + at + zeros, x + at, (others - at) * sizeof *x);                                                    \
        memcpy(x + at, scratch, zeros * sizeof *x);                                                                    \
    }                                                                                                                  \
                                                                                                                       \
    static void sort_numbers_##T(word_##T *x, word_##T *scratch, size_t n)                                             \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++)                                                                                 \
            x[i] ^= x[i] & SIGN(T) ? (word_##T)-1 : SIGN(T);                                                           \
        sort_##U(x, scratch, n, 0, 0);                                                                                 \
        for (size_t i = 0; i < n; i++)                                                                                 \
            x[i] ^= x[i] & SIGN(T) ? SIGN(T) : (word_##T)-1;                                                           \
    }                                                                                                                  \
                                                                                                                       \
    static void sort_all_##T(void *a, void *scratch, size_t n, word_##T flip)                                          \
    {                                                                                                                  \
        if (insert_##T(a, n, flip, n < FEW ? FEW * FEW : n / NEARLY))                                                  \
            return;                                                                                                    \
        unsigned specials = specials_##T(a, n);                                                                        \
        size_t numbers = specials & NANS ? put_aside_##T(a, scratch, n, NAN_KEY(T)) : n;                               \
        size_t others = specials & NEGATIVE_ZEROS ? put_aside_##T(a, scratch, numbers, SIGN(T)) : numbers;             \
        sort_numbers_##T(a, scratch, others);                                                                          \
        if (others < numbers)                                                                                          \
            put_back_##T(a, scratch, numbers, others);                                                                 \
    }
DEFINE_FLOAT_SORT(f32, u32)
DEFINE_FLOAT_SORT(f64, u64)

void ao_sort(enum ao_type type, void *a, void *scratch, size_t n)
{
    if (n < 2)
        return;
#define SORT_CASE(T, stamp, flip)                                                                                      \
    case AO_TYPE_##T:                                                                                                  \
        sort_all_##stamp(a, scratch, n, flip);                                                                         \
        break;
    switch (type) {
        LIST_TYPES(SORT_CASE)
    default:
        break;
    }
}

/* ---- unique ---- */

#define DEFINE_UNIQUE(T, IS_NAN)                                                                                       \
    static size_t unique_##T(word_##T *x, size_t n, word_##T flip)                                                     \
    {                                                                                                                  \
        size_t kept = 0;                                                                                               \
        word_##T last = 0;                                                                                             \
        for (size_t i = 0; i < n; i++) {                                                                               \
            word_##T element = x[i], key = key_##T(element, flip);                                                     \
            x[kept] = element;                                                                                         \
            kept += i == 0 || key != last || IS_NAN(T, key);                                                           \
            last = key;                                                                                                \
        }                                                                                                              \
        return kept;                                                                                                   \
    }
#define NEVER_NAN(T, key) 0
#define KEY_IS_NAN(T, key) ((key) == NAN_KEY(T))
#define DEFINE_INT_UNIQUE(T) DEFINE_UNIQUE(T, NEVER_NAN)
#define DEFINE_FLOAT_UNIQUE(T) DEFINE_UNIQUE(T, KEY_IS_NAN)
LIST_INTS(DEFINE_INT_UNIQUE)
LIST_FLOATS(DEFINE_FLOAT_UNIQUE)

size_t ao_unique(enum ao_type type, void *a, size_t n)
{
#define UNIQUE_CASE(T, stamp, flip)                                                                                    \
    case AO_TYPE_##T:                                                                                                  \
        return unique_##stamp(a, n, flip);
    switch (type) {
        LIST_TYPES(UNIQUE_CASE)
    default:
        return n;
    }
}

/* ---- selection ---- */

#define DEFINE_SELECT(T)                                                                                               \
    /* Copies the elements whose key starts with `start`, down to bit `shift`; returns their number. y may be x. */    \
    static size_t collect_##T(const word_##T *x, word_##T *y, size_t n, word_##T flip, unsigned shift, word_##T start) \
    {                                                                                                                  \
        size_t found = 0;                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                               \
            word_##T element = x[i];                                                                                   \
            y[found] = element;                                                                                        \
            found += (word_##T)(key_##T(element, flip) >> shift) == start;                                             \
        }                                                                                                              \
        return found;                                                                                                  \
    }                                                                                                                  \
                                                                                                                       \
    /* The first of the smallest elements whose keys start with more than that. There is one. */                       \
    static word_##T smallest_above_##T(const word_##T *x, size_t n, word_##T flip, unsigned shift, word_##T start)     \
    {                                                                                                                  \
        const word_##T *found = NULL;                                                                                  \
        word_##T least = 0;                                                                                            \
        for (size_t i = 0; i < n; i++) {                                                                               \
            word_##T key = key_##T(x[i], flip);                                                                        \
            if ((word_##T)(key >> shift) > start && (!found || key < least)) {                                         \
                found = x + i;                                                                                         \
                least = key;                                                                                           \
            }                                                                                                          \
        }                                                                                                              \
        return *found;                                                                                                 \
    }                                                                                                                  \
                                                                                                                       \
    static void select_##T(const word_##T *x, word_##T *scratch, size_t n, size_t k, word_##T flip, void *kth,         \
                           void *next)                                                                                 \
    {                                                                                                                  \
        word_##T varying = 0;                                                                                          \
        while (n >= FEW && (varying = varying_##T(x, n, flip)) != 0) {                                                 \
            size_t count[1 << DIGIT_BITS], before = 0, d = 0;                                                          \
            unsigned top = bit_length(varying), shift = top > DIGIT_BITS ? top - DIGIT_BITS : 0;                       \
            count_##T(x, n, flip, shift, DIGIT_BITS, count);                                                           \
            while (before + count[d] <= k)                                                                             \
                before += count[d++];                                                                                  \
            word_##T start = (word_##T)((uint64_t)key_##T(x[0], flip) >> shift >> DIGIT_BITS << DIGIT_BITS | d);       \
            if (next && k + 1 < n && k + 1 == before + count[d]) {                                                     \
                word_##T element = smallest_above_##T(x, n, flip, shift, start);                                       \
                memcpy(next, &element, sizeof element);                                                                \
                next = NULL;                                                                                           \
            }                                                                                                          \
            n = collect_##T(x, scratch, n, flip, shift, start);                                                        \
            x = scratch;                                                                                               \
            k -= before;                                                                                               \
        }                                                                                                              \
        if (n < FEW) {                                                                                                 \
            memmove(scratch, x, n * sizeof *x);                                                                        \
            insert_##T(scratch, n, flip, FEW * FEW);                                                                   \
            x = scratch;                                                                                               \
        }                                                                                                              \
        memcpy(kth, x + k, sizeof *x);                                                                                 \
        if (next && k + 1 < n)                                                                                         \
            memcpy(next, x + k + 1, sizeof *x);                                                                        \
    }
LIST_STAMPS(DEFINE_SELECT)

void ao_select(enum ao_type type, const void *a, void *scratch, size_t n, size_t k, void *kth, void *next)
{
#define SELECT_CASE(T, stamp, flip)                                                                                    \
    case AO_TYPE_##T:                                                                                                  \
        select_##stamp(a, scratch, n, k, flip, kth, next);                                                             \
        break;
    switch (type) {
        LIST_TYPES(SELECT_CASE)
    default:
        break;
    }
}
