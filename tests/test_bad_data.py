"""Data that is no column of numbers: each an error that says what it is and what to do, in every function that takes
arrays, with nothing half-written."""

from __future__ import annotations

import ctypes
import datetime
import decimal
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

DAY = datetime.date(2024, 2, 29)
ONE = decimal.Decimal("1.5")

class Elsewhere:
    """An array that has no buffer, such as one on another device."""

    def __array__(self) -> Any:
        return np.array([1.5, 2.5])


NO_NUMBERS: list[tuple[str, Callable[[], Any], str]] = [  # what it is, how to get it, what is said
    ("list", lambda: pa.array([[1], [2]]), r"nested.*flatten"),
    ("large list", lambda: pa.array([[1], [2]], pa.large_list(pa.int8())), r"nested.*flatten"),
    ("list of fixed size", lambda: pa.array([[1], [2]], pa.list_(pa.int8(), 1)), r"nested.*flatten"),
    ("map", lambda: pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int8())), r"nested.*flatten"),
    ("struct", lambda: pa.array([{"a": 1}, {"a": 2}]), r"struct.*field"),
    ("union", lambda: pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array([1, 2])]), r"nested.*flatten"),
    ("decimal", lambda: pa.array([ONE, ONE]), r"decimal.*cast"),
    ("wide decimal", lambda: pa.array([ONE, ONE], pa.decimal256(50, 3)), r"decimal.*cast"),
    ("string", lambda: pa.array(["a", "b"]), r"\(string\).*cast"),
    ("large string", lambda: pa.array(["a", "b"], pa.large_string()), r"large string.*cast"),
    ("string view", lambda: pa.array(["a", "b"], pa.string_view()), r"string view.*cast"),
    ("binary", lambda: pa.array([b"a", b"b"]), r"'z' \(binary\).*cast"),
    ("nothing but nulls", lambda: pa.array([None, None]), r"'n'"),
    ("interval", lambda: pa.array([(1, 2, 3), (1, 2, 3)], pa.month_day_nano_interval()), r"\(interval\).*cast"),
    ("run-end encoded", lambda: pa.RunEndEncodedArray.from_arrays([1, 2], [1.5, 2.5]), r"nested.*flatten"),
    ("dates", lambda: pa.array([DAY, DAY]), r"datetime64\[D\]"),
    ("polars list", lambda: pl.Series([[1], [2]]), r"nested.*flatten"),
    ("polars struct", lambda: pl.Series([{"a": 1}, {"a": 2}]), r"struct.*field"),
    ("polars decimal", lambda: pl.Series([ONE, ONE]), r"decimal.*cast"),
    ("polars strings", lambda: pl.Series(["a", "b"]), r"string view.*cast"),
    ("polars dates", lambda: pl.Series([DAY, DAY]), r"datetime64\[D\]"),
    ("lazy frame", lambda: pl.LazyFrame({"a": [1.5, 2.5]}), r"no values yet: collect"),
    ("polars expression", lambda: pl.col("a"), r"no values yet: collect"),
    ("another library's array", Elsewhere, r"not Elsewhere: numpy\.asarray\(\) makes"),
    ("polars null", lambda: pl.Series([None, None]), r"'n'"),
    ("NumPy objects", lambda: np.array([1, 2.5], object), r"'O'.*astype"),
    ("NumPy strings", lambda: np.array(["a", "b"]), r"1w.*convert the strings"),
    ("NumPy bytes", lambda: np.array([b"a", b"b"]), r"1s.*convert the strings"),
    ("characters", lambda: (ctypes.c_wchar * 2)(*"ab"), r"ao\.view\(array, '[IH]'\) gives the characters"),
    ("bytes as characters", lambda: memoryview(b"ab").cast("c"), r"ao\.view\(array, 'B'\) gives the characters"),
    ("NumPy records", lambda: np.zeros(2, [("a", "i4"), ("b", "f8")]), r"T\{.*take one of the fields"),
    ("NumPy complex", lambda: np.array([1j, 2j]), r"Zd.*take \.real"),
    ("NumPy long double", lambda: np.array([1, 2], np.longdouble), r"'g'.*astype"),
    ("NumPy times", lambda: np.array(["2024"], "M8[s]"), r"ao\.view\(array, 'datetime64\[s\]'\) gives its ints"),
    ("times, byte-swapped", lambda: np.array(["2024"], ">M8[s]"), r"ao\.view\(array, 'M8\[s\]'\) gives its ints"),
    ("times of no unit", lambda: np.array([1]).astype("m8"), r"ao\.view\(array, 'timedelta64'\) gives its ints"),
    ("NumPy table", lambda: np.zeros((2, 2)), r"dimension"),
    ("what a Series holds", lambda: pd.array([1, None], dtype="Int64"), r"give the Series, or pandas\.Series\("),
    ("what a category holds", lambda: pd.Categorical(["a", "b"]), r"give the Series, or pandas\.Series\(values\)"),
    ("pandas category", lambda: pd.Series(["a", "b"], dtype="category"), r"\.cat\.codes"),
    ("pandas category of numbers", lambda: pd.Series([1.5, 2.5], dtype="category"), r"\.cat\.codes.*astype"),
    ("pandas objects", lambda: pd.Series([1, "b"], dtype=object), r"to_numeric"),
    ("list of numbers", lambda: [1.5, 2.5], r"buffer.*not list"),
    ("a moment", lambda: np.datetime64("2024-02-29"), r"datetime64"),
    ("a length of time", lambda: np.timedelta64(5, "s"), r"timedelta64"),
    ("str", lambda: "ab", r"buffer.*not str"),
    ("set", lambda: {1, 2}, r"buffer.*not set"),
    ("generator", lambda: (x for x in (1, 2)), r"buffer.*not generator"),
]  # fmt: skip
CALLS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("map", lambda bad, out: ao.map(bad, "x + 1")),
    ("map of a function", lambda bad, out: ao.map(bad, lambda x: x + 1)),
    ("map, second", lambda bad, out: ao.map(array("d", [1, 2]), "x + y", bad)),
    ("map, named", lambda bad, out: ao.map(array("d", [1, 2]), "x + y", y=bad)),
    ("map, out", lambda bad, out: ao.map(array("d", [1, 2]), "x + y", bad, out=out)),
    ("map, filled", lambda bad, out: ao.map(bad, "x + 1", nulls=0)),
    ("filter", lambda bad, out: ao.filter(bad, "x > 1")),
    ("filter by", lambda bad, out: ao.filter(out, "m", m=bad)),
    ("evaluate", lambda bad, out: ao.evaluate("x + 1", x=bad)),
    ("evaluate, second", lambda bad, out: ao.evaluate("x + y", x=out, y=bad)),
    ("sum", lambda bad, out: ao.sum(bad)),
    ("sum, skipped", lambda bad, out: ao.sum(bad, nulls="skip")),
    ("stats", lambda bad, out: ao.stats(bad)),
    ("median", lambda bad, out: ao.median(bad)),
    ("unique", lambda bad, out: ao.unique(bad)),
    ("count", lambda bad, out: ao.count(bad, "x > 1")),
    ("reduce", lambda bad, out: ao.reduce(bad, "acc + x", 0)),
    ("accumulate", lambda bad, out: ao.accumulate(bad)),
    ("dot", lambda bad, out: ao.dot(out, bad)),
    ("kernel", lambda bad, out: ao.compile("x + 1")(bad)),
]


@pytest.mark.parametrize(("what", "make", "said"), NO_NUMBERS, ids=[what for what, _, _ in NO_NUMBERS])
def test_what_has_no_numbers_is_named(what: str, make: Callable[[], Any], said: str) -> None:
    for name, call in CALLS:
        out = array("d", [7.0, 7.0])
        with pytest.raises((TypeError, BufferError), match=said):
            pytest.fail(f"{name} gave {call(make(), out)!r}")
        assert out == array("d", [7.0, 7.0]), name
        out.append(1.0)  # nobody holds it


def test_a_mask_is_no_index() -> None:
    """Of one truth value, or as Python's functions have it, True is 1 as ever."""
    table, mask = array("d", [1, 2]), np.array([True, False])
    for call in (
        lambda: ao.map(mask, "t[x]", t=table),
        lambda: ao.evaluate("t[m] + 1", t=table, m=mask),
        lambda: ao.filter(mask, "t[x] > 1", t=table),
    ):
        with pytest.raises(ao.ExpressionError, match="is a mask, not an index: filter"):
            call()
    assert ao.map(mask, "t[int(x)]", t=table, typecode="d").tolist() == [2, 1]
    assert ao.map(array("q", [0, 2]), "t[x > 1]", t=table, typecode="d").tolist() == [1, 2]
    assert ao.map(mask, lambda x: table[x], typecode="d").tolist() == [2, 1]


def test_a_fold_begins_with_no_column() -> None:
    a = array("d", [1, 2])
    columns = pd.Series([1.0]), pl.Series([1.0]), pa.array([1.0]), np.ma.array([1.0]), pd.array([1], dtype="Int64")
    for column in columns:
        with pytest.raises(TypeError, match="initial must be a number or a tuple of numbers"):
            ao.reduce(a, "acc + x", column)
        with pytest.raises(TypeError, match="initial must be a number or a tuple of numbers"):
            ao.accumulate(a, "acc + x", initial=column)
    assert ao.reduce(a, "acc + x", np.array([1.0, 5.0])).tolist() == [4, 8]


def test_what_a_series_holds_is_no_out() -> None:
    for out, said in ((pd.array([1], dtype="Int64"), "give the Series"), (pd.DataFrame({"a": [1.0]}), "is a table")):
        with pytest.raises(TypeError, match=said):
            ao.map(array("d", [1]), "x", out=out)


def test_the_ends_of_a_range_are_numbers() -> None:
    for end in ("1", b"1", bytearray(b"1"), None, np.ma.masked):
        with pytest.raises(TypeError, match="number"):
            ao.histogram(array("d", [1, 2]), 2, (0, end))
    assert ao.histogram(array("d", [1, 2]), 1, (np.int8(0), decimal.Decimal(2)))[0].tolist() == [2]


def test_characters_have_the_remedy_that_works() -> None:
    for characters, code in (((ctypes.c_wchar * 2)(*"aé"), "I"), (memoryview(b"a\xe9").cast("c"), "B")):
        if memoryview(characters).itemsize in (1, 4):  # on Windows a wchar_t has 2
            assert ao.view(characters, code).tolist() == [97, 233]


def test_a_masked_number_has_no_value() -> None:
    a, column = array("d", [1, 2]), np.ma.array([1.5, 7.5], mask=[0, 1])
    calls: list[Callable[[Any], Any]] = [
        lambda k: ao.map(a, "x + k", k=k),
        lambda k: ao.map(a, "x + k", k),
        lambda k: ao.filter(a, "x < k", k=k),
        lambda k: ao.evaluate("k + 1", k=k),
        lambda k: ao.compile("x + k")(a, k),
        lambda k: ao.reduce(a, "acc + x", k),
        lambda k: ao.reduce(a, lambda acc, x: acc + x, k),
        lambda k: ao.accumulate(a, "acc + x", initial=k),
        lambda k: ao.lazy(a).map("x + k", k=k).sum(),
        lambda k: ao.scale(a, k),
    ]
    for masked in (np.ma.masked, column[1], np.ma.array(5.0, mask=True), column[1:].mean()):
        for call in calls:
            with pytest.raises(TypeError, match="a masked element has none"):
                pytest.fail(f"gave {call(masked)!r}")
    for number in (column[0], np.ma.array(1.5), np.array(1.5).view(np.recarray)):
        assert ao.map(a, "x + k", k=number).tolist() == [2.5, 3.5]
        assert ao.lazy(a).map("x + k", k=number).sum() == 6.0
        assert ao.reduce(a, "acc + x", number) == 4.5


LENGTHS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("filter", lambda m, out: ao.filter(array("d", [1, 2, 3]), "m", m=m)),
    ("filter of a Series", lambda m, out: ao.filter(pd.Series([1.0, 2.0, 3.0]), "m", m=m)),
    ("filter of chunks", lambda m, out: ao.filter(pa.chunked_array([[1.0], [2.0, 3.0]]), "m", m=m)),
    ("two masks", lambda m, out: ao.evaluate("x & m", x=np.array([True, False, True]), m=m)),
    ("where", lambda m, out: ao.evaluate("where(m, x, 0)", x=np.array([1.0, 2.0, 3.0]), m=m)),
    ("count", lambda m, out: ao.count(array("d", [1, 2, 3]), "m", m=m)),
    ("into an array", lambda m, out: ao.map(array("d", [1, 2, 3]), "x if m else 0", m=m, out=out)),
]
MASKS: list[Callable[[], Any]] = [
    lambda: np.array([True, False]), lambda: b"\1\0\1\0", lambda: pl.Series([True]), lambda: pa.array([], pa.bool_()),
    lambda: pa.array([True, None]), lambda: pd.Series([True, True], dtype="boolean").to_numpy(bool),
]  # fmt: skip


@pytest.mark.parametrize("make", MASKS)
@pytest.mark.parametrize(("name", "call"), LENGTHS, ids=[name for name, _ in LENGTHS])
def test_masks_of_another_length_are_refused(
    name: str, call: Callable[[Any, Any], Any], make: Callable[[], Any]
) -> None:
    out = array("d", [7.0, 7.0, 7.0])
    with pytest.raises(ValueError, match=r"same length: one has \d elements, another \d|has 1 null"):
        call(make(), out)
    assert out == array("d", [7.0, 7.0, 7.0])


def test_nulls_in_the_middle_of_a_stream_leave_what_came_before() -> None:
    def stream() -> Any:
        yield pa.array([1.0, 2.0])
        yield pa.array([3.0, None])
        pytest.fail("read on behind the error")

    out = array("d", [7.0] * 6)
    with pytest.raises(ValueError, match=r"buffer 1 of the stream has 1 null: nulls='skip'"):
        ao.lazy(stream()).map("x * 2").to(out)
    assert out.tolist() == [2.0, 4.0, 7.0, 7.0, 7.0, 7.0]
    for end in (lambda p: p.sum(), lambda p: p.collect(), list, lambda p: p.stats(), lambda p: p.min()):
        with pytest.raises(ValueError, match="buffer 1 of the stream has 1 null"):
            end(ao.lazy(stream()).map("x * 2"))
    with pytest.raises(TypeError, match="buffer 1 of the stream has typecode 'f', those before it have 'd'"):
        ao.lazy([array("d", [1]), array("f", [1])], nulls="skip").sum()
    with pytest.raises(TypeError, match=r"nested"):
        ao.lazy([pa.array([1.0]), pa.array([[1.0]])]).sum()
