"""Tables on the command line: text with a header, whose columns are names in expressions.

What always holds: rows are read and written a few thousand at a time, in memory that does not grow with the file; a row
that is kept is the text that it was. Numbers are read by arrayops.delimited: integers of 64 bits, floats from the first
cell on that is none (Rows.settled_chunks), so the answer is the same for a file and for a pipe.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import re
from array import array
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, BinaryIO, TypeAlias

from .. import ExpressionError, Kernel, evaluate, reduce
from .. import map as map_array
from ..compiler.parse import error_at, lines_of
from ..delimited import INT, TURN_ALL, Column, Form, Rows, TextError, Words, column_of, shorten, values_of
from ..engine.kernel import needs_no_tables, needs_parts, text_kernel
from .failures import EXPECTED, first_failure
from .formats import TEXT as AS_THEY_ARE
from .formats import RowWriter
from .records import Records
from .streams import (
    Chunk,
    ElementType,
    Number,
    Numbers,
    bytes_left,
    is_column_number,
    open_input,
    reads,
)

CHUNK_ROWS = 1 << 13
ADVICE = re.compile("pass typecode='([qQd])'")
#: The name of the expression that says which rows are kept, 1 for each that is: no argument of a command can be it.
KEPT = "\0"
NO_NAMES: Mapping[str, str] = MappingProxyType({})

WORDS = Words(
    type="type {!r}",
    missing="--missing skip leaves it out, --missing NUMBER fills it in",
    ragged="--ragged skip leaves such rows out, --ragged fill takes fields that are not there for missing ones",
    quote="quotes within a field are doubled; --quote '' takes them for text",
    exact="-t q reads integers, -t d rounds them",
    comma="--decimal , or --thousands , says what its comma is",
    na="--na={} and --missing leave it out or fill it in",
    numbers="",
    naming="say which columns are to be summed up",
    header="--no-header takes the first row for data; --text is for one number in a line",
    delimiter="--delimiter {!r} cuts it there",
)
#: Passes chunks on, and shows how far the work is; the second argument says that of a chunk.
Watch: TypeAlias = Callable[[Iterator[Any], Callable[[Any], int]], Generator[Any, None, None]]
#: A column whose name is no identifier, as it is written in an expression: `unit price`, col("unit price"), #3.
QUOTED = re.compile(r"""`([^`\n]*)`|\bcol\(\s*(?:"([^"\n]*)"|'([^'\n]*)')\s*\)|(?<!\w)(#\d+)""")


def form_of(args: argparse.Namespace) -> Form:
    """What the input is like, as the options say. Raises ValueError for what cannot be."""
    form = Form(
        delimiter=args.delimiter,
        decimal=args.decimal,
        thousands=args.thousands,
        quote=args.quote or None,
        comment=args.comment,
        skip=args.skip,
        header=not args.no_header,
        units_row=args.units_row,
        ragged=args.ragged,
        na=sorted(args.na),
        missing=args.fill,
        words=WORDS,
    )
    form.machine()
    return form


# -- expressions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Term:
    """An expression of columns: as it was written, its kernel, and the columns that stand-ins in it mean."""

    text: str
    plain: str
    columns: dict[str, str]
    kernel: Kernel
    whole: bool  # it needs all rows at once, as sum(x) does


def term(text: str, names: Iterable[str], ieee: bool, columns_of: Mapping[str, str] = NO_NAMES) -> Term:
    """Reads an expression. names: what is bound, and hides constants such as e. ExpressionError, as it was written.

    columns_of: columns that names in it mean, if they are not columns themselves.
    """
    plain, stand_ins = with_stand_ins(text)
    columns = {**columns_of, **stand_ins}
    try:
        kernel = text_kernel(plain, tuple(names), ieee=ieee)
        needs_no_tables(kernel, "a column is read row by row: only its value in the same row can be used")
    except ExpressionError as error:
        raise as_written(error, text, stand_ins) from None
    try:
        needs_parts(kernel, "")
        whole = False
    except ExpressionError:
        whole = True
    return Term(text, plain, columns, kernel, whole)


def term_of(text: str, rows: Rows | Records, args: argparse.Namespace) -> Term:
    """A column, if the text is the name of one or the like of #3; else an expression."""
    is_column = text in rows.names and "`" not in text
    return term(f"`{text}`" if is_column else text, args.names, args.ieee)


def shown(text: str) -> str:
    """An expression as it is called in the output: a column by its name."""
    return text[1:-1] if text[:1] == text[-1:] == "`" and text.count("`") == 2 else text


def with_stand_ins(text: str) -> tuple[str, dict[str, str]]:
    """The text with an identifier of the same length for every quoted column, so that places of errors stay right.

    Raises ExpressionError for one that touches a name, a number or another quoted column: it would be one with them.
    """
    columns: dict[str, str] = {}
    end = -1  # of the quoted column before

    def stand_in(match: re.Match[str]) -> str:
        nonlocal end
        if match.start() == end or is_word(text[match.start() - 1 : match.start()]):
            raise touching(text, match.start())
        end = match.end()
        if is_word(text[end : end + 1]):
            raise touching(text, end)
        name = next(group for group in match.groups() if group is not None).strip()
        length = match.end() - match.start()
        fitting = (f"_{n}".ljust(length, "_") for n in itertools.count())
        found = next(word for word in fitting if word not in text and columns.get(word, name) == name)
        columns[found] = name
        return found

    return QUOTED.sub(stand_in, text), columns


def is_word(char: str) -> bool:
    """Whether it is a part of names and numbers."""
    return char == "_" or char.isalnum()


def touching(text: str, at: int) -> ExpressionError:
    """The error at a place where nothing stands between a quoted column and what is beside it."""
    return error_at("no operator or blank is between a column and what stands beside it", text, at, at + 1)


def as_written(error: ExpressionError, text: str, columns: dict[str, str]) -> ExpressionError:
    """The error with the columns' own names in it."""
    for stand_in, name in columns.items():
        error.msg = error.msg.replace(stand_in, name)
    if error.text is not None and columns:
        error.text = lines_of(text)[(error.lineno or 1) - 1]
    return error


# -- a file ------------------------------------------------------------------------------------------------------------


class Bound:
    """Expressions over the columns of one file: which columns they need, and their values for the rows read last.

    Columns go by their fields, numbers and the values of expressions by their names: so no column hides another.
    chained: the names of expressions are those of their values in the expressions behind them.
    """

    def __init__(self, rows: Rows | Records, terms: dict[str, Term], args: argparse.Namespace, *known: str,
                 chained: bool = True) -> None:  # fmt: skip
        self.rows, self.numbers, self.ieee, self.may_widen = rows, args.names, args.ieee, args.name == "map"
        terms = of_channels(terms[""], rows.names) if args.each_channel else terms
        hiding = (*self.numbers, *rows.names, *terms)
        self.terms = {name: term(one.text, hiding, args.ieee, one.columns) for name, one in terms.items()}
        self.to = args.to.code if args.to and args.form_out != "wav" else None
        self.means: dict[str, dict[str, int | str]] = {}  # of each expression, its names: a field, or a name
        columns: dict[int, Column] = {}
        added = {*known}
        for name, one in self.terms.items():
            self.means[name] = {}
            for param in one.kernel.params:
                if param not in one.columns and param in (*self.numbers, *added):
                    self.means[name][param] = param
                    continue
                column = self._column(one.columns.get(param, param), args)
                self.means[name][param] = column.field
                columns.setdefault(column.field, column)
            if chained:
                added.add(name)
        self.fields = sorted(columns)  # that expressions need
        self.columns: list[Column] = []
        self.places: dict[int, int] = {}  # fields: places among the columns
        self.missing: dict[int, int] = {}  # cells of fields, before the rows read last
        self.add(*columns.values())

    def add(self, *columns: Column) -> None:
        """Selects columns, which may be of no expression."""
        self.columns = sorted([*self.columns, *columns], key=lambda column: column.field)
        self.places = {column.field: i for i, column in enumerate(self.columns)}
        self.rows.select(self.columns)

    def _column(self, name: str, args: argparse.Namespace) -> Column:
        if args.type is None:
            return Column(name, self.rows.field(name), INT, TURN_ALL)
        return column_of(self.rows, name, args.type.code, False)

    def read(self) -> dict[Any, Numbers]:
        """The columns of the rows that were read last, by their fields."""
        return {field: values_of(self.rows, self.places[field]) for field in self.fields}

    def absent(self) -> dict[int, Numbers]:
        """Of fields in which cells are missing in the rows that were read last: 1 for each that is."""
        found = {}
        for field in self.fields:
            absent, total = self.rows.machine.absent(self.places[field])
            if total != self.missing.get(field, 0):
                found[field], self.missing[field] = absent, total
        return found

    def absent_of(self, name: str, absent: dict[int, Numbers]) -> Numbers | None:
        """1 for each row in which a number is missing that an expression needs; None if there is no such row."""
        parts = [absent[key] for key in {*self.means[name].values()} if isinstance(key, int) and key in absent]
        return functools.reduce(lambda a, b: map_array(a, "x | y", y=b), parts) if parts else None

    def values(self, data: dict[Any, Numbers], count: int) -> dict[str, Numbers]:
        """The values of all expressions, the later ones with those before as names."""
        known: dict[Any, Any] = {**data, **self.numbers}
        found: dict[str, Numbers] = {}
        for name in self.terms:
            found[name] = known[name] = self.value(name, known, count)
        return found

    def value(self, name: str, known: dict[Any, Any], count: int) -> Numbers:
        """The value of an expression for each of so many rows."""
        names = {param: known[key] for param, key in self.means[name].items()}
        to = "?" if name == KEPT else self.to
        result = evaluate(self.terms[name].plain, names=names, ieee=self.ieee, typecode=to)
        if hasattr(result, "__len__"):
            return map_array(result, "x", typecode="B") if name == KEPT else result
        one = array("B", [bool(result)]) if name == KEPT else array("d" if isinstance(result, float) else "q", [result])
        return one * count

    def advice(self, match: re.Match[str]) -> str:
        """What the library advises, as it is said here: --to is an option of map alone."""
        if isinstance(self.rows, Records):  # whose types are said already
            return f"--to {match[1]}" if self.may_widen else "float(...) computes with floats"
        return f"--to {match[1]}" if self.may_widen and match[1] != "d" else "--table -t d computes with floats"

    def computed(self, data: dict[Any, Numbers], count: int, compute: Callable[..., Any]) -> Any:
        """What `compute` makes of the data; TextError with the line of the first row at which it fails."""
        try:
            return compute(data, count)
        except ExpressionError:
            raise
        except EXPECTED as error:
            index, first = first_failure(
                lambda n: compute({key: values[:n] for key, values in data.items()}, n), count, error
            )
            place = self.rows.at(self.rows.machine.lines()[index]).removesuffix(", ")
            text = ADVICE.sub(self.advice, str(first))
            raise TextError(f"{place}: {type(first).__name__}: {text}") from None


def of_channels(one: Term, names: list[str]) -> dict[str, Term]:
    """An expression of x for each of several channels, of which none is called x; else the expression alone."""
    if "x" not in one.kernel.params or "x" in names:
        return {"x": one}
    return {name: replace(one, columns={**one.columns, "x": name}) for name in names}


class Inputs:
    """The files of a command, one after the other."""

    def __init__(self, args: argparse.Namespace, stdin: BinaryIO, watch: Watch) -> None:
        self.args, self.stdin, self.watch = args, stdin, watch
        self.form = args.form
        self.done = 0  # bytes of the files before

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        """One file, its header read: Rows, or Records, which are like them."""
        with open_input(path, self.stdin) as stream:
            if self.args.packed:
                yield Records(stream, None if path == "-" else path, self.form, self.args.layout)
                return
            read = getattr(stream, "read1", None) or stream.read
            rows = Rows(read, None if path == "-" else path, self.form, sample=self.args.type is None)
            if self.form.header is True and not rows.names:
                raise TextError(f"{rows.at()}the text is empty: there is no header; "
                                "raw input needs its type, for example -t d")  # fmt: skip
            if any("\0" in name for name in rows.names):
                raise TextError(f"{rows.at()}this is no text; raw input needs its type, for example -t d")
            yield rows

    def chunks(self, rows: Rows) -> Iterator[int]:
        """How many rows were read, again and again, with a progress bar on a terminal."""
        found = rows.chunks(CHUNK_ROWS) if self.args.type else rows.settled_chunks(CHUNK_ROWS)
        with closing(self.watch(found, lambda count: self.done + rows.position)) as shown:
            yield from shown
        self.done += rows.position


def is_file_for_two_passes(path: str) -> bool:
    """Whether a file can be read twice."""
    if path == "-":
        return False
    with open(path, "rb") as stream:
        return bytes_left(stream) is not None


# -- map and filter ----------------------------------------------------------------------------------------------------


def column_names(rows: Rows | Records) -> list[str]:
    """A name for each column; #3 of those that have none of their own."""
    names = rows.names or [""] * rows.fields
    times = Counter(names)
    return [name if name and times[name] == 1 else f"#{i + 1}" for i, name in enumerate(names)]


def quoted(name: str, form: Form) -> bytes:
    """A name as a field of the header, in quotes if it must be. Raises TextError if it must and there are none."""
    quote = form.quote or ""
    marks = [form.delimiter, "\n", "\r", *([quote] if quote else []), *(["\t"] if form.delimiter == " " else [])]
    if not any(mark in name for mark in marks):
        return name.encode()
    if not quote:
        raise TextError(f"the column {name!r} needs quotes in the header, and --quote '' takes quotes for text: give "
                        "it another name, or write --format csv")  # fmt: skip
    return (quote + name.replace(quote, quote * 2) + quote).encode()


def joined_fields(fields: list[bytes], form: Form) -> bytes:
    """A row of the header; a field alone that is empty is in quotes, since a blank line is no row."""
    return form.delimiter.encode().join(fields) or (form.quote or "").encode() * 2


def header_text(rows: Rows, fields: tuple[int, ...] | None, added: list[str]) -> bytes:
    """The header, and a row of units behind it, of the rows that are written."""
    form, lines = rows.form, []
    for i, (line, end) in enumerate(rows.before):
        if fields is None and not added:
            lines.append(line + end)
            continue
        kept = [quoted(name, form) for name in rows.names]
        if i:  # of the row of units
            cells = line.split(form.delimiter.encode())
            kept = cells if len(cells) == rows.fields else [b""] * rows.fields
        parts = [line] if fields is None else [kept[field] for field in fields]
        parts += [quoted(name, form) if i == 0 else b"" for name in added]
        lines.append(joined_fields(parts, form) + end)
    return b"".join(lines)


def write_rows(args: argparse.Namespace, inputs: Inputs, terms: dict[str, Term], out: RowWriter,
               keep: Term | None) -> None:  # fmt: skip
    """Writes rows: all, or those for which `keep` is true; of each the selected fields, and the terms."""
    computed = {**terms, KEPT: keep} if keep else terms
    for path in args.inputs:
        whole = whole_values(args, inputs, path, computed)
        with inputs.open(path) as rows:
            bound = Bound(rows, computed, args)
            added = [name for name in bound.terms if name not in ("", KEPT)]
            fields = begin_rows(args, rows, added, out)
            start = 0
            for count in inputs.chunks(rows):
                if whole is None:
                    found = bound.computed(bound.read(), count, bound.values)
                else:
                    found = {name: whole.part(values, start, start + count) for name, values in whole.values.items()}
                    start += count
                kept = found[KEPT] if keep else None
                out.rows(rows, kept, fields, tuple(found[name] for name in added))
            if whole is not None:
                whole.finish(start)


def begin_rows(args: argparse.Namespace, rows: Rows | Records, added: list[str],
               out: RowWriter) -> tuple[int, ...] | None:  # fmt: skip
    """Writes what comes before the rows of a file. Gives the fields that are written, None for whole rows."""
    names = column_names(rows)
    if lost := [name for name in args.select or () if name in added and name not in rows.names]:
        raise TextError(f"--select {lost[0]}: that is a column of --add, which comes by itself behind the others")
    fields = None if args.select is None else tuple(rows.field(name) for name in args.select)
    kept = [names[field] for field in (range(rows.fields) if fields is None else fields)]
    there = {*(rows.names if args.select is None else args.select)}
    if again := [name for name in added if name in there]:
        raise TextError(f"{rows.at()}there is a column {again[0]!r} already: give the new one another name, or "
                        "leave that one out by --select")  # fmt: skip
    if fields is None and out.names is not None and out.names != kept + added:
        raise TextError(f"{rows.at()}the columns are not those of the file before, {shorten(', '.join(out.names))}; "
                        "--select says which are written")  # fmt: skip
    form, as_they_are = rows.form, out.form == AS_THEY_ARE
    if as_they_are and form.ragged == "fill" and form.delimiter == " " and not form.quote and (fields or added):
        raise TextError(f"{rows.at()}fields that are not there would be empty, and --quote '' leaves nothing to show "
                        "that between blanks: write --format csv")  # fmt: skip
    if isinstance(rows, Records):
        out.begin(kept + added, records=rows)
    else:
        head = header_text(rows, fields, added) if as_they_are else None
        out.begin(kept + added, head)
    return fields if fields is not None or as_they_are else tuple(range(rows.fields))


def write_values(args: argparse.Namespace, inputs: Inputs, one: Term, out: RowWriter) -> None:
    """Writes the value of an expression for each row."""
    out.begin([one.text.strip()], None if out.form else b"")
    for path in args.inputs:
        whole = whole_values(args, inputs, path, {"": one})
        if whole is not None:
            out.values(whole.values[""])
            continue
        with inputs.open(path) as rows:
            bound = Bound(rows, {"": one}, args)
            for count in inputs.chunks(rows):
                out.values(bound.computed(bound.read(), count, bound.values)[""])


@dataclass(frozen=True, slots=True)
class Whole:
    """The values of expressions for all rows of a file, which is then read once more."""

    values: dict[str, Numbers]
    count: int
    name: str

    def part(self, values: Numbers, begin: int, end: int) -> Numbers:
        """The values of some rows. Raises TextError if there are more rows than there were."""
        if end > self.count:
            self.finish(end)
        return values[begin:end]

    def finish(self, count: int) -> None:
        """Raises TextError if the file had another number of rows when it was read again."""
        if count != self.count:
            more = "more" if count > self.count else "fewer"
            raise TextError(f"{self.name}, the file has {more} rows than when it was read first: it is being written")


def whole_values(args: argparse.Namespace, inputs: Inputs, path: str, terms: dict[str, Term]) -> Whole | None:
    """The values for all rows of a file, in a pass of its own, if an expression needs them at once: sum(x), for one."""
    needing = [one.text for one in terms.values() if one.whole]
    if not needing:
        return None
    if not is_file_for_two_passes(path):
        raise TextError(
            f"{shorten(needing[0])!r} needs all rows at once, so the input is read twice: give a file, no pipe"
        )
    with inputs.open(path) as rows:
        bound = Bound(rows, terms, args)
        data: dict[Any, Numbers] = {}
        count = 0
        for more in inputs.chunks(rows):
            count += more
            for name, values in bound.read().items():
                values = values if isinstance(values, array) else map_array(values, "x")  # of memory that is used again
                data[name] = values if name not in data else joined(data[name], values)
        try:
            return Whole(bound.values(data or {field: array("q") for field in bound.fields}, count), count, path)
        except EXPECTED as error:
            if isinstance(error, ExpressionError):
                raise
            raise TextError(f"{rows.at()}{type(error).__name__}: {error}") from None


def joined(one: Numbers, other: Numbers) -> Numbers:
    """Two parts of a column, as floats if one of them is."""
    if one.typecode != other.typecode:
        one, other = (map_array(part, "float(x)", typecode="d") for part in (one, other))
    one += other
    return one


def fold_rows(args: argparse.Namespace, inputs: Inputs, one: Term, state: tuple[Number, ...]) -> tuple[Number, ...]:
    """functools.reduce over the rows of all files, of acc and columns."""
    for path in args.inputs:
        with inputs.open(path) as rows:
            bound = Bound(rows, {"": one}, args, "acc")
            fields = {param: key for param, key in bound.means[""].items() if isinstance(key, int)}
            if not fields:
                raise TextError("the expression has no column: columns of the header are names in it")
            for count in inputs.chunks(rows):
                data = bound.read()
                if not state and [*fields] != ["x"]:
                    raise TextError("reduce needs --initial here: the first row is no accumulator")

                def fold(data: dict[Any, Numbers], count: int, state: tuple[Number, ...] = state,
                         fields: dict[str, int] = fields) -> Number:  # fmt: skip
                    names = {param: data[field] for param, field in fields.items()}
                    first = names.pop("x", next(iter(data.values())))
                    result: Number = reduce(first, one.plain, *state, ieee=args.ieee, names={**names, **args.names})
                    return result

                state = (bound.computed(data, count, fold),)
    return state


# -- one column --------------------------------------------------------------------------------------------------------


def column_chunks(stream: BinaryIO, name: str | None, args: argparse.Namespace, form: Form) -> Iterator[Chunk]:
    """The numbers of --csv COLUMN: by the name in the first row, or by the number from 1 of a text without header."""
    rows = Rows(getattr(stream, "read1", None) or stream.read, name, form._replace(header=False))
    column = args.csv
    if is_a_number(column, rows.first):
        column = f"#{column}"
    else:
        rows.take_header()
    rows.select([column_of(rows, column, args.type.code, False)])
    start = 0
    for count in rows.chunks(CHUNK_ROWS):
        yield Chunk(values_of(rows, 0), start, rows.position, rows.machine.lines())
        start += count


def is_a_number(column: str, first: list[str]) -> bool:
    """Whether digits count columns: the first row has no such name, or is of nothing but numbers, and so no header."""
    if not is_column_number(column):
        return False
    is_header = column in first and not all(reads(cell, ElementType("d")) for cell in first)
    return not is_header and (column not in first or int(column) <= len(first))
