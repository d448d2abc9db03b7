"""asyncio.to_thread runs kernels beside the event loop: it goes on, results are right, and cancelling leaves all sound.

Nothing here looks at a clock. Threads take turns only where one of them lets go of the interpreter by itself (the
switch interval is made longer than any test), so a tick of the loop during a call means that the call let go of it.
"""

from __future__ import annotations

import asyncio
import math
import sys
import threading
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import arrayops as ao
import pytest
from arrayops.engine.threads import gil_is_off

SIZE = 1 << 20
TICKS = 200  # of the loop, while a call is running
MOST_CALLS = 20_000  # so that a call that blocks the loop fails the test and does not hang it


@pytest.fixture
def no_forced_switch() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


async def ticks_during(call: Callable[[], Any], most_calls: int) -> tuple[int, Any]:
    """How often the loop ran while a thread was inside ``call``, repeated until that is TICKS, and its last result."""
    inside = enough = False
    ticks = 0

    def work() -> Any:
        nonlocal inside
        for _ in range(most_calls):
            inside = True
            result = call()
            inside = False
            if enough:
                break
        return result

    task = asyncio.create_task(asyncio.to_thread(work))
    while not task.done():
        await asyncio.sleep(0)
        ticks += inside
        enough = ticks >= TICKS
    return ticks, await task


def numbers(size: int = SIZE) -> array[float]:
    return ao.accumulate(array("d", [1.0]) * size)


CALLS: dict[str, Callable[[array[float], array[float]], Any]] = {
    "map": lambda a, out: ao.map(a, "sin(x)*2 + 1", out=out),
    "map of a lambda": lambda a, out: ao.map(a, lambda x: math.sin(x) * 2 + 1, out=out),
    "kernel": lambda a, out: KERNEL(a, out=out),
    "one thread": lambda a, out: ao.map(a, "sin(x)*2 + 1", out=out, threads=1),
    "reduce": lambda a, out: ao.reduce(a, "acc*0.5 + x", 0.0),
    "filter": lambda a, out: ao.filter(a, "sin(x) > 2"),
    "sum": lambda a, out: ao.sum(a),
    "stats": lambda a, out: ao.stats(a),
    "sort": lambda a, out: ao.sort(out),
}
KERNEL = ao.compile("sin(x)*2 + 1")


@pytest.mark.parametrize("name", CALLS)
def test_the_loop_runs_during_a_call(name: str, no_forced_switch: None) -> None:
    a, out = numbers(), array("d", bytes(8 * SIZE))
    call = CALLS[name]
    expected = call(a, array("d", bytes(8 * SIZE)))
    ticks, result = asyncio.run(ticks_during(lambda: call(a, out), MOST_CALLS))
    assert ticks >= TICKS
    assert result == expected


@pytest.mark.skipif(gil_is_off(), reason="without the GIL nothing keeps the interpreter")
def test_what_keeps_the_interpreter_stops_the_loop(no_forced_switch: None) -> None:
    """That the test above would notice: Python's own sum does not let go of the interpreter."""
    a = numbers(10_000)
    ticks, result = asyncio.run(ticks_during(lambda: sum(a), 50))
    assert (ticks, result) == (0, 50_005_000.0)


def test_awaiting_a_kernel() -> None:
    async def main() -> Any:
        return await asyncio.to_thread(KERNEL, array("d", [0.0, 1.0]))

    assert asyncio.run(main()) == array("d", [1.0, math.sin(1.0) * 2 + 1])


def test_kernels_at_once() -> None:
    """Some share a kernel, some an input, all the caches."""
    a = numbers()
    texts = ["x*x + 1", "x % 7 - 3", "sqrt(x)", "x if x > 500000 else -x"] * 3
    expected = [ao.map(a, text, threads=1) for text in texts]

    async def main() -> list[Any]:
        return await asyncio.gather(
            *(asyncio.to_thread(ao.compile(text), a) for text in texts),
            *(asyncio.to_thread(ao.map, a, text) for text in texts),
            *(asyncio.to_thread(KERNEL, a[i : i + 1000]) for i in range(0, 10_000, 1000)),
        )

    found = asyncio.run(main())
    assert found[: len(texts)] == found[len(texts) : 2 * len(texts)] == expected
    assert sum(found[2 * len(texts) :], array("d")) == KERNEL(a[:10_000])


def test_an_exception_is_raised_where_it_is_awaited() -> None:
    async def main() -> None:
        bad, good = await asyncio.gather(
            asyncio.to_thread(ao.map, array("i", [1, 0]), "10 // x"),
            asyncio.to_thread(ao.map, array("i", [1, 2]), "10 // x"),
            return_exceptions=True,
        )
        assert type(bad) is ZeroDivisionError
        assert good == array("i", [10, 5])

    asyncio.run(main())


def test_cancelling_leaves_the_process_sound() -> None:
    """The task that waits is cancelled while its thread is at work; the thread ends its call, and lets go of all."""
    a, out = numbers(), array("d", bytes(8 * SIZE))
    expected = KERNEL(a)

    async def main() -> None:
        begun, stop, ended = (threading.Event() for _ in range(3))

        def work() -> None:
            try:
                while not stop.is_set():
                    KERNEL(a, out=out)
                    begun.set()
            finally:
                ended.set()

        task = asyncio.create_task(asyncio.to_thread(work))
        while not begun.is_set():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not ended.is_set(), "a thread cannot be cancelled"
        assert await asyncio.to_thread(KERNEL, a) == expected, "others run beside it"
        stop.set()
        await asyncio.to_thread(ended.wait)

    asyncio.run(main())
    assert out == expected
    a.append(1.0)  # no buffer is held any more
    out.append(1.0)
    assert KERNEL(a)[:SIZE] == expected


def test_a_time_limit_leaves_the_process_sound() -> None:
    """asyncio.timeout cancels in the same way; it has run out before it begins, and the call goes on behind it."""
    a = numbers()
    over = threading.Event()

    def work() -> Any:
        over.wait(60)
        return KERNEL(a)

    async def main() -> None:
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await asyncio.to_thread(work)
        finally:
            over.set()
        assert (await asyncio.to_thread(KERNEL, a))[0] == math.sin(1.0) * 2 + 1

    asyncio.run(main())
    a.append(1.0)


def test_running_stats() -> None:
    """Each task has its own, and the loop merges them as they come; data whose sum depends on the order if rounded."""
    data = array("d", [1e16, 1.0, -1e16, 0.1, 1e100, -3.0, -1e100, 5e-324] * 5000)
    parts = [data[i : i + 999] for i in range(0, len(data), 999)]

    async def main() -> ao.RunningStats:
        total = ao.RunningStats()
        for done in asyncio.as_completed([asyncio.to_thread(ao.RunningStats, part) for part in parts]):
            total.merge(await done)
        return total

    whole = ao.RunningStats(data)
    found = asyncio.run(main())
    assert found == whole
    assert found.stats() == whole.stats()
    assert found.sum == math.fsum(data)


def test_running_stats_updated_one_after_the_other() -> None:
    data = array("q", [2**62, -1, 2**63 - 1] * 1000)

    async def main() -> ao.RunningStats:
        total = ao.RunningStats()
        for i in range(0, len(data), 100):
            await asyncio.to_thread(total.update, data[i : i + 100])
        return total

    found = asyncio.run(main())
    assert found == ao.RunningStats(data)
    assert found.sum == sum(data)
