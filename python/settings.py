"""Settings of the process: threads, which instructions are used, and whether machine code is made."""

from __future__ import annotations

import operator
import os

from . import _machine
from .compiler.machine import ISA, MAX_THREADS


def set_num_threads(number: int) -> int:
    """Sets how many threads a long run may use, and returns what it was before.

    At first that is what the environment variable ARRAYOPS_NUM_THREADS says, or else the processors that this process
    may use. Threads are started for a call and joined before it returns; results do not depend on their number.

    >>> import arrayops as ao
    >>> before = ao.set_num_threads(1)
    >>> ao.set_num_threads(before)
    1
    """
    return _machine.set_threads(operator.index(number))


def isa() -> str:
    """The instruction-set level in use: 'base', 'avx2' or 'avx512'.

    It is chosen once, when the package is imported; the environment variable ARRAYOPS_ISA can name a lower one. Results
    do not depend on it.

    >>> import arrayops as ao
    >>> ao.isa() in ("base", "avx2", "avx512")
    True
    """
    return ISA


def native() -> bool:
    """Whether expressions that have run for some 30,000 elements become machine code of their own.

    So it is at the levels 'avx2' and 'avx512' of x86-64, but on Windows, unless :func:`set_native` or the environment
    variable ARRAYOPS_NATIVE=0 says no. Results do not depend on it. :func:`explain` says which instructions it is for.

    >>> import arrayops as ao
    >>> ao.native() in (True, False)
    True
    """
    return _machine.native() != "0"


def set_native(on: bool, /) -> bool:
    """Says whether expressions may become machine code, and returns what was said before.

    ARRAYOPS_NATIVE=0 says no from outside. Where the system does not allow it, or nothing encodes for the processor, a
    yes changes nothing.

    >>> import arrayops as ao
    >>> before = ao.set_native(False)
    >>> ao.native()
    False
    >>> _ = ao.set_native(before)
    """
    return _machine.set_native("1" if on else "0") != "0"


def _first_threads() -> int:
    """The number of threads at import."""
    wanted = os.environ.get("ARRAYOPS_NUM_THREADS", "")
    if not wanted:
        mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return min(mine or 1, MAX_THREADS)
    if not wanted.isdecimal() or not 1 <= int(wanted) <= MAX_THREADS:
        raise ImportError(f"ARRAYOPS_NUM_THREADS={wanted}: it must be a number from 1 to {MAX_THREADS}")
    return int(wanted)


set_num_threads(_first_threads())
