"""Makes coefficients.h: the constants of the elementary functions. python vm/kernels/math/coefficients.py [--check]

Each polynomial interpolates its function at Chebyshev nodes, in 60-digit arithmetic (mpmath), which is within a small
factor of the best one; where that factor is worth a degree, it is the best one. Its degree is the least whose error,
relative to the function that it is part of, is below the stated bound. Coefficients are then rounded to doubles.
Constants that must multiply exactly are cut to fewer bits.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mpmath as mp  # type: ignore[import-untyped]

mp.mp.dps = 60
HEADER = Path(__file__).with_name("coefficients.h")
Function = Callable[[Any], Any]
Fit = Callable[[Function, Any, Any, int, Function], list[Any]]


def interpolated(f: Function, lo: Any, hi: Any, degree: int, _weight: Function) -> list[Any]:
    """Coefficients, lowest first, of the polynomial through f at the Chebyshev nodes of lo..hi."""
    nodes = [(lo + hi) / 2 + (hi - lo) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * degree + 2)) for k in range(degree + 1)]
    scale = max(abs(lo), abs(hi))  # so that the powers are of one size
    matrix = mp.matrix([[(x / scale) ** p for p in range(degree + 1)] for x in nodes])
    return [c / scale**p for p, c in enumerate(mp.lu_solve(matrix, mp.matrix([f(x) for x in nodes])))]


def best(f: Function, lo: Any, hi: Any, degree: int, weight: Function) -> list[Any]:
    """The same of the polynomial whose largest weighted error is the least (E. Ya. Remez, Sur le calcul effectif des
    polynômes d'approximation de Tchebichef, C. R. Acad. Sci. Paris 199, 1934)."""
    grid = [(lo + hi) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * k / 240) for k in range(241)]
    values, weights, scale = [f(x) for x in grid], [weight(x) for x in grid], max(abs(lo), abs(hi))
    usual = [k for k in range(241) if weights[k] > max(weights) / 1000]  # where it is about 0 no error counts
    at = [usual[k * (len(usual) - 1) // (degree + 1)] for k in range(degree + 2)]
    while True:
        rows = [[(grid[k] / scale) ** p for p in range(degree + 1)] + [(-1) ** n / weights[k]]
                for n, k in enumerate(at)]  # fmt: skip
        solved = mp.lu_solve(mp.matrix(rows), mp.matrix([values[k] for k in at]))
        coefficients = [solved[p] / scale**p for p in range(degree + 1)]
        errors = [(v - mp.polyval(coefficients[::-1], x)) * w
                  for v, x, w in zip(values, grid, weights, strict=True)]  # fmt: skip
        before, at = at, []
        for k in usual:
            if not at or (errors[k] > 0) != (errors[at[-1]] > 0):
                at.append(k)
            elif abs(errors[k]) > abs(errors[at[-1]]):
                at[-1] = k
        while len(at) > degree + 2:
            at.pop(0 if abs(errors[at[0]]) < abs(errors[at[-1]]) else -1)
        if at == before:
            return coefficients


def best_inside(f: Function, lo: Any, hi: Any, degree: int, weight: Function, rounds: int = 20) -> list[Any]:
    """Nearly the same, of a function that need not have a value at the ends or in the middle: by least squares in which
    points count the more the larger their errors were (J. R. Rice and K. H. Usow, The Lawson algorithm and
    extensions, Math. Comp. 22, 1968)."""
    count, powers = 12 * (degree + 2), range(degree + 1)
    nodes = [(lo + hi) / 2 + (hi - lo) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * count)) for k in range(count)]
    scale = max(abs(lo), abs(hi))
    columns = [[(x / scale) ** p * weight(x) for x in nodes] for p in powers]
    values = [f(x) * weight(x) for x in nodes]
    least, found, counts = mp.inf, [], [mp.mpf(1)] * count
    for _ in range(rounds):
        counted = [[n * v for n, v in zip(counts, column, strict=True)] for column in columns]
        matrix = mp.matrix([[mp.fdot(row, column) for column in columns] for row in counted])
        solved = mp.lu_solve(matrix, mp.matrix([mp.fdot(row, values) for row in counted]))
        errors = [abs(v - sum(solved[p] * columns[p][k] for p in powers)) for k, v in enumerate(values)]
        if max(errors) < least:
            least, found = max(errors), [c / scale**p for p, c in enumerate(solved)]
        counts = [n * e / max(errors) for n, e in zip(counts, errors, strict=True)]
    return found


def best_rounded(f: Function, lo: Any, hi: Any, degree: int, weight: Function) -> list[Any]:
    """The same in doubles: what rounds off the constant counts most, so the others make up for it."""
    first = mp.mpf(float(best_inside(f, lo, hi, degree, weight)[0]))
    rest = best_inside(lambda z: (f(z) - first) / z, lo, hi, degree - 1, lambda z: weight(z) * abs(z))
    return [first, *(mp.mpf(float(c)) for c in rest)]


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


def constant_last(terms: list[str]) -> str:
    """The same by fours, without powers beyond the 4th; the constant is added last, so one rounding is of its size."""
    fours = [estrin(terms[k : k + 4], 1) for k in range(1, len(terms), 4)]
    so_far = fours.pop()
    for four in reversed(fours):
        so_far = f"fused({so_far}, z4, {four})"
    return f"fused({so_far}, z1, {terms[0]})"


def by_pairs(terms: list[str]) -> str:
    """The same with few multiplications, where processors have enough else to do while one waits for another."""
    return estrin(terms, 1, triple=True)


def in_half(terms: list[str]) -> str:
    """In the half of a function (elementary.h) it matters less how long anything waits; the constant is last, too."""
    return f"fused({estrin(terms[1:], 1, triple=True)}, z1, {terms[0]})"


def polynomial(
    name: str,
    f: Function,
    lo: float,
    hi: float,
    weight: Function,
    bits: int,
    what: str,
    written: Callable[[list[str]], str] = lambda terms: estrin(terms, 1),
    fit: Fit = interpolated,
    least: int = 2,
) -> str:
    """An inline function that evaluates the polynomial; ``fit`` finds its coefficients, from degree ``least`` on."""
    for degree in range(least, 40):
        coefficients = fit(f, mp.mpf(lo), mp.mpf(hi), degree, weight)
        worst = error(f, coefficients, mp.mpf(lo), mp.mpf(hi), weight)
        if worst < mp.mpf(2) ** -bits:
            break
    value = written([float(c).hex() for c in coefficients])
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


#: For m from LEAST_LOG to twice that, by the top three bits of its fraction counted from there: reciprocals c of so few
#: bits that m c - 1, of a magnitude below 2^-4, is a double. Around 1 it is 1.
LEAST_LOG = mp.mpf(181) / 256
RECIPROCALS = [mp.mpf(c) / 32 for c in (44, 40, 38, 34, 32, 29, 26, 24)]


def starts(k: int) -> Any:
    """Where the interval of the k-th reciprocal begins: doubles from 1 on are twice as far apart."""
    below_one = LEAST_LOG + mp.mpf(k) / 16
    return below_one if below_one <= 1 else 2 * below_one - 1


for k, c in enumerate(RECIPROCALS):
    at, end = starts(k), starts(k + 1)
    last_of_m, last_of_c = 53 if at < 1 else 52, next(bits for bits in range(9) if c * 2**bits % 1 == 0)
    assert max(abs(at * c - 1), abs(end * c - 1)) < mp.mpf(2) ** (53 - last_of_m - last_of_c), (k, c)
    assert max(abs(at * c - 1), abs(end * c - 1)) < 0.0624


def table(name: str, values: list[Any], what: str) -> str:
    """Eight doubles."""
    rows = [", ".join(float(v).hex() for v in values[k : k + 4]) + "," for k in (0, 4)]
    return "\n".join([f"/* {what} */", f"static const double {name}[8] = {{", *(f"    {row}" for row in rows), "};"])


def logarithms(name: str, scale: Any, what: str) -> str:
    """Minus the logarithms of the reciprocals to some base, as sums of two, the first of 20 bits."""
    values = [-mp.log(c) * scale for c in RECIPROCALS]
    high = [cut(v, 20) if v else v for v in values]
    low = [v - h for v, h in zip(values, high, strict=True)]
    return table(f"{name}_HIGH", high, f"{what}, 20 bits") + "\n" + table(f"{name}_LOW", low, "the rest of it")


def after_first(z: Any) -> Any:
    """(log(1 + z) - z) / z^2"""
    return -mp.mpf(1) / 2 if abs(z) < 1e-20 else (mp.log1p(z) - z) / z**2


LEAST_R = min(starts(k) * c - 1 for k, c in enumerate(RECIPROCALS))
MOST_R = max(starts(k + 1) * c - 1 for k, c in enumerate(RECIPROCALS))


def log_weight(z: Any) -> Any:
    """What an error of that means relative to the least logarithm of which it is part, with any of the reciprocals."""
    ms = [((1 + z) / c, k) for k, c in enumerate(RECIPROCALS)]
    logs = [abs(mp.log(m)) for m, k in ms if starts(k) - 1e-9 <= m <= starts(k + 1) + 1e-9]
    return z**2 / min(logs, default=mp.inf) if z else 0


THIRD = mp.mpf(float(mp.mpf(1) / 3))


def after_third(z: Any) -> Any:
    """(log(1 + z) - z + z^2/2 - THIRD z^3) / z^3"""
    first = mp.mpf(1) / 3 - THIRD
    return first if abs(z) < 1e-15 else (mp.log1p(z) - z + z**2 / 2 - THIRD * z**3) / z**3


def less_eighths(k: int, value: Any) -> float:
    """The double whose bits are k 2^49 less: adding any n 2^49, n = k mod 8, to them multiplies by 2^(n div 8)."""
    (bits,) = struct.unpack("q", struct.pack("d", float(value)))
    return float(struct.unpack("d", struct.pack("q", bits - (k << 49)))[0])


EIGHTHS = [mp.mpf(2) ** (mp.mpf(k) / 8) for k in range(8)]


def pair(k: int) -> tuple[Any, Any]:
    """A number about 2^(k/8) and its inverse to 2^-60, both of so few bits that neither their sum nor their difference,
    halved, is rounded. There is none about the root of 2, of which both change alike: there it is 2^-55."""
    least = mp.mpf(2) ** (-52 if k == 4 else -51)
    middle = mp.nint(EIGHTHS[k] / least)
    for step in range(2000):
        for power in ((middle + step) * least, (middle - step) * least):
            inverse = mp.nint(mp.mpf(2) ** 51 / power) / mp.mpf(2) ** 51
            if abs(power * inverse - 1) < mp.mpf(2) ** (-55 if k == 4 else -60):
                return power, inverse
    raise AssertionError(k)


def rest(k: int, power: Any, inverse: Any) -> Any:
    """What is to be added to r, so that the hyperbolic sine is right where the product of the two is not 1."""
    return mp.log(EIGHTHS[k] / power) + inverse * (power * inverse - 1) / (power + inverse)


PAIRS = [pair(k) for k in range(8)]
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
    table("POWERS", [less_eighths(k, v) for k, v in enumerate(EIGHTHS)], "2^(k/8), its bits less k 2^49"),
    table("POWERS_REST", [cut(v / float(v) - 1, 20) if k else v - 1 for k, v in enumerate(EIGHTHS)],
          "what it lacks, as a part of it, 20 bits"),
    polynomial("exp", lambda z: mp.mpf(1) / 2 if abs(z) < 1e-20 else (mp.exp(z) - 1 - z) / z**2, -0.04335, 0.04335,
               lambda z: z**2, 57, "(exp(z) - 1 - z) / z^2", by_pairs, best),
    polynomial("expm1", lambda z: mp.mpf(1) / 2 if abs(z) < 1e-20 else (mp.exp(z) - 1 - z) / z**2, -0.04335, 0.04335,
               abs, 57, "the same, relative to z", in_half, best),
    polynomial("exp3", lambda z: mp.mpf(1) / 3 if abs(z) < 1e-12 else 2 * (mp.exp(z) - 1 - z - z**2 / 2) / z**3,
               -0.34662, 0.34662, lambda z: z**2 / 2, 58, "2 (exp(z) - 1 - z - z^2/2) / z^3, relative to z"),
    polynomial("exp2", lambda z: LN2**2 / 2 if abs(z) < 1e-20 else (mp.mpf(2) ** z - 1 - z * LN2) / z**2, -0.0625,
               0.0625, lambda z: z**2, 57, "(2^z - 1 - z log(2)) / z^2", by_pairs, best),
    table("RECIPROCALS", RECIPROCALS, "c, one for each eighth of the fraction of m"),
    logarithms("LOG", 1, "-log(c)"),
    logarithms("LOG2", 1 / LN2, "-log2(c)"),
    logarithms("LOG10", 1 / mp.log(10), "-log10(c)"),
    polynomial("log", after_first, LEAST_R, MOST_R, log_weight, 57, "(log(1 + z) - z) / z^2, relative to the logarithm",
               constant_last, best_rounded, 9),
    polynomial("log2", lambda z: after_first(z) / LN2, LEAST_R, MOST_R, lambda z: log_weight(z) * LN2, 57,
               "the same over log(2)", constant_last, best_rounded, 9),
    polynomial("log10", lambda z: after_first(z) / mp.log(10), LEAST_R, MOST_R, lambda z: log_weight(z) * mp.log(10),
               57, "the same over log(10)", constant_last, best_rounded, 9),
    polynomial("log_sum", after_first, -0.0624, 0.0624, abs, 60, "(log(1 + z) - z) / z^2, relative to z",
               constant_last),
    f"#define THIRD {float(THIRD).hex()}",
    polynomial("log_rest", after_third, -0.0624, 0.0624, lambda z: z**2, 67,
               "(log(1 + z) - z + z^2/2 - THIRD z^3) / z^3", constant_last),
    polynomial("sin", odd_rest(mp.sin, -mp.mpf(1) / 6), 0, QUARTER**2, odd_weight(mp.sin), 58,
               "(sin(x) - x) / x^3, z = x^2"),
    polynomial("cos", lambda z: mp.mpf(1) / 24 if z < 1e-18 else (mp.cos(root(z)) - 1 + z / 2) / z**2, 0, QUARTER**2,
               lambda z: z**2 / mp.cos(root(z)), 60, "(cos(x) - 1 + x^2/2) / x^4, z = x^2"),
    polynomial("tan", odd_rest(lambda x: 2 * mp.tan(x / 2), mp.mpf(1) / 12), 0, QUARTER**2,
               odd_weight(lambda x: 2 * mp.tan(x / 2)), 56, "(2 tan(x/2) - x) / x^3, z = x^2", in_half),
    polynomial("atan", odd_rest(mp.atan, -mp.mpf(1) / 3), 0, SMALL_TAN**2, odd_weight(mp.atan), 58,
               "(atan(x) - x) / x^3, z = x^2"),
    polynomial("atan_half", odd_rest(mp.atan, -mp.mpf(1) / 3), 0, 0.2501, odd_weight(mp.atan), 57,
               "(atan(x) - x) / x^3, z = x^2", in_half),
    polynomial("asin", odd_rest(mp.asin, mp.mpf(1) / 6), 0, 0.25, lambda z: odd_weight(mp.asin)(z) if z else 0, 56,
               "(asin(x) - x) / x^3, z = x^2", in_half, best_rounded, 12),
    table("HALF_POWERS", [less_eighths(k, power) for k, (power, _) in enumerate(PAIRS)],
          "2^(k/8) or so, bits less k 2^49"),
    table("HALF_INVERSES", [less_eighths(-k, inverse / 4) for k, (_, inverse) in enumerate(PAIRS)],
          "a quarter of 1 over that, bits more by k 2^49"),
    table("HALF_RESTS", [cut(rest(k, *pair), 20) if k else mp.mpf(0) for k, pair in enumerate(PAIRS)],
          "the logarithm of what the powers lack, 20 bits"),
    polynomial("sinh", odd_rest(mp.sinh, mp.mpf(1) / 6), 0, 0.04335**2, lambda z: z, 56,
               "(sinh(x) - x) / x^3, z = x^2", in_half, best),
    polynomial("cosh", lambda z: mp.mpf(1) / 2 if z < 1e-18 else (mp.cosh(root(z)) - 1) / z, 0, 0.04335**2, lambda z: z,
               57, "(cosh(x) - 1) / x^2, z = x^2", in_half, best),
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
               0.10234, lambda e: e, 17, "((1 - e)^(-1/3) - 1) / e", in_half),
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
