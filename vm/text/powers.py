"""Makes powers.h: the powers of ten that number.c and spell.c multiply by. python vm/text/powers.py [--check]

Of each power 10^q the 128 leading bits of 5^q (the rest of it is a power of two): cut off, but rounded up for
-27 <= q < 0, where the product with a number of 64 bits is then exact where the true quotient is. See D. Lemire, Number
Parsing at a Gigabyte per Second, Software: Practice and Experience 51 (2021), section 5.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

HEADER = Path(__file__).with_name("powers.h")
LEAST, MOST = -342, 324  # a number of 64 bits times one below is 0; spell.c makes whole numbers of 5e-324 by the last
ROUNDED_UP = range(-27, 0)


def leading_bits(q: int) -> int:
    """The 128 leading bits of 5^q."""
    power = Fraction(5) ** q
    shift = 128 - (power.numerator.bit_length() - power.denominator.bit_length())
    scaled = power * Fraction(2) ** shift
    while scaled >= 1 << 128:
        scaled /= 2
    assert scaled >= 1 << 127
    whole = scaled.numerator // scaled.denominator
    return whole + (q in ROUNDED_UP)


def text() -> str:
    lines = [
        "/* Made by powers.py, which see. Not to be edited. */",
        "#ifndef AO_POWERS_H",
        "#define AO_POWERS_H",
        "",
        "#include <stdint.h>",
        "",
        f"enum {{ AO_LEAST_POWER = {LEAST}, AO_MOST_POWER = {MOST} }};",
        "",
        "/* Higher and lower half. */",
        "static const uint64_t ao_powers[][2] = {",
    ]
    for q in range(LEAST, MOST + 1):
        high, low = divmod(leading_bits(q), 1 << 64)
        lines.append(f"    {{0x{high:016x}u, 0x{low:016x}u}}, /* {q} */")
    return "\n".join([*lines, "};", "", "#endif", ""])


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(HEADER.read_text() != text())
    HEADER.write_text(text())
