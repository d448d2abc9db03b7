"""map and evaluate of strings against Python's evaluation of the same text: values, types, signs of zero, exceptions.

Random expressions come from the grammar; the tables are what random search is slow to hit.
"""

from __future__ import annotations

from array import array
from typing import Any

import arrayops as ao
import pytest
from differential import differences
from grammar import BLOCK_LENGTHS, Case
from hypothesis import given
from oracle import (
    FLOAT_CODES,
    FLOAT_HINT,
    INTEGER_CODES,
    TYPECODES,
    assert_bytes,
    assert_same,
    edge_values,
    element_outcomes,
    expected_map,
    outcome,
    python_function,
    same_scalar,
    stored,
    thinned,
)
from strategies import cases, long_arrays


@given(cases("map"))
def test_random_map(case: Case) -> None:
    assert not differences(case)


@given(cases("evaluate"))
def test_random_evaluate(case: Case) -> None:
    assert not differences(case)


ONE_ARRAY = [
    "x", "-x", "+x", "x*x + 1", "x + x", "x - 1", "x // 3", "x % 3", "x // -3", "x % -3", "x / 4", "x * 0.5", "x ** 2",
    "x ** 3",
    "abs(x)", "abs(-x)", "min(x, 3)", "max(3, x)", "min(x, 0, -0.0)", "max(x, -0.0, 0)", "x < 3", "not x", "bool(x)",
    "x == x",
    "x != x", "0 < x <= 9", "0 < x < 5 < 7 != x", "x and 1", "x or 7", "x and x + 1 or 9", "x if x > 0 else -x",
    "x in (1, 2, 3.0)",
    "x not in (0, True, 255)", "float(x)", "copysign(1, x)", "where(x > 2, x, 2)", "clip(x, 1, 5)", "minimum(x, 5)",
    "maximum(x, 5)",
    "absolute(x)", "power(x, 2)", "pow(x, 2)", "isnan(x)", "isinf(x)", "isfinite(x)", "math.fabs(x)", "round(x, 1)",
    "1 if x else 0", "x * True", "True + x", "(x > 1) + (x > 2)", "(x > 1) & (x < 9)", "(x > 1) * x", "x - x", "x * 0",
    "x * 0.0", "0 - x", "0.0 - x", "-x + 0.0", "x * -1", "x + 1e308 * 10", "x * pi", "x * math.tau + e", "x < inf",
    "x == nan",
    "2 ** 10 + x", "7 // 2 + x", "-7 // 2 * x", "-7 % 3 + x", "1_000 + x", "0x10 + 0b11 + 0o7 + x", "1e3 + x", ".5 + x",
    "x if True else 1 // 0",
    "x or 1 // 0", "(x or 1) and x", "not not x", "- - x", "x + (1 if x > 1 else 2.5)", "x > 1 and x < 3",
    "x > 1 or x < 0",
    "x < 1 < 0", "1 < 0 < 1 // 0 + x", "False and 1 // 0 or x", "(x != 0) and 10 // x",
    "x if x == x else 0", "sqrt(abs(x))", "round(x / 2)" , "x == 1 == True",
]  # fmt: skip
INTEGER_ONLY = [
    "~x", "x & 7", "x | 7", "x ^ 7", "x << 1", "x >> 1", "x << 40", "x >> 100", "x & -8", "~(x & 1)", "-1 - x ^ x",
    "1 << (x & 31)",
    "x * x * x", "(x * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF", "(x * 31 + 7) % 2**32",
    "int(x)", "round(x)",
    "floor(x)", "ceil(x)", "trunc(x)", "math.floor(x)", "x ^ (x >> 1)", "x // 2 + x % 2", "(x >> 3) << 3",
    "round(x, -1)", "x * x >> 4",
]  # fmt: skip
FLOAT_ONLY = [
    "int(x)",
    "round(x)",
    "floor(x)",
    "ceil(x)",
    "trunc(x)",
    "round(x, 2)",
    "x ** 0.5",
    "x // 0.3",
    "x % 0.3",
    "1 / x",
    "sqrt(x)",
]


@pytest.mark.parametrize("typecode", TYPECODES)
def test_table_on_edge_values(typecode: str) -> None:
    """Each edge value by itself, so that one element's exception hides no other's answer; then all that have one."""
    edges = thinned(edge_values(typecode)) if typecode in INTEGER_CODES else edge_values(typecode)
    for text in ONE_ARRAY + (FLOAT_ONLY if typecode in FLOAT_CODES else INTEGER_ONLY):
        results = element_outcomes(python_function(text), [edges])
        for target in {typecode, "d"}:
            for value, result in zip(edges, results, strict=True):
                got = outcome(ao.map, array(typecode, [value]), text, typecode=target)
                assert_same(got, stored(target, [result]), (text, typecode, value, target))


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, *BLOCK_LENGTHS, 5000])
def test_every_length(typecode: str, length: int) -> None:
    values = array(typecode, [i % 11 for i in range(length)])
    for text in ("x + 1", "x * x - 3 if x > 2 else x", "10 // (x + 1)", "x > 5"):
        assert_same(ao.map(values, text), expected_map(text, typecode, values), text)
    assert_same(ao.map(values, "x / 2", typecode="d"), expected_map("x / 2", "d", values))


@pytest.mark.parametrize("source", TYPECODES)
@pytest.mark.parametrize("target", TYPECODES)
def test_conversion_between_all_typecodes(source: str, target: str) -> None:
    """The store is array's own: range, message, rounding to 'f' once, floats refused by integers."""
    for value in edge_values(source):
        one = array(source, [value])
        got = outcome(ao.map, one, "x", typecode=target)
        assert_same(got, stored(target, one.tolist()), (source, target, value))


@given(long_arrays(), long_arrays())
def test_two_arrays_of_any_types(a: array[Any], b: array[Any]) -> None:
    size = min(len(a), len(b))
    a, b = a[:size], b[:size]
    for text in ("p - q", "p if p < q else q", "p == q"):
        for typecode in (a.typecode, "d"):
            got = outcome(ao.map, a, text, b, typecode=typecode)
            assert_same(got, expected_map(text, typecode, a, b), text)


BINDINGS: list[tuple[str, list[str], dict[str, str]]] = [
    ("p*q + r", ["a", "b", "c"], {}),
    ("p*q + r", ["a", "b"], {"r": "c"}),
    ("p*q + r", ["a", "b"], {"q": "c"}),
    ("p*q + r", ["a"], {"r": "c", "p": "b"}),
    ("r if p else q", ["a", "b", "c"], {}),
    ("where(q > 2, p, r)", ["a", "b", "c"], {}),
    ("max(z, y, x)", ["a", "b", "c"], {}),
    ("y < x < z", ["a", "b", "c"], {}),
    ("not q or p + r", ["a"], {"p": "b", "r": "c"}),
]


@pytest.mark.parametrize(("text", "positional", "named"), BINDINGS)
def test_names_bind_in_order_of_first_appearance(text: str, positional: list[str], named: dict[str, str]) -> None:
    """Keywords are bound first, then the arrays given by position fill what is left, in order of appearance."""
    data = {"a": array("h", [1, 2, 3, 4]), "b": array("h", [10, 0, 30, 40]), "c": array("h", [5, -6, 7, 0])}
    order = [name for name in _order(text) if name not in named]
    bound = dict(zip(order, positional, strict=True)) | named
    columns = [data[bound[name]] for name in _order(text)]
    want = stored("h", element_outcomes(python_function(text, _order(text)), columns))
    keywords: dict[str, Any] = {n: data[v] for n, v in named.items()}
    got = ao.map(data[positional[0]], text, *(data[n] for n in positional[1:]), **keywords)
    assert_same(got, want)


def _order(text: str) -> list[str]:
    """Single letters of the tables above in the order in which they appear."""
    words = text.replace("(", " ").replace(")", " ").replace(",", " ").replace("*", " ").split()
    return list(dict.fromkeys(word for word in words if len(word) == 1 and word.isalpha()))


@pytest.mark.parametrize("value", [0.2, 3, True, -0.0, float("inf"), 2**70, -(2**63), 10**30])
def test_named_numbers_keep_their_type_and_value(value: Any) -> None:
    prices = array("d", [100.0, 0.0, -2.5])
    for text in ("x*(1 + vat)", "vat if x else x", "vat // 1 + x", "x < vat", "min(x, vat)"):
        want = stored("d", element_outcomes(python_function(text, ["x", "vat"]), [prices, [value] * 3]))
        assert_same(outcome(ao.map, prices, text, vat=value), want, text)


@pytest.mark.parametrize("value", [True, False, 1, 0, 1.0, -7])
@pytest.mark.parametrize("typecode", TYPECODES)
def test_a_named_number_selected_by_its_own_comparison(typecode: str, value: Any) -> None:
    """A truth value compared with a float and then chosen: found by fuzz_expressions.py --seed 3 --only 17850."""
    data = array(typecode, [5, 6])
    for text in (
        "(v if v >= -5.0 else True) if x == x else x",
        "((v and v) if v >= -1e400 else True) if x == x else x",
    ):
        results = element_outcomes(python_function(text, ["v", "x"]), [[value] * 2, data])
        assert_same(outcome(ao.map, data, text, typecode="d", v=value), stored("d", results), text)


def test_number_given_by_position() -> None:
    k = ao.compile("a*b + c")
    p, q = array("i", [1, 2, 3]), array("i", [4, 5, 6])
    assert_bytes(k(p, q, 2), "i", [6, 12, 20])
    assert_bytes(k(p, q, 2.5, typecode="d"), "d", [6.5, 12.5, 20.5])
    assert_bytes(ao.map(p, "a + b", 10), "i", [11, 12, 13])


EVALUATED: list[tuple[str, dict[str, Any], str]] = [
    ("a*b + c", {"a": array("d", [1, 2]), "b": array("i", [3, 4]), "c": 0.5}, "d"),
    ("a + b", {"a": array("b", [1, 2]), "b": array("Q", [3, 4])}, "q"),
    ("a < b", {"a": array("b", [1, 2]), "b": array("Q", [3, 1])}, "B"),
    ("a / 2", {"a": array("b", [1, 2])}, "d"),
    ("not a", {"a": array("f", [0.0, 2])}, "B"),
    ("floor(a)", {"a": array("f", [0.5, -2.5])}, "q"),
    ("a", {"a": array("f", [0.5, -2.5])}, "d"),
    ("a", {"a": array("L", [5])}, "q"),
]


@pytest.mark.parametrize(("text", "names", "typecode"), EVALUATED)
def test_evaluate_chooses_the_typecode_by_kind(text: str, names: dict[str, Any], typecode: str) -> None:
    length = max(len(v) for v in names.values() if isinstance(v, array))
    columns = [names[n] if isinstance(names[n], array) else [names[n]] * length for n in names]
    want = stored(typecode, element_outcomes(python_function(text, list(names)), columns))
    assert_same(ao.evaluate(text, **names), want)


SCALARS: list[tuple[str, dict[str, Any]]] = [
    ("1 + 1", {}), ("7 / 2", {}), ("1 < 2", {}), ("2**100", {}), ("-0.0", {}), ("a*b", {"a": 3, "b": 2.0}),
    ("a if a else 5", {"a": 0}),
    ("not a", {"a": 0.0}), ("1 // 0", {}), ("1 << -1", {}), ("sqrt(-1)", {}), ("nan", {}), ("int(1e30)", {}),
    ("round(2.5)", {}),
    ("(-8) ** 0.5", {}), ("10**30 // 7", {}), ("True", {}), ("True + True", {}), ("a", {"a": True}),
    ("5 in (1, 5.0)", {}), ("pi", {}),
    ("2.0 ** 2000", {}), ("1e308 * 10", {}), ("~5", {}), ("min(1, 1.0)", {}), ("max(0.0, -0.0)", {}),
    ("~(True + 0)", {}),
    ("abs(-0.0)", {}),
    ("a - 1", {"a": 2**64}), ("floor(nan)", {}), ("2**1024 / 3", {}), ("0 ** -1", {}), ("0.0 ** -1", {}),
    ("1 % 0.0", {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names"), SCALARS)
def test_evaluate_without_buffers_gives_python_scalars(text: str, names: dict[str, Any]) -> None:
    want = outcome(lambda: python_function(text, list(names))(*names.values()))
    assert_same(outcome(lambda: ao.evaluate(text, **names)), want, text)


def test_evaluate_agrees_with_map() -> None:
    for typecode in TYPECODES:
        values = array(typecode, [v for v in edge_values(typecode) if v == v and abs(v) < 1e6])
        for text in ("x*x + 1", "x > 3", "x / 7"):
            mapped = ao.map(values, text, typecode="d")
            assert_same(ao.evaluate(text, typecode="d", x=values), mapped, text)


def test_which_exception_wins() -> None:
    """The function's exception at any element wins over a store error at any element; then the first store error."""
    late = array("b", [100, 100, 0])
    assert_same(outcome(lambda: ao.map(late, "x*x // x")), expected_map("x*x // x", "b", late))
    assert_same(outcome(lambda: ao.map(late, "x*2 + 1 // x")), expected_map("x*2 + 1 // x", "b", late))
    stores = array("b", [1, -100, 100])
    assert_same(outcome(lambda: ao.map(stores, "x*2")), expected_map("x*2", "b", stores))


def test_float_into_integers_names_the_remedy() -> None:
    """Refused before any work, but for element 0, whose own exception wins; no element, nothing to refuse."""
    with pytest.raises(TypeError, match=FLOAT_HINT):
        ao.map(array("i", [1, 2]), "x/2")
    with pytest.raises(ZeroDivisionError, match=r"^division by zero$"):
        ao.map(array("i", [0, 2]), "1/x")
    assert_bytes(ao.map(array("i"), "x/2"), "i", [])


def test_sign_of_zero_and_nan_survive_every_path() -> None:
    values = array("d", [0.0, -0.0, float("nan")])
    for text in (
        "x",
        "x + x",
        "-x",
        "x * 1",
        "min(x, x)",
        "x if x else x",
        "x or x",
        "x and x",
        "abs(x)",
        "+x",
        "x * -1",
    ):
        want = element_outcomes(python_function(text), [values])
        assert all(map(same_scalar, ao.map(values, text), want)), text
