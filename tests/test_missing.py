"""Missing values: Arrow and Polars nulls, masked arrays and pandas' NA, under one policy.

The owner library is the oracle for value, type and validity; where it has no such function it is Python on the list of
values, with None for a null. Lengths are those at which bits, bytes, words and the machine's blocks end.
"""

from __future__ import annotations

import math
import pickle
import statistics
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

LENGTHS = (0, 1, 7, 8, 9, 63, 64, 65, 511, 512, 513, 1025, 5000)
Values = list[Any]


def as_masked(values: Values) -> Any:
    data = [1e300 if x is None else x for x in values]
    return np.ma.array(np.array(data, dtype="d"), mask=[x is None for x in values])


def as_sliced(values: Values) -> Any:
    """Five elements, of which one is null, lie before the first one: the bits begin inside a byte."""
    return pa.array([9.0, None, 9.0, 9.0, 9.0, *values], type=pa.float64())[5:]


def as_chunks(values: Values) -> Any:
    """Chunks of several lengths, one of them empty, whose bits begin anywhere."""
    third = len(values) // 3
    parts = [as_sliced(part) for part in (values[:third], [], values[third:])]
    return pa.chunked_array(parts, type=pa.float64())


def as_pieces(values: Values) -> Any:
    half = len(values) // 2
    parts = [pl.Series("n", part, dtype=pl.Float64) for part in (values[:half], values[half:])]
    return pl.concat(parts, rechunk=False)


def as_nullable(values: Values) -> Any:
    return pd.Series(values, dtype="Float64", name="n", index=range(10, 10 + len(values)))


def as_arrow_backed(values: Values) -> Any:
    return pd.Series(values, dtype="float64[pyarrow]", name="n", index=range(10, 10 + len(values)))


MAKERS: dict[str, Callable[[Values], Any]] = {
    "masked": as_masked,
    "arrow": as_sliced,
    "chunks": as_chunks,
    "polars": lambda values: pl.Series("n", values, dtype=pl.Float64),
    "pieces": as_pieces,
    "nullable": as_nullable,
    "arrow-backed": as_arrow_backed,
}


def listed(result: Any) -> Values:
    """The elements of an array of any kind, None for a null."""
    if isinstance(result, np.ma.MaskedArray):
        return list(result.tolist())
    if isinstance(result, pd.Series):
        return [None if x is pd.NA else x for x in result.tolist()]
    if isinstance(result, (pa.Array, pa.ChunkedArray)):
        result.validate(full=True)
        return result.to_pylist()
    return result.to_list() if isinstance(result, pl.Series) else list(result)


def null_in_null_out(f: Callable[..., Any], *columns: Values) -> Values:
    return [None if None in row else f(*row) for row in zip(*columns, strict=True)]


def columns_of(lengths: st.SearchStrategy[int], number: int) -> st.SearchStrategy[tuple[Values, ...]]:
    """Columns of one length; a short pattern is repeated, with the share of nulls that it has."""

    def column(count: int) -> st.SearchStrategy[Values]:
        element = st.none() | st.sampled_from([0.0, 1.0, -2.5, 3.0, math.inf, 7.0])
        pattern = st.lists(element, min_size=1, max_size=70) | st.just([None])
        return pattern.map(lambda some: (some * (count // len(some) + 1))[:count])

    return lengths.flatmap(lambda n: st.tuples(*[column(n)] * number))


# ------------------------------------------------------------------------------------------------------- propagate


@given(kind=st.sampled_from(list(MAKERS)), columns=columns_of(st.sampled_from(LENGTHS), 1))
def test_null_in_null_out(kind: str, columns: tuple[Values]) -> None:
    (values,) = columns
    given = MAKERS[kind](values)
    want = null_in_null_out(lambda x: x * 2 + 1, values)
    for result in (
        ao.map(given, "x*2 + 1", nulls="propagate"),
        ao.map(given, lambda x: x * 2 + 1, nulls="propagate"),
        ao.map(given, lambda x: x * 2 + 1, nulls="propagate", compile=False),
        ao.compile("x*2 + 1")(given, nulls="propagate"),
        ao.evaluate("x*2 + 1", x=given, nulls="propagate"),
        ao.add(given, ao.map(given, "x + 1", nulls="propagate"), nulls="propagate"),
    ):
        assert type(result) is type(given) and listed(result) == want


@settings(max_examples=200)
@given(first=st.sampled_from(list(MAKERS)), second=st.sampled_from([*MAKERS, "array"]),
       columns=columns_of(st.sampled_from((0, 1, 8, 9, 65, 513)), 2))  # fmt: skip
def test_nulls_of_several_arrays_are_combined(first: str, second: str, columns: tuple[Values, Values]) -> None:
    xs, ys = columns
    if second == "array":
        ys = [1.5 if y is None else y for y in ys]
    x = MAKERS[first](xs)
    y = array("d", ys) if second == "array" else MAKERS[second](ys)
    result = ao.map(x, "x if x > y else y", y, nulls="propagate")
    assert type(result) is type(x)
    assert listed(result) == null_in_null_out(lambda a, b: a if a > b else b, xs, ys)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("f", ["1/x", "sqrt(x)", lambda x: 1 / x, lambda x: math.sqrt(x)])
def test_what_lies_under_a_null_raises_nothing(kind: str, f: Any) -> None:
    """Zeros lie there in Arrow data and pandas' columns; in the masked array it is made so."""
    values = [2.0, None, 4.0] * 400
    given = MAKERS[kind](values)
    if kind == "masked":
        given.data[1::3] = 0.0 if f == "1/x" else -1.0
    function = {"1/x": lambda x: 1 / x, "sqrt(x)": math.sqrt}.get(f, f) if isinstance(f, str) else f
    want = null_in_null_out(function, values)
    for compiled in (True, False):
        assert listed(ao.map(given, f, nulls="propagate", compile=compiled)) == want
    with pytest.raises(ZeroDivisionError):
        ao.map(MAKERS[kind]([None, 0.0]), "1/x", nulls="propagate")


@pytest.mark.parametrize("threads", [1, 3])
def test_faults_under_nulls_on_several_threads(threads: int) -> None:
    given = np.ma.array(np.zeros(300_000), mask=True)
    given[::7] = 4.0
    result = ao.map(given, "1/x", threads=threads, nulls="propagate")
    assert (result.mask == given.mask).all() and (result[::7] == 0.25).all()


@pytest.mark.parametrize("kind", ["arrow", "polars", "nullable", "masked"])
def test_results_of_integers_that_do_not_fit_under_nulls(kind: str) -> None:
    data = {"arrow": lambda: pa.array([1, None], pa.int8()), "polars": lambda: pl.Series([1, None], dtype=pl.Int8),
            "nullable": lambda: pd.Series([1, None], dtype="Int8"),
            "masked": lambda: np.ma.array(np.array([1, 127], "b"), mask=[0, 1])}[kind]()  # fmt: skip
    assert listed(ao.map(data, "x + 126", nulls="propagate")) == [127, None]
    assert listed(ao.map(data, "x / 2", nulls="propagate", typecode="d")) == [0.5, None]
    with pytest.raises(TypeError, match="pass typecode='d'"):
        ao.map(data, "x / 2", nulls="propagate")


def bool_kinds(values: Values) -> list[Any]:
    third = len(values) // 3
    parts = [pa.array([True, None, True, *part], type=pa.bool_())[3:] for part in (values[:third], values[third:])]
    return [
        parts[1],
        pa.chunked_array(parts),
        pl.Series("n", values, dtype=pl.Boolean),
        pd.Series(values, dtype="boolean"),
        pd.Series(values, dtype="bool[pyarrow]"),
        np.ma.array([bool(x) for x in values], mask=[x is None for x in values], dtype=bool),
    ]


@given(values=st.sampled_from([n for n in LENGTHS if n < 600]).flatmap(
    lambda n: st.lists(st.none() | st.booleans(), min_size=n, max_size=n)))  # fmt: skip
def test_truth_values_with_nulls(values: Values) -> None:
    for column in bool_kinds(values):
        has = listed(column)
        given_back = ao.evaluate("not x", x=column, nulls="propagate")
        assert type(given_back) is type(column)
        assert listed(given_back) == null_in_null_out(lambda x: not x, has)
        assert listed(ao.filter(column, "x", nulls="skip")) == [x for x in has if x]
        assert listed(ao.map(column, "x", nulls=True)) == [x is not False for x in has]
        assert ao.sum(column, nulls="skip") == has.count(True)


@pytest.mark.parametrize("kind", MAKERS)
def test_all_null_is_never_evaluated(kind: str) -> None:
    given = MAKERS[kind]([None] * 9)
    called = []
    assert listed(ao.map(given, lambda x: called.append(x), nulls="propagate", compile=False)) == [None] * 9
    assert listed(ao.map(given, "1/(x - x)", nulls="propagate")) == [None] * 9 and not called
    assert ao.sum(given, nulls="skip") == 0 and listed(ao.filter(given, "x > 0", nulls="skip")) == []
    with pytest.raises(statistics.StatisticsError):
        ao.mean(given, nulls="skip")


def test_a_kind_without_room_becomes_one_that_has_it() -> None:
    nulls = pl.Series([1.0, None])
    result = ao.map(np.array([2.0, 3.0]), "x*y", nulls, nulls="propagate")
    assert isinstance(result, np.ma.MaskedArray) and result.tolist() == [2.0, None]
    labelled = ao.map(pd.Series([2.0, 3.0], index=list("ab")), "x*y", nulls, nulls="propagate")
    pd.testing.assert_series_equal(labelled, pd.Series([2.0, None], index=list("ab"), dtype="Float64"))
    whole = pl.Series([1.0, 2.0])  # the kind does not depend on the values
    assert isinstance(ao.map(np.array([2.0, 3.0]), "x*y", whole, nulls="propagate"), np.ma.MaskedArray)
    assert ao.map(pd.Series([2, 3]), "x*y", pd.Series([1, 2], dtype="Int64"), nulls="propagate").dtype == "Int64"
    with pytest.raises(ValueError, match="no room in array: nulls=<number> puts a number in their place"):
        ao.map(array("d", [2.0, 3.0]), "x*y", nulls, nulls="propagate")


def test_masked_arrays_have_the_fill_value_and_the_mask_of_numpy() -> None:
    given = np.ma.array([1.0, 1000.0, 2.0], mask=[0, 1, 0], fill_value=-1.0)
    want = given * 2
    result = ao.map(given, "x*2", nulls="propagate")
    assert (result.fill_value, result.dtype, result.mask.tolist()) == (want.fill_value, want.dtype, want.mask.tolist())
    assert result.sum() == want.sum() == 6.0
    assert ao.mean(given, nulls="skip") == 1.5 == given.mean()
    with pytest.raises(ValueError, match="has 1 null"):
        ao.mean(given)
    with pytest.raises(TypeError, match="mask of a masked array"):
        ao.sort(given)
    assert type(ao.map(np.ma.array([1.0]), "x")) is np.ma.MaskedArray and ao.sum(np.ma.array([1.0, 2.0])) == 3.0


# ------------------------------------------------------------------------------------------------- skip and numbers


@given(kind=st.sampled_from(list(MAKERS)), columns=columns_of(st.sampled_from(LENGTHS), 1))
def test_nulls_left_out_or_filled(kind: str, columns: tuple[Values]) -> None:
    (values,) = columns
    given = MAKERS[kind](values)
    left, filled = [x for x in values if x is not None], [5.0 if x is None else x for x in values]
    for nulls, numbers in (("skip", left), (5, filled)):
        assert listed(ao.filter(given, "x > 0", nulls=nulls)) == [x for x in numbers if x > 0]
        assert ao.sum(given, nulls=nulls) == math.fsum(numbers)
        assert ao.count(given, "x > 0", nulls=nulls) == sum(x > 0 for x in numbers)
        assert ao.any(given, "x > 3", nulls=nulls) == any(x > 3 for x in numbers)
        assert ao.all(given, "x > 3", nulls=nulls) == all(x > 3 for x in numbers)
        assert ao.reduce(given, "acc + x", 0.0, nulls=nulls) == sum(numbers, 0.0)
        assert listed(ao.accumulate(given, "x if x > acc else acc", initial=0.0, nulls=nulls))[-1:] == [
            max(0.0, *numbers, 0.0)
        ]
        assert listed(ao.unique(given, nulls=nulls)) == sorted(set(numbers))
        assert ao.lazy(given, nulls=nulls).map("x*2").filter("x > 1").count() == sum(2 * x > 1 for x in numbers)
        if numbers:
            assert ao.min(given, nulls=nulls) == min(numbers) and ao.max(given, nulls=nulls) == max(numbers)
            assert ao.minmax(given, nulls=nulls) == (min(numbers), max(numbers))
            places = [i for i, x in enumerate(values) if x is not None or nulls != "skip"]
            assert ao.argmin(given, nulls=nulls) == places[numbers.index(min(numbers))]
            assert ao.argmax(given, nulls=nulls) == places[numbers.index(max(numbers))]
            assert list(ao.array_iterator(given, nulls=nulls)) == numbers
            assert ao.median(given, nulls=nulls) == statistics.median(numbers)
            assert ao.stats(given, nulls=nulls) == ao.stats(array("d", numbers)) or math.inf in numbers
            assert repr(ao.quantile(given, 0.5, nulls=nulls)) == repr(ao.quantile(array("d", numbers), 0.5))
    assert listed(ao.map(given, "x + 1", nulls=5)) == [x + 1 for x in filled]


@given(kind=st.sampled_from(list(MAKERS)), columns=columns_of(st.sampled_from((0, 1, 8, 9, 65, 513)), 2))
def test_rows_with_a_null_are_left_out(kind: str, columns: tuple[Values, Values]) -> None:
    xs, ys = columns
    x, y = MAKERS[kind](xs), MAKERS[kind](ys)
    rows = [(a, b) for a, b in zip(xs, ys, strict=True) if a is not None and b is not None]
    assert listed(ao.filter(x, "x > y", y=y, nulls="skip")) == [a for a, b in rows if a > b]
    assert ao.count(x, lambda a, b: a > b, y, nulls="skip") == sum(a > b for a, b in rows)
    weights = array("d", range(len(xs)))
    kept = [w for w, a in enumerate(xs) if a is not None]
    assert listed(ao.filter(weights, "y < 9", y=x, nulls="skip")) == [w for w in kept if xs[w] < 9]
    if all(math.isfinite(a) and math.isfinite(b) for a, b in rows):
        assert ao.dot(x, y, nulls="skip") == math.fsum(a * b for a, b in rows)


def test_a_number_that_does_not_fit_is_refused_as_an_array_refuses_it() -> None:
    data = pa.array([1, None], type=pa.int8())
    with pytest.raises(OverflowError):
        ao.sum(data, nulls=128)
    with pytest.raises(TypeError):
        ao.map(data, "x", nulls=0.5)
    assert ao.sum(data, nulls=-1) == 0


# -------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("kind", MAKERS)
def test_nulls_are_an_error_that_names_the_choices(kind: str) -> None:
    given = MAKERS[kind]([1.0, None, None])
    for call, policy in (
        (lambda: ao.map(given, "x"), "propagate"),
        (lambda: ao.evaluate("x", x=given), "propagate"),
        (lambda: ao.map(array("d", [1, 2, 3]), "x + y", given), "propagate"),
        (lambda: ao.filter(given, "x"), "skip"),
        (lambda: ao.sum(given), "skip"),
        (lambda: ao.stats(given), "skip"),
        (lambda: ao.RunningStats(given), "skip"),
        (lambda: ao.reduce(given, "acc + x"), "skip"),
        (lambda: ao.lazy(given).sum(), "skip"),
    ):
        with pytest.raises(ValueError, match=rf"2 nulls: nulls='{policy}' .*, nulls=<number> puts a number"):
            call()


def test_what_nulls_cannot_be() -> None:
    a = array("d", [1.0])
    for call in (lambda n: ao.map(a, "x", nulls=n), lambda n: ao.filter(a, "x", nulls=n), lambda n: ao.sum(a, nulls=n),
                 lambda n: ao.lazy(a, nulls=n), lambda n: ao.unique(a, nulls=n)):  # fmt: skip
        for wrong in ("drop", [], b"skip"):
            with pytest.raises(
                TypeError, match=r"nulls must be '(skip|propagate)', a number to take their place, or None"
            ):
                call(wrong)
    with pytest.raises(TypeError, match="nulls must be 'propagate'"):
        ao.map(a, "x", nulls="skip")
    with pytest.raises(ValueError, match="nan must be 'skip' or None"):
        ao.sum(a, nan="drop")


@pytest.mark.parametrize("kind", MAKERS)
def test_lengths_that_differ(kind: str) -> None:
    x, y = MAKERS[kind]([1.0, None, 3.0]), array("d", [1.0])
    for nulls in ("propagate", 0):
        with pytest.raises(ValueError, match=r"same length: one has (3|1) elements, another (3|1)"):
            ao.map(x, "x + y", y, nulls=nulls)
    with pytest.raises(ValueError, match=r"same length: one has 3 elements, another 1"):
        ao.filter(x, "y > 0", y=y, nulls="skip")
    with pytest.raises(ValueError, match="same length"):
        ao.map(x, "x + y", np.ma.array([1.0, 2.0], mask=[0, 1]), nulls="propagate")


def test_nothing_is_written_before_an_error() -> None:
    out = array("d", [7.0, 7.0])
    with pytest.raises(ValueError, match=r"no room in out \(array\)"):
        ao.map(pl.Series([1.0, None]), "x", out=out, nulls="propagate")
    with pytest.raises(TypeError, match="read-only"):
        ao.map(array("d", [1.0]), "x", out=pl.Series([1.0]))
    assert out.tolist() == [7.0, 7.0]


# ------------------------------------------------------------------------------------------------------ out, in place


def test_out_takes_values_and_mask() -> None:
    given = np.ma.array([1.0, 5.0, 3.0], mask=[0, 1, 0])
    out = np.ma.array([0.0, 0.0, 0.0], mask=[1, 0, 0])
    assert ao.map(given, "x*2", out=out, nulls="propagate") is out and out.tolist() == [2.0, None, 6.0]
    assert ao.map(array("d", [1, 2, 3]), "x", out=out) is out and out.tolist() == [1.0, 2.0, 3.0]
    plain = np.zeros(3)
    ao.map(given, "x*2", out=plain, nulls=4)
    assert plain.tolist() == [2.0, 8.0, 6.0]
    ao.map_inplace(given, "x + 1", nulls="propagate")
    assert given.tolist() == [2.0, None, 4.0]
    ao.compile("x + 1").inplace(given, nulls=0.0)
    assert given.tolist() == [3.0, 1.0, 5.0]


# --------------------------------------------------------------------------------------------------------- streams


def batches() -> list[Any]:
    return [pa.array([1.0, 2.0]), pa.array([3.0, None, 4.0]), pa.array([], type=pa.float64()), pa.array([None, 5.0])]


def test_nulls_in_the_middle_of_a_stream() -> None:
    read: list[int] = []

    def stream() -> Any:
        for i, batch in enumerate(batches()):
            read.append(i)
            yield batch

    with pytest.raises(ValueError, match="buffer 1 of the stream has 1 null: nulls='skip'"):
        ao.lazy(stream()).map("x*2").sum()
    assert read == [0, 1]
    assert ao.lazy(stream(), nulls="skip").map("x*2").sum() == 30.0
    assert ao.lazy(stream(), nulls=10).map("x*2").collect("d").tolist() == [2, 4, 6, 20, 8, 20, 10]


def test_pipelines_with_nulls_pickle_and_say_what_they_read() -> None:
    for source in (np.ma.array([1.0, 2.0], mask=[0, 1]), pd.Series([1.0, None], dtype="Float64")):
        pipeline = ao.lazy(source, nulls="skip").map("x + 1")
        assert pickle.loads(pickle.dumps(pipeline)).sum() == pipeline.sum() == 2.0
        assert f"{type(source).__name__} of 2 elements" in repr(pipeline) and "compiled" in pipeline.explain()


# ------------------------------------------------------------------------------------------------------------- nan


FLOATS = st.floats(width=32) | st.just(math.nan)


@given(st.lists(FLOATS, max_size=1100), st.sampled_from("fd"), st.sampled_from([1, 2, -1]))
def test_nans_are_left_out(values: list[float], typecode: str, step: int) -> None:
    data = memoryview(array(typecode, values))[::step]
    numbers = array(typecode, [x for x in data if x == x])
    for f in (ao.sum, ao.mean, ao.min, ao.max, ao.var, ao.std, ao.stats, ao.median, ao.minmax, ao.prod, ao.RunningStats,
              lambda a, **k: ao.quantile(a, [0, 0.5, 0.9], **k)):  # fmt: skip
        assert outcome(f, data, nan="skip") == outcome(f, numbers)


def outcome(f: Callable[..., Any], *args: Any, **options: Any) -> object:
    try:
        return repr(f(*args, **options))
    except Exception as error:
        return type(error), str(error)


def test_nan_is_a_value_and_not_a_null() -> None:
    data = pl.Series([1.0, math.nan, None, 3.0])
    assert math.isnan(ao.sum(data, nulls="skip")) and ao.sum(data, nulls="skip", nan="skip") == 4.0
    assert ao.mean(data, nulls=2, nan="skip") == 2.0
    series = pd.Series([1.0, math.nan, 3.0])
    assert math.isnan(ao.sum(series)) and ao.sum(series, nan="skip") == series.sum()
    assert ao.std(series, ddof=1, nan="skip") == series.std()
    assert ao.median(series, nan="skip") == series.median()
    assert ao.sum(array("q", [2**62, 2**62]), nan="skip") == 2**63
    running = ao.RunningStats()
    running.update(array("d", [1.0, math.nan]), nan="skip")
    running.update(data, nulls="skip", nan="skip")
    assert (running.count, running.sum) == (3, 5.0)


# ----------------------------------------------------------------------------------- tables, and values of all elements

TABLE = [10.5, None, 30.5]
INDEX = [0, 2, None, -1, 0]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("nulls", [None, "propagate"])
def test_nulls_of_a_table(kind: str, nulls: str | None) -> None:
    """A number takes their place; to be left out or to propagate is for the elements that are gone through."""
    table, index = MAKERS[kind](TABLE), array("q", [0, 2, 1, -1])
    with pytest.raises(ValueError, match="a table has 1 null: nulls=<number>"):
        ao.map(index, "t[x]", t=table, typecode="d", nulls=nulls)
    with pytest.raises(ValueError, match="a table has 1 null: nulls=<number>"):
        ao.evaluate("t[x]", x=index, t=table, nulls=nulls)
    with pytest.raises(ValueError, match="a table has 1 null: nulls=<number>"):
        ao.filter(index, "t[x] > 11", t=table, nulls=nulls and "skip")
    assert list(ao.map(index, "t[x]", t=table, typecode="d", nulls=-1)) == [10.5, 30.5, -1.0, 30.5]
    assert list(ao.filter(index, "t[x] > 11", t=table, nulls=20)) == [2, 1, -1]


@pytest.mark.parametrize("index", ["masked", "arrow", "chunks", "polars", "nullable"])
@pytest.mark.parametrize("table", MAKERS)
def test_nulls_of_an_index_beside_a_table(index: str, table: str) -> None:
    """The table has a length, labels and chunks of its own."""
    given = ao.map(MAKERS[index](INDEX), "int(x)", nulls="propagate")
    t = MAKERS[table]([10.5, 20.5, 30.5])
    want = [None if i is None else [10.5, 20.5, 30.5][i] for i in INDEX]
    for result in (
        ao.map(given, "t[int(x)]", t=t, nulls="propagate"),
        ao.compile("t[int(x)]")(t, given, nulls="propagate"),
        ao.evaluate("t[int(x)]", t=t, x=given, nulls="propagate"),
    ):
        assert type(result) is type(given) and listed(result) == want
    assert listed(ao.filter(given, "t[int(x)] < 20", t=t, nulls="skip")) == [0, 0]
    assert ao.count(given, "t[int(x)] < 20", t=t, nulls="skip") == 2


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("text", ["max(x)", "len(x)", "1/(max(x) - 3)", "x - mean(x)", "x/max(x) + 1"])
def test_what_is_of_all_elements_has_no_null_among_them(kind: str, text: str) -> None:
    given = MAKERS[kind]([0.0, None, 3.0])
    for nulls in (None, "propagate"):
        for call in (lambda: ao.map(given, text, nulls=nulls), lambda: ao.evaluate(text, x=given, nulls=nulls)):  # noqa: B023
            with pytest.raises(ValueError, match="is of all elements, and some are null: nulls=<number>"):
                call()
    found, want = (ao.evaluate(text, x=x, nulls=6) for x in (given, array("d", [0.0, 6.0, 3.0])))
    assert (listed(found), type(found)) == (list(want), type(given)) if isinstance(want, array) else found == want


TABLE_ROWS = [
    (lambda a, t: ao.reduce(a, "acc + t[x]", 0, t=t, nulls="skip"), 60),
    (lambda a, t: ao.filter(a, "t[x] > 15", t=t, nulls="skip").tolist(), [1, 2]),
    (lambda a, t: ao.count(a, "t[x] > 15", t=t, nulls="skip"), 2),
    (lambda a, t: ao.compile("t[x] > 15", "t", "x").filter(t, a, nulls="skip").tolist(), [1, 2]),
    (lambda a, t: ao.any(a, "t[x] == 20", t=t, nulls="skip"), True),
    (lambda a, t: ao.map(a, "t[x]", t=t, nulls="propagate").tolist(), [20, None, 10, 30]),
    (lambda a, t: ao.evaluate("t[x]", x=a, t=t, nulls="propagate").tolist(), [20, None, 10, 30]),
]


@pytest.mark.parametrize(("call", "want"), TABLE_ROWS)
def test_a_table_goes_with_no_row(call: Any, want: Any) -> None:
    """Of the length of the data, of another one, and as a list: nothing is left out of it."""
    numpy = pytest.importorskip("numpy")
    data = numpy.ma.array([1, 7, 0, 2], mask=[0, 1, 0, 0])
    for table in (array("q", [10, 20, 30]), array("q", [10, 20, 30, 40]), [10, 20, 30, 40, 50]):
        assert call(data, table) == want


def test_a_table_with_nulls() -> None:
    numpy = pytest.importorskip("numpy")
    table, data = numpy.ma.array([10, 20, 30], mask=[0, 1, 0]), array("q", [0, 1, 2])
    for call in (
        lambda: ao.map(data, "t[x]", t=table, nulls="propagate"),
        lambda: ao.filter(data, "t[x] > 1", t=table, nulls="skip"),
    ):
        with pytest.raises(ValueError, match="a table has 1 null"):
            call()
    assert ao.map(data, "t[x]", t=table, nulls=7).tolist() == [10, 7, 30]


def test_an_accumulator_that_is_a_tuple() -> None:
    numpy = pytest.importorskip("numpy")
    data = numpy.ma.array([1, 7, 5], mask=[0, 1, 0])
    text = "acc[0] + x, acc[1] + 1"
    assert ao.reduce(data, text, (0, 0), nulls="skip") == (6, 2)
    assert ao.reduce(data, text, (0, 0), nulls=1) == (7, 3)
    sums, counts = ao.accumulate(data, text, initial=(0, 0), typecode=("d", "q"), nulls="skip")
    assert type(sums) is type(counts) is type(data)
    assert (sums.tolist(), counts.tolist()) == ([0.0, 1.0, 6.0], [0, 1, 2])
    sums, counts = ao.accumulate(data.data, text, initial=(0, 0), typecode=("d", "i"))
    assert type(sums) is numpy.ndarray
    assert counts.dtype == numpy.int32


@pytest.mark.parametrize("number", [500, -129, 2.5])
def test_a_number_that_does_not_fit_in_the_place_of_nulls(number: float) -> None:
    with pytest.raises((OverflowError, TypeError)) as caught:
        ao.map(pa.array([1, None], pa.int8()), "x", nulls=number)
    assert caught.value.__notes__ == [f"nulls={number!r} does not fit the data, whose typecode is 'b'"]


SCALED: list[tuple[str, Callable[..., None], list[Any], list[Any]]] = [
    ("scale", lambda a, **k: ao.scale(a, 2.0, **k), [2.0, None, 6.0], [2.0, 4.0, 6.0]),
    ("clip", lambda a, **k: ao.clip(a, 2, 9, **k), [2.0, None, 3.0], [2.0, 2.0, 3.0]),
    ("normalize", ao.normalize, [0.0, None, 1.0], [0.0, 0.5, 1.0]),
]


@pytest.mark.parametrize(("name", "function", "propagated", "filled"), SCALED, ids=[row[0] for row in SCALED])
def test_nulls_of_what_is_changed_in_place(name: str, function: Callable[..., None], propagated: Values,
                                           filled: Values) -> None:  # fmt: skip
    values = [1.0, None, 3.0]
    kinds = (lambda: pd.Series(values, dtype="Float64"), lambda: np.ma.array([1.0, 9e99, 3.0], mask=[0, 1, 0]))
    for make in kinds:
        data = make()
        with pytest.raises(ValueError, match="the data has 1 null: nulls='propagate' makes their results null"):
            function(data)
        with pytest.raises(TypeError, match="nulls must be 'propagate'"):
            function(data, nulls="skip")
        function(data, nulls="propagate")
        assert [None if x is pd.NA else x for x in data.tolist()] == propagated
        data = make()
        function(data, nulls=2)
        assert data.tolist() == filled


def test_a_number_in_the_place_of_a_missing_truth_value() -> None:
    truths = pa.array([True, None, False])
    for number in (True, 1, 1.0):
        assert ao.map(truths, "x", nulls=number).to_pylist() == [True, True, False]
    assert ao.sum(truths, nulls=0) == 1
    for number in (3, 0.5, math.nan):
        with pytest.raises(TypeError, match=f"nulls={number} is no truth value.*: give True or False"):
            ao.map(truths, "x", nulls=number)
