"""Records, statistics, order and pipelines beside everybody: python bench/data.py [--rust FOLDER]

Every answer is compared with Python's before it is timed (NumPy's statistics only to 1e-9: they are not exact). Times
are minima over interleaved rounds in one process; ratios are another's time over ours. Writes docs/data.md. --rust
names a folder into which the Rust package of our name was installed: pip install --target FOLDER arrayops.
"""

from __future__ import annotations

import argparse
import functools
import math
import random
import statistics
import struct
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arrayops as ao
import numpy as np
from peers import rust_package
from timing import about, measure

PAGE = Path(__file__).resolve().parent.parent / "docs" / "data.md"
Calls = dict[str, Callable[[], Any]]


def doubles(count: int, seed: int) -> array[Any]:
    """Numbers from 0 to 1."""
    rng = random.Random(seed)
    return array("d", [rng.random() for _ in range(10_000)]) * (count // 10_000)


def shuffled(count: int, seed: int) -> array[Any]:
    """Different numbers in no order."""
    return array("d", np.random.default_rng(seed).random(count).tobytes())


class Table:
    """Rows: what was done to how many elements, ours in nanoseconds an element, the others as multiples."""

    def __init__(self) -> None:
        self.lines = ["| | elements | arrayops, ns an element | the others, as multiples of it |", "|---|---|---|---|"]
        self.ratios: dict[str, dict[str, float]] = {}

    def row(self, name: str, count: int, calls: Calls, agree: Callable[[Any, Any], bool], want: Any) -> None:
        """Checks every answer, times all, adds a row. The first call is ours."""
        for who, call in calls.items():
            got = call()
            assert agree(got, want), (name, who, got, want)
        best = measure(calls, 7, 0.4)
        ours = best.pop("arrayops")
        self.ratios[name] = {who: t / ours for who, t in best.items()}
        others = ", ".join(f"{who} {ratio:.3g}" for who, ratio in self.ratios[name].items())
        self.lines.append(f"| {name} | {count:,} | {1e9 * ours / count:.2f} | {others} |")
        print(self.lines[-1], flush=True)


def near(got: Any, want: Any) -> bool:
    """Equal, or as near as sums that are not exact come."""
    return bool(np.allclose(got, want, rtol=1e-9))


def records(table: Table) -> None:
    """One field of packed records, scaled to doubles."""
    count, form = 1_000_000, struct.Struct(">iHfH")
    rng = np.random.default_rng(1)
    raw = b"".join(form.pack(i, int(v), 0.5, 7) for i, v in enumerate(rng.integers(0, 65536, count)))
    layout = np.dtype([("a", ">i4"), ("b", ">u2"), ("c", ">f4"), ("d", ">u2")])
    out, target = array("d", bytes(8 * count)), np.empty(count)
    kernel = ao.compile("x*0.01")

    def numpy_cast() -> Any:
        np.multiply(np.frombuffer(raw, layout)["b"].astype("d"), 0.01, out=target)
        return target

    calls: Calls = {
        "arrayops": lambda: kernel(ao.view(raw, ">H", 4, 12), out=out),
        "struct.iter_unpack": lambda: array("d", [r[1] * 0.01 for r in form.iter_unpack(raw)]),
        "NumPy": lambda: np.multiply(np.frombuffer(raw, layout)["b"], 0.01, out=target),
        "NumPy with astype": numpy_cast,
    }
    want = array("d", [r[1] * 0.01 for r in form.iter_unpack(raw)])
    table.row("field `>H` of records of 12 bytes, `x*0.01`", count, calls, lambda a, b: bytes(a) == bytes(b), want)


def pipelines(table: Table) -> None:
    """A pipeline's sum beside the sum of the array itself."""
    x = doubles(10_000_000, 2)
    view = np.frombuffer(x)
    pipeline = ao.lazy(x).map("x*x").filter("x > 0.25")

    def numpy_way() -> float:
        squares = view * view
        return float(squares[squares > 0.25].sum())

    calls: Calls = {
        "arrayops": pipeline.sum,
        "Python": lambda: math.fsum(y for y in (v * v for v in x) if y > 0.25),
        "NumPy": numpy_way,
    }
    want = math.fsum(y for y in (v * v for v in x) if y > 0.25)
    table.row('lazy(x).map("x*x").filter("x > 0.25").sum()', len(x), calls, near, want)
    table.row("sum of the same array, for comparison", len(x), {"arrayops": lambda: ao.sum(x)}, near, math.fsum(x))


def moments(table: Table, rust: Any) -> None:
    """Statistics in one pass."""
    x = doubles(10_000_000, 3)
    view = np.frombuffer(x)
    want = (float(view.sum()), min(x), max(x), float(view.var()))
    table.row("stats", len(x), {
        "arrayops": lambda: (lambda s: (s.sum, s.min, s.max, s.var))(ao.stats(x)),
        "NumPy: sum mean min max var std": lambda: (
            view.mean(), (view.sum(), view.min(), view.max(), view.var()), view.std())[1],
    }, near, want)  # fmt: skip
    x = shuffled(1_000_000, 4)
    view, few = np.frombuffer(x), x[:100_000]
    calls: Calls = {"arrayops": lambda: ao.var(x), "NumPy": view.var}
    if rust is not None:
        calls["Rust arrayops"] = lambda: rust.var(x)
    table.row("var", len(x), calls, near, ao.var(x))
    calls = {"arrayops": lambda: ao.var(few), "statistics.pvariance": lambda: statistics.pvariance(few)}
    table.row("var", len(few), calls, lambda a, b: a == b, statistics.pvariance(few))
    y = shuffled(1_000_000, 5)
    other = np.frombuffer(y)
    calls = {
        "arrayops": lambda: ao.dot(x, y),
        "math.fsum of products": lambda: math.fsum(a * b for a, b in zip(x, y, strict=True)),
        "NumPy (not exact)": lambda: view @ other,
    }
    table.row("dot", len(x), calls, near, ao.dot(x, y))


def order(table: Table, rust: Any) -> None:
    """Sorting and what needs it."""
    x = shuffled(999_999, 6)  # of an even number the Rust package gives the lower median
    view, in_order = np.frombuffer(x), sorted(x)
    again = functools.partial(array, "d")

    def sorted_by(sort: Callable[[Any], object]) -> Any:
        copy = again(x)
        sort(copy)
        return copy

    calls: Calls = {
        "arrayops": lambda: ao.median(x), "statistics.median": lambda: statistics.median(x),
        "NumPy": lambda: np.median(view),
    }  # fmt: skip
    if rust is not None:
        calls["Rust arrayops"] = lambda: rust.median(x)
    table.row("median", len(x), calls, lambda a, b: a == b, statistics.median(x))
    calls = {
        "arrayops": lambda: sorted_by(ao.sort), "sorted": lambda: again(sorted(x)), "NumPy": lambda: np.sort(view),
    }  # fmt: skip
    if rust is not None:
        calls["Rust arrayops"] = lambda: sorted_by(rust.sort)
    table.row("sort of a copy", len(x), calls, lambda a, b: list(a) == b, in_order)
    calls = {"arrayops": lambda: ao.unique(x), "sorted(set)": lambda: again(sorted(set(x))),
             "NumPy": lambda: np.unique(view)}  # fmt: skip
    if rust is not None:
        calls["Rust arrayops"] = lambda: rust.unique(x)
    table.row("unique", len(x), calls, lambda a, b: list(a) == b, sorted(set(x)))


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rust", metavar="FOLDER", help="where the Rust package of our name is")
    rust = rust_package(parser.parse_args().rust)
    table = Table()
    records(table)
    pipelines(table)
    moments(table, rust)
    order(table, rust)
    text = "\n".join(table.lines)
    threads = ao.set_num_threads(1)
    x = doubles(10_000_000, 2)
    pipeline = ao.lazy(x).map("x*x").filter("x > 0.25")
    single = 1e9 * measure({"arrayops": pipeline.sum}, 7, 0.4)["arrayops"] / len(x)
    ao.set_num_threads(threads)
    PAGE.write_text(f"""# Figures: records, statistics, order, pipelines

By `python bench/data.py` (`--rust FOLDER`: the Rust package of this name, too) on
{about()}. The last column says how many times as long the others take:
2.0 means twice as long as arrayops, 0.5 half as long. All took turns in one process.

{text}

The pipeline, `stats`, `var` and `dot` of long arrays share their work among all threads that `ao.set_num_threads`
allows, here {threads}; `sum` has one. On one thread the pipeline takes {single:.2f} ns an element. Sums are exact,
and where no addition has anything to round they take as long as memory does; with AVX-512 a pipeline's values are
added up where they are computed. Memory is read once (counted with cachegrind: `stats` and the pipeline miss 1.00
times the lines that `sum` misses), and nothing is allocated that grows with the input.
""")


if __name__ == "__main__":
    main()
