"""Captured objects: where a function finds what its names mean, and what a code object means while it finds the same.

The order of slots and the look-up itself are the machine's (captures.c), which compares them again at each call.
"""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple

from .ir import IR
from .machine import MACHINE_TYPES, SLOT_KINDS, capture, find

#: What a function may capture as a table: exactly these types.
TABLES = (list, tuple, bytes, bytearray, range, array)


class Slot(NamedTuple):
    """Where a captured object is found: by name or index, in the called function (owner None) or in another object.

    scalar: the exact type of the NumPy scalar that is there; None for Python's own numbers and all other objects.
    """

    kind: int
    key: str | int
    owner: Any = None
    scalar: type | None = None

    def find(self, function: Any) -> object:
        """The object that is there now, or MISSING."""
        return find(function, self)


def slot_of(kind: str, key: str | int, owner: Any = None) -> Slot:
    """The slot of a kind by its name."""
    return Slot(SLOT_KINDS.index(kind), key, owner)


def table_of(value: object) -> Any:
    """The buffer of what is subscripted; None if it is none of TABLES, or its elements are not numbers of one kind."""
    if type(value) in (list, tuple):
        kinds: set[type] = set(map(type, value))  # type: ignore[call-overload]
        if not (kinds <= {int} or kinds == {float}):
            return None
        numbers: Any = value
        try:
            return array("d" if kinds == {float} else "q", numbers)
        except OverflowError:
            return None
    if type(value) is array and value.typecode not in MACHINE_TYPES:
        return None
    return value if type(value) in TABLES else None


class Template(NamedTuple):
    """What a code object means, or why it cannot be translated; for as long as ``capture`` finds what was found here.

    Parameters of the IR: ``arity`` of the function, then the captured numbers; ``tables`` are the slots of those that
    are tables, which are captured as the machine takes them, each a tuple of one buffer.
    """

    ir: IR | None
    reason: str
    arity: int
    slots: tuple[Slot, ...]
    guards: tuple[tuple[Slot, object], ...]
    tables: frozenset[int] = frozenset()

    def capture(self, function: Any) -> tuple[Any, ...] | None:
        """The captured numbers as they are now; None if anything else changed, or if one is no plain number."""
        if not self.tables:
            return capture(function, self.guards, self.slots)
        numbers = capture(function, self.guards, tuple(s for i, s in enumerate(self.slots) if i not in self.tables))
        tables = [table_of(find(function, self.slots[i])) for i in sorted(self.tables)]
        if numbers is None or any(table is None for table in tables):
            return None
        left, found = iter(numbers), iter(tables)
        return tuple((next(found),) if i in self.tables else next(left) for i in range(len(self.slots)))
