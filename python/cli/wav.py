"""WAV files: where samples are, from the header of one; and the header of one that is written.

The standard library's wave knows integers alone; here samples may be floats, too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

BLOCK_BYTES = 1 << 20
FORMAT_BYTES = 40  # what can be of use of the chunk that says what samples are
FLOAT, PCM, EXTENSIBLE = 3, 1, 0xFFFE
UNKNOWN_SIZE = 0xFFFFFFFF  # in the header of a stream whose end nobody knew
DEFAULT_RATE = 44100
#: The types of samples, by the tag of the format and the bits of a sample. Those of 8 bits have no sign.
SAMPLES = {(PCM, 8): "B", (PCM, 16): "<h", (PCM, 24): "<i3", (PCM, 32): "<i", (FLOAT, 32): "<f", (FLOAT, 64): "<d"}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where fields are in a record: name, format and offset of each; the record's bytes; what is before the first.

    count: records at most; rate: frames of a WAV file in a second, 0 of other records.
    """

    fields: tuple[tuple[str, str, int], ...]
    size: int
    offset: int = 0
    count: int | None = None
    rate: int = 0


def wav_layout(read: Callable[[int], bytes]) -> Layout:
    """The layout of a WAV file's frames, whose header is read. Raises ValueError."""
    head = taken(read, 12)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise ValueError("this is no WAV file")
    form: tuple[int, int, int, int, int] | None = None
    while len(chunk := taken(read, 8)) == 8:
        kind, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        if kind == b"data":
            if form is None:
                raise ValueError("this WAV file has its data before its format")
            return frames(*form, size)
        body = taken(read, min(size, FORMAT_BYTES))
        left = size - len(body)
        while left and (more := read(min(left, BLOCK_BYTES))):
            left -= len(more)
        if left:
            break
        taken(read, size % 2)
        if kind == b"fmt ":
            if size < 16:
                break
            tag, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", body[:16])
            tag = struct.unpack_from("<H", body, 24)[0] if tag == EXTENSIBLE and size >= 26 else tag
            form = (tag, channels, rate, bits, frame)
    raise ValueError("this WAV file ends before its data")


def frames(tag: int, channels: int, rate: int, bits: int, frame: int, size: int) -> Layout:
    code = SAMPLES.get((tag, bits))
    if code is None or not channels or frame != channels * bits // 8:
        what = f"{channels} channels of samples of {bits} bits in format {tag}"
        raise ValueError(f"{what} are not read; those of 8, 16, 24 and 32 bits and floats are")
    names = {1: ["x"], 2: ["left", "right"]}.get(channels) or [f"ch{i + 1}" for i in range(channels)]
    fields = tuple((name, code, i * bits // 8) for i, name in enumerate(names))
    return Layout(fields, frame, 0, None if size == UNKNOWN_SIZE else size // frame, rate)


def wav_header(code: str, channels: int, rate: int, count: int | None) -> bytes:
    """The header of a WAV file of so many frames, or of nobody knows how many. Raises ValueError for another type."""
    tag, bits = next((key for key, sample in SAMPLES.items() if sample == code), (0, 0))
    if not bits:
        raise ValueError(f"a WAV file has samples of the types {', '.join(SAMPLES.values())}, not {code!r}")
    frame = channels * bits // 8
    size = UNKNOWN_SIZE if count is None else count * frame
    if size > UNKNOWN_SIZE:
        raise ValueError("a WAV file cannot have more than 4 GiB")
    body = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)
    if tag == FLOAT:  # what is not PCM says that it has no extension, and how many frames there are
        body += struct.pack("<H", 0)
    chunks = b"fmt " + struct.pack("<I", len(body)) + body
    if tag == FLOAT:
        chunks += b"fact" + struct.pack("<II", 4, size // frame)
    whole = min(UNKNOWN_SIZE, size + size % 2 + len(chunks) + 12)
    return b"RIFF" + struct.pack("<I", whole) + b"WAVE" + chunks + b"data" + struct.pack("<I", size)


def taken(read: Callable[[int], bytes], size: int) -> bytes:
    """So many bytes of a stream, or what there is."""
    found = b""
    while len(found) < size and (more := read(size - len(found))):
        found += more
    return found
