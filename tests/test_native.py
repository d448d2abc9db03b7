"""Native code from Python: on and off, the same results, what explain says, and the map for perf.

That its bits are the kernels' is shown in C (tests/vm/test_native.c, fuzz_program.c).
"""

from __future__ import annotations

import functools
import itertools
import math
import os
import platform
import statistics
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import arrayops as ao
import pytest
from arrayops import _machine
from hypothesis import given, settings
from hypothesis import strategies as st

on_arm = sys.platform == "linux" and platform.machine() == "aarch64"
encoded = pytest.mark.skipif(
    not on_arm and (ao.isa() not in ("avx2", "avx512") or sys.platform == "win32"),
    reason="nothing encodes for this processor",
)


@pytest.fixture
def at_once() -> Iterator[None]:
    """Native code from the first element on, for programs that are made in the test."""
    before = _machine.set_native("always")
    yield
    _machine.set_native(before)


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip


#: Text, typecode, values: each must equal Python's own.
ROWS = [
    ("(x*y + z)*(y - x) + (x + z*y)*(x - y)", "d", [0.5, -1.25, 3.0, 1e300, -0.0]),
    ("x*2 if x < 100 else 255", "B", [0, 1, 99, 100, 255]),
    ("(x*1664525 + 1013904223) & 0xFFFFFFFF", "Q", [0, 1, 2**64 - 1]),
    ("x*3 + 7", "i", [0, -5, 2**31 - 3 >> 2]),
    ("-x if x < 0 else x // 1", "q", [-3, 0, 4]),
    ("(x > 1) + (x > 2) * 2", "d", [0.0, 1.5, 2.5]),
    ("x + 1 if x > 0 and x < 10 or x == 12 else x - 1", "h", [-1, 5, 12, 13]),
    ("floor(x) + ceil(x) * 0.5", "d", [1.5, -1.5, 0.25]),
    ("(x ^ 21) >> 2", "H", [0, 77, 65535]),
    ("(x*x) >> 8", "B", [0, 15, 16, 255]),
    ("(x*y + 65535 - 255*255) >> z", "B", [0, 1, 8, 15, 16, 255]),
    ("(x + y) // 2", "B", [0, 1, 254, 255]),
    ("(x & 240) | (y ^ 255)", "B", [0, 15, 128, 255]),
    ("(x | 128) ^ y", "b", [-128, -1, 0, 127]),
    ("x - (x >> 4) * 3 & y", "H", [0, 4095, 32768, 65535]),
]


#: Text, typecode, instructions of the narrowest lane that holds all values on the way.
LANES = [
    ("(x*x) >> 8", "B", ["TO_u16_u8", "MUL_u16", "SHR_u16"]),
    ("x*x - 1 >> 8", "B", ["MUL_u16", "SUB_i32"]),
    ("x*x + 511 >> 8", "B", ["MUL_u16", "ADD_i32"]),
    ("x*x + 510 >> 8", "B", ["MUL_u16", "ADD_u16", "SHR_u16"]),
    ("(x + x) >> 1", "B", ["ADD_i16", "SHR_i16"]),
    ("(x & 15) | 240", "B", ["AND_u8", "OR_u8"]),
    ("x & 15 ^ x", "b", ["AND_i8", "XOR_i8"]),
    ("x & 4095 | 32768", "H", ["AND_u16", "OR_u16"]),
]


@pytest.mark.parametrize(("text", "typecode", "instructions"), LANES)
def test_lanes_are_no_wider_than_values(text: str, typecode: str, instructions: list[str]) -> None:
    bytecode = ao.explain(text, typecode).partition("bytecode:")[2]
    assert [name for name in instructions if f" {name} " not in bytecode] == []


@encoded
@pytest.mark.parametrize(("text", "typecode", "values"), ROWS)
def test_results_are_those_of_python(at_once: None, text: str, typecode: str, values: list[float]) -> None:
    names = ao.compile(text).params
    wanted = "d" if typecode == "d" else "q" if typecode != "Q" else "Q"
    for length in (1, 7, 8, 63, 64, 65, 1000, 1031):
        data = array(typecode, [values[i % len(values)] for i in range(length)])
        columns = [data, *(array(typecode, data[k:].tolist() + data[:k].tolist()) for k in range(1, len(names)))]
        expected = [
            eval(text, {"floor": math.floor, "ceil": math.ceil}, dict(zip(names, row, strict=True)))
            for row in zip(*columns, strict=True)
        ]
        given = dict(zip(names[1:], columns[1:], strict=True))
        assert ao.map(data, text, typecode=wanted, **given).tobytes() == array(wanted, expected).tobytes()


#: Text, typecode, an element that raises OverflowError, one that does not.
RAISING = [
    ("x + 3", "i", 2**31 - 3, 5), ("x - 3", "i", -(2**31) + 2, 5), ("-x", "i", -(2**31), 5), ("x * 2", "i", 2**30, 5),
    ("x << 3", "q", 2**60, -1), ("x * x", "q", 2**32, 7), ("x + 1", "B", 255, 254), ("x * 3", "h", 20000, -9),
    ("x * 3", "i", -(2**31) // 3, 715827882), ("x * -1", "i", -(2**31), 2**31 - 1), ("x * x", "i", -46341, 46340),
]  # fmt: skip


@encoded
@pytest.mark.parametrize(("text", "typecode", "raises", "value"), RAISING)
@pytest.mark.parametrize("in_place", [False, True])
def test_what_raises_leaves_the_rest(
    at_once: None, text: str, typecode: str, raises: int, value: int, in_place: bool
) -> None:
    function: Callable[[int], int] = eval(f"lambda x: {text}")
    for length, place in itertools.product((64, 1000, 5003), (0, 1, 7, 63, 400, 999, 5002)):
        if place >= length:
            continue
        data = array(typecode, [value]) * length
        data[place] = raises
        out = data if in_place else array(typecode, [77]) * length
        expected = array(typecode, [function(value)] * place + out[place:].tolist())
        with pytest.raises(OverflowError):
            ao.map(data, text, out=out)
        assert out == expected


@encoded
def test_one_checked_instruction_is_native() -> None:
    assert "native code" in ao.explain("x + 3", "q")
    assert " ADD_CHECKED_i32 " in ao.explain("x + 3", "i")
    assert " SUB_CHECKED_i32 " in ao.explain("x - y", "i")
    assert " ADD_WIDE_i32 " in ao.explain("(x + 3) >> 1", "i")


PRODUCTS = ["x * 3", "x * y", "-7 * x", "x * x"]
WIDE_PRODUCTS = ["x*3 + 7", "x*y - z*w", "(x * y) >> 1", "x*y // 3", "x*y if x*y < 100 else 0", "x*y*z", "(x * 3) > y",
                 "x * y if x > 3 else x"]  # fmt: skip


def test_a_product_is_checked_where_it_is_stored() -> None:
    """One of which more is computed is exact, as what comes of it may fit again."""
    for text in PRODUCTS:
        assert " MUL_CHECKED_i32 " in ao.explain(text, "i") and "WIDE" not in ao.explain(text, "i")
    for text in WIDE_PRODUCTS:
        assert " MUL_WIDE_i32 " in ao.explain(text, "i") and "MUL_CHECKED_i32" not in ao.explain(text, "i")


#: Fold, typecode, first value, elements: each must equal functools.reduce and itertools.accumulate.
FOLDS: list[tuple[str, str, Any, list[Any]]] = [
    ("(acc*31 + x) & 0xFFFFFFFF", "B", 7, [0, 1, 200, 255]),
    ("((acc ^ x) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF", "B", 0xCBF29CE484222325, [97, 0, 255]),
    ("(acc*1664525 + 1013904223 + x) & 0xFFFFFFFF", "i", 1, [-5, 2**31 - 1, -(2**31)]),
    ("(acc*3 + x) % 65521", "i", 1, [-7, 0, 2**30, -(2**31)]),
    ("(acc - x) // 7", "i", 0, [-7, 0, 2**30, -(2**31)]),
    ("acc*acc + x", "q", 3, [0, -7, 2]),  # past 64 bits: Python's ints from there on
    ("acc + x if acc < 2**62 else acc - x", "q", 0, [2**61, 5, -(2**60), 2**62]),
    ("acc if acc > x else x", "d", -math.inf, [0.0, -0.0, 3.5, -1e300]),
    ("acc + .25*(x - acc)", "d", 0.0, [1.5, -2.0, 1e-310, 3e10]),
    ("acc[0] + x, max(acc[1], x), (acc[2]*5 ^ x) & 255", "h", (0, -5, 1), [-3, 100, 32767, -32768]),
    ("(acc << 3 ^ acc >> 2 ^ x) & 0xFFFF", "H", 1, [0, 65535, 17]),
]


@encoded
@pytest.mark.parametrize(("text", "typecode", "first", "values"), FOLDS)
def test_folds_are_those_of_python(at_once: None, text: str, typecode: str, first: Any, values: list[Any]) -> None:
    step = eval(f"lambda acc, x: ({text})")
    for length in (0, 1, 5, 12) if "acc*acc" in text else (0, 1, 7, 1030):
        data = array(typecode, [values[i % len(values)] for i in range(length)])
        assert ao.reduce(data, text, first) == functools.reduce(step, data, first)
        if "acc*acc" not in text and not isinstance(first, tuple):
            wanted = "d" if typecode == "d" else "Q" if first > 2**63 else "q"
            expected = array(wanted, itertools.accumulate(data, step, initial=first))
            assert ao.accumulate(data, text, initial=first, typecode=wanted).tobytes() == expected.tobytes()


@encoded
def test_a_fold_stops_where_an_index_is_outside(at_once: None) -> None:
    table = array("q", [5, 1, 4, 2])
    data = array("q", [0, 1, -1, -4, 3])
    assert ao.reduce(data, "acc*2 + t[x]", 1, t=table) == functools.reduce(lambda acc, x: acc * 2 + table[x], data, 1)
    for outside in (4, -5, 2**63 - 1, -(2**63)):
        with pytest.raises(IndexError):
            ao.reduce(array("q", [0, 1, outside]), "acc + t[x]", 0, t=table)


@encoded
def test_a_fault_in_the_last_element_is_pythons(at_once: None) -> None:
    """The segment says that there is one, and the marking pass finds it, in place and not."""
    data = array("q", [3] * 1030 + [2**62])
    with pytest.raises(OverflowError):
        ao.map(data, "x*x + x")
    with pytest.raises(OverflowError):
        ao.map_inplace(data, "x*x + x")
    assert data.tolist() == [12] * 1030 + [2**62]
    with pytest.raises(ZeroDivisionError):
        ao.map(array("d", [1.0] * 1000 + [0.0]), "1/x + x")
    assert ao.map(array("d", [1.0] * 1000 + [0.0]), "1/x + x if x else 5.0")[-1] == 5.0


def outcome(work: Callable[[], object]) -> str:
    """What it gives, nans and zeros with their signs, or raises."""
    try:
        return repr(work())
    except Exception as error:
        return type(error).__name__


#: Stages of a map and a filter, with Python's own; typecodes.
SINKS: list[tuple[str, str, str]] = [
    ("x*x", "x > .25", "d"),
    ("x", "not x < .5", "d"),
    ("-x", "x == x and x != 0", "f"),
    ("1/x", "x > 1", "d"),
    ("x*3 - 1", "x % 4 < 2", "i"),
    ("x*x + x", "x > 0", "q"),
    ("x*2 if x < 100 else x", "x != 7", "B"),
    ("x + .5", "x > 2 or x < -2", "h"),
]
NUMBERS = {
    "d": st.one_of(st.floats(-2, 2), st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1e-160])),
    "f": st.one_of(st.floats(-2, 2, width=32), st.sampled_from([math.nan, math.inf, -math.inf, -0.0])),
    "i": st.integers(-(2**31), 2**31 - 1),
    "q": st.one_of(st.integers(-9, 9), st.integers(-(2**63), 2**63 - 1)),
    "B": st.integers(0, 255),
    "h": st.integers(-(2**15), 2**15 - 1),
}
LENGTHS = st.sampled_from([0, 1, 7, 8, 9, 63, 64, 65, 255, 256, 257, 511, 513, 1023, 1024, 1025, 2051, 3000])


@encoded
@pytest.mark.parametrize(("text", "condition", "typecode"), SINKS)
def test_sinks_are_given_what_python_keeps(at_once: None, text: str, condition: str, typecode: str) -> None:
    change, keeps = eval(f"lambda x: {text}"), eval(f"lambda x: {condition}")

    @settings(max_examples=12, deadline=None)
    @given(st.lists(NUMBERS[typecode], min_size=1, max_size=9), LENGTHS, st.integers(0, 15))
    def check(values: list[Any], length: int, start: int) -> None:
        # from an odd place on, so that the first block is a short one
        data = memoryview(array(typecode, [values[i % len(values)] for i in range(length + start)]))[start:]
        pipeline = ao.lazy(data).map(text).filter(condition)
        add = math.fsum if typecode in "df" or "." in text else sum
        assert outcome(pipeline.sum) == outcome(lambda: add(filter(keeps, map(change, data))))
        assert outcome(pipeline.count) == outcome(lambda: len(list(filter(keeps, map(change, data)))))
        assert outcome(lambda: pipeline.collect("d").tolist()) == outcome(
            lambda: array("d", filter(keeps, map(change, data))).tolist()
        )
        assert outcome(lambda: ao.filter(data, condition).tolist()) == outcome(lambda: list(filter(keeps, data)))
        assert outcome(lambda: ao.count(data, condition)) == outcome(lambda: sum(map(keeps, data)))
        assert outcome(lambda: ao.any(data, condition)) == outcome(lambda: any(map(keeps, data)))
        assert outcome(lambda: ao.all(data, condition)) == outcome(lambda: all(map(keeps, data)))

    check()


@encoded
def test_sinks_of_several_threads(at_once: None) -> None:
    data = array("d", [(i * 7919 % 1000) / 500 - 1 for i in range(300_000)])
    kept = [x * x for x in data if x * x > 0.25]
    before = ao.set_num_threads(2)
    try:
        pipeline = ao.lazy(data).map("x*x").filter("x > .25")
        assert (pipeline.sum(), pipeline.count(), pipeline.collect().tolist()) == (math.fsum(kept), len(kept), kept)
        assert ao.count(data, "x*x > .25") == len(kept)
        assert ao.filter(data, "x*x > .25").tolist() == [x for x in data if x * x > 0.25]
    finally:
        ao.set_num_threads(before)


CALM = [i / 8 for i in range(-40, 60)]
#: Runs of numbers: those that are added up where they are computed, and those that cannot be.
RUNS = st.sampled_from([
    CALM, [x * 2**-30 for x in CALM], [x * 2**40 + 1 for x in CALM], [-0.0], [math.nan], [math.inf], [-math.inf],
    [5e-324, -5e-324, 1e-310], [1e300, -1e300], [2.0**895, 1.0], [1e16, 1.0, -1e16], [0.1, 0.7, 1 / 3, 1e-9],
])  # fmt: skip
ADDED = [
    ("x*x", None), ("x", "x > .25"), ("x*x", "x > .25"), ("x + 1", "x == x"), ("x*.5 - 3", "x*x < 50"),
    ("x/3", "x != 0"), ("sqrt(x)", None), ("1/x", None), ("x**2", "x > 0"), ("floor(x)", "x < 1e300"),
    ("x if x > 0 else -x", None), ("exp(x)", "x < 9"),
]  # fmt: skip


@encoded
@pytest.mark.parametrize(("text", "condition"), ADDED)
def test_sums_of_what_is_in_registers(at_once: None, text: str, condition: str | None) -> None:
    names = {"sqrt": math.sqrt, "floor": math.floor, "exp": math.exp}
    change, keeps = eval(f"lambda x: {text}", names), eval(f"lambda x: {condition or True}")

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.tuples(RUNS, st.integers(1, 9000)), min_size=1, max_size=5), st.integers(0, 7))
    def check(runs: list[tuple[list[float], int]], start: int) -> None:
        data = memoryview(array("d", [run[i % len(run)] for run, length in runs for i in range(length)]))[start:]
        pipeline = ao.lazy(data).map(text).filter(condition) if condition else ao.lazy(data).map(text)
        values = lambda: list(filter(keeps, map(change, data)))  # noqa: E731
        assert outcome(pipeline.sum) == outcome(lambda: math.fsum(values()) if "floor" not in text else sum(values()))
        assert outcome(pipeline.mean) == outcome(lambda: statistics.fmean(values()))

    check()


@encoded
def test_pipelines_and_filters(at_once: None) -> None:
    data = array("d", [i / 7 - 50 for i in range(3000)])
    assert ao.lazy(data).map("x*x + x").filter("x > .25").sum() == math.fsum(
        v for v in (x * x + x for x in data) if v > 0.25
    )
    assert ao.filter(data, "x*x - x > 3").tolist() == [x for x in data if x * x - x > 3]
    assert ao.count(data, "x*x - x > 3") == sum(x * x - x > 3 for x in data)


@encoded
def test_it_is_made_after_many_elements_and_turned_off() -> None:
    before = ao.set_native(True)
    try:
        assert ao.native()
        assert "native code" in ao.explain("x*y + x*x*x", "d", "d")
        assert ao.set_native(False) is True
        assert not ao.native()
        assert "native code: off" in ao.explain("x*y + x*x*x", "d", "d")
    finally:
        ao.set_native(before)


@encoded
def test_one_instruction_is_a_segment_if_there_is_no_other(at_once: None) -> None:
    assert "the one instruction on vectors" in ao.explain("x + y", "d", "d")
    assert "native code" not in ao.explain("exp(x)*sin(y)", "d", "d")


@pytest.mark.parametrize("factor", [0, 1, -1, 2, -2, 3, 1000, -60, 2**31 - 1, -(2**31), 2**31, 2**32 - 1, 2**32])
@pytest.mark.parametrize("typecode", "qQ")
def test_products_by_a_constant_stop_where_python_needs_more_bits(at_once: None, factor: int, typecode: str) -> None:
    least, most = (-(2**63), 2**63 - 1) if typecode == "q" else (0, 2**64 - 1)
    ends = {end // factor for end in (least, most)} if factor else set()
    near = {x + d for x in {0, least, most, 2**31, 2**32, 2**62, -(2**31)} | ends for d in range(-2, 3)}
    for x in sorted(v for v in near if least <= v <= most):
        data, fits = array(typecode, [x]) * 9, least <= x * factor <= most
        for text in (f"x*{factor}", f"{factor}*x"):
            if fits:
                assert ao.map(data, text, typecode=typecode).tolist() == [x * factor] * 9, (x, text)
            else:
                with pytest.raises(OverflowError):
                    ao.map(data, text, typecode=typecode)


@pytest.mark.parametrize("text", [
    "((1.5*x + 2.5)*x - 0.25)*x + 3.0", "(((((1.5*x + 2.5)*x - 0.25)*x + 3.0)*x + 1.25)*x + 0.75)*x + 0.125",
    "y*((0.5*x - 1)*x + 2) - z*(((2*y + 1)*y - 3)*y + 0.1)", "max(y, ((0.5*x - 1)*x + 2)) if x < z else w",
    "((0.5*x - 1)*x + 2)*((1.5*y - 1)*y + 2)*((2.5*z - 1)*z + 2)*((3.5*w - 1)*w + 2)*(x + y)*(z + w)*(x - w)*(y - z)",
])  # fmt: skip
@pytest.mark.parametrize("typecode", "di")
def test_polynomials_of_several_vectors_at_once(at_once: None, text: str, typecode: str) -> None:
    """Groups of vectors, what they leave over, and where registers do not suffice for a group."""
    names = [name for name in "xyzw" if name in text.replace("max", "")]
    kernel, function = ao.compile(text, *names), eval(f"lambda {', '.join(names)}: {text}")
    for size in (*range(1, 70), 255, 1030):
        columns = [array(typecode, [(k * 37 + n * 11) % 100 - 50 for k in range(size)]) for n in range(len(names))]
        want = array("d", itertools.starmap(function, zip(*columns, strict=True)))
        assert kernel(*columns, typecode="d").tobytes() == want.tobytes()


def test_ways_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="'always'"):
        _machine.set_native("2")
    done = run("import arrayops", ARRAYOPS_NATIVE="2")
    assert done.returncode != 0 and "ARRAYOPS_NATIVE=2" in done.stderr
    assert run("import arrayops as ao; print(ao.native())", ARRAYOPS_NATIVE="0").stdout.strip() == "False"


@encoded
@pytest.mark.skipif(not os.path.isdir("/tmp"), reason="perf reads its maps there")
def test_map_for_perf() -> None:
    code = (
        "import os, arrayops as ao; from array import array; ao.map(array('d', [1.0]*100), 'x*x*x + x'); "
        "name = f'/tmp/perf-{os.getpid()}.map'; print(open(name).read()); os.remove(name)"
    )
    done = run(code, ARRAYOPS_PERF_MAP="1", ARRAYOPS_NATIVE="always")
    address, size, name = done.stdout.split()
    assert int(address, 16) > 0 and int(size, 16) > 50 and name.startswith(f"arrayops:{ao.isa()}:")
