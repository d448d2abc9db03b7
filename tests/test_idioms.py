"""Eight idioms that everybody writes, over the arrays of each library that has them: its own answer, type and labels.

A row is (idiom, owner, what arrayops gives, what the owner gives). Both are compared as the owner's own testing
functions compare: values, dtype, index, masks and nulls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import arrayops as ao
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

LABELS = pd.Index(["b", "a", "b", "d"], name="key")
FAMILIES = {"NumPy": ("float64", "int64"), "nullable": ("Float64", "Int64"),
            "Arrow": ("float64[pyarrow]", "int64[pyarrow]")}  # fmt: skip


def frame(family: str) -> Any:
    """A table of pandas whose columns are of one family, with labels that are not unique."""
    floats, ints = FAMILIES[family]
    columns = {"p": pd.Series([10.0, 25.0, -3.5, 40.0], dtype=floats), "q": pd.Series([3, 1, 2, 7], dtype=ints)}
    return pd.DataFrame(columns).set_index(LABELS)


def with_gaps(family: str) -> Any:
    """A column with a missing value."""
    return pd.Series([1, None, 3, 4], dtype=FAMILIES[family][1], name="n", index=LABELS)


A, B = np.array([10.0, 25.0, -3.5, 40.0]), np.array([3, 1, 2, 7])
PA, PB = pa.array(A), pa.array(B)
PLA, PLB = pl.Series("p", A), pl.Series("q", B)
TABLE = pl.DataFrame([PLA, PLB])
MASKED = np.ma.array(A, mask=[0, 1, 0, 0], fill_value=-1.0)
GAPS, PL_GAPS = pa.array([1, None, 3, 4]), pl.Series("n", [1, None, 3, 4])


def half(x: Any) -> Any:
    return x / 2 if x > 0 else 0.5


def local_names() -> Any:
    price, count, note = frame("NumPy").p, 3, "of no use"
    assert note
    return ao.evaluate("price * count + 1", names=locals())


Row = tuple[str, str, Callable[[], Any], Callable[[], Any]]
ROWS: list[Row] = [
    ("df[mask]", "polars", lambda: TABLE.filter(ao.evaluate("p > 15 and q < 5", p=PLA, q=PLB)),
     lambda: TABLE.filter((pl.col("p") > 15) & (pl.col("q") < 5))),
    ("df[mask]", "pyarrow", lambda: pa.table({"p": PA}).filter(ao.evaluate("p > 15", p=PA)),
     lambda: pa.table({"p": PA}).filter(pc.greater(PA, 15))),
    ("x[mask]", "numpy", lambda: A[ao.evaluate("x > 15", x=A)], lambda: A[A > 15]),
    ("x[mask]", "masked", lambda: MASKED[ao.evaluate("q > 1", q=B)], lambda: MASKED[B > 1]),
    ("x[mask]", "pyarrow", lambda: PA.filter(ao.evaluate("x > 15", x=PA)), lambda: PA.filter(pc.greater(PA, 15))),
    ("x[mask]", "polars", lambda: PLA.filter(ao.evaluate("x > 15", x=PLA)), lambda: PLA.filter(PLA > 15)),
    *(("m1 & m2", "numpy", lambda s=s: ao.evaluate(f"x {s} y", x=A > 15, y=B < 5),
       lambda s=s: eval(f"(A > 15) {s} (B < 5)", globals())) for s in "&|^"),
    ("m1 & m2", "masked", lambda: ao.evaluate("x & y", x=MASKED > 15, y=B < 5, nulls="propagate"),
     lambda: (MASKED > 15) & (B < 5)),
    ("m1 & m2", "pyarrow", lambda: ao.evaluate("x & y", x=pc.greater(PA, 15), y=pc.less(PB, 5)),
     lambda: pc.and_(pc.greater(PA, 15), pc.less(PB, 5))),
    ("m1 & m2", "polars", lambda: ao.evaluate("x & y", x=PLA > 15, y=PLB < 5), lambda: (PLA > 15) & (PLB < 5)),
    ("np.where", "numpy", lambda: ao.evaluate("where(x > 15, x, -1)", x=A), lambda: np.where(A > 15, A, -1)),
    ("np.where", "numpy", lambda: ao.evaluate("where(x > 15, y, 0)", x=A, y=B), lambda: np.where(A > 15, B, 0)),
    ("np.where", "pyarrow", lambda: ao.evaluate("where(x > 15, x, -1)", x=PA),
     lambda: pc.if_else(pc.greater(PA, 15), PA, -1.0)),
    ("np.where", "polars", lambda: ao.evaluate("where(p > 15, p, -1)", p=PLA),
     lambda: TABLE.select(pl.when(pl.col("p") > 15).then(pl.col("p")).otherwise(-1.0).alias("p"))["p"]),
    ("np.where", "numpy function", lambda: ao.map(A, lambda x: np.where(x > 15, x, -1.0)),
     lambda: np.where(A > 15, A, -1.0)),
    ("Series.map", "numpy", lambda: ao.map(A, half), lambda: np.vectorize(half, otypes="d")(A)),
    ("Series.map", "polars", lambda: ao.map(PLA, half), lambda: PLA.map_elements(half, pl.Float64)),
    ("eval(local_dict=...)", "pandas", local_names, lambda: frame("NumPy").p * 3 + 1),
    ("eval(local_dict=...)", "numpy", lambda: ao.evaluate("x*y + 1", names={"x": A, "y": B, "z": "of no use"}),
     lambda: pd.eval("x*y + 1", local_dict={"x": A, "y": B}, engine="python")),
    ("masked array", "masked", lambda: ao.map(MASKED, "x*2 + 1", nulls="propagate"), lambda: MASKED * 2 + 1),
    ("masked array", "masked", lambda: ao.evaluate("x > 15", x=MASKED, nulls="propagate"), lambda: MASKED > 15),
    ("masked array", "number", lambda: ao.sum(MASKED, nulls="skip"), lambda: MASKED.sum()),
    ("masked array", "number", lambda: ao.max(MASKED, nulls="skip"), lambda: MASKED.max()),
    ("NA propagate", "pyarrow", lambda: ao.map(GAPS, "x + 1", nulls="propagate"), lambda: pc.add(GAPS, 1)),
    ("NA propagate", "polars", lambda: ao.map(PL_GAPS, "x + 1", nulls="propagate"), lambda: PL_GAPS + 1),
]  # fmt: skip


def rows_of_pandas(family: str) -> list[Row]:
    """The rows of columns of one family."""
    f, s = frame(family), None if family == "NumPy" else with_gaps(family)
    rows: list[Row] = [
        ("df[mask]", family, lambda: f[ao.evaluate("p > 15", p=f.p)],
         lambda: f[f.p > 15]),
        ("df[mask]", family, lambda: f.loc[ao.evaluate("p > 0 and q < 3", p=f.p, q=f.q), "q"],
         lambda: f.loc[(f.p > 0) & (f.q < 3), "q"]),
        ("x[mask]", family, lambda: f.p[ao.evaluate("x > 15", x=f.p)],
         lambda: f.p[f.p > 15]),
        ("x[mask]", family, lambda: ao.filter(f.p, "q > 1", q=f.q),
         lambda: f.p[f.q > 1]),
        ("m1 & m2", family, lambda: ao.evaluate("x & y", x=f.p > 15, y=f.q < 5),
         lambda: (f.p > 15) & (f.q < 5)),
        ("np.where", family, lambda: ao.evaluate("where(x > 15, x, -1)", x=f.p),
         lambda: f.p.where(f.p > 15, -1.0)),
        ("Series.map", family, lambda: ao.map(f.p, half),
         lambda: f.p.map(half).astype(f.p.dtype)),
        ("Series.map", family, lambda: ao.map(f.q, half, typecode="d"),
         lambda: f.q.map(half).astype(f.p.dtype)),
        ("eval(local_dict=...)", family, lambda: ao.evaluate("p*q - 1", names=dict(f.items())),
         lambda: f.eval("p*q - 1", engine="python")),
    ]  # fmt: skip
    gaps: list[Row] = [
        ("NA propagate", family, lambda: ao.map(s, "x + 1", nulls="propagate"),
         lambda: s + 1),
        ("NA propagate", family, lambda: ao.evaluate("x > 2", x=s, nulls="propagate"),
         lambda: s > 2),
        ("NA propagate", family, lambda: ao.sum(s, nulls="skip"),
         lambda: s.sum()),
    ]  # fmt: skip
    return rows if family == "NumPy" else rows + gaps


for _family in FAMILIES:
    ROWS += rows_of_pandas(_family)


def same(got: Any, want: Any) -> None:
    """Equal values, of one type, with the same labels, mask and nulls."""
    if isinstance(want, pd.DataFrame):
        pd.testing.assert_frame_equal(got, want)
    elif isinstance(want, pd.Series):
        pd.testing.assert_series_equal(got, want, check_names=False)  # ours has the name of its first array
        assert got.index is want.index or got.index.equals(want.index)
    elif isinstance(want, pl.DataFrame):
        assert_frame_equal(got, want)
    elif isinstance(want, pl.Series):
        assert_series_equal(got, want)
    elif isinstance(want, (pa.Array, pa.Table)):
        assert type(got) is type(want) and got.equals(want)
    elif isinstance(want, np.ma.MaskedArray):
        assert type(got) is type(want) and got.dtype == want.dtype and got.tolist() == want.tolist()
        assert np.ma.getmaskarray(got).tolist() == np.ma.getmaskarray(want).tolist()
    elif isinstance(want, np.ndarray):
        assert type(got) is np.ndarray and got.dtype == want.dtype and np.array_equal(got, want)
    else:
        assert got == want


@pytest.mark.parametrize(("idiom", "owner", "ours", "theirs"), ROWS,
                         ids=[f"{i}: {idiom}, {owner}" for i, (idiom, owner, _, _) in enumerate(ROWS)])  # fmt: skip
def test_the_owners_answer(idiom: str, owner: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    same(ours(), theirs())


def test_all_eight_are_there() -> None:
    assert {idiom for idiom, *_ in ROWS} == {
        "df[mask]", "x[mask]", "m1 & m2", "np.where", "Series.map", "eval(local_dict=...)", "masked array",
        "NA propagate",
    }  # fmt: skip
