/* Loading a program: copying it, verifying it, and answering what it is.
 *
 * The bytes may come from anywhere. What ao_program_load accepts run.c can run without any further check: it cannot
 * touch memory outside the buffers of its run, nor read a value that was never written. Nothing here runs a program.
 *
 * The rules. They are checked instruction by instruction, in order, with the current type of every register at hand.
 *
 *   shape      the magic, zero padding, register and instruction counts within the limits of vm.h, a size of exactly
 *              what the counts say, type bytes and opcodes in range, no unknown flag
 *   operands   exactly those that the opcode has; in range; written before; of the type that ops.def says. A register
 *              may be written again with another type. OUT is never read. dst may be one of the operands if their
 *              element sizes are equal
 *   tables     parameters of such a type, read only where the operation has a table of it; never the accumulator
 *   targets    prologue: a computed uniform. Elsewhere: a temporary, or OUT with header.out_type. Inputs, parameters
 *              and constants are never written. A program with an OUT writes it
 *   prologue   reads uniforms only and cannot fault
 *   body, epilogue   at least one operand is a vector, except where the operation spreads a uniform, has no operands or
 *              may mark (it then runs once a block)
 *   scan       accumulators are parameters, read in the scan only; their next values are temporaries whose last write is
 *              in the scan and of the accumulator's type. The scan runs all its instructions for element 0, then for element 1, and so on, in the
 *              same slots. If one instruction used a slot as 4-byte elements and another as 8-byte ones, writing
 *              element i of the wide view would destroy elements 2i and 2i+1 of the narrow one before they are
 *              read. Therefore: (a) a slot that holds a value from before the scan keeps its element size as long
 *              as the scan reads it; (b) a slot that the epilogue reads is written with one size only
 *   marks      guard and AO_STORE on faulting instructions only; a guard is a b1 and not the target, which is written
 *              first. AO_MARKING on a b1 operation that cannot fault and writes a temporary in body or epilogue; only
 *              AO_MARKING instructions and guards read it
 */
#include "program.h"
#include "kernels/reduce_kernels.h"

#include <stdlib.h>
#include <string.h>

#define AO_NAME(T) #T,
const char *const ao_type_names[AO_NTYPES] = {AO_TYPES(AO_NAME)};
#define AO_SIZE(T) (uint8_t)sizeof(ao_##T),
const uint8_t ao_type_sizes[AO_NTYPES] = {AO_TYPES(AO_SIZE)};

#define TRAIT__ .faults = 0
#define TRAIT_F .faults = 1
#define TRAIT_L .faults = 1, .leaves = 1
#define TRAIT_U .spreads = 1
#define TRAIT_R .run = 1
#define TYPE_NUMBER2(name) AO_TYPE_##name
#define TYPE_NUMBER(name) TYPE_NUMBER2(name)
#define INFO(T, op, D, A, B, C, trait, levels, work, text)                                                            \
    {.row = AO_ROW_##op, .type = AO_TYPE_##T, .dst = TYPE_NUMBER(AO_COLUMN_##D(T)),                                   \
     .a = TYPE_NUMBER(AO_COLUMN_##A(T)), .b = TYPE_NUMBER(AO_COLUMN_##B(T)), .c = TYPE_NUMBER(AO_COLUMN_##C(T)),      \
     TRAIT_##trait, .weight = work},
#define OP(name, types, ...) AO_LIST_##types(INFO, name, __VA_ARGS__)
const ao_op_info ao_ops[AO_NOPS] = {
#include "ops.def"
};
#define OP(name, types, dst, a, b, c, trait, levels, weight, meaning) {#name, meaning},
const ao_op_text ao_op_texts[AO_NROWS] = {
#include "ops.def"
};

static void *default_call(void *context, void *old, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size)
        return malloc(new_size);
    free(old);
    return NULL;
}
const ao_allocator ao_default_allocator = {default_call, NULL};

/* What is known of a register at the current instruction. */
typedef struct {
    uint8_t type;      /* AO_TYPE_NONE: not written yet */
    uint8_t section;   /* that wrote it last */
    uint8_t marking;   /* by an AO_MARKING instruction */
    uint8_t scan_read; /* element size with which the scan read a value from before it, or 0 */
    uint8_t scan_size; /* element size of the scan's writes: 0 none, MIXED several */
} reg_state;
enum { MIXED = 255 };

typedef struct {
    ao_program *program;
    reg_state *regs;
    unsigned section;
    int out_written;
} checker;

static int is_vector(const ao_program *p, unsigned reg)
{
    return reg < p->inputs || reg >= p->first_temp;
}

static int is_acc(const ao_program *p, unsigned reg)
{
    return p->accs && reg >= p->acc && reg < p->acc + p->accs;
}

static const char *check_scan_read(checker *v, reg_state *r, unsigned type)
{
    if (v->section == AO_SCAN && r->section != AO_SCAN)
        r->scan_read = ao_type_sizes[type];
    if (v->section == AO_EPILOGUE && r->section == AO_SCAN && r->scan_size == MIXED)
        return "the epilogue reads a register that the scan wrote with several element sizes";
    return NULL;
}

/* for_marks: the reader is a guard or an AO_MARKING instruction. */
static const char *check_read(checker *v, unsigned reg, unsigned type, int for_marks)
{
    const ao_program *p = v->program;
    if (reg >= p->regs)
        return "register out of range";
    if (reg >= p->out && (p->mask == AO_NO_REG || !v->out_written))
        return "OUT cannot be read";
    if (is_acc(p, reg) && v->section != AO_SCAN)
        return "the accumulator is read outside the scan";
    if (v->section == AO_PROLOGUE && is_vector(p, reg))
        return "the prologue reads a vector";
    reg_state *r = &v->regs[reg];
    if (r->type == AO_TYPE_NONE)
        return "register read before it is written";
    if (r->type != type)
        return "operand of the wrong type";
    if (r->marking && !for_marks)
        return "the result of a marking instruction is read by another kind";
    if (v->out_written && reg < p->inputs)
        v->program->rereads = 1;
    return is_vector(p, reg) ? check_scan_read(v, r, type) : NULL;
}

static const char *check_operand(checker *v, const ao_instr *ins, unsigned reg, unsigned type)
{
    if (type == AO_TYPE_NONE)
        return reg == AO_NO_REG ? NULL : "operand that the operation does not have";
    const char *why = check_read(v, reg, type, (ins->flags & AO_MARKING) != 0);
    if (why)
        return why;
    if (reg == ins->dst && type < AO_NTYPES && ao_type_sizes[type] != ao_type_sizes[ao_ops[ins->op].dst])
        return "target and operand are one register with different element sizes";
    return NULL;
}

/* Where b and c are the ends of a run of constants: that there is one. */
static const char *check_run(const ao_program *p, const ao_instr *ins)
{
    if (ins->b < p->first_const || ins->c >= p->first_computed || ins->b >= ins->c)
        return "not the ends of a run of constants";
    for (unsigned reg = ins->b; reg <= ins->c; reg++)
        if (p->types[reg] != ao_ops[ins->op].b)
            return "a run of constants of several types";
    return NULL;
}

static const char *check_operands(checker *v, const ao_instr *ins)
{
    const ao_op_info *info = &ao_ops[ins->op];
    const char *why = info->run ? check_run(v->program, ins) : NULL;
    if (!why)
        why = check_operand(v, ins, ins->a, info->a);
    if (!why)
        why = check_operand(v, ins, ins->b, info->b);
    if (!why)
        why = check_operand(v, ins, ins->c, info->c);
    if (why || v->section == AO_PROLOGUE || v->section == AO_SCAN)
        return why;
    if (info->a == AO_TYPE_NONE || info->spreads)
        return NULL;
    const unsigned operands[3] = {ins->a, ins->b, ins->c};
    for (int k = 0; k < 3; k++)
        if (operands[k] != AO_NO_REG && is_vector(v->program, operands[k]))
            return NULL;
    return info->faults ? NULL : "every operand is a uniform";
}

static const char *check_flags(checker *v, const ao_instr *ins)
{
    const ao_op_info *info = &ao_ops[ins->op];
    if (ins->zero || ins->flags & ~(AO_MARKING | AO_STORE))
        return "unknown flag or nonzero padding";
    if (!info->faults && (ins->flags & AO_STORE || ins->guard != AO_NO_REG))
        return "guard or AO_STORE on an instruction that cannot fault";
    if (info->faults && v->section == AO_PROLOGUE)
        return "the prologue cannot fault";
    if (!(ins->flags & AO_MARKING))
        return NULL;
    if (v->section != AO_BODY && v->section != AO_EPILOGUE)
        return "AO_MARKING outside body and epilogue";
    if (info->faults || info->dst != AO_TYPE_b1)
        return "AO_MARKING on an instruction that may fault or whose result is not b1";
    return NULL;
}

static const char *check_temp(checker *v, const ao_instr *ins, reg_state *r)
{
    const uint8_t size = ao_type_sizes[ao_ops[ins->op].dst];
    r->marking = (ins->flags & AO_MARKING) != 0;
    if (v->section != AO_SCAN)
        return NULL;
    if (r->scan_read && r->scan_read != size)
        return "the scan overwrites what it reads with another element size";
    r->scan_size = r->scan_size == 0 || r->scan_size == size ? size : MIXED;
    return NULL;
}

static const char *check_write(checker *v, const ao_instr *ins)
{
    const ao_program *p = v->program;
    const unsigned reg = ins->dst, type = ao_ops[ins->op].dst;
    if (reg >= p->regs)
        return "register out of range";
    if (v->section == AO_PROLOGUE ? reg < p->first_computed || reg >= p->first_temp : reg < p->first_temp)
        return "target that this section may not write";
    if (reg == p->out) {
        if (type != p->out_type)
            return "OUT has another type";
        if (ins->flags & AO_MARKING)
            return "OUT written by a marking instruction";
        v->out_written = 1;
        v->regs[reg].type = (uint8_t)type;
        v->regs[reg].section = (uint8_t)v->section;
        return NULL;
    }
    reg_state *r = &v->regs[reg];
    const char *why = reg >= p->first_temp ? check_temp(v, ins, r) : NULL;
    r->type = (uint8_t)type;
    r->section = (uint8_t)v->section;
    return why;
}

static const char *check_instr(checker *v, const ao_instr *ins)
{
    if (ins->op >= AO_NOPS)
        return "unknown opcode";
    const char *why = check_flags(v, ins);
    if (!why)
        why = check_operands(v, ins);
    if (!why && ins->guard != AO_NO_REG)
        why = ins->guard == ins->dst ? "the guard is the target" : check_read(v, ins->guard, AO_TYPE_b1, 1);
    return why ? why : check_write(v, ins);
}

static const char *check_acc(const ao_program *p)
{
    if (!p->accs)
        return p->acc == AO_NO_REG && p->next == AO_NO_REG ? NULL : "accumulator without a scan";
    for (unsigned k = 0; k < p->accs; k++) {
        if (p->acc + k < p->inputs || p->acc + k >= p->first_const || p->types[p->acc + k] >= AO_NTYPES)
            return "the accumulator is not a parameter, or is a table";
        if (p->next + k < p->first_temp || p->next + k >= p->out)
            return "the next accumulator is not a temporary";
    }
    return NULL;
}

static const char *check_next(const checker *v)
{
    const ao_program *p = v->program;
    for (unsigned k = 0; k < p->accs; k++) {
        const reg_state *next = &v->regs[p->next + k];
        if (next->type == AO_TYPE_NONE || next->section != AO_SCAN)
            return "the scan does not write the next accumulator";
        if (next->type != p->types[p->acc + k])
            return "the next accumulator is of another type than the accumulator";
    }
    return NULL;
}

static const char *check_mask(const checker *v)
{
    const ao_program *p = v->program;
    if (p->mask == AO_NO_REG)
        return NULL;
    if (p->acc != AO_NO_REG || p->out_type == AO_TYPE_NONE)
        return "a mask in a program with a scan or without OUT";
    if (p->mask < p->first_temp || p->mask >= p->out)
        return "the mask is not a temporary";
    const reg_state *mask = &v->regs[p->mask];
    return mask->type == AO_TYPE_b1 && !mask->marking ? NULL : "the mask is never written, or no truth value";
}

static uint8_t pointer_step(const ao_program *p, unsigned reg, unsigned type)
{
    return reg != AO_NO_REG && is_vector(p, reg) ? ao_type_sizes[type] : 0;
}

static ao_step decode(const ao_program *p, const ao_instr *ins, unsigned section)
{
    const ao_op_info *info = &ao_ops[ins->op];
    const unsigned none = p->regs;
    ao_step s = {.op = ins->op, .d = ins->dst};
    s.a = (uint16_t)(ins->a == AO_NO_REG ? none : ins->a);
    s.b = (uint16_t)(ins->b == AO_NO_REG ? none : ins->b);
    s.c = (uint16_t)(ins->c == AO_NO_REG ? none : ins->c);
    s.guard = (uint16_t)(ins->guard == AO_NO_REG ? none : ins->guard);
    s.step_d = pointer_step(p, ins->dst, info->dst);
    s.step_a = pointer_step(p, ins->a, info->a);
    s.step_b = pointer_step(p, ins->b, info->b);
    s.step_c = pointer_step(p, ins->c, info->c);
    s.step_guard = pointer_step(p, ins->guard, AO_TYPE_b1);
    if (section == AO_BODY || section == AO_EPILOGUE) /* the others run on one element: nothing is shared */
        s.uniform = (uint8_t)((ins->a != AO_NO_REG && !s.step_a) | (ins->b != AO_NO_REG && !s.step_b) << 1
                              | (ins->c != AO_NO_REG && !s.step_c) << 2);
    const int once = s.uniform && info->faults && !(s.step_a | s.step_b | s.step_c);
    s.flags = (uint8_t)(ins->flags | (info->faults ? AO_FAULTING : 0) | (once ? AO_ONCE : 0));
    if (once)
        s.uniform = 0;
    return s;
}

/* Checks and decodes all sections. `instrs` may be unaligned. */
static const char *check_sections(checker *v, const unsigned char *instrs, long *where)
{
    ao_program *p = v->program;
    for (v->section = AO_PROLOGUE; v->section < AO_SECTIONS; v->section++) {
        for (unsigned k = p->first[v->section]; k < p->first[v->section + 1]; k++) {
            ao_instr ins;
            memcpy(&ins, instrs + k * sizeof ins, sizeof ins);
            const char *why = check_instr(v, &ins);
            *where = (long)k;
            if (why)
                return why;
            p->steps[k] = decode(p, &ins, v->section);
            p->faults |= ao_ops[ins.op].faults;
        }
        *where = -1;
        const char *why = v->section == AO_SCAN ? check_next(v) : NULL;
        if (why)
            return why;
    }
    const char *why = check_mask(v);
    return why || p->out_type == AO_TYPE_NONE || v->out_written ? why : "OUT is never written";
}

static size_t pad8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static size_t header_types(const ao_header *h)
{
    return (size_t)h->inputs + h->params + h->consts;
}

static size_t header_instrs(const ao_header *h)
{
    return (size_t)h->prologue + h->body + h->scan + h->epilogue;
}

/* Everything that can be said before anything is copied. All counts are 16 bits, so that no sum here can overflow. */
static const char *check_header(const unsigned char *bytes, size_t size, ao_header *h)
{
    if (size < sizeof *h)
        return "shorter than a header";
    memcpy(h, bytes, sizeof *h);
    static const uint8_t zero[sizeof h->zero];
    if (h->magic != AO_MAGIC || memcmp(h->zero, zero, sizeof zero) != 0)
        return "not an arrayops program, or of another version or byte order";
    if (h->inputs > AO_MAX_INPUTS || h->temps > AO_MAX_TEMPS
        || (unsigned)h->params + h->consts + h->computed > AO_MAX_UNIFORMS || header_instrs(h) > AO_MAX_INSTRS)
        return "more registers or instructions than the machine has";
    if (h->further && !h->scan)
        return "accumulators without a scan";
    if (h->out_type >= AO_NTYPES && h->out_type != AO_TYPE_NONE)
        return "unknown type";
    if (size != sizeof *h + pad8(header_types(h)) + header_instrs(h) * sizeof(ao_instr) + h->consts * sizeof(ao_value))
        return "size differs from what the header says";
    for (size_t i = 0; i < pad8(header_types(h)); i++) {
        const unsigned type = bytes[sizeof *h + i], of_table = i >= h->inputs && i < (size_t)h->inputs + h->params;
        const int known = type < AO_NTYPES || (of_table && type - AO_TABLE_OF < AO_NTYPES);
        if (i < header_types(h) ? !known : type != 0)
            return "unknown type, or nonzero padding";
    }
    return NULL;
}

static void lay_out_registers(ao_program *p, const ao_header *h)
{
    p->inputs = h->inputs, p->params = h->params, p->consts = h->consts, p->computed = h->computed, p->temps = h->temps;
    p->first_const = p->inputs + p->params;
    p->first_computed = p->first_const + p->consts;
    p->first_temp = p->first_computed + p->computed;
    p->out = p->first_temp + p->temps;
    p->regs = p->out + (h->out_type != AO_TYPE_NONE);
    p->acc = h->acc, p->next = h->next, p->mask = h->mask;
    p->out_type = h->out_type;
    p->first[AO_BODY] = h->prologue;
    p->first[AO_SCAN] = p->first[AO_BODY] + h->body;
    p->first[AO_EPILOGUE] = p->first[AO_SCAN] + h->scan;
    p->first[AO_SECTIONS] = p->first[AO_EPILOGUE] + h->epilogue;
    p->accs = h->scan ? 1u + h->further : 0;
}

/* One block: the struct, the values of constants, the steps, the types. NULL without memory. */
static ao_program *copy_program(const unsigned char *bytes, const ao_header *h, const ao_allocator *allocator)
{
    const size_t values = h->consts * sizeof(ao_value), steps = header_instrs(h) * sizeof(ao_step);
    const size_t total = pad8(sizeof(ao_program)) + values + pad8(steps) + header_types(h);
    ao_program *p = allocator->call(allocator->context, NULL, 0, total);
    if (!p)
        return NULL;
    memset(p, 0, sizeof *p);
    unsigned char *at = (unsigned char *)p + pad8(sizeof *p);
    p->allocator = *allocator;
    p->bytes = total;
    lay_out_registers(p, h);
    p->values = (const ao_value *)(void *)at;
    p->steps = (ao_step *)(void *)(at + values);
    p->types = at + values + pad8(steps);
    memcpy(at + values + pad8(steps), bytes + sizeof *h, header_types(h));
    memcpy(at, bytes + sizeof *h + pad8(header_types(h)), values);
    return p;
}

/* Needs a table with a row per register while it works. */
static ao_status verify(ao_program *p, const unsigned char *instrs, const char **why, long *where)
{
    const size_t size = p->regs * sizeof(reg_state) + 1;
    checker v = {.program = p};
    *why = check_acc(p);
    if (*why)
        return AO_BAD_PROGRAM;
    v.regs = p->allocator.call(p->allocator.context, NULL, 0, size);
    if (!v.regs)
        return AO_NO_MEMORY;
    memset(v.regs, 0, size);
    for (unsigned k = 0; k < p->regs; k++)
        v.regs[k].type = k < p->first_computed ? p->types[k] : (uint8_t)AO_TYPE_NONE;
    *why = check_sections(&v, instrs, where);
    p->allocator.call(p->allocator.context, v.regs, size, 0);
    return *why ? AO_BAD_PROGRAM : AO_OK;
}

/* ---- folds in any order ---- */

/* Of an operation on the accumulator and something else, which fold it makes. */
static const struct {
    uint16_t op;
    uint8_t fold, checks;
} fold_operations[] = {
#define ROW(T, op, fold, checks) {AO_OP_##op##_##T, AO_FOLD_##fold, checks},
    AO_LIST_WIDE(ROW, ADD, ADD, 0) AO_LIST_WIDE(ROW, ADD_CHECKED, ADD, 1) AO_LIST_WIDE(ROW, AND, AND, 0)
    AO_LIST_WIDE(ROW, OR, OR, 0) AO_LIST_WIDE(ROW, XOR, XOR, 0)
#undef ROW
};

/* The other one of two operands if one of them is the accumulator, and elements of a vector; or AO_NO_REG. */
static unsigned beside_acc(const ao_program *p, unsigned a, unsigned b)
{
    const unsigned other = a == p->acc ? b : b == p->acc ? a : AO_NO_REG;
    return other != AO_NO_REG && is_vector(p, other) ? other : AO_NO_REG;
}

static enum ao_fold fold_of_choice(const ao_program *p, const ao_step *condition, const ao_step *choice)
{
    const int with_sign = choice->op == AO_OP_SEL_i64;
    const int fits = with_sign ? condition->op == AO_OP_LT_i64 || condition->op == AO_OP_LE_i64
                               : choice->op == AO_OP_SEL_u64 && (condition->op == AO_OP_LT_u64 || condition->op == AO_OP_LE_u64);
    if (!fits || choice->a != condition->d || beside_acc(p, choice->b, choice->c) != beside_acc(p, condition->a, condition->b))
        return AO_FOLD_NONE;
    const int takes_less = choice->b == condition->a;
    return with_sign ? (takes_less ? AO_FOLD_MIN_i64 : AO_FOLD_MAX_i64) : takes_less ? AO_FOLD_MIN_u64 : AO_FOLD_MAX_u64;
}

/* If the last step of the body does nothing but widen what is folded, and keeps its values: then they can be folded narrow. */
static void find_narrow(ao_program *p)
{
    if (p->first[AO_SCAN] == p->first[AO_BODY])
        return;
    const ao_step *s = p->steps + p->first[AO_SCAN] - 1;
    const ao_op_info *info = &ao_ops[s->op];
    if (s->d == p->folded && !(s->flags & AO_ONCE) && !info->faults && info->a < AO_TYPE_i64
        && info->b == AO_TYPE_NONE && (info->dst == AO_TYPE_i64 || (info->dst == AO_TYPE_u64 && !ao_is_signed((enum ao_type)info->a)))) {
        p->narrow = s->a;
        p->narrow_type = info->a == AO_TYPE_b1 ? (uint8_t)AO_TYPE_u8 : info->a;
    }
}

/* Of a scan of which nothing is read but the last value of its one accumulator. */
static void find_fold(ao_program *p)
{
    const ao_step *s = p->steps + p->first[AO_SCAN];
    const unsigned count = p->first[AO_EPILOGUE] - p->first[AO_SCAN];
    p->narrow = AO_NO_REG;
    if (p->accs != 1 || p->first[AO_SECTIONS] != p->first[AO_EPILOGUE] || count > 2 || s[count - 1].d != p->next
        || s[count - 1].flags & AO_STORE || s[count - 1].guard != p->regs)
        return;
    if (count == 2) {
        p->fold = (uint8_t)fold_of_choice(p, &s[0], &s[1]);
        p->folded = (uint16_t)beside_acc(p, s[1].b, s[1].c);
    }
    for (unsigned k = 0; count == 1 && k < sizeof fold_operations / sizeof *fold_operations; k++)
        if (fold_operations[k].op == s->op) {
            p->fold = fold_operations[k].fold;
            p->fold_checks = fold_operations[k].checks;
            p->folded = (uint16_t)beside_acc(p, s->a, s->b);
        }
    if (p->folded == AO_NO_REG)
        p->fold = AO_FOLD_NONE;
    if (p->fold != AO_FOLD_NONE)
        find_narrow(p);
}

/* Whether OUT is written by the last step alone, and by that only as far as nothing is to be marked. */
static int leaves_out(const ao_program *p)
{
    const ao_step *const last = p->steps + p->first[AO_SECTIONS] - 1;
    for (const ao_step *s = p->steps; s < last; s++)
        if (s->d == p->out)
            return 0;
    return p->out_type != AO_TYPE_NONE && p->acc == AO_NO_REG && p->first[AO_SECTIONS] > p->first[AO_BODY] && last->d == p->out
           && ao_ops[last->op].leaves && !(last->flags & AO_ONCE);
}

static size_t weigh(const ao_program *p)
{
    size_t weight = 0;
    for (const ao_step *s = p->steps + p->first[AO_BODY]; s < p->steps + p->first[AO_SECTIONS]; s++) {
        const ao_op_info *info = &ao_ops[s->op];
        weight += (size_t)info->weight * (info->run ? s->c - (size_t)s->b : 1);
    }
    return weight;
}

enum {
    BLOCK_BYTES = 32768, /* a small L1: with half of it 12 operations took 1.25 times as long on data in L2 and L3 */
    STAGGER = 192        /* temporaries multiples of 4096 apart would share L1 sets: staggered, 12 operations on data
                          * from memory took 0.59 instead of 0.76 ns per element */
};

/* Bytes of the widest element that a vector of the program holds. */
static size_t widest(const ao_program *p)
{
    size_t width = p->out_type == AO_TYPE_NONE ? 1 : ao_type_sizes[p->out_type];
    for (unsigned i = 0; i < p->inputs; i++)
        width = ao_type_sizes[p->types[i]] > width ? ao_type_sizes[p->types[i]] : width;
    for (const ao_step *s = p->steps; s < p->steps + p->first[AO_SECTIONS]; s++)
        width = ao_type_sizes[ao_ops[s->op].dst] > width ? ao_type_sizes[ao_ops[s->op].dst] : width;
    return width;
}

/* Elements of a block: the largest power of two with which all vectors together stay within BLOCK_BYTES. */
static size_t block_size(const ao_program *p, size_t width)
{
    const size_t vectors = (size_t)p->inputs + p->temps + (p->out_type != AO_TYPE_NONE);
    size_t block = AO_MAX_BLOCK / width;
    while (block > AO_MIN_BLOCK && block * width * vectors > BLOCK_BYTES)
        block /= 2;
    return block;
}

static ao_layout lay_out(const ao_program *p)
{
    ao_layout at;
    const size_t width = widest(p);
    at.block = block_size(p, width);
    at.regs = ao_round_up(sizeof(struct ao_frame_private));
    at.uniforms = at.regs + ao_round_up((p->regs + 1) * sizeof(char *));
    at.marks = at.uniforms + ao_round_up((p->first_temp - p->inputs + 1) * sizeof(ao_value));
    at.raw = at.marks + at.block;
    at.scratch = at.raw + at.block;
    at.stride = at.block * width + STAGGER;
    at.temps = at.scratch + (p->out_type == AO_TYPE_NONE ? 0 : at.stride);
    at.total = at.temps + p->temps * at.stride;
    return at;
}

size_t ao_frame_size(const ao_program *program, unsigned spaced)
{
    return program->frame.total + ao_round_up(spaced * sizeof(gathered)) + spaced * program->frame.stride;
}

ao_status ao_program_load(const void *bytes, size_t size, const ao_allocator *allocator, ao_program **out,
                          const char **why, long *where)
{
    const char *reason = NULL;
    long at = -1;
    ao_header h;
    ao_program *p = NULL;
    ao_status status = AO_BAD_PROGRAM;
    *out = NULL;
    reason = check_header(bytes, size, &h);
    if (reason)
        goto done;
    status = AO_NO_MEMORY;
    p = copy_program(bytes, &h, allocator ? allocator : &ao_default_allocator);
    if (!p)
        goto done;
    status = verify(p, (const unsigned char *)bytes + size - header_instrs(&h) * sizeof(ao_instr), &reason, &at);
    if (status == AO_OK) {
        find_fold(p);
        p->weight = weigh(p);
        p->leaves = (uint8_t)leaves_out(p);
        p->frame = lay_out(p);
        *out = p;
    } else {
        ao_program_free(p);
    }
done:
    if (why)
        *why = reason;
    if (where)
        *where = at;
    return status;
}

void ao_program_free(ao_program *program)
{
    if (!program)
        return;
    const ao_allocator allocator = program->allocator;
    ao_native_free(&program->native, &allocator);
    allocator.call(allocator.context, program, program->bytes, 0);
}

unsigned ao_program_inputs(const ao_program *program)
{
    return program->inputs;
}

unsigned ao_program_params(const ao_program *program)
{
    return program->params;
}

unsigned ao_program_type(const ao_program *program, unsigned i)
{
    return program->types[i];
}

unsigned ao_program_out_type(const ao_program *program)
{
    return program->out_type;
}

unsigned ao_program_acc_type(const ao_program *program, unsigned k)
{
    return k < program->accs ? program->types[program->acc + k] : (unsigned)AO_TYPE_NONE;
}

int ao_program_has_mask(const ao_program *program)
{
    return program->mask != AO_NO_REG;
}

unsigned ao_program_faults(const ao_program *program)
{
    return program->faults;
}

const ao_native *ao_program_native(const ao_program *program, const ao_isa *isa, ao_native_taking taking)
{
    const ao_program *p = program;
    const ao_native_source source = {
        .allocator = p->allocator, .steps = p->steps, .first = p->first[AO_BODY], .end = p->first[AO_SECTIONS],
        .inputs = p->inputs, .first_temp = p->first_temp, .temps = p->temps, .out = p->out, .regs = p->regs, .mask = p->mask,
        .has_out = p->out_type != AO_TYPE_NONE, .out_type = p->out_type, .taking = taking, .scan = p->first[AO_SCAN], .scan_end = p->first[AO_EPILOGUE],
        .accs = p->accs, .acc = p->acc, .next = p->next,
        .folded = p->fold == AO_FOLD_NONE ? AO_NO_REG : p->narrow != AO_NO_REG ? p->narrow : p->folded,
        .folded_by = p->first[AO_SCAN] - (p->narrow != AO_NO_REG), .types = p->types, .values = p->values,
        .first_const = p->first_const, .first_computed = p->first_computed};
    return ao_native_of(ao_native_slots_of(p), &source, isa);
}

size_t ao_program_weight(const ao_program *program)
{
    return program->weight;
}
