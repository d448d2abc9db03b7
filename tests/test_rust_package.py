"""The examples of the README of arrayops 1.0 (the Rust package) as they stand; docs/coming-from.md lists the rest."""

from __future__ import annotations

import array

import arrayops as ao
import pytest


def test_basic_usage() -> None:
    data = array.array("i", [1, 2, 3, 4, 5])
    assert ao.sum(data) == 15
    ao.scale(data, 2.0)
    assert data.tolist() == [2, 4, 6, 8, 10]
    assert ao.map(data, lambda x: x * 2).tolist() == [4, 8, 12, 16, 20]
    assert ao.filter(data, lambda x: x % 2 == 0).tolist() == [2, 4, 6, 8, 10]
    assert ao.reduce(data, lambda acc, x: acc * x, initial=1) == 3840

    data = array.array("i", [1, 2, 3, 4, 5])
    assert (ao.mean(data), ao.min(data), ao.max(data), ao.median(data)) == (3.0, 1, 5, 3)
    assert ao.std(data) == 2**0.5 and ao.var(data) == 2.0

    arr2 = array.array("i", [10, 20, 30, 40, 50])
    assert ao.add(data, arr2).tolist() == [11, 22, 33, 44, 55]
    assert ao.multiply(data, arr2).tolist() == [10, 40, 90, 160, 250]
    ao.clip(data, 2.0, 4.0)
    assert data.tolist() == [2, 2, 3, 4, 4]
    with pytest.raises(TypeError, match="floats, which a 'i' array cannot hold"):  # it refuses ints there, too
        ao.normalize(data)

    data = array.array("i", [1, 2, 3, 4, 5])
    ao.reverse(data)
    assert data.tolist() == [5, 4, 3, 2, 1]
    ao.sort(data)
    assert data.tolist() == [1, 2, 3, 4, 5]
    assert ao.unique(data).tolist() == [1, 2, 3, 4, 5]

    sliced = ao.slice(data, 1, 4)
    assert isinstance(sliced, memoryview) and sliced.tolist() == [2, 3, 4]
    lazy = ao.lazy_array(data)
    result = lazy.map(lambda x: x * 2).filter(lambda x: x > 5).collect()
    assert result.tolist() == [6, 8, 10]
    assert list(ao.array_iterator(data)) == [1, 2, 3, 4, 5] and lazy.source() is data


def test_errors() -> None:
    with pytest.raises(TypeError):
        ao.sum([1, 2, 3])
    with pytest.raises(TypeError, match="not supported"):
        ao.sum(array.array("u", "abc"))


def test_where_pythons_meaning_wins() -> None:
    assert ao.sum(array.array("b", [127, 1])) == 128  # wraps there
    assert ao.median(array.array("i", [1, 2, 3, 4])) == 2.5  # the lower one there
    with pytest.raises(TypeError, match=r"2\.5"):
        ao.scale(array.array("i", [1]), 2.5)  # counts as 2 there
    assert ao.filter(array.array("i", [0, 1, 2]), lambda x: x).tolist() == [1, 2]  # needs a bool there
    with pytest.raises(OverflowError):
        ao.add(array.array("b", [127]), array.array("b", [1]))  # wraps there
    assert ao.slice(array.array("i", [1, 2, 3]), -2, 10).tolist() == [2, 3]  # refuses that there
    assert ao.sum(array.array("Q", [2**64 - 1, 1])) == 2**64  # knows no Q there
