"""What the playground's page asks of arrayops: an expression and numbers as text in, texts to show out.

Runs in the browser's Python (worker.js); tests/test_playground.py runs it in any.
"""

from __future__ import annotations

import io
import json
import re
import sys
import time
import traceback
from array import array
from collections.abc import Callable
from typing import Any

import arrayops as ao

#: Elements that are taken, and of a result those that are shown; numbers of an array in the line of Python.
MOST, SHOWN, IN_CALL = 10_000_000, 1000, 6
#: Seconds below which the clocks of browsers say nothing.
CLOCK = 1e-4
#: What can be done, and whether it takes a typecode for the result.
OPERATIONS: dict[str, bool] = {"map": True, "filter": False, "count": False, "accumulate": True, "reduce": False}
SEPARATOR = re.compile(r"[\s,;]+")
FOLDS = ("accumulate", "reduce")  # of acc and x
RANGE = re.compile(r"range\(\s*(-?\d+(?:\s*,\s*-?\d+){0,2})\s*\)")


def number(text: str) -> int | float:
    """An int or a float, as Python would read it."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def is_number(text: str) -> bool:
    """Whether Python would read it as one."""
    try:
        number(text)
    except ValueError:
        return False
    return True


def columns_of(text: str, typecode: str) -> dict[str, Any]:
    """The numbers by name: the columns of a table with a header, or all numbers of the text as ``x``.

    A header is a first line of several with a cell that is no number. ``range(1000)`` stands for its numbers. Without
    a typecode, integers become an ``array('q')``, others an ``array('d')``. Raises ValueError for what is no number.
    """
    text = text.strip()
    if found := RANGE.fullmatch(text):
        steps = range(*map(int, found[1].split(",")))
        if len(steps) > MOST:
            raise ValueError(f"{len(steps):,} numbers are too many here; {MOST:,} are taken")
        return {"x": array(typecode, steps) if typecode else steps}
    first, _, second = text.partition("\n")
    if second and not all(is_number(cell) for cell in SEPARATOR.split(first) if cell):
        return table_of(text, first, second.partition("\n")[0], typecode)
    cells = [cell for cell in SEPARATOR.split(text) if cell]
    wrong = next((place for place, cell in enumerate(cells) if not is_number(cell)), None)
    if wrong is not None:
        raise ValueError(f"{cells[wrong]!r} (number {wrong + 1} of {len(cells)}) is not a number")
    values = [number(cell) for cell in cells]
    return {"x": array(typecode or ("q" if all(isinstance(value, int) for value in values) else "d"), values)}


def table_of(text: str, first: str, second: str, typecode: str) -> dict[str, Any]:
    """The columns of a table whose cells in the second line are numbers."""
    delimiter = next((character for character in "\t;," if character in first), ",")
    if delimiter not in first and len(first.split()) == len(second.split()):
        delimiter = " "
    cells: dict[str, list[str]] = ao.read_csv(io.StringIO(text + "\n"), typecodes=str, delimiter=delimiter)
    names = [name for name, column in cells.items() if column and is_number(column[0])]
    if not names:
        raise ValueError("no column begins with a number below its name")
    return ao.read_csv(io.StringIO(text + "\n"), names, delimiter=delimiter, typecodes=typecode or None)


def listed(values: Any, most: int) -> str:
    """An array or range as Python writes it, cut after so many elements."""
    if isinstance(values, range) or len(values) <= most:
        return repr(values)
    return repr(values[:most]).removesuffix("])") + ", ...])"


def last_lines(error: BaseException) -> str:
    """What Python would print of an exception last: the text and a caret, the message, its notes."""
    return "".join(traceback.format_exception_only(error)).rstrip()


class Call:
    """A call of arrayops, to make and to show: its array is the first column that the text names, others have names.

    Folds call their array x, whatever column it is.
    """

    def __init__(self, asked: dict[str, Any]) -> None:
        columns = columns_of(asked["numbers"], asked["typecode"])
        self.operation, self.text = asked["operation"], asked["text"]
        if not any(map(len, columns.values())):
            raise ValueError("there are no numbers yet")
        names = ao.compile(self.text, ieee=asked["ieee"]).params
        used = [name for name in names if name in columns]
        if self.operation in FOLDS:
            used = ["x", *used] if "x" in columns else [next(iter(columns)), *used]
        first = used[0] if used else next(iter(columns))
        self.arr, self.named = columns[first], {name: columns[name] for name in used if name != first}
        self.options: dict[str, Any] = {"ieee": True} if asked["ieee"] else {}
        if asked["result"] and OPERATIONS[self.operation]:
            self.options["typecode"] = asked["result"]
        kinds = {name: values.typecode if isinstance(values, array) else "q" for name, values in columns.items()}
        self.typecodes = [kinds.get(name, kinds[first]) for name in names]
        own = first if first.isidentifier() else "x"
        arrays = [f"{own} = {listed(self.arr, IN_CALL)}"]
        arrays += [f"{name} = {listed(values, IN_CALL)}" for name, values in self.named.items()]
        options = [*(f"{name}={name}" for name in self.named), *(f"{k}={v!r}" for k, v in self.options.items())]
        self.written = "\n".join([*arrays, f"ao.{self.operation}({', '.join([own, repr(self.text), *options])})"])

    def __call__(self) -> Any:
        function: Callable[..., Any] = getattr(ao, self.operation)
        return function(self.arr, self.text, **self.named, **self.options)

    def explained(self) -> str:
        """The bytecode, and what was found out on the way to it."""
        return ao.explain(self.text, *self.typecodes, **({"ieee": True} if "ieee" in self.options else {}))


def answer(request: str) -> str:
    """What there is to show, as JSON: the call, its result or what went wrong, its time, the explanation.

    request: JSON with the strings ``operation``, ``text``, ``numbers``, ``typecode`` and ``result`` (a typecode or
        nothing each), and ``ieee``.
    """
    shown: dict[str, Any] = {"call": "", "result": "", "explained": "", "error": "", "note": ""}
    try:
        call = Call(json.loads(request))
        shown["call"] = call.written
        shown["explained"] = call.explained()
        call()  # compiled now
        start = time.perf_counter()
        result = call()
        seconds = time.perf_counter() - start
        took = f"{seconds * 1000:.3g}" if seconds >= CLOCK else f"less than {CLOCK * 1000:g}"
        shown["note"] = f"{len(call.arr):,} element{'s' * (len(call.arr) != 1)} in {took} ms"
        if isinstance(result, array):
            shown["result"] = listed(result, SHOWN)
            if len(result) > SHOWN:
                shown["note"] += f"; the first {SHOWN:,} of {len(result):,} are shown"
        else:
            shown["result"] = repr(result)
    except Exception as error:  # whatever it is, it is shown
        shown["error"] = last_lines(error)
    return json.dumps(shown)


def main(path: str) -> None:
    """Answers the requests of a file, a list of them, in one line."""
    with open(path) as file:
        print(json.dumps([json.loads(answer(json.dumps(request))) for request in json.load(file)]))


if __name__ == "__main__":
    main(sys.argv[1])
