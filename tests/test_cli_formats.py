"""--format: the same rows as text, CSV, JSON and WAV; the json, csv and wave modules are the oracles."""

from __future__ import annotations

import csv
import io
import json
import math
import struct
import wave
from array import array
from pathlib import Path

import arrayops as ao
import pytest
from arrayops.cli import commands
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli_records import output, wav
from test_cli_tables import bad, good, run, tiny_chunks  # noqa: F401
from test_csv import Dribble

SALES = 'item,price,qty\nnut,0.25,100\n"bolt, ""long""",1.5,40\nscrew,,7\n'
ROWS = [("nut", 0.25, 100), ('bolt, "long"', 1.5, 40), ("screw", None, 7)]
NAMES = ("item", "price", "qty")


def objects(*argv: object, stdin: str = SALES) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(good(*argv, "--format", "json", stdin=stdin))
    return found


# -- rows --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_rows_as_json_and_csv(size: int, tiny_chunks: None) -> None:  # noqa: F811
    stdin = Dribble(SALES.encode(), [size])
    assert json.loads(good("filter", "qty > 8", "--format", "json", stdin=stdin)) == [
        dict(zip(NAMES, row, strict=True)) for row in ROWS[:2]
    ]
    out = good("filter", "1", "--format", "csv", stdin=Dribble(SALES.encode(), [size]))
    assert [*csv.reader(io.StringIO(out))] == [*csv.reader(io.StringIO(SALES))]


def test_added_and_selected_columns() -> None:
    assert objects("map", "--add", "half=qty/2", "--add", "n=qty*2", "--select", "item,#3") == [
        {"item": item, "qty": qty, "half": qty / 2, "n": qty * 2} for item, _, qty in ROWS
    ]
    assert good("map", "--add", "a b=qty", "--select", "item", "--format", "csv", stdin=SALES).splitlines()[:2] == [
        "item,a b",
        "nut,100",
    ]


def test_numbers_that_are_quoted_because_the_delimiter_is_in_them() -> None:
    text = 'd,p,q\n"1,x","1,50","3"\n'
    assert good("map", "--add", "s=p*2", "--decimal", ",", "--format", "csv", stdin=text) == (
        'd,p,q,s\n"1,x",1.50,3,3.0\n'
    )
    found = json.loads(good("filter", "1", "--thousands", ",", "--format", "json", stdin='d,p\n"1,x","1,234.5"\n'))
    assert found == [{"d": "1,x", "p": 1234.5}]


@pytest.mark.parametrize("argv", [["filter", "1"], ["map", "--select", "v"], ["map", "--select", "#1"]])
@pytest.mark.parametrize("form", [[], ["--format", "csv"]], ids=["", "csv"])
def test_a_column_of_empty_cells(argv: list[str], form: list[str]) -> None:
    text = 'v\n""\n1\n""\n'
    assert good(*argv, *form, stdin=text) == text
    if "--select" in argv:
        assert good(*argv, *form, stdin="v,w\n,2\n1,2\n,\n") == text


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["filter", "#1 > 1"], "#1,#2\n2,b\n"),
        (["map", "--add", "c=#1*2"], "#1,#2,c\n1,a,2\n2,b,4\n"),
        (["map", "--select", "#2"], "#2\na\nb\n"),
    ],
    ids=str,
)
def test_csv_has_a_header_where_the_input_has_none(argv: list[str], expected: str) -> None:
    assert good(*argv, "--no-header", "--format", "csv", stdin="1,a\n2,b\n") == expected
    assert good("filter", "1", "--no-header", "--format", "csv") == ""


CELLS = st.sampled_from(["", "a", "x y", "p;q", "z,w", 'say "h"', "two\nlines"])


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 9), st.lists(CELLS, max_size=2)), max_size=4), st.sampled_from(",; "), CELLS)
def test_short_rows_are_read_again_as_what_they_were(rows: list[tuple[int, list[str]]], mark: str, name: str) -> None:
    """Rows that lack fields, with a column more and without: whole, selected, as they are and as CSV."""
    column = "n" + name.replace("\n", "")
    text = io.StringIO()
    line = csv.writer(text, delimiter=mark, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow
    for row in [("k", "s", "t"), *((number, *cells) for number, cells in rows)]:
        line(row)
    whole = [[str(number), *cells, *[""] * (2 - len(cells))] for number, cells in rows]
    options = ["--delimiter", mark]
    for form, again in (([], options), (["--format", "csv"], [])):
        argv = [*options, "--ragged", "fill", *form]
        added = good("map", "--add", f"{column}=k*2", *argv, stdin=text.getvalue())
        selected = good("map", "--select", "t", *argv, stdin=text.getvalue())
        for out, expected in (
            (added, [["k", "s", "t", column], *([*row, str(int(row[0]) * 2)] for row in whole)]),
            (selected, [["t"], *([row[2]] for row in whole)]),
        ):
            read = good("filter", "1", *again, "--format", "csv", stdin=out)  # in which a short row is an error
            assert [*csv.reader(io.StringIO(read, newline=""))] == expected


def test_values() -> None:
    assert objects("map", "qty*2") == [{"qty*2": qty * 2} for _, _, qty in ROWS]
    assert good("map", "qty*2", "--format", "csv", stdin=SALES) == "qty*2\n200\n80\n14\n"
    assert good("map", "max(qty, 50)", "--format", "csv", stdin=SALES) == ('"max(qty, 50)"\n100\n50\n50\n')
    assert objects("map", "x/2", "--text", stdin="1\nnan\n-inf\n") == [{"x/2": 0.5}, {"x/2": None}, {"x/2": None}]
    assert good("map", "x*2", "-t", "B", "--format", "text", stdin="az") == "194\n244\n"
    assert objects("filter", "x > 97", "-t", "B", stdin="az") == [{"x": 122}]
    assert good("filter", "qty > 1000", "--format", "json", stdin=SALES) == "[\n]\n"


def test_figures() -> None:
    assert objects("reduce", "acc + qty", "--initial", "0") == [{"acc + qty": 147}]
    assert good("reduce", "acc + x", "--text", "--format", "csv", stdin="1\n2\n") == "acc + x\n3.0\n"
    assert objects("stats", "qty")[0]["mean"] == 49.0
    assert [row["count"] for row in objects("hist", "qty", "--bins", "2")] == [2, 1]
    assert objects("info")[0]["arrayops"] == ao.__version__


def test_what_is_a_number_in_json() -> None:
    cells = ["1", "-0", "1.50", "1e5", "007", "+1", ".5", "5.", "1_0", "inf", "nan", "NA", "x", "-", "1e", " 2 ", '"3"']
    text = "c,n\n" + "".join(f"{cell},1\n" for cell in cells)
    found = [row["c"] for row in objects("filter", "n", "--na", "NA", stdin=text)]
    assert found == [1, 0, 1.5, 1e5, "007", "+1", ".5", "5.", "1_0", "inf", "nan", None, "x", "-", "1e", 2, "3"]


def test_foreign_notations_become_plain_ones() -> None:
    text = "preis;n;art\n1.234,50;2;a,b\n7,5;3;1,5x\n"
    argv = ("--delimiter", ";", "--decimal", ",", "--thousands", ".")
    assert objects("filter", "n", *argv, stdin=text) == [
        {"preis": 1234.5, "n": 2, "art": "a,b"},
        {"preis": 7.5, "n": 3, "art": "1,5x"},
    ]
    assert good("filter", "n", *argv, "--format", "csv", stdin=text) == 'preis,n,art\n1234.50,2,"a,b"\n7.5,3,"1,5x"\n'
    # what is added to rows as they are has their decimal sign, so that the same options read it again
    added = good("map", "--add", "half=preis/2", *argv, stdin=text)
    assert added.splitlines()[1:] == ["1.234,50;2;a,b;617,25", "7,5;3;1,5x;3,75"]
    assert good("map", "half*2", *argv, stdin=added) == "1234.5\n7.5\n"


def test_rows_of_other_shapes() -> None:
    assert objects("filter", "a", "--delimiter", " ", stdin=" a  b\n 1 x,y\n") == [{"a": 1, "b": "x,y"}]
    assert good("filter", "a", "--delimiter", " ", "--format", "csv", stdin=" a  b\n 1 x,y\n") == 'a,b\n1,"x,y"\n'
    assert objects("filter", "#1", "--no-header", stdin="1,x\n") == [{"#1": 1, "#2": "x"}]
    assert objects("filter", "#1", stdin="a,a,\n1,2,3\n") == [{"#1": 1, "#2": 2, "#3": 3}]
    assert objects("filter", "a", "--ragged", "fill", stdin="a,b\n1\n") == [{"a": 1, "b": None}]
    assert good("filter", "a", "--ragged", "fill", "--format", "csv", stdin="a,b\n1\n") == "a,b\n1,\n"
    assert objects("filter", "a", "--quote", "'", stdin="a,b\n1,'it''s \"'\n") == [{"a": 1, "b": "it's \""}]
    assert good("filter", "a", "--quote", "'", "--format", "csv", stdin="a,b\n1,'it''s \"'\n") == (
        'a,b\n1,"it\'s """\n'
    )


def test_texts_that_are_not_utf8_are_no_json(tiny_chunks: None) -> None:  # noqa: F811
    data = b"a,b\n1,x\n2,\xc3\xa9\n0,\xff\n3,\xff\xfe\n"
    assert bad("filter", "a", "--format", "json", stdin=data) == (
        "line 5, b'\\xff\\xfe' is not UTF-8, which JSON must be"
    )
    assert objects("filter", "a < 3 and a", stdin="a,b\n1,x\n2,\xe9\n")[1]["b"] == "\xe9"
    status, out, _ = run("filter", "a == 3", "--format", "csv", stdin=data)
    assert status == 0 and out.encode("utf-8", "surrogateescape") == b"a,b\n3,\xff\xfe\n"


TEXTS = st.text(alphabet='ab",\n\r\t\\\0\x1f \u00e9\u4e2d\U0001f600', max_size=6)


@settings(max_examples=20)
@given(st.lists(st.tuples(TEXTS, st.integers(-9, 9)), max_size=6), st.integers(1, 9))
def test_any_texts_against_the_modules(rows: list[tuple[str, int]], size: int) -> None:
    source = io.StringIO()
    csv.writer(source, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("t", "n"), *rows])
    data = source.getvalue().encode()
    as_json = good("filter", "1", "--format", "json", stdin=Dribble(data, [size]))
    assert json.loads(as_json) == [{"t": text, "n": str(n)} for text, n in rows]
    as_csv = good("filter", "1", "--format", "csv", stdin=Dribble(data, [size]))
    assert [*csv.reader(io.StringIO(as_csv, newline=""))] == [["t", "n"], *([text, str(n)] for text, n in rows)]


def test_files_whose_columns_differ(tmp_path: Path) -> None:
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_text("a,b\n1,2\n")
    two.write_text("b,a\n3,4\n")
    assert "2.csv, the columns are not those of the file before, a, b" in bad("filter", "a", one, two)
    assert good("filter", "a", one, two, "--select", "a,b") == "a,b\n1,2\n4,3\n"
    assert good("map", "--add", "c=a", one, two, "--select", "b", "--format", "csv") == "b,c\n2,1\n3,4\n"


# -- records and WAV ---------------------------------------------------------------------------------------------------

RECORD = ("--record", "<hd", "--fields", "k,v")
DATA = b"".join(struct.pack("<hd", k, v) for k, v in [(1, 0.5), (2, math.inf), (1, -1.5)])


def test_records_as_rows() -> None:
    assert good("map", "--add", "w=v*2", *RECORD, stdin=DATA) == "k,v,w\n1,0.5,1.0\n2,inf,inf\n1,-1.5,-3.0\n"
    assert good("map", "--select", "v", *RECORD, stdin=DATA) == "v\n0.5\ninf\n-1.5\n"
    assert good("filter", "v < 1", *RECORD, "--format", "csv", stdin=DATA) == "k,v\n1,0.5\n1,-1.5\n"
    assert json.loads(good("filter", "v > 0", *RECORD, "--format", "json", stdin=DATA)) == [
        {"k": 1, "v": 0.5},
        {"k": 2, "v": None},
    ]
    assert good("stats", "v", "--by", "k", *RECORD, "--format", "csv", stdin=DATA).splitlines()[1:] == [
        "1,2,0,-1.0,-0.5,-1.5,0.5,1.0,1.0",
        "2,1,0,inf,inf,inf,inf,nan,nan",
    ]
    assert good("stats", "v", *RECORD, "--by", "k", "--format", "csv", stdin=b"") == "k,count,missing,sum\n"


@pytest.mark.parametrize(("code", "width"), [("B", 1), ("<h", 2), ("<i3", 3), ("<i", 4)])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_wav_of_wav(code: str, width: int, channels: int, tmp_path: Path) -> None:
    numbers = [i % 100 for i in range(5 * channels)]
    data = b"".join(n.to_bytes(width, "little", signed=width > 1) for n in numbers)
    path, out = tmp_path / "in.wav", tmp_path / "out.wav"
    path.write_bytes(wav(channels, width, data))
    good("map", "x + 1", path, "--wav", "-o", out)
    with wave.open(str(out)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (channels, width, 8000)
        found = file.readframes(99)
    assert found == b"".join((n + 1).to_bytes(width, "little", signed=width > 1) for n in numbers)
    assert len(out.read_bytes()) % 2 == 0
    # the same to a pipe, and back to what it was, in place
    piped = io.BytesIO(), io.StringIO()
    argv = ["map", "x + 1", "--wav", "--format", "wav"]
    assert commands.main(argv, io.BytesIO(path.read_bytes()), *piped) == 0
    assert piped[0].getvalue() == out.read_bytes()
    good("map", "x - 1", out, "--wav", "-o", out)
    with wave.open(str(out)) as file, wave.open(str(path)) as before:
        assert file.getparams() == before.getparams() and file.readframes(99) == before.readframes(99)


def test_channels_of_wav(tmp_path: Path) -> None:
    path, out = tmp_path / "in.wav", tmp_path / "out.wav"
    path.write_bytes(wav(2, 2, struct.pack("<6h", 1, 2, 3, 4, 5, 7)))

    def written(*argv: object) -> str:
        good(*argv, path, "--wav", "-o", out)
        return good("filter", "1", out, "--wav", "--format", "csv")

    assert written("map", "left - right", "--to", "<f") == "x\n-1.0\n-1.0\n-2.0\n"
    assert written("map", "--select", "right,left") == "left,right\n2,1\n4,3\n7,5\n"
    assert written("map", "--add", "sum=left + right") == "ch1,ch2,ch3\n1,2,3\n3,4,7\n5,7,12\n"
    assert written("filter", "left > 1") == "left,right\n3,4\n5,7\n"
    assert written("map", "x - sum(x) // 3") == "left,right\n-2,-2\n0,0\n2,3\n"
    assert good("info", out, "--wav", "--format", "csv") == (
        "column,kind,offset,count,rate\nleft,<h,0,3,8000\nright,<h,2,3,8000\n"
    )


@pytest.mark.parametrize(
    ("argv", "wrong"),
    [
        (["map", "x/2"], "the results are floats, and samples of the type '<h' are not: round(...) makes integers"),
        (["map", "x*20000"], "record 1, 40000 does not fit samples of the type '<h'"),
        (["map", "x", "--to", "<q"], "a WAV file has samples of the types"),
        (["map", "x", "-o", "y"], "--format wav writes the samples of one WAV file"),
    ],
)
def test_wav_that_cannot_be_written(argv: list[str], wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    path.write_bytes(wav(1, 2, struct.pack("<3h", 1, 2, 3)))
    more = [path] if "-o" in argv else []
    assert wrong in bad(*argv, path, *more, "--wav", "--format", "wav")
    assert bad("map", "x", "-t", "h", "--format", "wav").startswith("--format wav writes the samples of one WAV file")


def test_wav_that_is_cut_off() -> None:
    whole = wav(1, 2, struct.pack("<3h", 1, 2, 3))
    assert bad("stats", "x", "--wav", stdin=whole[:-2]) == "the file ends 1 frames before its header says"


def test_wav_of_nobody_knows_how_many_frames() -> None:
    """A reader of a pipe takes all that comes for samples, so nothing is behind them."""
    out = output("filter", "x < 3", "--wav", "--format", "wav", stdin=wav(1, 1, b"\1\2\3\2"))
    assert out[-7:] == b"\xff\xff\xff\xff\1\2\2"
    assert output("map", "x", "--wav", stdin=out) == b"1\n2\n2\n"
    sized = output("map", "x", "--wav", "--format", "wav", stdin=wav(1, 1, b"\1\2\3"))
    assert sized[-8:] == b"\3\0\0\0\1\2\3\0"


@pytest.mark.parametrize("argv", [["x"], ["x", "--text"], ["x", "-t", "h"], ["--add", "y=x"]], ids=str)
def test_what_is_no_wav_is_not_written_into_one(argv: list[str], tmp_path: Path) -> None:
    path = tmp_path / "v.WAV"
    assert bad("map", *argv, "-o", path, stdin="x\n1\n") == (
        f"-o {path} writes the samples of one WAV file, which --wav reads"
    )
    assert not path.exists()


def test_wav_of_odd_size(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    good("filter", "x < 3", "--wav", "-o", path, stdin=wav(1, 1, b"\1\2\3\4\0"))
    assert path.read_bytes()[40:] == b"\3\0\0\0\1\2\0\0"


# -- info of files -----------------------------------------------------------------------------------------------------


def test_kinds_of_columns(tiny_chunks: None) -> None:  # noqa: F811
    rows = [("a", "1", "1.5", "", "7", "1"), ("b", "2", "2", "x", "", "2"), ("c", "3", "NA", "4", "8", "3")] * 3
    rows += [("d", "1e3", "1", "5", "9", "q")]
    text = "t,i,d,e,m,u\n" + "".join(",".join(row) + "\n" for row in rows)
    for size in (1, 9, 1000):
        found = json.loads(good("info", "-", "--na", "NA", "--format", "json", stdin=Dribble(text.encode(), [size])))
        assert [(row["column"], row["kind"], row["count"], row["missing"]) for row in found] == [
            ("t", "text", 10, None),
            ("i", "int64, from line 11 on double", 10, 0),
            ("d", "double", 10, 3),
            ("e", "text", 10, None),
            ("m", "int64", 10, 3),
            ("u", "text", 10, None),
        ]


def test_info_of_other_files(tmp_path: Path) -> None:
    assert good("info", "-", stdin="a,b\n") == (
        "column kind  count missing\na      int64 0     0\nb      int64 0     0\n"
    )
    assert bad("info", "-", stdin="a\n1,2\n").startswith("line 2 has 2 fields, and the header 1")
    assert good("info", "-", *RECORD, "--format", "csv", stdin=DATA) == (
        "column,kind,offset,count\nk,<h,0,3\nv,<d,2,3\n"
    )
    assert bad("info", "x", "-t", "h").startswith("info is about tables")
    path = tmp_path / "a"
    path.write_text("a\n1\n")
    assert good("info", path, path, "--format", "csv").splitlines()[1:] == [f"{path},a,int64,1,0"] * 2


def test_spell_rows_checks_what_it_is_given() -> None:
    spell = ao._machine.spell_rows
    one, two = array("q", [1]), array("q", [1, 2])
    assert spell((one, array("d", [math.nan])), None, -1, 2, (b"{a", b",b")) == b"{a1,bnull},\n"
    assert spell((two, two), b"\0\1", -1, 1, ()) == b"2,2\n"
    assert spell((), None, -1, 1, ()) == b""
    wrong: list[tuple[object, ...]] = [
        ((one, two), None, -1, 1, ()),
        ((two,), b"\1", -1, 1, ()),
        ((one,), two, -1, 1, ()),
        ((one,), None, -1, 2, ()),
        ((one,), None, -1, 2, ("a",)),
        ((one,), None, -1, 0, ()),
        ((one,), None, -1, 3, (b"a",)),
        ([one], None, -1, 1, ()),
    ]
    for args in wrong:
        with pytest.raises((TypeError, ValueError)):
            spell(*args)
