"""Whole-array operations: two buffers element by element, order, and what else arrayops 1.0 (Rust) has."""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterator
from typing import Any

from . import _machine
from .api import map, map_inplace
from .common import native
from .exchange import given_as, taken
from .moments import minmax


def add(a: Any, b: Any, /, *, typecode: str | None = None, out: Any = None) -> Any:
    """The sums of two buffers of one length, element by element: ``map(a, "x + y", b)``.

    Parameters and exceptions are those of :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.add(array("i", [1, 2]), array("i", [10, 20]))
    array('i', [11, 22])
    """
    return map(a, "x + y", b, typecode=typecode, out=out)


def subtract(a: Any, b: Any, /, *, typecode: str | None = None, out: Any = None) -> Any:
    """The differences of two buffers of one length, element by element: ``map(a, "x - y", b)``.

    Parameters and exceptions are those of :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.subtract(array("i", [1, 2]), array("i", [10, 20]))
    array('i', [-9, -18])
    """
    return map(a, "x - y", b, typecode=typecode, out=out)


def multiply(a: Any, b: Any, /, *, typecode: str | None = None, out: Any = None) -> Any:
    """The products of two buffers of one length, element by element: ``map(a, "x * y", b)``.

    Parameters and exceptions are those of :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.multiply(array("i", [1, 2]), array("i", [10, 20]))
    array('i', [10, 40])
    """
    return map(a, "x * y", b, typecode=typecode, out=out)


def divide(a: Any, b: Any, /, *, typecode: str | None = None, out: Any = None) -> Any:
    """The quotients of two buffers of one length, element by element: ``map(a, "x / y", b)``.

    Quotients are floats: for integer buffers pass ``typecode="d"``. Parameters and exceptions are those of :func:`map`;
    a zero divisor is a ZeroDivisionError.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.divide(array("i", [1, 2]), array("i", [4, 4]), typecode="d")
    array('d', [0.25, 0.5])
    """
    return map(a, "x / y", b, typecode=typecode, out=out)


def normalize(arr: Any) -> None:
    """Scales the elements of a writable buffer of floats to 0..1, in place: ``(x - min) / (max - min)``.

    If all are equal they become 0.0; an empty buffer stays empty. Raises TypeError for integers, and ValueError if an
    element is nan or infinite or the range is too large for a float.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("d", [1.0, 2.0, 5.0])
    >>> ao.normalize(a)
    >>> a
    array('d', [0.0, 0.25, 1.0])
    """
    code, _, count, _ = _machine.buffer_info(arr)
    if code not in "fd":
        raise TypeError(f"normalize() gives floats, which a {code!r} array cannot hold; map it to 'd' first")
    if not count:
        return
    low, high = minmax(arr)
    span = high - low
    if not math.isfinite(span) or _has_nan(arr):
        raise ValueError("normalize() needs finite numbers whose range is one, too")
    if span:
        map_inplace(arr, "(x - low) / span", low=low, span=span)
    else:
        map_inplace(arr, "x - x")


def _has_nan(arr: Any) -> bool:
    from .moments import any

    return any(arr, "x != x")


def reverse(arr: Any) -> None:
    """Reverses a writable buffer in place.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("b", [1, 2, 3])
    >>> ao.reverse(a)
    >>> a
    array('b', [3, 2, 1])
    """
    _machine.reverse(arr)


def sort(arr: Any) -> None:
    """Sorts a writable buffer in place, as ``list.sort``: ascending and stable, with nans at the end.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("d", [2.0, float("nan"), -1.0])
    >>> ao.sort(a)
    >>> a
    array('d', [-1.0, 2.0, nan])
    """
    _machine.sort(arr)


def unique(arr: Any) -> Any:
    """The distinct elements in ascending order, ``sorted(set(arr))``: of equal ones the first, nans all and last.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.unique(array("i", [3, 1, 3, 2, 1]))
    array('i', [1, 2, 3])
    """
    return given_as(arr, _machine.unique(_machine.copy_array(taken(arr))))


def slice(arr: Any, start: int | None = None, stop: int | None = None, step: int | None = None) -> memoryview:
    """Part of a buffer without a copy: ``memoryview(arr)[start:stop:step]``, with the meaning of Python's slices.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("i", [1, 2, 3, 4])
    >>> ao.slice(a, 1, -1)[0] = 20
    >>> a
    array('i', [1, 20, 3, 4])
    """
    _machine.buffer_info(arr)
    return memoryview(arr)[builtins.slice(start, stop, step)]


def array_iterator(arr: Any) -> Iterator[int | float]:
    """An iterator over the elements of a buffer as Python numbers.

    >>> import arrayops as ao
    >>> from array import array
    >>> list(ao.array_iterator(array("h", [1, 2])))
    [1, 2]
    """
    return iter(native(taken(arr)))
