"""The fast way in (python/glue/front.c) only finds again what Python found: a call gives the same whenever it comes.

The first call of a text, and every one that asks for something rare, goes through Python; the later ones do not.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
from array import array
from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import arrayops
import numpy as np
import pytest
from arrayops import _machine
from arrayops.engine import common, figures, kernel
from arrayops.statistics import summary
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import Raised, outcome
from strategies import arrays

ao: Any = arrayops  # untyped: some calls have wrong arguments on purpose

DOUBLES = array("d", [0.5, -2.0, math.inf, 1e300, 7.0])
INTS = array("q", [1, -2, 2**40, 2**62, 7])
SMALL = array("B", [0, 1, 200, 255, 7])
ORDINARY = array("d", [0.1, -2.5, 0.0, 3.75, 1.0])
#: name: the call, of a buffer `a` and another of the same length
CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "by name": lambda ao, a, b: ao.map(a, "x*k + c", k=3, c=0.5, typecode="d"),
    "float by name": lambda ao, a, b: ao.map(a, "x - k", k=0.5, typecode="d"),
    "array by name": lambda ao, a, b: ao.map(a, "x - y", y=b, typecode="d"),
    "lead behind": lambda ao, a, b: ao.map(b, "k*y - x", k=2, y=a, typecode="d"),
    "first by name": lambda ao, a, b: ao.map(a, "x - y", x=b, typecode="d"),
    "true by name": lambda ao, a, b: ao.map(a, "x if k else -x", k=True, typecode="d"),
    "large by name": lambda ao, a, b: ao.map(a, "x + k", k=2**70, typecode="d"),
    "too many": lambda ao, a, b: ao.map(a, "x + 1", b),
    "unknown name": lambda ao, a, b: ao.map(a, "x + 1", z=2),
    "name twice": lambda ao, a, b: ao.map(a, "x + y", b, y=2),
    "nothing by position": lambda ao, a, b: ao.map(a, "x + 1", x=b),
    "string by name": lambda ao, a, b: ao.map(a, "x + k", k="2"),
    "typecode": lambda ao, a, b: ao.map(a, "x / 3", typecode="d"),
    "narrow": lambda ao, a, b: ao.map(a, "x + 1", typecode="b"),
    "no typecode": lambda ao, a, b: ao.map(a, "x + 1", typecode="z"),
    "view typecode": lambda ao, a, b: ao.map(a, "x > 1", typecode="?"),
    "numpy typecode": lambda ao, a, b: ao.map(a, "x / 4", typecode="float32"),
    "out": lambda ao, a, b: ao.map(a, "x / 4", out=array("d", bytes(8 * len(a)))),
    "defaults": lambda ao, a, b: ao.map(a, "x*1", typecode=None, out=None, threads=None, ieee=False, compile=True,
                                    strict=False, nulls=None, names=None),
    "ieee": lambda ao, a, b: ao.map(a, "x / 0", ieee=True, typecode="d"),
    "threads": lambda ao, a, b: ao.map(a, "x*1", threads=2),
    "names": lambda ao, a, b: ao.map(a, "x*w", names={"w": 2, "v": 1}, typecode="d"),
    "filter": lambda ao, a, b: ao.filter(a, "x > k", k=1),
    "filter lead": lambda ao, a, b: ao.filter(b, "y > x", y=a),
    "any": lambda ao, a, b: ao.any(a, "x > k", k=6),
    "all": lambda ao, a, b: ao.all(a, "x > -3"),
    "count": lambda ao, a, b: ao.count(a, "x > y", b),
    "first": lambda ao, a, b: ao.first(a, "x > k", k=5),
    "first or another": lambda ao, a, b: [ao.first(a, "x > k", k=k, default=d) for k, d in ((5, 9), (1e9, None))],
    "filter by names": lambda ao, a, b: ao.filter(a, "y > k", y=b, k=1),
    "count by names": lambda ao, a, b: [ao.count(a, "y > x", y=b, x=a), ao.any(a, "y > 6", y=b)],
    "first by names": lambda ao, a, b: ao.first(a, "y > 6", y=b),
    "count by too many names": lambda ao, a, b: ao.count(a, "y > 1", y=b, k=1),
    "count by names and more": lambda ao, a, b: ao.count(a, "y > 1", b, y=b),
    "first none": lambda ao, a, b: ao.first(a, "x != x", default="none"),
    "count nonzero": lambda ao, a, b: ao.count(a),
    "any none": lambda ao, a, b: ao.any(a, None),
    "raises": lambda ao, a, b: ao.any(a, "1 // (x - 7)"),
    "raises in map": lambda ao, a, b: ao.map(a, "1 / (x - k)", k=7, typecode="d"),
    "evaluate": lambda ao, a, b: ao.evaluate("x*2", x=a),
    "evaluate two": lambda ao, a, b: ao.evaluate("x / y", x=a, y=b),
    "evaluate truth": lambda ao, a, b: ao.evaluate("x > 1", x=a),
    "evaluate signs": lambda ao, a, b: [ao.evaluate("abs(x) + k", x=a, k=k) for k in (5, -5, 2**63 - 1)],
    "evaluate typecode": lambda ao, a, b: ao.evaluate("x*2", x=a, typecode="d"),
    "evaluate missing": lambda ao, a, b: ao.evaluate("x*y", x=a),
    "evaluate numbers": lambda ao, a, b: ao.evaluate("x*y", x=3, y=4),
    "inplace": lambda ao, a, b: ao.map_inplace(a, "x // k", k=2),
    "add": lambda ao, a, b: ao.map(a, "x + y", b, typecode="d", out=None, nulls=None),
    "scale": lambda ao, a, b: ao.map_inplace(a, "x * factor", factor=1.0),
    "clip": lambda ao, a, b: ao.map_inplace(a, "lo if x < lo else hi if x > hi else x", lo=0, hi=5),
    "kernel": lambda ao, a, b: ao.kernel(a, k=2.5, typecode="d"),
    "kernel position": lambda ao, a, b: ao.kernel(a, 2.5, typecode="d"),
    "kernel unknown": lambda ao, a, b: ao.kernel(a, j=2.5),
    "function by name": lambda ao, a, b: ao.map(a, lambda x, k: x + k, k=2),
    "reduce": lambda ao, a, b: ao.reduce(a, "acc*0.5 + x*k", 0.0, k=2),
    "reduce from the first": lambda ao, a, b: [ao.reduce(a, "max(acc, x)"), ao.reduce(a, "acc + x", None)],
    "reduce from ints": lambda ao, a, b: [ao.reduce(a, "acc + x", initial=i) for i in (0, -1, 300, 2**40, 2**63, True)],
    "reduce from a large int": lambda ao, a, b: ao.reduce(a, "acc + x", 2**70),
    "reduce that grows": lambda ao, a, b: ao.reduce(a, "acc*acc + x", 7),
    "reduce that never settles": lambda ao, a, b: ao.reduce(a, "0.5 if acc == 1 else 1", 1),
    "reduce of a tuple": lambda ao, a, b: ao.reduce(a, "acc[0] + x, acc[1] + 1", (0, 0)),
    "reduce with an array": lambda ao, a, b: ao.reduce(a, "acc + x*y", 0, y=b),
    "reduce that raises": lambda ao, a, b: ao.reduce(a, "acc + 1/(x - 7)", 0.0),
    "reduce that raises at once": lambda ao, a, b: ao.reduce(a, "acc + 1 // (x - x)", 0),
    "reduce with a Fraction": lambda ao, a, b: ao.reduce(a, "acc + x", Fraction(1, 3)),
    "reduce of a kernel": lambda ao, a, b: ao.reduce(a, KERNEL, 1.0),
    "reduce of a function": lambda ao, a, b: ao.reduce(a, lambda acc, x: acc - x, 1),
    "reduce of a function of three": lambda ao, a, b: ao.reduce(a, lambda acc, x, y: acc - x, 1),
    "reduce of a builtin": lambda ao, a, b: ao.reduce(a, max, 1),
    "reduce, names": lambda ao, a, b: ao.reduce(a, "acc + x*k", 0, names={"k": 3}),
    "reduce without a name": lambda ao, a, b: ao.reduce(a, "acc + x*k", 0),
    "reduce with the accumulator by name": lambda ao, a, b: ao.reduce(a, "acc + x*k", 0, acc=1, k=1),
    "reduce with two initial values": lambda ao, a, b: ao.reduce(a, "acc + x*initial", 0, initial=1),
    "reduce, ieee": lambda ao, a, b: ao.reduce(a, "acc + x/0", 0.0, ieee=True),
    "reduce of numbers": lambda ao, a, b: ao.reduce(a, "acc + x*k", 0, k=np.float64(0.5)),
    "accumulate": lambda ao, a, b: ao.accumulate(a),
    "accumulate in order": lambda ao, a, b: ao.accumulate(a, "acc*0.5 + x", typecode="d"),
    "accumulate from ints": lambda ao, a, b: [ao.accumulate(a, "max(acc, x)", initial=i) for i in (0, -1, True, 2**70)],
    "accumulate from a float": lambda ao, a, b: ao.accumulate(a, "acc + x", initial=0.5),
    "accumulate in a narrow type": lambda ao, a, b: ao.accumulate(a, typecode="b"),
    "accumulate in truths": lambda ao, a, b: ao.accumulate(a, "x > acc", typecode="?"),
    "accumulate in halves": lambda ao, a, b: ao.accumulate(a, typecode="e"),
    "accumulate a tuple": lambda ao, a, b: ao.accumulate(a, "acc[0] + x, x", initial=(0, 0), typecode="d"),
    "accumulate in two types": lambda ao, a, b: ao.accumulate(a, "acc[0] + x, x", initial=(0, 0), typecode=("d", "d")),
    "accumulate of an unknown name": lambda ao, a, b: ao.accumulate(a, "acc + x", k=1),
    "accumulate that raises": lambda ao, a, b: ao.accumulate(a, "acc + 1/(x - 7)", initial=0.0, typecode="d"),
    "accumulate that raises later": lambda ao, a, b: ao.accumulate(a, "acc + 1/(x - 7)", initial=0, typecode="d"),
    "add, out": lambda ao, a, b: ao.add(a, b, out=array("d", bytes(8 * len(a)))),
    "arithmetic": lambda ao, a, b: [f(a, b, typecode="d") for f in (ao.add, ao.subtract, ao.multiply, ao.divide)],
    "arithmetic of a kind": lambda ao, a, b: ao.subtract(a, b),
    "add a number": lambda ao, a, b: ao.add(a, 1),
    "divide": lambda ao, a, b: ao.divide(a, b),
    "add, unknown keyword": lambda ao, a, b: ao.add(a, b, threads=None),
    "add, nulls": lambda ao, a, b: ao.add(a, b, nulls=None, typecode=None),
    "add what is shorter": lambda ao, a, b: ao.add(a, b[1:]),
    "scale by an int": lambda ao, a, b: ao.scale(a, 1),
    "scale by a float": lambda ao, a, b: ao.scale(a, 1.0),
    "scale by half": lambda ao, a, b: ao.scale(a, 0.5),
    "scale by truth": lambda ao, a, b: ao.scale(a, True),
    "scale by NumPy's": lambda ao, a, b: ao.scale(a, np.float32(0.5)),
    "scale by an array": lambda ao, a, b: ao.scale(a, b),
    "scale too far": lambda ao, a, b: ao.scale(a, 2**61),
    "clip to ints": lambda ao, a, b: ao.clip(a, 0, 5),
    "clip to floats": lambda ao, a, b: ao.clip(a, 0.0, 5),
    "clip to no floats": lambda ao, a, b: ao.clip(a, 0.5, 5),
    "clip on one side": lambda ao, a, b: [ao.clip(a, -math.inf, 5), ao.clip(a, 0.0, 5.0)],
    "clip to nan": lambda ao, a, b: ao.clip(a, math.nan, 5),
    "clip the other way": lambda ao, a, b: ao.clip(a, 5, 0),
    "mean": lambda ao, a, b: ao.mean(a),
    "minmax": lambda ao, a, b: ao.minmax(a),
    "minmax, nulls": lambda ao, a, b: ao.minmax(a, nulls=None),
    "min, nulls": lambda ao, a, b: [ao.min(a, nulls=None, nan=None), ao.max(a, nulls=0)],
    "sum without nans": lambda ao, a, b: ao.sum(a, nan="skip"),
    "var": lambda ao, a, b: [ao.var(a), ao.var(a, ddof=1)],
    "std": lambda ao, a, b: [ao.std(a), ao.std(a, ddof=1, nulls=None)],
    "var of too few": lambda ao, a, b: ao.var(a, ddof=len(a)),
    "var, bad ddof": lambda ao, a, b: ao.var(a, ddof=-1),
    "var, large ddof": lambda ao, a, b: ao.std(a, ddof=2**70),
    "var, no ddof": lambda ao, a, b: ao.var(a, ddof=None),
    "dot": lambda ao, a, b: ao.dot(a, b),
    "dot with ints": lambda ao, a, b: ao.dot(a, array("h", range(len(a)))),
    "dot with small ones": lambda ao, a, b: ao.dot(a, array("d", [5e-324, 1e-300, 0.0, 1.0, 3.0][: len(a)])),
    "dot with what is shorter": lambda ao, a, b: ao.dot(a, b[1:]),
}  # fmt: skip
KERNEL = ao.compile("x*k")
FAST = SimpleNamespace(**{name: getattr(arrayops, name) for name in arrayops.__all__}, kernel=KERNEL)
#: The same functions without their fast ways in.
SLOW = SimpleNamespace(**{name: f[0] for name, f in common._fronts.items()}, kernel=KERNEL.map)


def shown(result: Any) -> Any:
    """A result as something that can be compared, with its types."""
    if isinstance(result, np.ndarray):
        return type(result), result.dtype.str, result.tobytes()
    if isinstance(result, array):
        return type(result), result.typecode, result.tobytes()
    return type(result), repr(result)


MAKERS = {"array": lambda a: a[:], "memoryview": lambda a: memoryview(a[:]), "numpy": np.array}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", CALLS)
def test_the_fast_way_gives_what_python_gives(name: str, make: Callable[[Any], Any]) -> None:
    for data in (DOUBLES, INTS, SMALL, ORDINARY, DOUBLES[:1], DOUBLES[:0]):
        found = []
        for module in (SLOW, FAST, FAST):
            a, b = make(data), make(data)
            result = outcome(CALLS[name], module, a, b)
            notes = getattr(result.error, "__notes__", []) if isinstance(result, Raised) else []
            found.append((shown(result), notes, bytes(a), bytes(b)))
        assert found[0] == found[1] == found[2], data.typecode


@pytest.mark.parametrize("make", [MAKERS["array"], MAKERS["numpy"]], ids=["array", "numpy"])
def test_later_calls_do_not_go_through_python(make: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the calls that are to be fast none reaches a kernel's method the second time."""
    fast = ["by name", "array by name", "lead behind", "typecode", "defaults", "filter", "any", "count", "first",
            "first or another", "filter by names", "count by names", "first by names", "count nonzero", "evaluate",
            "evaluate two", "kernel", "reduce", "reduce from the first", "reduce from ints", "reduce with an array",
            "reduce of a function", "accumulate", "accumulate in order", "accumulate from a float", "add, out",
            "arithmetic", "scale by an int", "scale by half", "clip to ints", "clip to floats", "mean", "minmax",
            "dot", "var", "std"]  # fmt: skip
    a, b = make(array("d", [0.1, -2.5, 4.0, 3.75, 1.0])), make(array("d", [3.0, 0.5, -1.0, 8.0, 1.0]))
    long = make(array("d", [0.5]) * 3000)
    CALLS["reduce of a function"](FAST, long, long)  # which is called until it has seen so many
    for name in fast:
        CALLS[name](FAST, a, b)
    for reached in ("_run_map", "_run_filter", "_bind", "_fold"):
        monkeypatch.delattr(kernel.Kernel, reached)
    for reached in ("moments", "dot", "buffer_info"):
        monkeypatch.delattr(_machine, reached)
    for name in fast:
        CALLS[name](FAST, a, b)


STEPS = ["acc + x", "max(acc, x)", "acc ^ x", "acc*31 + x", "acc*0.5 + x", "acc + 1/(x - 3)", "x > acc", "acc + x*k",
         "acc // (x + 1)", "~acc ^ x", "acc and x"]  # fmt: skip
FIRST = st.sampled_from([None, 0, 1, -300, 2**31, -(2**40), 2**63, 2**64, 2**70, True, 0.0, -0.0, 1.5, math.inf])


@given(arrays(), st.sampled_from(STEPS), FIRST, st.sampled_from([None, "d", "q", "B"]))
def test_folds_are_those_of_python(a: array[Any], text: str, first: Any, typecode: str | None) -> None:
    """Whatever the accumulator begins with, and however it changes; notes included."""
    named = {"k": 3} if "k" in text else {}
    for name, options in (("reduce", {}), ("accumulate", {"typecode": typecode})):
        found = []
        for module in (SLOW, FAST, FAST):
            result = outcome(getattr(module, name), a, text, initial=first, **options, **named)
            notes = getattr(result.error, "__notes__", []) if isinstance(result, Raised) else []
            found.append((shown(result), notes))
        assert found[0] == found[1] == found[2]


#: Numbers of a few binades, of which means, squares and roots are often exact, or exactly between two doubles.
ALIKE = st.builds(math.ldexp, st.integers(-20, 20), st.integers(-3, 3))
NUMBERS = st.one_of(
    st.lists(ALIKE, min_size=2, max_size=9).map(lambda v: array("d", v)),
    st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=9).map(lambda v: array("d", v)),
    st.lists(st.floats(allow_nan=False), min_size=2, max_size=5).map(lambda v: array("d", v)),
    st.lists(st.integers(-9, 9), min_size=2, max_size=30).map(lambda v: array("b", v)),
    st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=9).map(lambda v: array("Q", v)),
)


@given(NUMBERS, st.integers(0, 1))
def test_few_numbers_spread_as_their_fractions_do(a: array[Any], ddof: int) -> None:
    """They are computed in C from words of their own; figures.py has Python's integers."""
    g = figures.gather(a, figures.SUMS | figures.SQUARES | figures.EXTREMES)
    assume(g.special is None)
    fraction = figures.variance(g, a.typecode == "d", ddof)
    assert ao.var(a, ddof=ddof) == figures.ratio(*fraction)
    assert ao.std(a, ddof=ddof) == figures.root(*fraction)
    assert repr(ao.stats(a)) == repr(summary(g, a.typecode == "d"))


@pytest.mark.parametrize("code", "qQ")
def test_means_of_ints_that_are_no_doubles(code: str) -> None:
    """statistics.fmean() rounds each before it adds them up."""
    for large in (2**53, 2**53 + 1, 2**62 + 1, 2**63 - 1, 2**64 - 1, -(2**53), -(2**53) - 1, -(2**63)):
        if not (0 <= large < 2**64 if code == "Q" else -(2**63) <= large < 2**63):
            continue
        for a in (array(code, [large]), array(code, [large, 3, 2**40 + 1]), array(code, [5, large] * 3000)):
            assert ao.mean(a) == statistics.fmean(a), (large, len(a))
    assert ao.mean(range(2**53 - 5, 2**53 + 5)) == statistics.fmean(range(2**53 - 5, 2**53 + 5))


@pytest.mark.parametrize("deviation", [1.0, 2.0**-30, 1 - 2**-53, 1 + 2**-52, 1.5, 3.0, 2.0**500])
def test_deviations_beside_powers_of_two(deviation: float) -> None:
    for a in (array("d", [-deviation, deviation]), array("d", [0.0, 2 * deviation, 0.0, 2 * deviation])):
        assert ao.std(a) == deviation
        assert ao.var(a) == float(Fraction(deviation) ** 2)


def test_a_text_whose_kernel_was_forgotten_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "x*2 + 0.0625"
    for typecode in "df":
        a = array(typecode, [1.0])
        ao.map(a, text)
        for i in range(300):  # more than are remembered
            ao.map(array("q", [i]), f"x + {i}")
        ao.compile(text)
        ao.evaluate(text, x=a)
        ao.evaluate(text, x=a)
    monkeypatch.delattr(kernel.Kernel, "_run_map")
    assert ao.evaluate(text, x=array("f", [1.0])) == array("d", [2.0625])


def test_a_text_is_known_as_long_as_its_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels of other kinds are forgotten with the others, and take no part in what the machine knows."""
    parts = ["x*2", " + 0.03125"]
    ao.map(DOUBLES, "".join(parts))
    for i in range(200):
        ao.map(DOUBLES, f"x*3 + {i}")
    for i in range(300):
        ao.map(DOUBLES, f"x + {i}", ieee=True)
    ao.map(SMALL, "".join(parts), typecode="d")  # which makes it anew, as it has not seen such arrays
    want = ao.map(DOUBLES, "".join(parts))
    for i in range(100):
        ao.map(DOUBLES, f"x - {i}")
    monkeypatch.delattr(kernel.Kernel, "_run_map")
    assert ao.map(DOUBLES, "".join(parts)) == want


@given(st.permutations("xyk"), st.sets(st.sampled_from("xyk"), max_size=2))
def test_names_bind_first(order: list[str], named: set[str]) -> None:
    """Whichever values are given by name, the others are taken by position, in the order of the text."""
    text = " - 2*".join(order)
    values = {"x": array("d", [1.0, 2.0]), "y": array("d", [5.0, 9.0]), "k": array("d", [30.0, 50.0])}
    left = [values[name] for name in order if name not in named]
    want = array("d", [a - 2 * b - 2 * c for a, b, c in zip(*(values[name] for name in order), strict=True)])
    for _ in range(2):
        assert ao.map(left[0], text, *left[1:], **{name: values[name] for name in named}) == want


@pytest.mark.parametrize("name", ["arr", "self", "f", "text", "kernel"])
def test_names_of_arguments_are_free(name: str) -> None:
    for _ in range(2):
        assert ao.map(DOUBLES, f"x*{name}", **{name: 2}) == array("d", [2 * x for x in DOUBLES])
        assert ao.filter(DOUBLES, f"x > {name}", **{name: 1}) == array("d", [x for x in DOUBLES if x > 1])
        assert ao.compile(f"x*{name}")(DOUBLES, **{name: 2}) == array("d", [2 * x for x in DOUBLES])


def test_options_by_names_that_were_made_just_now() -> None:
    """They are options whatever the text has for names."""
    assert ao.map(DOUBLES, "x*threads", 3)[0] == 1.5
    with pytest.raises(TypeError, match="threads"):
        ao.map(DOUBLES, "x*threads", **{"".join(["thr", "eads"]): 2})


LATER = """
import sys
from array import array
import arrayops as ao
from arrayops import _machine

def loaded(name):
    return "arrayops." + name in sys.modules

a = array("d", [2.0, 1.0])
assert ao.map(a, "x + 1")[0] == 3.0 and loaded("engine.kernel")
assert not loaded("order") and not loaded("pipelines") and not loaded("windows"), "what nobody asked for"
ao.sort(a)
assert loaded("order") and not loaded("pipelines") and "sort" in vars(ao)
assert ao.Kernel is ao.compile("x").__class__
for _ in range(300):
    ao.map(a, "x + 1")
assert "__getattr__" not in vars(ao) and "rolling" in vars(ao)

def interrupted():
    calls.append(1)
    if len(calls) < 3:
        raise KeyboardInterrupt

calls = []
_machine.after_calls(2, interrupted)
for call in (lambda: ao.sum(a), lambda: ao.map(a, "x + 1"), lambda: ao.scale(a, 2), lambda: ao.reduce(a, "acc + x")):
    before = a[:]
    try:
        call()
    except KeyboardInterrupt:
        assert a == before, "nothing was done yet"
    else:
        assert len(calls) in (0, 3)
assert len(calls) == 3 and a == array("d", [1.0, 2.0])
"""


def test_what_is_imported_when() -> None:
    """A call imports what it needs; after many of them the rest is there, and names are found without Python's help.

    If that is interrupted, so is the call, before it does anything, and the next one tries again.
    """
    done = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
