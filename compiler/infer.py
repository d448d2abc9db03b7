"""IR to terms: every operation with its kind, its integer interval, and what Python could raise there.

Python chooses an operation by the types of its operands at run time. Here that choice is made once: each IR node
becomes a value that is a bool, an int or a float, or one of the last two depending on the element (:class:`Union`), and
operations on unions are distributed over their parts. The result is a graph of *terms* (terms.py), each of one kind.

What cannot be computed by the machine becomes ``fail``: every element that Python would evaluate there goes to
Python. A fold never removes a term that Python could raise from (``raises``).
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

from .evaluate import fold
from .ir import (
    ELEMENTARY1,
    ELEMENTARY2,
    FUNCTIONS,
    IR,
    ISCLOSE_WITHIN,
    METHODS,
    TOTAL,
    WHOLE_FUNCTIONS,
    Node,
    Number,
)
from .machine import EXACT_FLOAT, STORED_TYPES
from .terms import I64, U64, Graph, Param, Term, Union, Value, interval, one_lane

EXACT_TENS = 22  # powers of ten that are doubles
MOST_DIGITS = 323  # a double rounded to more digits is itself
MOST_TENS = 19  # an int of 64 bits is less than half of a larger power of ten
MOST_POWN = 32  # float powers up to this one, and their halves, are multiplied out (vm/kernels/math/power.h)
LARGEST_POWER = 64  # x**n is multiplied out up to this n: beyond it only -1, 0 and 1 fit 64 bits


_ROUNDED = ("floor", "ceil", "trunc", "rint")


class Inference:
    """Builds the terms of an IR for parameters of known types.

    carried: how many of them, the first ones, a fold carries. Its accumulator is the IR's first parameter: a number,
    or a tuple whose items are so many parameters here, so that those of the IR behind it move up.
    whole_powers: powers of ints are ints, unless the exponent is written as a negative one (``2**-x``); one that turns
    out to be negative, for which Python has a float, is Python's to answer.
    """

    def __init__(self, ir: IR, params: list[Param], ieee: bool, carried: int = 0,
                 whole_powers: bool = False) -> None:  # fmt: skip
        self.ir, self.params, self.ieee, self.carried, self.whole_powers = ir, params, ieee, carried, whole_powers
        self.behind = max(carried - 1, 0)  # how far the other parameters have moved
        self.graph = Graph()
        self.terms = self.graph.terms
        self.true, self.false = self.graph.const(True), self.graph.const(False)
        self.choices: dict[Value, tuple[int, Value, Value]] = {}  # what choose() made them of
        self.floats: dict[Value, int] = {}  # float() of those
        self.at = 0  # the node whose value is being found
        self.inverted: set[int] = set()  # the nodes that are ~ of a truth value, which texts may not write
        self.mask_as_index = False  # an array of truth values in t[x], which texts may not write either
        self.bits_of_float = False  # an operator of bits and a float, Python's TypeError

    def run(self) -> Value:
        """The value of the root."""
        return self.run_masked(None)[0]

    def run_masked(self, keep: int | None) -> tuple[Value, int]:
        """The value of the root, and the term that says whether Python evaluates it: the truth of node ``keep``."""
        values: list[Value] = []
        conditions = {node.args[0] for node in self.ir.nodes if node.op == "if"} | {keep}
        for index, node in enumerate(self.ir.nodes):
            self.at = index
            values.append(self.node(node, [values[i] for i in node.args]))
            if index in conditions:
                self.truth(values[index])  # before what it guards, so that guards can be computed in order
        return values[self.ir.root], self.true if keep is None else self.truth(values[keep])

    def node(self, node: Node, args: list[Value]) -> Value:
        if node.op == "const":
            return self.graph.const(node.value)  # type: ignore[arg-type]
        if node.op == "param":
            return self.param(self.place(node.value))
        if node.op == "part":
            assert isinstance(node.value, int)
            return self.param(node.value)
        if node.op == "tuple":
            return tuple(args)  # type: ignore[return-value]  # of the root alone: see nexts()
        if node.op == "if":
            return self.conditional(*args)
        if node.op == "item":
            table = self.place(self.ir.nodes[node.args[0]].value)
            return self.lift(lambda self, op, index: self.item(table, index), "item", args[1])
        folded = self.fold(node, args)
        if folded is not None:
            return folded
        rule = _RULES[str(node.value)] if node.op == "call" else _RULES.get(node.op)
        if rule is None:
            return self.lift(_BINARY_RULES[node.op], node.op, *args)
        result: Value = rule(self, node, args)
        return result

    def place(self, of_ir: object) -> int:
        """The parameter that one of the IR is."""
        assert isinstance(of_ir, int)
        return of_ir + self.behind if of_ir else 0

    def param(self, place: int) -> int:
        p = self.params[place]
        if p.type == "big":
            return self.graph.const(p.lo)
        uniform = not p.array and place >= self.carried
        return self.graph.add("param", kind=p.kind, lo=p.lo, hi=p.hi, value=place, uniform=uniform)

    def nexts(self) -> tuple[Value, ...]:
        """The next values of what a fold carries."""
        value = self.run()
        return value if type(value) is tuple else (value,)

    def fold(self, node: Node, args: list[Value]) -> int | None:
        """The node's value if all operands are constants; a fail if Python raises there."""
        constants: list[Number] = []
        for arg in args:
            if isinstance(arg, tuple) or self.terms[arg].op != "const":
                return None
            constants.append(self.terms[arg].value)
        try:
            value = fold(node.op, tuple(constants), node.value, self.ieee)
        except (ArithmeticError, AttributeError, ValueError, TypeError):
            return self.graph.fail(_kind_of_failure(node, constants))
        if isinstance(value, complex):
            return self.graph.fail("f")
        return self.graph.const(value)

    # -- unions ------------------------------------------------------------------------------------------------

    def lift(self, rule: Any, op: str, *args: Value) -> Value:
        """rule(self, op, *terms) for every combination of the parts of the operands."""
        for i, arg in enumerate(args):
            if isinstance(arg, Union):
                parts = [self.lift(rule, op, *args[:i], part, *args[i + 1 :])
                         for part in (arg.float_part, arg.int_part)]  # fmt: skip
                return self.choose(arg.is_float, parts[0], parts[1])
        result: Value = rule(self, op, *args)
        return result

    def is_float(self, value: Value) -> int:
        if isinstance(value, Union):
            return value.is_float
        return self.true if self.terms[value].kind == "f" else self.false

    def choose(self, condition: int, a: Value, b: Value) -> Value:
        """a where the condition holds, else b; the other one is not evaluated there."""
        c = self.terms[condition]
        if c.op == "const":
            return a if c.value else b
        if a == b and not c.raises:
            return a
        is_float = self.select(condition, self.is_float(a), self.is_float(b))
        ints = [v.int_part if isinstance(v, Union) else v for v in (a, b) if self.is_float(v) != self.true]
        floats = [v.float_part if isinstance(v, Union) else v for v in (a, b) if self.is_float(v) != self.false]
        parts = [self.select(condition, *p) if len(p) == 2 else p[0] for p in (ints, floats) if p]
        if len(parts) == 1:
            return parts[0]
        made = Union(is_float, *parts)
        self.choices[made] = condition, a, b
        return made

    def select(self, condition: int, a: int, b: int) -> int:
        """One term of two terms that are both floats, or both ints or bools."""
        ta, tb, c = self.terms[a], self.terms[b], self.terms[condition]
        if a == b and not c.raises:
            return a
        if ta.kind == tb.kind == "b":
            if ta.op == tb.op == "const" and a != b:
                return condition if ta.value else self.negate(condition)
            return self.graph.add("if", condition, a, b, kind="b", lo=0, hi=1)
        if ta.kind == "f":
            return self.graph.add("if", condition, a, b, kind="f")
        if not (self.graph.in_some_lane(a) and self.graph.in_some_lane(b)):
            a, b = (i if self.graph.in_some_lane(i) else self.graph.fail("i") for i in (a, b))
            ta, tb = self.terms[a], self.terms[b]
        lo, hi = min(ta.lo, tb.lo), max(ta.hi, tb.hi)
        # As int_term, which would also look at the condition's interval: only the arms choose the lane.
        if one_lane(lo, hi):
            arms = [self.interval_within(arm, self.limits(condition, holds)) for arm, holds in ((a, True), (b, False))]
            lo, hi = min(lo for lo, _ in arms), max(hi for _, hi in arms)
            return self.graph.add("if", condition, a, b, kind="i", lo=lo, hi=hi)
        return self.graph.add("if", condition, a, b, kind="i", lo=max(lo, I64[0]), hi=min(hi, I64[1]), lane="i64")

    def limits(self, condition: int, holds: bool) -> dict[int, tuple[int, int]]:
        """What is known of the ints that are compared where a condition holds, or does not: intervals of terms."""
        c = self.terms[condition]
        if c.op not in ("lt", "le"):
            return {}
        (a, ta), (b, tb) = ((i, self.terms[i]) for i in c.args)
        if "f" in (ta.kind, tb.kind) or ta.clamped or tb.clamped:
            return {}
        apart = (c.op == "lt") == holds  # a < b; else a <= b, and both the other way round where it does not hold
        found = {a: (ta.lo, min(ta.hi, tb.hi - apart)), b: (max(tb.lo, ta.lo + apart), tb.hi)}
        if not holds:
            found = {a: (max(ta.lo, tb.lo + apart), ta.hi), b: (tb.lo, min(tb.hi, ta.hi - apart))}
        return {i: (lo, hi) for i, (lo, hi) in found.items() if lo <= hi}

    def interval_within(self, index: int, limits: dict[int, tuple[int, int]], depth: int = 4) -> tuple[int, int]:
        """The interval of an int term where others are within limits: of a sum, a product, a choice of such."""
        t = self.terms[index]
        if index in limits:
            return limits[index]
        if t.clamped or not depth or not limits or not (t.op in _CORNERS or t.op == "if"):
            return t.lo, t.hi
        if t.op == "if":
            condition, *arms = t.args
            known = [_narrowed(limits, self.limits(condition, holds)) for holds in (True, False)]
            found = [self.interval_within(arm, k, depth - 1) for arm, k in zip(arms, known, strict=True)]
            corners = [end for pair in found for end in pair]
        else:
            first, second = (self.interval_within(i, limits, depth - 1) for i in t.args)
            corners = [_CORNERS[t.op](x, y) for x in first for y in second]
        return max(t.lo, min(corners)), min(t.hi, max(corners))

    def conditional(self, condition: Value, a: Value, b: Value) -> Value:
        if type(a) is tuple and type(b) is tuple:
            return tuple(self.conditional(condition, *items) for items in zip(a, b, strict=True))
        return self.choose(self.truth(condition), a, b)

    # -- kinds -------------------------------------------------------------------------------------------------

    def truth(self, value: Value) -> int:
        if isinstance(value, Union):
            return self.select(value.is_float, self.truth(value.float_part), self.truth(value.int_part))
        t = self.terms[value]
        if t.kind == "b":
            return value
        return self.compare_terms("!=", value, self.graph.const(0.0 if t.kind == "f" else 0))

    def has_kind(self, value: int, kind: str) -> bool:
        """Whether every element of the value has Python's type of this kind; an int term may be a bool's, as 1."""
        return self.terms[value].kind == kind and (kind != "i" or not self.may_be_bool(value))

    def may_be_bool(self, value: int) -> bool:
        """Whether an element may be a bool for Python: one that is chosen, or what & | ^ make of two that may be."""
        found: list[bool] = []
        for t in self.terms[: value + 1]:  # operands come first
            of = [found[i] for i in t.args]
            found.append(
                t.kind == "b"
                or (t.op == "if" and t.kind == "i" and any(of[1:]))
                or (t.op == "check" and of[0])
                or (t.op in ("and", "or", "xor") and all(of))
            )
        return found[value]

    def negate(self, condition: int) -> int:
        t = self.terms[condition]
        if t.op == "const":
            return self.graph.const(not t.value)
        if t.op == "not":
            return t.args[0]
        return self.graph.add("not", condition, kind="b", lo=0, hi=1)

    def to_float(self, value: Value) -> int:
        """float(value): exact or rounded to nearest even, as Python rounds."""
        if value in self.choices:
            return self.choice_of_floats(value)
        if isinstance(value, Union):
            return self.select(value.is_float, value.float_part, self.to_float(value.int_part))
        t = self.terms[value]
        if t.kind == "f":
            return value
        if t.op == "const":
            try:
                return self.graph.const(float(t.value))
            except OverflowError:
                return self.graph.fail("f")
        if t.op == "fix":  # a whole float as an int and back
            source = t.args[0]
            if self.terms[source].op not in _ROUNDED:
                source = self.graph.add("trunc", source, kind="f")
            if self.ieee:  # inf and nan stay what they are; + 0.0 makes the int 0 of -0.0
                return self.graph.add("add", source, self.graph.const(0.0), kind="f")
            return self.graph.add("whole", source, kind="f", raises=True)
        if self.ieee and t.op == "if" and any(self.terms[a].op == "fix" for a in t.args[1:]):
            return self.select(t.args[0], self.to_float(t.args[1]), self.to_float(t.args[2]))
        return self.graph.add("to_float", value, kind="f")

    def choice_of_floats(self, value: Value) -> int:
        """float() of what was chosen, by one condition, not three: for int, float, and which of them it is.

        Not by recursion: an ``elif`` may be the thousandth.
        """
        waiting = [] if value in self.floats else [value]
        while waiting:
            condition, *both = self.choices[waiting[-1]]
            new = [v for v in both if v in self.choices and v not in self.floats]
            if new:
                waiting += new
            else:
                self.floats[waiting.pop()] = self.select(condition, *map(self.to_float, both))
        return self.floats[value]

    def to_int(self, value: Value) -> int:
        """int(value)."""
        if isinstance(value, Union):
            return self.select(value.is_float, self.to_int(value.float_part), value.int_part)
        if self.terms[value].kind == "f":
            return self.graph.add("fix", value, kind="i", lo=I64[0], hi=I64[1], raises=True, lane="i64")
        return self.as_int(value)

    def to_stored_int(self, value: Value) -> int | None:
        """The value as an element of an integer array; floats are Python's TypeError. None: all values are floats."""
        if isinstance(value, Union):
            return self.select(value.is_float, self.graph.fail("i"), value.int_part)
        if self.terms[value].kind == "f":
            return None
        return value if self.graph.in_some_lane(value) else self.graph.fail("i")

    def stored(self, value: Value, target: str) -> int | None:
        """The value as an element of an array of this type. None: all values are floats, and it is one of integers."""
        if target == "b1":
            return self.truth(value)
        if target == "f16":
            return self.to_half(self.to_float(value))
        if target[0] == "f":
            return self.to_float(value)
        found = self.to_stored_int(value)
        return found if found is None or target not in STORED_TYPES else self.within(found, *interval(target))

    def within(self, value: int, lo: int, hi: int) -> int:
        """An int, marked where it is outside lo..hi: there a sum with a number that large leaves the lane."""
        t = self.terms[value]
        least, most = U64 if t.lo >= 0 and lo <= 0 else I64
        shifts = [most - hi] * (t.hi > hi) + [least - lo] * (t.lo < lo)
        return self.graph.check(value, *(self.int_add(value, self.graph.const(by)) for by in shifts))

    def to_half(self, value: int) -> int:
        """A float, marked where it is finite and rounds to more than the largest half, 65504: from 65520 on.

        Squares of doubles overflow from 2**512 on, so a multiple of the value is squared that reaches this between the
        two, and the value itself, as multiples of very large values are inf.
        """
        scaled = self.graph.add("mul", value, self.graph.const(2.0**512 / 65512), kind="f")
        marks = [self.graph.add("squarec", v, kind="f", raises=True) for v in (value, scaled)]
        return self.graph.check(value, *marks)

    def as_int(self, value: int) -> int:
        """A bool as the int it is; lanes convert b1 directly, so only an operation can make it an int."""
        t = self.terms[value]
        if t.kind == "i":
            return value
        if t.op == "const":
            return self.graph.const(int(t.value))
        return self.graph.add("or", value, self.graph.const(0), kind="i", lo=t.lo, hi=t.hi)

    def item(self, table: int, index: int) -> int:
        """An element of the parameter that is a table. A float is no index, and one of more than 64 bits is outside."""
        p, t = self.params[table], self.terms[index]
        self.mask_as_index |= t.op == "param" and t.kind == "b" and self.params[int(t.value)].array
        if t.kind == "f" or not self.graph.in_some_lane(index):
            return self.graph.fail(p.kind)
        return self.graph.add("item", self.as_int(index), kind=p.kind, lo=p.lo, hi=p.hi, value=table, raises=True)

    # -- comparisons -------------------------------------------------------------------------------------------

    def compare_terms(self, op: str, a: int, b: int) -> int:
        if op in (">", ">="):
            a, b, op = b, a, {">": "<", ">=": "<="}[op]
        ta, tb = self.terms[a], self.terms[b]
        if "f" in (ta.kind, tb.kind):
            return self.compare_floats(op, a, b)
        known = _compare_intervals(op, ta, tb)
        if known is not None:
            return self.graph.check(self.graph.const(known), a, b)
        if not (self.graph.in_some_lane(a) and self.graph.in_some_lane(b)):
            return self.graph.fail("b")
        return self.graph.add(_COMPARE_OPS[op], a, b, kind="b", lo=0, hi=1)

    def compare_floats(self, op: str, a: int, b: int) -> int:
        """At least one float. Python compares an int and a float exactly, without rounding the int."""
        operands = [self.to_float(a), self.to_float(b)]
        for place, (this, other) in enumerate(((a, b), (b, a))):
            t = self.terms[this]
            if t.kind == "f" or (t.lo >= -EXACT_FLOAT and t.hi <= EXACT_FLOAT):
                continue
            if t.op == "const":
                return self.compare_constant(op, a, b)
            if t.op != "fix":  # a cut float is a double: nothing was rounded
                operands[place] = self.graph.add("diff", this, other, kind="f")
                operands[1 - place] = self.graph.const(0.0)
        return self.graph.add(_COMPARE_OPS[op], *operands, kind="b", lo=0, hi=1)

    def compare_constant(self, op: str, a: int, b: int) -> int:
        """A float against an int constant that may not be a double: compare with its neighbour on the right side."""
        left = self.terms[a].op == "const" and self.terms[a].kind == "i"
        number: int = self.terms[a if left else b].value
        other = b if left else a
        try:
            rounded = float(number)
        except OverflowError:
            rounded = math.inf if number > 0 else -math.inf
        if rounded == number:
            bound = self.graph.const(rounded)
            return self.graph.add(_COMPARE_OPS[op], *((bound, other) if left else (other, bound)), kind="b", lo=0, hi=1)
        if op in ("==", "!="):
            # Equal to no double; still nan != number is True, so only the operand's faults matter.
            return self.graph.check(self.graph.const(op == "!="), other)
        # No double lies between number and rounded, so number < x means rounded <= x or rounded < x.
        strict = (rounded < number) == left
        bound = self.graph.const(rounded)
        name = "lt" if strict else "le"
        return self.graph.add(name, *((bound, other) if left else (other, bound)), kind="b", lo=0, hi=1)

    # -- arithmetic --------------------------------------------------------------------------------------------

    def numeric(self, op: str, a: int, b: int) -> Value:
        if "f" in (self.terms[a].kind, self.terms[b].kind) or (op == "/" and self.exact_floats(a, b)):
            return self.float_op(op, a, b)
        result: int = _INT_RULES[op](self, a, b)
        return result

    def exact_floats(self, *terms: int) -> bool:
        return all(self.terms[i].lo >= -EXACT_FLOAT and self.terms[i].hi <= EXACT_FLOAT for i in terms)

    def float_op(self, op: str, a: int, b: int) -> int:
        raises = False
        if op in ("/", "//", "%"):
            raises = not self.ieee and self.may_be_zero(b)
        name = _FLOAT_OPS[op]
        return self.graph.add(
            name + "c" if raises else name, self.to_float(a), self.to_float(b), kind="f", raises=raises
        )

    def may_be_zero(self, index: int) -> bool:
        t = self.terms[index]
        return not t.value if t.op == "const" else t.kind == "f" or t.lo <= 0 <= t.hi

    def int_add(self, a: int, b: int) -> int:
        ta, tb = self.terms[a], self.terms[b]
        return self.graph.int_term("add", ta.lo + tb.lo, ta.hi + tb.hi, a, b)

    def int_sub(self, a: int, b: int) -> int:
        ta, tb = self.terms[a], self.terms[b]
        return self.graph.int_term("sub", ta.lo - tb.hi, ta.hi - tb.lo, a, b)

    def int_mul(self, a: int, b: int) -> int:
        ta, tb = self.terms[a], self.terms[b]
        corners = [x * y for x in (ta.lo, ta.hi) for y in (tb.lo, tb.hi)]
        return self.graph.int_term("mul", min(corners), max(corners), a, b)

    def int_truediv(self, a: int, b: int) -> int:
        if not (self.graph.in_some_lane(a) and self.graph.in_some_lane(b)):
            return self.graph.fail("f")
        raises = not self.ieee and self.may_be_zero(b)
        return self.graph.add("quot", a, b, kind="f", raises=raises)

    def int_floordiv(self, a: int, b: int) -> int:
        ta, tb = self.terms[a], self.terms[b]
        if tb.op == "const" and tb.value > 0 and tb.value & (tb.value - 1) == 0:
            return self.int_shr(a, self.graph.const(tb.value.bit_length() - 1))
        if tb.lo > 0 or tb.hi < 0:
            corners = [x // y for x in (ta.lo, ta.hi) for y in (tb.lo, tb.hi)]
            lo, hi = min(corners), max(corners)
        else:
            hi = max(abs(ta.lo), abs(ta.hi))
            lo = 0 if ta.lo >= 0 and tb.lo >= 0 else -hi
        return self.graph.int_term("floordiv", lo, hi, a, b, raises=self.may_be_zero(b))

    def int_mod(self, a: int, b: int) -> int:
        ta, tb = self.terms[a], self.terms[b]
        if tb.op == "const" and tb.value > 0 and tb.value & (tb.value - 1) == 0:
            return self.int_bits("&", a, self.graph.const(tb.value - 1))
        hi = max(tb.hi - 1, 0) if ta.lo < 0 or tb.lo < 0 else min(ta.hi, max(tb.hi - 1, 0))
        return self.graph.int_term("mod", min(tb.lo + 1, 0), hi, a, b, raises=self.may_be_zero(b))

    def int_bits(self, op: str, a: int, b: int) -> int:
        ta, tb = self.terms[a], self.terms[b]
        if ta.kind == tb.kind == "b":
            return self.graph.add({"&": "and", "|": "or", "^": "xor"}[op], a, b, kind="b", lo=0, hi=1)
        if op == "&":
            # A mask wider than every lane keeps all of what is not negative.
            if tb.op == "const" and tb.value > U64[1] and ta.lo >= 0 and not ta.clamped:
                b = self.graph.const(tb.value & U64[1])
            elif ta.op == "const" and ta.value > U64[1] and tb.lo >= 0 and not tb.clamped:
                a = self.graph.const(ta.value & U64[1])
            ta, tb = self.terms[a], self.terms[b]
            lo, hi = _and_interval(ta, tb)
            if lo >= 0 and self.graph.in_some_lane(a) and self.graph.in_some_lane(b):
                # Only the low bits of the operands matter, so none of them need fit the lane of the result.
                return self.graph.add("and", a, b, kind="i", lo=lo, hi=hi)
            return self.graph.int_term("and", lo, hi, a, b)
        bits = _width(ta, tb)
        lo = -(1 << bits) if ta.lo < 0 or tb.lo < 0 else 0
        return self.graph.int_term({"|": "or", "^": "xor"}[op], lo, (1 << bits) - 1, a, b)

    def int_shl(self, a: int, b: int) -> int:
        ta, tb = self.terms[a], self.terms[b]
        if tb.lo > 63 or tb.hi < 0 or not self.graph.in_some_lane(b):
            return self.graph.fail("i")
        least, most = max(tb.lo, 0), min(tb.hi, 64)
        corners = [x << s for x in (ta.lo, ta.hi) for s in (least, most)]
        lo, hi = min(corners), max(corners)
        if tb.lo < 0 or tb.hi > 63:  # the count itself must be checked: force the checked form
            lo, hi = min(lo, -1 << 80) if ta.lo < 0 or tb.lo < 0 else 0, max(hi, 1 << 80)
        return self.graph.int_term("shl", lo, hi, a, b, raises=tb.lo < 0)

    def int_shr(self, a: int, b: int) -> int:
        ta, tb = self.terms[a], self.terms[b]
        if tb.hi < 0 or not self.graph.in_some_lane(b):
            return self.graph.fail("i")
        counts = (max(tb.lo, 0), min(tb.hi, 256))
        lo = min(ta.lo >> s for s in counts)
        hi = max(ta.hi >> s for s in counts)
        return self.graph.int_term("shr" if tb.lo >= 0 else "shrc", lo, hi, a, b, raises=tb.lo < 0)

    # -- powers ------------------------------------------------------------------------------------------------

    def power(self, op: str, a: int, b: int) -> Value:
        ta, tb = self.terms[a], self.terms[b]
        if "f" in (ta.kind, tb.kind) or tb.hi < 0:
            return self.float_power(a, b)
        if tb.op == "const":
            return self.constant_power(a, int(tb.value))
        if tb.lo >= 0 or (self.whole_powers and tb.hi > 0 and not self.is_negated(b)):
            return self.int_power(a, b)
        negative = self.compare_terms("<", b, self.graph.const(0))
        return self.choose(negative, self.float_power(a, b), self.int_power(a, b))

    def is_negated(self, index: int) -> bool:
        t = self.terms[index]
        return t.op == "sub" and self.terms[t.args[0]].op == "const" and not self.terms[t.args[0]].value

    def float_power(self, a: int, b: int) -> int:
        exponent = self.terms[b]
        if exponent.op == "const" and exponent.value in (1, 2):
            # Rounded once, so no further from the true value than a library's pow.
            base = self.to_float(a)
            if exponent.value == 1:
                return base
            return (self.graph.add("mul", base, base, kind="f") if self.ieee
                    else self.graph.add("squarec", base, kind="f", raises=True))  # fmt: skip
        few = exponent.op == "const" and abs(exponent.value) <= MOST_POWN and (2 * exponent.value) % 1 == 0
        name = ("pown" if few else "pow") + ("" if self.ieee else "c")
        return self.graph.add(name, self.to_float(a), self.to_float(b), kind="f", raises=not self.ieee)

    def constant_power(self, a: int, n: int) -> int:
        """x**n by squaring; exact, so the order of multiplication does not matter."""
        if n == 0:
            return self.graph.check(self.graph.const(1), a)
        if n > LARGEST_POWER:
            return self.int_power(a, self.graph.const(n)) if n <= I64[1] else self.graph.fail("i")
        result: int | None = None
        square = a
        while n:
            if n & 1:
                result = square if result is None else self.int_mul(result, square)
            n >>= 1
            square = self.int_mul(square, square) if n else square
        assert result is not None
        return self.as_int(result)

    def int_power(self, a: int, b: int) -> int:
        ta, tb = self.terms[a], self.terms[b]
        hi = max(abs(ta.lo), abs(ta.hi)) ** min(tb.hi, 65) if tb.hi > 0 else 1
        hi = max(hi, 1)
        return self.graph.int_term("ipow", -hi if ta.lo < 0 else 0, hi, a, b, raises=tb.lo < 0)

    def modular_power(self, op: str, a: int, exponent: int, modulus: int) -> int:
        """pow(a, exponent, modulus) by squaring, where the last two are constants and products fit the machine."""
        n, m = self.terms[exponent], self.terms[modulus]
        known = n.op == m.op == "const" and "f" not in (self.terms[a].kind, n.kind, m.kind)
        if not known or not (0 <= n.value < 1 << 16 and 0 < m.value <= 1 << 31):
            return self.graph.fail("i")
        result, square, left = self.graph.const(1 % int(m.value)), self.int_mod(self.as_int(a), modulus), int(n.value)
        if not left:
            return self.graph.check(result, a)
        while left:
            if left & 1:
                result = self.int_mod(self.int_mul(result, square), modulus)
            left >>= 1
            square = self.int_mod(self.int_mul(square, square), modulus) if left else square
        return result

    # -- unary operators and functions -------------------------------------------------------------------------

    def negative(self, op: str, a: int) -> Value:
        if self.terms[a].kind == "f":
            return self.graph.add("neg", a, kind="f")
        return self.int_sub(self.graph.const(0), a)

    def positive(self, op: str, a: int) -> Value:
        return a if self.terms[a].kind == "f" else self.as_int(a)

    def invert(self, op: str, a: int) -> Value:
        if self.terms[a].kind == "f":
            return self.graph.fail("i")
        if self.terms[a].kind == "b":
            self.inverted.add(self.at)
        return self.int_bits("^", a, self.graph.const(-1))

    def absolute(self, op: str, a: int) -> Value:
        t = self.terms[a]
        if t.kind == "f":
            return self.graph.add("fabs", a, kind="f")
        if t.lo >= 0 and not t.clamped:  # a cut interval holds only where the term is computed exactly
            return self.as_int(a)
        hi = max(-t.lo, t.hi)
        if hi <= I64[1]:
            return self.graph.int_term("abs", max(t.lo, 0), hi, a)
        minus = self.int_sub(self.graph.const(0), a)
        return self.choose(self.compare_terms("<", a, self.graph.const(0)), minus, a)

    def rounded(self, op: str, a: int) -> Value:
        """floor, ceil, trunc and round(x): ints."""
        if self.terms[a].kind != "f":
            return self.as_int(a)
        whole = self.graph.add("rint" if op == "round" else op, a, kind="f")
        return self.graph.add("fix", whole, kind="i", lo=I64[0], hi=I64[1], raises=True, lane="i64")

    def float_function(self, op: str, *args: int) -> int:
        floats = [self.to_float(a) for a in args]
        if op == "sqrt":
            t = self.terms[args[0]]
            if not self.ieee and (t.kind == "f" or t.lo < 0):
                return self.graph.add("sqrtc", *floats, kind="f", raises=True)
        return self.graph.add(op, *floats, kind="f")

    def elementary(self, op: str, *args: int) -> int:
        """A function of doubles that math may refuse."""
        floats = [self.to_float(a) for a in args]
        if op == "degrees":
            return self.graph.add("mul", *floats, self.graph.const(180.0 / math.pi), kind="f")
        if op == "radians":
            return self.graph.add("mul", *floats, self.graph.const(math.pi / 180.0), kind="f")
        if op == "log" and len(args) == 2:
            return self.float_op("/", self.elementary(op, args[0]), self.elementary(op, args[1]))
        if op == "hypot" and len(args) != 2:
            if len(args) == 1:
                return self.graph.add("fabs", *floats, kind="f")
            return functools.reduce(lambda a, b: self.graph.add("hypot", a, b, kind="f"), floats)
        if op == "math.pow":
            return self.float_power(*args)
        raises = not self.ieee and op not in TOTAL
        return self.graph.add(op + "c" if raises else op, *floats, kind="f", raises=raises)

    def sign(self, op: str, a: int) -> Value:
        """NumPy's sign(): -1, 0 or 1, of floats as floats, and nan of nan."""
        zero, const = self.graph.const(0), self.graph.const
        above, below = self.compare_terms(">", a, zero), self.compare_terms("<", a, zero)
        if self.terms[a].kind != "f":
            return self.int_sub(self.as_int(above), self.as_int(below))
        other = self.choose(self.compare_terms("==", a, zero), const(0.0), a)
        return self.choose(above, const(1.0), self.choose(below, const(-1.0), other))

    def classify(self, op: str, a: int) -> int:
        if self.terms[a].kind != "f":
            return self.graph.check(self.graph.const(op == "isfinite"), a)
        return self.graph.add(op, a, kind="b", lo=0, hi=1)

    def extreme(self, op: str, args: list[Value]) -> Value:
        """min() or max(): the first of the arguments that no later one beats."""
        result = args[0]
        for arg in args[1:]:
            beats = self.lift(Inference.compare_rule, op, arg, result)
            assert isinstance(beats, int)
            result = self.choose(beats, arg, result)
        return result

    def compare_rule(self, op: str, a: int, b: int) -> int:
        return self.compare_terms(op, a, b)

    def round_digits(self, op: str, x: int, digits: int) -> Value:
        """round(x, digits)."""
        t = self.terms[digits]
        if t.kind == "f" or not self.graph.in_some_lane(digits) or t.hi > I64[1]:
            return self.graph.fail("f" if self.terms[x].kind == "f" else "i")
        if self.terms[x].kind != "f":
            if t.lo >= 0:
                return self.graph.check(self.as_int(x), digits)
            return self.round_int(self.as_int(x), -t.value) if t.op == "const" else self.graph.fail("i")
        if t.op == "const" and t.value > MOST_DIGITS:
            return x
        known = t.op == "const" and abs(t.value) <= EXACT_TENS
        return self.graph.add("round" if known else "roundc", x, self.as_int(digits), kind="f", raises=not known)

    def round_int(self, x: int, zeros: int) -> int:
        """An int to a multiple of 10**zeros, ties to an even one."""
        if zeros > MOST_TENS:
            return self.graph.check(self.graph.const(0), x) if zeros < MOST_DIGITS else self.graph.fail("i")
        const = self.graph.const
        unit = const(10**zeros)
        below = self.int_floordiv(x, unit)
        rest = self.int_sub(x, self.int_mul(below, unit))
        # up if the rest is more than half of the unit, or is half and the multiple below is odd
        half = const(10**zeros // 2)
        odd = self.compare_terms("!=", self.int_bits("&", below, const(1)), const(0))
        tie = self.graph.add("and", self.compare_terms("==", rest, half), odd, kind="b", lo=0, hi=1)
        up = self.graph.add("or", self.compare_terms(">", rest, half), tie, kind="b", lo=0, hi=1)
        return self.int_mul(self.int_add(below, self.as_int(up)), unit)

    def load_exponent(self, op: str, x: int, n: int) -> int:
        """ldexp(x, n)."""
        t = self.terms[n]
        if t.kind == "f" or t.hi > I64[1] or t.lo < I64[0]:
            return self.graph.fail("f")
        return self.graph.add("ldexp", self.to_float(x), self.as_int(n), kind="f", raises=True)

    # -- functions of ints -----------------------------------------------------------------------------------------

    def whole_function(self, op: str, *args: int) -> int:
        """gcd() and the others of WHOLE_FUNCTIONS."""
        if any(self.terms[i].kind == "f" for i in args):
            return self.graph.fail("i")  # Python's TypeError or AttributeError
        args = tuple(self.as_int(i) for i in args)
        if op in ("gcd", "lcm"):
            return self.divisors(op, *args)
        if op == "perm" and len(args) == 1:
            op = "factorial"
        first = self.terms[args[0]]
        largest = max(-first.lo, first.hi)
        if op in METHODS:
            return self.graph.int_term(op, 0, largest.bit_length(), *args)
        refused = any(self.terms[i].lo < 0 for i in args)
        if op == "isqrt":
            return self.graph.int_term(op, 0, math.isqrt(max(first.hi, 0)), *args, raises=refused)
        small = op == "factorial" and first.hi <= 20
        return self.graph.int_term(op, 0, math.factorial(max(first.hi, 0)) if small else 1 << 80, *args, raises=refused)

    def divisors(self, op: str, *args: int) -> int:
        """gcd() or lcm() of any number of ints, two by two."""
        result = self.absolute("abs", args[0])
        assert isinstance(result, int)
        for other in args[1:]:
            terms = self.terms[result], self.terms[other]
            sizes = [max(-t.lo, t.hi) for t in terms]
            # no greater than any that is not 0; where one may be, gcd(0, x) is |x|
            nonzero = [size for t, size in zip(terms, sizes, strict=True) if t.lo > 0 or t.hi < 0]
            most = sizes[0] * sizes[1] if op == "lcm" else min(nonzero, default=max(sizes))
            result = self.graph.int_term(op, 0, most, result, other)
        return result

    # -- closeness -------------------------------------------------------------------------------------------------

    def isclose(self, args: list[Value]) -> int:
        """math.isclose() of two numbers, with constant tolerances or the default ones."""
        add, const = self.graph.add, self.graph.const
        a, b = (self.to_float(v) for v in args[:2])
        tolerances = [self.to_float(v) for v in args[2:]] or [const(1e-09), const(0.0)]
        if any(self.terms[t].op != "const" or not self.terms[t].value >= 0 for t in tolerances):
            return self.graph.fail("b")  # not known, or Python's ValueError
        relative, absolute = tolerances
        apart = add("fabs", add("sub", b, a, kind="f"), kind="f")
        near = [add("fabs", add("mul", relative, v, kind="f"), kind="f") for v in (b, a)]
        close = [add("le", apart, bound, kind="b", lo=0, hi=1) for bound in (*near, absolute)]
        finite = [add("isfinite", v, kind="b", lo=0, hi=1) for v in (a, b)]
        either = add("or", add("or", *close[:2], kind="b", lo=0, hi=1), close[2], kind="b", lo=0, hi=1)
        inside = add("and", add("and", *finite, kind="b", lo=0, hi=1), either, kind="b", lo=0, hi=1)
        return add("or", add("eq", a, b, kind="b", lo=0, hi=1), inside, kind="b", lo=0, hi=1)

    def sequence(self, args: list[Value]) -> Value:
        """The last of the values, after the others, of which only what Python could raise there matters."""
        *effects, value = args
        if type(value) is tuple:
            return (self.sequence([*effects, value[0]]), *value[1:])
        terms = [self.truth(e) if isinstance(e, Union) else e for e in effects]
        # where an interval was cut, what lies outside may raise, such as a negative shift count
        terms = [t for t in terms if self.graph.matters(self.terms[t])]
        if not terms:
            return value
        if isinstance(value, Union):
            return Union(self.graph.check(value.is_float, *terms), value.int_part, value.float_part)
        return self.graph.check(value, *terms)

    def member(self, a: int, values: tuple[Number, ...]) -> int:
        found = self.false
        for value in values:
            equal = self.compare_terms("==", a, self.graph.const(value))
            if self.terms[equal].op == "const" and not self.terms[equal].value:
                continue
            found = equal if found == self.false else self.graph.add("or", found, equal, kind="b", lo=0, hi=1)
        return found if values and self.terms[found].op != "const" else self.graph.check(found, a)


def _kind_of_failure(node: Node, constants: list[Number]) -> str:
    """The kind that a raising operation on constants would have had."""
    if node.op == "/" or node.value in ("sqrt", "fabs", "copysign", "float"):
        return "f"
    if node.value in ("floor", "ceil", "trunc", "int") or (node.value == "round" and len(constants) == 1):
        return "i"
    return "f" if any(isinstance(c, float) for c in constants) else "i"


def _narrowed(a: dict[int, tuple[int, int]], b: dict[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """What both say. Where they leave nothing, nobody evaluates it, and either is right."""
    found = a | b
    for i in a.keys() & b.keys():
        lo, hi = max(a[i][0], b[i][0]), min(a[i][1], b[i][1])
        found[i] = (lo, hi) if lo <= hi else a[i]
    return found


def _width(*terms: Term) -> int:
    """The bits of two's complement, the sign apart, that all values of these ints have: -2**bits .. 2**bits - 1."""
    return max((v if v >= 0 else ~v).bit_length() for t in terms for v in (t.lo, t.hi))


def _and_interval(ta: Term, tb: Term) -> tuple[int, int]:
    masks = [t for t in (ta, tb) if t.lo >= 0]
    if masks:
        # Below a mask the other operand may wrap (lower.py), and then its own interval does not hold.
        return 0, min(t.hi for t in [t for t in masks if not t.clamped] or masks)
    bits = _width(ta, tb)
    return -(1 << bits), max(ta.hi, tb.hi, 0) if ta.hi < 0 or tb.hi < 0 else (1 << bits) - 1


def _compare_intervals(op: str, a: Term, b: Term) -> bool | None:
    """What the comparison of two ints is for all their values, if that is one answer."""
    if op == "<":
        return True if a.hi < b.lo else False if a.lo >= b.hi else None
    if op == "<=":
        return True if a.hi <= b.lo else False if a.lo > b.hi else None
    apart = a.hi < b.lo or b.hi < a.lo
    same = a.lo == a.hi == b.lo == b.hi
    if op == "==":
        return False if apart else True if same else None
    return True if apart else False if same else None


#: Int operations whose extremes are among those of the extremes of their operands.
_CORNERS: dict[str, Callable[[int, int], int]] = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}
_COMPARE_OPS = {"<": "lt", "<=": "le", "==": "eq", "!=": "ne"}
_FLOAT_OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "//": "fdiv", "%": "rem"}
_INT_RULES: dict[str, Any] = {
    "+": Inference.int_add,
    "-": Inference.int_sub,
    "*": Inference.int_mul,
    "/": Inference.int_truediv,
    "//": Inference.int_floordiv,
    "%": Inference.int_mod,
    "<<": Inference.int_shl,
    ">>": Inference.int_shr,
}


def _bits_rule(self: Inference, op: str, a: int, b: int) -> Value:
    if "f" in (self.terms[a].kind, self.terms[b].kind):
        self.bits_of_float = True
        return self.graph.fail("i")  # Python's TypeError
    return self.int_bits(op, a, b) if op in "&|^" else _INT_RULES[op](self, a, b)


_BINARY_RULES: dict[str, Any] = {
    **dict.fromkeys(("+", "-", "*", "/", "//", "%"), Inference.numeric),
    **dict.fromkeys(("&", "|", "^", "<<", ">>"), _bits_rule),
    **dict.fromkeys(("<", "<=", "==", "!=", ">", ">="), Inference.compare_rule),
    "**": Inference.power,
}
_RULES: dict[str, Any] = {
    "neg": lambda self, node, args: self.lift(Inference.negative, "neg", *args),
    "pos": lambda self, node, args: self.lift(Inference.positive, "pos", *args),
    "invert": lambda self, node, args: self.lift(Inference.invert, "invert", *args),
    "not": lambda self, node, args: self.negate(self.truth(args[0])),
    "truth": lambda self, node, args: self.truth(args[0]),
    "in": lambda self, node, args: self.lift(lambda s, op, a: s.member(a, node.value), "in", *args),
    "abs": lambda self, node, args: self.lift(Inference.absolute, "abs", *args),
    "min": lambda self, node, args: self.extreme("<", args),
    "max": lambda self, node, args: self.extreme(">", args),
    "int": lambda self, node, args: self.to_int(args[0]),
    "float": lambda self, node, args: self.to_float(args[0]),
    "pow": lambda self, node, args: self.lift(Inference.modular_power, "pow", *args),
    **{
        name: lambda self, node, args: self.graph.fail(FUNCTIONS[str(node.value)].by_python)
        for name, function in FUNCTIONS.items()
        if function.by_python
    },
    **dict.fromkeys(
        (*ELEMENTARY1, *ELEMENTARY2, "degrees", "radians", "log", "hypot", "math.pow"),
        lambda self, node, args: self.lift(Inference.elementary, str(node.value), *args),
    ),
    **dict.fromkeys(
        WHOLE_FUNCTIONS, lambda self, node, args: self.lift(Inference.whole_function, str(node.value), *args)
    ),
    "ldexp": lambda self, node, args: self.lift(Inference.load_exponent, "ldexp", *args),
    **dict.fromkeys(("isclose", ISCLOSE_WITHIN), lambda self, node, args: self.isclose(args)),
    "seq": lambda self, node, args: self.sequence(args),
    "sign": lambda self, node, args: self.lift(Inference.sign, "sign", *args),
    "round": lambda self, node, args: self.lift(
        Inference.rounded if len(args) == 1 else Inference.round_digits, "round", *args
    ),
    **dict.fromkeys(
        ("floor", "ceil", "trunc"),
        lambda self, node, args: self.lift(Inference.rounded, str(node.value), *args),
    ),
    **dict.fromkeys(
        ("sqrt", "fabs", "copysign", "nextafter", "ulp", "rint"),
        lambda self, node, args: self.lift(Inference.float_function, str(node.value), *args),
    ),
    **dict.fromkeys(
        ("isnan", "isinf", "isfinite"),
        lambda self, node, args: self.lift(Inference.classify, str(node.value), *args),
    ),
}
