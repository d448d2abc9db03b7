"""Terms to a program of the machine: lanes, guards, instructions.

Four decisions are made here, each over the whole graph at once:

demand   how many low bits of each int anybody looks at. + - * << & | ^ and the arms of a choice need no more of their
         operands, so they run as wrapping arithmetic without checks: below a mask, and where the interval of a result
         says that it fits a lane, which those bits then determine.
lanes    the narrowest integer type that holds an operation's operands and result, or the bits that are demanded of it;
         or that infer.py cut it to.
guards   the condition under which Python evaluates a term, as a disjunction of conjunctions of condition terms. It
         masks the term's faults. A guard that is too weak is not wrong: a mark only sends an element to Python.
sections what can run once, per block, or only element by element because it depends on a fold's accumulator.

Then fuse.py joins instructions, and program.py allocates registers and makes the bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .fuse import fuse
from .guards import REFUSED, truth_between
from .ir import WHOLE_FUNCTIONS
from .machine import MARKING, OPCODES, OPS, STORE, TYPE_SIZES, TYPES
from .program import Instr, Program, Register, serialise
from .terms import Graph, Param, Term, interval

FAULTS = {op["name"] for op in OPS if op["faults"]}
#: (operation that may mark, type) -> the one that does the same and never marks.
_UNMARKED = {
    (op["name"], op["type"]): plain
    for op in OPS
    for plain in (op["name"].removesuffix("_CHECKED"), op["name"].replace("FIT_", "TO_"))
    if op["faults"] and (plain, op["type"]) in OPCODES and plain not in FAULTS
}

EXACT = 1000  # a demand for every bit
_ALWAYS = frozenset((frozenset[tuple[int, bool]](),))
_MOST_CONJUNCTIONS = 8  # a guard of more becomes "always"

Guard = frozenset[frozenset[tuple[int, bool]]]

#: The machine's name of each float or bool term: the term's in capitals, but for three; and checked, if it ends in c.
_TERMS = {"FLOORDIV": "fdiv", "MOD": "rem", "ISFIN": "isfinite"}
_PLAIN: dict[str, str] = {}
for _op in OPS:
    _base = _op["name"].removesuffix("_CHECKED")
    _PLAIN[_TERMS.get(_base, _base.lower()) + ("c" if _base != _op["name"] else "")] = _op["name"]
#: Int terms: the machine's name where the interval fits the lane, and where it was cut.
_INT = {
    "add": ("ADD", "ADD_CHECKED"), "sub": ("SUB", "SUB_CHECKED"), "mul": ("MUL", "MUL_CHECKED"),
    "shl": ("SHL", "SHL_CHECKED"), "floordiv": ("FLOORDIV_CHECKED", "FLOORDIV_CHECKED"),
    "mod": ("MOD_CHECKED", "MOD_CHECKED"), "ipow": ("IPOW", "IPOW"), "and": ("AND", "AND"), "or": ("OR", "OR"),
    "xor": ("XOR", "XOR"), "shr": ("SHR", "SHR"), "shrc": ("SHR_CHECKED", "SHR_CHECKED"), "abs": ("ABS", "ABS"),
    **{name: (name.upper(), name.upper()) for name in WHOLE_FUNCTIONS},
}  # fmt: skip
#: Float terms of a float and an int.
_MIXED = {"round": "ROUND", "roundc": "ROUND_CHECKED", "ldexp": "LDEXP"}
#: Int terms of two i32 operands and an i64 result.
_WIDENING = {"add": "ADD_WIDE", "sub": "SUB_WIDE", "mul": "MUL_WIDE"}
_COMPARE = {"eq": "EQ", "ne": "NE", "lt": "LT", "le": "LE"}
_CLOSED = ("add", "sub", "mul", "and", "or", "xor", "if", "shl")  # low bits of the result need only low bits


#: Integer types each operation is built for, narrowest first, signed before unsigned.
_LANES: dict[str, list[str]] = {op["name"]: [] for op in OPS}
for _op in sorted(OPS, key=lambda op: (TYPE_SIZES[op["type"]], op["type"][0] == "u")):
    if _op["type"][0] in "iu":
        _LANES[_op["name"]].append(_op["type"])
_BOUNDS = {t: interval(t) for t in TYPES if t[0] in "iu"}
_MOST_DOUBLINGS = 4  # by which bytes are multiplied as bytes beside wider numbers, too
_CHEAP_FACTORS = [1 << doublings for doublings in range(1, _MOST_DOUBLINGS + 1)]


def lower(graph: Graph, params: list[Param], root: int, out: str | None, nexts: Sequence[int] = (),
          mask: int | None = None) -> Program:  # fmt: skip
    """The program that computes ``root`` and stores it as machine type ``out``; ``mask`` is the term of its mask.

    With nexts the program is a fold: its first parameters are accumulators, nexts their next values, one of which is
    the root, and ``out``, if not None, receives that for each element. Raises TooLarge.
    """
    return _Lowering(graph, params, root, nexts, mask).run(out)


class _Lowering:
    def __init__(self, graph: Graph, params: list[Param], root: int, nexts: Sequence[int], mask: int | None) -> None:
        self.terms = graph.terms
        self.params, self.root, self.nexts, self.mask = params, root, nexts, mask
        count = self.count = max(root, *nexts, -1 if mask is None else mask) + 1
        self.need = [0] * count
        self.guard: list[Guard] = [frozenset()] * count
        self.width = [EXACT] * count
        self.wrapped = [False] * count
        self.modular = [False] * count
        self.byte_products, self.has_byte_product = True, False
        self.scanned = [False] * count
        self.lane: list[str] = [""] * count
        self.registers: list[Register | None] = [None] * count
        self.mask_register: Register | None = None
        self.current, self.hoisting = -1, False
        self.conversions: dict[tuple[int, str, bool], Register] = {}
        self.consts: dict[tuple[str, object], Register] = {}
        self.guards: dict[tuple[Guard, str], Register | None] = {}
        self.sections: dict[str, list[Instr]] = {"prologue": [], "body": [], "scan": [], "epilogue": []}
        self.inputs: list[Register] = []
        self.numbers: list[Register] = []
        self.bound: list[Register | None] = []
        for p in params:
            if p.type == "big":  # a constant; the machine skips it among the arguments, too
                self.bound.append(None)
                continue
            same = self.inputs if p.array else self.numbers
            kind = f"table_{p.type}" if p.table else p.type
            same.append(Register(kind, "input" if p.array else "param", len(same)))
            self.bound.append(same[-1])
        self.accumulators = [r for r in self.bound[: len(nexts)] if r is not None]

    def run(self, out: str | None) -> Program:
        self.demand()
        live = [index for index in range(self.count) if self.need[index]]
        for index in live:
            self.settle(index)
        if self.has_byte_product and (out is None or TYPE_SIZES[out] > 1 or any(map(self.is_wide, live))):
            self.byte_products = False
            for index in live:
                self.settle(index)
        for index in live:
            if self.registers[index] is None:
                self.current = index
                self.registers[index] = self.emit(index)
        program = Program(self.inputs, self.numbers, self.sections, out)
        if not self.nexts:
            assert out is not None
            if self.mask is not None:
                program.mask = self.mask_register = self.truth_values(self.mask)
            self.store(self.root, out)
        else:
            self.carry(program, out)
        program.consts = list(self.consts.values())
        fuse(program)
        program.code = serialise(program)
        return program

    # -- demand and guards: from users to operands ---------------------------------------------------------------

    def demand(self) -> None:
        terms, need, guard = self.terms, self.need, self.guard
        for root in (self.root, *self.nexts):
            need[root] = EXACT
            guard[root] = _ALWAYS
        if self.mask is not None:
            guard[self.root] = frozenset((frozenset(((self.mask, True),)),))
            need[self.mask] = EXACT
            guard[self.mask] |= _ALWAYS
        for index in range(self.count - 1, -1, -1):
            if not need[index]:
                continue
            term = terms[index]
            g = guard[index] = _simplify(guard[index])
            bits = need[index]
            if term.kind == "i":
                self.width[index] = self.width_of(term)
                bits = min(bits, self.width[index])
            for position, arg in enumerate(term.args):
                need[arg] = max(need[arg], self.demand_of(term, position, bits))
                if term.op == "if" and position:
                    literal = (term.args[0], position == 1)
                    guard[arg] |= frozenset(c | {literal} for c in g if (literal[0], not literal[1]) not in c)
                else:
                    guard[arg] |= g

    def width_of(self, term: Term) -> int:
        """The bits of the lane that an int's interval fits: no more of its operands are demanded. Or EXACT.

        An interval that was cut, or one below it, holds only where overflow is checked, which nobody has decided yet.
        """
        if not self.is_closed(term):
            return EXACT
        below_mask = term.op == "and" and any(self.is_mask(self.terms[a]) for a in term.args)
        if (term.clamped and not below_mask) or term.lane is not None:
            return EXACT
        bits = term.hi.bit_length() if term.lo >= 0 else 1 + max((~term.lo).bit_length(), term.hi.bit_length())
        return 8 * _bytes_of(bits) if bits <= 64 else EXACT

    @staticmethod
    def is_mask(term: Term) -> bool:
        return term.lo >= 0 and not term.clamped

    def demand_of(self, term: Term, position: int, bits: int) -> int:
        """Low bits of an operand that determine the low ``bits`` of the term."""
        if term.kind != "i":
            return EXACT
        if term.op == "check":
            return EXACT if position else bits
        if term.op == "if":
            return bits if position else EXACT
        if term.op == "and":
            own, other = self.terms[term.args[position]], self.terms[term.args[1 - position]]
            # Of two masks the lesser one is it, and has all bits that are demanded: what wraps in both hides nothing.
            is_less = self.is_mask(own) and (own.hi, position) < (other.hi, 1 - position)
            return max(min(bits, other.hi.bit_length()), 1) if self.is_mask(other) and not is_less else bits
        if term.op == "shl":
            count = self.terms[term.args[1]]
            if position or count.op != "const":
                return EXACT
            return max(bits - count.lo, 1) if bits <= 64 else EXACT
        return bits if term.op in _CLOSED else EXACT

    # -- lanes: from operands to users ---------------------------------------------------------------------------

    def is_wide(self, index: int) -> bool:
        """Whether vectors have numbers of more than a byte for this term."""
        return not self.terms[index].uniform and TYPE_SIZES.get(self.lane[index], 1) > 1

    def settle(self, index: int) -> None:
        """Decides wrapping, section and lane of a live term."""
        term = self.terms[index]
        args = term.args
        self.scanned[index] = any(self.scanned[a] for a in args) or (
            term.op == "param" and term.value < len(self.nexts)
        )
        if term.op == "check":
            self.wrapped[index], self.lane[index] = self.wrapped[args[0]], self.lane[args[0]]
        elif term.op in ("param", "item"):
            self.lane[index] = self.params[term.value].type
        elif term.kind != "i":
            self.lane[index] = "b1" if term.kind == "b" else "f64"
        elif term.op != "const":
            lane, modular = self.choose_lane(index)
            self.lane[index], self.modular[index] = lane, modular
            self.wrapped[index] = modular and not self.is_exact_in(index, lane)
            self.has_byte_product |= TYPE_SIZES[lane] == 1 and term.op in ("mul", "shl")

    def choose_lane(self, index: int) -> tuple[str, bool]:
        """The lane of an operation, and whether it is modular: runs as wrapping arithmetic.

        It is where it takes a narrower lane so, or would be checked, or has a wrapped operand. Where operands have
        wider lanes anyway, it has theirs: to convert them takes time, and they say how many a vector has.
        """
        term, need, bits = self.terms[index], self.need[index], min(self.need[index], self.width[index])
        if bits > 64 or not self.is_closed(term):
            return self.exact_lane(index), False
        least = max(self.least_size(term), _bytes_of(bits))
        args = [self.resolve(a) for a in (term.args[1:] if term.op == "if" else term.args)]
        lanes = [self.lane[a] for a in args if not self.terms[a].uniform]
        widest = max(map(TYPE_SIZES.__getitem__, lanes), default=1)
        if term.lane is None and not any(self.wrapped[a] for a in args):
            least = max(least, widest)
            exact = self.exact_lane(index)
            if TYPE_SIZES[exact] <= least:
                return exact, False
        else:
            least = max(least, min(widest, 4 if bits <= 32 else 8))
        lane = self.lane_of_size(term, least, lanes)
        if need > bits and not self.is_exact_in(index, lane):  # the bits that say which number it is, and no others
            lane = self.lane_of_size(term, _bytes_of(bits), lanes)
        return lane, True

    def exact_lane(self, index: int) -> str:
        """The lane of an operation on operands that are exact, which holds all of them."""
        term = self.terms[index]
        if term.op == "fix":
            return "i64"
        if term.lane is not None:
            return term.lane
        name = "SEL" if term.op == "if" else _INT[term.op][0]
        args = term.args[1:] if term.op == "if" else term.args
        return self.narrowest(name, (index, *args), self.least_size(term))

    def is_closed(self, term: Term) -> bool:
        return term.op in _CLOSED and (term.op != "shl" or self.terms[term.args[1]].op == "const")

    def least_size(self, term: Term) -> int:
        """2 for a product of bytes that takes longer than one of words beside what is wider."""
        if self.byte_products or term.op not in ("mul", "shl"):
            return 1
        first, second = (self.terms[a] for a in term.args)
        if term.op == "shl":
            return 1 if second.op == "const" and second.lo <= _MOST_DOUBLINGS else 2
        return 1 if any(t.op == "const" and t.value in _CHEAP_FACTORS for t in (first, second)) else 2

    @staticmethod
    def lane_of_size(term: Term, size: int, lanes: Sequence[str]) -> str:
        """One that holds the interval, if one does; and if possible one of these, which operands have."""
        own = [lane for lane in lanes if TYPE_SIZES[lane] == size and lane != "b1"]
        signs = "iu" if own and all(lane[0] == "i" for lane in own) else "ui"
        first, second = (f"{sign}{8 * size}" for sign in signs)
        return second if _holds(second, term.lo, term.hi) and not _holds(first, term.lo, term.hi) else first

    def is_exact_in(self, index: int, lane: str) -> bool:
        """Whether wrapping arithmetic in a lane leaves the very value there."""
        term, bits = self.terms[index], 8 * TYPE_SIZES[lane]
        return (
            self.width[index] <= 64
            and _holds(lane, term.lo, term.hi)
            and all(
                not self.wrapped[a] or self.need[a] >= self.demand_of(term, position, bits)
                for position, a in enumerate(term.args)
            )
        )

    def narrowest(self, name: str, indices: Iterable[int], least: int = 1) -> str:
        """The narrowest lane of an operation that holds all these terms; i64, with checks, if none does."""
        terms = [self.terms[i] for i in indices]
        lo, hi = min(t.lo for t in terms), max(t.hi for t in terms)
        for lane in _LANES[name]:
            bounds = _BOUNDS[lane]
            if bounds[0] <= lo and hi <= bounds[1] and TYPE_SIZES[lane] >= least:
                return lane
        first = terms[0]
        return self.mask_lane(first) if first.op == "and" and first.lo >= 0 else "i64"

    def mask_lane(self, term: Term) -> str:
        return "u32" if term.hi <= _BOUNDS["u32"][1] else "u64"

    # -- instructions ----------------------------------------------------------------------------------------------

    def hoist(self, condition: int) -> bool:
        """Emits a guard's condition before its turn, unless it depends on the term in hand (or on a hoisted one)."""
        if self.hoisting:
            return False
        ahead: set[int] = set()
        stack = [condition]
        while stack:
            index = stack.pop()
            if index == self.current:
                return False
            if self.registers[index] is None and self.terms[index].op != "const" and index not in ahead:
                ahead.add(index)
                stack.extend(self.terms[index].args)
        self.hoisting = True
        for index in sorted(ahead):
            self.registers[index] = self.emit(index)
        self.hoisting = False
        return True

    def emit(self, index: int) -> Register | None:
        term = self.terms[index]
        op, args = term.op, term.args
        if op == "const":
            return None  # a register for each type it is used in: constant()
        if op == "check":
            return self.registers[args[0]]
        if op == "param":
            bound: Register | None = self.bound[term.value]
            return bound
        if op == "fail":
            return self.instr("FAIL", "b1", "b1", (), index)
        if op == "item":
            table, lane = self.bound[term.value], self.lane[index]
            assert table is not None
            return self.instr("TAKE", lane, lane, (self.get(args[0], "i64", index), table), index)
        if op == "if":
            lane = self.lane[index]
            operands = (self.get(args[0], "b1"), self.get(args[1], lane, index), self.get(args[2], lane, index))
            return self.instr("SEL", lane, lane, operands, index)
        if op in _COMPARE:
            floats = any(self.terms[a].kind == "f" for a in args)
            lane = "f64" if floats else self.narrowest("EQ", args)
            found = None if floats else self.compared_with_number(term, lane)
            op, numbers = found or (op, {})
            compared = (
                self.constant(numbers[a], lane, False, index) if a in numbers else self.get(a, lane, index)
                for a in args
            )
            return self.instr(_COMPARE[op], lane, "b1", tuple(compared), index)
        if op == "diff":
            lane = self.narrowest("DIFF", args[:1])
            return self.instr("DIFF", lane, "f64", (self.get(args[0], lane, index), self.get(args[1], "f64")), index)
        if op == "quot":
            lane = self.narrowest("TRUEDIV", args)
            return self.instr("TRUEDIV", lane, "f64", tuple(self.get(a, lane, index) for a in args), index)
        if op in _MIXED:
            number, count = self.get(args[0], "f64", index), self.get(args[1], "i64", index)
            return self.instr(_MIXED[op], "f64", "f64", (number, count), index)
        if op == "to_float":
            return self.get(args[0], "f64", index)
        if op == "fix":
            return self.instr("FIX", "f64", "i64", (self.get(args[0], "f64"),), index)
        if op in REFUSED and all(self.excluded(index, *region) for region in REFUSED[op]):
            op = op[:-1]  # the guard says that it never marks
        if term.kind == "i":
            return self.emit_int(index)
        lane = "f64" if term.kind == "f" or op in ("isnan", "isinf", "isfinite") else "b1"
        return self.instr(_PLAIN[op], lane, self.lane[index], tuple(self.get(a, lane, index) for a in args), index)

    def compared_with_number(self, term: Term, lane: str) -> tuple[str, dict[int, int]] | None:
        """x < c as x <= c - 1 if unsigned, x <= c as x < c + 1 if signed, which are fewer instructions with AVX2: the
        operation, and what stands for c. None where it stays as it is."""
        if term.op != ("lt" if lane[0] == "u" else "le"):
            return None
        for a, step in zip(term.args, (1, -1), strict=True):
            number = self.terms[self.resolve(a)]
            value = int(number.lo) + (step if term.op == "lt" else -step)
            if number.op == "const" and _holds(lane, value, value):
                return "le" if term.op == "lt" else "lt", {a: value}
        return None

    def emit_int(self, index: int) -> Register:
        term, lane = self.terms[index], self.lane[index]
        checked = term.lane is not None and not self.wrapped[index]
        if lane == "i64" and not checked and term.op in _WIDENING:
            narrow = [self.narrow(a) for a in term.args]
            if None not in narrow:
                return self.instr(_WIDENING[term.op], "i32", "i64", tuple(r for r in narrow if r is not None), index)
        if term.op == "shl" and TYPE_SIZES[lane] == 1:  # bytes are not shifted but multiplied
            factor = self.constant(1 << self.terms[term.args[1]].lo, lane, True, index)
            return self.product(lane, (self.get(term.args[0], lane, index), factor), index)
        operands = tuple(self.get(a, lane, index) for a in term.args)
        if term.op == "mul" and not checked:
            return self.product(lane, operands, index)
        if term.op == "and":
            whole = _BOUNDS[lane][1] if lane[0] == "u" else -1
            for mask, other in (operands, operands[::-1]):  # a mask of the whole lane keeps everything
                if mask.place == "const" and mask.value == whole:
                    return other
        return self.instr(_INT[term.op][checked], lane, lane, operands, index)

    def product(self, lane: str, operands: tuple[Register, ...], index: int) -> Register:
        for factor, other in (operands, operands[::-1]):
            if factor.place == "const" and factor.value == 2:
                return self.instr("ADD", lane, lane, (other, other), index)
        return self.instr("MUL", lane, lane, operands, index)

    def narrow(self, index: int) -> Register | None:
        """The register that holds a term in 32 bits as it is, if there is one."""
        value = self.resolve(index)
        term, (lo, hi) = self.terms[value], _BOUNDS["i32"]
        if term.op == "const":
            return self.constant(term.value, "i32", False, None) if lo <= term.lo and term.hi <= hi else None
        found = self.registers[value]
        return found if found is not None and found.type == "i32" else None

    def get(self, index: int, lane: str, user: int | None = None) -> Register:
        """The register that holds a term in a lane, converted if need be under the user's guard."""
        value = self.resolve(index)
        term = self.terms[value]
        if term.op == "const":
            return self.constant(term.value, lane, user is not None and self.low_bits_do(user), user)
        source = self.registers[value]
        assert source is not None
        if source.type == lane:
            return source
        if lane == "f64":
            return self.convert(value, "TO_f64", source, lane, user)
        wrap = self.wrapped[value] or (user is not None and self.low_bits_do(user))
        fits = wrap or _holds(lane, term.lo, term.hi)
        return self.convert(value, ("TO_" if fits else "FIT_") + lane, source, lane, user)

    def low_bits_do(self, user: int) -> bool:
        """Whether a term's operands may be cut to the low bits of its lane."""
        term = self.terms[user]
        return self.modular[user] or (term.op == "and" and term.kind == "i" and term.lo >= 0)

    def convert(self, value: int, name: str, source: Register, lane: str, user: int | None) -> Register:
        # A checked conversion belongs to its user's guard; an unchecked one is the same for every user.
        key = (value, name, name in FAULTS and user is not None and self.guard[user] != _ALWAYS)
        known = self.conversions.get(key)
        if known is None or key[2]:
            known = self.instr(name, source.type, lane, (source,), value if user is None else user, value)
            self.conversions[key] = known
        return known

    def resolve(self, index: int) -> int:
        while self.terms[index].op == "check":
            index = self.terms[index].args[0]
        return index

    def constant(self, value: int | float, lane: str, wrap: bool, user: int | None) -> Register:
        if lane not in ("f64", "b1"):
            lo, hi = _BOUNDS[lane]
            value = int(value)
            if wrap:
                value = (value - lo) % (hi - lo + 1) + lo
            elif not lo <= value <= hi:
                own = next(t for t in ("i64", "u64") if _BOUNDS[t][0] <= value <= _BOUNDS[t][1])
                return self.instr("FIT_" + lane, own, lane, (self.constant(value, own, False, user),), user)
        else:
            value = float(value) if lane == "f64" else int(value)
        key = (lane, value.hex() if isinstance(value, float) else value)
        found = self.consts.get(key)
        if found is None:
            found = self.consts[key] = Register(lane, "const", len(self.consts), value)
        return found

    def instr(self, name: str, lane: str, result: str, operands: tuple[Register, ...], user: int | None,
              scanned_by: int | None = None) -> Register:  # fmt: skip
        """Emits an instruction for a term and returns its result.

        Without a vector operand it runs once, in the prologue. If it may mark elements, another one in the body, which
        the machine runs once a block, looks whether it does.
        """
        faults = name in FAULTS
        uniform = all(map(self.is_uniform, operands))
        if uniform and operands and not faults:
            return self.append("prologue", Instr(name, lane, Register(result, "computed"), operands))
        of = scanned_by if scanned_by is not None else user
        section = "scan" if of is not None and self.scanned[of] else "body"
        instr = Instr(name, lane, Register(result, "temp"), operands)
        if faults and user is not None:
            instr.guard = self.guard_register(self.guard[user], section)
        self.append(section, instr)
        plain = _UNMARKED.get((name, lane)) if uniform and operands else None
        if plain is not None:
            return self.append("prologue", Instr(plain, lane, Register(result, "computed"), operands))
        return instr.dst

    def append(self, section: str, instr: Instr) -> Register:
        self.sections[section].append(instr)
        return instr.dst

    def is_uniform(self, register: Register) -> bool:
        """Whether it is the same for all elements, which an accumulator is not."""
        return register.place in ("param", "const", "computed") and all(register is not a for a in self.accumulators)

    # -- guards ------------------------------------------------------------------------------------------------------

    def excluded(self, index: int, low: float, high: float) -> bool:
        """Whether the guard of a function fails wherever its last argument lies in low..high."""
        x = self.resolve(self.terms[index].args[-1])
        same = {x, self.resolve(self.terms[x].args[0])} if self.terms[x].op == "to_float" else {x}
        return all(
            any(truth_between(self.terms, condition, same, low, high) is (not positive) for condition, positive in c)
            for c in self.guard[index]
        )

    def guard_register(self, guard: Guard, section: str) -> Register | None:
        """A register that is 1 where the guard holds; None means always."""
        if guard == _ALWAYS:
            return None
        if not guard:  # contradictory conditions: Python never evaluates it
            return self.constant(False, "b1", False, None)
        usable = []
        for conjunction in guard:
            literals = frozenset(c for c in conjunction if self.usable(c[0], section))
            if not literals:
                return None  # dropping a condition weakens the guard, which is safe
            usable.append(literals)
        key = (frozenset(usable), section)
        if key not in self.guards:
            parts = [self.join("AND", [self.literal(*pair, section) for pair in sorted(c)], section) for c in usable]
            self.guards[key] = self.join("OR", parts, section)
        return self.guards[key]

    def usable(self, condition: int, section: str) -> bool:
        value = self.resolve(condition)
        if self.terms[value].op == "const" or (self.registers[value] is None and not self.hoist(value)):
            return False
        return section == "scan" or not self.scanned[value]

    def literal(self, condition: int, positive: bool, section: str) -> Register:
        register = self.registers[self.resolve(condition)]
        assert register is not None
        if self.is_uniform(register):
            register = self.marking("COPY", (register,), section)
        return register if positive else self.marking("NOT", (register,), section)

    def join(self, name: str, registers: list[Register], section: str) -> Register:
        result = registers[0]
        for register in registers[1:]:
            result = self.marking(name, (result, register), section)
        return result

    def marking(self, name: str, operands: tuple[Register, ...], section: str) -> Register:
        flags = 0 if section == "scan" else MARKING  # the scan has one pass only
        return self.append(section, Instr(name, "b1", Register("b1", "temp"), operands, None, flags))

    # -- results -----------------------------------------------------------------------------------------------------

    def truth_values(self, index: int) -> Register:
        """The register of a condition's values, one for each element."""
        register = self.get(index, "b1")
        if register.place == "temp":
            return register
        return self.append("body", Instr("COPY", "b1", Register("b1", "temp"), (register,)))

    def store(self, index: int, out: str) -> None:
        """The last instructions of a map: the root as elements of the output."""
        value = self.resolve(index)
        term = self.terms[value]
        section = self.sections["body"]
        if term.op == "const":
            own = {"b": "b1", "f": "f64"}.get(term.kind) or self.narrowest("COPY", (value,))
            source = self.constant(term.value, own, False, None)
        else:
            found = self.registers[value]
            assert found is not None
            source = found
        self.write_out(source, term, out, section)

    def write_out(self, source: Register, term: Term, out: str, section: list[Instr]) -> None:
        if out == "f32" and source.type != "f64":  # as Python: to a double first
            section.append(Instr("TO_f64", source.type, Register("f64", "temp"), (source,)))
            source = section[-1].dst
        result = Register(out, "out")
        name, flags = _storing(source.type, term, out)
        if name is None and self.mask is not None and source.place == "temp" and source is not self.mask_register:
            source.place = "out"  # with a mask OUT can be read
            return
        if name is None:
            last = section[-1] if section else None
            if last is not None and last.dst is source and not last.flags and not self.read_again(source):
                last.dst = result
                return
            name = "COPY"
        if source.place in ("param", "const", "computed") and name != "COPY":
            copy = Register(source.type, "temp")
            section.append(Instr("COPY", source.type, copy, (source,)))
            source = copy
        section.append(Instr(name, source.type, result, (source,), None, flags))

    def read_again(self, register: Register) -> bool:
        return register is self.mask_register or any(
            register is other
            for instrs in self.sections.values()
            for i in instrs
            for other in (*i.operands, i.guard)
            if other is not None
        )

    def carry(self, program: Program, out: str | None) -> None:
        """The end of a fold: the next accumulators, and the output from one of them."""
        nexts: list[Register] = []
        for acc, value in zip(self.accumulators, self.nexts, strict=True):
            source = self.get(value, acc.type)
            scanned = any(i.dst is source for i in self.sections["scan"])
            if not scanned or any(source is other for other in nexts):  # each has a register of its own
                source = self.append("scan", Instr("COPY", acc.type, Register(acc.type, "temp"), (source,)))
            nexts.append(source)
        program.accs, program.nexts = self.accumulators, nexts
        if out is not None:
            term = self.terms[self.resolve(self.root)]
            self.write_out(nexts[self.nexts.index(self.root)], term, out, self.sections["epilogue"])


def _holds(lane: str, lo: int, hi: int) -> bool:
    return _BOUNDS[lane][0] <= lo and hi <= _BOUNDS[lane][1]


def _bytes_of(bits: int) -> int:
    """Of the narrowest lane with so many bits."""
    return 1 if bits <= 8 else 2 if bits <= 16 else 4 if bits <= 32 else 8


def _storing(source: str, term: Term, out: str) -> tuple[str | None, int]:
    """The conversion (None: none) and flags that store a register as an element of the output."""
    if source == out:
        return None, 0
    if out[0] in "fb":
        return f"TO_{out}", 0
    lo, hi = _BOUNDS[out]
    return (f"TO_{out}", 0) if lo <= term.lo and term.hi <= hi else (f"FIT_{out}", STORE)


def _simplify(guard: Guard) -> Guard:
    """An equal or weaker disjunction: absorbed conjunctions dropped, c-and-x or c-and-not-x joined to c."""
    if len(guard) <= 1:
        return guard
    if frozenset() in guard:
        return _ALWAYS
    work = set(guard)
    changed = True
    while changed:
        changed = False
        if len(work) > _MOST_CONJUNCTIONS:
            return _ALWAYS
        for c in sorted(work, key=lambda c: (len(c), sorted(c))):
            if any(other < c for other in work):
                work.discard(c)
                changed = True
                break
            twin = next((x for x in c if (c - {x}) | {(x[0], not x[1])} in work), None)
            if twin is not None:
                work -= {c, (c - {twin}) | {(twin[0], not twin[1])}}
                work.add(c - {twin})
                changed = True
                break
    return _ALWAYS if frozenset() in work else frozenset(work)
