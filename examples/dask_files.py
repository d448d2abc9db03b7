"""An expression over many binary files, by the processes and machines of a Dask cluster. See docs/distributed.md.

    python examples/dask_files.py "x * 0.01" data/*.bin --format "<h" --workers 4
    python examples/dask_files.py "x * 0.01" data/*.bin --format "<h" --workers 4 --output scaled --to "<f"

The first prints the statistics of all values, the second writes a file of them for each file. A worker maps a file into
memory and takes it in slices, so that it needs little memory whatever the size of the files; what it sends back is
RunningStats, a kilobyte of exact sums. They are merged by the workers, in a tree, and the result has the same bits
whichever worker did what, in which order. Files are named to the workers, so all must see them at the same paths.
"""

from __future__ import annotations

import argparse
import os
import socket
import struct
import sys
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import arrayops as ao
from distributed import Client, LocalCluster

CHUNK = 1 << 20  # elements that are in memory at a time
FAN = 8  # statistics that one task merges

Function: TypeAlias = str | ao.Kernel | Callable[..., Any]
#: Statistics, and the processes that gathered them.
Part: TypeAlias = tuple[ao.RunningStats, frozenset[str]]


# -- the tasks of the workers ----------------------------------------------------------------------------------------


def this_process() -> str:
    """A name for the process, such as "host:1234"."""
    return f"{socket.gethostname()}:{os.getpid()}"


def gather(path: str, format: str, f: Function, typecode: str = "d", size: int = CHUNK) -> Part:
    """The statistics of f of the numbers of a file."""
    found = ao.RunningStats()
    with ao.open(path, format) as numbers:
        for start in range(0, len(numbers), size):
            # One thread, as the cluster has a process for each processor already.
            found.update(ao.map(numbers[start : start + size], f, typecode=typecode, threads=1))
    return found, frozenset([this_process()])


def transform(path: str, target: str, format: str, f: Function, to: str = "d", size: int = CHUNK) -> Part:
    """Writes f of the numbers of a file to another, in the format ``to``; the statistics of what is written.

    The file has a name of its own until it is complete, because Dask may run a task twice, if it loses a worker.
    """
    found = ao.RunningStats()
    unfinished = f"{target}.{uuid.uuid4().hex}"
    try:
        with ao.open(path, format) as numbers:
            with open(unfinished, "xb") as file:
                if len(numbers):  # room that is really there: without it a full disk would kill a process that writes
                    os.posix_fallocate(file.fileno(), 0, len(numbers) * struct.calcsize(to))
            with ao.open(unfinished, to, mode="r+") as written:
                for start in range(0, len(numbers), size):
                    part = written[start : start + size]
                    ao.map(numbers[start : start + size], f, out=part, threads=1)
                    found.update(part)
        os.replace(unfinished, target)
    finally:
        Path(unfinished).unlink(missing_ok=True)
    return found, frozenset([this_process()])


def merged(parts: Sequence[Part]) -> Part:
    """All together. The parts stay as they are: Dask may need them again."""
    total = ao.RunningStats()
    for found, _ in parts:
        total.merge(found)
    return total, frozenset().union(*(workers for _, workers in parts))


# -- what asks for them ----------------------------------------------------------------------------------------------


def stats_of_files(client: Client, paths: Sequence[str], format: str, f: Function, typecode: str = "d",
                   size: int = CHUNK) -> Part:  # fmt: skip
    """The statistics of f of the numbers of all files, and the processes that took part."""
    # Not pure: the same call may have another result, as the files may be others.
    return _in_a_tree(client, client.map(gather, paths, format=format, f=f, typecode=typecode, size=size, pure=False))


def map_files(client: Client, paths: Sequence[str], targets: Sequence[str], format: str, f: Function, to: str = "d",
              size: int = CHUNK) -> Part:  # fmt: skip
    """Writes f of the numbers of each file to its target; the statistics of all, and the processes that took part."""
    return _in_a_tree(client, client.map(transform, paths, targets, format=format, f=f, to=to, size=size, pure=False))


def _in_a_tree(client: Client, parts: list[Any]) -> Part:
    """Merges parts where they are, FAN at a time, so that one part in the end is all that travels here."""
    while len(parts) > 1:
        parts = client.map(merged, [parts[i : i + FAN] for i in range(0, len(parts), FAN)], pure=False)
    found: Part = parts[0].result() if parts else merged([])
    return found


# -- the command line ------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The statistics of an expression over many binary files.")
    parser.add_argument("expression", help='of one number, such as "x * 0.01"')
    parser.add_argument("files", nargs="+", help="binary files of numbers")
    parser.add_argument("-f", "--format", default="d", help='of the numbers in files, such as d or "<h" (default d)')
    parser.add_argument("-t", "--to", default="d", help="typecode, or format in files, of the values (default d)")
    parser.add_argument("-o", "--output", type=Path, help="folder for a file of values for each file")
    parser.add_argument("-w", "--workers", type=int, default=os.cpu_count(), help="number of processes to start")
    parser.add_argument("-s", "--scheduler", help="address of a cluster to use instead of starting processes")
    options = parser.parse_args(arguments)
    try:
        kernel = ao.compile(options.expression)
        if len(kernel.params) != 1:
            raise ValueError(f"the expression must have one name for the number, not {len(kernel.params)}")
    except ValueError as error:
        parser.error(str(error))
    with ExitStack() as stack:
        cluster = options.scheduler or stack.enter_context(LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=options.workers, threads_per_worker=1, processes=True, dashboard_address=None))  # fmt: skip
        client = stack.enter_context(Client(cluster))  # type: ignore[no-untyped-call]
        try:
            return _run(client, kernel, options)
        except (OSError, ArithmeticError, TypeError, ValueError) as error:  # of a file or of an element
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 2


def _run(client: Client, kernel: ao.Kernel, options: argparse.Namespace) -> int:
    paths = [os.path.abspath(path) for path in options.files]
    if options.output is None:
        found, workers = stats_of_files(client, paths, options.format, kernel, options.to)
    else:
        targets = [os.path.abspath(options.output / os.path.basename(path)) for path in paths]
        if len({*targets, *paths}) < 2 * len(paths):
            raise ValueError("each file that is written must have a name of its own")
        options.output.mkdir(parents=True, exist_ok=True)
        found, workers = map_files(client, paths, targets, options.format, kernel, options.to)
    print(f"{len(paths)} files by {len(workers)} processes")
    if found.count:
        for name, value in found.stats()._asdict().items():
            print(f"{name:5} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
