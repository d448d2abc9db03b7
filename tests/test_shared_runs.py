"""Filters, pipelines and counts that several threads share: what one thread gives, whatever the number; see shares.c.

How many threads is decided by the work: an expression of so many sines is shared from 16,385 elements on.
"""

from __future__ import annotations

import math
import random
import threading
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import arrayops as ao
import pytest
from arrayops import _machine

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
    "extremes of some": lambda x: (p := ao.lazy(x).filter(f"{HEAVY} > 0").map("x * 0.0")) and (p.min(), p.max()),
    "any": lambda x: (ao.any(x, f"{HEAVY} > 99"), ao.any(x, f"{HEAVY} > 9")),
    "all": lambda x: (ao.all(x, f"{HEAVY} < 99"), ao.all(x, f"{HEAVY} < 9")),
    "first": lambda x: (ao.first(x, f"{HEAVY} > 99"), ao.first(x, f"{HEAVY} > 9")),
    "sort": lambda x: ao.unique(x),
    "argsort": lambda x: ao.argsort(x),
    "median": lambda x: (ao.median(x), ao.quantile(x, [0.1, 0.9])),
    "bincount": lambda x: ao.bincount(array("H", range(100)) * (len(x) // 100)),
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
        for threads in THREADS if data is x else (3,):
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


@pytest.mark.parametrize("code", SORTED)
def test_places_in_order(code: str) -> None:
    """Stable, with nans last, forwards and in reverse."""
    chance, size = random.Random(20), 4 * CHUNK + 7
    data = array(code, [chance.choice(SORTED[code]) if k % 3 else k % 100 for k in range(size)])
    numbers = sorted((i for i, v in enumerate(data) if v == v), key=data.__getitem__)
    downwards = sorted((i for i, v in enumerate(data) if v == v), key=lambda i: -data[i])
    nans = [i for i, v in enumerate(data) if v != v]
    for threads in THREADS:
        ao.set_num_threads(threads)
        assert ao.argsort(data) == array("q", numbers + nans)
        assert ao.argsort(data, reverse=True) == array("q", downwards + nans)


def selections(code: str) -> list[array[Any]]:
    """Of all sizes, few different ones, one that is apart, already in order."""
    chance, size = random.Random(21), 33 * CHUNK
    low, high = (-1e9, 1e9) if code in "df" else (min(SORTED[code]), max(SORTED[code]))
    some = [chance.uniform(low, high) if code in "df" else chance.randint(low, high) for _ in range(999)]
    return [array(code, some) * (size // 999), array(code, [some[0]]) * (size - 1) + array(code, some[1:2]),
            array(code, sorted(some * (size // 999)))]  # fmt: skip


@pytest.mark.parametrize("code", SORTED)
def test_selections(code: str) -> None:
    """Medians and quantiles, also where the element behind the one that is looked for has another digit."""
    for data in selections(code):
        in_order, n = sorted(data), len(data)
        places = [0, n // 2, n - 1, *(k * (n // 999) - 1 for k in (1, 998))]
        for threads in (3, 7):
            ao.set_num_threads(threads)
            for k in places:
                found = _machine.select(data, k, k + 1 < n)
                assert found == in_order[k : k + 2]
            assert ao.median(data) == statistics_median(in_order)
    if code in "df":
        for at in (0, n - 1):
            data[at] = float("nan")
            assert math.isnan(ao.median(data))
            data[at] = 1.0


def statistics_median(in_order: list[Any]) -> Any:
    half = len(in_order) // 2
    return in_order[half] if len(in_order) % 2 else (in_order[half - 1] + in_order[half]) / 2


BESIDE_A_WRITER = [ao.median, ao.argsort, lambda x: ao.bincount(x, x), ao.argmin, lambda x: ao.sort(x[:])]


@pytest.mark.parametrize("call", BESIDE_A_WRITER)
def test_another_thread_writes_meanwhile(call: Callable[[Any], Any]) -> None:
    """The answer is that of some numbers, and no memory is touched that is not the call's."""
    x = array("q", range(2_200_000))
    small = memoryview(x)[: 40 * CHUNK]
    done = threading.Event()

    def write() -> None:
        k = 0
        while not done.is_set():
            x[k % len(small)] = k * 7919 % 1000
            k += 4099

    ao.set_num_threads(3)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            call(x if call is ao.argmin else small)
    finally:
        done.set()
        writer.join()


#: What threads add up for a key is more than 64 bits hold, all of it is not.
WEIGHTS = {
    "q": array("q", [2**62]) * 270_000 + array("q", [1 - 2**62]) * 270_000,
    "Q": array("Q", [2**53]) * 540_000,
    "d": array("d", [1e16, 1.0, -1e16]) * 180_000,
}


@pytest.mark.parametrize("code", [None, *WEIGHTS])
def test_counts_by_key(code: str | None) -> None:
    keys = array("H", range(1000)) * 540
    weights = None if code is None else WEIGHTS[code]
    added = array("q", [1]) * 540 if weights is None else weights[7::1000]
    expected = math.fsum(added) if code == "d" else sum(added)
    for x in (keys, memoryview(array("H", keys[::-1]))[::-1]):
        for threads in THREADS if x is keys else (2, 3):
            ao.set_num_threads(threads)
            found = ao.bincount(x, weights, minlength=1003)
            assert (len(found), found[7], found[1002]) == (1003, expected, 0)
            assert found[:1000] == found[7:8] * 1000 or code == "d"


READ = array("d", doubles(CHUNK)) * 129  # so long that threads share what is only read


@pytest.mark.parametrize("odd", [[], [1e9, -1e9], [float("nan")], [-0.0, 0.0]], ids=repr)
def test_extremes_of_arrays(odd: list[float]) -> None:
    """min, max and their places: the first of equal ones, a nan if it is the first element."""
    for at in (0, len(READ) // 2 + 5, len(READ) - 2):
        x = ao.map(READ, "abs(x) + 1") if odd == [-0.0, 0.0] else READ[:]
        x[at : at + len(odd)] = array("d", odd)
        places = [*range(CHUNK), *range(at, at + len(odd))]  # what is behind repeats the first of them
        found = [f(places, key=x.__getitem__) for f in (min, max)]
        expected = [*(repr(x[place]) for place in found), *found]
        for threads in (1, 2, 3, 7):
            ao.set_num_threads(threads)
            assert [repr(ao.min(x)), repr(ao.max(x)), ao.argmin(x), ao.argmax(x)] == expected


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


LONG = ("sort", "argsort", "median", "bincount", "histogram", "windows")  # what has less to do for an element


@pytest.mark.parametrize("name", [name for name in CALLS if name != "by Python"])
def test_other_threads_have_their_part(name: str) -> None:
    """By the number of elements that are given to them."""
    x = doubles(40 * CHUNK if name in LONG else 3 * CHUNK)

    def shared(threads: int) -> int:
        ao.set_num_threads(threads)
        before = _machine.shared()
        CALLS[name](x)
        return _machine.shared() - before

    assert shared(1) == 0
    assert shared(3) >= CHUNK


# -- searches: what the earliest element says, as with one thread ------------------------------------------------------

SIZE = 3 * CHUNK + 5
DECIDING = {
    "any": lambda x, text: ao.any(x, text),
    "all": lambda x, text: not ao.all(x, f"not ({text})"),
    "first": lambda x, text: ao.first(x, text),
    "takewhile": lambda x, text: ao.lazy(x).takewhile(f"not ({text})").count(),
}


@pytest.mark.parametrize("name", DECIDING)
@pytest.mark.parametrize("places", [[0], [CHUNK], [CHUNK + 1, 2 * CHUNK], [2 * CHUNK + 7], [SIZE - 1], []])
def test_what_decides_is_the_earliest(name: str, places: list[int]) -> None:
    x = array("d", bytes(8 * SIZE))
    for place in places:
        x[place] = 1.0
    expected = {"any": bool(places), "all": bool(places), "first": min(places, default=-1),
                "takewhile": min(places, default=SIZE)}[name]  # fmt: skip
    for data in (x, memoryview(array("d", x[::-1]))[::-1]):
        for threads in THREADS if data is x else (2, 3):
            ao.set_num_threads(threads)
            assert DECIDING[name](data, f"x > 0.5 and {HEAVY} < 99") == expected


@pytest.mark.parametrize("zero", [7, CHUNK + 7, 2 * CHUNK + 7])
@pytest.mark.parametrize("hit", [9, CHUNK + 9, 2 * CHUNK + 9, SIZE])
def test_an_exception_counts_if_nothing_before_it_decides(zero: int, hit: int) -> None:
    """Python is asked for no element behind the one that decides, but for those before it."""
    x = array("d", [2.0]) * SIZE
    x[zero] = 0.0
    if hit < SIZE:
        x[hit] = 5.0
    for threads in (1, 2, 3, 7):
        ao.set_num_threads(threads)
        for name in ("any", "all", "first"):
            if hit < zero:
                assert DECIDING[name](x, f"1/x < 0.3 and {HEAVY} < 99") == (hit if name == "first" else True)
                continue
            with pytest.raises(ZeroDivisionError) as caught:
                DECIDING[name](x, f"1/x < 0.3 and {HEAVY} < 99")
            assert caught.value.__notes__ == [f"element {zero}"]


def test_python_decides_too() -> None:
    """Marked elements in any share, whose answers are true or false."""
    for places in ([CHUNK + 3], [2 * CHUNK, 2 * CHUNK + 50], [40, CHUNK + 2, SIZE - 1]):
        ints = array("q", [1]) * SIZE
        for place in (*places, 20, CHUNK + 1):
            ints[place] = 2**62 + (place in places)
        for threads in (1, 2, 3, 7):
            ao.set_num_threads(threads)
            assert ao.first(ints, f"x*x*x % 2 == 1 and x > 1 and {HEAVY} < 99") == min(places)
            assert _machine.last_asked() <= 4


def test_a_search_ends_early_in_every_thread() -> None:
    """Each stops at the chunk that decides, so no more than that is done by others than the caller."""
    x = array("d", bytes(8 * CHUNK)) + array("d", [1.0]) * (100 * CHUNK)
    for name in ("any", "all", "first"):
        ao.set_num_threads(4)
        before = _machine.shared()
        assert DECIDING[name](x, f"x > 0.5 and {HEAVY} < 99") == (CHUNK if name == "first" else True)
        assert _machine.shared() - before <= 3 * CHUNK


#: The first of equal ones is the answer, which a zero's sign shows; a nan counts if it is the first value.
EXTREMES = ([0.0, -0.0], [-0.0, 0.0], [float("nan"), 1.0], [1.0, float("nan")], [float("nan")])


@pytest.mark.parametrize("values", EXTREMES, ids=repr)
def test_extremes_are_the_first_of_equals(values: list[float]) -> None:
    for at in (5, CHUNK + 3):
        x = array("d", [9.0]) * SIZE
        x[at : at + len(values)] = array("d", values)
        x[CHUNK + 500 :: 1000] = array("d", values[-1:]) * len(x[CHUNK + 500 :: 1000])
        kept = [v for v in x if not v > 8]
        pipe = ao.lazy(x).filter(f"not x > 8 and {HEAVY} < 99 or x != x")
        for threads in (1, 2, 3, 7):
            ao.set_num_threads(threads)
            assert (repr(pipe.min()), repr(pipe.max())) == (repr(min(kept)), repr(max(kept)))
