"""Terms: what the machine is to compute; each operation with its kind, its integer interval, and what may be raised.

A graph of terms is what infer.py makes of an IR and lower.py makes programs of. Each term is of one kind:

    kind b    a truth value                       kind f    a double
    kind i    an int, with its interval lo..hi

An interval that no 64-bit lane holds is clamped to one (``lane`` says which): there the machine's operation is a
checked one, and an element that overflows is given to Python. So intervals hold for every element that is not marked.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .ir import Number, identity
from .machine import NUMBER_LANES, STORED_TYPES

I64 = (-(1 << 63), (1 << 63) - 1)
U64 = (0, (1 << 64) - 1)


class Param(NamedTuple):
    """What is known of a parameter: its machine type, its interval if an int, whether it is an array, or a table."""

    type: str
    array: bool
    lo: int = 0
    hi: int = 0
    table: bool = False

    @property
    def kind(self) -> str:
        return "f" if self.type[0] == "f" else "b" if self.type == "b1" else "i"


def interval(machine_type: str) -> tuple[int, int]:
    """The values of an integer type such as 'u16' or 'i24', or of truth values."""
    if machine_type == "b1":
        return 0, 1
    bits = int(machine_type[1:])
    return (0, (1 << bits) - 1) if machine_type[0] == "u" else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def array_param(machine_type: str) -> Param:
    """The parameter that an array is whose elements are of this type: the machine's, or one that it has not."""
    own = STORED_TYPES.get(machine_type, machine_type)
    return Param(own, True, *((0, 0) if own[0] == "f" else interval(machine_type)))


def table_param(machine_type: str) -> Param:
    """The parameter that a table is whose elements are of this type of the machine's."""
    return Param(machine_type, False, *((0, 0) if machine_type[0] == "f" else interval(machine_type)), table=True)


def number_param(value: Number) -> Param:
    """The parameter that any number like this one is.

    Ints are told apart only by the lane they need, so that one program serves many values; one that no lane holds is
    a constant of the program (type "big").
    """
    if isinstance(value, bool):
        return Param("b1", False, 0, 1)
    if isinstance(value, float):
        return Param("f64", False)
    for lane in NUMBER_LANES:
        lo, hi = interval(lane)
        if lo <= value <= hi:
            return Param(lane, False, lo, hi)
    return Param("big", False, value, value)


class Term(NamedTuple):
    op: str
    args: tuple[int, ...]
    kind: str
    lo: int
    hi: int
    value: Any
    raises: bool  # evaluating it, or anything under it, may raise in Python
    clamped: bool  # its interval, or one under it, was cut to a lane
    uniform: bool  # the same for every element
    lane: str | None  # the lane its own interval was cut to


class Union(NamedTuple):
    """A value that is the float term where ``is_float`` holds and the int term elsewhere."""

    is_float: int
    int_part: int
    float_part: int


Value = int | Union


class Graph:
    """The terms of one program, operands before users, equal terms once."""

    def __init__(self) -> None:
        self.terms: list[Term] = []
        self._known: dict[object, int] = {}

    def add(self, op: str, *args: int, kind: str, lo: int = 0, hi: int = 0, value: Any = None,
            raises: bool = False, lane: str | None = None, uniform: bool | None = None) -> int:  # fmt: skip
        key = (op, args, kind, identity(value))
        found = self._known.get(key)
        if found is not None:
            return found
        clamped, alike = lane is not None, True
        for i in args:
            operand = self.terms[i]
            raises |= operand.raises
            clamped |= operand.clamped
            alike &= operand.uniform
        term = Term(op, args, kind, lo, hi, value, raises, clamped, alike if uniform is None else uniform, lane)
        self._known[key] = len(self.terms)
        self.terms.append(term)
        return len(self.terms) - 1

    def const(self, value: Number) -> int:
        if isinstance(value, bool):
            return self.add("const", kind="b", lo=int(value), hi=int(value), value=value)
        if isinstance(value, int):
            return self.add("const", kind="i", lo=value, hi=value, value=value)
        return self.add("const", kind="f", value=value)

    def fail(self, kind: str) -> int:
        """A value of this kind that no element gets: Python evaluates them all."""
        failure = self.add("fail", kind="b", raises=True, uniform=False)
        return self.check(self.const({"b": False, "i": 0, "f": 0.0}[kind]), failure)

    def check(self, value: int, *effects: int) -> int:
        """The value, after effects: terms that are computed for their marks only."""
        effects = tuple(e for e in effects if self.matters(self.terms[e]))
        if not effects:
            return value
        t = self.terms[value]
        return self.add("check", value, *effects, kind=t.kind, lo=t.lo, hi=t.hi)

    @staticmethod
    def matters(t: Term) -> bool:
        """Whether a term whose value is not used must be computed all the same, for its marks."""
        return t.raises or t.clamped

    def int_term(self, op: str, lo: int, hi: int, *args: int, raises: bool = False) -> int:
        """An int operation, its interval cut to a lane if none holds it."""
        operands = [self.terms[i] for i in args]
        if not all(self.in_some_lane(i) for i in args):
            return self.fail("i")
        if one_lane(min(lo, *(t.lo for t in operands)), max(hi, *(t.hi for t in operands))):
            return self.add(op, *args, kind="i", lo=lo, hi=hi, raises=raises)
        lane, bounds = ("u64", U64) if all(t.lo >= 0 for t in operands) else ("i64", I64)
        lo, hi = max(lo, bounds[0]), min(hi, bounds[1])
        if lo > hi:
            return self.fail("i")
        return self.add(op, *args, kind="i", lo=lo, hi=hi, raises=raises, lane=lane)

    def in_some_lane(self, index: int) -> bool:
        t = self.terms[index]
        return t.kind == "f" or one_lane(t.lo, t.hi)


def one_lane(lo: int, hi: int) -> bool:
    """Whether some 64-bit lane holds the interval."""
    return (I64[0] <= lo and hi <= I64[1]) or (U64[0] <= lo and hi <= U64[1])
