"""Every check of CI as a step of its own: `nox -l` lists them, `nox -s lint` runs one, `nox` runs all in CI's order.

The steps run in the environment that nox is in, which has the package installed with its extras `test`, `lint` and
`docs` (docs/contributing.md says how). .ci/run prepares that environment and calls nox.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.stop_on_first_error = True

ROOT = Path(__file__).resolve().parent
SANITIZED = ROOT / "build" / "sanitized"
#: Test files that reach most of the C code; the whole suite under sanitizers takes half an hour.
UNDER_SANITIZERS = (
    "tests/test_parallel.py",
    "tests/test_array_fields.py",
    "tests/test_fusion.py",
    "tests/test_records.py",
    "tests/test_statistics.py",
    "tests/test_lazy.py",
    "tests/test_interop.py",
    "tests/test_missing.py",
    "tests/test_counting.py",
    "tests/test_lying.py",
    "tests/test_races.py",
)


def python(session: nox.Session, *args: str, env: dict[str, str] | None = None) -> None:
    """Runs the environment's Python."""
    session.run(sys.executable, *args, env=env, external=True)


def meson(session: nox.Session, folder: Path, *options: str) -> None:
    """Configures a build folder afresh and runs the C tests in it."""
    again = ["--wipe"] if (folder / "build.ninja").exists() else []
    session.run("meson", "setup", str(folder), *again, *options, external=True, silent=True)
    session.run("meson", "test", "-C", str(folder), "--print-errorlogs", external=True)


@nox.session
def machine(session: nox.Session) -> None:
    """The machine alone, under the address and undefined-behaviour sanitizers, warnings as errors."""
    meson(session, SANITIZED, "-Dbuildtype=debugoptimized", "-Db_sanitize=address,undefined", "-Db_lundef=false",
          "-Dwerror=true")  # fmt: skip


@nox.session
def sanitized(session: nox.Session) -> None:
    """The package under the same sanitizers; `machine` has built it."""
    root = ROOT / "build" / "sanitized-root"
    session.run("meson", "install", "-C", str(SANITIZED), "--destdir", str(root), "--quiet", external=True)
    site = next(root.rglob("arrayops/__init__.py")).parent.parent
    libraries = [
        subprocess.run(["gcc", f"-print-file-name={name}"], text=True, capture_output=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    env = {
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(site),
    }
    python(session, "tests/fuzz_expressions.py", "--count", "3000", "--seed", "7", env=env)
    python(session, "tests/fuzz_functions.py", "--count", "2000", "--seed", "7", env=env)
    python(session, "-m", "pytest", "-q", "-p", "no:cacheprovider", *UNDER_SANITIZERS, env=env)


@nox.session
def threads(session: nox.Session) -> None:
    """The machine and the package under the thread sanitizer."""
    session.run("tests/sanitizers/run.sh", "thread", env={"PYTHON": sys.executable}, external=True)


@nox.session
def coverage(session: nox.Session) -> None:
    """Branches of the machine that its C tests take."""
    python(session, "tests/branch_coverage.py")


@nox.session
def faults(session: nox.Session) -> None:
    """Failed allocations where arrays are of NumPy or pandas; the suite has the others."""
    python(session, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_out_of_memory.py", "-k", "of_others",
           env={"ARRAYOPS_OWNED": "1"})  # fmt: skip


@nox.session
def guided(session: nox.Session) -> None:
    """Coverage-guided fuzzing of what takes bytes or texts from strangers: seconds here, minutes by hand."""
    session.run("tests/fuzz/run.sh", "load", "20", external=True)
    session.run("tests/fuzz/run.sh", "parse", "10", env={"PYTHON": sys.executable}, external=True)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Expressions at every instruction-set level, with native code and without, and functions, against Python."""
    listed = [sys.executable, "-c", "import arrayops._machine as m; print(*m.ISA_LEVELS)"]
    for level in subprocess.run(listed, text=True, capture_output=True, check=True, cwd="/").stdout.split():
        for native in ("0", "always"):
            python(session, "tests/fuzz_expressions.py", "--count", "4000", "--seed", "1",
                   env={"ARRAYOPS_ISA": level, "ARRAYOPS_NATIVE": native})  # fmt: skip
    python(session, "tests/fuzz_functions.py", "--count", "10000", "--seed", "1", env={"ARRAYOPS_NATIVE": "always"})
    python(session, "tests/fuzz_numbers.py", "--count", "1000000", "--seed", "1")


@nox.session
def instructions(session: nox.Session) -> None:
    """Instruction counts against the baseline, by valgrind."""
    python(session, "bench/instructions.py", "--check")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, workflows, and generated files that must be what their scripts generate."""
    workflows = sorted(str(file) for file in (ROOT / ".github" / "workflows").glob("*.yml"))
    session.run("ruff", "check", ".", external=True)
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows, external=True)
    session.run("zizmor", "--offline", "--quiet", ".github", external=True)
    python(session, "vm/kernels/math/coefficients.py", "--check")
    python(session, "docs/generate.py", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Type checks of the package, of its use and of the examples."""
    session.run("mypy", "--strict", "-p", "arrayops", external=True)
    session.run("mypy", "--strict", "tests/typing/api_usage.py", "examples", external=True)
    session.run("basedpyright", "--pythonpath", sys.executable, external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, with warnings as errors; its links, and that its search finds what people look for."""
    session.run("sphinx-build", "-q", "-W", "docs", "build/docs", external=True)
    python(session, "docs/check_site.py", "build/docs")


@nox.session
def platforms(session: nox.Session) -> None:
    """Another processor and the newest CPython; what is not to be had here is left out, and that is said."""
    python(session, "-m", "tests.platforms", "--quick")


@nox.session
def engines(session: nox.Session) -> None:
    """Pipelines by processes, Dask, Ray and Spark, of which workers are killed; what is not installed is left out."""
    python(session, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/engines.py")


@nox.session
def tests(session: nox.Session) -> None:
    """The whole suite, on all cores."""
    python(session, "-m", "pytest", "-n", str(os.cpu_count() or 1))


#: All but `tests`, which the README's command runs; the quick ones first.
nox.options.sessions = [
    "lint", "types", "docs", "machine", "sanitized", "threads", "coverage", "faults", "guided", "fuzz", "instructions",
    "platforms", "engines",
]  # fmt: skip
