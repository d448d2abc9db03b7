"""Floats are Python's floats: signs of // and %, round half to even, -0.0, domain errors, conversions to int."""

from __future__ import annotations

import math
import random
from array import array
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import (
    FLOAT_CODES,
    Raised,
    assert_same,
    edge_values,
    element_outcomes,
    outcome,
    python_function,
    same_scalar,
    stored,
)
from strategies import float_typecodes, long_arrays

ONE = [
    "x // 1", "x % 1", "x // -1", "x % -1", "x // 0.1", "x % 0.1", "x // -0.3", "x % -0.3", "x // inf", "x % inf",
    "x // -inf", "x % -inf", "x // nan", "x % nan",
    "x // 5e-324", "x % 5e-324", "5.0 // x", "5.0 % x", "-5.0 // x", "-5.0 % x", "x // x", "x % x", "0.0 % x",
    "-0.0 % x", "0.0 // x", "-0.0 // x", "x // 3", "x % 3", "7 // x", "7 % x",
    "x / 0", "x / 0.0", "x // 0", "x % 0", "1 / x", "1.0 / x", "x / x", "x / 3", "x / 1e308", "x / 5e-324", "round(x)",
    "round(x + 0.5)", "round(x / 2)", "round(-x)", "round(x, 0)",
    "round(x, 1)", "round(x, 2)", "round(x, -1)", "round(x, 17)", "round(x, 400)", "round(x, -400)",
    "round(x * 0.001, 3)", "int(x)", "int(-x)", "int(x / 3)", "floor(x)", "ceil(x)", "trunc(x)",
    "floor(-x)", "ceil(-x)", "floor(x * 1e10)", "bool(x)", "not x", "float(x)", "sqrt(x)", "sqrt(-x)", "sqrt(abs(x))",
    "fabs(x)", "abs(x)", "-x", "+x", "0.0 - x", "0 - x", "x + 0.0", "x + 0", "x - 0.0",
    "x * 0", "x * -0.0", "-0.0 * x", "x * 1", "x ** 2", "x ** 0", "x ** 0.5", "x ** -1", "x ** -0.5", "x ** 3",
    "2.0 ** x", "(-2.0) ** x", "0.0 ** x", "x ** x", "1.0 ** x", "(-1.0) ** x",
    "x ** nan", "nan ** x", "inf ** x", "x ** inf", "x ** -inf", "pow(x, 2.5)", "x ** 1e300", "x < 0.0", "x <= -0.0",
    "x == 0", "x == -0.0", "x != x", "x == x", "x < nan", "not x < nan",
    "x > nan or x <= nan", "0 <= x <= 1", "x < x + 1", "min(x, 0.0)", "min(0.0, x)", "min(x, nan)", "min(nan, x)",
    "max(x, -0.0)", "max(-0.0, x)", "max(x, nan)", "max(nan, x)", "min(x, 0)", "max(0, x)",
    "min(x, 1.5, -x)", "max(x, nan, 3.0)", "x and 1.5", "x or -0.0", "x if x else -0.0", "x in (0, 1.0, -0.5)",
    "x in (-0.0,)", "x not in (1, 2)", "isnan(x)", "isinf(x)", "isfinite(x)",
    "clip(x, -1, 1)", "clip(x, -1.0, 1.0)", "clip(x, nan, nan)", "clip(x, 0.0, -0.0)", "copysign(x, -1)",
    "copysign(x, 0)", "copysign(3, -0.0) * x", "where(x > 0, x, -x)", "x * 1e308 * 10",
    "x + 1e16 - 1e16", "(x + 0.1) - x", "x * 0.1 * 10 == x", "x - x", "x + x - x", "x * x - x * x", "x == int(x)",
    "x == floor(x)", "x > 9007199254740993", "x >= 2**63", "x < 2**64",
    "x == 2**53 + 1", "int(x) & 0xFF", "int(x) % 7", "floor(x) + 1 > x", "x % 1 == 0", "x & 1", "~x", "x << 1", "x ^ x",
    "1 | x", "x >> 0", "x % 2 == 0 and x != 0", "(x > 1) + x", "True + x", "-(-x)",
    "abs(-0.0) * x", "x * True", "round(x) if isfinite(x) else 0", "int(x) if -1e18 < x < 1e18 else 0",
    "x // 1 if x == x else 0.0", "x ** 2 if abs(x) < 1e150 else inf", "(-x) ** 0.5", "abs((-8.0) ** x)",
]  # fmt: skip


@pytest.mark.parametrize("typecode", FLOAT_CODES)
def test_texts_on_edge_values(typecode: str) -> None:
    """One element at a time, so that each exception and its message is seen, then all that have an answer at once."""
    edges = edge_values(typecode)
    for text in ONE:
        results = element_outcomes(python_function(text), [edges])
        for value, result in zip(edges, results, strict=True):
            for target in ("d", "f", "q"):
                got = outcome(ao.map, array(typecode, [value]), text, typecode=target)
                assert_same(got, stored(target, [result]), (text, typecode, value, target))
        good = [i for i, r in enumerate(results) if isinstance(stored("d", [r]), array)]
        values = array(typecode, [edges[i] for i in good] * 12)
        got = outcome(ao.map, values, text, typecode="d")
        assert_same(got, stored("d", [results[i] for i in good] * 12), text)


PAIRS = [
    "x + y", "x - y", "x * y", "x / y", "x // y", "x % y", "x ** y", "min(x, y)", "max(x, y)", "copysign(x, y)",
    "x < y", "x <= y", "x == y", "x and y", "x or y", "x if x > y else y", "round(x) + y",
    "x * y + x", "x - y * x", "x * x + y * y", "(x // y) * y + x % y", "x < y < x + y", "clip(x, y, 1.0)",
    "sqrt(x) if x > y else y", "x / y if y else 0.0",
]  # fmt: skip


@given(long_arrays(float_typecodes), long_arrays(float_typecodes), st.sampled_from(PAIRS))
def test_pairs(x: array[Any], y: array[Any], text: str) -> None:
    """No contraction, no reordering: x*y + x is two roundings."""
    size = min(len(x), len(y))
    results = element_outcomes(python_function(text, ["x", "y"]), [x[:size], y[:size]])
    if text == "copysign(x, y)":
        results = [r for r in results if not isinstance(r, Raised)]
        keep = [i for i in range(size) if y[i] == y[i]]
    else:
        keep = [i for i, r in enumerate(results) if isinstance(stored("d", [r]), array)]
        results = [results[i] for i in keep]
    xs, ys = array(x.typecode, [x[i] for i in keep]), array(y.typecode, [y[i] for i in keep])
    assert_same(outcome(lambda: ao.map(xs, text, typecode="d", y=ys)), stored("d", results), text)


def test_round_half_to_even_on_exact_ties() -> None:
    ties = [k + 0.5 for k in range(-1000, 1000)] + [
        2.0**51 + 0.5,
        2.0**52 - 0.5,
        0.49999999999999994,
        4503599627370497.5,
    ]
    assert_same(ao.map(array("d", ties), "round(x)", typecode="q"), array("q", [round(v) for v in ties]))
    decimals = [k / 1000 + 0.0005 for k in range(-3000, 3000)] + [2.675, 1.005, 5e-4, 0.15, 0.25, 0.35]
    for digits in (0, 1, 2, 3):
        want = array("d", [round(v, digits) for v in decimals])
        assert_same(ao.map(array("d", decimals), f"round(x, {digits})"), want, digits)


def test_floor_division_and_modulo_on_random_pairs() -> None:
    rng = random.Random(3)
    xs = array("d", [rng.uniform(-1, 1) * 10.0 ** rng.randint(-20, 20) for _ in range(20000)])
    ys = array("d", [rng.uniform(-1, 1) * 10.0 ** rng.randint(-20, 20) for _ in range(20000)])
    assert_same(ao.map(xs, "x // y", y=ys), array("d", [x // y for x, y in zip(xs, ys, strict=True)]))
    assert_same(ao.map(xs, "x % y", y=ys), array("d", [x % y for x, y in zip(xs, ys, strict=True)]))


def test_power_is_as_good_as_pythons() -> None:
    rng = random.Random(4)
    xs = array("d", [rng.uniform(0, 1) * 10.0 ** rng.randint(-5, 5) for _ in range(5000)])
    ys = array("d", [rng.uniform(-20, 20) for _ in range(5000)])
    for text in ("x ** y", "pow(x, y)"):
        assert_same(ao.map(xs, text, y=ys), array("d", [x**y for x, y in zip(xs, ys, strict=True)]), text)


NOT_A_NUMBER = [
    ("int(x)", math.nan, ValueError, "cannot convert float NaN to integer"),
    ("int(x)", math.inf, OverflowError, "cannot convert float infinity to integer"),
    ("round(x)", math.nan, ValueError, "cannot convert float NaN to integer"),
    ("floor(x)", -math.inf, OverflowError, "cannot convert float infinity to integer"),
    ("1/x", 0.0, ZeroDivisionError, None),
    ("1//x", -0.0, ZeroDivisionError, None),
    ("1%x", 0.0, ZeroDivisionError, None),
    ("0.0**x", -1.0, ZeroDivisionError, None),
    ("sqrt(x)", -1e-300, ValueError, None),
    ("10.0**x", 400.0, OverflowError, None),
    ("x & 1", 1.0, TypeError, "unsupported operand type(s) for &: 'float' and 'int'"),
    ("x**0.5", -4.0, TypeError, "must be real number, not complex"),
]


@pytest.mark.parametrize(("text", "value", "kind", "message"), NOT_A_NUMBER)
def test_what_python_refuses(text: str, value: float, kind: type[Exception], message: str | None) -> None:
    """At element 0, in the middle of a block and at its end: the error is Python's own."""
    for position in (0, 5, 300, 699):
        values = array("d", [1.0 if text != "x & 1" else value] * 700)
        values[position] = value
        got = outcome(ao.map, values, text)
        assert isinstance(got, Raised) and type(got.error) is kind
        assert_same(got, stored("d", element_outcomes(python_function(text), [values])))
        assert message is None or str(got.error) == message


def test_single_precision_is_computed_in_double_and_rounded_once() -> None:
    values = array("f", [0.1, 1 / 3, 1e38, 1e-45, 16777217.0, -0.0])
    for text in ("x*x*x", "x + 1e-9 - x", "x * 1e10 / 1e10", "x / 3", "x * 1e300"):
        want = stored("f", element_outcomes(python_function(text), [values]))
        assert_same(outcome(ao.map, values, text), want, text)
    wide = ao.map(values, "x*x*x", typecode="d")
    assert all(same_scalar(g, x * x * x) for g, x in zip(wide, values, strict=True))


def test_doubles_beyond_single_precision_become_infinite_as_in_array() -> None:
    huge = array("d", [1e300, -1e300, 3.4028235677973366e38, 3.4028234663852886e38])
    assert_same(outcome(lambda: ao.map(huge, "x", typecode="f")), stored("f", huge.tolist()))
