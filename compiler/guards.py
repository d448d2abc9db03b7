"""What a condition says of a number: whether a guard keeps a function from arguments that it refuses.

``s/d if d else v`` never divides by zero, ``log(x) if x > 0 else 0`` never sees a negative number. Lowering asks here,
and then takes the operation that cannot mark, as ieee=True would. An answer "not known" is never wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

_INF = math.inf
_ABOVE_ONE = math.nextafter(1.0, _INF)
_BELOW_ONE = math.nextafter(1.0, 0.0)
_BELOW_ZERO = math.nextafter(0.0, -_INF)

#: Term -> the regions of its last argument where Python raises, none of which has both negative and positive numbers. A
#: function that also raises for other reasons (overflow) is not here. Terms without the last letter never mark.
REFUSED: dict[str, tuple[tuple[float, float], ...]] = {
    "divc": ((0.0, 0.0),), "fdivc": ((0.0, 0.0),), "remc": ((0.0, 0.0),),
    "sqrtc": ((-_INF, _BELOW_ZERO),),
    "logc": ((-_INF, 0.0),), "log2c": ((-_INF, 0.0),), "log10c": ((-_INF, 0.0),), "log1pc": ((-_INF, -1.0),),
    "sinc": ((-_INF, -_INF), (_INF, _INF)), "cosc": ((-_INF, -_INF), (_INF, _INF)),
    "tanc": ((-_INF, -_INF), (_INF, _INF)),
    "asinc": ((-_INF, -_ABOVE_ONE), (_ABOVE_ONE, _INF)), "acosc": ((-_INF, -_ABOVE_ONE), (_ABOVE_ONE, _INF)),
    "acoshc": ((-_INF, -_ABOVE_ONE), (-1.0, 0.0), (0.0, _BELOW_ONE)), "atanhc": ((-_INF, -1.0), (1.0, _INF)),
}  # fmt: skip


class _Term(Protocol):
    """What is looked at of infer.Term."""

    @property
    def op(self) -> str: ...
    @property
    def args(self) -> tuple[int, ...]: ...
    @property
    def value(self) -> object: ...


def truth_between(terms: Sequence[_Term], condition: int, same: set[int], low: float, high: float) -> bool | None:
    """The condition's value if it is the same wherever the number that the terms ``same`` are lies in low..high."""
    term = terms[condition]
    if term.op in ("lt", "le", "eq", "ne"):
        left, right = (_ends(terms, a, same, low, high) for a in term.args)
        if left is None or right is None:
            return None
        at_low, at_high = (_compare(term.op, left[k], right[k]) for k in (0, 1))
        point = low == high
        # < and <= change once at most between the ends; == and != may be otherwise in between.
        return at_low if at_low == at_high and (point or term.op in ("lt", "le")) else None
    if term.op in ("not", "and", "or", "check"):
        parts = [truth_between(terms, a, same, low, high) for a in term.args[: 1 if term.op == "check" else None]]
        return _join(term.op, parts)
    if term.op == "if":
        return _either(terms, term.args, same, low, high)
    if term.op in ("isinf", "isfinite") and low == high and term.args[0] in same:
        return math.isinf(low) == (term.op == "isinf")
    return bool(term.value) if term.op == "const" else None


def _either(terms: Sequence[_Term], args: tuple[int, ...], same: set[int], low: float, high: float) -> bool | None:
    """``a or b`` is ``a if a else b``: where the condition is an arm, its value is known there."""
    condition = truth_between(terms, args[0], same, low, high)
    yes, no = (
        taken if arm == args[0] else truth_between(terms, arm, same, low, high)
        for taken, arm in zip((True, False), args[1:], strict=True)
    )
    return yes if condition or yes is no else no if condition is False else None


def _join(op: str, parts: list[bool | None]) -> bool | None:
    if op == "check":
        return parts[0]
    if op == "not":
        return None if parts[0] is None else not parts[0]
    decides = op == "or"
    return decides if decides in parts else None if None in parts else not decides


def _ends(terms: Sequence[_Term], index: int, same: set[int], low: float, high: float) -> tuple[float, float] | None:
    """The values of a term where the number is low and where it is high; in between it only rises or only falls."""
    term = terms[index]
    if index in same:
        return low, high
    if term.op == "const" and isinstance(term.value, int | float):
        return term.value, term.value
    if term.op in ("fabs", "abs", "neg", "to_float"):
        ends = _ends(terms, term.args[0], same, low, high)
        if ends is None:
            return None
        if term.op == "neg":
            return -ends[0], -ends[1]
        return ends if term.op == "to_float" else (abs(ends[0]), abs(ends[1]))
    return None


def _compare(op: str, a: float, b: float) -> bool:
    return {"lt": a < b, "le": a <= b, "eq": a == b, "ne": a != b}[op]
