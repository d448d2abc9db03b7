"""What functions cost beside texts and beside Python's own loop: python bench/functions.py

Nanoseconds a call, minima over interleaved rounds, in one process. Writes the table of docs/functions.md.
"""

from __future__ import annotations

import math
import platform
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arrayops as ao
from arrayops.compiler.decode import decode
from arrayops.engine import functions
from timing import measure

PAGE = Path(__file__).resolve().parent.parent / "docs" / "functions.md"
LIMIT = 2.5
SIZES = (1, 10, 100, 1_000, 100_000)


def short(x: float) -> float:
    """The least that a function can do."""
    return x * x + 1


def longer(x: float) -> float:
    """One with a captured number, a module and a conditional."""
    return math.sqrt(x) if x > LIMIT else x


def timed(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Nanoseconds of the fastest call of each."""
    return {name: 1e9 * seconds for name, seconds in measure(calls, 9, 0.3).items()}


def table() -> str:
    """Rows for each size: the loop, the call of a function not yet compiled, compiled, and the text."""
    lines = ["| elements | `array(tc, [f(x) for x in a])` | called | compiled | text |", "|---|---|---|---|---|"]
    for size in SIZES:
        data = array("d", range(size))
        functions.ENTRIES.clear()
        functions.COMPILE_AFTER = sys.maxsize
        loop = {"loop": lambda d=data: array("d", [short(x) for x in d]), "called": lambda d=data: ao.map(d, short)}
        cold = timed(loop)
        functions.COMPILE_AFTER = 0
        functions.ENTRIES.clear()
        warm = timed({"compiled": lambda d=data: ao.map(d, short), "text": lambda d=data: ao.map(d, "x*x + 1")})
        row = [cold["loop"], cold["called"], warm["compiled"], warm["text"]]
        lines.append(f"| {size:,} | " + " | ".join(f"{value:,.0f}" for value in row) + " |")
    return "\n".join(lines)


def sentences() -> str:
    """The costs that are no rows."""
    data = array("d", range(10))
    functions.COMPILE_AFTER = 0
    calls = timed({"short": lambda: ao.map(data, short), "longer": lambda: ao.map(data, longer)})
    decoding = timed({"short": lambda: decode(short, 1), "longer": lambda: decode(longer, 1)})
    return (
        f"Decoding `x*x + 1` takes {decoding['short'] / 1000:.0f} us, one with a conditional, a captured number and "
        f"`math.sqrt` {decoding['longer'] / 1000:.0f} us;\nchecking what the second captures, at each call, "
        f"{max(0.0, calls['longer'] - calls['short']):.0f} ns more than the first."
    )


def main() -> None:
    """Measure, print, and write the page."""
    text = (
        f"Nanoseconds a call of `ao.map` with `x*x + 1` on doubles, by `python bench/functions.py` on "
        f"{platform.machine()}, Python {platform.python_version()}:\n\n{table()}\n\n{sentences()}\n"
    )
    print(text)
    page = PAGE.read_text()
    head, _, rest = page.partition("<!-- costs -->\n")
    tail = rest.partition("<!-- end of costs -->")[2]
    PAGE.write_text(f"{head}<!-- costs -->\n{text}<!-- end of costs -->{tail}")


if __name__ == "__main__":
    main()
