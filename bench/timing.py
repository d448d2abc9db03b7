"""Timing in turns: every contender of a comparison runs in the same process and rounds, and its fastest call counts."""

from __future__ import annotations

import math
import platform
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import arrayops as ao

Calls = dict[str, Callable[[], Any]]
Clock = Callable[[], float]


def rounds(calls: Calls, number: int, budget: float, clock: Clock = time.perf_counter) -> dict[str, list[float]]:
    """Seconds of a call in each round, the calls taking turns; each gets about ``budget`` seconds in all.

    With time.thread_time for a clock it does not matter what else the computer does.
    """
    repeats = {}
    for name, call in calls.items():
        call()
        start = clock()
        call()
        repeats[name] = min(1000, max(1, int(budget / number / max(clock() - start, 1e-7))))
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(number):
        for name, call in calls.items():
            turns = range(repeats[name])
            start = clock()
            for _ in turns:
                call()
            found[name].append((clock() - start) / len(turns))
    return found


def measure(calls: Calls, number: int, budget: float, clock: Clock = time.perf_counter) -> dict[str, float]:
    """Seconds of the fastest call of each."""
    return {name: min(times) for name, times in rounds(calls, number, budget, clock).items()}


def spread(times: list[float]) -> float:
    """How far the usual round is above the fastest, as a ratio."""
    return statistics.median(times) / max(min(times), math.ulp(0.0))


def about() -> str:
    """The machine and what was measured, in a line."""
    found = [f"Python {platform.python_version()}", f"arrayops {ao.__version__} ({ao.isa()})"]
    for name in ("numpy", "numexpr", "numba", "pyarrow", "polars", "bottleneck", "arrayfunc"):
        module = sys.modules.get(name)
        if module is not None:
            found.append(f"{name} {module.__version__}")
    return f"{platform.machine()}, " + ", ".join(found)
