"""The command line: `arrayops map|filter|reduce|stats|explain|info`; see docs/command-line.md.

What always holds: the input is read chunk by chunk in bounded memory, and the answer is the one that the whole input
in one array would give; an error is one message on standard error, with its place in the input, and a status that
is not 0; an output file is replaced whole or not at all.

`main` can be called in-process with streams of one's own. Nothing here computes on numbers: kernels do, and Python.
"""

import argparse
import io
import itertools
import os
import platform
import shutil
import signal
import sys
import time
import unicodedata
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, BinaryIO, NoReturn, TextIO

from .. import ExpressionError, Kernel, __version__, _machine, explain, reduce
from .. import map as map_array
from ..compiler import evaluate, parse
from ..compiler.machine import EXACT_FLOAT, ISA, ISA_LEVELS, TYPECODES
from ..delimited import INT, Column, TextError
from ..engine.figures import EXTREMES, NOTHING, SUMS, Gathered, as_floats, extremes, fsum, gather, joined
from ..engine.kernel import needs_parts, text_kernel
from .arguments import CliError, help_text, is_terminal, parse_arguments
from .records import Records
from .streams import (
    Chunk,
    ElementType,
    Number,
    Numbers,
    StreamError,
    open_input,
    open_output,
    raw_chunks,
    text_chunks,
    write_all,
    write_raw,
    write_text,
)
from .summaries import Figures, Row, Summed, counted, drawn, numbers_of, plotted, written
from .tables import Bound, Inputs, Term, column_chunks, fold_rows, term, write_rows, write_values

OK, FAILED, BROKEN_PIPE = 0, 2, 128 + 13  # the shell's number for an end by SIGPIPE, on any system
PROGRESS_DELAY = 1.0
PROGRESS_INTERVAL = 0.2
CARET_CONTEXT = 50
MOST_BINS = 1000
QUARTILES = ["0.25", "0.5", "0.75"]
# What Python's own arithmetic raises on an element, or a call on names and types that do not fit.
EXPECTED = (ArithmeticError, TypeError, ValueError)


class Stopped(BaseException):
    """A signal asked the process to end; unwinds like KeyboardInterrupt, so that temporary files go."""


@dataclass(frozen=True, slots=True)
class Console:
    """The three standard streams, the first two of bytes."""

    stdin: BinaryIO
    stdout: BinaryIO
    stderr: TextIO


def main(
    argv: list[str] | None = None,
    stdin: BinaryIO | None = None,
    stdout: BinaryIO | None = None,
    stderr: TextIO | None = None,
) -> int:
    """Runs one command and returns its exit status: 0, or 2 after an error, or 128 + the signal that ended it."""
    console = Console(
        stdin or standard(sys.stdin), stdout or standard(sys.stdout), stderr or sys.stderr or io.StringIO()
    )
    try:
        with stop_on_signals():
            return run(sys.argv[1:] if argv is None else argv, console)
    except ExpressionError as error:
        return fail(console, describe_syntax(error))
    except (CliError, StreamError, TextError) as error:
        return fail(console, str(error))
    except BrokenPipeError:
        abandon(console.stdout)
        return BROKEN_PIPE
    except OSError as error:
        abandon(console.stdout)
        return fail(console, describe_os_error(error))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Stopped as stop:
        return 128 + int(stop.args[0])


def standard(stream: TextIO | None) -> BinaryIO:
    """The bytes of a standard stream; one that the shell closed is empty and takes everything, as for print()."""
    return io.BytesIO() if stream is None else stream.buffer


def run(argv: list[str], console: Console) -> int:
    if not argv:
        print(help_text(), end="", file=console.stderr)
        return FAILED
    args = parse_arguments(argv, console.stdin)
    if isinstance(args, str):
        write_all(console.stdout, args.encode())
        console.stdout.flush()
    else:
        RUN[args.name](args, console)
    return OK


# ---- commands on streams -------------------------------------------------------------------------------------------


def elementwise(args: argparse.Namespace) -> Kernel:
    """The kernel of the expression, for one part of the input after the other."""
    kernel = text_kernel(args.expression, args.names, ieee=args.ieee)
    needs_parts(kernel, "the input is read in parts")
    return kernel


def run_map(args: argparse.Namespace, console: Console) -> None:
    """Writes the expression's value for every element, in the type --to or the input's."""
    if args.is_table:
        run_map_table(args, console)
        return
    kernel = elementwise(args)
    to: ElementType = args.to or args.type
    check_call(lambda: kernel.map(args.type.elements(0), typecode=to.code, **args.names))
    transform(args, console, mapper(kernel, to, args.names), to)


def mapper(kernel: Kernel, to: ElementType, names: dict[str, Any]) -> Callable[[Numbers], Numbers]:
    """A function that maps one chunk; all chunks share its output array."""
    out = to.elements(0)

    def compute(data: Numbers) -> Numbers:
        nonlocal out
        if len(out) < len(data):
            out = to.elements(len(data))
        part = out[: len(data)]
        kernel.map(data, out=part, **names)
        return part

    return compute


def run_filter(args: argparse.Namespace, console: Console) -> None:
    """Writes the elements for which the expression is true, in the type of the input; of a table the rows."""
    if args.is_table:
        keep = term(args.expression, args.names, args.ieee)
        refuse_terminal(args, console, args.packed)
        with table_output(args, console) as (inputs, write):
            write_rows(args, inputs, {}, write, keep)
        return
    kernel = elementwise(args)
    check_call(lambda: kernel.filter(args.type.elements(0), **args.names))
    transform(args, console, lambda data: kernel.filter(data, **args.names), args.type)


def refuse_terminal(args: argparse.Namespace, console: Console, binary: bool) -> None:
    """Binary output makes no sense on a terminal, and can change how it behaves."""
    if binary and args.output == "-" and is_terminal(console.stdout):
        raise CliError("the output is binary, and standard output is a terminal: -o FILE writes a file, a pipe is "
                       "fine, --text reads and writes numbers as text")  # fmt: skip


def run_map_table(args: argparse.Namespace, console: Console) -> None:
    """Writes the expression's value for every row; with --add or --select the rows."""
    terms = {name: term(text, args.names, args.ieee) for name, text in args.add.items()}
    one = None if args.expression is None else term(args.expression, args.names, args.ieee)
    refuse_terminal(args, console, args.packed and args.to is not None)
    with table_output(args, console) as (inputs, write):
        if one is None:
            write_rows(args, inputs, terms, write, None)
        else:
            write_values(args, inputs, one, write)


@contextmanager
def table_output(args: argparse.Namespace, console: Console) -> Iterator[tuple[Inputs, Callable[[bytes], None]]]:
    """The inputs, and a function that writes a piece of the output."""
    with open_output(args.output, console.stdout) as stream:

        def write(data: bytes) -> None:
            write_all(stream, data)
            if stream is console.stdout:
                stream.flush()

        yield table_inputs(args, console), write


def table_inputs(args: argparse.Namespace, console: Console) -> Inputs:
    total = total_bytes(args.inputs)
    return Inputs(args, console.stdin, lambda chunks, position: watched(chunks, position, total, console.stderr))


def transform(
    args: argparse.Namespace, console: Console, compute: Callable[[Numbers], Numbers], kind: ElementType
) -> None:
    """Writes what `compute` makes of each chunk, as elements of `kind`."""
    refuse_terminal(args, console, not args.is_text)
    with open_output(args.output, console.stdout) as stream, open_chunks(args, console) as chunks:
        for chunk in chunks:
            result = on_chunk(chunk, compute)
            if args.is_text:
                write_text(stream, result, args.decimals)
            else:
                write_raw(stream, result, kind)
            if stream is console.stdout:
                stream.flush()  # the reader of a pipe need not wait for the next chunk


def run_reduce(args: argparse.Namespace, console: Console) -> None:
    """Prints functools.reduce of the whole input: each chunk goes on from the exact Python number of the one before."""

    if args.is_table:
        one = term(args.expression, args.names, args.ieee)
        with table_output(args, console) as (inputs, write):
            found = fold_rows(args, inputs, one, () if args.initial is None else (args.initial,))
            if not found:
                raise CliError("the input has no rows: reduce needs --initial then")
            write(f"{spell(found[0])}\n".encode())
        return

    def fold(data: Numbers, *start: Number) -> Number:
        result: Number = reduce(data, args.expression, *start, ieee=args.ieee, **args.names)
        return result

    check_call(lambda: fold(args.type.elements(0), 0))
    state: tuple[Number, ...] = () if args.initial is None else (args.initial,)
    with open_output(args.output, console.stdout) as stream, open_chunks(args, console) as chunks:
        for chunk in chunks:
            if len(chunk.data):
                state = (on_chunk(chunk, fold, *state),)
        if not state:
            raise CliError("the input is empty: reduce needs --initial then")
        write_all(stream, f"{spell(state[0])}\n".encode())


def run_stats(args: argparse.Namespace, console: Console) -> None:
    """Prints what len, math.fsum or sum, statistics.fmean, min and max give for the whole input at once."""
    quantiles = QUARTILES * args.quartiles + args.quantile
    with open_output(args.output, console.stdout) as stream:
        rows = table_stats(args, console, quantiles) if args.is_table else [plain_stats(args, console, quantiles)]
        write_all(stream, written(rows, args.format, spell).encode())


def plain_stats(args: argparse.Namespace, console: Console, quantiles: list[str]) -> Row:
    """Of numbers that are no table."""
    stats, kept = Summary(args.type, args.nan), Figures(bool(quantiles))
    with open_chunks(args, console) as chunks:
        for chunk in chunks:
            if len(chunk.data):
                stats.add(chunk.data)
                if quantiles:
                    kept.add(chunk.data, args.nan)
    try:
        row: Row = dict(stats.rows())
    except EXPECTED as error:
        raise CliError(f"{type(error).__name__}: {error}") from None
    return row | {name: value for name, value in kept.row(quantiles, args.nan).items() if name[0] == "q"}


def table_stats(args: argparse.Namespace, console: Console, quantiles: list[str]) -> list[Row]:
    """Of columns of tables, each column of numbers if none is said."""
    inputs, summed = table_inputs(args, console), Summed(args, bool(quantiles))
    names = args.wanted
    for path in args.inputs:
        with inputs.open(path) as rows:
            numbers = rows.names if args.packed else numbers_of(rows)
            names = names or [f"`{name}`" for name in numbers if name != args.by and "`" not in name]
            if not names:
                raise CliError(f"{rows.at()}no column has a number in its first row; say which are to be summed up")
            summed.add(rows, {shown(name): term(name, args.names, args.ieee) for name in names}, inputs)
    return summed.rows([shown(name) for name in names], quantiles)


def shown(name: str) -> str:
    """An expression as it is called in the output: a column by its name."""
    return name[1:-1] if name[:1] == name[-1:] == "`" and name.count("`") == 2 else name


# ---- histograms ----------------------------------------------------------------------------------------------------


def run_hist(args: argparse.Namespace, console: Console) -> None:
    """Draws how many numbers there are in equal bins from the smallest to the largest."""
    if args.is_table and len(args.wanted) != 1:
        raise CliError("hist needs one column or expression of the table")
    if not 0 < args.bins <= MOST_BINS:
        raise CliError(f"--bins takes a number from 1 to {MOST_BINS}")
    one = term(args.wanted[0], args.names, args.ieee) if args.is_table else None
    again = total_bytes(args.inputs) is not None
    counts, edges = counted(lambda: parts_of(args, console, one), again, args.bins, args.nan)
    if args.plot:
        plotted(counts, edges, shown(args.wanted[0]) if one else "x", args.log, args.plot)
        return
    with open_output(args.output, console.stdout) as stream:
        if args.format == "text":
            width = shutil.get_terminal_size().columns
            text = drawn(counts, edges, width, args.log, can_draw_blocks(console))
        else:
            pairs = zip(itertools.pairwise(edges), counts, strict=True)
            text = written([{"from": a, "to": b, "count": n} for (a, b), n in pairs], args.format, spell)
        write_all(stream, text.encode())


def can_draw_blocks(console: Console) -> bool:
    """Whether the terminal can show more than ASCII; what is no terminal can."""
    encoding = getattr(sys.stdout, "encoding", None) if console.stdout is standard(sys.stdout) else None
    return encoding is None or "utf" in encoding.lower()


def parts_of(args: argparse.Namespace, console: Console, one: Term | None) -> Iterator[Numbers]:
    """The numbers of the input, or of an expression of a table, a part at a time."""
    if one is None:
        with open_chunks(args, console) as chunks:
            for chunk in chunks:
                if len(chunk.data):
                    yield chunk.data
        return
    inputs = table_inputs(args, console)
    for path in args.inputs:
        with inputs.open(path) as rows:
            bound = Bound(rows, {"": one}, args)
            for count in inputs.chunks(rows):
                yield bound.computed(bound.read(), count, bound.values)[""]


def check_call(call: Callable[[], object]) -> None:
    """Makes the call on no elements, so that a wrong name or type is reported before any file is touched."""
    try:
        call()
    except ExpressionError:
        raise
    except EXPECTED as error:
        raise CliError(str(error)) from None


def on_chunk(chunk: Chunk, compute: Callable[..., Any], *rest: Number) -> Any:
    """Calls `compute` on the chunk's data; names the first element at which it fails."""
    try:
        return compute(chunk.data, *rest)
    except EXPECTED as error:
        if "pass typecode=" in str(error):  # about the expression and not about an element
            raise CliError(str(error).replace("pass typecode='d'", "use --to d")) from None
        index, first = first_failure(compute, chunk.data, rest, error)
        raise CliError(f"{chunk.where(index)}: {type(first).__name__}: {first}") from None


def first_failure(
    compute: Callable[..., Any], data: Numbers, rest: tuple[Number, ...], error: Exception
) -> tuple[int, Exception]:
    """Finds the first failing element by halving, since a prefix fails if and only if it holds that element."""
    low, high = 0, len(data) - 1
    while low < high:
        middle = (low + high) // 2
        try:
            compute(data[: middle + 1], *rest)
            low = middle + 1
        except EXPECTED as earlier:
            high, error = middle, earlier
    return low, error


@contextmanager
def open_chunks(args: argparse.Namespace, console: Console) -> Iterator[Iterator[Chunk]]:
    """The input files as chunks, with a progress bar over them."""
    total = total_bytes(args.inputs)
    with closing(watched(chunks_of(args, console), lambda chunk: chunk.position, total, console.stderr)) as shown:
        yield shown


def chunks_of(args: argparse.Namespace, console: Console) -> Generator[Chunk, None, None]:
    """The chunks of all files: elements and bytes are counted through."""
    start = position = 0
    for path in args.inputs:
        name = f"{path}, " if len(args.inputs) > 1 else ""
        elements = done = 0
        with open_input(path, console.stdin) as stream:
            for chunk in chunks_of_stream(args, stream, None if path == "-" else path):
                elements, done = chunk.start + len(chunk.data), chunk.position
                yield replace(chunk, start=start + chunk.start, position=position + done, name=name)
        start, position = start + elements, position + done


def chunks_of_stream(args: argparse.Namespace, stream: BinaryIO, name: str | None) -> Iterator[Chunk]:
    if args.csv is not None:
        return column_chunks(stream, name, args, args.form)
    if args.text:
        return text_chunks(stream, args.type, args.skip, args.absent)
    if args.layout is not None:
        return spaced_chunks(stream, name, args)
    return raw_chunks(stream, args.type)


def spaced_chunks(stream: BinaryIO, name: str | None, args: argparse.Namespace) -> Iterator[Chunk]:
    """Elements that are not side by side, or not all that there are."""
    records = Records(stream, name, args.form, args.layout)
    records.select([Column("x", 0, INT)])
    start = 0
    for count in records.chunks():
        data = records.column(0)
        yield Chunk(map_array(data, "x") if args.type.is_array else data, start, records.position)
        start += count


def total_bytes(paths: list[str]) -> int | None:
    """The bytes of all files; None if one of them is not a regular one."""
    sizes = [os.path.getsize(path) if os.path.isfile(path) else None for path in paths]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def spell(value: Number) -> str:
    """Python's repr; an integer of more digits than Python agrees to write in decimal is written in hexadecimal."""
    try:
        return repr(int(value) if isinstance(value, bool) else value)
    except ValueError:
        return hex(int(value))


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


# ---- statistics ----------------------------------------------------------------------------------------------------


class Summary:
    """Count, sum, mean, min and max of all chunks added, each what Python gives for one array of all elements."""

    def __init__(self, kind: ElementType, nan: str | None) -> None:
        self.kind, self.nan = kind, nan
        self.seen = NOTHING
        self.doubles = NOTHING  # the elements as doubles, which statistics.fmean makes of them before it adds

    def add(self, data: Numbers) -> None:
        found = gather(data, SUMS | EXTREMES, self.nan)
        self.seen = joined(self.seen, found)
        self.doubles = joined(self.doubles, found if self.kind.is_float else doubles(data, found))

    def rows(self) -> list[tuple[str, Number]]:
        """(name, value) in the order of printing; of no elements there is a count and a sum."""
        rows: list[tuple[str, Number]] = [("count", self.seen.count), ("sum", fsum(self.seen, self.kind.is_float))]
        if self.seen.count:
            low, high = extremes(self.seen)
            rows += [("mean", fsum(self.doubles, True) / self.seen.count), ("min", low), ("max", high)]
        return rows


def doubles(ints: Numbers, found: Gathered) -> Gathered:
    """What is gathered of ints as doubles; only those that are none have to be looked at again."""
    if found.low >= -EXACT_FLOAT and found.high <= EXACT_FLOAT:
        return as_floats(found)
    return gather(map_array(ints, "float(x)", typecode="d"), SUMS)


# ---- explain and info ----------------------------------------------------------------------------------------------


def run_explain(args: argparse.Namespace, console: Console) -> None:
    codes = [kind.code for kind in args.type or [ElementType("d")]]
    try:
        text = explain(args.expression, *codes, ieee=args.ieee)
    except ExpressionError:
        raise
    except EXPECTED as error:
        raise CliError(str(error)) from None
    write_all(console.stdout, (text.rstrip("\n") + "\n").encode())
    console.stdout.flush()


def run_info(args: argparse.Namespace, console: Console) -> None:
    limits = {
        "MAX_TEXT": parse.MAX_TEXT,
        "MAX_DEPTH": parse.MAX_DEPTH,
        "MAX_NODES": parse.MAX_NODES,
        "MAX_INT_BITS": evaluate.MAX_INT_BITS,
    }
    rows = [
        ("arrayops", __version__),
        ("python", f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}"),
        ("isa", f"{ISA}, of {' '.join(ISA_LEVELS)} on this machine"),
        ("native", "yes" if _machine.native() != "0" else "no"),
        ("limits", ", ".join(f"{name} {value}" for name, value in limits.items())),
        ("byte order", sys.byteorder),
        *(("type " + code, f"{_machine.TYPECODES[code]['size']} bytes") for code in TYPECODES),
    ]
    write_all(console.stdout, "".join(f"{name:10} {value}\n" for name, value in rows).encode())
    console.stdout.flush()


#: The functions of commands.
RUN: dict[str, Callable[[argparse.Namespace, Console], None]] = {
    "map": run_map,
    "filter": run_filter,
    "reduce": run_reduce,
    "stats": run_stats,
    "hist": run_hist,
    "explain": run_explain,
    "info": run_info,
}


# ---- errors and signals --------------------------------------------------------------------------------------------


def fail(console: Console, message: str) -> int:
    print(f"arrayops: {message}", file=console.stderr)
    return FAILED


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


def abandon(stdout: BinaryIO) -> None:
    """Points a standard output that cannot be written at nothing, or the interpreter would complain as it ends."""
    try:
        stdout.flush()
    except OSError:
        if stdout is standard(sys.stdout):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stdout.fileno())
            os.close(nothing)
