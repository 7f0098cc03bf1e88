"""The port through which parallelism comes in: `map(function, items)`, results in input order."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

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
