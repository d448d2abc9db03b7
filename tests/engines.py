"""Pipelines by Dask, Ray and Spark, with their workers as processes, of which some are killed: the same bits.

    python -m pytest tests/engines.py          # or nox -s engines

Not among the tests of the suite, as starting the engines takes longer than most of it; what is not installed is left
out. Each process that works on a part leaves a file of its number behind, so that it is known who did what.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import shutil
import signal
import sys
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import arrayops as ao
import pytest
from parted import bits, unlike_numbers, written

FILES = 5
NUMBERS = 40_000  # in each file
#: So that workers find this module, wherever the engine starts them.
sys.path.insert(0, str(Path(__file__).parent))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))


@pytest.fixture(scope="module")
def columns() -> list[array[float]]:
    numbers = unlike_numbers(FILES * NUMBERS)
    return [array("d", numbers[i * NUMBERS : (i + 1) * NUMBERS]) for i in range(FILES)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, columns: list[array[float]]) -> Path:
    return written(tmp_path_factory.mktemp("data"), columns)


# -- engines -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def processes(own: Path) -> Iterator[Executor]:
    with ProcessPoolExecutor(2) as pool:
        yield pool


@contextlib.contextmanager
def dask(own: Path) -> Iterator[Executor]:
    import distributed

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                                 silence_logs=50, local_directory=str(own)) as cluster,
        distributed.Client(cluster) as client,
    ):  # fmt: skip
        client.wait_for_workers(2)
        yield client.get_executor(pure=False, retries=3)


@contextlib.contextmanager
def ray(own: Path) -> Iterator[Executor]:
    import ray
    from arrayops.executors import RayExecutor

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 << 20)
    try:
        yield RayExecutor(max_retries=5)
    finally:
        ray.shutdown()


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Spark's own small cluster: two worker processes of Java, each with Pythons of its own."""
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("needs Java")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        sql.SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.executorEnv.PYTHONPATH", os.environ["PYTHONPATH"])
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    try:
        yield session
    finally:
        session.stop()


ENGINES = {"processes": processes, "distributed": dask, "ray": ray}


@pytest.fixture(scope="module", params=[*ENGINES, "pyspark"])
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    if request.param == "pyspark":
        session = request.getfixturevalue("session")
        from arrayops.executors import SparkExecutor

        with SparkExecutor(session) as pool:
            yield pool
        return
    if request.param != "processes":
        pytest.importorskip(request.param)
    with ENGINES[request.param](tmp_path_factory.mktemp("engine")) as pool:
        yield pool


# -- what they are given -----------------------------------------------------------------------------------------------


class Witness:
    """x * 3 + 0.1; the process leaves a file behind, and is killed by its first element if it is to be."""

    def __init__(self, folder: Path, kills: bool = False) -> None:
        self.folder, self.kills = str(folder), kills

    def __call__(self, x: float) -> float:
        mark = f"{self.folder}/{os.getpid()}"
        if not os.path.exists(mark):
            with open(mark, "w") as file:
                file.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
            if self.kills:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(f"{self.folder}/killed")  # the first one only
                    os.kill(os.getpid(), signal.SIGKILL)
        return x * 3 + 0.1


def whole(columns: list[array[float]]) -> ao.Pipeline:
    return ao.lazy(columns).map("x * 3 + 0.1")


RESULTS: dict[str, Callable[..., Any]] = {
    "stats": lambda p, **o: p.stats(**o),
    "sum": lambda p, **o: p.sum(**o),
    "mean": lambda p, **o: p.mean(**o),
    "extremes": lambda p, **o: (p.min(**o), p.max(**o)),
    "histogram": lambda p, **o: tuple(map(tuple, p.histogram(5, (-4, 4), **o))),
    "reduce": lambda p, **o: p.reduce("max(acc, x)", merge="max(acc, x)", **o),
    "collect": lambda p, **o: p.collect(**o).tobytes(),
}


def test_the_same_bits(pool: Executor, folder: Path, columns: list[array[float]]) -> None:
    pipeline = ao.lazy(ao.files(folder / "*.bin", part_bytes=8 * NUMBERS - 8)).map("x * 3 + 0.1")
    seen: list[int] = []
    for result in RESULTS.values():
        assert bits(result(pipeline, executor=pool, progress=seen.append)) == bits(result(whole(columns)))
    assert len(seen) == 8 * 2 * FILES


def test_a_file_for_each_file(pool: Executor, folder: Path, columns: list[array[float]], tmp_path: Path) -> None:
    ao.lazy(ao.files(folder / "*.bin")).map("x * 3 + 0.1").to(tmp_path / "out", executor=pool)
    for i, column in enumerate(columns):
        assert (tmp_path / "out" / f"{i}.bin").read_bytes() == ao.map(column, "x * 3 + 0.1").tobytes()
    assert len(os.listdir(tmp_path / "out")) == FILES


def test_errors_come_back_with_the_part(pool: Executor, folder: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        ao.lazy(ao.files(folder / "*.bin")).map("1 / (x - x)").sum(executor=pool)
    assert caught.value.__notes__[-1].startswith("part ")


def test_several_processes_take_part_and_one_is_killed(
    pool: Executor, folder: Path, columns: list[array[float]], tmp_path: Path
) -> None:
    """What the killed one was doing is done by another; without an engine that does so, the error says it."""
    kills = not isinstance(pool, ProcessPoolExecutor)
    files = ao.files(folder / "*.bin", part_bytes=8 * 10_000)
    pipeline = ao.lazy(files).map(Witness(tmp_path, kills))
    assert bits(pipeline.stats(executor=pool)) == bits(whole(columns).stats())
    marks = [mark for mark in tmp_path.iterdir() if mark.is_file()]
    assert len(marks) >= 2 and str(os.getpid()) not in {mark.name for mark in marks}
    assert (tmp_path / "killed").exists() == kills


def test_memory_of_a_worker_does_not_grow_with_the_file(pool: Executor, tmp_path: Path) -> None:
    for name, size in (("few", 1 << 20), ("zeros", 512 << 20)):
        with open(tmp_path / name, "wb") as file:
            file.truncate(size)
    assert ao.lazy(ao.files(tmp_path / "few", part_bytes=1 << 17)).map("x + 1").sum(executor=pool) == 1 << 17
    before = most_memory(pool)
    assert ao.lazy(ao.files(tmp_path / "zeros", part_bytes=1 << 26)).map("x + 1").sum(executor=pool) == 1 << 26
    assert most_memory(pool) - before < 60 << 10, "less than one part, in KiB"


def most_memory(pool: Executor) -> int:
    return max(task.result() for task in [pool.submit(memory) for _ in range(8)])


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# -- Arrow batches of Spark --------------------------------------------------------------------------------------------


def test_arrow_batches_of_spark(session: Any, columns: list[array[float]]) -> None:
    """As docs/distributed.md has it: kernels on batches, without pandas."""
    pyarrow = pytest.importorskip("pyarrow")
    kernel = ao.compile("x * 3 + 0.1")

    def scaled(batches: Any) -> Any:
        for batch in batches:
            yield pyarrow.RecordBatch.from_arrays([kernel.map(batch.column("raw"), typecode="d")], ["value"])

    def gathered(batches: Any) -> Any:
        found = ao.RunningStats()
        for batch in batches:
            found.update(ao.from_arrow(batch.column("value")))
        yield pyarrow.RecordBatch.from_arrays([pyarrow.array([pickle.dumps(found)])], ["found"])

    table = pyarrow.table({"raw": pyarrow.chunked_array([pyarrow.array(column) for column in columns])})
    frame = session.createDataFrame(table).repartition(5)
    total = ao.RunningStats()
    for row in frame.mapInArrow(scaled, "value double").mapInArrow(gathered, "found binary").collect():
        total.merge(pickle.loads(row.found))
    assert bits(total.stats()) == bits(whole(columns).stats())
