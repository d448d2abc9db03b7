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


def test_keywords() -> None:
    """Its names of parameters, wherever the argument is missing."""
    data, other = array.array("i", [1, 2, 3, 4, 5]), array.array("i", [10, 20, 30, 40, 50])
    assert (ao.sum(array=data), ao.mean(array=data), ao.min(array=data), ao.max(array=data)) == (15, 3.0, 1, 5)
    assert (ao.std(array=data), ao.var(array=data), ao.median(array=data)) == (2**0.5, 2.0, 3)
    for call in (lambda: ao.map(array=data, fn=lambda x: x * 2), lambda: ao.map(data, fn="x * 2"),
                 lambda: ao.map(fn="x * y", array=data, y=2)):  # fmt: skip
        assert call().tolist() == [2, 4, 6, 8, 10]
    assert ao.filter(array=data, predicate=lambda x: x % 2 == 0).tolist() == [2, 4]
    assert ao.reduce(array=data, fn=lambda acc, x: acc * x, initial=None) == 120
    assert ao.reduce(data, fn="acc + x", initial=5) == 20
    assert ao.add(arr1=data, arr2=other).tolist() == [11, 22, 33, 44, 55]
    assert ao.multiply(data, arr2=other).tolist() == [10, 40, 90, 160, 250]
    assert ao.slice(array=data, start=1, end=4).tolist() == ao.slice(data, end=4)[1:].tolist() == [2, 3, 4]
    assert list(ao.array_iterator(array=data)) == ao.unique(array=data).tolist() == [1, 2, 3, 4, 5]
    lazy = ao.lazy_array(array=data).map(fn=lambda x: x * 2).filter(predicate="x > limit", limit=5)
    assert lazy.collect().tolist() == [6, 8, 10] and lazy.len() == 3 and lazy.reduce("acc + x", initial=None) == 24
    ao.map_inplace(array=data, fn=lambda x: x + 1)
    ao.scale(array=data, factor=2)
    ao.clip(array=data, min_val=5, max_val=10)
    ao.reverse(array=data)
    assert data.tolist() == [10, 10, 8, 6, 5]
    ao.sort(array=data)
    assert data.tolist() == [5, 6, 8, 10, 10]
    floats = array.array("d", [1.0, 2.0])
    ao.normalize(array=floats)
    assert floats.tolist() == [0.0, 1.0]


def test_their_names_stay_free_for_expressions() -> None:
    data = array.array("i", [1, 2])
    assert ao.map(data, "x + array*fn", array=data, fn=3).tolist() == [4, 8]
    assert ao.filter(data, "x < predicate", predicate=2).tolist() == [1]
    assert ao.reduce(data, "acc + x*array", 0, array=2) == 6
    assert ao.lazy(data).map("x * fn", fn=2).sum() == 6
    assert ao.mean(arr=data) == 1.5 and ao.slice(arr=data, stop=1).tolist() == [1]
    for call in (lambda: ao.sum(), lambda: ao.map(array=data), lambda: ao.mean(data, array=data),
                 lambda: ao.sum(arr1=data), lambda: ao.map("x", array=data),
                 lambda: ao.slice(data, 1, 2, end=2)):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    with pytest.raises(TypeError, match="no name 'fn'"):
        ao.map(data, "x", fn=2)


def test_classes() -> None:
    data = array.array("i", [1, 2])
    assert isinstance(ao.lazy_array(data), ao.LazyArray) and ao.LazyArray is ao.Pipeline
    numbers = ao.array_iterator(data)
    assert isinstance(numbers, ao.ArrayIterator) and next(numbers) == 1 and list(numbers) == [2]
    assert ao.reduce(data, lambda a, b: a + b, initial=None) == 3
    with pytest.raises(TypeError, match="empty"):
        ao.reduce(data[:0], "acc + x", initial=None)
