/* Integers of 128 bits, for references. Compilers without __int128, those for 32 bits, may have the type of C23. */
#ifndef AO_WIDE_H
#define AO_WIDE_H

#if defined __SIZEOF_INT128__
__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 unsigned_wide;
#else
typedef signed _BitInt(128) wide;
typedef unsigned _BitInt(128) unsigned_wide;
#endif

#endif
