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
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, BinaryIO, NoReturn, TextIO

from .. import ExpressionError, Kernel, __version__, _machine, explain, reduce
from .. import map as map_array
from ..compiler import evaluate, parse
from ..compiler.machine import EXACT_FLOAT, ISA, ISA_LEVELS, TYPECODES
from ..delimited import TextError
from ..engine.figures import EXTREMES, NOTHING, SUMS, Gathered, as_floats, extremes, fsum, gather, joined
from ..engine.kernel import needs_parts, text_kernel
from .streams import (
    SKIP,
    Chunk,
    ElementType,
    Missing,
    Number,
    Numbers,
    StreamError,
    open_input,
    open_output,
    parse_number,
    raw_chunks,
    shorten,
    text_chunks,
    too_many_digits,
    write_all,
    write_raw,
    write_text,
)
from .summaries import Figures, Row, Summed, counted, drawn, numbers_of, plotted, written
from .tables import Bound, Inputs, Term, column_chunks, fold_rows, form_of, term, write_rows, write_values

OK, FAILED, BROKEN_PIPE = 0, 2, 128 + 13  # the shell's number for an end by SIGPIPE, on any system
PROGRESS_DELAY = 1.0
CARET_CONTEXT = 50
MOST_BINS = 1000
STREAMED = ("map", "filter", "reduce", "stats", "hist")
SUMMED = ("stats", "hist")
QUARTILES = ["0.25", "0.5", "0.75"]
LEFT_BEHIND = "A file .arrayops-*.tmp beside FILE is of a process that was killed, and safe to delete."
# Keywords of the functions called here: as a name in the expression they would be taken for the option.
RESERVED_NAMES = frozenset({"typecode", "out", "ieee", "threads", "initial", "nulls", "names"})
# What Python's own arithmetic raises on an element, or a call on names and types that do not fit.
EXPECTED = (ArithmeticError, TypeError, ValueError)


class CliError(Exception):
    """Something the user can put right; the message is all that is shown."""


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
    args = parse_arguments(argv, console)
    if args is not None:
        args.command(args, console)
    return OK


# ---- arguments -----------------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are CliErrors, so that one place decides how errors look."""

    def error(self, message: str) -> NoReturn:
        raise CliError(f"{message}\n{self.format_usage().rstrip()}")


def parse_arguments(argv: list[str], console: Console) -> argparse.Namespace | None:
    """Parses and checks the arguments; gives None if they asked for help, which is then printed."""
    shown = io.StringIO()
    parser, commands = build_parsers()
    try:
        with redirect_stdout(shown):
            if not argv or argv[0] not in commands:
                parser.parse_args(argv)  # help, or an error that lists the commands
            # Intermixed, or an input file after an option would be refused as one argument too many.
            args = commands[argv[0]].parse_intermixed_args(protect_expression(argv[1:]))
    except SystemExit:
        write_all(console.stdout, shown.getvalue().encode())
        console.stdout.flush()
        return None
    check_arguments(args, console)
    return args


def protect_expression(argv: list[str]) -> list[str]:
    """Lets `map "-x"` through: argparse takes what begins with - for an option, but not with a space before it."""
    if argv and argv[0][:1] == "-" and argv[0][:2] not in ("-", "--", "-h", "-t", "-o", "-p"):
        return [" " + argv[0], *argv[1:]]
    return argv


def check_arguments(args: argparse.Namespace, console: Console) -> None:
    """Fills in what follows from other arguments and refuses what does not go together."""
    if vars(args).get("expression") is not None:
        args.expression = args.expression.lstrip(" ")
    if "input" not in args:
        return
    args.is_table = args.table or (args.type is None and not args.text and args.csv is None)
    args.is_text = args.text or args.csv is not None or args.is_table
    take_inputs(args, console)
    if not args.is_text and args.skip:
        raise CliError("--skip counts lines, so it needs text: --text, --csv or --table")
    if not args.is_text and (args.na or args.missing is not None):
        raise CliError("--na and --missing are about numbers as text, so they need --text, --csv or --table")
    if not args.is_table:
        args.type = args.type or ElementType("d")
    instead = missing_value(args.missing, args.type or ElementType("d"))
    args.absent = Missing(args.na, instead)
    args.fill = "error" if instead is None else instead
    if args.type is None and instead not in (None, SKIP):
        args.fill = number(args.missing)  # an int where it is written as one
    args.leave_out = args.command is run_stats and args.fill == SKIP
    if args.leave_out and args.is_table:
        args.fill = 0  # each column leaves out its own, and says how many
    args.names = dict(args.param) if "param" in args else {}
    if len(args.names) < len(vars(args).get("param", [])):
        raise CliError("a name is given twice with -p")
    try:
        args.form = form_of(args)
    except ValueError as error:
        raise CliError(str(error)) from None


def is_terminal(stream: Any) -> bool:
    return hasattr(stream, "isatty") and bool(stream.isatty())


def take_inputs(args: argparse.Namespace, console: Console) -> None:
    """Sorts out which of the arguments without option is the expression, and which are files."""
    args.add = dict(vars(args).get("add") or ())
    args.select = vars(args).get("select")
    if "expression" in args:
        without = args.command is run_map and (args.add or args.select)
        if without and args.expression is not None:
            args.input, args.expression = [args.expression, *args.input], None
        elif not without and args.expression is None:
            raise CliError("the following arguments are required: expression")
    if (args.add or args.select) and not args.is_table:
        raise CliError("--add and --select are about columns of a table, which has no -t, --text or --csv")
    args.wanted = []
    if args.command in (run_stats, run_hist) and args.is_table:
        args.wanted = [one for one in args.input if one != "-" and not os.path.exists(one)]
        args.input = [one for one in args.input if one not in args.wanted]
        if args.wanted and not args.input and is_terminal(console.stdin):
            raise CliError(f"{args.wanted[-1]!r} is no file, and standard input is a terminal; - reads from it")
    if vars(args).get("by") is not None and not args.is_table:
        raise CliError("--by is about columns of a table, which has no -t, --text or --csv")
    args.inputs = args.input or ["-"]


def build_parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of the whole and, by name, the one of each command."""
    parser = Parser(prog="arrayops", description="Python's arithmetic on files and pipes of numbers.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, function, described in (
        ("map", run_map, "compute an expression on every element"),
        ("filter", run_filter, "keep the elements for which an expression is true"),
        ("reduce", run_reduce, "fold all elements into one number by an expression of acc and x"),
        ("stats", run_stats, "print count, sum, mean, min, max and more"),
        ("hist", run_hist, "draw a histogram"),
        ("explain", run_explain, "show what an expression is compiled to"),
        ("info", run_info, "print version, instruction-set level, limits and typecodes"),
    ):
        command = commands.add_parser(name, help=described, description=described, allow_abbrev=False)
        command.set_defaults(command=function)
        if name in ("map", "filter", "reduce", "explain"):
            command.add_argument(
                "expression",
                nargs="?" if name == "map" else None,
                help='such as "x*1.8+32", or "price*qty" of columns; it comes right after the command',
            )
        if name in STREAMED:
            add_stream_options(command, name in SUMMED)
        if name in STREAMED:
            command.add_argument(
                "-p",
                "--param",
                type=parameter,
                action="append",
                default=[],
                metavar="NAME=NUMBER",
                help="a number for a name in the expression; may be repeated",
            )
        if name in (*STREAMED, "explain"):
            command.add_argument("--ieee", action="store_true", help="inf and nan where Python raises on floats")
        if name in SUMMED:
            command.add_argument("--nan", choices=["skip"], help="leave nans out")
        if name == "stats":
            command.add_argument("--by", metavar="COLUMN", help="of a table: for each text of this column")
            command.add_argument("--quantile", type=orders, default=[], metavar="ORDERS",
                                 help="also quantiles, such as 0.1,0.9; they keep the numbers in memory")  # fmt: skip
            command.add_argument("--quartiles", action="store_true", help="the same as --quantile 0.25,0.5,0.75")
            command.add_argument("--format", choices=["text", "csv", "json"], default="text", help="default text")
        if name == "hist":
            command.add_argument("--bins", type=line_count, default=20, metavar="NUMBER", help="default 20")
            command.add_argument("--log", action="store_true", help="bars as long as the logarithms of counts")
            command.add_argument("--plot", metavar="FILE", help="a picture instead: SVG, PNG, ... (needs matplotlib)")
            command.add_argument("--format", choices=["text", "csv", "json"], default="text", help="default text")
        if name in ("map", "filter"):
            command.add_argument("--select", type=names, metavar="COLUMNS", help="of a table: columns to write, as a,b")
        if name == "map":
            command.add_argument(
                "--add",
                type=added_column,
                action="append",
                metavar="NAME=EXPRESSION",
                help="of a table: write rows with a column more; may be repeated, and takes the place of EXPRESSION",
            )
            command.add_argument("--to", type=element_type, metavar="TYPE", help="type of the output, default as input")
        if name == "reduce":
            command.add_argument("--initial", type=number, metavar="NUMBER", help="acc before the first element")
        if name == "explain":
            command.add_argument(
                "-t",
                "--type",
                type=element_type,
                action="append",
                metavar="TYPE",
                help="type of each array in turn, default d",
            )
    return parser, commands.choices


def add_stream_options(command: argparse.ArgumentParser, summed: bool) -> None:
    command.epilog = LEFT_BEHIND
    command.add_argument(
        "input",
        nargs="*",
        metavar="COLUMN or FILE" if summed else "FILE",
        help="input files; - or none is standard input" + ("; what is no file is a column of the table" * summed),
    )
    command.add_argument(
        "-t",
        "--type",
        type=element_type,
        metavar="TYPE",
        help=f"type of the input: one of {' '.join(TYPECODES)}, with < or > before it for little or big endian",
    )
    command.add_argument(
        "-o",
        "--output",
        default="-",
        metavar="FILE",
        help="output file, replaced only once all is written; - or none is standard output",
    )
    form = command.add_mutually_exclusive_group()
    form.add_argument("--text", action="store_true", help="one number per line instead of raw binary, in and out")
    form.add_argument("--csv", metavar="COLUMN", help="read one column of CSV: its name, or its number from 1")
    form.add_argument(
        "--table",
        action="store_true",
        help="a table with a header, whose columns are names in the expression; so is input of which nothing is said",
    )
    table = command.add_argument_group("what a table or CSV is like")
    table.add_argument("--delimiter", type=delimiter, default=",", metavar="CHAR",
                       help="default ,; ' ' for aligned columns, \\t for tabs")  # fmt: skip
    table.add_argument("--skip", type=line_count, default=0, metavar="LINES", help="leave out the first LINES lines")
    table.add_argument("--units-row", action="store_true", help="leave out the row behind the header")
    table.add_argument("--no-header", action="store_true", help="there is no header; columns are #1, #2, ...")
    table.add_argument("--comment", metavar="CHAR", help="leave out lines that begin with it")
    table.add_argument("--decimal", default=".", metavar="CHAR", help="decimal sign, default .")
    table.add_argument("--thousands", metavar="CHAR", help="sign between thousands")
    table.add_argument("--quote", default='"', metavar="CHAR", help="default \"; '' if there are no quotes")
    table.add_argument("--ragged", choices=["error", "skip", "fill"], default="error",
                       help="what becomes of rows with too few or too many fields")  # fmt: skip
    command.add_argument("--precision", type=line_count, dest="decimals", default=-1, metavar="DIGITS",
                         help="digits behind the point of floats in text; by default as many as it takes")  # fmt: skip
    command.add_argument(
        "--na",
        type=tokens,
        default=frozenset(),
        metavar="TOKENS",
        help="what stands for a missing number, such as NA,-,null; an empty cell of --csv does",
    )
    command.add_argument("--missing", metavar="WHAT", help="of missing numbers: error (the default), skip, or a number")


def tokens(text: str) -> frozenset[str]:
    return frozenset(token.strip() for token in text.split(",")) - {""}


def missing_value(text: str | None, kind: ElementType) -> Number | str | None:
    """What takes the place of a missing number: None for an error, SKIP, or a number that the type holds."""
    if text is None or text in ("error", SKIP):
        return SKIP if text == SKIP else None
    try:
        value: Number = parse_number(text, 0, kind)
        kind.elements(1)[0] = value
        return value
    except (TypeError, ValueError, OverflowError):
        raise CliError(f"--missing takes error, skip or a number of type {kind.code!r}, not {text!r}") from None


def element_type(text: str) -> ElementType:
    try:
        return ElementType.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def number(text: str) -> Number:
    read = int if text.strip().lstrip("+-").isdecimal() else float
    try:
        return read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            too_many_digits(text) or f"{shorten(text)!r} is not a number: {error}"
        ) from None


def parameter(text: str) -> tuple[str, Number]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER")
    if name in RESERVED_NAMES:
        raise argparse.ArgumentTypeError(f"{name!r} has a meaning of its own here; give the name another spelling")
    return name, number(value)


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def added_column(text: str) -> tuple[str, str]:
    name, equals, expression = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=EXPRESSION")
    return name.strip(), expression


def orders(text: str) -> list[str]:
    found = [order.strip() for order in text.split(",")]
    if not all(order.replace(".", "", 1).isdecimal() and 0 <= float(order) <= 1 for order in found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers from 0 to 1")
    return found


def delimiter(text: str) -> str:
    char = "\t" if text in ("\\t", "tab") else text
    if len(char) != 1 or char in '"\r\n\0':
        raise argparse.ArgumentTypeError(f"{text!r} is not one character; for a tab give \\t")
    return char


def line_count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines")
    return int(text)


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
        with table_output(args, console) as (inputs, write):
            write_rows(args, inputs, {}, write, keep)
        return
    kernel = elementwise(args)
    check_call(lambda: kernel.filter(args.type.elements(0), **args.names))
    transform(args, console, lambda data: kernel.filter(data, **args.names), args.type)


def run_map_table(args: argparse.Namespace, console: Console) -> None:
    """Writes the expression's value for every row; with --add or --select the rows."""
    terms = {name: term(text, args.names, args.ieee) for name, text in args.add.items()}
    one = None if args.expression is None else term(args.expression, args.names, args.ieee)
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
            names = names or [f"`{name}`" for name in numbers_of(rows) if name != args.by and "`" not in name]
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
    return raw_chunks(stream, args.type)


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
        return None
    return tqdm.tqdm(initial=done, total=total, unit="B", unit_scale=True, leave=False, file=stderr)


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
