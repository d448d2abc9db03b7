"""Reductions: a buffer to one number, or to a running one, with the builtins and math as the definition of each.

As in expressions.py, names shadow builtins on purpose, and kernels are imported at their first use.
"""

from __future__ import annotations

import builtins
import math
from array import array

from . import _machine
from .compiler.machine import EXACT_FLOAT, TYPE_SIZES
from .engine.common import Later, also_named, different_lengths, front, held, native, steadily
from .engine.exchange import taken, taken_together
from .engine.missing import check_nan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

    from .engine import figures, kernel
    from .engine.kernel import Function
    from .engine.kinds import Array, D, FloatCode, IntCode, Ints, N, Nulls, NumPy, Plain
else:
    figures, kernel = Later("engine.figures"), Later("engine.kernel")

_LARGE = 1e308  # no sum of floats whose sizes add up to less is too large on the way


@front
@also_named("array", "fn")
def reduce(arr: Array, f: Function, /, initial: Any = None, *, ieee: bool = False, compile: bool = True,
           strict: bool = False, nulls: str | int | float | None = None, names: Any = None,
           **named: Any) -> Any:  # fmt: skip
    """The left fold of a buffer: ``functools.reduce(f, arr, initial)``.

    f is a callable or Kernel of (accumulator, element), or an expression of ``acc``, ``x`` and named numbers, by
    keyword or from the mapping names. initial: None is none; a tuple of numbers if the accumulator is one, whose items
    an expression calls ``acc[0]``, ``acc[1]``. Raises what functools.reduce raises: TypeError for an
    empty buffer without initial. nulls: ``"skip"`` leaves them out, a number takes their place. strict is as in
    :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.reduce(array("B", b"arrayops"), "(acc*31 + x) & mask", 7, mask=0xFFFFFFFF)
    3234822848
    >>> ao.reduce(array("d", [3.0, 1.0]), "acc[0] + x, max(acc[1], x)", (0.0, 0.0))
    (4.0, 3.0)
    """
    found, named = kernel.fold_kernel(f, names, named, initial, ieee, compile, strict)
    return found.reduce(arr, initial, nulls=nulls, **named)


if TYPE_CHECKING:

    @overload
    def accumulate(arr: array[N], f: Function = "acc + x", /, *, initial: Any = None,
                   typecode: None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
                   nulls: Nulls = None, names: Any = None, **named: Any) -> array[N]: ...  # fmt: skip
    @overload
    def accumulate(arr: NumPy[D], f: Function = "acc + x", /, *, initial: Any = None,
                   typecode: None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
                   nulls: Nulls = None, names: Any = None, **named: Any) -> NumPy[D]: ...  # fmt: skip
    @overload
    def accumulate(arr: Ints, f: Function = "acc + x", /, *, initial: Any = None,
                   typecode: None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
                   nulls: Nulls = None, names: Any = None, **named: Any) -> array[int]: ...  # fmt: skip
    @overload
    def accumulate(arr: Plain, f: Function = "acc + x", /, *, initial: Any = None,
                   typecode: FloatCode, ieee: bool = False, compile: bool = True, strict: bool = False,
                   nulls: Nulls = None, names: Any = None, **named: Any) -> array[float]: ...  # fmt: skip
    @overload
    def accumulate(arr: Plain, f: Function = "acc + x", /, *, initial: Any = None,
                   typecode: IntCode, ieee: bool = False, compile: bool = True, strict: bool = False,
                   nulls: Nulls = None, names: Any = None, **named: Any) -> array[int]: ...  # fmt: skip
    @overload
    def accumulate(arr: Array, f: Function = "acc + x", /, *, initial: Any = None,
                   typecode: str | tuple[str, ...] | None = None, ieee: bool = False, compile: bool = True,
                   strict: bool = False, nulls: Nulls = None, names: Any = None, **named: Any) -> Any: ...  # fmt: skip


@front
def accumulate(arr: Array, f: Function = "acc + x", /, *, initial: Any = None,
               typecode: str | tuple[str, ...] | None = None, ieee: bool = False, compile: bool = True,
               strict: bool = False, nulls: str | int | float | None = None, names: Any = None,
               **named: Any) -> Any:  # fmt: skip
    """The running fold: ``array(arr.typecode, itertools.accumulate(arr, f, initial=initial))``.

    f is a callable or Kernel of (accumulator, element), or an expression of ``acc``, ``x`` and named numbers; by
    default the running sum. With initial the result has one element more. The accumulator may be a tuple of numbers,
    as in :func:`reduce`: then the result is of its first items, or with a tuple of typecodes a tuple of arrays.
    Exceptions are those of :func:`map`; nulls and names are as in :func:`reduce`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.accumulate(array("d", [3.0, 1.0, 4.0]), "x if x > acc else acc")
    array('d', [3.0, 3.0, 4.0])
    """
    found, named = kernel.fold_kernel(f, names, named, initial, ieee, compile, strict)
    return found.accumulate(arr, initial, typecode, nulls=nulls, **named)


# -- sums -------------------------------------------------------------------------------------------------------------


@front
@also_named("array")
def sum(arr: Array, /, *, nulls: str | int | float | None = None, nan: str | None = None) -> int | float:
    """The sum of a buffer: an exact int, or for floats the correctly rounded sum, equal to ``math.fsum(arr)``.

    nulls: ``"skip"`` leaves them out, a number takes their place; by default they are a ValueError. nan: ``"skip"``
    leaves nans out. Raises what math.fsum raises: OverflowError for an intermediate overflow, ValueError for inf and
    -inf together.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.sum(array("d", [0.1] * 10))
    1.0
    """
    if nan is not None:
        return _without_nans(arr, nulls, nan)[0]
    if (buffer := taken(arr, nulls)) is not arr or nulls is not None:
        return sum(buffer)
    elements = native(arr)
    with held(arr):
        return math.fsum(steadily(elements))  # reached where only fsum itself can say: front.c does the others


def _without_nans(arr: Any, nulls: Any, nan: str | None) -> tuple[int | float, int]:
    """The sum of the elements that are no nan, and their number."""
    buffer = taken(arr, nulls)
    g = figures.gather(buffer, figures.SUMS | figures.EXTREMES, nan)
    floats = figures.is_float(buffer)
    if floats and g.count and not builtins.max(-g.low, g.high) * g.count < _LARGE:
        return sum(taken(buffer, None, nan)), g.count  # only fsum knows whether a sum on the way is too large
    return figures.fsum(g, floats), g.count


@front
@also_named("array")
def mean(arr: Array, *, nulls: str | int | float | None = None, nan: str | None = None) -> float:
    """The arithmetic mean of a buffer, equal to ``statistics.fmean(arr)``.

    nulls and nan are as in :func:`sum`. Raises statistics.StatisticsError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.mean(array("i", [1, 2, 4]))
    2.3333333333333335
    """
    arr = taken(arr, nulls)
    total, count = (0, _machine.buffer_info(arr)[2]) if nan is None else _without_nans(arr, None, nan)
    if not count:
        import statistics

        return statistics.fmean(())
    total = sum(arr) if nan is None else total
    if isinstance(total, int) and not are_doubles(arr):
        with held(arr):
            total = math.fsum(steadily(native(arr)))  # fmean rounds each int to a float first
    return float(total) / count  # as fmean: two roundings


def are_doubles(ints: Any) -> bool:
    """Whether every int of a buffer is a double."""
    _, kind, number, _ = _machine.buffer_info(ints)
    if TYPE_SIZES[kind] < 8 or not number:
        return True
    return builtins.max(abs(min(ints)), abs(max(ints))) <= EXACT_FLOAT


# -- extremes ---------------------------------------------------------------------------------------------------------


@front
@also_named("array")
def min(arr: Array, /, *, nulls: str | int | float | None = None, nan: str | None = None) -> int | float:
    """The smallest element of a buffer, as ``min(arr)`` finds it: the first of equals, and a nan only if it is first.

    nulls and nan are as in :func:`sum`. Raises ValueError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.min(array("d", [2.5, -1.0]))
    -1.0
    """
    if nan is not None:
        found = _extremes(arr, nulls, nan)
        return builtins.min(found or ())
    if (buffer := taken(arr, nulls)) is not arr or nulls is not None:
        return min(buffer)
    result: int | float = builtins.min(native(arr))  # reached if arr is empty: front.c does the others
    return result


@front
@also_named("array")
def max(arr: Array, /, *, nulls: str | int | float | None = None, nan: str | None = None) -> int | float:
    """The largest element of a buffer, as ``max(arr)`` finds it: the first of equals, and a nan only if it is first.

    nulls and nan are as in :func:`sum`. Raises ValueError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.max(array("d", [2.5, -1.0]))
    2.5
    """
    if nan is not None:
        found = _extremes(arr, nulls, nan)
        return builtins.max(found or ())
    if (buffer := taken(arr, nulls)) is not arr or nulls is not None:
        return max(buffer)
    result: int | float = builtins.max(native(arr))
    return result


@front
def minmax(arr: Array, *, nulls: str | int | float | None = None,
           nan: str | None = None) -> tuple[int | float, int | float]:  # fmt: skip
    """The smallest and the largest element, ``(min(arr), max(arr))``, reading memory once.

    nulls and nan are as in :func:`sum`. Raises ValueError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.minmax(array("h", [3, -1, 2]))
    (-1, 3)
    """
    found = _extremes(arr, nulls, nan)
    if found is None:
        raise ValueError("minmax() of an empty buffer")
    return found


def _extremes(arr: Any, nulls: Any, nan: str | None) -> tuple[int | float, int | float] | None:
    """The smallest and the largest element; None if there are none."""
    g = figures.gather(taken(arr, nulls), figures.EXTREMES, nan)
    return None if g.low is None and not g.first_nan else figures.extremes(g)


def _index(arr: Any, largest: bool, name: str, nulls: Any) -> int:
    values = taken(arr, nulls)
    found = _machine.arg_extreme(values, largest)
    if found is None:
        raise ValueError(f"{name}() of an empty buffer")
    if nulls == "skip" and (count := len(taken(arr, 0))) != len(values):
        found = taken_together((arr, array("q", range(count))), "skip")[1][found]
    return found


def argmin(arr: Array, *, nulls: str | int | float | None = None) -> int:
    """The index of the element that :func:`min` returns: ``min(range(len(arr)), key=arr.__getitem__)``.

    nulls is as in :func:`sum`: the index is that in arr, also if nulls are skipped. Raises ValueError if the buffer is
    empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.argmin(array("d", [2.0, -1.0, -1.0]))
    1
    """
    return _index(arr, False, "argmin", nulls)


def argmax(arr: Array, *, nulls: str | int | float | None = None) -> int:
    """The index of the element that :func:`max` returns: ``max(range(len(arr)), key=arr.__getitem__)``.

    nulls is as in :func:`argmin`. Raises ValueError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.argmax(array("d", [2.0, 5.0, 5.0]))
    1
    """
    return _index(arr, True, "argmax", nulls)


# -- truth ------------------------------------------------------------------------------------------------------------


def _counted(what: int, args: tuple[Any, ...], pred: Function | None, ieee: bool, compile: bool,
             strict: bool, nulls: Any, names: Any, named: dict[str, Any]) -> int:  # fmt: skip
    pred = "x" if pred is None else pred
    named = kernel.with_names(pred, names, named, ieee)
    return kernel.count_true(kernel.predicate(pred, named, ieee, compile, strict), what, *args, nulls=nulls, **named)


@front
def any(arr: Array, pred: Function | None = None, /, *more: Any, ieee: bool = False, compile: bool = True,
        strict: bool = False, nulls: str | int | float | None = None, names: Any = None,
        **named: Any) -> bool:  # fmt: skip
    """Whether pred is true for an element: ``any(pred(x) for x in arr)``; without pred, whether an element is not zero.

    Elements behind the first one that decides are not looked at, so they raise nothing. Parameters and exceptions are
    otherwise those of :func:`filter`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.any(array("i", [1, 2, 0]), "10 // x == 5")
    True
    """
    return bool(_counted(kernel.ANY, (arr, *more), pred, ieee, compile, strict, nulls, names, named))


@front
def all(arr: Array, pred: Function | None = None, /, *more: Any, ieee: bool = False, compile: bool = True,
        strict: bool = False, nulls: str | int | float | None = None, names: Any = None,
        **named: Any) -> bool:  # fmt: skip
    """Whether pred is true for every element: ``all(pred(x) for x in arr)``; without pred, whether none is zero.

    Elements behind the first one that decides are not looked at, so they raise nothing. Parameters and exceptions are
    otherwise those of :func:`filter`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.all(array("d", [0.5, 0.7]), "0 < x < limit", limit=0.6)
    False
    """
    return bool(_counted(kernel.ALL, (arr, *more), pred, ieee, compile, strict, nulls, names, named))


@front
def count(arr: Array, pred: Function | None = None, /, *more: Any, ieee: bool = False, compile: bool = True,
          strict: bool = False, nulls: str | int | float | None = None, names: Any = None,
          **named: Any) -> int:  # fmt: skip
    """For how many elements pred is true: ``sum(1 for x in arr if pred(x))``; without pred, how many are not zero.

    Parameters and exceptions are those of :func:`filter`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.count(array("i", [1, 2, 3, 4]), "x % 2 == 0")
    2
    """
    return _counted(kernel.COUNT, (arr, *more), pred, ieee, compile, strict, nulls, names, named)


# -- products ---------------------------------------------------------------------------------------------------------


@front
def dot(a: Array, b: Array, *, nulls: str | int | float | None = None) -> int | float:
    """The sum of the products of two buffers of one length: exact for ints, else the exact sum, rounded once.

    This is what ``math.sumprod`` of Python 3.12 comes close to. inf or nan among the products give what they add up to;
    a sum too large for a float is inf. nulls: ``"skip"`` leaves out rows with a null in one of them, a number takes the
    place of nulls. Raises ValueError for lengths that differ.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.dot(array("d", [1e20, 1.0, -1e20]), array("d", [1.0, 0.5, 1.0]))
    0.5
    """
    a, b = taken_together((a, b), nulls)
    floats = figures.is_float(a), figures.is_float(b)
    if floats[0] != floats[1]:
        lengths = [_machine.buffer_info(x)[2] for x in (a, b)]
        if lengths[0] != lengths[1]:
            raise different_lengths(*lengths)
        ints = b if floats[0] else a
        if not are_doubles(ints):
            return _dot_by_python(a, b)
        doubles = kernel.text_kernel("x")
        a, b = (x if f else doubles.map(x, typecode="d") for x, f in zip((a, b), floats, strict=True))
    total, special = _machine.dot(a, b)
    if special:
        return float(special)
    return figures.product_sum(total, builtins.any(floats))


def _dot_by_python(a: Any, b: Any) -> float:
    """For ints that are no doubles beside floats: rare."""
    from fractions import Fraction

    with held(a, b):
        pairs = list(zip(steadily(native(a)), native(b), strict=True))
    odd = [x * y for x, y in pairs if not (math.isfinite(x) and math.isfinite(y))]
    if odd:
        return math.fsum(odd) if len({x for x in odd if x == x}) < 2 else math.nan
    total = builtins.sum((Fraction(x) * Fraction(y) for x, y in pairs), Fraction(0))
    return figures.ratio(total.numerator, total.denominator)


def prod(arr: Array, /, *, nulls: str | int | float | None = None, nan: str | None = None) -> int | float:
    """The product of a buffer, ``math.prod(arr)``: an exact int, or of floats multiplied from left to right.

    1 if the buffer is empty. nulls and nan are as in :func:`sum`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.prod(array("q", [2**40, 2**40]))
    1208925819614629174706176
    """
    arr = taken(arr, nulls)
    check_nan(nan)
    if not figures.is_float(arr):
        with held(arr):
            product: int = math.prod(steadily(native(arr), 1 << 10))  # each may take 50 us, of a product of 4 Mibit
        return product
    if nan is None:
        return reduce(arr, "acc * x", 1)  # type: ignore[no-any-return]
    rest: float = reduce(arr, "acc * (x if x == x else 1.0)", 1.0)
    return rest if rest != 1 or any(arr, "x == x") else 1
