"""IR to steps for elements whose ints have more than 64 bits, which vm/arrays/bignum.c computes as Python does.

Only arithmetic: an IR with anything else has none, and such elements go to Python.
"""

from __future__ import annotations

import struct

from .ir import IR
from .machine import BIG_OPERATIONS, LIMITS

_CODES = {name: code for code, name in enumerate(BIG_OPERATIONS)}
#: Operators and functions by the number of their operands.
_STEPS: dict[tuple[str, int], str] = {
    ("+", 2): "ADD", ("-", 2): "SUB", ("*", 2): "MUL", ("/", 2): "DIV", ("//", 2): "FLOORDIV", ("%", 2): "MOD",
    ("<<", 2): "SHL", ("**", 2): "POW", ("neg", 1): "NEG", ("abs", 1): "ABS", ("float", 1): "FLOAT",
    ("sqrt", 1): "SQRT", ("lcm", 2): "LCM", ("comb", 2): "COMB", ("perm", 2): "PERM", ("perm", 1): "FACTORIAL",
    ("factorial", 1): "FACTORIAL",
}  # fmt: skip


def big_steps(ir: IR) -> bytes:
    """The steps that compute the IR's root, empty if there are none."""
    if len(ir.nodes) > LIMITS["BIG_STEPS"] or len(ir.params) > LIMITS["BIG_PARAMS"] or ir.root + 1 < len(ir.nodes):
        return b""
    steps = []
    for node in ir.nodes:
        name = str(node.value) if node.op == "call" else node.op
        code = _STEPS.get((name, len(node.args)))
        if code is not None:
            steps.append((_CODES[code], *node.args, *(0,) * (2 - len(node.args))))
        elif node.op == "param":
            assert isinstance(node.value, int)
            steps.append((_CODES["PARAM"], node.value, 0))
        elif isinstance(node.value, float):
            steps.append((_CODES["REAL"], struct.unpack("=q", struct.pack("=d", node.value))[0], 0))
        elif isinstance(node.value, int) and node.value.bit_length() < 64:
            steps.append((_CODES["INT"], int(node.value), 0))
        else:
            return b""
    return struct.pack(f"={3 * len(steps)}q", *(number for step in steps for number in step))
