"""What arrayops and its rivals answer where numbers are awkward: python bench/exactness.py [--check]

Each row is computed by all of them in one process; the page docs/exactness.md is written from what they gave. --check
writes nothing and fails if arrayops is somewhere not equal to Python. What is not installed has no column.
"""

from __future__ import annotations

import math
import statistics
import sys
import warnings
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arrayops as ao
from peers import np, numba, numexpr

PAGE = Path(__file__).parents[1] / "docs" / "exactness.md"
BEGIN, END = "<!-- answers -->\n", "<!-- end of answers -->"


@dataclass(frozen=True)
class Row:
    """One question: the data, what arrayops is asked, what plain Python answers, and the others' ways."""

    what: str
    data: array[Any]
    asked: str
    python: Callable[[Any], Any]  # of the data
    arrayops: Callable[[Any], Any]
    numpy: Callable[[Any], Any] | None = None
    numexpr: str = ""
    numba: Callable[[Any], Any] | None = None  # of one element, or of the array if `whole`
    whole: bool = False


def elementwise(text: str, typecode: str | None = None) -> Callable[[Any], Any]:
    """The text, at each element."""
    return lambda a: list(ao.map(a, text, typecode=typecode))


def loop_sum(a: Any) -> Any:
    """Numba's way to a sum: a loop."""
    total = 0.0
    for v in a:
        total += v
    return total


def loop_mean(a: Any) -> Any:
    """The same, over the count."""
    total = 0.0
    for v in a:
        total += v
    return total / len(a)


INT = array("i", [2_147_483_647])
ROWS = [
    Row("An int that overflows", INT, "`x + 1`, as `'q'`", lambda a: [v + 1 for v in a], elementwise("x + 1", "q"),
        lambda a: (a + 1), "x + 1", lambda v: v + 1),
    Row("A product past 2⁶³", array("q", [1 << 62]), "`x * 4 % 1000`", lambda a: [v * 4 % 1000 for v in a],
        elementwise("x * 4 % 1000"), lambda a: a * 4 % 1000, "x * 4 % 1000", lambda v: v * 4 % 1000),
    Row("An int divided by 0", array("i", [7, 0]), "`1 // x`", lambda a: [1 // v for v in a], elementwise("1 // x"),
        lambda a: 1 // a, "", lambda v: 1 // v),
    Row("Floor division of floats", array("d", [1.0]), "`x // 0.1`", lambda a: [v // 0.1 for v in a],
        elementwise("x // 0.1"), lambda a: a // 0.1, "floor(x / 0.1)", lambda v: v // 0.1),
    Row("The remainder of a negative int", array("i", [-7]), "`x % 3`", lambda a: [v % 3 for v in a],
        elementwise("x % 3"), lambda a: a % 3, "x % 3", lambda v: v % 3),
    Row("An int beside a float, past 2⁵³", array("q", [(1 << 53) + 1]), "`x == 2.0**53`",
        lambda a: [v == 2.0**53 for v in a], lambda a: [bool(v) for v in ao.evaluate("x == 2.0**53", x=a)],
        lambda a: a == 2.0**53, "x == 2.0**53", lambda v: v == 2.0**53),
    Row("A sum of tenths", array("d", [0.1] * 10), "`sum`", math.fsum, ao.sum, lambda a: a.sum(), "sum(x)", loop_sum,
        True),
    Row("A sum with a large number that cancels", array("d", [1e16, 1.0, -1e16]), "`sum`", math.fsum, ao.sum,
        lambda a: a.sum(), "sum(x)", loop_sum, True),
    Row("A mean of large numbers", array("d", [1e16 + 2, 1e16 + 4, 1e16 + 4]), "`mean`", statistics.fmean, ao.mean,
        lambda a: a.mean(), "", loop_mean, True),
    Row("A variance far from 0", array("d", [1e9 + 1, 1e9 + 2, 1e9 + 3]), "`var`", statistics.pvariance, ao.var,
        lambda a: (a * a).mean() - a.mean() ** 2, "", None, True),
    Row("A sum of 8-bit ints", array("b", [100] * 3), "`sum`", lambda a: sum(a), ao.sum,
        lambda a: a.sum(dtype=a.dtype), "sum(x)", None, True),
    Row("The square root of a negative number", array("d", [-1.0]), "`sqrt(x)`", lambda a: [math.sqrt(v) for v in a],
        elementwise("sqrt(x)"), lambda a: np.sqrt(a), "sqrt(x)", lambda v: math.sqrt(v)),
    Row("The sine of a huge angle", array("d", [1e22]), "`sin(x)`", lambda a: [math.sin(v) for v in a],
        elementwise("sin(x)"), lambda a: np.sin(a), "sin(x)", lambda v: math.sin(v)),
]  # fmt: skip


def answer(call: Callable[[], Any]) -> str:
    """What a call gives, as Python writes it; the name of an exception."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = call()
    except Exception as error:
        return type(error).__name__
    found = found.tolist() if hasattr(found, "tolist") else found
    return repr(found[0] if isinstance(found, list) and len(found) == 1 else found)


def by_numba(row: Row) -> Any:
    """The function compiled, over the array or each element."""
    f = numba.njit(row.numba)
    data = np.asarray(row.data)
    return f(data) if row.whole else [f(v) for v in data]


def answers(row: Row) -> dict[str, str]:
    """By name of who was asked."""
    found = {"Python": answer(lambda: row.python(row.data)), "arrayops": answer(lambda: row.arrayops(row.data))}
    if np is not None and row.numpy is not None:
        found["NumPy"] = answer(lambda: row.numpy(np.asarray(row.data)))  # type: ignore[misc]
    if numexpr is not None and row.numexpr:
        found["numexpr"] = answer(lambda: numexpr.evaluate(row.numexpr, {"x": np.asarray(row.data)}))
    if numba is not None and row.numba is not None:
        found["Numba"] = answer(lambda: by_numba(row))
    return found


def main() -> int:
    """Ask, print, and write."""
    names = ["Python", "arrayops", "NumPy", "numexpr", "Numba"]
    lines = ["| question | asked | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    wrong = 0
    for row in ROWS:
        found = answers(row)
        wrong += found["arrayops"] != found["Python"]
        cells = [f"**{found[n]}**" if n in found and found[n] != found["Python"] else found.get(n, "") for n in names]
        lines.append(f"| {row.what} | {row.asked} | " + " | ".join(cells) + " |")
    print("\n".join(lines))
    if "--check" not in sys.argv:
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(before + BEGIN + "\n".join(lines) + "\n" + rest[rest.index(END) :])
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
