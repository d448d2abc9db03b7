/* What Python found out before, for the fast way in: what a text or a function means, and its program for the types of a call.
 *
 * Programs are found by a signature, a number made of the types: first whether it is a filter's or a fold's, then the type of
 * the result, then a code for each argument and captured number; of a fold first whether the accumulator begins as an int
 * from 0 up, or how many there are in a tuple, of which each code says both. Python makes the same numbers (py_signature, plans.py).
 */
#ifndef AO_GLUE_KNOWN_H
#define AO_GLUE_KNOWN_H

#include "state.h"

enum {
    SIGNATURE_BITS = 5,    /* of a code: the type of an array, or of a number */
    SIGNATURE_NUMBER = 16, /* added to the narrowest type that holds a number */
    SIGNATURE_NATURAL = 31, /* stands for the type of the result where the program decides, evaluate(), or there is none */
    SIGNATURE_MAP = 0, SIGNATURE_FILTER, SIGNATURE_FOLD, /* what the program does */
    SIGNATURE_VALUES = AO_CALL_VALUES,
    ENTRY_ARITIES = 16     /* the key of a code object's entry is its id times this plus the number of arguments */
};
_Static_assert((int)AO_STORED_TYPES <= (int)SIGNATURE_NUMBER, "a code for each type");
_Static_assert(2 * SIGNATURE_NUMBER == 1 << SIGNATURE_BITS, "and as many for numbers");
_Static_assert(3 + (SIGNATURE_VALUES + 2) * SIGNATURE_BITS <= 64, "a signature is one number");

/* The types of int numbers, narrowest first. */
enum { NUMBER_LANES = 4 };
extern const enum ao_type number_lanes[NUMBER_LANES];

static inline uint64_t signature_add(uint64_t signature, unsigned code)
{
    return signature << SIGNATURE_BITS | code;
}

static inline uint64_t signature_begin(int does, unsigned wanted)
{
    return signature_add(4 | (unsigned)does, wanted);
}

/* The code of an exact number, or -1: a subclass, or an int that no type holds. */
int number_code(PyObject *number);
/* What is before that of an accumulator: whether it begins as an int from 0 up. */
unsigned accumulator_code(PyObject *number);
/* What is before those of a tuple of so many accumulators; and the code of one in it, which is of that code elsewhere. */
static inline unsigned accumulators_code(unsigned items)
{
    return 1 + items;
}
static inline unsigned accumulator_in_tuple(PyObject *number, int code)
{
    return accumulator_code(number) * SIGNATURE_NUMBER + ((unsigned)code - SIGNATURE_NUMBER);
}

/* What is known of a code object. */
typedef struct {
    PyObject_HEAD
    PyObject *held;         /* keeps the object alive whose id is in the key */
    PyObject *translations; /* tuple */
    _Atomic Py_ssize_t credit; /* elements that are called before it is decoded (again) */
} EntryObject;

/* What a call means. All but the values of the call itself are references of its own. */
typedef struct {
    PyObject *ready;     /* dict of programs by signature; NULL: the oracle is called for each element */
    PyObject *oracle;
    PyObject *params;    /* tuple: the names of a text's values, in their order; NULL if none can be given by name */
    EntryObject *cold;   /* of a function that may have to be decoded now */
    Py_ssize_t lead;     /* the first array by position; -1 if all are given by name */
    Py_ssize_t nargs;    /* values of the call itself; the captured numbers follow */
    Py_ssize_t nvalues;
    size_t asked;        /* of the run: elements that the oracle was asked for */
    PyObject *values[SIGNATURE_VALUES];
    unsigned from[SIGNATURE_VALUES]; /* of those of the call itself: where in the arguments each is */
} meaning;

static inline void meaning_drop(meaning *m)
{
    Py_XDECREF(m->ready);
    Py_XDECREF(m->oracle);
    Py_XDECREF(m->params);
    Py_XDECREF(m->cold);
    for (Py_ssize_t i = m->nargs; i < m->nvalues; i++) {
        Py_DECREF(m->values[i]);
    }
}

/* Small tables of what was found last, in the module's state, are looked at first. Without the GIL they would need locks,
 * which cost what the tables save; there the dictionaries are asked each time, and what they give is held before it is looked
 * at: another thread may replace or forget it meanwhile. */
#ifdef Py_GIL_DISABLED
enum { RECENT = 0 };
#else
enum { RECENT = 1 };
#endif

/* These say whether it is known what the object means for m->nargs arguments. Of a text it is (ready, oracle, params). */
static inline int known_triple(PyObject *triple, meaning *m)
{
    if (!PyTuple_CheckExact(triple) || PyTuple_GET_SIZE(triple) != 3 || !PyDict_CheckExact(PyTuple_GET_ITEM(triple, 0))
        || !PyTuple_CheckExact(PyTuple_GET_ITEM(triple, 2))) {
        return 0;
    }
    m->ready = Py_NewRef(PyTuple_GET_ITEM(triple, 0));
    m->oracle = Py_NewRef(PyTuple_GET_ITEM(triple, 1));
    m->params = Py_NewRef(PyTuple_GET_ITEM(triple, 2));
    return 1;
}
int known_text(module_state *state, int role, PyObject *text, meaning *m);
int known_function(module_state *state, PyObject *function, meaning *m);
PyObject *known_program_of(recent_program *recent, PyObject *ready, uint64_t signature);
/* A new reference; NULL if there is none yet; None if a fold has no program for this. A dict of programs never changes what a
 * signature means. */
static inline PyObject *known_program(module_state *state, PyObject *ready, uint64_t signature)
{
    uint64_t mixed = (signature ^ (uintptr_t)ready >> 4) * UINT64_C(0x9E3779B97F4A7C15);
    recent_program *recent = &state->recent_programs[mixed >> 58];
    if (RECENT && recent->ready == ready && recent->signature == signature) {
        return Py_NewRef(recent->program);
    }
    return known_program_of(recent, ready, signature);
}

int known_prepare(PyObject *module);
extern PyMethodDef known_methods[];

#endif
