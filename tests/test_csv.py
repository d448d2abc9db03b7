"""read_csv and scan_csv: a table of files as people have them, and the csv module as the oracle of rows.

FILES is the table: a text, the options to read it with, and what comes of it: a dict of columns, or what the message
says.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import lzma
import math
import os
import subprocess
import sys
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import arrayops as ao
import pytest
from arrayops import delimited
from arrayops.delimited import Form, Rows, TextError
from hypothesis import given
from hypothesis import strategies as st

NAN = math.nan
MAX_ROW, MAX_FIELDS = (ao._machine.CONSTANTS[name] for name in ("MAX_ROW_BYTES", "MAX_FIELDS"))

FILES: list[tuple[str, str | bytes, dict[str, Any], dict[str, list[Any]] | str]] = [
    # shapes
    ("two columns", "p,q\n2,4\n", {}, {"p": [2], "q": [4]}),
    ("no final newline", "a,b\n1,2\n3,4", {}, {"a": [1, 3], "b": [2, 4]}),
    ("line ends of Windows", "a,b\r\n1,2\r\n3,4\r\n", {}, {"a": [1, 3], "b": [2, 4]}),
    ("line ends of old Macs", "a,b\r1,2\r3,4\r", {}, {"a": [1, 3], "b": [2, 4]}),
    ("all kinds of line ends", "a\r\n1\n2\r3\r\n\r\n4", {}, {"a": [1, 2, 3, 4]}),
    ("byte order mark", "\ufeffa,b\n1,2\n", {}, {"a": [1], "b": [2]}),
    ("mark and quotes", '\ufeff"a","b"\n1,2\n', {}, {"a": [1], "b": [2]}),
    ("UTF-16", "a\n1\n".encode("utf-16"), {}, "the text is UTF-16; iconv"),
    ("gzip", gzip.compress(b"a\n1\n"), {}, r"the file is compressed; gzip -dc .* gzip.open\(\)"),
    ("xz", lzma.compress(b"a\n1\n"), {}, r"the file is compressed; xz -dc .* lzma.open\(\)"),
    ("a workbook", b"PK\x03\x04\x14\0", {}, "the file is a zip archive; .*workbook"),
    ("a header that begins as one", "PK,x\n1,2\n", {}, {"PK": [1], "x": [2]}),
    ("a decimal comma", 'a\n"1,5"\n', {}, "'1,5' is not a number; decimal=',' or thousands=',' says what"),
    ("a comma of thousands", 'a\n"1,234.50"\n', {}, "'1,234.50' is not a number; decimal=',' or thousands=','"),
    ("a comma and no number", 'a\n"1,x"\n', {}, "'1,x' is not a number; columns="),
    ("not available", "a\n1\nn/a\n", {}, r"'n/a' is not a number; na=\['n/a'\] takes it for a missing number"),
    ("another delimiter", "a\tb\n1\t2\n", {}, r"'1\\t2' is not a number; delimiter='\\t' cuts it there"),
    ("a name in other letters", "RSS,b\n1,2\n", {"columns": ["rss"]}, "no column 'rss'; .*did you mean 'RSS'"),
    (
        "no header, and nobody names a column",
        "1,2\n3,4\n",
        {},
        r"line 1, the header has numbers for names, '1', '2': .*"
        "columns=.* else header=False",
    ),
    ("a header of numbers", "2020,2021\n3,4\n", {"columns": ["2020", "2021"]}, {"2020": [3], "2021": [4]}),
    ("one name as the header", "1\n2\n", {"header": "value"}, {"value": [1, 2]}),
    ("empty", "", {}, "the text is empty: there is no header"),
    ("only blank lines", "\n \n\n", {}, "the text is empty"),
    ("only a mark", "\ufeff", {}, "the text is empty"),
    ("header only", "a,b\n", {}, {"a": [], "b": []}),
    ("header only, not ended", "a,b", {"typecodes": "h"}, {"a": [], "b": []}),
    ("blank lines between", "a\n\n1\n  \n\t\n2\n\n", {}, {"a": [1, 2]}),
    ("one column of empty quotes", 'a\n""\n1\n', {"missing": 0}, {"a": [0, 1]}),
    ("a delimiter at each end of line", "a,b,\n1,2,\n", {}, {"a": [1], "b": [2]}),
    # delimiters
    ("semicolons", "a;b\n1;2\n", {"delimiter": ";"}, {"a": [1], "b": [2]}),
    ("tabs", "a\tb\n1\t2\n", {"delimiter": "\t"}, {"a": [1], "b": [2]}),
    ("bars", "a|b\n1|2\n", {"delimiter": "|"}, {"a": [1], "b": [2]}),
    ("the unit separator", "a\x1fb\n1\x1f2\n", {"delimiter": "\x1f"}, {"a": [1], "b": [2]}),
    ("aligned columns", "  s   k\n 1    2 \n\t30 4\n", {"delimiter": " "}, {"s": [1, 30], "k": [2, 4]}),
    ("aligned, quoted", '"a b"  c\n1 "2"\n', {"delimiter": " "}, {"a b": [1], "c": [2]}),
    ("aligned, ragged", "a b\n1\n", {"delimiter": " "}, "line 2 has 1 field, and the header 2"),
    ("blanks around numbers", "a , b\n 1 ,\t2 \n", {}, {"a": [1], "b": [2]}),
    # what is before the numbers
    ("lines to skip", "made by hand\nin May\na\n1\n", {"skip": 2}, {"a": [1]}),
    ("more lines to skip than there are", "a\n1\n", {"skip": 5}, "the text is empty"),
    ("skipped lines with quotes", 'say "this\na\n1\n', {"skip": 1}, {"a": [1]}),
    ("a units row", "T,p\nC,hPa\n1,2\n", {"units_row": True}, {"T": [1], "p": [2]}),
    ("comments", "# c\nq\n# d\n1\n#2\n3\n", {"comment": "#"}, {"q": [1, 3]}),
    ("comments of aligned columns", " # c\nq r\n  #\n1 2\n", {"comment": "#", "delimiter": " "}, {"q": [1], "r": [2]}),
    ("a number sign is no comment unless said", "#id\n1\n", {}, {"#id": [1]}),
    ("no header", "1,2\n3,4\n", {"header": False}, {"#1": [1, 3], "#2": [2, 4]}),
    ("no header and no row", "", {"header": False}, {}),
    ("names given", "1,2\n", {"header": ["a", "b"]}, {"a": [1], "b": [2]}),
    ("too few names given", "1,2\n", {"header": ["a"]}, "header has 1 names, and the first row 2 fields"),
    # names
    ("digits as names", "s,k,01,02,03\n1,2,3,4,5\n", {"columns": ["03"]}, {"03": [5]}),
    ("years as names", "2020,2021\n7,8\n", {"columns": ["2021", "2020"]}, {"2021": [8], "2020": [7]}),
    ("by number", "a,a,b\n1,2,3\n", {"columns": ["#2", "b"]}, {"#2": [2], "b": [3]}),
    ("a name like a number", "#2,b\n1,3\n", {"columns": ["#2"]}, {"#2": [1]}),
    (
        "duplicate names",
        "a,a\n1,2\n",
        {"columns": ["a"]},
        "line 1 has more than one column 'a'.*#1 is the first of them",
    ),
    ("duplicate names, all wanted", "a,a\n1,2\n", {}, "more than one column 'a'"),
    ("no such name", "a,b\n1,2\n", {"columns": ["c"]}, "line 1 has no column 'c'; the columns are 'a', 'b'"),
    ("no such number", "a,b\n1,2\n", {"columns": ["#3"]}, "there is no column #3; there are 2"),
    ("a column twice", "a,b\n1,2\n", {"columns": ["a", "#1"]}, "a column is wanted twice"),
    ("names of two lines", '"flow\nm3",b\n1,2\n', {}, {"flow\nm3": [1], "b": [2]}),
    ("names in other scripts", "Größe,数\n1,2\n", {}, {"Größe": [1], "数": [2]}),
    (
        "the header twice",
        "a,b\n1,2\na,b\n",
        {},
        "line 3, column 'a': 'a' is not a number; it is the name of the column",
    ),
    # quotes
    ("numbers in quotes", 'a,b\n"1","2.5"\n', {}, {"a": [1], "b": [2.5]}),
    ("delimiter in quotes", 'a,b\n"x, y",2\n', {"columns": ["b"]}, {"b": [2]}),
    ("newline in quotes", 'a,b\n"x\ny",2\n"z\r\n\r\n",x\n', {"columns": ["b"]}, "line 4, column 'b': 'x'"),
    ("quotes in quotes", 'a,b\n"say ""1""",2\n', {"typecodes": {"a": str}}, {"a": ['say "1"'], "b": [2]}),
    ("quotes that do not end", 'a,b\n1,2\n"3,4\n5,6\n', {}, "line 3, a field begins with a quote and never ends"),
    ("text behind a quote", 'a,b\n"1"2,3\n', {}, "line 2, '\"1\"2': a field goes on behind the quote that ends it"),
    ("inches", 'a,b\n5" pipe,2\n', {"columns": ["b"]}, {"b": [2]}),
    ("quotes as text", 'a,b\n"5,2\n', {"columns": ["b"], "quote": None}, {"b": [2]}),
    ("another quote", "a,b\n'1,5',2\n", {"columns": ["b"], "quote": "'"}, {"b": [2]}),
    # numbers
    ("decimal comma", "a;b\n1;1,5\n", {"delimiter": ";", "decimal": ","}, {"a": [1], "b": [1.5]}),
    ("decimal comma, and a point", "a\n1.5\n", {"delimiter": ";", "decimal": ","}, "'1.5' is not a number"),
    ("thousands", "a;b\n1,234.50;12,345,678\n", {"delimiter": ";", "thousands": ","}, {"a": [1234.5], "b": [12345678]}),
    (
        "thousands in quotes",
        'a,b\n"1,234.50",2\n',
        {"thousands": ","},
        {"a": [1234.5], "b": [2]},
    ),
    ("decimals in quotes", 'd,a\n30.07.,"2523,00"\n', {"columns": ["a"], "decimal": ","}, {"a": [2523.0]}),
    ("ints beside decimals", 'a,b\n-105,0\n"1,5",7\n', {"decimal": ","}, {"a": [-105, 1.5], "b": [0, 7]}),
    ("a long number before the delimiter", "a,b\n" + "1" * 600 + ",5\n", {"decimal": ","}, "is not a number"),
    ("decimals without quotes", "a\n1,5\n", {"decimal": ","}, "line 2 has 2 fields, and the header 1"),
    (
        "both in quotes",
        'a\n"-1.234,5"\n',
        {"decimal": ",", "thousands": "."},
        {"a": [-1234.5]},
    ),
    ("thousands in quotes, and not", 'a\n"1,234"\n1,234\n', {"thousands": ","}, "line 3 has 2 fields, and the header"),
    (
        "thousands without quotes",
        "a,b\n1,2\n",
        {"thousands": ",", "quote": None},
        "delimiter ',', decimal '.', thousands ','.*two of them are the same",
    ),
    (
        "blanks of typography",
        "a;b\n-1\u00a0234,5;1\u202f234\u00a0567\n12 345;\u00a0999\n",
        {"delimiter": ";", "decimal": ",", "thousands": " "},
        {"a": [-1234.5, 12345], "b": [1234567, 999]},
    ),
    (
        "blanks in the wrong place",
        "a;b\n1\u00a023;1\n",
        {"delimiter": ";", "thousands": " "},
        "is not a number",
    ),
    ("bytes of 0", b"a,b\n1,2\n".decode().encode("utf-16-le"), {}, "UTF-16LE -t UTF-8"),
    ("Latin-1 in the header", b"caf\xe9,b\n1,2\n", {"columns": ["café"]}, "the header is not UTF-8; iconv -f LATIN1"),
    ("Latin-1", b"a,b\n\xe9,2\n", {"typecodes": {"a": str}}, "is not UTF-8; iconv -f LATIN1"),
    (
        "continental thousands",
        "a;b\n-1.234,50;1.234\n",
        {"delimiter": ";", "decimal": ",", "thousands": "."},
        {"a": [-1234.5], "b": [1234]},
    ),
    ("Swiss thousands", "a\n1'234.5\n999\n", {"thousands": "'"}, {"a": [1234.5, 999]}),
    ("Indian thousands", "a\n1,23,45,678\n", {"delimiter": ";", "thousands": ","}, {"a": [12345678]}),
    ("thousands where none are", "a\n1,5\n", {"delimiter": ";", "thousands": ","}, "'1,5' is not a number"),
    ("groups of another size", "a\n1,2345\n", {"delimiter": ";", "thousands": ","}, "'1,2345' is not a number"),
    ("groups of two sizes", "a\n1,23,456,789\n", {"delimiter": ";", "thousands": ","}, "is not a number"),
    ("a group at the beginning", "a\n,123\n", {"delimiter": ";", "thousands": ","}, "is not a number"),
    ("thousands behind the point", "a\n1.234,5\n", {"delimiter": ";", "thousands": ","}, "is not a number"),
    ("currency", "a\n$5\n", {}, "line 2, column 'a': '\\$5' is not a number"),
    ("too large", "a\n1e999\n-1e999\n", {}, {"a": [math.inf, -math.inf]}),
    ("nan and inf", "a\nnan\n-inf\nInfinity\nNaN\n", {}, {"a": [NAN, -math.inf, math.inf, NAN]}),
    ("5,000 digits", f"a\n{'7' * 5000}\n0.{'7' * 5000}\n", {}, {"a": [math.inf, float("0." + "7" * 5000)]}),
    ("more than 64 bits", "a\n18446744073709551616\n", {}, {"a": [2.0**64]}),
    ("zeros in front", "a\n007\n", {}, {"a": [7]}),
    ("NUL bytes", "a,b\n1\0,2\n", {}, r"line 2, column 'a': '1\\x00' is not a number"),
    ("NUL bytes elsewhere", "a,b\n1\0,2\n", {"columns": ["b"]}, {"b": [2]}),
    ("not UTF-8, elsewhere", b"a,b\n\xff\xfe,2\n", {"columns": ["b"]}, {"b": [2]}),
    ("not UTF-8", b"a,b\n\xff\xfe,2\n", {}, r"line 2, column 'a': '\\\\xff\\\\xfe' is not a number"),
    (
        "not UTF-8, as text",
        b"a,b\n1,2\n\xff,2\n",
        {"typecodes": {"a": str}},
        r"line 3, column 'a': b'\\xff' is not UTF-8",
    ),
    ("a name not UTF-8", b"a,\xe9\n1,2\n", {}, {"a": [1], "\ufffd": [2]}),
    # missing numbers
    ("an empty cell", "a,b\n1,\n", {}, "line 2, column 'b': the cell is empty: missing='skip' leaves such rows out"),
    ("a token", "a\n1\nNA\n", {"na": ["NA"]}, "line 3, column 'a': 'NA' is missing: missing='skip'"),
    ("no token", "a\n1\nNA\n", {}, "line 3, column 'a': 'NA' is not a number"),
    (
        "tokens skipped",
        "a,b\n1,5\nNA,6\n2,-\n3,7\n",
        {"na": ["NA", "-"], "missing": "skip"},
        {"a": [1, 3], "b": [5, 7]},
    ),
    ("tokens are nan", 'a\n1\n NA \n""\n', {"na": ["NA"], "missing": NAN}, {"a": [1, NAN, NAN]}),
    ("a number in place", "a\n1\nNA\n", {"na": ["NA"], "missing": -1}, {"a": [1, -1]}),
    ("a float in place", "a\n1\nNA\n", {"na": ["NA"], "missing": 0.5}, {"a": [1, 0.5]}),
    ("tokens that are numbers", "a\n-999\n1\n-999.0\n", {"na": ["-999"], "missing": "skip"}, {"a": [1, -999.0]}),
    ("nan as a token", "a\n1\nnan\n", {"na": ["nan"], "missing": "skip"}, {"a": [1]}),
    ("nan for ints", "a\n1\n", {"typecodes": "q", "missing": NAN}, {"a": [1]}),
    (
        "nan in ints",
        "a,b\n1,2\n,NA\n",
        {"typecodes": {"b": "q"}, "na": ["NA"], "missing": NAN},
        "line 3, column 'b': 'NA' is missing, and nan in its place is no number of typecode 'q'",
    ),
    (
        "an int that is too large in place",
        'a\n1\n""\n',
        {"typecodes": "Q", "missing": -1},
        "line 3, column 'a': the cell is empty, and -1 in its place is no number of typecode 'Q'",
    ),
    ("an unselected column", "a,b\n1,NA\n", {"columns": ["a"]}, {"a": [1]}),
    (
        "missing text is text",
        "a,b\n,1\nNA,2\n",
        {"na": ["NA"], "typecodes": {"a": str}},
        {"a": ["", "NA"], "b": [1, 2]},
    ),
    # rows that do not fit
    (
        "a field too many",
        "i,price,q\nn,2.50,4\nb,1,234.50,3\n",
        {"columns": ["price"]},
        "line 3 has 4 fields, and the header 3: ragged='skip' leaves such rows out",
    ),
    ("a field too few", "a,b\n1,2\n3\n", {}, "line 3 has 1 field, and the header 2"),
    ("ragged rows skipped", "a,b\n1,2\nx\n3,4,5\n6,7\n", {"ragged": "skip"}, {"a": [1, 6], "b": [2, 7]}),
    ("short rows filled", "a,b\n1,2\n3\n", {"ragged": "fill", "missing": NAN}, {"a": [1, 3], "b": [2, NAN]}),
    ("short rows filled with nothing", "a,b\n1,2\n3\n", {"ragged": "fill"}, "line 3, column 'b': the cell is empty"),
    ("long rows are not filled", "a,b\n1,2\n3,4,5\n", {"ragged": "fill", "missing": 0}, "line 3 has 3 fields"),
    ("ragged without a header", "1,2\n3\n", {"header": False}, "line 2 has 1 field, and the first row 2"),
    # types
    (
        "a float among ints",
        "a\n1\n2.0\n",
        {"typecodes": {"a": "q"}},
        "line 3, column 'a': '2.0' is not an integer, as typecode",
    ),
    (
        "too large for the type",
        "a\n1\n300\n",
        {"typecodes": {"a": "B"}},
        "line 3, column 'a': 300 does not fit typecode 'B'",
    ),
    ("text", "a,b\nx,1\ny,2\n", {"typecodes": {"a": str}}, {"a": ["x", "y"], "b": [1, 2]}),
    ("text without saying so", "a\nx\n", {}, "typecodes={'a': str} reads text"),
    (
        "a type for no column",
        "a\n1\n",
        {"typecodes": {"b": "d"}},
        "typecodes has 'b', which is not among the columns 'a'",
    ),
]


def encoded(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def same(got: list[Any], wanted: list[Any]) -> bool:
    """Equal, of the same types, nan equal to nan."""
    return len(got) == len(wanted) and all(
        type(a) is type(b) and (a == b or (a != a and b != b)) for a, b in zip(got, wanted, strict=True)
    )


def as_read(wanted: list[Any]) -> list[Any]:
    """With floats, if one is a float."""
    return [float(x) for x in wanted] if any(isinstance(x, float) for x in wanted) else wanted


@pytest.mark.parametrize(("text", "options", "expected"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_files(text: str | bytes, options: dict[str, Any], expected: dict[str, list[Any]] | str) -> None:
    if isinstance(expected, str):
        with pytest.raises(ValueError, match=expected):
            ao.read_csv(io.BytesIO(encoded(text)), **options)
        return
    found = ao.read_csv(io.BytesIO(encoded(text)), **options)
    assert list(found) == list(expected)
    for name, wanted in expected.items():
        got = found[name] if isinstance(found[name], list) else found[name].tolist()
        assert same(got, as_read(wanted)), (name, found[name])


NO_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"missing": None}, "missing must be 'error', 'skip' or a number, not None"),
    ({"header": None}, "header must be True, False, or the names of the columns, not None"),
    ({"columns": [1]}, "a column is named by a str, 'price' or by its place '#3', not 1"),
    ({"columns": 2}, r"columns must be names of columns, such as \['price', '#3'\], not 2"),
    (
        {"typecodes": int},
        "the typecode of column 'a' is <class 'int'>; it must be 'q', 'd', ",
    ),
]


@pytest.mark.parametrize(("options", "said"), NO_OPTIONS, ids=[said[:24] for _, said in NO_OPTIONS])
def test_what_is_no_option_is_named(options: dict[str, Any], said: str) -> None:
    for read in (ao.read_csv, lambda file, **given: list(ao.scan_csv(file, **given))):
        with pytest.raises(TypeError, match=said):
            read(io.StringIO("a,b\n1,2\n"), **options)


def test_the_table_is_long_enough() -> None:
    assert len(FILES) >= 40
    assert len({row[0] for row in FILES}) == len(FILES)


class Dribble:
    """A file that is read in pieces of given sizes, over and over."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data, self.sizes = data, itertools.cycle(sizes)

    def read(self, size: int) -> bytes:
        size = min(size, next(self.sizes))
        piece, self.data = self.data[:size], self.data[size:]
        return piece


@pytest.mark.parametrize(("text", "options", "expected"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_files_cut_at_any_byte(text: str | bytes, options: dict[str, Any], expected: Any) -> None:
    """The same columns, or the very same message."""

    def outcome(source: Any) -> Any:
        try:
            return {name: list(map(repr, column)) for name, column in ao.read_csv(source, **options).items()}
        except ValueError as error:
            return str(error)

    data = encoded(text)
    whole = outcome(io.BytesIO(data))
    assert outcome(Dribble(data, [1])) == whole
    for at in range(1, min(len(data), 60)):
        assert outcome(Dribble(data, [at, len(data)])) == whole, at


# -- against the csv module --------------------------------------------------------------------------------------------


def machine_rows(source: Any, **options: Any) -> list[list[bytes]]:
    """All rows as texts, however many fields they have."""
    rows = Rows(source.read, None, Form(header=False, **options))
    found = []
    while (row := rows.machine.row(False)) is None or row:
        if row is not None:
            found.append(row)
        elif rows.machine.fault is not None:
            raise rows.error()
        elif rows.ended:
            break
        else:
            rows._feed()
    return found


def is_blank(line: str, delimiter: str) -> bool:
    return not line.strip("\r\n").strip("".join({" ", "\t"} - {delimiter}))


def csv_rows(text: str, delimiter: str) -> list[list[bytes]] | None:
    """What the csv module makes of it, without blank lines; None if it is an error."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        found = list(reader)
    except csv.Error:
        return None
    return [
        [cell.encode() for cell in row] for row in found if row and not (len(row) == 1 and is_blank(row[0], delimiter))
    ]


@given(
    st.text(alphabet='a1" ,;\n\r\t.\u00e9', max_size=40),
    st.sampled_from([",", ";", "\t"]),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_any_text_is_cut_as_by_the_csv_module(text: str, delimiter: str, sizes: list[int]) -> None:
    wanted = csv_rows(text, delimiter)
    source = Dribble(text.encode(), sizes)
    if wanted is None:
        with pytest.raises(TextError):
            machine_rows(source, delimiter=delimiter)
    else:
        found = [row for row in machine_rows(source, delimiter=delimiter) if row != [b""]]
        assert found == [row for row in wanted if row != [b""]]


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[list[str]], dict[str, Any]]:
    """A text that csv.writer made of a table, the table, and how it is read."""
    width = draw(st.integers(2, 5))
    cells = st.one_of(
        st.integers(-(2**40), 2**40).map(str),
        st.floats(allow_nan=False).map(repr),
        st.text(alphabet='ab" ,;\n\u4e2d', max_size=6),
    )
    table = draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=12))
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=delimiter,
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerows([[f"c{i}" for i in range(width)], *table])
    return out.getvalue(), table, {"delimiter": delimiter}


def number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


@given(tables(), st.lists(st.integers(1, 50), min_size=1))
def test_tables(made: tuple[str, list[list[str]], dict[str, Any]], sizes: list[int]) -> None:
    """Every column as text; every one of numbers as numbers, which float() makes of its cells."""
    text, table, options = made
    source = Dribble(text.encode(), sizes)
    found = ao.read_csv(source, typecodes=str, **options)
    columns = {name: [row[i] for row in table] for i, name in enumerate(found)}
    assert {name: [x for x in column] for name, column in found.items()} == columns
    for name, column in columns.items():
        wanted = [number(cell) for cell in column]
        if None not in wanted:
            got = ao.read_csv(Dribble(text.encode(), sizes), name, typecodes="d", **options)[name]
            assert got.tobytes() == array("d", [x for x in wanted if x is not None]).tobytes()


@given(tables(), st.sampled_from(["skip", 7]))
def test_missing_numbers(made: tuple[str, list[list[str]], dict[str, Any]], missing: Any) -> None:
    """With every text that is none for a token, rows are left out, or have the number in its place."""
    text, table, options = made
    tokens = {cell.strip() for row in table for cell in row if number(cell) is None}
    if any(number(token) is not None or '"' in token for token in tokens) or len(tokens) > 60:
        return  # a cell with doubled quotes is no token
    found = ao.read_csv(io.StringIO(text, newline=""), typecodes="d", na=tokens, missing=missing, **options)
    rows = [[number(cell) for cell in row] for row in table]
    if missing == "skip":
        rows = [row for row in rows if None not in row]
    wanted = [[missing if x is None else x for x in row] for row in rows]
    assert [list(row) for row in zip(*found.values(), strict=True)] == wanted


# -- pieces ------------------------------------------------------------------------------------------------------------


def test_pieces_are_the_whole() -> None:
    cells = [(i * 7919 % 1000 / 8, i) for i in range(50_000)]
    text = "x,i\n" + "".join(f"{x},{i}\n" for x, i in cells)
    total, seen = ao.RunningStats(), array("q")
    for piece in ao.scan_csv(io.BytesIO(text.encode()), ["i", "x"], typecodes={"i": "q"}):
        assert list(piece) == ["i", "x"]
        assert 0 < len(piece["x"]) == len(piece["i"]) <= 1 << 13
        total.update(piece["x"])
        seen += piece["i"]
    assert seen == array("q", range(50_000))
    assert total.stats() == ao.stats(array("d", [x for x, _ in cells]))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="resident memory as Linux tells it")
def test_pieces_take_little_memory(tmp_path: Path) -> None:
    """A table of 64 MB in pieces takes no more than one of 2 MB does."""
    script = """if True:
        import re, sys, arrayops as ao
        total = ao.RunningStats()
        for piece in ao.scan_csv(sys.argv[1], ["price"]):
            total.update(piece["price"])
        print(total.count, re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
    """
    peaks = []
    for rows in (100_000, 3_200_000):
        path = tmp_path / "sales.csv"
        path.write_bytes(b"item,price\n" + b"some item,12.75\n" * rows)
        out = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True).stdout
        count, peak = map(int, out.split())
        assert count == rows
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 4_000


def test_a_chunk_is_pieces_of_any_source(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a\n1\n")
    for source in (path, str(path), os.fsencode(path), io.StringIO("a\n1\n"), io.BytesIO(b"a\n1\n")):
        assert [p["a"].tolist() for p in ao.scan_csv(source)] == [[1.0]]
        if hasattr(source, "seek"):
            assert not source.closed
            source.seek(0)
        assert ao.read_csv(source) == {"a": array("q", [1])}
    with open(path) as text, open(path, "rb") as binary:
        assert ao.read_csv(text) == ao.read_csv(binary) == {"a": array("q", [1])}


def open_files() -> set[str]:
    return {
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{fd}")
    }


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs the list of open files")
def test_nothing_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a\n" + "1\n" * 50_000 + "x\n")
    with pytest.raises(ValueError, match=r"f\.csv, line 50002, column 'a': 'x' is not a number"):
        ao.read_csv(path)
    assert str(path) not in open_files()
    pieces = ao.scan_csv(path)
    next(pieces)
    assert str(path) in open_files()
    pieces.close()  # type: ignore[attr-defined]
    assert str(path) not in open_files()
    with pytest.raises(ValueError):
        list(ao.scan_csv(path))
    assert str(path) not in open_files()


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a,b\n1\n")
    for source in (path, str(path), open(path), open(path, "rb")):  # noqa: SIM115
        with pytest.raises(ValueError, match=rf"^{path}, line 2 has 1 field|^{path}line 2"):
            ao.read_csv(source)
        if hasattr(source, "close"):
            source.close()
    with pytest.raises(OSError, match="No such file"):
        ao.read_csv(tmp_path / "none.csv")
    with pytest.raises(OSError, match="No such file"):
        list(ao.scan_csv(tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": ""}, "delimiter must be one ASCII character, not ''"),
        ({"delimiter": "ab"}, "delimiter must be one ASCII"),
        ({"delimiter": "é"}, "delimiter must be one ASCII"),
        ({"delimiter": "\n"}, "delimiter must be"),
        ({"delimiter": "1"}, "one of them is part of numbers"),
        ({"delimiter": "e"}, "part of numbers"),
        ({"delimiter": "-"}, "part of numbers"),
        ({"decimal": "5"}, "part of numbers"),
        ({"decimal": ",", "quote": None}, "two of them are the same"),
        ({"decimal": " ", "delimiter": " "}, "one of them is part of numbers"),
        ({"decimal": ",", "thousands": ","}, "two of them are the same"),
        ({"quote": ","}, "two of them are the same"),
        ({"ragged": "no"}, "ragged must be one of 'error', 'skip', 'fill'"),
        ({"missing": "drop"}, "missing must be 'error', 'skip' or a number"),
        ({"decimal": ""}, "decimal must be one ASCII"),
        ({"skip": -1}, "skip is a number of lines, from 0, not -1"),
        ({"comment": "//"}, "comment must be one ASCII"),
        ({"na": [str(i) for i in range(65)]}, "65 texts for missing numbers"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    for function in (ao.read_csv, ao.scan_csv):
        with pytest.raises(ValueError, match=message):
            function(io.StringIO("a\n1\n"), **options)


# -- limits ------------------------------------------------------------------------------------------------------------


def test_the_longest_row() -> None:
    row = b"x" * (MAX_ROW - 1)
    for extra, good in ((0, True), (delimited.BLOCK_BYTES * 9, False)):
        source = io.BytesIO(b"a,b\n1," + row[: MAX_ROW - 3] + b"x" * extra + b"\n2,y\n")
        if good:
            assert ao.read_csv(source, "a") == {"a": array("q", [1, 2])}
        else:
            with pytest.raises(ValueError, match=f"line 2, the row has more than {MAX_ROW} bytes"):
                ao.read_csv(source, "a")


def test_an_endless_row_does_not_fill_memory() -> None:
    class Endless:
        given = 0

        def read(self, size: int) -> bytes:
            self.given += size
            return b'"' + b"7" * (size - 1) if self.given == size else b"7" * size

    source = Endless()
    with pytest.raises(ValueError, match=f"line 1, the row has more than {MAX_ROW} bytes; is a quote never closed"):
        ao.read_csv(source)
    assert source.given < 2 * MAX_ROW


@pytest.mark.parametrize("columns", [MAX_FIELDS, MAX_FIELDS + 1])
def test_as_many_columns_as_there_may_be(columns: int) -> None:
    text = io.BytesIO(b"a" + b"," * (columns - 1) + b"\n" + b"1," + b"," * (columns - 2) + b"\n")
    if columns > MAX_FIELDS:
        with pytest.raises(ValueError, match=f"more than {MAX_FIELDS} fields"):
            ao.read_csv(text, "a")
    else:
        assert ao.read_csv(text, "a") == {"a": array("q", [1])}


def test_many_columns_are_read_a_few_rows_at_a_time() -> None:
    names = [f"c{i}" for i in range(3_000)]
    text = ",".join(names) + "\n" + (",".join(map(str, range(3_000))) + "\n") * 200
    found = ao.read_csv(io.StringIO(text))
    assert found.keys() == set(names)
    assert all(found[f"c{i}"] == array("q", [i] * 200) for i in range(3_000))


# -- others meanwhile --------------------------------------------------------------------------------------------------


def test_a_file_that_grows_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a\n" + "1\n" * 300_000)
    pieces = ao.scan_csv(path)
    count = len(next(pieces)["a"])
    with open(path, "a") as file:
        file.write("2\n" * 5)
    assert count + sum(len(piece["a"]) for piece in pieces) == 300_005


def test_a_reader_in_two_threads() -> None:
    """One of them is told so; nothing breaks."""
    text = "a\n" + "1.5\n" * 400_000
    rows = Rows(io.BytesIO(text.encode()).read, None, Form())
    rows.select(delimited.columns_of(rows, ["a"], None, True))
    counts, errors = [0] * 4, []

    def work(i: int) -> None:
        try:
            for count in rows.chunks():
                counts[i] += count
        except RuntimeError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(errors) <= {"this reader is in use by another thread"}
    assert sum(counts) <= 400_000


class Interrupting:
    """A file in which Ctrl-C is pressed."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self, size: int) -> bytes:
        self.reads += 1
        if self.reads == 3:
            raise KeyboardInterrupt
        return b"a\n" + b"1\n" * 1000 if self.reads == 1 else b"1\n" * 1000


def test_ctrl_c_ends_it() -> None:
    for take in (ao.read_csv, lambda source: list(ao.scan_csv(source))):
        with pytest.raises(KeyboardInterrupt):
            take(Interrupting())


@pytest.mark.parametrize("data", [5, None, [1]])
def test_a_file_that_gives_what_is_no_text(data: Any) -> None:
    class Odd:
        def read(self, size: int) -> Any:
            return data

    with pytest.raises((TypeError, ValueError)):
        ao.read_csv(Odd())


def test_import_is_late() -> None:
    script = "import sys, arrayops; print('arrayops.delimited' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def sums(pieces: Iterator[dict[str, Any]]) -> float:
    return math.fsum(ao.sum(piece["x"]) for piece in pieces)


def test_in_a_pipeline() -> None:
    text = "x\n" + "".join(f"{i / 4}\n" for i in range(30_000))
    chunks = (piece["x"] for piece in ao.scan_csv(io.StringIO(text)))
    assert ao.lazy(chunks).filter("x > 10").map("x * 2").sum() == math.fsum(i / 2 for i in range(41, 30_000))
    assert sums(ao.scan_csv(io.StringIO(text))) == math.fsum(i / 4 for i in range(30_000))


def test_a_text_in_the_place_of_its_file() -> None:
    with pytest.raises(TypeError, match=r"a path or an open file is needed, not list: io.StringIO\(text\)"):
        ao.read_csv(["a", "1"])
    with pytest.raises(FileNotFoundError) as caught:
        ao.read_csv("a\n1\n")
    assert caught.value.__notes__ == ["io.StringIO(text) makes a file of a text"]


def test_a_descriptor_is_read_and_stays_open(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    descriptor = os.open(tmp_path / "a.csv", os.O_RDONLY)
    try:
        assert ao.read_csv(descriptor) == {"a": array("q", [1])}
        os.fstat(descriptor)
    finally:
        os.close(descriptor)
