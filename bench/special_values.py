"""What nan, inf and subnormal numbers cost: python bench/special_values.py [--instructions] [FUNCTION ...]

Every function over 26,624 doubles of its usual range of which 0, 1, 10, 50 or 100% are replaced by special ones, with
out= and ieee=True, one thread: how many times as long as without any, the best of many runs taken by turns in one
process. Beside it NumPy's time over ours, without special numbers and with 10% nan. Writes docs/special-values.md.

--instructions counts the instructions of the machine instead (valgrind, the avx2 level), which does not depend on what
else the computer does; the figures of that are written to the page, too. A line above LIMIT is a failure.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arrayops as ao
from timing import measure

PAGE = Path(__file__).parents[1] / "docs" / "special-values.md"
LIMIT = 1.25
#: Operands and results stay in the second cache: beyond it, what a line takes depends on where its array lies.
COUNT, COUNTED, DISTINCT = 26_624, 8_192, 2_048
SHARES = (1, 10, 50, 100)
SPECIAL = {"nan": [math.nan], "inf": [math.inf, -math.inf], "subnormal": [5e-324, -1e-310, 1e-320, 2e-308]}
POSITIVE = {"inf": [math.inf], "subnormal": [5e-324, 1e-310, 1e-320, 2e-308]}

#: Text -> its usual range, NumPy's name for it.
FUNCTIONS: dict[str, tuple[float, float, str]] = {
    "exp(x)": (-30, 30, "exp"), "exp2(x)": (-40, 40, "exp2"), "expm1(x)": (-5, 5, "expm1"), "log(x)": (0.1, 90, "log"),
    "log2(x)": (0.1, 90, "log2"), "log10(x)": (0.1, 90, "log10"), "log1p(x)": (-0.9, 30, "log1p"),
    "sin(x)": (-9, 9, "sin"), "cos(x)": (-9, 9, "cos"), "tan(x)": (-9, 9, "tan"), "asin(x)": (-1, 1, "arcsin"),
    "acos(x)": (-1, 1, "arccos"), "atan(x)": (-9, 9, "arctan"), "sinh(x)": (-9, 9, "sinh"), "cosh(x)": (-9, 9, "cosh"),
    "tanh(x)": (-3, 3, "tanh"), "asinh(x)": (-9, 9, "arcsinh"), "acosh(x)": (1, 90, "arccosh"),
    "atanh(x)": (-1, 1, "arctanh"), "cbrt(x)": (-90, 90, "cbrt"), "erf(x)": (-3, 3, ""), "erfc(x)": (-3, 5, ""),
    "x ** y": (0.5, 9, "power"), "hypot(x, y)": (0.5, 9, "hypot"), "atan2(x, y)": (0.5, 9, "arctan2"),
    "fmod(x, y)": (0.5, 9, "fmod"), "remainder(x, y)": (0.5, 9, ""), "x // y": (0.5, 9, "floor_divide"),
    "x % y": (0.5, 9, "remainder"), "x // 2": (-90, 90, ""), "x % 2": (-90, 90, ""), "floor(x)": (-90, 90, "floor"),
}  # fmt: skip


def case(text: str, kind: str, share: int, count: int) -> array[Any]:
    """The first operand."""
    low, high, _ = FUNCTIONS[text]
    rng = random.Random(1)
    special = (POSITIVE if text.startswith("log") or "acosh" in text else SPECIAL).get(kind) or SPECIAL[kind]
    values = [rng.choice(special) if rng.random() * 100 < share else rng.uniform(low, high) for _ in range(DISTINCT)]
    return array("d", values) * (count // DISTINCT)


CLEAN = "clean"
KEYS = (CLEAN, *(f"{kind} {share}" for kind in SPECIAL for share in SHARES))


def calls(text: str, count: int) -> dict[str, Callable[[], Any]]:
    """The calls to be compared."""
    kernel, out = ao.compile(text, ieee=True), array("d", bytes(8 * count))
    rng = random.Random(2)
    other = array("d", [rng.uniform(0.5, 9) for _ in range(DISTINCT)]) * (count // DISTINCT)
    more = [other] if "y" in text else []
    data = {CLEAN: case(text, "nan", 0, count)}
    data |= {f"{kind} {share}": case(text, kind, share, count) for kind in SPECIAL for share in SHARES}
    return {key: (lambda x=x: kernel(x, *more, out=out)) for key, x in data.items()}


def numpy_calls(text: str) -> dict[str, Callable[[], Any]]:
    """NumPy's, without special numbers and with 10% nan."""
    import numpy as np

    name = FUNCTIONS[text][2]
    if not name:
        return {}
    function, out, y = getattr(np, name), np.empty(COUNT), np.linspace(0.5, 9, COUNT)
    more = [y] if "y" in text else []
    data = {f"numpy {key}": np.array(case(text, "nan", share, COUNT)) for key, share in ((CLEAN, 0), ("nan 10", 10))}
    return {key: (lambda x=x: function(x, *more, out=out)) for key, x in data.items()}


def timed(text: str, number: int) -> tuple[dict[str, float], str, float]:
    """Ratios to the clean call, NumPy's ratios to ours, nanoseconds an element of the clean call."""
    import numpy as np

    with np.errstate(all="ignore"):
        least = measure(calls(text, COUNT) | numpy_calls(text), number, 0.05, time.thread_time)
    beside = [f"{least['numpy ' + key] / least[key]:.1f}" for key in (CLEAN, "nan 10") if "numpy " + key in least]
    return {key: least[key] / least[CLEAN] for key in KEYS}, " ".join(beside), least[CLEAN] / COUNT * 1e9


PROGRAM = """
import sys
sys.path.insert(0, {path!r})
import arrayops as ao
from special_values import COUNTED, calls
ao.set_num_threads(1)
for text in {texts!r}:
    for call in calls(text, COUNTED).values():
        call()
"""


def counted(texts: list[str]) -> dict[str, dict[str, float]]:
    """Instructions of each call over those of the clean one: callgrind counts in ao_run and writes a file after it."""
    with tempfile.TemporaryDirectory() as folder:
        program = PROGRAM.format(path=str(Path(__file__).parent), texts=texts)
        command = ["valgrind", "--tool=callgrind", "--toggle-collect=ao_run", "--dump-after=ao_run",
                   f"--callgrind-out-file={folder}/out", sys.executable, "-c", program]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        files = sorted(Path(folder).glob("out.*"), key=lambda p: int(p.suffix[1:]))
        found = [re.search(r"^(?:totals|summary): (\d+)", f.read_text(), re.M) for f in files]
        totals = [int(match[1]) for match in found if match is not None]
    if len(totals) != len(KEYS) * len(texts):
        raise SystemExit(f"{len(totals)} runs were seen, not {len(KEYS) * len(texts)}")
    rows = [totals[i : i + len(KEYS)] for i in range(0, len(totals), len(KEYS))]
    ratios = [{key: n / row[0] for key, n in zip(KEYS, row, strict=True)} for row in rows]
    return dict(zip(texts, ratios, strict=True))


def lines(ratios: dict[str, dict[str, float]], beside: dict[str, tuple[str, float]]) -> str:
    """Rows of the table."""
    rows = []
    for text, row in ratios.items():
        cells = [" ".join(f"{row[f'{kind} {share}']:.2f}" for share in SHARES) for kind in SPECIAL]
        cells += [f"{beside[text][1]:.2f}", beside[text][0]] if text in beside else []
        rows.append(f"| `{text}` | " + " | ".join(cells) + " |")
    return "\n".join(rows)


HEAD = """# Special values

What nan, inf and subnormal numbers cost. Written by bench/special_values.py: each cell has four figures, for 1, 10,
50 and 100% of 26,624 doubles replaced by special ones: how many times what the same function costs without any. Such
numbers are handled in vector code, so the share does not matter: a block in which one turns up is done with a form of
the function that holds for every number, which is a little longer. Subnormal numbers, of which processors by Intel
multiply a vector in some 150 cycles instead of 4, are taken for zeros as soon as one was met, and what the function
makes of them is put in place afterwards.

A nan operand is the result, quieted, with its payload and sign (of two, the first one). Where a function has no value
(`log` of a negative number with `ieee=True`), the result is the nan of `math.nan`. Both are so on every processor.

Quotients of floats from 2^49 to 2^96 are vector code, too, in a third form of `//`, `%`, `fmod` and `remainder` that
takes about twice as many instructions (`//` 2.5 times); those beyond 2^96 (not of `//`) are done one by one by the C
library. Angles beyond 2^20 take about three times as long as small ones. `atan2` has a form for zeros, infinities and
nans, one for zeros and subnormals, and one for all others, such as 1e-150 or nans beside subnormals, at half again the
time.

The limit that this page is held to is 1.25, on processors by AMD with vectors of 512 bits (Zen 4 and 5). From run to
run a line moves by 0.02 to 0.04. On a Zen 4 `expm1` (1.5), `log2` and `log10` (1.4), `log`, `sinh`, `cosh`, `hypot` and
powers (1.3) are above it; of these the exponentials and logarithms take less time than when the limit was met, with
special numbers (.7 to .98 of it) and more so without (.5 to .96). With vectors of 256
bits `log`, `fmod`, `//` and `%` take up to 1.36 times as long, powers 1.6 times, and those of subnormal numbers, most
of which are subnormal or 0, 2.8 times.
"""
TIMES = """
## Times

In the last columns the nanoseconds an element without special values, and NumPy's time over ours without special values
and with 10% nan.

| function | nan | inf | subnormal | ns | NumPy |
|---|---|---|---|---|---|
"""
COUNTS = """
## Instructions

Of the machine at the AVX2 level, by valgrind.

| function | nan | inf | subnormal |
|---|---|---|---|
"""


def written(part: str, table: str) -> None:
    """Replaces one of the two tables of the page."""
    page = PAGE.read_text() if PAGE.exists() else HEAD
    bodies = dict(zip((TIMES, COUNTS), (_body(page, TIMES), _body(page, COUNTS)), strict=True)) | {part: table}
    PAGE.write_text(HEAD + "".join(head + body + "\n" for head, body in bodies.items() if body))


def _body(page: str, head: str) -> str:
    rows = page.partition(head)[2].split("\n\n")[0]
    return rows.strip("\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("functions", nargs="*", help="names, such as exp")
    parser.add_argument("--instructions", action="store_true", help="count by valgrind instead of timing")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each comparison")
    args = parser.parse_args()
    texts = [t for t in FUNCTIONS if not args.functions or any(f == t or t.startswith(f + "(") for f in args.functions)]
    beside: dict[str, tuple[str, float]] = {}
    if args.instructions:
        ratios = counted(texts)
    else:
        ao.set_num_threads(1)
        ratios = {}
        for text in texts:
            ratios[text], numpy, clean = timed(text, args.rounds)
            beside[text] = (numpy, clean)
            print(lines({text: ratios[text]}, beside), flush=True)
    table = lines(ratios, beside)
    if args.instructions:
        print(table)
    if not args.functions:
        written(COUNTS if args.instructions else TIMES, table)
    above = [(text, key, round(r, 2)) for text, row in ratios.items() for key, r in row.items() if r > LIMIT]
    sys.exit(f"above {LIMIT}: {above}" if above else 0)


if __name__ == "__main__":
    main()
