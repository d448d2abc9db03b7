"""Reductions inside an expression: passes over its arrays, whose values are numbers of the expression. Those of the
same expression share a pass where one gathers what both need: mean(x) and std(x).

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
from typing import Any, NamedTuple

from .. import _machine
from ..compiler.ir import REDUCTIONS, identity
from ..compiler.machine import CONSTANTS, EXACT_FLOAT
from ..compiler.terms import number_param
from ..compiler.whole import Reduction
from . import figures
from .common import native, steadily
from .figures import COUNT, EXTREMES, SQUARES, SUMS, Gathered
from .passes import gathered, rows_of
from .plans import Plan, Plans, pipe_plan, types_of

#: What _machine.run_count is to answer.
_TRUTHS = {"count": "RUN_COUNT", "any": "RUN_ANY", "all": "RUN_ALL"}


class Reductions:
    """All reductions of one text, in their order."""

    def __init__(self, reductions: tuple[Reduction, ...], ieee: bool) -> None:
        known: dict[object, Over] = {}
        self.inner: list[tuple[Reduction, Over]] = []
        for reduction in reductions:
            nodes = tuple((n.op, n.args, identity(n.value)) for n in reduction.ir.nodes)
            over = known.setdefault((nodes, reduction.ir.root, reduction.uses), Over(reduction, ieee))
            over.sums |= _SUMS.get(reduction.name, 0)
            over.means |= reduction.name == "mean"
            self.inner.append((reduction, over))
        #: The parameters of the text that are tables in one of them.
        self.tables = frozenset(r.uses[table] for r, over in self.inner for table in over.plans.tables)

    def values(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The value of each for these arguments of the text."""
        known, found = args, dict[Any, Any]()
        for reduction, over in self.inner:
            known = (*known, Asked(reduction, over, tuple(known[i] for i in reduction.uses), found).value())
        return known[len(args) :]

    def zeros(self, types: tuple[Any, ...]) -> tuple[Any, ...]:
        """A number of the kind of each, where arrays have no elements, or there are only types."""
        known, zeros = types, tuple[Any, ...]()
        for reduction, over in self.inner:
            kind = _KINDS.get(reduction.name) or over.plans.natural(tuple(known[i] for i in reduction.uses))
            zero = {"f": 0.0, "d": 0.0, "b": False}.get(kind, 0)
            known, zeros = (*known, number_param(zero)), (*zeros, zero)
        return zeros


class Over:
    """What reductions are of: an expression, as what goes over its arguments (passes.Pass)."""

    def __init__(self, reduction: Reduction, ieee: bool) -> None:
        self.ir, self.plans = reduction.ir, Plans(reduction.ir, ieee)
        self.piped: dict[Any, Plan] = {}
        self.sums = 0  # what the sum, mean and deviation of it need together: one pass gathers that
        self.means = False  # whether its mean is asked for

    def plan(self, args: tuple[Any, ...]) -> Plan:
        types = types_of(args)
        if types not in self.piped:
            self.piped[types] = pipe_plan(self.ir, None, self.plans.ieee, types, None)
        return self.piped[types]

    def run(self, part: tuple[Any, ...], wanted: str | None, what: int) -> tuple[Any, Plan] | None:
        plan = self.plan(part)
        if plan.program is None:
            return None
        return _machine.run_pipe(plan.program, part, self.plans.oracle(part), len(part), plan.typecode, what), plan

    def elements(self, part: tuple[Any, ...]) -> Iterator[Any]:
        with contextlib.closing(rows_of(part)) as rows:
            yield from itertools.starmap(self.plans.evaluator, rows)


class Asked(NamedTuple):
    """One reduction of one call; ``found`` is what those before it found in passes over the same."""

    reduction: Reduction
    over: Over
    args: tuple[Any, ...]
    found: dict[Any, Any]

    def value(self) -> Any:
        """The reduction's value. Raises what its function raises, and TypeError if no argument is an array."""
        if all(isinstance(a, (int, float, tuple)) for a in self.args):
            raise TypeError(f"{self.reduction.text} is of the elements of an array, and there is none in it")
        return _RULES[self.reduction.name](self)

    def gathered(self, wanted: int) -> tuple[Gathered, bool | None]:
        """What all values give: all that is wanted, at least."""
        wanted |= self.over.sums if wanted & SUMS else 0
        if self.over.means and wanted & SUMS and self.over.plan(self.args).kind != "f":
            wanted |= SQUARES | EXTREMES  # a mean of ints is another one where they are large
        for (over, had), known in self.found.items():
            if over is self.over and had & wanted == wanted:
                return known  # type: ignore[no-any-return]
        found = self.found[self.over, wanted] = gathered(self.over, [self.args], wanted)
        return found

    def elements(self) -> Iterator[Any]:
        """The values by Python, one by one."""
        return self.over.elements(self.args)


_KINDS = {name: kind for name, kind in REDUCTIONS.items() if kind}
_SUMS = {"sum": SUMS, "mean": SUMS, "var": SUMS | SQUARES, "std": SUMS | SQUARES}


# -- their values ------------------------------------------------------------------------------------------------------


def _sum(asked: Asked) -> int | float:
    g, floats = asked.gathered(SUMS)
    return figures.fsum(g, bool(floats))


def _mean(asked: Asked) -> float:
    """As statistics.fmean, which rounds ints to floats before it adds them."""
    g, floats = asked.gathered(SUMS)
    if not g.count:
        raise figures.no_data("mean", 0, 1)
    total = figures.fsum(g, bool(floats))
    of_floats = asked.over.plan(asked.args).kind == "f"
    if not of_floats and g.low is not None and max(abs(g.low), abs(g.high)) > EXACT_FLOAT:
        total = math.fsum(asked.elements())
    return float(total) / g.count


def _extreme(which: int, builtin: Callable[..., Any]) -> Callable[[Asked], Any]:
    def extreme(asked: Asked) -> Any:
        g, _ = asked.gathered(EXTREMES)
        return figures.extremes(g)[which] if g.count else builtin(())

    return extreme


def _spread(rounded: Callable[[int, int], float]) -> Callable[[Asked], float]:
    def spread(asked: Asked) -> float:
        g, floats = asked.gathered(SUMS | SQUARES)
        name, ddof = asked.reduction.name, asked.reduction.ddof
        if g.count <= ddof:
            raise figures.no_data(name, g.count, ddof + 1)
        return math.nan if g.special is not None else rounded(*figures.variance(g, bool(floats), ddof))

    return spread


def _truths(asked: Asked) -> int | bool:
    name, args, plans = asked.reduction.name, asked.args, asked.over.plans
    program = plans.get("filter", types_of(args), None).program
    if program is not None:
        found = _machine.run_count(program, args, plans.oracle(args), len(args), CONSTANTS[_TRUTHS[name]])
        return found if name == "count" else bool(found)
    values = asked.elements()
    return builtins.sum(1 for v in values if v) if name == "count" else any(values) if name == "any" else all(values)


def _collected(asked: Asked) -> Any:
    """All values: an array, or a list where the machine does not hold them."""
    try:
        found = asked.over.run(asked.args, None, 0)
    except Exception:
        found = None  # the elements by Python raise what is to be raised
    return list(asked.elements()) if found is None else found[0]


def _product(asked: Asked) -> int | float:
    values = _collected(asked)
    return math.prod(values if isinstance(values, list) else steadily(native(values), 1 << 10))


def _median(asked: Asked) -> int | float:
    values = _collected(asked)
    found: int | float = figures.median(values) if isinstance(values, array) else statistics.median(values)
    of_truths = type(found) is int and isinstance(values, array) and asked.over.plan(asked.args).kind == "b"
    return bool(found) if of_truths else found


def _place(largest: bool) -> Callable[[Asked], int]:
    def place(asked: Asked) -> int:
        values = _collected(asked)
        if not len(values):
            raise ValueError(f"{asked.reduction.name}() of an empty buffer")
        if isinstance(values, array):
            found: int | None = _machine.arg_extreme(values, largest)
            return found or 0
        return (max if largest else min)(range(len(values)), key=values.__getitem__)

    return place


def _length(asked: Asked) -> int:
    return asked.gathered(COUNT)[0].count


_RULES: dict[str, Callable[[Asked], Any]] = {
    "sum": _sum, "mean": _mean, "min": _extreme(0, min), "max": _extreme(1, max), "var": _spread(figures.ratio),
    "std": _spread(figures.root), "count": _truths, "any": _truths, "all": _truths, "prod": _product,
    "median": _median, "argmin": _place(False), "argmax": _place(True), "len": _length,
}  # fmt: skip
