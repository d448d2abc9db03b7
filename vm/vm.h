/* The arrayops virtual machine.
 *
 * The machine runs straight-line register programs over arrays, one block of elements at a time: the whole program over
 * one block, then the next. It knows nothing of Python. A program arrives as bytes, is copied and verified by
 * ao_program_load, and is immutable from then on; whatever the bytes, a program that loads cannot read or write outside
 * the buffers of its run. All state of a run lives in a frame, in memory that the caller provides, so that one program
 * may run in any number of threads at once.
 *
 * A run never fails. An element whose answer the machine cannot give (an overflow, a zero divisor) is marked; ao_run
 * returns AO_MARKED with the block's marks, the caller supplies those elements, calls ao_finish and runs on. Marks may be
 * set on elements that need none (a mark only costs time), never the other way round.
 *
 * Sections. The instructions of a program fall into four sections, in this order:
 *
 *   prologue   run once when the frame is opened: computes uniform registers from parameters and constants
 *   body       run over a whole block at a time
 *   scan       run one element at a time, because it depends on the accumulator (folds only, else empty)
 *   epilogue   run over the whole block after the scan
 *
 * Mask. A program may name a register of truth values (header.mask): the results that count. Whoever takes the results
 * (a sink) leaves out the others, of which OUT then has some value. Such a program may also read OUT once it is written.
 *
 * An accumulator is a uniform register. A scan has one (header.acc) or several (header.further), which are parameters side
 * by side, so that a fold may carry several numbers. After each element of the scan they take the values of as many
 * temporaries, side by side from header.next on, at that element: all at once, when all instructions have run.
 *
 * Two passes. A faulting instruction first runs without writing marks and only reports whether any element of the block
 * would be marked. If one reports so, the block's body and epilogue are run again with marks: each faulting instruction's
 * marks are ANDed with its guard register (the condition under which Python would have evaluated it) and collected.
 * Instructions flagged AO_MARKING only run in that second pass: they compute guards.
 */
#ifndef AO_VM_H
#define AO_VM_H

#include <stddef.h>
#include <stdint.h>

#include "ao_types.h"
#include "watch.h"

/* Opcodes: AO_OP_<name>_<type>, numbered in the order of ops.def. */
enum ao_op {
#define AO_ENUM_OP(T, op) AO_OP_##op##_##T,
#define OP(name, types, ...) AO_LIST_##types(AO_ENUM_OP, name)
#include "ops.def"
#undef AO_ENUM_OP
    AO_NOPS
};

/* The rows of ops.def, each of which is the opcodes of its types. */
enum ao_op_row {
#define OP(name, types, ...) AO_ROW_##name,
#include "ops.def"
    AO_NROWS
};
typedef struct {
    const char *name;    /* "ADD" */
    const char *meaning; /* "d = a + b, wraps" */
} ao_op_text;
extern const ao_op_text ao_op_texts[AO_NROWS];

/* What ops.def says of one opcode. Types are enum ao_type; AO_TYPE_NONE where there is no operand. */
typedef struct {
    uint8_t row;         /* enum ao_op_row */
    uint8_t type;        /* the T it is stamped for */
    uint8_t dst, a, b, c;
    uint8_t faults;      /* 1 if it may mark elements */
    uint8_t leaves;      /* 1 if, without marks, it leaves the target as it was from the first such element on */
    uint8_t spreads;     /* 1 if it may have no operand but a uniform */
    uint8_t run;         /* 1 if b and c are the first and last of a run of constants */
    uint8_t weight;      /* work of an element, in additions of doubles; with a run, for each constant but one */
} ao_op_info;

extern const ao_op_info ao_ops[AO_NOPS];
extern const char *const ao_type_names[AO_NTYPES];
extern const uint8_t ao_type_sizes[AO_NTYPES]; /* in bytes */

/* Limits. Each has a test at it and one past it. */
enum {
    AO_MAX_INPUTS = 1024,   /* arrays of one program */
    AO_MAX_UNIFORMS = 8192, /* parameters, constants and computed uniforms together */
    AO_MAX_TEMPS = 4096,    /* temporaries: 4096 of them over 256 elements are 8 MiB */
    AO_MAX_INSTRS = 32768,  /* instructions of all sections together */
    AO_MAX_ACCUMULATORS = UINT8_MAX + 1, /* as header.further has them */
    AO_MIN_BLOCK = 256,     /* elements of a block; the rule is in program.c */
    AO_MAX_BLOCK = 8192,    /* of one byte each; 1024 of eight */
    AO_NO_REG = 0xFFFF      /* "no register" in an operand, guard, header.acc or header.next */
};

typedef enum {
    AO_OK = 0,
    AO_MARKED,      /* ao_run: the current block has marked elements */
    AO_NO_MEMORY,
    AO_BAD_PROGRAM  /* ao_program_load: see ao_fault_text */
} ao_status;

/* Elements side by side and aligned, that programs look up. At least one can be read, also if the count is 0. */
typedef struct {
    const void *data;
    size_t count;
} ao_table;

/* One value of any type, as parameters and constants are passed. */
typedef union {
    int64_t i;  /* i8 i16 i32 i64, sign-extended */
    uint64_t u; /* b1 u8 u16 u32 u64, zero-extended */
    double f;   /* f64, and f32 as the double of equal value */
    const ao_table *table; /* of a parameter that is one, for as long as the run */
} ao_value;

/* Where memory comes from: new_size 0 frees, old NULL allocates, otherwise unused. NULL means no memory. */
typedef struct {
    void *(*call)(void *context, void *old, size_t old_size, size_t new_size);
    void *context;
} ao_allocator;
extern const ao_allocator ao_default_allocator; /* malloc and free */

enum {
    AO_MARKING = 1, /* instruction flag: only in the marking pass (b1 operations that cannot fault) */
    AO_STORE = 2    /* instruction flag: a mark means "computed, but does not fit the result" */
};
/* Bits of a mark. */
enum { AO_MARK_VALUE = 1, AO_MARK_STORE = 2 };

typedef struct {
    uint16_t op, flags, dst, a, b, c, guard, zero;
} ao_instr;

/* The serialised form, little- or big-endian as the machine is: this header; then one type byte for each input, parameter
 * and constant, zero-padded to a multiple of 8; then ao_value for each constant; then the instructions. */
typedef struct {
    uint32_t magic;   /* AO_MAGIC */
    uint16_t inputs, params, consts, computed, temps; /* numbers of registers */
    uint16_t prologue, body, scan, epilogue;          /* numbers of instructions */
    uint16_t acc, next;                               /* registers, or AO_NO_REG in a program without a scan */
    uint16_t mask;                                    /* a b1 temporary that says which results count, or AO_NO_REG */
    uint8_t out_type;                                 /* type of OUT, or AO_TYPE_NONE: the program has no OUT */
    uint8_t further;                                  /* accumulators after acc, and next values after next */
    uint8_t zero[2];                                  /* makes 32 bytes */
} ao_header;
#define AO_MAGIC 0x32564F41u /* "AOV2" */

typedef struct ao_program ao_program;

/* Copies and verifies. On AO_BAD_PROGRAM *why (if not NULL) is a static sentence and *where the instruction, or -1. */
ao_status ao_program_load(const void *bytes, size_t size, const ao_allocator *allocator, ao_program **out,
                          const char **why, long *where);
void ao_program_free(ao_program *program);

unsigned ao_program_inputs(const ao_program *program);
unsigned ao_program_params(const ao_program *program);
/* Type of an input or parameter: i counts inputs first, then parameters. Of a table AO_TABLE_OF more. */
unsigned ao_program_type(const ao_program *program, unsigned i);
unsigned ao_program_out_type(const ao_program *program);
/* Of accumulator k, from 0; AO_TYPE_NONE from as many as there are on. */
unsigned ao_program_acc_type(const ao_program *program, unsigned k);
int ao_program_has_mask(const ao_program *program);
unsigned ao_program_faults(const ao_program *program);   /* 1 if any instruction may mark */
size_t ao_program_weight(const ao_program *program);     /* work of an element, in simple operations */

/* One kernel per opcode. n elements from a, b, c to d; bit 0 (1, 2) of `uniform` says that a (b, c) is one value for
 * all elements. d may be the same address as an operand of the same element size, and overlaps nothing else. With mark
 * NULL the kernel returns nonzero if any element is to be marked; otherwise it also writes mark[i] = 0 or 1 for each i.
 * At least one operand is not uniform, except where the operation spreads one or has none. */
typedef unsigned (*ao_kernel)(size_t n, void *d, const void *a, const void *b, const void *c, unsigned uniform,
                              uint8_t *mark);

/* One instruction-set level: the same kernels, compiled for it or for a level below. */
typedef struct {
    const char *name; /* "base", "avx2", "avx512" */
    ao_kernel ops[AO_NOPS];
    /* Stream compaction by element size 1, 2, 4, 8 (index log2): copies the elements whose mask byte is 1 to dst, in order,
     * and returns their number. Writes nothing at or past dst[number]. */
    size_t (*const *compact)(size_t n, const uint8_t *mask, const void *src, void *dst);
    const struct ao_reductions *reductions; /* what arrays/ asks: kernels/reduce_kernels.h */
} ao_isa;

extern const char *const ao_isa_names[]; /* every level built for this architecture, slowest first, then NULL */
/* The named level, or with NULL the best one that this processor and its operating system can run. NULL if not built or
 * not runnable here. */
const ao_isa *ao_isa_find(const char *name);

/* What an element in memory is, where that is not one of the machine's types: gathering makes it one, scattering takes it
 * back. Results must fit: what is too large for a half is stored as inf, of an integer the low 24 bits. */
enum ao_form {
    AO_AS_IS,  /* the machine's type itself */
    AO_TRUTH,  /* a byte, true if it is not 0; a b1 */
    AO_RANGE,  /* no memory: the element is its own address, and the stride what the next is more; an i64 */
    AO_HALF,   /* IEEE binary16, 2 bytes; an f64, so that a result is rounded once */
    AO_INT24,  /* 3 bytes; an i32 */
    AO_UINT24, /* 3 bytes; a u32 */
    AO_FORMS
};
extern const uint8_t ao_form_types[AO_FORMS]; /* their machine types; not of AO_AS_IS */
extern const uint8_t ao_form_sizes[AO_FORMS]; /* bytes in memory, likewise */

/* Bytes in memory of an element of this machine type and form. */
static inline size_t ao_size_in_memory(enum ao_type type, unsigned form)
{
    return form ? ao_form_sizes[form] : ao_type_sizes[type];
}

/* How elements lie in memory. {0, 0, 0}: side by side and aligned, in the machine's byte order and type, as kernels read and
 * write them. Inputs that lie otherwise are gathered block by block into the frame, results are scattered from it. */
typedef struct {
    ptrdiff_t stride; /* bytes from one element to the next; 0 only if all is as kernels want it */
    uint8_t swapped;  /* in the other byte order */
    uint8_t form;     /* enum ao_form */
} ao_spacing;

/* The place of an element `number` strides on. By way of integers, which wrap: what a range has for addresses points nowhere. */
static inline const char *ao_along(const void *from, size_t number, ptrdiff_t stride)
{
    return (const char *)((uintptr_t)from + (uintptr_t)number * (uintptr_t)stride);
}

/* Elements of a buffer, wherever they lie. */
typedef struct {
    const void *data;
    ao_spacing spacing;
    enum ao_type type;
    size_t count;
} ao_span;

/* n elements from where they lie to where a kernel reads them, and back. `size` is that of the machine's type: 1, 2, 4 or 8,
 * or 3 for elements that are only moved. */
void ao_gather(void *to, const void *from, ao_spacing spacing, size_t size, size_t n);
void ao_scatter(void *to, ao_spacing spacing, const void *from, size_t size, size_t n);
/* The same for long arrays. Nonzero: stopped, with the elements before some place copied. ao_copy_out goes on to the end
 * even if the watch says stop, so that no element is lost. A spacing of {0, 0} is elements side by side. */
int ao_copy_in(void *to, const void *from, ao_spacing spacing, size_t size, size_t n, ao_watch *w);
int ao_copy_out(void *to, ao_spacing spacing, const void *from, size_t size, size_t n, ao_watch *w);
/* Reverses n elements, `step` bytes apart, from both ends inwards. Nonzero: stopped; then the outer ones are exchanged and
 * the inner ones are not, and each is still there. */
int ao_reverse(void *a, ptrdiff_t step, size_t size, size_t n, ao_watch *w);

/* What a sink is given of a block. */
enum ao_taking {
    AO_TAKE_ALL,   /* `block` holds n results (of out_type) for elements first .. first+n-1 of the run */
    AO_TAKE_COUNT, /* n of the block's elements are true; block is NULL */
    AO_TAKE_TRUE,  /* the values of those that are true, n of them, are side by side from *to on; block is NULL */
    AO_TAKE_SUM    /* of native code, where a sink has a sum: see there */
};

/* What receives each finished block when the result is not an array. Called on the running thread; must not fail.
 *
 * Which elements are true the program's mask says; in a program without one OUT does, of type b1, and then the values are
 * those of the input `source`. At *to there must be room for the values of a whole block: those behind the n may be
 * written, too. The sink moves it.
 *
 * With a sum, which is for results that are doubles, n of the block may be added to that instead; then `block` is the sum. */
typedef struct {
    void (*take)(void *context, const void *block, size_t first, size_t n);
    void *context;
    enum ao_taking what;
    unsigned source;
    char **to;
    struct ao_float_sum *sum; /* or NULL */
} ao_sink;

/* How many of these bytes, each 0 or 1, are 1. */
size_t ao_count_true(const uint8_t *mask, size_t n);

enum {
    AO_KEEP = 1, /* out may be an input of the run, or holds data that must survive a stop: write finished elements only */
    AO_FAR = 2,  /* the run is part of one that is too large for caches */
    AO_NATIVE = 4,        /* machine code may be made of the program once it has run often enough, and may be run */
    AO_NATIVE_AT_ONCE = 8 /* likewise, before the first element */
};

typedef struct {
    const ao_isa *isa;
    const void *const *inputs;   /* one address per input, each of `count` elements */
    const ao_spacing *spacings;  /* one per input, or NULL: all are side by side */
    const ao_value *params;      /* one per parameter; of an accumulator its first value */
    void *out;                   /* `count` elements of out_type; NULL with a sink */
    ao_spacing out_spacing;
    size_t count;
    unsigned flags;
    ao_sink sink;                /* take is NULL when out is given */
} ao_job;

/* A run in progress. The fields are for reading between calls. */
typedef struct ao_frame {
    size_t position;      /* first element of the current block: everything before it is finished */
    size_t block_count;   /* elements in the current block */
    uint8_t *marks;       /* after AO_MARKED: one byte per element of the block, AO_MARK_* bits; the caller may clear them */
    void *block_out;      /* after AO_MARKED: the block's results, to be patched where marked; NULL without OUT */
    int scan_stopped;     /* after AO_MARKED: the scan stopped at the last element, and acc is from before it */
    struct ao_frame_private *private_;
} ao_frame;

/* Bytes of memory, aligned to 64, that ao_frame_open needs for this program and a job with so many inputs that are not
 * side by side. */
size_t ao_frame_size(const ao_program *program, unsigned spaced);
/* Binds a job and runs the prologue. `memory` must outlive the frame; there is nothing to close. */
void ao_frame_open(ao_frame *frame, const ao_program *program, const ao_job *job, void *memory);
/* The same in two steps: what is the program's, once, and a job, of which there may be any number one after the other. */
void ao_frame_prepare(ao_frame *frame, const ao_program *program, void *memory);
void ao_frame_bind(ao_frame *frame, const ao_job *job);
/* A whole run, of elements so few that kernels do them in one block, all side by side: in a frame that was prepared for the
 * program, which has OUT and no scan. keep: out may be an input. Nonzero if an element is to be marked; then out is as it
 * was, or worthless if it was not to be kept. */
enum { AO_FEW = 63 };
unsigned ao_run_few(ao_frame *frame, const ao_isa *isa, const void *const *inputs, const ao_value *params, void *out,
                    size_t count, int keep);
/* Likewise of a program with a scan, whose accumulators are read afterwards. Nonzero if an element is to be marked; then they
 * and out are worthless. */
unsigned ao_fold_few(ao_frame *frame, const ao_isa *isa, const void *const *inputs, const ao_value *params, void *out,
                     size_t count);
/* Runs from frame->position until `end` elements (at most job.count) are finished (AO_OK) or a block has marks (AO_MARKED).
 *
 * Without a scan, after AO_MARKED the caller patches the marked elements in block_out and calls ao_finish(frame, done)
 * with done = block_count, or less if it stops there. With a scan the block ends with the first element whose scan step
 * was marked (its AO_MARK_VALUE bit is set and it is the last of the block); the caller must then also set the
 * accumulators for the following element with ao_frame_set_acc before it runs on. */
ao_status ao_run(ao_frame *frame, size_t end);
/* Commits the first `done` elements of a marked block: copies them out or feeds the sink, and moves position. */
void ao_finish(ao_frame *frame, size_t done);
/* Moves position over n elements that the machine is not to run: their results and the accumulator are the caller's. */
void ao_skip(ao_frame *frame, size_t n);
/* The elements of an input in the current block, side by side: for a sink, and after AO_MARKED. */
const void *ao_frame_input(const ao_frame *frame, unsigned input);
/* The mask of the current block, likewise, 0 or 1 for each element; NULL if the program has none. */
uint8_t *ao_frame_mask(const ao_frame *frame);
/* Accumulator k, from 0; there must be one. */
ao_value ao_frame_acc(const ao_frame *frame, unsigned k);
void ao_frame_set_acc(ao_frame *frame, unsigned k, ao_value value);

#endif
