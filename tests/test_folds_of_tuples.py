"""Folds whose accumulator is a tuple of numbers, compiled; functools.reduce and itertools.accumulate are the oracle."""

from __future__ import annotations

import functools
import itertools
import math
import threading
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import arrayops as ao
import pytest
from arrayops.compiler.machine import LIMITS
from arrayops.engine import functions, kernel
from hypothesis import given
from hypothesis import strategies as st
from oracle import TYPECODES, Raised, assert_same, outcome, python_function, stored
from strategies import long_arrays

TABLE = [3, 1, 4, 1, 5]
GAIN = 0.25


@pytest.fixture(autouse=True)
def decode_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every function is compiled at its first call, if it can be."""
    monkeypatch.setattr(functions, "COMPILE_AFTER", 0)
    functions.ENTRIES.clear()
    yield
    functions.ENTRIES.clear()


def biquad(s: Any, v: Any) -> Any:
    return v + 1.5 * s[0] - 0.7 * s[1], s[0]


def welford(s: Any, v: Any) -> Any:
    n, mean, m2 = s
    n += 1
    d = v - mean
    mean += d / n
    return n, mean, m2 + d * (v - mean)


def longest_run(s: Any, v: Any) -> Any:
    last, run, most = s
    run = run + 1 if v == last else 1
    return v, run, run if run > most else most


def fibonacci(s: Any, v: Any) -> Any:
    a, b = s
    return b, a + b


def early(s: Any, v: Any) -> Any:
    if v < 0:
        return s
    a, b = s[1], s[0]
    if v > 100:
        a, b = b, a
    return a + v, b


def crc(s: Any, v: Any) -> Any:
    return (s[0] >> 3) ^ TABLE[(s[0] ^ int(v)) % 5], s[1] + GAIN * v


def adler(s: Any, v: Any) -> Any:
    a = (s[0] + v) % 65521
    return a, (s[1] + a) % 65521


def flags(s: Any, v: Any) -> Any:
    return v > s[1], v, s[2] or (s[0] and v < s[1])


def divides(s: Any, v: Any) -> Any:
    return s[0] + 1, s[1] + 100 // v


def one(s: Any, v: Any) -> Any:
    return (s[-1] * 0.5 + v,)


def loop(s: Any, v: Any) -> Any:
    a, b = s
    for k in range(3):
        a, b = b + k, a + v
    return a, b


#: A step and what it may begin with: some begin with ints that become floats, and with ints that no lane holds.
STEPS: list[tuple[Callable[[Any, Any], Any], list[Any]]] = [
    (biquad, [(0.0, 0.0), (0, 0), (1, 2.5), (-0.0, math.inf), (2**70, 0)]),
    (welford, [(0, 0.0, 0.0), (0, 0, 0)]),
    (longest_run, [(0, 0, 0), (-1.0, 0, 0)]),
    (fibonacci, [(0, 1), (2**62, 2**62), (-(2**63), -1), (2**63, 1), (0.5, 1)]),
    (early, [(0, 0), (0.0, 0), (True, 3)]),
    (crc, [(0xFFFF, 0.0), (0xFFFF, 0)]),
    (adler, [(1, 0)]),
    (flags, [(False, 0, False), (True, 1.5, False)]),
    (divides, [(0, 0), (2**63 - 3, 0)]),
    (one, [(0.0,), (3,)]),
    (loop, [(0, 0), (0.5, 2)]),
]


def check(step: Callable[[Any, Any], Any], f: Any, a: array[Any], initial: tuple[Any, ...], **more: Any) -> None:
    """reduce, accumulate of the first items, accumulate of all."""
    states = outcome(lambda: list(itertools.accumulate(a, step, initial=initial)))
    failed = isinstance(states, Raised)
    assert_same(outcome(lambda: ao.reduce(a, f, initial, **more)), states if failed else states[-1], (f, a, initial))
    for code in {"d", a.typecode}:
        want = states if failed else stored(code, [s[0] for s in states])
        got = outcome(ao.accumulate, a, f, initial=initial, typecode=code, **more)
        assert_same(got, want, (f, a, initial))
    codes = ("d",) * len(initial)
    got = outcome(lambda: ao.accumulate(a, f, initial=initial, typecode=codes, **more))
    for k in range(len(initial)):
        want = states if failed else stored("d", [s[k] for s in states])
        assert_same(got if isinstance(got, Raised) else got[k], want, (f, a, initial, k))


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("step", [step for step, _ in STEPS])
def test_table(step: Callable[[Any, Any], Any], typecode: str) -> None:
    for initial in dict(STEPS)[step]:
        for values in ([], [3], [3, 1, 0, 5, 120, 3, 3, 7], range(100)):
            check(step, step, array(typecode, values), initial)


@given(a=long_arrays(), rows=st.sampled_from(STEPS), data=st.data())
def test_random_arrays(a: array[Any], rows: tuple[Callable[[Any, Any], Any], list[Any]], data: st.DataObject) -> None:
    step, initials = rows
    check(step, step, a, data.draw(st.sampled_from(initials)))


def test_all_of_the_table_is_compiled() -> None:
    for step, initials in STEPS:
        assert kernel.fold_kernel(step, None, {}, initials[0], False)[0].compiled, step
        assert ao.reduce(array("d", [1.0, 2.0]), step, initials[0], strict=True) == functools.reduce(
            step, [1.0, 2.0], initials[0]
        )


TEXTS: list[tuple[str, tuple[Any, ...]]] = [
    ("x + 1.5*acc[0] - 0.7*acc[1], acc[0]", (0.0, 0.0)),
    ("(acc[1], acc[0] + acc[1]) if x > 3 else acc", (0, 1)),
    ("(acc[-1] ^ x, acc[0] * 31 + x & 0xFFFF)", (7, 0)),
    ("acc", (0, 1)),
    ("acc[0] + x,", (0,)),
    ("(acc[0] + 1, acc[1] + 100 // x)", (0, 0)),
    ("acc[1]", (0, 1)),
    ("x", (0, 1)),
    ("acc + x", (0, 1)),
    ("(acc[0] + x, acc[1]) if x else x", (0, 1)),
]


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize(("text", "initial"), TEXTS)
def test_texts(text: str, initial: tuple[Any, ...], typecode: str) -> None:
    step = python_function(text, ["acc", "x"])
    for values in ([], [3], [3, 1, 0, 5, 120, 3, 3, 7], range(60)):
        a = array(typecode, values)
        assert_same(outcome(ao.reduce, a, text, initial), outcome(functools.reduce, step, a, initial), (text, a))


def test_texts_with_names() -> None:
    a, d = array("d", [1.0, 2.0, 3.0]), array("f", [0.5, 0.25, 2.0])
    text = "acc[0]*g + x*d, acc[1] + t[int(x)]"
    want = (0.0, 0)
    for x, y in zip(a, d, strict=True):
        want = (want[0] * 0.5 + x * y, want[1] + TABLE[int(x)])
    assert ao.reduce(a, text, (0.0, 0), g=0.5, d=d, t=array("b", TABLE)) == want
    assert ao.reduce(a, "(acc[0] + e, acc[1])", (0, 0), names={"e": 2}) == (6, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("acc[2], x", "'acc' is a tuple of 2, whose items are taken by constants from 0 to 1"),
        ("acc[x], x", "'acc' is a tuple of 2"),
        ("acc[True], x", "'acc' is a tuple of 2"),
        ("(acc[0], (x, 1))", "a tuple is only allowed"),
        ("sum(x), 1", "sum"),
    ],
)
def test_refused_texts(text: str, words: str) -> None:
    with pytest.raises(ao.ExpressionError, match=words):
        ao.reduce(array("d", [1.0]), text, (0.0, 0.0))


#: Those that Python does: the length or type changes, or the decoder does not know what is done with the tuple.
CALLED: list[tuple[Callable[[Any, Any], Any], Any]] = [
    (lambda s, v: (*s, v), (0.0,)),
    (lambda s, v: s[0] + v if isinstance(s, tuple) else s * v, (1.0,)),
    (lambda s, v: (s[0], v) if v < 5 else v, (1.0, 0)),
    (lambda s, v: (s[0] + v, "a"), (1.0, "b")),
    (lambda s, v: [s[0] + v, s[1]], (1.0, 2.0)),
    (lambda s, v: (s[0] + v, s[int(v) % 2]), (1.0, 2.0)),
    (lambda s, v: (len(s) + v, sum(s)), (1.0, 2.0)),
    (lambda s, v: (s[5], v), (1.0, 2.0)),
    (lambda s, v: (s + v, v), (1.0, 2.0)),
    (lambda s, v: s.index(v), (1.0, 2.0)),
    (lambda s, v: (), (1.0,)),
    (lambda s, v: (s[0] // 2 if s[0] > 1 else s[0] / 2, v), (40, 0)),
    (lambda s, v: (v + s[0], s[0].hex()), (1.0, "")),
]


@pytest.mark.parametrize(("step", "initial"), CALLED)
def test_called(step: Callable[[Any, Any], Any], initial: Any) -> None:
    a = array("d", [1.0, 2.0, 7.0, 3.0])
    got, want = outcome(ao.reduce, a, step, initial), outcome(functools.reduce, step, a, initial)
    assert isinstance(got, Raised) == isinstance(want, Raised)
    if isinstance(want, Raised):
        assert_same(got, want)
    else:
        assert type(got) is type(want)
        assert got == want
    if kernel.fold_kernel(step, None, {}, initial, False)[0].compiled:
        return
    with pytest.raises(functions.NotCompilable):
        ao.reduce(a, step, initial, strict=True)


def test_a_named_tuple_stays_one_with_python() -> None:
    import collections

    pair = collections.namedtuple("pair", "a b")
    step = lambda s, v: pair(s.a + v, s.b)  # noqa: E731
    assert type(ao.reduce(array("d", [1.0]), step, pair(0.0, 0.0))) is pair


def test_partial_and_captured() -> None:
    def leaky(rate: float, s: Any, v: Any) -> Any:
        return s[0] * rate + v, max(s[1], v)

    a = array("d", [1.0, -2.0, 3.0])
    for rate in (0.5, 0.25):
        f = functools.partial(leaky, rate)
        assert ao.reduce(a, f, (0.0, 0.0), strict=True) == functools.reduce(f, a, (0.0, 0.0))
    for gain in (1, 2.5):
        g = lambda s, v: (s[0] + gain * v, s[1] + 1)  # noqa: B023, E731
        assert ao.reduce(a, g, (0, 0), strict=True) == functools.reduce(g, a, (0, 0))


def test_kernels_and_pipelines() -> None:
    a = array("d", [1.0, 4.0, -2.0])
    want = functools.reduce(biquad, a, (0.0, 0.0))
    assert ao.compile(biquad).reduce(a, (0.0, 0.0)) == want
    assert ao.lazy(a).reduce(biquad, (0.0, 0.0)) == want
    text = "x + 1.5*acc[0] - .7*acc[1], acc[0]"
    assert ao.lazy([a[:1], a[1:]]).map("x").reduce(text, (0.0, 0.0)) == want


def test_ieee() -> None:
    a = array("d", [0.0, 2.0])
    assert ao.reduce(a, lambda s, v: (s[0] + 1 / v, s[1]), (1.0, 0.0), ieee=True) == (math.inf, 0.0)
    assert ao.reduce(a, "acc[0] + 1/x, acc[1]", (1.0, 0.0), ieee=True) == (math.inf, 0.0)


@pytest.mark.parametrize("more", [0, 1])
def test_the_most_items(more: int) -> None:
    count = LIMITS["MAX_ACCUMULATORS"] + more
    text = ", ".join([f"acc[{count - 1}] + x", *(f"acc[{k}]" for k in range(count - 1))])
    step = eval(f"lambda acc, x: ({text})")
    a, initial = array("q", range(2 * count)), tuple(range(count))
    want = functools.reduce(step, a, initial)
    assert ao.reduce(a, step, initial) == want
    if not more:
        assert ao.reduce(a, text, initial) == want


def test_a_table_that_fails_is_pythons_error() -> None:
    step = lambda s, v: (TABLE[v], s[0] + v)  # noqa: E731
    a = array("i", [0, 1, 9, 2])
    for call in (lambda: ao.reduce(a, step, (0, 0)), lambda: ao.accumulate(a, step, initial=(0, 0))):
        with pytest.raises(IndexError, match="list index out of range"):
            call()


def test_a_store_that_fails_comes_after_what_the_step_raises() -> None:
    a = array("b", [100, 100, 0, 1])
    with pytest.raises(ZeroDivisionError):
        ao.accumulate(a, lambda s, v: (s[0] + v + 1 // v, 0), initial=(0, 0))
    with pytest.raises(OverflowError):
        ao.accumulate(a, lambda s, v: (s[0] + v, 0), initial=(0, 0))
    with pytest.raises(TypeError):
        ao.accumulate(a, lambda s, v: (s[0] + v, 0.5), initial=(0, 0.5), typecode=("q", "q"))


def test_an_array_that_others_write_to() -> None:
    a = array("d", bytes(8 * 4000))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for i in range(0, len(a), 97):
                a[i] = a[i] + 1.0

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(50):
            total, count = ao.reduce(a, lambda s, v: (s[0] + v, s[1] + 1), (0.0, 0))
            assert count == len(a)
            assert total >= 0
    finally:
        stop.set()
        writer.join()


def test_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    a = numpy.array([1.0, 4.0, -2.0])
    assert ao.reduce(a, biquad, (0.0, 0.0)) == functools.reduce(biquad, a.tolist(), (0.0, 0.0))
    first, second = ao.accumulate(a[::-1], biquad, initial=(0.0, 0.0), typecode=("d", "f"))
    states = list(itertools.accumulate(a[::-1].tolist(), biquad, initial=(0.0, 0.0)))
    assert list(first) == [s[0] for s in states]
    assert list(second) == list(array("f", [s[1] for s in states]))
    rate = numpy.float64(0.5)
    step = lambda s, v: (s[0] * rate + v, s[1])  # noqa: E731
    got = ao.reduce(a, step, (0.0, 0.0))
    assert type(got[0]) is numpy.float64
    assert got == functools.reduce(step, a.tolist(), (0.0, 0.0))


@pytest.mark.parametrize("code", "bBhHiIlLqQ")
@pytest.mark.parametrize("first", [1, True, 0.5], ids=["int", "bool", "float"])
def test_what_does_not_fit_while_the_state_settles(code: str, first: Any) -> None:
    """The first elements are given to Python, until the kinds of the items stay; what they store is refused, too."""
    data, most = array(code, [1, 1, 1]), 2 ** (8 * array(code).itemsize)
    for text in (f"acc[1] and {most} + x, acc[1] and acc[1] + 1", f"-{most} - x, acc[0] + acc[1]"):
        step = eval(f"lambda acc, x: ({text})")
        states = itertools.accumulate(data, step, initial=(1, first))
        wanted = outcome(lambda states=states: array(code, [state[0] for state in states]))
        for f in (text, step):
            got = outcome(lambda f=f: ao.accumulate(data, f, initial=(1, first)))
            assert type(wanted.error) is type(got.error) is OverflowError
            assert str(got.error).partition("; pass")[0] == str(wanted.error)
