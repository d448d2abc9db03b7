"""Pipelines by executors: the same bits as in one process, and what goes wrong is named.

Big engines are tried in tests/engines.py, Dask in tests/test_distributed.py, too.
"""

from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import pickle
import random
import re
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import arrayops as ao
import oracle
import pytest
from arrayops import pipelines
from arrayops.engine import parts
from parted import bits, unlike_numbers, written


class Elsewhere(Executor):
    """As other processes would do it, but here: everything goes through pickle. Parts are done in any order, and twice.

    dies: when so many parts are done.
    """

    def __init__(self, seed: int = 1) -> None:
        self.waiting: dict[Future[Any], bytes] = {}
        self.chance, self.dies, self.started = random.Random(seed), -1, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        found: Future[Any] = Future()
        self.waiting[found] = pickle.dumps((fn, args, named))
        return found

    def as_ended(self, wanted: Iterable[Future[Any]]) -> Iterator[Future[Any]]:
        """Instead of that of the package: does one and gives it."""
        for future in self.chance.sample(list(wanted), len(list(wanted))):
            if future.set_running_or_notify_cancel():
                self._do(future, self.waiting.pop(future))
            yield future

    @staticmethod
    def chance_of(seed: int, number: int) -> list[int]:
        """In which order so many parts are done."""
        return random.Random(seed).sample(range(number), number)

    def _do(self, future: Future[Any], sent: bytes) -> None:
        if self.started == self.dies:
            future.set_exception(BrokenProcessPool("dead"))
            return
        self.started += 1
        try:
            fn, args, named = pickle.loads(sent)
            future.set_result([pickle.loads(pickle.dumps(fn(*args, **named))) for _ in range(2)][1])
        except Exception as error:
            future.set_exception(pickle.loads(pickle.dumps(error)))


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    executor = Elsewhere()
    monkeypatch.setattr(parts, "as_ended", executor.as_ended)
    return executor


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, multiprocessing.get_context("forkserver")) as pool:
        yield pool


@pytest.fixture(scope="module")
def columns() -> list[array[float]]:
    listed = unlike_numbers(700)
    cuts = [0, 0, 150, 151, 300, 500, 500, len(listed)]
    return [array("d", listed[a:b]) for a, b in itertools.pairwise(cuts)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, columns: list[array[float]]) -> Path:
    return written(tmp_path_factory.mktemp("parts"), columns)


def test_the_data_would_show_rounded_parts(columns: list[array[float]]) -> None:
    whole = math.fsum(x for column in columns for x in column)
    assert math.fsum(math.fsum(column) for column in columns) != whole


FIGURES: dict[str, Callable[..., Any]] = {
    "sum": lambda p, **o: p.sum(**o),
    "mean": lambda p, **o: p.mean(**o),
    "min": lambda p, **o: p.min(**o),
    "max": lambda p, **o: p.max(**o),
    "count": lambda p, **o: p.count(**o),
    "stats": lambda p, **o: p.stats(**o),
    "histogram": lambda p, **o: p.histogram(7, **o),
    "histogram in a range": lambda p, **o: p.histogram(5, (-1, 1), **o),
    "histogram by edges": lambda p, **o: p.histogram([-1, 0, 0, 0.5, 1e16], **o),
    "reduce": lambda p, **o: p.reduce("max(acc, x)", merge="max(acc, x)", **o),
    "reduce from": lambda p, **o: p.reduce("acc + (x > k)", 0, k=0.5, merge="acc + x", **o),
    "collect": lambda p, **o: tuple(p.collect(**o)),
    "collect floats": lambda p, **o: p.collect("f", **o).tobytes(),
    "reduce of tuples": lambda p, **o: p.reduce(both_ends, (9.0, -9.0), merge=wider, **o),
}


def both_ends(acc: tuple[float, float], x: float) -> tuple[float, float]:
    return (x if x < acc[0] else acc[0], x if x > acc[1] else acc[1])


def wider(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return (min(a[0], b[0]), max(a[1], b[1]))


def called(x: float) -> float:
    return [x][0] * 2


STAGES: dict[str, Callable[[ao.Pipeline], ao.Pipeline]] = {
    "none": lambda p: p,
    "compiled": lambda p: p.map("x * 0.1").filter("x == x and x < 1e90"),
    "ints and floats": lambda p: p.filter("x < 1e17").map("int(x) if x > 3 else x"),
    "large ints": lambda p: p.filter("abs(x) < 1e17").map("int(x)").map("x * 2**50"),
    "called": lambda p: p.map(called).filter("x < 1e15"),
    "a lambda": lambda p: p.map(lambda x: x / 3),
    "none left": lambda p: p.filter("x != x"),
}


def outcome(figure: Callable[..., Any], pipeline: ao.Pipeline, **options: Any) -> Any:
    """What a figure is, or what it raises."""
    try:
        return bits(figure(pipeline, **options))
    except (ValueError, TypeError, OverflowError) as error:
        return type(error), str(error)


def one_by_one(figure: Callable[..., Any], columns: list[array[float]], stage: Any) -> Any:
    """In one process, from one array."""
    whole = array("d", [x for column in columns for x in column])
    return outcome(figure, stage(ao.lazy(whole)))


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_in_any_order_and_twice(
    elsewhere: Elsewhere, folder: Path, columns: list[array[float]], figure: Any, stage: Any
) -> None:
    files = ao.files(folder / "*.bin", part_bytes=1200)
    assert outcome(figure, stage(ao.lazy(files)), executor=elsewhere) == one_by_one(figure, columns, stage)
    assert elsewhere.started % len(files) == 0 < elsewhere.started


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_by_threads_and_processes(processes: Executor, folder: Path, columns: list[array[float]], figure: Any) -> None:
    expected = one_by_one(figure, columns, STAGES["compiled"])
    pipeline = STAGES["compiled"](ao.lazy(ao.files(folder / "*.bin", part_bytes=1200)))
    assert outcome(figure, pipeline, executor=processes) == expected
    for workers in (1, 3):
        with ThreadPoolExecutor(workers) as threads:
            assert outcome(figure, pipeline, executor=threads) == expected
            assert outcome(figure, STAGES["compiled"](ao.lazy(columns)), executor=threads) == expected
    assert outcome(figure, pipeline, progress=len_of) == expected
    assert outcome(figure, STAGES["compiled"](ao.lazy(columns)), executor=processes) == expected


def len_of(number: int) -> None:
    assert number == 1


def test_progress_tells_of_each_part_once(folder: Path) -> None:
    files, done = ao.files(folder / "*.bin"), list[int]()
    ao.lazy(files).filter("abs(x) < 1e9").histogram(progress=done.append)
    assert done == [1] * len(files)


def test_files_of_results(processes: Executor, folder: Path, columns: list[array[float]], tmp_path: Path) -> None:
    pipeline = ao.lazy(ao.files(folder / "*.bin")).map("x / 3").filter("x < 1e90")
    done: list[int] = []
    assert pipeline.to(tmp_path / "out", executor=processes, progress=done.append) == pipeline.count()
    assert done == [1] * len(columns)
    for i, column in enumerate(columns):
        expected = array("d", [x / 3 for x in column if x / 3 < 1e90]).tobytes()
        assert (tmp_path / "out" / f"{i}.bin").read_bytes() == expected


def test_arrays_of_others_are_parts() -> None:
    numpy = pytest.importorskip("numpy")
    polars = pytest.importorskip("polars")
    with ThreadPoolExecutor(2) as threads:
        assert ao.lazy([numpy.arange(3.0), numpy.arange(3.0)[::-1]]).sum(executor=threads) == 6.0
        assert ao.lazy(polars.Series([1, None, 3]), nulls="skip").sum(executor=threads) == 4
        assert ao.lazy(range(5)).map("x * x").sum(executor=threads) == 30
        assert ao.lazy([]).count(executor=threads) == 0


def test_buffers_that_do_not_pickle_are_sent_as_arrays(elsewhere: Elsewhere) -> None:
    parts = [memoryview(array("h", [1, 2, 3]))[::2], ao.view(bytes([0, 5]), ">h"), array("h", [7])]
    assert ao.lazy(parts).map("x * x").sum(executor=elsewhere) == 1 + 9 + 25 + 49
    assert ao.lazy([ao.view(b"\1", "?"), ao.view(b"\0\7", "?")]).sum(executor=elsewhere) == 2
    assert ao.lazy([memoryview(ao.view(bytes(range(16)), ">e"))[::2]]).count(executor=elsewhere) == 4


def test_an_array_is_cut(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into slices, of which nothing is copied but to be sent; and in chunks of its own."""
    monkeypatch.setattr(pipelines, "SLICE_BYTES", 800)
    x = array("h", range(-1000, 1000))
    for source, number in ((x, 5), (memoryview(x)[::-2], 3), (range(250), 3), (array("h"), 1),
                           (ao.view(bytes(range(256)) * 5, ">i3"), 2)):  # fmt: skip
        done: list[int] = []
        pipeline = ao.lazy(source).map("x * 3").filter("x % 2 == 0")
        elsewhere.started = 0
        assert pipeline.sum(executor=elsewhere, progress=done.append) == pipeline.sum()
        assert elsewhere.started == number == len(done)
        found, expected = pipeline.collect("i", executor=elsewhere), pipeline.collect("i")
        assert type(found) is type(expected) and found == expected
    with pytest.raises(ZeroDivisionError) as caught:
        ao.lazy(x).map("1 / x").sum(executor=elsewhere)
    assert notes(caught.value) == ["part 3 of 5: elements 800 to 1199"]
    truths = ao.lazy(ao.view(bytes([0, 5]) * 700, "?"))
    assert list(truths.collect(executor=elsewhere)) == [False, True] * 700
    assert len(truths.filter("x").collect(executor=elsewhere)) == 700


def test_threads_have_slices_of_the_array_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "SLICE_BYTES", 800)
    x = array("d", range(1000))
    with ThreadPoolExecutor(2) as threads:
        def written(value: float) -> float:
            x[int(value)] = -value
            return value

        assert ao.lazy(x).map(written).sum(executor=threads) == 499500
        assert ao.lazy(x).collect(executor=threads) == array("d", range(0, -1000, -1)) == x
        with pytest.raises(BufferError):
            ao.lazy(x).map(lambda value: x.append(1.0)).sum(executor=threads)


def test_chunks_are_parts(elsewhere: Elsewhere) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    chunks = pyarrow.chunked_array([[1, None, 3], [], [4, 5]], type=pyarrow.int16())
    pipeline = ao.lazy(chunks, nulls="skip").map("x * x")
    assert pipeline.sum(executor=elsewhere) == 1 + 9 + 16 + 25
    assert elsewhere.started == 3
    assert pipeline.collect(executor=elsewhere).to_pylist() == pipeline.collect().to_pylist() == [1, 9, 16, 25]
    with pytest.raises(ValueError, match="null"):
        ao.lazy(chunks).sum(executor=elsewhere)


def test_what_progress_raises_ends_it(elsewhere: Elsewhere, folder: Path) -> None:
    def stop(number: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ao.lazy(ao.files(folder / "*.bin")).sum(executor=elsewhere, progress=stop)
    assert elsewhere.started == 1 and all(future.cancelled() for future in elsewhere.waiting)


def test_two_pipelines_share_an_executor(processes: Executor, folder: Path) -> None:
    with ThreadPoolExecutor(2) as callers:
        files = ao.files(folder / "*.bin", part_bytes=1000)
        found = [callers.submit(ao.lazy(files).map(f"x * {k}").count, executor=processes) for k in (1, 2, 3)]
        assert [f.result() for f in found] == [ao.lazy(files).count()] * 3


# -- what goes wrong ---------------------------------------------------------------------------------------------------


class Odd(Exception):
    """Comes out of no pickle."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__("odd")


def odd(x: float) -> float:
    raise Odd(1, 2)


def gone(x: float) -> float:
    os._exit(1)


def notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


@pytest.mark.parametrize("seed", range(8))
def test_the_error_is_that_of_the_first_part_that_fails(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever part fails first: those before it are done, and nothing behind it is begun from then on."""
    executor, number, done = Elsewhere(seed), 12, list[int]()
    monkeypatch.setattr(parts, "as_ended", executor.as_ended)
    columns = [array("d", [-1.0 if i in (4, 5, 9) else i in (6, 7, 11) or 3.0]) for i in range(number)]
    pipeline, domain = ao.lazy(columns).map("sqrt(x) / (x - 1)"), oracle.outcome(math.sqrt, -1.0)
    with pytest.raises(ValueError, match=re.escape(str(domain.error))) as caught:
        pipeline.sum(executor=executor, progress=done.append)
    assert notes(caught.value) == ["part 5 of 12: buffer 4"]
    order = executor.chance_of(seed, number)
    wanted, end = [], number
    for part in order:
        if part < end:
            wanted.append(part)
            end = part if part in (4, 5, 6, 7, 9, 11) else end
    assert executor.started == len(wanted) and done == [1] * sum(part not in (4, 5, 6, 7, 9, 11) for part in wanted)
    assert all(future.cancelled() for future in executor.waiting)


def test_an_error_names_the_part_and_the_place_in_it(elsewhere: Elsewhere, folder: Path) -> None:
    files = ao.files(folder / "*.bin", part_bytes=1000)
    with pytest.raises(ZeroDivisionError) as caught:
        ao.lazy(files).map("1 / (x - x)").sum(executor=elsewhere)
    piece, part = notes(caught.value)
    assert piece.startswith(f"in '{folder}/1.bin'") and part.endswith(piece[3:])
    assert part.startswith(f"part 2 of {len(files)}: ")


def test_errors_of_processes(processes: Executor, folder: Path) -> None:
    pipeline = ao.lazy(ao.files(folder / "2.bin"))
    with pytest.raises(RuntimeError, match=r"Odd: odd(.|\n)*\(an exception that cannot be pickled\)") as caught:
        pipeline.map(odd).sum(executor=processes)
    assert notes(caught.value) == [f"part 1 of 1: '{folder}/2.bin', elements 0 to 0, from byte 0 on"]
    with pytest.raises(TypeError, match="bad operand type for unary ~: 'float'"):
        pipeline.map("~x").sum(executor=processes)
    assert pipeline.count(executor=processes) == 1, "the pool is as good as before"


def test_a_process_that_dies(folder: Path) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("forkserver")) as pool:
        with pytest.raises(BrokenProcessPool) as caught:
            ao.lazy(ao.files(folder / "*.bin")).map(gone).sum(executor=pool)
        assert notes(caught.value)[0].startswith("the executor has died: ")
        with pytest.raises(BrokenProcessPool) as caught:
            ao.lazy(ao.files(folder / "*.bin")).sum(executor=pool)
        assert notes(caught.value) == ["the executor has died: no part is done"]


def test_an_executor_that_dies_says_how_much_was_done(elsewhere: Elsewhere, folder: Path) -> None:
    elsewhere.dies = 3
    with pytest.raises(BrokenProcessPool) as caught:
        ao.lazy(ao.files(folder / "*.bin")).sum(executor=elsewhere)
    assert notes(caught.value) == ["the executor has died: 3 of 7 parts are done"]


def test_what_cannot_be_sent_is_named_before_any_work(elsewhere: Elsewhere, folder: Path) -> None:
    def inner(x: float) -> float:
        return [x][0]

    over = ao.lazy(ao.files(folder / "*.bin"))
    for call, words in (
        (lambda: over.map("x*x").filter(inner).sum(executor=elsewhere), "stage 2, filter.*inner.*, cannot be sent"),
        (lambda: over.reduce(inner, merge="acc + x", executor=elsewhere), "with the values cannot be sent"),
        (lambda: over.map(lambda x: [x][0]).to(folder / "out", executor=elsewhere), "stage 1, .*cannot be sent"),
    ):
        with pytest.raises(TypeError, match=words):
            call()
    assert not elsewhere.waiting


def test_threads_are_sent_nothing(folder: Path) -> None:
    seen: list[float] = []
    pipeline = ao.lazy(ao.files(folder / "*.bin")).map(lambda x: seen.append(x) or x)
    with ThreadPoolExecutor(1) as threads:
        assert pipeline.count(executor=threads) == len(seen)


REFUSED: list[tuple[Callable[..., Any], type[Exception], str]] = [
    (lambda e: ao.lazy(b"a" for _ in "ab").sum(executor=e), TypeError, "parts of a generator are not known"),
    (lambda e: ao.lazy([array("i", [1]), array("d", [1])]).sum(executor=e), TypeError, "buffer 1 .* typecode 'd'"),
    (lambda e: ao.lazy([array("i", [1]), 3]).sum(executor=e), TypeError, "int"),
    (lambda e: ao.lazy([b"a"]).takewhile("x").sum(executor=e), ValueError, "takewhile.* depends on all elements"),
    (lambda e: ao.lazy(b"ab").map("x*y", y=b"ab").sum(executor=e), ValueError, "arrays beside a source"),
    (lambda e: ao.lazy([b"ab"]).reduce("acc + x", executor=e), TypeError, "merge= says"),
    (lambda e: ao.lazy([b"ab"]).sum(executor=3), TypeError, "executor must be one of concurrent.futures, not int"),
    (lambda e: ao.lazy([b"ab"]).sum(executor=Client()), TypeError, r"not Client: pass its get_executor\(\)"),
    (lambda e: ao.lazy(iter([b"ab"])).histogram(), ValueError, "read once: pass range="),
    (lambda e: ao.lazy([b"ab"]).map(chr).histogram(2, (0, 1), executor=e), TypeError, "numbers to be counted, not str"),
    (lambda e: ao.lazy([b""]).stats(executor=e), ValueError, "stats.. of a pipeline without values"),
    (lambda e: ao.lazy([b"", b""]).reduce("acc+x", merge="acc+x", executor=e), TypeError, "no initial value"),
    (lambda e: ao.lazy([b"ab"]).to(bytearray(2), executor=e), TypeError, "are for a folder"),
]


class Client:
    def get_executor(self) -> None: ...


@pytest.mark.parametrize(("call", "error", "words"), REFUSED, ids=[row[2] for row in REFUSED])
def test_what_is_refused(call: Any, error: Any, words: str) -> None:
    with ThreadPoolExecutor(1) as threads, pytest.raises(error, match=words):
        call(threads)


def test_a_file_that_vanishes_on_the_way(elsewhere: Elsewhere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        (tmp_path / str(i)).write_bytes(bytes(80))
    files = ao.files(tmp_path / "*")
    submit = elsewhere.submit

    def late(*args: Any) -> Future[Any]:
        (tmp_path / "1").unlink(missing_ok=True)
        return submit(*args)

    monkeypatch.setattr(elsewhere, "submit", late)
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}/1") as caught:
        ao.lazy(files).sum(executor=elsewhere)
    assert notes(caught.value) == [f"part 2 of 3: '{tmp_path}/1', elements 0 to 9, from byte 0 on"]


def test_an_executor_that_drops_its_work_is_no_wait_without_end() -> None:
    """What shutdown(cancel_futures=True) drops ends by CancelledError, which says the part."""
    release = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(release.wait)
        threading.Timer(0.05, lambda: (pool.shutdown(wait=False, cancel_futures=True), release.set())).start()
        with pytest.raises(CancelledError) as caught:
            ao.lazy([array("d", [1.0]), array("d", [2.0])]).sum(executor=pool)
    assert "part 1 of 2" in caught.value.__notes__[0]
