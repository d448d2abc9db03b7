"""The machine's constants: the one door from C to whoever compiles for it.

Tables and limits are what the extension module says of itself (vm/ops.def, vm/vm.h); nothing here repeats a number that
C has. The rows of typecodes say what can be made of what the machine computes.
"""

from __future__ import annotations

from .. import _machine
from .._machine import (
    BIG_OPERATIONS,
    CONSTANTS,
    HEADER_FORMAT,
    INSTRUCTION_FORMAT,
    ISA,
    ISA_LEVELS,
    LIMITS,
    MAGIC,
    MISSING,
    NUMBER_LANES,
    OPS,
    SLOT_KINDS,
    STORED_TYPES,
    TYPE_SIZES,
    TYPES,
)

__all__ = [
    "ARRAY_TYPECODES", "BIG_OPERATIONS", "CONSTANTS", "EXACT_FLOAT", "FLOAT_TYPECODES", "HEADER_FORMAT",
    "INSTRUCTION_FORMAT", "ISA", "ISA_LEVELS", "LIMITS", "MACHINE_TYPES", "MAGIC", "MARKING", "MAX_THREADS",
    "MISSING", "NO_OUT", "NO_REG", "NUMBER_LANES", "OPCODES", "OPS", "SLOT_KINDS", "STORE", "STORED_TYPES",
    "TYPECODES", "TYPES", "TYPE_INDEX", "TYPE_SIZES", "capture", "find",
]  # fmt: skip

#: Number of each opcode, by (name, type).
OPCODES: dict[tuple[str, str], int] = {(op["name"], op["type"]): i for i, op in enumerate(OPS)}
#: Number of each machine type, and after them of those that buffers have and the machine has not.
TYPE_INDEX = {name: index for index, name in enumerate((*TYPES, *STORED_TYPES))}
TYPE_INDEX |= {f"table_{name}": CONSTANTS["TABLE_OF"] + index for index, name in enumerate(TYPES)}
NO_REG = LIMITS["NO_REG"]
NO_OUT = CONSTANTS["NO_TYPE"]  # the type of the result of a program without one
MARKING, STORE = CONSTANTS["MARKING"], CONSTANTS["STORE"]  # flags of instructions
MAX_THREADS = LIMITS["MAX_THREADS"]
EXACT_FLOAT = 1 << 53  # every int up to here is a double

#: Typecodes that results are given out in. Taken in is any format that _machine.buffer_info knows.
TYPECODES = tuple(code for code, row in _machine.TYPECODES.items() if row["given"])
#: Those that array.array has; results of the others are Views.
ARRAY_TYPECODES = tuple(code for code in TYPECODES if _machine.TYPECODES[code]["given"] == "array")
FLOAT_TYPECODES = tuple(code for code in TYPECODES if _machine.TYPECODES[code]["kind"] == "f")
#: The type that programs are compiled for, of the elements of each: the machine's, or a key of STORED_TYPES.
MACHINE_TYPES = {code: _machine.TYPECODES[code]["type"] for code in TYPECODES}

capture, find = _machine.capture, _machine.find
