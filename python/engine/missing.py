"""Missing values: the one policy for nulls, whoever has them: Arrow data, masked arrays, pandas' nullable columns.

A null is an element without a value; nan is a value. ``nulls=`` says what is to become of them:

- None: ValueError, which names the choices.
- ``"propagate"``, for what gives one result per element: null in any array in, null out. Such elements are not
  evaluated, so they raise nothing.
- ``"skip"``, for what takes elements together or chooses among them: rows with a null in any array are left out.
- a number takes their place.

Which elements are null is known by bits, as in Arrow: joined eight at a time, and never element by element.
"""

from __future__ import annotations

from .. import _machine
from ..compiler.machine import FLOAT_TYPECODES
from .common import different_lengths, plain, sliceable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable
    from typing import Any

_CHOICES = {
    "propagate": "nulls='propagate' makes their results null",
    "skip": "nulls='skip' leaves them out",
}
_PASTED = 1 << 20  # elements copied between two looks at signals


class Column:
    """Elements side by side, and which of them are null."""

    __slots__ = ("bits", "first", "nulls", "values")

    def __init__(self, values: Any, nulls: int = 0, bits: Any = None, first: int = 0) -> None:
        self.values = values
        self.nulls = nulls  # how many; of a part of a column, how many there are in all of it
        self.bits = bits  # 0 stands for a null; None if there are none
        self.first = first  # the bit of the first element

    def __len__(self) -> int:
        return _machine.buffer_info(self.values)[2]


def check_nulls(nulls: Any, policy: str) -> None:
    """TypeError unless this can be said of nulls here: None, the policy, or a number."""
    if nulls is None or nulls == policy or isinstance(plain(nulls), (int, float)):
        return
    raise TypeError(f"nulls must be {policy!r}, a number to take their place, or None, not {nulls!r}")


def check_nan(nan: Any) -> None:
    """ValueError unless this can be said of nans: None or 'skip'."""
    if nan is not None and nan != "skip":
        raise ValueError(f"nan must be 'skip' or None, not {nan!r}")


def refusal(number: int, policy: str, what: str = "the data") -> ValueError:
    """What is raised for nulls of which nothing was said."""
    return ValueError(
        f"{what} has {number} null{'s' if number > 1 else ''}: {_CHOICES[policy]}, "
        "nulls=<number> puts a number in their place"
    )


# -- columns -----------------------------------------------------------------------------------------------------------


def number_of_nulls(columns: Iterable[Column]) -> int:
    """How many elements are null."""
    return sum(column.nulls for column in columns)


def one_buffer(chunks: list[Any]) -> Any:
    """Buffers as one: a copy if there are several."""
    if len(chunks) == 1:
        return chunks[0]
    result = _machine.new_array(_machine.buffer_info(chunks[0])[0], sum(map(len, chunks)))
    target, start = memoryview(result), 0
    for chunk in chunks:
        for at in range(0, len(chunk), _PASTED):
            part = chunk[at : at + _PASTED]
            target[start : start + len(part)] = part
            start += len(part)
    return result


def joined(columns: list[Column]) -> Column:
    """Columns as one: a copy if there are several."""
    if len(columns) == 1:
        return columns[0]
    values, nulls = one_buffer([column.values for column in columns]), number_of_nulls(columns)
    if not nulls:
        return Column(values)
    pieces = tuple((column.bits, column.first, len(column)) for column in columns)
    return Column(values, nulls, _machine.join_bits(pieces, len(values)), 0)


def cut(columns: list[Column], counts: list[int]) -> list[Column]:
    """The same elements in columns of these lengths."""
    lengths = [len(column) for column in columns]
    if lengths == counts:
        return columns
    if sum(lengths) != sum(counts):
        raise different_lengths(sum(counts), sum(lengths))
    all_of_it = joined(columns)
    view, start, parts = sliceable(all_of_it.values), 0, []
    for count in counts:
        part = view[start : start + count]
        parts.append(Column(part, all_of_it.nulls, all_of_it.bits, all_of_it.first + start))
        start += count
    return parts


def combined(columns: Iterable[Column]) -> array[Any] | None:
    """Bits of the rows in which no column is null; None if there are no nulls."""
    known = list(columns)
    some = [column for column in known if column.nulls]
    if not some:
        return None
    lengths = [len(column) for column in known]
    for other in lengths:
        if other != lengths[0]:
            raise different_lengths(lengths[0], other)
    return _machine.and_bits(tuple((column.bits, column.first, lengths[0]) for column in some), lengths[0])


# -- the policy --------------------------------------------------------------------------------------------------------


def filled(column: Column, number: int | float) -> Column:
    """The column with a number in the place of nulls: a copy if there are any."""
    if not column.nulls:
        return column
    values, number = _machine.copy_array(column.values), plain(number)
    if number not in (0, 1) and _machine.buffer_info(values)[0] == "?":
        raise TypeError(f"nulls={number!r} is no truth value, which the data has: give True or False")
    try:
        _machine.fill_nulls(values, column.bits, column.first, number)
    except (OverflowError, TypeError) as error:
        error.add_note(f"nulls={number!r} does not fit the data, whose typecode is {_machine.buffer_info(values)[0]!r}")
        raise
    return Column(values)


def rows(column: Column, bits: Any) -> Column:
    """The elements whose bits are 1: a copy."""
    return Column(_machine.compact(column.values, _machine.unpack_bits(bits, 0, len(column))))


def prepared(columns: list[Column], nulls: Any, what: str = "the data", policy: str = "skip") -> list[Any]:
    """The values of columns, with nulls left out or a number in their place; ValueError if neither was said.

    policy: what the caller could have been asked to do with nulls.
    """
    number = number_of_nulls(columns)
    if number and nulls is None:
        raise refusal(number, policy, what)
    if nulls == "skip":
        return [rows(c, combined([c])).values if c.nulls else c.values for c in columns]
    return [filled(c, nulls).values for c in columns]


def without_nans(values: Any) -> Any:
    """The elements that are no nan: a copy of floats, and ints as they are."""
    return _machine.compact(values, None) if _machine.buffer_info(values)[0] in FLOAT_TYPECODES else values


def first_one(bits: Any) -> int:
    """The place of the first bit that is 1; -1 if there is none."""
    data = bytes(bits)
    rest = data.lstrip(b"\0")
    return 8 * (len(data) - len(rest)) + (rest[0] & -rest[0]).bit_length() - 1 if rest else -1
