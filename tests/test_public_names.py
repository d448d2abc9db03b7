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
