"""What a search is: it proposes combinations and is told how they did. Add one by adding a file."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable
from dataclasses import dataclass

from quant_assets.core.parameters import Parameters
from quant_assets.quant.tuning.space import Point, Space

__all__ = ["Proposals", "Search"]

SEARCHES = "quant_assets.quant.tuning.searches"
Proposals = Generator[list[Point], list[float], None]


@dataclass(frozen=True, kw_only=True)
class Search(Parameters, ABC):
    """Which combinations of a space are tried.

    The same search on the same space proposes the same combinations when it is told the same
    values: that is what makes a search that was killed go on where it stopped.
    """

    @abstractmethod
    def proposals(self, space: Space) -> Proposals:
        """Lists of combinations; each is answered by their objective values, NaN: none."""

    def foreseen(self, space: Space) -> Iterable[Point] | None:
        """All combinations that it will propose, whatever it is told; None: it learns."""
        del space
        return None

    def count(self, space: Space) -> int | None:
        """Number of combinations that it will propose; None: it decides on the way."""
        del space
        return None


def in_batches(points: "list[Point] | Generator[Point, None, None]", size: int) -> Proposals:
    """Proposals of a search that does not learn, `size` at a time."""
    batch: list[Point] = []
    for point in points:
        batch.append(point)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
