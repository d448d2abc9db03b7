"""Captured objects: where a function finds what its names mean, and what a code object means while it finds the same.

The order of slots and the look-up itself are the machine's (captures.c), which compares them again at each call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from .ir import IR
from .machine import SLOT_KINDS, capture, find


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


@dataclass(frozen=True, slots=True)
class Template:
    """What a code object means, or why it cannot be translated; for as long as ``capture`` finds what was found here.

    Parameters of the IR: ``arity`` of the function, then the captured numbers.
    """

    ir: IR | None
    reason: str
    arity: int
    slots: tuple[Slot, ...]
    guards: tuple[tuple[Slot, object], ...]

    def capture(self, function: Any) -> tuple[Any, ...] | None:
        """The captured numbers as they are now; None if anything else changed, or if one is no plain number."""
        return capture(function, self.guards, self.slots)
