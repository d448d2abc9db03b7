"""Threads and signals: one kernel in many threads at once, resizing from another thread, Ctrl-C during a long run."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
import threading
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import arrayops as ao
import pytest
from oracle import assert_bytes, assert_same, outcome, patience

WORKERS = 8


def together(work: Callable[[int], Any]) -> list[Any]:
    """Run work(0) .. work(7) in threads that start at one barrier; exceptions come out."""
    barrier = threading.Barrier(WORKERS)

    def started(number: int) -> Any:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(started, range(WORKERS)))


def test_one_kernel_in_many_threads() -> None:
    kernel = ao.compile("x*x*3 - y if x % 2 else x // (y or 1)")
    y = array("q", [i % 7 for i in range(3000)])
    inputs = [array("q", range(n, n + 3000)) for n in range(WORKERS)]
    wants = [array("q", [x * x * 3 - v if x % 2 else x // (v or 1) for x, v in zip(a, y, strict=True)]) for a in inputs]

    def work(number: int) -> None:
        for _ in range(60):
            assert_same(kernel(inputs[number], y), wants[number])

    together(work)


def test_faulting_elements_in_many_threads() -> None:
    """Elements that go to Python and back, and exceptions, belong to the call that met them."""
    kernel = ao.compile("(x*x*x*x) // (x - 5) & 0xFFFF")

    def work(number: int) -> None:
        good = array("q", [number + 6, 2**62 + number, 10**9] * 50)
        want = array("q", [(x**4) // (x - 5) & 0xFFFF for x in good])
        for _ in range(10):
            assert_same(kernel(good), want)
            with pytest.raises(ZeroDivisionError):
                kernel(array("q", [1, 5]))

    together(work)


def test_compiling_the_same_and_different_texts_at_once() -> None:
    def work(number: int) -> None:
        data = array("i", range(50))
        for i in range(100):
            assert_bytes(ao.map(data, f"x + {i}"), "i", [x + i for x in data])
            assert_bytes(ao.map(data, f"x*{number} - {i}"), "i", [x * number - i for x in data])

    together(work)


def test_callbacks_in_many_threads() -> None:
    def work(number: int) -> None:
        data = array("d", range(500))
        for _ in range(10):
            assert_bytes(ao.map(data, lambda x: x * number), "d", [x * number for x in data])

    together(work)


def test_reductions_in_many_threads() -> None:
    data = array("d", [0.1 * i for i in range(50000)])
    want = (ao.sum(data), ao.mean(data), ao.min(data), ao.max(data), ao.reduce(data, "acc + x", 0.0))

    def work(number: int) -> None:
        for _ in range(5):
            assert (ao.sum(data), ao.mean(data), ao.min(data), ao.max(data), ao.reduce(data, "acc + x", 0.0)) == want

    together(work)


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14),
    reason="array.array of CPython 3.13 is resized without a lock where there is no GIL",
)
def test_resizing_from_another_thread_is_a_buffer_error_or_works_between_calls() -> None:
    """The buffer is held for the whole call: the other thread gets BufferError or its turn, never a crash."""
    data = array("d", [1.0] * 100_000)
    stop = threading.Event()
    unexpected: list[BaseException] = []

    def resize() -> None:
        while not stop.is_set():
            for change in (
                lambda: data.append(1.0),
                data.pop,
                lambda: data.extend([1.0] * 10),
                lambda: data.__delitem__(slice(-10, None)),
            ):
                try:
                    change()
                except BufferError:
                    continue
                except BaseException as error:
                    unexpected.append(error)

    thread = threading.Thread(target=resize)
    thread.start()
    try:
        for _ in range(100):
            assert set(ao.map(data, "x*2 + 1")) == {3.0}
            ao.map_inplace(data, "x*1")
            assert ao.sum(ao.filter(data, "x > 0")) > 90_000
    finally:
        stop.set()
        thread.join(30)
    assert not unexpected


def test_writing_to_the_array_from_another_thread_gives_numbers_not_crashes() -> None:
    data = array("q", [1] * 20_000)
    stop = threading.Event()

    def write() -> None:
        i = 0
        while not stop.is_set():
            data[i % len(data)] = (i * 2654435761) % 2**62
            i += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for text in ("x*x", "x // (x - 1)", "x*x*x & 255", "1 << (x & 63)") * 10:
            result = outcome(ao.map, data, text, typecode="d")
            assert result is not None
            ao.filter(data, "x > 5")
            ao.sum(data)
    finally:
        stop.set()
        thread.join(30)


# Each program starts a long run, is sent SIGINT while it goes on, and prints what it saw.
INTERRUPTED = r"""
import os, signal, sys, threading
from array import array
import arrayops as ao
signal.signal(signal.SIGINT, signal.default_int_handler)
data = array("q", [3]) * 30_000_000
out = array("q", [7]) * len(data)
RUNS = {
    "compiled": lambda: ao.map(data, "+".join(f"(x*x - {i}) // {i + 3} % {i + 1000}" for i in range(40)), out=out),
    "handed to Python": lambda: ao.map(data, "x**90 % 1000003 + x**91 % 1000003", out=out),
    "callback": lambda: ao.map(data, lambda x: x + 1, out=out, compile=False),
    "filter": lambda: ao.filter(data, "x**90 % 1000003 + x**91 % 1000003"),
    "reduce": lambda: ao.reduce(data, "(acc**40 + x**90) % 1000003", 5),
    "accumulate": lambda: ao.accumulate(data, "(acc**40 + x**90) % 1000003", initial=5),
}
# Whatever is imported for the call is imported now: a KeyboardInterrupt that passes through exec of a text, as in a
# module with dataclasses, lets CPython end by the signal though it was caught.
all_data, all_out = data, out
data, out = data[:3], out[:3]
RUNS[sys.argv[1]]()
data, out = all_data, all_out
timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
timer.start()
try:
    RUNS[sys.argv[1]]()
    timer.join()
    for _ in range(10**7):
        pass
    print("finished")
except KeyboardInterrupt:
    print("interrupted", "unfinished" if out[-1] == 7 else "finished")
data.append(1)
out.append(1)
"""


@pytest.mark.parametrize("kind", ["compiled", "handed to Python", "callback", "filter", "reduce", "accumulate"])
def test_ctrl_c_stops_a_long_run(kind: str) -> None:
    """The run ends with KeyboardInterrupt, unfinished, and lets go of its buffers."""
    command = [sys.executable, "-c", INTERRUPTED, kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr[-1000:]
    assert done.stdout.strip() == "interrupted unfinished"


def test_a_signal_handler_that_returns_does_not_disturb_the_run() -> None:
    program = (
        INTERRUPTED.replace("signal.default_int_handler", "lambda *a: None")
        .replace("30_000_000", "300_000")
        .replace("0.5", "0.02")
    )
    command = [sys.executable, "-c", program, "handed to Python"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.stdout.strip() == "finished", done.stderr[-1000:]


def test_fork_after_use() -> None:
    """A child computes as its parent does; nothing of the parent's outlives a call."""
    data = array("d", range(200_000))
    want = ao.sum(ao.map(data, "x*x"))
    with patience(60):
        child = os.fork()
        if child == 0:
            os._exit(0 if ao.sum(ao.map(data, "x*x")) == want else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_parser_that_another_thread_disturbed_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPython 3.11 says so now and then if several threads parse at once."""
    parse, said = ast.parse, [SystemError("AST constructor recursion depth mismatch (before=55, after=50)")] * 2

    def disturbed(*args: Any, **options: Any) -> Any:
        if said:
            raise said.pop()
        return parse(*args, **options)

    monkeypatch.setattr(ast, "parse", disturbed)
    assert ao.map(array("i", [1, 2]), "x + 12345") == array("i", [12346, 12347])
    assert not said


class _Same:
    """A callable that the interpreter does not run."""

    __call__ = staticmethod(float)


@pytest.mark.parametrize(
    "call",
    [lambda a: ao.map(a, _Same()), lambda a: ao.filter(a, _Same()), lambda a: ao.view(a, "<d").tolist()],
    ids=["map", "filter", "tolist"],
)
def test_others_run_during_a_long_call(call: Callable[[Any], Any]) -> None:
    a = array("d", [1.0]) * 2_000_000
    inside, ended, progress = threading.Event(), threading.Event(), [0]

    def beat() -> None:
        while not ended.wait(0.0005):
            progress[0] += inside.is_set()

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        for _ in range(20):  # a machine may be too busy for it once
            progress[0] = 0
            inside.set()
            call(a)
            inside.clear()
            if progress[0] > 2:
                return
    finally:
        ended.set()
        thread.join()
    pytest.fail("no other thread had a turn")
