/* Running programs over buffers.
 *
 * A run takes the buffers of its arguments, opens a frame on this thread's stack (or on the heap if it is large) and
 * lets the machine work in slices, without the GIL when there is much to do. Between slices signals are checked, so
 * Ctrl-C is answered. A block with marked elements comes back here: the oracle, a Python callable of one value per
 * argument, gives their values or the exception of the call.
 */
#include "run.h"
#include "watch.h"
#include "../../vm/program.h" /* fields, not calls: a run of ten elements asks for a dozen of them */

#include <string.h>

/* -- opening and closing ------------------------------------------------------------------------------------- */

size_t run_items(const run *r)
{
    const int is_tuple = r->acc_index >= 0 && r->acc_index < r->nargs && PyTuple_Check(r->args[r->acc_index]);
    return is_tuple ? (size_t)PyTuple_GET_SIZE(r->args[r->acc_index]) : 0;
}

/* Whether an argument is taken as a buffer, or refused as one. The usual kind first: what is no float otherwise has Python
 * look through its type's bases. */
static inline int is_taken(const run *r, PyObject *argument)
{
    return Py_IS_TYPE(argument, (PyTypeObject *)r->state->array_type)
           || !(PyTuple_Check(argument) || PyLong_Check(argument) || PyFloat_Check(argument));
}

static int run_tables(run *r)
{
    size_t n = (size_t)r->nargs + run_items(r);
    if (n <= RUN_ARGS_INLINE) {
        r->arrays = r->inline_arrays;
        r->inputs = r->inline_inputs;
        r->spacings = r->inline_spacings;
        r->params = r->inline_params;
        r->looked_up = r->inline_tables;
        r->is_array = r->inline_is_array;
        r->values = r->inline_values;
        return 0;
    }
    size_t each = sizeof *r->arrays + sizeof *r->inputs + sizeof *r->spacings + sizeof *r->params + sizeof *r->values
                  + sizeof *r->looked_up + sizeof *r->is_array;
    char *p = r->tables = PyMem_RawCalloc(n + 1, each);
    if (!p) {
        PyErr_NoMemory();
        return -1;
    }
    r->arrays = (ao_array *)(void *)p;
    r->params = (ao_value *)(void *)(r->arrays + n);
    r->spacings = (ao_spacing *)(void *)(r->params + n);
    r->looked_up = (ao_table *)(void *)(r->spacings + n);
    r->inputs = (const void **)(void *)(r->looked_up + n);
    r->values = (PyObject **)(void *)(r->inputs + n);
    r->is_array = (int8_t *)(r->values + n + 1);
    return 0;
}

static int take_array(run *r, PyObject *object)
{
    ao_array *array = &r->arrays[r->ninputs];
    if (array_take(r->state, object, array) < 0) {
        return -1;
    }
    if (r->ninputs++ && array_check_lengths(&r->arrays[0], array) < 0) {
        return -1;
    }
    r->count = array->count;
    return 0;
}

static ao_array *table_array(const run *r, unsigned table)
{
    return &r->arrays[(size_t)r->nargs - 1 - table];
}

static void point_at_table(run *r, unsigned table)
{
    static const uint64_t nothing = 0;
    const ao_array *array = table_array(r, table);
    r->looked_up[table] = (ao_table){array->count ? array->data : &nothing, array->count};
}

/* Its elements side by side, whatever they are in memory. */
static int take_table(run *r, PyObject *tuple)
{
    ao_array *array = table_array(r, r->ntables);
    if (PyTuple_GET_SIZE(tuple) != 1) {
        PyErr_SetString(PyExc_TypeError, "a table is a tuple of one buffer");
        return -1;
    }
    if (array_take(r->state, PyTuple_GET_ITEM(tuple, 0), array) < 0) {
        return -1;
    }
    r->ntables++;
    if (array->spacing.stride && array_make_private(array) < 0) {
        return -1;
    }
    point_at_table(r, r->ntables - 1);
    return 0;
}

int run_fills_table(const run *r, const ao_array *out)
{
    for (unsigned table = 0; table < r->ntables; table++) {
        ao_array seen = *table_array(r, table);
        if (seen.copy) { /* Python looks at what it is a copy of */
            seen.data = seen.view.buf;
            seen.spacing.stride = seen.view.strides ? seen.view.strides[0] : seen.view.itemsize;
        }
        if (seen.held && array_overlaps(&seen, out)) {
            return 1;
        }
    }
    return 0;
}

int run_take(run *r, module_state *state, PyObject *const *args, Py_ssize_t nargs, PyObject *oracle, Py_ssize_t visible,
             Py_ssize_t acc_index)
{
    run_none(r);
    r->state = state;
    r->oracle = oracle;
    r->args = args;
    r->nargs = nargs;
    r->visible = visible;
    r->acc_index = acc_index;
    if (visible < 0 || visible > nargs) {
        PyErr_SetString(PyExc_ValueError, "the oracle must take the leading arguments");
        return -1;
    }
    if (run_tables(r) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        r->is_array[i] = (int8_t)(i != acc_index && is_taken(r, args[i]));
        const int is_table = i != acc_index && !r->is_array[i] && PyTuple_Check(args[i]);
        if ((is_table && take_table(r, args[i]) < 0) || (r->is_array[i] && take_array(r, args[i]) < 0)) {
            return -1;
        }
    }
    if (!r->ninputs) {
        PyErr_SetString(PyExc_TypeError, "at least one argument must be a buffer");
        return -1;
    }
    return 0;
}

static int bind_arrays(run *r)
{
    const ao_program *program = r->program->program;
    if (r->ninputs != program->inputs) {
        return 1;
    }
    for (unsigned i = 0; i < r->ninputs; i++) {
        if (r->arrays[i].type != program->types[i]) {
            return 1;
        }
    }
    return 0;
}

static int bind_table(run *r, unsigned table, unsigned type, ao_value *value)
{
    value->table = &r->looked_up[table];
    return type != AO_TABLE_OF + (unsigned)table_array(r, table)->type;
}

/* The parameters that are accumulators, which the fold sets. */
static int bind_accumulators(run *r, unsigned *nparams)
{
    const ao_program *program = r->program->program;
    const size_t accs = run_items(r) ? run_items(r) : 1;
    for (unsigned k = 0; k < accs; k++) {
        if (*nparams >= ao_program_params(program) || ao_program_acc_type(program, k) == AO_TYPE_NONE) {
            return 1;
        }
        r->params[(*nparams)++] = (ao_value){0};
    }
    return ao_program_acc_type(program, (unsigned)accs) != AO_TYPE_NONE;
}

/* And tables. */
static int bind_numbers(run *r)
{
    const ao_program *program = r->program->program;
    unsigned nparams = 0, tables = 0;
    const unsigned known = program->params;
    for (Py_ssize_t i = 0; i < r->nargs; i++) {
        if (i == r->acc_index) {
            if (bind_accumulators(r, &nparams)) {
                return 1;
            }
            continue;
        }
        const int is_table = PyTuple_Check(r->args[i]);
        if (r->is_array[i] || (!is_table && number_is_big(r->args[i]))) {
            continue; /* a big number is a constant of the program */
        }
        if (nparams >= known) {
            return 1;
        }
        unsigned type = program->types[r->ninputs + nparams];
        ao_value *value = &r->params[nparams++];
        if (is_table ? bind_table(r, tables++, type, value)
                     : type >= AO_NTYPES || number_to_value((enum ao_type)type, r->args[i], value) != 0) {
            return 1;
        }
    }
    return nparams != known;
}

int run_bind(run *r, PyObject *program)
{
    if (!Py_IS_TYPE(program, r->state->program_type)) {
        PyErr_SetString(PyExc_TypeError, "a Program is needed");
        return -1;
    }
    r->program = (ProgramObject *)Py_NewRef(program);
    int status = bind_arrays(r);
    status = status ? status : bind_numbers(r);
    if (status > 0 && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_ValueError, "the program was compiled for other arguments");
    }
    return status ? -1 : 0;
}

static _Thread_local size_t last_asked;

/* last_asked() -> how many elements the oracle was asked for in the run that this thread ended last */
static PyObject *py_last_asked(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyLong_FromSize_t(last_asked);
}

size_t run_close(run *r)
{
    Py_XDECREF(r->program);
    for (Py_ssize_t i = 0; r->asked && i < r->visible; i++) {
        Py_XDECREF(r->values[i + 1]);
    }
    for (unsigned i = 0; i < r->ninputs; i++) {
        array_release(&r->arrays[i]);
    }
    Py_XDECREF(r->columns);
    Py_XDECREF(r->big);
    for (unsigned table = 0; table < r->ntables; table++) {
        array_release(table_array(r, table));
    }
    if (r->frame_memory || r->tables) { /* seldom; to free nothing is three calls each */
        PyMem_RawFree(r->frame_memory);
        PyMem_RawFree(r->tables);
    }
    return last_asked = r->asked + r->together; /* last: objects that go may run programs of their own */
}

static int is_tuple(PyObject *args)
{
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "a tuple of arguments is needed");
        return 0;
    }
    return 1;
}

int run_open(run *r, PyObject *module, PyObject *const *args, Py_ssize_t acc_index)
{
    PyObject *tuple = args[1];
    run_none(r);
    if (!is_tuple(tuple)
        || run_take(r, state_of(module), ((PyTupleObject *)tuple)->ob_item, PyTuple_GET_SIZE(tuple), args[2],
                    PyLong_AsSsize_t(args[3]), acc_index) < 0) {
        return -1;
    }
    return run_bind(r, args[0]);
}

int run_open_calls(run *r, PyObject *module, PyObject *function, PyObject *args)
{
    run_none(r);
    if (!is_tuple(args)) {
        return -1;
    }
    const Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    return run_take(r, state_of(module), ((PyTupleObject *)args)->ob_item, nargs, function, nargs, -1);
}

/* Memory of the frame: `stack`, or allocated if that is too small. NULL with MemoryError set. */
static void *frame_place(run *r, const ao_job *job, void *stack)
{
    const ao_program *program = r->program->program;
    size_t size = job->spacings ? ao_frame_size(program, r->nspaced) : program->frame.total;
    if (size <= FRAME_ON_STACK) {
        return stack;
    }
    r->frame_memory = PyMem_RawMalloc(size + 64);
    if (!r->frame_memory) {
        PyErr_NoMemory();
        return NULL;
    }
    return aligned64(r->frame_memory);
}

void run_find_spacings(run *r)
{
    r->nspaced = 0;
    for (unsigned i = 0; i < r->ninputs; i++) {
        r->inputs[i] = r->arrays[i].data;
        r->nspaced += r->arrays[i].spacing.stride != 0;
    }
    for (unsigned i = 0; r->nspaced && i < r->ninputs; i++) {
        r->spacings[i] = r->arrays[i].spacing;
    }
}

int run_start(run *r, ao_job *job, void *stack)
{
    run_find_spacings(r);
    job->inputs = r->inputs;
    job->spacings = r->nspaced ? r->spacings : NULL;
    void *memory = frame_place(r, job, stack);
    if (!memory) {
        return -1;
    }
    job->isa = r->state->isa;
    job->params = r->params;
    job->count = r->count;
    job->flags |= r->state->native;
    ao_frame_open(&r->frame, r->program->program, job, memory);
    if (r->state->perf_map) {
        program_write_map(r->program);
    }
    return 0;
}

/* -- running --------------------------------------------------------------------------------------------------- */

/* Runs to `end` or to a marked block: AO_OK, AO_MARKED, or -1 with an exception (of a signal handler) set. */
static int advance(run *r, size_t end)
{
    size_t slice = run_slice(r);
    slice = slice < AO_MAX_BLOCK ? AO_MAX_BLOCK : slice;
    for (;;) {
        size_t left = end - r->frame.position;
        size_t stop = r->frame.position + (left < slice ? left : slice);
        ao_status status;
        const int is_long = run_is_long(r->program->program->weight, left);
        if (is_long) {
            Py_BEGIN_ALLOW_THREADS
            status = ao_run(&r->frame, stop);
            Py_END_ALLOW_THREADS
        } else {
            status = ao_run(&r->frame, stop);
        }
        if (is_long && watch_look() < 0) {
            return -1;
        }
        if (status != AO_OK || stop == end) {
            return (int)status;
        }
    }
}

/* -- many elements at once ------------------------------------------------------------------------------------------ */

enum {
    FEWEST = 16,      /* for fewer it does not pay */
    LEARNED = 1024    /* marked elements after which it pays to have Python make the function for it */
};

/* What the oracle takes for an argument that is no array: a number, or the buffer that a table is. */
static PyObject *argument(const run *r, Py_ssize_t i)
{
    return PyTuple_Check(r->args[i]) ? PyTuple_GET_ITEM(r->args[i], 0) : r->args[i];
}

int run_is_asked(const run *r, size_t j)
{
    return r->frame.marks[j] && (!r->valid || validity_bit(r->valid, r->frame.position + j));
}

/* The oracle's function of lists, if it has one: borrowed. NULL with an exception set. */
static PyObject *columns_of(run *r)
{
    if (r->columns) {
        return r->columns;
    }
    PyObject *made = PyFunction_Check(r->oracle) ? attribute(r->oracle, "_arrayops_columns") : NULL;
    unsigned long long mask = 0;
    for (Py_ssize_t i = 0; i < r->visible; i++) {
        mask |= (unsigned long long)r->is_array[i] << i;
    }
    PyObject *key = made && PyDict_Check(made) && r->visible < 64 ? PyLong_FromUnsignedLongLong(mask) : NULL;
    if (!made && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    if (key && (r->asked >= LEARNED || PyDict_Contains(made, key) > 0)) {
        r->columns = PyObject_GetItem(made, key); /* which makes it if it is not there yet */
    } else if (!PyErr_Occurred() && !key) {
        r->columns = Py_NewRef(Py_None);
    }
    Py_XDECREF(made);
    Py_XDECREF(key);
    return r->columns || PyErr_Occurred() ? r->columns : Py_None;
}

/* The elements of an array that have been looked at, as a list of numbers. */
static PyObject *marked_list(run *r, const ao_array *array)
{
    const size_t first = r->first + r->frame.position;
    PyObject *list = PyList_New(r->ahead);
    for (Py_ssize_t i = 0; list && i < r->ahead; i++) {
        char local[8];
        PyObject *value = element_get(array->type, array_element(array, first + r->places[i], local));
        if (!value) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, value);
    }
    return list;
}

/* Asks for the elements that have been looked at, together. NULL if that raises. */
static PyObject *ask_together(run *r, PyObject *columns)
{
    PyObject *args = PyTuple_New(r->visible);
    unsigned input = 0;
    for (Py_ssize_t i = 0; args && i < r->visible; i++) {
        PyObject *value = r->is_array[i] ? marked_list(r, &r->arrays[input++]) : Py_NewRef(argument(r, i));
        if (!value) {
            Py_CLEAR(args);
            break;
        }
        PyTuple_SET_ITEM(args, i, value);
    }
    PyObject *answers = args ? PyObject_Call(columns, args, NULL) : NULL;
    Py_XDECREF(args);
    if (answers && (!PyList_CheckExact(answers) || PyList_GET_SIZE(answers) != r->ahead)) {
        Py_CLEAR(answers); /* somebody changed the oracle's attribute */
    }
    return answers;
}

/* Looks at the marked elements of the block from `from` on, and asks for them if they are many. If one raises, they are asked
 * for one by one, up to that one, which raises again. If then none does, what was raised was a signal handler's.
 * -1: Ctrl-C, and whatever else is no Exception. */
static int look_ahead(run *r, size_t from)
{
    Py_CLEAR(r->answers);
    r->next = r->ahead = 0;
    for (size_t j = from; j < r->frame.block_count && r->ahead < RUN_AHEAD; j++) {
        r->places[r->ahead] = (uint16_t)j;
        r->ahead += run_is_asked(r, j);
    }
    PyObject *columns = r->ahead < FEWEST || r->acc_index >= 0 ? Py_None : columns_of(r);
    if (columns && columns != Py_None) {
        r->answers = ask_together(r, columns);
    }
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) {
            return -1;
        }
        deferred_save(&r->unheard);
    }
    return 0;
}

/* Element j of the block, which is marked. */
static int answer_marked(run *r, size_t j, run_answer *answer, void *context)
{
    if (r->columns == Py_None || (r->valid && !run_is_asked(r, j))) {
        return answer(r, j, context);
    }
    if (r->next == r->ahead && look_ahead(r, j) < 0) {
        return -1;
    }
    const int said = answer(r, j, context);
    r->next++;
    return said;
}

int run_through(run *r, size_t end, run_answer *answer, void *context)
{
    for (;;) {
        int status = advance(r, end), said = 0;
        if (status <= AO_OK) {
            return status;
        }
        size_t done = 0;
        if (r->compute) {
            r->compute(r);
        }
        r->ahead = r->next = 0;
        r->unheard.error = NULL;
        for (; done < r->frame.block_count && !said; done++) {
            said = r->frame.marks[done] ? answer_marked(r, done, answer, context) : 0;
        }
        Py_CLEAR(r->answers);
        ao_finish(&r->frame, said < 0 ? done - 1 : done);
        if (said) {
            deferred_drop(&r->unheard);
        }
        if (said < 0 || deferred_raise(&r->unheard) < 0 || watch_look() < 0) {
            return -1;
        }
        if (said) {
            return 1;
        }
    }
}

/* -- the oracle ------------------------------------------------------------------------------------------------- */

/* The element as an object, in the place of the one before it; 0 on error. A float that nobody else has is used again. */
static int box(enum ao_type type, const char *element, PyObject **object)
{
#ifndef Py_GIL_DISABLED
    if (type == AO_TYPE_f64 && *object && Py_REFCNT(*object) == 1) {
        memcpy(&((PyFloatObject *)*object)->ob_fval, element, sizeof(double));
        return 1;
    }
#endif
    PyObject *next = element_get(type, element);
    if (next) {
        Py_XSETREF(*object, next);
    }
    return next != NULL;
}

/* The boxed elements stay until the next call, or until run_close. */
PyObject *run_ask(run *r, size_t index, PyObject *acc)
{
    PyObject **values = r->values + 1;
    unsigned input = 0;
    PyObject *answered = run_answered(r);
    if (answered) {
        r->together++;
        return Py_NewRef(answered);
    }
    if (r->asked++ == 0) {
        memset(values, 0, (size_t)r->visible * sizeof *values);
    }
    for (Py_ssize_t i = 0; i < r->visible; i++) {
        if (i == r->acc_index) {
            Py_XSETREF(values[i], Py_NewRef(acc));
        } else if (r->is_array[i]) {
            const ao_array *array = &r->arrays[input++];
            char local[8];
            if (!box(array->type, array_element(array, r->first + index, local), &values[i])) {
                return NULL;
            }
        } else if (!values[i]) {
            values[i] = Py_NewRef(argument(r, i));
        }
    }
    size_t flagged = (size_t)r->visible | PY_VECTORCALL_ARGUMENTS_OFFSET;
    vectorcallfunc direct = PyVectorcall_Function(r->oracle);
    PyObject *result = direct ? direct(r->oracle, values, flagged, NULL)
                              : PyObject_Vectorcall(r->oracle, values, flagged, NULL);
    if (r->acc_index >= 0 && r->acc_index < r->visible) {
        Py_CLEAR(values[r->acc_index]);
    }
    if (!result && !r->unnoted) {
        note_element(r->first + index);
    }
    return result;
}

int run_ask_truth(run *r, size_t j)
{
    PyObject *value = run_ask(r, r->frame.position + j, NULL);
    int truth = value ? PyObject_IsTrue(value) : -1;
    Py_XDECREF(value);
    ((uint8_t *)r->frame.block_out)[j] = truth > 0;
    return truth;
}

const ao_array *run_lead(const run *r, Py_ssize_t lead)
{
    if (lead < 0 || lead >= r->nargs || !r->is_array[lead]) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be a buffer");
        return NULL;
    }
    unsigned input = 0;
    for (Py_ssize_t i = 0; i < lead; i++) {
        input += (unsigned)r->is_array[i];
    }
    return &r->arrays[input];
}

PyMethodDef run_methods[] = {
    {"last_asked", py_last_asked, METH_NOARGS, NULL},
    END_OF_FUNCTIONS,
};
