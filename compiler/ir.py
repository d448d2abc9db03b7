"""The intermediate representation: what a text or a function means, before types are known.

An :class:`IR` is a list of nodes in which operands always come before their users, so every later pass is a loop, never
a recursion. Equal nodes are one node (hash-consing). Nodes are pure: they have no effect but their value or the
exception that Python would raise. Operators carry Python's own spelling; ``a if c else b`` is ``if``, and everything
that Python evaluates lazily (``and``, ``or``, chained comparisons) is built from it.

    param   value: index of the parameter          const   value: an int, float or bool
    + - * / // % ** & | ^ << >>                    < <= == != > >=
    neg pos invert not truth                       in      value: a tuple of constants
    if      (condition, then, else), lazy          call    value: a name in FUNCTIONS
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Number = int | float | bool

#: A program of more nodes than this is refused: it bounds the time and memory that any text can ask for.
MAX_NODES = 4096

BINARY = ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>")
COMPARE = ("<", "<=", "==", "!=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language: what Python calls, and how many arguments it takes (``most`` None: any number)."""

    python: Callable[..., Number]
    least: int = 1
    most: int | None = 1
    module: str = "math"


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
}

CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf, "nan": math.nan}


class TooManyNodes(Exception):
    """The program needs more than MAX_NODES nodes."""


@dataclass(frozen=True, slots=True)
class Node:
    op: str
    args: tuple[int, ...] = ()
    value: object = None


@dataclass(frozen=True, slots=True)
class IR:
    """A program: its nodes, the index of its result, and the names of its parameters."""

    nodes: tuple[Node, ...]
    root: int
    params: tuple[str, ...]


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


def identity(value: object) -> object:
    """A key that tells 1, 1.0 and True apart, and 0.0 from -0.0, and finds nan equal to itself."""
    if isinstance(value, float):
        return (float, value.hex())
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
    text = texts[ir.root]
    return text[1:-1] if text.startswith("(") and text.endswith(")") and _outer(text) else text


def _show_node(node: Node, args: list[str], params: tuple[str, ...]) -> str:
    op, value = node.op, node.value
    if op == "param":
        assert isinstance(value, int)
        return params[value]
    if op == "const":
        return f"({value!r})" if isinstance(value, (int, float)) and value < 0 else repr(value)
    if op == "if":
        return f"({args[1]} if {args[0]} else {args[2]})"
    if op == "call":
        return f"{value}({', '.join(args)})"
    if op == "in":
        return f"({args[0]} in {value!r})"
    if op == "truth":
        return f"bool({args[0]})"
    if len(args) == 1:
        return f"({ {'neg': '-', 'pos': '+', 'invert': '~', 'not': 'not '}[op]}{args[0]})"
    return f"({args[0]} {op} {args[1]})"


def _outer(text: str) -> bool:
    """Whether the first bracket of the text closes at its last character."""
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return i == len(text) - 1
    return False
