"""Arrays are taken and made by their fields (python/glue/buffers.c), or by the buffer protocol: nobody sees which."""

from __future__ import annotations

import copy
import pickle
import sys
import sysconfig
import weakref
from array import array
from collections.abc import Iterator
from typing import Any

import arrayops as ao
import arrayops._machine as machine
import pytest

CODES = "bBhHiIlLqQfd"


@pytest.fixture(params=[True, False], ids=["fields", "protocol"], autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Both ways; afterwards as before."""
    before = machine.know_arrays(request.param)
    yield request.param
    machine.know_arrays(before)


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="without the GIL the fields belong to array's own locks"
)
def test_the_fields_are_known_here(way: bool) -> None:
    assert machine.know_arrays(way) is way  # CPython's arrays have been as they are for long; else this test says so


@pytest.mark.parametrize("code", CODES)
def test_nothing_at_all(code: str) -> None:
    """The buffer protocol gives an empty array an address that may be odd, which is of no account."""
    empty = array(code)
    for made in (ao.unique(empty), ao.map(empty, "x"), ao.filter(empty, "x > 1"), ao.map(empty, "x", out=array(code))):
        assert made == empty and made.typecode == code
    ao.sort(empty)
    ao.reverse(empty)


@pytest.mark.parametrize("code", CODES)
def test_results_are_arrays_like_any(code: str) -> None:
    """They grow, shrink, copy, pickle, slice, and free their memory as if array.array had made them."""
    a = array(code, [1, 2, 3, 4])
    for made in (ao.map(a, "x"), ao.filter(a, "x > 1"), ao.map(a, lambda v: [v][0]), ao.accumulate(a)):
        want = array(code, list(made))
        size = sys.getsizeof(made)
        assert size <= sys.getsizeof(want) + 16 and made.typecode == code
        assert pickle.loads(pickle.dumps(made)) == want and copy.copy(made) == want and made[1:] == want[1:]
        made.append(5)
        made.extend([6, 7])
        want.extend([5, 6, 7])
        assert made == want and made.pop() == want.pop() and made.tobytes() == want.tobytes()
        del made[:], want[:]
        made.append(1)
        assert weakref.ref(made)() is made and list(made) == [1]


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 5000, 700_000])
def test_sizes(size: int) -> None:
    """Small memory, large memory, memory in large pages."""
    a = array("d", range(size))
    assert ao.map(a, "x + 1") == array("d", range(1, size + 1))
    assert ao.filter(a, "x < 0") == array("d")
    assert ao.filter(a, "x >= 0") == a
    assert ao.filter(a, "x % 7 == 3") == array("d", range(3, size, 7))
    kept = ao.filter(a, "x % 1000 == 0")
    assert sys.getsizeof(kept) <= sys.getsizeof(array("d")) + 9 * len(kept) + 100  # not the memory of all of them


def test_held_while_used() -> None:
    """An array cannot be resized during a call, and can be afterwards, also after an exception."""
    a, out = array("d", [1.0, 2.0, 3.0]), array("d", bytes(24))

    def grow(x: float) -> float:
        with pytest.raises(BufferError):
            a.append(x)
        with pytest.raises(BufferError):
            out.append(x)
        if x == 3.0:
            raise KeyError(x)
        return x

    with pytest.raises(KeyError):
        ao.map(a, grow, out=out)
    assert list(out) == [1.0, 2.0, 0.0]
    a.append(4.0)
    out.append(4.0)
    with pytest.raises(ZeroDivisionError):
        ao.map(a, "1 / (x - 2)")
    with pytest.raises(TypeError):
        ao.map(a, "x + y", "no buffer")
    with pytest.raises(ValueError):
        ao.map(a, "x + y", array("d", [1.0]))
    a.append(5.0)
    assert len(a) == 5


def test_references_are_given_back() -> None:
    a, out = array("d", [1.0, 2.0]), array("d", bytes(16))
    before = sys.getrefcount(a), sys.getrefcount(out)
    for _ in range(50):
        ao.map(a, "x + 1", out=out)
        ao.map(a, "x*y", a)
        ao.filter(a, "x > 1")
        ao.sum(a)
        ao.min(a)
    assert (sys.getrefcount(a), sys.getrefcount(out)) == before


def test_subclasses_and_other_letters() -> None:
    """A subclass goes by the protocol; text arrays are no numbers either way."""

    class Sub(array):  # type: ignore[type-arg]
        pass

    sub: Any = Sub("i", [1, 2])
    assert ao.map(sub, "x + 1") == array("i", [2, 3])
    ao.map_inplace(sub, "x * 2")
    assert list(sub) == [2, 4]
    with pytest.raises(TypeError, match="format"):
        ao.map(array("u", "ab"), "x + 1")


def test_memory_that_is_not_there() -> None:
    a = array("B", bytes(10))
    with pytest.raises((MemoryError, OverflowError)):
        machine.new_array("d", sys.maxsize)
    with pytest.raises((MemoryError, OverflowError)):
        machine.new_array("d", 1 << 58)
    assert ao.map(a, "x") == a
