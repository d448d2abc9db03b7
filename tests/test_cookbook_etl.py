"""examples/etl.py against plain Python: columns of CSV files, and files in slices."""

from __future__ import annotations

import io
import math
import struct
import tracemalloc
from array import array
from pathlib import Path

import example_modules
import pytest
from hypothesis import given
from hypothesis import strategies as st

etl = example_modules.load("etl")

ROWS = """item,price,count
nut,0.25,100
bolt,,40
screw,1.5,0

gear,12.75,3
"""


def test_columns() -> None:
    columns = etl.read_columns(io.StringIO(ROWS), price="d", count="i")
    assert columns["count"] == array("i", [100, 40, 0, 3])
    assert str(columns["price"].tolist()) == "[0.25, nan, 1.5, 12.75]"
    known = etl.where(columns, "price == price and count")
    assert known == {"price": array("d", [0.25, 12.75]), "count": array("i", [100, 3])}
    file = io.StringIO()
    etl.write_columns(file, **columns)
    assert file.getvalue() == "price,count\n0.25,100\n,40\n1.5,0\n12.75,3\n"
    file.seek(0)
    again = etl.read_columns(file, price="d", count="i")
    assert {name: column.tobytes() for name, column in again.items()} == {
        name: column.tobytes() for name, column in columns.items()}  # fmt: skip


@given(st.lists(st.tuples(st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1))))
def test_a_file_of_columns_is_read_as_it_was_written(rows: list[tuple[float, int]]) -> None:
    file = io.StringIO()
    etl.write_columns(file, x=array("d", [x for x, _ in rows]), n=array("q", [n for _, n in rows]))
    file.seek(0)
    columns = etl.read_columns(file, n="q", x="d")
    assert columns["n"].tolist() == [n for _, n in rows]
    assert columns["x"].tobytes() == array("d", [x for x, _ in rows]).tobytes()
    assert etl.where(columns, "n % 2 == 0 and x > 0.5")["n"].tolist() == [n for x, n in rows if n % 2 == 0 and x > 0.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("price\n1\nx\n", "line 3, column 'price'"),
        ("price,n\n1\n", "line 2 has 1 field, and the header 2"),
        ("price,n\n1,300\n", "line 2, column 'n'"),
        ("price,n\n1,\n", "line 2, column 'n'"),
        ("cost\n1\n", "no column 'price'; the columns are 'cost'"),
        ("", "the text is empty"),
    ],
)
def test_what_is_no_number_is_named(text: str, message: str) -> None:
    wanted = {"price": "d", "n": "b"} if ",n" in text else {"price": "d"}
    with pytest.raises(ValueError, match=message):
        etl.read_columns(io.StringIO(text), **wanted)


@pytest.mark.parametrize("size", [1, 7, 1000, 4096])
@pytest.mark.parametrize("order", "<>")
def test_a_file_in_slices(tmp_path: Path, size: int, order: str) -> None:
    numbers = [(i * 7919) % 4001 - 2000 for i in range(4000)]
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(struct.pack(f"{order}4000h", *numbers))
    assert [x for chunk in etl.chunks(source, f"{order}h", size) for x in chunk] == numbers
    expected = [x / 3 for x in numbers if x > -1000]
    totals = etl.stream(source, f"{order}h", "x > -1000", "x / 3", target, size)
    assert target.read_bytes() == array("d", expected).tobytes()
    assert (totals.count, totals.low, totals.high) == (len(expected), min(expected), max(expected))
    assert math.isclose(totals.sum, math.fsum(expected), rel_tol=1e-12)
    assert totals.mean == totals.sum / totals.count
    whole = etl.Totals()
    for chunk in etl.chunks(source, f"{order}h", size):
        whole.add(chunk)
    assert (type(whole.sum), whole.sum) == (int, sum(numbers))


def test_an_empty_file(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"")
    totals = etl.stream(source, "<i", "x > 0", "x + 1", target)
    assert (totals.count, totals.sum, target.read_bytes()) == (0, 0, b"")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"

    def peak(count: int) -> int:
        with open(source, "wb") as file:
            for _ in range(count // 1000):
                file.write(bytes(4000))
        tracemalloc.start()
        etl.stream(source, "<i", "x >= 0", "x * 0.5", target, 1000)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert target.stat().st_size == 8 * count
        return used

    peak(1000)  # compiles
    few, many = peak(10_000), peak(500_000)
    assert many < few + 100_000  # of 4,000,000 bytes of results; the list of sums has one number for each chunk
