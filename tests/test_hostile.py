"""Hostile text: refused with ExpressionError, or answered exactly and within bounds; nothing of it is ever run.

The tables are in hostile.py. Time is bounded by patience() only against hanging; memory is bounded by tracemalloc.
"""

from __future__ import annotations

import ast
import dis
import keyword
import re
import sys
import tracemalloc
import types
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import arrayops as ao
import pytest
from arrayops.compiler.evaluate import evaluator
from arrayops.compiler.parse import parse
from hostile import BOMBS, EVERYTHING, LONG, NAMES, PLAIN, nested
from oracle import (
    MATH_CONSTANTS,
    MATH_FUNCTIONS,
    NAMESPACE,
    REDUCTIONS,
    Raised,
    assert_same,
    difference,
    element_outcomes,
    outcome,
    parameters,
    patience,
    python_function,
    stored,
)

MEMORY = 10 * 2**20
DATA = array("i", [2, 3, 1])

APIS: dict[str, Callable[[str], Any]] = {
    "map": lambda text: ao.map(DATA, text),
    "map to d": lambda text: ao.map(DATA, text, typecode="d"),
    "map_inplace": lambda text: ao.map_inplace(DATA[:], text),
    "filter": lambda text: ao.filter(DATA, text),
    "reduce": lambda text: ao.reduce(DATA, text, 1),
    "accumulate": lambda text: ao.accumulate(DATA, text),
    "evaluate": lambda text: ao.evaluate(text, x=DATA),
    "evaluate scalar": lambda text: ao.evaluate(text, x=2),
    "compile": ao.compile,
    "explain": lambda text: ao.explain(text, "i"),
}


# The language of strings as the contract states it, node class by node class.
ALLOWED_NODES = {
    "Expression", "BinOp", "UnaryOp", "BoolOp", "Compare", "IfExp", "Name", "Load", "Constant", "Call", "Attribute",
    "Tuple", "Add", "Sub", "Mult", "Div", "FloorDiv", "Mod", "Pow", "UAdd", "USub", "Invert", "Not", "BitAnd",
    "BitOr", "BitXor", "LShift", "RShift", "And", "Or", "Lt", "LtE", "Gt", "GtE", "Eq", "NotEq", "In", "NotIn",
    "Subscript",
}  # fmt: skip
FUNCTIONS = {name for name, value in NAMESPACE.items() if callable(value)} | {"where"}


def is_language(text: str) -> bool:
    """Whether the text is wholly of the language: decided here, not by arrayops. Argument counts are not looked at."""
    try:
        tree = ast.parse(text.lstrip(" \t"), mode="eval")  # as eval does
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    nodes = list(ast.walk(tree))
    special = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    special |= {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    special |= {id(c) for node in nodes if isinstance(node, ast.Compare) for c in node.comparators}
    return all(type(node).__name__ in ALLOWED_NODES and _fits(node, id(node) in special) for node in nodes)


def _fits(node: ast.AST, special: bool) -> bool:
    """special: the node is what is called, what an attribute is taken of, or the right side of a comparison."""
    match node:
        case ast.Attribute(value=value, attr="bit_count" | "bit_length"):
            return special and getattr(value, "id", "") != "math"
        case ast.Attribute(value=ast.Name(id="math"), attr=name):
            return special if name in MATH_FUNCTIONS else name in MATH_CONSTANTS
        case ast.Attribute():
            return False
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return name in FUNCTIONS | set(REDUCTIONS)
        case ast.Call():
            return isinstance(node.func, ast.Attribute) and not node.keywords
        case ast.Subscript(value=value, slice=index):
            return isinstance(value, ast.Name) and not isinstance(index, ast.Slice | ast.Tuple)
        case ast.Name(id=name):
            return not keyword.iskeyword(name) and (special or name not in FUNCTIONS | {"math"})
        case ast.Constant(value=value):
            return type(value) in (int, float, bool)
        case ast.Tuple(elts=items):
            return special and all(isinstance(item, ast.Constant | ast.UnaryOp) for item in items)
    return True


# Outside the language though every node is of it, or allowed a choice: refused, or Python's own answer.
ALLOWED_EITHER = {
    "int()",
    "float()",
    "bool()",
    "pow(x, 2, 3)",
    "x in ()",
    "x not in ()",
    "x in (nan,)",
    "nan in (nan,)",
    "x in (1 + 1,)",
    "x in [1]",
    "x in {1}",
    "x in (1)",
}


@pytest.mark.parametrize("api", APIS)
def test_hostile_text_is_refused_or_answered_exactly(api: str) -> None:
    """Over every API: an answer only for text that is wholly of the language, and then Python's own."""
    with patience(120):
        for text in PLAIN:
            got = outcome(APIS[api], text)
            if isinstance(got, Raised) and isinstance(got.error, ao.ExpressionError):
                continue
            assert is_language(text) or text in ALLOWED_EITHER, (text, str(got))
            if api == "evaluate scalar" and is_language(text) and parameters(text) == ["x"]:
                python = outcome(lambda text=text: python_function(text)(2))
                assert difference(got, python) is None or isinstance(got, Raised), (text, str(got), str(python))


MUST_BE_REFUSED = [text for text in PLAIN if not is_language(text) and not text.strip().startswith("x")]


def test_the_table_is_large_enough_and_mostly_outside_the_language() -> None:
    assert len(set(EVERYTHING)) >= 400
    assert sum(not is_language(text) for text in PLAIN) >= 350


@pytest.mark.parametrize("text", MUST_BE_REFUSED, ids=lambda text: ascii(text)[:40])
def test_what_is_outside_the_language_is_an_expression_error(text: str) -> None:
    if text in ("  x", "\tx", "\nx"):  # Python's eval takes leading space: either is right
        return
    with pytest.raises(ao.ExpressionError):
        ao.compile(text)


REFUSED_CALLS = [
    "abs",
    "math",
    "sqrt(x, x)",
    "abs()",
    "min()",
    "abs(x=x)",
    "x()",
    "x(1)",
    "pi(x)",
    "math.nothing",
    "math.sqrt",
    "repr(x)",
    "eval(x)",
    "x.real",
    "print(x)",
    "math.pi.real",
    "x in x",
    "1j * x",
    "None",
    "x is 1",
    "where(x, 1)",
    "clip(x)",
]


@pytest.mark.parametrize("text", REFUSED_CALLS)
@pytest.mark.parametrize("api", APIS)
def test_refused_by_every_api(api: str, text: str) -> None:
    with pytest.raises(ao.ExpressionError):
        APIS[api](text)


@pytest.mark.parametrize("text", NAMES)
def test_names_are_only_names(text: str) -> None:
    """A name is a parameter or an error; it is never looked up anywhere."""
    got = outcome(lambda: ao.map(DATA, text))
    if isinstance(got, Raised):
        assert isinstance(got.error, ao.ExpressionError), got
    else:
        assert_same(got, DATA)


class Sentinel:
    """Records every use of itself."""

    def __init__(self) -> None:
        self.used: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name not in ("used", "__class__"):
            object.__getattribute__(self, "used").append(name)
        return object.__getattribute__(self, name)

    def __call__(self, *args: Any) -> int:
        self.used.append("call")
        return 1

    def __add__(self, other: Any) -> int:
        self.used.append("add")
        return 1

    __radd__ = __mul__ = __rmul__ = __getitem__ = __lt__ = __add__


@pytest.mark.parametrize(
    "text", ["x + s", "s + x", "s(x)", "s.anything", "s[0]", "x < s", "s * s", "x if s else 1", "s"]
)
def test_objects_given_as_names_are_never_used(text: str) -> None:
    sentinel = Sentinel()
    calls: list[Callable[[], Any]] = [
        lambda: ao.map(DATA, text, s=sentinel),
        lambda: ao.evaluate(text, x=DATA, s=sentinel),
        lambda: ao.filter(DATA, text, s=sentinel),
    ]
    for call in calls:
        with pytest.raises((TypeError, ao.ExpressionError)):
            call()
    assert set(sentinel.used) <= {"__index__", "__float__"}, "asked at most whether it is a number"


# -------------------------------------------------------------------------------------------------------- bombs


@pytest.mark.parametrize("text", BOMBS)
def test_bombs_are_bounded(text: str) -> None:
    """ExpressionError, OverflowError, or Python's answer; where Python itself could not answer, only the first two."""
    tracemalloc.start()
    try:
        with patience():
            for call in (
                lambda: ao.map(DATA, text, typecode="d"),
                lambda: ao.evaluate(text, x=DATA, typecode="d"),
                lambda: ao.evaluate(text, x=2),
                lambda: ao.filter(DATA, text),
                lambda: ao.compile(text),
            ):
                got = outcome(call)
                allowed = (ao.ExpressionError, OverflowError, ZeroDivisionError, ValueError, TypeError)
                assert not isinstance(got, Raised) or isinstance(got.error, allowed), got
        assert tracemalloc.get_traced_memory()[1] < MEMORY * 2
    finally:
        tracemalloc.stop()


EXACT_THOUGH_LARGE = [
    "0 << 10**30",
    "1 >> 10**30",
    "1 ** 10**30",
    "(-1) ** 10**30",
    "0 ** 10**30",
    "10**50000 // 3 % 1000",
    "3**20000 % 1000",
    "(1 << 100000) >> 99999",
    "0 and 9**9**9",
    "x or 9**9**9",
    "1 if x else 9**9**9",
]


@pytest.mark.parametrize("text", EXACT_THOUGH_LARGE)
def test_large_but_bounded_arithmetic_is_exact(text: str) -> None:
    names = dict.fromkeys(parameters(text), 2)
    assert_same(outcome(ao.evaluate, text, **names), python_function(text)(*names.values()))


@pytest.mark.parametrize("depth", [10, 50, 90, 150, 199, 201, 250, 1000, 5000, 20_000, 100_000])
def test_nesting_is_an_answer_or_an_expression_error(depth: int) -> None:
    """Never RecursionError, MemoryError or SyntaxError of another class; where there is an answer it is Python's."""
    data = array("i", [1])
    for text in nested(depth):
        with patience():
            got = outcome(ao.map, data, text)
        if isinstance(got, Raised) and isinstance(got.error, ao.ExpressionError):
            continue
        assert depth <= 5000 and is_language(text), (depth, text[:40], str(got)[:200])
        function = outcome(python_function, text, ["x"])
        if not isinstance(function, Raised) or not isinstance(function.error, RecursionError):
            assert_same(got, stored("i", element_outcomes(function, [data])), (depth, text[:40]))


@pytest.mark.parametrize("number", range(len(LONG)))
def test_long_text_is_refused_in_little_memory(number: int) -> None:
    text = LONG[number]
    tracemalloc.start()
    try:
        with patience():
            for api in ("compile", "map", "evaluate scalar"):
                if len(text) > 2**19:
                    with pytest.raises(ao.ExpressionError):
                        APIS[api](text)
                else:
                    got = outcome(APIS[api], text)
                    assert not isinstance(got, Raised) or isinstance(got.error, ao.ExpressionError | OverflowError), (
                        str(got)[:300]
                    )
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


# ------------------------------------------------------------------------------------------------- audit events


class Audit:
    """Collects the interpreter's audit events while it is on; a hook cannot be removed, so there is one."""

    def __init__(self) -> None:
        self.on = False
        self.events: list[tuple[str, str]] = []
        self.generated: list[types.CodeType] = []
        sys.addaudithook(self.hook)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        code = args[CODE[event]] if event in CODE else None
        if isinstance(code, types.CodeType) and (code.co_filename == "<arrayops>" or code.co_name in STUBS):
            self.generated.append(code)
        else:
            self.events.append((event, repr(args)[:200] if event != "compile" else repr(args[0])[:200]))

    @contextmanager
    def recording(self) -> Iterator[list[tuple[str, str]]]:
        self.events.clear()
        self.generated.clear()
        self.on = True
        try:
            yield self.events
        finally:
            self.on = False


@pytest.fixture(scope="module")
def audit() -> Audit:
    return Audit()


# `compile` of a text is what ast.parse raises, and makes no code object that could run: that would be an `exec` event
# or one of those in CODE. `compile` of a syntax tree makes the evaluator of an IR (compiler/element.py).
HARMLESS = {"compile", "array.__new__", "builtins.id"}
# Making an evaluator: a function from a code object, and a code object put into it. Only of the evaluator's own code.
CODE = {"function.__new__": 0, "object.__setattr__": 2}


def test_no_code_is_run_no_file_opened_nothing_imported(audit: Audit) -> None:
    for call in APIS.values():  # modules imported on first use are not the text's doing
        outcome(call, "x + 1")
        outcome(call, "x.y")
        outcome(call, "9**9**9 + x*x")
    with patience(120), audit.recording() as events:
        for text in EVERYTHING:
            for call in APIS.values():
                outcome(call, text)
    bad = [event for event in events if event[0] not in HARMLESS]
    assert not bad, bad[:5]
    assert len(audit.generated) > 100
    for code in audit.generated:
        assert_only_calculates(code)


# What stands in a function until its code is made: it asks for that, or for an interpretation.
STUBS = {"_first_call": "generate", "_every_call": "interpreted"}
# Operations that reach further than the numbers on the stack. LOAD_GLOBAL is not here: its names are checked. Nor is
# BINARY_SUBSCR, which looks up an element of a table: those are buffers of ours or of exact types (bindable_table).
REACHING = re.compile(
    "ATTR|METHOD|IMPORT|NAME|(STORE|DELETE)_SUBSCR|SLICE|ITER|CLOSURE|DEREF|MAKE_FUNCTION|STORE_GLOBAL|DELETE|YIELD|_EX|BUILD"
)


def assert_only_calculates(code: types.CodeType) -> None:
    """The code names nothing but operations of the evaluator, and can do nothing with numbers but call those."""
    if code.co_name in STUBS:
        assert code.co_names == (STUBS[code.co_name],)
        return
    assert all(re.fullmatch("[fc]_[A-Za-z0-9_]+|element_[0-9_]+", name) for name in code.co_names), code.co_names
    assert all(re.fullmatch("[pst][0-9_]+", name) for name in code.co_varnames), code.co_varnames
    assert all(type(c) in (int, float, bool, tuple, type(None)) for c in code.co_consts), code.co_consts
    reaching = {i.opname for i in dis.get_instructions(code) if REACHING.search(i.opname)}
    assert not reaching, reaching


@pytest.mark.parametrize("text", ["x*y", "gcd(x, y) if x else y**x", "~x and not y", "x in (1, 2)", "round(x*y, 2)"])
def test_the_namespace_of_an_evaluator_is_numbers_only(text: str) -> None:
    function = evaluator(parse(text))
    outcome(function, 2, 3)
    names = function.__globals__
    assert names["__builtins__"] == {}
    assert set(names) - {"__builtins__", "generate"} == {n for n in names if re.match("[fc]_|element$", n)}


def test_the_hook_sees_what_it_should(audit: Audit) -> None:
    with audit.recording() as events:
        eval("1 + 1")
    assert "exec" in {name for name, _ in events}


# ------------------------------------------------------------------------------------------------- node classes

# Every class that ast.expr has had: a text that uses it and whether the language takes it.
NODE_CLASSES: dict[str, tuple[str, bool]] = {
    "BoolOp": ("x and x", True),
    "NamedExpr": ("(y := x)", False),
    "BinOp": ("x + x", True),
    "UnaryOp": ("-x", True),
    "Lambda": ("lambda: x", False),
    "IfExp": ("x if x else 1", True),
    "Dict": ("{x: x}", False),
    "Set": ("{x}", False),
    "ListComp": ("[y for y in x]", False),
    "SetComp": ("{y for y in x}", False),
    "DictComp": ("{y: y for y in x}", False),
    "GeneratorExp": ("(y for y in x)", False),
    "Await": ("await x", False),
    "Yield": ("(yield x)", False),
    "YieldFrom": ("(yield from x)", False),
    "Compare": ("x < 1", True),
    "Call": ("abs(x)", True),
    "FormattedValue": ("f'{x}'", False),
    "JoinedStr": ("f'a'", False),
    "TemplateStr": ("t'a'", False),
    "Interpolation": ("t'{x}'", False),
    "Constant": ("x + 1", True),
    "Attribute": ("math.sqrt(x)", True),
    "Subscript": ("(x + 1)[0]", False),
    "Starred": ("min(*x)", False),
    "Name": ("x", True),
    "List": ("[x]", False),
    "Tuple": ("x in (1, 2)", True),
    "Slice": ("x[1:2]", False),
}
OPERATORS: dict[str, tuple[str, bool]] = {
    "Add": ("x + 1", True), "Sub": ("x - 1", True), "Mult": ("x * 2", True), "MatMult": ("x @ 2", False),
    "Div": ("x / 1", True), "Mod": ("x % 2", True), "Pow": ("x ** 2", True), "LShift": ("x << 1", True),
    "RShift": ("x >> 1", True), "BitOr": ("x | 1", True), "BitXor": ("x ^ 1", True), "BitAnd": ("x & 1", True),
    "FloorDiv": ("x // 2", True), "Invert": ("~x", True), "Not": ("not x", True), "UAdd": ("+x", True),
    "USub": ("-x", True), "Eq": ("x == 1", True), "NotEq": ("x != 1", True), "Lt": ("x < 1", True),
    "LtE": ("x <= 1", True), "Gt": ("x > 1", True), "GtE": ("x >= 1", True), "Is": ("x is x", False),
    "IsNot": ("x is not x", False), "In": ("x in (1,)", True), "NotIn": ("x not in (1,)", True),
    "And": ("x and 1", True), "Or": ("x or 1", True),
}  # fmt: skip


def _concrete(*bases: type) -> set[str]:
    names: set[str] = set()
    for base in bases:
        kinds: list[type] = base.__subclasses__()
        names.update(kind.__name__ for kind in kinds)
    return names


def test_the_tables_name_every_node_class_of_this_python() -> None:
    assert _concrete(ast.expr) <= set(NODE_CLASSES)
    assert _concrete(ast.operator, ast.unaryop, ast.cmpop, ast.boolop) <= set(OPERATORS)


@pytest.mark.parametrize("name", [*NODE_CLASSES, *OPERATORS])
def test_every_node_class_is_accepted_or_rejected_by_name(name: str) -> None:
    text, accepted = (NODE_CLASSES | OPERATORS)[name]
    if accepted:
        results = element_outcomes(python_function(text), [DATA])
        assert_same(ao.map(DATA, text, typecode="d"), stored("d", results))
    else:
        with pytest.raises(ao.ExpressionError) as caught:
            ao.compile(text)
        assert caught.value.msg


# ---------------------------------------------------------------------------------------------- error positions

# text, the line, the 1-based columns at which the caret may stand: the offending piece begins there
CARETS: list[tuple[str, int, set[int]]] = [
    ("x + 'a'", 1, {5}), ("x + y.real", 1, {5, 7}), ("x + repr(y)", 1, {5}), ("x*(1 + [2])", 1, {8}),
    ("x + y[0:1]", 1, {5, 6}), ("x + (lambda: 1)", 1, {5, 6}), ("x is 1", 1, {1, 3}), ("x + None", 1, {5}),
    ("x + 1j", 1, {5}), ("abs(x, y)", 1, {1, 4, 8}), ("x + abs", 1, {5}), ("x +", 1, {1, 3, 4}), ("x + )", 1, {5}),
    ("x $ 1", 1, {3}), ("(x + 'a') * 2", 1, {6}), ("x if 'a' else 1", 1, {6}), ("min(x, 'ab', 3)", 1, {8}),
    ("x in (1, 'a')", 1, {6, 10}), ("x in (1, y)", 1, {6, 10}), ("(x +\n 'a')", 2, {2}),
    ("(x\n + 1\n + y.a)", 3, {4, 6}), ("x + {1}", 1, {5}), ("x @ y", 1, {1, 3}), ("x + math.nothing", 1, {5, 10}),
    ("x + math.nothing(y)", 1, {5, 10}), ("'\u00e9' + )", 1, {2, 7}), ("\u00e9\u00e9\u00e9 + )", 1, {1, 7}),
    ("\u5909\u6570 + x $", 1, {1, 8}), ("'\U0001f600\U0001f600' + x +", 1, {1, 2, 11}), ("x + (y := 1)", 1, {5, 6}),
    ("x + b'a'", 1, {5}), ("x + f'{x}'", 1, {5, 7, 8}), ("x + abs(*y)", 1, {5, 9}),
    ("\u00e9 + \u03c0*x + '\u00fc'", 1, {11}), ("(\u00e9\n+ \u03c0.x)", 2, {3}),
    ("x + abs(x=1)", 1, {5, 9}), ("(x + 1, 2)", 1, {1, 2}), ("x + nothing(1)", 1, {5}), ("x + 0777", 1, {5, 6, 7, 8}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "columns"), CARETS, ids=lambda value: ascii(value)[:30])
def test_the_caret_stands_under_the_offender(text: str, line: int, columns: set[int]) -> None:
    with pytest.raises(ao.ExpressionError) as caught:
        ao.compile(text)
    error = caught.value
    assert error.lineno == line
    assert error.offset in columns, (error.offset, error.msg)
    assert error.end_offset is None or error.end_offset >= 0
    assert error.text is not None and error.text.rstrip("\n") in (text, text.split("\n")[line - 1])


def test_the_caret_counts_characters_after_non_ascii_text() -> None:
    """Python's parser counts UTF-8 bytes; a caret stands under a character, here under the text or the first that is
    not ASCII in it."""
    for text in ("x if x else ('\u00e9\u00e9' + 'b')", "x + (1 if x else '\U0001f600')", "x + '\u00e9' * '\u00fc'"):
        with pytest.raises(ao.ExpressionError) as caught:
            ao.compile(text)
        first = text.index("'") + 1
        assert caught.value.offset in (first, first + 1)


def test_the_parameters_of_hostile_looking_but_fine_text() -> None:
    for text in ("x_1 + _y", "a1*b2", "lambda_ + None_", "self + cls"):
        assert list(ao.compile(text).params) == parameters(text)
