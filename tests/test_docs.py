"""Every example in the README, the docs and the public docstrings runs, and generated pages are what the code gives."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
import traceback
import types
from pathlib import Path
from typing import Any

import arrayops
import pytest
from optional import missing

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = ["arrayops", *(found.name for found in pkgutil.walk_packages(arrayops.__path__, "arrayops."))]


@pytest.fixture(autouse=True)
def _notes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes belong to what an example shows of an exception, as in doctest since Python 3.13."""

    def last_lines(kind: type[BaseException], error: BaseException) -> list[str]:
        lines = traceback.format_exception_only(kind, error)
        return ["".join(lines[-1 - len(getattr(error, "__notes__", ())) :])]

    if sys.version_info < (3, 13):
        names: dict[str, Any] = {**vars(traceback), "format_exception_only": last_lines}
        monkeypatch.setattr(doctest, "traceback", types.SimpleNamespace(**names))


def need_libraries(text: str) -> None:
    """Leaves out examples that import a library which has no wheel for this Python."""
    if names := missing(text, "[ \\t]*>>> "):
        pytest.skip(f"its examples need {', '.join(names)}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_a_page(page: Path) -> None:
    need_libraries(page.read_text("utf-8"))
    failed, _ = doctest.testfile(str(page), module_relative=False)
    assert failed == 0


def test_the_tutorial_runs() -> None:
    """Its cells, one after the other; the build of the site runs them in a notebook and shows what they print."""
    text = (ROOT / "docs" / "tutorial.md").read_text()
    cells = re.findall(r"^```\{code-cell\} ipython3\n(.*?)^```", text, re.M | re.S)
    assert len(cells) > 15
    names: dict[str, Any] = {}
    for cell in cells:
        exec(compile(cell, "tutorial", "exec"), names)
    assert names["running"].count == 9230 and names["pixels"].dtype == "uint8"


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name: str) -> None:
    """All of them are found: at least as many examples are tried as the source has."""
    module = importlib.import_module(name)
    of_c = name == "arrayops._machine"  # its documentation is the stub's
    source = "" if of_c else inspect.getsource(module)
    need_libraries(source)
    failed, tried = doctest.testmod(module)
    assert failed == 0
    assert tried >= sum(line.lstrip().startswith(">>> ") for line in source.splitlines())


def test_all_modules_are_found() -> None:
    assert {"arrayops.cli.commands", "arrayops.engine.kernel", "arrayops.compiler.ir", "arrayops.order"} <= {*MODULES}


@pytest.mark.parametrize("name", arrayops.__all__)
def test_public_names_are_documented(name: str) -> None:
    value = getattr(arrayops, name)
    assert value.__doc__
    assert ">>>" in value.__doc__ or name == "ExpressionError"


def test_every_public_name_is_in_the_reference() -> None:
    text = "".join(page.read_text() for page in (ROOT / "docs" / "reference").glob("*.md"))
    shown = re.findall(r"^\.\. auto(?:function|class):: (\w+)$", text, re.M)
    assert sorted(shown) == sorted(arrayops.__all__)


def test_tests_that_are_named_exist() -> None:
    """Each promise of docs/limits.md and SECURITY.md has its test."""
    named = {
        found
        for page in (*PAGES, ROOT / "SECURITY.md")
        for found in re.findall(r"(tests/[\w/]+\.\w+)(?:::(\w+))?", page.read_text())
    }
    assert len(named) > 20
    for path, function in named:
        assert (ROOT / path).exists(), path
        assert f"\ndef {function}(" in (ROOT / path).read_text() or not function, (path, function)


def test_generated_pages_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for path, text in generate.pages().items():
        assert path.read_text() == text, f"{path.name}: run python docs/generate.py"
