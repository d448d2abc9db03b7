"""Native code against kernels and against a C loop for the one expression: ns an element, the least of many runs.

The three are measured in turn in one process, so that other work of the machine meets them all: ratios count.
C is gcc -O3 -march=native -ffp-contract=off, one function for each expression.

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
from pathlib import Path

import arrayops as ao
from arrayops import _machine

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
    ("x*3 + 7", "i", "q", "(int64_t)x * 3 + 7"),
    ("x*1.8 + 32", "h", "d", ""),
    ("(x*1664525 + 1013904223) & 0xFFFFFFFF", "Q", "Q", ""),
    ("x % 256", "q", "q", "x & 255"),
    ("x*y", "q", "q", ""),
    ("x*y + x", "q", "q", ""),
]


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


def measure(text: str, code: str, out_code: str, c: str, count: int, folder: str) -> tuple[float, float, float]:
    """ns an element of the kernels, of native code, of C. Raises AssertionError if native code gives other bits."""
    rng = random.Random(3)
    names = ao.compile(text).params
    arrays = [numbers(code, count, rng) for _ in names]
    out, c_out = (array(out_code, bytes(count * array(out_code).itemsize)) for _ in range(2))
    more = dict(zip(names[1:], arrays[1:], strict=True))
    library = c_function(c_source(text, names, code, out_code, c), folder)
    places = [ctypes.c_void_p(a.buffer_info()[0]) for a in (*arrays, c_out)]
    times = max(1, 200000 // count)

    def run() -> None:
        for _ in range(times):
            ao.map(arrays[0], text, out=out) if not more else kernel(*arrays, out=out)

    kernel = ao.compile(text)
    best = [math.inf] * 3
    results = []
    for repeat in range(60):
        for way in range(3):
            if way < 2:
                _machine.set_native(("0", "always")[way])
                run() if repeat == 0 else None
                results += [out.tobytes()] if repeat == 0 else []
            start = time.perf_counter()
            if way < 2:
                run()
            else:
                library.again(ctypes.c_long(times), ctypes.c_size_t(count), *places)
            best[way] = min(best[way], (time.perf_counter() - start) / times / count * 1e9)
    assert results[0] == results[1], text
    assert code == "d" or c_out.tobytes() == results[0], text
    return best[0], best[1], best[2]


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
                kernels, native, loop = measure(text, code, out, c, size, folder)
                ratios += [native / loop] if number >= len(ROWS) else []
                print(f"{size:7} {code}{out} kernels {kernels:6.3f}  native {native:6.3f}  C {loop:6.3f}  native/C "
                      f"{native / loop:5.2f}  kernels/C {kernels / loop:5.2f}  {text[:60]}", flush=True)  # fmt: skip
            if ratios:
                mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
                print(f"{size:7} {len(ratios)} random expressions, native/C: mean {mean:.2f}, worst {max(ratios):.2f}")


if __name__ == "__main__":
    main()
