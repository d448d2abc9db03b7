"""Reductions inside an expression: the models are Python's functions of all values, and the text with their values."""

from __future__ import annotations

import math
import statistics
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from arrayops import _machine
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import (
    FLOAT_CODES,
    REDUCTIONS,
    Raised,
    assert_bytes,
    assert_same,
    difference,
    element_outcomes,
    outcome,
    python_function,
    stored,
)
from strategies import long_arrays, typecodes

#: Expressions of one element under a reduction.
INNER = ["x", "x*x", "x - 3", "x > 2", "x / 4", "x if x > 0 else 1", "abs(x) % 7", "x*x*x*x*x*x*x*x*x"]


def model(name: str, values: list[Any]) -> Any:
    """What Python gives for all values, or `Raised`."""
    return outcome(REDUCTIONS[name], values)


@pytest.mark.parametrize("name", REDUCTIONS)
@settings(max_examples=max(settings.default.max_examples // 3, 1))
@given(values=long_arrays(typecodes))
def test_one_number(name: str, values: array[Any]) -> None:
    for inner in INNER:
        elements = element_outcomes(python_function(inner, ["x"]), [values])
        failed = next((e for e in elements if isinstance(e, Raised)), None)
        if any(isinstance(e, float) and not math.isfinite(e) for e in elements):
            continue  # test_special_values_inside
        want = failed or model(name, elements)
        text = f"{name}({inner})"
        for got in (outcome(ao.evaluate, text, x=values), outcome(lambda: ao.compile(text)(values))):  # noqa: B023
            if isinstance(want, Raised) and isinstance(want.error, OverflowError) and name in ("var", "std"):
                assert got == math.inf, text  # as ao.var has it
            elif isinstance(want, Raised):
                assert isinstance(got, Raised), (text, values)
                assert issubclass(type(got.error), (ValueError, type(want.error))), (text, got, want)
            elif not values or (name == "median" and isinstance(want, bool)):
                assert got == want, text  # of no floats the sum is 0.0, as ao.sum has it
            else:
                assert difference(got, want) is None, (text, difference(got, want))


@given(values=long_arrays(typecodes), name=st.sampled_from(sorted(REDUCTIONS)), inner=st.sampled_from(INNER))
def test_beside_elements(values: array[Any], name: str, inner: str) -> None:
    """The reduction's value is a number like any other: the same as if it were given by name."""
    whole = outcome(lambda: ao.evaluate(f"{name}({inner})", x=values))
    for text in ("x - {}", "x if {} > x else 0.5", "({} + x) * 2", "x == {}"):
        got = outcome(lambda: ao.map(values, text.format(f"{name}({inner})"), typecode="d"))  # noqa: B023
        if not values:
            assert_bytes(got, "d", [])
            continue
        if isinstance(whole, Raised):
            assert isinstance(got, Raised)
            assert type(got.error) is type(whole.error)
            continue
        function = python_function(text.format("w"), ["w", "x"])
        want = stored("d", element_outcomes(function, [[whole] * len(values), values]))
        assert_same(got, want, (name, inner, text))


EXPRESSIONS: list[tuple[str, Callable[[list[Any], list[Any]], Any]]] = [
    ("(x - mean(x)) / std(x)", lambda x, y: [(v - statistics.fmean(x)) / statistics.pstdev(x) for v in x]),
    ("x / sum(x)", lambda x, y: [v / math.fsum(x) for v in x]),
    ("sum((x - y)**2 * 0.5)", lambda x, y: math.fsum((v - w) ** 2 * 0.5 for v, w in zip(x, y, strict=True))),
    ("-sum(x)", lambda x, y: -math.fsum(x)),
    ("sum(x*y) / sum(y)", lambda x, y: math.fsum(v * w for v, w in zip(x, y, strict=True)) / math.fsum(y)),
    ("mean(x - mean(x))", lambda x, y: statistics.fmean([v - statistics.fmean(x) for v in x])),
    ("max(x) - min(x)", lambda x, y: max(x) - min(x)),
    ("max(x, y) - min(y)", lambda x, y: [max(v, w) - min(y) for v, w in zip(x, y, strict=True)]),
    ("std(x, ddof=1)", lambda x, y: statistics.stdev(x)),
    ("var(x, ddof=1) * len(x)", lambda x, y: statistics.variance(x) * len(x)),
    ("x > mean(x) + 3*std(x)", lambda x, y: [v > statistics.fmean(x) + 3 * statistics.pstdev(x) for v in x]),
    ("count(x > y) + any(x > 4)", lambda x, y: sum(v > w for v, w in zip(x, y, strict=True)) + any(v > 4 for v in x)),
    ("1 + all(y)", lambda x, y: 1 + all(y)),
    ("x if argmax(x) < argmin(y) else y", lambda x, y: x if x.index(max(x)) < y.index(min(y)) else y),
    ("sum(x if x > mean(x) else 0)", lambda x, y: math.fsum(v if v > statistics.fmean(x) else 0 for v in x)),
]


@pytest.mark.parametrize(("text", "python"), EXPRESSIONS)
def test_expressions_as_people_write_them(text: str, python: Callable[[list[Any], list[Any]], Any]) -> None:
    x, y = [1.5, -2.25, 7.0, 0.125, 3.0] * 300, [0.5, 4.0, 1.0, 2.5, 9.0] * 300
    want = python(x, y)
    names = {n: array("d", v) for n, v in (("x", x), ("y", y)) if n in text}
    got = ao.evaluate(text, **names)
    if isinstance(want, list):
        assert list(got) == want
    else:
        assert got == want
        assert type(got) is type(want)


def test_equal_ones_are_one_pass() -> None:
    a = array("d", [1.0, 4.0])
    text = "(x - mean(x)) / mean(x) + mean(x)"
    assert "\nfirst, each in a pass of its own: mean(x)\n" in ao.explain(text)
    assert ao.map(a, text).tolist() == [(v - 2.5) / 2.5 + 2.5 for v in a]


def test_the_middle_of_truth_values_is_one() -> None:
    a = array("d", [1, 2, 3])
    for text, value in (("median(x > 1)", True), ("median(x > 2)", False)):
        found = ao.evaluate(text, x=a)
        assert type(found) is bool and found is value
    assert ao.evaluate("median(x > 1)", x=a[:2]) == 0.5


def test_ints_are_of_any_size() -> None:
    big = array("q", [2**62, 2**62, 1])
    assert ao.evaluate("sum(x*x)", x=big) == 2 * 2**124 + 1
    assert ao.evaluate("prod(x)", x=big) == 2**124
    assert ao.evaluate("max(x*x) + min(x - 2**63)", x=big) == 2**124 + 1 - 2**63
    assert ao.evaluate("mean(x)", x=big) == statistics.fmean(big)
    assert_bytes(ao.map(big, "x*4 // sum(x)"), "q", [1, 1, 0])


@pytest.mark.parametrize("code", FLOAT_CODES)
def test_special_values_inside(code: str) -> None:
    inf, nan = math.inf, math.nan
    for values in ([nan, 1, 2], [1, nan, 2], [inf, 1], [inf, -inf], [-0.0, 0.0], [0.0, -0.0]):
        a = array(code, values)
        for name, function in (("sum", ao.sum), ("mean", ao.mean), ("min", ao.min), ("max", ao.max), ("var", ao.var),
                               ("std", ao.std), ("median", ao.median), ("argmin", ao.argmin)):  # fmt: skip
            want, got = outcome(function, a), outcome(ao.evaluate, f"{name}(x)", x=a)
            if isinstance(want, Raised):
                assert isinstance(got, Raised), (name, values)
                assert type(got.error) is type(want.error)
            else:
                assert difference(got, want) is None, (name, values)


def test_ieee_and_errors_of_elements() -> None:
    a = array("d", [0.0, 4.0])
    assert_bytes(ao.map(a, "x + sum(1/x)", ieee=True), "d", [math.inf, math.inf])
    with pytest.raises(ZeroDivisionError):
        ao.map(a, "x + sum(1/x)")
    with pytest.raises(ZeroDivisionError):
        ao.map(array("d", [1.0, -1.0]), "x / sum(x)")
    with pytest.raises(statistics.StatisticsError, match=r"var\(\) needs at least 2 elements, not 1 element"):
        ao.evaluate("var(x, ddof=1)", x=array("d", [1.0]))


def test_no_elements() -> None:
    """An empty array is an empty array: nothing is evaluated. One number of none is the function's own error."""
    empty = array("d")
    assert_bytes(ao.map(empty, "(x - mean(x)) / std(x)"), "d", [])
    assert_bytes(ao.evaluate("x + min(x)", x=array("i")), "q", [])
    assert_bytes(ao.filter(empty, "x > mean(x)"), "d", [])
    assert ao.evaluate("sum(x) + len(x) + count(x) + prod(x)", x=empty) == 1
    for text, error in (("mean(x)", statistics.StatisticsError), ("min(x)", ValueError), ("argmax(x)", ValueError),
                        ("median(x)", statistics.StatisticsError), ("std(x)", statistics.StatisticsError)):  # fmt: skip
        with pytest.raises(error):
            ao.evaluate(text, x=empty)


def test_every_way_in() -> None:
    a = array("d", [1.0, 2.0, 3.0, 10.0])
    assert_bytes(ao.filter(a, "x > mean(x)"), "d", [10.0])
    assert ao.count(a, "x > mean(x)") == 1
    assert ao.any(a, "x > 2*mean(x)") is True
    assert ao.all(a, "x < max(x)") is False
    k = ao.compile("x - mean(x)*k", "x", "k")
    assert k.params == ("x", "k")
    assert k.source == "x - (mean(x) * k)"
    assert_bytes(k(a, 0.5), "d", [-1.0, 0.0, 1.0, 8.0])
    assert k == ao.compile("x - mean(x)*k", "x", "k")
    assert k != ao.compile("x - std(x)*k", "x", "k")
    out = array("d", a)
    assert ao.map(a, "x / max(x)", out=out) is out
    ao.map_inplace(a, "x / max(x)")
    assert a == out
    assert_bytes(ao.map(a, "sum(x)", typecode="d"), "d", [math.fsum(a)] * 4)
    import pickle

    assert_bytes(pickle.loads(pickle.dumps(k))(a, 0.0), "d", a)


def test_names_of_reductions_stay_free() -> None:
    a = array("d", [1.0, 2.0])
    assert_bytes(ao.map(a, "x - mean", mean=0.5), "d", [0.5, 1.5])
    assert_bytes(ao.map(a, "x - mean", 0.5), "d", [0.5, 1.5])
    assert_bytes(ao.map(a, "x*count + len", count=3, len=1), "d", [4.0, 7.0])
    with pytest.raises(TypeError, match="has no name 'mean'"):
        ao.map(a, "mean(x)", mean=0.5)
    with pytest.raises(ao.ExpressionError, match="unknown function 'mean'"):
        ao.compile("mean(x) + mean", "x", "mean")


REFUSED = [
    ("sum()", "takes 1 argument, not 0"), ("mean(x, y)", "takes 1 argument, not 2"), ("sum(1 + 2)", "there is none"),
    ("mean(x, ddof=1)", "keyword"), ("std(x, ddof=-1)", "ddof must be an int from 0"), ("std(x, ddof=0.5)", "ddof"),
    ("min()", "at least 2"), ("x in (mean(x), 2)", "'in' needs constants"), ("std(x, ddof=x)", "constant"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_refused_texts(text: str, why: str) -> None:
    with pytest.raises(ao.ExpressionError, match=why):
        ao.compile(text)


@pytest.mark.parametrize("call", [
    lambda a: ao.lazy(a).map("x - mean(x)"), lambda a: ao.lazy([a, a]).filter("x > mean(x)"),
    lambda a: ao.lazy(a).map(ao.compile("x - mean(x)")), lambda a: ao.reduce(a, "acc + x - mean(x)"),
    lambda a: ao.accumulate(a, "acc + x - mean(x)"), lambda a: ao.lazy(a).reduce("acc + mean(x)", 0),
])  # fmt: skip
def test_where_one_element_comes_after_the_other(call: Callable[[Any], Any]) -> None:
    with pytest.raises(ao.ExpressionError, match=r"mean\(x\) is of all elements, and .*give it by name") as caught:
        call(array("d", [1.0, 2.0]))
    error = caught.value
    assert error.text is not None
    assert error.offset is not None
    assert error.text[error.offset - 1 :].startswith("mean(")


def test_of_numbers_only() -> None:
    with pytest.raises(TypeError, match=r"mean\(k\) is of the elements of an array"):
        ao.evaluate("x - mean(k)", x=array("d", [1.0]), k=2.0)
    with pytest.raises(TypeError, match=r"sum\(k\) is of the elements of an array"):
        ao.evaluate("sum(k)", k=2)


def test_other_lengths() -> None:
    with pytest.raises(ValueError, match="same length"):
        ao.evaluate("sum(x*y)", x=array("d", [1.0]), y=array("d", [1.0, 2.0]))


def test_arrays_of_other_kinds() -> None:
    numpy, pyarrow = pytest.importorskip("numpy"), pytest.importorskip("pyarrow")
    a = numpy.array([1.0, 2.0, 6.0])
    got = ao.map(a, "x - mean(x)")
    assert type(got) is numpy.ndarray
    assert got.tolist() == [-2.0, -1.0, 3.0]
    assert ao.evaluate("sum(x)", x=a) == 9.0
    chunked = pyarrow.chunked_array([[1.0, 2.0], [6.0]])
    assert ao.map(chunked, "x - mean(x)").to_pylist() == [-2.0, -1.0, 3.0]
    assert ao.evaluate("mean(x)", x=chunked) == 3.0
    missing = pyarrow.array([1.0, None, 5.0])
    with pytest.raises(ValueError, match="some are null"):
        ao.map(missing, "x - mean(x)", nulls="propagate")
    assert ao.map(missing, "x - mean(x)", nulls=0.0).to_pylist() == [-1.0, -2.0, 3.0]
    assert ao.filter(missing, "x > mean(x)", nulls="skip").to_pylist() == [5.0]


def test_functions_stay_elementwise() -> None:
    mean = statistics.fmean
    with pytest.raises(TypeError):
        ao.map(array("d", [1.0]), lambda x: x - mean(x))
    assert ao.map(array("d", [1.0, 2.0]), lambda x: max(x, 1.5)).tolist() == [1.5, 2.0]


PASSES = [
    ("(x - mean(x)) / std(x)", 1),
    ("x - mean(x) + sum(x)", 1),
    ("(x - min(x)) / (max(x) - min(x))", 1),
    ("var(x) + std(x) + mean(x) + x", 1),
    ("var(x, ddof=1) - var(x) + x", 1),
    ("mean(x) + mean(x*2) + x", 2),
    ("mean(x - mean(x)) + std(x) + x", 2),
    ("max(x) - mean(x) + x", 2),
    ("sum(x*1) + sum(x*1.0) + x", 2),
]


@pytest.mark.parametrize("typecode", "dfih")
@pytest.mark.parametrize(("text", "passes"), PASSES)
def test_reductions_of_one_expression_share_a_pass(text: str, passes: int, typecode: str,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    a = array(typecode, [3, 1, 4, 1, 5])
    ran: list[int] = []
    run = _machine.run_pipe
    monkeypatch.setattr(_machine, "run_pipe", lambda *args: ran.append(1) or run(*args))
    ao.map(a, text, typecode="d")
    assert len(ran) == passes
