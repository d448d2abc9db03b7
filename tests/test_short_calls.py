"""Short calls read array.arrays where they are, in frames that stay open: at every length, and whatever ran before."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import subprocess
import sys
from array import array
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import arrayops as ao
import pytest
from arrayops import _machine
from oracle import Raised, assert_same, expected_accumulate, expected_reduce, outcome

#: Around the elements that kernels do in one block, the block of what may be marked, and the work that lets the GIL go.
LENGTHS = (0, 1, 2, 15, 16, 17, 62, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 4000, 70000)
#: More than there are open frames, or calls that are remembered.
TEXTS = [f"x*{k} + {k}" for k in range(1, 130)]
COUNTS = {ao.any: any, ao.all: all, ao.count: sum}


@pytest.mark.parametrize("length", LENGTHS)
def test_maps_of_any_length(length: int) -> None:
    x, y = array("d", [i / 8 for i in range(length)]), array("d", [1 + i % 7 for i in range(length)])
    out = array("d", bytes(8 * length))
    kernel = ao.compile("x*y + k")
    for k in (0.5, 3.0, 0.5):
        expected = array("d", [a * b + k for a, b in zip(x, y, strict=True)])
        assert ao.map(x, "x*y + k", y=y, k=k) == expected
        assert kernel(x, y, k, out=out) is out
        assert out == expected


@pytest.mark.parametrize("length", LENGTHS)
def test_counts_of_any_length(length: int) -> None:
    x = array("i", range(length))
    for limit in (-1, 0, length // 2, length - 1, length):
        for function, python in COUNTS.items():
            assert function(x, "x > limit", limit=limit) == python(v > limit for v in x)
        assert ao.filter(x, "x > limit", limit=limit) == array("i", [v for v in x if v > limit])
        assert ao.first(x, "x > limit", limit=limit) == next((v for v in x if v > limit), -1)


@pytest.mark.parametrize("code", "dqB")
def test_the_first_elements_of_a_long_array_decide_or_do_not(code: str) -> None:
    """Wherever the one that decides is, and one that raises, before it or behind; by the same call each time."""
    asked = {
        "any": lambda a: ao.any(a, "12 // x == 4"), "all": lambda a: ao.all(a, "12 // x != 4"),
        "first": lambda a: ao.first(a, "12 // x == 4"), "count": lambda a: ao.count(a, "12 // x == 4"),
    }  # fmt: skip
    random = Random(1)
    for _ in range(300):
        x = array(code, [2] * random.choice([64, 65, 200, 5000]))
        decides = random.choice([None, 0, 5, 62, 63, 64, len(x) - 1])
        for place, value in ((decides, 3), (random.choice([None, None, 0, 4, 62, 63, 64]), 0)):
            if place is not None and place < len(x):
                x[place] = value
        for name, call in asked.items():
            want = outcome(lambda name=name: _python_answer(name, x))  # noqa: B023
            for _ in range(random.choice([1, 3])):
                got = outcome(call, x)
                same = type(got.error) is type(want.error) if isinstance(want, Raised) else got == want
                assert same, (name, decides, x.tolist().index(0) if 0 in x else None, got, want)


def _python_answer(name: str, x: array[Any]) -> Any:
    """One element after the other, as far as need be."""
    values = (12 // v == 4 for v in x)
    if name == "first":
        return next((i for i, value in enumerate(values) if value), -1)
    return not any(values) if name == "all" else {"any": any, "count": sum}[name](values)


@pytest.mark.parametrize("length", [n for n in LENGTHS if n])
@pytest.mark.parametrize("place", [0, -1])
def test_an_element_that_raises_leaves_what_it_would_have_replaced(length: int, place: int) -> None:
    for text, kind in (("x*2**40", OverflowError), ("100 // x", ZeroDivisionError)):
        x = array("q", [3] * length)
        before = array("q", x)
        before[place] = x[place] = 0 if "//" in text else 2**40
        for _ in range(3):
            assert isinstance(outcome(ao.map_inplace, x, text), Raised)
            assert x[place] == before[place], "the element that raised"
            with pytest.raises(kind):
                ao.map(x[:], text)
            x = array("q", before)


def test_more_programs_than_open_frames() -> None:
    x = array("d", [1.5] * 10)
    for _ in range(3):
        for k, text in enumerate(TEXTS, 1):
            assert ao.map(x, text) == array("d", [1.5 * k + k] * 10)
            assert ao.count(x, f"x > {k}") == (10 if k < 2 else 0)


def test_one_text_for_many_types() -> None:
    for _ in range(3):
        for code in "bBhHiIlLqQfd":
            x = array(code, range(10))
            assert ao.map(x, "x + 1") == array(code, range(1, 11))
            assert ao.map(x, "x*2", typecode="d") == array("d", range(0, 20, 2))
            out = array("d", bytes(80))
            assert ao.map(x, "x - 3", out=out) == array("d", range(-3, 7))


def test_the_result_may_be_any_of_the_operands() -> None:
    for length in LENGTHS:
        x, y = array("d", range(length)), array("d", range(length, 0, -1))
        expected = array("d", [(a - b) * a + b for a, b in zip(x, y, strict=True)])
        for out in (x, y):
            a, b = x[:], y[:]
            target = a if out is x else b
            assert ao.map(a, "(x - y)*x + y", y=b, out=target) is target
            assert target == expected


def test_levels_and_native_code_may_change_between_calls() -> None:
    x = array("d", [0.5] * 100)
    before = _machine.set_native("always")
    try:
        for way in ("always", "0", "1", "always"):
            _machine.set_native(way)
            assert ao.map(x, "x*x*3 + x") == array("d", [0.5 * 0.5 * 3 + 0.5] * 100)
    finally:
        _machine.set_native(before)


def test_arguments_that_do_not_fit_are_refused_as_ever() -> None:
    x = array("d", [1.0] * 5)
    for _ in range(3):
        assert ao.map(x, "x + k", k=1) == array("d", [2.0] * 5)
        with pytest.raises(ValueError, match="same length"):
            ao.map(x, "x + y", y=array("d", [1.0] * 4))
        with pytest.raises(ValueError, match="same length"):
            ao.map(x, "x + k", k=1, out=array("d", [1.0] * 4))
        with pytest.raises(TypeError):
            ao.map(x, "x + k", k="1")
        with pytest.raises(ValueError, match="typecode"):
            ao.map(x, "x + k", k=1, typecode="x")


STEPS = (
    "acc + x", "x - acc", "acc*0.5 + x", "max(acc, x)", "acc*3 + x", "acc ^ int(x)", "acc if x > 5 else acc + x", "x",
    "acc", "acc < x", "(acc + x) / 2", "acc + 1 // (x - 9)", "acc and x", "acc*2**40 + x",
)  # fmt: skip
FIRST: tuple[Any, ...] = ((), 0, 1, -1, 2**63, 2**64, -(2**70), 0.0, -0.0, 0.5, math.inf, True, "1", 1j)


@pytest.mark.parametrize("code", "dfqQbB")
@pytest.mark.parametrize("text", STEPS)
def test_folds_from_whatever(text: str, code: str) -> None:
    for length in (0, 1, 2, 3, 10):
        x = array(code, [k * 7 % 11 for k in range(length)])
        for first in FIRST:
            initial = () if first == () else (first,)
            named = {} if first == () else {"initial": first}
            for _ in range(2):
                assert_same(outcome(ao.reduce, x, text, *initial), expected_reduce(text, x, *initial), (text, x, first))
                for target in {code, "d"}:
                    got = outcome(ao.accumulate, x, text, typecode=target, **named)
                    assert_same(got, expected_accumulate(text, target, x, *initial), (text, x, first, target))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("text", ["acc + x", "acc*0.5 - x", "max(x, acc)", "acc*k + x", "acc + x*x % 7", "acc + x & 9"])
def test_folds_of_any_length(text: str, length: int) -> None:
    numbers: dict[str, Any] = {"k": 0.25} if "k" in text else {}
    for code in "dh" if "&" not in text else "h":
        x = array(code, [i % 301 - 150 for i in range(length)])
        for initial in ((), (0,), (0.5,)) if "&" not in text else ((), (7,)):
            named = dict(zip(["initial"], initial, strict=False)) | numbers
            for _ in range(2):
                got = outcome(ao.reduce, x, text, *initial, **numbers)
                assert_same(got, expected_reduce(text, x, *initial, **numbers))
                got = outcome(ao.accumulate, x, text, typecode="d", **named)
                assert_same(got, expected_accumulate(text, "d", x, *initial, **numbers))


@pytest.mark.parametrize("length", [2, 10, 62, 63, 64])
def test_folds_with_further_arrays(length: int) -> None:
    x, y = array("d", range(length)), array("h", [k % 5 for k in range(length)])
    products = [a * b for a, b in zip(x, y, strict=True)]
    for _ in range(3):
        assert ao.reduce(x, "acc + x*y", 0.5, y=y) == functools.reduce(operator.add, products, 0.5)
        assert ao.reduce(x, "acc + x*y", y=y) == functools.reduce(operator.add, products[1:], x[0])
        running = array("d", itertools.accumulate(products, initial=0.5))
        assert ao.accumulate(x, "acc + x*y", initial=0.5, y=y) == running
        with pytest.raises(ValueError, match="length"):
            ao.reduce(x, "acc + x*y", 0.5, y=y[1:])


def test_folds_leave_64_bits() -> None:
    for code, step in (("q", 2**62), ("Q", 2**63)):
        x = array(code, [step] * 9)
        for _ in range(3):
            assert ao.reduce(x, "acc + x") == 9 * step
            assert ao.reduce(x, "acc*x", 1) == step**9
            assert_same(outcome(ao.accumulate, x, "acc + x"), expected_accumulate("acc + x", code, x))
            assert ao.accumulate(x, "acc + x", typecode="d") == array("d", itertools.accumulate(x))


TUPLES: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("acc[0] + x, max(acc[1], x)", "a[0] + x, max(a[1], x)", ((0.0, 0.0), (0, 0.0), (0, 0), (True, -1), (0.5, -0.0))),
    ("x, acc[0], acc[1] + 1", "x, a[0], a[1] + 1", ((0.0, 0.0, 0), (1, 0, -1), (0.0, 0, 2**63), (0.0, 0.0, 2**70))),
    ("acc[0] + 1, acc[1] or x > 2", "a[0] + 1, a[1] or x > 2", ((0, False), (2**63 - 4, False), (2**64 - 4, True))),
    ("acc[0]*3 - x,", "a[0]*3 - x,", ((1,), (1.0,), (2**62,))),
)


@pytest.mark.parametrize(("text", "python", "firsts"), TUPLES)
@pytest.mark.parametrize("code", "dqB")
def test_folds_by_tuples(text: str, python: str, firsts: tuple[Any, ...], code: str) -> None:
    step = eval(f"lambda a, x: ({python})")
    for length in (0, 1, 2, 10, 63, 64):
        x = array(code, [k * 5 % 7 for k in range(length)])
        for first in firsts * 2:
            assert_same(outcome(ao.reduce, x, text, first), outcome(functools.reduce, step, x, first), (text, first))
            running = outcome(lambda x=x, first=first: [a[0] for a in itertools.accumulate(x, step, initial=first)])
            got = outcome(ao.accumulate, x, text, initial=first, typecode="d")
            assert_same(got, array("d", running), (text, first))


def test_tuples_of_other_kinds_and_numbers_of_items() -> None:
    x, text = array("d", [k / 4 for k in range(10)]), "acc[0] + x*k, acc[1] + x"
    for _ in range(3):
        for first in ((0.0, 0.5), (1.0, 2.0), (0.0, "a"), (0.0,), (1.0, 2.0, 3.0), (), [0.0, 1.0]):
            want = outcome(functools.reduce, lambda a, v: (a[0] + v * 2, a[1] + v), x, first)
            got = outcome(ao.reduce, x, text, first, k=2)
            assert isinstance(got, Raised) or (not isinstance(want, Raised) and got == want), first
        assert ao.reduce(x, "acc[0] + x, acc[-1]", (0.0, 1)) == (sum(x), 1)
        assert ao.reduce(x, "acc[0] + x, acc[1], acc[-1]", (0.0, 7, 1)) == (sum(x), 7, 1)


def test_folds_and_maps_in_turn_in_the_same_frames() -> None:
    x = array("d", [1.5] * 10)
    for _ in range(3):
        for k in range(1, 30):
            assert ao.map(x, f"x*{k} + {k}") == array("d", [1.5 * k + k] * 10)
            assert ao.reduce(x, f"acc + x*{k}", 0.0) == 15.0 * k
            assert ao.accumulate(x, f"acc + x*{k}", initial=0.5)[-1] == 15.0 * k + 0.5


def written_calls() -> list[Callable[[Any, Any, Any, Any], Any]]:
    """Calls of four operands, each written once, so that it comes again as the same call with others."""
    kernel, other, renamed = ao.compile("x*y + k"), ao.compile("x - y"), ao.compile("b - a*k")
    return [
        lambda a, b, k, out: ao.map(a, "x + k", k=k),
        lambda a, b, k, out: ao.map(a, "x - y", y=b),
        lambda a, b, k, out: ao.map(a, "x - y", x=b),
        lambda a, b, k, out: ao.map(a, "x - y", b),
        lambda a, b, k, out: ao.map(a, "x*y + k", b, k, out=out),
        lambda a, b, k, out: ao.map(a, "x*y + k", k=k, y=b, out=out),
        lambda a, b, k, out: ao.map(a, "x*y + k", k=k, y=b, out=None),
        lambda a, b, k, out: ao.map(a, "x // k", out=a, k=k),
        lambda a, b, k, out: ao.map(a, "x", typecode="d"),
        lambda a, b, k, out: kernel(a, b, k, out=out),
        lambda a, b, k, out: kernel(a, k=k, y=b),
        lambda a, b, k, out: kernel(y=a, x=b, k=k),
        lambda a, b, k, out: other(a, b),
        lambda a, b, k, out: ao.map(a, other, b),
        lambda a, b, k, out: renamed(a, b, k=k),
        lambda a, b, k, out: renamed(b=a, a=b, k=k, out=out),
        lambda a, b, k, out: ao.map_inplace(a, "x*k", k=k),
        lambda a, b, k, out: ao.map_inplace(a, "x*y", b),
        lambda a, b, k, out: ao.evaluate("p - q*r", p=a, q=b, r=k, out=out),
        lambda a, b, k, out: ao.evaluate("p - q*r", q=a, p=b, r=k),
        lambda a, b, k, out: ao.add(a, b),
        lambda a, b, k, out: ao.subtract(a, b, out=out),
        lambda a, b, k, out: ao.divide(a, b),
        lambda a, b, k, out: ao.scale(a, k),
        lambda a, b, k, out: ao.clip(a, k, 5),
        lambda a, b, k, out: ao.any(a),
        lambda a, b, k, out: ao.any(a, "x > k", k=k),
        lambda a, b, k, out: ao.all(a, "x < y", y=b),
        lambda a, b, k, out: ao.all(a, "p < q", p=b, q=k),
        lambda a, b, k, out: ao.count(a, "x < y", b),
        lambda a, b, k, out: ao.first(a, "x > k", k=k),
        lambda a, b, k, out: ao.first(a, "x > k", k=k, default=None),
        lambda a, b, k, out: ao.filter(a, "x > k", k=k),
        lambda a, b, k, out: ao.filter(a, "x < y", b),
        lambda a, b, k, out: ao.filter(a, "x < y", x=b),
        lambda a, b, k, out: ao.filter(a, "p < q", p=b, q=k),
    ]  # fmt: skip


class Own(array):  # type: ignore[type-arg]
    """Of which nothing is known."""


def test_more_ways_to_write_a_call_than_are_remembered() -> None:
    """Each of these has keywords of its own, which are tuples that begin at some address."""
    x, y = array("d", [5.0] * 10), array("d", [1.0] * 10)
    texts = ["x - y", "x*2 - y"]
    made = [(text, name, eval(f"lambda: ao.map(X, TEXT, {name}=Y)", {"ao": ao, "X": x, "Y": y, "TEXT": text}))
            for text, name in itertools.islice(itertools.cycle(itertools.product(texts, "xy")), 400)]  # fmt: skip
    random = Random(1)
    for _ in range(5):
        random.shuffle(made)
        for text, name, call in made:
            v, w = (5.0, 1.0) if name == "y" else (1.0, 5.0)
            assert call() == array("d", [(v if text == "x - y" else v * 2) - w] * 10)
        for k, text in enumerate(TEXTS):
            assert ao.map(x, text) == array("d", [5.0 * (k + 1) + k + 1] * 10)


def seen(result: Any) -> tuple[Any, ...]:
    """All that can be seen of it."""
    if isinstance(result, Raised):
        return type(result.error), str(result.error), getattr(result.error, "__notes__", None)
    return type(result), repr(result)


#: Numbers of every kind, and what is none.
NUMBERS = (2, 0, -3, 40000, 2**40, 2**63, 2**70, 0.5, math.nan, -0.0, True, "2", None, 1j)


@pytest.mark.parametrize("seed", range(12))
def test_a_call_that_comes_again_with_anything_else(seed: int) -> None:
    """As often as not with operands of the same types; what came before must not matter."""
    random = Random(seed)
    calls = written_calls()

    def operand(codes: str, lengths: Sequence[int]) -> Any:
        made = array(random.choice(codes), [random.randrange(7) for _ in range(random.choice(lengths))])
        other = random.randrange(24)
        return Own(made.typecode, made) if other == 1 else list(made) if other == 2 else made

    for _ in range(1000):
        call = random.choice(calls)
        codes, lengths = random.choice([("d", [10]), ("dq", [10]), ("dqfiBl", [0, 9, 10, 64, 300])])
        a, b, out = (operand(codes, lengths) for _ in range(3))
        b = a if random.randrange(8) == 0 else b
        out = random.choice([a, b]) if random.randrange(8) == 0 else out
        k = random.choice(NUMBERS[: random.choice([2, len(NUMBERS)])])
        k = b if random.randrange(30) == 0 else k
        made = {id(x): x[:] if type(x) is list else type(x)(x.typecode, x) for x in (a, b, out)}
        copies = [made.get(id(x), x) for x in (a, b, k, out)]  # one object twice stays one
        before = _machine.know_arrays(False)
        want = outcome(call, *copies)
        _machine.know_arrays(before)
        label = (call.__code__.co_firstlineno, a, b, k, out)
        assert seen(outcome(call, a, b, k, out)) == seen(want), label
        for got, wanted in zip((a, b, out), (copies[0], copies[1], copies[3]), strict=True):
            assert seen(got) == seen(wanted), label


#: A collection may begin where running values get their array; what it finalizes writes to operands and resizes them.
MEANWHILE = """
import functools, gc, itertools, random
from array import array
import arrayops as ao
a, b = array("d", range(40)), array("d", range(40))
KERNEL = ao.compile("x - y")
OTHERS = [f"x*x + y - {k}" for k in range(1, 120)]
n = 0
def write():
    global n
    n += 1
    for k in range(len(a)):
        a[k] = b[k] = n + k
def resize():
    write()
    for x in a, b:
        del x[30 + n % 10:]
        x.extend([1.0] * (40 - len(x) - n % 3))
def run_others():
    for k in range(20):
        ao.reduce(b, f"acc*x + {k}", 0.5)
    for text in random.sample(OTHERS, 8):
        ao.map(b, text, y=b)
class Cycle:
    def __init__(self): self.itself = self
    def __del__(self): act()
def total(acc, p): return acc + p[0] * p[1]
CALLS = [
    (lambda: ao.accumulate(a), lambda: array("d", itertools.accumulate(a))),
    (lambda: ao.accumulate(a, "acc + x*y", y=b, initial=0.5),
     lambda: array("d", itertools.accumulate(zip(a, b, strict=True), total, initial=0.5))),
    (lambda: ao.accumulate(a, "x - acc", typecode="f"),
     lambda: array("f", itertools.accumulate(a, lambda acc, x: x - acc))),
    (lambda: ao.reduce(a, "acc + x*y", 0.5, y=b), lambda: functools.reduce(total, zip(a, b, strict=True), 0.5)),
    (lambda: ao.map(a, "x*x + y", y=b), lambda: array("d", [x*x + y for x, y in zip(a, b, strict=True)])),
    (lambda: KERNEL(a, b), lambda: array("d", [x - y for x, y in zip(a, b, strict=True)])),
    (lambda: ao.filter(a, "x % 3 < y", y=b), lambda: array("d", [x for x, y in zip(a, b, strict=True) if x % 3 < y])),
    (lambda: ao.subtract(b, a), lambda: array("d", [y - x for x, y in zip(a, b, strict=True)])),
    (lambda: ao.reduce(a, "max(acc, x)"), lambda: max(a)),
    (lambda: ao.reduce(a, "x, acc[0], acc[2] + 1", (0.0, 0.0, 0)), lambda: (a[-1], a[-2], len(a))),
]
act = write
for call, _ in CALLS * 3: call()
gc.collect()
gc.freeze()  # else each collection takes milliseconds
for act in write, resize, *[run_others] * 3:
    for _ in range(300):
        for call, python in CALLS:
            call()  # what it was remembered as, others may have taken the place of
            gc.collect()
            before = python()
            Cycle()
            gc.set_threshold(1)
            got = call()
            gc.set_threshold(0)
            assert got == before or got == python(), (act, before, got, python())
print("right")
"""


def test_operands_that_change_meanwhile() -> None:
    done = subprocess.run([sys.executable, "-c", MEANWHILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "right\n"), done.stderr[-3000:]


def test_nothing_is_left_taken() -> None:
    x, y = array("d", [1.0] * 10), array("d", [2.0] * 10)
    for _ in range(5):
        ao.map(x, "x*y", y=y, out=y)
        ao.any(x, "x > 3")
        ao.reduce(x, "acc + x")
        ao.accumulate(x, "acc + x*y", initial=0.5, y=y)
        x.append(1.0)
        y.append(2.0)
    assert len(x) == len(y) == 15
