"""The package imported again: modules loaded a second time, or taken out of sys.modules, while the old ones are in use.

Each case is a script for a process of its own. What is made by one copy of the package goes on working with that copy.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BEFORE = """
import importlib, pickle, sys
from array import array
import arrayops as ao

A = array("d", [1.0, 2.0, 3.0])

def forget(*keep):
    for name in [n for n in sys.modules if n.partition(".")[0] == "arrayops" and n not in keep]:
        del sys.modules[name]

def check(ao):
    # What needs kernels, the compiler, the decoder, statistics and pipelines, and the values that stand for nothing.
    assert ao.map(A, "x*x + 1").tolist() == [2.0, 5.0, 10.0]
    assert ao.map(A, "x if x > c else 0", c=1.5).tolist() == [0.0, 2.0, 3.0]
    assert ao.compile(lambda x: x * 2 + 1, strict=True)(A).tolist() == [3.0, 5.0, 7.0]
    assert ao.reduce(A, "acc + x") == 6.0 and ao.reduce(A, lambda acc, x: acc + x) == 6.0
    assert ao.accumulate(A).tolist() == [1.0, 3.0, 6.0]
    assert ao.filter(A, "x > 1").tolist() == [2.0, 3.0] and ao.count(A, "x > 1") == 2
    assert ao.sum(A) == 6.0 and ao.min(A) == 1.0 and ao.mean(A) == 2.0 and ao.minmax(A) == (1.0, 3.0)
    assert ao.dot(A, array("i", [1, 1, 1])) == 6.0
    assert ao.evaluate("a + b", a=A, b=1).tolist() == [2.0, 3.0, 4.0]
    p = ao.lazy(A).map("x*x").filter(lambda x: x > limit).map("x + 1")
    assert p.collect().tolist() == [5.0, 10.0] and p.sum() == 15.0 and p.reduce("acc + x") == 15.0
    assert ao.lazy([A, A]).filter("x > 2").count() == 2 and "compiled" in p.explain()
    assert ao.explain("x + 1", "d").startswith("compiled")
    r = ao.RunningStats(A)
    r.merge(ao.RunningStats(A))
    assert r.count == 6 and r.mean == 2.0 and r == ao.RunningStats(A + A)
    k = ao.compile("x + 1")
    assert ao.map(A, k).tolist() == [2.0, 3.0, 4.0] and k == ao.compile("x + 1")
    a = array("i", [3, 1])
    ao.sort(a)
    ao.scale(a, 2)
    assert a.tolist() == [2, 6]
    try:
        ao.map(A, "x +")
    except ao.ExpressionError:
        pass
    else:
        raise AssertionError

limit = 1
"""

SCRIPTS = {
    "forgotten at once, used without a new one": "old = ao; forget(); check(old); assert 'arrayops' not in sys.modules",
    "forgotten at once, a new one first": "old = ao; forget(); import arrayops as new; check(old); check(new)",
    "forgotten at once, the old one first": "old = ao; forget(); check(old); import arrayops as new; check(new)",
    "forgotten after use": "old = ao; check(old); forget(); import arrayops as new; check(new); check(old)",
    "forgotten but for the package itself": """
forget("arrayops")
check(ao)
import arrayops.pipelines
check(ao)
check(importlib.import_module("arrayops"))
""",
    "forgotten after a module was imported by name": """
import arrayops.pipelines
old = ao
forget()
check(old)
import arrayops as new
check(new)
""",
    "forgotten three times": """
copies = [ao]
for _ in range(3):
    forget()
    copies.append(importlib.import_module("arrayops"))
for copy in (*copies, *reversed(copies)):
    check(copy)
assert len({id(copy) for copy in copies}) == 4 and sys.modules["arrayops"] is copies[-1]
""",
    "a new copy is left as it was": """
old = ao
forget()
import arrayops as new
check(new)
before = {n: m for n, m in sys.modules.items() if n.startswith("arrayops")}
check(old)
assert before == {n: m for n, m in sys.modules.items() if n.startswith("arrayops")}
assert old.Kernel is not new.Kernel
""",
    "objects of the old one": """
k, f, p, r = ao.compile("x*2"), ao.compile(lambda x: x + limit), ao.lazy(A).map("x*2"), ao.RunningStats(A)
old = ao
forget()
import arrayops as new
check(new)
assert k(A).tolist() == [2.0, 4.0, 6.0] and k.filter(A).tolist() == A.tolist() and k.source == "x * 2"
assert f(A).tolist() == [2.0, 3.0, 4.0] and f.compiled and "compiled" in f.explain("d")
limit = 2
assert f(A).tolist() == [3.0, 4.0, 5.0]
assert p.filter("x > 2").collect().tolist() == [4.0, 6.0] and p.stats().max == 6.0 and "compiled" in p.explain()
assert k._repr_html_() and p._repr_html_()
r.update(A)
r.merge(old.RunningStats(A))
assert r.count == 9
assert old.map(A, k).tolist() == [2.0, 4.0, 6.0]
""",
    "pickles go to the new one": """
data = pickle.dumps([ao.compile("x*2"), ao.RunningStats(A), ao.lazy(A).map("x*2")])
forget()
k, r, p = pickle.loads(data)
import arrayops as new
assert type(k) is new.Kernel and type(r) is new.RunningStats and type(p) is new.Pipeline
assert k(A).tolist() == p.collect().tolist() == [2.0, 4.0, 6.0] and r.count == 3
""",
}  # fmt: skip

PUBLIC = ("arrayops", *(f"arrayops.{name}" for name in (
    "arithmetic", "data", "expressions", "order", "pipelines", "reductions", "settings", "statistics",
    "cli", "engine", "compiler",
)))  # fmt: skip
RELOAD = """
import NAME
USE
k, p, r = ao.compile("x*2"), ao.lazy(A).map("x*2"), ao.RunningStats(A)
functions = [ao.map, ao.sum, ao.sort, ao.var]
for _ in range(2):
    importlib.reload(sys.modules["NAME"])
    check(ao)
    assert k(A).tolist() == ao.map(A, k).tolist() == p.filter("x").collect().tolist() == [2.0, 4.0, 6.0]
    other = type(r)(A)
    r.merge(other)
    assert r == r and other != r and p.map("x").sum() == 12.0
    assert functions[0](A, "x").tolist() == A.tolist() and functions[1](A) == 6.0 and functions[3](A) > 0
    assert functions[0] is ao.map or "NAME" != "arrayops.expressions"
assert r.count == 9 and sorted(dir(ao)) == dir(ao) and ao.Kernel and ao.lazy
"""


def run(script: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", BEFORE + script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_modules_are_forgotten(script: str) -> None:
    run(script)


@pytest.mark.parametrize("use", ["", "check(ao)"], ids=["at once", "after use"])
@pytest.mark.parametrize("name", PUBLIC)
def test_modules_are_loaded_again(name: str, use: str) -> None:
    run(RELOAD.replace("NAME", name).replace("USE", use))
