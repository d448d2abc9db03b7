"""Functions against Python itself: random ones, every shape of and/or/not up to four operands, and decoders that are
broken on purpose, which the random ones must find."""

from __future__ import annotations

import itertools
import random
from array import array
from collections.abc import Iterator
from typing import Any

import arrayops as ao
import pytest
from arrayops.compiler import decode
from arrayops.engine import functions
from function_differential import differences, random_case
from fuzz_functions import step_kernel
from hypothesis import given
from hypothesis import strategies as st
from oracle import assert_bytes


@pytest.fixture(autouse=True)
def decode_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every function is compiled at its first call."""
    monkeypatch.setattr(functions, "COMPILE_AFTER", 0)
    functions.ENTRIES.clear()


@given(st.randoms(use_true_random=False))
def test_random_functions(rng: random.Random) -> None:
    call = random_case(rng)
    assert not differences(call), call.case.source


def test_nearly_all_functions_of_the_language_are_compiled() -> None:
    calls = [random_case(random.Random(f"share:{i}")) for i in range(400)]
    kernels = [step_kernel(c.case.function, c.initial) if c.api == "states" else ao.compile(c.case.function)
               for c in calls if c.case.in_language]  # fmt: skip
    assert sum(kernel.compiled for kernel in kernels) >= 0.98 * len(kernels) > 300


def _no_effects(self: Any, effects: Any, value: Any) -> int:
    return 0


def _first_way(self: Any, condition: int, a: Any, b: Any) -> Any:
    return a


def _swapped(self: Any, i: Any) -> None:
    right, left = self.pop(), self.pop()
    self.push(decode._nb_ops[i.arg][1].removesuffix("="), right, left)


MUTANTS = {
    "effects are dropped": (decode._Frame, "uncovered", _no_effects),
    "one way is taken for both": (decode._Run, "phi", _first_way),
}


@pytest.mark.parametrize("name", [*MUTANTS, "operands are swapped"])
def test_a_broken_decoder_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in MUTANTS:
        monkeypatch.setattr(*MUTANTS[name])
    else:
        monkeypatch.setitem(decode._RULES, "BINARY_OP", _swapped)
    for i in range(300):
        if differences(random_case(random.Random(f"mutant:{i}"))):
            return
    pytest.fail("300 random functions did not find it")


# -- truth tables ------------------------------------------------------------------------------------------------------


def shapes(names: str) -> Iterator[str]:
    """Every tree of and/or over these operands in this order, each operand and inner node with and without not."""
    if len(names) == 1:
        yield names
        yield f"not {names}"
        return
    for split in range(1, len(names)):
        for left, right in itertools.product(shapes(names[:split]), list(shapes(names[split:]))):
            for operator in ("and", "or"):
                yield f"(({left}) {operator} ({right}))"
                yield f"(not (({left}) {operator} ({right})))"


def truth_table(count: int, values: tuple[Any, ...], typecode: str) -> list[array[Any]]:
    """Columns that hold every combination of the values."""
    rows = list(itertools.product(values, repeat=count))
    return [array(typecode, column) for column in zip(*rows, strict=True)]


def functions_of(texts: list[str], names: str) -> list[Any]:
    """The texts as lambdas, compiled by Python in one go."""
    source = ",\n".join(f"lambda {', '.join(names)}: {text}" for text in texts)
    return list(eval(f"[{source}]"))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_shape_of_and_or_not(count: int) -> None:
    """Value for value: of ints and of floats, as a value and as a condition."""
    names = "wxyz"[:count]
    texts = list(shapes(names))
    texts += [f"1 if {text} else 2" for text in shapes(names)]
    for values, typecode in (((0, 1, 2), "b"), ((0.0, -0.0, 1.5), "d")):
        columns = truth_table(count, values, typecode)
        for text, f in zip(texts, functions_of(texts, names), strict=True):
            got = ao.map(columns[0], f, *columns[1:], typecode=typecode)
            assert got.tobytes() == array(typecode, map(f, *columns)).tobytes(), text


@pytest.mark.parametrize("part", range(4))
def test_every_shape_of_four_operands(part: int) -> None:
    """As above, of ints that tell the operands apart; every fourth shape each."""
    texts = list(shapes("wxyz"))[part::4]
    columns = [array("b", [value * (k + 1) for value in column])
               for k, column in enumerate(truth_table(4, (0, 1), "b"))]  # fmt: skip
    for text, f in zip(texts, functions_of(texts, "wxyz"), strict=True):
        kernel = ao.compile(f, strict=True)
        assert kernel(*columns).tobytes() == array("b", map(f, *columns)).tobytes(), text


def test_mixed_types_of_and_or() -> None:
    """The value is an int for one element and a float for another."""
    xs, ys = truth_table(2, (0, 3), "i")
    zs = array("d", [0.0, -0.0, 2.5, -1.5])
    for text in ("x and z", "x or z", "x and y or z", "not x or z", "z and x", "z or x and y", "x if z else z"):
        f = eval(f"lambda x, y, z: {text}")
        assert_bytes(ao.map(xs, f, ys, zs, typecode="d"), "d", list(map(f, xs, ys, zs)))
