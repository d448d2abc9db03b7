"""Functions that capture NumPy's scalars or call its functions: compiled where nobody can tell, else called.

The oracle is the function itself, called by Python for each element, with NumPy's scalars and all.
"""

from __future__ import annotations

import fractions
import functools
import itertools
import math
import pickle
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import Raised, difference, edge_values, outcome, thinned

MEAN = np.array([1.0, 3.0]).mean()
ZERO, NAN, BIG = np.float64(0.0), np.float64("nan"), np.float64(2.0**53)
COUNT, BYTE, YES = np.int64(3), np.uint8(200), np.bool_(True)
SINGLE, HUGE = np.float32(0.1), np.int64(2**60)

COMPILED: list[Callable[[Any], Any]] = [
    lambda x: x if x > MEAN else 0.0,
    lambda x: x * MEAN,
    lambda x: MEAN - x + 1,
    lambda x: -MEAN + abs(x - MEAN),
    lambda x: x / MEAN,
    lambda x: x / ZERO,
    lambda x: 1 / (x - MEAN),
    lambda x: x**MEAN,
    lambda x: MEAN**x,
    lambda x: x > BIG,
    lambda x: x >= BIG,
    lambda x: x == BIG,
    lambda x: x != NAN and x < MEAN,
    lambda x: 1 if MEAN < x <= 9 else 2,
    lambda x: not x > MEAN,
    lambda x: bool(x > MEAN),
    lambda x: x if x < COUNT else 7,
    lambda x: x if x <= BYTE else 7,
    lambda x: x if YES else 7,
    lambda x: x if x > MEAN and YES else 7,
    lambda x: min(x, MEAN),
    lambda x: min(max(x, MEAN), 5.0),
    lambda x: max(x, MEAN) * 2,
    lambda x: float(MEAN) // 1 + x,
    lambda x: int(MEAN) + x,
    lambda x: float(COUNT) * x,
    lambda x: math.floor(x * 0.001 + MEAN),
    lambda x: math.sqrt(MEAN) * x,
    lambda x: x * np.pi,
    lambda x: np.exp(x),
    lambda x: np.sqrt(x) + 1,
    lambda x: np.log(x) * MEAN,
    lambda x: np.log1p(np.fabs(x)),
    lambda x: np.sin(x) ** 2 + np.cos(x) ** 2,
    lambda x: np.arctan2(x, MEAN) + np.hypot(x, 3),
    lambda x: np.abs(np.tanh(x)),
    lambda x: np.degrees(x) - np.deg2rad(x),
    lambda x: 0.0 if np.isnan(x) else x,
    lambda x: np.isfinite(x),
    lambda x: 1 / np.sqrt(x),
    lambda x: np.abs(x),
    lambda x: np.floor(x) + np.ceil(x * 0.5),
    lambda x: np.trunc(x / 3),
    lambda x: np.rint(x),
    lambda x: np.copysign(1.0, np.rint(x)),
    lambda x: np.copysign(1.0, np.ceil(x)),
    lambda x: np.sign(x) * 2,
    lambda x: np.sign(-x),
    lambda x: np.square(x - 1),
    lambda x: np.maximum(x, 0),
    lambda x: np.minimum(x, -0.0) * 2,
    lambda x: np.copysign(1.0, np.maximum(x, 0.0)),
    lambda x: np.copysign(1.0, np.minimum(0.0, x)),
    lambda x: np.copysign(1.0, np.maximum(-0.0, x)),
    lambda x: np.fmax(x, MEAN) - np.fmin(2.5, x),
    lambda x: np.fmin(NAN, x),
    lambda x: np.maximum(NAN, x),
    lambda x: np.minimum(np.maximum(x, -1.5), 1.5),
    lambda x: np.where(x > 1, x, 0.0),
    lambda x: np.where(x, MEAN, x / 2) + 1,
    lambda x: np.where(x > MEAN, 1 / x, 0.0),
    lambda x: -np.where(np.isnan(x), 0.5, x) * 3,
    lambda x: np.logical_and(x > 1, x < MEAN + 3),
    lambda x: x if np.logical_or(x < 0, np.logical_not(x > 5)) else 7,
    lambda x: np.add(x, 1.5) - np.multiply(MEAN, x),
    lambda x: np.divide(x, 3.0) + np.subtract(x, 1.0),
    lambda x: np.true_divide(1.0, x),
    lambda x: np.negative(x - 0.5),
    lambda x: np.greater(x, 1.5),
    lambda x: x if np.less_equal(x, MEAN) else 7.0,
]
CALLED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: x * COUNT, "* of a NumPy integer"),
    (lambda x: x + BYTE, "+ of a NumPy integer"),
    (lambda x: (x > MEAN) + 1, "+ of a NumPy integer or truth value"),
    (lambda x: (x > MEAN) == (x > 1), "a NumPy truth value is compared"),
    (lambda x: x // MEAN, "'//' of a NumPy number"),
    (lambda x: x % MEAN, "'%' of a NumPy number"),
    (lambda x: round(x * MEAN), "round() of a NumPy number"),
    (lambda x: x * SINGLE, "an object of type float32"),
    (lambda x: x < HUGE, "an object of type int64"),
    (lambda x: np.exp(x > 1), "may be a bool"),
    (lambda x: np.abs(math.floor(x)), "may be an int"),
    (lambda x: np.floor(int(x)), "may be an int"),
    (lambda x: np.sign(x > 1), "may be a bool"),
    (lambda x: np.maximum(int(x), 0), "may be an int"),
    (lambda x: np.where(x > 1, 3, 0), "may be an int"),
    (lambda x: np.where(x > 1, x > 2, False), "may be a bool"),
    (lambda x: np.add(x > 1, 0.5), "may be a bool"),
    (lambda x: np.add(int(x), 5), "may be an int"),
    (lambda x: np.clip(x, 0.5, 1.5), "clip"),
    (lambda x: np.where(x > 1), "with 1 arguments"),
]
FUNCTIONS = [*COMPILED, *(function for function, _ in CALLED)]
CODES = "dfbBiqQ"


def number(function: Callable[[Any], Any]) -> str:
    return f"line {function.__code__.co_firstlineno}"


def as_python(function: Callable[..., Any], values: Any, code: str) -> Any:
    return outcome(lambda: array(code, [function(x) for x in values]))


def fitting(function: Callable[[Any], Any], values: array[Any], code: str) -> array[Any]:
    """The values whose results an array of the code can hold, so that many are compared."""
    return array(values.typecode, [x for x in values if not isinstance(as_python(function, [x], code), Raised)])


def check(function: Callable[[Any], Any], values: array[Any], code: str) -> None:
    kernel, ulps = ao.compile(function), 0 if code not in "df" else 4
    with np.errstate(all="ignore"):
        got, want = outcome(lambda: kernel.map(values, typecode=code)), as_python(function, values, code)
        assert difference(got, want, ulps=ulps) is None, (code, str(got), str(want))
        kept = outcome(lambda: array(values.typecode, [x for x in values if function(x)]))
        assert difference(outcome(lambda: kernel.filter(values)), kept) is None, (code, str(kept))


@pytest.mark.parametrize("function", COMPILED, ids=number)
def test_what_python_cannot_tell_apart_is_compiled(function: Callable[[Any], Any]) -> None:
    assert ao.explain(function, "d").startswith("compiled")


@pytest.mark.parametrize(("function", "why"), CALLED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_differs_is_called(function: Callable[[Any], Any], why: str) -> None:
    first = ao.explain(function, "d").splitlines()[0]
    assert first.startswith("callback") and why in first


@pytest.mark.parametrize("function", FUNCTIONS, ids=number)
def test_every_element_is_what_the_function_gives(function: Callable[[Any], Any]) -> None:
    with np.errstate(all="ignore"):
        for code in CODES:
            values = array(code, thinned(edge_values(code)))
            check(function, values, "d")
            check(function, fitting(function, values, code), code)
            check(function, fitting(function, values, "q"), "q")


@given(st.sampled_from(COMPILED), st.sampled_from("dq"), st.data())
def test_any_elements_are_what_the_function_gives(
    function: Callable[[Any], Any], code: str, data: st.DataObject
) -> None:
    element = st.floats() if code == "d" else st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)
    check(function, array(code, data.draw(st.lists(element, min_size=1, max_size=8))), "d")


def test_explain_knows_the_elements() -> None:
    assert ao.explain(lambda x: np.abs(x), "f").startswith("compiled")
    assert ao.explain(lambda x: np.abs(x), "i").startswith("callback: NumPy has other types for such elements")
    assert ao.explain(lambda x: x > MEAN, "i").startswith("compiled")


def test_numpys_functions_themselves_are_compiled() -> None:
    values = array("d", [0.25, 4.0, -1.0])
    for ufunc in (np.sqrt, np.exp, np.arctan, np.isnan, np.floor, np.sign):
        assert ao.compile(ufunc).compiled
        check_ufunc(ufunc, values)
    assert ao.map(values, np.arctan2, array("d", [1.0, 1.0, 1.0])) == array(
        "d", [math.atan2(x, 1.0) for x in values])  # fmt: skip
    assert not ao.compile(np.cumsum).compiled


def test_numpys_truth_values_are_truth_values() -> None:
    values = array("d", [0.25, math.nan, math.inf] * 50)
    for f in (np.isnan, lambda x: np.isfinite(x), lambda x: x > MEAN):
        kernel = ao.compile(f)
        for arr in (values, np.array(values)):
            assert list(kernel.map(arr, typecode="?")) == [bool(f(x)) for x in values]
            assert kernel.last_by_python == 0
    halves = [np.exp(x).astype(float) for x in (True, False)]
    assert ao.map(np.array([True, False]), np.exp, typecode="d").tolist() == halves  # half floats, as NumPy has it


def check_ufunc(ufunc: Any, values: array[Any]) -> None:
    with np.errstate(all="ignore"):
        want = as_python(ufunc, values, "d")
        assert difference(ao.compile(ufunc)(values), want, ulps=4) is None


def test_folds_give_what_functools_gives() -> None:
    """A fold whose accumulator becomes a NumPy number is NumPy's; one that stays Python's is compiled."""
    values = array("d", [1.5, 2.5, -1.0])
    for step in (
        lambda acc, x: acc + x * MEAN,
        lambda acc, x: acc + x if x > MEAN else acc,
        lambda acc, x: acc or x > MEAN,
    ):
        got, want = ao.compile(step).reduce(values), functools.reduce(step, values)
        assert type(got) is type(want) and got == want
        assert ao.compile(step).accumulate(values) == array("d", itertools.accumulate(values, step))


def test_a_later_stage_of_a_pipeline_sees_numpys_number() -> None:
    values = array("d", [0.125, 2.675])
    stages = (lambda x: x * MEAN, lambda y: round(y, 2))
    want = array("d", [stages[1](stages[0](x)) for x in values])
    assert ao.lazy(values).map(stages[0]).map(stages[1]).collect() == want


def test_another_type_of_captured_number_is_another_function() -> None:
    values, seen = array("i", [1, 100]), []
    for factor in (2, np.float64(0.5), np.int8(3), np.float32(0.1), True, np.float64(2)):
        kernel = ao.compile(lambda x, factor=factor: x * factor)
        with np.errstate(all="ignore"):
            seen.append(kernel.map(values, typecode="d") == array("d", [x * factor for x in values]))
    assert all(seen)


def test_a_captured_number_may_change_its_type_between_calls() -> None:
    limit: Any = 2
    kernel = ao.compile(lambda x: x / limit)
    values = array("d", [1.0, -1.0])
    for limit in (2, np.float64(4), np.float64(0), np.int64(5), 8.0):
        with np.errstate(all="ignore"):
            assert kernel(values) == array("d", [x / limit for x in values])
    limit = 0
    with pytest.raises(ZeroDivisionError):
        kernel(values)


def test_a_pickled_kernel_has_pythons_numbers() -> None:
    copy = pickle.loads(pickle.dumps(ao.compile(lambda x: x * MEAN)))
    assert copy.source == "x * 2.0" and copy(array("d", [3.0])) == array("d", [6.0])


def test_a_value_used_twice_again_and_again_is_looked_at_once() -> None:
    # fmt: off
    def doubled(x: Any) -> Any:
        k = int(x)
        k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k  # noqa: E702
        k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k  # noqa: E702
        k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k  # noqa: E702
        k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k; k = k + k  # noqa: E702
        return np.abs(k + k)
    # fmt: on

    assert "may be an int" in ao.explain(doubled, "d")


PAIR = np.array([1e308, 2.0])


def test_arithmetic_of_objects_may_import() -> None:
    """NumPy's does to warn, and pyarrow's to add; where Python finds no way to import, pyarrow ends the process."""
    data, fraction = array("d", [1.0, 2.0]), fractions.Fraction(1, 2)
    expected = functools.reduce(lambda acc, x: acc * x + x, data, pa.scalar(2.0))
    assert ao.reduce(data, "acc*x + x", pa.scalar(2.0)) == expected
    assert ao.reduce(array("q", [1, 2]), "acc*x + x", fraction) == 5
    running = ao.accumulate(array("q", [1, 2]), "acc and acc*x + x", initial=fraction, typecode="d")
    assert running.tolist() == [0.5, 1.5, 5.0]
    pairs = ao.lazy(data).map(lambda x: [PAIR][0])
    for call in (
        lambda: ao.reduce(data, "acc*x*1e300", PAIR),
        lambda: ao.reduce(data, "acc*x*k*y", PAIR, k=1e300, y=data),
        lambda: ao.compile(lambda acc, x: acc * x * 1e300).reduce(data, PAIR),
        lambda: ao.lazy(data).reduce("acc*x*1e300", PAIR),
        lambda: next(iter(pairs.map("x*1e300").map("x*2"))),
        lambda: list(pairs.map("x*k", k=1e300))[1],
        lambda: list(pairs.map("x*1e300*y", y=data))[1],
    ):
        with pytest.warns(RuntimeWarning, match="overflow"):
            assert math.isinf(call()[0])


def test_elements_of_both_kinds_after_a_callable() -> None:
    mixed = ao.lazy(array("d", [1.0, 2.0, 3.0])).map(lambda x: [x if x < 2 else fractions.Fraction(x)][0])
    values = list(mixed.map("x / 3").filter("x > 0.5"))
    assert values == [fractions.Fraction(2, 3), 1]
    assert [type(v) for v in values] == [fractions.Fraction] * 2
    assert list(mixed.dropwhile("x < 3")) == [3]
