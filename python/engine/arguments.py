"""Arguments of calls, checked: what cannot be meant is refused here, with one wording for each fault."""

from __future__ import annotations

import operator
from array import array
from collections.abc import Iterable
from typing import Any

from .. import _machine
from ..compiler.captured import table_of
from ..compiler.machine import MACHINE_TYPES, MAX_THREADS
from .common import is_buffer, native, plain


def quoted(names: Iterable[str]) -> str:
    """Names as messages list them."""
    return ", ".join(repr(n) for n in names) or "none"


def checked_typecode(code: str) -> str:
    """The typecode of a result, by the name that TYPECODES has for it. Raises TypeError or ValueError if it is none."""
    if not isinstance(code, str):
        given = code if isinstance(code, type) else type(code)
        raise TypeError(f"typecode must be a str, such as 'd' or 'float64', not {given.__name__}")
    return code if code in MACHINE_TYPES else _machine.typecode(code)


def output_typecode(first: str, typecode: str | None, out: Any) -> str:
    """The typecode of the result: out's, the one that is asked for, or that of the first buffer."""
    if out is None:
        return first if typecode is None else checked_typecode(typecode)
    given = str(_machine.buffer_info(out)[0])
    if typecode is not None and checked_typecode(typecode) != given:
        raise ValueError(f"out has typecode {given!r}, but typecode={typecode!r} was asked for")
    return given


def thread_count(wanted: int | None) -> int:
    """The machine's number for so many threads: 0 leaves it to the machine."""
    if wanted is None:
        return 0
    number = operator.index(wanted)
    if not 1 <= number <= MAX_THREADS:
        raise ValueError(f"threads must be 1 to {MAX_THREADS}, not {number}")
    return number


def plain_number(value: Any, name: str, where: str) -> Any:
    """A named number where buffers cannot go."""
    value = plain(value)
    if not isinstance(value, (int, float)):
        raise TypeError(f"{name!r} must be a number in a {where}, not {type(value).__name__}")
    return value


def bindable_table(value: Any, name: str) -> tuple[Any]:
    """A bound argument that is subscripted, as the machine takes it: a tuple of a buffer of Python's numbers."""
    value = plain(value)
    table = table_of(value)
    if table is None and type(value) in (list, tuple):
        raise TypeError(f"{name} is subscripted, and is a table of ints of 64 bits or of floats, not of both or others")
    if table is None and not is_buffer(value):
        raise TypeError(f"{name} is subscripted, and must be a table of numbers (a buffer, list or tuple), not "
                        f"{type(value).__name__}")  # fmt: skip
    return (native(memoryview(value)) if table is None else table,)  # of a subclass no method is called


def unwrapped(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments as Python's functions take them: tables as what they are."""
    return tuple([a[0] if type(a) is tuple else a for a in args])


def bindable(value: Any, name: str) -> Any:
    """A bound argument: an exact int, float or bool, or a buffer as it is."""
    if type(value) in (int, float, bool, array, range):
        return value
    value = plain(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return value if isinstance(value, bool) else int(value)
    import numbers  # which takes a third of a millisecond, and most calls never get here

    if isinstance(value, numbers.Number):
        if isinstance(value, numbers.Integral):
            return operator.index(value)
        if isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):
            return float(value)
    elif is_buffer(value):
        return value
    remedy = ": array('d', values) makes a buffer of numbers" if type(value) in (list, tuple) else ""
    if hasattr(type(value), "__array__"):  # of another library's arrays
        remedy = ": numpy.asarray() makes a buffer of it"
    elif hasattr(type(value), "as_py"):  # a scalar of pyarrow
        remedy = ": .as_py() is what it holds"
    elif hasattr(type(value), "__float__"):  # a Fraction, a Decimal: nobody says whether its digits may be lost
        remedy = ": float() makes one of it"
    raise TypeError(f"{name} must be a buffer or an int, float or bool, not {type(value).__name__}{remedy}")
