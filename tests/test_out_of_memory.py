"""Out of memory: with each allocation of every public call failed in turn, MemoryError or the right answer, nothing
else, nothing lost, and the next call right. See out_of_memory/sweep.py, which also runs by itself:

    python tests/test_out_of_memory.py [--deep] [part of a row's name ...]
"""

from __future__ import annotations

import ast
import contextlib
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import arrayops
import pytest

HERE = Path(__file__).parent / "out_of_memory"
DEEP = os.environ.get("ARRAYOPS_TEST_PROFILE") == "deep"
pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="faults.c is written for glibc's malloc")


def built(folder: Path) -> Path:
    """faults.c, compiled for this Python."""
    name = folder / f"faults{sysconfig.get_config_var('EXT_SUFFIX')}"
    compiler = (os.environ.get("CC") or "cc").split()
    include = sysconfig.get_path("include")
    options = ["-O2", "-shared", "-fPIC", f"-I{include}"]
    subprocess.run([*compiler, *options, str(HERE / "faults.c"), "-o", str(name), "-ldl"], check=True)
    return name


def swept(library: Path, arguments: list[str]) -> tuple[int, str]:
    """Status and output of sweep.py; what it did last if it died."""
    where = library.with_name("where")
    done = subprocess.run(
        [sys.executable, str(HERE / "sweep.py"), *arguments],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONMALLOC": "malloc", "FAULTS_WHERE": str(where),
             "PYTHONPATH": os.pathsep.join([str(library.parent), os.environ.get("PYTHONPATH", "")])},
        capture_output=True, text=True,
    )  # fmt: skip
    text = done.stdout + done.stderr
    if done.returncode not in (0, 1):
        text += f"died ({done.returncode}) in: {where.read_text().strip()}\n"
    return done.returncode, text


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("faults"))


failing_malloc = pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    reason="CPython that is built to run without the GIL allocates by mimalloc alone, which faults.c cannot make fail",
)


@failing_malloc
@pytest.mark.parametrize("part", range(4))
def test_every_allocation_fails_in_turn(library: Path, part: int) -> None:
    status, text = swept(library, [f"--part={part}/4", *(["--deep"] if DEEP else [])])
    print(text)
    assert status == 0, text


@failing_malloc
@pytest.mark.skipif("ARRAYOPS_OWNED" not in os.environ, reason="takes a minute: nox -s faults runs it")
def test_every_allocation_fails_in_turn_with_arrays_of_others(library: Path) -> None:
    """With arrays of NumPy and pandas."""
    pytest.importorskip("pandas")
    status, text = swept(library, ["--owned", *(["--deep"] if DEEP else [])])
    print(text)
    assert status == 0, text


@pytest.mark.parametrize("shape", ["-", "~", "x**", "x**-", "not ", "x if x else ", "lambda:", "(", "f(", "x["])
def test_what_cannot_fill_the_stack_of_the_parser(shape: str) -> None:
    """compiler/parse.py takes a MemoryError for one in texts that are shorter than this."""
    text = (shape * 999)[: 999 - len(shape)] + "x"
    with contextlib.suppress(SyntaxError, RecursionError):  # but not MemoryError
        ast.parse(text, mode="eval")
    with pytest.raises(arrayops.ExpressionError):
        arrayops.compile(text)


def test_every_public_name_is_in_the_table() -> None:
    code = "import calls; print(sorted(set(calls.ao.__all__) - calls.covered() - calls.NOT_CALLED))"
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        status, text = swept(built(Path(folder)), sys.argv[1:])
        print(text, end="")
        raise SystemExit(status)
