"""Pipelines: stages over a buffer or a stream of buffers, fused into one program and run in one pass.

The meaning of ``lazy(src).map(f).filter(p).map(g)`` is Python's generator

    (g(y) for y in (f(x) for x in src) if p(y))

with numbers as Python has them between the stages. Neighbouring stages that can be compiled become one IR, whose value
goes through a mask to whatever collects or adds it up; a callable that cannot be compiled is called once per element,
chunk by chunk, and the stages around it stay compiled. An exception comes where the generator would raise it.
"""

from __future__ import annotations

import bisect
import builtins
import functools
import itertools
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import _machine
from .compiler.ir import identity
from .data import view
from .engine.arguments import checked_typecode
from .engine.common import MISSING, Later, also_named, held, new_values, plain, sliceable, write_all
from .engine.exchange import given_as, in_one_buffer, is_array, pieces, taken
from .engine.figures import COUNT, EXTREMES, SQUARES, SUMS, extremes, fsum
from .engine.folds import is_carried
from .engine.kernel import Function, Kernel, fold_kernel, fold_step, stored, text_kernel, with_names
from .engine.missing import check_nulls
from .engine.output import replacing
from .engine.passes import NO_VALUES, Found, both, gathered, iterated
from .engine.plans import PIPED
from .engine.segments import (
    CHUNK,
    VERBS,
    Called,
    ColumnOf,
    Compiled,
    Segment,
    Stage,
    While,
    beside,
    packed,
    segments_of,
    segments_of_texts,
    stage_of,
    text_stage,
    together,
)
from .sources import Files, Part, Reading
from .statistics import Stats, bounds_of, edges_of, summary

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .engine import notebook
    from .engine import parts as engine_parts
    from .engine.kinds import Array
else:
    engine_parts, notebook = Later("engine.parts"), Later("engine.notebook")


class Pipeline:
    """Stages over a source, run when a result is asked for: made by :func:`arrayops.lazy`.

    map, filter, takewhile and dropwhile give a new pipeline; collect, to, sum, mean, min, max, count, stats, histogram,
    reduce and iteration run it. Numbers between the stages are Python's, so ints do not overflow and floats may follow
    ints; only the result is stored. A callable that cannot be compiled is called for each element, a few thousand
    elements ahead at most of a stage that raises. Pipelines are immutable; they pickle if source and callables do.

    Over several parts, those of :func:`arrayops.files`, the buffers of a list or slices of an array, all results but
    iteration take ``executor=``: threads, processes or machines, as an executor of concurrent.futures. It is given the
    parts, and the result has the same bits. What cannot be sent to a process is a TypeError that names the stage,
    before any work. An exception is that of the first part that fails, in their order, with a note that names the
    part; nothing behind it is begun. ``progress=`` is called with 1 for each part that is done, as
    ``tqdm(total=len(files)).update``.

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
        columns = self._columns()
        if not names and type(f) is str and len(columns) < 2:
            return Pipeline(self._source, (*self._stages, text_stage(verb, f, self._ieee)), self._ieee, self._nulls)
        if len(columns) > 1 and isinstance(f, (str, Kernel)):
            names = with_names(f, {name: ColumnOf(i) for i, name in enumerate(columns)}, names, self._ieee)
        stage = stage_of(verb, f, names, self._ieee, strict, not is_array(self._source))
        if isinstance(self._source, (Files, Part)):
            for name, value in stage.arrays.items():
                if not isinstance(value, ColumnOf):
                    raise TypeError(f"{name!r} is no column of the files, and arrays cannot go with them")
        if stage.arrays and any(before.verb in ("takewhile", "dropwhile") for before in self._stages):
            raise ValueError(f"{next(iter(stage.arrays))!r} goes with the source, whose elements are not known behind "
                             "takewhile and dropwhile: put this stage before them")  # fmt: skip
        return Pipeline(self._source, (*self._stages, stage), self._ieee, self._nulls)

    def _columns(self) -> tuple[str, ...]:
        return self._source.columns if isinstance(self._source, (Files, Part)) else ()

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
        remembered = segments_of_texts(self._stages, self._ieee)
        if remembered is not None:
            return remembered
        irs = [stage.ir(self._ieee) for stage in self._stages]
        key = [m and (id(m[0]), [(i, identity(x)) for i, x in m[1].items()]) for m in irs]
        known = self._known
        if known is None or known[0] != key:
            known = self._known = (key, segments_of(self._stages, irs, self._ieee), irs)
        return known[1]

    def _buffers(self) -> _Opened:
        """The source's buffers, to be entered."""
        if isinstance(self._source, (Files, Part)):
            reading = self._source.reading()
            return _Opened(self._alike(map(self._wanted, reading)), reading)
        others = beside(self._stages)
        parts = together(self._source, others, self._nulls) if others else pieces(self._source, self._nulls)
        return _Opened(self._alike(parts), None)

    def _wanted(self, piece: Any) -> Any:
        """Of a piece of a table the first column, and those that go with it."""
        places = [value.place for _, value in beside(self._stages)]
        if not isinstance(piece, tuple):
            return piece
        return (piece[0], *(piece[place] for place in places)) if places else piece[0]

    def _alike(self, parts: Iterable[Any]) -> Iterator[Any]:
        """Buffers, which must all have one typecode."""
        first = None
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

    def _gathered(self, wanted: int, executor: Any = None, progress: Any = None) -> Found:
        """What all values give, and whether they are floats: None if there are none."""
        if executor is None and progress is None:
            first, *further = self._segments()
            if type(self._source) is array and not further and isinstance(first, Compiled) and not first.columns:
                return gathered(first, (self._source,), wanted)  # nothing to open or to be cut
            with self._buffers() as buffers:
                return gathered(*self._last(buffers), wanted)
        return functools.reduce(both, self._by_parts(executor, progress, _gathered_of, wanted), NO_VALUES)

    def sum(self, *, executor: Executor | None = None,
            progress: Callable[[int], object] | None = None) -> int | float:  # fmt: skip
        """The sum of the values: an exact int, or the correctly rounded float; 0 if there are none.

        Raises ValueError for inf and -inf together and OverflowError for a sum too large for a float.
        """
        return self._total(executor, progress)[0]

    def mean(self, *, executor: Executor | None = None, progress: Callable[[int], object] | None = None) -> float:
        """The arithmetic mean of the values: their :meth:`sum`, which may raise, by their number.

        Raises StatisticsError if there are none.
        """
        total, number = self._total(executor, progress)
        if not number:
            raise _no_values("mean")
        return float(total) / number

    def _total(self, executor: Any, progress: Any) -> tuple[int | float, int]:
        """The sum of the values and their number."""
        g, floats = self._gathered(SUMS, executor, progress)
        return fsum(g, bool(floats)), g.count

    def min(self, *, executor: Executor | None = None,
            progress: Callable[[int], object] | None = None) -> int | float:  # fmt: skip
        """The smallest value, as ``min()`` finds it. Raises ValueError if there are none."""
        return self._extreme(0, "min", executor, progress)

    def max(self, *, executor: Executor | None = None,
            progress: Callable[[int], object] | None = None) -> int | float:  # fmt: skip
        """The largest value, as ``max()`` finds it. Raises ValueError if there are none."""
        return self._extreme(1, "max", executor, progress)

    def _extreme(self, which: int, name: str, executor: Any, progress: Any) -> int | float:
        g, _ = self._gathered(EXTREMES, executor, progress)
        if not g.count:
            raise ValueError(f"{name}() of a pipeline without values")
        found: int | float = extremes(g)[which]
        return found

    def count(self, *, executor: Executor | None = None, progress: Callable[[int], object] | None = None) -> int:
        """The number of values."""
        return self._gathered(COUNT, executor, progress)[0].count

    def len(self) -> int:
        """The number of values: :meth:`count` by the name that it has in arrayops 1.0 (Rust)."""
        return self.count()

    def stats(self, *, executor: Executor | None = None, progress: Callable[[int], object] | None = None) -> Stats:
        """Count, sum, mean, min, max, variance and standard deviation: see :func:`arrayops.stats`."""
        g, floats = self._gathered(SUMS | SQUARES | EXTREMES, executor, progress)
        if not g.count:
            raise _no_values("stats")
        return summary(g, bool(floats))

    def histogram(self, bins: Any = 10, range: tuple[float, float] | None = None, *, executor: Executor | None = None,
                  progress: Callable[[int], object] | None = None) -> tuple[array[int], array[float]]:  # fmt: skip
        """How many values are in each bin, and the edges: see :func:`arrayops.histogram`.

        Without a range or edges the source is read twice, and progress is of the second time. Raises ValueError then
        for a stream that can be read once.

        >>> import arrayops as ao
        >>> from array import array
        >>> ao.lazy([array("i", [1, 2]), array("i", [3, 4])]).map("x / 2").histogram(2, (0, 2))
        (array('q', [1, 3]), array('d', [0.0, 1.0, 2.0]))
        """
        edges, scale = edges_of(bins, range, lambda: bounds_of(self._found_range(executor)[0]))
        counts = array("q", bytes(8 * builtins.max(0, len(edges) - 1)))
        if len(counts):
            for found in self._by_parts(executor, progress, _counted_of, edges, scale):
                _add_counts(counts, found)
        return counts, edges

    def _found_range(self, executor: Any) -> Found:
        if not is_array(self._source) and iter(self._source) is self._source:
            raise ValueError("the values must be read to find their range, and this stream is read once: pass range=")
        return self._gathered(EXTREMES, executor, None)

    def _by_parts(self, executor: Any, progress: Any, work: Callable[..., Any], *args: Any) -> Iterator[Any]:
        """``work(pipeline, *args)`` for a pipeline over each part, or over all if nobody asks for parts."""
        if executor is None and progress is None:
            return iter([work(self, *args)])
        return self._over(self._parts(), executor, progress, work, *args)

    def _parts(self) -> list[Any]:
        """What several workers can do apart."""
        for stage in self._stages:
            if stage.verb in ("takewhile", "dropwhile"):
                raise ValueError(f"{stage} depends on all elements before it: the parts cannot be done apart")
        if isinstance(self._source, Files):
            return self._source.parts()
        if beside(self._stages):
            raise ValueError("arrays beside a source are not cut with it: give them as columns= of files")
        if is_array(self._source):
            return list(_cut(pieces(self._source, self._nulls)))
        if not isinstance(self._source, (list, tuple)):
            raise TypeError(f"the parts of a {type(self._source).__name__} are not known before it is read: parts are "
                            "those of ao.files(), the buffers of a list, or slices of an array")  # fmt: skip
        found = [_Buffer(f"buffer {i}", buffer) for i, buffer in enumerate(self._source)]
        for _ in self._alike(itertools.chain.from_iterable(pieces(buffer, self._nulls) for buffer in self._source)):
            pass  # before any work is sent
        return found

    def _over(self, parts: list[Any], executor: Any, progress: Any, work: Callable[..., Any],
              *args: Any) -> Iterator[Any]:  # fmt: skip
        pipeline = Pipeline((), self._stages, self._ieee, self._nulls)
        task = functools.partial(_work_on_part, pipeline, work, args)
        return engine_parts.over_parts(parts, task, executor, progress, functools.partial(self._check_sent, work, args))

    def _check_sent(self, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Raises TypeError naming what cannot be sent to other processes."""
        for number, stage in enumerate(self._stages, 1):
            _check_pickles((stage.kernel, stage.numbers), f"stage {number}, {stage},")
        _check_pickles(args, "what is done with the values")

    def reduce(self, f: Function, /, initial: Any = None, *, merge: Function | None = None,
               executor: Executor | None = None, progress: Callable[[int], object] | None = None, names: Any = None,
               **named: Any) -> Any:  # fmt: skip
        """The left fold of the values, ``functools.reduce(f, values, initial)``: see :func:`arrayops.reduce`.

        merge: of the folds of two parts, a text or a callable as f, for parts that are folded apart; each begins with
        initial, which therefore must change nothing, as 0 for a sum. Raises TypeError for an executor without it.

        >>> import arrayops as ao
        >>> from array import array
        >>> ao.lazy([array("i", [1, 5]), array("i", [4])]).reduce("max(acc, x)", merge="max(acc, x)")
        5
        """
        initial = plain(initial)
        if merge is None:
            if executor is not None or progress is not None:
                raise TypeError("reduce() goes from left to right: merge= says what becomes of the folds of two parts")
            found = _folded_of(self, f, initial, names, named)
        else:
            join, _ = fold_kernel(merge, None, {}, initial, self._ieee)
            parts = self._over(self._parts(), executor, progress, _folded_of, f, initial, names, named)
            found = list(itertools.chain.from_iterable(parts))
            found = [functools.reduce(functools.partial(fold_step, join, {}), found)] if found else found
        if not found:
            if initial is not None:
                return initial
            raise TypeError("reduce() of empty iterable with no initial value")
        return found[0]

    def _fold(self, f: Function, initial: Any, names: Any, named: dict[str, Any]) -> list[Any]:
        """The fold of the values in a list, which is empty if there are none, and no initial value."""
        kernel, named = fold_kernel(f, names, named, initial, self._ieee)
        acc = MISSING if initial is None else initial
        with self._buffers() as buffers:
            for values in self._chunks(self._segments(), buffers):
                if isinstance(values, list) or not (acc is MISSING or is_carried(acc)):
                    step = functools.partial(fold_step, kernel, named)
                    given = () if acc is MISSING else (acc,)
                    acc = functools.reduce(step, iterated(values), *given) if given or len(values) else acc
                elif len(values):
                    acc = kernel.reduce(values, **named) if acc is MISSING else kernel.reduce(values, acc, **named)
        return [] if acc is MISSING else [acc]

    def _counts(self, edges: array[float], scale: float) -> array[int]:
        """How many values are in each bin."""
        counts = array("q", bytes(8 * (len(edges) - 1)))
        with self._buffers() as buffers:
            for values in self._chunks(self._segments(), buffers):
                if isinstance(values, list):
                    _count_numbers(counts, edges, values)
                else:
                    _add_counts(counts, _machine.histogram(values, edges, scale))
        return counts

    def collect(self, typecode: str | None = None, *, executor: Executor | None = None,
                progress: Callable[[int], object] | None = None) -> Any:  # fmt: skip
        """The values in a new array: ``array(typecode, values)``; by default with the source's typecode, or ``'d'`` if
        the stream is empty. It is of the source's kind, as for :func:`arrayops.map`; a pandas Series keeps its labels
        if nothing was left out, else it has new ones. Raises what array does for a value that does not fit."""
        code = None if typecode is None else checked_typecode(typecode)
        if executor is None and progress is None:
            result = _as_one(self._collected(code))
        else:
            result = _as_one(part.buffer for part in self._by_parts(executor, progress, _collected_of, code) if part)
        whole = self._nulls != "skip" and not any(stage.keeps for stage in self._stages)
        return given_as(self._source, array(code or "d") if result is None else result, labels=whole)

    def _collected(self, typecode: str | None) -> Iterator[Any]:
        """The values as arrays, or Views where array has no such type, piece by piece."""
        with self._buffers() as buffers:
            if typecode is None:
                head = list(itertools.islice(buffers, 1))
                typecode = _typecode(head[0]) if head else "d"
                yield new_values(typecode, ())  # of that typecode even if no value follows
                buffers = itertools.chain(head, buffers)
                del head  # so that it is let go behind its turn
            typecode = checked_typecode(typecode)
            last, parts = self._last(buffers)
            for part in parts:
                found = None if last is None or isinstance(part, list) else last.run(part, typecode, 0)
                if found is not None:
                    values = found[0]
                    yield values if typecode not in PIPED else text_kernel("x").map(values, typecode=typecode)
                    continue
                yield _stored(typecode, iterated(part) if last is None else last.elements(part))

    def to(self, out: Any, typecode: str | None = None, *, executor: Executor | None = None,
           progress: Callable[[int], object] | None = None) -> int:  # fmt: skip
        """Writes the values to a writable buffer, from its front, or to a binary file as raw numbers; returns how many.

        A file (anything with a write method) gets numbers of this typecode, by default the source's, piece by piece.
        Raises ValueError for a buffer too small for them; those that fit are written then.

        A folder, by its path, is for a pipeline over :func:`arrayops.files`: each of them has a file of its name there
        (of a table with ``.bin`` for the end of it), which takes its place when it is complete. If the values of a file
        raise, that one is not written, others may be. Raises ValueError for two files of one name.
        """
        if isinstance(out, (str, os.PathLike)):
            return self._to_folder(os.fspath(out), typecode, executor, progress)
        if executor is not None or progress is not None:
            raise TypeError("executor= and progress= are for a folder with a file for each part: to('folder')")
        if hasattr(out, "write"):
            return self._write(out, typecode)
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

    def _write(self, file: Any, typecode: str | None) -> int:
        number = 0
        for piece in self._collected(typecode):
            write_all(file, memoryview(piece).cast("B") if isinstance(piece, array) and piece else bytes(piece))
            number += len(piece)
        return number

    def _to_folder(self, folder: str, typecode: str | None, executor: Any, progress: Any) -> int:
        if not isinstance(self._source, Files):
            raise TypeError("a path is for a pipeline over ao.files(), each of which has a file of its name there: "
                            "open a file, open(path, 'wb'), for the values of anything else")  # fmt: skip
        if typecode is not None:
            checked_typecode(typecode)
        parts, folder = self._source.parts(whole=True), os.path.abspath(folder)
        names = [_output_name(part) for part in parts]
        for name, number in Counter(names).items():
            if number > 1:
                raise ValueError(f"two files would be {name!r} in {folder!r}: each must have a name of its own")
        targets = {os.path.realpath(os.path.join(folder, name)) for name in names}
        if targets & {*map(os.path.realpath, self._source.paths)}:
            raise ValueError(f"{folder!r} has files that are read, which would be replaced: write to another folder")
        self._parts()  # which refuses stages that go from file to file
        os.makedirs(folder, exist_ok=True)
        return builtins.sum(self._over(parts, executor, progress, _written_of, folder, typecode))

    def __iter__(self) -> Iterator[Any]:
        """The values one by one, as Python numbers."""
        with self._buffers() as buffers:
            for values in self._chunks(self._segments(), buffers):
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


class _Opened:
    """Buffers while they are worked on: an exception names the place in a file that they are of."""

    __slots__ = ("_buffers", "_reading")

    def __init__(self, buffers: Iterator[Any], reading: Reading | None) -> None:
        self._buffers, self._reading = buffers, reading

    def __enter__(self) -> Iterator[Any]:
        return self._buffers

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        place = None if self._reading is None else self._reading.place
        if place is not None and isinstance(error, Exception):
            error.add_note(f"in {place}")


# -- parts -----------------------------------------------------------------------------------------------------------


class _Buffer:
    """A buffer of a list, some elements of an array, or values of a part, to be sent."""

    def __init__(self, place: str, buffer: Any) -> None:
        self.place, self.buffer = place, buffer

    def __reduce__(self) -> tuple[Any, ...]:
        buffer = self.buffer
        if not isinstance(buffer, (memoryview, _machine.View)):  # which do not pickle
            return (_Buffer, (self.place, buffer))
        code = _machine.buffer_info(buffer)[0]
        if _machine.TYPECODES[code]["given"] == "array":
            return (_Buffer, (self.place, _machine.copy_array(buffer)))
        return (_of_bytes, (self.place, code, bytes(text_kernel("x").map(buffer))))

    def __str__(self) -> str:
        return self.place


def _of_bytes(place: str, code: str, sent: bytes) -> _Buffer:
    """What array has no type for."""
    return _Buffer(place, view(sent, code))


SLICE_BYTES = 1 << 23  # of an array, that one task has


def _cut(buffers: Iterable[Any]) -> Iterator[_Buffer]:
    """An array, or its chunks, as parts: slices, of which nothing is copied here."""
    before = 0
    for buffer in buffers:
        whole = sliceable(buffer)
        step = SLICE_BYTES // (8 if isinstance(whole, range) else whole.itemsize)
        for first in range(0, max(1, len(whole)), step):
            part = whole[first : first + step]
            yield _Buffer(f"elements {before + first} to {before + first + len(part) - 1}", part)
        before += len(whole)


def _work_on_part(pipeline: Pipeline, work: Callable[..., Any], args: tuple[Any, ...], part: Any) -> Any:
    source = part.buffer if isinstance(part, _Buffer) else part
    return work(Pipeline(source, pipeline._stages, pipeline._ieee, pipeline._nulls), *args)


def _collected_of(pipeline: Pipeline, typecode: str | None) -> _Buffer | None:
    values = _as_one(pipeline._collected(typecode))
    return None if values is None else _Buffer("values", values)


def _gathered_of(pipeline: Pipeline, wanted: int) -> Found:
    return pipeline._gathered(wanted)


def _counted_of(pipeline: Pipeline, edges: array[float], scale: float) -> array[int]:
    return pipeline._counts(edges, scale)


def _folded_of(pipeline: Pipeline, f: Function, initial: Any, names: Any, named: dict[str, Any]) -> list[Any]:
    return pipeline._fold(f, initial, names, named)


def _written_of(pipeline: Pipeline, folder: str, typecode: str | None) -> int:
    """Writes the values of one file; how many."""
    with replacing(os.path.join(folder, _output_name(pipeline.source()))) as file:
        return pipeline._write(file, typecode)


def _output_name(part: Part) -> str:
    name = os.path.basename(part.path)
    return f"{os.path.splitext(name)[0]}.bin" if part.columns else name


def _add_counts(counts: array[int], more: array[int]) -> None:
    text_kernel("x + y").map(counts, more, out=counts)


def _count_numbers(counts: array[int], edges: array[float], values: list[Any]) -> None:
    """Python numbers of any size; a nan is in no bin."""
    for value in values:
        if not isinstance(value, (int, float)):
            raise TypeError(f"a pipeline's values must be numbers to be counted, not {type(value).__name__}")
        if edges[0] <= value <= edges[-1]:
            counts[builtins.min(bisect.bisect_right(edges, value), len(counts)) - 1] += 1


def _check_pickles(value: Any, what: str) -> None:
    import pickle

    try:
        pickle.dumps(value)
    except Exception as error:
        raise TypeError(f"{what} cannot be sent to another process: {error}. A text can, and so can a function that "
                        "can be compiled or that stands in a module") from None  # fmt: skip


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


def _as_one(pieces_of_it: Iterable[Any]) -> Any:
    """Arrays, or Views, as one; None if there are none."""
    result: Any = None
    views: list[Any] = []
    for piece in pieces_of_it:
        if not isinstance(piece, array):
            views.append(piece)
        elif result:
            result += piece
        else:
            result = piece
    return _joined(views) if views else result


def _joined(views: list[Any]) -> Any:
    """Views of one type as one."""
    whole, at, copy = _machine.new_array(_machine.buffer_info(views[0])[0], sum(map(len, views))), 0, text_kernel("x")
    for each in views:
        copy.map(each, out=whole[at : at + len(each)])
        at += len(each)
    return whole


def _described(source: Any) -> str:
    kind = type(source).__name__
    if isinstance(source, (Files, Part)):
        return str(source)
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
