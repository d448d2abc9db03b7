"""Random Python functions, as source: lambdas and defs over the expressions of grammar.py.

A function has locals, assignments, `if` with early returns, statements whose value is dropped, walrus, closures,
defaults, module globals, helpers that it calls, and `import math` at the top of its unit in half the cases. What a
number of bits bounds in an expression stays bounded, because what is assigned to a local is cut first.
"""

from __future__ import annotations

import math
import random
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grammar
from grammar import Grammar

# Aliases are for texts; of a nan's sign, which copysign shows, nothing is said.
_TEXT_ONLY = re.compile(
    r"\b(where|clip|minimum|maximum|absolute|power|copysign|sign|signbit|rint|mod|floor_divide|square|reciprocal"
    r"|deg2rad|rad2deg|fmax|fmin|logical_\w+)\(|^bit_count\("
)
_BY_KIND = {
    kind: tuple(map(list, zip(*((r, w) for r, w in zip(*rows, strict=True)
                                if not _TEXT_ONLY.search(r.template)), strict=True)))
    for kind, rows in grammar.BY_KIND.items()
}  # fmt: skip
# pow is Python's, which is exact of ints. That of math is within one ULP of the true value, here and in the C library,
# so the two may differ, and what is made of it by any amount; tests/test_powers.py has it.
_IMPORTS = "import math\nfrom math import *\nfrom builtins import pow\n"
_NAMES: dict[str, Any] = {name: getattr(math, name) for name in dir(math) if name != "pow"} | {"math": math}
_PREAMBLE = """
LIMIT, RATE, FLAG = 3, 0.25, True
WHOLE, CURVE = [5, -3, 0, 2**40, 7], (0.5, -1.25, 3.0, 1e300, 0.0)
def helper(v): return v + 1 if v > LIMIT else -v
def other(v, w=2):
    u = v * w
    if u < 0: return u - RATE
    return u
"""


class FunctionGrammar(Grammar):
    """Expressions that are Python without a namespace of aliases."""

    __slots__ = ()

    def rules(self, kind: str) -> Any:
        return _BY_KIND[kind]


@dataclass(frozen=True, slots=True)
class RandomFunction:
    """Source, the function, and whether it is made only of what the language has."""

    source: str
    function: Callable[..., Any]
    in_language: bool


class _Writer:
    """One function body."""

    def __init__(self, rng: random.Random, kinds: Mapping[str, str]) -> None:
        self.rng = rng
        self.kinds = {**kinds, "LIMIT": "i", "RATE": "f", "FLAG": "i"}
        self.in_language = True

    def expr(self, kind: str = "", depth: int = -1) -> tuple[str, int]:
        kind = kind or self.rng.choice("iffbn")
        depth = depth if depth >= 0 else self.rng.choice((0, 1, 1, 2, 3))
        text, bits = FunctionGrammar(self.rng, self.kinds).expression(kind, depth)
        if self.rng.random() < 0.06 and kind in "if":
            text, bits = f"{self.rng.choice(('helper', 'other'))}({text})", bits + 2
        if self.rng.random() < 0.06 and kind in "if":
            place = self.rng.choice(("{} % 5", "{} & 3", "-1 - ({} & 1)", "{}"))
            index = place.format(FunctionGrammar(self.rng, self.kinds).expression("i", 1)[0])
            text, bits = f"{'WHOLE' if kind == 'i' else 'CURVE'}[{index}]", 64
        return text, bits

    def assigned(self, kind: str) -> str:
        text, bits = self.expr(kind)
        return f"{text} % 1000003" if kind == "i" and bits > 90 else text

    def result(self) -> str:
        return self.expr()[0]

    def condition(self) -> str:
        if self.rng.random() < 0.12:
            name = f"w{self.rng.randint(0, 1)}"
            text = f"({name} := {self.assigned('f')}) > {self.expr('n', 0)[0]}"
            self.kinds[name] = "f"
            return text
        return self.expr(self.rng.choice("bbbn"))[0]

    def block(self, level: int, indent: str) -> list[str]:
        lines: list[str] = []
        for _ in range(self.rng.randint(1, 3)):
            lines += self.statement(level, indent)
        return lines

    def statement(self, level: int, indent: str) -> list[str]:
        roll = self.rng.random()
        if roll < 0.45 or level > 2:
            kind = self.rng.choice("if")
            name, value = f"{kind}{self.rng.randint(0, 2)}", self.assigned(kind)
            operator = self.rng.choice(("=", "=", "+=", "-=")) if name in self.kinds else "="
            self.kinds[name] = kind
            return [f"{indent}{name} {operator} {value}"]
        if roll < 0.52:
            return [f"{indent}{self.expr()[0]}"]
        if roll < 0.68:
            return [f"{indent}if {self.condition()}: return {self.result()}"]
        if roll < 0.74 and level < 2:
            return self.loop(level, indent)
        return self.conditional(level, indent)

    def loop(self, level: int, indent: str) -> list[str]:
        """Of one to three steps, now and then left early: what its body assigns is bound after it."""
        name = f"n{level}"
        numbers = self.rng.choice(("range(1)", "range(2)", "range(3)", "range(2, -1, -1)", "(5, -2)", "(True, 3)"))
        self.kinds[name] = "i"
        lines = [f"{indent}for {name} in {numbers}:"]
        before = dict(self.kinds)
        if self.rng.random() < 0.3:
            word = self.rng.choice(("break", "continue"))
            lines.append(f"{indent}    if {self.condition()}: {word}")
            lines += self.block(level + 1, indent + "    ")
            self.kinds = before
        else:
            lines += self.block(level + 1, indent + "    ")
        return lines

    def conditional(self, level: int, indent: str) -> list[str]:
        """Both arms; what only one of them assigns may be unbound after it, and is used then only now and again."""
        lines = [f"{indent}if {self.condition()}:"]
        before = dict(self.kinds)
        lines += self.block(level + 1, indent + "    ")
        then, self.kinds = self.kinds, dict(before)
        if self.rng.random() < 0.6:
            word = "else" if self.rng.random() < 0.7 else f"elif {self.condition()}"
            arm = self.block(level + 1, indent + "    ")
            lines += [f"{indent}{word}:", *arm]
            then = then if word == "else" else before
        else:
            then = before
        both = {name: kind for name, kind in self.kinds.items() if then.get(name) == kind}
        if len(both) < len(then) and self.rng.random() < 0.02:
            self.in_language = False
        else:
            self.kinds = both
        return lines


class _StepWriter(_Writer):
    """The body of a step whose accumulator is a tuple: items of these kinds, ints among them cut."""

    def __init__(self, rng: random.Random, kinds: Mapping[str, str], items: str) -> None:
        super().__init__(rng, kinds)
        self.items = items

    def result(self) -> str:
        texts = [self.expr(kind)[0] for kind in self.items]
        cut = self.rng.choice(("({}) % 1000003", "({}) & 0xFFFFFFFF", "({}) % 7"))
        texts = [cut.format(text) if kind == "i" else text for text, kind in zip(texts, self.items, strict=True)]
        return f"({', '.join(texts)},)"


def random_step(rng: random.Random, element: str) -> tuple[RandomFunction, tuple[float, ...]]:
    """A function of a tuple and an element of this kind that gives a tuple of the same kinds; and such a tuple."""
    items = "".join(rng.choice("ffi") for _ in range(rng.choice((1, 2, 2, 3))))
    unpacked = rng.random() < 0.5
    names = [f"s{k}" if unpacked else f"s[{rng.choice((k, k - len(items)))}]" for k in range(len(items))]
    writer = _StepWriter(rng, {**dict(zip(names, items, strict=True)), "v": element}, items)
    body = [f"    {', '.join(names)}, = s"] if unpacked else []
    body += writer.block(0, "    ") if rng.random() < 0.5 else []
    body.append(f"    return {'s' if rng.random() < 0.02 else writer.result()}")
    source = _PREAMBLE + "\n".join(["def f(s, v):", *body]) + "\n"
    namespace = dict(_NAMES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(source, namespace)
    initial = tuple(rng.choice((1.0, 0.0, -2.5, 1e300)) if k == "f" else rng.choice((0, 7, 2**40, -3)) for k in items)
    function = RandomFunction(source.removeprefix(_PREAMBLE), namespace["f"], writer.in_language)
    return function, initial


def random_function(rng: random.Random, parameters: Mapping[str, str], result: str = "") -> RandomFunction:
    """A function of these parameters (name to i or f)."""
    writer = _Writer(rng, parameters)
    names = list(parameters)
    signature = ", ".join(names)
    if rng.random() < 0.15:
        signature, writer.kinds["d"] = signature + ", d=1.5", "f"
    if rng.random() < 0.1:
        signature, writer.kinds["k"] = signature + ", *, k=7", "i"
    captured = rng.random() < 0.3
    if captured:
        writer.kinds |= {"t": "f", "n": "i"}
    if rng.random() < 0.4:
        text = writer.expr(result, rng.choice((1, 2, 4, 6)))[0]
        inner = [f"f = lambda {signature}: {text}"]
    else:
        body = writer.block(0, "    ")
        last = [f"    return {writer.expr(result)[0]}"]
        if rng.random() < 0.02:
            last, writer.in_language = [], False
        inner = [f"def f({signature}):", *body, *last]
    if captured:
        inner = ["def make(t, n):", *("    " + line for line in inner), "    return f",
                 f"f = make({rng.choice((0.5, -2.0, 1e300))}, {rng.choice((0, 5, 2**62))})"]  # fmt: skip
    top = _IMPORTS if rng.random() < 0.5 else ""
    source = top + _PREAMBLE + "\n".join(inner) + "\n"
    namespace = {} if top else dict(_NAMES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ~ on constants
        exec(source, namespace)
    return RandomFunction(source.removeprefix(top + _PREAMBLE), namespace["f"], writer.in_language)
