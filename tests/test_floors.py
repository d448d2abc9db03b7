"""The floors of the house: no import or include from a lower floor to a higher one, no circle, no private name abroad.

FLOORS is the whole of the rule. The checker itself is tried on small planted trees, where it must find what is wrong.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: From the ground up. A file stands on the row of the longest name that its path begins with; it may use files of rows
#: below, and of its own row as long as nothing comes round in a circle.
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "vm/vm.h",
        "vm/ops.def",
        "vm/ao_types.h",
        "vm/exact.h",
        "vm/pause.h",
        "vm/portable.h",
        "vm/step.h",
        "vm/subnormal.h",
        "vm/watch.h",
    ),
    ("vm/kernels/",),
    ("vm/arrays/", "vm/native/", "vm/text/"),
    ("vm/",),
    ("python/glue/", "python/_machine"),
    ("compiler/",),
    ("python/engine/",),
    ("python/",),
    ("python/__init__",),
    ("python/cli/",),
    ("python/__main__",),
)
#: What modules of the package are called: the folder python/ is installed as arrayops, compiler/ inside it.
PACKAGE = "arrayops"
#: Attributes of every named tuple: the underscore keeps them apart from its fields.
TUPLES = {"_replace", "_asdict", "_fields"}


def row(path: str) -> int:
    """The floor that a file stands on."""
    fits = [(len(name), number) for number, names in enumerate(FLOORS) for name in names if path.startswith(name)]
    return max(fits)[1]


# -- Python ------------------------------------------------------------------------------------------------------------


def modules(root: Path) -> dict[str, str]:
    """The modules of the package, and the file of each."""
    found = {f"{PACKAGE}._machine": "python/_machine.pyi"}
    for folder, prefix in (("python", PACKAGE), ("compiler", f"{PACKAGE}.compiler")):
        for file in sorted((root / folder).rglob("*.py")):
            parts = file.relative_to(root / folder).with_suffix("").parts
            name = ".".join((prefix, *(parts[:-1] if parts[-1] == "__init__" else parts)))
            found[name] = file.relative_to(root).as_posix()
    return found


def imports(root: Path, names: dict[str, str], name: str) -> Iterator[tuple[str, str]]:
    """(module, name) of everything that a module imports from the package, wherever it stands in the text.

    The name is '' if it is the module itself. Modules that are reached by common.Later or own_module count, too.
    """
    file = names[name]
    package = name if file.endswith("__init__.py") else name.rpartition(".")[0]
    for node in ast.walk(ast.parse((root / file).read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.partition(".")[0] == PACKAGE)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, (base, node.module)))
            if base.partition(".")[0] == PACKAGE:
                for alias in node.names:
                    whole = f"{base}.{alias.name}"
                    yield (whole, "") if whole in names else (base, alias.name)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Later", "own_module"):
            for argument in node.args:
                if isinstance(argument, ast.Constant):
                    yield f"{PACKAGE}.{argument.value}", ""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def foreign_attributes(root: Path, file: str) -> Iterator[str]:
    """Private attributes that a module uses and does not define: they are another module's."""
    tree = ast.parse((root / file).read_text())
    names = {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    slots = {str(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    used = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and is_private(n.attr)]
    own = {n.attr for n in used if isinstance(n.value, ast.Name) and n.value.id in ("self", "cls")}
    yield from (n.attr for n in used if n.attr not in names | slots | own | TUPLES)


def faults_of_python(root: Path) -> list[str]:
    names, faults, uses = modules(root), [], dict[str, set[str]]()
    for name, file in names.items():
        if not file.endswith(".py"):
            continue
        used = set()
        for module, what in imports(root, names, name):
            if module not in names:
                faults.append(f"{file}: there is no module {module}")
                continue
            used.add(names[module])
            if is_private(what):
                faults.append(f"{file}: the private name {what} of {names[module]}")
        faults += [f"{file}: the private attribute {attribute}" for attribute in foreign_attributes(root, file)]
        uses[file] = used - {file}
    return faults + faults_of_uses(uses)


# -- C -----------------------------------------------------------------------------------------------------------------

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<(Python\.h)>)', re.M)


def faults_of_c(root: Path) -> list[str]:
    """Faults of includes. A header and the C file of its name are one: to include it is to call what is behind it."""
    faults, uses = [], dict[str, set[str]]()
    files = [file for folder in ("vm", "python") for file in sorted((root / folder).rglob("*.[ch]"))]
    for file in (file.relative_to(root).as_posix() for file in files):
        for included, python in INCLUDE.findall((root / file).read_text()):
            if python:
                faults += [f"{file}: Python.h"] if file.startswith("vm/") else []
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(file), included))
            if not (root / target).is_file():
                faults.append(f"{file}: there is no {target}")
            elif target.endswith(".c"):
                faults.append(f"{file}: includes {target}, which is no header")
            elif unit(target) != unit(file):
                uses.setdefault(unit(file), set()).add(unit(target))
    return faults + faults_of_uses(uses)


def unit(path: str) -> str:
    return path.removesuffix(".h").removesuffix(".c") if path not in FLOORS[0] else path


# -- both --------------------------------------------------------------------------------------------------------------


def faults_of_uses(uses: dict[str, set[str]]) -> list[str]:
    """Uses of higher floors, and circles."""
    edges = [(file, other) for file in uses for other in sorted(uses[file])]
    faults = [f"{file}: uses {other}, which is above it" for file, other in edges if row(other) > row(file)]
    done: set[str] = set()

    def walk(file: str, way: tuple[str, ...]) -> None:
        if file in way:
            faults.append("circle: " + " -> ".join((*way[way.index(file) :], file)))
        elif file not in done:
            for other in sorted(uses.get(file, ())):
                walk(other, (*way, file))
            done.add(file)

    for file in sorted(uses):
        walk(file, ())
    return faults


def test_floors_of_python() -> None:
    assert faults_of_python(ROOT) == []


def test_floors_of_c() -> None:
    assert faults_of_c(ROOT) == []


def test_the_checkers_see_the_whole_house() -> None:
    names = modules(ROOT)
    assert {"arrayops", "arrayops.engine.kernel", "arrayops.compiler.ir", "arrayops.cli.commands"} <= names.keys()
    used = {module for module, _ in imports(ROOT, names, "arrayops.expressions")}
    assert {"arrayops.engine.common", "arrayops.engine.kernel"} <= used
    assert len(list((ROOT / "vm").rglob("*.c"))) > 8


# -- the checkers themselves -------------------------------------------------------------------------------------------

PLANTED_PYTHON = [
    ("nothing wrong", {"python/order.py": "from .engine.common import native\nfrom . import _machine\n",
                       "python/engine/common.py": "from .. import _machine\n"}, []),
    ("upwards", {"compiler/ir.py": "from ..engine import plans\n", "python/engine/plans.py": ""},
     ["compiler/ir.py: uses python/engine/plans.py, which is above it"]),
    ("upwards in a function", {"python/engine/kernel.py": "def f():\n    from ..order import sort\n",
                               "python/order.py": "sort = 1\n"},
     ["python/engine/kernel.py: uses python/order.py, which is above it"]),
    ("upwards by Later", {"python/engine/kernel.py": "order = Later('order')\n", "python/order.py": ""},
     ["python/engine/kernel.py: uses python/order.py, which is above it"]),
    ("the face", {"python/order.py": "from . import map\n", "python/__init__.py": "map = 1\n"},
     ["python/order.py: uses python/__init__.py, which is above it"]),
    ("a circle", {"python/order.py": "from .data import view\n", "python/data.py": "import arrayops.order\nview = 1\n"},
     ["circle: python/data.py -> python/order.py -> python/data.py"]),
    ("a circle by Later", {"python/order.py": "data = Later('data')\n", "python/data.py": "from . import order\n"},
     ["circle: python/data.py -> python/order.py -> python/data.py"]),
    ("a private name", {"python/order.py": "from .engine.plans import _finish\n", "python/engine/plans.py": ""},
     ["python/order.py: the private name _finish of python/engine/plans.py"]),
    ("a private attribute", {"python/order.py": "def f(kernel):\n    return kernel._plans\n"},
     ["python/order.py: the private attribute _plans"]),
    ("a module that is none", {"python/order.py": "kernel = Later('engine.kernel')\n"},
     ["python/order.py: there is no module arrayops.engine.kernel"]),
]  # fmt: skip

PLANTED_C = [
    ("nothing wrong", {"vm/vm.h": '#include "ops.def"\n', "vm/ops.def": "", "vm/run.c": '#include "vm.h"\n',
                       "python/glue/map.h": "#include <Python.h>\n",
                       "python/glue/map.c": '#include "map.h"\n#include "../../vm/vm.h"\n'}, []),
    ("upwards", {"vm/kernels/compact.c": '#include "../program.h"\n', "vm/program.h": ""},
     ["vm/kernels/compact: uses vm/program, which is above it"]),
    ("Python in the machine", {"vm/run.c": "#include <Python.h>\n"}, ["vm/run.c: Python.h"]),
    ("glue in the machine", {"vm/run.c": '# include "../python/glue/map.h"\n', "python/glue/map.h": ""},
     ["vm/run: uses python/glue/map, which is above it"]),
    ("no header", {"python/glue/map.c": '#include "fold.c"\n', "python/glue/fold.c": ""},
     ["python/glue/map.c: includes python/glue/fold.c, which is no header"]),
    ("two C files that call each other", {"python/glue/map.c": '#include "fold.h"\n', "python/glue/map.h": "",
                                          "python/glue/fold.c": '#include "map.h"\n', "python/glue/fold.h": ""},
     ["circle: python/glue/fold -> python/glue/map -> python/glue/fold"]),
    ("a circle of headers", {"vm/arrays/a.h": '#include "b.h"\n', "vm/arrays/b.h": '#include "c.h"\n',
                             "vm/arrays/c.h": '#include "a.h"\n'},
     ["circle: vm/arrays/a -> vm/arrays/b -> vm/arrays/c -> vm/arrays/a"]),
]  # fmt: skip


def plant(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(("files", "faults"), [p[1:] for p in PLANTED_PYTHON], ids=[p[0] for p in PLANTED_PYTHON])
def test_planted_python(files: dict[str, str], faults: list[str], tmp_path: Path) -> None:
    plant(tmp_path, files)
    assert faults_of_python(tmp_path) == faults


@pytest.mark.parametrize(("files", "faults"), [p[1:] for p in PLANTED_C], ids=[p[0] for p in PLANTED_C])
def test_planted_c(files: dict[str, str], faults: list[str], tmp_path: Path) -> None:
    plant(tmp_path, files)
    assert faults_of_c(tmp_path) == faults
