"""Checksums, hashes and random number generators as folds. See docs/cookbook-checksums.md.

Integers never wrap, so each text says where it wraps with a mask; below a mask the machine may wrap and need not check.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import arrayops as ao

if TYPE_CHECKING:
    from typing_extensions import Buffer

_CHUNK = 1 << 15  # elements: their running sums fit 32 bits, whatever the data


def internet_checksum(data: Buffer) -> int:
    """The checksum of IP, TCP and UDP (RFC 1071): big-endian words, added with the carries put back, and inverted."""
    octets = ao.view(data, "B")
    total = int(ao.sum(ao.view(data, ">H")))
    if len(octets) % 2:
        total += int(octets[-1]) << 8
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _two_sums(values: ao.View, modulus: int, first: int, second: int) -> tuple[int, int]:
    """The sum of the values, and the sum of all its intermediate results, after what came before."""
    for start in range(0, len(values), _CHUNK):
        running = ao.accumulate(values[start : start + _CHUNK], initial=first, typecode="I")
        second = (second + int(ao.sum(running)) - first) % modulus
        first = running[-1] % modulus
    return first, second


def adler32(data: Buffer, value: int = 1) -> int:
    """zlib.adler32: two sums of bytes modulo 65521."""
    first, second = _two_sums(ao.view(data, "B"), 65521, value & 0xFFFF, value >> 16 & 0xFFFF)
    return second << 16 | first


def fletcher16(data: Buffer) -> int:
    """Two sums of bytes modulo 255."""
    first, second = _two_sums(ao.view(data, "B"), 255, 0, 0)
    return second << 8 | first


def fletcher32(data: Buffer) -> int:
    """Two sums of little-endian 16-bit words modulo 65535, a last odd byte being a word."""
    octets = ao.view(data, "B")
    first, second = _two_sums(ao.view(data, "<H"), 65535, 0, 0)
    if len(octets) % 2:
        first = (first + int(octets[-1])) % 65535
        second = (second + first) % 65535
    return second << 16 | first


def fnv1a_32(data: Buffer) -> int:
    """The FNV-1a hash of 32 bits."""
    return int(ao.reduce(ao.view(data, "B"), "((acc ^ x) * 0x01000193) & 0xFFFFFFFF", 0x811C9DC5))


def fnv1a_64(data: Buffer) -> int:
    """The FNV-1a hash of 64 bits."""
    text = "((acc ^ x) * 0x00000100000001B3) & 0xFFFFFFFFFFFFFFFF"
    return int(ao.reduce(ao.view(data, "B"), text, 0xCBF29CE484222325))


def djb2(data: Buffer) -> int:
    """Bernstein's hash in 32 bits."""
    return int(ao.reduce(ao.view(data, "B"), "(acc*33 + x) & 0xFFFFFFFF", 5381))


def lcg(seed: int, count: int) -> array[int]:
    """The seed and the numbers after it of the 32-bit linear congruential generator of Numerical Recipes."""
    return _generated("(acc*1664525 + 1013904223) & 0xFFFFFFFF", seed, count)


def _xorshift(acc: int, x: int) -> int:
    acc ^= (acc << 13) & 0xFFFFFFFF
    acc ^= acc >> 17
    return acc ^ ((acc << 5) & 0xFFFFFFFF)


def xorshift32(seed: int, count: int) -> array[int]:
    """The seed, which is not 0, and the numbers after it of Marsaglia's generator with the shifts 13, 17 and 5."""
    if not seed:
        raise ValueError("the seed of xorshift32 must not be 0")
    return _generated(ao.compile(_xorshift), seed, count)


def _generated(step: str | ao.Kernel, seed: int, count: int) -> array[int]:
    """count numbers from the seed on: a fold over elements that nothing reads."""
    if not 0 <= seed <= 0xFFFFFFFF:
        raise ValueError(f"the seed must have 32 bits, not {seed}")
    return ao.accumulate(bytes(count - 1), step, initial=seed, typecode="I") if count else array("I")


def uniform(numbers: array[int]) -> array[float]:
    """Numbers of 32 bits as floats from 0 up to but not including 1."""
    return array("d", ao.map(numbers, "x / 4294967296", typecode="d"))
