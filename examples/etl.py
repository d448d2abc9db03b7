"""Columns of CSV files, and binary files larger than the memory. See docs/cookbook-etl.md."""

from __future__ import annotations

import csv
import math
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TextIO

import arrayops as ao

CHUNK = 1 << 20  # elements that are in memory at a time


def read_columns(file: TextIO, **typecodes: str) -> dict[str, array[Any]]:
    """The columns of a CSV file with a header: the names that are wanted, and the typecode of each.

    An empty cell is nan in a column of floats; anything else that is not a number is a ValueError with its line.
    """
    return ao.read_csv(file, typecodes, typecodes=typecodes, missing=math.nan)


def write_columns(file: TextIO, **columns: Any) -> None:
    """A CSV file of columns of one length; nan becomes an empty cell."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(["" if x != x else x for x in row])


def where(columns: dict[str, array[Any]], condition: str) -> dict[str, array[Any]]:
    """The rows for which an expression of the names of columns is true."""
    used = ao.compile(condition).params
    given: dict[str, Any] = {name: columns[name] for name in used}
    keep = ao.evaluate(condition, **given)
    return {name: ao.filter(column, lambda x, kept: kept, keep) for name, column in columns.items()}


def chunks(path: str | os.PathLike[str], format: str, size: int = CHUNK) -> Iterator[ao.View]:
    """The numbers of a file, some at a time. A chunk is a view of the mapped file: nothing is copied."""
    numbers = ao.open(path, format)
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


@dataclass
class Totals:
    """What is known of numbers that are seen in parts."""

    count: int = 0
    low: float = math.inf
    high: float = -math.inf
    sums: list[int | float] = field(default_factory=list)

    def add(self, numbers: Any) -> None:
        """Takes in more numbers."""
        if len(numbers):
            self.count += len(numbers)
            self.low = min(self.low, ao.min(numbers))
            self.high = max(self.high, ao.max(numbers))
            self.sums.append(ao.sum(numbers))

    @property
    def sum(self) -> int | float:
        """The exact sum of ints; of floats, the sum of the parts' sums, each of these rounded once."""
        return math.fsum(self.sums) if any(isinstance(x, float) for x in self.sums) else sum(self.sums)

    @property
    def mean(self) -> float:
        return self.sum / self.count


def stream(source: str | os.PathLike[str], format: str, condition: str, text: str, target: str | os.PathLike[str],
           size: int = CHUNK) -> Totals:  # fmt: skip
    """Writes the values of a text, for the numbers of a file that a condition keeps, as doubles; returns the totals."""
    totals = Totals()
    wanted, value = ao.compile(condition), ao.compile(text)
    with open(target, "wb") as file:
        for chunk in chunks(source, format, size):
            numbers = ao.map(ao.filter(chunk, wanted), value, typecode="d")
            totals.add(numbers)
            numbers.tofile(file)
    return totals
