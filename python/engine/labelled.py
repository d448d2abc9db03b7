"""pandas: Series and Index in, Series and Index out, with labels and name; nothing of it is imported here.

The numbers of a column lie in a NumPy array, in one with a mask beside it (nullable dtypes), or in Arrow chunks. Each
is read where it is. What is written to a Series goes through pandas itself at the end of the call, all or nothing:
other Series may share the memory.
"""

from __future__ import annotations

import itertools
import operator
import sys
from typing import Any

from .. import _machine
from .missing import Column

#: The numbers of a nullable column and its mask. pandas has no public way to them without a copy.
_PARTS = operator.attrgetter("_data", "_mask")
#: Typecodes of what no other library has: integers of 24 bits, which are given to them as those of 32.
OURS_ALONE = ("i3", "u3")
#: What to do about dtypes that have no numbers, by how their names begin.
_REMEDIES = (
    ("category", "take its codes with .cat.codes, or its values with .astype()"),
    ("object", "convert it with pandas.to_numeric()"),
    ("str", "convert it with pandas.to_numeric()"),
    ("period", "take its int64 with .astype('int64')"),
    ("Sparse", "make it dense with .sparse.to_dense()"),
    ("interval", "take its ends with .array.left and .array.right"),
    ("list", "flatten it with .list.flatten()"),
    ("struct", "take one of its fields with .struct.field()"),
    ("null", "give it a type with .astype(), such as 'Float64'"),
    ("bytes", "convert it with pandas.to_numeric()"),
    ("binary", "convert it with pandas.to_numeric()"),
    ("complex", "take its parts with .to_numpy().real and .imag"),
)


#: What view() calls the times of pandas' dtypes, NumPy's and Arrow's, by how their names begin.
_TIMES = {"datetime64": "datetime64", "timestamp": "datetime64", "date32": "datetime64", "date64": "datetime64",
          "timedelta64": "timedelta64", "duration": "timedelta64", "time32": "time", "time64": "time"}  # fmt: skip


def _view_of_times(name: str) -> str | None:
    """What gives the ints of a dtype of times, by its name: 'datetime64[us, UTC]', 'date32[day][pyarrow]', ..."""
    kind, bracket, rest = name.partition("[")
    unit = rest.split("]")[0].split(",")[0]
    if not bracket or kind not in _TIMES:
        return None
    cast = ".astype('int64') or " if kind in _TIMES.values() else ""  # which pandas has for NumPy's times, but for NaT
    return f"take its int64 with {cast}ao.view(series, '{_TIMES[kind]}[{'D' if unit == 'day' else unit}]')"


def refused(dtype: Any, what: str) -> TypeError:
    """What is raised for a dtype without numbers."""
    name = str(dtype)
    known = (text for prefix, text in _REMEDIES if name.startswith(prefix))
    remedy = _view_of_times(name) or next(known, "convert it with .astype('float64')")
    return TypeError(f"a pandas {what} of dtype {name!r} has no numbers to compute with: {remedy}")


def as_numpy(numpy: Any, result: Any) -> Any:
    """A result as a NumPy array on its memory, or a copy where NumPy has no such type."""
    code = _machine.buffer_info(result)[0]
    if code in OURS_ALONE:
        result = _machine.plain_array(result)
        code = result.typecode
    return _on_memory(numpy, result, code)


def _on_memory(numpy: Any, buffer: Any, code: str) -> Any:
    """An array on the memory of a buffer. asarray would take it for a sequence of ints when memory runs out."""
    return numpy.frombuffer(buffer, code)


def mask_of(numpy: Any, bits: Any, count: int) -> Any:
    """A NumPy mask, true for nulls, from bits."""
    if bits is None:
        return numpy.zeros(count, bool)
    return _on_memory(numpy, _machine.unpack_bits(bits, 0, count), "B") == 0


def kept(index: Any, mask: Any) -> Any:
    """The labels whose byte of the mask, 0 or 1, is 1."""
    return index[_on_memory(sys.modules["numpy"], mask, "?")]


def masked_column(values: Any, mask: Any) -> Column:
    """A column from a NumPy array and its mask, true for nulls."""
    bits, nulls = _machine.pack_nulls(mask.view("u1"))
    return Column(values, nulls, bits if nulls else None)


def columns_of(like: Any, arrow: Any) -> list[Column]:
    """The numbers of a Series or Index. arrow: what makes columns of Arrow data."""
    dtype = like.dtype
    if getattr(dtype, "kind", "O") not in "iufb":
        raise refused(dtype, type(like).__name__)
    if has_no_nulls(like):
        return [Column(like.to_numpy())]
    data = like.array
    if _is_nullable(data):
        return [masked_column(*_PARTS(data))]
    if isinstance(data, sys.modules["pandas"].arrays.ArrowExtensionArray):
        return arrow(data.__arrow_array__())  # type: ignore[no-any-return]
    raise refused(dtype, type(like).__name__)


def _is_nullable(data: Any) -> bool:
    arrays = sys.modules["pandas"].arrays
    return isinstance(data, (arrays.FloatingArray, arrays.IntegerArray, arrays.BooleanArray))


def _values(pandas: Any, results: list[Any], bits: list[Any], like: Any, chunked: Any) -> Any:
    """Results as the values of a column of the kind of ``like``: nullable if there is no room for nulls in that."""
    numpy = sys.modules["numpy"]
    plain = has_no_nulls(like)
    if not plain and not _is_nullable(like.array):
        return pandas.arrays.ArrowExtensionArray(chunked(results, bits))
    values = as_numpy(numpy, results[0])
    if plain and bits[0] is None:
        return values
    kind = "Boolean" if values.dtype.kind == "b" else "Floating" if values.dtype.kind == "f" else "Integer"
    values = values.astype("f4") if values.dtype.char == "e" else values  # pandas has no nullable half floats
    return getattr(pandas.arrays, f"{kind}Array")(values, mask_of(numpy, bits[0], len(values)))


def has_numbers(like: Any) -> bool:
    """Whether the numbers lie in a NumPy array."""
    dtype = like.dtype
    return isinstance(dtype, sys.modules["numpy"].dtype) and dtype.kind in "iufb"


def has_no_nulls(like: Any) -> bool:
    """Whether the dtype has no room for nulls: one of NumPy's."""
    return isinstance(like.dtype, sys.modules["numpy"].dtype)


def given(pandas: Any, results: list[Any], bits: list[Any], like: Any, index: Any, chunked: Any) -> Any:
    """Results as what ``like`` is, with its name. index: of a Series. chunked: what makes Arrow data of results."""
    values = _values(pandas, results, bits, like, chunked)
    if isinstance(like, pandas.Index):
        return pandas.Index(values, name=like.name, copy=False)
    return pandas.Series(values, index=index, name=like.name, copy=False)


def store(pandas: Any, out: Any, result: Any, bits: Any, chunked: Any) -> None:
    """Sets the elements of a Series to results that have its type."""
    out.iloc[:] = _values(pandas, [result], [bits], out, chunked)


def check_labels(series: list[Any]) -> None:
    """ValueError for Series whose labels differ: elements go together by position, which would then be a surprise."""
    for first, other in itertools.pairwise(series):
        if not (first.index.is_(other.index) or first.index.equals(other.index)):
            raise ValueError("the pandas Series have different indexes: align them first, or take .to_numpy() of one")
