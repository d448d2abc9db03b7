"""What the API and the kernels share. Imported with the package, so it imports next to nothing itself."""

from __future__ import annotations

from array import array
from itertools import chain

from . import _machine

TYPE_CHECKING = False  # importing typing would take longer than all of the package
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MAX_THREADS: int = _machine.LIMITS["MAX_THREADS"]
#: Stands for an argument that was not given, where None would be one.
MISSING: Any = type("missing", (), {"__repr__": lambda self: "<missing>"})()


def native(arr: Any) -> Any:
    """The buffer as a sequence of Python numbers, whatever its format's prefix is; a copy if there is no other way."""
    if isinstance(arr, array):
        return arr
    typecode, _, count, plain = _machine.buffer_info(arr)
    if not plain or not count:
        return _machine.copy_array(arr)
    return memoryview(arr).cast("B").cast(typecode)  # type: ignore[call-overload]


def steadily(numbers: Any) -> Iterator[Any]:
    """The elements of a sequence for a C function that goes through all of them: Ctrl-C is answered now and then."""
    step = 1 << 16
    return chain.from_iterable(numbers[at : at + step] for at in range(0, len(numbers), step))
