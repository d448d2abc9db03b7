"""The beginning and the end of things: fork among running threads, interpreters beside the first, and shutdown while
threads compute, after modules are gone, and in atexit. Each in a process of its own, which must end by itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from arrayops.engine.threads import gil_is_off

FORKS = 25
HANGS = 120  # seconds after which something that takes one is taken for hanging


def run(code: str, **environment: str) -> str:
    """The output of a fresh interpreter that runs the code and ends well. It is killed if it does not end at all."""
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", code], capture_output=True, text=True,
                          timeout=3 * HANGS, env={**os.environ, **environment})  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Fatal" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done.stdout


#: What a child computes: something of every kind, with locks, caches and threads of the machine's own.
CHILD = """
def compute():
    assert ao.map(ints, "x*2 + 1", threads=2)[3] == 7
    assert ao.map(ints, lambda x: x + 7)[3] == 10 and ao.map(ints, f"x + {os.getpid()}")[0] == os.getpid()
    assert ao.stats(floats).count == len(floats) and ao.dot(floats, floats) > 0
    assert ao.lazy(floats).map("x + 1").filter("x > 0").sum() > 0
    own = array("q", range(5000, 0, -1))
    ao.sort(own)
    assert own[0] == 1 and kernel(ints)[5] == 10 and ao.median(ints) == (len(ints) - 1) / 2
"""
BUSY = """
import os, signal, sys, threading, time
from array import array
import arrayops as ao
ao.set_num_threads(2)
ints = array("i", range(70_000))
floats = array("d", [1.5, -0.25, 3.0, 8.0]) * (1 << 18)
kernel = ao.compile("x + x")
stop = False
"""


#: Threads that call compute(), and children that call child(). A child that hangs is killed, and named.
FORKING = """
def busy():
    while not stop:
        compute()
threads = [threading.Thread(target=busy, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
for turn in range(FORKS):
    time.sleep(0.003 * (turn % 5))
    process = os.fork()
    if not process:
        status = 1
        try:
            child()
            status = 0
        finally:
            os._exit(status)
    for _ in range(100 * HANGS):
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            break
        time.sleep(0.01)
    else:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        sys.exit(f"child {turn} hangs")
    assert status == 0, (turn, status)
stop = True
for thread in threads:
    thread.join()
print("done")
"""


forks_hang = pytest.mark.skipif(
    gil_is_off(),
    reason="without the GIL CPython 3.13 forks while other threads hold its locks of objects, such as that of a dict "
    "which they read, and nobody in the child lets go of them",
)


@forks_hang
def test_fork_among_running_threads() -> None:
    """Threads are in the middle of everything; the child has only the one that forked, and computes all the same."""
    code = BUSY + CHILD + "child = compute\n" + FORKING
    assert run(code.replace("FORKS", str(FORKS)).replace("HANGS", str(HANGS))) == "done\n"


@forks_hang
def test_fork_while_others_update_running_stats() -> None:
    """The child adds to an object that another thread was just adding to: all of that or nothing, but no hang."""
    update = """
few, running = ints[:100], ao.RunningStats()
def compute():
    for _ in range(100):
        running.update(few)
def child():
    before = running.count
    running.update(few)
    assert running.count == before + 100 and before % 100 == 0
"""
    code = BUSY + update + FORKING
    assert run(code.replace("FORKS", str(4 * FORKS)).replace("HANGS", "15")) == "done\n"


INTERPRETERS = """
try:
    import _testcapi
    execute = _testcapi.run_in_subinterp
except (ImportError, AttributeError):
    print("none"), exit()
"""


def test_other_interpreters_work_or_are_refused() -> None:
    """In each of several interpreters, one after the other and after the first has used it: right, or ImportError."""
    inner = (
        "from array import array\\n"
        "try:\\n"
        "    import arrayops as ao\\n"
        "except ImportError as error:\\n"
        "    print('refused', flush=True)\\n"
        "else:\\n"
        "    assert ao.map(array('i', [1, 2, 3]), 'x*x + 1') == array('i', [2, 5, 10])\\n"
        "    assert ao.map(array('d', [1.0, 2.0]), lambda x: x/2) == array('d', [0.5, 1.0])\\n"
        "    assert ao.sum(ao.view(b'\\\\x01\\\\x00\\\\x02\\\\x00', '<h')) == 3\\n"
        "    assert ao.lazy(array('i', range(9))).map('x + 1').filter('x > 3').sum() == 39\\n"
        "    print('works', flush=True)\\n"
    )
    code = INTERPRETERS + f"""
inner = "{inner}"
import arrayops as ao
from array import array
for _ in range(5):
    assert execute(inner) == 0
    assert ao.map(array("i", [1, 2, 3]), "x + 1") == array("i", [2, 3, 4])
    assert ao.map(array("i", [1, 2, 3]), lambda x: x + 1) == array("i", [2, 3, 4])
print("first works")
"""  # fmt: skip
    lines = run(code).split("\n")
    if lines[0] == "none":
        pytest.skip("this Python cannot run subinterpreters from Python")
    assert lines[-2] == "first works"
    assert set(lines[:-2]) in ({"works"}, {"refused"}) and len(lines[:-2]) == 5, lines


def test_shutdown_while_daemon_threads_compute() -> None:
    """The interpreter goes away under kernels, pipelines and sorts that run without the GIL."""
    code = BUSY + CHILD + """
def busy():
    while True:
        compute()
for _ in range(4):
    threading.Thread(target=busy, daemon=True).start()
time.sleep(DELAY)
print("end", flush=True)
"""  # fmt: skip
    for delay in ("0", "0.05", "0.2", "0.4"):
        assert run(code.replace("DELAY", delay)) == "end\n"


def test_objects_outlive_the_modules() -> None:
    """Kernels, Views, RunningStats and pipelines still work, and still go, when the package is no longer there."""
    code = BUSY + """
running, view = ao.RunningStats(ints), ao.view(ints, "i", 0, 8)
pipe, entry = ao.lazy(ints).map("x + 1").filter("x > 5"), ao.map
for name in [n for n in sys.modules if n.startswith("arrayops")]:
    del sys.modules[name]
import gc
gc.collect()
assert kernel(ints)[4] == 8 and pipe.count() == len(ints) - 5 and view[3] == 6 and running.max == ints[-1]
running.update(ints)
assert entry(ints, "x + 77")[0] == 77 and entry(ints, lambda x: x + 78)[1] == 79
import arrayops as again
assert again is not ao and again.map(ints, "x + 3")[1] == 4 and again.compile("x - 2")(ints)[3] == 1
assert entry(ints, "x + 77")[0] == 77
del ao, again, entry
gc.collect()
assert kernel(ints)[6] == 12
print("done")
"""  # fmt: skip
    assert run(code) == "done\n"


def test_used_in_atexit_and_at_the_end_of_modules() -> None:
    """In atexit everything works. When modules are taken apart it works or raises; it never crashes."""
    code = BUSY + """
import atexit, builtins
view = ao.view(ints, "i", 0, 8)
def last():
    assert ao.map(ints, "x + 90")[0] == 90 and ao.map(ints, lambda x: x + 91)[0] == 91
    assert ao.median(ints) == (len(ints) - 1) / 2 and ao.lazy(ints).map("x + 1").sum() > 0
    print("atexit", flush=True)
class Late:
    def __init__(self):
        self.kept = ao.map, ao.sum, kernel, view, ao.RunningStats(ints), ao.lazy(ints).map("x + 2"), ints
    def __del__(self):
        map_, sum_, kernel_, view_, running, pipe, data = self.kept
        for call in (lambda: map_(data, "x + 3"), lambda: kernel_(data), lambda: sum_(view_), pipe.sum,
                     lambda: running.update(data), lambda: map_(data, lambda x: x - 1), lambda: map_(data, "x + 1 +")):
            try:
                call()
            except BaseException:
                pass
atexit.register(last)
late = Late()
builtins.late_too = Late()
sys.late_as_well = Late()
cycle = [Late()]
cycle.append(cycle)
"""  # fmt: skip
    assert run(code) == "atexit\n"


def test_last_reference_goes_in_another_thread() -> None:
    """A View, a kernel and a pipeline are dropped by threads that did not make them, while others use them."""
    code = BUSY + """
def use_and_drop(things):
    view, kernel, pipe = things.pop()
    assert view[1] == 2 and kernel(ints)[2] == 6 and pipe.count() == len(ints)
for turn in range(50):
    things = [(ao.view(ints, "i", 0, 8), ao.compile(f"x*3 + {turn} - {turn}"), ao.lazy(ints).map("x + 1"))] * 3
    threads = [threading.Thread(target=use_and_drop, args=(things,)) for _ in things]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
ints.append(1)
print("done")
"""  # fmt: skip
    assert run(code) == "done\n"
