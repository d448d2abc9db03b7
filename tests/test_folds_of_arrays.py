"""Folds with further arrays: their elements go with those of the first, as in a loop over zip()."""

from __future__ import annotations

import functools
import itertools
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import Raised, assert_bytes, assert_same, difference, outcome, python_function, stored
from strategies import long_arrays

TEXTS = ["acc*d + x", "acc + x*d", "max(acc, x - d)", "(acc ^ x) & d", "acc if d else x", "acc + x // d", "acc*k + x*d",
         "acc*0.5 + x*d", "acc + t[d & 1]"]  # fmt: skip


def step_of(text: str, numbers: dict[str, Any]) -> Callable[[Any, Any], Any]:
    """The text as a function of the accumulator and a row (x, d)."""
    function = python_function(text, ["acc", "x", "d", *numbers])
    return lambda acc, row: function(acc, *row, *numbers.values())


INITIAL = st.sampled_from([0, 1, 0.0, -2.5, 2**70, True])


@given(a=long_arrays(), b=long_arrays(), text=st.sampled_from(TEXTS), initial=INITIAL)
def test_reduce_and_accumulate(a: array[Any], b: array[Any], text: str, initial: Any) -> None:
    size = min(len(a), len(b), 40)
    a, b = a[:size], b[:size]
    numbers: dict[str, Any] = {"k": 3} if "*k" in text else {"t": (1, 5)} if "t[" in text else {}
    step, rows = step_of(text, numbers), list(zip(a, b, strict=True))
    want = outcome(lambda: functools.reduce(step, rows, initial))
    assert difference(outcome(lambda: ao.reduce(a, text, initial, d=b, **numbers)), want) is None, (text, want)
    if size:
        want = outcome(lambda: functools.reduce(step, rows[1:], a[0]))
        assert difference(outcome(lambda: ao.reduce(a, text, d=b, **numbers)), want) is None, (text, want)
    for first in (None, initial):
        start, rest = (a[0] if size else None, rows[1:]) if first is None else (first, rows)
        items = [] if start is None else outcome(lambda: list(itertools.accumulate(rest, step, initial=start)))  # noqa: B023
        items = items if isinstance(items, Raised) else stored("d", items)
        got = outcome(lambda: ao.accumulate(a, text, initial=first, typecode="d", d=b, **numbers))  # noqa: B023
        assert difference(got, items) is None, (text, first, items)


def test_a_decay_for_each_element() -> None:
    a, decay = array("d", [1.0, 2.0, 3.0]), array("f", [0.0, 0.5, 0.25])
    assert_bytes(ao.accumulate(a, "acc*d + x", d=decay), "d", [1.0, 2.5, 3.625])
    assert_bytes(ao.accumulate(a, "acc + x*i", initial=0, i=range(3)), "d", [0.0, 0.0, 2.0, 8.0])
    assert_same(ao.reduce(a, "acc + x*y", 0, y=a), 14.0)


def test_other_lengths() -> None:
    a = array("d", [1.0, 2.0, 3.0])
    for call in (lambda: ao.reduce(a, "acc + d", 0, d=array("d", [1.0])), lambda: ao.reduce(a, "acc + d", d=range(9)),
                 lambda: ao.accumulate(a, "acc + d", d=array("d"))):  # fmt: skip
        with pytest.raises(ValueError, match="same length"):
            call()


def test_what_is_no_array() -> None:
    with pytest.raises(TypeError, match="'d' must be a number in a fold, not list"):
        ao.reduce(array("d", [1.0]), "acc + d", 0, d=[1.0])


def test_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    a, b = numpy.array([1.0, 2.0, 3.0]), numpy.array([0.0, 0.5, 0.25])
    assert ao.accumulate(a, "acc*d + x", d=b).tolist() == [1.0, 2.5, 3.625]
    assert ao.reduce(a, "acc + x*k", 0, k=numpy.float64(2.0)) == 12.0


@given(a=long_arrays(), count=st.integers(1, 3))
def test_states(a: array[Any], count: int) -> None:
    """Tuples of any length: reduce gives the last one, accumulate the first items or all of them."""

    def step(state: tuple[Any, ...], x: Any) -> tuple[Any, ...]:
        return (x // 3 + state[-1], *state[:-1])

    a, initial = array(a.typecode, [x for x in a if x == x and abs(x) < 1e9]), (0,) * count
    states = list(itertools.accumulate(a, step, initial=initial))
    assert ao.reduce(a, step, initial) == states[-1]
    assert_bytes(ao.accumulate(a, step, initial=initial, typecode="d"), "d", [s[0] for s in states])
    codes = ("d", "d", "d")[:count]
    found = ao.accumulate(a, step, initial=initial, typecode=codes)
    assert type(found) is tuple
    for k, items in enumerate(found):
        assert_bytes(items, "d", [s[k] for s in states])


def test_states_that_change() -> None:
    a = array("d", [1.0, 2.0])
    assert ao.reduce(a, lambda s, x: (*s, x), ()) == (1.0, 2.0)
    assert ao.reduce(a, lambda s, x: s[0] + x if isinstance(s, tuple) else s * x, (1.0,)) == 4.0
    with pytest.raises(ValueError, match="2 typecodes for states of 1 items"):
        ao.accumulate(a, lambda s, x: (x,), initial=(0.0,), typecode=("d", "d"))
    with pytest.raises(TypeError):
        ao.accumulate(a, lambda s, x: x, initial=(0.0,), typecode=("d",))
    with pytest.raises(ValueError, match="bad typecode"):
        ao.accumulate(a, lambda s, x: s, initial=(0.0,), typecode=("z",))
