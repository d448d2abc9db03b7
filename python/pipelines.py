"""Pipelines: stages over a buffer or a stream of buffers, fused into one program and run in one pass.

The meaning of ``lazy(src).map(f).filter(p).map(g)`` is Python's generator

    (g(y) for y in (f(x) for x in src) if p(y))

with numbers as Python has them between the stages. Neighbouring stages that can be compiled become one IR, whose value
goes through a mask to whatever collects or adds it up; a callable that cannot be compiled is called once per element,
chunk by chunk, and the stages around it stay compiled. An exception comes where the generator would raise it.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import math
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _machine, functions
from .common import MISSING, native
from .compiler.ir import IR, Builder, TooManyNodes, identity, show
from .exchange import _is_arrow, given_as, pieces, taken
from .moments import (
    COUNT,
    EXTREMES,
    SQUARES,
    SUMS,
    Gathered,
    Stats,
    extremes,
    gather,
    joined,
    rounded_sum,
    summary,
    together,
)
from .plans import MACHINE_TYPES, Plan, pipe_plan, types_of

if TYPE_CHECKING:
    from .api import Function
    from .kernel import Kernel

#: Elements that go together through the stages around a callable; so far it may be called ahead of a stage that raises.
CHUNK = 8192
_EMPTY = Gathered(0, 0, 0, None, None, 0, 0, 0)


class Stage(NamedTuple):
    """One map or filter, with the numbers bound to its names."""

    keeps: bool  # a filter
    kernel: Kernel
    numbers: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Called:
    """A stage whose callable is called for each element."""

    keeps: bool
    python: Callable[[Any], Any]

    def chunk(self, arr: Any) -> Iterator[list[Any]]:
        """The results for a chunk: two parts if one raises, what comes before it first."""
        values = _iterated(arr)
        if self.keeps:
            return _until_error(x for x in values if self.python(x))
        return _until_error(self.python(x) for x in values)


class _Compiled:
    """Neighbouring stages as one IR of one parameter, with Python's meaning of them for one element."""

    def __init__(self, ieee: bool) -> None:
        self.ieee = ieee
        self.build = Builder()
        self.value = self.build.add("param", value=0)
        self.keep: int | None = None
        self.steps: list[tuple[bool, Callable[[Any], Any]]] = []
        self.plans: dict[Any, Plan] = {}

    def add(self, keeps: bool, ir: IR, known: dict[int, Any], python: Callable[[Any], Any]) -> None:
        """Appends a stage: its IR with parameters known but one. Raises TooManyNodes."""
        build, new = self.build, list[int]()
        for node in ir.nodes:
            if node.op == "param":
                new.append(build.const(known[node.value]) if node.value in known else self.value)
            else:
                new.append(build.add(node.op, *(new[i] for i in node.args), value=node.value))
        # the stage before is evaluated, with its exceptions, even if nobody looks at its value
        result = new[ir.root] if new[ir.root] == self.value else build.add("seq", self.value, new[ir.root])
        if keeps:
            self.keep = result if self.keep is None else build.logical_and(self.keep, result)
        else:
            self.value = result
        self.steps.append((keeps, python))

    def element(self, x: Any) -> Any:
        """The value for one element by Python, or MISSING if a filter leaves it out."""
        for keeps, python in self.steps:
            if not keeps:
                x = python(x)
            elif not python(x):
                return _machine.MISSING
        return x

    def elements(self, arr: Any) -> Iterator[Any]:
        """The values by Python, one by one."""
        for x in _iterated(arr):
            value = self.element(x)
            if value is not _machine.MISSING:
                yield value

    def plan(self, arr: Any, wanted: str | None) -> Plan:
        key = (types_of((arr,)), wanted)
        if key not in self.plans:
            self.plans[key] = pipe_plan(self.build.done(self.value, ("x",)), self.keep, self.ieee, key[0], wanted)
        return self.plans[key]

    def run(self, arr: Any, wanted: str | None, what: int) -> Any:
        """What _machine.run_pipe gives for a buffer; None if Python must do it."""
        plan = self.plan(arr, wanted)
        if plan.program is None:
            return None
        return _machine.run_pipe(plan.program, (arr,), self.element, 1, plan.typecode, what), plan

    def chunk(self, arr: Any) -> Iterator[Any]:
        """The values for a chunk, as something to iterate over: two parts if one raises, what comes before it first."""
        try:
            found = None if isinstance(arr, list) else self.run(arr, None, 0)
        except Exception:
            found = None  # element by element, up to the one that raises
        if found is not None:
            values, plan = found
            yield list(map(bool, values)) if plan.kind == "b" else values
            return
        yield from _until_error(self.elements(arr))


def _until_error(values: Iterator[Any]) -> Iterator[list[Any]]:
    """All values; if one raises, those before it, and then its exception."""
    done: list[Any] = []
    try:
        for value in values:
            done.append(value)
    except Exception:
        yield done
        raise
    yield done


def _packed(values: Any) -> Any:
    """The values of a chunk as an array, if they are all floats or all ints of 64 bits; else as they are."""
    if not isinstance(values, list):
        return values
    kinds = set(map(type, values))
    try:
        if kinds == {float}:
            return array("d", values)
        if kinds == {int}:
            return array("q", values)
    except OverflowError:
        pass
    return values


class Pipeline:
    """Stages over a source, run when a result is asked for: made by :func:`arrayops.lazy`.

    map and filter give a new pipeline; collect, to, sum, mean, min, max, count, stats, reduce and iteration run it.
    Numbers between the stages are Python's, so ints do not overflow and floats may follow ints; only the result is
    stored. A callable that cannot be compiled is called for each element, a few thousand elements ahead at most of a
    stage that raises. Pipelines are immutable; they pickle if their source and callables do.

    >>> import arrayops as ao
    >>> from array import array
    >>> p = ao.lazy(array("i", [1, 2, 3, 4])).map("x*x").filter(lambda x: x > 3)
    >>> p.collect(), p.sum(), p.count()
    (array('i', [4, 9, 16]), 29, 3)
    >>> p
    <arrayops.Pipeline .map('x * x').filter('x > 3') over array('i') of 4 elements>
    """

    __slots__ = ("_ieee", "_known", "_source", "_stages")

    def __init__(self, source: Any, stages: tuple[Stage, ...] = (), ieee: bool = False) -> None:
        self._source, self._stages, self._ieee = source, stages, ieee
        #: What the segments were made of, the segments, and what keeps the objects alive that the first names.
        self._known: tuple[Any, list[_Compiled | _Called], Any] | None = None

    # -- building ----------------------------------------------------------------------------------------------------

    def map(self, f: Function, /, **names: Any) -> Pipeline:
        """With f of each element: a text of one free name (numbers for the others by keyword), a callable, a Kernel."""
        return self._with(False, f, names)

    def filter(self, pred: Function, /, **names: Any) -> Pipeline:
        """With the elements for which pred is true. pred is as f of :meth:`map`."""
        return self._with(True, pred, names)

    def _with(self, keeps: bool, f: Function, names: dict[str, Any]) -> Pipeline:
        from .api import _kernel
        from .kernel import _number  # here, because importing it imports this module

        kernel = _kernel(f, names, self._ieee, True)
        numbers = {name: _number(value, repr(name)) for name, value in names.items()}
        for name, value in numbers.items():
            if not isinstance(value, (int, float)):
                raise TypeError(f"{name!r} must be a number in a pipeline, not {type(value).__name__}")
        if kernel._plans is None:
            if names:
                raise TypeError(f"{kernel._name} is a callable: named values go with a text only")
        else:
            kernel._bind((0,), numbers)  # exactly one name is left, or a TypeError that says so
        return Pipeline(self._source, (*self._stages, Stage(keeps, kernel, numbers)), self._ieee)

    # -- what it is --------------------------------------------------------------------------------------------------

    def source(self) -> Any:
        """What the pipeline reads."""
        return self._source

    def __repr__(self) -> str:
        stages = "".join(f".{'filter' if s.keeps else 'map'}({_shown(s)})" for s in self._stages)
        return f"<arrayops.Pipeline {stages or 'of no stages'} over {_described(self._source)}>"

    def _repr_html_(self) -> str:
        from .describe import pipeline_html

        return pipeline_html(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restored, (self._source, tuple((s.keeps, s.kernel, s.numbers) for s in self._stages), self._ieee))

    def explain(self) -> str:
        """What is compiled and what is called, with the bytecode for the source's type where that is known."""
        from .describe import explain_pipeline

        return explain_pipeline(self)

    # -- running -----------------------------------------------------------------------------------------------------

    def _segments(self) -> list[_Compiled | _Called]:
        """Stages joined where they can be: numbers that functions capture are read now."""
        meanings = [_meaning(stage, self._ieee) for stage in self._stages]
        key = [m and (id(m[0]), [(i, identity(x)) for i, x in m[1].items()]) for m in meanings]
        known = self._known
        if known is None or known[0] != key:
            known = self._known = (key, self._joined(meanings), meanings)
        return known[1]

    def _joined(self, meanings: list[tuple[IR, dict[int, Any]] | None]) -> list[_Compiled | _Called]:
        segments: list[_Compiled | _Called] = []
        for stage, meaning in zip(self._stages, meanings, strict=True):
            python = _python(stage)
            if meaning is None:
                segments.append(_Called(stage.keeps, python))
                continue
            last = segments[-1] if segments else None
            if isinstance(last, _Compiled):
                try:
                    last.add(stage.keeps, *meaning, python)
                    continue
                except TooManyNodes:
                    pass
            fresh = _Compiled(self._ieee)
            fresh.add(stage.keeps, *meaning, python)
            segments.append(fresh)
        return segments or [_Compiled(self._ieee)]

    def _buffers(self) -> Iterator[Any]:
        """The source's buffers; a stream's must all have one typecode."""
        first = None
        for index, arr in enumerate(pieces(self._source)):
            code = _machine.buffer_info(arr)[0]
            if first is not None and code != first:
                raise TypeError(f"buffer {index} of the stream has typecode {code!r}, those before it have {first!r}")
            first = code
            yield arr

    def _chunks(self, segments: list[_Compiled | _Called]) -> Iterator[Any]:
        """The values after these segments, chunk by chunk: arrays or lists."""
        if not segments:
            for arr in self._buffers():
                with memoryview(arr) as whole:  # held, so that nobody resizes it between chunks
                    for start in range(0, len(whole), CHUNK):
                        yield whole[start : start + CHUNK]
            return
        last = segments[-1]
        for values in self._chunks(segments[:-1]):
            yield from map(_packed, last.chunk(values))

    def _last(self) -> tuple[_Compiled | None, Iterator[Any]]:
        """The last compiled segment, to be run into a result, and the buffers or chunks that it takes."""
        segments = self._segments()
        last = segments[-1]
        if len(segments) == 1 and isinstance(last, _Compiled):
            return last, self._buffers()
        if isinstance(last, _Compiled):
            return last, self._chunks(segments[:-1])
        return None, self._chunks(segments)

    def _gathered(self, wanted: int) -> tuple[Gathered, bool | None]:
        """What all values give, and whether they are floats: None if there are none."""
        last, parts = self._last()
        total, floats = _EMPTY, None
        for part in parts:
            for found, of_floats in _gathered_part(last, part, wanted):
                if found.count and floats is not None and of_floats != floats:
                    total, found = (g if f else _as_floats(g) for g, f in ((total, floats), (found, of_floats)))
                    of_floats = True
                floats = of_floats if found.count or floats is None else floats
                total = joined(total, found)
        return total, floats

    def sum(self) -> int | float:
        """The sum of the values: an exact int, or the correctly rounded float; 0 if there are none.

        Raises ValueError for inf and -inf together and OverflowError for a sum too large for a float.
        """
        return self._total()[0]

    def mean(self) -> float:
        """The arithmetic mean of the values: their :meth:`sum`, which may raise, by their number.

        Raises StatisticsError if there are none.
        """
        total, number = self._total()
        if not number:
            raise _no_values("mean")
        return float(total) / number

    def _total(self) -> tuple[int | float, int]:
        """The sum of the values and their number."""
        g, floats = self._gathered(SUMS)
        if g.positive and g.negative:
            raise ValueError("-inf + inf in sum()")
        total = rounded_sum(g, bool(floats))
        if g.special is None and isinstance(total, float) and math.isinf(total):
            raise OverflowError("the sum is too large for a float")
        return total, g.count

    def min(self) -> int | float:
        """The smallest value, as ``min()`` finds it. Raises ValueError if there are none."""
        return self._extreme(0, "min")

    def max(self) -> int | float:
        """The largest value, as ``max()`` finds it. Raises ValueError if there are none."""
        return self._extreme(1, "max")

    def _extreme(self, which: int, name: str) -> int | float:
        g, _ = self._gathered(EXTREMES)
        if not g.count:
            raise ValueError(f"{name}() of a pipeline without values")
        found: int | float = extremes(g)[which]
        return found

    def count(self) -> int:
        """The number of values."""
        return self._gathered(COUNT)[0].count

    def stats(self) -> Stats:
        """Count, sum, mean, min, max, variance and standard deviation: see :func:`arrayops.stats`."""
        g, floats = self._gathered(SUMS | SQUARES | EXTREMES)
        if not g.count:
            raise _no_values("stats")
        return summary(g, bool(floats))

    def reduce(self, f: Function, /, initial: Any = MISSING, **names: Any) -> Any:
        """The left fold of the values, ``functools.reduce(f, values, initial)``: see :func:`arrayops.reduce`."""
        from .api import _kernel

        kernel = _kernel(f, names, self._ieee, True, ("acc", "x"))
        acc = initial
        for values in self._chunks(self._segments()):
            if isinstance(values, list) or type(acc) not in (int, float, bool, type(MISSING)):
                step = functools.partial(_fold_step, kernel, names)
                given = () if acc is MISSING else (acc,)
                acc = functools.reduce(step, _iterated(values), *given) if given or len(values) else acc
            elif len(values):
                acc = kernel.reduce(values, **names) if acc is MISSING else kernel.reduce(values, acc, **names)
        if acc is MISSING:
            raise TypeError("reduce() of empty iterable with no initial value")
        return acc

    def collect(self, typecode: str | None = None) -> Any:
        """The values in a new array: ``array(typecode, values)``; by default with the source's typecode, or ``'d'`` if
        the stream is empty. It is of the source's kind, as for :func:`arrayops.map`. Raises what array does for a value
        that does not fit."""
        pieces = self._collected(typecode)
        result = next(pieces, None)
        for piece in pieces:
            if result:
                result += piece
            else:
                result = piece
        return given_as(self._source, array(typecode or "d") if result is None else result)

    def _collected(self, typecode: str | None) -> Iterator[array[Any]]:
        """The values as arrays, piece by piece."""
        if typecode is not None and typecode not in MACHINE_TYPES:
            raise ValueError(f"bad typecode {typecode!r}: must be one of b, B, h, H, i, I, l, L, q, Q, f or d")
        if typecode is None:
            buffers = iter(pieces(self._source))
            head = list(itertools.islice(buffers, 1))
            typecode = _machine.buffer_info(head[0])[0] if head else "d"
            yield array(typecode)  # of that typecode even if no value follows
            yield from Pipeline(itertools.chain(head, buffers), self._stages, self._ieee)._collected(typecode)
            return
        last, parts = self._last()
        for part in parts:
            found = None if last is None or isinstance(part, list) else last.run(part, typecode, 0)
            if found is not None:
                yield found[0]
                continue
            # an iterator: each value is stored before the next is computed
            values = iter(_iterated(part)) if last is None else last.elements(part)
            try:
                yield array(typecode, values)
            except TypeError as error:
                if "float" not in str(error):
                    raise
                raise TypeError(f"the pipeline gives floats, which a {typecode!r} array cannot hold; pass typecode='d'"
                                ) from None  # fmt: skip

    def to(self, out: Any, typecode: str | None = None) -> int:
        """Writes the values to a writable buffer, from its front, or to a binary file as raw numbers; returns how many.

        A file (anything with a write method) gets numbers of this typecode, by default the source's, piece by piece.
        Raises ValueError for a buffer too small for them; those that fit are written then.
        """
        if hasattr(out, "write"):
            number = 0
            for piece in self._collected(typecode):
                _write(out, memoryview(piece).cast("B") if len(piece) else memoryview(b""))
                number += len(piece)
            return number
        code, _, room, _ = _machine.buffer_info(out)
        target, at = memoryview(out), 0
        if target.readonly:
            raise TypeError(f"cannot write the result: this {type(out).__name__} is read-only")
        from .api import map as copy

        pieces: Iterable[array[Any]] = self._collected(code)
        if any(isinstance(segment, _Called) for segment in self._segments()):
            pieces = list(pieces)  # out may share memory with the source, of which every chunk must be read first
        for piece in pieces:
            fits = builtins.min(len(piece), room - at)
            if fits:
                copy(memoryview(piece)[:fits], "x", out=target[at : at + fits])
            at += fits
            if fits < len(piece):
                raise ValueError(f"out has room for {room} elements, there are more values")
        return at

    def __iter__(self) -> Iterator[Any]:
        """The values one by one, as Python numbers."""
        for values in self._chunks(self._segments()):
            yield from _iterated(values)


def lazy(src: Any, *, ieee: bool = False) -> Pipeline:
    """A pipeline over a buffer or an iterable of buffers (a stream): stages now, one pass when a result is asked for.

    A stream's buffers must have one typecode; they are read one at a time, so memory stays bounded, and results equal
    those on all of them together. ieee is as in :func:`map`, for all stages that are texts or functions.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.lazy(array("d", [0.5, 1.5, 2.5])).map("x*x").filter("x > limit", limit=1).sum()
    8.5
    >>> ao.lazy(array("h", [n, n + 1]) for n in range(3)).map("x * 0.5").stats().mean
    0.75
    """
    if not _is_buffer(src) and not _is_arrow(src) and not isinstance(src, Iterable):
        raise TypeError(f"lazy() needs a buffer or an iterable of buffers, not {type(src).__name__}")
    return Pipeline(src, (), bool(ieee))


def lazy_array(arr: Any) -> Pipeline:
    """A pipeline over one buffer: :func:`lazy` by the name that it has in arrayops 1.0 (Rust).

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.lazy_array(array("i", [1, 2, 3])).map(lambda x: x * 2).collect()
    array('i', [2, 4, 6])
    """
    _machine.buffer_info(taken(arr))
    return lazy(arr)


# -- stages ----------------------------------------------------------------------------------------------------------


def _meaning(stage: Stage, ieee: bool) -> tuple[IR, dict[int, Any]] | None:
    """A stage's IR and the values of its parameters but one; None if it is to be called."""
    kernel = stage.kernel
    if kernel._ieee != ieee:
        return None
    if kernel._plans is not None:
        ir = kernel._plans.ir
        return ir, {i: stage.numbers[name] for i, name in enumerate(ir.params) if name in stage.numbers}
    if not kernel._decoding:
        return None
    translation, captured = functions.translate(kernel._function, 1)
    if translation.plans is None:
        return None
    ir = translation.plans.ir
    return ir, dict(enumerate(captured, len(ir.params) - len(captured)))


def _python(stage: Stage) -> Callable[[Any], Any]:
    """A stage's meaning for one element."""
    kernel = stage.kernel
    if kernel._plans is None:
        assert kernel._function is not None
        if not kernel._ieee:
            return kernel._function
        translation, captured = functions.translate(kernel._function, 1)
        assert translation.plans is not None
        evaluator = translation.plans.with_ieee.evaluator
        return lambda x: evaluator(x, *captured)
    evaluator, params = kernel._plans.evaluator, kernel._plans.ir.params
    if len(params) == 1:
        return evaluator
    place = next(i for i, name in enumerate(params) if name not in stage.numbers)
    values = [stage.numbers.get(name) for name in params]
    return lambda x: evaluator(*values[:place], x, *values[place + 1 :])


def _write(file: Any, data: memoryview) -> None:
    """Writes every byte: a raw file may take only a part at a time."""
    written = file.write(data)
    while isinstance(written, int) and 0 < written < len(data):
        data = data[written:]
        written = file.write(data)


def _fold_step(kernel: Kernel, names: dict[str, Any], acc: Any, x: Any) -> Any:
    if kernel._plans is None:
        assert kernel._function is not None
        return kernel._function(acc, x)
    return kernel._plans.evaluator(*kernel._bind((acc, x), names)[0])


# -- values ----------------------------------------------------------------------------------------------------------


def _is_buffer(source: Any) -> bool:
    try:
        memoryview(source).release()
        return True
    except TypeError:
        return False


def _no_values(name: str) -> Exception:
    from statistics import StatisticsError

    return StatisticsError(f"{name}() of a pipeline without values")


def _iterated(values: Any) -> Iterable[Any]:
    """The values of a chunk as Python numbers."""
    return values if isinstance(values, list) else native(values)


def _gathered_part(last: _Compiled | None, part: Any, wanted: int) -> Iterator[tuple[Gathered, bool]]:
    """What the values of one buffer or chunk give: of floats and of ints, if there are both."""
    if last is not None and not isinstance(part, list):
        found = last.run(part, None, wanted)
        if found is not None:
            (parts, large), plan = found
            g = together(parts)
            if plan.kind == "b" and g.low is not None:
                g = g._replace(low=bool(g.low), high=bool(g.high))
            yield g, plan.kind == "f"
            yield from _of_numbers(large)
            return
    if last is None and not isinstance(part, list):
        yield gather(part, wanted), _machine.buffer_info(part)[0] in "fd"
        return
    yield from _of_numbers(_iterated(part) if last is None else last.elements(part))


def _of_numbers(values: Iterable[Any]) -> Iterator[tuple[Gathered, bool]]:
    """What Python numbers of any size and kind give, in runs of one kind."""
    for kind, run in itertools.groupby(values, lambda v: float if isinstance(v, float) else int):
        numbers = list(run)
        if kind is float:
            yield gather(array("d", numbers), SUMS | SQUARES | EXTREMES), True
            continue
        for v in numbers:
            if not isinstance(v, int):
                raise TypeError(f"a pipeline's values must be numbers to be added up, not {type(v).__name__}")
        yield Gathered(len(numbers), builtins.sum(numbers), builtins.sum(v * v for v in numbers), builtins.min(numbers),
                       builtins.max(numbers), 0, 0, 0), False  # fmt: skip


def _as_floats(g: Gathered) -> Gathered:
    """Sums of ints in the units of sums of floats."""
    return g._replace(sum=g.sum << 1074, squares=g.squares << 2148)


def _shown(stage: Stage) -> str:
    given = "".join(f", {name}={value!r}" for name, value in stage.numbers.items())
    meaning = _meaning(stage, stage.kernel._ieee)
    name = repr(stage.kernel._text) if stage.kernel._text else repr(show(meaning[0])) if meaning else stage.kernel._name
    return name + given


def _described(source: Any) -> str:
    if not _is_buffer(source):
        return f"{type(source).__name__} of buffers"
    code, _, count, _ = _machine.buffer_info(source)
    return f"{type(source).__name__}({code!r}) of {count} elements"


def _restored(source: Any, stages: Any, ieee: Any) -> Pipeline:
    """From a pickle, which may come from anywhere."""
    from .kernel import Kernel

    result = Pipeline(source, (), bool(ieee))
    try:
        for keeps, kernel, numbers in stages:
            if type(keeps) is not bool or not isinstance(kernel, Kernel) or type(numbers) is not dict:
                raise ValueError
            result = result._with(keeps, kernel, numbers)
    except (ValueError, TypeError):
        raise ValueError("this pickle of a Pipeline is damaged") from None
    return result
