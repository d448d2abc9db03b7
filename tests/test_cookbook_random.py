"""examples/random_numbers.py against a plain loop, published values, and the distributions that it promises."""

from __future__ import annotations

import doctest
import itertools
import math
from array import array
from collections.abc import Iterator

import arrayops as ao
import example_modules
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import ulps_apart

random_numbers = example_modules.load("random_numbers")
MASK = (1 << 64) - 1
seeds = st.integers(0, MASK) | st.sampled_from([0, 1, MASK, 1 << 63])


def splitmix64(seed: int) -> Iterator[int]:
    """As in the paper: a state that moves on, and its mixture."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def reference(seed: int, count: int, start: int = 0) -> list[int]:
    return list(itertools.islice(splitmix64(seed), start, start + count))


def test_examples_of_the_module() -> None:
    assert doctest.testmod(random_numbers)[0] == 0


def test_published_values() -> None:
    """Those by which the generator's ports are checked, of the seed 1234567."""
    assert list(random_numbers.words(1234567, 3)) == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(seed=seeds, count=st.integers(0, 300), start=st.integers(0, 1000))
def test_words_are_those_of_the_loop(seed: int, count: int, start: int) -> None:
    assert random_numbers.words(seed, count, start) == array("Q", reference(seed, count, start))


@given(seed=seeds, count=st.integers(0, 300), start=st.integers(0, 1000))
def test_uniform_numbers_are_those_of_the_loop_bit_for_bit(seed: int, count: int, start: int) -> None:
    wanted = array("d", [(word >> 11) * 2.0**-53 for word in reference(seed, count, start)])
    assert random_numbers.uniform(seed, count, start).tobytes() == wanted.tobytes()


@given(seed=seeds, count=st.integers(0, 100), start=st.integers(0, 50))
def test_normal_numbers(seed: int, count: int, start: int) -> None:
    """Bit for bit by the functions of this package, each element by itself; near those of the C library."""
    units = [(word >> 11) * 2.0**-53 for word in reference(seed, 2 * count, 2 * start)]
    found = random_numbers.normal(seed, count, start)
    for got, u, v in zip(found, units[::2], units[1::2], strict=True):
        log, cos = ao.map(array("d", [1 - u]), "log(x)")[0], ao.map(array("d", [v * math.tau]), "cos(x)")[0]
        assert got == 0.0 + 1.0 * (math.sqrt(-2 * log) * cos)
        assert ulps_apart(got, math.sqrt(-2 * math.log(1 - u)) * math.cos(v * math.tau)) <= 6


@pytest.mark.parametrize("cut", [1, 7, 999])
def test_parts_are_those_of_the_whole(cut: int) -> None:
    for make in (random_numbers.words, random_numbers.uniform, random_numbers.normal):
        assert make(3, cut) + make(3, 1000 - cut, start=cut) == make(3, 1000)


def test_the_distributions() -> None:
    """Means and variances of 200,000, within five standard errors."""
    count = 200_000
    units, numbers = random_numbers.uniform(11, count), random_numbers.normal(11, count, mean=5.0, std=2.0)
    assert ao.min(units) >= 0 and ao.max(units) < 1
    assert abs(ao.mean(units) - 0.5) < 5 * math.sqrt(1 / 12 / count)
    assert abs(ao.mean(numbers) - 5) < 5 * 2 / math.sqrt(count)
    assert abs(ao.var(numbers) / 4 - 1) < 5 * math.sqrt(2 / count)
    inside = ao.count(numbers, "3 < x < 7") / count
    assert abs(inside - math.erf(1 / math.sqrt(2))) < 5 * math.sqrt(0.25 / count)
