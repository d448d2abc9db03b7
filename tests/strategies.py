"""Hypothesis strategies over the grammar: whole calls, expressions, arrays of every typecode with edge values.

The grammar draws from hypothesis's own random object, so failures shrink; the values of the arrays come from one
drawn seed, so that an example with a thousand elements costs one draw.
"""

from __future__ import annotations

import random
from array import array
from typing import Any

from grammar import Case, random_case, random_values
from hypothesis import strategies as st
from oracle import FLOAT_CODES, INTEGER_CODES, TYPECODES, edge_values, integer_range

typecodes = st.sampled_from(TYPECODES)
integer_typecodes = st.sampled_from(INTEGER_CODES)
float_typecodes = st.sampled_from(FLOAT_CODES)


def cases(api: str) -> st.SearchStrategy[Case]:
    """Random calls of one API."""
    return st.randoms(use_true_random=False).map(lambda rng: random_case(rng, api))


def elements(typecode: str) -> st.SearchStrategy[Any]:
    """One value of a typecode, edges preferred."""
    edges = st.sampled_from(edge_values(typecode))
    if typecode in INTEGER_CODES:
        return st.one_of(edges, st.integers(*integer_range(typecode)), st.sampled_from([0, 1, 2, 3]))
    return st.one_of(edges, st.floats(width=32 if typecode == "f" else 64), st.sampled_from([0.0, -0.0, 1.0, -1.5]))


@st.composite
def arrays(draw: st.DrawFn, codes: st.SearchStrategy[str] = typecodes, max_size: int = 70) -> array[Any]:
    """An array whose elements hypothesis draws one by one."""
    code = draw(codes)
    return array(code, draw(st.lists(elements(code), max_size=max_size)))


@st.composite
def long_arrays(draw: st.DrawFn, codes: st.SearchStrategy[str] = typecodes) -> array[Any]:
    """An array of 0 to 1,025 seeded values: around every block size."""
    code = draw(codes)
    length = draw(st.sampled_from([0, 1, 2, 31, 63, 64, 65, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025]))
    return random_values(random.Random(draw(st.integers(0, 2**32 - 1))), code, length)
