"""Pipelines whose stages take arrays beside the source: Python's generator over zip() is the oracle."""

from __future__ import annotations

import functools
import pickle
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import Raised, assert_bytes, difference, outcome, python_function, stored
from strategies import long_arrays

A, B = array("d", [1.0, 2.0, 3.0, 4.0]), array("i", [5, 0, -2, 7])

#: Texts of stages.
MAPS = ["x*y", "x + y*k", "x", "y", "x // y", "max(x, y)", "x if y > 3 else y", "x/3"]
FILTERS = ["x > y", "y", "x != 0", "x*2 > y or y > 100"]
stages = st.lists(
    st.one_of(
        st.tuples(st.just("map"), st.sampled_from(MAPS)),
        st.tuples(st.just("filter"), st.sampled_from(FILTERS)),
        st.tuples(st.just("called"), st.just("x + 1")),
    ),
    min_size=1,
    max_size=4,
)


def called(x: Any) -> Any:
    return [x][0] + 1


def pipeline(source: Any, beside: Callable[[], Any], chosen: list[tuple[str, str]]) -> Any:
    made = ao.lazy(source)
    for verb, text in chosen:
        given_names: dict[str, Any] = {"y": beside()} if "y" in text else {}
        given_names |= {"k": 3} if "k" in text else {}
        made = made.map(called) if verb == "called" else getattr(made, verb)(text, **given_names)
    return made


def by_python(rows: Any, chosen: list[tuple[str, str]]) -> Iterator[Any]:
    functions = [python_function(text, ["x", "y", "k"]) for _, text in chosen]
    for x, y in rows:
        value = x
        for (verb, _), function in zip(chosen, functions, strict=True):
            result = function(value, y, 3)
            if verb != "filter":
                value = result
            elif not result:
                break
        else:
            yield value


def cut(values: Any, size: int) -> list[Any]:
    return [values[at : at + size] for at in range(0, len(values), size)]


@given(a=long_arrays(), b=long_arrays(), chosen=stages, size=st.sampled_from([1, 7, 300]))
def test_random_pipelines(a: array[Any], b: array[Any], chosen: list[tuple[str, str]], size: int) -> None:
    count = min(len(a), len(b), 600)
    a, b = a[:count], b[:count]
    values = outcome(lambda: list(by_python(zip(a, b, strict=True), chosen)))
    want = values if isinstance(values, Raised) else stored("d", values)
    sources: list[tuple[Any, Callable[[], Any]]] = [
        (a, lambda: b),
        (cut(a, size), lambda: cut(b, size)),
        (cut(a, size), lambda: iter(cut(b, size))),
    ]
    for source, beside in sources:
        made = pipeline(source, beside, chosen)
        got = outcome(lambda made=made: made.collect("d"))
        assert difference(got, want) is None, (chosen, want)
        if not isinstance(values, Raised) and beside is not sources[2][1]:
            assert len(list(made)) == made.count() == len(values)


def test_what_it_gives() -> None:
    p = ao.lazy(A).map("x*y", y=B)
    assert_bytes(p.collect(), "d", [5.0, 0.0, -6.0, 28.0])
    assert p.sum() == 27.0
    assert p.stats().max == 28.0
    assert list(p) == [5.0, 0.0, -6.0, 28.0]
    assert p.reduce("acc + x", 0.0) == 27.0
    assert ao.lazy(A).filter("x > 1").map("x + y", y=B).filter("x > y", y=array("b", [0, 0, 1, 2])).sum() == 13.0
    assert "y=array" in repr(p)
    assert "MUL" in p.explain()
    out = array("d", bytes(32))
    assert p.to(out) == 4
    assert_bytes(out, "d", [5.0, 0.0, -6.0, 28.0])
    assert pickle.loads(pickle.dumps(p)).sum() == 27.0
    assert ao.lazy(A).map("x*i + k", i=range(4), k=1).sum() == 24.0
    assert ao.lazy(A).map("x*y", names={"y": B}).sum() == 27.0


def test_behind_takewhile_of_a_later_stage() -> None:
    assert list(ao.lazy(A).map("x*y", y=B).takewhile("x >= 0").map("x + 1")) == [6.0, 1.0]


def test_a_kernel_with_names() -> None:
    k = ao.compile("x*y + 1")
    assert ao.lazy(A).map(k, y=B).sum() == 31.0


def test_ieee_and_errors_of_elements() -> None:
    assert list(ao.lazy(A, ieee=True).map("x/y", y=B))[1] == float("inf")
    with pytest.raises(ZeroDivisionError):
        ao.lazy(A).map("x/y", y=B).sum()
    assert ao.lazy(A).filter("y", y=B).map("x/y", y=B).count() == 3
    with pytest.raises(ao.ExpressionError, match="write 'not x'"):
        ao.lazy(A).map("~y", y=ao.view(b"\0\1\0\1", "?")).collect()
    big = array("q", [2**62, 2**62])
    assert ao.lazy(big).map("x*y", y=big).sum() == 2**125


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ao.lazy(A).map("x*y", y=B[:3]).sum(), ValueError, "the array has 4 elements, and 'y' has 3"),
        (lambda: ao.lazy(A).map("x*y", y=array("d")).collect(), ValueError, "4 elements, and 'y' has 0"),
        (lambda: ao.lazy([A, A]).map("x*y", y=[B]).sum(), ValueError, "'y' ends after 1 buffers"),
        (lambda: ao.lazy([A]).map("x*y", y=[B, B]).sum(), ValueError, "the stream ends after 1 buffers"),
        (lambda: ao.lazy([A, A]).map("x*y", y=[B, B[:1]]).sum(), ValueError, "buffer 1 .* has 4 .* 'y' has 1"),
        (lambda: ao.lazy([A]).map("x*y", y=B), TypeError, "'y' is one array, and the source is a stream"),
        (lambda: ao.lazy([A]).map("x*y", y=iter([3])).sum(), TypeError, "'y' must be a buffer there"),
        (lambda: ao.lazy(A).map("x*y", y=[1, 2]), TypeError, "not list: array"),
        (lambda: ao.lazy(A).map("x*y", y="ab"), TypeError, "not str"),
        (lambda: ao.lazy(A).takewhile("x < 3").map("x*y", y=B), ValueError, "put this stage before them"),
        (lambda: ao.lazy(A).takewhile("x < y", y=B), TypeError, "must be a number in a pipeline"),
        (lambda: ao.lazy(A).map("t[int(x)]", t=B), TypeError, "must be a number in a pipeline"),
        (lambda: ao.lazy(A).map("t[int(x)]", t=[1, 2]), TypeError, "'t' must be a number in a pipeline, not list"),
        (lambda: ao.lazy(A).dropwhile("x < y", y=(1, 2)), TypeError, "'y' must be a number in a pipeline, not tuple"),
        (lambda: ao.lazy(A).map("x*y", z=B), TypeError, "z"),
    ],
)
def test_refused(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_arrays_are_held_while_the_pipeline_runs() -> None:
    b = array("d", [1.0] * 4)

    def grow(x: Any) -> Any:
        b.append(1.0)
        return x

    with pytest.raises(BufferError):
        ao.lazy(A).map(grow).map("x*y", y=b).collect()


def test_other_kinds() -> None:
    numpy = pytest.importorskip("numpy")
    got = ao.lazy(numpy.array([1.0, 2.0, 3.0])).map("x*y", y=numpy.array([1, 2, 3])[::-1]).collect()
    assert isinstance(got, numpy.ndarray)
    assert got.tolist() == [3.0, 4.0, 3.0]
    assert ao.lazy(A).map("x*y", y=numpy.float64(2.0)).sum() == 20.0
    masked = numpy.ma.array([1.0, 2.0, 3.0, 4.0], mask=[0, 1, 0, 0])
    assert ao.lazy(A, nulls="skip").map("x*y", y=masked).sum() == 26.0
    with pytest.raises(ValueError, match="null"):
        ao.lazy(A).map("x*y", y=masked).sum()
    assert ao.lazy(A, nulls=0).map("x + y", y=masked).sum() == 18.0
    pyarrow = pytest.importorskip("pyarrow")
    column = pyarrow.chunked_array([[1.0], [None, 3.0, 4.0]])
    assert ao.lazy(A, nulls="skip").map("x*y", y=column).sum() == 26.0
    assert ao.lazy(column, nulls="skip").map("x*y", y=A).count() == 3
    assert ao.lazy([column, column], nulls="skip").map("x*y", y=[A, A]).count() == 6


def test_the_same_as_a_fold_over_zip() -> None:
    want = functools.reduce(lambda acc, row: acc + row[0] * row[1], zip(A, B, strict=True), 0.0)
    assert ao.lazy(A).map("x*y", y=B).reduce(lambda acc, x: acc + x, 0.0) == want
