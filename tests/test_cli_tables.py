"""Tables on the command line: columns as names, rows kept as they are, the same whether a file or a pipe is read."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import pytest
from arrayops import delimited
from arrayops.cli import commands, tables
from hypothesis import given
from hypothesis import strategies as st
from test_csv import FILES, Dribble, encoded

SALES = 'item,price,qty,region\nnut,0.25,100,north\n"bolt, long",1.5,40,south\nscrew,3,7,north\n'
OPTIONS = {
    "delimiter": "--delimiter",
    "decimal": "--decimal",
    "thousands": "--thousands",
    "quote": "--quote",
    "comment": "--comment",
    "skip": "--skip",
    "ragged": "--ragged",
    "missing": "--missing",
}


def run(*argv: object, stdin: Any = b"") -> tuple[int, str, str]:
    source = stdin if hasattr(stdin, "read") else io.BytesIO(encoded(stdin))
    out, err = io.BytesIO(), io.StringIO()
    status = commands.main([str(arg) for arg in argv], source, out, err)
    return status, out.getvalue().decode("utf-8", "surrogateescape"), err.getvalue()


def good(*argv: object, stdin: Any = b"") -> str:
    status, out, err = run(*argv, stdin=stdin)
    assert (status, err) == (0, "")
    return out


def bad(*argv: object, stdin: Any = b"") -> str:
    status, _, err = run(*argv, stdin=stdin)
    assert status == 2 and err.startswith("arrayops: ")
    return err.removeprefix("arrayops: ").rstrip("\n")


@pytest.fixture
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CHUNK_ROWS", 2)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 16)
    monkeypatch.setattr(delimited, "SAMPLE_BYTES", 40)


# -- map ---------------------------------------------------------------------------------------------------------------

MAPS = [
    (["price*qty"], SALES, "25.0\n60.0\n21.0\n"),
    (["p*q"], "p,q\n2,4\n", "8\n"),
    (["qty // 3"], SALES, "33\n13\n2\n"),
    (["qty > 10"], SALES, "1\n1\n0\n"),
    (["qty*k", "-p", "k=2"], SALES, "200\n80\n14\n"),
    (["qty*price", "-p", "price=2"], SALES, "200\n80\n14\n"),
    (["`unit price` + 1"], "unit price\n2\n", "3\n"),
    (['col("unit price") + 1'], "unit price\n2\n", "3\n"),
    (["col( 'unit price' )"], "unit price\n2\n", "2\n"),
    (["#2 + #1"], "a,b\n1,2\n", "3\n"),
    (["`2020` - `2019`"], "2019,2020\n5,7\n", "2\n"),
    (["`03`"], "s,k,01,02,03\n1,2,3,4,5\n", "5\n"),
    (["`a b` + `a-b` + a_b"], "a b,a-b,a_b\n1,20,300\n", "321\n"),
    (["_0_ + `x y`"], "_0_,x y\n1,2\n", "3\n"),
    (["names + out + typecode + acc + threads"], "names,out,typecode,acc,threads\n1,2,3,4,5\n", "15\n"),
    (["Größe*2"], "Größe\n4\n", "8\n"),
    (["e*x + pi + inf"], "e,pi,inf,x\n5,7,9,1\n", "21\n"),
    (["round(pi, 2) + x"], "x\n1\n", "4.140000000000001\n"),
    (["max(`max`, x) + max(x, 3) + sum"], "max,x,sum\n5,7,1\n", "15\n"),
    (["--add", "e=x + 1", "--add", "pi=e * 2"], "x\n1\n", "x,e,pi\n1,2,4\n"),
    (["--add", "x=x + 1", "--select", "y"], "x,y\n1,a\n", "y,x\na,2\n"),
    (["x"], "x\n9007199254740993\n", "9007199254740993\n"),
    (["x", "--table", "-t", "d"], "x\n9007199254740993\n", "9007199254740992.0\n"),
    (["x*2", "--table", "-t", "B", "--to", "h"], "x\n200\n", "400\n"),
    (["x"], "x\n1\n2.5\n", "1.0\n2.5\n"),
    (["#1*2", "--no-header"], "1,a\n2,b\n", "2\n4\n"),
    (["x", "--precision", "2"], "x\n1.005\n2\nnan\n", "1.00\n2.00\nnan\n"),
    (["1 if x else 0"], "x\n", ""),
    (
        ["--add", "total=price*qty"],
        SALES,
        'item,price,qty,region,total\nnut,0.25,100,north,25.0\n"bolt, long",1.5,40,south,60.0\nscrew,3,7,north,21.0\n',
    ),
    (["--add", "a=qty+1", "--add", "b=a*2"], "qty\n1\n2\n", "qty,a,b\n1,2,4\n2,3,6\n"),
    (["--add", "a b=qty", "--add", "c,d=qty > 1"], "qty\r\n1\r\n2", 'qty,a b,"c,d"\r\n1,1,0\r\n2,2,1\n'),
    (["--select", "region,item"], SALES, 'region,item\nnorth,nut\nsouth,"bolt, long"\nnorth,screw\n'),
    (["--select", "#3", "--add", "half=qty/2"], SALES, "qty,half\n100,50.0\n40,20.0\n7,3.5\n"),
    (["--select", "a,a"], "a,b\n1,2\n", "a,a\n1,1\n"),
    (["--select", "b", "--delimiter", ";", "--quote", "'"], "a;b\n1;'x;''y'\n", "b\n'x;''y'\n"),
    (["--add", "s=a+b", "--units-row"], "a,b\nm,m\n1,2\n", "a,b,s\nm,m,\n1,2,3\n"),
    (["--select", "b", "--add", "s=a", "--units-row"], "a,b\nm,km\n1,2\n", "b,s\nkm,\n2,1\n"),
    (["--add", "s=a+b", "--delimiter", " "], " a  b\n 1  2\n", " a  b s\n 1  2 3\n"),
    (["--select", "b", "--delimiter", "\\t"], "a\tb\n1\t2\n", "b\n2\n"),
    (["x*2", "--missing", "skip"], "x,y\n1,a\n,b\n3,c\n", "2\n6\n"),
    (["x*2", "--missing", "nan", "--na", "NA"], "x\n1\nNA\n", "2.0\nnan\n"),
    (["x*2", "--missing", "0", "--na", "NA"], "x\n1\nNA\n", "2\n0\n"),
    (["--add", "y=x", "--missing", "skip"], "x,z\n1,\n,5\n", "x,z,y\n1,,1\n"),
    (["x", "--ragged", "skip"], "x,y\n1,2\n3\n4,5\n", "1\n4\n"),
    (["x", "--decimal", ",", "--delimiter", ";", "--thousands", "."], "x;y\n1.234,5;0\n", "1234.5\n"),
    (["p*q", "--decimal", ","], 'd,p,q\nx,"2523,50",2\n', "5047.0\n"),
    (["--add", "s=p*q", "--decimal", ","], 'd,p,q\nx,"2523,50",2\n', 'd,p,q,s\nx,"2523,50",2,"5047,0"\n'),
    (["--add", "s=p*q", "--select", "q", "--thousands", ","], 'p,q\n"1,234.50",2\n', "q,s\n2,2469.0\n"),
    # a column more is behind all the others, also where a row has not all of them
    (["--add", "s=p*2", "--delimiter", ";", "--decimal", ",", "--ragged", "fill"], "n;p;t\nnut;1,5;ok\nbolt;2\nj;3;x\n",
     "n;p;t;s\nnut;1,5;ok;3,0\nbolt;2;;4,0\nj;3;x;6,0\n"),
    (["--add", "s=a", "--delimiter", " ", "--ragged", "fill"], "a b c d\n1  2\n", 'a b c d s\n1  2 "" "" 1\n'),
    (["--select", "c,a", "--delimiter", " ", "--ragged", "fill"], "a b c\n1 2\n", 'c a\n"" 1\n'),
    # a blank line would be no row
    (["--select", "b"], "a,b\n1,\n2,x\n", 'b\n""\nx\n'),
    (["--select", "b", "--ragged", "fill", "--quote", "'"], "a,b\n1\n2,x\n", "b\n''\nx\n"),
    (["--select", "#2"], "a,\n1,2\n", '""\n2\n'),
    (["x", "--comment", "#", "--skip", "1"], "title\n# c\nx\n1\n", "1\n"),
]


@pytest.mark.parametrize(("argv", "text", "expected"), MAPS, ids=[" ".join(row[0]) for row in MAPS])
def test_map(argv: list[str], text: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(text.encode())
    assert good("map", *argv, path) == expected
    assert good("map", *argv, stdin=text) == expected
    assert good("map", *argv, "-o", tmp_path / "out", path) == ""
    assert (tmp_path / "out").read_bytes() == expected.encode()


@pytest.mark.parametrize(("argv", "text", "expected"), MAPS, ids=[" ".join(row[0]) for row in MAPS])
def test_map_of_a_pipe_in_small_pieces(argv: list[str], text: str, expected: str, tiny_chunks: None) -> None:
    for sizes in ([1], [3, 1], [7]):
        assert good("map", *argv, stdin=Dribble(text.encode(), sizes)) == expected


@pytest.mark.parametrize(
    ("argv", "text", "message"),
    [
        (
            ["prise"],
            SALES,
            "line 1 has no column 'prise'; the columns are 'item', 'price', 'qty', 'region'; did you mean 'price'?",
        ),
        (["zzz"], SALES, "line 1 has no column 'zzz'; the columns are 'item', 'price', 'qty', 'region'"),
        (
            ["`unit prise`*2"],
            "unit price\n1\n",
            "has no column 'unit prise'; the columns are 'unit price'; did you mean 'unit price'?",
        ),
        (["#3"], "a,b\n1,2\n", "there is no column #3; there are 2"),
        (["a"], "a;b\n1;2\n", "the columns are 'a;b'; --delimiter ';' cuts it there"),
        (["b"], "a\tb\n1\t2\n", "the columns are 'a\\tb'; --delimiter '\\t' cuts it there"),
        (["x"], "1\n2\n", "the columns are '1'; --no-header takes the first row for data; --text is for one number"),
        (["a*4"], f"a\n{2**63 - 1}\n", "line 2: OverflowError: int too big to convert; --table -t d"),
        (["a"], "a\n1\nNA\n", "column 'a': 'NA' is not a number; --na=NA and --missing leave it out or fill it in"),
        (["a"], "a\n1\n-\n", "--na=- and --missing"),
        (["item"], SALES, "line 2, column 'item': 'nut' is not a number"),
        (["1/(qty - 40)"], SALES, "line 3: ZeroDivisionError: division by zero"),
        (
            ["a*a*a"],
            "a\n1\n9999999999\n",
            "line 3: OverflowError: int too big to convert; --table -t d computes with floats",
        ),
        (["price"], "", "the text is empty: there is no header; raw input needs its type, for example -t d"),
        (["price"], "\0\0\1", "this is no text; raw input needs its type, for example -t d"),
        (["p"], "p,q\n1,2,3\n", "line 2 has 3 fields, and the header 2: --ragged skip leaves such rows out"),
        (["a"], "a,a\n1,2\n", "line 1 has more than one column 'a'"),
        (
            ["x/sum(x)"],
            "x\n1\n3\n",
            "'x/sum(x)' needs all rows at once, so the input is read twice: give a file, no pipe",
        ),
        (["x", "--decimal", ",", "--quote", ""], "x\n1\n", "two of them are the same"),
        (["x", "--delimiter", "5"], "x\n1\n", "one of them is part of numbers"),
        (["x", "--missing", "half"], "x\n1\n", "--missing takes error, skip or a number"),
        (["--add", "price=qty"], SALES, "there is a column 'price' already: give the new one another name"),
        (["--add", "c=1", "--add", "c=2"], SALES, "--add makes a column 'c' twice"),
        (["--add", "c=qty", "--select", "qty,c"], SALES, "--select c: that is a column of --add, which comes by it"),
        (["--add", "x,y=a", "--quote", ""], "a\n1\n", "the column 'x,y' needs quotes in the header, and --quote ''"),
        (["--add", "x\ty=a", "--quote", "", "--delimiter", " "], "a\n1\n", "the column 'x\\ty' needs quotes in"),
        (
            ["--add", "c=a", "--quote", "", "--delimiter", " ", "--ragged", "fill"],
            "a b\n1\n",
            "fields that are not there would be empty, and --quote '' leaves nothing to show that between blanks",
        ),
        (["--add", "total"], SALES, "'total' is not NAME=EXPRESSION"),
        (["--add", "a=b.c"], SALES, "attributes are not part of the language"),
        (["--select", "nothing"], SALES, "no column 'nothing'"),
        (["--select", "item", "-t", "d"], SALES, "--add and --select are about columns of a table"),
        (["x", "--table", "--csv", "x"], SALES, "not allowed with"),
        (["x"], 'x\n"1\n', "line 2, a field begins with a quote and never ends"),
        (["x"], "x\n1\nx\n", "it is the name of the column, so the header is there again"),
        (["x", "--table", "-t", "h"], "x\n1.5\n", "line 2, column 'x': '1.5' is not an integer, as type 'h' needs"),
        (["x", "--table", "-t", "b"], "x\n1\n200\n", "line 3, column 'x': 200 does not fit type 'b'"),
    ],
)
def test_map_of_what_cannot_be(argv: list[str], text: str, message: str, tmp_path: Path) -> None:
    assert message in bad("map", *argv, stdin=text)
    if "no pipe" not in message:
        (tmp_path / "f.csv").write_bytes(text.encode())
        (tmp_path / "out").write_text("precious")
        assert message in bad("map", *argv, tmp_path / "f.csv", "-o", tmp_path / "out")
        assert (tmp_path / "out").read_text() == "precious"


def test_errors_name_the_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("x\n1\n\n0\n")
    assert bad("map", "1/x", path) == f"{path}, line 4: ZeroDivisionError: division by zero"


def test_an_error_in_a_quoted_column_shows_what_was_written() -> None:
    message, shown, caret = bad("map", "`unit price`.real", stdin="unit price\n1\n").split("\n")
    assert shown == "    `unit price`.real"
    assert caret == "    ^"
    message = bad("map", "`unit price`(3)", stdin="unit price\n1\n")
    assert "_0_" not in message and "unit price" in message.split("\n")[0]


@pytest.mark.parametrize("text", ["`a``b`", "`a`b", "x`a`", "2`a`", "#1`b`", "#1b", 'col("a")b', "1 +\\\n`a``b`"])
def test_columns_side_by_side(text: str) -> None:
    message = bad("map", text, stdin="a,b\n1,2\n").split("\n")[0]
    assert message == "no operator or blank is between a column and what stands beside it"


def test_columns_side_by_side_show_where() -> None:
    assert bad("map", "`a``b`", stdin="a,b\n1,2\n").split("\n")[1:] == ["    `a``b`", "       ^"]
    assert bad("map", "2*`a`b", stdin="a,b\n1,2\n").split("\n")[1:] == ["    2*`a`b", "         ^"]


def test_all_rows_at_once_in_two_passes(tmp_path: Path, tiny_chunks: None) -> None:
    path = tmp_path / "f.csv"
    path.write_text("p,q,t\n2,4,a\n,1,b\n3,0.5,c\n")
    argv = ["--add", "total=p*q", "--add", "share=total/sum(total)", "--missing", "skip", path]
    assert good("map", *argv) == "p,q,t,total,share\n2,4,a,8.0,0.8421052631578947\n3,0.5,c,1.5,0.15789473684210525\n"
    assert good("map", "q - mean(q)", path) == f"{4 - 5.5 / 3}\n{1 - 5.5 / 3}\n{0.5 - 5.5 / 3}\n"
    assert good("filter", "q > mean(q)", path) == "p,q,t\n2,4,a\n"


def test_several_files(tmp_path: Path) -> None:
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_text("a,b\n1,2\n")
    two.write_text("b,a\n3,4.5\n")
    assert good("map", "a*10 + b", one, two) == "12\n48.0\n"
    assert good("filter", "a > 0", one, one) == "a,b\n1,2\n1,2\n"
    assert good("map", "a", one, "-", stdin="a\n7\n") == "1\n7\n"
    assert bad("map", "1/(a - 4.5)", one, two).startswith(f"{two}, line 2: ZeroDivisionError")


def test_several_files_of_numbers(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_bytes(b"\1\2")
    two.write_bytes(b"\3\0")
    assert good("map", "x+1", one, two, "-t", "B") == "\2\3\4\1"
    assert good("reduce", "acc*10+x", one, two, "-t", "B") == "1230\n"
    assert bad("map", "1//x", one, two, "-t", "B").startswith(f"{two}, element 3: ZeroDivisionError")
    one.write_text("1\n2\n")
    two.write_text("4\nx\n")
    assert bad("map", "x", one, two, "--text").endswith("line 2: 'x' is not a number")


# -- filter and reduce -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "text", "expected"),
    [
        (["qty > 30"], SALES, 'item,price,qty,region\nnut,0.25,100,north\n"bolt, long",1.5,40,south\n'),
        (["qty > 30 and price < 1"], SALES, "item,price,qty,region\nnut,0.25,100,north\n"),
        (["qty > m", "-p", "m=99"], SALES, "item,price,qty,region\nnut,0.25,100,north\n"),
        (["qty"], "qty\n0\n2\n-1\n", "qty\n2\n-1\n"),
        (["x"], "x\n0.0\nnan\n-0.0\n1e-300\n", "x\nnan\n1e-300\n"),
        (["x > 0"], '\ufeffx , y\r\n  1 ,"a\r\nb"\r\n0,c\r\n 2,', 'x , y\r\n  1 ,"a\r\nb"\r\n 2,\n'),
        (["x > 5", "--select", "y"], "x,y\n1,a\n7,b\n", "y\nb\n"),
        (["x > 0", "--missing", "skip"], "x,y\n1,a\n,b\n", "x,y\n1,a\n"),
        (["x != x", "--missing", "nan"], "x,y\n1,a\n,b\n", "x,y\n,b\n"),
        (["`a b` == 1"], "a b\n1\n2\n", "a b\n1\n"),
        (["T > 1", "--units-row"], "T\nC\n1\n2\n", "T\nC\n2\n"),
        (["#1 > 1", "--no-header"], "1,a\n2,b\n", "2,b\n"),
        (["x"], "x\n", "x\n"),
    ],
)
def test_filter(argv: list[str], text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(text.encode())
    assert good("filter", *argv, tmp_path / "f.csv") == expected
    assert good("filter", *argv, stdin=Dribble(text.encode(), [1, 2])) == expected


@pytest.mark.parametrize("text", ["a + 1", "a*a", "2**70", "sum(a) + a", "a/2", "a - 5", "a*0.0 + 1"])
def test_a_predicate_may_be_any_number(text: str, tmp_path: Path) -> None:
    """Its truth counts, whatever type would hold it."""
    rows = [2**63 - 1, 5]
    kept = [a for a in rows if eval(text, {"a": a, "sum": lambda _: sum(rows)})]
    path = tmp_path / "f.csv"
    path.write_text("".join(f"{a}\n" for a in ("a", *rows)))
    assert good("filter", text, path) == "".join(f"{a}\n" for a in ("a", *kept))


def test_numbers_for_a_header(tmp_path: Path) -> None:
    """Whoever names no column and has no header would lose the first row."""
    for text in ("1\n2\n3\n", "2019,2020\n1,2\n"):
        message = bad("stats", stdin=text)
        assert message.startswith("line 1, the header has numbers for names, '")
        assert message.endswith("--no-header takes the first row for data; --text is for one number in a line")
    assert good("stats", "2020", stdin="2019,2020\n1,2\n").startswith("column  2020\ncount   1\n")
    assert good("stats", stdin="2019,a\n1,2\n").startswith("column count")


def test_filter_keeps_bytes_that_are_no_text() -> None:
    assert good("filter", "x > 1", stdin=b"t,x\n\xff\xfe\0,2\n\xe9,1\n") == "t,x\n\udcff\udcfe\0,2\n"


@pytest.mark.parametrize(
    ("argv", "text", "expected"),
    [
        (["acc + price*qty", "--initial", "0"], SALES, "106.0\n"),
        (["acc + x"], "x\n1\n2\n", "3\n"),
        (["acc*31 + a", "--initial", "7"], "a\n1\n2\n", "6760\n"),
        (["acc + a*b", "--initial", "0"], "a,b\n", "0\n"),
        (["acc + a*k", "-p", "k=2", "--initial", "0"], "a\n" + "1\n" * 20_000, "40000\n"),
        (["acc*10**20 + x", "--initial", "7"], "x\n7\n7\n", f"{(7 * 10**20 + 7) * 10**20 + 7}\n"),
    ],
)
def test_reduce(argv: list[str], text: str, expected: str) -> None:
    assert good("reduce", *argv, stdin=text) == expected
    assert "--initial" in bad("reduce", "acc + a", stdin="a\n1\n")


# -- one column of text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "text", "expected"),
    [
        (["--csv", "03"], "s,k,01,02,03\n1,2,3,4,5\n", "5\n"),
        (["--csv", "2020"], "2020,x\n1,2\n", "1\n"),
        (["--csv", "2"], "1,2\n3,4\n", "2\n4\n"),
        (["--csv", "2"], "a,2,b\n3,4,5\n", "4\n"),
        (["--csv", "2020"], "2019,2020\n1,2\n", "2\n"),
        (["--csv", "#2"], "a,b\n3,4\n", "4\n"),
        (["--csv", "b", "--units-row"], "a,b\nm,m\n3,4\n", "4\n"),
        (["--csv", "1", "--decimal", ",", "--delimiter", ";"], "1,5\n", "1.5\n"),
        (["--csv", "a", "--comment", "#"], "# x\na\n#y\n1\n", "1\n"),
    ],
)
def test_csv_column(argv: list[str], text: str, expected: str) -> None:
    assert [float(x) for x in good("map", "x", *argv, stdin=text).split()] == [float(x) for x in expected.split()]


# -- the table of files ------------------------------------------------------------------------------------------------


def as_options(options: dict[str, Any]) -> list[str] | None:
    """Options of the command line for those of read_csv; None if there are none such."""
    argv = []
    for name, value in options.items():
        if name == "header" and value is False:
            argv.append("--no-header")
        elif name == "units_row":
            argv.append("--units-row")
        elif name == "na":
            argv.append(f"--na={','.join(value)}")
        elif name in OPTIONS:
            argv.append(f"{OPTIONS[name]}={'' if value is None else value}")
        elif name not in ("columns",):
            return None
    return argv


#: Where an expression, which names its columns, is another question.
_OF_NAMES = ("a column twice", "no header, and nobody names a column")
TRIED = [row for row in FILES if as_options(row[2]) is not None and row[0] not in _OF_NAMES]


@pytest.mark.parametrize(("text", "options", "expected"), [row[1:] for row in TRIED], ids=[row[0] for row in TRIED])
def test_files(text: str | bytes, options: dict[str, Any], expected: Any, tiny_chunks: None) -> None:
    """What read_csv gives of a column, map prints; where one is an error, the other is."""
    argv = as_options(options)
    assert argv is not None
    if isinstance(expected, str):
        names = options.get("columns") or next(
            csv.reader(encoded(text).decode("utf-8", "replace").splitlines()[-4:]), ["a"]
        )
        status, _, err = run("map", " + ".join(f"`{name}`" for name in names if name), *argv, stdin=text)
        assert status == 2 and err
        return
    for name, column in expected.items():
        if "`" in name or "\n" in name:
            continue
        out = [float(x) for x in good("map", f"`{name}`", *argv, stdin=text).split()]
        if options.get("missing") != "skip":  # else rows are left out if the column itself is missing there
            assert len(out) == len(column)
            assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(out, column, strict=True))


# -- integers and floats -----------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.one_of(st.integers(-5, 5).map(str), st.sampled_from(["1.5", "nan", "-0", "1e3", "9007199254740993"])),
        min_size=1,
    ),
    st.lists(st.integers(1, 30), min_size=1),
    st.integers(1, 60),
)
def test_types_do_not_depend_on_how_the_text_arrives(cells: list[str], sizes: list[int], sample: int) -> None:
    text = "x\n" + "\n".join(cells) + "\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "SAMPLE_BYTES", sample)
        whole = good("map", "x", stdin=text)
        assert good("map", "x", stdin=Dribble(text.encode(), sizes)) == whole
    assert len(whole.split()) == len(cells)
    for spelled, cell in zip(whole.split(), cells, strict=True):
        assert spelled == cell or repr(float(spelled)) == repr(float(cell))


def test_integers_until_the_first_float() -> None:
    long = "1\n" * 100_000
    out = good("map", "x", stdin=f"x\n{long}2.5\n3\n").split("\n")
    assert out[0] == out[99_999] == "1"
    assert out[100_000:] == ["2.5", "3.0", ""]
    assert good("map", "x", stdin="x\n2\n2.5\n3\n") == "2.0\n2.5\n3.0\n"
