"""The command line: `arrayops map|filter|reduce|stats|hist|explain|info`; see docs/command-line.md.

What always holds: the input is read chunk by chunk in bounded memory, and the answer is the one that the whole input
in one array would give; an error is one message on standard error, with its place in the input, and a status that
is not 0; an output file is replaced whole or not at all.

`main` can be called in-process with streams of one's own. Nothing here computes on numbers: kernels do, and Python.
"""

import argparse
import io
import itertools
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, TextIO

from .. import ExpressionError, Kernel, explain, reduce
from .. import map as map_array
from ..delimited import INT, Column, TextError
from ..engine.kernel import needs_no_tables, needs_parts, text_kernel
from .arguments import CliError, help_text, is_terminal, parse_arguments
from .describe import contents, installation
from .failures import (
    EXPECTED,
    Stopped,
    abandon,
    describe_os_error,
    describe_syntax,
    first_failure,
    standard,
    stop_on_signals,
)
from .formats import RawWriter, RowWriter, WavWriter, Write, spell, written
from .progress import total_bytes, watched
from .records import Records
from .streams import (
    Chunk,
    ElementType,
    Number,
    Numbers,
    StreamError,
    open_input,
    open_output,
    raw_bytes,
    raw_chunks,
    text_chunks,
    write_all,
)
from .summaries import counted, drawn, plain_summary, plotted, table_summary
from .tables import Bound, Inputs, column_chunks, fold_rows, shown, term, term_of, write_rows, write_values

OK, FAILED, BROKEN_PIPE = 0, 2, 128 + 13  # the shell's number for an end by SIGPIPE, on any system
MOST_BINS = 1000
QUARTILES = ["0.25", "0.5", "0.75"]


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


def fail(console: Console, message: str) -> int:
    print(f"arrayops: {message}", file=console.stderr)
    return FAILED


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
    needs_no_tables(kernel, "the input is read one number after the other")
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
        with table_output(args, console) as (inputs, out):
            write_rows(args, inputs, {}, out, keep)
        return
    kernel = elementwise(args)
    check_call(lambda: kernel.filter(args.type.elements(0), **args.names))
    transform(args, console, lambda data: kernel.filter(data, **args.names), args.type)


def run_map_table(args: argparse.Namespace, console: Console) -> None:
    """Writes the expression's value for every row; with --add or --select the rows."""
    terms = {name: term(text, args.names, args.ieee) for name, text in args.add.items()}
    one = None if args.expression is None else term(args.expression, args.names, args.ieee)
    with table_output(args, console) as (inputs, out):
        if one is None or args.each_channel:
            write_rows(args, inputs, {"": one} if one else terms, out, None)
        else:
            write_values(args, inputs, one, out)


@contextmanager
def table_output(args: argparse.Namespace, console: Console) -> Iterator[tuple[Inputs, RowWriter]]:
    """The inputs, and what writes the output."""
    with row_output(args, console, args.to) as out:
        yield table_inputs(args, console), out


@contextmanager
def row_output(args: argparse.Namespace, console: Console, kind: ElementType | None) -> Iterator[RowWriter]:
    """What writes the output in its form: raw numbers are of a kind."""
    if args.is_binary and args.output == "-" and is_terminal(console.stdout):
        raise CliError("the output is binary, and standard output is a terminal: -o FILE writes a file, a pipe is "
                       "fine, --format text writes numbers as text")  # fmt: skip
    with open_output(args.output, console.stdout) as stream:

        def write(data: bytes | memoryview) -> None:
            write_all(stream, data)
            if stream is console.stdout:
                stream.flush()  # the reader of a pipe need not wait for the next chunk

        out = writer(args, write, kind, stream if stream is not console.stdout and stream.seekable() else None)
        yield out
        out.end()


def writer(args: argparse.Namespace, write: Write, kind: ElementType | None, file: BinaryIO | None) -> RowWriter:
    """What writes the output in its form. file: the output, if that is one in which one can go back."""
    if args.form_out == "wav":
        return WavWriter(write, args.to.format if args.to else None, args.name == "map", file)
    if args.form_out == "raw" and kind is not None:
        return RawWriter(write, lambda values: raw_bytes(values, kind))
    return RowWriter(write, "text" if args.form_out == "raw" else args.form_out, args.decimals)


def table_inputs(args: argparse.Namespace, console: Console) -> Inputs:
    total = total_bytes(args.inputs)
    return Inputs(args, console.stdin, lambda chunks, position: watched(chunks, position, total, console.stderr))


def transform(
    args: argparse.Namespace, console: Console, compute: Callable[[Numbers], Numbers], kind: ElementType
) -> None:
    """Writes what `compute` makes of each chunk, as elements of `kind`."""
    with row_output(args, console, kind) as out, open_chunks(args, console) as chunks:
        out.begin([args.expression if args.name == "map" else "x"], None if out.form else b"")
        for chunk in chunks:
            out.values(on_chunk(chunk, compute))


def write_pieces(stream: BinaryIO, pieces: Iterator[bytes]) -> None:
    for piece in pieces:
        write_all(stream, piece)


def run_reduce(args: argparse.Namespace, console: Console) -> None:
    """Prints functools.reduce of the whole input: each chunk goes on from the exact Python number of the one before."""
    start: tuple[Number, ...] = () if args.initial is None else (args.initial,)
    with open_output(args.output, console.stdout) as stream:
        if args.is_table:
            one = term(args.expression, args.names, args.ieee)
            folded = fold_rows(args, table_inputs(args, console), one, start)
        else:
            folded = fold_chunks(args, console, start)
        if not folded:
            raise CliError(f"the input {'has no rows' if args.is_table else 'is empty'}: reduce needs --initial then")
        row = {args.expression: folded[0]}
        if args.format == "text":
            write_all(stream, f"{spell(folded[0])}\n".encode())
        else:
            write_pieces(stream, written([row], args.format))


def fold_chunks(args: argparse.Namespace, console: Console, state: tuple[Number, ...]) -> tuple[Number, ...]:
    """The same of numbers that are no table."""

    def fold(data: Numbers, *start: Number) -> Number:
        result: Number = reduce(data, args.expression, *start, ieee=args.ieee, **args.names)
        return result

    check_call(lambda: fold(args.type.elements(0), 0))
    with open_chunks(args, console) as chunks:
        for chunk in chunks:
            if len(chunk.data):
                state = (on_chunk(chunk, fold, *state),)
    return state


def run_stats(args: argparse.Namespace, console: Console) -> None:
    """Prints what len, math.fsum or sum, statistics.fmean, min and max give for the whole input at once."""
    quantiles = QUARTILES * args.quartiles + args.quantile
    with open_output(args.output, console.stdout) as stream:
        if args.is_table:
            groups = table_summary(args, table_inputs(args, console), quantiles)
            write_pieces(stream, written(groups, args.format, groups.names))
        else:
            with open_chunks(args, console) as chunks:
                row = plain_summary(args, chunks, quantiles)
            write_pieces(stream, written([row], args.format))


# ---- histograms ----------------------------------------------------------------------------------------------------


def run_hist(args: argparse.Namespace, console: Console) -> None:
    """Draws how many numbers there are in equal bins from the smallest to the largest."""
    if args.is_table and len(args.wanted) != 1:
        raise CliError("hist needs one column or expression of the table")
    if not 0 < args.bins <= MOST_BINS:
        raise CliError(f"--bins takes a number from 1 to {MOST_BINS}")
    one = args.wanted[0] if args.is_table else None
    again = total_bytes(args.inputs) is not None
    counts, edges = counted(lambda: parts_of(args, console, one), again, args.bins, args.nan)
    if args.plot:
        plotted(counts, edges, shown(one) if one else "x", args.log, args.plot)
        return
    with open_output(args.output, console.stdout) as stream:
        if args.format == "text":
            width = shutil.get_terminal_size().columns
            write_all(stream, drawn(counts, edges, width, args.log, can_draw_blocks(console)).encode())
        else:
            pairs = zip(itertools.pairwise(edges), counts, strict=True)
            write_pieces(stream, written([{"from": a, "to": b, "count": n} for (a, b), n in pairs], args.format))


def can_draw_blocks(console: Console) -> bool:
    """Whether the terminal can show more than ASCII; what is no terminal can."""
    encoding = getattr(sys.stdout, "encoding", None) if console.stdout is standard(sys.stdout) else None
    return encoding is None or "utf" in encoding.lower()


def parts_of(args: argparse.Namespace, console: Console, one: str | None) -> Iterator[Numbers]:
    """The numbers of the input, or of a column or an expression of a table, a part at a time."""
    if one is None:
        with open_chunks(args, console) as chunks:
            for chunk in chunks:
                if len(chunk.data):
                    yield chunk.data
        return
    inputs = table_inputs(args, console)
    for path in args.inputs:
        with inputs.open(path) as rows:
            bound = Bound(rows, {"": term_of(one, rows, args)}, args)
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
        index, first = first_failure(lambda n: compute(chunk.data[:n], *rest), len(chunk.data), error)
        raise CliError(f"{chunk.where(index)}: {type(first).__name__}: {first}") from None


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
    """Prints what there is: of the installation, or in files."""
    with open_output(args.output, console.stdout) as stream:
        rows = contents(args, table_inputs(args, console)) if args.input else [installation()]
        write_pieces(stream, written(rows, args.format))


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
