"""What tests/platforms says of platforms: digests that differ are named, what cannot be had is left out loudly."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest
from platforms import __main__ as runner
from platforms import digest, pyodide, table, tools

SAME = ["EXP_f64 00ff", "sum_d 12", "1_/_x_any ZeroDivisionError"]


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (SAME, []),
        (SAME[::-1], []),
        (["EXP_f64 00fe", *SAME[1:]], ["EXP_f64"]),
        (SAME[:2], ["1_/_x_any"]),
        ([*SAME, "more d2 3"], ["more"]),
    ],
)
def test_digests_are_compared_line_by_line(other: list[str], names: list[str]) -> None:
    assert digest.differences(SAME, other) == names
    if not names:
        assert digest.verdict(SAME, other) == "digest equal (3 lines)"
        return
    with pytest.raises(digest.Different, match=f"1 of 3 lines of the digest differ: {names[0]}"):
        digest.verdict(SAME, other)


def test_no_lines_are_not_equal_lines() -> None:
    with pytest.raises(digest.Different):
        digest.verdict([], [])


def test_every_group_of_the_digest_has_lines() -> None:
    lines = list(digest.lines(40))
    names = [line.split(" ")[0] for line in lines]
    assert len(lines) >= 1781 and len(set(names)) == len(names)
    assert digest.verdict(lines, list(digest.lines(40)))


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(tools, "BUILD", tmp_path)
    return tmp_path


def test_what_cannot_be_had_is_left_out_and_is_no_failure(build, monkeypatch, capsys) -> None:
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["platforms", "aarch64", "pyodide"])
    assert runner.main() == 0
    out = capsys.readouterr().out
    assert "aarch64: LEFT OUT, NOT TESTED: there is no qemu-aarch64-static; install qemu" in out
    assert "pyodide: LEFT OUT, NOT TESTED: there is no emcc; install emscripten" in out


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    for error in (tools.Failed, tools.LeftOut):
        with pytest.raises(error, match=r"there is no nothing-of-this-name$"):
            tools.run(["nothing-of-this-name", "-C"], tmp_path / "log", error)


def test_a_failure_is_one(build, monkeypatch, capsys) -> None:
    monkeypatch.setattr(runner, "configure", lambda name, machine, log: build)
    monkeypatch.setattr(sys, "argv", ["platforms", "gcc"])
    assert runner.main() == 1
    out = capsys.readouterr().out
    assert "gcc: FAILED: ninja ended with" in out or "gcc: FAILED: there is no ninja" in out
    assert "$ ninja" in out


def test_an_unknown_platform_is_refused(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["platforms", "vax"])
    with pytest.raises(SystemExit):
        runner.main()
    assert "there is no vax" in capsys.readouterr().err


def test_the_table_names_only_what_there_is() -> None:
    known = {*table.MACHINES, *table.PYTHONS, *table.BROWSERS}
    assert set(table.QUICK) <= known
    for python in table.PYTHONS.values():
        assert python.machine in {*table.MACHINES, *table.LIBRARIES}
        assert all((tools.ROOT / name.partition("::")[0]).is_file() for name in python.tests)
    for browser in table.BROWSERS.values():
        assert browser.machine in table.MACHINES and table.PYTHONS[browser.headers].version == browser.version
        assert all((tools.ROOT / name).is_file() for name in browser.tests)
    assert all(machine.slow | machine.absent <= set(runner.C_TESTS) for machine in table.MACHINES.values())


def test_a_playground_of_another_size_than_the_page_says_is_none(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(pyodide, "PLAYGROUND", tmp_path / "static")
    for name in (*pyodide.CORE, "wheel"):
        (tmp_path / name).write_bytes(b"0" * 5_000_000)
    with pytest.raises(tools.Failed, match=r"has 30\.0 MB; docs/playground\.md says 14 MB"):
        pyodide.lay_out(tmp_path, tmp_path / "wheel")


def test_headers_are_those_of_the_target(monkeypatch, tmp_path) -> None:
    browser = table.Browser("", "", sysconfig.get_python_version(), "", "", ())
    known = {"SIZEOF_LONG": 4, "HAVE_FORK": 0, "CFLAGS": "-O2"}
    headers = pyodide.headers_of(browser, known, tmp_path, tmp_path / "log")
    assert (headers / "Python.h").is_file()
    assert (headers / "pyconfig.h").read_text() == "#define _GNU_SOURCE 1\n#define SIZEOF_LONG 4\n"


def test_every_c_test_is_run() -> None:
    files = {path.stem.removeprefix("test_") for path in (runner.ROOT / "tests" / "vm").glob("test_*.c")}
    assert sorted(runner.C_TESTS) == sorted({*files, "fuzz"})
    assert table.MACHINES["gcc"].absent == frozenset()
