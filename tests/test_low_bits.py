"""Arithmetic that wraps as only low bits of it are looked at: the lane it has, and Python's own answer.

What is looked at is what a mask leaves, or what a result has whose interval fits its array (compiler/lower.py). The
same at every level of the instruction set, by kernels and by native code; fuzz_expressions.py has random texts.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from array import array
from pathlib import Path

import arrayops as ao
import pytest
from arrayops import _machine
from oracle import integer_range, outcome, python_function

#: Text, typecode, the instructions that it takes and no others.
LANES = [
    ("x*2 if x < 100 else 255", "B", ["LE_u8", "ADD_u8", "SEL_u8"]),
    ("x + 1 & 255", "B", ["ADD_u8"]),
    ("x ^ (x << 1) & 255", "B", ["ADD_u8", "XOR_u8"]),
    ("x ^ (x << 3) & 255", "B", ["MUL_u8", "XOR_u8"]),
    ("(x*1103515245 + 12345) & 255", "B", ["MUL_u8", "ADD_u8"]),
    ("x*y + 3 & 255", "B", ["MUL_u8", "ADD_u8"]),
    ("x*3 - y & 127", "b", ["MUL_i8", "SUB_i8", "AND_i8"]),
    ("(x > 1) + (x > 2)", "B", ["LE_u8", "LE_u8", "TO_i8_b1", "TO_i8_b1", "ADD_i8", "TO_u8_i8"]),
    ("x*31 + y & 65535", "H", ["MUL_u16", "ADD_u16"]),
    ("x*31 + 7 & 0xFFFFFFFF", "I", ["MUL_u32", "ADD_u32"]),
    ("-x if x < 0 else x", "i", ["LT_i32", "SUB_i32", "TO_u32_i32", "TO_u32_i32", "SEL_u32", "FIT_i32_u32"]),
    # full values: for a comparison, a shift to the right; a result that may not fit
    ("min(x + y, 255)", "B", ["TO_i16_u8", "TO_i16_u8", "ADD_i16", "LT_i16", "SEL_i16", "TO_u8_i16"]),
    ("(x*x) >> 8", "B", ["TO_u16_u8", "MUL_u16", "SHR_u16", "TO_u8_u16"]),
    ("x + 1", "B", ["TO_i16_u8", "ADD_i16", "FIT_u8_i16"]),
    # a product of bytes is none of words, beside which it would take longer
    ("x*y & 255 if x + y < 300 else 0", "B", ["ADD_i16", "LT_i16", "MUL_u16", "AND_u16", "SEL_u8"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "typecode", "instructions"), LANES)
def test_lanes(text: str, typecode: str, instructions: list[str]) -> None:
    body = ao.explain(text, typecode).partition("bytecode:\n")[2].partition("native")[0]
    found = [line.partition(" = ")[2].split()[0] for line in body.splitlines() if " = " in line]
    conversions = [name for name in found if name.startswith("TO_") and name not in instructions]
    assert sorted(name for name in found if name not in conversions) == sorted(instructions)


#: Texts of bytes, whose answers are 0 to 255 but where Python raises.
TEXTS = [
    "x*2 if x < 100 else 255", "x + y & 255", "x - y & 255", "x*y & 255", "x*y*x - 7 & 255", "x ^ (x << 1) & 255",
    "x ^ (x << 4) & 255", "(x << 7) + y & 255", "x*129 + y*255 & 255", "-x & 255", "~x - y & 255", "x*3 & y & 127",
    "min(x + y, 255)", "max(x - y, 0)", "x - y if x > y else y - x", "x - y if x >= y else 0",
    "x + y if x + y < 256 else 7",
    "(x*y & 255) >> 3", "(x*y & 255) * 2 & 0x1FE", "(x*y & 15) * (x + y & 15)", "(x + 1 & 255) // 3", "x*5 % 256",
    "x*y % 128 if x & 1 else x << 3 & 248", "x + y", "x*2", "x - 1", "x - y", "(x > 1) + (y > 2) + (x > y)",
    "x if x < y else y",
    "x*y + 3 & 255 if x != y else x", "(x*y + 200 & 255) < 100", "abs(x - y)", "(x | 256) + y & 255",
    "x << 2 & 255 | y >> 6",
    "x*16 + (y & 15) & 255", "(x*7 ^ y*3) + 1 & 255", "x*257 & 65535 & 255", "(x - 128) * y & 255",
    "(y*2 if y < 64 else 3) * x & 255",
    "x*2 - x", "x*0x10000000000000001 & 255", "(x + 2**70) * 3 & 255", "x - y & 255 if (x - y & 255) < 128 else 0",
]  # fmt: skip


OTHERS = (0, 1, 2, 3, 7, 16, 63, 64, 100, 127, 128, 129, 200, 254, 255)


def check(text: str, typecode: str, target: str) -> None:
    """Every byte with some others at once, then single elements of what raises."""
    low = -128 if typecode == "b" else 0
    bounds = integer_range(target)
    names = ao.compile(text).params
    pairs = [(x + low, y + low) for x in range(256) for y in (OTHERS if len(names) > 1 else (0,))]
    columns = [array(typecode, [pair["xy".index(name)] for pair in pairs]) for name in names]
    results = list(map(python_function(text), *columns))
    fits = [bounds[0] <= result <= bounds[1] for result in results]
    kept = [array(typecode, itertools.compress(column, fits)) for column in columns]
    assert ao.map(kept[0], text, *kept[1:], typecode=target) == array(target, itertools.compress(results, fits)), text
    for k in [k for k in range(0, len(pairs), 61) if not fits[k]][:20]:
        got = outcome(ao.map, columns[0][k : k + 1], text, *(c[k : k + 1] for c in columns[1:]), typecode=target)
        assert type(got.error) is OverflowError, (text, typecode, pairs[k], got)


def test_two_masks_that_wrap() -> None:
    """Both have ones above the byte that is demanded of them: the masks of each other they are not."""
    choice = "(0 if {0} <= 0 else ({0}*4 if {0} < 60 else (h if h < 200 else 0)))"
    text = choice.format("x") + " & " + choice.format("y")
    values = [(x, h, y) for x in range(-128, 128, 3) for y in range(-128, 128, 5) for h in (0, 5, 199, 200, 60000)]
    x, h, y = (array(code, column) for code, column in zip("bHb", zip(*values, strict=True), strict=True))
    expected = array("H", map(python_function(text), x, h, y))
    assert ao.map(x, text, h, y, typecode="H") == expected


def check_all() -> None:
    for text in TEXTS:
        for typecode, target in (("B", "B"), ("b", "b"), ("b", "B"), ("B", "h")):
            check(text, typecode, target)


@pytest.mark.parametrize("native", ["0", "always"])
@pytest.mark.parametrize("level", _machine.ISA_LEVELS)
def test_every_byte(level: str, native: str) -> None:
    environment = {"ARRAYOPS_ISA": level, "ARRAYOPS_NATIVE": native, "PYTHONPATH": str(Path(__file__).parent)}
    script = "import test_low_bits; test_low_bits.check_all()"
    subprocess.run([sys.executable, "-c", script], env=os.environ | environment, timeout=600, check=True)
