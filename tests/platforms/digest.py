"""Digests of many results, a line for each: results of two platforms, compilers or levels are equal if their lines are.

    python tests/platforms/digest.py [ELEMENTS] > here        the lines of this one
    python tests/platforms/digest.py --compare here there     which lines differ

Every function of one and two numbers over six kinds of doubles, the language over every typecode, sums, moments, sorts,
filters and folds. Which nan a result is, is not part of the contract: all are counted alike. Exceptions count by type.
"""

from __future__ import annotations

import hashlib
import math
import random
import struct
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ELEMENTS = 20000
NAN = struct.pack("<Q", 0x7FF8 << 48)

ONE = (
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "expm1",
    "exp2", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "erf", "erfc", "radians", "degrees", "floor", "ceil",
    "trunc", "fabs", "isnan", "isinf", "isfinite", "ulp",
)  # fmt: skip
TWO = (
    "atan2(x,y)", "hypot(x,y)", "x**y", "pow(x,y)", "fmod(x,y)", "x%y", "x//y", "copysign(x,y)", "min(x,y)", "max(x,y)",
    "x/y", "x*y+x", "x-y", "remainder(x,y)", "nextafter(x,y)", "ldexp(x,3)", "x if x < y else -y", "x*0.1*y + 3",
)  # fmt: skip
TEXTS = (
    "x*x + 1", "x // 3 - x % 7", "x / 7", "(x*31 + 7) & 255", "x if x > 0 else -x", "x > 2 and x < 90", "x ** 2",
    "min(x, 5) + max(x, 3)", "abs(x) * 0.1", "round(x / 4)", "floor(x / 3) + ceil(x / 5)", "sqrt(abs(x))",
    "x << 3 >> 1", "x ^ 85 | 3", "copysign(x, -1)", "x in (1, 2, 3)", "1 / (x or 1)", "x % -7", "x // -3", "~x",
    "x*x*x % 1000003", "gcd(x, 360)", "isqrt(abs(x))", "int(x * 0.37)", "float(x) ** 0.5 if x > 0 else 0.0",
)  # fmt: skip
INTEGERS = "bBhHiIqQ"
STATISTICS = ("sum", "mean", "min", "max", "var", "std", "median", "stats", "argmin", "argmax")


def bits_of(values: Any) -> bytes:
    """The elements in one form: whole numbers and truth values as decimal text, floats as little-endian doubles."""
    if isinstance(values, array) and values.typecode in "fd":
        return b"".join(NAN if x != x else struct.pack("<d", x) for x in values)
    return ",".join(map(repr, values)).encode()


def line(name: str, compute: Callable[[], Any]) -> str:
    """A name, in one word, and the digest of what is computed."""
    name = name.replace(" ", "_")
    try:
        result = compute()
    except (ArithmeticError, ValueError, TypeError) as error:
        return f"{name} {type(error).__name__}"
    if isinstance(result, array):
        return f"{name} {result.typecode}{len(result)} {hashlib.sha256(bits_of(result)).hexdigest()[:16]}"
    return f"{name} {hashlib.sha256(repr(result).encode()).hexdigest()[:16]}"


def doubles(count: int) -> dict[str, array[float]]:
    """Kinds of doubles: any bits, ordinary ones, small and large ones."""
    rng = random.Random(12345)

    def make(one: Callable[[], float]) -> array[float]:
        return array("d", [one() for _ in range(count)])

    middle = make(lambda: rng.uniform(-30, 30))
    return {
        "any": make(lambda: float(struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0])),
        "middle": middle,
        "unit": make(lambda: rng.uniform(-1, 1)),
        "positive": array("d", [abs(x) for x in middle]),
        "small": make(lambda: rng.uniform(-1, 1) * 2.0 ** rng.randint(-1074, -5)),
        "large": make(lambda: rng.uniform(-1, 1) * 2.0 ** rng.randint(5, 1023)),
    }


def whole(code: str, count: int) -> dict[str, array[int]]:
    """Elements of an integer typecode: over its whole range, and small."""
    bits, signed = 8 * array(code).itemsize, code.islower()
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    rng = random.Random(code)
    return {
        "full": array(code, [rng.randint(low, high) for _ in range(count)]),
        "few": array(code, [rng.randint(0, 100) for _ in range(count)]),
    }


def of_functions(ao: Any, kind: str, data: array[float], other: array[float]) -> Iterator[str]:
    def each(text: str) -> array[float]:
        named = {"y": other} if "y" in text else {}
        result: array[float] = ao.map(data, text, typecode="d", ieee=True, **named)
        return result

    for text in (*(f"{f}(x)" for f in ONE), *TWO):
        yield line(f"{text} {kind}", partial(each, text))


def of_floats(ao: Any, kind: str, data: array[float]) -> Iterator[str]:
    finite = array("d", [x for x in data if math.isfinite(x) and abs(x) < 1e100])
    single = array("f", [x if abs(x) < 1e30 else 1.5 for x in finite])
    for f in STATISTICS:
        for name, values in (("d", data), ("finite", finite), ("f", single)):
            yield line(f"{f} {name} {kind}", partial(getattr(ao, f), values))
    for name, compute in {
        "dot": lambda: ao.dot(finite, finite),
        "to f": lambda: ao.map(single, "x*0.1", typecode="f"),
        "f to d": lambda: ao.map(single, "x*x + 0.1", typecode="d"),
        "sort": lambda: sorted_copy(ao, data),
        "unique": lambda: ao.unique(data),
        "to int": lambda: ao.map(finite, "int(x*1000)", typecode="i"),
        "round": lambda: ao.map(finite, "round(x, 2)"),
        "filter": lambda: ao.filter(data, "x > 0.25"),
        "accumulate": lambda: ao.accumulate(finite, "acc*0.5 + x"),
        "reduce": lambda: ao.reduce(finite, "acc + x*x"),
        "quantile": lambda: ao.quantile(finite, 0.9),
    }.items():
        yield line(f"{name} {kind}", compute)


def of_integers(ao: Any, code: str, kind: str, data: array[int]) -> Iterator[str]:
    for text in TEXTS:
        for to in dict.fromkeys((code, "d", "q")):
            yield line(f"{code} {kind} {text} {to}", partial(ao.map, data, text, typecode=to))
    for f in STATISTICS:
        yield line(f"{f} {code} {kind}", partial(getattr(ao, f), data))
    for name, compute in {
        "sort": lambda: sorted_copy(ao, data),
        "unique": lambda: ao.unique(data),
        "dot": lambda: ao.dot(data, data),
        "accumulate": lambda: ao.accumulate(data, "(acc*5 + x) % 97"),
        "reduce": lambda: ao.reduce(data, "(acc*31 + x) & 0xFFFFFFFF", 7),
        "filter": lambda: ao.filter(data, "x % 3 == 1"),
        "count": lambda: ao.count(data, "x & 1"),
        "lazy": lambda: ao.lazy(data).filter("x % 2 == 0").map("x*x").sum(),
    }.items():
        yield line(f"{name} {code} {kind}", compute)


def sorted_copy(ao: Any, data: array[Any]) -> array[Any]:
    """ao.sort works in place."""
    copy = data[:]
    ao.sort(copy)
    return copy


def lines(count: int) -> Iterator[str]:
    """All of them."""
    import arrayops as ao

    kinds = doubles(count)
    for kind, data in kinds.items():
        yield from of_functions(ao, kind, data, kinds["middle" if kind != "middle" else "unit"])
        yield from of_floats(ao, kind, data)
    for code in INTEGERS:
        for kind, ints in whole(code, count // 10).items():
            yield from of_integers(ao, code, kind, ints)


# -- two of them -------------------------------------------------------------------------------------------------------


class Different(Exception):
    """Digests that are not equal."""


def differences(want: Sequence[str], got: Sequence[str]) -> list[str]:
    """Names of the lines that differ or are in one of them only."""
    here, there = (dict(text.rstrip().split(" ", 1) for text in lines) for lines in (want, got))
    return [name for name in {**here, **there} if here.get(name) != there.get(name)]


def verdict(want: Sequence[str], got: Sequence[str]) -> str:
    """A sentence if they are equal; Different otherwise."""
    names = differences(want, got)
    if names or not want:
        raise Different(f"{len(names)} of {len(want)} lines of the digest differ: {', '.join(names[:8])}")
    return f"digest equal ({len(want)} lines)"


def main(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] == "--compare":
        try:
            print(verdict(*(Path(name).read_text().splitlines() for name in arguments[1:3])))
        except Different as error:
            print(error)
            return 1
        return 0
    for text in lines(int(arguments[0]) if arguments else ELEMENTS):
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
