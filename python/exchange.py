"""Data that somebody else owns: fields of records, mapped files, and the arrays of NumPy, Arrow and Polars.

What comes in decides what goes out. ``exchanges`` does that for the methods of kernels: arrays that are no buffers are
taken in through the Arrow PyCapsule interface, without a copy, and a new array.array is given back as what the first
array was, by the row for it in ``_KINDS``. None of these libraries is imported here: whoever has such an array has
imported it.
"""

from __future__ import annotations

import builtins
import os
import sys
from array import array

from . import _machine
from .common import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])
    #: Arguments of a call, by position or by name.
    _Values: TypeAlias = dict[int | str, Any]

_PASTED = 1 << 20  # elements copied between two looks at signals
_ACCESS = {"r": "ACCESS_READ", "r+": "ACCESS_WRITE", "c": "ACCESS_COPY"}


def view(buffer: Any, format: str, offset: int = 0, stride: int | None = None,
         count: int | None = None) -> _machine.View:  # fmt: skip
    """Evenly spaced numbers in a contiguous buffer, such as one field of packed records, without a copy.

    The view can be used wherever an array can, also to write to if the buffer is writable; elements are decoded block
    by block as they are needed.

    Parameters
    ----------
    buffer: bytes, bytearray, mmap, array.array, memoryview, ...; held until the view's release(), or its end.
    format: of an element, as in struct: a typecode, with ``<`` or ``>`` before it for a byte order and standard sizes.
    offset: bytes before the first element.
    stride: bytes from one element to the next; by default they are side by side.
    count: number of elements; by default as many as there is room for.

    Raises TypeError for another format, ValueError for a view that does not lie inside the buffer or a stride below 1,
    BufferError for a buffer that is not contiguous.

    >>> import arrayops as ao, struct
    >>> records = b"".join(struct.pack(">IHf", i, 10 * i, i / 2) for i in range(4))
    >>> field = ao.view(records, ">H", offset=4, stride=10)
    >>> field.tolist()
    [0, 10, 20, 30]
    >>> ao.map(field, "x * 0.5", typecode="d")
    array('d', [0.0, 5.0, 10.0, 15.0])
    """
    return _machine.view(buffer, format, offset, stride, count)


def open(path: str | os.PathLike[str] | int, format: str = "B", offset: int = 0, stride: int | None = None,
         count: int | None = None, *, mode: str = "r") -> _machine.View:  # fmt: skip
    """The numbers of a file, mapped into memory: read from it page by page as they are needed.

    path: of the file, or an open descriptor. mode: ``"r"`` for reading; ``"r+"`` to write through to the file; ``"c"``
    to write to this process's copy only. The other parameters and exceptions are those of :func:`view`; raises OSError
    if the file cannot be opened or mapped, ValueError if it ends inside an element.

    >>> import arrayops as ao, tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes(range(8)))
    ...     file.flush()
    ...     with ao.open(file.name, ">H") as numbers:
    ...         numbers.tolist()
    [1, 515, 1029, 1543]
    """
    import mmap

    if mode not in _ACCESS:
        raise ValueError(f"mode must be one of {', '.join(map(repr, _ACCESS))}, not {mode!r}")
    with builtins.open(path, "r+b" if mode == "r+" else "rb", buffering=0, closefd=not isinstance(path, int)) as file:
        size = os.fstat(file.fileno()).st_size
        data = mmap.mmap(file.fileno(), 0, access=getattr(mmap, _ACCESS[mode])) if size else b""
    found = view(data, format, offset, stride, count)
    odd = max(size - offset, 0) % found.itemsize
    if count is None and stride is None and odd:
        raise ValueError(f"the file {path!r} ends inside an element: {odd} of {found.itemsize} bytes; is the format "
                         f"{format!r} right?")  # fmt: skip
    return found


# -- Arrow -------------------------------------------------------------------------------------------------------------


def from_arrow(data: Any, nulls: str | int | float | None = None) -> Any:
    """The numbers of an Arrow array, a Polars Series or any other Arrow producer, as a buffer to use anywhere.

    It is a View of the producer's own memory where that is one piece without nulls; otherwise an array.array, a copy.

    Parameters
    ----------
    data: an object with ``__arrow_c_array__`` or ``__arrow_c_stream__``, of integers of 8 to 64 bits, float32 or
        float64.
    nulls: ``"skip"`` leaves nulls out; a number takes their place. By default they are a ValueError.

    Raises TypeError for other objects and other Arrow types, naming the format; ValueError for malformed data; for a
    number that the type cannot hold what an array raises.

    >>> import arrayops as ao, polars
    >>> ao.from_arrow(polars.Series([1.5, 2.5]))
    <arrayops.View of 2 elements 'd', 8 bytes apart, read-only>
    >>> ao.from_arrow(polars.Series([1, None, 3]), nulls=0)
    array('q', [1, 0, 3])
    >>> ao.from_arrow(polars.Series([1, None, 3]), nulls="skip")
    array('q', [1, 3])
    """
    if nulls is not None and nulls != "skip" and not isinstance(nulls, (int, float)):
        raise TypeError(f"nulls must be 'skip', a number to take their place, or None, not {nulls!r}")
    return _joined(_chunks(data, nulls))


def to_arrow(buffer: Any) -> Exported:
    """A buffer as an Arrow array for any library that takes one: ``pyarrow.array``, ``polars.Series``, ...

    The consumer reads the memory of the buffer itself, and holds it: an array.array cannot be resized meanwhile, and
    must not be written, as Arrow data never changes. Elements that are not side by side in this machine's byte order
    are copied. Raises TypeError for a format that is not one of numbers, BufferError for more than one dimension.

    >>> import arrayops as ao, polars
    >>> from array import array
    >>> polars.Series(ao.to_arrow(array("h", [1, 2]))).to_list()
    [1, 2]
    """
    return Exported(buffer)


class Exported:
    """A buffer that can be read as an Arrow array: made by :func:`to_arrow`."""

    __slots__ = ("_buffer",)

    def __init__(self, buffer: Any) -> None:
        self._buffer = buffer if _machine.buffer_info(buffer)[3] else _machine.copy_array(buffer)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Capsules of the schema and the array. Another type than the buffer's own cannot be had."""
        return _machine.give_arrow(self._buffer)


def _is_arrow(value: Any) -> bool:
    kind = type(value)
    return hasattr(kind, "__arrow_c_array__") or hasattr(kind, "__arrow_c_stream__")


def _chunks(data: Any, nulls: str | int | float | None = None) -> list[Any]:
    """The chunks of Arrow data as buffers, at least one."""
    if hasattr(type(data), "__arrow_c_array__"):
        found = _machine.take_arrow(*data.__arrow_c_array__())
    elif hasattr(type(data), "__arrow_c_stream__"):
        found = _machine.take_arrow(data.__arrow_c_stream__())
    else:
        raise TypeError(f"Arrow data is needed (__arrow_c_array__ or __arrow_c_stream__), not {type(data).__name__}")
    number = sum(chunk[1] for chunk in found)
    if number and nulls is None:
        raise ValueError(
            f"the Arrow data has {number} null{'s' if number > 1 else ''}: leave them out with "
            "ao.from_arrow(data, nulls='skip') or put a number in their place with nulls=<number>"
        )
    return [_without_nulls(*chunk, nulls) for chunk in found]


def _without_nulls(values: Any, number: int, bits: Any, first: int, nulls: str | int | float | None) -> Any:
    if not number:
        return values
    from .kernel import text_kernel

    valid = _machine.unpack_bits(bits, first, len(values))
    if nulls == "skip":
        return text_kernel("valid", first=("x", "valid")).filter(values, valid)
    return text_kernel("x if valid else fill").map(values, valid, nulls)


def _joined(chunks: list[Any]) -> Any:
    """The chunks as one buffer: a copy if there are several."""
    if len(chunks) == 1:
        return chunks[0]
    whole = _machine.new_array(_machine.buffer_info(chunks[0])[0], sum(map(len, chunks)))
    target, start = memoryview(whole), 0
    for chunk in chunks:
        for at in range(0, len(chunk), _PASTED):
            part = chunk[at : at + _PASTED]
            target[start : start + len(part)] = part
            start += len(part)
    return whole


def taken(value: Any) -> Any:
    """Arrow data as one buffer, anything else as it is."""
    return _joined(_chunks(value)) if type(value) not in _PLAIN and _is_arrow(value) else value


# -- what comes in decides what goes out -------------------------------------------------------------------------------


def _as_numpy(numpy: Any, results: list[array[Any]], like: Any) -> Any:
    return numpy.asarray(results[0])


def _as_arrow_array(pyarrow: Any, results: list[array[Any]], like: Any) -> Any:
    return pyarrow.array(to_arrow(results[0]))


def _as_chunked_array(pyarrow: Any, results: list[array[Any]], like: Any) -> Any:
    chunks = [pyarrow.array(to_arrow(result)) for result in results]
    return pyarrow.chunked_array([c for c in chunks if len(c) or like.num_chunks], type=chunks[0].type)


def _as_series(polars: Any, results: list[array[Any]], like: Any) -> Any:
    series = polars.Series(to_arrow(results[0])).alias(like.name)
    for result in results[1:]:
        series.append(polars.Series(to_arrow(result)))
    return series


#: Module and class of a first array; how new arrays, one for each of its chunks or one for all, become what it is.
_KINDS: tuple[tuple[str, str, Callable[[Any, list[array[Any]], Any], Any]], ...] = (
    ("numpy", "ndarray", _as_numpy),
    ("pyarrow", "Array", _as_arrow_array),
    ("pyarrow", "ChunkedArray", _as_chunked_array),
    ("polars", "Series", _as_series),
)

#: Types of arguments for which there is nothing to do.
_PLAIN = frozenset(
    (array, bytes, bytearray, memoryview, _machine.View, int, float, bool, str, type(None), type(MISSING))
)


def _giver(like: Any) -> Callable[[list[array[Any]]], Any] | None:
    """What makes of results the kind of array that ``like`` is; None where that is array.array."""
    if type(like) in _PLAIN:
        return None
    for module_name, class_name, give in _KINDS:
        module = sys.modules.get(module_name)
        kind = getattr(module, class_name, None)
        if isinstance(kind, type) and isinstance(like, kind):
            return lambda results: give(module, results, like)
    return None


def given_as(like: Any, result: array[Any]) -> Any:
    """A new array as the kind of array that ``like`` is."""
    give = _giver(like)
    return result if give is None else give([result])


def pieces(data: Any) -> Iterable[Any]:
    """The buffers of a source: itself, the chunks of Arrow data, or what a stream yields."""
    if type(data) not in _PLAIN and _is_arrow(data):
        return _chunks(data)
    try:
        memoryview(data).release()
        return [data]
    except TypeError:
        return map(taken, data)


def taking(function: _F) -> _F:
    """A function of buffers that takes Arrow data, too."""
    import functools

    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        return function(*map(taken, args), **options)

    return wrapped  # type: ignore[return-value]


def takes(method: _F) -> _F:
    """A method of kernels that takes arrays of any kind in, and gives back what it is."""
    return _exchanging(method, gives=False)


def exchanges(chunkwise: bool) -> Callable[[_F], _F]:
    """A method of kernels whose new array is given back as the kind of the first one; chunk by chunk if it may be."""
    return lambda method: _exchanging(method, True, chunkwise)


def _exchanging(method: _F, gives: bool, chunkwise: bool = False) -> _F:
    plain = _PLAIN

    def exchanged(kernel: Any, /, *args: Any, **options: Any) -> Any:
        for value in (*args, *options.values()):
            if type(value) not in plain:
                return _exchange(method, kernel, args, options, gives, chunkwise)
        return method(kernel, *args, **options)

    for name in ("__name__", "__qualname__", "__doc__", "__module__", "__annotations__"):
        setattr(exchanged, name, getattr(method, name))
    exchanged.__wrapped__ = method  # type: ignore[attr-defined]
    return exchanged  # type: ignore[return-value]


def _exchange(method: Callable[..., Any], kernel: Any, args: tuple[Any, ...], options: dict[str, Any], gives: bool,
              chunkwise: bool) -> Any:  # fmt: skip
    values: _Values = dict(enumerate(args))
    values.update(options)

    def run(values: _Values) -> Any:
        return method(kernel, *(values[i] for i in range(len(args))), **{name: values[name] for name in options})

    lead = 0 if args else _first_array(kernel.params, options)
    give = _giver(values.get(lead)) if gives else None
    arrow = {key: _chunks(value) for key, value in values.items() if type(value) not in _PLAIN and _is_arrow(value)}
    out = options.get("out")
    if chunkwise and give is not None and out is None and len(arrow.get(lead, ())) > 1:
        return give([run(part) for part in _parts(values, arrow, lead)])
    result = run({**values, **{key: _joined(chunks) for key, chunks in arrow.items()}})
    return give([result]) if give is not None and out is None and type(result) is array else result


def _is_number(value: Any) -> bool:
    """A number, NumPy's too, or an option such as a typecode."""
    import numbers

    return value is None or isinstance(value, (str, numbers.Number))


def _first_array(params: tuple[str, ...], options: dict[str, Any]) -> str:
    """The parameter of the first array, where all are given by name."""
    return next((name for name in params if name in options and not _is_number(options[name])), "")


def _parts(values: _Values, arrow: dict[int | str, list[Any]], lead: int | str) -> Iterable[_Values]:
    """The arguments for each chunk of the leading one; the other arrays are cut alike, those in other chunks copied."""
    counts = [len(chunk) for chunk in arrow[lead]]
    columns = {key: _cut(arrow.get(key, [value]), counts) for key, value in values.items() if not _is_number(value)}
    for i in range(len(counts)):
        yield {**values, **{key: parts[i] for key, parts in columns.items()}}


def _cut(chunks: list[Any], counts: list[int]) -> list[Any]:
    """The same elements in chunks of these lengths."""
    lengths = [_machine.buffer_info(chunk)[2] for chunk in chunks]
    if lengths == counts:
        return chunks
    if sum(lengths) != sum(counts):
        raise ValueError(
            f"all arrays must have the same length: one has {sum(counts)} elements, another {sum(lengths)}"
        )
    view, start, parts = memoryview(_joined(chunks)), 0, []
    for count in counts:
        parts.append(view[start : start + count])
        start += count
    return parts
