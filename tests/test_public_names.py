"""What completion and type checkers see of the package."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import arrayops as ao
import pytest

TYPED = Path(__file__).parent / "typing" / "api_usage.py"


@pytest.mark.parametrize("used", ["", "arrayops.compile('x');"])
def test_completion_shows_public_names_only(used: str) -> None:
    """Before kernels are imported and after."""
    text = f"import arrayops; {used} print(*dir(arrayops))"
    names = subprocess.run([sys.executable, "-c", text], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                           capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    assert names == sorted(names)
    assert [name for name in names if not (name.startswith("__") and name.endswith("__"))] == sorted(ao.__all__)
    assert "__version__" in names
    assert "__all__" in names


def test_every_name_is_there() -> None:
    assert ao.Kernel  # imports all
    for name in dir(ao):
        assert hasattr(ao, name), name


def static_names() -> set[str]:
    """The names without an underscore that the text of the package binds, in whichever branch."""
    found = set()
    body = ast.parse((Path(ao.__file__).parent / "__init__.py").read_text()).body
    for node in [*body, *(inner for block in body if isinstance(block, ast.If) for inner in block.body)]:
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in found if not name.startswith("_")}


def test_static_completion_sees_what_dir_does() -> None:
    """TYPE_CHECKING apart, which type checkers know by this name alone."""
    assert static_names() == {*ao.__all__, "TYPE_CHECKING"}


def test_jedi_sees_what_dir_does() -> None:
    """It adds submodules, and follows decorators to the signatures."""
    jedi = pytest.importorskip("jedi")
    text = "import arrayops as ao\nao."
    seen = {found.name for found in jedi.Script(text).complete(2, 3) if found.type != "module"}
    assert {name for name in seen if not name.startswith("_")} == {*ao.__all__, "TYPE_CHECKING"}
    for name in ("map", "sum", "argsort", "unique", "add", "rolling"):
        signature = jedi.Script(f"{text}{name}(").get_signatures(2, len(name) + 4)[0]
        assert signature.name == name and signature.params[0].name in ("arr", "a", "src")
        assert ">>> import arrayops as ao" in signature.docstring()


def test_typecodes_of_type_checkers_are_those_of_the_machine() -> None:
    from typing import get_args

    from arrayops import _machine
    from arrayops.engine import kinds

    rows = {("array", True): kinds.FloatCode, ("array", False): kinds.IntCode, ("View", None): kinds.ViewCode}
    for (given, floats), codes in rows.items():
        for name in get_args(codes):
            row = _machine.TYPECODES[_machine.typecode(name)]
            assert row["given"] == given and floats in (None, row["kind"] == "f"), name
    assert {*_machine.TYPECODES} <= {name for codes in rows.values() for name in get_args(codes)}


def test_typed_code_uses_every_public_name() -> None:
    nodes = ast.walk(ast.parse(TYPED.read_text()))
    used = {
        n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "ao"
    }
    assert set(ao.__all__) <= used


def test_no_module_has_the_name_of_a_function() -> None:
    """Importing it, as unpickling does, would put the module in the function's place."""
    modules = {path.stem for path in Path(ao.__file__).parent.glob("*.py")}
    assert not modules & set(ao.__all__)
