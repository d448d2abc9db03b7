"""A model of what is computed modulo a power of two: bits that nobody demands are anything, and results are Python's.

Vectors leave such bits as they happen to be, which is right most often by accident; here they are drawn. So a demand
that is too small (compiler/lower.py) is found by a few thousand texts, where arrays would not show it in millions.
"""

from __future__ import annotations

import operator
import random
from typing import Any

import arrayops as ao
import pytest
from arrayops.compiler import lower as lowering
from arrayops.compiler.terms import interval
from oracle import integer_range, parameters

OPERATIONS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "and": operator.and_, "or": operator.or_,
    "xor": operator.xor, "shl": operator.lshift, "shr": operator.rshift, "eq": operator.eq, "ne": operator.ne,
    "lt": operator.lt, "le": operator.le,
}  # fmt: skip
TYPECODES = "bBbBhHiIqQ"


class Marked(Exception):
    """The element is Python's, or may be: a checked operation overflows, or there is none."""


class Texts:
    """Choices that narrow an interval, on which the demand of what they choose among depends, under few operations."""

    def __init__(self, rng: random.Random) -> None:
        self.pick, self.rng = rng.choice, rng

    def name(self) -> str:
        return self.pick("xyz")

    def number(self) -> int:
        return self.pick((0, 1, 2, 3, 4, 8, 16, 60, 100, 127, 128, 200, 255, 256, self.rng.randrange(256)))

    def simple(self, name: str) -> str:
        number, other, mask = self.number(), self.name(), self.pick((7, 15, 127, 255, 1023, 65535))
        forms = (name, f"{name}*{number}", f"({name} + {number})", f"({name} - {other})", f"({name}*{other})",
                 f"({name} << {number % 9})", f"(-{name})", f"(~{name})", f"({name} & {mask})")  # fmt: skip
        return self.pick(forms)

    def choice(self, depth: int) -> str:
        name, other = self.name(), self.name()
        first, second = self.pick((0, 0, 1, 20)), self.pick((60, 64, 100, 127, 200))
        rest = self.choice(depth - 1) if depth else f"({other} if {other} < {self.pick((100, 200, 256))} else 0)"
        rest = f"({self.simple(name)} if {name} < {second} else {rest})"
        return f"({self.pick((0, 1, 200))} if {name} <= {first} else {rest})"

    def text(self, depth: int) -> str:
        if not depth:
            return self.choice(1) if self.rng.random() < 0.8 else self.simple(self.name())
        first, second = self.text(depth - 1), self.text(depth - 1)
        return self.pick((f"({first} & {second})", f"({first} {self.pick('&&|^+-*')} {second})", f"({first} >> 3)",
                          f"({first} & {self.pick((31, 127, 255, 511))})", f"({first} << {self.number() % 9})",
                          f"({first} if {self.name()} < {self.number()} else {second})"))  # fmt: skip


def some_values(rng: random.Random, low: int, high: int) -> tuple[int, ...]:
    return low, high, rng.randint(low, high), rng.randint(0, 127), min(high, rng.randint(0, 300))


def in_lane(value: int, lane: str) -> int:
    low, high = interval(lane)
    return (value - low) % (high - low + 1) + low


def modelled(program: Any, values: list[int], rng: random.Random) -> tuple[int, int]:
    """The root as Python has it, and as lanes have it."""
    true: dict[int, Any] = {}
    held: dict[int, Any] = {}
    for index in filter(program.need.__getitem__, range(program.count)):
        term, lane = program.terms[index], program.lane[index]
        if term.op in ("const", "param"):
            true[index] = held[index] = term.value if term.op == "const" else values[term.value]
            continue
        if term.op == "fail":
            raise Marked
        for known in (true, held):
            operands = [known[a] for a in term.args]
            if known is held and program.modular[index]:
                operands = [a if k == 0 and term.op == "if" else in_lane(int(a), lane) for k, a in enumerate(operands)]
            if term.op in ("if", "check"):
                known[index] = operands[0] if term.op == "check" else operands[1 if operands[0] else 2]
            else:
                known[index] = OPERATIONS[term.op](*operands)
        if program.modular[index]:
            bits, need = int(lane[1:]), program.need[index]
            above = rng.choice((-1, rng.getrandbits(64))) << need if program.wrapped[index] and need < bits else 0
            held[index] = in_lane(int(held[index]) ^ above, lane)
        elif term.lane is not None and in_lane(held[index], lane) != held[index]:
            raise Marked
    return true[program.root], held[program.root]


@pytest.mark.parametrize("seed", range(8))
def test_bits_that_nobody_demands(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    programs: list[Any] = []
    run = lowering._Lowering.run
    monkeypatch.setattr(lowering._Lowering, "run", lambda self, out: programs.append(self) or run(self, out))
    rng = random.Random(seed)
    for _ in range(400):
        text = Texts(rng).text(rng.choice((1, 1, 1, 2)))
        codes = [rng.choice(TYPECODES) for _ in parameters(text)]
        programs.clear()
        ao.explain(text, *codes)
        if not programs or len(programs[0].params) != len(codes):
            continue
        for _ in range(30):
            values = [rng.choice(some_values(rng, *integer_range(code))) for code in codes]
            try:
                true, held = modelled(programs[0], values, rng)
            except Marked:
                continue
            assert held == true, (seed, text, codes, values)
