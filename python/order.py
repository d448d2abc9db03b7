"""Order and position of elements: sorted, reversed, distinct, the places of all, of one, and where others belong."""

from __future__ import annotations

import bisect
import builtins
import itertools
import operator
import sys
from array import array
from typing import Any

from . import _machine
from .engine.common import Later, also_named, front, native, plain, sliceable
from .engine.exchange import check_in_memory, given_as, is_array, taken, taken_together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import overload

    from .engine import kernel
    from .engine.kernel import Function
    from .engine.kinds import Array, D, Ints, N, Nulls, NumPy
else:
    kernel = Later("engine.kernel")


#: How arrays of other libraries are sorted, with the labels that some have.
_SORTED = {"pandas": "use its .sort_values(), or argsort()", "": "use its .sort(), or argsort()"}


@also_named("array")
def reverse(arr: Array) -> None:
    """Reverses a writable buffer in place.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("b", [1, 2, 3])
    >>> ao.reverse(a)
    >>> a
    array('b', [3, 2, 1])
    """
    check_in_memory(arr, "reverse", {"": "take [::-1] of it"})
    _machine.reverse(arr)


@also_named("array")
def sort(arr: Array) -> None:
    """Sorts a writable buffer in place, as ``list.sort``: ascending and stable, with nans at the end.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("d", [2.0, float("nan"), -1.0])
    >>> ao.sort(a)
    >>> a
    array('d', [-1.0, 2.0, nan])
    """
    check_in_memory(arr, "sort", _SORTED)
    _machine.sort(arr)


if TYPE_CHECKING:

    @overload
    def unique(arr: array[N], *, nulls: Nulls = None) -> array[N]: ...
    @overload
    def unique(arr: NumPy[D], *, nulls: Nulls = None) -> NumPy[D]: ...
    @overload
    def unique(arr: Ints, *, nulls: Nulls = None) -> array[int]: ...
    @overload
    def unique(arr: Array, *, nulls: Nulls = None) -> Any: ...


@also_named("array")
def unique(arr: Array, *, nulls: str | int | float | None = None) -> Any:
    """The distinct elements in ascending order, ``sorted(set(arr))``: of equal ones the first, nans all and last.

    nulls: ``"skip"`` leaves them out, a number takes their place. A pandas Series has new labels.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.unique(array("i", [3, 1, 3, 2, 1]))
    array('i', [1, 2, 3])
    """
    buffer = taken(arr, nulls)
    return elements_of(arr, buffer, _machine.unique(_machine.plain_array(buffer)))


def elements_of(like: Any, buffer: Any, found: Any, labels: bool = False) -> Any:
    """Elements of a buffer that are as the machine has them: in its typecode, as the kind of array that ``like`` is."""
    code = _machine.buffer_info(buffer)[0]
    result = found if found.typecode == code else kernel.text_kernel("x").map(found, typecode=code)
    return given_as(like, result, labels)


def argsort(arr: Array, *, reverse: bool = False, nulls: str | int | float | None = None) -> Any:
    """The places of the elements in their order: ``array('q', sorted(range(len(arr)), key=arr.__getitem__))``.

    It is stable, and has nans at the end, as :func:`sort`; so it is with reverse, where the largest come first. nulls:
    ``"skip"`` leaves them out, so there are fewer places, which are those in arr; a number takes their place.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.argsort(array("d", [2.0, float("nan"), -1.0, 2.0]))
    array('q', [2, 0, 3, 1])
    >>> ao.argsort(b"cab", reverse=True)
    array('q', [0, 2, 1])
    """
    values = taken(arr, nulls)
    kept = _places((arr,)) if nulls == "skip" else None
    return given_as(arr, _machine.argsort(values, bool(reverse), kept), labels=False)


def _places(arrays: tuple[Any, ...]) -> array[int]:
    """The places of the rows that are left if those are skipped in which one of the arrays is null."""
    every = array("q", range(_machine.buffer_info(taken(arrays[0], 0))[2]))
    places: array[int] = taken_together((*arrays, every), "skip")[-1]
    return places


if TYPE_CHECKING:

    @overload
    def topk(arr: array[N], k: int, *, nulls: Nulls = None, nan: str | None = None) -> array[N]: ...
    @overload
    def topk(arr: NumPy[D], k: int, *, nulls: Nulls = None, nan: str | None = None) -> NumPy[D]: ...
    @overload
    def topk(arr: Ints, k: int, *, nulls: Nulls = None, nan: str | None = None) -> array[int]: ...
    @overload
    def topk(arr: Array, k: int, *, nulls: Nulls = None, nan: str | None = None) -> Any: ...


def topk(arr: Array, k: int, *, nulls: str | int | float | None = None, nan: str | None = None) -> Any:
    """The k largest elements, the largest first: ``heapq.nlargest(k, arr)``, in a new array.

    Of equal ones the first; nans come last, and are there if there are not enough numbers. nulls and nan are as in
    :func:`sum`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.topk(array("i", [3, 9, 4, 9, 1]), 3)
    array('i', [9, 9, 4])
    """
    buffer = taken(arr, nulls, nan)
    wanted = min(max(operator.index(k), 0), sys.maxsize)
    return elements_of(arr, buffer, _machine.largest(buffer, wanted))


def searchsorted(arr: Array, values: Any, side: str = "left", *, nulls: str | int | float | None = None) -> Any:
    """Where values belong in a sorted buffer: ``array('q', [bisect.bisect_left(arr, v) for v in values])``.

    values: an array, for which there is one of places, or a number, for which there is one place. side: ``"left"`` is
    before elements that equal the value, ``"right"`` behind them, ``bisect.bisect_right``. Ints and floats are compared
    as Python does, exactly; nothing is smaller than a nan, and nothing larger, so it belongs at 0 or at the end. nulls
    are as in :func:`sum`, in both arrays.

    >>> import arrayops as ao
    >>> from array import array
    >>> grades = array("i", [60, 70, 80, 90])
    >>> ao.searchsorted(grades, array("d", [33.5, 70.0, 99.0]), side="right")
    array('q', [0, 2, 4])
    >>> ao.searchsorted(grades, 70)
    1
    """
    if side not in ("left", "right"):
        raise ValueError(f"side must be 'left' or 'right', not {side!r}")
    buffer, values = taken(arr, nulls), plain(values)
    if not is_array(values):
        found = (bisect.bisect_left if side == "left" else bisect.bisect_right)(native(buffer), values)
        return found
    return given_as(values, _machine.search(buffer, taken(values, nulls), side == "right"))


@front
def first(arr: Array, pred: Function, /, *more: Any, default: Any = -1, ieee: bool = False, compile: bool = True,
          strict: bool = False, nulls: str | int | float | None = None, names: Any = None,
          **named: Any) -> Any:  # fmt: skip
    """The index of the first element for which pred is true: ``next((i for i, x in enumerate(arr) if pred(x)), -1)``.

    Elements behind it are not looked at, so they raise nothing. default: what there is if there is none. Parameters and
    exceptions are otherwise those of :func:`filter`; the index is that in arr, also if nulls are skipped.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.first(array("d", [0.5, 0.7, 2.5, 3.5]), "x > limit", limit=1)
    2
    >>> ao.first(b"key=value", lambda c: c == 61)
    3
    """
    named = kernel.with_names(pred, names, named, ieee)
    found = kernel.predicate(pred, named, ieee, compile, strict)
    at = kernel.count_true(found, kernel.FIRST, arr, *more, nulls=nulls, **named)
    if at < 0:
        return default
    if nulls == "skip":
        return _places(tuple(a for a in (arr, *more, *named.values()) if is_array(a)))[at]
    return at


@also_named("array", "start", "end")
def slice(arr: Array, start: int | None = None, stop: int | None = None, step: int | None = None) -> memoryview:
    """Part of a buffer without a copy: ``memoryview(arr)[start:stop:step]``, with the meaning of Python's slices.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("i", [1, 2, 3, 4])
    >>> ao.slice(a, 1, -1)[0] = 20
    >>> a
    array('i', [1, 20, 3, 4])
    """
    check_in_memory(arr, "slice", {"": "take [start:stop] of it"})
    _machine.buffer_info(arr)
    found: memoryview = sliceable(arr)[builtins.slice(start, stop, step)]
    return found


class ArrayIterator(itertools.chain[int | float]):
    """What :func:`array_iterator` gives: an iterator over numbers.

    >>> import arrayops as ao
    >>> isinstance(ao.array_iterator(b"ao"), ao.ArrayIterator)
    True
    """

    __slots__ = ()


@also_named("array")
def array_iterator(arr: Array, *, nulls: str | int | float | None = None) -> ArrayIterator:
    """An iterator over the elements of a buffer as Python numbers. nulls is as in :func:`unique`.

    >>> import arrayops as ao
    >>> from array import array
    >>> list(ao.array_iterator(array("h", [1, 2])))
    [1, 2]
    """
    return ArrayIterator(native(taken(arr, nulls)))
