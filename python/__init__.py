"""Numeric work on ``array.array`` and every other typed buffer at memory speed, with Python's exact answers.

>>> import arrayops as ao
>>> from array import array
>>> ao.map(array("d", [1.0, 2.0, 3.0]), "x*x + 1")
array('d', [2.0, 5.0, 10.0])
"""

from ._machine import View
from .api import (
    accumulate,
    clip,
    compile,
    evaluate,
    explain,
    filter,
    isa,
    map,
    map_inplace,
    max,
    mean,
    min,
    reduce,
    scale,
    set_num_threads,
    sum,
)
from .exchange import open, view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .compiler.parse import ExpressionError
    from .functions import NotCompilable
    from .kernel import Kernel

__version__ = "0.1.0"
__all__ = [
    "ExpressionError",
    "Kernel",
    "NotCompilable",
    "View",
    "accumulate",
    "clip",
    "compile",
    "evaluate",
    "explain",
    "filter",
    "isa",
    "map",
    "map_inplace",
    "max",
    "mean",
    "min",
    "open",
    "reduce",
    "scale",
    "set_num_threads",
    "sum",
    "view",
]

_LATER = ("ExpressionError", "Kernel", "NotCompilable")


def __getattr__(name: str) -> type:
    """The classes, which are imported when somebody asks for them: see api.py."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import kernel

    value: type = getattr(kernel, name)
    return value


def _complete(**classes: type) -> None:
    """Called when kernel.py has been imported. Without __getattr__ the interpreter finds ``ao.map`` 20 ns sooner."""
    globals().update(classes)
    globals().pop("__getattr__", None)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
