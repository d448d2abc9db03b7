"""Writes the pages and tables that follow from the code: python docs/generate.py [--check]

With --check nothing is written; the exit status is 1 if a file is not what the code gives. Needs the installed package.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from arrayops import _machine
from arrayops.cli import streams
from arrayops.compiler import decode, evaluate, ir, parse
from arrayops.engine import segments

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))
import screens  # noqa: E402


def opcodes() -> str:
    """The page of opcodes: one row per operation, with the types it is built for."""
    rows = [
        "# Opcodes",
        "",
        "Written by docs/generate.py from `vm/ops.def`. *d* is the result, *a*, *b* and *c* the operands.",
        "",
        "| operation | types | meaning | may mark |",
        "|---|---|---|---|",
    ]
    for (name, meaning), ops in groupby(_machine.OPS, key=lambda op: (op["name"], op["meaning"])):
        group = list(ops)
        types = " ".join(op["type"] for op in group)
        rows.append(f"| `{name}` | {types} | {_cell(meaning)} | {'yes' if group[0]['faults'] else ''} |")
    return "\n".join(rows) + "\n"


def functions() -> str:
    """The table of functions."""
    rows = ["| function | arguments | Python's | result |", "|---|---|---|---|"]
    near = {*ir.ELEMENTARY1, *ir.ELEMENTARY2, "log", "hypot", "math.pow"} - {"fmod", "remainder"}
    for name, f in sorted(ir.FUNCTIONS.items()):
        if name == "fma" or not f.module:  # fma is new in 3.13; the page is one for all versions
            continue
        most = "or more" if f.most is None else f"to {f.most}"
        count = str(f.least) if f.least == f.most else f"{f.least} {most}"
        result = "by Python, each element" if f.by_python else "within one ULP" if name in near else "exact"
        result = "as `**`" if name == "pow" else result
        python = name if f.module == "builtins" or "." in name else f"math.{name}"
        if name in ir.METHODS:
            python = f"x.{name}()"
        if name in ir.NUMPY_FUNCTIONS:
            python = f"numpy.{name}"
        if name == "isclose":
            count += "; constants `rel_tol=`, `abs_tol=`"
        rows.append(f"| `{name}` | {count} | `{python}` | {result} |")
    rows.append("| `fma` | 3 | `math.fma` (Python 3.13) | by Python, each element |")
    rows.append("| `where` | 3 | `where(c, a, b)` is `a if c else b` | exact |")
    rows.append("| `clip` | 3 | `clip(x, lo, hi)` is `lo if x < lo else hi if x > hi else x` | exact |")
    for name, (number, text) in sorted(parse.FORMS.items()):
        params = "x, y" if number == 2 else "x"
        rows.append(f"| `{name}` | {number} | `{name}({params})` is `{_cell(text)}` | as these operators |")
    rows += [f"| `{alias}` | as `{name}` | `{name}` | |" for alias, name in sorted(parse.ALIASES.items())]
    rows += ["", "Constants: " + ", ".join(f"`{name}`" for name in ir.CONSTANTS) + "."]
    return "\n".join(rows)


def limits() -> str:
    """The table of limits."""
    named = {
        "characters of a text": parse.MAX_TEXT,
        "nesting of a text": parse.MAX_DEPTH,
        "operations of an expression": ir.MAX_NODES,
        "bits of an int in Python's evaluation of an element": evaluate.MAX_INT_BITS,
        "functions called inside each other and compiled as one": decode.MAX_INLINE,
        "instructions of a function, over all its ways": decode.MAX_STEPS,
        "bits of a constant in a pickled kernel": ir.MAX_CONST_BITS,
        "conditionals inside arms of conditionals in a pickled kernel": ir.MAX_ARMS,
        "arrays of one program": _machine.LIMITS["MAX_INPUTS"],
        "numbers and constants of one program": _machine.LIMITS["MAX_UNIFORMS"],
        "temporaries of one program": _machine.LIMITS["MAX_TEMPS"],
        "instructions of one program": _machine.LIMITS["MAX_INSTRS"],
        "numbers in the accumulator of a fold that the machine runs": _machine.LIMITS["MAX_ACCUMULATORS"],
        "threads of one run": _machine.LIMITS["MAX_THREADS"],
        "elements that a callable in a pipeline may be called ahead": segments.CHUNK,
        "bytes of a line of text on the command line": streams.MAX_LINE_BYTES,
    }
    return "\n".join(["| what | at most |", "|---|---|", *(f"| {what} | {n:,} |" for what, n in named.items())])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def between(page: str, name: str, text: str) -> str:
    """The page with the text between the markers of that name."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, rest = page.split(start)
    return head + start + "\n" + text + "\n" + end + rest.split(end)[1]


def pages() -> dict[Path, str]:
    """Every generated page, by its path."""
    language, limit = DOCS / "language.md", DOCS / "limits.md"
    return {
        DOCS / "opcodes.md": opcodes(),
        language: between(language.read_text(), "functions", functions()),
        limit: between(limit.read_text(), "limits", limits()),
        **screens.pages(),
    }


def main() -> int:
    """Writes or checks; the exit status."""
    check = "--check" in sys.argv[1:]
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if check:
            print(f"{path} is not what the code gives; run python docs/generate.py", file=sys.stderr)
        else:
            path.write_text(pages()[path])
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
