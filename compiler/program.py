"""A program of the machine before and as bytes: registers, instructions, allocation.

A register is written once, until serialise gives temporaries their slots by a linear scan. The layout of the bytes is
that of vm.h; the machine verifies them again.
"""

from __future__ import annotations

import struct

from .machine import (
    HEADER_FORMAT,
    INSTRUCTION_FORMAT,
    LIMITS,
    MAGIC,
    MARKING,
    NO_OUT,
    NO_REG,
    OPCODES,
    TYPE_INDEX,
    TYPE_SIZES,
)


class TooLarge(Exception):
    """The program exceeds a limit of the machine."""


class Register:
    __slots__ = ("index", "place", "type", "value")

    def __init__(self, type: str, place: str, index: int = -1, value: int | float = 0) -> None:
        self.type, self.index, self.value = type, index, value
        self.place = place  # input, param, const, computed, temp, out


class Instr:
    __slots__ = ("dst", "flags", "guard", "name", "operands", "type")

    def __init__(self, name: str, type: str, dst: Register, operands: tuple[Register, ...],
                 guard: Register | None = None, flags: int = 0) -> None:  # fmt: skip
        self.name, self.type, self.dst, self.operands, self.guard, self.flags = name, type, dst, operands, guard, flags


class Program:
    """Instructions by section and the registers they use; ``code`` is what the machine loads."""

    def __init__(self, inputs: list[Register], params: list[Register], sections: dict[str, list[Instr]],
                 out_type: str | None) -> None:  # fmt: skip
        self.inputs, self.params, self.sections, self.out_type = inputs, params, sections, out_type
        self.accs: list[Register] = []  # of a fold: parameters side by side
        self.nexts: list[Register] = []  # their next values, each a register of its own
        self.mask: Register | None = None
        self.code = b""
        self.consts: list[Register] = []

    def listing(self) -> str:
        """The bytecode as text, one instruction a line."""
        lines = [] if self.mask is None else [f"mask      {_show(self.mask):>8}"]
        for section, instrs in self.sections.items():
            for i in instrs:
                operands = ", ".join(_show(r) for r in i.operands)
                guard = f"  if {_show(i.guard)}" if i.guard else ""
                mark = "  (marking pass only)" if i.flags & MARKING else ""
                lines.append(f"{section:9} {_show(i.dst):>8} = {i.name}_{i.type} {operands}{guard}{mark}")
        return "\n".join(lines)


_SHORT = {"input": "in", "param": "p", "computed": "u", "temp": "t"}


def _show(r: Register) -> str:
    if r.place == "const":
        return f"{r.value!r}"
    return "out" if r.place == "out" else f"{_SHORT[r.place]}{r.index}"


def serialise(program: Program) -> bytes:
    """What the machine loads. Raises TooLarge."""
    computed, temps = _allocate(program)
    counts = (len(program.inputs), len(program.params), len(program.consts), computed, temps)
    base: dict[str, int] = {}
    total = 0
    for place, count in zip(("input", "param", "const", "computed", "temp", "out"), (*counts, 1), strict=True):
        base[place] = total
        total += count
    sizes = [len(instrs) for instrs in program.sections.values()]
    uniforms = counts[1] + counts[2] + counts[3]
    if (counts[0] > LIMITS["MAX_INPUTS"] or uniforms > LIMITS["MAX_UNIFORMS"] or temps > LIMITS["MAX_TEMPS"]
            or sum(sizes) > LIMITS["MAX_INSTRS"] or len(program.accs) > LIMITS["MAX_ACCUMULATORS"]):  # fmt: skip
        raise TooLarge

    def number(register: Register | None) -> int:
        return NO_REG if register is None else base[register.place] + register.index

    out = NO_OUT if program.out_type is None else TYPE_INDEX[program.out_type]
    carried = [number(some[0] if some else None) for some in (program.accs, program.nexts)]
    further = max(len(program.accs) - 1, 0)
    parts = [
        struct.pack(HEADER_FORMAT, MAGIC, *counts, *sizes, *carried, number(program.mask), out, further),
    ]
    types = bytes(TYPE_INDEX[r.type] for r in (*program.inputs, *program.params, *program.consts))
    parts.append(types + bytes(-len(types) % 8))
    for r in program.consts:
        parts.append(struct.pack("=d" if r.type == "f64" else "=q" if r.value < 0 else "=Q", r.value))
    for instrs in program.sections.values():
        for i in instrs:
            # More than three are one and a run of constants, of which the machine wants the first and the last.
            ends = i.operands if len(i.operands) <= 3 else (*i.operands[:2], i.operands[-1])
            operands = [number(r) for r in ends] + [NO_REG] * (3 - len(ends))
            code = OPCODES[i.name, i.type]
            parts.append(struct.pack(INSTRUCTION_FORMAT, code, i.flags, number(i.dst), *operands, number(i.guard), 0))
    return b"".join(parts)


def _allocate(program: Program) -> tuple[int, int]:
    """Gives computed uniforms and temporaries their indices; returns how many of each there are.

    A temporary's slot is free after its last use. What the scan reads lives to the end of the scan: every instruction
    of it runs again for the next element. The next accumulators have the first slots, side by side and to themselves.
    """
    order = [(s, i) for s, instrs in program.sections.items() for i in instrs]
    last: dict[int, int] = {}
    ends = {s: max((k for k, (section, _) in enumerate(order) if section == s), default=-1) for s in program.sections}
    for k, (section, i) in enumerate(order):
        until = ends[section] if section == "scan" else k
        for r in (*i.operands, i.guard):
            if r is not None:
                last[id(r)] = max(last.get(id(r), -1), until)
    if program.mask is not None:
        last[id(program.mask)] = len(order)
    computed, slots = 0, len(program.nexts)
    own = {id(r): slot for slot, r in enumerate(program.nexts)}
    free: list[int] = []
    held: list[tuple[int, int]] = []  # (last use, slot) of what is live past its instruction
    for k, (section, i) in enumerate(order):
        dst = i.dst
        if dst.place == "computed":
            dst.index, computed = computed, computed + 1
        still = [(end, slot) for end, slot in held if end >= k]
        free.extend(slot for end, slot in held if end < k)
        held = still
        if dst.place == "out":
            dst.index = 0
        elif id(dst) in own:
            dst.index = own[id(dst)]
        elif dst.place == "temp":
            slot = _reuse(i, k, last, held)
            if slot is None:
                slot = free.pop() if free else slots
                slots = max(slots, slot + 1)
            else:
                held = [(end, s) for end, s in held if s != slot]
            dst.index = slot
            # Even what nothing reads keeps its slot through the scan, which writes each slot once for every element.
            held.append((max(last.get(id(dst), k), ends["scan"] if section == "scan" else k), slot))
    return computed, slots


def _reuse(i: Instr, k: int, last: dict[int, int], held: list[tuple[int, int]]) -> int | None:
    """The slot of an operand that dies here and is as wide as the result. (The guard is read after the write.)"""
    size = TYPE_SIZES[i.dst.type]
    dying = (r for r in i.operands if r.place == "temp" and last[id(r)] == k and r is not i.guard)
    return next((r.index for r in dying if TYPE_SIZES[r.type] == size and (k, r.index) in held), None)
