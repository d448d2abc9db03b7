"""filter of strings: array(a.typecode, [x for x in a if p(x)]), the kept elements bit for bit as they were."""

from __future__ import annotations

import struct
from array import array
from typing import Any

import arrayops as ao
import pytest
from differential import differences
from grammar import BLOCK_LENGTHS, Case
from hypothesis import given
from oracle import TYPECODES, assert_bytes, assert_same, edge_values, expected_filter, outcome
from strategies import cases, long_arrays

PREDICATES = [
    "x", "not x", "x > 0", "x < 0 or x > 3", "0 <= x <= 3", "x == x", "x != x", "True if x == x else False",
    "x in (0, 1, -1)",
    "x % 2", "x % 2 == 0", "x*0.5", "x - 1", "x if x > 0 else 0.0", "x and 1 // x", "isnan(x)", "x/3 > 1", "x * nan",
    "1 // x", "-0.0 if x else 0",
    "x*x*x", "min(x, 1)", "x == 1e300 * 1e300", "x > 2**64",
]  # fmt: skip


@given(cases("filter"))
def test_random_filter(case: Case) -> None:
    assert not differences(case)


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("text", PREDICATES)
def test_predicates_on_edge_values(text: str, typecode: str) -> None:
    values = array(typecode, edge_values(typecode))
    assert_same(outcome(lambda: ao.filter(values, text)), expected_filter(text, values), text)
    nonzero = array(typecode, [v for v in values if v])
    assert_same(outcome(lambda: ao.filter(nonzero, text)), expected_filter(text, nonzero), text)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, *BLOCK_LENGTHS, 4097])
@pytest.mark.parametrize("typecode", "bHidfQ")
def test_compaction_at_every_density(typecode: str, length: int) -> None:
    values = array(typecode, [(i * 37) % 101 for i in range(length)])
    for text in ("x < 0", "x < 1", "x < 13", "x < 50", "x < 100", "x < 200", "x % 2", "x == 77"):
        assert_same(ao.filter(values, text), expected_filter(text, values), text)


@given(long_arrays())
def test_second_array_decides(values: array[Any]) -> None:
    mask = array("b", [i % 3 - 1 for i in range(len(values))])
    want = array(values.typecode, [x for x, m in zip(values, mask, strict=True) if m > 0])
    assert_same(ao.filter(values, "(x == x or x != x) and m > 0", mask), want)
    assert_same(ao.filter(values, "m > 0 and (x == x or x != x)", m=mask), want)


def test_nan_payloads_are_kept() -> None:
    """A kept element is copied, not computed."""
    bits = [0x7FF8000000000001, 0x3FF0000000000000, 0xFFF8000000000123, 0x7FF8000000ABCDEF]
    values = array("d", struct.pack("=4Q", *bits))
    assert ao.filter(values, "x != x").tobytes() == struct.pack("=3Q", bits[0], bits[2], bits[3])


def test_result_has_the_typecode_of_the_data() -> None:
    assert_bytes(ao.filter(array("f", [0.1, 2.5]), "x > 1"), "f", [2.5])
    assert_bytes(ao.filter(array("B", [0, 200]), "x/2 > 1.5"), "B", [200])


def test_first_exception_in_order_wins() -> None:
    values = array("i", [4, -1, 0])
    for text in ("1 << x and 1 // x", "1 // x and 1 << x"):
        assert_same(outcome(ao.filter, values, text), expected_filter(text, values), text)
