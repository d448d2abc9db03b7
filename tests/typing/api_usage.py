"""All public names as typed code uses them, for mypy --strict and basedpyright. .ci/run checks it; nothing runs it."""

from __future__ import annotations

import ctypes
import mmap
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from fractions import Fraction
from pathlib import Path
from typing import Any, assert_type

import arrayops as ao
import numpy

floats = array("d", [1.0, 2.0])
ints = array("i", [1, 2])
octets = bytearray(16)


def square(x: float) -> float:
    return x * x


def larger(acc: int, x: int) -> int:
    return x if x > acc else acc


def buffers_of_every_kind(mapped: mmap.mmap, typed: memoryview[float]) -> list[Any]:
    """What goes in: whatever has the buffer protocol."""
    return [ao.map(buffer, "x") for buffer in (floats, ints, octets, b"abc", memoryview(octets), mapped, typed)] + [
        ao.map((ctypes.c_int * 3)(1, 2, 3), "x")
    ]


def maps() -> None:
    result: array[float] = ao.map(floats, "x*x + 1")
    result = ao.map(ints, "x / n", n=2, typecode="d")
    result = ao.map(floats, square)
    result = ao.map(floats, lambda x: x * 2)
    result = ao.map(floats, lambda x, y: x * y, floats)
    result = ao.map(floats, "x + y", floats, threads=2, ieee=True, compile=False)
    view = ao.view(octets, "<d")
    ao.map(result, "x", out=view)
    result = ao.map(floats, "x", nulls="propagate")
    assert_type(ao.map_inplace(floats, "sqrt(x)"), None)
    kept: array[float] = ao.filter(floats, "x > 1")
    kept = ao.filter(kept, square)
    numbers: array[int] = ao.evaluate("a*b + c", a=ints, b=ints, c=5, typecode="q")
    five: int = ao.evaluate("a + b", a=2, b=3)
    ao.map(ints, "x*k", names={"k": 2, "other": None})
    print(ao.count(ints, "x > k", names=locals()), ao.reduce(ints, "acc*k + x", names={"k": 2}))
    print(ao.compile("x*k")(ints, names={"k": 2}))
    print(ao.lazy(ints).map("x*k", names={"k": 2}).filter("x > k", names={"k": 2}).sum())
    print(numbers, five)


def folds() -> None:
    total: int = ao.reduce(ints, "acc + x*n", 0, n=3)
    total = ao.reduce(ints, larger)
    print(total)
    running: array[int] = ao.accumulate(ints)
    running = ao.accumulate(ints, larger, initial=0, typecode="q")
    print(running)


def kernels(f: Callable[[float], float]) -> None:
    k = ao.compile("a*b + c", "a", "b", "c")
    assert_type(k, ao.Kernel)
    result: array[float] = k(floats, floats, 2.0)
    result = k(floats, floats, c=2.0)
    result = k.map(floats, floats, 2.0, typecode="f", threads=1)
    k(floats, b=floats, c=1, out=result)
    assert_type(k.inplace(floats, floats, 1), None)
    result = k.filter(floats, floats, 1)
    running: array[int] = ao.compile(larger).accumulate(ints)
    total: int = ao.compile(larger).reduce(ints, 0)
    assert_type(k.params, tuple[str, ...])
    assert_type(k.source, str)
    assert_type(k.compiled, bool)
    assert_type(k.explain("d", "d", c=2.0), str)
    assert_type(ao.explain("x*2", "d"), str)
    again: dict[ao.Kernel, int] = {k: total, ao.compile(f): 1}
    assert_type(ao.compile(k, strict=True) == k, bool)
    print(again, running, hash(k), ao.map(floats, k, floats, 2.0))


def statistics() -> None:
    assert_type(ao.sum(floats), int | float)
    assert_type(ao.min(ints), int | float)
    assert_type(ao.max(ints), int | float)
    assert_type(ao.mean(ints), float)
    assert_type(ao.sum(floats, nulls="skip", nan="skip"), int | float)
    assert_type(ao.mean(floats, nulls=0), float)
    assert_type(ao.quantile(floats, 0.25, nulls="skip", nan="skip"), int | float)
    assert_type(ao.count(floats, "x > 1", nulls="skip"), int)
    assert_type(ao.var(floats), float)
    assert_type(ao.std(floats, ddof=1), float)
    assert_type(ao.median(floats), int | float)
    assert_type(ao.minmax(floats), tuple[int | float, int | float])
    assert_type(ao.dot(floats, floats), int | float)
    assert_type(ao.prod(ints), int | float)
    assert_type(ao.argmin(ints), int)
    assert_type(ao.argmax(ints), int)
    assert_type(ao.any(ints, "x > limit", limit=1), bool)
    assert_type(ao.all(floats), bool)
    assert_type(ao.all(floats, lambda x: x > 0), bool)
    assert_type(ao.count(floats, square, strict=True), int)
    assert_type(ao.quantile(floats, 0.25), int | float)
    assert_type(ao.quantile(floats, Fraction(1, 3)), int | float)
    assert_type(ao.quantile(floats, [0.1, Fraction(9, 10)], method="exclusive"), list[int | float])
    found = ao.stats(floats)
    assert_type(found, ao.Stats)
    assert_type(found.count, int)
    assert_type(found.sum, int | float)
    assert_type(found.mean, float)
    count, total, mean, low, high, var, std = found
    assert_type((count, total, mean), tuple[int, int | float, float])
    assert_type((low, high), tuple[int | float, int | float])
    assert_type((var, std), tuple[float, float])


def counting_and_windows() -> None:
    counts, edges = ao.histogram(floats, 20, (0, 1.5), nan="skip")
    counts = ao.histogram(floats, [0, 1, 2])[0]
    by_key: array[int] = ao.bincount(octets, minlength=256)
    sums: array[float] = ao.bincount(ints, floats)
    print(counts, edges, by_key, sums)
    windows = ao.rolling(floats, 3, partial=True)
    assert_type(windows, ao.Rolling)
    means: array[float] = windows.mean()
    means = ao.rolling([floats, floats], 3, nulls="skip").sum()
    print(means, windows.min(), windows.max(), windows.var(ddof=1), windows.std(), windows.median())


def running_statistics() -> None:
    running = ao.RunningStats()
    assert_type(running.update(floats, nulls="skip", nan="skip"), None)
    assert_type(running.merge(ao.RunningStats(floats)), None)
    assert_type(running.stats(), ao.Stats)
    assert_type((running.count, running.sum, running.mean), tuple[int, int | float, float])
    assert_type((running.min, running.max), tuple[int | float, int | float])
    assert_type((running.var, running.std), tuple[float, float])
    assert_type(running == ao.RunningStats(), bool)


def in_place_and_in_order() -> None:
    assert_type(ao.scale(floats, 2), None)
    assert_type(ao.clip(floats, 0, 1.5), None)
    assert_type(ao.normalize(floats), None)
    assert_type(ao.reverse(floats), None)
    assert_type(ao.sort(floats), None)
    distinct: array[int] = ao.unique(ints)
    added: array[int] = ao.add(ints, distinct)
    added = ao.subtract(ints, ints, typecode="q")
    added = ao.multiply(ints, ints, out=added)
    ratios: array[float] = ao.divide(ints, added, typecode="d")
    print(ratios)
    places: array[int] = ao.argsort(floats, reverse=True)
    places = ao.searchsorted(ints, floats, side="right")
    place: int = ao.searchsorted(ints, 5)
    largest: array[float] = ao.topk(floats, 3, nan="skip")
    print(places, place, largest, ao.first(floats, "x > limit", default=None, limit=2), ao.first(floats, square))
    part = ao.slice(ints, 1, None, -1)
    part[0] = 20
    numbers: Iterator[int | float] = ao.array_iterator(ints)
    assert_type(ao.array_iterator(ints), ao.ArrayIterator)
    print(next(numbers))
    assert_type(part.nbytes, int)


def views(path: Path) -> None:
    field = ao.view(octets, ">H", offset=2, stride=4, count=3, nulls="skip")
    assert_type(field, ao.View)
    with ao.open(path, "<i", mode="r+") as numbers, ao.open(3) as descriptor, ao.open("name") as name:
        assert_type(numbers, ao.View)
        assert_type(numbers[0], int | float)
        assert_type(numbers[1:], ao.View)
        numbers[0] = 5
        assert_type(numbers.tolist(), list[int | float])
        assert_type((numbers.format, numbers.itemsize, numbers.stride, numbers.readonly), tuple[str, int, int, bool])
        print(len(numbers), 5 in numbers, list(numbers), list(reversed(numbers)), memoryview(numbers), descriptor, name)
        print(ao.sum(numbers), numbers.index(5), numbers.count(5), array("i", bytes(numbers)))
    assert_type(field.release(), None)


def tables(path: Path) -> None:
    columns = ao.read_csv(path, ["price", "#2"], typecodes={"price": "d", "#2": str}, na=["NA"], missing="skip",
                          skip=1, delimiter=";", decimal=",", thousands=".", quote=None, comment="#", header=True,
                          units_row=True, ragged="fill")  # fmt: skip
    assert_type(columns, dict[str, Any])
    print(columns["price"], ao.read_csv("name", "price", typecodes="d", missing=0.5, header=["price"]))
    for piece in ao.scan_csv(path, ["price"], ragged="skip"):
        print(piece["price"])


def pipelines(path: Path) -> None:
    kept = ao.lazy(floats).map("x*x").filter("x > limit", limit=1)
    assert_type(kept, ao.Pipeline)
    assert_type(ao.lazy(array("h", [n]) for n in range(3)).map(square), ao.Pipeline)
    assert_type(kept.takewhile("x > 0").dropwhile(square), ao.Pipeline)
    assert_type(kept.sum(), int | float)
    assert_type(kept.min(), int | float)
    assert_type(kept.max(), int | float)
    assert_type(kept.mean(), float)
    assert_type(kept.count(), int)
    assert_type(kept.len(), int)
    also: ao.LazyArray = kept
    print(also)
    assert_type(kept.stats(), ao.Stats)
    assert_type(kept.explain(), str)
    result: array[float] = kept.collect("d")
    total: float = kept.reduce("acc + x", 0.0)
    ints_again: array[int] = ao.lazy_array(ints).filter(lambda x: x > 1).collect()
    with path.open("wb") as file:
        assert_type(kept.to(file, typecode="f"), int)
    assert_type(kept.to(result), int)
    print(total, ints_again, list(kept))


def parts(path: Path, pool: Executor, progress: Callable[[int], object]) -> None:
    found = ao.files([path, "*.bin"], typecode="<i2", offset=44, stride=4, count=9, part_bytes=1 << 20)
    assert_type(found, ao.Files)
    assert_type(len(found), int)
    tables = ao.files("*.csv", columns=["price", "qty"], delimiter=";")
    assert_type(ao.lazy(tables).map("price*qty").sum(executor=pool), int | float)
    values = ao.lazy(found).map("x*x")
    assert_type(values.stats(executor=pool, progress=progress), ao.Stats)
    assert_type(values.histogram(3, (0, 1), executor=pool), tuple[array[int], array[float]])
    assert_type(values.count(progress=progress), int)
    assert_type(values.to(path, "f", executor=pool), int)
    assert_type(values.collect("d", executor=pool, progress=progress), Any)
    print(values.reduce("acc + x", 0, merge="acc + x", executor=pool))


def arrow(producer: object) -> None:
    numbers: ao.View | array[Any] = ao.from_arrow(producer, nulls="skip")
    numbers = ao.from_arrow(producer, nulls=0.0)
    schema, data = ao.to_arrow(numbers).__arrow_c_array__()
    print(schema, data)


def errors() -> None:
    try:
        ao.compile("x +")
    except ao.ExpressionError as error:
        syntax: SyntaxError = error
        value: ValueError = error
        print(syntax.text, syntax.offset, syntax.lineno, value.args)
    try:
        ao.compile(print, strict=True)
    except ao.NotCompilable as reason:
        as_type: TypeError = reason
        print(as_type)


def settings() -> None:
    assert_type(ao.set_num_threads(1), int)
    assert_type(ao.isa(), str)
    assert_type(ao.native(), bool)
    assert_type(ao.set_native(True), bool)
    assert_type(ao.__version__, str)
    print(ao.__all__)


#: NumPy's arrays of 32-bit floats: of one dimension, and as results are typed.
Singles = numpy.ndarray[tuple[int], numpy.dtype[numpy.float32]]
SinglesOut = numpy.ndarray[Any, numpy.dtype[numpy.float32]]


def arrays_of_a_kind(of_numpy: Singles, unknown: Any) -> None:
    """What comes in decides what goes out, and a typecode that is known does."""
    assert_type(ao.map(floats, "x*x"), array[float])
    assert_type(ao.map(ints, lambda x: x + 1), array[int])
    assert_type(ao.map(b"abc", "x + 1"), array[int])
    assert_type(ao.map(range(9), "x*0.5", typecode="d"), array[float])
    assert_type(ao.map(floats, "int(x)", typecode="int16"), array[int])
    assert_type(ao.map(floats, "x > 0", typecode="?"), ao.View)
    assert_type(ao.map(ints, "x", out=octets), bytearray)
    assert_type(ao.filter(floats, "x > 0"), array[float])
    assert_type(ao.filter(octets, "x > 0"), array[int])
    assert_type(ao.accumulate(ints), array[int])
    assert_type(ao.accumulate(ints, typecode="d"), array[float])
    assert_type(ao.add(ints, b"ab"), array[int])
    assert_type(ao.divide(ints, ints, typecode="d"), array[float])
    assert_type(ao.subtract(floats, 1 * floats, out=of_numpy), Singles)
    assert_type(ao.unique(floats), array[float])
    assert_type(ao.topk(range(5), 3), array[int])
    assert_type(ao.compile("x")(floats), array[float])
    assert_type(ao.compile("x").map(floats), array[float])
    assert_type(ao.compile("x").filter(floats), array[float])
    assert_type(ao.map(of_numpy, "x*x"), SinglesOut)
    assert_type(ao.filter(of_numpy, "x > 0"), SinglesOut)
    assert_type(ao.accumulate(of_numpy), SinglesOut)
    assert_type(ao.multiply(of_numpy, floats), SinglesOut)
    assert_type(ao.unique(of_numpy), SinglesOut)
    assert_type(ao.compile("x")(of_numpy), SinglesOut)
    assert_type(ao.compile("x").map(of_numpy), SinglesOut)
    print(ao.map(unknown, "x"), ao.sum(unknown), ao.map(floats, "x", typecode=str(unknown)))


def what_is_no_array_is_noticed() -> None:
    """As a misspelt name below."""
    print(ao.map([1, 2], "x"))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    print(ao.sum([1.5]))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def a_misspelt_name_is_noticed() -> None:
    """Both type checkers report a comment that silences nothing."""
    print(ao.argsrt)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
