"""The oracle: what Python itself makes of the same text, element by element, and how arrayops' answer differs from it.

The text is evaluated by Python's own `eval` (in tests only) in a namespace that holds the language's functions and
nothing else. Nothing in here knows how arrayops works: no import of the package, no second copy of its rules.
Results are compared bit for bit (type, sign of zero, every element), exceptions by class and message. A NaN equals a
NaN: its payload is not part of the contract, nor is the sign copysign() would read from one (`Unspecified`).
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import math
import operator
import re
import signal
import statistics
import struct
import types
import warnings
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

INTEGER_CODES = "bBhHiIlLqQ"
FLOAT_CODES = "fd"
TYPECODES = INTEGER_CODES + FLOAT_CODES
# Every function of math that takes and gives numbers, however many.
_OTHERS = {"dist", "fsum", "prod", "sumprod", "modf", "frexp"}
MATH_FUNCTIONS = tuple(n for n in dir(math) if callable(getattr(math, n)) and n[0] != "_" and n not in _OTHERS)
# What is within one ULP of the true value, in arrayops as in a C library: two such values may be two ULPs apart.
WITHIN_ONE_ULP = re.compile(
    r"\*\*|\b(pow|power|exp|exp2|expm1|log|ln|log2|log10|log1p|cbrt|hypot|sin|cos|tan|a(rc)?(sin|cos|tan|tan2|sinh|cosh|tanh)"
    r"|sinh|cosh|tanh|erf|erfc)\b"
)
MATH_CONSTANTS = ("pi", "e", "tau", "inf", "nan")
FLOAT_HINT = "pass typecode='d'"
REMEDY = re.compile(r"; pass typecode='[qQd]'(, or round\(\.\.\.\))?$")

# A hostile or long call is given this many seconds before the test fails; it bounds a hang, it measures nothing.
PATIENCE = 20.0


class Unspecified(BaseException):
    """Raised by the oracle where Python's own answer hangs on the sign of a NaN: such an element is left out."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that took the place of a value."""

    error: BaseException

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


def _copysign(x: Any, y: Any) -> float:
    result = math.copysign(x, y)
    if y != y:
        raise Unspecified
    return result


def _clip(x: Any, lo: Any, hi: Any) -> Any:
    return lo if x < lo else hi if x > hi else x


def _sign(x: Any) -> Any:
    if x != x:
        return x
    number = -1 if x < 0 else int(x > 0)
    return float(number) if isinstance(x, float) else number


def _rint(x: Any) -> float:
    x = float(x)
    return x if not math.isfinite(x) else math.copysign(float(round(x)), x)


def _fmax(x: Any, y: Any) -> Any:
    return y if x != x else x if y != y or x >= y else y


def _fmin(x: Any, y: Any) -> Any:
    return y if x != x else x if y != y or x <= y else y


def _namespace() -> dict[str, Any]:
    names: dict[str, Any] = {name: getattr(math, name) for name in MATH_FUNCTIONS + MATH_CONSTANTS}
    names["copysign"] = _copysign
    names["math"] = types.SimpleNamespace(**names)
    names.update(ln=math.log, arcsin=math.asin, arccos=math.acos, arctan=math.atan, arctan2=math.atan2)
    names.update(arcsinh=math.asinh, arccosh=math.acosh, arctanh=math.atanh)
    names.update(abs=abs, min=min, max=max, round=round, int=int, float=float, bool=bool, pow=pow)
    names.update(bit_count=methodcaller("bit_count"), bit_length=methodcaller("bit_length"))
    names.update(sign=_sign, rint=_rint, signbit=lambda x: _copysign(1.0, x) < 0, square=lambda x: x * x)
    names.update(mod=operator.mod, floor_divide=operator.floordiv, reciprocal=lambda x: 1 / x, fmax=_fmax, fmin=_fmin)
    names.update(deg2rad=math.radians, rad2deg=math.degrees, logical_not=operator.not_)
    names.update(logical_and=lambda x, y: bool(x) & bool(y), logical_or=lambda x, y: bool(x) | bool(y),
                 logical_xor=lambda x, y: bool(x) ^ bool(y))  # fmt: skip
    names.update(clip=_clip, minimum=min, maximum=max, absolute=abs, power=pow, where=None)
    names["__builtins__"] = {}
    return names


NAMESPACE = _namespace()


def _total(values: Sequence[Any]) -> Any:
    return math.fsum(values) if any(isinstance(v, float) for v in values) else sum(values)


#: What a reduction inside an expression is, of the values of what stands in it.
REDUCTIONS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "sum": _total, "mean": statistics.fmean, "min": min, "max": max,
    "count": lambda values: sum(1 for v in values if v),
    "var": lambda values: float(statistics.pvariance(values)), "std": lambda values: float(statistics.pstdev(values)),
    "any": any, "all": all, "prod": math.prod, "median": statistics.median, "len": len,
    "argmin": lambda values: min(range(len(values)), key=values.__getitem__),
    "argmax": lambda values: max(range(len(values)), key=values.__getitem__),
}  # fmt: skip


class _LazyWhere(ast.NodeTransformer):
    """`where(c, a, b)` is `a if c else b`: only the chosen arm is evaluated."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "where":
            condition, body, orelse = node.args
            return ast.IfExp(test=condition, body=body, orelse=orelse)
        return node


def parameters(text: str) -> list[str]:
    """The free names of an expression in order of first appearance in the text."""
    nodes = [node for node in ast.walk(ast.parse(text.lstrip(" \t"), mode="eval")) if isinstance(node, ast.Name)]
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in nodes if node.id not in NAMESPACE and node.id not in REDUCTIONS))


def python_function(text: str, params: Sequence[str] | None = None) -> Callable[..., Any]:
    """The text as a Python function of `params` (by default its free names in order of first appearance)."""
    names = parameters(text) if params is None else params
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(f"lambda {', '.join(names)}: ({text}\n)", mode="eval")
        code = compile(ast.fix_missing_locations(_LazyWhere().visit(tree)), "<oracle>", "eval")
    function: Callable[..., Any] = eval(code, NAMESPACE)
    return function


def outcome(call: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Any:
    """The value of the call, or `Raised` with its exception."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call(*arguments, **keywords)
    except (Exception, Unspecified) as error:
        return Raised(error)


def element_outcomes(function: Callable[..., Any], columns: Iterable[Iterable[Any]]) -> list[Any]:
    """What the function gives for each element: a value or `Raised`."""
    results = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in zip(*columns, strict=True):
            try:
                results.append(function(*row))
            except (Exception, Unspecified) as error:
                results.append(Raised(error))
    return results


def stored(typecode: str, outcomes: Sequence[Any]) -> Any:
    """array(typecode, outcomes), or `Raised`: an exception of the function wins over one of the store."""
    for item in outcomes:
        if isinstance(item, Raised):
            return item
    return outcome(lambda: array(typecode, outcomes))


def expected_map(text: str, typecode: str, *columns: Any) -> Any:
    """array(typecode, [f(...) for ...]) for the text's own parameters, or `Raised`."""
    return stored(typecode, element_outcomes(python_function(text), columns))


def expected_filter(text: str, first: array[Any], *more: Any) -> Any:
    """array(first.typecode, [x for x ... if p(x, ...)]), or `Raised`."""
    verdicts = element_outcomes(python_function(text), (first, *more))
    return kept(first, verdicts)


def kept(first: array[Any], verdicts: Sequence[Any]) -> Any:
    """The elements of `first` whose verdict is true, or the first exception."""
    for verdict in verdicts:
        if isinstance(verdict, Raised):
            return verdict
    return array(first.typecode, [x for x, verdict in zip(first, verdicts, strict=True) if verdict])


def expected_reduce(text: str, values: Iterable[Any], *initial: Any, **numbers: Any) -> Any:
    """functools.reduce with the text as a function of acc and x, or `Raised`."""
    function = fold_function(text, numbers)
    return outcome(lambda: functools.reduce(function, values, *initial))


def expected_accumulate(text: str, typecode: str, values: Iterable[Any], initial: Any = None, **numbers: Any) -> Any:
    """array(typecode, itertools.accumulate(...)), or `Raised`."""
    function = fold_function(text, numbers)
    items = outcome(lambda: list(itertools.accumulate(values, function, initial=initial)))
    return items if isinstance(items, Raised) else stored(typecode, items)


def fold_function(text: str, numbers: Mapping[str, Any]) -> Callable[[Any, Any], Any]:
    """The text of a fold as a function of (acc, x), its other names bound to numbers."""
    function = python_function(text, ["acc", "x", *numbers])
    bound = tuple(numbers.values())
    return lambda acc, x: function(acc, x, *bound)


# ---------------------------------------------------------------------------------------------------- comparison


def tolerance(text: str) -> int:
    """How many ULPs arrayops' answer may be from Python's: none, but for elementary functions and powers of floats."""
    return 2 if WITHIN_ONE_ULP.search(text) else 0


def ulps_apart(x: float, y: float) -> float:
    """How many doubles lie from x to y; inf for a nan and another number."""
    if x == y or (x != x and y != y):
        return 0 if math.copysign(1, x) == math.copysign(1, y) or x != x else 1
    if x != x or y != y:
        return math.inf
    ranks = [n if n >= 0 else -(n & 0x7FFFFFFFFFFFFFFF) for n in struct.unpack("2q", struct.pack("2d", x, y))]
    return abs(ranks[0] - ranks[1])


def same_scalar(got: Any, want: Any, ulps: int = 0) -> bool:
    """Same type, same value (but for so many ULPs), same sign of zero; NaN equals NaN. Tuples item by item."""
    if type(got) is not type(want):
        return False
    if isinstance(want, float):
        return ulps_apart(got, want) <= ulps
    if isinstance(want, complex):
        return same_scalar(got.real, want.real) and same_scalar(got.imag, want.imag)
    if isinstance(want, tuple):
        return len(got) == len(want) and all(same_scalar(g, w, ulps) for g, w in zip(got, want, strict=True))
    return bool(got == want)


def same_array(got: Any, want: array[Any], ulps: int = 0) -> bool:
    """Same class, typecode, length and bytes (but for so many ULPs); NaN equals NaN."""
    if type(got) is not array or got.typecode != want.typecode or len(got) != len(want):
        return False
    if got.tobytes() == want.tobytes():
        return True
    ulps *= 2**29 if want.typecode == "f" else 1  # those of a float, counted in those of a double
    return want.typecode in FLOAT_CODES and all(same_scalar(g, w, ulps) for g, w in zip(got, want, strict=True))


def same_error(got: BaseException, want: BaseException) -> bool:
    """Same class and same message, which may end with the typecode to ask for."""
    return type(got) is type(want) and str(want) in (str(got), REMEDY.sub("", str(got)))


def is_float_hint(error: BaseException) -> bool:
    """The TypeError of a float expression into an integer array."""
    return isinstance(error, TypeError) and FLOAT_HINT in str(error)


def is_float_store_error(error: BaseException) -> bool:
    """CPython's own refusal to put a float into an integer array."""
    return isinstance(error, TypeError) and str(error) == outcome(lambda: array("i", [0.5])).error.args[0]


def difference(got: Any, want: Any, hint: bool = False, ulps: int = 0) -> str | None:
    """None where got is what Python gives, else a line that says how they differ.

    hint: the results are floats and the array holds integers, so the TypeError with the remedy is right as well.
    """
    if isinstance(want, Raised):
        if isinstance(want.error, Unspecified):
            return None
        if not isinstance(got, Raised):
            return f"gave {_short(got)}, Python raises {want}"
        right = same_error(got.error, want.error)
        hinted = is_float_hint(got.error) and (hint or is_float_store_error(want.error))
        return None if right or hinted else f"raised {got}, Python raises {want}"
    if isinstance(got, Raised):
        return f"raised {got}, Python gives {_short(want)}"
    if isinstance(want, array):
        return None if same_array(got, want, ulps) else _array_difference(got, want)
    return None if same_scalar(got, want, ulps) else f"gave {_short(got)}, Python gives {_short(want)}"


def _array_difference(got: Any, want: array[Any]) -> str:
    if type(got) is not array or got.typecode != want.typecode or len(got) != len(want):
        return f"gave {_short(got)}, Python gives {_short(want)}"
    index = next(i for i in range(len(want)) if not same_scalar(got[i], want[i]))
    return f"element {index} is {got[index]!r}, Python gives {want[index]!r}"


def _short(value: Any) -> str:
    text = f"{type(value).__name__} {value!r}" if not isinstance(value, array) else repr(value)
    return text if len(text) < 300 else text[:290] + "..."


def assert_same(got: Any, want: Any, label: object = "") -> None:
    """Fail with a readable line unless got is what Python gives for the text that is the label."""
    problem = difference(got, want, ulps=tolerance(str(label)))
    assert problem is None, f"{label}: {problem}"


def assert_bytes(got: Any, typecode: str, values: Iterable[Any]) -> None:
    """Fail unless got is array(typecode, values), bit for bit."""
    assert_same(got, array(typecode, values))


@contextlib.contextmanager
def handling(number: int, handler: Callable[[int, Any], object]) -> Iterator[None]:
    """A handler for one signal, for the body.

    A signal that was sent may still be on its way when the body ends, to a thread that is about to end, say. It would
    meet the default action then, which ends the whole process; a signal that is ignored is dropped instead.
    """
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_IGN if before is signal.SIG_DFL else before)


@contextlib.contextmanager
def patience(seconds: float = PATIENCE) -> Iterator[None]:
    """Fail, rather than hang for ever, when the body takes longer than a generous number of seconds."""

    def expired(signum: int, frame: object) -> None:
        raise AssertionError(f"no answer within {seconds} s")

    with handling(signal.SIGALRM, expired):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


# ---------------------------------------------------------------------------------------------------- edge values


def integer_range(typecode: str) -> tuple[int, int]:
    """Smallest and largest value of an integer typecode."""
    bits = 8 * array(typecode).itemsize
    return (0, 2**bits - 1) if typecode.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def edge_values(typecode: str) -> list[Any]:
    """The values of a typecode where arithmetic goes wrong first."""
    if typecode in INTEGER_CODES:
        low, high = integer_range(typecode)
        near = {p + d for k in range(0, 65, 1) for p in (2**k, -(2**k)) for d in (-1, 0, 1)}
        return sorted(v for v in near | {low, low + 1, high, high - 1, 3, 7, 10, 100} if low <= v <= high)
    tiny, huge = (1.401298464324817e-45, 3.4028234663852886e38) if typecode == "f" else (5e-324, 1.7976931348623157e308)
    normal = 1.1754943508222875e-38 if typecode == "f" else 2.2250738585072014e-308
    positive = [0.0, tiny, normal, normal - tiny, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 10.0, huge, math.inf]
    positive += [float(2**k + d) for k in (8, 16, 24, 31, 32, 52, 53, 62, 63, 64) for d in (-1, 0, 1)]
    positive += [4503599627370495.5, 0.49999999999999994]
    return array(typecode, [s * v for v in positive for s in (1.0, -1.0)] + [math.nan]).tolist()


def thinned(values: list[Any]) -> list[Any]:
    """At most some 45 of the edge values: the ends, what is around 0, and a stride through the rest."""
    if len(values) <= 45:
        return values
    small = [v for v in values if -3 <= v <= 3]
    return sorted({*values[:3], *values[-3:], *small, *values[:: len(values) // 28]})
