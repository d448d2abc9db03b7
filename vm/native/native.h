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

#include "../vm.h"

enum {
    AO_NATIVE_STEPS = 256,       /* instructions of a segment: longer runs are cut */
    AO_NATIVE_FEWEST = 2,        /* a kernel by itself is as good */
    AO_NATIVE_BYTES = 128 << 10, /* of code of a program; what is left stays with kernels */
    AO_NATIVE_LEVELS = 2         /* that there is an encoder for */
};

/* The elements 0..n-1, from and to the registers of a frame. Nonzero if one of them would be marked; then those that were
 * written are worthless. */
typedef unsigned (*ao_native_function)(size_t n, char *const *registers);

typedef struct {
    ao_native_function function;
    unsigned from, to; /* the steps that it replaces */
    unsigned granule;  /* it does elements in groups of so many, and leaves the last n % granule to the kernels */
    unsigned bytes;
} ao_segment;

typedef struct ao_native {
    const ao_isa *isa;
    void *pages;       /* NULL: nothing here is native */
    size_t page_bytes, bytes;
    unsigned count;
    int whole;         /* one segment has all instructions of the fast pass */
    ao_segment segments[];
} ao_native;

/* The native code of a program for a level: made when it is asked for first, by whichever thread. NULL if there is none. */
const ao_native *ao_native_of(const ao_program *program, const ao_isa *isa);
/* Made or not: what there is now. */
const ao_native *ao_native_made(const ao_program *program, const ao_isa *isa);
/* Of a program that goes. */
void ao_native_free(ao_program *program);

/* Whether this level has an encoder here. */
int ao_native_has(const ao_isa *isa);

#endif
