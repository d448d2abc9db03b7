"""Kernels: an expression or a callable, ready to run over buffers.

A kernel of a text holds its IR and, for each combination of argument types it has met, a *plan*: the program that the
compiler made for it. Plans are made at first use. A kernel never changes what it means, so it may be shared by threads;
two threads that need the same new plan both make it, and either one is kept.
"""

from __future__ import annotations

import functools
import itertools
import operator
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import _machine
from .compiler.evaluate import evaluator
from .compiler.infer import I64, Inference, Param, Union, array_param, interval, number_param
from .compiler.ir import CONSTANTS, IR, show
from .compiler.lower import Program, TooLarge, lower
from .compiler.parse import parse

_MOST_KERNELS = 256  # texts remembered; the oldest is forgotten first
_MOST_PLANS = 64  # plans of one kernel
_FOLD_TRIES = 4  # elements of a fold given to Python while the accumulator's type settles (int, then float)

_MACHINE_TYPES = {code: _machine.buffer_info(array(code))[1] for code in "bBhHiIlLqQfd"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What one combination of argument types compiles to."""

    typecode: str  # of the result
    program: Any  # a _machine.Program, or None: Python evaluates every element
    listing: Program | None
    inference: Inference
    never_fits: bool = False  # the result is a float and the typecode an integer's
    acc_type: str = ""


class Kernel:
    """An expression or callable, compiled once and run over any number of buffers.

    Made by :func:`arrayops.compile`. Calling it is :meth:`map`. Kernels are immutable, may run in many threads at once,
    are equal and hash alike if they mean the same, and those of texts pickle.

    >>> import arrayops as ao
    >>> from array import array
    >>> k = ao.compile("a*b + c")
    >>> k(array("d", [1, 2]), array("d", [3, 4]), 0.5)
    array('d', [3.5, 8.5])
    >>> k.params
    ('a', 'b', 'c')
    """

    __slots__ = ("_function", "_ieee", "_ir", "_oracle", "_plans", "_text")

    def __init__(self, f: str | Callable[..., Any], params: tuple[str, ...] = (), *, ieee: bool = False,
                 named: frozenset[str] = frozenset(), closed: bool = False) -> None:  # fmt: skip
        self._text = f if isinstance(f, str) else None
        self._ieee = bool(ieee)
        self._plans: dict[Any, Plan] = {}
        self._ir: IR | None = None
        if isinstance(f, str):
            self._ir = parse(f, params, named, closed)
            self._oracle: Callable[..., Any] | None = None
            self._function: Callable[..., Any] | None = None
        elif callable(f):
            self._function = self._oracle = f
        else:
            raise TypeError(f"an expression (str) or a callable is needed, not {type(f).__name__}")

    # -- what it is ----------------------------------------------------------------------------------------------

    @property
    def compiled(self) -> bool:
        """True if the kernel runs in the machine, False if it calls Python for each element."""
        return self._ir is not None

    @property
    def source(self) -> str:
        """The expression as readable text; for a callable its name."""
        if self._ir is not None:
            return show(self._ir)
        return getattr(self._function, "__qualname__", repr(self._function))

    @property
    def params(self) -> tuple[str, ...]:
        """Names of the parameters, in the order in which positional arguments are bound; empty for a callable."""
        return self._ir.params if self._ir is not None else ()

    def _meaning(self) -> tuple[object, ...]:
        if self._ir is None:
            return (self._function, self._ieee)
        # repr tells 1, 1.0 and True, and the zeros, apart
        return (tuple(repr(n) for n in self._ir.nodes), self._ir.root, self._ir.params, self._ieee)

    def __eq__(self, other: object) -> bool:
        return self._meaning() == other._meaning() if isinstance(other, Kernel) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._meaning())

    def __repr__(self) -> str:
        ieee = ", ieee=True" if self._ieee else ""
        return f"<arrayops.Kernel {self.source!r} ({', '.join(self.params)}){ieee}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # The text, not the program: whoever loads it parses, compiles and verifies it again.
        return (_rebuild, (self._text if self._text is not None else self._function, self.params, self._ieee))

    # -- running -------------------------------------------------------------------------------------------------

    def __call__(self, arr: Any, *more: Any, typecode: str | None = None, out: Any = None, **names: Any) -> Any:
        """The same as :meth:`map`."""
        return self._run_map(*self._bind((arr, *more), names), typecode, out)

    def map(self, arr: Any, *more: Any, typecode: str | None = None, out: Any = None, **names: Any) -> Any:
        """A new array of the value at each element; see :func:`arrayops.map`."""
        return self._run_map(*self._bind((arr, *more), names), typecode, out)

    def inplace(self, arr: Any, *more: Any, **names: Any) -> None:
        """Replaces each element of arr by the value; see :func:`arrayops.map_inplace`."""
        self._run_map(*self._bind((arr, *more), names), None, arr)

    def filter(self, arr: Any, *more: Any, **names: Any) -> array[Any]:
        """The elements of arr for which the value is true; see :func:`arrayops.filter`."""
        args, lead = self._bind((arr, *more), names)
        plan = self._plan("filter", _types(args), None) if self._ir is not None else None
        if plan is None or plan.program is None:
            return _machine.call_filter(self._python(), args, lead)
        return _machine.run_filter(plan.program, args, lead, self._python())

    def _run_map(self, args: tuple[Any, ...], lead: int, typecode: str | None, out: Any) -> Any:
        first = _machine.buffer_info(args[lead])
        wanted = _output(first[0], typecode, out)
        plan = self._plan("map", _types(args), wanted) if self._ir is not None else None
        if plan is not None and plan.never_fits and first[2]:
            self._refuse_floats(args, wanted)
        target = _machine.new_array(wanted, first[2]) if out is None else out
        if plan is None or plan.program is None:
            _machine.call_map(self._python(), args, target, out is None)
        else:
            _machine.run_map(plan.program, args, target, self._python(), out is None)
        return target

    def _evaluate(self, names: dict[str, Any], typecode: str | None, out: Any) -> Any:
        """The value where every parameter has a name; see :func:`arrayops.evaluate`."""
        assert self._ir is not None
        params = self._ir.params
        for name in names:
            if name not in params:
                raise TypeError(f"{self._text!r} has no name {name!r}; its names are {_listed(params)}")
        missing = [p for p in params if p not in names]
        if missing:
            raise TypeError(f"{self._text!r} needs a value for {_listed(missing)}")
        args = tuple(_number(names[p], repr(p)) for p in params)
        lead = next((i for i, a in enumerate(args) if not isinstance(a, (int, float))), None)
        if lead is None:
            return self._python()(*args)
        if typecode is None and out is None:
            typecode = self._plan("map", _types(args), None).typecode
        return self._run_map(args, lead, typecode, out)

    def _refuse_floats(self, args: tuple[Any, ...], wanted: str) -> None:
        """A float for an integer array: the first element's own exception, or one that names the remedy."""
        value = self._python()(*(a if isinstance(a, (int, float)) else native(a)[0] for a in args))
        if isinstance(value, float):
            raise TypeError(f"{self._text!r} gives floats, which a {wanted!r} array cannot hold; pass typecode='d'")

    def _python(self) -> Callable[..., Any]:
        """The meaning of the kernel for one element, in Python."""
        if self._oracle is None:
            assert self._ir is not None
            self._oracle = evaluator(self._ir, self._ieee)
        return self._oracle

    # -- binding -------------------------------------------------------------------------------------------------

    def _bind(self, positional: tuple[Any, ...], names: dict[str, Any]) -> tuple[tuple[Any, ...], int]:
        """One argument per parameter, in order, and which of them is the first positional one. Names bind first."""
        if self._ir is None:
            if names:
                raise TypeError(f"{self.source} is a callable: named values ({_listed(names)}) go with a text only")
            return positional[:1] + tuple(_number(a, f"argument {i}") for i, a in enumerate(positional[1:], 2)), 0
        params = self._ir.params
        unknown = [name for name in names if name not in params]
        if unknown:
            raise TypeError(f"{self._text!r} has no name {unknown[0]!r}; its names are {_listed(params)}")
        left = [p for p in params if p not in names]
        if len(positional) != len(left):
            raise TypeError(
                f"{self._text!r} needs {len(left)} values by position ({_listed(left)}), {len(positional)} were given"
                + ("; the others can be given by name" if len(positional) < len(left) else "")
            )
        bound = {**dict(zip(left, positional, strict=True)), **names}
        return tuple(_number(bound[p], repr(p)) for p in params), params.index(left[0])

    # -- plans ---------------------------------------------------------------------------------------------------

    def _plan(self, kind: str, types: tuple[str | Param, ...], wanted: str | None) -> Plan:
        key = (kind, types, wanted)
        plan = self._plans.get(key)
        if plan is None:
            params = tuple(_ARRAY_PARAMS[t] if isinstance(t, str) else t for t in types)
            plan = self._make_plan(kind, params, wanted)
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            self._plans[key] = plan
        return plan

    def _make_plan(self, kind: str, types: tuple[Param, ...], wanted: str | None) -> Plan:
        assert self._ir is not None
        if kind == "fold":
            return self._fold_plan(types, wanted)
        inference = Inference(self._ir, list(types), self._ieee)
        value = inference.run()
        if kind == "filter":
            return _finish("B", "b1", inference, inference.truth(value), types)
        if wanted is None:
            wanted = "d" if isinstance(value, Union) else {"f": "d", "i": "q", "b": "B"}[inference.terms[value].kind]
        target = _MACHINE_TYPES[wanted]
        root = inference.to_float(value) if target[0] == "f" else inference.to_stored_int(value)
        if root is None:
            return Plan(wanted, None, None, inference, never_fits=True)
        return _finish(wanted, target, inference, root, types)

    # -- folds ---------------------------------------------------------------------------------------------------

    def _fold(self, arr: Any, acc: Any, start: int, numbers: tuple[Any, ...], out: Any = None) -> Any:
        """The accumulator after elements start.. of arr; with out, each of its values there.

        Raises _Unsettled if out is given and the accumulator's type does not settle.
        """
        count = _machine.buffer_info(arr)[2]
        wanted = None if out is None else _machine.buffer_info(out)[0]
        oracle = self._python()
        for _ in range(_FOLD_TRIES):
            if start >= count:
                return acc
            if type(acc) not in (int, float, bool):
                break
            plan = self._plan("fold", _types((acc, arr, *numbers)), wanted)
            if plan.program is not None:
                return _machine.run_fold(plan.program, (acc, arr, *numbers), 0, start, oracle, out)
            acc = oracle(acc, native(arr)[start], *numbers)
            if out is not None:
                raise _Unsettled
            start += 1
        return functools.reduce(lambda a, x: oracle(a, x, *numbers), itertools.islice(native(arr), start, None), acc)

    def _fold_plan(self, types: tuple[Param, ...], wanted: str | None) -> Plan:
        """A fold whose accumulator (parameter 0) keeps its kind. Its interval is the smallest that proves stable."""
        assert self._ir is not None
        acc = types[0]
        if acc.type == "big":
            return Plan(wanted or "", None, None, Inference(self._ir, list(types), self._ieee))
        if acc.kind == "i":
            wide = Param("i64", False, *I64)
            bounds = self._next_interval(wide, types)
            if bounds is None:
                wide = Param("u64", False, *interval("u64")) if acc.lo >= 0 else wide
                bounds = self._next_interval(wide, types)
            acc = wide
            if bounds is not None:
                lo, hi = min(types[0].lo, bounds[0]), max(types[0].hi, bounds[1])
                if lo >= I64[0] and hi <= I64[1]:
                    acc = Param("i64", False, lo, hi)
                    again = self._next_interval(acc, types)
                    if again is None or again[0] < lo or again[1] > hi:
                        acc = Param("i64", False, *I64)
                elif lo >= 0:
                    acc = Param("u64", False, *interval("u64"))
        params = [acc, *types[1:]]
        inference = Inference(self._ir, params, self._ieee, acc=0)
        value = inference.run()
        if isinstance(value, Union) or not inference.has_kind(value, acc.kind):
            return Plan(wanted or "", None, None, inference)
        if not inference.graph.in_some_lane(value):
            return Plan(wanted or "", None, None, inference)
        target = None if wanted is None else _MACHINE_TYPES[wanted]
        if target is not None and target[0] != "f" and acc.kind == "f":
            return Plan(wanted or "", None, None, inference)
        return _finish(wanted or "", target, inference, value, tuple(params), acc.type)

    def _next_interval(self, acc: Param, types: tuple[Param, ...]) -> tuple[int, int] | None:
        """Interval of the next accumulator; None if it may leave 64 bits."""
        assert self._ir is not None
        inference = Inference(self._ir, [acc, *types[1:]], self._ieee, acc=0)
        value = inference.run()
        if isinstance(value, Union):
            return None
        term = inference.terms[value]
        return None if term.kind == "f" or term.lane is not None else (term.lo, term.hi)

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


def _rebuild(f: str | Callable[..., Any], params: tuple[str, ...], ieee: bool) -> Kernel:
    return Kernel(f, params, ieee=ieee, named=frozenset(params))


def _finish(typecode: str, target: str | None, inference: Inference, root: int, types: tuple[Param, ...],
            acc_type: str | None = None) -> Plan:  # fmt: skip
    try:
        program = lower(inference.graph, list(types), root, target, None if acc_type is None else 0, acc_type)
    except TooLarge:
        return Plan(typecode, None, None, inference)
    return Plan(typecode, _machine.Program(program.code), program, inference, acc_type=acc_type or "")


def _output(first: str, typecode: str | None, out: Any) -> str:
    """The typecode of the result."""
    if out is not None:
        given = str(_machine.buffer_info(out)[0])
        if typecode is not None and typecode != given:
            raise ValueError(f"out has typecode {given!r}, but typecode={typecode!r} was asked for")
        return given
    if typecode is not None and not isinstance(typecode, str):
        raise TypeError(f"typecode must be a str, not {type(typecode).__name__}")
    if typecode is not None and typecode not in _MACHINE_TYPES:
        raise ValueError(f"bad typecode {typecode!r}: must be one of b, B, h, H, i, I, l, L, q, Q, f or d")
    return typecode or first


def _types(args: tuple[Any, ...]) -> tuple[str | Param, ...]:
    """What plans are remembered by: the machine type of each array, the Param of each number."""
    return tuple([_type(a) for a in args])


def _type(arg: Any) -> str | Param:
    if type(arg) is array and arg.typecode in _MACHINE_TYPES:
        return _MACHINE_TYPES[arg.typecode]
    return number_param(arg) if isinstance(arg, (int, float)) else str(_machine.buffer_info(arg)[1])


_ARRAY_PARAMS = {name: array_param(name) for name in _machine.TYPES if name != "b1"}


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


def native(arr: Any) -> Any:
    """The buffer as a sequence of Python numbers, whatever its format's prefix is."""
    if isinstance(arr, array):
        return arr
    typecode = _machine.buffer_info(arr)[0]
    return memoryview(arr).cast("B").cast(typecode)  # type: ignore[call-overload]


_kernels: dict[Any, Kernel] = {}


def text_kernel(text: str, names: Any = (), *, ieee: bool = False, first: tuple[str, ...] = ()) -> Kernel:
    """The kernel of a text, from the cache if it is there."""
    hidden = frozenset(name for name in names if name in CONSTANTS)
    key = (text, ieee, first, hidden)
    kernel = _kernels.get(key)
    if kernel is None:
        kernel = Kernel(text, first, ieee=ieee, named=hidden)
        while len(_kernels) >= _MOST_KERNELS:
            _kernels.pop(next(iter(_kernels), None), None)
        _kernels[key] = kernel
    return kernel


