"""The port through which parallelism comes in: `map(function, items)`, results in input order."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from typing import Any, Protocol, Self, TypeVar

from quant_assets.core.errors import ConfigError

A = TypeVar("A")
B = TypeVar("B")


class Executor(Protocol):
    """Anything that maps a function over items and yields the results in input order."""

    def map(self, function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
        """Apply `function` to each item."""
        ...


class SerialExecutor:
    """The default: one after the other, in this process."""

    def map(self, function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
        """Apply `function` to each item, lazily."""
        return map(function, items)


class ProcessExecutor:
    """Several processes of this machine, started by `spawn` when they are first needed.

    Function and items must be picklable: a class or function of a module, no lambda. The function
    is sent with each share of the items, a few per process, not with each item. The processes
    serve later calls until `close`, the end of a `with` block, or the end of the program.
    """

    def __init__(self, workers: int = 2) -> None:
        if workers < 1:
            raise ConfigError(f"workers {workers} must be at least 1")
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
        """Apply `function` to each item; an exception of one comes out of here."""
        work = list(items)
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, multiprocessing.get_context("spawn"))
        share = max(1, len(work) // (4 * self.workers))
        shares = (work[first : first + share] for first in range(0, len(work), share))
        for results in self._pool.map(partial(_apply, function), shares):
            yield from results

    def close(self) -> None:
        """End the processes; a later `map` starts new ones."""
        if self._pool is not None:
            self._pool.shutdown()
        self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class RayExecutor:
    """A Ray cluster (extra `ray`), or processes of this machine that Ray starts.

    address : of a running cluster; None: what Ray finds, else a local one of `workers` processes.
    The function is sent once to each node. Items are asked for `window` at a time.
    """

    def __init__(self, address: str | None = None, *, workers: int = 2, window: int = 256) -> None:
        if workers < 1 or window < 1:
            raise ConfigError(f"workers {workers} and window {window} must be at least 1")
        self.address, self.workers, self.window = address, workers, window

    def map(self, function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
        """Apply `function` to each item; an exception of one comes out of here."""
        ray = self._started()
        held, task = ray.put(function), ray.remote(_call)
        left = iter(items)
        while some := list(islice(left, self.window)):
            asked = [task.remote(held, item) for item in some]
            for one in asked:
                try:
                    yield ray.get(one)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from error

    def _started(self) -> Any:
        try:
            import ray
        except ImportError as cause:
            raise ConfigError(
                "RayExecutor needs Ray: pip install 'quant-assets[ray]', or take ProcessExecutor"
            ) from cause
        if not ray.is_initialized():
            own = {} if self.address else {"num_cpus": self.workers, "include_dashboard": False}
            ray.init(address=self.address, log_to_driver=False, **own)
        return ray


def _call(function: Callable[[A], B], item: A) -> B:
    return function(item)


def _apply(function: Callable[[A], B], share: list[A]) -> list[B]:
    return [function(item) for item in share]
