"""`python -m arrayops`, and the `arrayops` script: the command line's status for the shell. The rest is in cli/."""

import sys

from .cli import main as run

if __name__ == "__main__":
    sys.exit(run())
