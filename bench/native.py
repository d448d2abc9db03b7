"""Native code against kernels, a C loop for the one expression, and Numba: ns an element, the least of many runs.

They are measured in turn in one process, so that other work of the machine meets them all: ratios count, to the better
of C and Numba. C is gcc -O3 -march=native -ffp-contract=off, one function for each expression; what calls it is in C,
too, so it has no cost of a call. Numba (of doubles alone, where it means the same) is called from Python, as we are.
Folds are measured on a million elements.

    python bench/native.py [--seed 1] [--random 40] [--sizes 4000 100000]
"""

from __future__ import annotations

import argparse
import ctypes
import math
import random
import subprocess
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arrayops as ao
import numpy as np
from arrayops import _machine

try:
    import numba
except ImportError:
    numba = None

C_TYPES = {"d": "double", "B": "uint8_t", "h": "int16_t", "i": "int32_t", "q": "int64_t", "Q": "uint64_t"}
#: Expression, typecode of the arrays, of the result, the same in C.
ROWS = [
    ("(x*y + z)*(y - w) + (x + z*w)*(x - y) - w*x + y", "d", "d", ""),
    ("((1.5*x + 2.5)*x - 0.25)*x + 3.0", "d", "d", ""),
    ("(((((1.5*x + 2.5)*x - 0.25)*x + 3.0)*x + 1.25)*x + 0.75)*x + 0.125", "d", "d", ""),
    ("x*y + z*w", "d", "d", ""),
    ("x*x + 1", "d", "d", ""),
    ("x if x > 0 else y", "d", "d", "x > 0 ? x : y"),
    ("x*2 if x < 100 else 255", "B", "B", "x < 100 ? x * 2 : 255"),
    ("(x*x) >> 8", "B", "B", ""),
    ("x*3", "i", "i", ""),
    ("x*3 + 7", "i", "q", "(int64_t)x * 3 + 7"),
    ("x*1.8 + 32", "h", "d", ""),
    ("(x*1664525 + 1013904223) & 0xFFFFFFFF", "Q", "Q", ""),
    ("x % 256", "q", "q", "x & 255"),
    ("x*y", "q", "q", ""),
    ("x*y + x", "q", "q", ""),
]
_CRC = [0]
for _bits in range(1, 256):
    for _ in range(8):
        _bits = _bits >> 1 ^ (0xEDB88320 if _bits & 1 else 0)
    _CRC.append(_bits)
#: Fold, typecode of the array, first value, the accumulators in C, a step of them.
FOLDS: list[tuple[str, str, Any, str, str]] = [
    ("(acc*31 + x) & 0xFFFFFFFF", "B", 0, "uint64_t a = 0", "a = (a*31 + x) & 0xFFFFFFFF"),
    ("((acc ^ x) * 0x01000193) & 0xFFFFFFFF", "B", 1, "uint64_t a = 1", "a = ((a ^ x) * 0x01000193) & 0xFFFFFFFF"),
    ("((acc ^ x) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF", "B", 1, "uint64_t a = 1", "a = (a ^ x) * 0x100000001B3"),
    ("(acc*1664525 + 1013904223 + x) & 0xFFFFFFFF", "B", 1, "uint64_t a = 1",
     "a = (a*1664525 + 1013904223 + x) & 0xFFFFFFFF"),
    ("(acc*3 + x) % 65521", "B", 1, "int64_t a = 1", "a = (a*3 + x) % 65521"),
    ("(acc >> 8) ^ t[(acc ^ x) & 255]", "B", 0xFFFFFFFF, "uint64_t a = 0xFFFFFFFF", "a = (a >> 8) ^ t[(a ^ x) & 255]"),
    ("acc + 0.1*(x - acc)", "d", 0.0, "double a = 0", "a = a + 0.1*(x - a)"),
    ("0.2*x + acc[1], 0.3*x + 0.9*(0.2*x + acc[1]) + acc[2], 0.2*x - 0.5*(0.2*x + acc[1])", "d", (0.0, 0.0, 0.0),
     "double a = 0, b = 0, c = 0", "a = 0.2*x + b; b = 0.3*x + 0.9*a + c; c = 0.2*x - 0.5*a"),
    ("max(acc, x)", "d", 0.0, "double a = 0", "a = x > a ? x : a"),
    ("acc if acc < x else x", "d", 0.0, "double a = 0", "a = a < x ? a : x"),
    ("max(acc, x)", "q", 0, "int64_t a = 0", "a = x > a ? x : a"),
    ("acc + x", "q", 0, "int64_t a = 0", "a = a + x"),
]  # fmt: skip


def random_text(rng: random.Random, operations: int) -> str:
    """Of cheap operations of doubles, on up to four arrays."""
    if operations == 0:
        return rng.choice("xyzw") if rng.random() < 0.8 else f"{rng.randrange(1, 40) / 8}"
    left = rng.randrange(operations)
    a, b = random_text(rng, left), random_text(rng, operations - 1 - left)
    kind = rng.random()
    if kind < 0.08:
        return f"abs({a} - {b})"
    return f"({a} {rng.choice('++--***')} {b})"


def c_source(text: str, names: tuple[str, ...], code: str, out: str, c: str) -> str:
    """The loop, and one that calls it so many times."""
    given = ", ".join(f"const {C_TYPES[code]} *restrict {n}_" for n in names)
    bound = "".join(f"const {C_TYPES[code]} {n} = {n}_[i]; " for n in names)
    body = (c or text).replace("abs(", "fabs(")
    return f"""#include <math.h>
#include <stdint.h>
#include <stddef.h>
__attribute__((noinline)) void f(size_t n, {given}, {C_TYPES[out]} *restrict o)
{{ for (size_t i = 0; i < n; i++) {{ {bound}o[i] = ({C_TYPES[out]})({body}); }} }}
void again(long times, size_t n, {given}, {C_TYPES[out]} *restrict o)
{{ for (; times; times--) {{ f(n, {", ".join(n + "_" for n in names)}, o); __asm__ volatile("" ::: "memory"); }} }}
"""


def c_fold(code: str, start: str, step: str) -> str:
    """The fold, with the table of a CRC, and one that calls it so many times."""
    return f"""#include <stdint.h>
#include <stddef.h>
static const int64_t t[256] = {{{", ".join(map(str, _CRC))}}};
__attribute__((noinline)) double f(size_t n, const {C_TYPES[code]} *restrict x_)
{{ {start}; for (size_t i = 0; i < n; i++) {{ const {C_TYPES[code]} x = x_[i]; {step}; }} return (double)a; }}
double again(long times, size_t n, const {C_TYPES[code]} *x)
{{ double sum = 0; for (; times; times--) {{ sum += f(n, x); __asm__ volatile("" ::: "memory"); }} return sum; }}
"""


def numba_function(text: str, names: tuple[str, ...]) -> Callable[..., None]:
    """The loop over arrays of doubles, compiled."""
    given = ", ".join(f"{n}_" for n in names)
    bound = "; ".join(f"{n} = {n}_[i]" for n in names)
    scope: dict[str, Any] = {}
    exec(f"def f({given}, o):\n for i in range(o.size):\n  {bound}; o[i] = {text}\n", scope)
    compiled: Callable[..., None] = numba.njit(f"void({'float64[::1], ' * len(names)}float64[::1])")(scope["f"])
    return compiled


def c_function(source: str, folder: str) -> ctypes.CDLL:
    path = Path(folder) / f"f{abs(hash(source))}"
    path.with_suffix(".c").write_text(source)
    flags = ["-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, str(path.with_suffix(".c")), "-o", f"{path}.so"], check=True)
    return ctypes.CDLL(f"{path}.so")


def numbers(code: str, count: int, rng: random.Random) -> array[float]:
    most = {"B": 255, "h": 30000, "i": 10**6, "q": 10**6, "Q": 2**32}
    values = [rng.uniform(-1, 1) if code == "d" else rng.randrange(most[code]) for _ in range(count)]
    return array(code, values)


def least(ways: list[Callable[[], object]], repeats: int, twice: bool = False) -> list[float]:
    """Seconds of each, in turn; if twice, of the second of two runs, so that caches do not show who ran before."""
    best = [math.inf] * len(ways)
    for _ in range(repeats):
        for k, way in enumerate(ways):
            if twice:
                way()
            start = time.perf_counter()
            way()
            best[k] = min(best[k], time.perf_counter() - start)
    return best


def by(native: str, run: Callable[[], object]) -> Callable[[], object]:
    def way() -> object:
        _machine.set_native(native)
        return run()

    return way


def repeated(call: str, times: int, **names: Any) -> Callable[[], object]:
    """So many calls as one writes them: to unpack a sequence takes Python longer than a short call takes."""
    scope = dict(names)
    exec(f"def run():\n for _ in range({times}): {call}\n", scope)
    run: Callable[[], object] = scope["run"]
    return run


def measure(text: str, code: str, out_code: str, c: str, count: int, folder: str) -> list[float]:
    """ns an element of kernels, native code, C, Numba. Raises AssertionError if native code gives other bits."""
    rng = random.Random(3)
    kernel = ao.compile(text)
    names = kernel.params
    arrays = [numbers(code, count, rng) for _ in names]
    out, c_out, numba_out = (array(out_code, bytes(count * array(out_code).itemsize)) for _ in range(3))
    library = c_function(c_source(text, names, code, out_code, c), folder)
    places = [ctypes.c_void_p(a.buffer_info()[0]) for a in (*arrays, c_out)]
    times = max(1, 200000 // count)
    given = {f"{n}_": a for n, a in zip(names, arrays, strict=True)}
    run = repeated(f"kernel({', '.join(given)}, out=out)", times, kernel=kernel, out=out, **given)

    def again() -> None:
        library.again(ctypes.c_long(times), ctypes.c_size_t(count), *places)

    results = []
    for native in ("0", "always"):
        by(native, run)()
        results.append(out.tobytes())
    again()
    ways: list[Callable[[], object]] = [by("0", run), by("always", run), again]
    if numba is not None and code == "d":
        function, views = numba_function(text, names), [np.frombuffer(a) for a in (*arrays, numba_out)]
        viewed = {f"v{k}": view for k, view in enumerate(views)}
        ways.append(repeated(f"function({', '.join(viewed)})", times, function=function, **viewed))
    best = [seconds / times / count * 1e9 for seconds in least(ways, 60)]
    assert results[0] == results[1], text
    assert code == "d" or c_out.tobytes() == results[0], text
    return [*best, math.inf][:4]


def measure_fold(text: str, code: str, first: Any, start: str, step: str, folder: str) -> list[float]:
    """ns an element of the kernels, of native code, of C, over a million. Raises AssertionError if results differ."""
    count = 1000000
    data = numbers(code, count, random.Random(3))
    library = c_function(c_fold(code, start, step), folder)
    library.again.restype = ctypes.c_double
    place = ctypes.c_void_p(data.buffer_info()[0])
    table = {"t": array("q", _CRC)} if "t[" in text else {}
    results: list[Any] = [None, None]

    def run(k: int) -> None:
        results[k] = ao.reduce(data, text, first, **table)

    def again() -> float:
        return float(library.again(ctypes.c_long(1), ctypes.c_size_t(count), place))

    ways = [by("0", lambda: run(0)), by("always", lambda: run(1)), again]
    best = [seconds / count * 1e9 for seconds in least(ways, 15, twice=True)]
    assert results[0] == results[1], text
    assert again() == float(results[0][0] if isinstance(first, tuple) else results[0]), text
    return best


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--random", type=int, default=40)
    parser.add_argument("--sizes", type=int, nargs="*", default=[4000, 100000])
    options = parser.parse_args()
    ao.set_num_threads(1)
    rng = random.Random(options.seed)
    rows = ROWS + [(random_text(rng, rng.randrange(3, 21)), "d", "d", "") for _ in range(options.random)]
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            ratios = []
            for number, (text, code, out, c) in enumerate(rows):
                kernels, native, loop, jit = measure(text, code, out, c, size, folder)
                ratio = native / min(loop, jit)
                ratios += [ratio] if number >= len(ROWS) else []
                print(f"{size:7} {code}{out} kernels {kernels:6.3f}  native {native:6.3f}  C {loop:6.3f} "
                      f" Numba {jit:6.3f}  native to the better {ratio:5.2f}  {text[:60]}", flush=True)  # fmt: skip
            if ratios:
                mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
                print(f"{size:7} {len(ratios)} random expressions: mean {mean:.2f}, worst {max(ratios):.2f}")
        for text, code, first, start, step in FOLDS:
            kernels, native, loop = measure_fold(text, code, first, start, step, folder)
            print(f"  folds {code}  kernels {kernels:6.2f}  native {native:6.3f}  C {loop:6.3f}  "
                  f"native/C {native / loop:5.2f}  {text[:60]}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
