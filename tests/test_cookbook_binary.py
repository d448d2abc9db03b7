"""examples/records.py against struct: the same columns, the same bytes."""

from __future__ import annotations

import struct
import tempfile
from array import array
from pathlib import Path

import example_modules
import pytest
from hypothesis import given
from hypothesis import strategies as st

records = example_modules.load("records")


@st.composite
def formats(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.tuples(st.sampled_from(["", "1", "2", "3"]), st.sampled_from("bBhHiIlLqQfdx")), min_size=1,
                          max_size=8))  # fmt: skip
    format = draw(st.sampled_from("<>")) + "".join(count + letter for count, letter in parts)
    return format if set(format) & set("bBhHiIlLqQfd") else format + "H"


@given(formats(), st.data(), st.sampled_from([0, 1, 2, 7, 600]), st.integers(0, 9))
def test_columns_and_pack_are_those_of_struct(format: str, data: st.DataObject, count: int, offset: int) -> None:
    size = struct.calcsize(format)
    piece = data.draw(st.binary(min_size=size, max_size=5 * size))
    raw = (piece * (count * size // len(piece) + 1))[: count * size]
    # Since 3.14 struct keeps the signalling nans of 'f', which array.array's items, as all arithmetic, make quiet ones.
    rows = [tuple(value * 1 for value in row) for row in struct.iter_unpack(format, raw)]
    got = records.columns(bytes(offset) + raw + bytes(size - 1), format, offset, None)
    assert len(got) == len(struct.unpack(format, bytes(size)))
    assert [len(column) for column in got] == [count] * len(got)
    again = b"".join(struct.pack(format, *row) for row in zip(*got, strict=True))
    assert again == b"".join(struct.pack(format, *row) for row in rows)  # bytes, so that a nan is equal to itself
    other = ("<" if format[0] == ">" else ">") + format[1:]
    for written in (format, other):
        assert records.pack(written, *got) == b"".join(struct.pack(written, *row) for row in rows)


@given(st.lists(st.tuples(st.integers(-(2**15), 2**15 - 1), st.integers(0, 255))), st.integers(0, 255))
def test_select(rows: list[tuple[int, int]], mask: int) -> None:
    raw = b"".join(struct.pack("<hB", *row) for row in rows)
    values, flags = records.columns(raw, "<hB")
    assert [column.tolist() for column in records.select([values, flags], flags, mask)] == [
        [value for value, flag in rows if flag & mask == mask],
        [flag for _, flag in rows if flag & mask == mask],
    ]


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(-(2**15), 2**15 - 1), st.integers(0, 2**16 - 1),
                          st.integers(0, 255)), max_size=30))  # fmt: skip
def test_a_log_file(rows: list[tuple[int, int, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_bytes(struct.pack(">4sI", b"LOG1", len(rows)) + b"".join(struct.pack(">IhHB", *row) for row in rows))
        valid = [row for row in rows if row[3] & 1]
        time, temperature, pressure = records.read_log(path)
        assert time.tolist() == [row[0] / 1000 for row in valid]
        assert temperature.tolist() == [row[1] / 100 for row in valid]
        assert pressure.tolist() == [row[2] / 10 for row in valid]
        copy = Path(folder) / "copy"
        records.write_log(copy, time, temperature, pressure, array("B", [1] * len(valid)))
        expected = b"".join(struct.pack(">IhHB", *row[:3], 1) for row in valid)
        assert copy.read_bytes() == struct.pack(">4sI", b"LOG1", len(valid)) + expected


def test_recalibrating_a_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    records.write_log(path, array("d", [0.5, 1.0]), array("d", [-3.0, 20.25]), array("d", [1013.2, 990.0]), b"\1\3")
    before = path.read_bytes()
    records.recalibrate(path, -0.75)
    after = path.read_bytes()
    assert records.read_log(path)[1].tolist() == [-3.75, 19.5]
    assert len(before) == len(after) == 8 + 2 * 9
    assert [i for i in range(len(before)) if before[i] != after[i]] == [13, 22]
    rows = [(1, 5, 0, 1), (2, 2**15 - 1, 0, 1)]
    path.write_bytes(struct.pack(">4sI", b"LOG1", 2) + b"".join(struct.pack(">IhHB", *row) for row in rows))
    with pytest.raises(OverflowError):
        records.recalibrate(path, 0.01)
    assert records.read_log(path)[1].tolist() == [0.06, 327.67]  # as the loop over the records would leave it


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must begin with < or >"):
        records.layout("IH")
    with pytest.raises(TypeError):
        records.columns(bytes(8), "<4s")
    with pytest.raises(ValueError, match="2 fields, 1 were given"):
        records.pack("<HH", array("H"))
    with pytest.raises(ValueError, match="length"):
        records.pack("<HH", array("H", [1]), array("H", [1, 2]))
    with pytest.raises(OverflowError):
        records.pack("<B", array("H", [256]))
    path = tmp_path / "log"
    path.write_bytes(struct.pack(">4sI", b"GIF8", 0))
    with pytest.raises(ValueError, match="not a log file"):
        records.read_log(path)
    path.write_bytes(struct.pack(">4sI", b"LOG1", 3) + bytes(18))
    with pytest.raises(ValueError):
        records.read_log(path)  # says three records and has two
