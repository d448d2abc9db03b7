/* Running programs: block boundaries, marks and guards, who owns which element after a stop, sinks, folds.
 *
 * Every test runs at every level this processor has. Where the number of kernel calls matters, the level is a copy
 * whose kernels count. */
#include "build_program.h"
#include "program.h"
#include "wide.h"

#define NO AO_NO_REG
#define I64 AO_TYPE_i64
#define B1 AO_TYPE_b1

enum { MOST = 4000 };

static builder b;
static const ao_isa *isa;
static ao_program *program;
static ao_frame frame;
static void *memory;
static int64_t x[MOST], y[MOST], out[MOST];

static void load(void)
{
    const char *why = NULL;
    long where = 0;
    program = build_load(&b, &why, &where);
    if (!program) {
        fprintf(stderr, "a test program was refused: %s at %ld\n", why, where);
        exit(2);
    }
    memory = frame_memory(program);
    memset(memory, 0xEE, ao_frame_size(program, 0));
}

static void unload(void)
{
    free_aligned(memory);
    ao_program_free(program);
}

static ao_job job_over(const void *const *inputs, const ao_value *params, size_t count)
{
    return (ao_job){.isa = isa, .inputs = inputs, .params = params, .out = out, .count = count};
}

static void fill_xy(void)
{
    uint64_t state = 7;
    for (size_t i = 0; i < MOST; i++) {
        x[i] = (int64_t)(random_u64(&state) % 2001) - 1000;
        y[i] = (int64_t)(random_u64(&state) % 99) + 1;
        out[i] = -77;
    }
}

/* OUT = x * x + p */
static void load_square(void)
{
    build_start(&b, I64);
    build_input(&b, I64);
    build_param(&b, I64);
    b.header.temps = 1;
    in_body(&b, AO_OP_MUL_i64, temp_reg(&b, 0), 0, 0, NO);
    in_body(&b, AO_OP_ADD_i64, out_reg(&b), temp_reg(&b, 0), 1, NO);
    load();
}

static void test_blocks(void)
{
    load_square();
    static const size_t counts[] = {0, 1, 2, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049, 3999};
    const void *inputs[] = {x};
    const ao_value p = {.i = 5};
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
        for (size_t step = 1; step < 5000; step = step * 5 + 2) {
            const ao_job job = job_over(inputs, &p, counts[k]);
            fill_xy();
            ao_frame_open(&frame, program, &job, memory);
            CHECK(frame.position == 0, "position %zu", frame.position);
            for (size_t end = step; frame.position < counts[k]; end += step) {
                CHECK(ao_run(&frame, end) == AO_OK, "status");
                CHECK(frame.position == (end < counts[k] ? end : counts[k]), "position %zu", frame.position);
            }
            CHECK(ao_run(&frame, counts[k] + 9) == AO_OK && frame.position == counts[k], "past the end");
            for (size_t i = 0; i < MOST; i++)
                CHECK(out[i] == (i < counts[k] ? x[i] * x[i] + 5 : -77), "element %zu of %zu", i, counts[k]);
        }
    }
    unload();
}

/* Parameters, constants and the prologue, in every type: OUT = parameter, constant, or computed from them. */
static void test_uniforms(void)
{
    for (unsigned type = 0; type < AO_NTYPES; type++) {
        const int is_float = type == AO_TYPE_f32 || type == AO_TYPE_f64;
        const int is_unsigned = type == B1 || type == AO_TYPE_u8 || type == AO_TYPE_u16 || type == AO_TYPE_u32
                                || type == AO_TYPE_u64;
        const ao_value v = is_float ? (ao_value){.f = -2.5} : (ao_value){.i = is_unsigned ? 1 : -3};
        for (int from = 0; from < 3; from++) {
            build_start(&b, type);
            const unsigned param = build_param(&b, type), constant = build_const(&b, type, v);
            b.header.computed = 1;
            in_prologue(&b, AO_OP_COPY_b1 + type, computed_reg(&b, 0), param, NO, NO);
            const unsigned source = from == 0 ? param : from == 1 ? constant : computed_reg(&b, 0);
            in_body(&b, AO_OP_COPY_b1 + type, out_reg(&b), source, NO, NO);
            load();
            const ao_job job = job_over(NULL, &v, 3);
            ao_frame_open(&frame, program, &job, memory);
            CHECK(ao_run(&frame, 3) == AO_OK, "uniform");
            const float f32 = -2.5f;
            char want[8];
            if (type == AO_TYPE_f32)
                memcpy(want, &f32, sizeof f32);
            else if (type == AO_TYPE_f64)
                memcpy(want, &v.f, sizeof v.f);
            else
                put_integer(want, type, v.i);
            for (size_t i = 0; i < 3; i++)
                CHECK(memcmp((char *)out + i * ao_type_sizes[type], want, ao_type_sizes[type]) == 0, "%s from %d",
                      ao_type_names[type], from);
            unload();
        }
    }
}

/* OUT = x // y, guarded by y != k in the way asked for, marked as asked for. */
enum { UNGUARDED, VECTOR, MARKING, UNIFORM };
static void load_division(int guard, unsigned flags)
{
    build_start(&b, I64);
    build_input(&b, I64);
    build_input(&b, I64);
    const unsigned p = build_param(&b, B1), k = build_const(&b, I64, (ao_value){.i = 13});
    b.header.temps = 2;
    if (guard == VECTOR || guard == MARKING)
        in_body(&b, AO_OP_LT_i64, temp_reg(&b, 0), 0, k, NO)->flags = guard == MARKING ? AO_MARKING : 0;
    ao_instr *div = in_body(&b, AO_OP_FLOORDIV_CHECKED_i64, out_reg(&b), 0, 1, NO);
    div->flags = (uint16_t)flags;
    div->guard = (uint16_t)(guard == UNGUARDED ? NO : guard == UNIFORM ? p : temp_reg(&b, 0));
    load();
}

/* Whether Python would have divided at element i. */
static int divides(int guard, int64_t p, size_t i)
{
    return guard == UNGUARDED ? 1 : guard == UNIFORM ? p != 0 : x[i] < 13;
}

static void run_division(int guard, unsigned flags, int64_t p, unsigned every)
{
    const void *inputs[] = {x, y};
    const ao_value params[] = {{.i = p}};
    const ao_job job = job_over(inputs, params, MOST);
    size_t seen = 0, want = 0;
    fill_xy();
    for (size_t i = 0; i < MOST; i += every)
        y[i] = 0;
    for (size_t i = 0; i < MOST; i++)
        want += y[i] == 0 && divides(guard, p, i);
    ao_frame_open(&frame, program, &job, memory);
    while (ao_run(&frame, MOST) == AO_MARKED) {
        const size_t first = frame.position, n = frame.block_count;
        CHECK(!frame.scan_stopped && n > 0 && first + n <= MOST, "block %zu+%zu", first, n);
        for (size_t i = 0; i < n; i++) {
            const int marked = y[first + i] == 0 && divides(guard, p, first + i);
            const int bit = flags == AO_STORE ? AO_MARK_STORE : AO_MARK_VALUE;
            CHECK(frame.marks[i] == (marked ? bit : 0), "mark %zu", first + i);
            seen += frame.marks[i] != 0;
            if (frame.marks[i])
                ((int64_t *)frame.block_out)[i] = 4242;
        }
        ao_finish(&frame, n);
        CHECK(frame.position == first + n && frame.block_count == 0, "finish");
    }
    CHECK(seen == want && frame.position == MOST, "%zu marks, not %zu", seen, want);
    for (size_t i = 0; i < MOST; i++) {
        if (y[i] == 0)
            CHECK(!divides(guard, p, i) || out[i] == 4242, "patch %zu", i);
        else
            CHECK(out[i] == (x[i] - ((x[i] % y[i]) + y[i]) % y[i]) / y[i], "quotient %zu", i);
    }
}

static void test_marks(void)
{
    static const unsigned distances[] = {1, 2, 7, 300, 1500, 5000};
    for (int guard = UNGUARDED; guard <= UNIFORM; guard++)
        for (unsigned flags = 0; flags <= AO_STORE; flags += AO_STORE) {
            load_division(guard, flags);
            for (size_t k = 0; k < sizeof distances / sizeof distances[0]; k++)
                for (int64_t p = 0; p < 2; p++)
                    run_division(guard, flags, p, distances[k]);
            unload();
        }
}

/* Both bits on one element, and a later instruction in the same block without any. */
static void test_two_marks(void)
{
    build_start(&b, AO_TYPE_i8);
    build_input(&b, I64);
    const unsigned k = build_const(&b, I64, (ao_value){.i = INT64_MAX - 100});
    b.header.temps = 1;
    in_body(&b, AO_OP_ADD_CHECKED_i64, temp_reg(&b, 0), 0, k, NO);
    in_body(&b, AO_OP_FIT_i8_i64, out_reg(&b), 0, NO, NO)->flags = AO_STORE;
    load();
    const void *inputs[] = {x};
    const ao_job job = job_over(inputs, NULL, 100);
    fill_xy();
    ao_frame_open(&frame, program, &job, memory);
    CHECK(ao_run(&frame, MOST) == AO_MARKED && frame.block_count == 100 && frame.block_out == out, "marked");
    for (size_t i = 0; i < 100; i++) {
        const int want = (x[i] > 100 ? AO_MARK_VALUE : 0) | (x[i] < -128 || x[i] > 127 ? AO_MARK_STORE : 0);
        CHECK(frame.marks[i] == want, "element %zu: %d, not %d", i, frame.marks[i], want);
    }
    unload();
}

/* In place with AO_KEEP: after a stop everything before the failing element is new and the rest is as it was. */
static void test_keep(void)
{
    static int64_t before[MOST];
    load_division(UNGUARDED, 0);
    for (size_t bad = 0; bad < MOST; bad += 377) {
        const void *inputs[] = {x, y};
        const ao_value params[] = {{.i = 0}};
        ao_job job = job_over(inputs, params, MOST);
        job.out = x;
        job.flags = AO_KEEP;
        fill_xy();
        y[bad] = 0;
        memcpy(before, x, sizeof x);
        ao_frame_open(&frame, program, &job, memory);
        CHECK(ao_run(&frame, MOST) == AO_MARKED, "stop");
        CHECK(frame.position <= bad && bad < frame.position + frame.block_count, "stopped at %zu", frame.position);
        CHECK(frame.block_out != x + frame.position, "not in place before it is finished");
        CHECK(memcmp(x + frame.position, before + frame.position, (MOST - frame.position) * 8) == 0, "too early");
        ao_finish(&frame, bad - frame.position);
        CHECK(frame.position == bad, "position %zu", frame.position);
        for (size_t i = 0; i < MOST; i++) {
            const int64_t want = i < bad ? (before[i] - ((before[i] % y[i]) + y[i]) % y[i]) / y[i] : before[i];
            CHECK(x[i] == want, "element %zu, stopped at %zu", i, bad);
        }
    }
    unload();
}

/* The logarithms are written straight to the result, and yet with AO_KEEP nothing is from the failing element on: neither of
 * a block that stops, nor where the result is the operand, wholly or in part. A second stop follows at the next block. */
static void test_keep_straight(void)
{
    enum { COUNT = 3000, APART = COUNT + 8, BLOCK = 1024, LEFT = 2 };
    static double fx[APART + COUNT], before[APART + COUNT];
    build_start(&b, AO_TYPE_f64);
    build_input(&b, AO_TYPE_f64);
    b.header.temps = 1;
    in_body(&b, AO_OP_ADD_f64, temp_reg(&b, 0), 0, 0, NO);
    in_body(&b, AO_OP_LOG_CHECKED_f64, out_reg(&b), temp_reg(&b, 0), NO, NO);
    load();
    CHECK(program->leaves, "a program of one logarithm at the end leaves its target as it was");
    static const size_t apart[] = {APART, 0, 3, BLOCK};
    for (size_t way = 0; way < 4; way++)
        for (size_t bad = 0; bad < COUNT; bad += 211) {
            double *const to = fx + apart[way];
            const void *inputs[] = {fx};
            ao_job job = job_over(inputs, NULL, COUNT);
            job.out = to;
            job.flags = AO_KEEP;
            for (size_t i = 0; i < APART + COUNT; i++)
                fx[i] = way ? 1.0 + (double)(i % 100) : i < COUNT ? 0.5 : -77.0;
            fx[bad] = -1.0;
            memcpy(before, fx, sizeof fx);
            ao_frame_open(&frame, program, &job, memory);
            CHECK((frame.private_->scratch == NULL) == (way == 0), "aside if it overlaps alone");
            if (way > 1)
                continue;
            ao_status status = ao_run(&frame, COUNT);
            const size_t at = frame.position;
            CHECK(status == AO_MARKED && at <= bad && bad < at + frame.block_count, "stopped at %zu for %zu", at, bad);
            CHECK(frame.block_out != to + at, "the block is aside");
            CHECK(memcmp(to + bad, before + apart[way] + bad, (COUNT - bad) * sizeof *to) == 0, "too early");
            ((double *)frame.block_out)[bad - at] = LEFT;
            ao_finish(&frame, frame.block_count);
            while ((status = ao_run(&frame, COUNT)) == AO_MARKED)
                ao_finish(&frame, frame.block_count);
            for (size_t i = 0; i < COUNT; i++) {
                double want = i == bad ? LEFT : before[i] * 2;
                if (i != bad)
                    isa->ops[AO_OP_LOG_f64](1, &want, &want, NULL, NULL, 0, NULL);
                CHECK(memcmp(&to[i], &want, sizeof want) == 0, "element %zu, stopped at %zu", i, bad);
            }
        }
    unload();
}

/* OUT = x * x, which reads the input again after OUT was written */
static void load_rereading(void)
{
    build_start(&b, I64);
    build_input(&b, I64);
    b.header.temps = 1;
    in_body(&b, AO_OP_ADD_i64, out_reg(&b), 0, 0, NO);
    in_body(&b, AO_OP_MUL_i64, out_reg(&b), 0, 0, NO);
    load();
}

/* In place, without faults, though the input is read again after OUT was written. */
static void test_keep_reread(void)
{
    static int64_t before[MOST];
    load_rereading();
    const void *inputs[] = {x};
    ao_job job = job_over(inputs, NULL, MOST);
    job.out = x;
    job.flags = AO_KEEP;
    fill_xy();
    memcpy(before, x, sizeof x);
    ao_frame_open(&frame, program, &job, memory);
    CHECK(ao_run(&frame, MOST) == AO_OK, "run");
    for (size_t i = 0; i < MOST; i++)
        CHECK(x[i] == before[i] * before[i], "element %zu", i);
    unload();
}

typedef struct {
    size_t next, blocks;
} taken;

static void take(void *context, const void *block, size_t first, size_t n)
{
    taken *t = context;
    CHECK(first == t->next, "block at %zu, not %zu", first, t->next);
    memcpy(y + first, block, n * 8); /* y is the target here */
    t->next = first + n;
    t->blocks++;
}

static void test_sink(void)
{
    build_start(&b, I64);
    build_input(&b, I64);
    const unsigned k = build_const(&b, I64, (ao_value){.i = INT64_MAX - 990});
    in_body(&b, AO_OP_ADD_CHECKED_i64, out_reg(&b), 0, k, NO);
    load();
    const void *inputs[] = {x};
    taken t = {0, 0};
    ao_job job = job_over(inputs, NULL, MOST);
    job.out = NULL;
    job.sink = (ao_sink){.take = take, .context = &t};
    fill_xy();
    ao_frame_open(&frame, program, &job, memory);
    while (ao_run(&frame, MOST) == AO_MARKED) {
        CHECK(t.next == frame.position, "the block before is with the sink");
        for (size_t i = 0; i < frame.block_count; i++)
            if (frame.marks[i])
                ((int64_t *)frame.block_out)[i] = 1;
        ao_finish(&frame, frame.block_count);
    }
    CHECK(t.next == MOST && t.blocks >= MOST * 8 / AO_MAX_BLOCK, "%zu taken", t.next);
    for (size_t i = 0; i < MOST; i++)
        CHECK(y[i] == (x[i] > 990 ? 1 : x[i] + (INT64_MAX - 990)), "element %zu", i);
    unload();
}

/* acc = acc * p + (x + 1); OUT = acc after each element. */
static void load_fold(unsigned out_type)
{
    build_start(&b, out_type);
    build_input(&b, I64);
    build_param(&b, I64);
    build_param(&b, I64);
    const unsigned one = build_const(&b, I64, (ao_value){.i = 1});
    b.header.temps = 3;
    b.header.acc = 2;
    b.header.next = (uint16_t)temp_reg(&b, 1);
    in_body(&b, AO_OP_ADD_CHECKED_i64, temp_reg(&b, 0), 0, one, NO);
    in_scan(&b, AO_OP_MUL_CHECKED_i64, temp_reg(&b, 1), 2, 1, NO);
    in_scan(&b, AO_OP_ADD_CHECKED_i64, temp_reg(&b, 1), temp_reg(&b, 1), temp_reg(&b, 0), NO);
    if (out_type == I64)
        in_epilogue(&b, AO_OP_COPY_i64, out_reg(&b), temp_reg(&b, 1), NO, NO);
    else if (out_type == AO_TYPE_i16)
        in_epilogue(&b, AO_OP_FIT_i16_i64, out_reg(&b), temp_reg(&b, 1), NO, NO)->flags = AO_STORE;
    load();
}

/* One element as Python would, 0 in place of what does not fit 64 bits. */
static int64_t fold_step(int64_t acc, int64_t p, int64_t v, int *fits)
{
    const wide r = (wide)acc * p + v + 1;
    *fits = r >= INT64_MIN && r <= INT64_MAX;
    return *fits ? (int64_t)r : 0;
}

static void run_fold(int64_t p, size_t step, unsigned out_type)
{
    const void *inputs[] = {x};
    const ao_value params[] = {{.i = p}, {.i = 3}};
    ao_job job = job_over(inputs, params, MOST);
    fill_xy();
    x[1234] = INT64_MAX; /* the body overflows */
    ao_frame_open(&frame, program, &job, memory);
    CHECK(ao_frame_acc(&frame, 0).i == 3, "first value");
    size_t stops = 0, want_stops = 0;
    for (size_t end = step; frame.position < MOST; end = frame.position + step)
        while (ao_run(&frame, end) == AO_MARKED) {
            const size_t last = frame.position + frame.block_count - 1;
            if (frame.scan_stopped) {
                int fits;
                stops++;
                CHECK(frame.marks[frame.block_count - 1] & AO_MARK_VALUE, "the stop is marked");
                fold_step(ao_frame_acc(&frame, 0).i, p, x[last], &fits);
                CHECK(!fits || x[last] == INT64_MAX, "stop at %zu without need", last);
                if (out_type == I64)
                    ((int64_t *)frame.block_out)[frame.block_count - 1] = 0;
                else if (out_type == AO_TYPE_i16)
                    ((int16_t *)frame.block_out)[frame.block_count - 1] = 0;
                ao_frame_set_acc(&frame, 0, (ao_value){.i = 0});
            }
            for (size_t i = 0; out_type == AO_TYPE_i16 && i < frame.block_count; i++)
                if (frame.marks[i] & AO_MARK_STORE)
                    ((int16_t *)frame.block_out)[i] = -5;
            ao_finish(&frame, frame.block_count);
            CHECK(frame.position == last + 1, "finish");
        }
    int64_t acc = 3;
    for (size_t i = 0; i < MOST; i++) {
        int fits;
        acc = fold_step(acc, p, x[i], &fits);
        acc = x[i] == INT64_MAX ? 0 : acc;
        want_stops += !fits || x[i] == INT64_MAX;
        if (out_type == I64)
            CHECK(out[i] == acc, "accumulated %zu", i);
        else if (out_type == AO_TYPE_i16)
            CHECK(((int16_t *)out)[i] == (acc == (int16_t)acc ? acc : -5), "fitted %zu", i);
    }
    CHECK(ao_frame_acc(&frame, 0).i == acc, "last value %lld", (long long)ao_frame_acc(&frame, 0).i);
    CHECK(stops == want_stops && stops > 0, "%zu stops, not %zu", stops, want_stops);
}

static void test_fold(void)
{
    static const unsigned out_types[] = {I64, AO_TYPE_NONE, AO_TYPE_i16};
    for (unsigned k = 0; k < 3; k++) {
        load_fold(out_types[k]);
        for (int64_t p = 0; p < 5000; p = p * 9 + 1)
            for (size_t step = 1; step < 9000; step = step * 17 + 1)
                run_fold(p, step, out_types[k]);
        unload();
    }
}

/* In the scan: a guarded fault is none, an AO_STORE mark does not stop. */
static void test_scan_marks(void)
{
    build_start(&b, B1);
    build_input(&b, I64);
    build_param(&b, I64);
    const unsigned ten = build_const(&b, I64, (ao_value){.i = 10});
    b.header.temps = 4;
    const unsigned next = temp_reg(&b, 0), small = temp_reg(&b, 1), q = temp_reg(&b, 2), fit = temp_reg(&b, 3);
    b.header.acc = 1, b.header.next = (uint16_t)next;
    in_scan(&b, AO_OP_NE_i64, small, 0, 1, NO);
    in_scan(&b, AO_OP_SUB_i64, q, 0, 1, NO);
    in_scan(&b, AO_OP_FLOORDIV_CHECKED_i64, q, ten, q, NO)->guard = (uint16_t)small; /* 10 // (x - acc) if x != acc else nothing */
    in_scan(&b, AO_OP_FIT_i8_i64, fit, 0, NO, NO)->flags = AO_STORE;
    in_scan(&b, AO_OP_COPY_i64, next, 0, NO, NO);
    in_epilogue(&b, AO_OP_COPY_b1, out_reg(&b), small, NO, NO);
    load();
    const void *inputs[] = {x};
    const ao_value params[] = {{.i = 0}};
    ao_job job = job_over(inputs, params, MOST);
    fill_xy();
    for (size_t i = 0; i + 1 < MOST; i += 3)
        x[i + 1] = x[i];
    ao_frame_open(&frame, program, &job, memory);
    while (ao_run(&frame, MOST) == AO_MARKED) {
        CHECK(!frame.scan_stopped, "stopped at %zu+%zu", frame.position, frame.block_count);
        for (size_t i = 0; i < frame.block_count; i++) {
            const int64_t v = x[frame.position + i];
            CHECK(frame.marks[i] == (v < -128 || v > 127 ? AO_MARK_STORE : 0), "mark %zu", frame.position + i);
        }
        ao_finish(&frame, frame.block_count);
    }
    for (size_t i = 0; i < MOST; i++)
        CHECK(((uint8_t *)out)[i] == (x[i] != (i ? x[i - 1] : 0)), "element %zu", i);
    CHECK(frame.position == MOST && ao_frame_acc(&frame, 0).i == x[MOST - 1], "end");
    unload();
}

/* An accumulator of each type comes back as it went in, and goes through a scan. */
static void test_acc_types(void)
{
    for (unsigned type = 0; type < AO_NTYPES; type++) {
        build_start(&b, AO_TYPE_NONE);
        build_param(&b, type);
        b.header.temps = 1;
        b.header.acc = 0, b.header.next = 1;
        in_scan(&b, AO_OP_COPY_b1 + type, 1, 0, NO, NO);
        load();
        const int is_float = type == AO_TYPE_f32 || type == AO_TYPE_f64;
        const int is_signed = type == AO_TYPE_i8 || type == AO_TYPE_i16 || type == AO_TYPE_i32 || type == I64;
        const ao_value v = is_float ? (ao_value){.f = -0.75} : (ao_value){.i = is_signed ? -100 : 1};
        ao_job job = job_over(NULL, &v, 700);
        ao_frame_open(&frame, program, &job, memory);
        CHECK(ao_program_acc_type(program, 0) == type, "type of acc");
        CHECK(ao_run(&frame, 700) == AO_OK && frame.position == 700, "run");
        CHECK(ao_frame_acc(&frame, 0).u == v.u, "%s changed", ao_type_names[type]);
        ao_frame_set_acc(&frame, 0, (ao_value){.u = 0});
        CHECK(ao_frame_acc(&frame, 0).u == 0, "%s not set", ao_type_names[type]);
        unload();
    }
}

/* Several accumulators move on together: a, b = b, a + x, which stops where the sum leaves 64 bits. */
static void test_accumulators_together(void)
{
    build_start(&b, I64);
    build_input(&b, I64);
    build_param(&b, I64);
    build_param(&b, I64);
    b.header.temps = 2;
    b.header.acc = 1, b.header.next = 3, b.header.further = 1;
    in_scan(&b, AO_OP_COPY_i64, 3, 2, NO, NO);
    in_scan(&b, AO_OP_ADD_CHECKED_i64, 4, 1, 0, NO);
    in_epilogue(&b, AO_OP_COPY_i64, out_reg(&b), 3, NO, NO);
    load();
    const void *inputs[] = {x};
    const ao_value params[] = {{.i = 5}, {.i = -7}};
    ao_job job = job_over(inputs, params, MOST);
    fill_xy();
    x[1000] = INT64_MAX, x[1001] = INT64_MAX;
    ao_frame_open(&frame, program, &job, memory);
    CHECK(ao_frame_acc(&frame, 0).i == 5 && ao_frame_acc(&frame, 1).i == -7, "first values");
    size_t stops = 0;
    while (ao_run(&frame, MOST) == AO_MARKED) {
        const size_t last = frame.block_count - 1;
        stops++;
        CHECK(frame.scan_stopped, "marked without a stop");
        ((int64_t *)frame.block_out)[last] = ao_frame_acc(&frame, 1).i;
        ao_frame_set_acc(&frame, 0, ao_frame_acc(&frame, 1));
        ao_frame_set_acc(&frame, 1, (ao_value){.i = 11});
        ao_finish(&frame, last + 1);
    }
    int64_t first = 5, second = -7;
    size_t want_stops = 0;
    for (size_t i = 0; i < MOST; i++) {
        const wide sum = (wide)first + x[i];
        const int fits = sum >= INT64_MIN && sum <= INT64_MAX;
        want_stops += !fits;
        first = second, second = fits ? (int64_t)sum : 11;
        CHECK(out[i] == first, "element %zu", i);
    }
    CHECK(ao_frame_acc(&frame, 0).i == first && ao_frame_acc(&frame, 1).i == second, "last values");
    CHECK(stops == want_stops && stops > 0, "%zu stops, not %zu", stops, want_stops);
    unload();
}

/* ---- how much work is done ---- */

static ao_isa counted_isa;
static const ao_isa *real_isa;
static unsigned watched;
static size_t fast_calls, marking_calls, elements;

static unsigned count_calls(size_t n, void *d, const void *a, const void *x_, const void *c, unsigned uniform,
                            uint8_t *mark)
{
    elements += n;
    if (mark)
        marking_calls++;
    else
        fast_calls++;
    return real_isa->ops[watched](n, d, a, x_, c, uniform, mark);
}

static void watch(unsigned op)
{
    real_isa = isa;
    counted_isa = *isa;
    counted_isa.ops[op] = count_calls;
    watched = op;
    fast_calls = marking_calls = elements = 0;
    isa = &counted_isa;
}

/* Guarded faults in every block: after the first block each costs one pass. None: no marking pass. */
static void test_sticky(void)
{
    for (int zeros = 0; zeros < 3; zeros++) {
        load_division(MARKING, 0);
        watch(AO_OP_FLOORDIV_CHECKED_i64);
        const void *inputs[] = {x, y};
        const ao_value params[] = {{.i = 0}};
        const ao_job job = job_over(inputs, params, MOST);
        fill_xy();
        for (size_t i = 0; zeros == 1 && i < MOST; i += 100)
            x[i] = 500, y[i] = 0; /* not divided: no mark */
        if (zeros == 2)
            x[MOST / 2] = 500, y[MOST / 2] = 0;
        ao_frame_open(&frame, program, &job, memory);
        CHECK(ao_run(&frame, MOST) == AO_OK, "no marks");
        isa = real_isa;
        const size_t blocks = fast_calls + marking_calls - (zeros > 0);
        CHECK(blocks >= MOST * 8 / AO_MAX_BLOCK && blocks <= MOST / AO_MIN_BLOCK + 1, "%zu blocks", blocks);
        CHECK(zeros == 0 ? marking_calls == 0 : zeros == 1 ? fast_calls == 1 : marking_calls == 2,
              "%zu fast, %zu marking", fast_calls, marking_calls);
        unload();
    }
}

/* Guards that nobody needs are not computed. */
static void test_marking_is_lazy(void)
{
    load_division(MARKING, 0);
    watch(AO_OP_LT_i64);
    const void *inputs[] = {x, y};
    const ao_value params[] = {{.i = 0}};
    const ao_job job = job_over(inputs, params, MOST);
    fill_xy();
    ao_frame_open(&frame, program, &job, memory);
    CHECK(ao_run(&frame, MOST) == AO_OK && fast_calls == 0, "%zu calls", fast_calls);
    y[MOST - 1] = 0;
    ao_frame_open(&frame, program, &job, memory);
    ao_run(&frame, MOST);
    CHECK(fast_calls == 1, "%zu calls", fast_calls);
    isa = real_isa;
    unload();
}

/* A truth value is 0 or 1 whatever its ao_value. */
static void test_truth(void)
{
    build_start(&b, B1);
    build_param(&b, B1);
    in_body(&b, AO_OP_COPY_b1, out_reg(&b), 0, NO, NO);
    load();
    const ao_value params[] = {{.u = 256}};
    const ao_job job = job_over(NULL, params, 1);
    ao_frame_open(&frame, program, &job, memory);
    CHECK(ao_run(&frame, 1) == AO_OK && *(uint8_t *)out == 1, "%d", *(uint8_t *)out);
    unload();
}

/* A fold that stops everywhere runs its body over a bounded number of elements for each. */
static void test_stops_cost(void)
{
    build_start(&b, AO_TYPE_NONE);
    build_input(&b, I64);
    build_param(&b, I64);
    b.header.temps = 3;
    b.header.acc = 1, b.header.next = 3;
    in_body(&b, AO_OP_ADD_i64, 2, 0, 0, NO);
    in_scan(&b, AO_OP_COPY_i64, 3, 2, NO, NO);
    in_scan(&b, AO_OP_FAIL_b1, 4, NO, NO, NO);
    load();
    watch(AO_OP_ADD_i64);
    const void *inputs[] = {x};
    const ao_value params[] = {{.i = 0}};
    const ao_job job = job_over(inputs, params, MOST);
    ao_frame_open(&frame, program, &job, memory);
    size_t stops = 0;
    while (ao_run(&frame, MOST) == AO_MARKED) {
        CHECK(frame.scan_stopped && frame.block_count == 1, "stop");
        stops++;
        ao_finish(&frame, 1);
    }
    isa = real_isa;
    CHECK(stops == MOST && elements <= 32 * MOST, "%zu stops, %zu elements", stops, elements);
    unload();

    load_fold(AO_TYPE_NONE); /* one stop at the first element, then full blocks again */
    watch(AO_OP_ADD_CHECKED_i64);
    const ao_value zero[] = {{.i = 0}, {.i = 0}};
    const ao_job one_stop = job_over(inputs, zero, MOST);
    fill_xy();
    x[0] = INT64_MAX;
    ao_frame_open(&frame, program, &one_stop, memory);
    CHECK(ao_run(&frame, MOST) == AO_MARKED && frame.scan_stopped && frame.block_count == 1, "first element");
    ao_finish(&frame, 1);
    CHECK(ao_run(&frame, MOST) == AO_OK, "the rest");
    isa = real_isa;
    CHECK(marking_calls <= 1 + 6 + MOST / AO_MIN_BLOCK + 1, "%zu blocks", marking_calls);
    unload();
}

/* Block size: shrinks with the number of vectors, within its limits; temporaries are staggered, not page-aligned
 * apart. */
static void test_block_sizes(void)
{
    size_t smallest = 99999, largest = 0;
    for (unsigned temps = 1; temps <= 4096; temps = temps * 3 + 1) {
        build_start(&b, B1);
        build_input(&b, I64);
        b.header.temps = (uint16_t)temps;
        in_body(&b, AO_OP_FAIL_b1, out_reg(&b), NO, NO, NO);
        load();
        const void *inputs[] = {x};
        const ao_job job = job_over(inputs, NULL, MOST);
        ao_frame_open(&frame, program, &job, memory);
        CHECK(ao_run(&frame, MOST) == AO_MARKED, "FAIL");
        size_t n = frame.block_count;
        if (n < AO_MIN_BLOCK) { /* up to the next cache line */
            ao_finish(&frame, n);
            CHECK(n < 64 && ao_run(&frame, MOST) == AO_MARKED && (uintptr_t)frame.block_out % 64 == 0, "alignment");
            n = frame.block_count;
        }
        CHECK(n >= AO_MIN_BLOCK && n <= AO_MAX_BLOCK && (n & (n - 1)) == 0, "block of %zu", n);
        CHECK(n * 8 * (temps + 2) <= 32768 || n == AO_MIN_BLOCK, "block of %zu with %u temporaries", n, temps);
        smallest = n < smallest ? n : smallest;
        largest = n > largest ? n : largest;
        unload();
    }
    CHECK(smallest == AO_MIN_BLOCK && largest > smallest, "blocks from %zu to %zu", smallest, largest);
}

static void test_staggered(void)
{
    size_t sizes[2];
    for (unsigned more = 0; more < 2; more++) {
        build_start(&b, AO_TYPE_NONE);
        b.header.temps = (uint16_t)(100 + more);
        load();
        sizes[more] = ao_frame_size(program, 0);
        unload();
    }
    const size_t stride = sizes[1] - sizes[0];
    CHECK(stride >= AO_MIN_BLOCK && stride % 64 == 0 && stride % 1024 != 0, "temporaries %zu apart", stride);
}

/* A program without instructions, inputs or OUT runs through. */
/* Few elements, one block: as many jobs of a frame as one likes. */
static void test_few(void)
{
    const void *inputs[] = {x};
    load_square();
    ao_frame_prepare(&frame, program, memory);
    for (size_t count = 0; count <= AO_FEW; count++) {
        const ao_value p = {.i = (int64_t)count - 5};
        fill_xy();
        CHECK(!ao_run_few(&frame, isa, inputs, &p, out, count, count & 1), "%zu elements", count);
        for (size_t i = 0; i < MOST; i++)
            CHECK(out[i] == (i < count ? x[i] * x[i] + p.i : -77), "element %zu of %zu", i, count);
        const ao_job job = job_over(inputs, &p, MOST);
        ao_frame_bind(&frame, &job);
        CHECK(ao_run(&frame, MOST) == AO_OK && out[MOST - 1] == x[MOST - 1] * x[MOST - 1] + p.i, "all of them, between");
    }
    unload();
}

/* What is kept until it is known that no element is marked, or because the input is read again. */
static void test_few_kept(void)
{
    const void *inputs[] = {x, y};
    const ao_value p = {.i = 0};
    static int64_t before[MOST];
    load_division(UNGUARDED, 0);
    ao_frame_prepare(&frame, program, memory);
    for (int bad = 0; bad < 2; bad++) {
        fill_xy();
        memcpy(before, x, sizeof x);
        y[30] = bad ? 0 : y[30];
        CHECK(ao_run_few(&frame, isa, inputs, &p, x, AO_FEW, 1) == (unsigned)bad, "marked: %d", bad);
        for (size_t i = 0; i < MOST; i++) {
            const int64_t want = bad || i >= AO_FEW ? before[i] : (before[i] - ((before[i] % y[i]) + y[i]) % y[i]) / y[i];
            CHECK(x[i] == want, "element %zu", i);
        }
    }
    unload();
    load_rereading();
    ao_frame_prepare(&frame, program, memory);
    fill_xy();
    memcpy(before, x, sizeof x);
    CHECK(!ao_run_few(&frame, isa, inputs, NULL, x, AO_FEW, 1), "run");
    for (size_t i = 0; i < AO_FEW; i++)
        CHECK(x[i] == before[i] * before[i], "element %zu", i);
    unload();
}

/* A range that nothing else is read with goes where the results will be: by one instruction and by two. */
static void test_range_in_place(void)
{
    const ao_spacing spacing = {3, 0, AO_RANGE};
    for (int two = 0; two < 2; two++) {
        const void *inputs[] = {(const void *)(uintptr_t)100};
        build_start(&b, I64);
        build_input(&b, I64);
        b.header.temps = 1;
        if (two)
            in_body(&b, AO_OP_ADD_i64, temp_reg(&b, 0), 0, 0, NO);
        in_body(&b, AO_OP_ADD_i64, out_reg(&b), two ? temp_reg(&b, 0) : 0, two ? temp_reg(&b, 0) : 0, NO);
        load();
        free_aligned(memory);
        memory = allocate_aligned(ao_frame_size(program, 1));
        ao_job job = job_over(inputs, NULL, MOST);
        job.spacings = &spacing;
        for (unsigned flags = 0; flags < 2; flags++) {
            job.flags = flags ? AO_KEEP : 0;
            fill_xy();
            ao_frame_open(&frame, program, &job, memory);
            CHECK(ao_run(&frame, MOST) == AO_OK, "run");
            for (size_t i = 0; i < MOST; i++)
                CHECK(out[i] == (two ? 4 : 2) * (100 + 3 * (int64_t)i), "element %zu", i);
        }
        unload();
    }
}

static void test_empty(void)
{
    build_start(&b, AO_TYPE_NONE);
    load();
    const ao_job job = job_over(NULL, NULL, 100);
    ao_frame_open(&frame, program, &job, memory);
    CHECK(ao_run(&frame, 60) == AO_OK && frame.position == 60, "empty");
    CHECK(ao_run(&frame, 600) == AO_OK && frame.position == 100, "empty");
    unload();
}

/* Folds of few elements, also with one that is marked: by the body, by the scan, at its store. */
static void test_few_folds(void)
{
    static const unsigned out_types[] = {I64, AO_TYPE_NONE, AO_TYPE_i16};
    const void *inputs[] = {x};
    for (unsigned k = 0; k < 3; k++) {
        load_fold(out_types[k]);
        ao_frame_prepare(&frame, program, memory);
        for (size_t count = 0; count <= AO_FEW; count++) {
            ao_value params[] = {{.i = -1}, {.i = 3}};
            int64_t acc = 3;
            fill_xy();
            CHECK(!ao_fold_few(&frame, isa, inputs, params, out, count), "%zu elements", count);
            for (size_t i = 0; i < count; i++) {
                int fits;
                acc = fold_step(acc, -1, x[i], &fits);
                if (out_types[k] != AO_TYPE_NONE)
                    CHECK(acc == (out_types[k] == I64 ? out[i] : ((int16_t *)out)[i]), "element %zu of %zu", i, count);
            }
            CHECK(ao_frame_acc(&frame, 0).i == acc, "last of %zu", count);
            params[1].i = INT64_MAX;
            params[0].i = count % 2 ? INT64_MAX : 1;
            x[count / 2] = count % 2 ? x[count / 2] : INT64_MAX;
            CHECK(!count == !ao_fold_few(&frame, isa, inputs, params, out, count), "one of %zu that is marked", count);
            params[1].i = 40000;
            x[count / 2] = 0;
            params[0].i = 1;
            CHECK(ao_fold_few(&frame, isa, inputs, params, out, count) == (count && out_types[k] == AO_TYPE_i16), "stores");
            run_fold(5, 17, out_types[k]); /* another frame in the same memory */
            ao_frame_prepare(&frame, program, memory);
        }
        unload();
    }
}

int main(void)
{
    for (const char *const *name = ao_isa_names; *name; name++) {
        isa = ao_isa_find(*name);
        if (!isa)
            continue;
        test_blocks();
        test_uniforms();
        test_marks();
        test_two_marks();
        test_keep();
        test_keep_straight();
        test_keep_reread();
        test_sink();
        test_fold();
        test_scan_marks();
        test_acc_types();
        test_accumulators_together();
        test_sticky();
        test_marking_is_lazy();
        test_truth();
        test_stops_cost();
        test_block_sizes();
        test_staggered();
        test_empty();
        test_few();
        test_few_kept();
        test_few_folds();
        test_range_in_place();
    }
    return check_result("test_run");
}
