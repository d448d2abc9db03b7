"""What results are written as: lines and rows of text, CSV, JSON, raw numbers, WAV files.

What always holds: rows are written as they come, and what is written of them does not depend on how they were cut. JSON
is an array with an object in each line; what is not finite, and what is missing, is null there.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, Protocol, TypeAlias

from .. import _machine
from .. import map as map_array
from ..delimited import TextError
from .failures import first_failure
from .streams import Number, Numbers
from .wav import wav_header

#: enum row_form of python/glue/spell.h, by the words of --format.
FORMS = {"text": 0, "csv": 1, "json": 2}
TEXT, CSV, JSON = FORMS.values()
END_OF_ROW = b",\n"  # in JSON
LINES = 1 << 12  # that are written at once

Row: TypeAlias = dict[str, Any]
Write: TypeAlias = Callable[[bytes | memoryview], None]


def spell(value: Number) -> str:
    """Python's repr; an integer of more digits than Python agrees to write in decimal is written in hexadecimal."""
    try:
        return repr(int(value) if isinstance(value, bool) else value)
    except ValueError:
        return hex(int(value))


# -- a few rows of figures ---------------------------------------------------------------------------------------------


class Rows(Protocol):
    """Rows that may be gone through more than once."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Row]: ...


def written(rows: Rows, form: str, names: Sequence[str] | None = None) -> Iterator[bytes]:
    """Rows as text in columns, CSV or JSON, a part at a time. Texts that were no UTF-8 are those bytes again,
    but in JSON.

    names: of all that is in the rows, which are gone through for them otherwise.
    """
    names = [*dict.fromkeys(name for row in rows for name in row)] if names is None else names
    lines = {"json": json_lines, "csv": csv_lines}.get(form, table_lines)(rows, names)
    while part := "".join(itertools.islice(lines, LINES)):
        yield part.encode("utf-8", "surrogateescape")


def json_lines(rows: Rows, names: Sequence[str]) -> Iterator[str]:
    yield "[\n"
    for i, row in enumerate(rows):
        line = json.dumps({name: plain_json(value) for name, value in row.items()})
        yield f",\n{line}" if i else line
    yield "\n]\n" if rows else "]\n"


def csv_lines(rows: Rows, names: Sequence[str]) -> Iterator[str]:
    line = csv.writer(Given(), lineterminator="\n").writerow  # which gives what its file gives
    yield str(line(names))
    for row in rows:
        try:
            yield str(line([row.get(name) for name in names]))  # floats by repr(), and None as nothing
        except ValueError:  # an int of very many digits
            yield str(line([spelled(row.get(name)) for name in names]))


class Given:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def table_lines(rows: Rows, names: Sequence[str]) -> Iterator[str]:
    """Of one row a line for each name; of more columns, as wide as they must be, for which all are made twice."""
    if len(rows) == 1:
        width = max(5, max(map(len, names)))
        yield from (f"{name:{width}} {spelled(value)}\n" for row in rows for name, value in row.items())
        return
    widths = [*map(len, names)]
    for row in rows:
        widths = [*map(max, widths, (len(spelled(row.get(name))) for name in names))]
    for cells in itertools.chain([names], ([spelled(row.get(name)) for name in names] for row in rows)):
        yield " ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n"


def spelled(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else spell(value)


def plain_json(value: Any) -> Any:
    """JSON has no nan, no infinity, and no bytes that are not UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return None if isinstance(value, float) and not math.isfinite(value) else value


def keys(names: Sequence[str]) -> tuple[bytes, ...]:
    """What stands before each value of a row of JSON."""
    return tuple(f"{', ' if i else '{'}{json.dumps(name, ensure_ascii=False)}: ".encode() for i, name in
                 enumerate(names))  # fmt: skip


# -- rows as they come -------------------------------------------------------------------------------------------------


class RowWriter:
    """Writes rows of tables and records, or the values of an expression: as they are, as CSV or as JSON."""

    def __init__(self, write: Write, form: str, decimals: int) -> None:
        self._write, self._decimals = write, decimals
        self.form = FORMS[form]
        self.names: list[str] | None = None  # of the columns that are written
        self._keys: tuple[bytes, ...] = ()
        self._rows = False  # something was written behind the beginning

    def begin(self, names: list[str], head: bytes | None = None, records: Any = None) -> None:
        """What comes before the rows of a file, whose columns have these names. head: instead of the names in CSV.

        records: of which the rows are, if they are not of a text.
        """
        first, self.names = self.names is None, names
        self._keys = keys(names) if self.form == JSON else ()
        if first and self.form == JSON:
            self._write(b"[\n")
        elif first and head is not None:
            self._write(head)
        elif first and self.form == CSV and names:
            self._write(next(csv_lines([], names)).encode())

    def rows(self, rows: Any, keep: Numbers | None, fields: tuple[int, ...] | None,
             extra: tuple[Numbers, ...]) -> None:  # fmt: skip
        """The rows that were read last, or those for which `keep` is not 0: their fields, and numbers behind them."""

        def text(keep: Numbers | None) -> bytes:
            found: bytes = rows.machine.text(keep, fields, extra, self._decimals, self.form, self._keys)
            return found

        try:
            self._add(text(keep))
        except UnicodeDecodeError as error:
            lines = rows.machine.lines()
            kept = bytes([1]) * len(lines) if keep is None else bytes(keep)
            index, _ = first_failure(lambda n: text(array("B", kept[:n].ljust(len(kept), b"\0"))), len(lines), error)
            cell = bytes(error.object)
            raise TextError(f"{rows.at(lines[index])}{cell!r} is not UTF-8, which JSON must be") from None

    def values(self, values: Numbers) -> None:
        """The values of an expression."""
        if self.form == TEXT:
            self._write(_machine.spell_lines(values, self._decimals))
        else:
            self._add(_machine.spell_rows((values,), None, self._decimals, self.form, self._keys))

    def _add(self, text: bytes) -> None:
        if self.form == JSON and text:
            text = END_OF_ROW * self._rows + text.removesuffix(END_OF_ROW)
            self._rows = True
        self._write(text)

    def end(self) -> None:
        """What comes behind all rows."""
        if self.form == JSON:
            self._write(b"\n]\n" if self._rows else b"]\n")


class RawWriter(RowWriter):
    """Writes the values of an expression as raw numbers."""

    def __init__(self, write: Write, to_bytes: Callable[[Numbers], bytes | memoryview]) -> None:
        super().__init__(write, "text", -1)
        self._to_bytes = to_bytes

    def values(self, values: Numbers) -> None:
        """The values of an expression."""
        self._write(self._to_bytes(values))


class WavWriter(RowWriter):
    """Writes the columns of frames as the channels of a WAV file.

    code: the type of the samples, None for that of the input. all_frames: as many frames are written as there are in
    the input. file: where the header can be written again once it is known how many there are; None: nowhere.
    """

    def __init__(self, write: Write, code: str | None, all_frames: bool, file: BinaryIO | None) -> None:
        super().__init__(write, "text", -1)
        self._code, self._all_frames, self._file = code or "", all_frames, file
        self._channels = self._rate = self._frames = 0
        self._is_sized = file is not None  # the header says in the end how many there are

    def begin(self, names: list[str], head: bytes | None = None, records: Any = None) -> None:
        """The header."""
        layout = records.layout
        self._code = self._code or layout.fields[0][1]
        self._channels, self._rate = len(names), layout.rate
        count = layout.count if self._all_frames else None
        self._is_sized = self._is_sized or count is not None
        self._write(self._header(count))

    def _header(self, frames: int | None) -> bytes:
        try:
            return wav_header(self._code, self._channels, self._rate, frames)
        except ValueError as error:
            raise TextError(str(error)) from None

    def rows(self, rows: Any, keep: Numbers | None, fields: tuple[int, ...] | None,
             extra: tuple[Numbers, ...]) -> None:  # fmt: skip
        """The frames that were read last, or those for which `keep` is not 0."""
        columns = [*rows.values(fields), *extra]
        if keep is not None:
            columns = [_machine.compact(column, keep) for column in columns]
        count, size = len(columns[0]), element_size(self._code)
        frames = bytearray(count * size * self._channels)
        for i, column in enumerate(columns):
            samples = _machine.view(frames, self._code, i * size, size * self._channels, count)
            try:
                map_array(column, "x", out=samples)
            except TypeError:
                raise TextError(f"{rows.at()}the results are floats, and samples of the type {self._code!r} are not: "
                                "round(...) makes integers, --to '<f' writes floats") from None  # fmt: skip
            except OverflowError as error:
                index, _ = first_failure(lambda n: map_array(column[:n], "x", out=samples[:n]), count, error)  # noqa: B023
                raise TextError(f"{rows.at(rows.lines()[index])}{column[index]} does not fit samples of the type "
                                f"{self._code!r}") from None  # fmt: skip
        self._frames += count
        self._write(bytes(frames))

    def end(self) -> None:
        """A byte if their number is odd, and in a file the number of frames, which nobody may have known before.

        Where the header has no number that byte would be one of samples.
        """
        if self._is_sized and self._frames * self._channels * element_size(self._code) % 2:
            self._write(b"\0")
        if self._file is not None:
            header = self._header(self._frames)
            self._file.seek(0)
            self._write(header)


def element_size(code: str) -> int:
    """The bytes of an element in a file."""
    return 3 if code[-2:] in ("i3", "u3") else struct.calcsize(code)
