"""NumPy arrays, Arrow arrays and Polars Series: what comes in decides what goes out, and nothing is copied on the way.

Values are compared with what Python gives for a list of them; copies are ruled out by address. The last part plays the
producer by hand, with structs made here: releases are counted, and what a wrong producer may send is refused.
"""

from __future__ import annotations

import ctypes
import gc
import inspect
import itertools
import subprocess
import sys
import threading
import weakref
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import TYPECODES, assert_bytes, edge_values, same_array

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")


def standard(typecode: str) -> str:
    """The name that all of the libraries have for the type: int32, uint8, float64, ..."""
    kind = "float" if typecode in "fd" else "uint" if typecode.isupper() else "int"
    return f"{kind}{8 * array(typecode).itemsize}"


POLARS = {"int": "Int", "uint": "UInt", "float": "Float"}


def polars_type(typecode: str) -> Any:
    if typecode == "?":
        return pl.Boolean
    name = standard(typecode)
    letters = name.rstrip("0123456789")
    return getattr(pl, POLARS[letters] + name[len(letters) :])


def arrow_type(typecode: str) -> Any:
    return pa.bool_() if typecode == "?" else getattr(pa, standard(typecode))()


def as_numpy(values: array[Any]) -> Any:
    return np.array(values)


def as_arrow(values: array[Any]) -> Any:
    return pa.array(values.tolist(), type=arrow_type(values.typecode))


def as_chunks(values: array[Any]) -> Any:
    """Three chunks, the second empty; none if there is nothing to put into them."""
    if not len(values):
        return pa.chunked_array([], type=arrow_type(values.typecode))
    third = len(values) // 3
    return pa.chunked_array([as_arrow(values[:third]), as_arrow(values[:0]), as_arrow(values[third:])])


def as_series(values: array[Any]) -> Any:
    return pl.Series("name", values.tolist(), dtype=polars_type(values.typecode))


def as_pieces(values: array[Any]) -> Any:
    """A Series of two chunks."""
    half = len(values) // 2
    return pl.concat([as_series(values[:half]), as_series(values[half:])], rechunk=False)


MAKERS: dict[str, Callable[[array[Any]], Any]] = {
    "numpy": as_numpy, "arrow": as_arrow, "chunked": as_chunks, "polars": as_series, "pieces": as_pieces,
}  # fmt: skip
ARROW_KINDS = [kind for kind in MAKERS if kind != "numpy"]


def plain(result: Any, typecode: str, like: Any) -> array[Any]:
    """The result as an array.array, after a check that it is of the kind of ``like`` with the typecode's type."""
    if isinstance(like, np.ndarray):
        assert type(result) is np.ndarray and result.dtype == np.dtype(typecode) and result.dtype.isnative
        assert result.flags.writeable and result.ndim == 1
        return array(typecode.replace("?", "B"), result.tobytes())
    if isinstance(like, pl.Series):
        assert type(result) is pl.Series and result.dtype == polars_type(typecode) and result.name == like.name
        return array(typecode.replace("?", "B"), result.to_list())
    assert isinstance(result, pa.ChunkedArray if isinstance(like, pa.ChunkedArray) else pa.Array)
    assert result.type == arrow_type(typecode)
    return array(typecode.replace("?", "B"), result.to_pylist())


def check(result: Any, typecode: str, like: Any, want: list[Any]) -> None:
    got, expected = plain(result, typecode, like), array(typecode.replace("?", "B"), want)
    assert same_array(got, expected), (got, expected)


@st.composite
def arrays(draw: st.DrawFn) -> array[Any]:
    code = draw(st.sampled_from(TYPECODES))
    edges = edge_values(code)
    count = draw(st.sampled_from([0, 1, 2, 3, 17, 600, 2000]))
    some = draw(st.lists(st.sampled_from(edges), min_size=min(count, 1), max_size=20)) or [0]
    return array(code, (some * (count // len(some) + 1))[:count])


# ------------------------------------------------------------------------------------------- kinds in and out


@pytest.mark.parametrize("kind", MAKERS)
@given(values=arrays())
def test_every_operation_gives_the_kind_it_was_given(kind: str, values: array[Any]) -> None:
    code, numbers = values.typecode, values.tolist()
    given = MAKERS[kind](values)
    limited = [x if x < 5 else 5 for x in numbers]
    text = "x if x < 5 else 5"
    for result in (
        ao.map(given, text),
        ao.map(given, lambda x: x if x < 5 else 5),
        ao.map(given, lambda x: x if x < 5 else 5, compile=False),
        ao.compile(text)(given),
        ao.compile(text).map(given),
        ao.evaluate(text, x=given, typecode=code),
    ):
        check(result, code, given, limited)
    doubled = [x * 0.5 for x in numbers]
    check(ao.map(given, "x*0.5", typecode="d"), "d", given, doubled)
    check(ao.evaluate("x*0.5", x=given), "d", given, doubled)
    check(ao.evaluate("x > 3", x=given), "?", given, [x > 3 for x in numbers])
    kept = [x for x in numbers if x > 3]
    for result in (
        ao.filter(given, "x > 3"),
        ao.filter(given, lambda x: x > 3, compile=False),
        ao.compile("x > 3").filter(given),
    ):
        check(result, code, given, kept)
    largest = list(itertools.accumulate(numbers, lambda acc, x: x if x > acc else acc))
    check(ao.accumulate(given, "x if x > acc else acc"), code, given, largest)
    check(ao.compile("acc if x > 1 else x").accumulate(given, initial=0)[:1], code, given, [0])


@pytest.mark.parametrize("kind", MAKERS)
@given(values=arrays())
def test_reductions_take_every_kind(kind: str, values: array[Any]) -> None:
    given = MAKERS[kind](values)
    for call in (
        ao.sum,
        ao.mean,
        ao.min,
        ao.max,
        lambda a: ao.reduce(a, "acc + 1 if x > 2 else acc", 0),
        lambda a: ao.reduce(a, lambda acc, x: x, compile=False),
        lambda a: ao.compile("acc if acc > x else x").reduce(a),
    ):
        assert outcome(call, given) == outcome(call, values)


def outcome(call: Callable[[Any], Any], arr: Any) -> object:
    """What a reduction gives, or the type and text of its exception."""
    try:
        return repr(call(arr))
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("kind", MAKERS)
def test_edge_values_of_every_type(kind: str, typecode: str) -> None:
    values = array(typecode, edge_values(typecode))
    given = MAKERS[kind](values)
    check(ao.map(given, "x"), typecode, given, values.tolist())
    check(ao.filter(given, "x == x or x != x"), typecode, given, values.tolist())


PAIRS = list(itertools.product([*MAKERS, "array"], repeat=2))


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=" ".join)
def test_the_first_array_decides(first: str, second: str) -> None:
    makers = {**MAKERS, "array": lambda values: values}
    x, y = makers[first](array("h", range(100))), makers[second](array("d", range(1, 101)))
    want = [a * 2 + b for a, b in zip(range(100), range(1, 101), strict=True)]
    for result in (
        ao.map(x, "x*2 + y", y, typecode="d"),
        ao.map(x, "x*2 + y", y=y, typecode="d"),
        ao.map(x, lambda x, y: x * 2 + y, y, typecode="d"),
        ao.evaluate("x*2 + y", y=y, x=x),
        ao.compile("x*2 + k + y - k")(x, 3, y, typecode="d"),
    ):
        if first == "array":
            assert_bytes(result, "d", want)
        else:
            check(result, "d", x, want)
    chosen = ao.filter(x, "y > 50 and x > 1", y=y)
    if first == "array":
        assert_bytes(chosen, "h", range(50, 100))
    else:
        check(chosen, "h", x, list(range(50, 100)))


@pytest.mark.parametrize("kind", MAKERS)
def test_out_and_in_place_fill_what_they_are_given(kind: str) -> None:
    given = MAKERS[kind](array("d", range(100)))
    for out in (array("d", bytes(800)), np.zeros(100)):
        assert ao.map(given, "x + 1", out=out) is out
        assert list(out) == list(range(1, 101))
        assert ao.evaluate("x + 2", x=given, out=out) is out
        assert list(out) == list(range(2, 102))
    target = array("d", range(100))
    ao.map_inplace(target, "x + y", given)
    assert_bytes(target, "d", range(0, 200, 2))


@pytest.mark.parametrize("kind", ARROW_KINDS)
def test_arrow_data_is_not_written(kind: str) -> None:
    for call in (
        lambda a: ao.map_inplace(a, "x + 1"),
        lambda a: ao.compile("x").inplace(a),
        lambda a: ao.scale(a, 2),
        lambda a: ao.clip(a, 0, 1),
    ):
        with pytest.raises(TypeError, match="read-only"):
            call(as_arrow(array("d", [1, 2, 3])) if kind == "chunked" else MAKERS[kind](array("d", [1])))


@pytest.mark.parametrize("kind", MAKERS)
def test_exceptions_are_those_of_an_array(kind: str) -> None:
    values = array("h", [1, 2, 0, 300])
    given = MAKERS[kind](values)
    for call in (
        lambda a: ao.map(a, "x // (x - 2)"),
        lambda a: ao.map(a, "x * 1000"),
        lambda a: ao.map(a, "x / 2"),
        lambda a: ao.map(a, lambda x: 1 // x),
        lambda a: ao.map(a, "x + y", array("h", [1])),
        lambda a: ao.map(a, "x + y", as_chunks(array("h", [1, 2, 3]))),
        lambda a: ao.filter(a, "x + y", y=as_arrow(array("h", [1, 2, 3, 4, 5]))),
        lambda a: ao.map(a, "x", typecode="z"),
        lambda a: ao.map(a, "x + y"),
        lambda a: ao.map(a, "x", z=1),
        lambda a: ao.accumulate(a, "acc + x*300"),
    ):
        want, got = outcome(call, values), outcome(call, given)
        assert isinstance(want, tuple) and got == want


def test_chunks_stay_chunks() -> None:
    given = pa.chunked_array([[1, 2], [], [3, 4, 5]], type=pa.int32())
    lengths = lambda a: [len(c) for c in a.chunks]  # noqa: E731
    assert lengths(ao.map(given, "x + 1")) == [2, 0, 3]
    assert lengths(ao.filter(given, "x > 1 and x != 4")) == [1, 0, 2]
    assert lengths(ao.evaluate("x + y", x=given, y=np.arange(5))) == [2, 0, 3]
    assert lengths(ao.accumulate(given, "acc + x")) == [5]
    pieces = as_pieces(array("d", range(9)))
    assert ao.map(pieces, "x + 1").n_chunks() == pieces.n_chunks() == 2
    none = pa.chunked_array([], type=pa.int32())
    assert ao.map(none, "x + 1").num_chunks == 0 and ao.filter(none, "x").type == pa.int32()
    assert ao.accumulate(none, "acc + x", initial=7).to_pylist() == [7]
    assert ao.sum(none) == 0


def test_a_number_of_numpy_beside_chunks_is_a_number() -> None:
    given = pa.chunked_array([[1, 2], [3]], type=pa.int32())
    assert ao.map(given, "x*k + j", np.int64(3), j=np.float64(2.0), typecode="d").to_pylist() == [5, 8, 11]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("typecode", "hiqfdHIQ")
def test_numpy_arrays_of_any_layout(typecode: str, order: str) -> None:
    base = np.arange(60).astype(np.dtype(typecode).newbyteorder(order))
    odd = np.frombuffer(b"\0" + base.tobytes(), dtype=base.dtype, offset=1)
    for column in (base, base[::2], base[::-1], odd, base[:0]):
        check(ao.map(column, "x + 1"), typecode, column, [int(x) + 1 for x in column])
        check(ao.filter(column, "x > 20"), typecode, column, [int(x) for x in column if x > 20])


def test_numpy_subclasses_give_plain_arrays(tmp_path: Any) -> None:
    np.arange(5.0).tofile(tmp_path / "data")
    mapped = np.memmap(tmp_path / "data", dtype="d", mode="r")
    check(ao.map(mapped, "x + 1"), "d", mapped, [1, 2, 3, 4, 5])


def test_no_library_is_imported_by_us() -> None:
    code = (
        "import sys, arrayops as ao; from array import array; a = array('d', [1, 2]);"
        "ao.map(a, 'x + y', y=memoryview(a)); ao.map(b'ab', abs); ao.evaluate('x', x=a);"
        "ao.sum(a); ao.from_arrow(ao.to_arrow(a)); ao.map(ao.to_arrow(a), 'x');"
        "print(*[m for m in ('numpy', 'pyarrow', 'polars') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


# ---------------------------------------------------------------------------------------------------- addresses


class _Buffer(ctypes.Structure):
    """Py_buffer."""

    _fields_ = [("buf", ctypes.c_void_p), ("rest", ctypes.c_char * 128)]


def address(exporter: Any) -> int:
    """Where the buffer of an object begins."""
    buffer = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(exporter), ctypes.byref(buffer), 0x11C)
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))
    return int(buffer.buf or 0)


def data_address(column: Any) -> int:
    """Where the first element of a column is, by the word of its own library."""
    if isinstance(column, np.ndarray):
        return int(column.ctypes.data)
    if isinstance(column, pl.Series):
        return int(column.to_numpy(allow_copy=False).ctypes.data)
    return int(column.buffers()[1].address + column.offset * column.type.bit_width // 8)


@pytest.mark.parametrize("typecode", TYPECODES)
def test_nothing_is_copied_on_the_way_in(typecode: str) -> None:
    values = array(typecode, range(100))
    whole, series = as_arrow(values), as_series(values)
    for column in (whole, whole[7:], whole[3:50], whole[100:], series, pa.chunked_array([whole[5:]])):
        shown = ao.from_arrow(column)
        assert type(shown) is ao.View and shown.readonly and len(shown) == len(column)
        producer = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        assert not len(column) or address(shown) == data_address(producer)
        assert shown.tolist() == (column.to_list() if isinstance(column, pl.Series) else column.to_pylist())


@pytest.mark.parametrize("typecode", TYPECODES)
def test_nothing_is_copied_on_the_way_out(typecode: str) -> None:
    values = array(typecode, range(100))
    exported = ao.to_arrow(values)
    assert data_address(pa.array(exported)) == data_address(pl.Series(exported)) == address(values)
    assert pa.array(exported).type == arrow_type(typecode) and pa.array(exported).null_count == 0
    exported = ao.to_arrow(memoryview(values)[10:20])
    assert data_address(pa.array(exported)) == address(values) + 10 * values.itemsize
    column = as_arrow(values)
    assert data_address(pa.array(ao.to_arrow(ao.from_arrow(column)))) == data_address(column)
    given = np.arange(10.0)
    assert data_address(pa.array(ao.to_arrow(given))) == data_address(given)


@pytest.mark.parametrize("kind", MAKERS)
def test_results_are_the_memory_of_our_own_array(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine has filled is what the library shows."""
    made: list[array[Any]] = []
    machine = sys.modules["arrayops._machine"]
    if kind == "numpy":  # the fast way in makes the array: what NumPy shows is its memory
        result = [ao.map(MAKERS[kind](array("d", range(100))), "x + 1") for _ in range(2)][1]
        assert type(result.base.obj) is array and address(result.base.obj) == data_address(result)
        return
    for name in ("new_array", "run_filter"):
        function = getattr(machine, name)
        monkeypatch.setattr(machine, name, lambda *a, f=function: made.append(f(*a)) or made[-1])
    given = MAKERS[kind](array("d", range(100)))
    for call in (lambda: ao.map(given, "x + 1"), lambda: ao.filter(given, "x > 5"), lambda: ao.evaluate("x", x=given)):
        made.clear()
        result = call()
        chunks = result.chunks if kind == "chunked" else result.get_chunks() if kind == "pieces" else [result]
        filled = [(data_address(chunk), len(chunk)) for chunk in chunks if len(chunk)]
        assert filled == [(address(a), len(a)) for a in made if len(a)] and filled


def test_inputs_of_a_call_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = sys.modules["arrayops._machine"]
    seen: list[int] = []
    function = machine.run_map
    monkeypatch.setattr(
        machine, "run_map", lambda p, args, *rest: seen.extend(map(address, args)) or function(p, args, *rest)
    )
    column, series = as_arrow(array("d", range(20)))[3:10], as_series(array("d", range(7)))
    ao.map(column, "x + y", series)
    assert seen == [data_address(column), data_address(series)]
    seen.clear()
    chunked = pa.chunked_array([column[:3], column[3:]])
    ao.map(chunked, "x + y + z", chunked, array("d", range(7)))
    first, second = (data_address(c) for c in chunked.chunks)
    assert [seen[0], seen[1], seen[3], seen[4]] == [first, first, second, second] and seen[5] - seen[2] == 24


# -------------------------------------------------------------------------------------------------------- nulls


@given(
    st.lists(st.none() | st.integers(-100, 100), max_size=300),
    st.integers(0, 70),
    st.sampled_from(["arrow", "chunked", "polars"]),
)
def test_nulls_are_skipped_or_filled(values: list[int | None], start: int, kind: str) -> None:
    """Sliced, so that the validity bitmap begins inside a byte."""
    made: dict[str, Callable[[], Any]] = {
        "arrow": lambda: pa.array(values, type=pa.int16())[start:],
        "chunked": lambda: pa.chunked_array([values, values], type=pa.int16())[start:],
        "polars": lambda: pl.Series(values, dtype=pl.Int16)[start:],
    }
    given = made[kind]()
    want = (values * 2 if kind == "chunked" else values)[start:]
    missing = want.count(None)
    assert_bytes(array("h", ao.from_arrow(given, nulls="skip")), "h", [x for x in want if x is not None])
    assert_bytes(array("h", ao.from_arrow(given, nulls=-7)), "h", [-7 if x is None else x for x in want])
    if not missing:
        assert ao.sum(given) == sum(x for x in want if x is not None)
        return
    for call in (ao.sum, ao.from_arrow, lambda a: ao.map(a, "x"), lambda a: ao.map(array("d"), "x + y", a)):
        with pytest.raises(ValueError, match=rf"has {missing} nulls?: nulls='(skip|propagate)'.*nulls=<number>"):
            call(given)


def test_what_fills_nulls_must_fit() -> None:
    given = pa.array([1, None], type=pa.int8())
    with pytest.raises(OverflowError):
        ao.from_arrow(given, nulls=128)
    with pytest.raises(TypeError):
        ao.from_arrow(given, nulls=0.5)
    for bad in ("drop", [0], b""):
        with pytest.raises(TypeError, match="nulls must be 'skip'"):
            ao.from_arrow(given, nulls=bad)  # type: ignore[arg-type]
    assert ao.from_arrow(pa.array([1.5, None]), nulls=float("nan"))[0] == 1.5


# what it is, how it is made, what the TypeError must name
OTHERS: list[tuple[str, Callable[[], Any], str]] = [
    ("string", lambda: pa.array(["a"]), r"'u' \(string\)"),
    ("polars string", lambda: pl.Series(["a"]), r"\(string view\)"),
    ("binary", lambda: pa.array([b"a"]), r"'z' \(binary\)"),
    ("fixed", lambda: pa.array([b"a"], type=pa.binary(1)), "fixed-size binary"),
    ("list", lambda: pa.array([[1]]), r"'\+l' \(nested\)"),
    ("struct", lambda: pa.array([{"a": 1}]), r"'\+s' \(struct\)"),
    ("null", lambda: pa.array([None]), r"'n' \(null\)"),
    ("decimal", lambda: pa.array([1], type=pa.decimal128(5)), "decimal"),
    ("date", lambda: pa.array([1], type=pa.date32()), "date"),
    ("timestamp", lambda: pa.array([1], type=pa.timestamp("s")), "timestamp"),
    ("duration", lambda: pa.chunked_array([pa.array([1], type=pa.duration("s"))]), "duration"),
    ("time", lambda: pl.Series([1]).cast(pl.Time), "time"),
    ("table", lambda: pa.table({"a": [1]}), "Table is a table: give one of its columns"),
    ("record batch", lambda: pa.record_batch({"a": [1]}), "RecordBatch is a table"),
    ("data frame", lambda: pl.DataFrame({"a": [1]}), "DataFrame is a table"),
]


@pytest.mark.parametrize(("make", "named"), [pytest.param(make, named, id=name) for name, make, named in OTHERS])
def test_other_types_are_type_errors_that_name_the_format(make: Callable[[], Any], named: str) -> None:
    given = make()
    for call in (ao.from_arrow, ao.sum, lambda a: ao.map(a, "x"), lambda a: ao.map(array("d", [1]), "x + y", y=a)):
        with pytest.raises(TypeError, match=named):
            call(given)


@pytest.mark.parametrize("thing", [[1], None, 1, array("d"), object()], ids=lambda thing: type(thing).__name__)
def test_what_is_no_arrow_data_is_a_type_error(thing: Any) -> None:
    with pytest.raises(TypeError, match="Arrow data is needed"):
        ao.from_arrow(thing)


# ----------------------------------------------------------------------------------------------------- exporting


def test_an_exported_array_lives_as_long_as_its_consumers() -> None:
    values = array("d", range(1000))
    column = pa.array(ao.to_arrow(values))
    with pytest.raises(BufferError):
        values.append(1.0)
    part = column[990:]
    del column
    with pytest.raises(BufferError):
        values.append(1.0)
    del part
    values.append(1.0)
    column = pa.array(ao.to_arrow(array("d", range(1000))))
    gc.collect()
    assert column.to_pylist() == list(range(1000))


def test_capsules_that_nobody_takes_are_released() -> None:
    values = array("d", [1.0])
    exported = ao.to_arrow(values)
    capsules = [exported.__arrow_c_array__(None) for _ in range(3)]
    with pytest.raises(BufferError):
        values.append(1.0)
    del capsules
    values.append(2.0)


def test_a_consumer_may_release_on_another_thread() -> None:
    values = array("d", [1.0])
    columns = [pa.array(ao.to_arrow(values))]
    worker = threading.Thread(target=columns.clear)
    worker.start()
    worker.join()
    values.append(2.0)


@pytest.mark.parametrize(
    "buffer",
    [
        np.arange(10)[::2],
        np.arange(10)[::-1],
        np.arange(10, dtype=">i4"),
        np.frombuffer(bytes(81), dtype="d", offset=1),
        ao.view(bytes(range(20)), ">h", stride=4),
        np.arange(1)[::-1],
    ],
    ids=["strided", "reversed", "swapped", "misaligned", "view", "one"],
)
def test_what_is_not_side_by_side_is_copied(buffer: Any) -> None:
    assert pa.array(ao.to_arrow(buffer)).to_pylist() == list(buffer)
    with pytest.raises(BufferError) if len(buffer) > 1 else pytest.raises(AssertionError):
        sys.modules["arrayops._machine"].give_arrow(buffer, None)  # type: ignore[attr-defined]
        raise AssertionError


def test_what_cannot_be_exported() -> None:
    for bad, error in (([1], TypeError), (b"ab", None), (np.zeros((2, 2)), BufferError), (np.zeros(2, "F"), TypeError)):
        if error is None:
            assert pa.array(ao.to_arrow(bad)).to_pylist() == [97, 98]
            continue
        with pytest.raises(error):
            ao.to_arrow(bad)
    assert pa.array(ao.to_arrow(array("i"))).type == pa.int32() and len(pl.Series(ao.to_arrow(array("i")))) == 0


def test_a_view_holds_the_column() -> None:
    column = pa.array([1.5, 2.5, 3.5])
    gone = weakref.ref(column)
    shown = ao.from_arrow(column)
    del column
    gc.collect()
    assert gone() is None and shown.tolist() == [1.5, 2.5, 3.5] and ao.sum(shown[1:]) == 6.0
    shown.release()
    with pytest.raises(ValueError, match="released"):
        ao.sum(shown)


# ------------------------------------------------------------------------------------------ a producer by hand


class Schema(ctypes.Structure):
    """ArrowSchema."""


class Column(ctypes.Structure):
    """ArrowArray."""


class Stream(ctypes.Structure):
    """ArrowArrayStream."""


RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
GET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
LAST_ERROR = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
Schema._fields_ = [
    ("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_char_p), ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("children", ctypes.c_void_p), ("dictionary", ctypes.c_void_p),
    ("release", RELEASE), ("private_data", ctypes.c_void_p),
]  # fmt: skip
Column._fields_ = [
    ("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64), ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.c_void_p),
    ("dictionary", ctypes.c_void_p), ("release", RELEASE), ("private_data", ctypes.c_void_p),
]  # fmt: skip
Stream._fields_ = [
    ("get_schema", GET), ("get_next", GET), ("get_last_error", LAST_ERROR), ("release", RELEASE),
    ("private_data", ctypes.c_void_p),
]  # fmt: skip

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
SCHEMA, ARRAY, STREAM = b"arrow_schema", b"arrow_array", b"arrow_array_stream"


def capsule(struct: Any, name: bytes) -> Any:
    return new_capsule(ctypes.addressof(struct), name, None)


class Producer:
    """Doubles with a validity bitmap, by hand. Every release is counted, a second one of the same struct as well."""

    def __init__(self, values: list[float], bits: int | None = None, **changes: Any) -> None:
        self.released: list[str] = []
        self.data = (ctypes.c_double * max(len(values), 1))(*values)
        self.bits = None if bits is None else (ctypes.c_uint8 * 16)(*bits.to_bytes(16, "little"))
        pointers = (None if bits is None else ctypes.addressof(self.bits), ctypes.addressof(self.data))  # type: ignore[arg-type]
        self.buffers = (ctypes.c_void_p * 2)(*pointers)
        self.callbacks = [RELEASE(self._release_schema), RELEASE(self._release_array)]
        self.schema = Schema(format=b"g", release=self.callbacks[0])
        self.array = Column(length=len(values), null_count=0 if bits is None else -1, n_buffers=2,
                            buffers=self.buffers, release=self.callbacks[1])  # fmt: skip
        for name, value in changes.items():
            where, field = name.split("_", 1)
            setattr(getattr(self, where), field, value)

    def _release_schema(self, pointer: int) -> None:
        self.released.append("schema")
        Schema.from_address(pointer).release = RELEASE()

    def _release_array(self, pointer: int) -> None:
        self.released.append("array")
        Column.from_address(pointer).release = RELEASE()

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return capsule(self.schema, SCHEMA), capsule(self.array, ARRAY)


def test_the_array_is_released_once_when_the_last_view_is_gone() -> None:
    producer = Producer([1.0, 2.0, 3.0])
    shown = ao.from_arrow(producer)
    assert address(shown) == ctypes.addressof(producer.data) and not producer.array.release
    part, held = shown[1:], memoryview(shown)
    del shown
    gc.collect()
    assert producer.released == []
    held.release()
    assert part.tolist() == [2.0, 3.0] and producer.released == []
    del part, held
    gc.collect()
    assert producer.released == ["array"]
    with pytest.raises(ValueError, match="released or taken"):
        ao.from_arrow(producer)


def test_the_array_is_released_once_after_a_call() -> None:
    for call in (
        lambda a: ao.map(a, "x + 1"),
        lambda a: ao.filter(a, "x"),
        lambda a: ao.map(array("d", [1, 2, 3]), "x + y", a),
        lambda a: ao.map(a, "1 // (x - x)"),
        ao.sum,
    ):
        producer = Producer([1.0, 2.0, 3.0])
        try:
            result = call(producer)
            assert type(result) in (array, float)
        except ZeroDivisionError:
            pass
        gc.collect()
        assert producer.released == ["array"]


def test_released_with_an_exception_on_its_way() -> None:
    producer = Producer([1.0])

    def fails() -> None:
        shown = ao.from_arrow(producer)
        assert len(shown) == 1
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fails()
    gc.collect()
    assert producer.released == ["array"]


@given(st.lists(st.booleans(), min_size=1, max_size=100), st.integers(0, 20), st.sampled_from([-1, "true"]))
def test_a_validity_bitmap_at_any_bit(valid: list[bool], offset: int, count: Any) -> None:
    before = (1 << offset) - 1 if offset % 2 else 0  # whether what is before the slice is there does not matter
    bits = before | sum(1 << (offset + i) for i, v in enumerate(valid) if v)
    values = [float(i) for i in range(offset + len(valid))]
    nulls = valid.count(False)

    def make() -> Producer:
        return Producer(values, bits, array_offset=offset, array_length=len(valid),
                        array_null_count=nulls if count == "true" else -1)  # fmt: skip

    want = [x if v else None for x, v in zip(values[offset:], valid, strict=True)]
    assert list(ao.from_arrow(make(), nulls="skip")) == [x for x in want if x is not None]
    assert list(ao.from_arrow(make(), nulls=-1)) == [-1.0 if x is None else x for x in want]
    if nulls:
        producer = make()
        refused = outcome(ao.sum, producer)
        assert isinstance(refused, tuple) and f"has {nulls} null" in refused[1]
        assert producer.released == ["array"]


def test_an_unknown_number_of_nulls_without_a_bitmap_is_none() -> None:
    assert ao.sum(Producer([1.0, 2.0], array_null_count=-1)) == 3.0


def test_no_elements_need_no_memory() -> None:
    for changes in ({}, {"array_buffers": (ctypes.c_void_p * 2)()}, {"array_offset": 5}):
        producer = Producer([], **changes)
        assert ao.from_arrow(producer).tolist() == []
        gc.collect()
        assert producer.released == ["array"]


FAR = 1 << 62
# what is wrong, and what the ValueError says
MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"array_length": -1}, "length or offset"),
    ({"array_offset": -1}, "length or offset"),
    ({"array_length": FAR}, "length or offset"),
    ({"array_offset": FAR}, "length or offset"),
    ({"array_length": FAR // 4, "array_offset": FAR // 4}, "length or offset"),
    ({"array_length": (1 << 63) - 1, "array_offset": (1 << 63) - 1}, "length or offset"),
    ({"array_length": -(1 << 63)}, "length or offset"),
    ({"array_n_buffers": 0}, "2 buffers"),
    ({"array_n_buffers": 1}, "2 buffers"),
    ({"array_n_buffers": 3}, "2 buffers"),
    ({"array_n_buffers": -1}, "2 buffers"),
    ({"array_buffers": ctypes.POINTER(ctypes.c_void_p)()}, "2 buffers"),
    ({"array_buffers": (ctypes.c_void_p * 2)()}, "no data"),
    ({"array_n_children": 1}, "no children"),
    ({"array_null_count": -2}, "null count"),
    ({"array_null_count": 4}, "null count"),
    ({"array_null_count": 1}, "no validity bitmap"),
    ({"array_release": RELEASE()}, "released or taken"),
    ({"schema_release": RELEASE()}, "released or taken"),
    ({"schema_format": None}, "no format"),
]


@pytest.mark.parametrize(("changes", "message"), MALFORMED, ids=lambda value: str(value)[:40])
def test_malformed_arrays_are_value_errors(changes: dict[str, Any], message: str) -> None:
    producer = Producer([1.0, 2.0, 3.0], **changes)
    with pytest.raises(ValueError, match=message):
        ao.from_arrow(producer)
    with pytest.raises(ValueError, match=message):
        ao.map(producer, "x")
    assert producer.released == []  # what was not taken is still the producer's to release


@pytest.mark.parametrize("format", [b"", b"x", b"ll", b"g ", b"\xff\xfe", b"+", b"w:8", b"x" * 100_000, b"%s%n"])
def test_formats_nobody_knows(format: bytes) -> None:
    producer = Producer([1.0], schema_format=format)
    with pytest.raises(TypeError, match="Arrow format") as caught:
        ao.from_arrow(producer)
    assert len(str(caught.value)) < 400 and producer.released == []


@pytest.mark.parametrize("make", [
    lambda: pa.array(["b", "a", "b"]).dictionary_encode(),
    lambda: pa.chunked_array([["b", "a"], ["b"]]).dictionary_encode(),
    lambda: pl.Series(["b", "a", "b"], dtype=pl.Enum(["b", "a"])),
], ids=["array", "chunks", "polars"])  # fmt: skip
def test_dictionary_encoded_data_is_its_indices(make: Callable[[], Any]) -> None:
    given = make()
    assert list(ao.from_arrow(given)) == [0, 1, 0]
    assert list(ao.from_arrow(ao.map(given, "x + 1"))) == [1, 2, 1]
    assert ao.count(given, "x == 0") == 2


class Gives:
    """Gives anything as its capsules."""

    def __init__(self, what: Any) -> None:
        self.what = what

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self.what


class Streams:
    """Gives anything as its stream."""

    def __init__(self, what: Any) -> None:
        self.what = what

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.what


def test_other_things_than_capsules() -> None:
    producer = Producer([1.0])
    schema, column = producer.__arrow_c_array__()
    for wrong in (None, 1, (), (None, None), (schema,), (schema, schema), (column, schema), (schema, column, column)):
        with pytest.raises(TypeError):
            ao.from_arrow(Gives(wrong))
    for wrong in (None, 1, schema, (schema, column)):
        with pytest.raises(TypeError):
            ao.from_arrow(Streams(wrong))
    assert producer.released == []

    class Raises(Gives):
        """Refuses."""

        def __arrow_c_array__(self, requested_schema: object = None) -> Any:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        ao.sum(Raises(None))


class StreamProducer:
    """A stream of columns, by hand. `fails_at` is the chunk instead of which an error is reported; -1 is the schema."""

    def __init__(
        self, columns: list[Producer], fails_at: int | None = None, why: bytes | None = b"no more paper"
    ) -> None:
        self.columns, self.given, self.fails_at, self.released = columns, 0, fails_at, 0
        self.head = Producer([])
        text = ctypes.create_string_buffer(why or b"")
        self.why = None if why is None else ctypes.addressof(text)
        self.kept = text
        self.callbacks = [
            GET(self._schema),
            GET(self._next),
            LAST_ERROR(lambda pointer: self.why),
            RELEASE(self._release),
        ]
        self.stream = Stream(*self.callbacks)

    def _schema(self, stream: int, out: int) -> int:
        if self.fails_at == -1:
            return 5
        ctypes.memmove(out, ctypes.addressof(self.head.schema), ctypes.sizeof(Schema))
        return 0

    def _next(self, stream: int, out: int) -> int:
        if self.given == self.fails_at:
            return 5
        if self.given < len(self.columns):
            ctypes.memmove(out, ctypes.addressof(self.columns[self.given].array), ctypes.sizeof(Column))
            self.given += 1
        return 0

    def _release(self, pointer: int) -> None:
        self.released += 1
        Stream.from_address(pointer).release = RELEASE()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return capsule(self.stream, STREAM)


def releases(producer: StreamProducer) -> tuple[int, list[str], list[list[str]]]:
    """How often the stream, its schema and its chunks were released."""
    gc.collect()
    return producer.released, producer.head.released, [column.released for column in producer.columns]


def test_a_stream_is_released_once_with_all_of_its_chunks() -> None:
    producer = StreamProducer([Producer([1.0, 2.0]), Producer([]), Producer([3.0])])
    result = ao.map(producer, "x + 1")
    assert_bytes(result, "d", [2, 3, 4])
    assert releases(producer) == (1, ["schema"], [["array"]] * 3)
    with pytest.raises(ValueError, match="released or taken"):
        ao.from_arrow(producer)
    one = StreamProducer([Producer([1.0, 2.0])])
    shown = ao.from_arrow(one)
    assert type(shown) is ao.View and releases(one) == (1, ["schema"], [[]])
    del shown
    assert releases(one) == (1, ["schema"], [["array"]])
    none = StreamProducer([])
    assert_bytes(ao.map(none, "x + 1"), "d", [])


@pytest.mark.parametrize(("fails_at", "taken"), [(-1, 0), (0, 0), (1, 1), (2, 2)])
def test_a_stream_that_fails(fails_at: int, taken: int) -> None:
    for why, message in ((b"no more paper", "no more paper"), (None, "Input/output error"), (b"\xff", "\ufffd")):
        producer = StreamProducer([Producer([1.0]), Producer([2.0])], fails_at, why)
        with pytest.raises(ValueError, match=f"the Arrow stream failed: {message}"):
            ao.sum(producer)
        schema = [] if fails_at == -1 else ["schema"]
        assert releases(producer) == (1, schema, [["array"] if i < taken else [] for i in range(2)])


def test_a_malformed_chunk_is_released_by_whom_it_was_given_to() -> None:
    producer = StreamProducer([Producer([1.0]), Producer([2.0], array_length=-1), Producer([3.0])])
    with pytest.raises(ValueError, match="malformed"):
        ao.from_arrow(producer)
    assert releases(producer) == (1, ["schema"], [["array"], ["array"], []])


def test_a_stream_of_another_type() -> None:
    producer = StreamProducer([Producer([1.0])])
    producer.head.schema.format = b"u"
    with pytest.raises(TypeError, match="string"):
        ao.from_arrow(producer)
    assert releases(producer) == (1, ["schema"], [[]])


@pytest.mark.parametrize("field", ["get_schema", "get_next", "release"])
def test_a_stream_without_callbacks(field: str) -> None:
    producer = StreamProducer([Producer([1.0])])
    setattr(producer.stream, field, {"release": RELEASE}.get(field, GET)())
    with pytest.raises(ValueError, match="stream was released"):
        ao.from_arrow(producer)


def test_nulls_of_a_stream_are_counted_together() -> None:
    producer = StreamProducer([Producer([1.0, 2.0], 0b01), Producer([3.0, 4.0], 0b11), Producer([5.0], 0)])
    with pytest.raises(ValueError, match="has 2 nulls"):
        ao.sum(producer)
    assert releases(producer) == (1, ["schema"], [["array"]] * 3)
    again = StreamProducer([Producer([1.0, 2.0], 0b01), Producer([3.0, 4.0], 0b11), Producer([5.0], 0)])
    assert_bytes(ao.from_arrow(again, nulls="skip"), "d", [1, 3, 4])


def test_references_are_kept_in_balance() -> None:
    values = array("d", range(10))
    before = sys.getrefcount(values)
    for _ in range(100):
        column = pa.array(ao.to_arrow(values))
        ao.sum(ao.from_arrow(column))
        ao.map(column, "x + 1")
    del column
    assert sys.getrefcount(values) == before


def test_kernels_keep_their_names_and_signatures() -> None:
    for method in (ao.Kernel.map, ao.Kernel.filter, ao.Kernel.accumulate, ao.Kernel.reduce, ao.Kernel.inplace):
        assert f"arrayops.{'map_' * (method is ao.Kernel.inplace)}{method.__name__}" in str(method.__doc__)
        assert list(inspect.signature(method).parameters)[:2] == ["self", "arr"]


# ------------------------------------------------------------------------------------------------ statistics, pipelines


@pytest.mark.parametrize("kind", ["numpy", "array", "chunked", "series"])
def test_statistics_and_pipelines_take_and_give_them(kind: str) -> None:
    numbers = [3.0, 1.0, 2.5, 1.0]
    made = {"numpy": lambda: np.array(numbers), "array": lambda: pa.array(numbers),
            "chunked": lambda: pa.chunked_array([numbers[:1], numbers[1:]]),
            "series": lambda: pl.Series("s", numbers)}[kind]()  # fmt: skip
    plain = array("d", numbers)
    for ask in (ao.var, ao.std, ao.stats, ao.median, ao.minmax, ao.argmin, ao.argmax, ao.any, ao.all, ao.count, ao.prod,
                lambda a: ao.quantile(a, 0.3), lambda a: ao.dot(a, a), lambda a: ao.count(a, "x > 1"),
                lambda a: ao.RunningStats(a).std, lambda a: list(ao.array_iterator(a)),
                lambda a: ao.lazy(a).map("x*x").filter("x > 1").sum(), lambda a: list(ao.lazy(a).map(str)),
                lambda a: ao.lazy([a, a]).stats(), lambda a: ao.lazy_array(a).reduce("acc - x")):  # fmt: skip
        assert ask(made) == ask(plain)
    assert ao.lazy([made, made]).collect() == plain + plain
    for result, want in ((ao.unique(made), [1.0, 2.5, 3.0]),
                         (ao.lazy(made).map("x*2").filter("x > 2").collect(), [6.0, 5.0]),
                         (ao.add(made, made), [6.0, 2.0, 5.0, 2.0])):  # fmt: skip
        assert type(result) is type(made) and list(np.asarray(result)) == want
    if kind != "numpy":
        for function in (ao.sort, ao.reverse, ao.normalize):
            with pytest.raises(TypeError):
                function(made)
