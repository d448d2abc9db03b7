"""Profiles of hypothesis for the whole suite, chosen by ARRAYOPS_TEST_PROFILE: ci (bounded, the same examples every
time) or deep (many, random, a failure prints its blob). No test depends on time: hypothesis has no deadline here."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest
from hypothesis import settings

# The helpers beside the tests are plain modules (grammar, oracle, ...), importable whatever pytest's import mode.
sys.path.insert(0, str(Path(__file__).resolve().parent))

settings.register_profile("ci", max_examples=150, deadline=None, derandomize=True, database=None)
settings.register_profile("deep", max_examples=5000, deadline=None, print_blob=True, database=None)
PROFILE = os.environ.get("ARRAYOPS_TEST_PROFILE", "ci")
settings.load_profile(PROFILE)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which profile runs and how to run the other."""
    return f"arrayops: hypothesis profile {PROFILE!r} (ARRAYOPS_TEST_PROFILE=deep for the long one)"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Functions by name: an address would be another one in each process of pytest-xdist."""
    return val.__name__ if isinstance(val, types.FunctionType | types.BuiltinFunctionType) else None
