"""The IR with Python numbers: the oracle for texts.

:func:`evaluator` turns an IR into a callable that takes one element of each parameter and returns what Python returns
for the same text, or raises what Python raises: same order of evaluation, same laziness. Two things differ on purpose.
Integers are bounded (MAX_INT_BITS), so that no text can occupy a machine; and with ``ieee`` the float operations
that Python refuses give IEEE results.

No Python code is made from the text: the IR becomes a list of steps, interpreted by ``_run``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from .ir import ELEMENTARY1, ELEMENTARY2, FUNCTIONS, IR, Node, Number

#: Bits of the largest integer that an evaluation may make; beyond it OverflowError. At this size the slowest
#: operation, a division, takes about 20 ms.
MAX_INT_BITS = 1 << 18

Operation = Callable[..., Any]
# A step is (operation, result, operands) or, for a conditional, (None, result, condition, then, else), where each arm
# is its steps and its result.
Step = tuple[Any, ...]


def _too_large(what: str) -> OverflowError:
    return OverflowError(f"{what} gives an integer of more than {MAX_INT_BITS} bits")


def _mul(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and a.bit_length() + b.bit_length() > MAX_INT_BITS:
        raise _too_large("*")
    return a * b


def _lshift(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and a and b > 0 and a.bit_length() + b > MAX_INT_BITS:
        raise _too_large("<<")
    return a << b


def _pow(a: Any, b: Any) -> Any:
    # |a| >= 2**(bits - 1), so the power has at least (bits - 1) * b bits.
    if isinstance(a, int) and isinstance(b, int) and b > 0 and (a.bit_length() - 1) * b > MAX_INT_BITS:
        raise _too_large("**")
    return a**b


def _modular_pow(a: Any, b: Any, *modulus: Any) -> Any:
    if not modulus:
        return _pow(a, b)
    numbers = (a, b, *modulus)
    if all(isinstance(n, int) for n in numbers) and b.bit_length() * modulus[0].bit_length() > MAX_INT_BITS:
        raise _too_large("pow()")
    return pow(a, b, *modulus)


def _bounded(name: str, bits: Callable[..., float]) -> Operation:
    """A function of math whose int result has at most so many bits, refused if they are too many."""
    function = getattr(math, name)

    def bounded(*args: Any) -> Any:
        if all(isinstance(a, int) and a >= 0 for a in args) and bits(*args) > MAX_INT_BITS:
            raise _too_large(f"{name}()")
        return function(*args)

    return bounded


def _log2(n: int) -> int:
    return n.bit_length()


def _round(x: Any, *digits: Any) -> Any:
    if digits and isinstance(x, int) and isinstance(digits[0], int) and -digits[0] * 4 > MAX_INT_BITS:
        raise _too_large("round()")
    return round(x, *digits)


OPERATIONS: dict[str, Operation] = {
    "+": operator.add, "-": operator.sub, "*": _mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": _pow, "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": _lshift,
    ">>": operator.rshift, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
    ">": operator.gt, ">=": operator.ge, "neg": operator.neg, "pos": operator.pos, "not": operator.not_,
    "truth": bool, "seq": lambda *values: values[-1],
    # int() first: Python's ~ of a bool is the same number with a DeprecationWarning.
    "invert": lambda a: ~int(a) if isinstance(a, bool) else ~a,
}  # fmt: skip
CALLS: dict[str, Operation] = {name: function.python for name, function in FUNCTIONS.items()} | {
    "round": _round,
    "pow": _modular_pow,
    "factorial": _bounded("factorial", lambda n: n * _log2(n)),
    "perm": _bounded("perm", lambda n, k=None: (n if k is None else min(n, k)) * _log2(n)),
    "comb": _bounded("comb", lambda n, k: min(k, max(n - k, 0)) * _log2(n)),
}


# -- IEEE variants -------------------------------------------------------------------------------------------------


def _ieee_div(a: Any, b: Any) -> Any:
    if b == 0:
        a = float(a)
        if a == 0 or a != a:
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def _ieee_floordiv(a: Any, b: Any) -> Any:
    if b == 0 and (isinstance(a, float) or isinstance(b, float)):
        return _ieee_div(a, b)
    return a // b


def _ieee_mod(a: Any, b: Any) -> Any:
    if b == 0 and (isinstance(a, float) or isinstance(b, float)):
        return math.nan
    return a % b


def _ieee_pow(a: Any, b: Any) -> Any:
    try:
        value = _pow(a, b)
    except ZeroDivisionError:
        return math.copysign(math.inf, a) if b % 2 == 1 else math.inf
    except OverflowError:
        if isinstance(a, int) and isinstance(b, int):
            raise
        if a < 0 and b % 1:
            return math.nan  # also where a complex number would be too large
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    return math.nan if isinstance(value, complex) else value


def _ieee_value(name: str, x: Any, overflow: bool) -> float:
    """What IEEE has where math raises: at poles and overflows an infinity, elsewhere nan."""
    if overflow or (name == "gamma" and x == 0):
        return math.copysign(math.inf, x) if name in ("sinh", "gamma") else math.inf
    if name == "lgamma":
        return math.inf
    if (name in ("log", "log2", "log10") and x == 0) or (name == "log1p" and x == -1):
        return -math.inf
    return math.copysign(math.inf, x) if name == "atanh" and abs(x) == 1 else math.nan


def _ieee_function(name: str) -> Operation:
    """A function of math that gives inf or nan where Python raises for floats."""
    function = FUNCTIONS[name].python

    def ieee(*args: Any) -> Any:
        try:
            return function(*args)
        except ValueError:
            return _ieee_value(name, args[0], False)
        except OverflowError:
            if any(isinstance(a, int) and abs(a) > 1 << 1023 for a in args):
                raise  # the int is too large for a float, before anything is computed
            return _ieee_value(name, args[0], True)

    return ieee


def _ieee_log(x: Any, *base: Any) -> float:
    value = _ieee_function("log")(x)
    return float(_ieee_div(value, _ieee_function("log")(*base))) if base else float(value)


def _ieee_ldexp(x: Any, exponent: Any) -> float:
    try:
        return math.ldexp(x, exponent)
    except OverflowError:
        return math.copysign(math.inf, float(x))  # float() refuses an int that is too large


def _ieee_round(x: Any, *digits: Any) -> Any:
    try:
        return _round(x, *digits)
    except OverflowError:
        if isinstance(x, float) and digits:
            return math.copysign(math.inf, x)
        raise


def _ieee_fma(x: Any, y: Any, z: Any) -> float:
    try:
        return FUNCTIONS["fma"].python(x, y, z)
    except ValueError:
        return math.nan
    except OverflowError:
        return float(x) * float(y) + float(z)  # in the last place this rounds otherwise, but here it is an infinity


def _ieee_modular_pow(a: Any, b: Any, *modulus: Any) -> Any:
    return _modular_pow(a, b, *modulus) if modulus else _ieee_pow(a, b)


IEEE_OPERATIONS: dict[str, Operation] = OPERATIONS | {
    "/": _ieee_div,
    "//": _ieee_floordiv,
    "%": _ieee_mod,
    "**": _ieee_pow,
}
_IEEE_FUNCTIONS = ("sqrt", *(n for n in ELEMENTARY1 + ELEMENTARY2 if n in FUNCTIONS), "hypot", "gamma", "lgamma")
IEEE_CALLS: dict[str, Operation] = CALLS | {n: _ieee_function(n) for n in _IEEE_FUNCTIONS}
IEEE_CALLS |= {"log": _ieee_log, "math.pow": lambda a, b: _ieee_pow(float(a), float(b)), "pow": _ieee_modular_pow}
IEEE_CALLS |= {"ldexp": _ieee_ldexp, "round": _ieee_round}
if "fma" in FUNCTIONS:
    IEEE_CALLS["fma"] = _ieee_fma


def fold(op: str, values: tuple[Number, ...], value: object, ieee: bool) -> Any:
    """What one node gives for constant operands, or its exception."""
    return _operation(Node(op, (), value), ieee)(*values)


def _operation(node: Node, ieee: bool) -> Operation:
    if node.op == "call":
        return (IEEE_CALLS if ieee else CALLS)[str(node.value)]
    if node.op == "in":
        members = node.value
        return lambda a: a in members  # type: ignore[operator]
    return (IEEE_OPERATIONS if ieee else OPERATIONS)[node.op]


# -- steps ---------------------------------------------------------------------------------------------------------


def evaluator(ir: IR, ieee: bool = False) -> Callable[..., Any]:
    """A callable of one number per parameter that gives the value of the IR.

    >>> from arrayops.compiler.parse import parse
    >>> evaluator(parse("x*x + y"))(10**30, 0.5)
    1e+60
    """
    initial: list[Any] = [node.value if node.op == "const" else None for node in ir.nodes]
    slots: list[tuple[int, Any]] = [(i, node.value) for i, node in enumerate(ir.nodes) if node.op == "param"]
    known = frozenset(i for i, node in enumerate(ir.nodes) if node.op in ("const", "param"))
    steps = _steps(ir, ir.root, known, ieee)
    root = ir.root

    def evaluate(*args: Any) -> Any:
        values = initial.copy()
        for slot, index in slots:
            values[slot] = args[index]
        _run(steps, values)
        return values[root]

    return evaluate


def _steps(ir: IR, root: int, known: frozenset[int], ieee: bool) -> list[Step]:
    """Steps that compute root from the known nodes, in Python's order of evaluation."""
    steps: list[Step] = []
    done = set(known)
    stack = [(root, False)]
    while stack:
        index, operands_done = stack.pop()
        if index in done:
            continue
        node = ir.nodes[index]
        strict = node.args[:1] if node.op == "if" else node.args
        if not operands_done:
            stack.append((index, True))
            stack.extend((arg, False) for arg in reversed(strict))
            continue
        if node.op == "if":
            now = frozenset(done)
            arms = [(_steps(ir, arm, now, ieee), arm) for arm in node.args[1:]]
            steps.append((None, index, node.args[0], *arms))
        else:
            steps.append((_operation(node, ieee), index, node.args))
        done.add(index)
    return steps


def _run(steps: list[Step], values: list[Any]) -> None:
    for step in steps:
        operation = step[0]
        if operation is None:
            arm, result = step[3] if values[step[2]] else step[4]
            _run(arm, values)
            values[step[1]] = values[result]
            continue
        operands = step[2]
        if len(operands) == 2:
            values[step[1]] = operation(values[operands[0]], values[operands[1]])
        elif len(operands) == 1:
            values[step[1]] = operation(values[operands[0]])
        else:
            values[step[1]] = operation(*[values[i] for i in operands])
