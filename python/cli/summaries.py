"""Statistics and histograms on the command line: of columns of tables, by keys, and of numbers of any other input.

What always holds: sums are exact and rounded once, so the answer does not depend on how the input was cut, nor on the
order of rows. Memory does not grow with the input, but for quantiles and for the histogram of a pipe: they keep the
numbers.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import io
import itertools
import json
import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from .. import _machine
from .. import map as map_array
from ..delimited import TEXT, Column, Rows, TextError
from ..engine.figures import EXTREMES, NOTHING, SQUARES, SUMS, Gathered, as_floats, gather, is_float, joined
from ..statistics import histogram, quantile, summary
from .streams import ElementType, Number, Numbers, reads
from .tables import Bound, Inputs, Term
from .tables import joined as one_behind_the_other

BATCH_ROWS = 1 << 18  # that are grouped at once
EIGHTHS = " ▏▎▍▌▋▊▉█"
ASCII_EIGHTHS = "    #####"
LEAST_BAR = 10  # columns of the terminal

Row: TypeAlias = dict[str, Any]


# -- what is gathered --------------------------------------------------------------------------------------------------


class Figures:
    """What was seen of one column in one group: ints and floats apart, as a column may turn into one of floats."""

    __slots__ = ("floats", "ints", "missing", "values")

    def __init__(self, keep: bool) -> None:
        self.ints = self.floats = NOTHING
        self.missing = 0
        self.values: Numbers = array("q") if keep else None

    def add(self, data: Numbers, nan: str | None) -> None:
        """Adds numbers, which quantiles need again."""
        found = gather(data, SUMS | SQUARES | EXTREMES, nan)._replace(first_nan=False)
        if not is_float(data):
            self.ints = joined(self.ints, found)
        else:
            self.floats = joined(self.floats, found)
        if self.values is not None:
            self.values = one_behind_the_other(self.values, copied(data)) if len(self.values) else copied(data)

    def together(self) -> tuple[Gathered, bool]:
        """All that was seen, and whether it is of floats."""
        if not self.floats.count and not self.floats.nans:
            return self.ints, False
        if not self.ints.count:
            return self.floats, True
        ints = as_floats(self.ints)
        return joined(ints._replace(low=float(ints.low), high=float(ints.high)), self.floats), True

    def row(self, quantiles: Sequence[str], nan: str | None) -> Row:
        """The statistics by name; of no numbers there are counts and a sum."""
        seen, floats = self.together()
        found: Row = {"count": seen.count, "missing": self.missing}
        if not seen.count:
            return {**found, "sum": 0.0 if floats else 0}
        found |= {name: value for name, value in summary(seen, floats)._asdict().items() if name != "count"}
        orders = quantile(self.values, [float(q) for q in quantiles], nan=nan) if quantiles else []
        return found | dict(zip((f"q{q}" for q in quantiles), orders, strict=True))


def copied(data: Numbers) -> array[Any]:
    """An array of its own."""
    found: array[Any] = map_array(data, "x")
    return found


def numbers_of(rows: Rows) -> list[str]:
    """The columns of a table whose first cell is a number: those that are summed up if nobody says which."""
    row = rows.peek()
    cells = [cell.decode("utf-8", "replace").strip() for cell in row or ()]
    form = rows.form
    return [
        name
        for name, cell in zip(rows.names, cells, strict=False)
        if name and (not cell or is_number(cell, form.decimal, form.thousands))
    ]


def is_number(cell: str, decimal: str, thousands: str | None) -> bool:
    return reads(cell.replace(thousands or "\0", "").replace(decimal, "."), ElementType("d"))


class Summed:
    """The statistics of expressions over tables, in groups by the texts of a column."""

    def __init__(self, args: argparse.Namespace, keep: bool) -> None:
        self.args, self.keep, self.nan = args, keep, args.nan
        self.keys: dict[bytes, int] = {}
        self.found: dict[tuple[str, int], Figures] = {}

    def figures(self, name: str, group: int) -> Figures:
        """Of one expression in one group."""
        key = (name, group)
        if key not in self.found:
            self.found[key] = Figures(self.keep)
        return self.found[key]

    def add(self, rows: Rows, terms: dict[str, Term], inputs: Inputs) -> None:
        """All rows of a file."""
        bounds = Bound(rows, terms, self.args)
        place = self._select(rows, bounds)
        pending: dict[str, list[tuple[Numbers, Any]]] = {name: [] for name in terms}
        rows_pending = 0
        for count in inputs.chunks(rows):
            codes = None if place is None else rows.machine.codes(place, self.keys)
            for name, part in self._present(bounds, codes, count).items():
                pending[name].append(part)
            rows_pending += count
            if rows_pending >= BATCH_ROWS:
                rows_pending = self._take(pending)
        self._take(pending)

    def _select(self, rows: Rows, bounds: Bound) -> int | None:
        """Selects the column of keys, too. Gives its place among the columns."""
        if self.args.by is None:
            return None
        field = rows.field(self.args.by)
        if any(column.field == field for column in bounds.columns):
            raise TextError(f"{rows.at()}column {self.args.by!r} cannot be the key and be summed up at once")
        bounds.add(Column(self.args.by, field, TEXT))
        return next(i for i, column in enumerate(bounds.columns) if column.field == field)

    def _present(self, bounds: Bound, codes: Any, count: int) -> dict[str, tuple[Numbers, Any]]:
        """The values of each expression where no number that it needs is missing, and the codes of these rows."""
        data, found = bounds.read(), {}
        missing = bounds.absent()
        for name, one in bounds.terms.items():
            some, kept, number = data, codes, count
            absent = bounds.absent_of(name, missing)
            if absent is not None:
                self._count_missing(name, absent, codes)
            if absent is not None and self.args.leave_out:
                present = map_array(absent, "1 - x", typecode="B")
                some = {name: _machine.compact(values, present) for name, values in data.items()}
                kept = None if codes is None else _machine.compact(codes, present)
                number = len(next(iter(some.values())))
            found[name] = (self._value(bounds, one, some, number), kept)
        return found

    def _value(self, bounds: Bound, one: Term, data: dict[str, Numbers], count: int) -> Numbers:
        def compute(data: dict[str, Numbers], count: int) -> Numbers:
            return bounds.value(one, {**data, **self.args.names}, count)

        values: Numbers = bounds.computed(data, count, compute)
        return values

    def _count_missing(self, name: str, absent: Numbers, codes: Any) -> None:
        if codes is None:
            self.figures(name, 0).missing += absent.count(1)
            return
        for code in _machine.compact(codes, absent):
            self.figures(name, code).missing += 1

    def _take(self, pending: dict[str, list[tuple[Numbers, Any]]]) -> int:
        """Adds what is pending."""
        for name, parts in pending.items():
            for code, values in itertools.groupby(parts, lambda part: part[0].typecode):
                self._take_alike(name, list(values), code)
            parts.clear()
        return 0

    def _take_alike(self, name: str, parts: list[tuple[Numbers, Any]], code: str) -> None:
        values, codes = array(code), array("I")
        for part, kept in parts:
            values += part
            codes += kept if kept is not None else array("I")
        if self.args.by is None:
            self.figures(name, 0).add(values, self.nan)
            return
        if values.itemsize != 8:
            values = map_array(values, "x", typecode="q")
        ordered, begins = _machine.group(values, codes, len(self.keys))
        with memoryview(ordered) as view:
            for group in range(len(self.keys)):
                if begins[group] < begins[group + 1]:
                    self.figures(name, group).add(view[begins[group] : begins[group + 1]], self.nan)

    def rows(self, names: list[str], quantiles: Sequence[str]) -> list[Row]:
        """A row for each column, or each key and column, in the order of keys."""
        found = []
        keys = sorted(self.keys.items(), key=key_order) if self.args.by is not None else [(b"", 0)]
        for key, code in keys:
            for name in names:
                head: Row = {} if self.args.by is None else {self.args.by: key.decode("utf-8", "replace")}
                column = {"column": name} if len(names) > 1 or self.args.by is None else {}
                found.append(head | column | self.figures(name, code).row(quantiles, self.nan))
        return found


def key_order(item: tuple[bytes, int]) -> tuple[bool, float, bytes]:
    """Numbers first, by size; then texts."""
    try:
        number = float(item[0])
    except ValueError:
        number = math.nan
    return (number != number, 0.0 if number != number else number, item[0])


# -- out ---------------------------------------------------------------------------------------------------------------


def written(rows: list[Row], form: str, spell: Callable[[Number], str]) -> str:
    """Rows as text in columns, CSV or JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if form == "json":
        return json.dumps([{name: plain_json(value) for name, value in row.items()} for row in rows], indent=1) + "\n"
    table = [[spelled(row.get(name, ""), spell) for name in names] for row in rows]
    if form == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([names, *table])
        return out.getvalue()
    if len(rows) == 1:
        width = max(5, max(map(len, names)))
        return "".join(f"{name:{width}} {cell}\n" for name, cell in zip(names, table[0], strict=True))
    widths = [max(map(len, column)) for column in zip(names, *table, strict=True)]
    lines = [" ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in [names, *table]]
    return "".join(line.rstrip() + "\n" for line in lines)


def spelled(value: Any, spell: Callable[[Number], str]) -> str:
    return value if isinstance(value, str) else spell(value)


def plain_json(value: Any) -> Any:
    """JSON has no nan and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


# -- histograms --------------------------------------------------------------------------------------------------------


def counted(parts: Callable[[], Iterator[Numbers]], again: bool, bins: int, nan: str | None) -> tuple[Any, Any]:
    """Counts and edges of the bins of numbers that come in parts: twice, if they can be read again."""
    kept, seen = [], NOTHING
    for part in parts():
        seen = joined(seen, gather(part, SUMS | EXTREMES, nan))
        if not again:
            kept.append(copied(part))
    if not seen.count or seen.low is None:
        raise TextError("there are no numbers to count")
    if seen.nans and nan is None:
        raise TextError("a number is nan, which is in no bin: --nan skip leaves nans out")
    if seen.positive or seen.negative:
        raise TextError("a number is infinite: bins go from the smallest to the largest, which must be finite")
    total: Any = None
    edges: Any = None
    for part in parts() if again else kept:
        counts, edges = histogram(part, bins, (seen.low, seen.high), nan=nan)
        total = counts if total is None else map_array(total, "x + y", y=counts)
    return total, edges


def drawn(counts: Numbers, edges: Numbers, width: int, logarithmic: bool, blocks: bool) -> str:
    """A bar for every bin, as wide as the terminal."""
    scale: Callable[[int], float] = (lambda n: math.log10(1 + n)) if logarithmic else float
    labels = [f"{a:.6g} .. {b:.6g}" for a, b in itertools.pairwise(edges)]
    numbers = [str(n) for n in counts]
    label, number = max(map(len, labels)), max(map(len, numbers))
    room = max(LEAST_BAR, width - label - number - 3)
    most = scale(max(counts)) or 1.0
    lines = [
        f"{text:>{label}} {bar(scale(n) / most * room, room, blocks)} {spelling:>{number}}"
        for text, spelling, n in zip(labels, numbers, counts, strict=True)
    ]
    return "\n".join(lines) + "\n"


def bar(length: float, room: int, blocks: bool) -> str:
    """A bar of so many columns, to an eighth."""
    marks = EIGHTHS if blocks else ASCII_EIGHTHS
    eighths = round(length * 8)
    eighths += length > 0 and not eighths  # what is there is seen
    text = marks[8] * (eighths // 8) + (marks[eighths % 8] if eighths % 8 else "")
    return f"{text:<{room}}"


def plotted(counts: Numbers, edges: Numbers, title: str, logarithmic: bool, path: str) -> None:
    """The histogram as a picture, of the kind that the name of the file says."""
    try:
        importlib.import_module("matplotlib").use("Agg")
        pyplot: Any = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        raise TextError('--plot needs matplotlib: pip install "arrayops-vm[plot]"') from None
    figure, axes = pyplot.subplots()
    axes.stairs(counts, edges, fill=True)
    axes.set_xlabel(title)
    axes.set_ylabel("count")
    if logarithmic:
        axes.set_yscale("log")
    try:
        figure.savefig(path)
    except ValueError as error:
        raise TextError(f"--plot {path}: {error}") from None
    finally:
        pyplot.close(figure)
