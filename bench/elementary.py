"""Accuracy and speed of every elementary function: python bench/elementary.py [--points 1000000]

Accuracy: ULPs from the true value (MPFR, by gmpy2) over half a million numbers of the usual range, as many of all
exponents, and some next to zeros, poles and where the argument is reduced; at every level, with a digest
of all bits, which must be one. Speed: nanoseconds an element of 100,000 doubles with out=, and how many times as long
NumPy, numexpr and Numba take, each on one thread; and once more against NumPy with AVX-512 off in both. Writes
docs/elementary.md and docs/elementary.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import operator
import os
import platform
import random
import struct
import subprocess
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arrayops as ao
import arrayops._machine as machine
from timing import measure

DOCS = Path(__file__).resolve().parent.parent / "docs"
RANGES = {
    "exp": (-20, 20), "exp2": (-20, 20), "expm1": (-3, 3), "log": (0, 100), "log2": (0, 100), "log10": (0, 100),
    "log1p": (-1, 10), "cbrt": (-100, 100), "sin": (-100, 100), "cos": (-100, 100), "tan": (-100, 100), "asin": (-1, 1),
    "acos": (-1, 1), "atan": (-5, 5), "sinh": (-5, 5), "cosh": (-5, 5), "tanh": (-3, 3), "asinh": (-10, 10),
    "acosh": (1, 20), "atanh": (-1, 1), "erf": (-3, 3), "erfc": (-3, 10), "pow": (0, 20), "atan2": (-5, 5),
    "hypot": (-5, 5), "fmod": (-50, 50), "mod": (-50, 50),
}  # fmt: skip
POWERS = {f"x ** {n}": n for n in (3, 4, -1, -2, 0.5, -0.5, 1.5)}
RANGES |= dict.fromkeys(POWERS, (0, 20))
TWO = ("pow", "atan2", "hypot", "fmod", "mod")
NUMPY = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
         "atanh": "arctanh", "pow": "power", "atan2": "arctan2"}  # fmt: skip
TURNS = (0.0, 1.0, -1.0, 0.5, -0.5, 0.625, math.log(2) / 2, math.sqrt(0.5), math.sqrt(2), math.tan(math.pi / 8), 20.0)


PAGE = """\
# Elementary functions

By `python bench/elementary.py --points {points}` on {machine} ({isa}), Python {python}. The error is the largest over
{points:,} numbers and more, half of them of the usual range, half of all exponents, in units in the last place of the
true value (MPFR); all results have the same bits at the levels {levels}. Times are of 100,000 doubles of the usual
range, with `out=`, one thread; NumPy, numexpr and Numba are how many times as long they take. The last two columns are
of a second run, with AVX-512 switched off in arrayops and in NumPy. `mod` is `x % y`. The figures are of a
Zen 4, which does vectors of 512 bits in halves.

| function | error, ULP | ns an element | NumPy | numexpr | Numba | AVX2: ns | NumPy |
|---|---|---|---|---|---|---|---|
{rows}

nan, inf, subnormals, angles of any size and results that overflow or are subnormal are vector code as well, and cost
[much the same](special-values.md). How each works, and where its constants come from, is said at the top of the files
in `vm/kernels/math`.
"""


def points(name: str, count: int) -> list[array[Any]]:
    """The arguments: one array, or two for a function of two."""
    rng, columns = random.Random(f"points {name}"), []
    for _ in range(2 if name in TWO else 1):
        lo, hi = RANGES[name]
        values = [rng.uniform(lo, hi) for _ in range(count // 2)]
        values += [struct.unpack("d", struct.pack("Q", rng.getrandbits(64)))[0] for _ in range(count // 2)]
        values += [rng.choice(TURNS) + rng.uniform(-1, 1) * 2.0 ** -rng.randint(0, 52) for _ in range(count // 10)]
        values += [rng.randint(-600_000, 600_000) * (math.pi / 2) * (1 + rng.randint(-2, 2) * 2.0**-52)
                   for _ in range(count // 10)]  # fmt: skip
        columns.append(array("d", values))
    return columns


def text_of(name: str) -> str:
    """The expression."""
    if name == "mod":
        return "x % y"
    return name if name in POWERS else f"math.{name}(x, y)" if name in TWO else f"{name}(x)"


def results(name: str, count: int) -> tuple[list[array[Any]], array[Any]]:
    """Arguments and results, inf and nan where Python would raise."""
    given = points(name, count)
    return given, ao.map(given[0], text_of(name), *given[1:], ieee=True)


def digest(count: int) -> str:
    """Of all bits of all functions, but for the signs of nans."""
    found = hashlib.sha256()
    for name in RANGES:
        values = results(name, count)[1]
        found.update(array("d", [abs(v) if v != v else v for v in values]).tobytes())
    return found.hexdigest()


def worst(name: str, count: int) -> tuple[float, str]:
    """The largest error in ULPs, and where."""
    import gmpy2

    context = gmpy2.context(precision=113, emin=-20000, emax=20000)
    gmpy2.set_context(context)
    operators: dict[str, Callable[..., Any]] = {"pow": operator.pow, "mod": lambda x, y: float(x) % float(y)}
    operators |= {power: (lambda x, n=n: x**n) for power, n in POWERS.items()}
    true = operators.get(name) or getattr(gmpy2, name)
    given, got = results(name, count)
    most, where = 0.0, ""
    for *xs, y in zip(*given, got, strict=True):
        if not math.isfinite(y):
            continue
        want = true(*(gmpy2.mpfr(x) for x in xs))
        nearest = float(want)
        if not math.isfinite(nearest):
            continue
        error = float(abs(gmpy2.mpfr(y) - want) / math.ulp(nearest))
        if error > most:
            most, where = error, ", ".join(repr(x) for x in xs)
    return most, where


def speeds(name: str) -> dict[str, float]:
    """Nanoseconds an element of 100,000 doubles."""
    lo, hi = RANGES[name]
    rng, size = random.Random(1), 100_000
    x, y = (array("d", [rng.uniform(lo, hi) for _ in range(size)]) for _ in range(2))
    out = array("d", bytes(8 * size))
    given = (x, y) if name in TWO else (x,)
    kernel = ao.compile(text_of(name))
    calls: dict[str, Callable[[], Any]] = {"arrayops": lambda: kernel(*given, out=out)}
    try:
        import numba
        import numexpr
        import numpy as np
    except ImportError:
        return {n: 1e9 * s / size for n, s in measure(calls, 7, 0.3).items()}
    views = [np.frombuffer(a) for a in given]
    target = np.empty(size)
    function = getattr(np, NUMPY.get(name, name), None)
    if function is not None:
        calls["NumPy"] = lambda: function(*views, out=target)
    elif name in POWERS:
        calls["NumPy"] = lambda: views[0] ** POWERS[name]
    numexpr.set_num_threads(1)
    arguments = "x, y" if name in TWO else "x"
    operators = {"pow": "x**y", "mod": "x % y"} | {power: power for power in POWERS}
    text = operators.get(name, f"{NUMPY.get(name, name)}({arguments})")
    try:
        numexpr.evaluate(text, dict(zip("xy", views, strict=False)))
        calls["numexpr"] = lambda: numexpr.evaluate(text, dict(zip("xy", views, strict=False)), out=target)
    except (TypeError, ValueError, KeyError, NameError, AttributeError):
        pass
    if name in operators or (hasattr(math, name) and name not in ("exp2", "cbrt", "fmod")):
        types = ["float64(float64, float64)" if name in TWO else "float64(float64)"]
        body = operators.get(name, f"math.{name}({arguments})")
        source = eval(f"lambda {arguments}: {body}", {"math": math})
        compiled = numba.vectorize(types)(source)
        calls["Numba"] = lambda: compiled(*views, out=target)
    for call in calls.values():
        call()
    with np.errstate(all="ignore"):
        return {n: 1e9 * s / size for n, s in measure(calls, 7, 0.3).items()}


def again(what: str, points: int, **environment: str) -> str:
    """What this program prints in another process, without warnings of features that are not there."""
    command = [sys.executable, "-W", "ignore", __file__, what, "--points", str(points)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def ratio(times: dict[str, float], name: str, mine: float) -> str:
    """How many times as long as ours, or nothing."""
    return f"{times[name] / mine:.2f}" if name in times else ""


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--digest", action="store_true", help="only print the digest of all results")
    parser.add_argument("--speeds", action="store_true", help="only print the times, as JSON")
    options = parser.parse_args()
    if options.digest:
        print(digest(options.points))
        return
    if options.speeds:
        print(json.dumps({name: speeds(name) for name in RANGES}))
        return
    digests = {level: again("--digest", options.points, ARRAYOPS_ISA=level) for level in machine.ISA_LEVELS}
    assert len(set(digests.values())) == 1, digests
    times = json.loads(again("--speeds", 0))
    without = {"ARRAYOPS_ISA": "avx2", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
    narrow = json.loads(again("--speeds", 0, **without)) if "avx512" in digests else {}
    rows, figures = [], {}
    for name in RANGES:
        error, where = worst(name, options.points)
        mine, theirs = times[name].pop("arrayops"), narrow.get(name, {})
        cells = [ratio(times[name], n, mine) for n in ("NumPy", "numexpr", "Numba")]
        cells += [f"{theirs['arrayops']:.2f}", ratio(theirs, "NumPy", theirs["arrayops"])] if theirs else ["", ""]
        rows.append(f"| `{name}` | {error:.3f} | {mine:.2f} | " + " | ".join(cells) + " |")
        figures[name] = {"ulps": error, "where": where, "arrayops": mine, **times[name], "without AVX-512": theirs}
        print(rows[-1], flush=True)
        assert error <= 1.0, (name, error, where)
    text = PAGE.format(points=options.points, machine=platform.machine(), isa=ao.isa(), rows="\n".join(rows),
                       python=platform.python_version(), levels=", ".join(digests))  # fmt: skip
    (DOCS / "elementary.md").write_text(text)
    (DOCS / "elementary.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
