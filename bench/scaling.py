"""Pipelines over files by several processes, and over more than fits in memory: python bench/scaling.py

    python bench/scaling.py                       # threads, 1 to 2 processes over 2 GB, and 20 GB in one
    python bench/scaling.py --gigabytes 1 --plot docs/plots/scaling.svg
    python bench/scaling.py --only-threads        # the last table, in some seconds

The files are sparse, so they take no room and are read from the page cache as zeros: what is measured is this package
and not a disk. Each row of the first table is a process of its own. The second is of pools of processes that have
started: how long it took, which other programs lengthen, and the processor time of the process that had most to do,
which they do not. The third is a model, with the constants measured here. The last is of threads within a call: by how
much it takes less time with others, and the one that called less processor time.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import arrayops as ao
from timing import about

TEXT = "exp(-x*x) * sin(x + 1) + x / 3"  # a few nanoseconds an element: bound by computing
PREDICATE = "exp(-x*x) * sin(x + 1) + cos(x) > 0.2"
THREADED: dict[str, Callable[[array[float]], object]] = {
    f"map(x, {TEXT!r})": lambda x: ao.map(x, TEXT),
    f"filter(x, {PREDICATE!r})": lambda x: ao.filter(x, PREDICATE),
    f"count(x, {PREDICATE!r})": lambda x: ao.count(x, PREDICATE),
    f"lazy(x).filter({PREDICATE!r}).map('x*x').collect()": lambda x: ao.lazy(x).filter(PREDICATE).map("x*x").collect(),
    f"lazy(x).map({TEXT!r}).sum()": lambda x: ao.lazy(x).map(TEXT).sum(),
    f"lazy(x).map({TEXT!r}).max()": lambda x: ao.lazy(x).map(TEXT).max(),
    f"all(x, {PREDICATE.replace('> 0.2', '< 9')!r})": lambda x: ao.all(x, PREDICATE.replace("> 0.2", "< 9")),
    f"first(x, {PREDICATE.replace('> 0.2', '> 9')!r})": lambda x: ao.first(x, PREDICATE.replace("> 0.2", "> 9")),
    "stats(x)": lambda x: ao.stats(x),
    "sort(x[:])": lambda x: ao.sort(x[:]),
    "argsort(x)": lambda x: ao.argsort(x),
    "unique(x)": lambda x: ao.unique(x),
    "median(x)": lambda x: ao.median(x),
    "rolling(x, 9).median()": lambda x: ao.rolling(x, 9).median(),
    "histogram(x, 1000)": lambda x: ao.histogram(x, 1000),
    "bincount(k)": lambda x: ao.bincount(KEYS),
    "max(r)": lambda x: ao.max(READ),
}
KEYS = array("H", range(1000)) * 1049  # as many
READ = array("d", range(1 << 20)) * 4  # four times as many, as they are only read
OUT_OF_CORE = {
    ".stats()": "print(p.stats().count)",
    '.map("2*x + 1").filter("x > 1").to(folder)': "print(p.map('2*x + 1').filter('x > 1').to(folder))",
}
CHILD = """
import re, sys, time
import arrayops as ao
path, folder = sys.argv[1:]
p = ao.lazy(ao.files(path, typecode="d"))
{call}
most = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]  # getrusage has the parent's as well
print(time.process_time(), int(most) / 1024)
"""


def out_of_core(path: Path, size: int) -> None:
    print(f"\n{size / 1e9:g} GB of doubles, one process\n\n| | processor seconds | MB resident |\n|---|---|---|")
    for name, call in OUT_OF_CORE.items():
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            command = [sys.executable, "-c", CHILD.format(call=call), str(path), folder]
            lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        print(f"| `{name}` | {float(lines[1]):.1f} | {float(lines[2]):.0f} |", flush=True)


def clock() -> tuple[int, float]:
    """This process, and the processor seconds that it has had."""
    time.sleep(0.01)  # so that others take calls, too
    return os.getpid(), time.process_time()


def clocks(pool: Executor, workers: int) -> dict[int, float]:
    """Processor seconds of each process of a pool."""
    found: dict[int, float] = {}
    while len(found) < workers:
        found.update(future.result() for future in [pool.submit(clock) for _ in range(4 * workers)])
    return found


def by_processes(path: Path, most: int) -> tuple[list[tuple[int, float, float]], float]:
    """(processes, seconds, processor seconds of the busiest of them), and seconds of the caller for each part."""
    pipeline = ao.lazy(ao.files(path, typecode="d")).map(TEXT)
    expected, overhead, found = pipeline.stats(), math.inf, []
    for workers in range(1, most + 1):
        with ProcessPoolExecutor(workers) as pool:
            assert pipeline.stats(executor=pool) == expected
            before, start = clocks(pool, workers), time.perf_counter()
            pipeline.stats(executor=pool)
            taken, after = time.perf_counter() - start, clocks(pool, workers)
            found.append((workers, taken, max(after[pid] - before[pid] for pid in before)))
            overhead = min(overhead, of_the_caller(pool))
    return found, overhead


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


def by_threads(most: int) -> list[tuple[str, float, list[tuple[float, float]]]]:
    """(operation, milliseconds of one thread, and how many times less with 2, 3, ...: time, time of the caller)."""
    x = array("d", (((k * 7919) % 1000003 - 500001.5) / 5000 for k in range(1 << 20)))
    found = []
    for name, call in THREADED.items():
        taken: dict[int, tuple[float, float]] = {}
        for threads in [*range(1, most + 1)] * 5:  # in turn, so that others disturb all of them
            ao.set_num_threads(threads)
            start, own = time.perf_counter(), time.thread_time()
            call(x)
            now = time.perf_counter() - start, time.thread_time() - own
            best = taken.get(threads, now)
            taken[threads] = min(best[0], now[0]), min(best[1], now[1])
        alone = taken[1]
        less = [(alone[0] / taken[n][0], alone[1] / taken[n][1]) for n in range(2, most + 1)]
        found.append((name, alone[0] * 1e3, less))
    return found


def plot(target: Path, measured: list[tuple[int, float, float]], part: float, overhead: float) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "scaling"
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4))
    numbers = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]
    base = modelled(1e13, 1, part, overhead)
    axes.plot(numbers, numbers, color="0.8", label="as many times as fast as there are workers")
    axes.plot(numbers, [base / modelled(1e13, n, part, overhead) for n in numbers], "--", label="model, 10 TB")
    axes.plot([n for n, _, _ in measured], [measured[0][2] / busiest for _, _, busiest in measured], "o",
              label="measured, processor time of the busiest")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="workers", ylabel="times as fast as one")
    axes.legend()
    figure.savefig(target, metadata={"Date": None}, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=20, help="of the file that is read in little memory")
    parser.add_argument("--processes", type=int, default=2, help="up to how many are measured")
    parser.add_argument("--only-threads", action="store_true", help="the last table alone")
    parser.add_argument("--plot", type=Path, help="write the picture here (needs matplotlib)")
    options = parser.parse_args()
    print(about())
    if not options.only_threads:
        files(options)
    threads(options.processes)


def files(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, size = Path(folder) / "zeros", int(options.gigabytes * 1e9) // 8 * 8
        path.touch()
        os.truncate(path, size)
        out_of_core(path, size)
        os.truncate(path, 2 << 30)
        measured, overhead = by_processes(path, options.processes)
    part = measured[0][2] / 32
    print(f"\n`map({TEXT!r}).stats()` of 2 GiB in 32 parts\n\n| processes | seconds | of a processor, the busiest | "
          "times less than one |\n|---|---|---|---|")  # fmt: skip
    for workers, taken, busiest in measured:
        print(f"| {workers} | {taken:.2f} | {busiest:.2f} | {measured[0][2] / busiest:.2f} |")
    print(f"\nModel, not measured: {part * 1e3:.0f} ms of a worker for a part, {overhead * 1e6:.0f} us of the caller\n")
    print("| workers | 1 TB | 10 TB | 100 TB |\n|---|---|---|---|")
    for workers in (1, 10, 100, 1000):
        print(f"| {workers} | " + " | ".join(f"{modelled(data, workers, part, overhead):,.0f} s"
                                             for data in (1e12, 1e13, 1e14)) + " |")  # fmt: skip
    if options.plot:
        plot(options.plot, measured, part, overhead)


def threads(most: int) -> None:
    head = "".join(f" {number} threads | of the caller |" for number in range(2, most + 1))
    print(f"\nA million doubles\n\n| | one thread, ms |{head}\n|---|---|{'---|---|' * (most - 1)}")
    for name, alone, less in by_threads(most):
        print(f"| `{name}` | {alone:.1f} | " + " | ".join(f"{x:.2f} | {y:.2f}" for x, y in less) + " |", flush=True)


if __name__ == "__main__":
    main()
