"""Figures of buffers: gathered exactly in one pass over memory (vm/), joined exactly, and rounded once, here.

So results are right to the last bit, and do not depend on how the data was cut or merged. Sums of floats are ints in
units of 2**-1074, sums of their squares in units of 2**-2148.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .. import _machine
from ..compiler.machine import CONSTANTS, FLOAT_TYPECODES
from .common import plain
from .missing import check_nan

#: What _machine.moments is to gather; COUNT: nothing but the number of elements.
SUMS, SQUARES, EXTREMES, COUNT = (CONSTANTS[name] for name in ("SUMS", "SQUARES", "EXTREMES", "COUNT_ALONE"))
_UNIT = CONSTANTS["UNIT"]  # sums of floats are in units of 2**-_UNIT


class Gathered(NamedTuple):
    """What one pass over memory gathers; see _machine.moments."""

    count: int  # type: ignore[assignment]  # of the name of a tuple's method
    sum: int
    squares: int
    low: Any
    high: Any
    nans: int
    positive: int
    negative: int
    first_nan: bool = False  # the first element is a nan: known if extremes were gathered

    def without_nans(self) -> Gathered:
        """What would have been gathered without the nans: they are counted, and add nothing to the other figures."""
        return self._replace(count=self.count - self.nans, nans=0, first_nan=False)

    @property
    def special(self) -> float | None:
        """The sum of the infinities and nans; None if there are none."""
        if not (self.nans or self.positive or self.negative):
            return None
        return math.nan if self.nans or (self.positive and self.negative) else math.inf if self.positive else -math.inf


#: What is gathered of no elements.
NOTHING = Gathered(0, 0, 0, None, None, 0, 0, 0)


def gather(arr: Any, wanted: int, nan: str | None = None) -> Gathered:
    """One pass over a buffer.

    nan: "skip" leaves nans out, None does not.
    """
    check_nan(nan)
    g = together(_machine.moments(arr, wanted))
    return g if nan is None else g.without_nans()


def together(parts: list[Any]) -> Gathered:
    """What the threads of one pass gathered: the first of them has the extremes of all."""
    total = Gathered(*parts[0])
    for part in parts[1:]:
        total = joined(total, Gathered(*part))
    return total


def joined(a: Gathered, b: Gathered) -> Gathered:
    """What was gathered of two parts, as if of one."""
    lows = [x for x in (a.low, b.low) if x is not None]
    highs = [x for x in (a.high, b.high) if x is not None]
    return Gathered(a.count + b.count, a.sum + b.sum, a.squares + b.squares, min(lows, default=None),
                    max(highs, default=None), a.nans + b.nans, a.positive + b.positive,
                    a.negative + b.negative, a.first_nan or (not a.count and b.first_nan))  # fmt: skip


def as_floats(g: Gathered) -> Gathered:
    """Sums of ints in the units of sums of floats."""
    return g._replace(sum=g.sum << _UNIT, squares=g.squares << 2 * _UNIT)


def in_units(x: float) -> int:
    """A finite float in the units of sums."""
    numerator, denominator = x.as_integer_ratio()
    return (numerator << _UNIT) // denominator


def extremes(g: Gathered) -> tuple[Any, Any]:
    """What min() and max() return for what was gathered in order: a nan counts only if it is the first element."""
    return (math.nan, math.nan) if g.first_nan else (g.low, g.high)


def is_float(arr: Any) -> bool:
    """Whether the elements of a buffer are floats."""
    return _machine.buffer_info(arr)[0] in FLOAT_TYPECODES


def checked_ddof(ddof: Any) -> int:
    """What the divisor of a variance is less than the number of elements. Raises ValueError for what cannot be."""
    number = plain(ddof)
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"ddof must be an int from 0, not {number!r}")
    return number


def no_data(name: str, count: int, needed: int) -> Exception:
    """The StatisticsError of a function that needs more elements."""
    from statistics import StatisticsError

    few = "an empty buffer" if not count else f"{count} element{'s' * (count > 1)}"
    return StatisticsError(f"{name}() needs at least {needed} element{'s' * (needed > 1)}, not {few}")


def median(arr: Any) -> int | float:
    """The middle element of a buffer, or the mean of the two in the middle; nan if an element is nan."""
    count = _machine.buffer_info(arr)[2]
    if not count:
        raise no_data("median", 0, 1)
    half = count // 2
    found = _machine.select(arr, half, False) if count % 2 else _machine.select(arr, half - 1, True)
    if found is None:
        return math.nan
    middle: int | float = found[0] if count % 2 else (found[0] + found[1]) / 2
    return middle


# -- exact ratios, rounded once ----------------------------------------------------------------------------------------


def ratio(numerator: int, denominator: int) -> float:
    """The nearest double of a fraction; inf if it is too large."""
    try:
        return numerator / denominator  # Python's division of ints rounds once
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf


def root(numerator: int, denominator: int) -> float:
    """The nearest double of the square root of a fraction.

    An integer root of at least 55 bits, whose last bit is set if it is not exact, is rounded by the division: so the
    second rounding cannot see a tie that is none (rounding to odd, as in CPython's statistics module).
    """
    shift = max(0, (112 - numerator.bit_length() + denominator.bit_length()) // 2)
    scaled = numerator << 2 * shift
    whole = math.isqrt(scaled // denominator)
    return ratio(2 * whole + (whole * whole * denominator != scaled), 2 << shift)


def variance(g: Gathered, floats: bool, ddof: int) -> tuple[int, int]:
    """The variance as a fraction: (n * sum of squares - square of sum) / (n * (n - ddof))."""
    n = g.count
    return n * g.squares - g.sum * g.sum, n * (n - ddof) << (2 * _UNIT if floats else 0)


def rounded_sum(g: Gathered, floats: bool) -> int | float:
    """The sum: an int, or the nearest float (inf if it is too large), or what infinities and nans add up to."""
    special = g.special
    return special if special is not None else ratio(g.sum, 1 << _UNIT) if floats else g.sum


def fsum(g: Gathered, floats: bool) -> int | float:
    """The sum: an int, or what math.fsum gives or raises for the floats; only no sum on the way is too large."""
    special = g.special
    if special is not None:
        return math.fsum([math.nan] * bool(g.nans) + [math.inf] * bool(g.positive) + [-math.inf] * bool(g.negative))
    if not floats:
        return g.sum
    try:
        return g.sum / (1 << _UNIT)
    except OverflowError:
        raise OverflowError("intermediate overflow in fsum") from None


def product_sum(total: int, floats: bool) -> int | float:
    """A sum of products: an int, or of floats the nearest double."""
    return ratio(total, 1 << 2 * _UNIT) if floats else total
