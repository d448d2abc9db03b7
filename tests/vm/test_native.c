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
#include "parallel.h"
#include "program.h"

#include <math.h>

#if defined __unix__ || defined __APPLE__

enum { MOST = 70, ARRAYS = 5, ROOM = 4096 };
#include "random_values.h"

static const ao_native_taking all = {AO_TAKE_ALL, 0};

/* ---- one operation ---- */

typedef struct {
    unsigned op, uniform;
    int constant; /* uniforms are constants of the program, which instructions may have in themselves; else parameters */
    const ao_isa *isa;
    const ao_op_info *info;
    ao_program *program;
    const ao_segment *segment;
    unsigned types[3], inputs, uniforms;
    int stops;
    ao_value values[16]; /* of uniforms, as the frame has them */
} operation;

enum { DEGREE = 5 };

/* A parameter, or a constant of any value. */
static unsigned build_uniform(builder *b, operation *o, unsigned type)
{
    if (!o->constant)
        return build_param(b, type);
    ao_value *value = &o->values[build_type_count(b) - o->inputs];
    put_random(value, type);
    return build_const(b, type, *value);
}

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
            operands[k] = build_uniform(&b, o, o->types[k]);
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
        const int several = o->info->run || nans + (o->info->c == AO_TYPE_f64) > 1; /* a polynomial's coefficients may be */
        if (several && is_nan_at(ours + i * size, type) && is_nan_at(kernels + i * size, type))
            continue; /* which of two nans comes out is free */
        CHECK(a == b, "%s %s_%s, uniform %u, element %zu of %zu: %llx, kernel %llx of %llx, %llx", o->isa->name, ao_op_texts[o->info->row].name,
              ao_type_names[o->info->type], o->uniform, i, n, (unsigned long long)a, (unsigned long long)b,
              (unsigned long long)bits_at((const unsigned char *)operands[0] + (o->uniform & 1 ? 0 : i * ao_type_sizes[o->types[0]]),
                                          o->types[0]),
              operands[1] && !o->info->run ? (unsigned long long)bits_at((const unsigned char *)operands[1]
                                          + (o->uniform & 2 ? 0 : i * ao_type_sizes[o->types[1]]), o->types[1]) : 0);
        return;
    }
}

/* It did no element that is to be marked, and stopped, if it did, in the group of one. */
static void check_stop(const operation *o, size_t done, size_t n, const uint8_t *marks)
{
    enum { GROUP = 64 };
    size_t first = 0;
    while (first < n && !marks[first])
        first++;
    CHECK(done <= first && first < done + GROUP && (first < n || done == n), "%s %s_%s: stopped at %zu of %zu, the first mark is at %zu",
          o->isa->name, ao_op_texts[o->info->row].name, ao_type_names[o->info->type], done, n, first);
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
            if (!o->constant)
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
    const size_t found = o->segment->function(n, registers, NULL), all_done = n - n % o->segment->granule;
    uint8_t marks[MOST] = {0};
    const ao_kernel kernel = o->isa->ops[o->op];
    const unsigned expected = all_done ? kernel(all_done, other, operands[0], operands[1], operands[2], o->uniform,
                                                o->info->faults ? marks : NULL) : 0;
    const unsigned fault = o->stops ? found != all_done : found != 0;
    const size_t done = o->stops ? found : all_done;
    CHECK(!fault == !expected, "%s %s_%s, uniform %u, of %zu elements: fault %u, kernel %u", o->isa->name, ao_op_texts[o->info->row].name,
          ao_type_names[o->info->type], o->uniform, n, fault, expected);
    if (o->stops)
        check_stop(o, found, all_done, marks);
    if (!fault || o->stops)
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

/* Nonzero if it is native. */
static int check_program(operation *o, unsigned long operands)
{
    o->program = build_operation(o);
    if (!o->program)
        return 0;
    const ao_native *native = ao_program_native(o->program, o->isa, all);
    if (native) {
        CHECK(native->whole && native->count == 1, "%s alone is no segment", ao_op_texts[o->info->row].name);
        o->segment = &native->segments[0];
        o->stops = native->stops;
        CHECK(!o->stops == !o->info->faults, "%s: stops %d", ao_op_texts[o->info->row].name, o->stops);
        check_operation(o, operands);
    }
    ao_program_free(o->program);
    return native != NULL;
}

/* With uniforms that are parameters, and with constants, of which each program has others. */
static void check_operations(const ao_isa *isa, unsigned long operands)
{
    enum { CONSTANTS = 50 };
    unsigned known = 0;
    for (unsigned op = 0; op < AO_NOPS; op++)
        for (unsigned uniform = 0; uniform < 8; uniform++) {
            operation o = {.op = op, .uniform = uniform, .isa = isa, .info = &ao_ops[op]};
            const unsigned has = (o.info->a != AO_TYPE_NONE) | (o.info->b != AO_TYPE_NONE) << 1 | (o.info->c != AO_TYPE_NONE) << 2;
            const int table = o.info->b >= AO_TABLE_OF && o.info->b != AO_TYPE_NONE;
            if (uniform & ~has || table || (o.info->run && uniform != 6))
                continue;
            const int native = check_program(&o, operands);
            known += (unsigned)native;
            o.constant = 1;
            for (unsigned k = 0; native && uniform && !o.info->run && k < CONSTANTS; k++)
                check_program(&o, operands / CONSTANTS);
        }
    printf("%s: %u cases\n", isa->name, known);
    CHECK(known > 100, "few operations are native");
}

/* ---- whole programs ---- */

enum { LONG_INPUTS = 40, LONG_PARAMS = 40, LONG_TEMPS = 64, LONG_STEPS = 400, SUMMED = 24, LONG_REGS = 160, COUNT = 1003 };

/* One more instruction that cannot fault, if it finds its operands. */
static void add_random(builder *b, uint8_t *types, unsigned regs)
{
    const unsigned op = (unsigned)(random_u64(&state) % AO_NOPS), dst = temp_reg(b, (unsigned)(random_u64(&state) % LONG_TEMPS));
    const ao_op_info *info = &ao_ops[op];
    const unsigned wanted[3] = {info->a, info->b, info->c};
    unsigned operands[3] = {AO_NO_REG, AO_NO_REG, AO_NO_REG}, vectors = 0;
    if (info->faults || info->run || info->weight > 3)
        return;
    for (unsigned k = 0; k < 3; k++) {
        if (wanted[k] == AO_TYPE_NONE)
            continue;
        operands[k] = find_register(types, regs, wanted[k]);
        if (operands[k] == AO_NO_REG || (operands[k] == dst && ao_type_sizes[wanted[k]] != ao_type_sizes[info->dst]))
            return;
        vectors += operands[k] < b->header.inputs || operands[k] >= temp_reg(b, 0);
    }
    if (!vectors)
        return;
    in_body(b, op, dst, operands[0], operands[1], operands[2]);
    types[dst] = info->dst;
}

/* More inputs, numbers and live values than there are registers, of all types. */
static ao_program *build_long(builder *b, const ao_allocator *allocator)
{
    static const uint8_t of[] = {AO_TYPE_f64, AO_TYPE_i32, AO_TYPE_f64, AO_TYPE_i64, AO_TYPE_u8, AO_TYPE_i16, AO_TYPE_b1, AO_TYPE_u16};
    uint8_t types[LONG_REGS];
    build_start(b, AO_TYPE_f64);
    memset(types, AO_TYPE_NONE, sizeof types);
    for (unsigned k = 0; k < LONG_INPUTS; k++)
        build_input(b, of[k % 8]);
    for (unsigned k = 0; k < LONG_PARAMS; k++)
        build_param(b, of[k % 8]);
    b->header.temps = LONG_TEMPS;
    memcpy(types, b->types, build_type_count(b));
    for (unsigned k = 0; k < LONG_STEPS; k++)
        add_random(b, types, out_reg(b));
    in_body(b, AO_OP_COPY_f64, temp_reg(b, 0), 0, AO_NO_REG, AO_NO_REG);
    types[temp_reg(b, 0)] = AO_TYPE_NONE;
    for (unsigned k = 0; k < SUMMED; k++)
        in_body(b, AO_OP_ADD_f64, temp_reg(b, 0), temp_reg(b, 0), find_register(types, out_reg(b), AO_TYPE_f64), AO_NO_REG);
    in_body(b, AO_OP_COPY_f64, out_reg(b), temp_reg(b, 0), AO_NO_REG, AO_NO_REG);
    size_t size;
    void *bytes = build_bytes(b, &size);
    ao_program *p = NULL;
    const char *why = NULL;
    const ao_status status = ao_program_load(bytes, size, allocator, &p, &why, NULL);
    CHECK(status != AO_BAD_PROGRAM, "%s", why);
    free(bytes);
    return p;
}

/* The results; all nans are one. */
static void run_long(const ao_program *p, const ao_isa *isa, unsigned flags, unsigned threads, double *out)
{
    static double data[LONG_INPUTS][COUNT];
    static ao_value values[LONG_PARAMS];
    const void *inputs[LONG_INPUTS];
    uint64_t kept = state;
    state = 5;
    for (unsigned k = 0; k < LONG_INPUTS; k++) {
        inputs[k] = data[k];
        for (size_t i = 0; i < COUNT; i++) {
            put_random((char *)data[k] + i * ao_type_sizes[ao_program_type(p, k)], ao_program_type(p, k));
            if (ao_program_type(p, k) == AO_TYPE_f64)
                data[k][i] = (double)(int)(random_u64(&state) >> 40) / 4096;
        }
    }
    for (unsigned k = 0; k < LONG_PARAMS; k++)
        values[k].f = 0, put_random(&values[k], ao_program_type(p, LONG_INPUTS + k));
    state = kept;
    ao_job job = {.isa = isa, .inputs = inputs, .params = values, .out = out, .count = COUNT, .flags = flags};
    if (threads) {
        uint8_t left[8];
        const ao_poll poll = {0};
        ao_run_parallel(p, &job, threads, &poll, left);
        CHECK(left[0] == 0, "a chunk was left");
    } else {
        void *memory = frame_memory(p);
        ao_frame frame;
        ao_frame_open(&frame, p, &job, memory);
        CHECK(ao_run(&frame, COUNT) == AO_OK, "a fault in a program without any");
        free_aligned(memory);
    }
    for (size_t i = 0; i < COUNT; i++)
        if (isnan(out[i]))
            out[i] = (double)NAN;
}

static void check_long_programs(const ao_isa *isa)
{
    static builder b;
    static double kernels[COUNT], native[COUNT];
    unsigned segments = 0;
    for (unsigned k = 0; k < 60; k++) {
        ao_program *p = build_long(&b, NULL);
        if (!p)
            return;
        run_long(p, isa, 0, 0, kernels);
        run_long(p, isa, AO_NATIVE_AT_ONCE, k % 3 == 2 ? 2 : 0, native);
        CHECK(memcmp(kernels, native, sizeof native) == 0, "%s, program %u: other results", isa->name, k);
        const ao_native *made = ao_program_native(p, isa, all);
        segments += made ? made->count : 0;
        CHECK(made == ao_program_native(p, isa, all), "made twice");
        ao_program_free(p);
    }
    CHECK(segments > 120, "%s: only %u segments", isa->name, segments);
}

/* ---- native code that stops ---- */

enum { STOPPED = 3000 };

/* All elements with AO_KEEP; answers to marked ones, up to `most` of them, where it ends as if that one had raised. Returns the
 * elements done. */
static size_t run_keeping(const operation *o, const void *const *inputs, void *out, size_t n, unsigned flags, size_t slice,
                          unsigned most)
{
    const size_t size = ao_type_sizes[o->info->dst];
    size_t end = 0, done = 0;
    ao_job job = {.isa = o->isa, .inputs = inputs, .out = out, .count = n, .flags = AO_KEEP | flags};
    void *memory = frame_memory(o->program);
    ao_frame frame;
    ao_frame_open(&frame, o->program, &job, memory);
    while (done < n && most) {
        end = end + slice < n ? end + slice : n;
        while (most && ao_run(&frame, end) == AO_MARKED) {
            size_t j = 0;
            for (; j < frame.block_count && most; j++)
                if (frame.marks[j]) {
                    memset((char *)frame.block_out + j * size, 0x5A, size);
                    most--;
                }
            ao_finish(&frame, most ? frame.block_count : j - 1);
        }
        done = frame.position;
    }
    free_aligned(memory);
    return done;
}

/* As kernels leave it, in place or beside inputs: all before the element that ends it, and the rest as it was. */
static void check_keeping(const ao_isa *isa)
{
    static const uint16_t ops[] = {AO_OP_ADD_CHECKED_i32, AO_OP_SUB_CHECKED_i32, AO_OP_ADD_CHECKED_i64, AO_OP_SUB_CHECKED_i64,
                                   AO_OP_MUL_CHECKED_i32, AO_OP_FIT_i32_i64, AO_OP_FIT_u8_i16, AO_OP_FIT_i64_u64, AO_OP_DIV_CHECKED_f64, AO_OP_SHL_CHECKED_i64};
    static uint64_t data[2][STOPPED + 1], kernels[STOPPED + 1], native[STOPPED + 1];
    unsigned stopped = 0;
    for (unsigned k = 0; k < 600; k++) {
        operation o = {.op = ops[k % (sizeof ops / sizeof *ops)], .isa = isa};
        o.info = &ao_ops[o.op];
        o.program = build_operation(&o);
        if (!o.program)
            continue;
        const size_t n = random_u64(&state) % STOPPED, offset = random_u64(&state) % 2, in = ao_type_sizes[o.info->a];
        const size_t slice = random_u64(&state) % 3 ? n : 1 + random_u64(&state) % 700;
        const uint64_t seldom = UINT64_C(1) << random_u64(&state) % 16;
        const unsigned most = random_u64(&state) % 2 ? UINT32_MAX : 1 + (unsigned)(random_u64(&state) % 40);
        const int in_place = in == ao_type_sizes[o.info->dst] && random_u64(&state) % 2;
        const void *inputs[2] = {data[0] + offset, data[1]};
        for (unsigned input = 0; input < 2; input++)
            for (size_t i = 0; i < n; i++) {
                const int64_t one = 1;
                const double unit = 1;
                char *to = (char *)(data[input] + (input ? 0 : offset)) + i * in;
                memcpy(to, o.info->a == AO_TYPE_f64 ? (const void *)&unit : &one, in);
                if (random_u64(&state) % seldom == 0)
                    put_random(to, o.info->a);
            }
        memset(kernels, 0xA5, sizeof kernels);
        if (in_place)
            memcpy(kernels, data[0], sizeof kernels);
        memcpy(native, kernels, sizeof native);
        inputs[0] = in_place ? kernels + offset : inputs[0];
        const size_t done = run_keeping(&o, inputs, kernels + offset, n, 0, slice, most);
        inputs[0] = in_place ? native + offset : inputs[0];
        CHECK(run_keeping(&o, inputs, native + offset, n, AO_NATIVE_AT_ONCE, slice, most) == done, "%s, %s: ends elsewhere", isa->name,
              ao_op_texts[o.info->row].name);
        CHECK(memcmp(kernels, native, sizeof native) == 0, "%s, %s_%s of %zu elements, in place %d: other results", isa->name,
              ao_op_texts[o.info->row].name, ao_type_names[o.info->type], n, in_place);
        const ao_native *made = ao_native_made(ao_native_slots_of(o.program), isa, all);
        stopped += made && made->stops;
        ao_program_free(o.program);
    }
    CHECK(stopped > 200, "%s: only %u are native", isa->name, stopped);
}

/* ---- folds ---- */

enum { FOLD_COUNT = 700, FOLDS = 6 };

/* acc = acc + k * (x - acc), and every value of it. */
static ao_program *build_average(builder *b)
{
    build_start(b, AO_TYPE_f64);
    const unsigned x = build_input(b, AO_TYPE_f64), acc = build_param(b, AO_TYPE_f64);
    const unsigned k = build_const(b, AO_TYPE_f64, (ao_value){.f = 0.1});
    b->header.temps = 2;
    b->header.acc = (uint16_t)acc, b->header.next = (uint16_t)temp_reg(b, 1);
    in_scan(b, AO_OP_SUB_f64, temp_reg(b, 0), x, acc, AO_NO_REG);
    in_scan(b, AO_OP_MADD_f64, temp_reg(b, 1), k, temp_reg(b, 0), acc);
    in_epilogue(b, AO_OP_COPY_f64, out_reg(b), temp_reg(b, 1), AO_NO_REG, AO_NO_REG);
    return build_load(b, NULL, NULL);
}

/* acc = acc * 31 + x of 32 bits, with the value before the one that is added in a slot of another size. */
static ao_program *build_hash(builder *b)
{
    build_start(b, AO_TYPE_u64);
    const unsigned x = build_input(b, AO_TYPE_f64), acc = build_param(b, AO_TYPE_u64);
    const unsigned k = build_const(b, AO_TYPE_u32, (ao_value){.u = 31});
    b->header.temps = 4;
    b->header.acc = (uint16_t)acc, b->header.next = (uint16_t)temp_reg(b, 3);
    in_body(b, AO_OP_ISNAN_f64, temp_reg(b, 0), x, AO_NO_REG, AO_NO_REG);
    in_body(b, AO_OP_TO_u32_b1, temp_reg(b, 2), temp_reg(b, 0), AO_NO_REG, AO_NO_REG);
    in_scan(b, AO_OP_TO_u32_u64, temp_reg(b, 1), acc, AO_NO_REG, AO_NO_REG);
    in_scan(b, AO_OP_MUL_u32, temp_reg(b, 1), temp_reg(b, 1), k, AO_NO_REG);
    in_scan(b, AO_OP_ADD_u32, temp_reg(b, 1), temp_reg(b, 1), temp_reg(b, 2), AO_NO_REG);
    in_scan(b, AO_OP_TO_u64_u32, temp_reg(b, 3), temp_reg(b, 1), AO_NO_REG, AO_NO_REG);
    in_epilogue(b, AO_OP_COPY_u64, out_reg(b), temp_reg(b, 3), AO_NO_REG, AO_NO_REG);
    return build_load(b, NULL, NULL);
}

/* acc = acc + x of ints if x > 0, else acc: a sum that overflows at some elements, and may do so unseen at others. */
static ao_program *build_sum(builder *b)
{
    build_start(b, AO_TYPE_i64);
    const unsigned x = build_input(b, AO_TYPE_i64), acc = build_param(b, AO_TYPE_i64);
    const unsigned zero = build_const(b, AO_TYPE_i64, (ao_value){.i = 0});
    b->header.temps = 3;
    b->header.acc = (uint16_t)acc, b->header.next = (uint16_t)temp_reg(b, 2);
    in_body(b, AO_OP_LT_i64, temp_reg(b, 0), zero, x, AO_NO_REG);
    in_scan(b, AO_OP_ADD_CHECKED_i64, temp_reg(b, 1), acc, x, AO_NO_REG)->guard = (uint16_t)temp_reg(b, 0);
    in_scan(b, AO_OP_SEL_i64, temp_reg(b, 2), temp_reg(b, 0), temp_reg(b, 1), acc);
    in_epilogue(b, AO_OP_COPY_i64, out_reg(b), temp_reg(b, 2), AO_NO_REG, AO_NO_REG);
    return build_load(b, NULL, NULL);
}

/* acc = (acc >> 8) ^ t[(acc ^ x) & 255], as CRC is; the table has 200 elements, so that it stops now and then. */
static ao_program *build_table(builder *b)
{
    build_start(b, AO_TYPE_i64);
    const unsigned x = build_input(b, AO_TYPE_i64), acc = build_param(b, AO_TYPE_i64);
    const unsigned table = build_param(b, AO_TABLE_OF + AO_TYPE_i64);
    const unsigned low = build_const(b, AO_TYPE_i64, (ao_value){.i = 255}), eight = build_const(b, AO_TYPE_i64, (ao_value){.i = 8});
    b->header.temps = 2;
    b->header.acc = (uint16_t)acc, b->header.next = (uint16_t)temp_reg(b, 1);
    in_scan(b, AO_OP_XOR_i64, temp_reg(b, 0), acc, x, AO_NO_REG);
    in_scan(b, AO_OP_AND_i64, temp_reg(b, 0), temp_reg(b, 0), low, AO_NO_REG);
    in_scan(b, AO_OP_TAKE_i64, temp_reg(b, 0), temp_reg(b, 0), table, AO_NO_REG);
    in_scan(b, AO_OP_SHR_i64, temp_reg(b, 1), acc, eight, AO_NO_REG);
    in_scan(b, AO_OP_XOR_i64, temp_reg(b, 1), temp_reg(b, 1), temp_reg(b, 0), AO_NO_REG);
    in_epilogue(b, AO_OP_COPY_i64, out_reg(b), temp_reg(b, 1), AO_NO_REG, AO_NO_REG);
    return build_load(b, NULL, NULL);
}

/* acc = acc * 33 + x of bytes, of which the epilogue has the converted ones as well: the scan does all of the body. */
static ao_program *build_bytes_hash(builder *b)
{
    build_start(b, AO_TYPE_i64);
    const unsigned x = build_input(b, AO_TYPE_i8), acc = build_param(b, AO_TYPE_i64);
    const unsigned k = build_const(b, AO_TYPE_i64, (ao_value){.i = 33});
    b->header.temps = 4;
    b->header.acc = (uint16_t)acc, b->header.next = (uint16_t)temp_reg(b, 1);
    in_body(b, AO_OP_TO_i64_i8, temp_reg(b, 0), x, AO_NO_REG, AO_NO_REG);
    in_scan(b, AO_OP_MUL_i64, temp_reg(b, 1), acc, k, AO_NO_REG);
    in_scan(b, AO_OP_ADD_i64, temp_reg(b, 1), temp_reg(b, 1), temp_reg(b, 0), AO_NO_REG);
    in_epilogue(b, AO_OP_XOR_i64, out_reg(b), temp_reg(b, 1), temp_reg(b, 0), AO_NO_REG);
    return build_load(b, NULL, NULL);
}

/* Any index, of either sign: nearly all are outside. */
static ao_program *build_wild_table(builder *b)
{
    build_start(b, AO_TYPE_i64);
    const unsigned x = build_input(b, AO_TYPE_i64), acc = build_param(b, AO_TYPE_i64);
    const unsigned table = build_param(b, AO_TABLE_OF + AO_TYPE_i64);
    b->header.temps = 2;
    b->header.acc = (uint16_t)acc, b->header.next = (uint16_t)temp_reg(b, 1);
    in_scan(b, AO_OP_TAKE_i64, temp_reg(b, 0), x, table, AO_NO_REG);
    in_scan(b, AO_OP_XOR_i64, temp_reg(b, 1), temp_reg(b, 0), acc, AO_NO_REG);
    in_epilogue(b, AO_OP_COPY_i64, out_reg(b), temp_reg(b, 1), AO_NO_REG, AO_NO_REG);
    return build_load(b, NULL, NULL);
}

/* Where it stops the value becomes 7. Returns where it stopped, all together. */
static uint64_t run_fold(const ao_program *p, const ao_isa *isa, const void *input, unsigned flags, void *out, ao_value *acc)
{
    uint64_t stops = 0;
    void *memory = frame_memory(p);
    static int64_t elements[200];
    for (size_t i = 0; i < 200; i++)
        elements[i] = (int64_t)(i * i * UINT64_C(0x9E3779B97F4A7C15));
    const ao_table table = {elements, 200};
    const ao_value params[2] = {*acc, {.table = &table}};
    ao_job job = {.isa = isa, .inputs = &input, .params = params, .out = out, .count = FOLD_COUNT, .flags = flags};
    ao_frame frame;
    ao_frame_open(&frame, p, &job, memory);
    while (ao_run(&frame, FOLD_COUNT) == AO_MARKED) {
        stops = stops * 31 + frame.position + frame.block_count;
        memset((char *)frame.block_out + (frame.block_count - 1) * 8, 0, 8);
        ao_frame_set_acc(&frame, 0, (ao_value){.i = 7});
        ao_finish(&frame, frame.block_count);
    }
    *acc = ao_frame_acc(&frame, 0);
    free_aligned(memory);
    return stops;
}

static void check_folds(const ao_isa *isa)
{
    static builder b;
    static ao_program *(*const builds[FOLDS])(builder *) = {build_average, build_hash, build_bytes_hash, build_sum, build_table,
                                                       build_wild_table};
    static unsigned char input[FOLD_COUNT * 8], kernels[FOLD_COUNT * 8], native[FOLD_COUNT * 8];
    for (unsigned k = 0; k < 100; k++) {
        ao_program *p = builds[k % FOLDS](&b);
        if (!p)
            abort();
        for (size_t i = 0; i < FOLD_COUNT; i++) {
            put_random(input + i * 8, ao_program_type(p, 0));
            const double x = k % FOLDS == 0 ? (double)(int)(random_u64(&state) >> 40) / 64 : 0;
            if (k % FOLDS == 0)
                memcpy(input + i * 8, &x, 8);
        }
        ao_value first = {.i = (int64_t)k}, second = first;
        const uint64_t stops = run_fold(p, isa, input, 0, kernels, &first);
        CHECK(run_fold(p, isa, input, AO_NATIVE_AT_ONCE, native, &second) == stops, "%s, fold %u: stops elsewhere", isa->name, k);
        CHECK(first.u == second.u, "%s, fold %u: %llx and %llx", isa->name, k, (unsigned long long)first.u, (unsigned long long)second.u);
        CHECK(memcmp(kernels, native, sizeof native) == 0, "%s, fold %u: other values", isa->name, k);
        CHECK(k % FOLDS < 3 || stops, "nothing stops");
        const ao_native *made = ao_native_made(ao_native_slots_of(p), isa, all);
        CHECK(!made || made->takes_body == (k % FOLDS >= 1 && k % FOLDS <= 3), "%s, fold %u: takes_body", isa->name, k);
        CHECK(made && made->scan, "%s, fold %u: no native scan", isa->name, k);
        ao_program_free(p);
    }
}

/* ---- scans of any operations ---- */

enum { SCAN_INPUTS = 4, SCAN_ACCS = 7, SCAN_TEMPS = 24, SCAN_STEPS = 40, SCAN_COUNT = 300 };

static uint8_t scanned[AO_NOPS]; /* those that a scan may have */

typedef struct {
    unsigned char out[SCAN_COUNT * 8];
    ao_value acc[SCAN_ACCS];
    uint64_t stops;
} scan_outcome;

/* Where it stops the result is 0 and accumulators are 3. */
static void run_scan(const ao_program *p, const ao_isa *isa, const void *const *inputs, const ao_value *values, unsigned flags,
                     scan_outcome *o)
{
    const unsigned type = ao_program_out_type(p), size = type == AO_TYPE_NONE ? 0 : ao_type_sizes[type];
    void *memory = frame_memory(p);
    memset(o, 0, sizeof *o);
    ao_job job = {.isa = isa, .inputs = inputs, .params = values, .out = o->out, .count = SCAN_COUNT, .flags = flags};
    ao_frame frame;
    ao_frame_open(&frame, p, &job, memory);
    while (ao_run(&frame, SCAN_COUNT) == AO_MARKED) {
        o->stops = o->stops * 31 + frame.position + frame.block_count;
        if (size)
            memset((char *)frame.block_out + (frame.block_count - 1) * size, 0, size);
        for (unsigned k = 0; ao_program_acc_type(p, k) != AO_TYPE_NONE; k++)
            if (ao_program_acc_type(p, k) == AO_TYPE_i64)
                o->stops = o->stops * 31 + ao_frame_acc(&frame, k).u;
        for (unsigned k = 0; ao_program_acc_type(p, k) != AO_TYPE_NONE; k++)
            ao_frame_set_acc(&frame, k, ao_program_acc_type(p, k) < AO_TYPE_f32 ? (ao_value){.i = 3} : (ao_value){.f = 3});
        ao_finish(&frame, frame.block_count);
    }
    for (unsigned k = 0; ao_program_acc_type(p, k) != AO_TYPE_NONE; k++)
        o->acc[k] = ao_frame_acc(&frame, k);
    free_aligned(memory);
}

/* One operation for each element, of operands that are elements, parameters or constants, with a guard or without; the
 * accumulator counts. */
static ao_program *build_scan_operation(builder *b, operation *o, unsigned constant, int guarded)
{
    unsigned operands[3] = {AO_NO_REG, AO_NO_REG, AO_NO_REG};
    build_start(b, o->info->dst);
    for (unsigned k = 0; k < 3; k++) {
        o->types[k] = k == 0 ? o->info->a : k == 1 ? o->info->b : o->info->c;
        if (o->types[k] != AO_TYPE_NONE && !(o->uniform >> k & 1))
            operands[k] = build_input(b, o->types[k]);
    }
    const unsigned guard = build_input(b, AO_TYPE_b1);
    o->inputs = b->header.inputs;
    for (unsigned k = 0; k < 3; k++)
        if (o->types[k] != AO_TYPE_NONE && o->uniform >> k & 1 && !(constant >> k & 1))
            operands[k] = build_param(b, o->types[k]);
    b->header.acc = (uint16_t)build_param(b, AO_TYPE_i64);
    for (unsigned k = 0; k < 3; k++)
        if (o->types[k] != AO_TYPE_NONE && o->uniform & constant & 1u << k) {
            ao_value value = {.u = 0};
            put_random(&value, o->types[k]);
            if (o->types[k] != AO_TYPE_f64) /* of any size, whatever fits the type */
                value.u = value.u << 8 * (random_u64(&state) % 8) >> 8 * (random_u64(&state) % 8);
            operands[k] = build_const(b, o->types[k], value);
        }
    const unsigned one = build_const(b, AO_TYPE_i64, (ao_value){.i = 1});
    b->header.temps = 2;
    b->header.next = (uint16_t)temp_reg(b, 1);
    in_scan(b, o->op, temp_reg(b, 0), operands[0], operands[1], operands[2])->guard = (uint16_t)(guarded ? guard : AO_NO_REG);
    in_scan(b, AO_OP_ADD_i64, temp_reg(b, 1), b->header.acc, one, AO_NO_REG);
    in_epilogue(b, AO_OP_COPY_b1 + o->info->dst, out_reg(b), temp_reg(b, 0), AO_NO_REG, AO_NO_REG);
    return build_load(b, NULL, NULL);
}

/* All nans are one: which of two comes out is free. */
static void one_nan(unsigned char *values, unsigned type)
{
    for (size_t i = 0; type != AO_TYPE_NONE && i < SCAN_COUNT; i++)
        if (is_nan_at(values + i * ao_type_sizes[type], type))
            memset(values + i * ao_type_sizes[type], 0xFF, ao_type_sizes[type]);
}

/* The same results, stops and accumulators from kernels and native code. Nonzero if there is any of that. */
static int compare_scans(const ao_program *p, const ao_isa *isa, const char *what, unsigned number)
{
    static unsigned char data[SCAN_INPUTS][SCAN_COUNT * 8];
    static scan_outcome kernels, native;
    static int64_t elements[20];
    const ao_table table = {elements, 20};
    const void *inputs[SCAN_INPUTS];
    ao_value values[SCAN_ACCS + SCAN_INPUTS] = {{0}};
    const unsigned count = ao_program_inputs(p), type = ao_program_out_type(p);
    for (unsigned k = 0; k < count; k++) {
        inputs[k] = data[k];
        for (size_t i = 0; i < SCAN_COUNT; i++)
            put_random(data[k] + i * ao_type_sizes[ao_program_type(p, k)], ao_program_type(p, k));
    }
    for (unsigned k = 0; k < ao_program_params(p); k++) {
        const unsigned of = ao_program_type(p, count + k);
        if (of >= AO_TABLE_OF)
            values[k].table = &table;
        else if (of == AO_TYPE_f32)
            values[k].f = (float)k;
        else
            put_random(&values[k], of);
    }
    for (unsigned k = 0; k < 20; k++)
        put_random(&elements[k], AO_TYPE_i64);
    run_scan(p, isa, inputs, values, 0, &kernels);
    run_scan(p, isa, inputs, values, AO_NATIVE_AT_ONCE, &native);
    const ao_native *made = ao_native_made(ao_native_slots_of(p), isa, all);
    if (!made || !made->scan)
        return 0;
    one_nan(kernels.out, type);
    one_nan(native.out, type);
    CHECK(kernels.stops == native.stops, "%s %s %u: stops elsewhere", isa->name, what, number);
    CHECK(memcmp(kernels.out, native.out, sizeof native.out) == 0, "%s %s %u: other results", isa->name, what, number);
    for (unsigned k = 0; ao_program_acc_type(p, k) != AO_TYPE_NONE; k++)
        CHECK(kernels.acc[k].u == native.acc[k].u || (isnan(kernels.acc[k].f) && isnan(native.acc[k].f)),
              "%s %s %u: accumulator %u", isa->name, what, number, k);
    return 1;
}

static void check_scan_operations(const ao_isa *isa, unsigned long operands)
{
    static builder b;
    unsigned known = 0;
    for (unsigned op = 0; op < AO_NOPS; op++)
        for (unsigned way = 0; way < 8 * 2; way++) {
            operation o = {.op = op, .uniform = way & 7, .isa = isa, .info = &ao_ops[op]};
            const unsigned has = (o.info->a != AO_TYPE_NONE) | (o.info->b != AO_TYPE_NONE) << 1
                                 | (o.info->c != AO_TYPE_NONE) << 2;
            const unsigned table = o.info->b != AO_TYPE_NONE && o.info->b >= AO_TABLE_OF ? 2 : 0;
            if (o.uniform & ~has || (o.uniform & table) != table || o.info->run)
                continue;
            for (unsigned long k = 0; k <= operands; k += SCAN_COUNT) {
                ao_program *p = build_scan_operation(&b, &o, way & 8 && !table ? 7 : 0, k % 2 && o.info->faults);
                if (!p)
                    break;
                const int native = compare_scans(p, isa, ao_op_texts[o.info->row].name, op);
                scanned[op] |= (uint8_t)native;
                known += k == 0 && native;
                ao_program_free(p);
            }
        }
    printf("%s: %u cases in scans\n", isa->name, known);
    CHECK(known > 100, "few operations are native in scans");
}

/* One that the scan may have, with operands of any kind and now and then a guard. */
static void add_scanned(builder *b, uint8_t *types, unsigned dst)
{
    const unsigned op = (unsigned)(random_u64(&state) % AO_NOPS), regs = out_reg(b);
    const ao_op_info *info = &ao_ops[op];
    const unsigned wanted[3] = {info->a, info->b, info->c};
    unsigned operands[3] = {AO_NO_REG, AO_NO_REG, AO_NO_REG};
    if (!scanned[op] || info->run || op == AO_OP_COPYSIGN_f64)
        return;
    for (unsigned k = 0; k < 3; k++) {
        if (wanted[k] == AO_TYPE_NONE)
            continue;
        operands[k] = find_register(types, regs, wanted[k]);
        if (operands[k] == AO_NO_REG || (operands[k] == dst && ao_type_sizes[wanted[k]] != ao_type_sizes[info->dst]))
            return;
    }
    ao_instr *i = in_scan(b, op, dst, operands[0], operands[1], operands[2]);
    if (info->faults && random_u64(&state) % 4)
        i->guard = (uint16_t)find_register(types, regs, AO_TYPE_b1);
    types[dst] = info->dst;
}

/* A comparison, perhaps something else, and a choice by it, often of what was compared. */
static void add_choice(builder *b, uint8_t *types, unsigned first)
{
    static const uint8_t of[] = {AO_TYPE_f64, AO_TYPE_f64, AO_TYPE_i64, AO_TYPE_u64, AO_TYPE_i32, AO_TYPE_u8};
    static const uint16_t choices[] = {AO_OP_SEL_f64, AO_OP_SEL_f64, AO_OP_SEL_i64, AO_OP_SEL_u64, AO_OP_SEL_i32, AO_OP_SEL_u8};
    const unsigned k = (unsigned)(random_u64(&state) % 6), type = of[k], truth = first + (unsigned)(random_u64(&state) % 8);
    const unsigned chosen = first + 8 + (unsigned)(random_u64(&state) % 8);
    unsigned op = AO_OP_EQ_i8 + (unsigned)(random_u64(&state) % (AO_OP_LE_f64 - AO_OP_EQ_i8)), arms[2];
    while (ao_ops[op].type != type || ao_ops[op].dst != AO_TYPE_b1 || ao_ops[op].b != type)
        op = (op + 1) % AO_NOPS;
    const unsigned a = find_register(types, out_reg(b), type), c = find_register(types, out_reg(b), type);
    if (a == AO_NO_REG || a == truth || c == truth)
        return;
    in_scan(b, op, truth, a, c, AO_NO_REG);
    types[truth] = AO_TYPE_b1;
    for (unsigned more = (unsigned)(random_u64(&state) % 3); more; more--)
        add_scanned(b, types, first + 8 + (unsigned)(random_u64(&state) % 8));
    const unsigned which = (unsigned)(random_u64(&state) % 4);
    arms[0] = which == 0 && types[a] == type ? a : which == 1 && types[c] == type ? c : find_register(types, out_reg(b), type);
    arms[1] = which == 0 && types[c] == type ? c : which == 1 && types[a] == type ? a : find_register(types, out_reg(b), type);
    if (arms[0] == AO_NO_REG || arms[1] == AO_NO_REG)
        return;
    in_scan(b, choices[k], chosen, truth, arms[0], arms[1]);
    types[chosen] = (uint8_t)type;
}

/* More accumulators and values than registers, comparisons before choices, and stops here and there. */
static ao_program *build_random_scan(builder *b)
{
    enum { KINDS = 10 };
    static const uint8_t of[KINDS] = {AO_TYPE_i64, AO_TYPE_f64, AO_TYPE_i32, AO_TYPE_b1, AO_TYPE_u64, AO_TYPE_u32, AO_TYPE_i16,
                                      AO_TYPE_u8, AO_TYPE_f64, AO_TYPE_u16};
    uint8_t types[LONG_REGS];
    const unsigned accs = 1 + (unsigned)(random_u64(&state) % SCAN_ACCS);
    const unsigned steps = 1 + (unsigned)(random_u64(&state) % SCAN_STEPS);
    build_start(b, of[random_u64(&state) % KINDS]);
    for (unsigned k = 0; k < SCAN_INPUTS; k++)
        build_input(b, k == 0 ? AO_TYPE_b1 : of[random_u64(&state) % KINDS]);
    b->header.acc = SCAN_INPUTS, b->header.further = (uint8_t)(accs - 1);
    for (unsigned k = 0; k < accs; k++)
        build_param(b, of[random_u64(&state) % 3]);
    for (unsigned k = 0; k < 4; k++) {
        ao_value value = {0};
        const unsigned type = of[random_u64(&state) % KINDS];
        put_random(&value, type);
        build_const(b, type, value);
    }
    b->header.temps = SCAN_TEMPS;
    b->header.next = (uint16_t)temp_reg(b, 0);
    memset(types, AO_TYPE_NONE, sizeof types);
    memcpy(types, b->types, build_type_count(b));
    for (unsigned k = 0; k < steps; k++)
        if (random_u64(&state) % 4)
            add_scanned(b, types, temp_reg(b, accs + (unsigned)(random_u64(&state) % (SCAN_TEMPS - accs))));
        else
            add_choice(b, types, temp_reg(b, accs));
    for (unsigned k = 0; k < accs; k++) {
        const unsigned type = b->types[SCAN_INPUTS + k], next = temp_reg(b, k);
        for (unsigned tries = 0; tries < 400 && types[next] == AO_TYPE_NONE; tries++) {
            const size_t before = b->instr_count;
            add_scanned(b, types, next);
            if (types[next] == type)
                break;
            b->header.scan = (uint16_t)(b->header.scan - (b->instr_count - before));
            b->instr_count = before;
            types[next] = AO_TYPE_NONE;
        }
        if (types[next] == AO_TYPE_NONE)
            in_scan(b, AO_OP_COPY_b1 + type, next, find_register(types, temp_reg(b, 0), type), AO_NO_REG, AO_NO_REG);
        types[next] = (uint8_t)type;
    }
    for (size_t k = b->instr_count; k-- > 0 && !b->header.epilogue;) /* mostly the latest result, which is seldom read yet */
        if (ao_ops[b->instrs[k].op].dst == b->header.out_type && types[b->instrs[k].dst] == b->header.out_type
            && (random_u64(&state) % 2 || k == 0))
            in_epilogue(b, AO_OP_COPY_b1 + b->header.out_type, out_reg(b), b->instrs[k].dst, AO_NO_REG, AO_NO_REG);
    if (!b->header.epilogue)
        b->header.out_type = AO_TYPE_NONE;
    return build_load(b, NULL, NULL);
}

static void check_random_scans(const ao_isa *isa, unsigned long operands)
{
    static builder b;
    unsigned native = 0, loaded = 0;
    const unsigned count = 300 + (unsigned)(operands / 8);
    for (unsigned k = 0; k < count; k++) {
        ao_program *p = build_random_scan(&b);
        if (!p)
            continue;
        loaded++;
        native += (unsigned)compare_scans(p, isa, "scan", k);
        ao_program_free(p);
    }
    printf("%s: %u random scans, %u of them native, of %u\n", isa->name, loaded, native, count);
    CHECK(loaded > count / 2 && native > loaded / 2, "few random scans are native");
}

/* A comparison of a value whose slot another takes before the choice is made: there are more values than registers, and these two
 * are read last, so that both would go to it. */
static void check_compared_slot(const ao_isa *isa)
{
    enum { VALUES = 20 };
    static builder b;
    build_start(&b, AO_TYPE_i64);
    const unsigned x = build_input(&b, AO_TYPE_i64), y = build_input(&b, AO_TYPE_i64);
    b.header.acc = (uint16_t)build_param(&b, AO_TYPE_i64);
    b.header.temps = VALUES + 4;
    const unsigned next = temp_reg(&b, 0), compared = temp_reg(&b, 1), truth = temp_reg(&b, 2), chosen = temp_reg(&b, 3);
    b.header.next = (uint16_t)next;
    in_scan(&b, AO_OP_MUL_i64, compared, x, b.header.acc, AO_NO_REG);
    in_scan(&b, AO_OP_LT_i64, truth, compared, y, AO_NO_REG);
    in_scan(&b, AO_OP_XOR_i64, compared, x, y, AO_NO_REG);
    for (unsigned k = 0; k < VALUES; k++)
        in_scan(&b, k % 2 ? AO_OP_ADD_i64 : AO_OP_SUB_i64, temp_reg(&b, 4 + k), k < 2 ? x : temp_reg(&b, 2 + k), y, AO_NO_REG);
    for (unsigned k = 0; k < VALUES; k++)
        in_scan(&b, AO_OP_XOR_i64, next, k ? next : x, temp_reg(&b, 4 + k), AO_NO_REG);
    in_scan(&b, AO_OP_SEL_i64, chosen, truth, x, next);
    in_scan(&b, AO_OP_ADD_i64, next, chosen, compared, AO_NO_REG);
    in_epilogue(&b, AO_OP_COPY_i64, out_reg(&b), next, AO_NO_REG, AO_NO_REG);
    ao_program *p = build_load(&b, NULL, NULL);
    CHECK(p && compare_scans(p, isa, "compared slot", 0), "%s: no native scan", isa->name);
    if (p)
        ao_program_free(p);
}

/* Each allocation fails once: the results are the same, and nothing is left behind. */
static void check_without_memory(const ao_isa *isa)
{
    static builder b;
    static double kernels[COUNT], native[COUNT];
    for (long k = 0; k < 4; k++) {
        counting count = {.fail_at = -1};
        const ao_allocator allocator = {counting_call, &count};
        ao_program *p = build_long(&b, &allocator);
        if (!p)
            return;
        run_long(p, isa, 0, 0, kernels);
        count.fail_at = count.calls + k;
        run_long(p, isa, AO_NATIVE_AT_ONCE, 0, native);
        CHECK(memcmp(kernels, native, sizeof native) == 0, "%s: other results without allocation %ld", isa->name, k);
        const ao_native *made = ao_native_made(ao_native_slots_of(p), isa, all);
        CHECK(k < 2 ? !made || !made->count : made && made->count, "allocation %ld: %s", k, made ? "made" : "not made");
        ao_program_free(p);
        CHECK(count.outstanding == 0, "%zu bytes outstanding", count.outstanding);
    }
}

/* Nothing is made of a program that has not run for long, and of one that nobody asked it for. */
static void check_when(const ao_isa *isa)
{
    static builder b;
    static double out[COUNT];
    ao_program *p = build_long(&b, NULL);
    for (unsigned runs = 0; p && runs < 40; runs++) {
        run_long(p, isa, runs < 3 ? 0 : AO_NATIVE, 0, out);
        const int made = ao_native_made(ao_native_slots_of(p), isa, all) != NULL;
        CHECK(made == (runs >= 3 && (runs - 2) * COUNT >= 32768), "%s: made %d after %u runs", isa->name, made, runs);
    }
    ao_program_free(p);
}

int main(int argc, char **argv)
{
    const unsigned long operands = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    make_room();
    for (const char *const *name = ao_isa_names; *name; name++) {
        const ao_isa *isa = ao_isa_find(*name);
        if (!isa || !ao_native_has(isa))
            continue;
        check_operations(isa, operands);
        check_long_programs(isa);
        check_keeping(isa);
        check_folds(isa);
        check_scan_operations(isa, operands / 10);
        check_random_scans(isa, operands);
        check_compared_slot(isa);
        check_without_memory(isa);
        check_when(isa);
    }
    return check_result("test_native");
}

#else

int main(void)
{
    return 77;
}

#endif
