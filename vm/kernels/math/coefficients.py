"""Makes coefficients.h: the constants of the elementary functions. python vm/kernels/math/coefficients.py [--check]

Each polynomial interpolates its function at Chebyshev nodes, in 60-digit arithmetic (mpmath), which is within a small
factor of the best one; its degree is the least whose error, relative to the function that it is part of, is below the
stated bound. Coefficients are then rounded to doubles. Constants that must multiply exactly are cut to fewer bits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mpmath as mp  # type: ignore[import-untyped]

mp.mp.dps = 60
HEADER = Path(__file__).with_name("coefficients.h")
Function = Callable[[Any], Any]


def interpolated(f: Function, lo: Any, hi: Any, degree: int) -> list[Any]:
    """Coefficients, lowest first, of the polynomial through f at the Chebyshev nodes of lo..hi."""
    nodes = [(lo + hi) / 2 + (hi - lo) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * degree + 2)) for k in range(degree + 1)]
    scale = max(abs(lo), abs(hi))  # so that the powers are of one size
    matrix = mp.matrix([[(x / scale) ** p for p in range(degree + 1)] for x in nodes])
    return [c / scale**p for p, c in enumerate(mp.lu_solve(matrix, mp.matrix([f(x) for x in nodes])))]


def error(f: Function, coefficients: list[Any], lo: Any, hi: Any, weight: Function) -> Any:
    """The largest weighted error over a fine grid."""
    grid = [lo + (hi - lo) * mp.mpf(k) / 400 for k in range(401)]
    return max(abs((f(x) - mp.polyval(coefficients[::-1], x)) * weight(x)) for x in grid)


def estrin(terms: list[str], power: int, triple: bool = False) -> str:
    """An expression of the polynomial with these coefficients in z to that power: pairs first, so that they overlap.

    ``triple``: the last three are added one by one, which waits longer and takes one multiplication less.
    """
    if len(terms) == 1:
        return terms[0]
    if triple and len(terms) == 3:
        return f"fused(fused({terms[2]}, z{power}, {terms[1]}), z{power}, {terms[0]})"
    pairs = [f"fused({b}, z{power}, {a})" for a, b in zip(terms[::2], terms[1::2], strict=False)]
    return estrin(pairs + terms[len(terms) // 2 * 2 :], 2 * power, triple)


def polynomial(name: str, f: Function, lo: float, hi: float, weight: Function, bits: int, what: str,
               last: bool = False) -> str:  # fmt: skip
    """An inline function that evaluates the polynomial by Estrin's scheme.

    ``last``: in the half of a function (elementary.h) it matters less how long anything waits: the constant term is
    added at the very end, so that the value is rounded only once at its own size.
    """
    for degree in range(2, 40):
        coefficients = interpolated(f, mp.mpf(lo), mp.mpf(hi), degree)
        worst = error(f, coefficients, mp.mpf(lo), mp.mpf(hi), weight)
        if worst < mp.mpf(2) ** -bits:
            break
    hexes = [float(c).hex() for c in coefficients]
    value = f"fused({estrin(hexes[1:], 1, True)}, z1, {hexes[0]})" if last else estrin(hexes, 1)
    powers = [p for p in (2, 4, 8, 16, 32) if f"z{p}," in value or f"z{2 * p}," in value]
    lines = [f"/* {what}, {mp.nstr(mp.mpf(lo), 6)} <= z <= {mp.nstr(mp.mpf(hi), 6)}: degree {degree}, "
             f"error 2^{mp.nstr(mp.log(worst, 2), 3)} */",
             f"static INLINE double poly_{name}(double z1)", "{"]  # fmt: skip
    lines += [f"    const double z{p} = z{p // 2} * z{p // 2};" for p in powers]
    return "\n".join([*lines, f"    return {value};", "}"])


def cut(value: Any, bits: int) -> Any:
    """The value with so many significant bits, cut towards zero."""
    exponent = int(mp.floor(mp.log(abs(value), 2)))
    unit = mp.mpf(2) ** (exponent - bits + 1)
    return mp.floor(value / unit) * unit


def parts(name: str, value: Any, sizes: list[int], what: str, names: Sequence[str] = "123") -> str:
    """A constant as a sum of parts, all but the last of few enough bits to multiply exactly."""
    lines = [f"/* {what} = the sum of the parts, of {', '.join(map(str, sizes))} bits */"]
    for i, bits in enumerate(sizes):
        part = mp.mpf(float(value)) if bits == 53 else cut(value, bits)
        lines.append(f"#define {name}_{names[i]} {float(part).hex()}")
        value -= part
    return "\n".join(lines)


def root(z: Any) -> Any:
    return mp.sqrt(z)


def odd_rest(f: Function, at_zero: Any) -> Function:
    """(f(x) - x) / x^3 as a function of z = x^2."""
    return lambda z: at_zero if z < mp.mpf(10) ** -18 else (f(root(z)) - root(z)) / root(z) ** 3


def odd_weight(f: Function) -> Function:
    """What an error of that means relative to f."""
    return lambda z: 1 if z < mp.mpf(10) ** -18 else root(z) ** 3 / f(root(z))


MIDDLE = mp.mpf(4)


def scaled_erfc(t: Any) -> Any:
    """e^(a^2) erfc(a) (1 + 2a) at a = (1 + t) / (1 - t) MIDDLE: nearly flat (M. M. Shepherd and J. G. Laframboise,
    Chebyshev Approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < infinity, Math. Comp. 36, 1981)."""
    a = (1 + t) / (1 - t) * MIDDLE
    return mp.exp(a * a) * mp.erfc(a) * (1 + 2 * a)


def words(name: str, value: Any, zeros: int, count: int, what: str) -> str:
    """The bits of a fraction, after so many zeros, as a table of 64-bit numbers."""
    with mp.workdps(500):
        bits = int(mp.floor(value() * mp.mpf(2) ** (64 * count - zeros)))
    rows = [f"0x{bits >> 64 * k & (1 << 64) - 1:016x}" for k in reversed(range(count))]
    lines = ["    " + ", ".join(f"UINT64_C({r})" for r in rows[k : k + 3]) + "," for k in range(0, count, 3)]
    head = [f"/* {what}, after {zeros} zeros */", f"static const uint64_t {name}[{count}] = {{"]
    return "\n".join([*head, *lines, "};"])


SLOPE = mp.diff(scaled_erfc, 0)
LN2 = mp.log(2)
QUARTER = float(mp.pi / 4) * 1.0001
SMALL_TAN = float(mp.sqrt(2) - 1) * 1.001
SECTIONS = [
    parts("LN2", LN2, [32, 53], "log(2)"),
    parts("LN2", LN2, [53, 53], "the same", ("HIGH", "LOW")),
    parts("PIO2", mp.pi / 2, [53, 53, 53], "pi/2"),
    parts("PI", mp.pi, [53, 53], "pi"),
    parts("INV_LN2", 1 / LN2, [53, 53], "1/log(2)"),
    parts("INV_LN10", 1 / mp.log(10), [53, 53], "1/log(10)"),
    parts("LOG10_2", mp.log(2, 10), [40, 53], "log10(2)"),
    f"#define TWO_OVER_PI {float(2 / mp.pi).hex()}",
    words("TWO_OVER_PI_BITS", lambda: 2 / mp.pi, 34, 20, "The bits of 2/pi"),
    polynomial("exp", lambda z: mp.mpf(1) / 2 if abs(z) < 1e-20 else (mp.exp(z) - 1 - z) / z**2, -0.34662, 0.34662,
               lambda z: z**2, 58, "(exp(z) - 1 - z) / z^2"),
    polynomial("exp3", lambda z: mp.mpf(1) / 3 if abs(z) < 1e-12 else 2 * (mp.exp(z) - 1 - z - z**2 / 2) / z**3,
               -0.34662, 0.34662, lambda z: z**2 / 2, 58, "2 (exp(z) - 1 - z - z^2/2) / z^3, relative to z"),
    polynomial("exp2", lambda z: LN2**2 / 2 if abs(z) < 1e-20 else (mp.mpf(2) ** z - 1 - z * LN2) / z**2, -0.50001,
               0.50001, lambda z: z**2, 56, "(2^z - 1 - z log(2)) / z^2"),
    polynomial("log", lambda z: mp.mpf(2) / 3 if z < 1e-20 else (mp.log((1 + root(z)) / (1 - root(z))) - 2 * root(z))
               / root(z) ** 3, 0, 0.029438, lambda z: z / 2, 58, "(log((1 + s) / (1 - s)) - 2 s) / s^3, z = s^2"),
    parts("TWO_THIRDS", mp.mpf(2) / 3, [53, 53], "2/3"),
    polynomial("log5", lambda z: mp.mpf(2) / 5 if z < 1e-15 else (mp.log((1 + root(z)) / (1 - root(z))) - 2 * root(z)
               - 2 * root(z) ** 3 / 3) / root(z) ** 5, 0, 0.029438, lambda z: z**2 / 2, 66,
               "(log((1 + s) / (1 - s)) - 2 s - 2/3 s^3) / s^5, z = s^2"),
    polynomial("sin", odd_rest(mp.sin, -mp.mpf(1) / 6), 0, QUARTER**2, odd_weight(mp.sin), 58,
               "(sin(x) - x) / x^3, z = x^2"),
    polynomial("cos", lambda z: mp.mpf(1) / 24 if z < 1e-18 else (mp.cos(root(z)) - 1 + z / 2) / z**2, 0, QUARTER**2,
               lambda z: z**2 / mp.cos(root(z)), 60, "(cos(x) - 1 + x^2/2) / x^4, z = x^2"),
    polynomial("tan", odd_rest(lambda x: 2 * mp.tan(x / 2), mp.mpf(1) / 12), 0, QUARTER**2,
               odd_weight(lambda x: 2 * mp.tan(x / 2)), 56, "(2 tan(x/2) - x) / x^3, z = x^2", last=True),
    polynomial("atan", odd_rest(mp.atan, -mp.mpf(1) / 3), 0, SMALL_TAN**2, odd_weight(mp.atan), 58,
               "(atan(x) - x) / x^3, z = x^2"),
    polynomial("atan_half", odd_rest(mp.atan, -mp.mpf(1) / 3), 0, 0.2501, odd_weight(mp.atan), 57,
               "(atan(x) - x) / x^3, z = x^2", last=True),
    polynomial("asin", odd_rest(mp.asin, mp.mpf(1) / 6), 0, 0.2501, odd_weight(mp.asin), 56,
               "(asin(x) - x) / x^3, z = x^2", last=True),
    polynomial("sinh", odd_rest(mp.sinh, mp.mpf(1) / 6), 0, 0.34662**2, odd_weight(mp.sinh), 56,
               "(sinh(x) - x) / x^3, z = x^2", last=True),
    polynomial("cosh", lambda z: mp.mpf(1) / 24 if z < 1e-18 else (mp.cosh(root(z)) - 1 - z / 2) / z**2, 0, 0.34662**2,
               lambda z: z**2, 58, "(cosh(x) - 1 - x^2/2) / x^4, z = x^2", last=True),
    parts("HALF_LN2", LN2 / 2, [53, 53], "log(2)/2", ("HIGH", "LOW")),
    polynomial("tanh", odd_rest(mp.tanh, -mp.mpf(1) / 3), 0, 0.17331**2, odd_weight(mp.tanh), 58,
               "(tanh(x) - x) / x^3, z = x^2"),
    polynomial("erf", lambda z: 2 / mp.sqrt(mp.pi) - 1 if z < 1e-18 else mp.erf(root(z)) / root(z) - 1, 0, 0.4901,
               lambda z: 1, 58, "erf(x) / x - 1, z = x^2"),
    f"#define ERFC_MIDDLE {float(MIDDLE).hex()}",
    parts("ERFC", scaled_erfc(0), [53, 53], "e^(a^2) erfc(a) (1 + 2a) at a = ERFC_MIDDLE"),
    polynomial("erfc", lambda t: SLOPE if abs(t) < 1e-20 else (scaled_erfc(t) - scaled_erfc(0)) / t, -0.7022, 0.7340,
               lambda t: abs(t), 60, "the same less that, over t, where a = (1 + t) / (1 - t) ERFC_MIDDLE"),
    polynomial("cbrt", lambda e: mp.mpf(1) / 3 if abs(e) < 1e-20 else ((1 - e) ** (-mp.mpf(1) / 3) - 1) / e, -0.10234,
               0.10234, lambda e: e, 17, "((1 - e)^(-1/3) - 1) / e", last=True),
]  # fmt: skip


def header() -> str:
    """The text of coefficients.h."""
    guard = '#ifndef AO_COEFFICIENTS_H\n#define AO_COEFFICIENTS_H\n\n#include "fused.h"\n'
    top = "/* Made by coefficients.py, which see. Not to be edited. */\n" + guard
    return top + "\n" + "\n\n".join(SECTIONS) + "\n\n#endif\n"


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(0 if HEADER.read_text() == header() else "coefficients.h is not what coefficients.py makes")
    HEADER.write_text(header())
