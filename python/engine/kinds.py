"""What the public functions take and give, as types: for type checkers and completion. Nothing that runs imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from array import array

    import numpy
    from typing_extensions import Buffer  # of collections.abc since Python 3.12; type checkers have it always

    from .._machine import View

#: Typecodes of arrays of floats, of ints, and of what array.array does not have, with NumPy's names of them.
FloatCode: TypeAlias = Literal["f", "d", "f4", "f8", "float32", "float64"]
IntCode: TypeAlias = Literal[
    "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8",
    "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
]  # fmt: skip
ViewCode: TypeAlias = Literal["?", "b1", "bool", "e", "f2", "float16", "i3", "int24", "u3", "uint24"]

#: The numbers of an array, the dtype of a NumPy array, and whatever is given as out=.
N = TypeVar("N", int, float)
D = TypeVar("D", bound="numpy.dtype[Any]")
Out = TypeVar("Out")


class _OfArrow(Protocol):
    def __arrow_c_array__(self, *args: Any, **options: Any) -> Any: ...


class _StreamOfArrow(Protocol):
    def __arrow_c_stream__(self, *args: Any, **options: Any) -> Any: ...


class _OfNumPy(Protocol):
    """pandas' Series and Index."""

    def __array__(self, *args: Any, **options: Any) -> Any: ...


#: What every function takes, and what of that has an array.array as the result.
Array: TypeAlias = "Buffer | range | _OfArrow | _StreamOfArrow | _OfNumPy"
Plain: TypeAlias = "array[int] | array[float] | bytes | bytearray | memoryview[Any] | range | View"
#: Of which the elements are ints.
Ints: TypeAlias = "bytes | bytearray | range"
#: A NumPy array by its dtype, NumPy[D].
NumPy: TypeAlias = "numpy.ndarray[Any, D]"
#: The option nulls=.
Nulls: TypeAlias = str | int | float | None
