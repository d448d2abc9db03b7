"""Names as Python reads them, values looked up by name, and what counts as a number."""

from __future__ import annotations

import collections
import io
import math
from array import array
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import arrayops as ao
import numpy as np
import pytest
from oracle import assert_same, outcome

D = array("d", [1.5, -2.5, 0.0])
Q = array("q", [3, -4])

# -- identifiers -------------------------------------------------------------------------------------------------------

IDENTIFIERS = [  # text, its parameters as Python folds them
    ("\u03c0*x", ("\u03c0", "x")),  # a name, not the constant
    ("\u03bb", ("\u03bb",)),
    ("\ufb01 + fi", ("fi",)),  # the ligature is two letters
    ("\u00b5 + \u03bc", ("\u03bc",)),  # the micro sign is the letter mu
    ("\u0445 + x", ("\u0445", "x")),  # Cyrillic and Latin
    ("e\u0301 + \u00e9", ("\u00e9",)),  # two characters, or one
    ("\u5909\u6570 + \u0645", ("\u5909\u6570", "\u0645")),
    ("\U0001d465 + \uff58", ("x",)),
    ("b if \u00e9 else a", ("b", "\u00e9", "a")),
    ("\uff53qrt(x)", ("x",)),
    ("\U0001d426ath.sqrt(x)", ("x",)),
    ("\u2147*x", ("x",)),  # folded to e, the constant
]


@pytest.mark.parametrize(("text", "params"), IDENTIFIERS, ids=lambda value: ascii(value)[:30])
def test_identifiers_are_pythons(text: str, params: tuple[str, ...]) -> None:
    assert ao.compile(text).params == params
    values = {name: float(i + 2) for i, name in enumerate(params)}
    expected = eval(text, {"math": math, "sqrt": math.sqrt, "e": math.e}, dict(values))
    assert ao.evaluate(text, names=values) == expected


NOT_NAMES = [  # text, what is said, column
    ("\uff49\uff46 + 1", "'if' is a word of Python", 1),
    ("x + Tru\u1d49", "'True' is a word of Python", 5),
    ("\u0430bs(x)", "unknown function '\u0430bs'; did you mean 'abs'?", 1),
    ("\u03b4 + math.\u03c0", "unknown name 'math.\u03c0'", 5),
    ("\ud800", "is not allowed", 1),
    ("x\u00b2", "invalid character", 2),
]


@pytest.mark.parametrize(("text", "said", "column"), NOT_NAMES, ids=lambda value: ascii(value)[:30])
def test_what_is_no_name_is_refused_where_it_stands(text: str, said: str, column: int) -> None:
    with pytest.raises(ao.ExpressionError) as caught:
        ao.compile(text)
    assert said in caught.value.msg and caught.value.offset == column


def test_names_of_parameters_are_folded_too() -> None:
    assert ao.compile("fi - x", "x", "\ufb01").params == ("x", "fi")


# -- names= ------------------------------------------------------------------------------------------------------------


class Sensor:
    def __init__(self) -> None:
        self.gain, self.offset, self.label = 2.0, 1, "t"


MAPPINGS: list[tuple[str, Any, Any]] = [  # text, names, the value
    ("x*y", {"x": Q, "y": 2, "other": object()}, array("q", [6, -8])),
    ("gain*3 + offset", vars(Sensor()), 7.0),
    ("x - out - threads - typecode - ieee - text",
     {"x": Q, "out": 1, "threads": 1, "typecode": 1, "ieee": 1, "text": 1}, array("q", [-2, -9])),
    ("names + x", {"x": Q, "names": 1}, array("q", [4, -3])),
    ("e*pi", {"e": 2, "pi": Q, "sqrt": math.sqrt}, array("q", [6, -8])),  # what is given hides constants
    ("sqrt(x)", {"x": 9, "sqrt": np.sqrt, "math": math}, 3.0),  # functions stay the language's
    ("math.floor(x) + math.pi*0", {"x": 9.5, "math": None}, 9.0),
    ("2 + 3", {"x": Q}, 5),
    ("x + k", MappingProxyType({"x": 1, "k": 2}), 3),
    ("x + k", collections.ChainMap({"x": 1}, {"k": 2}), 3),
    ("x + k", collections.defaultdict(lambda: 0, {"x": 1, "k": 2}), 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names", "expected"), MAPPINGS, ids=lambda value: str(value)[:30])
def test_names_are_looked_up_in_a_mapping_with_surplus_ones(text: str, names: Any, expected: Any) -> None:
    assert_same(ao.evaluate(text, names=names), expected)


def test_local_variables_are_names() -> None:
    x, factor, unrelated = Q, 3, "abc"
    assert ao.evaluate("x*factor", names=locals()) == array("q", [9, -12])
    assert unrelated and x is Q and factor


def test_a_keyword_goes_before_the_mapping() -> None:
    assert ao.evaluate("x + k", names={"x": 1, "k": 2}, k=10) == 11


def test_the_first_array_of_a_mapping_decides_what_is_given() -> None:
    result = ao.evaluate("k*x", names={"x": np.array([1.0, 2.0]), "k": np.float32(2)})
    assert isinstance(result, np.ndarray) and result.tolist() == [2.0, 4.0]


def test_the_look_up_is_of_the_texts_own_names() -> None:
    asked: list[object] = []

    class Watched(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            asked.append(key)
            return super().__getitem__(key)

    assert ao.evaluate("x + k", names=Watched(x=1, k=2, e=3, other=4)) == 3
    assert asked == ["x", "k"]


BAD_NAMES: list[tuple[Callable[[], Any], str]] = [
    (lambda: ao.evaluate("x + k", names={"x": 1}), "'x + k' needs a value for 'k', by keyword or from names=locals()"),
    (
        lambda: ao.evaluate("x + k", names=collections.defaultdict(int, x=1)),
        "'x + k' needs a value for 'k', by keyword or from names=locals()",
    ),
    (lambda: ao.evaluate("x", names={"x": 1}, k=2), "'x' has no name 'k'; its names are 'x'"),
    (lambda: ao.evaluate("x", names=5), "names must be a mapping, not int"),
    (lambda: ao.evaluate("x", names="x"), "names must be a mapping, not str"),
    (lambda: ao.evaluate("x", names=[("x", 1)]), "names must be a mapping, not list"),
    (lambda: ao.evaluate("x", names={"x": "a"}), "'x' must be a buffer or an int, float or bool, not str"),
]


@pytest.mark.parametrize(("call", "said"), BAD_NAMES)
def test_a_name_without_a_value_is_a_type_error(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value) == said


GIVEN: dict[str, Any] = {"k": 2, "y": array("q", [10, 20]), "e": 7, "label": "t", "sqrt": math.sqrt, "acc": "no"}
XK, XY = ao.compile("x*k"), ao.compile("x*k + y")
ALIKE: list[tuple[str, Callable[..., Any], tuple[str, ...]]] = [  # place, call of keywords, the names that the text has
    ("map", lambda **n: ao.map(Q, "x*k", **n), ("k",)),
    ("map of a constant's name", lambda **n: ao.map(Q, "x*e", **n), ("e",)),
    ("map of two arrays", lambda **n: ao.map(Q, "x*k + y", **n), ("k", "y")),
    ("map of another first name", lambda **n: ao.map(Q, "k*t + y", **n), ("k", "y")),
    ("in place", lambda **n: done(array("q", Q), lambda a: ao.map_inplace(a, "x*k", **n)), ("k",)),
    ("filter", lambda **n: ao.filter(Q, "x > k", **n), ("k",)),
    ("filter by others alone", lambda **n: ao.filter(Q, "y > 10", **n), ("y",)),
    ("reduce", lambda **n: ao.reduce(Q, "acc*k + x", **n), ("k",)),
    ("reduce from a number", lambda **n: ao.reduce(Q, "acc*k + x", 3, **n), ("k",)),
    ("reduce beside another array", lambda **n: ao.reduce(Q, "acc*k + x*y", **n), ("k", "y")),
    ("accumulate", lambda **n: ao.accumulate(Q, "acc*k + x", **n), ("k",)),
    ("any", lambda **n: ao.any(Q, "x > k", **n), ("k",)),
    ("all", lambda **n: ao.all(Q, "x > k", **n), ("k",)),
    ("count", lambda **n: ao.count(Q, "x > y - k*8", **n), ("k", "y")),
    ("explain", lambda **n: ao.explain("x*k", "q", **n), ("k",)),
    ("kernel", lambda **n: XK(Q, **n), ("k",)),
    ("kernel of two", lambda **n: XY.map(Q, **n), ("k", "y")),
    ("kernel in place", lambda **n: done(array("q", Q), lambda a: XK.inplace(a, **n)), ("k",)),
    ("kernel filter", lambda **n: XK.filter(Q, **n), ("k",)),
    ("kernel reduce", lambda **n: ao.compile("acc*k + x", "acc", "x", "k").reduce(Q, **n), ("k",)),
    ("kernel accumulate", lambda **n: ao.compile("acc*k + x", "acc", "x", "k").accumulate(Q, **n), ("k",)),
    ("kernel given to a function", lambda **n: ao.map(Q, XK, **n), ("k",)),
    ("kernel explain", lambda **n: XK.explain("q", **n), ("k",)),
    ("pipeline", lambda **n: ao.lazy(Q).map("x*k", **n).collect(), ("k",)),
    ("pipeline filter", lambda **n: ao.lazy(Q).filter("x > k", **n).sum(), ("k",)),
    ("pipeline reduce", lambda **n: ao.lazy(Q).reduce("acc*k + x", 1, **n), ("k",)),
    ("numpy", lambda **n: ao.map(np.array(Q), "x*k + y", **n).tolist(), ("k", "y")),
]


@pytest.mark.parametrize(("place", "call", "own"), ALIKE, ids=[place for place, _, _ in ALIKE])
def test_a_mapping_is_the_same_names_by_keyword(place: str, call: Callable[..., Any], own: tuple[str, ...]) -> None:
    want = call(**{name: GIVEN[name] for name in own})
    assert_same(call(names=GIVEN), want)
    assert_same(call(names={**GIVEN, own[0]: 1}, **{own[0]: GIVEN[own[0]]}), want)


def test_arrays_of_a_mapping_are_taken_as_all_arrays_are() -> None:
    weights = np.ma.array([1.0, 2.0], mask=[0, 1])
    with pytest.raises(ValueError, match="has 1 null"):
        ao.map(np.array([3.0, 4.0]), "x*w", names={"w": weights})
    result = ao.map(np.array([3.0, 4.0]), "x*w", names={"w": weights}, nulls="propagate")
    assert result.tolist() == [3.0, None]


BAD_MAPPINGS: list[tuple[Callable[[], Any], str]] = [
    (lambda: ao.map(Q, "x*k", names=5), "names must be a mapping, not int"),
    (lambda: XK(Q, names=[("k", 1)]), "names must be a mapping, not list"),
    (lambda: ao.lazy(Q).map("x*k", names="k"), "names must be a mapping, not str"),
    (lambda: ao.map(Q, abs, names={}), "abs is a callable: named values go with a text only"),
    (lambda: ao.map(Q, "x*out", names={"out": 1}), "the name 'out' is that of an option: give it another one"),
    (lambda: ao.reduce(Q, "acc + x*initial", names={"initial": 1}), "the name 'initial' is that of an option: give it"),
    (lambda: ao.map(Q, "x*k", names={"K": 1}), "'x*k' needs 2 values by position ('x', 'k'), 1 were given"),
    (lambda: ao.evaluate("x", names=np.zeros(1, [("x", "f8")])), "names must be a mapping, not ndarray: {name: array["),
    (lambda: ao.map(Q, "x*k", names={"x": 1, "k": 1}), "'x*k' has no name left for the array"),
    (lambda: ao.map(Q, "x*k", names=GIVEN, j=1), "'x*k' has no name 'j'; its names are 'x', 'k'"),
    (lambda: ao.map(Q, "x*label", names=GIVEN), "'label' must be a buffer or an int, float or bool, not str"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), BAD_MAPPINGS, ids=[said[:40] for _, said in BAD_MAPPINGS])
def test_what_a_mapping_cannot_give_is_a_type_error(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value).startswith(said)


# -- what counts as a number -------------------------------------------------------------------------------------------

TYPES = [np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.float16,
         np.float32, np.float64]  # fmt: skip
SCALARS = [make(t(v)) for t in TYPES for v in (0, 1, 1.5) for make in (lambda s: s, np.array)]
PLACES: list[tuple[str, Callable[[Any], Any]]] = [
    ("by position", lambda k: ao.map(D, "x*k", k)),
    ("by name", lambda k: ao.map(D, "x*k", k=k)),
    ("to a function", lambda k: ao.map(D, lambda x, k: x * k, k)),
    ("to a callback", lambda k: ao.map(D, lambda x, k: [x * k][0], k, compile=False)),
    ("in place", lambda k: done(array("d", D), lambda a: ao.map_inplace(a, "x*k", k=k))),
    ("filter", lambda k: ao.filter(D, "x < k", k=k)),
    ("count", lambda k: ao.count(D, "x < k", k=k)),
    ("evaluate", lambda k: ao.evaluate("x*k", x=D, k=k)),
    ("evaluate numbers", lambda k: ao.evaluate("x*k", x=3, k=k)),
    ("kernel", lambda k: ao.compile("x*k")(D, k)),
    ("initial", lambda k: ao.reduce(Q, "acc*2 + x", initial=k)),
    ("initial of a function", lambda k: ao.reduce(Q, lambda acc, x: acc * 2 + x, initial=k)),
    ("initial, running", lambda k: ao.accumulate(D, "acc*2 + x", initial=k)),
    ("fold", lambda k: ao.accumulate(D, "acc*k + x", k=k)),
    ("pipeline", lambda k: ao.lazy(D).map("x*k", k=k).collect()),
    ("scale", lambda k: done(array("d", D), lambda a: ao.scale(a, k))),
    ("clip", lambda k: done(array("d", D), lambda a: ao.clip(a, -1, k))),
    ("fill", lambda k: ao.from_arrow(ao.to_arrow(D), nulls=k).tolist()),
    ("initial tuple", lambda k: ao.reduce(Q, "acc[0]*2 + x, acc[1]", (k, k))),
    ("initial tuple of a function", lambda k: ao.reduce(Q, lambda acc, x: (acc[0] * 2 + x, acc[1]), (k, k))),
    ("initial tuple, running", lambda k: ao.accumulate(D, "acc[0]*2 + x, acc[1]", initial=(k, k))),
    ("initial of a pipeline", lambda k: ao.lazy(Q).reduce(lambda acc, x: acc * 2**62 + x, k)),
    ("initial of an empty pipeline", lambda k: ao.lazy(Q[:0]).reduce("acc + x", k)),
    ("initial of parts", lambda k: ao.lazy([Q, Q]).reduce("acc + x", k, merge="acc + x")),
    ("list as a table", lambda k: ao.map(range(2), "t[x]*2**63 % 2**62", typecode="d", t=[k, k])),
    ("tuple as a table", lambda k: ao.map(range(2), "t[x]", typecode="d", t=(k, k))),
    ("place", lambda k: ao.searchsorted(D, k)),
    ("bins", lambda k: ao.histogram(D, k)),
    ("edges", lambda k: ao.histogram(D, [k, 2])),
    ("range", lambda k: ao.histogram(D, 2, (k, 2))),
    ("quantile", lambda k: ao.quantile(D, k)),
    ("quantiles", lambda k: ao.quantile(D, [k, 0.5])),
    ("ddof", lambda k: ao.var(D, ddof=k)),
    ("ddof of windows", lambda k: ao.rolling(D, 2).std(ddof=k)),
    ("missing", lambda k: ao.read_csv(io.StringIO("a,b\n1,2\n2,\n"), missing=k)),
]


def done(values: array[Any], act: Callable[[array[Any]], None]) -> array[Any]:
    act(values)
    return values


@pytest.mark.parametrize(("place", "call"), PLACES, ids=[name for name, _ in PLACES])
def test_numpy_scalars_count_as_the_numbers_that_they_hold(place: str, call: Callable[[Any], Any]) -> None:
    for scalar in SCALARS:
        assert_same(outcome(call, scalar), outcome(call, scalar.item()))


#: What a callable gives for an element, and what is made of that: wrong if it is done in NumPy's ints and small floats.
RETURNED: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = [
    ("text", lambda f: ao.lazy(Q).map(f).map("x * 2**62 + x*x").collect("d"), lambda v: v * 2**62 + v * v),
    ("function", lambda f: ao.lazy(Q).map(f).map(lambda x: x * 3 % 7).collect("d"), lambda v: v * 3 % 7),
    ("callable", lambda f: ao.lazy(Q).map(f).map(lambda x: [x * 100][0]).collect("d"), lambda v: v * 100),
    ("text beside", lambda f: ao.lazy(Q).map(f).map("x*y", y=Q).collect("d"), lambda v: v * v),
    ("filter", lambda f: ao.lazy(Q).map(f).filter("x*200 > 5").collect("d"), lambda v: v),
    ("values", lambda f: array("d", ao.lazy(Q).map(f)), lambda v: v),
    ("sum", lambda f: [ao.lazy(Q).map(f).sum()] * 2, lambda v: sum(v for v in Q)),
    ("stats", lambda f: list(ao.lazy(Q).map(f).stats()[3:5]), lambda v: v),
]


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.float16, np.float32, np.float64, np.array], ids=str)
@pytest.mark.parametrize(("place", "call", "element"), RETURNED, ids=[row[0] for row in RETURNED])
def test_numpy_scalars_that_a_stage_returns_are_numbers_for_the_next(
    place: str, call: Callable[[Any], Any], element: Callable[[Any], Any], kind: Any
) -> None:
    got = call(lambda x: kind([x][0]))
    want = [float(element(v)) for v in Q]
    if place == "stats":
        want = [float(min(Q)), float(max(Q))]
    if place == "filter":
        want = [v for v in want if v * 200 > 5]
    assert list(map(float, got)) == want


def test_what_is_no_number_goes_on_as_it_is() -> None:
    days = list(ao.lazy(Q).map(lambda n: np.datetime64(n, "D")).map(lambda day: day.astype(str)))
    assert days == ["1970-01-04", "1969-12-28"]


NO_NUMBERS: list[Any] = [np.longdouble(1), np.complex128(1), np.datetime64("2020-01-01"), np.timedelta64(3, "s"),
                         np.str_("1"), np.array(None), np.array(1j)]  # fmt: skip


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_scalars_that_are_no_plain_numbers_are_refused(value: Any) -> None:
    for call in (lambda: ao.map(D, "x*k", k=value), lambda: ao.map(D, "x*k", value),
                 lambda: ao.evaluate("x*k", x=D, k=value), lambda: ao.reduce(D, "acc*k + x", k=value),
                 lambda: ao.scale(array("d", D), value)):  # fmt: skip
        with pytest.raises(TypeError):
            call()


def test_an_array_of_no_dimension_is_no_place_for_a_result() -> None:
    with pytest.raises(BufferError):
        ao.map(np.array([1.0]), "x*2", out=np.array(0.0))
