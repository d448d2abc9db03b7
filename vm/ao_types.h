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

/* The lists named in ops.def. X(T, op) is applied to each member. */
#define AO_LIST_INTS(X, op) X(i8, op) X(u8, op) X(i16, op) X(u16, op) X(i32, op) X(u32, op) X(i64, op) X(u64, op)
#define AO_LIST_INTS_BOOL(X, op) X(b1, op) AO_LIST_INTS(X, op)
#define AO_LIST_NUMBERS(X, op) AO_LIST_INTS_BOOL(X, op) X(f32, op)
#define AO_LIST_ALL(X, op) AO_LIST_NUMBERS(X, op) X(f64, op)
#define AO_LIST_ORDERED(X, op) AO_LIST_INTS(X, op) X(f64, op)
#define AO_LIST_CHOICE(X, op) AO_LIST_INTS_BOOL(X, op) X(f64, op)
#define AO_LIST_LANES(X, op) X(i16, op) X(i32, op) X(u32, op) X(i64, op) X(u64, op)
#define AO_LIST_ARITH(X, op) AO_LIST_LANES(X, op) X(f64, op)
#define AO_LIST_BITS(X, op) X(b1, op) AO_LIST_LANES(X, op)
#define AO_LIST_SIGNED(X, op) X(i16, op) X(i32, op) X(i64, op)
#define AO_LIST_WIDE(X, op) X(i64, op) X(u64, op)
#define AO_LIST_I32(X, op) X(i32, op)
#define AO_LIST_F64_DIV(X, op) X(i32, op) X(u32, op) X(i64, op) X(u64, op) X(f64, op)
#define AO_LIST_F64(X, op) X(f64, op)
#define AO_LIST_BOOL(X, op) X(b1, op)

#endif
