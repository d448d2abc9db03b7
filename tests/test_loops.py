"""Loops over constants in functions: unrolled, and the same values and exceptions as Python's."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import assert_same, element_outcomes, outcome, stored
from strategies import long_arrays

TABLE = [5, 7, 9]


def crc(x: Any) -> Any:
    """The bitwise CRC of one byte."""
    for _ in range(8):
        x = x >> 1 ^ (0xEDB88320 if x & 1 else 0)
    return x


def leaves_early(x: Any) -> Any:
    """With break and continue."""
    s = 0
    for i in range(5):
        if x > i:
            s += i
        else:
            s -= 1
            continue
        if s > 5:
            break
    return s * 2 + i


def nested(x: Any) -> Any:
    """A loop in a loop, and a return from both."""
    for c in (1.5, 2.0, -3.0):
        for j in range(2):
            x = x * c + j
            if x > 100:
                return -1.0
    return x


def with_else(x: Any) -> Any:
    """The else of a loop is what follows if nothing broke off."""
    for i in range(3):
        if x < 0:
            break
        for j in range(1, 4):
            if x > 8:
                continue
            x += i * j
    else:
        return -x
    return x + i


def looks_up(x: Any) -> Any:
    """Backwards through a table."""
    s = 0
    for i in range(2, -1, -1):
        s += TABLE[i] * x
    return s if x else TABLE[x]


def may_raise(x: Any) -> Any:
    """An exception in the third step only."""
    s = 0
    for i in range(3):
        s += 6 // (x + 2 - i)
    return s


def newton(x: Any) -> Any:
    """Floats."""
    y = x / 2 + 0.5
    for _ in range(6):
        y = 0.5 * (y + x / y)
    return y


def nothing(x: Any) -> Any:
    """No step at all."""
    for i in range(0):
        x += i
    return x


def inner(x: Any) -> Any:
    """A function with a loop, called by one."""
    for i in (1, 2):
        x += helper(i)
    return x


def helper(n: Any) -> Any:
    """Called in a loop."""
    for i in range(3):
        n += i
    return n


FUNCTIONS = [crc, leaves_early, nested, with_else, looks_up, may_raise, newton, nothing, inner]


@pytest.mark.parametrize("function", FUNCTIONS)
@given(values=long_arrays(st.sampled_from("bBhHiIqQ")))
def test_loops_are_unrolled(function: Callable[[Any], Any], values: array[Any]) -> None:
    kernel = ao.compile(function, strict=True)
    want = stored("d", element_outcomes(function, [values]))
    assert_same(outcome(lambda: kernel(values, typecode="d")), want, function.__name__)


@given(st.binary(max_size=500))
def test_crc_bit_by_bit(data: bytes) -> None:
    def step(acc: int, x: int) -> int:
        acc ^= x
        for _ in range(8):
            acc = acc >> 1 ^ (0xEDB88320 if acc & 1 else 0)
        return acc

    kernel = ao.compile(step, strict=True)
    assert kernel.reduce(data, 0xFFFFFFFF) ^ 0xFFFFFFFF == zlib.crc32(data)


def counts(x: Any, n: int = 3) -> Any:
    """The number of steps is captured."""
    for i in range(n):
        x += i
    return x


def unbound(x: Any) -> Any:
    """What Python refuses."""
    for i in range(0):
        x += i
    return x + i


def while_loop(x: Any) -> Any:
    """How often depends on the element."""
    while x < 10:
        x += 3
    return x


def many(x: Any) -> Any:
    """More operations than a program has."""
    for i in range(5000):
        x += i
    return x


def endless(x: Any) -> Any:
    """Far more."""
    for i in range(10**30):
        if i > 3:
            return x
    return x


def over_a_list(x: Any) -> Any:
    """A list may change."""
    for i in [1, 2]:
        x += i
    return x


def over_a_table(x: Any) -> Any:
    """So may a captured one."""
    for i in TABLE:
        x += i
    return x


CALLED: list[tuple[Callable[[Any], Any], str]] = [
    (counts, "not a constant"), (unbound, "may be unbound"), (while_loop, "a loop"), (many, "more than 4096"),
    (endless, "more than 20000 steps"), (over_a_table, "no constant range or tuple"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "why"), CALLED)
def test_other_loops_are_called(function: Callable[[Any], Any], why: str) -> None:
    with pytest.raises(ao.NotCompilable, match=why):
        ao.compile(function, strict=True)
    values = array("i", [1, 5, 20])
    want = stored("i", element_outcomes(function, [values]))
    assert_same(outcome(lambda: ao.map(values, function)), want, function.__name__)


def test_a_list_that_the_compiler_makes_a_tuple() -> None:
    values = array("i", [1, 5])
    assert ao.map(values, over_a_list).tolist() == [4, 8]


def test_range_is_looked_up() -> None:
    """Another range is another function."""
    space: dict[str, Any] = {}
    exec("def f(x):\n for i in range(3): x += i\n return x", space)
    kernel = ao.compile(space["f"])
    assert kernel(array("i", [1])).tolist() == [4]
    space["range"] = lambda n: (100,)
    assert kernel(array("i", [1])).tolist() == [101]
