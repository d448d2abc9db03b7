"""Expressions and callables over buffers. Each function is a thin layer: find the kernel, bind the arguments, run.

Names such as ``map`` and ``filter`` shadow builtins on purpose, as the package is used as ``ao.map``; in these modules
the builtins are reached as ``builtins.map``.

Kernels and the compiler are imported at their first use: importing them takes ten times as long as the rest.
"""

from __future__ import annotations

from .engine.common import Later, also_named, front

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from typing import Any, overload

    from ._machine import View
    from .engine import kernel
    from .engine.kernel import Function, Kernel
    from .engine.kinds import Array, D, FloatCode, IntCode, Ints, N, Nulls, NumPy, Out, Plain, ViewCode
else:
    kernel = Later("engine.kernel")


if TYPE_CHECKING:

    @overload
    def map(arr: array[N], f: Function, /, *more: Any, typecode: None = None, out: None = None,
            threads: int | None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
            nulls: Nulls = None, names: Any = None, **named: Any) -> array[N]: ...  # fmt: skip
    @overload
    def map(arr: NumPy[D], f: Function, /, *more: Any, typecode: None = None, out: None = None,
            threads: int | None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
            nulls: Nulls = None, names: Any = None, **named: Any) -> NumPy[D]: ...  # fmt: skip
    @overload
    def map(arr: Ints, f: Function, /, *more: Any, typecode: None = None, out: None = None,
            threads: int | None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
            nulls: Nulls = None, names: Any = None, **named: Any) -> array[int]: ...  # fmt: skip
    @overload
    def map(arr: Plain, f: Function, /, *more: Any, typecode: FloatCode, out: None = None,
            threads: int | None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
            nulls: Nulls = None, names: Any = None, **named: Any) -> array[float]: ...  # fmt: skip
    @overload
    def map(arr: Plain, f: Function, /, *more: Any, typecode: IntCode, out: None = None,
            threads: int | None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
            nulls: Nulls = None, names: Any = None, **named: Any) -> array[int]: ...  # fmt: skip
    @overload
    def map(arr: Plain, f: Function, /, *more: Any, typecode: ViewCode, out: None = None,
            threads: int | None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
            nulls: Nulls = None, names: Any = None, **named: Any) -> View: ...  # fmt: skip
    @overload
    def map(arr: Array, f: Function, /, *more: Any, typecode: str | None = None, out: Out,
            threads: int | None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
            nulls: Nulls = None, names: Any = None, **named: Any) -> Out: ...  # fmt: skip
    @overload
    def map(arr: Array, f: Function, /, *more: Any, typecode: str | None = None, out: None = None,
            threads: int | None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
            nulls: Nulls = None, names: Any = None, **named: Any) -> Any: ...  # fmt: skip


@front
@also_named("array", "fn")
def map(arr: Array, f: Function, /, *more: Any, typecode: str | None = None, out: Any = None,
        threads: int | None = None, ieee: bool = False, compile: bool = True, strict: bool = False,
        nulls: str | int | float | None = None, names: Any = None, **named: Any) -> Any:  # fmt: skip
    """A new array of f at each element: ``array(arr.typecode, [f(x) for x in arr])``, exactly, at memory speed.

    Parameters
    ----------
    arr: a 1-D buffer of numbers (array.array, bytes, memoryview, mmap, ctypes array, ...), for which the result is an
        array.array; or a NumPy array (also a masked one), an Arrow array, a Polars or pandas Series, for which it is
        one of those.
    f: an expression such as ``"x*x + 1"``, any callable, or a Kernel. A Python function made of numbers and operators
        runs as the expression would; any other callable is called once per element, with the same result.
    more: further buffers of the same length, or numbers, for the further parameters.
    typecode: of the result; arr's if not given.
    out: a writable buffer to fill instead. It is filled from the front: if an exception stops the call, the elements
        before are done and the rest is untouched. It may be one of the inputs.
    threads: how many to use, whatever the size; by default as many as :func:`set_num_threads` allows where that pays.
        A callable that is called once per element uses one, but on a Python without the GIL as many as are given here:
        it is then called in no order, and must be one that may be.
    ieee: division by zero, square roots of negatives and overflowing powers of floats give inf and nan. A callable must
        then be one that can be compiled.
    compile: False calls a function once per element even if it could be compiled.
    strict: refuse what would be called once per element: NotCompilable, with the reason.
    nulls: ``"propagate"`` makes the result null where an array has a null; a number takes the place of nulls. By
        default they are a ValueError.
    named: buffers or numbers for the names in the expression.
    names: a mapping that has some of them, and may have others: ``locals()`` and ``vars(self)`` will do.

    Raises what Python raises for an element; ExpressionError for a bad text; TypeError for a float result in an integer
    array (pass ``typecode='d'``); OverflowError for an int that does not fit; ValueError for lengths that differ;
    NotCompilable for a callable that cannot be compiled, with ``ieee=True`` or ``strict=True``. An exception of an
    element has a note that says which.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.map(array("i", [1, 2, 3]), "x*x + 1")
    array('i', [2, 5, 10])
    >>> ao.map(array("i", [1, 2, 3]), "x / n", n=2, typecode="d")
    array('d', [0.5, 1.0, 1.5])
    >>> ao.map(array("i", [1, 2, 3]), lambda x, y: x*y, array("i", [4, 5, 6]))
    array('i', [4, 10, 18])
    """
    named = kernel.with_names(f, names, named, ieee)
    found = kernel.kernel_of(f, named, ieee, compile, strict=strict)
    return found.map(arr, *more, typecode=typecode, out=out, threads=threads, nulls=nulls, **named)


@front
@also_named("array", "fn")
def map_inplace(arr: Array, f: Function, /, *more: Any, threads: int | None = None, ieee: bool = False,
                compile: bool = True, strict: bool = False, nulls: str | int | float | None = None,
                names: Any = None, **named: Any) -> None:  # fmt: skip
    """Replaces each element of a writable buffer by f of it: ``for i, x in enumerate(arr): arr[i] = f(x)``.

    Parameters and exceptions are those of :func:`map`. If an exception stops the call, the elements before the one that
    raised are replaced and the rest is untouched.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("d", [1.0, 4.0])
    >>> ao.map_inplace(a, "sqrt(x)")
    >>> a
    array('d', [1.0, 2.0])
    """
    named = kernel.with_names(f, names, named, ieee)
    kernel.kernel_of(f, named, ieee, compile, strict=strict).inplace(arr, *more, threads=threads, nulls=nulls, **named)


if TYPE_CHECKING:

    @overload
    def filter(arr: array[N], pred: Function, /, *more: Any, ieee: bool = False, compile: bool = True,
               strict: bool = False, nulls: Nulls = None, names: Any = None,
               **named: Any) -> array[N]: ...  # fmt: skip
    @overload
    def filter(arr: NumPy[D], pred: Function, /, *more: Any, ieee: bool = False, compile: bool = True,
               strict: bool = False, nulls: Nulls = None, names: Any = None,
               **named: Any) -> NumPy[D]: ...  # fmt: skip
    @overload
    def filter(arr: Ints, pred: Function, /, *more: Any, ieee: bool = False, compile: bool = True,
               strict: bool = False, nulls: Nulls = None, names: Any = None,
               **named: Any) -> array[int]: ...  # fmt: skip
    @overload
    def filter(arr: Array, pred: Function, /, *more: Any, ieee: bool = False, compile: bool = True,
               strict: bool = False, nulls: Nulls = None, names: Any = None,
               **named: Any) -> Any: ...  # fmt: skip


@front
@also_named("array", "predicate")
def filter(arr: Array, pred: Function, /, *more: Any, ieee: bool = False, compile: bool = True, strict: bool = False,
           nulls: str | int | float | None = None, names: Any = None, **named: Any) -> Any:  # fmt: skip
    """The elements for which pred is true: ``array(arr.typecode, [x for x in arr if pred(x)])``.

    Parameters and exceptions are those of :func:`map`; further buffers are parameters of pred. A text all of whose
    names are given does not look at the elements themselves. nulls: ``"skip"`` leaves out rows with a null in any
    array, a number takes the place of nulls.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.filter(array("i", [1, 2, 3, 4]), "x % 2 == 0")
    array('i', [2, 4])
    >>> ao.filter(array("i", [1, 2, 3, 4]), "flag & 1", flag=b"\\x00\\x01\\x03\\x02")
    array('i', [2, 3])
    """
    named = kernel.with_names(pred, names, named, ieee)
    return kernel.predicate(pred, named, ieee, compile, strict).filter(arr, *more, nulls=nulls, **named)


@front
def evaluate(text: str, *, names: Any = None, typecode: str | None = None, out: Any = None,
             threads: int | None = None, ieee: bool = False, nulls: str | int | float | None = None,
             **more: Any) -> Any:  # fmt: skip
    """The value of an expression whose names are all given, element by element.

    names: a mapping in which the names of the expression are looked up, and nothing else is: ``locals()`` and
        ``vars(self)`` will do. A name that is given by keyword, too, has that value.
    more: buffers or numbers for the names in the expression, by keyword.

    Buffers must have one length; numbers go with every element. The result is an array of typecode 'd' for floats, 'q'
    (or 'Q', if they are too large) for ints, 'B' for truth values, unless typecode or out says otherwise; if no name
    is a buffer, it is one number. nulls is as in :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.evaluate("a*b + c", a=array("i", [1, 2]), b=array("i", [3, 4]), c=0.5)
    array('d', [3.5, 8.5])
    >>> ao.evaluate("a**2 + b**2", a=3, b=4)
    25
    >>> ao.evaluate("out - x", names={"x": array("i", [1, 2]), "out": 5, "other": None})
    array('q', [4, 3])
    """
    return kernel.evaluate(text, ieee, names, more, typecode, out, threads, nulls)


@front
def compile(f: Function, *names: str, ieee: bool = False, strict: bool = False, compile: bool = True) -> Kernel:
    """A reusable Kernel of an expression or callable.

    names: the parameters of the expression in the order in which positional arguments are bound; by default its free
        names in order of first appearance. Other names in the text are then errors.
    strict: raise NotCompilable, with the reason, for a callable that would be called once per element.
    compile: False makes a kernel that calls the callable once per element.

    >>> import arrayops as ao
    >>> from array import array
    >>> k = ao.compile("y - x", "x", "y")
    >>> k(array("i", [1]), array("i", [5]))
    array('i', [4])
    >>> limit = 3
    >>> ao.compile(lambda x: x if x < limit else limit).source
    'x if (x < limit) else limit'
    """
    if isinstance(f, kernel.Kernel):
        return f
    return kernel.Kernel(f, names, ieee=ieee, named=frozenset(names), closed=bool(names), eager=True, strict=strict,
                         decoding=compile)  # fmt: skip


@front
def explain(f: Function, *typecodes: str, ieee: bool = False, names: Any = None, **named: Any) -> str:
    """What arrayops makes of an expression or callable, for arrays of these typecodes and numbers by name, as text.

    See :meth:`Kernel.explain`.

    >>> import arrayops as ao
    >>> print(ao.explain("x*2", "d").splitlines()[0])
    compiled
    """
    named = kernel.with_names(f, names, named, ieee)
    return kernel.kernel_of(f, named, ieee, True).explain(*typecodes, **named)
