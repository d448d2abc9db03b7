"""Segments: neighbouring stages of a pipeline joined into one IR, or a stage that is called for each element.

A segment takes a buffer or a chunk of values, the first one also a tuple of buffers whose elements go together. It
gives an array, a list, or what its values add up to. Where the machine cannot, or an element raises, Python's meaning
of the stages decides, element by element.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from .. import _machine
from ..compiler.ir import IR, Builder, TooManyNodes, identity
from ..compiler.machine import MISSING
from ..compiler.parse import ExpressionError
from .arguments import bindable, plain_number
from .common import NUMBERS, has_numpys, held, make_room, plain
from .exchange import in_one_buffer, is_array, taken_together
from .kernel import (
    FIRST_FALSE,
    Function,
    Kernel,
    any_stage_function,
    count_true,
    is_text,
    kernel_of,
    needs_no_tables,
    needs_one,
    predicate,
    stage_function,
    stage_ir,
    stage_name,
    stage_text,
)
from .passes import iterated
from .plans import Plan, inverts_truth, pipe_plan, types_of

#: Elements that go together through the stages around a callable; so far it may be called ahead of a stage that raises.
CHUNK = 8192


#: What a stage does; all but the first leave elements out.
VERBS = ("map", "filter", "takewhile", "dropwhile")


class ColumnOf(NamedTuple):
    """What a name stands for that is a column of the source itself: its place among the columns."""

    place: int


class Stage(NamedTuple):
    """A map, a filter, ..., with the numbers bound to its names."""

    verb: str
    kernel: Kernel
    numbers: dict[str, Any]
    arrays: dict[str, Any]  # by name: their elements go with those of the source

    @property
    def keeps(self) -> bool:
        """Whether the values are some of those before."""
        return self.verb != "map"

    def __str__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.numbers.items())
        others = {name: value for name, value in self.arrays.items() if not isinstance(value, ColumnOf)}
        given += "".join(f", {name}={type(value).__name__}" for name, value in others.items())
        return f"{self.verb}({stage_name(self.kernel, self.numbers)}{given})"

    def ir(self, ieee: bool) -> tuple[IR, dict[int, Any]] | None:
        """The IR and the values of its parameters but one; None if the stage is to be called."""
        return stage_ir(self.kernel, self.numbers, ieee)


def stage_of(verb: str, f: Function, names: dict[str, Any], ieee: bool, strict: bool = False,
             stream: bool = False) -> Stage:  # fmt: skip
    """A stage of one free number. Raises TypeError for names that do not fit. stream: the source is one."""
    made = predicate if any(_goes_along(value, stream) for value in names.values()) else kernel_of
    kernel = made(f, names, ieee, True, strict=strict)
    arrays = {name: value for name, value in names.items() if _goes_along(value, stream)}
    columns = [name for name, value in arrays.items() if isinstance(value, ColumnOf)]
    needs_no_tables(kernel, "the columns of a file go along row by row", columns)
    alone = verb in ("takewhile", "dropwhile")
    if alone or not is_text(kernel, arrays):
        arrays = {}
    for name, value in names.items():
        if type(value) in (list, tuple) and (alone or not is_text(kernel, [name])):
            plain_number(value, name, "pipeline")  # which an array instead would not be, either
    for name, value in arrays.items() if stream else ():
        if is_array(value):
            raise TypeError(f"{name!r} is one array, and the source is a stream: give a stream that is cut as it is")
    numbers = {name: plain_number(bindable(value, repr(name)), name, "pipeline")
               for name, value in names.items() if name not in arrays}  # fmt: skip
    needs_one(kernel, numbers | dict.fromkeys(arrays, 0))
    return Stage(verb, kernel, numbers, arrays)


_MOST_JOINED = 64  # stages and pipelines of texts that are remembered; the oldest is forgotten first
_text_stages: dict[tuple[str, str, bool], Stage] = {}


def text_stage(verb: str, text: str, ieee: bool) -> Stage:
    """The stage of a text alone, which is remembered: it is the same at each call, whatever the source."""
    key = (verb, text, ieee)
    try:
        return _text_stages[key]  # not by its get(): text_kernel in kernel.py says why
    except KeyError:
        pass
    make_room(_text_stages, _MOST_JOINED)
    known = _text_stages[key] = stage_of(verb, text, {}, ieee)
    return known


def _goes_along(value: Any, stream: bool) -> bool:
    """Whether it is an array, or beside a stream a stream."""
    if isinstance(value, ColumnOf):
        return True
    value = plain(value)
    if is_array(value):
        return True
    if isinstance(value, (list, tuple)):
        return stream and all(map(is_array, value))
    return stream and isinstance(value, Iterable) and not isinstance(value, (str, dict, set))


def beside(stages: tuple[Stage, ...]) -> list[tuple[str, Any]]:
    """All arrays that go with the source, and their names."""
    return [item for stage in stages for item in stage.arrays.items()]


def together(source: Any, others: list[tuple[str, Any]], nulls: Any) -> Iterator[tuple[Any, ...]]:
    """The buffers of a source, each with those that go with it. Raises ValueError where they are not cut alike."""
    if is_array(source):
        yield _one_cut(source, others, nulls, "the array", "")
        return
    streams = [source, *(value for _, value in others)]
    for index, row in enumerate(itertools.zip_longest(*streams, fillvalue=MISSING)):
        for (name, _), value in zip(others, row[1:], strict=True):
            if (value is MISSING) != (row[0] is MISSING):
                ends, goes_on = (repr(name), "the stream") if value is MISSING else ("the stream", repr(name))
                raise ValueError(f"{ends} ends after {index} buffers, and {goes_on} goes on: they must be cut alike")
        named = [(name, value) for (name, _), value in zip(others, row[1:], strict=True)]
        yield _one_cut(row[0], named, nulls, f"buffer {index} of the stream", " there")


def _one_cut(first: Any, others: list[tuple[str, Any]], nulls: Any, what: str, where: str) -> tuple[Any, ...]:
    for name, value in others:
        if not is_array(value):
            raise TypeError(f"{name!r} must be a buffer{where}, as {what} is, not {type(value).__name__}")
        if _length(value) != _length(first):
            raise ValueError(f"{what} has {_length(first)} elements, and {name!r} has {_length(value)}{where}: "
                             "they go together, element by element")  # fmt: skip
    return tuple(taken_together((first, *(value for _, value in others)), nulls))


def _length(value: Any) -> int:
    return int(_machine.buffer_info(value)[2] if in_one_buffer(value) else len(value))


class Called(NamedTuple):
    """A stage whose callable is called for each element."""

    keeps: bool
    python: Callable[[Any], Any]

    def chunk(self, arr: Any) -> Iterator[list[Any]]:
        """The results for a chunk: two parts if one raises, what comes before it first."""
        values = iterated(arr)
        if self.keeps:
            return _until_error(x for x in values if self.python(x))
        return _until_error(self.python(x) for x in values)


class While(NamedTuple):
    """takewhile or dropwhile: a segment of its own, as what becomes of an element depends on those before it."""

    drops: bool
    python: Callable[[Any], Any]
    kernel: Kernel | None  # what the machine can run; None if Python is called for each element
    numbers: dict[str, Any]

    def chunks(self, parts: Iterable[Any]) -> Iterator[Any]:
        """What is left of the chunks, one after the other; takewhile asks for no more of them than it needs."""
        parts = iter(parts)
        for part in parts:
            number, error = self._true_at_first(part)
            if not self.drops and number:
                yield part[:number]
            if error is not None:
                try:
                    raise error
                finally:
                    error = None  # or this frame and the exception would hold each other
            if number == len(part):
                continue
            if self.drops:
                yield part[number:]
                yield from parts
            return

    def _true_at_first(self, part: Any) -> tuple[int, Exception | None]:
        """For how many elements at the front the predicate is true, and what it raised for the next one."""
        if self.kernel is not None and not isinstance(part, list):
            try:
                at = count_true(self.kernel, FIRST_FALSE, part, **self.numbers)
                return (len(part) if at < 0 else at), None
            except MemoryError:
                raise  # of ours: an element's would come again
            except Exception:
                pass  # element by element, up to the one that raises
        number = 0
        for x in iterated(part):
            try:
                if not self.python(x):
                    break
            except Exception as error:
                return number, error
            number += 1
        return number, None


class Compiled:
    """Neighbouring stages as one IR of one parameter, with Python's meaning of them for one element."""

    def __init__(self, ieee: bool) -> None:
        self.ieee = ieee
        self.build = Builder()
        self.value = self.build.add("param", value=0)
        self.keep: int | None = None
        self.steps: list[tuple[bool, Callable[..., Any], range]] = []  # each with the arrays beside that it takes
        self.stages: list[Stage] = []  # which they are of
        self.columns = 0  # arrays beside the first one
        self.by_python = False  # a stage among them is called, or they are too many operations
        self.plans: dict[Any, Plan] = {}
        self.inverting: dict[int, str] = {}  # nodes of ~, and the texts that they are of

    def call(self, stage: Stage, python: Callable[..., Any]) -> None:
        """Appends a stage by its meaning in Python only."""
        self.steps.append((stage.keeps, python, range(self.columns, self.columns + len(stage.arrays))))
        self.stages.append(stage)
        self.columns += len(stage.arrays)

    def add(self, stage: Stage, ir: IR, known: dict[int, Any], python: Callable[..., Any]) -> None:
        """Appends a stage: its IR with parameters known but one, and those of arrays. Raises TooManyNodes."""
        build, new, text = self.build, list[int](), stage_text(stage.kernel)
        columns = {ir.params.index(name): self.columns + k for k, name in enumerate(stage.arrays, 1)}
        for node in ir.nodes:
            if node.op == "param" and node.value in columns:
                new.append(build.add("param", value=columns[node.value]))
            elif node.op == "param":
                new.append(build.const(known[node.value]) if node.value in known else self.value)
            else:
                new.append(build.add(node.op, *(new[i] for i in node.args), value=node.value))
            if node.op == "invert" and text is not None:
                self.inverting[new[-1]] = text
        # the stage before is evaluated, with its exceptions, even if nobody looks at its value
        result = new[ir.root] if new[ir.root] == self.value else build.add("seq", self.value, new[ir.root])
        if stage.keeps:
            self.keep = result if self.keep is None else build.logical_and(self.keep, result)
        else:
            self.value = result
        self.call(stage, python)

    def element(self, x: Any, *beside: Any) -> Any:
        """The value for one element by Python, or MISSING if a filter leaves it out."""
        for keeps, python, columns in self.steps:
            value = python(x, *(beside[i] for i in columns)) if columns else python(x)
            if not keeps:
                x = value
            elif not value:
                return MISSING
        return x

    def of_any(self) -> Compiled:
        """The same for elements that are any objects: only its ``element`` is for use."""
        other = Compiled(self.ieee)
        for stage in self.stages:
            other.call(stage, any_stage_function(stage.kernel, stage.numbers, tuple(stage.arrays)))
        return other

    def elements(self, arr: Any) -> Iterator[Any]:
        """The values by Python, one by one."""
        arrays = arr if isinstance(arr, tuple) else (arr,)
        objects = isinstance(arr, list) and not NUMBERS.issuperset(map(type, arr))
        element = (self.of_any() if objects else self).element
        with held(*(() if isinstance(arr, list) else arrays)):
            if not objects and not self.columns:  # steps of numbers, which raise no StopIteration
                values = iter(iterated(arr))
                for keeps, python, _ in self.steps:
                    values = filter(python, values) if keeps else map(python, values)
                yield from values
                return
            for row in zip(*map(iterated, arrays), strict=True):
                value = element(*row)
                if value is not MISSING:
                    yield value

    def plan(self, arr: Any, wanted: str | None) -> Plan:
        key = (types_of(arr if isinstance(arr, tuple) else (arr,)), wanted)
        if key not in self.plans:
            names = ("x", *(f"beside{i}" for i in range(self.columns)))
            plan = pipe_plan(self.build.done(self.value, names), self.keep, self.ieee, key[0], wanted)
            for node in plan.inference.inverted & self.inverting.keys():
                raise inverts_truth(self.inverting[node])
            self.plans[key] = plan
        return self.plans[key]

    def run(self, arr: Any, wanted: str | None, what: int) -> tuple[Any, Plan] | None:
        """What _machine.run_pipe gives for a buffer; None if Python must do it."""
        plan = None if self.by_python else self.plan(arr, wanted)
        if plan is None or plan.program is None:
            return None
        args = arr if isinstance(arr, tuple) else (arr,)
        return _machine.run_pipe(plan.program, args, self.element, len(args), plan.typecode, what), plan

    def chunk(self, arr: Any) -> Iterator[Any]:
        """The values for a chunk, as something to iterate over: two parts if one raises, what comes before it first."""
        try:
            found = None if isinstance(arr, list) else self.run(arr, None, 0)
        except ExpressionError:
            raise
        except Exception:
            found = None  # element by element, up to the one that raises
        if found is not None:
            values, plan = found
            yield list(map(bool, values)) if plan.kind == "b" else values
            return
        yield from _until_error(self.elements(arr))


#: A part of a pipeline.
Segment: TypeAlias = Compiled | Called | While


_joined: dict[Any, tuple[list[Segment], tuple[Stage, ...]]] = {}


def segments_of(stages: tuple[Stage, ...], irs: list[tuple[IR, dict[int, Any]] | None],
                ieee: bool) -> list[Segment]:  # fmt: skip
    """Stages joined where they can be, at least one segment. irs: the IR of each stage, as it is now.

    Those of texts and numbers are remembered, with their programs: such pipelines are made anew for each array.
    """
    if any(stage_text(stage.kernel) is None or stage.arrays for stage in stages):
        return _segments_of(stages, irs, ieee)
    key = (ieee, *((stage.verb, id(stage.kernel), *map(identity, stage.numbers.items())) for stage in stages))
    known = _joined.get(key)
    if known is None:
        make_room(_joined, _MOST_JOINED)
        known = _joined[key] = _segments_of(stages, irs, ieee), stages  # the stages keep the kernels of the key alive
    if not any(stage.numbers for stage in stages):
        make_room(_of_texts, _MOST_JOINED)
        _of_texts[ieee, *map(id, stages)] = known[0], stages  # see text_stage
    return known[0]


_of_texts: dict[Any, tuple[list[Segment], tuple[Stage, ...]]] = {}


def segments_of_texts(stages: tuple[Stage, ...], ieee: bool) -> list[Segment] | None:
    """What segments_of remembers of these very stages."""
    try:
        return _of_texts[ieee, *map(id, stages)][0]
    except KeyError:
        return None


def _segments_of(stages: tuple[Stage, ...], irs: list[tuple[IR, dict[int, Any]] | None],
                 ieee: bool) -> list[Segment]:  # fmt: skip
    last_beside = max((i for i, stage in enumerate(stages) if stage.arrays), default=-1)
    segments: list[Segment] = [_with_arrays(stages[: last_beside + 1], irs, ieee)] if last_beside >= 0 else []
    for stage, ir in zip(stages[last_beside + 1 :], irs[last_beside + 1 :], strict=True):
        python = stage_function(stage.kernel, stage.numbers)
        if stage.verb in ("takewhile", "dropwhile"):
            kernel = None if ir is None else stage.kernel
            python = any_stage_function(stage.kernel, stage.numbers)
            segments.append(While(stage.verb == "dropwhile", python, kernel, stage.numbers))
            continue
        if ir is None:
            segments.append(Called(stage.keeps, python))
            continue
        last = segments[-1] if segments else None
        if isinstance(last, Compiled) and not last.by_python:
            try:
                last.add(stage, *ir, python)
                continue
            except TooManyNodes:
                pass
        fresh = Compiled(ieee)
        fresh.add(stage, *ir, python)
        segments.append(fresh)
    if not segments or isinstance(segments[-1], While):
        segments.append(Compiled(ieee))  # so that the machine collects the values, or adds them up
    return segments


def _with_arrays(stages: tuple[Stage, ...], irs: list[tuple[IR, dict[int, Any]] | None], ieee: bool) -> Compiled:
    """The stages up to the last one with arrays beside the source, as one segment: elements must stay side by side."""
    joined = Compiled(ieee)
    for stage, ir in zip(stages, irs, strict=False):
        python = stage_function(stage.kernel, stage.numbers, tuple(stage.arrays))
        if ir is None:
            joined.by_python, python = True, _giving_numbers(python)
        elif joined.by_python:
            python = any_stage_function(stage.kernel, stage.numbers, tuple(stage.arrays))
        if ir is None or joined.by_python:
            joined.call(stage, python)
            continue
        try:
            joined.add(stage, *ir, python)
        except TooManyNodes:
            joined.by_python = True
            joined.call(stage, python)
    return joined


def _giving_numbers(python: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: _number(python(*args))


def _number(value: Any) -> Any:
    """What a callable returned: a NumPy scalar as the number that it holds, as between stages there are Python's."""
    try:
        return plain(value)
    except TypeError:
        return value  # a date, say, which another callable may take


def packed(values: Any) -> Any:
    """The values of a chunk as an array, if they are all floats or all ints of 64 bits; else as Python's numbers."""
    if not isinstance(values, list):
        return values
    kinds = set(map(type, values))
    if has_numpys(kinds):
        values = list(map(_number, values))
        kinds = set(map(type, values))
    try:
        if kinds == {float}:
            return array("d", values)
        if kinds == {int}:
            return array("q", values)
    except OverflowError:
        pass
    return values


def _until_error(values: Iterator[Any]) -> Iterator[list[Any]]:
    """All values; if one raises, those before it, and then its exception."""
    done: list[Any] = []
    try:
        done.extend(values)  # what comes before an exception stays
    except Exception:
        yield done
        raise
    yield done
