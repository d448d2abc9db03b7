"""Builds the package for Pyodide, CPython compiled to WebAssembly, tries it under Node.js and lays out the playground.

What is left: a wheel in build/platforms/NAME, and in build/static/playground what the page of the site loads:
Pyodide's own files and that wheel. docs/conf.py adds them to the site if they are there.

Pyodide comes from a wheel of PyPI that carries it, the headers of its Python from this Python or an unpacked one, and
pyconfig.h, which says what the target has, from what Pyodide's own Python knows of how it was configured.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import runpy
import shutil
import sys
import sysconfig
import time
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from . import digest, tools
from .table import MACHINES, PYTHONS, Browser
from .tools import (
    ROOT,
    Failed,
    LeftOut,
    compiler_of,
    configure,
    copy_package,
    environment,
    extension_inputs,
    run,
    unpack,
)

#: What of Pyodide a page needs, and what it is called where the page has it.
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
PLAYGROUND = ROOT / "build" / "static" / "playground"
PAGE = ROOT / "docs" / "playground.md"
SESSION = ROOT / "docs" / "static" / "playground" / "session.py"


def pyodide_of(name: str, browser: Browser, log: Path) -> Path:
    """The folder of Pyodide."""
    into = tools.BUILD / name / browser.wheel
    if not (into / browser.folder).is_dir():
        run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", into, browser.wheel], log, LeftOut)
    return into / browser.folder


def configuration(pyodide: Path, browser: Browser) -> dict[str, Any]:
    """What Pyodide's Python was built with, in the form of sysconfig."""
    folder = tools.BUILD / "sysconfig"
    with zipfile.ZipFile(pyodide / "python_stdlib.zip") as library:
        (name,) = (name for name in library.namelist() if name.startswith("_sysconfigdata_"))
        library.extract(name, folder)
    known: dict[str, Any] = runpy.run_path(str(folder / name))["build_time_vars"]
    if known["VERSION"] != browser.version:
        raise Failed(f"{browser.wheel} has Python {known['VERSION']}, not {browser.version}")
    return known


def headers_of(browser: Browser, known: dict[str, Any], folder: Path, log: Path) -> Path:
    """Headers of its Python, with a pyconfig.h of what it knows."""
    if browser.version == sysconfig.get_python_version():
        source = Path(sysconfig.get_path("include"))
    else:
        python = PYTHONS[browser.headers]
        source = unpack(browser.headers, python, log) / "usr" / "include" / f"python{python.version}"
    headers = folder / "include"
    shutil.rmtree(headers, ignore_errors=True)
    shutil.copytree(source, headers)
    # Any pyconfig.h says which of the many names in sysconfig are its own; Debian's includes one for each architecture.
    # sysconfig makes 0 of #undef.
    found = [source / "pyconfig.h", *source.parent.glob(f"*/{source.name}/pyconfig.h")]
    texts = "".join(file.read_text() for file in found if file.is_file())
    names = re.findall(r"^(?:#define|/\* #undef) (\w+)", texts, re.MULTILINE)
    lines = [f"#define {name} {known[name]}" for name in dict.fromkeys(names) if known.get(name)]
    (headers / "pyconfig.h").write_text("\n".join(["#define _GNU_SOURCE 1", *lines, ""]))
    return headers


def build_wheel(browser: Browser, known: dict[str, Any], headers: Path, libraries: Path,
                folder: Path, log: Path) -> Path:  # fmt: skip
    """The package with its extension as a wheel."""
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    module = copy_package(site) / f"_machine{known['EXT_SUFFIX']}"
    run([*compiler_of(MACHINES[browser.machine]), "-sSIDE_MODULE=1", "-sWASM_BIGINT", "-shared", "-fPIC", "-O2",
         "-std=c11", "-DNDEBUG", "-fvisibility=hidden", "-I", headers, *extension_inputs(libraries), "-o", module],
        log, Failed)  # fmt: skip
    python = "cp" + browser.version.replace(".", "")
    tag = f"{python}-{python}-pyemscripten_{known['PYEMSCRIPTEN_PLATFORM_VERSION']}_wasm32"
    version = re.findall(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[0]
    about = site / f"arrayops_vm-{version}.dist-info"
    (about / "licenses").mkdir(parents=True)
    for name, lines in {
        "METADATA": ["Metadata-Version: 2.4", "Name: arrayops-vm", f"Version: {version}", "License-File: LICENSE"],
        "WHEEL": ["Wheel-Version: 1.0", "Generator: tests.platforms", "Root-Is-Purelib: false", f"Tag: {tag}"],
        "licenses/LICENSE": (ROOT / "LICENSE").read_text().splitlines(),
    }.items():
        (about / name).write_text("\n".join([*lines, ""]))
    wheel = folder / f"arrayops_vm-{version}-{tag}.whl"
    files = sorted(path for path in site.rglob("*") if path.is_file())
    record = []
    with zipfile.ZipFile(wheel, "w") as packed:
        for path in files:
            name, data = path.relative_to(site).as_posix(), path.read_bytes()
            packed.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
            hashed = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={hashed},{len(data)}")
        packed.writestr(f"{about.name}/RECORD", "\n".join([*record, f"{about.name}/RECORD,,", ""]))
    return wheel


# -- what is tried -----------------------------------------------------------------------------------------------------


class Examples(HTMLParser):
    """The buttons of the page with an example, as what they ask of session.py."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.feed(PAGE.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of every element."""
        given = {name.removeprefix("data-"): value or "" for name, value in attrs}
        if tag == "button" and "operation" in given:
            fields = {name: given.get(name, "") for name in ("operation", "text", "numbers", "typecode", "result")}
            self.found.append({**fields, "ieee": "ieee" in given})


def answers_of(printed: str) -> list[dict[str, Any]]:
    """What session.py answered to each example, without the time it took, and in the words of Python 3.14."""
    answers: list[dict[str, Any]] = json.loads(printed.splitlines()[-1].replace("float division", "division"))
    return [{name: value for name, value in answer.items() if name != "note"} for answer in answers]


def try_examples(pyodide: Path, wheel: Path, folder: Path, log: Path) -> str:
    """The page's examples give in Node.js what they give here; all that the module imports is there."""
    examples = Examples().found
    asked = folder / "examples.json"
    asked.write_text(json.dumps(examples))
    base = environment() | {"ARRAYOPS_ISA": "base"}  # which has no native code to explain, like WebAssembly
    here = run([sys.executable, SESSION, asked], log, Failed, env=base)
    there = run(["node", Path(__file__).with_suffix(".mjs"), pyodide, wheel, SESSION, asked], log, Failed)
    want, got = answers_of(here), answers_of(there)
    for example, one, other in zip(examples, want, got, strict=True):
        if one != other:
            raise Failed(f"{example} gives {other} in the browser and {one} here")
    return f"{len(examples)} examples of the page as here"


def in_node(pyodide: Path, path: str, arguments: list[str | Path], log: Path) -> str:
    """What Pyodide's Python prints under Node.js, given these arguments."""
    env = {"PYTHONPATH": path, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    return run(["bash", pyodide / "python", *arguments], log, Failed, env)


def try_tests(browser: Browser, pyodide: Path, folder: Path, log: Path) -> str:
    """A share of the Python tests."""
    packages = folder / "packages"
    if not packages.is_dir():
        run([sys.executable, "-m", "pip", "install", "-q", "--target", packages, "--python-version", browser.version,
             "--implementation", "py", "--platform", "any", "--only-binary", ":all:", "pytest", "hypothesis<6.130",
             "mpmath"], log, LeftOut)  # fmt: skip
    tests = [ROOT / name for name in browser.tests]
    path = os.pathsep.join(map(str, (folder / "site", packages)))
    out = in_node(pyodide, path, ["-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], log)
    return next((line for line in reversed(out.splitlines()) if " passed" in line), "no test").strip("= ")


def lay_out(pyodide: Path, wheel: Path) -> str:
    """Fills build/static/playground, whose size the page tells before it loads anything."""
    shutil.rmtree(PLAYGROUND, ignore_errors=True)
    (PLAYGROUND / "pyodide").mkdir(parents=True)
    for name in CORE:
        shutil.copy(pyodide / name, PLAYGROUND / "pyodide" / name)
    shutil.copy(wheel, PLAYGROUND / "arrayops.whl")
    size = sum(path.stat().st_size for path in PLAYGROUND.rglob("*") if path.is_file()) / 1e6
    told = re.findall(r"(\d+) MB", PAGE.read_text())
    if str(round(size)) not in told:
        raise Failed(f"the playground has {size:.1f} MB; docs/playground.md says {' and '.join(told)} MB")
    return f"{PLAYGROUND.relative_to(ROOT)} has {size:.1f} MB"


def try_browser(name: str, browser: Browser) -> str:
    """Builds it, compares examples and digest with this Python's, runs tests, lays out the playground."""
    log, folder, start = tools.BUILD / f"{name}.log", tools.BUILD / name, time.monotonic()
    folder.mkdir(exist_ok=True)
    libraries = configure(browser.machine, MACHINES[browser.machine], log)
    pyodide = pyodide_of(name, browser, log)
    known = configuration(pyodide, browser)
    archives = [f"lib{part}.a" for part in ("vm", "arrays", "native", "kernels_base", "reductions_base")]
    run(["ninja", "-C", libraries, *archives], log, Failed, environment())
    headers = headers_of(browser, known, folder, log)
    wheel = build_wheel(browser, known, headers, libraries, folder, log)
    built = f"built in {time.monotonic() - start:.0f} s"
    start = time.monotonic()
    shown = try_examples(pyodide, wheel, folder, log)
    script, count = ROOT / "tests" / "platforms" / "digest.py", "2000"
    want = run([sys.executable, script, count], log, Failed, environment()).splitlines()
    got = in_node(pyodide, str(folder / "site"), [script, count], log).splitlines()
    equal = digest.verdict(want, got)
    passed = try_tests(browser, pyodide, folder, log)
    tried = f"{time.monotonic() - start:.0f} s"
    return f"{built}; {shown}; {equal}; Python tests: {passed}; all in {tried}; {lay_out(pyodide, wheel)}"
