"""Functions of ints (gcd, isqrt, comb, bit_count, ...), ldexp, nextafter, ulp and isclose: the machine against math."""

from __future__ import annotations

import functools
import math
import random
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from oracle import Raised, assert_same, difference, edge_values, outcome, stored, thinned

INT_CODES = "bBhHiIlLqQ"


def ints(typecode: str, seed: str = "") -> array[int]:
    """Extremes, powers of two, squares, small numbers and numbers of every width."""
    rng = random.Random(typecode + seed)
    edges = edge_values(typecode)
    lo, hi = min(edges), max(edges)
    roots = [math.isqrt(hi) - d for d in (0, 1, 2)]
    values = [*edges, *range(-25, 70), *(r * r + d for r in roots for d in (-1, 0, 1, 2 * r))]
    values += [rng.getrandbits(rng.randrange(1, 65)) * rng.choice((1, -1)) for _ in range(400)]
    return array(typecode, [v for v in values if lo <= v <= hi])


ONE: dict[str, Callable[[Any], Any]] = {
    "isqrt(x)": math.isqrt,
    "factorial(x)": math.factorial,
    "perm(x)": lambda x: math.perm(x),
    "bit_count(x)": lambda x: x.bit_count(),
    "x.bit_count()": lambda x: x.bit_count(),
    "bit_length(x)": lambda x: x.bit_length(),
    "(x ^ 5).bit_length() + 1": lambda x: (x ^ 5).bit_length() + 1,
    "gcd(x)": lambda x: math.gcd(x),
    "lcm(x)": lambda x: math.lcm(x),
    "gcd(x, 12)": lambda x: math.gcd(x, 12),
    "lcm(x, 6)": lambda x: math.lcm(x, 6),
    "gcd(x, 0)": lambda x: math.gcd(x, 0),
    "gcd(0, x) + 1": lambda x: math.gcd(0, x) + 1,
    "gcd(x, x + 6, 4)": lambda x: math.gcd(x, x + 6, 4),
    "comb(x, 3)": lambda x: math.comb(x, 3),
    "comb(40, x)": lambda x: math.comb(40, x),
    "perm(x, 2)": lambda x: math.perm(x, 2),
    "pow(x, 3, 7)": lambda x: pow(x, 3, 7),
    "pow(x, 65535, 2147483647)": lambda x: pow(x, 65535, 2147483647),
    "pow(x, 1, 2147483648)": lambda x: pow(x, 1, 2147483648),
    "pow(x, 0, 1) + pow(x, 0, 5)": lambda x: pow(x, 0, 1) + pow(x, 0, 5),
    "pow(x, 5, True) + pow(x > 1, 2, 9)": lambda x: pow(x, 5, True) + pow(x > 1, 2, 9),
    "isqrt(abs(x)) * 2": lambda x: math.isqrt(abs(x)) * 2,
    "gcd(x > 3, 0)": lambda x: math.gcd(x > 3, 0),
    "(x > 3).bit_length()": lambda x: (x > 3).bit_length(),
}
TWO: dict[str, Callable[[Any, Any], Any]] = {
    "gcd(x, y)": math.gcd,
    "lcm(x, y)": math.lcm,
    "comb(x, y)": math.comb,
    "perm(x, y)": math.perm,
    "gcd(x, y) if y else lcm(x, 3)": lambda x, y: math.gcd(x, y) if y else math.lcm(x, 3),
}


def is_machine(text: str, *typecodes: str) -> bool:
    return not any(line.startswith("by Python:") for line in ao.explain(text, *typecodes).splitlines())


def agree(got: Any, want: Any) -> bool:
    """Equal, or both refused: ours at MAX_INT_BITS, Python's where it is stored."""
    if isinstance(got, Raised) and "bits" in str(got.error):
        return isinstance(want, Raised) and type(want.error) is type(got.error) is OverflowError
    return difference(got, want) is None


def elements(function: Callable[..., Any], *columns: Any) -> list[Any]:
    return [outcome(function, *values) for values in zip(*columns, strict=True)]


@pytest.mark.parametrize("typecode", INT_CODES)
@pytest.mark.parametrize("text", ONE)
def test_one_argument(text: str, typecode: str) -> None:
    function, data = ONE[text], ints(typecode)
    if text in ("factorial(x)", "perm(x)"):  # Python itself would take long
        data = array(typecode, [x for x in data if x < 300])
    small = [x for x in data if not isinstance(want := outcome(function, x), Raised) and abs(want) < 2**63]
    for column in (data, array(typecode, small)):
        for target in (typecode, "q", "d"):
            want = stored(target, elements(function, column))
            assert agree(outcome(ao.map, column, text, typecode=target), want), target
    for x in thinned(list(data)):  # each by itself: its value or its exception
        want = stored("Q", elements(function, [x]))
        assert agree(outcome(ao.map, array(typecode, [x]), text, typecode="Q"), want), x


@pytest.mark.parametrize("codes", ["bb", "Bh", "hH", "iI", "lq", "qq", "qQ", "Qq", "QQ", "Bq"])
@pytest.mark.parametrize("text", TWO)
def test_two_arguments(text: str, codes: str) -> None:
    function, x, y = TWO[text], ints(codes[0], "x"), ints(codes[1], "y")
    rng = random.Random(text + codes)
    pairs = [(a, b) for a in thinned(list(x)) for b in thinned(list(y))]
    pairs += [(rng.choice(x), rng.choice(y)) for _ in range(300)]
    if "comb" in text or "perm" in text:  # Python itself would take long
        pairs = [(a, b) for a, b in pairs if b < 200]
    good = [p for p in pairs if not isinstance(want := outcome(function, *p), Raised) and abs(want) < 2**63]
    for chosen in (pairs, good):
        columns = array(codes[0], [p[0] for p in chosen]), array(codes[1], [p[1] for p in chosen])
        for target in ("q", "d"):
            want = stored(target, elements(function, *columns))
            assert agree(outcome(ao.map, columns[0], text, columns[1], typecode=target), want), target


@pytest.mark.parametrize("text", ["pow(x, 3, -7)", "pow(x, -1, 7)", "pow(x, 3, 0)", "pow(x, 70000, 7)", "pow(3, x, 7)"])
def test_powers_that_python_does(text: str) -> None:
    function = eval(f"lambda x: {text}")
    for x in (0, 1, 2, 5, 7, -3, 2**40):
        want = stored("q", elements(function, [x]))
        assert difference(outcome(ao.map, array("q", [x]), text), want) is None, x


def test_filters_folds_and_functions() -> None:
    data = ints("h")
    assert list(ao.filter(data, "gcd(x, 6) == 1")) == [x for x in data if math.gcd(x, 6) == 1]
    assert list(ao.filter(data, "x.bit_count() % 2")) == [x for x in data if x.bit_count() % 2]
    assert_same(ao.reduce(data, "gcd(acc, x)"), functools.reduce(math.gcd, data))
    few = array("q", range(1, 60))
    assert_same(ao.reduce(few, "lcm(acc, x)", 1), functools.reduce(math.lcm, few, 1))
    assert_same(ao.reduce(few, "acc + x.bit_length()", 0), sum(x.bit_length() for x in few))
    for function in (
        lambda x: x.bit_count(),
        lambda x: (x * x + 1).bit_length(),
        lambda x: math.gcd(x, 8) + x.bit_count() * 2,
        lambda x: math.isqrt(x * x),
    ):
        assert ao.compile(function).compiled
        assert_same(ao.map(data, function, typecode="q"), array("q", [function(x) for x in data]))


@pytest.mark.parametrize("text", ["gcd(x, 2)", "isqrt(x)", "factorial(x)", "comb(x, 2)", "lcm(2, x)", "ldexp(x, x)",
                                  "x.bit_count()", "bit_length(x)", "pow(x, 2, 5)"])  # fmt: skip
def test_floats_are_refused_as_python_refuses_them(text: str) -> None:
    namespace = {**vars(math), "pow": pow, "bit_length": lambda x: x.bit_length()}
    function = eval(f"lambda x: {text}", namespace)
    want = outcome(function, 2.0)
    assert isinstance(want, Raised)
    assert difference(outcome(ao.map, array("d", [2.0]), text), want) is None


@pytest.mark.parametrize("text", ["x.bit_count(1)", "x.bit_count", "x.bit_count().real", "x.conjugate()",
                                  "x.bit_count(y=1)", "math.bit_count(x)", "bit_count(x, 1)",
                                  "math.x.bit_count()"])  # fmt: skip
def test_other_methods_are_not_part_of_the_language(text: str) -> None:
    with pytest.raises(ao.ExpressionError):
        ao.compile(text)


def doubles() -> array[float]:
    rng = random.Random(11)
    return array(
        "d", [*edge_values("d"), *(math.ldexp(rng.uniform(-1, 1), rng.randrange(-1074, 1024)) for _ in range(400))]
    )


#: At the ends of what one power of two does, two of them, and three.
_EXPONENTS = (1022, 1023, 1024, 2046, 2047, 2098, -1021, -1022, -1023, -1074, -1991, -1992, -2000, -2098, -2099)
FLOATS: dict[str, Callable[..., Any]] = {
    "ulp(x)": math.ulp,
    "nextafter(x, y)": math.nextafter,
    "nextafter(x, 0)": lambda x: math.nextafter(x, 0),
    "isclose(x, y)": math.isclose,
    "isclose(x, x*(1 + 1e-9))": lambda x: math.isclose(x, x * (1 + 1e-9)),
    "isclose(x, y, rel_tol=0.5)": lambda x, y: math.isclose(x, y, rel_tol=0.5),
    "isclose(x, y, abs_tol=1e3)": lambda x, y: math.isclose(x, y, abs_tol=1e3),
    "isclose(x, 1, abs_tol=2, rel_tol=0)": lambda x: math.isclose(x, 1, abs_tol=2, rel_tol=0),
    **{f"ldexp(x, {n})": lambda x, n=n: math.ldexp(x, n) for n in (0, 3, -3, 3000, -(10**30), *_EXPONENTS)},
}


@pytest.mark.parametrize("text", FLOATS)
def test_functions_of_floats(text: str) -> None:
    function, x = FLOATS[text], doubles()
    y = array(
        "d", [v * f if v == v else 1.0 for v, f in zip(x, [1.0, 1 + 1e-10, 1 + 1e-8, 0.0, -1.0] * len(x), strict=False)]
    )
    columns = (x, y) if "y" in text else (x,)
    want = elements(function, *columns)
    fine = [i for i, w in enumerate(want) if not isinstance(w, Raised)]
    columns = tuple(array("d", [c[i] for i in fine]) for c in columns)
    got = ao.map(columns[0], text, *columns[1:])
    assert_same(got, stored("d", [want[i] for i in fine]))
    for i, w in enumerate(want):
        if isinstance(w, Raised):
            assert difference(outcome(ao.map, x[i : i + 1], text), w) is None


def test_exponents_of_ldexp_by_element() -> None:
    x = array("d", [1.0, -0.75, 3.1e-308, 0.0, math.inf, 5e-324, 1.5])
    n = array("i", [3, -1074, -5, 2**31 - 1, -(2**31), 2000, 1023])
    assert_same(ao.map(x, "ldexp(x, n)", n), array("d", map(math.ldexp, x, n)))
    with pytest.raises(OverflowError, match="math range error"):
        ao.map(x, "ldexp(x, n)", array("i", [1024] * 7))


def test_ldexp_rounds_once() -> None:
    rng, x, n = random.Random(7), array("d"), array("h")
    for _ in range(20_000):  # to what is next to the least normal number, the least number, and half of that
        v = math.ldexp(rng.choice([-1, 1]) * rng.uniform(1, 2), rng.choice([-1074, -1030, -500, 0, 500, 1020]))
        x.append(v)
        n.append(rng.choice([-1022, -1048, -1073, -1074, -1075, -1076]) - math.frexp(v)[1] + rng.randrange(3))
    assert_same(ao.map(x, "ldexp(x, n)", n), array("d", map(math.ldexp, x, n)))
    assert_same(ao.map(n, "ldexp(x, 2)", typecode="d"), array("d", [math.ldexp(v, 2) for v in n]))


def test_isclose_of_ints_and_refused_tolerances() -> None:
    data = array("q", [2**53, 2**53 + 1, 0, -5])
    assert_same(ao.map(data, "isclose(x, 9007199254740993)"), array("q", [math.isclose(v, 2**53 + 1) for v in data]))
    for text in ("isclose(x, 1, rel_tol=-1)", "isclose(x, 1, abs_tol=-0.5)"):
        with pytest.raises(ValueError, match="tolerances must be non-negative"):
            ao.map(data, text)
    for text in ("isclose(x, 1, rel_tol=x)", "isclose(x, 1, 0.5)", "isclose(x, rel_tol=1)", "isclose(x, 1, tol=1)"):
        with pytest.raises(ao.ExpressionError):
            ao.compile(text)


def test_they_run_in_the_machine() -> None:
    for text in [*ONE, *TWO]:
        assert is_machine(text, "i", "i"), text
    for text in (text for text in FLOATS if str(10**30) not in text):
        assert is_machine(text, "d", "d"), text
