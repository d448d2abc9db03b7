"""Plans: the programs that one IR becomes, one for each combination of argument types that it meets.

Plans are made at first use. Two threads that need the same new plan both make it, and either one is kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import _machine
from ..compiler.evaluate import evaluator, interpret
from ..compiler.infer import Inference
from ..compiler.ir import IR, carries, tables_of
from ..compiler.lower import lower
from ..compiler.machine import ARRAY_TYPECODES, CONSTANTS, MACHINE_TYPES, STORED_TYPES, TYPE_INDEX, TYPES
from ..compiler.parse import NOT_INVERT, ExpressionError
from ..compiler.program import Program, TooLarge
from ..compiler.terms import I64, Param, Union, array_param, interval, number_param, table_param

_MOST_PLANS = 64  # of one IR
#: Codes of a signature: of an array its machine type; of a number that, from _NUMBER up; _CODES is one too many.
_NUMBER, _CODES = CONSTANTS["SIGNATURE_NUMBER"], CONSTANTS["SIGNATURE_CODES"]
_NATURAL = CONSTANTS["SIGNATURE_NATURAL"]
_DOES = {kind: CONSTANTS[f"SIGNATURE_{kind.upper()}"] for kind in ("map", "filter", "fold")}

#: The parameters that arrays and tables are, by their types.
ARRAY_PARAMS = {name: array_param(name) for name in (*TYPES, *STORED_TYPES)}
ARRAY_PARAMS |= {f"table_{name}": table_param(name) for name in TYPES}


#: What a pipeline collects its values in before they are stored as these, which array.array has not: truths as 0 and 1.
PIPED = {"?": "B", "e": "d", "i3": "q", "u3": "q"}


class Plan(NamedTuple):
    """What one combination of argument types compiles to."""

    typecode: str  # of the result
    program: Any  # a _machine.Program, or None: Python evaluates every element
    listing: Program | None
    inference: Inference
    never_fits: bool = False  # the result is a float and the typecode an integer's
    kind: str = ""  # of a pipeline's values: b, i, f


_MASK_AS_INDEX = (
    "an array of truth values is a mask, not an index: filter(table, mask) keeps the elements where it is true; "
    "t[int(m)] takes elements 0 and 1"
)


def inverts_truth(text: str) -> ExpressionError:
    """What is raised for a text that has ~ of a truth value."""
    return ExpressionError(f"{text!r}: {NOT_INVERT}: write 'not x' for '~x'")


def types_of(args: tuple[Any, ...]) -> tuple[str | Param, ...]:
    """What plans are remembered by: the type of each array, the machine's or its own, the Param of each number."""
    return tuple([_type(a) for a in args])


def signs_of(args: tuple[Any, ...], types: tuple[str | Param, ...]) -> tuple[str | Param, ...]:
    """The types, with what is known of each int that goes with every element: whether it is negative."""
    return tuple(
        t
        if isinstance(t, str) or t.kind != "i"
        else t._replace(lo=max(t.lo, 0))
        if a >= 0
        else t._replace(hi=min(t.hi, -1))
        for a, t in zip(args, types, strict=True)
    )


def _signature(kind: str, types: tuple[str | Param, ...], wanted: str | None, carried: Carried) -> int | None:
    """What the fast way in finds a program by; None for what it leaves to Python."""
    if carried.stored or (kind == "map" and wanted is None):
        return None
    if kind == "fold":
        return _signed(kind, _NATURAL if wanted is None else TYPE_INDEX[MACHINE_TYPES[wanted]], types, carried.items)
    return _signed(kind, TYPE_INDEX["b1" if wanted is None else MACHINE_TYPES[wanted]], types)


def _signed(kind: str, wanted: int, types: tuple[str | Param, ...], items: int = 0) -> int | None:
    codes = tuple(TYPE_INDEX[t] if isinstance(t, str) else _NUMBER + TYPE_INDEX.get(t.type, _NUMBER) for t in types)
    if max(codes, default=0) >= _CODES:
        return None
    if kind == "fold":
        signs = [int(isinstance(t, Param) and t.kind == "i" and t.lo >= 0) for t in types[: max(items, 1)]]
        accs = [sign * _NUMBER + code - _NUMBER for sign, code in zip(signs, codes, strict=False)]
        codes = (1 + items, *accs, *codes[items:]) if items else (signs[0], *codes)
    return _machine.signature(_DOES[kind], wanted, codes)


def _type(arg: Any) -> str | Param:
    if type(arg) is tuple:  # a table
        kind = str(_machine.buffer_info(arg[0])[1])
        return f"table_{STORED_TYPES.get(kind, kind)}"
    if type(arg) is array and arg.typecode in MACHINE_TYPES:
        return MACHINE_TYPES[arg.typecode]
    return number_param(arg) if isinstance(arg, (int, float)) else str(_machine.buffer_info(arg)[1])


class Carried(NamedTuple):
    """What a fold carries from one element to the next: a number (items 0), or a tuple of numbers.

    Of a tuple each item is a parameter of its own; ``stored`` is the one that goes into a result.
    """

    items: int = 0
    stored: int = 0


NUMBER = Carried()


class Plans:
    """An IR, its evaluators, and the plans that have been made of it.

    ``evaluator`` is the meaning for one number of each parameter, in Python. ``narrow`` is the same, but faster, where
    no int has more than 64 bits, as those of arrays and those that the machine takes as numbers.
    """

    __slots__ = ("_natural", "_other", "_plans", "evaluator", "ieee", "ir", "narrow", "ready", "tables", "text")

    def __init__(self, ir: IR, ieee: bool, text: str | None = None) -> None:
        self.ir, self.ieee, self.text = ir, ieee, text
        self.tables = tables_of(ir)  # parameters that are tables: their arguments are tuples of one buffer
        self._plans: dict[Any, Plan] = {}
        self._natural: dict[Any, str] = {}
        self.ready: dict[int, Any] = {}  # programs by signature, for the fast way in
        self.evaluator: Callable[..., Any] = evaluator(ir, ieee)
        self.narrow: Callable[..., Any] = evaluator(ir, ieee, any_int=False)
        self._other: Plans | None = None

    def oracle(self, args: tuple[Any, ...]) -> Callable[..., Any]:
        """The evaluator for elements of these arguments."""
        return self.evaluator if any(type(a) is int and a.bit_length() > 64 for a in args) else self.narrow

    def of_objects(self, *args: Any) -> Any:
        """What ``evaluator`` gives, of objects that are no numbers.

        Their arithmetic may import, as NumPy's does to warn; that fails in generated functions, which have no builtins.
        """
        return interpret(self.ir, args, self.ieee)

    def check_truths(self, numbers: tuple[Any, ...]) -> None:
        """ExpressionError if a text has ~ of a truth value for numbers of these types."""
        if any(node.op == "invert" for node in self.ir.nodes):
            self.get("map", types_of(numbers), None)

    @property
    def with_ieee(self) -> Plans:
        """The same IR with IEEE results where Python refuses floats."""
        if self._other is None:
            self._other = self if self.ieee else Plans(self.ir, True, self.text)
        return self._other

    def get(self, kind: str, types: tuple[str | Param, ...], wanted: str | None, carried: Carried = NUMBER) -> Plan:
        """The plan of a map (with the typecode wanted, or None for the natural one), a filter or a fold."""
        key = (kind, types, wanted, carried)
        try:
            return self._plans[key]  # not by its get(): text_kernel in kernel.py says why
        except KeyError:
            pass
        params = tuple(ARRAY_PARAMS[t] if isinstance(t, str) else t for t in types)
        plan = self._called(kind, params, wanted)
        if plan is None and kind == "fold":
            plan = self._fold(params, wanted, carried)
        plan = plan or (self._map if kind == "map" else self._filter)(params, wanted)
        if self.text is not None and plan.inference.inverted:
            raise inverts_truth(self.text)
        if self.text is not None and plan.inference.mask_as_index:
            raise ExpressionError(f"{self.text!r}: {_MASK_AS_INDEX}")
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
            self.ready.clear()
        self._plans[key] = plan
        self._make_ready(_signature(kind, types, wanted, carried), plan, kind == "fold")
        return plan

    def _make_ready(self, signature: int | None, plan: Plan, folds: bool = False) -> None:
        # what people may have meant instead is Python's to say (kernel.py); of a fold without a program a step may lead
        # to one that has
        if signature is not None and (folds or plan.program is not None) and not plan.inference.bits_of_float:
            self.ready[signature] = plan.program

    def chosen(self, types: tuple[str | Param, ...], natural: str) -> None:
        """Lets the fast way in find what evaluate() has run for these types without being asked for one.

        Not where the type depends on more than the types: on whether a number is negative.
        """
        plan = self._plans.get(("map", types, natural, NUMBER))
        if plan is not None and natural in "dqB" and not any(isinstance(t, Param) and t.kind == "i" for t in types):
            self._make_ready(_signed("map", _NATURAL, types), plan)

    def _called(self, kind: str, params: tuple[Param, ...], wanted: str | None) -> Plan | None:
        """The plan of what Python must answer because it uses NumPy: no program.

        Some functions give ints for ints, half floats for bools; its truth values are no ints; and an accumulator that
        is a NumPy number stays one.
        """
        numpy = self.ir.numpy
        bools = "u" in numpy and any(p.type == "b1" for p in params)
        ints = "d" in numpy and any(p.kind != "f" for p in params)
        no_int = "b" in numpy and kind == "map" and wanted is not None and MACHINE_TYPES[wanted][0] not in "fb"
        if bools or ints or no_int or (kind == "fold" and ("f" in numpy or "b" in numpy)):
            return Plan(wanted or "d", None, None, Inference(self.ir, list(params), self.ieee), never_fits=no_int)
        return None

    def natural(self, types: tuple[str | Param, ...]) -> str:
        """The typecode of a result where nobody asks for one: 'd', 'q', 'B', or 'Q' where ints from 0 up may need it.

        Where only negative exponents give floats, the result is ints: an exponent that is negative is an error then.
        """
        try:
            return self._natural[types]
        except KeyError:
            pass
        if len(self._natural) >= _MOST_PLANS:
            self._natural.clear()
        found = self._natural[types] = self._inferred(types)
        return found

    def _inferred(self, types: tuple[str | Param, ...]) -> str:
        if "b" in self.ir.numpy:
            return "d"
        params = [ARRAY_PARAMS[t] if isinstance(t, str) else t for t in types]
        for whole_powers in (False, True):
            inference = Inference(self.ir, params, self.ieee, whole_powers=whole_powers)
            value = inference.run()
            if not isinstance(value, Union):
                term = inference.terms[value]
                return {"f": "d", "i": "Q" if term.lo >= 0 and term.hi > I64[1] else "q", "b": "B"}[term.kind]
        return "d"

    def _map(self, types: tuple[Param, ...], wanted: str | None) -> Plan:
        inference = Inference(self.ir, list(types), self.ieee)
        value = inference.run()
        wanted = wanted or self.natural(types)
        target = MACHINE_TYPES[wanted]
        root = inference.stored(value, target)
        if root is None:
            return Plan(wanted, None, None, inference, never_fits=True)
        target = STORED_TYPES.get(target, target)
        return _finish(wanted, target, inference, root, types)

    def _filter(self, types: tuple[Param, ...], wanted: str | None) -> Plan:
        inference = Inference(self.ir, list(types), self.ieee)
        return _finish("B", "b1", inference, inference.truth(inference.run()), types)

    # -- folds -------------------------------------------------------------------------------------------------------

    def _fold(self, types: tuple[Param, ...], wanted: str | None, carried: Carried) -> Plan:
        """A fold whose accumulators, the first parameters, keep their kinds."""
        count = max(carried.items, 1)
        called = Plan(wanted or "", None, None, Inference(self.ir, list(types), self.ieee))
        if any(t.type == "big" for t in types[:count]) or (carried.items and not carries(self.ir, carried.items)):
            return called
        params = (*self._intervals(types, count), *types[count:])
        inference = Inference(self.ir, list(params), self.ieee, carried=count)
        nexts: list[int] = []
        for acc, value in zip(params, inference.nexts(), strict=False):
            if isinstance(value, Union) or not inference.has_kind(value, acc.kind):
                return called
            if not inference.graph.in_some_lane(value):
                return called
            nexts.append(value)
        target = None if wanted is None else MACHINE_TYPES[wanted]
        if target is not None and target[0] != "f" and params[carried.stored].kind == "f":
            return called
        return _finish(wanted or "", target, inference, nexts[carried.stored], params, nexts)

    def _intervals(self, types: tuple[Param, ...], count: int) -> tuple[Param, ...]:
        """The accumulators with the smallest intervals of the ints among them that prove stable, all together."""
        wide = [_WIDE if t.kind == "i" else t for t in types[:count]]
        if _WIDE not in wide:
            return types[:count]
        bounds = self._next_intervals(wide, types)
        unsigned = [t.type == "u64" and b is None for t, b in zip(types, bounds, strict=False)]
        if any(unsigned):
            wide = [_UNSIGNED if u else t for t, u in zip(wide, unsigned, strict=True)]
            bounds = self._next_intervals(wide, types)
        accs = [_narrowed(t, w, b) for t, w, b in zip(types, wide, bounds, strict=False)]
        while True:
            again = self._next_intervals(accs, types)
            left = [
                t.type == "i64" and t is not _WIDE and (b is None or b[0] < t.lo or b[1] > t.hi)
                for t, b in zip(accs, again, strict=True)
            ]
            if not any(left):
                return tuple(accs)
            accs = [_WIDE if out else t for t, out in zip(accs, left, strict=True)]

    def _next_intervals(self, accs: list[Param], types: tuple[Param, ...]) -> list[tuple[int, int] | None]:
        """Intervals of the next accumulators; None of those that are no ints or may leave 64 bits."""
        inference = Inference(self.ir, [*accs, *types[len(accs) :]], self.ieee, carried=len(accs))
        found: list[tuple[int, int] | None] = []
        nexts = inference.nexts()
        holds = _hold_for_python(inference.terms)
        for value in nexts:
            term = inference.terms[value] if isinstance(value, int) and holds[value] else None
            found.append(None if term is None or term.kind == "f" else (term.lo, term.hi))
        return found


def _hold_for_python(terms: list[Any]) -> list[bool]:
    """Which terms' intervals also hold what Python answers for a marked element, which may be outside a cut one."""
    holds: list[bool] = []
    for t in terms:  # operands come first
        masks = t.args[t.op == "mod" :] if t.op in ("and", "mod") else ()
        holds.append(
            not t.clamped
            or t.kind == "b"
            or any(terms[i].op == "const" and terms[i].value > 0 for i in masks)
            or (t.lane is None and all(holds[i] for i in t.args))
        )
    return holds


_WIDE, _UNSIGNED = Param("i64", False, *I64), Param("u64", False, *interval("u64"))


def _narrowed(first: Param, wide: Param, bounds: tuple[int, int] | None) -> Param:
    """An accumulator that holds its first value and those that follow, if these are within bounds."""
    if first.kind != "i" or bounds is None:
        return wide
    lo, hi = min(first.lo, bounds[0]), max(first.hi, bounds[1])
    if lo >= I64[0] and hi <= I64[1]:
        return Param("i64", False, lo, hi)
    return _UNSIGNED if lo >= 0 else wide


def pipe_plan(ir: IR, keep: int | None, ieee: bool, types: tuple[str | Param, ...], wanted: str | None) -> Plan:
    """The plan of a pipeline: its values where node ``keep`` is true, with that as the program's mask.

    wanted: the typecode of the values, or what PIPED has for it; None for the natural one, 'd', 'q', 'Q' or of truth
    values 'B'.
    """
    params = tuple(ARRAY_PARAMS[t] if isinstance(t, str) else t for t in types)
    inference = Inference(ir, list(params), ieee)
    value, mask = inference.run_masked(keep)
    graph, kind = inference.graph, ""
    if wanted is None:
        if isinstance(value, Union):
            return Plan("", None, None, inference)
        term = inference.terms[value]
        kind = term.kind
        if not inference.has_kind(value, kind) or not graph.in_some_lane(value):
            return Plan("", None, None, inference)
        wanted = {"f": "d", "b": "B"}.get(kind) or ("Q" if term.hi > I64[1] else "q")
    elif wanted not in ARRAY_TYPECODES:
        wanted, value = PIPED[wanted], inference.truth(value) if wanted == "?" else value
    target = MACHINE_TYPES[wanted]
    root = inference.stored(value, target)
    if root is None:
        return Plan(wanted, None, None, inference, never_fits=True)
    # Ints get a mask even without a filter: Python's value of a marked element may fit no lane, and is then added
    # apart.
    masked = keep is not None or kind == "i"
    try:
        program = lower(graph, list(params), root, target, mask=mask if masked else None)
    except TooLarge:
        return Plan(wanted, None, None, inference)
    return Plan(wanted, _machine.Program(program.code), program, inference, kind=kind)


def _finish(typecode: str, target: str | None, inference: Inference, root: int, types: tuple[Param, ...],
            nexts: Sequence[int] = ()) -> Plan:  # fmt: skip
    try:
        program = lower(inference.graph, list(types), root, target, nexts)
    except TooLarge:
        return Plan(typecode, None, None, inference)
    return Plan(typecode, _machine.Program(program.code), program, inference)
