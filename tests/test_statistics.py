"""Statistics against the standard library and exact fractions, for every typecode, length and kind of number."""

from __future__ import annotations

import copy
import gc
import itertools
import math
import operator
import os
import pickle
import random
import signal
import statistics
import sys
import threading
from array import array
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import arrayops as ao
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import TYPECODES, edge_values, handling, same_array, same_scalar

FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e3, 1e3),
    st.integers(-5, 5).map(float),
    st.floats(1e9, 1e9 + 1),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 2.0**-485, 2.0**470]),
)
LENGTHS = st.sampled_from([0, 1, 2, 3, 4, 5, 8, 63, 64, 65, 100, 1000, 1023, 1025, 3000])


@st.composite
def arrays(draw: st.DrawFn, codes: str = "".join(TYPECODES), special: bool = False) -> array[Any]:
    """An array of few or many elements: the drawn ones, repeated and shuffled."""
    code, length = draw(st.sampled_from(codes)), draw(LENGTHS)
    if code in "fd":
        numbers = FLOATS if code == "d" else st.floats(width=32, allow_nan=False, allow_infinity=False)
        numbers = st.one_of(numbers, st.sampled_from([math.nan, math.inf, -math.inf])) if special else numbers
    else:
        low, high = min(edge_values(code)), max(edge_values(code))
        numbers = st.one_of(st.integers(low, high), st.integers(max(low, -3), min(high, 3)))
    few = draw(st.lists(numbers, min_size=1, max_size=20))
    values = array(code, (few * (length // len(few) + 1))[:length])
    shuffled = values.tolist()
    random.Random(draw(st.integers(0, 99))).shuffle(shuffled)
    return array(code, shuffled)


def outcome(call: Callable[[], Any]) -> Any:
    """The value, or the exception's type."""
    try:
        return call()
    except Exception as error:
        return type(error)


def agree(got: Any, want: Any) -> bool:
    """Same type and bits, or the same exception."""
    if isinstance(want, type) or isinstance(got, type):
        return got is want
    return same_scalar(got, want)


def nearest(value: Fraction) -> float:
    """The nearest double; inf if it is too large."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def exact_variance(values: array[Any], ddof: int = 0) -> Fraction:
    exact = [Fraction(x) for x in values]
    mean = sum(exact, Fraction(0)) / len(exact)
    return sum(((x - mean) ** 2 for x in exact), Fraction(0)) / (len(exact) - ddof)


@given(arrays(), st.integers(0, 1))
def test_variance(values: array[Any], ddof: int) -> None:
    if len(values) <= ddof:
        for function in (ao.var, ao.std):
            with pytest.raises(statistics.StatisticsError):
                function(values, ddof=ddof)
        return
    want = exact_variance(values, ddof)
    assert same_scalar(ao.var(values, ddof=ddof), nearest(want))
    deviation = ao.std(values, ddof=ddof)
    # the nearest double of a root lies between the roots of the squares of its neighbours' midpoints
    low, high = (Fraction(deviation) + Fraction(math.nextafter(deviation, to)) for to in (-1.0, math.inf))
    assert deviation == 0 == want or (low / 2) ** 2 <= want <= (high / 2) ** 2
    if len(values) < 200:
        library = (statistics.pvariance, statistics.variance)[ddof]
        assert same_scalar(ao.var(values, ddof=ddof), outcome_float(lambda: library(values)))
        library = (statistics.pstdev, statistics.stdev)[ddof]
        assert same_scalar(deviation, outcome_float(lambda: library(values)))


def outcome_float(call: Callable[[], Any]) -> float:
    try:
        return float(call())
    except OverflowError:
        return math.inf


@given(arrays(), st.data())
def test_dot(a: array[Any], data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(TYPECODES))
    pool = edge_values(code)
    pool = [x for x in pool if math.isfinite(x)]
    b = array(code, [pool[(i * 7 + i // 3) % len(pool)] for i in range(len(a))])
    want = sum((Fraction(x) * Fraction(y) for x, y in zip(a, b, strict=True)), Fraction(0))
    got = ao.dot(a, b)
    if a.typecode in "fd" or code in "fd":
        assert same_scalar(got, nearest(want))
    else:
        assert type(got) is int and got == want


#: Factors of one array. Products are extracted from their block if none is too small or too far from the others.
FACTORS: dict[str, Callable[[random.Random], float]] = {
    "alike": lambda rng: rng.uniform(-1, 1), "half zeros": lambda rng: rng.choice([0.0, rng.uniform(-1, 1)]),
    "zeros": lambda rng: rng.choice([0.0, -0.0]),
    "far apart": lambda rng: math.ldexp(rng.uniform(-1, 1), rng.randrange(-60, 60)),
    "small": lambda rng: math.ldexp(rng.uniform(1, 2), rng.choice([-479, -480, -485, -486, -512])),
    "subnormal": lambda rng: rng.choice([5e-324, 1e-310, 2.0**-1022, 1.0]),
    "large": lambda rng: math.ldexp(rng.uniform(1, 2), rng.choice([468, 469, 470, 479, 480])),
    "cancelling": lambda rng: rng.choice([-1.0, 1.0]) * rng.choice([2.0**30, 1.0, 2.0**-23]),
    "full": lambda rng: 2.0 - math.ldexp(rng.randrange(1, 64), -52),
    "cents": lambda rng: round(rng.uniform(0, 1000), 2),
}  # fmt: skip


@pytest.mark.parametrize("first", FACTORS)
def test_dot_of_factors_of_every_kind(first: str) -> None:
    rng = random.Random(first)
    for second in FACTORS:
        for count in (1, 64, 100, 600, 1700):
            a, b = (array("d", [FACTORS[kind](rng) for _ in range(count)]) for kind in (first, second))
            if rng.random() < 0.5:
                rng.choice([a, b])[rng.randrange(count)] = rng.choice([0.0, 2.0**-482, 5e-324, 2.0**400, 2.0**-60])
            for x, y in ((a, b), (a, a)):
                want = sum((Fraction(v) * Fraction(w) for v, w in zip(x, y, strict=True)), Fraction(0))
                assert same_scalar(ao.dot(x, y), nearest(want)), count


def test_dot_of_infinities_and_nans() -> None:
    inf, nan = math.inf, math.nan
    for a, b, want in (([inf], [1.0], inf), ([inf], [0.0], nan), ([inf, inf], [1.0, -1.0], nan), ([nan], [0.0], nan),
                       ([inf, 2.0], [-1.0, 5.0], -inf), ([1e308, 1e308], [10.0, -10.0], 0.0),
                       ([1e308], [10.0], inf)):  # fmt: skip
        for left, right in ((array("d", a), array("d", b)), (array("d", b), array("d", a))):
            assert same_scalar(ao.dot(left, right), want)
    assert math.isnan(ao.dot(array("d", [inf, 1.0]), array("Q", [0, 2**64 - 1])))
    assert ao.dot(array("d", [inf, 1.0]), array("Q", [1, 2**64 - 1])) == inf
    with pytest.raises(ValueError, match="same length"):
        ao.dot(array("d", [1]), array("d", [1, 2]))
    for pair in (array("d", [1]), array("Q", [2**64 - 1, 1])), (array("Q", [2**64 - 1, 1]), array("d", [1])):
        with pytest.raises(ValueError, match="same length"):
            ao.dot(*pair)
    with pytest.raises(TypeError):
        ao.dot([1], [2])


@given(arrays(special=True))
@example(array("d", [math.nan, 1.0]))
@example(array("d", [1.0, math.nan]))
@example(array("f", [0.0, -0.0]))
def test_extremes(values: array[Any]) -> None:
    index = range(len(values))
    assert agree(outcome(lambda: ao.argmin(values)), outcome(lambda: min(index, key=values.__getitem__)))
    assert agree(outcome(lambda: ao.argmax(values)), outcome(lambda: max(index, key=values.__getitem__)))
    got, want = outcome(lambda: ao.minmax(values)), outcome(lambda: (min(values), max(values)))
    assert got is want if isinstance(want, type) else all(map(same_scalar, got, want))


@given(arrays(special=True))
def test_sort_unique_reverse(values: array[Any]) -> None:
    in_order = sorted(values, key=lambda x: (x != x, x if x == x else 0))
    copies = [array(values.typecode, values) for _ in range(3)]
    wide = bytearray(3 + 11 * len(values))
    order = ">" if values.typecode not in "lL" else ""
    spaced = ao.view(wide, order + values.typecode, 3, 11, len(values))
    ao.map(values, "x", out=spaced)
    ao.sort(copies[0])
    assert same_array(copies[0], array(values.typecode, in_order))
    ao.sort(spaced)
    assert same_array(ao.map(spaced, "x"), ao.map(copies[0], "x"))
    distinct = ao.unique(values)
    first = {x: x for x in reversed(values.tolist()) if x == x}
    nans = [x for x in values if x != x]
    assert same_array(distinct, array(values.typecode, [first[x] for x in sorted(first)] + nans))
    ao.reverse(copies[1])
    assert copies[1].tobytes() == array(values.typecode, values[::-1]).tobytes()
    ao.reverse(spaced)
    ao.reverse(copies[0])
    assert same_array(ao.map(spaced, "x"), ao.map(copies[0], "x"))
    assert same_array(values, copies[2])


@given(arrays())
def test_median(values: array[Any]) -> None:
    assert agree(outcome(lambda: ao.median(values)), outcome(lambda: statistics.median(values)))


@given(arrays(), st.integers(2, 12), st.sampled_from(["inclusive", "exclusive"]))
def test_quantiles(values: array[Any], n: int, method: str) -> None:
    if not len(values):
        with pytest.raises(statistics.StatisticsError):
            ao.quantile(values, 0.5)
        return
    orders = [Fraction(i, n) for i in range(1, n)]
    found = ao.quantile(values, orders, method=method)
    for order, got in zip(orders, found, strict=True):
        if len(values) == 1:
            assert same_scalar(got, values[0])
            continue
        i, whole = order.numerator, order.denominator
        want = statistics.quantiles(values, n=whole, method=method)[i - 1]  # type: ignore[arg-type]
        assert same_scalar(got, want), (order, got, want)
    for i, q in ((1, 0.1), (3, 0.3), (9, 0.9)):
        assert same_scalar(ao.quantile(values, q, method=method), ao.quantile(values, Fraction(i, 10), method=method))
    least, most = (min(values), max(values)) if len(values) == 1 else (min(values) / 1, max(values) / 1)
    assert ao.quantile(values, 0) == least and ao.quantile(values, 1) == most


def test_orders_of_quantiles() -> None:
    numpy = pytest.importorskip("numpy")
    values = array("d", [3.0, 1.0, 2.0, 5.0])
    for q, same in [(0.1, numpy.float64(0.1)), (0.5, numpy.float32(0.5)), (1, numpy.int64(1)), (0.3, Decimal("0.3")),
                    (1, True), (0, numpy.int8(0))]:  # fmt: skip
        found = ao.quantile(values, same)
        assert same_scalar(found, ao.quantile(values, q)), same
    assert ao.quantile(values, numpy.array([0.25, 0.1])) == ao.quantile(values, [0.25, 0.1])
    infinities = array("d", [math.inf, 1.0, -math.inf, math.inf])
    assert ao.quantile(infinities, [0, 1]) == [-math.inf, math.inf]
    assert ao.quantile(array("d", [math.inf, 1.0]), 0) == 1.0


def test_order_statistics_with_nans() -> None:
    values = array("d", [1.0, math.nan, 2.0])
    assert math.isnan(ao.median(values)) and math.isnan(ao.quantile(values, 0.5))
    assert math.isnan(ao.median(array("f", [math.nan, 1.0])))
    for q in (-0.1, 1.5, math.nan):
        with pytest.raises(ValueError, match="order"):
            ao.quantile(array("d", [1, 2]), q)
    with pytest.raises(ValueError, match="between"):
        ao.quantile(array("d", [1, 2]), 0.0, method="exclusive")
    with pytest.raises(ValueError, match="method"):
        ao.quantile(array("d", [1, 2]), 0.5, method="nearest")


@given(arrays())
def test_prod(values: array[Any]) -> None:
    assert agree(outcome(lambda: ao.prod(values)), outcome(lambda: math.prod(values)))


# ------------------------------------------------------------------------------------------------ truth

PREDICATES = [
    "x > 1",
    "x",
    "not x",
    "10 // x > 2",
    "x < 0 or 1 // x",
    "x == x",
    "sqrt(x) < 5",
    "x*x*x*x*x > 7",
    "1 / (x - 3) < 1",
]


@given(arrays(special=True), st.sampled_from(PREDICATES), st.sampled_from(["text", "function", "call"]))
def test_any_all_count(values: array[Any], text: str, how: str) -> None:
    function = eval(f"lambda x: {text}", {"sqrt": math.sqrt})
    given_as: Any = text if how == "text" else function
    for ours, python in (
        (ao.any, lambda: any(function(x) for x in values)),
        (ao.all, lambda: all(function(x) for x in values)),
        (ao.count, lambda: sum(1 for x in values if function(x))),
    ):
        got = outcome(lambda f=ours: f(values, given_as, compile=how != "call"))
        assert agree(got, outcome(python)), (got, outcome(python))
    assert ao.any(values) is any(values) and ao.all(values) is all(values)
    assert ao.count(values) == sum(1 for x in values if x)


def test_elements_behind_the_deciding_one_are_not_looked_at() -> None:
    for at in (0, 1, 500, 1023, 1024, 1500, 5000, 99_999):
        values = array("i", [5]) * 100_000
        values[at] = 10
        if at + 1 < len(values):
            values[at + 1 :] = array("i", [0]) * (len(values) - at - 1)
        assert ao.any(values, "10 // x == 1")
        assert not ao.all(values, "10 // x == 2")
    seen = []
    assert ao.any(array("i", range(10)), lambda x: seen.append(x) or x == 3)
    assert seen == [0, 1, 2, 3]
    with pytest.raises(ZeroDivisionError):
        ao.count(array("i", [1, 0]), "1 // x")


def test_truth_takes_more_buffers_and_names() -> None:
    values = array("i", [1, 2, 3])
    assert ao.count(values, "x < y", y=array("d", [2, 2, 2])) == 1
    flags = array("B", [1, 0, 3])
    for f in ("x < y", lambda x, y: x < y):
        assert ao.count(values, f, flags) == 0 and ao.any(flags, f, values) and not ao.all(flags, f, values)
    assert ao.count(values, "flag & 1", flag=flags) == 2 and ao.filter(values, "flag & 1", flag=flags) == array(
        "i", [1, 3]
    )
    assert ao.filter(values, "x & 1", x=flags) == array("i", [1, 3]) and ao.filter(values, "True") == values
    assert not ao.all(values, "x and _", x=flags, _=2) and ao.filter(values, "1 < 0") == array("i")
    assert ao.any(values, "x > limit", limit=2) and not ao.all(values, "x > limit", limit=2)


@pytest.mark.parametrize("ours", [ao.any, ao.all, ao.count])
def test_truth_of_arrays_of_different_lengths(ours: Any) -> None:
    """A callable that is not compiled refuses them as a text does."""
    ten, four = array("i", range(1, 11)), array("d", range(1, 5))
    for one, other in ((ten, four), (four, ten), (ten, ten[:0]), (ten[:0], ten)):
        with pytest.raises(ValueError, match="same length") as wanted:
            ours(one, "x > y - 100", other)
        for f in (lambda x, y: [x][0] > y - 100, operator.ne):
            with pytest.raises(ValueError) as raised:
                ours(one, f, other)
            assert str(raised.value) == str(wanted.value)
    assert ours(ten, lambda x, y: [x][0] > y, 0) and ours(ten, lambda x, y, z: [x][0] + y == z, 2, ao.map(ten, "x + 2"))


HELD = {
    "count": lambda a, f: ao.count(a, lambda x, y: f() or x, array("i", range(5))),
    "count, the second": lambda a, f: ao.count(array("i", range(5)), lambda x, y: f() or x, a),
    "any, the third": lambda a, f: ao.any(array("i", range(5)), lambda x, y, z: f(), array("i", range(5)), a),
    "reduce": lambda a, f: ao.reduce(a, lambda x, y: f() or x),
    "reduce from a number": lambda a, f: ao.reduce(a, lambda x, y: f() or x, 0),
    "reduce from None": lambda a, f: ao.reduce(a, lambda x, y: f() or x, None),
    "accumulate": lambda a, f: ao.accumulate(a, lambda x, y: f() or x),
    "pipeline": lambda a, f: ao.lazy(a).map(lambda x: f() or x).sum(),
    "reduction of a pipeline": lambda a, f: ao.lazy(a).map("x + 1").reduce(lambda x, y: f() or x, 0),
    "map": lambda a, f: ao.map(array("i", range(5)), lambda x, y: f() or x, a),
    "filter": lambda a, f: ao.filter(array("i", range(5)), lambda x, y: f() or x, a),
}


@pytest.mark.parametrize("name", HELD)
def test_no_callable_resizes_an_array_of_its_call(name: str) -> None:
    a = array("i", range(5))
    with pytest.raises(BufferError):
        HELD[name](a, lambda: a.append(1))
    a.append(5)
    assert a == array("i", range(6))


# ------------------------------------------------------------------------------------------------ stats


def summary(values: array[Any]) -> tuple[Any, ...]:
    """The figures of stats() by the functions of their names."""
    return (len(values), ao.sum(values), float(ao.sum(values)) / len(values), ao.min(values) + values[0] * 0,
            ao.max(values) + values[0] * 0, ao.var(values), ao.std(values))  # fmt: skip


@given(arrays())
def test_stats_are_the_single_figures(values: array[Any]) -> None:
    if not len(values):
        with pytest.raises(statistics.StatisticsError):
            ao.stats(values)
        return
    found = ao.stats(values)
    assert found.count == len(values)
    want_sum = outcome(lambda: ao.sum(values))
    assert same_scalar(found.sum, want_sum) if not isinstance(want_sum, type) else True
    exact = sum(map(Fraction, values))
    assert same_scalar(found.sum, nearest(exact)) if values.typecode in "fd" else found.sum == exact
    assert found.min == min(values) and found.max == max(values)
    assert type(found.min) is type(values[0])
    assert same_scalar(found.var, ao.var(values)) and same_scalar(found.std, ao.std(values))
    assert same_scalar(found.mean, float(found.sum) / len(values))


@given(arrays(special=True), st.lists(st.integers(0, 3000), max_size=6), st.randoms())
def test_running_statistics_do_not_depend_on_cuts(values: array[Any], cuts: list[int], rng: random.Random) -> None:
    places = sorted({0, *(min(c, len(values)) for c in cuts), len(values)})
    parts = [values[a:b] for a, b in itertools.pairwise(places)] or [values]
    whole = ao.RunningStats(values)
    one_by_one = ao.RunningStats()
    for part in parts:
        one_by_one.update(part)
    piles = [pickle.loads(pickle.dumps(ao.RunningStats(part))) for part in parts]
    rng.shuffle(piles)
    while len(piles) > 1:
        other = piles.pop(rng.randrange(len(piles)))
        rng.choice(piles).merge(other)
    for found in (one_by_one, piles[0], copy.deepcopy(whole)):
        assert repr(found) == repr(whole) and found.count == len(values)
        if len(values):
            assert all(map(same_scalar, found.stats(), ao.stats(values)))
            assert all(same_scalar(getattr(found, name), x) for name, x in ao.stats(values)._asdict().items())


def test_running_statistics_of_special_numbers() -> None:
    inf, nan = math.inf, math.nan
    for numbers, total in (([inf, 1.0], inf), ([-inf, 1.0], -inf), ([inf, -inf], nan), ([nan, 1.0], nan), ([nan], nan)):
        found = ao.stats(array("d", numbers))
        assert same_scalar(found.sum, total) and math.isnan(found.var) and math.isnan(found.std)
        assert math.isnan(found.min) == math.isnan(found.max) == any(x != x for x in numbers)
    assert ao.stats(array("d", [1e308] * 10)).sum == inf
    assert str(ao.stats(array("d", [-0.0])).min) == "0.0"


def test_threads_add_to_one_object() -> None:
    part, found, interval = array("d", [1.0, 2.0]), ao.RunningStats(), sys.getswitchinterval()

    def add() -> None:
        for _ in range(2000):
            found.update(part)

    threads = [threading.Thread(target=add) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert found.count == 16_000 and found.sum == 24_000.0
    assert copy.copy(found) == found == pickle.loads(pickle.dumps(found))


def test_running_statistics_that_do_not_go_together() -> None:
    found = ao.RunningStats(array("i", [1, 2]))
    before = repr(found)
    with pytest.raises(TypeError, match="ints; floats"):
        found.update(array("d", [1.0]))
    with pytest.raises(TypeError, match="ints; floats"):
        found.merge(ao.RunningStats(array("f", [1.0])))
    with pytest.raises(TypeError, match="RunningStats"):
        found.merge(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        found.update([1])
    assert repr(found) == before
    found.merge(ao.RunningStats())
    empty = ao.RunningStats()
    empty.merge(found)
    assert empty == found and empty != ao.RunningStats() and empty != 1
    empty.update(array("B", [7]))
    assert empty != found and empty.max == 7 and found.max == 2
    assert ao.RunningStats() == ao.RunningStats(array("d")) == ao.RunningStats(array("i"))
    assert ao.RunningStats().sum == 0 and ao.RunningStats().count == 0
    with pytest.raises(statistics.StatisticsError):
        ao.RunningStats().mean  # noqa: B018


GOOD = (2, 3, 5, 1, 2, 0, 0, 0)


@pytest.mark.parametrize(
    ("version", "floats", "found"),
    [(2, False, GOOD), (None, False, GOOD), (1, 0, GOOD), (1, False, GOOD[:-1]), (1, False, 7), (1, False, "12345678"),
     *((1, False, (*GOOD[:i], bad, *GOOD[i + 1 :])) for i, bad in
       [(0, -1), (0, 1.5), (0, 1), (1, "3"), (1, 10**9), (2, -1), (3, 9), (3, None), (3, 1.0), (5, 1), (6, -1)]),
     (1, True, (2, 0, 0, 5.0, 4.0, 0, 0, 0)), (1, True, (1, 0, 0, math.nan, 1.0, 0, 0, 0)),
     (1, True, (1, 5, 25, None, None, 1, 0, 0)),
     (1, False, (0, 0, 0, None, None, 0, 0, 0)), (1, False, (2, 4, 8, 1, 3, 0, 0, 0)),
     (1, False, (2, 4, 10, 1, 4, 0, 0, 0)),
     (1, False, (1, 2, 4, 1, 3, 0, 0, 0)), (1, False, (3, 9, 29, 2, 4, 0, 0, 0, True)),
     (1, True, (1, 0, 0, math.inf, math.inf, 0, 0, 1)), (1, True, (1, 0, 0, -math.inf, math.inf, 0, 1, 0)),
     (1, True, (2, 0, 0, 0.0, math.inf, 0, 0, 0)), (1, True, (1, 0, 0, 0.0, 0.0, 0, 1, 0)),
     (1, True, (1, 1, 1, 0.0, 0.0, 0, 0, 0)), (1, True, (2, 1, 1, math.inf, math.inf, 0, 1, 0)),
     (1, True, (2, 1 << 3000, 1 << 6000, 0.0, math.inf, 0, 1, 0)), (1, True, (2, 0, 0, -math.inf, -math.inf, 0, 0, 1))],
)  # fmt: skip
def test_damaged_pickles(version: Any, floats: Any, found: Any) -> None:
    restore = ao.RunningStats().__reduce__()[0]
    assert restore(1, False, GOOD).mean == 1.5
    with pytest.raises(ValueError, match="pickle"):
        restore(version, floats, found)


@given(arrays(special=True), st.data())
def test_a_mutated_pickle_is_refused_or_has_possible_figures(values: array[Any], data: st.DataObject) -> None:
    """Whatever elements there are, their own pickle is taken; with a figure changed it is refused, or others'."""
    found = ao.RunningStats(values)
    restore, (version, floats, figures) = found.__reduce__()
    assert restore(version, floats, figures) == found
    if figures is None:
        return
    at = data.draw(st.integers(0, 7))
    near = st.integers(-3, 3).map(lambda k: (figures[at] or 0) + k)
    other = data.draw(st.one_of(near, st.integers(), FLOATS, st.none()))
    try:
        changed = restore(version, floats, (*figures[:at], other, *figures[at + 1 :]))
    except ValueError:
        return
    s = changed.stats()
    assert s.count > 0 and (s.min <= s.mean <= s.max or s.mean != s.mean or floats) and not s.var < 0


def test_a_signal_handler_adds_in_the_midst_of_an_update() -> None:
    """A trace function that adds at every line of _add is the handler at its worst."""
    part, found, inside = array("q", [1, 2]), ao.RunningStats(), []

    def handler(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code.co_name in ("_add", "_newest") and not inside:
            inside.append(1)
            if event == "line" and len(lines) < 500:
                lines.append(frame.f_lineno)
                ao.RunningStats.merge(found, added)
            inside.pop()
        return handler

    lines: list[int] = []
    added, before = ao.RunningStats(array("q", [5])), sys.gettrace()
    sys.settrace(handler)
    try:
        for _ in range(20):
            found.update(part)
    finally:
        sys.settrace(before)
    assert len(set(lines)) > 3 and found.count == 40 + len(lines) and found.sum == 60 + 5 * len(lines)


def test_a_signal_handler_and_threads_add_to_one_object() -> None:
    part, found = array("q", [1, 2]), ao.RunningStats()
    handled: list[int] = []
    active: list[int] = []

    def handler(number: int, frame: Any) -> None:
        active.append(1)
        handled.append(1)
        found.update(part)
        active.pop()

    def add() -> None:
        for _ in range(1500):
            found.update(part)
            # On a slow machine handlers would interrupt each other until the stack ends, and hypothesis, which has a
            # callback in the garbage collector, drops the RecursionError that comes to it: updates would seem lost.
            if len(active) < 20:
                os.kill(os.getpid(), signal.SIGUSR1)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=add) for _ in range(3)]
    with handling(signal.SIGUSR1, handler):
        try:
            for thread in threads:
                thread.start()
            add()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
    assert handled and found.count == 2 * (6000 + len(handled)) and found.sum == 3 * (6000 + len(handled))


def test_who_is_overtaken_does_not_go_through_all_that_was_added() -> None:
    """Others that add faster than it goes from each to the next would keep it for ever, as happened without the GIL."""
    part, found, steps = array("q", [1, 2]), ao.RunningStats(array("q", [3])), 0

    class Slow(dict[str, Any]):
        """What was seen, at which others add before it can be asked what comes after."""

        def get(self, key: str) -> Any:  # type: ignore[override]
            if key not in self and not adding:
                adding.append(1)
                for _ in range(500):
                    found.update(part)
                adding.pop()
            return super().get(key)

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal steps
        steps += event == "c_call" and argument.__name__ == "get" and not adding

    adding: list[int] = []
    found._seen = Slow(found._seen)  # type: ignore[assignment]
    sys.setprofile(profile)
    try:
        assert found.count == 1001
    finally:
        sys.setprofile(None)
    assert 0 < steps < 5


def test_what_was_seen_before_is_let_go() -> None:
    """The memory of an object does not grow with the number of updates."""
    found, part = ao.RunningStats(), array("d", [0.5])
    for _ in range(1000):
        found.update(part)
    gc.collect()
    newest = found._newest()
    kind = type(newest["gathered"])
    kept = [o for o in gc.get_objects() if type(o) is kind and o.sum >> 1073 in range(900, 1001)]
    assert "after" not in newest and [o.count for o in kept] == [1000]


def test_mean_rounds_as_fmean() -> None:
    for values in (array("q", [2**53, 1, 0]), array("Q", [2**64 - 1, 3]), array("q", [2**53 - 1] * 7 + [5])):
        assert same_scalar(ao.mean(values), statistics.fmean(values))


# ------------------------------------------------------------------------------------------------ the other functions


@given(arrays("d"), st.sampled_from(["add", "subtract", "multiply", "divide"]))
def test_two_buffers(values: array[Any], name: str) -> None:
    other = array("d", [x if x else 1.0 for x in values])
    python: Any = {"add": float.__add__, "subtract": float.__sub__, "multiply": float.__mul__,
                   "divide": float.__truediv__}[name]  # fmt: skip
    want = outcome(lambda: array("d", map(python, values, other)))
    assert same_array(getattr(ao, name)(values, other), want)
    out = array("d", values)
    assert getattr(ao, name)(values, other, out=out) is out and same_array(out, want)


def test_two_buffers_of_ints() -> None:
    a, b = array("b", [100, -3]), array("b", [27, 2])
    assert ao.add(a, b) == array("b", [127, -1]) and ao.subtract(b, a, typecode="i") == array("i", [-73, 5])
    with pytest.raises(OverflowError):
        ao.multiply(a, b)
    with pytest.raises(TypeError, match="typecode='d'"):
        ao.divide(a, b)
    assert ao.divide(a, b, typecode="d") == array("d", [100 / 27, -1.5])
    with pytest.raises(ValueError, match="same length"):
        ao.add(a, array("b", [1]))
    with pytest.raises(ZeroDivisionError):
        ao.divide(a, array("b", [1, 0]), typecode="d")


@given(arrays("fd", special=True))
def test_normalize(values: array[Any]) -> None:
    before = array(values.typecode, values)
    odd = any(not math.isfinite(x) for x in values)
    span = max(values) - min(values) if len(values) and not odd else 0.0
    if odd or math.isinf(span):
        with pytest.raises(ValueError, match="finite"):
            ao.normalize(values)
        assert same_array(values, before)
        return
    low = min(values, default=0.0)
    ao.normalize(values)
    assert same_array(values, array(values.typecode, [(x - low) / span if span else 0.0 for x in before]))


def test_slices() -> None:
    values = array("h", range(10))
    for start, stop, step in itertools.product([None, 0, 3, -2, 20], [None, 0, 5, -1, -30], [None, 1, 2, -1]):
        assert ao.slice(values, start, stop, step).tolist() == values[start:stop:step].tolist()
    ao.slice(values, 2, 4)[0] = 77
    assert values[2] == 77
    with pytest.raises(TypeError):
        ao.slice([1, 2], 0, 1)
    assert list(ao.array_iterator(values)) == values.tolist() and next(ao.array_iterator(memoryview(values)[1:])) == 1
    with pytest.raises(TypeError):
        ao.normalize(array("i", [1, 2]))
    for function in (ao.sort, ao.reverse, ao.normalize):
        with pytest.raises(TypeError):
            function(memoryview(bytes(8)).cast("d") if function is ao.normalize else bytes(3))
