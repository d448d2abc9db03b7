/* Element types of the machine and the lists of them that operations are stamped for.
 *
 * A type's short name is its token everywhere: in ops.def, in kernel names (k_ADD_i32), in the compiler. b1 is a truth
 * value in one byte, 0 or 1. AO_TYPES is the one list; the numbering of enum ao_type follows it.
 */
#ifndef AO_TYPES_H
#define AO_TYPES_H

#include <stdint.h>

typedef uint8_t ao_b1;
typedef int8_t ao_i8;
typedef uint8_t ao_u8;
typedef int16_t ao_i16;
typedef uint16_t ao_u16;
typedef int32_t ao_i32;
typedef uint32_t ao_u32;
typedef int64_t ao_i64;
typedef uint64_t ao_u64;
typedef float ao_f32;
typedef double ao_f64;

#define AO_TYPES(X) X(b1) X(i8) X(u8) X(i16) X(u16) X(i32) X(u32) X(i64) X(u64) X(f32) X(f64)

enum ao_type {
#define AO_ENUM_TYPE(T) AO_TYPE_##T,
    AO_TYPES(AO_ENUM_TYPE)
#undef AO_ENUM_TYPE
    AO_NTYPES,
    AO_TYPE_NONE = 255
};

/* The type of a parameter that is a table of elements of a type: only the operand that ops.def calls `table` reads it. */
enum ao_table_type {
    AO_TABLE_OF = 32,
#define AO_ENUM_TABLE(T) AO_TYPE_table_##T = AO_TABLE_OF + AO_TYPE_##T,
    AO_TYPES(AO_ENUM_TABLE)
#undef AO_ENUM_TABLE
};

/* The lists named in ops.def. X(T, ...) is applied to each member, with what the caller gives besides. */
#define AO_LIST_INTS(X, ...)                                                                                          \
    X(i8, __VA_ARGS__) X(u8, __VA_ARGS__) X(i16, __VA_ARGS__) X(u16, __VA_ARGS__)                                     \
    X(i32, __VA_ARGS__) X(u32, __VA_ARGS__) X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
#define AO_LIST_INTS_BOOL(X, ...) X(b1, __VA_ARGS__) AO_LIST_INTS(X, __VA_ARGS__)
#define AO_LIST_NUMBERS(X, ...) AO_LIST_INTS_BOOL(X, __VA_ARGS__) X(f32, __VA_ARGS__)
#define AO_LIST_ALL(X, ...) AO_LIST_NUMBERS(X, __VA_ARGS__) X(f64, __VA_ARGS__)
#define AO_LIST_ORDERED(X, ...) AO_LIST_INTS(X, __VA_ARGS__) X(f64, __VA_ARGS__)
#define AO_LIST_CHOICE(X, ...) AO_LIST_INTS_BOOL(X, __VA_ARGS__) X(f64, __VA_ARGS__)
#define AO_LIST_LANES(X, ...)                                                                                         \
    X(i16, __VA_ARGS__) X(u16, __VA_ARGS__) X(i32, __VA_ARGS__) X(u32, __VA_ARGS__) AO_LIST_WIDE(X, __VA_ARGS__)
#define AO_LIST_BITS(X, ...) AO_LIST_INTS_BOOL(X, __VA_ARGS__)
#define AO_LIST_SIGNED(X, ...) X(i16, __VA_ARGS__) X(i32, __VA_ARGS__) X(i64, __VA_ARGS__)
#define AO_LIST_WIDE(X, ...) X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
#define AO_LIST_CHECKS(X, ...) X(i32, __VA_ARGS__) AO_LIST_WIDE(X, __VA_ARGS__)
#define AO_LIST_DIVISION(X, ...) X(i32, __VA_ARGS__) X(u32, __VA_ARGS__) AO_LIST_WIDE(X, __VA_ARGS__) X(f64, __VA_ARGS__)
#define AO_LIST_I32(X, ...) X(i32, __VA_ARGS__)
#define AO_LIST_F64(X, ...) X(f64, __VA_ARGS__)
#define AO_LIST_BOOL(X, ...) X(b1, __VA_ARGS__)

/* Ints that go past another int type: with values that it does not have. */
#define AO_LIST_PAST_i8(X, ...) X(u8, __VA_ARGS__) X(i16, __VA_ARGS__) X(u16, __VA_ARGS__)                            \
    X(i32, __VA_ARGS__) X(u32, __VA_ARGS__) X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
#define AO_LIST_PAST_u8(X, ...) X(i8, __VA_ARGS__) X(i16, __VA_ARGS__) X(u16, __VA_ARGS__)                            \
    X(i32, __VA_ARGS__) X(u32, __VA_ARGS__) X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
#define AO_LIST_PAST_i16(X, ...) X(u16, __VA_ARGS__) X(i32, __VA_ARGS__) X(u32, __VA_ARGS__)                          \
    X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
#define AO_LIST_PAST_u16(X, ...) X(i8, __VA_ARGS__) X(i16, __VA_ARGS__) X(i32, __VA_ARGS__)                           \
    X(u32, __VA_ARGS__) X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
#define AO_LIST_PAST_i32(X, ...) X(u32, __VA_ARGS__) X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
#define AO_LIST_PAST_u32(X, ...) X(i8, __VA_ARGS__) X(i16, __VA_ARGS__) X(i32, __VA_ARGS__)                           \
    X(i64, __VA_ARGS__) X(u64, __VA_ARGS__)
#define AO_LIST_PAST_i64(X, ...) X(u64, __VA_ARGS__)
#define AO_LIST_PAST_u64(X, ...) X(i8, __VA_ARGS__) X(i16, __VA_ARGS__) X(i32, __VA_ARGS__) X(i64, __VA_ARGS__)

/* An operand's column of ops.def in the row of T, as a type's short name; NONE where there is no operand. */
#define AO_COLUMN_T(T) T
#define AO_COLUMN_b1(T) b1
#define AO_COLUMN_i8(T) i8
#define AO_COLUMN_u8(T) u8
#define AO_COLUMN_i16(T) i16
#define AO_COLUMN_u16(T) u16
#define AO_COLUMN_i32(T) i32
#define AO_COLUMN_u32(T) u32
#define AO_COLUMN_i64(T) i64
#define AO_COLUMN_u64(T) u64
#define AO_COLUMN_f32(T) f32
#define AO_COLUMN_f64(T) f64
#define AO_COLUMN_table(T) table_##T
#define AO_COLUMN__(T) NONE

#endif
