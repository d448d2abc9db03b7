/* One pass over each row: fields are delimited, and numbers of the plain notations read where they stand. What is not plain (a
 * quoted number, a missing one, nan, a decimal comma with thousands) is only delimited and gets PENDING; when the row has been
 * seen whole and has the right number of fields, settle() reads those cells. So a row with a comma too many is a fault of the
 * row and never one of a cell that came to stand in the wrong column.
 *
 * A row that is not whole in the text leaves no trace: the next call begins with it again. So that many small pieces of
 * one long row do not cost the square of its length, nothing is looked at before there is an eighth more of it.
 */
#include "delimited.h"
#include "../portable.h"

#include <string.h>

enum {
    PENDING = 2,          /* in `absent`: the cell's range is in `values`, and is still to be read */
    LOCAL_BYTES = 512,    /* cells of up to so many bytes can be spelled anew */
    SHORT_PENDING = 1 << 12
};

/* -- bytes --------------------------------------------------------------------------------------------------------- */

/* The next eight bytes, the first one lowest: one load for any compiler that knows the idiom. */
static AO_INLINE uint64_t load8(const char *p)
{
    const unsigned char *const b = (const unsigned char *)p;
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32
           | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (unsigned char)(c))

/* The high bit of every byte that is 0; above the lowest of these also others may be set. */
static AO_INLINE uint64_t zero_bytes(uint64_t v)
{
    return (v - EACH_BYTE(1)) & ~v & EACH_BYTE(0x80);
}

/* The first end of a field from p on, or `end`. */
static const char *field_end(const ao_delimited *d, const char *p, const char *end)
{
    const uint64_t separator = EACH_BYTE(d->delimiter), tab = EACH_BYTE(d->aligned ? '\t' : d->delimiter);
    while (p < end) {
        const uint64_t v = load8(p);
        const uint64_t found = zero_bytes(v ^ separator) | zero_bytes(v ^ tab) | zero_bytes(v ^ EACH_BYTE('\n'))
                               | zero_bytes(v ^ EACH_BYTE('\r'));
        if (found) {
            p += ao_trailing_zeros(found) / 8;
            break;
        }
        p += 8;
    }
    return p < end ? p : end;
}

static const char *line_end(const char *p, const char *end)
{
    while (p < end) {
        const uint64_t v = load8(p);
        const uint64_t found = zero_bytes(v ^ EACH_BYTE('\n')) | zero_bytes(v ^ EACH_BYTE('\r'));
        if (found) {
            p += ao_trailing_zeros(found) / 8;
            break;
        }
        p += 8;
    }
    return p < end ? p : end;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Lines that end within the text. */
static size_t lines_in(const char *p, const char *end)
{
    size_t lines = 0;
    while ((p = line_end(p, end)) < end) {
        lines++;
        p += *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
    }
    return lines;
}

/* -- fields -------------------------------------------------------------------------------------------------------- */

/* Where a row is being read. */
typedef struct {
    ao_delimited *d;
    const char *text, *p, *end;
    int final;
    size_t lines;  /* that end within its quotes */
} row_reader;

static int fail(row_reader *r, enum ao_fault_kind kind, size_t field, size_t fields, ao_range cell)
{
    if (!r->d->fault.kind) {
        r->d->fault = (ao_fault){kind, r->d->line, field, fields, cell};
    }
    return 0;
}

static ao_range range_of(const row_reader *r, const char *begin, const char *end)
{
    return (ao_range){(uint32_t)(begin - r->text), (uint32_t)(end - begin)};
}

/* A field that begins with a quote, which is at p. Returns 0 if it does not end here, or with a fault. */
static int quoted_field(row_reader *r, size_t field, ao_range *cell)
{
    const char quote = r->d->quote, *const begin = r->p + 1, *q = begin;
    uint32_t doubled = 0;
    for (;; q += 2, doubled = AO_DOUBLED) {
        const char *const found = q < r->end ? memchr(q, quote, (size_t)(r->end - q)) : NULL;
        if (!found) {
            return r->final ? fail(r, AO_FAULT_OPEN_QUOTE, field, 0, range_of(r, begin, r->end)) : 0;
        }
        q = found;
        if (q + 1 == r->end && !r->final) { /* perhaps the first of two */
            return 0;
        }
        if (q + 1 == r->end || q[1] != quote) {
            break;
        }
    }
    *cell = range_of(r, begin, q);
    cell->length |= doubled;
    r->lines += lines_in(begin, q);
    r->p = q + 1;
    if (r->p < r->end && !r->d->ends[(unsigned char)*r->p]) {
        return fail(r, AO_FAULT_AFTER_QUOTE, field, 0, range_of(r, begin - 1, r->p + 1));
    }
    return 1;
}

/* The field at p. Returns 0 if it does not end here, or with a fault. */
static AO_INLINE int any_field(row_reader *r, size_t field, ao_range *cell)
{
    if (r->d->quote && *r->p == r->d->quote && r->p < r->end) {
        return quoted_field(r, field, cell);
    }
    const char *const begin = r->p;
    r->p = field_end(r->d, begin, r->end);
    *cell = range_of(r, begin, r->p);
    return r->p < r->end || r->final;
}

/* Goes past blanks in front of a field of aligned columns; 0 if there is no further field, or no end of the row yet. */
static int aligned_field(row_reader *r)
{
    while (r->p < r->end && is_blank(*r->p)) {
        r->p++;
    }
    return r->p < r->end && !is_line_end(*r->p);
}

/* After a field: whether there is another one. */
static AO_INLINE int next_field(row_reader *r)
{
    if (r->p < r->end && !is_line_end(*r->p)) {
        r->p++;
        return !r->d->aligned || aligned_field(r);
    }
    return 0;
}

/* Whether the end of a line, if that is at p, is all there: behind \r there may be \n. */
static int ends_here(const char *p, const char *end, int final)
{
    return final || (p < end && (*p != '\r' || p + 1 < end));
}

/* Goes past the end of a line, which is at p unless the text ends. */
static void take_line_end(ao_delimited *d, const char **p, const char *end)
{
    d->line++;
    if (*p < end) {
        *p += **p == '\r' && *p + 1 < end && (*p)[1] == '\n' ? 2 : 1;
    }
}

/* -- between rows -------------------------------------------------------------------------------------------------- */

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* Goes to where the next row begins: past the mark, lines to be left out, blank rows and comments. Returns 0 if that is not in
 * the text; p is then what is done with. */
static int find_row(ao_delimited *d, const char **p, const char *end, int final)
{
    if (!d->begun) {
        if (end - *p < 3 && !final) {
            return 0;
        }
        *p += end - *p >= 3 && !memcmp(*p, byte_order_mark, 3) ? 3 : 0;
        d->begun = 1;
    }
    while (*p < end) {
        const char *q = *p;
        while (q < end && !d->skip && is_blank(*q) && (d->aligned || *q != d->delimiter)) {
            q++;
        }
        const int is_comment = d->comment && q < end && *q == d->comment && (d->aligned || q == *p);
        if (d->skip || is_comment) {
            q = line_end(q, end);
        } else if (q < end && !is_line_end(*q)) {
            return 1;
        }
        if (!ends_here(q, end, final)) { /* of a line that is left out nothing need be kept */
            *p = d->skip ? q : *p;
            return 0;
        }
        d->skip -= d->skip != 0;
        *p = q;
        take_line_end(d, p, end);
    }
    return 0;
}

/* Whether it is worth to look at the text, of which the first `pending` bytes were found to hold no whole row. */
static int is_ripe(const ao_delimited *d, size_t n, int final)
{
    return final || d->pending < SHORT_PENDING || n >= d->pending + d->pending / 8;
}

static void keep_pending(ao_delimited *d, size_t left, size_t line)
{
    d->pending = left;
    if (left > AO_MAX_ROW_BYTES && !d->fault.kind) {
        d->fault = (ao_fault){AO_FAULT_LONG_ROW, line, 0, 0, {0, 0}};
    }
}

/* -- cells --------------------------------------------------------------------------------------------------------- */

static int is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The bytes of a cell without white space around them, which in quotes can be an end of line. */
ao_range ao_delimited_trimmed(const char *text, ao_range cell)
{
    cell.length &= ~AO_DOUBLED;
    while (cell.length && is_space(text[cell.begin])) {
        cell.begin++;
        cell.length--;
    }
    while (cell.length && is_space(text[cell.begin + cell.length - 1])) {
        cell.length--;
    }
    return cell;
}

int ao_delimited_missing(const ao_delimited *d, const char *text, size_t n)
{
    for (size_t i = 0; i < d->n_tokens; i++) {
        if (strlen(d->tokens[i]) == n && !memcmp(d->tokens[i], text, n)) {
            return 1;
        }
    }
    return !n;
}

/* Whether separators of thousands stand where they belong: groups of three digits, or (as in India) of two before the last one
 * of three; fewer in the first group. */
static int groups_are_right(const char *text, size_t n, char separator)
{
    const char *const end = text + n;
    size_t first = 0, middle = 0;
    for (const char *group = text, *p; group <= end; group = p + 1) {
        for (p = group; p < end && *p != separator; p++) {
        }
        const size_t digits = (size_t)(p - group);
        if (p == end) {
            return digits == 3 && first >= 1 && (!middle || first <= middle);
        }
        if (!first) {
            first = digits;
        } else if (digits < 2 || digits > 3 || (middle && digits != middle)) {
            return 0;
        } else {
            middle = digits;
        }
        if (first < 1 || first > 3) {
            return 0;
        }
    }
    return 0;
}

/* The same with the blanks of typography, U+00A0 and U+202F, as plain ones. Returns the length. */
static size_t with_plain_blanks(const char *text, size_t n, char *plain)
{
    size_t out = 0;
    for (size_t i = 0; i < n;) {
        const size_t wide = n - i >= 2 && !memcmp(text + i, "\xc2\xa0", 2)       ? 2
                            : n - i >= 3 && !memcmp(text + i, "\xe2\x80\xaf", 3) ? 3
                                                                                 : 0;
        plain[out++] = wide ? ' ' : text[i];
        i += wide ? wide : 1;
    }
    return out;
}

/* A number with another decimal sign or separators of thousands as Python spells it, to `plain`. Returns its length, or 0 if it
 * is none. */
size_t ao_delimited_plain(const ao_delimited *d, const char *text, size_t n, char *plain)
{
    if (d->thousands == ' ') { /* what follows writes no byte before it has been read */
        n = with_plain_blanks(text, n, plain);
        for (text = plain; n && *text == ' '; n--) {
            text++;
        }
        for (; n && text[n - 1] == ' '; n--) {
        }
    }
    size_t begin = n && (*text == '-' || *text == '+'), whole = begin, out = 0;
    while (whole < n && (text[whole] == d->thousands || (text[whole] >= '0' && text[whole] <= '9')) && text[whole]) {
        whole++;
    }
    const int separated = d->thousands && memchr(text, d->thousands, whole);
    if (separated && !groups_are_right(text + begin, whole - begin, d->thousands)) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        const char c = text[i];
        if (c == d->decimal) {
            plain[out++] = '.';
        } else if (i < whole && c == d->thousands && separated) {
            continue;
        } else if (c == '.') {
            return 0;
        } else {
            plain[out++] = c;
        }
    }
    return out;
}

/* What number a cell is, which is not missing; 0 with AO_FAULT_ASKED. */
static int read_cell(row_reader *r, const char *text, size_t n, enum ao_cells wanted, ao_number *number)
{
    const ao_delimited *d = r->d;
    char local[LOCAL_BYTES + 1], decimal = '.';
    number->kind = AO_NO_NUMBER;
    number->whole = 0;
    if (n > LOCAL_BYTES && d->decimal == d->delimiter) {
        return 1; /* the next cell would be its decimals */
    }
    if (n > LOCAL_BYTES) { /* read where it stands: what comes behind a cell is in no number */
        decimal = d->decimal;
    } else {
        memcpy(local, text, n);
        if (d->thousands || d->decimal != '.') {
            n = ao_delimited_plain(d, text, n, local);
        }
        local[n] = 0;
        text = local;
    }
    if (!n || ao_number_special(text, n, number)) {
        return 1;
    }
    const int is_all = ao_number_read(text, decimal, number) == text + n;
    number->whole = is_all && number->kind != AO_WHOLE && number->whole;
    if (is_all && (number->kind == AO_REAL || number->kind == AO_WHOLE) && (wanted == AO_CELLS_DOUBLE || !number->whole)) {
        return 1;
    }
    const int is_settled = decimal != '.' && !(is_all && number->kind == AO_ASK); /* nobody else knows this notation */
    number->kind = AO_NO_NUMBER;
    return is_settled || !d->ask || !d->ask(d->context, text, n, wanted, number);
}

static int is_below_zero(const ao_number *n)
{
    return n->negative && n->magnitude;
}

/* Stores a number; AO_FAULT_NONE, or why not. */
static enum ao_fault_kind store(const ao_column *column, size_t row, const ao_number *n)
{
    ao_cell *const cell = &column->values[row];
    switch (column->cells) {
    case AO_CELLS_DOUBLE:
        if (column->exact && (n->kind == AO_WHOLE ? !ao_number_exact(n) : n->whole)) {
            return AO_FAULT_INEXACT;
        }
        cell->d = ao_number_double(n);
        return AO_FAULT_NONE;
    case AO_CELLS_UINT:
        if (n->kind != AO_WHOLE) {
            return AO_FAULT_NO_INT;
        }
        cell->u = n->magnitude;
        return is_below_zero(n) ? AO_FAULT_NO_FIT : AO_FAULT_NONE;
    default:
        if (n->kind != AO_WHOLE) {
            return AO_FAULT_NO_INT;
        }
        if (n->magnitude > (uint64_t)INT64_MAX + (n->negative != 0)) {
            return AO_FAULT_NO_FIT;
        }
        if (column->turn && n->negative && !n->magnitude) { /* -0 is 0 as an int, and -0.0 as a float */
            return AO_FAULT_NO_INT;
        }
        cell->u = n->negative ? 0 - n->magnitude : n->magnitude;
        return AO_FAULT_NONE;
    }
}

/* Reads one cell that is pending. Returns AO_FAULT_NONE, or why it cannot be stored. */
static enum ao_fault_kind settle_cell(row_reader *r, const ao_column *column, size_t row, ao_range cell)
{
    const char *const text = r->text + cell.begin;
    const size_t n = cell.length;
    ao_number number;
    column->absent[row] = (uint8_t)ao_delimited_missing(r->d, text, n);
    if (column->absent[row]) {
        if (r->d->missing == AO_MISSING_FAULT) {
            return AO_FAULT_MISSING;
        }
        number = column->fill;
        if (r->d->missing == AO_MISSING_SKIP) {
            return AO_FAULT_NONE;
        }
    } else {
        if (!read_cell(r, text, n, column->cells, &number)) {
            return AO_FAULT_ASKED;
        }
        if (number.kind == AO_NO_NUMBER && column->cells != AO_CELLS_DOUBLE
            && !read_cell(r, text, n, AO_CELLS_DOUBLE, &number)) {
            return AO_FAULT_ASKED;
        }
        if (number.kind == AO_NO_NUMBER) {
            return AO_FAULT_NO_NUMBER;
        }
        if (number.kind == AO_REAL && number.whole && column->cells != AO_CELLS_DOUBLE && !column->turn) {
            return AO_FAULT_NO_FIT;
        }
    }
    return store(column, row, &number);
}

static void turn_column(ao_column *column, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        column->values[i].d = (double)column->values[i].i;
    }
    column->cells = AO_CELLS_DOUBLE;
}

/* Reads the cells of a row that are pending. Returns 1; 0 at a fault; -1 if the rows before are to be given first. */
static int settle(row_reader *r, size_t row)
{
    for (size_t i = 0; i < r->d->n_columns; i++) {
        ao_column *const column = &r->d->columns[i];
        if (column->absent[row] != PENDING) {
            continue;
        }
        const ao_range cell = ao_delimited_trimmed(r->text, column->values[row].text);
        enum ao_fault_kind kind = settle_cell(r, column, row, cell);
        if ((kind == AO_FAULT_NO_INT || kind == AO_FAULT_NO_FIT) && column->cells == AO_CELLS_INT && column->turn) {
            if (column->turn == AO_TURN_HERE && row) {
                return -1;
            }
            turn_column(column, row);
            kind = settle_cell(r, column, row, cell);
        }
        if (kind) {
            return fail(r, kind, column->field, 0, cell);
        }
    }
    return 1;
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

/* A wanted field: a plain number is read at once. Returns 0 if it does not end here, or with a fault. */
static AO_INLINE int wanted_field(row_reader *r, const ao_column *column, size_t row, size_t field, int *pending)
{
    const ao_delimited *d = r->d;
    if (column->cells != AO_CELLS_TEXT && !d->none_at_once) {
        const char *begin = r->p;
        while (*begin == ' ' && d->delimiter != ' ') {
            begin++;
        }
        ao_number number;
        const char *const q = ao_number_read(begin, d->decimal, &number);
        if (q != begin && q < r->end && d->ends[(unsigned char)*q] && number.kind != AO_ASK
            && (column->cells == AO_CELLS_DOUBLE || number.kind == AO_WHOLE) && store(column, row, &number) == AO_FAULT_NONE) {
            column->absent[row] = 0;
            r->p = q;
            return 1;
        }
    }
    column->absent[row] = column->cells == AO_CELLS_TEXT ? 0 : PENDING;
    *pending |= column->cells != AO_CELLS_TEXT;
    return any_field(r, field, &column->values[row].text);
}

/* Fields that a row does not have, which are taken for empty ones. */
static void fill_fields(row_reader *r, size_t next, size_t row, int *pending)
{
    for (; next < r->d->n_columns; next++) {
        const ao_column *column = &r->d->columns[next];
        column->values[row].text = range_of(r, r->p, r->p);
        column->absent[row] = column->cells == AO_CELLS_TEXT ? 0 : PENDING;
        *pending |= column->cells != AO_CELLS_TEXT;
    }
}

/* Counts the missing cells of a row that is taken. Returns whether there are any. */
static int count_missing(ao_delimited *d, size_t row)
{
    int any = 0;
    for (size_t i = 0; i < d->n_columns; i++) {
        any |= d->columns[i].absent[row];
        d->columns[i].missing += d->columns[i].absent[row];
    }
    return any;
}

enum outcome { STOPPED, TAKEN, LEFT_OUT };

/* Reads the row at p: STOPPED, with p as it was, if it is not whole, at a fault, or if the rows before are to be given first. */
static enum outcome take_row(row_reader *r, size_t row)
{
    ao_delimited *const d = r->d;
    size_t field = 0, next = 0;
    int pending = 0, more;
    ao_range ignored;
    if (d->aligned) {
        aligned_field(r);
    }
    do {
        if (next < d->n_columns && d->columns[next].field == field) {
            if (!wanted_field(r, &d->columns[next++], row, field, &pending)) {
                return STOPPED;
            }
        } else if (!any_field(r, field, &ignored)) {
            return STOPPED;
        }
        more = next_field(r);
        field++;
    } while (more);
    if (!ends_here(r->p, r->end, r->final)) {
        return STOPPED;
    }
    d->fields = d->fields ? d->fields : field;
    if (field != d->fields && !(field < d->fields && d->ragged == AO_RAGGED_FILL)) {
        if (d->ragged != AO_RAGGED_SKIP) {
            fail(r, AO_FAULT_FIELDS, 0, field, (ao_range){0, 0});
            return STOPPED;
        }
        return LEFT_OUT;
    }
    fill_fields(r, next, row, &pending);
    if (pending) {
        if (settle(r, row) <= 0) {
            return STOPPED;
        }
        if (count_missing(d, row) && d->missing == AO_MISSING_SKIP) {
            return LEFT_OUT;
        }
    }
    return TAKEN;
}

size_t ao_delimited_rows(ao_delimited *d, const char *text, size_t n, int final, size_t room, ao_range *rows, int64_t *lines,
                         size_t *used)
{
    row_reader r = {.d = d, .text = text, .p = text, .end = text + n, .final = final};
    size_t count = 0;
    *used = 0;
    if (d->fault.kind || !is_ripe(d, n, final)) {
        return 0;
    }
    while (count < room) {
        const int found = find_row(d, &r.p, r.end, final);
        const char *const begin = r.p;
        *used = (size_t)(begin - text);
        r.lines = 0;
        const enum outcome outcome = found ? take_row(&r, count) : STOPPED;
        if (outcome == STOPPED) {
            if (count) {
                d->fault.kind = AO_FAULT_NONE; /* the row's turn comes when those before it were given */
            } else if (!d->fault.kind) {
                keep_pending(d, (size_t)(r.end - begin), d->line);
            }
            return count;
        }
        if (outcome == TAKEN) {
            rows[count] = range_of(&r, begin, r.p);
            lines[count++] = (int64_t)d->line;
        } else {
            d->left_out++;
        }
        d->line += r.lines;
        take_line_end(d, &r.p, r.end);
        *used = (size_t)(r.p - text);
        d->pending = 0;
    }
    return count;
}

size_t ao_delimited_split(ao_delimited *d, const char *text, size_t n, int final, ao_range *fields, size_t room, size_t *used)
{
    row_reader r = {.d = d, .text = text, .p = text, .end = text + n, .final = final};
    size_t count = 0;
    ao_range field;
    *used = 0;
    if (d->fault.kind || !is_ripe(d, n, final)) {
        return 0;
    }
    const int found = find_row(d, &r.p, r.end, final);
    const char *const begin = r.p;
    *used = (size_t)(begin - text);
    int more = found;
    if (found && d->aligned) {
        aligned_field(&r);
    }
    while (more && any_field(&r, count, &field)) {
        if (count < room) {
            fields[count] = field;
        }
        count++;
        more = next_field(&r);
    }
    if (!found || more || d->fault.kind || !ends_here(r.p, r.end, final)) {
        if (!d->fault.kind) {
            keep_pending(d, (size_t)(r.end - begin), d->line);
        }
        return 0;
    }
    if (count > AO_MAX_FIELDS) {
        fail(&r, AO_FAULT_MANY_FIELDS, 0, count, (ao_range){0, 0});
        return 0;
    }
    d->row = range_of(&r, begin, r.p);
    d->line += r.lines;
    take_line_end(d, &r.p, r.end);
    *used = (size_t)(r.p - text);
    d->pending = 0;
    return count;
}

size_t ao_delimited_fields(const ao_delimited *d, const char *text, ao_range row, ao_range *fields, size_t room)
{
    ao_delimited copy = *d; /* faults, of which there are none in such a row, would be put there */
    row_reader r = {.d = &copy, .text = text, .p = text + row.begin, .end = text + row.begin + row.length, .final = 1};
    size_t count = 0;
    int more = !d->aligned || aligned_field(&r);
    while (more && count < room && any_field(&r, count, &fields[count])) {
        count++;
        more = next_field(&r);
    }
    return count;
}

/* -- start --------------------------------------------------------------------------------------------------------- */

static int could_be_number(const ao_delimited *d, const char *token)
{
    ao_number number;
    return ao_number_read(token, d->decimal, &number) != token;
}

void ao_delimited_start(ao_delimited *d)
{
    d->line = 1;
    d->ends[(unsigned char)d->delimiter] = d->ends['\n'] = d->ends['\r'] = 1;
    if (d->aligned) {
        d->ends[' '] = d->ends['\t'] = 1;
    }
    d->none_at_once |= d->decimal == d->delimiter;
    for (size_t i = 0; i < d->n_tokens; i++) {
        d->none_at_once |= could_be_number(d, d->tokens[i]);
    }
}
