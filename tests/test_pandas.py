"""pandas in, pandas out: Series and Index of every kind of column, with index and name.

pandas itself is the oracle for value, dtype, index and name: what is compared is what ``assert_series_equal`` compares.
"""

from __future__ import annotations

import re
import subprocess
import sys
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
NUMPY = [*INTEGERS, "float32", "float64"]
NULLABLE = [name.replace("i", "I", 1).replace("uI", "UI") if "int" in name else name.title() for name in NUMPY]
ARROW = [f"{name.replace('float32', 'float').replace('float64', 'double')}[pyarrow]" for name in NUMPY]
DTYPES = [*NUMPY, *NULLABLE, *ARROW]
SAME = pd.testing.assert_series_equal


def series(values: Any, dtype: str = "float64", name: Any = "price") -> Any:
    """Labels that are in no order and not unique."""
    return pd.Series(values, dtype=dtype, name=name, index=[f"r{7 * i % 5}" for i in range(len(values))])


# ---------------------------------------------------------------------------------------------------- values and labels


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 8, 1000])
def test_every_dtype_comes_back(dtype: str, count: int) -> None:
    given = series([i % 50 for i in range(count)], dtype)
    for result in (ao.map(given, "x + 3"), ao.map(given, lambda x: x + 3, compile=False),
                   ao.compile("x + 3")(given), ao.evaluate("x + 3", x=given, typecode=typecode(dtype))):  # fmt: skip
        SAME(result, (given + 3).astype(dtype))  # pandas adds Arrow's integers in 64 bits
    for result in (ao.filter(given, "x > 7"), ao.filter(given, lambda x: x > 7, compile=False),
                   ao.compile("x > 7").filter(given),
                   ao.filter(given, "m", m=array("B", [int(x > 7) for x in given]))):  # fmt: skip
        SAME(result, given[given > 7])
    SAME(ao.accumulate(given, "x"), given)
    assert ao.sum(given) == given.sum() and ao.count(given, "x > 7") == (given > 7).sum()
    SAME(ao.lazy(given).map("x + 3").collect(), (given + 3).astype(dtype))


def typecode(dtype: str) -> str:
    return np.dtype(dtype.removesuffix("[pyarrow]").replace("double", "float64").lower()
                    if dtype != "float[pyarrow]" else "float32").char  # fmt: skip


@pytest.mark.parametrize("dtype", [*NULLABLE, *ARROW])
@given(values=st.lists(st.none() | st.integers(0, 60), max_size=70))
def test_missing_values_as_pandas_has_them(dtype: str, values: list[int | None]) -> None:
    given = series(values, dtype)
    SAME(ao.map(given, "x + 3", nulls="propagate"), (given + 3).astype(dtype))
    SAME(ao.filter(given, "x > 7", nulls="skip"), given[(given > 7).fillna(False)])
    SAME(ao.map(given, "x + 3", nulls=5), (given.fillna(5) + 3).astype(dtype))
    SAME(ao.filter(given, "x > 3", nulls=5), given.fillna(5)[given.fillna(5) > 3])
    assert ao.sum(given, nulls="skip") == given.sum()
    other = series(values[::-1], dtype)
    SAME(ao.map(given, "x + y", other, nulls="propagate"), (given + other).astype(dtype))


def test_nan_of_a_float_column_is_data() -> None:
    given = series([1.0, float("nan"), -0.0])
    SAME(ao.map(given, "x * 2"), given * 2)
    SAME(ao.filter(given, "not isnan(x)"), given[given.notna()])
    SAME(ao.map(given, "x * 2", nulls="propagate"), given * 2)


@pytest.mark.parametrize("index", [
    pd.RangeIndex(3), pd.Index([5, 5, 1], name="id"), pd.date_range("2024-01-01", periods=3),
    pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (2, "a")], names=["n", None]), pd.CategoricalIndex(list("aba")),
], ids=lambda index: type(index).__name__)  # fmt: skip
@pytest.mark.parametrize("name", ["price", None, ("a", 1)])
def test_any_index_and_name(index: Any, name: Any) -> None:
    given = pd.Series([1.0, 2.0, 3.0], index=index, name=name)
    SAME(ao.map(given, "x * 2"), given * 2)
    SAME(ao.filter(given, "x != 2"), given[given != 2])
    assert ao.map(given, "x * 2").index is given.index


def test_types_asked_for() -> None:
    given = series([1, 2, 3], "int64")
    SAME(ao.map(given, "x / 2", typecode="d"), given / 2)
    SAME(ao.evaluate("x / 2", x=given), given / 2)
    SAME(ao.map(given.astype("Int64"), "x / 2", typecode="d"), given.astype("Int64") / 2)
    SAME(ao.map(given.astype("int64[pyarrow]"), "x * 0.5", typecode="d"), given.astype("int64[pyarrow]") * 0.5)
    with pytest.raises(TypeError, match="pass typecode='d'"):
        ao.map(given, "x / 2")


def test_columns_of_a_frame() -> None:
    frame = pd.DataFrame({"p": [10.0, 20.0, 30.0], "q": [1, 2, 3]}, index=list("xyz"))
    SAME(ao.map(frame["p"], "p * q", q=frame["q"]), (frame.p * frame.q).rename("p"))
    frame["value"] = ao.evaluate("p * q", p=frame["p"], q=frame["q"])
    assert frame["value"].tolist() == [10.0, 40.0, 90.0]
    SAME(ao.filter(frame["p"], "q > 1", q=frame["q"]), frame.p[frame.q > 1])
    wide = pd.DataFrame(np.arange(12.0).reshape(3, 4))  # its columns are strided
    SAME(ao.map(wide[1], "x + 1"), wide[1] + 1)
    with pytest.raises(TypeError, match="a DataFrame is a table: give one of its columns"):
        ao.map(frame, "x")


def test_index_in_index_out() -> None:
    for index in (
        pd.Index([1, 2, 3], name="n"),
        pd.RangeIndex(3),
        pd.Index([1.5, 2.5]),
        pd.Index([1, 2], dtype="Int64"),
    ):
        pd.testing.assert_index_equal(ao.map(index, "x * 2"), index * 2, exact="equiv")
        pd.testing.assert_index_equal(ao.filter(index, "x > 1"), index[index > 1], exact="equiv")
        assert ao.sum(index) == sum(index)


def test_slices_and_views_of_columns() -> None:
    given = series(range(20), "int32")
    for part in (given[::2], given[::-1], given[3:], given[:0], given.astype(">i4")):
        SAME(ao.map(part, "x + 1").astype("int32"), (part + 1).astype("int32"))
        SAME(ao.filter(part, "x > 4").astype("int32"), part[part > 4].astype("int32"))
    chunked = pd.concat([series([1, None], "int64[pyarrow]"), series([3], "int64[pyarrow]")])
    SAME(ao.map(chunked, "x + 1", nulls="propagate"), chunked + 1)


# ------------------------------------------------------------------------------------------------- what goes with what


def test_labels_must_agree() -> None:
    x, y = pd.Series([1.0, 2.0], index=[0, 1]), pd.Series([1.0, 2.0], index=[1, 0])
    for call in (lambda: ao.map(x, "x + y", y), lambda: ao.evaluate("x + y", x=x, y=y), lambda: ao.filter(x, "y", y=y)):
        with pytest.raises(ValueError, match="different indexes: align them first"):
            call()
    SAME(ao.map(x, "x + y", y.to_numpy()), pd.Series([2.0, 4.0]))
    SAME(ao.map(x, "x + y", pd.Series([1.0, 2.0], index=[0, 1])), pd.Series([2.0, 4.0]))


@pytest.mark.parametrize("other", [
    array("d", [1, 2]), np.array([1.0, 2.0]), pa.array([1.0, 2.0]), pl.Series([1.0, 2.0]),
], ids=lambda other: type(other).__name__)  # fmt: skip
def test_the_first_array_decides(other: Any) -> None:
    given = series([10.0, 20.0])
    SAME(ao.map(given, "x + y", other), series([11.0, 22.0]))
    result = ao.map(other, "x + y", given)
    assert type(result) is type(other) and list(ao.from_arrow(pa.array(result))) == [11.0, 22.0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_out_and_in_place(dtype: str) -> None:
    out = series([9, 9, 9], dtype)
    shared = out.copy(deep=False)
    assert ao.map(array("b", [1, 2, 3]), "x*2", out=out) is out
    SAME(out, series([2, 4, 6], dtype))
    SAME(shared, series([9, 9, 9], dtype))
    ao.map_inplace(out, "x + 1")
    SAME(out, series([3, 5, 7], dtype))
    with pytest.raises(ZeroDivisionError):
        ao.map(array("b", [1, 0, 3]), "6 // x", out=out)
    SAME(out, series([3, 5, 7], dtype))
    with pytest.raises(ValueError, match="same length"):
        ao.map(array("b", [1, 2]), "x", out=out)


def test_out_with_nulls() -> None:
    given = series([1, None, 3], "Int64")
    for dtype in ("Int64", "int64[pyarrow]"):
        out = series([0, 0, 0], dtype)
        ao.map(given, "x * 2", out=out, nulls="propagate")
        SAME(out, (given * 2).astype(dtype))
        ao.map_inplace(out, "x + 1", nulls="propagate")
        SAME(out, (given * 2 + 1).astype(dtype))
    out = series([0, 0, 0], "int64")
    with pytest.raises(ValueError, match=r"no room in out \(Series\)"):
        ao.map(given, "x", out=out, nulls="propagate")
    SAME(out, series([0, 0, 0], "int64"))
    with pytest.raises(TypeError, match="this Index is read-only"):
        ao.map(given, "x", out=pd.Index([1, 2, 3]), nulls=0)


def test_results_of_other_lengths_have_new_labels() -> None:
    given = series([3, 1, 3], "int64")
    SAME(ao.unique(given), pd.Series([1, 3], name="price"))
    SAME(ao.accumulate(given, initial=0), pd.Series([0, 3, 4, 7], name="price"))
    SAME(ao.lazy(given).filter("x > 1").collect(), pd.Series([3, 3], name="price"))
    SAME(ao.lazy(given).filter("x > 0").collect(), pd.Series([3, 1, 3], name="price"))


# -------------------------------------------------------------------------------------------------------- refusals

REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: pd.Series(["a"]), "'str' .*to_numeric"),
    (lambda: pd.Series(["a"], dtype="string[python]"), "'string' .*to_numeric"),
    (lambda: pd.Series(["a"], dtype=object), "'object' .*to_numeric"),
    (lambda: pd.Series([1, None], dtype=object), "'object' .*to_numeric"),
    (lambda: pd.Series(["a"], dtype="category"), r"'category' .*\.cat\.codes"),
    (lambda: pd.Series(pd.to_datetime(["2024-01-01"])), r"'datetime64\[.*astype\('int64'\)"),
    (lambda: pd.Series(pd.to_datetime(["2024-01-01"]).tz_localize("UTC")), r"'datetime64\[.*astype\('int64'\)"),
    (lambda: pd.Series(pd.to_timedelta([1], unit="s")), r"'timedelta64\[.*astype\('int64'\)"),
    (lambda: pd.Series(pd.period_range("2024", periods=1)), "period"),
    (lambda: pd.Series(pd.arrays.SparseArray([1.0])), "'Sparse.*to_dense"),
    (lambda: pd.Series([1j]), "'complex128' .*real"),
    (lambda: pd.Series([pd.Interval(0, 1)]), "interval.*take its ends with .array.left and .array.right"),
    (lambda: pd.Series([[1]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))), "list.*flatten it with .list.flatten"),
    (lambda: pd.Series([1], dtype=pd.ArrowDtype(pa.decimal128(5))), r"'decimal128.*astype\('float64'\)"),
    (lambda: pd.Series([[1]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))), "'list<"),
    (lambda: pd.MultiIndex.from_tuples([(1, 2)]), "MultiIndex of dtype 'object'"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_other_dtypes_are_named_with_the_remedy(make: Callable[[], Any], message: str) -> None:
    given = make()
    for call in (lambda: ao.map(given, "x"), lambda: ao.sum(given), lambda: ao.lazy(given).sum(),
                 lambda: ao.map(array("d", [1]), "x + y", given)):  # fmt: skip
        with pytest.raises(TypeError, match=message):
            call()


# ---------------------------------------------------------------------------------- truth values and the other formats

TRUTHS = ["bool", "boolean", "bool[pyarrow]"]
#: A dtype of numbers, and that of truth values of the same family.
FAMILIES = [("int64", "bool"), ("float32", "bool"), ("Int64", "boolean"), ("Float64", "boolean"),
            ("int64[pyarrow]", "bool[pyarrow]"), ("double[pyarrow]", "bool[pyarrow]")]  # fmt: skip


@pytest.mark.parametrize(("dtype", "truth"), FAMILIES)
@pytest.mark.parametrize("count", [0, 1, 9, 1000])
def test_comparisons_give_masks_of_the_same_family(dtype: str, truth: str, count: int) -> None:
    given = series([i % 50 for i in range(count)], dtype)
    mask = ao.evaluate("x > 7", x=given)
    SAME(mask, (given > 7).astype(truth))
    SAME(given[mask], given[given > 7])
    SAME(ao.filter(given, "m", m=mask), given[given > 7])
    SAME(ao.map(given, "x > 7"), (given > 7).astype(dtype))
    SAME(ao.map(given, "x > 7", typecode="?"), (given > 7).astype(truth))
    assert ao.sum(mask) == ao.count(mask, "x") == (given > 7).sum()


@pytest.mark.parametrize("dtype", TRUTHS)
@given(values=st.lists(st.booleans(), max_size=40))
def test_truth_values_come_back(dtype: str, values: list[bool]) -> None:
    given = series(values, dtype)
    SAME(ao.map(given, "not x"), ~given)
    SAME(ao.evaluate("x & y", x=given, y=~given), given & ~given)
    SAME(ao.filter(given, "x"), given[given])
    SAME(ao.accumulate(given, "acc or x"), series([any(values[: i + 1]) for i in range(len(values))], dtype))
    SAME(ao.lazy(given).map("not x").collect(), ~given)
    assert ao.unique(given).tolist() == sorted(set(values)) and ao.sum(given) == sum(values)
    target = given.copy()
    ao.map_inplace(target, "not x")
    SAME(target, ~given)
    out = series([0.0] * len(values))
    ao.map(given, "x + 1", out=out)
    SAME(out, series([x + 1.0 for x in values]))


@pytest.mark.parametrize("dtype", TRUTHS[1:])
@given(values=st.lists(st.none() | st.booleans(), max_size=40))
def test_truth_values_with_nulls(dtype: str, values: list[bool | None]) -> None:
    given = series(values, dtype)
    SAME(ao.evaluate("not x", x=given, nulls="propagate"), ~given)
    SAME(ao.filter(given, "x", nulls="skip"), given[given.fillna(False)])
    SAME(ao.map(given, "x", nulls=1), given.fillna(True))
    assert ao.count(given, "x", nulls="skip") == values.count(True)
    numbers = series(range(len(values)), "Int64")
    SAME(ao.evaluate("x > 3", x=numbers, out=series([True] * len(values), dtype)), (numbers > 3).astype(dtype))


def test_formats_that_pandas_and_numpy_have_not_are_wider_ones() -> None:
    given = series([1, -2], "int64")
    SAME(ao.map(given, "x", typecode="i3"), given.astype("int32"))
    SAME(ao.map(given, "x", typecode="e"), given.astype("float16"))
    SAME(ao.map(given.astype("Int64"), "x", typecode="i3"), given.astype("Int32"))
    SAME(ao.map(given.astype("Float64"), "x / 4", typecode="e"), (given / 4).astype("Float32"))
    assert ao.map(np.array([1, -2]), "x", typecode="i3").dtype == np.int32


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_are_viewed_by_their_unit(zone: str | None) -> None:
    given = pd.Series(np.array([5, -3], "datetime64[us]")).dt.tz_localize(zone)
    assert ao.view(given, "datetime64[us]").tolist() == [5, -3]
    assert ao.view(pd.Index(given), "datetime64[us]").tolist() == [5, -3]
    with pytest.raises(TypeError, match=r"datetime64\[us\]"):
        ao.view(given, "datetime64[ns]")
    with pytest.raises(TypeError, match="take its int64"):
        ao.sum(given)


@pytest.mark.parametrize(
    ("dtype", "unit"),
    [
        ("timestamp[us][pyarrow]", "datetime64[us]"),
        ("timestamp[ns, tz=UTC][pyarrow]", "datetime64[ns]"),
        ("duration[ms][pyarrow]", "timedelta64[ms]"),
        ("date32[pyarrow]", "datetime64[D]"),
        ("date64[pyarrow]", "datetime64[ms]"),
        ("time64[us][pyarrow]", "time[us]"),
        ("datetime64[s]", "datetime64[s]"),
        ("datetime64[ns, UTC]", "datetime64[ns]"),
        ("timedelta64[s]", "timedelta64[s]"),
    ],
)
def test_the_remedy_for_times_is_one(dtype: str, unit: str) -> None:
    given = pd.Series([0, 86_400_000]).astype("int32" if dtype == "date32[pyarrow]" else "int64")
    given = (given.astype(f"{given.dtype}[pyarrow]") if "pyarrow" in dtype else given).astype(dtype)
    with pytest.raises(TypeError, match=re.escape(f"ao.view(series, '{unit}')")):
        ao.sum(given)
    assert ao.view(given, unit).tolist() == [0, 86_400_000]
    for format in ("q", "timedelta64"):
        with pytest.raises(TypeError):
            ao.view(given, format)


def test_neither_pandas_nor_pyarrow_is_imported_by_us() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import arrayops as ao; from array import array; ao.map(array('d', [1]), 'x + y', y=b'a')\n"
        "assert 'pandas' not in sys.modules\n"
        "import pandas as pd\n"
        "s = pd.Series([1.0, 2.0], index=['a', 'b'], name='n'); n = pd.Series([1, None], dtype='Int64')\n"
        "r = ao.map(s, 'x + 1'); assert r.index.tolist() == ['a', 'b'] and r.name == 'n' and r.tolist() == [2.0, 3.0]\n"
        "assert ao.filter(s, 'x > 1').index.tolist() == ['b'] and ao.sum(s) == 3.0\n"
        "assert ao.map(n, 'x + 1', nulls='propagate').isna().tolist() == [False, True]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_table_needs_no_labels_of_the_data() -> None:
    """Nor as many elements: it is looked up by place, and the result has the labels of what is gone through."""
    index = pd.Series([0, 2, -1], index=["a", "b", "a"], name="i")
    for table in (pd.Series([10, 20, 30]), pd.Series([10, 20, 30, 30], dtype="Int64"), np.array([10, 20, 30])):
        for result in (
            ao.map(index, "t[x]", t=table),
            ao.evaluate("t[x]", t=table, x=index),
            ao.compile("t[x]")(table, index),
        ):
            pd.testing.assert_series_equal(result, pd.Series([10, 30, 30], index=index.index, name="i"))
        kept = ao.filter(index, "t[x] > 15", t=table)
        pd.testing.assert_series_equal(kept, index[[False, True, True]])


@pytest.mark.parametrize("name", ["sort", "reverse", "slice"])
def test_what_works_on_memory_says_what_other_libraries_have(name: str) -> None:
    remedy = {"sort": r"\.sort", "reverse": r"\[::-1\]", "slice": r"\[start:stop\]"}[name]
    numbers = [3.0, 1.0, 2.0]
    made = [pd.Series(numbers), pd.Index(numbers), pa.array(numbers), pa.chunked_array([numbers]), pl.Series(numbers)]
    for arr in made:
        with pytest.raises(TypeError, match=rf"{name}\(\) works on the memory of a buffer.* is none: .*{remedy}"):
            getattr(ao, name)(arr)
    with pytest.raises(TypeError, match=r"sort_values\(\), or argsort\(\)"):
        ao.sort(pd.Series(numbers))


def test_normalize_of_a_series() -> None:
    series = pd.Series([1.0, 2.0, 5.0], index=[7, 8, 9])
    ao.normalize(series)
    assert series.tolist() == [0.0, 0.25, 1.0] and series.index.tolist() == [7, 8, 9]
    with pytest.raises(TypeError, match="read-only"):
        ao.normalize(pa.array([1.0, 2.0]))
