"""Numbers in delimited text against float() and int(), bit for bit."""

from __future__ import annotations

import io
import math
import random
import struct
import subprocess
import sys
from array import array
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import arrayops as ao
import pytest
from hypothesis import given
from hypothesis import strategies as st

COUNT = 50_000
SEED = 20


def any_double(rng: random.Random) -> float:
    """Of random bits, but finite."""
    while not math.isfinite(x := struct.unpack("<d", rng.randbytes(8))[0]):
        pass
    return float(x)


def halfway(rng: random.Random) -> str:
    """Between two doubles, exactly or nearly so."""
    x = abs(any_double(rng))
    with localcontext() as context:
        context.prec = 800
        middle = (Decimal(x) + Decimal(math.nextafter(x, 0.0))) / 2
    return f"{middle:e}" if rng.random() < 0.3 else f"{middle:.{rng.randrange(14, 30)}e}"


def digits(rng: random.Random, most: int = 64) -> int:
    return rng.getrandbits(rng.randrange(1, most))


#: Notations, each with a sign or without.
NOTATIONS: tuple[Callable[[random.Random], str], ...] = (
    lambda rng: repr(abs(any_double(rng))),
    lambda rng: f"{abs(any_double(rng)):.{rng.randrange(25)}e}",
    lambda rng: f"{abs(any_double(rng)):.{rng.randrange(25)}E}",
    lambda rng: f"{rng.uniform(0, 10.0 ** rng.randrange(1, 17)):.{rng.randrange(10)}f}",
    lambda rng: str(digits(rng, 90)),
    lambda rng: f"{digits(rng)}.{digits(rng)}e{rng.randrange(-345, 320)}",
    lambda rng: f"{digits(rng)}e{rng.choice('+-')}{rng.randrange(30)}",
    lambda rng: f"{digits(rng, 30)}.",
    lambda rng: f".{'0' * rng.randrange(40)}{digits(rng, 200)}",
    lambda rng: f"{'0' * rng.randrange(30)}{digits(rng, 80)}.{digits(rng, 80)}",
    lambda rng: f"{rng.random() * 5e-322:.{rng.randrange(14, 25)}e}",
    lambda rng: f"{rng.random() * 1e-307:.{rng.randrange(14, 25)}e}",
    lambda rng: f"{1.7e308 + rng.random() * 2e307:.{rng.randrange(14, 25)}e}",
    lambda rng: rng.choice(["nan", "NaN", "inf", "Infinity", "INF", "1_000.5", "1e400", "1e-400", "0e9"]),
    halfway,
)


def texts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [rng.choice(("", "", "-", "+")) + rng.choice(NOTATIONS)(rng) for _ in range(count)]


def bits(numbers: array[float]) -> bytes:
    """Of doubles; but of nan only the sign."""
    return array("d", [x if x == x else math.copysign(math.nan, x) for x in numbers]).tobytes()


def column(cells: list[str], **options: object) -> array[float]:
    text = "\n".join(["x", *cells, ""])
    read: array[float] = ao.read_csv(io.BytesIO(text.encode()), typecodes="d", **options)["x"]  # type: ignore[arg-type]
    return read


def misread(count: int, seed: int) -> list[tuple[str, float, float]]:
    """Of so many random numbers those that are not what float() makes of them: the text, and both."""
    cells = texts(count, seed)
    got, wanted = column(cells), array("d", map(float, cells))
    assert len(got) == count
    if bits(got) == bits(wanted):
        return []
    pairs = zip(cells, got, wanted, strict=True)
    return [(cell, a, b) for cell, a, b in pairs if bits(array("d", [a])) != bits(array("d", [b]))]


def test_numbers_in_all_notations() -> None:
    """A part of what tests/fuzz_numbers.py does."""
    assert misread(COUNT, SEED) == []


def test_the_same_with_a_decimal_comma_and_in_quotes() -> None:
    cells = texts(20_000, SEED + 1)
    wanted = bits(array("d", map(float, cells)))
    assert bits(column([f'" {cell} "' for cell in cells])) == wanted
    assert bits(column([cell.replace(".", ",") for cell in cells], decimal=",", delimiter=";")) == wanted


@given(st.lists(st.floats(), min_size=1))
def test_what_repr_writes_is_read_back(values: list[float]) -> None:
    assert bits(column([repr(x) for x in values])) == bits(array("d", [float(repr(x)) for x in values]))


POWERS = [
    f"{m}e{p}"
    for p in range(-345, 311)
    for m in ("1", "9007199254740993", "9999999999999999999", "10000000000000000001")
]


def test_every_power_of_ten() -> None:
    assert bits(column(POWERS)) == bits(array("d", map(float, POWERS)))


@pytest.mark.parametrize(
    "cell",
    [
        "2.2250738585072011e-308",  # the number at which others went on for ever
        "2.2250738585072014e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e308",
        "1e309",
        "9007199254740992",
        "9007199254740993",
        "9007199254740995",
        "9007199254740993.0000000000000000000000000001",
        "0.1",
        "0.30000000000000004",
        "8.5",
        "1e23",
        "8.41e21",
        "9.5367431640625e-07",
        "5e-324",
        "1" * 400,
        "0." + "3" * 5000,
        "1" + "0" * 5000,
        "9" * 5000 + "e-4990",
        "0" * 5000 + "1.5",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "0e99999999999999999999",
        "-0.0",
        "+1.5e+3",
        "\u0661.5",
        "\uff11\uff12",
        "1_0.0_1",
        "  7  ",
        "\u00a07",
        "\t7",
    ],
)
def test_numbers_that_others_got_wrong(cell: str) -> None:
    assert bits(column([cell])) == bits(array("d", [float(cell)]))


@pytest.mark.parametrize(
    "cell",
    [
        "1.2.3",
        "1e",
        "e5",
        ".",
        "+",
        "-",
        "1 2",
        "0x10",
        "1__0",
        "_1",
        "--1",
        "1e5.0",
        "nanx",
        "in",
        "12abc",
        "\0",
        "1\0",
        "1,5",
        "$5",
        "5%",
        "\u2212" + "5",
        "1d5",
        "NULL",
    ],
)
def test_what_is_no_number_to_float_is_none(cell: str) -> None:
    with pytest.raises(ValueError):
        float(cell)
    with pytest.raises(ValueError, match=r"line 2, column 'x': .* is not a number"):
        column([cell], delimiter=";")


# -- ints --------------------------------------------------------------------------------------------------------------


def ints(cells: list[str], code: str) -> array[int]:
    read: array[int] = ao.read_csv(io.BytesIO("\n".join(["x", *cells, ""]).encode()), typecodes=code)["x"]
    return read


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1), st.sampled_from(["{}", "{:+}", "{:_}", "{:040}", " {} "])
)
def test_ints(values: list[int], spelling: str) -> None:
    assert ints([spelling.format(x) for x in values], "q") == array("q", values)
    whole = ao.read_csv(io.BytesIO("\n".join(["x", *map(spelling.format, values), ""]).encode()))["x"]
    assert whole == array("q", values) and whole.typecode == "q"


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1))
def test_unsigned_ints(values: list[int]) -> None:
    assert ints([str(x) for x in values], "Q") == array("Q", values)


@pytest.mark.parametrize(
    ("cell", "code", "message"),
    [
        ("9223372036854775808", "q", "9223372036854775808 does not fit typecode 'q'"),
        ("-9223372036854775809", "q", "-9223372036854775809 does not fit typecode 'q'"),
        ("18446744073709551616", "Q", "18446744073709551616 does not fit typecode 'Q'"),
        ("-1", "Q", "-1 does not fit typecode 'Q'"),
        ("-1", "B", "-1 does not fit typecode 'B'"),
        ("256", "B", "256 does not fit typecode 'B'"),
        ("-32769", "h", "-32769 does not fit typecode 'h'"),
        ("1.0", "q", "'1.0' is not an integer, as typecode 'q' needs"),
        ("1e3", "i", "'1e3' is not an integer, as typecode 'i'"),
        ("nan", "q", "'nan' is not an integer"),
        ("1__0", "q", "'1__0' is not a number"),
        ("8388608", "i3", "8388608 does not fit"),
        ("1" * 5000, "q", "does not fit typecode 'q'"),
    ],
)
def test_ints_that_do_not_fit(cell: str, code: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        ints(["0", cell], code)
    assert "line 3, column 'x': " in str(caught.value) and message in str(caught.value)


@pytest.mark.parametrize("code", ["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "f", "d", "e", "?", "i3", "u3"])
def test_every_typecode(code: str) -> None:
    for cells in (["1", "0", "1"], []):
        got = ao.read_csv(io.StringIO("\n".join(["x", *cells, ""])), typecodes=code)["x"]
        assert got.tolist() == [int(cell) for cell in cells]
        assert (got.typecode if isinstance(got, array) else got.format).lstrip("<>=").startswith(code[0])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2"], array("q", [1, 2])),
        (["1", "2.0"], array("d", [1, 2])),
        (["2.5", "1"], array("d", [2.5, 1])),
        (["9007199254740993", "0.5"], array("d", [9007199254740993.0, 0.5])),
        (["-0", "1"], array("d", [-0.0, 1])),
        (["1", "9223372036854775808"], array("d", [1, 2.0**63])),
        (["1"] * 20_000 + ["1.5"], array("d", [1] * 20_000 + [1.5])),
        (["1"] * 20_000, array("q", [1] * 20_000)),
        (["1", "1e0"], array("d", [1, 1])),
        (["1", "nan"], array("d", [1, math.nan])),
        (["1_0", "\u0663"], array("q", [10, 3])),
    ],
)
def test_ints_or_floats_by_the_data(cells: list[str], expected: array[float]) -> None:
    got = ao.read_csv(io.StringIO("\n".join(["x", *cells, ""])))["x"]
    assert (got.typecode, got.tobytes()) == (expected.typecode, expected.tobytes())


def test_pieces_do_not_round_ints() -> None:
    text = "x\n1\n9007199254740993\n"
    with pytest.raises(ValueError, match="line 3, column 'x': 9007199254740993 is an integer that no float holds"):
        list(ao.scan_csv(io.StringIO(text)))
    assert [p["x"].tolist() for p in ao.scan_csv(io.StringIO(text), typecodes={"x": "q"})] == [[1, 9007199254740993]]
    assert [p["x"].tolist() for p in ao.scan_csv(io.StringIO(text), typecodes="d")] == [[1.0, 9007199254740992.0]]
    assert [p["x"].tolist() for p in ao.scan_csv(io.StringIO("x\n9007199254740994\n"))] == [[9007199254740994.0]]


def test_the_table_of_powers_is_what_its_script_makes() -> None:
    script = Path(__file__).parent.parent / "vm" / "text" / "powers.py"
    subprocess.run([sys.executable, script, "--check"], check=True)


# -- numbers out -------------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.one_of(st.floats(), st.integers(-(10**16), 10**16).map(lambda i: i / 100), st.integers(0, 2**70).map(float))
    )
)
def test_floats_are_written_as_repr_does(values: list[float]) -> None:
    assert spelled(array("d", values)) == [repr(x) for x in values]


def test_a_hundred_thousand_floats_are_written_as_repr_does() -> None:
    rng = random.Random(SEED)
    values = array("d", [rng.randrange(10**16) / 10 ** rng.randrange(18) for _ in range(50_000)])
    values.extend(float(cell) for cell in texts(50_000, SEED + 2))
    values.extend([0.0, -0.0, 1e15, 999999999999999.0, 1e16, 1e-4, 9.9999e-5, 0.1 + 0.2, 5e-324, math.nan, -math.inf])
    assert spelled(values) == [repr(x) for x in values]


def test_powers_and_their_neighbours_are_written_as_repr_does() -> None:
    """Below a power of two the next double is half as far away as above it."""
    powers = [math.ldexp(1.0, e) for e in range(-1074, 1024)] + [float(f"1e{p}") for p in range(-324, 309)]
    values = array("d", [y for x in powers for y in (x, -math.nextafter(x, 0.0), math.nextafter(x, math.inf))])
    assert spelled(values) == [repr(x) for x in values]


@pytest.mark.parametrize("code", "bBhHiIlLqQ")
def test_ints_are_written_as_repr_does(code: str) -> None:
    bits = 8 * array(code).itemsize
    low, high = (0, 2**bits - 1) if code.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    values = array(code, [low, 0, 1, 9, 10, 99, 100, high])
    assert spelled(values) == [repr(x) for x in values]
    assert spelled(memoryview(values)[::3]) == [repr(x) for x in values[::3]]


def test_floats_of_four_bytes_and_digits_behind_the_point() -> None:
    values = array("f", [0.1, 1e10, -2.5])
    assert spelled(values) == [repr(x) for x in values]
    assert spelled(array("d", [1.005, 2.5, math.nan, -1e20]), 1) == [f"{x:.1f}" for x in (1.005, 2.5, math.nan, -1e20)]


def spelled(values: Any, decimals: int = -1) -> list[str]:
    """What spell_lines writes."""
    return ao._machine.spell_lines(values, decimals).decode().split("\n")[:-1]
