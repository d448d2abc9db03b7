"""One pass of a program over its arrays, and what its values add up to: for pipelines and reductions in expressions.

Where the machine cannot hold a value, or cannot be asked, Python's values are added to the rest, exactly.
"""

from __future__ import annotations

import itertools
import operator
from array import array
from collections.abc import Generator, Iterable, Iterator
from typing import Any, Protocol, TypeAlias

from .. import _machine
from .common import different_lengths, held, is_buffer, native
from .figures import EXTREMES, NOTHING, SQUARES, SUMS, Gathered, as_floats, gather, is_float, joined, together
from .plans import Plan

#: What values give, and whether they are floats: None if there are none.
Found: TypeAlias = "tuple[Gathered, bool | None]"
NO_VALUES: Found = (NOTHING, None)


class Pass(Protocol):
    """What goes over its data by the machine, or if that cannot (None), element by element."""

    def run(self, part: Any, wanted: str | None, what: int) -> tuple[Any, Plan] | None:
        """What _machine.run_pipe gives."""

    def elements(self, part: Any) -> Iterator[Any]:
        """The values by Python, one by one."""


def iterated(values: Any) -> Iterable[Any]:
    """The values of a chunk as Python numbers."""
    return values if isinstance(values, list) else native(values)


def rows_of(args: tuple[Any, ...]) -> Generator[tuple[Any, ...], None, None]:
    """The elements of arrays that go together, with the numbers among the arguments beside each."""
    arrays = [a for a in args if not isinstance(a, (int, float, tuple))]
    with held(*arrays, *(a[0] for a in args if isinstance(a, tuple) and is_buffer(a[0]))):
        first, *others = (_machine.buffer_info(a)[2] for a in arrays)
        for other in others:
            if other != first:
                raise different_lengths(first, other)
        repeated = [isinstance(a, (int, float)) for a in args]
        columns = [
            itertools.repeat(a if number else a[0], first) if number or isinstance(a, tuple) else native(a)
            for a, number in zip(args, repeated, strict=True)
        ]
        yield from zip(*columns, strict=True)


def gathered(last: Pass | None, parts: Iterable[Any], wanted: int) -> Found:
    """What all values give."""
    total = NO_VALUES
    for part in parts:
        for found in _gathered_part(last, part, wanted):
            total = both(total, found)
    return total


def both(a: Found, b: Found) -> Found:
    """What the values of two parts give, the first before the second."""
    if a is NO_VALUES:
        return b
    (total, floats), (found, of_floats) = a, b
    if found.count and total.count and of_floats != floats:
        total, found = (g if f else as_floats(g) for g, f in (a, b))
        of_floats = True
    return joined(total, found), of_floats if found.count or floats is None else floats


def _gathered_part(last: Pass | None, part: Any, wanted: int) -> Iterator[tuple[Gathered, bool]]:
    """What the values of one buffer or chunk give: of floats and of ints, if there are both."""
    if last is not None and not isinstance(part, list):
        found = last.run(part, None, wanted)
        if found is not None:
            (parts, large), plan = found
            g = together(parts)
            if plan.kind == "b" and g.low is not None:
                g = g._replace(low=bool(g.low), high=bool(g.high))
            yield g, plan.kind == "f"
            yield from _of_numbers(large)
            return
    if last is None and not isinstance(part, list):
        yield gather(part, wanted), is_float(part)
        return
    yield from _of_numbers(iterated(part) if last is None else last.elements(part))


def _of_numbers(values: Iterable[Any]) -> Iterator[tuple[Gathered, bool]]:
    """What Python numbers of any size and kind give, in runs of one kind."""
    for kind, run in itertools.groupby(values, type):
        numbers = list(run)
        if issubclass(kind, float):
            yield gather(array("d", numbers), SUMS | SQUARES | EXTREMES), True
            continue
        if not issubclass(kind, int):
            raise TypeError(f"a pipeline's values must be numbers to be added up, not {kind.__name__}")
        yield Gathered(len(numbers), sum(numbers), sum(map(operator.mul, numbers, numbers)), min(numbers),
                       max(numbers), 0, 0, 0), False  # fmt: skip
