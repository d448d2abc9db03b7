"""What tests/platforms says of platforms: digests that differ are named, what cannot be had is left out loudly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from platforms import __main__ as runner
from platforms import digest, table

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
    monkeypatch.setattr(runner, "BUILD", tmp_path)
    return tmp_path


def test_what_cannot_be_had_is_left_out_and_is_no_failure(build, monkeypatch, capsys) -> None:
    monkeypatch.setattr(runner.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["platforms", "aarch64"])
    assert runner.main() == 0
    assert "aarch64: LEFT OUT, NOT TESTED: there is no qemu-aarch64-static; install qemu" in capsys.readouterr().out


def test_a_failure_is_one(build, monkeypatch, capsys) -> None:
    monkeypatch.setattr(runner, "configure", lambda name, machine, log: build)
    monkeypatch.setattr(sys, "argv", ["platforms", "gcc"])
    assert runner.main() == 1
    out = capsys.readouterr().out
    assert "gcc: FAILED: ninja ended with" in out and "$ ninja" in out


def test_an_unknown_platform_is_refused(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["platforms", "vax"])
    with pytest.raises(SystemExit):
        runner.main()
    assert "there is no vax" in capsys.readouterr().err


def test_the_table_names_only_what_there_is() -> None:
    known = {*table.MACHINES, *table.PYTHONS}
    assert set(table.QUICK) <= known
    for python in table.PYTHONS.values():
        assert python.machine in {*table.MACHINES, *table.LIBRARIES}
        assert all((runner.ROOT / name).is_file() for name in python.tests)
    assert all(machine.slow | machine.absent <= set(runner.C_TESTS) for machine in table.MACHINES.values())


def test_every_c_test_is_run() -> None:
    files = {path.stem.removeprefix("test_") for path in (runner.ROOT / "tests" / "vm").glob("test_*.c")}
    assert sorted(runner.C_TESTS) == sorted({*files, "fuzz"})
    assert table.MACHINES["gcc"].absent == frozenset()
