"""The build backend: meson-python, and a word of advice before what cannot succeed.

A build needs a C compiler and the headers of Python; without them meson ends in a page of its own affairs.

An editable install is rebuilt at every import, by the ninja that installed it. If that one came from the temporary
environment in which pip, uv or build run a backend, it is gone by then; so such an install is refused, with the remedy.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path
from typing import Any

import mesonpy
from mesonpy import build_sdist, get_requires_for_build_sdist

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

_TEMPORARY = ("pip-build-env-", "build-env-", "builds-v0")  # in the paths of pip's, build's and uv's environments
_REMEDY = """an editable install needs meson and ninja to stay, as it is rebuilt at import. Type

    python -m pip install meson-python meson ninja
    python -m pip install --no-build-isolation -e .

in an activated environment, or leave out -e."""

_COMPILERS = ("cc", "gcc", "clang", "icx", "icc", "nvc")  # those that meson tries
_INSTALL = """Type one of

    sudo apt-get install gcc python3-dev        Debian, Ubuntu
    sudo dnf install gcc python3-devel          Fedora, RHEL
    sudo zypper install gcc python3-devel       openSUSE
    sudo pacman -S gcc                          Arch
    apk add gcc musl-dev python3-dev            Alpine
    xcode-select --install                      macOS

and install again; or name a compiler by the environment variable CC. No compiler is needed where there is a wheel:
python -m pip install --only-binary :all: arrayops-vm"""


def _missing() -> str:
    """What a build lacks; '' if nothing. On Windows meson knows best where compilers are."""
    if os.name == "nt":
        return ""
    if not os.environ.get("CC") and not any(map(shutil.which, _COMPILERS)):
        return "a C compiler"
    if not os.environ.get("CC") and not Path(sysconfig.get_path("include"), "Python.h").exists():
        return f"the headers of Python ({sysconfig.get_path('include')}/Python.h)"
    return ""


def _require_tools() -> None:
    missing = _missing()
    if missing:
        raise SystemExit(f"\narrayops: this is built from source, and {missing} is missing. {_INSTALL}\n")


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    _require_tools()
    return mesonpy.get_requires_for_build_wheel(config_settings)


def build_wheel(wheel_directory: str, config_settings: dict[str, Any] | None = None,
                metadata_directory: str | None = None) -> str:  # fmt: skip
    _require_tools()
    return mesonpy.build_wheel(wheel_directory, config_settings, metadata_directory)


def _refuse_temporary() -> None:
    ninja = shutil.which("ninja") or ""
    if any(part in ninja for part in _TEMPORARY):
        raise SystemExit(f"\narrayops: {_REMEDY}\n")


def get_requires_for_build_editable(config_settings: dict[str, Any] | None = None) -> list[str]:
    _require_tools()
    _refuse_temporary()
    return mesonpy.get_requires_for_build_editable(config_settings)


def build_editable(wheel_directory: str, config_settings: dict[str, Any] | None = None,
                   metadata_directory: str | None = None) -> str:  # fmt: skip
    _require_tools()
    _refuse_temporary()
    return mesonpy.build_editable(wheel_directory, config_settings, metadata_directory)
