"""round(x, n) equals Python's, bit for bit: ties, halves of ties, powers of two, every n.

As a program it takes so many random doubles of each n: python tests/test_round.py 250000
"""

from __future__ import annotations

import itertools
import math
import random
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import Raised, difference, edge_values, outcome, stored

DIGITS = [*range(-23, 24), -400, -309, -308, 100, 300, 323, 324, 400, 10**30, -(10**30)]


def neighbours(x: float) -> list[float]:
    return [x, math.nextafter(x, math.inf), math.nextafter(x, -math.inf)]


def ties(n: int, rng: random.Random) -> Iterator[float]:
    """Doubles at or next to the middle of two multiples of 10**-n."""
    for size in (1, 10, 1000, 10**6, 10**12, 2**52, 2**53, 2**54):
        for _ in range(12):
            k = rng.randrange(size) + 0.5
            yield from neighbours(k / 10.0**n if n >= 0 else k * 10.0**-n)


def special(n: int) -> Iterator[float]:
    for exponent in (-1074, -1022, -300, -70, -1, 0, 1, 30, 51, 52, 53, 54, 60, 100, 1000, 1023):
        yield from neighbours(math.ldexp(1.0, exponent))
    for k in (2.0**51, 2.0**52, 2.0**53, 2.0**54):  # where x * 10**n has no digits left
        if abs(n) < 300:
            yield from neighbours(k / 10.0**n)
    yield from (0.0, math.inf, math.nan, 0.5, 1.5, 2.5, 1e22, 1e23, 2.675, 1.005, 0.285, 1.7976931348623157e308)


def _rounded(x: float, n: int) -> array[float]:
    return array("d", [round(x, n)])


def assert_rounds(values: Iterable[float], n: int) -> None:
    data = array("d", [s * v for v in values for s in (1.0, -1.0)])
    want = outcome(lambda: array("d", [round(x, n) for x in data]))
    if isinstance(want, Raised):  # too large when rounded up: one by one
        for x in data:
            assert difference(outcome(ao.map, array("d", [x]), f"round(x, {n})"), outcome(_rounded, x, n)) is None
        return
    for got in (ao.map(data, f"round(x, {n})"), ao.map(data, lambda x: round(x, n)), ao.map(data, "round(x, n)", n=n)):
        if bytes(got) != bytes(want):
            at = next(i for i in range(len(data)) if struct.pack("d", got[i]) != struct.pack("d", want[i]))
            pytest.fail(f"round({data[at]!r}, {n}) is {want[at]!r}, not {got[at]!r}")


@pytest.mark.parametrize("n", DIGITS)
def test_ties_and_special_values(n: int) -> None:
    rng = random.Random(n)
    assert_rounds([*special(n), *(ties(n, rng) if abs(n) < 300 else ())], n)


def random_doubles(rng: random.Random, n: int, count: int) -> Iterator[float]:
    """Five kinds: decimal numbers, doubles of every exponent, those whose digits end near n, and ties."""
    for _ in range(count // 5):
        yield rng.uniform(-1000, 1000)
        yield struct.unpack("d", struct.pack("Q", rng.getrandbits(63)))[0]
        yield math.ldexp(rng.random(), round(-n * math.log2(10)) + rng.randrange(-6, 58))
        yield rng.randrange(10**9) / 10 ** rng.randrange(12)
        yield (rng.getrandbits(rng.randrange(1, 54)) + 0.5) * 10.0**-n


@pytest.mark.parametrize("n", range(-22, 23))
def test_random_doubles(n: int) -> None:
    assert_rounds(random_doubles(random.Random(f"round {n}"), n, 10_000), n)


@given(st.lists(st.floats(), min_size=1, max_size=20), st.integers(-22, 22))
def test_any_doubles(values: list[float], n: int) -> None:
    assert_rounds(values, n)


def test_digits_that_differ_by_element() -> None:
    values = [v for n in (-22, -3, 0, 2, 22) for v in ties(n, random.Random(n))]
    data, digits = array("d", values), array("b", [i % 45 - 22 for i in range(len(values))])
    want = array("d", [round(x, n) for x, n in zip(data, digits, strict=True)])
    assert bytes(ao.map(data, "round(x, n)", digits)) == bytes(want)
    digits[7], digits[99] = 23, -100
    want = array("d", [round(x, n) for x, n in zip(data, digits, strict=True)])
    assert bytes(ao.map(data, "round(x, n)", digits)) == bytes(want)


@pytest.mark.parametrize("typecode", "bBhHiIlLqQ")
@pytest.mark.parametrize("n", [-25, -20, -19, -18, -17, -10, -9, -5, -3, -2, -1, 0, 1, 30])
def test_ints(typecode: str, n: int) -> None:
    rng = random.Random(f"{typecode}{n}")
    unit = 10 ** max(-n, 0)
    data = array(typecode, edge_values(typecode))
    lo, hi = min(data), max(data)
    around = [k * unit // 2 + d for k in (*range(-9, 10), hi * 2 // unit, lo * 2 // unit) for d in (-1, 0, 1)]
    data.extend(v for v in around if lo <= v <= hi)
    data.extend(rng.randint(lo, hi) for _ in range(200))
    for target in (typecode, "d"):
        for one in (data, array(typecode, [v for v in data if lo // 4 < v < hi // 4])):
            want = stored(target, [round(x, n) for x in one])
            assert difference(outcome(ao.map, one, f"round(x, {n})", typecode=target), want) is None
    kept = [x for x in data if round(x, n) == x]
    assert list(ao.filter(data, f"round(x, {n}) == x")) == kept


def test_float_digits_and_unions() -> None:
    data = array("d", [1.25, -2.5, 1e300])
    for text in ("round(x, 1.0)", "round(1.5, x)"):
        with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
            ao.map(data, text)
    mixed = "round(x if x > 0 else 25, -1)"
    want = array("d", [round(x if x > 0 else 25, -1) for x in data])
    assert bytes(ao.map(data, mixed)) == bytes(want)
    assert bytes(ao.map(data, "round(x, x > 0)")) == bytes(array("d", [round(x, x > 0) for x in data]))


def test_round_in_folds_and_pipelines() -> None:
    data = array("d", [i / 7 for i in range(1000)])
    rounded = [round(x, 2) for x in data]
    assert ao.lazy(data).map("round(x, 2)").sum() == math.fsum(rounded)
    total = list(itertools.accumulate(data, lambda acc, x: round(acc + x, 3)))
    assert list(ao.accumulate(data, "round(acc + x, 3)")) == total


if __name__ == "__main__":
    for digits in range(-22, 23):
        assert_rounds(random_doubles(random.Random(f"many {digits}"), digits, int(sys.argv[1])), digits)
