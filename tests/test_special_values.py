"""nan, inf, overflow, subnormals, zero divisors, refused arguments, ints past 2^53: any share of them among other data.

Python answers per element; with ieee=True, what it refuses is inf at poles and overflows and nan elsewhere. That it
costs no more is bench/special_values.py's; here, that the answers do not depend on the neighbours, and keep the bits of
a nan.
"""

from __future__ import annotations

import math
import operator
import os
import random
import struct
import subprocess
import sys
from array import array
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import arrayops as ao
import pytest
from arrayops import _machine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle import Raised, assert_bytes, element_outcomes, outcome, parameters, python_function, stored, ulps_apart

INF, NAN, TINY, LARGEST = math.inf, math.nan, 5e-324, sys.float_info.max
COUNT = 700  # more than a block's first chunks

#: Function -> the interval of its ordinary arguments.
ONE: dict[str, tuple[float, float]] = {
    "exp": (-30, 30), "exp2": (-40, 40), "expm1": (-5, 5), "log": (0.1, 90), "log2": (0.1, 90), "log10": (0.1, 90),
    "log1p": (-0.9, 30), "sin": (-9, 9), "cos": (-9, 9), "tan": (-9, 9), "asin": (-1, 1), "acos": (-1, 1),
    "atan": (-9, 9), "sinh": (-9, 9), "cosh": (-9, 9), "tanh": (-3, 3), "asinh": (-9, 9), "acosh": (1, 90),
    "atanh": (-1, 1), "cbrt": (-90, 90), "erf": (-3, 3), "erfc": (-3, 5), "sqrt": (0, 90), "floor": (-90, 90),
}  # fmt: skip
TWO = ("math.pow(x, y)", "x ** y", "hypot(x, y)", "atan2(x, y)", "fmod(x, y)", "remainder(x, y)", "x // y", "x % y")
EXACT = ("fmod", "remainder", "//", "%", "sqrt", "floor")
SPECIAL: dict[str, list[float]] = {
    "nan": [NAN, -NAN], "inf": [INF, -INF], "overflow": [709.79, 710.4, 711.0, 1024.0, 1e4, LARGEST],
    "underflow": [-708.5, -720.0, -745.2, -1023.5, -1074.5, -1e4, 26.5, 27.2, 28.0], "zero": [0.0, -0.0],
    "subnormal": [TINY, -TINY, 1e-310, -3e-320, 2.2250738585072014e-308], "refused": [-1.0, 1.0, -2.0, 2.0, -0.5, 0.5],
    "large": [2.0**53 + 2, -(2.0**60), 1e22, 1e300, -1e200, 2.0**1023],
}  # fmt: skip
SHARES = (0, 1, 10, 50, 100)
EVERY = [v for values in SPECIAL.values() for v in values]


def mixed(rng: random.Random, low: float, high: float, special: list[float], share: int) -> array[Any]:
    """Ordinary numbers, and this percentage of special ones."""
    return array("d", [rng.choice(special) if rng.random() * 100 < share else rng.uniform(low, high)
                       for _ in range(COUNT)])  # fmt: skip


def quiet(text: str, result: Any, x: float, y: float = 1.0) -> float:
    """What IEEE 754 has where Python raises."""
    if not isinstance(result, Raised):
        return NAN if isinstance(result, complex) else float(result)
    odd = y == math.trunc(y) and y % 2 == 1 if math.isfinite(y) else False
    if text in ("math.pow(x, y)", "x ** y") and x == 0:
        return math.copysign(INF, x) if odd else INF
    if text in ("math.pow(x, y)", "x ** y") and x < 0 and y != math.trunc(y):
        return NAN
    if isinstance(result.error, OverflowError):
        return -INF if x < 0 and text != "cosh" and odd else INF
    if (text in ("log", "log2", "log10") and x == 0) or (text == "log1p" and x == -1):
        return -INF
    if text == "x // y" and y == 0 and x == x:
        return NAN if x == 0 else math.copysign(INF, x) * math.copysign(1.0, y)
    return math.copysign(INF, x) if text == "atanh" and abs(x) == 1 else NAN


def same(text: str, got: float, want: float) -> bool:
    """Bit for bit, or the neighbours of one true value."""
    if got != got or want != want:
        return got != got and want != want
    if got == want:
        return math.copysign(1.0, got) == math.copysign(1.0, want)
    return not any(e in text for e in EXACT) and ulps_apart(got, want) <= 4  # the C library's may be 3 off


def check(text: str, columns: list[array[Any]], outcomes: list[Any], name: str) -> None:
    """Both ways of taking what Python refuses."""
    first, *more = columns
    want = [quiet(name, r, *row) for r, *row in zip(outcomes, *columns, strict=True)]
    got = ao.map(first, text, *more, ieee=True)
    wrong = [row for row in zip(got, want, *columns, strict=True) if not same(text, row[0], row[1])]
    assert not wrong, wrong[:5]
    expected = stored("d", outcomes)
    plain = outcome(ao.map, first, text, *more)
    if isinstance(expected, Raised):
        assert isinstance(plain, Raised) and str(plain) == str(expected), (plain, expected)
    else:
        assert all(same(text, g, w) for g, w in zip(plain, expected, strict=True))


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_number(name: str, kind: str) -> None:
    for share in SHARES:
        x = mixed(random.Random(f"{name} {kind} {share}"), *ONE[name], SPECIAL[kind], share)
        if name == "floor" and any(not math.isfinite(v) for v in x):
            assert all(same("floor", g, v if not math.isfinite(v) else float(math.floor(v)))
                       for g, v in zip(ao.map(x, "floor(x)", ieee=True), x, strict=True))  # fmt: skip
            continue
        check(f"{name}(x)", [x], element_outcomes(python_function(f"{name}(x)"), [x]), name)


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("text", TWO)
def test_functions_of_two_numbers(text: str, kind: str) -> None:
    oracle = python_function(text, ["x", "y"])
    for share in SHARES:
        rng = random.Random(f"{text} {kind} {share}")
        x, y = (mixed(rng, 0.5, 9.0, of, share) for of in rng.sample([SPECIAL[kind], EVERY], 2))
        check(text, [x, y], element_outcomes(oracle, [x, y]), text)
        one = array("d", [rng.choice(SPECIAL[kind])]) * COUNT
        check(text, [x, one], element_outcomes(oracle, [x, one]), text)


#: Which numbers two operands may be: a function has forms of its code for some pairs of them.
COMPANY: dict[str, Callable[[random.Random], float]] = {
    "ordinary": lambda rng: rng.choice([-1, 1]) * rng.uniform(0.5, 9), "zero": lambda rng: rng.choice([0.0, -0.0]),
    "inf": lambda rng: rng.choice([INF, -INF]), "nan": lambda rng: NAN,
    "subnormal": lambda rng: rng.choice([-1, 1]) * TINY * rng.getrandbits(rng.choice([1, 4, 20, 52])),
    "small": lambda rng: rng.choice([-1, 1]) * math.ldexp(1 + rng.random(), rng.randrange(-1022, -380)),
    "large": lambda rng: rng.choice([-1, 1]) * math.ldexp(1 + rng.random(), rng.randrange(380, 1024)),
}  # fmt: skip


@pytest.mark.parametrize("first", COMPANY)
@pytest.mark.parametrize("text", TWO)
def test_pairs_of_kinds_of_numbers(text: str, first: str) -> None:
    """Alone in their array, so that each goes through the form of the code that is for it; beside one number, too."""
    oracle, rng = python_function(text, ["x", "y"]), random.Random(text + first)
    for second in COMPANY:
        x, y = (array("d", [COMPANY[kind](rng) for _ in range(140)]) for kind in (first, second))
        check(text, [x, y], element_outcomes(oracle, [x, y]), text)
        for xs, ys in ((x, array("d", y[:1]) * len(x)), (array("d", x[:1]) * len(y), y)):
            alike = ao.map(xs, text, ys, ieee=True)
            one, name = (x, "y") if ys is not y else (y, "x")
            got = ao.map(one, text, **{name: (y if name == "y" else x)[0]}, ieee=True)  # type: ignore[arg-type]
            assert got.tobytes() == alike.tobytes(), (xs[0], ys[0])
            check(text, [xs, ys], element_outcomes(oracle, [xs, ys]), text)


@pytest.mark.parametrize("text", ["fmod(x, y)", "remainder(x, y)", "x // y", "x % y"])
def test_quotients_of_every_size(text: str) -> None:
    """From 2^30 to 2^140, at and beside whole and half ones; alone, and in company of nan, inf and zeros."""
    rng, oracle = random.Random(text), python_function(text, ["x", "y"])
    for bits in range(30, 141, 5):
        y = array("d", [rng.choice([-1, 1]) * rng.uniform(1, 2) * 2.0 ** rng.randint(-900, 800) for _ in range(COUNT)])
        whole = [rng.choice([-1, 1]) * rng.getrandbits(bits) for _ in y]
        x = array("d", [float(v * (k + rng.choice([0, 0.5, rng.random()]))) for v, k in zip(y, whole, strict=True)])
        x = array("d", [math.nextafter(v, rng.choice([-INF, INF, v])) for v in x])
        check(text, [x, y], element_outcomes(oracle, [x, y]), text)
        mixed_x = array("d", [rng.choice(EVERY) if rng.random() < 0.1 else v for v in x])
        check(text, [mixed_x, y], element_outcomes(oracle, [mixed_x, y]), text)


@pytest.mark.parametrize("text", [*(f"{n}(x)" for n in ONE), *TWO])
def test_an_element_does_not_depend_on_its_neighbours(text: str) -> None:
    rng = random.Random(text)
    low, high = ONE.get(text.removesuffix("(x)"), (0.5, 9.0))
    clean = array("d", [rng.uniform(low, high) for _ in range(COUNT)])
    other = array("d", [rng.uniform(0.5, 9.0) for _ in range(COUNT)])
    more = [other] if "y" in text else []
    alone = ao.map(clean, text, *more, ieee=True)
    for step in (1, 2, 3, 10, 100, 600):
        x = array("d", clean)
        for i, special in zip(range(0, COUNT, step), EVERY * COUNT, strict=False):
            x[i] = special
        for data in (x, x[: step + 1]):
            got = ao.map(data, text, *(m[: len(data)] for m in more), ieee=True)
            assert all(got[i] == alone[i] for i in range(len(data)) if i % step), (text, step)


# -- nans -------------------------------------------------------------------------------------------------------------

PAYLOADS = r"""
import struct, sys, hashlib
from array import array
import arrayops as ao
texts = sys.argv[1:]
nans = [0x7ff8000000000000 | k * 0x123456789 | s << 63 for k in range(1, 40) for s in (0, 1)]
x = array("d")
x.frombytes(struct.pack(f"{len(nans)}Q", *nans))
x.extend([0.0, -0.0, 1.0, -1.0, 5e-324, 1e300, -1e300])
x.extend([float("inf"), -float("inf"), 2.0, 0.5, -7.25] * 3)
print(ao.isa())
for text in texts:
    for y in (x, array("d", reversed(x)), array("d", [1.5]) * len(x)):
        r = ao.map(x, text, *([y] if "y" in text else []), ieee=True)
        print(text, r.tobytes().hex())
"""
TEXTS = [*(f"{n}(x)" for n in ONE), *TWO]


def bits(level: str) -> list[str]:
    environment = os.environ | {"ARRAYOPS_ISA": level}
    done = subprocess.run([sys.executable, "-c", PAYLOADS, *TEXTS], env=environment, capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


#: Where what is rounded off is tiny or subnormal, or the code of a function changes.
EDGES = (1e-40, 2.0**-60, 2.0**-30, 0.5, 1.0, math.pi, 6.0, 20.0, 25.7, 26.5, 27.2, 700.0, 708.0, 745.0, 1021.0, 1022.0,
         1074.0, 2.0**20, 2.0**60, 1e300)  # fmt: skip


def by_bits(draw: random.Random) -> float:
    """Any number, more often a subnormal one, or one about as large as its square root."""
    shift = draw.choice([0, 0, 1, 2, 12, 13, 14, 20, 40, 60])
    value: float = struct.unpack("d", (draw.getrandbits(64) >> shift).to_bytes(8, "little"))[0]
    return -value if draw.random() < 0.5 else value


@pytest.mark.parametrize("text", [*(f"{n}(x)" for n in ONE), *TWO])
def test_the_bits_are_the_same_once_a_subnormal_number_was_met(text: str) -> None:
    """Some processors are slow at them, so the rest of a call then takes another way."""
    draw = random.Random(text)
    low, high = ONE.get(text.removesuffix("(x)"), (0.5, 9.0))
    usual = [draw.uniform(low, high) for _ in range(500)]
    edges = [draw.choice([-1, 1]) * edge * (1 + draw.uniform(-1e-3, 1e-3)) for edge in EDGES for _ in range(20)]
    columns = [array("d", [*(by_bits(draw) for _ in range(1000)), *usual, *edges]) for _ in range(1 + ("y" in text))]
    company = [array("d", [TINY] * COUNT) + c for c in columns]
    found = ao.map(company[0], text, *company[1:], ieee=True)[COUNT:]
    for got, *row in zip(found, *columns, strict=True):
        first, *more = (array("d", [v]) for v in row)
        want = ao.map(first, text, *more, ieee=True)
        assert struct.pack("d", got) == want.tobytes(), [v.hex() for v in (got, want[0], *row)]


@pytest.mark.parametrize("level", _machine.ISA_LEVELS[1:])
def test_the_same_bits_of_nans_at_every_level(level: str) -> None:
    base, other = bits("base"), bits(level)
    assert base[0] == "base"
    assert [a.split()[0] for a, b in zip(base[1:], other[1:], strict=True) if a != b] == []


@pytest.mark.parametrize("text", [t for t in TEXTS if t != "sqrt(x)"])
def test_a_nan_keeps_its_payload_and_refusals_have_none(text: str) -> None:
    """The first nan among the operands, quieted; where no operand is one, the nan of math.nan."""
    payload = [0x7FF8000000000123, 0xFFF8000000ABCDEF, 0x7FF0000000000001]  # the last one is signalling
    x = array("d")
    x.frombytes(struct.pack("3Q", *payload))
    got = ao.map(x, text, *([array("d", [3.0, NAN, -INF])] if "y" in text else []), ieee=True)
    expected = [payload[0], payload[1], payload[2] | 1 << 51]
    if "hypot" in text:
        expected[2] = struct.unpack("Q", struct.pack("d", INF))[0]
    assert [struct.unpack("Q", struct.pack("d", v))[0] for v in got] == expected
    if text in ("log(x)", "sin(x)", "asin(x)", "acosh(x)", "atanh(x)", "fmod(x, y)", "x % y"):
        refused = array("d", [-INF] * 3)
        got = ao.map(refused, text, *([array("d", [3.0] * 3)] if "y" in text else []), ieee=True)
        assert got.tobytes() == array("d", [math.nan] * 3).tobytes()


# -- whole numbers past 2^53 ------------------------------------------------------------------------------------------

RANGES = {"q": (-(1 << 63), (1 << 63) - 1), "Q": (0, (1 << 64) - 1)}


@st.composite
def long_pairs(draw: st.DrawFn, code: str) -> tuple[list[int], list[int]]:
    """Pairs of 64-bit ints, among them quotients that are halfway between two doubles, or next to that."""
    low, high = RANGES[code]
    number = st.one_of(
        st.integers(low, high),
        st.builds(lambda k, d: max(low, min(high, (1 << k) + d)), st.integers(0, 64), st.integers(-3, 3)),
        st.integers(-1000 if low else 1, 1000),
    )
    pairs = draw(st.lists(st.tuples(number, number.filter(bool)), min_size=1, max_size=40))
    half = st.tuples(st.integers(1 << 53, 1 << 54), st.integers(1, 256), st.integers(-1, 1))
    halves = draw(st.lists(half, max_size=20))
    pairs += [(min(high, (2 * m + 1) * k + d), 2 * k) for m, k, d in halves]
    return [x for x, _ in pairs], [y for _, y in pairs]


@pytest.mark.parametrize("code", RANGES)
@settings(deadline=None)
@given(data=st.data())
def test_true_division_of_ints_is_python_s(code: str, data: st.DataObject) -> None:
    x, y = data.draw(long_pairs(code))
    got = ao.map(array(code, x), "x / y", array(code, y), typecode="d")
    assert_bytes(got, "d", list(map(operator.truediv, x, y)))
    assert_bytes(ao.map(array(code, x), "x / d", d=y[0], typecode="d"), "d", [v / y[0] for v in x])


def test_a_million_quotients() -> None:
    rng = random.Random(20)
    for code, (low, high) in RANGES.items():
        x = array(code, [rng.randint(low, high) >> rng.randrange(64) for _ in range(500_000)])
        y = array(code, [rng.randint(low, high) >> rng.randrange(64) or 1 for _ in range(500_000)])
        got = ao.map(x, "x / y", y, typecode="d")
        assert got.tobytes() == array("d", map(operator.truediv, x, y)).tobytes()


def test_no_quotient_of_ints_goes_to_python() -> None:
    """Only zero divisors do."""
    x = array("q", [1_700_000_000_123_456_789, -(1 << 63), (1 << 63) - 1])
    assert_bytes(ao.map(x, "x / 1000", typecode="d"), "d", [v / 1000 for v in x])
    with pytest.raises(ZeroDivisionError):
        ao.map(x, "x / y", array("q", [1, 0, 1]), typecode="d")


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@pytest.mark.parametrize("code", RANGES)
@settings(deadline=None)
@example(values=[(0, 0), (1 << 63) - 1], extra=[INF, -INF, NAN, 0.5])
@given(values=st.lists(st.tuples(st.integers(0, 63), st.integers(-5, 5)), min_size=1, max_size=30),
       extra=st.lists(st.floats(), max_size=20))  # fmt: skip
def test_ints_and_floats_compare_exactly(code: str, values: list[Any], extra: list[float]) -> None:
    low, high = RANGES[code]
    ints = [max(low, min(high, v if isinstance(v, int) else (1 << v[0]) + v[1])) for v in values]
    ints += [max(low, -v) for v in ints]
    floats = [f for v in ints for f in (float(v), math.nextafter(v, INF), math.nextafter(v, -INF), v + 0.5)] + extra
    pairs = [(i, f) for i in ints for f in floats]
    x, y = array(code, [i for i, _ in pairs]), array("d", [f for _, f in pairs])
    for op, compare in COMPARISONS.items():
        assert_bytes(ao.map(x, f"x {op} y", y, typecode="B"), "B", list(map(compare, x, y)))
        assert_bytes(ao.map(y, f"y {op} x", x, typecode="B"), "B", list(map(compare, y, x)))
    assert Fraction(1, 3) != 1 / 3  # Python compares exactly, too


# -- guards and uniform terms -----------------------------------------------------------------------------------------

GUARDED: dict[str, tuple[str, ...]] = {
    "DIV": ("s / d if d else v", "where(d == 0, v, s / d)", "s / d if d != 0 else v", "where(d > 0, s / d, v)",
        "s / d if d and s > 0 else v", "v if s < 0 or d == 0 else s / d"),
    "MOD": ("s % d if abs(d) > 0.5 else v",),
    "FLOORDIV": ("s // d if not d == 0 else v",),
    "LOG": ("where(0 < d, log(d), v)", "log(d) if d > 0 else v"),
    "SQRT": ("sqrt(d) if d >= 0 else v", "v if d < 0 else sqrt(d)"),
    "ASIN": ("asin(d) if abs(d) <= 1 else v",),
    "ACOSH": ("acosh(d) if 1 <= d else v",),
    "ATANH": ("atanh(d) if -1 < d < 1 else v",),
    "LOG1P": ("log1p(d) if d > -1 else v",),
}  # fmt: skip
UNGUARDED: dict[str, tuple[str, ...]] = {
    "DIV": ("s / d if d > -1 else v", "s / d if d == 0 else v", "s / d if s else v", "s / d if d or s else v",
        "s / d if d != 1 else v"),
    "LOG": ("log(d) if d >= 0 else v", "log(d) if abs(d) > 0 else v"),
    "ASIN": ("asin(d) if d <= 1 else v",),
    "SQRT": ("sqrt(d) if d > -0.5 else v",),
}  # fmt: skip
DATA = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, TINY, 0.9999999999999999, -0.9999999999999999, 1e-5, 7.0]


@pytest.mark.parametrize(
    ("op", "text", "proved"),
    [(op, text, table is GUARDED) for table in (GUARDED, UNGUARDED) for op, texts in table.items() for text in texts],
)
def test_a_guard_that_excludes_the_fault_leaves_nothing_to_mark(op: str, text: str, proved: bool) -> None:
    d, s = (array("d", v) for v in zip(*((a, b) for a in DATA for b in DATA), strict=True))
    names = {"s": s, "d": d, "v": 7.25}
    used = parameters(text)
    listing = ao.explain(text, *"d" * (len(used) - 1), v=7.25)
    assert (f"= {op}_CHECKED_f64" not in listing) == proved, listing
    columns = [names[n] if n != "v" else array("d", [7.25]) * len(d) for n in used]
    outcomes = element_outcomes(python_function(text, used), columns)
    want, got = stored("d", outcomes), outcome(ao.evaluate, text, **{n: names[n] for n in used})
    if isinstance(want, Raised):
        assert str(got) == str(want)
    else:
        assert all(same("exp", g, w) for g, w in zip(got, want, strict=True))


@pytest.mark.parametrize("kt", [0.7, 2, 0.0, 0, -1.5])
@pytest.mark.parametrize(
    "text",
    ["x * (1 / (2 * kt ** (3 / 2)))", "x / kt if x > 0 else x", "x + log(kt)", "1 / kt",
     "x * sqrt(kt) if x > 4 else 0.0", "x + 7 // kt", "x + (kt + 9223372036854775800) % 7",
     "where(x > 99, 1 / kt, x)", "x + int(kt) ** 5"],
)  # fmt: skip
def test_terms_of_numbers_are_computed_once_and_raise_where_python_does(text: str, kt: float) -> None:
    x = array("d", [3.0, 5.0, -1.0] * 300)
    function = python_function(text, ["x", "kt"])
    want = stored("d", element_outcomes(lambda v: function(v, kt), [x]))
    got = outcome(ao.map, x, text, kt=kt) if "x" in text else outcome(ao.map, x, text + " + 0*x", kt=kt)
    if isinstance(want, Raised):
        assert isinstance(got, Raised) and type(got.error) is type(want.error), (got, want)
    else:
        assert all(same("exp", g, w) for g, w in zip(got, want, strict=True))
    run = array("d", x)
    if isinstance(want, Raised) and "x" in text:
        assert isinstance(outcome(ao.map_inplace, run, text, kt=kt), Raised)


# -- whole floats under ieee=True -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["floor(x)", "ceil(x)", "trunc(x)", "round(x)", "int(x)", "floor(x) if x != 5 else -1",
                                  "floor(x) * 0.5", "round(x / 2)"])  # fmt: skip
def test_whole_numbers_of_nan_and_inf_stay_floats(text: str) -> None:
    x = array("d", [NAN, INF, -INF, 1.5, -1.5, 2.5, -0.0, -0.25, 1e300, 5.0] * 100)
    function = python_function(text)
    want = [float(function(v)) if math.isfinite(v) else v for v in x]
    assert_bytes(ao.map(x, text, ieee=True), "d", want)
    for typecode in "qi":
        with pytest.raises((ValueError, OverflowError, TypeError)):
            ao.map(x, text, ieee=True, typecode=typecode)
    with pytest.raises((ValueError, OverflowError)):
        ao.map(x, text)
