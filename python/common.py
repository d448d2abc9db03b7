"""What the API and the kernels share. Imported with the package, so it imports next to nothing itself."""

from __future__ import annotations

from array import array

from . import _machine

TYPE_CHECKING = False  # importing typing would take longer than all of the package
if TYPE_CHECKING:
    from typing import Any

MAX_THREADS: int = _machine.LIMITS["MAX_THREADS"]
#: Stands for an argument that was not given, where None would be one.
MISSING: Any = type("missing", (), {"__repr__": lambda self: "<missing>"})()


def make_room(cache: dict[Any, Any], most: int) -> None:
    """Forgets the oldest entries until there is room for one more."""
    while len(cache) >= most:
        try:
            cache.pop(next(iter(cache)), None)
        except (RuntimeError, StopIteration):  # without the GIL another thread may change it between the two calls
            continue


def native(arr: Any) -> Any:
    """The buffer as a sequence of Python numbers, whatever its format's prefix is; a copy if there is no other way."""
    if isinstance(arr, array):
        return arr
    typecode, _, count, plain = _machine.buffer_info(arr)
    if not plain or not count:
        return _machine.copy_array(arr)
    return memoryview(arr).cast("B").cast(typecode)  # type: ignore[call-overload]
