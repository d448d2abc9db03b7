"""How the command line helps: help, versions, misspelt words, completion, terminals."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import arrayops
import pytest
from arrayops.cli import arguments, commands
from test_cli_records import wav
from test_cli_tables import bad, good, run

COMMANDS = [*arguments.COMMANDS]


def test_no_arguments_are_a_call_for_help() -> None:
    status, out, err = run()
    assert (status, out) == (2, "")
    assert err.startswith("usage: arrayops") and all(f"    {name} " in err for name in COMMANDS)


def test_version() -> None:
    assert good("--version") == f"arrayops {arrayops.__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name: str) -> None:
    text = good("help", name)
    assert text == good(name, "--help") == good(name, "-h")
    assert text.startswith(f"usage: arrayops {name} ")
    assert all(f"  {example}\n" in text for example in arguments.COMMANDS[name][1])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_of_help_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sales.csv").write_text("item,price,qty,region\nnut,0.25,100,1\nbolt,1.5,40,2\nscrew,,7,2\n")
    Path("numbers.txt").write_text("1.5\n-2\n")
    for raw in ("celsius.bin", "samples.bin", "f"):
        Path(raw).write_bytes(struct.pack("<4h", -40, 0, 37, 100))
    Path("song.wav").write_bytes(wav(2, 2, struct.pack("<4h", 1, -1, 2, -2)))
    for example in arguments.COMMANDS[name][1]:
        if "--plot" in example:  # test_hist_as_a_picture
            continue
        program, *argv = shlex.split(example)
        missing = (
            ["--missing", "0"] if "sales.csv" in argv and name not in ("info",) and "--missing" not in argv else []
        )
        before = {*os.listdir()}
        assert program == "arrayops"
        out = good(*argv, *missing)
        assert out or {*os.listdir()} > before  # it writes something, or a file


def test_help_of_all() -> None:
    assert good("help") == good("--help")
    assert "invalid choice: 'nothing'" in bad("help", "nothing")


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        (["mapp", "x"], "did you mean map?"),
        (["stat"], "did you mean stats?"),
        (["sum", "price", "a.csv"], "did you mean stats?"),
        (["cut", "a"], "did you mean map --select?"),
        (["help", "filtre"], "did you mean filter?"),
        (["hepl"], "did you mean help?"),
        (["map", "x", "--missin", "skip"], "did you mean --missing?"),
        (["stats", "--quantil=3"], "did you mean --quantile?"),
    ],
)
def test_misspelt_words(argv: list[str], meant: str) -> None:
    message = bad(*argv)
    assert meant in message and message.count("mean") == 1  # Python 3.15's argparse would say it, too


def test_files_and_expressions_in_another_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("x\n1\n")
    assert bad("map", "a.csv", "x*2") == "'a.csv' is a file; the expression comes before the files"
    assert bad("stats", "x", "b.csv") == "'b.csv': No such file or directory"
    assert bad("map", "--select", "xx", "a.csv").endswith("did you mean 'x'?")
    Path("x").write_text("x\n3\n")  # a file that is called as a column is
    assert good("map", "x", "a.csv", "x") == "1\n3\n"


def test_misspelt_columns() -> None:
    text = "item,price,region\na,1,n\n"
    for argv in (["stats", "price", "--by", "regoin"], ["filter", "1", "--select", "regoin"], ["map", "regoin"]):
        assert bad(*argv, stdin=text).endswith("; did you mean 'region'?")


def test_words_that_are_like_nothing() -> None:
    assert "did you mean" not in bad("xyzzy")
    assert "did you mean" not in bad("map", "x", "--xyzzyx")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0xff", "255"),
        ("0o17", "15"),
        ("0b101", "5"),
        ("-0x10", "-16"),
        ("007", "7"),
        ("1e3", "1000.0"),
        ("1_0", "10.0"),
    ],
)
def test_numbers_in_options(text: str, value: str) -> None:
    assert float(good("reduce", "acc", f"--initial={text}", "--text", stdin="1\n")) == float(value)
    if text[0] != "-" and "e" not in text and "_" not in text:
        assert good("map", "x", "--text", "--skip", text, stdin="0\n" * int(value) + "8\n") == "8.0\n"


@pytest.mark.parametrize("text", ["0xzz", "0x", "-1", "1.5", "two"])
def test_numbers_of_lines_that_are_none(text: str) -> None:
    assert "--skip" in bad("map", "x", "--text", f"--skip={text}")


# -- completion --------------------------------------------------------------------------------------------------------


def completed(*words: str) -> list[str]:
    """What bash offers for the last of the words."""
    script = good("completion", "bash")
    quoted = " ".join(f"'{word}'" for word in words)
    script += f'COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _arrayops; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_completion_in_bash() -> None:
    assert completed("arrayops", "st") == ["stats"]
    assert set(COMMANDS) < set(completed("arrayops", ""))
    assert completed("arrayops", "stats", "--qua") == ["--quantile", "--quartiles"]
    assert "--quantile" not in completed("arrayops", "map", "--")
    assert completed("arrayops", "explain", "--ie") == ["--ieee"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_know_every_option(shell: str) -> None:
    script = good("completion", shell)
    for name in COMMANDS:
        for option in re.findall(r"^  (?:-\w(?: \S+)?, )?--([a-z-]+)", good("help", name), re.MULTILINE):
            assert option in script
    if shutil.which(shell):
        subprocess.run([shell, "-n", "/dev/stdin"], input=script, text=True, check=True)


def test_completion_of_no_shell() -> None:
    assert good("completion").startswith("usage: arrayops completion bash|zsh|fish")
    assert "fish" in good("completion", "tcsh")


# -- terminals ---------------------------------------------------------------------------------------------------------


class Screen(io.BytesIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("argv", [["map", "x"], ["filter", "x"]])
def test_raw_numbers_are_not_written_to_a_terminal(argv: list[str]) -> None:
    err: Any = io.StringIO()
    out = Screen()
    assert commands.main([*argv, "-t", "B"], io.BytesIO(b"\1"), out, err) == 2
    assert "the output is binary, and standard output is a terminal" in err.getvalue() and out.getvalue() == b""
    assert commands.main([*argv, "--text", "-t", "B"], io.BytesIO(b"1\n"), out, err) == 0
    assert out.getvalue() == b"1\n"


def test_a_terminal_is_not_waited_for() -> None:
    err: Any = io.StringIO()
    stdin = Screen(b"price\n1\n")
    assert commands.main(["stats", "prices.csv"], stdin, io.BytesIO(), err) == 2
    assert "'prices.csv' is no file, and standard input is a terminal; - reads from it" in err.getvalue()
    assert commands.main(["stats", "price", "-"], stdin, io.BytesIO(), err) == 0
