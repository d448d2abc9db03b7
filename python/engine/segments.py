"""Segments: neighbouring stages of a pipeline joined into one IR, or a stage that is called for each element.

A segment takes a buffer or a chunk of values and gives an array, a list, or what its values add up to. Where the
machine cannot, or an element raises, Python's meaning of the stages decides, element by element.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from .. import _machine
from ..compiler.ir import IR, Builder, TooManyNodes
from ..compiler.machine import MISSING
from ..compiler.parse import ExpressionError
from .arguments import bindable, plain_number
from .common import held
from .kernel import (
    FIRST_FALSE,
    Function,
    Kernel,
    count_true,
    kernel_of,
    needs_one,
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


class Stage(NamedTuple):
    """A map, a filter, ..., with the numbers bound to its names."""

    verb: str
    kernel: Kernel
    numbers: dict[str, Any]

    @property
    def keeps(self) -> bool:
        """Whether the values are some of those before."""
        return self.verb != "map"

    def __str__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.numbers.items())
        return f"{self.verb}({stage_name(self.kernel, self.numbers)}{given})"

    def ir(self, ieee: bool) -> tuple[IR, dict[int, Any]] | None:
        """The IR and the values of its parameters but one; None if the stage is to be called."""
        return stage_ir(self.kernel, self.numbers, ieee)


def stage_of(verb: str, f: Function, names: dict[str, Any], ieee: bool, strict: bool = False) -> Stage:
    """A stage of one free number. Raises TypeError for names that do not fit."""
    kernel = kernel_of(f, names, ieee, True, strict=strict)
    numbers = {name: plain_number(bindable(value, repr(name)), name, "pipeline") for name, value in names.items()}
    needs_one(kernel, numbers)
    return Stage(verb, kernel, numbers)


@dataclass(frozen=True, slots=True)
class Called:
    """A stage whose callable is called for each element."""

    keeps: bool
    python: Callable[[Any], Any]

    def chunk(self, arr: Any) -> Iterator[list[Any]]:
        """The results for a chunk: two parts if one raises, what comes before it first."""
        values = iterated(arr)
        if self.keeps:
            return _until_error(x for x in values if self.python(x))
        return _until_error(self.python(x) for x in values)


@dataclass(frozen=True, slots=True)
class While:
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
        self.steps: list[tuple[bool, Callable[[Any], Any]]] = []
        self.plans: dict[Any, Plan] = {}
        self.inverting: dict[int, str] = {}  # nodes of ~, and the texts that they are of

    def add(self, keeps: bool, ir: IR, known: dict[int, Any], python: Callable[[Any], Any], text: str | None) -> None:
        """Appends a stage: its IR with parameters known but one, and its text if it has one. Raises TooManyNodes."""
        build, new = self.build, list[int]()
        for node in ir.nodes:
            if node.op == "param":
                new.append(build.const(known[node.value]) if node.value in known else self.value)
            else:
                new.append(build.add(node.op, *(new[i] for i in node.args), value=node.value))
            if node.op == "invert" and text is not None:
                self.inverting[new[-1]] = text
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
                return MISSING
        return x

    def elements(self, arr: Any) -> Iterator[Any]:
        """The values by Python, one by one."""
        with held(*(() if isinstance(arr, list) else (arr,))):
            for x in iterated(arr):
                value = self.element(x)
                if value is not MISSING:
                    yield value

    def plan(self, arr: Any, wanted: str | None) -> Plan:
        key = (types_of((arr,)), wanted)
        if key not in self.plans:
            plan = pipe_plan(self.build.done(self.value, ("x",)), self.keep, self.ieee, key[0], wanted)
            for node in plan.inference.inverted & self.inverting.keys():
                raise inverts_truth(self.inverting[node])
            self.plans[key] = plan
        return self.plans[key]

    def run(self, arr: Any, wanted: str | None, what: int) -> tuple[Any, Plan] | None:
        """What _machine.run_pipe gives for a buffer; None if Python must do it."""
        plan = self.plan(arr, wanted)
        if plan.program is None:
            return None
        return _machine.run_pipe(plan.program, (arr,), self.element, 1, plan.typecode, what), plan

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


def segments_of(stages: tuple[Stage, ...], irs: list[tuple[IR, dict[int, Any]] | None],
                ieee: bool) -> list[Segment]:  # fmt: skip
    """Stages joined where they can be, at least one segment. irs: the IR of each stage, as it is now."""
    segments: list[Segment] = []
    for stage, ir in zip(stages, irs, strict=True):
        python = stage_function(stage.kernel, stage.numbers)
        if stage.verb in ("takewhile", "dropwhile"):
            kernel = None if ir is None else stage.kernel
            segments.append(While(stage.verb == "dropwhile", python, kernel, stage.numbers))
            continue
        if ir is None:
            segments.append(Called(stage.keeps, python))
            continue
        last = segments[-1] if segments else None
        if isinstance(last, Compiled):
            try:
                last.add(stage.keeps, *ir, python, stage_text(stage.kernel))
                continue
            except TooManyNodes:
                pass
        fresh = Compiled(ieee)
        fresh.add(stage.keeps, *ir, python, stage_text(stage.kernel))
        segments.append(fresh)
    if not segments or isinstance(segments[-1], While):
        segments.append(Compiled(ieee))  # so that the machine collects the values, or adds them up
    return segments


def packed(values: Any) -> Any:
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
