/* Missing elements, as Arrow says which they are: one bit per element, from the lowest of each byte on, 0 for a null.
 *
 * Bits of several arrays are joined eight elements at a time; masks of a byte per element become bits on the way in. What
 * lies in memory where an element is null is never looked at, only moved.
 */
#include "validity.h"
#include "numbers.h"
#include "run.h"
#include "watch.h"
#include "../../vm/portable.h"

#include <string.h>

enum { PART = 1024 }; /* elements whose copy and mask lie on the stack */

/* -- bits ------------------------------------------------------------------------------------------------------------ */

/* 64 at a time, for an array may have more elements than nulls can be afforded. */
size_t validity_nulls(const uint8_t *bits, size_t first, size_t count)
{
    size_t ones = 0, i = first;
    const size_t end = first + count;
    for (; i < end && i & 7; i++) {
        ones += (size_t)validity_bit(bits, i);
    }
    for (; end - i >= 64; i += 64) {
        uint64_t word;
        memcpy(&word, bits + (i >> 3), sizeof word);
        ones += ao_count_ones(word);
    }
    for (; i < end; i++) {
        ones += (size_t)validity_bit(bits, i);
    }
    return count - ones;
}

/* Whether so many bits from `first` on are there; ValueError. */
static int has_bits(const ao_array *bits, Py_ssize_t first, Py_ssize_t count)
{
    const size_t all = bits->count > PY_SSIZE_T_MAX / 8 ? PY_SSIZE_T_MAX : bits->count * 8;
    if (bits->type != AO_TYPE_u8 || bits->spacing.stride || first < 0 || count < 0 || (size_t)first > all
        || (size_t)count > all - (size_t)first) {
        PyErr_SetString(PyExc_ValueError, "there are not so many bits");
        return 0;
    }
    return 1;
}

int validity_take(const module_state *state, PyObject *object, size_t count, ao_array *bits)
{
    memset(bits, 0, sizeof *bits);
    if (object == Py_None) {
        return 0;
    }
    if (array_take(state, object, bits) < 0) {
        return -1;
    }
    if (!has_bits(bits, 0, (Py_ssize_t)count)) {
        array_release(bits);
        return -1;
    }
    return 0;
}

/* Eight bits from `at`, of which those from `end` on are 0. */
static uint8_t eight(const uint8_t *bits, size_t at, size_t end)
{
    const size_t left = end - at, shift = at & 7;
    unsigned found = (unsigned)bits[at >> 3] >> shift;
    if (shift && left > 8 - shift) {
        found |= (unsigned)bits[(at >> 3) + 1] << (8 - shift);
    }
    return (uint8_t)(left < 8 ? found & ((1U << left) - 1) : found);
}

/* out &= bits from `first` on */
static void and_into(uint8_t *out, const uint8_t *bits, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i += 8) {
        out[i >> 3] &= eight(bits, first + i, first + count);
    }
}

/* Puts bits, or ones for NULL, at bit `at` of `out`, which is 0 from there on. */
static void put_bits(uint8_t *out, size_t at, const uint8_t *bits, size_t first, size_t count)
{
    const size_t shift = at & 7;
    for (size_t i = 0; i < count; i += 8) {
        const size_t left = count - i;
        const unsigned some = bits ? eight(bits, first + i, first + count) : left < 8 ? (1U << left) - 1 : 255;
        uint8_t *byte = out + ((at + i) >> 3);
        *byte = (uint8_t)(*byte | some << shift);
        if (some >> (8 - shift)) {
            byte[1] = (uint8_t)(some >> (8 - shift));
        }
    }
}

/* One of the (bits or None, first, count) that a call is given. */
typedef struct {
    ao_array bits;
    Py_ssize_t first, count;
} piece;

static int piece_take(const module_state *state, PyObject *tuple, piece *p)
{
    PyObject *object;
    array_none(&p->bits);
    if (!PyTuple_Check(tuple) || !PyArg_ParseTuple(tuple, "Onn", &object, &p->first, &p->count)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "a piece is (bits or None, first, count)");
        }
        return -1;
    }
    memset(&p->bits, 0, sizeof p->bits);
    if (object != Py_None && array_take(state, object, &p->bits) < 0) {
        return -1;
    }
    if (object == Py_None ? p->count < 0 : !has_bits(&p->bits, p->first, p->count)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "a number of elements is 0 or more");
        }
        array_release(&p->bits);
        return -1;
    }
    return 0;
}

/* New bits for so many elements, all of them `value`. */
static PyObject *new_bits(const module_state *state, Py_ssize_t count, int value, ao_array *out)
{
    PyObject *result = array_new_out(state, 'B', ((size_t)count + 7) / 8, out);
    if (result && out->count) { /* an empty array has no memory */
        memset(out->data, value, out->count);
    }
    return result;
}

/* joined ? end to end : each element null where one of them is */
static PyObject *of_pieces(PyObject *module, PyObject *pieces, Py_ssize_t count, int joined)
{
    const module_state *state = state_of(module);
    ao_array out;
    Py_ssize_t at = 0;
    PyObject *result = new_bits(state, count, joined ? 0 : 255, &out);
    for (Py_ssize_t i = 0; result && i < PyTuple_GET_SIZE(pieces); i++) {
        piece p;
        int failed = piece_take(state, PyTuple_GET_ITEM(pieces, i), &p) < 0;
        if (!failed && (joined ? p.count > count - at : p.count != count)) {
            PyErr_SetString(PyExc_ValueError, "the pieces have another number of elements");
            array_release(&p.bits);
            failed = 1;
        }
        if (failed) {
            Py_CLEAR(result);
            break;
        }
        if (joined) {
            put_bits(out.data, (size_t)at, p.bits.data, (size_t)p.first, (size_t)p.count);
            at += p.count;
        } else if (p.bits.data) {
            and_into(out.data, p.bits.data, (size_t)p.first, (size_t)count);
        }
        array_release(&p.bits);
    }
    array_release(&out);
    return result;
}

static PyObject *pieces_call(PyObject *module, PyObject *const *args, Py_ssize_t nargs, int joined)
{
    if (!has_args(nargs, 2, "(pieces, count)")) {
        return NULL;
    }
    const Py_ssize_t count = PyLong_AsSsize_t(args[1]);
    if (count < 0 || !PyTuple_Check(args[0])) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "a tuple of pieces and a number of elements are needed");
        }
        return NULL;
    }
    return of_pieces(module, args[0], count, joined);
}

/* join_bits(((bits or None, first, count), ...), count) -> bits of all pieces, one after the other */
static PyObject *py_join_bits(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return pieces_call(module, args, nargs, 1);
}

/* and_bits(((bits or None, first, count), ...), count) -> 1 where all pieces have 1 */
static PyObject *py_and_bits(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    return pieces_call(module, args, nargs, 0);
}

static void pack(const uint8_t *nulls, uint8_t *out, size_t count)
{
    const size_t whole = count / 8;
    for (size_t i = 0; i < whole; i++) {
        unsigned byte = 0;
        for (unsigned k = 0; k < 8; k++) {
            byte |= (unsigned)(nulls[8 * i + k] == 0) << k;
        }
        out[i] = (uint8_t)byte;
    }
    for (size_t i = 8 * whole; i < count; i++) {
        out[whole] = (uint8_t)(out[whole] | (nulls[i] == 0) << (i & 7));
    }
}

/* pack_nulls(mask) -> (bits, number of nulls), of a byte per element that is not 0 for a null */
static PyObject *py_pack_nulls(PyObject *module, PyObject *object)
{
    const module_state *state = state_of(module);
    ao_array mask, out;
    if (array_take(state, object, &mask) < 0) {
        return NULL;
    }
    PyObject *bits = NULL, *result = NULL;
    array_none(&out);
    if (array_number_type(&mask) != AO_TYPE_u8) {
        PyErr_SetString(PyExc_TypeError, "a mask has a byte per element");
    } else if (!mask.spacing.stride || array_make_private(&mask) == 0) {
        bits = new_bits(state, (Py_ssize_t)mask.count, 0, &out);
    }
    if (bits) {
        pack(mask.data, out.data, mask.count);
        result = Py_BuildValue("On", bits, (Py_ssize_t)validity_nulls(out.data, 0, mask.count));
    }
    array_release(&out);
    array_release(&mask);
    Py_XDECREF(bits);
    return result;
}

/* -- arrays without nulls or nans ------------------------------------------------------------------------------------ */

/* 1 for each float that is no nan. Such floats are their own equals. */
static void find_numbers(enum ao_type type, const void *values, uint8_t *mask, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (type == AO_TYPE_f64) {
            const double x = ((const double *)values)[i];
            mask[i] = x == x;
        } else {
            const float x = ((const float *)values)[i];
            mask[i] = x == x;
        }
    }
}

/* The elements whose byte of the mask is not 0, or without a mask those that are no nan; their number. */
static size_t compact(const module_state *state, const ao_array *values, const ao_array *mask, const ao_array *out,
                      ao_watch *watch)
{
    const size_t size = ao_type_sizes[values->type], log2 = log2_size(values->type);
    const ao_spacing in = {array_step(values), values->spacing.swapped, values->spacing.form};
    _Alignas(64) char local[PART * 8], kept[PART * 8];
    _Alignas(64) uint8_t bytes[PART];
    size_t number = 0;
    for (size_t i = 0, n; i < values->count && !watch->stopped; i += n) {
        n = values->count - i < PART ? values->count - i : PART;
        /* a copy also if the elements are side by side: what is looked at is what is kept */
        ao_gather(local, ao_along(values->data, i, in.stride), in, size, n);
        for (size_t j = 0; mask && j < n; j++) {
            bytes[j] = ((const uint8_t *)mask->data)[i + j] != 0;
        }
        if (!mask) {
            find_numbers(values->type, local, bytes, n);
        }
        char *to = (char *)out->data + (ptrdiff_t)number * array_step(out);
        const size_t some = state->isa->compact[log2](n, bytes, local, out->spacing.form ? kept : to);
        if (out->spacing.form) {
            ao_scatter(to, out->spacing, kept, size, some);
        }
        number += some;
        ao_watch_done(watch, n);
    }
    return number;
}

/* Whether there is a byte for each element. */
static int is_mask_of(const ao_array *mask, const ao_array *values)
{
    if (array_number_type(mask) != AO_TYPE_u8) {
        PyErr_SetString(PyExc_TypeError, "a mask has a byte per element");
        return 0;
    }
    return array_check_lengths(values, mask) == 0;
}

/* compact(values, mask) -> array of the elements whose byte of the mask is not 0; None for a mask: of those that are no nan */
static PyObject *py_compact(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    const module_state *state = state_of(module);
    ao_array values, mask, out;
    if (!has_args(nargs, 2, "compact(values, mask)") || array_take(state, args[0], &values) < 0) {
        return NULL;
    }
    array_none(&mask);
    array_none(&out);
    const int masked = args[1] != Py_None;
    PyObject *result = NULL;
    if (!masked && !is_float(values.type)) {
        PyErr_SetString(PyExc_TypeError, "only floats can be nan");
    } else if (!masked || (array_take(state, args[1], &mask) == 0 && is_mask_of(&mask, &values)
                           && (!mask.spacing.stride || array_make_private(&mask) == 0))) {
        result = array_new_out(state, values.typecode, values.count, &out);
    }
    if (result) {
        watched w;
        const size_t number = compact(state, &values, masked ? &mask : NULL, &out, watch_begin(&w, values.count));
        const int stopped = watch_end(&w) < 0;
        array_release(&out);
        if (stopped || array_cut(state, result, number) < 0) {
            Py_CLEAR(result);
        }
    }
    array_release(&mask);
    array_release(&values);
    return result;
}

static void fill(const ao_array *out, const uint8_t *bits, size_t first, const void *number)
{
    for (size_t i = 0; i < out->count; i += 8) {
        const size_t n = out->count - i < 8 ? out->count - i : 8;
        const unsigned some = eight(bits, first + i, first + out->count);
        for (size_t j = 0; some != 255 && j < n; j++) {
            if (!(some >> j & 1)) {
                array_store(out, i + j, number);
            }
        }
    }
}

/* fill_nulls(array, bits, first, number): puts the number where the bits have 0. What an array.array raises for it. */
static PyObject *py_fill_nulls(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    const module_state *state = state_of(module);
    ao_array out, bits;
    if (!has_args(nargs, 4, "fill_nulls(array, bits, first, number)")) {
        return NULL;
    }
    const Py_ssize_t first = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred() || array_take_out(state, args[0], &out) < 0) {
        return NULL;
    }
    uint64_t number;
    PyObject *scratch = NULL;
    array_none(&bits);
    int failed = array_take(state, args[1], &bits) < 0 || !has_bits(&bits, first, (Py_ssize_t)out.count)
                 || !(scratch = array_scratch(state, out.typecode))
                 || element_set_form(out.type, out.spacing.form, &number, args[3], scratch) < 0;
    if (!failed && out.spacing.stride && !out.spacing.form) {
        PyErr_SetString(PyExc_BufferError, "the elements are not side by side");
        failed = 1;
    }
    if (!failed) {
        fill(&out, bits.data, (size_t)first, &number);
    }
    Py_XDECREF(scratch);
    array_release(&bits);
    array_release(&out);
    return failed ? NULL : Py_NewRef(Py_None);
}

PyMethodDef validity_methods[] = {
    FAST_FUNCTION("join_bits", py_join_bits),
    FAST_FUNCTION("and_bits", py_and_bits),
    ONE_ARGUMENT("pack_nulls", py_pack_nulls),
    FAST_FUNCTION("compact", py_compact),
    FAST_FUNCTION("fill_nulls", py_fill_nulls),
    END_OF_FUNCTIONS,
};
