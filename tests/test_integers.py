"""Integers are Python's integers: no wrap-around, exact intermediates of any size, exact comparisons with floats.

The idioms of hashes, checksums and generators are here because they are where a machine word would show.
"""

from __future__ import annotations

import random
from array import array
from typing import Any

import arrayops as ao
import pytest
from arrayops import _machine
from arrayops.compiler import machine
from hypothesis import given
from hypothesis import strategies as st
from oracle import (
    INTEGER_CODES,
    assert_same,
    edge_values,
    element_outcomes,
    integer_range,
    outcome,
    python_function,
    stored,
    thinned,
)
from strategies import integer_typecodes, long_arrays

MASKED = [
    "(x*6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF", "(x*1664525 + 1013904223) % 2**32",
    "(x*31 + 7) & 0xFF",
    "(x ^ (x >> 16)) * 0x45d9f3b & 0xFFFFFFFF", "((x << 5) + x) & 0xFFFFFFFF", "(x * 2654435761 % 2**32) >> 7",
    "~x & 0xFFFF", "-x & 0xFFFFFFFF",
    "(x * x * x * x * x) & 0xFFFF", "((x & 0xFF) << 24 | (x >> 8 & 0xFFFFFF)) & 0xFFFFFFFF",
    "(x << 40 ^ x) & (2**64 - 1)", "(-x*x - 1) % 2**64",
    "(x*0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 32", "x*x % 2**63", "x*x & 0x7FFFFFFFFFFFFFFF",
    "(x + 2**64) & 0xFFFFFFFF", "(x - 2**70) % 2**16",
    "((x*x & 0xFFFFFFFFFFFFFFFF) * x) & 0xFFFFFFFFFFFFFFFF", "(x | 2**80) & 0xFFFFFFFF",
    "(x*3 & 0xFF) + (x*5 & 0xFF00)", "x & -1", "x & -256", "x % 1",
    "x*x % -2**32", "(x // 3 * 5) & 0xFFFFFFFF", "(x >> 1) * 3 & 0xFFFFFFFF", "(x*x >> 32) & 0xFFFFFFFF",
    "((x*x) // 65536) % 65536", "x * (x > 3) & 0xFF",
    "(x if x > 5 else x*x*x) & 0xFFFF", "(x*x*x if x & 1 else -x) % 2**32", "abs(x*x) & 0xFFFFFFFF",
    "min(x*x, 2**65) & 0xFFFF", "x**3 & 0xFFFFFFFF", "x**5 % 2**64",
    "(x << (x & 31)) & 0xFFFFFFFF", "(1 << (x & 63)) - 1 & x", "(x * -1) & 0xFFFFFFFFFFFFFFFF",
    "(x & 0xFFFFFFFFFFFFFFFF) * 3 >> 64", "(x ^ -1) % 2**8",
    "(x*31 + 7) % 97", "(x*x + 1) % 65521", "x*x*x % 1000003", "(x * 10**18 + 1) % 998244353",
    "((x + 1) * (x - 1) + 1) // (x or 1)",
]  # fmt: skip
OVERFLOWING = [
    "x*x - x*x + x", "x*x*x // (x*x or 1)", "(x + 2**63) - 2**63", "(x << 64) >> 64", "x*2**64 // 2**64",
    "(x*x > 2**64) + 0", "x*x*x*x > 0", "x + 1 - 1",
    "-x + x", "-(-x)", "abs(x) - abs(-x)", "x - 2**63 < 0", "x*x == (x + 1)*(x - 1) + 1", "(x**9) % 10",
    "10**20 // (x or 1) % 100", "x**0", "x**1", "(x ^ 2**70) >> 64",
    "2**64 > x", "x < 2**63", "x == 2**64 - 1", "x <= -2**63", "max(x, 2**64) - 2**64", "min(x, -2**80) + 2**80",
    "x // 1", "x*3//3",
]  # fmt: skip
DIVISIONS = [
    f"{left} {op} {right}" for op in ("//", "%") for left, right in
    [("x", "3"), ("x", "-3"), ("x", "1"), ("x", "-1"), ("x", "2"), ("x", "-2"), ("x", "7"), ("x", "2**63"),
     ("x", "-2**63"), ("x", "2**64"), ("x", "-2**70"),
     ("-x", "3"), ("7", "x"), ("-7", "x"), ("2**63", "x"), ("-2**63", "x"), ("x*x", "x"), ("x", "x"), ("x", "0"),
     ("x", "(x & 1)"), ("x", "10"), ("x", "256")]
]  # fmt: skip
SHIFTS = [
    f"{left} {op} {right}" for op in ("<<", ">>") for left, right in
    [("x", "0"), ("x", "1"), ("x", "7"), ("x", "31"), ("x", "32"), ("x", "63"), ("x", "64"), ("x", "65"),
     ("x", "1000"), ("1", "(x & 63)"), ("-1", "(x & 63)"),
     ("x", "(x & 7)"), ("x", "(x % 70)"), ("x", "-1"), ("x", "True"), ("0", "(x % 99)"), ("1", "(x % 5 - 1)")]
] + ["x >> x", "x >> abs(x)", "5 >> x", "0 >> x", "-1 >> abs(x)", "x >> 10**30", "x >> 2**64"]  # fmt: skip
POWERS = [
    "x**2", "x**3", "x**7", "x**10", "2**(x & 63)", "(-2)**(x & 63)", "x**(x & 3)", "0**(x & 1)", "(-1)**x", "1**x",
    "x**-1", "x**-2", "2**(x & 7)*1.0", "x**0.5 if x > 0 else 0",
    "pow(x, 2)", "pow(2, x & 31)", "power(x, 3)", "x**True", "(x > 0)**2", "10**(x & 15)", "x**-0", "0**-(x & 1)",
    "(x & 15)**13",
]  # fmt: skip
TRUE_DIVISION = [
    "x / 3", "x / 7", "x / x", "3 / x", "x / 2**53", "(2**53 + 1) / x", "x / 10**30", "10**30 / x", "x*x / 3",
    "x*x*x / (x*x + 1)", "(x + 2**60) / (x + 3)", "x / -1",
    "x / 2**70", "2**1100 / x", "2**1100 / (x*x*x*x + 2**200)", "1 / (x*2**1100)", "x / 0", "x / True", "0 / x",
    "-0 / x", "(x*3 + 1) / 3",
]  # fmt: skip
COMPARISONS = [
    f"x {op} {value}" for op in ("<", "<=", "==", "!=", ">", ">=") for value in
    ["9007199254740993.0", "9007199254740992.0", "9223372036854775807", "9223372036854775808.0",
     "-9223372036854775808.0", "18446744073709551616.0",
     "1.8446744073709552e19", "0.5", "-0.0", "inf", "-inf", "nan", "1e300", "float(x)", "x*1.0", "2**53 + 1", "2**64",
     "-2**64", "True", "4611686018427387904.0"]
]  # fmt: skip
ALL_INTEGER_TEXTS = MASKED + OVERFLOWING + DIVISIONS + SHIFTS + POWERS + TRUE_DIVISION + COMPARISONS + [
    "min(x, 9007199254740992.0)", "max(x, 9007199254740993.0)", "min(2.0**63, x)",
    "x in (9007199254740993.0, 127.0, 2**64, -1.0)", "x + 0.5", "x - 2.0**53", "x * 0.1",
    "round(x)", "round(x, -1)", "round(x, -2)", "round(x, -3)", "round(x, 1)", "round(x, -25)", "int(x)", "float(x)",
    "bool(x)", "+x", "~x", "~~x", "-x", "abs(x)",
    "x & x >> 1 | x ^ 3", "x and -x", "x or 2**64", "not x", "x // 0.3", "x % 0.3", "x // 2.0", "sqrt(x)",
    "sqrt(abs(x))", "fabs(x)", "copysign(x, -1)", "floor(x / 2)",
    "int(x / 1)", "int(x * 1.0)", "trunc(-x / 2)", "ceil(x / 3)", "isnan(x)", "clip(x, -5, 5)", "clip(x, 0, 255)",
    "clip(x, 2**70, 2**80)", "where(x < 0, -x, x)", "~((x > 3) + 0)",
    "~(True + 0) + x", "-(x > 1)", "+(x > 1)", "(x > 1) + True", "(x > 1) / 2", "(x > 1) << 3", "(x > 1) ** (x > 2)",
    "(x > 1) % 2", "(x > 3) - (x < 3)", "True & x",
    "(x > 1) | 2", "(x > 1) ^ (x > 2)", "min(x > 1, x)", "max(True, x)", "(x > 1) * 2.5", "(x > 1) // True",
    "abs(x > 1)", "round(x > 1)", "int(x > 1)", "float(x > 1)",
]  # fmt: skip


#: A condition says what values its arms have: text, typecodes of the array and of the result, whether all fit it.
LIMITED = [
    ("x*2 if x < 100 else 255", "B", "B", True), ("x*2 if x <= 127 else 0", "B", "B", True),
    ("x*2 if x <= 128 else 0", "B", "B", False), ("0 if x > 127 else x*2", "B", "B", True),
    ("0 if x >= 127 else 2*x + 1", "B", "B", True), ("x - 10 if x >= 10 else 10 - x", "B", "B", True),
    ("x - 11 if x >= 10 else 10 - x", "B", "B", False), ("-x if x < 0 else x", "b", "b", False),
    ("-x if x < 0 else x", "b", "B", True), ("x + 28 if 100 > x else x", "b", "b", True),
    ("x + 29 if 100 > x else x", "b", "b", False), ("0 if x < 0 else 255 if x > 255 else x", "h", "B", True),
    ("(0 if x < 0 else 255 if x > 255 else x)*257", "h", "H", True),
    ("x*x if x < 16 and x > -16 else 0", "h", "B", False),
    ("(x if x > 3 else 3) - 3", "B", "B", True), ("x*x if x < 16 else x % 16", "B", "B", True),
    ("0 if x < 10 else x - 10", "B", "B", True), ("0 if x < 10 else x - 11", "B", "B", False),
    ("0 if x <= 10 else x - 11", "B", "B", True), ("0 if x <= 10 else x - 12", "B", "B", False),
    ("0 if 100 < x else x + 155", "B", "B", True), ("0 if 100 < x else x + 156", "B", "B", False),
    ("0 if 100 <= x else x + 156", "B", "B", True), ("0 if 100 <= x else x + 157", "B", "B", False),
    ("(0 if x < 10 else x) + 56 if x < 200 else 0", "B", "B", True),
    ("(0 if x < 10 else x) + 57 if x < 200 else 0", "B", "B", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "typecode", "result", "fits"), LIMITED)
def test_conditions_limit_what_their_arms_are(text: str, typecode: str, result: str, fits: bool) -> None:
    if typecode == result:
        assert ("faults: none" in ao.explain(text, typecode)) == fits
    function = python_function(text)
    some = [*range(-300, 300), -(2**15), 2**15 - 1]
    values = {"b": range(-128, 128), "B": range(256), "h": some}[typecode]
    expected = [outcome(lambda x: array(result, [function(x)])[0], x) for x in values]
    for x, want in zip(values, expected, strict=True):
        assert_same(outcome(lambda x: ao.map(array(typecode, [x]), text, typecode=result)[0], x), want, (text, x))
    good = [(x, want) for x, want in zip(values, expected, strict=True) if isinstance(want, int)]
    got = ao.map(array(typecode, [x for x, _ in good]), text, typecode=result)
    assert got.tolist() == [want for _, want in good]


@pytest.mark.parametrize("typecode", INTEGER_CODES)
def test_texts_at_the_extremes(typecode: str) -> None:
    """Every text on every edge value, one element at a time, into three types of result."""
    edges = thinned(edge_values(typecode))
    for text in ALL_INTEGER_TEXTS:
        results = element_outcomes(python_function(text), [edges])
        for value, result in zip(edges, results, strict=True):
            for target in (typecode, "Q", "d"):
                got = outcome(ao.map, array(typecode, [value]), text, typecode=target)
                assert_same(got, stored(target, [result]), (text, typecode, value, target))


@pytest.mark.parametrize("typecode", INTEGER_CODES)
def test_texts_on_whole_arrays(typecode: str) -> None:
    """The same texts over blocks in which some elements leave the machine word and their neighbours do not."""
    rng = random.Random(typecode)
    edges = edge_values(typecode)
    low, high = integer_range(typecode)
    values = [rng.choice((rng.choice(edges), rng.randint(low, high), rng.randint(max(low, -9), 9))) for _ in range(400)]
    for text in ALL_INTEGER_TEXTS:
        results = element_outcomes(python_function(text), [values])
        for target in ("d", typecode, "Q"):
            fit = [i for i, r in enumerate(results) if isinstance(outcome(stored, target, [r]), array)]
            if fit:
                got = outcome(
                    lambda text=text, fit=fit, t=target: ao.map(
                        array(typecode, [values[i] for i in fit]), text, typecode=t
                    )
                )
                assert_same(got, stored(target, [results[i] for i in fit]), (text, typecode, target))


PAIRS = [
    "x + y", "x - y", "x * y", "x // y", "x % y", "x / y", "x & y", "x | y", "x ^ y", "x < y", "x == y", "min(x, y)",
    "max(x, y)", "x >> (y & 31)", "x << (y & 31)",
    "x * y & 0xFFFFFFFF", "(x * y + x) % 2**32", "x * y // (y or 1)", "x - y > 0", "x if y else y", "x and y", "x or y",
    "x ** (y & 3)", "x // (y or 7) * y + x % (y or 7)",
]  # fmt: skip


@given(long_arrays(integer_typecodes), long_arrays(integer_typecodes), st.sampled_from(PAIRS))
def test_pairs_of_integer_types(x: array[Any], y: array[Any], text: str) -> None:
    """'q' with 'Q' above all: no machine type holds both."""
    size = min(len(x), len(y))
    results = element_outcomes(python_function(text, ["x", "y"]), [x[:size], y[:size]])
    for target in ("d", "q", "Q"):
        fit = [i for i, r in enumerate(results) if isinstance(outcome(stored, target, [r]), array)]
        xs, ys = array(x.typecode, [x[i] for i in fit]), array(y.typecode, [y[i] for i in fit])
        want = stored(target, [results[i] for i in fit])
        assert_same(outcome(ao.map, xs, text, typecode=target, y=ys), want, text)


@pytest.mark.parametrize("typecode", INTEGER_CODES)
def test_integers_that_do_not_fit_are_overflow_errors(typecode: str) -> None:
    low, high = integer_range(typecode)
    for text, value in (
        ("x + 1", high),
        ("x - 1", low),
        ("x * 2", high),
        ("x*x*x*x*x*x*x*x*x", high),
        ("-x - 1", high),
    ):
        one = array(typecode, [value])
        want = stored(typecode, element_outcomes(python_function(text), [one]))
        assert_same(outcome(ao.map, one, text), want, (typecode, text))


FACTORS = [0, 1, -1, 2, -2, 3, -7, 181, -182, 46340, 46341, -46341, 65535, 65536, -65536, 2**30, 2**31 - 1, -(2**31)]
PRODUCTS = ["x * y", "y * x", "x*y + 0", "x*y + y - y", "-(x * y)", "x*y if x else 0", "(x*y*2) // 2", "x*x - y*y"]


def products_near_bounds(typecode: str) -> list[tuple[int, int]]:
    """Numbers of the type whose products are about its bounds."""
    low, high = integer_range(typecode)
    factors = [y for y in FACTORS if low <= y <= high]
    near = ((bound // (y or 1) + d, y) for y in factors for bound in (low, high) for d in (-1, 0, 1))
    return [(x, y) for x, y in near if low <= x <= high] + [(x, y) for x in factors for y in factors]


@pytest.mark.parametrize("native", ["always", "0"])
@pytest.mark.parametrize("typecode", "hHiIlq")
def test_products_about_the_bounds(typecode: str, native: str) -> None:
    """Each by itself, with an array and a number as the factor; then all that fit with one factor."""
    before = _machine.set_native(native)
    try:
        pairs = products_near_bounds(typecode)
        for text in PRODUCTS:
            function, kernel = python_function(text, ["x", "y"]), ao.compile(text, "x", "y")
            fitting: dict[int, list[int]] = {}
            for x, y in pairs:
                want = stored(typecode, element_outcomes(function, [[x], [y]]))
                one = array(typecode, [x])
                assert_same(outcome(kernel, one, array(typecode, [y])), want, (text, x, y))
                assert_same(outcome(kernel, one, y), want, (text, x, y))
                if isinstance(want, array):
                    fitting.setdefault(y, []).append(x)
            for y, values in fitting.items():
                many = array(typecode, (values * 1000)[:777])
                want = stored(typecode, element_outcomes(function, [many, [y] * 777]))
                assert_same(outcome(kernel, many, y), want, (text, y))
                assert_same(outcome(kernel, many, array(typecode, [y] * 777)), want, (text, y))
                assert_same(outcome(ao.map, many, text.replace("y", f"({y})")), want, (text, y))
    finally:
        _machine.set_native(before)


def test_lcg_stream_against_plain_python() -> None:
    state, want = 42, []
    for _ in range(2000):
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        want.append(state)
    text = "(acc*6364136223846793005 + 1442695040888963407 + 0*x) & 0xFFFFFFFFFFFFFFFF"
    assert_same(ao.accumulate(array("Q", [0] * 2000), text, initial=42), array("Q", [42, *want]))
    assert ao.reduce(array("Q", [0] * 2000), text, 42) == want[-1]


def test_polynomial_hash_and_adler() -> None:
    data = bytes(random.Random(5).randbytes(3000))
    h, a, b = 5381, 1, 0
    for byte in data:
        h = (h * 33 ^ byte) & 0xFFFFFFFF
        a = (a + byte) % 65521
        b = (b + a) % 65521
    assert ao.reduce(data, "(acc*33 ^ x) & 0xFFFFFFFF", 5381) == h
    sums = ao.accumulate(data, "(acc + x) % 65521", initial=1, typecode="I")
    assert sums[-1] == a
    assert ao.reduce(sums[1:], "(acc + x) % 65521", 0) == b


def test_a_stream_of_64_bits_stays_in_the_machine() -> None:
    """States of 2**63 and more after a start below it, where an unsigned lane must be chosen from the start."""
    text = "(acc*6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF"
    for start in (5, 2**62, 2**63 - 1, 2**63, 2**64 - 1, -1, True):
        want, acc = [start], start
        for _ in range(100):
            acc = (acc * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
            want.append(acc)
        if start >= 0:
            assert ao.accumulate(bytes(100), text, initial=start, typecode="Q").tolist() == want
        assert ao.reduce(bytes(100), text, start) == want[-1]
        assert ao.reduce(bytes(100), "acc - 2**60", start) == start - 100 * 2**60


@pytest.mark.parametrize("code", "bhilq")
@pytest.mark.parametrize("text", ["x & y", "x | y", "x ^ y", "~x | y"])
def test_bits_of_ints_are_bits_of_their_type(text: str, code: str) -> None:
    """Two's complement is closed under them: nothing is checked, and no wider lane is needed."""
    assert "faults: none" in ao.explain(text, code)
    most = 2 ** (8 * array(code).itemsize - 1) - 1
    edges = [-most - 1, -most, -1, 0, 1, most]
    pairs = [(x, y) for x in edges for y in edges]
    a, b = (array(code, column) for column in zip(*pairs, strict=True))
    assert list(ao.map(a, text, b)) == [eval(text, {"x": x, "y": y}) for x, y in pairs]


@pytest.mark.parametrize("code", "qQ")
@given(data=st.data())
def test_division_by_one_number(code: str, data: st.DataObject) -> None:
    """By a multiplication: divisors of all sizes, next to powers of two, and elements next to their multiples."""
    low, high = integer_range(code)
    powers = st.builds(lambda bit, more: 2**bit + more, st.integers(1, 64), st.integers(-2, 2))
    divisor = data.draw(st.one_of(st.integers(2, high), powers, st.sampled_from([7, 1000, 10**9, 86_400_000_000_000])))
    divisor = min(max(divisor, 2), high)
    multiples = st.builds(lambda times, more: times * divisor + more,
                          st.integers(low // divisor, high // divisor), st.integers(-1, 1))  # fmt: skip
    values = st.one_of(st.integers(low, high), st.sampled_from([low, low + 1, 0, high - 1, high]), multiples)
    some = data.draw(st.lists(values.map(lambda x: min(max(x, low), high)), min_size=24, max_size=70))
    a = array(code, some)
    assert ao.map(a, "x // d", d=divisor).tolist() == [x // divisor for x in some]
    assert ao.map(a, "x % d", d=divisor).tolist() == [x % divisor for x in some]
    assert ao.map(a, f"x // {divisor} + x % {divisor}", typecode="d").tolist() == [
        float(x // divisor + x % divisor) for x in some
    ]


def test_fit_is_there_only_where_something_may_not() -> None:
    """A check that cannot fail is a kernel at each level that no program needs."""
    ranges = {f"{sign}{8 * size}": (-(256**size) // 2 if sign == "i" else 0, 256**size // (2 if sign == "i" else 1) - 1)
              for sign in "iu" for size in (1, 2, 4, 8)}  # fmt: skip
    found = {(op["name"], op["type"]) for op in machine.OPS if op["name"].startswith("FIT_")}
    assert found == {(f"FIT_{to}", of) for to, (low, high) in ranges.items() for of, (least, most) in ranges.items()
                     if least < low or most > high}  # fmt: skip
