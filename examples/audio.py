"""Raw audio as the ``audioop`` module had it until Python 3.13, on 1-, 2- and 4-byte samples.

The functions take and give what those of audioop did, bit for bit: a fragment is any bytes-like object of signed
samples in this machine's byte order. Not here: 3-byte samples, and what is nan, for which audioop's result was
undefined: factors must be finite, and inf - inf in tomono is a ValueError. See docs/cookbook-audio.md.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any

import arrayops as ao

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: The typecode of signed samples by their width in bytes, and of the same bits without a sign.
SIGNED = {1: "b", 2: "h", 4: "i"}
UNSIGNED = {1: "B", 2: "H", 4: "I"}

_SCALED = "floor(max(min(x * factor, hi), lo))"  # bounded first, so that no product is too large to round
_MIXED = "floor(max(min(left * lfactor + right * rfactor, hi), lo))"


def samples(fragment: Buffer, width: int, channel: int = 0, channels: int = 1) -> ao.View:
    """The samples of one channel, without a copy."""
    if width not in SIGNED:
        raise ValueError(f"the width of a sample must be 1, 2 or 4 bytes, not {width}")
    size, frame = memoryview(fragment).nbytes, width * channels
    if size % frame:
        raise ValueError(f"{size} bytes are not a whole number of frames of {frame}")
    return ao.view(fragment, SIGNED[width], channel * width, frame, size // frame)


def _bounds(width: int) -> dict[str, Any]:
    return {"lo": -(1 << (8 * width - 1)), "hi": (1 << (8 * width - 1)) - 1}


def _factor(factor: float) -> float:
    if not math.isfinite(factor):
        raise ValueError(f"a factor must be a finite number, not {factor!r}")
    return float(factor)


def add(fragment1: Buffer, fragment2: Buffer, width: int) -> bytes:
    """The sums of two fragments of one length; what does not fit becomes the nearest sample that does."""
    first, second = samples(fragment1, width), samples(fragment2, width)
    return _bytes(ao.map(first, "max(min(x + y, hi), lo)", second, **_bounds(width)))


def mul(fragment: Buffer, width: int, factor: float) -> bytes:
    """The samples times a factor, rounded down; what does not fit becomes the nearest sample that does."""
    return _bytes(ao.map(samples(fragment, width), _SCALED, factor=_factor(factor), **_bounds(width)))


def bias(fragment: Buffer, width: int, bias: int) -> bytes:
    """The samples plus a number, wrapped around."""
    samples(fragment, width)  # checks the arguments
    unsigned = ao.view(fragment, UNSIGNED[width])
    return _bytes(ao.map(unsigned, "(x + bias) & mask", bias=bias, mask=(1 << 8 * width) - 1))


def avg(fragment: Buffer, width: int) -> int:
    """The mean sample, rounded down; 0 if there is none."""
    values = samples(fragment, width)
    return int(ao.sum(values)) // len(values) if len(values) else 0


def rms(fragment: Buffer, width: int) -> int:
    """The root of the mean square, rounded down; 0 if there is no sample."""
    values = samples(fragment, width)
    if not len(values):
        return 0
    squares: float = ao.reduce(values, "acc + float(x) * float(x)", 0.0)  # in doubles, from left to right
    return int(math.sqrt(squares / len(values)))


def max(fragment: Buffer, width: int) -> int:
    """The largest absolute value; 0 if there is no sample."""
    values = samples(fragment, width)
    if not len(values):
        return 0
    low, high = int(ao.min(values)), int(ao.max(values))
    return high if high > -low else -low


def minmax(fragment: Buffer, width: int) -> tuple[int, int]:
    """The smallest and the largest sample; the ends of 32 bits, the wrong way round, if there is none."""
    values = samples(fragment, width)
    if not len(values):
        return 0x7FFFFFFF, -0x80000000
    return int(ao.min(values)), int(ao.max(values))


def tomono(fragment: Buffer, width: int, lfactor: float, rfactor: float) -> bytes:
    """Stereo to mono: left * lfactor + right * rfactor, rounded and bounded as in mul."""
    left, right = samples(fragment, width, 0, 2), samples(fragment, width, 1, 2)
    bounds = _bounds(width)
    return _bytes(ao.map(left, _MIXED, right=right, lfactor=_factor(lfactor), rfactor=_factor(rfactor), **bounds))


def tostereo(fragment: Buffer, width: int, lfactor: float, rfactor: float) -> bytes:
    """Mono to stereo: each sample times lfactor, then times rfactor, rounded and bounded as in mul."""
    mono = samples(fragment, width)
    stereo = bytearray(2 * len(mono) * width)
    for channel, factor in enumerate((lfactor, rfactor)):
        ao.map(mono, _SCALED, factor=_factor(factor), **_bounds(width), out=samples(stereo, width, channel, 2))
    return bytes(stereo)


def lin2lin(fragment: Buffer, width: int, newwidth: int) -> bytes:
    """Samples of another width: shifted left with zeros, or right, which rounds down."""
    values, shift = samples(fragment, width), 8 * (newwidth - width)
    samples(b"", newwidth)  # checks the new width
    text = "x << n" if shift >= 0 else "x >> n"
    return _bytes(ao.map(values, text, n=abs(shift), typecode=SIGNED[newwidth]))


def _bytes(values: array[Any]) -> bytes:
    return values.tobytes()
