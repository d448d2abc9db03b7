/* What an architecture's encoder is given and what it has to offer: the seam between segments.c, which knows programs, and
 * x86_64.c or a64_segment.c, which knows a processor.
 *
 * A plan is a run of instructions in which registers of the machine have become values: each is defined once, by an
 * instruction, or before the segment. So slots that the program uses again are no concern of an encoder.
 */
#ifndef AO_NATIVE_PLAN_H
#define AO_NATIVE_PLAN_H

#include "../portable.h"
#include "native.h"

/* Which encoder runs here. On x86-64 the calling convention is that of System V; on AArch64 Apple's systems are left out, which
 * want pages of code mapped in a way of their own. */
#if AO_EXTENSIONS && defined __x86_64__ && defined __unix__ && !defined __CYGWIN__ && !defined __ILP32__
#define AO_NATIVE_X86_64 1
#elif AO_EXTENSIONS && defined __x86_64__ && defined __APPLE__
#define AO_NATIVE_X86_64 1
#else
#define AO_NATIVE_X86_64 0
#endif
#if AO_EXTENSIONS && defined __AARCH64EL__ && defined __unix__ && !defined __ILP32__ && !defined __CYGWIN__
#define AO_NATIVE_AARCH64 1
#else
#define AO_NATIVE_AARCH64 0
#endif

enum {
    PLAN_RUN = 32,                         /* constants of one instruction */
    PLAN_VALUES = 5 * AO_NATIVE_STEPS,
    PLAN_HELD = 0xFFFE,                    /* read behind the last step */
    PLAN_NONE = 0xFFFF                     /* no value, or no step */
};

enum plan_kind { PLAN_LOADED, PLAN_UNIFORM, PLAN_RESULT }; /* of an element in memory, one for all, of an instruction */

typedef struct {
    uint16_t reg;
    uint16_t last;  /* the last step of the plan that reads it; PLAN_NONE: none does */
    uint8_t type;
    uint8_t kind;
    uint8_t stored; /* a result that is read behind the segment */
    uint8_t copy;   /* of a group of vectors that are done together, the one that has it */
} plan_value;

typedef struct {
    uint16_t op, d, a, b, c; /* values. With a run of constants, b and c are its registers; of a table b is its register */
    uint16_t guard;          /* of a scan: the value without which it marks nothing */
    uint16_t place;          /* in the program */
} plan_step;

static inline int ao_takes_table(const ao_op_info *info)
{
    return info->b != AO_TYPE_NONE && info->b >= AO_TABLE_OF;
}

typedef struct {
    const ao_native_source *program;
    unsigned count, values;
    unsigned to;             /* the first step of the program behind it */
    plan_step steps[AO_NATIVE_STEPS];
    plan_value value[PLAN_VALUES];
    enum ao_taking take;     /* of what the last step leaves: which elements, and of these which values, if they are wanted */
    uint16_t taken_mask, taken; /* PLAN_NONE: of all elements; no values, only how many */
    int stops;               /* it tests what is to be marked before it stores, which the last step does */
    unsigned accs;
    uint16_t acc[AO_NATIVE_ACCS], next[AO_NATIVE_ACCS]; /* of a scan: accumulators, and the values that they become */
    uint16_t *value_of;      /* by register; of uniforms it holds throughout */
} ao_plan;

/* What a value is if it is a constant of the program, else NULL. */
static inline const ao_value *ao_constant_of(const ao_plan *plan, const plan_value *v)
{
    const ao_native_source *p = plan->program;
    const int is_constant = v->kind == PLAN_UNIFORM && v->reg >= p->first_const && v->reg < p->first_computed;
    return is_constant ? &p->values[v->reg - p->first_const] : NULL;
}

/* A level of an architecture. */
typedef struct ao_target ao_target;
struct ao_target {
    const char *isa;
    unsigned vector;       /* bytes */
    int tails;             /* its code does the last elements, too; else kernels do them, in the same slots */
    unsigned compacts;     /* the least size of elements of which it takes the true ones; 0: it only counts */
    int sums;              /* it adds doubles up, with no flag set by anything else */
    int (*knows)(const ao_target *target, unsigned op, int in_scan);
    /* Bytes that all segments share, written first. */
    size_t (*begin)(const ao_target *target, uint8_t *bytes, size_t size);
    /* The code of a plan, at bytes + at; returns where it ends, and 0 if it could not do all of it. Then *done is how many
     * steps of the plan it would manage. */
    size_t (*compile)(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, unsigned *done,
                      size_t *entry, unsigned *granule);
    /* The same of a whole scan; NULL if there are none at this level. */
    size_t (*compile_scan)(const ao_target *target, const ao_plan *plan, uint8_t *bytes, size_t at, size_t size, size_t *entry);
};

/* What levels have encoders here; NULL at the end. */
extern const ao_target *const ao_targets[];

/* A copy of code in pages of its own, which can be executed and no longer written; NULL if the system refuses. */
void *ao_pages_make(const void *code, size_t size, size_t *bytes);
void ao_pages_free(void *pages, size_t bytes);

#endif
