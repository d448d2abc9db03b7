"""Builds and tests on another platform, and says in one line what came of it.

    python -m tests.platforms                   what there is
    python -m tests.platforms aarch64 windows   these, one after the other
    python -m tests.platforms --quick           what CI runs
    python -m tests.platforms --all s390x       with the C tests that take minutes under an emulator

Compilers for other systems come from PyPI (ziglang) or the distribution (emscripten), emulators and Pythons from the
distribution's packages, a browser's Python from PyPI, all into build/platforms. What cannot be had here (no network,
no root) is left out, said in capitals, and is no failure. A failure is one of a build, a test, or a digest that
differs.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import digest, pyodide, tools
from .table import BROWSERS, LIBRARIES, MACHINES, PYTHONS, QUICK, Machine, Python
from .tools import (
    A_DAY,
    MOST_SECONDS,
    ROOT,
    Failed,
    LeftOut,
    compiler_of,
    configure,
    copy_package,
    emulator_of,
    environment,
    extension_inputs,
    run,
    unpack,
)

#: The C tests, in the order of their time.
C_TESTS = ("program", "copies", "compact", "spacing", "parallel", "encoder", "a64_encoder", "folds", "run", "fuzz",
           "text", "fused", "windows", "native", "reduce", "sinks", "kernels", "sort")  # fmt: skip


def programs(machine: Machine, names: Iterable[str]) -> list[str]:
    ending = {"windows": ".exe", "emscripten": ".js"}.get(machine.host[0], "")
    return [f"tests/vm/{'fuzz_program' if name == 'fuzz' else 'test_' + name}{ending}" for name in names]


def machine_digest(machine: Machine, folder: Path, log: Path) -> list[str]:
    """A line for each operation of the machine."""
    (program,) = programs(machine, ["kernels"])
    run(["ninja", "-C", folder, program], log, Failed, env=environment())
    out = run([*emulator_of(machine), folder / program, "digest"], log, Failed, env=environment())
    return [line for line in out.splitlines() if len(line.split()) == 2]


def try_machine(name: str, machine: Machine, every: bool) -> str:
    """Builds it, compares its digest with that of this machine's compiler, runs its C tests."""
    log = tools.BUILD / f"{name}.log"
    start = time.monotonic()
    folder = configure(name, machine, log)
    there = [test for test in C_TESTS if test not in machine.absent]
    tests = [test for test in there if every or test not in machine.slow]
    run(["ninja", "-C", folder, *programs(machine, tests)], log, Failed, env=environment())
    built = f"built in {time.monotonic() - start:.0f} s"
    if not machine.runs:
        return f"{built}; cannot be run here"
    first = next(iter(MACHINES))
    native = configure(first, MACHINES[first], log)
    want = machine_digest(MACHINES[first], native, log)
    got = machine_digest(machine, folder, log)
    equal = digest.verdict(want, got)
    start = time.monotonic()
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--timeout-multiplier", "20", "--print-errorlogs", *tests]
    out = run(command, log, Failed, environment(), A_DAY if every else MOST_SECONDS)
    skipped = re.findall(r"^ *\d+/\d+ (\S+) +SKIP", out, re.MULTILINE)
    tests = [test for test in tests if test not in skipped]
    left = [test for test in there if test not in tests]
    without = f", without {' '.join(left)}" if left else ""
    passed = f"C tests {len(tests)}/{len(there)}{without} passed in {time.monotonic() - start:.0f} s"
    return f"{built}; {equal}; {passed}"


# -- Pythons -----------------------------------------------------------------------------------------------------------


def site_of(python: Python, root: Path, log: Path) -> Path:
    """A folder of the root with what the tests need."""
    site = root / "site"
    if not site.exists():
        run([sys.executable, "-m", "pip", "install", "-q", "--target", site, "--python-version", python.version,
             "--implementation", "cp", "--platform", python.wheels, "--only-binary", ":all:", "pytest",
             "hypothesis<6.130", "mpmath"], log, LeftOut)  # fmt: skip
    return site


def build_extension(python: Python, machine: Machine, libraries: Path, root: Path, site: Path, log: Path) -> None:
    """The package in the site folder, with its extension linked from the machine's libraries and the glue."""
    package = copy_package(site)
    headers = root / "usr" / "include"
    run([*compiler_of(machine), "-shared", "-fPIC", "-O2", "-std=c11", "-DNDEBUG", "-fvisibility=hidden",
         "-I", headers / f"python{python.version}", "-idirafter", headers, *extension_inputs(libraries),
         "-lm", "-pthread", "-o", package / "_machine.so"], log, Failed, env=environment())  # fmt: skip


#: Of what runs in a root.
INSIDE = {"PYTHONPATH": "/site", "HOME": "/tmp", "LANG": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
MOUNTED = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'


def inside(root: Path, machine: Machine, python: Python, command: Sequence[str]) -> list[str]:
    """A command of its Python in the root, with /proc and /dev, in mounts of its own, which end with it."""
    emulator = emulator_of(machine)
    if emulator:
        shutil.copy(str(shutil.which(emulator[0])), root / "usr" / "bin")
        emulator = [f"/usr/bin/{emulator[0]}"]
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTED, str(root), *emulator,
            f"/usr/bin/python{python.version}", *command]  # fmt: skip


def try_python(name: str, python: Python, every: bool) -> str:
    """Builds the package for it, compares the digest of the package with this Python's, runs a share of the tests."""
    log, start = tools.BUILD / f"{name}.log", time.monotonic()
    machine = LIBRARIES[python.machine] if python.machine in LIBRARIES else MACHINES[python.machine]
    libraries = configure(python.machine, machine, log)
    run(["ninja", "-C", libraries], log, Failed, env=environment())
    root = unpack(name, python, log)
    site = site_of(python, root, log)
    build_extension(python, machine, libraries, root, site, log)
    checkout = site / "checkout"
    for folder in ("tests", "docs", "examples"):
        shutil.copytree(ROOT / folder, checkout / folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    for file in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / file, checkout / file)
    built = f"built in {time.monotonic() - start:.0f} s"
    script, count = "tests/platforms/digest.py", "2000"
    want = run([sys.executable, script, count], log, Failed, env=environment()).splitlines()
    got = run(inside(root, machine, python, [f"/site/checkout/{script}", count]), log, Failed, env=INSIDE).splitlines()
    equal = digest.verdict(want, got)
    start = time.monotonic()
    tests = [f"/site/checkout/{name}" for name in (["tests"] if every else python.tests)]
    out = run(inside(root, machine, python, ["-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]), log, Failed,
              INSIDE, A_DAY if every else MOST_SECONDS)  # fmt: skip
    summary = next((line for line in reversed(out.splitlines()) if " passed" in line), "no test")
    return f"{built}; {equal}; Python tests: {summary.strip('= ')}"


# -- the command -------------------------------------------------------------------------------------------------------


def one_line(name: str, every: bool) -> tuple[str, bool]:
    """What came of a platform, and whether that is well."""
    try:
        if name in MACHINES:
            return try_machine(name, MACHINES[name], every), True
        if name in BROWSERS:
            return pyodide.try_browser(name, BROWSERS[name]), True
        return try_python(name, PYTHONS[name], every), True
    except LeftOut as reason:
        return f"LEFT OUT, NOT TESTED: {reason}", True
    except (Failed, digest.Different) as reason:
        return f"FAILED: {reason}", False


def main() -> int:
    known = [*MACHINES, *PYTHONS, *BROWSERS]
    parser = argparse.ArgumentParser(prog="python -m tests.platforms", description=str(__doc__).splitlines()[0])
    parser.add_argument("platforms", nargs="*", metavar="platform", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help=f"those of CI: {', '.join(QUICK)}")
    parser.add_argument("--all", action="store_true", help="every test, however long it takes there")
    arguments = parser.parse_args()
    chosen = [*arguments.platforms, *(QUICK if arguments.quick else ())]
    unknown = [name for name in chosen if name not in known]
    if not chosen or unknown:
        parser.error(f"there is no {unknown[0]}" if unknown else f"say which: {', '.join(known)}")
    tools.BUILD.mkdir(parents=True, exist_ok=True)
    good = True
    for name in chosen:
        (tools.BUILD / f"{name}.log").write_text("")
        line, well = one_line(name, arguments.all)
        print(f"{name}: {line}", flush=True)
        good &= well
        if not well:
            print(*(tools.BUILD / f"{name}.log").read_text().splitlines()[-30:], sep="\n", flush=True)
    if arguments.quick:
        print("not run here:", *(name for name in known if name not in chosen), flush=True)
    return not good


if __name__ == "__main__":
    sys.exit(main())
