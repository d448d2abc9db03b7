"""Results of more than 64 bits that are stored as doubles, or reduced again: computed by the machine, not by Python.

Python itself is the oracle, bit for bit; what it raises is raised.
"""

from __future__ import annotations

import itertools
from array import array
from typing import Any

import arrayops as ao
import pytest
from arrayops.compiler.evaluate import BIG
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Raised, difference, outcome, python_function

I64, U64 = 2**63, 2**64
SIGNED = [-I64, 1 - I64, -(2**62) - 1, -(2**54) - 1, -3, -1, 0, 1, 2, 7, 2**53 + 1, 2**61, I64 - 1]
UNSIGNED = [0, 1, 3, 2**53 + 1, 2**54 + 3, I64 - 1, I64, I64 + 1025, U64 - 1]
PAIRS = list(itertools.product(SIGNED, SIGNED))
DOUBLES = [0.0, -0.0, 1.5, -1e300, 5e-324, 1e16]

#: Texts of x and y, and the typecodes that they are stored in. Python answers none of their elements.
TEXTS = [
    ("x + y", "d"), ("x - y", "df"), ("x * y", "df"), ("x*x*x + y", "d"), ("x << 3", "d"), ("x << 200", "d"),
    ("x**3 - y**7", "d"), ("-x * y", "d"), ("abs(x) * abs(y)", "d"), ("(x * y) % 1000003", "qdi"),
    ("x * y // -7", "d"), ("(x*x*y) // 12345678901234567 % 1000", "q"), ("x * y + 0.5", "d"),
    ("(x * y) * 1e300 - x", "d"), ("float(x * y)", "d"), ("sqrt(x*x + y*y)", "d"), ("lcm(x, y)", "d"),
    ("x * y - x * y + 5", "qbB"), ("x * 18446744073709551557", "d"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "codes"), TEXTS)
def test_against_python(text: str, codes: str) -> None:
    kernel = ao.compile(text)
    f = python_function(text, kernel.params)
    for columns in (PAIRS, [(abs(x), y & U64 - 1) for x, y in PAIRS]):
        xs, ys = zip(*columns, strict=True)
        given = {"x": array("Q" if min(xs) >= 0 else "q", xs), "y": array("Q" if min(ys) >= 0 else "q", ys)}
        values = [given[p] for p in kernel.params]
        for code in codes:
            want = outcome(lambda code=code, values=values: array(code, map(f, *values)))
            got = outcome(lambda code=code, values=values: kernel(*values, typecode=code))
            assert difference(got, want) is None
            assert kernel.last_by_python == 0 or "18446744073709551557" in text or isinstance(want, Raised)


@pytest.mark.parametrize("text", ["comb(x, k)", "perm(x, k)", "perm(x)", "factorial(x)", "k ** x", "x ** k", "k << x"])
def test_functions_of_ints(text: str) -> None:
    kernel = ao.compile(text)
    f = python_function(text, kernel.params)
    xs = array("q", [0, 1, 2, 7, 20, 21, 34, 59, 97, 98, 99, 140])
    for k in (0, 1, 2, 3, 5, 30, 61):
        want = array("d", [f(*(x if p == "x" else k for p in kernel.params)) for x in xs])
        assert ao.map(xs, kernel, typecode="d", **({"k": k} if "k" in kernel.params else {})) == want
        assert kernel.last_by_python <= 5  # beyond 512 bits


@pytest.mark.parametrize(
    "text", ["x * y / 0", "x * y % (x - x)", "lcm(x, y) << (x - x - 1)", "comb(x * y, y - y - 2)", "x * y"]
)
def test_what_python_raises_for(text: str) -> None:
    kernel, f = ao.compile(text), python_function(text)
    xs, ys = array("q", SIGNED[:3]), array("q", SIGNED[-3:])
    values = [{"x": xs, "y": ys}[p] for p in kernel.params]
    want, got = outcome(lambda: array("q", map(f, *values))), outcome(lambda: kernel(*values))
    assert isinstance(want, Raised)
    assert difference(got, want) is None


NUMBER = st.integers(-I64, I64 - 1)


@settings(max_examples=60)
@given(st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=8), st.sampled_from(TEXTS), st.integers(-I64, U64 - 1))
def test_random_numbers(rows: list[tuple[int, int]], row: tuple[str, str], number: int) -> None:
    xs, ys = zip(*rows, strict=True)
    kernel = ao.compile(row[0])
    f = python_function(row[0], kernel.params)
    values: list[Any] = [array("q", {"x": xs, "y": ys}[p]) for p in kernel.params]
    want = outcome(lambda: array("d", map(f, *values)))
    assert difference(outcome(lambda: kernel(*values, typecode="d")), want) is None
    if len(values) == 2:
        want = outcome(lambda: array("d", [f(x, number) for x in xs]))
        assert difference(outcome(lambda: kernel(values[0], number, typecode="d")), want) is None


def test_doubles_beside_ints() -> None:
    xs = array("q", [I64 - 1] * len(DOUBLES))
    ys = array("d", DOUBLES)
    for text in ("x*x + y", "y - x*x", "x*x * y", "(x*x + 1) / (y or 1)", "-y * (x*x)", "abs(y) * (x*x)"):
        kernel = ao.compile(text)
        values = [{"x": xs, "y": ys}[p] for p in kernel.params]
        f = python_function(text, kernel.params)
        want = [f(*row).hex() for row in zip(*values, strict=True)]
        assert list(map(float.hex, kernel(*values, typecode="d"))) == want


@pytest.mark.parametrize(
    "steps", [b"", b"\0", bytes(24 * 40), b"\xff" * 48, bytes([3, *[0] * 7, 5, *[0] * 15]), None, [1]]
)
def test_steps_that_somebody_changed(steps: object) -> None:
    kernel = ao.compile("x * 3")
    oracle = kernel._plans.narrow
    oracle.__dict__[BIG] = steps
    assert ao.map(array("q", [I64 - 1] * 3), kernel, typecode="d") == array("d", [3.0 * (I64 - 1)] * 3)


@pytest.mark.parametrize("text", [
    "y + (-(x*x) + (x*x + 1))", "1.5 + (-(x*x) + (x*x + 1))", "y*0 + (abs(x*x*x) - (x*x*x - 3))", "0.5*(x*-7)",
    "1.0*(-(x*x*x) + (x*x*x + 1))",
])  # fmt: skip
def test_one_operand_beside_floats(text: str) -> None:
    """What is first in a text has no part in the type of an operation with one operand."""
    xs, y = [2**40 + 1, -(2**50) - 3, 2305843009213694099], 0.5
    want = array("d", [float(eval(text, {"x": x, "y": y, "abs": abs})) for x in xs])
    assert ao.map(array("q", xs), text, typecode="d", **({"y": y} if "y" in text else {})) == want
