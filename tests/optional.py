"""What the tests can do without: libraries, which may have no wheel for this Python, and CPython's own tests, which a
distribution may leave out."""

from __future__ import annotations

import importlib.util
import re

OPTIONAL = ("mpmath", "numpy", "pandas", "polars", "pyarrow", "test")


def missing(text: str, prompt: str = "") -> list[str]:
    """Which of OPTIONAL are not there, of those that are imported by lines which begin with the prompt."""
    lines = re.findall(rf"^{prompt}(?:import|from) (.+)", text, re.MULTILINE)
    words = {word for line in lines for word in re.findall(r"\w+", line)}
    return [name for name in OPTIONAL if name in words and importlib.util.find_spec(name) is None]
