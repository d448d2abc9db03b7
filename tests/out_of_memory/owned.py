"""Rows like those of calls.py with arrays of NumPy and pandas, whose own allocations fail, too.

Only what arrayops does with them: a result is looked at when there is memory again (sweep.plain).
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
from calls import Row, ao, one

COUNT = 40


def doubles(serial: int = 0) -> Any:
    return np.arange(float(COUNT))


def masked(serial: int = 0) -> Any:
    return np.ma.array(doubles(), mask=np.arange(COUNT) % 3 == 0)


def series(serial: int = 0) -> Any:
    return pd.Series(doubles(), index=np.arange(COUNT) * 2, name="n")


def nullable(serial: int = 0) -> Any:
    return pd.Series([1, None, 3, 4] * (COUNT // 4), dtype="Int64", name="n")


ROWS = [
    Row("numpy map", one(doubles), lambda a: ao.map(a, "x + 1")),
    Row("numpy mask", one(doubles), lambda a: ao.evaluate("x > 3", x=a)),
    Row("numpy halves", one(doubles), lambda a: ao.map(a, "x / 7", typecode="e")),
    Row("numpy 24 bits", one(doubles), lambda a: ao.map(a, "int(x)", typecode="i3")),
    Row("numpy function", one(doubles), lambda a: ao.map(a, lambda x: np.maximum(x, 3.0))),
    Row("masked map", one(masked), lambda a: ao.map(a, "x + 1", nulls="propagate")),
    Row("masked sum", one(masked), lambda a: ao.sum(a, nulls="skip")),
    Row("masked filter", one(masked), lambda a: ao.filter(a, "x > 1", nulls="skip")),
]
#: CPython 3.14 and 3.15 crash where pandas has no memory for its own objects, without arrayops as well.
PANDAS_ROWS = [
    Row("series map", one(series), lambda a: ao.map(a, "x + 1")),
    Row("series filter", one(series), lambda a: ao.filter(a, "x > 3")),
    Row("series out", one(series), lambda a: ao.map(a, "x + 1", out=a), inplace=True),
    Row("nullable map", one(nullable), lambda a: ao.map(a, "x + 1", nulls="propagate")),
    Row("nullable stats", one(nullable), lambda a: ao.stats(a, nulls="skip")),
]
if sys.version_info < (3, 14):
    ROWS += PANDAS_ROWS
