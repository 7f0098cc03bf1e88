"""Every combination."""

from collections.abc import Generator
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import whole
from quant_assets.quant.tuning.searches.base import Proposals, Search, in_batches
from quant_assets.quant.tuning.space import Point, Space

__all__ = ["Grid"]


@dataclass(frozen=True, kw_only=True)
class Grid(Search):
    """Every combination of the values, the last parameter first; intervals need a step.

    batch : combinations that are simulated, and kept, at a time.
    """

    name: ClassVar[str] = "grid"
    batch: int = whole(64, least=1)

    def count(self, space: Space) -> int:
        """See the base class."""
        self._check(space)
        return space.size or 0

    def foreseen(self, space: Space) -> Generator[Point, None, None]:
        """See the base class."""
        self._check(space)
        return _combinations(space)

    def proposals(self, space: Space) -> Proposals:
        """See the base class."""
        self._check(space)
        return in_batches(_combinations(space), self.batch)

    @staticmethod
    def _check(space: Space) -> None:
        endless = [name for name in space.names if space.levels(name) is None]
        if endless:
            raise ConfigError(
                f"a grid needs values that can be counted; {endless} have none: give a step, or "
                "take the search 'sobol'"
            )


def _combinations(space: Space) -> Generator[Point, None, None]:
    levels = [space.levels(name) or () for name in space.names]
    for values in product(*levels):
        yield dict(zip(space.names, values, strict=True))
