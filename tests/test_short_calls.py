"""Short calls read array.arrays where they are, in frames that stay open: at every length, and whatever ran before."""

from __future__ import annotations

from array import array

import arrayops as ao
import pytest
from arrayops import _machine
from oracle import Raised, outcome

#: Around the elements that kernels do in one block, the block of what may be marked, and the work that lets the GIL go.
LENGTHS = (0, 1, 2, 15, 16, 17, 62, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 4000, 70000)
#: More than there are open frames.
TEXTS = [f"x*{k} + {k}" for k in range(1, 30)]
COUNTS = {ao.any: any, ao.all: all, ao.count: sum}


@pytest.mark.parametrize("length", LENGTHS)
def test_maps_of_any_length(length: int) -> None:
    x, y = array("d", [i / 8 for i in range(length)]), array("d", [1 + i % 7 for i in range(length)])
    out = array("d", bytes(8 * length))
    kernel = ao.compile("x*y + k")
    for k in (0.5, 3.0, 0.5):
        expected = array("d", [a * b + k for a, b in zip(x, y, strict=True)])
        assert ao.map(x, "x*y + k", y=y, k=k) == expected
        assert kernel(x, y, k, out=out) is out
        assert out == expected


@pytest.mark.parametrize("length", LENGTHS)
def test_counts_of_any_length(length: int) -> None:
    x = array("i", range(length))
    for limit in (-1, 0, length // 2, length - 1, length):
        for function, python in COUNTS.items():
            assert function(x, "x > limit", limit=limit) == python(v > limit for v in x)
        assert ao.first(x, "x > limit", limit=limit) == next((v for v in x if v > limit), -1)


@pytest.mark.parametrize("length", [n for n in LENGTHS if n])
@pytest.mark.parametrize("place", [0, -1])
def test_an_element_that_raises_leaves_what_it_would_have_replaced(length: int, place: int) -> None:
    for text, kind in (("x*2**40", OverflowError), ("100 // x", ZeroDivisionError)):
        x = array("q", [3] * length)
        before = array("q", x)
        before[place] = x[place] = 0 if "//" in text else 2**40
        for _ in range(3):
            assert isinstance(outcome(ao.map_inplace, x, text), Raised)
            assert x[place] == before[place], "the element that raised"
            with pytest.raises(kind):
                ao.map(x[:], text)
            x = array("q", before)


def test_more_programs_than_open_frames() -> None:
    x = array("d", [1.5] * 10)
    for _ in range(3):
        for k, text in enumerate(TEXTS, 1):
            assert ao.map(x, text) == array("d", [1.5 * k + k] * 10)
            assert ao.count(x, f"x > {k}") == (10 if k < 2 else 0)


def test_one_text_for_many_types() -> None:
    for _ in range(3):
        for code in "bBhHiIlLqQfd":
            x = array(code, range(10))
            assert ao.map(x, "x + 1") == array(code, range(1, 11))
            assert ao.map(x, "x*2", typecode="d") == array("d", range(0, 20, 2))
            out = array("d", bytes(80))
            assert ao.map(x, "x - 3", out=out) == array("d", range(-3, 7))


def test_the_result_may_be_any_of_the_operands() -> None:
    for length in LENGTHS:
        x, y = array("d", range(length)), array("d", range(length, 0, -1))
        expected = array("d", [(a - b) * a + b for a, b in zip(x, y, strict=True)])
        for out in (x, y):
            a, b = x[:], y[:]
            target = a if out is x else b
            assert ao.map(a, "(x - y)*x + y", y=b, out=target) is target
            assert target == expected


def test_levels_and_native_code_may_change_between_calls() -> None:
    x = array("d", [0.5] * 100)
    before = _machine.set_native("always")
    try:
        for way in ("always", "0", "1", "always"):
            _machine.set_native(way)
            assert ao.map(x, "x*x*3 + x") == array("d", [0.5 * 0.5 * 3 + 0.5] * 100)
    finally:
        _machine.set_native(before)


def test_arguments_that_do_not_fit_are_refused_as_ever() -> None:
    x = array("d", [1.0] * 5)
    for _ in range(3):
        assert ao.map(x, "x + k", k=1) == array("d", [2.0] * 5)
        with pytest.raises(ValueError, match="same length"):
            ao.map(x, "x + y", y=array("d", [1.0] * 4))
        with pytest.raises(ValueError, match="same length"):
            ao.map(x, "x + k", k=1, out=array("d", [1.0] * 4))
        with pytest.raises(TypeError):
            ao.map(x, "x + k", k="1")
        with pytest.raises(ValueError, match="typecode"):
            ao.map(x, "x + k", k=1, typecode="x")


def test_nothing_is_left_taken() -> None:
    x, y = array("d", [1.0] * 10), array("d", [2.0] * 10)
    for _ in range(5):
        ao.map(x, "x*y", y=y, out=y)
        ao.any(x, "x > 3")
        x.append(1.0)
        y.append(2.0)
    assert len(x) == len(y) == 15
