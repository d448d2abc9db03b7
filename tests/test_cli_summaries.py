"""stats and hist of tables, against Python's own statistics of the same rows."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import os
import random
import statistics
import sys
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Any

import arrayops as ao
import pytest
from arrayops.cli import summaries, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli_tables import bad, good, run
from test_csv import Dribble

SALES = 'item,price,qty,region\nnut,0.25,100,north\n"bolt, long",1.5,40,south\nscrew,3,,north\n'


def table(out: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out)))


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (
            ["price"],
            "column  price\ncount   3\nmissing 0\nsum     4.75\nmean    1.5833333333333333\nmin     0.25\nmax     3.0\n"
            "var     1.2638888888888888\nstd     1.1242281302693369\n",
        ),
        (
            ["price", "--by", "region", "--format", "csv"],
            "region,count,missing,sum,mean,min,max,var,std\nnorth,2,0,3.25,1.625,0.25,3.0,1.890625,1.375\n"
            "south,1,0,1.5,1.5,1.5,1.5,0.0,0.0\n",
        ),
        (
            ["--missing", "skip"],
            "column count missing sum  mean               min  max var                std\n"
            "price  3     0       4.75 1.5833333333333333 0.25 3.0 1.2638888888888888 1.1242281302693369\n"
            "qty    2     1       140  70.0               40   100 900.0              30.0\n",
        ),
        (
            ["qty", "--missing", "0", "--format", "csv"],
            "column,count,missing,sum,mean,min,max,var,std\n"
            "qty,3,1,140,46.666666666666664,0,100,1688.888888888889,41.09609335312651\n",
        ),
        (
            ["price*qty", "--missing", "skip", "--format", "csv", "--quantile", "0.1"],
            "column,count,missing,sum,mean,min,max,var,std,q0.1\nprice*qty,2,1,85.0,42.5,25.0,60.0,306.25,17.5,28.5\n",
        ),
        (
            ["qty", "--by", "region", "--missing", "skip", "--format", "csv"],
            "region,count,missing,sum,mean,min,max,var,std\n"
            "north,1,1,100,100.0,100,100,0.0,0.0\nsouth,1,0,40,40.0,40,40,0.0,0.0\n",
        ),
        (
            ["#2", "--quartiles", "--format", "csv"],
            "column,count,missing,sum,mean,min,max,var,std,q0.25,q0.5,q0.75\n"
            "#2,3,0,4.75,1.5833333333333333,0.25,3.0,1.2638888888888888,1.1242281302693369,0.875,1.5,2.25\n",
        ),
        (
            ["price*k", "-p", "k=2", "--format", "csv"],
            "column,count,missing,sum,mean,min,max,var,std\n"
            "price*k,3,0,9.5,3.1666666666666665,0.5,6.0,5.055555555555555,2.2484562605386738\n",
        ),
    ],
)
def test_stats(argv: list[str], expected: str, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(SALES)
    assert good("stats", *argv, path) == expected
    assert good("stats", *argv, stdin=SALES) == expected
    assert good("stats", *argv, stdin=Dribble(SALES.encode(), [1])) == expected


def test_json(tmp_path: Path) -> None:
    found = json.loads(good("stats", "x", "--by", "k", "--format", "json", stdin="k,x\na,1\nb,nan\na,2\n"))
    assert found == [
        {"k": "a", "count": 2, "missing": 0, "sum": 3.0, "mean": 1.5, "min": 1.0, "max": 2.0, "var": 0.25, "std": 0.5},
        {
            "k": "b",
            "count": 1,
            "missing": 0,
            "sum": None,
            "mean": None,
            "min": None,
            "max": None,
            "var": None,
            "std": None,
        },
    ]
    assert json.loads(good("stats", "--text", "--format", "json", stdin="1\n2\n")) == [
        {"count": 2, "sum": 3.0, "mean": 1.5, "min": 1.0, "max": 2.0}
    ]


def test_ints_are_exact_and_stay_ints() -> None:
    big = 2**62 + 1
    (row,) = table(good("stats", "x", "--format", "csv", stdin=f"x\n{big}\n{big}\n{big}\n"))
    assert (row["sum"], row["min"], row["max"], row["var"]) == (str(3 * big), str(big), str(big), "0.0")


def test_a_column_that_turns_into_floats() -> None:
    text = "x\n" + "3\n" * 100_000 + "0.5\n"
    (row,) = table(good("stats", "x", "--quartiles", "--format", "csv", stdin=text))
    assert (row["sum"], row["min"], row["max"], row["q0.5"]) == ("300000.5", "0.5", "3.0", "3.0")


CELLS = st.one_of(st.integers(-(10**6), 10**6).map(str), st.floats(-1e6, 1e6).map(repr), st.just(""))


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", 'q"t', "10", "9", ""]), CELLS), max_size=40),
    st.lists(st.integers(1, 40), min_size=1),
    st.integers(1, 20),
)
def test_by_key_against_the_statistics_module(rows: list[tuple[str, str]], sizes: list[int], batch: int) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("k", "x"), *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "BATCH_ROWS", batch)
        patch.setattr(summaries, "ROWS_PER_KEY", 1)
        argv = ["stats", "x", "--by", "k", "--missing", "skip", "--format", "csv", "--quantile", "0.5"]
        found = {row["k"]: row for row in table(good(*argv, stdin=Dribble(out.getvalue().encode(), sizes)))}
    assert found.keys() == {key for key, _ in rows}
    floats = any(cell and not cell.lstrip("-").isdigit() for _, cell in rows)
    for key, row in found.items():
        cells = [cell for k, cell in rows if k == key]
        numbers = [float(cell) if floats else int(cell) for cell in cells if cell]
        assert (int(row["count"]), int(row["missing"])) == (len(numbers), cells.count(""))
        if numbers:
            assert float(row["sum"]) == math.fsum(numbers)
            assert float(row["mean"]) == statistics.fmean(numbers)
            assert (float(row["min"]), float(row["max"])) == (min(numbers), max(numbers))
            assert float(row["q0.5"]) == statistics.median(numbers)
            assert math.isclose(float(row["var"]), statistics.pvariance(numbers), rel_tol=1e-15, abs_tol=1e-300)


def test_keys_are_sorted_numbers_first() -> None:
    out = good("stats", "x", "--by", "k", "--format", "csv", stdin="k,x\nb,1\n10,1\n9,1\na,1\n-1.5,1\n,1\n")
    assert [row["k"] for row in table(out)] == ["-1.5", "9", "10", "", "a", "b"]


@pytest.mark.parametrize(
    ("argv", "text", "columns"),
    [
        (["--no-header"], "1,2,x\n3,4,y\n", ["#1", "#2"]),
        (["--no-header", "--by", "#1"], "1,2,5\n", ["#2", "#3"]),
        ([], "a,a,b\n1,2,3\n", ["#1", "#2", "b"]),
        ([], ",a,b\n1,2,3\n", ["a", "b"]),  # the numbers of the rows
        (["--by", "#1"], "k,a,b\n1,2,3\n", ["a", "b"]),
    ],
    ids=str,
)
def test_which_columns_have_numbers(argv: list[str], text: str, columns: list[str]) -> None:
    rows = json.loads(good("stats", *argv, "--format", "json", stdin=text))
    assert [row["column"] for row in rows] == columns


def test_columns_whose_names_are_as_long_as_each_other() -> None:
    """Each was taken for the last one when they were summed up together."""
    found = table(good("stats", "--format", "csv", stdin="aa,bb,c c,d d\n1,2,3,4\n5,6,7,8\n"))
    assert [(row["column"], row["min"], row["max"]) for row in found] == [
        ("aa", "1", "5"),
        ("bb", "2", "6"),
        ("c c", "3", "7"),
        ("d d", "4", "8"),
    ]
    assert good("map", "--add", "x=`c c`", "--add", "y=`d d`", "--select", "aa", stdin="aa,c c,d d\n1,3,4\n") == (
        "aa,x,y\n1,3,4\n"
    )


def test_a_column_is_meant_before_an_expression() -> None:
    text = "unit price,2020,a*b,a,b\n1,5,7,2,3\n"
    found = table(good("stats", "unit price", "2020", "a*b", "#4", "a+b", "--format", "csv", stdin=text))
    assert [(row["column"], row["sum"]) for row in found] == [
        ("unit price", "1"),
        ("2020", "5"),
        ("a*b", "7"),
        ("#4", "2"),
        ("a+b", "5"),
    ]
    assert good("hist", "2020", "--bins", "1", "--format", "csv", stdin=text).splitlines()[1] == "4.5,5.5,1"


def test_several_keys() -> None:
    rows = [("x", "1", 1), ("x", "", 2), ("x,", "1", 3), ("x", "1", 4), ("", "x", 5), ('"', "10", 6), ('"', "9", 7)]
    out = io.StringIO()
    csv.writer(out).writerows([("a", "b", "v"), *rows])
    found = table(good("stats", "v", "--by", "b,a", "--format", "csv", stdin=out.getvalue()))
    assert [(row["b"], row["a"], row["sum"]) for row in found] == [
        ("1", "x", "5"),
        ("1", "x,", "3"),
        ("9", '"', "7"),
        ("10", '"', "6"),
        ("", "x", "2"),
        ("x", "", "5"),
    ]
    many = [f"k{i}" for i in range(64)]
    text = ",".join([*many, "v"]) + "\n" + ",".join([*many, "1"]) + "\n"
    found_many = good("stats", "v", "--by", ",".join(many), "--format", "csv", stdin=text)
    assert found_many.splitlines()[1].startswith("k0,k1,")
    assert "--by takes up to 64 columns, and none twice" in bad(
        "stats", "v", "--by", ",".join([*many, "v"]), stdin=text
    )
    assert "--by takes up to 64 columns, and none twice" in bad("stats", "v", "--by", "k1,k1", stdin=text)
    assert "two keys are the same column: k0, #1" in bad("stats", "v", "--by", "k0,#1", stdin=text)
    assert "no column 'z'" in bad("stats", "v", "--by", "k0,z", stdin=text)


def test_many_keys() -> None:
    text = "k,x\n" + "".join(f"key {i % 3000},{i}\n" for i in range(30_000))
    found = table(good("stats", "x", "--by", "k", "--format", "csv", stdin=text))
    assert len(found) == 3000
    assert {row["k"]: int(row["sum"]) for row in found} == {
        f"key {j}": sum(range(j, 30_000, 3000)) for j in range(3000)
    }


def test_several_files_and_columns(tmp_path: Path) -> None:
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_text("k,a,b\nx,1,2\n")
    two.write_text("b,k,a\n5,y,3\n7,x,4\n")
    found = table(good("stats", "a", one, "b", two, "--by", "k", "--format", "csv"))
    assert [(row["k"], row["column"], row["count"], row["sum"]) for row in found] == [
        ("x", "a", "2", "5"),
        ("x", "b", "2", "9"),
        ("y", "a", "1", "3"),
        ("y", "b", "1", "5"),
    ]


@pytest.mark.parametrize(
    ("argv", "text", "message"),
    [
        (["x"], "", "the text is empty"),
        (["z"], "x\n1\n", "no column 'z'"),
        ([], "a\nb\n", "no column has a number"),
        (["x"], 'x\n1\n\n""\n', "line 4, column 'x': the cell is empty: --missing skip"),
        (["x", "--by", "x"], "x\n1\n", "column 'x' cannot be a key and be summed up at once"),
        (["x", "--by", "z"], "x\n1\n", "no column 'z'"),
        (["--text", "--by", "x"], "1\n", "--by is about columns of a table"),
        (["x", "--quantile", "2"], "x\n1\n", "'2' is not a list of numbers from 0 to 1"),
        (["x", "--quantile", "a"], "x\n1\n", "'a' is not a list of numbers"),
        (["x", "--format", "xml"], "x\n1\n", "--format"),
        (["1/x"], "x\n1\n0\n", "line 3: ZeroDivisionError"),
    ],
)
def test_stats_of_what_cannot_be(argv: list[str], text: str, message: str) -> None:
    assert message in bad("stats", *argv, stdin=text)


def test_no_rows() -> None:
    assert good("stats", "x", "--format", "csv", stdin="x\n") == "column,count,missing,sum\nx,0,0,0\n"
    assert good("stats", "x", "--by", "k", "--format", "csv", stdin="x,k\n") == "k,count,missing,sum\n"
    assert good("stats", "x", "--by", "k", "--format", "json", stdin="x,k\n") == "[\n]\n"


def test_nans() -> None:
    (row,) = table(good("stats", "x", "--format", "csv", stdin="x\n1\nnan\n3\n"))
    assert (row["count"], row["sum"], row["max"]) == ("3", "nan", "nan")
    argv = ["stats", "x", "--format", "csv", "--nan", "skip", "--quartiles"]
    (row,) = table(good(*argv, stdin="x\n1\nnan\n3\n"))
    assert (row["count"], row["sum"], row["q0.5"]) == ("2", "4.0", "2.0")


def test_quantiles_of_other_input() -> None:
    assert good("stats", "--text", "--quantile", "0.1", stdin="1\n2\n3\n").endswith("max   3.0\nq0.1  1.2\n")
    assert "q0.5  2" in good("stats", "-t", "B", "--quartiles", stdin="\1\2\3")


# -- histograms --------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=60).filter(lambda x: min(x) < max(x)), st.integers(1, 30))
def test_hist_counts_as_histogram_does(values: list[float], bins: int) -> None:
    text = "x\n" + "".join(f"{x!r}\n" for x in values)
    found = table(good("hist", "x", "--bins", bins, "--format", "csv", stdin=text))
    counts, edges = ao.histogram(array("d", values), bins)
    assert [int(row["count"]) for row in found] == counts.tolist()
    assert [float(row["from"]) for row in found] + [float(found[-1]["to"])] == edges.tolist()


def test_hist_of_files_is_that_of_pipes(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("x,y\n" + "".join(f"{i * i},0\n" for i in range(20_000)))
    assert good("hist", "x", path) == good("hist", "x", stdin=path.read_bytes())
    assert good("hist", "x*2", path, path, "--format", "json") == good("hist", "x*2", path, path, "--format", "json")
    raw = tmp_path / "raw"
    raw.write_bytes(array("h", range(100)).tobytes())
    assert [row["count"] for row in table(good("hist", "-t", "h", raw, "--bins", "4", "--format", "csv"))] == ["25"] * 4


def test_hist_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    text = "x\n" + "0\n" * 80 + "1\n" * 30 + "2\n"
    lines = good("hist", "x", "--bins", "2", stdin=text).splitlines()
    assert lines == ["0 .. 1 " + "█" * 19 + " 80", "1 .. 2 " + "█" * 7 + "▍" + " " * 11 + " 31"]
    logarithmic = good("hist", "x", "--bins", "2", "--log", stdin=text).splitlines()
    assert logarithmic[0].count("█") == 19 and logarithmic[1].count("█") == round(19 * math.log10(32) / math.log10(81))
    assert summaries.bar(0.01, 5, True) == "▏    " and summaries.bar(0, 5, True) == "     "
    assert summaries.bar(2.5, 5, False) == "###  "


@pytest.mark.parametrize(
    ("argv", "text", "message"),
    [
        ([], "x\n1\n", "hist needs one column"),
        (["x", "y"], "x,y\n1,2\n", "hist needs one column"),
        (["x", "--bins", "0"], "x\n1\n", "--bins takes a number from 1 to 1000"),
        (["x"], "x\n", "there are no numbers to count"),
        (["x"], "x\nnan\n1\n", "a number is nan, which is in no bin: --nan skip"),
        (["x"], "x\ninf\n1\n", "a number is infinite"),
    ],
)
def test_hist_of_what_cannot_be(argv: list[str], text: str, message: str) -> None:
    assert message in bad("hist", *argv, stdin=text)


def test_hist_as_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name, begins in (("h.svg", b"<?xml"), ("h.png", b"\x89PNG")):
        assert good("hist", "x", "--plot", tmp_path / name, "--log", stdin="x\n1\n2\n2\n") == ""
        assert (tmp_path / name).read_bytes().startswith(begins)
    assert "--plot" in bad("hist", "x", "--plot", tmp_path / "h.what", stdin="x\n1\n2\n")


def test_pictures_need_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert (
        bad("hist", "x", "--plot", "h.svg", stdin="x\n1\n2\n")
        == '--plot needs matplotlib: pip install "arrayops-vm[plot]"'
    )


def test_a_column_is_no_file_and_a_file_no_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.csv").write_text("x\n1\n2\n")
    assert "sum     3" in good("stats", "x", "f.csv")
    status, _, err = run("stats", "x", "g.csv", stdin="x\n1\n")
    assert status == 2 and "g" in err
    assert os.listdir(tmp_path) == ["f.csv"]


GROUPS = st.lists(st.lists(st.floats(width=64), max_size=6), min_size=1, max_size=6)
INT_GROUPS = st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=6), min_size=1, max_size=6)


@settings(max_examples=60)
@given(st.one_of(GROUPS.map(lambda groups: ("d", groups)), INT_GROUPS.map(lambda groups: ("q", groups))))
def test_figures_of_small_groups(given_groups: tuple[str, list[list[float]]]) -> None:
    code, groups = given_groups
    begins = array("q", itertools.accumulate(map(len, groups), initial=0))
    values = array(code, itertools.chain(*groups))
    found = zip(*ao._machine.figures(values, begins), strict=True)
    for group, (total, mean, low, high, var, std, state) in zip(groups, found, strict=True):
        if not group:
            assert state == 0
            continue
        if not all(map(math.isfinite, group)):
            assert state == 2
            continue
        numbers = [*map(Fraction, group)]
        exact = sum(numbers)
        fitting = -(2**63) <= exact < 2**63 if code == "q" else abs(exact) < 2**1024 - 2**970
        assert state == (1 if fitting else 2)
        if not fitting:
            continue
        assert total == (exact if code == "q" else float(exact)) and mean == float(exact) / len(group)
        assert (low, high) == (min(group), max(group))
        assert math.copysign(1, low) == 1 or low < 0
        spread = sum(x * x for x in numbers) / len(group) - (exact / len(group)) ** 2
        try:
            assert (var, std) == (float(spread), statistics.pstdev(group))
        except OverflowError:
            assert var == math.inf


def test_figures_are_safe_with_any_begins() -> None:
    figures: Any = ao._machine.figures
    values = array("d", [1.0, 2.0])
    assert [*figures(values, array("q", [0, 3, -1, 2, 1]))[-1]] == [2, 2, 0, 0]
    assert [len(one) for one in figures(values, array("q", [0]))] == [0] * 7
    for wrong in ((array("f", [1.0]), array("q", [0, 1])), (values, array("q")), (values, array("I", [0, 1]))):
        with pytest.raises(TypeError):
            figures(*wrong)


@pytest.mark.parametrize("nan", [[], ["--nan", "skip"]])
def test_few_rows_a_key_have_the_figures_of_many(nan: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(18)
    cells = ["nan", "inf", "-0.0", "1e308", "", "1e-320", "0.1"]
    rows = [f"k{rng.randrange(40)},{rng.choice(cells)},{rng.randrange(-(2**63), 2**63)}" for _ in range(200)]
    text = "k,x,n\n" + "\n".join([*rows, ""])
    for form in ("csv", "text", "json"):
        argv = ["stats", "x", "n", "--by", "k", "--missing", "skip", *nan, "--format", form]
        at_once = good(*argv, stdin=text)
        monkeypatch.setattr(summaries, "BATCH_ROWS", 7)
        monkeypatch.setattr(summaries, "ROWS_PER_KEY", 0)
        monkeypatch.setattr(tables, "CHUNK_ROWS", 10)
        assert good(*argv, stdin=text) == at_once
        monkeypatch.undo()


def test_group_is_safe_with_any_codes() -> None:
    group: Any = ao._machine.group
    values = array("d", [1.0, 2.0, 3.0, 4.0])
    assert group(values, array("I", [1, 0, 1, 9]), 2) == (array("d", [2.0, 1.0, 3.0, 0.0]), array("q", [0, 1, 3]))
    assert group(array("q"), array("I"), 0) == (array("q"), array("q", [0]))
    for wrong in (
        (values, array("I", [0]), 2),
        (array("f", [1.0]), array("I", [0]), 1),
        (values, array("i", [0] * 4), 1),
    ):
        with pytest.raises((TypeError, ValueError)):
            group(*wrong)
