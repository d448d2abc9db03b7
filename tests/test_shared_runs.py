"""Filters, pipelines and counts that several threads share: what one thread gives, whatever the number; see shares.c.

How many threads is decided by the work: an expression of so many sines is shared from 16,385 elements on.
"""

from __future__ import annotations

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


@pytest.mark.parametrize("name", ["filter", "count", "collect", "sum"])
def test_other_threads_do_their_part(name: str) -> None:
    """By processor time, of which the caller has its share only."""
    x = doubles(8 * CHUNK)
    ao.set_num_threads(4)
    CALLS[name](x)
    whole, own = time.process_time(), time.thread_time()
    CALLS[name](x)
    whole, own = time.process_time() - whole, time.thread_time() - own
    assert own < 0.6 * whole
