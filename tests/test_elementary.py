"""Elementary functions: within one ULP of the true value, Python's exceptions and special values, known by every name.

The accuracy over millions of points is bench/elementary.py's; here a few thousand per function are compared with the
true value (mpmath), and CPython's own test cases of math are run through map.
"""

from __future__ import annotations

import math
import os
import random
import struct
import subprocess
import sys
from array import array
from pathlib import Path
from typing import Any

import arrayops as ao
import mpmath
import pytest
import test.support
from oracle import assert_bytes, assert_same, difference, element_outcomes, outcome, python_function, stored, ulps_apart

ONE = ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan",
       "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "sqrt")  # fmt: skip
TWO = ("atan2", "hypot", "fmod", "remainder", "pow")
TRUE: dict[str, Any] = {
    "exp2": lambda x: mpmath.mpf(2) ** x, "log2": lambda x: mpmath.log(x, 2), "log10": mpmath.log10,
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "erfc": lambda x: mpmath.erfc(min(x, mpmath.mpf(30))),  # a double that is 0 long before; mpmath fails at 1e300
}  # fmt: skip
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, 1e-300, 5e-324, -5e-324, 2.2250738585072014e-308, 1e300, -1e300,
           math.inf, -math.inf, math.nan, 709.782712893384, 709.7827128933841, -745.2, 710.5, 1024.0, -1075.0,
           1.7976931348623157e308, 0.9999999999999999, 1.0000000000000002, 1e22, 2.0**20, math.pi, math.pi / 2, 8.0,
           27.0, 1000.0, 100.0, 30.0, -30.0, 6.0, 27.5, 1e-8, 1e8]  # fmt: skip


def points(name: str, count: int) -> array[Any]:
    """Numbers of the usual range, of all exponents, and next to where functions turn."""
    rng = random.Random(name)
    turns = [0.0, 1.0, -1.0, 0.5, 0.625, math.log(2) / 2, math.sqrt(0.5), math.sqrt(2), math.tan(math.pi / 8), 20.0]
    values = [rng.uniform(-10, 10) for _ in range(count)]
    values += [struct.unpack("d", struct.pack("Q", rng.getrandbits(64)))[0] for _ in range(count // 2)]
    values += [rng.choice(turns) + rng.uniform(-1, 1) * 2.0 ** -rng.randint(0, 52) for _ in range(count // 2)]
    values += [
        round(rng.uniform(-1e5, 1e5)) * math.pi / 2 * (1 + rng.randint(-2, 2) * 2**-53) for _ in range(count // 4)
    ]
    return array("d", [v for v in values if math.isfinite(v)])


def test_explain_says_what_python_evaluates() -> None:
    """Rare functions are exact, element by element, and explain names them."""
    text = ao.explain("gamma(x) + lgamma(x) if x > 0 else round(x, 2)", "d")
    assert "\nby Python: every element that needs gamma, lgamma\n" in text, text
    assert "\nby Python: every element that needs what the machine does not have\n" in ao.explain("pow(x, x, 7)", "d")
    assert "by Python" not in ao.explain("exp(x) + round(x)", "d")


def true_ulps(got: float, name: str, x: float) -> float:
    """The error in ULPs of the true value."""
    with mpmath.workdps(50):
        want = TRUE.get(name, getattr(mpmath, name, None))(mpmath.mpf(x))
        nearest = float(want)
        return float(abs(mpmath.mpf(got) - want) / mpmath.mpf(math.ulp(nearest)))


@pytest.mark.parametrize("name", ONE)
def test_within_one_ulp_of_the_true_value(name: str) -> None:
    f = getattr(math, name)
    given = array("d", [x for x in points(name, 1200) if isinstance(outcome(f, x), float)])
    got = ao.map(given, f"{name}(x)")
    worst = max(zip(given, got, strict=True), key=lambda pair: true_ulps(pair[1], name, pair[0]))
    assert true_ulps(worst[1], name, worst[0]) <= 1.0, worst
    assert all(ulps_apart(y, f(x)) <= 4 for x, y in zip(given, got, strict=True))  # the C library's may be 3 off


@pytest.mark.parametrize(
    ("name", "most", "ulps"),
    [("exp", 708, 0.6), ("exp2", 1022, 0.6), ("expm1", 708, 0.6), ("sinh", 710, 0.63), ("cosh", 710, 0.63)],
)
def test_exponentials_are_right_to_less(name: str, most: int, ulps: float) -> None:
    """Where n of 2^(n/8) is small, and over all of the range."""
    rng = random.Random(name)
    given = array("d", [rng.uniform(-1, 1) * rng.choice((0.05, 0.2, 1, 5, most)) for _ in range(10_000)])
    errors = [(true_ulps(y, name, x), x) for x, y in zip(given, ao.map(given, f"{name}(x)"), strict=True)]
    assert max(errors)[0] <= ulps, max(errors)


@pytest.mark.parametrize("name", ["exp", "exp2", "expm1", "sinh", "cosh", "tanh"])
def test_bits_do_not_depend_on_the_company(name: str) -> None:
    """Chunks with results that are too large, too small or no numbers are computed another way."""
    rng = random.Random(name)
    usual = [rng.uniform(-1, 1) * rng.choice((1e-17, 1e-3, 1, 30, 300, 706)) for _ in range(999)]
    alone = ao.map(array("d", usual), f"{name}(x)")
    for company in ([math.nan], [800.0], [-730.0], [1050.0, 5e-324]):
        mixed = array("d", [x for at in range(0, len(usual), 3) for x in (*usual[at : at + 3], *company)])
        got = ao.map(mixed, f"{name}(x)", ieee=True)
        width = 3 + len(company)
        assert_bytes(array("d", [x for at, x in enumerate(got) if at % width < 3]), "d", list(alone))
        assert_bytes(array("d", [ao.map(array("d", [x]), f"{name}(x)")[0] for x in usual[:50]]), "d", list(alone[:50]))


@pytest.mark.parametrize("name", ONE)
def test_special_values_and_exceptions(name: str) -> None:
    f = python_function(f"{name}(x)")
    for x in SPECIAL:
        want = outcome(f, x)
        got = outcome(lambda x=x: ao.map(array("d", [x]), f"{name}(x)"))
        assert difference(got, stored("d", [want]), ulps=4) is None, (x, got, want)
    exact = {"exp": 0.0, "log": 1.0, "sin": 0.0, "cos": 0.0, "tanh": 0.0, "sqrt": 4.0, "exp2": 10.0,
             "log2": 8.0, "log10": 1000.0, "atan": -0.0, "acos": 1.0, "acosh": 1.0}  # fmt: skip
    if name in exact:
        assert_bytes(ao.map(array("d", [exact[name]] * 9), f"{name}(x)"), "d", [f(exact[name])] * 9)


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two(name: str) -> None:
    f = getattr(math, name)
    rng = random.Random(name)
    pairs = [(x, y) for x in SPECIAL for y in SPECIAL]
    pairs += [(rng.uniform(-9, 9), rng.uniform(-9, 9)) for _ in range(3000)]
    text = f"math.{name}(x, y)"
    ulps = 0 if name in ("fmod", "remainder") else 2
    for x, y in pairs[: len(SPECIAL) ** 2]:
        got = outcome(lambda x=x, y=y: ao.map(array("d", [x]), text, y=array("d", [y])))
        assert difference(got, stored("d", [outcome(f, x, y)]), ulps=ulps) is None, (x, y)
    good = [(x, y) for x, y in pairs if isinstance(outcome(f, x, y), float)]
    xs, ys = array("d", [x for x, _ in good]), array("d", [y for _, y in good])
    want = array("d", [f(x, y) for x, y in good])
    assert difference(ao.map(xs, text, y=ys), want, ulps=ulps) is None


@pytest.mark.parametrize("name", ["exp2", "log2", "log10", "cbrt"])
def test_exact_results_are_exact(name: str) -> None:
    numbers = {"exp2": range(-1000, 1000, 7), "log2": range(-1000, 1000), "log10": range(23), "cbrt": range(-500, 500)}
    inverse = {"exp2": lambda k: k, "log2": lambda k: 2.0**k, "log10": lambda k: 10**k, "cbrt": lambda k: k**3}[name]
    given = [float(inverse(k)) for k in numbers[name]]
    want = [2.0**k if name == "exp2" else float(k) for k in numbers[name]]
    assert_bytes(ao.map(array("d", given), f"{name}(x)"), "d", want)


def test_cpythons_own_cases() -> None:
    """math_testcases.txt of CPython's test suite: name, function, argument, result, flags."""
    path = Path(test.support.__file__).parent.parent / "mathdata" / "math_testcases.txt"
    if not path.exists():
        path = Path(test.support.__file__).parent.parent / "math_testcases.txt"
    if not path.exists():
        pytest.skip("this Python has no test data")
    count = 0
    for line in path.read_text().splitlines():
        fields = line.partition("--")[0].split()
        if not fields or fields[3] != "->" or not hasattr(math, fields[1]):
            continue
        x, want, flags = float(fields[2]), float(fields[4]), fields[5:]
        got = outcome(lambda x=x, name=fields[1]: ao.map(array("d", [x]), f"{name}(x)")[0])
        if "invalid" in flags or "divide-by-zero" in flags or "overflow" in flags:
            assert_same(got, outcome(getattr(math, fields[1]), x), line)
        elif fields[1] not in ("gamma", "lgamma"):
            assert difference(got, want, ulps=1) is None, line
        else:
            assert_same(got, getattr(math, fields[1])(x))
        count += 1
    assert count > 300


FAILING = [
    ("log(x)", 0.0), ("log(x)", -1.0), ("exp(x)", 1e4), ("sin(x)", math.inf), ("asin(x)", 2.0), ("acosh(x)", 0.5),
    ("log1p(x)", -1.0), ("atanh(x)", 1.0), ("x ** 0.5", -2.0), ("x ** -1.5", 0.0), ("x ** 2", 1e200), ("x ** 300", 1e3),
    ("fmod(3.1, x - 1.0)", 1.0), ("math.pow(x, 0.5)", -1.0), ("sqrt(x)", -1.0), ("cosh(x)", 1e3),
    ("1 if x == 0 else log(x)", -3.0), ("tan(x) + log2(x)", -1.0), ("log(x, 10)", 0.0), ("10 ** x", 400.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "bad"), FAILING)
def test_one_bad_element_among_many(text: str, bad: float) -> None:
    """It raises what the list comprehension raises; before it all is done, after it nothing."""
    data = array("d", [0.25 + 0.5 * (i % 3 == 0) + 1.0 * ("acosh" in text) for i in range(100_000)])
    data[77_777] = bad
    want = stored("d", element_outcomes(python_function(text), [data[77_700:77_800]]))
    assert_same(outcome(ao.map, data, text), want)
    out = array("d", bytes(8 * len(data)))
    assert_same(outcome(lambda: ao.map(data, text, out=out)), want)
    assert all(v != 0 for v in out[77_700:77_777]) and not any(out[77_777:])


@pytest.mark.parametrize(
    ("text", "x", "want"),
    [
        ("log(x)", 0.0, -math.inf), ("log(x)", -1.0, math.nan), ("exp(x)", 1e4, math.inf),
        ("sin(x)", math.inf, math.nan),
        ("log1p(x)", -1.0, -math.inf), ("atanh(x)", -1.0, -math.inf), ("acos(x)", 2.0, math.nan),
        ("log2(x)", 0.0, -math.inf),
        ("sinh(x)", -1e4, -math.inf), ("cosh(x)", -1e4, math.inf), ("x ** 0.5", -2.0, math.nan),
        ("x ** 2", 1e200, math.inf),
        ("fmod(x, 0)", 1.0, math.nan), ("math.pow(x, -1)", 0.0, math.inf),
        ("log(x, 10)", 0.0, -math.inf), ("expm1(x)", 1e4, math.inf), ("log10(x)", -0.0, -math.inf),
    ],
)  # fmt: skip
def test_ieee_results(text: str, x: float, want: float) -> None:
    assert_bytes(ao.map(array("d", [x] * 5), text, ieee=True), "d", [want] * 5)
    assert_same(ao.evaluate(text, ieee=True, x=x), want)


NUMEXPR = [
    ("sin(a)**2 + cos(a)**2", "math.sin(a)**2 + math.cos(a)**2"), ("arctan2(a, b)", "math.atan2(a, b)"),
    ("where(a > b, exp(-a), expm1(b))", "math.exp(-a) if a > b else math.expm1(b)"), ("arcsinh(a)", "math.asinh(a)"),
    ("log1p(abs(a)) * arctan(b)", "math.log1p(abs(a)) * math.atan(b)"), 
    ("tanh(a) + ln(b*b + 1)", "math.tanh(a) + math.log(b*b+1)"),
    ("arccosh(1 + a*a) - arcsin(a/20)", "math.acosh(1 + a*a) - math.asin(a/20)"), ("arctanh(a/20)", "math.atanh(a/20)"),
    ("arccos(b / 20)", "math.acos(b / 20)"), ("log(a*a + 1, 2)", "math.log(a*a + 1, 2)"),
    ("degrees(a) - radians(b)", "math.degrees(a) - math.radians(b)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "python"), NUMEXPR)
def test_expressions_of_numexpr_paste_in(text: str, python: str) -> None:
    rng = random.Random(text)
    a, b = (array("d", [rng.uniform(-9, 9) for _ in range(500)]) for _ in "ab")
    want = array("d", [eval(python, {"math": math, "a": x, "b": y}) for x, y in zip(a, b, strict=True)])
    first, *more = [{"a": a, "b": b}[name] for name in ao.compile(text).params]
    got = ao.map(first, text, *more)
    assert all(math.isclose(g, w, rel_tol=1e-14, abs_tol=1e-15) for g, w in zip(got, want, strict=True))


@pytest.mark.parametrize("text", ["gamma(x)", "lgamma(x)", "ulp(x)", "ldexp(x, 3)", "nextafter(x, 9)", "isclose(x, 3)",
                                  "comb(x, 2)", "perm(x)", "perm(x, 2)", "gcd(x, 12)", "lcm(x, 4, 6)", "isqrt(x)",
                                  "factorial(x)", "degrees(x)", "radians(x)", "math.pow(x, 2)", "hypot(x)",
                                  "hypot(x, 1, 2)", "gcd(x)", "comb(x, -1)", "factorial(-x)"])  # fmt: skip
def test_rare_functions_are_pythons(text: str) -> None:
    for data in (array("b", range(1, 9)), array("d", [1.0, 2.5, 3.0])):
        for target in ("d", "q"):
            want = stored(target, element_outcomes(python_function(text), [data]))
            assert_same(outcome(lambda d=data, t=target: ao.map(d, text, typecode=t)), want, text)


def test_hypot_of_several_sides() -> None:
    """Side by side in the machine: an ULP more for each side after the second; what is exact stays so."""
    rng = random.Random(3)
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -1e-310, 1e308, 1.7e308, 1e-200, 3.0, 4.0]
    columns = [
        array("d", [rng.choice(special) if rng.random() < 0.2 else rng.uniform(-9, 9) * 10.0 ** rng.randint(-3, 3)
                    for _ in range(3000)])
        for _ in range(4)
    ]  # fmt: skip
    for sides in (1, 2, 3, 4):
        names = ["x", "y", "z", "w"][:sides]
        kernel = ao.compile(f"hypot({', '.join(names)})")
        got = kernel(*columns[:sides])
        assert kernel.last_by_python == 0
        for value, *row in zip(got, *columns, strict=True):
            want = math.hypot(*row[:sides])
            assert (value != value) == (want != want) and (want != want or ulps_apart(value, want) <= sides), row
    assert ao.evaluate("hypot(x, 3*x, 6*x, 18, 0)", x=array("q", [2]))[0] == math.hypot(2, 6, 12, 18, 0)


def test_functions_of_integers_and_floats_of_32_bits() -> None:
    data = array("i", [0, 1, 2, 10, 100])
    assert (
        difference(ao.map(data, "exp(x / 10)", typecode="d"), array("d", [math.exp(x / 10) for x in data]), ulps=2)
        is None
    )
    singles = array("f", [0.1, 1.5, 3.25])
    assert difference(ao.map(singles, "log(x)"), array("f", [math.log(x) for x in singles]), ulps=1) is None


def test_names_of_functions_may_be_names_of_numbers() -> None:
    data = array("d", [2.0, 3.0])
    assert_bytes(ao.map(data, "x*gamma + e", gamma=2.0, e=1.0), "d", [5.0, 7.0])
    with pytest.raises(ao.ExpressionError, match="'gamma' is a function"):
        ao.map(data, "x*gamma")


@pytest.mark.parametrize(
    "text", ["log(x)", "sin(x)*exp(-x)", "x**1.5", "tanh(x)", "atan2(x, 3)", "hypot(x, 2)", "cbrt(x)"]
)
def test_functions_run_as_fast_from_lambdas(text: str) -> None:
    """The same bits, that is."""
    data = array("d", [0.25 * i + 0.125 for i in range(3000)])
    f = eval(f"lambda x: {text}", {name: getattr(math, name) for name in dir(math)})
    kernel = ao.compile(f, strict=True)
    assert kernel(data) == ao.map(data, text)


def test_levels_agree() -> None:
    """The same bytes at every level of instruction sets."""
    program = (
        "import arrayops as ao, sys, hashlib, random; from array import array\n"
        "r = random.Random(1); a = array('d', [r.uniform(-30, 30) for _ in range(3000)] + "
        "[r.uniform(-1, 1) * 10.0**r.randint(-300, 300) for _ in range(3000)]); h = hashlib.sha256()\n"
        f"for f in {ONE!r}: h.update(bytes(ao.map(a, f + '(x)', ieee=True)))\n"
        f"for f in {TWO!r}: h.update(bytes(ao.map(a, 'math.' + f + '(x, y)', ieee=True, y=a[::-1])))\n"
        "print(h.hexdigest())"
    )
    import arrayops._machine as machine

    digests = set()
    for level in machine.ISA_LEVELS:
        done = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "ARRAYOPS_ISA": level}, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        digests.add(done.stdout)
    assert len(digests) == 1
