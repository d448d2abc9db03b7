/* Programs for tests, put together instruction by instruction and serialised as vm.h says. */
#ifndef AO_BUILD_PROGRAM_H
#define AO_BUILD_PROGRAM_H

#include "check.h"

enum { BUILD_TYPES = 16384, BUILD_INSTRS = 40000 };

typedef struct {
    ao_header header;
    uint8_t types[BUILD_TYPES]; /* inputs, params, consts, in this order of calls */
    ao_value values[BUILD_TYPES];
    ao_instr instrs[BUILD_INSTRS];
    size_t instr_count;
} builder;

static inline void build_start(builder *b, unsigned out_type)
{
    memset(&b->header, 0, sizeof b->header);
    b->header.magic = AO_MAGIC;
    b->header.acc = b->header.next = b->header.mask = AO_NO_REG;
    b->header.out_type = (uint8_t)out_type;
    b->instr_count = 0;
}

static inline unsigned build_type_count(const builder *b)
{
    return (unsigned)b->header.inputs + b->header.params + b->header.consts;
}

/* Registers: inputs first, then parameters, then constants. Each returns its number. */
static inline unsigned build_input(builder *b, unsigned type)
{
    b->types[build_type_count(b)] = (uint8_t)type;
    return b->header.inputs++;
}

static inline unsigned build_param(builder *b, unsigned type)
{
    b->types[build_type_count(b)] = (uint8_t)type;
    b->header.params++;
    return build_type_count(b) - 1;
}

static inline unsigned build_const(builder *b, unsigned type, ao_value value)
{
    b->types[build_type_count(b)] = (uint8_t)type;
    b->values[b->header.consts++] = value;
    return build_type_count(b) - 1;
}

static inline unsigned computed_reg(const builder *b, unsigned k)
{
    return build_type_count(b) + k;
}

static inline unsigned temp_reg(const builder *b, unsigned k)
{
    return build_type_count(b) + b->header.computed + k;
}

static inline unsigned out_reg(const builder *b)
{
    return temp_reg(b, b->header.temps);
}

/* Appends an instruction; the caller counts it in its section. */
static inline ao_instr *build_instr(builder *b, unsigned op, unsigned dst, unsigned a, unsigned x, unsigned c)
{
    ao_instr *i = &b->instrs[b->instr_count++];
    *i = (ao_instr){(uint16_t)op, 0, (uint16_t)dst, (uint16_t)a, (uint16_t)x, (uint16_t)c, AO_NO_REG, 0};
    return i;
}

static inline ao_instr *in_prologue(builder *b, unsigned op, unsigned dst, unsigned a, unsigned x, unsigned c)
{
    b->header.prologue++;
    return build_instr(b, op, dst, a, x, c);
}

static inline ao_instr *in_body(builder *b, unsigned op, unsigned dst, unsigned a, unsigned x, unsigned c)
{
    b->header.body++;
    return build_instr(b, op, dst, a, x, c);
}

static inline ao_instr *in_scan(builder *b, unsigned op, unsigned dst, unsigned a, unsigned x, unsigned c)
{
    b->header.scan++;
    return build_instr(b, op, dst, a, x, c);
}

static inline ao_instr *in_epilogue(builder *b, unsigned op, unsigned dst, unsigned a, unsigned x, unsigned c)
{
    b->header.epilogue++;
    return build_instr(b, op, dst, a, x, c);
}

/* The bytes, in memory of exactly their size, so that a sanitizer sees any read past them. */
static inline void *build_bytes(const builder *b, size_t *size)
{
    const size_t types = (build_type_count(b) + 7) / 8 * 8, values = b->header.consts * sizeof(ao_value);
    *size = sizeof b->header + types + values + b->instr_count * sizeof(ao_instr);
    unsigned char *bytes = calloc(*size, 1);
    if (!bytes)
        abort();
    memcpy(bytes, &b->header, sizeof b->header);
    memcpy(bytes + sizeof b->header, b->types, build_type_count(b));
    memcpy(bytes + sizeof b->header + types, b->values, values);
    memcpy(bytes + sizeof b->header + types + values, b->instrs, b->instr_count * sizeof(ao_instr));
    return bytes;
}

/* Loads it; NULL and *why if it is refused. */
static inline ao_program *build_load(const builder *b, const char **why, long *where)
{
    size_t size;
    void *bytes = build_bytes(b, &size);
    ao_program *program;
    ao_program_load(bytes, size, NULL, &program, why, where);
    free(bytes);
    return program;
}

#endif
