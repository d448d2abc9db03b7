"""Instructions joined: operations on floats that follow each other become one instruction, with the same bits.

An instruction writes its results to memory for the next to read, which for + - * takes longer than the operation. So
a product that only a sum needs becomes MADD (d = a*b + c, rounded twice, as before) or one of its kin, and a chain of
those in one variable with constant coefficients becomes HORNER, which keeps everything in registers; a coefficient
that is subtracted is its negative, added. In a fold what is added to the accumulator is added up before, in the part
that goes by blocks.

Of ints, a sum or product of 64 bits that is only stored as 32 becomes one of 32 bits that marks what does not fit.
Otherwise only operations that cannot fault are joined. Registers are still single-assignment here; program.py
allocates them after.
"""

from __future__ import annotations

from .program import Instr, Program, Register

#: (operation, operation that made one of its operands, which operand) -> the operation that does both. Its operands are
#: those of the first operation and then the other one.
_PAIRS = {
    ("ADD", "MUL", 0): "MADD", ("ADD", "MUL", 1): "MADD", ("SUB", "MUL", 0): "MSUB", ("SUB", "MUL", 1): "NMADD",
    ("MUL", "ADD", 0): "ADDM", ("MUL", "ADD", 1): "ADDM", ("MUL", "SUB", 0): "SUBM", ("MUL", "SUB", 1): "SUBM",
}  # fmt: skip
#: Of i32 to i64, of which only an i32 is wanted -> the operation on i32.
_FITTED = {"ADD_WIDE": "ADD_CHECKED", "SUB_WIDE": "SUB_CHECKED", "MUL_WIDE": "MUL_CHECKED"}
_ASSOCIATIVE = ("ADD", "MUL", "AND", "OR", "XOR")  # of ints, which wrap
_LEAST = 3  # coefficients of a HORNER; fewer are a MADD


def fuse(program: Program) -> None:
    """Joins what can be joined, in place, and drops the constants that nobody uses any more."""
    uses: dict[int, int] = {}
    for instrs in program.sections.values():
        for i in instrs:
            for r in (*i.operands, i.guard):
                uses[id(r)] = uses.get(id(r), 0) + 1
    for register in (*program.nexts, program.mask):
        if register is not None:
            uses[id(register)] = 2  # it has a reader that is no instruction
    _earlier(program, uses)
    polynomials: list[Instr] = []
    for section, instrs in program.sections.items():
        if section != "prologue":
            joined = _pairs(_fitted(instrs, uses), uses)
            program.sections[section] = _chains(joined, uses, polynomials)
    _number_constants(program, polynomials)


def _earlier(program: Program, uses: dict[int, int]) -> None:
    """Of a fold: (acc + a) + b as acc + (a + b), whose second sum is not in the chain from one element to the next."""
    body, scan = program.sections["body"], program.sections["scan"]
    if not scan:
        return
    made = {id(i.dst): i for i in scan}
    carried = made.keys() | {id(r) for r in program.accs}
    dropped: set[int] = set()
    for i in scan:
        if i.name not in _ASSOCIATIVE or i.type == "f64" or len(i.operands) != 2:
            continue
        inner, last = i.operands if id(i.operands[0]) in made else i.operands[::-1]
        before = made.get(id(inner))
        if before is None or before.name != i.name or uses[id(inner)] > 1 or id(last) in carried:
            continue
        acc, first = before.operands if id(before.operands[0]) in carried else before.operands[::-1]
        if id(first) in carried or not {first.place, last.place} & {"input", "temp"}:
            continue
        both = Register(i.type, "temp")
        body.append(Instr(i.name, i.type, both, (first, last)))
        i.operands = (acc, both)
        uses[id(both)] = 1
        dropped.add(id(before))
    scan[:] = [i for i in scan if id(i) not in dropped]


def _fitted(instrs: list[Instr], uses: dict[int, int]) -> list[Instr]:
    made: dict[int, Instr] = {}
    dropped: set[int] = set()
    for i in instrs:
        first = made.get(id(i.operands[0])) if i.name == "FIT_i32" else None
        if first is not None and uses[id(first.dst)] == 1:
            dropped.add(id(first))
            i.name, i.type, i.operands = _FITTED[first.name], "i32", first.operands
        elif i.name in _FITTED:
            made[id(i.dst)] = i
    return [i for i in instrs if id(i) not in dropped]


def _pairs(instrs: list[Instr], uses: dict[int, int]) -> list[Instr]:
    made: dict[int, Instr] = {}
    dropped: set[int] = set()
    result = []
    for i in instrs:
        for position, r in enumerate(i.operands):
            first = made.get(id(r))
            name = None if first is None or uses[id(r)] > 1 else _PAIRS.get((i.name, first.name, position))
            if name is not None and first is not None and i.type == "f64":
                dropped.add(id(first))
                i = Instr(name, "f64", i.dst, (*first.operands, i.operands[1 - position]))
                break
        if i.type == "f64" and i.dst.place == "temp":
            made[id(i.dst)] = i
        result.append(i)
    return [i for i in result if id(i) not in dropped]


def _coefficient(i: Instr) -> Register | None:
    """What is added to a product, if that is a constant."""
    if i.name not in ("MADD", "MSUB") or i.operands[2].place != "const":
        return None
    last = i.operands[2]
    if i.name == "MADD":
        return last
    return None if last.value != last.value else Register("f64", "const", value=-last.value)  # -nan is another nan


def _chains(instrs: list[Instr], uses: dict[int, int], polynomials: list[Instr]) -> list[Instr]:
    chains: dict[int, Instr] = {}  # by result: a polynomial so far, its operands the variable and the coefficients
    longer: dict[int, Instr] = {}  # by instruction
    dropped: set[int] = set()
    for i in instrs:
        last = _coefficient(i)
        if last is None:
            continue
        a, b, _ = i.operands
        if a.place == "const" or b.place == "const":
            x, first = (b, a) if a.place == "const" else (a, b)
            chain = Instr("HORNER", "f64", i.dst, (x, first, last))
        else:
            pairs = ((chains.get(id(r)), uses[id(r)], x) for r, x in ((a, b), (b, a)))
            before = next((c for c, used, x in pairs if c is not None and used == 1 and c.operands[0] is x), None)
            if before is None:
                continue
            chain = Instr("HORNER", "f64", i.dst, (*before.operands, last))
            dropped.add(id(before.dst))
        chains[id(i.dst)] = longer[id(i)] = chain
    result = []
    for i in instrs:
        chain = longer.get(id(i), i)
        if chain is not i and id(chain.dst) in dropped:
            continue
        if chain is not i and len(chain.operands) > _LEAST:
            polynomials.append(chain)
            i = chain
        result.append(i)
    return result


def _number_constants(program: Program, polynomials: list[Instr]) -> None:
    """Gives constants their registers again: those in use, and for each polynomial a run of its own."""
    joined = {id(i) for i in polynomials}
    used = {id(r) for instrs in program.sections.values() for i in instrs if id(i) not in joined
            for r in (*i.operands, i.guard)}  # fmt: skip
    program.consts = [r for r in program.consts if id(r) in used]
    for i in polynomials:
        run = [Register("f64", "const", value=r.value) for r in i.operands[1:]]
        i.operands = (i.operands[0], *run)
        program.consts += run
    for index, r in enumerate(program.consts):
        r.index = index
