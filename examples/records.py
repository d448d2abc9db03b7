"""Packed records of binary protocols and files: their fields as columns, without a copy. See docs/cookbook-binary.md.

The log file of the example has a header, the letters LOG1 and the number of records, and then for each record, in
big-endian order: milliseconds (I), hundredths of a degree Celsius (h), units of 10 Pa (H) and flags (B).
"""

from __future__ import annotations

import os
import re
import struct
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import arrayops as ao

if TYPE_CHECKING:
    from typing_extensions import Buffer

HEADER = struct.Struct(">4sI")
MAGIC = b"LOG1"
RECORD = ">IhHB"
VALID, ALARM = 1, 2  # bits of the flags


def layout(format: str) -> tuple[list[tuple[str, int]], int]:
    """The format and offset of each number of a struct format, and the size of a record.

    The format must begin with < or >, so that no field is aligned; bytes to skip are x.
    """
    if format[:1] not in ("<", ">"):
        raise ValueError(f"the format of a record must begin with < or >, not {format!r}")
    fields: list[tuple[str, int]] = []
    offset = 0
    for count, letter in re.findall(r"(\d*)(\D)", format[1:]):
        size = struct.calcsize(format[0] + letter)
        for _ in range(int(count or 1)):
            if letter != "x":
                fields.append((format[0] + letter, offset))
            offset += size
    return fields, offset


def columns(buffer: Buffer, format: str, offset: int = 0, count: int | None = None) -> list[ao.View]:
    """A view of each field of the records that begin at an offset: by default of all that are whole."""
    fields, size = layout(format)
    if count is None:
        count = (memoryview(buffer).nbytes - offset) // size
    return [ao.view(buffer, letter, offset + at, size, count) for letter, at in fields]


def pack(format: str, *values: Any) -> bytearray:
    """Records of a struct format from one buffer of numbers for each field; OverflowError for one that does not fit."""
    fields, size = layout(format)
    if len(values) != len(fields):
        raise ValueError(f"{format!r} has {len(fields)} fields, {len(values)} were given")
    records = bytearray(len(values[0]) * size if values else 0)
    for view, numbers in zip(columns(records, format), values, strict=True):
        ao.map(numbers, "x", out=view)
    return records


def select(values: Sequence[Any], flags: Any, mask: int) -> list[array[Any]]:
    """Of each column, the elements of the records in whose flags all bits of a mask are set."""
    return [ao.filter(column, lambda x, flag: flag & mask == mask, flags) for column in values]


def read_log(path: str | os.PathLike[str]) -> tuple[array[float], array[float], array[float]]:
    """Seconds, degrees Celsius and hectopascals of the valid records of a log file."""
    octets = ao.open(path)  # held by the views of it, and closed when the last of them is gone
    magic, count = HEADER.unpack(bytes(octets[: HEADER.size]))
    if magic != MAGIC:
        raise ValueError(f"{os.fspath(path)!r} is not a log file: it begins with {magic!r}")
    *values, flags = columns(octets, RECORD, HEADER.size, count)
    time, temperature, pressure = select(values, flags, VALID)
    return (
        ao.map(time, "x / 1000", typecode="d"),
        ao.map(temperature, "x / 100", typecode="d"),
        ao.map(pressure, "x / 10", typecode="d"),
    )


def write_log(path: str | os.PathLike[str], time: Any, temperature: Any, pressure: Any, flags: Any) -> None:
    """A log file of seconds, degrees Celsius, hectopascals and flags, each rounded to the unit of its field."""
    units = [ao.map(time, "round(x * 1000)", typecode="I"), ao.map(temperature, "round(x * 100)", typecode="h"),
             ao.map(pressure, "round(x * 10)", typecode="H"), flags]  # fmt: skip
    with open(path, "wb") as file:
        file.write(HEADER.pack(MAGIC, len(flags)))
        file.write(pack(RECORD, *units))


def recalibrate(path: str | os.PathLike[str], degrees: float) -> None:
    """Adds to all temperatures of a log file, in the file."""
    size = layout(RECORD)[1]
    with ao.open(path, ">h", HEADER.size + 4, size, mode="r+") as temperature:
        ao.map_inplace(temperature, "x + hundredths", hundredths=round(degrees * 100))
