/* Sinks that are given the true elements, how many they are, or their sum, by kernels and by native code: the same, and what is
 * made of whole blocks one by one.
 *
 * Programs at random, with a mask and without, whose arrays and results end where memory ends; of some elements are marked,
 * of some the last instruction is a kernel's, so that a segment cannot take the results.
 *
 *   test_sinks [operands [seed]]      20000 by default
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#include "arrays/moments.h"
#include "build_program.h"
#include "program.h"

#include <fenv.h>
#include <math.h>

#if defined __unix__ || defined __APPLE__

enum { ARRAYS = 6, ROOM = 24576, INPUTS = 5, PARAMS = 4, TEMPS = 14, MOST_STEPS = 9, MOST = ROOM / 8, REGS = 64 };
#include "random_values.h"

static const uint8_t input_types[] = {AO_TYPE_f64, AO_TYPE_f64, AO_TYPE_i64, AO_TYPE_i32, AO_TYPE_u8,
                                      AO_TYPE_f32, AO_TYPE_u64, AO_TYPE_u32, AO_TYPE_b1, AO_TYPE_i16};
enum { TYPES = sizeof input_types };

/* One instruction with operands as they are found: 1 if there is one. */
static int add_instr(builder *b, uint8_t *types, unsigned op, unsigned dst)
{
    const ao_op_info *info = &ao_ops[op];
    const unsigned wanted[3] = {info->a, info->b, info->c};
    unsigned operands[3] = {AO_NO_REG, AO_NO_REG, AO_NO_REG}, vectors = 0;
    if (info->run || op == AO_OP_COPYSIGN_f64 || (info->weight > 3 && random_u64(&state) % 8))
        return 0;
    for (unsigned k = 0; k < 3; k++) {
        if (wanted[k] == AO_TYPE_NONE)
            continue;
        operands[k] = find_register(types, out_reg(b), wanted[k]);
        if (operands[k] == AO_NO_REG || (operands[k] == dst && ao_type_sizes[wanted[k]] != ao_type_sizes[info->dst]))
            return 0;
        vectors += operands[k] < b->header.inputs || operands[k] >= temp_reg(b, 0);
    }
    if (!vectors)
        return 0;
    ao_instr *i = in_body(b, op, dst, operands[0], operands[1], operands[2]);
    if (info->faults && random_u64(&state) % 2)
        i->guard = (uint16_t)find_register(types, out_reg(b), AO_TYPE_b1);
    types[dst] = info->dst;
    return 1;
}

/* An operation that gives the type, to the register. */
static void add_result(builder *b, uint8_t *types, unsigned type, unsigned dst)
{
    unsigned op = (unsigned)(random_u64(&state) % AO_NOPS);
    for (unsigned tries = 0; tries < 4 * AO_NOPS; tries++, op = (op + 1) % AO_NOPS)
        if (ao_ops[op].dst == type && (!ao_ops[op].faults || random_u64(&state) % 8 == 0) && add_instr(b, types, op, dst))
            return;
    in_body(b, AO_OP_COPY_b1 + type, dst, find_register(types, b->header.inputs, type), AO_NO_REG, AO_NO_REG);
    types[dst] = (uint8_t)type;
}

static ao_program *build_random(builder *b, int masked, int doubles)
{
    uint8_t types[REGS];
    const unsigned first = doubles ? 0 : (unsigned)(random_u64(&state) % TYPES);
    build_start(b, masked || doubles ? input_types[first] : AO_TYPE_b1);
    for (unsigned k = 0; k < INPUTS; k++)
        build_input(b, k == 4 ? AO_TYPE_b1 : input_types[(first + (random_u64(&state) % 3) * k) % TYPES]);
    for (unsigned k = 0; k < PARAMS; k++)
        build_param(b, input_types[random_u64(&state) % TYPES]);
    b->header.temps = TEMPS;
    memset(types, AO_TYPE_NONE, sizeof types);
    memcpy(types, b->types, build_type_count(b));
    for (unsigned tries = 0, most = (unsigned)(random_u64(&state) % MOST_STEPS); tries < 40 && b->header.body < most; tries++)
        add_instr(b, types, (unsigned)(random_u64(&state) % AO_NOPS), temp_reg(b, 1 + (unsigned)(random_u64(&state) % (TEMPS - 1))));
    const int mask_first = random_u64(&state) % 2 != 0;
    if (masked && mask_first)
        add_result(b, types, AO_TYPE_b1, temp_reg(b, 0));
    add_result(b, types, b->header.out_type, out_reg(b));
    types[out_reg(b)] = AO_TYPE_NONE;
    if (masked && !mask_first)
        add_result(b, types, AO_TYPE_b1, temp_reg(b, 0));
    b->header.mask = (uint16_t)(masked ? temp_reg(b, 0) : AO_NO_REG);
    return build_load(b, NULL, NULL);
}

/* ---- operands ---- */

/* Numbers like those of measurements, or any. */
static void put_values(const ao_program *p, void *to, unsigned reg, int calm)
{
    const double x = (double)(random_u64(&state) % 4096) / 64 - 3;
    put_random(to, ao_program_type(p, reg));
    if (calm && ao_program_type(p, reg) == AO_TYPE_f64)
        memcpy(to, &x, sizeof x);
}

static void put_operands(const ao_program *p, const void **inputs, ao_value *values, size_t n, int calm)
{
    memset(values, 0, PARAMS * sizeof *values);
    for (unsigned k = 0; k < INPUTS; k++) {
        const unsigned size = ao_type_sizes[ao_program_type(p, k)];
        unsigned char *data = ends[k] - n * size;
        inputs[k] = data;
        for (size_t i = 0; i < n; i++)
            put_values(p, data + i * size, k, calm);
    }
    for (unsigned k = 0; k < PARAMS; k++) {
        values[k].f = 0.5;
        if (ao_program_type(p, INPUTS + k) != AO_TYPE_f32)
            put_values(p, &values[k], INPUTS + k, calm);
    }
}

/* ---- runs ---- */

typedef struct {
    const ao_frame *frame;
    const ao_program *program;
    char *to, *first;
    unsigned source, size;
    size_t number, given; /* how many are true; what a whole run has been given */
} receiver;

static void take(void *context, const void *block, size_t first, size_t n)
{
    receiver *r = context;
    (void)block, (void)first;
    r->number += n;
    if (r->to)
        r->to += n * r->size;
}

/* The true ones of a whole block, one by one. */
static void pick(void *context, const void *block, size_t first, size_t n)
{
    receiver *r = context;
    const uint8_t *mask = ao_program_has_mask(r->program) ? ao_frame_mask(r->frame) : block;
    const char *values = ao_program_has_mask(r->program) ? block : ao_frame_input(r->frame, r->source);
    r->given += n + first * 0;
    for (size_t i = 0; i < n; i++)
        if (mask[i]) {
            memcpy(r->to, values + i * r->size, r->size);
            r->to += r->size;
            r->number++;
        }
}

/* What is marked is made up. */
static void settle(ao_frame *frame, const ao_program *p)
{
    uint8_t *mask = ao_program_has_mask(p) ? ao_frame_mask(frame) : frame->block_out;
    const unsigned size = ao_type_sizes[ao_program_out_type(p)];
    for (size_t i = 0; i < frame->block_count; i++)
        if (frame->marks[i]) {
            memset((char *)frame->block_out + i * size, 1, size);
            mask[i] = (frame->position + i) % 2;
        }
    ao_finish(frame, frame->block_count);
}

static void run_sink(const ao_program *p, const ao_isa *isa, const void *const *inputs, const ao_value *values, size_t n,
                     enum ao_taking what, unsigned flags, receiver *r)
{
    void *memory = frame_memory(p);
    ao_frame frame;
    r->frame = &frame;
    r->program = p;
    ao_job job = {.isa = isa, .inputs = inputs, .params = values, .count = n, .flags = flags};
    job.sink = (ao_sink){what == AO_TAKE_ALL ? pick : take, r, what, r->source, &r->to, NULL};
    ao_frame_open(&frame, p, &job, memory);
    while (ao_run(&frame, n) == AO_MARKED)
        settle(&frame, p);
    free_aligned(memory);
}

/* ---- sums ---- */

/* The moments of what it is given, in whatever way. */
typedef struct {
    ao_moments moments;
    size_t added; /* elements that native code has added up */
    char *to;
} adder;

static void take_sum(void *context, const void *block, size_t first, size_t n)
{
    adder *a = context;
    (void)first;
    if (block == &a->moments.sum) {
        a->moments.count += n;
        a->added += n;
    } else {
        ao_moments_add(&a->moments, block ? block : a->to, n);
    }
}

static void bytes_of_moments(ao_moments *m, uint8_t *bytes)
{
    const uint64_t counts[4] = {m->count, m->nans, m->positive, m->negative};
    memcpy(bytes, counts, sizeof counts);
    ao_float_sum_bytes(&m->sum, bytes + sizeof counts);
}

/* Of a program whose results are doubles. What native code adds up and what it hands over are together what kernels hand over, and
 * no flag is left. */
static size_t compare_sums(const ao_program *p, const ao_isa *isa, size_t n, unsigned number)
{
    enum { BYTES = AO_FLOAT_SUM_BYTES + 4 * sizeof(uint64_t) };
    const void *inputs[INPUTS];
    ao_value values[PARAMS];
    uint8_t bytes[2][BYTES];
    const int calm = random_u64(&state) % 2 != 0, masked = ao_program_has_mask(p);
    static adder a;
    put_operands(p, inputs, values, n, calm);
    for (unsigned way = 0; way < 2; way++) {
        void *memory = frame_memory(p);
        ao_frame frame;
        memset(&a, 0, sizeof a);
        a.to = (char *)(ends[INPUTS] - n * sizeof(double));
        ao_moments_start(&a.moments, isa, AO_TYPE_f64, AO_SUMS, 0);
        ao_job job = {.isa = isa, .inputs = inputs, .params = values, .count = n, .flags = way ? AO_NATIVE_AT_ONCE : 0};
        job.sink = (ao_sink){take_sum, &a, masked ? AO_TAKE_TRUE : AO_TAKE_ALL, 0, &a.to, way ? &a.moments.sum : NULL};
        ao_frame_open(&frame, p, &job, memory);
        feclearexcept(FE_ALL_EXCEPT);
        while (ao_run(&frame, n) == AO_MARKED)
            settle(&frame, p);
        free_aligned(memory);
        CHECK(way == 0 || a.added < n || n == 0 || !fetestexcept(FE_INEXACT | FE_OVERFLOW | FE_INVALID), "%s, program %u: a flag is left",
              isa->name, number);
        bytes_of_moments(&a.moments, bytes[way]);
    }
    CHECK(memcmp(bytes[0], bytes[1], BYTES) == 0, "%s, program %u: another sum of %zu, %zu by native code", isa->name, number, n, a.added);
    return a.added;
}

/* ---- comparisons ---- */

/* All nans are one: which of two comes out is free. */
static void one_nan(char *values, unsigned type, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_nan_at((unsigned char *)values + i * ao_type_sizes[type], type))
            memset(values + i * ao_type_sizes[type], 0xFF, ao_type_sizes[type]);
}

/* Kernels and native code, which may write as far as one value for each element, and no farther. Returns how many of two
 * ways native code took. */
static unsigned compare_sinks(const ao_program *p, const ao_isa *isa, size_t n, unsigned number)
{
    static char expected[ROOM];
    const void *inputs[INPUTS];
    ao_value values[PARAMS];
    const int masked = ao_program_has_mask(p);
    const unsigned source = (unsigned)(random_u64(&state) % INPUTS);
    const unsigned type = masked ? ao_program_out_type(p) : ao_program_type(p, source), size = ao_type_sizes[type];
    unsigned took = 0;
    put_operands(p, inputs, values, n, 0);
    receiver one_by_one = {.to = expected, .source = source, .size = size};
    run_sink(p, isa, inputs, values, n, AO_TAKE_ALL, 0, &one_by_one);
    CHECK(one_by_one.given == n, "not all was given");
    one_nan(expected, type, one_by_one.number);
    for (unsigned way = 0; way < 4; way++) {
        const enum ao_taking what = way < 2 ? AO_TAKE_TRUE : AO_TAKE_COUNT;
        char *to = (char *)ends[INPUTS] - n * size;
        receiver r = {.to = what == AO_TAKE_TRUE ? to : NULL, .source = source, .size = size};
        run_sink(p, isa, inputs, values, n, what, way % 2 ? AO_NATIVE_AT_ONCE : 0, &r);
        CHECK(r.number == one_by_one.number, "%s, program %u, way %u: %zu of %zu are true, not %zu", isa->name, number, way,
              r.number, n, one_by_one.number);
        if (what == AO_TAKE_TRUE && r.number == one_by_one.number) {
            one_nan(to, type, r.number);
            CHECK(memcmp(to, expected, r.number * size) == 0, "%s, program %u, way %u: other elements", isa->name, number, way);
        }
        const ao_native *made = ao_native_made(ao_native_slots_of(p), isa, (ao_native_taking){what, source});
        took += way % 2 && made && made->takes;
    }
    return took;
}

static void check_sinks(const ao_isa *isa, unsigned long operands)
{
    static builder b;
    unsigned loaded = 0, took = 0;
    size_t added = 0;
    const unsigned count = 300 + (unsigned)(operands / 100);
    for (unsigned k = 0; k < count; k++) {
        ao_program *p = build_random(&b, k % 2, 1);
        for (unsigned run = 0; p && run < 3; run++)
            added += compare_sums(p, isa, run == 2 ? random_u64(&state) % MOST : random_u64(&state) % 70, k);
        if (p)
            ao_program_free(p);
        p = build_random(&b, k % 2, 0);
        if (!p)
            continue;
        loaded++;
        for (unsigned run = 0; run < 3; run++)
            took += compare_sinks(p, isa, run == 2 ? random_u64(&state) % MOST : random_u64(&state) % 70, k);
        ao_program_free(p);
    }
    printf("%s: %u programs of %u, native code took the results of %u runs and added up %zu\n", isa->name, loaded, count, took, added);
    CHECK(loaded > count / 2, "few programs are valid");
    CHECK(!ao_native_has(isa) || took > loaded / 2, "native code takes few results");
    CHECK(strcmp(isa->name, "avx512") != 0 || !ao_native_has(isa) || added > 50 * count, "native code adds up few results");
}

int main(int argc, char **argv)
{
    const unsigned long operands = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    make_room();
    for (const char *const *name = ao_isa_names; *name; name++) {
        const ao_isa *isa = ao_isa_find(*name);
        if (isa)
            check_sinks(isa, operands);
    }
    return check_result("test_sinks");
}

#else

int main(void)
{
    return 77;
}

#endif
