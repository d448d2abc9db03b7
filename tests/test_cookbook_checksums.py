"""examples/checksums.py against zlib, published values and plain loops."""

from __future__ import annotations

import zlib
from array import array
from typing import Any

import example_modules
import pytest
from hypothesis import given
from hypothesis import strategies as st

checksums = example_modules.load("checksums")
data = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda piece, n: (piece * n)[:100_000], st.binary(min_size=1, max_size=9), st.integers(1, 30_000)),
    st.integers(32_760, 32_776).map(lambda n: b"\xff" * n),  # either side of a chunk
)


def internet(octets: bytes) -> int:
    octets += bytes(len(octets) % 2)
    total = 0
    for high, low in zip(octets[::2], octets[1::2], strict=True):
        total += high << 8 | low
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def fletcher(octets: bytes, width: int, modulus: int) -> int:
    octets += bytes(-len(octets) % width)
    first = second = 0
    for i in range(0, len(octets), width):
        first = (first + int.from_bytes(octets[i : i + width], "little")) % modulus
        second = (second + first) % modulus
    return second << 8 * width | first


def fnv1a(octets: bytes, prime: int, value: int, bits: int) -> int:
    for x in octets:
        value = (value ^ x) * prime % (1 << bits)
    return value


def djb2(octets: bytes) -> int:
    value = 5381
    for x in octets:
        value = (value * 33 + x) % (1 << 32)
    return value


@given(data)
def test_checksums(octets: bytes) -> None:
    assert checksums.internet_checksum(octets) == internet(octets)
    assert checksums.adler32(octets) == zlib.adler32(octets)
    assert checksums.fletcher16(octets) == fletcher(octets, 1, 255)
    assert checksums.fletcher32(octets) == fletcher(octets, 2, 65535)


@given(data)
def test_hashes(octets: bytes) -> None:
    assert checksums.fnv1a_32(octets) == fnv1a(octets, 0x01000193, 0x811C9DC5, 32)
    assert checksums.fnv1a_64(octets) == fnv1a(octets, 0x100000001B3, 0xCBF29CE484222325, 64)
    assert checksums.djb2(octets) == djb2(octets)


@given(st.lists(st.binary(max_size=50)), st.integers(0, 0xFFFFFFFF))
def test_adler32_goes_on(pieces: list[bytes], value: int) -> None:
    whole, expected = value, value
    for piece in pieces:
        whole, expected = checksums.adler32(piece, whole), zlib.adler32(piece, expected)
    assert whole == expected


def test_published_values() -> None:
    assert checksums.internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2  # RFC 1071, section 3
    assert [checksums.fletcher16(text) for text in (b"abcde", b"abcdef", b"abcdefgh")] == [0xC8F0, 0x2057, 0x0627]
    assert [checksums.fletcher32(text) for text in (b"abcde", b"abcdef", b"abcdefgh")] == [
        0xF04FC729, 0x56502D2A, 0xEBE19591]  # fmt: skip
    assert (checksums.fnv1a_32(b""), checksums.fnv1a_32(b"a")) == (0x811C9DC5, 0xE40C292C)
    assert (checksums.fnv1a_64(b""), checksums.fnv1a_64(b"a")) == (0xCBF29CE484222325, 0xAF63DC4C8601EC8C)
    assert checksums.xorshift32(2463534242, 4).tolist() == [2463534242, 723471715, 2497366906, 2064144800]


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 3000))
def test_generators(seed: int, count: int) -> None:
    expected, value = [], seed
    for _ in range(count):
        expected.append(value)
        value = (value * 1664525 + 1013904223) % (1 << 32)
    assert checksums.lcg(seed, count) == array("I", expected)
    expected, value = [], seed or 1
    for _ in range(count):
        expected.append(value)
        value ^= value << 13 & 0xFFFFFFFF
        value ^= value >> 17
        value ^= value << 5 & 0xFFFFFFFF
    numbers = checksums.xorshift32(seed or 1, count)
    assert numbers == array("I", expected)
    assert checksums.uniform(numbers).tolist() == [x / 2**32 for x in expected]


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be 0"):
        checksums.xorshift32(0, 5)
    for seed in (-1, 1 << 32):
        with pytest.raises(ValueError, match="32 bits"):
            checksums.lcg(seed, 5)


@pytest.mark.parametrize("kind", [bytearray, memoryview, lambda octets: array("B", octets)])
def test_any_buffer(kind: Any) -> None:
    assert checksums.adler32(kind(b"arrayops")) == zlib.adler32(b"arrayops")
    assert checksums.fletcher32(kind(b"arrayops!")) == fletcher(b"arrayops!", 2, 65535)
