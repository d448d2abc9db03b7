"""A range is an array of 'q': whatever takes buffers gives for it what it gives for array('q', range)."""

from __future__ import annotations

import itertools
import statistics
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import Raised, assert_bytes, assert_same, outcome

LENGTHS = [0, 1, 2, 3, 255, 256, 257, 1023, 1024, 1025, 3000]
LEAST, MOST = -(2**63), 2**63 - 1


@st.composite
def ranges(draw: st.DrawFn) -> range:
    """Of any step and length, near the ends of 64 bits as well."""
    step = draw(st.one_of(st.integers(-3, 3), st.integers(-(2**62), 2**62)).filter(bool))
    length = draw(st.sampled_from(LENGTHS))
    room = (MOST - LEAST) // abs(step)
    length = min(length, room + 1)
    reach = step * max(length - 1, 0)
    start = draw(st.integers(max(LEAST, LEAST - reach), min(MOST, MOST - reach)) | st.just(min(MOST, MOST - reach)))
    return range(start, start + step * length, step)


#: Calls of one buffer: what each gives for a range is what it gives for the array of its elements.
CALLS: list[tuple[str, Callable[[Any], Any]]] = [
    ("map", lambda a: ao.map(a, "x // 3 - 1")),
    ("map to floats", lambda a: ao.map(a, "0.5*x", typecode="d")),
    ("map of a call", lambda a: ao.map(a, int.__neg__)),
    ("map of a function", lambda a: ao.map(a, lambda x: x * 2)),
    ("map, several threads", lambda a: ao.map(a, "x ^ 5", threads=3)),
    ("filter", lambda a: ao.filter(a, "x % 3 == 1")),
    ("filter by a call", lambda a: ao.filter(a, lambda x: x.real > 0)),
    ("evaluate", lambda a: ao.evaluate("i % 7 == 0 and i", i=a)),
    ("reduce", lambda a: ao.reduce(a, "(acc*31 + x) & 0xFFFF", 7)),
    ("reduce without initial", lambda a: ao.reduce(a, "acc ^ x")),
    ("accumulate", lambda a: ao.accumulate(a, "acc ^ x")),
    ("sum", ao.sum),
    ("mean", ao.mean),
    ("min", ao.min),
    ("max", ao.max),
    ("minmax", ao.minmax),
    ("argmin", ao.argmin),
    ("argmax", ao.argmax),
    ("any", lambda a: ao.any(a, "x == 3")),
    ("count", lambda a: ao.count(a, "x & 1")),
    ("prod", lambda a: ao.prod(a) % 10007),
    ("dot", lambda a: ao.dot(a, a)),
    ("stats", ao.stats),
    ("var", ao.var),
    ("median", ao.median),
    ("unique", ao.unique),
    ("array_iterator", lambda a: list(ao.array_iterator(a))),
    ("lazy collect", lambda a: ao.lazy(a).map("x // 2").filter("x & 1").collect()),
    ("lazy sum", lambda a: ao.lazy(a).map("x*x").sum()),
    ("lazy of a call", lambda a: ao.lazy(a).map(str).map(len).collect("q")),
    ("stream", lambda a: ao.lazy([a, a]).map("x >> 1").stats()),
]


@pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in CALLS])
@given(numbers=ranges())
def test_a_range_is_its_array(call: Callable[[Any], Any], numbers: range) -> None:
    want, got = outcome(call, array("q", numbers)), outcome(call, numbers)
    if isinstance(want, Raised):
        assert isinstance(got, Raised), numbers
        assert type(got.error) is type(want.error), numbers
    elif isinstance(want, (array, int, float)):
        assert_same(got, want, numbers)
    else:
        assert got == want, numbers


@given(ranges(), st.integers(0, 2**32 - 1))
def test_an_index_beside_data(numbers: range, seed: int) -> None:
    data = array("h", [(seed >> (i % 16)) % 1000 - 500 for i in numbers])
    want = array("q", [x + i // 2 for x, i in zip(data, numbers, strict=True)])
    assert_same(ao.map(data, "x + i // 2", i=numbers, typecode="q"), want)
    assert_same(ao.evaluate("x + i // 2", i=numbers, x=data), want)


def test_arange_and_linspace() -> None:
    assert_bytes(ao.map(range(5), "0.5*x", typecode="d"), "d", [0.0, 0.5, 1.0, 1.5, 2.0])
    assert_bytes(ao.map(range(10, 0, -3), "x"), "q", [10, 7, 4, 1])
    assert_bytes(ao.evaluate("i*dt", i=range(3), dt=0.25), "d", [0.0, 0.25, 0.5])


def test_the_whole_width_of_64_bits() -> None:
    for numbers in (range(LEAST, MOST, 2**63 - 1), range(MOST, LEAST - 1, -(2**64 - 1)), range(MOST, MOST + 1, 10**30)):
        assert_bytes(ao.map(numbers, "x"), "q", list(numbers))


@pytest.mark.parametrize("numbers", [range(10**30), range(2**63, 2**63 + 2), range(LEAST - 1, 0, 2**62),
                                     range(0, -(10**30), -(10**29)), range(LEAST, MOST)])  # fmt: skip
def test_past_64_bits(numbers: range) -> None:
    for call in (lambda: ao.map(numbers, "x"), lambda: ao.sum(numbers), lambda: ao.lazy(numbers).sum(),
                 lambda: ao.evaluate("i", i=numbers)):  # fmt: skip
        with pytest.raises(OverflowError, match="range"):
            call()


def test_an_empty_range_may_begin_anywhere() -> None:
    assert_bytes(ao.map(range(10**30, 0), "x"), "q", [])


def test_nothing_is_made_of_all_its_elements() -> None:
    """The elements of this one would be 2 GiB; only the first are asked for."""
    numbers = range(1 << 28)
    assert ao.any(numbers, "x > 5")
    assert list(itertools.islice(iter(ao.lazy(numbers).map("x*x")), 3)) == [0, 1, 4]


def test_a_range_cannot_be_written() -> None:
    target: Any = range(1)
    for call in (lambda: ao.map_inplace(range(3), "x"), lambda: ao.map(array("q", [1]), "x", out=target),
                 lambda: ao.sort(target), lambda: ao.scale(target, 2), lambda: ao.lazy(b"a").to(target)):  # fmt: skip
        with pytest.raises(TypeError, match="range"):
            call()


def test_other_lengths() -> None:
    with pytest.raises(ValueError, match="same length: one has 3 elements, another 4"):
        ao.map(array("d", [1, 2, 3]), "x*i", i=range(4))


def test_its_addresses_are_nobodys() -> None:
    """Elements stand for addresses inside; those that are the output's own must not be taken for memory of it."""
    out = array("q", bytes(8 * 64))
    address, _ = out.buffer_info()
    numbers = range(address, address + 8 * 64, 8)
    ao.map(numbers, "x + 1", out=out)
    assert out.tolist() == [i + 1 for i in numbers]


def test_parts_of_one() -> None:
    numbers = range(100)
    assert ao.slice(numbers, 10, None, 30) == range(10, 100, 30)
    assert ao.mean(numbers[::-7]) == statistics.fmean(numbers[::-7])
    running = ao.RunningStats(numbers)
    assert (running.count, running.sum) == (100, 4950)


def test_beside_arrays_of_other_kinds() -> None:
    numpy = pytest.importorskip("numpy")
    got = ao.map(numpy.array([1.5, 2.5]), "x*i", i=range(2))
    assert type(got) is numpy.ndarray
    assert got.tolist() == [0.0, 2.5]
    pyarrow = pytest.importorskip("pyarrow")
    chunked = pyarrow.chunked_array([[1.5, None], [2.5]])
    assert ao.map(chunked, "x*i", i=range(3), nulls="propagate").to_pylist() == [0.0, None, 5.0]
