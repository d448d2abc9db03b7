"""The IR with Python numbers: the oracle for texts.

:func:`evaluator` turns an IR into a callable that takes one element of each parameter and returns what Python returns
for the same text, or raises what Python raises: same order of evaluation, same laziness. Two things differ on purpose.
Integers are bounded (MAX_INT_BITS), so that no text can occupy a machine; and with ``ieee`` the float operations
that Python refuses give IEEE results.

No Python code is made from the text: element.py makes a function from the IR at the first call, and an IR that would be
too large as a function is interpreted.
"""

from __future__ import annotations

import math
import operator
import types
from collections.abc import Callable
from typing import Any

from .bignum import big_steps
from .element import ZIP, Unfolds, checked_name, column_codes, element_codes, plain_name
from .ir import ELEMENTARY1, ELEMENTARY2, FUNCTIONS, IR, Node, Number

#: Bits of the largest integer that an evaluation may make; beyond it OverflowError. At this size the slowest
#: operation, a division, takes about 20 ms.
MAX_INT_BITS = 1 << 18

Operation = Callable[..., Any]


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


def _lcm(*numbers: Any) -> Any:
    if all(isinstance(n, int) for n in numbers) and sum(n.bit_length() for n in numbers) > MAX_INT_BITS:
        raise _too_large("lcm()")
    return math.lcm(*numbers)


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
    "truth": bool, "seq": lambda *values: values[-1], "item": operator.getitem, "tuple": lambda *values: values,
    # int() first: Python's ~ of a bool is the same number with a DeprecationWarning.
    "invert": lambda a: ~int(a) if isinstance(a, bool) else ~a,
}  # fmt: skip
CALLS: dict[str, Operation] = {name: function.python for name, function in FUNCTIONS.items()} | {
    "round": _round,
    "pow": _modular_pow,
    "factorial": _bounded("factorial", lambda n: n * _log2(n)),
    "perm": _bounded("perm", lambda n, k=None: (n if k is None else min(n, k)) * _log2(n)),
    "comb": _bounded("comb", lambda n, k: min(k, max(n - k, 0)) * _log2(n)),
    "lcm": _lcm,
}
#: Those that check the size of their result first; where it cannot be too large, element.py has Python's own.
CHECKED = ("*", "<<", "**", "round", "pow", "factorial", "perm", "comb", "lcm")


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
    if node.op == "part":
        return operator.itemgetter(node.value)
    return (IEEE_OPERATIONS if ieee else OPERATIONS)[node.op]


# -- programs ------------------------------------------------------------------------------------------------------


def evaluator(ir: IR, ieee: bool = False, any_int: bool = True) -> Callable[..., Any]:
    """A function of one number per parameter that gives the value of the IR.

    any_int: False if no parameter is an int of more than 64 bits, so that fewer results need be checked.

    >>> from arrayops.compiler.parse import parse
    >>> evaluator(parse("x*x + y"))(10**30, 0.5)
    1e+60
    """
    alone = _alone(ir, ieee)
    if alone is not None:
        return alone
    namespace: dict[str, Any] = {"__builtins__": {}}
    element = types.FunctionType(_FIRST_CALL, namespace, "element")

    def generate() -> Callable[..., Any]:
        # The code is put into the function that the callers have already, so that they need not ask for another one.
        # Two threads that come here at once put the same code there.
        try:
            codes = element_codes(ir, CHECKED, _CALLED_IEEE if ieee else _CALLED, any_int, MAX_INT_BITS)
        except Unfolds:
            namespace["interpreted"] = lambda args: interpret(ir, args, ieee)
            element.__code__ = _EVERY_CALL
            return element
        namespace.update(_NAMES_IEEE if ieee else _NAMES)
        namespace.update((name, types.FunctionType(code, namespace, name)) for name, code in codes.items())
        element.__code__ = codes["element"]
        return element

    namespace["generate"] = generate
    columns = element.__dict__[COLUMNS] = _Columns(ir, ieee, any_int)
    if not any_int:  # the steps take no longer ones
        element.__dict__[BIG] = columns.big
    return element


def _alone(ir: IR, ieee: bool) -> Operation | None:
    """Python's function, if that is all of the IR: C calls it in less time than any function around it."""
    root = ir.nodes[ir.root]
    if ieee or root.op != "call" or not FUNCTIONS[str(root.value)].by_python:
        return None
    operands = [ir.nodes[i] for i in root.args]
    if [(node.op, node.value) for node in operands] != [("param", i) for i in range(len(ir.params))]:
        return None
    return FUNCTIONS[str(root.value)].python


#: The attribute of evaluators that the machine asks for many elements at once (python/glue/run.c).
COLUMNS = "_arrayops_columns"
#: That of a function that gives their steps for ints of more than 64 bits (python/glue/bignum.c).
BIG = "_arrayops_big"


class _Columns(dict[int, Any]):
    """Functions of many elements by which parameters are lists (element.column_codes), made when first asked for."""

    def __init__(self, ir: IR, ieee: bool, any_int: bool) -> None:
        self.ir, self.ieee, self.any_int = ir, ieee, any_int
        self.steps: bytes | None = None

    def big(self) -> bytes:
        """The steps for ints of more than 64 bits, made when first asked for."""
        if self.steps is None:
            self.steps = big_steps(self.ir)
        return self.steps

    def __missing__(self, columns: int) -> Any:
        """None if the function would be too large."""
        called, names = (_CALLED_IEEE, _NAMES_IEEE) if self.ieee else (_CALLED, _NAMES)
        namespace: dict[str, Any] = {"__builtins__": {}, **names, ZIP: zip}
        try:
            codes = column_codes(self.ir, CHECKED, called, self.any_int, MAX_INT_BITS, columns)
        except Unfolds:
            self[columns] = None
            return None
        namespace.update((name, types.FunctionType(code, namespace, name)) for name, code in codes.items())
        return self.setdefault(columns, namespace["column"])


def _first_call(*args: Any) -> Any:
    return generate()(*args)  # type: ignore[name-defined]  # noqa: F821


def _every_call(*args: Any) -> Any:
    return interpreted(args)  # type: ignore[name-defined]  # noqa: F821


def _names(operations: dict[str, Operation], calls: dict[str, Operation], called: tuple[str, ...]) -> dict[str, Any]:
    """The namespace of generated functions."""
    names = {plain_name(name): calls[name] for name in calls if name not in CHECKED}
    names |= {plain_name(name): FUNCTIONS[name].python for name in CHECKED if name in FUNCTIONS}
    names |= {plain_name(name): (operations | calls)[name] for name in called}
    return names | {checked_name(name): (operations | calls)[name] for name in CHECKED if name in operations | calls}


_FIRST_CALL, _EVERY_CALL = _first_call.__code__, _every_call.__code__
_CALLED = ("truth", "invert")
_CALLED_IEEE = (*_CALLED, "/", "//", "%", "**", "round", "pow")
_NAMES, _NAMES_IEEE = _names(OPERATIONS, CALLS, _CALLED), _names(IEEE_OPERATIONS, IEEE_CALLS, _CALLED_IEEE)


def interpret(ir: IR, args: tuple[Any, ...], ieee: bool = False) -> Any:
    """The value of the IR for one number per parameter, node by node as Python needs them: for a single time."""
    values: dict[int, Any] = {}
    stack = [ir.root]
    while stack:
        index = stack[-1]
        node = ir.nodes[index]
        needed = node.args
        if node.op == "if":
            needed = node.args[:1] if node.args[0] not in values else node.args[1 if values[node.args[0]] else 2 :][:1]
        missing = [i for i in needed if i not in values]
        if missing:
            stack.extend(reversed(missing))
            continue
        if index not in values:
            operands = [values[i] for i in needed]
            values[index] = (
                args[node.value] if node.op == "param"  # type: ignore[call-overload]
                else node.value if node.op == "const"
                else operands[0] if node.op == "if"
                else _operation(node, ieee)(*operands)
            )  # fmt: skip
        stack.pop()
    return values[ir.root]
