"""Numbers in and out of files and pipes, for the command line: raw binary and text lines; tables are tables.py.

What always holds: memory is bounded by CHUNK_BYTES and MAX_LINE_BYTES, never by the size of the input; a chunk is
valid until the next one is asked for; an output file is replaced whole or left as it was. A number is never changed
silently: what does not parse, does not fit or is cut off is a StreamError that says where.

Raw files are read with readinto and not mapped: mapped pages count as resident memory, and a copy of 1 MiB out of the
page cache costs less than the page faults of a mapping.

Nothing here knows about expressions, and nothing here prints.
"""

import os
import stat
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

from .. import _machine
from ..compiler.machine import ARRAY_TYPECODES, FLOAT_TYPECODES, TYPECODES
from ..engine import common, kernel
from ..engine.output import replacing

CHUNK_BYTES = 1 << 20
TEXT_BLOCK_BYTES = 1 << 18
MAX_LINE_BYTES = 1 << 20
MAX_COLUMN_DIGITS = 10  # what is longer is taken for a name
SHOWN_CHARS = 60  # of the input, in a message
SKIP = "skip"
BYTE_ORDERS = {"<": "little", ">": "big"}
UTF8_BOM = b"\xef\xbb\xbf"

Number: TypeAlias = int | float
Numbers: TypeAlias = Any  # array.array or a memoryview of one; the two share no public supertype


class StreamError(ValueError):
    """The input is not what was asked for; the message says where and what."""


@dataclass(frozen=True, slots=True)
class ElementType:
    """A typecode and whether its bytes in the file are in the other order than this machine's.

    Those that array.array has not ('?', 'e', 'i3', 'u3') are Views, in the order of the file already.
    """

    code: str
    swapped: bool = False

    @classmethod
    def parse(cls, text: str) -> "ElementType":
        """Reads `d`, `<H`, `>H` or `int16`; without a prefix the byte order is this machine's."""
        code = text[1:] if text[:1] in BYTE_ORDERS else text
        if code not in TYPECODES:  # a longer name: 'l' is as long with an order as without one here
            try:
                code = _machine.typecode(code if code.isalnum() else "")
            except ValueError:
                listed = " ".join(TYPECODES)
                raise ValueError(f"{text!r} is not a type: one of {listed}, with < or > before it if need be") from None
        return cls(code, text[:1] in BYTE_ORDERS and BYTE_ORDERS[text[0]] != sys.byteorder)

    @property
    def size(self) -> int:
        return _machine.TYPECODES[self.code]["size"]

    @property
    def is_array(self) -> bool:
        return self.code in ARRAY_TYPECODES

    @property
    def format(self) -> str:
        """Of elements in the file, as view() takes it."""
        return ("<" if self.swapped == (sys.byteorder == "big") else ">") + self.code

    def elements(self, count: int) -> Numbers:
        """So many new elements to be written."""
        if self.is_array:
            return memoryview(_machine.new_array(self.code, count))
        return _machine.view(bytearray(count * self.size), self.format, 0, None, count)

    @property
    def is_float(self) -> bool:
        return self.code in FLOAT_TYPECODES


@dataclass(frozen=True, slots=True)
class Missing:
    """What counts as no number in a text, and what becomes of it: None, an error; SKIP, left out; else a number.

    A cell of CSV that is empty is always missing; a blank line of a text with one number per line is no element at all.
    """

    tokens: frozenset[str] = frozenset()
    instead: Number | str | None = None

    def covers_numbers(self, kind: ElementType) -> bool:
        """Whether a token would be read as a number, so that every cell must be looked at."""
        return any(reads(token, kind) for token in self.tokens)

    def value(self, text: str, line: int, kind: ElementType) -> Number | None:
        """The number of a cell, or None if it is left out. StreamError if there is none, and that is an error."""
        if text and text not in self.tokens:
            return parse_number(text, line, kind)
        if self.instead is None:
            what = f"{shorten(text)!r} is missing" if text else "the cell is empty"
            raise StreamError(f"line {line}: {what}: --missing skip leaves it out, --missing NUMBER fills it in")
        return None if isinstance(self.instead, str) else self.instead


NONE_MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some elements of the input, the first one's index, the input bytes read so far and, in text, the line numbers."""

    data: Numbers
    start: int
    position: int
    lines: Sequence[int] | None = None
    name: str = ""  # of the file, if there are several

    def where(self, index: int) -> str:
        """Names the element at `index` of this chunk by its place in the whole input."""
        line = f" (line {self.lines[index]})" if self.lines else ""
        return f"{self.name}element {self.start + index}{line}"


# ---- raw binary ----------------------------------------------------------------------------------------------------


def raw_chunks(stream: BinaryIO, kind: ElementType) -> Iterator[Chunk]:
    """Yields the elements of a raw stream; a pipe's chunks are what it has ready, so nothing waits for a full one."""
    refuse_cut_file(stream, kind)
    buffer: Any = array(kind.code, bytes(CHUNK_BYTES)) if kind.is_array else bytearray(CHUNK_BYTES)
    window = memoryview(buffer).cast("B")
    any_stream: Any = stream  # BinaryIO promises neither; every stream of bytes has the second, pipes the first
    read: Callable[[memoryview], int | None] = getattr(any_stream, "readinto1", None) or any_stream.readinto
    held = start = position = 0
    while got := read(window[held:]):
        held, position = held + got, position + got
        count = held // kind.size
        whole = count * kind.size
        if count:
            yield Chunk(native_elements(buffer, count, kind), start, position)
            window[: held - whole] = bytes(window[whole:held])
            start, held = start + count, held - whole
    if got is None:
        raise StreamError("the input is in non-blocking mode and has nothing to read")
    if held:
        raise cut_error(held, kind)


def native_elements(buffer: Any, count: int, kind: ElementType) -> Numbers:
    """The first `count` elements in this machine's byte order; a swap works on a copy to leave the rest as read."""
    if not kind.is_array:
        return _machine.view(buffer, kind.format, 0, None, count)
    if not kind.swapped:
        return memoryview(buffer)[:count]
    copy = buffer[:count]
    copy.byteswap()
    return copy


def refuse_cut_file(stream: BinaryIO, kind: ElementType) -> None:
    """Refuses a regular file that ends inside an element before any work is done on it."""
    rest = bytes_left(stream)
    if rest is not None and rest % kind.size:
        raise cut_error(rest % kind.size, kind)


def cut_error(odd: int, kind: ElementType) -> StreamError:
    return StreamError(
        f"the input ends inside an element: {odd} of {kind.size} bytes of type {kind.code!r}; is -t right?"
    )


def bytes_left(stream: BinaryIO) -> int | None:
    """The bytes from here to the end of a regular file, or None if the stream is not one."""
    try:
        status = os.fstat(stream.fileno())
        return status.st_size - stream.tell() if stat.S_ISREG(status.st_mode) else None
    except (OSError, ValueError):  # io.UnsupportedOperation, of streams in memory, is both
        return None


# ---- text ----------------------------------------------------------------------------------------------------------


class Lines:
    """Blocks of whole lines of a byte stream, with the number of the first line of each and the bytes read so far."""

    def __init__(self, stream: BinaryIO, skip: int) -> None:
        self.read: Callable[[int], bytes] = getattr(stream, "read1", None) or stream.read
        self.skip = skip
        self.position = 0

    def blocks(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yields (number of the first line, lines), counting from 1 and leaving out the first `skip` lines."""
        number = 1
        for lines in self.whole_lines():
            if number == 1:
                lines[0] = lines[0].removeprefix(UTF8_BOM)
            dropped = min(len(lines), max(0, self.skip + 1 - number))
            yield number + dropped, lines[dropped:]
            number += len(lines)

    def whole_lines(self) -> Iterator[list[bytes]]:
        rest = b""
        while block := self.read(TEXT_BLOCK_BYTES):
            self.position += len(block)
            block = rest + block
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if len(rest) > MAX_LINE_BYTES:
                raise StreamError(f"a line is longer than {MAX_LINE_BYTES} bytes; is this a binary file?")
            if end:
                yield block[:end].splitlines()
        if rest:
            yield rest.splitlines()


def text_chunks(stream: BinaryIO, kind: ElementType, skip: int = 0, missing: Missing = NONE_MISSING) -> Iterator[Chunk]:
    """Yields the numbers of a text with one number per line; blank lines and lines that start with # are left out."""
    lines = Lines(stream, skip)
    parse: Callable[[bytes], Number] = float if kind.is_float else int
    start, careful = 0, missing.covers_numbers(kind)
    for first, block in lines.blocks():
        numbers: Sequence[int] = range(first, first + len(block))
        try:
            values = None if careful else [parse(line) for line in block]
        except ValueError:
            values = None
        if values is None:
            numbers, values = parse_lines(block, first, kind, missing)
        data = pack(values, numbers, kind)
        yield Chunk(data, start, lines.position, numbers)
        start += len(data)


def parse_lines(block: list[bytes], first: int, kind: ElementType, missing: Missing) -> tuple[list[int], list[Number]]:
    """The careful way through a block: leaves out blank and comment lines and names the line that is no number."""
    numbers: list[int] = []
    values: list[Number] = []
    for number, line in enumerate(block, first):
        text = line.strip()
        if text and not text.startswith(b"#"):
            value = missing.value(text.decode("utf-8", "replace"), number, kind)
            if value is not None:
                values.append(value)
                numbers.append(number)
    return numbers, values


def parse_number(text: str, line: int, kind: ElementType) -> Number:
    """Reads a number as Python's float() or int() does, so an integer type takes integers only, and exactly."""
    try:
        return float(text) if kind.is_float else int(text)
    except ValueError:
        wanted = "a number" if kind.is_float else f"an integer, as type {kind.code!r} needs"
        problem = too_many_digits(text) or f"{shorten(text)!r} is not {wanted}"
        raise StreamError(f"line {line}: {problem}") from None


def reads(text: str, kind: ElementType) -> bool:
    """Whether this is read as a number of the type."""
    try:
        parse_number(text, 0, kind)
        return True
    except StreamError:
        return False


def too_many_digits(text: str) -> str | None:
    """What is wrong with an integer that Python does not read because of its length."""
    digits, most = text.strip().lstrip("+-").replace("_", ""), sys.get_int_max_str_digits()
    if not digits.isdecimal() or not 0 < most < len(digits):
        return None
    return (
        f"{shorten(text)!r} has {len(digits)} digits, and Python reads integers of up to {most}; "
        "PYTHONINTMAXSTRDIGITS=0 in the environment lifts that"
    )


def shorten(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "..."


def pack(values: list[Number], lines: Sequence[int], kind: ElementType) -> Numbers:
    try:
        return common.new_values(kind.code, values)
    except OverflowError:
        for value, line in zip(values, lines, strict=True):
            try:
                common.new_values(kind.code, [value])
            except OverflowError as error:
                raise StreamError(f"line {line}: {error}") from None
        raise


def is_column_number(column: str) -> bool:
    return column.isdecimal() and len(column) < MAX_COLUMN_DIGITS and int(column) > 0


# ---- output --------------------------------------------------------------------------------------------------------


def raw_bytes(data: Numbers, kind: ElementType) -> bytes | memoryview:
    """The elements in the byte order of `kind`; swaps an array of its own, never the caller's."""
    if not kind.is_array:
        in_order = kind.elements(len(data))
        kernel.text_kernel("x").map(data, out=in_order)
        return bytes(in_order)
    if kind.swapped:
        data = array(kind.code, bytes(data))
        data.byteswap()
    return memoryview(data).cast("B")


def write_all(stream: BinaryIO, data: bytes | memoryview) -> None:
    """Writes every byte: under `python -u` standard output is unbuffered and may take only a part at a time."""
    if not common.write_all(stream, data):
        raise StreamError("the output is in non-blocking mode and is full")


@contextmanager
def open_input(path: str, stdin: BinaryIO) -> Iterator[BinaryIO]:
    """Opens a file, unbuffered because chunks are large, or gives `stdin` for `-`."""
    if path == "-":
        yield stdin
        return
    with open(path, "rb", buffering=0) as stream:
        yield stream


@contextmanager
def open_output(path: str, stdout: BinaryIO) -> Iterator[BinaryIO]:
    """Opens a file to be replaced atomically, a device or named pipe to be written directly, or `stdout` for `-`."""
    if path == "-":
        yield stdout
        stdout.flush()
        return
    target = os.path.realpath(path)  # through a symbolic link to the file itself, as an ordinary write would go
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as stream:
            yield stream
        return
    with replacing(target) as stream:
        yield stream
