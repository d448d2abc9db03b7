"""examples/audio.py gives what audioop gave: against the module, where Python has it, and against its definition."""

from __future__ import annotations

import math
import platform
import sys
import warnings
from collections.abc import Callable
from typing import Any

import example_modules
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        import audioop
    except ImportError:  # Python 3.13
        audioop = None  # type: ignore[assignment]


audio = example_modules.load("audio")
WIDTHS = (1, 2, 4)


class Plain:
    """The functions by their definition, sample by sample, in Python."""

    @staticmethod
    def read(fragment: bytes, width: int) -> list[int]:
        return [int.from_bytes(fragment[i : i + width], sys.byteorder, signed=True)
                for i in range(0, len(fragment), width)]  # fmt: skip

    @staticmethod
    def write(values: list[int], width: int) -> bytes:
        return b"".join(x.to_bytes(width, sys.byteorder, signed=True) for x in values)

    @staticmethod
    def bound(value: float, width: int) -> int:
        top = 1 << (8 * width - 1)
        return top - 1 if value > top - 1 else -top if value < -top else math.floor(value)

    def add(self, one: bytes, other: bytes, width: int) -> bytes:
        pairs = zip(self.read(one, width), self.read(other, width), strict=True)
        return self.write([self.bound(x + y, width) for x, y in pairs], width)

    def mul(self, fragment: bytes, width: int, factor: float) -> bytes:
        return self.write([self.bound(x * factor, width) for x in self.read(fragment, width)], width)

    def bias(self, fragment: bytes, width: int, bias: int) -> bytes:
        top = 1 << (8 * width - 1)
        return self.write([(x + bias + top) % (2 * top) - top for x in self.read(fragment, width)], width)

    def avg(self, fragment: bytes, width: int) -> int:
        values = self.read(fragment, width)
        return sum(values) // len(values) if values else 0

    def rms(self, fragment: bytes, width: int) -> int:
        values, total = self.read(fragment, width), 0.0
        for x in values:
            total += float(x) * float(x)
        return int(math.sqrt(total / len(values))) if values else 0

    def max(self, fragment: bytes, width: int) -> int:
        return max((abs(x) for x in self.read(fragment, width)), default=0)

    def minmax(self, fragment: bytes, width: int) -> tuple[int, int]:
        values = self.read(fragment, width)
        return min(values, default=0x7FFFFFFF), max(values, default=-0x80000000)

    def tomono(self, fragment: bytes, width: int, lfactor: float, rfactor: float) -> bytes:
        values = self.read(fragment, width)
        pairs = zip(values[::2], values[1::2], strict=True)
        return self.write([self.bound(x * lfactor + y * rfactor, width) for x, y in pairs], width)

    def tostereo(self, fragment: bytes, width: int, lfactor: float, rfactor: float) -> bytes:
        return self.write([self.bound(x * factor, width) for x in self.read(fragment, width)
                           for factor in (lfactor, rfactor)], width)  # fmt: skip

    def lin2lin(self, fragment: bytes, width: int, newwidth: int) -> bytes:
        shift = 8 * (newwidth - width)
        return self.write([x << shift if shift > 0 else x >> -shift for x in self.read(fragment, width)], newwidth)


#: Bits for bits on one machine; elsewhere a C compiler may have rounded audioop's a*b + c*d once too few.
DEFINITIONS: list[Any] = [Plain()]
if audioop is not None and platform.machine() in ("x86_64", "AMD64"):
    DEFINITIONS.append(audioop)

widths = st.sampled_from(WIDTHS)
factors = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 1e-300, 1e300, -1e308, 5e-324]),
    st.floats(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 5),
)


def fragments(width: int, multiple: int = 1) -> st.SearchStrategy[bytes]:
    """Fragments with many samples at the ends of the range, of one sample's size and of several blocks."""
    top = 1 << (8 * width - 1)
    edges = [0, 1, -1, top - 1, top - 2, -top, -top + 1, top // 2, -top // 2]
    sample = st.one_of(st.sampled_from(edges), st.integers(-top, top - 1))
    few = st.lists(sample, max_size=12)
    period = st.lists(sample, min_size=1, max_size=9)
    many = st.builds(lambda values, n: (values * n)[:3000], period, st.integers(1, 400))
    return st.one_of(few, many).map(lambda values: Plain.write(values[: len(values) // multiple * multiple], width))


def assert_same(name: str, *arguments: Any) -> None:
    for definition in DEFINITIONS:
        expected = getattr(definition, name)(*arguments)
        got = getattr(audio, name)(*arguments)
        assert (type(got), got) == (type(expected), expected), (name, arguments)


@given(st.data(), widths)
def test_add(data: st.DataObject, width: int) -> None:
    one = data.draw(fragments(width))
    other = (data.draw(fragments(width)) * 3000 + bytes(len(one)))[: len(one)]
    assert_same("add", one, other, width)
    assert_same("add", one, one, width)


@given(st.data(), widths, factors)
def test_mul(data: st.DataObject, width: int, factor: float) -> None:
    assert_same("mul", data.draw(fragments(width)), width, factor)


@given(st.data(), widths, st.integers(-(1 << 31), (1 << 31) - 1))
def test_bias(data: st.DataObject, width: int, bias: int) -> None:
    assert_same("bias", data.draw(fragments(width)), width, bias)


@pytest.mark.parametrize("name", ["avg", "rms", "max", "minmax"])
@given(st.data(), widths)
def test_numbers(name: str, data: st.DataObject, width: int) -> None:
    assert_same(name, data.draw(fragments(width)), width)


@pytest.mark.parametrize(("name", "multiple"), [("tomono", 2), ("tostereo", 1)])
@given(st.data(), widths, factors, factors)
def test_channels(name: str, multiple: int, data: st.DataObject, width: int, left: float, right: float) -> None:
    assume(name == "tostereo" or max(abs(left), abs(right)) < 1e290)  # inf - inf is below
    assert_same(name, data.draw(fragments(width, multiple)), width, left, right)


@given(st.data(), widths, widths)
def test_lin2lin(data: st.DataObject, width: int, newwidth: int) -> None:
    assert_same("lin2lin", data.draw(fragments(width)), width, newwidth)


@given(st.binary(max_size=41), widths)
@example(b"", 1)
def test_only_whole_frames(fragment: bytes, width: int) -> None:
    calls: list[tuple[int, Callable[[], Any]]] = [
        (width, lambda: audio.mul(fragment, width, 1)),
        (width, lambda: audio.bias(fragment, width, 1)),
        (width, lambda: audio.avg(fragment, width)),
        (2 * width, lambda: audio.tomono(fragment, width, 1, 1)),
    ]
    for frame, call in calls:
        if len(fragment) % frame:
            with pytest.raises(ValueError, match="whole number of frames"):
                call()
        else:
            call()


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="1, 2 or 4 bytes, not 3"):
        audio.mul(bytes(6), 3, 1.0)
    with pytest.raises(ValueError, match="1, 2 or 4 bytes, not 3"):
        audio.lin2lin(bytes(6), 2, 3)
    for factor in (math.inf, -math.inf, math.nan):
        with pytest.raises(ValueError, match="finite"):
            audio.mul(bytes(2), 2, factor)
    with pytest.raises(ValueError, match="NaN"):
        audio.tomono(Plain.write([127, 127], 1), 1, 1.7e308, -1.7e308)
    with pytest.raises(ValueError, match="length"):
        audio.add(bytes(2), bytes(4), 2)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes(kind: Any) -> None:
    assert audio.mul(kind(Plain.write([3, -3, 32767], 2)), 2, 1.5) == Plain.write([4, -5, 32767], 2)
