/* The fused multiplication of processors that have none, against the C library's: random operands whose product and sum are
 * of like size, cancel, or nearly tie, where a second rounding would show. */
#include "check.h"

#include <math.h>

#include "kernels/math/fused.h"

enum { CASES = 2000000 };

static double random_double(uint64_t *state, int exponent, uint64_t mask)
{
    const double m = of_bits((random_u64(state) & mask & UINT64_C(0x800fffffffffffff)) | UINT64_C(0x3ff0000000000000));
    return ldexp(m, exponent);
}

static void check(double a, double b, double c)
{
    const double is = fused(a, b, c), want = fma(a, b, c);
    CHECK(is == want, "%a * %a + %a: %a, not %a", a, b, c, is, want);
    const dd p = two_product(a, b), s = two_sum(a, c);
    CHECK(p.hi == a * b && p.lo == fma(a, b, -p.hi), "%a * %a: %a %a", a, b, p.hi, p.lo);
    CHECK(s.hi == a + c && (fabs(a) < fabs(c) ? a - (s.hi - c) : c - (s.hi - a)) == s.lo, "%a + %a: %a %a", a, c, s.hi, s.lo);
}

static void test_random_operands(void)
{
    uint64_t state = 17;
    for (int i = 0; i < CASES; i++) {
        /* few bits, or all: products and sums that are exact, or ties */
        const uint64_t mask = ~UINT64_C(0) << random_u64(&state) % 52;
        const int exponent = (int)(random_u64(&state) % 200) - 100, less = (int)(random_u64(&state) % 130) - 65;
        const double a = random_double(&state, exponent, mask), b = random_double(&state, -exponent / 2, mask);
        check(a, b, random_double(&state, exponent - exponent / 2 + less, mask));
        check(a, b, -a * b);
        check(a, b, of_bits(bits_of(-a * b) + random_u64(&state) % 3 - 1));
        check(a, b, 0.0);
    }
}

/* a*b is a little less, or more, than half of c's last bit: what is lost in the rounding of their sum decides. */
static void test_near_ties(void)
{
    uint64_t state = 18;
    for (int i = 0; i < CASES / 10; i++) {
        const int exponent = (int)(random_u64(&state) % 100) - 50, sign = random_u64(&state) % 2 ? 1 : -1;
        const double little = sign * ldexp(1.0, -28 - (int)(random_u64(&state) % 20));
        const double bits = (double)(random_u64(&state) >> 12 | UINT64_C(1) << 52), c = ldexp(bits, exponent + 1);
        check(1.0 + little, ldexp(1.0 - little, exponent), c);
        check(1.0 + little, ldexp(1.0 - little, exponent), -c);
        check(1.0 + little, ldexp(1.0 + little, exponent), c);
        check(1.0 + little, ldexp(1.0 + little, exponent), -c);
    }
}

int main(void)
{
    test_random_operands();
    test_near_ties();
    return check_result("test_fused");
}
