"""threads= and a callable that is called for each element: on a Python without the GIL by so many threads.

What comes of it is what one thread leaves. That the GIL is off is pretended where it is not: the same events follow.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from arrayops.engine import threads as by_threads

CHUNK = by_threads.CHUNK
SIZES = (0, 1, CHUNK, CHUNK + 1, 5 * CHUNK + 7)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_threads, "gil_is_off", lambda: True)


def called(x: Any) -> Any:
    return [x * 3][0]


def test_only_if_asked_for_and_without_the_gil(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2)

    def work(x: float) -> float:
        seen.add(threading.get_ident())
        if x in (0, CHUNK):
            together.wait(60)  # of two threads, each in a chunk of its own
        return x

    x = array("d", range(3 * CHUNK))
    seen = set[int]()
    monkeypatch.setattr(by_threads, "gil_is_off", lambda: True)
    assert ao.map(x, work, threads=2, compile=False) == x and len(seen) == 2
    for off, options in ((True, {}), (True, {"threads": 1}), (False, {"threads": 2})):
        monkeypatch.setattr(by_threads, "gil_is_off", lambda off=off: off)
        seen.clear()
        together = threading.Barrier(1)
        assert ao.map(x, work, compile=False, **options) == x and seen == {threading.get_ident()}
    monkeypatch.undo()
    assert by_threads.gil_is_off() is not getattr(sys, "_is_gil_enabled", lambda: True)()


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("size", SIZES)
def test_the_same_results(size: int) -> None:
    x, y = array("i", range(size)), array("d", range(size, 2 * size))
    for threads in (2, 3, 7):
        assert ao.map(x, called, threads=threads) == array("i", map(called, x))
        assert ao.map(memoryview(x)[::-1], called, typecode="q", threads=threads) == array("q", map(called, x[::-1]))
        got = ao.map(x, lambda a, b, c: [a, b][1] * c, y, 2, typecode="d", threads=threads)
        assert got == array("d", [2 * v for v in y])
        ao.map_inplace(again := x[:], called, threads=threads)
        assert again == array("i", map(called, x))


FAILING: dict[str, tuple[Callable[[Any], Any], type[BaseException]]] = {
    "the call": (lambda x: [1 // (x % 700 - 699)][0] + 5, ZeroDivisionError),
    "the store": (lambda x: [x if x % 700 != 699 else 2**40][0], OverflowError),
    "of another type": (lambda x: [x if x % 700 != 699 else "no"][0], TypeError),
    "the end of an iterator": (lambda x: next(iter([x][: x % 700 != 699])), StopIteration),
    "an exit": (lambda x: sys.exit(x) if [x % 700 == 699][0] else x, SystemExit),
}


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("name", FAILING)
def test_exceptions_leave_what_one_thread_leaves(name: str) -> None:
    f, kind = FAILING[name]
    x = array("i", range(8 * CHUNK))
    found = []
    for threads in (1, 2, 3, 7):
        out = array("i", [-7]) * len(x)
        with pytest.raises(kind) as caught:
            ao.map(x, f, out=out, threads=threads, compile=False)
        with pytest.raises(kind) as again:
            ao.map(x, f, threads=threads, compile=False)
        notes = [getattr(error.value, "__notes__", None) for error in (caught, again)]
        found.append((out.tobytes(), str(caught.value), str(again.value), notes))
    assert found == found[:1] * 4
    assert array("i", out[699:]) == array("i", [-7]) * (len(x) - 699)


@pytest.mark.usefixtures("free")
def test_a_call_that_raises_counts_before_a_store_that_fails() -> None:
    """As in array(typecode, [f(x) for x in a]): all calls come first."""
    x = array("B", range(256)) * 8
    calls = lambda v: [2**40 if v == 3 else 1 // (200 - v)][0]  # noqa: E731
    for threads in (1, 2, 5):
        with pytest.raises(ZeroDivisionError):
            ao.map(x, calls, threads=threads, compile=False)


@pytest.mark.usefixtures("free")
def test_nothing_is_begun_behind_an_error() -> None:
    seen: list[int] = []

    def work(x: int) -> int:
        seen.append(x)
        return 1 // x

    with pytest.raises(ZeroDivisionError):
        ao.map(array("i", range(100 * CHUNK)), work, threads=3, compile=False)
    assert len(seen) < 50 * CHUNK


@pytest.mark.usefixtures("free")
def test_context_and_lengths() -> None:
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(5)
    x = array("i", [1]) * (3 * CHUNK)
    assert ao.map(x, lambda v: [v + variable.get()][0], threads=3, compile=False) == array("i", [6]) * len(x)
    with pytest.raises(ValueError, match="one has 768 elements, another 9"):
        ao.map(x, lambda v, w: [v][0], x[:9], threads=3, compile=False)
    with pytest.raises(BufferError):
        ao.map(x, lambda v: x.append(1) or v, threads=2, compile=False)
    with pytest.raises(ValueError, match="threads must be 1 to 256"):
        ao.map(x, called, threads=0)


@pytest.mark.usefixtures("free")
def test_of_nulls_nobody_is_asked() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    nulls = pyarrow.array([None, *range(1, 3 * CHUNK)], pyarrow.int32())
    got = ao.map(nulls, lambda v: [12 // v][0], threads=3, nulls="propagate", compile=False)
    assert got.to_pylist() == [None, *(12 // v for v in range(1, 3 * CHUNK))]
