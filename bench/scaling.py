"""Pipelines over files by several processes, and over more than fits in memory: python bench/scaling.py

    python bench/scaling.py                       # 20 GB, and 1 to 2 processes over 2 GB
    python bench/scaling.py --gigabytes 1 --plot docs/plots/scaling.svg

The files are sparse, so they take no room and are read from the page cache as zeros: what is measured is this package
and not a disk. Each row of the first table is a process of its own. The second is of one computation by one thread in
this process, and by pools of processes that have started; the third is a model, with the constants measured here.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import arrayops as ao
from timing import about

TEXT = "exp(-x*x) * sin(x + 1) + x / 3"  # a few nanoseconds an element: bound by computing
OUT_OF_CORE = {
    '.stats()': "print(p.stats().count)",
    '.map("2*x + 1").filter("x > 1").to(folder)': "print(p.map('2*x + 1').filter('x > 1').to(folder))",
}
CHILD = """
import resource, sys
import arrayops as ao
path, folder = sys.argv[1:]
p = ao.lazy(ao.files(path, typecode="d"))
{call}
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def out_of_core(path: Path, size: int) -> None:
    print(f"\n{size / 1e9:g} GB of doubles, one process\n\n| | processor seconds | MB resident |\n|---|---|---|")
    for name, call in OUT_OF_CORE.items():
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            command = [sys.executable, "-c", CHILD.format(call=call), str(path), folder]
            lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        print(f"| `{name}` | {float(lines[1]):.1f} | {float(lines[2]):.0f} |", flush=True)


def seconds(call: Callable[[], Any], rounds: int = 3) -> float:
    """Of the fastest of some calls."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def by_processes(path: Path, most: int) -> tuple[dict[int, float], float, float]:
    """Seconds by number of processes, of one part by a process, and of what the caller does for each part."""
    pipeline = ao.lazy(ao.files(path, typecode="d")).map(TEXT)
    expected, parts = pipeline.stats(), len(ao.files(path))
    found = {0: seconds(pipeline.stats)}
    overhead = math.inf
    for workers in range(1, most + 1):
        with ProcessPoolExecutor(workers) as pool:
            assert pipeline.stats(executor=pool) == expected
            found[workers] = seconds(lambda pool=pool: pipeline.stats(executor=pool))  # type: ignore[misc]
            overhead = min(overhead, of_the_caller(pool))
    return found, found[1] / parts, overhead


def of_the_caller(pool: Executor, parts: int = 2000) -> float:
    """Processor seconds of this process for one part more, its threads included."""
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(8 * parts)
        file.flush()
        pipeline = ao.lazy(ao.files(file.name, typecode="d", part_bytes=8)).map(TEXT)
        start = time.process_time()
        pipeline.stats(executor=pool)
        return (time.process_time() - start) / parts


def modelled(data: float, workers: int, part: float, overhead: float) -> float:
    """Seconds by so many workers: the last of them to end, or the caller, if it has more to do."""
    parts = math.ceil(data / (1 << 26))
    return max(math.ceil(parts / workers) * part, parts * overhead)


def plot(target: Path, measured: dict[int, float], part: float, overhead: float) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "scaling"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4))
    numbers = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]
    base = modelled(1e13, 1, part, overhead)
    axes.plot(numbers, numbers, color="0.8", label="as many times as fast as there are workers")
    axes.plot(numbers, [base / modelled(1e13, n, part, overhead) for n in numbers], "--", label="model, 10 TB")
    some = [n for n in measured if n]
    axes.plot(some, [measured[1] / measured[n] for n in some], "o", label="measured")
    axes.set(xscale="log", yscale="log", xlabel="workers", ylabel="times as fast as one")
    axes.legend()
    figure.savefig(target, metadata={"Date": None}, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=20, help="of the file that is read in little memory")
    parser.add_argument("--processes", type=int, default=2, help="up to how many are measured")
    parser.add_argument("--plot", type=Path, help="write the picture here (needs matplotlib)")
    options = parser.parse_args()
    print(about())
    with tempfile.TemporaryDirectory() as folder:
        path, size = Path(folder) / "zeros", int(options.gigabytes * 1e9) // 8 * 8
        path.touch()
        os.truncate(path, size)
        out_of_core(path, size)
        os.truncate(path, 2 << 30)
        measured, part, overhead = by_processes(path, options.processes)
    print(f"\n`map({TEXT!r}).stats()` of 2 GiB in parts of 64 MiB\n\n| | seconds | times as fast |\n|---|---|---|")
    for workers, taken in measured.items():
        name = f"{workers} process{'es' * (workers > 1)}" if workers else "no executor"
        print(f"| {name} | {taken:.2f} | {measured[1] / taken:.2f} |")
    print(f"\nModel, not measured: {part * 1e3:.0f} ms of a worker for a part, {overhead * 1e6:.0f} us of the caller\n")
    print("| workers | 1 TB | 10 TB | 100 TB |\n|---|---|---|---|")
    for workers in (1, 10, 100, 1000):
        print(f"| {workers} | " + " | ".join(f"{modelled(data, workers, part, overhead):,.0f} s"
                                             for data in (1e12, 1e13, 1e14)) + " |")  # fmt: skip
    if options.plot:
        plot(options.plot, measured, part, overhead)


if __name__ == "__main__":
    main()
