/* round(x, n) of a double, for n from -22 to 22: bit for bit what CPython gives by way of decimal digits.
 *
 * CPython rounds the exact value of x to k / 10^n with a whole k, ties to even, and takes the nearest double. Powers of
 * ten up to 10^22 are doubles, so one division (or multiplication) of a whole double k does the last step, if k is below
 * 2^53. If it is not, half a unit of the n-th digit is less than half a ULP of x, and x is its own nearest.
 */
#ifndef AO_ROUNDING_H
#define AO_ROUNDING_H

enum { MOST_DIGITS = 22 };
static const double powers_of_ten[MOST_DIGITS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* n >= 0, p = 10^n. x*p is t.hi + t.lo exactly. t.hi decides which whole number is nearest unless it is half-way between
 * two; then t.lo does, and where that is 0 it is a tie, which round_even() has settled. From 2^52 on t.hi is whole, and the
 * nearest to x*p by its own rounding, which is to even, too. */
static INLINE double round_fraction(double x, double p)
{
    const dd t = two_product(x, p);
    const double r = round_even(t.hi), left = t.hi - r;
    const double k = (fabs(left) == 0.5) & (left * t.lo > 0) ? r + copysign(1.0, left) : r;
    return fabs(t.hi) < 0x1p53 ? k / p : x;
}

/* n < 0, p = 10^-n. x - r*p is a double, as both are multiples of half a ULP of p and it is no greater than p. */
static INLINE double round_tens(double x, double p)
{
    const double q = x / p, r = round_even(q), left = rest(x, r, p), half = 0.5 * p;
    const int odd = round_even(0.5 * r) != 0.5 * r;
    const double k = (fabs(left) > half) | ((fabs(left) == half) & odd) ? r + copysign(1.0, left) : r;
    return fabs(q) < 0x1p53 ? k * p : x;
}

/* The kernel; digits outside -22..22 are marked, if there is something to mark, and x is returned. */
static AO_NOT_EVERYWHERE unsigned round_digits(size_t n, p_f64 *d, const p_f64 *a, const p_i64 *b, unsigned uniform,
                                               uint8_t *mark)
{
    if (uniform & 2) {
        const int64_t digits = *b;
        const unsigned bad = digits < -MOST_DIGITS || digits > MOST_DIGITS;
        const double p = powers_of_ten[bad ? 0 : digits < 0 ? -digits : digits];
        if (bad) {
            LOOP d[i] = a[i];
        } else if (digits < 0) {
            LOOP d[i] = round_tens(a[i], p);
        } else {
            LOOP d[i] = round_fraction(a[i], p);
        }
        if (mark)
            memset(mark, (int)bad, n);
        return bad && n;
    }
    unsigned faults = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = a[uniform & 1 ? 0 : i];
        const int64_t digits = b[i];
        const unsigned bad = digits < -MOST_DIGITS || digits > MOST_DIGITS;
        const double p = powers_of_ten[bad ? 0 : digits < 0 ? -digits : digits];
        d[i] = bad ? x : digits < 0 ? round_tens(x, p) : round_fraction(x, p);
        if (mark)
            mark[i] = (uint8_t)bad;
        faults |= bad;
    }
    return faults;
}

/* x * 2^n in one rounding, by three powers of two that are doubles. No finite double needs more than 2098 of either sign to
 * get to zero or infinity. A power of -969 leaves at most -54 to the next, so that what it has rounded, a number below the
 * normal ones, becomes 0 whichever way that went. */
static INLINE int64_t power_beyond(int64_t n)
{
    return n < -1022 ? -969 : n > 1023 ? 1023 : 0;
}
static INLINE double times_power(double x, int64_t n)
{
    const int64_t all = n < -2200 ? -2200 : n > 2200 ? 2200 : n, a = power_beyond(all), b = power_beyond(all - a);
    const uint64_t bias = 1023;
    return x * power_of_two((uint64_t)a + bias) * power_of_two((uint64_t)b + bias)
           * power_of_two((uint64_t)(all - a - b) + bias);
}

/* Distance to the next double away from zero; of the greatest, to the one before. */
static INLINE double ulp(double x)
{
    const uint64_t u = bits_of(fabs(x)), last = bits_of(INFINITY) - 1;
    const double away = of_bits(u + 1) - of_bits(u), back = of_bits(u) - of_bits(u - 1);
    return fabs(x) < INFINITY ? u == last ? back : away : x == x ? fabs(x) : x;
}

/* The double after x towards y. Up is away from zero for positive numbers. */
static INLINE double next_after(double x, double y)
{
    const uint64_t u = bits_of(x), step = (x < y) == (x > 0) ? u + 1 : u - 1;
    const double next = x == 0 ? copysign(0x1p-1074, y) : of_bits(step);
    return x != x || y != y ? x + y : x == y ? y : next;
}

#endif
