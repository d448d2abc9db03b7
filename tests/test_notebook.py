"""What notebooks show: small tables that say the truth, cost next to nothing, change nothing and never raise."""

from __future__ import annotations

import html
import math
import mmap
import pickle
import re
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st

VOID = {"br", "img", "hr"}


class Table(HTMLParser):
    """The caption, the rows and the unfolded text of what was shown; every element must be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[list[str]] = []
        self.caption = self.unfolded = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        elif tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        where = self.open[-1]
        if where in ("td", "th"):
            self.cells[-1][-1] += data
        elif where == "caption":
            self.caption += data
        elif where == "pre":
            self.unfolded += data


def rows(value: Any) -> dict[str, str]:
    return {row[0]: row[1] for row in Table(value._repr_html_()).cells}


FLOATS = array("d", [1.5, math.nan, -0.0, math.inf])
VIEW = ao.view(b"\x00\x01\x00\x02\x00\x03", ">H")
TABLES: list[tuple[str, Any, dict[str, str]]] = [
    ("Stats", ao.stats(array("i", [1, 2, 3, 4])),
     {"count": "4", "sum": "10", "mean": "2.5", "min": "1", "max": "4", "var": "1.25", "std": "1.118033988749895"}),
    ("Stats", ao.stats(FLOATS), {"count": "4", "sum": "nan", "mean": "nan", "min": "nan", "max": "nan", "var": "nan",
                                 "std": "nan"}),
    ("RunningStats", ao.RunningStats(), {"count": "0"}),
    ("RunningStats", ao.RunningStats(b"\x05"),
     {"count": "1", "sum": "5", "mean": "5.0", "min": "5", "max": "5", "var": "0.0", "std": "0.0"}),
    ("View", VIEW, {"elements": "3", "format": ">H", "stride": "2 bytes", "memory": "read-only",
                    "first values": "1, 2, 3"}),
    ("View", ao.view(bytearray(), "d"), {"elements": "0", "format": "d", "stride": "8 bytes", "memory": "writable",
                                         "first values": "none"}),
    ("Kernel", ao.compile("a < b"), {"expression": "a < b", "parameters": "a, b", "runs": "compiled"}),
    ("Kernel", ao.compile("1/x", ieee=True),
     {"expression": "1 / x", "parameters": "x", "runs": "compiled", "ieee": "True"}),
    ("Rolling", ao.rolling(FLOATS, 2), {"window": "2 elements", "source": "array",
                                        "first values": "1.5, nan, -0.0, inf"}),
    ("Rolling", ao.rolling(array("i"), 3, partial=True),
     {"window": "3 elements, partial ones too", "source": "array", "first values": "none"}),
    ("Rolling", ao.rolling(iter([FLOATS]), 3), {"window": "3 elements", "source": "list_iterator"}),
    ("Pipeline", ao.lazy(range(1 << 60)).map("x*k", k=2).filter("x < 5"),
     {"source": f"range('q') of {1 << 60} elements", "first values": "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …",
      "stage 1": "map('x*k', k=2)", "stage 2": "filter('x < 5')"}),
    ("Pipeline", ao.lazy(iter([FLOATS])), {"source": "list_iterator of buffers"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "expected"), TABLES)
def test_tables(kind: str, value: Any, expected: dict[str, str]) -> None:
    assert rows(value) == expected
    assert Table(value._repr_html_()).caption == f"arrayops.{kind}"


@pytest.mark.parametrize("value", [ao.compile("x < 2"), ao.lazy(FLOATS).map("x < 2")])
def test_what_explain_says_is_unfolded(value: Any) -> None:
    assert Table(value._repr_html_()).unfolded == value.explain()
    assert "LT_f64" in value.explain()


def odd_name(x: float) -> float:
    return float(str(x))


odd_name.__qualname__ = "<script>alert('&amp;')</script>"


def test_everything_is_escaped() -> None:
    for value in (ao.compile(odd_name), ao.lazy(FLOATS).map(odd_name), ao.lazy(type("<b>", (list,), {})([FLOATS]))):
        text = value._repr_html_()
        assert not re.findall(r"<(?!/?(?:table|caption|tr|th|td|details|summary|pre)[ >])", text)
    assert html.escape(odd_name.__qualname__) in ao.compile(odd_name)._repr_html_()


@given(st.lists(st.floats(), max_size=25))
def test_first_values_are_those_of_python(numbers: list[float]) -> None:
    expected = ", ".join(map(repr, numbers[:10])) + (", …" if len(numbers) > 10 else "") or "none"
    swapped = array("d", numbers)
    swapped.byteswap()
    other = ">d" if sys.byteorder == "little" else "<d"
    for source in (array("d", numbers), memoryview(array("d", numbers)), ao.view(swapped, other)):
        assert rows(ao.lazy(source))["first values"] == expected
        assert rows(ao.rolling(source, 2))["first values"] == expected


def of_others() -> Iterator[tuple[str, Callable[[Any, Any, Any, Any], Any], str | None]]:
    """Arrays of NumPy, pandas, Arrow and Polars, and what is shown of them."""
    yield "numpy", lambda np, pd, pa, pl: np.array([1, 2, 3], ">i2")[::-1], "3, 2, 1"
    yield "half", lambda np, pd, pa, pl: np.array([0.5], "e"), "0.5"
    yield "truths", lambda np, pd, pa, pl: np.array([True, False]), "True, False"
    yield "masked", lambda np, pd, pa, pl: np.ma.array([1.0, 2.0], mask=[0, 1]), "1.0, null"
    yield "times", lambda np, pd, pa, pl: np.array(["2020-01-01"], "datetime64[D]"), None
    yield "rows", lambda np, pd, pa, pl: np.ones((3, 3)), None
    yield "large", lambda np, pd, pa, pl: np.broadcast_to(np.int8(7), 1 << 50), ", ".join("7" * 10) + ", …"
    yield "series", lambda np, pd, pa, pl: pd.Series([1.5, 2.5], index=[20.5, 10.5]), "1.5, 2.5"
    yield "nullable", lambda np, pd, pa, pl: pd.Series([1, None], dtype="Int64"), "1, <NA>"
    yield "arrow", lambda np, pd, pa, pl: pa.array([1, None, 3]), "1, null, 3"
    yield "chunks", lambda np, pd, pa, pl: pa.chunked_array([[1], [None, 3]]), "1, null, 3"
    yield "polars", lambda np, pd, pa, pl: pl.Series([1.0, None]), "1.0, null"


@pytest.mark.parametrize(("make", "expected"), [case[1:] for case in of_others()], ids=[c[0] for c in of_others()])
def test_arrays_of_other_libraries(make: Callable[[Any, Any, Any, Any], Any], expected: str | None) -> None:
    libraries = [pytest.importorskip(name) for name in ("numpy", "pandas", "pyarrow", "polars")]
    assert rows(ao.rolling(make(*libraries), 2)).get("first values") == expected
    assert rows(ao.lazy(make(*libraries)).map("x + 1")).get("first values") == expected


def test_a_file_larger_than_memory() -> None:
    with tempfile.TemporaryFile() as file:
        file.truncate(1 << 40)  # a hole
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, ao.view(mapped, "d") as view:
            assert rows(view)["first values"] == ", ".join(["0.0"] * 10) + ", …"
            assert rows(view)["elements"] == "137,438,953,472"
            assert rows(ao.lazy(view).map("x*x"))["stage 1"] == "map('x*x')"


def test_nothing_is_run_and_no_stream_is_read() -> None:
    called = []
    stream = iter([FLOATS, FLOATS])
    pipeline = ao.lazy(stream).map(lambda x: called.append(x) or x).takewhile(called.append)
    assert rows(pipeline)["source"] == "list_iterator of buffers"
    assert rows(ao.rolling(stream, 2))["window"] == "2 elements"
    assert called == []
    assert list(stream) == [FLOATS, FLOATS]


def test_pipelines_remain_what_they_were() -> None:
    pipeline = ao.lazy(array("i", [1, 2, 3])).map("x*x")
    assert pipeline._repr_html_() == pickle.loads(pickle.dumps(pipeline))._repr_html_()
    assert pipeline.sum() == 14


class Unshowable:
    """A callable whose repr raises, as that of a half-made object does."""

    def __repr__(self) -> str:
        raise AttributeError("not yet")

    def __call__(self, x: float) -> float:
        return x


def test_it_never_raises() -> None:
    assert rows(ao.lazy(FLOATS).map(Unshowable()))["first values"] == "1.5, nan, -0.0, inf"
    assert "not yet" in ao.compile(Unshowable())._repr_html_()
    view = ao.view(b"abcd", "i")
    pipeline, windows = ao.lazy(view), ao.rolling(view, 1)
    view.release()
    assert rows(view) == {"memory": "released"}
    assert rows(pipeline) == {"source": "View"}
    assert repr(pipeline) == "<arrayops.Pipeline of no stages over View>"
    assert rows(windows) == {"window": "1 elements", "source": "View"}


def test_long_texts_are_cut() -> None:
    text = " + ".join(["x"] * 1000)
    assert rows(ao.compile(text))["expression"].endswith("…")
    assert len(rows(ao.lazy(FLOATS).map(text))["stage 1"]) == 300


def test_without_other_libraries() -> None:
    text = """
import sys, arrayops as ao
before = {*sys.modules}
for value in (ao.stats(b"ab"), ao.RunningStats(), ao.view(b"ab", "B"), ao.compile("x"), ao.lazy(b"a"),
              ao.rolling(b"a", 1)):
    assert value._repr_html_().startswith("<table>")
assert not {"IPython", "pandas", "numpy", "pyarrow", "polars"} & {*sys.modules}
"""
    subprocess.run([sys.executable, "-c", text], check=True, cwd="/")


# -- a View is the sequence that it says it is -------------------------------------------------------------------------


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, math.nan, 2.5]), max_size=12), st.integers(-15, 15),
       st.integers(-15, 15))  # fmt: skip
def test_index_and_count_of_views(numbers: list[float], start: int, stop: int) -> None:
    view, same = ao.view(array("d", numbers), "d"), array("d", numbers)
    for value in (0, 1.0, 2.5, math.nan, "text", None):
        assert view.count(value) == same.count(value)  # type: ignore[arg-type]
        for args in ((), (start,), (start, stop)):
            try:
                expected = same.index(value, *args)  # type: ignore[arg-type]
            except ValueError:
                with pytest.raises(ValueError, match="is not in this view"):
                    view.index(value, *args)
            else:
                assert view.index(value, *args) == expected


def test_views_are_sequences() -> None:
    from collections.abc import Sequence

    assert isinstance(VIEW, Sequence)
    assert [1 in VIEW, list(reversed(VIEW)), VIEW.index(3), VIEW.count(2)] == [True, [3, 2, 1], 2, 1]
    released = ao.view(b"abcd", "i")
    released.release()
    for call in (lambda: released.index(1), lambda: released.count(1)):
        with pytest.raises(ValueError, match="released"):
            call()


class Releasing:
    """Equal to nothing; it releases the view that is searched for it."""

    def __init__(self, view: ao.View) -> None:
        self.view = view

    def __eq__(self, other: object) -> bool:
        self.view.release()
        return False


def test_a_view_that_is_released_while_it_is_searched() -> None:
    for search in (ao.View.index, ao.View.count):
        view = ao.view(bytearray(16), "i")
        with pytest.raises(ValueError, match="released"):
            search(view, Releasing(view))
