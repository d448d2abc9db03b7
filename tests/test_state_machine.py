"""A random history of everything that changes, keeps or reads arrays, against plain Python lists: after each step every
array has the model's elements, and what was refused has changed nothing (or what Python's loop had changed by then)."""

from __future__ import annotations

import io
import math
import pickle
import statistics
from array import array
from collections.abc import Callable
from functools import reduce
from typing import Any

import arrayops
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from oracle import FLOAT_CODES, TYPECODES, integer_range
from strategies import elements, typecodes

ao: Any = arrayops

#: Texts and the functions that say the same; all give a number of the argument's kind, or raise.
CHANGES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("x + 1", lambda x: x + 1),
    ("-x", lambda x: -x),
    ("x*x", lambda x: x * x),
    ("x if x > 3 else 3", lambda x: x if x > 3 else 3),
    ("100 // x", lambda x: 100 // x),
    ("x % 7", lambda x: x % 7),
    ("abs(x)", abs),
    ("max(x, 2)", lambda x: max(x, 2)),
)
KEEPS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("x > 2", lambda x: x > 2),
    ("x", lambda x: x),
    ("x % 2 == 1", lambda x: x % 2 == 1),
    ("10 // x > 1", lambda x: 10 // x > 1),
    ("x != x", lambda x: x != x),
)
changes, keeps = st.sampled_from(CHANGES), st.sampled_from(KEEPS)


def result_of(call: Callable[[], Any]) -> tuple[str, Any]:
    """What a call gives, comparable bit for bit: its value, or the type of its exception."""
    try:
        return "gives", bits(call())
    except Exception as error:
        return "raises", type(error)


def bits(value: Any) -> Any:
    """Something whose == means the same bits (of any nan for any other)."""
    if isinstance(value, array):
        return value.typecode, bits(value.tolist())
    if isinstance(value, (list, tuple)):
        return [bits(v) for v in value]
    return repr(value) if isinstance(value, float) else value


class Model:
    """An array, the list that it must equal, and how many things hold its buffer."""

    def __init__(self, code: str, values: list[Any]) -> None:
        self.real = array(code, values)
        self.values = self.real.tolist()
        self.held = 0

    @property
    def code(self) -> str:
        return self.real.typecode

    def store(self, i: int, value: Any) -> type[Exception] | None:
        """array[i] = value."""
        other = array(self.code, self.values)
        try:
            other[i] = value
        except Exception as error:
            return type(error)
        finally:
            self.values = other.tolist()
        return None


def each(model: Model, f: Callable[[Any], Any]) -> type[Exception] | None:
    """What ``for i, x in enumerate(a): a[i] = f(x)`` does."""
    other = array(model.code, model.values)
    try:
        for i, x in enumerate(model.values):
            other[i] = f(x)
    except Exception as error:
        return type(error)
    finally:
        model.values = other.tolist()
    return None


def ordered(values: list[Any]) -> bool:
    """Whether sorting them is defined by their order alone: nans are not, and zeros of two signs are equal."""
    return all(x == x for x in values)


class History(RuleBasedStateMachine):
    """Rules are what a program may do next; bundles are what it has."""

    arrays = Bundle("arrays")
    views = Bundle("views")
    statistics_ = Bundle("statistics_")

    def __init__(self) -> None:
        super().__init__()
        self.models: list[Model] = []

    def added(self, code: str, values: list[Any]) -> Model:
        self.models.append(Model(code, values))
        return self.models[-1]

    @rule(target=arrays, code=typecodes, data=st.data())
    def make(self, code: str, data: st.DataObject) -> Model:
        small = st.integers(0, 9) if code not in FLOAT_CODES else st.sampled_from([0.0, 1.5, -2.0, 7.0])
        return self.added(code, data.draw(st.lists(st.one_of(elements(code), small), max_size=40)))

    # -- new arrays ------------------------------------------------------------------------------------------------

    @rule(target=arrays, model=arrays, change=changes, as_text=st.booleans())
    def map(self, model: Model, change: Any, as_text: bool) -> Any:
        text, function = change
        want = result_of(lambda: array(model.code, [function(x) for x in model.values]))
        got = result_of(lambda: ao.map(model.real, text if as_text else function))
        assert got == want
        if want[0] == "raises":
            return multiple()
        return self.added(model.code, array(model.code, map(function, model.values)).tolist())

    @rule(target=arrays, model=arrays, keep=keeps, as_text=st.booleans())
    def filter(self, model: Model, keep: Any, as_text: bool) -> Any:
        text, function = keep
        want = result_of(lambda: array(model.code, [x for x in model.values if function(x)]))
        assert result_of(lambda: ao.filter(model.real, text if as_text else function)) == want
        return self.added(model.code, [x for x in model.values if function(x)]) if want[0] == "gives" else multiple()

    @rule(model=arrays)
    def unique(self, model: Model) -> None:
        if ordered(model.values) and 0.0 not in model.values:
            assert ao.unique(model.real).tolist() == sorted(set(model.values))

    @rule(model=arrays, change=changes, keep=keeps)
    def pipeline(self, model: Model, change: Any, keep: Any) -> None:
        def values() -> list[Any]:
            return [y for y in (change[1](x) for x in model.values) if keep[1](y)]

        pipe = ao.lazy(model.real).map(change[0]).filter(keep[0])
        assert result_of(lambda: list(pipe)) == result_of(values)
        assert result_of(pipe.count) == result_of(lambda: len(values()))
        integral = model.code not in FLOAT_CODES
        if integral:
            assert result_of(pipe.sum) == result_of(lambda: sum(values()))
        assert result_of(lambda: pipe.collect(model.code)) == result_of(lambda: array(model.code, values()))
        assert result_of(lambda: pipe.to(io.BytesIO(), typecode=model.code))[0] == result_of(
            lambda: array(model.code, values()))[0]  # fmt: skip

    @rule(model=arrays, start=st.integers(-50, 50), stop=st.integers(-50, 50), step=st.sampled_from([1, 2, -1, 3, -5]))
    def slice(self, model: Model, start: int, stop: int, step: int) -> None:
        want = model.values[start:stop:step]
        piece = ao.slice(model.real, start, stop, step)
        assert bits(piece.tolist()) == bits(want)
        assert bits(ao.map(piece, "x").tolist()) == bits(want)
        piece.release()
        with memoryview(model.real) as whole:
            assert bits(ao.filter(whole[::-1], "x == x").tolist()) == bits([x for x in model.values[::-1] if x == x])

    # -- in place --------------------------------------------------------------------------------------------------

    @rule(model=arrays, change=changes, as_text=st.booleans())
    def map_inplace(self, model: Model, change: Any, as_text: bool) -> None:
        text, function = change
        got = result_of(lambda: ao.map_inplace(model.real, text if as_text else function))
        want = each(model, function)
        assert got == (("raises", want) if want else ("gives", None))

    @rule(model=arrays, factor=st.sampled_from([0, 1, 2, -1, 3, 1.5]))
    def scale(self, model: Model, factor: Any) -> None:
        got = result_of(lambda: ao.scale(model.real, factor))
        refused = factor == 1.5 and model.code not in FLOAT_CODES  # even if there is no element
        want = TypeError if refused else each(model, lambda x: x * factor)
        assert got == (("raises", want) if want else ("gives", None))

    @rule(model=arrays, low=st.integers(0, 5), size=st.integers(0, 60))
    def clip(self, model: Model, low: int, size: int) -> None:
        got = result_of(lambda: ao.clip(model.real, low, low + size))
        want = each(model, lambda x: low if x < low else low + size if x > low + size else x)
        assert got == (("raises", want) if want else ("gives", None))

    @rule(model=arrays)
    def reverse(self, model: Model) -> None:
        ao.reverse(model.real)
        model.values.reverse()

    @rule(model=arrays)
    def sort(self, model: Model) -> None:
        if ordered(model.values):
            ao.sort(model.real)
            assert model.real.tolist() == sorted(model.values)
            assert sorted(map(repr, model.real)) == sorted(map(repr, model.values))
            model.values = model.real.tolist()  # zeros of both signs may come in either order

    # -- views and sizes -------------------------------------------------------------------------------------------

    @rule(target=views, model=arrays)
    def view(self, model: Model) -> Any:
        held = ao.view(model.real, model.code)
        model.held += 1
        return held, model

    @rule(pair=views, data=st.data())
    def store(self, pair: Any, data: st.DataObject) -> None:
        view, model = pair
        if not model.values:
            return
        i = data.draw(st.integers(-len(model.values), len(model.values) - 1))
        value = data.draw(st.one_of(elements(model.code), st.sampled_from([1.5, 300, -1, 2**70, "x"])))
        want = model.store(i, value)
        assert result_of(lambda: view.__setitem__(i, value)) == (("raises", want) if want else ("gives", None))

    @rule(pair=views, start=st.integers(0, 9), step=st.sampled_from([1, 2, -1]))
    def read_view(self, pair: Any, start: int, step: int) -> None:
        view, model = pair
        piece = view[start::step]
        assert bits(piece.tolist()) == bits(model.values[start::step]) == bits(ao.map(piece, "x").tolist())
        piece.release()
        assert bits(list(view)) == bits(model.values)

    @rule(pair=consumes(views))
    def release(self, pair: Any) -> None:
        view, model = pair
        view.release()
        view.release()
        model.held -= 1
        assert result_of(lambda: view[0:1]) == ("raises", ValueError)

    @rule(model=arrays, data=st.data())
    def resize(self, model: Model, data: st.DataObject) -> None:
        added = data.draw(st.lists(elements(model.code), min_size=1, max_size=5))
        how = data.draw(st.sampled_from(["append", "extend", "pop"]))

        def change(target: Any) -> None:
            if how == "append":
                target.append(added[0])
            elif how == "extend":
                target.extend(array(model.code, added))
            else:
                target.pop()

        got = result_of(lambda: change(model.real))
        if model.held and not (how == "pop" and not model.values):
            assert got == ("raises", BufferError)
        else:
            other = array(model.code, model.values)
            assert got == result_of(lambda: change(other))
            model.values = other.tolist()

    # -- numbers ---------------------------------------------------------------------------------------------------

    @rule(model=arrays)
    def reduce(self, model: Model) -> None:
        values = model.values
        assert result_of(lambda: ao.reduce(model.real, "acc*3 + x", 1)) == result_of(
            lambda: reduce(lambda acc, x: acc * 3 + x, values, 1))  # fmt: skip
        assert result_of(lambda: ao.min(model.real)) == result_of(lambda: min(values))
        assert result_of(lambda: ao.max(model.real)) == result_of(lambda: max(values))
        total = (lambda: math.fsum(values)) if model.code in FLOAT_CODES else (lambda: sum(values))
        assert result_of(lambda: ao.sum(model.real)) == result_of(total)
        assert ao.count(model.real) == sum(map(bool, values)) and ao.any(model.real) == any(values)

    @rule(target=statistics_, model=arrays)
    def count_up(self, model: Model) -> Any:
        return [ao.RunningStats(model.real), list(model.values), model.code in FLOAT_CODES if model.values else None]

    @rule(pair=statistics_, model=arrays)
    def update(self, pair: Any, model: Model) -> None:
        floats = model.code in FLOAT_CODES
        if model.values and pair[2] not in (None, floats):
            assert result_of(lambda: pair[0].update(model.real)) == ("raises", TypeError)
            return
        pair[0].update(model.real)
        pair[1] += model.values
        pair[2] = floats if pair[1] and pair[2] is None else pair[2]

    @rule(pair=statistics_, other=statistics_)
    def merge(self, pair: Any, other: Any) -> None:
        if None not in (pair[2], other[2]) and pair[2] != other[2]:
            assert result_of(lambda: pair[0].merge(other[0])) == ("raises", TypeError)
            return
        pair[0].merge(other[0])
        pair[1] += list(other[1])
        pair[2] = other[2] if pair[2] is None else pair[2]

    @rule(pair=statistics_)
    def figures(self, pair: Any) -> None:
        running, values, floats = pair
        again = pickle.loads(pickle.dumps(running))
        assert again == running and again.count == running.count == len(values)
        if not values:
            assert result_of(lambda: running.mean) == ("raises", statistics.StatisticsError)
        elif not floats:
            assert running.sum == sum(values) and running.max == max(values)
            assert running.var == float(statistics.pvariance(values))
        elif all(map(math.isfinite, values)):
            assert running.min == min(values) and running.max == max(values)

    # -- always ----------------------------------------------------------------------------------------------------

    @invariant()
    def arrays_equal_the_model(self) -> None:
        for model in self.models:
            assert bits(model.real.tolist()) == bits(model.values)


def test_every_typecode_is_drawn() -> None:
    """The strategy's typecodes are those of the model, with their ranges."""
    assert set(TYPECODES) == set("bBhHiIlLqQfd") and integer_range("B") == (0, 255)


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
