/* The inside of a verified program and of a frame: shared by program.c, which lays them out, and run.c, which runs
 * them.
 *
 * A program is one block of memory and never changes after ao_program_load, but that native code is added to it. So any
 * number of frames in any number of threads may read it. Every register number and every type in `steps` has been checked: run.c checks nothing again.
 */
#ifndef AO_PROGRAM_H
#define AO_PROGRAM_H

#include "arrays/float_sum.h"
#include "native/native.h"
#include "step.h"
#include "vm.h"

enum { AO_PROLOGUE, AO_BODY, AO_SCAN, AO_EPILOGUE, AO_SECTIONS };

/* Where things are in a frame's memory. `total` is its size, `block` the elements of a full block. */
typedef struct {
    size_t block, regs, uniforms, marks, raw, scratch, temps, stride, total;
} ao_layout;

struct ao_program {
    ao_allocator allocator;
    size_t bytes;                             /* of this block */
    unsigned inputs, params, consts, computed, temps;
    unsigned first_const, first_computed, first_temp; /* register numbers; inputs start at 0, params at `inputs` */
    unsigned out;                             /* register number of OUT, one past the temporaries */
    unsigned regs;                            /* all registers, OUT included if there is one */
    unsigned acc, next;                       /* the first ones; AO_NO_REG without a scan */
    unsigned accs;                            /* accumulators: none without a scan */
    unsigned mask;                            /* or AO_NO_REG */
    unsigned first[AO_SECTIONS + 1];          /* steps of section s: first[s] .. first[s+1]-1 */
    ao_layout frame;
    size_t weight;                            /* of body, scan and epilogue, in simple operations */
    uint8_t out_type;
    uint8_t faults;                           /* an instruction may mark */
    uint8_t rereads;                          /* an input is read after OUT was written */
    uint8_t leaves;                           /* a block that is to be marked leaves OUT as it was from there on */
    uint8_t fold;                             /* what the scan is, enum ao_fold */
    uint8_t fold_checks;                      /* of a sum: it may not leave its type */
    uint16_t folded;                          /* the register of its elements */
    uint16_t narrow;                          /* narrow ints that they are, widened by the body's last step; or AO_NO_REG */
    uint8_t narrow_type;
    const uint8_t *types;                     /* of inputs, params, consts */
    const ao_value *values;                   /* of consts */
    ao_step *steps;
    ao_native_slots native;                   /* empty until machine code is asked for */
};

/* The one part of a program that changes. */
static inline ao_native_slots *ao_native_slots_of(const ao_program *program)
{
    return &((ao_program *)(uintptr_t)program)->native;
}

/* Its native code for a level and a sink, made now if it has not been; NULL if there is none. */
const ao_native *ao_program_native(const ao_program *program, const ao_isa *isa, ao_native_taking taking);

/* ---- the inside of a frame ---- */

enum { AO_ALIGNMENT = 64 };

/* To a whole number of cache lines. */
static inline size_t ao_round_up(size_t n)
{
    return (n + AO_ALIGNMENT - 1) / AO_ALIGNMENT * AO_ALIGNMENT;
}

/* An input that is not as kernels read it: each block of it is copied to the frame first. */
typedef struct {
    const char *from; /* the current block's first element */
    char *block;
    ao_spacing spacing;
    unsigned input, size;
} gathered;

struct ao_frame_private {
    const ao_program *program;
    ao_job job;
    char **regs;      /* address of each register's value in the current block; one more for "no register" */
    uint8_t *marks;
    uint8_t *raw;     /* one instruction's marks, before its guard */
    char *scratch;    /* the block's results before they are handed over; NULL: they go straight to job.out */
    char *aside;      /* where a block is computed that could not be written straight to job.out; NULL: none is tried */
    int straight;     /* by kernels is, and not by native code that stops */
    size_t block;     /* elements of a full block */
    size_t aside_block; /* and of one aside */
    size_t limit;     /* elements of the next block: less than `block` after a stop of the scan */
    unsigned sticky;  /* the last block had raw faults */
    unsigned lead;    /* the register that blocks are aligned for */
    unsigned spaced;  /* inputs that are gathered */
    gathered *gathers;
    int in_place;     /* the only one goes where the results will be */
    size_t lead_size; /* of its elements */
    const ao_native *native; /* of the program, or NULL: the kernels do everything */
    const ao_native *adding; /* the same that adds the results to the sink's sum, or NULL */
    size_t taken;     /* by native code, of elements of the block, as ao_sink counts them */
    int has_taken;    /* it took those of the current block */
    int has_added;    /* or has added them up */
    ao_pause pause;   /* blocks that it is not to try */
    size_t added;     /* elements of the next block that it may add up, if that is more than a block */
};

#endif
