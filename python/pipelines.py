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
from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import _machine
from .compiler.ir import identity
from .engine.arguments import checked_typecode
from .engine.common import MISSING, Later, also_named, held, new_values, sliceable, write_all
from .engine.exchange import given_as, in_one_buffer, is_array, pieces, taken
from .engine.figures import COUNT, EXTREMES, SQUARES, SUMS, Gathered, extremes, fsum
from .engine.folds import is_carried
from .engine.kernel import Function, Kernel, fold_kernel, fold_step, stored, text_kernel, with_names
from .engine.missing import check_nulls
from .engine.passes import gathered, iterated
from .engine.plans import PIPED
from .engine.segments import (
    CHUNK,
    VERBS,
    Called,
    Compiled,
    Segment,
    Stage,
    While,
    beside,
    packed,
    segments_of,
    stage_of,
    together,
)
from .statistics import Stats, summary

if TYPE_CHECKING:
    from .engine import notebook
    from .engine.kinds import Array
else:
    notebook = Later("engine.notebook")


class Pipeline:
    """Stages over a source, run when a result is asked for: made by :func:`arrayops.lazy`.

    map, filter, takewhile and dropwhile give a new pipeline; collect, to, sum, mean, min, max, count, stats, reduce and
    iteration run it. Numbers between the stages are Python's, so ints do not overflow and floats may follow ints; only
    the result is stored. A callable that cannot be compiled is called for each element, a few thousand elements ahead
    at most of a stage that raises. Pipelines are immutable; they pickle if their source and callables do.

    >>> import arrayops as ao
    >>> from array import array
    >>> p = ao.lazy(array("i", [1, 2, 3, 4])).map("x*x").filter(lambda x: x > 3)
    >>> p.collect(), p.sum(), p.count()
    (array('i', [4, 9, 16]), 29, 3)
    >>> p
    <arrayops.Pipeline .map('x*x').filter('x > 3') over array('i') of 4 elements>
    """

    __slots__ = ("_ieee", "_known", "_nulls", "_source", "_stages")

    def __init__(self, source: Any, stages: tuple[Stage, ...] = (), ieee: bool = False, nulls: Any = None) -> None:
        self._source, self._stages, self._ieee, self._nulls = source, stages, ieee, nulls
        #: What the segments were made of, the segments, and what keeps the objects alive that the first names.
        self._known: tuple[Any, list[Segment], Any] | None = None

    # -- building ----------------------------------------------------------------------------------------------------

    @also_named("self", "fn")
    def map(self, f: Function, /, *, strict: bool = False, names: Any = None,
            **named: Any) -> Pipeline:  # fmt: skip
        """With f of each element: a text of one free name, a callable, a Kernel. Numbers for the other names of a text
        are given by keyword, or looked up in the mapping names; also arrays, whose elements go with those of the
        source, behind filters, too. Beside a stream that is a stream cut as it is. Raises ValueError, when the pipeline
        runs, for lengths that differ.

        strict: raise NotCompilable, with the reason, for a callable that would be called once per element.
        """
        return self._with("map", f, with_names(f, names, named, self._ieee), strict)

    @also_named("self", "predicate")
    def filter(self, pred: Function, /, *, strict: bool = False, names: Any = None,
               **named: Any) -> Pipeline:  # fmt: skip
        """With the elements for which pred is true. Parameters are those of :meth:`map`."""
        return self._with("filter", pred, with_names(pred, names, named, self._ieee), strict)

    def takewhile(self, pred: Function, /, *, strict: bool = False, names: Any = None,
                  **named: Any) -> Pipeline:  # fmt: skip
        """With the elements before the first one for which pred is false: ``itertools.takewhile``.

        What is behind that element is not looked at, nor read from a stream, but for what stands in the same chunk.
        Parameters are those of :meth:`map`.

        >>> import arrayops as ao
        >>> from array import array
        >>> ao.lazy(array("d", [3.0, 2.0, 0.0, 5.0])).takewhile("x > 0").map("1/x").count()
        2
        """
        return self._with("takewhile", pred, with_names(pred, names, named, self._ieee), strict)

    def dropwhile(self, pred: Function, /, *, strict: bool = False, names: Any = None,
                  **named: Any) -> Pipeline:  # fmt: skip
        """With the first element for which pred is false and all behind it: ``itertools.dropwhile``.

        Parameters are those of :meth:`map`.

        >>> import arrayops as ao
        >>> ao.lazy(b"   text ").dropwhile("x == 32").collect().tobytes()
        b'text '
        """
        return self._with("dropwhile", pred, with_names(pred, names, named, self._ieee), strict)

    def _with(self, verb: str, f: Function, names: dict[str, Any], strict: bool = False) -> Pipeline:
        stage = stage_of(verb, f, names, self._ieee, strict, not is_array(self._source))
        if stage.arrays and any(before.verb in ("takewhile", "dropwhile") for before in self._stages):
            raise ValueError(f"{next(iter(stage.arrays))!r} goes with the source, whose elements are not known behind "
                             "takewhile and dropwhile: put this stage before them")  # fmt: skip
        return Pipeline(self._source, (*self._stages, stage), self._ieee, self._nulls)

    # -- what it is --------------------------------------------------------------------------------------------------

    def source(self) -> Any:
        """What the pipeline reads."""
        return self._source

    def __repr__(self) -> str:
        stages = "".join(f".{stage}" for stage in self._stages)
        return f"<arrayops.Pipeline {stages or 'of no stages'} over {_described(self._source)}>"

    def _repr_html_(self) -> str:
        return notebook.shown(self, self._rows, self.explain)

    def _rows(self) -> Iterator[tuple[str, object]]:
        yield from notebook.source_rows(self._source, _described(self._source))
        for number, stage in enumerate(self._stages, 1):
            yield f"stage {number}", stage

    def __reduce__(self) -> tuple[Any, ...]:
        stages = tuple((s.verb, s.kernel, s.numbers | s.arrays) for s in self._stages)
        return (_restored, (self._source, stages, self._ieee, self._nulls))

    def explain(self) -> str:
        """What is compiled and what is called, with the bytecode for the source's type where that is known."""
        lines = [repr(self)]
        arrays = [self._source, *(value for _, value in beside(self._stages))]
        part: Any = tuple(map(_beginning, arrays)) if all(map(in_one_buffer, arrays)) else None
        for number, segment in enumerate(self._segments(), 1):
            if isinstance(segment, Called):
                verb = "filter" if segment.keeps else "map"
                name = getattr(segment.python, "__qualname__", None) or repr(segment.python)
                lines.append(f"{number}: called once per element: {verb}({name})")
                part = None
                continue
            if isinstance(segment, While):
                verb = "dropwhile" if segment.drops else "takewhile"
                lines.append(f"{number}: chunk by chunk: {verb}, {'called' if segment.kernel is None else 'compiled'}")
                part = None
                continue
            how = "called once per element, with arrays beside" if segment.by_python else "compiled"
            lines.append(f"{number}: {how}: {_stages(len(segment.steps))} in one program")
            lines += [] if part is None or segment.by_python else ["   " + line for line in _listing(segment, part)]
        return "\n".join(lines)

    # -- running -----------------------------------------------------------------------------------------------------

    def _segments(self) -> list[Segment]:
        """Stages joined where they can be: numbers that functions capture are read now."""
        irs = [stage.ir(self._ieee) for stage in self._stages]
        key = [m and (id(m[0]), [(i, identity(x)) for i, x in m[1].items()]) for m in irs]
        known = self._known
        if known is None or known[0] != key:
            known = self._known = (key, segments_of(self._stages, irs, self._ieee), irs)
        return known[1]

    def _buffers(self) -> Iterator[Any]:
        """The source's buffers; a stream's must all have one typecode."""
        first = None
        others = beside(self._stages)
        parts = together(self._source, others, self._nulls) if others else pieces(self._source, self._nulls)
        for index, part in enumerate(parts):
            code = _typecode(part)
            if first is not None and code != first:
                raise TypeError(f"buffer {index} of the stream has typecode {code!r}, those before it have {first!r}")
            first = code
            yield part

    def _chunks(self, segments: list[Segment], buffers: Iterator[Any]) -> Iterator[Any]:
        """The values after these segments, chunk by chunk: arrays or lists."""
        if not segments:
            for arr in buffers:
                yield from _slices(arr)
            return
        last = segments[-1]
        if isinstance(last, While):
            yield from last.chunks(self._chunks(segments[:-1], buffers))
            return
        for values in self._chunks(segments[:-1], buffers):
            yield from map(packed, last.chunk(values))

    def _last(self, buffers: Iterator[Any]) -> tuple[Compiled | None, Iterator[Any]]:
        """The last compiled segment, to be run into a result, and the buffers or chunks that it takes."""
        segments = self._segments()
        last = segments[-1]
        if len(segments) == 1 and isinstance(last, Compiled):
            return last, buffers
        if isinstance(last, Compiled):
            return last, self._chunks(segments[:-1], buffers)
        return None, self._chunks(segments, buffers)

    def _gathered(self, wanted: int) -> tuple[Gathered, bool | None]:
        """What all values give, and whether they are floats: None if there are none."""
        return gathered(*self._last(self._buffers()), wanted)

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
        return fsum(g, bool(floats)), g.count

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

    def len(self) -> int:
        """The number of values: :meth:`count` by the name that it has in arrayops 1.0 (Rust)."""
        return self.count()

    def stats(self) -> Stats:
        """Count, sum, mean, min, max, variance and standard deviation: see :func:`arrayops.stats`."""
        g, floats = self._gathered(SUMS | SQUARES | EXTREMES)
        if not g.count:
            raise _no_values("stats")
        return summary(g, bool(floats))

    def reduce(self, f: Function, /, initial: Any = None, *, names: Any = None, **named: Any) -> Any:
        """The left fold of the values, ``functools.reduce(f, values, initial)``: see :func:`arrayops.reduce`."""
        kernel, named = fold_kernel(f, names, named, initial, self._ieee)
        acc = MISSING if initial is None else initial
        for values in self._chunks(self._segments(), self._buffers()):
            if isinstance(values, list) or not (acc is MISSING or is_carried(acc)):
                step = functools.partial(fold_step, kernel, named)
                given = () if acc is MISSING else (acc,)
                acc = functools.reduce(step, iterated(values), *given) if given or len(values) else acc
            elif len(values):
                acc = kernel.reduce(values, **named) if acc is MISSING else kernel.reduce(values, acc, **named)
        if acc is MISSING:
            raise TypeError("reduce() of empty iterable with no initial value")
        return acc

    def collect(self, typecode: str | None = None) -> Any:
        """The values in a new array: ``array(typecode, values)``; by default with the source's typecode, or ``'d'`` if
        the stream is empty. It is of the source's kind, as for :func:`arrayops.map`; a pandas Series keeps its labels
        if nothing was left out, else it has new ones. Raises what array does for a value that does not fit."""
        result: Any = None
        views: list[Any] = []
        for piece in self._collected(None if typecode is None else checked_typecode(typecode)):
            if not isinstance(piece, array):
                views.append(piece)
            elif result:
                result += piece
            else:
                result = piece
        result = _joined(views) if views else result
        whole = self._nulls != "skip" and not any(stage.keeps for stage in self._stages)
        return given_as(self._source, array(typecode or "d") if result is None else result, labels=whole)

    def _collected(self, typecode: str | None) -> Iterator[Any]:
        """The values as arrays, or Views where array has no such type, piece by piece."""
        buffers = self._buffers()
        if typecode is None:
            head = list(itertools.islice(buffers, 1))
            typecode = _typecode(head[0]) if head else "d"
            yield new_values(typecode, ())  # of that typecode even if no value follows
            buffers = itertools.chain(head, buffers)
        typecode = checked_typecode(typecode)
        last, parts = self._last(buffers)
        for part in parts:
            found = None if last is None or isinstance(part, list) else last.run(part, typecode, 0)
            if found is not None:
                values = found[0]
                yield values if typecode not in PIPED else text_kernel("x").map(values, typecode=typecode)
                continue
            yield _stored(typecode, iterated(part) if last is None else last.elements(part))

    def to(self, out: Any, typecode: str | None = None) -> int:
        """Writes the values to a writable buffer, from its front, or to a binary file as raw numbers; returns how many.

        A file (anything with a write method) gets numbers of this typecode, by default the source's, piece by piece.
        Raises ValueError for a buffer too small for them; those that fit are written then.
        """
        if hasattr(out, "write"):
            number = 0
            for piece in self._collected(typecode):
                write_all(out, memoryview(piece).cast("B") if isinstance(piece, array) and piece else bytes(piece))
                number += len(piece)
            return number
        code, _, room, _ = _machine.buffer_info(out)
        target, at, copy = memoryview(out), 0, text_kernel("x")
        if target.readonly:
            raise TypeError(f"cannot write the result: this {type(out).__name__} is read-only")
        pieces: Iterable[Any] = self._collected(code)
        if any(not isinstance(segment, Compiled) for segment in self._segments()):
            pieces = list(pieces)  # out may share memory with the source, of which every chunk must be read first
        for piece in _without_remedy(pieces):
            fits = builtins.min(len(piece), room - at)
            if fits:
                copy.map(memoryview(piece)[:fits], out=target[at : at + fits])
            at += fits
            if fits < len(piece):
                raise ValueError(f"out has room for {room} elements, there are more values")
        return at

    def __iter__(self) -> Iterator[Any]:
        """The values one by one, as Python numbers."""
        for values in self._chunks(self._segments(), self._buffers()):
            yield from iterated(values)


#: What it is called in arrayops 1.0 (Rust), for isinstance and annotations.
LazyArray = Pipeline


def lazy(src: Array | Iterable[Array], *, ieee: bool = False, nulls: str | int | float | None = None) -> Pipeline:
    """A pipeline over a buffer or an iterable of buffers (a stream): stages now, one pass when a result is asked for.

    A stream's buffers must have one typecode; they are read one at a time, so memory stays bounded, and results equal
    those on all of them together. ieee is as in :func:`map`, for all stages that are texts or functions.
    nulls: ``"skip"`` leaves them out, a number takes their place; by default they are a ValueError, where they are.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.lazy(array("d", [0.5, 1.5, 2.5])).map("x*x").filter("x > limit", limit=1).sum()
    8.5
    >>> ao.lazy(array("h", [n, n + 1]) for n in range(3)).map("x * 0.5").stats().mean
    0.75
    """
    if not is_array(src) and not isinstance(src, Iterable):
        raise TypeError(f"lazy() needs a buffer or an iterable of buffers, not {type(src).__name__}")
    check_nulls(nulls, "skip")
    return Pipeline(src, (), bool(ieee), nulls)


@also_named("array")
def lazy_array(arr: Array) -> Pipeline:
    """A pipeline over one buffer: :func:`lazy` by the name that it has in arrayops 1.0 (Rust).

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.lazy_array(array("i", [1, 2, 3])).map(lambda x: x * 2).collect()
    array('i', [2, 4, 6])
    """
    _machine.buffer_info(taken(arr))
    return lazy(arr)


# -- values stored ---------------------------------------------------------------------------------------------------


def _stored(typecode: str, values: Iterable[Any]) -> Any:
    """The values as an array, each stored before the next is computed; what does not fit is refused with a remedy."""
    newest: list[Any] = []

    def remembered() -> Iterator[Any]:
        for value in values:
            newest[:] = (value,)
            yield value

    try:
        return new_values(typecode, remembered())
    except TypeError as error:
        if "float" not in str(error):
            raise
        raise TypeError(f"the pipeline gives floats, which a {typecode!r} array cannot hold; pass typecode='d'"
                        ) from None  # fmt: skip
    except OverflowError:
        stored(typecode, newest)  # whose words say what to ask for, if it was the store that failed
        raise


def _without_remedy(pieces: Iterable[Any]) -> Iterator[Any]:
    """The pieces of what goes to a buffer, whose typecode is what it is."""
    try:
        yield from pieces
    except OverflowError as error:
        raise OverflowError(str(error).partition("; pass typecode=")[0]) from None


# -- as text ---------------------------------------------------------------------------------------------------------


def _typecode(part: Any) -> str:
    """Of a buffer, or of the first of those that go together."""
    return str(_machine.buffer_info(part[0] if isinstance(part, tuple) else part)[0])


def _slices(arr: Any) -> Iterator[Any]:
    """A buffer, or several that go together, in chunks, held so that nobody resizes it between them."""
    if isinstance(arr, tuple):
        yield from zip(*map(_slices, arr), strict=True)
        return
    with held(arr):
        whole = sliceable(arr)
        for start in range(0, len(whole), CHUNK):
            yield whole[start : start + CHUNK]


def _joined(views: list[Any]) -> Any:
    """Views of one type as one."""
    whole, at, copy = _machine.new_array(_machine.buffer_info(views[0])[0], sum(map(len, views))), 0, text_kernel("x")
    for view in views:
        copy.map(view, out=whole[at : at + len(view)])
        at += len(view)
    return whole


def _described(source: Any) -> str:
    kind = type(source).__name__
    try:
        if in_one_buffer(source):
            return f"{kind}({_machine.buffer_info(_beginning(source))[0]!r}) of {len(sliceable(source))} elements"
        return f"{kind} of {len(source)} elements" if is_array(source) else f"{kind} of buffers"
    except (TypeError, ValueError, BufferError):  # it is released, has several dimensions, or no length
        return kind


def _beginning(source: Any) -> Any:
    """The first element, whose type is that of all; those of stride 0, as broadcast ones are, are copied if whole."""
    return source if type(source) in (range, _machine.View) else memoryview(source)[:1]


def _stages(number: int) -> str:
    return "1 stage" if number == 1 else f"{number or 'no'} stages"


def _listing(segment: Compiled, part: Any) -> list[str]:
    """The bytecode of a segment for a buffer."""
    plan = segment.plan(part, None)
    if plan.listing is None:
        return ["not for these types: Python evaluates each element"]
    return plan.listing.listing().splitlines()


def _no_values(name: str) -> Exception:
    from statistics import StatisticsError

    return StatisticsError(f"{name}() of a pipeline without values")


def _restored(source: Any, stages: Any, ieee: Any, nulls: Any = None) -> Pipeline:
    """From a pickle, which may come from anywhere."""
    result = Pipeline(source, (), bool(ieee), nulls)
    try:
        check_nulls(nulls, "skip")
        for verb, kernel, numbers in stages:
            if verb not in VERBS or not isinstance(kernel, Kernel) or type(numbers) is not dict:
                raise ValueError
            result = result._with(verb, kernel, numbers)
    except (ValueError, TypeError):
        raise ValueError("this pickle of a Pipeline is damaged") from None
    return result
