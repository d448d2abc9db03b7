"""Executors of concurrent.futures for engines that have none of their own: Ray and Spark.

``ao.lazy(ao.files("*.bin")).stats(executor=RayExecutor())``. Dask's is ``client.get_executor()``, MPI's is
``mpi4py.futures.MPIPoolExecutor()``. An engine is imported when its executor is made, and must have been installed;
its workers need arrayops, too. Work that is lost with a worker is done again by the rules of the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any


def _call(fn: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return fn(*args, **named)


class RayExecutor(Executor):
    """Calls as tasks of Ray, on the cluster of ``ray.init()``.

    options: of ``ray.remote``, such as ``num_cpus=1``, or ``max_retries=5``: how often Ray does again what is lost with
    a worker. The executor ends with Ray; there is nothing to shut down::

        ray.init()
        ao.lazy(ao.files("*.bin", typecode="<h")).stats(executor=RayExecutor(max_retries=5))
    """

    def __init__(self, **options: Any) -> None:
        import ray

        self._ray = ray
        self._task = ray.remote(**options)(_call) if options else ray.remote(_call)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """A task for ``fn(*args, **named)``."""
        found: Future[Any] = Future()
        task = self._task.remote(fn, args, named)

        def done(end: Future[Any]) -> None:
            if not found.set_running_or_notify_cancel():
                return
            error = end.exception()
            if error is None:
                found.set_result(end.result())
            else:
                found.set_exception(getattr(error, "cause", None) or error)  # Ray wraps what a task raises

        def ended(end: Future[Any]) -> None:
            if end.cancelled():
                self._ray.cancel(task)

        found.add_done_callback(ended)
        task.future().add_done_callback(done)
        return found


class SparkExecutor(Executor):
    """Calls as jobs of one task of Spark.

    spark: the SparkSession, by default the one that there is. jobs: how many at a time, by default as many as Spark has
    processors. Spark does again what is lost with a worker (``spark.task.maxFailures``), not what raises::

        with SparkExecutor(spark) as pool:
            ao.lazy(ao.files("/data/*.bin", typecode="<h")).stats(executor=pool)
    """

    def __init__(self, spark: Any = None, jobs: int | None = None) -> None:
        from pyspark.sql import SparkSession

        self._context = (spark or SparkSession.builder.getOrCreate()).sparkContext
        self._threads = ThreadPoolExecutor(jobs or self._context.defaultParallelism)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """A job for ``fn(*args, **named)``."""
        return self._threads.submit(self._job, fn, args, named)

    def _job(self, fn: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        error, result = self._context.parallelize([(fn, args, named)], 1).map(_outcome).collect()[0]
        if error is not None:
            raise error
        return result

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends this executor, not Spark."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


def _outcome(call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]) -> tuple[Exception | None, Any]:
    """What a call raises or returns: Spark would make text of an exception."""
    try:
        return None, _call(*call)
    except Exception as error:
        return error, None
