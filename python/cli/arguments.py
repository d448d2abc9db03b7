"""What the command line takes: its commands, their options, and what goes together.

Nothing here opens a file; what is wrong is a CliError whose message says what to write.
"""

import argparse
import difflib
import io
import os
import re
import struct
from collections import Counter
from contextlib import redirect_stdout
from typing import Any, BinaryIO, NoReturn

from .. import __version__
from ..compiler.machine import TYPECODES
from ..delimited import shorten
from . import completion
from .formats import FORMS
from .records import MOST_RECORD_BYTES, layout, named
from .streams import SKIP, ElementType, Missing, Number, parse_number, too_many_digits
from .tables import form_of
from .wav import Layout

LEFT_BEHIND = "A file .arrayops-*.tmp beside FILE is of a process that was killed, and safe to delete."
# Keywords of the functions called here: as a name in the expression they would be taken for the option.
RESERVED_NAMES = frozenset({"typecode", "out", "ieee", "threads", "initial", "nulls", "names"})
STREAMED = ("map", "filter", "reduce", "stats", "hist")
SUMMED = ("stats", "hist")
FILE_NAMES = (".csv", ".tsv", ".txt")  # the ends of names that no expression has
MOST_KEYS = 64  # as in python/glue/delimited.c
#: What each command does, and how it is used.
COMMANDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "map": (
        "compute an expression on every element or row",
        (
            'arrayops map "price*qty" sales.csv',
            'arrayops map --add total="price*qty" --select item sales.csv',
            'arrayops map "x*1.8 + 32" celsius.bin -t h --to d -o fahrenheit.bin',
            'arrayops map "x*0.5" song.wav --wav --to "<f" -o quiet.wav',
        ),
    ),
    "filter": (
        "keep the elements or rows for which an expression is true",
        (
            'arrayops filter "qty > 3 and region == 2" sales.csv',
            'arrayops filter "qty > 3" sales.csv --select item,qty --format json',
            'arrayops filter "x > 0" numbers.txt --text',
        ),
    ),
    "reduce": (
        "fold all elements or rows into one number by an expression of acc",
        ('arrayops reduce "acc + price*qty" --initial 0 sales.csv', 'arrayops reduce "acc*31 + x" --initial 7 f -t B'),
    ),
    "stats": (
        "print count, sum, mean, min, max and more",
        (
            "arrayops stats price --by region,item sales.csv",
            "arrayops stats sales.csv --missing skip --quartiles --format json",
            "arrayops stats samples.bin -t '<h'",
        ),
    ),
    "hist": (
        "draw a histogram",
        ("arrayops hist price sales.csv --bins 30 --log", "arrayops hist price sales.csv --plot prices.svg"),
    ),
    "explain": ("show what an expression is compiled to", ('arrayops explain "x*x + 1" -t h',)),
    "info": (
        "print version, limits and typecodes; with a file its columns, their kinds and what is missing",
        ("arrayops info", "arrayops info sales.csv", "arrayops info song.wav --wav --format json"),
    ),
}


_ALIKE = {
    "stats": ("sum", "mean", "avg", "average", "min", "max", "median", "count", "describe", "summary"),
    "filter": ("where", "grep"),
    "reduce": ("fold",),
    "map --select": ("cut", "select"),
    "map --add": ("add",),
    "hist": ("histogram", "plot"),
    "info": ("columns", "headers"),
}
#: What other programs call a command, and what it is here.
ELSEWHERE = {theirs: ours for ours, names in _ALIKE.items() for theirs in names}


class CliError(Exception):
    """Something the user can put right; the message is all that is shown."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are CliErrors, so that one place decides how errors look."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.suggest_on_error = False  # Python 3.15 would say what was meant, too, in other words

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '([^']*)'|unrecognized arguments: (--\S+)", message)
        known = [*completion.options(self), *COMMANDS, "help", "completion"]
        word = wrong and (wrong[1] or wrong[2])
        close = word and ([ELSEWHERE[word]] if word in ELSEWHERE else difflib.get_close_matches(word, known, 1))
        raise CliError(f"{message}{f'; did you mean {close[0]}?' if close else ''}\n{self.format_usage().rstrip()}")


def parse_arguments(argv: list[str], stdin: BinaryIO) -> argparse.Namespace | str:
    """The arguments, checked; or a text that they ask for."""
    shown = io.StringIO()
    parser, commands = build_parsers()
    if argv[:1] == ["help"]:
        argv = [*argv[1:2], "--help"]
    if argv[:1] == ["completion"]:
        return completion.script(argv[1:], commands)
    try:
        with redirect_stdout(shown):
            if not argv or argv[0] not in commands:
                parser.parse_args(argv)  # help, or an error that lists the commands
            # Intermixed, or an input file after an option would be refused as one argument too many.
            args = commands[argv[0]].parse_intermixed_args(protect_expression(argv[1:]))
    except SystemExit:
        return shown.getvalue()
    args.name = argv[0]
    check_arguments(args, stdin)
    return args


def help_text() -> str:
    """What `arrayops` alone shows."""
    return build_parsers()[0].format_help()


def protect_expression(argv: list[str]) -> list[str]:
    """Lets `map "-x"` through: argparse takes what begins with - for an option, but not with a space before it."""
    if argv and argv[0][:1] == "-" and argv[0][:2] not in ("-", "--", "-h", "-t", "-o", "-p"):
        return [" " + argv[0], *argv[1:]]
    return argv


def check_arguments(args: argparse.Namespace, stdin: BinaryIO) -> None:
    """Fills in what follows from other arguments and refuses what does not go together."""
    if vars(args).get("expression") is not None:
        args.expression = args.expression.lstrip(" ")
    if "input" not in args:
        return
    args.packed = args.record is not None or args.wav
    args.to = vars(args).get("to")
    args.is_table = args.table or args.packed or (args.type is None and not args.text and args.csv is None)
    check_records(args)
    args.is_text = args.text or args.csv is not None or args.is_table
    take_inputs(args, stdin)
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
    args.leave_out = args.name == "stats" and args.fill == SKIP
    if args.name == "info":
        args.fill = 0
        if args.input and not args.is_table:
            raise CliError("info is about tables, --record and --wav; of raw input and --text stats counts the numbers")
    if args.leave_out and args.is_table:
        args.fill = 0  # each column leaves out its own, and says how many
    args.names = dict(args.param) if "param" in args else {}
    if len(args.names) < len(vars(args).get("param", [])):
        raise CliError("a name is given twice with -p")
    try:
        args.form = form_of(args)
    except ValueError as error:
        raise CliError(str(error)) from None
    choose_format(args)


def choose_format(args: argparse.Namespace) -> None:
    """What is written: args.form_out; whether that is binary; whether an expression is that of each channel."""
    args.each_channel = args.is_binary = False
    if args.name not in ("map", "filter"):
        return
    of_rows = bool(args.name == "filter" or args.add or args.select)
    found = args.format
    if found is None and args.output.lower().endswith(".wav"):
        found = "wav"
    elif found is None:
        as_it_is = args.packed and not (args.add or args.select) and (of_rows or args.to)
        found = "raw" if as_it_is or not args.is_text else "text"
    if found == "text" and args.packed and of_rows:
        found = "csv"
    if found == "wav" and (not args.wav or len(args.inputs) > 1):
        asked = "--format wav" if args.format else f"-o {args.output}"
        raise CliError(f"{asked} writes the samples of one WAV file, which --wav reads")
    if found == "wav" and args.name == "map" and args.expression is not None:
        args.each_channel, args.select = True, []
    args.form_out, args.is_binary = found, found in ("raw", "wav")


def check_records(args: argparse.Namespace) -> None:
    """Packed records, and elements that are not side by side, which are records of one field."""
    spaced = any(value is not None for value in (args.stride, args.offset, args.count))
    args.layout = None
    if args.packed and args.type:
        raise CliError("--record and --wav say what the types of fields are: -t does not go with them")
    if (args.record is None) != (args.fields is None):
        raise CliError("--record and --fields go together: --record '<IhHfd' --fields t,a,b,c,d")
    if args.wav and spaced:
        raise CliError("--offset, --stride and --count do not go with --wav, whose header says where samples are")
    if args.record is not None:
        if args.stride is not None:
            raise CliError("--stride does not go with --record, whose format says how long a record is: x is a byte")
        try:
            args.layout = layout(args.record, args.fields, args.offset or 0, args.count)
        except (ValueError, struct.error) as error:
            raise CliError(str(error)) from None
    elif spaced and (args.type is None or args.is_table or args.text or args.csv is not None):
        raise CliError("--offset, --stride and --count are about raw input, which needs its type, for example -t d")
    elif spaced:
        stride = args.type.size if args.stride is None else args.stride
        if not args.type.size <= stride <= MOST_RECORD_BYTES:
            raise CliError(f"--stride is {stride} bytes; it must be {args.type.size} to {MOST_RECORD_BYTES}")
        args.layout = Layout((("x", args.type.format, 0),), stride, args.offset or 0, args.count)


def is_terminal(stream: Any) -> bool:
    return hasattr(stream, "isatty") and bool(stream.isatty())


def take_inputs(args: argparse.Namespace, stdin: BinaryIO) -> None:
    """Sorts out which of the arguments without option is the expression, and which are files."""
    added = vars(args).get("add") or []
    args.add = dict(added)
    if twice := [name for name, count in Counter(name for name, _ in added).items() if count > 1]:
        raise CliError(f"--add makes a column {twice[0]!r} twice: give one of them another name")
    args.select = vars(args).get("select")
    if "expression" in args:
        without = args.name == "map" and (args.add or args.select)
        if without and args.expression is not None:
            if args.expression != "-" and not os.path.exists(args.expression):
                raise CliError(f"{args.expression!r} is no file; --add NAME=EXPRESSION and --select say what is "
                               "written, so there is no other expression")  # fmt: skip
            args.input, args.expression = [args.expression, *args.input], None
        elif not without and args.expression is None:
            raise CliError("the following arguments are required: expression")
        elif os.path.isfile(args.expression or "") and not all(map(os.path.exists, args.input)):
            raise CliError(f"{args.expression!r} is a file; the expression comes before the files")
    if (args.add or args.select) and not args.is_table:
        raise CliError("--add and --select are about columns of a table, which has no -t, --text or --csv")
    args.wanted = []
    if args.name in SUMMED and args.is_table:
        args.wanted = [one for one in args.input if one != "-" and not os.path.exists(one)]
        args.input = [one for one in args.input if one not in args.wanted]
        if args.wanted and not args.input and is_terminal(stdin):
            raise CliError(f"{args.wanted[-1]!r} is no file, and standard input is a terminal; - reads from it")
        if lost := [one for one in args.wanted if one.endswith(FILE_NAMES) and not args.input]:
            raise CliError(f"{lost[0]!r}: No such file or directory")
    by = vars(args).get("by") or []
    if by and not args.is_table:
        raise CliError("--by is about columns of a table, which has no -t, --text or --csv")
    if len(by) > MOST_KEYS or len({*by}) < len(by):
        raise CliError(f"--by takes up to {MOST_KEYS} columns, and none twice")
    args.inputs = args.input or ["-"]


def build_parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of the whole and, by name, the one of each command."""
    parser = Parser(
        prog="arrayops",
        description="Python's arithmetic on files and pipes of numbers.",
        epilog="arrayops help COMMAND shows what a command takes; arrayops completion SHELL completes commands.",
    )
    parser.add_argument("--version", action="version", version=f"arrayops {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (described, examples) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=described,
            description=described,
            epilog="\n".join(["examples:", *(f"  {line}" for line in examples), "", LEFT_BEHIND * (name in STREAMED)]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if name in ("map", "filter", "reduce", "explain"):
            command.add_argument(
                "expression",
                nargs="?" if name == "map" else None,
                help='such as "x*1.8+32", or "price*qty" of columns; it comes right after the command',
            )
        if name in (*STREAMED, "info"):
            add_stream_options(command, name in SUMMED)
            add_format(command, name in ("map", "filter"))
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
            command.add_argument("--by", type=names, metavar="COLUMNS",
                                 help="of a table: for each text of this column, or of several, as a,b")  # fmt: skip
            command.add_argument("--quantile", type=orders, default=[], metavar="ORDERS",
                                 help="also quantiles, such as 0.1,0.9; they keep the numbers in memory")  # fmt: skip
            command.add_argument("--quartiles", action="store_true", help="the same as --quantile 0.25,0.5,0.75")
        if name == "hist":
            command.add_argument("--bins", type=line_count, default=20, metavar="NUMBER", help="default 20")
            command.add_argument("--log", action="store_true", help="bars as long as the logarithms of counts")
            command.add_argument("--plot", metavar="FILE", help="a picture instead: SVG, PNG, ... (needs matplotlib)")
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


def add_format(command: argparse.ArgumentParser, of_rows: bool) -> None:
    """--format; by default as the input is, where that has rows, and text of figures."""
    command.add_argument(
        "--format",
        choices=[*FORMS, "wav"] if of_rows else [*FORMS],
        default=None if of_rows else "text",
        help="of the output: by default that of the input, and WAV of --wav if FILE of -o ends with .wav" if of_rows
        else "default text",
    )  # fmt: skip


def add_stream_options(command: argparse.ArgumentParser, summed: bool) -> None:
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
    form.add_argument("--record", metavar="FORMAT", help="packed records, as in struct: '<IhHfd'; --fields names them")
    form.add_argument("--wav", action="store_true", help="a WAV file: names are x, or left and right, or ch1, ch2, ...")
    command.add_argument("--fields", type=named, metavar="NAMES", help="of --record: its fields' names, as t,a,b,c,d")
    raw = command.add_argument_group("where raw input is")
    raw.add_argument("--offset", type=line_count, metavar="BYTES", help="leave out the first BYTES bytes")
    raw.add_argument("--stride", type=line_count, metavar="BYTES", help="from one element to the next")
    raw.add_argument("--count", type=line_count, metavar="NUMBER", help="elements or records at most")
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
    """An int as Python writes it, also in hexadecimal, octal or binary; or a float."""
    spelled = text.strip().lstrip("+-")
    try:
        if spelled.isdecimal():
            return int(text)
        return int(text, 0) if spelled[:2].lower() in ("0x", "0o", "0b") else float(text)
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
    found = number(text)
    if not isinstance(found, int) or found < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return found
