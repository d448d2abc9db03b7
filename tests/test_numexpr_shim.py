"""numexpr's own tests of arrays of one dimension, as far as they ask for what arrayops promises, through a shim.

The formulas and the data are those of numexpr's tests/test_numexpr.py, typed again; NumPy is the oracle, as there, and
the comparison is theirs: equal, or close where functions are rounded, with as many nans and infinities. The shim,
:func:`evaluate`, asks for the type that NumPy's result has, because arrayops computes as Python does and asks for the
type of the result; and it says ``not x`` where they say ``~x`` of truth values.

Left out, and why:

    two dimensions, axis=, broadcasting       arrayops has arrays of one dimension; one axis-free reduction is the same
    complex numbers, .real, .imag, conj        not numbers of the language
    strings, contains()                        not numbers
    copy, ones_like                            of shapes, not of numbers
    disassemble, NumExpr, E, casting, VML      numexpr's machine; ours has explain() and its own tests
    re_evaluate, validate                      a Kernel is that: its errors are looked at here
    integer % 0, ** negative, fmod             Python raises ZeroDivisionError, and gives floats
    shifts by negative or large counts         Python raises ValueError, and has no width to shift out of
    maximum, minimum of nan                    are max and min of Python, which keep the first of two
    types that NumPy 2 has and Python has not  int32 for a small constant
    (x > 1) and (x < 9) is a TypeError         here it means what Python means, for each element
    (3+1).bit_length() is refused              bit_length() is in the language
"""

from __future__ import annotations

import gc
import math
import re
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import arrayops as ao
import numpy as np
import pytest
from arrayops.compiler.parse import RESERVED

SIZE = 100
#: What is written for names of theirs that the language may not have.
SPELT = {
    "sign": "((x) if (x) != (x) else ((x) > 0) - ((x) < 0))",
    "signbit": "copysign(1.0, x) < 0",
}
NUMPY: dict[str, Any] = {
    name: getattr(np, name)
    for name in ("arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "abs", "ceil", "copysign",
                 "cos", "cosh", "exp", "expm1", "floor", "fmod", "hypot", "isfinite", "isinf", "isnan", "log", "log10",
                 "log1p", "log2", "maximum", "minimum", "nextafter", "round", "sign", "signbit", "sin", "sinh", "sqrt",
                 "tan", "tanh", "trunc", "where")
}  # fmt: skip


def evaluate(text: str, names: dict[str, Any], like: Any = None, **options: Any) -> Any:
    """numexpr.evaluate(text, local_dict=names) by arrayops. like: what has the type that is wanted."""
    if text.startswith("~") and names[text[1:]].dtype == bool:
        text = f"not {text[1:]}"
    for name, spelling in SPELT.items():
        if name not in RESERVED:
            text = re.sub(rf"\b{name}\((.*?)\)", spelling.replace("x", r"\1"), text)
    arrays = any(np.ndim(value) for value in names.values())
    if arrays and "out" not in options:
        options["typecode"] = np.asarray(like).dtype.char
    return ao.evaluate(text, names=names, ieee=True, **options)


def equal(a: Any, b: Any, exact: bool = False) -> bool:
    """As numexpr's tests have it: of results with nans or infinities their number is compared."""
    if np.array_equal(a, b):
        return True
    if getattr(a, "dtype", None) in ("f4", "f8"):
        for odd in (np.isnan, np.isinf):
            if odd(a).any():
                return bool(odd(a).sum() == odd(b).sum())
    tolerance = 1e-5 if getattr(a, "dtype", None) == "f4" else 1e-8
    return not exact and np.shape(a) == np.shape(b) and np.allclose(a, b, atol=tolerance)


def by_numpy(text: str, names: dict[str, Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(text, {"__builtins__": {}}, {**NUMPY, **names})


def check(text: str, names: dict[str, Any], exact: bool = False) -> None:
    want = by_numpy(text, names)
    if "tan(b+c)" in text and want.dtype == "f4":  # which is computed in double here: near a pole that is another value
        want = by_numpy(text, {name: np.float64(value) for name, value in names.items()}).astype("f4")
    got = evaluate(text, names, want)
    if np.ndim(want) == 0 and isinstance(want, np.float32):
        with np.errstate(over="ignore"):
            got = np.float32(got)
    assert np.ndim(want) == 0 or (type(got) is np.ndarray and got.dtype == want.dtype), (text, type(got))
    assert equal(want, got, exact), f"{text}: {got!r}, not {want!r}"


# -- test_expressions --------------------------------------------------------------------------------------------------

MISC = [
    "b*c+d*e", "2*a+3*b", "-a", "sinh(a)", "2*a + (cos(3)+5)*sinh(cos(b))", "2*a + arctan2(a, b)", "arcsin(0.5)",
    "where(a != 0.0, 2, a)", "where(a > 10, b < a, b > a)", "0.25 * (a < 5) + 0.33 * (a >= 5)", "cos(1+1)", "1+1", "1",
]  # fmt: skip
OPERATORS = [
    text
    for op in ("+", "-", "*", "/", "%", "**")
    for text in (f"(a+1) {op} (b+3)", f"3 {op} (b+3)", f"(a+1) {op} 4", f"2 {op} (b+3)", f"(a+1) {op} 2",
                 f"(a+1) {op} -1", f"(a+1) {op} 0.5", f"(a+1) {op} 0")
]  # fmt: skip
COMPARISONS = [
    text
    for op in ("<", "<=", "==", ">=", ">", "!=")
    for text in (f"a/2+5 {op} b", f"a/2+5 {op} 7", f"7 {op} b", f"7.0 {op} 5")
]
ONE_ARGUMENT = [
    f"a + {name}(b+c)"
    for name in ("sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh",
                 "arccosh", "arctanh", "log", "log1p", "log10", "log2", "exp", "expm1", "abs", "ceil", "floor", "round",
                 "trunc", "sign")
]  # fmt: skip
TWO_ARGUMENTS = [
    text
    for name in ("arctan2", "fmod", "hypot", "nextafter", "copysign")
    for text in (f"a + {name}(b+c, d+1)", f"a + {name}(b+c, 1)", f"a + {name}(1, d+1)")
]
POWERS = [f"(a+1)**{n}" for n in (-7, -2.5, -1.5, -1.3, -0.5, 0, 0.0, 1, 2.3, 2.5, 3)]
TEXTS = [*MISC, *OPERATORS, *COMPARISONS, *ONE_ARGUMENT, *TWO_ARGUMENTS, *POWERS]
#: Of ints Python raises, or gives a float.
OF_INTS = {"(a+1) % 0", "(a+1) ** -1", "(a+1)**-7", "a + fmod(1, d+1)"}


def operands(dtype: Any, scalar: str) -> dict[str, Any]:
    """Their arrays; of one of them an element."""
    a = np.arange(2 * SIZE, dtype=dtype)[::2]
    b = np.arange(SIZE, dtype=dtype) / SIZE
    names = {"a": a, "b": b, **{name: np.arange(SIZE, dtype=dtype) for name in "cde"}}
    return {**names, scalar: names[scalar][SIZE // 2]} if scalar else names


@pytest.mark.parametrize("scalar", ["", "a", "b"])
@pytest.mark.parametrize("dtype", [int, np.float32, np.float64])
@pytest.mark.parametrize("text", TEXTS)
def test_expressions(text: str, dtype: Any, scalar: str) -> None:
    if dtype is int and text in OF_INTS:
        test_what_python_has_otherwise(text)
    else:
        check(text, operands(dtype, scalar))


@pytest.mark.parametrize("text", sorted(OF_INTS))
def test_what_python_has_otherwise(text: str) -> None:
    names = operands(int, "")
    if "%" in text:
        with pytest.raises(ZeroDivisionError):
            evaluate(text, names, names["a"])
    else:
        rows = [{"a": int(a), "d": int(d), "fmod": math.fmod} for a, d in zip(names["a"], names["d"], strict=True)]
        assert evaluate(text, names, np.float64()).tolist() == pytest.approx([eval(text, row) for row in rows])


# -- bool arrays -------------------------------------------------------------------------------------------------------

ONES, ZEROS, SOME = np.ones(10, bool), np.zeros(10, bool), np.asarray([0, 1, 0, 0, 1], bool)


@pytest.mark.parametrize("text", ["x & y", "x ^ y", "x | y", "~x"])
@pytest.mark.parametrize(("x", "y"), [
    (ONES, ZEROS), (SOME, SOME[::-1]), *((np.arange(10, dtype=t), np.arange(10, dtype=t)) for t in ("i4", "i8")),
])  # fmt: skip
def test_boolean_and_bitwise_operators(text: str, x: Any, y: Any) -> None:
    names = {"x": x, "y": y} if "y" in text else {"x": x}
    check(text, names, exact=True)
    if x.dtype == bool:  # without asking for a type, too
        got = ao.evaluate(text.replace("~", "not "), names=names)
        assert got.dtype == bool and (got == by_numpy(text, names)).all()


@pytest.mark.parametrize("text", ["x * y", "x + y"])
def test_addmult_booleans(text: str) -> None:
    check(text, {"x": SOME, "y": SOME[::-1]}, exact=True)


@pytest.mark.parametrize("a", [True, False])
def test_where_scalar_bool(a: bool) -> None:
    check("where(a, b, c)", {"a": a, "b": np.array([1, 2]), "c": np.array([3, 4])}, exact=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["isnan", "isfinite", "isinf", "signbit"])
def test_bool_funcs(name: str, dtype: Any) -> None:
    a = np.arange(2 * SIZE, dtype=dtype)
    a[SIZE // 2], a[SIZE // 3], a[SIZE // 4] = np.nan, np.inf, -2
    check(f"{name}(a)", {"a": a}, exact=True)


def test_select() -> None:
    """Masks select; of fields of records, whose elements are 12 bytes apart."""
    records = np.rec.fromarrays([np.arange(10, dtype=np.int32), np.arange(10, dtype=np.float64)])
    for field in (records["f0"], records["f1"]):
        chosen = ao.evaluate("f < 5", f=field)
        assert np.array_equal(field[chosen], np.arange(5)) and field[chosen].dtype == field.dtype


# -- numbers -----------------------------------------------------------------------------------------------------------

F = np.arange(1e4)
I4 = np.arange(10, dtype="i4")
MIXED = np.empty(10, dtype=[("c1", np.int32), ("c2", np.uint16)])
MIXED["c1"], MIXED["c2"] = np.arange(10), 0xAAAA
FLOATS = np.rec.array(None, formats="f4,f4", shape=(100,))
FLOATS["f0"], FLOATS["f1"] = np.arange(100), np.arange(100, 200)
N32 = {"a": np.array([-500, -135, 0, 0, 135, 500], "i4"), "n": np.array([-360, -360, -360, 360, 360, 360], "i4")}
BASE = {"base": np.array([-2, -1, 1, 2, 3])}

EXACT: list[tuple[str, dict[str, Any]]] = [
    ("2*a + 3*b*c", {"a": np.array([1.0, 2, 3]), "b": np.array([4.0, 5, 6]), "c": np.array([7.0, 8, 9])}),  # simple
    ("x", {"x": np.arange(100.0)}),  # simple_expr_small_array
    ("x", {"x": np.arange(1e6)}),  # simple_expr
    ("(a + 2*b) / (1 + a + 4*b*b)", {"a": F, "b": F * 0.1}),  # rational_expr
    ("x / 2", {"x": I4}),  # true_div
    ("x << 2", {"x": I4}),
    ("x >> 2", {"x": I4}),
    ("c1", {"c1": MIXED["c1"]}),  # complex_strides
    ("a0 + c1", {"a0": np.arange(100).reshape(10, 10)[::2][0], "c1": MIXED["c1"]}),
    ("sqrt(c) > 1.", {"c": FLOATS["f1"]}),  # recarray_strides
    ("a + b", {"a": 3.0, "b": 4.0}),  # all_scalar
    ("a % n", N32),  # negative_mod
    ("a // n", N32),
    ("a % n", {k: v.astype("i8") for k, v in N32.items()}),
    ("a // n", {k: v.astype("i8") for k, v in N32.items()}),
    ("base ** -1.0", BASE),  # negative_power_scalar
    ("base ** -1.0", {"base": BASE["base"].astype("i4")}),
    ("-a", {"a": np.array([2**31 - 1, 2**31, 2**32, 2**63 - 1])}),  # neg
    ("2**40", {}),  # big_int
    ("x * two", {"x": np.arange(100, dtype="i4"), "two": np.int32(2)}),  # long_constant_promotion
    ("x * two", {"x": np.arange(100, dtype="i4"), "two": np.int64(2)}),
    ("x * two", {"x": np.arange(100, dtype="i4"), "two": np.uint32(2)}),  # uint32_constant_promotion
    ("x * y", {"x": np.arange(100, dtype="i4"), "y": np.arange(100)}),  # int64_array_promotion
    ("x * y", {"x": np.arange(100, dtype="u4"), "y": np.arange(100)}),
    ("a", {"a": np.uint32(42)}),  # small_uint32
    ("a0 + a1", {"a0": np.array([], "i4"), "a1": np.array([], "f8")}),  # zerodim1d
    ("a0 * a1", {"a0": np.array([], "i4"), "a1": np.array([], "f8")}),
    ("a**3", {"a": np.arange(3)}),  # thread
    *((f"{name}(x, y)", {"x": np.arange(10, dtype=t), "y": 2 * np.arange(10, dtype=t)[::-1]})  # maximum_minimum
      for name in ("maximum", "minimum") for t in (int, float)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names"), EXACT, ids=[f"{i}: {text}" for i, (text, _) in enumerate(EXACT)])
def test_exact(text: str, names: dict[str, Any]) -> None:
    check(text, names, exact="base" not in names)


def test_log10_of_a_field() -> None:
    check("log10(c)", {"c": FLOATS["f1"]})


@pytest.mark.parametrize("dtype", [float, np.float32, np.int32, np.int64])
@pytest.mark.parametrize("name", ["sign", "round", "floor", "ceil", "trunc"])
def test_sign_round(name: str, dtype: Any) -> None:
    """Theirs has sign and round of a nan; the others that make whole numbers of floats are the same here."""
    x = np.arange(10, dtype=dtype)
    r = x - 2 * x[::-1]
    if r.dtype.kind == "f":
        r[-1], r[-2], r[0] = np.nan, -np.inf, -2.5
    check(f"{name}(r)", {"r": r}, exact=True)


def test_in_place() -> None:
    x = np.arange(10000.0)
    assert evaluate("x + 3", {"x": x}, out=x) is x
    assert np.array_equal(x, np.arange(10000.0) + 3)
    y = np.arange(10).repeat(1000)
    evaluate("(x - 3) * y + (x - 3)", {"x": x, "y": y}, out=x)
    assert np.array_equal(x, np.arange(10000.0) * (y + 1))


def test_unaligned_out() -> None:
    a = np.empty(9, np.uint8)[1:].view(np.int32)
    ao.map(a, "x * 0 + 3", out=a)
    assert (a == 3).all()


# -- reductions --------------------------------------------------------------------------------------------------------

REDUCED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sum": (ao.sum, np.sum), "prod": (ao.prod, np.prod), "min": (ao.min, np.min), "max": (ao.max, np.max),
}  # fmt: skip
LINE = np.linspace(0.1, 1.0, 2000)
REDUCTIONS: list[tuple[str, str, Any]] = [
    ("sum", "x + 2", np.zeros(100000) + 0.01),  # issue 41
    ("prod", "x", np.zeros(100000) + 0.01),
    ("min", "x", np.zeros(100000) + 0.01),
    ("max", "x", np.zeros(100000) + 0.01),
    ("sum", "x", np.arange(10)),
    *((name, "x**2 + 2", np.arange(10.0)) for name in REDUCED),
    ("sum", "x**2 + 2", np.arange(100.0)),
    *((name, "x - 1", np.arange(100.0)) for name in ("prod", "min", "max")),
    ("sum", "x**2 + 2", LINE),
    *((name, "x - 1", LINE) for name in ("prod", "min", "max")),
    *((name, "x**2 + 2", np.arange(10.0).astype(int)) for name in REDUCED),
]


@pytest.mark.parametrize(("name", "text", "x"), REDUCTIONS)
def test_reductions(name: str, text: str, x: Any) -> None:
    ours, theirs = REDUCED[name]
    want = by_numpy(text, {"x": x})
    np.testing.assert_allclose(ours(evaluate(text, {"x": x}, want)), theirs(want))


# -- threads and lifetimes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [*range(1, 7), *range(6, 1, -1)])
def test_changing_nthreads(threads: int) -> None:
    a = np.linspace(-1, 1, 1_000_000)
    got = ao.evaluate("((.25*a + .75)*a - 1.5)*a - 2", a=a, threads=threads)
    assert np.array_equal(got, ((0.25 * a + 0.75) * a - 1.5) * a - 2)


def test_multithread() -> None:
    """Theirs only must not crash; the results are looked at here."""
    found: list[Any] = []

    def work() -> None:
        a = np.arange(1e5)
        found.append(ao.evaluate("a + a", a=a).sum())

    threads = [threading.Thread(target=work) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [np.arange(1e5).sum() * 2] * 30


def test_out_is_not_kept_alive() -> None:
    a, out = np.arange(1000.0), np.zeros(1000)
    reference = weakref.ref(out)
    ao.evaluate("a + 1", a=a, out=out)
    del out
    gc.collect()
    assert reference() is None


# -- what is no expression ---------------------------------------------------------------------------------------------

A3 = np.arange(3)
REFUSED: list[tuple[str, dict[str, Any], type[Exception]]] = [
    ("a < [0, 0, 0]", {"a": A3}, ValueError),  # illegal_value
    ("lambda x: x", {}, ValueError),  # sanitize
    ('locals()["evaluate"]', {}, ValueError),
    ("import os;", {}, ValueError),
    ("os. cpu_count()", {}, ValueError),
    ("__builtins__", {}, TypeError),  # a name without a value
    ("2+", {}, SyntaxError),  # validate_syntax
    ("2*a + 3*b*c", {"a": A3, "b": A3}, TypeError),  # validate_missing_var
]


@pytest.mark.parametrize(("text", "names", "error"), REFUSED, ids=[text for text, _, _ in REFUSED])
def test_refused(text: str, names: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        ao.evaluate(text, names=names)


@pytest.mark.parametrize("text", ["a*2.e-5", "a*2.e+5", "a*2e-5", "a*2e+5", "a*2E-5", "a*2.0e5", "a*2.2e5", "2.+a"])
def test_points_of_numbers_are_no_attributes(text: str) -> None:
    assert ao.evaluate(text, a=3.0) == eval(text, {"a": 3.0})


@pytest.mark.parametrize("text", ["x << y", "x >> y"])
@pytest.mark.parametrize("count", [-1, -200])
def test_shifts_by_negative_counts_are_pythons(text: str, count: int) -> None:
    with pytest.raises(ValueError, match="negative shift count"):
        ao.evaluate(text, x=np.array([5, -5, 0]), y=count)


def test_the_first_of_two_is_kept_by_maximum_where_one_is_nan() -> None:
    got = ao.evaluate("maximum(x, y)", x=np.array([np.nan, 1.0]), y=np.array([1.0, np.nan]))
    assert math.isnan(got[0]) and got[1] == max(1.0, math.nan) == 1.0
