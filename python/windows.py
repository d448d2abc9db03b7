"""Windows that move over an array or a stream: what is in each, exactly, as a new array."""

from __future__ import annotations

import operator
from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import _machine
from .engine.common import Later
from .engine.exchange import given_as, is_array, pieces, taken
from .engine.figures import checked_ddof, no_data
from .engine.missing import check_nulls
from .order import elements_of

if TYPE_CHECKING:
    from .engine import notebook
    from .engine.kinds import Array
else:
    notebook = Later("engine.notebook")


class Rolling:
    """Windows of n neighbours over a source: made by :func:`arrayops.rolling`. Each method gives a new array.

    There is one result for each window, at the place of its last element: n - 1 fewer than there are elements, or as
    many with partial windows. Whatever has left a window leaves no trace: each result is that of its elements alone.
    An array's results are of its kind, as for :func:`arrayops.map`; a stream's are in one array.array.

    >>> import arrayops as ao
    >>> from array import array
    >>> r = ao.rolling(array("d", [1e16, 1.0, 2.0, 3.0, 4.0]), 3)
    >>> r.sum(), r.median()
    (array('d', [1.0000000000000004e+16, 6.0, 9.0]), array('d', [2.0, 2.0, 3.0]))
    >>> r
    <arrayops.Rolling of 3 elements over array>
    """

    __slots__ = ("_n", "_nulls", "_partial", "_source")

    def __init__(self, source: Any, n: int, partial: bool, nulls: str | int | float | None) -> None:
        self._source, self._n, self._partial, self._nulls = source, n, partial, nulls

    def __repr__(self) -> str:
        how = ", partial ones too," if self._partial else ""
        return f"<arrayops.Rolling of {self._n} elements{how} over {type(self._source).__name__}>"

    def _repr_html_(self) -> str:
        return notebook.shown(self, self._rows)

    def _rows(self) -> Iterator[tuple[str, object]]:
        yield "window", f"{self._n} elements{', partial ones too' if self._partial else ''}"
        yield from notebook.source_rows(self._source, type(self._source).__name__)

    def sum(self) -> Any:
        """The sums: of ints exact, in an array('q') (of 'Q' in one of that), of floats rounded once, in an array('d').

        Infinities and nans add up to inf or nan, a sum too large for a float is inf. Raises OverflowError for a sum of
        ints that does not fit 64 bits.
        """
        return self._run("sum")

    def mean(self) -> Any:
        """The arithmetic means, in an array('d'): the sum, rounded to a float, by the number of elements."""
        return self._run("mean")

    def min(self) -> Any:
        """The smallest elements, as :func:`arrayops.min` finds them: the first of equals, and a nan only if it is
        first. The work does not depend on n."""
        return self._run("min")

    def max(self) -> Any:
        """The largest elements, as :meth:`min` the smallest."""
        return self._run("max")

    def var(self, *, ddof: int = 0) -> Any:
        """The variances, in an array('d'): each as :func:`arrayops.var` has it, the exact one rounded once.

        nan for windows with a nan or an infinity, and partial ones of not more than ddof elements. Raises
        StatisticsError if n is not larger than ddof.
        """
        return self._run("var", ddof)

    def std(self, *, ddof: int = 0) -> Any:
        """The roots of the variances, rounded once: see :meth:`var`."""
        return self._run("std", ddof)

    def median(self) -> Any:
        """The medians, in an array('d'), as :func:`arrayops.median` has them: nan for windows with a nan."""
        return self._run("median")

    def _run(self, what: str, ddof: int = 0) -> Any:
        ddof = checked_ddof(ddof)
        if self._n <= ddof:
            raise no_data(f"rolling().{what}", self._n, ddof + 1)
        if not is_array(self._source):
            return self._of_stream(what, ddof)
        buffer = taken(self._source, self._nulls)
        n = min(self._n, _machine.buffer_info(buffer)[2] + 1)
        found = _machine.rolling(buffer, n, self._partial, what, ddof)
        if what in ("min", "max"):
            return elements_of(self._source, buffer, found, labels=True)
        return given_as(self._source, found)

    def _of_stream(self, what: str, ddof: int) -> Any:
        """The windows of each buffer together with the last n - 1 elements before it."""
        result: array[Any] | None = None
        before: array[Any] | None = None
        first: Any = None
        for buffer, part in self._buffers():
            first = buffer if first is None else first
            joined = part if before is None else before + part
            begun = 0 if before is None else len(before)
            partial = self._partial and begun < self._n - 1
            found = _machine.rolling(joined, self._n, partial, what, ddof)
            found = found[begun:] if partial else found
            if result is None:
                result = found
            else:
                result.extend(found)
            before = joined[max(len(joined) - self._n + 1, 0) :]
        if result is None:
            return array("d")
        return elements_of(None, first, result) if what in ("min", "max") else result

    def _buffers(self) -> Iterator[tuple[Any, array[Any]]]:
        """The stream's buffers, and each as the machine has its elements. They must have one typecode."""
        first = None
        for index, part in enumerate(pieces(self._source, self._nulls)):
            code = _machine.buffer_info(part)[0]
            if first is not None and code != first:
                raise TypeError(f"buffer {index} of the stream has typecode {code!r}, those before it have {first!r}")
            first = code
            yield part, _machine.plain_array(part)


def rolling(src: Array | Iterable[Array], n: int, *, partial: bool = False,
            nulls: str | int | float | None = None) -> Rolling:  # fmt: skip
    """Windows of n neighbouring elements of a buffer, or of an iterable of buffers (a stream), to be asked for figures.

    partial: also the first windows, of 1 to n - 1 elements, so that there are as many results as elements; by default
    there are none of a source that is shorter than n. nulls: ``"skip"`` leaves them out, a number takes their place; by
    default they are a ValueError. Raises ValueError for n below 1 or not below 2**31.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("i", [3, 1, 4, 1, 5])
    >>> ao.rolling(a, 2).mean()
    array('d', [2.0, 2.5, 2.5, 3.0])
    >>> ao.rolling(a, 3, partial=True).max()
    array('i', [3, 3, 4, 4, 5])
    >>> ao.rolling([a[:2], a[2:]], 3).sum()
    array('q', [8, 6, 10])
    """
    number = operator.index(n)
    if number < 1:
        raise ValueError(f"a window must have at least 1 element, not {number}")
    if not is_array(src) and not isinstance(src, Iterable):
        raise TypeError(f"rolling() needs a buffer or an iterable of buffers, not {type(src).__name__}")
    check_nulls(nulls, "skip")
    return Rolling(src, number, bool(partial), nulls)
