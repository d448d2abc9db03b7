/* The scan of a fold as a loop of x86-64, at every level that has vectors of AVX: an element after the other, accumulators in
 * registers.
 *
 *   size_t scan(size_t n, char *const *registers)           System V: n in rdi, registers in rsi
 *
 *   r8    the element                                       rax rcx rdx, xmm0 xmm1   scratch, of one operation
 *   rbx rbp r9..r15, xmm2..xmm15                            values
 *
 * Ints and truth values are in general registers, whose multiplications, comparisons and choices take the fewest cycles;
 * floats in the lowest lane of a vector. Of an int of 8 or 16 bits the bits above those may be anything, of one of 32 they
 * are 0; a truth value is 0 or 1.
 *
 * What faults jumps behind the loop, so that accumulators still have the values from before the element.
 */
#include "x86_scan.h"

#include <string.h>

#if AO_NATIVE_X86_64

static const uint8_t base_registers[SCAN_BASES] = {RBX, RBP};

/* ---- memory ---- */

static x86_rm uniform_at(x86_scan *g, unsigned reg)
{
    x86_load(&g->code, RCX, RSI, (int32_t)(reg * sizeof(char *)));
    return x86_at(RCX, NO_INDEX, 0, 0);
}

/* An accumulator of the program is a uniform, whatever else it is here. */
static x86_rm memory_of(x86_scan *g, const plan_value *v)
{
    if (v->kind == PLAN_UNIFORM)
        return uniform_at(g, v->reg);
    for (unsigned k = 0; k < g->base_count; k++)
        if (g->bases[k] == v->reg)
            return x86_at(base_registers[k], ELEMENT, log2_of(size_of(v->type)), 0);
    x86_load(&g->code, RCX, RSI, (int32_t)(v->reg * sizeof(char *)));
    return x86_at(RCX, ELEMENT, log2_of(size_of(v->type)), 0);
}

void x86_scan_load(x86_scan *g, unsigned type, unsigned reg, x86_rm rm)
{
    const unsigned size = size_of(type);
    if (ao_scan_class(type) == CLASS_FLOAT)
        x86_emit(&g->code, (x86_vector){.form = size == 8 ? X86_vmovq : X86_vmovd, .reg = reg, .rm = rm, .imm = X86_NO_IMM});
    else
        x86_general(&g->code, size == 1 ? X86_MOVZX_8 : size == 2 ? X86_MOVZX_16 : X86_MOV, size == 8, reg, rm);
}

static void load_value(void *scan, const plan_value *v, unsigned reg)
{
    x86_scan *g = scan;
    const ao_value *constant = ao_constant_of(g->plan, v);
    if (constant && ao_scan_class(v->type) == CLASS_INT)
        x86_mov_imm(&g->code, reg, (uint64_t)ao_int_of(v->type, *constant) & (size_of(v->type) == 4 ? UINT32_MAX : UINT64_MAX));
    else
        x86_scan_load(g, v->type, reg, memory_of(g, v));
}

static void store_to(x86_scan *g, unsigned type, unsigned reg, x86_rm rm)
{
    const unsigned size = size_of(type);
    if (ao_scan_class(type) == CLASS_FLOAT)
        x86_emit(&g->code, (x86_vector){.form = size == 8 ? X86_store_q : X86_store_d, .reg = reg, .rm = rm,
                                        .imm = X86_NO_IMM});
    else
        x86_general(&g->code, size == 1 ? X86_STORE_8 : size == 2 ? X86_STORE_16 : X86_STORE, size == 8, reg, rm);
}

static void store_value(void *scan, const plan_value *v, unsigned reg)
{
    x86_scan *g = scan;
    store_to(g, v->type, reg, memory_of(g, v));
}

/* ---- a step ---- */

/* Whether b can be a number in the instruction. Of 32 bits any number is. */
static int is_immediate(const x86_scan *g, const plan_step *plan, int32_t *imm)
{
    const plan_value *v = &g->plan->value[plan->b];
    const ao_value *constant = x86_scan_recipes[plan->op].imm && ao_scan_class(v->type) == CLASS_INT ? ao_constant_of(g->plan, v) : NULL;
    if (!constant)
        return 0;
    const int64_t number = ao_int_of(v->type, *constant);
    *imm = (int32_t)number;
    return number == *imm || v->type == AO_TYPE_u32 || x86_is_low_half(plan->op, number);
}

static x86_scan_step start_step(x86_scan *g, const plan_step *plan)
{
    const ao_op_info *info = &ao_ops[plan->op];
    const x86_scan_recipe *recipe = &x86_scan_recipes[plan->op];
    x86_scan_step s = {.info = info, .plan = plan, .x = recipe->x, .y = recipe->y};
    s.wide = size_of(info->type) == 8;
    s.a = x86_scan_value(g, plan->a);
    if (info->run || ao_takes_table(info))
        return s;
    s.has_imm = plan->b != PLAN_NONE && is_immediate(g, plan, &s.imm);
    s.b = s.has_imm ? 0 : x86_scan_value(g, plan->b);
    s.c = x86_scan_value(g, plan->c);
    return s;
}

static void end_step(x86_scan *g, const plan_step *plan)
{
    const ao_op_info *info = &ao_ops[plan->op];
    x86_scan_unpin(g, plan->a);
    if (info->run || ao_takes_table(info))
        return;
    x86_scan_unpin(g, plan->b);
    x86_scan_unpin(g, plan->c);
}

static void emit_step(x86_scan *g, const plan_step *plan)
{
    if (g->registers.choice[g->registers.step] != PLAN_NONE)
        return;
    const plan_step *condition = ao_scan_condition(&g->registers, plan);
    x86_scan_step c = {0}, s;
    if (condition) {
        c = start_step(g, condition);
        const plan_step arms = {.op = plan->op, .d = plan->d, .a = PLAN_NONE, .b = plan->b, .c = plan->c, .guard = PLAN_NONE};
        s = start_step(g, &arms);
        s.plan = plan;
    } else {
        s = start_step(g, plan);
    }
    s.guard = x86_scan_value(g, plan->guard);
    s.d = ao_scan_place(&g->registers, plan, condition, x86_scan_recipes[plan->op].alias);
    if (g->registers.failed)
        return;
    if (condition)
        x86_chosen_by(g, &s, &c);
    else
        x86_scan_recipes[plan->op].emit(g, &s);
    const plan_value *d = &g->plan->value[plan->d];
    if (d->stored) {
        store_value(g, d, s.d);
        g->registers.in_slot[plan->d] = 1;
    }
    end_step(g, plan);
    if (condition)
        end_step(g, condition);
    x86_scan_unpin(g, plan->guard);
    x86_scan_unpin(g, plan->d);
}

/* ---- the loop ---- */

static void find_bases(x86_scan *g)
{
    g->base_count = ao_find_arrays(g->plan, g->bases, SCAN_BASES);
    for (unsigned k = 0; k < g->base_count; k++) {
        x86_load(&g->code, base_registers[k], RSI, (int32_t)(g->bases[k] * sizeof(char *)));
        g->registers.free[CLASS_INT] &= ~(UINT32_C(1) << base_registers[k]);
    }
}

/* Accumulators, then other numbers that instructions cannot have in themselves, as many as leave registers for the rest. */
static void keep_uniforms(x86_scan *g)
{
    const ao_plan *plan = g->plan;
    for (unsigned k = 0; k < plan->accs; k++)
        ao_scan_keep(&g->registers, plan->acc[k]);
    for (unsigned v = 0; v < plan->values; v++) {
        const plan_value *value = &plan->value[v];
        const ao_value *constant = ao_constant_of(g->plan, value);
        const int small = constant && ao_scan_class(value->type) == CLASS_INT
                          && (constant->i == (int32_t)constant->i || constant->i == UINT32_MAX);
        if (value->kind == PLAN_UNIFORM && g->registers.place[v] == NOT_THERE && !small && v >= plan->accs)
            ao_scan_keep(&g->registers, v);
    }
}

/* One that has no register stays in memory. */
static void move_accs(x86_scan *g)
{
    const ao_plan *plan = g->plan;
    for (unsigned k = 0; k < plan->accs; k++) {
        const plan_value *acc = &plan->value[plan->acc[k]];
        const unsigned next = x86_scan_value(g, plan->next[k]);
        if (!ao_scan_is_kept(&g->registers, plan->acc[k]))
            store_to(g, acc->type, next, uniform_at(g, acc->reg));
        else if (ao_scan_class(acc->type) == CLASS_FLOAT)
            move_float(g, g->registers.place[plan->acc[k]], next);
        else
            move(g, 1, g->registers.place[plan->acc[k]], next);
    }
}

static void store_accs(x86_scan *g)
{
    const ao_plan *plan = g->plan;
    for (unsigned k = 0; k < plan->accs; k++) {
        const plan_value *acc = &plan->value[plan->acc[k]];
        if (ao_scan_is_kept(&g->registers, plan->acc[k]))
            store_to(g, acc->type, g->registers.place[plan->acc[k]], uniform_at(g, acc->reg));
    }
}

static void emit_scan(x86_scan *g)
{
    static const uint8_t saved[] = {RBX, RBP, R12, R13, R14, R15};
    const ao_plan *plan = g->plan;
    unsigned *const step = &g->registers.step;
    x86_begin(&g->code);
    for (unsigned k = 0; k < sizeof saved; k++)
        x86_push(&g->code, saved[k]);
    find_bases(g);
    keep_uniforms(g);
    x86_clear(&g->code, ELEMENT);
    general(g, X86_TEST, 1, RDI, RDI);
    const size_t none = x86_jump(&g->code, X86_ZERO);
    x86_align(&g->code, LOOP_ALIGNMENT);
    const size_t loop = g->code.at;
    for (*step = 0; *step < plan->count && !g->registers.failed; ++*step)
        emit_step(g, &plan->steps[*step]);
    move_accs(g);
    x86_immediate(&g->code, X86_ADD_IMM, 1, ELEMENT, 1);
    general(g, X86_CMP, 1, ELEMENT, RDI);
    x86_bind(&g->code, x86_jump(&g->code, X86_BELOW), loop);
    x86_bind(&g->code, none, g->code.at);
    for (unsigned k = 0; k < g->stop_count; k++)
        x86_bind(&g->code, g->stops[k], g->code.at);
    store_accs(g);
    move(g, 1, RAX, ELEMENT);
    for (unsigned k = sizeof saved; k-- > 0;)
        x86_pop(&g->code, saved[k]);
    x86_return(&g->code);
}

size_t x86_compile_scan(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, size_t *entry)
{
    x86_scan g;
    (void)target;
    memset(&g, 0, offsetof(x86_scan, registers));
    g.plan = plan;
    g.code = (x86_code){.bytes = bytes, .at = at, .size = size};
    ao_scan_start(&g.registers, plan, 1u << RBX | 1u << RBP | 0xFE00 /* r9 to r15 */, 0xFFFC, x86_is_choice, x86_is_comparison);
    g.registers.load = load_value;
    g.registers.store = store_value;
    g.registers.scan = &g;
    x86_align(&g.code, LOOP_ALIGNMENT);
    *entry = g.code.at;
    emit_scan(&g);
    return g.registers.failed || g.code.full ? 0 : g.code.at;
}

#endif
