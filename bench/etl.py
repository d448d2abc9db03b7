"""The command line and read_csv against what else reads CSV: python bench/etl.py [--rows N] [--repeat N]

A table of six columns, quoted text among them, is written to a temporary file. Each row of the output is one program in
a process of its own: seconds of processor time (user and system, the least of the repetitions) and the most memory that
was resident. Programs that are not installed are left out. Everything is held to one thread.

What is computed differs in exactness: sums of arrayops are correctly rounded, those of the others are running totals.
awk cannot read quoted fields that hold a delimiter, so it and datamash get the table without them.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

ARRAYOPS = [sys.executable, "-m", "arrayops"]
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARRAYOPS_NUM_THREADS": "1"}
PRODUCT, BY_REGION, TWO_COLUMNS = "map price*qty", "stats price --by region", "two columns into memory"
AWK_STATS = """NR > 1 { k = $5; n[k]++; s[k] += $3; q[k] += $3*$3
  if (!(k in low) || $3 < low[k]) low[k] = $3; if (!(k in high) || $3 > high[k]) high[k] = $3 }
  END { for (k in n) print k, n[k], s[k], s[k]/n[k], low[k], high[k], q[k]/n[k] - (s[k]/n[k])^2 }"""
PYTHON = {
    "arrayops": "import arrayops; arrayops.read_csv({path!r}, ['price', 'qty'])",
    "polars": "import polars; polars.read_csv({path!r}, columns=['price', 'qty'])",
    "pyarrow": "from pyarrow import csv; csv.read_csv({path!r}, read_options=csv.ReadOptions(use_threads=False), "
    "convert_options=csv.ConvertOptions(include_columns=['price', 'qty']))",
    "duckdb": "import duckdb; c = duckdb.connect(config={{'threads': 1}}); "
    "c.execute('select price, qty from read_csv(?)', [{path!r}]).fetchnumpy()",
}


def write_table(path: Path, rows: int, quoted: bool) -> None:
    """The table, the same every time."""
    rng = random.Random(18)
    items = ["nut", '"bolt, long"', "screw", '"gear ""x"""'] if quoted else ["nut", "bolt", "screw", "gear"]
    regions = ["north", "south", "east", "west"]
    with path.open("w") as file:
        file.write("id,item,price,qty,region,day\n")
        for i in range(rows):
            file.write(f"{i},{rng.choice(items)},{rng.randrange(1, 100_000) / 100},{rng.randrange(1, 500)},"
                       f"{rng.choice(regions)},2024-0{rng.randrange(1, 10)}-1{rng.randrange(10)}\n")  # fmt: skip


def commands(path: str, plain: str) -> list[tuple[str, str, list[str]]]:
    """(task, program, command) of all that are installed."""
    found = [
        (PRODUCT, "arrayops", [*ARRAYOPS, "map", "price*qty", path]),
        (PRODUCT, "mawk", ["mawk", "-F,", "NR > 1 { print $3*$4 }", plain]),
        (PRODUCT, "mlr", ["mlr", "--icsv", "--onidx", "put", "-q", "print $price*$qty", path]),
        (PRODUCT, "qsv", ["qsv", "luau", "map", "total", "price*qty", path]),
        (BY_REGION, "arrayops", [*ARRAYOPS, "stats", "price", "--by", "region", path]),
        (BY_REGION, "mawk", ["mawk", "-F,", AWK_STATS, plain]),
        (BY_REGION, "datamash", ["datamash", "-t,", "--header-in", "-s", "-g5", "count", "3", "sum", "3", "mean", "3",
                                 "min", "3", "max", "3", "pvar", "3", "pstdev", "3"]),
        (BY_REGION, "mlr", ["mlr", "--icsv", "--ocsv", "stats1", "-a", "count,sum,mean,min,max,var,stddev", "-f",
                            "price", "-g", "region", path]),
        (BY_REGION, "xsv", ["xsv", "stats", "-s", "price", path]),
    ]  # fmt: skip
    found += [(TWO_COLUMNS, name, [sys.executable, "-c", text.format(path=path)]) for name, text in PYTHON.items()
              if importlib.util.find_spec(name)]  # fmt: skip
    return [row for row in found if shutil.which(row[2][0])]


def measured(command: list[str], source: str) -> tuple[float, float]:
    """Seconds of processor time, and MiB that were resident at most, of one run. source: its standard input."""
    pid = os.fork()
    if not pid:
        with open(source, "rb") as stdin, open(os.devnull, "wb") as out:
            os.dup2(stdin.fileno(), 0)
            os.dup2(out.fileno(), 1)
        os.execvpe(command[0], command, {**os.environ, **ONE_THREAD})
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{command} ended with status {status}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, plain = Path(folder, "sales.csv"), Path(folder, "plain.csv")
        write_table(path, args.rows, True)
        write_table(plain, args.rows, False)
        print(f"{args.rows} rows, {path.stat().st_size / 1e6:.0f} MB\n")
        print("| task | program | seconds | MiB |\n|---|---|---|---|")
        for task, name, command in commands(str(path), str(plain)):
            runs = [measured(command, str(plain)) for _ in range(args.repeat)]
            print(f"| {task} | {name} | {min(s for s, _ in runs):.2f} | {max(m for _, m in runs):.0f} |", flush=True)


if __name__ == "__main__":
    main()
