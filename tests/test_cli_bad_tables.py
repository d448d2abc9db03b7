"""Tables that nobody should have: endless rows, odd bytes, files that change, outputs that fail, Ctrl-C.

What always holds: a message with its place and status 2, nothing lost of what was there, memory that stays bounded.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from arrayops.cli import commands, tables
from test_cli_tables import bad, good, run
from test_csv import MAX_FIELDS, MAX_ROW

COMMAND = [sys.executable, "-m", "arrayops"]
SALES = "item,price,qty\n" + "nut,0.25,100\n" * 3
ROWS = 30_000


class Endless(io.RawIOBase):
    """A beginning, and then the same bytes for a gigabyte."""

    def __init__(self, beginning: bytes, more: bytes) -> None:
        super().__init__()
        self.next, self.more, self.given = beginning, more * (1 << 16), 0

    def read1(self, size: int = -1) -> bytes:
        block, self.next = self.next, self.more
        self.given += len(block)
        return block if self.given < 1 << 30 else b""

    read = read1


# -- rows and cells ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beginning", [b"7", b"a,b\n1,7", b'a,b\n1,"7', b"# no end"])
def test_a_row_of_a_gigabyte_is_refused(beginning: bytes) -> None:
    stream = Endless(beginning, b"7")
    assert f"the row has more than {MAX_ROW} bytes" in bad("map", "a", stdin=stream)
    assert stream.given < 2 * MAX_ROW


def test_many_columns() -> None:
    names = [f"c{i}" for i in range(50_000)]
    text = ",".join(names) + "\n" + "1," * 49_999 + "5\n"
    assert good("map", "c49999 - c7 + #1", stdin=text) == "5\n"
    assert good("map", "--add", "z=c7*9", "--select", "c49999", stdin=text) == "c49999,z\n5,9\n"
    assert f"the row has more than {MAX_FIELDS} fields" in bad("map", "a", stdin="," * (MAX_FIELDS + 1) + "\n")


def test_numbers_of_5000_digits() -> None:
    digits = "7" * 5000
    text = f"a,b\n{digits},1\n-0.{digits},2\n1e-{digits},3\n"
    assert good("map", "a", stdin=text) == f"inf\n{-float('0.' + digits)!r}\n0.0\n"
    assert good("filter", "b > 2", stdin=text) == f"a,b\n1e-{digits},3\n"
    assert f"line 2, column 'a': {digits[:60]}... does not fit type 'q'" in bad(
        "map", "a", "--table", "-t", "q", stdin=text
    )


@pytest.mark.parametrize("argv", [["filter", "1"], ["map", "--add", "c=b"], ["map", "--select", "a,b"]])
def test_odd_bytes_pass_through(argv: list[str]) -> None:
    rows = [b"x\0y,1", b"\xff\xfe\x80,2", b'"\0,\xe9",3', b"\xed\xa0\x80,4"]
    data = b"a,b\n" + b"\n".join(rows) + b"\n"
    out = good(*argv, stdin=data).encode("utf-8", "surrogateescape").splitlines()[1:]
    assert [line.removesuffix(b",%d" % (i + 1)) if "--add" in argv else line for i, line in enumerate(out)] == rows
    assert good("stats", "b", "--by", "a", "--format", "csv", stdin=data).count("\0") == 2
    assert "line 2, column 'a': 'x\\x00y' is not a number" in bad("map", "a", stdin=data)


def test_headers_that_come_again_and_names_that_are_there_twice() -> None:
    assert "so the header is there again" in bad("map", "a", stdin="a,b\n1,2\na,b\n3,4\n")
    message = bad("map", "a", stdin="a,a,b\n1,2,3\n")
    assert "line 1 has more than one column 'a'" in message and "did you mean" not in message
    assert good("map", "#1 + #2 * b", stdin="a,a,b\n1,2,3\n") == "7\n"
    assert good("stats", "#2", "b", "--format", "csv", stdin="a,a,b\n1,2,3\n").splitlines()[1].startswith("#2,1,0,2,")


# -- files that change -------------------------------------------------------------------------------------------------


def appended(path: Path) -> None:
    with path.open("a") as file:
        file.write("5\n" * ROWS)


def cut(path: Path) -> None:
    os.truncate(path, 1000)


@pytest.mark.parametrize("change", [appended, cut])
@pytest.mark.parametrize(
    "argv", [["map", "--add", "s=x/sum(x)"], ["filter", "x > mean(x)"], ["hist", "x", "--bins", "3"]]
)
def test_a_file_that_changes_between_two_passes(
    argv: list[str], change: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "x.csv", tmp_path / "out"
    path.write_text("x\n" + "".join(f"{i}\n" for i in range(ROWS)))
    out.write_text("precious")
    passes = []
    open_input = tables.open_input

    def opened(*args: Any) -> Any:
        passes.append(args)
        if len(passes) == 2:
            change(path)
        return open_input(*args)

    monkeypatch.setattr(tables, "open_input", opened)
    assert "it is being written" in bad(*argv, path, "-o", out)
    assert out.read_text() == "precious" and len(passes) == 2


@pytest.mark.parametrize("change", [appended, cut])
def test_a_file_that_changes_in_one_pass(change: Callable[[Path], None], tmp_path: Path) -> None:
    """What is there when it is read counts: of a row that was cut, and of one that is no row, it is an error."""
    path = tmp_path / "x.csv"
    path.write_text("x,y\n" + "12345,1\n" * ROWS)
    changed = []

    class Out(io.BytesIO):
        def write(self, data: Any) -> int:
            if not changed:
                changed.append(change(path))
            return super().write(data)

    out, err = Out(), io.StringIO()
    status = commands.main(["map", "x", str(path)], io.BytesIO(), out, err)
    lines = out.getvalue().split()
    assert {*lines} == {b"12345"} and status == 2 and "has 1 field, and the header 2" in err.getvalue()
    assert len(lines) == ROWS if change is appended else 0 < len(lines) < ROWS


# -- where it is written -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["filter", "qty > 0"], ["map", "--add", "t=qty/sum(qty)"], ["map", "qty"],
                                     ["stats", "qty"], ["map", "qty", "--format", "json"]])  # fmt: skip
def test_output_that_is_an_input(command: list[str], tmp_path: Path) -> None:
    path, link, copy = tmp_path / "a.csv", tmp_path / "link.csv", tmp_path / "copy.csv"
    for each in (path, copy):
        each.write_text(SALES)
    link.symlink_to(path)
    good(*command, path, "-o", link)
    good(*command, copy, "-o", tmp_path / "other")
    assert link.is_symlink() and path.read_text() == (tmp_path / "other").read_text() != ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "argv",
    [["map", "qty"], ["map", "--add", "x=qty"], ["filter", "1"], ["filter", "1", "--format", "json"], ["stats", "qty"],
     ["reduce", "acc + qty", "--initial", "0"], ["hist", "qty"], ["info", "-"]],
)  # fmt: skip
def test_full_disk(argv: list[str]) -> None:
    assert bad(*argv, "-o", "/dev/full", stdin=SALES) == "No space left on device"
    with open("/dev/full", "wb", buffering=0) as full:
        err = io.StringIO()
        assert commands.main(argv, io.BytesIO(SALES.encode()), full, err) == 2
    assert err.getvalue() == "arrayops: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
@pytest.mark.parametrize("argv", [["map", "qty"], ["filter", "1"], ["map", "--add", "x=qty", "--format", "json"]])
def test_a_reader_that_goes_away(argv: list[str], tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(SALES + "nut,0.25,100\n" * 100_000)
    process = subprocess.Popen([*COMMAND, *argv, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout and process.stderr
    process.stdout.read(3)
    process.stdout.close()
    with process.stderr as stderr:
        assert (stderr.read(), process.wait(60)) == (b"", 141)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("argv", [["map", "qty"], ["stats", "qty", "--by", "item"]])
def test_interrupted_in_the_middle(argv: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("precious")
    process = subprocess.Popen(
        [*COMMAND, *argv, "-", "-o", out],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdin and process.stderr
    with process.stderr, process.stdin as stdin:
        stdin.write(SALES.encode() + b"nut,0.25,100\n" * 50_000)  # returns when most of it was read
        stdin.flush()
        process.send_signal(signal.SIGINT)
        assert (process.wait(60), process.stderr.read()) == (130, b"")
    assert out.read_text() == "precious" and [*os.listdir(tmp_path)] == ["out"]


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    assert bad("map", "x", tmp_path / "none.csv") == f"{str(tmp_path / 'none.csv')!r}: No such file or directory"
    assert bad("map", "x", tmp_path).startswith(f"{str(tmp_path)!r}: Is a directory")
    status, out, err = run("map", "--select", "qty", "nothing.csv", stdin=SALES)
    assert (status, out) == (2, "") and "'nothing.csv'" in err
    assert bad("map", "qty", "--select", "item", stdin=SALES).startswith("'qty' is no file; --add NAME=EXPRESSION")


@pytest.mark.parametrize(
    "argv", [["map", "b - a[0]"], ["filter", "a[0] == 1"], ["map", "--add", "c=a[b]"], ["stats", "b-a[0]"]]
)
def test_a_column_has_no_elements_by_number(argv: list[str]) -> None:
    """What a[0] is would depend on how the input was cut."""
    assert "row by row" in bad(*argv, stdin=b"a,b\n1,2\n")
