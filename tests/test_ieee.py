"""ieee=True: a zero divisor, a negative square root, an overflowing float power give what IEEE 754 gives, in silence.

Integers have no infinity: integer // and % by zero still raise, and so does inf or nan made an integer, unless all that
becomes of it is a float again.
"""

from __future__ import annotations

import math
from array import array
from typing import Any

import arrayops as ao
import pytest
from oracle import assert_bytes, assert_same, edge_values, element_outcomes, outcome, python_function, stored

INF, NAN = math.inf, math.nan

QUIET: list[tuple[str, list[float], list[float]]] = [
    ("1.0 / x", [0.0, -0.0, 2.0, INF], [INF, -INF, 0.5, 0.0]),
    ("-1.0 / x", [0.0, -0.0], [-INF, INF]),
    ("x / 0.0", [1.0, -1.0, 0.0, -0.0, INF, -INF, NAN], [INF, -INF, NAN, NAN, INF, -INF, NAN]),
    ("x / -0.0", [1.0, -1.0, 0.0], [-INF, INF, NAN]),
    ("x / 0", [3.0, -3.0, 0.0], [INF, -INF, NAN]),
    ("1.0 // x", [0.0, -0.0, 0.4], [INF, -INF, 2.0]),
    ("x // 0.0", [1.0, -1.0, 0.0, NAN], [INF, -INF, NAN, NAN]),
    ("1.0 % x", [0.0, -0.0, 0.75], [NAN, NAN, 0.25]),
    ("x % 0.0", [1.0, -1.0, 0.0, INF], [NAN, NAN, NAN, NAN]),
    ("sqrt(x)", [-1.0, -0.0, 4.0, -INF, INF, NAN], [NAN, -0.0, 2.0, NAN, INF, NAN]),
    ("math.sqrt(x)", [-1e-300, 2.25], [NAN, 1.5]),
    ("10.0 ** x", [400.0, -400.0, 2.0], [INF, 0.0, 100.0]),
    ("(-10.0) ** x", [401.0, 400.0], [-INF, INF]),
    ("x ** 3.0", [1e200, -1e200, 2.0], [INF, -INF, 8.0]),
    ("0.0 ** x", [-1.0, -2.0, 1.0], [INF, INF, 0.0]),
    ("x ** -1.0", [0.0, -0.0, 4.0], [INF, -INF, 0.25]),
    ("x ** 0.5", [-4.0, 4.0], [NAN, 2.0]),
    ("pow(x, 2.0)", [1e300, 3.0], [INF, 9.0]),
    ("1.0 / x if x else 7.0", [0.0, 2.0], [7.0, 0.5]),
    ("1.0 / x > 0", [0.0, -0.0], [1.0, 0.0]),
    ("min(1.0 / x, 5.0)", [0.0, 1.0], [5.0, 1.0]),
    ("x / x", [0.0, 3.0], [NAN, 1.0]),
]


@pytest.mark.parametrize(("text", "values", "want"), QUIET)
@pytest.mark.parametrize("repeat", [1, 40, 700])
def test_ieee_results(text: str, values: list[float], want: list[float], repeat: int) -> None:
    data = array("d", values * repeat)
    assert_bytes(ao.map(data, text, ieee=True), "d", want * repeat)
    assert_bytes(ao.evaluate(text, typecode="d", ieee=True, x=data), "d", want * repeat)
    assert_bytes(ao.compile(text, ieee=True)(data), "d", want * repeat)
    inplace = array("d", values * repeat)
    ao.map_inplace(inplace, text, ieee=True)
    assert_bytes(inplace, "d", want * repeat)


def test_filter_and_folds_take_ieee() -> None:
    data = array("d", [0.0, 2.0, -0.0])
    assert_bytes(ao.filter(data, "1.0 / x > 0", ieee=True), "d", [0.0, 2.0])
    assert_same(ao.reduce(data, "acc + 1.0 / x", 0.0, ieee=True), NAN)
    assert_bytes(ao.accumulate(data, "acc + 1.0 / x", initial=0.0, ieee=True), "d", [0.0, INF, INF, NAN])


STILL_RAISE: list[tuple[str, str, Any, str]] = [
    ("1 // x", "i", 0, "d"), ("1 % x", "i", 0, "d"), ("x // 0", "q", 5, "d"), ("x % 0", "B", 5, "d"),
    ("1 << x", "i", -1, "d"),
    ("int(1.0 / x)", "d", 0.0, "q"), ("floor(1.0 / x)", "d", 0.0, "q"), ("round(sqrt(x))", "d", -1.0, "q"),
    ("int(x)", "d", NAN, "q"), ("floor(x) + 1", "d", NAN, "d"), ("floor(x) % 7", "d", INF, "d"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "typecode", "value", "target"), STILL_RAISE)
def test_integers_still_raise(text: str, typecode: str, value: Any, target: str) -> None:
    with pytest.raises((ZeroDivisionError, OverflowError, ValueError)):
        ao.map(array(typecode, [value]), text, ieee=True, typecode=target)


def test_nothing_else_changes() -> None:
    """Where Python gives an answer, ieee=True gives the same one."""
    edges = edge_values("d")
    for text in (
        "x + 1",
        "x * x",
        "x // 3",
        "x % 3",
        "x / 7",
        "x // -0.3",
        "sqrt(abs(x))",
        "x < 1",
        "abs(x) ** 0.5",
        "x if x > 0 else -x",
        "min(x, 1)",
    ):
        results = element_outcomes(python_function(text), [edges])
        good = [i for i, r in enumerate(results) if isinstance(stored("d", [r]), array)]
        values = array("d", [edges[i] for i in good])
        got = outcome(ao.map, values, text, typecode="d", ieee=True)
        assert_same(got, stored("d", [results[i] for i in good]), text)


def test_without_ieee_the_same_texts_raise_as_python_does() -> None:
    for text, values, _ in QUIET:
        want = stored("d", element_outcomes(python_function(text), [values]))
        assert_same(outcome(ao.map, array("d", values), text), want, text)
