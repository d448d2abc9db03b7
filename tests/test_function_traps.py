"""Every trap that reading bytecode has: one test, or one group of them, for each. What is compiled must mean what the
function means, also where that changes between two calls; what cannot be is called, with the same result."""

from __future__ import annotations

import builtins
import dis
import enum
import fractions
import functools
import math
import operator
import sys
import types
import warnings
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import arrayops as ao
import pytest
from arrayops.compiler import decode
from arrayops.engine import functions
from oracle import assert_same, element_outcomes, outcome, stored

X = array("d", [0.0, 1.0, -2.0, 3.5, -0.0, 1e300, 0.5])
I = array("i", [0, 1, -2, 3, 7, 100, -(2**31), 2**31 - 1])  # noqa: E741


@pytest.fixture(autouse=True)
def decode_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every function is compiled at its first call."""
    monkeypatch.setattr(functions, "COMPILE_AFTER", 0)
    functions.ENTRIES.clear()


def same(f: Callable[..., Any], *columns: array[Any], compiled: bool | None = True, typecode: str = "d") -> None:
    """arrayops gives what the function gives: all elements at once, and each by itself."""
    results = element_outcomes(f, columns)
    assert_same(outcome(lambda: ao.map(*columns[:1], f, *columns[1:], typecode=typecode)), stored(typecode, results))
    for i, result in enumerate(results):
        one = [column[i : i + 1] for column in columns]
        assert_same(outcome(lambda: ao.map(*one[:1], f, *one[1:], typecode=typecode)), stored(typecode, [result]))  # noqa: B023
    if compiled is not None:
        kernel = ao.compile(f)
        assert kernel.compiled == compiled, kernel.explain()


def define(source: str, **namespace: Any) -> Callable[..., Any]:
    """The function f of a source, whose globals are the namespace."""
    exec(source, namespace)
    function: Callable[..., Any] = namespace["f"]
    return function


# -- 1, 2: what is evaluated -------------------------------------------------------------------------------------------

EAGER = [
    "def f(x):\n y = 1/x\n return 5",
    "def f(x):\n y = 1/x\n return y if x else 0",
    "def f(x):\n x // 0 if x > 1 else 0\n return x",
    "def f(x):\n 1 % x\n return 2.0",
    "f = lambda x: 0 if 300//x else 0",
    "f = lambda x: 7 if 1/x > 0 else 7",
    "f = lambda x: (1/x, x)[1] if False else (x if 1/x else x)",
    "def f(x):\n if x > 1:\n  1/(x - 3.5)\n return x",
    "def f(x):\n if x > 1:\n  y = 1/(x - 3.5)\n else:\n  y = 0\n return x",
    "def f(x):\n a = 1/x\n b = a + 1\n a = 2\n return b*a",
]
LAZY = [
    "f = lambda x: 1/x if x else 0",
    "f = lambda x: x and 1/x",
    "f = lambda x: x == 0 or 1/x",
    "f = lambda x: 0 < x < 1/x",
    "f = lambda x: 5 if x == 0 or 1/x > 0 else 6",
    "def f(x):\n if x == 0: return -1\n return 1/x",
    "def f(x):\n if x != 0:\n  if x > 1: return 1/x\n  y = 1/x\n else:\n  y = 0\n return y",
]


@pytest.mark.parametrize("source", EAGER)
def test_what_python_evaluates_counts(source: str) -> None:
    f = define(source)
    same(f, X, compiled=None if "[1]" in source else True)
    same(f, I)


@pytest.mark.parametrize("source", LAZY)
def test_what_python_does_not_evaluate_does_not_raise(source: str) -> None:
    same(define(source), X)
    same(define(source), I)


# -- 3: ways that meet -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [16, 60])
def test_ways_that_meet_do_not_multiply(count: int) -> None:
    same(define("f = lambda x: " + " + ".join(f"(x if x > {i} else {i}.5)" for i in range(count))), X)
    lines = "".join(f" if x > {i}: y += {i}\n" for i in range(count))
    same(define(f"def f(x):\n y = 0\n{lines} return y"), X)
    lines = "".join(f" if x == {i}: return {i}*x\n" for i in range(count))
    same(define(f"def f(x):\n{lines} return x"), X)


# -- 4, 5: values ------------------------------------------------------------------------------------------------------

VALUES = [
    "x and 2", "(x and 2) + 1", "not (x > 1 and x < 5)", "x or 1", "x or x*2 or 3", "not x", "x > 0", "(x > 0) + 1",
    "1 if x > 0 else 2.5", "(1 if x > 0 else 2.5) * x", "x // 3", "x % -3", "-x // 2", "x / 3", "round(x)",
    "round(x, 1)",
    "int(x) if abs(x) < 1e18 else 0", "min(x, 1)", "max(1, x, 0.0)", "x in (1, 2.0, 3.5)",
    "x not in {1, 3}", "x in ()", "+x", "-x",
    "abs(x)", "x == x", "x != x", "True + x", "0 < x <= 3", "0 < x != 1 <= 3", "x*x*x*x*x*x*x",
    "float(x)", "bool(x)", "x if x is not None else 0", "1 if x is None else 2", "2**70 + x - 2**70",
]  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_values_and_types_are_pythons(text: str) -> None:
    f = define(f"f = lambda x: {text}")
    for typecode in "dqb":
        same(f, X, typecode=typecode)
        same(f, I, typecode=typecode)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(define("f = lambda x: ~x & 0xFF ^ (x << 3) | (x >> 2)"), I, typecode="q")
        same(define("f = lambda x: ~(x > 1)"), I, typecode="q")


# -- 6: what is a function ---------------------------------------------------------------------------------------------


class Callable_:
    def __call__(self, x: float) -> float:
        return x + 1

    def method(self, x: float) -> float:
        return x + 2

    @staticmethod
    def static(x: float) -> float:
        return x + 3

    @classmethod
    def of_class(cls, x: float) -> float:
        return x + 4


def plain(x: float) -> float:
    return x * 2


def doubling(f: Callable[..., Any]) -> Callable[..., Any]:
    """A wrapper whose __wrapped__ is not what it does."""

    @functools.wraps(f)
    def wrapper(*args: Any) -> Any:
        return f(*args) * 2

    return wrapper


@pytest.mark.parametrize(
    ("f", "compiled"),
    [
        (Callable_(), False), (Callable_().method, False), (Callable_.static, True), (Callable_.of_class, False),
        (doubling(plain), False), (functools.lru_cache(plain), False), (functools.partial(plain), True),
        (functools.partial(operator.add, 2), True), (functools.partial(plain, 1.0), None), (float, True), (int, True),
        (abs, True), (math.sqrt, None), (operator.neg, True), (operator.index, False), (str, False), (len, False),
        (functools.partial(functools.partial(operator.sub, 2)), True), 
        (functools.partial(lambda a, b: a - b, b=3), True),
        (functools.partial(max, 1.0), True), (complex, False), (repr, False), (round, True), ((1.0).__add__, False),
        (functools.partial(operator.add, "a"), False), (functools.partial(pow, mod=7), False),
    ],
)  # fmt: skip
def test_what_is_a_plain_function(f: Callable[..., Any], compiled: bool | None) -> None:
    same(f, X, compiled=compiled)


# -- 7: arguments ------------------------------------------------------------------------------------------------------


def test_defaults_are_read_at_each_call() -> None:
    def f(x: float, a: float = 2.0, *, k: float = 3.0) -> float:
        return x * a + k

    same(f, X)
    f.__defaults__ = (5.0,)
    same(f, X)
    f.__kwdefaults__ = {"k": -1}
    same(f, X)
    f.__defaults__ = (7.0, 8.0)
    same(f, X)
    f.__defaults__ = None
    same(f, X, compiled=None)
    f.__defaults__ = ("a",)  # type: ignore[assignment]
    same(f, X, compiled=False)
    f.__defaults__ = (2.0,)
    f.__kwdefaults__ = {}
    same(f, X, compiled=None)


@pytest.mark.parametrize("source", ["f = lambda: 1", "f = lambda *a: a[0]", "f = lambda **k: 1",
                                    "def f(x, *, k): return x", "f = lambda x, /, *a: x"])  # fmt: skip
def test_arguments_that_do_not_match(source: str) -> None:
    same(define(source), X, compiled=False)
    same(define(source), X, X, compiled=None)


def test_positional_only_and_named_partials() -> None:
    same(define("f = lambda x, /, y=2: x*y"), X)
    same(functools.partial(define("f = lambda x, /, y: x*y"), y=3), X)
    same(functools.partial(define("f = lambda x, /: x"), x=3), X, compiled=False)
    same(functools.partial(define("f = lambda x, y: x*y"), x=3), X, compiled=False)
    same(functools.partial(define("f = lambda x, *, y: x*y"), y=3), X)
    mutable = functools.partial(define("f = lambda x, y: x*y"), y=3)
    same(mutable, X)
    mutable.keywords["y"] = 4
    same(mutable, X)
    mutable.keywords["z"] = 4
    same(mutable, X, compiled=False)


# -- 8: captured numbers -----------------------------------------------------------------------------------------------


class Celsius(float):
    def __add__(self, other: Any) -> Any:
        return float(self) + other + 273.15

    __radd__ = __add__


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "compiled"),
    [
        (2, True), (2.5, True), (True, True), (-0.0, True), (float("nan"), True), (2**63, True), (2**64, True),
        (10**30, True), (-(10**400), True), (Celsius(1.0), False), (Level.HIGH, False), (fractions.Fraction(1), False),
        (None, False), ("a", False), (1j, False), ([1], False),
    ],
)  # fmt: skip
def test_captured_objects_of_every_kind(value: Any, compiled: bool) -> None:
    for source in ("f = lambda x: x + t", "f = lambda x: t if x > 1 else x", "def f(x, u=t): return u + x*0"):
        same(define(source, t=value), X, compiled=compiled)
        same(define(source, t=value), I, compiled=compiled)

    def closure(x: float) -> Any:
        return x + value

    same(closure, X, compiled=compiled)


def test_a_captured_object_may_become_a_number_and_back() -> None:
    space: dict[str, Any] = {"t": fractions.Fraction(1, 2)}
    exec("f = lambda x: x + t", space)
    for value, compiled in ((space["t"], False), (2, True), (Celsius(2), False), (2.5, True), (2**70, True)):
        space["t"] = value
        same(space["f"], X, compiled=compiled)
    del space["t"]
    same(space["f"], X, compiled=False)
    space["t"] = 7
    same(space["f"], X, compiled=True)


def test_strange_constants() -> None:
    code = (lambda x: x + 12345).__code__
    for constant, compiled in ((Celsius(2), False), (fractions.Fraction(1, 3), False), (2.5, True), (10**40, True),
                               ("a", False), (Level.HIGH, False), (True, True)):  # fmt: skip
        consts = tuple(constant if c == 12345 else c for c in code.co_consts)
        if 12345 in code.co_consts:
            same(types.FunctionType(code.replace(co_consts=consts), {}), X, compiled=compiled)


# -- 9: names ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def restored() -> Iterator[None]:
    sqrt, absolute = math.sqrt, builtins.abs
    yield
    math.sqrt, builtins.abs = sqrt, absolute


@pytest.mark.usefixtures("restored")
def test_names_are_looked_up_at_each_call() -> None:
    f = define("import math\nf = lambda x: math.sqrt(abs(x)) + math.pi")
    same(f, X)
    math.sqrt = lambda x: x + 100  # type: ignore[assignment]
    same(f, X)
    math.sqrt = lambda x: [x][0]  # type: ignore[assignment]
    same(f, X, compiled=False)
    math.sqrt = math.floor  # type: ignore[assignment]
    same(f, X)
    builtins.abs = lambda x: x * x  # type: ignore[assignment]
    same(f, X)
    f.__globals__["abs"] = float
    same(f, X)
    f.__globals__["math"] = types.SimpleNamespace(sqrt=float, pi=3)
    same(f, X, compiled=False)


def test_shadowed_builtins() -> None:
    same(define("def abs(x): return x + 1\nf = lambda x: abs(x)"), X)
    same(define("def abs(x): return [x + 1][0]\nf = lambda x: abs(x)"), X, compiled=False)
    same(define("class math:\n sin = staticmethod(lambda x: x)\nf = lambda x: math.sin(x)"), X, compiled=False)
    same(define("from math import floor as ceil\nf = lambda x: ceil(x)"), X)


def test_a_rebound_cell_is_noticed() -> None:
    t: Any = 1.0

    def f(x: float) -> Any:
        return x + t

    for t in (2.0, 3, True, 10**30, 2.0):  # noqa: B007
        same(f, X)
    t = "a"
    same(f, X, compiled=False)


def test_lambdas_of_a_loop_share_code_but_not_cells() -> None:
    def made(i: float) -> Callable[[float], float]:
        return lambda x: x + i

    for f in [lambda x: x + i for i in range(4)]:  # noqa: B023
        same(f, X)
    for f in [made(i) for i in (0, 1, 2.5, True)]:
        same(f, X)
    for f in [(lambda x, i=i: x * i) for i in (0, 1, 2.5, True)]:
        same(f, X)


def test_one_code_object_with_several_callees() -> None:
    def calling(g: Callable[[float], float]) -> Callable[[float], float]:
        return lambda x: g(x) + 1

    callees: list[Any] = [abs, float, plain, lambda x: x - 1, lambda x: [x][0], math.floor, bool]
    for g in callees * 2:
        same(calling(g), X[:5], compiled=None)


def test_one_code_object_with_several_globals() -> None:
    code = define("f = lambda x: g(x) + t").__code__
    for space in ({"g": abs, "t": 1}, {"g": float, "t": 2.5}, {"g": plain, "t": True}, {"g": abs, "t": "a"}):
        same(types.FunctionType(code, space), X, compiled=space["t"] != "a")


class Missing(dict):  # type: ignore[type-arg]
    def __missing__(self, key: str) -> Any:
        return 5.0 if key == "t" else abs


def test_globals_that_are_no_plain_dict() -> None:
    code = define("f = lambda x: x + t").__code__
    same(types.FunctionType(code, Missing()), X, compiled=False)
    code = define("f = lambda x: abs(x)").__code__
    same(types.FunctionType(code, {"__builtins__": {"abs": lambda x: x + 1}}), X)
    same(types.FunctionType(code, {"__builtins__": Missing()}), X, compiled=None)


class Lazy(types.ModuleType):
    def __getattribute__(self, name: str) -> Any:
        return abs if name == "g" else super().__getattribute__(name)


def test_modules_that_are_no_plain_modules() -> None:
    lazy, dynamic, odd = Lazy("lazy"), types.ModuleType("dynamic"), types.ModuleType("odd")
    dynamic.__getattr__ = lambda name: abs  # type: ignore[method-assign]
    odd.g = 3.5  # type: ignore[attr-defined]
    same(define("f = lambda x: m.g(x)", m=lazy), X, compiled=False)
    same(define("f = lambda x: m.g(x)", m=dynamic), X, compiled=False)
    same(define("f = lambda x: m.g + x", m=odd), X)
    f = define("f = lambda x: m.g + x", m=odd)
    same(f, X)
    odd.g = 4  # type: ignore[attr-defined]
    same(f, X)
    odd.__class__ = Lazy
    same(f, X, compiled=False)


# -- 10, 11: effects and identities ------------------------------------------------------------------------------------


def test_identities_of_numbers_are_left_to_python() -> None:
    same(define("f = lambda x: x is x"), X, compiled=False)
    same(define("f = lambda x: (x > 0) is True"), X, compiled=False)
    same(define("y = None\nf = lambda x: 1 if y is None else x"), X)
    same(define("def f(x, y=None):\n if y is None: y = 2\n return x*y"), X)
    same(define("nan = float('nan')\nf = lambda x: x in (1.0, 2.0) or nan == nan"), X)
    same(define("f = lambda x: x in (1, 'a')"), X, compiled=False)
    same(define("f = lambda x: x in [1, 2.0]"), X)


# -- 13: who looks on --------------------------------------------------------------------------------------------------


def test_a_traced_function_gives_the_same() -> None:
    f = define("def f(x):\n y = x*2\n if y > 1: return y\n return -y")
    for _ in range(20_000):
        f(1.5)  # specialised by the adaptive interpreter
    same(f, X)
    before = sys.gettrace()
    sys.settrace(lambda *args: None)
    try:
        same(f, X)
        same(define("def f(x):\n y = x*3\n return y if y > 1 else -y"), X)
    finally:
        sys.settrace(before)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in 3.12")
def test_a_monitored_function_gives_the_same() -> None:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    f = define("def f(x):\n y = x*2\n if y > 1: return y\n return -y")
    events = monitoring.events
    branches = events.BRANCH_LEFT | events.BRANCH_RIGHT if sys.version_info >= (3, 14) else events.BRANCH
    monitoring.use_tool_id(3, "test")
    try:
        monitoring.set_events(3, events.LINE | events.INSTRUCTION | branches)
        f(1.0)
        same(f, X)
    finally:
        monitoring.set_events(3, 0)
        monitoring.free_tool_id(3)


# -- shapes of bytecode ------------------------------------------------------------------------------------------------

# Opcodes that have no rule, because nothing of the language compiles to them, of any version that is decoded.
REFUSED = """
    ASYNC_GEN_WRAP BEFORE_ASYNC_WITH BEFORE_WITH BINARY_SLICE BUILD_CONST_KEY_MAP BUILD_INTERPOLATION
    BUILD_LIST BUILD_MAP BUILD_SET BUILD_SLICE BUILD_STRING BUILD_TEMPLATE CALL_FUNCTION_EX
    CALL_INTRINSIC_2 CALL_KW CHECK_EG_MATCH CHECK_EXC_MATCH CLEANUP_THROW CONVERT_VALUE DELETE_ATTR DELETE_DEREF
    DELETE_FAST DELETE_GLOBAL DELETE_NAME DELETE_SUBSCR DICT_MERGE DICT_UPDATE END_ASYNC_FOR END_FOR END_SEND
    ENTER_EXECUTOR EXIT_INIT_CHECK FORMAT_SIMPLE FORMAT_VALUE FORMAT_WITH_SPEC GET_AITER GET_ANEXT
    GET_AWAITABLE GET_LEN GET_YIELD_FROM_ITER IMPORT_FROM IMPORT_NAME IMPORT_STAR INTERPRETER_EXIT
    JUMP_BACKWARD_NO_INTERRUPT KW_NAMES LIST_APPEND LIST_EXTEND LIST_TO_TUPLE LOAD_ASSERTION_ERROR
    LOAD_BUILD_CLASS LOAD_CLASSDEREF LOAD_CLOSURE LOAD_FAST_AND_CLEAR LOAD_FROM_DICT_OR_DEREF
    LOAD_FROM_DICT_OR_GLOBALS LOAD_LOCALS LOAD_NAME LOAD_SPECIAL LOAD_SUPER_ATTR MAKE_CELL MAKE_FUNCTION MAP_ADD
    MATCH_CLASS MATCH_KEYS MATCH_MAPPING MATCH_SEQUENCE POP_EXCEPT PREP_RERAISE_STAR PRINT_EXPR
    PUSH_EXC_INFO RAISE_VARARGS RERAISE RESERVED RETURN_GENERATOR SEND SETUP_ANNOTATIONS SET_ADD
    SET_FUNCTION_ATTRIBUTE SET_UPDATE STORE_ATTR STORE_DEREF STORE_GLOBAL STORE_NAME STORE_SLICE STORE_SUBSCR
    TRACE_RECORD UNPACK_EX WITH_EXCEPT_START YIELD_VALUE
"""
# Functions of the language that have the opcodes which not every version has.
SHAPES = [
    ("LOAD_FAST_LOAD_FAST", (3, 13), (), "def f(x):\n y = x + 1\n a, b = x, y\n return a - b*x"),
    ("STORE_FAST_STORE_FAST", (3, 13), (), "def f(x):\n a, b = x + 1, x - 1\n return a*b"),
    ("STORE_FAST_LOAD_FAST", (3, 13), (), "def f(x):\n a = x + 1; return a - 1.5"),
    ("LOAD_FAST_CHECK", (3, 12), (), "def f(x):\n if x is not None: y = x + 1\n return y"),
    ("RETURN_CONST", (3, 12), (3, 13), "def f(x):\n if x > 1: return 7\n return -2.5"),
    ("LOAD_FAST_BORROW", (3, 14), (), "f = lambda x: x + 1"),
    ("LOAD_FAST_BORROW_LOAD_FAST_BORROW", (3, 14), (), "f = lambda x: x*x"),
    ("LOAD_SMALL_INT", (3, 14), (), "f = lambda x: x + 255 if x != 0 else 256"),
    ("NOT_TAKEN", (3, 14), (), "f = lambda x: 1 if x > 0 else 2.5"),
    ("LOAD_COMMON_CONSTANT", (3, 15), (), "f = lambda x: x if x > 0 else -1"),
    ("LOAD_COMMON_CONSTANT", (3, 15), (), "f = lambda x: True if x > 0 else x if x < -1 else False"),
    ("LOAD_COMMON_CONSTANT", (3, 15), (), "def f(x):\n y = None\n return x if y is None else 1"),
]


def test_every_opcode_of_this_python_is_known() -> None:
    """A version is decoded only after all of its opcodes have been read: this names those that another one adds."""
    real = {name for name, number in dis.opmap.items() if number < 256 and not name.startswith("INSTRUMENTED_")}
    assert sorted(real - decode._RULES.keys() - set(REFUSED.split())) == []
    assert not decode._RULES.keys() & set(REFUSED.split())


@pytest.mark.parametrize("opcode, first, last, source", SHAPES, ids=lambda value: value if str(value).isupper() else "")
def test_opcodes_that_not_every_version_has(
    opcode: str, first: tuple[int, ...], last: tuple[int, ...], source: str
) -> None:
    f = define(source)
    version = sys.version_info[:2]
    if first <= version <= (last or version):
        assert opcode in {i.opname for i in dis.get_instructions(f)}
    same(f, X)


def test_annotated_functions() -> None:
    """Annotations, of which CPython 3.14 makes a function of their own, are not evaluated."""
    lazily = "" if sys.version_info >= (3, 14) else "from __future__ import annotations\n"
    same(define(lazily + "def f(x: nowhere) -> missing.name:\n y: undefined = x + 1\n return y*2"), X)


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "sqrt"])
def test_functions_of_math_however_they_are_reached(name: str) -> None:
    same(define(f"import math\nf = lambda x: math.{name}(abs(x))"), X)
    same(define(f"f = lambda x: math.{name}(abs(x))", math=math), X)
    same(define(f"from math import {name} as g\nf = lambda x: g(abs(x))"), X)
    same(define(f"import math\ndef make():\n g = math.{name}\n return lambda x: g(abs(x))\nf = make()"), X)
    same(define(f"import math\ndef make(m):\n return lambda x: m.{name}(abs(x))\nf = make(math)"), X)
    same(define(f"import math\ndef f(x, g=math.{name}): return g(abs(x))"), X)
    same(define(f"import math\ndef f(x):\n g = math.{name}\n return g(abs(x))"), X)


def test_long_functions_with_extended_arguments() -> None:
    text = " + ".join(f"x*{i}.25" for i in range(400))
    f = define(f"f = lambda x: ({text}) if x > 0 else (x - {' - '.join(f'{i}.5' for i in range(300))})")
    assert any(i.opname == "EXTENDED_ARG" for i in dis.get_instructions(f))
    same(f, X)


def test_many_locals_and_superinstructions() -> None:
    lines = "".join(f" v{i} = x + {i}; w{i} = v{i}\n" for i in range(40))
    same(define(f"def f(x):\n{lines} return " + " + ".join(f"v{i}*w{i}" for i in range(40))), X)
    same(define("def f(x, y):\n a, b = x, y\n a, b = b, a\n return a - b"), X, X)
    same(define("def f(x):\n a = b = x + 1\n return a*b"), X)


def test_locals_that_may_be_unbound() -> None:
    same(define("def f(x):\n if x > 1: y = 2\n return y"), X, compiled=False)
    same(define("def f(x):\n if x > 1: y = 2\n return x"), X)
    same(define("def f(x):\n if x > 1: y = 2\n else: y = x\n return y"), X)
    same(define("def f(x):\n y = 1\n del y\n return y"), X, compiled=False)


def test_chains_walrus_and_none() -> None:
    same(define("f = lambda x: 0 <= x < 2 < 5 != x"), X)
    same(define("f = lambda x: 1 if 0 < x < 2 else 2 if not 0 <= x <= 3 else 3"), X)
    same(define("f = lambda x: (y := x + 1) * y"), X)
    same(define("f = lambda x: y if (y := x*2) > 1 else -y"), X)
    same(define("def f(x):\n if x > 1: return x"), X, compiled=False)
    same(define("def f(x): pass"), X, compiled=False)
    same(define("def f(x): return None"), X, compiled=False)
    same(define("def f(x): return 1 if x > 1 else None"), X, compiled=False)
    same(define("def f(x): return x > 1, 2"), X, compiled=False)
    filtered = define("def f(x):\n if x > 1: return x")
    assert ao.filter(X, filtered) == array("d", [x for x in X if filtered(x)])


def test_conditions_that_are_constants() -> None:
    same(define("def f(x):\n if 1: return x\n return print(x)"), X)
    same(define("f = lambda x: x if True else print(x)"), X)
    same(define("def f(x):\n while True: return x + 1"), X, compiled=None)
    same(define("f = lambda x: x if x is not None else print(x)"), X)


def test_an_unused_value_may_raise_outside_of_what_the_machine_holds() -> None:
    def shifted(x: int) -> int:
        3 >> ((x & 7) - (31 | x))  # negative for every x
        return 1

    for code in "LQ":
        with pytest.raises(ValueError, match="negative shift count"):
            ao.compile(shifted)(array(code, [5, 6, 7]))


def test_a_method_that_a_constant_has_not_is_no_matter_without_elements() -> None:
    kernel = ao.compile(lambda x: (1.5).bit_count())  # type: ignore[attr-defined]
    assert kernel(array("i")) == array("i")
    with pytest.raises(AttributeError, match="bit_count"):
        kernel(array("i", [1]))
