"""Statistics of buffers, with the standard library as the definition of each. Rounded once: see engine/figures.py."""

from __future__ import annotations

import builtins
import itertools
import math
import operator
import sys
from array import array
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, NotRequired, TypedDict, overload

from . import _machine
from .engine import figures
from .engine.common import Later, also_named, front, native, plain
from .engine.exchange import given_as, is_array, taken, taken_together
from .engine.figures import (
    EXTREMES,
    NOTHING,
    SQUARES,
    SUMS,
    Gathered,
    checked_ddof,
    gather,
    in_units,
    is_float,
    joined,
    no_data,
    ratio,
    root,
    rounded_sum,
    variance,
)

if TYPE_CHECKING:
    from fractions import Fraction

    from .engine import notebook
    from .engine.kinds import Array
else:
    notebook = Later("engine.notebook")


def _variance(arr: Any, ddof: int, name: str, nan: str | None) -> tuple[int, int] | None:
    """The variance as a fraction, or None if an element is inf or nan."""
    ddof = checked_ddof(ddof)
    g = gather(arr, SUMS | SQUARES, nan)
    if g.count <= ddof:
        raise no_data(name, g.count, ddof + 1)
    return None if g.special is not None else variance(g, is_float(arr), ddof)


@front
@also_named("array")
def var(arr: Array, *, ddof: int = 0, nulls: str | int | float | None = None, nan: str | None = None) -> float:
    """The variance of a population, ``float(statistics.pvariance(arr))``; with ddof=1 of a sample, ``variance(arr)``.

    It is the exact variance, rounded once; nan if an element is inf or nan, inf if it is too large for a float. ddof is
    what the divisor is less than the number of elements; nulls and nan are as in :func:`sum`. Raises StatisticsError
    for not more than ddof elements.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.var(array("d", [1e9 + 1, 1e9 + 2, 1e9 + 3]), ddof=1)
    1.0
    """
    found = _variance(taken(arr, nulls), ddof, "var", nan)
    return math.nan if found is None else ratio(*found)


@front
@also_named("array")
def std(arr: Array, *, ddof: int = 0, nulls: str | int | float | None = None, nan: str | None = None) -> float:
    """The root of :func:`var`, rounded once: ``statistics.pstdev(arr)``; with ddof=1 ``stdev(arr)``.

    nulls and nan are as in :func:`sum`. Raises StatisticsError for not more than ddof elements.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.std(array("i", [1, 2, 3, 4]))
    1.118033988749895
    """
    found = _variance(taken(arr, nulls), ddof, "std", nan)
    return math.nan if found is None else root(*found)


# -- all in one pass --------------------------------------------------------------------------------------------------


class Stats(NamedTuple):
    """What :func:`stats` finds, a named tuple: count, sum, mean, min, max, var and std.

    var and std are those of the population. A notebook shows it as a table.

    >>> import arrayops as ao
    >>> ao.stats(b"ao").max
    111
    """

    count: int  # type: ignore[assignment]  # of the name of a tuple's method
    sum: int | float
    mean: float
    min: int | float
    max: int | float
    var: float
    std: float

    def _repr_html_(self) -> str:
        return notebook.shown(self, self._asdict().items)


def summary(g: Gathered, floats: bool) -> Stats:
    """The statistics of what was gathered: at least one element."""
    total = rounded_sum(g, floats)
    if g.special is not None:
        spread = (math.nan, math.nan)
    else:
        fraction = variance(g, floats, 0)
        spread = (ratio(*fraction), root(*fraction))
    low, high = g.low, g.high
    if floats:  # a zero without sign, because that would depend on the order
        low, high = (math.nan, math.nan) if g.nans else (low + 0.0, high + 0.0)
    return Stats(g.count, total, float(total) / g.count, low, high, *spread)


def stats(arr: Array, *, nulls: str | int | float | None = None, nan: str | None = None) -> Stats:
    """Count, sum, mean, min, max, variance and standard deviation, reading memory once: a named tuple.

    Each is what the function of its name gives, but for what makes the result independent of the order of elements: min
    and max are nan if an element is, and a zero among them is 0.0; infinities and numbers too large for a float add up
    to inf or nan and do not raise; the mean of ints is that of their exact sum. nulls and nan are as in :func:`sum`.
    Raises StatisticsError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.stats(array("i", [1, 2, 3, 4]))
    Stats(count=4, sum=10, mean=2.5, min=1, max=4, var=1.25, std=1.118033988749895)
    """
    arr = taken(arr, nulls)
    if nan is None and (found := _machine.summary(arr)) is not None:
        return tuple.__new__(Stats, found)  # a third of what Stats(*found) takes
    g = gather(arr, SUMS | SQUARES | EXTREMES, nan)
    if not g.count:
        raise no_data("stats", 0, 1)
    return summary(g, is_float(arr))


class _Seen(TypedDict):
    """What a RunningStats has seen up to now: never changed, but that once another may come after it."""

    gathered: Gathered
    floats: bool
    after: NotRequired[_Seen]


class RunningStats:
    """Statistics of data that comes in parts: buffers, or the RunningStats of other threads, processes and machines.

    They have the figures of :func:`stats` as attributes (count, sum, mean, min, max, var, std), and hold exact sums:
    the result is that of all elements together, bit for bit, however they were cut and in whichever order merged. They
    pickle, compare equal by content, and take a kilobyte whatever they have seen. Several threads and signal handlers
    may add to one, and nothing that is added is lost. There is no lock, which a fork could leave locked in the child
    (but CPython's own, of a dict, where 3.13 runs without the GIL).

    A pickle of figures that no elements can have is refused with ValueError; one that was changed to figures that some
    other elements have cannot be told from theirs.

    >>> import arrayops as ao
    >>> from array import array
    >>> r = ao.RunningStats()
    >>> r.update(array("d", [1.0, 2.0]))
    >>> other = ao.RunningStats(array("d", [6.0]))
    >>> r.merge(other)
    >>> r.count, r.mean, r.max
    (3, 3.0, 6.0)
    """

    __slots__ = ("_seen",)
    _VERSION = 1

    def __init__(self, arr: Array | None = None, *, nulls: str | int | float | None = None,
                 nan: str | None = None) -> None:  # fmt: skip
        self._seen: _Seen = {"gathered": NOTHING, "floats": False}
        if arr is not None:
            self.update(arr, nulls=nulls, nan=nan)

    def update(self, arr: Array, *, nulls: str | int | float | None = None, nan: str | None = None) -> None:
        """Adds the elements of a buffer. Raises TypeError for floats after ints or ints after floats.

        nulls and nan are as in :func:`sum`.
        """
        arr = taken(arr, nulls)
        found = gather(arr, SUMS | SQUARES | EXTREMES, nan)
        self._add(found._replace(first_nan=False), is_float(arr))  # which is first depends on the order

    def merge(self, other: RunningStats) -> None:
        """Adds what another one has seen. Raises TypeError for floats with ints."""
        if not isinstance(other, __class__):  # type: ignore[name-defined]  # also if the module is loaded again
            raise TypeError(f"merge() needs RunningStats, not {type(other).__name__}")
        seen = other._newest()
        self._add(seen["gathered"], seen["floats"])

    def _newest(self) -> _Seen:
        seen = self._seen
        while later := seen.get("after"):
            # Others may add faster than one goes from each to the next, so where they are now is looked up again.
            shown = self._seen
            seen = later if later["gathered"].count > shown["gathered"].count else shown
        return seen

    def _add(self, g: Gathered, floats: bool) -> None:
        while g.count:
            seen = self._newest()
            before = seen["gathered"]
            if before.count and floats != seen["floats"]:
                kinds = ("ints", "floats")
                raise TypeError(f"these are statistics of {kinds[not floats]}; {kinds[floats]} cannot be added to them")
            new: _Seen = {"gathered": joined(before, g) if before.count else g, "floats": floats}
            # dict.setdefault is atomic with the GIL and without: whoever comes second has to add to what came first.
            if seen.setdefault("after", new) is new:
                if self._seen["gathered"].count < new["gathered"].count:
                    self._seen = new  # at worst an older one than is there by now, from which _newest finds the way
                return

    def _needed(self, name: str) -> Stats:
        seen = self._newest()
        if not seen["gathered"].count:
            raise no_data(f"RunningStats.{name}", 0, 1)
        return summary(seen["gathered"], seen["floats"])

    def stats(self) -> Stats:
        """All figures at once, as :func:`arrayops.stats` has them. Raises StatisticsError if nothing was seen."""
        return self._needed("stats")

    @property
    def count(self) -> int:
        """Number of elements."""
        return self._newest()["gathered"].count

    @property
    def sum(self) -> int | float:
        """Sum: exact, or rounded once."""
        seen = self._newest()
        return rounded_sum(seen["gathered"], seen["floats"])

    @property
    def mean(self) -> float:
        """Arithmetic mean."""
        return self._needed("mean").mean

    @property
    def min(self) -> int | float:
        """Smallest element; nan if there is one."""
        return self._needed("min").min

    @property
    def max(self) -> int | float:
        """Largest element; nan if there is one."""
        return self._needed("max").max

    @property
    def var(self) -> float:
        """Variance of the population."""
        return self._needed("var").var

    @property
    def std(self) -> float:
        """Standard deviation of the population."""
        return self._needed("std").std

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, __class__):  # type: ignore[name-defined]
            return NotImplemented
        mine, others = self._newest(), other._newest()
        return (mine["gathered"], mine["floats"]) == (others["gathered"], others["floats"])

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<arrayops.RunningStats {self.stats()!r}>" if self.count else "<arrayops.RunningStats of nothing>"

    def _repr_html_(self) -> str:
        return notebook.shown(self, lambda: self.stats()._asdict().items() if self.count else [("count", 0)])

    def __reduce__(self) -> tuple[Any, ...]:
        seen = self._newest()
        return (_restored, (self._VERSION, seen["floats"], tuple(seen["gathered"]) if seen["gathered"].count else None))


def _restored(version: Any, floats: Any, found: Any) -> RunningStats:
    """From a pickle, which may come from anywhere: what cannot be right is a ValueError."""
    if version != RunningStats._VERSION:
        raise ValueError(
            f"this pickle of RunningStats is of version {version!r}; this arrayops reads {RunningStats._VERSION}"
        )
    result = RunningStats()
    if found is not None:
        try:
            g = Gathered(*found)
            good = type(floats) is bool and _is_possible(g, floats)
        except TypeError:
            good = False
        if not good:
            raise ValueError("this pickle of RunningStats is damaged: no elements have such figures")
        result._seen = {"gathered": g, "floats": floats}
    return result


def _is_possible(g: Gathered, floats: bool) -> bool:
    """Whether there can be such elements."""
    odd = (g.nans, g.positive, g.negative)
    if any(type(x) is not int for x in (g.count, g.sum, g.squares, *odd)) or g.first_nan is not False:
        return False
    finite = g.count - builtins.sum(odd)
    if g.count < 1 or min(finite, *odd) < 0 or (finite < g.count and not floats):
        return False
    if g.count == g.nans:
        return g.low is None and g.high is None and g.sum == g.squares == 0
    if any(type(x) not in ((float,) if floats else (int, bool)) for x in (g.low, g.high)) or not g.low <= g.high:
        return False
    return _floats_possible(g, finite) if floats else _moments_possible(finite, g.sum, g.squares, g.low, g.high, True)


def _floats_possible(g: Gathered, finite: int) -> bool:
    """Whether there can be such floats, which are not all nan: the extremes show the infinities that are counted."""
    lowest, highest = (-math.inf if g.negative else math.inf), (math.inf if g.positive else -math.inf)
    if not finite:
        return (g.low, g.high, g.sum, g.squares) == (lowest, highest, 0, 0)
    if (g.low == -math.inf, g.high == math.inf) != (g.negative > 0, g.positive > 0) or not g.low < math.inf > -g.high:
        return False
    largest = sys.float_info.max
    low, high = (in_units(min(max(x, -largest), largest)) for x in (g.low, g.high))
    return _moments_possible(finite, g.sum, g.squares, low, high, not (g.negative or g.positive))


def _moments_possible(n: int, total: int, squares: int, low: int, high: int, reached: bool) -> bool:
    """Whether n numbers from low to high can have this sum and sum of squares. reached: both are among them."""
    # The sums of (x - mean)**2 and of (x - low)*(high - x) are not negative.
    if squares < 0 or squares * n < total * total or (low + high) * total - squares - n * low * high < 0:
        return False
    if not reached:
        return True
    if n == 1:
        return low == high
    return _moments_possible(n - 2, total - low - high, squares - low * low - high * high, low, high, False)


# -- order ------------------------------------------------------------------------------------------------------------


@also_named("array")
def median(arr: Array, *, nulls: str | int | float | None = None, nan: str | None = None) -> int | float:
    """The median, ``statistics.median(arr)``: the middle element, or the mean of the two in the middle.

    nan if an element is nan, where statistics.median says nothing; nulls and nan are as in :func:`sum`. Raises
    StatisticsError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.median(array("i", [7, 1, 3])), ao.median(array("i", [7, 1, 3, 4]))
    (3, 3.5)
    """
    return figures.median(taken(arr, nulls, nan))


@overload
def quantile(arr: Array, q: float | Fraction, *, method: str = "inclusive", nulls: str | int | float | None = None,
             nan: str | None = None) -> int | float: ...  # fmt: skip
@overload
def quantile(arr: Array, q: Iterable[float | Fraction], *, method: str = "inclusive",
             nulls: str | int | float | None = None, nan: str | None = None) -> list[int | float]: ...  # fmt: skip
def quantile(arr: Array, q: float | Fraction | Iterable[float | Fraction], *, method: str = "inclusive",
             nulls: str | int | float | None = None, nan: str | None = None) -> Any:  # fmt: skip
    """The quantile of order q (0 to 1), or a list of them for several q.

    For q = i/n in lowest terms this is ``statistics.quantiles(arr, n=n, method=method)[i - 1]``: between two elements
    it is interpolated. ``"inclusive"`` takes the data for a population, whose smallest element is the quantile of order
    0 and whose largest that of order 1; ``"exclusive"`` takes it for a sample. A float q stands for the shortest
    decimal that it prints as, so 0.1 is a tenth. nan if an element is nan; nulls and nan are as in :func:`sum`. Raises
    StatisticsError if the buffer is empty, ValueError for q outside 0..1.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("d", [1, 2, 3, 4, 5])
    >>> ao.quantile(a, 0.25), ao.quantile(a, [0.1, 0.9])
    (2.0, [1.4, 4.6])
    """
    if method not in ("inclusive", "exclusive"):
        raise ValueError(f"method must be 'inclusive' or 'exclusive', not {method!r}")
    arr = taken(arr, nulls, nan)
    count = _machine.buffer_info(arr)[2]
    if not count:
        raise no_data("quantile", 0, 1)
    q = plain(q)
    if isinstance(q, (str, bytes)):
        raise TypeError(f"the order of a quantile is a number from 0 to 1, or several, not {type(q).__name__}")
    if isinstance(q, Iterable):
        return [_quantile(arr, count, plain(each), method) for each in q]
    return _quantile(arr, count, q, method)


def _quantile(arr: Any, count: int, q: Any, method: str) -> int | float:
    from fractions import Fraction

    if not 0 <= q <= 1 or (method == "exclusive" and q in (0, 1)):
        percent = f"; {q} % is {q / 100}" if 1 < q <= 100 else ""
        raise ValueError(
            f"the order of a quantile must be from 0 to 1 (of the exclusive method between them), not {q!r}{percent}"
        )
    order = Fraction(repr(q)) if isinstance(q, float) else Fraction(q)
    i, n = order.numerator, order.denominator
    if method == "inclusive":
        at, part = divmod(i * (count - 1), n)
    else:
        at = min(max(i * (count + 1) // n, 1), count - 1) - 1 if count > 1 else 0
        part = i * (count + 1) - (at + 1) * n if count > 1 else 0
    found = _machine.select(arr, at, at + 1 < count)
    if found is None:
        return math.nan
    low, high = found[0], found[-1]
    if count == 1:
        return low  # type: ignore[no-any-return]
    if n == 1:  # the smallest or the largest, also beside an infinity
        return low / 1  # type: ignore[no-any-return]
    return (low * (n - part) + high * part) / n  # type: ignore[no-any-return]


# -- counting ---------------------------------------------------------------------------------------------------------


def histogram(arr: Array, bins: Any = 10, range: tuple[float, float] | None = None, *,
              nulls: str | int | float | None = None, nan: str | None = None) -> tuple[Any, Any]:  # fmt: skip
    """How many elements are in each bin, and the edges of the bins: ``numpy.histogram(arr, bins, range)``.

    bins: how many equal ones, from the smallest to the largest element or over range; or their edges, one more than
    there are bins, which do not decrease. A bin has the elements from its lower edge up to, and without, its upper one,
    the last bin also that. What is outside, nans too, is in no bin; ``nan="skip"`` is for a range that is to be found.
    The counts are an array('q'), and exact: each element is compared with the edges that are given back, an array('d').
    nulls are as in :func:`sum`.

    Raises ValueError for no bins, edges that decrease or are nan, a range that is not finite or has its ends exchanged,
    and for more bins than there are doubles in the range.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.histogram(array("d", [0.5, 1.0, 2.5, 4.0]), 4, (0, 4))
    (array('q', [1, 1, 1, 1]), array('d', [0.0, 1.0, 2.0, 3.0, 4.0]))
    >>> ao.histogram(b"hello", [97, 105, 113, 121])[0]
    array('q', [2, 3, 0])
    """
    data = taken(arr, nulls, nan)
    edges, scale = edges_of(bins, range, lambda: _bounds(data))
    counts = _machine.histogram(data, edges, scale) if len(edges) > 1 else array("q")
    return given_as(arr, counts, labels=False), given_as(arr, edges, labels=False)


def edges_of(bins: Any, range: tuple[float, float] | None,
             find: Callable[[], tuple[float, float]]) -> tuple[array[float], float]:  # fmt: skip
    """The edges of a histogram, and bins for each unit, 0.0 if they are not equal. find: gives the extremes."""
    bins = plain(bins)
    if is_array(bins) or isinstance(bins, Iterable):
        return _given_edges(bins), 0.0
    return _equal_edges(bins, *_range_of(range, find))


def _given_edges(bins: Any) -> array[float]:
    if isinstance(bins, str):
        raise TypeError("bins must be a number of bins, or their edges: there are no rules by name here")
    edges = array("d", native(taken(bins)) if is_array(bins) else bins)
    if not all(a <= b for a, b in itertools.pairwise(edges)) or any(map(math.isnan, edges)):
        raise ValueError("bins must increase: an edge is smaller than the one before it, or is a nan")
    return edges


def _bounds(data: Any) -> tuple[float, float]:
    """The extremes of a buffer as doubles, outside of which there is none; nan if one of them is."""
    if not _machine.buffer_info(data)[2]:
        return 0.0, 1.0
    if is_float(data):
        low, high = _machine.bounds(data) or (math.nan, math.nan)
        return low + 0.0, high + 0.0  # no -0.0, which of two zeros is found depends on the processor
    return bounds_of(gather(data, EXTREMES))


def bounds_of(g: Gathered) -> tuple[float, float]:
    """The same of what was gathered."""
    if not g.count:
        return 0.0, 1.0
    if g.nans:
        return math.nan, math.nan
    low, high = float(g.low) + 0.0, float(g.high) + 0.0
    # so that an int that is no double is not outside
    return (math.nextafter(low, -math.inf) if low > g.low else low,
            math.nextafter(high, math.inf) if high < g.high else high)  # fmt: skip


def _end(value: Any) -> float:
    """An end of a range that is given; of a text float() would make a number, too."""
    value = plain(value)
    if not (hasattr(value, "__float__") or hasattr(value, "__index__")):
        raise TypeError(f"range must be two numbers, not {type(value).__name__}")
    return float(value)


def _range_of(wanted: tuple[float, float] | None, find: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """The first and the last edge, as NumPy finds them."""
    if wanted is None:
        low, high = find()
    else:
        low, high = map(_end, wanted)
        if low > high:
            raise ValueError(f"the range must begin with the smaller number, not ({low}, {high})")
    if not (math.isfinite(low) and math.isfinite(high)):
        if wanted is not None:
            raise ValueError(f"the range that is given is not finite: ({low}, {high})")
        remedy = "pass range=, or nan='skip' for nans"
        raise ValueError(f"the range that is to be found is not finite: ({low}, {high}); {remedy}")
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _equal_edges(bins: Any, low: float, high: float) -> tuple[array[float], float]:
    """Edges of equal bins, those of numpy.linspace, and bins for each unit."""
    try:
        number = operator.index(bins)
    except TypeError:
        raise TypeError(f"bins must be an int, or the edges, not {type(bins).__name__}") from None
    if number < 1:
        raise ValueError(f"there must be at least 1 bin, not {number}")
    width = high - low
    places = builtins.range(number)
    if width == math.inf:  # NumPy gives up
        step = (high / 2 - low / 2) / number
        edges, scale = array("d", [2 * (i * step + low / 2) for i in places]), 0.5 / step
    else:
        step, scale = width / number, number / width if width else 0.0
        edges = array("d", [i * step + low for i in places] if step else [i / number * width + low for i in places])
    edges.append(high)
    if not all(a < b for a, b in itertools.pairwise(edges)):
        raise ValueError(f"there are not enough doubles from {low} to {high} for {number} bins")
    return edges, scale


def bincount(keys: Any, weights: Any = None, minlength: int = 0, *,
             nulls: str | int | float | None = None) -> Any:  # fmt: skip
    """How many keys there are of each number from 0 to the largest: ``numpy.bincount(keys, weights, minlength)``.

    keys: ints that are not negative. weights: as many numbers, which are added up for each key instead: of ints the
    exact sums, an array('q'), of floats what math.fsum gives for them, an array('d'). minlength: how many numbers there
    are at least. nulls: ``"skip"`` leaves out rows with a null in one of them, a number takes the place of nulls.

    Raises TypeError for keys that are floats, ValueError for negative ones and for lengths that differ, OverflowError
    for a sum of ints that does not fit, and what math.fsum raises.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.bincount(array("B", [0, 2, 2]))
    array('q', [1, 0, 2])
    >>> ao.bincount(array("B", [1, 0, 1]), array("d", [1e16, 5.0, 1.5]))
    array('d', [5.0, 1.0000000000000002e+16])
    """
    least = operator.index(minlength)
    if least < 0:
        raise ValueError(f"minlength must not be negative, not {least}")
    values, *others = taken_together((keys,) if weights is None else (keys, weights), nulls)
    if is_float(values):
        raise TypeError("keys must be ints, not floats")
    g = gather(values, EXTREMES)
    if g.count and g.low < 0:
        raise ValueError(f"keys must not be negative: there is a {g.low}")
    number = builtins.max(int(g.high) + 1 if g.count else 0, least)
    if number > sys.maxsize // 8:
        raise MemoryError(f"counts of {number} keys")
    return given_as(keys, _machine.bincount(values, others[0] if others else None, number), labels=False)
