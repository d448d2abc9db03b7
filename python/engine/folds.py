"""Left folds: the machine takes them as far as the accumulator keeps its kind, and Python goes on from there."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .. import _machine
from ..compiler.machine import LIMITS
from ..compiler.terms import Param, number_param
from .arguments import unwrapped
from .common import different_lengths, held, native
from .functions import Meaning
from .plans import Carried, types_of

_TRIES = 4  # elements, and one for each item, given to Python while the accumulator's type settles (int, then float)


class Unsettled(Exception):
    """The accumulator of a fold changes its type more often than is tried."""


def is_carried(acc: Any) -> bool:
    """Whether the machine may have an accumulator: a number, or a tuple of numbers."""
    if type(acc) is tuple:
        return 0 < len(acc) <= LIMITS["MAX_ACCUMULATORS"] and all(type(v) in (int, float, bool) for v in acc)
    return type(acc) in (int, float, bool)


def items_of(acc: Any) -> int:
    """Of an accumulator that is a tuple; 0 for a number."""
    return len(acc) if type(acc) is tuple else 0


def _accumulators(acc: Any) -> tuple[Param, ...]:
    """The parameters that an accumulator is; of an int not below 0 an unsigned lane may do."""
    params = [(number_param(v), v >= 0) for v in (acc if type(acc) is tuple else (acc,))]
    return tuple(p._replace(lo=max(p.lo, 0)) if p.kind == "i" and positive else p for p, positive in params)


class Fold(NamedTuple):
    """A fold by what a kernel means, with what follows the accumulator and the element: numbers, tables and arrays."""

    meaning: Meaning
    numbers: tuple[Any, ...]

    @property
    def arrays(self) -> list[Any]:
        """The further arrays, whose elements go with those of the first."""
        return [a for a in self.numbers if not isinstance(a, (int, float, tuple))]

    @property
    def callable(self) -> Callable[[Any, Any], Any]:
        """The next accumulator, of one and an element, by Python: as directly as possible, for it may be for all."""
        python, captured = self.meaning.python, self.meaning.captured if self.meaning.sees_captured else ()
        more = unwrapped((*self.numbers, *captured))
        return (lambda acc, x: python(acc, x, *more)) if more else python

    def steps(self, arr: Any, start: int = 0) -> tuple[Callable[[Any, Any], Any], Iterator[Any]]:
        """What functools.reduce wants: with further arrays the items are rows, whose first is the element."""
        if not self.arrays:
            return self.callable, itertools.islice(native(arr), start, None)
        count = _machine.buffer_info(arr)[2]
        for other in (_machine.buffer_info(a)[2] for a in self.arrays):
            if other != count:
                raise different_lengths(count, other)
        captured = unwrapped(self.meaning.captured) if self.meaning.sees_captured else ()
        given = zip(self.numbers, unwrapped(self.numbers), strict=True)
        columns = [itertools.repeat(b) if isinstance(a, (int, float, tuple)) else native(a) for a, b in given]
        rows = zip(native(arr), *columns, strict=False)
        return lambda acc, row: self.meaning.python(acc, *row, *captured), itertools.islice(rows, start, None)

    def running(self, arr: Any, initial: Any) -> list[Any]:
        """All values of the accumulator, by Python."""
        step, items = self.steps(arr)
        if initial is None and self.arrays:
            first = next(items, None)
            if first is None:
                return []
            initial = first[0]
        return list(itertools.accumulate(items, step, initial=initial))

    def run(self, arr: Any, acc: Any, start: int, out: Any = None, stored: int = 0) -> Any:
        """The accumulator after elements start.. of arr; with out, each of its values there, or their items ``stored``.

        Raises Unsettled if out is given and the accumulator's type does not settle.
        """
        plans, count = self.meaning.plans, _machine.buffer_info(arr)[2]
        wanted = None if out is None else _machine.buffer_info(out)[0]
        items = items_of(acc)
        for _ in range(_TRIES + items):
            if start >= count:
                return acc
            if plans is None or not is_carried(acc) or items_of(acc) != items:
                break
            args = (acc, arr, *self.numbers, *self.meaning.captured)
            types = (*_accumulators(acc), *types_of(args[1:]))
            plan = plans.get("fold", types, wanted, Carried(items, stored))
            if plan.program is not None:
                visible = self.meaning.visible(2 + len(self.numbers))
                return _machine.run_fold(plan.program, args, self.meaning.python, visible, 0, start, out, stored)
            step, rows = self.steps(arr, start)
            acc = step(acc, next(rows))
            if out is not None:
                if not is_carried(acc) or items_of(acc) != items:
                    raise Unsettled
                try:
                    out[start] = acc[stored] if items else acc
                except ValueError:  # a memoryview's, of what does not fit
                    raise Unsettled from None
            start += 1
        if out is not None and start < count:
            raise Unsettled
        with held(arr, *self.arrays):
            return functools.reduce(*self.steps(arr, start), acc)
