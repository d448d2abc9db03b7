"""Numeric work on ``array.array`` and every other typed buffer at memory speed, with Python's exact answers.

>>> import arrayops as ao
>>> from array import array
>>> ao.map(array("d", [1.0, 2.0, 3.0]), "x*x + 1")
array('d', [2.0, 5.0, 10.0])
"""

from ._machine import View
from ._machine import after_calls as _after_calls
from .data import from_arrow, open, to_arrow, view
from .engine.common import own_module as _own_module
from .engine.common import warn_of_namesake as _warn_of_namesake
from .expressions import compile, evaluate, explain, filter, map, map_inplace
from .reductions import (
    accumulate,
    all,
    any,
    argmax,
    argmin,
    count,
    dot,
    max,
    mean,
    min,
    minmax,
    prod,
    reduce,
    sum,
)
from .settings import isa, native, set_native, set_num_threads

TYPE_CHECKING = bool(0)  # False; Jedi, which completes in editors, leaves out what stands below a plain False
if TYPE_CHECKING:
    from .arithmetic import add, clip, divide, multiply, normalize, scale, subtract
    from .compiler.parse import ExpressionError
    from .delimited import read_csv, scan_csv
    from .engine.functions import NotCompilable
    from .engine.kernel import Kernel
    from .order import ArrayIterator, argsort, array_iterator, first, reverse, searchsorted, slice, sort, topk, unique
    from .pipelines import LazyArray, Pipeline, lazy, lazy_array
    from .sources import Files, files
    from .statistics import RunningStats, Stats, bincount, histogram, median, quantile, stats, std, var
    from .windows import Rolling, rolling

__version__ = "0.1.0"
__all__ = [
    "ArrayIterator",
    "ExpressionError",
    "Files",
    "Kernel",
    "LazyArray",
    "NotCompilable",
    "Pipeline",
    "Rolling",
    "RunningStats",
    "Stats",
    "View",
    "accumulate",
    "add",
    "all",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "array_iterator",
    "bincount",
    "clip",
    "compile",
    "count",
    "divide",
    "dot",
    "evaluate",
    "explain",
    "files",
    "filter",
    "first",
    "from_arrow",
    "histogram",
    "isa",
    "lazy",
    "lazy_array",
    "map",
    "map_inplace",
    "max",
    "mean",
    "median",
    "min",
    "minmax",
    "multiply",
    "native",
    "normalize",
    "open",
    "prod",
    "quantile",
    "read_csv",
    "reduce",
    "reverse",
    "rolling",
    "scale",
    "scan_csv",
    "searchsorted",
    "set_native",
    "set_num_threads",
    "slice",
    "sort",
    "stats",
    "std",
    "subtract",
    "sum",
    "to_arrow",
    "topk",
    "unique",
    "var",
    "view",
]

#: What is imported when somebody asks for it: importing all of it takes ten times as long as the rest.
_LATER = {
    "compiler.parse": ("ExpressionError",),
    "engine.functions": ("NotCompilable",),
    "engine.kernel": ("Kernel",),
    "delimited": ("read_csv", "scan_csv"),
    "arithmetic": ("add", "clip", "divide", "multiply", "normalize", "scale", "subtract"),
    "order": (
        "ArrayIterator",
        "argsort",
        "array_iterator",
        "first",
        "reverse",
        "searchsorted",
        "slice",
        "sort",
        "topk",
        "unique",
    ),
    "pipelines": ("LazyArray", "Pipeline", "lazy", "lazy_array"),
    "sources": ("Files", "files"),
    "statistics": ("RunningStats", "Stats", "bincount", "histogram", "median", "quantile", "stats", "std", "var"),
    "windows": ("Rolling", "rolling"),
}


if not TYPE_CHECKING:  # type checkers know the names from above, and so notice a misspelt one

    def __getattr__(name: str) -> object:
        for module, names in _LATER.items():
            if name in names:
                globals().update(_loaded(module, names))
        if name in globals():
            return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _loaded(module: str, names: tuple[str, ...]) -> dict[str, object]:
    """The names that a module has; not all of them while another thread is just importing it."""
    found = vars(_own_module(module))
    return {name: found[name] for name in names if name in found}


def _complete() -> None:
    """Imports the rest, after many calls: without __getattr__ the interpreter finds ``ao.map`` 20 ns sooner."""
    for module, names in _LATER.items():
        globals().update(_loaded(module, names))
    if globals().keys() >= {name for names in _LATER.values() for name in names}:
        globals().pop("__getattr__", None)


_after_calls(200, _complete)
_warn_of_namesake(__path__[0])


def __dir__() -> list[str]:
    """The public names, for completion and help; not what this module is made of."""
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
