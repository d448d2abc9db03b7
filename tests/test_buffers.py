"""Every buffer in and out: formats, prefixes, misalignment, contiguity, read-only, lengths, overlap.

What is accepted gives the right answer, what is not gives the named error; nothing is ever misread.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import struct
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from oracle import (
    INTEGER_CODES,
    TYPECODES,
    assert_bytes,
    assert_same,
    edge_values,
    expected_map,
    integer_range,
    outcome,
)

SAMPLE = [1, 2, 3, 4, 5, 100]


def recast(buffer: Any, *form: Any) -> Any:
    """A memoryview of the buffer, cast."""
    view: Any = memoryview(buffer)
    return view.cast(*form)


def anonymous_map(data: bytes) -> mmap.mmap:
    """Anonymous memory that holds data."""
    mapped = mmap.mmap(-1, len(data))
    mapped[:] = data
    return mapped


# kind of buffer, how it is made from SAMPLE, the typecode its results have
MAKERS: list[tuple[str, Callable[[], Any], str]] = [
    ("bytes", lambda: bytes(SAMPLE), "B"),
    ("bytearray", lambda: bytearray(SAMPLE), "B"),
    ("memoryview of bytes", lambda: memoryview(bytes(SAMPLE)), "B"),
    ("memoryview slice", lambda: memoryview(array("h", [0, *SAMPLE, 0]))[1:-1], "h"),
    ("read-only memoryview", lambda: memoryview(array("d", SAMPLE)).toreadonly(), "d"),
    ("mmap", lambda: anonymous_map(bytes(SAMPLE)), "B"),
    ("cast from bytes", lambda: recast(struct.pack("=6i", *SAMPLE), "i"), "i"),
    ("cast with @", lambda: recast(struct.pack("=6d", *SAMPLE), "@d"), "d"),
    *[(f"array {code}", lambda code=code: array(code, SAMPLE), code) for code in TYPECODES],
    *[(f"memoryview {code}", lambda code=code: memoryview(array(code, SAMPLE)), code) for code in TYPECODES],
]
C_TYPES: list[tuple[Any, str]] = [
    (ctypes.c_int8, "b"), (ctypes.c_uint8, "B"), (ctypes.c_int16, "h"), (ctypes.c_uint16, "H"), (ctypes.c_int32, "i"),
    (ctypes.c_uint32, "I"), (ctypes.c_int64, "q"),
    (ctypes.c_uint64, "Q"), (ctypes.c_long, "l"), (ctypes.c_ulong, "L"), (ctypes.c_longlong, "q"),
    (ctypes.c_float, "f"), (ctypes.c_double, "d"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "typecode"), [pytest.param(make, code, id=name) for name, make, code in MAKERS])
def test_kinds_of_input(make: Callable[[], Any], typecode: str) -> None:
    got = ao.map(make(), "x*2 - 100", typecode="d")
    assert_bytes(got, "d", [x * 2 - 100 for x in SAMPLE])
    assert_bytes(ao.map(make(), "x"), typecode, SAMPLE)
    assert_bytes(ao.map(make(), lambda x: x), typecode, SAMPLE)
    assert_bytes(ao.filter(make(), "x > 3"), typecode, [4, 5, 100])
    assert_bytes(ao.evaluate("a + b", typecode="d", a=make(), b=make()), "d", [x + x for x in SAMPLE])
    assert ao.sum(make()) == sum(SAMPLE)
    assert ao.max(make()) == 100
    assert ao.reduce(make(), "acc + x", 0) == sum(SAMPLE)
    assert_bytes(ao.accumulate(make(), "max(acc, x)"), typecode, SAMPLE)


@pytest.mark.parametrize(("c_type", "typecode"), C_TYPES)
def test_ctypes_arrays_by_their_item_size(c_type: Any, typecode: str) -> None:
    """ctypes calls an 8-byte long '<l' or '<q': the size counts, not the letter."""
    values = (c_type * 6)(*SAMPLE)
    got = ao.map(values, "x*2 - 90" if typecode not in "bBHILQ" else "x + 1")
    want = [x * 2 - 90 if typecode not in "bBHILQ" else x + 1 for x in SAMPLE]
    assert got.itemsize == ctypes.sizeof(c_type)
    assert got.tolist() == want
    ao.map_inplace(values, "x + 1")
    assert list(values) == [x + 1 for x in SAMPLE]
    out = (c_type * 6)()
    ao.map(array("b", SAMPLE), "x // 2", out=out)
    assert list(out) == [x // 2 for x in SAMPLE]


@pytest.mark.parametrize("typecode", TYPECODES)
def test_kinds_of_output(typecode: str) -> None:
    size = array(typecode).itemsize
    outputs: list[Any] = [
        array(typecode, [0] * 6),
        memoryview(array(typecode, [0] * 6)),
        recast(bytearray(6 * size), typecode),
    ]
    outputs.append(recast(anonymous_map(bytes(6 * size)), typecode))
    outputs.append(memoryview(array(typecode, [0] * 9))[2:8])
    for out in outputs:
        ao.map(array("b", SAMPLE), "x + 1", out=out)
        assert list(out) == [x + 1 for x in SAMPLE]
        ao.map_inplace(out, "x * 2 // 2 + 1")
        assert list(out) == [x + 2 for x in SAMPLE]


@pytest.mark.parametrize("typecode", INTEGER_CODES)
def test_values_that_do_not_fit_any_output(typecode: str) -> None:
    """Whatever holds the output: never a wrapped value."""
    low, high = integer_range(typecode)
    for text in (f"x*0 + {high + 1}", f"x*0 + ({low - 1})"):
        for out in (
            array(typecode, [0]),
            memoryview(array(typecode, [0])),
            recast(bytearray(array(typecode).itemsize), typecode),
        ):
            with pytest.raises((OverflowError, ValueError)):
                ao.map(array("b", [1]), text, out=out)
            assert list(out) == [0]


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("offset", range(1, 9))
def test_misaligned_buffers(typecode: str, offset: int) -> None:
    size = array(typecode).itemsize
    values = array(typecode, (edge_values(typecode) * 5)[:100])
    raw = bytearray(offset) + bytearray(values.tobytes()) + bytearray(8)
    view = recast(memoryview(raw)[offset : offset + 100 * size], typecode)
    assert_same(outcome(lambda: ao.map(view, "x")), expected_map("x", typecode, values))
    assert_same(
        outcome(lambda: ao.map(view, "x > 3 or x < 1", typecode="B")), expected_map("x > 3 or x < 1", "B", values)
    )
    ao.map_inplace(view, "x if x < 5 else 5")
    assert_bytes(array(typecode, view.tolist()), typecode, [x if x < 5 else 5 for x in values])
    assert raw[:offset] == bytes(offset) and raw[-8:] == bytes(8)


# ------------------------------------------------------------------------------------------------ wrong buffers


class Point(ctypes.Structure):
    """A record."""

    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]


# what it is, how it is made, the format a TypeError must name
FORMATS: list[tuple[str, Callable[[], Any], str]] = [
    ("objects", lambda: (ctypes.py_object * 2)(), "O"),
    ("unicode", lambda: array("u", "ab"), "[uw]"),
    ("records", lambda: (Point * 2)(), "T"),
    ("characters", lambda: recast(b"ab", "c"), "c"),
    ("pointers", lambda: recast(bytes(16), "P"), "P"),
    ("ctypes pointers", lambda: (ctypes.c_void_p * 2)(), "P"),
    ("ctypes strings", lambda: (ctypes.c_char_p * 2)(), "z"),
    ("characters in the other order", lambda: (ctypes.c_wchar * 2)(), "<?u"),
    ("long double", lambda: (ctypes.c_longdouble * 2)(), "g|d"),
]
CALLS: list[tuple[str, Callable[[Any], Any]]] = [
    ("map", lambda b: ao.map(b, "x")),
    ("map callable", lambda b: ao.map(b, lambda x: x)),
    ("second array", lambda b: ao.map(array("d", [1, 2]), "x + y", b)),
    ("named array", lambda b: ao.map(array("d", [1, 2]), "x + y", y=b)),
    ("out", lambda b: ao.map(array("b", [1, 2]), "x", out=b)),
    ("map_inplace", lambda b: ao.map_inplace(b, "x")),
    ("filter", lambda b: ao.filter(b, "x")),
    ("filter callable", lambda b: ao.filter(b, bool)),
    ("reduce", lambda b: ao.reduce(b, "acc + x")),
    ("accumulate", lambda b: ao.accumulate(b, "acc + x")),
    ("sum", ao.sum),
    ("mean", ao.mean),
    ("min", ao.min),
    ("max", ao.max),
    ("scale", lambda b: ao.scale(b, 2)),
    ("clip", lambda b: ao.clip(b, 0, 1)),
    ("evaluate", lambda b: ao.evaluate("x + 1", x=b)),
    ("kernel", lambda b: ao.compile("x + 1")(b)),
]
READING = [pytest.param(call, id=name) for name, call in CALLS]


@pytest.mark.parametrize("call", READING)
@pytest.mark.parametrize(("make", "named"), [pytest.param(make, named, id=name) for name, make, named in FORMATS])
def test_other_formats_are_type_errors_that_name_them(
    call: Callable[[Any], Any], make: Callable[[], Any], named: str
) -> None:
    with pytest.raises(TypeError, match=named):
        call(make())


def _grid(typecode: str) -> Any:
    return recast(bytearray(32), typecode, [2, 32 // 2 // array(typecode).itemsize])


SHAPES: list[tuple[str, Callable[[], Any]]] = [
    ("2-D", lambda: _grid("d")),
    ("2-D bytes", lambda: _grid("B")),
    ("2-D ctypes", lambda: ((ctypes.c_double * 3) * 2)()),
    ("0-D", lambda: ctypes.c_double(1.5)),
    ("0-D cast", lambda: recast(bytearray(8), "d", ())),
]


@pytest.mark.parametrize("call", READING)
@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in SHAPES])
def test_other_shapes_are_buffer_errors(call: Callable[[Any], Any], make: Callable[[], Any]) -> None:
    with pytest.raises(BufferError):
        call(make())


@pytest.mark.parametrize("call", READING)
@pytest.mark.parametrize(
    "thing",
    [[1, 2], (1, 2), "ab", None, {1: 2}, object(), iter([1]), array],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_no_buffer_is_a_type_error(call: Callable[[Any], Any], thing: Any) -> None:
    if thing is None and call in (CALLS[4][1],):
        assert_bytes(call(None), "b", [1, 2])  # out=None is no out
        return
    with pytest.raises(TypeError):
        call(thing)


READ_ONLY = [bytes(2), memoryview(bytearray(2)).toreadonly(), memoryview(b"ab")]


@pytest.mark.parametrize("buffer", READ_ONLY, ids=["bytes", "toreadonly", "memoryview"])
def test_read_only_output_is_a_type_error(buffer: Any) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: ao.map(array("b", [1, 2]), "x", out=buffer),
        lambda: ao.map(array("b", [1, 2]), lambda x: x, out=buffer),
        lambda: ao.evaluate("x + 1", x=array("b", [1, 2]), out=buffer),
        lambda: ao.map_inplace(buffer, "x"),
        lambda: ao.map_inplace(buffer, lambda x: x),
        lambda: ao.compile("x").inplace(buffer),
        lambda: ao.scale(buffer, 1),
        lambda: ao.clip(buffer, 0, 1),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()


LENGTH_CALLS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("map", lambda a, b: ao.map(a, "x + y", b)),
    ("map named", lambda a, b: ao.map(a, "x + y", y=b)),
    ("map out", lambda a, b: ao.map(a, "x", out=b)),
    ("map callable out", lambda a, b: ao.map(a, lambda x: x, out=b)),
    ("map callable", lambda a, b: ao.map(a, lambda x, y: x + y, b)),
    ("map_inplace", lambda a, b: ao.map_inplace(a, "x + y", b)),
    ("filter", lambda a, b: ao.filter(a, "x + y", b)),
    ("evaluate", lambda a, b: ao.evaluate("x + y", x=a, y=b)),
    ("evaluate out", lambda a, b: ao.evaluate("x + 1", x=a, out=b)),
    ("kernel", lambda a, b: ao.compile("x + y")(a, b)),
]


@pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in LENGTH_CALLS])
@pytest.mark.parametrize(("first", "second"), [(7, 12), (12, 7), (0, 3), (3, 0), (1, 513)])
def test_lengths_that_differ_are_value_errors_with_both(
    call: Callable[[Any, Any], Any], first: int, second: int
) -> None:
    a, b = array("d", [1.0] * first), array("d", [2.0] * second)
    with pytest.raises(ValueError) as caught:
        call(a, b)
    assert str(first) in str(caught.value) and str(second) in str(caught.value)
    assert (a, b) == (array("d", [1.0] * first), array("d", [2.0] * second))


# ------------------------------------------------------------------------------------------------------ overlap


def _window(raw: bytearray, offset: int, count: int, typecode: str) -> Any:
    return recast(memoryview(raw)[offset : offset + count * array(typecode).itemsize], typecode)


@pytest.mark.parametrize("count", [5, 100, 700])
@pytest.mark.parametrize(("source", "target"), [("d", "d"), ("i", "i"), ("b", "d"), ("h", "d"), ("B", "B"), ("i", "q")])
def test_every_overlap_of_input_and_out(source: str, target: str, count: int) -> None:
    """All pairs of byte offsets -16..16: the right answer, as if the input had been copied first."""
    base = 16
    values = array(source, [(i * 7) % 15 + 1 for i in range(count)])
    room = 2 * base + 8 * count + 16
    for shift in range(-16, 17) if count == 5 else range(-16, 17, 4):
        for origin in range(-16, 17) if count == 5 else (-16, 0, 3):
            for function in ("x + 1", "x*y + 3") if shift % 4 == 0 else ("x + 1",):
                raw = bytearray(room)
                view = _window(raw, base + origin, count, source)
                view[:] = memoryview(values)
                out = _window(raw, max(0, base + origin + shift), count, target)
                ao.map(view, function, out=out, **({"y": view} if "y" in function else {}))
                want = [x + 1 if function == "x + 1" else x * x + 3 for x in values]
                assert out.tolist() == want, (shift, origin, function)


@pytest.mark.parametrize("shift", range(-16, 17))
def test_overlap_with_a_callable(shift: int) -> None:
    raw = bytearray(array("h", range(60)).tobytes()) + bytearray(64)
    view, out = _window(raw, 16, 40, "h"), _window(raw, 16 + shift, 40, "h")
    want = [x * 2 + 1 for x in view.tolist()]
    ao.map(view, lambda x: x * 2 + 1, out=out)
    assert out.tolist() == want


@pytest.mark.parametrize("shift", range(-16, 17))
def test_overlap_of_the_second_input(shift: int) -> None:
    raw = bytearray(array("i", range(700)).tobytes()) + bytearray(64)
    first = array("i", [1000] * 600)
    view, out = _window(raw, 16, 600, "i"), _window(raw, 16 + shift, 600, "i")
    want = [a - b for a, b in zip(first, view.tolist(), strict=True)]
    ao.map(first, "a - b", view, out=out)
    assert out.tolist() == want
    assert_bytes(first, "i", [1000] * 600)


@pytest.mark.parametrize("count", [10, 600])
@pytest.mark.parametrize("shift", range(-4, 5))
def test_in_place_beside_an_overlapping_second_array(shift: int, count: int) -> None:
    """Either meaning is right, the copy's or the loop's; a mixture by blocks is garbage."""
    data = array("q", [(i * 31) % 1000 for i in range(count + 8)])
    target, other = memoryview(data)[4 : 4 + count], memoryview(data)[4 + shift : 4 + shift + count]
    copied = [x + y for x, y in zip(target.tolist(), other.tolist(), strict=True)]
    looped_data = data[:]
    looped, looped_other = (
        memoryview(looped_data)[4 : 4 + count],
        memoryview(looped_data)[4 + shift : 4 + shift + count],
    )
    for i in range(count):
        looped[i] = looped[i] + looped_other[i]
    ao.map_inplace(target, "x + y", other)
    assert target.tolist() in (copied, looped.tolist())


def test_exact_alias_is_in_place() -> None:
    data = array("d", [1.0, 2.0, 3.0])
    ao.map(data, "x*x", out=data)
    assert_bytes(data, "d", [1.0, 4.0, 9.0])
    ao.map(data, "x + y", data, out=data)
    assert_bytes(data, "d", [2.0, 8.0, 18.0])


def test_empty_buffers() -> None:
    for empty in (b"", bytearray(), array("d"), recast(b"", "i"), (ctypes.c_int * 0)()):
        assert len(ao.map(empty, "1 // (x - x)")) == 0
        assert len(ao.filter(empty, "1 // (x - x)")) == 0
        assert ao.sum(empty) == 0


# ------------------------------------------------------------------------------------------------------- NumPy


def test_numpy_arrays_in_and_out() -> None:
    np = pytest.importorskip("numpy")
    for name, typecode in (
        ("int8", "b"),
        ("uint16", "H"),
        ("int32", "i"),
        ("float32", "f"),
        ("float64", "d"),
        ("uint8", "B"),
    ):
        values = np.array(SAMPLE, dtype=name)
        same = ao.map(values, "x")
        assert type(same) is np.ndarray and same.dtype == values.dtype
        assert_bytes(array(typecode, same.tobytes()), typecode, SAMPLE)
        out = np.zeros(6, dtype=name)
        ao.map(values, "x // 2", out=out)
        assert out.tolist() == [x // 2 for x in SAMPLE]
        ao.map_inplace(values, "x + 1")
        assert values.tolist() == [x + 1 for x in SAMPLE]
    assert ao.map(np.array(SAMPLE), "x + 1").itemsize == np.array(SAMPLE).itemsize


def test_numpy_arrays_that_do_not_fit() -> None:
    np = pytest.importorskip("numpy")
    for dtype in ("complex64", "complex128", "O", "S4", "longdouble", "i4,f8"):
        with pytest.raises(TypeError):
            ao.map(np.zeros(3, dtype=dtype), "x")
    for shaped in (np.zeros((2, 3)), np.zeros((3, 1))):
        with pytest.raises(BufferError):
            ao.map(shaped, "x")
    with pytest.raises(TypeError, match="not float"):  # of no dimension, it is the number that it holds
        ao.map(np.array(1.0), "x")


def test_every_input_is_released() -> None:
    data = bytearray(struct.pack("=3d", 1.0, math.pi, 4.0))
    view = recast(data, "d")
    ao.map(view, "x + 1")
    view.release()
    data.append(0)
    assert len(data) == 25


class Odd(array):  # type: ignore[type-arg]
    """Its methods say other things than its memory."""

    def __getitem__(self, index: Any) -> Any:
        return 99

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Any:
        return iter([7])

    def __bool__(self) -> bool:
        return False

    def tolist(self) -> list[Any]:
        return [5]


def looped(acc: float, x: float) -> float:
    return [acc + x][0]


OF_MEMORY: list[Callable[[Any], Any]] = [
    ao.sum, ao.mean, ao.max, ao.median, ao.prod, ao.var, ao.argsort, ao.unique, ao.accumulate, ao.stats, ao.minmax,
    lambda a: ao.map(a, "x*2"), lambda a: ao.map(a, lambda x: [x][0]), lambda a: ao.filter(a, lambda x: [x > 1][0]),
    lambda a: ao.reduce(a, "acc + x"), lambda a: ao.reduce(a, looped), lambda a: ao.reduce(a, looped, 0.5),
    lambda a: ao.accumulate(a, looped), lambda a: ao.accumulate(a, "acc*d + x", d=a),
    lambda a: ao.accumulate(a, "acc[0] + x, acc[1]", initial=(0.0, 1)), lambda a: ao.evaluate("x - mean(x)", x=a),
    lambda a: list(ao.array_iterator(a)), lambda a: ao.searchsorted(a, 2.0), lambda a: ao.quantile(a, [0.1, 0.5]),
    lambda a: ao.rolling(a, 2).sum(), lambda a: ao.histogram(a, 2), lambda a: ao.bincount(b"\0\1\1", a),
    lambda a: list(ao.lazy(a)), lambda a: ao.lazy(a).map("x*y", y=a).sum(), lambda a: ao.dot(a, a),
    lambda a: ao.lazy([a, a]).map("x*2").collect(), lambda a: ao.map(range(2), "t[x]", t=a, typecode="d"),
    lambda a: ao.any(a, lambda x: [x > 2][0]),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(OF_MEMORY)))
def test_what_counts_of_a_subclass_is_its_memory(place: int) -> None:
    function, values = OF_MEMORY[place], [1.0, 2.0, 4.0]
    for _ in range(2):
        assert function(Odd("d", values)) == function(array("d", values))
