"""Tables: t[x] in texts, functions and folds is Python's own subscript, at every element."""

from __future__ import annotations

import binascii
import functools
import itertools
import math
import pickle
import struct
import threading
import zlib
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from arrayops import _machine
from arrayops.compiler.ir import from_table, to_table
from arrayops.compiler.parse import parse
from hypothesis import given
from hypothesis import strategies as st
from oracle import (
    FLOAT_CODES,
    INTEGER_CODES,
    TYPECODES,
    Raised,
    assert_bytes,
    assert_same,
    difference,
    edge_values,
    element_outcomes,
    outcome,
    python_function,
    stored,
)
from strategies import arrays, integer_typecodes, long_arrays, typecodes

CRC16 = array("H", [functools.reduce(lambda c, _: c >> 1 ^ (0xA001 if c & 1 else 0), range(8), n) for n in range(256)])
CRC32 = array("I", [functools.reduce(lambda c, _: c >> 1 ^ (0xEDB88320 if c & 1 else 0), range(8), n)
                    for n in range(256)])  # fmt: skip

TEXTS = ["t[x]", "t[x] + x", "t[x % 5]", "t[-x - 1]", "t[x] if 0 <= x < 4 else -1", "t[t[x & 3] and 1]", "x and t[x]",
         "t[x] * t[x // 2] - k", "t[0] if x == x else 1", "max(t[x & 1], 3)"]  # fmt: skip


@given(index=arrays(integer_typecodes), table=arrays(typecodes, max_size=9), text=st.sampled_from(TEXTS))
def test_subscripts(index: array[Any], table: array[Any], text: str) -> None:
    names = ["t", "x"] + ["k"] * ("k" in text)
    columns: list[Any] = [[table] * len(index), index] + [[3] * len(index)] * ("k" in text)
    results = element_outcomes(python_function(text, names), columns)
    numbers = {"k": 3} if "k" in text else {}
    for code in (index.typecode, "d"):
        got = outcome(lambda: ao.map(index, text, t=table, typecode=code, **numbers))  # noqa: B023
        want = stored(code, results)
        floats = code in INTEGER_CODES and table.typecode in FLOAT_CODES
        assert difference(got, want, hint=floats) is None, (text, index, table, code, difference(got, want))
    quiet = array(index.typecode, [x for x, r in zip(index, results, strict=True) if not isinstance(r, Raised)])
    values = [r for r in results if not isinstance(r, Raised)]
    assert_same(outcome(lambda: ao.map(quiet, text, t=table, typecode="d", **numbers)), stored("d", values), text)


@pytest.mark.parametrize("table_code", TYPECODES)
@pytest.mark.parametrize("index_code", INTEGER_CODES)
def test_every_pair_of_types(index_code: str, table_code: str) -> None:
    table, index = array(table_code, edge_values(table_code)), array(index_code, [0, 3, 1, 2] * 300)
    want = array(table_code, [table[i] for i in index])
    assert_same(ao.map(index, "t[x]", t=table, typecode=table_code), want)
    assert_same(ao.map(index, lambda x: table[x], typecode=table_code), want)
    assert_same(ao.evaluate("t[x]", t=table, x=index, typecode=table_code), want)


@given(index=long_arrays(integer_typecodes), table=arrays(typecodes, max_size=40))
def test_functions_capture_tables(index: array[Any], table: array[Any]) -> None:
    """Compiled at once or called: the same values, the same exceptions."""
    captured: Any
    for captured in (table, list(table), tuple(table), bytes(range(40)), range(3, 90, 2)):

        def look_up(x: Any) -> Any:
            return captured[x & 31] if x > 3 else captured[x]  # noqa: B023

        want = stored("d", element_outcomes(look_up, [index]))
        kernel = ao.compile(look_up)
        assert_same(outcome(lambda: kernel(index, typecode="d")), want, captured)  # noqa: B023
        assert_same(outcome(lambda: ao.map(index, look_up, typecode="d")), want, captured)


def test_captured_tables_are_read_at_each_call() -> None:
    table = [1, 2, 3]
    kernel = ao.compile(lambda x: table[x])
    assert kernel.compiled
    assert_bytes(kernel(array("i", [2, 0])), "i", [3, 1])
    table[0] = 10
    table.append(7)
    assert_bytes(kernel(array("i", [3, 0])), "i", [7, 10])
    table[1] = 2.5  # type: ignore[call-overload]
    assert_bytes(kernel(array("i", [3, 1]), typecode="d"), "d", [7, 2.5])  # of two kinds: called
    table = [0.5, 1.5]  # type: ignore[assignment]
    assert_bytes(kernel(array("i", [0, -1]), typecode="d"), "d", [0.5, 1.5])
    table = "text"  # type: ignore[assignment]
    with pytest.raises(TypeError):
        kernel(array("i", [0]))


NOT_TABLES: list[Any] = [[1, 2.0], [1, "a"], [2**70], ["a"], [None], {0: 1}, "abc", [True, False], [[1]]]


@pytest.mark.parametrize("table", NOT_TABLES, ids=repr)
def test_functions_of_other_collections_are_called(table: Any) -> None:
    kernel = ao.compile(lambda x: 1 if table[x] else 2)
    assert not kernel.compiled
    got = outcome(lambda: kernel(array("i", [0, 0])))
    want = stored("i", element_outcomes(lambda x: 1 if table[x] else 2, [array("i", [0, 0])]))
    assert difference(got, want) is None


KINDS: list[tuple[str, Callable[[list[int]], Any]]] = [
    ("list", list), ("tuple", tuple), ("bytes", bytes), ("bytearray", bytearray),
    ("memoryview", lambda v: memoryview(array("h", v))), ("strided", lambda v: memoryview(array("q", [*v, *v]))[:: 1]),
    ("every other", lambda v: memoryview(array("h", [w for x in v for w in (x, -1)]))[::2]),
    ("reversed", lambda v: memoryview(array("i", v[::-1]))[::-1]),
    ("big endian", lambda v: ao.view(struct.pack(f">{len(v)}h", *v), ">h")),
    ("24 bits", lambda v: ao.map(array("h", v), "x", typecode="i3")),
    ("halves", lambda v: ao.map(array("h", v), "x", typecode="e")),
    ("truths", lambda v: ao.map(array("h", v), "x", typecode="?")),
    ("a field", lambda v: ao.view(b"".join(struct.pack("<bd", 0, x) for x in v), "<d", 1, 9)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make"), KINDS)
def test_kinds_of_tables(name: str, make: Callable[[list[int]], Any]) -> None:
    values = [5, 0, 7, 100]
    table = make(values)
    wanted = [bool(v) for v in values] if name == "truths" else values * (2 if name == "strided" else 1)
    index = array("b", [3, 0, -1, 2, 1])
    assert ao.map(index, "t[x]", t=table, typecode="d").tolist() == [wanted[i] for i in index]
    with pytest.raises(IndexError):
        ao.map(array("b", [0, 100]), "t[x]", t=table, typecode="d")
    assert ao.evaluate("sum(t[x])", t=table, x=index) == sum(wanted[i] for i in index)


def test_numpy_tables() -> None:
    numpy = pytest.importorskip("numpy")
    index, table = numpy.array([2, 0, -1]), numpy.array([0.5, 1.5, 2.5])
    got = ao.map(index, "t[x]", t=table, typecode="d")
    assert type(got) is numpy.ndarray
    assert got.tolist() == numpy.take(table, index).tolist()
    with pytest.raises(IndexError):
        ao.map(index, "t[x + 1]", t=table, typecode="d")


def test_no_method_of_a_table_is_called() -> None:
    class Loud(array):  # type: ignore[type-arg]
        def __getitem__(self, index: Any) -> Any:
            raise AssertionError

    table = Loud("d", [1.0, 2.0])
    assert_bytes(ao.map(array("d", [0, 1]), "t[int(x)] + 2**60 - 2**60", t=table), "d", [0.0, 0.0])
    with pytest.raises(IndexError):
        ao.map(array("d", [2]), "t[int(x)]", t=table)


def test_an_index_that_is_none() -> None:
    table = array("i", [1, 2])
    with pytest.raises(IndexError, match="array index out of range"):
        ao.map(array("i", [0, 2]), "t[x]", t=table)
    with pytest.raises(TypeError, match="array indices must be integers"):
        ao.map(array("d", [0.0]), "t[x]", t=table)
    with pytest.raises(TypeError, match="array indices must be integers"):
        ao.map(array("d", [0.0]), lambda x: table[x])
    with pytest.raises(IndexError):
        ao.map(array("Q", [2**64 - 1]), "t[x]", t=table, typecode="d")
    with pytest.raises(IndexError):
        ao.map(array("i", [0]), "t[x]", t=array("d"), typecode="d")
    assert_bytes(ao.map(array("i"), "t[x]", t=array("d")), "i", [])
    assert_bytes(ao.map(array("d", [1.0, 0.0]), "t[x > 0.5]", t=table), "d", [2, 1])
    assert_bytes(ao.map(array("d", [1.0, 0.0]), "t[int(x)]", t=table), "d", [2, 1])
    assert_bytes(ao.map(array("h", [5, 9]), "t[x] if x < 2 else x", t=table), "h", [5, 9])


def test_elements_before_the_failing_one_are_written() -> None:
    a = array("i", [0, 1, 5, 1])
    with pytest.raises(IndexError):
        ao.map_inplace(a, "t[x]", t=array("i", [10, 20]))
    assert a.tolist() == [10, 20, 5, 1]


@pytest.mark.parametrize("n", [16, 100, 300, 3000, 70000])
@pytest.mark.parametrize("text", ["log(t[x])", "asin(t[x])", "log(t[x]) + 1", "1 / t[x]"])
def test_a_table_that_is_the_output_is_what_it_was_for_a_refused_element(text: str, n: int) -> None:
    """Element n - 1 looks up element 3, which Python refuses: no result was written there by then, in any block."""
    kind = ZeroDivisionError if "/" in text else ValueError
    fine, refused = (0.5, 2.0) if "asin" in text else (2.0, 0.0)
    index = array("q", range(n))
    index[3], index[n - 1] = 0, 3
    written = ao.map(index[:-1], text, t=array("d", [fine] * n), typecode="d")
    for make in (lambda a: a, memoryview, lambda a: ao.view(a, "d")):
        for threads in (1, 2, None):
            table = array("d", [fine] * n)
            table[3] = refused
            made = make(table)
            with pytest.raises(kind) as caught:
                ao.map(index, text, t=made, out=made, threads=threads)
            assert caught.value.__notes__ == [f"element {n - 1}"]
            assert table[:-1] == written and table[n - 1] == fine


def test_a_table_that_is_every_second_element_of_the_output() -> None:
    numpy = pytest.importorskip("numpy")
    n = 3000
    wide = numpy.full(2 * n, 2.0)
    wide[6] = 0.0
    index = array("q", range(n))
    index[3], index[n - 1] = 0, 3
    with pytest.raises(ValueError) as caught:
        ao.map(index, "log(t[x])", t=wide[::2], out=wide[::2])
    assert caught.value.__notes__ == [f"element {n - 1}"]
    assert wide[1::2].tolist() == [2.0] * n
    assert wide[::2].tolist() == [math.log(2.0)] * (n - 1) + [2.0]


def test_a_table_that_is_the_output_is_read_first() -> None:
    a = array("i", [3, 2, 1, 0])
    before = a.tolist()
    ao.map_inplace(a, "t[x]", t=a)
    assert a.tolist() == [before[i] for i in before]
    b = array("i", [3, 2, 1, 0])
    index = array("i", [2, 1, 0])
    ao.map(index, "t[x]", t=memoryview(b)[1:], out=memoryview(b)[:-1])
    assert b.tolist() == [0, 1, 2, 0]


@given(st.binary(max_size=600))
def test_checksums(data: bytes) -> None:
    assert ao.reduce(data, "(acc >> 8) ^ t[(acc ^ x) & 255]", 0xFFFF, t=CRC16) == crc16(data)
    assert ao.reduce(data, "(acc >> 8) ^ t[(acc ^ x) & 255]", 0xFFFFFFFF, t=CRC32) ^ 0xFFFFFFFF == zlib.crc32(data)
    kernel = ao.compile(lambda acc, x: acc >> 8 ^ CRC32[(acc ^ x) & 255])
    assert kernel.compiled
    assert kernel.reduce(data, 0xFFFFFFFF) ^ 0xFFFFFFFF == binascii.crc32(data)
    running = ao.accumulate(data, "(acc >> 8) ^ t[(acc ^ x) & 255]", initial=0, typecode="I", t=CRC32)
    assert running.tolist() == list(itertools.accumulate(data, lambda a, x: a >> 8 ^ CRC32[(a ^ x) & 255], initial=0))


def crc16(data: bytes) -> int:
    return functools.reduce(lambda c, x: c >> 8 ^ CRC16[(c ^ x) & 255], data, 0xFFFF)


@given(index=long_arrays(integer_typecodes), table=arrays(typecodes, max_size=20), start=st.integers(0, 3))
def test_folds(index: array[Any], table: array[Any], start: int) -> None:
    """An index that fails, or an accumulator that is none, is Python's to refuse."""
    for text in ("acc + t[x % 7]", "t[acc] if acc < 2 else acc - x", "t[acc + x]"):
        function = python_function(text, ["acc", "x", "t"])
        want = outcome(lambda: functools.reduce(lambda a, x: function(a, x, table), index, start))  # noqa: B023
        assert difference(outcome(lambda: ao.reduce(index, text, start, t=table)), want) is None, (text, want)  # noqa: B023


def test_every_way_in() -> None:
    table, index = array("d", [0.5, 1.5, 2.5]), array("i", [2, 0, 1])
    assert_bytes(ao.filter(index, "t[x] > 1", t=table), "i", [2, 1])
    assert ao.count(index, "t[x] > 1", t=table) == 2
    assert ao.any(index, "t[x] > 2", t=table)
    assert ao.count(index, lambda x: table[x] > 1) == 2
    assert ao.evaluate("t[i] * x", t=table, i=index, x=array("d", [1, 2, 3])).tolist() == [2.5, 1.0, 4.5]
    assert ao.evaluate("t[2] + t[-1]", t=table) == 5.0
    assert ao.evaluate("t[i]", t=table, i=1) == 1.5
    kernel = ao.compile("t[x]*k", "x", "t", "k")
    assert_bytes(kernel(index, table, 2, typecode="d"), "d", [5.0, 1.0, 3.0])
    assert kernel.source == "t[x] * k"
    assert_bytes(pickle.loads(pickle.dumps(kernel))(index, table, 2, typecode="d"), "d", [5.0, 1.0, 3.0])
    assert "TAKE_f64" in ao.explain("t[x]", "d", "i")
    assert ao.lazy(index).map(lambda x: table[x]).sum() == 4.5
    assert_bytes(ao.map(index, "t[x]", t=table, typecode="d", threads=2), "d", [2.5, 0.5, 1.5])


def test_long_indices_on_several_threads() -> None:
    index = array("i", range(100_000))
    table = array("d", [x * 0.5 for x in range(100_000)])
    want = array("d", table)
    assert ao.map(index, "t[x]", t=table, typecode="d", threads=3) == want
    assert ao.evaluate("sum(t[x])", t=table, x=index) == ao.sum(table)


REFUSED = [
    ("t[x] + t", "a table where it is subscripted, and a number"), ("t[t]", "a table where it is subscripted"),
    ("t[1:2]", "slices"), ("t[x, 1]", "slices"), ("(x + 1)[0]", "only a table"), ("t[x][1]", "only a table"),
    ("pi[x]", "only a table"), ("sqrt[x]", "is a function"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_refused_texts(text: str, why: str) -> None:
    with pytest.raises(ao.ExpressionError, match=why):
        ao.compile(text)


NO_TABLES = [(3, "must be a table of numbers"), ([1, 2.0], "not of both"), (["a"], "ints"), ({0: 1}, "not dict"),
             (None, "not NoneType")]  # fmt: skip


@pytest.mark.parametrize(("table", "why"), NO_TABLES)
def test_refused_tables(table: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        ao.map(array("i", [0]), "t[x]", t=table)


def test_nothing_but_tables() -> None:
    with pytest.raises(TypeError, match="nothing but tables"):
        ao.map(array("i", [0]), "t[0]")


def test_damaged_pickles() -> None:
    nodes, root, params = to_table(parse("t[x] + y"))
    assert from_table((nodes, root, params)).params == params
    for place, node in enumerate(nodes):
        if node[0] == "item":
            for args in ((node[1][1], node[1][1]), (place - 1,), node[1][::-1], (0, 0)):
                damaged = (*nodes[:place], ("item", args, None), *nodes[place + 1 :])
                result = outcome(lambda: from_table((damaged, root, params)))  # noqa: B023
                assert isinstance(result, Raised) or result.params, args
                if isinstance(result, Raised):
                    assert isinstance(result.error, ValueError)


def test_a_table_is_held_during_the_call() -> None:
    table, out = array("i", [1, 2]), array("i", [0])

    def resizes(x: int, t: Any) -> int:
        t.append(3)
        return x

    with pytest.raises(BufferError):
        _machine.call_map(resizes, (array("i", [0]), (table,)), out, True, None)
    table.append(3)


def test_somebody_writes_meanwhile() -> None:
    """Indices and tables change under the call: other numbers, or an IndexError, and nothing else."""
    index, table = array("i", [0] * 20_000), array("d", [1.0] * 8)
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            for i in range(0, len(index), 37):
                index[i] = 7 if index[i] != 7 else -2_000_000_000
                table[i % 8] += 1.0

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            found = outcome(lambda: ao.map(index, "t[x]", t=table, typecode="d"))
            assert isinstance(found, array) or isinstance(found.error, IndexError)
    finally:
        done.set()
        writer.join()
