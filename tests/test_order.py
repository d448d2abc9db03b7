"""argsort, topk, searchsorted and first against sorted, heapq, bisect and next, for every kind of array."""

from __future__ import annotations

import bisect
import heapq
import itertools
import math
import random
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
import strategies
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import same_array, same_scalar

MANY = st.one_of(strategies.arrays(), strategies.long_arrays())


def few_values(values: array[Any]) -> array[Any]:
    """Ties: the elements that there are, some of them, again and again."""
    rng = random.Random(len(values))
    return array(values.typecode, rng.choices(values, k=len(values))) if len(values) else values


def spread(values: array[Any]) -> Any:
    """The same elements in the other byte order, not aligned, and with gaps."""
    order = ">" if values.typecode not in "lL" else ""
    view = ao.view(bytearray(3 + 11 * len(values)), order + values.typecode, 3, 11, len(values))
    ao.map(values, "x", out=view)
    return view


def nans_last(values: array[Any], reverse: bool) -> list[int]:
    """The places in order by Python: stable, nans as they come at the end."""
    places = [i for i, x in enumerate(values) if x == x]
    return sorted(places, key=values.__getitem__, reverse=reverse) + [i for i, x in enumerate(values) if x != x]


@given(MANY, st.booleans(), st.booleans())
@example(array("d", [0.0, -0.0, math.nan, math.inf, -math.inf, -math.nan, 0.0]), True, False)
@example(array("f", [math.nan] * 40 + [1.0, -1.0] * 20), True, False)
@example(array("b", [3] * 2000), True, False)
@example(array("Q", [2**64 - 1, 0] * 300), True, False)
def test_argsort(values: array[Any], reverse: bool, ties: bool) -> None:
    values = few_values(values) if ties else values
    want = array("q", nans_last(values, reverse))
    assert same_array(ao.argsort(values, reverse=reverse), want)
    assert same_array(ao.argsort(spread(values), reverse=reverse), want)


@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
@pytest.mark.parametrize("shape", ["random", "few", "sorted", "falling", "alike"])
def test_argsort_of_long_arrays(code: str, shape: str) -> None:
    rng = random.Random(7)
    n = 70_000
    numbers = {
        "random": lambda: [rng.randrange(100) if code in "bB" else rng.randrange(30_000) for _ in range(n)],
        "few": lambda: rng.choices([1, 5, 7], k=n),
        "sorted": lambda: [i * 100 // n for i in range(n)],
        "falling": lambda: [(n - i) * 100 // n for i in range(n)],
        "alike": lambda: [1 + (i == 40_000) for i in range(n)],
    }[shape]()
    values = array(code, [x / 64 for x in numbers] if code in "fd" else numbers)
    for reverse in (False, True):
        assert same_array(ao.argsort(values, reverse=reverse), array("q", nans_last(values, reverse)))
    k = 700
    assert same_array(ao.topk(values, k), array(code, heapq.nlargest(k, values)))


@given(MANY, st.one_of(st.integers(0, 70), st.integers(0, 1100)), st.booleans())
@example(array("d", [math.nan, 1.0, -0.0, 0.0]), 3, False)
@example(array("i", [1, 2]), 5, False)
def test_topk(values: array[Any], k: int, ties: bool) -> None:
    values = few_values(values) if ties else values
    want = array(values.typecode, [values[i] for i in nans_last(values, True)[:k]])
    assert same_array(ao.topk(values, k), want)
    assert same_array(ao.topk(spread(values), k), want)
    if not any(x != x for x in values):
        assert same_array(want, array(values.typecode, heapq.nlargest(k, values)))


def test_topk_of_more_elements_than_wait() -> None:
    rng = random.Random(3)
    for n, k in ((5000, 1), (5000, 3), (20_000, 2000), (3000, 3000), (4097, 4096)):
        for values in (list(range(n)), list(range(n, 0, -1)), [rng.randrange(50) for _ in range(n)]):
            a = array("d", values)
            a[n // 2] = math.nan
            want = array("d", [a[i] for i in nans_last(a, True)[:k]])
            assert same_array(ao.topk(a, k), want)


def test_topk_of_odd_counts() -> None:
    a = array("h", [3, 1, 2])
    assert ao.topk(a, 0) == ao.topk(a, -2) == array("h") == array("h", heapq.nlargest(-2, a))
    assert ao.topk(a, True) == array("h", [3]) and ao.topk(a, 2**80) == array("h", [3, 2, 1])
    with pytest.raises(TypeError):
        ao.topk(a, 1.5)  # type: ignore[arg-type]


# -- searchsorted ------------------------------------------------------------------------------------------------------


@given(MANY, MANY, st.sampled_from(["left", "right"]), st.booleans())
@example(array("q", [2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1]), array("d", [2.0**53, 2.0**63, -math.inf]), "left", True)
@example(array("d", [2.0**53, 2.0**53 + 2, 2.0**64]), array("Q", [2**53 + 1, 2**64 - 1, 0]), "right", True)
@example(array("d", [2.0**53, 2.0**53 + 2, 2.0**64]), array("Q", [2**53 + 1, 2**53 + 3]), "left", True)
@example(array("Q", [0, 1, 2**63]), array("d", [-0.5, -0.0, 0.5, math.nan, 1e300]), "left", True)
@example(array("Q", [0, 1, 2**63]), array("d", [-0.5, -0.0, 0.5, math.nan, 1e300]), "right", True)
@example(array("d", [1.0, math.nan, 0.5, math.nan]), array("f", [1.0, math.nan]), "right", False)
def test_searchsorted(sequence: array[Any], values: array[Any], side: str, in_order: bool) -> None:
    """Also of what is not sorted, and of nans: the same steps find the same places."""
    if in_order:
        sequence = array(sequence.typecode, sorted(x for x in sequence if x == x))
    find = bisect.bisect_left if side == "left" else bisect.bisect_right
    want = array("q", [find(sequence, v) for v in values])
    assert same_array(ao.searchsorted(sequence, values, side), want)
    assert same_array(ao.searchsorted(spread(sequence), spread(values), side), want)


def test_searchsorted_of_one_number() -> None:
    a = array("i", [1, 5, 5, 9])
    assert [ao.searchsorted(a, v) for v in (0, 5, 5.5, 10**30, True)] == [0, 1, 3, 4, 0]
    assert ao.searchsorted(a, 5, side="right") == 3
    assert type(ao.searchsorted(ao.view(a, "<i"), 5)) is int
    with pytest.raises(ValueError, match="side"):
        ao.searchsorted(a, 5, "middle")
    with pytest.raises(TypeError):
        ao.searchsorted([1, 2], 1)
    with pytest.raises(TypeError):
        ao.searchsorted(a, "5")


# -- first -------------------------------------------------------------------------------------------------------------

PREDICATES = ["x > 1", "x", "10 // x > 2", "sqrt(x) < 5", "x*x*x*x*x > 7", "1 / (x - 3) < 1", "x < 0 or 1 // x"]


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error)


@given(MANY, st.sampled_from(PREDICATES), st.sampled_from(["text", "function", "callable", "not compiled"]))
def test_first(values: array[Any], text: str, kind: str) -> None:
    python = eval(f"lambda x: {text}", {"sqrt": math.sqrt})
    pred = {"text": text, "function": python, "callable": lambda x: [python(x)][0], "not compiled": python}[kind]
    want = outcome(lambda: next((i for i, x in enumerate(values) if python(x)), -1))
    assert outcome(lambda: ao.first(values, pred, compile=kind != "not compiled")) == want
    assert outcome(lambda: ao.first(spread(values), pred)) == want


def test_first_stops_and_has_a_default() -> None:
    seen = []
    a = array("i", [0, 0, 3, 0])
    assert ao.first(a, lambda x: seen.append(x) or x) == 2 and seen == [0, 0, 3]
    assert ao.first(a, "10 // (x - 4) == -10") == 2
    assert ao.first(array("i", [1, 0]), "10 // x") == 0  # the 0 behind it is not looked at
    assert ao.first(a, "x > 5") == -1 and ao.first(a, "x > 5", default=None) is None
    assert ao.first(a, "x > limit", default=9, limit=2) == 2
    assert ao.first(a, "x < y", array("i", [0, 0, 3, 5])) == 3
    assert ao.first(a, "flag", flag=b"\0\1\0\0") == 1
    assert ao.first(a, "x > default", names={"default": 2, "other": 5}) == 2
    for n in (0, 1, 1023, 1024, 1025, 5000, 70_000, 1 << 20):
        long = array("b", bytes(n) + b"\1" + bytes(2000))
        assert ao.first(long, "x") == ao.first(long, lambda x: x == 1) == n
        long = array("q", [7]) * n + array("q", [2**40, 7])
        assert ao.first(long, "x**2 % 5 == 1") == n  # 2**80 is Python's


# -- other kinds of arrays ---------------------------------------------------------------------------------------------


def test_formats_that_array_has_not() -> None:
    halves = ao.map(array("d", [1.5, math.nan, -2.0, 1.5]), "x", typecode="e")
    truths = ao.map(array("b", [0, 1, 0]), "x", typecode="?")
    thirds = ao.map(array("i", [5, -7, 5]), "x", typecode="i3")
    for a, order in ((halves, [2, 0, 3, 1]), (truths, [0, 2, 1]), (thirds, [1, 0, 2])):
        assert ao.argsort(a) == array("q", order)
    assert ao.topk(halves, 2).format == "e" and ao.topk(halves, 2).tolist() == [1.5, 1.5]
    assert ao.topk(truths, 2).tolist() == [True, False] and ao.topk(thirds, 2).tolist() == [5, 5]
    assert ao.searchsorted(thirds[1:], halves).tolist() == [bisect.bisect_left([-7, 5], x) for x in halves.tolist()]
    assert ao.first(truths, "x") == 1


def test_numpy_arrow_and_pandas() -> None:
    np, pa, pd = (pytest.importorskip(name) for name in ("numpy", "pyarrow", "pandas"))
    values = np.array([3.0, 1.0, np.nan, 1.0])
    for a in (values, np.repeat(values, 2)[::2], values.astype(">f8")):
        order = ao.argsort(a)
        assert type(order) is np.ndarray and order.dtype == np.int64
        assert order.tolist() == np.argsort(values, kind="stable").tolist() == [1, 3, 0, 2]
    assert ao.topk(values, 2).tolist() == [3.0, 1.0] and ao.topk(values, 9, nan="skip").tolist() == [3.0, 1.0, 1.0]
    clean = np.sort(values)[:3]
    assert ao.searchsorted(clean, values[:2]).tolist() == np.searchsorted(clean, values[:2]).tolist()
    nulls = pa.array([3, None, 1, None, 2])
    with pytest.raises(ValueError, match="2 nulls"):
        ao.argsort(nulls)
    assert ao.argsort(nulls, nulls="skip").to_pylist() == [2, 4, 0]
    assert ao.argsort(nulls, nulls=0).to_pylist() == [1, 3, 2, 4, 0]
    assert ao.topk(nulls, 2, nulls="skip").to_pylist() == [3, 2]
    assert ao.first(nulls, "x < 3", nulls="skip") == 2 and ao.first(nulls, "x < 1", nulls=0) == 1
    assert ao.first(nulls, "x < y", pa.array([9, 9, None, 9, 9]), nulls="skip") == 0
    assert ao.first(nulls, "x < 3 < y", y=pa.array([9, 9, None, 9, 9]), nulls="skip") == 4
    series = pd.Series([2, 1], index=["a", "b"], name="s")
    assert ao.argsort(series).tolist() == [1, 0] and ao.argsort(series).name == "s"
    assert ao.searchsorted(array("i", [1, 2]), series).index.tolist() == ["a", "b"]


def test_refusals() -> None:
    for call in (lambda: ao.argsort([1]), lambda: ao.topk([1], 1), lambda: ao.first([1], "x"),
                 lambda: ao.searchsorted(array("i", [1]), [1]), lambda: ao.argsort(array("u", "a"))):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    with pytest.raises(BufferError):
        ao.argsort(memoryview(bytes(6)).cast("B", (2, 3)))


def test_results_are_those_of_python_for_all_permutations() -> None:
    for numbers in itertools.permutations([-1.5, 0.0, -0.0, 2.0, math.nan]):
        a = array("d", numbers)
        for reverse in (False, True):
            assert ao.argsort(a, reverse=reverse).tolist() == nans_last(a, reverse)
        assert all(same_scalar(x, a[i]) for x, i in zip(ao.topk(a, 5), nans_last(a, True), strict=True))
