"""Kernels: an expression or a callable, ready to run over buffers.

A kernel never changes what it means, so it may be shared by threads. What a text means is known when the kernel is
made; what a callable means is looked up at each run, because the numbers that a function captures are read then
(functions.py).
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from .. import _machine
from ..compiler.ir import IR, bind, from_table, identity, show, to_table
from ..compiler.machine import CONSTANTS, SLOT_KINDS
from ..compiler.parse import RESERVED, ExpressionError, error_at, parse
from ..compiler.whole import split
from . import functions
from .arguments import (
    bindable,
    bindable_table,
    checked_typecode,
    output_typecode,
    plain_number,
    quoted,
    thread_count,
    unwrapped,
)
from .common import NUMBERS, Later, held, is_buffer, make_room, native, new_values, plain
from .exchange import OWN_TRUTHS, exchanges, fills, folds, takes
from .folds import Fold, Unsettled, is_carried, items_of
from .functions import Meaning, NotCompilable, Translation
from .missing import first_one
from .names import check_mapping, looked_up
from .passes import rows_of
from .plans import PIPED, Plans, signs_of, types_of

if TYPE_CHECKING:
    from array import array
    from typing import overload

    from . import explain, inner, notebook
    from . import threads as by_threads
    from .kinds import Array, D, N, Nulls, NumPy, Out
else:
    explain, inner, notebook = Later("engine.explain"), Later("engine.inner"), Later("engine.notebook")
    by_threads = Later("engine.threads")

#: What _machine.run_count is to answer.
COUNT, ANY, ALL, FIRST, FIRST_FALSE = (
    CONSTANTS[name] for name in ("RUN_COUNT", "RUN_ANY", "RUN_ALL", "RUN_FIRST", "RUN_FIRST_FALSE")
)
#: What a text may be: of the elements; a step of a fold, of these two; a predicate all of whose names are given.
_ROLES = ("OF_ELEMENTS", "STEP", "STEP_OF_TUPLE", "OF_NAMES")
OF_ELEMENTS, STEP, STEP_OF_TUPLE, OF_NAMES = (CONSTANTS[name] for name in _ROLES)
_STEP = ("acc", "x")
_ANY_INT = 1 << 64  # stands for an accumulator
_FOLDED = "a fold goes from one to the next"
_MOST_KERNELS = 256  # texts remembered; the oldest is forgotten first


_COMPLEX = "a power of a negative number is complex in Python; ieee=True makes it nan"
#: What people mean by operators that Python has for ints only.
_HINTS = {
    "^": "^ is the exclusive or of ints; a power is written **",
    "&": "& binds more tightly than comparisons: write (x > 1) & (x < 3), or x > 1 and x < 3",
    "|": "| binds more tightly than comparisons: write (x < 1) | (x > 3), or x < 1 or x > 3",
}


class _hints:
    """Adds to Python's TypeError for an operator in a text what was meant, most likely."""

    __slots__ = ("_kernel",)

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if type(error) is not TypeError or self._kernel._text is None:
            return
        said = str(error)
        if "complex" in said:
            error.add_note(_COMPLEX)
        for symbol, hint in _HINTS.items():
            if "'float'" in said and f"for {symbol}: " in said:
                error.add_note(hint)


def _goes_by_chunks(kernel: Kernel) -> bool:
    """Whether each chunk of an array may be worked on without the others."""
    return kernel._inner is None and not kernel._tables


def _text_of_all(kernel: Kernel) -> str | None:
    """The text, if it has a reduction inside."""
    return None if kernel._inner is None else kernel._text


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

    __slots__ = ("_decoding", "_eager", "_function", "_ieee", "_inner", "_items", "_plans", "_strict", "_text",
                 "_whole")  # fmt: skip

    def __init__(self, f: str | Callable[..., Any] | IR, params: tuple[str, ...] = (), *, ieee: bool = False,
                 named: frozenset[str] = frozenset(), closed: bool = False, eager: bool = False, strict: bool = False,
                 decoding: bool = True, items: int = 0) -> None:  # fmt: skip
        self._text = f if isinstance(f, str) else None
        self._items = items  # of the tuple that is the accumulator, in the step of a fold
        self._ieee = bool(ieee)
        self._plans: Plans | None = None
        self._inner: inner.Reductions | None = None  # of a text that has reductions inside; then the plans have their
        self._whole: IR | None = None  # values as further parameters, and this is the text as it was written
        self._function: Callable[..., Any] | None = None
        self._decoding, self._strict = decoding and functions.DECODING, strict or self._ieee
        self._eager = eager or self._strict
        if isinstance(f, str):
            self._parsed(parse(f, params, named, closed, items), f)
        elif isinstance(f, IR):
            self._plans = Plans(f, self._ieee)
        elif callable(f):
            self._function = f
            if self._strict:
                self._translation()
            elif self._decoding:
                self._front = f
        else:
            raise TypeError(f"an expression (str) or a callable is needed, not {type(f).__name__}{_meant(f)}")
        if self._plans is not None and self._inner is None:
            self._front = (self._plans.ready, self._plans.narrow, self._plans.ir.params)

    def _parsed(self, ir: IR, text: str) -> None:
        if any(node.op == "whole" for node in ir.nodes):
            self._whole = ir
            ir, reductions = split(ir)
            self._inner = inner.Reductions(reductions, self._ieee)
        self._plans = Plans(ir, self._ieee, text)

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
        if self._whole is not None:
            return self._whole.params
        if self._plans is not None:
            return self._plans.ir.params
        arity = functions.own_arity(self._function)
        ir = self._ir
        if ir is not None:
            return ir.params[:arity]
        return self._function.__code__.co_varnames[:arity] if isinstance(self._function, types.FunctionType) else ()

    @property
    def last_by_python(self) -> int:
        """How many elements of the last map, inplace or filter Python computed, one by one.

        0 if the machine did them all. Python does those that the machine marks (``explain`` says which may be), and all
        of a callable that is not compiled; each costs about what it costs in a list comprehension. With several threads
        that share the kernel, it is the last run of any.

        >>> import arrayops as ao
        >>> from array import array
        >>> k = ao.compile("x*x | 1")
        >>> k(array("q", [3, 1 << 31, 1 << 32]), typecode="d")
        array('d', [9.0, 4.611686018427388e+18, 1.8446744073709552e+19])
        >>> k.last_by_python
        1
        """
        return self._by_python

    @property
    def _tables(self) -> frozenset[int]:
        """The parameters that are tables."""
        if self._plans is None:
            return frozenset()
        return self._plans.tables if self._inner is None else self._plans.tables | self._inner.tables

    @property
    def _ir(self) -> IR | None:
        if self._whole is not None:
            return self._whole
        return self._plans.ir if self._plans is not None else self._translation()[0].template.ir

    @property
    def _name(self) -> str:
        return self._text or str(getattr(self._function, "__qualname__", None) or repr(self._function))

    def _translation(self) -> tuple[Translation, tuple[Any, ...]]:
        """What the callable means when it is called with as many numbers as it needs."""
        arity = functions.own_arity(self._function)
        translation, captured = functions.translate(self._function, arity, self._items)
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
        return self._key() == other._key() if isinstance(other, __class__) else NotImplemented  # type: ignore[name-defined]

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        ieee = ", ieee=True" if self._ieee else ""
        how = "compiled" if self.compiled else f"called: {self._translation()[0].template.reason}"
        asked = f", {self._by_python} elements of the last run by Python" if self._by_python else ""
        return f"<arrayops.Kernel {self.source!r} ({', '.join(self.params)}){ieee}, {how}{asked}>"

    def _repr_html_(self) -> str:
        return notebook.shown(self, self._rows, self.explain)

    def _rows(self) -> Iterator[tuple[str, object]]:
        yield "expression", self.source
        yield "parameters", ", ".join(self.params)
        yield "runs", "compiled" if self.compiled else f"called: {self._translation()[0].template.reason}"
        if self._ieee:
            yield "ieee", True
        if self._by_python:
            yield "last run", f"{self._by_python} elements by Python"

    def __reduce__(self) -> tuple[Any, ...]:
        # The text or the IR, not the program: whoever loads it checks, compiles and verifies it again.
        if self._text is not None:
            return (_from_text, (self._text, self.params, self._ieee))
        if self._plans is not None:
            return (_from_table, (to_table(self._plans.ir), self._ieee))
        translation, captured = self._translation()
        if translation.template.ir is None or translation.template.tables:
            return (_from_function, (self._function, self._decoding, self._strict))
        return (_from_table, (to_table(bind(translation.template.ir, captured)), self._ieee))

    # -- running -------------------------------------------------------------------------------------------------

    # Methods that take arrays of other kinds have the keywords ``nulls`` and ``names``, which are the exchange's: those
    # where nulls propagate are given bits by it.

    if TYPE_CHECKING:

        @overload
        def map(self, arr: array[N], /, *more: Any, typecode: None = None, out: None = None, threads: int | None = None,
                nulls: Nulls = None, **names: Any) -> array[N]: ...  # fmt: skip
        @overload
        def map(self, arr: NumPy[D], /, *more: Any, typecode: None = None, out: None = None, threads: int | None = None,
                nulls: Nulls = None, **names: Any) -> NumPy[D]: ...  # fmt: skip
        @overload
        def map(self, arr: Array, /, *more: Any, typecode: str | None = None, out: Out, threads: int | None = None,
                nulls: Nulls = None, **names: Any) -> Out: ...  # fmt: skip
        @overload
        def map(self, arr: Array, /, *more: Any, typecode: str | None = None, out: None = None,
                threads: int | None = None, nulls: Nulls = None, **names: Any) -> Any: ...  # fmt: skip

    @exchanges(chunkwise=_goes_by_chunks, policy="propagate", of_all=_text_of_all, called=True)
    def map(self, arr: Any, /, *more: Any, typecode: str | None = None, out: Any = None, threads: int | None = None,
            nulls: Any = None, **names: Any) -> Any:  # fmt: skip
        """A new array of the value at each element; see :func:`arrayops.map`. To call a kernel is the same.

        Of a text that is made of reductions only, such as ``sum(x*x)``, one number.
        """
        args, lead = self._bind((arr, *more), names)
        if typecode is None and out is None and self._is_number(args):
            return self._number(args)
        with _hints(self):
            return self._run_map(args, lead, typecode, out, threads, nulls)

    @fills
    def inplace(self, arr: Any, /, *more: Any, threads: int | None = None, **names: Any) -> None:
        """Replaces each element of arr by the value; see :func:`arrayops.map_inplace`."""
        self._run_map(*self._bind((arr, *more), names), None, arr, threads, None)

    def _truth(self, arr: Any, /, *more: Any, **names: Any) -> Any:
        """For each element 1 if the value is true, else 0."""
        args, lead = self._bind((arr, *more), names)
        return self._run_filter(args, _machine.buffer_info(args[lead])[2], -1)

    if TYPE_CHECKING:

        @overload
        def filter(self, arr: array[N], /, *more: Any, nulls: Nulls = None, **names: Any) -> array[N]: ...
        @overload
        def filter(self, arr: NumPy[D], /, *more: Any, nulls: Nulls = None, **names: Any) -> NumPy[D]: ...
        @overload
        def filter(self, arr: Array, /, *more: Any, nulls: Nulls = None, **names: Any) -> Any: ...

    @exchanges(chunkwise=_goes_by_chunks, truth=_truth)
    def filter(self, arr: Any, /, *more: Any, **names: Any) -> Any:
        """The elements of arr for which the value is true; see :func:`arrayops.filter`."""
        args, lead = self._bind((arr, *more), names)
        with _hints(self):
            return self._run_filter(args, _machine.buffer_info(args[lead])[2], lead)

    def _run_filter(self, args: tuple[Any, ...], count: int, lead: int) -> Any:
        meaning = self._meaning(args, count)
        given = args + meaning.captured
        program = None if meaning.plans is None else meaning.plans.get("filter", types_of(given), None).program
        if program is None:
            kept = _machine.call_filter(meaning.python, given[: meaning.visible(len(args))], lead)
        else:
            kept = _machine.run_filter(program, given, meaning.python, meaning.visible(len(args)), lead)
        self._by_python = _machine.last_asked()
        return kept

    def _run_map(self, args: tuple[Any, ...], lead: int, typecode: str | None, out: Any, threads: int | None,
                 bits: Any, meaning: Meaning | None = None) -> Any:  # fmt: skip
        """bits: 0 for elements that are null, and not evaluated; None if there are none."""
        first = _machine.buffer_info(args[lead])
        wanted = output_typecode(first[0], typecode, out)
        meaning = meaning or self._meaning(args, first[2])
        given, visible = args + meaning.captured, meaning.visible(len(args))
        plan = None if meaning.plans is None else meaning.plans.get("map", types_of(given), wanted)
        if plan is not None and plan.never_fits and first[2]:
            self._refuse_floats(given, wanted, bits)
        with held(args[lead]):  # so that no other thread makes it longer than the result
            count = _machine.buffer_info(args[lead])[2]
            target = _machine.new_array(wanted, count) if out is None else out
            number = thread_count(threads)
            if plan is None or plan.program is None:
                function = meaning.python
                if number > 1 and bits is None:
                    function = by_threads.called_ahead(function, given[:visible], number)
                _machine.call_map(function, given[:visible], target, out is None, bits)
            else:
                _machine.run_map(plan.program, given, meaning.python, visible, target, out is None, number, bits)
            self._by_python = _machine.last_asked()
        return target

    def _refuse_floats(self, args: tuple[Any, ...], wanted: str, bits: Any) -> None:
        """A float for an integer array: the first element's own exception, or one that names the remedy."""
        first = 0 if bits is None else first_one(bits)
        if self._plans is None or first < 0:
            return  # a function's results are refused one by one, by the array itself; of nulls there are none
        elements = (a if isinstance(a, (int, float, tuple)) else native(a)[first] for a in args)
        value = self._plans.evaluator(*unwrapped(tuple(elements)))
        if isinstance(value, float):
            what = self._text or self.source
            raise TypeError(f"{what!r} gives floats, which a {wanted!r} array cannot hold; pass typecode='d'")

    def _meaning(self, args: tuple[Any, ...], elements: int, items: int = 0) -> Meaning:
        """What the kernel means now, when called with these arguments, or values of them, for each of ``elements``.

        items: of the tuple that the first argument is, in a fold; else 0.
        """
        if self._inner is not None:
            assert self._plans is not None
            values = self._inner.values(args) if elements else self._inner.zeros(types_of(args))
            return Meaning(self._plans, values, self._plans.oracle(args + values), True)
        if self._plans is not None:
            return Meaning(self._plans, (), self._plans.oracle(args), True)
        assert self._function is not None
        found = None
        if self._decoding:
            elements = sys.maxsize if self._eager else elements
            found = functions.find(self._function, len(args), elements, items)
        plans = None if found is None else found[0].plans
        if plans is None:
            if self._strict:
                raise NotCompilable(f"{self._name} cannot be compiled: {self._translation()[0].template.reason}")
            return Meaning(None, (), self._function, False)
        assert found is not None
        if self._ieee:
            return Meaning(plans.with_ieee, found[1], plans.with_ieee.oracle(args + found[1]), True)
        return Meaning(plans, found[1], self._function, False)

    # -- binding -------------------------------------------------------------------------------------------------

    def _bind(self, positional: tuple[Any, ...], names: dict[str, Any]) -> tuple[tuple[Any, ...], int]:
        """One argument per parameter, in order, and which of them is the first positional one. Names bind first."""
        if self._plans is None:
            if names:
                raise TypeError(f"{self._name} is a callable: named values ({quoted(names)}) go with a text only")
            return positional[:1] + tuple(bindable(a, f"argument {i}") for i, a in enumerate(positional[1:], 2)), 0
        params = self.params
        what = self._text or self.source
        unknown = [name for name in names if name not in params]
        if unknown:
            raise _no_name(what, unknown[0], params)
        left = [p for p in params if p not in names]
        if positional and not left:
            why = f"{quoted(params)} given by name" if params else f"lambda x: {what} gives the same for each element"
            raise TypeError(f"{what!r} has no name left for the array: {why}")
        if len(positional) != len(left):
            raise TypeError(
                f"{what!r} needs {len(left)} values by position ({quoted(left)}), {len(positional)} were given"
                + ("; the others can be given by name" if len(positional) < len(left) else "")
            )
        bound = {**dict(zip(left, positional, strict=True)), **names}
        leading = [p for p in left if params.index(p) not in self._tables]
        if not leading:
            raise TypeError(f"{what!r} has nothing but tables: it needs an array, too, whose elements it goes through")
        return self._arguments([bound[p] for p in params]), params.index(leading[0])

    def _arguments(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """One argument per parameter, checked."""
        tables, names = self._tables, self.params
        return tuple([
            bindable_table(value, repr(name)) if i in tables else bindable(value, repr(name))
            for i, (value, name) in enumerate(zip(values, names, strict=True))
        ])  # fmt: skip

    # -- reductions inside ---------------------------------------------------------------------------------------

    def _is_number(self, args: tuple[Any, ...]) -> bool:
        """Whether the value is one number: no array is looked at but by reductions."""
        if self._inner is None or self._plans is None:
            return False
        used = {node.value for node in self._plans.ir.nodes if node.op == "param"}
        return all(isinstance(a, (int, float, tuple)) for i, a in enumerate(args) if i in used)

    def _number(self, args: tuple[Any, ...]) -> Any:
        assert self._inner is not None and self._plans is not None
        return self._plans.evaluator(*unwrapped((*args, *self._inner.values(args))))

    def _one_by_one(self, why: str) -> None:
        """Raises ExpressionError if the text is of all elements at once."""
        if self._inner is None or self._text is None:
            return
        text = self._inner.inner[0][0]
        at = max(self._text.find(text.name + "("), 0)
        what = f"{text.text} is of all elements, and {why}; compute it before, and give it by name"
        raise error_at(what, self._text, at, at + len(text.name))

    # -- folds ---------------------------------------------------------------------------------------------------

    def _bind_fold(self, names: dict[str, Any]) -> tuple[Any, ...]:
        """The named numbers of a fold, in the order of the parameters that follow the accumulator and the element."""
        self._one_by_one(_FOLDED)
        missing = [p for p in self.params[2:] if p not in names] if self._plans is not None else []
        if missing:
            what = f"{self._text or self.source!r} is a fold of acc and x, the accumulator and the element"
            raise TypeError(f"{what}: there is no value for {quoted(missing)}")
        tables = {self.params[i] for i in self._tables}
        as_they_are = {n for n, value in names.items() if n in tables or is_buffer(plain(value))}
        numbers = {n: value if n in as_they_are else plain_number(value, n, "fold") for n, value in names.items()}
        return self._bind((0, 0), numbers)[0][2:]

    def _fold(self, numbers: tuple[Any, ...], elements: int, initial: Any) -> Fold:
        carried = is_carried(initial)
        meaning = self._meaning((_ANY_INT, 0, *numbers), elements, items_of(initial) if carried else 0)
        if meaning.plans is not None and meaning.python is not self._function and not (carried or initial is None):
            meaning = meaning._replace(python=(meaning.plans.with_ieee if self._ieee else meaning.plans).of_objects)
        return Fold(meaning, numbers)

    @folds
    def reduce(self, arr: Any, initial: Any = None, **names: Any) -> Any:
        """The left fold of arr; initial: None is none. See :func:`arrayops.reduce`."""
        numbers = self._bind_fold(names)
        fold = self._fold(numbers, _machine.buffer_info(arr)[2], initial)
        if is_carried(initial):
            return fold.run(arr, initial, 0)
        values = native(arr)
        with held(arr):
            if initial is None and len(values):
                return fold.run(arr, values[0], 1)
            return functools.reduce(*fold.steps(arr), *(() if initial is None else (initial,)))

    @exchanges(chunkwise=None, positional=2)
    def accumulate(self, arr: Any, initial: Any = None, typecode: str | tuple[str, ...] | None = None,
                   **names: Any) -> Any:  # fmt: skip
        """The running fold of arr; see :func:`arrayops.accumulate`."""
        code, _, count, _ = _machine.buffer_info(arr)
        codes = tuple(map(checked_typecode, typecode)) if isinstance(typecode, tuple) else ()
        code = code if typecode is None or isinstance(typecode, tuple) else checked_typecode(typecode)
        numbers = self._bind_fold(names)
        fold = self._fold(numbers, count, initial)
        if codes or type(initial) is tuple:
            return _states(fold, arr, initial, codes, code)
        by_python = (initial is None and not count) or type(initial) not in (int, float, bool, type(None))
        first = None if by_python else native(arr)[0] if initial is None else initial
        by_python |= code == "?" and type(first) is not bool
        if not by_python and fold.meaning.plans is not None:
            wide = PIPED.get(code, code)  # the machine writes running values as it has them
            out = _machine.new_array(wide, count if initial is None else count + 1)
            try:
                out[0] = first
                fold.run(arr, first, int(initial is None), out if initial is None else memoryview(out)[1:])
                return out if wide == code else text_kernel("x").map(out, typecode=code)
            except (Unsettled, TypeError, OverflowError):
                pass  # which exception comes first depends on all elements: Python itself decides
        with held(arr):
            return stored(code, fold.running(arr, initial))

    # -- explaining ----------------------------------------------------------------------------------------------

    def explain(self, *typecodes: str, names: Any = None, **named: Any) -> str:
        """What the kernel does for arrays of these typecodes (the last one stands for any that follow) and numbers.

        The first line is ``compiled`` or ``callback: why``; then the expression, its terms with kinds and ranges,
        the faults that can occur, and the bytecode; and which of it becomes machine code, if any does (:func:`native`).

        >>> import arrayops as ao
        >>> for line in ao.compile("x + 1").explain("q").splitlines()[:9]:
        ...     print(line)
        compiled
        expression: x + 1
        result: 'q'
        terms:
          x      int -9223372036854775808..9223372036854775807
          add    int -9223372036854775807..9223372036854775807 (checked in i64)
        faults: ADD_CHECKED_i64 (overflow)
        bytecode:
          body           out = ADD_CHECKED_i64 in0, 1
        """
        named = with_names(self, names, named, self._ieee)
        plans, captured = self._plans, ()
        if plans is None:
            translation, captured = self._translation()
            if translation.plans is None:
                return f"callback: {translation.template.reason}\n{self._name} is called once per element"
            plans = translation.plans.with_ieee if self._ieee else translation.plans
        text = explain.program_text(self.source, plans, captured, typecodes, named, self._inner)
        return text + (f"\nlast run: {self._by_python} elements by Python" if self._by_python else "")


def _place(function: Any, slot: Any) -> object:
    """What tells one captured place from another: the object that holds the number, and where in it."""
    kind, key, owner, _ = slot
    holder = function if owner is None else owner
    name = SLOT_KINDS[kind]
    if name == "cell":
        return id(holder.__closure__[key])
    return (name, key, id(holder.__globals__) if name == "global" else id(holder))


def _states(fold: Fold, arr: Any, initial: Any, codes: tuple[str, ...], code: str) -> Any:
    """The running states of a fold, which are tuples: the first items, or an array of each, with typecodes."""
    if is_carried(initial) and len(codes) in (0, items_of(initial)):
        try:
            found = [_running(fold, arr, initial, c, place) for place, c in enumerate(codes or (code,))]
            return tuple(found) if codes else found[0]
        except (Unsettled, TypeError, OverflowError):
            pass  # as in accumulate
    with held(arr, *fold.arrays):
        states = fold.running(arr, initial)
    if not codes:
        return stored(code, [state[0] for state in states])
    return tuple(stored(code, list(items)) for code, items in zip(codes, _columns(states, len(codes)), strict=True))


def _running(fold: Fold, arr: Any, initial: tuple[Any, ...], code: str, place: int) -> Any:
    """The running values of one item, by the machine; a pass over the array for each."""
    if fold.meaning.plans is None or code in PIPED:
        raise Unsettled
    out = _machine.new_array(code, _machine.buffer_info(arr)[2] + 1)
    out[0] = initial[place]
    fold.run(arr, initial, 0, memoryview(out)[1:], place)
    return out


def _columns(states: list[Any], number: int) -> list[Any]:
    for state in states:
        if len(state) != number:
            raise ValueError(f"{number} typecodes for states of {len(state)} items")
    return list(zip(*states, strict=True)) if states else [()] * number


def stored(code: str, values: list[Any]) -> Any:
    """The values as an array; what it cannot hold is refused as any result is."""
    try:
        return new_values(code, values)
    except (TypeError, OverflowError):
        target, following = _machine.new_array(code, len(values)), iter(values)
        _machine.call_map(lambda _: next(following), (target,), target, True, None)
        raise


def _meant(f: object) -> str:
    """What may have been meant by an array where a text or a callable must be."""
    if str(getattr(f, "dtype", "")).lower().startswith("bool"):
        return "; truth values that say which elements are given by name: filter(a, 'keep', keep=truths)"
    return "; the array comes first, then what is to be done with it" if is_buffer(f) else ""


def _no_name(text: str, name: str, params: Iterable[str]) -> TypeError:
    meant = "; the type of the result is typecode=" if name == "dtype" else ""
    return TypeError(f"{text!r} has no name {name!r}; its names are {quoted(params)}{meant}")


def _from_text(text: str, params: tuple[str, ...], ieee: bool) -> Kernel:
    return Kernel(text, params, ieee=ieee, named=frozenset(params))


def _from_table(table: object, ieee: bool) -> Kernel:
    return Kernel(from_table(table), ieee=ieee)


def _from_function(function: Callable[..., Any], decoding: bool, strict: bool) -> Kernel:
    return Kernel(function, eager=True, decoding=decoding, strict=strict)


#: What the public functions take: a text, a callable or a kernel.
Function: TypeAlias = str | Callable[..., Any] | Kernel

_kernels: dict[Any, Kernel] = {}


def text_kernel(text: str, names: Any = (), *, ieee: bool = False, first: tuple[str, ...] = (),
                items: int = 0) -> Kernel:  # fmt: skip
    """The kernel of a text, from the cache if it is there."""
    hidden = frozenset(name for name in names if name in RESERVED)
    key = (text, ieee, first, hidden, items)
    try:
        return _kernels[key]  # get() takes CPython 3.13 some 40 us without the GIL, where another thread made the key
    except KeyError:
        pass
    kernel = Kernel(text, first, ieee=ieee, named=hidden, items=items)
    make_room(_kernels, _MOST_KERNELS)
    kernel = _kernels.setdefault(key, kernel)  # threads that made it at once make the same one known
    role = {(): OF_ELEMENTS, _STEP: STEP_OF_TUPLE if items else STEP}.get(first, OF_NAMES)
    if not (ieee or hidden or kernel._inner):
        assert kernel._plans is not None
        _machine.TEXTS[role].pop(text, None)  # in its old place it would be forgotten before its kernel is
        make_room(_machine.TEXTS[role], _MOST_KERNELS)
        # an accumulator may grow out of the machine's ints
        meaning = kernel._plans.evaluator if role in (STEP, STEP_OF_TUPLE) else kernel._plans.narrow
        _machine.know(text, (kernel._plans.ready, meaning, kernel._plans.ir.params), role)
    return kernel


def fold_kernel(f: Function, names: Any, named: dict[str, Any], initial: Any, ieee: bool, compile: bool = True,
                strict: bool = False) -> tuple[Kernel, dict[str, Any]]:  # fmt: skip
    """The kernel of the step of a fold that begins with ``initial``, and what is given for its names."""
    initial = plain(initial)
    items = items_of(initial) if is_carried(initial) else 0
    named = with_names(f, names, named, ieee, _STEP, items)
    return kernel_of(f, named, ieee, compile, _STEP, strict, items), named


def with_names(f: Function, names: Any, named: dict[str, Any], ieee: bool, first: tuple[str, ...] = (),
               items: int = 0) -> dict[str, Any]:  # fmt: skip
    """What is given for the names of a text or kernel: by keyword, and by a mapping if there is one."""
    if names is None:
        return named
    check_mapping(names)
    if isinstance(f, str):
        known = (*named, *(name for name in RESERVED if name in names))
        f = text_kernel(f, known, ieee=ieee, first=first, items=items)
    elif not isinstance(f, Kernel):
        raise TypeError(f"{getattr(f, '__qualname__', f)} is a callable: named values go with a text only")
    return looked_up(f.params[len(first) :], names, named)


def kernel_of(f: Function, names: dict[str, Any], ieee: bool, compile: bool, first: tuple[str, ...] = (),
              strict: bool = False, items: int = 0) -> Kernel:  # fmt: skip
    """The kernel of a text (the cached one), a callable, or a kernel. strict: NotCompilable if it is to be called.

    items: of the tuple that is the accumulator, for the step of a fold; else 0.
    """
    if isinstance(f, str):
        return text_kernel(f, names, ieee=ieee, first=first, items=items)
    if not isinstance(f, Kernel):
        return Kernel(f, ieee=ieee, decoding=compile, strict=strict, items=items)
    if items and f._function is not None and not f._items:
        return Kernel(f._function, ieee=f._ieee, eager=f._eager, decoding=f._decoding, strict=strict, items=items)
    if strict and f._plans is None and not f.compiled:
        raise NotCompilable(f"{f._name} cannot be compiled: {f._translation()[0].template.reason}")
    return f


def predicate(pred: Function, names: dict[str, Any], ieee: bool, compile: bool, strict: bool = False) -> Kernel:
    """The kernel of a predicate; a text all of whose names are given takes the element, too, and does not use it."""
    kernel = kernel_of(pred, names, ieee, compile, strict=strict)
    if isinstance(pred, str) and names.keys() >= set(kernel.params):
        unused = next(name for name in ("x", "_", "__", "___") if name not in names)
        kernel = kernel_of(pred, names, ieee, compile, (unused,))
    return kernel


@takes
def count_true(kernel: Kernel, what: int, arr: Any, /, *more: Any, **names: Any) -> int | bool:
    """How many values are true; for ANY, ALL whether any, all are. Stops where that is known.

    For FIRST, FIRST_FALSE the index of the first one that is true, false; -1 if there is none.
    """
    args, lead = kernel._bind((arr, *more), names)
    meaning = kernel._meaning(args, _machine.buffer_info(args[lead])[2])
    given, visible = args + meaning.captured, meaning.visible(len(args))
    program = None if meaning.plans is None else meaning.plans.get("filter", types_of(given), None).program
    if program is not None:
        return _machine.run_count(program, given, meaning.python, visible, what)
    return _count_called(meaning.python, what, given[:visible])


def _count_called(python: Callable[..., Any], what: int, args: tuple[Any, ...]) -> int | bool:
    """The same by a callable of one number of each argument; arrays and numbers in any order."""
    with contextlib.closing(rows_of(args)) as rows:  # an exception's traceback would keep the arrays held
        values = itertools.starmap(python, rows)
        if what in (FIRST, FIRST_FALSE):
            return next((i for i, value in enumerate(values) if bool(value) == (what == FIRST)), -1)
        return any(values) if what == ANY else all(values) if what == ALL else sum(1 for v in values if v)


def evaluate(text: str, ieee: bool, names: Any, more: dict[str, Any], typecode: str | None, out: Any,
             threads: int | None, nulls: Any) -> Any:  # fmt: skip
    """The value where every parameter has a name, in a mapping or apart; see :func:`arrayops.evaluate`."""
    if not isinstance(text, str):
        what = "a function, which map() and compile() take" if callable(text) else type(text).__name__
        raise TypeError(f"evaluate() takes an expression (str), whose names are given, not {what}")
    names = {} if names is None else names
    check_mapping(names)
    kernel = text_kernel(text, (*more, *(name for name in RESERVED if name in names)), ieee=ieee)
    params = kernel.params
    for name in more:
        if name not in params:
            raise _no_name(text, name, params)
    missing = [p for p in params if p not in more and p not in names]
    if missing:
        raise TypeError(f"{text!r} needs a value for {quoted(missing)}, by keyword or from names=locals()")
    values = [more[p] if p in more else names[p] for p in params]
    try:
        return _evaluate(kernel, *values, typecode=typecode, out=out, threads=threads, nulls=nulls)
    except _Unsigned as unsigned:
        error = unsigned.error
        try:
            return _evaluate(kernel, *values, typecode="Q", out=out, threads=threads, nulls=nulls)
        except OverflowError:  # neither holds them all
            error.args = tuple(str(a).replace("typecode='Q'", "typecode='d'") for a in error.args)
    raise error


class _Unsigned(Exception):
    """The ints are too large for 'q', and may not be for 'Q'."""

    def __init__(self, error: OverflowError) -> None:
        super().__init__()
        self.error = error


@exchanges(chunkwise=_goes_by_chunks, policy="propagate", natural=True, of_all=_text_of_all)
def _evaluate(kernel: Kernel, /, *values: Any, typecode: str | None, out: Any = None, threads: int | None,
              nulls: Any = None) -> Any:  # fmt: skip
    assert kernel._plans is not None
    args = kernel._arguments(values)
    lead = next((i for i, a in enumerate(args) if not isinstance(a, (int, float, tuple))), None)
    if lead is None:
        kernel._plans.check_truths(args)
        return kernel._plans.evaluator(*unwrapped(args)) if kernel._inner is None else kernel._number(args)
    own_truths = typecode == OWN_TRUTHS
    typecode = None if own_truths else typecode
    if typecode is None and out is None and kernel._is_number(args):
        return kernel._number(args)
    meaning = kernel._meaning(args, _machine.buffer_info(args[lead])[2])
    natural = None
    if typecode is None and out is None:
        given = args + meaning.captured
        natural = typecode = kernel._plans.natural(signs_of(given, types_of(given)))
        typecode = "?" if own_truths and typecode == "B" else typecode
        typecode = "q" if typecode == "Q" else typecode
    with _hints(kernel):
        try:
            result = kernel._run_map(args, lead, typecode, out, threads, nulls, meaning)
        except OverflowError as error:
            if natural is None or typecode != "q":
                raise
            raise _Unsigned(error) from None
    if natural is not None and kernel._inner is None:
        kernel._plans.chosen(types_of(args), natural)
    return result


# -- as stages of pipelines: functions of one number -------------------------------------------------------------------


def needs_no_tables(kernel: Kernel, why: str, names: Iterable[str] | None = None) -> None:
    """ExpressionError, with the reason, for a kernel that subscripts one of the names, by default any."""
    for name in (kernel.params[place] for place in sorted(kernel._tables)):
        if names is None or name in names:
            raise ExpressionError(f"{kernel._text or kernel.source!r} subscripts {name!r}, and {why}")


def needs_parts(kernel: Kernel, why: str) -> None:
    """ExpressionError, with the reason, for a kernel of all elements at once, where there are parts of them only."""
    kernel._one_by_one(why)


def needs_one(kernel: Kernel, numbers: dict[str, Any]) -> None:
    """TypeError unless the kernel takes one number when these have been given by name."""
    kernel._one_by_one("a stage of a pipeline sees one at a time")
    if kernel._plans is None and numbers:
        raise TypeError(f"{kernel._name} is a callable: named values go with a text only")
    args, _ = kernel._bind((0,), numbers)
    if kernel._plans is not None:
        kernel._plans.check_truths(args)


def stage_ir(kernel: Kernel, numbers: dict[str, Any], ieee: bool) -> tuple[IR, dict[int, Any]] | None:
    """The IR and the values of its parameters but one; None if the kernel is to be called, or is not of this kind."""
    if kernel._ieee != ieee:
        return None
    if kernel._plans is not None:
        ir = kernel._plans.ir
        return ir, {i: numbers[name] for i, name in enumerate(ir.params) if name in numbers}
    if not kernel._decoding:
        return None
    translation, captured = functions.translate(kernel._function, 1)
    plans = translation.plans
    if plans is None or plans.ir.numpy or plans.tables:  # the next stage would tell NumPy's numbers apart
        return None
    ir = plans.ir
    return ir, dict(enumerate(captured, len(ir.params) - len(captured)))


def is_text(kernel: Kernel, names: Iterable[str]) -> bool:
    """Whether it has these names, each for a number."""
    return kernel._plans is not None and all(
        name in kernel.params and kernel.params.index(name) not in kernel._tables for name in names
    )


def _row_function(kernel: Kernel, numbers: dict[str, Any], beside: tuple[str, ...],
                  objects: bool = False) -> Callable[..., Any]:  # fmt: skip
    """The meaning for one element and those of arrays beside it, by Python. objects: the element is no number."""
    assert kernel._plans is not None
    plans, params = kernel._plans, kernel._plans.ir.params
    place = next(i for i, name in enumerate(params) if name not in numbers and name not in beside)
    places = (place, *(params.index(name) for name in beside))
    inverts = any(node.op == "invert" for node in plans.ir.nodes) and not objects
    evaluator = plans.of_objects if objects else plans.evaluator

    def value(*row: Any) -> Any:
        args = [numbers.get(name) for name in params]
        for at, element in zip(places, row, strict=True):
            args[at] = element
        if inverts:
            plans.check_truths(tuple(args))
        return evaluator(*args)

    return value


def stage_function(kernel: Kernel, numbers: dict[str, Any], beside: tuple[str, ...] = ()) -> Callable[..., Any]:
    """The meaning for one element, and for those of arrays beside it that have these names, by Python."""
    if beside:
        return _row_function(kernel, numbers, beside)
    if kernel._plans is None:
        assert kernel._function is not None
        if not kernel._ieee:
            return kernel._function
        translation, captured = functions.translate(kernel._function, 1)
        assert translation.plans is not None
        evaluator = translation.plans.with_ieee.evaluator
        return lambda x: evaluator(x, *captured)
    plans, params = kernel._plans, kernel._plans.ir.params
    evaluator = plans.evaluator
    place = next(i for i, name in enumerate(params) if name not in numbers)
    before, after = ([numbers[name] for name in some] for some in (params[:place], params[place + 1 :]))
    if not any(node.op == "invert" for node in plans.ir.nodes):
        return (lambda x: evaluator(*before, x, *after)) if numbers else evaluator
    seen: set[type] = set()

    def refusing(x: Any) -> Any:
        if type(x) not in seen:
            plans.check_truths((*before, x, *after))
            seen.add(type(x))
        return evaluator(*before, x, *after)

    return refusing


def any_stage_function(kernel: Kernel, numbers: dict[str, Any], beside: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Likewise, but the element may be any object, as callables return them."""
    of_numbers = stage_function(kernel, numbers, beside)
    if kernel._plans is not None:
        of_objects = _row_function(kernel, numbers, beside, True)
    elif kernel._ieee:
        translation, captured = functions.translate(kernel._function, 1)
        assert translation.plans is not None
        plans = translation.plans.with_ieee
        of_objects = lambda x: plans.of_objects(x, *captured)  # noqa: E731
    else:
        return of_numbers
    return lambda x, *row: (of_numbers if type(x) in NUMBERS else of_objects)(x, *row)


def stage_text(kernel: Kernel) -> str | None:
    """The text, if it has one."""
    return kernel._text


def stage_name(kernel: Kernel, numbers: dict[str, Any]) -> str:
    """How a pipeline shows the stage: by its text, as it was given or as it was decoded, or by the callable's name."""
    if kernel._text:
        return repr(kernel._text)
    meaning = stage_ir(kernel, numbers, kernel._ieee)
    return kernel._name if meaning is None else repr(show(meaning[0]))


def fold_step(kernel: Kernel, names: dict[str, Any], acc: Any, x: Any) -> Any:
    """The accumulator after one element, by Python."""
    kernel._one_by_one(_FOLDED)
    if kernel._plans is None:
        assert kernel._function is not None
        return kernel._function(acc, x)
    meaning = kernel._plans.evaluator if {type(acc), type(x)} <= NUMBERS else kernel._plans.of_objects
    return meaning(*kernel._bind((acc, x), names)[0])
