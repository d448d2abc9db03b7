"""Calls of everything public, for harnesses that disturb them: one row each, with what it is given made anew.

A row is (name, make, call): ``call(*make(serial))`` is run many times. ``serial`` is another number each time, for
texts and functions that must be new; it never changes what the call gives.
"""

from __future__ import annotations

import io
import math
import tempfile
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

import arrayops
from arrayops import _machine, delimited

ao: Any = arrayops

LONG = 3 << 19  # elements that several threads share


class Row(NamedTuple):
    """One call. ``inplace``: its first argument is changed, wholly or in part, even when it fails."""

    name: str
    make: Callable[[int], tuple[Any, ...]]
    call: Callable[..., Any]
    inplace: bool = False


def ints(serial: int = 0, typecode: str = "i") -> array[Any]:
    """A short array of integers."""
    return array(typecode, [5, 3, 9, 1, 7, 3, 0, 2] * 5)


def floats(serial: int = 0, typecode: str = "d") -> array[Any]:
    """A short array of floats."""
    return array(typecode, [5.5, -3.25, 9.0, 1e300 if typecode == "d" else 1e30, 7.0, 0.0, 0.5, 2.0] * 5)


def spaced(serial: int = 0) -> memoryview:
    """Every third element."""
    return memoryview(array("d", map(float, range(60))))[::3]


def overlapping(serial: int) -> tuple[memoryview, memoryview]:
    """All but the first elements of an array, and all but the last."""
    whole = memoryview(floats())
    return whole[1:], whole[:-1]


def view_of(serial: int = 0) -> Any:
    """A View of big-endian fields."""
    return ao.view(bytes(range(200)), ">h", offset=2, stride=6)


BITS = bytes([0b10110110, 0b01101101, 0b11011011] * 2)  # every third element is null


def with_nulls(values: array[Any]) -> Any:
    """The array as Arrow data with nulls."""
    return type(ao.to_arrow(values))(values, BITS)


def table(serial: int = 0) -> io.BytesIO:
    """A CSV file with what Python is asked for: numbers with underscores, and of many digits."""
    return io.BytesIO(b'a,b,c\n1,2.5,x\n,1_0,"y ""z"""\n-0,' + b"1" * 30 + b",\xc3\xa9\n" + b"3,4,5\n" * 20)


def rows_written(text: io.BytesIO) -> list[Any]:
    """What the command line makes of rows: JSON, CSV, keys of two columns; and of arrays, and their figures by key."""
    rows = delimited.Rows(text.read1, None, delimited.Form(missing=0))
    columns = [("a", 0, delimited.TEXT), ("b", 1, delimited.DOUBLE), ("c", 2, delimited.TEXT)]
    rows.select([delimited.Column(*column) for column in columns])
    found: list[Any] = []
    for _ in rows.chunks():
        machine, numbers = rows.machine, rows.machine.column(1)
        found.append(machine.text(None, (0, 2), (numbers,), -1, 2, (b"{a", b",c", b",b")))
        found.append(machine.text(None, (2, 1), (), -1, 1, ()))
        codes = machine.codes((2, 0), {})
        found.append(codes)
        found.append(_machine.spell_rows((numbers, codes), None, -1, 2, (b"{b", b",k")))
        ordered, begins = _machine.group(numbers, codes, max(codes) + 1)
        found += _machine.figures(ordered, begins)
    return found


FORMATS = ("?", "e", "i3", "u3")  # which array.array has not


def new(code: str) -> Any:
    """A View of new memory of a format."""
    return ao.map(ints(), "x // 2", typecode=code)


def with_nans(serial: int = 0) -> array[Any]:
    """Floats, every fourth of which is a nan."""
    values = floats()
    values[::4] = array("d", [float("nan")]) * len(values[::4])
    return values


def one(make: Callable[[int], Any]) -> Callable[[int], tuple[Any, ...]]:
    """Makes a row's arguments: one thing."""
    return lambda serial: (make(serial),)


def two(make: Callable[[int], Any], other: Callable[[int], Any]) -> Callable[[int], tuple[Any, ...]]:
    """Makes a row's arguments: two things."""
    return lambda serial: (make(serial), other(serial))


def shared_doubles(serial: int = 0) -> array[Any]:
    """As few as threads share if there is much to do for each."""
    return array("d", [5.5, -3.25, 9.0, 1e300, 7.0, 0.25, 0.5, 2.0]) * 2100


HEAVY = "+".join(f"sin(x*{k})" for k in range(1, 41))
SHARED: dict[str, Callable[[Any], Any]] = {
    "filter": lambda a: len(ao.filter(a, f"{HEAVY} > 0")),
    "first": lambda a: ao.first(a, f"{HEAVY} > 99"),
    "min": lambda a: ao.lazy(a).map(HEAVY).min(),
    "argsort": lambda a: ao.argsort(a * 4)[:8],
    "bincount": lambda a: (ao.bincount(b"abc" * 180_000, b"def" * 180_000), ao.bincount(b"abc" * 180_000)),
}


def long_doubles(serial: int = 0) -> array[Any]:
    """An array that several threads share; the same one each time, as nobody changes it."""
    return _LONG_DOUBLES


_LONG_DOUBLES = array("d", [1.5, -2.0, 3.25, 0.5]) * (LONG // 4)


def text_and_array(template: str) -> Callable[[int], tuple[Any, ...]]:
    """A text that nobody has seen, and an array. $ stands for a number that is 0 in the end."""
    return lambda serial: (ints(), template.replace("$", f"({serial} - {serial})"))


def function_and_array(template: str) -> Callable[[int], tuple[Any, ...]]:
    """A function that nobody has seen, and an array."""
    return lambda serial: (ints(), eval(template.replace("$", f"({serial + 2} - {serial + 2})")))


def stats_of(a: Any, b: Any) -> Any:
    """RunningStats: made, updated, merged, asked, taken apart and put together (pickle hides MemoryError)."""
    running = ao.RunningStats(a)
    running.update(b)
    running.merge(ao.RunningStats(b))
    restore, state = running.__reduce__()
    assert restore(*state) == running
    return running.stats()


def restored(kernel: Any) -> Any:
    """A kernel from its parts, as pickle does it."""
    restore, state = kernel.__reduce__()
    return restore(*state)


def opened(path: str) -> Any:
    """A file, mapped and read."""
    with ao.open(path, "<d", stride=16) as view:
        return view.tolist()


_FILE = tempfile.NamedTemporaryFile(suffix=".bin")  # noqa: SIM115  (as long as the process lives)
_FILE.write(floats().tobytes())
_FILE.flush()


def plus(acc: Any, x: Any) -> Any:
    """A function of two arguments."""
    return acc + x


def not_compiled(x: Any) -> Any:
    """A callable that stays one."""
    return [x][0] + 1


def is_large(x: Any) -> bool:
    """A predicate that stays a callable."""
    return [x][0] > 3


def step(state: Any, x: Any) -> Any:
    """Of a fold that carries two numbers, one of which soon leaves 64 bits."""
    a, b = state
    return a * 31 + x, b ^ x


def longer_step(state: Any, x: Any) -> Any:
    """Of a fold that is called."""
    return (*state[-3:], x)


def looped(x: Any) -> Any:
    """A function whose loop is unrolled."""
    for k in range(3):
        x = x * 2 + k if x < 100 else x - k
    return x


TABLE = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
KERNEL = ao.compile("x*x + 1")
CALLBACK = ao.compile(not_compiled, compile=False)
LAZY = (
    ("collect", lambda p: p.collect()),
    ("collect d", lambda p: p.collect("d")),
    ("sum", lambda p: p.sum()),
    ("mean", lambda p: p.mean()),
    ("min", lambda p: p.min()),
    ("max", lambda p: p.max()),
    ("count", lambda p: p.count()),
    ("stats", lambda p: p.stats()),
    ("reduce", lambda p: p.reduce("acc + x", 1)),
    ("to", lambda p: p.to(bytearray(8 * 200))),
    ("to file", lambda p: p.to(io.BytesIO())),
    ("iter", list),
    ("explain", lambda p: p.explain()),
    ("repr", lambda p: repr(p).split(" at ")[0]),
)
PIPES = (
    ("texts", lambda p: p.map("x + 1").filter("x > 3").map("x * 2")),
    ("no filter", lambda p: p.map("x + 1")),
    ("callables", lambda p: p.map(not_compiled).filter(is_large)),
    ("nothing", lambda p: p),
)

ROWS = [
    Row("map", one(ints), lambda a: ao.map(a, "x*x + 1")),
    Row("map two", two(ints, ints), lambda a, b: ao.map(a, "x*y + 1", b)),
    Row("map named", two(ints, ints), lambda a, b: ao.map(a, "x*y + k", y=b, k=3)),
    Row("map typecode", one(ints), lambda a: ao.map(a, "x / 7", typecode="d")),
    Row("map out", two(floats, floats), lambda a, b: ao.map(a, "x + 1", out=b) is b and b, inplace=True),
    Row("map overlap", overlapping, lambda a, b: ao.map(a, "x*1", out=b).tolist(), inplace=True),
    Row("map spaced", one(spaced), lambda a: ao.map(a, "x + 1")),
    Row("map view", one(view_of), lambda a: ao.map(a, "x + 1")),
    Row("map marked", one(ints), lambda a: ao.map(a, "x**70 % 7")),
    Row("map callback", one(ints), lambda a: ao.map(a, not_compiled)),
    Row("map two callback", two(ints, ints), lambda a, b: ao.map(a, lambda x, y: [x][0] + y, b)),
    Row("map function", one(ints), lambda a: ao.map(a, lambda x: x * LONG % 1000)),
    Row("map threads", one(long_doubles), lambda a: len(ao.map(a, "x + 1", threads=2))),
    Row("map table", two(ints, floats), lambda a, t: ao.map(a, "t[x]", t=t, typecode="d")),
    Row("map into a table", two(ints, floats), lambda a, t: ao.map(a, "1/(t[x] + 1)", t=t, out=t) is t, inplace=True),
    Row("map table captured", one(ints), lambda a: ao.map(a, lambda x: TABLE[x])),
    Row("map loop", one(ints), lambda a: ao.map(a, looped)),
    Row("map range", one(ints), lambda a: ao.map(range(-5, 300, 7), "0.5*x", typecode="d")),
    Row("map index", one(ints), lambda a: ao.map(a, "x*i", i=range(len(a)))),
    Row("reductions inside", one(floats), lambda a: ao.map(a, "(x - mean(x)) / std(x)")),
    Row("reductions inside of ints", one(ints), lambda a: ao.map(a, "x - median(x*x) % max(x) + len(x)", typecode="d")),
    Row("reductions of reductions", one(ints), lambda a: ao.evaluate("sum(x*(x > mean(x)))", x=a)),
    Row("NumPy's names", one(ints), lambda a: ao.map(a, "sign(x) + fmax(x, 3) + logical_xor(x, 2) + mod(x, 4)")),
    Row("map_inplace", one(ints), lambda a: (ao.map_inplace(a, "x + 1"), a), inplace=True),
    Row("map_inplace callback", one(ints), lambda a: (ao.map_inplace(a, not_compiled), a), inplace=True),
    Row("filter", one(ints), lambda a: ao.filter(a, "x > 2")),
    Row("filter marked", one(ints), lambda a: ao.filter(a, "x**70 % 7 > 2")),
    Row("filter callback", one(ints), lambda a: ao.filter(a, is_large)),
    Row("reduce", one(ints), lambda a: ao.reduce(a, "acc*31 + x & 0xFFFF", 7)),
    Row("reduce marked", one(ints), lambda a: ao.reduce(a, "acc*31 + x", 7)),
    Row("reduce callback", one(ints), lambda a: ao.reduce(a, max)),
    Row("reduce function", one(ints), lambda a: ao.reduce(a, plus, 4)),
    Row("reduce tuple", one(ints), lambda a: ao.reduce(a, step, (1, 2))),
    Row("reduce tuple text", one(ints), lambda a: ao.reduce(a, "(acc[1] + x, acc[0] ^ x)", (0, 0))),
    Row("reduce tuple callback", one(ints), lambda a: ao.reduce(a, longer_step, (1,))),
    Row("reduce arrays", two(ints, ints), lambda a, b: ao.reduce(a, "acc + x*d", 0, d=b)),
    Row("reduce table", one(ints), lambda a: ao.reduce(a, "acc >> 1 ^ t[x]", 7, t=TABLE)),
    Row("accumulate tuple", one(ints), lambda a: ao.accumulate(a, step, initial=(1, 2), typecode="d")),
    Row("accumulate tuples", one(ints), lambda a: ao.accumulate(a, step, initial=(1.5, 2), typecode=("d", "q"))),
    Row("accumulate tuple callback", one(ints), lambda a: ao.accumulate(a, longer_step, initial=(1,))),
    Row("accumulate", one(ints), lambda a: ao.accumulate(a)),
    Row("accumulate marked", one(ints), lambda a: ao.accumulate(a, "acc + x**70 % 7")),
    Row("accumulate callback", one(ints), lambda a: ao.accumulate(a, max)),
    Row("sum", one(ints), lambda a: ao.sum(a)),
    Row("sum floats", one(floats), lambda a: ao.sum(a)),
    Row("sum f", lambda serial: (floats(typecode="f"),), lambda a: ao.sum(a)),
    Row("sum spaced", one(spaced), lambda a: ao.sum(a)),
    Row("mean", one(ints), lambda a: ao.mean(a)),
    Row("mean floats", one(floats), lambda a: ao.mean(a)),
    Row("min", one(ints), lambda a: ao.min(a)),
    Row("max", one(floats), lambda a: ao.max(a)),
    Row("minmax", one(floats), lambda a: ao.minmax(a)),
    Row("argmin", one(floats), lambda a: ao.argmin(a)),
    Row("argmax", one(spaced), lambda a: ao.argmax(a)),
    Row("var", one(ints), lambda a: ao.var(a)),
    Row("var floats", one(floats), lambda a: ao.var(a, ddof=1)),
    Row("std", one(ints), lambda a: ao.std(a)),
    Row("stats", one(ints), lambda a: ao.stats(a)),
    Row("stats floats", one(floats), lambda a: ao.stats(a)),
    Row("stats threads", one(long_doubles), lambda a: ao.stats(a)),
    Row("median", one(ints), lambda a: ao.median(a)),
    Row("median floats", one(floats), lambda a: ao.median(a)),
    Row("read_csv", one(table), lambda t: list(ao.read_csv(t, typecodes={"c": str}, missing=0).values())),
    Row("scan_csv", one(table), lambda t: [p["b"] for p in ao.scan_csv(t, ["b"], typecodes="d", missing="skip")]),
    Row("rows written", one(table), rows_written),
    Row("quantile", one(floats), lambda a: ao.quantile(a, [0.1, 0.5, 0.9])),
    Row("dot", two(ints, ints), lambda a, b: ao.dot(a, b)),
    Row("dot floats", two(floats, floats), lambda a, b: ao.dot(a, b)),
    Row("dot mixed", two(ints, floats), lambda a, b: ao.dot(a, b)),
    Row("dot threads", two(long_doubles, long_doubles), lambda a, b: ao.dot(a, b)),
    Row("prod", one(ints), lambda a: ao.prod(a)),
    Row("prod floats", one(floats), lambda a: ao.prod(a)),
    Row("any", one(ints), lambda a: ao.any(a, "x > 8")),
    Row("all", one(ints), lambda a: ao.all(a)),
    Row("count", one(ints), lambda a: ao.count(a, "x**70 % 7 > 1")),
    Row("count callback", one(ints), lambda a: ao.count(a, is_large)),
    Row("add", two(ints, ints), lambda a, b: ao.add(a, b)),
    Row("subtract", two(floats, floats), lambda a, b: ao.subtract(a, b)),
    Row("multiply", two(ints, ints), lambda a, b: ao.multiply(a, b, typecode="q")),
    Row("divide", two(floats, ints), lambda a, b: ao.divide(a, 4)),
    Row("scale", one(floats), lambda a: (ao.scale(a, 2), a), inplace=True),
    Row("clip", one(ints), lambda a: (ao.clip(a, 2, 5), a), inplace=True),
    Row("normalize", one(floats), lambda a: (ao.normalize(a), a), inplace=True),
    Row("reverse", one(ints), lambda a: (ao.reverse(a), a), inplace=True),
    Row("sort", one(ints), lambda a: (ao.sort(a), a), inplace=True),
    Row("sort floats", one(floats), lambda a: (ao.sort(a), a), inplace=True),
    Row("sort many", lambda serial: (array("q", range(3000, 0, -1)),), lambda a: (ao.sort(a), a), inplace=True),
    Row("unique", one(ints), lambda a: ao.unique(a)),
    Row("argsort", one(ints), lambda a: ao.argsort(a)),
    Row("argsort nulls", one(ints), lambda a: ao.argsort(with_nulls(a), nulls="skip")),
    Row("topk", one(floats), lambda a: ao.topk(a, 7)),
    Row("searchsorted", two(ints, floats), lambda a, b: ao.searchsorted(a, b)),
    Row("searchsorted spaced", two(spaced, ints), lambda a, b: ao.searchsorted(a, b, "right")),
    Row("first", one(ints), lambda a: ao.first(a, "x**70 % 7 > 3")),
    Row("first callback", one(ints), lambda a: ao.first(a, is_large)),
    Row("histogram", one(floats), lambda a: ao.histogram(a, 5, (0, 10))),
    Row("histogram edges", one(ints), lambda a: ao.histogram(a, [0, 2, 5])),
    Row("bincount", one(ints), lambda a: ao.bincount(a)),
    Row("bincount ints", two(ints, ints), lambda a, b: ao.bincount(a, b)),
    Row("bincount floats", two(ints, floats), lambda a, b: ao.bincount(a, b)),
    Row("bincount fsum", two(ints, lambda serial: array("d", [math.inf]) * 40), lambda a, b: ao.bincount(a, b)),
    *(Row(f"rolling {what}", one(floats), lambda a, w=what: getattr(ao.rolling(a, 3), w)())
      for what in ("sum", "mean", "min", "max", "var", "std", "median")),
    Row("rolling ints", one(ints), lambda a: ao.rolling(a, 3, partial=True).sum()),
    Row("rolling stream", one(ints), lambda a: ao.rolling([a, a], 3).max()),
    Row("takewhile", one(ints), lambda a: ao.lazy(a).takewhile("x > 0").dropwhile(is_large).collect()),
    Row("slice", one(ints), lambda a: ao.slice(a, 1, 5).tolist()),
    Row("array_iterator", one(ints), lambda a: list(ao.array_iterator(a))),
    Row("evaluate", two(floats, floats), lambda a, b: ao.evaluate("p + q*2", p=a, q=b)),
    Row("evaluate number", one(ints), lambda a: ao.evaluate("p*3 + 10**30", p=7)),
    Row("compile", one(ints), lambda a: ao.compile("x*x + 1")(a)),
    Row("compile strict", one(ints), lambda a: ao.compile(lambda x: x + 2, strict=True)(a)),
    Row("kernel", one(ints), lambda a: KERNEL(a)),
    Row("kernel map", one(ints), lambda a: KERNEL.map(a, typecode="q")),
    Row("kernel inplace", one(ints), lambda a: (KERNEL.inplace(a), a), inplace=True),
    Row("kernel filter", one(ints), lambda a: KERNEL.filter(a)),
    Row("kernel reduce", one(ints), lambda a: ao.compile("p + q").reduce(a)),
    Row("kernel accumulate", one(ints), lambda a: ao.compile("p + q").accumulate(a)),
    Row("kernel explain", one(ints), lambda a: KERNEL.explain("i")),
    Row("kernel pickle", one(ints), lambda a: restored(KERNEL)(a)),
    Row("kernel facts", one(ints), lambda a: (KERNEL.source, KERNEL.params, repr(KERNEL), KERNEL.compiled,
                                              hash(KERNEL), ao.compile("x*x + 1") == KERNEL)),
    Row("kernel callback", one(ints), lambda a: CALLBACK(a)),
    Row("explain", one(ints), lambda a: ao.explain("x + 1", "i")),
    Row("isa", one(ints), lambda a: ao.isa()),
    Row("set_num_threads", one(ints), lambda a: ao.set_num_threads(2)),
    Row("native", one(ints), lambda a: ao.native()),
    Row("set_native", one(ints), lambda a: ao.set_native(True)),
    Row("to_arrow", one(ints), lambda a: list(ao.from_arrow(ao.to_arrow(a)))),
    Row("nulls skipped", one(ints), lambda a: ao.sum(with_nulls(a), nulls="skip")),
    Row("nulls skipped, filter", one(ints), lambda a: ao.filter(with_nulls(a), "x > 1", nulls="skip")),
    Row("nulls filled", one(ints), lambda a: ao.map(with_nulls(a), "x + 1", nulls=5)),
    Row("nulls propagate", one(ints), lambda a: KERNEL.map.__wrapped__(KERNEL, a, nulls=BITS)),
    Row("nulls propagate, callback", one(ints), lambda a: CALLBACK.map.__wrapped__(CALLBACK, a, nulls=BITS)),
    Row("nulls skipped, two", two(ints, ints), lambda a, b: ao.dot(with_nulls(a), b, nulls="skip")),
    Row("nulls of a stream", one(ints), lambda a: ao.lazy([with_nulls(a)], nulls="skip").map("x + 1").sum()),
    Row("nan skipped", one(with_nans), lambda a: (ao.sum(a, nan="skip"), ao.mean(a, nan="skip"), ao.max(a, nan="skip"),
                                                  ao.stats(a, nan="skip"), ao.prod(a, nan="skip"))),
    Row("nan skipped, copied", one(with_nans), lambda a: ao.median(a, nan="skip")),
    *(Row(f"map {code}", one(ints), lambda a, c=code: ao.map(a, "x // 2", typecode=c).tolist()) for code in FORMATS),
    *(Row(f"map {code} out", two(ints, lambda serial, c=code: new(c)),
          lambda a, b: (ao.map(a, "x // 2", out=b), b.tolist())[1], inplace=True) for code in FORMATS),
    *(Row(f"from {code}", one(lambda serial, c=code: new(c)), lambda a: (
        ao.map(a, "x + 1", typecode="d"), ao.filter(a, "x < 1").tolist(), ao.sum(a), ao.unique(a).tolist(),
        ao.stats(a), a.tolist())) for code in FORMATS),
    *(Row(f"callback {code}", one(lambda serial, c=code: new(c)), lambda a: ao.map(a, not_compiled, typecode="d"))
      for code in FORMATS),
    *(Row(f"lazy {code}", one(ints), lambda a, c=code: ao.lazy(a).map("x // 2").collect(c).tolist())
      for code in FORMATS),
    Row("accumulate i3", one(ints), lambda a: ao.accumulate(a, typecode="i3").tolist()),
    Row("names", one(ints), lambda a: ao.map(a, "x*k", names={"k": 3, "other": None})),
    Row("marked together", one(lambda serial: array("q", [2**62 + i for i in range(3000)])),
        lambda a: ao.map(a, "x * 3", typecode="d")),
    Row("view", one(lambda serial: bytearray(range(200))), lambda a: ao.view(a, ">h", 2, 6).tolist()),
    Row("view slice", one(view_of), lambda v: (v[2:9:3].tolist(), v[-1], len(v), 7 in v)),
    Row("view buffer", one(view_of), lambda v: memoryview(v).strides),
    Row("view store", one(lambda serial: bytearray(40)), lambda a: (ao.view(a, "<i").__setitem__(3, 77), a), True),
    Row("view facts", one(view_of), lambda v: (v.format, v.itemsize, v.stride, v.readonly, repr(v).split(" at ")[0])),
    Row("open", lambda serial: (_FILE.name,), opened),
    Row("files", lambda serial: (_FILE.name,), lambda path: ao.lazy(ao.files(path, stride=16)).map("x + 1").sum()),
    Row("RunningStats", two(ints, ints), stats_of),
    Row("RunningStats floats", two(floats, floats), stats_of),
    Row("lazy arrays", two(ints, ints), lambda a, b: ao.lazy([a, b]).map("x + 1").sum()),
    Row("lazy beside", two(ints, ints), lambda a, b: ao.lazy(a).filter("x").map("x*y", y=b).sum()),
    Row("lazy beside a stream", two(ints, ints), lambda a, b: ao.lazy([a, b]).map("x*y", y=[b, a]).collect("q")),
    Row("lazy threads", one(long_doubles), lambda a: ao.lazy(a).map("x + 1").sum()),
    *(Row(f"{name} shared", one(shared_doubles), call) for name, call in SHARED.items()),
    Row("lazy_array", one(ints), lambda a: ao.lazy_array(a).map("x + 1").collect()),
    *(Row(f"lazy {kind}, {end}", one(ints), lambda a, p=pipe, t=terminal: t(p(ao.lazy(a))))
      for kind, pipe in PIPES for end, terminal in LAZY),
    *(Row(f"lazy floats, {end}", one(floats), lambda a, t=terminal: t(ao.lazy(a).map("x / 2").filter("x < 4")))
      for end, terminal in LAZY if end not in ("to", "reduce")),
]  # fmt: skip

#: What is compiled anew each time: thousands of allocations each.
COLD = [
    Row("new text", text_and_array("x*x + $"), lambda a, text: ao.map(a, text)),
    Row("new long text", text_and_array("sqrt(x + 4) if x > 2 and x != 5 else -x % 3 + $ in (1, 2) or clip(x, 1, 3)"),
        lambda a, text: ao.map(a, text, typecode="d")),
    Row("new bad text", text_and_array("x*x + $ + nosuch(x)"), lambda a, text: str(refusal(text))),
    Row("new nested text", text_and_array("(" * 90 + "x + $" + ")" * 90), lambda a, text: ao.map(a, text)),
    Row("new reduce", text_and_array("acc*3 + x & 0xFFFF + $"), lambda a, text: ao.reduce(a, text, 1)),
    Row("new filter", text_and_array("x > 2 + $"), lambda a, text: ao.filter(a, text)),
    Row("new pipeline", text_and_array("x + $"), lambda a, text: ao.lazy(a).map(text).filter("x > 3").sum()),
    Row("new function", function_and_array("lambda x: x*x + 1 + $"), lambda a, f: ao.map(a, f)),
    Row("new branches", function_and_array("lambda x: (x if x > 3 else -x) + $ and abs(x)"),
        lambda a, f: ao.map(a, f)),
    Row("new tuple fold", function_and_array("lambda s, x: (s[1] + x, s[0] ^ x + $)"),
        lambda a, f: ao.reduce(a, f, (0, 0))),
    Row("new tuple text", text_and_array("(acc[1] + x, acc[0] ^ x + $)"), lambda a, text: ao.reduce(a, text, (0, 0))),
    Row("new reductions", text_and_array("x - mean(x + $)"), lambda a, text: ao.map(a, text, typecode="d")),
    Row("new table", text_and_array("t[x + $]"), lambda a, text: ao.map(a, text, t=TABLE)),
    Row("new explain", text_and_array("x*x + $"), lambda a, text: len(ao.explain(text, "i")) > 0),
]  # fmt: skip


def refusal(text: str) -> Exception:
    """The error of a text that is refused."""
    try:
        ao.compile(text)
    except ao.ExpressionError as error:
        return type(error)(error.msg)
    raise AssertionError("not refused")


#: Public names that are no calls, or are called by rows under another name.
NOT_CALLED = {
    "ArrayIterator",
    "ExpressionError",
    "Files",
    "Kernel",
    "LazyArray",
    "NotCompilable",
    "Pipeline",
    "Rolling",
    "Stats",
    "View",
}


def covered() -> set[str]:
    """The public names that rows call, found in the code of their functions."""
    names: set[str] = set()
    pending = [c for row in (*ROWS, *COLD) for c in [row.call.__code__]]
    pending += [f.__code__ for f in (stats_of, restored, opened, refusal)]
    while pending:
        code = pending.pop()
        names.update(code.co_names)
        pending += [c for c in code.co_consts if hasattr(c, "co_names")]
    return names
