"""Random numbers as text, in all notations, against float() and repr(), bit for bit.

    python tests/fuzz_numbers.py [--count N] [--seed N]

Texts are those of test_csv_numbers.py: of random doubles, of numbers halfway between two, of many digits, beyond all
doubles, nan and inf; read by read_csv. Doubles of random bits, and of few digits, are written by the command line's
writer. A difference prints the line that repeats it, and the status is 1.
"""

from __future__ import annotations

import argparse
import random
import sys
from array import array
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import arrayops as ao
from test_csv_numbers import any_double, misread

PART = 100_000


def miswritten(count: int, seed: int) -> list[tuple[str, str]]:
    """Of so many doubles those that are not written as repr() writes them: what was written, and repr."""
    rng = random.Random(seed)
    values = array("d", (any_double(rng) if i % 2 else round(rng.uniform(-1e6, 1e6), i % 9) for i in range(count)))
    written = ao._machine.spell_lines(values, -1).decode().split()
    return [(text, repr(x)) for text, x in zip(written, values, strict=True) if text != repr(x)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for start in range(0, args.count, PART):
        count, seed = min(PART, args.count - start), args.seed * 1_000_003 + start
        for found in (misread(count, seed), miswritten(count, seed)):
            if found:
                print(f"{len(found)} differ, such as {found[:3]}\n"
                      f"python tests/fuzz_numbers.py --count {args.count} --seed {args.seed}")  # fmt: skip
                return 1
    print(f"{args.count} numbers as float() reads them, {args.count} as repr() writes them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
