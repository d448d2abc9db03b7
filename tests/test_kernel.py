"""compile and Kernel: the order of parameters, what a kernel says of itself, and that it never changes."""

from __future__ import annotations

from array import array
from typing import Any

import arrayops as ao
import pytest
from oracle import TYPECODES, assert_bytes, assert_same, outcome

P, Q = array("i", [1, 2, 3]), array("i", [10, 20, 30])

PARAMETERS = [
    ("x", ["x"]), ("b + a", ["b", "a"]), ("a if c else b", ["a", "c", "b"]), ("where(c, a, b)", ["c", "a", "b"]),
    ("a*a + b*a", ["a", "b"]), ("not z < y", ["z", "y"]), ("pi*r**2", ["r"]), ("math.pi*r", ["r"]),
    ("max(c, b, a)", ["c", "b", "a"]), ("x in (1, 2)", ["x"]), ("sqrt(v) + e", ["v"]),
    ("b or (a and c)", ["b", "a", "c"]), ("a < b < c", ["a", "b", "c"]), ("-(q) ** p", ["q", "p"]), ("1 + 1", []),
    ("True", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names"), PARAMETERS)
def test_parameters_in_order_of_first_appearance(text: str, names: list[str]) -> None:
    kernel = ao.compile(text)
    assert list(kernel.params) == names
    assert ao.compile(kernel.source, *names) == ao.compile(text, *names)


def test_names_given_to_compile_set_the_order() -> None:
    kernel = ao.compile("a - b", "b", "a")
    assert list(kernel.params) == ["b", "a"]
    assert_bytes(kernel(P, Q), "i", [9, 18, 27])


def test_names_given_to_compile_must_cover_the_text() -> None:
    with pytest.raises((TypeError, ao.ExpressionError), match=r"\bb\b"):
        ao.compile("a - b", "a")


def test_the_forms_of_a_kernel() -> None:
    kernel = ao.compile("x*2 - y")
    assert_bytes(kernel(P, Q), "i", [-8, -16, -24])
    assert_bytes(kernel(P, y=1), "i", [1, 3, 5])
    assert_bytes(kernel.map(P, Q, typecode="d"), "d", [-8.0, -16.0, -24.0])
    out = array("q", [0, 0, 0])
    assert kernel(P, Q, out=out) is out
    assert_bytes(out, "q", [-8, -16, -24])
    assert_bytes(kernel.filter(P, 4), "i", [1, 3])
    data = P[:]
    assert_same(outcome(kernel.inplace, data, 0), None)
    assert_bytes(data, "i", [2, 4, 6])


def test_one_kernel_serves_every_typecode() -> None:
    kernel = ao.compile("x + x // 2")
    for code in TYPECODES * 2:
        assert_bytes(kernel(array(code, [1, 2, 3])), code, [1, 3, 4])


def test_a_kernel_is_immutable() -> None:
    kernel = ao.compile("x + 1")
    for name, value in (("source", "y"), ("params", ()), ("anything", 1)):
        with pytest.raises((AttributeError, TypeError)):
            setattr(kernel, name, value)
    assert kernel.source == "x + 1"


@pytest.mark.parametrize("code", TYPECODES)
def test_explain_says_something_of_every_typecode(code: str) -> None:
    assert ao.compile("x*x + 1").explain(code).strip()
    assert ao.explain("x*x + 1", code).strip()
    assert ao.explain("x*y + 1", code, "d").strip()


@pytest.mark.parametrize("text", ["2", "2.5", "1 < 2"])
def test_explain_of_a_text_without_names(text: str) -> None:
    assert ao.explain(text, "d").startswith(f"compiled\nexpression: {text}")
    assert ao.compile(text).explain() == ao.explain(text)


def test_explain_of_a_callable_says_that_it_is_called() -> None:
    assert ao.explain(lambda x: print(x), "d").startswith("callback: ")


def test_ieee_belongs_to_the_kernel() -> None:
    zeros = array("d", [0.0])
    assert_bytes(ao.compile("1.0 / x", ieee=True)(zeros), "d", [float("inf")])
    with pytest.raises(ZeroDivisionError):
        ao.compile("1.0 / x")(zeros)


def test_cached_compilations_do_not_mix_names_types_or_modes() -> None:
    """The same text, called in alternation in every way that a cache key must tell apart."""
    zero: array[Any] = array("d", [0.0, 1.0])
    for _ in range(3):
        assert_bytes(ao.map(P, "x + y", Q), "i", [11, 22, 33])
        assert_bytes(ao.map(P, "x + y", x=Q), "i", [11, 22, 33])
        assert_bytes(ao.map(P, "x + y", y=0.5, typecode="d"), "d", [1.5, 2.5, 3.5])
        assert_bytes(ao.map(P, "x + y", y=1), "i", [2, 3, 4])
        assert_bytes(ao.map(P, "x + y", y=True), "i", [2, 3, 4])
        assert_bytes(ao.map(array("B", [200]), "x + y", y=array("d", [0.5]), typecode="d"), "d", [200.5])
        assert_bytes(ao.map(zero, "1.0 / x", ieee=True), "d", [float("inf"), 1.0])
        with pytest.raises(ZeroDivisionError):
            ao.map(zero, "1.0 / x")
        assert ao.reduce(P, "acc + x", 0) == 6
        assert_bytes(ao.map(P, "acc + x", Q), "i", [11, 22, 33])


def test_many_different_texts_do_not_pile_up() -> None:
    for i in range(3000):
        assert_bytes(ao.map(P, f"x + {i}"), "i", [1 + i, 2 + i, 3 + i])


def test_a_kernel_counts_the_elements_that_python_did() -> None:
    data = array("q", [1, 2**40, -(2**62), 3] * 100)
    k = ao.compile("x * 8 | 0")
    assert (k.last_by_python, "Python" in repr(k)) == (0, False)
    k(data, typecode="d")  # the first call goes through Python, the next ones do not
    assert k.last_by_python == 100
    k(data, typecode="d")
    assert k.last_by_python == 100
    assert "100 elements of the last run by Python" in repr(k)
    assert k.explain("q").endswith("\nlast run: 100 elements by Python")
    k(data[:2])
    assert (k.last_by_python, "Python" in repr(k), "last run" in k.explain("q")) == (0, False, False)
    k.inplace(data[3:4], threads=1)
    assert k.last_by_python == 0
    k.filter(data)
    assert k.last_by_python == 100
    called = ao.compile(lambda x: [x][0])
    called(data)
    assert called.last_by_python == 400
    assert ao.compile("x * 8 | 0") == k


def test_the_count_is_of_the_run_and_not_of_runs_inside_it() -> None:
    inner = ao.compile("x * 8 | 0")
    outer = ao.compile(lambda x: inner(array("q", [2**62, 5, int(x)]), typecode="d")[1])
    outer(array("d", [1, 2, 3]))
    assert (outer.last_by_python, inner.last_by_python) == (3, 1)
