"""x**n of floats for a constant n: within one ULP of the true value, and Python's exceptions and special values."""

from __future__ import annotations

import math
import random
from array import array

import arrayops as ao
import mpmath
import pytest
from oracle import difference, outcome, python_function, stored

HALVES = [n / 2 for n in range(-68, 69)]  # multiplied out up to 32
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e300, -1e300, math.inf,
           -math.inf, math.nan, 1.7976931348623157e308, 0.9999999999999999, -1.0000000000000002]  # fmt: skip


def bases(n: float) -> array[float]:
    """Numbers whose powers are of every size, some beyond the ends of doubles."""
    rng = random.Random(n)
    exponents = [rng.uniform(-1080 / abs(n) - 3, 1030 / abs(n) + 3) if n else 0.0 for _ in range(60)]
    signs = (1.0,) if n % 1 else (1.0, -1.0)
    values = [rng.choice(signs) * math.exp2(min(max(e, -1074.0), 1023.9)) for e in exponents]
    return array("d", values + [rng.uniform(0.5, 2.0) for _ in range(60)])


@pytest.mark.parametrize("n", HALVES)
def test_within_one_ulp_of_the_true_value(n: float) -> None:
    given = bases(n)
    for x, got in zip(given, ao.map(given, f"x ** {n!r}", ieee=True), strict=True):
        with mpmath.workprec(200):
            want = mpmath.mpf(x) ** n
            nearest = float(want)
            error = float(abs(got - want) / math.ulp(nearest)) if math.isfinite(nearest) else float(got != nearest)
        assert error <= 1.0, (x, got, nearest)


@pytest.mark.parametrize(
    ("low", "high"), [(0.999, 1.001), (0.7, 0.72), (1.03, 1.05), (1.4, 1.42), (0.5, 2.0), (1e-300, 1e300)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_powers_almost_out_of_range_err_by_no_more_than_others(low: float, high: float, sign: int) -> None:
    """There an error of the logarithm counts 700 times: near 2^-970 powers were 1.9 ULP off."""
    rng = random.Random(low)
    x = array("d", [rng.uniform(low, high) for _ in range(3000)])
    y = array("d", [sign * rng.uniform(600, 707) / math.log(v) for v in x])
    with mpmath.workprec(200):
        for base, exponent, got in zip(x, y, ao.map(x, "x ** y", y=y), strict=True):
            want = mpmath.power(base, exponent)
            assert abs(got - want) <= 0.75 * math.ulp(float(want)), (base, exponent, got)


@pytest.mark.parametrize("text", ["x ** {}", "math.pow(x, {})", "pow(x, {})", "x ** {} + y"])
@pytest.mark.parametrize("n", [3, 0, -1, -2, 0.5, -0.5, 1.5, 7, -31.5, 32, 33, 0.25])
def test_special_values_and_exceptions(text: str, n: float) -> None:
    text = text.format(n)
    f = python_function(text)
    for x in [*SPECIAL, *bases(n)[:9]]:
        want = outcome(f, x, 0.0) if "y" in text else outcome(f, x)
        got = outcome(lambda x=x: ao.map(array("d", [x]), text, **({"y": 0.0} if "y" in text else {})))
        assert difference(got, stored("d", [want]), ulps=1) is None, (x, got, want)


def test_neighbours_do_not_matter() -> None:
    """A number's power has the same bits alone and beside numbers for which another way is taken."""
    for n in (3, -1, -2, 0.5, 2.5, -17.5, 32):
        given = bases(n) + array("d", [*SPECIAL, 1.4e308, -6.2e307, 5.6e-309, 2.0**-1022])
        together = ao.map(given, f"x ** {n}", ieee=True)
        alone = b"".join(ao.map(array("d", [x]), f"x ** {n}", ieee=True).tobytes() for x in given)
        assert together.tobytes() == alone, n


def test_inverses_and_roots_are_rounded_once() -> None:
    """Those of 1 / x and math.sqrt, from the smallest numbers to the largest."""
    rng = random.Random(1)
    given = array("d", [math.ldexp(rng.uniform(1, 2), rng.randrange(-1074, 1024)) for _ in range(3000)])
    for special in (array("d"), array("d", SPECIAL)):
        x = given + special
        roots = [math.sqrt(v) + 0.0 if v >= 0 else math.inf if v == -math.inf else math.nan for v in x]
        assert difference(ao.map(x, "x ** 0.5", ieee=True), array("d", roots)) is None
        large = array("d", [v for v in x if not abs(v) <= 2.0**-1024])
        assert difference(ao.map(large, "x ** -1"), array("d", [1 / v for v in large])) is None
