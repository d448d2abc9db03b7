"""Errors say where: the element in a note, the caret under the text, the caller's frame last, and what to write."""

from __future__ import annotations

import inspect
import traceback
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

ZERO = array("d", [1.0, 2.0, 0.0, 4.0])


def raised(call: Callable[[], Any]) -> BaseException:
    """What a call raises."""
    with pytest.raises(BaseException) as caught:
        call()
    return caught.value


def notes(call: Callable[[], Any]) -> list[str]:
    """The notes of what a call raises."""
    return list(getattr(raised(call), "__notes__", []))


ELEMENT_2: list[tuple[str, Callable[[], Any]]] = [
    ("map", lambda: ao.map(ZERO, "1/x")),
    ("map again", lambda: ao.map(ZERO, "1/x")),
    ("evaluate", lambda: ao.evaluate("1/a", a=ZERO)),
    ("filter", lambda: ao.filter(ZERO, "1/x > 0")),
    ("count", lambda: ao.count(ZERO, "1/x > 0")),
    ("function", lambda: ao.map(ZERO, lambda x: 1 / x)),
    ("compiled function", lambda: ao.compile(lambda x: 1 / x)(ZERO)),
    ("called", lambda: ao.map(ZERO, (1.0).__truediv__)),
    ("filter by a call", lambda: ao.filter(ZERO, (1.0).__truediv__)),
    ("in place", lambda: ao.map_inplace(ZERO[:], "1/x")),
    ("threads", lambda: ao.map(ZERO, "1/x", threads=2)),
    ("reduce", lambda: ao.reduce(ZERO, "acc + 1/x", 0.0)),
    ("table", lambda: ao.map(array("i", [0, 1, 7]), "t[x]", t=b"ab")),
    ("too large", lambda: ao.map(array("h", [1, 2, 300]), "x*x")),
    ("too large for out", lambda: ao.map(array("h", [1, 2, 300]), "x*x", out=array("b", [0, 0, 0]))),
    ("too large in place", lambda: ao.map_inplace(array("h", [1, 2, 300]), "x*x")),
    ("too large from a call", lambda: ao.map(array("b", [1, 2, 100]), (2).__mul__)),
]


@pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in ELEMENT_2])
def test_the_note_says_which_element(call: Callable[[], Any]) -> None:
    assert notes(call) == ["element 2"]


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_of_any_element(place: int, behind: int) -> None:
    a = array("i", [1]) * (place + behind + 1)
    a[place] = 0
    for text in ("7 // x", "7 % x"):
        assert notes(lambda: ao.map(a, text)) == [f"element {place}"]  # noqa: B023


def test_of_chunks() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    chunked = pyarrow.chunked_array([[1.0, 2.0], [3.0, 0.0]])
    assert notes(lambda: ao.map(chunked, "1/x")) == ["element 1", "of chunk 1"]


def test_where_an_index_would_mean_nothing_there_is_none() -> None:
    assert notes(lambda: ao.lazy(ZERO).map("1/x").sum()) == []
    assert notes(lambda: ao.evaluate("sum(1/x)", x=ZERO)) == []


def test_ctrl_c_is_about_no_element() -> None:
    def stop(x: float) -> float:
        raise KeyboardInterrupt

    assert notes(lambda: ao.map(ZERO, stop)) == []


TEXTS: list[Callable[[str], Any]] = [
    lambda text: ao.map(ZERO, text), lambda text: ao.map_inplace(ZERO[:], text), lambda text: ao.filter(ZERO, text),
    lambda text: ao.evaluate(text, x=ZERO), ao.compile, ao.explain, lambda text: ao.reduce(ZERO, text),
    lambda text: ao.accumulate(ZERO, text), lambda text: ao.any(ZERO, text), lambda text: ao.all(ZERO, text),
    lambda text: ao.count(ZERO, text),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_the_callers_frame_is_the_last(number: int) -> None:
    error = raised(lambda: TEXTS[number]("x + sqr(x)"))
    assert isinstance(error, ao.ExpressionError)
    assert traceback.extract_tb(error.__traceback__)[-1].filename == __file__
    shown = "".join(traceback.format_exception_only(error)).splitlines()
    assert shown[1:3] == ["    x + sqr(x)", "        ^^^"]


def test_a_syntax_error_of_a_callable_keeps_its_frames() -> None:
    def bad(x: float) -> float:
        raise SyntaxError("mine")

    error = raised(lambda: ao.map(ZERO, bad))
    assert traceback.extract_tb(error.__traceback__)[-1].name == "bad"


SENTENCES: list[tuple[Callable[[], Any], str]] = [
    (lambda: ao.map(lambda x: x, ZERO), "the array comes first"),  # type: ignore[arg-type]
    (lambda: ao.map("x*2", ZERO), "the array comes first"),  # type: ignore[arg-type]
    (lambda: ao.map([1, 2], "x"), r"array\('d', values\)"),
    (lambda: ao.sum([1, 2]), r"array\('d', values\)"),
    (lambda: ao.map(ZERO, "np.sqrt(x)"), "write sqrt without np"),
    (lambda: ao.map(ZERO, "numpy.pi * x"), "write pi without numpy"),
    (lambda: ao.sum(x for x in ZERO), r"not generator: array\('d', values\)"),
    (lambda: ao.map(ZERO, "x - x.mean()"), r"write mean as mean\(x\)"),
    (lambda: ao.map(ZERO, "(x + 1).sqrt()"), r"write sqrt as sqrt\(x \+ 1\)"),
    (lambda: ao.filter(ZERO, "x > 1 && x < 3"), "&& is written 'and'"),
    (lambda: ao.filter(ZERO, "x < 1||x > 3"), r"\|\| is written 'or'"),
    (lambda: ao.filter(ZERO, "!x"), "! is written 'not'"),
    (lambda: ao.filter(ZERO, "x <> 1"), "<> is written '!='"),
    (lambda: ao.map(ZERO, "x > 1 ? 1 : 0"), "is written 'a if condition else b'"),
    (lambda: ao.map(ZERO, "x", typecode=float), "such as 'd' or 'float64'"),
    (lambda: ao.map(ZERO, "x", dtype="f"), "the type of the result is typecode="),
    (lambda: ao.evaluate("a*b"), r"a value for 'a', 'b', by keyword or from names=locals\(\)"),
    (lambda: ao.filter(np.array([1.0]), np.array([True])), r"filter\(a, 'keep', keep=truths\)"),
    (lambda: ao.quantile(ZERO, 25), "25 % is 0.25"),
    (lambda: ao.sum(np.zeros((2, 2))), "take a row or a column, or .ravel()"),
    (lambda: ao.reduce(ZERO, "a + b"), "fold of acc and x, .*no value for 'a', 'b'"),
    (lambda: ao.reduce(ZERO, "acc + mean(x)"), r"mean\(x\) is of all elements"),
]


@pytest.mark.parametrize(("call", "sentence"), SENTENCES)
def test_sentences_that_mend_it(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError, BufferError), match=sentence):
        call()


@pytest.mark.parametrize("text", ["x != 1 +", "x ! = 1", "(x", "x y", "x ? "])
def test_other_mistakes_are_as_python_has_them(text: str) -> None:
    with pytest.raises(ao.ExpressionError) as caught:
        ao.compile(text)
    assert ("is written" in str(caught.value)) == ("!" in text.replace("!=", "") or "?" in text)


@pytest.mark.parametrize(("text", "hint"), [("x^2", "a power is written **"), ("x>1 & x<3", "x > 1 and x < 3"),
                                            ("x<1 | x>3", "x < 1 or x > 3")])  # fmt: skip
def test_operators_that_mean_another_thing(text: str, hint: str) -> None:
    """Python's exception as it is, with a note; ints are as in Python."""
    for call in (lambda: ao.map(ZERO, text), lambda: ao.filter(ZERO, text), lambda: ao.evaluate(text, x=ZERO)):
        for _ in range(2):
            element, meant = notes(call)
            assert element == "element 0"
            assert hint in meant
    a = array("i", [1, 2, 5])
    assert ao.map(a, "x^2").tolist() == [3, 0, 7]


@pytest.mark.parametrize("text", ["(x - 3)**0.5", "(x - 3)**0.5 + 1 > 2", "pow(x - 3, 1.5) * x"])
def test_a_complex_power(text: str) -> None:
    for call in (lambda: ao.map(ZERO, text), lambda: ao.evaluate(text, x=ZERO)):
        assert notes(call) == ["element 0", "a power of a negative number is complex in Python; ieee=True makes it nan"]
    assert notes(lambda: ao.map(ZERO, lambda x: (x - 3) ** 0.5)) == ["element 0"]


def listed(x: float) -> float:
    """No compiled function: it makes a list."""
    return [x][0]


@pytest.mark.parametrize("call", [
    lambda: ao.map(ZERO, listed, strict=True), lambda: ao.map_inplace(ZERO[:], listed, strict=True),
    lambda: ao.filter(ZERO, listed, strict=True), lambda: ao.reduce(ZERO, lambda a, x: [a][0], strict=True),
    lambda: ao.accumulate(ZERO, lambda a, x: [a][0], strict=True), lambda: ao.lazy(ZERO).map(listed, strict=True),
    lambda: ao.lazy(ZERO).filter(listed, strict=True), lambda: ao.map(ZERO, ao.compile(listed), strict=True),
    lambda: ao.map(ZERO, lambda x: x, compile=False, strict=True), lambda: ao.map(ZERO, str, strict=True),
])  # fmt: skip
def test_strict_refuses_what_would_be_called(call: Callable[[], Any]) -> None:
    with pytest.raises(ao.NotCompilable, match="cannot be compiled: "):
        call()


def test_strict_lets_through_what_is_compiled() -> None:
    assert ao.map(ZERO, lambda x: x * 2, strict=True).tolist() == [2, 4, 0, 8]
    assert ao.map(ZERO, "x*2", strict=True) == ao.map(ZERO, ao.compile("x*2"), strict=True)
    assert ao.filter(ZERO, lambda x: x > 1, strict=True).tolist() == [2, 4]
    assert ao.reduce(ZERO, lambda a, x: a + x, 0, strict=True) == 7
    assert ao.accumulate(ZERO, lambda a, x: a + x, strict=True).tolist() == [1, 3, 3, 7]
    assert ao.lazy(ZERO).map(lambda x: x * 2, strict=True).filter("x > 2", strict=True).sum() == 12


def test_the_repr_of_a_kernel_says_how_it_runs() -> None:
    assert repr(ao.compile("x*2")) == "<arrayops.Kernel 'x * 2' (x), compiled>"
    assert repr(ao.compile(lambda x: x * 2)) == "<arrayops.Kernel 'x * 2' (x), compiled>"
    assert ", called: line " in repr(ao.compile(listed))
    assert ": a list>" in repr(ao.compile(listed))


def test_signatures() -> None:
    assert str(inspect.signature(ao.reduce)).startswith("(arr, f, /, initial=None, *, ieee=False")
    assert str(inspect.signature(ao.accumulate)).startswith("(arr, f='acc + x', /, *, initial=None")
    assert str(inspect.signature(ao.evaluate)).startswith("(text, *, names=None")
    assert str(inspect.signature(ao.explain)) == "(f, *typecodes, ieee=False, names=None, **named)"
