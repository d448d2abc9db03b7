"""Packed records, spaced elements and WAV files on the command line, against struct and wave."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path
from typing import Any

import pytest
from arrayops.cli import commands, records
from hypothesis import given
from hypothesis import strategies as st
from test_csv import Dribble

FORMAT, FIELDS = "<IhxHfd", "t,a,b,c,d"
ROWS = [(i, 5 - i, i * 300, i / 2, i / 8 - 1) for i in range(40)]
DATA = b"".join(struct.pack(FORMAT, *row) for row in ROWS)
ARGV = ["--record", FORMAT, "--fields", FIELDS]


def output(*argv: object, stdin: Any = b"") -> bytes:
    """What a command writes that succeeds."""
    out, err = io.BytesIO(), io.StringIO()
    source = stdin if hasattr(stdin, "read") else io.BytesIO(stdin)
    status = commands.main([str(arg) for arg in argv], source, out, err)
    assert (status, err.getvalue()) == (0, "")
    return out.getvalue()


def message(*argv: object, stdin: bytes = b"") -> str:
    """What is wrong with a command."""
    err = io.StringIO()
    assert commands.main([str(arg) for arg in argv], io.BytesIO(stdin), io.BytesIO(), err) == 2
    return err.getvalue()


@pytest.mark.parametrize("sizes", [[1 << 20], [1], [7, 20], [21]])
def test_map_and_filter(sizes: list[int], tmp_path: Path) -> None:
    lines = "".join(f"{a * d!r}\n" for _, a, _, _, d in ROWS).encode()
    assert output("map", "a*d", *ARGV, stdin=Dribble(DATA, sizes)) == lines
    raw = b"".join(struct.pack(">d", t + b) for t, _, b, _, _ in ROWS)
    assert output("map", "t + b", *ARGV, "--to", ">d", stdin=Dribble(DATA, sizes)) == raw
    kept = b"".join(struct.pack(FORMAT, *row) for row in ROWS if row[1] % 3)
    assert output("filter", "a % 3", *ARGV, stdin=Dribble(DATA, sizes)) == kept
    assert output("reduce", "acc*3 + t", "--initial", "0", *ARGV, stdin=Dribble(DATA, sizes)) == b"%d\n" % sum(
        row[0] * 3 ** (len(ROWS) - 1 - i) for i, row in enumerate(ROWS)
    )
    path = tmp_path / "log"
    path.write_bytes(DATA)
    assert output("map", "t - mean(t)", *ARGV, path).splitlines()[0] == b"-19.5"
    assert (
        output("stats", "t", "c", *ARGV, path, "--format", "csv").splitlines()[1].startswith(b"t,40,0,780,19.5,0,39,")
    )
    assert len(output("stats", *ARGV, path, "--format", "csv").splitlines()) == 6
    assert output("hist", "t", *ARGV, "--bins", "2", path, "--format", "csv").splitlines()[1:] == [
        b"0.0,19.5,20",
        b"19.5,39.0,20",
    ]


NUMBERS = {
    "b": (-128, 127),
    "B": (0, 255),
    "h": (-(2**15), 2**15 - 1),
    "H": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1),
    "I": (0, 2**32 - 1),
    "q": (-(2**63), 2**63 - 1),
    "Q": (0, 2**64 - 1),
}


@given(
    st.sampled_from(["<", ">", "=", "@", "!", ""]),
    st.lists(st.sampled_from([*NUMBERS, "x", "3s"]), min_size=1, max_size=6),
    st.data(),
)
def test_any_layout(order: str, letters: list[str], data: st.DataObject) -> None:
    form = order + "".join(letters)
    codes = [letter for letter in letters if letter in NUMBERS]
    if not codes:
        return
    rows = data.draw(st.lists(st.tuples(*(st.integers(*NUMBERS[code]) for code in codes)), max_size=5))
    items = [iter(row) for row in rows]
    packed = b"".join(
        struct.pack(form, *(next(row) if letter in NUMBERS else b"abc" for letter in letters if letter != "x"))
        for row in items
    )
    names = [f"f{i}" for i in range(len(codes))]
    for i, name in enumerate(names):
        out = output("map", name, "--record", form, "--fields", ",".join(names), stdin=packed)
        assert out == "".join(f"{row[i]}\n" for row in rows).encode()


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--offset", "2"], [2, 3, 4, 5, 6]),
        (["--stride", "4"], [1, 3, 5]),
        (["--count", "2"], [1, 2]),
        (["--offset", "0x2", "--stride", "4", "--count", "2"], [2, 4]),
        (["--offset", "12"], []),
        (["--count", "0"], []),
        (["--count", "99"], [1, 2, 3, 4, 5, 6]),
        (["--offset", "10", "--stride", "6"], [6]),
    ],
)
@pytest.mark.parametrize("sizes", [[100], [1], [3]])
def test_spaced_elements(argv: list[str], expected: list[int], sizes: list[int]) -> None:
    data = struct.pack(">6h", *range(1, 7))
    out = output("map", "x", "-t", ">h", *argv, stdin=Dribble(data, sizes))
    assert out == struct.pack(f">{len(expected)}h", *expected)
    text = output("stats", "-t", ">h", *argv, stdin=data).decode()
    assert text.startswith(f"count {len(expected)}\nsum   {sum(expected)}\n")
    assert output("filter", "x > 2", "-t", ">h", *argv, stdin=data) == b"".join(
        struct.pack(">h", x) for x in expected if x > 2
    )


@pytest.mark.parametrize("command", [["map", "x"], ["filter", "x"], ["reduce", "acc + x", "--initial", "0"], ["stats"]])
def test_an_offset_behind_the_end(command: list[str]) -> None:
    """An error, as of ao.view and ao.open: all that is wanted would be left out."""
    for sizes in ([100], [1]):
        err = io.StringIO()
        argv = [*command, "-t", "h", "--offset", "5"]
        assert commands.main(argv, Dribble(b"1234", sizes), io.BytesIO(), err) == 2
        assert err.getvalue() == "arrayops: --offset leaves out 5 bytes, and the input has 4\n"


def test_a_predicate_may_be_any_number() -> None:
    """Its truth counts, whatever type would hold it."""
    data = struct.pack("<2q", 2**63 - 1, 0)
    for text in ("a*a", "a*5e-324", "a << 70", "2**70 if a else 0"):
        assert output("filter", text, "--record", "<q", "--fields", "a", stdin=data) == data[:8]


def test_spaced_elements_of_odd_types() -> None:
    data = b"\xff\xff\x7f?\x00\x00\x80?"
    assert output("stats", "-t", "<i3", "--stride", "4", stdin=data).startswith(b"count 2\nsum   -1\n")
    assert message("map", "1//x", "-t", "B", "--offset", "1", stdin=b"\0\1\0").startswith(
        "arrayops: element 1: ZeroDivision"
    )


@pytest.mark.parametrize(
    ("argv", "wrong"),
    [
        (["--record", "<Ih"], "--record and --fields go together"),
        (["--fields", "a"], "--record and --fields go together"),
        (["--record", "<Ih", "--fields", "a"], "has 2 fields, and --fields 1"),
        (["--record", "<Z", "--fields", "a"], "'Z' is no number"),
        (["--record", "", "--fields", "a"], "is not a format of struct"),
        (["--record", "<h!", "--fields", "a"], "is not a format"),
        (["--record", "<2h", "--fields", "a,a"], "a name is there twice"),
        (["--record", "<9999h", "--fields", "a"], "more than 1024"),
        (["--record", "<9999999sh", "--fields", "a"], "bytes; 1048576 are the most"),
        (["--record", "<h", "--fields", "a", "-t", "d"], "go with"),
        (["--record", "<h", "--fields", "a", "--stride", "4"], "--stride does not go with --record"),
        (["--wav", "--offset", "4"], "do not go with --wav"),
        (["--text", "--stride", "4"], "are about raw input"),
        (["-t", "d", "--stride", "4"], "--stride is 4 bytes; it must be 8 to"),
        (["--wav", "--text"], "not allowed with"),
        (["--record", "<h", "--fields", "b"], "there is no field 'a'; there are b"),
    ],
)
def test_what_does_not_go(argv: list[str], wrong: str) -> None:
    assert wrong in message("map", "a", *argv, stdin=b"\1\0")


def test_records_cut_off_and_elements_that_fail() -> None:
    assert "the input ends inside a record: 5 of 21 bytes" in message("map", "t", *ARGV, stdin=DATA[:26])
    assert "record 5: ZeroDivisionError" in message("map", "1/a", *ARGV, stdin=DATA)
    assert output("map", "t", *ARGV) == b""


# -- WAV ---------------------------------------------------------------------------------------------------------------


def wav(channels: int, width: int, data: bytes) -> bytes:
    """A file that the wave module writes."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(data)
    return out.getvalue()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_wav(channels: int, width: int) -> None:
    low, high = (0, 255) if width == 1 else (-(2 ** (8 * width - 1)), 2 ** (8 * width - 1) - 1)
    frames = [[(low, high, i, -i if low else 255 - i)[(i + c) % 4] for c in range(channels)] for i in range(30)]
    data = b"".join(x.to_bytes(width, "little", signed=low < 0) for frame in frames for x in frame)
    names = {1: ["x"], 2: ["left", "right"]}.get(channels, ["ch1", "ch2", "ch3"])
    for i, name in enumerate(names):
        for sizes in ([1 << 20], [1], [5]):
            out = output("map", name, "--wav", stdin=Dribble(wav(channels, width, data) + b"LIST\4\0\0\0abcd", sizes))
            assert [int(x) for x in out.split()] == [frame[i] for frame in frames]


def test_wav_of_floats_and_other_chunks() -> None:
    data = struct.pack("<4f", 0.5, -1.0, 0.25, 1.0)
    form = struct.pack("<HHIIHH", 3, 2, 8000, 64000, 8, 32)
    body = b"WAVE" + b"fact\3\0\0\0abc\0" + b"fmt \x10\0\0\0" + form + b"data" + struct.pack("<I", len(data)) + data
    assert output("map", "left*right", "--wav", stdin=b"RIFF" + struct.pack("<I", len(body)) + body) == b"-0.5\n0.25\n"
    extended = struct.pack("<HHIIHHHHIH14s", 0xFFFE, 2, 8000, 64000, 8, 32, 22, 32, 3, 3, b"")
    body = b"WAVE" + b"fmt \x28\0\0\0" + extended + b"data\xff\xff\xff\xff" + data
    assert output("map", "left*right", "--wav", stdin=b"RIFF\0\0\0\0" + body) == b"-0.5\n0.25\n"


def test_wav_with_a_picture_before_its_samples() -> None:
    whole = wav(1, 2, struct.pack("<2h", 5, 7))
    size = (1 << 20) + 1
    for data in (whole[:12] + b"LIST" + struct.pack("<I", size) + bytes(size + 1) + whole[12:],
                 whole[:36] + b"LIST" + struct.pack("<I", size) + bytes(size + 1) + whole[36:]):  # fmt: skip
        assert output("map", "x", "--wav", stdin=data) == output("map", "x", "--wav", stdin=Dribble(data, [999_999]))
        assert output("map", "x", "--wav", stdin=data) == b"5\n7\n"
    assert "ends before its data" in message("map", "x", "--wav", stdin=whole[:36] + b"LIST\0\0\x20\0" + bytes(size))


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b"", "this is no WAV file"),
        (b"RIFF\0\0\0\0WAVE", "ends before its data"),
        (b"RIFX\0\0\0\0WAVE", "this is no WAV file"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "has its data before its format"),
        (b"RIFF\0\0\0\0WAVEfmt \4\0\0\0abcd", "ends before"),
        (
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 7, 1, 8000, 8000, 1, 8) + b"data\0\0\0\0",
            "format 7 are not read",
        ),
        (
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 0, 8000, 8000, 0, 8) + b"data\0\0\0\0",
            "are not read",
        ),
        (b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff", "ends before its data"),
    ],
)
def test_wav_that_is_none(data: bytes, wrong: str) -> None:
    assert wrong in message("map", "x", "--wav", stdin=data)


def test_formats_are_not_read_past_their_ends() -> None:
    assert records.layout("<2h x 2s B", ["a", "b", "c"], 0, None).fields == (
        ("a", "<h", 0),
        ("b", "<h", 2),
        ("c", "<B", 7),
    )
