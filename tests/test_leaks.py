"""Nothing is kept: reference counts return, memory does not grow, and every array can be resized after every call,
failed calls above all."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import weakref
from array import array
from collections.abc import Callable
from typing import Any

import arrayops
import pytest
from arrayops.engine import functions
from arrayops.engine.threads import gil_is_off

STEP = 2
ROLLED = ("sum", "mean", "min", "max", "var", "std", "median")
ao: Any = arrayops  # untyped: some calls have the wrong types on purpose
Call = Callable[[Any, Any, Any], Any]


def failing(x: Any, *more: Any) -> Any:
    """A callable that raises at the third element."""
    if x == 3:
        raise LookupError
    return x


def double(x: Any) -> Any:
    """A callable that succeeds."""
    return x * 2


# Each row is given a = array('i', [1, 2, 3, 4, 0]), b of the same length and out of the same length.
SUCCEEDING: dict[str, Call] = {
    "map": lambda a, b, out: ao.map(a, "x*x + 1"),
    "map two": lambda a, b, out: ao.map(a, "x + y", b),
    "map named": lambda a, b, out: ao.map(a, "x + y*k", y=b, k=3),
    "map out": lambda a, b, out: ao.map(a, "x + 1", out=out),
    "map typecode": lambda a, b, out: ao.map(a, "x / 2", typecode="d"),
    "map alias": lambda a, b, out: ao.map(a, "x*1", out=a),
    "map overlap": lambda a, b, out: ao.map(memoryview(a)[1:], "x*1", out=memoryview(a)[:-1]),
    "map by Python": lambda a, b, out: ao.map(a, "x**99 % 7"),
    "map callback": lambda a, b, out: ao.map(a, double, compile=False),
    "map function": lambda a, b, out: ao.map(a, double),
    "map function captured": lambda a, b, out: ao.map(a, lambda x: x + STEP),
    "map callback out": lambda a, b, out: ao.map(a, double, out=out),
    "inplace": lambda a, b, out: ao.map_inplace(a, "x*1"),
    "inplace callback": lambda a, b, out: ao.map_inplace(a, int),
    "filter": lambda a, b, out: ao.filter(a, "x > 1"),
    "filter callback": lambda a, b, out: ao.filter(a, bool),
    "reduce": lambda a, b, out: ao.reduce(a, "acc*31 + x", 7),
    "reduce callback": lambda a, b, out: ao.reduce(a, max),
    "accumulate": lambda a, b, out: ao.accumulate(a, "acc + x", initial=5),
    "accumulate callback": lambda a, b, out: ao.accumulate(a, max),
    "accumulate nothing": lambda a, b, out: ao.accumulate(a),
    "sum": lambda a, b, out: ao.sum(a),
    "mean": lambda a, b, out: ao.mean(a),
    "min": lambda a, b, out: ao.min(a),
    "max": lambda a, b, out: ao.max(a),
    "scale": lambda a, b, out: ao.scale(a, 1),
    "clip": lambda a, b, out: ao.clip(a, 0, 9),
    "evaluate": lambda a, b, out: ao.evaluate("p*q + 1", p=a, q=b),
    "evaluate out": lambda a, b, out: ao.evaluate("p*q + 1", p=a, q=b, out=out),
    "evaluate scalar": lambda a, b, out: ao.evaluate("p*3", p=4),
    "kernel": lambda a, b, out: ao.compile("x + y")(a, b),
    "kernel inplace": lambda a, b, out: ao.compile("x*1").inplace(a),
    "explain": lambda a, b, out: ao.explain("x + 1", "i"),
    "argsort": lambda a, b, out: ao.argsort(a, reverse=True),
    "topk": lambda a, b, out: ao.topk(a, 3),
    "searchsorted": lambda a, b, out: ao.searchsorted(a, b),
    "first": lambda a, b, out: ao.first(a, "x > 2"),
    "first callback": lambda a, b, out: ao.first(a, bool),
    "histogram": lambda a, b, out: ao.histogram(a, 3),
    "bincount": lambda a, b, out: ao.bincount(a, b),
    "bincount floats": lambda a, b, out: ao.bincount(a, array("d", [1.5, 2, 3, 4, float("inf")])),
    "rolling": lambda a, b, out: [getattr(ao.rolling(a, 2, partial=True), what)() for what in ROLLED],
    "takewhile": lambda a, b, out: ao.lazy(a).dropwhile("x < 2").takewhile("x").sum(),
    "empty": lambda a, b, out: ao.map(a[:0], "x + 1"),
}
RAISING: dict[str, Call] = {
    "first raises": lambda a, b, out: ao.first(a, "1 // x == 7"),
    "first callback raises": lambda a, b, out: ao.first(a, lambda x: 0 * failing(x), compile=False),
    "bincount lengths": lambda a, b, out: ao.bincount(a, b[:2]),
    "bincount overflow": lambda a, b, out: ao.bincount(b"\1" * 5, array("Q", [2**64 - 1] * 5)),
    "bincount fsum": lambda a, b, out: ao.bincount(b"\0" * 2, array("d", [float("inf"), float("-inf")])),
    "bincount floats as keys": lambda a, b, out: ao.bincount(array("d", [1.0])),
    "histogram nan": lambda a, b, out: ao.histogram(array("d", [float("nan")])),
    "searchsorted list": lambda a, b, out: ao.searchsorted(a, [1]),
    "rolling overflow": lambda a, b, out: ao.rolling(array("q", [2**63 - 1] * 5), 2).sum(),
    "division": lambda a, b, out: ao.map(a, "1 // x"),
    "division out": lambda a, b, out: ao.map(a, "1 // x", out=out),
    "division second": lambda a, b, out: ao.map(b, "x // y", a),
    "store": lambda a, b, out: ao.map(a, "x * 2**40"),
    "store typecode": lambda a, b, out: ao.map(a, "x - 100", typecode="B"),
    "store out": lambda a, b, out: ao.map(a, "x * 2**40", out=out),
    "float": lambda a, b, out: ao.map(a, "x / 2"),
    "float out": lambda a, b, out: ao.map(a, "x / 2", out=out),
    "type": lambda a, b, out: ao.map(a, "(x / 2) & 1"),
    "lengths": lambda a, b, out: ao.map(a, "x + y", b[:2]),
    "lengths out": lambda a, b, out: ao.map(a, "x", out=out[:2]),
    "missing": lambda a, b, out: ao.map(a, "x + y"),
    "unknown": lambda a, b, out: ao.map(a, "x", q=b),
    "too many": lambda a, b, out: ao.map(a, "x", b, out),
    "bad name": lambda a, b, out: ao.map(a, "x + y", y="s"),
    "bad second": lambda a, b, out: ao.map(a, "x + y", memoryview(bytes(10)).cast("B", (2, 5))),
    "bad format": lambda a, b, out: ao.map(a, "x + y", memoryview(b"abcde").cast("c")),
    "bad typecode": lambda a, b, out: ao.map(a, "x", typecode="z"),
    "bad out": lambda a, b, out: ao.map(a, "x", out=b"abcde"),
    "bad text": lambda a, b, out: ao.map(a, "x.y"),
    "bad syntax": lambda a, b, out: ao.map(a, "x +"),
    "bomb": lambda a, b, out: ao.map(a, "1 << x + 10**9"),
    "inplace": lambda a, b, out: ao.map_inplace(a, "x // x"),
    "inplace two": lambda a, b, out: ao.map_inplace(b, "x // y", a),
    "callback": lambda a, b, out: ao.map(a, failing),
    "callback out": lambda a, b, out: ao.map(a, failing, out=out),
    "callback store": lambda a, b, out: ao.map(a, str),
    "callback two": lambda a, b, out: ao.map(a, failing, b),
    "callback arity": lambda a, b, out: ao.map(a, lambda: 1),
    "inplace callback": lambda a, b, out: ao.map_inplace(a, failing),
    "filter": lambda a, b, out: ao.filter(a, "1 // x"),
    "filter callback": lambda a, b, out: ao.filter(a, failing),
    "reduce": lambda a, b, out: ao.reduce(a, "acc // x", 5),
    "reduce callback": lambda a, b, out: ao.reduce(a, lambda acc, x: failing(x)),
    "reduce empty": lambda a, b, out: ao.reduce(a[:0], "acc + x"),
    "accumulate": lambda a, b, out: ao.accumulate(a, "acc // x", initial=5),
    "accumulate store": lambda a, b, out: ao.accumulate(a, "acc * 2**20 + x"),
    "accumulate callback": lambda a, b, out: ao.accumulate(a, lambda acc, x: failing(x)),
    "sum": lambda a, b, out: ao.sum(memoryview(bytes(10)).cast("B", (2, 5))),
    "min": lambda a, b, out: ao.min(a[:0]),
    "scale": lambda a, b, out: ao.scale(a, 2.5),
    "scale store": lambda a, b, out: ao.scale(a, 2**40),
    "clip": lambda a, b, out: ao.clip(a, "a", 1),
    "clip store": lambda a, b, out: ao.clip(a, 2**40, 2**41),
    "evaluate": lambda a, b, out: ao.evaluate("p // q", p=b, q=a),
    "evaluate missing": lambda a, b, out: ao.evaluate("p + q", p=a),
    "evaluate lengths": lambda a, b, out: ao.evaluate("p + q", p=a, q=b[:1]),
    "evaluate out": lambda a, b, out: ao.evaluate("p", p=a, out=bytes(5)),
}


@pytest.fixture(autouse=True)
def decode_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are compiled at their first call, not somewhere in the middle of a measurement."""
    monkeypatch.setattr(functions, "COMPILE_AFTER", 0)
    functions.ENTRIES.clear()


#: Without the GIL CPython frees what other threads could be looking at later, much at once: so memory grows in some
#: rounds, but in every round only if it leaks.
ROUNDS = 6 if gil_is_off() else 1
ONE_OBJECT_EACH = 100 * 16  # no object is smaller


def inputs() -> tuple[array[Any], array[Any], array[Any]]:
    """Fresh arrays for one call."""
    return array("i", [1, 2, 3, 4, 0]), array("i", [5, 6, 7, 8, 9]), array("i", [0] * 5)


def attempt(call: Call, *arguments: Any) -> BaseException | None:
    """The exception of the call, without its traceback, whose frames would hold the arguments."""
    try:
        call(*arguments)
    except Exception as error:
        return error.with_traceback(None)
    return None


@pytest.mark.parametrize("name", SUCCEEDING)
def test_arrays_can_be_resized_after_success(name: str) -> None:
    given = inputs()
    assert attempt(SUCCEEDING[name], *given) is None
    for a in given:
        a.append(1)


@pytest.mark.parametrize("name", RAISING)
def test_arrays_can_be_resized_after_an_exception(name: str) -> None:
    """Even while the exception, with its traceback, is still alive."""
    given = inputs()
    with pytest.raises((ArithmeticError, TypeError, ValueError, LookupError, BufferError)) as caught:
        RAISING[name](*given)
    for a in given:
        a.append(1)
    assert caught.value is not None


@pytest.mark.parametrize("name", [*SUCCEEDING, *(f"raising {name}" for name in RAISING)])
def test_reference_counts_return(name: str) -> None:
    call = SUCCEEDING.get(name) or RAISING[name.removeprefix("raising ")]
    given, watched = inputs(), (double, failing, int, str, bool, max)
    attempt(call, *given)
    gc.collect()
    before = [sys.getrefcount(thing) for thing in (*given, *watched)]
    for _ in range(100):
        attempt(call, *given)
    gc.collect()
    after = [sys.getrefcount(thing) for thing in (*given, *watched)]
    assert all(abs(x - y) <= 2 for x, y in zip(before, after, strict=True)), (before, after)


def need_code_that_is_freed() -> None:
    """CPython 3.13 without the GIL keeps all code for ever once there was a second thread, as pytest-xdist has."""
    names: dict[str, Any] = {}
    exec("def f(): pass", names)
    freed = weakref.ref(names.pop("f").__code__)
    gc.collect()
    if freed():
        pytest.skip("this Python frees no code")


@pytest.mark.parametrize("name", [*SUCCEEDING, *(f"raising {name}" for name in RAISING)])
def test_memory_does_not_grow(name: str) -> None:
    if "kernel" in name:
        need_code_that_is_freed()
    call = SUCCEEDING.get(name) or RAISING[name.removeprefix("raising ")]
    given = inputs()
    for _ in range(20):
        attempt(call, *given)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(20):
            attempt(call, *given)
        gc.collect()
        grown = []
        while len(grown) < ROUNDS and (not grown or grown[-1] >= ONE_OBJECT_EACH):
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(100):
                attempt(call, *given)
            gc.collect()
            grown.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    assert grown[-1] < ONE_OBJECT_EACH, f"{grown} bytes more after 100 calls each"


def test_small_counts_of_common_numbers_do_not_drift() -> None:
    """Small ints, True, None: what a fault path hands to and fro."""
    watched = (0, 1, 7, True, None)
    data, floats = array("q", [2**62, 3, 0, 7] * 20), array("d", [1e300, 0.0, 2.5] * 20)
    for _ in range(2):
        before = [sys.getrefcount(thing) for thing in watched]
        for _ in range(200):
            ao.map(data, "x*x % 7")
            ao.map(floats, "x*x > 1", typecode="B")
            attempt(lambda a, b, out: ao.map(a, "1 / x"), floats, None, None)
            ao.reduce(data, "acc ^ x*x", 1)
            ao.filter(data, "x*x*x > 7")
        after = [sys.getrefcount(thing) for thing in watched]
    assert all(abs(x - y) < 50 for x, y in zip(before, after, strict=True)), (before, after)


def test_many_texts_keep_the_cache_bounded() -> None:
    need_code_that_is_freed()
    data = array("i", [1, 2, 3])
    for i in range(1500):
        ao.map(data, f"x + {i} + x*{i % 7}")
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for i in range(1500, 3500):
            ao.map(data, f"x + {i} + x*{i % 7}")
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 3 * 2**20
    finally:
        tracemalloc.stop()
