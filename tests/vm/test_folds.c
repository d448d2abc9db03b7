/* Folds of ints whose elements may be taken in any order, and those that only look like them, against one element at a
 * time: every choice by a comparison of element, accumulator and a number, the operations, checked sums that overflow
 * somewhere, bodies that mark; narrow ints from any place on. At every level this processor has. */
#include "build_program.h"
#include "wide.h"

#define NO AO_NO_REG

enum { MOST = 5000, ELEMENT = 0, ACC = 1, NUMBER = 2 };

static builder b;
static const ao_isa *isa;
static uint64_t x[MOST];
static ao_value params[2];
static const void *input = x;
static size_t count = MOST;

static int less(unsigned type, uint64_t a, uint64_t c)
{
    return type == AO_TYPE_i64 ? (int64_t)a < (int64_t)c : a < c;
}

static uint64_t run(const ao_program *program, unsigned flags, size_t *stop)
{
    void *memory = frame_memory(program);
    const void *inputs[] = {input};
    const ao_job job = {.isa = isa, .inputs = inputs, .params = params, .count = count, .flags = flags};
    *stop = count;
    ao_frame frame;
    ao_frame_open(&frame, program, &job, memory);
    if (ao_run(&frame, count) == AO_MARKED)
        *stop = frame.position + frame.block_count - 1;
    const uint64_t acc = ao_frame_acc(&frame, 0).u;
    free_aligned(memory);
    return acc;
}

/* The accumulator before a fold stops, or at the end; *stop is the element at which it does, or the count. */
static uint64_t by_machine(size_t *stop)
{
    const char *why = NULL;
    long where = 0;
    size_t native_stop;
    ao_program *program = build_load(&b, &why, &where);
    *stop = count;
    if (!program) {
        CHECK(program, "%s at %ld", why, where);
        return 0;
    }
    const uint64_t acc = run(program, 0, stop);
    CHECK(run(program, AO_NATIVE_AT_ONCE, &native_stop) == acc && native_stop == *stop, "other results of native code");
    ao_program_free(program);
    return acc;
}

static void start(unsigned type, unsigned temps)
{
    build_start(&b, AO_TYPE_NONE);
    build_input(&b, type);
    build_param(&b, type);
    build_param(&b, type);
    b.header.temps = (uint16_t)temps;
    b.header.acc = ACC, b.header.next = (uint16_t)temp_reg(&b, 0);
}

/* Elements of so many bits, with a few of 64 bits if `wide` is set. */
static void fill(unsigned type, unsigned bits, int wide_ones)
{
    uint64_t state = bits;
    for (size_t i = 0; i < MOST; i++) {
        const unsigned shift = wide_ones && random_u64(&state) % 400 == 0 ? 0 : 64 - bits;
        const uint64_t u = random_u64(&state);
        x[i] = type == AO_TYPE_i64 ? (uint64_t)((int64_t)u >> shift) : u >> shift;
    }
}

/* acc = p if a < c else q, for all a, c, p, q of element, accumulator and number: some are minima and maxima. */
static void test_choices(unsigned type, unsigned op, unsigned select, int or_equal)
{
    for (unsigned k = 0; k < 81; k++) {
        const unsigned a = k % 3, c = k / 3 % 3, p = k / 9 % 3, q = k / 27;
        start(type, 2);
        in_scan(&b, op, temp_reg(&b, 1), a, c, NO);
        in_scan(&b, select, temp_reg(&b, 0), temp_reg(&b, 1), p, q);
        size_t stop;
        const uint64_t found = by_machine(&stop);
        uint64_t v[3] = {0, params[0].u, params[1].u};
        for (size_t i = 0; i < MOST; i++) {
            v[ELEMENT] = x[i];
            const int holds = less(type, v[a], v[c]) || (or_equal && v[a] == v[c]);
            v[ACC] = holds ? v[p] : v[q];
        }
        CHECK(stop == MOST && found == v[ACC], "choice %u of type %u, or equal %d", k, type, or_equal);
    }
}

enum how { ADD, ADD_CHECKED, AND, OR, XOR };
static uint64_t step(unsigned type, enum how how, uint64_t acc, uint64_t v, int *fits)
{
    const wide sum = type == AO_TYPE_i64 ? (wide)(int64_t)acc + (int64_t)v : (wide)acc + v;
    *fits = how != ADD_CHECKED
            || (type == AO_TYPE_i64 ? sum >= INT64_MIN && sum <= INT64_MAX : sum <= (wide)UINT64_MAX);
    return how == AND ? acc & v : how == OR ? acc | v : how == XOR ? acc ^ v : acc + v;
}

/* Either operand is the accumulator. A body that doubles the elements may mark one, which ends the run there. */
static void test_operations(unsigned type, const unsigned *ops, unsigned body)
{
    for (unsigned how = ADD; how <= XOR; how++)
        for (unsigned k = 0; k < 4; k++) {
            const int swapped = k & 1, doubled = k & 2;
            start(type, 2);
            const unsigned other = doubled ? temp_reg(&b, 1) : ELEMENT;
            if (doubled)
                in_body(&b, body, other, ELEMENT, ELEMENT, NO);
            in_scan(&b, ops[how], temp_reg(&b, 0), swapped ? other : ACC, swapped ? ACC : other, NO);
            size_t stop, want_stop = MOST;
            const uint64_t found = by_machine(&stop);
            uint64_t acc = params[0].u;
            for (size_t i = 0; i < MOST && want_stop == MOST; i++) {
                int fits, body_fits = 1;
                const uint64_t v = doubled ? step(type, ADD_CHECKED, x[i], x[i], &body_fits) : x[i];
                const uint64_t next = step(type, (enum how)how, acc, v, &fits);
                if (fits && body_fits)
                    acc = next;
                else
                    want_stop = i;
            }
            CHECK(stop == want_stop && found == acc, "operation %u of type %u, form %u: at %zu, not %zu", how, type, k, stop, want_stop);
        }
}

static uint64_t widened(unsigned type, const unsigned char *at)
{
    switch (type) {
#define WIDENED(T, _) case AO_TYPE_##T: { ao_##T v; memcpy(&v, at, sizeof v); return (uint64_t)v; }
    AO_LIST_INTS(WIDENED, _)
    default: return 0;
    }
}

/* The fold of narrow elements as they are, or by way of instructions that change nothing, `first` of them from the beginning of x. */
static void test_narrow_fold(unsigned type, unsigned narrow, unsigned conversion, const unsigned *ops, unsigned less_than, unsigned how,
                             size_t first, size_t n, int computed)
{
    enum { LEAST = XOR + 1, MOST_OF = XOR + 2 };
    const unsigned size = ao_type_sizes[narrow];
    size_t stop, want_stop = n;
    start(type, 4);
    b.types[0] = (uint8_t)narrow;
    if (computed) {
        in_body(&b, AO_OP_AND_i8 + narrow - AO_TYPE_i8, temp_reg(&b, 3), ELEMENT, ELEMENT, NO);
        in_body(&b, AO_OP_OR_i8 + narrow - AO_TYPE_i8, temp_reg(&b, 3), temp_reg(&b, 3), ELEMENT, NO);
    }
    in_body(&b, conversion, temp_reg(&b, 1), computed ? temp_reg(&b, 3) : (unsigned)ELEMENT, NO, NO);
    if (how <= XOR) {
        in_scan(&b, ops[how], temp_reg(&b, 0), ACC, temp_reg(&b, 1), NO);
    } else {
        in_scan(&b, less_than, temp_reg(&b, 2), temp_reg(&b, 1), ACC, NO);
        in_scan(&b, type == AO_TYPE_i64 ? AO_OP_SEL_i64 : AO_OP_SEL_u64, temp_reg(&b, 0), temp_reg(&b, 2),
                how == LEAST ? temp_reg(&b, 1) : (unsigned)ACC, how == LEAST ? (unsigned)ACC : temp_reg(&b, 1));
    }
    input = (const unsigned char *)x + first * size, count = n;
    const uint64_t found = by_machine(&stop);
    uint64_t acc = params[0].u;
    for (size_t i = 0; i < n && want_stop == n; i++) {
        int fits = 1;
        const uint64_t v = widened(narrow, (const unsigned char *)input + i * size);
        const uint64_t next = how <= XOR ? step(type, (enum how)how, acc, v, &fits)
                              : less(type, v, acc) == (how == LEAST) ? v : acc;
        if (fits)
            acc = next;
        else
            want_stop = i;
    }
    CHECK(stop == want_stop && found == acc, "fold %u of type %u from %u, %zu elements from %zu on: at %zu, not %zu", how, type,
          narrow, n, first, stop, want_stop);
    input = x, count = MOST;
}

static void test_narrow(unsigned type, const unsigned *conversions, const unsigned *ops, unsigned less_than)
{
    static const size_t counts[] = {0, 1, 2, 7, 8, 9, 31, 64, 65, 1000, MOST - 8};
    static const uint8_t of[] = {AO_TYPE_i8, AO_TYPE_u8, AO_TYPE_i16, AO_TYPE_u16, AO_TYPE_i32, AO_TYPE_u32};
    uint64_t state = type;
    for (size_t i = 0; i < MOST; i++)
        x[i] = random_u64(&state);
    for (unsigned k = 0; k < sizeof of; k++)
        for (unsigned how = ADD; how <= XOR + 2; how++)
            for (unsigned c = 0; c < sizeof counts / sizeof *counts; c++)
                for (int computed = 0; computed < 2; computed++)
                    test_narrow_fold(type, of[k], conversions[k], ops, less_than, how, random_u64(&state) % 8, counts[c], computed);
}

/* A choice by a number's truth, and one among doubles, are no folds that can be taken in any order. */
static void test_look_alikes(void)
{
    size_t stop;
    start(AO_TYPE_i64, 2);
    const unsigned truth = build_const(&b, AO_TYPE_b1, (ao_value){.u = 1});
    b.header.next = (uint16_t)temp_reg(&b, 0);
    in_scan(&b, AO_OP_LT_i64, temp_reg(&b, 1), ELEMENT, ACC, NO);
    in_scan(&b, AO_OP_SEL_i64, temp_reg(&b, 0), truth, ELEMENT, ACC);
    CHECK(by_machine(&stop) == x[MOST - 1] && stop == MOST, "the last element");

    const uint64_t kept = params[0].u;
    double most = -1e300;
    params[0].f = most;
    start(AO_TYPE_f64, 2);
    in_scan(&b, AO_OP_LT_f64, temp_reg(&b, 1), ELEMENT, ACC, NO);
    in_scan(&b, AO_OP_SEL_f64, temp_reg(&b, 0), temp_reg(&b, 1), ACC, ELEMENT);
    for (size_t i = 0; i < MOST; i++) {
        const double v = (double)(i * 7919 % 5003) - 11;
        memcpy(&x[i], &v, sizeof v);
        most = v < most ? most : v;
    }
    const uint64_t found = by_machine(&stop);
    CHECK(memcmp(&found, &most, sizeof most) == 0, "the greatest double");
    params[0].u = kept;
}

int main(void)
{
    static const unsigned of_i64[] = {AO_OP_ADD_i64, AO_OP_ADD_CHECKED_i64, AO_OP_AND_i64, AO_OP_OR_i64, AO_OP_XOR_i64};
    static const unsigned of_u64[] = {AO_OP_ADD_u64, AO_OP_ADD_CHECKED_u64, AO_OP_AND_u64, AO_OP_OR_u64, AO_OP_XOR_u64};
    static const unsigned to_i64[] = {AO_OP_TO_i64_i8, AO_OP_TO_i64_u8, AO_OP_TO_i64_i16, AO_OP_TO_i64_u16, AO_OP_TO_i64_i32, AO_OP_TO_i64_u32};
    static const unsigned to_u64[] = {AO_OP_TO_u64_i8, AO_OP_TO_u64_u8, AO_OP_TO_u64_i16, AO_OP_TO_u64_u16, AO_OP_TO_u64_i32, AO_OP_TO_u64_u32};
    static const struct {
        unsigned bits;
        int wide_ones;
        int64_t acc;
    } data[] = {{10, 0, 3}, {47, 0, -9}, {64, 0, 0}, {20, 1, -1}, {20, 0, INT64_MAX - 1000}, {20, 0, INT64_MIN + 5}};
    for (const char *const *name = ao_isa_names; *name; name++) {
        isa = ao_isa_find(*name);
        for (size_t d = 0; isa && d < sizeof data / sizeof *data; d++) {
            params[0].i = data[d].acc, params[1].i = 77;
            fill(AO_TYPE_i64, data[d].bits, data[d].wide_ones);
            test_choices(AO_TYPE_i64, AO_OP_LT_i64, AO_OP_SEL_i64, 0);
            test_choices(AO_TYPE_i64, AO_OP_LE_i64, AO_OP_SEL_i64, 1);
            test_operations(AO_TYPE_i64, of_i64, AO_OP_ADD_CHECKED_i64);
            test_look_alikes();
            fill(AO_TYPE_u64, data[d].bits, data[d].wide_ones);
            test_choices(AO_TYPE_u64, AO_OP_LT_u64, AO_OP_SEL_u64, 0);
            test_choices(AO_TYPE_u64, AO_OP_LE_u64, AO_OP_SEL_u64, 1);
            test_operations(AO_TYPE_u64, of_u64, AO_OP_ADD_CHECKED_u64);
            test_narrow(AO_TYPE_i64, to_i64, of_i64, AO_OP_LT_i64);
            test_narrow(AO_TYPE_u64, to_u64, of_u64, AO_OP_LT_u64);
        }
    }
    return check_result("test_folds");
}
