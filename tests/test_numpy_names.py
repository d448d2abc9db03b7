"""Names that users of NumPy and numexpr type: NumPy itself is the model, where its numbers are Python's."""

from __future__ import annotations

import math
from array import array
from typing import Any

import arrayops as ao
import pytest
from arrayops.compiler.parse import FORMS
from hypothesis import given
from hypothesis import strategies as st
from oracle import (
    FLOAT_CODES,
    TYPECODES,
    assert_same,
    edge_values,
    element_outcomes,
    outcome,
    python_function,
    stored,
)
from strategies import arrays

numpy = pytest.importorskip("numpy")

ONE = ["sign", "signbit", "square", "rint", "deg2rad", "rad2deg", "logical_not"]
TWO = ["mod", "floor_divide", "fmax", "fmin", "logical_and", "logical_or", "logical_xor"]
SPECIAL = [0.0, -0.0, 1.5, -1.5, 2.5, 0.5, -0.5, math.inf, -math.inf, math.nan, 1e300, -1e-300, 2.0**52 + 1, 3.0]


def equal(got: list[Any], want: list[Any]) -> bool:
    """Equal numbers; a zero of either sign, as NumPy leaves that of fmax and others open."""
    return len(got) == len(want) and all(a == b or (a != a and b != b) for a, b in zip(got, want, strict=True))


@pytest.mark.parametrize("name", ONE)
def test_of_one_float(name: str) -> None:
    with numpy.errstate(all="ignore"):
        want = getattr(numpy, name)(numpy.array(SPECIAL)).tolist()
    assert equal(ao.map(array("d", SPECIAL), f"{name}(x)").tolist(), want)


@pytest.mark.parametrize("name", TWO)
def test_of_two_floats(name: str) -> None:
    divides = name in ("mod", "floor_divide")
    pairs = [(x, y) for x in SPECIAL for y in SPECIAL if not divides or (y and math.isfinite(x))]
    columns = [array("d", column) for column in zip(*pairs, strict=True)]
    with numpy.errstate(all="ignore"):
        want = getattr(numpy, name)(*map(numpy.array, columns)).tolist()
    assert equal(ao.evaluate(f"{name}(x, y)", typecode="d", x=columns[0], y=columns[1]).tolist(), want)


@pytest.mark.parametrize("name", ["sign", "square", "mod", "floor_divide", "fmax", "fmin"])
def test_of_ints(name: str) -> None:
    values = [-7, -1, 0, 1, 2, 3, 100]
    pairs = [(x, y) for x in values for y in values if y]
    x, y = (numpy.array(column) for column in zip(*pairs, strict=True))
    text, args = (f"{name}(x)", (x,)) if name in ONE else (f"{name}(x, y)", (x, y))
    got = ao.evaluate(text, **dict(zip("xy", args, strict=False)))
    assert got.dtype == numpy.int64
    assert got.tolist() == getattr(numpy, name)(*args).tolist()


NAMES = [f"{name}(x)" for name in (*ONE, "reciprocal")] + [f"{name}(x, y)" for name in TWO] + ["log(x, 3)"]


@given(values=arrays(st.sampled_from(TYPECODES)), text=st.sampled_from(NAMES))
def test_every_type(values: array[Any], text: str) -> None:
    names = ["x", "y"] if "y" in text else ["x"]
    other = array(values.typecode, values[::-1])
    columns = [values, other][: len(names)]
    finite = [i for i in range(len(values)) if all(c[i] == c[i] for c in columns)]
    columns = [array(c.typecode, [c[i] for i in finite]) for c in columns]
    results = element_outcomes(python_function(text, names), columns)
    got = outcome(lambda: ao.evaluate(text, typecode="d", **dict(zip(names, columns, strict=True))))
    assert_same(got, stored("d", results), text)


@pytest.mark.parametrize("code", FLOAT_CODES)
def test_rint_keeps_the_sign_of_a_zero(code: str) -> None:
    got = ao.map(array(code, [-0.4, 0.4, -0.0, 0.5, 1.5]), "rint(x)")
    assert [math.copysign(1, v) for v in got] == [-1, 1, -1, 1, 1]
    assert got.tolist() == [0, 0, 0, 0, 2]


def test_kinds_of_results() -> None:
    for code in TYPECODES:
        a = array(code, [v for v in edge_values(code) if v == v][:3])
        assert ao.evaluate("rint(x)", x=a).typecode == "d"
        assert ao.evaluate("signbit(x)", x=a).typecode == "B"
        assert ao.evaluate("logical_not(x)", x=a).typecode == "B"
        assert ao.evaluate("sign(x)", x=a).typecode == ("d" if code in FLOAT_CODES else "q")


def test_names_stay_free() -> None:
    a = array("d", [1.0, 5.0])
    for name in (*FORMS, "sign", "rint", "deg2rad", "rad2deg"):
        assert ao.map(a, f"x + {name}", **{name: 2}).tolist() == [3.0, 7.0]
        assert ao.map(a, f"x + {name}", 2).tolist() == [3.0, 7.0]
    assert ao.map(a, "mod(x, 2) + square", square=1).tolist() == [2.0, 2.0]


REFUSED = ["sign()", "mod(x)", "square(x, y)", "fmax(x)", "rint(x, 2)", "np.sign(x)", "math.sign(x)"]


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(ao.ExpressionError):
        ao.compile(text)


@pytest.mark.parametrize("name", TWO)
def test_arguments_are_evaluated_in_their_order(name: str) -> None:
    """As those of a function, whatever is made of them."""
    with pytest.raises(OverflowError):
        ao.map(array("d", [0.0]), f"{name}(exp(x + 1000), 1 / x)")
    with pytest.raises(ZeroDivisionError):
        ao.map(array("d", [0.0]), f"{name}(1 / x, exp(x + 1000))")
