"""arrayops beside NumPy, numexpr, a C loop and the Python idiom, in one process: python bench/run.py [--quick]

Each contender's answer is compared with Python's before it is timed. Times are minima over interleaved rounds, printed
as nanoseconds an element and as ratios to arrayops; one thread. Writes docs/figures.md, docs/figures.json and the
table in README.md. Needs the packages of the extra "bench", and a C compiler for the C loop; what is missing is left
out of the table.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arrayops as ao

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("a", "b", "c", "d")
TYPES = {"d": "double", "i": "int32_t", "q": "int64_t"}
CONTENDERS = ("C loop", "Python", "NumPy", "numexpr")


@dataclass(frozen=True)
class Case:
    """One expression over arrays of one typecode, written into an array that exists (``out=``)."""

    text: str
    typecode: str
    arrays: int = 1
    c: str = ""  # the same in C, where the text is not
    numpy: str = ""  # the same in NumPy, where the text is not


CASES = (
    Case("a*a + 1", "d"),
    Case("a*a + 1", "i"),
    Case("((2*a + 3)*a + 4)*a + 5", "d"),
    Case("a*b + c*d", "d", 4),
    Case("a if a > 0 else b", "d", 2, "a > 0 ? a : b", "np.where(a > 0, a, b)"),
    Case("a // 7", "q", 1, "a / 7 - (a % 7 < 0)"),
    Case("sqrt(a*a + b*b)", "d", 2, "", "np.sqrt(a*a + b*b)"),
)
SIZES = (1_000, 100_000, 10_000_000)


def inputs(case: Case, size: int) -> list[array[Any]]:
    """Numbers of both signs, the same at every run."""
    base = [((k * 7919) % 2001 - 1000) for k in range(1000)]
    values = [[v + 31 * n for v in base] for n in range(case.arrays)]
    scaled = [[v / 16 for v in vs] for vs in values] if case.typecode == "d" else values
    return [array(case.typecode, vs) * (size // 1000) for vs in scaled]


def c_loops(folder: Path) -> dict[Case, Any]:
    """The cases as loops compiled for this machine, without contraction, as arrayops computes them."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return {}
    lines = ["#include <stdint.h>", "#include <stddef.h>", "#include <math.h>"]
    for k, case in enumerate(CASES):
        kind = TYPES[case.typecode]
        params = ", ".join(f"const {kind} *restrict p{n}" for n in range(case.arrays))
        loads = " ".join(f"const {kind} {NAMES[n]} = p{n}[i];" for n in range(case.arrays))
        lines.append(f"void f{k}({kind} *restrict out, size_t n, {params})")
        lines.append(f"{{ for (size_t i = 0; i < n; i++) {{ {loads} out[i] = {case.c or case.text}; }} }}")
    source, library = folder / "loops.c", folder / "loops.so"
    source.write_text("\n".join(lines))
    flags = ["-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", str(library), str(source), "-lm"], check=True)
    loaded = ctypes.CDLL(str(library))
    return {case: getattr(loaded, f"f{k}") for k, case in enumerate(CASES)}


Calls = dict[str, tuple[Callable[[], Any], Any]]


def contenders(case: Case, arrays: list[array[Any]], loops: dict[Case, Any]) -> Calls:
    """For each contender a call that computes the case and the buffer that it fills."""
    size = len(arrays[0])
    names = dict(zip(NAMES, arrays, strict=False))
    found: Calls = {}
    mine = array(case.typecode, bytes(arrays[0].itemsize * size))
    kernel = ao.compile(case.text, *names)
    found["arrayops"] = (lambda: kernel(*arrays, out=mine), mine)
    if case in loops:
        theirs = array(case.typecode, bytes(arrays[0].itemsize * size))
        pointers = [ctypes.c_void_p(a.buffer_info()[0]) for a in (theirs, *arrays)]
        arguments = [pointers[0], ctypes.c_size_t(size), *pointers[1:]]
        found["C loop"] = (lambda: loops[case](*arguments), theirs)
    try:
        import numpy as np
    except ImportError:
        return found
    views = {name: np.frombuffer(a, dtype=a.typecode) for name, a in names.items()}
    out = np.empty(size, dtype=case.typecode)
    code = compile(case.numpy or case.text, "<case>", "eval")  # our own text, from CASES
    scope = {"np": np, **views}

    def numpy_call() -> None:
        out[...] = eval(code, scope)

    found["NumPy"] = (numpy_call, out)
    try:
        import numexpr
    except ImportError:
        return found
    numexpr.set_num_threads(1)
    if "//" not in case.text:
        text = "where(a > 0, a, b)" if " if " in case.text else case.text
        ne_out = np.empty(size, dtype=case.typecode)
        call = {"local_dict": views, "out": ne_out, "casting": "unsafe"}
        found["numexpr"] = (lambda: numexpr.evaluate(text, **call), ne_out)
    return found


def python_loop(case: Case, arrays: list[array[Any]]) -> Callable[[], array[Any]]:
    """The idiom that arrayops replaces, as a function compiled once."""
    names = ", ".join(NAMES[: case.arrays])
    rows = f"for {names} in zip({names})" if case.arrays > 1 else "for a in a"
    text = f"lambda {names}: array({case.typecode!r}, [{case.text} {rows}])"
    function = eval(text, {"array": array, "sqrt": math.sqrt})  # our own text, from CASES
    return lambda: function(*arrays)


def measure(calls: dict[str, Callable[[], Any]], rounds: int, budget: float) -> dict[str, float]:
    """Seconds of the fastest call of each, the calls taking turns."""
    repeats = {}
    for name, call in calls.items():
        start = time.perf_counter()
        call()
        repeats[name] = max(1, int(budget / rounds / max(time.perf_counter() - start, 1e-7)))
    best = dict.fromkeys(calls, math.inf)
    for _ in range(rounds):
        for name, call in calls.items():
            count = min(repeats[name], 1000)
            start = time.perf_counter()
            for _ in range(count):
                call()
            best[name] = min(best[name], (time.perf_counter() - start) / count)
    return best


def run_case(case: Case, size: int, loops: dict[Case, Any], quick: bool) -> dict[str, Any]:
    """One row: nanoseconds an element by contender."""
    arrays = inputs(case, size)
    found = contenders(case, arrays, loops)
    python = python_loop(case, [a[:1000] for a in arrays])
    expected = python()
    for name, (call, out) in found.items():
        call()
        if array(case.typecode, out[:1000].tolist()).tobytes() != expected.tobytes():
            raise SystemExit(f"{name} gives a wrong answer for {case.text!r} on {case.typecode!r}")
    best = measure({name: call for name, (call, _) in found.items()}, 5 if quick else 15, 0.2 if quick else 1.0)
    nanoseconds = {name: seconds / size * 1e9 for name, seconds in best.items()}
    # The Python loop costs the same for every element: timed on a thousand of them.
    nanoseconds["Python"] = measure({"Python": python}, 5, 0.1)["Python"] / 1000 * 1e9
    return {"text": case.text, "typecode": case.typecode, "size": size, "ns": nanoseconds}


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: arrayops in ns an element, the others as multiples of its time."""
    lines = [
        "| expression | typecode | elements | arrayops, ns an element | " + " | ".join(CONTENDERS) + " |",
        "|---|---|---|---|" + "---|" * len(CONTENDERS),
    ]
    for row in rows:
        ns = row["ns"]
        others = [f"{ns[name] / ns['arrayops']:.2f}" if name in ns else "" for name in CONTENDERS]
        head = f"| `{row['text']}` | `{row['typecode']}` | {row['size']:,} | {ns['arrayops']:.3f} |"
        lines.append(f"{head} " + " | ".join(others) + " |")
    return "\n".join(lines)


def versions() -> str:
    """The machine and what was measured, in a line."""
    found = [f"Python {platform.python_version()}", f"arrayops {ao.__version__} ({ao.isa()})"]
    for name in ("numpy", "numexpr"):
        module = sys.modules.get(name)
        if module is not None:
            found.append(f"{name} {module.__version__}")
    return f"{platform.machine()}, " + ", ".join(found)


def write(rows: list[dict[str, Any]], about: str) -> None:
    """The page, the data, and the README's part."""
    text = (
        f"Measured by `python bench/run.py` on {about}. Every contender writes into an array that exists, on one\n"
        "thread; times are minima. The last columns say how many times as long as arrayops the others take.\n\n"
    )
    (ROOT / "docs" / "figures.md").write_text("# Measured\n\n" + text + table(rows) + "\n")
    (ROOT / "docs" / "figures.json").write_text(json.dumps({"about": about, "rows": rows}, indent=1) + "\n")
    readme = (ROOT / "README.md").read_text()
    head, rest = readme.split("<!-- figures -->")
    tail = rest.split("<!-- end of figures -->")[1]
    largest = [row for row in rows if row["size"] == max(SIZES)][:4]
    middle = f"<!-- figures -->\n{text}{table(largest)}\n<!-- end of figures -->"
    (ROOT / "README.md").write_text(head + middle + tail)


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and nothing is written")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        loops = c_loops(Path(folder))
        rows = [run_case(case, size, loops, quick) for case in CASES for size in SIZES]
    about = versions()
    print(about)
    print(table(rows))
    if not quick:
        write(rows, about)


if __name__ == "__main__":
    main()
