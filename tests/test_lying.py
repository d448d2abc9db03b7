"""Exporters that contradict themselves are refused where buffers are taken, by every function; none is believed."""

from __future__ import annotations

from array import array
from typing import Any

import arrayops as ao
import pytest
from lying import exporter

#: What is wrong, and what the buffer says of 8-byte elements in 4096 bytes of memory, from the middle on.
LIES: dict[str, dict[str, Any]] = {
    "a negative shape": {"shape": [-1], "len": 8},
    "a very negative shape": {"shape": [-(2**60)], "len": 8},
    "a product that overflows": {"shape": [2**61], "strides": [0], "len": 0},
    "one that overflows to the length": {"shape": [2**61 + 2], "strides": [8], "len": 16},
    "more elements than bytes": {"shape": [100], "strides": [8], "len": 80},
    "a negative length": {"shape": [2], "len": -16},
    "no shape": {"shape": None, "len": 16},
    "strides that leave the address space": {"shape": [3], "strides": [2**62], "len": 24},
    "strides that leave it below": {"shape": [3], "strides": [-(2**63)], "len": 24},
    "no item size": {"shape": [2], "len": 16, "itemsize": 0},
    "a negative item size": {"shape": [2], "len": 16, "itemsize": -8},
}

CALLS = {
    "sum": ao.sum,
    "min": ao.min,
    "stats": ao.stats,
    "median": ao.median,
    "sort": ao.sort,
    "reverse": ao.reverse,
    "map": lambda a: ao.map(a, "x + 1"),
    "map as second": lambda a: ao.map(array("d", [1.0, 2.0]), "x + y", a),
    "filter": lambda a: ao.filter(a, "x > 1"),
    "reduce": lambda a: ao.reduce(a, "acc + x", 0.0),
    "accumulate": lambda a: ao.accumulate(a, "acc + x"),
    "pipeline": lambda a: ao.lazy(a).map("x + 1").sum(),
    "callback": lambda a: ao.map(a, lambda x: [x][0], compile=False),
    "out": lambda a: ao.map(array("d", [1.0, 2.0]), "x + 1", out=a),
    "dot": lambda a: ao.dot(a, a),
    "slice": lambda a: ao.slice(a, 0, 1),
    "unique": ao.unique,
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("name", CALLS)
def test_a_lie_is_refused(lie: Any, name: Any) -> None:
    with pytest.raises(BufferError, match="contradicts itself"):
        CALLS[name](exporter(LIES[lie]))


TRUTHS: list[tuple[dict[str, Any], int]] = [
    ({"shape": [3], "len": 24}, 3),
    ({"shape": [3], "strides": [8], "len": 24}, 3),
    ({"shape": [3], "strides": [-16], "len": 24}, 3),
    ({"shape": [5], "strides": [0], "len": 40}, 5),
    ({"shape": [0], "strides": [2**62], "len": 0}, 0),
    ({"shape": [1], "strides": [2**62], "len": 8}, 1),
]


@pytest.mark.parametrize(("fields", "count"), TRUTHS)
def test_what_fits_together_is_taken(fields: Any, count: Any) -> None:
    assert ao.map(exporter(fields), "x + 1") == array("d", [1.0] * count)


def test_a_buffer_that_is_shorter_the_second_time() -> None:
    """A fold that must know a value again takes its arrays again."""
    long, short = {"shape": [200], "len": 1600, "format": b"q"}, {"shape": [2], "len": 16, "format": b"q"}
    for told in ([long, short], [long, long, short], [long, long, long, short], [long] * 4 + [short]):
        a = exporter(*told)
        with pytest.raises((OverflowError, ValueError, BufferError)):
            ao.accumulate(a, "acc + x + 100", typecode="b", initial=0)
