"""The intermediate representation: what a text or a function means, before types are known.

An :class:`IR` is a list of nodes in which operands always come before their users, so every later pass is a loop, never
a recursion. Equal nodes are one node (hash-consing). Nodes are pure: they have no effect but their value or the
exception that Python would raise. Operators carry Python's own spelling; ``a if c else b`` is ``if``, and everything
that Python evaluates lazily (``and``, ``or``, chained comparisons) is built from it.

    param   value: index of the parameter          const   value: an int, float or bool
    + - * / // % ** & | ^ << >>                    < <= == != > >=
    neg pos invert not truth                       in      value: a tuple of constants
    if      (condition, then, else), lazy          call    value: a name in FUNCTIONS
    item    (table, index): an element of a parameter that is a table, and nothing else
    seq     (effect..., value): the value, after operations whose exceptions Python would raise first
    whole   (expression,), value: (name in REDUCTIONS, ddof): one number of all elements; whole.py takes it out
"""

from __future__ import annotations

import math
import operator
import struct
import types
from collections.abc import Callable
from typing import Any, NamedTuple

Number = int | float | bool

#: A program of more nodes than this is refused: it bounds the time and memory that any text can ask for.
MAX_NODES = 4096

BINARY = ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>")
COMPARE = ("<", "<=", "==", "!=", ">", ">=")


class Function(NamedTuple):
    """A function of the language: what Python calls, and how many arguments it takes (``most`` None: any number)."""

    python: Callable[..., Number]
    least: int = 1
    most: int | None = 1
    module: str = "math"
    by_python: str = ""  # the kind (b, i, f) of the result of one that the machine does not have: Python evaluates it


#: Every function that a program may call. Python's meaning of each is ``python``; infer.py knows how to compile it.
FUNCTIONS: dict[str, Function] = {
    "abs": Function(abs, module="builtins"),
    "min": Function(min, 2, None, module="builtins"),
    "max": Function(max, 2, None, module="builtins"),
    "round": Function(round, 1, 2, module="builtins"),
    "int": Function(int, module="builtins"),
    "float": Function(float, module="builtins"),
    "bool": Function(bool, module="builtins"),
    "pow": Function(pow, 2, 3, module="builtins"),
    "sqrt": Function(math.sqrt),
    "floor": Function(math.floor),
    "ceil": Function(math.ceil),
    "trunc": Function(math.trunc),
    "fabs": Function(math.fabs),
    "copysign": Function(math.copysign, 2, 2),
    "isnan": Function(math.isnan),
    "isinf": Function(math.isinf),
    "isfinite": Function(math.isfinite),
    "degrees": Function(math.degrees),
    "radians": Function(math.radians),
    "math.pow": Function(math.pow, 2, 2),
    "log": Function(math.log, 1, 2),
    "hypot": Function(math.hypot, 1, None),
}
#: Functions of doubles that have an operation of their own, within one ULP of the true value.
ELEMENTARY1 = ("exp", "exp2", "expm1", "log2", "log10", "log1p", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan",
               "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc")  # fmt: skip
ELEMENTARY2 = ("atan2", "fmod", "remainder")
#: Those that never raise.
TOTAL = ("cbrt", "atan", "tanh", "asinh", "erf", "erfc", "atan2", "hypot")
#: Functions of ints that give ints.
WHOLE_FUNCTIONS = ("gcd", "lcm", "isqrt", "factorial", "comb", "perm", "bit_count", "bit_length")
#: Those of them that are methods: x.bit_count().
METHODS = ("bit_count", "bit_length")
_BY_PYTHON = {"gamma": ("f", 1, 1), "lgamma": ("f", 1, 1), "fma": ("f", 3, 3)}
_OTHERS = {
    "ldexp": (2, 2), "nextafter": (2, 2), "ulp": (1, 1), "comb": (2, 2), "perm": (1, 2), "gcd": (1, None),
    "lcm": (1, None), "isqrt": (1, 1), "factorial": (1, 1), "isclose": (2, 2),
}  # fmt: skip
# What the running Python's math module does not have is not part of the language.
for _name in ELEMENTARY1 + ELEMENTARY2:
    if hasattr(math, _name):
        FUNCTIONS[_name] = Function(getattr(math, _name), 1 + (_name in ELEMENTARY2), 1 + (_name in ELEMENTARY2))
for _name, (_kind, _least, _most) in _BY_PYTHON.items():
    if hasattr(math, _name):
        FUNCTIONS[_name] = Function(getattr(math, _name), _least, _most, by_python=_kind)
for _name, (_least, _most_) in _OTHERS.items():
    FUNCTIONS[_name] = Function(getattr(math, _name), _least, _most_)


def _isclose_within(a: Any, b: Any, rel_tol: Any, abs_tol: Any) -> bool:
    return math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)


def _sign(x: Any) -> Any:
    if isinstance(x, float):
        return 1.0 if x > 0 else -1.0 if x < 0 else 0.0 if x == 0 else x
    return (x > 0) - (x < 0)


def _rint(x: Any) -> float:
    whole = float(x)
    return math.copysign(float(round(whole)), whole) if abs(whole) < 1 << 52 else whole


#: NumPy's, where Python has none.
NUMPY_FUNCTIONS = {"sign": _sign, "rint": _rint}
for _name, _python in NUMPY_FUNCTIONS.items():
    FUNCTIONS[_name] = Function(_python, module="numpy")
for _name in METHODS:
    FUNCTIONS[_name] = Function(operator.methodcaller(_name), module="int")
#: What isclose() with its keywords becomes; no text can name it.
ISCLOSE_WITHIN = "isclose.within"
FUNCTIONS[ISCLOSE_WITHIN] = Function(_isclose_within, 4, 4, module="")

#: Functions of the operator module: the operator that each is.
OPERATORS: dict[Callable[..., object], str] = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/", operator.floordiv: "//",
    operator.mod: "%", operator.pow: "**", operator.and_: "&", operator.or_: "|", operator.xor: "^",
    operator.lshift: "<<", operator.rshift: ">>", operator.lt: "<", operator.le: "<=", operator.eq: "==",
    operator.ne: "!=", operator.gt: ">", operator.ge: ">=", operator.neg: "neg", operator.pos: "pos",
    operator.invert: "invert", operator.not_: "not", operator.truth: "truth",
}  # fmt: skip
#: Name in FUNCTIONS of a callable, by its identity.
FUNCTION_NAMES: dict[int, str] = {id(f.python): name for name, f in FUNCTIONS.items()} | {id(operator.abs): "abs"}


def is_known(value: object) -> bool:
    """Whether a callable is one whose meaning the language has."""
    return id(value) in FUNCTION_NAMES or (type(value) is types.BuiltinFunctionType and value in OPERATORS)


def least_arguments(value: Callable[..., object]) -> int:
    """How many arguments a callable that is_known takes at least."""
    name = FUNCTION_NAMES.get(id(value))
    if name is not None:
        return FUNCTIONS[name].least
    return 2 if OPERATORS[value] in BINARY or OPERATORS[value] in COMPARE else 1


#: What reduces all elements of an expression to one number, and the kind of that: "" is the kind of the values.
REDUCTIONS = {
    "sum": "", "mean": "f", "min": "", "max": "", "var": "f", "std": "f", "count": "i", "any": "b", "all": "b",
    "prod": "", "median": "", "argmin": "i", "argmax": "i", "len": "i",
}  # fmt: skip

CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf, "nan": math.nan}


#: Operand counts of the other operators; call and seq have their own rules.
_ARITY = dict.fromkeys(("param", "const"), 0) | dict.fromkeys(("neg", "pos", "invert", "not", "truth", "in"), 1)
_ARITY |= dict.fromkeys((*BINARY, *COMPARE, "item"), 2) | {"if": 3}
MAX_CONST_BITS = 1 << 18  # of an int constant in a table; about what the longest text can hold
MAX_ARMS = 400  # conditionals inside arms of conditionals, in a table


class TooManyNodes(Exception):
    """The program needs more than MAX_NODES nodes."""


class Node(NamedTuple):
    op: str
    args: tuple[int, ...] = ()
    value: object = None


class IR(NamedTuple):
    """A program: its nodes, the index of its result, and the names of its parameters.

    numpy: of a function that uses NumPy (numpy_scalars.py): "f" if its result may be a NumPy number, "b" if it may be a
    NumPy truth value, "u" if it calls NumPy's functions, "d" if it means this for parameters that are floats only.
    """

    nodes: tuple[Node, ...]
    root: int
    params: tuple[str, ...]
    numpy: str = ""


class Builder:
    """Collects the nodes of one program."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[object, int] = {}

    def add(self, op: str, *args: int, value: object = None) -> int:
        """Index of the node, new or known."""
        key = (op, args, identity(value))
        found = self._known.get(key)
        if found is None:
            if len(self.nodes) >= MAX_NODES:
                raise TooManyNodes
            found = self._known[key] = len(self.nodes)
            self.nodes.append(Node(op, args, value))
        return found

    def const(self, value: Number) -> int:
        return self.add("const", value=value)

    def logical_and(self, a: int, b: int) -> int:
        """``a and b``: the value of one of the operands, as in Python."""
        return self.add("if", a, b, a)

    def logical_or(self, a: int, b: int) -> int:
        return self.add("if", a, a, b)

    def done(self, root: int, params: tuple[str, ...]) -> IR:
        return IR(tuple(self.nodes), root, params)


def items_given(ir: IR) -> int:
    """How many items the tuple has that the program gives; 0 if it gives a number, or tuples of several lengths."""
    counts: list[int] = []
    for node in ir.nodes:
        below = [counts[i] for i in node.args]
        arms = below[1:] if node.op == "if" else below[-1:] if node.op == "seq" else [0]
        counts.append(len(node.args) if node.op == "tuple" else arms[0] if len(set(arms)) == 1 else 0)
    return counts[ir.root]


def carries(ir: IR, items: int) -> bool:
    """Whether it is the step of a fold whose accumulator, the first parameter, is a tuple of so many numbers."""
    whole = {i for i, node in enumerate(ir.nodes) if node.op == "param" and node.value == 0}
    parts = [node.value for node in ir.nodes if node.op == "part"]
    used = any(whole.intersection(node.args) for node in ir.nodes if node.op != "part")
    return items_given(ir) == items and not used and all(part in range(items) for part in parts)


def tables_of(ir: IR) -> frozenset[int]:
    """The parameters that are tables."""
    return frozenset(ir.nodes[n.args[0]].value for n in ir.nodes if n.op == "item")  # type: ignore[misc]


def misused_table(ir: IR) -> int | None:
    """A parameter that is a table and a number at once; None if there is none."""
    tables = tables_of(ir)
    uses = [arg for node in ir.nodes for arg in node.args[node.op == "item" :]] + [ir.root]
    found: list[Any] = [ir.nodes[i].value for i in uses if ir.nodes[i].op == "param" and ir.nodes[i].value in tables]
    return found[0] if found else None


def bind(ir: IR, numbers: tuple[Number, ...]) -> IR:
    """The program with its last parameters replaced by constants."""
    build, new = Builder(), list[int]()
    left = len(ir.params) - len(numbers)
    for node in ir.nodes:
        if node.op == "param" and isinstance(node.value, int) and node.value >= left:
            new.append(build.const(numbers[node.value - left]))
        else:
            new.append(build.add(node.op, *(new[i] for i in node.args), value=node.value))
    return build.done(new[ir.root], ir.params[:left])


Table = tuple[tuple[tuple[str, tuple[int, ...], object], ...], int, tuple[str, ...]]


def to_table(ir: IR) -> Table:
    """The program as plain tuples, for :func:`from_table`."""
    return tuple((n.op, n.args, n.value) for n in ir.nodes), ir.root, ir.params


def from_table(table: object) -> IR:
    """The program of a table that may come from anywhere: everything is checked. Raises ValueError."""
    try:
        nodes: Any
        params: Any
        root: Any
        nodes, root, params = table  # type: ignore[misc]
        _require(type(nodes) is tuple and type(params) is tuple and 0 < len(nodes) <= MAX_NODES, "sizes")
        _require(all(type(p) is str and p.isidentifier() for p in params), "parameter names")
        _require(len(params) == len(set(params)), "parameter names")
        depths: list[int] = []
        build = Builder()
        for op, args, value in nodes:
            _require(type(op) is str and type(args) is tuple, "node")
            _require(all(type(i) is int and 0 <= i < len(depths) for i in args), "operands")
            _check_node(op, args, value, len(params))
            below = [depths[i] + (op == "if" and k > 0) for k, i in enumerate(args)]
            depths.append(max(below, default=0))
            _require(depths[-1] <= MAX_ARMS and build.add(op, *args, value=value) == len(depths) - 1, "structure")
        _require(type(root) is int and 0 <= root < len(depths), "root")
        _require(all(build.nodes[n.args[0]].op == "param" for n in build.nodes if n.op == "item"), "table")
        ir = build.done(root, params)
        _require(misused_table(ir) is None, "table")
    except TypeError:
        raise ValueError("not a program: bad table") from None
    return ir


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(f"not a program: bad {what}")


def _check_node(op: str, args: tuple[int, ...], value: object, params: int) -> None:
    """Raises ValueError unless the node is one that the other modules know."""
    if op == "call":
        function = FUNCTIONS.get(value) if type(value) is str else None
        _require(function is not None, "function")
        assert function is not None
        least, most = (3, 3) if value == "pow" else (function.least, function.most)  # two: it is **
        _require(value != "bool" and least <= len(args) and (most is None or len(args) <= most), "operands")
        return
    _require(op in _ARITY or op == "seq", "operator")
    _require(len(args) == _ARITY.get(op, len(args)) and (op != "seq" or len(args) > 1), "operands")
    if op == "param":
        _require(type(value) is int and 0 <= value < params, "parameter")
    elif op == "const":
        _require(_is_constant(value), "constant")
    elif op == "in":
        _require(type(value) is tuple and all(_is_constant(v) and v == v for v in value), "constants")
    else:
        _require(value is None, "node")


def _is_constant(value: object) -> bool:
    return type(value) in (float, bool) or (type(value) is int and value.bit_length() <= MAX_CONST_BITS)


def identity(value: object) -> object:
    """A key that tells 1, 1.0 and True apart, 0.0 from -0.0, one nan from another, and finds each equal to itself."""
    if isinstance(value, float):
        return (float, struct.pack("=d", value))
    if isinstance(value, tuple):
        return tuple(identity(v) for v in value)
    return (type(value), value)


def show(ir: IR) -> str:
    """The program as readable text: one fully parenthesised Python expression.

    Shared parts are written out at each use; a text longer than a few lines is cut.
    """
    texts: list[str] = []
    for node in ir.nodes:
        text = _show_node(node, [texts[i] for i in node.args], ir.params)
        texts.append(text if len(text) <= 2000 else "(...)")
    return _inside(texts[ir.root])


def _show_node(node: Node, args: list[str], params: tuple[str, ...]) -> str:
    op, value = node.op, node.value
    if op == "param":
        assert isinstance(value, int)
        return params[value]
    if op == "const":
        # Python refuses to write very long ints in decimal.
        text = hex(value) if isinstance(value, int) and value.bit_length() > 8192 else repr(value)
        return f"({text})" if text.startswith("-") else text
    if op == "if":
        return f"({args[1]} if {args[0]} else {args[2]})"
    if op == "call" and value == ISCLOSE_WITHIN:
        return f"isclose({args[0]}, {args[1]}, rel_tol={args[2]}, abs_tol={args[3]})"
    if op == "call":
        return f"{args[0]}.{value}()" if value in METHODS else f"{value}({', '.join(args)})"
    if op == "in":
        return f"({args[0]} in {value!r})"
    if op == "truth":
        return f"bool({args[0]})"
    if op == "seq":
        return f"({', '.join(args)})[-1]"
    if op == "item":
        return f"{args[0]}[{_inside(args[1])}]"
    if op == "part":
        return f"{args[0]}[{value}]"
    if op == "tuple":
        return f"({', '.join(_inside(arg) for arg in args)}{',' * (len(args) == 1)})"
    if op == "whole":
        assert isinstance(value, tuple)
        return f"{value[0]}({_inside(args[0])}{f', ddof={value[1]}' if value[1] else ''})"
    if len(args) == 1:
        return f"({ {'neg': '-', 'pos': '+', 'invert': '~', 'not': 'not '}[op] }{args[0]})"
    return f"({args[0]} {op} {args[1]})"


def _inside(text: str) -> str:
    """Without the bracket around the whole."""
    return text[1:-1] if text.startswith("(") and text.endswith(")") and _outer(text) else text


def _outer(text: str) -> bool:
    """Whether the first bracket of the text closes at its last character."""
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return i == len(text) - 1
    return False
