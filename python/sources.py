"""Files as the source of a pipeline: one after the other, in memory that does not grow with them.

What always holds: a file is opened when its turn comes and closed behind it; of raw numbers as many are read as the
file had when the work was planned, and a file that has fewer by then is an error; every error names the file and the
place in it. A part is a description (a path and which elements), to be sent to processes that see the file.
"""

from __future__ import annotations

import builtins
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from . import _machine
from .delimited import scan_csv, tokens_of

PIECE_BYTES = 1 << 20  # that are read at once
PART_BYTES = 1 << 26  # of a file, that one task reads


class Files:
    """Numbers of several files as one source for :func:`lazy`: made by :func:`arrayops.files`.

    Iteration gives the numbers piece by piece, as buffers. ``len()`` is the number of parts that the files are cut into
    for an executor.

    >>> import arrayops as ao, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in "ab":
    ...         _ = pathlib.Path(folder, name).write_bytes(name.encode() * 3)
    ...     found = ao.files(f"{folder}/*", typecode="B")
    ...     found, [piece.tolist() for piece in found]
    (<arrayops.Files: 2 files of 'B'>, [[97, 97, 97], [98, 98, 98]])
    """

    __slots__ = ("form", "part_bytes", "paths")

    def __init__(self, paths: tuple[str, ...], form: Raw | Table, part_bytes: int) -> None:
        #: The files, as absolute paths.
        self.paths = paths
        self.form, self.part_bytes = form, part_bytes

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of tables that are read; none of raw numbers."""
        return self.form.columns

    def parts(self, whole: bool = False) -> list[Part]:
        """What there is to be read, cut into parts, or with whole=True a part for each file.

        Raises OSError and ValueError for files that cannot be read, or end inside an element.
        """
        most = 0 if whole else self.part_bytes
        return [part for path in self.paths for part in self.form.parts(path, most)]

    def reading(self) -> Reading:
        """One pass over everything."""
        return Reading(self.parts(whole=True))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.reading())

    def __len__(self) -> int:
        return len(self.parts())

    def __repr__(self) -> str:
        return f"<arrayops.Files: {self}>"

    def __str__(self) -> str:
        return f"{len(self.paths)} file{'s' * (len(self.paths) != 1)} of {self.form}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Files, (self.paths, self.form, self.part_bytes))


class Part:
    """Some elements of a file, or all rows of a table."""

    def __init__(self, path: str, form: Raw | Table, first: int = 0, count: int = 0) -> None:
        self.path, self.form, self.first, self.count = path, form, first, count

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read, of a table."""
        return self.form.columns

    def reading(self) -> Reading:
        """One pass over it."""
        return Reading([self])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.reading())

    def __str__(self) -> str:
        return self.form.place(self.path, self.first, self.count)


class Reading:
    """One pass over parts, piece by piece; it knows which piece is worked on."""

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts
        self._at: tuple[Part, int, int] | None = None

    def __iter__(self) -> Iterator[Any]:
        for part in self._parts:
            at = part.first
            for piece in part.form.pieces(part):
                count = len(piece[0] if isinstance(piece, tuple) else piece)
                self._at = part, at, count
                yield piece
                self._at = None
                at += count

    @property
    def place(self) -> str | None:
        """What is worked on, for a message; None between two pieces, when errors name the file themselves."""
        if self._at is None:
            return None
        part, first, count = self._at
        return part.form.place(part.path, first, count)


# -- raw numbers -------------------------------------------------------------------------------------------------------


class Raw(NamedTuple):
    """Files of numbers of one format, evenly spaced."""

    format: str
    offset: int
    stride: int
    size: int  # of an element
    wanted: int | None  # so many elements of each file, None for all

    @property
    def columns(self) -> tuple[str, ...]:
        """Of a table only."""
        return ()

    def __str__(self) -> str:
        return repr(self.format)

    def parts(self, path: str, most: int) -> Iterator[Part]:
        """A file, cut into parts of so many bytes; 0: whole."""
        count = self._number(path, _size_of(path))
        step = max(1, most // self.stride if most else count)
        for first in range(0, max(1, count), step):
            yield Part(path, self, first, min(step, count - first))

    def _number(self, path: str, size: int) -> int:
        """How many elements a file of this size has."""
        room = size - self.offset
        there = 0 if room < self.size else (room - self.size) // self.stride + 1
        if self.wanted is not None:
            if self.wanted > there:
                raise ValueError(f"{path!r} has {there} elements of format {self.format!r} from byte {self.offset} on, "
                                 f"not {self.wanted}")  # fmt: skip
            return self.wanted
        odd = max(0, room) % self.size if self.stride == self.size else 0
        if odd:
            raise ValueError(f"{path!r} ends inside an element, at byte {size}: {odd} of {self.size} bytes; is the "
                             f"format {self.format!r} right?")  # fmt: skip
        if size < self.offset:
            raise ValueError(f"{path!r} has {size} bytes, and the numbers begin at byte {self.offset}")
        return there

    def pieces(self, part: Part) -> Iterator[Any]:
        """The elements of a part as Views, which hold until the next one is asked for, unless they are kept."""
        step = max(1, PIECE_BYTES // self.stride)
        end = part.first + part.count
        memory = _Memory((min(step, part.count) - 1) * self.stride + self.size if part.count else 0)
        with _opened(part.path) as file:
            for first in range(part.first, end, step):
                count = min(step, end - first)
                at, length = self.offset + first * self.stride, (count - 1) * self.stride + self.size
                _read_ahead(file, at + length, length)
                buffer = memory.free()
                file.seek(at)
                done = _read_into(file, memoryview(buffer)[:length])
                if done < length:
                    raise ValueError(f"{part.path!r} ends at byte {at + done}, and had {self._planned(part)} bytes and "
                                     "more when the work was planned: it has become shorter")  # fmt: skip
                yield _machine.view(buffer, self.format, 0, self.stride, count)

    def _planned(self, part: Part) -> int:
        return self.offset + (part.first + part.count - 1) * self.stride + self.size

    def place(self, path: str, first: int, count: int) -> str:
        """Elements of a file, for a message."""
        if not count:
            return f"{path!r}, of which nothing is read"
        begin = self.offset + first * self.stride
        return f"{path!r}, elements {first} to {first + count - 1}, from byte {begin} on"


class _Memory:
    """Memory for pieces: what nobody has a view of is used again."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._buffers: list[bytearray] = []

    def free(self) -> bytearray:
        for buffer in self._buffers:
            try:
                buffer.append(0)  # BufferError while there is a view
                return buffer
            except BufferError:
                continue
            finally:
                del buffer[self._size :]
        self._buffers.append(bytearray(self._size))
        return self._buffers[-1]


def _size_of(path: str) -> int:
    """The size of a regular file."""
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(21, os.strerror(21), path)
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path!r} is no regular file, whose numbers could be counted: lazy() takes a generator of "
                         "buffers for pipes and devices")  # fmt: skip
    return found.st_size


def _opened(path: str) -> Any:
    _size_of(path)  # a pipe of its name by now would block
    return builtins.open(path, "rb", buffering=0)


def _read_into(file: Any, target: memoryview) -> int:
    """Fills memory from where a file is; how many bytes there were."""
    done = 0
    with target:
        while done < len(target) and (number := file.readinto(target[done:])):
            done += number
    return done


def _read_ahead(file: Any, at: int, length: int) -> None:
    """Has the system read what comes next while this is computed."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), at, length, os.POSIX_FADV_WILLNEED)


# -- tables ------------------------------------------------------------------------------------------------------------


class Table(NamedTuple):
    """Files of delimited text, of which some columns are read."""

    columns: tuple[str, ...]
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"column{'s' * (len(self.columns) > 1)} {', '.join(map(repr, self.columns))}"

    def parts(self, path: str, most: int) -> Iterator[Part]:
        """A file as one part: where rows begin is known only to who reads from the front."""
        _size_of(path)
        yield Part(path, self)

    def pieces(self, part: Part) -> Iterator[Any]:
        """The column as arrays, or the columns as tuples of arrays."""
        for piece in scan_csv(part.path, self.columns, **self.options):
            found = tuple(piece[name] for name in self.columns)
            yield found if len(found) > 1 else found[0]

    def place(self, path: str, first: int, count: int) -> str:
        """Rows of a table, for a message."""
        return f"{path!r}, rows {first + 1} to {first + count} below the header" if count else repr(path)


# -- the function ------------------------------------------------------------------------------------------------------


def files(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], typecode: Any = None, offset: int = 0,
          stride: int | None = None, count: int | None = None, *, columns: str | Iterable[str] | None = None,
          part_bytes: int = PART_BYTES, **csv: Any) -> Files:  # fmt: skip
    """Numbers of many files as the source of a pipeline: ``ao.lazy(ao.files("*.bin", typecode="<i2", offset=44))``.

    The files are opened one by one, and read a piece at a time. With ``executor=`` at the end of the pipeline the parts
    of the files are read by other threads, processes or machines, which must see them at the same paths.

    Parameters
    ----------
    paths: a path, a pattern as of glob (``**`` for folders within folders), or several. What a pattern finds is sorted
        by name.
    typecode: of raw numbers, as the format of :func:`open`; by default ``"d"``. Of columns, as typecodes of
        :func:`scan_csv`.
    offset, stride, count: in each file, as for :func:`view`: bytes before the first number, bytes from one to the next,
        how many numbers.
    columns: names of those of CSV files that are read; then the files are tables, and other keywords are those of
        :func:`scan_csv`. With one column its numbers are the elements. With several, the text of a stage has their
        names for them, and any other name for the value so far, which is at first the first column.
    part_bytes: so many bytes of a file of raw numbers are a part for an executor; a table is one part.

    Raises FileNotFoundError for a pattern that finds nothing, TypeError and ValueError for other parameters that cannot
    be. Files are looked at when a result is asked for.

    >>> import arrayops as ao, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, rows in {"a": "nut,0.25,100", "b": "bolt,1.5,40"}.items():
    ...         _ = pathlib.Path(folder, f"{name}.csv").write_text(f"item,price,qty\\n{rows}\\n")
    ...     sales = ao.lazy(ao.files(f"{folder}/*.csv", columns=["price", "qty"]))
    ...     sales.map("price * qty").sum()
    85.0
    """
    if part_bytes < 1:
        raise ValueError(f"part_bytes must be at least 1, not {part_bytes}")
    if columns is None:
        if csv:
            raise TypeError(f"{next(iter(csv))!r} is for tables: columns=[...] says which columns are read")
        return Files(_found(paths), _raw("d" if typecode is None else typecode, offset, stride, count), part_bytes)
    if offset or stride is not None or count is not None:
        raise TypeError("offset, stride and count are for raw numbers, not for tables")
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    if not names:
        raise ValueError("columns must name a column at least")
    options = {**csv, "typecodes": typecode, "na": tokens_of(csv.get("na", ()))}
    scan_csv(b"", names, **options)  # says now what cannot be
    return Files(_found(paths), Table(names, options), part_bytes)


def _raw(format: str, offset: int, stride: int | None, count: int | None) -> Raw:
    if not isinstance(format, str):
        raise TypeError(f"typecode must be a str, not {type(format).__name__}")
    size = _machine.view(b"", format, 0, None, 0).itemsize
    if offset < 0 or (count is not None and count < 0):
        raise ValueError(f"offset and count must not be negative: {offset}, {count}")
    if stride is not None and stride < 1:
        raise ValueError(f"stride must be at least 1 byte, not {stride}")
    return Raw(format, offset, size if stride is None else stride, size, count)


def _found(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    """Absolute paths, with those that patterns find."""
    import glob

    listed = [paths] if isinstance(paths, (str, bytes, os.PathLike)) else list(paths)
    found: list[str] = []
    for given in listed:
        path = os.fspath(given)
        if not isinstance(path, str):
            raise TypeError(f"a path must be a str or a PathLike of one, not {type(path).__name__}")
        if not glob.has_magic(path) or os.path.exists(path):
            found.append(path)
            continue
        matches = sorted(filter(os.path.isfile, glob.glob(path, recursive=True)))
        if not matches:
            raise FileNotFoundError(2, "no file matches the pattern", path)
        found += matches
    return tuple(os.path.abspath(path) for path in found)
