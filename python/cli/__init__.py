"""The command line: ``main`` runs one command; see commands.py.

This module is so light that Ctrl-C while the rest is being imported ends the process as quietly as afterwards.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, TextIO

__all__ = ["main"]

INTERRUPTED = 128 + 2  # the shell's number for an end by SIGINT


def main(argv: list[str] | None = None, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None,
         stderr: TextIO | None = None) -> int:  # fmt: skip
    """Runs one command and returns its exit status: 0, or 2 after an error, or 128 + the signal that ended it."""
    try:
        if f"{__name__}.commands" not in sys.modules:
            _import_quietly()
        from .commands import main as run

        return run(argv, stdin, stdout, stderr)
    except KeyboardInterrupt:
        return INTERRUPTED


def _import_quietly() -> None:
    """Imports the commands. Nothing is begun yet, so Ctrl-C may end the process where it is: 130 to the shell."""
    import signal

    before = signal.getsignal(signal.SIGINT)
    try:
        # An exception would be printed and forgotten where it came out of a callback of an import.
        ours = before is signal.default_int_handler and signal.signal(signal.SIGINT, signal.SIG_DFL) is before
    except ValueError:  # not the main thread, which is the one that signals interrupt
        ours = False
    try:
        from . import commands  # noqa: F401
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)
