"""One piece of work over many parts, by any executor of concurrent.futures, and the results in the order of the parts.

What always holds: whatever cannot be pickled is named before any work is sent; a result counts once, however often an
engine computes it; when a part has failed nothing behind it is begun, and when those before it are done, the exception
of the first part that failed is raised, as one thread would raise it. It is one that travels, and names the part. A
part that failed is tried again by the executor's own rules, or not at all.
"""

from __future__ import annotations

import functools
import pickle
import queue
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from typing import Any

Work = Callable[[Any], Any]


def over_parts(parts: Sequence[Any], work: Work, executor: Any, progress: Callable[[int], object] | None,
               check: Callable[[], None]) -> Iterator[Any]:  # fmt: skip
    """The results of ``work(part)``, each when those of the parts before it are there.

    executor: None is this thread. progress: called here with 1 for each part that is done. check: says, by an
    exception, which piece of the work cannot be pickled.
    """
    if executor is None:
        for number, part in enumerate(parts):
            with _named(part, number, len(parts)):
                result = work(part)
            yield result
            if progress is not None:
                progress(1)
        return
    yield from _in_order(parts, _submitted(parts, work, _checked(executor), check), progress)


def _checked(executor: Any) -> Any:
    if isinstance(executor, futures.Executor):
        return executor
    way = ": pass its get_executor()" if hasattr(executor, "get_executor") else ""
    raise TypeError(f"executor must be one of concurrent.futures, not {type(executor).__name__}{way}; "
                    "arrayops.executors has those for Ray and Spark")  # fmt: skip


def _shares_memory(executor: Any) -> bool:
    others = getattr(futures, "InterpreterPoolExecutor", ())
    return isinstance(executor, futures.ThreadPoolExecutor) and not isinstance(executor, others)


def _submitted(parts: Sequence[Any], work: Work, executor: Any, check: Callable[[], None]) -> dict[Any, int]:
    """The number of the part that each future is for."""
    if not _shares_memory(executor):
        check()
        work = functools.partial(run_sent, pickle.dumps(work))
    submitted: dict[Any, int] = {}
    try:
        for number, part in enumerate(parts):
            submitted[executor.submit(work, part)] = number
    except BaseException as error:
        _cancel(submitted)
        if isinstance(error, futures.BrokenExecutor):
            error.add_note("the executor has died: no part is done")
        raise
    return submitted


def as_ended(submitted: list[Any]) -> Iterator[Any]:
    """The futures as they end, also those that an executor drops at its end, which as_completed() would wait for."""
    ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for future in submitted:
        future.add_done_callback(ended.put)
    for _ in submitted:
        yield ended.get()


def _in_order(parts: Sequence[Any], submitted: dict[Any, int],
              progress: Callable[[int], object] | None) -> Iterator[Any]:  # fmt: skip
    early: dict[int, Any] = {}
    due = done = 0
    failed, end = None, len(parts)  # the first part, in their order, that is known to have failed
    try:
        for future in as_ended([*submitted]):
            number = submitted.pop(future)
            if number > end:
                continue
            if future.cancelled() or future.exception() is not None:
                failed, end = future, number
                for other, behind in submitted.items():
                    if behind > number:
                        other.cancel()
            else:
                early[number] = future.result()
                done += 1
                if progress is not None:
                    progress(1)
            while due in early:
                yield early.pop(due)
                due += 1
            if due == end and failed is not None:
                with _named(parts[end], end, len(parts), done):
                    failed.result()
    finally:
        _cancel(submitted)


def _cancel(submitted: dict[Any, int]) -> None:
    """Has nothing more begun, and waits for what has: it may use the caller's memory, or write files."""
    futures.wait([future for future in submitted if not future.cancel()])


class _named:
    """Exceptions from within say which part they are of."""

    def __init__(self, part: Any, number: int, total: int, done: int | None = None) -> None:
        self._part, self._number, self._total, self._done = part, number, total, done

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, futures.BrokenExecutor):
            error.add_note(f"the executor has died: {self._done} of {self._total} parts are done")
        elif isinstance(error, Exception):
            error.add_note(f"part {self._number + 1} of {self._total}: {self._part}")


@functools.lru_cache(maxsize=8)
def _received(sent: bytes) -> Work:
    found: Work = pickle.loads(sent)
    return found


def run_sent(sent: bytes, part: Any) -> Any:
    """``work(part)`` in another process, to which the work was sent pickled; what it raises can be sent back."""
    try:
        return _received(sent)(part)
    except Exception as error:
        if _travels(error):
            raise
        text = "".join(traceback.format_exception_only(error)).strip()
    raise RuntimeError(f"{text} (an exception that cannot be pickled)")


def _travels(error: Exception) -> bool:
    """Whether an exception comes out of a pickle as what it is."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False
