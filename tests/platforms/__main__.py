"""Builds and tests on another platform, and says in one line what came of it.

    python -m tests.platforms                   what there is
    python -m tests.platforms aarch64 windows   these, one after the other
    python -m tests.platforms --quick           what CI runs
    python -m tests.platforms --all s390x       with the C tests that take minutes under an emulator

Compilers for other systems come from PyPI (ziglang), emulators and Pythons from the distribution's packages, all into
build/platforms. What cannot be had here (no network, no root) is left out, said in capitals, and is no failure.
A failure is one of a build, a test, or a digest that differs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import digest
from .table import LIBRARIES, MACHINES, PYTHONS, QUICK, Machine, Python

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "platforms"
TOOLS = BUILD / "tools"
#: The C tests, in the order of their time.
C_TESTS = ("program", "copies", "compact", "spacing", "parallel", "encoder", "run", "fuzz", "text", "fused", "windows",
           "native", "reduce", "kernels", "sort")  # fmt: skip


class LeftOut(Exception):
    """What the platform needs is not to be had here."""


class Failed(Exception):
    """It was built or run, and something is wrong."""


# -- tools -------------------------------------------------------------------------------------------------------------


#: Seconds that one command may take, a download or a test; with --all, a day.
MOST_SECONDS, A_DAY = 900, 86400
#: Of one that fetches or unpacks what may not be to be had.
MOST_TO_FETCH = 240


def run(command: Sequence[str | Path], log: Path, error: type[Exception], env: dict[str, str] | None = None,
        seconds: int = MOST_SECONDS) -> str:  # fmt: skip
    """The output of a command in the checkout, which is also appended to a log; an error that names both."""
    words = [str(part) for part in command]
    seconds = min(seconds, MOST_TO_FETCH) if error is LeftOut else seconds
    with log.open("a") as file:
        print("$", *words, file=file, flush=True)
        try:
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, cwd=ROOT, env=env, timeout=seconds)  # fmt: skip
        except subprocess.TimeoutExpired:
            raise error(f"{words[0]} took more than {seconds} s (see {log})") from None
        file.write(done.stdout)
    if done.returncode:
        last = next((line for line in reversed(done.stdout.splitlines()) if line.strip()), "")
        raise error(f"{Path(words[0]).name} ended with {done.returncode}: {last.strip()[:160]} (see {log})")
    return done.stdout


def need_program(program: str, package: str, log: Path) -> str:
    """The path of a program, which is installed from the distribution's package if it is not there."""
    if not shutil.which(program):
        if not shutil.which("apt-get") or os.geteuid():
            raise LeftOut(f"there is no {program}; install {package}")
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], log, LeftOut,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})  # fmt: skip
    found = shutil.which(program)
    if not found:
        raise LeftOut(f"there is no {program} in {package}")
    return found


def need_wheels(wheels: Iterable[str], log: Path) -> None:
    """Installs what PyPI has into build/platforms/tools, unless it is there."""
    missing = [wheel for wheel in wheels if not (TOOLS / wheel).is_dir()]
    if missing:
        run([sys.executable, "-m", "pip", "install", "-q", "--target", TOOLS, *missing], log, LeftOut)


def environment() -> dict[str, str]:
    """Ours, with the tools of build/platforms, and no colours."""
    path = os.pathsep.join(filter(None, (str(ROOT), str(TOOLS), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path, "WINEDEBUG": "-all", "NO_COLOR": "1"}


def emulator_of(machine: Machine) -> list[str]:
    return [part.replace("{python}", sys.executable) for part in machine.emulator]


# -- the machine -------------------------------------------------------------------------------------------------------


def compiler_of(machine: Machine) -> list[str]:
    if not machine.target:
        return [*machine.compiler, *machine.flags]
    return [sys.executable, "-m", "ziglang", "cc", "-target", machine.target, "-fno-sanitize=undefined", *machine.flags]


def cross_file(machine: Machine, folder: Path) -> Path:
    """What meson must know of the other system."""
    archiver = [sys.executable, "-m", "ziglang", "ar"] if machine.target else ["ar"]
    system, family, byte_order = machine.host
    binaries = {"c": compiler_of(machine), "ar": archiver}
    if machine.emulator and machine.runs:
        binaries["exe_wrapper"] = emulator_of(machine)
    lines = ["[binaries]", *(f"{name} = {value!r}" for name, value in binaries.items())]
    lines += ["[properties]", f"needs_exe_wrapper = {str(bool(machine.emulator) or not machine.runs).lower()}"]
    lines += ["[host_machine]", f"system = {system!r}", f"cpu_family = {family!r}", f"cpu = {family!r}",
              f"endian = {byte_order!r}"]  # fmt: skip
    file = folder.with_suffix(".cross")
    file.write_text("\n".join(lines) + "\n")
    return file


def configure(name: str, machine: Machine, log: Path) -> Path:
    """A build folder of the machine alone."""
    if machine.package:
        need_program(machine.emulator[0] if machine.emulator else machine.compiler[0], machine.package, log)
    need_wheels(machine.wheels, log)
    folder = BUILD / name
    if not (folder / "build.ninja").exists():
        file = cross_file(machine, folder)
        run(["meson", "setup", folder, "--cross-file", file, "-Dextension=false", "-Dwerror=true"], log, Failed,
            env=environment())  # fmt: skip
    return folder


def programs(machine: Machine, names: Iterable[str]) -> list[str]:
    ending = {"windows": ".exe", "wasi": ""}.get(machine.host[0], "")
    return [f"tests/vm/{'fuzz_program' if name == 'fuzz' else 'test_' + name}{ending}" for name in names]


def machine_digest(machine: Machine, folder: Path, log: Path) -> list[str]:
    """A line for each operation of the machine."""
    (program,) = programs(machine, ["kernels"])
    run(["ninja", "-C", folder, program], log, Failed, env=environment())
    out = run([*emulator_of(machine), folder / program, "digest"], log, Failed, env=environment())
    return [line for line in out.splitlines() if len(line.split()) == 2]


def try_machine(name: str, machine: Machine, every: bool) -> str:
    """Builds it, compares its digest with that of this machine's compiler, runs its C tests."""
    log = BUILD / f"{name}.log"
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


def mirror(log: Path) -> str:
    """Where this system's own packages come from."""
    sites = run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"], log, LeftOut).split()
    if not sites:
        raise LeftOut("apt knows no mirror; run apt-get update")
    return sites[0]


def unpack(name: str, python: Python, log: Path) -> Path:
    """The root of a system with that Python, only unpacked: nothing in it is configured."""
    root = BUILD / "roots" / name
    done = root / "unpacked"
    if not done.exists():
        if os.geteuid():
            raise LeftOut("a root of another system needs to be root")
        run(["unshare", "--mount", "true"], log, LeftOut)
        need_program("mmdebstrap", "mmdebstrap", log)
        root.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(root, ignore_errors=True)
        include = f"python{python.version},libpython{python.version}-dev"
        run(["mmdebstrap", "--variant=extract", f"--architectures={python.processor}", f"--include={include}",
             '--aptopt=Acquire::Check-Valid-Until "false"', python.suite, root, mirror(log)], log, LeftOut)  # fmt: skip
        for folder in ("proc", "dev", "tmp"):
            (root / folder).mkdir(exist_ok=True)
        for folder in ("bin", "lib", "lib64", "sbin"):
            if (root / "usr" / folder).is_dir() and not (root / folder).exists():
                (root / folder).symlink_to(f"usr/{folder}")
        done.touch()
    return root


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
    package = site / "arrayops"
    for source, to in (("python", package), ("compiler", package / "compiler")):
        shutil.copytree(ROOT / source, to, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("glue", "__pycache__", "*.pyi"))  # fmt: skip
    headers = root / "usr" / "include"
    glue = sorted((ROOT / "python" / "glue").glob("*.c"))
    parts = sorted(library for library in libraries.glob("lib*.a") if library.name != "libvm.a")
    run([*compiler_of(machine), "-shared", "-fPIC", "-O2", "-std=c11", "-DNDEBUG", "-fvisibility=hidden",
         "-I", headers / f"python{python.version}", "-idirafter", headers, *glue, libraries / "libvm.a", *parts,
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
    log, start = BUILD / f"{name}.log", time.monotonic()
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
        return try_python(name, PYTHONS[name], every), True
    except LeftOut as reason:
        return f"LEFT OUT, NOT TESTED: {reason}", True
    except (Failed, digest.Different) as reason:
        return f"FAILED: {reason}", False


def main() -> int:
    known = [*MACHINES, *PYTHONS]
    parser = argparse.ArgumentParser(prog="python -m tests.platforms", description=str(__doc__).splitlines()[0])
    parser.add_argument("platforms", nargs="*", metavar="platform", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help=f"those of CI: {', '.join(QUICK)}")
    parser.add_argument("--all", action="store_true", help="every test, however long it takes there")
    arguments = parser.parse_args()
    chosen = [*arguments.platforms, *(QUICK if arguments.quick else ())]
    unknown = [name for name in chosen if name not in known]
    if not chosen or unknown:
        parser.error(f"there is no {unknown[0]}" if unknown else f"say which: {', '.join(known)}")
    BUILD.mkdir(parents=True, exist_ok=True)
    good = True
    for name in chosen:
        (BUILD / f"{name}.log").write_text("")
        line, well = one_line(name, arguments.all)
        print(f"{name}: {line}", flush=True)
        good &= well
        if not well:
            print(*(BUILD / f"{name}.log").read_text().splitlines()[-30:], sep="\n", flush=True)
    if arguments.quick:
        print("not run here:", *(name for name in known if name not in chosen), flush=True)
    return not good


if __name__ == "__main__":
    sys.exit(main())
