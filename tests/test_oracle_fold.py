"""reduce and accumulate: functools.reduce and itertools.accumulate, left to right, for strings and for callables."""

from __future__ import annotations

import functools
import itertools
import operator
import random
from array import array
from typing import Any

import arrayops as ao
import pytest
from arrayops.engine import folds
from differential import differences
from grammar import BLOCK_LENGTHS, Case
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import (
    TYPECODES,
    Raised,
    assert_bytes,
    assert_same,
    edge_values,
    expected_accumulate,
    expected_reduce,
    outcome,
    stored,
)
from strategies import cases, long_arrays

FOLDS = [
    "acc + x", "acc*31 + x", "acc - x", "x - acc", "acc ^ x", "acc | x", "acc & x", "max(acc, x)", "min(acc, x)",
    "acc if acc > x else x",
    "(acc*31 + x) & 0xFFFFFFFF", "(acc*6364136223846793005 + x) & 0xFFFFFFFFFFFFFFFF",
    "(acc ^ x) * 1099511628211 % 2**64", "acc*0.5 + x*0.5",
    "acc + (x > 3)", "acc and x", "acc or x", "acc + 1", "x", "acc", "acc < x", "(acc + x) / 2", "acc + x*x",
    "acc // 2 + x", "where(x > acc, x, acc)",
    "acc + 1 // x", "acc << 1 | (x > 2)", "-acc", "acc + 0.1", "(acc + x) % 7", "not acc", "acc + float(x)",
    "int(acc) + x", "acc % 3 * x", "(acc*5 + ((x*acc & x) ** 0)) % 2**64",
]  # fmt: skip
FOLD_INITIALS: list[tuple[Any, ...]] = [(), (0,), (1,), (0.0,), (-0.0,), (2**70,), (True,), (-5,)]


@given(cases("reduce"))
def test_random_reduce(case: Case) -> None:
    assert not differences(case)


#: Vectors do these of ints, block by block, where nothing on the way can leave 64 bits.
IN_ANY_ORDER = [
    "acc + x", "x + acc", "acc + x*x", "acc ^ x", "acc | x", "acc & x", "max(acc, x)", "min(x, acc)",
    "x if acc < x else acc", "x if acc >= x else acc", "acc if acc < x else x", "acc + 10 // x",
    "acc + (x > 50)", "max(acc, x*2 - 7)", "acc ^ (x if x > 9 else 3)", "acc | x*3 & 1023",
]  # fmt: skip
OUTLIERS = {
    "q": [2**63 - 1, -(2**63), 2**47, 2**47 - 1, -(2**47), -(2**47) - 1, -(2**48) - 1, 2**62],
    "Q": [2**64 - 1, 2**63, 2**48, 2**48 - 1],
    "i": [2**31 - 1, -(2**31)],
    "B": [255, 0],
    "b": [127, -128],
    "h": [2**15 - 1, -(2**15)],
    "H": [2**16 - 1, 0],
    "I": [2**32 - 1, 2**31],
}
LENGTHS = [0, 1, 255, 256, 257, 1024, 1025, 2600]


@pytest.mark.parametrize("text", IN_ANY_ORDER)
@given(st.sampled_from("qQiBbhHI"), st.sampled_from(LENGTHS), st.sampled_from([0, -1, 7, 2**62, -(2**63)]),
       st.lists(st.tuples(st.integers(0, 2599), st.integers(0, 9)), max_size=6), st.integers(0, 2**32))  # fmt: skip
@settings(max_examples=16, deadline=None)
def test_folds_in_any_order(text: str, typecode: str, length: int, initial: int, outliers: list[tuple[int, int]],
                            seed: int) -> None:  # fmt: skip
    rng = random.Random(seed)
    values = [rng.randrange(1, 100) * (-1 if typecode in "qihb" and rng.random() < 0.5 else 1) for _ in range(length)]
    for place, which in outliers:
        if length:
            values[place % length] = OUTLIERS[typecode][which % len(OUTLIERS[typecode])]
    data, step = array(typecode, values), eval(f"lambda acc, x: {text}")
    expected = outcome(functools.reduce, step, data, initial)
    assert_same(outcome(ao.reduce, data, text, initial), expected, (text, data, initial))


@pytest.mark.parametrize("size", [16384, 16400, 40000])
@pytest.mark.parametrize("typecode", ["q", "Q"])
def test_many_blocks_at_once(typecode: str, size: int) -> None:
    """Without a body, 2**14 elements are folded at once: at the bounds of what they may be, and beyond in one place."""
    edge = 2**47 - 1 if typecode == "q" else 2**48 - 1
    for first in (0, 2**62 - 1, 2**62, 2**63 - 1 - edge * 16384):
        for place, value in ((0, edge), (1, edge + 1), (16383, 2**62), (size - 1, 2**63 - 1)):
            data = array(typecode, [edge]) * size
            data[place] = value
            assert ao.reduce(data, "acc + x", first) == sum(data, first), (first, place)
            assert ao.reduce(data, "max(acc, x)", first) == max(first, *data), (first, place)
    if typecode == "q":
        data = array("q", [-(2**47)]) * size
        assert ao.reduce(data, "acc + x", -(2**62)) == sum(data, -(2**62))


@given(cases("accumulate"))
def test_random_accumulate(case: Case) -> None:
    assert not differences(case)


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("text", FOLDS)
def test_reduce_table(text: str, typecode: str) -> None:
    for values in (edge_values(typecode), [1, 2, 3, 4, 5, 6, 7], [5], []):
        data = array(typecode, values)
        for initial in FOLD_INITIALS:
            got = outcome(ao.reduce, data, text, *initial)
            assert_same(got, expected_reduce(text, data, *initial), (text, data, initial))


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("text", FOLDS)
def test_accumulate_table(text: str, typecode: str) -> None:
    for values in ([1, 2, 3, 4, 5, 6, 7], [5], [], edge_values(typecode)[:6]):
        data = array(typecode, values)
        for initial in FOLD_INITIALS:
            for target in {typecode, "d"}:
                keywords = {"initial": initial[0]} if initial else {}
                got = outcome(ao.accumulate, data, text, typecode=target, **keywords)
                assert_same(got, expected_accumulate(text, target, data, *initial), (text, data, initial, target))


@pytest.mark.parametrize("length", [0, 1, 2, *BLOCK_LENGTHS, 3000])
def test_folds_across_blocks(length: int) -> None:
    data = array("I", [(i * 2654435761) % 2**32 for i in range(length)])
    for text in ("(acc*31 + x) & 0xFFFFFFFF", "acc + x", "max(acc, x)", "acc ^ x", "acc * 3 + x"):
        assert_same(ao.reduce(data, text, 7), expected_reduce(text, data, 7), text)
    running = "(acc*31 + x) & 0xFFFFFFFF"
    assert_same(ao.accumulate(data, running, initial=7), expected_accumulate(running, "I", data, 7))
    floats = array("d", [i * 0.1 for i in range(length)])
    assert_same(ao.reduce(floats, "acc + x", 0.0), expected_reduce("acc + x", floats, 0.0))
    assert_same(ao.accumulate(floats, "acc + x"), expected_accumulate("acc + x", "d", floats))


@given(long_arrays())
def test_accumulate_without_function_is_a_running_sum(values: array[Any]) -> None:
    items = outcome(lambda: list(itertools.accumulate(values)))
    assert not isinstance(items, Raised)
    assert_same(outcome(lambda: ao.accumulate(values, typecode="d")), stored("d", items))
    assert_same(outcome(lambda: ao.accumulate(values)), stored(values.typecode, items))


def test_initial_none_means_no_initial_in_accumulate() -> None:
    data = array("i", [1, 2, 3])
    assert_bytes(ao.accumulate(data, "acc + x", initial=None), "i", [1, 3, 6])
    assert_bytes(ao.accumulate(data, initial=10), "i", [10, 11, 13, 16])


def test_running_value_is_not_rounded_between_steps() -> None:
    """'f' rounds at the store only: what is carried on is the double."""
    data = array("f", [0.1] * 20)
    assert_same(ao.accumulate(data, "acc + x"), expected_accumulate("acc + x", "f", data))


CALLABLES = [
    operator.add,
    operator.mul,
    max,
    min,
    lambda acc, x: acc * 0.5 + x,
    lambda acc, x: acc - x,
    operator.truediv,
    divmod,
]


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("function", CALLABLES)
def test_callables_fold_as_in_functools_and_itertools(function: Any, typecode: str) -> None:
    for values in ([], [3], [3, 1, 2, 5]):
        data = array(typecode, values)
        for initial in ((), (2,), (0.0,)):
            want = outcome(functools.reduce, function, data, *initial)
            got = outcome(ao.reduce, data, function, *initial)
            assert type(got) is type(want)
            assert got == want or str(got) == str(want)
            items = outcome(list, itertools.accumulate(data, function, initial=initial[0] if initial else None))
            running = outcome(ao.accumulate, data, function, initial=initial[0] if initial else None)
            assert_same(running, items if isinstance(items, Raised) else stored(typecode, items))


def test_reduce_of_nothing_is_pythons_error() -> None:
    for function in ("acc + x", operator.add):
        with pytest.raises(TypeError, match=r"reduce\(\) of empty iterable with no initial value"):
            ao.reduce(array("d"), function)


@pytest.mark.parametrize("text", ["pow(acc & (acc << 70), 0) & 0xFFFF", "power(-(acc % (acc or 1)), 0) & 0xFFFF"])
def test_a_scan_whose_operand_drops_out(text: str) -> None:
    """x ** 0 is 1 but its operand is still evaluated: found by fuzz_expressions.py --seed 2 --only 41612."""
    data = array("L", [1, 2, 3])
    assert_same(outcome(ao.accumulate, data, text, initial=0), expected_accumulate(text, "L", data, 0))
    assert_same(outcome(ao.reduce, data, text, 0), expected_reduce(text, data, 0))


def test_named_numbers_in_folds() -> None:
    data = array("d", [1.0, 2.0, 4.0])
    assert_same(ao.reduce(data, "acc*k + x", 0.0, k=0.5), expected_reduce("acc*k + x", data, 0.0, k=0.5))
    assert_same(ao.accumulate(data, "acc + x*k", k=3), expected_accumulate("acc + x*k", "d", data, k=3))


@pytest.mark.parametrize("text", ["-acc if x == 5 else -(-x)", "0 - acc if acc <= x else x*2//2"])
def test_what_python_answers_may_leave_the_interval_of_the_others(text: str) -> None:
    data, step = array("q", [-(2**63), 5, 6]), eval(f"lambda acc, x: {text}")
    for length in (1, 2, 3):
        assert ao.reduce(data[:length], text, 1) == functools.reduce(step, data[:length], 1)


def test_a_step_of_many_rounds_is_compiled_at_once() -> None:
    """Each round reads the one before it twice: what is found of a term is found once."""

    def step(acc: int, x: int) -> int:
        h = (acc * 31 + x) & 0xFFFFFFFF
        for _ in range(600):
            h = h ^ (h >> 3)
        return h

    data = array("B", range(200))
    assert ao.reduce(data, ao.compile(step), 7) == functools.reduce(step, data, 7)


@pytest.mark.parametrize("text", ["acc + x", "max(acc, x)", "acc*0.5 + x", "x", "acc + x if x > 2 else x"])
def test_a_running_fold_goes_on_where_its_kind_has_settled(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An int or a bool before floats is for the first elements only: the others are not Python's, which takes long."""
    monkeypatch.setattr(folds.Fold, "running", None)
    floats = array("d", [0.5, 3.0, 1.5, -2.0] * 300)
    for initial in (0, True, -5, 1.5):
        assert_same(ao.accumulate(floats, text, initial=initial), expected_accumulate(text, "d", floats, initial), text)
