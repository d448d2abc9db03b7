"""Sphinx: MyST pages and a notebook, furo theme, reference from the docstrings: sphinx-build -W docs docs/_build

The installed package is what the reference shows.
"""

from __future__ import annotations

import inspect
import itertools
import re
from pathlib import Path
from typing import Any

import arrayops
from docutils import nodes

project = "arrayops"
author = copyright = "The arrayops developers"
version = release = arrayops.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_copybutton"]
html_theme = "furo"
html_title = f"arrayops {release}"
#: What `python -m tests.platforms pyodide` has built for the page of the playground.
BUILT = Path(__file__).parent.parent / "build" / "static"
HAS_PLAYGROUND = (BUILT / "playground" / "arrayops.whl").is_file()
html_static_path = ["static", *([str(BUILT)] if HAS_PLAYGROUND else [])]
html_css_files = ["narrow.css"]
html_theme_options = {
    "source_repository": "https://github.com/arrayops-vm/arrayops",
    "source_branch": "main",
    "source_directory": "docs/",
}
exclude_patterns = ["_build", "**/__pycache__"]
myst_heading_anchors = 3
nb_execution_mode = "force"  # the tutorial, afresh at each build; an exception in it ends the build
nb_execution_raise_on_error = True
nb_execution_timeout = 60
autodoc_member_order = "bysource"
autodoc_typehints = "none"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def fields(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Paragraphs of the form "name: what it is", further lines indented, as Sphinx's fields."""
    try:
        names = "|".join(inspect.signature(obj).parameters) or "-"
    except (TypeError, ValueError):
        return
    start = re.compile(rf"((?:{names})(?:, (?:{names}))*): ")
    kept = [line for line in lines if line not in ("Parameters", "-" * len("Parameters"))]
    lines.clear()
    for blank, group in itertools.groupby(kept, lambda line: not line.strip()):
        paragraph = [*group]
        listed = not blank and all(start.match(line) or line.startswith("    ") for line in paragraph)
        lines += [start.sub(r":param \1: ", line, count=1) for line in paragraph] if listed else paragraph


def no_signature(app: Any, what: str, name: str, obj: Any, options: Any, signature: str, returned: str) -> Any:
    """For classes that functions make: how they do it is nobody's business."""
    return ("", None) if what == "class" and "ade by :func:" in (obj.__doc__ or "") else None


def without_last_line(app: Any, doctree: nodes.document) -> None:
    """Examples end with an empty line, which doctest needs and readers do not."""
    for block in doctree.findall(nodes.literal_block):
        block[:] = [nodes.Text(block.astext().rstrip("\n"))]


def playground(app: Any, pagename: str, templatename: str, context: Any, doctree: Any) -> None:
    """The script and the style of that page."""
    if pagename == "playground" and HAS_PLAYGROUND:
        app.add_css_file("playground/playground.css")
        app.add_js_file("playground/playground.js", type="module")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    if HAS_PLAYGROUND:
        app.tags.add("playground")
    app.connect("html-page-context", playground)
    app.connect("autodoc-process-signature", no_signature)
    app.connect("doctree-read", without_last_line)
    app.connect("autodoc-process-docstring", fields)
