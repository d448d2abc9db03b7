"""Left folds: the machine takes them as far as the accumulator keeps its kind, and Python goes on from there."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .. import _machine
from ..compiler.terms import Param
from .arguments import unwrapped
from .common import held, native
from .functions import Meaning
from .plans import types_of

_TRIES = 4  # elements given to Python while the accumulator's type settles (int, then float)


class Unsettled(Exception):
    """The accumulator of a fold changes its type more often than is tried."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A fold by what a kernel means, with the numbers that follow the accumulator and the element."""

    meaning: Meaning
    numbers: tuple[Any, ...]

    def step(self, acc: Any, x: Any) -> Any:
        """The next accumulator, by Python."""
        captured = self.meaning.captured if self.meaning.sees_captured else ()
        return self.meaning.python(acc, x, *unwrapped((*self.numbers, *captured)))

    @property
    def callable(self) -> Callable[[Any, Any], Any]:
        """``step``, as directly as possible."""
        return self.step if self.numbers or self.meaning.sees_captured else self.meaning.python

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
            acc = self.step(acc, native(arr)[start])
            if out is not None:
                raise Unsettled
            start += 1
        with held(arr):
            return functools.reduce(self.callable, itertools.islice(native(arr), start, None), acc)
