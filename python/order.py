"""Order and position of elements: sorted, reversed, distinct, a part without a copy, one after the other."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

from . import _machine
from .engine.common import Later, native, sliceable
from .engine.exchange import given_as, taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .engine import kernel
else:
    kernel = Later("engine.kernel")


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


def unique(arr: Any, *, nulls: str | int | float | None = None) -> Any:
    """The distinct elements in ascending order, ``sorted(set(arr))``: of equal ones the first, nans all and last.

    nulls: ``"skip"`` leaves them out, a number takes their place. A pandas Series has new labels.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.unique(array("i", [3, 1, 3, 2, 1]))
    array('i', [1, 2, 3])
    """
    buffer = taken(arr, nulls)
    code, found = _machine.buffer_info(buffer)[0], _machine.unique(_machine.plain_array(buffer))
    result = found if found.typecode == code else kernel.text_kernel("x").map(found, typecode=code)
    return given_as(arr, result, labels=False)


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
    found: memoryview = sliceable(arr)[builtins.slice(start, stop, step)]
    return found


def array_iterator(arr: Any, *, nulls: str | int | float | None = None) -> Iterator[int | float]:
    """An iterator over the elements of a buffer as Python numbers. nulls is as in :func:`unique`.

    >>> import arrayops as ao
    >>> from array import array
    >>> list(ao.array_iterator(array("h", [1, 2])))
    [1, 2]
    """
    return iter(native(taken(arr, nulls)))
