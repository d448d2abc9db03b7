/* Elementary functions that have no core: every argument is odd, and the C library's. */
#define ALL_ODD1(stamp, op, f, library)                                                                               \
    static inline double core_##f(double x)                                                                           \
    {                                                                                                                 \
        return x;                                                                                                     \
    }                                                                                                                 \
    static inline uint64_t odd_##f(double x)                                                                          \
    {                                                                                                                 \
        (void)x;                                                                                                      \
        return 1;                                                                                                     \
    }                                                                                                                 \
    stamp(op, f, library)
#define ALL_ODD2(stamp, op, f, library)                                                                               \
    static inline double core_##f(double x, double y)                                                                 \
    {                                                                                                                 \
        return x + y;                                                                                                 \
    }                                                                                                                 \
    static inline uint64_t odd_##f(double x, double y)                                                                \
    {                                                                                                                 \
        (void)x, (void)y;                                                                                             \
        return 1;                                                                                                     \
    }                                                                                                                 \
    stamp(op, f, library)

ALL_ODD1(TOTAL1, ERF, erf, erfl)
ALL_ODD1(TOTAL1, ERFC, erfc, erfcl)
ALL_ODD2(ELEMENTARY2, FMOD, fmod, fmod)
ALL_ODD2(ELEMENTARY2, REMAINDER, remainder, remainder)
