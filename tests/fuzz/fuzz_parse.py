"""Any text is refused with ExpressionError or becomes a kernel, nothing else, and with bounded work.

A mutation fuzzer over the texts of corpus/parse, guided by coverage where it can be had cheaply: a text that reaches a
new line of compiler/ joins the corpus of this run. With ``--atheris`` (if it is installed) libFuzzer does the guiding.

    python tests/fuzz/fuzz_parse.py [--count N] [--seconds S] [--seed K]

Work is counted, not timed: the events of tracing in compiler/ per text, which must stay below a bound that is a
constant plus so many for each character. A failure prints the text and the line that runs it again.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

import arrayops as ao
from arrayops.compiler.parse import MAX_TEXT

CORPUS = Path(__file__).parent / "corpus" / "parse"
#: Lines of compiler/ that a text may take. Most take up to 640 a character; x**x**x... of 80 powers takes 20,000, since
#: giving its many values registers is quadratic (program.py). The most that was met is printed.
WORK, WORK_PER_CHARACTER = 20_000, 60_000
PIECES = (
    "x", "y", "acc", "1", "0", "1.5", "1e400", "10**9", "0x7fffffffffffffff", "True", "pi", "math.pi", "math.",
    "(", ")", "[", "]", "{", "}", ",", ":", "+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "~",
    "@", "<", "<=", "==", "!=", " is ", " in ", " not in ", " not ", " and ", " or ", " if ", " else ", "lambda:",
    ":=", "sqrt(", "where(x,", "clip(x,1,2)", "min(", "max(", "int(", "round(x,", "pow(x,2,3)", "bool(", "float(",
    "abs(", "in (1,2)", "'a'", '"', "\\", "\n", "\t", "#", ";", "f'{x}'", "x.y", "x[0]", "__class__", "import os",
    "é", "\0", "\u200b", "\ud800", "_", "1_0", "1j", "...", "None", "await x", "yield", "*x", "**x", "x=1", "e",
    "nan", "inf", "gamma(", "999999999999999999999",
)  # fmt: skip


class Work:
    """Counts the lines of compiler/ that run, and remembers which did."""

    def __init__(self) -> None:
        self.lines = 0
        self.seen: set[tuple[str, int]] = set()
        self.new = False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self.local if "/compiler/" in frame.f_code.co_filename.replace("\\", "/") else None

    def local(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.lines += 1
            place = frame.f_code.co_name, frame.f_lineno
            if place not in self.seen:
                self.seen.add(place)
                self.new = True
        return self.local


def check(text: str) -> str:
    """Compiles one text, in each of the ways that texts are read; "" or what is wrong."""
    for read in (lambda: ao.compile(text), lambda: ao.explain(text, "i"), lambda: ao.evaluate(text, x=3, y=2.5)):
        try:
            read()
        except ao.ExpressionError as error:
            if error.text is not None and not 1 <= (error.offset or 1) <= len(error.text) + 1:
                return f"column {error.offset} of {error.text!r}"
        except (TypeError, ValueError, ArithmeticError) as error:
            if read.__code__.co_names[1] == "compile":
                return f"{type(error).__name__}: {error}"
        except BaseException as error:
            return f"{type(error).__name__}: {error}"
    return ""


def mutated(rng: random.Random, texts: list[str]) -> str:
    """A text made of one or two others."""
    text = rng.choice(texts)
    for _ in range(rng.randint(1, 4)):
        i, j = sorted(rng.randint(0, len(text)) for _ in range(2))
        kind = rng.randrange(7)
        if kind == 0:
            text = text[:i] + rng.choice(PIECES) + text[i:]
        elif kind == 1:
            text = text[:i] + rng.choice(PIECES) + text[j:]
        elif kind == 2:
            text = text[:i] + text[j:]
        elif kind == 3:
            text = text[:j] + text[i:]
        elif kind == 4:
            other = rng.choice(texts)
            k = rng.randint(0, len(other))
            text = text[:i] + other[k:]
        elif kind == 5:
            text = text[:i] + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) + text[i:]
        else:
            text = text[:i] + text[i:j] * rng.choice((2, 3, 40)) + text[j:]
    return text[: MAX_TEXT + 1]


def corpus() -> list[str]:
    """The texts that are kept, each in a file."""
    return [path.read_text(encoding="utf-8", errors="surrogateescape") for path in sorted(CORPUS.iterdir())]


def fuzz(count: int, seconds: float, seed: int) -> int:
    """Runs until the count or the time is reached, whichever comes first; 1 if a text was wrong."""
    rng, texts, work = random.Random(seed), corpus(), Work()
    until, most = time.monotonic() + seconds, 0.0
    pending = list(texts)
    for number in range(count):
        if time.monotonic() > until:
            count = number
            break
        text = pending.pop() if pending else mutated(rng, texts)
        work.lines, work.new = 0, False
        sys.settrace(work)
        try:
            wrong = check(text)
        finally:
            sys.settrace(None)
        allowed = WORK + WORK_PER_CHARACTER * len(text)
        most = max(most, work.lines / (WORK / WORK_PER_CHARACTER + len(text)))
        if not wrong and work.lines > allowed:
            wrong = f"{work.lines} lines for {len(text)} characters"
        if wrong:
            print(f"{text!r}: {wrong}\nrerun: python {__file__} --seed {seed} --count {number + 1}")
            return 1
        if work.new and len(text) < 300:
            texts.append(text)
    print(f"fuzz_parse: {count} texts from seed {seed}, {len(work.seen)} lines reached, "
          f"{most:.0f} lines a character at most")  # fmt: skip
    return 0


def with_atheris() -> None:
    """libFuzzer guides."""
    import atheris  # type: ignore[import-not-found]

    def one(data: bytes) -> None:
        wrong = check(data.decode("utf-8", "surrogateescape"))
        if wrong:
            raise AssertionError(wrong)

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], str(CORPUS)], one)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1 << 60)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # CPython's of texts such as "1is 2"
    if options.atheris:
        with_atheris()
    return fuzz(options.count, options.seconds, options.seed)


if __name__ == "__main__":
    raise SystemExit(main())
