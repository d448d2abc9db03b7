"""Data that is there already: fields of records, files, and the arrays of other libraries, without a copy."""

from __future__ import annotations

import builtins
import os
from _collections_abc import Sequence  # collections.abc, without importing collections

from . import _machine
from .engine.common import Later
from .engine.exchange import Exported, arrow_columns, is_arrow, is_time, names_time, taken, times, unit_of
from .engine.missing import check_nulls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .engine import notebook
else:
    notebook = Later("engine.notebook")

_ACCESS = {"r": "ACCESS_READ", "r+": "ACCESS_WRITE", "c": "ACCESS_COPY"}
_PART = 1 << 22  # bytes read at once


def _view_html(view: _machine.View) -> str:
    return notebook.view_html(view)


_machine.view_html = _view_html  # Views are of C, their tables of Python
Sequence.register(_machine.View)


def view(buffer: Any, format: str, offset: int = 0, stride: int | None = None, count: int | None = None, *,
         nulls: str | int | None = None) -> _machine.View:  # fmt: skip
    """Evenly spaced numbers in a contiguous buffer, such as one field of packed records, without a copy.

    The view can be used wherever an array can, also to write to if the buffer is writable; elements are decoded block
    by block as they are needed.

    Parameters
    ----------
    buffer: bytes, bytearray, mmap, array.array, memoryview, ...; held until the view's release(), or its end.
    format: of an element, as in struct: a typecode, with ``<`` or ``>`` before it for a byte order and standard sizes;
        or NumPy's name of it (``'int16'``, ``'<f8'``). ``'i3'`` and ``'u3'`` are integers of 24 bits, ``'e'`` half
        floats, ``'?'`` truth values. With a unit of time, such as ``'datetime64[ns]'``, arrays of NumPy's datetime64
        and timedelta64 and Arrow's times (``'time[us]'`` those of a day) are viewed as the ints that they are.
    offset: bytes before the first element.
    stride: bytes from one element to the next; by default they are side by side.
    count: number of elements; by default as many as there is room for.
    nulls: of times: ``"skip"`` leaves nulls out, an int takes their place. By default they are a ValueError, but for
        NumPy's NaT, which is the int -2**63 then.

    Raises TypeError for another format or unit, ValueError for a view that does not lie inside the buffer or a stride
    below 1, BufferError for a buffer that is not contiguous.

    >>> import arrayops as ao, struct
    >>> records = b"".join(struct.pack(">IHf", i, 10 * i, i / 2) for i in range(4))
    >>> field = ao.view(records, ">H", offset=4, stride=10)
    >>> field.tolist()
    [0, 10, 20, 30]
    >>> ao.map(field, "x * 0.5", typecode="d")
    array('d', [0.0, 5.0, 10.0, 15.0])
    >>> ao.view(bytes([255, 255, 127, 0, 0, 128]), "<i3").tolist()
    [8388607, -8388608]
    """
    check_nulls(nulls, "skip")
    if not isinstance(format, str):
        raise TypeError(f"format must be a str, such as '<h' or 'float64', not {type(format).__name__}")
    if names_time(format):
        buffer, format = times(buffer, format, nulls)
    elif is_time(buffer):
        raise TypeError(f"this array is one of {unit_of(buffer)}: ao.view(array, '{unit_of(buffer)}') gives its ints")
    return _machine.view(buffer, format, offset, stride, count)


def open(path: str | os.PathLike[str] | int, format: str = "B", offset: int = 0, stride: int | None = None,
         count: int | None = None, *, mode: str = "r", mmap: bool = True) -> _machine.View:  # fmt: skip
    """The numbers of a file, mapped into memory: read from it page by page as they are needed.

    path: of the file, or an open descriptor. mode: ``"r"`` for reading; ``"r+"`` to write through to the file; ``"c"``
    to write to this process's copy only. mmap=False reads the whole file into memory now, for files that others write
    to: a mapped one that somebody makes shorter ends the process with SIGBUS where a page is read that is gone. The
    other parameters and exceptions are those of :func:`view`; raises OSError if the file cannot be opened, mapped or
    read, ValueError if it ends inside an element.

    >>> import arrayops as ao, tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes(range(8)))
    ...     file.flush()
    ...     with ao.open(file.name, ">H") as numbers:
    ...         numbers.tolist()
    [1, 515, 1029, 1543]
    """
    if mode not in _ACCESS:
        raise ValueError(f"mode must be one of {', '.join(map(repr, _ACCESS))}, not {mode!r}")
    if mode == "r+" and not mmap:
        raise ValueError("mode 'r+' writes through to the file, so it goes with mmap=True only")
    with builtins.open(path, "r+b" if mode == "r+" else "rb", buffering=0, closefd=not isinstance(path, int)) as file:
        data = _mapped(file.fileno(), mode) if mmap else _read(file.fileno(), mode)
    found = view(data, format, offset, stride, count)
    odd = max(len(data) - offset, 0) % found.itemsize
    if count is None and stride is None and odd:
        raise ValueError(f"the file {path!r} ends inside an element: {odd} of {found.itemsize} bytes; is the format "
                         f"{format!r} right?")  # fmt: skip
    return found


def _mapped(file: int, mode: str) -> Any:
    """A file as memory; nothing can be mapped of an empty one."""
    import mmap

    return mmap.mmap(file, 0, access=getattr(mmap, _ACCESS[mode])) if os.fstat(file).st_size else b""


def _read(file: int, mode: str) -> bytearray | memoryview:
    """A copy of a file, from its beginning wherever a descriptor is."""
    data = bytearray()
    while part := os.pread(file, _PART, len(data)):
        data += part
    return data if mode == "c" else memoryview(data).toreadonly()


def from_arrow(data: Any, nulls: str | int | float | None = None) -> Any:
    """The numbers of an Arrow array, a Polars Series or any other Arrow producer, as a buffer to use anywhere.

    It is a View of the producer's own memory where that is one piece without nulls; otherwise an array.array, a copy.

    Parameters
    ----------
    data: an object with ``__arrow_c_array__`` or ``__arrow_c_stream__``, of bools, integers of 8 to 64 bits, float16,
        float32 or float64.
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
    return taken(data if is_arrow(data) else arrow_columns(data), nulls)


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
