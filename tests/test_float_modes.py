"""What a call leaves of the modes of the processor's floats: all as they were, for Python and for whoever is called.

Kernels of elementary functions drop subnormal numbers for a while (vm/subnormal.h). Python must never see that: after a
call, after an exception, in a callable between two kernels, in threads. That every kernel puts the modes back is
looked at by tests/vm/test_kernels.c, on every platform; after Ctrl-C by tests/test_interruption.py.
"""

from __future__ import annotations

import math
import random
import threading
from array import array
from typing import Any

import arrayops as ao
import pytest

TINY, LEAST, EPSILON = 5e-324, 2.2250738585072014e-308, 2.0**-52
FUNCTIONS = ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan",
             "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "cbrt", "erf", "erfc", "sqrt", "floor")  # fmt: skip
TEXTS = [f"{name}(x)" for name in FUNCTIONS]
TEXTS += ["x ** y", "hypot(x, y)", "atan2(x, y)", "fmod(x, y)", "remainder(x, y)", "x // y", "x % y", "x * y", "x / y"]
TEXTS += ["exp(x) + sin(y) * atan(x)", "sum(exp(x)) + cbrt(x)"]


def as_ever(one: float = 1.0) -> bool:
    """Python's arithmetic keeps subnormal numbers and rounds to nearest. `one` is no constant, so nothing is folded."""
    tiny, least = TINY * one, LEAST * one
    kept = tiny > 0 and tiny + tiny == 1e-323 and least - tiny < least and least / 2 * 2 == least and least * 0.5 > 0
    half = EPSILON * one / 2
    return kept and 1 + half == 1 and 1 - half / 2 == 1 and 1 + half * 1.5 == 1 + EPSILON and -1 - half == -1


def mixed(count: int) -> array[float]:
    """Ordinary numbers from the front on, subnormal ones behind, then both."""
    rng = random.Random(3)
    tiny = [TINY, -TINY, 1e-310, -3e-320, LEAST, LEAST - TINY]
    ordinary = [rng.uniform(0.1, 0.9) for _ in range(count // 3)]
    return array("d", ordinary + [rng.choice(tiny) for _ in ordinary] + [rng.choice([*tiny, 0.5]) for _ in ordinary])


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("count", [6, 3000, 300_000])
def test_after_a_call(text: str, count: int) -> None:
    a = mixed(count)
    names: dict[str, Any] = {"y": a[::-1]} if "y" in text.replace("hypot", "") else {}
    for ieee in (True, False):
        try:
            ao.map(a, text, ieee=ieee, threads=2, **names)
        except (ValueError, ArithmeticError, TypeError):
            assert not ieee or "**" in text
        assert as_ever()


@pytest.mark.parametrize("text", ["log(x)", "exp(x) / 0.0", "acosh(x)", "tan(x) + 1 // (x - x)"])
def test_after_an_exception(text: str) -> None:
    for refused in (0, 2999):
        a = mixed(3000)
        a[refused] = -1.0
        with pytest.raises((ValueError, ZeroDivisionError)):
            ao.map(a, text)
        assert as_ever()


def test_what_is_called_between_kernels_and_for_single_elements() -> None:
    a, seen = mixed(60_000), []

    def between(x: float) -> float:
        seen.append(as_ever())
        return x

    for call in (
        lambda: ao.lazy(a).map("exp(x) * sin(x)").map(between).map("atan(x)").sum(),
        lambda: ao.map(a, between, compile=False, threads=2),
        lambda: ao.filter(a, lambda x: between(math.exp(x)) > 0),
        lambda: ao.reduce(a, lambda acc, x: between(x)),
    ):
        seen.clear()
        call()
        assert len(seen) >= len(a) - 1 and all(seen)


def test_what_python_answers_in_the_midst_of_a_run() -> None:
    """Ints of more than 64 bits are Python's; what it divides them to is subnormal, beside functions of such."""
    a = mixed(3000)
    n = array("q", [2**62 - k for k in range(len(a))])
    text = "(n * n * n) / 1e300 / 1e72 + sin(x) * 0.0"
    want = [(v * v * v) / 1e300 / 1e72 + math.sin(x) * 0.0 for v, x in zip(n, a, strict=True)]
    assert 0 < max(want) < LEAST
    assert ao.map(a, text, n=n).tolist() == want


def test_in_threads_that_compute_at_once() -> None:
    a, right = mixed(30_000), []

    def work() -> None:
        good = True
        for text in TEXTS[:24]:
            ao.map(a, text, ieee=True, threads=2)
            good = good and as_ever()
        right.append(good)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 4 and as_ever()
