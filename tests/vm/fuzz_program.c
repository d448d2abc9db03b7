/* Any bytes: load them as a program; if it is accepted, run it at every level, in whole and in pieces, in place and
 * not, over memory filled with different garbage. Nothing may be read or written out of bounds (build with
 * sanitizers), and results, marks and the accumulator must be the same every time, with native code and without.
 *
 * LLVMFuzzerTestOneInput is the entry for libFuzzer. With AO_FUZZ_MAIN the file is a program of its own,
 *
 *   fuzz_program [count [seed [folder]]]
 *
 * which writes those that load to the folder, if one is given (seeds for libFuzzer); it makes random valid programs, changes a field or two in most of them (often to something that is valid as
 * well) and prints seed and number of the first that fails. */
#include "build_program.h"

#include <math.h>

enum { MOST_ELEMENTS = 700, MOST_FRAME = 1 << 20, ARRAYS = 8, TABLE = 21, ACCS = 4 };

typedef struct {
    unsigned char out[MOST_ELEMENTS * 8];
    uint8_t marks[MOST_ELEMENTS];
    size_t stops;
    ao_value acc[ACCS];
} outcome;

/* How a program is run. */
typedef struct {
    const ao_isa *isa;
    size_t count, step;
    int sink, keep, garbage, native;
    int in_place; /* the input to write over, or -1 */
} plan;

static uint64_t data_seed;

/* Values that are interesting to most operations; nans of one kind only, because which nan comes out of two is free. */
static void fill_array(unsigned char *to, unsigned type, size_t n, uint64_t seed)
{
    static const double floats[] = {0.0, -0.0, 1.0, -1.5, 0.1, 3.0, 1e300, -INFINITY, 0x1p63, 0x1p53, -2.5, 1e-310};
    for (size_t i = 0; i < n; i++) {
        const uint64_t bits = random_u64(&seed), nan = UINT64_C(0xFFF8000000000000);
        double f = floats[bits % 12];
        int64_t v = (int64_t)(bits >> (bits % 64));
        if (bits % 29 == 0)
            memcpy(&f, &nan, sizeof f);
        if (bits % 3)
            f = (double)(int)(bits >> 40) / 64, v = (int64_t)(bits >> 33) % 20 - 5;
        const float f32 = (float)f;
        if (type == AO_TYPE_f64)
            memcpy(to + i * 8, &f, 8);
        else if (type == AO_TYPE_f32)
            memcpy(to + i * 4, &f32, 4);
        else if (type == AO_TYPE_b1)
            to[i] = bits >> 50 & 1;
        else
            put_integer(to + i * ao_type_sizes[type], type, v);
    }
}

static void take(void *context, const void *block, size_t first, size_t n)
{
    void **c = context;
    const size_t size = *(size_t *)c[1];
    memcpy((char *)c[0] + first * size, block, n * size);
}

/* Patches what is marked with zeros and goes on. */
static void settle(ao_frame *frame, const ao_program *p, size_t size, outcome *o)
{
    for (size_t i = 0; i < frame->block_count; i++) {
        o->marks[frame->position + i] = frame->marks[i];
        if (frame->marks[i] && frame->block_out)
            memset((char *)frame->block_out + i * size, 0, size);
    }
    if (frame->scan_stopped) {
        o->stops++;
        for (unsigned k = 0; k < ACCS && ao_program_acc_type(p, k) != AO_TYPE_NONE; k++)
            ao_frame_set_acc(frame, k, (ao_value){.i = 1});
    }
    ao_finish(frame, frame->block_count);
}

static void run_frame(ao_frame *frame, const ao_program *p, const plan *how, size_t size, outcome *o)
{
    for (size_t end = how->step; frame->position < how->count; end += how->step)
        while (ao_run(frame, end) == AO_MARKED)
            settle(frame, p, size, o);
    for (unsigned k = 0; k < ACCS && ao_program_acc_type(p, k) != AO_TYPE_NONE; k++)
        o->acc[k] = ao_frame_acc(frame, k);
}

static void run_plan(const ao_program *p, const plan *how, outcome *o)
{
    const unsigned inputs = ao_program_inputs(p), params = ao_program_params(p), out_type = ao_program_out_type(p);
    const size_t size = out_type == AO_TYPE_NONE ? 0 : ao_type_sizes[out_type];
    void **arrays = calloc(inputs + 1u, sizeof *arrays);
    ao_value *values = calloc(params + 1u, sizeof *values);
    unsigned char *out = allocate_aligned(how->count * size + 64);
    void *memory = allocate_aligned(ao_frame_size(p, 0) + 64);
    if (!arrays || !values)
        abort();
    memset(o, 0, sizeof *o);
    memset(memory, how->garbage, ao_frame_size(p, 0));
    memset(out, 0, how->count * size);
    for (unsigned i = 0; i < inputs; i++) {
        arrays[i] = allocate_aligned(how->count * ao_type_sizes[ao_program_type(p, i)] + 64);
        fill_array(arrays[i], ao_program_type(p, i), how->count, data_seed + i);
    }
    static unsigned char elements[AO_NTYPES][TABLE * 8];
    static ao_table tables[AO_NTYPES];
    for (unsigned type = 0; type < AO_NTYPES; type++) {
        fill_array(elements[type], type, TABLE, data_seed + 77 + type);
        tables[type] = (ao_table){elements[type], data_seed % (TABLE + 1)};
    }
    for (unsigned i = 0; i < params; i++) {
        const unsigned type = ao_program_type(p, inputs + i);
        if (type >= AO_TABLE_OF) {
            values[i].table = &tables[type - AO_TABLE_OF];
            continue;
        }
        fill_array((unsigned char *)&values[i], type == AO_TYPE_f32 ? AO_TYPE_f64 : type, 1, data_seed + 99 + i);
    }
    void *context[2] = {out, (void *)&size};
    ao_job job = {.isa = how->isa, .inputs = (const void *const *)arrays, .params = values, .count = how->count};
    job.flags = (how->keep ? AO_KEEP : 0) | (how->native ? AO_NATIVE_AT_ONCE : 0);
    job.sink = (ao_sink){.take = how->sink ? take : NULL, .context = context};
    job.out = how->sink ? NULL : how->in_place >= 0 ? arrays[how->in_place] : out;
    ao_frame frame;
    ao_frame_open(&frame, p, &job, memory);
    run_frame(&frame, p, how, size, o);
    memcpy(o->out, how->sink ? out : job.out, how->count * size);
    for (unsigned i = 0; i < inputs; i++)
        free_aligned(arrays[i]);
    free(arrays), free(values), free_aligned(out), free_aligned(memory);
}

/* Any nan for any other. */
static void one_nan(unsigned char *values, unsigned type, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double f;
        float f32;
        memcpy(&f, values + i * 8 * (type == AO_TYPE_f64), 8);
        memcpy(&f32, values + i * 4 * (type == AO_TYPE_f32), 4);
        if (type == AO_TYPE_f64 && isnan(f))
            memset(values + i * 8, 0xFF, 8);
        if (type == AO_TYPE_f32 && isnan(f32))
            memset(values + i * 4, 0xFF, 4);
    }
}

/* The sign of a nan is free, and COPYSIGN shows it: such programs are only run. */
static int comparable(const unsigned char *bytes, size_t size)
{
    ao_header h;
    memcpy(&h, bytes, sizeof h);
    const size_t instrs = (size_t)h.prologue + h.body + h.scan + h.epilogue;
    for (size_t k = 0; k < instrs; k++) {
        ao_instr ins;
        memcpy(&ins, bytes + size - (instrs - k) * sizeof ins, sizeof ins);
        if (ins.op == AO_OP_COPYSIGN_f64)
            return 0;
    }
    return 1;
}

static int same_outcome(const ao_program *p, outcome *a, outcome *b, size_t count)
{
    const unsigned type = ao_program_out_type(p);
    one_nan(a->out, type, count);
    one_nan(b->out, type, count);
    for (unsigned k = 0; k < ACCS && ao_program_acc_type(p, k) != AO_TYPE_NONE; k++) {
        const unsigned acc = ao_program_acc_type(p, k);
        const int acc_nan = (acc == AO_TYPE_f64 || acc == AO_TYPE_f32) && isnan(a->acc[k].f) && isnan(b->acc[k].f);
        if (!acc_nan && a->acc[k].u != b->acc[k].u)
            return 0;
    }
    return memcmp(a->out, b->out, sizeof a->out) == 0 && memcmp(a->marks, b->marks, sizeof a->marks) == 0
           && a->stops == b->stops;
}

/* The level of a number, or the slowest. */
static const ao_isa *level_of(int number)
{
    int k = 0;
    while (k < number && ao_isa_names[k])
        k++;
    const ao_isa *isa = ao_isa_names[k] ? ao_isa_find(ao_isa_names[k]) : NULL;
    return isa ? isa : ao_isa_find("base");
}

static int find_twin(const ao_program *p)
{
    const unsigned type = ao_program_out_type(p);
    for (unsigned i = 0; type != AO_TYPE_NONE && i < ao_program_inputs(p); i++)
        if (ao_type_sizes[ao_program_type(p, i)] == ao_type_sizes[type])
            return (int)i;
    return -1;
}

/* Returns 1 if it was accepted and run, 0 if refused, -1 if it ran differently from one time to another. */
static int check_bytes(const unsigned char *bytes, size_t size)
{
    static outcome first, other;
    static const int garbage[] = {0x00, 0xFF, 0x5A, 0x80};
    ao_program *p;
    const ao_status status = ao_program_load(bytes, size, NULL, &p, NULL, NULL);
    if (status != AO_OK)
        return 0;
    if (ao_frame_size(p, 0) > MOST_FRAME) {
        ao_program_free(p);
        return 1;
    }
    uint64_t state = size;
    for (size_t i = 0; i < size; i++)
        state = state * 31 + bytes[i];
    data_seed = random_u64(&state);
    const uint64_t r = random_u64(&state);
    const size_t count = r % 16 == 0 ? r >> 8 & 511 : r >> 8 & 31;
    plan how = {ao_isa_find("base"), count, count + 1, 0, 0, garbage[0], 0, -1};
    run_plan(p, &how, &first);
    for (int k = 1; k < 6; k++) {
        const int native = k > 3;
        const size_t step = k == 1 ? count + 1 : 1 + (r >> 20) % 40;
        const int sink = k == 2 || (native && r >> 32 & 1), keep = k == 3 || (native && r >> 33 & 1);
        const int twin = keep && !sink ? find_twin(p) : -1;
        how = (plan){level_of(native ? k - 3 : k % 3), count, step, sink, keep, garbage[k % 4], native, twin};
        run_plan(p, &how, &other);
        if (comparable(bytes, size) && !same_outcome(p, &first, &other, count)) {
            fprintf(stderr, "level %s, way %d: another outcome\n", how.isa->name, k);
            ao_program_free(p);
            return -1;
        }
    }
    ao_program_free(p);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *exact = malloc(size + 1);
    if (!exact)
        abort();
    memcpy(exact, data, size);
    if (check_bytes(exact, size) < 0)
        abort();
    free(exact);
    return 0;
}

#ifdef AO_FUZZ_MAIN

enum { REGS = 64, SMALL = 1024 };

/* A program in the making: the type of every register at this point, as the verifier will see it. */
typedef struct {
    builder *b;
    uint64_t state;
    uint8_t type[REGS], marking[REGS];
    unsigned section, regs;
} maker;

static unsigned pick(maker *m, unsigned n)
{
    return (unsigned)(random_u64(&m->state) % n);
}

/* A readable register of the type, or AO_NO_REG. */
static unsigned pick_reg(maker *m, unsigned type, int marking)
{
    const ao_header *h = &m->b->header;
    const unsigned start = pick(m, m->regs);
    for (unsigned k = 0; k < m->regs; k++) {
        const unsigned reg = (start + k) % m->regs;
        const int vector = reg < h->inputs || reg >= temp_reg(m->b, 0);
        if (m->type[reg] != type || (m->marking[reg] && !marking) || (m->section == 0 && vector)
            || (h->acc != AO_NO_REG && reg >= h->acc && reg <= h->acc + h->further && m->section != 2))
            continue;
        return reg;
    }
    return AO_NO_REG;
}

/* Tries to append an instruction with a random operation to `dst`. */
static int make_instr(maker *m, unsigned op, unsigned dst)
{
    const ao_op_info *info = &ao_ops[op];
    builder *b = m->b;
    const int marking = m->section % 2 && !info->faults && info->dst == AO_TYPE_b1 && dst < m->regs && pick(m, 3) == 0;
    const unsigned types[3] = {info->a, info->b, info->c};
    unsigned operands[3] = {AO_NO_REG, AO_NO_REG, AO_NO_REG}, vectors = 0;
    if (m->section == 0 && info->faults)
        return 0;
    for (int k = 0; k < 3; k++) {
        if (types[k] == AO_TYPE_NONE)
            continue;
        operands[k] = pick_reg(m, types[k], marking);
        if (operands[k] == AO_NO_REG || (operands[k] == dst && ao_type_sizes[types[k]] != ao_type_sizes[info->dst]))
            return 0;
        vectors += operands[k] < b->header.inputs || operands[k] >= temp_reg(b, 0);
    }
    if (m->section % 2 && !vectors && !info->spreads && info->a != AO_TYPE_NONE)
        return 0;
    ao_instr *ins = build_instr(b, op, dst, operands[0], operands[1], operands[2]);
    ins->flags = (uint16_t)(marking ? AO_MARKING : info->faults && pick(m, 3) == 0 ? AO_STORE : 0);
    const unsigned guard = pick_reg(m, AO_TYPE_b1, 1);
    if (info->faults && guard != dst && pick(m, 2))
        ins->guard = (uint16_t)guard;
    if (dst < m->regs) {
        m->type[dst] = info->dst;
        m->marking[dst] = (uint8_t)marking;
    }
    return 1;
}

static unsigned make_section(maker *m, unsigned section, unsigned n)
{
    builder *b = m->b;
    unsigned made = 0;
    m->section = section;
    for (unsigned tries = 0; made < n && tries < n * 40; tries++) {
        const unsigned first = section == 0 ? computed_reg(b, 0) : temp_reg(b, 0);
        const unsigned count = section == 0 ? b->header.computed : b->header.temps;
        made += (unsigned)make_instr(m, pick(m, AO_NOPS), first + pick(m, count));
    }
    return made;
}

/* Some operation that gives the type, to the register; a COPY from wherever the type is found if need be. */
static unsigned make_result(maker *m, unsigned type, unsigned dst)
{
    for (int tries = 0; tries < 300; tries++) {
        const unsigned op = pick(m, AO_NOPS);
        if (ao_ops[op].dst == type && make_instr(m, op, dst))
            return 1;
    }
    return (unsigned)make_instr(m, AO_OP_COPY_b1 + type, dst);
}

static void make_registers(maker *m)
{
    builder *b = m->b;
    const unsigned favourite = pick(m, AO_NTYPES);
    for (unsigned n = pick(m, 4); n > 0; n--)
        build_input(b, pick(m, 2) ? favourite : pick(m, AO_NTYPES));
    for (unsigned n = pick(m, 4); n > 0; n--)
        build_param(b, (pick(m, 2) ? favourite : pick(m, AO_NTYPES)) + (pick(m, 3) ? 0 : AO_TABLE_OF));
    for (unsigned n = pick(m, 3); n > 0; n--)
        build_const(b, pick(m, AO_NTYPES), (ao_value){.u = random_u64(&m->state) >> pick(m, 64)});
    for (unsigned k = 0; k < b->header.consts; k++)
        if (b->types[build_type_count(b) - b->header.consts + k] >= AO_TYPE_f32)
            b->values[k].f = (double)(int)pick(m, 1000) / 8 - 20;
    b->header.computed = (uint16_t)pick(m, 3);
    b->header.temps = (uint16_t)(1 + pick(m, 6));
    m->regs = out_reg(b);
    memset(m->type, AO_TYPE_NONE, sizeof m->type);
    memset(m->marking, 0, sizeof m->marking);
    memcpy(m->type, b->types, build_type_count(b));
}

/* A random program; nearly always valid. */
static void make_program(maker *m)
{
    builder *b = m->b;
    build_start(b, pick(m, 6) ? pick(m, AO_NTYPES) : (unsigned)AO_TYPE_NONE);
    make_registers(m);
    ao_header *h = &b->header;
    const int fold = h->params && pick(m, 3) == 0;
    if (fold) {
        const unsigned most = h->params < h->temps ? h->params : h->temps;
        h->further = (uint8_t)(pick(m, 2) ? pick(m, most) : 0);
        h->acc = (uint16_t)(h->inputs + pick(m, h->params - h->further));
        h->next = (uint16_t)(temp_reg(b, 0) + pick(m, h->temps - h->further));
    }
    if (h->computed)
        h->prologue = (uint16_t)make_section(m, 0, pick(m, 3));
    h->body = (uint16_t)make_section(m, 1, pick(m, 8));
    if (fold) {
        h->scan = (uint16_t)make_section(m, 2, pick(m, 4));
        for (unsigned k = 0; k <= h->further; k++)
            h->scan = (uint16_t)(h->scan + make_result(m, m->type[h->acc + k], h->next + k));
    }
    h->epilogue = (uint16_t)make_section(m, 3, pick(m, 4));
    const unsigned written = h->out_type == AO_TYPE_NONE ? 0 : make_result(m, h->out_type, out_reg(b));
    h->epilogue = (uint16_t)(h->epilogue + written);
    if (!written)
        h->out_type = AO_TYPE_NONE;
}

static uint16_t *operand(ao_instr *ins, unsigned k)
{
    return k == 0 ? &ins->a : k == 1 ? &ins->b : &ins->c;
}

static unsigned operand_type(const ao_instr *ins, unsigned k)
{
    const ao_op_info *info = &ao_ops[ins->op];
    return k == 0 ? info->a : k == 1 ? info->b : info->c;
}

/* A register that some instruction reads as this type, or `old`. */
static unsigned other_register(maker *m, unsigned type, unsigned old)
{
    for (int tries = 0; tries < 20; tries++) {
        ao_instr *from = &m->b->instrs[pick(m, (unsigned)m->b->instr_count)];
        const unsigned k = pick(m, 3);
        if (type != AO_TYPE_NONE && operand_type(from, k) == type)
            return *operand(from, k);
    }
    return old;
}

static unsigned other_operation(maker *m, unsigned old)
{
    const ao_op_info *info = &ao_ops[old];
    for (unsigned tries = 0, op = pick(m, AO_NOPS); tries < AO_NOPS; tries++, op = (op + 1) % AO_NOPS)
        if (ao_ops[op].dst == info->dst && ao_ops[op].a == info->a && ao_ops[op].b == info->b && ao_ops[op].c == info->c
            && ao_ops[op].faults == info->faults && op != old)
            return op;
    return old;
}

/* A change that tends to leave the program valid: another operation on the same types, another register of the same
 * type, another target, a guard, a flag, a constant. */
static void change_gently(maker *m)
{
    builder *b = m->b;
    if (b->instr_count == 0)
        return;
    ao_instr *ins = &b->instrs[pick(m, (unsigned)b->instr_count)];
    const ao_op_info *info = &ao_ops[ins->op];
    const unsigned k = pick(m, 3);
    switch (pick(m, 8)) {
    case 0: case 1: ins->op = (uint16_t)other_operation(m, ins->op); break;
    case 2: case 3: *operand(ins, k) = (uint16_t)other_register(m, operand_type(ins, k), *operand(ins, k)); break;
    case 4: ins->guard = (uint16_t)(info->faults ? other_register(m, AO_TYPE_b1, AO_NO_REG) : AO_NO_REG); break;
    case 5: ins->flags ^= info->faults ? AO_STORE : info->dst == AO_TYPE_b1 ? AO_MARKING : 0; break;
    case 6: ins->dst = ins->dst < m->regs ? b->instrs[pick(m, (unsigned)b->instr_count)].dst : ins->dst; break;
    default: b->values[pick(m, 4)].i ^= 1 << pick(m, 30); break;
    }
}

static void change_bytes(maker *m, unsigned char *bytes, size_t *size)
{
    unsigned char *at = bytes + pick(m, (unsigned)*size);
    switch (pick(m, 4)) {
    case 0: *at = (unsigned char)pick(m, 256); break;
    case 1: *at ^= (unsigned char)(1 << pick(m, 8)); break;
    case 2: *at = (unsigned char)(*at + (pick(m, 2) ? 1 : -1)); break;
    default:
        if (pick(m, 8) == 0)
            *size -= pick(m, (unsigned)*size);
        else
            bytes[pick(m, sizeof(ao_header))] ^= (unsigned char)(1 << pick(m, 8));
    }
}

static void write_bytes(const char *folder, uint64_t seed, const unsigned char *bytes, size_t size)
{
    char name[4096];
    snprintf(name, sizeof name, "%s/program-%llu", folder, (unsigned long long)seed);
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
        abort();
}

/* One program from its seed: made, changed, run; written to the folder if there is one and it is valid. As check_bytes. */
static int run_one(uint64_t seed, const char *folder)
{
    static builder b;
    maker m = {.b = &b, .state = seed};
    size_t size;
    make_program(&m);
    for (unsigned n = pick(&m, 3); n > 0; n--)
        change_gently(&m);
    unsigned char *bytes = build_bytes(&b, &size);
    for (unsigned n = pick(&m, 6) ? 0 : 1 + pick(&m, 2); n > 0; n--)
        change_bytes(&m, bytes, &size);
    unsigned char *exact = malloc(size + 1);
    if (!exact)
        abort();
    memcpy(exact, bytes, size);
    const int result = check_bytes(exact, size);
    if (folder && result == 1)
        write_bytes(folder, seed, bytes, size);
    free(exact);
    free(bytes);
    return result;
}

int main(int argc, char **argv)
{
    const unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    const unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    unsigned long accepted = 0;
    for (unsigned long k = 0; k < count; k++) {
        const int result = run_one(seed + k, argc > 3 ? argv[3] : NULL);
        if (result < 0) {
            fprintf(stderr, "rerun: fuzz_program 1 %lu\n", seed + k);
            return 1;
        }
        accepted += (unsigned long)result;
    }
    printf("fuzz_program: %lu programs from seed %lu, %lu accepted\n", count, seed, accepted);
    return 0;
}

#endif
