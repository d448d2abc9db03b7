"""Python functions to IR, from their bytecode.

:func:`decode` executes a code object symbolically: the stack and the locals hold IR nodes instead of numbers, both ways
of a branch are followed, and their states are joined where they meet again (at the immediate post-dominator), each
differing value as an ``if``. Anything that has no rule here raises :class:`Unsupported`: a function is translated whole
and exactly, or not at all.

Names are resolved to objects, and objects are known by identity, never by name: ``abs`` is the builtin only while that
is what the name finds. What was found is recorded: numbers become further parameters of the program (``slots``), read
again at each call; modules and functions become ``guards``, compared again at each call.

The accumulator of a fold may be a tuple of numbers: then the first parameter is one, which may be subscripted by
constants and unpacked, and the value is a tuple of as many numbers (``part``, ``tuple``).

A ``for`` over a range of constants, or over a constant tuple of numbers, is executed as often as Python would: the
iterator on the stack knows its numbers. So such loops are unrolled, within MAX_STEPS and the limit of nodes.

Operations that Python would evaluate although their value is not used (``0 if 1/x else 0``) stay, as operands of
``seq``. Only ``argval`` and ``arg`` of ``dis`` instructions are used, of the plain bytecode, which neither adaptation
nor tracing changes. CPython versions that this has not been tested on are not decoded.
"""

from __future__ import annotations

import dis
import functools
import inspect
import math
import opcode
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from opcode import _nb_ops  # type: ignore[attr-defined]
from typing import Any

from .captured import TABLES, Slot, Template, slot_of, table_of
from .ir import (
    BINARY,
    COMPARE,
    CONSTANTS,
    FUNCTION_NAMES,
    FUNCTIONS,
    IR,
    MAX_NODES,
    METHODS,
    OPERATORS,
    Builder,
    Node,
    TooManyNodes,
    is_known,
    items_given,
)
from .machine import MISSING
from .numpy_scalars import Different, as_python, scalar_kind, ufunc_arguments, ufunc_name, uses_numpy

#: The versions of CPython whose bytecode is known and tested.
VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 14), (3, 15))
#: Functions called by functions called by ...: deeper ones are not inlined.
MAX_INLINE = 8
#: Instructions executed for one function: ways that never meet again could be exponentially many.
MAX_STEPS = 20_000
#: What a for loop has on the stack: its iterator and, since 3.15, the index of a tuple's next element above it.
_LOOP_ITEMS = 2 if sys.version_info >= (3, 15) else 1
#: Instructions that an exhausted iterator passes over: END_FOR since 3.12, and in 3.13 the POP_TOP after it.
_PASSED_OVER = {(3, 11): 0, (3, 13): 2}.get(sys.version_info[:2], 1)

_TWO_KINDS = "it returns one kind of thing on some ways, and another on others"
#: What LOAD_COMMON_CONSTANT loads, by its argument: new in 3.14, and since 3.15 also None, True, False and -1.
_COMMON_CONSTANTS: list[object] = getattr(opcode, "_common_constants", [])

SUPPORTED = sys.implementation.name == "cpython" and sys.version_info[:2] in VERSIONS


class Unsupported(Exception):
    """The function cannot be translated. The message says why, and in which line."""


class _Marker:
    """A thing on the stack that is no number."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


NULL, NONE = _Marker("NULL"), _Marker("None")


@dataclass(frozen=True, slots=True, eq=False)
class _Object:
    """A module, a known callable, a function to inline, or a constant collection on the stack."""

    value: Any


@dataclass(frozen=True, slots=True)
class _Iterator:
    """The iterator of a loop on the stack: its numbers, and how many of them have been taken."""

    numbers: tuple[Any, ...]
    taken: int = 0


@dataclass(frozen=True, slots=True)
class _Tuple:
    """A tuple of numbers on the stack: their nodes."""

    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """A captured table on the stack: the node of its parameter."""

    node: int


def _is_known(value: Any) -> bool:
    """Whether a callable is one whose meaning the language has, or a function of NumPy's that has the same."""
    return is_known(value) or ufunc_name(value) != ""


def _apply_known(build: Builder, value: Any, args: list[int]) -> int:
    """A call of a callable that _is_known; raises Unsupported for a number of arguments that it does not take."""
    ufunc = ufunc_name(value)
    if ufunc:
        if len(args) != ufunc_arguments(value):
            raise Unsupported(f"{ufunc}() with {len(args)} arguments")
        return build.add("call", *args, value=ufunc)
    name = FUNCTION_NAMES.get(id(value))
    if name is None:
        symbol = OPERATORS[value]
        if len(args) != (2 if symbol in BINARY or symbol in COMPARE else 1):
            raise Unsupported(f"{value.__name__}() with {len(args)} arguments")
        return build.add(symbol, *args)
    function = FUNCTIONS[name]
    if len(args) < function.least or (function.most is not None and len(args) > function.most):
        raise Unsupported(f"{name}() with {len(args)} arguments")
    if name == "bool":
        return build.add("truth", *args)
    if name == "pow" and len(args) == 2:
        return build.add("**", *args)
    return build.add("call", *args, value=name)


# -- decoding ----------------------------------------------------------------------------------------------------------


def decode(function: Any, arity: int, items: int = 0) -> Template:
    """The template of a function, a functools.partial of one, or a known builtin, called with ``arity`` numbers.

    items: of the tuple that it is called with in the place of the first one, and gives; 0 for a number.
    """
    decoder = _Decoder(arity, items)
    ir, reason = None, ""
    try:
        if not SUPPORTED:
            raise Unsupported(f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]} is not decoded")
        ir = decoder.run(function)
    except (Unsupported, Different) as error:
        reason = str(error)
    except TooManyNodes:
        reason = f"it has more than {MAX_NODES} operations"
    except RecursionError:
        reason = "its branches are nested too deeply"
    slots = tuple(slot for slot, _ in decoder.slots.values())
    return Template(ir, reason, arity, slots, tuple(decoder.guards.values()), frozenset(decoder.tables))


#: What Python evaluates whether its value is used or not: a node, or (condition, effects if true, effects if false).
Effect = int | tuple[int, tuple[Any, ...], tuple[Any, ...]]
#: Operators that never raise, whatever their numbers are.
_SAFE = frozenset((*COMPARE, "not", "truth", "in", "neg", "pos"))


class _Decoder:
    """What all functions of one translation share: the nodes, the captured numbers, the guards."""

    def __init__(self, arity: int, items: int) -> None:
        self.build = Builder()
        self.arity, self.items = arity, items
        self.slots: dict[object, tuple[Slot, int]] = {}
        self.scalars: dict[int, str] = {}  # kinds of the parameters that are NumPy's
        self.tables: set[int] = set()  # which of the slots are tables
        self.names: list[str] = []
        self.guards: dict[object, tuple[Slot, object]] = {}
        self.active: list[types.CodeType] = []
        self.steps = 0

    def run(self, function: Any) -> IR:
        params: list[Any] = [self.build.add("param", value=i) for i in range(self.arity)]
        if self.items:
            params[0] = _Tuple(tuple(self.build.add("part", params[0], value=k) for k in range(self.items)))
        if type(function) is functools.partial:
            names, root = self.partial(function, params)
        elif _is_known(function) and not self.items:
            names, root = _names(self.arity), _apply_known(self.build, function, params)
        elif type(function) is types.FunctionType:
            names = list(function.__code__.co_varnames[: self.arity])
            root = self.function(function, None, params)
        else:
            raise Unsupported(f"{_describe(function)} is not a plain Python function")
        for name in self.names:
            while name in names:
                name += "_"
            names.append(name)
        ir = self.build.done(root, tuple(names))
        if not self.gives(ir):
            raise Unsupported(f"it does not return {f'a tuple of {self.items} numbers' if self.items else 'a number'}")
        if self.items and uses_numpy(ir, self.scalars):
            raise Unsupported("a tuple beside NumPy's numbers")
        if self.tables and uses_numpy(ir, self.scalars):
            raise Unsupported("a table beside NumPy's numbers")
        return as_python(ir, self.scalars) if uses_numpy(ir, self.scalars) else ir

    def gives(self, ir: IR) -> bool:
        """Whether the value is what it should be, a number or a tuple of ``items`` of them, on all ways."""
        return items_given(ir) == self.items and (self.items > 0 or all(node.op != "tuple" for node in ir.nodes))

    # -- captured objects ------------------------------------------------------------------------------------------

    def load(self, slot: Slot, function: Any, name: str) -> Any:
        """What a captured object is on the stack: a parameter, a constant or a marker. Records how to find it again."""
        value = slot.find(function)
        key = (slot.kind, slot.key, id(slot.owner))
        kind = scalar_kind(value)
        if kind or type(value) in (int, float, bool):
            if slot.owner is math and name in CONSTANTS:
                self.guards[key] = (slot, value)
                return self.build.add("const", value=value)
            found = self.slots.get(key)
            if found is None:
                place = self.arity + len(self.slots)
                found = self.slots[key] = (slot, self.build.add("param", value=place))
                if kind:
                    self.slots[key] = (slot._replace(scalar=type(value)), found[1])
                    self.scalars[place] = kind
                self.names.append(name.rpartition(".")[2])
            return found[1]
        if type(value) in TABLES:
            return self.table(key, slot, name, value)
        self.guards[key] = (slot, value)
        if value is None:
            return NONE
        if value is MISSING:
            raise Unsupported(f"{name!r} is not defined")
        if type(value) in (types.ModuleType, types.FunctionType) or _is_known(value) or value is range:
            return _Object(value)
        why = "which is not a plain function of numbers" if callable(value) else "not an int, float or bool"
        raise Unsupported(f"{name!r} is {_describe(value)}, {why}")

    def table(self, key: object, slot: Slot, name: str, value: object) -> _Table:
        if table_of(value) is None:
            raise Unsupported(f"{name!r} is {_describe(value)}, with other elements than numbers of one kind")
        found = self.slots.get(key)
        if found is None:
            self.tables.add(len(self.slots))
            found = self.slots[key] = (slot, self.build.add("param", value=self.arity + len(self.slots)))
            self.names.append(name.rpartition(".")[2])
        return _Table(found[1])

    # -- kinds of callables ------------------------------------------------------------------------------------------

    def partial(self, partial: Any, params: list[int]) -> tuple[list[str], int]:
        inner = partial.func
        self.guards["function"] = (slot_of("function", ""), inner)
        first = [self.load(slot_of("partial", i), partial, f"arg{i}") for i in range(len(partial.args))]
        given = {name: self.load(slot_of("keyword", name), partial, name) for name in partial.keywords}
        if any(not isinstance(value, int) for value in (*first, *given.values())):
            raise Unsupported("the partial's arguments are not all numbers")
        if _is_known(inner) and not given and not self.items:
            return _names(self.arity), _apply_known(self.build, inner, [*first, *params])
        if type(inner) is not types.FunctionType:
            raise Unsupported(f"it is a partial of {_describe(inner)}, not of a plain Python function")
        code = inner.__code__
        names = [n for n in code.co_varnames[len(first) : code.co_argcount] if n not in given][: self.arity]
        return names, self.function(inner, inner, [*first, *params], given)

    def function(self, function: Any, owner: Any, args: list[Any], given: dict[str, Any] | None = None) -> int:
        """The value of a call. owner is None for the function that is being decoded, else the function itself."""
        code = function.__code__
        if any(code is other for other in self.active):
            raise Unsupported(f"{code.co_name}() is recursive")
        if len(self.active) > MAX_INLINE:
            raise Unsupported(f"functions are nested more than {MAX_INLINE} deep")
        if owner is not None:
            self.guards["code", id(function)] = (slot_of("code", "", owner), code)
        self.active.append(code)
        value = _Frame(self, function, owner).call(args, given or {})
        self.active.pop()
        return value


class _Frame:
    """The symbolic execution of one function."""

    def __init__(self, decoder: _Decoder, function: Any, owner: Any) -> None:
        self.decoder, self.function, self.owner = decoder, function, owner
        self.build = decoder.build
        self.code: types.CodeType = function.__code__
        self.check_code()
        self.instructions = list(dis.get_instructions(self.code))
        self.at = {i.offset: k for k, i in enumerate(self.instructions)}
        self.meets = self.post_dominators()
        self.known: dict[object, Any] = {}

    def check_code(self) -> None:
        code, flags = self.code, self.code.co_flags
        kinds = {
            inspect.CO_VARARGS: "it takes *args", inspect.CO_VARKEYWORDS: "it takes **kwargs",
            inspect.CO_GENERATOR: "it is a generator", inspect.CO_COROUTINE: "it is a coroutine",
            inspect.CO_ASYNC_GENERATOR: "it is an asynchronous generator",
        }  # fmt: skip
        for flag, why in kinds.items():
            if flags & flag:
                raise Unsupported(why)
        if code.co_cellvars:
            raise Unsupported(f"{code.co_cellvars[0]!r} is shared with a nested function")
        if code.co_exceptiontable:
            raise Unsupported("it has a try, a with or a comprehension")

    def unsupported(self, instruction: dis.Instruction, why: str) -> Unsupported:
        line = instruction.positions.lineno if instruction.positions else None
        return Unsupported(f"line {line}: {why}" if line else why)

    # -- control flow ------------------------------------------------------------------------------------------------

    def successors(self, k: int) -> tuple[int, ...]:
        """The instructions that may follow one; the end is len(instructions)."""
        i = self.instructions[k]
        name = i.opname
        if name in ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"):
            return (len(self.instructions),)
        if "JUMP" not in name and name != "FOR_ITER":
            return (k + 1,)
        target = self.at[i.argval]
        if target <= k and not self.is_next(target):
            raise self.unsupported(i, "it has a loop")
        return (target,) if name in ("JUMP_FORWARD", "JUMP_BACKWARD") else (k + 1, target)

    def is_next(self, k: int) -> bool:
        """Whether an instruction takes the next number of a for loop."""
        while self.instructions[k].opname == "EXTENDED_ARG":
            k += 1
        return bool(self.instructions[k].opname == "FOR_ITER")

    def post_dominators(self) -> list[int]:
        """For each instruction the next one that every way from it passes; len(instructions) is the end.

        Immediate dominators of the graph with all edges turned round (Cooper, Harvey, Kennedy 2001). Without loops the
        first pass finds all of them: every successor of an instruction comes after it.
        """
        end = len(self.instructions)
        after = [self.successors(k) for k in range(end)]
        loops = any(s <= k for k, following in enumerate(after) for s in following)
        order = self.ways_back(after) if loops else range(end + 1)
        ways = sorted(order, key=order.__getitem__, reverse=True) if loops else range(end, -1, -1)
        meets = [-1] * end + [end]
        changed = True
        while changed:
            changed = False
            for k in ways:
                known = [s for s in after[k] if meets[s] >= 0] if k < end else []
                if not known:
                    continue
                found = known[0]
                for other in known[1:]:
                    a, b = found, other
                    while a != b:
                        if order[a] < order[b]:
                            a = meets[a]
                        else:
                            b = meets[b]
                    found = a
                changed |= loops and meets[k] != found
                meets[k] = found
        return [end if meet < 0 else meet for meet in meets]

    def ways_back(self, after: list[tuple[int, ...]]) -> dict[int, int]:
        """Of each instruction from which the end is reached, its place in a postorder of the graph turned round."""
        before: dict[int, list[int]] = {}
        for k, following in enumerate(after):
            for s in following:
                before.setdefault(s, []).append(k)
        order: dict[int, int] = {}
        seen = {len(after)}
        stack = [(len(after), iter(before.get(len(after), ())))]
        while stack:
            k, rest = stack[-1]
            step = next((p for p in rest if p not in seen), None)
            if step is None:
                order[k] = len(order)
                stack.pop()
            else:
                seen.add(step)
                stack.append((step, iter(before.get(step, ()))))
        return order

    def call(self, args: list[Any], given: dict[str, Any]) -> int:
        effects, value = self.run(0, (), tuple(sorted(self.bind(args, given).items())), len(self.instructions))
        return self.sequence(effects, value)

    def bind(self, args: list[Any], given: dict[str, Any]) -> dict[str, Any]:
        """Locals at the start: arguments, then defaults as they are now."""
        code = self.code
        positional = code.co_varnames[: code.co_argcount]
        keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        bound = dict(zip(positional, args, strict=False))
        open_to_names = (*positional[code.co_posonlyargcount :], *keyword_only)
        if len(args) > len(positional) or any(n in bound or n not in open_to_names for n in given):
            raise Unsupported(f"it does not take {len(args)} positional arguments")
        bound |= given
        for index, name in enumerate(positional):
            if name not in bound:  # defaults are counted from the last parameter
                bound[name] = self.default(slot_of("default", index - len(positional), self.owner), name)
        for name in keyword_only:
            if name not in bound:
                bound[name] = self.default(slot_of("kwdefault", name, self.owner), name)
        return bound

    def default(self, slot: Slot, name: str) -> Any:
        if slot.find(self.function) is MISSING:
            raise Unsupported(f"its parameter {name!r} has no value")
        return self.decoder.load(slot, self.function, name)

    def run(self, start: int, stack: tuple[Any, ...], names: tuple[tuple[str, Any], ...], stop: int) -> Any:
        """Executes from an instruction to ``stop``.

        Returns (effects, value) if stop is the end, where every way returns; else (effects, stack, locals) there.
        """
        key = (start, stack, names, stop)
        found = self.known.get(key)
        if found is None:
            # A way that is still being executed is not met again: jumps are forward, or the iterator has moved on.
            found = self.known[key] = _Run(self, start, list(stack), dict(names), stop).result()
        return found

    # -- effects -----------------------------------------------------------------------------------------------------

    def sequence(self, effects: tuple[Effect, ...], value: Any) -> int:
        """The value after the effects, without the last ones that evaluating the value has anyhow, in this order."""
        if isinstance(value, _Tuple):
            value = self.build.add("tuple", *value.items)
        if value is None:  # of phi
            raise Unsupported(_TWO_KINDS)
        if not isinstance(value, int):
            raise Unsupported(f"it returns {_describe_item(value)}, which is no number")
        kept = self.uncovered(effects, value)
        if not kept:
            return value
        return self.build.add("seq", *dict.fromkeys(self.materialise(e) for e in effects[:kept]), value)

    def materialise(self, effect: Effect) -> int:
        if isinstance(effect, int):
            return effect
        nothing = self.build.const(0)
        return self.build.add("if", effect[0], *(self.sequence(arm, nothing) for arm in effect[1:]))

    def uncovered(self, effects: tuple[Effect, ...], value: int) -> int:
        """How many of the effects, from the front, must be kept as operations of their own.

        Python evaluates the effects, in order, before it uses the value. The last of them are evaluated anyway when the
        value is, and in the same order: those need not be kept.
        """
        if not effects:
            return 0
        nodes: list[Node] = self.build.nodes
        order = self.evaluation_order(value)
        conditionals: dict[int, list[int]] = {}
        for node in order:
            if nodes[node].op == "if":
                conditionals.setdefault(nodes[node].args[0], []).append(node)
        before = len(order)
        for kept in range(len(effects), 0, -1):
            effect = effects[kept - 1]
            if isinstance(effect, int):
                places = [order[effect]] if effect in order else []
            else:
                arms = effect[1:]
                places = [
                    order[n]
                    for n in conditionals.get(effect[0], ())
                    if not any(self.uncovered(arm, of) for arm, of in zip(arms, nodes[n].args[1:], strict=True))
                ]
            before = max((p for p in places if p < before), default=-1)
            if before < 0:
                return kept
        return 0

    def evaluation_order(self, root: int) -> dict[int, int]:
        """Places of the nodes that evaluating root always evaluates, in Python's order."""
        nodes: list[Node] = self.build.nodes
        order: dict[int, int] = {}
        stack = [(root, False)]
        while stack:
            index, done = stack.pop()
            if index in order:
                continue
            if done:
                order[index] = len(order)
                continue
            node = nodes[index]
            stack.append((index, True))
            stack.extend((a, False) for a in reversed(node.args[:1] if node.op == "if" else node.args))
        return order


class _Run:
    """A straight run of instructions with its stack, locals and effects."""

    def __init__(self, frame: _Frame, k: int, stack: list[Any], names: dict[str, Any], stop: int) -> None:
        self.frame, self.build = frame, frame.build
        self.k, self.stack, self.names, self.stop = k, stack, names, stop
        self.effects: list[Effect] = []

    def result(self) -> Any:
        while self.k != self.stop:
            instruction = self.frame.instructions[self.k]
            rule = _RULES.get(instruction.opname)
            if rule is None:
                raise self.frame.unsupported(instruction, _construct(instruction))
            self.k += 1
            self.frame.decoder.steps += 1
            if self.frame.decoder.steps > MAX_STEPS:
                raise Unsupported(f"it has more than {MAX_STEPS} steps over all its ways")
            try:
                done = rule(self, instruction)
            except Unsupported as error:
                if str(error).startswith("line "):
                    raise
                raise self.frame.unsupported(instruction, str(error)) from None
            if done is not None:
                return done
        return tuple(self.effects), tuple(self.stack), tuple(sorted(self.names.items()))

    # -- values ------------------------------------------------------------------------------------------------------

    def pop(self) -> int:
        """The number on top of the stack."""
        value = self.stack.pop()
        if not isinstance(value, int):
            raise Unsupported(f"{_describe_item(value)} is used as a number")
        return value

    def push(self, op: str, *args: int, value: object = None) -> None:
        node = self.build.add(op, *args, value=value)
        if op not in _SAFE:
            self.effects.append(node)
        self.stack.append(node)

    def constant(self, value: object) -> Any:
        if type(value) in (int, float, bool):
            return self.build.add("const", value=value)
        if value is None:
            return NONE
        if type(value) in (tuple, frozenset):
            return _Object(value)
        if type(value) is slice:  # of constants: a constant itself since 3.14
            raise Unsupported("a slice")
        raise Unsupported(f"the constant {_describe(value)} is no number")

    # -- rules: loads and stores ---------------------------------------------------------------------------------------

    def skip(self, i: dis.Instruction) -> None:
        pass

    def local(self, name: str) -> Any:
        if name not in self.names:
            raise Unsupported(f"{name!r} may be unbound, or is a number on some ways only")
        return self.names[name]

    def load_fast(self, i: dis.Instruction) -> None:
        for name in i.argval if isinstance(i.argval, tuple) else (i.argval,):
            self.stack.append(self.local(name))

    def store_fast(self, i: dis.Instruction) -> None:
        for name in i.argval if isinstance(i.argval, tuple) else (i.argval,):
            self.names[name] = self.stack.pop()

    def store_load(self, i: dis.Instruction) -> None:
        self.names[i.argval[0]] = self.stack.pop()
        self.stack.append(self.local(i.argval[1]))

    def load_const(self, i: dis.Instruction) -> None:
        self.stack.append(self.constant(i.argval))

    def load_common_constant(self, i: dis.Instruction) -> None:
        value = _COMMON_CONSTANTS[i.arg or 0]
        if value is AssertionError:
            raise Unsupported("a raise or assert")
        self.stack.append(self.constant(value))

    def load_global(self, i: dis.Instruction) -> None:
        slot = slot_of("global", i.argval, self.frame.owner)
        self.push_callable(self.load(slot, i.argval), bool(i.arg and i.arg & 1))

    def load(self, slot: Slot, name: str) -> Any:
        return self.frame.decoder.load(slot, self.frame.function, name)

    def push_callable(self, value: Any, with_null: bool) -> None:
        """With the NULL that calls of plain functions have: below the callable before 3.13, above it since."""
        if with_null and sys.version_info < (3, 13):
            self.stack.append(NULL)
        self.stack.append(value)
        if with_null and sys.version_info >= (3, 13):
            self.stack.append(NULL)

    def load_deref(self, i: dis.Instruction) -> None:
        slot = slot_of("cell", self.frame.code.co_freevars.index(i.argval), self.frame.owner)
        self.stack.append(self.load(slot, i.argval))

    def load_attr(self, i: dis.Instruction) -> None:
        module = self.stack.pop()
        called = i.opname == "LOAD_METHOD" or (sys.version_info >= (3, 12) and i.arg is not None and i.arg & 1)
        if isinstance(module, int) and called and i.argval in METHODS:  # of a number: x.bit_count()
            self.stack += [_Object(FUNCTIONS[i.argval].python), module]
            return
        if not isinstance(module, _Object) or type(module.value) is not types.ModuleType:
            raise Unsupported(f"the attribute {i.argval!r} of {_describe_item(module)}")
        name = i.argval if module.value is math else f"{module.value.__name__}.{i.argval}"
        self.stack.append(self.load(slot_of("attribute", i.argval, module.value), name))
        if called:
            self.stack.append(NULL)

    def push_null(self, i: dis.Instruction) -> None:
        self.stack.append(NULL)

    def pop_top(self, i: dis.Instruction) -> None:
        self.stack.pop()

    def copy(self, i: dis.Instruction) -> None:
        self.stack.append(self.stack[-(i.arg or 1)])

    def swap(self, i: dis.Instruction) -> None:
        at = -(i.arg or 1)
        self.stack[-1], self.stack[at] = self.stack[at], self.stack[-1]

    # -- rules: operations ---------------------------------------------------------------------------------------------

    def binary(self, i: dis.Instruction) -> None:
        symbol = _nb_ops[i.arg][1].removesuffix("=")
        if symbol == "[]":
            return self.subscript(i)
        if symbol not in BINARY:
            raise Unsupported(f"the operator {symbol}")
        right = self.pop()
        self.push(symbol, self.pop(), right)

    def subscript(self, i: dis.Instruction) -> None:
        index = self.pop()
        table = self.stack.pop()
        if isinstance(table, _Tuple):
            place: Node = self.build.nodes[index]
            if place.op != "const" or type(place.value) is not int:
                raise Unsupported("a tuple is subscripted by something that is not a constant int")
            if not -len(table.items) <= place.value < len(table.items):
                raise Unsupported(f"item {place.value} of a tuple of {len(table.items)}")
            self.stack.append(table.items[place.value])
            return
        if isinstance(table, int):
            raise Unsupported("a number is subscripted, as only a captured table can be, or the accumulator of a fold "
                              "that begins with a tuple")  # fmt: skip
        if not isinstance(table, _Table):
            raise Unsupported("a subscript of something that is no captured table of numbers")
        self.push("item", table.node, index)

    def build_tuple(self, i: dis.Instruction) -> None:
        if not i.arg:
            raise Unsupported("an empty tuple")
        self.stack.append(_Tuple(tuple(self.pop() for _ in range(i.arg))[::-1]))

    def unpack(self, i: dis.Instruction) -> None:
        items = self.tuple_of(self.stack.pop())
        if items is None:
            raise Unsupported("the unpacking of something that is no tuple of numbers")
        if len(items) != i.arg:
            raise Unsupported(f"a tuple of {len(items)} unpacked into {i.arg}")
        self.stack.extend(reversed(items))

    def tuple_of(self, value: Any) -> tuple[int, ...] | None:
        """The nodes of a tuple of numbers."""
        if isinstance(value, _Object) and type(value.value) is tuple:
            return tuple(self.build.const(v) for v in value.value) if _numbers(value.value) else None
        return value.items if isinstance(value, _Tuple) else None

    def compare(self, i: dis.Instruction) -> None:
        right = self.pop()
        self.push(i.argval, self.pop(), right)

    def contains(self, i: dis.Instruction) -> None:
        collection = self.stack.pop()
        if not isinstance(collection, _Object) or type(collection.value) not in (tuple, frozenset):
            raise Unsupported("'in' something that is not a constant tuple")
        if any(type(v) not in (int, float, bool) or v != v for v in collection.value):
            raise Unsupported("'in' a tuple of other things than numbers")
        self.push("in", self.pop(), value=tuple(collection.value))
        if i.arg:
            self.push("not", self.pop())

    def is_op(self, i: dis.Instruction) -> None:
        right, left = self.stack.pop(), self.stack.pop()
        self.stack.append(self.build.const(self.is_none(left, right) != bool(i.arg)))

    def is_none(self, left: Any, right: Any) -> bool:
        """Numbers are never None; other identities cannot be known."""
        if left is NONE and right is NONE:
            return True
        if (isinstance(left, int) and right is NONE) or (left is NONE and isinstance(right, int)):
            return False
        raise Unsupported("'is' compares identities")

    def unary(self, i: dis.Instruction) -> None:
        self.push(_UNARY[i.opname], self.pop())

    def intrinsic(self, i: dis.Instruction) -> None:
        if i.arg != 5:  # INTRINSIC_UNARY_POSITIVE
            raise Unsupported("an intrinsic operation")
        self.push("pos", self.pop())

    def call(self, i: dis.Instruction) -> None:
        args = [self.pop() for _ in range(i.arg or 0)][::-1]
        pair = [self.stack.pop(), self.stack.pop()]
        callee = next((c for c in pair if c is not NULL), NULL)
        if isinstance(callee, int) and isinstance(pair[1], _Object) and not args:  # a method and its number
            args, pair, callee = [callee], [NULL, pair[1]], pair[1]
        if NULL not in pair or not isinstance(callee, _Object):
            raise Unsupported(f"a call of {_describe_item(callee)}")
        function = callee.value
        if function is range:
            self.stack.append(self.constant_range(args))
            return
        if type(function) is types.FunctionType:
            node = self.frame.decoder.function(function, function, args)
            if self.gives_tuple(node):
                raise Unsupported(f"{_describe(function)}, which is called, returns a tuple")
        elif _is_known(function):
            node = _apply_known(self.build, function, args)
        else:
            raise Unsupported(f"a call of {_describe(function)}")
        self.effects.append(node)
        self.stack.append(node)

    def gives_tuple(self, index: int) -> bool:
        """Whether a node is a tuple, on some way at least."""
        node: Node = self.build.nodes[index]
        ends = node.args[1:] if node.op == "if" else node.args[-1:] if node.op == "seq" else ()
        return node.op == "tuple" or any(map(self.gives_tuple, ends))

    def width(self, index: int) -> int:
        """How many items the tuple has that a node returns, 0 for a number; all ways of one node return alike."""
        node: Node = self.build.nodes[index]
        while node.op in ("if", "seq"):
            node = self.build.nodes[node.args[-1]]
        return len(node.args) if node.op == "tuple" else 0

    # -- rules: loops ------------------------------------------------------------------------------------------------

    def constant_range(self, args: list[int]) -> _Object:
        nodes: list[Node] = [self.build.nodes[a] for a in args]
        if not 1 <= len(args) <= 3 or any(n.op != "const" or type(n.value) is not int for n in nodes):
            raise Unsupported("range() of something that is not a constant")
        try:
            return _Object(range(*[int(n.value) for n in nodes]))  # type: ignore[call-overload]
        except ValueError:
            raise Unsupported("range() with a step of zero") from None

    def get_iterator(self, i: dis.Instruction) -> None:
        iterated = self.stack.pop()
        if i.arg:  # 3.15: what a generator delegates to
            raise Unsupported("a loop")
        if not isinstance(iterated, _Object) or type(iterated.value) not in (range, tuple):
            raise Unsupported("a loop over something that is no constant range or tuple")
        if iterated.value[MAX_STEPS:]:
            raise Unsupported(f"a loop of more than {MAX_STEPS} steps")
        if not _numbers(iterated.value):
            raise Unsupported("a loop over other things than numbers")
        self.stack += [_Iterator(tuple(iterated.value)), NULL][:_LOOP_ITEMS]

    def next_number(self, i: dis.Instruction) -> None:
        iterator = self.stack[-_LOOP_ITEMS]
        if not isinstance(iterator, _Iterator):
            raise Unsupported("a loop")
        if iterator.taken < len(iterator.numbers):
            self.stack[-_LOOP_ITEMS] = _Iterator(iterator.numbers, iterator.taken + 1)
            self.stack.append(self.build.const(iterator.numbers[iterator.taken]))
            return
        if sys.version_info < (3, 14):  # since then POP_ITER follows
            self.stack.pop()
        self.k = self.frame.at[i.argval] + _PASSED_OVER

    def end_loop(self, i: dis.Instruction) -> None:
        del self.stack[-_LOOP_ITEMS:]

    # -- rules: control ------------------------------------------------------------------------------------------------

    def give(self, i: dis.Instruction) -> Any:
        return self.given(self.stack.pop())

    def give_const(self, i: dis.Instruction) -> Any:
        return self.given(self.constant(i.argval))

    def given(self, value: Any) -> Any:
        items = self.tuple_of(value)
        return tuple(self.effects), _Tuple(items) if items else value

    def jump(self, i: dis.Instruction) -> None:
        self.k = self.frame.at[i.argval]

    def branch(self, i: dis.Instruction) -> Any:
        """A conditional jump: both ways to where they meet, joined there."""
        name = i.opname
        keeps = name.endswith("_OR_POP")  # 3.11: the value stays if the jump is taken
        top = self.stack[-1]
        jumped = list(self.stack) if keeps else self.stack[:-1]
        if name.endswith("NONE"):
            is_none = self.is_none(top, NONE)
            self.stack.pop()
            if is_none != ("NOT" in name):
                self.k = self.frame.at[i.argval]
            return None
        condition = self.pop()
        node: Node = self.build.nodes[condition]
        while node.op == "truth":  # a branch looks at the truth anyhow
            condition = node.args[0]
            node = self.build.nodes[condition]
        if node.op == "const":
            if bool(node.value) == ("TRUE" in name):
                self.k, self.stack = self.frame.at[i.argval], jumped
            return None
        meet = self.frame.meets[self.k - 1]
        names = tuple(sorted(self.names.items()))
        taken = self.frame.run(self.frame.at[i.argval], tuple(jumped), names, meet)
        fallen = self.frame.run(self.k, tuple(self.stack), names, meet)
        then, other = (taken, fallen) if "TRUE" in name else (fallen, taken)
        if meet == len(self.frame.instructions):
            arms = [self.frame.sequence(*way) for way in (then, other)]
            if self.width(arms[0]) != self.width(arms[1]):
                raise Unsupported(_TWO_KINDS)
            return tuple(self.effects), self.build.add("if", condition, *arms)
        return self.join(condition, then, other, meet)

    def join(self, condition: int, then: Any, other: Any, meet: int) -> None:
        (effects_a, stack_a, names_a), (effects_b, stack_b, names_b) = then, other
        if effects_a or effects_b:
            self.effects.append((condition, effects_a, effects_b))
        if len(stack_a) != len(stack_b):
            raise Unsupported("its stack differs between two ways")
        self.stack = [self.phi(condition, a, b) for a, b in zip(stack_a, stack_b, strict=True)]
        a_names, b_names = dict(names_a), dict(names_b)
        joined = {n: self.phi(condition, a_names[n], b_names[n]) for n in a_names if n in b_names}
        self.names = {n: value for n, value in joined.items() if value is not None}
        self.k = meet

    def phi(self, condition: int, a: Any, b: Any) -> Any:
        """The one value of a place that two ways give; None if there is none, which matters only if it is used."""
        if a is b or (isinstance(a, (int, _Iterator, _Table, _Tuple)) and a == b):
            return a
        if isinstance(a, int) and isinstance(b, int):
            return self.build.add("if", condition, a, b)
        if isinstance(a, _Tuple) and isinstance(b, _Tuple) and len(a.items) == len(b.items):
            return _Tuple(tuple(map(functools.partial(self.phi, condition), a.items, b.items)))
        return None


def _construct(i: dis.Instruction) -> str:
    """What an instruction without a rule is for, in words where we have them."""
    words = {
        "CALL_KW": "a call with keyword arguments",
        "KW_NAMES": "a call with keyword arguments", "CALL_FUNCTION_EX": "a call with * or **",
        "STORE_GLOBAL": "an assignment to a global", "STORE_DEREF": "an assignment to a nonlocal",
        "IMPORT_NAME": "an import", "RAISE_VARARGS": "a raise or assert", "MAKE_FUNCTION": "a nested function",
        "BUILD_LIST": "a list",
        "FORMAT_VALUE": "an f-string", "FORMAT_SIMPLE": "an f-string", "FORMAT_WITH_SPEC": "an f-string",
        "BUILD_STRING": "an f-string", "BUILD_INTERPOLATION": "a t-string", "BUILD_TEMPLATE": "a t-string",
        "LOAD_ASSERTION_ERROR": "a raise or assert", "BINARY_SLICE": "a slice", "BUILD_SLICE": "a slice",
    }  # fmt: skip
    return words.get(i.opname, f"the bytecode {i.opname}")


def _describe(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if callable(value):
        return f"{getattr(value, '__qualname__', type(value).__name__)}()"
    return f"an object of type {type(value).__name__}"


def _numbers(values: Any) -> bool:
    return all(type(v) in (int, float, bool) for v in values)


def _names(count: int) -> list[str]:
    """Parameters of a callable that has no names for them."""
    return list("xyz"[:count]) if count <= 3 else [f"x{i}" for i in range(count)]


def _describe_item(item: Any) -> str:
    if isinstance(item, _Object):
        value = item.value
        return f"the module {value.__name__}" if type(value) is types.ModuleType else _describe(value)
    kinds = {_Table: "a table", _Tuple: "a tuple"}
    return "a number" if isinstance(item, int) else kinds.get(type(item)) or repr(item)


_UNARY = {"UNARY_NEGATIVE": "neg", "UNARY_POSITIVE": "pos", "UNARY_INVERT": "invert", "UNARY_NOT": "not",
          "TO_BOOL": "truth"}  # fmt: skip
_RULES: dict[str, Callable[[_Run, dis.Instruction], Any]] = {
    **dict.fromkeys(("RESUME", "NOP", "NOT_TAKEN", "CACHE", "PRECALL", "EXTENDED_ARG", "COPY_FREE_VARS"), _Run.skip),
    **dict.fromkeys(("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_LOAD_FAST"), _Run.load_fast),
    **dict.fromkeys(("LOAD_FAST_BORROW", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"), _Run.load_fast),
    **dict.fromkeys(("STORE_FAST", "STORE_FAST_STORE_FAST"), _Run.store_fast),
    **dict.fromkeys(_UNARY, _Run.unary),
    **dict.fromkeys(("LOAD_ATTR", "LOAD_METHOD"), _Run.load_attr),
    **dict.fromkeys(
        [
            *(
                f"POP_JUMP_{way}IF_{what}"
                for way in ("", "FORWARD_", "BACKWARD_")
                for what in ("TRUE", "FALSE", "NONE", "NOT_NONE")
            ),
            "JUMP_IF_TRUE_OR_POP",
            "JUMP_IF_FALSE_OR_POP",
        ],
        _Run.branch,
    ),
    "STORE_FAST_LOAD_FAST": _Run.store_load,
    **dict.fromkeys(("LOAD_CONST", "LOAD_SMALL_INT"), _Run.load_const),
    "LOAD_COMMON_CONSTANT": _Run.load_common_constant,
    "LOAD_GLOBAL": _Run.load_global,
    "LOAD_DEREF": _Run.load_deref,
    "PUSH_NULL": _Run.push_null,
    "POP_TOP": _Run.pop_top,
    "COPY": _Run.copy,
    "SWAP": _Run.swap,
    "BINARY_OP": _Run.binary,
    "BINARY_SUBSCR": _Run.subscript,
    "BUILD_TUPLE": _Run.build_tuple,
    "UNPACK_SEQUENCE": _Run.unpack,
    "COMPARE_OP": _Run.compare,
    "CONTAINS_OP": _Run.contains,
    "IS_OP": _Run.is_op,
    "CALL_INTRINSIC_1": _Run.intrinsic,
    "CALL": _Run.call,
    "RETURN_VALUE": _Run.give,
    "RETURN_CONST": _Run.give_const,
    "JUMP_FORWARD": _Run.jump,
    "JUMP_BACKWARD": _Run.jump,
    "GET_ITER": _Run.get_iterator,
    "FOR_ITER": _Run.next_number,
    "POP_ITER": _Run.end_loop,
}
