"""What calls share, used by eight threads at once: texts, functions, programs, kernels, pipelines, buffers.

On a build without the GIL these run truly at once; with it, threads are switched after every few instructions, so that
most of the same orders of events are met. Each thread compares every result with Python's. Nothing is timed.
"""

from __future__ import annotations

import functools
import itertools
import math
import random
import subprocess
import sys
import sysconfig
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import arrayops as ao
import pytest
from arrayops import _machine
from arrayops.engine import functions, kernel
from oracle import assert_bytes, outcome
from test_threads import WORKERS, together

FREE = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
DOUBLES = array("d", [0.5 * i - 3 for i in range(40)])
CODES = "bBhHiIlLqQfd"


@pytest.fixture(autouse=True)
def switch_often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Functions are compiled at their first call; threads take turns as often as can be."""
    monkeypatch.setattr(functions, "COMPILE_AFTER", 0)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.skipif(not FREE, reason="this build of Python has a GIL")
def test_importing_leaves_the_gil_off() -> None:
    program = "import arrayops, arrayops.engine.kernel, sys; arrayops.map(b'12', 'x + 1'); print(sys._is_gil_enabled())"
    command = [sys.executable, "-X", "gil=0", "-c", program]
    for arguments in (command, [command[0], "-W", "error", *command[3:]]):
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=200, check=False)
        assert done.stdout.strip() == "False", done.stderr[-1000:]


def test_more_new_texts_than_are_remembered() -> None:
    def work(number: int) -> None:
        for i in range(100):
            for constant in (i, 100 * number + i):  # of all threads, and of this one alone
                assert_bytes(ao.map(DOUBLES, f"x + {constant}"), "d", [x + constant for x in DOUBLES])

    together(work)
    assert len(kernel._kernels) <= kernel._MOST_KERNELS + WORKERS
    assert len(_machine.TEXTS[0]) <= kernel._MOST_KERNELS + WORKERS


def test_more_new_functions_than_are_remembered() -> None:
    def work(number: int) -> None:
        for i in range(60):
            function = eval(f"lambda x: x*{i} + {number}")
            for _ in range(2):
                assert_bytes(ao.map(DOUBLES, function), "d", [x * i + number for x in DOUBLES])

    together(work)
    assert len(_machine.ENTRIES) <= functions._MOST_ENTRIES + WORKERS


def test_one_code_object_that_means_many_things() -> None:
    """Closures over other objects are other translations, of which four are kept."""

    def over(captured: Any) -> Callable[[float], Any]:
        return lambda x: captured(x) if captured is abs or captured is math.floor else x + captured

    meanings = [1, 2.5, True, abs, math.floor, -(2**40), 0.125]

    def work(number: int) -> None:
        for i in range(60):
            function = over(meanings[(i + number) % len(meanings)])
            assert_bytes(ao.map(DOUBLES, function), "d", [function(x) for x in DOUBLES])

    together(work)


def test_one_kernel_for_more_types_than_it_remembers() -> None:
    product = ao.compile("x*2 + y")
    arrays = {code: array(code, [1, 2, 3]) for code in CODES}

    def work(number: int) -> None:
        for i in range(len(CODES) ** 2):
            a, b = CODES[(i + number) % len(CODES)], CODES[(i // len(CODES) + 5 * number) % len(CODES)]
            assert_bytes(product(arrays[a], arrays[b], typecode="d"), "d", [3.0, 6.0, 9.0])
            assert_bytes(product(arrays[a], arrays[a]), a, [3, 6, 9])

    together(work)


def test_a_global_that_changes_between_calls() -> None:
    """Each result is that of one of the values which the global had."""
    namespace: dict[str, Any] = {"k": 0}
    function = eval("lambda x: x + k", namespace)
    values: list[Any] = [0, 1.5, True, 2**40, -7]
    expected = [array("d", [x + k for x in DOUBLES]) for k in values]

    def work(number: int) -> None:
        for i in range(150):
            if number % 2:
                namespace["k"] = values[(i + number) % len(values)]
            else:
                assert ao.map(DOUBLES, function) in expected

    together(work)


def test_one_pipeline() -> None:
    pipeline = ao.lazy(DOUBLES).map("x*x").filter("x > 2").map(lambda x: x - 1)
    want = [x * x - 1 for x in DOUBLES if x * x > 2]
    small = array("d", want)

    def work(number: int) -> None:
        for _ in range(20):
            assert pipeline.collect() == small
            assert pipeline.sum() == math.fsum(want)
            assert (ao.lazy(DOUBLES).map(f"x + {number}").count()) == len(DOUBLES)

    together(work)


def test_kernels_are_compared_shown_and_set_while_they_run() -> None:
    texts = [f"x*{i} - y" for i in range(10)]

    def work(number: int) -> None:
        for i in range(30):
            text = texts[(i + number) % len(texts)]
            one, other = ao.compile(text), ao.compile(text)
            assert one == other and hash(one) == hash(other) and "compiled" in ao.explain(text, "d")
            ao.set_num_threads(1 + (i + number) % 3)

    before = ao.set_num_threads(1)
    try:
        together(work)
    finally:
        ao.set_num_threads(before)


INTS = array("i", range(-300, 300))
MANY = array("d", [float(i % 977) for i in range(100_000)])
KERNEL, OF_FUNCTION = ao.compile("x*3 + y"), ao.compile(lambda x: x * 2 + 1)
PIPELINE = ao.lazy(DOUBLES).map("x*x").filter("x > 4").map(lambda x: x - 1)
PIPED = [x * x - 1 for x in DOUBLES if x * x > 4]

#: What a thread does with a number of its own while the others do the rest, and what Python makes of it.
MIXED: dict[str, tuple[Callable[[int], Any], Callable[[int], Any]]] = {
    "a text": (lambda n: ao.map(INTS, f"x*3 + {n}"), lambda n: array("i", [x * 3 + n for x in INTS])),
    "a closure": (lambda n: ao.map(DOUBLES, lambda x: x - n), lambda n: array("d", [x - n for x in DOUBLES])),
    "a callable": (lambda n: ao.map(INTS, lambda x: [x + n][0], threads=2),
                   lambda n: array("i", [x + n for x in INTS])),
    "a kernel": (lambda n: KERNEL(INTS, n), lambda n: array("i", [x * 3 + n for x in INTS])),
    "a kernel of a function": (lambda n: OF_FUNCTION(DOUBLES), lambda n: array("d", [x * 2 + 1 for x in DOUBLES])),
    "a fold": (lambda n: ao.reduce(INTS, "acc*31 + x & 65535", n),
               lambda n: functools.reduce(lambda acc, x: acc * 31 + x & 65535, INTS, n)),
    "a scan": (lambda n: ao.accumulate(INTS, "acc + x", initial=n),
               lambda n: array("i", itertools.accumulate(INTS, initial=n))),
    "a pipeline": (lambda n: PIPELINE.collect(), lambda n: array("d", PIPED)),
    "a pipeline's sum": (lambda n: PIPELINE.sum(), lambda n: math.fsum(PIPED)),
    "names": (lambda n: ao.evaluate("p*q + k", p=INTS, q=INTS, k=n), lambda n: array("q", [x * x + n for x in INTS])),
    "shared work": (lambda n: ao.count(MANY, f"x < {n}"), lambda n: sum(x < n for x in MANY)),
    "an exception": (lambda n: ao.map(INTS, f"{n} // x"), lambda n: array("i", [n // x for x in INTS])),
    "threads": (lambda n: ao.set_num_threads(1 + n % 3) * 0, lambda n: 0),
}  # fmt: skip


def told(call: Callable[[int], Any], number: int) -> str:
    """What the call gives or raises. Not by outcome(), as threads share the filters of warnings that it sets."""
    try:
        return str(call(number))
    except Exception as error:
        return repr(error)


def test_everything_at_once() -> None:
    """Each thread does all of it, in an order of its own."""
    rows = list(MIXED.values())
    running = ao.RunningStats()
    wanted = [[told(python, number) for _, python in rows] for number in range(WORKERS)]

    def work(number: int) -> None:
        order = list(range(len(rows))) * 10
        random.Random(number).shuffle(order)
        for i in order:
            assert told(rows[i][0], number) == wanted[number][i], list(MIXED)[i]
            running.update(INTS)

    before = ao.set_num_threads(1)
    try:
        together(work)
    finally:
        ao.set_num_threads(before)
    assert running.count == WORKERS * 10 * len(rows) * len(INTS)


SHARED: dict[str, Callable[[], Any]] = {
    "array": lambda: array("B", range(100)),
    "bytearray": lambda: bytearray(range(100)),
    "memoryview": lambda: memoryview(bytearray(range(100))),
    "view": lambda: ao.view(bytearray(range(100)), "B"),
}


@pytest.mark.parametrize("kind", SHARED)
def test_one_buffer_is_counted_right(kind: str) -> None:
    """Taken and released by all threads, it can be resized or released afterwards."""
    shared = SHARED[kind]()

    def work(number: int) -> None:
        for _ in range(300):
            assert ao.sum(shared) == 4950
            assert ao.map(shared, "x + 1 & 127")[number] == number + 1

    together(work)
    if hasattr(shared, "release"):
        shared.release()
    else:
        shared.append(1)


def test_a_view_that_is_released_while_it_is_read() -> None:
    for _ in range(30):
        view = ao.view(bytearray(range(100)), "B")

        def work(number: int, view: Any = view) -> None:
            for i in range(30):
                if number == 0:
                    outcome(view.release)
                    continue
                for call in (lambda i=i: view[i], lambda i=i: view[i:].tolist()[0], lambda i=i: ao.map(view, "x")[i]):
                    got = outcome(call)
                    assert got == i or type(got.error) in (ValueError, BufferError, IndexError), got

        together(work)


def test_in_place_on_slices_of_one_array() -> None:
    data = array("q", range(8000))
    whole = memoryview(data)

    def work(number: int) -> None:
        mine = whole[number * 1000 : (number + 1) * 1000]
        for _ in range(50):
            ao.map_inplace(mine, "x + 1")

    together(work)
    assert data == array("q", range(50, 8050))
