"""Each named limit: reached, and passed by one. They are constants of the package; their values are not repeated."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import arrayops as ao
import pytest
from arrayops.compiler.evaluate import MAX_INT_BITS
from arrayops.compiler.parse import MAX_DEPTH, MAX_NODES, MAX_TEXT
from oracle import assert_bytes, patience

DATA = array("b", [1, 2])


def test_text_length() -> None:
    assert_bytes(ao.map(DATA, "x" + " " * (MAX_TEXT - 1)), "b", [1, 2])
    with pytest.raises(ao.ExpressionError, match=f"{MAX_TEXT:,}|{MAX_TEXT}"):
        ao.map(DATA, "x" + " " * MAX_TEXT)


def accepted(make: Callable[[int], str], count: int) -> bool:
    """Whether the text of that size is taken; any refusal must be an ExpressionError."""
    try:
        ao.compile(make(count))
    except ao.ExpressionError:
        return False
    return True


def largest(make: Callable[[int], str], limit: int) -> int:
    """The largest size that is taken, given that all below it are and none above."""
    low, high = 1, 2 * limit + 8
    assert accepted(make, low) and not accepted(make, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepted(make, middle) else (low, middle)
    return low


DEEP: list[tuple[str, Callable[[int], str]]] = [
    ("minus", lambda n: "-" * n + "x"),
    ("invert", lambda n: "~" * n + "x"),
    ("not", lambda n: "not " * n + "x"),
    ("chain of powers", lambda n: "x" + " ** x" * n),
    ("conditional", lambda n: "1 if x else " * n + "x"),
]


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in DEEP])
def test_nesting(make: Callable[[int], str]) -> None:
    """The deepest text taken has MAX_DEPTH levels (counting the operand or not), and one more is refused by name."""
    deepest = largest(make, MAX_DEPTH)
    assert deepest in (MAX_DEPTH - 1, MAX_DEPTH)
    with pytest.raises(ao.ExpressionError, match=str(MAX_DEPTH)):
        ao.compile(make(deepest + 1))


def test_a_text_at_the_depth_limit_runs() -> None:
    make = DEEP[0][1]
    deepest = largest(make, MAX_DEPTH)
    assert_bytes(ao.map(DATA, make(deepest)), "b", [x if deepest % 2 == 0 else -x for x in DATA])
    assert ao.reduce(DATA, "acc" + " + x" * (MAX_DEPTH - 2), 0) == 3 * (MAX_DEPTH - 2)


def test_a_flat_chain_is_no_nesting_or_is_refused() -> None:
    """Left-deep chains of any length: an answer, or an ExpressionError; never a RecursionError."""
    for count in (MAX_DEPTH - 2, MAX_DEPTH + 2, 4 * MAX_DEPTH, MAX_NODES // 2, MAX_NODES, 10 * MAX_NODES):
        text = "x" + " + x" * count
        try:
            got = ao.map(DATA, text, typecode="q")
        except ao.ExpressionError:
            continue
        assert_bytes(got, "q", [x * (count + 1) for x in DATA])


WIDE: list[tuple[str, Callable[[int], str]]] = [
    ("min", lambda n: "min(" + "x, " * n + "x)"),
    ("and", lambda n: "x" + " and x" * n),
    ("comparisons", lambda n: "x" + " <= x" * n),
    ("additions", lambda n: "x" + " + 0*x" * n),
]


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in WIDE])
def test_nodes(make: Callable[[int], str]) -> None:
    """Between a quarter of MAX_NODES and MAX_NODES operands, as nodes are counted; one more is refused by name."""
    widest = largest(make, MAX_NODES)
    assert MAX_NODES // 4 <= widest <= MAX_NODES or len(make(widest + 1)) > MAX_TEXT
    with pytest.raises(ao.ExpressionError, match=r"\d"):
        ao.compile(make(widest + 1))


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in WIDE])
def test_a_text_at_the_node_limit_runs(make: Callable[[int], str]) -> None:
    widest = largest(make, MAX_NODES)
    with patience(60):
        got = ao.map(DATA, make(widest))
    assert_bytes(got, "b", [1, 1] if "<=" in make(1) else [1, 2])


def test_integer_bits() -> None:
    """The largest integer has MAX_INT_BITS bits; one bit more is an OverflowError that says so."""
    with patience(60):
        assert ao.evaluate("(1 << n) > 0", n=MAX_INT_BITS - 1) is True
        assert ao.evaluate("(1 << n) >> n", n=MAX_INT_BITS - 1) == 1
        for text, n in (
            ("(1 << n) > 0", MAX_INT_BITS),
            ("2**n > 0", 2 * MAX_INT_BITS),
            ("(1 << n)*(1 << n) > 0", MAX_INT_BITS),
            ("(1 << n)**9 > 0", MAX_INT_BITS // 4),
        ):
            with pytest.raises(OverflowError):
                ao.evaluate(text, n=n)


def test_integer_bits_hold_for_elements_too() -> None:
    data = array("q", [3, MAX_INT_BITS])
    with patience(60):
        assert_bytes(ao.map(data[:1], "(1 << x) > 0"), "q", [1])
        with pytest.raises(OverflowError):
            ao.map(data, "(1 << x) > 0")
        with pytest.raises(OverflowError):
            ao.filter(data, "2**(x*4) > 0")
        with pytest.raises(OverflowError):
            ao.reduce(array("q", [2] * 200), "acc*acc", 2)
        with pytest.raises(OverflowError):
            ao.accumulate(array("q", [2] * 200), "acc*acc", initial=2)


def test_a_lazily_skipped_bomb_is_not_evaluated() -> None:
    assert_bytes(ao.map(array("q", [3]), "1 << x if x < 100 else 1 << 10**12"), "q", [8])


def test_many_names() -> None:
    """More parameters than 255, each with its own array."""
    names = [f"a{i}" for i in range(300)]
    text = "min(" + ", ".join(names) + ")"
    arrays = [array("h", [i + 1, 300 - i]) for i in range(300)]
    assert_bytes(ao.map(arrays[0], text, *arrays[1:]), "h", [1, 1])


def test_many_constants() -> None:
    text = "max(x, " + ", ".join(str(i) for i in range(1000)) + ")"
    assert_bytes(ao.map(array("i", [5, 2000]), text), "i", [999, 2000])


def test_many_members_of_a_tuple() -> None:
    text = "x in (" + ", ".join(str(3 * i) for i in range(1000)) + ")"
    data = array("i", range(3100))
    assert_bytes(ao.filter(data, text), "i", [3 * i for i in range(1000)])


def test_long_literals() -> None:
    for digits in (19, 20, 100, 1000, 4300):
        literal = "9" * digits
        assert ao.evaluate(f"{literal} % 1000") == 999
        assert_bytes(ao.map(DATA, f"x < {literal}"), "b", [1, 1])
