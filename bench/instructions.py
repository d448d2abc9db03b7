"""Counts the instructions of a fixed set of calls, by valgrind: python bench/instructions.py [--check | --update]

Instructions, unlike seconds, do not depend on what else the machine does. Each case runs in two processes, with few and
with many repetitions; the difference over the repetitions is what one costs, start-up cancelled out. --check compares
with instructions.json, and fails where a case takes more than the tolerance above it; --update writes that file. The
figures are of one compiler and one Python: under others they are printed, and only twice as many is a failure.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

BASELINE = Path(__file__).with_name("instructions.json")
TOLERANCE = 1.05  # the same binary gives the same count to a few in a thousand: addresses change hash tables
ELSEWHERE = 2.0  # under another compiler or Python

PROGRAM = """
import gc
import random
import sys
from array import array
import arrayops as ao
gc.disable()  # or one collection more is a difference
ao.set_num_threads(1)
others, rng = [], random.Random(1)
def placed(code, values):
    # At one place in a cache line: the number of instructions of a long run depends on it.
    for _ in range(100):
        a = array(code, values)
        if len(a) < 500 or a.buffer_info()[0] % 64 == 16:
            return a
        others.append([a, bytearray(rng.randrange(600, 2000))])
    sys.exit('no such place')
x = placed('d', [k % 977 / 64 - 7.3 for k in range({size})])
y = placed('d', [k % 499 / 32 + 1.1 for k in range({size})])
q = placed('q', [k * 7919 % 100003 - 50000 for k in range({size})])
i = placed('i', q)
b = placed('B', [k * 31 % 256 for k in range({size})])
o, oq, ob = placed('d', x), placed('q', q), placed('B', b)
{setup}
def run():
    {statement}
for _ in range(250): # after 200 calls comes the rest of the package
    ao.any(ob)
run()
run()
for _ in range(int(sys.argv[1])):
    run()
"""


@dataclass(frozen=True)
class Case:
    """A statement to be counted."""

    name: str
    statement: str
    size: int = 10_000
    setup: str = "pass"
    few: int = 10
    many: int = 50


def kernel(name: str, text: str, call: str) -> Case:
    """A kernel over 10,000 elements, with out=."""
    return Case(name, call, setup=f"k = ao.compile({text!r})")


CASES = (
    Case("call: map of a text, 10 elements", "ao.map(x, 'x*x + 1')", 10, few=100, many=1100),
    Case("call: kernel with out=, 10 elements", "k(x, out=o)", 10, "k = ao.compile('x*x + 1')", 100, 1100),
    # decoded before it is counted, as its code has seen enough elements by then
    Case("call: map of a lambda, 10 elements", "ao.map(x, f)", 10,
         "f = lambda x: x*x + 1; ao.map(array('d', bytes(8 * 4000)), f)", 100, 1100),
    Case("call: filter, 10 elements", "ao.filter(x, 'x > 1')", 10, few=100, many=1100),
    Case("call: sum, 100 elements", "ao.sum(x)", 100, few=100, many=1100),
    Case("call: reduce, 10 elements", "ao.reduce(x, 'acc + x*x', 0.0)", 10, few=100, many=1100),
    Case("call: reduce from an int, 10 elements", "ao.reduce(x, 'acc + x*x', 0)", 10, few=100, many=1100),
    Case("call: accumulate, 10 elements", "ao.accumulate(x)", 10, few=100, many=1100),
    Case("call: add with out=, 10 elements", "ao.add(x, y, out=o)", 10, few=100, many=1100),
    Case("call: clip, 10 elements", "ao.clip(x, -100.0, 100.0)", 10, few=100, many=1100),
    Case("call: dot, 10 elements", "ao.dot(x, y)", 10, few=100, many=1100),
    Case("call: std, 10 elements", "ao.std(x)", 10, few=100, many=1100),
    kernel("x*x + 1", "x*x + 1", "k(x, out=o)"),
    kernel("cubic polynomial", "((2*x + 3)*x + 4)*x + 5", "k(x, out=o)"),
    kernel("x*y + y*y", "x*y + y*y", "k(x, y, out=o)"),
    kernel("x if x > 0 else y", "x if x > 0 else y", "k(x, y, out=o)"),
    kernel("exp(x)*sin(x)", "exp(x)*sin(x)", "k(x, out=o)"),
    kernel("log(y) + tanh(x)", "log(y) + tanh(x)", "k(y, x, out=o)"),
    kernel("q: x*3 + 7", "x*3 + 7", "k(q, out=oq)"),
    kernel("q: x // 7 + x % 11", "x // 7 + x % 11", "k(q, out=oq)"),
    kernel("i to q: x*x", "x*x", "k(i, out=oq)"),
    kernel("B: x*2 if x < 100 else 255", "x*2 if x < 100 else 255", "k(b, out=ob)"),
    Case("filter, half of 10,000", "ao.filter(x, 'x > 0')"),
    Case("sum of 10,000 doubles", "ao.sum(x)"),
    Case("max of 10,000 doubles", "ao.max(x)"),
    Case("fold of 10,000 doubles", "ao.reduce(x, 'acc*0.5 + x', 0.0)"),
    Case("B: t[x]", "k(b, t, out=ob)", setup="k, t = ao.compile('t[x]', 'x', 't'), bytes(range(255, -1, -1))"),
    Case("i: t[x]", "k(i, t, out=oq)", setup="k, t = ao.compile('t[x]', 'x', 't'), placed('q', range(50_003))"),
    Case("CRC by table of 10,000 bytes", "ao.reduce(b, '(acc >> 8) ^ t[(acc ^ x) & 255]', 0xFFFF, t=t)",
         setup="t = placed('H', [n * 257 for n in range(256)])"),
    Case("(x - mean(x)) / std(x)", "k(x, out=o)", setup="k = ao.compile('(x - mean(x)) / std(x)')"),
    Case("0.5*x of a range", "ao.map(r, '0.5*x', out=o)", setup="r = range(10_000)"),
    Case("a function called 10,000 times", "ao.map(x, f, compile=False)", setup="f = lambda x: x*x + 1", few=1, many=5),
    Case("a new lambda decoded", "n += 1; ao.compile(F(f.replace(co_firstlineno=n), {}), strict=True)", 10,
         "n = 1; g = lambda x: x*x + 1; F, f = type(g), g.__code__", 5, 45),
    Case("a new text compiled", "n += 1; ao.map(x, f'x*2 + {n}')", 10, "n = 0", 5, 45),
)


def count(case: Case, repetitions: int) -> int:
    """Instructions of a process that runs the case so many times."""
    statement = case.statement.replace("n += 1", "global n; n += 1")
    program = PROGRAM.format(size=case.size, setup=case.setup, statement=statement)
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*command, str(repetitions)], env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise SystemExit(f"{case.name}: {done.stderr[-2000:]}")
    return int(found[1])


def measured() -> dict[str, int]:
    """Instructions of one run of each case."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        few = pool.map(lambda c: count(c, c.few), CASES)
        many = pool.map(lambda c: count(c, c.many), CASES)
        return {c.name: (m - f) // (c.many - c.few) for c, f, m in zip(CASES, few, many, strict=True)}


def circumstances() -> dict[str, str]:
    """What the counts depend on."""
    compiler = subprocess.run(["gcc", "-dumpversion"], capture_output=True, text=True, check=True).stdout.strip()
    return {"gcc": compiler, "python": ".".join(platform.python_version_tuple()[:2]), "machine": platform.machine()}


def compare(found: dict[str, int], baseline: dict[str, int], most: float) -> list[str]:
    """Prints the table; the cases that take too many."""
    short = []
    for name, number in found.items():
        before = baseline.get(name)
        ratio = number / before if before else 1.0
        print(f"{name:38} {number:>12,} {f'{before:>12,} {ratio:6.3f}' if before else 'new'}")
        if ratio > most:
            short.append(f"{name}: {number:,} instructions, {ratio:.3f} times the {before:,} of the baseline")
        elif ratio < 2 - most:
            print("    fewer than before: --update the baseline")
    return short


def main() -> None:
    """Counts, prints, and compares or writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail where a case takes more than before")
    parser.add_argument("--update", action="store_true", help="write the baseline")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed")
    found, here = measured(), circumstances()
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"circumstances": here, "instructions": {}}
    same = baseline["circumstances"] == here
    short = compare(found, baseline["instructions"], TOLERANCE if same else ELSEWHERE)
    if not same:
        print(f"the baseline is of {baseline['circumstances']}, this of {here}")
    if options.update:
        BASELINE.write_text(json.dumps({"circumstances": here, "instructions": found}, indent=1) + "\n")
    elif options.check and short:
        raise SystemExit("more instructions than before:\n" + "\n".join(short))


if __name__ == "__main__":
    main()
