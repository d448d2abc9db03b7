"""What the whole package shares. Imported with it, so it imports next to nothing itself.

Modules that are needed later only (kernels, the compiler) are reached through :class:`Later`. Whatever somebody does to
``sys.modules`` meanwhile, they belong to the same copy of the package as this module.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from array import array
from itertools import chain

from .. import _machine

TYPE_CHECKING = bool(0)  # see __init__.py; importing typing would take longer than all of the package
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])

#: Stands for an argument that was not given, where None would be one.
MISSING: Any = type("missing", (), {"__repr__": lambda self: "<missing>"})()


# -- modules of this copy ----------------------------------------------------------------------------------------------

_ROOT = __name__.removesuffix(".engine.common")
#: The modules of this copy that have been seen, by name. Others are attributes of their packages.
_own: dict[str, ModuleType] = {name: sys.modules[name] for name in (_ROOT, f"{_ROOT}.engine")}
_importing = RLock()
if hasattr(os, "register_at_fork"):
    # A fork waits for an import to end: in the child nobody would end it, nor give back the lock.
    _let_go = _importing.release
    os.register_at_fork(before=_importing.acquire, after_in_parent=_let_go, after_in_child=_let_go)


class Later:
    """A module of this copy of the package, imported when something of it is first asked for.

    What is found is kept, so that later uses cost no more than an attribute.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # inspect and doctest ask everything for __wrapped__
        value = getattr(own_module(self._name), name)
        setattr(self, name, value)
        return value


def own_module(name: str) -> ModuleType:
    """The module ``name`` of this copy of the package, such as 'engine.kernel', imported if it has not been."""
    full = f"{_ROOT}.{name}"
    with _importing:
        if full not in _own and full not in _seen():
            _import(full)
        return _own[full]


def _seen() -> dict[str, ModuleType]:
    packages = [module for module in _own.values() if hasattr(module, "__path__")]
    for package in packages:
        for name, value in list(vars(package).items()):
            full = f"{package.__name__}.{name}"
            if full not in _own and getattr(value, "__name__", None) == full:
                _own[full] = value
                if hasattr(value, "__path__"):
                    packages.append(value)
    return _own


def _registered() -> dict[str, ModuleType]:
    """What sys.modules has under the names of this package."""
    return {name: m for name, m in list(sys.modules.items()) if f"{name}.".startswith(f"{_ROOT}.")}


def _import(full: str) -> None:
    """Imports a module with the modules of this copy in sys.modules, where others may have taken their places."""
    others = _registered()
    displaced = any(others.get(name) is not module for name, module in _own.items())
    if displaced:
        _replace(_own)
    try:
        __import__(full)
        _own.update(_registered())
    finally:
        if displaced:
            _replace(others)


def _replace(modules: dict[str, ModuleType]) -> None:
    for name in _registered():
        del sys.modules[name]
    sys.modules.update(modules)


# -- buffers -----------------------------------------------------------------------------------------------------------


def is_buffer(value: Any) -> bool:
    """Whether a value gives its memory, of whatever format, or is a range."""
    if type(value) is range:
        return True
    try:
        memoryview(value).release()
    except TypeError:
        return False
    except ValueError:
        pass  # NumPy's times would if there were a format for them: who takes the buffer says what to do
    return True


def new_values(typecode: str, values: Any) -> Any:
    """``array(typecode, values)``, or a View of new memory where array.array has no such type."""
    if _machine.TYPECODES[typecode]["given"] == "array":
        return array(typecode, values)
    listed = list(values)
    view = _machine.new_array(typecode, len(listed))
    for i, value in enumerate(listed):
        view[i] = value
    return view


NUMBERS = frozenset((float, int, bool))  # what elements are to Python


def has_numpys(kinds: set[type]) -> bool:
    """Whether NumPy's scalars or arrays are among these types."""
    numpy = sys.modules.get("numpy")
    theirs: Any = getattr(numpy, "generic", None), getattr(numpy, "ndarray", None)
    return all(isinstance(kind, type) for kind in theirs) and any(issubclass(kind, theirs) for kind in kinds)


def plain(value: Any) -> Any:
    """A NumPy scalar, or array of no dimension, as the Python number that it holds; anything else as it is.

    So are the items of a list or tuple. Raises TypeError for what no int, float or bool is, such as a date, a long
    double or a masked element.
    """
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value)) if has_numpys(set(map(type, value))) else value
    return _plain(value)


def _plain(value: Any) -> Any:
    numpy = sys.modules.get("numpy")
    generic, ndarray = getattr(numpy, "generic", None), getattr(numpy, "ndarray", None)
    theirs: Any = (generic, ndarray)
    if not all(isinstance(kind, type) for kind in theirs) or not isinstance(value, theirs) or value.ndim:
        return value
    python = {"b": bool, "i": int, "u": int, "f": float}.get(value.dtype.kind)
    if python is None or value.dtype.char == "g":
        raise TypeError(f"a number must be one that an int, float or bool is, not NumPy's {value.dtype}")
    if getattr(value, "mask", False):
        raise TypeError("a number is needed, and a masked element has none")
    return python(value)


def steadily(numbers: Any, step: int = 1 << 16) -> Iterator[Any]:
    """The elements of a sequence for a C function that goes through all of them: Ctrl-C is answered at each step."""
    if len(numbers) <= step:
        return iter(numbers)
    return chain.from_iterable(numbers[at : at + step] for at in range(0, len(numbers), step))


def make_room(cache: dict[Any, Any], most: int) -> None:
    """Forgets the oldest entries until there is room for one more."""
    while len(cache) >= most:
        try:
            cache.pop(next(iter(cache)), None)
        except (RuntimeError, StopIteration):  # without the GIL another thread may change it between the two calls
            continue


class held:
    """While it is entered nobody resizes these buffers: BufferError is what a callable or another thread gets."""

    __slots__ = ("_views",)

    def __init__(self, *buffers: Any) -> None:
        self._views = [memoryview(buffer) for buffer in buffers if type(buffer) is not range]

    def __enter__(self) -> None:
        pass

    def __exit__(self, *raised: object) -> None:
        for view in self._views:
            view.release()


def native(arr: Any) -> Any:
    """The buffer as a sequence of Python numbers, whatever its format's prefix is; a copy if there is no other way.

    Of a subclass of array no method is called: what counts is its memory, as where the machine reads it.
    """
    if type(arr) in (array, range):
        return arr
    typecode, _, count, plain = _machine.buffer_info(arr)
    if not plain or not count:
        return _machine.copy_array(arr)
    return memoryview(arr).cast("B").cast(typecode)  # type: ignore[call-overload]


def sliceable(arr: Any) -> Any:
    """The buffer as something whose slices are buffers, without a copy: a range as it is."""
    return arr if type(arr) is range else memoryview(arr)


def different_lengths(one: int, other: int) -> ValueError:
    """What is raised for buffers that should have one length."""
    return ValueError(f"all arrays must have the same length: one has {one} elements, another {other}")


def write_all(file: Any, data: bytes | memoryview) -> bool:
    """Writes every byte: a raw file may take only a part at a time. False if it does not say how much it took."""
    rest = memoryview(data)
    while len(rest):
        written = file.write(rest)
        if not isinstance(written, int) or written <= 0:
            return False
        rest = rest[written:]
    return True


# -- functions ---------------------------------------------------------------------------------------------------------


def named_as(wrapper: Any, function: Any) -> Any:
    """The wrapper, with name and documentation of what it wraps; functools.wraps would take longer to import."""
    for name in ("__name__", "__qualname__", "__doc__", "__module__", "__annotations__"):
        setattr(wrapper, name, getattr(function, name))
    wrapper.__wrapped__ = function
    return wrapper


def also_named(*names: str) -> Callable[[_F], _F]:
    """A function whose first arguments may be given by these names, too, where they are missing by position.

    The names are those of arrayops 1.0 (Rust). Where no argument is missing they are free, for expressions.
    """

    def naming(function: _F) -> _F:
        code = function.__code__
        own, positional = code.co_varnames, code.co_posonlyargcount

        def renaming(*args: Any, **keywords: Any) -> Any:
            if keywords:
                for place in range(len(args), len(names)):
                    name = names[place]
                    if name in keywords and place == len(args):
                        args += (keywords.pop(name),)
                    elif name in keywords and place >= positional and own[place] not in keywords:
                        keywords[own[place]] = keywords.pop(name)
            return function(*args, **keywords)

        return named_as(renaming, function)  # type: ignore[no-any-return]

    return naming


_VARARGS, _VARKEYWORDS = 4, 8  # flags of code objects
_fronts: dict[str, tuple[Any, Any]] = {}  # the function behind each fast way in, and the fast way


def front(function: _F) -> _F:
    """The function behind its fast way in, or the edge of the package, with the same name, signature and documentation.

    An ExpressionError leaves it as if the caller had raised it.
    """
    inner = getattr(function, "__wrapped__", function)
    known = _fronts.get(inner.__name__)
    if known is not None:  # its module is loaded again: the machine has one way in for each name
        known[0].__code__, known[0].__kwdefaults__ = inner.__code__, inner.__kwdefaults__
        return known[1]  # type: ignore[no-any-return]
    fast = _machine.front(function, f"{_signature(inner)}\n--\n\n{inner.__doc__}")
    _fronts[inner.__name__] = inner, fast
    return fast


def _signature(function: Callable[..., Any]) -> str:
    """Name and parameters as CPython's own builtins have them in their documentation."""
    code = function.__code__
    names, count = code.co_varnames, code.co_argcount
    keywords = names[count : count + code.co_kwonlyargcount]
    values = function.__kwdefaults__ or {}
    defaults = dict(zip(reversed(names[:count]), reversed(function.__defaults__ or ()), strict=False))
    arguments = [f"{name}={_shown(defaults[name])}" if name in defaults else name for name in names[:count]]
    more = names[count + code.co_kwonlyargcount] if code.co_flags & _VARARGS else ""
    parts = [*arguments[: code.co_posonlyargcount], *(["/"] if code.co_posonlyargcount else [])]
    parts += arguments[code.co_posonlyargcount :]
    parts += [f"*{more}"] if more else ["*"] if keywords else []
    parts += [f"{name}={_shown(values[name])}" if name in values else name for name in keywords]
    parts += [f"**{names[count + code.co_kwonlyargcount + bool(more)]}"] if code.co_flags & _VARKEYWORDS else []
    return f"{function.__name__}({', '.join(parts)})"


def _shown(value: Any) -> str:
    """A default as the signature has it."""
    return "..." if value is MISSING else repr(value)


def warn_of_namesake(folder: str) -> None:
    """The Rust package called arrayops on PyPI is installed into the same folder; its files are seen there.

    Whichever of the two came last is imported, but modules of the other lie beside it, and removing one breaks both.
    """
    if os.path.exists(os.path.join(folder, "basic.py")):
        import warnings

        warnings.warn(
            "two packages called arrayops are installed in one place; keep one: pip uninstall arrayops arrayops-vm, "
            "then pip install arrayops-vm",
            RuntimeWarning,
            stacklevel=3,
        )
