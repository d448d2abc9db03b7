"""What there is: of the installation, and with a file its columns, their kinds and what is missing in them."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from .. import __version__, _machine
from ..compiler import evaluate, parse
from ..compiler.machine import ISA, ISA_LEVELS, TYPECODES
from ..delimited import DOUBLE, INT, NEVER, TEXT, TURN_ALL, Column, Rows, TextError
from .formats import Row
from .records import Records
from .tables import Inputs, column_names

KINDS = {"q": "int64", "d": "double"}


def installation() -> Row:
    """Version, instruction-set level, limits and typecodes."""
    limits = {
        "MAX_TEXT": parse.MAX_TEXT,
        "MAX_DEPTH": parse.MAX_DEPTH,
        "MAX_NODES": parse.MAX_NODES,
        "MAX_INT_BITS": evaluate.MAX_INT_BITS,
    }
    return {
        "arrayops": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}",
        "isa": f"{ISA}, of {' '.join(ISA_LEVELS)} on this machine",
        "native": "yes" if _machine.native() != "0" else "no",
        "limits": ", ".join(f"{name} {value}" for name, value in limits.items()),
        "byte order": sys.byteorder,
        **{f"type {code}": f"{_machine.TYPECODES[code]['size']} bytes" for code in TYPECODES},
    }


def contents(args: argparse.Namespace, inputs: Inputs) -> list[Row]:
    """The columns of all files, or the fields of their records."""
    found: list[Row] = []
    for path in args.inputs:
        with inputs.open(path) as rows:
            file = {"file": path} if len(args.inputs) > 1 else {}
            of_file = fields_of(rows) if isinstance(rows, Records) else columns_of(rows, inputs)
            found += [{**file, **row} for row in of_file]
    return found


def fields_of(records: Records) -> list[Row]:
    """Names, types and places of the fields, and how many records there are."""
    count = sum(records.chunks())
    rate: Row = {"rate": records.layout.rate} if records.layout.rate else {}
    return [{"column": name, "kind": code, "offset": offset, "count": count, **rate}
            for name, code, offset in records.layout.fields]  # fmt: skip


def columns_of(rows: Rows, inputs: Inputs) -> list[Row]:
    """Names and kinds of the columns, as expressions read them, and how many cells are missing."""
    cells = (cell.decode("utf-8", "replace").strip() for cell in rows.peek() or ())
    seen = [Seen(name, rows.form.may_be_number(next(cells, ""))) for name in column_names(rows)]
    count = 0
    for more in resumed(rows, inputs, seen):
        count += more
        for i, column in enumerate(seen):
            if column.is_number:
                column.look(rows, i)
    return [{"column": one.name, "kind": one.kind(), "count": count, "missing": one.missing if one.is_number else None}
            for one in seen]  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What was seen of a column."""

    name: str
    is_number: bool
    code: str = "q"
    turned: int | None = None  # the line of the first float behind ints
    missing: int = 0
    before: int = 0  # missing cells in the rows before those of this selection

    def look(self, rows: Rows, place: int) -> None:
        """At the rows that were read last."""
        code = rows.machine.column(place).typecode
        if code != self.code and rows.position > rows.sample:
            self.turned = rows.machine.lines()[0]
        self.code = code
        self.missing = self.before + rows.machine.absent(place)[1]

    def column(self, field: int) -> Column:
        """How it is read from now on."""
        if not self.is_number:
            return Column(self.name, field, TEXT)
        return Column(self.name, field, INT if self.code == "q" else DOUBLE, TURN_ALL if self.code == "q" else NEVER)

    def kind(self) -> str:
        """In words."""
        if not self.is_number:
            return "text"
        return KINDS[self.code] if self.turned is None else f"int64, from line {self.turned} on double"


def resumed(rows: Rows, inputs: Inputs, seen: list[Seen]) -> Iterator[int]:
    """Reads on, and yields how many rows; a column is one of texts from the first cell on that is no number.

    It is then selected anew, and the row that was at fault is read again.
    """
    while True:
        rows.select([column.column(i) for i, column in enumerate(seen)])
        try:
            yield from inputs.chunks(rows)
            return
        except TextError:
            if rows.machine.fault is None or rows.machine.fault[0] != "number":
                raise
            seen[rows.machine.fault[2]].is_number = False
        for column in seen:
            column.before = column.missing
