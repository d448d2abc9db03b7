"""Threads that share everything which may be shared, for the thread sanitizer: kernels, caches, arrays that are only
read, arrays that others write, RunningStats, pipelines, Views. Also a test by itself: every answer is checked that does
not depend on who was first.

Started by run.sh with the sanitizer preloaded; by hand: python tests/sanitizers/threads.py [rounds]
"""

from __future__ import annotations

import sys
import threading
from array import array
from collections.abc import Callable
from typing import Any

import arrayops

ao: Any = arrayops
WORKERS = 6
MANY = 40_000  # elements: enough for the GIL to be released, and for two threads of the machine's own

KERNEL = ao.compile("x*x + y")
PIPELINE_SOURCE = array("d", [1.5, -2.0, 3.25, 0.5]) * (MANY // 4)
HEAVY = "+".join(f"sin(x*{k})" for k in range(1, 41))  # work enough for several threads
INTS = array("i", range(MANY))
SHARED = array("q", range(MANY))  # that every thread writes
RUNNING = ao.RunningStats()
VIEW = ao.view(SHARED, "q", 0, 16)


def kernels(number: int) -> None:
    """One kernel, and its plans, in all threads."""
    assert KERNEL(INTS, number, typecode="q")[7] == 49 + number
    assert KERNEL(PIPELINE_SOURCE, 1.0, threads=2)[1] == 5.0


def texts(number: int) -> None:
    """The same texts and others: the caches of texts, of entries and of programs."""
    for k in range(20):
        assert ao.map(INTS[:64], f"x + {k}")[1] == k + 1
        assert ao.map(INTS[:64], f"x*{number} + {k}")[2] == 2 * number + k


def functions(number: int) -> None:
    """One lambda's code in all threads, with another number captured in each."""
    for k in range(20):
        added = number + k
        assert ao.map(INTS[:64], lambda x: x + added)[3] == 3 + added  # noqa: B023


def running(number: int) -> None:
    """Everybody adds to one object."""
    RUNNING.update(INTS)
    other = ao.RunningStats(INTS)
    other.merge(RUNNING)
    assert other.count % MANY == 0 and RUNNING.min == 0


def pipelines(number: int) -> None:
    """One source, with a stage of each thread's own."""
    pipe = ao.lazy(PIPELINE_SOURCE).map("x + n", n=number).filter("x > 0")
    assert pipe.count() == len(pipe.collect())
    pipe.sum(), pipe.stats()


def reductions(number: int) -> None:
    """Arrays that nobody writes."""
    assert ao.sum(INTS) == MANY * (MANY - 1) // 2
    assert ao.minmax(INTS) == (0, MANY - 1) and ao.median(INTS) == (MANY - 1) / 2
    ao.stats(PIPELINE_SOURCE), ao.dot(PIPELINE_SOURCE, PIPELINE_SOURCE), ao.var(INTS)


def sorted_apart(number: int) -> None:
    """Arrays of one's own."""
    own = array("q", range(MANY, 0, -1))
    ao.sort(own)
    ao.reverse(own)
    assert own[0] == MANY and len(ao.unique(own)) == MANY


def shared(number: int) -> None:
    """What the machine's own threads share: filters, counts, searches, pipelines, order, counting, windows."""
    kept = ao.filter(PIPELINE_SOURCE, f"{HEAVY} > 0")
    assert len(kept) == ao.count(PIPELINE_SOURCE, f"{HEAVY} > 0")
    assert len(ao.lazy(PIPELINE_SOURCE).map(HEAVY).collect()) == MANY
    own = array("H", range(60_000)) * 2
    ao.sort(own)
    assert own[1] == 0 and len(ao.unique(own)) == 60_000
    assert sum(ao.histogram(own * 5, 9)[0]) == 600_000
    assert ao.first(PIPELINE_SOURCE, f"{HEAVY} > 99") == -1 and ao.all(PIPELINE_SOURCE, f"{HEAVY} < 99")
    assert ao.first(PIPELINE_SOURCE, f"x == 0.5 and {HEAVY} < 99") == 3
    assert ao.lazy(PIPELINE_SOURCE).map(f"x + 0*({HEAVY})").min() == -2.0
    assert ao.argsort(own)[:2].tolist() == [0, 1] and ao.bincount(own * 5)[3] == 10
    assert ao.rolling(own * 3, 3).max()[-1] == 59_999


def views(number: int) -> None:
    """A View of what others read."""
    piece = VIEW[10:20]
    assert len(piece) == 10 and len(VIEW) == MANY // 2
    piece.release()


def growth(number: int) -> None:
    """Resizing is refused while somebody reads, and works otherwise; never anything else."""
    mine = array("i", range(3000))
    helper = threading.Thread(target=lambda: [ao.sum(mine) for _ in range(5)])
    helper.start()
    for _ in range(200):
        try:
            mine.append(1)
            mine.pop()
        except BufferError:
            continue
    helper.join()


WORK: tuple[Callable[[int], None], ...] = (
    kernels, texts, functions, running, pipelines, reductions, sorted_apart, shared, views, growth,
)  # fmt: skip


def main(rounds: int) -> int:
    failed: list[str] = []
    barrier = threading.Barrier(WORKERS)

    def worker(number: int) -> None:
        for turn in range(rounds):
            for k in range(len(WORK)):
                job = WORK[(k + number * (turn % 2)) % len(WORK)]  # all the same, then all different
                barrier.wait(600)
                try:
                    job(number)
                except Exception as error:
                    failed.append(f"{job.__name__}: {error!r}")

    threads = [threading.Thread(target=worker, args=(n,)) for n in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if RUNNING.count != MANY * WORKERS * rounds:
        failed.append(f"RunningStats has lost updates: {RUNNING.count} elements of {MANY * WORKERS * rounds}")
    print("\n".join([*failed, f"threads: {len(failed)} failures in {rounds} rounds of {WORKERS} threads"]))
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
