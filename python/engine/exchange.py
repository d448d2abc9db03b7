"""What comes in decides what goes out: buffers, Arrow data of any producer, NumPy, PyArrow, Polars and pandas.

``exchanges`` does that for the methods of kernels: arrays that are no buffers are taken in as columns, without a copy,
and a new array.array is given back as what the first array was, by the row for it in ``_KINDS``. What becomes of
missing values is decided here, once for all kinds, by the policy of missing.py. None of these libraries is imported
here: whoever has such an array has imported it.
"""

from __future__ import annotations

import sys
from array import array

from .. import _machine
from . import labelled
from .common import MISSING, is_buffer, make_room, named_as, plain
from .missing import (
    Column,
    check_nan,
    check_nulls,
    combined,
    cut,
    filled,
    joined,
    number_of_nulls,
    one_buffer,
    prepared,
    refusal,
    rows,
    without_nans,
)
from .names import looked_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeAlias, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])
    #: Arguments of a call, by position or by name.
    _Values: TypeAlias = dict[int | str, Any]

# -- Arrow -------------------------------------------------------------------------------------------------------------


#: Names of types of times, and short ones.
_TIMES = {"datetime64": "datetime64", "timedelta64": "timedelta64", "M8": "datetime64", "m8": "timedelta64"}


def is_time(data: Any) -> bool:
    """Whether this is an array of times such as NumPy's datetime64, which gives no buffer."""
    return getattr(getattr(data, "dtype", None), "kind", "") in ("M", "m")


def names_time(format: str) -> bool:
    """Whether a format is of times: with a unit, or without one, as NumPy has it if none is said."""
    return "[" in format or format.lstrip("<>=|") in _TIMES


def unit_of(data: Any) -> str:
    """Of an array of times: 'datetime64[ns]', ..."""
    dtype = getattr(data.dtype, "numpy_dtype", data.dtype)  # of pandas' Arrow types
    return str(dtype.str[1:]).replace("M8", "datetime64", 1).replace("m8", "timedelta64", 1)


def times(data: Any, unit: str, nulls: Any) -> tuple[Any, str]:
    """The ints of an array of times, and their format. TypeError if they are not in this unit, or it is none.

    nulls: as for taken; NumPy's NaT is a null if it is given, and else the int that it is.
    """
    name, bracket, step = unit.lstrip("<>=|").partition("[")
    wanted = f"{_TIMES.get(name, name)}{bracket}{step}"
    if _kind_of(data) in _LABELLED and labelled.has_no_nulls(data):
        data = data.to_numpy()
    if type(data) not in _PLAIN and is_arrow(data):
        ints = one_buffer(prepared(arrow_columns(data, wanted), nulls))
        return ints, str(_machine.buffer_info(ints)[0])
    if _TIMES.get(name, name) not in _TIMES.values():
        raise TypeError(f"format {unit!r} is not supported: of times it is 'datetime64[ns]', 'timedelta64[us]', ...")
    if is_time(data):
        if unit_of(data) != wanted:
            raise TypeError(f"this array is one of {unit_of(data)}, not {wanted}")
        order = data.dtype.str[0]
        ints = data.view(f"{order}i8")
        if nulls is not None:
            numpy = sys.modules["numpy"]
            missing = numpy.ma.getmaskarray(ints) | numpy.isnat(data.view(numpy.ndarray))
            ints = numpy.ma.array(ints, mask=missing)
        if _kind_of(ints) is _MASKED:
            ints = one_buffer(prepared(_masked_columns(ints), nulls))
        return ints, "q" if type(ints) is array else f"{order}q"  # NumPy's own are 'l' in an array
    if getattr(getattr(data, "dtype", None), "kind", "") == "O":
        raise TypeError(f"this array is one of Python objects: numpy.array(data, {wanted!r}) makes times of them")
    return data, unit[: len(unit) - len(unit.lstrip("<>=|"))] + "q"


class Exported:
    """A buffer that can be read as an Arrow array, null where a bit is 0: made by :func:`to_arrow`."""

    __slots__ = ("_bits", "_buffer")

    def __init__(self, buffer: Any, bits: Any = None) -> None:
        code, _, _, as_it_is = _machine.buffer_info(buffer)
        copy = _machine.plain_array if code in labelled.OURS_ALONE else _machine.copy_array
        self._buffer = buffer if as_it_is else copy(buffer)
        self._bits = bits

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Capsules of the schema and the array. Another type than the buffer's own cannot be had."""
        return _machine.give_arrow(self._buffer, self._bits)


def is_arrow(value: Any) -> bool:
    """Whether a value gives its data through the Arrow PyCapsule interface."""
    kind = type(value)
    return hasattr(kind, "__arrow_c_array__") or hasattr(kind, "__arrow_c_stream__")


def arrow_columns(data: Any, unit: str | None = None) -> list[Column]:
    """The chunks of Arrow data, at least one. unit: of times, which are then ints; None for numbers."""
    if hasattr(type(data), "__arrow_c_array__"):
        chunks = _machine.take_arrow(unit, *data.__arrow_c_array__())
    elif hasattr(type(data), "__arrow_c_stream__"):
        chunks = _machine.take_arrow(unit, data.__arrow_c_stream__())
    else:
        raise TypeError(f"Arrow data is needed (__arrow_c_array__ or __arrow_c_stream__), not {type(data).__name__}")
    return [Column(*chunk) for chunk in chunks]


# -- kinds of arrays: columns out of them, and new arrays as what they are ---------------------------------------------


def _one_column(value: Any) -> list[Column]:
    return [Column(value)]


def _masked_columns(value: Any) -> list[Column]:
    if not value.ndim:
        plain(value)  # which refuses what is masked
    mask = value.mask
    return [labelled.masked_column(value.data, mask) if getattr(mask, "ndim", 0) else Column(value.data)]


def _pandas_columns(value: Any) -> list[Column]:
    return labelled.columns_of(value, arrow_columns)


def _no_columns(value: Any) -> list[Column]:
    raise TypeError(f"a {type(value).__name__} is a table: give one of its columns")


def _no_values(value: Any) -> list[Column]:
    raise TypeError(f"{type(value).__name__} has no values yet: collect() the frame, and give one of its columns")


def _no_series(value: Any) -> list[Column]:
    raise TypeError(f"{type(value).__name__} is what a pandas Series holds: give the Series, or pandas.Series(values)")


def _as_numpy(numpy: Any, results: list[array[Any]], bits: list[Any], like: Any, index: Any) -> Any:
    return labelled.as_numpy(numpy, results[0]) if bits[0] is None else _as_masked(numpy, results, bits, like, index)


def _as_masked(numpy: Any, results: list[array[Any]], bits: list[Any], like: Any, index: Any) -> Any:
    numpy = sys.modules["numpy"]
    values = labelled.as_numpy(numpy, results[0])
    mask = numpy.ma.nomask if bits[0] is None else labelled.mask_of(numpy, bits[0], len(values))
    fill = getattr(like, "fill_value", None) if like.dtype == values.dtype else None
    return numpy.ma.array(values, mask=mask, copy=False, fill_value=fill)


def _as_arrow_array(pyarrow: Any, results: list[array[Any]], bits: list[Any], like: Any, index: Any) -> Any:
    return pyarrow.array(Exported(results[0], bits[0]))


def _chunks(pyarrow: Any, results: list[array[Any]], bits: list[Any]) -> list[Any]:
    return [pyarrow.array(Exported(result, some)) for result, some in zip(results, bits, strict=True)]


def _as_chunked_array(pyarrow: Any, results: list[array[Any]], bits: list[Any], like: Any, index: Any) -> Any:
    chunks = _chunks(pyarrow, results, bits)
    return pyarrow.chunked_array([c for c in chunks if len(c) or like.num_chunks], type=chunks[0].type)


def _as_series(polars: Any, results: list[array[Any]], bits: list[Any], like: Any, index: Any) -> Any:
    series = polars.Series(Exported(results[0], bits[0])).alias(like.name)
    for result, some in zip(results[1:], bits[1:], strict=True):
        series.append(polars.Series(Exported(result, some)))
    return series


def _as_labelled(pandas: Any, results: list[array[Any]], bits: list[Any], like: Any, index: Any) -> Any:
    return labelled.given(pandas, results, bits, like, index, _chunked)


def _chunked(results: list[array[Any]], bits: list[Any]) -> Any:
    pyarrow = sys.modules["pyarrow"]
    chunks = _chunks(pyarrow, results, bits)
    return pyarrow.chunked_array(chunks, type=chunks[0].type)


class _Kind:
    """A class of arrays: where it is defined, how its columns are read, and how it is made of results and bits."""

    __slots__ = ("columns", "give", "module", "name")

    def __init__(self, module: str, name: str, columns: Callable[[Any], list[Column]],
                 give: Callable[[Any, list[array[Any]], list[Any], Any, Any], Any] | None) -> None:  # fmt: skip
        self.module, self.name, self.columns, self.give = module, name, columns, give

    def has(self, value: Any) -> bool:
        """Whether a value is of the class: its library has been imported then."""
        kind = getattr(sys.modules.get(self.module), self.name, None)
        return isinstance(kind, type) and isinstance(value, kind)


_MASKED = _Kind("numpy.ma", "MaskedArray", _masked_columns, _as_masked)
_NDARRAY = _Kind("numpy", "ndarray", _one_column, _as_numpy)
_SERIES = _Kind("pandas", "Series", _pandas_columns, _as_labelled)
_INDEX = _Kind("pandas", "Index", _pandas_columns, _as_labelled)
_LABELLED = (_SERIES, _INDEX)
_KINDS = (
    _MASKED,
    _NDARRAY,
    _Kind("pyarrow", "Array", arrow_columns, _as_arrow_array),
    _Kind("pyarrow", "ChunkedArray", arrow_columns, _as_chunked_array),
    _Kind("polars", "Series", arrow_columns, _as_series),
    _SERIES,
    _INDEX,
    _Kind("pandas.api.extensions", "ExtensionArray", _no_series, None),
    _Kind("pandas", "DataFrame", _no_columns, None),
    _Kind("polars", "DataFrame", _no_columns, None),
    _Kind("polars", "LazyFrame", _no_values, None),
    _Kind("polars", "Expr", _no_values, None),
    _Kind("pyarrow", "Table", _no_columns, None),
    _Kind("pyarrow", "RecordBatch", _no_columns, None),
)
#: None: what is no array of a kind, or a plain buffer.
_WITHOUT_NULLS = (None, _NDARRAY)
#: Arrow data of any other producer, for which results are array.array's.
_ARROW = _Kind("", "", arrow_columns, None)

#: The typecode that evaluate() has where truth values are to be given out as such.
OWN_TRUTHS = "own truths"

#: Types of arguments for which there is nothing to do.
_PLAIN = frozenset(
    (array, bytes, bytearray, memoryview, range, _machine.View, int, float, bool, str, type(None), type(MISSING))
)


_MOST_SEEN = 64
_seen: dict[type, Any] = {}  # kinds of types; the oldest is forgotten first


def _kind_of(value: Any) -> _Kind | None:
    """What is known of an array; None of a buffer, a number or anything else that is taken as it is."""
    if type(value) in _PLAIN:
        return None
    found: _Kind | None = _seen.get(type(value), MISSING)
    if found is MISSING:
        found = next((kind for kind in _KINDS if kind.has(value)), _ARROW if is_arrow(value) else None)
        make_room(_seen, _MOST_SEEN)
        _seen[type(value)] = found
    return found


def _has_room(kind: _Kind | None, value: Any) -> bool:
    """Whether an array of this kind can have nulls."""
    return kind not in _WITHOUT_NULLS and not (kind in _LABELLED and labelled.has_no_nulls(value))


def is_array(value: Any) -> bool:
    """Whether a value is a buffer, or an array of another kind."""
    return is_buffer(value) or _kind_of(value) is not None


def in_one_buffer(value: Any) -> bool:
    """Whether a value is a buffer that has nothing beside it, such as a mask."""
    return is_buffer(value) and _kind_of(value) in _WITHOUT_NULLS


def check_in_memory(value: Any, function: str, remedies: dict[str, str]) -> None:
    """TypeError for an array of another library that is no buffer, with what that library has instead, by its name."""
    kind = _kind_of(value)
    if kind in _WITHOUT_NULLS or kind is _MASKED or kind is None:
        return
    remedy = remedies.get(kind.module) or remedies[""]
    raise TypeError(f"{function}() works on the memory of a buffer, and a {type(value).__name__} is none: {remedy}")


def given_as(like: Any, result: array[Any], labels: bool = True) -> Any:
    """A new array as the kind of array that ``like`` is. labels: a pandas Series has those of ``like``."""
    kind = _kind_of(like)
    if kind is None or kind.give is None:
        return result
    index = like.index if kind is _SERIES and labels else None
    if index is not None and len(index) != len(result):
        index = None
    return kind.give(sys.modules[kind.module], [result], [None], like, index)


def taken(value: Any, nulls: Any = None, nan: Any = None, what: str = "the data", policy: str = "skip") -> Any:
    """An array as one buffer: a plain one as it is, others without nulls. With nan='skip' without nans, too.

    nulls: 'skip' or a number to take their place; else they are a ValueError, which names the policy.
    """
    check_nulls(nulls, "skip")
    check_nan(nan)
    kind = _kind_of(value)
    if kind is not None:
        value = one_buffer(prepared(kind.columns(value), nulls, what, policy))
    elif type(value) in (list, tuple):
        _machine.buffer_info(value)  # which says what is needed instead
    return value if nan is None else without_nans(value)


def taken_together(values: tuple[Any, ...], nulls: Any) -> list[Any]:
    """Arrays of one length as buffers, without the rows in which one is null; otherwise as taken."""
    check_nulls(nulls, "skip")
    columns = [Column(v) if (kind := _kind_of(v)) is None else joined(kind.columns(v)) for v in values]
    if nulls == "skip" and (bits := combined(columns)) is not None:
        columns = [rows(column, bits) for column in columns]
    return prepared(columns, nulls)


def pieces(data: Any, nulls: Any = None) -> Iterable[Any]:
    """The buffers of a source: itself, the chunks of Arrow data, or what a stream yields. nulls as for taken."""
    kind = _kind_of(data)
    if kind is not None:
        return prepared(kind.columns(data), nulls)
    return [data] if is_buffer(data) else _taken_from(data, nulls)


def _taken_from(stream: Iterable[Any], nulls: Any) -> Iterator[Any]:
    for index, arr in enumerate(stream):
        yield taken(arr, nulls, what=f"buffer {index} of the stream")


# -- methods of kernels ------------------------------------------------------------------------------------------------


class _Rule:
    """What the exchange does for one method."""

    __slots__ = (
        "before", "called", "chunkwise", "gives", "method", "natural", "of_all", "policy", "positional", "truth",
    )  # fmt: skip

    def __init__(self, method: Callable[..., Any], gives: bool = False,
                 chunkwise: Callable[[Any], bool] | None = None, policy: str = "skip",
                 truth: Callable[..., Any] | None = None, natural: bool = False,
                 positional: int = 0, before: int = 0,
                 of_all: Callable[[Any], str | None] | None = None, called: bool = False) -> None:  # fmt: skip
        self.method = method
        self.called = called  # without options it is what a call of the kernel is
        self.of_all = of_all  # the text of a kernel whose results depend on all elements, else None
        self.before = before  # so many arguments stand before those that are for parameters
        self.gives = gives  # a new array, which is given back as the kind of the first one
        self.chunkwise = chunkwise  # whether chunk by chunk, if that is in chunks, by the kernel; None: never
        self.policy = policy  # what can be said of nulls, beside a number; 'propagate' gives the method the bits
        self.natural = natural  # truth values are given out as such, to kinds that have them, if no type is asked for
        self.truth = truth  # which elements the method keeps, if it does: for their labels
        self.positional = positional  # so many of the first parameters are no names: of folds, accumulator and element


def takes(method: _F) -> _F:
    """A method of kernels, behind an option, that takes arrays of any kind in, and gives back what it is."""
    return _exchanging(method, _Rule(method, before=1))


def folds(method: _F) -> _F:
    """The same of one that folds the elements of an array."""
    return _exchanging(method, _Rule(method, positional=2))


def exchanges(chunkwise: Callable[[Any], bool] | None, policy: str = "skip", truth: Callable[..., Any] | None = None,
              natural: bool = False, positional: int = 0, of_all: Callable[[Any], str | None] | None = None,
              called: bool = False) -> Callable[[_F], _F]:  # fmt: skip
    """A method of kernels whose new array is given back as the kind of the first one; chunk by chunk if it may be."""
    return lambda method: _exchanging(
        method, _Rule(method, True, chunkwise, policy, truth, natural, positional, of_all=of_all, called=called)
    )


def _is_new(result: Any) -> bool:
    """Whether a result is one that was made for it."""
    return type(result) in (array, _machine.View)


def _exchanging(method: _F, rule: _Rule) -> _F:
    known = _PLAIN

    def exchanged(kernel: Any, /, *args: Any, nulls: Any = None, names: Any = None, **options: Any) -> Any:
        if names is not None:
            options = looked_up(kernel.params[rule.positional :], names, options)
        if nulls is None:
            for value in (*args, *options.values()):
                if type(value) not in known:
                    break
            else:
                return method(kernel, *args, **options)
        return _exchange(rule, kernel, args, options, nulls)

    return named_as(exchanged, method)  # type: ignore[no-any-return]


def _exchange(rule: _Rule, kernel: Any, args: tuple[Any, ...], options: dict[str, Any], nulls: Any) -> Any:
    values: _Values = dict(enumerate(args))
    values.update(options)
    kinds = {}  # of what is more than a plain argument
    for key, value in values.items():
        if type(value) not in _PLAIN:
            values[key] = number = value if key == "out" else plain(value)
            kinds[key] = kind = _kind_of(number)
            if rule.positional and key in (1, "initial") and kind not in _WITHOUT_NULLS:
                raise TypeError(f"initial must be a number or a tuple of numbers, not {type(value).__name__}")
    if nulls is None:
        for key, kind in kinds.items():
            if kind not in _WITHOUT_NULLS and not (kind is _SERIES and labelled.has_numbers(values[key])):
                break
        else:
            return _exchange_buffers(rule, kernel, len(args), options, values, kinds)
    return _Exchange(rule, kernel, *_given(values, len(args), options), nulls).run()


def _given(values: _Values, count: int, options: Iterable[str]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The values of a call as the arguments that they came as."""
    return tuple([values[i] for i in range(count)]), {name: values[name] for name in options}


def fills(method: _F) -> _F:
    """A method of kernels that replaces the elements of its first array: for other kinds, ``map`` with that as out."""
    known = _PLAIN

    def filling(kernel: Any, arr: Any, /, *args: Any, nulls: Any = None, names: Any = None, **options: Any) -> Any:
        if names is not None:
            options = looked_up(kernel.params, names, options)
        if nulls is None:
            for value in (arr, *args, *options.values()):
                if type(value) not in known:
                    break
            else:
                return method(kernel, arr, *args, **options)
        kernel.map(arr, *args, out=arr, nulls=nulls, **options)

    return named_as(filling, method)  # type: ignore[no-any-return]


#: Those of a map, which are None where nothing is asked for.
_OPTIONS = frozenset(("typecode", "out", "threads"))


def _asks_nothing(options: dict[str, Any]) -> bool:
    return options.keys() <= _OPTIONS and all([value is None for value in options.values()])


def _exchange_buffers(rule: _Rule, kernel: Any, count: int, options: dict[str, Any], values: _Values,
                      kinds: dict[int | str, _Kind | None]) -> Any:  # fmt: skip
    """What _Exchange does if all arrays are buffers without nulls, in a third of the time."""
    tables = _tables(rule, kernel, options)
    first = _first_array(range(count) if count else kernel.params, values, tables)
    lead, kind = values.get(first), kinds.get(first)
    series = {key: values[key] for key, kind in kinds.items() if kind is _SERIES}
    if "out" in series:
        return _Exchange(rule, kernel, *_given(values, count, options), None).run()
    if len(series) > 1:
        labelled.check_labels([value for key, value in series.items() if key not in tables])
    if rule.natural and kind is not None and kind.give is not None and values["typecode"] is None:
        values["typecode"] = OWN_TRUTHS
    for key, column in series.items():
        values[key] = memoryview(column.to_numpy())
    args, options = _given(values, count, options)
    if rule.truth is not None and lead is not None and kind is _SERIES:
        mask = rule.truth(kernel, *args, **options)
        left = _machine.compact(values[first], mask)
        return _as_labelled(sys.modules["pandas"], [left], [None], lead, labelled.kept(lead.index, mask))
    called = rule.called and _asks_nothing(options)
    if called:
        args = tuple([memoryview(v) if kinds.get(i) is _NDARRAY and v.dtype.kind in "iufb" else v
                      for i, v in enumerate(args)])  # fmt: skip
        called = all([type(value) in _PLAIN for value in args])  # else it would come back to here
    result = kernel(*args) if called else rule.method(kernel, *args, **options)
    if not rule.gives or options.get("out") is not None or kind is None or kind.give is None:
        return result
    if type(result) is tuple:  # of the items of an accumulator
        return tuple(given_as(lead, item) for item in result)
    return given_as(lead, result) if _is_new(result) else result


class _Exchange:
    """One call: its arrays as columns, without what is missing, and its result as what the first array is."""

    def __init__(self, rule: _Rule, kernel: Any, args: tuple[Any, ...], options: dict[str, Any], nulls: Any) -> None:
        check_nulls(nulls, rule.policy)
        self.rule, self.kernel, self.nargs, self.nulls = rule, kernel, len(args), nulls
        self.out = options.pop("out", None) if rule.policy == "propagate" else None
        self.named = tuple(options)
        self.values: _Values = dict(enumerate(args))
        self.values.update(options)
        self.tables = _tables(rule, kernel, options)
        self.lead = _first_array(range(len(args)) if args else kernel.params, self.values, self.tables)
        kinds = {key: _kind_of(value) for key, value in self.values.items()}
        self.like: Any = self.values.get(self.lead)
        self.kind = kinds.get(self.lead)
        if rule.natural and self.kind is not None and self.kind.give is not None and self.values["typecode"] is None:
            self.values["typecode"] = OWN_TRUTHS
        self.columns = {key: kind.columns(self.values[key]) for key, kind in kinds.items() if kind is not None}
        self.series = [self.values[key] for key, kind in kinds.items() if kind is _SERIES and key not in self.tables]
        self.kinds = kinds

    def _rows(self) -> list[int | str]:
        """The arguments whose elements go together."""
        return [key for key, value in self.values.items()
                if key not in self.tables and type(value) is not tuple and not _is_number(value)]  # fmt: skip

    def run(self) -> Any:
        """The result of the method."""
        if len(self.series) > 1:
            labelled.check_labels(self.series)
        kept = self._without_nulls()
        if self.out is not None:
            return self._into(self.out)
        if self.rule.truth is not None and self.kind in _LABELLED:
            return self._filtered(kept)
        if not self.rule.gives:
            return self._method(self._one_of_each())
        results, bits = self._results()
        if type(results[0]) is tuple:  # of the items of an accumulator
            return tuple(self._given([result], bits) for result in results[0])
        return self._given(results, bits)

    def _given(self, results: list[Any], bits: list[Any]) -> Any:
        """New arrays, with the bits of nulls in them, as what the first array is."""
        if self.kind is None or self.kind.give is None or not _is_new(results[0]):
            if bits[0] is not None:
                raise self._no_room(type(self.like).__name__)
            return results[0]
        if self.nulls == "propagate" and bits == [None] and not _has_room(self.kind, self.like) and self._may_be_null():
            bits = [_machine.and_bits((), len(results[0]))]  # so that the result's type does not depend on the values
        return self.kind.give(sys.modules[self.kind.module], results, bits, self.like, self._index(results))

    def _may_be_null(self) -> bool:
        return any(_has_room(kind, self.values[key]) for key, kind in self.kinds.items() if key not in self.tables)

    # -- missing values ----------------------------------------------------------------------------------------------

    def _without_nulls(self) -> Any:
        """Makes columns without nulls, but where they propagate. Gives bits of the rows that are left, None for all."""
        number = sum(number_of_nulls(columns) for columns in self.columns.values())
        if not number:
            return None
        if self.nulls in (None, "propagate", "skip"):
            self._check_tables()
            text = None if self.rule.of_all is None else self.rule.of_all(self.kernel)
            if text is not None:
                raise ValueError(
                    f"{text!r} is of all elements, and some are null: nulls=<number> puts a number in their place; or "
                    "compute the reduction with nulls='skip' and give it by name"
                )
        if self.nulls == "propagate":
            return None
        if self.nulls is None:
            raise refusal(number, self.rule.policy)
        if self.nulls != "skip":
            self.columns = {key: [filled(c, self.nulls) for c in columns] for key, columns in self.columns.items()}
            return None
        columns = {key: joined(self._columns(key)) for key in self._rows()}
        bits = combined(columns.values())
        self.columns.update((key, [rows(column, bits)]) for key, column in columns.items())
        return bits

    def _check_tables(self) -> None:
        for key in self.columns.keys() & self.tables:
            number = number_of_nulls(self.columns[key])
            if number:
                raise ValueError(
                    f"a table has {number} null{'s' if number > 1 else ''}: nulls=<number> puts a number in their "
                    "place; nulls='skip' and 'propagate' are for the elements that an expression goes through"
                )

    def _columns(self, key: int | str) -> list[Column]:
        return self.columns.get(key) or [Column(self.values[key])]

    def _no_room(self, name: str) -> ValueError:
        return ValueError(
            f"the result has nulls, for which there is no room in {name}: nulls=<number> puts a number in their place"
        )

    # -- running -----------------------------------------------------------------------------------------------------

    def _method(self, columns: dict[int | str, Column], out: Any = None, method: Any = None) -> Any:
        """The method's own result for these columns, one of each array."""
        values = {**self.values, **{key: column.values for key, column in columns.items()}}
        options = {name: values[name] for name in self.named}
        if out is not None:
            options["out"] = out
        bits = self._bits(columns)
        if bits is not None:
            options["nulls"] = bits
        return (method or self.rule.method)(self.kernel, *(values[i] for i in range(self.nargs)), **options)

    def _bits(self, columns: dict[int | str, Column]) -> Any:
        together = [column for key, column in columns.items() if key not in self.tables]
        return combined(together) if any(column.nulls for column in together) else None

    def _one_of_each(self) -> dict[int | str, Column]:
        return {key: joined(columns) for key, columns in self.columns.items()}

    def _parts(self) -> Iterable[dict[int | str, Column]]:
        """The columns for each chunk of the leading array; other arrays are cut alike, those in other chunks copied."""
        leading = self.columns.get(self.lead, [])
        by_chunks = self.rule.chunkwise is not None and self.rule.chunkwise(self.kernel)
        if not by_chunks or len(leading) < 2 or self.kind is None or self.kind.give is None:
            return [self._one_of_each()]
        counts = [len(column) for column in leading]
        keys = self._rows()
        columns = {key: cut(self._columns(key), counts) for key in keys}
        return ({key: columns[key][i] for key in keys} for i in range(len(counts)))

    def _results(self) -> tuple[list[Any], list[Any]]:
        """What the method gives, chunk by chunk, and the bits of nulls in it."""
        results, bits = [], []
        parts = list(self._parts())
        for number, columns in enumerate(parts):
            try:
                results.append(self._method(columns))
            except Exception as error:
                if len(parts) > 1:  # elements are counted in each chunk
                    error.add_note(f"of chunk {number}")
                raise
            bits.append(self._bits(columns))
        return results, bits

    # -- pandas ------------------------------------------------------------------------------------------------------

    def _index(self, results: list[Any]) -> Any:
        """The labels of a result: those of the first array if there is one element for each of its."""
        if self.kind is not _SERIES:
            return None
        return self.like.index if sum(map(len, results)) == len(self.like) else None

    def _filtered(self, kept: Any) -> Any:
        """The elements that a filter keeps, with their labels. kept: bits of the rows that it looks at, or None."""
        assert self.kind is not None and self.kind.give is not None
        columns, numpy = self._one_of_each(), sys.modules["numpy"]
        mask = self._method(columns, method=self.rule.truth)
        result = _machine.compact(columns[self.lead].values, mask)
        index = getattr(self.like, "index", None)
        if index is not None:
            index = index if kept is None else index[~labelled.mask_of(numpy, kept, len(index))]
            index = labelled.kept(index, mask)
        return self.kind.give(sys.modules["pandas"], [result], [None], self.like, index)

    # -- out ---------------------------------------------------------------------------------------------------------

    def _into(self, out: Any) -> Any:
        """Runs with an array to fill."""
        kind, columns = _kind_of(out), self._one_of_each()
        bits = self._bits(columns)
        if kind not in (*_WITHOUT_NULLS, _MASKED, _SERIES):
            if kind is not _ARROW and kind.give is None:
                kind.columns(out)  # which says what to give instead
            raise TypeError(f"cannot write the result: this {type(out).__name__} is read-only")
        if bits is not None and not _has_room(kind, out):
            raise self._no_room(f"out ({type(out).__name__})")
        if kind is _SERIES:
            return self._into_series(out, columns, bits)
        self._method(columns, out.data if kind is _MASKED else out)
        if kind is _MASKED:
            numpy = sys.modules["numpy"]
            out.mask = numpy.ma.nomask if bits is None else labelled.mask_of(numpy, bits, len(out))
        return out

    def _into_series(self, out: Any, columns: dict[int | str, Column], bits: Any) -> Any:
        """Through pandas, when all is done: other Series may share its memory."""
        target = _machine.new_array(_machine.buffer_info(_pandas_columns(out)[0].values)[0], len(out))
        self._method(columns, target)
        labelled.store(sys.modules["pandas"], out, target, bits, _chunked)
        return out


def _is_number(value: Any) -> bool:
    """A number, NumPy's too, or an option such as a typecode."""
    if value is None or _kind_of(value) is not None:
        return value is None
    import numbers

    return isinstance(value, (str, numbers.Number))


def _tables(rule: _Rule, kernel: Any, options: dict[str, Any]) -> set[int | str]:
    """The arguments that are subscripted: their elements do not go with those of the others."""
    found: frozenset[int] = kernel._tables
    if not found:
        return set()
    params: tuple[str, ...] = kernel.params
    left = [name for name in params if rule.natural or name not in options]
    places = {} if rule.positional else {name: i for i, name in enumerate(left, rule.before)}
    return {places.get(params[i], params[i]) for i in found}


def _first_array(params: Iterable[int | str], values: _Values, tables: set[int | str]) -> int | str:
    """The parameter of the first array that is no table."""
    return next((key for key in params if key in values and key not in tables and not _is_number(values[key])), "")
