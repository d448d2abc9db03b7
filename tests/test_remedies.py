"""Results that do not fit: what evaluate makes of ints by itself, and what the error says to write elsewhere."""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import INTEGER_CODES, Raised, assert_same, difference, integer_range, outcome, python_function

# -- the natural typecode of ints --------------------------------------------------------------------------------------

TOP = 2**64 - 1
NATURAL: list[tuple[str, dict[str, Any], str]] = [  # text, values, typecode
    ("x**n", {"x": array("q", [3]), "n": 39}, "q"),
    ("x**n", {"x": array("q", [3, -2]), "n": array("b", [39, 3])}, "q"),
    ("2**x + 1", {"x": array("q", [60])}, "q"),
    ("2**x - 1", {"x": array("B", [60, 0])}, "q"),
    ("2**x", {"x": array("B", [62, 0])}, "q"),
    ("10**-x", {"x": array("q", [1, -2])}, "d"),
    ("x + 9223372036854775808", {"x": array("B", [1])}, "Q"),
    ("x * x", {"x": array("I", [2**31])}, "q"),
    ("(-2)**x", {"x": array("i", [63, 0])}, "q"),
    ("x**n", {"x": array("i", [2, 4]), "n": -1}, "d"),
    ("2**-x", {"x": array("B", [1, 2])}, "d"),
    ("x**n * 0.5", {"x": array("q", [3]), "n": 3}, "d"),
    ("x**n / 2", {"x": array("q", [3]), "n": array("i", [3])}, "d"),
    ("x if x < 3 else x / 2", {"x": array("q", [2, 4])}, "d"),
    ("x**n > 5", {"x": array("q", [3]), "n": array("i", [3])}, "B"),
    ("pow(x, n)", {"x": array("q", [3]), "n": True}, "q"),
    ("x", {"x": array("Q", [TOP])}, "Q"),
    ("x + 1", {"x": array("Q", [TOP - 1])}, "Q"),
    ("x * y", {"x": array("Q", [2**62]), "y": array("B", [3])}, "Q"),
    ("x - 2", {"x": array("Q", [1])}, "q"),
    ("x - y", {"x": array("Q", [1]), "y": array("Q", [TOP // 2])}, "q"),
    ("-x", {"x": array("Q", [1])}, "q"),
    ("x & 255", {"x": array("Q", [TOP])}, "q"),
    ("(x - 1) & 0xFFFFFFFFFFFFFFFF", {"x": array("Q", [0, 5])}, "Q"),
    ("x - 2", {"x": array("Q", [TOP])}, "Q"),
    ("x", {"x": array("L", [5])}, "q"),
    ("x ^ y", {"x": array("Q", [TOP]), "y": array("B", [1])}, "Q"),
    ("x // 2", {"x": array("Q", [TOP])}, "q"),
    ("x + 1", {"x": array("I", [2**32 - 1])}, "q"),
    ("x if x > 5 else -x", {"x": array("Q", [1, 9])}, "q"),
]


@pytest.mark.parametrize(("text", "values", "code"), NATURAL, ids=lambda value: str(value)[:24])
def test_ints_stay_ints_in_evaluate(text: str, values: dict[str, Any], code: str) -> None:
    columns = [v if isinstance(v, array) else itertools.repeat(v) for v in values.values()]
    expected = [python_function(text, list(values))(*row) for row in zip(*columns, strict=False)]
    assert_same(ao.evaluate(text, names=values), array(code, expected), text)


def test_unsigned_ints_of_numpy_stay_unsigned() -> None:
    result = ao.evaluate("x", x=np.array([2**63], np.uint64))
    assert result.dtype == np.uint64 and result.tolist() == [2**63]


# -- powers of ints, against Python ------------------------------------------------------------------------------------


@st.composite
def powers(draw: st.DrawFn) -> tuple[array[int], array[int]]:
    base, exponent = draw(st.sampled_from(INTEGER_CODES)), draw(st.sampled_from(INTEGER_CODES))
    low, high = integer_range(base)
    bases = st.one_of(st.integers(max(low, -12), min(high, 12)), st.integers(low, high))
    exponents = st.integers(max(integer_range(exponent)[0], -2), 70)
    rows = draw(st.lists(st.tuples(bases, exponents), min_size=1, max_size=20))
    return array(base, [a for a, _ in rows]), array(exponent, [b for _, b in rows])


@given(powers())
def test_powers_of_ints_are_pythons_or_say_what_to_ask_for(columns: tuple[array[int], array[int]]) -> None:
    bases, exponents = columns
    try:
        values = [a**b for a, b in zip(bases, exponents, strict=True)]
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            ao.evaluate("a**b", a=bases, b=exponents)
        return
    expected = [outcome(array, code, values) for code in "qQ"]
    fitting = next((e for e in expected if not isinstance(e, Raised)), None)
    got = outcome(lambda: ao.evaluate("a**b", a=bases, b=exponents))
    if fitting is None:
        assert difference(got, expected[0]) is None and "; pass typecode='" in str(got.error)
    else:
        assert_same(got, fitting, "a*b")


# -- what the error says -----------------------------------------------------------------------------------------------

FLOAT = "'float' object cannot be interpreted as an integer; pass typecode='d', or round(...)"
I = array("i", [24, 1])  # noqa: E741
U = array("Q", [1, 2])


def half(x: Any) -> Any:
    return [x / 2][0]


REMEDIES: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    ("lambda", lambda: ao.map(I, lambda x: x * 9 / 5 + 32), TypeError, FLOAT),
    ("lambda, compiled", lambda: ao.compile(lambda x: x * 9 / 5 + 32)(I), TypeError, FLOAT),
    ("polars", lambda: ao.map(pl.Series([24]), lambda x: x * 9 / 5 + 32), TypeError, FLOAT),
    ("numpy", lambda: ao.map(np.array([24]), lambda x: x * 9 / 5 + 32), TypeError, FLOAT),
    ("conditional", lambda: ao.map(I, "x if x < 3 else x / 2"), TypeError, FLOAT),
    ("conditional lambda", lambda: ao.compile(lambda x: x if x < 3 else x / 2)(I), TypeError, FLOAT),
    ("callback", lambda: ao.map(I, half), TypeError, FLOAT),
    ("running", lambda: ao.accumulate(I, "acc*.5 + x"), TypeError, FLOAT),
    ("running function", lambda: ao.accumulate(I, lambda acc, x: acc * 0.5 + x), TypeError, FLOAT),
    ("running from a float", lambda: ao.accumulate(I, "acc + x", initial=0.5), TypeError, FLOAT),
    ("negative exponent", lambda: ao.evaluate("2**x", x=array("b", [1, -1])), TypeError, FLOAT),
    ("negative exponent, asked", lambda: ao.map(array("b", [1, -1]), "2**x"), TypeError, FLOAT),
    ("text", lambda: ao.map(I, "x / 2"), TypeError, "'x / 2' gives floats, which a 'i' array cannot hold; "
                                                    "pass typecode='d'"),
    ("unsigned", lambda: ao.map(U, "x - 2"), OverflowError, "can't convert negative int to unsigned; "
                                                            "pass typecode='q'"),
    ("unsigned callback", lambda: ao.map(U, lambda x: [x - 2][0]), OverflowError, "pass typecode='q'"),
    ("unsigned, running", lambda: ao.accumulate(U, "acc - x"), OverflowError, "pass typecode='q'"),
    ("byte", lambda: ao.map(b"\xff", "x + 1"), OverflowError, "unsigned byte integer is greater than maximum; "
                                                              "pass typecode='q'"),
    ("signed", lambda: ao.map(array("q", [2**62]), "x * 2"), OverflowError, "pass typecode='Q'"),
    ("neither holds them", lambda: ao.evaluate("u - 2", u=array("Q", [TOP, 1])), OverflowError, "pass typecode='d'"),
    ("no natural one", lambda: ao.evaluate("u + i", u=array("Q", [TOP]), i=array("b", [1])), OverflowError,
     "typecode='d'"),
    ("half float", lambda: ao.map(np.array([65504], "f2"), "x * 2"), OverflowError,
     "float too large to pack with e format; pass typecode='d'"),
    ("24 bits", lambda: ao.map(ao.view(b"\xff\xff\x7f", "<i3"), "x + 1"), OverflowError, "pass typecode='q'"),
    ("pipeline", lambda: ao.lazy(I).map("x * 2**31").collect(), OverflowError, "; pass typecode='q'"),
    ("pipeline of bytes", lambda: ao.lazy(b"\xff").map("x + 1").collect(), OverflowError,
     "unsigned byte integer is greater than maximum; pass typecode='q'"),
    ("pipeline, unsigned", lambda: ao.lazy(U).map("x - 2").collect(), OverflowError,
     "can't convert negative int to unsigned; pass typecode='q'"),
    ("pipeline, callback", lambda: ao.lazy(U).map(lambda x: [x - 2][0]).collect(), OverflowError, "pass typecode='q'"),
    ("pipeline, large", lambda: ao.lazy(U).map(lambda x: [x << 70][0]).collect(), OverflowError, "pass typecode='d'"),
    ("pipeline, floats", lambda: ao.lazy(I).map("x / 2").collect(), TypeError, "pass typecode='d'"),
    ("pipeline, asked", lambda: ao.lazy(I).map("x * 200").collect("b"), OverflowError, "pass typecode='q'"),
    ("too large for all", lambda: ao.evaluate("u + 1", u=array("Q", [TOP])), OverflowError, "pass typecode='d'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "call", "kind", "said"), REMEDIES, ids=[row[0] for row in REMEDIES])
def test_the_error_says_what_to_write(name: str, call: Callable[[], Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind and str(caught.value).endswith(said)


NATURAL: list[tuple[str, dict[str, Any], list[int]]] = [
    ("2**x", {"x": array("q", [63, 0])}, [2**63, 1]),
    ("x * y", {"x": array("q", [2**40, 1]), "y": array("q", [2**23, 1])}, [2**63, 1]),
    ("-x", {"x": array("q", [-(2**63)])}, [2**63]),
    ("int(x)", {"x": array("d", [1e19])}, [10**19]),
    ("u + i", {"u": array("Q", [2**63]), "i": array("b", [-1])}, [2**63 - 1]),
    ("sum(x) * x", {"x": array("q", [2**31] * 2)}, [2**63] * 2),
]


@pytest.mark.parametrize(("text", "names", "values"), NATURAL, ids=[row[0] for row in NATURAL])
def test_ints_from_0_on_that_no_q_holds(text: str, names: dict[str, Any], values: list[int]) -> None:
    """Also where the types of the arrays have signs, and where another call has shown that 'q' will do."""
    ones = {name: array(values.typecode, [1] * len(values)) for name, values in names.items()}
    ao.evaluate(text, **ones)
    code = "q" if max(values) < 2**63 else "Q"
    for _ in range(2):
        assert ao.evaluate(text, **names) == array(code, values)
        numpys = {name: np.array(column) for name, column in names.items()}
        assert ao.evaluate(text, **numpys).tolist() == values


def test_what_neither_holds_says_where() -> None:
    for _ in range(2):
        with pytest.raises(OverflowError, match="int too big to convert; pass typecode='d'") as caught:
            ao.evaluate("x * y", x=array("q", [1, 2**40]), y=array("q", [-1, 2**23]))
        assert caught.value.__notes__ == ["element 1"]


@pytest.mark.parametrize("data", [pl.Series([1, 2]), array("d", [1, 2])], ids=["ints", "floats"])
def test_none_of_a_function(data: Any) -> None:
    with pytest.raises(TypeError, match="NoneType") as caught:
        ao.map(data, {1: 5}.get)
    assert caught.value.__notes__ == ["element 1", "the function gives None for it: nulls= is for missing values"]


def test_the_remedies_help() -> None:
    assert ao.map(pl.Series([24]), lambda x: x * 9 / 5 + 32, typecode="d").to_list() == [75.2]
    assert ao.map(U, "x - 2", typecode="q") == array("q", [-1, 0])
    assert ao.map(I, lambda x: round(x * 9 / 5 + 32)) == array("i", [75, 34])
    assert ao.evaluate("2**x", x=array("b", [1, -1]), typecode="d") == array("d", [2.0, 0.5])


UNTOUCHED: list[Callable[[], Any]] = [  # nothing to ask for: Python's own words
    lambda: ao.map(I, lambda x: [None][0]),
    lambda: ao.map(array("d", [1.0]), lambda x: [None][0]),
    lambda: ao.map(I, lambda x: int([x][0] / 0)),
    lambda: ao.map_inplace(array("B", [255]), "x + 1"),
    lambda: ao.map(b"\xff", "x + 1", out=bytearray(1)),
    lambda: ao.scale(array("b", [100]), 2),
    lambda: ao.lazy(I).map("x * 2**31").to(array("i", [0, 0])),
    lambda: ao.lazy(I).map(lambda x: [math.exp(x * 1000)][0]).collect("d"),
    lambda: ao.lazy(I).map("1 // (x - 1)").collect(),
]


@pytest.mark.parametrize("call", UNTOUCHED)
def test_nothing_is_added_where_no_typecode_helps(call: Callable[[], Any]) -> None:
    with pytest.raises((TypeError, OverflowError, ZeroDivisionError)) as caught:
        call()
    assert "typecode" not in str(caught.value)
