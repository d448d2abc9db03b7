"""Elements that are not side by side: fields of packed records, slices, reversed and byte-swapped data, odd addresses.

Whatever the layout, every operation must give what it gives for an array of the same numbers.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import math
import mmap
import os
import signal
import struct
import subprocess
import sys
import weakref
from array import array
from pathlib import Path
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import TYPECODES, assert_bytes, assert_same, edge_values, outcome, same_array

#: Sizes of struct with a byte order: l and L have 4 bytes then.
STANDARD = {code: struct.calcsize("<" + code) for code in TYPECODES}


@st.composite
def layouts(draw: st.DrawFn) -> tuple[array[Any], Any, bytearray]:
    """An array, a view of the same numbers in a larger buffer, and that buffer."""
    code = draw(st.sampled_from(TYPECODES))
    order = draw(st.sampled_from(["", "<", ">"]))
    size = STANDARD[code] if order else array(code).itemsize
    native = code if array(code).itemsize == size else {"l": "i", "L": "I"}[code]
    count = draw(st.sampled_from([0, 1, 2, 3, 17, 100, 1000, 5000]))
    offset, stride = draw(st.integers(0, 9)), size + draw(st.integers(0, 9))
    edges = array(native, edge_values(native))
    values = array(native, (edges.tolist() * (count // len(edges) + 1))[:count])
    raw = bytearray(draw(st.integers(0, 255)).to_bytes(1, "big")) * (offset + count * stride + 3)
    for i, x in enumerate(values):
        struct.pack_into(f"{order or '@'}{code}", raw, offset + i * stride, x)
    return values, ao.view(raw, order + code, offset, stride, count), raw


TEXTS = ["x", "x > 3", "x if x < 5 else 5", "x*x if 0 <= x < 10 else 1", "1 if x != x else 0", "min(max(x, 0), 100)"]


def result(call: Any) -> Any:
    """What a call gives: the bits of an array, a number, or the type and text of an exception."""
    try:
        value = call()
    except Exception as error:
        return type(error), str(error)
    return (value.typecode, value.tobytes()) if isinstance(value, array) else (type(value), struct_bits(value))


def struct_bits(value: Any) -> Any:
    return struct.pack("d", value) if isinstance(value, float) else value


@given(layouts(), st.sampled_from(TEXTS))
def test_reading_a_view_is_reading_an_array(made: tuple[array[Any], Any, bytearray], text: str) -> None:
    values, view, raw = made
    before = bytes(raw)
    assert len(view) == len(values) and same_array(array(values.typecode, view.tolist()), values)
    for call in (
        lambda a: ao.map(a, text),
        lambda a: ao.map(a, text, typecode="d"),
        lambda a: ao.filter(a, text),
        lambda a: ao.map(a, lambda x: x, compile=False),
        lambda a: ao.filter(a, lambda x: x > 1, compile=False),
        lambda a: ao.reduce(a, "acc + 1 if x > acc else acc"),
        lambda a: ao.reduce(a, "x", 0),
        lambda a: ao.accumulate(a, "x if x > acc else acc"),
        lambda a: ao.reduce(a, lambda acc, x: x),
        ao.sum,
        ao.mean,
        ao.min,
        ao.max,
        lambda a: ao.map(array("d", range(len(a))), "x + (y > 2)", a),
        lambda a: ao.evaluate("(x > 1) + 0.5", x=a),
    ):
        assert result(lambda c=call: c(view)) == result(lambda c=call: c(values))
    assert bytes(raw) == before


@given(layouts(), st.sampled_from(TEXTS), st.booleans())
def test_writing_a_view_is_writing_an_array(made: tuple[array[Any], Any, bytearray], text: str, compiled: bool) -> None:
    values, view, raw = made
    before = bytes(raw)
    function: Any = text if compiled else (lambda x: x if x < 5 else 5)
    expected = result(lambda: ao.map_inplace(values, function, compile=compiled))
    assert result(lambda: ao.map_inplace(view, function, compile=compiled)) == expected
    assert same_array(array(values.typecode, view.tolist()), values)
    size, stride = view.itemsize, view.stride
    shown = {address(view, raw) + i * stride + k for i in range(len(view)) for k in range(size)}
    assert all(raw[i] == before[i] for i in range(len(raw)) if i not in shown)
    if view.format[-1] in "fd":
        numbers = array("d", range(len(view)))
        ao.map(numbers, "x if x < 50 else 50", out=view)
        assert view.tolist() == [min(x, 50) for x in numbers]


def address(view: Any, raw: bytearray) -> int:
    """Where in the buffer the view begins."""
    if not len(view):
        return 0
    probe = (ctypes.c_char * len(raw)).from_buffer(raw)
    held = memoryview(view)
    pointer = ctypes.c_void_p()
    buffer = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(held), ctypes.byref(buffer), 0x11C)
    pointer.value = buffer.buf
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))
    return int(pointer.value or 0) - ctypes.addressof(probe)


class _Buffer(ctypes.Structure):
    """Py_buffer."""

    _fields_ = [("buf", ctypes.c_void_p), ("rest", ctypes.c_char * 128)]


def test_fields_of_the_same_records_do_not_disturb_each_other() -> None:
    raw = bytearray(b"".join(struct.pack(">HhB", i, -i, i % 256) for i in range(5000)))
    first, second = ao.view(raw, ">H", 0, 5), ao.view(raw, ">h", 2, 5)
    ao.map(first, "-2*x if x < 10000 else 0", out=second)
    assert second.tolist() == [-2 * i for i in range(5000)] and first.tolist() == list(range(5000))
    ao.map(first, "x + y", second, out=second)
    assert second.tolist() == [-i for i in range(5000)]
    assert raw[4::5] == bytes(i % 256 for i in range(5000))


def test_overlapping_views_are_read_before_they_are_written() -> None:
    raw = bytearray(array("i", range(4000)).tobytes())
    shifted = ao.view(raw, "i", 4)
    source = ao.view(raw, "i", 0, count=3999)
    ao.map(source, "x", out=shifted)
    assert array("i", bytes(raw)).tolist() == [0, *range(3999)]
    backwards = ao.view(raw, "i")[::-1]
    ao.map(ao.view(raw, "i"), "x", out=backwards)
    assert array("i", bytes(raw)).tolist() == [0, *range(3999)][::-1]


def test_slices_and_items() -> None:
    view = ao.view(struct.pack(">10h", *range(10)), ">h")
    for start, stop, step in itertools.product([None, 0, 3, -2, 20], [None, 0, 5, -1, -30], [None, 1, 2, -1, -3]):
        cut = slice(start, stop, step)
        assert view[cut].tolist() == list(range(10))[cut]
        assert ao.map(view[cut], "x + 1").tolist() == [x + 1 for x in list(range(10))[cut]]
    assert view[3:][::2][1] == 5 and view[-1] == 9 and list(view) == list(range(10)) and 7 in view
    for bad in (10, -11):
        with pytest.raises(IndexError):
            view[bad]
    with pytest.raises(TypeError):
        view["x"]  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="read-only"):
        view[0] = 1


def test_items_can_be_set() -> None:
    raw = bytearray(8)
    view = ao.view(raw, ">h", 1, 3)
    view[0], view[-1] = 258, -2
    assert raw == b"\0\1\2\0\xff\xfe\0\0"
    with pytest.raises(OverflowError):
        view[0] = 1 << 15
    with pytest.raises(TypeError):
        view[0] = 1.5
    with pytest.raises(TypeError):
        del view[0]  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        view["0"] = 1  # type: ignore[index]
    for index in (2, -3, 1 << 70):
        with pytest.raises(IndexError):
            view[index] = 1
    assert raw == b"\0\1\2\0\xff\xfe\0\0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("H", 0, None, 6), "room for 5"),
        (("H", 4, 5, 2), "room for 1"),
        (("H", 10), None),
        (("H", 9), None),
        (("H", 11), "from byte 11 of a buffer of 10 bytes"),
        (("H", -1), "offset from 0"),
        (("H", 0, 0), "stride from 1"),
        (("H", 0, -2), "stride from 1"),
        (("H", 0, None, -1), "elements"),
        (("H", 0, 1 << 62, 2), "room for 1"),
        (("H", (1 << 63) - 1, None, 1), "from byte"),
    ],
)
def test_views_outside_the_buffer(arguments: tuple[Any, ...], message: str | None) -> None:
    if message is None:
        assert len(ao.view(bytes(10), *arguments)) == 0
        return
    with pytest.raises(ValueError, match=message):
        ao.view(bytes(10), *arguments)


@pytest.mark.parametrize("format", ["", "x", "HH", "<", ">>h", "i5", "T{d}", "2H", "é", "\0", "H\0"])
def test_other_formats(format: str) -> None:
    with pytest.raises(TypeError, match="format"):
        ao.view(bytes(8), format)


def test_other_arguments() -> None:
    with pytest.raises(OverflowError):
        ao.view(bytes(8), "H", 1 << 70)
    with pytest.raises(TypeError):
        ao.view("text", "H")
    with pytest.raises(TypeError):
        ao.view(bytes(8), b"H")  # type: ignore[arg-type]
    with pytest.raises(BufferError):
        ao.view(memoryview(bytes(8))[::2], "H")
    with pytest.raises(TypeError):
        type(ao.view(bytes(8), "H"))()  # type: ignore[abstract]


def test_a_view_holds_its_memory() -> None:
    raw = bytearray(8)
    view = ao.view(raw, "H")
    with pytest.raises(BufferError):
        raw.clear()
    part = view[1:]
    view.release()
    assert "released" in repr(view)
    for use in (len, list, memoryview, lambda v: v[0], lambda v: ao.map(v, "x")):
        with pytest.raises(ValueError, match="released"):
            use(view)
    with pytest.raises(BufferError):
        raw.clear()
    with part as same:
        assert same is part and part.tolist() == [0, 0, 0]
        held = memoryview(part)
        with pytest.raises(BufferError, match="in use"):
            part.release()
        held.release()
    raw.clear()
    gone = weakref.ref(part)
    del part, same
    assert gone() is None


def test_leaving_a_view_does_not_hide_an_exception() -> None:
    with pytest.raises(KeyError), ao.view(bytes(8), "d") as numbers:
        held = memoryview(numbers)
        raise KeyError
    held.release()
    with pytest.raises(BufferError, match="in use"), ao.view(bytes(8), "d") as numbers:
        held = memoryview(numbers)
    held.release()


def test_a_value_that_releases_the_view_while_it_is_set() -> None:
    view = ao.view(bytearray(8), "H")

    class Trap:
        def __index__(self) -> int:
            view.release()
            return 1

    with pytest.raises(ValueError, match="released"):  # as of a memoryview
        view[0] = Trap()  # type: ignore[assignment]
    for key in (slice(Trap(), None), slice(None, None, Trap()), Trap()):
        view = ao.view(bytearray(8), "H")
        with pytest.raises(ValueError, match="released"):
            view[key]


def test_views_are_what_they_say() -> None:
    view = ao.view(bytearray(20), "<l", 4, 8)
    assert (view.format, view.itemsize, view.stride, view.readonly) == ("i", 4, 8, False)
    assert "2 elements 'i', 8 bytes apart" in repr(view)
    shown = memoryview(view)
    assert (shown.format, shown.strides, shown.shape, shown.readonly) == ("i", (8,), (2,), False)
    big = memoryview(ao.view(bytes(8), ">I"))
    assert (big.format, big.readonly, big.nbytes) == (">I" if sys.byteorder == "little" else "I", True, 8)


def test_other_strided_buffers() -> None:
    for view in (memoryview(array("d", range(3000)))[::3], memoryview(array("i", range(2000)))[::-1],
                 memoryview(bytearray(range(256)))[::2], (ctypes.c_int32.__ctype_be__ * 3)(1, -2, 3)):  # fmt: skip
        code = {"d": "d", "i": "i", "B": "B"}.get(getattr(view, "format", ""), "i")
        values = array(code, list(view))
        assert_bytes(ao.map(view, "x if x < 100 else 7"), code, [x if x < 100 else 7 for x in values])
        assert ao.sum(view) == sum(values) and ao.max(view) == max(values)
        assert ao.reduce(view, "acc + x", 0) == functools.reduce(lambda acc, x: acc + x, values, 0)


def test_elements_that_overlap_are_read_but_not_written() -> None:
    raw = bytearray(range(12))
    windows = ao.view(raw, "<H", 0, 1)
    assert ao.map(windows, "x").tolist() == [i + 256 * (i + 1) for i in range(11)]
    with pytest.raises(BufferError, match="overlap"):
        ao.map_inplace(windows, "x + 1")
    assert raw == bytearray(range(12))


def test_threads_agree() -> None:
    raw = os.urandom(400_000 * 7)
    field = ao.view(raw, ">h", 3, 7)
    expected = array("d", [math.sqrt(abs(x)) + 1 for x in field])
    for threads in (1, 2, 5):
        assert same_array(ao.map(field, "sqrt(abs(x)) + 1", typecode="d", threads=threads), expected)
    for threads in (1, 3):
        out = ao.view(bytearray(400_000 * 9), ">d", 1, 9, 400_000 - 1)
        ao.map(field[1:], "sqrt(abs(x)) + 1", out=out, threads=threads)
        assert same_array(array("d", out.tolist()), expected[1:])


@pytest.mark.parametrize(("code", "method"), [("d", "__float__"), ("f", "__index__"), ("h", "__index__")])
def test_a_number_that_releases_the_view_it_is_stored_in(code: str, method: str) -> None:
    """As for a memoryview: ValueError, and nothing is written."""
    data = array(code, [1, 2, 3])
    for make in (lambda: ao.view(data, code), lambda: memoryview(data)):
        view: Any = make()

        def number(self: Any, view: Any = view) -> int | float:
            view.release()
            return 7.0 if method == "__float__" else 7

        with pytest.raises(ValueError, match="released"):
            view[1] = type("Number", (), {method: number})()
        assert data == array(code, [1, 2, 3])
        data.append(3)
        data.pop()


# ------------------------------------------------------------------------------------------------ files


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_bytes(struct.pack(">5d", *range(5)))
    with ao.open(path, ">d") as numbers:
        assert ao.map(numbers, "x*x").tolist() == [0, 1, 4, 9, 16]
        with pytest.raises(TypeError, match="read-only"):
            ao.map_inplace(numbers, "x")
    with ao.open(str(path), ">d", mode="r+") as numbers:
        ao.map_inplace(numbers, "-x")
    assert struct.unpack(">5d", path.read_bytes())[4] == -4
    with ao.open(path, ">d", mode="c") as numbers:
        ao.map_inplace(numbers, "x + 1")
        assert numbers[4] == -3
    assert struct.unpack(">5d", path.read_bytes())[4] == -4
    assert ao.open(path, ">d", 8, 16, 2).tolist() == [-1, -3]
    with path.open("rb") as file:
        assert len(ao.open(file.fileno())) == 40
        assert file.read(1) == b"\x80"


def test_files_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_bytes(struct.pack(">5d", *range(5)))
    numbers = ao.open(path, ">d", mmap=False)
    with pytest.raises(TypeError, match="read-only"):
        ao.map_inplace(numbers, "x")
    own = ao.open(path, ">d", mode="c", mmap=False)
    ao.map_inplace(own, "x + 1")
    path.write_bytes(struct.pack(">2d", 7, 8))  # others write to it, and make it shorter
    assert numbers.tolist() == [0, 1, 2, 3, 4] and own.tolist() == [1, 2, 3, 4, 5]
    assert ao.open(path, ">d", 8, mmap=False).tolist() == [8]
    with path.open("rb") as file:
        file.read(9)
        assert ao.open(file.fileno(), ">d", mmap=False).tolist() == [7, 8] and file.tell() == 9
    with pytest.raises(ValueError, match="goes with mmap=True only"):
        ao.open(path, ">d", mode="r+", mmap=False)
    for content in (b"", bytes(11), bytes(8 << 20)):
        path.write_bytes(content)
        found = [outcome(lambda m=m: ao.open(path, "d", mmap=m).tolist()) for m in (True, False)]
        assert_same(*found)
    for wrong in (tmp_path / "nothing", tmp_path):
        with pytest.raises(OSError):
            ao.open(wrong, "d", mmap=False)


TRUNCATED = """
import os, sys, arrayops as ao
path, mapped = sys.argv[1], sys.argv[2] == "mapped"
numbers = ao.open(path, "d", mmap=mapped)
os.truncate(path, 0)
print(ao.sum(numbers))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGBUS"), reason="needs pages that go")
@pytest.mark.parametrize(("how", "status"), [("mapped", "SIGBUS"), ("read", "")])
def test_a_file_that_is_made_shorter(how: str, status: str, tmp_path: Path) -> None:
    """docs/limits.md: a mapped file ends the process, one that was read does not."""
    path = tmp_path / "numbers"
    path.write_bytes(struct.pack("d", 0.5) * 100_000)
    environment = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_sigbus=0"}
    done = subprocess.run([sys.executable, "-c", TRUNCATED, str(path), how], env=environment, capture_output=True,
                          check=False)  # fmt: skip
    assert done.returncode == (-getattr(signal, status) if status else 0)
    assert status or done.stdout == b"50000.0\n"


def test_odd_files(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_bytes(b"")
    assert ao.sum(ao.open(path, "d")) == 0
    path.write_bytes(bytes(11))
    with pytest.raises(ValueError, match="3 of 8 bytes"):
        ao.open(path, "d")
    assert len(ao.open(path, "d", count=1)) == 1 and len(ao.open(path, "d", 11)) == 0
    with pytest.raises(ValueError, match="from byte 20 of a buffer of 11 bytes"):
        ao.open(path, "d", 20)
    with pytest.raises(ValueError, match="mode"):
        ao.open(path, "d", mode="w")
    with pytest.raises(FileNotFoundError):
        ao.open(tmp_path / "nothing", "d")
    with pytest.raises(OSError):
        ao.open(tmp_path, "d")


def test_a_plain_mmap() -> None:
    with mmap.mmap(-1, 4096) as mapped:
        mapped[:4] = b"\1\2\3\4"
        assert ao.sum(mapped) == 10
        with ao.view(mapped, ">I", 0, None, 1) as view:
            assert view[0] == 0x01020304
