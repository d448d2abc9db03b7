"""ieee=True: a zero divisor, a negative square root, an overflowing float power give what IEEE 754 gives, in silence.

Integers have no infinity: integer // and % by zero still raise, and so does inf or nan made an integer, unless all that
becomes of it is a float again.
"""

from __future__ import annotations

import itertools
import math
from array import array
from typing import Any

import arrayops as ao
import pytest
from arrayops.compiler.ir import ELEMENTARY1, ELEMENTARY2, FUNCTIONS, WHOLE_FUNCTIONS
from oracle import assert_bytes, assert_same, edge_values, element_outcomes, outcome, python_function, stored

INF, NAN = math.inf, math.nan
#: Where Python has what a C library computes, and the last bit may be another.
OF_LIBM = {*ELEMENTARY1, *ELEMENTARY2, "log", "hypot", "pow", "math.pow"}

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
    ("gamma(x)", [0.0, -0.0, -15.0, 171.7, 5e-324, -5e-324, -INF, INF, NAN, 5.0],
     [INF, -INF, NAN, INF, INF, -INF, NAN, INF, NAN, 24.0]),
    ("lgamma(x)", [0.0, -0.0, -15.0, 1e306, -1e308, INF, -INF, NAN, 1.0],
     [INF, INF, INF, INF, INF, INF, INF, NAN, 0.0]),
    ("ldexp(x, 2000)", [1.0, -1.0, 0.0, INF, NAN, 5e-324], [INF, -INF, 0.0, INF, NAN, 2.0**926]),
    ("round(x, -308)", [1.7e308, -1.7e308, 1e308, INF, NAN], [INF, -INF, 1e308, INF, NAN]),
    ("(-710.0) ** x", [171.7, 3.0], [NAN, -357911000.0]),
    ("fmod(x, 0.0)", [1.0, INF, NAN], [NAN, NAN, NAN]),
    ("fmod(1e999, x)", [1.0, 0.0], [NAN, NAN]),
    ("remainder(x, 0.0)", [1.0, INF], [NAN, NAN]),
    ("sinh(x)", [800.0, -800.0, 0.0], [INF, -INF, 0.0]),
    ("atanh(x)", [1.0, -1.0, 2.0], [INF, -INF, NAN]),
    ("log(x, 1.0)", [2.0, 0.5, 1.0], [INF, -INF, NAN]),
]
if hasattr(math, "fma"):
    QUIET.append(("fma(x, x, -x)", [1e200, INF, 0.0, 2.0], [INF, NAN, 0.0, 2.0]))
    QUIET.append(("fma(x, -1e200, 0.0)", [1e200, -1e200, 0.0, INF], [-INF, INF, 0.0, -INF]))


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


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, -15.0, 171.7, -171.5, 710.5, -800.0, 1e16, 1e17, 1e306,
           5e-324, -5e-324, 1e-300, 1.7976931348623157e308, -1.7976931348623157e308, 4503599627370497.5, INF, -INF,
           NAN]  # fmt: skip
OF_FLOATS = [name for name in FUNCTIONS if name not in (*WHOLE_FUNCTIONS, "int", "floor", "ceil", "trunc", "round")]


@pytest.mark.parametrize("name", OF_FLOATS)
def test_no_function_of_floats_raises(name: str) -> None:
    """Every function at every special argument: Python's answer where it has one, else an infinity or nan."""
    function = FUNCTIONS[name]
    for number in range(function.least, min(function.most or 3, 3) + 1):
        if (name, number) == ("pow", 3):  # of ints
            continue
        rows = [r for r in itertools.product(SPECIAL if number < 3 else SPECIAL[::3], repeat=number)]
        columns = [array("d", column) for column in zip(*rows, strict=True)]
        if name == "ldexp":
            columns[1] = array("q", [int(max(-(2.0**40), min(2.0**40, x))) if x == x else 7 for x in columns[1]])
        names = "xyz"[:number]
        text = f"{name}({', '.join(names)})"
        got = ao.map(*columns[:1], text, *columns[1:], typecode="d", ieee=True)
        for result, row in zip(got, zip(*columns, strict=True), strict=True):
            want = outcome(function.python, *row)
            if isinstance(want, (int, float)) and name in OF_LIBM:
                assert result == pytest.approx(want, rel=1e-14, abs=5e-324, nan_ok=True), (name, row)
            elif isinstance(want, (int, float)):
                assert_same(result, float(want), (name, row))
            else:
                zero = name == "log" and result == 0  # a quotient whose divisor is the logarithm of 0
                assert not math.isfinite(result) or zero, (name, row, result)


def test_rounding_to_a_place_does_not_raise_for_floats() -> None:
    for digits in (-400, -308, -1, 0, 1, 400):
        for x in SPECIAL:
            want = outcome(round, x, digits)
            (got,) = ao.map(array("d", [x]), f"round(x, {digits})", ieee=True)
            assert_same(got, want if isinstance(want, float) else math.copysign(INF, x), (x, digits))


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
