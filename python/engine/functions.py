"""Callables: which of them are decoded, when that pays, and the memory of what they mean.

Memory (ENTRIES, shared with the fast way in) is by code object, never by function: a lambda written inside a loop is a
new function each time, with the same code. What a code object means depends on what its names find, so a translation is
used only while that is as it was (Template.capture, at every call); one code object may have a few translations.

Decoding costs as much as thousands of calls. A code object is therefore called until the elements that it has seen
would have paid for it.
"""

from __future__ import annotations

import functools
import os
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .._machine import ENTRIES, Entry
from ..compiler.ir import is_known, least_arguments
from ..compiler.machine import CONSTANTS
from ..compiler.numpy_scalars import ufunc_arguments, ufunc_name
from .common import Later, make_room
from .plans import Plans

if TYPE_CHECKING:
    from ..compiler import decode
    from ..compiler.captured import Slot, Template
else:
    decode = Later("compiler.decode")  # it needs dis, which takes milliseconds to import

#: Elements after which a code object is decoded.
COMPILE_AFTER = 2000
#: False if the environment variable ARRAYOPS_COMPILE is 0: every callable is called.
DECODING = os.environ.get("ARRAYOPS_COMPILE", "1") != "0"
_ARITIES = CONSTANTS["ENTRY_ARITIES"]  # in a key of ENTRIES
_MOST_ENTRIES = 256  # code objects remembered; the oldest is forgotten first
_MOST_TRANSLATIONS = 4  # of one code object


class NotCompilable(TypeError):
    """A callable that must be compiled (``strict=True``, ``ieee=True``) cannot be; the message says why.

    >>> import arrayops as ao
    >>> ao.compile(lambda x: x.real, strict=True)
    Traceback (most recent call last):
        ...
    arrayops.engine.functions.NotCompilable: <lambda> cannot be compiled: line 1: the attribute 'real' of a number
    """


class Translation(NamedTuple):
    """What a callable means as long as it captures what it did; ``plans`` is None if it cannot be compiled.

    The first three are for the fast way in: the template's guards and slots, and the plans' programs.
    """

    guards: tuple[tuple[Slot, object], ...]
    slots: tuple[Slot, ...]
    ready: dict[int, Any] | None
    template: Template
    plans: Plans | None


class Meaning(NamedTuple):
    """What one run of a kernel needs to know."""

    plans: Plans | None  # None: python is called for each element
    captured: tuple[Any, ...]  # numbers that follow the arguments
    python: Callable[..., Any]  # the meaning for one element
    sees_captured: bool  # whether python takes the captured numbers, too

    def visible(self, arguments: int) -> int:
        """How many of the arguments and captured numbers ``python`` takes."""
        return arguments + len(self.captured) if self.sees_captured else arguments


def _key(function: Any, arity: int, items: int) -> tuple[object, object] | None:
    """What a callable is remembered by and the object that must live as long; None if it is never decoded."""
    kind = type(function)
    if kind is types.FunctionType:
        code = function.__code__
        return (id(code), arity, items) if items or arity >= _ARITIES else id(code) * _ARITIES + arity, code
    if kind is functools.partial:
        inner = function.func
        held = inner.__code__ if type(inner) is types.FunctionType else inner
        return (id(held), arity, items, len(function.args), tuple(function.keywords)), held
    return ((id(function), arity), function) if is_known(function) or ufunc_name(function) else None


def find(function: Any, arity: int, elements: int, items: int = 0) -> tuple[Translation, tuple[Any, ...]] | None:
    """The translation of a callable of ``arity`` numbers and the numbers it captures now.

    items: of the tuple that is the first of them, in a fold; else 0. None if it is to be called: what it means is not
    known yet, and ``elements`` more do not pay for decoding it.
    """
    key = _key(function, arity, items)
    if key is None:
        return None
    entry = ENTRIES.get(key[0])
    if entry is None:
        entry = Entry(key[1], COMPILE_AFTER)
        make_room(ENTRIES, _MOST_ENTRIES)
        ENTRIES[key[0]] = entry
    for translation in entry.translations:
        captured = translation.template.capture(function)
        if captured is not None:
            return translation, captured
    if elements < entry.credit:
        entry.credit -= elements
        return None
    entry.credit = COMPILE_AFTER
    translation = _decode(function, arity, items)
    entry.translations = (translation, *entry.translations[: _MOST_TRANSLATIONS - 1])
    captured = translation.template.capture(function)
    return None if captured is None else (translation, captured)


def translate(function: Any, arity: int, items: int = 0) -> tuple[Translation, tuple[Any, ...]]:
    """As find, whatever it costs. The translation says why if the callable cannot be compiled."""
    found = find(function, arity, sys.maxsize, items)
    return (_decode(function, arity, items), ()) if found is None else found


def _decode(function: Any, arity: int, items: int) -> Translation:
    template = decode.decode(function, arity, items)
    plans = None if template.ir is None else Plans(template.ir, False)
    return Translation(template.guards, template.slots, None if plans is None else plans.ready, template, plans)


def refused(translation: Translation, reason: str) -> Translation:
    """The same, not compiled for another reason."""
    return translation._replace(template=translation.template._replace(ir=None, reason=reason), ready=None, plans=None)


def own_arity(function: Any) -> int:
    """How many numbers a callable takes at least: those of its parameters that have no value."""
    if type(function) is functools.partial:
        inner = function.func
        if type(inner) is not types.FunctionType:
            least = least_arguments(inner) - len(function.args) if is_known(inner) else 1
        else:
            least = sum(name not in function.keywords for name in _required(inner)[len(function.args) :])
    elif type(function) is types.FunctionType:
        least = len(_required(function))
    elif ufunc_name(function):
        least = ufunc_arguments(function)
    else:
        least = least_arguments(function) if is_known(function) else 1
    return max(1, least)


def _required(function: types.FunctionType) -> tuple[str, ...]:
    code = function.__code__
    return code.co_varnames[: max(0, code.co_argcount - len(function.__defaults__ or ()))]
