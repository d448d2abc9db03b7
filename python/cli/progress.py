"""How far the work is, on a terminal: by tqdm where that is installed, else by a line of text."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from importlib import import_module
from typing import Any, TextIO

PROGRESS_DELAY = 1.0
PROGRESS_INTERVAL = 0.2


def total_bytes(paths: list[str]) -> int | None:
    """The bytes of all files; None if one of them is not a regular one."""
    sizes = [os.path.getsize(path) if os.path.isfile(path) else None for path in paths]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def watched(chunks: Iterator[Any], position: Callable[[Any], int], total: int | None,
            stderr: TextIO) -> Generator[Any, None, None]:  # fmt: skip
    """Passes chunks on, with a tqdm bar on a terminal once the work has taken PROGRESS_DELAY seconds."""
    bar: Any = None
    undecided = stderr.isatty()
    began = time.monotonic()
    try:
        for chunk in chunks:
            yield chunk
            if undecided and time.monotonic() - began > PROGRESS_DELAY:
                bar, undecided = progress_bar(position(chunk), total, stderr), False
            if bar is not None:
                bar.update(position(chunk) - bar.n)
    finally:
        if bar is not None:
            bar.close()


def progress_bar(done: int, total: int | None, stderr: TextIO) -> Any:
    try:
        tqdm = import_module("tqdm")  # only here: to load it takes longer than most of our runs
    except ImportError:
        return PlainBar(done, total, stderr)
    return tqdm.tqdm(initial=done, total=total, unit="B", unit_scale=True, leave=False, file=stderr)


class PlainBar:
    """How far the work is, in one line of a terminal, without tqdm."""

    def __init__(self, done: int, total: int | None, stderr: TextIO) -> None:
        self.n, self.total, self.stderr = done, total, stderr
        self.shown = 0.0
        self.width = 0

    def update(self, count: int) -> None:
        """So many bytes more; several times a second is enough to be seen."""
        self.n += count
        if (now := time.monotonic()) - self.shown > PROGRESS_INTERVAL:
            self.shown = now
            done, total = self.n / 1e6, (self.total or 0) / 1e6
            of = f" of {total:.1f} MB, {min(100, int(100 * done / total))} %" if total else " MB"
            self.write(f"{done:.1f}{of}")

    def close(self) -> None:
        """Leaves an empty line."""
        self.write("")

    def write(self, text: str) -> None:
        """In place of what was shown before."""
        print(f"\r{text:{self.width}}\r{text}", end="", file=self.stderr, flush=True)
        self.width = len(text)
