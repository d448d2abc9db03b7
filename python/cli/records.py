"""Packed records of binary files, whose fields are names in expressions as columns of a table are; frames of WAV files
(wav.py) are records, too.

What always holds: records are read some thousands at a time; a column is a view of the bytes that were read, until the
next are. Records has what expressions need of arrayops.delimited.Rows, and rows are records here.
"""

from __future__ import annotations

import itertools
import re
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from .. import _machine
from ..compiler.machine import TYPECODES
from ..delimited import Column, Form, TextError, shorten
from .formats import TEXT as AS_THEY_ARE
from .formats import element_size, spell
from .streams import Numbers
from .wav import Layout, wav_layout

CHUNK_BYTES = 1 << 18
MOST_RECORD_BYTES = 1 << 20
MOST_FIELDS = 1 << 10


def layout(record: str, names: Sequence[str], offset: int, count: int | None) -> Layout:
    """The layout of a struct's format, such as '<IhHfd'. Raises ValueError for what is none."""
    order = record[:1] if record[:1] in ("<", ">", "=", "@", "!") else ""
    body = record[len(order) :].replace(" ", "")
    items = re.findall(r"(\d*)([a-zA-Z?])", body)
    if "".join(number + letter for number, letter in items) != body or not items:
        raise ValueError(f"--record {record!r} is not a format of struct, such as '<IhHfd'")
    found: list[tuple[str, int]] = []
    before = order
    for number, letter in items:
        if letter not in TYPECODES and letter not in "xs":
            raise ValueError(f"--record {record!r}: {letter!r} is no number; x leaves out a byte, 16s 16 of them")
        repeated = 1 if letter in "xs" else int(number or 1)
        if len(found) + repeated > MOST_FIELDS:
            raise ValueError(f"--record {record!r} has more than {MOST_FIELDS} fields")
        for _ in range(repeated):
            before += number + letter if letter in "xs" else letter
            if letter not in "xs":
                found.append((code_of(order, letter), struct.calcsize(before) - struct.calcsize(order + letter)))
    size = struct.calcsize(record)
    if size > MOST_RECORD_BYTES:
        raise ValueError(f"--record {record!r} has {size} bytes; {MOST_RECORD_BYTES} are the most")
    if len(found) != len(names):
        raise ValueError(f"--record {record!r} has {len(found)} fields, and --fields {len(names)} names")
    if len({*names}) < len(names):
        raise ValueError(f"--fields {','.join(names)}: a name is there twice")
    return Layout(tuple((name, *item) for name, item in zip(names, found, strict=True)), size, offset, count)


def code_of(order: str, letter: str) -> str:
    """The format of one field: network order is big-endian, and native order has no prefix."""
    return {"": "", "@": "", "=": "", "!": ">"}.get(order, order) + letter


class Records:
    """The records of a stream, read in chunks, with the columns that were selected of the chunk that was read last."""

    before: tuple[tuple[bytes, bytes], ...] = ()

    def __init__(self, stream: BinaryIO, name: str | None, form: Form, where: Layout | None) -> None:
        self.name, self.form = name, form
        self.machine = self
        self.position = 0
        read: Any = getattr(stream, "read1", None) or stream.read
        self._read: Callable[[int], bytes] = read
        try:
            self.layout = wav_layout(read) if where is None else where
        except ValueError as error:
            raise TextError(f"{self.at()}{error}") from None
        self.names = [field[0] for field in self.layout.fields]
        self.fields = len(self.names)
        self.columns: list[Column] = []
        self._bytes, self._count, self._start = b"", 0, 0

    def at(self, record: int | None = None) -> str:
        """How a message begins; records count from 0."""
        return "".join(f"{part}, " for part in (self.name, None if record is None else f"record {record}") if part)

    def field(self, name: str) -> int:
        """Which field it is."""
        if name not in self.names:
            raise TextError(f"{self.at()}there is no field {name!r}; there are {shorten(', '.join(self.names))}")
        return self.names.index(name)

    def select(self, columns: Sequence[Column]) -> None:
        """Says which columns are wanted."""
        self.columns = list(columns)

    def chunks(self, most: int = 0) -> Iterator[int]:
        """Reads on, and yields how many records there are, again and again."""
        size, left = self.layout.size, self.layout.count
        skipped = 0
        while skipped < self.layout.offset and (gone := self._read(min(CHUNK_BYTES, self.layout.offset - skipped))):
            skipped += len(gone)
        if skipped < self.layout.offset:
            raise TextError(f"{self.at()}--offset leaves out {self.layout.offset} bytes, and the input has {skipped}")
        rest = b""
        while left is None or left > 0:
            wanted = max(CHUNK_BYTES, size) if left is None else min(max(CHUNK_BYTES, size), left * size - len(rest))
            block = self._read(wanted)
            if not block:
                if self.layout.rate and left is not None:
                    raise TextError(f"{self.at()}the file ends {left} frames before its header says")
                if self._is_enough(rest):
                    self._start, self._count = self._start + self._count, 1
                    self._bytes = rest + bytes(size - len(rest))
                    yield 1
                elif rest:
                    raise TextError(f"{self.at()}the input ends inside a record: {len(rest)} of {size} bytes")
                return
            self.position += len(block)
            rest += block
            self._start += self._count
            self._count = len(rest) // size
            self._bytes, rest = rest[: self._count * size], rest[self._count * size :]
            left = None if left is None else left - self._count
            if self._count:
                yield self._count

    def _is_enough(self, rest: bytes) -> bool:
        """Whether all fields of the last record are there, though not what is between it and the next."""
        return bool(rest) and len(rest) >= max(offset + element_size(code) for _, code, offset in self.layout.fields)

    settled_chunks = chunks

    def column(self, index: int) -> Numbers:
        """A view of a column that was selected."""
        _, code, offset = self.layout.fields[self.columns[index].field]
        return self._view(code, offset)

    def _view(self, code: str, offset: int) -> Numbers:
        return _machine.view(self._bytes, code, offset, self.layout.size, self._count)

    def lines(self) -> Sequence[int]:
        """The numbers of the records."""
        return range(self._start, self._start + self._count)

    def absent(self, index: int) -> tuple[Any, int]:
        """Nothing is missing."""
        return None, 0

    def values(self, fields: Sequence[int] | None) -> list[Numbers]:
        """Views of fields, None for all, of the records that were read last."""
        all_fields = self.layout.fields
        wanted = all_fields if fields is None else [all_fields[i] for i in fields]
        return [self._view(code, offset) for _, code, offset in wanted]

    def text(self, keep: Numbers | None, fields: Sequence[int] | None, extra: tuple[Numbers, ...], decimals: int,
             form: int, names: tuple[bytes, ...]) -> bytes:  # fmt: skip
        """The records that are kept: their bytes, or their values in rows of another form."""
        if form != AS_THEY_ARE:
            return _machine.spell_rows((*self.values(fields), *extra), keep, decimals, form, names)
        if keep is None:
            return self._bytes
        size = self.layout.size
        runs = (run.span() for run in re.finditer(rb"[^\0]+", keep.tobytes()))
        return b"".join(self._bytes[a * size : b * size] for a, b in runs)

    def codes(self, columns: Sequence[int], known: dict[bytes, int]) -> Numbers:
        """A number for the values of columns in each record: that of their key, as for Rows, in the dict."""
        texts = [[spell(value).encode() for value in self.column(i).tolist()] for i in columns]
        keys = texts[0] if len(texts) == 1 else map(key_of, zip(*texts, strict=True))
        return array("I", [known.setdefault(key, len(known)) for key in keys])


def key_of(texts: Iterable[bytes]) -> bytes:
    """The key of several texts: each behind its length in four bytes."""
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def named(text: str) -> list[str]:
    """Names of fields."""
    return list(itertools.chain.from_iterable(part.split() for part in text.split(",")))
