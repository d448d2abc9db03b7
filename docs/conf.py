"""Sphinx: MyST pages, furo theme. Build with: sphinx-build -W docs docs/_build"""

project = "arrayops"
author = "The arrayops authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "arrayops"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
