"""Every long call, interrupted at random: KeyboardInterrupt comes out (or the right answer, if it was over), what is
changed in place is what the call promises, nothing is held, and the next call is right.

The handler runs in the thread that computes, as Ctrl-C does; how long it had to wait is printed (-s), never asserted:
machines differ.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DEEP = os.environ.get("ARRAYOPS_TEST_PROFILE") == "deep"
ATTEMPTS = 40 if DEEP else 3
SIZE = 1 << (23 if DEEP else 21)

#: name: (what to make, the call, what holds afterwards of `a` whatever happened: "same", "any order", "either", or
#: "prefix": new elements up to some place, old ones from there)
CALLS: dict[str, tuple[str, str, str]] = {
    "map": ("ints()", "ao.map(a, 'x*3 + 1')", "same"),
    "map threads": ("ints()", "ao.map(a, 'x*3 + 1', threads=2)", "same"),
    "map marked": ("ints()[:1 << 17]", "ao.map(a, 'x**70 % 7')", "same"),
    "map callable": ("ints()[:1 << 18]", "ao.map(a, str_length)", "same"),
    "map function": ("floats()", "ao.map(a, lambda x: x*x + x)", "same"),
    "map_inplace": ("ints()", "ao.map_inplace(a, 'x + 1')", "prefix"),
    "map_inplace threads": ("ints()", "ao.map_inplace(a, 'x + 1', threads=2)", "either"),
    "map_inplace marked": ("ints()[:1 << 17]", "ao.map_inplace(a, '(x**70 % 2)*0 + x + 1')", "prefix"),
    "map_inplace callable": ("ints()[:1 << 18]", "ao.map_inplace(a, one_more)", "prefix"),
    "scale": ("floats()", "ao.scale(a, 2)", "either"),
    "clip": ("ints()", "ao.clip(a, 10, 1000)", "either"),
    "normalize": ("floats()", "ao.normalize(a)", "either"),
    "filter": ("ints()", "ao.filter(a, 'x % 3 == 1')", "same"),
    "filter callable": ("ints()[:1 << 18]", "ao.filter(a, is_even)", "same"),
    "reduce": ("ints()", "ao.reduce(a, 'acc*31 + x & 0xFFFFFF', 1)", "same"),
    "reduce callable": ("ints()[:1 << 18]", "ao.reduce(a, larger)", "same"),
    "accumulate": ("ints()", "ao.accumulate(a, 'acc*31 + x & 0xFFFFFF')", "same"),
    "sum": ("floats()", "ao.sum(a)", "same"),
    "sum view": ("ints()", "ao.sum(ao.view(a, '>i', 0, 8))", "same"),
    "min": ("floats()", "ao.min(a)", "same"),
    "argmax": ("floats()", "ao.argmax(a)", "same"),
    "minmax": ("ints()", "ao.minmax(a)", "same"),
    "var": ("floats()", "ao.var(a)", "same"),
    "stats": ("ints()", "ao.stats(a)", "same"),
    "dot": ("floats()", "ao.dot(a, a)", "same"),
    "median": ("floats()", "ao.median(a)", "same"),
    "quantile": ("ints()", "ao.quantile(a, [.1, .9])", "same"),
    "prod": ("floats()", "ao.prod(a)", "same"),
    "any": ("ints()", "ao.any(a, 'x < 0')", "same"),
    "count callable": ("ints()[:1 << 18]", "ao.count(a, is_even)", "same"),
    "sort": ("ints()", "ao.sort(a)", "any order"),
    "reverse": ("ints()", "ao.reverse(a)", "any order"),
    "unique": ("ints()", "ao.unique(a)", "same"),
    "argsort": ("floats()", "ao.argsort(a)", "same"),
    "topk": ("ints()", "ao.topk(a, len(a) // 3)", "same"),
    "searchsorted": ("ints()", "ao.searchsorted(a, a)", "same"),
    "histogram": ("floats()", "ao.histogram(a, 5000)", "same"),
    "histogram edges": ("floats()", "ao.histogram(a, [1, 5, 700, 1500])", "same"),
    "bincount": ("ints()", "ao.bincount(a, floats())", "same"),
    "first": ("ints()", "ao.first(a, 'x < 0')", "same"),
    "takewhile": ("ints()", "ao.lazy(a).takewhile('x >= 0').sum()", "same"),
    "rolling mean": ("floats()", "ao.rolling(a, 100).mean()", "same"),
    "rolling sum of unlike": ("unlike()", "ao.rolling(a, 100).sum()", "same"),
    "rolling min": ("floats()", "ao.rolling(a, len(a) // 3).min()", "same"),
    "rolling var": ("floats()[:1 << 19]", "ao.rolling(a, 1000).var()", "same"),
    "rolling median": ("floats()", "ao.rolling(a, 1000).median()", "same"),
    "tolist": ("ints()", "ao.view(a, '<i', 0, 8).tolist()", "same"),
    "evaluate": ("floats()", "ao.evaluate('sin(p)*q + p', p=a, q=a)", "same"),
    "map to halves": ("floats()", "ao.sum(ao.map(a, 'x % 100', typecode='e'))", "same"),
    "map to 24 bits": ("ints()", "ao.sum(ao.map(a, 'x + 1', typecode='i3'))", "same"),
    "map to truth values": ("ints()", "ao.sum(ao.map(a, 'x % 3', typecode='?'))", "same"),
    "halves": ("floats()", "ao.count(ao.view(a, 'e'), 'x > 1')", "same"),
    "24 bits in place": ("ints()", "ao.map_inplace(ao.view(a, 'i3'), 'x ^ 1')", "same or done"),
    "nans left out": ("floats()", "(ao.sum(a, nan='skip'), ao.stats(a, nan='skip'), ao.max(a, nan='skip'))", "same"),
    "nans left out, copied": ("floats()", "ao.median(a, nan='skip')", "same"),
    "nulls left out": ("ints()", "ao.filter(gaps(a), 'x % 3 == 1', nulls='skip')", "same"),
    "nulls filled": ("ints()", "ao.map(gaps(a), 'x + 1', nulls=1)", "same"),
    "nulls propagated": ("ints()", "ao.sum(ao.map(masked(a), 'x + 1', nulls='propagate'), nulls='skip')", "same"),
    "labelled": ("ints()", "ao.map(series(a), 'x + 1').sum() + ao.filter(series(a), 'x > 9').sum()", "same"),
    "marked together": ("ints()[:1 << 18]", "ao.map(a, 'x * 2**60 + 2**62 * 4', typecode='d')", "same"),
    "pipeline collect": ("ints()", "ao.lazy(a).map('x + 1').filter('x % 2').collect()", "same"),
    "pipeline sum": ("floats()", "ao.lazy(a).map('x*x').filter('x > 1').sum()", "same"),
    "pipeline callable": ("ints()[:1 << 18]", "ao.lazy(a).map(one_more).filter('x > 1').count()", "same"),
    "pipeline to": ("ints()", "ao.lazy(a).map('x + 1').to(array('i', bytes(4*len(a) + 8)))", "same"),
    "RunningStats": ("floats()", "ao.RunningStats(a).update(a)", "same"),
}

CHILD = r'''
import json, random, signal, sys, time
from array import array
import arrayops as ao
SIZE, ATTEMPTS = int(sys.argv[1]), int(sys.argv[2])
ao.set_num_threads(2)
base_ints = array("i", [(k * 7919) % 100003 for k in range(1 << 16)]) * (SIZE >> 16)
base_floats = array("d", [(k * 7919) % 100003 / 64 for k in range(1 << 16)]) * (SIZE >> 16)
def ints(): return base_ints[:]
def floats(): return base_floats[:]
def unlike(): return array("d", [1e300, 1e-300]) * (SIZE >> 1)
def str_length(x): return len(str(x))
def one_more(x): return [x][0] + 1
def is_even(x): return [x][0] % 2 == 0
def larger(acc, x): return [acc, x][acc < x]
def gaps(a): return type(ao.to_arrow(a))(a, bytes([0b11011101]) * (len(a) // 8 + 1))
def masked(a):
    import numpy
    return numpy.ma.array(numpy.asarray(a), mask=numpy.arange(len(a)) % 5 == 0)
def series(a):
    import numpy, pandas
    return pandas.Series(numpy.asarray(a), copy=False)
fired = 0.0
def handler(signum, frame):
    global fired
    fired = time.perf_counter()
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, handler)
rng = random.Random(7)

def interrupted(call, a, delay):
    """(the result or None, whether it was interrupted, how long the handler had to wait)"""
    global fired
    fired, result, cut = 0.0, None, False
    due = time.perf_counter() + delay
    try:
        signal.setitimer(signal.ITIMER_REAL, delay)
        result = call(a)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        cut = True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return result, cut, max(0.0, fired - due) if fired else 0.0

def state(kind, a, before, after):
    if kind == "same":
        return a == before
    if kind == "same or done":
        return all(x == y or x == z for x, y, z in zip(a.tobytes(), before.tobytes(), after.tobytes()))
    if kind == "any order":
        return sorted(a) == sorted(before)
    if kind == "either":
        return all(x == y or x == z for x, y, z in zip(a, before, after))
    changed = next((i for i in range(len(a)) if a[i] != after[i]), len(a))
    return a[changed:] == before[changed:]

def run(name, make, call, kind):
    make, call = eval("lambda: " + make), eval("lambda a: " + call)
    before = make()
    after = make()
    start = time.perf_counter()
    want = call(after)
    takes = time.perf_counter() - start
    cuts = 0
    latest = 0.0
    for attempt in range(ATTEMPTS):
        a = make()
        result, cut, waited = interrupted(call, a, max(1e-5, takes * rng.random()))
        latest = max(latest, waited)
        cuts += cut
        a.append(a[0])  # nobody holds it
        a.pop()
        if cut:
            assert state(kind, a, before, after), "what stands in the array is not what is promised"
        else:
            assert repr(result) == repr(want) if not isinstance(want, array) else result == want, "another result"
            assert a == after, "another array"
    a = make()
    again = call(a)
    assert (again == want or repr(again) == repr(want)) and a == after, "the next call is wrong"
    return {"name": name, "cuts": cuts, "latency": latest, "takes": takes}

for name, row in json.load(sys.stdin).items():
    try:
        found = run(name, *row)
    except BaseException as error:
        found = {"name": name, "wrong": f"{type(error).__name__}: {error}"}
    print(json.dumps(found), flush=True)
'''


def swept(names: list[str]) -> list[dict[str, Any]]:
    """What the child found for some of the calls, which must not kill it."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", CHILD, str(SIZE), str(ATTEMPTS)],
        input=json.dumps({name: CALLS[name] for name in names}), capture_output=True, text=True,
        cwd=Path(__file__).parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an interval timer")
@pytest.mark.parametrize("part", range(4))
def test_interrupted_at_random(part: int) -> None:
    rows = swept(list(CALLS)[part::4])
    for row in rows:
        if "wrong" not in row:
            print(f"{row['name']:22} {row['cuts']:3} interrupted of {ATTEMPTS}, latest after "
                  f"{row['latency'] * 1e3:7.1f} ms (the call: {row['takes'] * 1e3:.1f} ms)")  # fmt: skip
    assert [row for row in rows if "wrong" in row] == []
    assert sum(row["cuts"] for row in rows) > 0, "no call was long enough to be interrupted"
