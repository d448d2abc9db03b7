"""Every public function while another thread writes to its arrays: any answer will do, a crash will not.

Each row runs in a process of its own, so that a crash is a failure of this test, and a bounded number of times. Under
the address sanitizer (docs/limits.md says how) an access outside of the call's memory is one, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from typing import Any

import pytest

MORE = int(os.environ.get("ARRAYOPS_RACES", "1"))  # times as many rounds
TYPECODES = "bBhHiIlLqQfd"
#: Rows whose kernels read elements again: larger arrays, so that a write comes in between.
HARD = {"sort", "sort strided", "argsort", "order statistics", "extremes", "moments"}

#: Statements over `a` and `b`, which are written to meanwhile; `v` is every second element of `a`, `o` an output.
STATEMENTS = {
    "sort": "ao.sort(a)",
    "sort strided": "ao.sort(v)",
    "unique": "ao.unique(a)",
    "reverse": "ao.reverse(a); ao.reverse(v)",
    "order statistics": "ao.median(a); ao.median(v); ao.quantile(a, .25); ao.quantile(a, [.1, .99])",
    "argsort": "ao.argsort(a); ao.argsort(v, reverse=True); ao.topk(a, 9); ao.topk(a, 5000); ao.topk(v, 70)",
    "searchsorted": "ao.searchsorted(a, b); ao.searchsorted(v, a, 'right'); ao.searchsorted(b, o)",
    "histogram": "ao.histogram(a, 20); ao.histogram(v, 9000, (0, 200)); ao.histogram(a, [0, 1, 50, 1e9])",
    "bincount": "ao.bincount(k); ao.bincount(k, a); ao.bincount(k[::2], v)",
    "windows": "r = ao.rolling(a, 100); r.sum(); r.mean(); r.min(); r.max(); r.var(); r.std(); r.median()",
    "windows of views": "r = ao.rolling(v, 3, partial=True); r.sum(); r.max(); r.std(); r.median()",
    "first": "ao.first(a, 'x > 126'); ao.first(v, 'x != x'); ao.lazy(a).dropwhile('x < 99').takewhile('x').count()",
    "extremes": "ao.min(a); ao.max(a); ao.minmax(a); ao.argmin(a); ao.argmax(a); ao.min(v); ao.argmax(v)",
    "sums": "ao.sum(a); ao.sum(v); ao.mean(a); ao.dot(a, b); ao.dot(v, v)",
    "moments": "ao.var(a); ao.std(a); ao.stats(a); ao.stats(v); ao.RunningStats().update(a)",
    "truth": "ao.any(a); ao.all(a); ao.count(a); ao.count(a, 'x > 3'); ao.any(v, 'x > 9')",
    "truth of two": "ao.count(a, lambda x, y: x < y, b); ao.any(a, 'x > y', b); ao.all(v, lambda x: [x][0])",
    "map": "ao.map(a, 'x'); ao.map(a, 'x if x < y else y', b); ao.map(v, 'x', out=o); ao.map_inplace(a, 'x')",
    "elementary": "ao.map(a, 'exp(x/9e99)*sin(x/9e99)', typecode='d', ieee=True)",
    "quotients": "ao.map(a, 'x/y', b, typecode='d', ieee=True); ao.map(a, 'x/y', b, typecode='d')",
    "division": "ao.map(a, 'x // (y or 1)', b); ao.map(a, 'x % (y or 1)', b)",
    "division by zero": "ao.map(a, 'x // y', b); ao.map(a, 'x % y', b)",
    "checked": "ao.map(a, 'x*x + y', b); ao.map_inplace(a, 'x + x')",
    "filter": "ao.filter(a, 'x > 0'); ao.filter(v, 'x > 3'); ao.filter(a, lambda x: x > 0, compile=False)",
    "folds": "ao.reduce(a, 'acc if acc > x else x'); ao.accumulate(a, 'x if x > acc else acc'); ao.prod(v[:50])",
    "pipelines": "ao.lazy(a).filter('x > 0').map('x').sum(); ao.lazy(a).filter('x > 1').collect()",
    "moments of pipelines": "ao.lazy(a).map('x').stats(); ao.lazy(v).filter('x > 2').min()",
    "callbacks": "ao.map(a, f); ao.map(a, f, compile=False); ao.reduce(a, g)",
    "copies": "ao.view(a, '<' + code).tolist(); list(ao.array_iterator(v)); ao.slice(a, 1, 9).tolist(); ao.to_arrow(a)",
    "formats out": "ao.map(a, 'x', typecode='?'); ao.map(a, 'x', typecode='e'); ao.map(a, '9', typecode='i3')",
    "formats in": "ao.map(e, 'x + 1', typecode='d'); ao.sum(e); ao.stats(e); ao.unique(e); ao.median(e); ao.sort(e)",
    "truths in": "ao.filter(a, 'm', m=t); ao.count(t); ao.map(t, 'not x'); ao.any(t); ao.map(a, 'x if m else 0', m=t)",
    "ints of 24 bits in": "ao.map(i3, 'x*2', typecode='q'); ao.sum(i3); ao.filter(i3, 'x > 5'); ao.argmin(i3)",
    "formats written": "ao.map(a, 'x > 3', out=t); ao.map(e, 'x', out=e); ao.map(i3, 'x >> 1', out=i3); ao.reverse(i3)",
    "nans left out": "ao.sum(a, nan='skip'); ao.stats(a, nan='skip'); ao.min(a, nan='skip'); ao.median(a, nan='skip')",
    "nans left out of halves": "ao.sum(e, nan='skip'); ao.mean(e, nan='skip'); ao.prod(e, nan='skip')",
    "nulls left out": "ao.sum(n, nulls='skip'); ao.filter(n, 'x > 1', nulls='skip'); ao.median(n, nulls='skip')",
    "nulls filled": "ao.sum(n, nulls=5); ao.map(n, 'x', nulls=3); ao.count(n, 'x > 3', nulls=0)",
    "nulls propagated": "ao.map(masked, 'x', nulls='propagate'); ao.map(masked, '9 // x + y', y=b, nulls='propagate')",
    "labelled": "ao.map(s, 'x'); ao.filter(s, 'x > 3'); ao.evaluate('x > 3', x=s); ao.map(s, 'x', out=s.copy())",
    "marked together": "ao.map(a, 'x * 2**60', typecode='d'); ao.filter(a, 'x * 2**60 > 2**65')",
    "arithmetic": "ao.add(a, b); ao.subtract(a, b); ao.multiply(a, b); ao.divide(a, b, typecode='d')",
    "in place": "ao.clip(a, 1, 100); ao.scale(a, 1); ao.normalize(a)",
}

PROGRAM = """
import random, sys, threading
from array import array
import arrayops as ao
codes, rounds, size, statement = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
parts = [compile(part, part, "exec") for part in statement.split("; ")]
f, g = (lambda x: [x][0]), (lambda x, y: [x][0])
rng = random.Random(5)
def write(noise, targets, running):
    k = 0
    while running:
        targets[0][:] = noise[k % 4]
        targets[1][:] = noise[(k + 1) % 4]
        k += 1
def call(names, running):
    try:
        for _ in range(rounds):
            for part in parts:
                try:
                    exec(part, names)
                except (TypeError, ValueError, ArithmeticError):
                    pass
    finally:
        running.pop()
def owned(a, data):
    # Arrow data with nulls, a masked array and a Series, over memory that is written to: elements, bits and mask.
    import numpy, pandas
    values = numpy.asarray(a)
    masked = numpy.ma.array(values, mask=values.view("?")[:size], copy=False)
    exported = type(ao.to_arrow(a))(a, data[:size // 8 + 1])
    return {"n": exported, "masked": masked, "s": pandas.Series(values, copy=False)}
def race(code):
    raw = array(code, rng.randbytes(size * array(code).itemsize))
    noise = [array(code, rng.choices(range(127), k=1000)) * (size // 1000), raw, array(code, [1]) * size, raw[::-1]]
    a, b, o = array(code, noise[0]), array(code, noise[1]), array(code, noise[0][:size // 2])
    names = {"ao": ao, "a": a, "b": b, "o": o, "v": memoryview(a)[::2], "f": f, "g": g, "code": code}
    data = memoryview(a).cast("B")
    names |= {"t": ao.view(data, "?", count=size), "e": ao.view(data, "e"), "i3": ao.view(data, "<i3")}
    names |= owned(a, data) if any(name in statement for name in ("(n,", "masked", "(s,", "x=s")) else {}
    names["k"] = memoryview(a).cast("B")[: len(a)]  # keys that change
    running = [1, 1]
    writing = [memoryview(n).cast("B") for n in noise], [memoryview(t).cast("B") for t in (a, b)], running
    threads = [threading.Thread(target=write, args=writing) for _ in range(2)]
    threads += [threading.Thread(target=call, args=(names, running)) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
sys.setswitchinterval(1e-5)
ao.map(b"1", "x + 1")  # imports the compiler, which takes long beside these threads on CPython 3.13 without the GIL
for code in codes:
    print(code, flush=True)
    race(code)
print("through")
"""


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_writer_beside_a_call_gives_no_crash(name: Any) -> None:
    rounds, size = (12, 200_000) if name in HARD else (3, 20_000)
    command = [sys.executable, "-c", PROGRAM, TYPECODES, str(MORE * rounds), str(size), STATEMENTS[name]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[-8:], done.stderr) == (0, "through\n", ""), (done.stdout, done.stderr[-3000:])


CALLED_BACK = {
    "a callable writes": "ao.map(a, lambda x: [x, m.__setitem__(slice(None), noise)][0]); ",
    "a predicate writes": "ao.filter(a, lambda x: [x > 3, m.__setitem__(slice(None), noise)][0])",
    "a reduction writes": "ao.reduce(a, lambda x, y: [y, m.__setitem__(slice(None), noise)][0])",
}


@pytest.mark.parametrize("name", CALLED_BACK)
def test_a_callable_that_writes_is_seen_by_what_follows(name: Any) -> None:
    from array import array

    import arrayops as ao

    for code in TYPECODES:
        a = array(code, range(100))
        noise = array(code, [7]) * 100
        eval(CALLED_BACK[name].rstrip("; "), {"ao": ao, "a": a, "m": memoryview(a), "noise": noise})
        assert a == noise


def test_a_callable_that_resizes_gets_a_buffer_error() -> None:
    from array import array

    import arrayops as ao

    for call in (
        lambda a, f: ao.map(a, f, compile=False),
        lambda a, f: ao.filter(a, f, compile=False),
        lambda a, f: ao.map_inplace(a, f, compile=False),
    ):
        a = array("q", range(100))
        with pytest.raises(BufferError):
            call(a, lambda x, a=a: a.append(x) or x)
        assert a == array("q", range(100))


SIGNALLED = """
import signal, sys
from array import array
import arrayops as ao
a = array("q", range(3_000_000, 0, -1))
m, noise = memoryview(a), array("q", [7, 1 << 60, -5]) * 1_000_000
def write(number, frame):
    m[:] = noise
    signal.setitimer(signal.ITIMER_REAL, .002)
signal.signal(signal.SIGALRM, write)
signal.setitimer(signal.ITIMER_REAL, .002)
for _ in range(4):
    ao.sort(a); ao.median(a); ao.min(a); ao.stats(a); ao.reverse(a); ao.unique(a); ao.filter(a, 'x > 5')
signal.setitimer(signal.ITIMER_REAL, 0)
print("through")
"""


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="no timers")
def test_a_signal_handler_that_writes_gives_no_crash() -> None:
    done = subprocess.run([sys.executable, "-c", SIGNALLED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "through\n"), done.stderr[-3000:]


RESIZED = """
import sys, threading
from array import array
import arrayops as ao
rounds, size, text = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
a, b = array("d", [1.0]) * size, array("d", [1.0]) * size
raw = bytearray(b"\\1" * size)
call = eval("lambda: " + text)
call()
most, running = size + 60, [1]
def resize():
    while running:
        for target in (a, raw):
            try:
                for _ in range(60): target.append(1)
            except BufferError:
                pass
            while len(target) > size:
                try:
                    target.pop()
                except BufferError:
                    pass
thread = threading.Thread(target=resize)
sys.setswitchinterval(1e-6)
thread.start()
try:
    for _ in range(rounds):
        try:
            got = call()
        except (ValueError, BufferError) as error:
            # Of two lengths; or met while it was made longer, which only CPython without the GIL shows.
            assert "must have the same length" in str(error) or isinstance(error, BufferError), error
            continue
        if isinstance(got, (array, bytearray)):
            assert size <= len(got) <= most and set(got) == {2}, (len(got), set(got))
        else:
            assert size <= got <= most, got
finally:
    running.pop()
    thread.join()
assert len(a) == len(raw) == size and set(a) == set(raw) == {1}
print("right")
"""

#: Of ones: their number, or twos.
WHILE_RESIZED = [
    "ao.sum(a)", "ao.sum(raw)", "ao.dot(a, a)", "ao.dot(a, b)", "ao.dot(raw, raw)", "ao.map(a, 'x + 1')",
    "ao.map(raw, 'x + 1')", "ao.map(a, lambda x: x + 1)", "ao.map(a, lambda x: [x + 1][0])", "ao.add(a, a)",
    "ao.add(a, b)", "ao.multiply(ao.add(raw, raw), raw)", "ao.count(a, 'x == 1')", "ao.evaluate('p + q', p=a, q=a)",
    "ao.reduce(a, 'acc + x')", "ao.lazy(a).map('x + 1').collect()", "ao.lazy(a).map('x * 1').sum()",
]  # fmt: skip


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14),
    reason="CPython 3.13 resizes arrays and bytearrays without a lock where there is no GIL",
)
@pytest.mark.parametrize("text", WHILE_RESIZED)
def test_arrays_that_another_thread_resizes(text: str) -> None:
    """They cannot be resized while a call has them; which length it finds is chance, but each answer is of one."""
    for size, rounds in ((40, 2000), (30_000, 100)):
        command = [sys.executable, "-c", RESIZED, str(MORE * rounds), str(size), text]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "right\n"), (done.stdout, done.stderr[-3000:])


COLLECTED = """
import gc, sys
from array import array
import arrayops as ao
a, b, out = array("d", range(40)), array("d", range(40)), array("d", range(40))
#: More texts than there are frames that stay open, of other numbers of arrays.
others = [f"x*{k} + y*z*w + {k}" for k in range(40)]
def run_others():
    c = array("d", range(40))
    for text in others:
        ao.map(c, text, c, c, c)
        ao.count(c, text.replace("+ y", "> y"), c, c, c)
def resize():
    try:
        if len(a) > 40: del a[:]
        elif len(a) == 40: a.extend(range(100000))
        else: a.extend(range(40))
    except BufferError:
        pass
class Cycle:
    def __init__(self): self.itself = self
    def __del__(self): act()
CALLS = [
    (lambda: ao.map(a, "x*2 + 1"), lambda: array("d", [2*x + 1 for x in a])),
    (lambda: ao.map(a, "x - y", b), lambda: array("d", [x - y for x, y in zip(a, b, strict=True)])),
    (lambda: ao.map(a, "x*2", out=out), lambda: array("d", [2*x for x in a])),
    (lambda: ao.map(a, "x*3", typecode="f"), lambda: array("f", [3*x for x in a])),
    (lambda: ao.count(a, "x > 7"), lambda: sum(x > 7 for x in a)),
    (lambda: ao.evaluate("p*q", p=a, q=b), lambda: array("d", [x * y for x, y in zip(a, b, strict=True)])),
    (lambda: ao.sum(a), lambda: sum(a)),
]
act = run_others
for _ in range(3):
    act()
    for call, _ in CALLS: call()
gc.set_threshold(1)
for act in (run_others, resize):
    for _ in range(100):
        for call, python in CALLS:
            Cycle()
            try:
                got = call()
            except ValueError as error:
                assert act is resize and "must have the same length" in str(error), error
                continue
            if act is run_others:
                assert got == python(), (got, python())
gc.set_threshold(700)
print("right")
"""


def test_finalizers_within_calls() -> None:
    """Garbage may be collected wherever an object is made: finalizers then run other calls, and resize arrays."""
    done = subprocess.run([sys.executable, "-c", COLLECTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "right\n"), done.stderr[-3000:]
