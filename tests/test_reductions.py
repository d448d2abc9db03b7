"""sum, mean, min and max: sum of integers is an exact int, of floats math.fsum; mean is statistics.fmean; min and max
are the builtins, NaN and signed zeros included."""

from __future__ import annotations

import math
import random
import statistics
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from oracle import FLOAT_CODES, INTEGER_CODES, TYPECODES, assert_same, edge_values, integer_range, outcome
from strategies import arrays, long_arrays

PYTHON: dict[str, Callable[[Any], Any]] = {"mean": statistics.fmean, "min": min, "max": max}


def check_all(values: array[Any]) -> None:
    """Compare the four reductions with Python's."""
    python_sum = math.fsum if values.typecode in FLOAT_CODES else sum
    for name, python in (PYTHON | {"sum": python_sum}).items():
        got = outcome(getattr(ao, name), values)
        assert_same(got, outcome(python, values), (name, values))


@given(arrays())
def test_drawn_values(values: array[Any]) -> None:
    check_all(values)


@given(long_arrays())
def test_long_arrays(values: array[Any]) -> None:
    check_all(values)


@pytest.mark.parametrize("typecode", TYPECODES)
def test_empty_one_and_edges(typecode: str) -> None:
    edges = edge_values(typecode)
    for values in ([], [edges[0]], [edges[-1]], edges, edges[::-1], [edges[0]] * 1000, [0] * 70):
        check_all(array(typecode, values))


@pytest.mark.parametrize("typecode", INTEGER_CODES)
def test_integer_sums_are_exact_beyond_64_bits(typecode: str) -> None:
    low, high = integer_range(typecode)
    for values in ([high] * 5000, [low] * 5000, [high, low] * 2500, [high] * 4999 + [low]):
        check_all(array(typecode, values))


CANCELLING = [
    [1e308, 1e308, -1e308, -1e308], [1e16, 1.0, -1e16], [1.0, 1e100, 1.0, -1e100], [0.1] * 10, [1e-320] * 100,
    [5e-324, -5e-324, 5e-324],
    [2.0**53, 1.0, 1.0], [2.0**53, 1.0, 5e-324], [2.0**53, 1.0, -5e-324], [1.7976931348623157e308, 9.9e291],
    [1.7976931348623157e308, 1e292],
    [1.7976931348623157e308, 1.7976931348623157e308], [-0.0], [-0.0, -0.0], [0.0, -0.0], [math.inf, 1.0],
    [math.inf, -math.inf],
    [math.nan, 1.0], [math.inf, math.nan], [-math.inf, math.nan, math.inf], [1e308, 1e308, math.inf],
    [1.0, 2.0**-53, 2.0**-106],
    [1.0, 2.0**-53, -(2.0**-106)], [2.0**1023, 2.0**1023, -(2.0**1023)], [-(2.0**1023), -(2.0**1023)],
    [math.nan, math.inf, -math.inf],
]  # fmt: skip


@pytest.mark.parametrize("values", CANCELLING)
def test_cancellation_overflow_and_specials(values: list[float]) -> None:
    check_all(array("d", values))
    check_all(array("d", values[::-1]))
    check_all(array("d", values * 300))


@pytest.mark.parametrize("seed", range(20))
def test_sums_of_wildly_different_magnitudes(seed: int) -> None:
    rng = random.Random(seed)
    values = [rng.uniform(-1, 1) * 2.0 ** rng.randint(-1070, 960) for _ in range(rng.randint(1, 3000))]
    values += [-v for v in rng.sample(values, len(values) // 2)]
    rng.shuffle(values)
    check_all(array("d", values))
    check_all(array("f", [math.ldexp(v, -math.frexp(v)[1] + rng.randint(-140, 120)) if v else 0.0 for v in values]))


ORDERED = [
    [math.nan], [math.nan, 1.0], [1.0, math.nan], [1.0, math.nan, 0.0], [0.0, -0.0], [-0.0, 0.0], [1.0, -0.0, 0.0],
    [math.nan, math.nan, 3.0],
    [math.inf, -math.inf], [3.0, 1.0, math.nan, 2.0, 0.5], [-0.0, 0.0, -0.0], [5e-324, -5e-324],
    [2.0, math.nan, 1.0, math.nan, 7.0],
]  # fmt: skip


@pytest.mark.parametrize("values", ORDERED)
@pytest.mark.parametrize("pad", [0, 1, 7, 8, 63, 64, 255, 256, 511, 512, 1024])
def test_min_and_max_agree_on_nan_and_signed_zeros(values: list[float], pad: int) -> None:
    """Python keeps the first of equals and compares left to right, so a NaN wins only where it stands first."""
    for typecode in FLOAT_CODES:
        check_all(array(typecode, values + [1.0] * pad))
        check_all(array(typecode, [1.0] * pad + values))
        check_all(array(typecode, [values[0]] * pad + values))


def test_types_of_the_results() -> None:
    assert type(ao.sum(array("b", [1]))) is int
    assert type(ao.sum(array("f", [1]))) is float
    assert type(ao.mean(array("b", [1]))) is float
    assert type(ao.max(array("B", [1]))) is int


def test_reductions_read_any_buffer() -> None:
    data = bytes(range(1, 200))
    assert ao.sum(data) == sum(data)
    assert ao.mean(memoryview(data)) == statistics.fmean(data)
    assert (ao.min(bytearray(data)), ao.max(memoryview(data)[3:9])) == (1, 9)
