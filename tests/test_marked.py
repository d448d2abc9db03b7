"""Many marked elements of a text go to Python together (python/glue/run.c); nobody can tell that from one by one.

Python itself is the oracle: values, the exception of the first element that raises, what is written before it.
"""

from __future__ import annotations

import math
import signal
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import numpy as np
import pyarrow as pa
import pytest
from arrayops.compiler.evaluate import COLUMNS
from hypothesis import given
from hypothesis import strategies as st
from oracle import assert_same, difference, outcome, python_function

COUNT = 5000
WIDE = array("q", [2**62 + 7 * i * i for i in range(COUNT)])
SMALL = array("q", [i % 41 - 20 for i in range(COUNT)])
FLOATS = array("d", [math.ldexp(i % 97 - 48, i % 50) for i in range(COUNT)])

TEXTS: list[tuple[str, list[Any], str]] = [  # text, arrays and numbers, typecode of the result
    ("x * 3 | 0", [WIDE], "d"),
    ("x << 3 | 0", [WIDE], "d"),
    ("x * y | 0", [WIDE, WIDE], "d"),
    ("x * y + k | 0", [WIDE, SMALL, 3], "d"),
    ("x * k * k | 0", [WIDE, 25], "d"),
    ("(x * y) % 1000 | 0", [WIDE, WIDE], "q"),
    ("(x*x*x) % 1000 + (x*x*x) // (1 << 150)", [WIDE], "q"),
    ("x*x if y > 0 else x*x*x", [WIDE, SMALL], "d"),
    ("lgamma(x) + 1", [array("d", [abs(x) + 0.5 for x in FLOATS])], "d"),
    ("gamma(x % 50 + 0.5)", [FLOATS], "d"),
    ("x * x > 2**125", [WIDE], "?"),
    ("x * 3 if y % 7 else y", [WIDE, SMALL], "d"),  # some blocks are marked in part
    ("x * 3 | 0", [memoryview(WIDE)[::-2]], "d"),
]


def rows(values: list[Any]) -> list[tuple[Any, ...]]:
    count = max(len(v) for v in values if not isinstance(v, (int, float)))
    return list(zip(*([v] * count if isinstance(v, (int, float)) else v for v in values), strict=True))


@pytest.mark.parametrize(("text", "values", "code"), TEXTS, ids=[t for t, _, _ in TEXTS])
def test_values(text: str, values: list[Any], code: str) -> None:
    kernel = ao.compile(text)
    f = python_function(text, kernel.params)
    want = [f(*row) for row in rows(values)]
    for _ in range(2):
        got = kernel(*values, typecode=code)
        assert (got.tolist() if code == "?" else got) == (want if code == "?" else array(code, want))
        assert kernel.last_by_python > 2000
    assert getattr(kernel._plans.narrow, COLUMNS), "no function of lists was made"
    kept = [row[0] for row in rows(values) if f(*row)]
    assert ao.filter(values[0], text, *values[1:]).tolist() == kept
    truths = list(map(bool, want))
    for name, python in (("any", any), ("all", all), ("count", sum)):
        assert getattr(ao, name)(values[0], text, *values[1:]) == python(truths)


@given(st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=3), st.booleans())
def test_the_first_exception_and_what_is_written_before_it(places: list[int], in_place: bool) -> None:
    values = array("q", WIDE)
    for place in places:
        values[place] = 0
    text = "x * 3 + 10 // x | 0"
    f, first = python_function(text), min(places)
    out = values if in_place else array("d", bytes(8 * COUNT))
    text = f"({text}) % 1000" if in_place else text
    with pytest.raises(ZeroDivisionError):
        ao.map(values, text, out=out)
    expected = [f(x) % 1000 if in_place else float(f(x)) for x in WIDE[:first]]
    rest = values[first:].tolist() if in_place else [0.0] * (COUNT - first)
    assert out.tolist() == expected + rest


def test_an_exception_of_an_element_goes_before_a_store_that_failed() -> None:
    values = array("q", WIDE)
    values[4000] = 0
    for text in ("x * 3 + 10 // x | 0", "x * 3 | 0", "x * 3"):
        want = outcome(lambda text=text: array("q", [python_function(text)(x) for x in values]))
        got = outcome(lambda text=text: ao.map(values, text))
        assert difference(got, want) is None


def test_elements_under_nulls_are_not_asked_for() -> None:
    numbers, valid = [0 if i % 3 == 0 else 2**62 for i in range(COUNT)], [i % 3 != 0 for i in range(COUNT)]
    given = np.ma.array(numbers, mask=[not v for v in valid])
    kernel = ao.compile("x * 3 + 1 // x | 0")
    got = kernel(given, typecode="d", nulls="propagate")
    assert got.tolist() == [3.0 * 2**62 if v else None for v in valid]
    assert kernel.last_by_python == sum(valid)
    arrow = pa.array([None if i % 5 == 0 else 2**62 for i in range(COUNT)])
    assert ao.map(arrow, "x*4 % 1001 | 0", nulls="propagate").to_pylist() == [
        None if i % 5 == 0 else 2**64 % 1001 for i in range(COUNT)
    ]  # fmt: skip


@pytest.mark.parametrize("threads", [1, 3])
def test_several_threads(threads: int) -> None:
    values = WIDE * 40
    assert ao.map(values, "x * 3 | 0", typecode="d", threads=threads) == array("d", [x * 3 for x in values])


def test_any_and_all_stop_before_an_element_that_raises() -> None:
    values = array("q", WIDE)
    values[3000] = 0
    assert ao.any(values, f"x*x*9 // x > {9 * WIDE[2900]}") is True
    assert ao.all(values, "x*x // x < 5") is False
    with pytest.raises(ZeroDivisionError):
        ao.count(values, "x*x // x < 5")


def test_tables() -> None:
    table, places = array("q", [2**62 + i for i in range(50)]), array("B", [i % 50 for i in range(COUNT)])
    kernel = ao.compile("t[x] * 3 + x")
    got = kernel.map(places, t=table, typecode="d")
    assert got == array("d", [table[x] * 3 + x for x in places]) and kernel.last_by_python == COUNT
    places[4000] = 50
    with pytest.raises(IndexError):
        kernel.map(places, t=table, typecode="d")
    assert ao.map(WIDE, "t[x % 50] * x", t=table, typecode="d") == array("d", [table[x % 50] * x for x in WIDE])


def test_the_pipelines() -> None:
    assert ao.lazy(WIDE).map("x * 3").sum() == sum(x * 3 for x in WIDE)
    assert ao.lazy(WIDE).map("x * 3").filter("x % 7").count() == sum(x * 3 % 7 != 0 for x in WIDE)


class Alarm(Exception):
    """What a signal handler raises."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
@pytest.mark.parametrize("error", [Alarm, KeyboardInterrupt, ZeroDivisionError])
def test_what_a_signal_handler_raises_is_not_lost(error: type[BaseException]) -> None:
    values = WIDE * 400  # a second's work

    def ring(number: int, frame: object) -> None:
        raise error("from the handler")

    before = signal.signal(signal.SIGALRM, ring)
    try:
        for delay in (0.01, 0.03, 0.05):
            with pytest.raises(error, match="from the handler"):
                signal.setitimer(signal.ITIMER_REAL, delay)
                while True:
                    ao.map(values, "x * x * x | 0", typecode="d")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_oracle_of_lists_that_answers_nonsense_is_not_believed() -> None:
    kernel = ao.compile("x * 5 | 0")
    kernel(WIDE, typecode="d")
    columns = getattr(kernel._plans.narrow, COLUMNS)
    answers: list[Callable[..., Any]] = [lambda x: None, lambda x: [], lambda x: [1.0], lambda x: tuple(x)]
    for answer in answers:
        columns[1] = answer
        assert_same(kernel(WIDE, typecode="d"), array("d", [x * 5 for x in WIDE]))
    columns.clear()
