"""The same vectors give the same bytes at every instruction-set level, each forced in its own process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from arrayops import _machine

LEVELS = tuple(_machine.ISA_LEVELS)

# Prints the level in use, then one digest per group of vectors, so that a difference names its group.
PROGRAM = r"""
import hashlib, random, sys
from array import array
import arrayops as ao
sys.path.insert(0, sys.argv[1])
from fuzz_expressions import case_of
from grammar import random_values
from oracle import TYPECODES, outcome

print("level", ao.isa())

TEXTS = [
    "x*x + 1", "x // 3 - x % 7", "x / 7", "(x*31 + 7) & 255", "x if x > 0 else -x", "x > 2 and x < 90", "x ** 2",
    "min(x, 5) + max(x, 3)", "abs(x) * 0.1", "round(x / 4)", "floor(x / 3) + ceil(x / 5)", "sqrt(abs(x))",
    "round(x / 7, 2)", "round(x * 12.5, -2)", "gcd(x, 12) + isqrt(abs(x))", "x.bit_count()", "isclose(x, 7, abs_tol=3)",
    "x * 21", "x * x", "x << 3 >> 1", "x ^ 85 | 3", "copysign(x, -1)", "x in (1, 2, 3)", "1 / (x or 1)",
]
LENGTHS = [*range(68), 255, 256, 257, 511, 512, 513, 1025]

def digest(*results):
    plain = [r.tobytes() if isinstance(r, array) else str(r) for r in results]
    return hashlib.sha256(repr(plain).encode()).hexdigest()[:20]

for code in TYPECODES:
    rng = random.Random(code)
    source = random_values(rng, code, 1100)
    small = array(code, [i % 100 for i in range(1100)])
    for text in TEXTS:
        results = []
        for length in LENGTHS:
            for data in (source, small):
                for target in (code, "d"):
                    results.append(outcome(lambda: ao.map(data[:length], text, typecode=target)))
            results.append(outcome(lambda: ao.filter(small[:length], text)))
        print("map", code, text.replace(" ", ""), digest(*results))
    raw = bytearray(16) + bytearray(small.tobytes())
    shifted = []
    for offset in range(0, 9):
        view = memoryview(raw)[16 - offset:][: 600 * small.itemsize].cast(code)
        shifted.append(outcome(lambda: ao.map(view, "x + 1 if x < 50 else x", typecode="d")))
    print("misaligned", code, digest(*shifted))
    reductions = [(ao.sum, source), (ao.sum, small), (ao.mean, small), (ao.min, small), (ao.max, source)]
    print("reductions", code, digest(*[outcome(lambda: f(data[:n])) for f, data in reductions for n in LENGTHS]))
    kinds = ("sum", "mean", "min", "max", "var", "std", "median")
    print("windows", code, digest(*[outcome(getattr(ao.rolling(data[:n], 7, partial=n % 2 > 0), what))
                                    for what in kinds for data in (source, small) for n in LENGTHS[::6]]))
    counting = [lambda a: ao.histogram(a, 20), lambda a: ao.histogram(a, 7, (0, 90)), ao.argsort,
                lambda a: ao.topk(a, 9)]
    print("counting", code, digest(*[outcome(lambda: f(data[:n])) for f in counting for data in (source, small)
                                     for n in LENGTHS[::6]]))
    print("folds", code, digest(*[outcome(lambda: ao.accumulate(small[:n], "(acc*5 + x) % 97")) for n in LENGTHS]))

# Near the subnormal numbers, where an emulated fused multiplication loses what its product has below them.
rng = random.Random("tiny")
tiny = array("d", [rng.uniform(-1, 1) * 2.0 ** rng.randint(-1074, -5) for _ in range(4000)])
for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "atanh", "exp", "expm1",
             "exp2", "log", "log1p", "log2", "log10", "cbrt", "erf", "erfc"):
    print("tiny", name, digest(ao.map(tiny, f"{name}(x)", ieee=True)))

for index in range(400):
    case = case_of(99, index, ("map",))
    positional = [case.arrays.get(n, case.numbers.get(n)) for n in case.positional]
    named = {n: v for n, v in (case.arrays | case.numbers).items() if n not in case.positional}
    first, *more = positional
    print("random", index, digest(outcome(lambda: ao.map(first, case.text, *more, typecode=case.typecode, **named))))
"""


def run(level: str | None) -> list[str]:
    """The lines of the program at a forced level; None leaves the choice to arrayops."""
    environment = {name: value for name, value in os.environ.items() if name != "ARRAYOPS_ISA"}
    if level is not None:
        environment["ARRAYOPS_ISA"] = level
    command = [sys.executable, "-c", PROGRAM, os.path.dirname(os.path.abspath(__file__))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def base() -> list[str]:
    return run("base")


def test_base_can_always_be_forced(base: list[str]) -> None:
    assert base[0] == "level base"
    assert len(base) > 500


@pytest.mark.parametrize("level", [*LEVELS[1:], None])
def test_same_bytes_at_every_level(level: str | None, base: list[str]) -> None:
    """At those that this processor has, and at the one that is chosen for it."""
    lines = run(level)
    assert lines[0].removeprefix("level ") == (level or LEVELS[-1])
    different = [(a, b) for a, b in zip(base[1:], lines[1:], strict=True) if a != b]
    assert not different, (lines[0], different[:5])


def test_an_unknown_level_does_not_pass_in_silence() -> None:
    environment = os.environ | {"ARRAYOPS_ISA": "sse9"}
    command = [sys.executable, "-c", "import arrayops; print(arrayops.isa())"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode and f"ARRAYOPS_ISA=sse9: it must be one of {' '.join(LEVELS)} here" in done.stderr
