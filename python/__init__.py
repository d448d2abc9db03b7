"""Numeric work on ``array.array`` and every other typed buffer at memory speed, with Python's exact answers.

>>> import arrayops as ao
>>> from array import array
>>> ao.map(array("d", [1.0, 2.0, 3.0]), "x*x + 1")
array('d', [2.0, 5.0, 10.0])
"""

import builtins
import importlib

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
from .exchange import from_arrow, open, to_arrow, view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .arrays import (
        add,
        array_iterator,
        divide,
        multiply,
        normalize,
        reverse,
        slice,
        sort,
        subtract,
        unique,
    )
    from .compiler.parse import ExpressionError
    from .functions import NotCompilable
    from .kernel import Kernel
    from .moments import (
        RunningStats,
        Stats,
        all,
        any,
        argmax,
        argmin,
        count,
        dot,
        median,
        minmax,
        prod,
        quantile,
        stats,
        std,
        var,
    )
    from .pipelines import Pipeline, lazy, lazy_array

__version__ = "0.1.0"
__all__ = [
    "ExpressionError",
    "Kernel",
    "NotCompilable",
    "Pipeline",
    "RunningStats",
    "Stats",
    "View",
    "accumulate",
    "add",
    "all",
    "any",
    "argmax",
    "argmin",
    "array_iterator",
    "clip",
    "compile",
    "count",
    "divide",
    "dot",
    "evaluate",
    "explain",
    "filter",
    "from_arrow",
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
    "normalize",
    "open",
    "prod",
    "quantile",
    "reduce",
    "reverse",
    "scale",
    "set_num_threads",
    "slice",
    "sort",
    "stats",
    "std",
    "subtract",
    "sum",
    "to_arrow",
    "unique",
    "var",
    "view",
]

#: What is imported when somebody asks for it, or when kernels are: importing it takes ten times as long as the rest.
_LATER = {
    "compiler.parse": ("ExpressionError",),
    "functions": ("NotCompilable",),
    "kernel": ("Kernel",),
    "moments": ("RunningStats", "Stats", "all", "any", "argmax", "argmin", "count", "dot", "median", "minmax", "prod",
              "quantile", "stats", "std", "var"),
    "pipelines": ("Pipeline", "lazy", "lazy_array"),
    "arrays": ("add", "array_iterator", "divide", "multiply", "normalize", "reverse", "slice", "sort", "subtract",
               "unique"),
}  # fmt: skip


def __getattr__(name: str) -> object:
    if not builtins.any(name in names for names in _LATER.values()):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _complete()
    return globals()[name]


def _complete() -> None:
    """Imports the rest. Without __getattr__ the interpreter finds ``ao.map`` 20 ns sooner."""
    for module, names in _LATER.items():
        loaded = importlib.import_module(f".{module}", __name__)
        globals().update({name: getattr(loaded, name) for name in names})
    globals().pop("__getattr__", None)


def __dir__() -> list[str]:
    """The public names, for completion and help; not what this module is made of."""
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
