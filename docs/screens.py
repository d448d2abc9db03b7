"""Pictures of the command line at work, as SVG: what its commands print in a terminal of 80 columns.

generate.py writes them with the other pages that follow from the code, and says when the commands print something else.
"""

from __future__ import annotations

import io
import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from unittest import mock

from arrayops.cli import commands, progress

DOCS = Path(__file__).parent
COLUMNS = 80
CHARACTER, LINE, MARGIN = 8.4, 19, 14  # pixels
ROWS_OF_PROGRESS = 150_000

#: The pictures, by the names of their files: lines that are typed.
SCREENS = {
    "stats": ["arrayops stats volume nile.csv --quartiles", "arrayops stats volume --by dam nile.csv"],
    "hist": ["arrayops hist volume nile.csv --bins 12"],
    "caret": ['arrayops map "volume * math.sine(year)" nile.csv', 'arrayops map "volme * 2" nile.csv'],
    "progress": ['arrayops map "x*x" large.csv -o squares.txt'],
}


class Terminal(io.StringIO):
    """Standard error that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@contextmanager
def folder() -> Iterator[None]:
    """A working folder with the files of the examples."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as path:
        os.chdir(path)
        try:
            lines = (DOCS / "data" / "nile.csv").read_text().splitlines()
            rows = [line.split(",") for line in lines[1:]]
            named = [f"{year},{volume},{'after' if int(year) > 1902 else 'before'}" for year, volume in rows]
            Path("nile.csv").write_text("\n".join(["year,volume,dam", *named, ""]))
            Path("large.csv").write_text("x\n" + "12.25\n" * ROWS_OF_PROGRESS)
            yield
        finally:
            os.chdir(before)


def printed(line: str, of_progress: bool) -> str:
    """What a command prints, on standard output and standard error; of progress one moment."""
    out, err = io.BytesIO(), Terminal() if of_progress else io.StringIO()
    commands.main(shlex.split(line)[1:], io.BytesIO(), out, err)
    text = err.getvalue()
    if of_progress:
        shown = [part for part in text.split("\r") if "%" in part]
        text = shown[len(shown) // 2]
    return out.getvalue().decode() + text


def screen(name: str) -> str:
    """A picture as SVG."""
    of_progress = name == "progress"
    lines: list[str] = []
    delays = {"PROGRESS_DELAY": -1.0, "PROGRESS_INTERVAL": -1.0, "import_module": mock.Mock(side_effect=ImportError)}
    with folder(), mock.patch.dict(os.environ, {"COLUMNS": str(COLUMNS)}), mock.patch.multiple(progress, **delays):
        for line in SCREENS[name]:
            for text in (f"$ {line}", *printed(line, of_progress).splitlines()):
                lines += [text[i : i + COLUMNS] for i in range(0, len(text), COLUMNS)]
    return as_svg(lines)


def as_svg(lines: list[str]) -> str:
    """Lines of a terminal as a picture."""
    width, height = round(COLUMNS * CHARACTER + 2 * MARGIN), len(lines) * LINE + 2 * MARGIN
    rows = "".join(
        f'<text x="{MARGIN}" y="{MARGIN + LINE * (i + 1) - 5}" fill="{"#8fd18f" if line[:2] == "$ " else "#e6e6e6"}"'
        f' xml:space="preserve">{escape(line)}</text>\n'
        for i, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#1e2127"/>\n'
        f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">\n{rows}</g>\n</svg>\n'
    )


def pages() -> dict[Path, str]:
    """All pictures, by path."""
    return {DOCS / "plots" / f"screen-{name}.svg": screen(name) for name in SCREENS}
