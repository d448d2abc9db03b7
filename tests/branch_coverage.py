"""Branch coverage of vm/ by its C tests, by gcov.

Builds the machine with coverage, runs the C tests that concern its core, and prints lines and branches of each file
that were run. Fails if a file of the core has fewer branches than the goal. ``--missing`` shows which branches were not
taken; ``--all`` runs every C test (minutes) and prints every file.

    python tests/branch_coverage.py [--missing] [--all] [--build FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CORE = ("program.c", "run.c", "spacing.c", "parallel.c")
TESTS = ("program", "run", "folds", "sinks", "native", "copies", "spacing", "parallel", "fuzz")
GOAL = 95.0  # per cent of the branches of each file of the core


def build(folder: Path, tests: tuple[str, ...]) -> None:
    """Builds and runs the tests. Counts start anew, as they are of another build if a file has changed."""
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(folder), str(ROOT), "-Db_coverage=true", "-Dbuildtype=debug"],
                       check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    for counts in folder.rglob("*.gcda"):
        counts.unlink()
    subprocess.run(["meson", "test", "-C", str(folder), "--print-errorlogs", *tests], check=True)


def measured(folder: Path) -> dict[str, dict[str, Any]]:
    """What gcov says of each source file of vm/: the objects of several builds of one file are added up."""
    files: dict[str, dict[str, Any]] = defaultdict(lambda: {"lines": defaultdict(int), "branches": defaultdict(int)})
    for counts in folder.rglob("*.gcda"):
        command = [os.environ.get("GCOV", "gcov"), "--branch-probabilities", "--json-format", "--stdout", str(counts)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        for file in (f for text in done.stdout.splitlines() for f in json.loads(text)["files"]):
            path = (folder / file["file"]).resolve()
            if ROOT / "vm" not in path.parents:
                continue
            found = files[str(path.relative_to(ROOT))]
            for line in file["lines"]:
                found["lines"][line["line_number"]] += line["count"]
                for number, branch in enumerate(line["branches"]):
                    found["branches"][line["line_number"], number] += branch["count"]
    return files


def per_cent(counts: dict[Any, int]) -> float:
    """How many of them are not 0."""
    return 100 * sum(map(bool, counts.values())) / len(counts) if counts else 100.0


def show_missing(name: str, branches: dict[tuple[int, int], int]) -> None:
    """The lines of which a branch was not taken."""
    source = (ROOT / name).read_text().splitlines()
    for line in sorted({line for (line, _), count in branches.items() if not count}):
        print(f"    {name}:{line}: {source[line - 1].strip()}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "coverage")
    options = parser.parse_args()
    if not shutil.which(os.environ.get("GCOV", "gcov")):
        print("gcov is not installed", file=sys.stderr)
        return 2
    build(options.build, () if options.all else TESTS)
    files, few = measured(options.build), []
    for name in sorted(files):
        if not (options.all or name.rpartition("/")[2] in CORE):
            continue
        lines, branches = per_cent(files[name]["lines"]), per_cent(files[name]["branches"])
        print(f"{name:32} lines {lines:5.1f} %  branches {branches:5.1f} % of {len(files[name]['branches'])}")
        if options.missing:
            show_missing(name, files[name]["branches"])
        if name.rpartition("/")[2] in CORE and branches < GOAL:
            few.append(name)
    for name in few:
        print(f"{name}: fewer than {GOAL:.0f} % of the branches")
    return bool(few)


if __name__ == "__main__":
    raise SystemExit(main())
