"""What the playground answers: session.py, which the browser's Python runs, in this one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from platforms.pyodide import Examples

sys.path.insert(0, str(Path(__file__).parent.parent / "docs" / "static" / "playground"))
import session


def ask(operation: str, text: str, numbers: str, **more: Any) -> dict[str, str]:
    request = {"typecode": "", "result": "", "ieee": False, **more}
    answer: dict[str, str] = json.loads(
        session.answer(json.dumps({"operation": operation, "text": text, "numbers": numbers, **request}))
    )
    assert bool(answer["result"]) != bool(answer["error"])
    return answer


@pytest.mark.parametrize(
    ("numbers", "columns"),
    [
        ("1, 2\n3", {"x": "array('q', [1, 2, 3])"}),
        ("1;2.5", {"x": "array('d', [1.0, 2.5])"}),
        ("nan -inf", {"x": "array('d', [nan, -inf])"}),
        ("  7  ", {"x": "array('q', [7])"}),
        ("range(3)", {"x": "range(0, 3)"}),
        ("range( 9, 3 , -2)", {"x": "range(9, 3, -2)"}),
        ("price\n1\n2.5\n", {"price": "array('d', [1.0, 2.5])"}),
        ("unit price\n3\n4", {"unit price": "array('q', [3, 4])"}),
        ('item,price,qty\nnut,0.5,3\n"a, b",2,4', {"price": "array('d', [0.5, 2.0])", "qty": "array('q', [3, 4])"}),
        ("a\tb\n1\t2", {"a": "array('q', [1])", "b": "array('q', [2])"}),
        ("a;b\n1;2", {"a": "array('q', [1])", "b": "array('q', [2])"}),
        ("a b\n1 2", {"a": "array('q', [1])", "b": "array('q', [2])"}),
        ("a\r\n1\r\n2", {"a": "array('q', [1, 2])"}),
    ],
)
def test_numbers(numbers: str, columns: dict[str, str]) -> None:
    assert {name: repr(values) for name, values in session.columns_of(numbers, "").items()} == columns


@pytest.mark.parametrize(
    ("numbers", "code", "text"),
    [
        ("1 2", "d", "array('d', [1.0, 2.0])"),
        ("p\n1\n2", "f", "array('f', [1.0, 2.0])"),
        ("range(2)", "B", "array('B', [0, 1])"),
    ],
)
def test_a_typecode_is_taken(numbers: str, code: str, text: str) -> None:
    (values,) = session.columns_of(numbers, code).values()
    assert repr(values) == text


@pytest.mark.parametrize(
    ("arguments", "call", "result"),
    [
        (("map", "x*x + 1", "1 2"), "x = array('q', [1, 2])\nao.map(x, 'x*x + 1')", "array('q', [2, 5])"),
        (("map", "p*q", "q,p\n2,0.5"), "p = array('d', [0.5])\nq = array('q', [2])\nao.map(p, 'p*q', q=q)",
         "array('d', [1.0])"),
        (("map", "x + 1", "unit price\n3"), "x = array('q', [3])\nao.map(x, 'x + 1')", "array('q', [4])"),
        (("filter", "x > 1", "range(4)"), "x = range(0, 4)\nao.filter(x, 'x > 1')", "array('q', [2, 3])"),
        (("count", "x > 1", "range(4)"), "x = range(0, 4)\nao.count(x, 'x > 1')", "2"),
        (("reduce", "acc*10 + x", "1 2 3"), "x = array('q', [1, 2, 3])\nao.reduce(x, 'acc*10 + x')", "123"),
        (("reduce", "acc + x*q", "p,q\n1,2\n3,4"), "p = array('q', [1, 3])\nq = array('q', [2, 4])\n"
         "ao.reduce(p, 'acc + x*q', q=q)", "13"),
        (("reduce", "acc + x", "a,x\n1,2\n3,4"), "x = array('q', [2, 4])\nao.reduce(x, 'acc + x')", "6"),
        (("accumulate", "acc + x", "1 2 3"), "x = array('q', [1, 2, 3])\nao.accumulate(x, 'acc + x')",
         "array('q', [1, 3, 6])"),
    ],
)  # fmt: skip
def test_calls(arguments: tuple[str, str, str], call: str, result: str) -> None:
    answer = ask(*arguments)
    assert (answer["call"], answer["result"]) == (call, result)
    assert answer["explained"].startswith("compiled\n") and " ms" in answer["note"]


def test_options() -> None:
    answer = ask("map", "1 / x", "0.0 4.0", ieee=True, result="f")
    assert answer["call"].endswith("ao.map(x, '1 / x', ieee=True, typecode='f')")
    assert answer["result"] == "array('f', [inf, 0.25])"
    assert ask("reduce", "acc + x", "1 2", result="d")["result"] == "3"  # has no typecode


def test_long_results_are_cut() -> None:
    answer = ask("map", "x + 1", "range(1000000)")
    assert answer["call"].startswith("x = range(0, 1000000)\n")
    assert answer["result"].endswith(", 1000, ...])") and "the first 1,000 of 1,000,000 are shown" in answer["note"]
    assert ask("map", "x", " ".join(["1"] * 7))["call"].startswith("x = array('q', [1, 1, 1, 1, 1, 1, ...])\n")


@pytest.mark.parametrize(
    ("text", "numbers", "error"),
    [
        ("x*sine(x)", "1", "    x*sine(x)\n      ^^^^\narrayops.compiler.parse.ExpressionError: unknown function"),
        ("x", "1 2 three", "ValueError: 'three' (number 3 of 3) is not a number"),
        ("x", "", "ValueError: there are no numbers yet"),
        ("x", "name\n", "ValueError: 'name' (number 1 of 1) is not a number"),
        ("x", "name\nnut", "ValueError: no column begins with a number below its name"),
        ("x", "p\n1\nnut", "line 3, column 'p': 'nut' is not a number"),
        ("x", "range(99999999)", "ValueError: 99,999,999 numbers are too many here; 10,000,000 are taken"),
        ("x", "range(1, 2, 0)", "ValueError: range() arg 3 must not be zero"),
        ("x", "9" * 30, "OverflowError"),
        ("", "1", "the expression is empty"),
        ("2", "1", "TypeError: '2' has no name left for the array"),
        ("x + y", "1", "TypeError: 'x + y' needs 2 values"),
        ("1 / x", "1.0 0", "ZeroDivisionError: division by zero\nelement 1"),
        ("__import__('os')", "1", "ExpressionError"),
    ],
)  # fmt: skip
def test_errors(text: str, numbers: str, error: str) -> None:
    assert error in ask("map", text, numbers)["error"].replace("float division", "division")


def test_every_example_of_the_page_is_answered() -> None:
    examples = Examples().found
    assert {example["operation"] for example in examples} >= {"map", "filter", "reduce", "accumulate"}
    assert {*examples[0]} == {"operation", "text", "numbers", "typecode", "result", "ieee"}
    answers = [ask(**example) for example in examples]
    assert sum(bool(answer["error"]) for answer in answers) == 3
