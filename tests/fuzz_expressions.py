"""Random expressions against Python, as a program: python tests/fuzz_expressions.py --count 100000 --seed 1

The grammar and the oracle are those of the hypothesis tests; only the source of randomness differs. Case i of seed s
is drawn from Random("s:i") alone, so every difference can be run again by itself; its line is printed. The exit
status is 1 if anything differed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from pathlib import Path

from differential import differences
from grammar import APIS, Case, random_case


def case_of(seed: int, index: int, apis: tuple[str, ...]) -> Case:
    """Case `index` of a seed."""
    rng = random.Random(f"{seed}:{index}")
    return random_case(rng, rng.choice(apis))


def report(seed: int, index: int, case: Case, lines: list[str], apis: str) -> None:
    """Print what differed and the command that runs this case alone."""
    only = f" --apis {apis}" if apis else ""
    print(f"DIFFERENCE in case {index}: {case}")
    for line in lines:
        print(f"    {line}")
    print(f"    rerun: python tests/{Path(__file__).name} --seed {seed} --only {index}{only}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the cases; 0 when nothing differed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="how many expressions")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="run this case alone")
    parser.add_argument("--apis", default="", help="comma-separated subset of " + ",".join(sorted(set(APIS))))
    parser.add_argument("--stop-after", type=int, default=20, help="differences to print before giving up")
    options = parser.parse_args(arguments)
    apis = tuple(options.apis.split(",")) if options.apis else APIS
    indices = range(options.count) if options.only is None else range(options.only, options.only + 1)
    counts: Counter[str] = Counter()
    failed = 0
    for index in indices:
        case = case_of(options.seed, index, apis)
        counts[case.api] += 1
        if lines := differences(case):
            failed += 1
            report(options.seed, index, case, lines, options.apis)
        if failed >= options.stop_after:
            break
    per_api = ", ".join(f"{api} {number}" for api, number in sorted(counts.items()))
    print(f"seed {options.seed}: {counts.total()} expressions ({per_api}), {failed} with differences")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
