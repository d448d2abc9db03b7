/* Loops over the elements, and the forms that kernels are made in: what kernels.c stamps its operations with.
 *
 * An operation says how an element is computed; a form makes the kernel of that, with and without marks, for operands of which
 * any may be uniform.
 */
#ifndef AO_FORMS_H
#define AO_FORMS_H

#include "level.h"

#include <string.h>

#define KERNEL_ARGS                                                                                                   \
    size_t n, void *d_, const void *a_, const void *b_, const void *c_, unsigned uniform, uint8_t *mark

/* The kernel of a level: others have it in their tables. */
#define KERNEL_OF(T, name, level) AO_PASTE(k_##name##_##T, level)

/* p_T: a T in a register slot; an operand that an operation does not have is a p_NONE, which cannot be read. w_T: the
 * type in which T is added and multiplied. s_T: unsigned, of T's own width. */
#define SLOT_TYPE(T)                                                                                                  \
    typedef ao_##T AO_MAY_ALIAS p_##T;                                                                                \
    enum { SIZE_##T = sizeof(ao_##T) };
AO_TYPES(SLOT_TYPE)
typedef struct no_operand p_NONE;
enum { SIZE_NONE = 0 };
#define SLOT_TABLE(T) typedef const ao_table *p_table_##T AO_MAY_ALIAS;
AO_TYPES(SLOT_TABLE)
/* The type that stands for T where only bits are moved: of each size there is one. Of 8 bytes the double, as plain x86-64 chooses
 * among doubles in two thirds of the time. */
#define OF_SIZE_b1 i8
#define OF_SIZE_i8 i8
#define OF_SIZE_u8 i8
#define OF_SIZE_i16 i16
#define OF_SIZE_u16 i16
#define OF_SIZE_i32 i32
#define OF_SIZE_u32 i32
#define OF_SIZE_i64 f64
#define OF_SIZE_u64 f64
#define OF_SIZE_f32 i32
#define OF_SIZE_f64 f64
/* The one of both signs. */
#define OF_BOTH_b1 b1
#define OF_BOTH_i8 i8
#define OF_BOTH_u8 i8
#define OF_BOTH_i16 i16
#define OF_BOTH_u16 i16
#define OF_BOTH_i32 i32
#define OF_BOTH_u32 i32
#define OF_BOTH_i64 i64
#define OF_BOTH_u64 i64
#define OF_BOTH_f64 f64
#define LIST_SIZES(X) X(i8) X(i16) X(i32) X(f64)

typedef uint32_t w_i8, w_u8, w_i16, w_u16, w_i32, w_u32;
typedef uint64_t w_i64, w_u64;
typedef double w_f64;
typedef uint8_t s_i8, s_u8;
typedef uint16_t s_i16, s_u16;
typedef uint32_t s_i32, s_u32;
typedef uint64_t s_i64, s_u64, s_f64;

/* Ends of the integer types, as values of any width. */
#define MIN_i8 INT8_MIN
#define MAX_i8 INT8_MAX
#define MIN_u8 0
#define MAX_u8 UINT8_MAX
#define MIN_i16 INT16_MIN
#define MAX_i16 INT16_MAX
#define MIN_u16 0
#define MAX_u16 UINT16_MAX
#define MIN_i32 INT32_MIN
#define MAX_i32 INT32_MAX
#define MIN_u32 0
#define MAX_u32 UINT32_MAX
#define MIN_i64 INT64_MIN
#define MAX_i64 INT64_MAX
#define MIN_u64 0
#define MAX_u64 UINT64_MAX
#define WIDTH(T) (8 * (unsigned)sizeof(ao_##T))

/* ---- loops ---- */

#define LOOP AO_INDEPENDENT for (size_t i = 0; i < n; i++)

/* Runs the statements for each element with x (and y) bound, one loop for each case of uniform operands; in EACH_X no x is. In a
 * loop of EACH2 the constant ONE_Y says whether y is uniform. */
#define EACH1(A, ...)                                                                                                 \
    LOOP {                                                                                                            \
        const ao_##A x = a[i];                                                                                        \
        __VA_ARGS__                                                                                                   \
    }
#define EACH2(A, B, ...)                                                                                              \
    if (uniform & 1) {                                                                                                \
        enum { ONE_Y = 0 };                                                                                           \
        const ao_##A x = *a;                                                                                          \
        LOOP {                                                                                                        \
            const ao_##B y = b[i];                                                                                    \
            __VA_ARGS__                                                                                               \
        }                                                                                                             \
    } else                                                                                                            \
        EACH_X(A, B, __VA_ARGS__)
#define EACH_X(A, B, ...)                                                                                             \
    if (uniform & 2) {                                                                                                \
        enum { ONE_Y = 1 };                                                                                           \
        const ao_##B y = *b;                                                                                          \
        LOOP {                                                                                                        \
            const ao_##A x = a[i];                                                                                    \
            __VA_ARGS__                                                                                               \
        }                                                                                                             \
    } else {                                                                                                          \
        enum { ONE_Y = 0 };                                                                                           \
        LOOP {                                                                                                        \
            const ao_##A x = a[i];                                                                                    \
            const ao_##B y = b[i];                                                                                    \
            __VA_ARGS__                                                                                               \
        }                                                                                                             \
    }

/* The same where x and y may change places, in a loop less. */
#define EACH_IN_ANY_ORDER(A, B, C, ...)                                                                               \
    if (uniform) {                                                                                                    \
        const ao_##A y = uniform & 1 ? *a : *b;                                                                       \
        const p_##A *const others = uniform & 1 ? b : a;                                                              \
        LOOP {                                                                                                        \
            const ao_##A x = others[i];                                                                               \
            __VA_ARGS__                                                                                               \
        }                                                                                                             \
    } else {                                                                                                          \
        LOOP {                                                                                                        \
            const ao_##A x = a[i], y = b[i];                                                                          \
            __VA_ARGS__                                                                                               \
        }                                                                                                             \
    }

#define EACH3(A, B, C, ...)                                                                                           \
    if (uniform & 4) {                                                                                                \
        const ao_##C z = *c;                                                                                          \
        EACH2(A, B, __VA_ARGS__)                                                                                      \
    } else if ((uniform & 3) == 3) {                                                                                  \
        const ao_##A x = *a;                                                                                          \
        const ao_##B y = *b;                                                                                          \
        LOOP {                                                                                                        \
            const ao_##C z = c[i];                                                                                    \
            __VA_ARGS__                                                                                               \
        }                                                                                                             \
    } else {                                                                                                          \
        EACH2(A, B, const ao_##C z = c[i]; __VA_ARGS__)                                                               \
    }

/* Which of them, by the columns a, b, c of ops.def. */
#define EACH_T__(A, B, C, ...) EACH1(A, __VA_ARGS__)
#define EACH_TT_(A, B, C, ...) EACH2(A, B, __VA_ARGS__)
#define EACH_Tf64_(A, B, C, ...) EACH2(A, B, __VA_ARGS__)
#define EACH_Ti64_(A, B, C, ...) EACH2(A, B, __VA_ARGS__)
#define EACH_TTT(A, B, C, ...) EACH3(A, B, C, __VA_ARGS__)

/* ---- forms ---- */

/* #define DO_<name>(T) FORM, what the form asks for. The element's operands are x, y and z.
 *
 *   VALUE, expression
 *       d = expression
 *   EITHER_SIGN, expression
 *       The same, of which ints of one size have the same bits with a sign and without.
 *   EITHER_ORDER, expression
 *       Such a one whose ints x and y may change places.
 *   BY_SIZE, FORM, ...
 *       Where only bits are moved: all types of one size have one kernel.
 *   SAME_AS, name, T
 *       The kernel of another operation, which is of T.
 *   CHECKED, TEST, steps
 *       For operations that may mark. The steps compute two variables: r, the element's result, and bad, which is set
 *       if the element is to be marked. TEST(bad) says whether it is set: ANY_BIT if any nonzero value counts, TOP_BIT
 *       if only the sign bit does. The fast pass ORs the bads of all elements, in T's width, and tests once, so TEST of
 *       an OR must be the OR of the TESTs.
 *   CHUNKED, WHOLE, EXACT, REDO, steps
 *       For a fast way that holds for most operands and an exact one for all. WHOLE(n, d, a, b, uniform) does all elements
 *       at once, none of which is to be marked, or says 0. The fast way writes a chunk of elements
 *       aside, so that the exact one still finds the operands if the fast one turns out not to hold for some of them.
 *       The steps compute r; bad, 0 or 1; and used_x and used_y, which are ORed over the chunk. REDO of these ORs is
 *       nonzero if the chunk must be done the exact way. T EXACT(T x, T y, uint64_t *bad) sets *bad to 1 where it marks
 *       and else leaves it alone.
 *   CALL, expression
 *       Of a function that does all elements, from a, b, c to d, and returns what a kernel returns.
 */
#define MARKS__ 0
#define MARKS_F 1
#define MARKS_L 1
#define MARKS_U 0
#define MARKS_R 0

/* The beginning of each kernel. */
#define TYPED(D, A, B, C)                                                                                             \
    p_##D *const d = d_;                                                                                              \
    const p_##A *const a = a_;                                                                                        \
    const p_##B *const b = b_;                                                                                        \
    const p_##C *const c = c_;                                                                                        \
    (void)a, (void)b, (void)c, (void)uniform, (void)mark;

#define VALUE(T, name, D, A, B, C, EACH, MARKS, ...)                                                                  \
    unsigned KERNEL_OF(T, name, AO_ISA)(KERNEL_ARGS)                                                                  \
    {                                                                                                                 \
        _Static_assert(!MARKS, #name " may mark, but has no steps that say when");                                    \
        TYPED(D, A, B, C)                                                                                             \
        EACH(A, B, C, d[i] = (p_##D)(__VA_ARGS__);)                                                                   \
        return 0;                                                                                                     \
    }

#define ANY_BIT(v) ((v) != 0)
#define TOP_BIT(v) ((v) >> (8 * sizeof(v) - 1) != 0)

enum { CHUNK = 128 };

/* The pass with marks goes by chunks. The sweep of an operation, one loop for operands of which none is uniform, or no x, writes
 * the results and aside, in T's width, the bads; a second one, the same for all types of a size, makes marks of them.
 * Marks that are written in the loop itself, as bytes beside wider numbers, make it many times as long. A sweep says whether
 * any is bad. */
typedef union {
    uint8_t of_8[CHUNK];
    uint16_t of_16[CHUNK];
    uint32_t of_32[CHUNK];
    uint64_t of_64[CHUNK];
} bads_aside;
typedef struct {
    unsigned (*sweep)(size_t n, void *d, const void *a, const void *b, unsigned uniform, void *bads);
    void (*mark)(size_t n, uint8_t *mark, const void *bads);
    uint8_t d, a, b; /* bytes of their elements */
    uint8_t uniform; /* operands of which it takes a uniform as well, as in a kernel's `uniform` */
} marking;

#define MARK_BY(T, TEST)                                                                                              \
    static AO_NOT_EVERYWHERE void mark_##TEST##_##T(size_t n, uint8_t *mark, const void *bads_)                       \
    {                                                                                                                 \
        const s_##T *const bads = bads_;                                                                              \
        LOOP mark[i] = TEST(bads[i]);                                                                                 \
    }
#define MARK_BY_ANY_BIT(T) MARK_BY(T, ANY_BIT)
LIST_SIZES(MARK_BY_ANY_BIT)
MARK_BY(i32, TOP_BIT)
MARK_BY(f64, TOP_BIT)

#define SWEPT(T, D, A, B)                                                                                             \
    p_##D *const d = d_;                                                                                              \
    const p_##A *const a = a_;                                                                                        \
    const p_##B *const b = b_;                                                                                        \
    s_##T *const bads = bads_;                                                                                        \
    (void)b, (void)uniform;
#define MARKING(T, name, D, A, B, C, MARKS, TEST, uniform)                                                            \
    MARKING2(T, name, D, A, B, C, MARKS, mark_##TEST, OF_SIZE_##T, uniform)
#define MARKING2(T, name, D, A, B, C, MARKS, MARK, SIZE, uniform)                                                     \
    _Static_assert(MARKS, #name " marks, but its row in ops.def says that it does not");                              \
    _Static_assert(SIZE_##C == 0, "operations that mark have two operands at most");                                  \
    static const marking marking_##name##_##T =                                                                       \
        {sweep_##name##_##T, AO_PASTE(MARK, SIZE), SIZE_##D, SIZE_##A, SIZE_##B, uniform};

/* The elements of a chunk; of a uniform operand, as many of them. The first chunk is the longest. */
static const char *chunk_of(const char *a, size_t size, size_t at, size_t m, unsigned uniform, uint64_t *spread)
{
    if (!uniform)
        return a + at * size;
    if (at == 0 && size == sizeof *spread) {
        uint64_t element;
        memcpy(&element, a, size);
        for (size_t i = 0; i < m; i++)
            spread[i] = element;
    } else if (at == 0) {
        char *const bytes = (char *)spread;
        memcpy(bytes, a, size);
        for (size_t have = 1; have < m; have *= 2)
            memcpy(bytes + have * size, bytes, (have < m - have ? have : m - have) * size);
    }
    return (const char *)spread;
}

/* Without marks where there are none to write. */
static unsigned by_chunks(const marking *how, size_t n, void *d, const void *a, const void *b, unsigned uniform, uint8_t *mark)
{
    bads_aside bads;
    uint64_t spread_a[CHUNK], spread_b[CHUNK];
    unsigned faults = 0;
    for (size_t at = 0; at < n; at += CHUNK) {
        const size_t m = n - at < CHUNK ? n - at : CHUNK;
        const char *x = chunk_of(a, how->a, at, m, uniform & 1, spread_a);
        const char *y = uniform & how->uniform ? b : chunk_of(b, how->b, at, m, uniform & 2, spread_b);
        faults |= how->sweep(m, (char *)d + at * how->d, x, y, uniform, &bads);
        if (mark)
            how->mark(m, mark + at, &bads);
    }
    return faults;
}

/* Of both signs at once: an unsigned type has the kernel of the signed one of its size (IN_TABLE). */
#define EITHER_SIGN(T, ...) EITHER_SIGN_##T(T, __VA_ARGS__)
#define EITHER_SIGN_b1(...) VALUE(__VA_ARGS__)
#define EITHER_SIGN_i8(...) VALUE(__VA_ARGS__)
#define EITHER_SIGN_u8(...)
#define EITHER_SIGN_i16(...) VALUE(__VA_ARGS__)
#define EITHER_SIGN_u16(...)
#define EITHER_SIGN_i32(...) VALUE(__VA_ARGS__)
#define EITHER_SIGN_u32(...)
#define EITHER_SIGN_i64(...) VALUE(__VA_ARGS__)
#define EITHER_SIGN_u64(...)
#define EITHER_SIGN_f64(...) VALUE(__VA_ARGS__)

#define EITHER_ORDER(T, ...) EITHER_ORDER_##T(T, __VA_ARGS__)
#define EITHER_ORDER_b1(...) IN_ANY_ORDER(__VA_ARGS__)
#define EITHER_ORDER_i8(...) IN_ANY_ORDER(__VA_ARGS__)
#define EITHER_ORDER_u8(...)
#define EITHER_ORDER_i16(...) IN_ANY_ORDER(__VA_ARGS__)
#define EITHER_ORDER_u16(...)
#define EITHER_ORDER_i32(...) IN_ANY_ORDER(__VA_ARGS__)
#define EITHER_ORDER_u32(...)
#define EITHER_ORDER_i64(...) IN_ANY_ORDER(__VA_ARGS__)
#define EITHER_ORDER_u64(...)
#define EITHER_ORDER_f64(...) VALUE(__VA_ARGS__)
#define IN_ANY_ORDER(T, name, D, A, B, C, EACH, MARKS, ...) VALUE(T, name, D, A, B, C, EACH_IN_ANY_ORDER, MARKS, __VA_ARGS__)

#define BY_SIZE(T, ...) BY_SIZE_##T(T, __VA_ARGS__)
#define BY_SIZE_b1(...)
#define BY_SIZE_i8(...) OF_FORM(__VA_ARGS__)
#define BY_SIZE_u8(...)
#define BY_SIZE_i16(...) OF_FORM(__VA_ARGS__)
#define BY_SIZE_u16(...)
#define BY_SIZE_i32(...) OF_FORM(__VA_ARGS__)
#define BY_SIZE_u32(...)
#define BY_SIZE_i64(...)
#define BY_SIZE_u64(...)
#define BY_SIZE_f32(...)
#define BY_SIZE_f64(...) OF_FORM(__VA_ARGS__)
#define OF_FORM(T, name, D, A, B, C, EACH, MARKS, FORM, ...) FORM(T, name, D, A, B, C, EACH, MARKS, __VA_ARGS__)

#define SAME_AS(...)

#define CHECKED(T, name, D, A, B, C, EACH, MARKS, TEST, ...)                                                          \
    static unsigned sweep_##name##_##T(size_t n, void *d_, const void *a_, const void *b_, unsigned uniform, void *bads_) \
    {                                                                                                                 \
        s_##T faults = 0;                                                                                             \
        SWEPT(T, D, A, B)                                                                                             \
        uniform = 0;                                                                                                  \
        EACH(A, B, C, __VA_ARGS__ bads[i] = (s_##T)bad; faults |= (s_##T)bad; d[i] = (p_##D)r;)                       \
        return TEST(faults);                                                                                          \
    }                                                                                                                 \
    MARKING(T, name, D, A, B, C, MARKS, TEST, 0)                                                                      \
    unsigned KERNEL_OF(T, name, AO_ISA)(KERNEL_ARGS)                                                                  \
    {                                                                                                                 \
        TYPED(D, A, B, C)                                                                                             \
        s_##T faults = 0;                                                                                             \
        if (mark)                                                                                                     \
            return by_chunks(&marking_##name##_##T, n, d, a, b, uniform, mark);                                       \
        EACH(A, B, C, __VA_ARGS__ faults |= bad; d[i] = (p_##D)r;)                                                    \
        return TEST(faults);                                                                                          \
    }

#define CHUNKED(T, name, D, A, B, C, EACH, MARKS, WHOLE, EXACT, REDO, ...)                                            \
    static unsigned sweep_##name##_##T(size_t n, void *d_, const void *a_, const void *b_, unsigned uniform, void *bads_) \
    {                                                                                                                 \
        SWEPT(T, D, A, B)                                                                                             \
        ao_##D aside[CHUNK];                                                                                          \
        uint64_t any_x = 0, any_y = 0, faults = 0;                                                                    \
        EACH_X(A, B, __VA_ARGS__ any_x |= used_x; any_y |= used_y; faults |= bads[i] = bad; aside[i] = (ao_##D)r;)    \
        if (!(REDO(any_x, any_y))) {                                                                                  \
            memcpy(d, aside, n * sizeof *d);                                                                          \
            return faults != 0;                                                                                       \
        }                                                                                                             \
        faults = 0;                                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                                              \
            uint64_t bad = 0;                                                                                         \
            d[i] = EXACT(a[i], b[uniform & 2 ? 0 : i], &bad);                                                         \
            faults |= bads[i] = bad;                                                                                  \
        }                                                                                                             \
        return faults != 0;                                                                                           \
    }                                                                                                                 \
    MARKING(T, name, D, A, B, C, MARKS, ANY_BIT, 2)                                                                   \
    unsigned KERNEL_OF(T, name, AO_ISA)(KERNEL_ARGS)                                                                  \
    {                                                                                                                 \
        TYPED(D, A, B, C)                                                                                             \
        if (WHOLE(n, d, a, b, uniform)) {                                                                             \
            if (mark)                                                                                                 \
                memset(mark, 0, n);                                                                                   \
            return 0;                                                                                                 \
        }                                                                                                             \
        return by_chunks(&marking_##name##_##T, n, d, a, b, uniform, mark);                                           \
    }

#define CALL(T, name, D, A, B, C, EACH, MARKS, ...)                                                                   \
    unsigned KERNEL_OF(T, name, AO_ISA)(KERNEL_ARGS)                                                                  \
    {                                                                                                                 \
        TYPED(D, A, B, C)                                                                                             \
        return __VA_ARGS__;                                                                                           \
    }

#endif
