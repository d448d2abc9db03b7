"""The contenders: for an expression and its arrays, the call by which each computes it, and where its result is.

All are asked in the way their documentation shows. What is not installed is left out.
"""

from __future__ import annotations

import ast
import ctypes
import importlib
import math
import os
import shutil
import subprocess
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read when it is imported

import arrayops as ao


def optional(name: str) -> Any:
    """A module, or None if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


np, numba, numexpr, pl = optional("numpy"), optional("numba"), optional("numexpr"), optional("polars")
bottleneck = optional("bottleneck")
pa, pc = optional("pyarrow"), optional("pyarrow.compute")
ORDER = ("C loop", "Python", "NumPy", "bottleneck", "numexpr", "Numba", "Arrow", "Polars", "Rust arrayops")
NAMES = ("x", "y", "z", "w")
C_TYPES = {"d": "double", "i": "int32_t", "q": "int64_t", "Q": "uint64_t", "B": "uint8_t"}

Call = tuple[Callable[[], Any], Callable[[], Any]]  # what is timed, and what gives its result afterwards


@dataclass(frozen=True)
class Expression:
    """One expression over arrays of one typecode, for all who can."""

    text: str
    typecode: str = "d"
    arrays: int = 1
    result: str = ""  # the typecode of the result, if another
    c: str = ""  # the same in C, where the text is not
    numpy: str = ""  # the same for NumPy, where the text is not; "-" if it has none
    numexpr: str = ""

    @property
    def out(self) -> str:
        """The typecode of the result."""
        return self.result or self.typecode


class Loops:
    """The expressions as C loops compiled for this machine, without contraction, as arrayops computes them."""

    def __init__(self, expressions: list[Expression], folder: Path) -> None:
        self.index = {e: k for k, e in enumerate(expressions)}
        self.library: Any = None
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            return
        lines = ["#include <stdint.h>", "#include <stddef.h>", "#include <math.h>"]
        for e, k in self.index.items():
            kind, out = C_TYPES[e.typecode], C_TYPES[e.out]
            params = ", ".join(f"const {kind} *restrict p{n}" for n in range(e.arrays))
            loads = " ".join(f"const {kind} {NAMES[n]} = p{n}[i];" for n in range(e.arrays))
            lines.append(f"void f{k}({out} *restrict out, size_t n, {params})")
            lines.append(f"{{ for (size_t i = 0; i < n; i++) {{ {loads} out[i] = ({out})({e.c or e.text}); }} }}")
        source, library = folder / "loops.c", folder / "loops.so"
        source.write_text("\n".join(lines))
        flags = ["-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-shared", "-fPIC"]
        subprocess.run([compiler, *flags, "-o", str(library), str(source), "-lm"], check=True)
        self.library = ctypes.CDLL(str(library))

    def call(self, e: Expression, arrays: list[array[Any]], out: array[Any]) -> Call | None:
        """The loop over these arrays."""
        if self.library is None or e not in self.index:
            return None
        function = getattr(self.library, f"f{self.index[e]}")
        pointers = [ctypes.c_void_p(a.buffer_info()[0]) for a in (out, *arrays)]
        arguments = [pointers[0], ctypes.c_size_t(len(out)), *pointers[1:]]
        return lambda: function(*arguments), lambda: out


def returning(call: Callable[[], Any]) -> Call:
    """A call whose result is what it returns."""
    return call, call


def empty(e: Expression, size: int) -> array[Any]:
    return array(e.out, bytes(array(e.out).itemsize * size))


def python_loop(e: Expression, arrays: list[array[Any]]) -> Callable[[], array[Any]]:
    """The idiom that arrayops replaces, as a function compiled once."""
    names = ", ".join(NAMES[: e.arrays])
    rows = f"for {names} in zip({names})" if e.arrays > 1 else "for x in x"
    text = f"lambda {names}: array({e.out!r}, [{e.text} {rows}])"
    function = eval(text, {"array": array, **vars(math)})  # our own text
    return lambda: function(*arrays)


def numba_call(e: Expression, arrays: list[array[Any]], size: int) -> Call | None:
    """A loop compiled by Numba, with an output array."""
    if numba is None:
        return None
    names = NAMES[: e.arrays]
    loads = "; ".join(f"{n} = {n}s[i]" for n in names)
    source = f"def f(out, {', '.join(n + 's' for n in names)}):\n"
    source += f"    for i in range(out.size):\n        {loads}\n        out[i] = {e.text}\n"
    scope: dict[str, Any] = dict(vars(math))
    exec(source, scope)  # our own text
    compiled = numba.njit(scope["f"])
    out = np.empty(size, dtype=e.out)
    views = [np.frombuffer(a, dtype=e.typecode) for a in arrays]
    return lambda: compiled(out, *views), lambda: out


def numexpr_call(e: Expression, views: dict[str, Any], size: int) -> Call | None:
    """numexpr, on one thread."""
    if numexpr is None or e.numexpr == "-" or "//" in e.text:
        return None
    numexpr.set_num_threads(1)
    out = np.empty(size, dtype=e.out)
    text, call = e.numexpr or e.text, {"local_dict": views, "out": out, "casting": "unsafe"}
    return lambda: numexpr.evaluate(text, **call), lambda: out


def arrow_call(e: Expression, views: dict[str, Any]) -> Call | None:
    """pyarrow.compute, one call for each operation, as it has no expressions over arrays."""
    if pa is None:
        return None
    operators: dict[type, Any] = {ast.Add: pc.add, ast.Sub: pc.subtract, ast.Mult: pc.multiply}
    columns = {name: pa.array(view) for name, view in views.items()}

    def value(node: Any) -> Any:
        if isinstance(node, ast.BinOp):
            return operators[type(node.op)](value(node.left), value(node.right))
        return columns[node.id] if isinstance(node, ast.Name) else pa.scalar(float(node.value))

    tree = ast.parse(e.text, mode="eval").body
    try:
        value(tree)
    except (KeyError, AttributeError):
        return None
    return returning(lambda: value(tree))


def polars_call(e: Expression, views: dict[str, Any]) -> Call | None:
    """A Polars expression, on one thread."""
    if pl is None or " if " in e.text or "&" in e.text:
        return None
    columns = {name: pl.col(name) for name in views}
    expression = eval(e.text, {"exp": lambda c: c.exp(), "sin": lambda c: c.sin()}, dict(columns))  # our own text
    frame = pl.DataFrame(views)
    return returning(lambda: frame.select(v=expression)["v"])


def contenders(e: Expression, arrays: list[array[Any]], loops: Loops, fresh: bool) -> dict[str, Call]:
    """The call of each. With ``fresh`` those that fill an array that exists are left out, but for arrayops, which then
    makes a new one."""
    size = len(arrays[0])
    out = empty(e, size)
    kernel = ao.compile(e.text, *NAMES[: e.arrays])
    typecode = None if e.out == e.typecode else e.out
    found: dict[str, Call | None] = {}
    if fresh:
        found["arrayops"] = returning(lambda: kernel.map(*arrays, typecode=typecode) if typecode else kernel(*arrays))
    else:
        found["arrayops"] = lambda: kernel(*arrays, out=out), lambda: out
        found["C loop"] = loops.call(e, arrays, empty(e, size))
    if np is not None:
        views = {name: np.frombuffer(a, dtype=a.typecode) for name, a in zip(NAMES, arrays, strict=False)}
        if e.numpy != "-":
            code = compile(e.numpy or e.text, "<expression>", "eval")
            scope = {**vars(np), "np": np, **views}
            found["NumPy"] = returning(lambda: eval(code, scope))
        if not fresh:
            found["numexpr"] = numexpr_call(e, views, size)
            found["Numba"] = numba_call(e, arrays, size)
        if e.typecode == "d":
            found["Arrow"] = arrow_call(e, views)
            found["Polars"] = polars_call(e, views)
    return {name: call for name, call in found.items() if call is not None}


def rust_package(folder: str | None) -> Any:
    """The Rust package of our name, from a folder that holds it (``pip install --target FOLDER arrayops``)."""
    if folder is None or not (Path(folder) / "arrayops").is_dir():
        return None
    ours = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "arrayops"}
    for name in ours:
        del sys.modules[name]
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("arrayops")
    finally:
        sys.path.remove(folder)
        for name in [n for n in sys.modules if n.split(".")[0] == "arrayops"]:
            del sys.modules[name]
        sys.modules.update(ours)
