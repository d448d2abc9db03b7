"""Every operator and function, a text each, against the list comprehension of the same: python bench/oracle_speed.py

Each text is run on 100,000 elements of every kind of data that it takes, among them ints whose results have more than
64 bits and floats that overflow. A ratio of 2.0 means that arrayops takes twice as long as the list comprehension, 0.5
half as long. Times are nanoseconds of one processor for an element, the least of rounds in which both took turns. Where
the list comprehension raises there is no row. The page docs/oracle-speed.md, which --write writes, has the rows with a
ratio above 0.1, the slowest first.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arrayops as ao
from arrayops.compiler.ir import BINARY, COMPARE, FUNCTIONS
from timing import about, measure

PAGE = Path(__file__).resolve().parent.parent / "docs" / "oracle-speed.md"
COUNT = 100_000
#: What a comprehension sees; `where` and `clip` have no Python function and are conditionals, which are here as such.
NAMES: dict[str, Any] = {
    name.removeprefix("math."): f.python for name, f in FUNCTIONS.items() if f.module
} | {"math": math}
#: Arguments of the functions that do not take x and then y.
ARGUMENTS = {
    "round": ["x", "x, 2", "x, -2"], "pow": ["x, 2", "x, y, 7"], "log": ["x", "x, 10"], "perm": ["x, 2", "x"],
    "hypot": ["x, y", "x, y, 1"], "min": ["x, y", "x, y, 3"], "max": ["x, y"], "gcd": ["x, 12", "x, y"],
    "lcm": ["x, 12"], "comb": ["x, 3", "x, y % 8"], "ldexp": ["x, 3"], "fma": ["x, y, 1"], "math.pow": ["x, 2"],
}  # fmt: skip


def texts() -> list[str]:
    """All of the language, a text each."""
    rows = [f"x {symbol} {other}" for symbol in (*BINARY, *COMPARE) for other in ("y", "3")]
    rows += ["-x", "+x", "~x", "not x", "x in (1, 2, 3)", "x if y > 3 else -x", "x and y", "x or y", "1 < x <= 9"]
    rows += ["x*x*x + y", "x.bit_count()", "x.bit_length()", "isclose(x, y, abs_tol=0.5)", "isclose(x, y)"]
    skipped = ("isclose", "isclose.within", "bit_count", "bit_length")
    for name, f in FUNCTIONS.items():
        if name not in skipped:
            rows += [f"{name}({a})" for a in ARGUMENTS.get(name, ["x, y, 1"[: 3 * f.least - 2]])]
    return rows


def data() -> dict[str, tuple[array[Any], array[Any]]]:
    """Two columns of each kind."""
    rng = random.Random(5)

    def column(code: str, draw: Callable[[], Any]) -> array[Any]:
        return array(code, [draw() for _ in range(COUNT)])

    draws: dict[str, tuple[str, Callable[[], Any]]] = {
        "small ints": ("i", lambda: rng.randrange(1, 60)),
        "signed ints": ("q", lambda: rng.randrange(-(10**6), 10**6) or 1),
        "wide ints": ("q", lambda: rng.randrange(2**61, 2**63)),
        "floats 0..1": ("d", rng.random),
        "floats": ("d", lambda: rng.uniform(-50, 50) or 1.0),
        "large floats": ("d", lambda: rng.uniform(1, 9) * 10.0 ** rng.randrange(100, 300)),
    }
    return {kind: (column(code, draw), column(code, draw)) for kind, (code, draw) in draws.items()}


def comprehension(text: str) -> Callable[[Any, Any], list[Any]]:
    """The list comprehension, over both columns only if the text has y."""
    names = text.replace("isclose(x, y", "math.isclose(x, y")
    loop = f"[{names} for x, y in zip(xs, ys)]" if "y" in variables(text) else f"[{names} for x in xs]"
    function: Callable[[Any, Any], list[Any]] = eval(f"lambda xs, ys: {loop}", NAMES)
    return function


def variables(text: str) -> set[str]:
    return set(compile(text, "<text>", "eval").co_names) & {"x", "y"}


def typecode_of(values: list[Any]) -> str | None:
    """An array that holds the results; None if none does."""
    for code in "qd":
        try:
            array(code, values)
            return code
        except (TypeError, OverflowError):
            pass
    return None


def row(text: str, kind: str, xs: array[Any], ys: array[Any]) -> tuple[float, str] | None:
    """The ratio and the line of the table."""
    loop, kernel = comprehension(text), ao.compile(text)
    columns = [{"x": xs, "y": ys}[p] for p in kernel.params]
    try:
        kernel(*(c[:99] for c in columns), typecode="d")  # first, because its ints are bounded
        code = typecode_of(loop(xs, ys))
    except (ArithmeticError, ValueError, TypeError, AttributeError):
        return None
    if code is None:
        return None
    calls = {"text": lambda: kernel(*columns, typecode=code), "loop": lambda: loop(xs, ys)}
    times = measure(calls, 5, 0.05, time.thread_time)
    text_ns, loop_ns = (1e9 * times[name] / COUNT for name in ("text", "loop"))
    return text_ns / loop_ns, f"| `{text}` | {kind} | {text_ns:,.1f} | {loop_ns:,.1f} | {text_ns / loop_ns:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", default="", help="texts that contain this")
    options = parser.parse_args()
    ao.set_num_threads(1)
    found = []
    for kind, (xs, ys) in data().items():
        rows = [row(text, kind, xs, ys) for text in texts() if options.only in text]
        found += [r for r in rows if r is not None]
    found.sort(reverse=True)
    worst = f"{len(found)} rows; worst ratio {found[0][0]:.2f}; {sum(r[0] > 1 for r in found)} above 1."
    head = ["| text | data | text, ns | list comprehension, ns | ratio |", "|---|---|---|---|---|"]
    print("\n".join([about(), worst, *head, *(line.replace("x | y", r"x \| y") for _, line in found)]))
    if options.write:
        slow = [line.replace("`x | ", r"`x \| ") for ratio, line in found if ratio > 0.1]
        page = [
            "# Texts against list comprehensions",
            "",
            *((__doc__ or "").splitlines()[2:]),
            "",
            f"{about()}. {worst}",
            "",
        ]
        PAGE.write_text("\n".join([*page, *head, *slow, ""]))


if __name__ == "__main__":
    main()
