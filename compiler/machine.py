"""The machine's constants: the one door from C to whoever compiles for it.

Tables and limits are what the extension module says of itself (vm/ops.def, vm/vm.h); nothing here repeats a number that
C has. The rows of typecodes say which array.array can be made of what the machine computes.
"""

from __future__ import annotations

from array import array

from .. import _machine
from .._machine import ISA, ISA_LEVELS, LIMITS, MAGIC, MISSING, OPS, SLOT_KINDS, TYPE_SIZES, TYPES

__all__ = [
    "EXACT_FLOAT", "FLOAT_TYPECODES", "ISA", "ISA_LEVELS", "LIMITS", "MACHINE_TYPES", "MAGIC", "MARKING",
    "MAX_THREADS", "MISSING", "NO_OUT", "NO_REG", "OPCODES", "OPS", "SLOT_KINDS", "STORE", "TYPECODES", "TYPES",
    "TYPE_INDEX", "TYPE_SIZES", "bad_typecode", "capture", "find",
]  # fmt: skip

#: Number of each opcode, by (name, type).
OPCODES: dict[tuple[str, str], int] = {(op["name"], op["type"]): i for i, op in enumerate(OPS)}
#: Number of each machine type.
TYPE_INDEX = {name: index for index, name in enumerate(TYPES)}
NO_REG = LIMITS["NO_REG"]
NO_OUT = 255  # the type of the result of a program without one
MARKING, STORE = 1, 2  # flags of instructions
MAX_THREADS = LIMITS["MAX_THREADS"]
EXACT_FLOAT = 1 << 53  # every int up to here is a double

#: Typecodes of the arrays that results are given out in. Taken in is any format that _machine.buffer_info knows.
TYPECODES = "bBhHiIlLqQfd"
FLOAT_TYPECODES = "fd"
#: The machine type of the elements of each.
MACHINE_TYPES = {code: _machine.buffer_info(array(code))[1] for code in TYPECODES}

capture, find = _machine.capture, _machine.find


def bad_typecode(code: object) -> ValueError:
    """What is raised for a typecode that is none."""
    return ValueError(f"bad typecode {code!r}: must be one of {', '.join(TYPECODES[:-1])} or {TYPECODES[-1]}")
