"""The callback path: any callable, once per element, with Python's own results; exceptions pass through untouched, and
nothing it does to the array, to arrayops or to itself can hurt the call."""

from __future__ import annotations

import functools
import gc
import itertools
import math
import operator
from array import array
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from oracle import TYPECODES, Raised, assert_bytes, assert_same, outcome, stored
from strategies import arrays


class Callable_:
    """An object with __call__."""

    def __call__(self, x: Any) -> Any:
        return x + 1

    def method(self, x: Any) -> Any:
        return x + 1

    @staticmethod
    def static(x: Any) -> Any:
        return x + 1

    @classmethod
    def of_class(cls, x: Any) -> Any:
        return x + 1


def with_defaults(x: Any, y: int = 1, *rest: Any, z: int = 0, **more: Any) -> Any:
    """Called with one argument."""
    return x + y + z + len(rest) + len(more)


# fmt: off
FUNCTIONS: list[Callable[..., Any]] = [
    lambda x: x + 1, lambda x: -x, abs, int, float, bool, math.floor, math.sqrt, math.sin, operator.neg, operator.index,
    str, repr, complex, bytes, list, hash, id, ord, chr,
    Callable_(), Callable_().method, Callable_.static, Callable_.of_class, functools.partial(operator.add, 3),
    functools.lru_cache(lambda x: x * 2), with_defaults, Decimal, Fraction,
    (2.5).__add__, (5).__add__, [10, 20, 30].__getitem__, {1: 2, 2: 3}.get, round, type, bin, lambda x: None,
    lambda x: [x], lambda x: x > 1, lambda *a: len(a), lambda x: 2**70, lambda x: "a",
    lambda x: 10**400, lambda x: x / 2, lambda x: 1 // x, lambda x: x.nothing, lambda x: Decimal(1) / 3,
    lambda x: Fraction(1, 2), functools.partial(pow, 2), "{}".format, math.isnan, lambda x: x if x else -0.0,
]
# fmt: on


class IndexLike:
    """An object that array accepts as an integer."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class FloatLike(IndexLike):
    """An object that array accepts as a float as well."""

    def __float__(self) -> float:
        return self.value + 0.5


class BadIndex:
    """An object whose conversion raises."""

    def __index__(self) -> int:
        raise KeyError("index")

    def __float__(self) -> float:
        raise KeyError("float")


RESULTS: list[Any] = [
    None,
    "a",
    b"a",
    1j,
    [],
    (),
    object,
    IndexLike(3),
    FloatLike(3),
    BadIndex(),
    True,
    2**70,
    -1,
    1.5,
    math.nan,
    Decimal(2),
    Fraction(1, 2),
    range(3),
    Ellipsis,
]


def by_map(function: Callable[..., Any], values: array[Any], typecode: str) -> Any:
    """The law, in Python."""
    items = outcome(lambda: [function(x) for x in values])
    return items if isinstance(items, Raised) else stored(typecode, items)


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_any_callable(number: int, typecode: str) -> None:
    function = FUNCTIONS[number]
    for values in ([], [1], [1, 2, 0, 2, 1], [0]):
        data = array(typecode, values)
        for target in (typecode, "d"):
            if function is id:
                continue  # the address of an element's object is no value to compare
            got = outcome(ao.map, data, function, typecode=target)
            assert_same(got, by_map(function, data, target), (function, typecode, values))
        verdicts = outcome(lambda data=data: array(typecode, [x for x in data if function(x)]))
        assert_same(outcome(ao.filter, data, function), verdicts, (function, typecode))


@pytest.mark.parametrize("typecode", TYPECODES)
@pytest.mark.parametrize("result", RESULTS, ids=[type(r).__name__ + str(i) for i, r in enumerate(RESULTS)])
def test_results_of_odd_types(result: Any, typecode: str) -> None:
    """What array itself would accept or refuse, with its message."""
    data = array("b", [1, 2])
    got = outcome(lambda: ao.map(data, lambda x: result, typecode=typecode))
    assert_same(got, stored(typecode, [result, result]))
    out = array(typecode, [7, 7])
    error = outcome(lambda: ao.map(data, lambda x: result if x == 2 else 3, out=out))
    want = array(typecode, [7, 7])

    def loop() -> None:
        for i, value in enumerate((3, result)):
            want[i] = value

    python = outcome(loop)
    assert isinstance(error, Raised) == isinstance(python, Raised)
    assert not isinstance(error, Raised) or str(error) == str(python)
    assert_same(out, want)


@given(arrays())
def test_elements_arrive_as_pythons_own_numbers(values: array[Any]) -> None:
    seen: list[Any] = []

    def function(x: Any) -> int:
        seen.append(x)
        return 0

    assert_same(ao.map(values, function, typecode="b"), array("b", [0] * len(values)))
    assert_same(array(values.typecode, seen), values)
    assert {type(x) for x in seen} <= {float if values.typecode in "fd" else int}


def test_several_arrays_and_numbers() -> None:
    a, b = array("i", [1, 2, 3]), array("d", [0.5, 1.5, 2.5])
    assert_bytes(ao.map(a, lambda x, y: x * y, b, typecode="d"), "d", [0.5, 3.0, 7.5])
    assert_bytes(ao.map(a, max, b, typecode="d"), "d", [1, 2, 3])
    assert_bytes(ao.map(b, math.copysign, array("i", [-1, 1, -1])), "d", [-0.5, 1.5, -2.5])
    assert_bytes(ao.filter(a, lambda x, y: y > 1, b), "i", [2, 3])
    ao.map_inplace(a, lambda x, y: x + int(y), b)
    assert_bytes(a, "i", [1, 3, 5])


class Truth:
    """A predicate's result that decides by __bool__ or __len__."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __bool__(self) -> bool:
        if isinstance(self.value, Exception):
            raise self.value
        return bool(self.value)


VERDICTS: list[Any] = [
    1,
    0,
    "",
    "a",
    None,
    [],
    [0],
    0.0,
    -0.0,
    math.nan,
    1j,
    Truth(True),
    Truth(False),
    Truth(ValueError("no truth")),
    NotImplemented,
]


@pytest.mark.parametrize("verdict", VERDICTS, ids=[str(i) for i in range(len(VERDICTS))])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_truthiness_of_predicates(verdict: Any) -> None:
    data = array("h", [1, 2, 3])
    want = outcome(lambda: array("h", [x for x in data if (verdict if x == 2 else True)]))
    got = outcome(lambda: ao.filter(data, lambda x: verdict if x == 2 else True))
    assert_same(got, want)


class Special(Exception):
    """An exception of the user's own."""


@pytest.mark.parametrize(
    "error",
    [
        Special("mine"),
        StopIteration(3),
        KeyboardInterrupt(),
        SystemExit(3),
        GeneratorExit(),
        MemoryError("m"),
        RecursionError("r"),
        BufferError("b"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_exceptions_pass_through_untouched(error: BaseException) -> None:
    """The very object, with its traceback through the callable."""

    def function(x: Any, *more: Any) -> Any:
        if x == 3:
            raise error
        return x

    data = array("i", [1, 2, 3, 4])
    calls: list[Callable[[], Any]] = [
        lambda: ao.map(data, function),
        lambda: ao.map(data, function, out=array("i", data)),
        lambda: ao.map_inplace(array("i", data), function),
        lambda: ao.filter(data, function),
        lambda: ao.reduce(data, lambda acc, x: function(x)),
        lambda: ao.accumulate(data, lambda acc, x: function(x)),
    ]
    if isinstance(error, StopIteration):
        del calls[-1]  # for itertools.accumulate it is the end of the data
    for call in calls:
        with pytest.raises(type(error)) as caught:
            call()
        assert caught.value is error
        assert any(entry.name == "function" for entry in caught.traceback)


def test_called_once_per_element_in_order_and_not_after_an_exception() -> None:
    seen: list[int] = []

    def function(x: int) -> int:
        seen.append(x)
        return 10 // (x - 4)

    with pytest.raises(ZeroDivisionError):
        ao.map(array("i", range(10)), function)
    assert seen == [0, 1, 2, 3, 4]
    seen.clear()
    ao.map(array("i", range(5, 9)), function)
    assert seen == [5, 6, 7, 8]


RESIZES: list[Callable[[Any], Any]] = [
    lambda a: a.append(1), lambda a: a.pop(), lambda a: a.extend(array("i", [1, 2])), lambda a: a.insert(0, 1),
    lambda a: a.__delitem__(slice(None)), lambda a: a.__setitem__(slice(0, 1), array("i")),
    lambda a: a.__iadd__(a), lambda a: a.__imul__(2), lambda a: a.fromlist([1, 2, 3]),
    lambda a: a.frombytes(b"12345678"), lambda a: a.remove(1),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(RESIZES)))
def test_resize_inside_the_callable_is_a_buffer_error_there(number: int) -> None:
    resize = RESIZES[number]
    data = array("i", [1] * 50)
    caught: list[BaseException] = []

    def function(x: Any, *more: Any) -> Any:
        try:
            resize(data)
        except BufferError as error:
            caught.append(error)
        else:
            raise AssertionError("the array was resized during the call")
        return x

    ao.map(data, function)
    ao.map_inplace(data, function)
    ao.map(data, function, out=data)
    ao.filter(data, function)
    ao.reduce(data, lambda acc, x: function(x))
    ao.accumulate(data, lambda acc, x: function(x))
    ao.map(array("i", [1] * 50), lambda x, y: function(x), data)
    ao.map(array("i", [1] * 50), function, out=data)
    assert len(caught) == 50 * 6 + 49 * 2
    assert_bytes(data, "i", [1] * 50)
    with pytest.raises(BufferError):
        ao.map(data, lambda x: resize(data))
    data.append(2)
    assert len(data) == 51


def test_elements_written_by_the_callable_are_seen_as_in_a_loop() -> None:
    def writing(target: array[Any], x: int, index: itertools.count[int]) -> int:
        position = next(index) + 1
        if position < len(target):
            target[position] = x + 1
        return x

    data, model = array("i", [0] * 20), array("i", [0] * 20)
    count, model_count = itertools.count(), itertools.count()
    got = ao.map(data, lambda x: writing(data, x, count))
    want = array("i", [writing(model, x, model_count) for x in model])
    assert_same(got, want)
    assert_same(data, model)


def test_re_entrance() -> None:
    data = array("d", range(1, 30))

    def inner(x: float) -> Any:
        ao.map_inplace(array("d", [x] * 600), "x + 1")
        return (
            ao.sum(ao.map(data, "v * s", s=x))
            + ao.reduce(data, lambda acc, y: max(acc, y))
            + len(ao.filter(data, lambda v: v > x))
        )

    want = [sum(v * x for v in data) + max(data) + sum(v > x for v in data) for x in data]
    assert_bytes(ao.map(data, inner), "d", want)


def test_unbounded_recursion_is_a_recursion_error() -> None:
    data = array("i", [1])

    def function(x: int) -> Any:
        return ao.map(data, function)[0]

    with pytest.raises(RecursionError):
        ao.map(data, function)
    data.append(2)


def test_generator_function_results_are_refused_by_the_store() -> None:
    def generator(x: int) -> Any:
        yield x

    with pytest.raises(TypeError):
        ao.map(array("i", [1]), generator)
    assert_bytes(ao.filter(array("i", [1, 2]), generator), "i", [1, 2])


@pytest.mark.parametrize(
    "function",
    [lambda: 1, lambda x, y: x, lambda x, *, y: x, int.__add__, dict.fromkeys, pow],
    ids=[str(i) for i in range(6)],
)
def test_wrong_arity_is_pythons_type_error(function: Callable[..., Any]) -> None:
    data = array("i", [1, 2])
    assert_same(outcome(lambda: ao.map(data, function)), by_map(function, data, "i"))
    assert_bytes(ao.map(array("i"), function), "i", [])


@pytest.mark.parametrize(
    "thing", [None, 3, 2.5, [1], {}, object(), b"x + 1", bytearray(b"x")], ids=lambda thing: type(thing).__name__
)
def test_what_is_neither_text_nor_callable_is_a_type_error(thing: Any) -> None:
    for call in (ao.map, ao.map_inplace, ao.filter, ao.reduce):
        with pytest.raises(TypeError):
            call(array("i", [1, 2]), thing)


def test_callable_that_drops_the_last_reference_to_the_array() -> None:
    holder = [array("d", [1.0] * 50)]

    def function(x: float) -> float:
        if holder:
            holder.clear()
            gc.collect()
        return x + 1

    assert_bytes(ao.map(holder[0], function), "d", [2.0] * 50)


def test_callable_that_releases_its_memoryview_is_refused_there() -> None:
    view = memoryview(array("i", range(10)))

    def function(x: int) -> int:
        view.release()
        return x

    with pytest.raises(BufferError):
        ao.map(view, function)


def test_a_compiled_function_may_be_a_kernel() -> None:
    data = array("d", [1.0, 2.0])
    kernel = ao.compile(lambda x: x * 3)
    assert_bytes(kernel(data), "d", [3.0, 6.0])
    kernel.inplace(data)
    assert_bytes(data, "d", [3.0, 6.0])
    assert_bytes(ao.compile(lambda x: x > 3).filter(data), "d", [6.0])


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 1024, 5000])
def test_lengths(length: int) -> None:
    data = array("i", range(length))
    assert_bytes(ao.map(data, lambda x: x * 2), "i", [x * 2 for x in data])
    assert_bytes(ao.filter(data, lambda x: x % 3), "i", [x for x in data if x % 3])
    assert_same(
        ao.accumulate(data, lambda acc, x: (acc + x) % 1000),
        array("i", itertools.accumulate(data, lambda acc, x: (acc + x) % 1000)),
    )
