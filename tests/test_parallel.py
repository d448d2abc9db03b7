"""threads=: the same bits, exceptions and leftovers as on one thread, whatever the number; see vm/parallel.c."""

from __future__ import annotations

import ctypes
import math
import os
import re
import signal
import subprocess
import sys
import threading
from array import array
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import outcome

CHUNK = 16384  # vm/parallel.h
THREADS = (1, 2, 3, 7)
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 17)


def doubles(size: int) -> array[Any]:
    """Numbers of both signs, none 0."""
    return array("d", (((k * 7919) % 10007 - 5003.5) / 64 for k in range(size)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", ["x*x + 1", "exp(x/80)*sin(x)", "x if x > 3 else -x", "x // 0.3 + x % 7"])
def test_same_bits(text: str, size: int) -> None:
    x = doubles(size)
    want = ao.map(x, text, threads=1)
    if size:
        one = eval(text, {"x": x[size // 2], **vars(math)})
        assert abs(want[size // 2] - one) <= 2 * math.ulp(one)
    for threads in THREADS[1:]:
        out = array("d", bytes(8 * size))
        assert ao.map(x, text, threads=threads).tobytes() == want.tobytes()
        assert ao.map(x, text, out=out, threads=threads) is out and out.tobytes() == want.tobytes()
        assert ao.compile(text)(x, threads=threads).tobytes() == want.tobytes()
        ao.map_inplace(x_again := array("d", x), text, threads=threads)
        assert x_again.tobytes() == want.tobytes()


@pytest.mark.parametrize("threads", THREADS)
def test_several_arrays_and_types(threads: int) -> None:
    size = 3 * CHUNK + 5
    a, b = array("i", range(size)), array("h", (k % 1000 for k in range(size)))
    got = ao.map(a, "x*y + n", b, n=5, typecode="q", threads=threads)
    assert got == array("q", [x * y + 5 for x, y in zip(a, b, strict=True)])
    assert ao.evaluate("a % 7 == 0", a=a, threads=threads) == array("B", [x % 7 == 0 for x in a])


@pytest.mark.parametrize("threads", THREADS)
def test_marked_elements_are_given_to_python_in_order(threads: int) -> None:
    """Overflowing products, everywhere and in a few chunks only."""

    def square(x: int) -> int:
        return x * x % 1_000_003

    size = 4 * CHUNK + 3
    for every in (97, CHUNK + 1, 3 * CHUNK):
        a = array("q", (2**62 + k if k % every == every - 1 else k for k in range(size)))
        kernel = ao.compile(square, strict=True)
        assert kernel(a, threads=threads) == array("q", [square(x) for x in a])


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("bad", [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 77, 4 * CHUNK + 2])
def test_exceptions_leave_what_one_thread_leaves(bad: int, threads: int) -> None:
    """The first failing element's exception; with out= and in place what is before it is done, the rest untouched."""
    size = 4 * CHUNK + 3
    x = array("d", [2.0]) * size
    x[bad] = 0.0
    x[-1] = 0.0  # a later one, in another chunk
    with pytest.raises(ZeroDivisionError):
        ao.map(x, "1 / x", threads=threads)
    out = array("d", [7.0]) * size
    with pytest.raises(ZeroDivisionError):
        ao.map(x, "1 / x", out=out, threads=threads)
    want = array("d", [0.5]) * bad + array("d", [7.0]) * (size - bad)
    assert out == want
    again = array("d", x)
    with pytest.raises(ZeroDivisionError):
        ao.map_inplace(again, "1 / x", threads=threads)
    assert again == want[:bad] + x[bad:]


@pytest.mark.parametrize("threads", THREADS)
def test_first_of_two_exceptions(threads: int) -> None:
    size = 4 * CHUNK
    x = array("d", [1.0]) * size
    x[CHUNK + 5], x[3 * CHUNK] = -1.0, 0.0
    with pytest.raises(ValueError, match=re.escape(str(outcome(math.sqrt, -1.0).error))):
        ao.map(x, "sqrt(x) + 1/x", threads=threads)


@pytest.mark.parametrize("threads", THREADS)
def test_failed_stores(threads: int) -> None:
    size = 3 * CHUNK
    x = array("q", range(size))
    x[CHUNK + 1] = 300
    with pytest.raises(OverflowError):
        ao.map(x, "x", typecode="B", threads=threads)


@given(st.integers(1, 9), st.lists(st.integers(0, 4 * CHUNK), max_size=6), st.booleans())
def test_any_places_of_zeros(threads: int, zeros: list[int], inplace: bool) -> None:
    """Random places of elements that fail: exceptions and leftovers are those of one thread."""
    size = 4 * CHUNK + 1
    x = array("q", [3]) * size
    for k in zeros:
        x[k] = 0
    first = min(zeros, default=size)
    out = array("q", x) if inplace else array("q", [9]) * size
    source = out if inplace else x
    before = array("q", out)
    try:
        ao.map(source, "12 // x", out=out, threads=threads)
        failed = False
    except ZeroDivisionError:
        failed = True
    assert failed == bool(zeros)
    assert out == array("q", [4]) * first + before[first:]


def test_numbers_of_threads() -> None:
    before = ao.set_num_threads(3)
    assert ao.set_num_threads(before) == 3
    for bad in (0, -1, 257, 10**30):
        with pytest.raises((ValueError, OverflowError)):
            ao.set_num_threads(bad)
    x = doubles(3)
    for number in (0, -1, 257):
        with pytest.raises(ValueError, match="threads must be 1 to 256"):
            ao.map(x, "x + 1", threads=number)
    for kind in ("2", 2.0):
        with pytest.raises(TypeError):
            ao.map(x, "x + 1", threads=kind)
    assert ao.map(x, lambda v: [v][0], threads=2) == x  # a callback


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The code in another process."""
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True
    )


def test_environment() -> None:
    show = "import arrayops as ao; print(ao.set_num_threads(1))"
    assert run(show, ARRAYOPS_NUM_THREADS="5").stdout == "5\n"
    assert run(show, ARRAYOPS_NUM_THREADS="").returncode == 0
    for bad in ("0", "257", "many", "-1"):
        assert "ARRAYOPS_NUM_THREADS" in run(show, ARRAYOPS_NUM_THREADS=bad).stderr


def test_long_runs_use_threads_by_themselves() -> None:
    """The same bits, by default, where a run is long enough for more than one thread."""
    x = doubles(2_000_000)
    before = ao.set_num_threads(1)
    try:
        want = ao.map(x, "exp(x/80)*sin(x)")
        ao.set_num_threads(4)
        assert ao.map(x, "exp(x/80)*sin(x)") == want
    finally:
        ao.set_num_threads(before)


def test_interrupt() -> None:
    """Ctrl-C ends a run on several threads."""
    x = doubles(3_000_000)
    text = "+".join(f"sin(x*{k})" for k in range(200))
    kernel = ao.compile(text)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        while True:  # however fast the machine is
            kernel(x, threads=2)
    signal.signal(signal.SIGINT, before)
    timer.join()


def test_fork_after_a_run() -> None:
    """No thread outlives a call, so a child can do the same."""
    code = (
        "import os, arrayops as ao; from array import array\n"
        "x = array('d', range(100000)); ao.map(x, 'exp(x/1e5)', threads=4)\n"
        "pid = os.fork()\n"
        "ok = ao.map(x, 'x + 1', threads=4) == array('d', range(1, 100001))\n"
        "if pid == 0: os._exit(0 if ok else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), ok)\n"
    )
    assert run(code).stdout == "0 True\n"


def test_many_runs_at_once() -> None:
    """Runs of one kernel from several Python threads, each on several threads."""
    x, kernel = doubles(4 * CHUNK), ao.compile("x*x + 1")
    want, wrong = kernel(x, threads=1), []

    def work() -> None:
        for _ in range(10):
            if kernel(x, threads=3) != want:
                wrong.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not wrong


def test_unaligned_and_overlapping_buffers() -> None:
    """Copies are made once, for all threads."""
    size = 3 * CHUNK
    raw = bytearray(8 * size + 9)
    view = memoryview(raw)
    target = (ctypes.c_double * size).from_buffer(raw, 8)
    source = (ctypes.c_double * size).from_buffer(raw, 0)
    for k in range(size):
        source[k] = k
    want = [v + 1 for v in source]
    ao.map(source, "x + 1", out=target, threads=3)
    assert list(target) == want
    del target, source
    assert len(view) == 8 * size + 9
