"""Calls of one function by several threads, where Python has no GIL and the caller asked for so many threads.

What always holds: what becomes of the results, and which exception there is, is decided afterwards, in the order of
the elements, by whoever would have made the calls: so it is what one thread would leave. Nothing is called behind an
element that is known to have raised, but what other threads have begun.
"""

from __future__ import annotations

import contextvars
import itertools
import sys
import threading
from collections.abc import Callable
from typing import Any

from .. import _machine
from .common import sliceable
from .passes import rows_of

CHUNK = 256  # elements that a thread takes at a time


def gil_is_off() -> bool:
    """Whether threads run Python beside each other."""
    return not getattr(sys, "_is_gil_enabled", lambda: True)()


class _Calls:
    """The results of a function for each row, in chunks that threads take in turn."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], count: int) -> None:
        self.function = function
        self.args = [a if isinstance(a, (int, float, tuple)) else sliceable(a) for a in args]
        self.results: dict[int, list[Any]] = {}  # by the first element of a chunk, as the errors
        self.errors: dict[int, BaseException] = {}
        self.next, self.end = 0, count  # no chunk is begun at `end` or behind it
        self.lock = threading.Lock()

    def run(self) -> None:
        """Does chunks until there are none."""
        while True:
            with self.lock:
                first, self.next = self.next, self.next + CHUNK
            if first >= self.end:
                return
            self._chunk(first)

    def _chunk(self, first: int) -> None:
        done = self.results[first] = []
        part = (a if isinstance(a, (int, float, tuple)) else a[first : first + CHUNK] for a in self.args)
        try:
            for row in rows_of(tuple(part)):
                done.append(self.function(*row))
        except BaseException as error:
            self.errors[first] = error
            self.stop(first)

    def stop(self, first: int) -> None:
        """Has nothing more begun from there on."""
        with self.lock:
            self.end = min(self.end, first)


class _Given:
    """In place of the function, when it has been called: what it gave, and the first exception where it was raised."""

    def __init__(self, calls: _Calls) -> None:
        firsts = sorted(first for first in calls.results if first <= calls.end)
        self.values = itertools.chain.from_iterable(calls.results[first] for first in firsts)
        self.error = calls.errors.get(calls.end)

    def __call__(self, *row: Any) -> Any:
        for value in self.values:
            return value
        error, self.error = self.error, None
        assert error is not None, "as many are asked for as there are"
        try:
            raise error
        finally:
            error = None  # or this frame and the exception would hold each other


def called_ahead(function: Callable[..., Any], args: tuple[Any, ...], number: int) -> Callable[..., Any]:
    """What gives, one after the other, what so many threads got from ``function`` for each row.

    It is the function itself if Python has its GIL, for few elements, and for arrays of different lengths, which its
    caller refuses.
    """
    if not gil_is_off():
        return function
    counts = {_machine.buffer_info(a)[2] for a in args if not isinstance(a, (int, float, tuple))}
    if len(counts) > 1 or max(counts) <= CHUNK:
        return function
    calls, others = _Calls(function, args, counts.pop()), list[threading.Thread]()
    try:
        for _ in range(number - 1):
            thread = threading.Thread(target=contextvars.copy_context().run, args=(calls.run,))
            try:
                thread.start()
            except RuntimeError:
                break  # there are no more to be had
            others.append(thread)
        calls.run()
    except BaseException:
        calls.stop(0)
        raise
    finally:
        for thread in others:
            thread.join()
    return _Given(calls)
