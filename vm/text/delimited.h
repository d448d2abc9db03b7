/* Delimited text (CSV, TSV, aligned columns) cut into rows, and the wanted cells of them read as numbers.
 *
 * The text comes in pieces: the caller keeps what was not used, and gives it again with more behind it. What is found does not
 * depend on where the pieces are cut, and every row is found whole or not at all. Memory is the caller's. 16 zero bytes must be
 * readable behind the text: AO_TEXT_PADDING.
 *
 * A row ends with \n, \r\n or \r. A field that begins with the quote ends with it; within, two quotes are one, and ends of
 * lines are text (RFC 4180). Rows of nothing but blanks are none, and so are comments.
 */
#ifndef AO_DELIMITED_H
#define AO_DELIMITED_H

#include "number.h"

enum {
    AO_TEXT_PADDING = 16,
    AO_MAX_ROW_BYTES = 1 << 24,
    AO_MAX_FIELDS = 1 << 20,
    AO_MAX_TOKENS = 64
};

/* What the cells of a column are to be. */
enum ao_cells { AO_CELLS_INT, AO_CELLS_UINT, AO_CELLS_DOUBLE, AO_CELLS_TEXT };
/* What becomes of a column of ints at a cell that is no int of 64 bits. */
enum ao_turn {
    AO_TURN_NEVER, /* a fault */
    AO_TURN_ALL,   /* all of the column so far becomes doubles */
    AO_TURN_HERE   /* it is one of doubles from this row on: the rows before are given first */
};
enum ao_ragged { AO_RAGGED_FAULT, AO_RAGGED_SKIP, AO_RAGGED_FILL };
enum ao_missing { AO_MISSING_FAULT, AO_MISSING_SKIP, AO_MISSING_FILL };

/* Bytes of the text, without the quotes around them. AO_DOUBLED in the length: two quotes within stand for one. */
typedef struct {
    uint32_t begin, length;
} ao_range;
#define AO_DOUBLED (UINT32_C(1) << 31)

typedef union {
    int64_t i;
    uint64_t u;
    double d;
    ao_range text;
} ao_cell;

typedef struct {
    size_t field;       /* of each row, from 0; columns are in rising order of it */
    enum ao_cells cells;
    enum ao_turn turn;
    int exact;          /* of doubles: an integer that no double holds is a fault */
    ao_number fill;     /* in place of missing cells */
    uint64_t missing;   /* cells, so far */
    ao_cell *values;    /* room for as many as rows are asked for */
    uint8_t *absent;    /* 1: the cell is missing; as many */
} ao_column;

enum ao_fault_kind {
    AO_FAULT_NONE,
    AO_FAULT_FIELDS,      /* the row has another number of fields than those before */
    AO_FAULT_NO_NUMBER,
    AO_FAULT_NO_INT,
    AO_FAULT_NO_FIT,      /* an integer that the type does not hold */
    AO_FAULT_INEXACT,     /* an integer that no double holds */
    AO_FAULT_MISSING,
    AO_FAULT_OPEN_QUOTE,  /* the text ends within quotes */
    AO_FAULT_AFTER_QUOTE, /* something between the quote that ends a field and the end of the field */
    AO_FAULT_LONG_ROW,
    AO_FAULT_MANY_FIELDS,
    AO_FAULT_ASKED        /* `ask` failed */
};

typedef struct {
    enum ao_fault_kind kind;
    size_t line, field, fields; /* lines count from 1 */
    ao_range cell;
} ao_fault;

typedef struct {
    /* what the text is like */
    char delimiter, quote, comment, decimal, thousands; /* 0: there is none, but for delimiter and decimal */
    int aligned;              /* fields are apart by any number of blanks and tabs */
    enum ao_ragged ragged;
    enum ao_missing missing;
    const char *tokens[AO_MAX_TOKENS]; /* what stands for a missing number, beside nothing at all; each ends with 0 */
    size_t n_tokens;
    int none_at_once;         /* no cell is read before it is delimited: one of these could be read as a number, or the decimal
                               * sign is the delimiter, which ends what is not in quotes */
    /* what is wanted of it */
    ao_column *columns;
    size_t n_columns;
    /* What number a cell is where that is not to be seen here: sets kind to AO_NO_NUMBER, AO_WHOLE or AO_REAL; nonzero: it
     * failed. text may be any bytes; a long one can have the decimal sign of this text. */
    int (*ask)(void *context, const char *text, size_t n, enum ao_cells wanted, ao_number *number);
    void *context;
    /* where it is */
    size_t skip;              /* lines to be left out */
    size_t fields;            /* that every row has; 0: what the first one has */
    size_t line;              /* number of the next one: begins as 1 */
    int begun;                /* the byte order mark was looked for */
    size_t pending;           /* bytes that were looked at and hold no whole row */
    uint64_t left_out;        /* rows so far: ragged ones, and those with missing cells */
    ao_fault fault;
    ao_range row;             /* that ao_delimited_split cut last, without its end */
    uint8_t ends[256];        /* bytes that end a field which is not in quotes: ao_delimited_start */
} ao_delimited;

/* Once, when it is said what the text is like; all that is not said is 0. */
void ao_delimited_start(ao_delimited *d);

/* Cuts the next row into fields, at most `room` of which are kept. Returns how many there are; 0 if there is no whole row, or a
 * fault. `used`: bytes of the text that are done with, which come before those that `fields` are of. */
size_t ao_delimited_split(ao_delimited *d, const char *text, size_t n, int final, ao_range *fields, size_t room, size_t *used);

/* The fields of a row that was read: at most `room`, which are counted. */
size_t ao_delimited_fields(const ao_delimited *d, const char *text, ao_range row, ao_range *fields, size_t room);

/* The bytes of a cell without white space around them. */
ao_range ao_delimited_trimmed(const char *text, ao_range cell);
/* Whether such a cell stands for a missing number. */
int ao_delimited_missing(const ao_delimited *d, const char *text, size_t n);
/* The number of such a cell as Python spells it, to `plain`, which has room for n bytes. Returns its length, or 0 if it is none. */
size_t ao_delimited_plain(const ao_delimited *d, const char *text, size_t n, char *plain);

/* Reads up to `room` rows into the columns. Returns how many; fewer than `room` if there are no more, or at a fault, which is
 * in d->fault when it is the next row that has it. rows[i], lines[i]: which bytes row i is, without its end,
 * and its first line. */
size_t ao_delimited_rows(ao_delimited *d, const char *text, size_t n, int final, size_t room, ao_range *rows, int64_t *lines,
                         size_t *used);

#endif
