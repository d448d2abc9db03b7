"""Ctrl-C in every long call: how often it looks at signals, and what stands in the arrays afterwards.

No time is measured. The machine counts its looks: a call over so many elements must have looked so often. Between two
of them there are at most AO_WATCH_EVERY units of work (vm/watch.h); tests/vm/test_sort.c and others hold parts to that.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from array import array
from typing import Any

import arrayops as ao
import pytest
from arrayops import _machine
from oracle import handling

MILLION = 1 << 20
LONG = 32 * MILLION


def looks(call: Any) -> Any:
    """On one thread: the one that calls has less to do beside others, and looks less often."""
    threads = ao.set_num_threads(1)
    before = _machine.looks()
    try:
        call()
    finally:
        ao.set_num_threads(threads)
    return _machine.looks() - before


@pytest.fixture(scope="module")
def doubles() -> Any:
    """64 MiB of doubles in no order, made without random numbers for speed."""
    part = array("d", [(k * 7919) % 10007 - 5000.5 for k in range(MILLION)])
    return part * 8


@pytest.fixture(scope="module")
def small() -> Any:
    return array("b", bytes(range(64))) * (LONG // 64)


#: call over 8 Mi doubles, least number of looks.
LOOKS: dict[str, tuple[Any, int]] = {
    "sort": (lambda a: ao.sort(array("d", a)), 20),
    "sort of every second": (lambda a: ao.sort(memoryview(array("d", a))[::2]), 10),
    "unique": (ao.unique, 20),
    "median": (ao.median, 3),
    "quantile": (lambda a: ao.quantile(a, 0.9), 3),
    "reverse": (lambda a: ao.reverse(array("d", a)), 4),
    "copy": (_machine.copy_array, 4),
    "tolist": (lambda a: ao.view(memoryview(a)[:MILLION], "<d").tolist(), 30),
    # on one thread: of several, how many chunks the one that looks takes depends on the machine's load
    "a reduction inside": (lambda a: ao.map(a, "x - mean(x - mean(x))", out=a, threads=1), 10),
    "a fold": (lambda a: ao.reduce(memoryview(a)[:MILLION], "acc*0.5 + x", 0.0), 1),
    "a fold of tuples": (lambda a: ao.reduce(memoryview(a)[:MILLION], "acc[1] + x, acc[0]*0.5", (0.0, 0.0)), 1),
    "a fold of tuples, called": (lambda a: ao.reduce(memoryview(a)[:10_000], lambda s, x: (*s, x)[-2:], (0.0,)), 0),
    "running tuples": (
        lambda a: ao.accumulate(memoryview(a)[:MILLION], "acc[1] + x, acc[0]", initial=(0.0, 0.0), typecode=("d", "d")),
        2,
    ),
    "a callable in C": (lambda a: ao.map(memoryview(a)[:100_000], float, compile=False), 20),
}


@pytest.mark.parametrize("name", LOOKS)
def test_long_calls_look_at_signals(name: Any, doubles: Any) -> None:
    call, least = LOOKS[name]
    assert looks(lambda: call(doubles)) >= least


#: call over 32 Mi bytes, least number of looks: these read 8 Mi elements between two.
READS: dict[str, tuple[Any, int]] = {
    "sum": (ao.sum, 4),
    "min": (ao.min, 4),
    "max": (ao.max, 4),
    "argmin": (ao.argmin, 4),
    "sum of every second": (lambda a: ao.sum(memoryview(a)[::2]), 2),
    "swapped sum": (lambda a: ao.sum(ao.view(a, ">h")), 2),
    "sort": (lambda a: ao.sort(array("b", a)), 20),
    "minmax": (ao.minmax, 4),
    "stats": (ao.stats, 4),
    "dot": (lambda a: ao.dot(a, a), 4),
    "count": (lambda a: ao.count(a, "x > 3"), 8),
    "any": (lambda a: ao.any(a, "x > 99"), 4),
    "all": (lambda a: ao.all(a, "x < 99"), 4),
    "prod": (lambda a: ao.prod(memoryview(a).cast("B")[: 8 * MILLION : 64]), 0),
    "filter": (lambda a: ao.filter(a, "x > 3"), 8),
}


@pytest.mark.parametrize("name", READS)
def test_long_readers_look_at_signals(name: Any, small: Any) -> None:
    call, least = READS[name]
    assert looks(lambda: call(small)) >= least


def test_signals_are_handled_while_python_multiplies() -> None:
    """By a function of C, whose loop looks at no signal: handlers run more than once all the same."""
    ones, handled = array("b", b"\1") * (4 * MILLION), []
    with handling(signal.SIGALRM, lambda number, frame: handled.append(1)):
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        try:
            assert ao.prod(ones) == 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    assert len(handled) > 2


# -- what stands afterwards --------------------------------------------------------------------------------------------


class Interrupted(Exception):
    """What the signal handler raises."""


#: To send a signal while a call looks at them: on a loaded machine the thread that sends may come too late.
ATTEMPTS = 50


def interrupted(call: Any) -> bool:
    """Calls with a signal sent by another thread once the call looks at signals. Whether the call was cut off."""

    start, ended = _machine.looks(), threading.Event()

    def handle(number: Any, frame: Any) -> None:
        if not ended.is_set():
            raise Interrupted

    def send() -> None:
        while _machine.looks() == start and not ended.wait(0.0005):
            pass
        if not ended.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    thread = threading.Thread(target=send)
    with handling(signal.SIGUSR1, handle):
        try:
            thread.start()
            call()
        except Interrupted:
            return True
        finally:
            ended.set()
            thread.join()
    return False


pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals between threads")


def test_an_interrupted_sort_leaves_the_array_or_has_sorted_it(doubles: Any) -> None:
    for typecode in "dq":
        given = array(typecode, map({"d": float, "q": int}[typecode], memoryview(doubles)[:MILLION])) * 6
        wanted = array(typecode, given)
        ao.sort(wanted)
        for _ in range(ATTEMPTS):
            a = array(typecode, given)
            cut_off = interrupted(lambda a=a: ao.sort(a))
            assert a in (given, wanted)  # the latter if the signal came while it was written back
            if cut_off:
                break
        assert cut_off
        ao.sort(a)
        assert a == wanted


def test_an_interrupted_reversal_keeps_every_element() -> None:
    a = array("i", range(24 * MILLION))
    cut_off = interrupted(lambda: ao.reverse(a))
    outer = next((k for k in range(len(a) // 2) if a[k] == k), len(a) // 2) if cut_off else len(a) // 2
    assert outer > 0
    assert a[:outer] == array("i", range(len(a) - 1, len(a) - 1 - outer, -1))
    assert a[outer : len(a) - outer] == array("i", range(outer, len(a) - outer))
    assert a[len(a) - outer :] == array("i", range(outer - 1, -1, -1))


@pytest.mark.parametrize("call", [ao.unique, ao.median, lambda a: ao.view(a, "<d").tolist()])
def test_an_interrupted_reader_changes_nothing_and_lets_go(call: Any, doubles: Any) -> None:
    a = array("d", doubles)
    assert any(interrupted(lambda: call(a)) for _ in range(ATTEMPTS))
    assert a == doubles
    a.append(1.0)  # nothing holds it any more


def test_an_interrupted_map_in_place_has_done_a_front() -> None:
    a = array("q", bytes(8 * 16 * MILLION))
    cut_off = interrupted(lambda: ao.map_inplace(a, "x + 1", threads=1))
    done = a.index(0) if cut_off and 0 in a else len(a)
    assert a == array("q", [1]) * done + array("q", bytes(8 * (len(a) - done)))


def test_an_interrupted_out_has_a_front(doubles: Any) -> None:
    out = array("d", bytes(8 * len(doubles)))
    wanted = ao.map(doubles, "x + 1")
    cut_off = interrupted(lambda: ao.map(doubles, "x + 1", out=out, threads=1))
    done = next((k for k in range(len(out)) if out[k] != wanted[k]), len(out)) if cut_off else len(out)
    assert out[:done] == wanted[:done]
    assert not any(out[done:])


# -- Ctrl-C itself -----------------------------------------------------------------------------------------------------

#: Call over 16 Mi doubles -> what stands in the array afterwards.
BY_OTHERS: dict[str, tuple[str, str]] = {
    "scale": ("ao.scale(a, 3)", "front"),
    "clip": ("ao.clip(a, 5, 500)", "front"),
    "map_inplace by two threads": ("ao.map_inplace(a, 'sin(x)', threads=2)", "front"),
    "add": ("ao.add(a, a)", "same"),
    "multiply": ("ao.multiply(a, a)", "same"),
    "add into itself": ("ao.add(a, a, out=a)", "front"),
    "dot": ("ao.dot(a, a)", "same"),
    "var": ("ao.var(a)", "same"),
    "exp of subnormal numbers": ("ao.map(a, 'exp(x * 5e-324)')", "same"),
}

#: A signal is sent for each line that is read: by another process, as a terminal does.
SENDER = "import os, sys\nfor line in sys.stdin: os.kill(int(sys.argv[1]), 2)"
CTRL_C = """
import signal, subprocess, sys, threading, time, os
from array import array
import arrayops as ao
from arrayops import _machine

class Stop(Exception):
    pass

def stop(number, frame):
    raise Stop

sender = subprocess.Popen(
    [sys.executable, "-c", SENDER, str(os.getpid())], stdin=subprocess.PIPE, text=True, start_new_session=True
)

def send(start, over):
    while _machine.looks() == start and not over.is_set():
        over.wait(0.0005)
    sender.stdin.write("\\n")
    sender.stdin.flush()

def interrupted(call, a, handler):
    # Whether it was cut off. One signal is sent, once the call looks at signals or is over, and is always waited for.
    start, over = _machine.looks(), threading.Event()
    thread = threading.Thread(target=send, args=(start, over))
    signal.signal(signal.SIGINT, handler)
    try:
        thread.start()
        call(a)
        over.set()
        while True:
            time.sleep(1)
    except (KeyboardInterrupt, Stop) as error:
        assert isinstance(error, Stop) is (handler is stop)
        cut = not over.is_set()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        over.set()
        thread.join()
    return cut

def stands(a, before, after, kind):
    # Bytes are compared, of all; where they differ, half of what is left, until it is one place.
    a, before, after = (memoryview(x).cast("B") for x in (a, before, after))
    if kind == "same":
        return a == before
    low, high = 0, len(a)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if a[low : middle + 1] == after[low : middle + 1] else (low, middle)
    done = low // 8 * 8
    return a[:done] == after[:done] and a[done:] == before[done:]

def subnormals_are_kept():
    tiny, least = float("5e-324"), float("2.2250738585072014e-308")  # no constants, which would be folded
    return tiny * 1.0 == tiny > 0 and tiny + tiny == 1e-323 and least / 2 * 2 == least and 0 < least / 2 < least

ao.set_num_threads(1)
text, kind = sys.argv[1:]
call = eval("lambda a: " + text)
before = array("d", [(k * 7919) % 10007 + 0.5 for k in range(1 << 16)]) * 256
after = before[:]
want = call(after)
for handler in (signal.default_int_handler, stop):
    for attempt in range(ATTEMPTS):
        a = before[:]
        cut = interrupted(call, a, handler)
        assert stands(a, before, after, kind) and subnormals_are_kept() and ao.map(array("d", [1e-310]), "x*1")[0] > 0
        a.append(a.pop())
        if cut:
            break
    assert cut, "never cut off"
    assert call(before[:]) == want
sender.stdin.close()
sender.wait()
print("right")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal that a process sends to another one there")
@pytest.mark.parametrize("name", BY_OTHERS)
def test_ctrl_c_by_another_process(name: Any) -> None:
    code = f"SENDER, ATTEMPTS = {SENDER!r}, {ATTEMPTS}\n" + CTRL_C
    done = subprocess.run([sys.executable, "-c", code, *BY_OTHERS[name]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "right\n"), done.stderr[-3000:]
