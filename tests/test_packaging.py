"""The build backend says what to do where a build or an editable install cannot succeed, and only there."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import types
from pathlib import Path

import arrayops
import pytest

BACKEND = Path(__file__).resolve().parent.parent / "backend.py"


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The backend over a meson-python that only says what it was asked."""
    mesonpy = types.ModuleType("mesonpy")
    for name in ("build_sdist", "build_wheel", "build_editable", "get_requires_for_build_sdist",
                 "get_requires_for_build_wheel", "get_requires_for_build_editable"):  # fmt: skip
        setattr(mesonpy, name, lambda *args, name=name: (name, args))
    monkeypatch.setitem(sys.modules, "mesonpy", mesonpy)
    spec = importlib.util.spec_from_file_location("backend", BACKEND)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def programs(monkeypatch: pytest.MonkeyPatch, **found: str | None) -> None:
    """A PATH with these programs and no others."""
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(shutil, "which", found.get)


@pytest.mark.parametrize(
    "ninja",
    [
        "/tmp/pip-build-env-9ewbo6lc/overlay/bin/ninja",
        "/tmp/build-env-x1/bin/ninja",
        "/home/me/.cache/uv/builds-v0/.tmpQ/bin/ninja",
    ],
)
def test_editable_is_refused_in_a_temporary_environment(backend, monkeypatch, ninja):
    programs(monkeypatch, ninja=ninja, cc="/usr/bin/cc")
    for hook in (backend.get_requires_for_build_editable, lambda: backend.build_editable("dist")):
        with pytest.raises(SystemExit, match="--no-build-isolation -e"):
            hook()
    assert backend.build_wheel("dist") == ("build_wheel", ("dist", None, None))


@pytest.mark.parametrize("ninja", ["/usr/bin/ninja", "/tmp/venv/bin/ninja", None])
def test_editable_is_built_where_ninja_stays(backend, monkeypatch, ninja):
    programs(monkeypatch, ninja=ninja, clang="/usr/bin/clang")
    assert backend.get_requires_for_build_editable() == ("get_requires_for_build_editable", (None,))
    assert backend.build_editable("dist") == ("build_editable", ("dist", None, None))


def test_a_namesake_in_the_same_folder_is_named(tmp_path: Path) -> None:
    """The Rust package called arrayops, whose module basic.py we have not."""
    folder = tmp_path / "arrayops"
    shutil.copytree(Path(arrayops.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import arrayops; print(arrayops.__file__)"
    command = [sys.executable, "-c", code]
    for present in (False, True):
        if present:
            (folder / "basic.py").touch()
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == str(folder / "__init__.py")
        assert ("RuntimeWarning: two packages called arrayops" in ran.stderr) == present


HOOKS = ["get_requires_for_build_wheel", "build_wheel", "get_requires_for_build_editable", "build_editable"]


@pytest.mark.parametrize("hook", HOOKS)
def test_without_a_compiler_it_says_what_to_install(backend, monkeypatch, hook):
    programs(monkeypatch, ninja="/usr/bin/ninja")
    with pytest.raises(SystemExit) as ended:
        getattr(backend, hook)("dist")
    message = str(ended.value)
    assert "a C compiler is missing" in message
    assert "apt-get install gcc python3-dev" in message and "xcode-select --install" in message


@pytest.mark.parametrize("hook", HOOKS)
def test_without_headers_it_says_what_to_install(backend, monkeypatch, tmp_path, hook):
    programs(monkeypatch, ninja="/usr/bin/ninja", gcc="/usr/bin/gcc")
    monkeypatch.setattr(backend.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(SystemExit, match=r"(?s)the headers of Python .*Python\.h\) is missing.*python3-dev"):
        getattr(backend, hook)("dist")
    (tmp_path / "Python.h").touch()
    assert getattr(backend, hook)("dist")[0] == hook


def test_a_compiler_that_is_named_is_believed(backend, monkeypatch):
    programs(monkeypatch)
    monkeypatch.setenv("CC", "/opt/cross/bin/cc")
    assert backend.build_wheel("dist") == ("build_wheel", ("dist", None, None))


def test_a_source_distribution_needs_no_compiler(backend, monkeypatch):
    programs(monkeypatch)
    assert backend.build_sdist("dist")[0] == "build_sdist"
