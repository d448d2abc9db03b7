/* Expressions of one element whose ints may have more than 64 bits, as Python computes them.
 *
 * What the machine marks because an int left its lane is computed here, and only what does not fit here either, or what
 * Python raises for, is left to Python. An expression is a list of steps, each of which may use the values of those before
 * it. What always holds: a value that is given is Python's value, ints exact, doubles rounded as Python's. Nothing is
 * allocated, and steps that ao_big_check has passed read and write nothing but their values.
 */
#ifndef AO_BIGNUM_H
#define AO_BIGNUM_H

#include "../vm.h"

enum { AO_BIG_LIMBS = 8, AO_BIG_STEPS = 32, AO_BIG_PARAMS = 8 };

/* An int as its magnitude, the lowest limb first and none of the highest ones 0, or a double. */
typedef struct {
    uint8_t is_real;
    uint8_t negative; /* never of 0 */
    uint8_t limbs;
    double real;
    uint64_t limb[AO_BIG_LIMBS];
} ao_big;

/* Operations: the name and whether there is a second operand. The operands of PARAM and INT are no steps. */
#define AO_BIG_OPS(X)                                                                                                 \
    X(PARAM, 0) X(INT, 0) X(REAL, 0) X(ADD, 1) X(SUB, 1) X(MUL, 1) X(DIV, 1) X(FLOORDIV, 1) X(MOD, 1) X(SHL, 1)        \
    X(POW, 1) X(NEG, 0) X(ABS, 0) X(FLOAT, 0) X(SQRT, 0) X(LCM, 1) X(COMB, 1) X(PERM, 1) X(FACTORIAL, 0)

enum ao_big_op {
#define AO_BIG_ENUM(name, two) AO_BIG_##name,
    AO_BIG_OPS(AO_BIG_ENUM)
#undef AO_BIG_ENUM
    AO_BIG_OPERATIONS
};

/* One step. a and b are the steps whose values are its operands; a is the parameter of PARAM, the number of INT, the bits
 * of the double of REAL. */
typedef struct {
    int64_t op, a, b;
} ao_big_step;

/* Whether these are so many steps that can be run for so many parameters. */
int ao_big_check(const ao_big_step *steps, size_t count, size_t params);
/* The value of the last step, in values[count - 1]. 0 if it is not known: an int is too large, or Python raises. */
int ao_big_run(const ao_big_step *steps, size_t count, const ao_big *params, ao_big *values);

void ao_big_load(ao_big *to, enum ao_type type, const void *element);
/* Stores the value as an element. 0 if that type does not hold it. */
int ao_big_store(const ao_big *from, enum ao_type type, void *element);

#endif
