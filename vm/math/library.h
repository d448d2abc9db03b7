/* Elementary functions that have no kernel of their own yet: the C library's, one by one. */
#define BY_LIBRARY1(stamp, op, f)                                                                                     \
    static inline double core_##f(double x)                                                                           \
    {                                                                                                                 \
        return (double)f##l(x);                                                                                       \
    }                                                                                                                 \
    static inline uint64_t odd_##f(double x)                                                                          \
    {                                                                                                                 \
        (void)x;                                                                                                      \
        return 0;                                                                                                     \
    }                                                                                                                 \
    stamp(op, f)
#define BY_LIBRARY2(stamp, op, f)                                                                                     \
    static inline double core_##f(double x, double y)                                                                 \
    {                                                                                                                 \
        return (double)f##l(x, y);                                                                                    \
    }                                                                                                                 \
    static inline uint64_t odd_##f(double x, double y)                                                                \
    {                                                                                                                 \
        (void)x, (void)y;                                                                                             \
        return 0;                                                                                                     \
    }                                                                                                                 \
    stamp(op, f)

BY_LIBRARY1(ELEMENTARY1, EXP, exp)
BY_LIBRARY1(ELEMENTARY1, EXP2, exp2)
BY_LIBRARY1(ELEMENTARY1, EXPM1, expm1)
BY_LIBRARY1(ELEMENTARY1, SINH, sinh)
BY_LIBRARY1(ELEMENTARY1, COSH, cosh)
BY_LIBRARY1(TOTAL1, TANH, tanh)
BY_LIBRARY1(TOTAL1, ERF, erf)
BY_LIBRARY1(TOTAL1, ERFC, erfc)
BY_LIBRARY1(ELEMENTARY1, LOG, log)
BY_LIBRARY1(ELEMENTARY1, LOG2, log2)
BY_LIBRARY1(ELEMENTARY1, LOG10, log10)
BY_LIBRARY1(ELEMENTARY1, LOG1P, log1p)
BY_LIBRARY2(ELEMENTARY2, POW, pow)
BY_LIBRARY1(TOTAL1, CBRT, cbrt)
BY_LIBRARY2(ELEMENTARY2, HYPOT, hypot)
BY_LIBRARY1(TOTAL1, ASINH, asinh)
BY_LIBRARY1(ELEMENTARY1, ACOSH, acosh)
BY_LIBRARY1(ELEMENTARY1, ATANH, atanh)
BY_LIBRARY1(ELEMENTARY1, SIN, sin)
BY_LIBRARY1(ELEMENTARY1, COS, cos)
BY_LIBRARY1(ELEMENTARY1, TAN, tan)
BY_LIBRARY1(ELEMENTARY1, ASIN, asin)
BY_LIBRARY1(ELEMENTARY1, ACOS, acos)
BY_LIBRARY1(TOTAL1, ATAN, atan)
BY_LIBRARY2(TOTAL2, ATAN2, atan2)
BY_LIBRARY2(ELEMENTARY2, FMOD, fmod)
BY_LIBRARY2(ELEMENTARY2, REMAINDER, remainder)
