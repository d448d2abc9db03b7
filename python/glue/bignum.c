/* Elements with long ints: see bignum.h. */
#include "bignum.h"
#include "../../vm/arrays/bignum.h"

#include <string.h>

/* The steps, which are made when they are needed first, and checked: anybody can set an attribute. None where there are none;
 * borrowed. */
static PyObject *steps_of(run *r)
{
    if (r->big) {
        return r->big;
    }
    PyObject *made = PyFunction_Check(r->oracle) ? attribute(r->oracle, "_arrayops_big") : NULL;
    PyObject *found = made ? PyObject_CallNoArgs(made) : NULL;
    Py_XDECREF(made);
    PyErr_Clear();
    const size_t size = found && PyBytes_Check(found) ? (size_t)PyBytes_GET_SIZE(found) : 0;
    if (size % sizeof(ao_big_step)
        || !ao_big_check((const ao_big_step *)(const void *)(size ? PyBytes_AS_STRING(found) : ""), size / sizeof(ao_big_step),
                         (size_t)r->visible)) {
        Py_CLEAR(found);
    }
    return r->big = found ? found : Py_NewRef(Py_None);
}

/* A number that goes with every element. 0 if it is none, or an int of more than 64 bits. */
static int load_number(ao_big *to, PyObject *number)
{
    static const enum ao_type types[] = {AO_TYPE_i64, AO_TYPE_u64, AO_TYPE_f64};
    ao_value value;
    for (size_t i = 0; i < sizeof types / sizeof *types && !PyTuple_Check(number); i++) {
        if (PyFloat_Check(number) != (types[i] == AO_TYPE_f64)) {
            continue;
        }
        const int status = number_to_value(types[i], number, &value);
        PyErr_Clear();
        if (status == 0) {
            ao_big_load(to, types[i], &value);
            return 1;
        }
    }
    return 0;
}

void bignum_answer(run *r)
{
    PyObject *const found = steps_of(r);
    ao_big params[AO_BIG_PARAMS], values[AO_BIG_STEPS];
    const char *from[AO_BIG_PARAMS];
    unsigned input = 0;
    if (found == Py_None) {
        return;
    }
    for (Py_ssize_t i = 0; i < r->visible; i++) {
        from[i] = r->is_array[i] ? ao_frame_input(&r->frame, input++) : NULL;
        if (!from[i] && !load_number(&params[i], r->args[i])) {
            return;
        }
    }
    const ao_big_step *const steps = (const ao_big_step *)(const void *)PyBytes_AS_STRING(found);
    const size_t count = (size_t)PyBytes_GET_SIZE(found) / sizeof *steps;
    const enum ao_type type = (enum ao_type)ao_program_out_type(r->program->program);
    size_t known = 0;
    for (size_t j = 0; j < r->frame.block_count; j++) {
        if (!run_is_asked(r, j)) {
            continue;
        }
        input = 0;
        for (Py_ssize_t i = 0; i < r->visible; i++) {
            if (from[i]) {
                const enum ao_type own = r->arrays[input++].type;
                ao_big_load(&params[i], own, from[i] + j * ao_type_sizes[own]);
            }
        }
        if (ao_big_run(steps, count, params, values)
            && ao_big_store(&values[count - 1], type, (char *)r->frame.block_out + j * ao_type_sizes[type])) {
            r->frame.marks[j] = 0;
            known++;
        }
    }
    if (!known) { /* something else is odd about these: it would be so of the next ones */
        Py_SETREF(r->big, Py_NewRef(Py_None));
    }
}
