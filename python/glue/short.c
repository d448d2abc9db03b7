/* Maps, filters, counts and folds of arrays that are so short that a run would take longer than their elements: it takes and releases
 * buffers, opens a frame, and is ready to ask Python for any of them.
 *
 * Here array.arrays are read where they are. Nothing runs between the last look at them and the end of the machine's work, under
 * the GIL, so nobody can resize one or see half a result; whatever makes or drops an object comes before that look, as it may
 * collect garbage, whose finalizers run any code. A frame stays open for the program that had it last.
 *
 * What was found for a call is remembered as that was written, by the very objects: the same call with arrays of the same types
 * needs one look-up (short_again).
 *
 * What is of another kind, or may need Python, is left to request.c, which begins anew: until the last element is computed,
 * nothing is written that an input could be.
 */
#include "short.h"
#include "buffers.h"
#include "filter.h"
#include "numbers.h"
#include "program.h"
#include "run.h"
#include "../../vm/portable.h"
#include "../../vm/program.h" /* fields, not calls, as in run.c */

/* Elements of a map whose results are to be kept apart until it is known that none of them is marked: one block of any
 * program. */
enum { MARKED_MOST = AO_MIN_BLOCK };

typedef struct {
    unsigned ninputs, nnumbers;
    unsigned accs; /* of a fold: so many of the numbers, the first, are what it begins with, in place of the first value */
    int floats; /* a number is one */
    int disturbed; /* since they were looked at, code of somebody else may have run: something was made or dropped */
    uint64_t signature, begun; /* of all values; as it is before the first */
    array_look first;
    const void *inputs[SIGNATURE_VALUES];
    PyObject *numbers[SIGNATURE_VALUES];
} operands;

/* Whether arrays are read here at all, and there may be a program. */
static int can_look(const module_state *state, const meaning *m)
{
    return state->knows_arrays && !state->perf_map && m->ready;
}

/* The array whose typecode results have if none is asked for: the first, of those by position if there are such. */
static int look_at_lead(const module_state *state, const meaning *m, Py_ssize_t *lead, array_look *look)
{
    Py_ssize_t i = m->lead < 0 ? 0 : m->lead;
    while (m->lead < 0 && i + 1 < m->nargs && !array_look_at(state, m->values[i], look)) {
        i++;
    }
    *lead = i;
    return array_look_at(state, m->values[i], look);
}

/* Nonzero if all are numbers and arrays of one length, which is set. */
static int look_at_operands(const module_state *state, const meaning *m, operands *o)
{
    array_look look;
    o->ninputs = 0;
    o->nnumbers = o->accs;
    o->floats = 0;
    for (Py_ssize_t i = o->accs != 0; i < m->nvalues; i++) {
        PyObject *value = m->values[i];
        int code;
        if (array_look_at(state, value, &look)) {
            if (look.count != o->first.count) {
                return 0;
            }
            o->inputs[o->ninputs++] = look.data;
            code = (int)look.type;
        } else {
            code = number_code(value);
            o->floats |= PyFloat_CheckExact(value);
            o->numbers[o->nnumbers++] = value;
        }
        if (code < 0) {
            return 0;
        }
        o->signature = signature_add(o->signature, (unsigned)code);
    }
    return 1;
}

/* What a fold begins with: a number, or a tuple of numbers, whose items the machine has apart. Nonzero if it is such. */
static int look_at_accumulators(const meaning *m, PyObject *first, operands *o)
{
    const Py_ssize_t items = PyTuple_CheckExact(first) ? PyTuple_GET_SIZE(first) : 0;
    if (items + m->nvalues - 1 > SIGNATURE_VALUES || (!items && PyTuple_Check(first))) {
        return 0;
    }
    o->accs = items ? (unsigned)items : 1;
    o->signature = items ? signature_add(o->begun, accumulators_code((unsigned)items)) : o->begun;
    for (unsigned k = 0; k < o->accs; k++) {
        PyObject *number = o->numbers[k] = items ? PyTuple_GET_ITEM(first, k) : first;
        const int code = number_code(number);
        if (code < 0) {
            return 0;
        }
        o->signature = items ? signature_add(o->signature, accumulator_in_tuple(number, code))
                             : signature_add(signature_add(o->signature, accumulator_code(number)), (unsigned)code);
    }
    return 1;
}

/* Prepares the place for the program of these operands. NULL if there is none, or none that can be run here. */
static open_frame *prepare(module_state *state, open_frame *place, PyObject *ready, const operands *o)
{
    PyObject *found = known_program(state, ready, o->signature);
    const ao_program *p = found && Py_IS_TYPE(found, state->program_type) ? ((ProgramObject *)found)->program : NULL;
    const int suits = p && p->inputs == o->ninputs && p->params == o->nnumbers && p->accs == o->accs && p->mask == AO_NO_REG
                      && (o->accs || p->out_type != AO_TYPE_NONE) && p->frame.total <= FRAME_ON_STACK;
    if (!suits || (!place->memory && !(place->memory = PyMem_RawMalloc(FRAME_ON_STACK + 64)))) {
        Py_XDECREF(found);
        return NULL;
    }
    open_frame before = *place;
    place->ready = Py_NewRef(ready);
    place->program = found;
    place->signature = o->signature;
    ao_frame_prepare(&place->frame, p, aligned64(place->memory));
    Py_XDECREF(before.ready); /* only now: this may run any code */
    Py_XDECREF(before.program);
    return place;
}

/* Looks at the operands once more, if need be. Nonzero if they are what the program was found for, and the frame is still its own. */
static int is_as_it_was(const module_state *state, const meaning *m, const open_frame *place, operands *o)
{
    const size_t count = o->first.count;
    if (!o->disturbed) {
        return 1;
    }
    Py_ssize_t lead;
    if (!look_at_lead(state, m, &lead, &o->first) || o->first.count != count || place->ready != m->ready) {
        return 0;
    }
    const uint64_t found = o->signature;
    o->signature = o->begun;
    return look_at_operands(state, m, o) && o->signature == found && place->signature == found;
}

/* Looks at the operands, of which the first is known, and finds what they are to run: of a fold what begins with `acc`, which
 * else is NULL. NULL if it is not known. */
static open_frame *find_place(module_state *state, const meaning *m, PyObject *acc, operands *o)
{
    o->signature = o->begun;
    o->accs = 0;
    if (acc && !look_at_accumulators(m, acc, o)) {
        return NULL;
    }
    if (!look_at_operands(state, m, o)) {
        return NULL;
    }
    open_frame *place = &state->open_frames[(o->signature ^ (uintptr_t)m->ready >> 4) % AO_OPEN_FRAMES];
    o->disturbed = place->ready != m->ready || place->signature != o->signature;
    return o->disturbed ? prepare(state, place, m->ready, o) : place;
}

static const ao_program *program_of(const open_frame *place)
{
    return ((const ProgramObject *)place->program)->program;
}

static int is_long(PyObject *program, size_t count)
{
    return run_is_long(((const ProgramObject *)program)->program->weight, count);
}

/* The numbers among the operands as the program has them. 0 if one is none of its type. */
static int convert_numbers(const ao_program *p, const operands *o, ao_value *params)
{
    for (unsigned i = 0; i < p->params; i++) {
        const unsigned type = p->types[p->inputs + i];
        if (type >= AO_NTYPES || number_to_value((enum ao_type)type, o->numbers[i], &params[i]) != 0) {
            return 0;
        }
    }
    return 1;
}

/* Fills `out`. Nonzero if it did. */
static AO_INLINE int run_program(const module_state *state, open_frame *place, const operands *o, const array_look *out, int keep)
{
    const ao_program *p = program_of(place);
    ao_value params[SIGNATURE_VALUES];
    const size_t count = o->first.count;
    if (out->type != p->out_type || (p->faults && keep && count > MARKED_MOST)
        || !convert_numbers(p, o, params)) {
        return 0;
    }
    if (count <= AO_FEW) {
        return ao_run_few(&place->frame, state->isa, o->inputs, params, out->data, count, keep) == 0;
    }
    ao_job job = {.isa = state->isa, .inputs = o->inputs, .params = params, .out = out->data, .count = count,
                  .flags = keep ? AO_KEEP : 0};
    job.flags |= keep && p->faults ? 0 : state->native; /* which, stopped by a mark, would have written what comes before it */
    ao_frame_bind(&place->frame, &job);
    return ao_run(&place->frame, count) == AO_OK;
}

/* Those elements of the first array for which the mask is true. They are copied before there is an array for them, as that may
 * begin a garbage collection. */
static PyObject *kept(const module_state *state, const array_look *first, const uint8_t *mask)
{
    char elements[AO_FEW * sizeof(ao_value)];
    const size_t size = ao_type_sizes[first->type];
    const size_t count = state->isa->compact[ao_trailing_zeros(size)](first->count, mask, first->data, elements);
    PyObject *result = array_new(state, first->typecode, count);
    array_look made;
    if (result && count && array_look_at(state, result, &made)) {
        memcpy(made.data, elements, count * size);
    }
    return result;
}

/* Whether the first elements may be enough to answer. */
static int may_be_decided(int asks)
{
    return asks != SHORT_FILTER && asks != RUN_COUNT;
}

/* What is asked for, if the elements are few, or the first few decide; else NULL. */
static PyObject *answer(const module_state *state, open_frame *place, const operands *o, int asks)
{
    uint8_t mask[AO_FEW];
    ao_value params[SIGNATURE_VALUES];
    const ao_program *p = program_of(place);
    const int part = o->first.count > AO_FEW;
    const size_t count = part ? AO_FEW : o->first.count;
    if ((part && !may_be_decided(asks)) || p->out_type != AO_TYPE_b1 || !convert_numbers(p, o, params)
        || ao_run_few(&place->frame, state->isa, o->inputs, params, mask, count, 0)
        || (part && !memchr(mask, asks == RUN_ANY || asks == RUN_FIRST, count))) {
        return NULL;
    }
    return asks == SHORT_FILTER ? kept(state, &o->first, mask) : count_few(asks, mask, count);
}

/* -- calls that come again ------------------------------------------------------------------------------------------- */

enum { IS_MAP = SHORT_FILTER - 1 }; /* in place of what else is asked for */

_Static_assert(AO_RECENT == 1 << 6, "as many as six bits say");

/* The place of a call among those that are remembered. */
static recent_call *recent_place(module_state *state, const short_call *call)
{
    PyObject *const first = call->args[0];
    const void *row = Py_IS_TYPE(first, (PyTypeObject *)state->array_type) ? ((const array_object *)first)->row : NULL;
    uint64_t mixed = ((uintptr_t)call->of >> 4) ^ ((uintptr_t)row >> 3);
    for (Py_ssize_t i = 0; call->keywords && i < PyTuple_GET_SIZE(call->keywords); i++) {
        mixed = mixed * 3 + ((uintptr_t)PyTuple_GET_ITEM(call->keywords, i) >> 4);
    }
    return &state->recent_calls[((mixed + (unsigned)call->what) * UINT64_C(0x9E3779B97F4A7C15)) >> 58];
}

/* A call by **names has a new tuple of the same names each time. */
static AO_INLINE int are_same_names(PyObject *a, PyObject *b)
{
    if (a == b || !a || !b || PyTuple_GET_SIZE(a) != PyTuple_GET_SIZE(b)) {
        return a == b;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(a); i++) {
        if (PyTuple_GET_ITEM(a, i) != PyTuple_GET_ITEM(b, i)) {
            return 0;
        }
    }
    return 1;
}

static AO_INLINE int is_of_call(const recent_call *known, const short_call *call)
{
    return known->of == call->of && known->what == call->what && known->nargs == call->nargs
           && are_same_names(known->keywords, call->keywords);
}

/* Remembers what was found for a call and has just been run. `known` says what is asked, where the results go and which array says
 * their type. */
static void remember(module_state *state, const short_call *call, const meaning *m, open_frame *place, recent_call known)
{
    recent_call *const to = recent_place(state, call), before = *to;
    known.of = Py_NewRef(call->of);
    known.keywords = Py_XNewRef(call->keywords);
    known.program = Py_NewRef(place->program);
    known.place = place;
    known.what = call->what;
    known.nargs = call->nargs;
    known.nvalues = (unsigned)m->nvalues;
    for (Py_ssize_t i = 0; i < m->nvalues; i++) {
        array_look look;
        const int is_array = array_look_at(state, m->values[i], &look);
        known.values[i].row = is_array ? ((const array_object *)m->values[i])->row : NULL;
        known.values[i].from = m->from[i];
    }
    *to = known;
    Py_XDECREF(before.of); /* only now: this may run any code */
    Py_XDECREF(before.keywords);
    Py_XDECREF(before.program);
}

/* The operands of a call, if its arrays are of the types that are remembered, and as long as the first one. */
static AO_INLINE int look_again(const module_state *state, const recent_call *known, const short_call *call, operands *o)
{
    o->first.count = (size_t)Py_SIZE(call->args[known->lead]);
    o->ninputs = o->nnumbers = 0;
    for (unsigned i = 0; i < known->nvalues; i++) {
        PyObject *const value = call->args[known->values[i].from];
        if (known->values[i].row) {
            const array_object *const a = (const array_object *)value;
            if (!Py_IS_TYPE(value, (PyTypeObject *)state->array_type) || a->row != known->values[i].row
                || (size_t)Py_SIZE(a) != o->first.count) {
                return 0;
            }
            o->inputs[o->ninputs++] = a->items;
        } else {
            o->numbers[o->nnumbers++] = value; /* the program says whether it is of its type */
        }
    }
    return known->place->program == known->program;
}

/* What is asked of operands that are as they were before. Of long arrays the first elements are tried, unless that was in vain
 * of late. */
static PyObject *answer_again(module_state *state, recent_call *known, short_call *call)
{
    operands o;
    call->undecided = Py_SIZE(call->args[known->lead]) > AO_FEW;
    if ((call->undecided && ao_pause_pass(&known->pause)) || !look_again(state, known, call, &o)
        || !array_look_at(state, call->args[known->lead], &o.first)) {
        return NULL;
    }
    PyObject *result = answer(state, known->place, &o, known->asks);
    if (!result) {
        PyErr_Clear(); /* no memory: as below */
    }
    if (call->undecided && result) {
        ao_pause_shorten(&known->pause);
    } else if (call->undecided) {
        ao_pause_start(&known->pause);
    }
    return result;
}

PyObject *short_again(module_state *state, short_call *call)
{
    operands o;
    array_look out;
    recent_call *const known = recent_place(state, call);
    if (!is_of_call(known, call) || !state->knows_arrays || state->perf_map
        || !Py_IS_TYPE(call->args[known->lead], (PyTypeObject *)state->array_type)) {
        return NULL;
    }
    if (known->asks != IS_MAP) {
        return answer_again(state, known, call);
    }
    PyObject *const lead = call->args[known->lead];
    if (is_long(known->program, (size_t)Py_SIZE(lead))) {
        return NULL;
    }
    PyObject *result = known->out < 0 ? array_new(state, known->typecode, (size_t)Py_SIZE(lead))
                                      : Py_NewRef(call->args[known->out]);
    if (!result) {
        PyErr_Clear(); /* no memory: whoever does it all says so */
        return NULL;
    }
    /* a new array may have had garbage collected: only what is looked at now is still so when the machine runs */
    const int good = array_look_at(state, result, &out)
                     && (known->out >= 0 || (is_of_call(known, call) && known->typecode == out.typecode))
                     && look_again(state, known, call, &o) && out.count == o.first.count
                     && run_program(state, known->place, &o, &out, known->out >= 0);
    if (!good) {
        Py_CLEAR(result);
    }
    return result;
}

/* -- maps, filters and counts -------------------------------------------------------------------------------------- */

PyObject *short_map(module_state *state, const meaning *m, const short_call *call, const short_request *q)
{
    operands o;
    array_look out = {AO_TYPE_NONE, 0, 0, NULL};
    Py_ssize_t lead;
    if (!can_look(state, m) || !look_at_lead(state, m, &lead, &o.first)
        || (q->out && (!array_look_at(state, q->out, &out) || out.count != o.first.count))) {
        return NULL;
    }
    const int type = q->typecode ? state->array_types[q->typecode & 127] - 1 : (int)(q->out ? out.type : o.first.type);
    o.begun = signature_begin(SIGNATURE_MAP, (unsigned)type);
    open_frame *place = find_place(state, m, NULL, &o);
    if (!place || (q->alike && o.floats && !is_float(o.first.type)) || is_long(place->program, o.first.count)) {
        return NULL;
    }
    o.disturbed |= !q->out; /* by the garbage collection that a new array may begin */
    PyObject *result = q->out ? Py_NewRef(q->out)
                              : array_new(state, q->typecode ? q->typecode : o.first.typecode, o.first.count);
    if (result && !(array_look_at(state, result, &out) && is_as_it_was(state, m, place, &o) && out.count == o.first.count
                    && run_program(state, place, &o, &out, q->out != NULL))) {
        Py_CLEAR(result);
    }
    if (result && call) {
        remember(state, call, m, place, (recent_call){.asks = IS_MAP, .out = q->out ? (int)q->from : -1,
                                                      .lead = m->from[lead], .typecode = out.typecode});
    }
    return result;
}

PyObject *short_answer(module_state *state, const meaning *m, const short_call *call, int asks)
{
    operands o;
    Py_ssize_t lead;
    if (!can_look(state, m) || !look_at_lead(state, m, &lead, &o.first)
        || (o.first.count > AO_FEW && (!may_be_decided(asks) || (call && call->undecided)))) {
        return NULL;
    }
    o.begun = signature_begin(SIGNATURE_FILTER, AO_TYPE_b1);
    open_frame *place = find_place(state, m, NULL, &o);
    if (!place || !is_as_it_was(state, m, place, &o)) {
        return NULL;
    }
    PyObject *result = answer(state, place, &o, asks);
    ao_pause pause = {0, 0};
    const int in_vain = !result && o.first.count > AO_FEW;
    if (in_vain) {
        ao_pause_start(&pause);
    }
    /* a new array may have had garbage collected, and the place another program by now */
    if ((result || in_vain) && call && place->ready == m->ready && place->signature == o.signature) {
        remember(state, call, m, place, (recent_call){.asks = asks, .out = -1, .lead = m->from[lead], .pause = pause});
    }
    return result;
}

/* -- folds ----------------------------------------------------------------------------------------------------------- */

/* Looks at a fold's array and what goes with it, from the beginning; its first value is `first`, or NULL: the array's first
 * element, which that becomes. NULL as find_place() has it, or if the array has another length by now. */
static open_frame *find_step_place(module_state *state, const meaning *m, unsigned wanted, PyObject **first, operands *o)
{
    const size_t count = o->first.count;
    if (!array_look_at(state, m->values[1], &o->first) || o->first.count != count) {
        return NULL;
    }
    *first = *first ? *first : element_get(o->first.type, o->first.data);
    o->begun = signature_begin(SIGNATURE_FOLD, wanted);
    return *first ? find_place(state, m, *first, o) : NULL;
}

/* Runs the steps, from element `from` on. Nonzero if it did. */
static int run_steps(const module_state *state, open_frame *place, operands *o, size_t from, const array_look *out)
{
    const ao_program *p = program_of(place);
    ao_value params[SIGNATURE_VALUES];
    const size_t count = o->first.count - from;
    char *to = out->data;
    if (out->type != p->out_type || run_is_long(p->weight, count) || !convert_numbers(p, o, params)) {
        return 0;
    }
    if (to && !element_set_plain(out->type, to, o->numbers[0])) {
        return 0;
    }
    for (unsigned i = 0; from && i < p->inputs; i++) {
        o->inputs[i] = (const char *)o->inputs[i] + ao_type_sizes[p->types[i]];
    }
    to += to ? ao_type_sizes[out->type] : 0;
    return ao_fold_few(&place->frame, state->isa, o->inputs, params, to, count) == 0;
}

/* What a fold has come to. */
static PyObject *accumulated(const open_frame *place, PyObject *first)
{
    enum ao_type types[SIGNATURE_VALUES];
    ao_value values[SIGNATURE_VALUES];
    const ao_program *p = program_of(place);
    const unsigned accs = p->accs;
    for (unsigned k = 0; k < accs; k++) {
        types[k] = (enum ao_type)p->types[p->acc + k];
        values[k] = ao_frame_acc(&place->frame, k);
    }
    if (!PyTuple_CheckExact(first)) {
        return value_to_number(types[0], values[0]);
    }
    PyObject *tuple = PyTuple_New(accs); /* only now: the garbage collection that this may begin may use the frame */
    for (unsigned k = 0; tuple && k < accs; k++) {
        PyObject *number = value_to_number(types[k], values[k]);
        if (!number) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, k, number);
    }
    return tuple;
}

/* The last value of a fold, whose values all go to `running`, if that is an array. */
static PyObject *fold_few(module_state *state, const meaning *m, PyObject *initial, PyObject *running, operands *o)
{
    const size_t from = !initial, values = o->first.count + !from;
    array_look out = {AO_TYPE_NONE, 0, values, NULL};
    if (running && (!array_look_at(state, running, &out) || out.count != values)) {
        return NULL;
    }
    const unsigned wanted = running ? (unsigned)out.type : SIGNATURE_NATURAL;
    PyObject *first = initial, *result = NULL;
    open_frame *place = find_step_place(state, m, wanted, &first, o);
    if (place && o->disturbed) { /* the first element, too, may be another */
        if (!initial) {
            Py_CLEAR(first);
        }
        place = find_step_place(state, m, wanted, &first, o);
    }
    if (place && !o->disturbed && run_steps(state, place, o, from, &out)) {
        result = accumulated(place, first);
    }
    if (!initial) {
        Py_XDECREF(first);
    }
    return result;
}

/* Whether its first step is Python's, most likely: an int that floats are added to. To look for its program would only cost. */
static int is_unsettled(PyObject *initial, enum ao_type type)
{
    return initial && PyLong_CheckExact(initial) && is_float(type);
}

PyObject *short_fold(module_state *state, const meaning *m, const short_step *q)
{
    operands o;
    PyObject *running = NULL;
    const int looks = can_look(state, m) && !(state->native & AO_NATIVE_AT_ONCE);
    if (!looks || !array_look_at(state, m->values[1], &o.first) || o.first.count > AO_FEW
        || o.first.count <= !q->initial || is_unsettled(q->initial, o.first.type)) {
        return NULL;
    }
    if (q->running) { /* before it is looked at, for the garbage collection that this may begin */
        running = array_new(state, q->typecode ? q->typecode : o.first.typecode, o.first.count + (q->initial != NULL));
        if (!running) {
            return NULL;
        }
    }
    PyObject *last = fold_few(state, m, q->initial, running, &o);
    if (running && last) {
        Py_DECREF(last);
        return running;
    }
    Py_XDECREF(running);
    return last;
}
