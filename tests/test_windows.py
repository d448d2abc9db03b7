"""rolling() against Python's own functions for each window: exact sums, extremes, variances, medians; streams, too."""

from __future__ import annotations

import itertools
import math
import random
import statistics
import struct
from array import array
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import arrayops as ao
import pytest
import strategies
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import same_array, same_scalar

KINDS = ("sum", "mean", "min", "max", "var", "std", "median")
MANY = st.one_of(strategies.arrays(), strategies.long_arrays())
LENGTHS = st.one_of(st.integers(1, 6), st.sampled_from([7, 8, 31, 64, 100, 1000, 5000]))


def special(window: array[Any]) -> float | None:
    """What infinities and nans add up to; None if there are none."""
    odd = [x for x in window if not math.isfinite(x)]
    return None if not odd else odd[0] if len(set(odd)) == 1 and odd[0] == odd[0] else math.nan


def nearest(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def sum_of(window: array[Any]) -> Any:
    if window.typecode not in "fd":
        return sum(window)
    odd = special(window)
    return nearest(sum(map(Fraction, window), Fraction(0))) if odd is None else odd


def var_of(window: array[Any]) -> float:
    return math.nan if special(window) is not None else ao.var(window)


def std_of(window: array[Any]) -> float:
    return math.nan if special(window) is not None else ao.std(window)


def median_of(window: array[Any]) -> float:
    return math.nan if any(x != x for x in window) else float(statistics.median(window))


#: What each figure of a window is. ao.var and ao.std are those of test_statistics.py, exact there.
MODELS: dict[str, Callable[[array[Any]], Any]] = {
    "sum": sum_of,
    "mean": lambda window: float(sum_of(window)) / len(window),
    "min": min,
    "max": max,
    "var": var_of,
    "std": std_of,
    "median": median_of,
}


def windows(values: array[Any], n: int, partial: bool) -> list[array[Any]]:
    ends = range(1 if partial else n, len(values) + 1)
    return [values[max(end - n, 0) : end] for end in ends]


def code_of(what: str, code: str) -> str:
    if what in ("min", "max"):
        return code
    wide = "Q" if array(code).itemsize == 8 and code in "LQ" else "q"
    return "d" if what != "sum" or code in "fd" else wide


def expected(values: array[Any], n: int, partial: bool, what: str) -> Any:
    results = [MODELS[what](window) for window in windows(values, n, partial)]
    try:
        return array(code_of(what, values.typecode), results)
    except OverflowError:
        return OverflowError


def spread(values: array[Any]) -> Any:
    order = ">" if values.typecode not in "lL" else ""
    view = ao.view(bytearray(3 + 11 * len(values)), order + values.typecode, 3, 11, len(values))
    ao.map(values, "x", out=view)
    return view


def check(values: array[Any], n: int, partial: bool, what: str, source: Any = None) -> None:
    want = expected(values, n, partial, what)
    rolled = ao.rolling(values if source is None else source, n, partial=partial)
    if want is OverflowError:
        with pytest.raises(OverflowError, match="does not fit"):
            getattr(rolled, what)()
        return
    got = getattr(rolled, what)()
    assert same_array(got, want), (n, partial, what, got, want)


@given(strategies.arrays(), st.integers(1, 8), st.booleans(), st.sampled_from(KINDS))
@example(array("d", [1e16, 1.0, 2.0, 3.0, 4.0]), 2, False, "sum")
@example(array("d", [-0.0, 0.0, -0.0]), 2, False, "max")
@example(array("d", [math.nan, 1.0, math.nan, math.nan, 2.0]), 2, True, "min")
@example(array("d", [1.7976931348623157e308] * 3), 2, True, "sum")
@example(array("d", [5e-324, -5e-324, 5e-324, 1.5e-323]), 3, True, "sum")
@example(array("d", [5e-324, 1.7976931348623157e308, 1.0, 2.0]), 2, True, "var")
@example(array("d", [1e-160, 3e-160, 1e-162]), 2, True, "var")
@example(array("d", [1e-160, 3e-160, 1e-162]), 2, True, "std")
@example(array("Q", [2**64 - 1, 0, 2**64 - 1]), 2, False, "sum")
@example(array("q", [2**63 - 1, -(2**63), 2**63 - 1, 1]), 2, False, "sum")
@example(array("q", [2**63 - 1, 2**63 - 3, -(2**63)]), 2, False, "median")
def test_small_arrays(values: array[Any], n: int, partial: bool, what: str) -> None:
    check(values, n, partial, what)
    check(values, n, partial, what, spread(values))


@given(strategies.long_arrays(), LENGTHS, st.booleans(), st.sampled_from(KINDS[:4]))
def test_long_arrays(values: array[Any], n: int, partial: bool, what: str) -> None:
    values = values[:300] if n > 100 else values[:200]
    check(values, n, partial, what)


ORDINARY = {
    "alike": lambda rng: rng.uniform(-1, 1),
    "normal": lambda rng: rng.gauss(0, 1e3),
    "unlike": lambda rng: rng.choice([1e300, 1e-300, 1.0]) * rng.uniform(-1, 1),
    "integers": lambda rng: float(rng.randrange(-1000, 1000)),
    "odd at times": lambda rng: rng.choice([math.inf, -math.inf, math.nan] + [0.5, 0.25, 1e9, -3.0] * 300),
    "one large": lambda rng: 1e16 if rng.random() < 0.001 else rng.random(),
}


@pytest.mark.parametrize("kind", ORDINARY)
@pytest.mark.parametrize("n", [3, 100, 5000])
def test_over_many_blocks(kind: str, n: int) -> None:
    """Longer than a block: at some windows, also around where blocks end."""
    rng = random.Random(n)
    values = array("d", [ORDINARY[kind](rng) for _ in range(13_000)])
    for partial in (False, True):
        first = 0 if partial else n - 1
        some = rng.sample(range(first, len(values)), 60 if n < 1000 else 12)
        places = {*range(first, first + 4), len(values) - 1, *some}
        places |= {k * b + first + d for k in (1, 2) for b in (4096, n) for d in (-1, 0, 1)}
        for what in KINDS:
            got = getattr(ao.rolling(values, n, partial=partial), what)()
            assert len(got) == len(values) - first
            for place in sorted(p for p in places if first <= p < len(values)):
                window = values[max(place - n + 1, 0) : place + 1]
                want = MODELS[what](window)
                assert same_scalar(got[place - first], float(want)), (what, place)


@pytest.mark.parametrize("code", "bBhHiIlLqQf")
def test_other_types_over_blocks(code: str) -> None:
    rng = random.Random(5)
    values = array(code, [rng.randrange(0, 100) for _ in range(9000)])
    for what in KINDS:
        got = getattr(ao.rolling(values, 70), what)()
        assert got.typecode == code_of(what, code)
        for place in rng.sample(range(len(got)), 40):
            want = MODELS[what](values[place : place + 70])
            assert same_scalar(got[place], float(want) if got.typecode in "fd" else want), (what, place)


def test_medians_over_blocks() -> None:
    rng = random.Random(5)
    for n in (2, 101, 70_000):
        values = array("d", [rng.choice([rng.random(), 0.5]) for _ in range(150_000)])
        got = ao.rolling(values, n).median()
        for place in [0, 1, 65_535, 65_536, 69_999, 70_000, len(got) - 1, *rng.sample(range(len(got)), 20)]:
            if place < len(got):
                assert got[place] == statistics.median(values[place : place + n]), (n, place)


def test_nothing_is_left_of_what_went() -> None:
    values = array("d", [0.1] * 50 + [1e16, -1e300, math.inf] + [0.1] * 50)
    got = ao.rolling(values, 3).sum()
    assert got[-1] == got[0] == math.fsum([0.1] * 3)
    assert got[48] == 1e16 and math.isinf(got[52])


def test_ddof() -> None:
    values = array("d", [1.0, 2.0, 4.0, 8.0])
    assert ao.rolling(values, 3).var(ddof=1).tolist() == [statistics.variance(values[i : i + 3]) for i in (0, 1)]
    first, *others = ao.rolling(values, 3, partial=True).std(ddof=1)
    assert math.isnan(first)
    assert others == [statistics.stdev(w) for w in ([1.0, 2.0], [1.0, 2.0, 4.0], [2.0, 4.0, 8.0])]
    with pytest.raises(statistics.StatisticsError, match="at least 4"):
        ao.rolling(values, 3).var(ddof=3)
    for bad in (-1, 0.5, "1"):
        with pytest.raises(ValueError, match="ddof"):
            ao.rolling(values, 3).std(ddof=bad)  # type: ignore[arg-type]


def test_windows_of_any_length() -> None:
    values = array("i", [3, 1, 2])
    for what in KINDS:
        for n in (4, 5, 2**31 - 1, 2**40):
            assert len(getattr(ao.rolling(values, n), what)()) == 0
            if n < 2**31:
                check(values, n, True, what)
        assert len(getattr(ao.rolling(values[:0], 1), what)()) == 0
        assert len(getattr(ao.rolling(values[:0], 3, partial=True), what)()) == 0
        check(values, 3, False, what)
        check(values, 1, True, what)
    for bad in (0, -1):
        with pytest.raises(ValueError, match="at least 1 element"):
            ao.rolling(values, bad)
    for source, n in ((values, 1.5), ("text", 1), (5, 2), ([1, 2], 2)):
        with pytest.raises(TypeError):
            ao.rolling(source, n).sum()  # type: ignore[arg-type]


# -- streams -----------------------------------------------------------------------------------------------------------


@given(MANY, st.lists(st.integers(0, 40), max_size=6), st.one_of(st.integers(1, 6), st.just(50)), st.booleans(),
       st.sampled_from(KINDS))  # fmt: skip
def test_streams(values: array[Any], cuts: list[int], n: int, partial: bool, what: str) -> None:
    values = values[:150]
    places = [0, *sorted(min(c, len(values)) for c in cuts), len(values)]
    parts = [values[a:b] for a, b in itertools.pairwise(places)]
    whole = ao.rolling(values, n, partial=partial)
    try:
        want = getattr(whole, what)()
    except OverflowError:
        with pytest.raises(OverflowError):
            getattr(ao.rolling(iter(parts), n, partial=partial), what)()
        return
    assert same_array(getattr(ao.rolling(iter(parts), n, partial=partial), what)(), want)
    assert same_array(getattr(ao.rolling([spread(part) for part in parts], n, partial=partial), what)(), want)


def test_streams_of_nothing_and_of_two_types() -> None:
    assert ao.rolling([], 3).sum() == array("d") and ao.rolling([array("h")], 3).max() == array("h")
    with pytest.raises(TypeError, match="buffer 1 of the stream has typecode 'd'"):
        ao.rolling([array("h", [1]), array("d", [1])], 1).sum()
    halves = [ao.map(array("d", [0.5, 2.5, 1.5]), "x", typecode="e")] * 2
    assert ao.rolling(halves, 2).max().tolist() == [2.5, 2.5, 1.5, 2.5, 2.5]


# -- other kinds of arrays ---------------------------------------------------------------------------------------------


def test_formats_that_array_has_not() -> None:
    halves = ao.map(array("d", [0.5, 2.5, 1.5]), "x", typecode="e")
    truths = ao.map(b"\1\0\1", "x", typecode="?")
    thirds = ao.map(array("i", [5, -7, 5]), "x", typecode="i3")
    assert ao.rolling(halves, 2).max().format == "e" and ao.rolling(halves, 2).max().tolist() == [2.5, 2.5]
    assert ao.rolling(halves, 2).sum() == array("d", [3.0, 4.0])
    assert ao.rolling(truths, 2).sum() == array("q", [1, 1]) and ao.rolling(truths, 2).min().tolist() == [False, False]
    assert ao.rolling(thirds, 2).min().tolist() == [-7, -7] and ao.rolling(thirds, 3).median() == array("d", [5])


def test_numpy_arrow_and_pandas() -> None:
    np, pa, pd = (pytest.importorskip(name) for name in ("numpy", "pyarrow", "pandas"))
    values = np.arange(12.0)
    for a in (values, values.astype(">f8"), np.repeat(values, 2)[::2]):
        got = ao.rolling(a, 3).mean()
        assert type(got) is np.ndarray and got.tolist() == list(range(1, 11))
    nulls = pa.array([1, None, 3, 4])
    with pytest.raises(ValueError, match="1 null"):
        ao.rolling(nulls, 2).sum()
    assert ao.rolling(nulls, 2, nulls="skip").sum().to_pylist() == [4, 7]
    assert ao.rolling(nulls, 2, nulls=0).max().to_pylist() == [1, 3, 4]
    assert ao.rolling(pa.chunked_array([[1, 2], [3]]), 2).sum().to_pylist() == [3, 5]
    series = pd.Series([1.0, 2.0, 4.0], index=["a", "b", "c"], name="s")
    got = ao.rolling(series, 2, partial=True).sum()
    assert got.equals(series.rolling(2, min_periods=1).sum()) and got.name == "s"
    assert ao.rolling(series, 2, partial=True).max().index.tolist() == ["a", "b", "c"]
    assert ao.rolling(series, 2).sum().tolist() == [3.0, 6.0]


def test_the_bits_of_a_nan_in_front() -> None:
    nan = struct.unpack("<d", (0x7FF8_0000_0000_1234).to_bytes(8, "little"))[0]
    got = ao.rolling(array("d", [nan, 1.0, 2.0]), 2).min()
    assert struct.pack("<d", got[0]) == struct.pack("<d", nan) and got[1] == 1.0


# -- neighbours by slices ----------------------------------------------------------------------------------------------


def test_slices_are_stencils_for_each_kind_of_array() -> None:
    np, pa, pd = (pytest.importorskip(name) for name in ("numpy", "pyarrow", "pandas"))
    numbers = [1, 4, 9, 16, 25]
    differences = [3, 5, 7, 9]
    for code in "bBhHiIlLqQfd":
        a = array(code, numbers)
        m = memoryview(a)
        assert ao.map(m[1:], "x - y", m[:-1]).tolist() == differences
        assert ao.map(m[1:-1], "(w + 2*x + y) // 4", w=m[:-2], y=m[2:]).tolist() == [4, 9, 16]
        view = spread(a)
        assert ao.map(view[1:], "x - y", view[:-1]).tolist() == differences
    for code in ("e", "i3", "u3"):
        view = ao.map(array("i", numbers), "x" if code != "e" else "float(x)", typecode=code)
        assert ao.map(view[1:], "x - y", view[:-1]).tolist() == differences
    arrow, chunked = pa.array(numbers), pa.chunked_array([numbers[:2], numbers[2:]])
    assert ao.map(arrow[1:], "x - y", arrow[:-1]).to_pylist() == differences
    assert ao.map(chunked[1:], "x - y", chunked[:4]).to_pylist() == differences
    values = np.array(numbers)
    assert ao.map(values[1:], "x - y", values[:-1]).tolist() == differences
    series = pd.Series(numbers).to_numpy()
    assert ao.map(series[1:], "x - y", series[:-1]).tolist() == differences
    halved = array("d", numbers)
    m = memoryview(halved)
    ao.map(m[1:], "(x + y) / 2", m[:-1], out=m[1:])  # the output overlaps an input: that is copied first
    assert halved.tolist() == [1, 2.5, 6.5, 12.5, 20.5]
