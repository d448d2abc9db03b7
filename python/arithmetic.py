"""Arithmetic of whole buffers: two element by element, and one with numbers, in place."""

from __future__ import annotations

import math
from array import array
from typing import Any

from . import _machine
from .compiler.machine import FLOAT_TYPECODES
from .engine.common import also_named, front, plain
from .engine.exchange import taken
from .engine.missing import check_nulls
from .expressions import map, map_inplace
from .reductions import any, minmax

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import overload

    from .engine.kinds import Array, D, FloatCode, IntCode, N, Nulls, NumPy, Out, Plain


if TYPE_CHECKING:

    @overload
    def add(a: array[N], b: Array, /, *, typecode: None = None, out: None = None,
            nulls: Nulls = None) -> array[N]: ...  # fmt: skip
    @overload
    def add(a: NumPy[D], b: Array, /, *, typecode: None = None, out: None = None,
            nulls: Nulls = None) -> NumPy[D]: ...  # fmt: skip
    @overload
    def add(a: Plain, b: Array, /, *, typecode: FloatCode, out: None = None,
            nulls: Nulls = None) -> array[float]: ...  # fmt: skip
    @overload
    def add(a: Plain, b: Array, /, *, typecode: IntCode, out: None = None,
            nulls: Nulls = None) -> array[int]: ...  # fmt: skip
    @overload
    def add(a: Array, b: Array, /, *, typecode: str | None = None, out: Out,
            nulls: Nulls = None) -> Out: ...  # fmt: skip
    @overload
    def add(a: Array, b: Array, /, *, typecode: str | None = None, out: None = None,
            nulls: Nulls = None) -> Any: ...  # fmt: skip


@front
@also_named("arr1", "arr2")
def add(a: Array, b: Array, /, *, typecode: str | None = None, out: Any = None,
        nulls: str | int | float | None = None) -> Any:  # fmt: skip
    """The sums of two buffers of one length, element by element: ``map(a, "x + y", b)``.

    Parameters and exceptions are those of :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.add(array("i", [1, 2]), array("i", [10, 20]))
    array('i', [11, 22])
    """
    return map(a, "x + y", b, typecode=typecode, out=out, nulls=nulls)


if TYPE_CHECKING:

    @overload
    def subtract(a: array[N], b: Array, /, *, typecode: None = None, out: None = None,
                 nulls: Nulls = None) -> array[N]: ...  # fmt: skip
    @overload
    def subtract(a: NumPy[D], b: Array, /, *, typecode: None = None, out: None = None,
                 nulls: Nulls = None) -> NumPy[D]: ...  # fmt: skip
    @overload
    def subtract(a: Plain, b: Array, /, *, typecode: FloatCode, out: None = None,
                 nulls: Nulls = None) -> array[float]: ...  # fmt: skip
    @overload
    def subtract(a: Plain, b: Array, /, *, typecode: IntCode, out: None = None,
                 nulls: Nulls = None) -> array[int]: ...  # fmt: skip
    @overload
    def subtract(a: Array, b: Array, /, *, typecode: str | None = None, out: Out,
                 nulls: Nulls = None) -> Out: ...  # fmt: skip
    @overload
    def subtract(a: Array, b: Array, /, *, typecode: str | None = None, out: None = None,
                 nulls: Nulls = None) -> Any: ...  # fmt: skip


@front
def subtract(a: Array, b: Array, /, *, typecode: str | None = None, out: Any = None,
             nulls: str | int | float | None = None) -> Any:  # fmt: skip
    """The differences of two buffers of one length, element by element: ``map(a, "x - y", b)``.

    Parameters and exceptions are those of :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.subtract(array("i", [1, 2]), array("i", [10, 20]))
    array('i', [-9, -18])
    """
    return map(a, "x - y", b, typecode=typecode, out=out, nulls=nulls)


if TYPE_CHECKING:

    @overload
    def multiply(a: array[N], b: Array, /, *, typecode: None = None, out: None = None,
                 nulls: Nulls = None) -> array[N]: ...  # fmt: skip
    @overload
    def multiply(a: NumPy[D], b: Array, /, *, typecode: None = None, out: None = None,
                 nulls: Nulls = None) -> NumPy[D]: ...  # fmt: skip
    @overload
    def multiply(a: Plain, b: Array, /, *, typecode: FloatCode, out: None = None,
                 nulls: Nulls = None) -> array[float]: ...  # fmt: skip
    @overload
    def multiply(a: Plain, b: Array, /, *, typecode: IntCode, out: None = None,
                 nulls: Nulls = None) -> array[int]: ...  # fmt: skip
    @overload
    def multiply(a: Array, b: Array, /, *, typecode: str | None = None, out: Out,
                 nulls: Nulls = None) -> Out: ...  # fmt: skip
    @overload
    def multiply(a: Array, b: Array, /, *, typecode: str | None = None, out: None = None,
                 nulls: Nulls = None) -> Any: ...  # fmt: skip


@front
@also_named("arr1", "arr2")
def multiply(a: Array, b: Array, /, *, typecode: str | None = None, out: Any = None,
             nulls: str | int | float | None = None) -> Any:  # fmt: skip
    """The products of two buffers of one length, element by element: ``map(a, "x * y", b)``.

    Parameters and exceptions are those of :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.multiply(array("i", [1, 2]), array("i", [10, 20]))
    array('i', [10, 40])
    """
    return map(a, "x * y", b, typecode=typecode, out=out, nulls=nulls)


if TYPE_CHECKING:

    @overload
    def divide(a: array[N], b: Array, /, *, typecode: None = None, out: None = None,
               nulls: Nulls = None) -> array[N]: ...  # fmt: skip
    @overload
    def divide(a: NumPy[D], b: Array, /, *, typecode: None = None, out: None = None,
               nulls: Nulls = None) -> NumPy[D]: ...  # fmt: skip
    @overload
    def divide(a: Plain, b: Array, /, *, typecode: FloatCode, out: None = None,
               nulls: Nulls = None) -> array[float]: ...  # fmt: skip
    @overload
    def divide(a: Plain, b: Array, /, *, typecode: IntCode, out: None = None,
               nulls: Nulls = None) -> array[int]: ...  # fmt: skip
    @overload
    def divide(a: Array, b: Array, /, *, typecode: str | None = None, out: Out,
               nulls: Nulls = None) -> Out: ...  # fmt: skip
    @overload
    def divide(a: Array, b: Array, /, *, typecode: str | None = None, out: None = None,
               nulls: Nulls = None) -> Any: ...  # fmt: skip


@front
def divide(a: Array, b: Array, /, *, typecode: str | None = None, out: Any = None,
           nulls: str | int | float | None = None) -> Any:  # fmt: skip
    """The quotients of two buffers of one length, element by element: ``map(a, "x / y", b)``.

    Quotients are floats: for integer buffers pass ``typecode="d"``. Parameters and exceptions are those of :func:`map`;
    a zero divisor is a ZeroDivisionError.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.divide(array("i", [1, 2]), array("i", [4, 4]), typecode="d")
    array('d', [0.25, 0.5])
    """
    return map(a, "x / y", b, typecode=typecode, out=out, nulls=nulls)


def _for_elements(arr: Any, value: Any, what: str) -> Any:
    """A number to compute with the elements of arr: an integral float becomes an int where the elements are ints."""
    if type(value) is int:
        return value
    code, value = arr.typecode if type(arr) is array else _machine.buffer_info(taken(arr, 0))[0], plain(value)
    if not isinstance(value, (int, float)):
        raise TypeError(f"{what} must be an int or float, not {type(value).__name__}")
    if code in FLOAT_TYPECODES or not isinstance(value, float):
        return value
    if value.is_integer():
        return int(value)
    remedy = "map() with typecode='d' gives a new array"
    raise TypeError(f"{what} is {value!r}, which gives floats that this {code!r} array cannot hold; {remedy}")


@front
@also_named("array", "factor")
def scale(arr: Array, factor: int | float, *, nulls: str | int | float | None = None) -> None:
    """Multiplies each element of a writable buffer by a number, in place.

    An integral factor such as 2.0 is accepted for integer arrays; 2.5 is a TypeError. Raises OverflowError at the first
    product that does not fit, with the elements before it done. nulls is as in :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("h", [1, -2])
    >>> ao.scale(a, 3.0)
    >>> a
    array('h', [3, -6])
    """
    map_inplace(arr, "x * factor", factor=_for_elements(arr, factor, "factor"), nulls=nulls)


@front
@also_named("array", "min_val", "max_val")
def clip(arr: Array, lo: int | float, hi: int | float, *, nulls: str | int | float | None = None) -> None:
    """Limits each element of a writable buffer to lo..hi, in place; nan elements stay.

    Integral bounds such as 2.0 and infinite ones are accepted for integer arrays; 2.5 is a TypeError. Raises ValueError
    if lo > hi or a bound is nan. nulls is as in :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("d", [-1.0, 0.5, 7.0])
    >>> ao.clip(a, 0, 1)
    >>> a
    array('d', [0.0, 0.5, 1.0])
    """
    bounds = [b if isinstance(b, float) and math.isinf(b) else _for_elements(arr, b, name)
              for b, name in ((plain(lo), "lo"), (plain(hi), "hi"))]  # fmt: skip
    if not bounds[0] <= bounds[1]:
        raise ValueError(f"clip() needs lo <= hi, not {lo!r} and {hi!r}")
    map_inplace(arr, "lo if x < lo else hi if x > hi else x", lo=bounds[0], hi=bounds[1], nulls=nulls)


@also_named("array")
def normalize(arr: Array, *, nulls: str | int | float | None = None) -> None:
    """Scales the elements of a writable buffer of floats to 0..1, in place: ``(x - min) / (max - min)``.

    If all are equal they become 0.0; an empty buffer stays empty. Raises TypeError for integers, and ValueError if an
    element is nan or infinite or the range is too large for a float. nulls: ``"propagate"`` leaves them as they are, a
    number takes their place; by default they are a ValueError.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("d", [1.0, 2.0, 5.0])
    >>> ao.normalize(a)
    >>> a
    array('d', [0.0, 0.25, 1.0])
    """
    check_nulls(nulls, "propagate")
    given = taken(arr, "skip" if nulls == "propagate" else nulls, policy="propagate")
    code, _, count, _ = _machine.buffer_info(given)
    if code not in FLOAT_TYPECODES:
        raise TypeError(f"normalize() gives floats, which a {code!r} array cannot hold; map it to 'd' first")
    if not count:
        return
    low, high = minmax(given)
    span = high - low
    if not math.isfinite(span) or any(given, "x != x"):
        raise ValueError("normalize() needs finite numbers whose range is one, too")
    if span:
        map_inplace(arr, "(x - low) / span", low=low, span=span, nulls=nulls)
    else:
        map_inplace(arr, "x - x", nulls=nulls)
