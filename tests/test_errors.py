"""Errors name the thing, the position and the remedy; they are of the classes the contract names."""

from __future__ import annotations

import pickle
import traceback
from array import array
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import arrayops
import pytest

ao: Any = arrayops  # untyped: calls with the wrong types are what is tested
EITHER: Any = (TypeError, ValueError)
A, B, D = array("i", [1, 2, 3]), array("i", [4, 5, 6]), array("d", [1.0, 2.0, 3.0])

# what is called, the class of the error, what its message must match
TABLE: list[tuple[str, Callable[[], Any], type[BaseException], str]] = [
    ("float into int", lambda: ao.map(A, "x/2"), TypeError, r"(?=.*x/2)(?=.*'i')(?=.*pass typecode='d')"),
    ("float into out", lambda: ao.map(A, "x/2", out=A), TypeError, r"pass typecode='d'"),
    ("accumulate to int", lambda: ao.accumulate(A, "acc/2 + x"), TypeError, r"float|typecode='d'"),
    ("unknown name", lambda: ao.map(A, "x + 1", vat=2), TypeError, r"vat"),
    ("unknown name in evaluate", lambda: ao.evaluate("a + 1", a=A, b=B), TypeError, r"\bb\b"),
    ("function in evaluate", lambda: ao.evaluate(lambda a: a + 1, a=A), TypeError, r"(?=.*\(str\))(?=.*map)"),
    ("kernel in evaluate", lambda: ao.evaluate(ao.compile("a"), a=A), TypeError, r"(?=.*\(str\))(?=.*map)"),
    ("list in evaluate", lambda: ao.evaluate(["a"], a=A), TypeError, r"not list"),
    ("missing array", lambda: ao.map(A, "x + y"), TypeError, r"\by\b"),
    ("missing two", lambda: ao.map(A, "x + yy*zz"), TypeError, r"(?=.*yy)(?=.*zz)"),
    ("missing in evaluate", lambda: ao.evaluate("a + b", a=A), TypeError, r"\bb\b"),
    ("too many arrays", lambda: ao.map(A, "x + 1", B), TypeError, r"1|one|many|x"),
    ("name given twice", lambda: ao.map(A, "x + 1", x=B), TypeError, r"\bx\b"),
    ("no parameter", lambda: ao.map(A, "1 + 1"), TypeError, r"1 \+ 1|name|parameter"),
    ("string as a number", lambda: ao.map(A, "x*k", k="3"), TypeError, r"\bk\b|str"),
    ("constant text", lambda: ao.map(A, "3"), TypeError, r"'3' has no name left for the array: lambda x: 3 gives the"),
    ("no name left", lambda: ao.map(A, "k", k=3), TypeError, r"'k' has no name left for the array: 'k' given by name"),
    ("fraction", lambda: ao.map(A, "x*k", k=Fraction(1, 3)), TypeError, r"not Fraction: float\(\) makes one of it"),
    ("decimal", lambda: ao.map(A, "x*k", k=Decimal("0.1")), TypeError, r"not Decimal: float\(\) makes one of it"),
    ("none as a number", lambda: ao.map(A, "x*k", k=None), TypeError, r"\bk\b|NoneType"),
    ("complex as a number", lambda: ao.map(A, "x*k", k=1j), TypeError, r"\bk\b|complex"),
    ("lengths", lambda: ao.map(A, "x + y", array("i", [1])), ValueError, r"(?=.*\b3\b)(?=.*\b1\b)"),
    ("out length", lambda: ao.map(A, "x", out=array("i", [0] * 7)), ValueError, r"(?=.*\b3\b)(?=.*\b7\b)"),
    ("unknown typecode", lambda: ao.map(A, "x", typecode="z"), EITHER, r"z"),
    ("typecode u", lambda: ao.map(A, "x", typecode="u"), EITHER, r"u"),
    ("typecode number", lambda: ao.map(A, "x", typecode=3), TypeError, r"typecode|int|str"),
    ("typecode long", lambda: ao.map(A, "x", typecode="dd"), EITHER, r"dd|typecode|character"),
    ("format", lambda: ao.map(memoryview(b"ab").cast("c"), "x"), TypeError, r"c"),
    ("list", lambda: ao.map([1, 2], "x"), TypeError, r"list"),
    ("scale", lambda: ao.scale(A, 2.5), TypeError, r"2\.5"),
    ("scale string", lambda: ao.scale(A, "2"), TypeError, r"str"),
    ("clip", lambda: ao.clip(A, 0.5, 2), TypeError, r"0\.5"),
    ("empty min", lambda: ao.min(array("d")), ValueError, r"empty"),
    ("empty max", lambda: ao.max(array("d")), ValueError, r"empty"),
    ("empty mean", lambda: ao.mean(array("d")), ValueError, r"at least one data point"),
    ("reduce parameters", lambda: ao.reduce(A, "a + b"), TypeError, r"acc|\ba\b"),
    ("not in the language", lambda: ao.map(A, "x.real"), ao.ExpressionError, r"real|attribute"),
    ("unknown function", lambda: ao.map(A, "sinus(x)"), ao.ExpressionError, r"sinus"),
    ("function of others", lambda: ao.map(A, "popcount(x)"), ao.ExpressionError, r"write x.bit_count\(\)"),
    ("isna", lambda: ao.filter(A, "isna(x)"), ao.ExpressionError, r"write isnan\(x\)"),
    ("is None", lambda: ao.filter(A, "x is not None"), ao.ExpressionError, r"no element is None: isnan\(x\)"),
    ("equals None", lambda: ao.filter(A, "x != None"), ao.ExpressionError, r"no element is None: isnan\(x\)"),
    ("var of two", lambda: ao.map(A, "var(x, 1)"), ao.ExpressionError, r"not 2; write var\(x, ddof=1\)"),
    ("unknown of math", lambda: ao.map(A, "math.sinus(x)"), ao.ExpressionError, r"sinus"),
    ("arguments", lambda: ao.map(A, "sqrt(x, x)"), ao.ExpressionError, r"sqrt"),
    ("string", lambda: ao.map(A, "x + 'ab'"), ao.ExpressionError, r"str|text|'ab'"),
    ("is", lambda: ao.map(A, "x is 1"), ao.ExpressionError, r"=="),
    ("matmul", lambda: ao.map(A, "x @ x"), ao.ExpressionError, r"@"),
    ("and of C", lambda: ao.map(A, "x && x"), ao.ExpressionError, r"\S"),
    ("statement", lambda: ao.map(A, "x = 1"), ao.ExpressionError, r"\S"),
    ("bytes as text", lambda: ao.map(A, b"x"), TypeError, r"bytes"),
    ("compile nothing", lambda: ao.compile(None), TypeError, r"NoneType"),
    ("explain typecode", lambda: ao.explain("x", "z"), EITHER, r"z"),
]


@pytest.mark.parametrize(("call", "kind", "pattern"), [pytest.param(*row[1:], id=row[0]) for row in TABLE])
def test_message(call: Callable[[], Any], kind: type[BaseException], pattern: str) -> None:
    with pytest.raises(kind, match=pattern) as caught:
        call()
    assert str(caught.value).strip()
    assert A.tolist() == [1, 2, 3]


def test_expression_error_is_both_kinds_and_carries_the_position() -> None:
    with pytest.raises(ao.ExpressionError) as caught:
        ao.compile("x + 'a'")
    error = caught.value
    assert isinstance(error, SyntaxError) and isinstance(error, ValueError)
    assert (error.text or "").rstrip("\n") == "x + 'a'"
    assert (error.lineno, error.offset, error.end_offset) == (1, 5, 8)
    assert error.msg


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_line_ends_as_for_python(end: str) -> None:
    for text, place in (
        (f"(x +{end}é*y +{end} 'a')", (3, 2, " 'a')")),
        (f"{end}\f (x +{end} 'a')", (3, 2, " 'a')")),
        (f"(x{end}+\0)", (2, 2, "+\0)")),
        (f"(x{end} + math.ⲽpt(é))", (2, 4, " + math.ⲽpt(é))")),
        (f"(x{end} + \U0001d413rue)", (2, 4, " + \U0001d413rue)")),
        (f"(x +{end}  mean(x))", (2, 3, "  mean(x))")),
    ):
        with pytest.raises(ao.ExpressionError) as caught:
            ao.lazy(A).map(text)
        error = caught.value
        assert (error.lineno, error.offset, (error.text or "").rstrip("\n")) == place


def test_the_traceback_shows_a_caret() -> None:
    with pytest.raises(ao.ExpressionError) as caught:
        ao.compile("abc + 'a' + 1")
    lines = "".join(traceback.format_exception_only(caught.value)).split("\n")
    shown = next(i for i, line in enumerate(lines) if "abc + 'a' + 1" in line)
    indent = lines[shown].index("abc")
    assert lines[shown + 1].index("^") - indent == len("abc + ")


def test_expression_error_survives_pickling() -> None:
    with pytest.raises(ao.ExpressionError) as caught:
        ao.compile("x + 'a'")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is ao.ExpressionError
    assert (copy.msg, copy.offset, copy.text) == (caught.value.msg, caught.value.offset, caught.value.text)


def test_errors_of_elements_are_pythons_own_classes() -> None:
    for text, values, kind in (
        ("1 // x", [1, 0], ZeroDivisionError),
        ("1 << x", [1, -1], ValueError),
        ("x*2**40", [1], OverflowError),
    ):
        with pytest.raises(kind) as caught:
            ao.map(array("i", values), text)
        assert type(caught.value) is kind


def test_calls_with_the_wrong_arguments() -> None:
    calls: list[Callable[[], Any]] = [
        lambda: ao.map(),
        lambda: ao.map(A),
        lambda: ao.filter(A),
        lambda: ao.sum(),
        lambda: ao.sum(A, A),
        lambda: ao.scale(A),
        lambda: ao.clip(A, 1),
        lambda: ao.evaluate(),
        lambda: ao.compile(),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()
