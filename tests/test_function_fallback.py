"""What is not compiled is called: once per element, in order, with the effects and exceptions of the Python loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import random
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import arrayops as ao
import pytest
from arrayops.engine import functions
from oracle import assert_same, element_outcomes, kept, outcome, stored

X = array("d", [0.0, 1.0, -2.0, 3.5, 0.5])
SEEN: list[float] = []
TOTAL = 0.0


@pytest.fixture(autouse=True)
def decode_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every function is tried at its first call."""
    monkeypatch.setattr(functions, "COMPILE_AFTER", 0)
    functions.ENTRIES.clear()


# -- functions that cannot be compiled: source, a part of the reason ---------------------------------------------------

REFUSED = {
    "generator": ("def f(x): yield x", "generator"),
    "coroutine": ("async def f(x): return x", "coroutine"),
    "asynchronous generator": ("async def f(x): yield x", "asynchronous generator"),
    "*args": ("def f(*args): return args[0]", r"\*args"),
    "**kwargs": ("def f(x, **kwargs): return x", r"\*\*kwargs"),
    "keyword-only": ("def f(x, *, k): return x*k", "'k' must be given by name|'k' has no value"),
    "for": ("def f(x):\n for i in range(int(x)): x += i\n return x", r"line 2: range\(\) of something"),
    "while": ("def f(x):\n while x < 10: x += 5\n return x", "line 2: it has a loop"),
    "try": ("def f(x):\n try: return 1/x\n except ZeroDivisionError: return 0", "try"),
    "with": ("def f(x):\n with c(): return x", "try, a with"),
    "raise": ("def f(x):\n if x > 1: raise KeyError(x)\n return x", "line 2: 'KeyError' is the class"),
    "assert": ("def f(x):\n assert x < 1, 'large'\n return x", "line 2: "),
    "print": ("def f(x):\n print(x)\n return x", "line 2: 'print' is print"),
    "append": ("def f(x):\n seen.append(x)\n return x", "line 2: the attribute 'append' of a table"),
    "global": ("def f(x):\n global g\n g += x\n return g", "line 3: "),
    "nonlocal": ("def m():\n n = 0\n def f(x):\n  nonlocal n\n  n += x\n  return n\n return f\nf = m()", "nonlocal"),
    "random": ("f = lambda x: x + r.random()", "'r' is an object of type Random"),
    "recursion": ("def f(x): return x if x < 1 else f(x - 1)", "recursive"),
    "mutual recursion": ("def f(x): return x if x < 1 else h(x)\ndef h(x): return f(x - 1)", "recursive"),
    "nested function": ("def f(x):\n def h(): return x\n return h()", "'x' is shared"),
    "comprehension": ("def f(x): return sum([x for _ in (1, 2)])", "comprehension|'x' is shared"),
    "f-string": ("f = lambda x: float(f'{x}')", "line 1: an f-string|line 1: "),
    "attribute": ("f = lambda x: x.real", "attribute 'real' of a number"),
    "method": ("f = lambda x: x.conjugate()", "attribute 'conjugate' of a number"),
    "subscript": ("f = lambda x: table[int(x)]", "'table' is an object of type Row"),
    "import": ("def f(x):\n import math\n return math.floor(x)", "line 2: an import"),
    "class": ("def f(x):\n class C: y = 1\n return x + C.y", "line 2: "),
    "keyword call": ("f = lambda x: round(x, ndigits=1)", "keyword"),
    "starred call": ("f = lambda x: max(*(x, 1))", r"line 1: "),
    "tuple": ("f = lambda x: (x, x)", "it does not return a number"),
    "tuple on a way": ("f = lambda x: (x, x) if x > 1 else x", "one kind of thing on some ways"),
    "tuple on a return": ("def f(x):\n if x > 1: return x, x\n return x", "one kind of thing on some ways"),
    "tuples of two sizes": ("def f(x):\n if x > 1: return x, x\n return x, x, 1", "one kind of thing on some ways"),
    "item": ("f = lambda x: x[0]", "a number is subscripted"),
    "list": ("f = lambda x: [x]", "line 1: a list"),
    "string": ("f = lambda x: 'a'", "type str"),
    "complex": ("f = lambda x: x + 1j", "type complex"),
    "matrix product": ("f = lambda x: x @ x", "the operator @"),
    "undefined": ("f = lambda x: x + nowhere", "'nowhere' is not defined"),
    "unbound": ("def f(x):\n if x > 1: y = 1\n return y", "'y' may be unbound"),
    "other math": ("import math\nf = lambda x: math.fsum([x])", "line 2: "),
    "del": ("def f(x):\n y = x\n del y\n return x", "line 3: "),
    "unpacking": ("def f(x):\n a, b = t\n return x + a", "line 2: "),
    "slice": ("f = lambda x: t[0:1]", "a slice"),
    "is": ("f = lambda x: x is 5.0", "identit"),
    "in a name": ("f = lambda x: x in t", "not a constant tuple"),
    "star star": ("f = lambda x: float(**{'x': x})", "line 1: "),
    "lambda inside": ("f = lambda x: (lambda y: y)(x)", "line 1: "),
    "match": ("def f(x):\n match x:\n  case float(): return 1\n return 2", "line "),
}  # fmt: skip


def make(source: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function of a source, in globals with a few objects of its own."""
    space: dict[str, Any] = {
        "seen": [], "g": 0.5, "r": random.Random(5),
        "table": type("Row", (list,), {})([1.0, 2.0, 3.0, 4.0, 5.0]), "t": (1.0, 2.0),
        "c": contextlib.nullcontext,
    }  # fmt: skip
    exec(source, space)
    return space["f"], space


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_called(name: str) -> None:
    """The same results, exceptions and effects as from the loop, by every function that takes one."""
    source, reason = REFUSED[name]
    f, space = make(source)
    kernel = ao.compile(f)
    assert not kernel.compiled
    first = kernel.explain("d").splitlines()[0]
    assert first.startswith("callback: ")
    with pytest.raises(ao.NotCompilable, match=reason):
        ao.compile(f, strict=True)
    output, want_output = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output):
        got = outcome(ao.map, X, f)
    g, other = make(source)
    with contextlib.redirect_stdout(want_output):
        results = []
        for x in X:
            results += element_outcomes(g, [[x]])
            if isinstance(results[-1], type(outcome(lambda: 1 / 0))):
                break
    assert_same(got, stored("d", results))
    assert output.getvalue() == want_output.getvalue()
    assert space["seen"] == other["seen"] and space["g"] == other["g"]
    assert space["r"].getstate() == other["r"].getstate()
    truth = [bool(r) if not isinstance(r, type(outcome(lambda: 1 / 0))) else r for r in results]
    assert_same(outcome(ao.filter, X[: len(truth)], make(source)[0]), kept(X[: len(truth)], truth))


def test_effects_happen_once_per_element_in_order() -> None:
    def f(x: float) -> float:
        SEEN.append(x)
        return x + 1

    for run in (lambda: ao.map(X, f), lambda: ao.filter(X, f), lambda: ao.map_inplace(X[:], f),
                lambda: ao.map(X, f, out=array("d", X)), lambda: ao.map(X, f, typecode="f"),
                lambda: ao.compile(f)(X)):  # fmt: skip
        SEEN.clear()
        run()
        assert list(X) == SEEN


def test_effects_in_folds() -> None:
    def f(acc: float, x: float) -> float:
        SEEN.append(x)
        return acc + x

    for run in (lambda: ao.reduce(X, f, 0.0), lambda: ao.accumulate(X, f, initial=0.0)):
        SEEN.clear()
        run()
        assert list(X) == SEEN
    assert ao.reduce(X, f) == functools.reduce(f, X)


def test_a_function_that_assigns_a_global() -> None:
    global TOTAL

    def f(x: float) -> float:
        global TOTAL
        TOTAL += x
        return TOTAL

    TOTAL = 0.0
    got = ao.map(X, f)
    TOTAL = 0.0
    assert_same(got, array("d", map(f, X)))


@pytest.mark.filterwarnings("ignore")
def test_coroutines_are_what_the_loop_gets() -> None:
    async def f(x: float) -> float:
        return x

    got = outcome(ao.map, X, f)
    assert_same(got, outcome(lambda: array("d", [f(x) for x in X])))  # type: ignore[misc]
    assert asyncio.run(f(1.0)) == 1.0


@pytest.mark.parametrize("count", [0, 2, 3])
def test_wrong_arity_is_pythons_error(count: int) -> None:
    f: Any = [lambda: 1, None, lambda x, y: x, lambda x, y, z: x][count]
    assert_same(outcome(ao.map, X, f), outcome(f, 1.0))
    assert_same(outcome(ao.filter, X, f), outcome(f, 1.0))
    assert_same(outcome(ao.map, X[:0], f), array("d"))
    h: Any = [lambda: 1, None, lambda x: x, lambda x, y, z: x][count]
    assert_same(outcome(ao.reduce, X, h), outcome(functools.reduce, h, X))


def test_an_exception_in_the_middle() -> None:
    def failing(x: float) -> float:
        SEEN.append(x)
        if x == -2.0:
            raise LookupError("here")
        return x * 2

    SEEN.clear()
    out = array("d", [9.0] * 5)
    with pytest.raises(LookupError, match="here"):
        ao.map(X, failing, out=out)
    assert SEEN == [0.0, 1.0, -2.0]
    assert out == array("d", [0.0, 2.0, 9.0, 9.0, 9.0])


def test_a_compiled_function_raises_what_it_would_raise() -> None:
    def failing(x: float) -> float:
        return 1 / (x - 3.5)

    data = array("d", range(5000))
    data[4321] = 3.5
    with pytest.raises(ZeroDivisionError) as caught:
        ao.map(data, failing)
    assert caught.traceback[-1].name == "failing"  # the function itself was called
    assert ao.compile(failing).compiled


def test_interrupts_and_exits_pass() -> None:
    def leave(x: float) -> float:
        raise SystemExit(3)

    def interrupt(x: float) -> float:
        raise KeyboardInterrupt

    for f, error in ((leave, SystemExit), (interrupt, KeyboardInterrupt)):
        with pytest.raises(error):
            ao.map(X, f)
        with pytest.raises(error):
            ao.reduce(X, lambda acc, x, f=f: f(x))


def test_callables_that_change_the_array_see_their_changes() -> None:
    def f(x: float) -> float:
        data[-1] = 100.0
        return x

    data = X[:]
    got = ao.map(data, f)
    data = X[:]
    assert_same(got, array("d", [f(x) for x in data]))


def test_decoding_can_be_switched_off() -> None:
    def f(x: float) -> float:
        return x + 1

    calls: Iterator[Any] = iter(
        [
            lambda: ao.map(X, f, compile=False), lambda: ao.filter(X, f, compile=False),
            lambda: ao.map_inplace(X[:], f, compile=False), lambda: ao.reduce(X, max, compile=False),
            lambda: ao.accumulate(X, max, compile=False),
        ]
    )  # fmt: skip
    functions.ENTRIES.clear()
    for call in calls:
        call()
    assert not functions.ENTRIES
    kernel = ao.compile(f, compile=False)
    assert not kernel.compiled and kernel.explain().splitlines()[0] == "callback: decoding is switched off"
    assert_same(kernel(X), array("d", map(f, X)))
