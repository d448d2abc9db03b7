"""Filters, pipelines and counts that several threads share: what one thread gives, whatever the number; see shares.c.

How many threads is decided by the work: an expression of so many sines is shared from 16,385 elements on.
"""

from __future__ import annotations

import random
import time
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import arrayops as ao
import pytest

CHUNK = 16384  # vm/parallel.h
HEAVY = "+".join(f"sin(x*{k})" for k in range(1, 41))
THREADS = range(1, 8)


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    before = ao.set_num_threads(1)
    yield
    ao.set_num_threads(before)


def doubles(size: int) -> array[float]:
    return array("d", (((k * 7919) % 10007 - 5003.5) / 64 for k in range(size)))


CALLS: dict[str, Callable[[Any], Any]] = {
    "filter": lambda x: ao.filter(x, f"{HEAVY} > 0.25"),
    "filter of another": lambda x: ao.filter(array("h", range(1000)) * (len(x) // 1000 + 1), f"{HEAVY} > 0.25"),
    "count": lambda x: ao.count(x, f"{HEAVY} > 0.25"),
    "collect": lambda x: ao.lazy(x).filter(f"{HEAVY} > 0.25").map("x * 2 + 1").collect(),
    "collect all": lambda x: ao.lazy(x).map(HEAVY).collect(),
    "collect floats": lambda x: ao.lazy(x).map(HEAVY).filter("x > 0").collect("f"),
    "collect ints": lambda x: ao.lazy(x).map(f"int({HEAVY})").filter("x").collect("b"),
    "sum": lambda x: ao.lazy(x).map(HEAVY).sum(),
    "stats": lambda x: ao.lazy(x).filter(f"{HEAVY} > 0").stats(),
    "extremes": lambda x: (ao.lazy(x).map(HEAVY).min(), ao.lazy(x).map(HEAVY).max()),
    "sort": lambda x: ao.unique(x),
    "histogram": lambda x: ao.histogram(x, [k / 7 for k in range(-500, 500, 3)]),
    "windows": lambda x: ao.rolling(x, 5).median(),
    "by Python": lambda x: ao.lazy(x).filter(f"{HEAVY} > 0").map("int(x)").map("x if x < 77 else x ** 40").sum(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_same_bits(call: Callable[[Any], Any]) -> None:
    x = doubles(2 * CHUNK + 3)
    for data in (x, x[: CHUNK + 1], memoryview(x)[::-1], ao.view(x.tobytes(), "d", 8)):
        ao.set_num_threads(1)
        expected = repr(call(data))
        for threads in THREADS if data is x else (2, 3):
            ao.set_num_threads(threads)
            assert repr(call(data)) == expected


@pytest.mark.parametrize("places", [[0], [CHUNK - 1, CHUNK], [2 * CHUNK + 8], [CHUNK + 7, 2 * CHUNK], []])
def test_marked_elements_and_exceptions_are_those_of_one_thread(places: list[int]) -> None:
    x = array("d", [3.0]) * (2 * CHUNK + 9)
    for place in places:
        x[place] = 0.0
    ints, left = array("q", map(int, x)), len(x) - len(places)
    raising, guarded = f"(1/x + {HEAVY}) * 0 + x > 1", f"(1/x if x else -1) + 0*({HEAVY}) > 0"
    large = ao.lazy(ints).map(f"(2**62 * (4 - x) if x < 3 else 1) + 0*int({HEAVY})")
    for threads in (1, 2, 3, 7):
        ao.set_num_threads(threads)
        assert len(ao.filter(x, guarded)) == ao.count(x, guarded) == left
        assert ao.lazy(x).filter(guarded).map("1/x").collect() == array("d", [1 / 3]) * left
        assert large.sum() == 2**64 * len(places) + left
        if not places:
            assert ao.count(x, raising) == left
            continue
        for call in (lambda: ao.filter(x, raising), lambda: ao.count(x, raising)):
            with pytest.raises(ZeroDivisionError) as caught:
                call()
            assert caught.value.__notes__ == [f"element {min(places)}"]
        with pytest.raises(ZeroDivisionError):
            ao.lazy(x).map(f"1/x + {HEAVY}").collect()


def test_values_that_do_not_fit() -> None:
    x = array("d", [1.0]) * (2 * CHUNK)
    x[-2] = 300.0
    for threads in (1, 2, 3):
        ao.set_num_threads(threads)
        with pytest.raises(OverflowError, match="unsigned byte integer is greater than maximum"):
            ao.lazy(x).map(f"int(x) + 0*int({HEAVY})").collect("B")


#: Of any kind, with nans, zeros of both signs and many equal ones: sorting is stable, which bits show.
SORTED = {
    "d": [1.5, -0.0, 0.0, float("nan"), -float("inf"), 5e-324, -2.0, -float("nan")],
    "f": [1.5, -0.0, 0.0, float("nan"), -1.0],
    "b": [3, -128, 127, 0],
    "H": [40000, 3, 0, 65535],
    "q": [2**63 - 1, -(2**63), 0, 5],
}


@pytest.mark.parametrize("code", SORTED)
def test_sorting(code: str) -> None:
    chance, size = random.Random(19), 4 * CHUNK + 7
    odd = SORTED[code]
    data = array(code, [chance.choice(odd) if k % 3 else k % 100 for k in range(size)])
    expected, distinct = data[:], ao.unique(data)
    ao.sort(expected)
    for threads in THREADS[1:]:
        ao.set_num_threads(threads)
        again, backwards = data[:], data[::-1]
        ao.sort(again)
        assert again.tobytes() == expected.tobytes()
        assert ao.unique(data).tobytes() == distinct.tobytes()
        ao.sort(memoryview(backwards)[::-1])
        assert backwards[::-1].tobytes() == expected.tobytes()


@pytest.mark.parametrize("bins", [7, 5000, [-50, -1, -1, 0, 3.5, 70]])
def test_histograms(bins: Any) -> None:
    data = array("d", doubles(CHUNK)) * 32 + array("d", [float("nan"), 1e300])
    for x in (data, memoryview(data)[::-1], array("h", range(-99, 99)) * 2700):
        ao.set_num_threads(1)
        expected = ao.histogram(x, bins, (-80, 80))
        for threads in (2, 3, 7):
            ao.set_num_threads(threads)
            assert ao.histogram(x, bins, (-80, 80)) == expected


@pytest.mark.parametrize("what", ["sum", "mean", "min", "max", "var", "std", "median"])
def test_windows(what: str) -> None:
    data = array("d", doubles(CHUNK)) * 17
    data[5 * CHUNK], data[-3], data[9 * CHUNK] = float("nan"), 1e300, float("inf")
    for x, n, partial in ((data, 9, False), (data, 30, True), (memoryview(data)[::-1], 2, True),
                          (array("h", range(-99, 99)) * 1400, 5, False), (data, 1, True)):  # fmt: skip
        ao.set_num_threads(1)
        expected = getattr(ao.rolling(x, n, partial=partial), what)()
        for threads in (2, 3, 7):
            ao.set_num_threads(threads)
            assert getattr(ao.rolling(x, n, partial=partial), what)().tobytes() == expected.tobytes()
    if what == "sum":
        large = array("q", [2**62]) * (17 * CHUNK)
        with pytest.raises(OverflowError, match="the sum of a window does not fit 64 bits"):
            ao.rolling(large, 3).sum()


@pytest.mark.parametrize("name", ["filter", "count", "collect", "sum", "sort", "histogram", "windows"])
def test_other_threads_do_their_part(name: str) -> None:
    """By processor time, of which the caller has its share only."""
    x = doubles(40 * CHUNK if name in ("sort", "histogram", "windows") else 8 * CHUNK)
    ao.set_num_threads(4)
    CALLS[name](x)
    shares = []
    for _ in range(5):
        whole, own = time.process_time(), time.thread_time()
        CALLS[name](x)
        shares.append((time.thread_time() - own) / (time.process_time() - whole))
    assert min(shares) < 0.8
