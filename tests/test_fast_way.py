"""The fast way in (python/glue/front.c) only finds again what Python found: a call gives the same whenever it comes.

The first call of a text, and every one that asks for something rare, goes through Python; the later ones do not.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import arrayops
import numpy as np
import pytest
from arrayops.engine import common, kernel
from hypothesis import given
from hypothesis import strategies as st
from oracle import outcome

ao: Any = arrayops  # untyped: some calls have wrong arguments on purpose

DOUBLES = array("d", [0.5, -2.0, math.inf, 1e300, 7.0])
INTS = array("q", [1, -2, 2**40, 2**62, 7])
SMALL = array("B", [0, 1, 200, 255, 7])
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
}  # fmt: skip
KERNEL = ao.compile("x*k")
FAST = SimpleNamespace(**vars(arrayops), kernel=KERNEL)
#: The same functions without their fast ways in.
SLOW = SimpleNamespace(**{name: functions[0] for name, functions in common._fronts.items()}, kernel=KERNEL.map)


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
    for data in (DOUBLES, INTS, SMALL):
        found = []
        for module in (SLOW, FAST, FAST):
            a, b = make(data), make(data)
            found.append((shown(outcome(CALLS[name], module, a, b)), bytes(a), bytes(b)))
        assert found[0] == found[1] == found[2], data.typecode


@pytest.mark.parametrize("make", [MAKERS["array"], MAKERS["numpy"]], ids=["array", "numpy"])
def test_later_calls_do_not_go_through_python(make: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the calls that are to be fast none reaches a kernel's method in the end."""
    fast = ["by name", "array by name", "lead behind", "typecode", "defaults", "filter", "any", "count", "first",
            "count nonzero", "evaluate", "evaluate two", "kernel"]  # fmt: skip
    a, b = make(DOUBLES), make(DOUBLES)
    for name in fast * 3:  # where other tests have filled the caches, one of them may take another's place at first
        CALLS[name](FAST, a, b)
    for reached in ("_run_map", "_run_filter", "_bind"):
        monkeypatch.delattr(kernel.Kernel, reached)
    for name in fast:
        CALLS[name](FAST, a, b)


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
