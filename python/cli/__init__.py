"""The command line: ``main`` runs one command; see commands.py."""

from .commands import main

__all__ = ["main"]
