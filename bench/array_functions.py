"""arrayops beside the package arrayfunc, function by function: python bench/array_functions.py [--quick] [--write]

Each function of arrayfunc that there is an equal for, at three sizes, filling an array that exists where it gives one.
What both give is compared first. Times are minima over rounds in which both take turns; a ratio is arrayfunc's time
over ours. --write puts the table into docs/figures.json and the page that shows it. Needs arrayfunc (pip install
arrayfunc, which compiles it); takes about two minutes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import timeit
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import arrayops as ao
from timing import about

FIGURES = Path(__file__).resolve().parent.parent / "docs" / "figures.json"
SIZES = (10, 1_000, 100_000)
ULP = 2**-52
#: How far apart elementary functions may be: each is within an ulp or two of the true value.
NEAR = 4 * ULP


@dataclass(frozen=True)
class Row:
    """One function of arrayfunc and what one would write here.

    Both are statements of x and y (arrays), u (1/x), t (an array of 0 and 1), o and p (arrays to fill, one for each),
    half (which half of x is above), top (200, of x's kind) and n (the number of elements).
    """

    name: str
    code: str  # the typecode of x and y
    theirs: str
    ours: str
    out: str = ""  # the typecode of o and p if another; "-" if what is compared is returned
    near: float = 0.0  # the relative difference that is allowed
    kept: bool = False  # theirs returns how many elements of o count, ours gives them


def element_rows() -> Iterator[Row]:
    """Operators and functions of each element."""
    for name, text in {"add": "x + y", "sub": "x - y", "mul": "x * y", "truediv": "x / y"}.items():
        fixed = text.replace("y", "2.5")
        yield Row(f"{text}, y a number", "d", f"af.{name}(x, 2.5, o)", f"ao.map(x, {fixed!r}, out=p)")
        yield Row(f"{text}, two arrays", "d", f"af.{name}(x, y, o)", f"ao.map(x, {text!r}, y, out=p)")
    for name, text in {"floordiv": "x // y", "mod": "x % y"}.items():
        yield Row(f"{text}, two arrays", "d", f"af.{name}(x, y, o)", f"ao.map(x, {text!r}, y, out=p)")
    numbers = {"add": "x + 3", "sub": "x - 3", "mul": "x * 3", "floordiv": "x // 7", "mod": "x % 11"}
    for name, text in numbers.items():
        yield Row(text, "q", f"af.{name}(x, {text.split()[2]}, o)", f"ao.map(x, {text!r}, out=p)")
    pairs = {"add": "x + y", "mul": "x * y", "floordiv": "x // y", "mod": "x % y", "and_": "x & y", "or_": "x | y"}
    for name, text in {**pairs, "xor": "x ^ y"}.items():
        yield Row(f"{text}, two arrays", "q", f"af.{name}(x, y, o)", f"ao.map(x, {text!r}, y, out=p)")
    for name, text in {"neg": "-x", "abs_": "abs(x)", "invert": "~x", "pow2": "x*x", "pow3": "x*x*x"}.items():
        yield Row(text, "q", f"af.{name}(x, o)", f"ao.map(x, {text!r}, out=p)")
    yield Row("x << 3", "q", "af.lshift(x, 3, o)", "ao.map(x, 'x << 3', out=p)")
    yield Row("x >> 3", "q", "af.rshift(x, 3, o)", "ao.map(x, 'x >> 3', out=p)")
    for code in "iB":
        yield Row("x // 7", code, "af.floordiv(x, 7, o)", "ao.map(x, 'x // 7', out=p)")
        yield Row("x & y, two arrays", code, "af.and_(x, y, o)", "ao.map(x, 'x & y', y, out=p)")
    yield Row("x + 3", "i", "af.add(x, 3, o)", "ao.map(x, 'x + 3', out=p)")
    yield Row("x + y, two arrays", "f", "af.add(x, y, o)", "ao.map(x, 'x + y', y, out=p)")
    for name, text in {"neg": "-x", "abs_": "abs(x)", "fabs": "fabs(x)", "pow2": "x*x", "pow3": "x*x*x"}.items():
        yield Row(text, "d", f"af.{name}(x, o)", f"ao.map(x, {text!r}, out=p)")
    for name in ("sqrt", "floor", "ceil", "trunc"):
        yield Row(f"{name}(x)", "d", f"af.{name}(x, o)", f"ao.map(x, '{name}(x)', out=p)")
    for name in ("acos", "asin", "atan", "atanh", "asinh", "cos", "cosh", "sin", "sinh", "tan", "tanh", "exp", "expm1",
                 "log", "log10", "log1p", "log2", "erf", "erfc", "degrees", "radians"):  # fmt: skip
        yield Row(f"{name}(x)", "d", f"af.{name}(x, o)", f"ao.map(x, '{name}(x)', out=p)", near=NEAR)
    for name in ("gamma", "lgamma"):  # CPython's own, which the C library's are not
        yield Row(f"{name}(x)", "d", f"af.{name}(x, o)", f"ao.map(x, '{name}(x)', out=p)", near=100 * NEAR)
    yield Row("acosh(1/x)", "d", "af.acosh(u, o)", "ao.map(u, 'acosh(x)', out=p)", near=NEAR)
    for name in ("atan2", "hypot", "copysign", "fmod"):
        yield Row(f"{name}(x, y)", "d", f"af.{name}(x, y, o)", f"ao.map(x, '{name}(x, y)', y, out=p)", near=NEAR)
    yield Row("x ** y", "d", "af.pow(x, y, o)", "ao.map(x, 'x ** y', y, out=p)", near=NEAR)
    yield Row("ldexp(x, 3)", "d", "af.ldexp(x, 3, o)", "ao.map(x, 'ldexp(x, 3)', out=p)")
    for code, out in (("d", "f"), ("i", "d"), ("i", "q"), ("B", "d")):
        yield Row(f"convert to {out!r}", code, "af.convert(x, o)", "ao.map(x, 'x', out=p)", out)


def other_rows() -> Iterator[Row]:
    """Reductions, searches, selections and sequences."""
    for code in "dqB":
        yield Row("asum", code, "af.asum(x)", "ao.sum(x)", "-", NEAR * 1000)
        yield Row("amax", code, "af.amax(x)", "ao.max(x)", "-")
        yield Row("amin", code, "af.amin(x)", "ao.min(x)", "-")
        yield Row("any, nowhere", code, "af.aany('>', x, top)", "ao.any(x, 'x > 200')", "-")
        yield Row("all, everywhere", code, "af.aall('<=', x, top)", "ao.all(x, 'x <= 200')", "-")
        yield Row("findindex, nowhere", code, "max(-1, af.findindex('>', x, top))", "ao.first(x, 'x > 200')", "-")
        yield Row("findindex, at the front", code, "af.findindex('<=', x, top)", "ao.first(x, 'x <= 200')", "-")
        yield Row("filter, half", code, "af.afilter('>', x, o, half)", "ao.filter(x, 'x > h', h=half)", "", 0.0, True)
        yield Row("takewhile, to the end", code, "af.takewhile('<=', x, o, top)",
                  "x[:ao.first(x, 'not x <= 200', default=n)]", "", 0.0, True)  # fmt: skip
        yield Row("dropwhile, from the front", code, "af.dropwhile('>', x, o, top)",
                  "x[ao.first(x, 'not x > 200', default=n):]", "", 0.0, True)  # fmt: skip
        yield Row("compress, half", code, "af.compress(x, o, t)", "ao.filter(x, 't', t=t)", "", 0.0, True)
    for name, text in {"ge": "x >= 0", "lt": "x < 201", "ne": "x != 201"}.items():
        yield Row(f"all({text})", "d", f"af.{name}(x, {text.split()[2]}.0)", f"ao.all(x, {text!r})", "-")
    yield Row("all(x == y)", "q", "af.eq(x, x)", "ao.all(x, 'x == y', x)", "-")
    for name in ("isnan", "isinf"):
        yield Row(f"any({name}(x))", "d", f"af.{name}(x)", f"ao.any(x, '{name}(x)')", "-")
    yield Row("all(isfinite(x))", "d", "af.isfinite(x)", "ao.all(x, 'isfinite(x)')", "-")
    yield Row("count from 5 by 3", "q", "af.count(o, 5, 3)", "ao.map(range(5, 5 + 3*n, 3), 'x', out=p)")


ROWS = (*element_rows(), *other_rows())


def arrays(row: Row, n: int) -> dict[str, Any]:
    """What the statements are about: doubles in 0..1, none of them 0; ints that no operation here makes too large."""
    rng = Random(1)
    low, high = {"B": (0, 200), "i": (-1000, 200), "q": (-1000, 200)}.get(row.code, (0, 1))
    if row.code in "df":
        x, y = ([1 - rng.random() for _ in range(n)] for _ in range(2))
        x = [v if v < 1 else 0.5 for v in x]  # atanh(1.0) is an error
        half: Any = 0.5
    else:
        x, half = [rng.randint(low, high) for _ in range(n)], (low + high) // 2
        y = [rng.randint(1, 100) for _ in range(n)]
    code = row.code if row.out in ("", "-") else row.out
    return {
        "ao": ao, "x": array(row.code, x), "y": array(row.code, y), "half": half, "top": type(half)(200), "n": n,
        "u": array("d", [1 / max(v, 0.01) for v in x]) if row.code == "d" else None,
        "t": array(row.code, [rng.randrange(2) for _ in range(n)]),
        "o": array(code, [0]) * n, "p": array(code, [0]) * n,
    }  # fmt: skip


def same(one: Any, other: Any, near: float) -> bool:
    """Whether two numbers are, or are as near as is allowed."""
    return bool(one == other or (near and math.isclose(one, other, rel_tol=near, abs_tol=near)))


def check(row: Row, scope: dict[str, Any]) -> None:
    """Compares what both give."""
    theirs, ours = eval(row.theirs, scope), eval(row.ours, scope)  # our own texts
    if row.out == "-":
        pairs = [(theirs, ours)]
    elif row.kept:
        if len(ours) != theirs:
            raise SystemExit(f"{row.name} of {row.code!r}: {theirs} elements and {len(ours)}")
        pairs = list(zip(scope["o"][:theirs], ours, strict=True))
    else:
        pairs = list(zip(scope["o"], scope["p"], strict=True))
    for one, other in pairs:
        if not same(one, other, row.near):
            raise SystemExit(f"{row.name} of {row.code!r}: arrayfunc gives {one!r}, arrayops {other!r}")


def measured(row: Row, n: int, af: Any, number: int, budget: float) -> tuple[float, float]:
    """Nanoseconds of a call of theirs and ours; each gets about ``budget`` seconds."""
    scope = {**arrays(row, n), "af": af}
    check(row, scope)
    timers = [timeit.Timer(s, globals=scope) for s in (row.theirs, row.ours)]
    times: list[list[float]] = [[], []]
    repeats = []
    for timer in timers:
        once = timer.timeit(1)
        repeats.append(max(1, min(5000, int(budget / number / max(once, 1e-7)))))
    for _ in range(number):
        for timer, found, repeat in zip(timers, times, repeats, strict=True):
            found.append(timer.timeit(repeat) / repeat)
    theirs, ours = (1e9 * min(found) for found in times)
    return theirs, ours


def compare(quick: bool) -> list[dict[str, Any]]:
    """Measures and prints all rows; none if arrayfunc is not installed."""
    try:
        af = importlib.import_module("arrayfunc")
    except ImportError:
        print("arrayfunc is not installed")
        return []
    ao.set_num_threads(1)
    number, budget = (4, 0.01) if quick else (9, 0.12)
    found = []
    for row in ROWS:
        times = {n: measured(row, n, af, number, budget) for n in SIZES}
        found.append({"name": row.name, "code": row.code, "arrayfunc": {n: t[0] for n, t in times.items()},
                      "arrayops": {n: t[1] for n, t in times.items()}})  # fmt: skip
        ratios = [t / o for t, o in times.values()]
        below = "    below 1" if min(ratios) < 1 else ""
        print(f"{row.name:28} {row.code}  " + "  ".join(f"{ratio:7.2f}" for ratio in ratios) + below, flush=True)
    return found


def measured_all(quick: bool) -> dict[str, Any] | None:
    """What goes into docs/figures.json; None if arrayfunc is not installed."""
    rows = compare(quick)
    return {"about": about(), "rows": rows} if rows else None


def table(rows: list[dict[str, Any]]) -> str:
    """The page's part: a ratio for each size."""
    lines = ["| | | " + " | ".join(f"{n:,}" for n in SIZES) + " |", "|:-|:-|" + "-:|" * len(SIZES)]
    for row in rows:
        # keys are texts where they come from the file
        theirs, ours = ({int(n): t for n, t in row[who].items()} for who in ("arrayfunc", "arrayops"))
        ratios = " | ".join(f"{theirs[n] / ours[n]:.2f}" for n in SIZES)
        lines.append(f"| `{row['name']}` | {row['code']} | {ratios} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--write", action="store_true", help="write the table into docs/figures.json and its page")
    options = parser.parse_args()
    found = measured_all(options.quick)
    print(about())
    if options.write and found is not None:
        data = json.loads(FIGURES.read_text())
        data["arrayfunc"] = found
        FIGURES.write_text(json.dumps(data, indent=1) + "\n")
        importlib.import_module("scoreboard").render()


if __name__ == "__main__":
    main()
