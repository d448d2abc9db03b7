"""Packed records of binary files, whose fields are names in expressions as columns of a table are; frames of WAV files.

What always holds: records are read some thousands at a time; a column is a view of the bytes that were read, until the
next are. Records has what expressions need of arrayops.delimited.Rows, and rows are records here.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from .. import _machine
from ..compiler.machine import TYPECODES
from ..delimited import Column, Form, TextError, shorten
from .streams import Numbers

CHUNK_BYTES = 1 << 18
MOST_RECORD_BYTES = 1 << 20
MOST_FIELDS = 1 << 10
FLOAT, PCM, EXTENSIBLE = 3, 1, 0xFFFE
#: The types of samples, by the tag of the format and the bits of a sample. Those of 8 bits have no sign.
SAMPLES = {(PCM, 8): "B", (PCM, 16): "<h", (PCM, 24): "<i3", (PCM, 32): "<i", (FLOAT, 32): "<f", (FLOAT, 64): "<d"}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where fields are in a record: name, format and offset of each; the record's bytes; what is before the first."""

    fields: tuple[tuple[str, str, int], ...]
    size: int
    offset: int = 0
    count: int | None = None


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


def wav_layout(read: Callable[[int], bytes]) -> Layout:
    """The layout of a WAV file's frames, whose header is read. Raises ValueError."""
    head = taken(read, 12)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise ValueError("this is no WAV file")
    form: tuple[int, int, int, int] | None = None
    while len(chunk := taken(read, 8)) == 8:
        kind, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        if kind == b"data":
            if form is None:
                raise ValueError("this WAV file has its data before its format")
            return frames(*form, size)
        body = taken(read, size + size % 2) if size < MOST_RECORD_BYTES else b""
        if len(body) < size:
            break
        if kind == b"fmt ":
            if size < 16:
                break
            tag, channels, _, _, frame, bits = struct.unpack("<HHIIHH", body[:16])
            tag = struct.unpack_from("<H", body, 24)[0] if tag == EXTENSIBLE and size >= 26 else tag
            form = (tag, channels, bits, frame)
    raise ValueError("this WAV file ends before its data")


def frames(tag: int, channels: int, bits: int, frame: int, size: int) -> Layout:
    code = SAMPLES.get((tag, bits))
    if code is None or not channels or frame != channels * bits // 8:
        raise ValueError(f"samples of {bits} bits in format {tag} are not read; those of 8 to 32 bits and floats are")
    names = {1: ["x"], 2: ["left", "right"]}.get(channels) or [f"ch{i + 1}" for i in range(channels)]
    fields = tuple((name, code, i * bits // 8) for i, name in enumerate(names))
    return Layout(fields, frame, 0, size // frame)


def taken(read: Callable[[int], bytes], size: int) -> bytes:
    """So many bytes of a stream, or what there is."""
    found = b""
    while len(found) < size and (more := read(size - len(found))):
        found += more
    return found


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
        rest = b""
        while left is None or left > 0:
            wanted = max(CHUNK_BYTES, size) if left is None else min(max(CHUNK_BYTES, size), left * size - len(rest))
            block = self._read(wanted)
            if not block:
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
        return bool(rest) and len(rest) >= max(offset + self._size(code) for _, code, offset in self.layout.fields)

    @staticmethod
    def _size(code: str) -> int:
        return 3 if code[-2:] in ("i3", "u3") else struct.calcsize(code)

    settled_chunks = chunks

    def column(self, index: int) -> Numbers:
        """A view of a column that was selected."""
        _, code, offset = self.layout.fields[self.columns[index].field]
        return _machine.view(self._bytes, code, offset, self.layout.size, self._count)

    def lines(self) -> Sequence[int]:
        """The numbers of the records."""
        return range(self._start, self._start + self._count)

    def absent(self, index: int) -> tuple[Any, int]:
        """Nothing is missing."""
        return None, 0

    def text(self, keep: Numbers | None, fields: object, extra: object, decimals: int) -> bytes:
        """The records that are kept."""
        if keep is None:
            return self._bytes
        size = self.layout.size
        assert fields is None and extra == ()
        runs = (run.span() for run in re.finditer(rb"[^\0]+", keep.tobytes()))
        return b"".join(self._bytes[a * size : b * size] for a, b in runs)


def named(text: str) -> list[str]:
    """Names of fields."""
    return list(itertools.chain.from_iterable(part.split() for part in text.split(",")))
