"""The function that Python evaluates one element of a text by (compiler/element.py), against Python and interpret()."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from arrayops.compiler.element import MOST_NESTED, TALLEST
from arrayops.compiler.evaluate import COLUMNS, MAX_INT_BITS, evaluator, interpret
from arrayops.compiler.ir import IR, MAX_ARMS, Builder, from_table, to_table
from arrayops.compiler.parse import parse
from grammar import random_case
from oracle import Raised, assert_same, difference, edge_values, outcome, parameters, patience, python_function

VALUES = [0, 1, -1, 2, 3, 7, -8, 63, 2**63 - 1, -(2**63), 2**64 - 1, 0.0, -0.0, 0.5, -2.0, 1e300, float("inf"),
          float("-inf"), float("nan")]  # fmt: skip


def assert_means(text: str, *values: Any) -> None:
    """The function, for numbers of 64 bits and for any, and the interpretation give what Python gives."""
    ir = parse(text, parameters(text))
    want = outcome(python_function(text), *values)
    for got in (
        outcome(evaluator(ir), *values),
        outcome(evaluator(ir, any_int=False), *values),
        outcome(interpret, ir, values),
        *in_columns(ir, values),
    ):
        if isinstance(got, Raised) and isinstance(got.error, OverflowError) and "bits" in str(got.error):
            continue  # Python would make a larger integer
        assert difference(got, want) is None, (text, values, str(got), str(want))


def in_columns(ir: IR, values: tuple[Any, ...]) -> list[Any]:
    """What the functions of lists give, of which all parameters are lists, or only the first."""
    found = []
    for mask in {1, (1 << len(values)) - 1} if values else ():
        column = getattr(evaluator(ir, any_int=False), COLUMNS)[mask]
        if column is not None:
            got = outcome(column, *([v, v, v] if mask >> i & 1 else v for i, v in enumerate(values)))
            found += [got] if isinstance(got, Raised) else got
    return found


@pytest.mark.parametrize("seed", range(8))
def test_random_texts(seed: int) -> None:
    rng = random.Random(f"element:{seed}")
    for _ in range(120):
        case = random_case(rng, "map")
        count = len(parameters(case.text))
        for _ in range(4):
            assert_means(case.text, *(rng.choice(VALUES) for _ in range(count)))


ORDER = [
    "1/x + round(y, 400000.5)", "(x << -1) + 1/x", "(1/x if y else y) + (1/x)", "(y and 1/x) or 1/x",
    "y*y if x else 1/x + y*y", "min(1/x, 1 << -1)", "(x + y)*(x + y) - (x + y)", "1/x < 2 and 1/x > 1",
    "x if (x*y) or (x*y) else 1/x", "comb(1/y, x)", "(1/x) ** (1 << -1)", "(1/x) << (y // x)",
    "(x or y) and (x or y)", "(x and y) if (x and y) else x or y", "factorial(x % 10)", "factorial(-x)",
    "comb(x, y % 3)", "perm(x)", "perm(y, x)", "round(x, y)", "pow(x, y, 3)", "x ** y", "(-8.0) ** (1/3) < x",
    "round((-8.0)**0.5, x)", "comb(x, (-2)**0.5)", "~((x < y) + 0)", "x in (1, 2, True)", "not x in (0.0,)",
]  # fmt: skip


@pytest.mark.parametrize("text", ORDER)
def test_order_laziness_and_exceptions(text: str) -> None:
    for x in (0, 1, 2, -3, 0.0, 2.5, float("nan")):
        for y in (0, 1, 5, 0.0, -1.5):
            assert_means(text, *(x, y)[: len(parameters(text))])


def _left(n: int) -> str:
    return " - ".join(["x*2", *(f"x/{i}" for i in range(1, n))])


def _right(n: int) -> str:
    return "".join(f"x - ({i} + " for i in range(n)) + "x" + ")" * n


def _arms(n: int) -> str:
    return "".join(f"{i} if x == {i} else " for i in range(n)) + "1/(x - 1000)"


def _tall_arms(n: int) -> str:
    return f"({_left(n)}) if x > 3 else ({_left(n)})*2 if x > 2 else 1/x"


def _tall_logical(n: int) -> str:
    return f"(({_left(n)}) and 1/x) or ({_left(n)}) and 2"


@pytest.mark.parametrize("make", [_left, _right, _arms, _tall_arms, _tall_logical])
@pytest.mark.parametrize("size", [1, 10, TALLEST - 1, TALLEST, TALLEST + 1, 40, 48])
def test_tall_and_nested(make: Callable[[int], str], size: int) -> None:
    for x in (0, 1, 3, 4, 47, 1000, 2.5, 0.0):
        assert_means(make(size), x)


def _nested_arms(count: int) -> IR:
    """count conditionals, each in an arm of the next."""
    build = Builder()
    x = value = build.add("param", value=0)
    for i in range(count):
        number = build.const(i)
        arms = (number, value) if i % 2 else (value, number)
        value = build.add("if", build.add("==" if i % 2 else "!=", x, number), *arms)
    return build.done(value, ("x",))


@pytest.mark.parametrize("count", [MOST_NESTED - 1, MOST_NESTED, MOST_NESTED + 1, 100, MAX_ARMS - 1])
def test_arms_in_arms(count: int) -> None:
    ir = from_table(to_table(_nested_arms(count)))
    element = evaluator(ir)
    for x in (0, 1, 2, count - 1, count, 7.5):
        assert_same(element(x), interpret(ir, (x,)))


def test_values_shared_by_arms_do_not_unfold() -> None:
    """60 conditionals, both arms of each with the one before: 2**60 paths, one of which is gone."""
    build = Builder()
    value, one = build.add("param", value=0), build.const(1)
    for i in range(60):
        arms = build.add("+", value, one), build.add("-", value, one)
        value = build.add("if", build.add(">", 0, build.const(float(i))), *arms)
    ir = build.done(value, ("x",))
    with patience(20):
        for x in (0, 7, 1000):
            assert_same(evaluator(ir)(x), x + 2 * min(x, 60) - 60)


def test_little_stack_is_enough() -> None:
    """The function is made and called with 250 frames left."""
    text = _tall_arms(40)

    def below(frames: int) -> Any:
        return below(frames - 1) if frames else evaluator(parse(text))(4)

    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    assert_same(below(sys.getrecursionlimit() - depth - 250), python_function(text)(4))


def test_threads_that_call_first_at_once() -> None:
    for _ in range(50):
        element = evaluator(parse("round(x*y, 2) if x < y else gcd(3, 6) + x"))
        barrier, got = threading.Barrier(4), list[Any]()

        def call(element: Any = element, barrier: Any = barrier, got: list[Any] = got) -> None:
            barrier.wait()
            got.append([element(x, 3) for x in (1.5, 4)])

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [[4.5, 7]] * 4


TOO_LARGE = [  # (text, an argument that fits, and one that makes an integer of too many bits)
    ("1 << x", MAX_INT_BITS - 1, MAX_INT_BITS),
    ("3 << x", MAX_INT_BITS - 2, MAX_INT_BITS - 1),
    ("2**x", 2048, MAX_INT_BITS + 1),
    ("x**4096", 2**32, 2**80),
    ("x*x", 2 ** (MAX_INT_BITS // 2 - 1), 2 ** (MAX_INT_BITS // 2)),
    ("factorial(x)", 3000, 10**6),
    ("comb(2*x, x)", 2048, 10**6),
    ("perm(x, x)", 2048, 10**6),
    ("round(x, -x)", 100, 10**6),
    ("lcm(x, x - 1)", 2**60, 2 ** (MAX_INT_BITS // 2 + 1)),
    ("pow(3, x, x - 1)", 2**64, 2**600),
]


@pytest.mark.parametrize(("text", "fits", "too_large"), TOO_LARGE, ids=lambda p: p if isinstance(p, str) else "")
def test_bits_of_results_are_bounded(text: str, fits: int, too_large: int) -> None:
    ir = parse(text)
    functions = [evaluator(ir)] + ([evaluator(ir, any_int=False)] if too_large < 2**64 else [])
    with patience(30):
        for function in functions:
            assert_same(function(fits), python_function(text)(fits))
            with pytest.raises(OverflowError, match="bits"):
                function(too_large)


@pytest.mark.parametrize(
    "text", ["x*x*x", "(x*y) << 60", "x**60 + y**64", "lcm(x, y)", "comb(x % 100, 3)*y", "~x * abs(y) - -x"]
)
def test_every_number_of_64_bits(text: str) -> None:
    for x in (*edge_values("q"), *edge_values("Q")):
        assert_means(text, *(x, 2**64 - 1)[: len(parameters(text))])
