"""Runs a random function through arrayops and through Python, one call per element, and says where they differ."""

from __future__ import annotations

import functools
import itertools
import random
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import arrayops as ao
from function_grammar import RandomFunction, random_function, random_step
from grammar import BITS_CAP, random_length, random_values
from oracle import FLOAT_CODES, TYPECODES, Raised, difference, element_outcomes, kept, outcome, stored

APIS = ("map", "map", "map2", "filter", "inplace", "reduce", "accumulate", "states")


@dataclass(frozen=True, slots=True)
class RandomCall:
    """An API, a function, its arrays, the typecode asked for, and what a fold begins with."""

    api: str
    case: RandomFunction
    arrays: list[array[Any]]
    typecode: str | None
    initial: Any = 1.0


def random_case(rng: random.Random) -> RandomCall:
    """Any call."""
    api = rng.choice(APIS)
    if api == "states":
        code = rng.choice(TYPECODES)
        function, initial = random_step(rng, "f" if code in FLOAT_CODES else "i")
        return RandomCall(api, function, [random_values(rng, code, random_length(rng))], None, initial)
    count = 2 if api in ("map2", "reduce", "accumulate") else rng.choice((1, 1, 1, 3))
    codes = [rng.choice(TYPECODES) for _ in range(count)]
    kinds = ["f" if code in FLOAT_CODES else "i" for code in codes]
    if api in ("reduce", "accumulate"):
        codes, kinds = codes[:1], ["f", kinds[0]]  # the accumulator is a float: an int could grow with every element
    names = dict(zip(("x", "y", "z"), kinds, strict=False))
    function = random_function(rng, names, "b" if api == "filter" and rng.random() < 0.7 else "")
    length = random_length(rng)
    arrays = [random_values(rng, code, length) for code in codes]
    return RandomCall(api, function, arrays, rng.choice(TYPECODES) if rng.random() < 0.6 else None)


def differences(call: RandomCall) -> list[str]:
    """One line for each way in which arrayops and Python differ."""
    function = call.case.function
    if call.api == "states":
        return [line for line in _states(function, call.arrays[0], call.initial) if line]
    if call.api in ("reduce", "accumulate"):
        return [line for line in _folds(call.api, function, call.arrays[0], call.typecode) if line]
    return [line for line in _elements(call.api, function, call.arrays, call.typecode) if line]


def _states(f: Callable[..., Any], values: array[Any], initial: Any) -> Iterator[str | None]:
    """The last tuple, the running first items, and all of them."""
    for length in sorted({len(values), _steps(f, values, initial)}, reverse=True):
        cut = values[:length]
        states = outcome(lambda cut=cut: list(itertools.accumulate(cut, f, initial=initial)))
        failed = isinstance(states, Raised)
        yield _tagged("reduce", outcome(ao.reduce, cut, f, initial), states if failed else states[-1])
        got = outcome(lambda cut=cut: ao.accumulate(cut, f, initial=initial, typecode="d"))
        yield _tagged("accumulate", got, states if failed else stored("d", [s[0] for s in states]))
        codes = tuple("d" if isinstance(v, float) else "q" for v in initial)
        got = outcome(lambda cut=cut, codes=codes: ao.accumulate(cut, f, initial=initial, typecode=codes))
        items = [states] if failed else [stored(c, [s[k] for s in states]) for k, c in enumerate(codes)]
        wrong = next((item for item in items if isinstance(item, Raised)), None)
        for k, item in enumerate(items):
            yield _tagged(f"item {k}", got if isinstance(got, Raised) else got[k], wrong or item)


def _elements(api: str, f: Callable[..., Any], arrays: list[array[Any]], typecode: str | None) -> Iterator[str | None]:
    """With all elements, with those that do not raise, and with those whose value fits besides."""
    results = element_outcomes(f, arrays)
    code = typecode if typecode and api != "inplace" else arrays[0].typecode
    everything = list(range(len(results)))
    quiet = [i for i in everything if not isinstance(results[i], Raised)]
    choices = [everything, quiet]
    if api != "filter":
        cell = array(code)
        choices.append([i for i in quiet if not isinstance(outcome(cell.append, results[i]), Raised)])
    for k, chosen in enumerate(choices):
        if k == 0 or len(chosen) < len(choices[k - 1]):
            yield _compare(api, f, [array(a.typecode, [a[i] for i in chosen]) for a in arrays], code,
                           [results[i] for i in chosen])  # fmt: skip


def _compare(
    api: str, f: Callable[..., Any], arrays: list[array[Any]], code: str, results: Sequence[Any]
) -> str | None:
    if api == "filter":
        return _tagged("filter", outcome(ao.filter, arrays[0], f, *arrays[1:]), kept(arrays[0], results))
    if api == "inplace":
        before = arrays[0][:]
        got = outcome(ao.map_inplace, arrays[0], f, *arrays[1:])
        done = _stored_before_failure(before, results)
        line = _tagged("inplace", got, done[1])
        return line or _tagged("inplace leaves", arrays[0], done[0])
    got = outcome(lambda: ao.map(arrays[0], f, *arrays[1:], typecode=code))
    return _tagged("map", got, stored(code, results))


def _stored_before_failure(values: array[Any], results: Sequence[Any]) -> tuple[array[Any], Any]:
    """What the loop leaves in the array, and its exception or None."""
    for i, result in enumerate(results):
        if isinstance(result, Raised):
            return values, result
        failed = outcome(values.__setitem__, i, result)
        if isinstance(failed, Raised):
            return values, failed
    return values, None


def _folds(api: str, f: Callable[..., Any], values: array[Any], typecode: str | None) -> Iterator[str | None]:
    steps = _steps(f, values, 1.0)
    grows = steps < len(values) and not isinstance(outcome(functools.reduce, f, values[: steps + 1], 1.0), Raised)
    for length in sorted({steps if grows else len(values), steps}, reverse=True):
        cut = values[:length]
        if api == "reduce":
            got = outcome(ao.reduce, cut, f, 1.0)
            yield _tagged("reduce", got, outcome(functools.reduce, f, cut, 1.0))
        else:
            code = typecode or values.typecode
            items = outcome(lambda cut=cut: list(itertools.accumulate(cut, f, initial=1.0)))
            want = items if isinstance(items, Raised) else stored(code, items)
            got = outcome(lambda cut=cut, code=code: ao.accumulate(cut, f, initial=1.0, typecode=code))
            yield _tagged("accumulate", got, want)


def _steps(f: Callable[..., Any], values: array[Any], acc: Any) -> int:
    """How many elements can be folded before one raises, or before an int grows beyond what is quick to compute."""
    for i, x in enumerate(values):
        acc = outcome(f, acc, x)
        if isinstance(acc, Raised) or (isinstance(acc, int) and acc.bit_length() > BITS_CAP):
            return i
    return len(values)


def _tagged(label: str, got: Any, want: Any) -> str | None:
    line = difference(got, want)
    return None if line is None else f"{label}: {line}"
