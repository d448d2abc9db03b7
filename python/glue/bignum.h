/* Marked elements that the machine itself answers, because all that is odd about them is an int of more than 64 bits. */
#ifndef AO_GLUE_BIGNUM_H
#define AO_GLUE_BIGNUM_H

#include "run.h"

/* Computes the marked elements of the block by the oracle's steps (compiler/bignum.py), if it has some, stores them as the
 * program's type, and takes their marks away. Marked stays what Python must say. */
void bignum_answer(run *r);

#endif
