"""Runs every row of calls.py with each of its allocations failed in turn: the failure alone, and a hundred from it on.

After each: MemoryError or the right answer, arguments neither kept nor changed nor still exporting a buffer, no memory
lost, and the next call right. Started by tests/test_out_of_memory.py with faults.c preloaded; by hand:

    python tests/test_out_of_memory.py [--deep] [part of a row's name ...]
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from array import array
from types import CodeType, FunctionType
from typing import Any

import calls
import faults
from arrayops.engine import functions
from calls import COLD, ROWS, Row, ao

NEVER = 1 << 40
MANY = 100  # that fail one after the other; not all: CPython 3.11 tries for ever to find a handler that needs an int
SHALLOW = 20  # allocations of a row that are failed in CI, at least; --deep fails all
REPEATS = 10  # a loss is one if it happens each time


class Counts:
    """What was done."""

    rows = calls = failed = 0


_serial = 0


def prepared(row: Row) -> tuple[Any, ...]:
    global _serial
    _serial += 1
    return row.make(_serial)


def plain(value: Any) -> Any:
    """A result as something whose == means the same bits."""
    if isinstance(value, array):
        return value.typecode, value.tobytes()
    if isinstance(value, memoryview):
        return value.format, value.tobytes()
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if hasattr(value, "dtype"):
        return type(value).__name__, str(value.dtype), repr(value)  # with labels, name and mask
    return repr(value) if isinstance(value, float) else value


def contents(arguments: tuple[Any, ...]) -> list[Any]:
    return [plain(a.tolist() if isinstance(a, ao.View) else a) for a in arguments if _small(a)]


def references(arguments: tuple[Any, ...]) -> list[int]:
    """How many references there are to each buffer; caches may keep texts and functions."""
    return [sys.getrefcount(a) for a in arguments if not isinstance(a, str) and not callable(a)]


def _small(value: Any) -> bool:
    return not isinstance(value, array) or len(value) < calls.LONG


def empty_free_lists() -> None:
    """So that the same call makes the same allocations, and nearly none comes from what CPython keeps free.

    Pairs are kept: CPython 3.11 crashes where the pair of ``for key, value in a_dict.items()`` cannot be allocated.
    """
    gc.collect()
    pairs = [(n, n) for n in range(200)]
    pairs.clear()


SPARE: dict[int, list[CodeType]] = {}


def spare_code() -> None:
    """More references to all code than are lost.

    Where CPython 3.12 and 3.13.0 cannot allocate a function that a function makes, they give back its code twice.
    """
    if sys.version_info[:2] not in ((3, 12), (3, 13)):
        return
    found = [o.__code__ for o in gc.get_objects() if isinstance(o, FunctionType)]
    for code in found:
        found += [c for c in code.co_consts if isinstance(c, CodeType)]
    for code in found:
        if id(code) not in SPARE:
            SPARE[id(code)] = [code] * 1000


def of_the_interpreter(error: BaseException) -> bool:
    """Whether this is what CPython makes of a failure of its own: of a lock, or of a Python function's frame."""
    text, lost = str(error), isinstance(error, SystemError)
    if lost and text.startswith("<function "):
        return "returned NULL without setting an exception" in text
    return text == "can't allocate lock" or (lost and text == "error return without exception set")  # of 3.13: a frame


def attempt(row: Row, want: Any, first: int, last: int) -> tuple[str, int, bool]:
    """One call: (what is wrong or "", allocations, whether a loss would be ours)."""
    arguments = prepared(row)
    before = contents(arguments)
    counts = references(arguments)
    empty_free_lists()
    number, failed, ours, result, error = faults.attempt(row.call, arguments, first, last)
    Counts.calls += 1
    Counts.failed += failed
    wrong = ""
    if error is None:
        if plain(result) != want:
            wrong = f"gives {str(plain(result))[:100]}, not {str(want)[:100]}"
    elif not isinstance(error, MemoryError) and not (of_the_interpreter(error) and not ours):
        cause = error.__cause__ or error.__context__
        wrong = f"{type(error).__name__}: {str(error)[:200]}" + (f" from {cause!r}" if cause else "")
    elif not row.inplace and contents(arguments) != before:
        wrong = "MemoryError, and an argument is changed"
    error_free = error is None
    del result, error
    ours = ours and last == first + 1  # after several failures one of them is CPython's
    if not wrong and ours and references(arguments) != counts:
        gc.collect()
        now = references(arguments)
        wrong = f"references to arguments kept: {now}, before {counts}" if now != counts else ""
    for a in arguments if ours or error_free else ():
        if isinstance(a, array) and _small(a):
            try:
                a.append(a[0])
                a.pop()
            except BufferError:
                wrong = wrong or "a buffer is still exported"
    return wrong, number, ours


def growth(row: Row, want: Any, first: int, last: int) -> int:
    """Blocks of memory by which the process grows in REPEATS attempts."""
    attempt(row, want, first, last)
    gc.collect()
    before = faults.live()[0]
    for _ in range(REPEATS):
        attempt(row, want, first, last)
    gc.collect()
    return int(faults.live()[0] - before)


def lost(row: Row, want: Any, first: int, last: int) -> int:
    """Blocks of memory that a failure loses each time, over what attempts without one make the process grow by."""
    return (growth(row, want, first, last) - max(0, growth(row, want, NEVER, NEVER))) // REPEATS


def check(row: Row, want: Any, first: int, last: int, cold: bool) -> str:
    """One failure, and the next call: what is wrong, or ""."""
    gc.collect()
    before = faults.live()[0]
    wrong, _, ours = attempt(row, want, first, last)
    if not wrong and plain(row.call(*prepared(row))) != want:
        wrong = "the next call is wrong"
    gc.collect()
    if not wrong and ours and not cold and faults.live()[0] > before:
        blocks = min(lost(row, want, first, last) for _ in range(2))  # the interpreter's caches grow once in a while
        wrong = f"{blocks} blocks lost" if blocks > 0 else ""
    return wrong


def sweep(row: Row, deep: bool, cold: bool, only: int | None) -> list[str]:
    """Every failure of a row."""
    for _ in range(3):
        want = plain(row.call(*prepared(row)))
    spare_code()
    wrong, number, _ = attempt(row, want, NEVER, NEVER)
    found = [f"{row.name}: without a failure: {wrong}"] if wrong else []
    step = 1 if deep else max(1, number // SHALLOW)
    if step > 3 and step % 2 == 0:
        step += 1  # so that what comes in pairs is met on both sides
    for first in range(0, number + 1, step) if only is None else (only,):
        for last, what in ((first + 1, "alone"), (first + MANY, f"and {MANY - 1} after it")):
            where(f"{row.name}, allocation {first} {what}")
            wrong = check(row, want, first, last, cold)
            if wrong:
                found.append(f"{row.name}, allocation {first} of {number} {what}: {wrong}")
    Counts.rows += 1
    return found


_WHERE = os.open(os.environ["FAULTS_WHERE"], os.O_RDWR | os.O_CREAT) if "FAULTS_WHERE" in os.environ else -1


def where(text: str) -> None:
    """Says where we are, for whoever finds us dead."""
    if _WHERE >= 0:
        os.pwrite(_WHERE, text.encode().ljust(120), 0)


def owned_rows() -> list[Row]:
    """Rows with arrays of other libraries. What these lose when memory runs out is not ours: they count as cold."""
    import owned

    return owned.ROWS


def main(arguments: list[str]) -> int:
    deep = "--deep" in arguments
    part, parts = next(([int(n) for n in a[7:].split("/")] for a in arguments if a.startswith("--part=")), (0, 1))
    only = next((int(a[7:]) for a in arguments if a.startswith("--only=")), None)
    wanted = [a for a in arguments if not a.startswith("--")]
    functions.COMPILE_AFTER = 0
    sys.unraisablehook = lambda unraisable: None  # of generators that are dropped while there is no memory
    ao.set_num_threads(2)
    found: list[str] = []
    gc.collect()
    spare_code()
    gc.freeze()  # gc.get_objects() does not see them any more
    gc.disable()
    for cold, rows in ((True, owned_rows()),) if "--owned" in arguments else ((False, ROWS), (True, COLD)):
        for row in rows[part::parts]:
            if wanted and not any(w in row.name for w in wanted):
                continue
            try:
                lines = sweep(row, deep, cold, only)
            except Exception:
                lines = [f"{row.name}: {traceback.format_exc()}"]
            found += lines
            for line in lines:
                print(line, flush=True)
    print(f"{Counts.failed} allocations failed in {Counts.calls} calls of {Counts.rows} rows: {len(found)} findings")
    return bool(found)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
