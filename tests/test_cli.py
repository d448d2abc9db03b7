"""The command line against Python itself: what a command writes is what array, functools, math and statistics give.

Most tests call cli.main in this process with streams in memory. Subprocesses are used where the process itself is the
subject: signals, a broken pipe, resident memory, and the examples of docs/command-line.md. Chunks are made tiny where
the seams between them matter, so that a few numbers cross many seams.
"""

import contextlib
import functools
import io
import math
import operator
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import time
import types
from array import array
from fractions import Fraction
from typing import ClassVar

import arrayops
import pytest
from arrayops import delimited
from arrayops.cli import commands as cli
from arrayops.cli import failures, progress, streams, tables
from arrayops.engine import output
from hypothesis import given
from hypothesis import strategies as st
from oracle import outcome

DOCS = pathlib.Path(__file__).parent.parent / "docs" / "command-line.md"
COMMAND = [sys.executable, "-m", "arrayops"]
SWAPPED = ">" if sys.byteorder == "little" else "<"
MISSING = ": --missing skip leaves it out, --missing NUMBER fills it in"
RAGGED = ": --ragged skip leaves such rows out, --ragged fill takes fields that are not there for missing ones"
SAMPLES = {code: [1, 2, 3, 100] for code in "bBhHiIlLqQ"} | {code: [1.0, -0.0, 2.5, math.inf] for code in "fd"}


def run(*argv, stdin=b""):
    """(status, standard output, standard error) of one command in this process."""
    source = stdin if hasattr(stdin, "read") else io.BytesIO(stdin)
    out, err = io.BytesIO(), io.StringIO()
    status = cli.main([str(arg) for arg in argv], source, out, err)
    return status, out.getvalue(), err.getvalue()


def good(*argv, stdin=b""):
    status, out, err = run(*argv, stdin=stdin)
    assert (status, err) == (0, "")
    return out


def bad(*argv, stdin=b""):
    """The message of a command that must fail, without the name of the program."""
    status, _, err = run(*argv, stdin=stdin)
    assert status == 2 and err.startswith("arrayops: ")
    return err.removeprefix("arrayops: ").rstrip("\n")


def raw(code, values, swapped=False):
    data = array(code, values)
    if swapped:
        data.byteswap()
    return data.tobytes()


@pytest.fixture
def tiny_chunks(monkeypatch):
    monkeypatch.setattr(streams, "CHUNK_BYTES", 32)
    monkeypatch.setattr(streams, "TEXT_BLOCK_BYTES", 16)
    monkeypatch.setattr(tables, "CHUNK_ROWS", 3)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 16)


class Dribble(io.RawIOBase):
    """A pipe that gives its bytes in pieces of the sizes asked for, over and over."""

    def __init__(self, data, sizes):
        self.data, self.sizes, self.turn = memoryview(data), sizes, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        size = min(self.sizes[self.turn % len(self.sizes)], len(buffer), len(self.data))
        buffer[:size], self.data, self.turn = self.data[:size], self.data[size:], self.turn + 1
        return size


# ---- raw binary


@pytest.mark.parametrize("code", streams.ARRAY_TYPECODES)
@pytest.mark.parametrize("swapped", [False, True])
def test_map_raw_every_type_and_byte_order(code, swapped):
    values = SAMPLES[code]
    kind = SWAPPED + code if swapped else code
    expected = raw(code, [x + 1 for x in array(code, values)], swapped)
    assert good("map", "x+1", "-t", kind, stdin=raw(code, values, swapped)) == expected


@pytest.mark.parametrize(
    ("source", "target"), [("h", "d"), ("h", SWAPPED + "d"), (SWAPPED + "h", "f"), (SWAPPED + "h", SWAPPED + "q")]
)
def test_map_to_another_type(source, target):
    values = [-300, 0, 7, 32767]
    got = good("map", "x*2", "-t", source, "--to", target, stdin=raw(source[-1], values, SWAPPED in source))
    assert got == raw(target[-1], [x * 2 for x in values], SWAPPED in target)


def test_output_keeps_the_byte_order_of_the_input_unless_told(tmp_path):
    path = tmp_path / "in"
    path.write_bytes(raw("H", [1, 258], swapped=True))
    assert good("filter", "x > 1", path, "-t", SWAPPED + "H") == raw("H", [258], swapped=True)
    assert good("map", "x", path, "-t", SWAPPED + "H", "--to", "H") == raw("H", [1, 258])


@given(
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=40),
    st.lists(st.integers(1, 13), min_size=1, max_size=5),
    st.booleans(),
)
def test_pipe_in_any_pieces(values, sizes, swapped):
    stream = Dribble(raw("i", values, swapped), sizes)
    got = good("map", "x//3", "-t", SWAPPED + "i" if swapped else "i", "--to", "q", stdin=stream)
    assert got == raw("q", [x // 3 for x in values])


@pytest.mark.parametrize("odd", [1, 3, 7])
def test_cut_off_element_in_pipe_and_file(odd, tmp_path):
    data = raw("d", [1.0, 2.0]) + bytes(odd)
    path = tmp_path / "cut"
    path.write_bytes(data)
    message = f"the input ends inside an element: {odd} of 8 bytes of type 'd'; is -t right?"
    assert bad("stats", "-t", "d", stdin=data) == message
    assert bad("map", "x", path, "-t", "d", "-o", tmp_path / "out") == message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [("map", "x"), ("filter", "x"), ("reduce", "acc+x", "--initial", "0"), ("stats",)])
def test_empty_input(command):
    text = {"reduce": b"0\n", "stats": b"count 0\nsum   0\n"}
    assert good(*command, "-t", "i") == text.get(command[0], b"")
    assert good(*command, "-t", "i", "--text", stdin=b"\n# nothing\n") == text.get(command[0], b"")


# ---- text and CSV


@pytest.mark.parametrize(
    ("argv", "text", "expected"),
    [
        (["map", "x*1.8+32"], "0\n100\n-40\n", "32.0\n212.0\n-40.0\n"),
        (["map", "-x"], "1\n2", "-1.0\n-2.0\n"),
        (["map", "x"], "1\r\n 2 \r\n\r\n3e2\r\n", "1.0\n2.0\n300.0\n"),
        (["map", "x"], "\ufeff1\n# note\n2\n", "1.0\n2.0\n"),
        (["map", "x"], "nan\n-inf\n-0.0\n0.1\n", "nan\n-inf\n-0.0\n0.1\n"),
        (["map", "x", "-t", "f"], "0.1\n", "0.10000000149011612\n"),
        (
            ["map", "x", "-t", "q"],
            "-9223372036854775808\n9007199254740993\n",
            "-9223372036854775808\n9007199254740993\n",
        ),
        (["map", "x", "-t", "Q"], "18446744073709551615\n", "18446744073709551615\n"),
        (["map", "x > 1", "-t", "h", "--to", "B"], "1\n2\n", "0\n1\n"),
        (["map", "x/2", "-t", "h", "--to", "d"], "1\n2\n", "0.5\n1.0\n"),
        (["map", "x*(1+vat)", "-p", "vat=0.25"], "4\n", "5.0\n"),
        (["map", "k*x", "-p", "k=-3", "-t", "b"], "4\n", "-12\n"),
        (["map", "e*x + pi", "-p", "e=2", "-p", "pi=1"], "4\n", "9.0\n"),
        (["reduce", "acc + e*x", "-p", "e=2"], "4\n1\n", "6.0\n"),
        (["map", "f*arr", "-p", "f=2"], "4\n", "8.0\n"),
        (["map", "1/x", "--ieee"], "0\n-0.0\n", "inf\n-inf\n"),
        (["map", "x", "--skip", "2"], "title\nunits\n5\n", "5.0\n"),
        (["filter", "x % 2 == 0", "-t", "i"], "1\n2\n3\n4\n", "2\n4\n"),
        (["filter", "x > m", "-p", "m=2"], "1\n2\n3\n4\n", "3.0\n4.0\n"),
        (["filter", "x != x"], "1\n", ""),
        (["reduce", "acc*31 + x", "-t", "B", "--initial", "7"], "1\n2\n", "6760\n"),
        (["reduce", "acc if acc > x else x"], "3\n8\n2\n", "8.0\n"),
    ],
)
def test_text(argv, text, expected):
    assert good(*argv, "--text", stdin=text.encode()).decode() == expected


CSV = 'year,"flow, m3"\n1871,1120\n\n1872,1160\n1873,963\n'


@pytest.mark.parametrize(
    ("argv", "text", "expected"),
    [
        (["--csv", "flow, m3"], CSV, [1120, 1160, 963]),
        (["--csv", "year"], CSV, [1871, 1872, 1873]),
        (["--csv", "2", "--skip", "1"], CSV, [1120, 1160, 963]),
        (["--csv", "1"], "5,a\n6,b\n", [5, 6]),
        (["--csv", "b", "--skip", "1"], "made by hand\na,b\n1,2\n", [2]),
        (["--csv", "b", "--delimiter", ";"], "a;b\n1; 2 \n", [2]),
        (["--csv", "b", "--delimiter", "\\t"], "\ufeffa\tb\n1\t2\n", [2]),
        (["--csv", "a"], "\ufeffa,b\n1,2\n", [1]),
        (["--csv", "b"], 'a,b\n"x\ny",2\n"z",3\n', [2, 3]),
        (["--csv", "1"], "", []),
    ],
)
def test_csv(argv, text, expected, tiny_chunks):
    assert good("map", "x", *argv, "-t", "i", stdin=text.encode()).decode().split() == [str(x) for x in expected]


@pytest.mark.parametrize(
    ("argv", "text", "message"),
    [
        (["--text"], "1\n\ntwo\n", "line 3: 'two' is not a number"),
        (["--text"], "1 2\n", "line 1: '1 2' is not a number"),
        (["--text", "--skip", "1"], "a\n1\nb\n", "line 3: 'b' is not a number"),
        (["--text", "-t", "h"], "1\n1.5\n", "line 2: '1.5' is not an integer, as type 'h' needs"),
        (["--text"], "7\n" + "z" * 100, f"line 2: {'z' * 60 + '...'!r} is not a number"),
        (["--text", "-t", "q"], "1\n-" + "9" * 5000,
         f"line 2: {'-' + '9' * 59 + '...'!r} has 5000 digits, and Python reads integers of up to 4300; "
         "PYTHONINTMAXSTRDIGITS=0 in the environment lifts that"),
        (["--text", "-t", "q"], "9" * 4000, "line 1: int too big to convert"),
        (["--text"], "\0\n", "line 1: '\\x00' is not a number"),
        (["--text", "-t", "B"], "1\n\n256\n", "line 3: unsigned byte integer is greater than maximum"),
        (["--csv", "2"], "1,2\n3\n", f"line 2 has 1 field, and the first row 2{RAGGED}"),
        (["--csv", "3"], "1,2\n", "there is no column #3; there are 2"),
        (["--csv", "2"], "1,\n", f"line 1, column #2: the cell is empty{MISSING}"),
        (["--csv", "1", "--na", "NA,-"], "1\n - \n", f"line 2, column #1: '-' is missing{MISSING}"),
        (["--text", "--na", "NA"], "1\nNA\n", f"line 2: 'NA' is missing{MISSING}"),
        (["--text", "--na", "NA", "--missing", "skip"], "1\nNA\nN\n", "line 3: 'N' is not a number"),
        (["--text", "--na", "-999", "--missing", "error"], "1\n-999\n", f"line 2: '-999' is missing{MISSING}"),
        (["--csv", "2", "--missing", "skip"], "1,2\n1\n", f"line 2 has 1 field, and the first row 2{RAGGED}"),
        (["--csv", "b"], "a\n1\n", "line 1 has no column 'b'; the columns are 'a'"),
        (["--csv", "0"], "a\n1\n", "line 1 has no column '0'; the columns are 'a'"),
        (["--csv", "a"], "a,a\n1,2\n",
         "line 1 has more than one column 'a'; the columns are 'a', 'a'; #1 is the first of them"),
        (["--csv", "a"], "", "line 1 has no column 'a'; the columns are "),
        (["--csv", "a"], 'b,a\n"' + "x" * 200_000, 
         "line 2, a field begins with a quote and never ends: quotes within a field are doubled; "
         "--quote '' takes them for text"),
        (["--csv", "a", "--skip", "3"], "1\n2\n3\na\nx\n", "line 5, column 'a': 'x' is not a number"),
    ],
)
def test_text_that_is_not_numbers(argv, text, message):
    assert bad("map", "x", *argv, stdin=text.encode()) == message


GAPS = "k,v\na,1\nb,\nc, NA \nd,-\ne,5\n"
LINES = "1\nNA\n\n# a remark\n-\n5\n"


@pytest.mark.parametrize(
    ("argv", "text", "expected"),
    [
        (["--csv", "v", "--na", "NA,-", "--missing", "skip"], GAPS, ["1.0", "5.0"]),
        (["--csv", "v", "--na", "NA,-", "--missing", "7"], GAPS, ["1.0", "7.0", "7.0", "7.0", "5.0"]),
        (["--csv", "v", "--na", "NA, -,", "--missing", "nan"], GAPS, ["1.0", "nan", "nan", "nan", "5.0"]),
        (["--csv", "2", "--skip", "1", "--na=-,NA", "--missing=-1", "-t", "h"], GAPS, ["1", "-1", "-1", "-1", "5"]),
        (["--csv", "v", "--missing", "skip", "-t", "?"], "v\n1\n\"\"\n0\n", ["1", "0"]),
        (["--text", "--na", "NA,-", "--missing", "skip"], LINES, ["1.0", "5.0"]),
        (["--text", "--na", "NA,-", "--missing", "inf"], LINES, ["1.0", "inf", "inf", "5.0"]),
        (["--text", "--na", "-999", "--missing", "skip", "-t", "i"], "3\n-999\n4\n", ["3", "4"]),
        (["--text", "--na", "nan,none", "--missing", "0"], "3\nnan\nnone\n", ["3.0", "0.0", "0.0"]),
        (["--text", "--na", "nan", "--missing", "skip", "-t", "i"], "3\nnan\n", ["3"]),
        (["--text", "--missing", "skip"], "\n\n1\n", ["1.0"]),
        (["--csv", "1", "--missing", "skip"], '""\n""\n', []),
    ],
)
def test_missing_numbers(argv, text, expected, tiny_chunks):
    assert good("map", "x", *argv, stdin=text.encode()).decode().split() == expected


def test_missing_numbers_in_every_command(tiny_chunks):
    argv = ["--csv", "v", "--na", "NA,-", "--missing", "skip"]
    assert good("filter", "x > 1", *argv, stdin=GAPS.encode()) == b"5.0\n"
    assert good("reduce", "acc*10 + x", *argv, "-t", "i", stdin=GAPS.encode()) == b"15\n"
    assert good("stats", *argv, stdin=GAPS.encode()).splitlines()[0] == b"count 2"
    argv[-1] = "nan"
    assert good("stats", *argv, "--nan", "skip", stdin=GAPS.encode()).splitlines()[:3] == [
        b"count 2", b"sum   6.0", b"mean  3.0",
    ]  # fmt: skip
    assert "sum   nan" in good("stats", *argv, stdin=GAPS.encode()).decode()


def test_the_place_of_an_error_counts_lines_and_not_what_is_left_out(tiny_chunks):
    argv = ["--csv", "v", "--na", "NA,-", "--missing", "skip"]
    assert bad("map", "1/(x - 5)", *argv, stdin=GAPS.encode()).startswith("element 1 (line 6): ZeroDivisionError")


def test_line_without_end_does_not_fill_memory():
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return b"7" * size

    assert "is this a binary file?" in bad("stats", "--text", stdin=Endless())


@given(st.lists(st.floats(width=64), max_size=30))
def test_text_round_trip_is_exact(values):
    text = "".join(f"{x!r}\n" for x in values).encode()
    assert good("map", "x", "--text", stdin=text) == text


# ---- across chunks


@given(
    values=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50),
    initial=st.none() | st.integers(),
)
def test_reduce_is_one_fold_over_all_chunks(values, initial):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "CHUNK_BYTES", 24)
        argv = [] if initial is None else [f"--initial={initial}"]
        got = good("reduce", "acc*31 + x", "-t", "q", *argv, stdin=raw("q", values))
    start = () if initial is None else (initial,)
    assert int(got) == functools.reduce(lambda acc, x: acc * 31 + x, values, *start)


def expected_stats(data):
    """What Python says, or the exception it raises, of one array."""
    total = math.fsum if data.typecode in "fd" else sum
    if not data:
        return f"count 0\nsum   {total(data)!r}\n"
    rows = [("sum", total(data)), ("mean", statistics.fmean(data)), ("min", min(data)), ("max", max(data))]
    return f"count {len(data)}\n" + "".join(f"{name:5} {value!r}\n" for name, value in rows)


def assert_stats(code, values):
    data = array(code, values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "CHUNK_BYTES", 24)
        status, out, err = run("stats", "-t", code, stdin=data.tobytes())
    try:
        expected = expected_stats(data)
    except ValueError as error:
        assert (status, err) == (2, f"arrayops: ValueError: {error}\n")
    except OverflowError:  # fsum gives up on an intermediate sum that is no double; the sum of all may be one again
        specials = [x for x in data if not math.isfinite(x)]
        try:
            total = math.fsum(specials) if specials else float(sum(map(Fraction, data)))
        except ValueError as error:
            assert (status, err) == (2, f"arrayops: ValueError: {error}\n")
        except OverflowError:
            assert (status, err) == (2, "arrayops: OverflowError: intermediate overflow in fsum\n")
        else:
            assert (status, err, out.decode().split()[3]) == (0, "", repr(total))
    else:
        assert (status, out.decode(), err) == (0, expected, "")


@given(st.lists(st.floats(width=64), max_size=40))
def test_stats_of_doubles(values):
    assert_stats("d", values)


@given(st.lists(st.sampled_from([1e308, -1e308, 1e292, 1.0, -1.0, 1e-16, 5e-324, -0.0, 0.0, 2.0**53]), max_size=60))
def test_stats_of_sums_that_cancel(values):
    assert_stats("d", values)


HUGE = sys.float_info.max


@given(st.lists(st.sampled_from([HUGE, -HUGE, 2.0**1023, 1e250, 3.0, -5e-324, math.inf, -math.inf]), max_size=40))
def test_stats_of_sums_that_overflow(values):
    assert_stats("d", values)


@given(st.lists(st.sampled_from([math.nan, 0.0, -0.0, 1.0, math.inf, -math.inf]), max_size=12))
def test_stats_of_special_values(values):
    assert_stats("d", values)


@given(st.lists(st.sampled_from([math.nan, 0.5, -3.0, math.inf]), max_size=12), st.sampled_from("fd"))
def test_stats_without_nans(values, code):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "CHUNK_BYTES", 24)
        out = good("stats", "-t", code, "--nan", "skip", stdin=array(code, values).tobytes())
    assert out.decode() == expected_stats(array(code, [x for x in values if x == x]))


def test_stats_of_integers_have_no_nans():
    data = array("h", [1, 2])
    assert good("stats", "-t", "h", "--nan", "skip", stdin=data.tobytes()).decode() == expected_stats(data)
    assert "--nan" in bad("stats", "--text", "--nan", "drop", stdin=b"1")


@given(st.lists(st.floats(width=32), max_size=40))
def test_stats_of_floats(values):
    assert_stats("f", values)


@given(st.data(), st.sampled_from("bBhHiIlLqQ"))
def test_stats_of_integers(data, code):
    bits = 8 * array(code).itemsize
    low, high = (0, 2**bits - 1) if code.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert_stats(code, data.draw(st.lists(st.integers(low, high), max_size=40)))


def test_stats_of_a_sum_too_large_for_a_double():
    assert bad("stats", "-t", "d", stdin=raw("d", [1e308] * 2)) == "OverflowError: intermediate overflow in fsum"


def test_reduce_to_an_integer_of_many_digits():
    # 2**20000 has 6021 decimal digits, more than Python writes by default.
    out = good("reduce", "(acc << 100) + x", "--initial", "1", "-t", "B", stdin=bytes(200))
    assert int(out, 0) == 1 << 20000


# ---- errors in elements


@pytest.mark.parametrize(
    ("argv", "values", "message"),
    [
        (["map", "1//x", "-t", "i"], [5] * 20 + [0], f"element 20: {outcome(operator.floordiv, 1, 0)}"),
        (["map", "x*x", "-t", "i"], [1, 2**20, 1], "element 1: OverflowError: "),
        (["map", "x", "-t", "i", "--to", "B"], [255, 256], "element 1: OverflowError: "),
        # the first element that fails is named, whichever error it is
        (["map", "x if x else 1//x", "-t", "i", "--to", "B"], [1, 256, 0], "element 1: OverflowError: "),
        (["filter", "1 % x", "-t", "i"], [1] * 9 + [0, 0], "element 9: ZeroDivisionError: "),
        (["filter", "sqrt(x) > 1", "-t", "i"], [1] * 33 + [-1], f"element 33: {outcome(math.sqrt, -1)}"),
        (["reduce", "acc // x", "-t", "i"], [9] + [1] * 30 + [0], "element 31: ZeroDivisionError: "),
        (["reduce", "acc // x", "-t", "i", "--initial", "3"], [0, 1], "element 0: ZeroDivisionError: "),
    ],
)
def test_error_names_the_element(argv, values, message, tiny_chunks):
    assert bad(*argv, stdin=raw("i", values)).startswith(message)


def test_error_in_text_names_the_line_too(tiny_chunks):
    text = "# header\n" + "1\n\n" * 20 + "0\n"
    assert bad("map", "1/x", "--text", stdin=text.encode()).startswith("element 20 (line 42): ZeroDivisionError: ")
    rows = "a,b\n" + "1,1\n" * 10 + "1,0\n"
    assert bad("map", "1/x", "--csv", "b", stdin=rows.encode()).startswith("element 10 (line 12): ZeroDivisionError: ")


def test_float_result_for_an_integer_type_says_to():
    assert bad("map", "x/2", "-t", "h", stdin=raw("h", [1])).endswith("use --to d")


# ---- errors in the call


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("x + a.b", "x + a.b", 4),
        ("x + ", "x + ", None),
        ("f(x)", "f(x)", 0),
        ("x + 'text'", "x + 'text'", 4),
        ("\tx + a.b", "?x + a.b", 5),
        ("(x\n + a.b)", " + a.b)", 3),
        ("x + " * 500 + "a.b", None, None),
    ],
)
def test_expression_error_has_a_caret_under_the_place(text, line, column):
    message, shown, caret = bad("map", text, "-t", "d").split("\n")
    assert message and caret.endswith("^") and not caret[:-1].strip(" ")
    assert len(shown) <= 4 + 2 * failures.CARET_CONTEXT
    if line is not None:
        assert shown == ("    " + line).rstrip() or shown == "    " + line
    if column is not None:
        assert caret == " " * (4 + column) + "^"
    if line is None:
        assert shown[len(caret) - 1 :].startswith("a.b")


@pytest.mark.parametrize("command", ["map", "filter", "reduce", "explain"])
def test_expression_error_in_every_command(command):
    assert bad(command, "x + a.b", *([] if command == "explain" else ["-t", "d"])).endswith("\n        ^")


def test_expression_too_long_to_be_shown():
    assert "\n" not in bad("map", "x+" * 100_000 + "x", "-t", "d")


def test_terminal_escapes_in_an_expression_are_not_printed():
    assert "\x1b" not in bad("map", "x + \x1b[31m", "-t", "d")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["map"], "required: expression"),
        (["map", "x"], "raw input needs its type"),
        (["map", "x", "-t", "z"], "'z' is not a type"),
        (["map", "x", "-t", "=d"], "'=d' is not a type"),
        (["map", "x", "-t", ""], "'' is not a type"),
        (["map", "x", "-t", "d", "a", "b"], "'a': No such file or directory"),
        (["map", "x", "--text", "--csv", "a"], "not allowed with"),
        (["map", "x", "-t", "d", "--skip", "1"], "--skip counts lines"),
        (["map", "x", "--text", "--skip", "-1"], "--skip"),
        (["map", "x", "-t", "d", "--missing", "skip"], "--na and --missing are about numbers as text"),
        (["map", "x", "-t", "d", "--na", "NA"], "--na and --missing are about numbers as text"),
        (["map", "x", "--text", "--missing", "drop"], "takes error, skip or a number of type 'd', not 'drop'"),
        (["map", "x", "--text", "-t", "B", "--missing", "256"], "or a number of type 'B', not '256'"),
        (["map", "x", "--text", "-t", "i", "--missing", "nan"], "or a number of type 'i', not 'nan'"),
        (["map", "x*k", "-t", "d", "-p", "names=1"], "'names' has a meaning of its own here"),
        (["map", "x", "--csv", "1", "--delimiter", "ab"], "'ab' is not one character"),
        (["map", "x*k", "-t", "d", "-p", "k"], "'k' is not NAME=NUMBER"),
        (["map", "x*k", "-t", "d", "-p", "k=two"], "'two' is not a number"),
        (["reduce", "acc+x", "--text", "--initial", "9" * 5000], "has 5000 digits, and Python reads integers of up"),
        (["map", "x*k", "-t", "d", "-p", "k=-" + "9" * 5000], "has 5000 digits, and Python reads"),
        (["map", "x*k", "-t", "d", "-p", "k=1", "-p", "k=2"], "a name is given twice with -p"),
        (["map", "x*out", "-t", "d", "-p", "out=1"], "'out' has a meaning of its own here"),
        (["map", "x*k", "-t", "d"], "k"),
        (["map", "x", "-t", "d", "-p", "k=1"], "k"),
        (["filter", "x > k", "-t", "d"], "k"),
        (["reduce", "acc + x*k", "-t", "d"], "k"),
        (["reduce", "acc + x", "-t", "d"], "the input is empty: reduce needs --initial then"),
        (["stats", "no/such/file", "-t", "d"], "'no/such/file': No such file or directory"),
        (["stats", ".", "-t", "d"], "'.': Is a directory"),
        (["map", "x", "-t", "d", "-o", "no/such/file"], "'{cwd}/no/such/file': No such file or directory"),
        (["stats", "-t", "d", "-o", "."], "'{cwd}': Is a directory"),
    ],
)
def test_wrong_calls(argv, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message.replace("{cwd}", os.path.realpath(tmp_path)) in bad(*argv)


def test_options_may_stand_anywhere(tmp_path):
    path = tmp_path / "in"
    path.write_bytes(raw("h", [1, 2]))
    expected = raw("h", [2, 4])
    for argv in (["x*2", path, "-t", "h"], ["x*2", "-t", "h", path], ["-t", "h", "x*2", path], ["-th", "x*2", path]):
        assert good("map", *argv) == expected


# ---- the output file


def leftovers(folder, *names):
    return sorted(set(os.listdir(folder)) - set(names))


@pytest.fixture(params=["a file without a name", "a file beside it"])
def either_way(request, monkeypatch):
    if request.param == "a file beside it":
        monkeypatch.setattr(output, "open_nameless", lambda folder: None)


def writes_aside(process, folder, *names):
    """Whether a process has a file of a folder open that is not in its place: one without a name, or one beside it."""
    found = []
    with contextlib.suppress(OSError):  # of a process that opens and closes meanwhile, or ends
        found = [os.readlink(d) for d in pathlib.Path(f"/proc/{process.pid}/fd").iterdir()]
    return bool(leftovers(folder, *names)) or any(f.startswith(f"{folder}/") and "(deleted)" in f for f in found)


def test_output_file_may_be_the_input_file(tmp_path, tiny_chunks, either_way):
    path = tmp_path / "data"
    path.write_bytes(raw("i", range(50)))
    good("map", "x+1", path, "-t", "i", "-o", path)
    assert path.read_bytes() == raw("i", range(1, 51))
    assert leftovers(tmp_path, "data") == []


@pytest.mark.parametrize(
    "argv",
    [["map", "1//x"], ["filter", "1//x"], ["reduce", "acc//x"], ["map", "x", "--to", "B"], ["map", "x + a.b"]],
)
def test_failure_leaves_the_output_file_as_it_was(argv, tmp_path, tiny_chunks, either_way):
    source, out = tmp_path / "in", tmp_path / "out"
    source.write_bytes(raw("i", [-1] * 20 + [0]))
    out.write_text("precious")
    bad(*argv, source, "-t", "i", "-o", out)
    assert out.read_text() == "precious"
    assert leftovers(tmp_path, "in", "out") == []


@pytest.mark.parametrize("argv", [["reduce", "acc+x", "--initial", "0"], ["stats"]])
def test_results_go_to_the_output_file_too(argv, tmp_path, either_way):
    assert good(*argv, "-t", "B", "-o", tmp_path / "out", stdin=b"\1\2") == b""
    assert (tmp_path / "out").read_bytes() == good(*argv, "-t", "B", stdin=b"\1\2")


@pytest.mark.skipif(os.name != "posix", reason="modes, links and devices of POSIX")
def test_modes_links_and_devices(tmp_path, either_way):
    plain, linked, link = tmp_path / "plain", tmp_path / "linked", tmp_path / "link"
    mask = os.umask(0o027)
    try:
        good("map", "x", "-t", "B", "-o", plain, stdin=b"\1")
    finally:
        os.umask(mask)
    assert plain.stat().st_mode & 0o777 == 0o640
    linked.write_bytes(b"old")
    linked.chmod(0o604)
    link.symlink_to(linked)
    good("map", "x", "-t", "B", "-o", link, stdin=b"\2")
    assert link.is_symlink() and linked.read_bytes() == b"\2" and linked.stat().st_mode & 0o777 == 0o604
    good("map", "x", "-t", "B", "-o", os.devnull, stdin=b"\3")
    assert not os.path.isfile(os.devnull)


def test_unbuffered_standard_output_takes_every_byte():
    class Reluctant(io.RawIOBase):
        taken = b""

        def write(self, data):
            self.taken += bytes(data[:5])
            return min(5, len(data))

    out = Reluctant()
    assert cli.main(["map", "x", "-t", "i"], io.BytesIO(raw("i", range(9))), out, io.StringIO()) == 0
    assert out.taken == raw("i", range(9))


# ---- the process


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("signum", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_signal_removes_the_temporary_file(signum, status, tmp_path):
    out = tmp_path / "out"
    out.write_text("precious")
    process = subprocess.Popen(
        [*COMMAND, "map", "x", "-t", "B", "-o", out],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell's `&` or nohup would have it ignored.
        preexec_fn=lambda: signum == signal.SIGKILL or signal.signal(signum, signal.SIG_DFL),
    )
    try:
        process.stdin.write(b"123")
        process.stdin.flush()
        while process.poll() is None and not writes_aside(process, tmp_path, "out"):
            time.sleep(0.01)
        process.send_signal(signum)
        assert process.wait(60) == status
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.communicate()
    assert out.read_text() == "precious"
    left = leftovers(tmp_path, "out")
    if signum == signal.SIGKILL and not nameless_files(tmp_path):
        assert all(re.fullmatch(r"\.arrayops-[0-9a-f]{16}\.tmp", name) for name in left)
    else:
        assert left == []


def nameless_files(folder):
    stream = output.open_nameless(folder)
    if stream is not None:
        stream.close()
    return stream is not None


@pytest.mark.skipif(os.name != "posix", reason="closed descriptors of POSIX")
def test_errors_do_not_go_to_standard_output():
    done = subprocess.run(["sh", "-c", '"$0" "$@" 2>&-', *COMMAND, "map", "x +", "-t", "B"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.skipif(os.name != "posix", reason="closed descriptors of POSIX")
@pytest.mark.parametrize(("closing", "argv", "status", "message"), [
    (">&-", ["map", "x", "--text"], 2, b"arrayops: standard output is closed\n"),
    (">&-", ["map", "x", "--text", "-o", "out"], 0, b""),
    ("<&-", ["map", "x", "--text"], 2, b"arrayops: standard input is closed\n"),
])  # fmt: skip
def test_closed_streams_are_an_error(tmp_path, closing, argv, status, message):
    done = subprocess.run(["sh", "-c", f'"$0" "$@" {closing}', *COMMAND, *argv], input=b"1\n", capture_output=True,
                          check=False, cwd=tmp_path)  # fmt: skip
    assert (done.returncode, done.stderr) == (status, message)
    assert (tmp_path / "out").exists() == (status == 0)


def test_many_digits_where_python_reads_them():
    environment = {**os.environ, "PYTHONINTMAXSTRDIGITS": "0"}
    argv = ["reduce", "acc - x", "--text", "-t", "q", "--initial", "9" * 5000]
    done = subprocess.run([*COMMAND, *argv], input=b"0\n", env=environment, capture_output=True, check=True)
    assert done.stdout == b"9" * 5000 + b"\n"


ENDED = {130, -signal.SIGINT}  # to a shell the second is 130, too
INTERRUPTED = """
import os, runpy, signal, sys
class Finder:
    left = int(sys.argv.pop(1))
    def find_spec(name, path=None, target=None):
        Finder.left -= "arrayops.cli" in sys.modules
        if Finder.left == 0:
            Finder.left = -1
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
runpy.run_module("arrayops", run_name="__main__", alter_sys=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_interrupted_before_it_begins():
    """Ctrl-C at any import of the command line is as quiet as later; when all is imported the command runs."""
    statuses = []
    for at in (1, 2, 3, 5, 8, 13, 21, 34, 55, 10_000):
        command = [sys.executable, "-c", INTERRUPTED, str(at), "explain", "x"]
        done = subprocess.run(command, capture_output=True, check=False,
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))  # fmt: skip
        assert done.stderr == b"", (at, done.stderr)
        statuses.append(done.returncode)
    assert statuses[-1] == 0 and set(statuses[:4]) <= ENDED and set(statuses) <= {0, *ENDED}


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_broken_pipe_is_quiet(tmp_path):
    path = tmp_path / "zeros"
    path.write_bytes(bytes(8 << 20))
    process = subprocess.Popen([*COMMAND, "map", "x", path, "-t", "d"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(8)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("to_stdout", [True, False])
def test_full_disk(to_stdout):
    with open("/dev/full", "wb") as full:
        argv = ["map", "x", "-t", "B", *([] if to_stdout else ["-o", "/dev/full"])]
        done = subprocess.run([*COMMAND, *argv], input=b"123", stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (2, b"arrayops: No space left on device\n")


def test_results_reach_the_reader_before_the_input_ends():
    process = subprocess.Popen([*COMMAND, "map", "x+1", "-t", "B"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for _ in range(3):
        process.stdin.write(b"\1\2")
        process.stdin.flush()
        assert process.stdout.read(2) == b"\2\3"
    assert process.communicate()[0] == b""
    assert process.returncode == 0


MEASURED = """
import re, sys
from arrayops.cli import main
status = main()
sys.stdout.flush()
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1], file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="resident memory as Linux tells it")
@pytest.mark.parametrize("argv", [["map", "x*1.5 + 1"], ["filter", "x > 0.5"], ["stats"]])
def test_a_gigabyte_in_bounded_memory(argv, tmp_path):
    path = tmp_path / "gigabyte"
    with open(path, "wb") as file:
        file.truncate(1 << 30)  # all holes: takes no disk, reads as zeros
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *argv, path, "-t", "d", "-o", os.devnull],
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert int(done.stderr) < 100_000


# ---- progress, explain, info, help


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Bar:
    """Stands in for tqdm.tqdm and keeps what was asked of it."""

    made: ClassVar[list["Bar"]] = []

    def __init__(self, **options):
        self.options, self.n, self.closed = options, options["initial"], False
        Bar.made.append(self)

    def update(self, count):
        self.n += count

    def close(self):
        self.closed = True


@pytest.fixture
def fake_tqdm(monkeypatch):
    Bar.made = []
    monkeypatch.setitem(sys.modules, "tqdm", types.SimpleNamespace(tqdm=Bar))
    return Bar.made


@pytest.mark.parametrize(
    ("delay", "stderr", "bars"), [(-1.0, Terminal(), 1), (3600.0, Terminal(), 0), (-1.0, io.StringIO(), 0)]
)
def test_progress_bar(delay, stderr, bars, fake_tqdm, monkeypatch, tmp_path, tiny_chunks):
    monkeypatch.setattr(progress, "PROGRESS_DELAY", delay)
    path = tmp_path / "in"
    path.write_bytes(bytes(800))
    assert cli.main(["map", "x", str(path), "-t", "d"], None, io.BytesIO(), stderr) == 0
    assert [(bar.options["total"], bar.n, bar.closed) for bar in fake_tqdm] == [(800, 800, True)] * bars


def test_progress_in_plain_text_without_tqdm(monkeypatch, tmp_path, tiny_chunks):
    monkeypatch.setattr(progress, "PROGRESS_DELAY", -1.0)
    monkeypatch.setattr(progress, "PROGRESS_INTERVAL", -1.0)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    terminal = Terminal()
    path = tmp_path / "in"
    path.write_bytes(bytes(64))
    assert cli.main(["map", "x", "-t", "B", str(path)], None, io.BytesIO(), terminal) == 0
    written = terminal.getvalue()
    assert "0.0 of 0.0 MB, 50 %" in written and "100 %" in written
    shown = ""  # what is left on the line
    for part in written.split("\r"):
        shown = part + shown[len(part) :]
    assert shown.strip() == ""
    terminal = Terminal()
    assert cli.main(["map", "x", "-t", "B"], io.BytesIO(b"\1" * 64), io.BytesIO(), terminal) == 0
    assert "0.0 MB" in terminal.getvalue() and "%" not in terminal.getvalue()


def test_progress_bar_is_gone_before_an_error_is_shown(fake_tqdm, monkeypatch, tiny_chunks):
    monkeypatch.setattr(progress, "PROGRESS_DELAY", -1.0)

    class Watched(Terminal):
        def write(self, text):
            assert all(bar.closed for bar in fake_tqdm)
            return super().write(text)

    terminal = Watched()
    assert cli.main(["map", "1//x", "-t", "b"], io.BytesIO(bytes([1] * 99 + [0])), io.BytesIO(), terminal) == 2
    assert len(fake_tqdm) == 1 and terminal.getvalue().startswith("arrayops: element 99: ")


def test_explain():
    assert good("explain", "x*x + 1", "-t", "<h").strip()
    assert good("explain", "x*y", "-t", "h", "-t", "d") != good("explain", "x*y", "-t", "d", "-t", "d")


def test_info():
    lines = good("info").decode().splitlines()
    types_shown = [line.split() for line in lines if line.startswith("type ")]
    assert types_shown == [
        ["type", code, str({"?": 1, "e": 2, "i3": 3, "u3": 3}.get(code) or array(code).itemsize), "bytes"]
        for code in streams.TYPECODES
    ]
    shown = dict(line.split(None, 1) for line in lines if not line.startswith(("type ", "byte order ")))
    assert shown["arrayops"] == arrayops.__version__
    assert shown["isa"].startswith(f"{arrayops.isa()}, of base")
    assert f"MAX_TEXT {arrayops.compiler.parse.MAX_TEXT}," in shown["limits"]


@pytest.mark.parametrize("argv", [["-h"], ["map", "--help"], ["info", "-h"]])
def test_help(argv):
    assert good(*argv).startswith(b"usage: arrayops")


# ---- the documentation


def documented_commands():
    """(command, expected output) of every line of the page that starts with `$ `."""
    for block in re.findall(r"```console\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition("\n")
            yield command, output


@pytest.mark.skipif(os.name != "posix", reason="the examples are for a POSIX shell")
def test_every_example_of_the_documentation(tmp_path):
    examples = list(documented_commands())
    assert len(examples) > 10
    for command, expected in examples:
        done = subprocess.run(
            ["sh", "-c", f'python() {{ "$PYTHON" "$@"; }}\narrayops() {{ "$PYTHON" -m arrayops "$@"; }}\n{command}'],
            cwd=tmp_path,
            env=os.environ | {"PYTHON": sys.executable},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (command, done.stdout) == (command, expected)
