"""The one grammar of random expressions, shared by the hypothesis tests and by fuzz_expressions.py.

Every choice is drawn from a `random.Random`: a plain seeded one, or hypothesis's own, which records and shrinks it.
`RULES` is the language: one row per construct. A rule says what kind it makes (i integer, f float, b truth value,
n any number) from which kinds, and bounds the bits an integer result may have, so that evaluating the text in Python
stays cheap: exponents and left shifts are small literals or masked. What is unbounded belongs to test_hostile.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oracle import (
    FLOAT_CODES,
    REDUCTIONS,
    TYPECODES,
    Raised,
    edge_values,
    element_outcomes,
    integer_range,
    outcome,
    parameters,
    python_function,
)

BITS_CAP = 2500
BLOCK_LENGTHS = tuple(size + d for size in (256, 512, 1024) for d in (-1, 0, 1))

Bits = Callable[[Sequence[int]], int]


@dataclass(frozen=True, slots=True)
class Rule:
    """kind: what it makes. slots: the kinds of its operands; lower case are expressions, upper case are see `_slot`."""

    kind: str
    template: str
    slots: str
    bits: Bits
    weight: int = 2


def _most(bits: Sequence[int]) -> int:
    return max(bits, default=0)


def _one_more(bits: Sequence[int]) -> int:
    return _most(bits) + 1


def _none(bits: Sequence[int]) -> int:
    return 1


def _truncated(bits: Sequence[int]) -> int:
    return max(_most(bits), 1025)


def _shifted(bits: Sequence[int]) -> int:
    return bits[0] + 72


def _wrong(bits: Sequence[int]) -> int:
    return bits[1] + 72


def _powered(bits: Sequence[int]) -> int:
    return bits[0] * 7 + 1


def _rows(kind: str, templates: Sequence[str], slots: str, bits: Bits, weight: int = 2) -> list[Rule]:
    return [Rule(kind, template, slots, bits, weight) for template in templates]


# Slots: i f b n operands of that kind; S a small count (0..70 or masked); E a small exponent; K a tuple of constants;
# D a number of digits; L a literal or a name of any kind, J of an integer: they cannot raise; W of the wrong kind.
RULES: list[Rule] = [
    *_rows("i", ["{0} + {1}", "{0} - {1}"], "ii", _one_more, 5),
    *_rows("i", ["{0} * {1}"], "ii", sum, 5),
    *_rows("i", ["{0} // {1}", "{0} % {1}"], "ii", _one_more, 4),
    *_rows("i", ["{0} & {1}", "{0} | {1}", "{0} ^ {1}"], "ii", _one_more, 3),
    *_rows("i", ["{0} & 255", "{0} & 127", "{0} & 0xFFFF", "{0} % 256"], "i", lambda bits: 17, 2),
    *_rows("i", ["-{0}", "+{0}", "~({0} + 0)", "abs({0})", "absolute({0})", "int({0})", "round({0})"], "i", _one_more,
           2),
    *_rows("i", ["floor({0})", "ceil({0})", "trunc({0})", "math.floor({0})"], "i", _most, 1),
    *_rows("i", ["{0} << {1}"], "iS", _shifted, 3),
    *_rows("i", ["{0} >> {1}"], "iS", _most, 3),
    *_rows("i", ["{0} >> {1}"], "ii", _most, 1),
    *_rows("i", ["{0} ** {1}", "pow({0}, {1})", "power({0}, {1})"], "iE", _powered, 2),
    *_rows("i", ["int({0})", "round({0})", "floor({0})", "math.ceil({0})", "trunc({0})"], "f", _truncated, 2),
    *_rows("i", ["min({0}, {1})", "max({0}, {1})", "minimum({0}, {1})", "maximum({0}, {1})"], "ii", _most, 1),
    *_rows("i", ["min({0}, {1}, {2})", "max({0}, {1}, {2})"], "iii", _most, 1),
    *_rows("i", ["round({0}, {1})"], "iD", lambda bits: bits[0] + 8, 1),
    *_rows("i", ["clip({0}, {1}, {2})"], "iJJ", _most, 1),
    *_rows("i", ["{1} if {0} else {2}", "where({0}, {1}, {2})"], "bii", _most, 3),
    *_rows("i", ["{0} and {1}", "{0} or {1}"], "ii", _most, 2),
    *_rows("f", ["{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / {1}"], "ff", _none, 5),
    *_rows("f", ["{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / {1}", "{0} // {1}", "{0} % {1}"], "fi", _none, 2),
    *_rows("f", ["{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / {1}", "{0} // {1}", "{0} % {1}"], "if", _none, 2),
    *_rows("f", ["{0} / {1}"], "ii", _none, 5),
    *_rows("f", ["{0} // {1}", "{0} % {1}"], "ff", _none, 4),
    *_rows("f", ["degrees({0})", "radians({0})", "math.ulp({0})"], "n", _none, 1),
    *_rows("f", ["fmod({0}, {1})", "remainder({0}, {1})", "nextafter({0}, {1})"], "nn", _none, 1),
    *_rows("i", ["sign({0})"], "i", _none, 1),
    *_rows("i", ["mod({0}, {1})", "floor_divide({0}, {1})"], "ii", _one_more, 1),
    *_rows("i", ["square({0})"], "i", lambda bits: 2 * bits[0], 1),
    *_rows("f", ["sign({0})", "square({0})", "reciprocal({0})"], "f", _none, 1),
    *_rows("f", ["rint({0})", "reciprocal({0})", "deg2rad({0})", "rad2deg({0})"], "n", _none, 1),
    *_rows("f", ["fmax({0}, {1})", "fmin({0}, {1})", "mod({0}, {1})", "floor_divide({0}, {1})"], "ff", _none, 1),
    *_rows("b", ["signbit({0})", "logical_not({0})"], "n", _none, 1),
    *_rows("b", ["logical_and({0}, {1})", "logical_or({0}, {1})", "logical_xor({0}, {1})"], "nn", _none, 1),
    *_rows("i", ["gcd({0}, {1})", "lcm({0}, {1})"], "ii", sum, 1),
    *_rows("i", ["factorial({0})", "isqrt({0})", "comb({0}, 3)", "perm({0}, 2)"], "S", lambda bits: 400, 1),
    *_rows("i", ["({0}).bit_count()", "({0}).bit_length()", "bit_count({0})"], "i", lambda bits: 16, 1),
    *_rows("i", ["round({0}, -1)", "round({0}, -3)"], "i", lambda bits: bits[0] + 4, 1),
    *_rows("f", ["ldexp({0}, 2)", "ldexp({0}, -1030)"], "n", _none, 1),
    *_rows("b", ["isclose({0}, {1})"], "nn", _none, 1),
    *_rows("f", ["-{0}", "+{0}", "abs({0})", "float({0})", "fabs({0})", "math.fabs({0})"], "f", _none, 2),
    *_rows("f", ["float({0})", "fabs({0})", "sqrt({0})"], "n", _none, 1),
    *_rows("f", ["sqrt({0})", "math.sqrt({0})", "sqrt(abs({0}))"], "f", _none, 2),
    *_rows("f", ["copysign({0}, {1})", "math.copysign({0}, {1})"], "nn", _none, 2),
    *_rows("f", ["round({0}, {1})"], "fD", _none, 1),
    *_rows("f", ["min({0}, {1})", "max({0}, {1})", "maximum({0}, {1})", "minimum({0}, {1})"], "ff", _none, 2),
    *_rows("f", ["{1} if {0} else {2}", "where({0}, {1}, {2})"], "bff", _none, 3),
    *_rows("f", ["{0} and {1}", "{0} or {1}"], "ff", _none, 2),
    *_rows("b", [f"{{0}} {op} {{1}}" for op in ("<", "<=", ">", ">=", "==", "!=")], "nn", _none, 3),
    *_rows("b", ["{0} < {1} <= {2}", "{0} >= {1} > {2}", "{0} == {1} != {2}"], "nnn", _none, 2),
    *_rows("b", ["{0} < {1} < {2} < {3}", "{0} != {1} <= {2} == {3}"], "nnnn", _none, 1),
    *_rows("b", ["{0} in {1}", "{0} not in {1}"], "nK", _none, 3),
    *_rows("b", ["not {0}", "bool({0})"], "n", _none, 3),
    *_rows("b", ["isnan({0})", "isinf({0})", "isfinite({0})", "math.isnan({0})"], "n", _none, 1),
    *_rows("b", ["{0} and {1}", "{0} or {1}"], "bb", _none, 4),
    *_rows("b", ["{0} & {1}", "{0} | {1}", "{0} ^ {1}"], "bb", _none, 2),
    *_rows("b", ["{0} and {1} and {2}", "{0} or {1} and {2}", "not {0} or {1} or {2}"], "bbb", _none, 1),
    *_rows("n", ["{0} and {1}", "{0} or {1}", "min({0}, {1})", "max({0}, {1})"], "nn", _most, 2),
    *_rows("n", ["{1} if {0} else {2}", "where({0}, {1}, {2})"], "nnn", _most, 3),
    *_rows("n", ["{0} + {1}", "{0} - {1}"], "nn", _one_more, 3),
    *_rows("n", ["{0} * {1}"], "nn", sum, 2),
    *_rows("n", ["{0} // {1}", "{0} % {1}", "{0} / {1}"], "nn", _one_more, 2),
    *_rows("n", ["-{0}", "+{0}", "abs({0})"], "n", _one_more, 2),
    *_rows("n", ["(-1) ** {0}"], "i", _none, 1),
    *_rows("n", ["clip({0}, {1}, {2})"], "nLL", _truncated, 1),
    *_rows("n", ["{0} & {1}", "{1} ^ {0}", "~({1} + 0) + {0}", "{1} << {0}", "{0} >> {1}"], "SW", _wrong, 1),
]

BY_KIND: dict[str, tuple[list[Rule], list[int]]] = {
    kind: ([r for r in RULES if r.kind == kind], [r.weight for r in RULES if r.kind == kind]) for kind in "ifbn"
}

INTEGER_LITERALS = ["0", "1", "2", "3", "5", "7", "10", "31", "63", "100", "255", "0x7f", "0b101", "0o17", "1_000"]
INTEGER_LITERALS += [str(2**k + d) for k in (7, 8, 15, 16, 31, 32, 53, 63, 64) for d in (-1, 0, 1)] + [hex(2**32 - 1)]
FLOAT_LITERALS = ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "0.1", "3.7", "10.", "1e3", ".25", "1e16", "1e22", "1e-3"]
FLOAT_LITERALS += ["1e300", "1e-300", "5e-324", "1.7976931348623157e308", "9007199254740993.0", "4.35", "1e400"]
FLOAT_LITERALS += ["inf", "nan", "pi", "e", "math.tau", "math.inf"]
SMALL_COUNTS = ["0", "1", "2", "5", "8", "13", "31", "32", "33", "63", "64", "70"]
SMALL_EXPONENTS = ["0", "1", "2", "2", "3", "3", "4", "7"]


@dataclass(slots=True)
class Grammar:
    """Random texts over given names; `kinds` maps each name to i or f."""

    rng: random.Random
    kinds: Mapping[str, str]
    integers: list[str] = field(init=False)
    floats: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.integers = [name for name, kind in self.kinds.items() if kind == "i"]
        self.floats = [name for name, kind in self.kinds.items() if kind == "f"]

    def rules(self, kind: str) -> tuple[list[Rule], list[int]]:
        """The constructs that make this kind, and their weights."""
        return BY_KIND[kind]

    def expression(self, kind: str, depth: int) -> tuple[str, int]:
        """A text of that kind whose deepest branch has `depth` operations, and a bound on its integers' bits."""
        if depth <= 0:
            return self._leaf(kind)
        if kind == "n" and self.rng.random() < 0.5:
            kind = self.rng.choice("iifffb")
        rules, weights = self.rules(kind)
        rule = self.rng.choices(rules, weights)[0]
        deep = [i for i, slot in enumerate(rule.slots) if slot in "ifbn"]
        spine = self.rng.choice(deep) if deep else -1
        operands = [self._slot(slot, depth, i == spine) for i, slot in enumerate(rule.slots)]
        if rule.bits([bits for _, bits in operands]) > BITS_CAP:
            operands = [self._reduced(slot, *operand) for slot, operand in zip(rule.slots, operands, strict=True)]
        text = rule.template.format(*(text for text, _ in operands))
        return f"({text})", rule.bits([bits for _, bits in operands])

    def _reduced(self, slot: str, text: str, bits: int) -> tuple[str, int]:
        return (f"({text} % 1000003)", 20) if slot in "in" and bits > 20 else (text, bits)

    def _slot(self, slot: str, depth: int, spine: bool) -> tuple[str, int]:
        if slot in "ifbn":
            kind = "b" if slot == "i" and self.rng.random() < 0.05 else slot
            return self.expression(kind, depth - 1 if spine else min(depth - 1, self.rng.choice((0, 0, 0, 1, 1, 2))))
        if slot == "S":
            return self._small(SMALL_COUNTS, "({} & 31)", "({} % 7)", "({} & 63)"), 7
        if slot == "E":
            return self._small(SMALL_EXPONENTS, "({} & 3)", "({} % 4)", "({} & 7)"), 3
        if slot == "D":
            return self.rng.choice(("0", "1", "2", "-1", "-2", "3")), 3
        if slot == "K":
            return self._constants(), 1
        if slot == "W":
            return self.expression(self.rng.choice("fn"), min(depth - 1, 1))
        return self._leaf("i" if slot == "J" else self.rng.choice("if"))

    def _small(self, literals: Sequence[str], *templates: str) -> str:
        if self.rng.random() < 0.6 or not self.integers:
            return self.rng.choice(literals)
        return self.rng.choice(templates).format(self.rng.choice(self.integers))

    def _constants(self) -> str:
        names = {"inf", "nan", "pi", "e", "math.tau", "math.inf"}
        pool = INTEGER_LITERALS + [literal for literal in FLOAT_LITERALS if literal not in names] + ["True", "False"]
        items = [self.rng.choice(pool) for _ in range(self.rng.randint(1, 5))]
        items = [f"-{item}" if item[0] not in "TF" and self.rng.random() < 0.3 else item for item in items]
        return "(" + ", ".join(items) + ",)"

    def _leaf(self, kind: str) -> tuple[str, int]:
        if kind == "n":
            kind = "i" if self.rng.random() < 0.5 else "f"
        if kind == "b":
            return self._truth_leaf(), 1
        names = self.integers if kind == "i" else self.floats
        if names and self.rng.random() < 0.75:
            return self.rng.choice(names), 100
        literal = self.rng.choice(INTEGER_LITERALS if kind == "i" else FLOAT_LITERALS)
        return (f"(-{literal})" if self.rng.random() < 0.25 else literal), 70

    def _truth_leaf(self) -> str:
        names = self.integers + self.floats
        if not names or self.rng.random() < 0.15:
            return self.rng.choice(("True", "False"))
        operator = self.rng.choice(("<", "<=", ">", ">=", "==", "!="))
        return f"({self.rng.choice(names)} {operator} {self._leaf('n')[0]})"


# ---------------------------------------------------------------------------------------------------- whole cases


@dataclass(frozen=True, slots=True)
class Case:
    """One call: the text, what its names are bound to, and how. `kind` is what the grammar knows of the result."""

    api: str
    text: str
    kind: str
    arrays: dict[str, array[Any]]
    numbers: dict[str, Any]
    positional: tuple[str, ...]
    typecode: str | None
    initial: tuple[Any, ...] = ()
    inside: tuple[tuple[str, str], ...] = ()  # names of the text that arrayops gets as reductions: (name, reduction)

    @property
    def given(self) -> str:
        """The text as arrayops gets it."""
        text = self.text
        for name, reduction in self.inside:
            text = text.replace(name, reduction)
        return text

    def __str__(self) -> str:
        bound = ", ".join(f"{name}={value!r}" for name, value in (self.arrays | self.numbers).items())
        extra = f", initial={self.initial[0]!r}" if self.initial else ""
        return f"{self.api}({self.given!r}, positional={self.positional}, typecode={self.typecode!r}{extra}, {bound})"


def random_values(rng: random.Random, typecode: str, length: int) -> array[Any]:
    """Values of a typecode in one of four tempers: all edges, small, full range, mixed; of 'q' also of a range."""
    if typecode == "q" and rng.random() < 0.3:
        return _progression(rng, length)
    temper = rng.choice(("edge", "small", "wide", "mixed", "mixed"))
    edges = edge_values(typecode)
    draws: dict[str, Callable[[], Any]] = {
        "edge": lambda: rng.choice(edges),
        "small": lambda: _small_value(rng, typecode),
        "wide": lambda: _wide_value(rng, typecode),
    }
    tempers = tuple(draws)
    return array(typecode, [draws[rng.choice(tempers) if temper == "mixed" else temper]() for _ in range(length)])


def _progression(rng: random.Random, length: int) -> array[Any]:
    """The elements of a range, now and then up to the ends of 64 bits."""
    low, high = integer_range("q")
    step = rng.choice((1, 1, 1, -1, 2, -3, 7, rng.choice((-1, 1)) * (high // max(length, 1))))
    reach = step * max(length - 1, 0)
    start = rng.choice((0, rng.randint(-9, 9), low - min(reach, 0), high - max(reach, 0)))
    start = min(max(start, low - min(reach, 0)), high - max(reach, 0))
    return array("q", range(start, start + step * length, step))


def _small_value(rng: random.Random, typecode: str) -> Any:
    if typecode in FLOAT_CODES:
        return rng.choice((rng.randint(-9, 9) / 2, rng.uniform(-10, 10)))
    return rng.randint(max(-9, integer_range(typecode)[0]), 9)


def _wide_value(rng: random.Random, typecode: str) -> Any:
    if typecode in FLOAT_CODES:
        return rng.uniform(-1, 1) * 2.0 ** rng.randint(-120, 120)
    low, high = integer_range(typecode)
    return rng.randint(low, high) >> rng.choice((0, 0, array(typecode).itemsize * 4))


def random_length(rng: random.Random) -> int:
    """Mostly 0 to 70, now and then around a block."""
    return rng.choice(BLOCK_LENGTHS) if rng.random() < 0.03 else rng.randint(0, 70)


def _random_number(rng: random.Random) -> Any:
    edges = edge_values(rng.choice("bqQdd"))
    return rng.choice((rng.randint(-9, 9), rng.randint(1, 99) / 4, rng.choice(edges), rng.random() < 0.5, 10**25))


def _kind_of(value: Any) -> str:
    return "f" if isinstance(value, float) else "i"


def random_case(rng: random.Random, api: str) -> Case:
    """A random call of the named API."""
    return random_fold(rng, api) if api in ("reduce", "accumulate") else random_elementwise(rng, api)


def random_elementwise(rng: random.Random, api: str) -> Case:
    """A random map, filter or evaluate: one to three arrays, perhaps a named number."""
    codes = {name: rng.choice(TYPECODES) for name in rng.choice((["x"], ["x"], ["x", "y"], ["b", "a", "x_2"]))}
    if rng.random() < 0.12:
        return _with_table(rng, api, codes)
    if rng.random() < 0.1 and (case := _with_reduction(rng, api, codes)) is not None:
        return case
    number = {"vat": _random_number(rng)} if rng.random() < 0.3 else {}
    kinds = {name: "f" if code in FLOAT_CODES else "i" for name, code in codes.items()}
    kinds |= {name: _kind_of(value) for name, value in number.items()}
    kind = rng.choice("ifbn") if api != "filter" else rng.choice("bbbn")
    text = Grammar(rng, kinds).expression(kind, rng.choice((1, 2, 3, 5, 5, 6, 7)))[0]
    order = parameters(text)
    if not any(name in codes for name in order):
        text, kind = f"{text} if x_1 == x_1 else x_1", "n"
        codes, order = codes | {"x_1": rng.choice(TYPECODES)}, parameters(text)
    length, source = random_length(rng), random.Random(rng.getrandbits(32))
    arrays = {name: random_values(source, codes[name], length) for name in order if name in codes}
    numbers = {name: value for name, value in number.items() if name in order}
    typecode = rng.choice(TYPECODES) if api != "filter" and rng.random() < 0.6 else None
    return Case(api, text, kind, arrays, numbers, _positional(rng, api, order, arrays), typecode)


#: Places of a table: outside it now and then.
SUBSCRIPTS = ["t[{0}]", "t[{0} % 5]", "t[{0} & 3]", "t[-1 - ({0} & 1)]", "(t[{0}] if -4 <= {0} < 4 else x)"]
SUBSCRIPTS += ["t[{0} % 3] + {0}"]


def _with_table(rng: random.Random, api: str, codes: dict[str, str]) -> Case:
    """A call whose text subscripts a table. To the oracle that is a number: one thing that goes with every element."""
    code, first = rng.choice(TYPECODES), next(iter(codes))
    kinds = {name: "f" if code in FLOAT_CODES else "i" for name, code in codes.items()}
    index = Grammar(rng, kinds).expression("f" if rng.random() < 0.05 else "i", rng.choice((0, 0, 1, 2)))[0]
    item = rng.choice(SUBSCRIPTS).replace("x", first).replace("{0}", index)
    other = Grammar(rng, kinds).expression(rng.choice("if"), rng.choice((0, 1, 2)))[0]
    text = rng.choice(("{0}", "{0} + {1}", "{0} * 2 < {1}", "({1}) and {0}", "max({0}, {1})")).format(item, other)
    order = parameters(text)
    if not any(name in codes for name in order):
        text, order = f"{text} if {first} == {first} else 0", [*order, first]
    source = random.Random(rng.getrandbits(32))
    table = random_values(source, code, rng.choice((0, 1, 5, 5, 8)))
    length = random_length(rng)
    arrays = {name: random_values(source, codes[name], length) for name in parameters(text) if name in codes}
    given = tuple(name for name in parameters(text) if name in codes)[:1] if api != "evaluate" else ()
    typecode = rng.choice(TYPECODES) if api != "filter" else None
    return Case(api, text, "n", arrays, {"t": table}, given, typecode)


def _with_reduction(rng: random.Random, api: str, codes: dict[str, str]) -> Case | None:
    """A call whose text has a reduction of all elements; None where its value is an exception, or not finite."""
    kinds = {name: "f" if code in FLOAT_CODES else "i" for name, code in codes.items()}
    kind, name = rng.choice("if"), rng.choice(sorted(REDUCTIONS))
    inner = Grammar(rng, kinds).expression(kind, rng.choice((0, 1, 2, 3)))[0]
    inner = f"({inner}) % 1000003" if kind == "i" else inner
    length, source = rng.randint(1, 70), random.Random(rng.getrandbits(32))
    arrays = {name: random_values(source, code, length) for name, code in codes.items()}
    order = parameters(inner)
    if not order:
        return None
    values = element_outcomes(python_function(inner, order), [arrays[n] for n in order])
    failed = any(isinstance(v, Raised) or (isinstance(v, float) and not math.isfinite(v)) for v in values)
    value = None if failed else outcome(REDUCTIONS[name], values)
    if isinstance(value, Raised) or value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    kinds["whole_1"] = _kind_of(value)
    text = Grammar(rng, kinds).expression("b" if api == "filter" else kind, rng.choice((1, 2, 3, 4)))[0]
    text = f"({text}) if whole_1 == whole_1 else {next(iter(codes))}"
    inside = ((("whole_1", f"{name}({inner})")),)
    found = Case(api, text, "n", arrays, {"whole_1": value}, (), rng.choice(TYPECODES), (), inside)
    if any(n not in parameters(found.given) for n in codes) or not any(n in codes for n in parameters(text)):
        return None
    positional = _positional(rng, api, parameters(found.given), arrays)
    return Case(api, text, "n", arrays, {"whole_1": value}, positional, found.typecode, (), inside)


def _positional(rng: random.Random, api: str, order: Sequence[str], arrays: Mapping[str, Any]) -> tuple[str, ...]:
    """Which names are given by position: they fill what the keywords leave, in order, and the first is an array."""
    if api == "evaluate":
        return ()
    start = next(i for i, name in enumerate(order) if name in arrays)
    return (order[start], *(name for name in order[start + 1 :] if rng.random() < 0.5))


# A fold is bounded by its form: either what it folds in depends on x alone and the accumulator grows by additions and
# small factors, or (ACC) the accumulator may stand anywhere because the whole is masked, reduced or made a float.
FOLDS = ["acc + {0}", "acc - {0}", "min(acc, {0})", "max({0}, acc)", "{0} if acc < {0} else acc", "acc and {0}"]
FOLDS += ["acc + ({0} if x > 0 else 1)", "where(x > acc, x, {0})", "acc or {0}", "(acc + {0}) / 2", "acc == {0}"]
FOLDS_INTEGER = ["acc*31 + {0}", "acc ^ {0}", "acc | {0}", "acc & {0}", "acc * 3 // 2 + {0}"]
FOLDS_INTEGER_ACC = ["(acc*31 + {0}) & 0xFFFFFFFF", "(acc ^ {0}) * 16777619 % 2**32", "(acc + {0}) % 65521"]
FOLDS_INTEGER_ACC += ["(acc << 5) + acc + {0} & 0xFFFFFFFFFFFFFFFF", "{0} & 0xFFFF", "acc*5 + {0} & 255"]
FOLDS_INTEGER_ACC += ["(acc*6364136223846793005 + {0}) % 18446744073709551616"]
FOLDS_FLOAT_ACC = ["acc*0.5 + {0}", "acc*1.0 + {0}*rate", "float({0})", "acc * 1.0000001 + {0}", "float({0}) - acc"]


def random_fold(rng: random.Random, api: str) -> Case:
    """A random reduce or accumulate over acc and x."""
    code = rng.choice(TYPECODES)
    kind = "f" if code in FLOAT_CODES else "i"
    free = FOLDS_FLOAT_ACC + (FOLDS_INTEGER_ACC * 2 if kind == "i" else [])
    frame = rng.choice(FOLDS + free + (FOLDS_INTEGER * 2 if kind == "i" else []))
    names = {"x": kind, "acc": kind} if frame in free else {"x": kind}
    text = frame.replace("{0}", Grammar(rng, names).expression(kind, rng.randint(0, 5))[0])
    order = parameters(text)
    numbers = {name: _random_number(rng) for name in order if name not in ("acc", "x")}
    values = random_values(random.Random(rng.getrandbits(32)), code, random_length(rng))
    initial = rng.choice(((), (0,), (1,), (0.0,), (edge_values(code)[0],), (rng.choice(edge_values(code)),), (True,)))
    typecode = rng.choice(TYPECODES) if api == "accumulate" and rng.random() < 0.5 else None
    return Case(api, text, "n", {"x": values}, numbers, ("x",), typecode, initial)


APIS = ("map", "map", "filter", "evaluate", "reduce", "accumulate")
