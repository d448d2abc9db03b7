"""Joined instructions (compiler/fuse.py): the same bits as Python's separate operations, for every shape and length."""

from __future__ import annotations

import itertools
import math
import random
from array import array
from collections.abc import Callable, Iterable
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import assert_same
from strategies import elements

LENGTHS = (0, 1, 7, 64, 255, 1030)
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -1.5, 3, 1e300, -1e308, 5e-324, 0.1, 7])


def column(size: int, seed: int) -> array[Any]:
    """Numbers of very different sizes, zeros, infinities and nans among them."""
    rng = random.Random(seed)
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e308, 5e-324]
    return array("d", (rng.choice(special) if rng.random() < 0.1 else rng.uniform(-9, 9) for _ in range(size)))


def python(text: str, names: Iterable[str]) -> Callable[..., float]:
    """The text as a function."""
    return eval(f"lambda {', '.join(names)}: {text}")  # type: ignore[no-any-return]


def check(text: str, names: str = "x") -> None:
    """The text over arrays and over numbers in place of each of them, against Python."""
    kernel, function = ao.compile(text, *names), python(text, names)
    for size in LENGTHS:
        columns = [column(size, seed) for seed in range(len(names))]
        want = array("d", [function(*row) for row in zip(*columns, strict=True)])
        assert_same(kernel(*columns), want)
        for number in range(1, len(names)):
            mixed: list[Any] = [2.5 if k == number else c for k, c in enumerate(columns)]
            rows = zip(*([2.5] * size if k == number else c for k, c in enumerate(columns)), strict=True)
            assert_same(kernel(*mixed), array("d", [function(*row) for row in rows]))
        if size:
            ao.map_inplace(columns[0], kernel, *columns[1:])
            assert_same(columns[0], want)


@pytest.mark.parametrize("text", [
    "x*y + z", "z + x*y", "x*y - z", "z - x*y", "(x + y)*z", "z*(x + y)", "(x - y)*z", "z*(x - y)", "x*y + y*z",
    "x*y - y*z", "(x + y)*(y - z)", "(x*y + z)*(x*y + z)", "x*y + x*y", "(x + y)*x + z", "x*x + x*y + y*z + z",
    "((x - y)*z - x)*y - z", "x*(y + z)*(x - z) + y", "-(x*y) + z", "abs(x*y - z) + x*y",
    "(x*y + z) if x*y > z else x*y",
])  # fmt: skip
def test_pairs(text: str) -> None:
    check(text, "xyz")


@pytest.mark.parametrize("text", ["x*x + 1", "1 - x*x", "2*x + 1", "x*2.5 - x", "(x + 1)*(x - 1)", "(x + 1)*x + 1"])
def test_with_constants(text: str) -> None:
    check(text)


def horner(coefficients: list[float], rng: random.Random) -> str:
    """The polynomial in Horner's form, products and sums either way round, or differences."""
    text = repr(coefficients[0])
    for c in coefficients[1:]:
        product = f"({text})*x" if rng.random() < 0.5 else f"x*({text})"
        text = rng.choice((f"{product} + {c!r}", f"{c!r} + {product}", f"{product} - {c!r}"))
    return text


@pytest.mark.parametrize("degree", range(1, 30))
def test_polynomials(degree: int) -> None:
    rng = random.Random(degree)
    text = horner([rng.uniform(-3, 3) for _ in range(degree + 1)], rng)
    check(text)
    assert ("HORNER" in ao.explain(text, "d")) == (degree > 1)


def test_several_polynomials() -> None:
    """Each has constants of its own; those of other instructions stay."""
    check("((2*x + 3)*x + 4)*x + 5 + y*(((3*y + 2)*y + 4)*y + 2) + (x if x > 3 else 2)", "xy")
    listing = ao.explain("((2*x + 3)*x + 4)*x + 5 + y*(((3*y + 2)*y + 4)*y + 2)", "d")
    assert listing.count("HORNER") == 2


def test_coefficients_that_are_subtracted() -> None:
    """x - 0.0 and x + -0.0 are the same; x - nan is another nan than x + -nan."""
    text = "(((2*x - 0.0)*x - 0.5)*x - 0.0)*x + 0.0"
    check(text)
    assert "HORNER" in ao.explain(text, "d") and "MSUB" not in ao.explain(text, "d")
    assert "HORNER" not in ao.explain("(2*x - nan)*x - 0.5", "d")


def test_what_is_used_twice_is_not_joined() -> None:
    check("(x*y + 1)*(x*y)", "xy")
    assert "MADD" not in ao.explain("(x*y + 1)*(x*y)", "d")
    text = "((2*x + 3)*x + 4)*((2*x + 3)*x)"
    check(text)
    assert "HORNER" not in ao.explain(text, "d")


def test_numbers_by_name_are_no_constants() -> None:
    x = column(300, 1)
    function = python("((a*x + b)*x + c)*x + 4", "xabc")
    want = array("d", [function(v, 2.0, 3.0, 0.1) for v in x])
    assert_same(ao.map(x, "((a*x + b)*x + c)*x + 4", a=2.0, b=3.0, c=0.1), want)
    a, b, c = 2.0, 3.0, 0.1
    assert_same(ao.map(x, lambda x: ((a * x + b) * x + c) * x + 4), want)


def test_folds() -> None:
    x = array("d", [0.5, -1.25, 3.0, 0.1] * 50)
    value = 0.25
    for v in x:
        value = value * 0.5 + v
    assert ao.reduce(x, "acc*0.5 + x", 0.25) == value
    value = 0.25
    for v in x:
        value = ((0.1 * value + 0.2) * value + 0.3) * 0.5 + v * v
    assert ao.reduce(x, "((0.1*acc + 0.2)*acc + 0.3)*0.5 + x*x", 0.25) == value


def test_integers_and_floats_together() -> None:
    n, x = array("i", [3, -4, 5]), array("d", [0.1, 1e300, -2.5])
    want = array("d", [i * v + i for i, v in zip(n, x, strict=True)])
    assert_same(ao.map(n, "x*y + x", x, typecode="d"), want)


@given(st.lists(NUMBERS, min_size=2, max_size=12), st.lists(elements("d"), max_size=40), st.integers(0, 99))
def test_any_polynomial(coefficients: list[float], values: list[float], seed: int) -> None:
    text = horner([float(c) for c in coefficients], random.Random(seed))
    function = python(text, "x")
    assert_same(ao.map(array("d", values), text), array("d", [function(v) for v in values]))


@pytest.mark.parametrize("text", [
    "(acc*1664525 + 1013904223 + x) & 0xFFFFFFFF", "(x + (7 + acc*3)) & 0xFFFF", "(acc + x + x*x) & 0xFFFFFFFFFFFFFFFF",
    "acc ^ x ^ 5 ^ (x << 3)", "(acc*x*3 + x*acc*acc) & 0xFFFFFFFF", "(acc & x) & (x | 8)", "(acc + x + acc + x) & 0xFF",
])  # fmt: skip
def test_what_an_accumulator_gets_is_added_up_before(text: str) -> None:
    function = python(text, ("acc", "x"))
    for code, size in (("B", 300), ("q", 70), ("i", 1)):
        data = array(code, [(7919 * k) % 251 for k in range(size)])
        values = list(itertools.accumulate(data, function, initial=12345))
        assert ao.reduce(data, text, 12345) == values[-1]
        assert ao.accumulate(data, text, initial=12345, typecode="Q").tolist() == values


@pytest.mark.parametrize(("text", "instructions"), [
    ("1 if x < 1 else 5 if x > 5 else x", ["LT", "LT", "SEL", "SEL"]),
    ("0 if x < 0 else x*2", ["LT", "MUL", "SEL"]),
    ("x if x > 0 else 0.1*x if x > -5 else -1", ["LT", "LT", "MUL", "SEL", "SEL"]),
])  # fmt: skip
def test_ints_and_floats_that_are_chosen_are_chosen_as_floats(text: str, instructions: list[str]) -> None:
    """Where all become floats, there is no choice of ints beside it, and nobody asks which of both it was."""
    lines = ao.compile(text).explain("d").partition("bytecode:\n")[2].splitlines()
    assert [line.split()[3].partition("_")[0] for line in lines if line.lstrip().startswith("body")] == instructions
    check(text)


def test_choices_may_be_nested_deeply() -> None:
    """A function of 600 conditions, and one whose values are chosen from both ways of the one before, 2**40 in all."""
    long = "def f(x):\n y = x\n" + "".join(f" if x > {k}: y = {k}\n" for k in range(600)) + " return y\n"
    forked = (
        "def f(x):\n y = x\n"
        + "".join(f" y = y if x > {k} else y if x < -{k} else {k}\n" for k in range(40))
        + " return y"
    )
    for source in (long, forked):
        names: dict[str, Any] = {}
        exec(source, names)
        values = [-3.5, 0.5, 3.0, 7.25, 599.5, 2000.0]
        kernel = ao.compile(names["f"])
        assert kernel.explain("d").startswith("compiled")
        assert kernel(array("d", values)) == array("d", map(names["f"], values))
