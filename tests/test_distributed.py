"""examples/dask_files.py on a real cluster of processes: the same bits as one process gives, whoever did what."""

from __future__ import annotations

import copyreg
import importlib
import importlib.util
import itertools
import math
import os
import pickle
import random
import struct
import subprocess
import sys
import tracemalloc
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import arrayops as ao
import pytest

# Not imported before a test needs it: importing it changes the process, see below.
pytestmark = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="needs distributed")

EXAMPLES = Path(__file__).parent.parent / "examples"
#: So that both workers have a part, however late one of them gets a processor.
NO_STEALING = {"distributed.scheduler.work-stealing": False}
FILES = 12  # several for each worker, and one merge of merges


@pytest.fixture(scope="module")
def dask_files() -> Iterator[Any]:
    """The example, on sys.path, which spawned workers inherit: functions are sent by name, and the workers find them.

    The alternative, cloudpickle's register_pickle_by_value, would give the workers copies of the functions.

    distributed registers tblib's way of pickling for all exceptions, by which a SyntaxError loses its text and offset.
    Other tests are to find the process as it was.
    """
    before = dict(copyreg.dispatch_table)
    sys.path.insert(0, str(EXAMPLES))
    try:
        yield importlib.import_module("dask_files")
    finally:
        sys.path.remove(str(EXAMPLES))
        copyreg.dispatch_table.clear()
        copyreg.dispatch_table.update(before)


@pytest.fixture(scope="module")
def client(dask_files: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two worker processes of one thread. They find arrayops as this process does, wherever it is."""
    import dask
    import distributed

    own = tmp_path_factory.mktemp("dask")
    with (
        dask.config.set(NO_STEALING),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                                 silence_logs=50, local_directory=str(own)) as cluster,
        distributed.Client(cluster) as client,
    ):  # fmt: skip
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def columns() -> list[array[float]]:
    """Doubles whose sum depends on the order if it is rounded on the way, as 1e16 + 1 - 1e16 is 0; one for each file.

    For each large number there is its opposite, mostly in another file.
    """
    chance = random.Random(1)
    small = [chance.choice([1.0, -1.0, 0.1, 3.0, 1e-300, -0.0, 5e-324, chance.uniform(-1, 1)]) for _ in range(4000)]
    large = [chance.choice([1e16, 1e16 + 2, 1e100, 2.0**53]) for _ in range(1000)]
    numbers = [*small, *large, *(-x for x in large)]
    chance.shuffle(numbers)
    cuts = [0, 0, *sorted(chance.sample(range(1, len(numbers)), FILES - 2)), len(numbers)]  # the first file is empty
    return [array("d", numbers[start:stop]) for start, stop in itertools.pairwise(cuts)]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory, columns: list[array[float]]) -> list[str]:
    folder = tmp_path_factory.mktemp("doubles")
    found = [folder / f"{i}.bin" for i in range(FILES)]
    for path, numbers in zip(found, columns, strict=True):
        path.write_bytes(numbers.tobytes())
    return [str(path) for path in found]


def bits(stats: ao.Stats) -> list[bytes]:
    """The figures, with the sign of a zero."""
    return [struct.pack("<d", x) if isinstance(x, float) else str(x).encode() for x in stats]


def assert_same(found: ao.RunningStats, whole: ao.RunningStats) -> None:
    assert found == whole
    assert bits(found.stats()) == bits(whole.stats())


def assert_two_workers(workers: frozenset[str]) -> None:
    """The work ran in at least two processes, none of them this one."""
    assert len(workers) >= 2
    assert not any(worker.endswith(f":{os.getpid()}") for worker in workers)


def test_the_data_would_show_the_order(columns: list[array[float]]) -> None:
    joined = [x for numbers in columns for x in numbers]
    running = 0.0
    for x in joined:
        running += x
    assert running != math.fsum(joined)
    parts = [math.fsum(numbers) for numbers in columns]
    assert math.fsum(parts) != math.fsum(joined), "a sum of each file that is rounded shows it as well"


def _captured() -> Any:
    factor, shift = 3, 0.1
    return lambda x: x * factor + shift


KERNELS = {
    "text": "x * 3 + 0.1",
    "a kernel of text": ao.compile("x * 3 + 0.1"),
    "a kernel of a lambda with captured numbers": ao.compile(_captured()),
}


@pytest.mark.parametrize("f", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("size", [64, 1 << 20])
def test_statistics_of_files(
    client: Any, dask_files: Any, paths: list[str], columns: list[array[float]], f: Any, size: int
) -> None:
    found, workers = dask_files.stats_of_files(client, paths, "d", f, size=size)
    assert_two_workers(workers)
    values = array("d", [x * 3 + 0.1 for numbers in columns for x in numbers])
    assert_same(found, ao.RunningStats(values))
    exact = sum(map(Fraction, values), Fraction(0))
    assert found.sum == math.fsum(values) == exact.numerator / exact.denominator


def test_any_order_of_files(client: Any, dask_files: Any, paths: list[str]) -> None:
    first, _ = dask_files.stats_of_files(client, paths, "d", "x / 7")
    for seed in range(3):
        shuffled = random.Random(seed).sample(paths, len(paths))
        again, _ = dask_files.stats_of_files(client, shuffled, "d", "x / 7", size=100 + seed)
        assert_same(again, first)


def test_each_worker_has_its_half(client: Any, dask_files: Any, paths: list[str], columns: list[array[float]]) -> None:
    """Said file by file who does it, so that no scheduling can hide a worker that gives other bits."""
    workers = list(client.scheduler_info()["workers"])
    k = ao.compile(_captured())
    parts = [
        client.submit(dask_files.gather, path, "d", k, size=64, workers=[workers[i % 2]], pure=False)
        for i, path in enumerate(paths)
    ]
    found = client.gather(parts)
    assert len({names for _, names in found}) == 2
    for (stats, _), numbers in zip(found, columns, strict=True):
        assert stats == (ao.RunningStats(ao.map(numbers, k)) if numbers else ao.RunningStats())
    there, _ = client.submit(dask_files.merged, parts, pure=False).result()
    assert_same(there, dask_files.merged(found)[0])
    assert_same(there, dask_files.merged(found[::-1])[0])


@pytest.mark.parametrize(("format", "to"), [("d", "d"), ("<d", ">f")])
def test_files_of_values(
    client: Any, dask_files: Any, paths: list[str], columns: list[array[float]], tmp_path: Path, format: str, to: str
) -> None:
    targets = [str(tmp_path / f"out{i}") for i in range(FILES)]
    stats, workers = dask_files.map_files(client, paths, targets, format, ao.compile("x % 1000.0 - 0.5"), to, size=50)
    assert_two_workers(workers)
    whole = ao.RunningStats()
    for numbers, target in zip(columns, targets, strict=True):
        values = [x % 1000.0 - 0.5 for x in numbers]
        order = to[0] if len(to) > 1 else "="
        assert Path(target).read_bytes() == struct.pack(f"{order}{len(values)}{to[-1]}", *values)
        whole.update(array(to[-1], values))
    assert_same(stats, whole)
    assert sorted(os.listdir(tmp_path)) == sorted(map(os.path.basename, targets)), "nothing unfinished is left"


def test_memory_does_not_grow_with_the_file(dask_files: Any, tmp_path: Path) -> None:
    source = tmp_path / "zeros"
    with open(source, "wb") as file:
        file.truncate(8 << 22)
    tracemalloc.start()
    try:
        found, _ = dask_files.gather(str(source), "d", "x + 1", size=1 << 14)
        again, _ = dask_files.transform(str(source), str(tmp_path / "ones"), "d", "x + 1", size=1 << 14)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.sum == again.sum == 1 << 22
    assert peak < 1 << 21  # the file is 16 times that


def test_ints_stay_exact(client: Any, dask_files: Any, tmp_path: Path) -> None:
    rows = [[2**62, -(2**62), i, 2**63 - 1] for i in range(10)]
    files = [tmp_path / str(i) for i in range(10)]
    for path, row in zip(files, rows, strict=True):
        path.write_bytes(struct.pack(">4q", *row))
    found, _ = dask_files.stats_of_files(client, list(map(str, files)), ">q", "x", "q", size=3)
    assert found.sum == sum(map(sum, rows)) == 10 * (2**63 - 1) + 45
    assert_same(found, ao.RunningStats(array("q", [x for row in rows for x in row])))


def test_an_exception_of_an_element_comes_back(client: Any, dask_files: Any, paths: list[str], tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        dask_files.stats_of_files(client, paths, "d", "1 / (x - 1)")
    with pytest.raises(ZeroDivisionError):
        dask_files.map_files(client, paths[5:6], [str(tmp_path / "out")], "d", "1 / (x - 1)")
    assert os.listdir(tmp_path) == [], "neither the file nor what was begun of it"


def test_an_error_in_a_text_comes_back_whole(client: Any, dask_files: Any, paths: list[str]) -> None:
    with pytest.raises(ao.ExpressionError) as caught:
        dask_files.stats_of_files(client, paths, "d", "x + 'a'")
    assert caught.value.text == "x + 'a'"


def test_pipelines_by_the_cluster(client: Any, paths: list[str], columns: list[array[float]], tmp_path: Path) -> None:
    """executor= of a pipeline over the same files, of which parts go to both workers."""
    pool, pipeline = client.get_executor(pure=False), ao.lazy(ao.files(paths, part_bytes=500)).map(_captured())
    whole = ao.lazy(array("d", [x for numbers in columns for x in numbers])).map("x * 3 + 0.1")
    assert bits(pipeline.stats(executor=pool)) == bits(whole.stats())
    assert bits((pipeline.sum(executor=pool), pipeline.min(executor=pool))) == bits((whole.sum(), whole.min()))
    assert pipeline.histogram(9, executor=pool) == whole.histogram(9)
    assert pipeline.to(tmp_path, executor=pool) == whole.count()
    assert sorted(os.listdir(tmp_path)) == sorted(map(os.path.basename, paths))
    with pytest.raises(ZeroDivisionError) as caught:
        pipeline.map("1 / (x - x)").sum(executor=pool)
    place, part = [note for note in caught.value.__notes__ if "elements" in note]
    assert place.startswith("in ") and part.startswith("part ")
    with pytest.raises(TypeError, match="cannot be sent"):
        pipeline.map(lambda x: [x][0]).sum(executor=pool)


def test_statistics_that_arrive_first_leave_the_names_alone() -> None:
    """A process that has used nothing of arrayops but the statistics it is sent."""
    text = (
        f"import pickle; pickle.loads({pickle.dumps(ao.RunningStats(b'ao'))!r}); import arrayops; arrayops.stats(b'ao')"
    )
    subprocess.run([sys.executable, "-c", text], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                   check=True, capture_output=True)  # fmt: skip


def test_no_files(client: Any, dask_files: Any) -> None:
    assert dask_files.stats_of_files(client, [], "d", "x") == (ao.RunningStats(), frozenset())


def test_a_function_is_compiled_by_the_worker(client: Any, dask_files: Any, paths: list[str]) -> None:
    """A lambda that is not made a kernel goes as Dask sends functions."""
    factor = 3
    found, _ = dask_files.stats_of_files(client, paths, "d", lambda x: x * factor)
    assert_same(found, dask_files.stats_of_files(client, paths, "d", "x * 3")[0])


def _lines(columns: list[array[float]]) -> list[str]:
    whole = ao.RunningStats(array("d", [x * 3 + 0.1 for numbers in columns for x in numbers]))
    return [f"{name:5} {value}" for name, value in whole.stats()._asdict().items()]


def test_command_line_on_a_cluster(
    client: Any,
    dask_files: Any,
    paths: list[str],
    columns: list[array[float]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = client.scheduler.address
    assert dask_files.main(["x * 3 + 0.1", *paths, "--scheduler", address]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{FILES} files by 2 processes", *_lines(columns)]
    folder = tmp_path / "new"
    assert dask_files.main(["x * 3 + 0.1", *paths, "-s", address, "-o", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == _lines(columns)
    assert sorted(os.listdir(folder)) == sorted(map(os.path.basename, paths))
    assert dask_files.main(["x", str(tmp_path / "absent"), "-s", address]) == 2
    assert capsys.readouterr().err.startswith("FileNotFoundError: ")
    assert dask_files.main(["x", paths[0], "-s", address, "-o", os.path.dirname(paths[0])]) == 2
    assert "a name of its own" in capsys.readouterr().err
    for text in ("x +", "x + y", "1"):
        with pytest.raises(SystemExit):
            dask_files.main([text, *paths])


def test_command_line_with_processes_of_its_own(paths: list[str], columns: list[array[float]], tmp_path: Path) -> None:
    """As a script: its functions are then in __main__, which Dask sends by value."""
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "False",
        "DASK_TEMPORARY_DIRECTORY": str(tmp_path),
    }
    command = [sys.executable, EXAMPLES / "dask_files.py", "x * 3 + 0.1", *paths, "--workers", "2"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{FILES} files by 2 processes", *_lines(columns)]
