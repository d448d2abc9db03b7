"""What comes in decides what goes out: buffers, Arrow data of any producer, NumPy, PyArrow and Polars.

``exchanges`` does that for the methods of kernels: arrays that are no buffers are taken in through the Arrow PyCapsule
interface, without a copy, and a new array.array is given back as what the first array was, by the row for it in
``_KINDS``. None of these libraries is imported here: whoever has such an array has imported it.
"""

from __future__ import annotations

import sys
from array import array

from .. import _machine
from .common import MISSING, different_lengths, is_buffer, named_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])
    #: Arguments of a call, by position or by name.
    _Values: TypeAlias = dict[int | str, Any]

# -- Arrow -------------------------------------------------------------------------------------------------------------


#: Names of types of times, and short ones.
_TIMES = {"datetime64": "datetime64", "timedelta64": "timedelta64", "M8": "datetime64", "m8": "timedelta64"}
#: Arrow has no integers of 24 bits.
_COPIES = {"i3": _machine.plain_array, "u3": _machine.plain_array}


def is_time(data: Any) -> bool:
    """Whether this is an array of times such as NumPy's datetime64, which gives no buffer."""
    return getattr(getattr(data, "dtype", None), "kind", "") in ("M", "m")


def unit_of(data: Any) -> str:
    """Of an array of times: 'datetime64[ns]', ..."""
    return str(data.dtype.str[1:]).replace("M8", "datetime64", 1).replace("m8", "timedelta64", 1)


def times(data: Any, unit: str) -> tuple[Any, str]:
    """The ints of an array of times, and their format. TypeError if they are not in this unit, or it is none."""
    name, _, step = unit.lstrip("<>=|").partition("[")
    wanted = f"{_TIMES.get(name, name)}[{step}"
    if type(data) not in _PLAIN and is_arrow(data):
        ints = one_buffer(without_nulls(arrow_chunks(data, wanted)))
        return ints, str(_machine.buffer_info(ints)[0])
    if _TIMES.get(name, name) not in _TIMES.values():
        raise TypeError(f"format {unit!r} is not supported: of times it is 'datetime64[ns]', 'timedelta64[us]', ...")
    if is_time(data):
        if unit_of(data) != wanted:
            raise TypeError(f"this array is one of {unit_of(data)}, not {wanted}")
        order = data.dtype.str[0]
        return data.view(f"{order}i8"), f"{order}q"
    return data, unit[: len(unit) - len(unit.lstrip("<>=|"))] + "q"


class Exported:
    """A buffer that can be read as an Arrow array: made by :func:`to_arrow`."""

    __slots__ = ("_buffer",)

    def __init__(self, buffer: Any) -> None:
        code, _, _, plain = _machine.buffer_info(buffer)
        self._buffer = buffer if plain else _COPIES.get(code, _machine.copy_array)(buffer)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Capsules of the schema and the array. Another type than the buffer's own cannot be had."""
        return _machine.give_arrow(self._buffer)


def is_arrow(value: Any) -> bool:
    """Whether a value gives its data through the Arrow PyCapsule interface."""
    kind = type(value)
    return hasattr(kind, "__arrow_c_array__") or hasattr(kind, "__arrow_c_stream__")


def arrow_chunks(data: Any, unit: str | None = None) -> list[tuple[_machine.View, int, _machine.View | None, int]]:
    """The chunks of Arrow data as they are, at least one: values, number of nulls, bits of the others, first bit.

    unit: of times, which are then ints, such as 'datetime64[ns]'; None for numbers.
    """
    if hasattr(type(data), "__arrow_c_array__"):
        return _machine.take_arrow(unit, *data.__arrow_c_array__())
    if hasattr(type(data), "__arrow_c_stream__"):
        return _machine.take_arrow(unit, data.__arrow_c_stream__())
    raise TypeError(f"Arrow data is needed (__arrow_c_array__ or __arrow_c_stream__), not {type(data).__name__}")


def without_nulls(chunks: list[tuple[_machine.View, int, _machine.View | None, int]]) -> list[Any]:
    """The values of chunks; ValueError if there is a null."""
    number = sum(chunk[1] for chunk in chunks)
    if number:
        raise ValueError(
            f"the Arrow data has {number} null{'s' if number > 1 else ''}: leave them out with "
            "ao.from_arrow(data, nulls='skip') or put a number in their place with nulls=<number>"
        )
    return [chunk[0] for chunk in chunks]


def _buffers(data: Any) -> list[Any]:
    return without_nulls(arrow_chunks(data))


def one_buffer(chunks: list[Any]) -> Any:
    """The chunks as one buffer: a copy if there are several."""
    if len(chunks) == 1:
        return chunks[0]
    whole = _machine.new_array(_machine.buffer_info(chunks[0])[0], sum(map(len, chunks)))
    target, start = memoryview(whole), 0  # of one letter, as all that Arrow has
    for chunk in chunks:
        for at in range(0, len(chunk), _PASTED):
            part = chunk[at : at + _PASTED]
            target[start : start + len(part)] = part
            start += len(part)
    return whole


def taken(value: Any) -> Any:
    """Arrow data as one buffer, anything else as it is."""
    return one_buffer(_buffers(value)) if type(value) not in _PLAIN and is_arrow(value) else value


# -- what comes in decides what goes out -------------------------------------------------------------------------------


def _as_numpy(numpy: Any, results: list[array[Any]], like: Any) -> Any:
    return numpy.asarray(results[0])


def _as_arrow_array(pyarrow: Any, results: list[array[Any]], like: Any) -> Any:
    return pyarrow.array(Exported(results[0]))


def _as_chunked_array(pyarrow: Any, results: list[array[Any]], like: Any) -> Any:
    chunks = [pyarrow.array(Exported(result)) for result in results]
    return pyarrow.chunked_array([c for c in chunks if len(c) or like.num_chunks], type=chunks[0].type)


def _as_series(polars: Any, results: list[array[Any]], like: Any) -> Any:
    series = polars.Series(Exported(results[0])).alias(like.name)
    for result in results[1:]:
        series.append(polars.Series(Exported(result)))
    return series


_PASTED = 1 << 20  # elements copied between two looks at signals

#: Module and class of a first array; how new arrays, one for each of its chunks or one for all, become what it is.
_KINDS: tuple[tuple[str, str, Callable[[Any, list[array[Any]], Any], Any]], ...] = (
    ("numpy", "ndarray", _as_numpy),
    ("pyarrow", "Array", _as_arrow_array),
    ("pyarrow", "ChunkedArray", _as_chunked_array),
    ("polars", "Series", _as_series),
)

#: The typecode that evaluate() has where truth values are to be given out as such.
OWN_TRUTHS = "own truths"

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


def is_new(result: Any) -> bool:
    """Whether a result is one that was made for it."""
    return type(result) in (array, _machine.View)


def pieces(data: Any) -> Iterable[Any]:
    """The buffers of a source: itself, the chunks of Arrow data, or what a stream yields."""
    if type(data) not in _PLAIN and is_arrow(data):
        return _buffers(data)
    return [data] if is_buffer(data) else map(taken, data)


def taking(function: _F) -> _F:
    """A function of buffers that takes Arrow data, too."""

    def wrapped(*args: Any, **options: Any) -> Any:
        return function(*map(taken, args), **options)

    return named_as(wrapped, function)  # type: ignore[no-any-return]


def takes(method: _F) -> _F:
    """A method of kernels that takes arrays of any kind in, and gives back what it is."""
    return _exchanging(method, gives=False)


def exchanges(chunkwise: bool, natural: bool = False) -> Callable[[_F], _F]:
    """A method of kernels whose new array is given back as the kind of the first one; chunk by chunk if it may be.

    natural: where no typecode is asked for, its typecode is OWN_TRUTHS for kinds that have truth values.
    """
    return lambda method: _exchanging(method, True, chunkwise, natural)


def _exchanging(method: _F, gives: bool, chunkwise: bool = False, natural: bool = False) -> _F:
    plain = _PLAIN

    def exchanged(kernel: Any, /, *args: Any, **options: Any) -> Any:
        for value in (*args, *options.values()):
            if type(value) not in plain:
                return _exchange(method, kernel, args, options, gives, chunkwise, natural)
        return method(kernel, *args, **options)

    return named_as(exchanged, method)  # type: ignore[no-any-return]


def _exchange(method: Callable[..., Any], kernel: Any, args: tuple[Any, ...], options: dict[str, Any], gives: bool,
              chunkwise: bool, natural: bool) -> Any:  # fmt: skip
    values: _Values = dict(enumerate(args))
    values.update(options)

    def run(values: _Values) -> Any:
        return method(kernel, *(values[i] for i in range(len(args))), **{name: values[name] for name in options})

    lead = 0 if args else _first_array(kernel.params, options)
    give = _giver(values.get(lead)) if gives else None
    if natural and give is not None and values["typecode"] is None:
        values["typecode"] = OWN_TRUTHS
    arrow = {key: _buffers(value) for key, value in values.items() if type(value) not in _PLAIN and is_arrow(value)}
    out = options.get("out")
    if chunkwise and give is not None and out is None and len(arrow.get(lead, ())) > 1:
        return give([run(part) for part in _parts(values, arrow, lead)])
    result = run({**values, **{key: one_buffer(chunks) for key, chunks in arrow.items()}})
    return give([result]) if give is not None and out is None and is_new(result) else result


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
        raise different_lengths(sum(counts), sum(lengths))
    view, start, parts = memoryview(one_buffer(chunks)), 0, []
    for count in counts:
        parts.append(view[start : start + count])
        start += count
    return parts
