"""Numeric work on ``array.array`` and every other typed buffer at memory speed, with Python's exact answers.

>>> import arrayops as ao
>>> from array import array
>>> ao.map(array("d", [1.0, 2.0, 3.0]), "x*x + 1")
array('d', [2.0, 5.0, 10.0])
"""

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
from .compiler.parse import ExpressionError
from .functions import NotCompilable
from .kernel import Kernel

__version__ = "0.1.0"
__all__ = [
    "ExpressionError",
    "Kernel",
    "NotCompilable",
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
    "reduce",
    "scale",
    "set_num_threads",
    "sum",
]
