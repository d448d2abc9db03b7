"""The extension module: the machine's tables, programs, and the runs over buffers. Private; see python/machine.c."""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar, overload

_F = TypeVar("_F")

class Op(TypedDict):
    name: str
    type: str
    dst: str
    a: str
    b: str
    c: str
    meaning: str
    faults: bool

OPS: tuple[Op, ...]
TYPES: tuple[str, ...]
TYPE_SIZES: dict[str, int]
LIMITS: dict[str, int]
MAGIC: int
ISA: str
ISA_LEVELS: list[str]
SLOT_KINDS: tuple[str, ...]
MISSING: object

TEXTS: dict[str, tuple[dict[int, Any], Callable[..., Any]]]
ENTRIES: dict[Any, Entry]

class Entry:
    held: object
    translations: tuple[Any, ...]
    credit: int
    def __init__(self, held: object, credit: int) -> None: ...

class KernelBase:
    _front: Any
    def __call__(self, arr: Any, *more: Any, out: Any = None, **names: Any) -> Any: ...

class View(Sequence[int | float]):
    """Evenly spaced numbers in somebody else's memory: made by arrayops.view and arrayops.open.

    It is a buffer of one dimension and a sequence of numbers; a slice of it is a View. It holds the memory until release(),
    the end of its with statement, or its own end.
    """

    @property
    def format(self) -> str: ...
    @property
    def itemsize(self) -> int: ...
    @property
    def stride(self) -> int: ...
    @property
    def readonly(self) -> bool: ...
    def tolist(self) -> list[int | float]: ...
    def release(self) -> None: ...
    def __enter__(self) -> View: ...
    def __exit__(self, *exception: object) -> None: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int) -> int | float: ...
    @overload
    def __getitem__(self, index: slice) -> View: ...
    def __setitem__(self, index: int, value: int | float) -> None: ...
    def __buffer__(self, flags: int) -> memoryview: ...

class Program:
    def __init__(self, code: bytes) -> None: ...

def run_map(
    program: Program, args: tuple[Any, ...], out: Any, oracle: Callable[..., Any], visible: int, defer: bool,
    threads: int, /,
) -> None: ...  # fmt: skip
def set_threads(number: int, /) -> int: ...
def know_arrays(flag: bool, /) -> bool: ...
def run_filter(
    program: Program, args: tuple[Any, ...], lead: int, oracle: Callable[..., Any], visible: int, /
) -> array[Any]: ...
def run_fold(
    program: Program, args: tuple[Any, ...], acc_index: int, start: int, oracle: Callable[..., Any], visible: int,
    out: Any, /,
) -> Any: ...  # fmt: skip
def call_map(function: Callable[..., Any], args: tuple[Any, ...], out: Any, defer: bool, /) -> None: ...
def call_filter(function: Callable[..., Any], args: tuple[Any, ...], lead: int, /) -> array[Any]: ...
def new_array(typecode: str, length: int, /) -> array[Any]: ...
def view(buffer: Any, format: str, offset: int, stride: int | None, count: int | None, /) -> View: ...
def copy_array(buffer: Any, /) -> array[Any]: ...
def buffer_info(buffer: Any, /) -> tuple[str, str, int, bool]: ...
def find(function: Any, slot: tuple[int, str | int, Any], /) -> object: ...
def capture(
    function: Any, guards: tuple[tuple[tuple[int, str | int, Any], object], ...],
    slots: tuple[tuple[int, str | int, Any], ...], /,
) -> tuple[int | float | bool, ...] | None: ...  # fmt: skip
def signature(filters: bool, wanted: int, codes: tuple[int, ...], /) -> int | None: ...
def front(function: _F, documentation: str, /) -> _F: ...
