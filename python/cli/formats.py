"""What results are written as: lines and rows of text, CSV, JSON, raw numbers, WAV files.

What always holds: rows are written as they come, and what is written of them does not depend on how they were cut. JSON
is an array with an object in each line; what is not finite, and what is missing, is null there.
"""

from __future__ import annotations

import csv
import io
import json
import math
import struct
from array import array
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, TypeAlias

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

Row: TypeAlias = dict[str, Any]
Write: TypeAlias = Callable[[bytes], None]


def spell(value: Number) -> str:
    """Python's repr; an integer of more digits than Python agrees to write in decimal is written in hexadecimal."""
    try:
        return repr(int(value) if isinstance(value, bool) else value)
    except ValueError:
        return hex(int(value))


# -- a few rows of figures ---------------------------------------------------------------------------------------------


def written(rows: Sequence[Row], form: str) -> bytes:
    """Rows as text in columns, CSV or JSON. Texts that were no UTF-8 are those bytes again, but in JSON."""
    return text_of_rows(rows, form).encode("utf-8", "surrogateescape")


def text_of_rows(rows: Sequence[Row], form: str) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if form == "json":
        lines = (json.dumps({name: plain_json(value) for name, value in row.items()}) for row in rows)
        return "[\n" + "".join(line + ",\n" for line in lines)[:-2] + "\n]\n"
    table = [[spelled(row.get(name, "")) for name in names] for row in rows]
    if form == "csv":
        return csv_text([names, *table])
    if len(rows) == 1:
        width = max(5, max(map(len, names)))
        return "".join(f"{name:{width}} {cell}\n" for name, cell in zip(names, table[0], strict=True))
    widths = [max(map(len, column)) for column in zip(names, *table, strict=True)]
    lines = (" ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in [names, *table])
    return "".join(line.rstrip() + "\n" for line in lines)


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows of texts as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


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
        elif first and self.form == CSV:
            self._write(csv_text([names]).encode())

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

    def __init__(self, write: Write, to_bytes: Callable[[Numbers], bytes]) -> None:
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

    def begin(self, names: list[str], head: bytes | None = None, records: Any = None) -> None:
        """The header."""
        layout = records.layout
        self._code = self._code or layout.fields[0][1]
        self._channels, self._rate = len(names), layout.rate
        self._write(self._header(layout.count if self._all_frames else None))

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
        """A byte if their number is odd, and in a file the number of frames, which nobody may have known before."""
        header = self._header(self._frames)
        if self._frames * self._channels * element_size(self._code) % 2:
            self._write(b"\0")
        if self._file is not None:
            self._file.seek(0)
            self._write(header)


def element_size(code: str) -> int:
    """The bytes of an element in a file."""
    return 3 if code[-2:] in ("i3", "u3") else struct.calcsize(code)
