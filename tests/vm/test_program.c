/* The verifier: every rule with a program that keeps it and one that breaks only it; every limit at it and one past it;
 * damaged bytes; running out of memory at each allocation. */
#include "build_program.h"

#define NO AO_NO_REG
#define I64 AO_TYPE_i64
#define F64 AO_TYPE_f64
#define B1 AO_TYPE_b1

static builder b;

static void expect(const char *what, const char *reason, long at)
{
    const char *why = NULL;
    long where = -2;
    ao_program *program = build_load(&b, &why, &where);
    if (reason) {
        CHECK(!program && why && strstr(why, reason) && where == at, "%s: got '%s' at %ld", what,
              why ? why : "nothing", where);
    } else {
        CHECK(program && !why && where == -1, "%s: refused: %s at %ld", what, why ? why : "?", where);
    }
    ao_program_free(program);
}

#define ACCEPT(what) expect(what, NULL, -1)
#define REFUSE(reason, at) expect(__func__, reason, at)

/* x: i64 input 0; p: i64 param; k: i64 const; one computed; temps as asked; OUT i64. */
static void start(unsigned temps)
{
    build_start(&b, I64);
    build_input(&b, I64);
    build_param(&b, I64);
    build_const(&b, I64, (ao_value){.i = 3});
    b.header.computed = 1;
    b.header.temps = (uint16_t)temps;
}
enum { X, P, K, U, T0, T1, T2, T3 };

static void test_accepts_everything(void)
{
    start(4);
    in_prologue(&b, AO_OP_MUL_i64, U, P, K, NO);
    in_body(&b, AO_OP_ADD_i64, T0, X, U, NO);
    in_body(&b, AO_OP_LT_i64, T1, T0, K, NO)->flags = AO_MARKING;
    in_body(&b, AO_OP_NOT_b1, T1, T1, NO, NO)->flags = AO_MARKING;
    ao_instr *div = in_body(&b, AO_OP_FLOORDIV_CHECKED_i64, T2, T0, X, NO);
    div->guard = T1;
    div->flags = AO_STORE;
    in_body(&b, AO_OP_TO_f64_i64, T2, T2, NO, NO);
    in_body(&b, AO_OP_FIX_f64, out_reg(&b), T2, NO, NO);
    ACCEPT("everything");
    const char *why;
    long where;
    ao_program *p = build_load(&b, &why, &where);
    CHECK(p && ao_program_inputs(p) == 1 && ao_program_params(p) == 1 && ao_program_type(p, 0) == I64
              && ao_program_type(p, 1) == I64 && ao_program_out_type(p) == I64 && ao_program_acc_type(p, 0) == AO_TYPE_NONE
              && ao_program_faults(p) == 1, "accessors");
    ao_program_free(p);
}

static void test_opcode(void)
{
    start(1);
    in_body(&b, AO_OP_COPY_i64, T1, X, NO, NO);
    b.instrs[0].op = AO_NOPS;
    REFUSE("unknown opcode", 0);
}

static void test_registers(void)
{
    start(1);
    in_body(&b, AO_OP_COPY_i64, T1, X, NO, NO); /* OUT is T1 */
    ACCEPT("copy to OUT");
    in_body(&b, AO_OP_COPY_i64, T2, X, NO, NO);
    REFUSE("out of range", 1);
    b.instrs[1].dst = T0, b.instrs[1].a = T2;
    REFUSE("out of range", 1);
    b.instrs[1].a = T1;
    REFUSE("OUT cannot be read", 1);
    b.instrs[1].a = NO;
    REFUSE("out of range", 1);
    b.instrs[1].a = X, b.instrs[1].b = X;
    REFUSE("does not have", 1);
    b.instrs[1].b = NO, b.instrs[1].c = 0;
    REFUSE("does not have", 1);
    b.instrs[1].c = NO, b.instrs[1].a = T0;
    REFUSE("before it is written", 1);
    b.instrs[1].a = U;
    REFUSE("before it is written", 1);
}

static void test_no_out(void)
{
    start(1);
    b.header.out_type = AO_TYPE_NONE;
    ACCEPT("no OUT, no instructions");
    in_body(&b, AO_OP_COPY_i64, T1, X, NO, NO);
    REFUSE("out of range", 0);
}

static void test_types(void)
{
    start(1);
    in_body(&b, AO_OP_NEG_f64, T0, X, NO, NO);
    REFUSE("wrong type", 0);
    b.instrs[0].op = AO_OP_TO_f64_i64;
    in_body(&b, AO_OP_COPY_i64, T1, T0, NO, NO);
    REFUSE("wrong type", 1);
    b.instrs[1].op = AO_OP_COPY_f64;
    REFUSE("OUT has another type", 1);
    b.instrs[1].op = AO_OP_FIX_f64;
    ACCEPT("f64 to OUT through FIX");
    in_body(&b, AO_OP_COPY_i64, T0, X, NO, NO);
    in_body(&b, AO_OP_ADD_i64, T0, T0, K, NO);
    ACCEPT("a temporary that changes type");
}

static void test_targets(void)
{
    for (unsigned reg = X; reg <= U; reg++) {
        start(1);
        in_body(&b, AO_OP_COPY_i64, T1, X, NO, NO);
        in_body(&b, AO_OP_COPY_i64, reg, X, NO, NO);
        REFUSE("may not write", 1);
    }
    for (unsigned reg = X; reg <= T1; reg++) {
        start(1);
        in_prologue(&b, AO_OP_COPY_i64, reg, P, NO, NO);
        in_body(&b, AO_OP_COPY_i64, T1, X, NO, NO);
        if (reg == U)
            ACCEPT("prologue writes a computed uniform");
        else
            REFUSE("may not write", 0);
    }
    start(1);
    in_body(&b, AO_OP_COPY_i64, T0, X, NO, NO);
    REFUSE("never written", -1);
}

static void test_prologue(void)
{
    start(1);
    in_prologue(&b, AO_OP_COPY_i64, U, X, NO, NO);
    in_body(&b, AO_OP_COPY_i64, T1, U, NO, NO);
    REFUSE("reads a vector", 0);
    b.instrs[0].a = U;
    REFUSE("before it is written", 0);
    b.instrs[0].op = AO_OP_MUL_CHECKED_i64, b.instrs[0].a = P, b.instrs[0].b = K;
    REFUSE("cannot fault", 0);
    b.instrs[0].op = AO_OP_MUL_i64;
    ACCEPT("multiplication in the prologue");
}

static void test_all_uniform(void)
{
    start(1);
    in_body(&b, AO_OP_ADD_i64, T1, P, K, NO);
    REFUSE("every operand is a uniform", 0);
    b.instrs[0].b = X;
    ACCEPT("one vector");
    b.instrs[0] = (ao_instr){AO_OP_COPY_i64, 0, T1, K, NO, NO, NO, 0};
    ACCEPT("COPY of a uniform");
    in_body(&b, AO_OP_FAIL_b1, T0, NO, NO, NO);
    ACCEPT("FAIL without operands");
    in_epilogue(&b, AO_OP_ABS_i64, T0, P, NO, NO);
    REFUSE("every operand is a uniform", 2);
}

static void test_runs_of_constants(void)
{
    build_start(&b, F64);
    build_input(&b, F64);
    build_param(&b, F64);
    build_const(&b, F64, (ao_value){.f = 1});
    build_const(&b, F64, (ao_value){.f = 2});
    build_const(&b, I64, (ao_value){.i = 3});
    build_const(&b, F64, (ao_value){.f = 4});
    in_body(&b, AO_OP_HORNER_f64, 6, 0, 2, 3); /* x, p, 1.0, 2.0, 3, 4.0, OUT */
    ACCEPT("a run of two");
    b.instrs[0].c = 5;
    REFUSE("of several types", 0);
    b.instrs[0].c = 2;
    REFUSE("not the ends of a run", 0);
    b.instrs[0].b = 3;
    REFUSE("not the ends of a run", 0);
    b.instrs[0].b = 1, b.instrs[0].c = 3;
    REFUSE("not the ends of a run", 0);
    b.instrs[0].b = 0;
    REFUSE("not the ends of a run", 0);
    b.instrs[0].b = 2, b.instrs[0].c = NO;
    REFUSE("not the ends of a run", 0);
    b.instrs[0].b = NO;
    REFUSE("not the ends of a run", 0);
    b.instrs[0].b = 2, b.instrs[0].c = 3, b.instrs[0].a = 1;
    REFUSE("every operand is a uniform", 0);
}

static void test_in_place(void)
{
    start(1);
    in_body(&b, AO_OP_COPY_i64, T1, X, NO, NO);
    in_body(&b, AO_OP_LT_i64, T0, X, K, NO);
    in_body(&b, AO_OP_TO_i8_b1, T0, T0, NO, NO);
    ACCEPT("in place with one size");
    b.instrs[2].op = AO_OP_TO_i64_b1;
    REFUSE("different element sizes", 2);
}

static void test_marking(void)
{
    start(3);
    in_body(&b, AO_OP_COPY_i64, T3, X, NO, NO);
    in_body(&b, AO_OP_LT_i64, T0, X, K, NO)->flags = AO_MARKING;
    in_body(&b, AO_OP_NOT_b1, T1, T0, NO, NO)->flags = AO_MARKING;
    in_body(&b, AO_OP_FLOORDIV_CHECKED_i64, T2, X, X, NO)->guard = T1;
    ACCEPT("guards");
    b.instrs[2].flags = 0;
    REFUSE("read by another kind", 2);
    b.instrs[2].flags = AO_MARKING;
    b.instrs[1].flags = AO_MARKING | 4;
    REFUSE("unknown flag", 1);
    b.instrs[1].flags = 0;
    ACCEPT("a guard from a plain value");
    b.instrs[1].zero = 1;
    REFUSE("padding", 1);
    b.instrs[1].zero = 0, b.instrs[1].guard = T0;
    REFUSE("cannot fault", 1);
    b.instrs[1].guard = NO, b.instrs[1].flags = AO_STORE;
    REFUSE("cannot fault", 1);
    b.instrs[1].flags = 0;
    b.instrs[3].guard = U;
    REFUSE("before it is written", 3);
    b.instrs[3].guard = X;
    REFUSE("wrong type", 3);
    b.instrs[3] = (ao_instr){AO_OP_FAIL_b1, 0, T0, NO, NO, NO, T0, 0};
    REFUSE("guard is the target", 3);
    b.instrs[3] = (ao_instr){AO_OP_FLOORDIV_CHECKED_i64, 0, T2, X, X, NO, NO, 0};
    b.instrs[3].guard = T1, b.instrs[3].flags = AO_MARKING;
    REFUSE("may fault or whose result is not b1", 3);
    b.instrs[3].flags = AO_STORE;
    ACCEPT("AO_STORE");
    b.instrs[2] = (ao_instr){AO_OP_ADD_i64, AO_MARKING, T1, X, X, NO, NO, 0};
    REFUSE("may fault or whose result is not b1", 2);
}

static void test_marking_places(void)
{
    build_start(&b, B1);
    build_input(&b, B1);
    build_param(&b, B1);
    b.header.computed = 1;
    b.header.temps = 1;
    in_prologue(&b, AO_OP_NOT_b1, 2, 1, NO, NO)->flags = AO_MARKING;
    in_body(&b, AO_OP_COPY_b1, 4, 0, NO, NO);
    REFUSE("outside body and epilogue", 0);
    b.instrs[0].flags = 0;
    ACCEPT("prologue of b1");
    in_epilogue(&b, AO_OP_NOT_b1, 4, 0, NO, NO)->flags = AO_MARKING;
    REFUSE("OUT written by a marking", 2);
    b.instrs[2].dst = 3;
    ACCEPT("marking in the epilogue");
}

/* acc = acc * 31 + x, with a copy of it to OUT. */
static void start_fold(void)
{
    start(3);
    b.header.acc = P, b.header.next = T1;
    in_body(&b, AO_OP_ADD_i64, T0, X, K, NO);
    in_scan(&b, AO_OP_MUL_CHECKED_i64, T1, P, K, NO);
    in_scan(&b, AO_OP_ADD_CHECKED_i64, T1, T1, T0, NO);
    in_epilogue(&b, AO_OP_COPY_i64, out_reg(&b), T1, NO, NO);
}

static void test_scan(void)
{
    start_fold();
    ACCEPT("fold");
    b.instrs[0].b = P;
    REFUSE("accumulator is read outside", 0);
    start_fold();
    b.instrs[3].a = P;
    REFUSE("accumulator is read outside", 3);
    start_fold();
    b.header.acc = K;
    REFUSE("not a parameter", -1);
    b.header.acc = X;
    REFUSE("not a parameter", -1);
    b.header.acc = NO;
    REFUSE("not a parameter", -1);
    start_fold();
    b.header.next = U;
    REFUSE("not a temporary", -1);
    b.header.next = (uint16_t)out_reg(&b);
    REFUSE("not a temporary", -1);
    b.header.next = T0;
    REFUSE("does not write the next", -1);
    start_fold();
    b.instrs[2].flags = AO_MARKING;
    REFUSE("AO_MARKING outside", 2);
    start_fold();
    in_prologue(&b, AO_OP_COPY_i64, U, P, NO, NO);
    memmove(b.instrs + 1, b.instrs, 4 * sizeof b.instrs[0]);
    b.instrs[0] = (ao_instr){AO_OP_COPY_i64, 0, U, P, NO, NO, NO, 0};
    REFUSE("accumulator is read outside", 0);
    b.instrs[0].a = K;
    ACCEPT("fold with a prologue");
}

static void test_several_accumulators(void)
{
    build_start(&b, AO_TYPE_NONE);
    build_input(&b, I64);
    build_param(&b, I64);
    build_param(&b, AO_TYPE_f64);
    b.header.temps = 3;
    b.header.acc = 1, b.header.next = 3, b.header.further = 1;
    in_scan(&b, AO_OP_ADD_i64, 3, 0, 1, NO);
    in_scan(&b, AO_OP_COPY_f64, 4, 2, NO, NO);
    ACCEPT("two accumulators");
    b.instrs[1] = (ao_instr){AO_OP_COPY_i64, 0, 4, 1, NO, NO, NO, 0};
    REFUSE("of another type", -1);
    b.instrs[1] = (ao_instr){AO_OP_COPY_f64, 0, 5, 2, NO, NO, NO, 0};
    REFUSE("does not write the next", -1);
    b.header.further = 2;
    REFUSE("not a parameter", -1);
    b.header.further = 1, b.header.next = 5;
    REFUSE("not a temporary", -1);
    b.header.next = 3, b.header.scan = 0, b.header.body = 2;
    REFUSE("without a scan", -1);
    build_start(&b, AO_TYPE_NONE);
    build_input(&b, I64);
    build_param(&b, I64);
    build_param(&b, I64);
    b.header.temps = 3;
    b.header.acc = 1, b.header.next = 3, b.header.further = 1;
    in_body(&b, AO_OP_ADD_i64, 5, 0, 2, NO);
    in_scan(&b, AO_OP_COPY_i64, 3, 5, NO, NO);
    in_scan(&b, AO_OP_COPY_i64, 4, 1, NO, NO);
    REFUSE("accumulator is read outside", 0);
}

static void test_scan_needed(void)
{
    start(2);
    in_body(&b, AO_OP_COPY_i64, T2, X, NO, NO);
    b.header.acc = P;
    REFUSE("without a scan", -1);
    b.header.acc = NO, b.header.next = T0;
    REFUSE("without a scan", -1);
}

static void test_next_type(void)
{
    start_fold();
    b.header.scan++, b.header.epilogue--;
    b.instrs[3] = (ao_instr){AO_OP_TO_f64_i64, 0, T1, T1, NO, NO, NO, 0};
    b.header.out_type = AO_TYPE_NONE;
    REFUSE("of another type", -1);
}

static void test_scan_sizes(void)
{
    start_fold(); /* T0 is read as i64 from the body, then written as b1 */
    b.instrs[3] = (ao_instr){AO_OP_LT_i64, 0, T0, T1, K, NO, NO, 0};
    b.header.scan++, b.header.epilogue--;
    in_epilogue(&b, AO_OP_COPY_i64, out_reg(&b), T1, NO, NO);
    REFUSE("another element size", 3);
    b.instrs[3].dst = T2;
    ACCEPT("b1 to a slot of its own");
    start_fold(); /* T2: f64 from the body, not read in the scan; b1, then i64 in the scan; read in the epilogue */
    b.instrs[1] = (ao_instr){AO_OP_LT_i64, 0, T2, P, K, NO, NO, 0};
    b.instrs[2] = (ao_instr){AO_OP_ADD_i64, 0, T2, P, T0, NO, NO, 0};
    b.instrs[3] = (ao_instr){AO_OP_COPY_i64, 0, T1, T2, NO, NO, NO, 0};
    b.header.scan++, b.header.epilogue--;
    in_epilogue(&b, AO_OP_COPY_i64, out_reg(&b), T1, NO, NO);
    ACCEPT("two sizes in the scan only");
    b.instrs[4].a = T2;
    REFUSE("several element sizes", 4);
}

static void start_masked(void)
{
    start(2);
    in_body(&b, AO_OP_LT_i64, T0, X, K, NO);
    in_body(&b, AO_OP_ADD_i64, T1, X, K, NO);
    in_body(&b, AO_OP_COPY_i64, out_reg(&b), T1, NO, NO);
    b.header.mask = T0;
}

static void test_mask(void)
{
    start_masked();
    ACCEPT("masked");
    b.header.mask = T1;
    REFUSE("no truth value", -1);
    b.header.mask = U;
    REFUSE("not a temporary", -1);
    b.header.mask = X;
    REFUSE("not a temporary", -1);
    b.header.mask = (uint16_t)out_reg(&b);
    REFUSE("not a temporary", -1);
    b.header.mask = NO - 1;
    REFUSE("not a temporary", -1);
    start_masked();
    b.header.temps = 3;
    b.header.mask = T2;
    b.instrs[2].dst = (uint16_t)out_reg(&b);
    REFUSE("never written", -1);
    start_masked();
    b.instrs[0].flags = AO_MARKING;
    REFUSE("no truth value", -1);
    start_masked();
    b.instr_count = 2, b.header.body = 2;
    b.header.out_type = AO_TYPE_NONE;
    REFUSE("without OUT", -1);
}

/* A parameter that is a table is read by its own operation, as a table of its type, and by nothing else. */
static void test_tables(void)
{
    start(2);
    b.types[P] = AO_TYPE_table_i64;
    in_body(&b, AO_OP_TAKE_i64, T0, X, P, NO);
    in_body(&b, AO_OP_ADD_i64, out_reg(&b), T0, K, NO);
    ACCEPT("a table");
    b.types[P] = AO_TYPE_table_u64;
    REFUSE("operand of the wrong type", 0);
    b.types[P] = I64;
    REFUSE("operand of the wrong type", 0);
    b.types[P] = AO_TYPE_table_i64;
    b.instrs[1].b = P;
    REFUSE("operand of the wrong type", 1);
    b.instrs[1].b = K, b.instrs[0].a = P;
    REFUSE("operand of the wrong type", 0);
    b.instrs[0].a = X, b.instrs[0].dst = P;
    REFUSE("target that this section may not write", 0);
    b.instrs[0].dst = T0, b.types[X] = AO_TYPE_table_i64;
    REFUSE("unknown type", -1);
    b.types[X] = I64, b.types[K] = AO_TYPE_table_i64;
    REFUSE("unknown type", -1);
    b.types[K] = I64, b.types[P] = AO_TABLE_OF + AO_NTYPES;
    REFUSE("unknown type", -1);
    b.types[P] = AO_TABLE_OF - 1;
    REFUSE("unknown type", -1);
}

/* Nor is it what a fold carries. */
static void test_table_as_accumulator(void)
{
    start(2);
    b.types[P] = AO_TYPE_table_i64;
    b.header.acc = P, b.header.next = T0;
    in_scan(&b, AO_OP_TAKE_i64, T0, X, P, NO);
    in_epilogue(&b, AO_OP_COPY_i64, out_reg(&b), T0, NO, NO);
    REFUSE("is a table", -1);
}

static void test_header(void)
{
    start(1);
    in_body(&b, AO_OP_COPY_i64, T1, X, NO, NO);
    b.header.magic++;
    REFUSE("not an arrayops program", -1);
    b.header.magic--, b.header.zero[1] = 1;
    REFUSE("not an arrayops program", -1);
    b.header.zero[1] = 0, b.header.out_type = AO_NTYPES;
    REFUSE("unknown type", -1);
    b.header.out_type = I64, b.types[2] = AO_NTYPES;
    REFUSE("unknown type", -1);
    b.types[2] = I64, b.header.body++;
    REFUSE("size differs", -1);
    b.header.body--;
    ACCEPT("whole again");
}

static void refuse_bytes(const unsigned char *bytes, size_t size, const char *what)
{
    ao_program *p;
    unsigned char *exact = malloc(size + 1);
    if (!exact)
        abort();
    memcpy(exact + 1, bytes, size); /* unaligned too */
    CHECK(ao_program_load(exact + 1, size, NULL, &p, NULL, NULL) == AO_BAD_PROGRAM && !p, "%s of %zu", what, size);
    free(exact);
}

static void test_sizes_and_padding(void)
{
    start(1);
    in_body(&b, AO_OP_COPY_i64, T1, X, NO, NO);
    size_t size;
    unsigned char *bytes = build_bytes(&b, &size), longer[512] = {0};
    memcpy(longer, bytes, size);
    for (size_t n = 0; n < size; n++)
        refuse_bytes(bytes, n, "truncated");
    for (size_t n = size + 1; n < size + 40; n++)
        refuse_bytes(longer, n, "extended");
    ao_program *p;
    memmove(longer + 1, bytes, size);
    CHECK(ao_program_load(longer + 1, size, NULL, &p, NULL, NULL) == AO_OK, "unaligned bytes");
    ao_program_free(p);
    bytes[sizeof(ao_header) + 7] = 1;
    refuse_bytes(bytes, size, "padding");
    free(bytes);
}

static void try_counts(unsigned inputs, unsigned params, unsigned consts, unsigned computed, unsigned temps, int good)
{
    build_start(&b, AO_TYPE_NONE);
    for (unsigned k = 0; k < inputs; k++)
        build_input(&b, I64);
    for (unsigned k = 0; k < params; k++)
        build_param(&b, I64);
    for (unsigned k = 0; k < consts; k++)
        build_const(&b, I64, (ao_value){.i = 1});
    b.header.computed = (uint16_t)computed;
    b.header.temps = (uint16_t)temps;
    if (good)
        ACCEPT("at the limit");
    else
        expect("past the limit", "more registers", -1);
}

static void test_limits(void)
{
    try_counts(AO_MAX_INPUTS, 0, 0, 0, 0, 1);
    try_counts(AO_MAX_INPUTS + 1, 0, 0, 0, 0, 0);
    try_counts(0, AO_MAX_UNIFORMS, 0, 0, 0, 1);
    try_counts(0, AO_MAX_UNIFORMS + 1, 0, 0, 0, 0);
    try_counts(0, 0, AO_MAX_UNIFORMS, 0, 0, 1);
    try_counts(0, 0, AO_MAX_UNIFORMS, 1, 0, 0);
    try_counts(0, 100, 92, AO_MAX_UNIFORMS - 192, 0, 1);
    try_counts(0, 100, 92, AO_MAX_UNIFORMS - 191, 0, 0);
    try_counts(0, 0, 0, 65535, 0, 0);
    try_counts(0, 0, 0, 0, AO_MAX_TEMPS, 1);
    try_counts(0, 0, 0, 0, AO_MAX_TEMPS + 1, 0);
    try_counts(AO_MAX_INPUTS, 8000, 192, 0, AO_MAX_TEMPS, 1);
    for (unsigned more = 0; more < 2; more++) {
        start(1);
        for (unsigned k = 0; k < AO_MAX_INSTRS - 1 + more; k++)
            in_body(&b, AO_OP_ADD_i64, T0, X, K, NO);
        in_epilogue(&b, AO_OP_COPY_i64, T1, X, NO, NO);
        if (more)
            expect("instructions", "more registers or instructions", -1);
        else
            ACCEPT("instructions");
    }
}

/* Fails at each allocation in turn; nothing may be left behind. */
static void test_memory(void)
{
    start_fold();
    size_t size;
    void *bytes = build_bytes(&b, &size);
    counting c = {0, -1, 0};
    const ao_allocator allocator = {counting_call, &c};
    ao_program *p;
    CHECK(ao_program_load(bytes, size, &allocator, &p, NULL, NULL) == AO_OK, "counted load");
    const long calls = c.calls;
    CHECK(calls == 2, "%ld allocations", calls);
    ao_program_free(p);
    CHECK(c.outstanding == 0, "%zu bytes left", c.outstanding);
    for (long k = 0; k < calls; k++) {
        c = (counting){0, k, 0};
        CHECK(ao_program_load(bytes, size, &allocator, &p, NULL, NULL) == AO_NO_MEMORY && !p, "allocation %ld", k);
        CHECK(c.outstanding == 0, "%zu bytes left after %ld", c.outstanding, k);
    }
    c = (counting){0, -1, 0};
    ((unsigned char *)bytes)[size - 1] = 1;
    CHECK(ao_program_load(bytes, size, &allocator, &p, NULL, NULL) == AO_BAD_PROGRAM, "bad program");
    CHECK(c.outstanding == 0, "%zu bytes left", c.outstanding);
    free(bytes);
    ao_program_free(NULL);
}

int main(void)
{
    test_accepts_everything();
    test_opcode();
    test_registers();
    test_no_out();
    test_types();
    test_targets();
    test_prologue();
    test_all_uniform();
    test_runs_of_constants();
    test_in_place();
    test_marking();
    test_marking_places();
    test_scan();
    test_several_accumulators();
    test_scan_needed();
    test_next_type();
    test_scan_sizes();
    test_mask();
    test_tables();
    test_table_as_accumulator();
    test_header();
    test_sizes_and_padding();
    test_limits();
    test_memory();
    return check_result("test_program");
}
