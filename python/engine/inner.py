"""Reductions inside an expression: each is one pass over its arrays, and its value a number of the expression.

The passes are those of pipelines (passes.py), so values have the meaning that they have there: ints are of any size,
sums are exact and rounded once.
"""

from __future__ import annotations

import builtins
import contextlib
import itertools
import math
import statistics
from array import array
from collections.abc import Callable, Iterator
from typing import Any

from .. import _machine
from ..compiler.ir import REDUCTIONS
from ..compiler.machine import CONSTANTS, EXACT_FLOAT
from ..compiler.terms import number_param
from ..compiler.whole import Reduction
from . import figures
from .common import native, steadily
from .figures import COUNT, EXTREMES, SQUARES, SUMS
from .passes import gathered, rows_of
from .plans import Plan, Plans, pipe_plan, types_of

#: What _machine.run_count is to answer.
_TRUTHS = {"count": "RUN_COUNT", "any": "RUN_ANY", "all": "RUN_ALL"}


class Reductions:
    """All reductions of one text, in their order."""

    def __init__(self, reductions: tuple[Reduction, ...], ieee: bool) -> None:
        self.inner = [Inner(reduction, ieee) for reduction in reductions]
        #: The parameters of the text that are tables in one of them.
        self.tables = frozenset(i.reduction.uses[table] for i in self.inner for table in i.plans.tables)

    def values(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The value of each for these arguments of the text."""
        known = args
        for inner in self.inner:
            known = (*known, inner.value(tuple(known[i] for i in inner.reduction.uses)))
        return known[len(args) :]

    def zeros(self, types: tuple[Any, ...]) -> tuple[Any, ...]:
        """A number of the kind of each, where arrays have no elements, or there are only types."""
        known, zeros = types, tuple[Any, ...]()
        for inner in self.inner:
            zero = inner.zero(tuple(known[i] for i in inner.reduction.uses))
            known, zeros = (*known, number_param(zero)), (*zeros, zero)
        return zeros


class Inner:
    """The expression under one reduction, as what goes over its arguments (passes.Pass)."""

    def __init__(self, reduction: Reduction, ieee: bool) -> None:
        self.reduction, self.plans = reduction, Plans(reduction.ir, ieee)
        self.piped: dict[Any, Plan] = {}

    def plan(self, args: tuple[Any, ...]) -> Plan:
        types = types_of(args)
        if types not in self.piped:
            self.piped[types] = pipe_plan(self.reduction.ir, None, self.plans.ieee, types, None)
        return self.piped[types]

    def run(self, part: tuple[Any, ...], wanted: str | None, what: int) -> tuple[Any, Plan] | None:
        plan = self.plan(part)
        if plan.program is None:
            return None
        return _machine.run_pipe(plan.program, part, self.plans.oracle(part), len(part), plan.typecode, what), plan

    def elements(self, part: tuple[Any, ...]) -> Iterator[Any]:
        with contextlib.closing(rows_of(part)) as rows:
            yield from itertools.starmap(self.plans.evaluator, rows)

    def value(self, args: tuple[Any, ...]) -> Any:
        """The reduction's value. Raises what its function raises, and TypeError if no argument is an array."""
        if all(isinstance(a, (int, float, tuple)) for a in args):
            raise TypeError(f"{self.reduction.text} is of the elements of an array, and there is none in it")
        return _RULES[self.reduction.name](self, args)

    def zero(self, types: tuple[Any, ...]) -> int | float:
        kind = _KINDS.get(self.reduction.name) or self.plans.natural(types)
        return {"f": 0.0, "d": 0.0, "b": False}.get(kind, 0)


_KINDS = {name: kind for name, kind in REDUCTIONS.items() if kind}


# -- their values ------------------------------------------------------------------------------------------------------


def _sum(inner: Inner, args: tuple[Any, ...]) -> int | float:
    g, floats = gathered(inner, [args], SUMS)
    return figures.fsum(g, bool(floats))


def _mean(inner: Inner, args: tuple[Any, ...]) -> float:
    """As statistics.fmean, which rounds ints to floats before it adds them."""
    of_floats = inner.plan(args).kind == "f"
    g, floats = gathered(inner, [args], SUMS if of_floats else SUMS | SQUARES | EXTREMES)
    if not g.count:
        raise figures.no_data("mean", 0, 1)
    total = figures.fsum(g, bool(floats))
    if not of_floats and g.low is not None and max(abs(g.low), abs(g.high)) > EXACT_FLOAT:
        total = math.fsum(inner.elements(args))
    return float(total) / g.count


def _extreme(which: int, builtin: Callable[..., Any]) -> Callable[[Inner, tuple[Any, ...]], Any]:
    def extreme(inner: Inner, args: tuple[Any, ...]) -> Any:
        g, _ = gathered(inner, [args], EXTREMES)
        return figures.extremes(g)[which] if g.count else builtin(())

    return extreme


def _spread(rounded: Callable[[int, int], float]) -> Callable[[Inner, tuple[Any, ...]], float]:
    def spread(inner: Inner, args: tuple[Any, ...]) -> float:
        g, floats = gathered(inner, [args], SUMS | SQUARES)
        name, ddof = inner.reduction.name, inner.reduction.ddof
        if g.count <= ddof:
            raise figures.no_data(name, g.count, ddof + 1)
        return math.nan if g.special is not None else rounded(*figures.variance(g, bool(floats), ddof))

    return spread


def _truths(inner: Inner, args: tuple[Any, ...]) -> int | bool:
    name = inner.reduction.name
    program = inner.plans.get("filter", types_of(args), None).program
    if program is not None:
        found = _machine.run_count(program, args, inner.plans.oracle(args), len(args), CONSTANTS[_TRUTHS[name]])
        return found if name == "count" else bool(found)
    values = inner.elements(args)
    return builtins.sum(1 for v in values if v) if name == "count" else any(values) if name == "any" else all(values)


def _collected(inner: Inner, args: tuple[Any, ...]) -> Any:
    """All values: an array, or a list where the machine does not hold them."""
    try:
        found = inner.run(args, None, 0)
    except Exception:
        found = None  # the elements by Python raise what is to be raised
    return list(inner.elements(args)) if found is None else found[0]


def _product(inner: Inner, args: tuple[Any, ...]) -> int | float:
    values = _collected(inner, args)
    return math.prod(values if isinstance(values, list) else steadily(native(values), 1 << 10))


def _median(inner: Inner, args: tuple[Any, ...]) -> int | float:
    values = _collected(inner, args)
    return figures.median(values) if isinstance(values, array) else statistics.median(values)


def _place(largest: bool) -> Callable[[Inner, tuple[Any, ...]], int]:
    def place(inner: Inner, args: tuple[Any, ...]) -> int:
        values = _collected(inner, args)
        if not len(values):
            raise ValueError(f"{inner.reduction.name}() of an empty buffer")
        if isinstance(values, array):
            found: int | None = _machine.arg_extreme(values, largest)
            return found or 0
        return (max if largest else min)(range(len(values)), key=values.__getitem__)

    return place


def _length(inner: Inner, args: tuple[Any, ...]) -> int:
    return gathered(inner, [args], COUNT)[0].count


_RULES: dict[str, Callable[[Inner, tuple[Any, ...]], Any]] = {
    "sum": _sum, "mean": _mean, "min": _extreme(0, min), "max": _extreme(1, max), "var": _spread(figures.ratio),
    "std": _spread(figures.root), "count": _truths, "any": _truths, "all": _truths, "prod": _product,
    "median": _median, "argmin": _place(False), "argmax": _place(True), "len": _length,
}  # fmt: skip
