"""Delimited text: the columns of a CSV file as arrays, at once or piece by piece. The command line reads by this, too.

What always holds: the text is read once, in memory that does not grow with it (what :func:`read_csv` returns does); a
number is what ``float()`` or ``int()`` makes of its cell; a row that does not fit the header, and a cell that is no
number, are errors that name file, line and column. The rows are found by vm/text/delimited.c, whatever the pieces in
which they come.
"""

from __future__ import annotations

import builtins
import os
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

from . import _machine
from .engine.common import new_values, plain
from .engine.kernel import text_kernel

BLOCK_BYTES = 1 << 18  # that are read at once
SAMPLE_BYTES = 1 << 16  # the rows that are whole in these decide together what columns are: see settled_chunks
SHOWN_CHARS = 60  # of the text, in a message
MOST_COMPARED = 1000  # names, with one that is not among them
INT, UINT, DOUBLE, TEXT = range(4)  # enum ao_cells
NEVER, TURN_ALL, TURN_HERE = range(3)  # enum ao_turn
RAGGED = ("error", "skip", "fill")  # enum ao_ragged
MISSING = ("error", "skip", "fill")  # enum ao_missing
UNSIGNED = frozenset("QLIHB")
CUTS = ";\t| ,"  # what else may be between fields, where a header is one field
#: How files begin that are no texts, and what to do with them.
NO_TEXTS = {
    b"\xff\xfe": "the text is UTF-16; iconv -f UTF-16 -t UTF-8 makes it UTF-8",
    b"\xfe\xff": "the text is UTF-16; iconv -f UTF-16 -t UTF-8 makes it UTF-8",
    b"\x1f\x8b": "the file is compressed; gzip -dc unpacks it, and gzip.open() in Python",
    b"\xfd7zXZ": "the file is compressed; xz -dc unpacks it, and lzma.open() in Python",
    b"(\xb5/\xfd": "the file is compressed; zstd -dc unpacks it",
    b"PK\x03\x04": "the file is a zip archive; unzip -p unpacks it, and zipfile in Python (a workbook is one, too)",
}
LATIN = "iconv -f LATIN1 -t UTF-8 makes it that of Latin-1, and open(path, encoding='latin-1') in Python"
LONGEST_MARK = max(map(len, NO_TEXTS))
#: What people write, in lower case, where they have no number.
ABSENT = frozenset(("na", "n/a", "#n/a", "<na>", "nil", "none", "null", "\\n", "-", "--", ".", "..", "?", "missing"))
BLANKS = "\u00a0\u202f"  # that typography has for the one between thousands; vm/text/delimited.c knows them, too

Number: TypeAlias = int | float
Typecode: TypeAlias = str | type[str]
Values: TypeAlias = Any  # array.array, View or list[str]


class TextError(ValueError):
    """The text is not what was asked for; the message says where, what, and what to do."""


class Words(NamedTuple):
    """How messages call what they advise: the parameters of functions here, options on the command line."""

    type: str = "typecode {!r}"
    missing: str = "missing='skip' leaves such rows out, missing=0.0 puts a number there"
    ragged: str = (
        "ragged='skip' leaves such rows out, ragged='fill' takes the fields that are not there for missing ones"
    )
    quote: str = "quotes within a field are doubled; quote=None takes them for text"
    exact: str = "typecodes={{{!r}: 'q'}} reads integers, 'd' rounds them"
    comma: str = "decimal=',' or thousands=',' says what its comma is"
    na: str = "na=[{!r}] takes it for a missing number, and missing= leaves it out or fills it in"
    numbers: str = "columns=[...] picks columns, typecodes={{{!r}: str}} reads text"
    naming: str = "columns=[...] names those that are wanted"
    header: str = "header=False takes the first row for data"
    delimiter: str = "delimiter={!r} cuts it there"


class Form(NamedTuple):
    """What a text is like: the parameters of :func:`read_csv`."""

    delimiter: str = ","
    decimal: str = "."
    thousands: str | None = None
    quote: str | None = '"'
    comment: str | None = None
    skip: int = 0
    header: bool | Sequence[str] = True
    units_row: bool = False
    ragged: str = "error"
    na: Sequence[str] | str = ()
    missing: str | Number = "error"
    words: Words = Words()

    def machine(self) -> _machine.Delimited:
        """A reader for such a text. Raises ValueError for what cannot be, TypeError for what is no option."""
        if not isinstance(self.header, (bool, Iterable)):
            raise TypeError(f"header must be True, False, or the names of the columns, not {self.header!r}")
        delimiter = _byte("delimiter", self.delimiter)
        decimal, thousands = _byte("decimal", self.decimal), _byte("thousands", self.thousands)
        quote, comment = _byte("quote", self.quote), _byte("comment", self.comment)
        if delimiter.isalnum() or delimiter in b"\0\r\n+-_." or decimal.isalnum() or decimal in b"\0\r\n+-_ ":
            raise ValueError(
                f"delimiter {self.delimiter!r} and decimal {self.decimal!r}: one of them is part of numbers"
            )
        of_numbers = [decimal, thousands]
        if delimiter in of_numbers and delimiter != b" " and quote != b"\0":  # "1,5" and "1,234.50" are one field
            of_numbers.remove(delimiter)
        given = [mark for mark in (delimiter, *of_numbers, quote, comment) if mark != b"\0"]
        if len(set(given)) < len(given):
            raise ValueError(f"delimiter {self.delimiter!r}, decimal {self.decimal!r}, thousands {self.thousands!r}, "
                             f"quote {self.quote!r}, comment {self.comment!r}: two of them are the same")  # fmt: skip
        if self.skip < 0:
            raise ValueError(f"skip is a number of lines, from 0, not {self.skip!r}")
        if self.ragged not in RAGGED:
            raise ValueError(f"ragged must be one of {', '.join(map(repr, RAGGED))}, not {self.ragged!r}")
        return _machine.Delimited(delimiter, quote, comment, decimal, thousands, delimiter == b" ",
                                  RAGGED.index(self.ragged), self._missing(), tuple(map(str.encode, self.tokens)),
                                  self.skip)  # fmt: skip

    def may_be_number(self, cell: str) -> bool:
        """Whether a cell, without blanks around it, is a number or a missing one."""
        if not cell or cell in self.tokens:
            return True
        for blank in BLANKS if self.thousands == " " else ():
            cell = cell.replace(blank, "")
        return is_number(cell.replace(self.thousands or "\0", "").replace(self.decimal, "."))

    @property
    def tokens(self) -> tuple[str, ...]:
        """What stands for a missing number, beside nothing."""
        listed = [self.na] if isinstance(self.na, str) else self.na
        return tuple(token.strip() for token in listed if token.strip())

    def _missing(self) -> int:
        if isinstance(self.missing, str):
            if self.missing not in MISSING[:2]:
                raise ValueError(f"missing must be 'error', 'skip' or a number, not {self.missing!r}")
            return MISSING.index(self.missing)
        if not isinstance(plain(self.missing), (int, float)):
            raise TypeError(f"missing must be 'error', 'skip' or a number, not {self.missing!r}")
        return 2

    @property
    def fill(self) -> Number:
        """What takes the place of a missing number."""
        return 0 if isinstance(self.missing, str) else plain(self.missing)


def is_number(text: str) -> bool:
    """Whether float() takes it."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _byte(name: str, text: str | None) -> bytes:
    """A mark as one byte, b"\\0" for none."""
    found = b"\0" if text is None and name not in ("delimiter", "decimal") else (text or "").encode()
    if len(found) != 1 or (found in b"\r\n\0" and text is not None):
        raise ValueError(f"{name} must be one ASCII character, not {text!r}")
    return found


class Column(NamedTuple):
    """A column that is wanted: which field it is, how its cells are read, the typecode of the result if decided."""

    name: str
    field: int
    cells: int
    turn: int = NEVER
    exact: bool = False
    code: str | None = None


# -- rows --------------------------------------------------------------------------------------------------------------


class Rows:
    """The rows of a text behind its header, read into columns a few thousand at a time.

    names: the header's, without blanks around them; empty if there is none. fields: in each row; 0 if there is no row.
    """

    def __init__(self, read: Callable[[int], Any], name: str | None, form: Form, *, sample: bool = False) -> None:
        self.form, self.name = form, name
        self.sample = SAMPLE_BYTES if sample else 0
        self.before: list[tuple[bytes, bytes]] = []  # rows before the first one of numbers, and the ends of their lines
        self.machine = form.machine()
        self.columns: list[Column] = []
        self._places: dict[str, list[int]] = {}  # of names, once one is asked for
        self._read = read
        self.position = 0  # bytes read so far
        self.ended = False
        self.header_line = 1
        self.names: list[str] = []
        if form.header is True:
            self.take_header()
            return
        self.names = _listed(form.header or ()) or []
        #: The first row, if there is no header.
        self.first = [cell.decode("utf-8", "replace").strip() for cell in self._row(peek=True) or ()]
        self.fields = len(self.first or self.names)
        if self.names and self.first and len(self.first) != len(self.names):
            lengths = f"header has {len(self.names)} names, and the first row {len(self.first)} fields"
            raise TextError(f"{self.at()}{lengths}")

    def take_header(self) -> None:
        """Takes the next row for the header, and the one behind it for units if there are such."""
        row = self._row(peek=False)
        self.header_line = max(1, self.machine.line - 1)
        self.names = [cell.decode("utf-8", "replace").strip() for cell in row or ()]
        self.before += [self.machine.raw()] if row else []
        self.fields = len(self.names)
        if self.form.units_row and self._row(peek=False):
            self.before.append(self.machine.raw())

    def peek(self) -> list[bytes] | None:
        """The next row, which comes again; None if there is none."""
        return self._row(peek=True)

    def at(self, line: int | None = None) -> str:
        """How a message begins."""
        return "".join(f"{part}, " for part in (self.name, line and f"line {line}") if part)

    def field(self, name: str) -> int:
        """Which field a column is, by its name or as #3, the third one. Raises TextError if there is none, or two."""
        if not self._places:
            for i, one in enumerate(self.names):
                self._places.setdefault(one, []).append(i)
        places = self._places.get(name, [])
        if len(places) == 1:
            return places[0]
        if not places and name[:1] == "#" and name[1:].isdecimal() and len(name) < 9:
            if 0 < int(name[1:]) <= self.fields or not self.fields:
                return int(name[1:]) - 1
            raise TextError(f"{self.at()}there is no column {name}; there are {self.fields}")
        problem = "more than one column" if places else "no column"
        listed = shorten(", ".join(map(repr, self.names)))
        place = f"{self.at()}line {self.header_line}"
        advice = f"; #{places[0] + 1} is the first of them" if places else self._meant(name)
        raise TextError(f"{place} has {problem} {name!r}; the columns are {listed}{advice}")

    def _meant(self, name: str) -> str:
        """What was probably meant: by the name, or by a header that is no header or is cut elsewhere.

        Importing difflib takes longer than most calls.
        """
        import difflib

        for delimiter in CUTS:
            if self.fields == 1 and name in map(str.strip, self.names[0].split(delimiter)):
                return f"; {self.form.words.delimiter.format(delimiter)}"
        if self.has_numbers_for_names():
            return f"; {self.form.words.header}"
        if not name.isascii() and any("\ufffd" in one for one in self.names):
            return f"; the header is not UTF-8; {LATIN}"
        compared = self.names[:MOST_COMPARED]
        alike = [one for one in compared if one.casefold() == name.casefold()]
        close = alike or difflib.get_close_matches(name, compared, 1)
        return f"; did you mean {close[0]!r}?" if close else ""

    def has_numbers_for_names(self) -> bool:
        """Whether the header looks like a row of data."""
        return bool(self.names) and all(name and self.form.may_be_number(name) for name in self.names)

    def refuse_numbers_for_names(self) -> None:
        """Where nobody names a column, raises TextError for a header of numbers: it is probably a row of data."""
        if self.form.header is True and self.has_numbers_for_names():
            names, words = shorten(", ".join(map(repr, self.names))), self.form.words
            what = f"the header has numbers for names, {names}: {words.naming} if it is one; else {words.header}"
            raise TextError(self.at(self.header_line) + what)

    def cut(self, cell: str) -> str:
        """What cuts rows elsewhere, if header and cell, each a whole row, have a delimiter in them."""
        for delimiter in CUTS:
            if self.fields == 1 and self.names and delimiter in self.names[0] and delimiter in cell:
                return self.form.words.delimiter.format(delimiter)
        return ""

    def label(self, field: int) -> str:
        """A column's name for a message."""
        return f"column {self.names[field]!r}" if field < len(self.names) else f"column #{field + 1}"

    def select(self, columns: Sequence[Column]) -> None:
        """Says which columns are read, in rising order of their fields."""
        self.columns = list(columns)
        fill = self.form.fill
        self.machine.select(tuple((c.field, c.cells, c.turn, c.exact, fill) for c in columns), self.fields)

    def chunks(self, most: int = sys.maxsize) -> Iterator[int]:
        """Reads on, some rows at a time, and yields how many; the columns of the machine have them until the next."""
        while True:
            while count := self.machine.rows(most):
                yield count
            if self.machine.fault is not None:
                raise self.error()
            if self.ended:
                return
            self._feed()

    def settled_chunks(self, most: int = sys.maxsize) -> Iterator[int]:
        """The same for columns that may turn into floats, where what was given cannot be taken back.

        The rows of the sample decide together; later a column of ints is one of floats from the row on in which the
        first float is. That depends on nothing but the text, however it arrives.
        """
        while self.position < self.sample and not self.ended:
            self._feed()
        if self.position <= self.sample and (count := self.machine.rows(most)):
            yield count
        self.machine.turn(TURN_HERE)
        yield from self.chunks(most)

    def _row(self, peek: bool) -> list[bytes] | None:
        while (row := self.machine.row(peek)) is None:
            if self.machine.fault is not None:
                raise self.error()
            if self.ended:
                break
            self._feed()
        return row

    def _feed(self) -> None:
        block = self._block()
        if not self.position:
            while 0 < len(block) < LONGEST_MARK and (more := self._block()):
                block += more
            for mark, advice in NO_TEXTS.items():
                if block.startswith(mark):
                    raise TextError(f"{self.at()}{advice}")
        self.position += len(block)
        self.ended = not block
        self.machine.feed(block or None)

    def _block(self) -> bytes:
        block = self._read(self.sample - self.position if self.position < self.sample else BLOCK_BYTES)
        if block is None:
            raise TextError(f"{self.at()}the input is in non-blocking mode and has nothing to read")
        if isinstance(block, str):
            return block.encode("utf-8", "surrogateescape")
        if not isinstance(block, (bytes, bytearray, memoryview)):
            raise TypeError(f"{self.at()}read() gave {type(block).__name__}, which is no text")
        return bytes(block)

    # -- what is wrong -------------------------------------------------------------------------------------------------

    def error(self) -> TextError:
        """What is wrong with the row at which the machine stopped."""
        assert self.machine.fault is not None
        kind, line, field, fields, cell, _ = self.machine.fault
        words, shown = self.form.words, shorten(cell.decode("utf-8", "backslashreplace"))
        if kind == "fields":
            wanted = "the header" if self.names else "the first row"
            return TextError(
                f"{self.at()}line {line} has {_fields(fields)}, and {wanted} {self.fields}: {words.ragged}"
            )
        if kind in _OF_ROWS:
            return TextError(f"{self.at(line)}" + _OF_ROWS[kind].format(shown, words))
        name = next(c.name for c in self.columns if c.field == field)
        code = next(c.code for c in self.columns if c.field == field) or "q"
        return TextError(f"{self.at(line)}{self.label(field)}: {self._of_cell(kind, shown, name, code)}")

    def _of_cell(self, kind: str, shown: str, name: str, code: str) -> str:
        words, type_name = self.form.words, self.form.words.type.format(code)
        if kind in ("int", "fit") and (not shown or shown in self.form.tokens):  # it is what takes its place
            what = f"{shown!r} is missing" if shown else "the cell is empty"
            return f"{what}, and {self.form.fill!r} in its place is no number of {type_name}"
        if kind == "missing":
            return f"{shown!r} is missing: {words.missing}" if shown else f"the cell is empty: {words.missing}"
        if kind == "int":
            return f"{shown!r} is not an integer, as {type_name} needs"
        if kind == "fit":
            return f"{shown} does not fit {type_name}"
        if kind == "inexact":
            return f"{shown} is an integer that no float holds; {words.exact.format(name)}"
        if name == shown:
            return f"{shown!r} is not a number; it is the name of the column, so the header is there again"
        advice = self._of_no_number(shown) or words.numbers.format(name)
        return f"{shown!r} is not a number" + (advice and f"; {advice}")

    def _of_no_number(self, shown: str) -> str:
        """What makes a number of such a cell: the whole row as one field, a comma, another encoding."""
        if "\0" in shown:
            return "it has bytes of 0: if the text is UTF-16, iconv -f UTF-16LE -t UTF-8 makes it UTF-8"
        plain_marks = self.form.decimal == "." and not self.form.thousands
        has_comma = plain_marks and "," in shown and is_number(shown.replace(",", ""))
        na = self.form.words.na.format(shown) if shown.casefold() in ABSENT else ""
        return self.cut(shown) or (self.form.words.comma if has_comma else na)

    def misfit(self, index: int, column: Column, value: object) -> TextError:
        """Of a number in the rows that were read last, which the column's typecode cannot hold."""
        place = f"{self.at(self.machine.lines()[index])}{self.label(column.field)}"
        return TextError(f"{place}: {value} does not fit {self.form.words.type.format(column.code)}")

    def no_text(self, index: int, column: Column, cell: bytes) -> TextError:
        """Of a text in the rows that were read last, which is not UTF-8."""
        place = f"{self.at(self.machine.lines()[index])}{self.label(column.field)}"
        return TextError(f"{place}: {cell[:SHOWN_CHARS]!r} is not UTF-8; {LATIN}")


_OF_ROWS = {
    "open quote": "a field begins with a quote and never ends: {1.quote}",
    "after quote": "{0!r}: a field goes on behind the quote that ends it; {1.quote}",
    "long": f"the row has more than {_machine.CONSTANTS['MAX_ROW_BYTES']} bytes; is a quote never closed, or is this "
    "no text?",
    "many fields": f"the row has more than {_machine.CONSTANTS['MAX_FIELDS']} fields",
}


def _fields(number: int) -> str:
    return "1 field" if number == 1 else f"{number} fields"


def shorten(text: str) -> str:
    """Of a long text the beginning."""
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "..."


# -- columns -----------------------------------------------------------------------------------------------------------


def column_of(rows: Any, name: str, code: Typecode | None, whole: bool) -> Column:
    """How a column is read, by its name and typecode (str: text; None: open). whole: all rows decide that."""
    at = rows.field(name)
    if code is None:
        return Column(name, at, INT, TURN_ALL) if whole else Column(name, at, DOUBLE, exact=True)
    if code is str:
        return Column(name, at, TEXT)
    if not isinstance(code, str):
        raise TypeError(f"the typecode of column {name!r} is {code!r}; it must be 'q', 'd', ..., or str for text")
    code = _machine.typecode(code)
    if code in ("d", "f", "e"):
        return Column(name, at, DOUBLE, code=code)
    return Column(name, at, UINT if code in UNSIGNED else INT, code=code)


def columns_of(rows: Rows, names: Iterable[str] | None, codes: Mapping[str, Typecode] | Typecode | None,
               whole: bool) -> list[Column]:  # fmt: skip
    """The columns that are wanted, as they come in the text."""
    if names is None:
        rows.refuse_numbers_for_names()
        names = [name for name in rows.names if name] or [f"#{i + 1}" for i in range(rows.fields)]
    listed = list(names)
    for name in listed:
        if not isinstance(name, str):
            raise TypeError(f"a column is named by a str, 'price' or by its place '#3', not {name!r}")
    given = codes if isinstance(codes, Mapping) else {}
    for name in given:
        if name not in listed:
            raise ValueError(
                f"typecodes has {name!r}, which is not among the columns {shorten(', '.join(map(repr, listed)))}"
            )
    default = None if isinstance(codes, Mapping) else codes
    found = [column_of(rows, name, given.get(name, default), whole) for name in listed]
    if len({column.field for column in found}) < len(found):
        raise ValueError(f"a column is wanted twice: {shorten(', '.join(map(repr, listed)))}")
    return sorted(found, key=lambda column: column.field)


def values_of(rows: Any, index: int) -> Values:
    """A column of the rows that were read last, in its typecode."""
    column, found = rows.columns[index], rows.machine.column(index)
    if column.cells == TEXT:
        for i, text in enumerate(found):
            if type(text) is bytes:
                raise rows.no_text(i, column, text)
        return found
    if column.code in (None, "q", "d", "Q") or found.typecode == column.code:
        return found
    try:
        return text_kernel("x").map(found, typecode=column.code)
    except OverflowError:
        bad = next(i for i in range(len(found)) if not _fits(found[i], column.code))
        raise rows.misfit(bad, column, found[bad]) from None


def _fits(value: Number, code: str | None) -> bool:
    try:
        text_kernel("x").map(
            array("d" if isinstance(value, float) else "Q" if value > 0 else "q", [value]), typecode=code
        )
        return True
    except OverflowError:
        return False


@contextmanager
def opened(source: Any) -> Iterator[tuple[Callable[[int], Any], str | None]]:
    """(read, name) of a path, which is closed behind, or of a file that is open already, which stays open."""
    read = getattr(source, "read1", None) or getattr(source, "read", None)
    if read is not None:
        name = getattr(source, "name", None)
        yield read, name if isinstance(name, str) else None
        return
    advice = "io.StringIO(text) makes a file of a text"
    if isinstance(source, int):
        with builtins.open(source, "rb", buffering=0, closefd=False) as file:
            yield file.read, None
        return
    if not isinstance(source, (str, bytes, os.PathLike)):
        raise TypeError(f"a path or an open file is needed, not {type(source).__name__}: {advice}")
    with _opened(source, advice) as file:
        yield file.read, os.fsdecode(source)


def _opened(path: Any, advice: str) -> Any:
    """The file, unbuffered; what cannot be opened and has several lines is probably the text itself."""
    try:
        return builtins.open(path, "rb", buffering=0)
    except OSError as error:
        if "\n" in os.fsdecode(path):
            error.add_note(advice)
        raise


# -- the functions -----------------------------------------------------------------------------------------------------


def read_csv(
    source: Any,
    columns: Iterable[str] | None = None,
    *,
    typecodes: Mapping[str, Typecode] | Typecode | None = None,
    na: Iterable[str] = (),
    missing: str | Number = "error",
    delimiter: str = ",",
    decimal: str = ".",
    thousands: str | None = None,
    quote: str | None = '"',
    comment: str | None = None,
    skip: int = 0,
    header: bool | Sequence[str] = True,
    units_row: bool = False,
    ragged: str = "error",
) -> dict[str, Any]:
    """The columns of a CSV file, or another delimited text, as a dict of arrays by name.

    A number is what ``float()`` or ``int()`` makes of its cell. A column is an ``array('q')`` if all its cells are
    integers of 64 bits, else an ``array('d')``.

    Parameters
    ----------
    source: path of the file, or an open file, of bytes or of text, which is read from where it is and stays open.
    columns: names of those that are wanted; by default all that have one. ``"#3"`` is the third, whatever its name.
    typecodes: of columns by name, or one for all; ``str`` makes a list of texts.
    na: texts that stand for a missing number; an empty cell always does.
    missing: ``"error"``; ``"skip"`` leaves out rows in which a number is missing; a number (also nan) takes its place.
    delimiter: one ASCII character. ``" "`` is for aligned columns, any number of blanks and tabs apart.
    decimal, thousands: as in ``1.234,50`` with ``decimal=",", thousands="."``.
    quote: around fields with delimiters, line ends or quotes in them, which are doubled; None: there are no quotes.
    comment: lines that begin with it are left out.
    skip: lines to leave out at the beginning.
    header: whether the first row has the names; or the names, of a text without such a row.
    units_row: leave out the row behind the header.
    ragged: what becomes of rows that have not as many fields as the header: ``"error"``; ``"skip"``; ``"fill"``, which
        takes fields that are not there for missing ones.

    Raises ValueError, with file, line and column, for rows and cells that are not like that; OSError for the file.

    >>> import arrayops as ao, io
    >>> sales = io.StringIO("item,price,qty\\nnut,0.25,100\\n'bolt, long',1.5,40\\n")
    >>> ao.read_csv(sales, ["price", "qty"], quote="'")
    {'price': array('d', [0.25, 1.5]), 'qty': array('q', [100, 40])}
    """
    form = Form(delimiter, decimal, thousands, quote, comment, skip, header, units_row, ragged, tokens_of(na), missing)
    columns = _listed(columns)
    with opened(source) as (read, name):
        rows = Rows(read, name, form)
        _needs_header(rows)
        wanted = columns_of(rows, columns, typecodes, True)
        rows.select(wanted)
        parts = [_Joined() for _ in wanted]
        for _ in rows.chunks():
            for i, part in enumerate(parts):
                part.add(values_of(rows, i))
    found = {column.name: part.values(column) for column, part in zip(wanted, parts, strict=True)}
    return {name: found[name] for name in columns or found}


def scan_csv(
    source: Any,
    columns: Iterable[str] | None = None,
    *,
    typecodes: Mapping[str, Typecode] | Typecode | None = None,
    na: Iterable[str] = (),
    missing: str | Number = "error",
    delimiter: str = ",",
    decimal: str = ".",
    thousands: str | None = None,
    quote: str | None = '"',
    comment: str | None = None,
    skip: int = 0,
    header: bool | Sequence[str] = True,
    units_row: bool = False,
    ragged: str = "error",
) -> Iterator[dict[str, Any]]:
    """The columns of a CSV file a few thousand rows at a time, as dicts of arrays: for files larger than the memory.

    Parameters and exceptions are those of :func:`read_csv`, but for the types: as nobody has seen the whole column,
    numbers are floats unless typecodes says otherwise, and an integer that no float holds is a ValueError unless
    typecodes says ``'d'``. A file that was opened here is closed when the last piece was taken, or when the iterator is
    closed.

    >>> import arrayops as ao, io
    >>> total = ao.RunningStats()
    >>> for piece in ao.scan_csv(io.StringIO("item,price\\nnut,0.25\\nbolt,1.5\\n"), ["price"]):
    ...     total.update(ao.map(piece["price"], "x * 2"))
    >>> total.count, total.sum
    (2, 3.5)
    """
    form = Form(delimiter, decimal, thousands, quote, comment, skip, header, units_row, ragged, tokens_of(na), missing)
    form.machine()  # what cannot be is said now, and not when the first piece is asked for
    return _pieces(source, _listed(columns), typecodes, form)


def _pieces(source: Any, columns: list[str] | None, typecodes: Any, form: Form) -> Iterator[dict[str, Any]]:
    with opened(source) as (read, name):
        rows = Rows(read, name, form)
        _needs_header(rows)
        wanted = columns_of(rows, columns, typecodes, False)
        rows.select(wanted)
        for _ in rows.chunks():
            found = {column.name: values_of(rows, i) for i, column in enumerate(wanted)}
            yield {name: found[name] for name in columns or found}


def tokens_of(na: Iterable[str]) -> Sequence[str]:
    """The texts for missing numbers, once taken from where they come."""
    return na if isinstance(na, str) else [*na]


def _listed(columns: Iterable[str] | None) -> list[str] | None:
    if columns is not None and not isinstance(columns, Iterable):
        raise TypeError(f"columns must be names of columns, such as ['price', '#3'], not {columns!r}")
    return None if columns is None else [columns] if isinstance(columns, str) else list(columns)


def _needs_header(rows: Rows) -> None:
    if rows.form.header is True and not rows.names:
        raise TextError(f"{rows.at()}the text is empty: there is no header")


class _Joined:
    """The parts of a column, one behind the other."""

    def __init__(self) -> None:
        self.all: Any = None

    def add(self, part: Values) -> None:
        if not isinstance(part, (array, list)):
            part = part.tolist()
        if self.all is None:
            self.all = part
            return
        if isinstance(part, array) and self.all.typecode != part.typecode:  # ints so far, and floats from now on
            self.all = text_kernel("float(x)").map(self.all, typecode="d")
        self.all += part

    def values(self, column: Column) -> Values:
        """All of it, in the typecode of the column."""
        if column.cells == TEXT:
            return self.all or []
        code = column.code or ("q" if self.all is None else self.all.typecode)
        values: Values = [] if self.all is None else self.all
        return values if isinstance(values, array) else new_values(code, values)
