"""The build backend: meson-python, but for an editable install that could not be imported afterwards.

An editable install is rebuilt at every import, by the ninja that installed it. If that one came from the temporary
environment in which pip, uv or build run a backend, it is gone by then; so such an install is refused, with the remedy.
"""

from __future__ import annotations

import shutil
from typing import Any

import mesonpy
from mesonpy import build_sdist, build_wheel, get_requires_for_build_sdist, get_requires_for_build_wheel

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


def _refuse_temporary() -> None:
    ninja = shutil.which("ninja") or ""
    if any(part in ninja for part in _TEMPORARY):
        raise SystemExit(f"\narrayops: {_REMEDY}\n")


def get_requires_for_build_editable(config_settings: dict[str, Any] | None = None) -> list[str]:
    _refuse_temporary()
    return mesonpy.get_requires_for_build_editable(config_settings)


def build_editable(wheel_directory: str, config_settings: dict[str, Any] | None = None,
                   metadata_directory: str | None = None) -> str:  # fmt: skip
    _refuse_temporary()
    return mesonpy.build_editable(wheel_directory, config_settings, metadata_directory)
