"""Runs one random `Case` through arrayops and through the oracle and says where they differ.

A case is called up to three times: with all its elements (so the exception and which one wins are compared), with
the elements whose evaluation raises taken out (so the store error is), and with only those that give a value that
fits (so the values are). A fold, whose elements depend on each other, is cut before the first that raises.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import arrayops as ao
from grammar import Case
from oracle import (
    INTEGER_CODES,
    Raised,
    Unspecified,
    difference,
    element_outcomes,
    expected_accumulate,
    expected_reduce,
    fold_function,
    kept,
    outcome,
    parameters,
    python_function,
    stored,
)


def differences(case: Case) -> list[str]:
    """One line for each way in which arrayops and Python differ on the case."""
    if case.api in ("reduce", "accumulate"):
        return [line for line in _fold_differences(case) if line]
    return [line for line in _elementwise_differences(case) if line]


# ------------------------------------------------------------------------------------------- element by element


def _elementwise_differences(case: Case) -> Iterator[str | None]:
    order = parameters(case.text)
    function = python_function(case.text, order)
    reduced = bool(case.inside)
    length = len(next(iter(case.arrays.values())))
    columns = [case.arrays[n] if n in case.arrays else itertools.repeat(case.numbers[n], length) for n in order]
    results = element_outcomes(function, columns)
    everything = [i for i in range(length) if not _is_unspecified(results[i])]
    quiet = [i for i in everything if not isinstance(results[i], Raised)]
    choices = [everything, quiet]
    if case.api != "filter":
        cell = array(_result_typecode(case, results))
        choices.append([i for i in quiet if not isinstance(outcome(cell.append, results[i]), Raised)])
    if reduced and len(everything) < length:
        return
    for k, chosen in enumerate(choices[:1] if reduced else choices):  # other elements would have another reduction
        if k == 0 or len(chosen) < len(choices[k - 1]):
            yield _compare_elements(case, chosen, [results[i] for i in chosen])


def _is_unspecified(result: Any) -> bool:
    return isinstance(result, Raised) and isinstance(result.error, Unspecified)


def _result_typecode(case: Case, results: Sequence[Any]) -> str:
    if case.typecode:
        return case.typecode
    if case.api != "evaluate":
        return case.arrays[case.positional[0]].typecode
    return {"f": "d", "b": "B"}.get(case.kind, "q")


def _compare_elements(case: Case, chosen: Sequence[int], results: Sequence[Any]) -> str | None:
    arrays = {name: array(a.typecode, [a[i] for i in chosen]) for name, a in case.arrays.items()}
    bound: dict[str, Any] = {name: given(a) for name, a in arrays.items()}
    bound |= {name: value for name, value in case.numbers.items() if name not in dict(case.inside)}
    positional = [bound[name] for name in case.positional]
    keywords = {name: value for name, value in bound.items() if name not in case.positional}
    if case.api == "filter":
        got = outcome(lambda: ao.filter(positional[0], case.given, *positional[1:], **keywords))
        return _tagged(case.api, got, kept(arrays[case.positional[0]], results), hint=False)
    typecode = _result_typecode(case, results)
    want = stored(typecode, results)
    hint = typecode in INTEGER_CODES and _certainly_float(results)
    if case.api == "map":
        got = outcome(lambda: ao.map(positional[0], case.given, *positional[1:], typecode=case.typecode, **keywords))
        return _tagged("map", got, want, hint)
    return _compare_evaluate(case, keywords, results, hint)


def given(values: array[Any]) -> array[Any] | range:
    """The array as it is given to arrayops: as a range where it has the elements of one."""
    if values.typecode != "q" or len(values) < 2 or values[0] == values[1]:
        return values
    step = values[1] - values[0]
    numbers = range(values[0], values[0] + step * len(values), step)
    return numbers if numbers[-1] == values[-1] and all(map(int.__eq__, numbers, values)) else values


def _certainly_float(results: Sequence[Any]) -> bool:
    """Whether a float result is refused before work is done: only element 0's exception would win over it."""
    values = [r for r in results if not isinstance(r, Raised)]
    first_raised = bool(results) and isinstance(results[0], Raised)
    return not first_raised and bool(values) and all(isinstance(v, float | complex) for v in values)


def _compare_evaluate(case: Case, keywords: dict[str, Any], results: Sequence[Any], hint: bool) -> str | None:
    want = stored(_result_typecode(case, results), results)
    if case.typecode is None and case.kind == "n":
        got = outcome(lambda: ao.evaluate(case.given, typecode="q", **keywords))
        return _tagged("evaluate typecode='q'", got, want, hint)
    got = outcome(lambda: ao.evaluate(case.given, typecode=case.typecode, **keywords))
    if case.typecode is None and case.kind == "i" and isinstance(got, array) and got.typecode == "B":
        got = array("q", got.tolist())  # every operand was a truth value: 'B' is as right as 'q'
    if case.typecode is None and case.kind == "i" and isinstance(want, Raised):
        unsigned = stored("Q", results)  # where 'q' does not hold them, but 'Q' does
        want = want if isinstance(unsigned, Raised) else unsigned
    return _tagged("evaluate", got, want, hint)


def _tagged(label: str, got: Any, want: Any, hint: bool) -> str | None:
    line = difference(got, want, hint)
    return None if line is None else f"{label}: {line}"


# ------------------------------------------------------------------------------------------------------- folds


def _fold_differences(case: Case) -> Iterator[str | None]:
    values = case.arrays["x"]
    steps = _steps_before_failure(case)
    if steps is None:
        return
    for length in sorted({len(values), steps}, reverse=True):
        cut = values[:length]
        if case.api == "reduce":
            got = outcome(ao.reduce, given(cut), case.text, *case.initial, **case.numbers)
            want = expected_reduce(case.text, cut, *case.initial, **case.numbers)
            yield _tagged(f"reduce of {length}", got, want, hint=False)
        else:
            yield _compare_accumulate(case, cut)


def _steps_before_failure(case: Case) -> int | None:
    """How many elements can be folded before one raises; None where the answer hangs on the sign of a NaN."""
    function = fold_function(case.text, case.numbers)
    values = list(case.initial) + case.arrays["x"].tolist()
    if not values:
        return 0
    acc, steps = values[0], 0 if case.initial else 1
    for x in values[1:]:
        acc = outcome(function, acc, x)
        if isinstance(acc, Raised):
            return None if _is_unspecified(acc) else steps
        steps += 1
    return steps


def _compare_accumulate(case: Case, values: array[Any]) -> str | None:
    keywords: dict[str, Any] = {"initial": case.initial[0]} if case.initial else {}
    typecode = case.typecode or values.typecode
    got = outcome(lambda: ao.accumulate(given(values), case.text, typecode=case.typecode, **keywords, **case.numbers))
    want = expected_accumulate(case.text, typecode, values, *case.initial, **case.numbers)
    floats = typecode in INTEGER_CODES and is_ever_float(case, values)
    return _tagged(f"accumulate of {len(values)}", got, want, hint=floats)


def is_ever_float(case: Case, values: array[Any]) -> bool:
    """Whether the fold gives a float before it raises anything at its first step."""
    initial = case.initial[0] if case.initial else None
    function = fold_function(case.text, case.numbers)
    running = itertools.accumulate(values, function, initial=initial)
    first = outcome(lambda: list(itertools.islice(running, 2)))
    return not isinstance(first, Raised) and any(isinstance(v, float) for v in first)
