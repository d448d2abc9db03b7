"""Left folds: the machine takes them as far as the accumulator keeps its kind, and Python goes on from there."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .. import _machine
from ..compiler.terms import Param
from .arguments import unwrapped
from .common import different_lengths, held, native
from .functions import Meaning
from .plans import types_of

_TRIES = 4  # elements given to Python while the accumulator's type settles (int, then float)


class Unsettled(Exception):
    """The accumulator of a fold changes its type more often than is tried."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A fold by what a kernel means, with what follows the accumulator and the element: numbers, tables and arrays."""

    meaning: Meaning
    numbers: tuple[Any, ...]

    @property
    def arrays(self) -> list[Any]:
        """The further arrays, whose elements go with those of the first."""
        return [a for a in self.numbers if not isinstance(a, (int, float, tuple))]

    def step(self, acc: Any, x: Any) -> Any:
        """The next accumulator, by Python."""
        captured = self.meaning.captured if self.meaning.sees_captured else ()
        return self.meaning.python(acc, x, *unwrapped((*self.numbers, *captured)))

    @property
    def callable(self) -> Callable[[Any, Any], Any]:
        """``step``, as directly as possible."""
        return self.step if self.numbers or self.meaning.sees_captured else self.meaning.python

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

    def run(self, arr: Any, acc: Any, start: int, out: Any = None) -> Any:
        """The accumulator after elements start.. of arr; with out, each of its values there.

        Raises Unsettled if out is given and the accumulator's type does not settle.
        """
        plans, count = self.meaning.plans, _machine.buffer_info(arr)[2]
        wanted = None if out is None else _machine.buffer_info(out)[0]
        for _ in range(_TRIES):
            if start >= count:
                return acc
            if plans is None or type(acc) not in (int, float, bool):
                break
            args = (acc, arr, *self.numbers, *self.meaning.captured)
            types = types_of(args)
            if isinstance(acc, int) and acc >= 0 and isinstance(types[0], Param):  # so an unsigned lane may do
                types = (replace(types[0], lo=max(types[0].lo, 0)), *types[1:])
            plan = plans.get("fold", types, wanted)
            if plan.program is not None:
                visible = self.meaning.visible(2 + len(self.numbers))
                return _machine.run_fold(plan.program, args, self.meaning.python, visible, 0, start, out)
            step, items = self.steps(arr, start)
            acc = step(acc, next(items))
            if out is not None:
                raise Unsettled
            start += 1
        with held(arr, *self.arrays):
            return functools.reduce(*self.steps(arr, start), acc)
