"""Functions that use NumPy's scalars: which of them mean what the same function of Python's numbers means.

A function may capture a NumPy scalar or call ``numpy.exp``. Python then computes with NumPy's scalar types, which are
not Python's numbers everywhere. :func:`as_python` follows the types that each node may have and rewrites the IR to one
of Python's numbers with equal values; where that cannot be done the function is called.

    p    a number of Python's
    f    a float64
    i    an integer scalar: compared only, as its arithmetic wraps around
    b    a truth value: used as a condition only, as b + b is b

What NumPy answers and Python refuses (a zero divisor, the root of a negative) needs nothing here: the machine marks
such elements, and the function itself is called for them. Warnings are not given, and numpy.errstate is not asked.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from .ir import COMPARE, FUNCTIONS, IR, Builder, Node
from .machine import EXACT_FLOAT

#: Names of NumPy's functions of doubles, and of ours.
_UFUNCS: dict[str, str] = {
    **{name: name for name in ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "sin", "cos", "tan",
                               "sinh", "cosh", "tanh", "sqrt", "fabs", "degrees", "radians", "hypot", "copysign",
                               "isnan", "isinf", "isfinite")},
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    "rad2deg": "degrees", "deg2rad": "radians",
}  # fmt: skip
#: Those that give ints for ints: compiled for floats only.
_KEEP_INTS = {"floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "round", "absolute": "abs", "square": "*",
              "sign": ""}  # fmt: skip
_CLASSES = ("isnan", "isinf", "isfinite")
#: Operators by name, of floats only: of ints NumPy's wrap around.
_OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "true_divide": "/", "negative": "neg",
              "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==",
              "not_equal": "!="}  # fmt: skip
#: The larger or smaller of two floats: what beats the other, and whether a nan does.
_CHOOSING = {"maximum": (">", True), "minimum": ("<", True), "fmax": (">", False), "fmin": ("<", False)}
_LOGICAL = ("logical_and", "logical_or", "logical_not")
_WHERE = "where"
_PREFIX = "numpy."
_SCALARS = {"float64": "f", "bool_": "b"} | {f"{u}int{bits}": "i" for u in ("", "u") for bits in (8, 16, 32, 64)}

P, F, B = frozenset("p"), frozenset("f"), frozenset("b")
Kinds = frozenset[str]


class Different(Exception):
    """NumPy's scalars may give another value there than Python's numbers. The message says where."""


def scalar_kind(value: object) -> str:
    """i, f or b for a NumPy scalar that may be captured, else nothing."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value).__module__ != "numpy":
        return ""
    kind = next((kind for name, kind in _SCALARS.items() if getattr(numpy, name, None) is type(value)), "")
    exact = kind != "i" or -EXACT_FLOAT < int(value) < EXACT_FLOAT  # type: ignore[call-overload]
    return kind if exact else ""


def ufunc_name(value: object) -> str:
    """What a node of a call of this NumPy function is named, if it is one that is known."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return ""
    if type(value) is not getattr(numpy, "ufunc", None):
        return _PREFIX + _WHERE if callable(value) and value is getattr(numpy, _WHERE, None) else ""
    names = [n for n, ours in _UFUNCS.items() if ours in FUNCTIONS] + [*_KEEP_INTS, *_OPERATORS, *_CHOOSING, *_LOGICAL]
    name = next((n for n in names if getattr(numpy, n, None) is value), "")
    return name and _PREFIX + name


def ufunc_arguments(value: Any) -> int:
    """How many arguments a function with a :func:`ufunc_name` takes here."""
    return getattr(value, "nin", 3)


def _of_equal(name: str) -> str:
    """Which of two equal floats a function of _CHOOSING gives: they may be zeros of two signs.

    NumPy's documentation does not say: it depends on the instructions that it was built with. So it is asked.
    """
    function = getattr(sys.modules["numpy"], name)
    signs = math.copysign(1.0, function(-0.0, 0.0)), math.copysign(1.0, function(0.0, -0.0))
    return {(-1.0, 1.0): "first", (1.0, -1.0): "second", (1.0, 1.0): "positive"}.get(signs, "negative")


def as_python(ir: IR, scalars: dict[int, str]) -> IR:
    """The IR of Python's numbers with the values of this one. scalars: kinds of the parameters that are NumPy's.

    Raises Different if there is none.
    """
    return _Rewriter(ir, scalars).run()


class _Rewriter:
    def __init__(self, ir: IR, scalars: dict[int, str]) -> None:
        self.ir, self.scalars = ir, scalars
        self.build = Builder()
        self.kinds: dict[int, Kinds] = {}  # of the new nodes
        self.floats: dict[int, bool] = {}
        self.uses = ""

    def run(self) -> IR:
        new: list[int] = []
        for node in self.ir.nodes:
            index, kinds = self.node(node, [new[i] for i in node.args])
            # Equal nodes are one, whose kinds are those of all.
            self.kinds[index] = self.kinds.get(index, kinds) | kinds
            new.append(index)
        root = new[self.ir.root]
        result = "".join(k for k in "fb" if self.kinds[root] & (frozenset("fi") if k == "f" else B))
        return IR(tuple(self.build.nodes), root, self.ir.params, result + self.uses)

    def node(self, node: Node, args: list[int]) -> tuple[int, Kinds]:
        """The new node and its kinds."""
        kinds = [self.kinds[i] for i in args]
        if node.op == "param":
            assert isinstance(node.value, int)
            return self.build.add("param", value=node.value), frozenset(self.scalars.get(node.value, "p"))
        if node.op == "call":
            return self.call(str(node.value), args, kinds)
        if all(k == P for k in kinds):
            return self.build.add(node.op, *args, value=node.value), P
        rule = _RULES.get(node.op)
        if node.op in COMPARE:
            return self.compare(node.op, args[0], args[1]), B
        if rule is None:
            raise Different(f"{node.op!r} of a NumPy number")
        return self.build.add(node.op, *args, value=node.value), rule(node.op, kinds)

    def compare(self, op: str, a: int, b: int) -> int:
        """NumPy compares an int with a float64 as a float; Python compares them exactly."""
        kinds = self.kinds[a], self.kinds[b]
        if any("b" in k for k in kinds):
            raise Different("a NumPy truth value is compared")
        if self.is_small(a) or self.is_small(b):
            pass  # no rounding of the other number makes it equal, or leads past it
        elif F in kinds:
            a, b = self.floating(a), self.floating(b)
        elif any(k not in (P, frozenset("i")) for k in kinds):
            raise Different("a number that may be NumPy's or Python's is compared")
        return self.build.add(op, a, b)

    def is_small(self, index: int) -> bool:
        node = self.build.nodes[index]
        return node.op == "const" and isinstance(node.value, (int, float)) and abs(node.value) < EXACT_FLOAT

    def floating(self, index: int) -> int:
        """The number as a double."""
        if self.kinds[index] == F:
            return index
        result = self.build.add("call", index, value="float")
        self.kinds.setdefault(result, P)
        return result

    # -- calls -----------------------------------------------------------------------------------------------------

    def call(self, name: str, args: list[int], kinds: list[Kinds]) -> tuple[int, Kinds]:
        if name.startswith(_PREFIX):
            return self.ufunc(name.removeprefix(_PREFIX), args, kinds)
        if all(k == P for k in kinds):
            return self.build.add("call", *args, value=name), P
        if name in ("min", "max"):
            return self.extreme("<" if name == "min" else ">", args)
        if name == "abs":
            return self.build.add("call", *args, value=name), _arithmetic("abs()", kinds)
        function, plain = FUNCTIONS[name], name in ("int", "float")
        floats = function.module == "math" and not function.by_python and all(k <= frozenset("pf") for k in kinds)
        if not floats and not (plain and all(k <= frozenset("pfi") for k in kinds)):
            raise Different(f"{name}() of a NumPy number")
        return self.build.add("call", *args, value=name), P

    def extreme(self, op: str, args: list[int]) -> tuple[int, Kinds]:
        """min() and max() give the first of the arguments that no later one beats."""
        result = args[0]
        for arg in args[1:]:
            beats = self.compare(op, arg, result) if {self.kinds[arg], self.kinds[result]} != {P} else None
            node = self.build.add("if", self.build.add(op, arg, result) if beats is None else beats, arg, result)
            self.kinds[node] = self.kinds.get(node, P - P) | self.kinds[arg] | self.kinds[result]
            result = node
        return result, self.kinds[result]

    def ufunc(self, name: str, args: list[int], kinds: list[Kinds]) -> tuple[int, Kinds]:
        """A function of doubles, whatever numbers it is given; but half floats for bools."""
        if name in _LOGICAL:
            return self.logical(name, args), B
        condition = name == _WHERE
        if any(k - frozenset("pf") for k in kinds[condition:]) or any(map(self.may_be_bool, args[condition:])):
            raise Different(f"{_PREFIX}{name}() of what may be a bool or a NumPy integer")
        self.uses += "u"
        if name in _KEEP_INTS or name in _CHOOSING or name in _OPERATORS or name == _WHERE:
            return self.of_floats(name, args)
        ours = _UFUNCS[name]
        if ours in _CLASSES:
            return self.build.add("call", *args, value=ours), B
        return self.build.add("call", *(self.floating(i) for i in args), value=ours), F

    def of_floats(self, name: str, args: list[int]) -> tuple[int, Kinds]:
        """A function that gives an int for ints, and a float if one of its operands is one."""
        condition, operands = (args[:1], args[1:]) if name == _WHERE else ([], args)
        # constants first: of a parameter it is assumed, and remembered, that it is a float
        if not any(self.is_float(i) for i in sorted(operands, key=lambda i: self.build.nodes[i].op != "const")):
            raise Different(f"{_PREFIX}{name}() of what may be an int")
        if name in _KEEP_INTS:
            return self.keeping(name, args[0]), F
        operands = [self.floating(i) for i in operands]
        if name == _WHERE:  # both are evaluated, whichever is taken
            return self.build.add("seq", *condition, *operands, self.build.add("if", *condition, *operands)), F
        if name in _CHOOSING:
            return self.chosen(name, *operands), F
        op = _OPERATORS[name]
        return self.build.add(op, *operands), B if op in COMPARE else F

    def chosen(self, name: str, a: int, b: int) -> int:
        """The larger or smaller of two floats, as NumPy has nans and zeros."""
        build, (beats, nan_wins) = self.build, _CHOOSING[name]
        zero, tie = build.const(0.0), _of_equal(name)
        if tie == "positive":
            equal = build.add("if", build.add("==", a, zero), build.add("+", a, b), a)
        elif tie == "negative":
            negated = build.add("neg", build.add("-", build.add("neg", a), b))
            equal = build.add("if", build.add("==", a, zero), negated, a)
        else:
            equal = a if tie == "first" else b
        a_is_nan = build.add("!=", a, a)
        unordered = build.add("if", a_is_nan, a, b) if nan_wins else build.add("if", a_is_nan, b, a)
        tied = build.add("if", build.add("==", a, b), equal, unordered)
        return build.add("if", build.add(beats, a, b), a, build.add("if", build.add(beats, b, a), b, tied))

    def logical(self, name: str, args: list[int]) -> int:
        """The truth of numbers; both are evaluated."""
        build, truths = self.build, [self.build.add("truth", i) for i in args]
        if name == "logical_not":
            return build.add("not", args[0])
        joined = build.logical_and(*truths) if name == "logical_and" else build.logical_or(*truths)
        return build.add("seq", *args, joined)

    def keeping(self, name: str, x: int) -> int:
        """A function of _KEEP_INTS of a float, by what the language has."""
        build, ours = self.build, _KEEP_INTS[name]
        if name == "sign":  # of a zero 0.0, of nan the nan itself
            signs = ((">", 1.0), ("<", -1.0), ("==", 0.0))
            result = x
            for op, value in reversed(signs):
                result = build.add("if", build.add(op, x, build.const(0.0)), build.const(value), result)
            return result
        if name == "square":
            return build.add("*", x, x)
        whole = build.add("call", x, value=ours)
        if name == "absolute":
            return whole
        # Rounded to a whole number, a float keeps its sign: -0.0 is one.
        return build.add("call", build.add("call", whole, value="float"), x, value="copysign")

    def is_float(self, index: int) -> bool:
        """Whether it is a float wherever the parameters are floats."""
        found = self.floats.get(index)
        if found is None:
            found = self.floats[index] = self.find_float(index)
        return found

    def find_float(self, index: int) -> bool:
        node = self.build.nodes[index]
        if self.kinds.get(index) == F or node.op == "/" or isinstance(node.value, float):
            return True
        if node.op == "param":
            self.uses += "d"
            return True
        if node.op in ("+", "-", "*", "neg", "pos"):
            return any(self.is_float(i) for i in node.args)
        return node.op == "if" and all(self.is_float(i) for i in node.args[1:])

    def may_be_bool(self, index: int) -> bool:
        """Parameters apart: of those the types are known when the function is run."""
        stack, seen = [index], {index}
        while stack:
            node = self.build.nodes[stack.pop()]
            if node.op in (*COMPARE, "not", "truth", "in") or isinstance(node.value, bool) or node.value in _CLASSES:
                return True
            choices = node.args if node.op == "call" and node.value in ("min", "max") else ()
            choices = node.args[1:] if node.op == "if" else node.args[-1:] if node.op == "seq" else choices
            stack.extend(i for i in choices if i not in seen)
            seen.update(choices)
        return False


def _arithmetic(op: str, kinds: list[Kinds]) -> Kinds:
    """Kinds of a result that has the same value whether the floats are NumPy's or Python's."""
    if any(k - frozenset("pf") for k in kinds):
        raise Different(f"{op} of a NumPy integer or truth value")
    return F if F in kinds else frozenset("pf")


_RULES: dict[str, Callable[[str, list[Kinds]], Kinds]] = {
    **dict.fromkeys(("+", "-", "*", "/", "**", "neg", "pos"), _arithmetic),
    **dict.fromkeys(("not", "truth"), lambda op, kinds: P),
    "if": lambda op, kinds: kinds[1] | kinds[2],
    "seq": lambda op, kinds: kinds[-1],
}


def uses_numpy(ir: IR, scalars: dict[int, str]) -> bool:
    """Whether there is anything to rewrite."""
    return bool(scalars) or any(n.op == "call" and str(n.value).startswith(_PREFIX) for n in ir.nodes)
