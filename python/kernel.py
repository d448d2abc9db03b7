"""Kernels: an expression or a callable, ready to run over buffers.

A kernel never changes what it means, so it may be shared by threads. What a text means is known when the kernel is
made; what a callable means is looked up at each run, because the numbers that a function captures are read then
(functions.py).
"""

from __future__ import annotations

import functools
import itertools
import operator
import sys
import types
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from . import _complete, _machine, functions
from .common import MAX_THREADS, MISSING, native
from .compiler.infer import Param
from .compiler.ir import IR, bind, from_table, identity, show, to_table
from .compiler.parse import RESERVED, parse
from .exchange import exchanges, takes
from .functions import NotCompilable, Translation
from .plans import MACHINE_TYPES, Plans, types_of

_MOST_KERNELS = 256  # texts remembered; the oldest is forgotten first
_ANY_INT = 1 << 64  # stands for an accumulator
_FOLD_TRIES = 4  # elements of a fold given to Python while the accumulator's type settles (int, then float)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What one run of a kernel needs to know."""

    plans: Plans | None  # None: python is called for each element
    captured: tuple[Any, ...]  # numbers that follow the arguments
    python: Callable[..., Any]  # the meaning for one element
    sees_captured: bool  # whether python takes the captured numbers, too

    def visible(self, arguments: int) -> int:
        """How many of the arguments and captured numbers ``python`` takes."""
        return arguments + len(self.captured) if self.sees_captured else arguments


class Kernel(_machine.KernelBase):
    """An expression or callable, compiled once and run over any number of buffers.

    Made by :func:`arrayops.compile`. Calling it is :meth:`map`. Kernels are immutable and may run in many threads at
    once. They are equal, and hash alike, if they mean the same: the same program with the same parameters, which reads
    the same captured numbers. They pickle, unless they are callables that cannot be compiled and do not pickle
    themselves; the copy keeps the captured numbers as they were then.

    >>> import arrayops as ao
    >>> from array import array
    >>> k = ao.compile("a*b + c")
    >>> k(array("d", [1, 2]), array("d", [3, 4]), 0.5)
    array('d', [3.5, 8.5])
    >>> k.params
    ('a', 'b', 'c')
    >>> ao.compile(lambda x: x*x + 1) == ao.compile("x*x + 1")
    True
    """

    __slots__ = ("_decoding", "_eager", "_function", "_ieee", "_plans", "_strict", "_text")

    def __init__(self, f: str | Callable[..., Any] | IR, params: tuple[str, ...] = (), *, ieee: bool = False,
                 named: frozenset[str] = frozenset(), closed: bool = False, eager: bool = False, strict: bool = False,
                 decoding: bool = True) -> None:  # fmt: skip
        self._text = f if isinstance(f, str) else None
        self._ieee = bool(ieee)
        self._plans: Plans | None = None
        self._function: Callable[..., Any] | None = None
        self._decoding, self._strict = decoding and functions.DECODING, strict or self._ieee
        self._eager = eager or self._strict
        if isinstance(f, str):
            self._plans = Plans(parse(f, params, named, closed), self._ieee)
        elif isinstance(f, IR):
            self._plans = Plans(f, self._ieee)
        elif callable(f):
            self._function = f
            if self._strict:
                self._translation()
            elif self._decoding:
                self._front = f
        else:
            raise TypeError(f"an expression (str) or a callable is needed, not {type(f).__name__}")
        if self._plans is not None:
            self._front = (self._plans.ready, self._plans.narrow)

    # -- what it is ----------------------------------------------------------------------------------------------

    @property
    def compiled(self) -> bool:
        """True if the kernel runs in the machine, False if it calls Python for each element."""
        return self._ir is not None

    @property
    def source(self) -> str:
        """The expression as readable text; for a callable that is not compiled its name."""
        ir = self._ir
        return self._name if ir is None else show(ir)

    @property
    def params(self) -> tuple[str, ...]:
        """Names of the parameters, in the order in which positional arguments are bound.

        Those of a callable are the ones without default; empty for one that has no Python code.
        """
        if self._plans is not None:
            return self._plans.ir.params
        arity = functions.own_arity(self._function)
        ir = self._ir
        if ir is not None:
            return ir.params[:arity]
        return self._function.__code__.co_varnames[:arity] if isinstance(self._function, types.FunctionType) else ()

    @property
    def _ir(self) -> IR | None:
        return self._plans.ir if self._plans is not None else self._translation()[0].template.ir

    @property
    def _name(self) -> str:
        return self._text or str(getattr(self._function, "__qualname__", None) or repr(self._function))

    def _translation(self) -> tuple[Translation, tuple[Any, ...]]:
        """What the callable means when it is called with as many numbers as it needs."""
        translation, captured = functions.translate(self._function, functions.own_arity(self._function))
        if not self._decoding:
            translation = functions.refused(translation, "decoding is switched off")
        if self._strict and translation.plans is None:
            raise NotCompilable(f"{self._name} cannot be compiled: {translation.template.reason}")
        return translation, captured

    def _key(self) -> tuple[object, ...]:
        ir = self._ir
        if ir is None:
            return (self._function, self._ieee)
        places: tuple[object, ...] = ()
        if self._function is not None:
            places = tuple(_place(self._function, slot) for slot in self._translation()[0].template.slots)
        nodes = tuple((n.op, n.args, identity(n.value)) for n in ir.nodes)
        return (nodes, ir.root, ir.params, places, self._ieee)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Kernel) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        ieee = ", ieee=True" if self._ieee else ""
        return f"<arrayops.Kernel {self.source!r} ({', '.join(self.params)}){ieee}>"

    def _repr_html_(self) -> str:
        from .describe import kernel_html

        return kernel_html(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # The text or the IR, not the program: whoever loads it checks, compiles and verifies it again.
        if self._text is not None:
            return (_from_text, (self._text, self.params, self._ieee))
        if self._plans is not None:
            return (_from_table, (to_table(self._plans.ir), self._ieee))
        translation, captured = self._translation()
        if translation.template.ir is None:
            return (_from_function, (self._function, self._decoding, self._strict))
        return (_from_table, (to_table(bind(translation.template.ir, captured)), self._ieee))

    # -- running -------------------------------------------------------------------------------------------------

    @exchanges(chunkwise=True)
    def map(self, arr: Any, *more: Any, typecode: str | None = None, out: Any = None, threads: int | None = None,
            **names: Any) -> Any:  # fmt: skip
        """A new array of the value at each element; see :func:`arrayops.map`. To call a kernel is the same."""
        return self._run_map(*self._bind((arr, *more), names), typecode, out, threads)

    @takes
    def inplace(self, arr: Any, *more: Any, threads: int | None = None, **names: Any) -> None:
        """Replaces each element of arr by the value; see :func:`arrayops.map_inplace`."""
        self._run_map(*self._bind((arr, *more), names), None, arr, threads)

    @exchanges(chunkwise=True)
    def filter(self, arr: Any, *more: Any, **names: Any) -> Any:
        """The elements of arr for which the value is true; see :func:`arrayops.filter`."""
        args, lead = self._bind((arr, *more), names)
        meaning = self._meaning(args, _machine.buffer_info(args[lead])[2])
        given = args + meaning.captured
        program = None if meaning.plans is None else meaning.plans.get("filter", types_of(given), None).program
        if program is None:
            return _machine.call_filter(meaning.python, given[: meaning.visible(len(args))], lead)
        return _machine.run_filter(program, given, lead, meaning.python, meaning.visible(len(args)))

    @takes
    def _count(self, what: int, arr: Any, *more: Any, **names: Any) -> int | bool:
        """How many values are true; what 1, 2: whether any, all are. Stops where that is known."""
        args, lead = self._bind((arr, *more), names)
        meaning = self._meaning(args, _machine.buffer_info(args[lead])[2])
        given, visible = args + meaning.captured, meaning.visible(len(args))
        program = None if meaning.plans is None else meaning.plans.get("filter", types_of(given), None).program
        if program is not None:
            return _machine.run_count(program, given, meaning.python, visible, what)
        with memoryview(arr):  # held, so that a callable cannot resize it
            columns = [itertools.repeat(a) if isinstance(a, (int, float)) else native(a) for a in given[:visible]]
            values = (meaning.python(*element) for element in zip(*columns, strict=False))
            return any(values) if what == 1 else all(values) if what == 2 else sum(1 for v in values if v)

    def _run_map(self, args: tuple[Any, ...], lead: int, typecode: str | None, out: Any, threads: int | None) -> Any:
        first = _machine.buffer_info(args[lead])
        wanted = _output(first[0], typecode, out)
        meaning = self._meaning(args, first[2])
        given, visible = args + meaning.captured, meaning.visible(len(args))
        plan = None if meaning.plans is None else meaning.plans.get("map", types_of(given), wanted)
        if plan is not None and plan.never_fits and first[2]:
            self._refuse_floats(given, wanted)
        target = _machine.new_array(wanted, first[2]) if out is None else out
        if plan is None or plan.program is None:
            _machine.call_map(meaning.python, given[:visible], target, out is None)
        else:
            _machine.run_map(plan.program, given, target, meaning.python, visible, out is None, _threads(threads))
        return target

    @exchanges(chunkwise=True)
    def _evaluate(self, /, *, typecode: str | None, out: Any, threads: int | None, **names: Any) -> Any:
        """The value where every parameter has a name; see :func:`arrayops.evaluate`."""
        assert self._plans is not None
        params = self._plans.ir.params
        for name in names:
            if name not in params:
                raise TypeError(f"{self._text!r} has no name {name!r}; its names are {_listed(params)}")
        missing = [p for p in params if p not in names]
        if missing:
            raise TypeError(f"{self._text!r} needs a value for {_listed(missing)}")
        args = tuple(_number(names[p], repr(p)) for p in params)
        lead = next((i for i, a in enumerate(args) if not isinstance(a, (int, float))), None)
        if lead is None:
            return self._plans.evaluator(*args)
        if typecode is None and out is None:
            typecode = self._plans.get("map", types_of(args), None).typecode
        return self._run_map(args, lead, typecode, out, threads)

    def _refuse_floats(self, args: tuple[Any, ...], wanted: str) -> None:
        """A float for an integer array: the first element's own exception, or one that names the remedy."""
        if self._plans is None:
            return  # a function's results are refused one by one, by the array itself
        value = self._plans.evaluator(*(a if isinstance(a, (int, float)) else native(a)[0] for a in args))
        if isinstance(value, float):
            what = self._text or self.source
            raise TypeError(f"{what!r} gives floats, which a {wanted!r} array cannot hold; pass typecode='d'")

    def _meaning(self, args: tuple[Any, ...], elements: int) -> _Meaning:
        """What the kernel means now, when called with these arguments, or values of them, for each of ``elements``."""
        if self._plans is not None:
            return _Meaning(self._plans, (), self._plans.oracle(args), True)
        assert self._function is not None
        found = None
        if self._decoding:
            elements = sys.maxsize if self._eager else elements
            found = functions.find(self._function, len(args), elements)
        plans = None if found is None else found[0].plans
        if plans is None:
            if self._strict:
                raise NotCompilable(f"{self._name} cannot be compiled: {self._translation()[0].template.reason}")
            return _Meaning(None, (), self._function, False)
        assert found is not None
        if self._ieee:
            return _Meaning(plans.with_ieee, found[1], plans.with_ieee.oracle(args + found[1]), True)
        return _Meaning(plans, found[1], self._function, False)

    # -- binding -------------------------------------------------------------------------------------------------

    def _bind(self, positional: tuple[Any, ...], names: dict[str, Any]) -> tuple[tuple[Any, ...], int]:
        """One argument per parameter, in order, and which of them is the first positional one. Names bind first."""
        if self._plans is None:
            if names:
                raise TypeError(f"{self._name} is a callable: named values ({_listed(names)}) go with a text only")
            return positional[:1] + tuple(_number(a, f"argument {i}") for i, a in enumerate(positional[1:], 2)), 0
        params = self._plans.ir.params
        what = self._text or self.source
        unknown = [name for name in names if name not in params]
        if unknown:
            raise TypeError(f"{what!r} has no name {unknown[0]!r}; its names are {_listed(params)}")
        left = [p for p in params if p not in names]
        if len(positional) != len(left):
            raise TypeError(
                f"{what!r} needs {len(left)} values by position ({_listed(left)}), {len(positional)} were given"
                + ("; the others can be given by name" if len(positional) < len(left) else "")
            )
        bound = {**dict(zip(left, positional, strict=True)), **names}
        return tuple(_number(bound[p], repr(p)) for p in params), params.index(left[0])

    # -- folds ---------------------------------------------------------------------------------------------------

    def _bind_fold(self, names: dict[str, Any]) -> tuple[Any, ...]:
        """The named numbers of a fold, in the order of the parameters that follow the accumulator and the element."""
        for name, value in names.items():
            if not isinstance(value, (int, float)):
                raise TypeError(f"{name!r} must be a number in a fold, not {type(value).__name__}")
        return self._bind((0, 0), names)[0][2:]

    @takes
    def reduce(self, arr: Any, initial: Any = MISSING, **names: Any) -> Any:
        """The left fold of arr; see :func:`arrayops.reduce`."""
        numbers = self._bind_fold(names)
        fold = _Fold(self._meaning((_ANY_INT, 0, *numbers), _machine.buffer_info(arr)[2]), numbers)
        if initial is not MISSING and type(initial) in (int, float, bool):
            return fold.run(arr, initial, 0)
        values = native(arr)
        with memoryview(arr):  # held, so that a callable cannot resize it
            if initial is MISSING and len(values):
                return fold.run(arr, values[0], 1)
            return functools.reduce(fold.callable, values, *(() if initial is MISSING else (initial,)))

    @exchanges(chunkwise=False)
    def accumulate(self, arr: Any, initial: Any = None, typecode: str | None = None, **names: Any) -> Any:
        """The running fold of arr; see :func:`arrayops.accumulate`."""
        code, _, count, _ = _machine.buffer_info(arr)
        code = typecode or code
        array(code)  # a bad typecode is array.array's ValueError
        numbers = self._bind_fold(names)
        fold = _Fold(self._meaning((_ANY_INT, 0, *numbers), count), numbers)
        by_python = (initial is None and not count) or type(initial) not in (int, float, bool, type(None))
        if not by_python and fold.meaning.plans is not None:
            first = native(arr)[0] if initial is None else initial
            out = _machine.new_array(code, count if initial is None else count + 1)
            try:
                out[0] = first
                fold.run(arr, first, int(initial is None), out if initial is None else memoryview(out)[1:])
                return out
            except (_Unsettled, TypeError, OverflowError):
                pass  # which exception comes first depends on all elements: Python itself decides
        with memoryview(arr):
            return array(code, list(itertools.accumulate(native(arr), fold.callable, initial=initial)))

    # -- explaining ----------------------------------------------------------------------------------------------

    def explain(self, *typecodes: str, **names: Any) -> str:
        """What the kernel does for arrays of these typecodes (the last one stands for any that follow) and numbers.

        The first line is ``compiled`` or ``callback: why``; then the expression, its terms with kinds and ranges,
        the faults that can occur, and the bytecode.

        >>> import arrayops as ao
        >>> print(ao.compile("x + 1").explain("b"))
        compiled
        expression: x + 1
        result: 'b'
        terms:
          x      int -128..127
          add    int -127..128
        faults: FIT_i8_i16 (does not fit the result)
        bytecode:
          body            t0 = TO_i16_i8 in0
          body            t0 = ADD_i16 t0, 1
          body           out = FIT_i8_i16 t0
        """
        from .describe import explain_kernel

        return explain_kernel(self, typecodes, names)


class _Unsettled(Exception):
    """The accumulator of a fold changes its type more often than is tried."""


@dataclass(frozen=True, slots=True)
class _Fold:
    """A fold by what a kernel means, with the numbers that follow the accumulator and the element."""

    meaning: _Meaning
    numbers: tuple[Any, ...]

    def step(self, acc: Any, x: Any) -> Any:
        captured = self.meaning.captured if self.meaning.sees_captured else ()
        return self.meaning.python(acc, x, *self.numbers, *captured)

    @property
    def callable(self) -> Callable[[Any, Any], Any]:
        """``step``, as directly as possible."""
        return self.step if self.numbers or self.meaning.sees_captured else self.meaning.python

    def run(self, arr: Any, acc: Any, start: int, out: Any = None) -> Any:
        """The accumulator after elements start.. of arr; with out, each of its values there.

        Raises _Unsettled if out is given and the accumulator's type does not settle.
        """
        plans, count = self.meaning.plans, _machine.buffer_info(arr)[2]
        wanted = None if out is None else _machine.buffer_info(out)[0]
        for _ in range(_FOLD_TRIES):
            if start >= count:
                return acc
            if plans is None or type(acc) not in (int, float, bool):
                break
            args = (acc, arr, *self.numbers, *self.meaning.captured)
            types = types_of(args)
            if isinstance(acc, int) and acc >= 0 and isinstance(types[0], Param):  # so an unsigned lane may do
                types = (replace(types[0], lo=max(types[0].lo, 0)), *types[1:])
            plan = plans.get("fold", types, wanted)
            if plan.program is not None:
                visible = self.meaning.visible(2 + len(self.numbers))
                return _machine.run_fold(plan.program, args, 0, start, self.meaning.python, visible, out)
            acc = self.step(acc, native(arr)[start])
            if out is not None:
                raise _Unsettled
            start += 1
        return functools.reduce(self.callable, itertools.islice(native(arr), start, None), acc)


def _place(function: Any, slot: Any) -> object:
    """What tells one captured place from another: the object that holds the number, and where in it."""
    kind, key, owner = slot
    holder = function if owner is None else owner
    name = _machine.SLOT_KINDS[kind]
    if name == "cell":
        return id(holder.__closure__[key])
    return (name, key, id(holder.__globals__) if name == "global" else id(holder))


def _from_text(text: str, params: tuple[str, ...], ieee: bool) -> Kernel:
    return Kernel(text, params, ieee=ieee, named=frozenset(params))


def _from_table(table: object, ieee: bool) -> Kernel:
    return Kernel(from_table(table), ieee=ieee)


def _from_function(function: Callable[..., Any], decoding: bool, strict: bool) -> Kernel:
    return Kernel(function, eager=True, decoding=decoding, strict=strict)


def _output(first: str, typecode: str | None, out: Any) -> str:
    """The typecode of the result."""
    if out is not None:
        given = str(_machine.buffer_info(out)[0])
        if typecode is not None and typecode != given:
            raise ValueError(f"out has typecode {given!r}, but typecode={typecode!r} was asked for")
        return given
    if typecode is not None and not isinstance(typecode, str):
        raise TypeError(f"typecode must be a str, not {type(typecode).__name__}")
    if typecode is not None and typecode not in MACHINE_TYPES:
        raise ValueError(f"bad typecode {typecode!r}: must be one of b, B, h, H, i, I, l, L, q, Q, f or d")
    return typecode or first


def _threads(wanted: int | None) -> int:
    """The machine's number for so many threads: 0 leaves it to the machine."""
    if wanted is None:
        return 0
    number = operator.index(wanted)
    if not 1 <= number <= MAX_THREADS:
        raise ValueError(f"threads must be 1 to {MAX_THREADS}, not {number}")
    return number


def _number(value: Any, name: str) -> Any:
    """A bound argument: an exact int, float or bool, or a buffer as it is."""
    if type(value) in (int, float, bool, array):
        return value
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return int(value)
    import numbers

    if isinstance(value, numbers.Number):  # NumPy's scalars, which are buffers of no dimension, too
        if isinstance(value, numbers.Integral):
            return operator.index(value)
        if isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):
            return float(value)
    else:
        try:
            memoryview(value).release()
            return value
        except TypeError:
            pass
    raise TypeError(f"{name} must be a buffer or an int, float or bool, not {type(value).__name__}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(n) for n in names) or "none"


_kernels: dict[Any, Kernel] = {}


def text_kernel(text: str, names: Any = (), *, ieee: bool = False, first: tuple[str, ...] = ()) -> Kernel:
    """The kernel of a text, from the cache if it is there."""
    hidden = frozenset(name for name in names if name in RESERVED)
    key = (text, ieee, first, hidden)
    kernel = _kernels.get(key)
    if kernel is None:
        kernel = Kernel(text, first, ieee=ieee, named=hidden)
        while len(_kernels) >= _MOST_KERNELS:
            _kernels.pop(next(iter(_kernels), None), None)
        _kernels[key] = kernel
        if not (ieee or first or hidden):
            while len(_machine.TEXTS) >= _MOST_KERNELS:
                _machine.TEXTS.pop(next(iter(_machine.TEXTS), ""), None)
            assert kernel._plans is not None
            _machine.TEXTS[text] = (kernel._plans.ready, kernel._plans.narrow)
    return kernel


_complete()
