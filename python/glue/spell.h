/* Numbers as bytes of text, many at once. */
#ifndef AO_GLUE_SPELL_H
#define AO_GLUE_SPELL_H

#include "buffers.h"

/* What rows are written as: the fields as they stand, CSV, objects of JSON. */
typedef enum { FORM_TEXT, FORM_CSV, FORM_JSON } row_form;

/* Text that grows. */
typedef struct {
    char *bytes; /* or NULL */
    size_t length, room;
} spelled;

void *spelled_room(spelled *s, size_t n);                   /* for n more bytes; NULL with MemoryError */
int spelled_add(spelled *s, const void *bytes, size_t n);   /* -1 with MemoryError */
/* Element i as Python's repr writes it, truth values as 0 and 1; of floats, unless it is below 0, so many digits behind the
 * point. -1 with an exception. */
int spelled_element(spelled *s, const ao_array *array, size_t i, int decimals);
/* The same; JSON has null for what is not finite. */
int spelled_value(spelled *s, const ao_array *array, size_t i, int decimals, row_form form);
/* A cell (vm/text/quoting.h) as CSV or as a string of JSON, where bytes that are no UTF-8 raise UnicodeDecodeError. */
int spelled_cell(spelled *s, const char *text, size_t n, char doubled, row_form form);
int all_are_bytes(PyObject *tuple); /* whether it is a tuple of them */
PyObject *spelled_bytes(spelled *s); /* as bytes; frees it */
void spelled_drop(spelled *s);

extern PyMethodDef spell_methods[];

#endif
