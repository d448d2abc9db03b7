"""Random functions against Python, as a program: python tests/fuzz_functions.py --count 50000 --seed 1

Case i of seed s is drawn from Random("s:i") alone, so every difference can be run again by itself. The exit status is 1
if anything differed, or if fewer than 98 % of the functions made only of the language were compiled.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import arrayops as ao
from arrayops.engine import functions, kernel
from function_differential import differences, random_case

LEAST_COMPILED = 0.98


def step_kernel(function: Any, initial: Any) -> Any:
    """The kernel of the step of a fold that begins with a tuple."""
    return kernel.fold_kernel(function, None, {}, initial, False)[0]


def main(arguments: list[str] | None = None) -> int:
    """Run the cases; 0 when nothing differed and nearly all was compiled."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=50_000, help="how many functions")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="run this case alone, and show it")
    parser.add_argument("--stop-after", type=int, default=10, help="differences to print before giving up")
    options = parser.parse_args(arguments)
    functions.COMPILE_AFTER = 0
    indices = range(options.count) if options.only is None else range(options.only, options.only + 1)
    apis: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    failed = in_language = compiled = 0
    for index in indices:
        call = random_case(random.Random(f"{options.seed}:{index}"))
        case = call.case
        apis[call.api] += 1
        if case.in_language:
            in_language += 1
            made = step_kernel(case.function, call.initial) if call.api == "states" else ao.compile(case.function)
            compiled += made.compiled
            if not made.compiled:
                reasons[made.explain().splitlines()[0].partition(": ")[2]] += 1
        if options.only is not None:
            print(case.source)
        if lines := differences(call):
            failed += 1
            codes = [a.typecode for a in call.arrays]
            print(f"DIFFERENCE in case {index}, {call.api}, typecode={call.typecode!r}, {codes}, {call.initial}")
            print(*(f"    {line}" for line in [*lines, *case.source.splitlines()]), sep="\n")
            print(f"    rerun: python tests/{Path(__file__).name} --seed {options.seed} --only {index}", flush=True)
        if failed >= options.stop_after:
            break
    share = compiled / in_language if in_language else 1.0
    per_api = ", ".join(f"{api} {number}" for api, number in sorted(apis.items()))
    print(f"seed {options.seed}: {apis.total()} functions ({per_api}), {failed} with differences;")
    print(f"{in_language} made only of the language, {share:.2%} of them compiled")
    for reason, number in reasons.most_common(8):
        print(f"    {number} not: {reason}")
    return 1 if failed or share < LEAST_COMPILED else 0


if __name__ == "__main__":
    sys.exit(main())
