"""Statistics and histograms on the command line: of columns of tables, by keys, and of numbers of any other input.

What always holds: sums are exact and rounded once, so the answer does not depend on how the input was cut, nor on the
order of rows. Memory does not grow with the input, but for quantiles and for the histogram of a pipe: they keep the
numbers.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import _machine
from .. import map as map_array
from ..compiler.machine import EXACT_FLOAT
from ..delimited import TEXT, Column, Rows, TextError
from ..engine.figures import (
    EXTREMES,
    NOTHING,
    SQUARES,
    SUMS,
    Gathered,
    as_floats,
    extremes,
    fsum,
    gather,
    is_float,
    joined,
)
from ..statistics import histogram, quantile, summary
from .formats import Row
from .records import Records
from .streams import Chunk, ElementType, Number, Numbers
from .tables import Bound, Inputs, Term, column_names, shown, term_of
from .tables import joined as one_behind_the_other

BATCH_ROWS, ROWS_PER_KEY = 1 << 18, 16  # that are grouped at once
MADE = 1  # AO_GROUP_DONE of vm/arrays/groups.h
FIGURES = ("count", "missing", "sum", "mean", "min", "max", "var", "std")
EIGHTHS = " ▏▎▍▌▋▊▉█"
ASCII_EIGHTHS = "    #####"
LEAST_BAR = 10  # columns of the terminal


# -- what is gathered --------------------------------------------------------------------------------------------------


class Figures:
    """What was seen of one column in one group: ints and floats apart, as a column may turn into one of floats."""

    __slots__ = ("floats", "ints", "values")

    def __init__(self, keep: bool) -> None:
        self.ints = self.floats = NOTHING
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

    def row(self, missing: int, quantiles: Sequence[str], nan: str | None) -> Row:
        """The statistics by name; of no numbers there are counts and a sum."""
        seen, floats = self.together()
        found: Row = {"count": seen.count, "missing": missing}
        if not seen.count:
            return {**found, "sum": 0.0 if floats else 0}
        found |= {name: value for name, value in summary(seen, floats)._asdict().items() if name != "count"}
        orders = quantile(self.values, [float(q) for q in quantiles], nan=nan) if quantiles else []
        return found | dict(zip((f"q{q}" for q in quantiles), orders, strict=True))


def copied(data: Numbers) -> array[Any]:
    """An array of its own."""
    found: array[Any] = map_array(data, "x")
    return found


def numbers_of(rows: Rows | Records, keys: list[str]) -> list[str]:
    """The columns of a table but keys whose first cell is a number: those that are summed up if nobody says which.

    A column without a name in a header is none of them: such a one numbers the rows.
    """
    taken = {rows.field(name) for name in keys}
    left = [(i, name) for i, name in enumerate(column_names(rows)) if i not in taken and "`" not in name]
    if isinstance(rows, Records):
        return [name for _, name in left]
    cells = [cell.decode("utf-8", "replace").strip() for cell in rows.peek() or ()]
    named = [(i, name) for i, name in left if i < len(cells) and (not rows.names or rows.names[i])]
    return [name for i, name in named if rows.form.may_be_number(cells[i])]


class Summed:
    """The statistics of expressions over tables, in groups by the texts of columns.

    Rows are kept until there are many, and then grouped and added up: 12 bytes a row, up to BATCH_ROWS of them or
    ROWS_PER_KEY for each key. Where none were added up by the end, the machine makes the figures of all keys at once.
    """

    def __init__(self, args: argparse.Namespace, keep: bool) -> None:
        self.args, self.keep, self.nan = args, keep, args.nan
        self.by: list[str] = args.by or []
        self.keys: dict[bytes, int] = {}
        self.found: dict[tuple[str, int], Figures] = {}
        self.missing: Counter[tuple[str, int]] = Counter()
        self.pending: dict[str, list[tuple[Numbers, Any]]] = {}
        self.rows_pending = 0

    def figures(self, name: str, group: int) -> Figures:
        """Of one expression in one group."""
        key = (name, group)
        if key not in self.found:
            self.found[key] = Figures(self.keep)
        return self.found[key]

    def add(self, rows: Rows, terms: dict[str, Term], inputs: Inputs) -> None:
        """All rows of a file."""
        bounds = Bound(rows, terms, self.args, chained=False)
        places = self._select(rows, bounds)
        for count in inputs.chunks(rows):
            codes = rows.machine.codes(places, self.keys) if places else None
            for name, part in self._present(bounds, codes, count).items():
                self.pending.setdefault(name, []).append(part)
            self.rows_pending += count
            if self.rows_pending >= max(BATCH_ROWS, ROWS_PER_KEY * len(self.keys)):
                self._take()

    def _select(self, rows: Rows, bounds: Bound) -> tuple[int, ...]:
        """Selects the columns of keys, too. Gives their places among the columns, in the order of the keys."""
        fields = [rows.field(name) for name in self.by]
        for name, field in zip(self.by, fields, strict=True):
            if any(column.field == field for column in bounds.columns):
                raise TextError(f"{rows.at()}column {name!r} cannot be a key and be summed up at once")
        if len({*fields}) < len(fields):
            raise TextError(f"{rows.at()}two keys are the same column: {', '.join(self.by)}")
        bounds.add(*(Column(name, field, TEXT) for name, field in zip(self.by, fields, strict=True)))
        places = [column.field for column in bounds.columns]
        return tuple(places.index(field) for field in fields)

    def _present(self, bounds: Bound, codes: Any, count: int) -> dict[str, tuple[Numbers, Any]]:
        """The values of each expression where no number that it needs is missing, and the codes of these rows."""
        data, found = bounds.read(), {}
        missing = bounds.absent()
        for name in bounds.terms:
            some, kept, number = data, codes, count
            absent = bounds.absent_of(name, missing)
            if absent is not None:
                self._count_missing(name, absent, codes)
            if absent is not None and self.args.leave_out:
                present = map_array(absent, "1 - x", typecode="B")
                some = {field: _machine.compact(values, present) for field, values in data.items()}
                kept = None if codes is None else _machine.compact(codes, present)
                number = len(next(iter(some.values())))
            found[name] = (self._value(bounds, name, some, number), kept)
        return found

    def _value(self, bounds: Bound, name: str, data: dict[Any, Numbers], count: int) -> Numbers:
        def compute(data: dict[Any, Numbers], count: int) -> Numbers:
            return bounds.value(name, {**data, **self.args.names}, count)

        values: Numbers = bounds.computed(data, count, compute)
        return values

    def _count_missing(self, name: str, absent: Numbers, codes: Any) -> None:
        if codes is None:
            self.missing[name, 0] += absent.count(1)
            return
        self.missing.update((name, code) for code in _machine.compact(codes, absent))

    def _take(self) -> None:
        """Adds what is pending."""
        for name, parts in self.pending.items():
            for values, codes in alike(parts):
                self._take_alike(name, values, codes)
            parts.clear()
        self.rows_pending = 0

    def _take_alike(self, name: str, values: Numbers, codes: Numbers) -> None:
        if not self.by:
            self.figures(name, 0).add(values, self.nan)
            return
        ordered, begins = _machine.group(values, codes, len(self.keys))
        with memoryview(ordered) as view:
            for group in range(len(self.keys)):
                if begins[group] < begins[group + 1]:
                    self.figures(name, group).add(view[begins[group] : begins[group + 1]], self.nan)

    def rows(self, names: list[str], quantiles: Sequence[str]) -> Groups:
        """A row for each column, or each key and column, in the order of keys."""
        keys = {name: [*alike(self.pending.get(name, []))] for name in names}
        at_once: dict[str, Small] = {}
        if self.by and not self.found and not quantiles and all(len(parts) == 1 for parts in keys.values()):
            self.pending.clear()
            for name, parts in keys.items():
                at_once[name] = Small(*_machine.group(*parts.pop(), len(self.keys)))
        else:
            self._take()
        return Groups(self, names, quantiles, at_once)


def alike(parts: list[tuple[Numbers, Any]]) -> Iterator[tuple[Numbers, Numbers]]:
    """The parts of each type in a row as one, and their codes."""
    for code, several in itertools.groupby(parts, lambda part: part[0].typecode):
        values, codes = array(code), array("I")
        for part, kept in several:
            values += part
            codes += kept if kept is not None else array("I")
        yield values if values.itemsize == 8 or not codes else map_array(values, "x", typecode="q"), codes


class Small:
    """The figures of many groups of few numbers each, made by the machine but for those that it leaves to Python."""

    def __init__(self, ordered: Numbers, begins: Numbers) -> None:
        self.ordered, self.begins = ordered, begins
        self.sums, self.means, self.lows, self.highs, self.vars, self.stds, self.states = _machine.figures(
            ordered, begins
        )

    def row(self, group: int, missing: int, nan: str | None) -> Row:
        """As Figures.row."""
        if self.states[group] == MADE:
            count = self.begins[group + 1] - self.begins[group]
            return {"count": count, "missing": missing, "sum": self.sums[group], "mean": self.means[group],
                    "min": self.lows[group], "max": self.highs[group], "var": self.vars[group],
                    "std": self.stds[group]}  # fmt: skip
        figures = Figures(False)
        if self.begins[group] < self.begins[group + 1]:
            with memoryview(self.ordered) as view:
                figures.add(view[self.begins[group] : self.begins[group + 1]], nan)
        return figures.row(missing, (), nan)


class Groups:
    """The rows of a summary, made as they are asked for: there may be a million."""

    def __init__(self, summed: Summed, names: list[str], quantiles: Sequence[str], at_once: dict[str, Small]) -> None:
        self._summed, self._names, self._quantiles, self._at_once = summed, names, quantiles, at_once
        self._keys: list[tuple[list[str], int]] = [([], 0)]
        if summed.by:
            texts = ((key_texts(key, len(summed.by)), code) for key, code in summed.keys.items())
            self._keys = sorted(texts, key=key_order)
        seen = bool(at_once) or any(figures.together()[0].count for figures in summed.found.values())
        #: Names of what is in the rows.
        self.names = [*summed.by, *["column"] * self._is_named, *FIGURES[: None if seen else 3],
                      *(f"q{q}" for q in quantiles if seen)]  # fmt: skip

    @property
    def _is_named(self) -> bool:
        return len(self._names) > 1 or not self._summed.by

    def __len__(self) -> int:
        return len(self._keys) * len(self._names)

    def __iter__(self) -> Iterator[Row]:
        summed = self._summed
        for texts, code in self._keys:
            for name in self._names:
                head = dict(zip(summed.by, texts, strict=True)) | ({"column": name} if self._is_named else {})
                yield head | self._figures(name, code, summed.missing[name, code])

    def _figures(self, name: str, code: int, missing: int) -> Row:
        if self._at_once:
            return self._at_once[name].row(code, missing, self._summed.nan)
        figures = self._summed.found.get((name, code)) or Figures(False)
        return figures.row(missing, self._quantiles, self._summed.nan)


def key_texts(key: bytes, n: int) -> list[str]:
    """The texts of a key of n columns: of one its bytes, of several each behind its length in four bytes."""
    if n == 1:
        return [key.decode("utf-8", "surrogateescape")]
    texts, begin = [], 0
    while begin < len(key):
        end = begin + 4 + int.from_bytes(key[begin : begin + 4], "little")
        texts.append(key[begin + 4 : end].decode("utf-8", "surrogateescape"))
        begin = end
    return texts


def key_order(item: tuple[list[str], int]) -> list[Any]:
    """Numbers first, by size; then texts."""
    found: list[Any] = []
    for text in item[0]:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        found += (number != number, 0.0 if number != number else number, text)
    return found


def table_summary(args: argparse.Namespace, inputs: Inputs, quantiles: list[str]) -> Groups:
    """Of columns of tables, each column of numbers if none is said."""
    summed, names = Summed(args, bool(quantiles)), args.wanted
    for path in args.inputs:
        with inputs.open(path) as rows:
            if not names:
                if isinstance(rows, Rows):
                    rows.refuse_numbers_for_names()
                names = [f"`{name}`" for name in numbers_of(rows, summed.by)]
            if not names:
                first = (rows.peek() or [b""])[0].decode("utf-8", "replace")
                advice = (isinstance(rows, Rows) and rows.cut(first)) or "say which are to be summed up"
                raise TextError(f"{rows.at()}no column has a number in its first row; {advice}")
            summed.add(rows, {shown(name): term_of(name, rows, args) for name in names}, inputs)
    return summed.rows([shown(name) for name in names], quantiles)


# -- of numbers that are no table -------------------------------------------------------------------------------------


class Summary:
    """Count, sum, mean, min and max of all chunks added, each what Python gives for one array of all elements."""

    def __init__(self, kind: ElementType, nan: str | None) -> None:
        self.kind, self.nan = kind, nan
        self.seen = NOTHING
        self.doubles = NOTHING  # the elements as doubles, which statistics.fmean makes of them before it adds

    def add(self, data: Numbers) -> None:
        found = gather(data, SUMS | EXTREMES, self.nan)
        self.seen = joined(self.seen, found)
        self.doubles = joined(self.doubles, found if self.kind.is_float else doubles(data, found))

    def rows(self) -> list[tuple[str, Number]]:
        """(name, value) in the order of printing; of no elements there is a count and a sum."""
        rows: list[tuple[str, Number]] = [("count", self.seen.count), ("sum", fsum(self.seen, self.kind.is_float))]
        if self.seen.count:
            low, high = extremes(self.seen)
            rows += [("mean", fsum(self.doubles, True) / self.seen.count), ("min", low), ("max", high)]
        return rows


def doubles(ints: Numbers, found: Gathered) -> Gathered:
    """What is gathered of ints as doubles; only those that are none have to be looked at again."""
    if found.low >= -EXACT_FLOAT and found.high <= EXACT_FLOAT:
        return as_floats(found)
    return gather(map_array(ints, "float(x)", typecode="d"), SUMS)


def plain_summary(args: argparse.Namespace, chunks: Iterator[Chunk], quantiles: list[str]) -> Row:
    """Of numbers that are no table."""
    stats, kept = Summary(args.type, args.nan), Figures(bool(quantiles))
    for chunk in chunks:
        if len(chunk.data):
            stats.add(chunk.data)
            if quantiles:
                kept.add(chunk.data, args.nan)
    try:
        row: Row = dict(stats.rows())
    except (ArithmeticError, ValueError) as error:
        raise TextError(f"{type(error).__name__}: {error}") from None
    return row | {name: value for name, value in kept.row(0, quantiles, args.nan).items() if name[0] == "q"}


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
    if total is None or sum(total) != seen.count:
        raise TextError("the input has other numbers than when it was read first: it is being written")
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
