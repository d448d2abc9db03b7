"""Files as the source of a pipeline: what their numbers in memory give, in bounded memory; errors with their place."""

from __future__ import annotations

import os
import pickle
import struct
import tracemalloc
from array import array
from pathlib import Path
from typing import Any

import arrayops as ao
import pytest
from arrayops import sources

#: A million times more than what it takes to show the order of additions.
ROWS = [[0.5, 1e16, -1.0], [], [2.0, -1e16], [0.25]]


@pytest.fixture
def doubles(tmp_path: Path) -> Path:
    for i, row in enumerate(ROWS):
        (tmp_path / f"{i}.bin").write_bytes(array("d", row).tobytes())
    return tmp_path


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PIECE_BYTES", 16)


def whole(rows: list[list[float]]) -> Any:
    return ao.lazy(array("d", [x for row in rows for x in row]))


def notes(call: Any) -> list[str]:
    with pytest.raises(Exception) as caught:
        call()
    return [*getattr(caught.value, "__notes__", [])]


# -- what is read ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_pieces")
def test_results_are_those_of_one_array(doubles: Path) -> None:
    stages = [lambda p: p, lambda p: p.map("x * 3").filter("x > -5"), lambda p: p.map(str).map(float),
              lambda p: p.takewhile("x != -1e16"), lambda p: p.dropwhile("x < 1")]  # fmt: skip
    for stage in stages:
        files, one = stage(ao.lazy(ao.files(doubles / "*.bin"))), stage(whole(ROWS))
        assert list(files) == list(one) and files.collect() == one.collect()
        for name in ("sum", "mean", "min", "max", "count", "stats", "histogram"):
            assert getattr(files, name)() == getattr(one, name)(), name
        assert files.reduce("acc + x") == one.reduce("acc + x")


FORMATS = ["<i2", ">i2", "B", "<f4", ">d", "<e", "<i3", ">u3", "?", "q"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.usefixtures("small_pieces")
def test_formats_offsets_and_strides(tmp_path: Path, format: str) -> None:
    data = bytes(range(44)) + bytes(i % 2 for i in range(24 * 9))
    for name in "ab":
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / "b"), tmp_path / "a"]
    for offset, stride, count in ((44, None, None), (20, 24, None), (44, 24, 3), (260, None, None), (44, 1, 0)):
        expected = ao.view(data, format, offset, stride, count).tolist() * 2
        found = ao.files(paths, typecode=format, offset=offset, stride=stride, count=count)
        assert list(ao.lazy(found)) == expected
        assert [x for part in found.parts() for piece in part for x in piece] == expected


def test_parts_cover_everything_once(doubles: Path) -> None:
    for part_bytes in (1, 8, 17, 1 << 20):
        files = ao.files(doubles / "*.bin", part_bytes=part_bytes)
        assert [[*ao.lazy(part)] for part in files.parts(whole=True)] == ROWS
        assert [x for part in files.parts() for x in ao.lazy(part)] == [x for row in ROWS for x in row]
        assert len(files) == len(files.parts()) == (7 if part_bytes < 16 else 5 if part_bytes == 17 else 4)


def test_patterns_and_paths(doubles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (doubles / "in").mkdir()
    (doubles / "in" / "[odd].bin").write_bytes(array("d", [7.0]).tobytes())
    assert ao.lazy(ao.files(f"{doubles}/**/*.bin")).count() == 7
    assert ao.lazy(ao.files([doubles / "in" / "[odd].bin"] * 2)).sum() == 14.0, "a path that is there is no pattern"
    monkeypatch.chdir(doubles)
    files = ao.files("*.bin")
    assert files.paths == tuple(str(doubles / f"{i}.bin") for i in range(4))
    monkeypatch.chdir("/")
    assert ao.lazy(files).count() == 6, "of the folder that was the current one"
    assert repr(files) == "<arrayops.Files: 4 files of 'd'>"
    assert repr(ao.lazy(files).map("x*x")) == "<arrayops.Pipeline .map('x*x') over 4 files of 'd'>"
    with pytest.raises(FileNotFoundError, match=r"no file matches the pattern: .*\*\.dat"):
        ao.files(doubles / "*.dat")
    assert ao.lazy(ao.files([])).count() == 0


def test_memory_is_used_again_unless_it_is_kept(doubles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PIECE_BYTES", 8)
    assert [piece.tolist() for piece in list(ao.files(doubles / "0.bin"))] == [[0.5], [1e16], [-1.0]]
    (doubles / "long").write_bytes(bytes(8 << 12))
    made: list[int] = []
    monkeypatch.setattr(sources, "bytearray", lambda size: made.append(size) or bytearray(size), raising=False)
    assert ao.lazy(ao.files(doubles / "long")).map("x + 1").sum() == 1 << 12
    assert len(made) <= 3


def test_what_comes_next_is_asked_for_before_this_is_computed(doubles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "posix_fadvise"):
        pytest.skip("needs posix_fadvise")
    monkeypatch.setattr(sources, "PIECE_BYTES", 8)
    events: list[Any] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda file, at, length, advice: events.append((at, length)))
    list(ao.lazy(ao.files(doubles / "0.bin")).map(lambda x: events.append(x) or x))
    assert events == [(8, 8), 0.5, (16, 8), 1e16, (24, 8), -1.0]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    with open(tmp_path / "zeros", "wb") as file:
        file.truncate(8 << 22)
    tracemalloc.start()
    try:
        assert ao.lazy(ao.files(tmp_path / "zeros")).map("x + 1").stats().sum == 1 << 22
        assert ao.lazy(ao.files(tmp_path / "zeros")).filter("x").to(tmp_path / "out") == 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 << 20  # the file has 32


def test_a_pipeline_over_files_pickles(doubles: Path) -> None:
    again = pickle.loads(pickle.dumps(ao.lazy(ao.files(doubles / "*.bin")).map(lambda x: x * 2)))
    assert again.sum() == 3.5


# -- tables ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("item,price,qty,x\nnut,0.25,100,7\nbolt,1.5,40,8\n")
    (tmp_path / "b.csv").write_text("item,price,qty,x\n")
    (tmp_path / "c.csv").write_text("qty,item,x,price\n2,'a, b',9,4\n")
    return tmp_path


def test_columns_of_tables(tables: Path) -> None:
    def sales(columns: Any, **options: Any) -> ao.Pipeline:
        return ao.lazy(ao.files(tables / "*.csv", columns=columns, quote="'", **options))

    assert list(sales("price")) == [0.25, 1.5, 4.0]
    assert sales(["qty"], typecode="H").map("x * 2").collect() == array("H", [200, 80, 4])
    two = sales(["price", "qty"])
    assert repr(two) == "<arrayops.Pipeline of no stages over 3 files of columns 'price', 'qty'>"
    assert list(two) == [0.25, 1.5, 4.0], "the first column"
    assert list(two.map("price * qty")) == [25.0, 60.0, 8.0]
    assert list(two.filter("qty > 2").map("price * qty")) == [25.0, 60.0]
    assert list(two.map("-v").filter("price < 2").map("v + qty + k", k=1)) == [100.75, 39.5]
    assert list(sales(["price", "x"]).map("price * 2").filter("x > 7")) == [3.0, 8.0], "x is the column"
    again = pickle.loads(pickle.dumps(two.map("price * qty")))
    assert again.stats() == two.map("price * qty").stats() and "ColumnOf" not in repr(again)
    assert two.map(lambda x: x + 1).sum() == 8.75
    assert two.map("price * qty").to(tables / "out") == 3
    assert sorted(os.listdir(tables / "out")) == ["a.bin", "b.bin", "c.bin"]
    assert (tables / "out" / "a.bin").read_bytes() == array("d", [25.0, 60.0]).tobytes()


def test_errors_of_tables_name_file_and_row(tables: Path) -> None:
    (tables / "d.csv").write_text("price\n1\n0\n")
    assert notes(lambda: ao.lazy(ao.files(tables / "d.csv", columns="price")).map("1/x").sum()) == [
        f"in '{tables}/d.csv', rows 1 to 2 below the header"
    ]
    (tables / "d.csv").write_text("price\n1\nzero\n")
    with pytest.raises(ValueError, match=r"d\.csv, line 3, column 'price': 'zero' is not a number") as caught:
        ao.lazy(ao.files(tables / "*.csv", columns="price", quote="'")).sum()
    assert not hasattr(caught.value, "__notes__")
    with pytest.raises(ValueError, match=r"c\.csv, line 1 has no column 'cost'|a\.csv, line 1 has no column 'cost'"):
        ao.lazy(ao.files(tables / "*.csv", columns=["price", "cost"])).sum()


# -- to a folder -------------------------------------------------------------------------------------------------------


def test_a_file_for_each_file(doubles: Path) -> None:
    out = doubles / "new" / "out"
    seen: list[int] = []
    pipeline = ao.lazy(ao.files(doubles / "*.bin")).map("x * 2").filter("x > 0")
    assert pipeline.to(out, "f", progress=seen.append) == 4
    assert seen == [1, 1, 1, 1]
    for i, row in enumerate(ROWS):
        assert (out / f"{i}.bin").read_bytes() == array("f", [x * 2 for x in row if x > 0]).tobytes()
    assert pipeline.to(str(out)) == 4
    assert sorted(os.listdir(out)) == ["0.bin", "1.bin", "2.bin", "3.bin"], "nothing beside them"


def test_a_file_that_fails_is_not_written(doubles: Path) -> None:
    out = doubles / "out"
    out.mkdir()
    (out / "2.bin").write_bytes(b"precious")
    pipeline = ao.lazy(ao.files(doubles / "*.bin")).map("1 / (x - 2)")
    assert notes(lambda: pipeline.to(out)) == [
        f"in '{doubles}/2.bin', elements 0 to 1, from byte 0 on",
        f"part 3 of 4: '{doubles}/2.bin', elements 0 to 1, from byte 0 on",
    ]
    assert (out / "2.bin").read_bytes() == b"precious"
    assert sorted(os.listdir(out)) == ["0.bin", "1.bin", "2.bin"]


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_a_file_that_is_gone_or_other_than_planned(doubles: Path) -> None:
    files = ao.files(doubles / "*.bin")
    parts = files.parts()
    os.unlink(doubles / "1.bin")
    with pytest.raises(FileNotFoundError, match=r"1\.bin"):
        ao.lazy(files).sum()
    with pytest.raises(FileNotFoundError, match=r"1\.bin"):
        ao.lazy(parts[1]).sum()
    os.truncate(doubles / "0.bin", 12)
    with pytest.raises(ValueError, match=r"0\.bin' ends at byte 12, and had 24 bytes .* has become shorter"):
        ao.lazy(parts[0]).sum()
    with pytest.raises(ValueError, match=r"0\.bin' ends inside an element, at byte 12: 4 of 8 bytes"):
        ao.lazy(ao.files(doubles / "0.bin")).sum()
    os.unlink(doubles / "0.bin")
    os.mkdir(doubles / "0.bin")
    with pytest.raises(IsADirectoryError, match=r"0\.bin"):
        ao.lazy(parts[0]).sum()
    (doubles / "2.bin").write_bytes(array("d", [2.0, -1e16, 5.0]).tobytes())
    assert list(ao.lazy(parts[2])) == [2.0, -1e16], "as many as there were"
    if hasattr(os, "mkfifo"):
        os.unlink(doubles / "3.bin")
        os.mkfifo(doubles / "3.bin")
        with pytest.raises(ValueError, match=r"3\.bin' is no regular file"):
            ao.lazy(parts[3]).sum()


def test_an_error_names_the_piece(doubles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PIECE_BYTES", 16)
    (doubles / "late").write_bytes(bytes(5) + array("d", [1.0, 2.0, 3.0, 0.0, 4.0]).tobytes())
    pipeline = ao.lazy(ao.files(doubles / "late", offset=5)).map("1 / x")
    place = [f"in '{doubles}/late', elements 2 to 3, from byte 21 on"]
    for call in (pipeline.sum, pipeline.collect, pipeline.stats, lambda: list(pipeline), pipeline.map(opaque).count,
                 lambda: pipeline.reduce("acc + x"), lambda: pipeline.histogram(2, (0, 1))):  # fmt: skip
        assert notes(call) == place


def opaque(x: float) -> float:
    return [x][0]


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (lambda f: ao.files(f, typecode="z"), TypeError, "'z' is not supported"),
    (lambda f: ao.files(f, typecode=3), TypeError, "must be a str, not int"),
    (lambda f: ao.files(f, offset=-1), ValueError, "must not be negative"),
    (lambda f: ao.files(f, count=-1), ValueError, "must not be negative"),
    (lambda f: ao.files(f, stride=0), ValueError, "at least 1"),
    (lambda f: ao.files(f, part_bytes=0), ValueError, "part_bytes must be at least 1"),
    (lambda f: ao.files(f, delimiter=";"), TypeError, "'delimiter' is for tables: columns="),
    (lambda f: ao.files(f, columns="x", offset=3), TypeError, "for raw numbers, not for tables"),
    (lambda f: ao.files(f, columns=[]), ValueError, "a column at least"),
    (lambda f: ao.files(f, columns="x", delimiter=";;"), ValueError, "one ASCII character"),
    (lambda f: ao.files(f, columns="x", delimeter=";"), TypeError, "delimeter"),
    (lambda f: ao.files(b"x"), TypeError, "not bytes"),
    (lambda f: ao.files(3), TypeError, "int"),
    (lambda f: ao.lazy(ao.files(f, offset=99)).sum(), ValueError, "has 24 bytes, and the numbers begin at byte 99"),
    (lambda f: ao.lazy(ao.files(f, count=4)).sum(), ValueError, "has 3 elements of format 'd' from byte 0 on, not 4"),
    (lambda f: ao.lazy(ao.files(f)).map("x*y", y=[array("d", [1.0])]), TypeError, "'y' is no column of the files"),
    (lambda f: ao.lazy(ao.files([f, f])).to("out"), ValueError, "must have a name of its own"),
    (lambda f: ao.lazy(ao.files(f)).to(f.parent), ValueError, "write to another folder"),
    (lambda f: ao.lazy(ao.files(f)).to("out", "y"), ValueError, "y"),
    (lambda f: ao.lazy(ao.files(f)).takewhile("x").to("out"), ValueError, "depends on all elements before it"),
    (lambda f: ao.lazy(array("d")).to("out"), TypeError, "a path is for a pipeline over ao.files"),
    (lambda f: ao.lazy(array("d")).to(array("d"), progress=print), TypeError, "are for a folder"),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED, ids=[row[2] for row in REFUSED])
def test_what_is_refused(doubles: Path, monkeypatch: pytest.MonkeyPatch, call: Any, error: Any, words: str) -> None:
    monkeypatch.chdir(doubles)
    with pytest.raises(error, match=words):
        call(doubles / "0.bin")
    assert not (doubles / "out").exists()


def test_records(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"head" + b"".join(struct.pack("<HhI", i, -i, i) for i in range(9)))
    assert list(ao.lazy(ao.files(tmp_path / "r", typecode="<h", offset=6, stride=8))) == [-i for i in range(9)]
