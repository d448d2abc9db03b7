"""histogram against numpy.histogram and its definition, bincount against Counter, math.fsum and numpy.bincount."""

from __future__ import annotations

import bisect
import collections
import itertools
import math
from array import array
from fractions import Fraction
from typing import Any

import arrayops as ao
import pytest
import strategies
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import same_array

np = pytest.importorskip("numpy")
MANY = st.one_of(strategies.arrays(), strategies.long_arrays())


def by_definition(values: Any, edges: Any) -> list[int]:
    """Each number compared with the edges, by Python."""
    counts = [0] * (len(edges) - 1)
    for x in values:
        if edges[0] <= x <= edges[-1]:
            counts[-1 if x == edges[-1] else bisect.bisect_right(edges, x) - 1] += 1
    return counts


NUMBERS = st.one_of(
    st.floats(-100, 100), st.integers(-20, 20).map(float), st.sampled_from([0.1, 0.30000000000000004, 1e300, -0.0])
)  # fmt: skip


@given(st.lists(NUMBERS, max_size=60), st.integers(1, 40), st.one_of(st.none(), st.tuples(NUMBERS, NUMBERS)))
@example([0.1 * k for k in range(40)], 39, None)
@example([float(k) for k in range(101)], 100, (0, 100))
@example([1e9 + k / 16 for k in range(50)], 7, None)
@example([5.0, 5.0], 3, None)
@example([0.0, -1.0, -0.0], 3, None)
@example([-0.0, -1.0, 0.0], 3, None)
@example([], 3, None)
def test_equal_bins(values: list[float], bins: int, limits: tuple[float, float] | None) -> None:
    a = array("d", values)
    limits = limits if limits is None else (min(limits), max(limits))
    try:
        counts, edges = np.histogram(values, bins, limits)
    except ValueError:
        with pytest.raises(ValueError, match="doubles from"):
            ao.histogram(a, bins, limits)
        return
    got, bounds = ao.histogram(a, bins, limits)
    assert bounds.typecode == "d" and bounds.tolist() == edges.tolist()  # but for the sign of a zero
    assert limits or same_array(bounds, ao.map(bounds, "x + 0.0"))
    assert same_array(got, array("q", by_definition(values, bounds.tolist())))
    assert got.tolist() == counts.tolist()


@given(MANY, st.integers(1, 300))
@example(array("q", [2**53 + 1, 2**53, -(2**53) - 1, 2**63 - 1, -(2**63)]), 5)
@example(array("Q", [2**64 - 1, 2**53 + 1, 0]), 7)
@example(array("d", [1.7976931348623157e308, -1.7976931348623157e308, 0.0]), 4)
def test_every_typecode(values: array[Any], bins: int) -> None:
    finite = array(values.typecode, [x for x in values if math.isfinite(x)])
    try:
        got, edges = ao.histogram(finite, bins)
    except ValueError as error:
        assert "not enough doubles" in str(error)
        return
    assert len(edges) == bins + 1 and all(a < b for a, b in itertools.pairwise(edges))
    assert got.tolist() == by_definition(finite, edges.tolist()) and sum(got) == len(finite)
    if len(finite) and min(finite) < max(finite) and all(abs(x) < 2**53 for x in finite):
        assert edges[0] == min(finite) and edges[-1] == max(finite)
    order = ">" if values.typecode not in "lL" else ""
    spread = ao.view(bytearray(3 + 11 * len(values)), order + values.typecode, 3, 11, len(values))
    ao.map(values, "x", out=spread)
    got, _ = ao.histogram(spread, edges)
    assert got.tolist() == by_definition(values, edges.tolist())
    assert ao.histogram(values, bins, (edges[0], edges[-1]))[0] == got


@given(MANY, st.lists(st.one_of(NUMBERS, st.sampled_from([math.inf, -math.inf])), min_size=2, max_size=9))
@example(array("d", [0, 1, 1, 2, math.nan]), [0, 1, 1, 2])
@example(array("d", [0, 1, 1]), [0, 1, 1])
@example(array("q", [2**63 - 1]), [0.0, 2.0**63])
def test_given_edges(values: array[Any], edges: list[float]) -> None:
    edges = sorted(edges)
    got, bounds = ao.histogram(values, edges)
    assert same_array(bounds, array("d", edges))
    want = by_definition(values, edges)
    assert same_array(got, array("q", want))
    if values.typecode not in "lLqQ":
        assert np.histogram(np.asarray(values), edges)[0].tolist() == want


def test_where_numpy_is_off() -> None:
    """A number below an edge by less than its double shows, and ints that are no doubles."""
    a = array("q", [2**53 + 1] * 3)
    assert ao.histogram(a, [0.0, 2.0**53, 2.0**54])[0].tolist() == [0, 3]
    assert ao.histogram(array("q", [2**53 - 1, 2**53 + 1]), [0, 2**53])[0].tolist() == [1]
    assert ao.histogram(array("d", [-1e308, 1e308]), 2)[0].tolist() == [1, 1]


def test_many_bins_and_many_elements() -> None:
    rng = np.random.default_rng(5)
    for n, bins in ((70_000, 20), (70_000, 5000), (300_000, 1)):
        x = rng.normal(size=n)
        counts, edges = np.histogram(x, bins)
        got = ao.histogram(array("d", x.tobytes()), bins)
        assert got[0].tolist() == counts.tolist() and got[1].tolist() == edges.tolist()
    grey = rng.integers(0, 256, 100_000, dtype=np.uint8)
    assert ao.histogram(grey, 256, (0, 256))[0].tolist() == np.bincount(grey, minlength=256).tolist()


def test_bad_bins() -> None:
    a = array("d", [1.0, 2.0])
    for bins, limits, error, match in (
        (0, None, ValueError, "at least 1 bin"), (-3, None, ValueError, "at least 1"), (2.5, None, TypeError, "int"),
        ("auto", None, TypeError, "name"), ([3, 1], None, ValueError, "increase"), (5, (2, 1), ValueError, "begin"),
        ([1, math.nan], None, ValueError, "nan"), (5, (0, math.inf), ValueError, "not finite"),
        (5, (1.0, math.nextafter(1, 2)), ValueError, "not enough doubles"), (["a"], None, TypeError, "number"),
    ):  # fmt: skip
        with pytest.raises(error, match=match):
            ao.histogram(a, bins, limits)
    for odd in (math.nan, math.inf):
        with pytest.raises(ValueError, match="not finite"):
            ao.histogram(array("d", [1.0, odd]))
    assert ao.histogram(array("d", [1.0, math.nan, 2.0]), 2, nan="skip")[0].tolist() == [1, 1]
    assert ao.histogram(array("d", [1.0, math.nan, math.inf]), 1, (0, 9))[0].tolist() == [1]
    assert ao.histogram(a, []) == (array("q"), array("d")) and ao.histogram(a, [1]) == (array("q"), array("d", [1]))
    assert ao.histogram(array("i"), 2) == (array("q", [0, 0]), array("d", [0, 0.5, 1]))


def test_histograms_of_other_kinds() -> None:
    pa = pytest.importorskip("pyarrow")
    counts, edges = ao.histogram(np.array([1, 2, 2], ">i4"), 2)
    assert type(counts) is np.ndarray and counts.tolist() == [1, 2] and edges.dtype == float
    nulls = pa.array([1, None, 3])
    with pytest.raises(ValueError, match="1 null"):
        ao.histogram(nulls)
    assert ao.histogram(nulls, 2, nulls="skip")[0].to_pylist() == [1, 1]
    halves = ao.map(array("d", [0.5, 1.5]), "x", typecode="e")
    assert ao.histogram(halves, np.array([0, 1, 2]))[0].tolist() == [1, 1]
    assert ao.histogram(ao.map(b"\1\0\1", "x", typecode="?"), [0, 1, 2])[0].tolist() == [1, 2]


# -- bincount ----------------------------------------------------------------------------------------------------------


@st.composite
def keyed(draw: st.DrawFn) -> tuple[array[Any], array[Any]]:
    weights = draw(MANY)
    code = draw(st.sampled_from("bBhHiIlLqQ"))
    largest = draw(st.sampled_from([0, 3, 100, 120]))
    keys = [(i * 7 + i // 5) % (largest + 1) for i in range(len(weights))]
    return array(code, keys), weights


@given(keyed(), st.integers(0, 9))
def test_bincount(arrays: tuple[array[Any], array[Any]], minlength: int) -> None:
    keys, weights = arrays
    count = collections.Counter(keys)
    bins = max(max(keys, default=-1) + 1, minlength)
    assert same_array(ao.bincount(keys, minlength=minlength), array("q", [count[k] for k in range(bins)]))
    groups: list[list[Any]] = [[] for _ in range(bins)]
    for k, w in zip(keys, weights, strict=True):
        groups[k].append(w)
    floats = weights.typecode in "fd"
    try:
        want: Any = array("d", map(math.fsum, groups)) if floats else array("q", map(sum, groups))
    except (OverflowError, ValueError) as error:
        with pytest.raises(type(error)):
            ao.bincount(keys, weights, minlength)
        return
    assert same_array(ao.bincount(keys, weights, minlength), want)
    order = ">" if weights.typecode not in "lL" else ""
    spread = ao.view(bytearray(3 + 11 * len(weights)), order + weights.typecode, 3, 11, len(weights))
    ao.map(weights, "x", out=spread)
    assert same_array(ao.bincount(keys, spread, minlength), want)


def test_weights_are_added_up_exactly() -> None:
    keys = array("H", [1, 0, 1, 1] * 5000)
    weights = array("d", [1e16, 0.1, 1.0, -1e16] * 5000)
    got = ao.bincount(keys, weights)
    assert got.tolist() == [float(Fraction(0.1) * 5000), 5000.0]
    assert np.bincount(keys, weights)[0] != got[0]  # it rounds each time
    assert ao.bincount(keys, ao.map(weights, "x", typecode="d"), 4).tolist() == [*got, 0.0, 0.0]


def test_bad_keys() -> None:
    for keys, weights, error in (
        (array("d", [1.0]), None, TypeError), (array("b", [3, -1]), None, ValueError),
        (array("b", [1]), array("d", [1, 2]), ValueError), ([1], None, TypeError), (array("b", [1]), [1], TypeError),
        (array("q", [2**62]), None, MemoryError), (array("Q", [2**64 - 1]), None, MemoryError),
    ):  # fmt: skip
        with pytest.raises(error):
            ao.bincount(keys, weights)
    with pytest.raises(ValueError, match="minlength"):
        ao.bincount(b"", minlength=-1)
    with pytest.raises(OverflowError, match="key 1 does not fit"):
        ao.bincount(b"\1\1", array("q", [2**63 - 1, 1]))
    assert ao.bincount(b"\1\1", array("Q", [2**63 - 1, 0])).tolist() == [0, 2**63 - 1]
    assert ao.bincount(b"") == array("q") and ao.bincount(b"", array("d")) == array("d")


def test_bincount_of_other_kinds() -> None:
    pa = pytest.importorskip("pyarrow")
    assert ao.bincount(np.array([1, 2, 2])).dtype == np.int64
    keys, weights = pa.array([0, 1, None, 1]), pa.array([0.5, None, 1.0, 2.0])
    assert ao.bincount(keys, weights, nulls="skip").to_pylist() == [0.5, 2.0]
    assert ao.bincount(keys, nulls=0).to_pylist() == [2, 2]
    assert ao.bincount(ao.map(b"\1\0\1", "x", typecode="?")).tolist() == [1, 2]
