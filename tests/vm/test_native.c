/* Native code against the kernels that it stands for: the same bits, and a fault where they report one.
 *
 * Every operation that an encoder knows, each operand a vector or one value, at every level: on pairs of special values
 * and on random ones, in runs of 0 to 70 elements whose arrays end where memory ends and are followed by nothing. Then
 * programs of many instructions, values and arrays, so that registers run out and segments are cut; and what becomes of
 * it all: that it is freed, made once, and missing where there is no memory.
 *
 *   test_native [operands [seed]]      of each case; 20000 by default
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#include "build_program.h"
#include "program.h"

#include <math.h>

#if defined __unix__ || defined __APPLE__
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 70, ARRAYS = 5, ROOM = 4096, SPECIALS = 24 };

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
                                       INT32_MIN, INT64_MAX, INT64_MIN, UINT32_MAX, INT64_C(3037000500), INT64_C(1) << 53};
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

/* ---- one operation ---- */

typedef struct {
    unsigned op, uniform;
    const ao_isa *isa;
    const ao_op_info *info;
    ao_program *program;
    const ao_segment *segment;
    unsigned types[3], inputs, uniforms;
    ao_value values[16]; /* of uniforms, as the frame has them */
} operation;

enum { DEGREE = 5 };

/* op of the operands to a temporary, and that to OUT. */
static ao_program *build_operation(operation *o)
{
    static builder b;
    unsigned operands[3] = {AO_NO_REG, AO_NO_REG, AO_NO_REG};
    build_start(&b, o->info->dst);
    for (unsigned k = 0; k < 3; k++) {
        o->types[k] = k == 0 ? o->info->a : k == 1 ? o->info->b : o->info->c;
        if (o->types[k] != AO_TYPE_NONE && !(o->uniform >> k & 1) && !(o->info->run && k))
            operands[k] = build_input(&b, o->types[k]);
    }
    o->inputs = b.header.inputs;
    for (unsigned k = 0; k < 3; k++)
        if (o->types[k] != AO_TYPE_NONE && o->uniform >> k & 1 && !(o->info->run && k))
            operands[k] = build_param(&b, o->types[k]);
    if (o->info->run) {
        for (unsigned k = 0; k <= DEGREE; k++)
            operands[k ? 2 : 1] = build_const(&b, AO_TYPE_f64, (ao_value){.f = 0});
    }
    o->uniforms = build_type_count(&b) - o->inputs;
    b.header.temps = 1;
    in_body(&b, o->op, temp_reg(&b, 0), operands[0], operands[1], operands[2]);
    in_body(&b, AO_OP_COPY_b1 + o->info->dst, out_reg(&b), temp_reg(&b, 0), AO_NO_REG, AO_NO_REG);
    return build_load(&b, NULL, NULL);
}

static void compare_elements(const operation *o, size_t n, const unsigned char *ours, const unsigned char *kernels,
                             const void *const *operands)
{
    const unsigned type = o->info->dst, size = ao_type_sizes[type];
    for (size_t i = 0; i < n; i++) {
        const uint64_t a = bits_at(ours + i * size, type), b = bits_at(kernels + i * size, type);
        if (a == b)
            continue;
        unsigned nans = 0;
        for (unsigned k = 0; k < 3; k++)
            if (o->types[k] != AO_TYPE_NONE)
                nans += (unsigned)is_nan_at((const unsigned char *)operands[k]
                                            + (o->uniform >> k & 1 ? 0 : i * ao_type_sizes[o->types[k]]), o->types[k]);
        if (nans + (o->info->c == AO_TYPE_f64) > 1 && is_nan_at(ours + i * size, type) && is_nan_at(kernels + i * size, type))
            continue; /* which of two nans comes out is free */
        CHECK(a == b, "%s %s_%s, uniform %u, element %zu of %zu: %llx, kernel %llx of %llx, %llx", o->isa->name, o->info->name,
              ao_type_names[o->info->type], o->uniform, i, n, (unsigned long long)a, (unsigned long long)b,
              (unsigned long long)bits_at((const unsigned char *)operands[0] + (o->uniform & 1 ? 0 : i * ao_type_sizes[o->types[0]]),
                                          o->types[0]),
              operands[1] && !o->info->run ? (unsigned long long)bits_at((const unsigned char *)operands[1]
                                          + (o->uniform & 2 ? 0 : i * ao_type_sizes[o->types[1]]), o->types[1]) : 0);
        return;
    }
}

/* A run of n elements, at the end of memory: native code, then the kernel. */
static void run_operation(operation *o, size_t n)
{
    const unsigned size = ao_type_sizes[o->info->dst];
    const void *operands[3] = {NULL, NULL, NULL};
    char *registers[32];
    static unsigned char temp[ROOM], other[ROOM];
    unsigned input = 0, uniform = 0;
    for (unsigned k = 0; k < 3; k++) {
        if (o->types[k] == AO_TYPE_NONE || (o->info->run && k))
            continue;
        if (o->uniform >> k & 1) {
            put_random(&o->values[uniform], o->types[k]);
            operands[k] = &o->values[uniform++];
            continue;
        }
        unsigned char *data = ends[input] - n * ao_type_sizes[o->types[k]];
        for (size_t i = 0; i < n; i++)
            put_random(data + i * ao_type_sizes[o->types[k]], o->types[k]);
        operands[k] = registers[input++] = (char *)data;
    }
    for (unsigned k = 0; o->info->run && k <= DEGREE; k++)
        put_random(&o->values[k], AO_TYPE_f64);
    if (o->info->run)
        operands[1] = &o->values[0], operands[2] = &o->values[DEGREE];
    for (unsigned k = 0; k < o->uniforms; k++)
        registers[o->inputs + k] = (char *)&o->values[k];
    unsigned char *out = ends[4] - n * size;
    memset(ends[4] - ROOM, 0xA5, ROOM);
    registers[o->inputs + o->uniforms] = (char *)temp;
    registers[o->inputs + o->uniforms + 1] = (char *)out;
    const unsigned fault = o->segment->function(n, registers);
    const size_t done = n - n % o->segment->granule;
    const unsigned expected = done ? o->isa->ops[o->op](done, other, operands[0], operands[1], operands[2], o->uniform, NULL) : 0;
    CHECK(!fault == !expected, "%s %s_%s, uniform %u, of %zu elements: fault %u, kernel %u", o->isa->name, o->info->name,
          ao_type_names[o->info->type], o->uniform, n, fault, expected);
    if (!fault)
        compare_elements(o, done, out, other, operands);
    CHECK(out == ends[4] - ROOM || out[-1] == 0xA5, "wrote in front of the array");
    for (size_t i = done * size; i < n * size; i++)
        CHECK(out[i] == 0xA5, "wrote behind what it does");
}

/* Elements of one at a time show each fault by itself. */
static void check_operation(operation *o, unsigned long operands)
{
    for (unsigned long k = 0; k < operands;) {
        const size_t n = o->info->faults && random_u64(&state) % 2 ? o->segment->granule : random_u64(&state) % MOST;
        run_operation(o, n);
        k += n + 1;
    }
}

static void check_operations(const ao_isa *isa, unsigned long operands)
{
    unsigned known = 0;
    for (unsigned op = 0; op < AO_NOPS; op++)
        for (unsigned uniform = 0; uniform < 8; uniform++) {
            operation o = {.op = op, .uniform = uniform, .isa = isa, .info = &ao_ops[op]};
            const unsigned has = (o.info->a != AO_TYPE_NONE) | (o.info->b != AO_TYPE_NONE) << 1 | (o.info->c != AO_TYPE_NONE) << 2;
            const int table = o.info->b >= AO_TABLE_OF && o.info->b != AO_TYPE_NONE;
            if (uniform & ~has || table || (o.info->run && uniform != 6))
                continue;
            o.program = build_operation(&o);
            if (!o.program)
                continue;
            const ao_native *native = ao_program_native(o.program, isa);
            if (native) {
                CHECK(native->whole && native->count == 1, "%s alone is no segment", o.info->name);
                o.segment = &native->segments[0];
                check_operation(&o, operands);
                known++;
            }
            ao_program_free(o.program);
        }
    printf("%s: %u cases\n", isa->name, known);
    CHECK(known > 100, "few operations are native");
}

int main(int argc, char **argv)
{
    const unsigned long operands = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    make_room();
    for (const char *const *name = ao_isa_names; *name; name++) {
        const ao_isa *isa = ao_isa_find(*name);
        if (isa && ao_native_has(isa))
            check_operations(isa, operands);
    }
    return check_result("test_native");
}

#else

int main(void)
{
    return 77;
}

#endif
