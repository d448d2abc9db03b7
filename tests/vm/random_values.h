/* Random operands, special ones among them, for tests of native code; and memory that ends where an array ends.
 *
 * Before it is included, ARRAYS says how many arrays there are, and ROOM how many bytes each has.
 */
#ifndef AO_RANDOM_VALUES_H
#define AO_RANDOM_VALUES_H

#include <sys/mman.h>
#include <unistd.h>

enum { SPECIALS = 24 };

static uint64_t state;
static unsigned char *ends[ARRAYS]; /* each the first byte that cannot be touched; ROOM bytes before it can */

static void make_room(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (unsigned k = 0; k < ARRAYS; k++) {
        unsigned char *pages = mmap(NULL, page + ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED || mprotect(pages + ROOM, page, PROT_NONE) != 0)
            abort();
        ends[k] = pages + ROOM;
    }
}

/* ---- operands ---- */

static double special_double(unsigned k)
{
    static const double values[SPECIALS] = {
        0.0, 1.0, 1.5, 0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp1023, INFINITY, 0x1p52, 0x1.fffffffffffffp51, 0x1p53, 0x1p62, 0x1p63,
        0x1.fffffffffffffp62, 0x1p64, 2.5, 0.5, 0x1p31, 0x1p32, 1e300, 0.1, 0x1p512, 0.49999999999999994, 4503599627370497.5, 3.0,
    };
    return values[k % SPECIALS];
}

/* Nans of every payload, quiet and signalling, among them. */
static void put_double(void *to, uint64_t bits)
{
    double x = special_double((unsigned)(bits >> 8));
    uint64_t u = bits & 7 ? random_u64(&state) : UINT64_C(0x7FF0000000000001) | random_u64(&state) >> (bits >> 56 & 15);
    if ((bits & 7) < 3 && (bits & 7))
        u = u >> 12 | (u & UINT64_C(0x800)) << 52 | UINT64_C(0x3FF0000000000000);
    memcpy(to, &u, sizeof u);
    if (bits & 16)
        memcpy(to, &x, sizeof x);
    if (bits & 32)
        ((unsigned char *)to)[7] ^= 0x80;
}

static void put_random(void *to, unsigned type)
{
    static const int64_t specials[] = {0, 1, -1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 65, 127, 128, 255, 256, 32767, 32768, INT32_MAX,
                                       INT32_MIN, INT64_MAX, INT64_MIN, UINT32_MAX, INT64_C(3037000500), INT64_C(1) << 53, 46341, 65536};
    const uint64_t bits = random_u64(&state);
    double x;
    if (type == AO_TYPE_f64) {
        put_double(to, bits);
    } else if (type == AO_TYPE_f32) {
        put_double(&x, bits);
        const float f = (float)x;
        memcpy(to, &f, sizeof f);
    } else if (type == AO_TYPE_b1) {
        *(unsigned char *)to = bits & 1;
    } else {
        int64_t v = (int64_t)random_u64(&state) >> (bits & 63);
        if (bits & 64)
            v = specials[(bits >> 8) % (sizeof specials / sizeof *specials)];
        put_integer(to, type, bits & 128 ? -(v & INT64_MAX) : v);
    }
}

static uint64_t bits_at(const unsigned char *at, unsigned type)
{
    uint64_t bits = 0;
    memcpy(&bits, at, ao_type_sizes[type]);
    return bits;
}

static int is_nan_at(const unsigned char *at, unsigned type)
{
    const uint64_t bits = bits_at(at, type);
    return type == AO_TYPE_f64 ? bits << 1 > UINT64_C(0x7FF) << 53 : type == AO_TYPE_f32 ? (bits & 0x7FFFFFFF) > 0x7F800000 : 0;
}

/* A register of the type, or AO_NO_REG. */
static unsigned find_register(const uint8_t *types, unsigned regs, unsigned type)
{
    const unsigned start = (unsigned)(random_u64(&state) % regs);
    for (unsigned k = 0; k < regs; k++)
        if (types[(start + k) % regs] == type)
            return (start + k) % regs;
    return AO_NO_REG;
}

#endif
