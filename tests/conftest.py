"""Profiles of hypothesis for the whole suite, chosen by ARRAYOPS_TEST_PROFILE: ci (bounded, the same examples every
time) or deep (many, random, a failure prints its blob). No test depends on time: hypothesis has no deadline here.

Files that import a library at their top that is not there, as it has no wheel for this Python, are left out."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).resolve().parent
# The helpers beside the tests are plain modules (grammar, oracle, ...), importable whatever pytest's import mode.
sys.path.insert(0, str(HERE))

from optional import missing  # noqa: E402 it is found from now on

LEFT_OUT = {file.name: names for file in sorted(HERE.glob("test_*.py")) if (names := missing(file.read_text("utf-8")))}
collect_ignore = list(LEFT_OUT)

settings.register_profile("ci", max_examples=120, deadline=None, derandomize=True, database=None)
settings.register_profile("deep", max_examples=5000, deadline=None, print_blob=True, database=None)
PROFILE = os.environ.get("ARRAYOPS_TEST_PROFILE", "ci")
settings.load_profile(PROFILE)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which profile runs and how to run the other."""
    return f"arrayops: hypothesis profile {PROFILE!r} (ARRAYOPS_TEST_PROFILE=deep for the long one)"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    for name, libraries in LEFT_OUT.items():
        terminalreporter.write_line(f"LEFT OUT, NOT TESTED: {name}, as there is no {', '.join(libraries)}")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Functions by name: an address would be another one in each process of pytest-xdist."""
    return val.__name__ if isinstance(val, types.FunctionType | types.BuiltinFunctionType) else None
