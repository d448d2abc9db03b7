"""map_inplace, out=, scale and clip: the meaning of `for i, x in enumerate(a): out[i] = f(x)`.

What comes before the failing element is done, the rest is untouched; a float expression for integers is refused whole.
"""

from __future__ import annotations

from array import array
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import (
    FLOAT_CODES,
    INTEGER_CODES,
    TYPECODES,
    Raised,
    assert_bytes,
    assert_same,
    edge_values,
    outcome,
    python_function,
    same_array,
)
from strategies import arrays

TEXTS = [
    "x + 1",
    "x * x",
    "10 // x",
    "-x",
    "x // 2",
    "1 << (x & 31)",
    "x % 7 - 3",
    "abs(x)",
    "x if x > 3 else 5 // x",
    "x * 3 - 1",
]


def python_loop(text: str, source: Any, target: array[Any]) -> Any:
    """The loop that defines it; the exception as a value, None when there is none."""
    function = python_function(text)

    def loop() -> None:
        for i, x in enumerate(list(source)):
            target[i] = function(x)

    return outcome(loop)


def is_refused_whole(got: Any, text: str) -> bool:
    """The TypeError for a float expression into integers, raised before any work."""
    return isinstance(got, Raised) and "pass typecode='d'" in str(got.error)


@given(arrays(), st.sampled_from(TEXTS))
def test_map_inplace_is_the_loop(values: array[Any], text: str) -> None:
    before, want = values[:], values[:]
    error = python_loop(text, before, want)
    got = outcome(lambda: ao.map_inplace(values, text))
    if is_refused_whole(got, text):
        assert same_array(values, before)
    else:
        assert_same(got, error)
        assert_same(values, want)


@given(arrays(), st.sampled_from(TYPECODES), st.sampled_from(TEXTS))
def test_out_is_the_loop(values: array[Any], typecode: str, text: str) -> None:
    fill = array(typecode, [7] * len(values))
    want = fill[:]
    error = python_loop(text, values, want)
    got = outcome(lambda: ao.map(values, text, out=fill))
    if is_refused_whole(got, text):
        assert_bytes(fill, typecode, [7] * len(values))
    else:
        assert isinstance(got, Raised) == isinstance(error, Raised)
        assert not isinstance(error, Raised) or str(got) == str(error)
        assert_same(fill, want)


@pytest.mark.parametrize(
    ("text", "refused"),
    [("log(x)", 0.0), ("log2(x)", -1.0), ("log10(x)", 0.0), ("log1p(x)", -1.0), ("tan(x)", float("inf")),
     ("asin(x)", 2.0), ("acos(x/3)", 4.0), ("acosh(x + 1)", -0.5), ("atanh(x/2)", 2.0), ("expm1(x)", 1e3),
     ("sinh(x)", 1e3), ("cosh(x)", -1e3), ("exp(x)", 1e3), ("sin(x)", float("inf"))],
)  # fmt: skip
@pytest.mark.parametrize("at", [0, 1, 31, 32, 100, 511, 512, 600, 1023, 1024, 1500, 2999])
def test_elementary_functions_leave_the_rest(text: str, refused: float, at: int) -> None:
    """They write straight to an array that is no operand of theirs, and yet nothing from the failing element on."""
    values = array("d", [(k % 64 + 1) / 64 for k in range(3000)])
    done = ao.map(values, text)
    values[at] = refused
    out = array("d", [-77.0]) * 3000
    with pytest.raises((ValueError, OverflowError)):
        ao.map(values, text, out=out)
    assert_bytes(out, "d", [*done[:at], *[-77.0] * (3000 - at)])


@pytest.mark.parametrize("position", [0, 1, 7, 63, 64, 255, 256, 257, 511, 512, 513, 1023, 1024, 1499])
@pytest.mark.parametrize("function", ["100 // x", lambda x: 100 // x])
def test_failure_half_way(position: int, function: Any) -> None:
    """Everything before the failing element is done, the rest untouched, wherever in a block it stands."""
    values = array("i", [5] * 1500)
    values[position] = 0
    with pytest.raises(ZeroDivisionError):
        ao.map_inplace(values, function)
    assert_bytes(values, "i", [20] * position + [0] + [5] * (1499 - position))
    source, out = array("i", [5] * 1500), array("i", [-1] * 1500)
    source[position] = 0
    with pytest.raises(ZeroDivisionError):
        ao.map(source, function, out=out)
    assert_bytes(out, "i", [20] * position + [-1] * (1500 - position))


@pytest.mark.parametrize("position", [0, 3, 255, 512, 700])
@pytest.mark.parametrize("function", ["x * 2", lambda x: x * 2])
def test_store_error_half_way(position: int, function: Any) -> None:
    """In a loop the store of element i comes before the evaluation of element i + 1."""
    values = array("b", [5] * 701)
    values[position] = 100
    with pytest.raises(OverflowError, match="signed char is greater than maximum"):
        ao.map_inplace(values, function)
    assert_bytes(values, "b", [10] * position + [100] + [5] * (700 - position))


def test_store_error_before_a_later_exception_of_the_function() -> None:
    """In place the first failing element wins, whatever failed in it: unlike map, which evaluates everything first."""
    values = array("b", [1, 100, 0])
    with pytest.raises(OverflowError):
        ao.map_inplace(values, "x*2 + 0*(1 // x)")
    assert_bytes(values, "b", [2, 100, 0])
    with pytest.raises(ZeroDivisionError):
        ao.map(array("b", [1, 100, 0]), "x*2 + 0*(1 // x)")


def test_float_expression_into_integers_touches_nothing() -> None:
    values = array("i", [1, 2, 3])
    with pytest.raises(TypeError, match="pass typecode='d'"):
        ao.map(values, "x / 2", out=values)
    assert_bytes(values, "i", [1, 2, 3])
    with pytest.raises(TypeError, match=r"float|integer"):
        ao.map_inplace(values, "x / 2")
    assert_bytes(values, "i", [1, 2, 3])


def test_map_inplace_returns_none_and_out_is_returned() -> None:
    values = array("d", [1.0, 2.0])
    assert_same(outcome(ao.map_inplace, values, "x + 1"), None)
    assert ao.map(array("d", [1.0, 2.0]), "x * 2", out=values) is values
    assert_bytes(values, "d", [2.0, 4.0])


def test_inplace_with_other_arrays_and_numbers() -> None:
    values = array("i", [1, 2, 3])
    ao.map_inplace(values, "x*y + k", array("b", [4, 5, 6]), k=100)
    assert_bytes(values, "i", [104, 110, 118])
    ao.map_inplace(values, "x + y", y=values)
    assert_bytes(values, "i", [208, 220, 236])
    ao.compile("x - 8").inplace(values)
    assert_bytes(values, "i", [200, 212, 228])


def test_typecode_and_out_that_disagree_are_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        ao.map(array("d", [1.0]), "x", typecode="i", out=array("d", [0.0]))


# ----------------------------------------------------------------------------------------------- scale and clip


@given(arrays(), st.sampled_from([0, 1, -1, 2, 3, 255, 2**40, 2**70, 2.0, -3.0, 0.0, 1e300, True]))
def test_scale_is_the_loop(values: array[Any], factor: Any) -> None:
    """An integral float is taken as the integer it is for an integer array."""
    effective = int(factor) if isinstance(factor, float) and values.typecode in INTEGER_CODES else factor
    want = values[:]

    def loop() -> None:
        for i, x in enumerate(want):
            want[i] = x * effective

    error = outcome(loop)
    got = outcome(lambda: ao.scale(values, factor))
    assert (got is None) == (error is None), (got, error)
    assert error is None or str(got) == str(error)
    assert_same(values, want)


@pytest.mark.parametrize("typecode", INTEGER_CODES)
@pytest.mark.parametrize("factor", [2.5, -0.1, float("nan"), float("inf")])
def test_scale_refuses_fractions_for_integers(typecode: str, factor: float) -> None:
    values = array(typecode, [1, 2])
    with pytest.raises(TypeError, match=str(factor).replace(".", r"\.")):
        ao.scale(values, factor)
    assert_bytes(values, typecode, [1, 2])


@pytest.mark.parametrize("typecode", FLOAT_CODES)
def test_scale_of_floats(typecode: str) -> None:
    edges = edge_values(typecode)
    for factor in (2, 0.5, -1, 0, float("nan"), float("inf"), 1e300, 5e-324, 3):
        values = array(typecode, edges)
        ao.scale(values, factor)
        assert_bytes(values, typecode, [x * factor for x in array(typecode, edges)])


@given(
    arrays(),
    st.sampled_from([(0, 5), (-3, 3), (1, 1), (2.0, 100.0), (-1000, 1000), (0, 2**70), (0, 0), (-0.0, 0.0)]),
)
def test_clip_is_the_loop(values: array[Any], bounds: tuple[Any, Any]) -> None:
    lo, hi = (int(b) if isinstance(b, float) and values.typecode in INTEGER_CODES else b for b in bounds)
    want = values[:]

    def loop() -> None:
        for i, x in enumerate(want):
            want[i] = lo if x < lo else hi if x > hi else x

    error = outcome(loop)
    got = outcome(lambda: ao.clip(values, *bounds))
    assert (got is None) == (error is None), (got, error)
    assert error is None or str(got) == str(error)
    assert_same(values, want)


def test_clip_refuses_fractions_for_integers() -> None:
    values = array("i", [1, 2])
    with pytest.raises(TypeError, match=r"2\.5"):
        ao.clip(values, 0, 2.5)
    assert_bytes(values, "i", [1, 2])


def test_clip_keeps_nan_and_signed_zero() -> None:
    values = array("d", [float("nan"), -0.0, 0.0, 9.0, -9.0])
    ao.clip(values, 0.0, 1.0)
    assert_bytes(values, "d", [float("nan"), -0.0, 0.0, 1.0, 0.0])


@pytest.mark.parametrize(
    "call", [lambda b: ao.scale(b, 2), lambda b: ao.clip(b, 0, 1), lambda b: ao.map_inplace(b, "x")]
)
def test_read_only_buffers_are_refused(call: Any) -> None:
    for buffer in (b"abc", memoryview(b"abc"), memoryview(array("d", [1.0])).toreadonly()):
        with pytest.raises(TypeError):
            call(buffer)
