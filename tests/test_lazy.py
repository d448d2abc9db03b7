"""Pipelines against the Python generator of the same stages: values, sums, exceptions and their order, streams."""

from __future__ import annotations

import functools
import io
import itertools
import math
import os
import pickle
import random
import statistics
import struct
import subprocess
import sys
import tracemalloc
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import TYPECODES, edge_values, same_array, same_error, same_scalar

#: Functions of one number; a pipeline is given each as text, as it is, or so that it cannot be compiled.
MAPS = [
    "x*x",
    "x + 1",
    "x / 2",
    "10 // x",
    "-x",
    "x if x > 1 else 0.5",
    "x > 2",
    "sqrt(x)",
    "x * 2**40",
    "x and 1 / (x - 2)",
    "x % 7",
    "abs(x)",
    "1.5",
    "float(x)",
    "x ** 2",
]
FILTERS = [
    "x > 0",
    "x",
    "x % 2 == 0",
    "1 / x < 3",
    "x != 2 and 5 // (x - 2) < 3",
    "x < 1e6",
    "False",
    "True",
    "not x",
    "x == x",
]


def opaque(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same function, in a form that is never compiled."""
    return functools.partial(lambda f, x: f(x), function)


Stages = list[tuple[bool, str, str]]  # filter or map, text, how it is given
STAGE = st.one_of(
    st.tuples(st.just(False), st.sampled_from(MAPS), st.sampled_from(["text", "lambda", "opaque"])),
    st.tuples(st.just(True), st.sampled_from(FILTERS), st.sampled_from(["text", "lambda", "opaque"])),
)


def function_of(text: str) -> Callable[[Any], Any]:
    function: Callable[[Any], Any] = eval(f"lambda x: {text}", {"sqrt": math.sqrt})
    return function


def pipeline(source: Any, stages: Stages) -> ao.Pipeline:
    p = ao.lazy(source)
    for keeps, text, how in stages:
        f: Any = (
            text
            if how == "text" and "x" in text
            else function_of(text)
            if how != "opaque"
            else opaque(function_of(text))
        )
        p = p.filter(f) if keeps else p.map(f)
    return p


def generated(values: Any, stages: Stages) -> Iterator[Any]:
    """Python's generator of the same stages."""
    for keeps, text, _ in stages:
        values = filter(function_of(text), values) if keeps else map(function_of(text), values)
    return iter(values)


def outcome(call: Callable[[], Any]) -> Any:
    """The value, or the exception."""
    try:
        return call()
    except Exception as error:
        return error


def agree(got: Any, want: Any) -> bool:
    if isinstance(want, Exception) or isinstance(got, Exception):
        return isinstance(got, type(want)) and same_error(got, want)
    if isinstance(want, array):
        return same_array(got, want)
    if isinstance(want, (list, tuple)):
        return len(got) == len(want) and all(map(same_scalar, got, want))
    return same_scalar(got, want)


@st.composite
def sources(draw: st.DrawFn) -> array[Any]:
    code = draw(st.sampled_from(TYPECODES))
    length = draw(st.sampled_from([0, 1, 2, 5, 100, 3000]))
    pool = draw(st.lists(st.sampled_from([x for x in edge_values(code) if x == x] + [0, 1, 2, 3, 4, 5]), min_size=1))
    rng = random.Random(draw(st.integers(0, 99)))
    return array(code, [rng.choice(pool) for _ in range(length)])


def rounded(values: list[Any]) -> Any:
    """The sum: exact, and rounded once if there is a float."""
    if not any(isinstance(v, float) for v in values):
        return sum(values)
    return math.fsum(values)


@given(sources(), st.lists(STAGE, max_size=5))
def test_values(source: array[Any], stages: Stages) -> None:
    p = pipeline(source, stages)
    before = source.tobytes()
    want = outcome(lambda: list(generated(source, stages)))
    assert agree(outcome(lambda: list(p)), want)
    for code in (None, "d", "q", "B"):
        stored = outcome(lambda c=code: array(c or source.typecode, generated(source, stages)))
        got = outcome(lambda c=code: p.collect(c))
        assert agree(got, stored) or (isinstance(stored, TypeError) and "pass typecode='d'" in str(got)), (
            code,
            got,
            stored,
        )
    assert source.tobytes() == before


@given(sources(), st.lists(STAGE, max_size=4))
def test_results(source: array[Any], stages: Stages) -> None:
    p = pipeline(source, stages)
    want = outcome(lambda: list(generated(source, stages)))
    if isinstance(want, Exception):
        for result in (
            p.sum,
            p.mean,
            p.min,
            p.max,
            p.count,
            p.stats,
            lambda: p.reduce("acc + x"),
            lambda: p.to(io.BytesIO()),
        ):
            assert isinstance(outcome(result), Exception)
        assert agree(outcome(p.count), want) and agree(outcome(p.sum), want)
        return
    assert p.count() == len(want)
    assert agree(outcome(p.min), outcome(lambda: min(want))) or not want
    assert agree(outcome(p.max), outcome(lambda: max(want))) or not want
    total = outcome(lambda: rounded(want))
    got = outcome(p.sum)
    if isinstance(total, Exception):
        assert isinstance(got, (type(total), float))
    else:
        assert same_scalar(got, total) or (not want and got == 0)
    assert agree(outcome(lambda: p.reduce("acc if acc > x else x")), outcome(
        lambda: functools.reduce(lambda acc, x: acc if acc > x else x, want)))  # fmt: skip
    assert agree(p.reduce(lambda acc, x: x, 0), functools.reduce(lambda acc, x: x, want, 0))
    if want and all(math.isfinite(v) for v in want) and not isinstance(total, Exception):
        exact = [Fraction(v) for v in want]
        mean = sum(exact) / len(exact)
        found = p.stats()
        variance = sum((v - mean) ** 2 for v in exact) / len(exact)
        assert found.count == len(want) and same_scalar(found.sum, total) and found.min == min(want)
        assert same_scalar(found.var, nearest(variance)) and same_scalar(p.mean(), float(total) / len(want))


def nearest(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf


@given(sources(), st.lists(STAGE, max_size=3), st.lists(st.integers(0, 3000), max_size=4))
def test_streams_are_their_concatenation(source: array[Any], stages: Stages, cuts: list[int]) -> None:
    places = sorted({0, *(min(c, len(source)) for c in cuts), len(source)})
    parts = [source[a:b] for a, b in itertools.pairwise(places)] or [source]
    whole = pipeline(source, stages)
    for ask in (list, ao.Pipeline.sum, ao.Pipeline.count, ao.Pipeline.min, ao.Pipeline.max, ao.Pipeline.stats,
                ao.Pipeline.collect, lambda p: p.reduce("acc if acc > x else x", 0)):  # fmt: skip
        want = outcome(lambda a=ask: a(whole))
        for stream in (parts, iter(parts), (p for p in parts)):
            assert agree(outcome(lambda a=ask, s=stream: a(pipeline(s, stages))), want)


# ------------------------------------------------------------------------------------------------ exceptions


@pytest.mark.parametrize("how", list(itertools.product(["text", "lambda", "opaque"], repeat=3)))
@pytest.mark.parametrize("at", [(10, 5), (5, 10), (7000, 20_000), (20_000, 7000), (100, 99)])
def test_the_first_exception_is_the_generators(how: tuple[str, ...], at: tuple[int, int]) -> None:
    source = array("i", range(1, 30_001))
    stages: Stages = [(False, f"x if x != {at[0]} else x // 0", how[0]), (True, "x > 0", how[1]),
                      (False, f"x if x != {at[1]} else (x - x) % (x - x)", how[2])]  # fmt: skip
    got = outcome(lambda: pipeline(source, stages).sum())
    assert agree(got, outcome(lambda: sum(generated(source, stages))))
    seen = []
    got = outcome(lambda: seen.extend(pipeline(source, stages)))
    assert isinstance(got, ZeroDivisionError)
    values = iter(pipeline(source, stages))
    assert list(itertools.islice(values, min(at) - 1)) == list(range(1, min(at)))
    with pytest.raises(ZeroDivisionError):
        next(values)


def test_callables_are_called_once_and_in_order() -> None:
    seen: list[int] = []

    def note(x: int) -> int:
        seen.append(x)
        return x

    p = ao.lazy(array("i", range(20_000))).map("x + 1").map(opaque(note)).filter("x > 5")
    assert seen == []
    assert p.sum() == sum(range(6, 20_001)) and seen == list(range(1, 20_001))


def test_captured_numbers_are_read_when_it_runs() -> None:
    limit = 2
    p = ao.lazy(array("i", range(10))).filter(lambda x: x > limit)
    assert p.count() == 7
    limit = 8
    assert p.count() == 1
    limit = 8.5  # type: ignore[assignment]
    assert p.count() == 1 and p.collect() == array("i", [9])


# ------------------------------------------------------------------------------------------------ bad input


def test_arrow_data_that_is_not_iterable() -> None:
    source = array("d", [1.0, 2.0, 3.0])
    p = ao.lazy(ao.to_arrow(source)).map("x * 2").filter("x > 2")
    assert p.collect() == array("d", [4.0, 6.0]) and p.sum() == 10.0
    assert list(ao.lazy(ao.to_arrow(source)).map(str)) == ["1.0", "2.0", "3.0"]


def test_what_is_no_pipeline() -> None:
    p = ao.lazy(array("i", [1, 2]))
    with pytest.raises(TypeError, match="buffer or an iterable"):
        ao.lazy(5)
    with pytest.raises(TypeError):
        ao.lazy_array([array("i", [1])])
    with pytest.raises(ao.ExpressionError):
        p.map("x +")
    with pytest.raises(TypeError, match="position"):
        p.map("x + y")
    with pytest.raises(TypeError, match="no name"):
        p.map("x + 1", z=2)
    with pytest.raises(TypeError, match="number"):
        p.takewhile("x < y", y=array("i", [1, 2]))
    with pytest.raises(TypeError, match="callable"):
        p.map(opaque(abs), y=1)
    with pytest.raises(TypeError, match="callable is needed"):
        p.map(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="typecode"):
        p.collect("x")
    with pytest.raises(TypeError, match="pass typecode='d'"):
        p.map("x / 2").collect()
    with pytest.raises(TypeError, match="pass typecode='d'"):
        p.map("x").filter("x > 1").map("x / 2").collect()
    assert p.filter("x > 5").map("x / 2").collect() == array("i")
    with pytest.raises(TypeError, match="numbers to be added up"):
        p.map(str).sum()
    with pytest.raises(TypeError):
        p.map(str).collect()
    assert list(p.map(str)) == ["1", "2"]
    with pytest.raises(ao.NotCompilable):
        ao.lazy(array("d", [0.0]), ieee=True).map(str)


def test_values_from_python_where_there_is_no_filter() -> None:
    p = ao.lazy(array("Q", [2**63, 0])).map("x*10**12 > 0")  # the product is too large for the machine
    assert p.count() == 2 and p.sum() == 1 and p.collect() == array("Q", [1, 0])
    assert (p.min(), p.max()) == (False, True) and type(p.max()) is bool
    roots = ao.lazy(array("d", [4.0, -1.0])).map("x**0.5")
    for ask in (ao.Pipeline.sum, ao.Pipeline.max, ao.Pipeline.count, ao.Pipeline.stats):
        with pytest.raises(TypeError, match="numbers to be added up, not complex"):
            ask(roots)


BOOLS = ["max(x, x == x) & (x < 10)", "(x if x else x == x) ^ (x == 0)", "(x or x == x) | (x > 5)",
         "min(x, x > 0) & True", "(x and x > 1) & (x if x else x == x)"]  # fmt: skip


@pytest.mark.parametrize("text", BOOLS)
def test_bits_of_what_may_be_a_bool_are_bools(text: str) -> None:
    """& | ^ of two bools are bools for Python, also where one of them is an int for other elements."""
    a, step = array("b", [0, 1, 2, 7]), eval(f"lambda x: {text}")
    wanted = [(type(v), v) for v in map(step, a)]
    for f in (text, step):
        assert [(type(v), v) for v in ao.lazy(a).map(f)] == wanted
    fold = eval(f"lambda acc, x: {text}")
    for n in range(1, len(a)):
        got, want = ao.reduce(a[:n], text, 5), functools.reduce(fold, a[:n], 5)
        assert (type(got), got) == (type(want), want)


def test_streams_that_change_or_break() -> None:
    with pytest.raises(TypeError, match="buffer 1 of the stream has typecode 'd', those before it have 'i'"):
        ao.lazy([array("i", [1]), array("d", [1])]).map("x").sum()
    with pytest.raises(TypeError):
        ao.lazy([[1, 2]]).sum()

    def breaks() -> Iterator[array[int]]:
        yield array("i", [1])
        raise ConnectionError("gone")

    for ask in (ao.Pipeline.sum, ao.Pipeline.collect, list, lambda p: p.to(io.BytesIO())):
        with pytest.raises(ConnectionError):
            ask(ao.lazy(breaks()).map("x + 1"))
    assert ao.lazy([]).sum() == 0 and ao.lazy([]).collect() == array("d") and ao.lazy(iter([])).count() == 0
    for ask in (ao.Pipeline.mean, ao.Pipeline.stats):
        with pytest.raises(statistics.StatisticsError):
            ask(ao.lazy([]))
    for ask in (ao.Pipeline.min, ao.Pipeline.max):
        with pytest.raises(ValueError, match="without values"):
            ask(ao.lazy([]))


def test_a_source_cannot_be_resized_between_chunks() -> None:
    source = array("i", range(50_000))

    def grow(x: int) -> int:
        if x == 20_000:
            source.append(1)
        return x

    with pytest.raises(BufferError):
        ao.lazy(source).map(opaque(grow)).sum()
    source.append(1)


def test_to_buffers_and_files() -> None:
    source = array("h", range(20_000))
    p = ao.lazy(source).map("x*2").filter("x % 3 == 0")
    want = [2 * x for x in source if 2 * x % 3 == 0 and 2 * x < 2**15]
    p = p.filter("x < 32768")
    out = array("d", [-1.0]) * 10_000
    assert p.to(out) == len(want) and out[: len(want)].tolist() == want and out[len(want)] == -1
    records = bytearray(12 * len(want))
    assert p.to(ao.view(records, ">h", 4, 12)) == len(want)
    assert ao.view(records, ">h", 4, 12).tolist() == want
    small = array("i", [-1] * 10)
    with pytest.raises(ValueError, match="room for 10 elements"):
        p.to(small)
    assert small.tolist() == want[:10]
    file = io.BytesIO()
    assert p.to(file, "i") == len(want) and array("i", file.getvalue()).tolist() == want
    assert ao.lazy([source[:5], source[5:9]]).to(sink := io.BytesIO()) == 9 and sink.getvalue() == source[:9].tobytes()
    with pytest.raises(TypeError, match="read-only"):
        p.to(bytes(100_000))


class Reluctant(io.RawIOBase):
    """A raw file that takes 7 bytes at a time at most."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.taken += bytes(data[:7])
        return min(len(data), 7)


def test_a_file_that_takes_a_part_at_a_time() -> None:
    file, source = Reluctant(), array("i", range(100))
    assert ao.lazy(source).map("x + 1").to(file) == 100
    assert file.taken == array("i", range(1, 101)).tobytes()


# ------------------------------------------------------------------------------------------------ what it says, pickles


def test_what_it_says() -> None:
    p = ao.lazy(array("d", [1.0])).map("x*k", k=2).filter(lambda x: x > 1).map(opaque(abs))
    assert repr(p).startswith("<arrayops.Pipeline .map('x*k', k=2).filter('x > 1').map(") and "array('d') of 1" in repr(
        p
    )
    assert "called once per element" in p.explain() and "MUL_f64" in p.explain()
    assert "<pre>" in p._repr_html_() and "&lt;" in p._repr_html_()
    assert "LT_f64" in ao.compile("x < 2")._repr_html_()
    assert "list_iterator of buffers" in repr(ao.lazy(iter([]))) and p.source() is p._source
    assert "over memoryview>" in repr(ao.lazy(memoryview(b"abcd").cast("B", (2, 2))))


# -- takewhile and dropwhile -------------------------------------------------------------------------------------------

WHILES = ["x < 3", "x != 0", "1 / x > -9", "x == x", "x * x < 50", "not x"]
STAGES_AROUND = ["x", "x + 1", "10 // x", "x * 0.5"]


@given(
    st.sampled_from("bBhiIqQfd"),
    st.lists(st.integers(0, 12), max_size=30),
    st.integers(0, 9000),
    st.lists(
        st.tuples(st.sampled_from(["takewhile", "dropwhile", "map", "filter"]), st.integers(0, 5), st.integers(0, 2)),
        min_size=1, max_size=4,
    ),
    st.booleans(),
)  # fmt: skip
def test_whiles_against_itertools(
    code: str, end: list[int], many: int, stages: list[tuple[str, int, int]], stream: bool
) -> None:
    values = [1] * many + end
    source = array(code, values)
    parts = [source[:5], source[5:6], source[6:8000], source[8000:]]
    p = ao.lazy(iter(parts) if stream else source)
    expected: Iterator[Any] = iter(source.tolist())
    how = {"takewhile": itertools.takewhile, "dropwhile": itertools.dropwhile, "map": map, "filter": filter}
    for verb, which, kind in stages:
        text = (WHILES if verb.endswith("while") or verb == "filter" else STAGES_AROUND)[which % 4]
        python = function_of(text)
        f: Any = (text, python, opaque(python))[kind]
        p = getattr(p, verb)(f)
        expected = how[verb](python, expected)  # type: ignore[operator]
    got, want = drained(iter(p)), drained(expected)
    assert got == want
    if not stream and want[1] is None:
        assert p.count() == len(want[0])
        assert p.collect("d") == array("d", want[0])
        if want[0]:
            assert p.stats().max == max(want[0])


def drained(values: Iterator[Any]) -> tuple[list[Any], Any]:
    done: list[Any] = []
    try:
        for value in values:
            done.append(value)
    except Exception as error:
        return done, type(error)
    return done, None


def test_takewhile_reads_no_further() -> None:
    read = []

    def endless() -> Iterator[array[int]]:
        for n in itertools.count():
            read.append(n)
            yield array("i", range(10 * n, 10 * n + 10))

    p = ao.lazy(endless()).takewhile("x < 25")
    assert p.sum() == sum(range(25)) and read == [0, 1, 2]
    asked = []
    q = ao.lazy(array("i", [5, 3, 0, 7])).takewhile(lambda x: asked.append(x) or x)
    assert list(q) == [5, 3] and asked == [5, 3, 0]
    assert ao.lazy(array("i", [5, 0])).map("10 // x").takewhile("x > 5").collect() == array("i")
    nothing = ao.lazy(array("h")).takewhile("x").dropwhile("x")
    assert nothing.collect() == array("h") and nothing.count() == 0
    assert repr(p).startswith("<arrayops.Pipeline .takewhile('x < 25') over")
    assert "takewhile, compiled" in p.explain() and "dropwhile, called" in q.dropwhile(opaque(abs)).explain()
    again = pickle.loads(pickle.dumps(ao.lazy(array("i", range(9))).dropwhile("x < k", k=4)))
    assert again.collect() == array("i", range(4, 9))
    with pytest.raises(TypeError, match="needs 2 values"):
        ao.lazy(array("i", [1])).takewhile("x + y")


def test_to_writes_what_dropwhile_leaves_into_its_own_source() -> None:
    a = array("i", range(20_000))
    p = ao.lazy(a).dropwhile("x < 5000")
    assert p.to(a) == 15_000
    assert a == array("i", [*range(5000, 20_000), *range(15_000, 20_000)])


def double(x: float) -> float:
    return x * 2


def test_pickles() -> None:
    p = ao.lazy(array("d", range(5000))).map("x*k", k=0.5).filter(double).map(double)
    again = pickle.loads(pickle.dumps(p))
    assert again.sum() == p.sum() == sum(range(5000)) and repr(again) == repr(p)
    restore = p.__reduce__()[0]
    for bad in (5, [(1, 2, 3)], [("map", ao.compile("x"), [])], [(True, ao.compile("x"), {})],
                [("sum", ao.compile("x"), {})], [(["map"], ao.compile("x"), {})], [("filter", ao.compile("x+y"), {})],
                [("map", ao.compile("x"), {"x": 2})], [("map", ao.compile("x+y"), {"y": "2"})]):  # fmt: skip
        with pytest.raises(ValueError, match="damaged"):
            restore(array("d", [1]), bad, False)


def test_memory_does_not_grow_with_the_input() -> None:
    source = array("d", bytes(8 * 2_000_000))
    for p in (ao.lazy(source).map("x*x + 1").filter("x > 0.25"), ao.lazy(source).map(opaque(abs)).filter("x < 1")):
        p.count()
        tracemalloc.start()
        p.sum(), p.stats(), p.max()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4_000_000, p  # a chunk of Python floats is 0.5 MB, the source 16 MB


def test_ieee() -> None:
    p = ao.lazy(array("d", [0.0, 4.0]), ieee=True).map("1 / x").filter("x > 1")
    assert list(p) == [math.inf]
    with pytest.raises(ZeroDivisionError):
        ao.lazy(array("d", [0.0])).map("1 / x").sum()
    mixed = ao.lazy(array("d", [0.0, 4.0])).map(ao.compile("1 / x", ieee=True))
    assert list(mixed) == [math.inf, 0.25]


def test_to_a_buffer_that_shares_memory_with_the_source() -> None:
    for f in ("x + 0", opaque(lambda x: x)):
        shifted, turned = array("i", range(20_001)), array("i", range(20_000))
        ao.lazy(memoryview(shifted)[:-1]).map(f).to(memoryview(shifted)[1:])
        assert shifted.tolist() == [0, *range(20_000)]
        ao.lazy(turned).map(f).to(memoryview(turned)[::-1])
        assert turned.tolist() == list(range(20_000))[::-1]


def test_a_pipeline_is_the_first_thing_a_process_loads() -> None:
    data = pickle.dumps(ao.lazy(b"ao").map("x + 1"))
    text = f"import pickle; print(pickle.loads({data!r}).sum()); import arrayops; arrayops.lazy(b'ao')"
    found = subprocess.run([sys.executable, "-c", text], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                           check=True, capture_output=True)  # fmt: skip
    assert int(found.stdout) == sum(b"ao") + 2


def test_means_of_special_numbers_raise_as_sums_do() -> None:
    for numbers, error in (([math.inf, -math.inf], ValueError), ([1e308, 1e308], OverflowError)):
        for ask in (ao.Pipeline.sum, ao.Pipeline.mean):
            with pytest.raises(error):
                ask(ao.lazy(array("d", numbers)))
    assert ao.lazy(array("d", [math.inf, 1.0])).mean() == math.inf


# ------------------------------------------------------------------------------------------------ threads

#: Adds nothing to a finite x, and takes so long that 100,000 elements are worth several threads.
SLOWLY = "".join(f" + 0*atan(x*{k})" for k in range(1, 12))


@pytest.fixture(params=[1, 2, 3, 7])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = ao.set_num_threads(request.param)
    yield request.param
    ao.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("length", [99_999, 100_000, 16_384 * 6, 16_384 * 6 + 1])
def test_threads_give_the_same_bits(length: int) -> None:
    rng = random.Random(length)
    source = array("d", [rng.choice([1e16, 1.0, -1e16, rng.random(), -0.0, 5e-324]) for _ in range(length)])
    wide = ao.view(bytearray(11 * length), ">d" if length % 2 else "d", 1, 11, length)
    ao.map(source, "x", out=wide)
    kept = [x for x in source if x < 2]
    for values in (source, wide):
        p = ao.lazy(values).map("x" + SLOWLY).filter("x < 2")
        assert same_scalar(p.sum(), math.fsum(kept)) and p.count() == len(kept) and p.min() == min(kept)
        assert p.stats() == ao.stats(array("d", kept)) and p.mean() == math.fsum(kept) / len(kept)
        assert same_scalar(ao.lazy(values).map("x" + SLOWLY).sum(), math.fsum(source))


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("places", [(20_000, 90_000), (90_000, 20_000), (99_999, 0), (50_001, 50_000), (3, 16_390)])
def test_threads_raise_what_comes_first(places: tuple[int, int]) -> None:
    source = array("d", [2.0]) * 100_000
    source[places[0]], source[places[1]] = 0.0, -4.0
    want = ZeroDivisionError if places[0] < places[1] else ValueError
    for p in (ao.lazy(source).map("sqrt(x) + 1/x" + SLOWLY), ao.lazy(source).filter("sqrt(x) + 1/x > 0" + SLOWLY)):
        for ask in (ao.Pipeline.sum, ao.Pipeline.count, ao.Pipeline.stats):
            with pytest.raises(want):
                ask(p)


@pytest.mark.usefixtures("threads")
def test_threads_leave_odd_elements_to_python() -> None:
    source = array("q", [3, 2**40, -5, 2**62]) * 25_000
    slowly = SLOWLY.replace("+ 0*", "+ 0*int(").replace("atan(x*", "1e3*atan(x*").replace(")", "))")
    values = [x * x for x in source if x > 0]
    p = ao.lazy(source).filter("x > 0").map("x*x" + slowly)
    assert p.sum() == sum(values) and p.count() == len(values) and p.stats().max == 2**124
    marked = ao.lazy(array("d", range(100_000))).map(lambda x: math.gamma(x % 5 + 1) + 0 * math.atan(x))
    assert marked.sum() == sum(math.gamma(x % 5 + 1) for x in range(100_000))


def test_remembered_pipelines_tell_numbers_apart() -> None:
    """Also one nan from another, as bits, and 1 from 1.0 and True."""
    a = array("d", [0.0, 2.0])
    for k in (1, 1.0, True, 0.0, -0.0, math.nan, -math.nan, 2**70):
        for text in ("x or k", "-k*x"):
            got, want = list(ao.lazy(a).map(text, k=k)), [eval(text, {"x": x, "k": k}) for x in a]
            assert [struct.pack("d", v) for v in got] == [struct.pack("d", v) for v in want], (text, k)
            assert [type(v) for v in got] == [type(v) for v in want], (text, k)
