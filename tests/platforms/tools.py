"""What the platforms are built with: compilers and emulators, meson's build folders, unpacked systems, and commands.

Compilers for other systems come from PyPI (ziglang) or the distribution (emscripten), emulators and Pythons from the
distribution's packages, all into build/platforms.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from .table import Machine, Python

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "platforms"
TOOLS = BUILD / "tools"


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
        except FileNotFoundError:
            raise error(f"there is no {words[0]}") from None
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
    archiver = [sys.executable, "-m", "ziglang", "ar"] if machine.target else [machine.archiver]
    system, family, byte_order = machine.host
    binaries = {"c": compiler_of(machine), "ar": archiver}
    if machine.emulator and machine.runs:
        binaries["exe_wrapper"] = emulator_of(machine)
    lines = ["[binaries]", *(f"{name} = {value!r}" for name, value in binaries.items())]
    lines += ["[properties]", f"needs_exe_wrapper = {str(bool(machine.emulator) or not machine.runs).lower()}"]
    lines += ["[built-in options]", f"c_link_args = {list(machine.linking)!r}"]
    lines += ["[host_machine]", f"system = {system!r}", f"cpu_family = {family!r}", f"cpu = {family!r}",
              f"endian = {byte_order!r}"]  # fmt: skip
    file = folder.with_suffix(".cross")
    file.write_text("\n".join(lines) + "\n")
    return file


def configure(name: str, machine: Machine, log: Path) -> Path:
    """A build folder of the machine alone."""
    if machine.package:
        for program in (*(() if machine.target else machine.compiler[:1]), *machine.emulator[:1]):
            need_program(program, machine.package, log)
    need_wheels(machine.wheels, log)
    folder = BUILD / name
    if not (folder / "build.ninja").exists():
        file = cross_file(machine, folder)
        run(["meson", "setup", folder, "--cross-file", file, "-Dextension=false", "-Dwerror=true"], log, Failed,
            env=environment())  # fmt: skip
    return folder


# -- the extension -----------------------------------------------------------------------------------------------------


def copy_package(site: Path) -> Path:
    """The package in a folder of packages, without its extension."""
    package = site / "arrayops"
    for source, to in (("python", package), ("compiler", package / "compiler")):
        shutil.copytree(ROOT / source, to, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("glue", "__pycache__", "*.pyi"))  # fmt: skip
    return package


def extension_inputs(libraries: Path) -> list[Path]:
    """What its extension is linked from: the glue's sources and the machine's libraries."""
    parts = sorted(library for library in libraries.glob("lib*.a") if library.name != "libvm.a")
    return [*sorted((ROOT / "python" / "glue").glob("*.c")), libraries / "libvm.a", *parts]


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
