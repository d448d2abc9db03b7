"""How the command line ends when something is wrong: messages, a caret under the place, signals, broken pipes."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NoReturn, TextIO, cast

from .. import ExpressionError

CARET_CONTEXT = 50
# What Python's own arithmetic raises on an element, or a call on names and types that do not fit.
EXPECTED = (ArithmeticError, TypeError, ValueError)


class Stopped(BaseException):
    """A signal asked the process to end; unwinds like KeyboardInterrupt, so that temporary files go."""


def first_failure(compute: Callable[[int], object], count: int, error: Exception) -> tuple[int, Exception]:
    """The first of so many elements at which it fails, and how.

    compute: does it for so many elements from the first. It is found by halving, since they fail if and only if the one
    is among them.
    """
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        try:
            compute(middle + 1)
            low = middle + 1
        except EXPECTED as earlier:
            high, error = middle, earlier
    return low, error


def describe_os_error(error: OSError) -> str:
    name = "" if error.filename is None else f"{error.filename!r}: "
    return f"{name}{error.strerror or error}"


def describe_syntax(error: ExpressionError) -> str:
    """The message, the line of the expression and a caret; of a long line only what is near the caret."""
    if error.text is None:  # the text is too long to be looked at
        return error.msg
    line = error.text.removesuffix("\n")
    at = max(0, min((error.offset or 1) - 1, len(line)))
    begin = max(0, at - CARET_CONTEXT)
    shown = line[begin : at + CARET_CONTEXT]
    indent = "".join(padding(char) for char in shown[: at - begin])
    return f"{error.msg}\n    {''.join(map(visible, shown))}\n    {indent}^"


def visible(char: str) -> str:
    """A character that is safe to show on a terminal and as wide as `padding` says."""
    return char if char.isprintable() and not unicodedata.combining(char) else "?"


def padding(char: str) -> str:
    return "  " if unicodedata.east_asian_width(char) in "WF" and char.isprintable() else " "


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into an exception for the time of a command, where this thread may set handlers."""

    def stop(signum: int, frame: object) -> NoReturn:
        raise Stopped(signum)

    old: dict[int, Any] = {}
    try:
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:
                old[getattr(signal, name)] = signal.signal(getattr(signal, name), stop)
    except ValueError:  # not the main thread
        pass
    try:
        yield
    finally:
        for signum, handler in old.items():
            signal.signal(signum, handler)


class Closed(io.RawIOBase):
    """A standard stream that the shell closed: nothing is read and nothing written."""

    def readinto(self, buffer: object) -> NoReturn:
        raise OSError(errno.EBADF, "standard input is closed")

    def write(self, data: object) -> NoReturn:
        raise OSError(errno.EBADF, "standard output is closed")


def standard(stream: TextIO | None) -> BinaryIO:
    """The bytes of a standard stream; of one that the shell closed reading and writing fails."""
    return cast(BinaryIO, Closed()) if stream is None else stream.buffer


def abandon(stdout: BinaryIO) -> None:
    """Points a standard output that cannot be written at nothing, or the interpreter would complain as it ends."""
    try:
        stdout.flush()
    except OSError:
        if stdout is standard(sys.stdout):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stdout.fileno())
            os.close(nothing)
