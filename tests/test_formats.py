"""Element formats that array.array has not: truth values, half floats, integers of 24 bits; formats' names; times.

The models: struct for '?' and 'e' (values, rounding, OverflowError), int.from_bytes and int.to_bytes for 24 bits, and
Python itself for everything computed from them. Every format is tried in both byte orders, side by side and spread out.
"""

from __future__ import annotations

import ctypes
import datetime
import functools
import itertools
import math
import pickle
import random
import statistics
import struct
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arrayops as ao
import numpy
import pandas as pd
import polars
import pyarrow
import pytest
from arrayops import _machine
from hypothesis import given
from hypothesis import strategies as st

SIZES = {"?": 1, "e": 2, "i3": 3, "u3": 3}
FORMATS = [order + code for code in SIZES for order in ("", "<", ">")]
RANGES = {"i3": (-(1 << 23), (1 << 23) - 1), "u3": (0, (1 << 24) - 1)}
EDGES: dict[str, list[Any]] = {
    "?": [False, True, True, False],
    "e": [
        0.0,
        -0.0,
        1.5,
        -2.0,
        65504.0,
        -65504.0,
        2.0**-24,
        -(2.0**-24),
        63 * 2.0**-20,
        math.inf,
        -math.inf,
        1365 / 4096,
    ],
    "i3": [0, 1, -1, 8388607, -8388608, 255, 256, -256, 65536],
    "u3": [0, 1, 16777215, 255, 256, 65536, 8388608],
}


def code_of(form: str) -> str:
    return form.lstrip("<>")


def packed(form: str, value: Any) -> bytes:
    """One element as struct or int has it."""
    code, order = code_of(form), {"<": "little", ">": "big"}.get(form[0], sys.byteorder)
    if code in RANGES:
        return int(value).to_bytes(3, order, signed=code == "i3")  # type: ignore[arg-type]
    return struct.pack(form, float(value) if code == "e" else value)


def unpacked(form: str, data: bytes) -> Any:
    code, order = code_of(form), {"<": "little", ">": "big"}.get(form[0], sys.byteorder)
    if code in RANGES:
        return int.from_bytes(data, order, signed=code == "i3")  # type: ignore[arg-type]
    return struct.unpack(form, data)[0]


def view_of(form: str, values: list[Any], gap: int = 0, offset: int = 0) -> Any:
    """A writable view of these values, `gap` bytes between them."""
    size = SIZES[code_of(form)]
    raw = bytearray(b"\xa5" * (offset + len(values) * (size + gap)))
    for i, value in enumerate(values):
        raw[offset + i * (size + gap) : offset + i * (size + gap) + size] = packed(form, value)
    return ao.view(raw, form, offset, size + gap, len(values))


def values_of(code: str) -> st.SearchStrategy[Any]:
    if code == "?":
        return st.booleans()
    return st.floats(width=16) if code == "e" else st.integers(*RANGES[code])


@st.composite
def layouts(draw: st.DrawFn) -> tuple[str, list[Any], Any]:
    form = draw(st.sampled_from(FORMATS))
    code = code_of(form)
    few = draw(st.lists(values_of(code), max_size=12))
    values = (few + EDGES[code]) * draw(st.sampled_from([0, 1, 1, 2, 300]))
    return form, values, view_of(form, values, draw(st.integers(0, 5)), draw(st.integers(0, 5)))


def same(found: Any, wanted: Any) -> bool:
    """Equal in type and value, the sign of zero included; nans are equal."""
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if type(found) is not type(wanted):
        return False
    if isinstance(wanted, float):
        return (found == wanted and math.copysign(1, found) == math.copysign(1, wanted)) or (
            found != found and wanted != wanted
        )
    return bool(found == wanted)


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error), str(error).partition("; pass typecode=")[0]


def stored(code: str, values: list[Any]) -> Any:
    """The values as elements of this format, or the exception of the first that does not fit."""
    kept = []
    for value in values:
        if code in RANGES and not RANGES[code][0] <= value <= RANGES[code][1]:
            sign, end = ("signed", "greater than maximum") if code == "i3" else ("unsigned", "greater than maximum")
            end = "less than minimum" if value < RANGES[code][0] else end
            return OverflowError, f"{sign} 24-bit integer is {end}"
        try:
            kept.append(unpacked(code, packed(code, value)))
        except OverflowError as error:
            return type(error), str(error)
    return kept


def listed(result: Any) -> Any:
    return result if isinstance(result, tuple) else result.tolist()


# -- in ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_elements_are_those_of_the_model(form: str) -> None:
    code = code_of(form)
    for gap, offset in itertools.product((0, 1, 5), (0, 1, 2)):
        view = view_of(form, EDGES[code], gap, offset)
        assert same(view.tolist(), EDGES[code]) and view.itemsize == SIZES[code]
        assert same(list(view[::-1]), EDGES[code][::-1]) and same(view[1], EDGES[code][1])
        assert same(ao.map(view, "x", typecode={"?": "B", "e": "d"}.get(code, "i")).tolist(),
                    [int(x) if code == "?" else x for x in EDGES[code]])  # fmt: skip
        assert _machine.buffer_info(view)[0] == code


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_half_float_is_taken_in_exactly(order: str) -> None:
    raw = struct.pack(f"{order}65536H", *range(65536))
    wanted = list(struct.unpack(f"{order}65536e", raw))
    view = ao.view(raw, f"{order}e")
    assert same(view.tolist(), wanted)
    assert same(ao.map(view, "x", typecode="d").tolist(), wanted)
    finite = [x for x in wanted if math.isfinite(x)]
    assert ao.sum(ao.filter(view, "isfinite(x)")) == math.fsum(finite)


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_third_24_bit_integer(order: str) -> None:
    numbers = range(-(1 << 23), 1 << 23, 4099)
    for code, bias in (("i3", 0), ("u3", 1 << 23)):
        raw = b"".join(packed(order + code, n + bias) for n in numbers)
        assert ao.map(ao.view(raw, order + code), "x", typecode="i").tolist() == [n + bias for n in numbers]


def test_any_byte_but_zero_is_true() -> None:
    raw = bytes(range(256)) * 9
    c_bools = (ctypes.c_bool * len(raw)).from_buffer_copy(raw)
    views = ao.view(raw, "?"), memoryview(raw).cast("?"), numpy.frombuffer(raw, bool), ao.view(raw, "?")[::1], c_bools
    for source in views:
        wanted = [bool(x) for x in raw]
        assert ao.map(source, "x + 0", typecode="h").tolist() == [int(x) for x in wanted]
        assert ao.sum(source) == sum(wanted) and ao.count(source) == sum(wanted)
        assert ao.map(source, "x & True", typecode="?").tolist() == wanted
        assert ao.map(source, "x == True", typecode="B").tolist() == [int(x) for x in wanted]
        assert bytes(_machine.copy_array(source)) == bytes(wanted)
        assert ao.count(source, "x in (True, 5)") == sum(wanted)


def test_a_writer_beside_us_leaves_truth_values_0_and_1() -> None:
    """Bytes are read once, so a thread that writes others gives wrong answers, but never a truth that is neither."""
    raw = bytearray(b"\1" * 100_000)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            raw[:] = b"\xff" * len(raw)
            raw[:] = bytes(len(raw))

    view = ao.view(raw, "?")

    def look() -> None:
        for text in ("x", "x == x", "x & x", "x or x", "not x", "x if x else x"):
            assert set(bytes(ao.map(view, text, typecode="?"))) <= {0, 1}
        assert set(ao.map(view, "x + x", typecode="b").tolist()) <= {0, 2}
        assert set(bytes(ao.filter(view, "x or not x"))) <= {0, 1} and 0 <= ao.count(view) <= len(raw)
        assert 0 <= ao.sum(view) <= len(raw) and ao.max(view) in (False, True)

    look()  # compiles the texts, which takes long beside another thread on CPython 3.13 without the GIL
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            look()
    finally:
        stop.set()
        writer.join()


# -- out ---------------------------------------------------------------------------------------------------------------


def halfway() -> list[float]:
    """All ties between halves, with the doubles next to them."""
    halves = [struct.unpack("<e", struct.pack("<H", bits))[0] for bits in range(0x7C00)] + [65536.0]
    ties = [(a + b) / 2 for a, b in itertools.pairwise(halves)]
    near = [math.nextafter(x, to) for x in ties for to in (0.0, math.inf)]
    return [s * x for x in ties + near + halves[:-1] for s in (1.0, -1.0)]


def halves_of(values: list[float]) -> list[float]:
    return [unpacked("e", packed("e", x)) for x in values]


def fits_half(x: float) -> bool:
    return not 65520 <= abs(x) < math.inf


def test_doubles_are_rounded_to_halves_once() -> None:
    rng = random.Random(11)
    values = halfway() + [rng.uniform(-1, 1) * 2.0 ** rng.randint(-30, 17) for _ in range(100_000)]
    values = [x for x in values if fits_half(x)] + [math.inf, -math.inf, math.nan, 5e-324, -1e-300]
    wanted = halves_of(values)
    assert same(ao.map(array("d", values), "x", typecode="e").tolist(), wanted)
    for form in ("<e", ">e"):
        out = view_of(form, [0.0] * len(values), gap=1)
        ao.map(array("d", values), "x * 1.0", out=out)
        assert same(out.tolist(), wanted)


@pytest.mark.parametrize("x", [65520.0, -65520.0, 1e5, -1e308, 1e155, sys.float_info.max, math.nextafter(65520, 0)])
def test_what_is_too_large_for_a_half(x: float) -> None:
    wanted = outcome(lambda: [struct.unpack("e", struct.pack("e", x))[0]])
    for ieee in (False, True):
        assert outcome(lambda ieee=ieee: ao.map(array("d", [x]), "x", typecode="e", ieee=ieee).tolist()) == wanted
    assert outcome(lambda: ao.map(array("d", [x]), lambda v: v, typecode="e").tolist()) == wanted
    view = view_of("e", [1.0])
    assert outcome(lambda: [view.__setitem__(0, x), view[0]][1:]) == wanted


@pytest.mark.parametrize("source", ["q", "Q", "d", "b", "i3", "u3", "e", "?"])
@pytest.mark.parametrize("target", ["?", "e", "i3", "u3"])
def test_every_type_into_every_format(source: str, target: str) -> None:
    edges: dict[str, list[Any]] = {
        "q": [0, 1, -1, 8388607, 8388608, -8388608, -8388609, 16777215, 16777216, 2**62, -(2**63), 65519, 65520],
        "Q": [0, 1, 8388607, 8388608, 16777215, 16777216, 2**64 - 1, 65504], "b": [0, 1, -128, 127],
        "d": [0.0, -0.0, 1.25, math.nan, math.inf, 65519.99, 65520.0, 1e300], **EDGES,
    }  # fmt: skip
    for value in edges[source]:
        data = view_of(source, [value]) if source in SIZES else array(source, [value])
        found = outcome(lambda data=data: listed(ao.map(data, "x", typecode=target)))
        called = outcome(lambda data=data: listed(ao.map(data, lambda x: x, typecode=target, compile=False)))
        if target in RANGES and isinstance(value, float):
            assert found[0] is TypeError and called[0] is TypeError
            continue
        wanted = stored(target, [value])
        assert same(found, wanted) and same(called, wanted), (value, found, called, wanted)


def test_a_store_that_fails_waits_for_all_elements() -> None:
    with pytest.raises(ZeroDivisionError):
        ao.map(array("i", [1 << 23, 0]), "x if x else 1 // x", typecode="i3")
    view = view_of("<i3", [1, 2, 8388607, 5])
    with pytest.raises(OverflowError, match="signed 24-bit integer is greater than maximum"):
        ao.map_inplace(view, "x + 1")
    assert view.tolist() == [2, 3, 8388607, 5]


TEXTS = ["x", "x // 2", "x * x % 1000", "0 - x", "x + 1", "x if x > 5 else 1", "x > 1", "x & 255", "x * 0.5", "x == x"]


@given(layouts(), st.sampled_from(TEXTS))
def test_map_in_place_and_out(layout: tuple[str, list[Any], Any], text: str) -> None:
    form, values, view = layout
    code = code_of(form)
    function = eval(f"lambda x: {text}")
    try:
        wanted: Any = stored(code, [function(x) for x in values])
    except (TypeError, ValueError, ArithmeticError) as error:
        wanted = type(error), str(error)
    results = [function(x) for x in values] if not isinstance(wanted, tuple) else []
    if code in RANGES and any(isinstance(x, float) for x in results):
        wanted = (TypeError, "")
    found = outcome(lambda: listed(ao.map(view, text)))
    if isinstance(wanted, tuple):
        assert isinstance(found, tuple) and found[0] is wanted[0]
        return
    assert same(found, wanted)
    out = view_of(form, values, gap=2)
    assert ao.map(view, text, out=out) is out and same(out.tolist(), wanted)
    ao.map_inplace(view, text)
    assert same(view.tolist(), wanted)


# -- through everything ------------------------------------------------------------------------------------------------


@given(layouts())
def test_filter_reductions_and_order(layout: tuple[str, list[Any], Any]) -> None:
    form, values, view = layout
    values = [x for x in values if x == x]
    view = ao.filter(view, "x == x")
    assert same(view.tolist(), values) and _machine.buffer_info(view)[0] == code_of(form)
    assert same(ao.filter(view, "x > 0").tolist(), [x for x in values if x > 0])
    assert same(ao.filter(view, lambda x: x > 0, compile=False).tolist(), [x for x in values if x > 0])
    assert ao.count(view) == sum(1 for x in values if x) and ao.any(view) == any(values) and ao.all(view) == all(values)
    assert same(ao.unique(view).tolist(), sorted(set(values)))
    finite = [x for x in values if math.isfinite(x)]
    total = ao.sum(ao.filter(view, "isfinite(x)"))
    assert same(total, math.fsum(finite) if code_of(form) == "e" else sum(finite))
    if values:
        assert same(ao.min(view), min(values)) and same(ao.max(view), max(values))
        assert same(ao.minmax(view), (min(values), max(values)))
        assert ao.argmin(view) == min(range(len(values)), key=values.__getitem__)
        assert same(ao.median(view), statistics.median(values))
    if finite:
        assert ao.mean(ao.filter(view, "isfinite(x)")) == statistics.fmean(finite)
    assert same(ao.accumulate(view, "x if x > acc else acc").tolist(), list(itertools.accumulate(values, max)))


@given(layouts())
def test_sort_and_reverse_in_place(layout: tuple[str, list[Any], Any]) -> None:
    _, values, view = layout
    ao.reverse(view)
    assert same(view.tolist(), values[::-1])
    ao.sort(view)
    numbers = [x for x in values if x == x]
    assert same(view.tolist(), sorted(numbers[::-1]) + [math.nan] * (len(values) - len(numbers)))


@given(layouts())
def test_folds(layout: tuple[str, list[Any], Any]) -> None:
    form, values, view = layout
    code = code_of(form)
    if code == "e":
        values = [x for x in values if math.isfinite(x)]
        view = ao.filter(view, "isfinite(x)")
    assert same(ao.reduce(view, "acc + x", 0), functools.reduce(lambda a, x: a + x, values, 0))
    sums = list(itertools.accumulate(values))
    wide = {"e": "d", "?": "q"}.get(code, "q")
    assert same(ao.accumulate(view, typecode=wide).tolist(), list(array(wide, sums)))
    found, wanted = outcome(lambda: listed(ao.accumulate(view))), stored(code, sums)
    assert same(found, wanted)
    assert same(outcome(lambda: listed(ao.accumulate(view, lambda a, x: a + x, compile=False))), wanted)


@given(layouts())
def test_pipelines(layout: tuple[str, list[Any], Any]) -> None:
    form, values, view = layout
    code = code_of(form)
    halves = [x for x in values if x > 0 and math.isfinite(x)]
    pipe = ao.lazy(view).filter("x > 0").filter("isfinite(x)")
    assert same(pipe.collect().tolist(), halves) and pipe.count() == len(halves)
    assert same(pipe.map("x + 1").sum(), math.fsum(x + 1 for x in halves) if code == "e" and halves
                else sum(x + 1 for x in halves) if code != "e" else pipe.map("x + 1").sum())  # fmt: skip
    assert same(list(pipe), halves)
    assert same(list(ao.lazy(view).filter(lambda x: (lambda: x > 0)()).filter("isfinite(x)")), halves)
    assert same(ao.lazy([view, view]).filter("x > 0").filter("isfinite(x)").collect().tolist(), halves * 2)
    out = view_of(form, [False if code == "?" else 0 if code in RANGES else 0.0] * len(values), gap=1)
    assert pipe.to(out) == len(halves) and same(out.tolist()[: len(halves)], halves)
    wanted = stored(code, [x * 300 for x in halves])
    found = outcome(lambda: listed(pipe.map("x * 300").collect()))
    assert same(found, wanted)


@given(layouts())
def test_statistics(layout: tuple[str, list[Any], Any]) -> None:
    form, values, view = layout
    numbers = [x for x in values if math.isfinite(x)]
    view = ao.filter(view, "isfinite(x)")
    if len(numbers) < 2:
        return
    found = ao.stats(view)
    plain = array("d", numbers) if code_of(form) == "e" else array("q", numbers)
    wanted = ao.stats(plain)
    assert found == wanted and same(found.min, min(numbers)) and same(found.max, max(numbers))
    running = ao.RunningStats(view[: len(numbers) // 2])
    running.update(view[len(numbers) // 2 :])
    assert running.stats() == wanted and pickle.loads(pickle.dumps(running)) == running
    assert ao.quantile(view, 0.25) == ao.quantile(plain, 0.25) and ao.dot(view, view) == ao.dot(plain, plain)


@pytest.mark.parametrize("form", FORMATS)
def test_files(form: str, tmp_path: Path) -> None:
    code = code_of(form)
    path = tmp_path / "data"
    path.write_bytes(b"".join(packed(form, x) for x in EDGES[code]))
    with ao.open(path, form) as numbers:
        assert same(numbers.tolist(), EDGES[code])
    with ao.open(path, form, mode="r+") as numbers:
        ao.reverse(numbers)
    assert path.read_bytes() == b"".join(packed(form, x) for x in EDGES[code][::-1])
    if SIZES[code] > 1:
        path.write_bytes(bytes(SIZES[code] + 1))
        with pytest.raises(ValueError, match="ends inside an element"):
            ao.open(path, form)
    with path.open("wb") as file:
        assert ao.lazy(view_of(form, EDGES[code])).to(file) == len(EDGES[code])
    assert path.read_bytes() == b"".join(packed(code, x) for x in EDGES[code])


def command(*args: str, data: bytes = b"") -> bytes:
    return subprocess.run([sys.executable, "-m", "arrayops", *args], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("form", [f for f in FORMATS if f[0] in "<>" or f == "?"])
def test_the_command_line(form: str) -> None:
    code = code_of(form)
    values = [x for x in EDGES[code] if math.isfinite(x)]
    data = b"".join(packed(form, x) for x in values)
    assert command("map", "x", "-t", form, data=data) == data
    assert command("filter", "x > 0", "-t", form, data=data) == b"".join(packed(form, x) for x in values if x > 0)
    lines = command("stats", "-t", form, data=data).decode().split()
    rows = dict(zip(lines[::2], lines[1::2], strict=True))
    total = math.fsum(values) if code == "e" else sum(values)
    assert rows["count"] == str(len(values)) and rows["sum"] == repr(total)
    number = repr if code == "e" else lambda x: repr(int(x))
    assert (rows["min"], rows["max"]) == (number(min(values)), number(max(values)))
    text = "".join(f"{number(x)}\n" for x in values).encode()
    assert command("map", "x", "-t", code, "--text", data=text) == text
    assert command("map", "x", "-t", form, "--to", ">d" if code == "e" else ">q", data=data) == b"".join(
        struct.pack(">d" if code == "e" else ">q", x) for x in values
    )


def test_many_elements_through_the_command_line() -> None:
    """More than one chunk, none of which is a whole number of 24-bit elements."""
    data = b"".join(packed(">i3", n) for n in range(-400_000, 400_000))
    assert command("map", "0 - x", "-t", ">i3", "--to", "<i3", data=data) == b"".join(
        packed("<i3", -n) for n in range(-400_000, 400_000)
    )


# -- what is given out, to whom ----------------------------------------------------------------------------------------


def test_masks_select() -> None:
    a = numpy.array([10.0, 20, 30])
    mask = ao.evaluate("x > 15", x=a)
    assert mask.dtype == bool and a[mask].tolist() == [20, 30]
    assert a[ao.map(a, "x > 15", typecode="?")].tolist() == [20, 30]
    out = numpy.zeros(3, bool)
    assert ao.map(a, "x > 15", out=out) is out and a[out].tolist() == [20, 30]
    assert ao.map(a, "x > 15").dtype == float  # the first array's type, unless another is asked for
    m1, m2 = a > 15, a < 25
    for text in ("p & q", "p | q", "p ^ q"):
        assert ao.evaluate(text, p=m1, q=m2).tolist() == eval(text, {"p": m1, "q": m2}).tolist()
        assert ao.evaluate(text, p=m1, q=m2).dtype == bool
        assert ao.map(m1, text, m2).dtype == bool


def test_evaluate_gives_each_library_its_truth_values() -> None:
    assert ao.evaluate("x > 1", x=array("d", [1, 2])) == array("B", [0, 1])
    assert ao.evaluate("x > 1", x=array("d", [1, 2]), typecode="?").tolist() == [False, True]
    series = ao.evaluate("x > 1", x=polars.Series("n", [1.0, 2.0]))
    assert series.dtype == polars.Boolean and series.to_list() == [False, True]
    column = ao.evaluate("x > 1", x=pyarrow.array([1.0, 2.0]))
    assert column.type == pyarrow.bool_() and column.to_pylist() == [False, True]
    chunks = pyarrow.chunked_array([[1.0, 2.0], [3.0]])
    assert ao.evaluate("x > 1", x=chunks).to_pylist() == [False, True, True]
    assert ao.evaluate("x + 1", x=numpy.array([1, 2])).dtype == numpy.int64
    assert ao.evaluate("x > 1", x=numpy.array([1, 2]), typecode="b").dtype == numpy.int8


@given(st.lists(st.booleans(), max_size=100), st.integers(0, 20))
def test_arrow_and_polars_columns_of_truth_values(values: list[bool], start: int) -> None:
    column = pyarrow.array([True] * start + values, pyarrow.bool_())[start:]
    assert ao.from_arrow(column).tolist() == values
    assert ao.sum(column) == sum(values)
    assert ao.map(column, "not x").to_pylist() == [not x for x in values]
    assert pyarrow.array(ao.to_arrow(ao.from_arrow(column))).to_pylist() == values
    series = polars.Series(values, dtype=polars.Boolean)
    assert ao.filter(series, "x").to_list() == [x for x in values if x]
    numbers = polars.Series([float(i) for i in range(len(values))], dtype=polars.Float64)
    assert ao.filter(numbers, "m", m=series).to_list() == numbers.filter(series).to_list()


def test_nulls_among_truth_values_are_an_error() -> None:
    with pytest.raises(ValueError, match="1 null"):
        ao.sum(pyarrow.array([True, None]))
    assert ao.from_arrow(pyarrow.array([True, None, False]), nulls="skip").tolist() == [True, False]
    assert ao.from_arrow(pyarrow.array([True, None, False]), nulls=0).tolist() == [True, False, False]


def test_half_floats_of_numpy_and_arrow() -> None:
    halves = numpy.array([1.0, 2.5, -3.0], numpy.float16)
    assert ao.map(halves, "x * 2").dtype == numpy.float16 and ao.map(halves, "x * 2").tolist() == [2.0, 5.0, -6.0]
    assert ao.sum(halves) == 0.5
    column = pyarrow.array(halves)
    assert ao.map(column, "x * 2").type == pyarrow.float16()
    assert [float(x) for x in ao.map(column, "x * 2").to_pylist()] == [2.0, 5.0, -6.0]
    assert pyarrow.array(ao.to_arrow(view_of(">i3", [1, -2]))).type == pyarrow.int32()


def test_results_that_array_has_no_type_for_are_views() -> None:
    result = ao.map(array("d", [1, 2]), "x > 1", typecode="?")
    assert isinstance(result, ao.View) and not result.readonly and memoryview(result).tolist() == [False, True]
    assert numpy.asarray(result).dtype == bool
    half = ao.map(array("d", [1, 2]), "x", typecode="e")
    assert numpy.asarray(half).dtype == numpy.float16 and bytes(half) == struct.pack("2e", 1, 2)
    three = ao.map(array("d", [1, 2]), "int(x)", typecode="i3")
    assert (three.format, three.itemsize, bytes(three)) == ("i3", 3, packed("i3", 1) + packed("i3", 2))
    large = ao.filter(ao.map(array("i", range(1000)), "x", typecode="i3"), "x < 2")
    assert large.tolist() == [0, 1]


# -- names of formats --------------------------------------------------------------------------------------------------

NAMES = {
    "b": ("i1", "int8"), "B": ("u1", "uint8"), "h": ("i2", "int16"), "H": ("u2", "uint16"), "i": ("i4", "int32"),
    "I": ("u4", "uint32"), "q": ("i8", "int64"), "Q": ("u8", "uint64"), "f": ("f4", "float32"), "d": ("f8", "float64"),
    "e": ("f2", "float16"), "?": ("b1", "bool"), "i3": ("int24",), "u3": ("uint24",),
}  # fmt: skip


@pytest.mark.parametrize("code", NAMES)
def test_numpy_spellings(code: str) -> None:
    size = SIZES.get(code) or struct.calcsize(code)
    raw = bytes(range(1, 1 + size * 3))
    for name in (code, *NAMES[code]):
        for order in ("", "<", ">", "=", "@"):
            assert same(ao.view(raw, order + name).tolist(), ao.view(raw, order + code).tolist())
        result = ao.map(array("b", [0, 1]), "x", typecode=name)
        assert _machine.buffer_info(result)[0] == code
        assert _machine.buffer_info(ao.lazy(array("b", [0, 1])).collect(name))[0] == code
        assert _machine.buffer_info(ao.accumulate(array("b", [0, 1]), typecode=name))[0] == code
    dtype = numpy.dtype(NAMES[code][-1]) if size != 3 else None
    if dtype is not None:
        assert same(ao.view(raw, dtype.str).tolist(), numpy.frombuffer(raw, dtype).tolist())


@pytest.mark.parametrize("bad", ["", "i", "zz", "i5", "float", "x", "<", "<<h", "t", "T", "int16 ", "\0", "3i", "hh"])
def test_what_is_no_format(bad: str) -> None:
    if bad != "i":
        with pytest.raises(TypeError, match=r"formats are b B h H i I l L q Q f d \? e i3 u3") as info:
            ao.view(bytes(24), bad)
        assert "0 bytes" not in str(info.value)
        with pytest.raises(ValueError, match="bad typecode"):
            ao.map(array("b", [1]), "x", typecode=bad)


def test_a_typecode_is_in_this_machines_order() -> None:
    swapped = ">" if sys.byteorder == "little" else "<"
    with pytest.raises(ValueError, match="byte order"):
        ao.map(array("b", [1]), "x", typecode=f"{swapped}i2")
    out = ao.view(bytearray(4), f"{swapped}i2")
    assert ao.map(array("b", [1, 2]), "x", out=out).tolist() == [1, 2]


def test_a_view_beyond_the_end() -> None:
    with pytest.raises(ValueError, match="from byte 9 of a buffer of 4 bytes"):
        ao.view(b"abcd", "<h", 9)
    assert ao.view(b"abcd", "<h", 4).tolist() == [] and ao.view(b"abcd", "<h", 3).tolist() == []


# -- times -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["datetime64[ns]", "datetime64[D]", "timedelta64[us]", "datetime64[s]"])
def test_numpy_times(unit: str) -> None:
    values = numpy.array([5, -3, 2**40], "q").view(unit)
    assert ao.view(values, unit).tolist() == [5, -3, 2**40]
    assert ao.view(values.astype(values.dtype.newbyteorder(">")), unit).tolist() == [5, -3, 2**40]
    assert ao.view(values, unit.replace("datetime64", "M8").replace("timedelta64", "m8")).tolist() == [5, -3, 2**40]
    assert ao.view(values, unit, count=1).tolist() == [5]
    with pytest.raises(TypeError, match=r"not datetime64\[m\]"):
        ao.view(values, "datetime64[m]")
    with pytest.raises(TypeError, match="gives its ints"):
        ao.view(values, "q")
    with pytest.raises(TypeError, match="not supported"):
        ao.view(values, "years[3]")


def test_numpy_times_that_are_missing() -> None:
    for order in "<>":
        days = numpy.array([5, "NaT", -3, 9], f"{order}M8[D]")
        masked = numpy.ma.array(days, mask=[False, False, False, True])
        assert ao.view(days, "datetime64[D]").tolist() == [5, -(2**63), -3, 9]
        assert ao.view(days, "datetime64[D]", nulls="skip").tolist() == [5, -3, 9]
        assert ao.view(days, "datetime64[D]", nulls="skip").format == "q"
        assert ao.view(days, "M8[D]", nulls=7).tolist() == [5, 7, -3, 9]
        assert ao.view(masked, "M8[D]", nulls="skip").tolist() == [5, -3]
        assert ao.view(masked[:3], "M8[D]").tolist() == [5, -(2**63), -3]
        with pytest.raises(ValueError, match="the data has 1 null"):
            ao.view(masked, "M8[D]")


def test_numpy_times_of_no_unit() -> None:
    lengths = numpy.array([5, -3]).astype("m8")
    for format in ("timedelta64", "m8", "<m8"):
        assert ao.view(lengths, format).tolist() == [5, -3]
    with pytest.raises(TypeError, match="not datetime64"):
        ao.view(lengths, "M8")


def test_views_of_what_is_no_memory_of_numbers() -> None:
    """Addresses of objects are none: who writes to them ends the process. A mask would be lost."""
    objects = numpy.array([datetime.date(2024, 2, 29), None], object)
    for format, said in (("q", "Python objects"), ("datetime64[us]", r"numpy\.array\(data, 'datetime64\[us\]'\)")):
        for data in (objects, objects[:0]):
            with pytest.raises(TypeError, match=said):
                ao.view(data, format)
    with pytest.raises(TypeError, match="addresses"):
        ao.view((ctypes.py_object * 2)(1, 2), "q")
    fields = numpy.array([(1, None), (2, None)], [("number", "<i4"), ("any", "O")])
    assert ao.view(fields, "<i", 0, fields.itemsize, 2).tolist() == [1, 2]
    with pytest.raises(TypeError, match="mask"):
        ao.view(numpy.ma.array([1.0, 1000.0], mask=[0, 1]), "d")
    for library in (pd.Series([1.0]), polars.Series([1.0]), pyarrow.array([1.0])):
        with pytest.raises(TypeError, match=r"give its \.to_numpy\(\)"):
            ao.view(library, "d")
    with pytest.raises(BufferError, match=r"\.copy\(\)"):
        ao.view(numpy.zeros(4, "M8[s]")[::2], "datetime64[s]")


TIMES = [
    (pyarrow.timestamp("ns"), "datetime64[ns]"), (pyarrow.timestamp("us", "UTC"), "datetime64[us]"),
    (pyarrow.timestamp("s"), "datetime64[s]"), (pyarrow.date32(), "datetime64[D]"), (pyarrow.time32("s"), "time[s]"),
    (pyarrow.time64("us"), "time[us]"), (pyarrow.duration("ms"), "timedelta64[ms]"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "unit"), TIMES)
def test_arrow_times(kind: Any, unit: str) -> None:
    column = pyarrow.array([5, 3, 40], pyarrow.int32() if kind.bit_width == 32 else pyarrow.int64()).cast(kind)
    assert ao.view(column, unit).tolist() == [5, 3, 40]
    assert ao.view(pyarrow.chunked_array([column, column]), unit).tolist() == [5, 3, 40] * 2
    with pytest.raises(TypeError, match="gives its ints"):
        ao.from_arrow(column)
    with pytest.raises(TypeError, match="gives its ints"):
        ao.view(column, "datetime64[m]")
    with pytest.raises(TypeError, match="no unit of time"):
        ao.view(pyarrow.array([1, 2]), unit)
    gaps = pyarrow.concat_arrays([column, pyarrow.array([None], kind)])
    with pytest.raises(ValueError, match="has 1 null: nulls='skip' leaves them out, nulls=<number> puts a number"):
        ao.view(gaps, unit)
    assert ao.view(gaps, unit, nulls="skip").tolist() == [5, 3, 40]
    assert ao.view(gaps, unit, nulls=-1).tolist() == [5, 3, 40, -1]
    with pytest.raises(TypeError, match="nulls must be 'skip'"):
        ao.view(gaps, unit, nulls="drop")


# -- ~ -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "~isnan(x)",
        "~(x > 1)",
        "~(x > 1 and x < 3)",
        "~(not x)",
        "~((x > 1) & (x < 2))",
        "~True",
        "~bool(x)",
        "~(x in (1, 2))",
    ],
)
def test_not_is_offered_for_the_opposite_of_a_truth_value(text: str) -> None:
    with pytest.raises(ao.ExpressionError, match="written with not: write 'not ") as info:
        ao.filter(array("d", [1, math.nan]), text)
    assert info.value.offset == 1


def test_not_is_offered_where_an_array_is_of_truth_values() -> None:
    mask = numpy.array([True, False])
    for call in (ao.map, ao.filter):
        for _ in range(2):
            with pytest.raises(ao.ExpressionError, match="written with not"):
                call(mask, "~x")
    assert ao.map(mask, lambda x: ~x, typecode="b").tolist() == [-2, -1]
    assert ao.map(array("b", [1, 2]), "~x").tolist() == [-2, -3]
    assert ao.map(array("d", [1.0, 5.0]), lambda x: ~(x > 2), typecode="b").tolist() == [-1, -2]


class Truth:
    """Gives a truth value, in no way that is compiled."""

    def __call__(self, x: Any) -> bool:
        return bool(x > 1)


PIPES: list[tuple[str, Callable[[], Any]]] = [  # what gives the truth value, a pipeline that inverts it
    ("the source", lambda: ao.lazy(numpy.array([True, False])).map("~x")),
    ("a text", lambda: ao.lazy(array("d", [1, 5])).map("x > 2").filter("~x")),
    ("a text, behind a filter", lambda: ao.lazy(array("d", [1, 5])).map("x > 2").filter("x").map("~x + 1")),
    ("a function", lambda: ao.lazy(array("d", [1, 5])).map(lambda x: x > 2).map("~x")),
    ("a callable", lambda: ao.lazy(array("d", [1, 5])).map(Truth()).map("~x")),
    ("a callable and a number", lambda: ao.lazy(array("d", [1, 5])).map(Truth()).map("~x + k", k=1)),
    ("a number", lambda: ao.lazy(array("b", [1, 5])).map("x + ~k", k=True)),
]
ENDS: list[Callable[[Any], Any]] = [
    lambda p: p.collect("d"), lambda p: p.sum(), lambda p: p.count(), lambda p: p.stats(), list,
    lambda p: p.reduce("acc + x", 0), lambda p: p.to(array("d", bytes(80))),
]  # fmt: skip


@pytest.mark.parametrize(("what", "make"), PIPES, ids=[what for what, _ in PIPES])
@pytest.mark.parametrize("end", ENDS)
def test_not_is_offered_in_pipelines(what: str, make: Callable[[], Any], end: Callable[[Any], Any]) -> None:
    for _ in range(2):
        with pytest.raises(ao.ExpressionError, match="written with not: write 'not x'"):
            end(make())


def test_the_complement_of_ints_and_of_functions_stays_in_pipelines() -> None:
    a = array("b", [1, 5])
    assert list(ao.lazy(a).map("~x").filter("~x > 1")) == [-6]
    assert list(ao.lazy(a).map(lambda x: ~(x > 2))) == [-1, -2]
    assert list(ao.lazy(a).map(lambda x: [x][0]).map("~x + k", k=1)) == [-1, -5]
    assert list(ao.lazy(a).map("~x").map(lambda x: ~(x > -3))) == [-2, -1]


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_lengths_overlaps_and_read_only_memory() -> None:
    raw = bytearray(30)
    view = ao.view(raw, "i3")
    with pytest.raises(ValueError, match="same length"):
        ao.map(view, "x + y", array("b", [1]))
    with pytest.raises(BufferError, match="overlap"):
        ao.map_inplace(ao.view(raw, "i3", 0, 2), "x + 1")
    with pytest.raises(TypeError, match="read-only"):
        ao.map_inplace(ao.view(bytes(6), "i3"), "x + 1")
    shifted = ao.view(raw, "i3", 1, 3, 9)
    numbers = list(range(10))
    for i, n in enumerate(numbers):
        view[i] = n
    wanted = bytearray(raw)
    ao.map(view[:9], "x + 1", out=shifted)  # the input shares memory with the output, at another place
    for i, n in enumerate(numbers[:9]):
        wanted[1 + 3 * i : 4 + 3 * i] = packed("i3", n + 1)
    assert raw == wanted


@pytest.mark.parametrize("bad", ["1", None, 1.5, [1]])
def test_setting_an_element_to_no_number(bad: Any) -> None:
    for code in ("e", "i3", "u3"):
        view = view_of(code, [1])
        if code == "e" and isinstance(bad, float):
            continue
        with pytest.raises(TypeError):
            view[0] = bad
        assert view.tolist() == [1]


def test_one_element_again_and_again() -> None:
    for code, value in (("e", 1.5), ("?", True)):
        whole = numpy.lib.stride_tricks.as_strided(numpy.array([value], numpy.dtype(code)), (5,), (0,))
        assert ao.map(whole, "x").tolist() == [value] * 5 and ao.map(whole, "x").dtype == whole.dtype
        assert ao.filter(whole, "x > 0").tolist() == [value] * 5
        assert ao.sum(whole) == 5 * value
    big = numpy.lib.stride_tricks.as_strided(numpy.array([60000], numpy.float16), (5,), (0,))
    for _ in range(3):
        with pytest.raises(OverflowError, match="float too large"):
            ao.map(memoryview(big), "x * 2")


def test_not_is_offered_where_all_are_numbers() -> None:
    with pytest.raises(ao.ExpressionError, match="written with not"):
        ao.evaluate("~x", x=True)
    assert ao.evaluate("~x", x=5) == -6


def test_what_is_explained() -> None:
    text = ao.explain("x + 1", "i3")
    assert "result: 'i3'" in text and "int -8388608..8388607" in text
    assert "result: '?'" in ao.explain("x > 1", "bool") and "bool" in ao.explain("x", "?")
    assert "result: 'd'" in ao.explain("x + 1", "float64")


@pytest.mark.parametrize(("form", "code"), [("n", "q"), ("N", "Q"), ("@n", "q")])
def test_sizes_and_indices(form: str, code: str) -> None:
    """memoryview and struct have letters for what is as wide as a pointer; a result is of the ints of that size."""
    data = array(code, [1, 2, 3])
    for sizes in (memoryview(data).cast("B").cast(form), ao.view(data, form)):
        assert ao.map(sizes, "x + 1") == array(code, [2, 3, 4])
        assert ao.sum(sizes[::2]) == 4
    for wrong in ("<" + form[-1], "2" + form, form + "n"):
        with pytest.raises(TypeError, match="is not supported"):
            ao.view(data, wrong)


@pytest.mark.parametrize("form", [int, None, b"d", 3])
def test_a_format_is_a_text(form: Any) -> None:
    with pytest.raises(TypeError, match="format must be a str, such as '<h' or 'float64', not "):
        ao.view(bytes(8), form)
