/* Native code: what a program's cheap instructions become, where there is an encoder for the processor.
 *
 * A segment is a run of body and epilogue instructions as one function, whose values stay in registers between them. It
 * takes the place of their kernels in the fast pass and in nothing else: the kernels say what an instruction means, and a
 * segment gives the same bits. So a run may use native code or not, at any time, and nobody sees which.
 *
 * It is made of a program that was verified, once for each level, when somebody asks. Where there is no encoder, no memory
 * or no permission to make pages executable, there is none, which is no error.
 */
#ifndef AO_NATIVE_H
#define AO_NATIVE_H

#include "../step.h"
#include "../vm.h"

#include <stdatomic.h>

enum {
    AO_NATIVE_STEPS = 256,       /* instructions of a segment: longer runs are cut */
    AO_NATIVE_FEWEST = 2,        /* between kernels one more is as good, unless the segment takes what is left of the results */
    AO_NATIVE_BYTES = 128 << 10, /* of code of a program; what is left stays with kernels */
    AO_NATIVE_SLOTS = 6,         /* levels, and ways to take the results: of others there is no native code */
    AO_NATIVE_ACCS = 8           /* accumulators of a fold */
};

/* The elements 0..n-1, from and to the registers of a frame. Nonzero if one of them would be marked; then those that were
 * written are worthless. A segment that takes the results (ao_sink) moves *to behind the last value, or by one for each
 * element that is true; others do not look at it. One that adds them up does it in the ao_split_sums at to[1], and only there sets
 * flags of floats (exact.h).
 *
 * One that stops (ao_native) returns how many it did instead: it writes nothing to a group of which one would be marked, nor
 * behind that. */
typedef size_t (*ao_native_function)(size_t n, char *const *registers, char **to);

/* The scan of a fold, element after element: returns how many it did. It stops before the first that would be marked; the
 * accumulators then have the values from before that one. */
typedef size_t (*ao_native_scan)(size_t n, char *const *registers);

typedef struct {
    ao_native_function function;
    unsigned from, to; /* the steps that it replaces */
    unsigned granule;  /* it does elements in groups of so many, and leaves the last n % granule to the kernels */
    unsigned bytes;
} ao_segment;

/* For whom the results are: what of ao_sink matters here. */
typedef struct {
    enum ao_taking what;
    unsigned source;
} ao_native_taking;

typedef struct ao_native {
    const ao_isa *isa;
    ao_native_taking taking; /* for which it was made */
    int takes;         /* the last segment does; else results are in their slots */
    void *pages;       /* NULL: nothing here is native */
    size_t page_bytes, bytes, size;
    ao_native_scan scan; /* of a fold, or NULL; segments are then those of a body whose results vectors fold */
    unsigned scan_bytes;
    int takes_body;      /* but for a short body, which the scan does as well */
    unsigned count;
    int whole;         /* one segment has all instructions of the fast pass */
    int stops;         /* likewise, and it stops before an element that would be marked */
    ao_segment segments[];
} ao_native;

/* What a program keeps of it. */
typedef struct {
    ao_native *_Atomic made[AO_NATIVE_SLOTS];
    atomic_size_t ran; /* elements, until there is native code */
} ao_native_slots;

/* What is compiled of a verified program, with its register numbers: steps first..end-1, which are body, scan and epilogue. */
typedef struct {
    ao_allocator allocator;
    const ao_step *steps;
    unsigned first, end;
    unsigned scan, scan_end;  /* steps of the scan; without one there are none */
    unsigned accs, acc, next; /* accumulators and what they become: registers one after another */
    unsigned folded;          /* what the body leaves for vectors to fold in any order, or AO_NO_REG */
    unsigned folded_by;       /* the first step that they need not run for it */
    const uint8_t *types;     /* of inputs, parameters and constants */
    const ao_value *values;   /* of constants, whose registers are first_const..first_computed-1 */
    unsigned first_const, first_computed;
    unsigned inputs, first_temp, temps, out, regs;
    unsigned mask; /* or AO_NO_REG */
    int has_out;
    unsigned out_type;
    ao_native_taking taking;
} ao_native_source;

/* The native code of a program for a level and a sink: made when it is asked for first, by whichever thread. NULL if there
 * is none. */
const ao_native *ao_native_of(ao_native_slots *slots, const ao_native_source *source, const ao_isa *isa);
/* What there is now: NULL if nobody asked yet, no segments if nothing came of it. */
const ao_native *ao_native_made(ao_native_slots *slots, const ao_isa *isa, ao_native_taking taking);
/* Of a program that goes. */
void ao_native_free(ao_native_slots *slots, const ao_allocator *allocator);

/* Whether this level has an encoder here. */
int ao_native_has(const ao_isa *isa);

#endif
