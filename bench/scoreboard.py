"""arrayops beside everybody, in one process and run: python bench/scoreboard.py [--quick] [--rust FOLDER]

Every contender's answer is compared with Python's before it is timed. Times are minima over interleaved rounds, on one
thread unless said otherwise; ratios are another's time over ours. Each figure to be reached is printed with what was
reached. Writes docs/figures.md, docs/figures.json, docs/plots and the table in README.md. Needs the packages of the
extra "bench" and a C compiler; what is missing is left out. --rust names a folder into which the Rust package of our
name was installed: pip install --target FOLDER arrayops.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import timeit
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import array_functions
import arrayops as ao
import numpy as np
from peers import (
    ORDER,
    Call,
    Expression,
    Loops,
    bottleneck,
    contenders,
    empty,
    numexpr,
    python_loop,
    returning,
    rust_package,
)
from timing import about, rounds, spread

ROOT = Path(__file__).resolve().parent.parent
BIG = 10_000_000
SIZES = (10, 1_000, 100_000, BIG)
SIXTH = "(((((2*x + 3)*x + 4)*x + 5)*x + 6)*x + 7)*x + 8"
TWELVE = "(x*y + z)*(y - w) + (x + z*w)*(x - y) - w*x + y"

#: A figure to be reached: at this size, another's time over ours must be at least so much.
Needs = dict[tuple[int, str], float]


#: What the first picture shows.
PICTURED = ("x*x + 1", "((2*x + 3)*x + 4)*x + 5", "x*y + z*w", "x if x > 0 else y", "x % 11", "sum of doubles")
ALTERNATIVE = "Bars: how many times as long as arrayops Python, NumPy, numexpr and Numba take, on a logarithmic scale"
CONCLUSION = """\
Against a loop in Python everything gains, by a factor of hundreds where an expression has several operations. NumPy
makes a pass over memory for each operation, so it falls behind as expressions grow; numexpr works in blocks, as
arrayops does, with more to do for each. Numba compiles a loop of its own: it is ahead where many cheap operations
meet data in the cache, and behind at the first call. On data larger than the cache all that make one pass are
alike."""


@dataclass
class Row:
    """One comparison at one size: nanoseconds a call, and what there is to reach."""

    name: str
    size: int
    fresh: bool
    needs: dict[str, float]
    nanoseconds: dict[str, float] = field(default_factory=dict)
    spread: float = 1.0

    def ratio(self, name: str) -> float:
        """Another's time over ours."""
        return self.nanoseconds[name] / self.nanoseconds["arrayops"]


@dataclass
class Figure:
    """One line of the list of figures."""

    name: str
    wanted: str
    reached: str
    good: bool


def doubles(count: int, seed: int) -> array[Any]:
    """Random doubles in -1..1, none of them 0."""
    values = np.random.default_rng(seed).uniform(-1, 1, count)
    return array("d", values.tobytes())


def integers(typecode: str, count: int, seed: int, low: int, high: int) -> array[Any]:
    """Random integers in low..high-1."""
    values = np.random.default_rng(seed).integers(low, high, count, dtype=typecode)
    return array(typecode, values.tobytes())


class Board:
    """All that was measured."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.rows: list[Row] = []
        self.figures: list[Figure] = []
        self.arrayfunc: dict[str, Any] | None = None  # what array_functions.py measured

    def compare(self, name: str, size: int, calls: dict[str, Call], expected: array[Any] | None,
                needs: dict[str, float], fresh: bool = False) -> Row:  # fmt: skip
        """Checks and times the calls. ``expected``: the first results; None where answers may differ."""
        for who, (call, result) in calls.items():
            call()
            if expected is not None and beginning(result(), expected) != expected.tobytes():
                raise SystemExit(f"{who} gives a wrong answer for {name}")
        number, budget = (4, 0.06) if self.quick else (9, 0.35)
        times = rounds({who: call for who, (call, _) in calls.items()}, number, budget)
        row = Row(name, size, fresh, needs, {who: 1e9 * min(t) for who, t in times.items()}, spread(times["arrayops"]))
        self.rows.append(row)
        for who, least in needs.items():
            if who in row.nanoseconds:
                wanted = f"{who} takes at least {least:.2f} times as long"
                self.figure(f"{name}, {size:,}", wanted, f"{row.ratio(who):.2f}", row.ratio(who) >= least)
        ratios = ", ".join(f"{who} {row.ratio(who):.2f}" for who in calls if who != "arrayops")
        print(f"{name}, {size:,}{', fresh' * fresh}: {row.nanoseconds['arrayops'] / size:.3f} ns; {ratios}", flush=True)
        return row

    def figure(self, name: str, wanted: str, reached: str, good: bool) -> None:
        """Notes a figure to be reached."""
        self.figures.append(Figure(name, wanted, reached, good))
        if not good:
            print(f"    SHORT: {name}: {wanted}; {reached}", flush=True)


def beginning(result: Any, like: array[Any]) -> bytes:
    """The first elements of a result, whatever kind of array it is, as bytes of the wanted type."""
    return bytes(np.asarray(result)[: len(like)].astype(like.typecode).tobytes())


# -- expressions -----------------------------------------------------------------------------------------------------

EXPRESSIONS: dict[Expression, Needs] = {
    Expression("x*x + 1"): {(BIG, "C loop"): 1 / 1.05, (100_000, "Numba"): 1.0, (10, "NumPy"): 6, (10, "numexpr"): 15},
    Expression("((2*x + 3)*x + 4)*x + 5"): {(BIG, "C loop"): 1 / 1.05, (100_000, "Numba"): 1.0},
    Expression(SIXTH): {(100_000, "Numba"): 1.0},
    Expression("x*y + z*w", arrays=4): {(BIG, "C loop"): 1 / 1.05, (100_000, "Numba"): 1 / 1.1},
    Expression(TWELVE, arrays=4): {(100_000, "Numba"): 1 / 2.0},
}
OTHERS: dict[Expression, Needs] = {
    Expression("x if x > 0 else y", "d", 2, c="x > 0 ? x : y", numpy="np.where(x > 0, x, y)",
               numexpr="where(x > 0, x, y)"): {(100_000, "NumPy"): 5},
    Expression("x*3 + 7", "i", 1, "q", c="(int64_t)x*3 + 7"): {(100_000, "NumPy"): 1 / 1.2},
    Expression("x % 11", "q", c="x % 11 + (x % 11 < 0) * 11", numexpr="-"): {(100_000, "NumPy"): 3},
    Expression("x // 7", "q", c="x / 7 - (x % 7 < 0)"): {(100_000, "NumPy"): 3},
    Expression("x % y", "q", 2, c="x % y + ((x % y != 0) & ((x % y < 0) != (y < 0))) * y",
               numexpr="-"): {(100_000, "NumPy"): 3},
    Expression("x // y", "q", 2, c="x / y - ((x % y != 0) & ((x < 0) != (y < 0)))"): {(100_000, "NumPy"): 3},
    Expression("(x*6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF", "Q",
               c="x*6364136223846793005u + 1442695040888963407u", numexpr="-",
               numpy="x*np.uint64(6364136223846793005) + np.uint64(1442695040888963407)"): {(100_000, "NumPy"): 1.0},
    Expression("x*2 if x < 100 else 255", "B", c="x < 100 ? x*2 : 255", numpy="np.where(x < 100, x*np.uint8(2), 255)",
               numexpr="-"): {(BIG, "memcpy"): 0.5},
}  # fmt: skip


def inputs(e: Expression, size: int) -> list[array[Any]]:
    """The arrays of an expression."""
    if e.typecode == "d":
        return [doubles(size, n) for n in range(e.arrays)]
    low, high = {"i": (-(2**29), 2**29), "q": (-(10**9), 10**9), "Q": (0, 2**63), "B": (0, 256)}[e.typecode]
    found = [integers(e.typecode, size, 0, low, high)]
    return found + [integers(e.typecode, size, n, 1, 1000) for n in range(1, e.arrays)]


def needed(needs: Needs, e: Expression, size: int) -> dict[str, float]:
    """The figures of an expression at a size; the arithmetic ones also against NumPy and numexpr."""
    found = {who: least for (at, who), least in needs.items() if at == size}
    if e in EXPRESSIONS and size >= 100_000:
        found = {"NumPy": 2.0, "numexpr": 4.0, **found}
    return found


def memcpy_call(source: array[Any]) -> Call:
    """The C library's copy of as many bytes."""
    target = bytearray(len(source) * source.itemsize)
    to, size = (ctypes.c_char * len(target)).from_buffer(target), len(target)
    copy, origin = ctypes.memmove, source.buffer_info()[0]
    return lambda: copy(to, origin, size), lambda: target


def run_expression(board: Board, e: Expression, size: int, needs: Needs, loops: Loops) -> None:
    """One expression at one size: with an output that exists, and fresh."""
    arrays = inputs(e, size)
    slices = [a[:1000] for a in arrays]
    expected = python_loop(e, slices)()
    for fresh in (False, True) if e in EXPRESSIONS else (False,):
        calls = contenders(e, arrays, loops, fresh)
        if not fresh and size <= 100_000:
            loop = python_loop(e, arrays)
            calls["Python"] = loop, loop
        row = board.compare(e.text, size, calls, expected, {} if fresh else needed(needs, e, size), fresh)
        if "memcpy" in row.needs:
            one = memcpy_call(arrays[0])[0]
            times = rounds({"arrayops": calls["arrayops"][0], "memcpy": one}, 9, 0.35)
            ratio = min(times["memcpy"]) / min(times["arrayops"])
            board.figure(f"{e.text}, {size:,}", "at least half the speed of memcpy", f"{ratio:.2f}", ratio >= 0.5)


def run_expressions(board: Board) -> None:
    """All expressions at all sizes."""
    with tempfile.TemporaryDirectory() as folder:
        loops = Loops([*EXPRESSIONS, *OTHERS], Path(folder))
        for e, needs in EXPRESSIONS.items():
            for size in SIZES:
                run_expression(board, e, size, needs, loops)
        for e, needs in OTHERS.items():
            for size in sorted({at for at, _ in needs}):
                run_expression(board, e, size, needs, loops)


# -- what is no expression over arrays -------------------------------------------------------------------------------


def run_calls(board: Board, rust: Any) -> None:
    """Call overhead: 10 elements; and functions that are only called."""
    x = doubles(10, 1)
    scope = {"x": x, "k": ao.compile("x*x + 1"), "o": array("d", bytes(80)), "v": np.frombuffer(x), "ao": ao}

    def nanoseconds(statement: str) -> float:
        timer = timeit.Timer(statement, globals=scope)  # without the call of a lambda, which would be a third of it
        return 1e9 * min(timer.repeat(15, 20_000)) / 20_000

    unit = nanoseconds("v*v + 1") / 1000
    for statement, most in (("ao.map(x, 'x*x + 1')", 100), ("k(x, out=o)", 50)):
        ns = nanoseconds(statement)
        board.figure(f"{statement}, 10", f"{most} ns where NumPy takes 1 us", f"{ns / unit:.0f} ns ({ns:.0f} here)",
                     ns / unit <= most)  # fmt: skip
    big = doubles(100_000, 2)

    def f(value: float) -> float:
        return value * value + 1

    calls: dict[str, Call] = {
        "arrayops": returning(lambda: ao.map(big, f, compile=False)),
        "Python": returning(lambda: array("d", [f(v) for v in big])),
    }
    if rust is not None:
        calls["Rust arrayops"] = returning(lambda: rust.map(big, f))
    board.compare("a function that is called", 100_000, calls, array("d", [f(v) for v in big]),
                  {"Python": 1.4})  # fmt: skip


def run_sums(board: Board, rust: Any) -> None:
    """Exact sums of doubles against those that are not."""
    for size, least in ((100, 3.0), (100_000, 1.0), (BIG, 1.5)):
        x = doubles(size, 3)
        view = np.frombuffer(x)
        if ao.sum(x) != math.fsum(x):
            raise SystemExit("a wrong sum")
        calls: dict[str, Call] = {"arrayops": returning(lambda x=x: ao.sum(x)), "NumPy": returning(view.sum)}
        if size <= 100_000:
            calls["Python"] = returning(lambda x=x: math.fsum(x))
        if rust is not None:
            calls["Rust arrayops"] = returning(lambda x=x: rust.sum(x))
        board.compare("sum of doubles", size, calls, None, {"NumPy": least})


def run_filter(board: Board, rust: Any) -> None:
    """Half of a million numbers."""
    x = doubles(1_000_000, 4)
    view = np.frombuffer(x)
    calls: dict[str, Call] = {
        "arrayops": returning(lambda: ao.filter(x, "x > 0.5")),
        "NumPy": returning(lambda: view[view > 0.5]),
        "Python": returning(lambda: array("d", [v for v in x if v > 0.5])),
    }
    for i in range(len(x)):
        x[i] = (x[i] + 1) / 2
    if rust is not None:
        calls["Rust arrayops"] = returning(lambda: rust.filter(x, lambda v: v > 0.5))
    board.compare("filter x > 0.5", 1_000_000, calls, array("d", [v for v in x if v > 0.5]), {"NumPy": 5})


def run_order(board: Board) -> None:
    """Counting, order and windows of a million doubles; sums of windows are exact here and nowhere else."""
    size, width = 1_000_000, 100
    x = array("d", np.random.default_rng(8).random(size).tobytes())
    view = np.frombuffer(x)
    counts, edges = np.histogram(view, 20)
    calls: dict[str, Call] = {
        "arrayops": returning(lambda: ao.histogram(x, 20)[0]),
        "NumPy": returning(lambda: np.histogram(view, 20)[0]),
    }
    board.compare("histogram of 20 bins", size, calls, array("q", counts), {"NumPy": 4.0})
    inside = array("d", edges)
    calls = {
        "arrayops": returning(lambda: ao.searchsorted(inside, x)),
        "NumPy": returning(lambda: np.searchsorted(edges, view)),
    }
    board.compare("searchsorted among 21", size, calls, array("q", np.searchsorted(edges, view[:1000])), {})
    calls = {
        "arrayops": returning(lambda: ao.argsort(x)),
        "NumPy": returning(lambda: np.argsort(view)),
    }
    places = np.argsort(view, kind="stable")
    board.compare("argsort", size, calls, array("q", places[:1000]), {"NumPy": 1.0})
    calls = {
        "arrayops": returning(lambda: ao.topk(x, 100)),
        "NumPy": returning(lambda: np.sort(np.partition(view, size - 100)[-100:])[::-1]),
    }
    board.compare("the 100 largest", size, calls, array("d", view[places[:-101:-1]]), {})
    windows = ao.rolling(x, width)
    for name, least in (("mean", 1 / 1.5), ("min", 1.0), ("std", 0.0), ("median", 0.0)):
        calls = {"arrayops": returning(getattr(windows, name))}
        if bottleneck is not None:
            theirs = getattr(bottleneck, f"move_{name}")
            calls["bottleneck"] = returning(lambda theirs=theirs: theirs(view, width)[width - 1 :])
        expected = array("d", [min(x[i : i + width]) for i in range(1000)]) if name == "min" else None
        needs = {"bottleneck": least} if least else {}
        board.compare(f"rolling {name} of {width}", size, calls, expected, needs)


def run_threads(board: Board) -> None:
    """Two threads against one; numexpr beside."""
    x = doubles(2 * BIG, 5)
    out = empty(Expression("x"), len(x))
    view, target = np.frombuffer(x), np.empty(len(x))
    most = len(os.sched_getaffinity(0))
    for text, least in (("exp(x)*sin(x)", 1.8), ("x*x + 1", 1.0)):
        kernel = ao.compile(text)
        calls: dict[str, Callable[[], Any]] = {
            "one": lambda kernel=kernel: kernel(x, out=out, threads=1),
            "all": lambda kernel=kernel: kernel(x, out=out, threads=most),
        }
        if numexpr is not None:
            for who, number in (("numexpr, one", 1), ("numexpr, all", most)):
                calls[who] = lambda text=text, number=number: (
                    numexpr.set_num_threads(number),
                    numexpr.evaluate(text, {"x": view}, out=target),
                )
        best = {who: min(t) for who, t in rounds(calls, 7, 1.0).items()}
        gain = best["one"] / best["all"]
        per = ", ".join(f"{who} {1e9 * s / len(x):.2f} ns" for who, s in best.items())
        print(f"threads: {text}: {per}", flush=True)
        board.figure(f"{text}, {len(x):,}, {most} threads", f"{least} times as fast as one",
                     f"{gain:.2f} ({per})", gain >= least)  # fmt: skip


def run_starts(board: Board) -> None:
    """Compiling, importing, memory."""
    rng = random.Random(7)
    texts, x = [f"x*{rng.random()!r} + {n}" for n in range(200)], doubles(4000, 6)
    functions = [eval(f"lambda x: {text}") for text in texts]
    for name, fs in (("a new string", texts), ("a new lambda", functions)):
        times = []
        for f in fs:
            start = time.perf_counter()
            ao.map(x, f)
            times.append(time.perf_counter() - start)
        board.figure(name, "at most 250 us in all", f"{1e6 * min(times):.0f} us", min(times) <= 250e-6)
    program = (
        "import time, sys; s = time.perf_counter(); import {what}; t = time.perf_counter() - s;"
        "print(t, [int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmRSS')][0])"
    )
    found = {}
    for what in ("array", "arrayops"):
        runs = [subprocess.run([sys.executable, "-c", program.format(what=what)], capture_output=True, text=True,
                               check=True).stdout.split() for _ in range(10)]  # fmt: skip
        found[what] = min(float(r[0]) for r in runs), min(int(r[1]) for r in runs)
    took = 1e3 * (found["arrayops"][0] - found["array"][0])
    memory = (found["arrayops"][1] - found["array"][1]) / 1024
    board.figure("import, over that of array", "at most 15 ms", f"{took:.1f} ms", took <= 15)
    board.figure("memory, over that with array", "at most 4 MB", f"{memory:.1f} MB", memory <= 4)
    size = wheel_size() / 1000
    board.figure("the wheel", "at most 800 kB", f"{size:.0f} kB", size <= 800)


def wheel_size() -> int:
    """Bytes of a wheel of this tree, built as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT],
                       check=True)  # fmt: skip
        return next(Path(folder).glob("*.whl")).stat().st_size


# -- results ---------------------------------------------------------------------------------------------------------


def figures_table(board: Board) -> str:
    """The figures to be reached."""
    lines = ["| | what | figure | reached |", "|---|---|---|---|"]
    for f in board.figures:
        lines.append(f"| {'yes' if f.good else '**short**'} | `{f.name}` | {f.wanted} | {f.reached} |")
    return "\n".join(lines)


def rows_table(rows: list[Row]) -> str:
    """arrayops in nanoseconds an element, the others as multiples of its time."""
    who = [name for name in ORDER if any(name in row.nanoseconds for row in rows)]
    lines = ["| | elements | arrayops, ns an element | " + " | ".join(who) + " |", "|---|---|---|" + "---|" * len(who)]
    for row in rows:
        cells = [f"{row.ratio(name):.2f}" if name in row.nanoseconds else "" for name in who]
        own = row.nanoseconds["arrayops"] / row.size
        lines.append(f"| `{row.name}` | {row.size:,} | {own:.3f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def drawing() -> Any:
    """matplotlib.pyplot, set up for pictures that are the same each time and legible on white and on black."""
    import matplotlib

    matplotlib.use("svg")
    parts = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    grey = dict.fromkeys(parts, "#808080")
    matplotlib.rcParams.update({"svg.hashsalt": "arrayops", "savefig.transparent": True, **grey})
    from matplotlib import pyplot

    return pyplot


def save(figure: Any, path: Path) -> None:
    """Writes a picture."""
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    drawing().close(figure)


def overview(rows: list[Row], folder: Path) -> str:
    """The picture of README and landing page: how many times as long as arrayops the others take; its file name."""
    shown = [row for row in rows if row.size == 100_000 and not row.fresh and row.name in PICTURED]
    who = [name for name in ("Python", "NumPy", "numexpr", "Numba") if any(name in row.nanoseconds for row in shown)]
    figure, axes = drawing().subplots(figsize=(7.5, 0.75 * len(shown) + 1))
    for k, name in enumerate(who):
        ratios = [row.ratio(name) if name in row.nanoseconds else math.nan for row in shown]
        places = [at + (k - (len(who) - 1) / 2) * 0.2 for at in range(len(shown))]
        axes.barh(places, ratios, height=0.18, label=name)
        for place, ratio in zip(places, ratios, strict=True):
            if ratio == ratio:  # beside the line at 1, or it would be struck out
                axes.text(max(ratio, 1) * 1.06, place, f"{ratio:.3g}", fontsize=7, va="center")
    axes.axvline(1, color="#808080", lw=1)
    axes.set(xscale="log", yticks=range(len(shown)), yticklabels=[row.name for row in shown],
             xlabel="times as long as arrayops, 100,000 elements, one thread")  # fmt: skip
    axes.xaxis.set_major_formatter("{x:g}")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    save(figure, folder / "overview.svg")
    return "overview.svg"


def plots(rows: list[Row], folder: Path) -> list[tuple[str, str]]:
    """A plot for each expression of doubles, nanoseconds an element by size; their file names and texts."""
    names = []
    for k, e in enumerate(EXPRESSIONS):
        mine = [row for row in rows if row.name == e.text and not row.fresh]
        figure, axes = drawing().subplots(figsize=(6, 3.6))
        for who in ("arrayops", *ORDER):
            points = [(row.size, row.nanoseconds[who] / row.size) for row in mine if who in row.nanoseconds]
            if points:
                axes.loglog(*zip(*points, strict=True), label=who, marker="o", lw=2.5 if who == "arrayops" else 1)
        axes.set(title=e.text, xlabel="elements", ylabel="ns an element")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, ncols=2, framealpha=0)
        names.append((f"expression-{k + 1}.svg", e.text))
        save(figure, folder / names[-1][0])
    return names


def beside_arrayfunc(measured: dict[str, Any] | None) -> str:
    """The section on arrayfunc, or nothing if it was not measured."""
    if measured is None:
        return ""
    ratios = [row["arrayfunc"][n] / row["arrayops"][n] for row in measured["rows"] for n in row["arrayfunc"]]
    return (
        "## Beside arrayfunc\n\n"
        f"By `python bench/array_functions.py --write` on {measured['about']}: functions of the package\n"
        "[arrayfunc](https://pypi.org/project/arrayfunc/) and what one writes here instead, at three numbers of\n"
        "elements. Ratios are arrayfunc's time divided by that of arrayops, with results into arrays that exist; a\n"
        f"selection is a new array here. {sum(r < 1 for r in ratios)} of {len(ratios)} are below 1.\n\n"
        f"{array_functions.table(measured['rows'])}\n\n"
    )


def write(board: Board, machine: str) -> None:
    """The page, the data, the plots, and the README's part. machine: what about() said where it was measured."""
    folder = ROOT / "docs" / "plots"
    folder.mkdir(exist_ok=True)
    pictures, first = plots(board.rows, folder), overview(board.rows, folder)
    worst = max(row.spread for row in board.rows)
    head = (
        f"By `python bench/scoreboard.py` on {machine}. Times are the least of many runs,\n"
        "on one thread unless said. A ratio is another's time divided by that of arrayops in the same run: 2.0 means\n"
        "that the other takes twice as long as arrayops, 0.5 half as long.\n"
    )
    filled, fresh = ([row for row in board.rows if row.fresh == new] for new in (False, True))
    text = (
        f"# Measured\n\n{head}The median run of each took up to {worst:.2f} times as\n"
        "long as its fastest, so smaller differences than that mean little.\n\n"
        f"![{ALTERNATIVE}](plots/{first})\n\n{CONCLUSION}\n\n"
        + "\n".join(f"![Nanoseconds an element of {text}, by size](plots/{name})" for name, text in pictures)
        + "\n\n## Results into an array that exists\n\nArrow and Polars always make a new one.\n\n"
        f"{rows_table(filled)}\n\n## Results into a new array\n\n{rows_table(fresh)}\n\n"
        f"{beside_arrayfunc(board.arrayfunc)}"
        f"## What the project has set itself\n\n{figures_table(board)}\n"
    )
    (ROOT / "docs" / "figures.md").write_text(text)
    data = {"about": machine, "figures": [vars(f) for f in board.figures], "rows": [vars(r) for r in board.rows]}
    if board.arrayfunc is not None:
        data["arrayfunc"] = board.arrayfunc
    (ROOT / "docs" / "figures.json").write_text(json.dumps(data, indent=1) + "\n")
    readme = (ROOT / "README.md").read_text()
    before, rest = readme.split("<!-- figures -->")
    after = rest.split("<!-- end of figures -->")[1]
    names = [e.text for e in EXPRESSIONS]
    chosen = [row for row in board.rows if row.size == 100_000 and not row.fresh and row.name in names][:4]
    middle = f"<!-- figures -->\n{head}\n{rows_table(chosen)}\n<!-- end of figures -->"
    (ROOT / "README.md").write_text(before + middle + after)


def render() -> None:
    """Writes from what was measured before."""
    data = json.loads((ROOT / "docs" / "figures.json").read_text())
    board = Board(False)
    board.rows = [Row(**row) for row in data["rows"]]
    board.figures = [Figure(**figure) for figure in data["figures"]]
    board.arrayfunc = data.get("arrayfunc")
    write(board, data["about"])


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and nothing is written")
    parser.add_argument("--render", action="store_true", help="write the pages again from docs/figures.json")
    parser.add_argument("--rust", metavar="FOLDER", help="where the Rust package of our name is")
    options = parser.parse_args()
    if options.render:
        return render()
    board, rust = Board(options.quick), rust_package(options.rust)
    run_calls(board, rust)
    run_expressions(board)
    run_sums(board, rust)
    run_filter(board, rust)
    run_order(board)
    run_threads(board)
    run_starts(board)
    known = json.loads((ROOT / "docs" / "figures.json").read_text()).get("arrayfunc")
    board.arrayfunc = array_functions.measured_all(board.quick) or known
    print(about())
    print(figures_table(board))
    if not options.quick:
        write(board, f"{about()}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
