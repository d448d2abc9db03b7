"""The public functions. Each is a thin layer: find the kernel, bind the arguments, run.

Names such as ``map`` and ``sum`` shadow builtins on purpose, as the package is used as ``ao.map``; in this module the
builtins are reached as ``builtins.map``.

Kernels and the compiler are imported at their first use: importing them takes ten times as long as the rest.
"""

from __future__ import annotations

import builtins
import math
import operator
import os

from . import _machine
from .common import MAX_THREADS, MISSING, native, steadily
from .exchange import taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias, TypeVar

    from .kernel import Kernel

    _F = TypeVar("_F", bound=Callable[..., Any])
    Function: TypeAlias = str | Callable[..., Any] | Kernel


_VARARGS, _VARKEYWORDS = 4, 8  # flags of code objects


def _kernel(f: Function, names: dict[str, Any], ieee: bool, compile: bool, first: tuple[str, ...] = ()) -> Kernel:
    from .kernel import Kernel, text_kernel

    if isinstance(f, str):
        return text_kernel(f, names, ieee=ieee, first=first)
    return f if isinstance(f, Kernel) else Kernel(f, ieee=ieee, decoding=compile)


def _front(function: _F) -> _F:
    """The function behind its fast way in, with the same name, signature and documentation."""
    code = function.__code__
    names, count = code.co_varnames, code.co_argcount
    keywords = names[count : count + code.co_kwonlyargcount]
    values = function.__kwdefaults__ or {}
    parts = [*names[: code.co_posonlyargcount], *(["/"] if code.co_posonlyargcount else [])]
    parts += names[code.co_posonlyargcount : count]
    parts += ["*more"] if code.co_flags & _VARARGS else []
    parts += [f"{name}={values[name]!r}" for name in keywords]
    parts += ["**names"] if code.co_flags & _VARKEYWORDS else []
    return _machine.front(function, f"{function.__name__}({', '.join(parts)})\n--\n\n{function.__doc__}")


def _predicate(pred: Function, names: dict[str, Any], ieee: bool, compile: bool) -> Kernel:
    """The kernel of a predicate; a text all of whose names are given takes the element, too, and does not use it."""
    kernel = _kernel(pred, names, ieee, compile)
    if isinstance(pred, str) and names.keys() >= set(kernel.params):
        unused = next(name for name in ("x", "_", "__", "___") if name not in names)
        kernel = _kernel(pred, names, ieee, compile, (unused,))
    return kernel


@_front
def map(arr: Any, f: Function, /, *more: Any, typecode: str | None = None, out: Any = None, threads: int | None = None,
        ieee: bool = False, compile: bool = True, **names: Any) -> Any:  # fmt: skip
    """A new array of f at each element: ``array(arr.typecode, [f(x) for x in arr])``, exactly, at memory speed.

    Parameters
    ----------
    arr: a 1-D buffer of numbers (array.array, bytes, memoryview, mmap, ctypes array, ...), for which the result is an
        array.array; or a NumPy array, an Arrow array or a Polars Series, for which it is one of those.
    f: an expression such as ``"x*x + 1"``, any callable, or a Kernel. A Python function made of numbers and operators
        runs as the expression would; any other callable is called once per element, with the same result.
    more: further buffers of the same length, or numbers, for the further parameters.
    typecode: of the result; arr's if not given.
    out: a writable buffer to fill instead. It is filled from the front: if an exception stops the call, the elements
        before are done and the rest is untouched. It may be one of the inputs.
    threads: how many to use, whatever the size; by default as many as :func:`set_num_threads` allows where that pays.
        A callable that is called once per element uses one.
    ieee: division by zero, square roots of negatives and overflowing powers of floats give inf and nan. A callable must
        then be one that can be compiled.
    compile: False calls a function once per element even if it could be compiled.
    names: buffers or numbers for the names in the expression.

    Raises what Python raises for an element; ExpressionError for a bad text; TypeError for a float result in an integer
    array (pass ``typecode='d'``); OverflowError for an int that does not fit; ValueError for lengths that differ;
    NotCompilable for a callable with ``ieee=True`` that cannot be compiled.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.map(array("i", [1, 2, 3]), "x*x + 1")
    array('i', [2, 5, 10])
    >>> ao.map(array("i", [1, 2, 3]), "x / n", n=2, typecode="d")
    array('d', [0.5, 1.0, 1.5])
    >>> ao.map(array("i", [1, 2, 3]), lambda x, y: x*y, array("i", [4, 5, 6]))
    array('i', [4, 10, 18])
    """
    return _kernel(f, names, ieee, compile).map(arr, *more, typecode=typecode, out=out, threads=threads, **names)


@_front
def map_inplace(arr: Any, f: Function, /, *more: Any, threads: int | None = None, ieee: bool = False,
                compile: bool = True, **names: Any) -> None:  # fmt: skip
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
    _kernel(f, names, ieee, compile).inplace(arr, *more, threads=threads, **names)


@_front
def filter(arr: Any, pred: Function, /, *more: Any, ieee: bool = False, compile: bool = True,
           **names: Any) -> Any:  # fmt: skip
    """The elements for which pred is true: ``array(arr.typecode, [x for x in arr if pred(x)])``.

    Parameters and exceptions are those of :func:`map`; further buffers are parameters of pred. A text all of whose
    names are given does not look at the elements themselves.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.filter(array("i", [1, 2, 3, 4]), "x % 2 == 0")
    array('i', [2, 4])
    >>> ao.filter(array("i", [1, 2, 3, 4]), "flag & 1", flag=b"\\x00\\x01\\x03\\x02")
    array('i', [2, 3])
    """
    return _predicate(pred, names, ieee, compile).filter(arr, *more, **names)


def reduce(arr: Any, f: Function, /, initial: Any = MISSING, *, ieee: bool = False, compile: bool = True,
           **names: Any) -> Any:  # fmt: skip
    """The left fold of a buffer: ``functools.reduce(f, arr, initial)``.

    f is a callable or Kernel of (accumulator, element), or an expression of ``acc``, ``x`` and named numbers. Raises
    what functools.reduce raises: TypeError for an empty buffer without initial.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.reduce(array("B", b"arrayops"), "(acc*31 + x) & mask", 7, mask=0xFFFFFFFF)
    3234822848
    """
    return _kernel(f, names, ieee, compile, ("acc", "x")).reduce(arr, initial, **names)


def accumulate(arr: Any, f: Function = "acc + x", /, *, initial: Any = None, typecode: str | None = None,
               ieee: bool = False, compile: bool = True, **names: Any) -> Any:  # fmt: skip
    """The running fold: ``array(arr.typecode, itertools.accumulate(arr, f, initial=initial))``.

    f is a callable or Kernel of (accumulator, element), or an expression of ``acc``, ``x`` and named numbers; by
    default the running sum. With initial the result has one element more. Exceptions are those of :func:`map`.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.accumulate(array("d", [3.0, 1.0, 4.0]), "x if x > acc else acc")
    array('d', [3.0, 3.0, 4.0])
    """
    return _kernel(f, names, ieee, compile, ("acc", "x")).accumulate(arr, initial, typecode, **names)


@_front
def sum(arr: Any, /) -> int | float:
    """The sum of a buffer: an exact int, or for floats the correctly rounded sum, equal to ``math.fsum(arr)``.

    Raises what math.fsum raises: OverflowError for an intermediate overflow, ValueError for inf and -inf together.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.sum(array("d", [0.1] * 10))
    1.0
    """
    if (buffer := taken(arr)) is not arr:
        return sum(buffer)
    return math.fsum(steadily(native(arr)))  # reached where only fsum itself can say: front.c does the others


def mean(arr: Any) -> float:
    """The arithmetic mean of a buffer, equal to ``statistics.fmean(arr)``.

    Raises statistics.StatisticsError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.mean(array("i", [1, 2, 4]))
    2.3333333333333335
    """
    arr = taken(arr)
    count = _machine.buffer_info(arr)[2]
    if not count:
        import statistics

        return statistics.fmean(())
    total = sum(arr)
    if isinstance(total, int) and not _exact_doubles(arr):
        total = math.fsum(steadily(native(arr)))  # fmean rounds each int to a float first
    return float(total) / count  # as fmean: two roundings


def _exact_doubles(arr: Any) -> bool:
    """Whether every int of the buffer is a double."""
    if _machine.TYPE_SIZES[_machine.buffer_info(arr)[1]] < 8:
        return True
    return builtins.max(abs(min(arr)), abs(max(arr))) <= 1 << 53


@_front
def min(arr: Any, /) -> int | float:
    """The smallest element of a buffer, as ``min(arr)`` finds it: the first of equals, and a nan only if it is first.

    Raises ValueError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.min(array("d", [2.5, -1.0]))
    -1.0
    """
    if (buffer := taken(arr)) is not arr:
        return min(buffer)
    result: int | float = builtins.min(native(arr))  # reached if arr is empty: front.c does the others
    return result


@_front
def max(arr: Any, /) -> int | float:
    """The largest element of a buffer, as ``max(arr)`` finds it: the first of equals, and a nan only if it is first.

    Raises ValueError if the buffer is empty.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.max(array("d", [2.5, -1.0]))
    2.5
    """
    if (buffer := taken(arr)) is not arr:
        return max(buffer)
    result: int | float = builtins.max(native(arr))
    return result


def _for_elements(arr: Any, value: Any, what: str) -> Any:
    """A number to compute with the elements of arr: an integral float becomes an int where the elements are ints."""
    code = _machine.buffer_info(taken(arr))[0]
    if not isinstance(value, (int, float)):
        raise TypeError(f"{what} must be an int or float, not {type(value).__name__}")
    if code in "fd" or not isinstance(value, float):
        return value
    if value.is_integer():
        return int(value)
    raise TypeError(f"{what} is {value!r}, which gives floats that this {code!r} array cannot hold")


def scale(arr: Any, factor: int | float) -> None:
    """Multiplies each element of a writable buffer by a number, in place.

    An integral factor such as 2.0 is accepted for integer arrays; 2.5 is a TypeError. Raises OverflowError at the first
    product that does not fit, with the elements before it done.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("h", [1, -2])
    >>> ao.scale(a, 3.0)
    >>> a
    array('h', [3, -6])
    """
    map_inplace(arr, "x * factor", factor=_for_elements(arr, factor, "factor"))


def clip(arr: Any, lo: int | float, hi: int | float) -> None:
    """Limits each element of a writable buffer to lo..hi, in place; nan elements stay.

    Integral bounds such as 2.0 and infinite ones are accepted for integer arrays; 2.5 is a TypeError. Raises ValueError
    if lo > hi or a bound is nan.

    >>> import arrayops as ao
    >>> from array import array
    >>> a = array("d", [-1.0, 0.5, 7.0])
    >>> ao.clip(a, 0, 1)
    >>> a
    array('d', [0.0, 0.5, 1.0])
    """
    bounds = [b if isinstance(b, float) and math.isinf(b) else _for_elements(arr, b, name)
              for b, name in ((lo, "lo"), (hi, "hi"))]  # fmt: skip
    if not bounds[0] <= bounds[1]:
        raise ValueError(f"clip() needs lo <= hi, not {lo!r} and {hi!r}")
    map_inplace(arr, "lo if x < lo else hi if x > hi else x", lo=bounds[0], hi=bounds[1])


def evaluate(text: str, *, typecode: str | None = None, out: Any = None, threads: int | None = None,
             ieee: bool = False, **names: Any) -> Any:  # fmt: skip
    """The value of an expression whose names are all given by keyword, element by element.

    Buffers must have one length; numbers go with every element. The result is an array of typecode 'd' for floats, 'q'
    for ints, 'B' for truth values, unless typecode or out says otherwise; if no name is a buffer, it is one number.

    >>> import arrayops as ao
    >>> from array import array
    >>> ao.evaluate("a*b + c", a=array("i", [1, 2]), b=array("i", [3, 4]), c=0.5)
    array('d', [3.5, 8.5])
    >>> ao.evaluate("a**2 + b**2", a=3, b=4)
    25
    """
    from .kernel import text_kernel

    return text_kernel(text, names, ieee=ieee)._evaluate(typecode=typecode, out=out, threads=threads, **names)


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
    from .kernel import Kernel

    if isinstance(f, Kernel):
        return f
    return Kernel(f, names, ieee=ieee, named=frozenset(names), closed=bool(names), eager=True, strict=strict,
                  decoding=compile)  # fmt: skip


def explain(f: Function, *typecodes: str, ieee: bool = False, **names: Any) -> str:
    """What arrayops makes of an expression or callable, for arrays of these typecodes and numbers by name, as text.

    See :meth:`Kernel.explain`.

    >>> import arrayops as ao
    >>> print(ao.explain("x*2", "d").splitlines()[0])
    compiled
    """
    return _kernel(f, names, ieee, True).explain(*typecodes, **names)


def set_num_threads(number: int) -> int:
    """Sets how many threads a long run may use, and returns what it was before.

    At first that is what the environment variable ARRAYOPS_NUM_THREADS says, or else the processors that this process
    may use. Threads are started for a call and joined before it returns; results do not depend on their number.

    >>> import arrayops as ao
    >>> before = ao.set_num_threads(1)
    >>> ao.set_num_threads(before)
    1
    """
    return _machine.set_threads(operator.index(number))


def isa() -> str:
    """The instruction-set level in use: 'base', 'avx2' or 'avx512'.

    It is chosen once, when the package is imported; the environment variable ARRAYOPS_ISA can name a lower one. Results
    do not depend on it.

    >>> import arrayops as ao
    >>> ao.isa() in ("base", "avx2", "avx512")
    True
    """
    return str(_machine.ISA)


def _first_threads() -> int:
    """The number of threads at import."""
    wanted = os.environ.get("ARRAYOPS_NUM_THREADS", "")
    if not wanted:
        mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return builtins.min(mine or 1, MAX_THREADS)
    if not wanted.isdecimal() or not 1 <= int(wanted) <= MAX_THREADS:
        raise ImportError(f"ARRAYOPS_NUM_THREADS={wanted}: it must be a number from 1 to {MAX_THREADS}")
    return int(wanted)


set_num_threads(_first_threads())
