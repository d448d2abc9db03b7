/* What Python reads of the machine and of this folder, so that nothing is written down in both: operations, types, typecodes,
 * limits, and the constants of the files here.
 */
#include "tables.h"
#include "captures.h"
#include "filter.h"
#include "known.h"
#include "moments.h"
#include "../../vm/arrays/bignum.h"
#include "../../vm/parallel.h"
#include "../../vm/text/delimited.h"

static const char *type_name(unsigned type)
{
    return type == AO_TYPE_NONE ? "" : type >= AO_TABLE_OF ? "table" : ao_type_names[type];
}

static PyObject *make_ops(void)
{
    PyObject *list = PyList_New(AO_NOPS);
    for (Py_ssize_t i = 0; list && i < AO_NOPS; i++) {
        const ao_op_info *op = &ao_ops[i];
        const ao_op_text *text = &ao_op_texts[op->row];
        PyObject *row = Py_BuildValue("{s s s s s s s s s s s s s s s O}", "name", text->name, "type", type_name(op->type),
                                      "dst", type_name(op->dst), "a", type_name(op->a), "b", type_name(op->b), "c",
                                      type_name(op->c), "meaning", text->meaning, "faults",
                                      op->faults ? Py_True : Py_False);
        if (!row) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, row);
    }
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

/* The names of so many types. */
static PyObject *make_names(const enum ao_type *types, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyObject *name = PyUnicode_FromString(ao_type_names[types[i]]);
        if (!name) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, name);
    }
    return tuple;
}

static PyObject *make_types(void)
{
    enum ao_type all[AO_NTYPES];
    for (int i = 0; i < AO_NTYPES; i++) {
        all[i] = (enum ao_type)i;
    }
    return make_names(all, AO_NTYPES);
}

/* The types that buffers have and the machine has not, in the order of their codes in signatures, by the machine's type for
 * each. */
static PyObject *make_stored_types(void)
{
    PyObject *dict = PyDict_New();
    for (unsigned form = AO_HALF; dict && form < AO_FORMS; form++) {
        const char *name = ao_stored_names[stored_type((enum ao_type)ao_form_types[form], form)];
        PyObject *type = PyUnicode_FromString(ao_type_names[ao_form_types[form]]);
        if (!type || PyDict_SetItemString(dict, name, type) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(type);
    }
    return dict;
}

static PyObject *make_type_sizes(void)
{
    PyObject *dict = PyDict_New();
    for (int i = 0; dict && i < AO_STORED_TYPES; i++) {
        PyObject *size = PyLong_FromLong(i < AO_NTYPES ? ao_type_sizes[i] : ao_form_sizes[AO_HALF + i - AO_NTYPES]);
        if (!size || PyDict_SetItemString(dict, ao_stored_names[i], size) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(size);
    }
    return dict;
}

/* For each typecode what typecodes.h says of it. */
static PyObject *make_typecodes(void)
{
    static const char *const kinds[] = {[AO_UNSIGNED] = "u", [AO_SIGNED] = "i", [AO_FLOAT] = "f"};
    static const char *const given[] = {[AO_NOT_GIVEN] = "", [AO_AS_ARRAY] = "array", [AO_AS_VIEW] = "View"};
    PyObject *dict = PyDict_New();
    for (const ao_typecode *row = ao_typecodes; dict && row < ao_typecodes + AO_TYPECODES; row++) {
        PyObject *value = Py_BuildValue("{s s s s s i s O s s}", "type",
                                        ao_stored_names[stored_type(typecode_type(row), row->form)], "kind", kinds[row->kind],
                                        "size", row->size, "taken", row->taken ? Py_True : Py_False, "given",
                                        given[row->given]);
        if (!value || PyDict_SetItemString(dict, row->text, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    return dict;
}

/* Numbers that Python and C must agree on, by name. */
static const struct {
    const char *name;
    long value;
} constants[] = {
    {"MARKING", AO_MARKING}, /* flags of instructions */
    {"STORE", AO_STORE},
    {"TABLE_OF", AO_TABLE_OF}, /* added to the type of a table's elements */
    {"NO_TYPE", AO_TYPE_NONE}, /* in a header: the program has no OUT */
    {"SUMS", AO_SUMS}, /* what moments() and run_pipe() are to gather */
    {"SQUARES", AO_SQUARES},
    {"EXTREMES", AO_EXTREMES},
    {"COUNT_ALONE", MOMENTS_COUNT},
    {"UNIT", MOMENTS_UNIT}, /* sums of floats are in units of 2^-UNIT */
    {"RUN_COUNT", RUN_COUNT}, /* what run_count() is to answer */
    {"RUN_ANY", RUN_ANY},
    {"RUN_ALL", RUN_ALL},
    {"RUN_FIRST", RUN_FIRST},
    {"RUN_FIRST_FALSE", RUN_FIRST_FALSE},
    {"SIGNATURE_NUMBER", SIGNATURE_NUMBER}, /* codes for signature() */
    {"SIGNATURE_NATURAL", SIGNATURE_NATURAL},
    {"SIGNATURE_MAP", SIGNATURE_MAP},
    {"SIGNATURE_FILTER", SIGNATURE_FILTER},
    {"SIGNATURE_FOLD", SIGNATURE_FOLD},
    {"OF_ELEMENTS", AO_OF_ELEMENTS}, /* what know() is told of a text */
    {"STEP", AO_STEP},
    {"STEP_OF_TUPLE", AO_STEP_OF_TUPLE},
    {"OF_NAMES", AO_OF_NAMES},
    {"SIGNATURE_CODES", 1 << SIGNATURE_BITS},
    {"ENTRY_ARITIES", ENTRY_ARITIES}, /* keys of ENTRIES */
    {"MAX_ROW_BYTES", AO_MAX_ROW_BYTES}, /* of delimited text */
    {"MAX_FIELDS", AO_MAX_FIELDS},
};

static PyObject *make_constants(void)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict && i < sizeof constants / sizeof *constants; i++) {
        PyObject *value = PyLong_FromLong(constants[i].value);
        if (!value || PyDict_SetItemString(dict, constants[i].name, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    return dict;
}

/* How struct packs a program's header and an instruction. */
#define HEADER_FORMAT "=I12H2B2x"
#define INSTRUCTION_FORMAT "=8H"
_Static_assert(sizeof(ao_header) == 32 && offsetof(ao_header, inputs) == 4 && offsetof(ao_header, further) == 29,
               "HEADER_FORMAT");
_Static_assert(sizeof(ao_instr) == 16, "INSTRUCTION_FORMAT");

static PyObject *make_limits(void)
{
    return Py_BuildValue("{s i s i s i s i s i s i s i s i s i s i s i}", "MAX_INPUTS", AO_MAX_INPUTS, "MAX_UNIFORMS",
                         AO_MAX_UNIFORMS, "MAX_TEMPS", AO_MAX_TEMPS, "MAX_INSTRS", AO_MAX_INSTRS, "MAX_ACCUMULATORS",
                         AO_MAX_ACCUMULATORS, "NO_REG", AO_NO_REG, "MIN_BLOCK", AO_MIN_BLOCK, "MAX_BLOCK", AO_MAX_BLOCK,
                         "MAX_THREADS", AO_MAX_THREADS, "BIG_STEPS", AO_BIG_STEPS, "BIG_PARAMS", AO_BIG_PARAMS);
}

/* The operations of steps, in the order of their codes. */
static PyObject *make_big_operations(void)
{
#define NAME_AND(name, two) #name " "
    PyObject *names = PyUnicode_FromString(AO_BIG_OPS(NAME_AND)), *list = names ? PyUnicode_Split(names, NULL, -1) : NULL;
#undef NAME_AND
    Py_XDECREF(names);
    return list;
}

PyObject *level_names(void)
{
    PyObject *list = PyList_New(0);
    for (const char *const *name = ao_isa_names; list && *name; name++) {
        PyObject *text = ao_isa_find(*name) ? PyUnicode_FromString(*name) : NULL;
        if (text && PyList_Append(list, text) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(text);
    }
    return list;
}

static int add(PyObject *module, const char *name, PyObject *value)
{
    int status = value ? PyModule_AddObjectRef(module, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

int tables_prepare(PyObject *module)
{
    const module_state *state = state_of(module);
    if (add(module, "OPS", make_ops()) < 0 || add(module, "TYPES", make_types()) < 0
        || add(module, "STORED_TYPES", make_stored_types()) < 0 || add(module, "TYPE_SIZES", make_type_sizes()) < 0
        || add(module, "TYPECODES", make_typecodes()) < 0
        || add(module, "NUMBER_LANES", make_names(number_lanes, NUMBER_LANES)) < 0
        || add(module, "LIMITS", make_limits()) < 0 || add(module, "CONSTANTS", make_constants()) < 0
        || PyModule_AddStringConstant(module, "HEADER_FORMAT", HEADER_FORMAT) < 0
        || PyModule_AddStringConstant(module, "INSTRUCTION_FORMAT", INSTRUCTION_FORMAT) < 0
        || add(module, "MAGIC", PyLong_FromUnsignedLong(AO_MAGIC)) < 0
        || add(module, "ISA", PyUnicode_FromString(state->isa->name)) < 0
        || add(module, "BIG_OPERATIONS", make_big_operations()) < 0
        || add(module, "ISA_LEVELS", level_names()) < 0 || add(module, "SLOT_KINDS", make_slot_kinds()) < 0) {
        return -1;
    }
    return add(module, "MISSING", Py_NewRef(state->missing));
}
