"""Kernels of functions: what they say of themselves, equality, hashing, pickles (hostile ones too), limits, threads."""

from __future__ import annotations

import functools
import math
import operator
import pickle
import re
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from arrayops.compiler import decode
from arrayops.compiler.ir import MAX_ARMS, MAX_CONST_BITS, MAX_NODES, from_table, to_table
from arrayops.compiler.parse import parse
from arrayops.engine import functions
from arrayops.engine.kernel import _from_table
from oracle import assert_bytes, assert_same, outcome

A = array("d", [1.0, 4.0, -2.5])
LIMIT = 3


def captures(t: float) -> Callable[[float], float]:
    """A new function each time, of one code object."""
    return lambda x: x * t + LIMIT


# -- what a kernel says of itself --------------------------------------------------------------------------------------


def test_a_function_kernel_describes_itself() -> None:
    kernel = ao.compile(captures(2.0))
    assert kernel.compiled
    assert kernel.source == "(x * t) + LIMIT"
    assert kernel.params == ("x",)
    text = kernel.explain("d")
    assert text.splitlines()[0] == "compiled"
    assert "captured: t = 2.0, LIMIT = 3" in text
    assert "faults: none" in text and "bytecode:" in text
    assert "x * t" in repr(kernel)


def test_a_callback_kernel_says_why() -> None:
    def loops(x: float) -> float:
        while x < 3:
            x = x + 1
        return x

    kernel = ao.compile(loops)
    assert not kernel.compiled
    assert kernel.params == ("x",)
    first = kernel.explain("d").splitlines()[0]
    assert first.startswith("callback: line ") and "loop" in first
    with pytest.raises(ao.NotCompilable, match=r"loops cannot be compiled: line .*loop"):
        ao.compile(loops, strict=True)
    assert_bytes(kernel(A), "d", [loops(x) for x in A])


def test_parameters_with_values_are_optional() -> None:
    kernel = ao.compile(lambda x, y=10, *, z=100: x + y + z)
    assert kernel.params == ("x",)
    assert_bytes(kernel(A), "d", [x + 110 for x in A])
    assert_bytes(kernel(A, A), "d", [x + x + 100 for x in A])
    assert_bytes(kernel(A, 1), "d", [x + 101 for x in A])


@pytest.mark.parametrize(
    ("f", "source"),
    [
        (math.sqrt, "sqrt(x)"),
        (abs, "abs(x)"),
        (operator.neg, "-x"),
        (operator.abs, "abs(x)"),
        (float, "float(x)"),
        (bool, "bool(x)"),
        (operator.add, "x + y"),
        (max, "max(x, y)"),
        (functools.partial(operator.mul, 3), "arg0 * x"),
        (functools.partial(pow, 2), "arg0 ** x"),
        (functools.partial(lambda k, x: x - k, 1), "x - arg0"),
        (functools.partial(lambda x, k: x - k, k=1.5), "x - k"),
    ],
)
def test_builtins_and_partials_are_compiled(f: Callable[..., Any], source: str) -> None:
    kernel = ao.compile(f, strict=True)
    assert kernel.source == source
    values = array("d", [0.0, 1.0, 2.5])
    more = [values] * (len(kernel.params) - 1)
    assert_bytes(kernel(values, *more), "d", [f(*row) for row in zip(values, *more, strict=True)])


@pytest.mark.parametrize("api", [ao.any, ao.all, ao.count, ao.first, ao.map, ao.filter])
def test_strict(api: Any) -> None:
    assert_same(api(A, lambda x: x > 2, strict=True), api(A, lambda x: x > 2, compile=False))
    with pytest.raises(functions.NotCompilable, match="a list"):
        api(A, lambda x: [x][0], strict=True)
    with pytest.raises(functions.NotCompilable, match="a list"):
        api(A, ao.compile(lambda x: [x][0]), strict=True)


def test_kernels_reduce_without_a_first_value() -> None:
    k = ao.compile("acc * 2 + x")
    assert k.reduce(array("i", [3, 4]), None) == k.reduce(array("i", [3, 4])) == 10
    for nothing in ((), (None,)):
        with pytest.raises(TypeError, match="empty iterable with no initial value"):
            k.reduce(array("i"), *nothing)


def test_strict_holds_at_each_call() -> None:
    box = [1.0]

    def make() -> tuple[Callable[[float], float], Callable[[Any], None]]:
        t: Any = box[0]

        def f(x: float) -> float:
            return float(x + t)

        def rebind(value: Any) -> None:
            nonlocal t
            t = value

        return f, rebind

    f, rebind = make()
    kernel = ao.compile(f, strict=True)
    assert_bytes(kernel(A), "d", [x + 1.0 for x in A])
    rebind("not a number")
    with pytest.raises(ao.NotCompilable, match="'t' is an object of type str"):
        kernel(A)
    rebind(2)
    assert_bytes(kernel(A), "d", [x + 2 for x in A])


def test_ieee_needs_a_function_that_compiles() -> None:
    zeros = array("d", [0.0, 2.0])
    assert_bytes(ao.map(zeros, lambda x: 1 / x, ieee=True), "d", [math.inf, 0.5])
    assert_bytes(ao.map(zeros, lambda x: LIMIT / x, ieee=True), "d", [math.inf, 1.5])
    with pytest.raises(ZeroDivisionError):
        ao.map(zeros, lambda x: 1 / x)
    with pytest.raises(ao.NotCompilable):
        ao.map(zeros, lambda x: [1 / x][0], ieee=True)
    with pytest.raises(ao.NotCompilable, match="switched off"):
        ao.map(zeros, lambda x: 1 / x, ieee=True, compile=False)


def test_kernels_of_functions_go_everywhere() -> None:
    data = array("i", [3, 1, 2])
    assert ao.reduce(data, ao.compile(lambda acc, x: acc * 10 + x)) == 312
    assert ao.reduce(data, ao.compile("acc*10 + x"), 0) == 312
    assert_bytes(ao.accumulate(data, ao.compile(lambda acc, x: acc + x)), "i", [3, 4, 6])
    assert_bytes(ao.map(data, ao.compile(lambda x: -x)), "i", [-3, -1, -2])
    assert_bytes(ao.filter(data, ao.compile(lambda x: x > LIMIT - 2)), "i", [3, 2])
    ao.map_inplace(data, ao.compile(lambda x: x + LIMIT))
    assert_bytes(data, "i", [6, 4, 5])


# -- equality and pickles ----------------------------------------------------------------------------------------------


def test_equal_if_they_mean_the_same() -> None:
    assert ao.compile(lambda x: x * x + 1) == ao.compile("x*x + 1")
    assert hash(ao.compile(lambda x: x * x + 1)) == hash(ao.compile("x*x + 1"))
    assert ao.compile(lambda x: x + 1) != ao.compile(lambda x: x + 1.0)
    assert ao.compile(lambda x: x + 1) != ao.compile(lambda x: x + True)
    assert ao.compile(lambda x: x * 0.0) != ao.compile(lambda x: x * -0.0)
    f, g = captures(2.0), captures(2.0)
    assert ao.compile(f) == ao.compile(f) and hash(ao.compile(f)) == hash(ao.compile(f))
    assert ao.compile(f) != ao.compile(g)  # one of them may be rebound
    assert len({ao.compile(lambda x: x + LIMIT), ao.compile(lambda x: x + LIMIT)}) == 1  # one global
    assert ao.compile(print) == ao.compile(print) != ao.compile(len)


def test_a_pickle_keeps_the_captured_numbers() -> None:
    t = 2.0

    def f(x: float) -> float:
        return x * t + LIMIT if x > 0 else math.sqrt(x)

    kernel = ao.compile(f)
    data = pickle.dumps(kernel)
    t = 3.0
    copy = pickle.loads(data)
    positive = array("d", [1.0, 2.0])
    assert_bytes(copy(positive), "d", [x * 2.0 + 3 for x in positive])
    assert_bytes(kernel(positive), "d", [x * 3.0 + 3 for x in positive])
    with pytest.raises(ValueError, match=re.escape(str(outcome(math.sqrt, -1.0).error))):
        copy(array("d", [-1.0]))
    assert pickle.loads(pickle.dumps(copy)) == copy


def test_another_process_runs_the_pickle_of_a_lambda() -> None:
    kernel = ao.compile(captures(0.5))
    program = (
        "import pickle, sys; from array import array; k = pickle.loads(sys.stdin.buffer.read());"
        " print(k.compiled, list(k(array('d', [1.0, 2.0]))))"
    )
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(kernel), capture_output=True, check=True)
    assert done.stdout.decode().strip() == "True [3.5, 4.0]"


def test_callbacks_pickle_by_name_or_not_at_all() -> None:
    assert pickle.loads(pickle.dumps(ao.compile(print))) == ao.compile(print)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(ao.compile(lambda x: [x][0]))


GOOD = to_table(parse("x*x + y if x in (1, 2) else min(x, y, 3)"))


def test_a_table_gives_the_same_program() -> None:
    assert to_table(from_table(GOOD)) == GOOD


def _node(*node: Any) -> tuple[Any, ...]:
    return (("param", (), 0), node), 1, ("x",)


HOSTILE: list[Any] = [
    None, 5, "x", (), (1,), (1, 2, 3), ([], 0, ()), ((), 0, ()), ((("param", (), 0),), 0, ()),
    ((("param", (), 0),), 1, ("x",)), ((("param", (), 0),), -1, ("x",)), ((("param", (), 0),), True, ("x",)),
    ((("param", (), 0),), 0, ("x", "x")), ((("param", (), 0),), 0, ("x y",)), ((("param", (), 0),), 0, (3,)),
    ((("param", (), -1),), 0, ("x",)), ((("param", (), True),), 0, ("x",)), ((("param", (0,), 0),), 0, ("x",)),
    ((("param", ()),), 0, ("x",)), ((("param", (), 0, 0),), 0, ("x",)), ((5,), 0, ("x",)),
    _node("+", (0,), None), _node("+", (0, 1), None), _node("+", (0, -1), None), _node("+", (0, 0.0), None),
    _node("+", [0, 0], None), _node("+", (0, 0), 1), _node("fail", (), None), _node("__import__", (0,), None),
    _node("call", (0,), "eval"), _node("call", (0,), "bool"), _node("call", (0, 0), "pow"), _node("call", (), "abs"),
    _node("call", (0, 0), "abs"), _node("call", (0,), ["abs"]), _node("call", (0,), None), _node(["+"], (0, 0), None),
    _node("const", (), "a"), _node("const", (), 1j), _node("const", (), None), _node("const", (), ()),
    _node("const", (), 1 << MAX_CONST_BITS), _node("in", (0,), (float("nan"),)), _node("in", (0,), ("a",)),
    _node("in", (0,), [1]), _node("in", (), (1,)), _node("seq", (0,), None), _node("seq", (), None),
    _node("param", (), 0), _node("if", (0, 0), None), _node("neg", (0, 0), None), _node("truth", (), None),
    ((("param", (), 0),) * (MAX_NODES + 1), 0, ("x",)),
]  # fmt: skip


@pytest.mark.parametrize("table", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_tables_are_refused(table: Any) -> None:
    with pytest.raises(ValueError, match=r"not a program|unpack"):
        from_table(table)


def _nested(depth: int) -> Any:
    """Conditionals inside the last arms of conditionals, each of another condition."""
    nodes: list[Any] = [("param", (), 0)]
    for i in range(depth):
        nodes += [("const", (), i), ("<", (0, len(nodes)), None)]
    last = 0
    for i in range(depth):
        nodes.append(("if", (2 * i + 2, 0, last), None))
        last = len(nodes) - 1
    return tuple(nodes), last, ("x",)


def test_the_depth_of_a_table_is_bounded() -> None:
    kernel = _from_table(_nested(MAX_ARMS), False)
    assert_bytes(kernel(A), "d", list(A))
    with pytest.raises(ValueError, match="not a program"):
        from_table(_nested(MAX_ARMS + 1))


# -- limits ------------------------------------------------------------------------------------------------------------


def _tower(levels: int) -> Callable[[float], float]:
    """A function that calls a function that calls ... : so many below it."""
    namespace: dict[str, Any] = {}
    exec("def f0(x): return x + 1", namespace)
    for i in range(1, levels + 1):
        exec(f"def f{i}(x): return f{i - 1}(x) * 2", namespace)
    function: Callable[[float], float] = namespace[f"f{levels}"]
    return function


def test_depth_of_inlining() -> None:
    assert ao.compile(_tower(decode.MAX_INLINE)).compiled
    kernel = ao.compile(_tower(decode.MAX_INLINE + 1))
    assert not kernel.compiled and str(decode.MAX_INLINE) in kernel.explain()
    assert_bytes(kernel(A), "d", [_tower(decode.MAX_INLINE + 1)(x) for x in A])


def test_nodes_of_a_function() -> None:
    def sums(count: int) -> Callable[[float], float]:
        function: Callable[[float], float] = eval("lambda x: " + "+".join(f"x*{i}.5" for i in range(count)))
        return function

    fits = MAX_NODES // 3 - 1
    assert ao.compile(sums(fits), strict=True)(A)[0] == sums(fits)(A[0])
    kernel = ao.compile(sums(fits + 3))
    assert not kernel.compiled and str(MAX_NODES) in kernel.explain()
    assert_bytes(kernel(A), "d", [sums(fits + 3)(x) for x in A])


def test_steps_of_a_function() -> None:
    """Ways that end at different returns with different locals do not meet: their number is bounded."""
    lines = ["def f(x):", "    y = 0"]
    for i in range(14):
        lines += [f"    if x > {i}:", f"        y = y*3 + x + {i}", f"        if y < -{i}: return y"]
    lines.append("    return y")
    namespace: dict[str, Any] = {}
    exec("\n".join(lines), namespace)
    f = namespace["f"]
    kernel = ao.compile(f)
    assert kernel.compiled or str(decode.MAX_STEPS) in kernel.explain() or str(MAX_NODES) in kernel.explain()
    assert_bytes(kernel(A), "d", [f(x) for x in A])


# -- when functions are decoded ----------------------------------------------------------------------------------------


def test_a_function_is_decoded_when_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    monkeypatch.setattr(functions, "COMPILE_AFTER", 100)
    original = functions._decode
    monkeypatch.setattr(functions, "_decode", lambda f, n, *more: decoded.append(n) or original(f, n, *more))
    ao.compile(lambda x: x)
    decoded.clear()
    data = array("d", range(30))

    def step(x: float) -> float:
        return x + 0.25

    for _ in range(3):
        assert_bytes(ao.map(data, step), "d", [x + 0.25 for x in data])
    assert not decoded
    for _ in range(5):
        assert_bytes(ao.map(data, step), "d", [x + 0.25 for x in data])
    assert decoded == [1]
    assert_bytes(ao.map(array("d", range(100)), lambda x: x - 1), "d", [x - 1.0 for x in range(100)])
    assert decoded == [1, 1]


def test_the_memory_of_functions_is_bounded() -> None:
    for i in range(2000):
        f = eval(f"lambda x: x + {i}")
        assert_bytes(ao.map(A, f), "d", [x + i for x in A])
        assert ao.compile(f).compiled
    assert len(functions.ENTRIES) <= 300


def test_the_variable_that_switches_decoding_off() -> None:
    program = (
        "import arrayops as ao; from array import array; k = ao.compile(lambda x: x + 1);"
        " print(k.compiled, ao.map(array('i', [1]) * 5000, lambda x: x + 1)[0], k.explain().splitlines()[0])"
    )
    for value, want in (("0", "False 2 callback: decoding is switched off"), ("1", "True 2 compiled")):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={"ARRAYOPS_COMPILE": value, "PYTHONPATH": ":".join(p for p in sys.path if p)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == want


def test_many_threads_decode_and_run_at_once() -> None:
    data = array("d", range(3000))
    failures: list[str] = []

    def work(number: int) -> None:
        for i in range(20):
            f = eval(f"lambda x: x * {number} + {i} if x > {i} else x - k", {"k": number})
            if ao.map(data, f) != array("d", [f(x) for x in data]):
                failures.append(f"{number} {i}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
