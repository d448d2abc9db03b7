/* What a call asks for by its keywords, and the run of what it means: of elements, or of a fold. See request.h.
 *
 * Whatever is not served here is left to Python, which does all of it again from the beginning: so nothing is decided here,
 * and no exception is raised but those of the elements.
 */
#include "request.h"
#include "callback.h"
#include "filter.h"
#include "fold.h"
#include "map.h"
#include "../../vm/portable.h"

#include <stdatomic.h>
#include <string.h>

/* What run_count() is asked for the functions from CALL_ANY to CALL_FIRST. */
static const int questions[] = {RUN_ANY, RUN_ALL, RUN_COUNT, RUN_FIRST};

/* -- what is asked for ------------------------------------------------------------------------------------------------ */

/* Keywords that are no names: of which functions, and what they are where nothing is asked for. Python serves other values,
 * but for those that have a place in the request. */
enum { OUT, TYPECODE, INITIAL, DEFAULT, DDOF };
static const struct {
    const char *name;
    unsigned of;
    enum { IS_NONE, IS_FALSE, IS_TRUE, IS_NOTHING } otherwise;
} options[AO_OPTIONS] = {
    {"out", CALL_MAPS | CALL_ARITHMETIC, IS_NONE},
    {"typecode", CALL_MAPS | CALL_ARITHMETIC | CALL_BIT(CALL_ACCUMULATE), IS_NONE},
    {"initial", CALL_FOLDS, IS_NONE},
    {"default", CALL_BIT(CALL_FIRST), IS_NOTHING},
    {"ddof", CALL_BIT(CALL_VAR) | CALL_BIT(CALL_STD), IS_NOTHING},
    {"threads", CALL_MAPS | CALL_BIT(CALL_MAP_INPLACE), IS_NONE},
    {"nulls", ~(CALL_BIT(CALL_SCALE) | CALL_BIT(CALL_CLIP)), IS_NONE},
    {"names", CALL_GIVEN | CALL_BIT(CALL_KERNEL), IS_NONE},
    {"ieee", CALL_GIVEN, IS_FALSE},
    {"compile", CALL_GIVEN & ~CALL_BIT(CALL_EVALUATE), IS_TRUE},
    {"strict", CALL_GIVEN & ~CALL_BIT(CALL_EVALUATE), IS_FALSE},
    {"nan", CALL_PLAIN & ~CALL_BIT(CALL_DOT), IS_NONE},
};

/* The machine type of array.array's typecode, or -1. */
static int array_type_of(const module_state *state, int letter)
{
    return letter >= 0 && letter < 128 ? state->array_types[letter] - 1 : -1;
}

static int take_option(const module_state *state, request *q, int option, PyObject *value)
{
    switch (options[option].otherwise) {
    case IS_NONE:
        if (value == Py_None) {
            return 0;
        }
        break;
    case IS_FALSE: return value == Py_False ? 0 : -1;
    case IS_TRUE: return value == Py_True ? 0 : -1;
    case IS_NOTHING: break;
    }
    switch (option) {
    case OUT: q->out = value; return 0;
    case INITIAL: q->initial = value; return 0;
    case DEFAULT: q->missing = value; return 0;
    case DDOF: q->ddof = value; return 0;
    case TYPECODE: break;
    default: return -1;
    }
    const int is_letter = PyUnicode_CheckExact(value) && PyUnicode_GET_LENGTH(value) == 1;
    const Py_UCS4 letter = is_letter ? PyUnicode_READ_CHAR(value, 0) : 0;
    q->typecode = letter < 128 ? (char)letter : 0;
    return array_type_of(state, q->typecode) < 0 ? -1 : 0;
}

int request_take_keywords(const module_state *state, request *q, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    PyObject *const *const values = args + nargs;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keywords); i++) {
        PyObject *name = PyTuple_GET_ITEM(keywords, i);
        int option = 0;
        while (option < AO_OPTIONS && !(name == state->options[option] && options[option].of & CALL_BIT(q->what))) {
            option++;
        }
        if (option < AO_OPTIONS) {
            if (take_option(state, q, option, values[i]) < 0) {
                return -1;
            }
            q->has_options |= option != OUT || !q->out;
            q->out_from = option == OUT ? (unsigned)(nargs + i) : q->out_from;
        } else if (q->nnamed == RUN_ARGS_INLINE || !PyUnicode_CHECK_INTERNED(name)) {
            return -1; /* a name that was made just now may be an option's all the same */
        } else {
            q->names[q->nnamed] = name;
            q->named_from[q->nnamed] = (unsigned)(nargs + i);
            q->named[q->nnamed++] = values[i];
        }
    }
    return 0;
}

int request_has_initial(const module_state *state, PyObject *keywords)
{
    for (Py_ssize_t i = 0; keywords && i < PyTuple_GET_SIZE(keywords); i++) {
        if (PyTuple_GET_ITEM(keywords, i) == state->options[INITIAL]) {
            return 1;
        }
    }
    return 0;
}

int request_bind_names(meaning *m, const request *q)
{
    if (!m->params || PyTuple_GET_SIZE(m->params) != m->nargs) {
        return 0;
    }
    const Py_ssize_t npositional = m->nargs - q->nnamed;
    Py_ssize_t next = 0, found = 0;
    PyObject *positional[RUN_ARGS_INLINE];
    unsigned from[RUN_ARGS_INLINE];
    for (Py_ssize_t i = 0; i < npositional; i++) {
        positional[i] = m->values[i];
        from[i] = m->from[i];
    }
    m->lead = -1;
    for (Py_ssize_t i = 0; i < m->nargs; i++) {
        PyObject *param = PyTuple_GET_ITEM(m->params, i);
        Py_ssize_t k = 0;
        while (k < q->nnamed && q->names[k] != param && PyUnicode_Compare(q->names[k], param) != 0) {
            k++;
        }
        if (k < q->nnamed) {
            m->values[i] = q->named[k];
            m->from[i] = q->named_from[k];
            found++;
        } else if (next == npositional) {
            return 0;
        } else {
            m->lead = m->lead < 0 ? i : m->lead;
            m->values[i] = positional[next];
            m->from[i] = from[next++];
        }
    }
    return found == q->nnamed && next == npositional;
}

/* -- running --------------------------------------------------------------------------------------------------------- */

static AO_INLINE PyObject *find_program(const run *r, const meaning *m, int does, unsigned wanted)
{
    uint64_t signature = signature_begin(does, wanted);
    unsigned input = 0;
    if (does == SIGNATURE_FOLD) {
        signature = signature_add(signature, accumulator_code(m->values[0]));
    }
    for (Py_ssize_t i = 0; i < m->nvalues; i++) {
        int code = r->is_array[i] ? (int)array_stored(&r->arrays[input++]) : number_code(m->values[i]);
        if (code < 0) {
            return NULL;
        }
        signature = signature_add(signature, (unsigned)code);
    }
    return known_program(r->state, m->ready, signature);
}

/* Whether a function that is not decoded may be called for so many elements more. */
static int has_credit(EntryObject *cold, size_t count)
{
    if (cold && atomic_load_explicit(&cold->credit, memory_order_relaxed) <= (Py_ssize_t)count) {
        return 0;
    }
    if (cold) { /* threads that count at once may take it below 0, which is as good as none left */
        atomic_fetch_sub_explicit(&cold->credit, (Py_ssize_t)count, memory_order_relaxed);
    }
    return 1;
}

/* Fills out, or a new array; returns it. */
static PyObject *map_result(run *r, module_state *state, PyObject *out, char typecode, ao_array *held)
{
    PyObject *result = out ? Py_NewRef(out) : array_new_out(state, typecode, r->count, held);
    if (!result || (r->program ? run_map(r, held, !out, 0, NULL) : call_map(r, held, !out, NULL)) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    return result;
}

/* Whether the numbers among the arguments are plain ones. */
static int plain_numbers(const run *r, const meaning *m)
{
    for (Py_ssize_t i = 0; i < m->nargs; i++) {
        if (!r->is_array[i] && number_code(m->values[i]) < 0) {
            return 0;
        }
    }
    return 1;
}

/* Finds the program, if there is to be one: numbers that are not plain have none. 0 if Python must do it. */
static int settle(run *r, const meaning *m, int filters, unsigned wanted)
{
    if (!m->ready) {
        return plain_numbers(r, m) && has_credit(m->cold, r->count);
    }
    const int does = filters ? SIGNATURE_FILTER : SIGNATURE_MAP;
    PyObject *program = find_program(r, m, does, filters ? (unsigned)AO_TYPE_b1 : wanted);
    const int bound = program && run_bind(r, program) == 0;
    Py_XDECREF(program);
    return bound;
}

/* What results for such a first array are. Those for Arrow's and pandas' are of their kind, which is for Python to see to
 * (exchange.py), as it is for any type that is not known here. */
enum form { BY_PYTHON, AN_ARRAY, AN_NDARRAY };
static enum form form_of(const module_state *state, PyObject *first)
{
    const PyTypeObject *type = Py_TYPE(first);
    if (type == (PyTypeObject *)state->array_type || type == &PyBytes_Type || type == &PyByteArray_Type
        || type == &PyMemoryView_Type || type == &PyRange_Type || type == state->view_type) {
        return AN_ARRAY;
    }
    if (strcmp(type->tp_name, "mmap.mmap") == 0) {
        return AN_ARRAY;
    }
    const int in_c = !(type->tp_flags & Py_TPFLAGS_HEAPTYPE); /* no class of somebody else's with that name */
    return in_c && strcmp(type->tp_name, "numpy.ndarray") == 0 ? AN_NDARRAY : BY_PYTHON;
}

/* numpy.frombuffer(array, typecode), as labelled.py has it. */
static PyObject *as_ndarray(const module_state *state, PyObject *array, char typecode)
{
    PyObject *numpy = PyImport_GetModule(state->numpy_name), *letter = numpy ? PyUnicode_FromOrdinal(typecode) : NULL;
    PyObject *const args[] = {numpy, array, letter};
    PyObject *result = letter ? PyObject_VectorcallMethod(state->frombuffer_name, args, 3, NULL) : NULL;
    if (!result && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_ImportError, "numpy is no longer among the modules"); /* somebody took it out of them */
    }
    Py_XDECREF(numpy);
    Py_XDECREF(letter);
    Py_DECREF(array);
    return result;
}

/* The typecode of what evaluate() gives if no type is asked for. The program has the type; 0 if Python must do it. */
static char natural_typecode(const run *r)
{
    switch (ao_program_out_type(r->program->program)) {
    case AO_TYPE_f64: return 'd';
    case AO_TYPE_i64: return 'q';
    case AO_TYPE_u8: return 'B';
    default: return 0;
    }
}

/* Whether no number is a float, or the array is one of floats. */
static int are_alike(const run *r, const meaning *m, const ao_array *first)
{
    for (Py_ssize_t i = 0; i < m->nargs && !is_float(first->type); i++) {
        if (!r->is_array[i] && !PyLong_CheckExact(m->values[i])) {
            return 0;
        }
    }
    return 1;
}

/* What first() gives, if that is the index of no element. */
static PyObject *or_missing(PyObject *answer, const request *q)
{
    if (answer && q->missing && PyLong_AsSsize_t(answer) < 0) {
        Py_SETREF(answer, Py_NewRef(q->missing));
    }
    return answer;
}

/* The result, or NULL: with an exception, or without one if Python must do it. */
static PyObject *run_taken(run *r, module_state *state, meaning *m, const request *q, ao_array *held)
{
    Py_ssize_t lead = m->lead < 0 ? 0 : m->lead;
    while (m->lead < 0 && lead < m->nargs && !r->is_array[lead]) {
        lead++;
    }
    if (lead == m->nargs || !r->is_array[lead]) {
        return NULL;
    }
    const ao_array *first = r->arrays;
    for (Py_ssize_t i = 0; i < lead; i++) {
        first += r->is_array[i];
    }
    const int filters = q->what >= CALL_FILTER && q->what <= CALL_FIRST, counts = filters && q->what != CALL_FILTER;
    const enum form form = q->out || counts ? AN_ARRAY : form_of(state, m->values[lead]);
    const unsigned wanted = q->typecode ? (unsigned)array_type_of(state, q->typecode)
                            : q->what == CALL_EVALUATE && !q->out ? SIGNATURE_NATURAL
                                                             : array_stored(q->out ? held : first);
    if (form == BY_PYTHON || (q->alike && !are_alike(r, m, first)) || !settle(r, m, filters, wanted)) {
        return NULL;
    }
    const char typecode = q->typecode ? q->typecode : wanted == SIGNATURE_NATURAL ? natural_typecode(r) : first->typecode;
    if (counts) {
        return m->ready ? or_missing(run_count(r, questions[q->what - CALL_ANY]), q) : NULL;
    }
    const int truths = wanted == SIGNATURE_NATURAL && typecode == 'B'; /* NumPy has them, and array.array has not */
    if (!typecode || (form == AN_NDARRAY && (truths || array_type_of(state, typecode) < 0))) {
        return NULL;
    }
    PyObject *result = !filters   ? map_result(r, state, q->out, typecode, held)
                       : m->ready ? run_filter(r, lead)
                                  : call_filter(r, lead);
    return result && form == AN_NDARRAY ? as_ndarray(state, result, typecode) : result;
}

/* Likewise, of what short.c can do. */
static AO_INLINE PyObject *run_short(module_state *state, const meaning *m, const request *q, int counts)
{
    if (q->what == CALL_EVALUATE && !q->out) {
        return NULL;
    }
    const short_call *const call = m->params && !q->has_options ? q->call : NULL; /* what functions capture is not in a call */
    if (counts) {
        return or_missing(short_answer(state, m, call, questions[q->what - CALL_ANY]), q);
    }
    if (q->what == CALL_FILTER) {
        return short_answer(state, m, call, SHORT_FILTER);
    }
    return short_map(state, m, call, &(short_request){q->out, q->out_from, q->typecode, q->alike});
}

static PyObject *run_meaning(module_state *state, meaning *m, const request *q)
{
    const int counts = q->what >= CALL_ANY && q->what <= CALL_FIRST;
    PyObject *lead = m->lead < 0 || q->out || counts ? NULL : m->values[m->lead];
    if (lead && !Py_IS_TYPE(lead, (PyTypeObject *)state->array_type) && form_of(state, lead) == BY_PYTHON) {
        return NULL; /* before its buffer is asked for, which takes pandas 10 us: Python would ask again */
    }
    PyObject *result = run_short(state, m, q, counts);
    if (result || PyErr_Occurred()) {
        m->asked = 0;
        return result;
    }
    run r;
    ao_array held;
    array_none(&held);
    run_none(&r);
    const int done = run_take(&r, state, m->values, m->nvalues, m->oracle, m->nargs, -1) == 0
                     && (!q->out || array_take_out(state, q->out, &held) == 0);
    if (!done) {
        PyErr_Clear();
    } else {
        result = run_taken(&r, state, m, q, &held);
    }
    array_release(&held);
    m->asked = run_close(&r);
    return result;
}

/* -- folds ----------------------------------------------------------------------------------------------------------- */

/* Elements given to Python while the accumulator's type settles (int, then float): as folds.py has it. */
enum { FOLD_TRIES = 4 };

static int is_plain_number(PyObject *object)
{
    return PyFloat_CheckExact(object) || PyLong_CheckExact(object) || PyBool_Check(object);
}

/* Stores a value of the accumulator; no out, nothing to do. */
static int store_acc(const run *r, const ao_array *out, size_t index, PyObject *acc)
{
    char *const element = out ? (char *)out->data + index * ao_type_sizes[out->type] : NULL;
    if (!out || element_set_plain(out->type, element, acc)) {
        return 0;
    }
    PyObject *scratch = array_scratch(r->state, out->typecode);
    const int status = scratch ? element_set(out->type, element, acc, scratch) : -1;
    Py_XDECREF(scratch);
    return status;
}

/* The fold of an accumulator from element `from` on, the first so many of them by Python until there is a program. out: as
 * run_fold() has it. */
static PyObject *fold_from(run *r, meaning *m, PyObject *first, size_t from, ao_array *out, unsigned wanted)
{
    PyObject *acc = Py_NewRef(first), *result = NULL;
    int tries = 0;
    for (; tries < FOLD_TRIES && from < r->count && is_plain_number(acc); tries++, from++) {
        m->values[0] = acc;
        PyObject *program = find_program(r, m, SIGNATURE_FOLD, wanted);
        if (program && program != Py_None) {
            result = run_bind(r, program) == 0 ? run_fold(r, from, out, 0) : NULL;
            Py_DECREF(program);
            break;
        }
        Py_XDECREF(program);
        PyObject *next = program ? run_ask(r, from, acc) : NULL;
        if (!next) {
            break;
        }
        Py_SETREF(acc, next);
        if (store_acc(r, out, from, acc) < 0) {
            break;
        }
    }
    if (out && tries && !result && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear(); /* running values that begin as another type are Python's, with no word of the element that raises */
    }
    m->values[0] = first;
    Py_DECREF(acc);
    return result;
}

/* The same of a buffer that has been taken: from its own first element if there is no other, to one number or to all. */
static PyObject *fold_taken(run *r, meaning *m, const request *q, ao_array *held)
{
    const ao_array *array = r->arrays;
    const int given = q->initial != NULL;
    char local[8];
    PyObject *first = given ? Py_NewRef(q->initial) : element_get(array->type, array_element(array, 0, local)), *result = NULL;
    if (first && q->what == CALL_REDUCE) {
        result = fold_from(r, m, first, !given, NULL, SIGNATURE_NATURAL);
    } else if (first) {
        const char typecode = q->typecode ? q->typecode : array->typecode;
        const int type = array_type_of(r->state, typecode);
        result = type < 0 ? NULL : array_new_out(r->state, typecode, r->count + (size_t)given, held);
        ao_array out = *held; /* the values behind the first one that was given */
        if (result && store_acc(r, &out, 0, first) < 0) {
            Py_CLEAR(result);
        }
        out.data = result && given ? (char *)out.data + ao_type_sizes[type] : out.data;
        out.count -= result && given;
        PyObject *last = result ? fold_from(r, m, first, !given, &out, (unsigned)type) : NULL;
        if (!last) {
            Py_CLEAR(result);
        }
        Py_XDECREF(last);
    }
    Py_XDECREF(first);
    return result;
}

/* Which exception of accumulate() comes first depends on all elements, and a step by Python is another one there: those are for
 * Python to raise. */
static void leave_to_python(int what, const run *r)
{
    const int of_store = PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_OverflowError);
    if ((what == CALL_ACCUMULATE && of_store) || (!r->program && PyErr_ExceptionMatches(PyExc_Exception))) {
        PyErr_Clear();
    }
}

/* m->values are the accumulator and the buffer, then what has a name. */
static PyObject *run_step(module_state *state, meaning *m, const request *q)
{
    const enum form form = q->what == CALL_REDUCE ? AN_ARRAY : form_of(state, m->values[1]);
    if (form == BY_PYTHON || !m->ready || (q->initial && !is_plain_number(q->initial))) {
        return NULL; /* before an object is asked for its value, which Python will do */
    }
    PyObject *result = short_fold(state, m, &(short_step){q->initial, q->what == CALL_ACCUMULATE, q->typecode});
    if (result || PyErr_Occurred()) {
        return result;
    }
    run r;
    ao_array held;
    array_none(&held);
    run_none(&r);
    if (run_take(&r, state, m->values, m->nvalues, m->oracle, m->nargs, 0) < 0) {
        PyErr_Clear();
    } else if (r.is_array[1] && r.count) {
        result = fold_taken(&r, m, q, &held);
        if (!result && PyErr_Occurred()) {
            leave_to_python(q->what, &r);
        }
    }
    const char typecode = held.held ? held.typecode : 0;
    array_release(&held);
    run_close(&r);
    return result && form == AN_NDARRAY ? as_ndarray(state, result, typecode) : result;
}

PyObject *request_run(module_state *state, meaning *m, const request *q)
{
    return CALL_BIT(q->what) & CALL_FOLDS ? run_step(state, m, q) : run_meaning(state, m, q);
}

int request_prepare(PyObject *module)
{
    module_state *state = state_of(module);
    for (size_t i = 0; i < AO_OPTIONS; i++) {
        state->options[i] = PyUnicode_InternFromString(options[i].name);
        if (!state->options[i]) {
            return -1;
        }
    }
    return 0;
}
