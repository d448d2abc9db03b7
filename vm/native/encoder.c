/* The bytes of instructions: Intel's manual, volume 2, chapter 2. */
#include "encoder.h"

#include <string.h>

/* Opcode map and mandatory prefix, as both encodings number them. */
enum { MAP_0F = 1, MAP_0F38 = 2, MAP_0F3A = 3, PREFIX_66 = 1 << 4, PREFIX_F3 = 2 << 4, PREFIX_F2 = 3 << 4 };
enum {
    P_0F = MAP_0F,
    P66_0F = MAP_0F | PREFIX_66,
    P66_0F38 = MAP_0F38 | PREFIX_66,
    P66_0F3A = MAP_0F3A | PREFIX_66,
    PF3_0F = MAP_0F | PREFIX_F3,
    PF3_0F38 = MAP_0F38 | PREFIX_F3,
    PF2_0F = MAP_0F | PREFIX_F2
};

#define CHARACTER_B 'B'
#define CHARACTER_E 'E'
#define CHARACTER_V 'V'
#define FORM(name, prefix, w, vex_w, opcode, encodings, operands)                                                     \
    {#name, operands, prefix, w, vex_w, opcode, CHARACTER_##encodings},
const x86_form_info x86_forms[X86_FORMS] = {
#include "x86_64.def"
};

static void put(x86_code *c, unsigned byte)
{
    if (c->at < c->size)
        c->bytes[c->at++] = (uint8_t)byte;
    else
        c->full = 1;
}

static void put_bytes(x86_code *c, uint64_t value, unsigned bytes)
{
    for (; bytes; bytes--, value >>= 8)
        put(c, value & 0xFF);
}

/* Bit n of a register number, inverted, as prefixes have it. */
static unsigned not_bit(unsigned number, unsigned n)
{
    return ~number >> n & 1;
}

/* X and B of a prefix extend the registers of ModRM.rm; the fifth bit of a vector's number is in X. */
static unsigned extend_x(x86_rm rm)
{
    return rm.in_memory ? not_bit(rm.index == NO_INDEX ? 0 : rm.index, 3) : not_bit(rm.reg, 4);
}

static unsigned extend_b(x86_rm rm)
{
    return !rm.in_memory ? not_bit(rm.reg, 3) : rm.base == RIP ? 1 : not_bit(rm.base, 3);
}

/* Whether an instruction is to set no flag, of those that may set one. Where it cannot be told so, that is noted. */
static unsigned is_quiet(x86_code *c, const x86_form_info *f, const x86_vector *v)
{
    const unsigned quiet = c->quiet && strpbrk(f->operands, "RS");
    c->loud |= quiet && (v->length < 2 || v->rm.in_memory);
    return quiet;
}

/* Of quiet instructions the length is known, and the bits that say it are how to round: 0, to nearest. */
static void put_evex(x86_code *c, const x86_form_info *f, const x86_vector *v)
{
    const unsigned quiet = is_quiet(c, f, v);
    put(c, 0x62);
    put(c, not_bit(v->reg, 3) << 7 | extend_x(v->rm) << 6 | extend_b(v->rm) << 5 | not_bit(v->reg, 4) << 4 | (f->prefix & 15));
    put(c, (unsigned)f->w << 7 | (~v->vvvv & 15) << 3 | 4 | f->prefix >> 4);
    put(c, v->zeroing << 7 | (quiet ? 0 : v->length) << 5 | (quiet | v->broadcast) << 4 | not_bit(v->vvvv, 4) << 3 | v->mask);
}

static void put_vex(x86_code *c, const x86_form_info *f, const x86_vector *v)
{
    put(c, 0xC4);
    put(c, not_bit(v->reg, 3) << 7 | (v->rm.in_memory ? extend_x(v->rm) : 1) << 6 | extend_b(v->rm) << 5 | (f->prefix & 15));
    put(c, (unsigned)f->vex_w << 7 | (~v->vvvv & 15) << 3 | v->length << 2 | f->prefix >> 4);
}

/* A displacement is none or 4 bytes: EVEX counts one of a byte in vectors, and nothing hangs on its size. */
static void put_rm(x86_code *c, unsigned reg, x86_rm rm, unsigned imm_bytes)
{
    const unsigned middle = (reg & 7) << 3, wide = rm.disp != 0, base = rm.base & 7;
    if (!rm.in_memory) {
        put(c, 0xC0 | middle | (rm.reg & 7));
        return;
    }
    if (rm.base == RIP) {
        put(c, middle | 5);
        put_bytes(c, (uint32_t)(rm.disp - (int32_t)(c->at + 4 + imm_bytes)), 4);
        return;
    }
    const unsigned sib = rm.index != NO_INDEX || base == RSP;
    put(c, (wide ? 0x80u : 0x40u) | middle | (sib ? 4 : base));
    if (sib)
        put(c, (unsigned)rm.scale << 6 | (rm.index == NO_INDEX ? 4u : rm.index & 7u) << 3 | base);
    put_bytes(c, (uint32_t)rm.disp, wide ? 4 : 1);
}

void x86_emit(x86_code *c, x86_vector v)
{
    const x86_form_info *f = &x86_forms[v.form];
    if (f->operands[0] < 'A')
        v.reg = (unsigned)f->operands[0] - '0';
    if (f->encodings == 'E' || (f->encodings == 'B' && c->evex))
        put_evex(c, f, &v);
    else
        put_vex(c, f, &v);
    put(c, f->opcode);
    put_rm(c, v.reg, v.rm, v.imm != X86_NO_IMM);
    if (v.imm != X86_NO_IMM)
        put(c, (unsigned)v.imm & 0xFF);
}

/* ---- general registers ---- */

/* REX is left out where it says nothing; of bytes it makes the lowest ones of rbp, rsi and rdi. */
void x86_general(x86_code *c, unsigned op, int wide, unsigned reg, x86_rm rm)
{
    const unsigned x = rm.in_memory ? extend_x(rm) ^ 1 : 0, b = extend_b(rm) ^ 1;
    const unsigned rex = (unsigned)wide << 3 | (reg >> 3 & 1) << 2 | x << 1 | b;
    if ((op & X86_F3_0F) == X86_F3_0F)
        put(c, 0xF3);
    if (op & X86_OF_WORDS)
        put(c, 0x66);
    if (rex || (op & X86_OF_BYTES && (reg | rm.reg) >= RSP))
        put(c, 0x40 | rex);
    if (op & X86_0F)
        put(c, 0x0F);
    put(c, op & 0xFF);
    put_rm(c, reg, rm, 0);
}

void x86_immediate(x86_code *c, enum x86_immediate op, int wide, unsigned dst, int32_t imm)
{
    x86_general(c, 0x81, wide, op, x86_reg(dst));
    put_bytes(c, (uint32_t)imm, 4);
}

void x86_shift(x86_code *c, enum x86_shift op, int wide, unsigned dst, unsigned count)
{
    x86_general(c, 0xC1, wide, op, x86_reg(dst));
    put(c, count);
}

void x86_unary(x86_code *c, enum x86_unary op, int wide, unsigned dst)
{
    x86_general(c, 0xF7, wide, op, x86_reg(dst));
}

void x86_bits(x86_code *c, enum x86_bits op, int wide, unsigned dst, unsigned src, unsigned count)
{
    put(c, 0xC4);
    put(c, not_bit(dst, 3) << 7 | 1 << 6 | not_bit(src, 3) << 5 | MAP_0F38);
    put(c, (unsigned)wide << 7 | (~count & 15) << 3 | op >> 8);
    put(c, op & 0xFF);
    put(c, 0xC0 | (dst & 7) << 3 | (src & 7));
}

void x86_imul_imm(x86_code *c, int wide, unsigned dst, unsigned src, int32_t imm)
{
    x86_registers(c, 0x69, wide, dst, src);
    put_bytes(c, (uint32_t)imm, 4);
}

void x86_sign_to_rdx(x86_code *c, int wide)
{
    if (wide)
        put(c, 0x48);
    put(c, 0x99);
}

void x86_mov_imm(x86_code *c, unsigned dst, uint64_t imm)
{
    put(c, 0x48 | dst >> 3);
    put(c, 0xB8 | (dst & 7));
    put_bytes(c, imm, 8);
}

void x86_load(x86_code *c, unsigned dst, unsigned base, int32_t disp)
{
    x86_general(c, X86_MOV, 1, dst, x86_at(base, NO_INDEX, 0, disp));
}

void x86_clear(x86_code *c, unsigned dst)
{
    x86_registers(c, X86_XOR, 0, dst, dst);
}

void x86_push(x86_code *c, unsigned reg)
{
    if (reg >= R8)
        put(c, 0x41);
    put(c, 0x50 | (reg & 7));
}

void x86_pop(x86_code *c, unsigned reg)
{
    if (reg >= R8)
        put(c, 0x41);
    put(c, 0x58 | (reg & 7));
}

void x86_set(x86_code *c, enum x86_condition condition, unsigned dst)
{
    x86_general(c, X86_0F | X86_OF_BYTES | 0x90 | condition, 0, 0, x86_reg(dst));
}

void x86_begin(x86_code *c)
{
    put_bytes(c, 0xFA1E0FF3, 4); /* endbr64 */
}

void x86_return(x86_code *c)
{
    put_bytes(c, 0x77F8C5, 3); /* vzeroupper: SSE code would be slow otherwise */
    put(c, 0xC3);
}

void x86_align(x86_code *c, size_t to)
{
    while (c->at % to && !c->full)
        put(c, 0x90);
}

void x86_put_8(x86_code *c, uint64_t bytes)
{
    put_bytes(c, bytes, 8);
}

size_t x86_jump(x86_code *c, enum x86_condition condition)
{
    put(c, 0x0F);
    put(c, 0x80 | condition);
    put_bytes(c, 0, 4);
    return c->at;
}

void x86_bind(x86_code *c, size_t jump, size_t target)
{
    const uint32_t distance = (uint32_t)(target - jump);
    for (unsigned k = 0; k < 4 && !c->full; k++)
        c->bytes[jump - 4 + k] = (uint8_t)(distance >> 8 * k);
}
